//! Downloads that are given up, by failure or by being dropped, and made again.

use std::fs;
use std::future::IntoFuture;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use wharf::transfer::{Download, Downloaded, OnChange};
use wharf::{ChecksumAlgorithm, ETag, ErrorKind};
use wharf_embedded::{Fault, Operation};

use crate::common::{BUCKET, MIB, Place, bytes, names, says_kept, soon};

const SIZE: usize = 12 * MIB + 7;

/// Breaks off after so many bytes, and is refused then.
async fn fails(place: &Place, download: Download<PathBuf>, after: usize) -> wharf::Error {
    let broken = place.store.inject(Fault::close_response_after(after as u64).on(Operation::GetObject).nth(1)).unwrap();
    let refused = Fault::respond(403, "AccessDenied").on(Operation::GetObject).nth(2);
    let refused = place.store.inject(refused).unwrap();
    let error = download.await.unwrap_err();
    broken.remove();
    refused.remove();
    place.store.clear_requests();
    error
}

/// The file is right, and nothing is left beside it.
async fn ends(place: &Place, download: Download<PathBuf>, content: &[u8]) -> Downloaded<PathBuf> {
    let done = download.await.unwrap();
    assert!(fs::read(place.path("target")).unwrap() == content);
    assert_eq!(names(place.folder.path()), ["target"]);
    assert!(done.verification.is_verified(), "{}", done.verification);
    assert_eq!(done.size, content.len() as u64);
    done
}

#[tokio::test]
async fn a_download_that_failed_goes_on() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    place.object(&content).await;
    let error = fails(&place, place.download(), 8 * MIB).await;
    says_kept(&error);
    assert_eq!(names(place.folder.path()), ["target.wharf-journal", "target.wharf-part"]);
    let done = ends(&place, place.download(), &content).await;
    let missing = 8 * MIB as u64 - done.resumed_bytes;
    assert!(missing < MIB as u64, "{}", done.resumed_bytes);
    let asked: Vec<_> = place.store.requests().iter().map(|request| request.operation).collect();
    assert_eq!(asked, ["HeadObject", "GetObject"]);
    assert_eq!(done.head.content_length, SIZE as u64);
}

/// What is in the file is known by its own checksums, where the server keeps none, or none is asked for.
#[tokio::test]
async fn bytes_that_were_spoilt_since_are_fetched_again_without_the_servers_checksum() {
    for verify in [true, false] {
        let place = Place::new().await;
        let content = bytes(SIZE);
        place.object(&content).await;
        if verify {
            place.store.inject(Fault::forget_checksums()).unwrap();
        }
        let call = || place.download().verify(verify);
        fails(&place, call(), 8 * MIB).await;
        let part = place.path("target.wharf-part");
        let mut spoilt = fs::read(&part).unwrap();
        spoilt[5 * MIB] ^= 1;
        fs::write(&part, spoilt).unwrap();
        let done = call().await.unwrap();
        assert!(fs::read(place.path("target")).unwrap() == content);
        assert!(!done.verification.is_verified());
        assert!(done.resumed_bytes < 8 * MIB as u64, "{}", done.resumed_bytes);
        // What was not spoilt is not fetched again.
        fs::remove_file(place.path("target")).unwrap();
        fails(&place, call(), 8 * MIB).await;
        assert!(call().await.unwrap().resumed_bytes > 7 * MIB as u64);
    }
}

/// Where its parts end is asked for by a request of its own, whose failure costs at most that the bytes can be compared.
#[tokio::test(start_paused = true)]
async fn an_object_in_parts_goes_on_whatever_is_known_of_them() {
    use wharf::ChecksumType::Composite;
    let content = bytes(17 * MIB + 5);
    let busy = || Some(Fault::respond(503, "SlowDown").on(Operation::GetObjectAttributes).times(5));
    let always_busy = || Some(Fault::respond(503, "SlowDown").on(Operation::GetObjectAttributes));
    let denied = || Some(Fault::respond(403, "AccessDenied").on(Operation::GetObjectAttributes));
    for (first, second, expected) in [
        (None, busy(), "verified by SHA256"),
        (None, denied(), "not verified: the server does not tell where the object's parts end"),
        (None, always_busy(), "not verified: the server gave no answer when it was asked where the object's parts end"),
        (denied(), None, "not verified: what an earlier run fetched cannot be compared with the object's checksum"),
    ] {
        let place = Place::new().await;
        let call = place.s3.create_multipart_upload(BUCKET, "a").checksum_algorithm(ChecksumAlgorithm::Sha256);
        let id = call.checksum_type(Composite).await.unwrap().upload_id;
        let mut complete = place.s3.complete_multipart_upload(BUCKET, "a", &id).checksum_type(Composite);
        for (number, part) in (1..).zip(content.chunks(5 * MIB + 1)) {
            let part = place.s3.upload_part(BUCKET, "a", &id, number, part.to_vec());
            complete = complete.part(part.checksum(ChecksumAlgorithm::Sha256).await.unwrap());
        }
        complete.await.unwrap();
        let first = first.map(|fault| place.store.inject(fault).unwrap());
        fails(&place, place.download(), 15 * MIB).await;
        if let Some(fault) = first {
            fault.remove();
        }
        if let Some(fault) = second {
            place.store.inject(fault).unwrap();
        }
        let done = place.download().await.unwrap();
        assert_eq!(done.verification.to_string(), expected);
        assert!(done.resumed_bytes >= 10 * MIB as u64, "{expected}: {}", done.resumed_bytes);
        assert!(fs::read(place.path("target")).unwrap() == content);
    }
}

#[tokio::test]
async fn a_range_goes_on_too() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    place.object(&content).await;
    let range = 1000..SIZE as u64 - 1000;
    fails(&place, place.download().range(range.clone()), 8 * MIB).await;
    let done = place.download().range(range).await.unwrap();
    assert!(done.resumed_bytes > 7 * MIB as u64);
    assert!(fs::read(place.path("target")).unwrap() == content[1000..SIZE - 1000]);
    // Another range has other bytes.
    fails(&place, place.download().range(0..10 * MIB as u64), 8 * MIB).await;
    assert_eq!(ends(&place, place.download(), &content).await.resumed_bytes, 0);
}

#[tokio::test]
async fn a_download_that_was_cancelled_goes_on() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    place.object(&content).await;
    // Between two times at which it is recorded what has arrived.
    let stalls = Fault::delay_body(7 * MIB as u64 / 4, Duration::from_secs(600)).on(Operation::GetObject);
    place.store.inject(stalls).unwrap();
    let transfer = place.download().start().unwrap();
    let mut updates = transfer.updates();
    while (transfer.progress().bytes as usize) < 7 * MIB / 4 {
        updates.next().await.unwrap();
    }
    transfer.cancel().await.unwrap();
    place.store.clear_faults();
    let done = ends(&place, place.download(), &content).await;
    assert_eq!(done.resumed_bytes, 7 * MIB as u64 / 4);
}

#[tokio::test]
async fn without_the_option_nothing_is_left() {
    let place = Place::new().await;
    place.object(&bytes(SIZE)).await;
    fails(&place, place.download().resumable(false), 8 * MIB).await;
    assert_eq!(names(place.folder.path()), [""; 0]);
}

#[tokio::test]
async fn of_an_object_that_was_replaced_it_begins_anew_or_fails() {
    let place = Place::new().await;
    place.object(&bytes(SIZE)).await;
    fails(&place, place.download(), 8 * MIB).await;
    let mut content = bytes(SIZE);
    content[0] ^= 1;
    place.object(&content).await;
    let error = place.download().on_change(OnChange::Fail).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(error.to_string().contains("replaced since the download of it was interrupted"), "{error}");
    assert!(error.to_string().contains("what has arrived was kept"), "{error}");
    assert_eq!(ends(&place, place.download(), &content).await.resumed_bytes, 0);
}

/// The journal is of the object that is read last.
#[tokio::test]
async fn an_object_that_is_replaced_meanwhile_is_another_download() {
    let place = Place::new().await;
    place.object(&bytes(SIZE)).await;
    let mut content = bytes(SIZE);
    content.reverse();
    for fault in [
        Fault::close_response_after(8 * MIB as u64).nth(1),
        Fault::replace_object(content.clone()).nth(2),
        Fault::close_response_after(5 * MIB as u64).nth(3),
        Fault::respond(403, "AccessDenied").nth(4),
    ] {
        place.store.inject(fault.on(Operation::GetObject)).unwrap();
    }
    says_kept(&place.download().await.unwrap_err());
    place.store.clear_faults();
    let done = ends(&place, place.download(), &content).await;
    assert!((4 * MIB..5 * MIB + 1).contains(&(done.resumed_bytes as usize)), "{}", done.resumed_bytes);
}

#[tokio::test]
async fn what_is_left_of_another_object_is_not_taken() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    place.object(&content).await;
    let mut other = content.clone();
    other.reverse();
    place.s3.put_object(BUCKET, "b", other).await.unwrap();
    let other = place.s3.download(BUCKET, "b", place.path("target")).resumable(true).concurrency(1);
    fails(&place, other, 8 * MIB).await;
    assert_eq!(ends(&place, place.download().on_change(OnChange::Fail), &content).await.resumed_bytes, 0);
}

#[tokio::test]
async fn without_the_unfinished_file_it_begins_anew() {
    for length in [None, Some(5 * MIB)] {
        let place = Place::new().await;
        let content = bytes(SIZE);
        place.object(&content).await;
        fails(&place, place.download(), 8 * MIB).await;
        let part = place.path("target.wharf-part");
        match length {
            None => fs::remove_file(part).unwrap(),
            Some(length) => fs::File::options().write(true).open(part).unwrap().set_len(length as u64).unwrap(),
        }
        let resumed = ends(&place, place.download(), &content).await.resumed_bytes;
        assert!(resumed <= length.unwrap_or(0) as u64, "{resumed}");
    }
}

/// Else a later run would take its bytes for those of the journal.
#[tokio::test]
async fn a_download_that_is_not_resumable_takes_the_journal_away() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    place.object(&content).await;
    fails(&place, place.download(), 8 * MIB).await;
    place.store.inject(Fault::delay_body(MIB as u64, Duration::from_secs(600)).on(Operation::GetObject)).unwrap();
    let transfer = place.download().resumable(false).start().unwrap();
    let mut updates = transfer.updates();
    while transfer.progress().bytes == 0 {
        updates.next().await.unwrap();
    }
    assert_eq!(names(place.folder.path()), ["target.wharf-part"]);
    transfer.cancel().await.unwrap();
    place.store.clear_faults();
    assert_eq!(ends(&place, place.download(), &content).await.resumed_bytes, 0);
}

#[tokio::test]
async fn what_was_spoilt_meanwhile_is_found_out_and_fetched_again() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    place.object(&content).await;
    fails(&place, place.download(), 8 * MIB).await;
    let part = place.path("target.wharf-part");
    let mut spoilt = fs::read(&part).unwrap();
    spoilt[5 * MIB] ^= 1;
    fs::write(&part, spoilt).unwrap();
    let done = ends(&place, place.download(), &content).await;
    assert!((6 * MIB as u64..7 * MIB as u64 + 1).contains(&done.resumed_bytes), "{}", done.resumed_bytes);
}

#[tokio::test]
async fn one_at_a_time() {
    let place = Place::new().await;
    place.object(&bytes(SIZE)).await;
    place.store.inject(Fault::delay_body(MIB as u64, Duration::from_secs(600)).on(Operation::GetObject)).unwrap();
    let first = place.download().start().unwrap();
    let mut updates = first.updates();
    while first.progress().bytes == 0 {
        updates.next().await.unwrap();
    }
    for second in [place.download(), place.download().resumable(false)] {
        let error = soon(second.into_future()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
    }
    first.cancel().await.unwrap();
    // Also before the first has an answer, when only its journal tells of it, to those that keep one.
    place.store.clear_faults();
    place.store.inject(Fault::delay(Duration::from_secs(600)).on(Operation::GetObject).key("a")).unwrap();
    place.s3.put_object(BUCKET, "b", "another").await.unwrap();
    let into_other = |key: &str| place.s3.download(BUCKET, key, place.path("other"));
    let first = into_other("a").resumable(true).start().unwrap();
    let journal = place.path("other.wharf-journal");
    let is_held = || fs::File::open(&journal).is_ok_and(|file| file.try_lock_shared().is_err());
    while !is_held() {
        tokio::task::yield_now().await;
    }
    let error = soon(into_other("b").resumable(true).into_future()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
    // One that keeps no journal finds nothing of the first to take away.
    soon(into_other("b").into_future()).await.unwrap();
    assert!(is_held());
    first.cancel().await.unwrap();
    assert_eq!(fs::read(place.path("other")).unwrap(), b"another");
}

#[tokio::test]
async fn a_small_object_is_one_request_and_leaves_nothing() {
    let place = Place::new().await;
    place.object(b"Hello!").await;
    let done = place.download().await.unwrap();
    assert_eq!((done.resumed_bytes, place.store.requests().len()), (0, 1));
    fails(&place, place.download(), 3).await;
    assert_eq!(names(place.folder.path()), ["target"]);
    let error = place.s3.download(BUCKET, "none", place.path("none")).resumable(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchKey);
    assert_eq!(names(place.folder.path()), ["target"]);
}

#[tokio::test]
async fn a_torn_journal_is_believed_as_far_as_it_goes() {
    let place = Place::new().await;
    let content = bytes(3 * MIB);
    place.object(&content).await;
    fails(&place, place.download(), 2 * MIB).await;
    let kept = ["target.wharf-journal", "target.wharf-part"].map(|name| fs::read(place.path(name)).unwrap());
    let mut resumed = Vec::new();
    for length in (0..=kept[0].len()).step_by(11).chain([kept[0].len()]) {
        fs::write(place.path("target.wharf-journal"), &kept[0][..length]).unwrap();
        fs::write(place.path("target.wharf-part"), &kept[1]).unwrap();
        resumed.push(ends(&place, place.download(), &content).await.resumed_bytes);
        fs::remove_file(place.path("target")).unwrap();
    }
    assert!(resumed.is_sorted(), "{resumed:?}");
    assert!(resumed[0] == 0 && *resumed.last().unwrap() > MIB as u64, "{resumed:?}");
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_left_alone() {
    let place = Place::new().await;
    place.object(&bytes(SIZE)).await;
    fs::write(place.path("target.wharf-journal"), "Dear diary,\n").unwrap();
    let error = place.download().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("it is no journal of wharf's"), "{error}");
    assert_eq!(fs::read(place.path("target.wharf-journal")).unwrap(), b"Dear diary,\n");
}

#[tokio::test]
async fn conditions_hold_when_it_goes_on() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    place.object(&content).await;
    fails(&place, place.download(), 8 * MIB).await;
    // Nothing is thrown away for what another call asks, and nothing is left over in silence.
    let says = |error: &wharf::Error| {
        assert!(error.to_string().contains("what has arrived was kept"), "{error}");
        let hint = error.hint().unwrap();
        assert!(hint.contains("target.wharf-journal") && !hint.contains("the same call goes on"), "{hint}");
    };
    let error = place.download().if_match(ETag::from("\"other\"")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    says(&error);
    let error = place.download().if_modified_since(SystemTime::now()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotModified);
    says(&error);
    let gone = Fault::respond(404, "NoSuchKey").on(Operation::HeadObject).on(Operation::GetObject);
    let gone = place.store.inject(gone).unwrap();
    says(&place.download().await.unwrap_err());
    gone.remove();
    assert!(ends(&place, place.download(), &content).await.resumed_bytes > 0);
}
