//! Uploads that are given up, by failure or by being dropped, and made again.

use std::fs;
use std::future::IntoFuture;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use wharf::transfer::{Upload, Uploaded};
use wharf::{ChecksumAlgorithm, CustomerKey, Encryption, Error, ErrorKind};
use wharf_embedded::{Fault, Operation};

use crate::common::{BUCKET, PART, Place, bytes, names, says_kept, soon};

/// Four parts.
const SIZE: usize = 3 * PART + 7;

/// A part is refused for good.
async fn fails(place: &Place, upload: Upload, part: u64) -> Error {
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart).nth(part)).unwrap();
    let error = upload.await.unwrap_err();
    place.store.clear_faults();
    place.store.clear_requests();
    error
}

/// Two parts were not sent again. The last one, of a few bytes, may have been stored before the end of the first run was known.
fn two_parts(uploaded: &Uploaded) {
    let resumed = uploaded.resumed_bytes as usize;
    assert!((2 * PART..=2 * PART + 7).contains(&resumed), "{resumed}");
}

/// The object is right, and nothing is left over.
async fn ends(place: &Place, upload: Upload, content: &[u8]) -> Uploaded {
    let uploaded = upload.await.unwrap();
    assert!(uploaded.verification.is_verified(), "{}", uploaded.verification);
    assert!(place.stored().await == content);
    assert_eq!(place.uploads().await, [""; 0]);
    assert_eq!(names(&place.journals()), [""; 0]);
    uploaded
}

#[tokio::test]
async fn an_upload_that_failed_goes_on() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    let error = fails(&place, place.upload(&path), 3).await;
    says_kept(&error);
    assert!(error.hint().unwrap().contains("Interrupted::list of its journal_dir"), "{error:?}");
    assert_eq!(place.uploads().await.len(), 1);
    place.store.clear_requests();
    let transfer = place.upload(&path).start().unwrap();
    let uploaded = transfer.await.unwrap();
    two_parts(&uploaded);
    assert_eq!((uploaded.parts, uploaded.left_over.len()), (4, 0));
    let mut asked: Vec<_> = place.store.requests().iter().map(|request| request.operation).collect();
    asked.dedup();
    assert_eq!(asked, ["ListParts", "UploadPart", "CompleteMultipartUpload"]);
    assert!(place.count(Operation::UploadPart) <= 2);
    assert!(place.stored().await == content);
    assert_eq!(names(&place.journals()), [""; 0]);
    // Nothing goes on with what has ended.
    assert_eq!(ends(&place, place.upload(&path), &content).await.resumed_bytes, 0);
}

/// Between two runs, and its time was put back: what an earlier run has sent is not the file's any more.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_rewritten_unseen_is_not_gone_on_with() {
    use std::os::unix::fs::FileExt;
    let place = Place::new().await;
    let mut content = bytes(SIZE);
    let path = place.file(&content);
    fails(&place, place.upload(&path), 3).await;
    let file = fs::File::options().write(true).open(&path).unwrap();
    let time = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(b"other", 100).unwrap();
    file.set_modified(time).unwrap();
    let error = place.upload(&path).await.unwrap_err();
    assert!(error.to_string().contains("it was written to or replaced; the upload was aborted"), "{error}");
    content[100..105].copy_from_slice(b"other");
    assert_eq!(ends(&place, place.upload(&path), &content).await.resumed_bytes, 0);
}

/// Where nothing was noted that the file could be compared with.
#[cfg(unix)]
#[tokio::test]
async fn without_checksums_a_file_that_was_touched_is_begun_anew() {
    use std::os::unix::fs::FileExt;
    let place = Place::new().await;
    let mut content = bytes(SIZE);
    let path = place.file(&content);
    fails(&place, place.upload(&path).no_checksum(), 3).await;
    let file = fs::File::options().write(true).open(&path).unwrap();
    let time = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(b"other", 100).unwrap();
    file.set_modified(time).unwrap();
    content[100..105].copy_from_slice(b"other");
    let uploaded = place.upload(&path).no_checksum().await.unwrap();
    assert_eq!((uploaded.resumed_bytes, place.uploads().await.len()), (0, 0));
    assert!(place.stored().await == content);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_is_the_same_by_another_way_to_it() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    fails(&place, place.upload(&path), 3).await;
    std::fs::create_dir(place.path("sub")).unwrap();
    std::os::unix::fs::symlink("..", place.path("sub/link")).unwrap();
    let uploaded = place.upload(&place.path("sub/link/sub/../source")).await.unwrap();
    two_parts(&uploaded);
    assert!(place.uploads().await.is_empty() && place.stored().await == content);
    assert_eq!(names(&place.journals()), [""; 0]);
}

#[tokio::test]
async fn an_upload_that_was_cancelled_goes_on() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    place.store.inject(Fault::delay(Duration::from_secs(600)).on(Operation::UploadPart).nth(3)).unwrap();
    let transfer = place.upload(&path).start().unwrap();
    let mut updates = transfer.updates();
    while transfer.progress().parts < 2 {
        updates.next().await.unwrap();
    }
    transfer.cancel().await.unwrap();
    assert_eq!(place.uploads().await.len(), 1);
    place.store.clear_faults();
    two_parts(&ends(&place, place.upload(&path), &content).await);
}

#[tokio::test]
async fn without_the_option_nothing_is_written_or_kept() {
    let place = Place::new().await;
    let path = place.file(&bytes(SIZE));
    let error = fails(&place, place.upload(&path).resumable(false), 3).await;
    assert!(error.to_string().contains("the upload was aborted"), "{error}");
    assert_eq!(place.uploads().await, [""; 0]);
    assert_eq!(names(place.folder.path()), ["source"]);
}

#[tokio::test]
async fn a_small_file_needs_no_journal() {
    let place = Place::new().await;
    let path = place.file(b"Hello!");
    place.upload(&path).await.unwrap();
    assert_eq!(names(place.folder.path()), ["source"]);
}

#[tokio::test]
async fn of_another_file_or_with_other_options_it_begins_anew() {
    type Change = fn(&Path) -> fn(Upload) -> Upload;
    let changes: [(&str, Change); 6] = [
        ("written to", |path| {
            let file = fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(7)).unwrap();
            |upload| upload
        }),
        ("longer", |path| {
            let modified = fs::metadata(path).unwrap().modified().unwrap();
            let mut content = bytes(SIZE);
            content.push(1);
            fs::write(path, content).unwrap();
            fs::OpenOptions::new().write(true).open(path).unwrap().set_modified(modified).unwrap();
            |upload| upload
        }),
        ("replaced", |path| {
            let modified = fs::metadata(path).unwrap().modified().unwrap();
            let other = path.with_extension("other");
            fs::write(&other, bytes(SIZE)).unwrap();
            fs::OpenOptions::new().write(true).open(&other).unwrap().set_modified(modified).unwrap();
            fs::rename(other, path).unwrap();
            |upload| upload
        }),
        ("another type", |_| |upload| upload.content_type("text/html")),
        ("another checksum", |_| |upload| upload.checksum(ChecksumAlgorithm::Sha256)),
        ("other parts", |_| |upload| upload.part_size(PART as u64 + 1)),
    ];
    for (what, change) in changes {
        let place = Place::new().await;
        let path = place.file(&bytes(SIZE));
        fails(&place, place.upload(&path), 3).await;
        let before = place.uploads().await;
        let with = change(&path);
        let content = fs::read(&path).unwrap();
        let uploaded = ends(&place, with(place.upload(&path)), &content).await;
        assert_eq!(uploaded.resumed_bytes, 0, "{what}");
        let aborted = place.store.requests().of(Operation::AbortMultipartUpload);
        assert!(aborted.iter().any(|request| request.query.contains(&before[0])), "{what}");
    }
}

#[tokio::test]
async fn another_key_is_another_upload() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    fails(&place, place.upload(&path), 3).await;
    let other = place.s3.upload(BUCKET, "b", path.as_path()).resumable(true).journal_dir(place.journals());
    let other = other.part_size(PART as u64).multipart_threshold(0).await.unwrap();
    assert_eq!(other.resumed_bytes, 0);
    assert_eq!(place.uploads().await.len(), 1);
    two_parts(&ends(&place, place.upload(&path), &content).await);
}

#[tokio::test]
async fn an_upload_that_is_gone_begins_anew() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    fails(&place, place.upload(&path), 3).await;
    place.s3.abort_multipart_upload(BUCKET, "a", &place.uploads().await[0]).await.unwrap();
    assert_eq!(ends(&place, place.upload(&path), &content).await.resumed_bytes, 0);
}

#[tokio::test]
async fn a_part_that_is_another_on_the_server_is_sent_again() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    fails(&place, place.upload(&path), 3).await;
    let upload = place.uploads().await.remove(0);
    place.s3.upload_part(BUCKET, "a", upload, 2, vec![7; PART]).await.unwrap();
    let resumed = ends(&place, place.upload(&path), &content).await.resumed_bytes as usize;
    assert!((PART..=PART + 7).contains(&resumed), "{resumed}");
}

#[tokio::test]
async fn a_torn_journal_is_believed_as_far_as_it_goes() {
    for left in [0.0, 0.1, 0.5, 0.8, 0.95] {
        let place = Place::new().await;
        let content = bytes(SIZE);
        let path = place.file(&content);
        fails(&place, place.upload(&path), 3).await;
        let before = place.uploads().await;
        let journal = place.journal();
        let written = fs::read(&journal).unwrap();
        fs::write(&journal, &written[..(written.len() as f64 * left) as usize]).unwrap();
        let uploaded = place.upload(&path).await.unwrap();
        assert!(place.stored().await == content);
        assert!(uploaded.resumed_bytes <= 2 * PART as u64 + 7);
        // What nobody knows of any more is nobody's to abort.
        assert!(uploaded.resumed_bytes > 0 || place.uploads().await.iter().all(|id| before.contains(id)));
    }
}

/// A bucket may be missing for a moment: on a disk that is not mounted, or behind another name.
#[tokio::test]
async fn what_was_sent_outlives_a_bucket_that_is_gone_for_a_moment() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    place.store.inject(Fault::respond(404, "NoSuchBucket").on(Operation::UploadPart).nth(3)).unwrap();
    let error = place.upload(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
    says_kept(&error);
    place.store.clear_faults();
    assert!(place.upload(&path).await.unwrap().resumed_bytes >= PART as u64);
    assert!(place.stored().await == content);
}

#[tokio::test]
async fn one_at_a_time() {
    let place = Place::new().await;
    let path = place.file(&bytes(SIZE));
    place.store.inject(Fault::delay(Duration::from_secs(600)).on(Operation::UploadPart)).unwrap();
    let first = place.upload(&path).start().unwrap();
    let mut updates = first.updates();
    while place.count(Operation::CreateMultipartUpload) == 0 {
        updates.next().await.unwrap();
    }
    let error = soon(place.upload(&path).into_future()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
    assert_eq!(error.hint(), Some("let it end, or end it, and try again"));
    assert_eq!(place.uploads().await.len(), 1);
    first.cancel().await.unwrap();
}

#[tokio::test]
async fn what_cannot_succeed_is_not_kept() {
    let place = Place::new().await;
    place.object(b"there already").await;
    let path = place.file(&bytes(SIZE));
    let error = place.upload(&path).if_absent().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(error.to_string().contains("the upload was aborted"), "{error}");
    assert_eq!(place.uploads().await, [""; 0]);
    assert_eq!(names(&place.journals()), [""; 0]);
    // Nor is what was never begun.
    let other = ChecksumAlgorithm::Sha256.checksum(b"other bytes");
    let error = place.upload(&path).checksum_value(other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert_eq!(names(&place.journals()), [""; 0]);
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::CreateMultipartUpload)).unwrap();
    let error = place.upload(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(names(&place.journals()), [""; 0]);
}

#[tokio::test]
async fn a_lost_answer_to_its_beginning_is_told() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    let lost = place.store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload)).unwrap();
    let error = place.upload(&path).patience(Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("an answer to CreateMultipartUpload was lost"), "{error}");
    lost.remove();
    let orphans = place.uploads().await;
    assert_eq!(orphans.len(), 1);
    // Uploads to other keys are none of it.
    place.s3.create_multipart_upload(BUCKET, "ab").await.unwrap();
    let error = fails(&place, place.upload(&path).resumable(true), 2).await;
    assert!(error.to_string().contains(&orphans[0]), "{error}");
    let lost = place.store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload)).unwrap();
    place.upload(&path).content_type("text/html").patience(Duration::ZERO).await.unwrap_err();
    lost.remove();
    let uploaded = place.upload(&path).content_type("text/html").await.unwrap();
    assert!(place.stored().await == content);
    assert!(uploaded.left_over.contains(&orphans[0]) && uploaded.left_over.len() == 2, "{uploaded:?}");
    // None was aborted: who knows whose they are.
    assert_eq!(place.uploads().await.len(), 3);
}

#[tokio::test]
async fn what_one_run_never_heard_is_told_by_each_later_one() {
    for answers in [false, true] {
        let place = Place::new().await;
        let path = place.file(&bytes(SIZE));
        let lost = Fault::drop_answer().on(Operation::CreateMultipartUpload).times(1);
        place.store.inject(lost).unwrap();
        if answers {
            // The second request of the same run is answered.
            fails(&place, place.upload(&path), 2).await;
        } else {
            place.upload(&path).patience(Duration::ZERO).await.unwrap_err();
        }
        let orphan = place.uploads().await.swap_remove(0);
        let error = fails(&place, place.upload(&path), 3).await;
        assert!(error.to_string().contains(&orphan), "{answers}: {error}");
        let uploaded = place.upload(&path).await.unwrap();
        assert_eq!((uploaded.left_over, uploaded.resumed_bytes > 0), (vec![orphan], true), "{answers}");
    }
}

/// Also by one that is the last, for what it was to write cannot be written; and by one that goes out in one request.
#[tokio::test]
async fn what_one_run_never_heard_is_told_where_a_later_one_fails_for_good() {
    for in_parts in [true, false] {
        let place = Place::new().await;
        let path = place.file(&bytes(SIZE));
        place.store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload).times(1)).unwrap();
        place.upload(&path).patience(Duration::ZERO).await.unwrap_err();
        let orphan = place.uploads().await.swap_remove(0);
        place.object(b"theirs").await;
        let last = place.upload(&path).if_absent();
        let last = if in_parts { last } else { last.multipart_threshold(1 << 30) };
        let error = last.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
        assert!(error.to_string().contains(&orphan), "{in_parts}: {error}");
        assert_eq!((place.uploads().await, names(&place.journals()).len()), (vec![orphan], 0), "{in_parts}");
    }
}

#[tokio::test]
async fn what_one_run_never_heard_is_told_where_nobody_may_look() {
    let place = Place::new().await;
    let path = place.file(&bytes(SIZE));
    place.store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload).times(1)).unwrap();
    place.upload(&path).patience(Duration::ZERO).await.unwrap_err();
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::ListMultipartUploads)).unwrap();
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::PutObject)).unwrap();
    let error = place.upload(&path).multipart_threshold(1 << 30).await.unwrap_err();
    assert!(error.to_string().contains("which they are could not be found out"), "{error}");
}

#[tokio::test]
async fn a_range_that_no_file_has_is_refused() {
    let place = Place::new().await;
    let path = place.file(b"a");
    let range = wharf::Body::file_range(&path, u64::MAX - 1, 20 << 20);
    let error = place.s3.upload(BUCKET, "a", range).resumable(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
}

#[tokio::test]
async fn a_sync_tells_what_an_earlier_one_never_heard() {
    let place = Place::new().await;
    let path = place.file(&bytes(SIZE));
    let journals = place.journals();
    let sync = || {
        let journals = journals.clone();
        let sync = place.s3.sync(path.parent().unwrap(), (BUCKET, "p")).resumable(true).patience(Duration::ZERO);
        sync.filter(|name| name == "source")
            .uploads(move |upload| upload.journal_dir(&journals).part_size(PART as u64).multipart_threshold(0))
    };
    place.store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload).times(1)).unwrap();
    assert_eq!(sync().await.unwrap().failed, 1);
    let orphans = place.uploads().await;
    let mut events = sync().events();
    let item = events.next().await.unwrap().unwrap();
    assert_eq!((item.left_over, item.error.is_none()), (orphans, true));
}

#[tokio::test]
async fn a_process_that_ends_before_the_answer_leaves_word() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    // What is on the disk while the request is on its way is what a process leaves that is killed then.
    let (tell, mut told) = mpsc::unbounded_channel();
    let journals = place.journals();
    let hooked = crate::common::hooked(&place.store, move |what| {
        if what.ends_with("?uploads") || what.ends_with("?uploads=") {
            let [journal] = names(&journals).try_into().unwrap();
            tell.send((journals.join(&journal), fs::read(journals.join(journal)).unwrap())).unwrap();
        }
    });
    let upload = |s3: &wharf::Client| {
        let upload = s3.upload(BUCKET, "a", path.as_path()).resumable(true).journal_dir(place.journals());
        upload.part_size(PART as u64).multipart_threshold(0)
    };
    let error = fails(&place, upload(&hooked), 1).await;
    says_kept(&error);
    let (journal, then) = told.recv().await.unwrap();
    fs::write(journal, then).unwrap();
    let orphans = place.uploads().await;
    let uploaded = upload(&place.s3).await.unwrap();
    assert_eq!(uploaded.left_over, orphans);
    assert!(place.stored().await == content);
}

#[tokio::test]
async fn what_has_no_path_cannot_be_resumed() {
    let place = Place::new().await;
    let error = place.s3.upload(BUCKET, "a", bytes(SIZE)).resumable(true).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("only an upload from a path can be resumed"), "{error}");
    let path = place.file(&bytes(SIZE));
    let upload = place.s3.upload(BUCKET, "a", path).part_size(PART as u64).multipart_threshold(0);
    let error = upload.resumable(true).await.unwrap_err();
    assert!(error.to_string().contains("there is no folder to keep a journal in"), "{error}");
    assert_eq!(place.store.requests().len(), 0);
}

#[tokio::test]
async fn no_key_is_written_down_and_the_object_is_encrypted_by_it() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    let secret = *b"a key of thirty-two bytes, hush!";
    let upload = || place.upload(&path).encryption(Encryption::Customer(CustomerKey::new(secret)));
    says_kept(&fails(&place, upload(), 3).await);
    let journal = String::from_utf8(fs::read(place.journal()).unwrap()).unwrap();
    let md5 = wharf::proto::checksum::md5_base64(&secret);
    for hidden in ["hush", "YSBrZXkgb2YgdGhpcnR5LXR3byBieXRlcywgaHVzaCE=", &md5] {
        assert!(!journal.contains(hidden), "{journal}");
    }
    two_parts(&upload().await.unwrap());
    let read = place.s3.get_object(BUCKET, "a").customer_key(CustomerKey::new(secret)).bytes().await.unwrap();
    assert!(read == content);
}

#[tokio::test]
async fn the_write_id_is_the_one_of_the_first_run() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    fails(&place, place.upload(&path).write_id(true), 3).await;
    // Only by its id it is known whose object stands there.
    place.store.inject(Fault::drop_answer().on(Operation::CompleteMultipartUpload).times(1)).unwrap();
    let gone = Fault::respond(404, "NoSuchUpload").on(Operation::CompleteMultipartUpload).nth(2);
    place.store.inject(gone).unwrap();
    let uploaded = ends(&place, place.upload(&path).write_id(true), &content).await;
    two_parts(&uploaded);
}

#[tokio::test]
async fn a_composite_checksum_and_a_range_of_a_file_go_on() {
    let place = Place::new().await;
    let content = bytes(SIZE);
    let path = place.file(&content);
    let upload = || {
        let body = wharf::Body::file_range(&path, 3, SIZE as u64 - 5);
        let upload = place.s3.upload(BUCKET, "a", body).resumable(true).journal_dir(place.journals());
        upload.part_size(PART as u64).multipart_threshold(0).concurrency(1).checksum(ChecksumAlgorithm::Sha256)
    };
    fails(&place, upload(), 3).await;
    let uploaded = ends(&place, upload(), &content[3..SIZE - 2]).await;
    two_parts(&uploaded);
    assert!(uploaded.checksum.unwrap().is_composite());
}

#[tokio::test]
async fn an_answer_that_never_comes_is_no_reason_to_lose_anything() {
    let place = Place::new().await;
    let path = place.file(&bytes(SIZE));
    // Dropped while it begins: the answer comes all the same, and is written down.
    place.store.inject(Fault::delay(Duration::from_millis(50)).on(Operation::CreateMultipartUpload)).unwrap();
    let transfer = place.upload(&path).start().unwrap();
    let mut updates = transfer.updates();
    while place.count(Operation::CreateMultipartUpload) == 0 {
        updates.next().await.unwrap();
    }
    transfer.cancel().await.unwrap();
    let kept = wharf::transfer::Interrupted::list(place.journals()).unwrap();
    assert_eq!(kept[0].upload_id.as_deref(), Some(place.uploads().await[0].as_str()));
}

/// The first run ended when the object was there, and before it heard so.
#[tokio::test]
async fn what_an_earlier_run_has_completed_is_its_own() {
    let content = bytes(SIZE);
    for write_id in [true, false] {
        let place = Place::new().await;
        let path = place.file(&content);
        let upload = || place.upload(&path).if_absent().write_id(write_id);
        let complete = |fault: Fault| fault.on(Operation::CompleteMultipartUpload);
        place.store.inject(complete(Fault::drop_answer()).nth(1)).unwrap();
        place.store.inject(complete(Fault::delay(Duration::from_secs(600))).nth(2)).unwrap();
        let transfer = upload().start().unwrap();
        let mut updates = transfer.updates();
        while transfer.progress().retries == 0 {
            updates.next().await.unwrap();
        }
        transfer.cancel().await.unwrap();
        place.store.clear_faults();
        assert_eq!(names(&place.journals()).len(), 1);
        match upload().await {
            Ok(uploaded) => assert!(write_id && uploaded.verification.is_verified()),
            Err(error) => {
                assert!(!write_id, "{error}");
                assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::PreconditionFailed, true));
            }
        }
        assert!(place.stored().await == content);
        assert_eq!((place.uploads().await.len(), names(&place.journals()).len()), (0, 0));
    }
}

/// Also where it goes out in one request now.
#[tokio::test]
async fn what_was_begun_of_a_file_that_is_small_now_is_aborted() {
    type Change = fn(&Path, Upload) -> Upload;
    let changes: [(&str, Change); 4] = [
        ("shorter", |path, upload| {
            fs::write(path, bytes(PART)).unwrap();
            upload
        }),
        ("a few bytes", |path, upload| {
            fs::write(path, b"Hello!").unwrap();
            upload
        }),
        ("a higher threshold", |_, upload| upload.multipart_threshold(1 << 30)),
        ("larger parts", |_, upload| upload.part_size(1 << 30)),
    ];
    for (what, change) in changes {
        let place = Place::new().await;
        let path = place.file(&bytes(SIZE));
        fails(&place, place.upload(&path).write_id(true), 3).await;
        let upload = change(&path, place.upload(&path).write_id(true));
        let uploaded = ends(&place, upload, &fs::read(&path).unwrap()).await;
        assert_eq!((uploaded.parts, uploaded.resumed_bytes), (1, 0), "{what}");
    }
    // What may be left over without anybody knowing its id is told.
    let place = Place::new().await;
    let path = place.file(&bytes(SIZE));
    let lost = place.store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload)).unwrap();
    place.upload(&path).patience(Duration::ZERO).await.unwrap_err();
    lost.remove();
    fs::write(&path, b"Hello!").unwrap();
    let uploaded = place.upload(&path).await.unwrap();
    assert_eq!((uploaded.left_over, names(&place.journals()).len()), (place.uploads().await, 0));
}

/// Its parts are of no use to a later run, which would abort them.
#[tokio::test]
async fn an_upload_of_a_file_that_changes_is_not_kept() {
    let place = Place::new().await;
    let path = place.file(&bytes(SIZE));
    let changing = path.clone();
    let s3 = crate::common::hooked(&place.store, move |what| {
        if what.contains("partNumber=2") {
            fs::write(&changing, bytes(SIZE + 1)).unwrap();
        }
    });
    let upload = s3.upload(BUCKET, "a", path.as_path()).resumable(true).journal_dir(place.journals());
    let error = upload.part_size(PART as u64).multipart_threshold(0).concurrency(1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body);
    assert!(error.to_string().contains("the upload was aborted"), "{error}");
    assert_eq!((place.uploads().await.len(), names(&place.journals()).len()), (0, 0));
}
