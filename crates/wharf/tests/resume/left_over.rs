//! What is left over is listed and removed.

use std::fs;
use std::future::IntoFuture;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Builder;
use tokio::task::yield_now;
use wharf::transfer::{Interrupted, InterruptedKind};
use wharf::{Body, Client, ErrorKind};
use wharf_embedded::{Fault, Operation};

use crate::common::{BUCKET, MIB, PART, Place, bytes, names, soon};

const SIZE: usize = 2 * PART + 7;

async fn interrupted(place: &Place) {
    let path = place.file(&bytes(SIZE));
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart).nth(2)).unwrap();
    place.upload(&path).await.unwrap_err();
    place.object(&bytes(SIZE)).await;
    place.store.inject(Fault::close_response_after(5 * MIB as u64).on(Operation::GetObject).nth(1)).unwrap();
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::GetObject).nth(2)).unwrap();
    place.download().await.unwrap_err();
    place.store.clear_faults();
}

#[tokio::test]
async fn interrupted_transfers_are_listed_and_removed() {
    let place = Place::new().await;
    interrupted(&place).await;
    let [upload] = Interrupted::list(place.journals()).unwrap().try_into().unwrap();
    let [download] = Interrupted::list(place.folder.path()).unwrap().try_into().unwrap();
    assert_eq!((upload.kind, download.kind), (InterruptedKind::Upload, InterruptedKind::Download));
    for (kept, file) in [(&upload, "source"), (&download, "target")] {
        assert_eq!((kept.bucket.as_str(), kept.key.as_str()), (BUCKET, "a"));
        assert_eq!((&kept.path, kept.size, kept.is_running), (&place.path(file), SIZE as u64, false));
    }
    assert_eq!(upload.upload_id, Some(place.uploads().await.remove(0)));
    assert!((PART..=PART + 7).contains(&(upload.bytes as usize)), "{}", upload.bytes);
    assert!(download.bytes > 4 * MIB as u64 && download.upload_id.is_none());

    let elsewhere = Client::builder().environment(|_| None).endpoint("http://127.0.0.1:1").credentials("k", "s");
    let error = upload.clone().remove(&elsewhere.build().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(upload.journal.exists());

    upload.remove(&place.s3).await.unwrap();
    download.remove(&place.s3).await.unwrap();
    assert_eq!(place.uploads().await, [""; 0]);
    assert_eq!(names(place.folder.path()), ["journals", "source"]);
    assert_eq!(names(&place.journals()), [""; 0]);
}

#[tokio::test]
async fn what_the_server_has_forgotten_is_removed_too() {
    let place = Place::new().await;
    interrupted(&place).await;
    place.s3.abort_multipart_upload(BUCKET, "a", place.uploads().await.remove(0)).await.unwrap();
    Interrupted::list(place.journals()).unwrap().remove(0).remove(&place.s3).await.unwrap();
    assert_eq!(names(&place.journals()), [""; 0]);
}

#[tokio::test]
async fn what_was_begun_anew_since_is_kept() {
    let place = Place::new().await;
    interrupted(&place).await;
    let listed = || {
        let folders = [place.journals(), place.folder.path().to_owned()];
        folders.map(|folder| Interrupted::list(folder).unwrap().remove(0))
    };
    let before = listed();
    for first in before.clone() {
        first.remove(&place.s3).await.unwrap();
    }
    interrupted(&place).await;
    for first in before.clone() {
        let error = first.remove(&place.s3).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
    }
    let now = listed();
    assert_eq!(place.uploads().await, [now[0].upload_id.clone().unwrap()]);
    for second in now {
        second.remove(&place.s3).await.unwrap();
    }
    assert_eq!(names(place.folder.path()), ["journals", "source"]);
}

#[tokio::test]
async fn an_upload_is_aborted_that_no_journal_tells_of_any_more() {
    let place = Place::new().await;
    interrupted(&place).await;
    let [upload] = Interrupted::list(place.journals()).unwrap().try_into().unwrap();
    fs::remove_file(&upload.journal).unwrap();
    upload.remove(&place.s3).await.unwrap();
    assert_eq!(place.uploads().await, [""; 0]);
    assert_eq!(names(&place.journals()), [""; 0]);
}

#[tokio::test]
async fn a_journal_that_cannot_be_read_hides_no_other() {
    let place = Place::new().await;
    interrupted(&place).await;
    let later = place.journals().join("later.wharf-journal");
    fs::write(&later, "wharf-journal 999\n").unwrap();
    let listed = Interrupted::list(place.journals()).unwrap();
    let kinds: Vec<_> = listed.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, [InterruptedKind::Unknown, InterruptedKind::Upload]);
    assert!(listed[0].problem.as_ref().unwrap().contains("later.wharf-journal cannot be used"), "{listed:?}");
    // What it tells of may be needed by whoever can read it.
    let error = listed[0].clone().remove(&place.s3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(later.exists());
}

/// Also one that keeps no journal has the file for itself.
#[tokio::test]
async fn a_file_that_is_being_written_is_not_removed() {
    let place = Place::new().await;
    interrupted(&place).await;
    let [download] = Interrupted::list(place.folder.path()).unwrap().try_into().unwrap();
    let part = place.path("target.wharf-part");
    let writing = fs::File::open(&part).unwrap();
    writing.lock().unwrap();
    let error = download.clone().remove(&place.s3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
    assert!(part.exists() && download.journal.exists());
    drop(writing);
    download.remove(&place.s3).await.unwrap();
    assert!(!part.exists());
}

/// As a process leaves it that was killed.
#[tokio::test]
async fn an_unfinished_file_without_a_journal_is_listed_and_removed() {
    let place = Place::new().await;
    let part = place.path("a.b.wharf-part");
    fs::write(&part, "begun").unwrap();
    fs::create_dir(place.path("folder.wharf-part")).unwrap();
    let listed = || Interrupted::list(place.folder.path()).unwrap();
    let writing = fs::File::open(&part).unwrap();
    writing.lock().unwrap();
    let [running] = listed().try_into().unwrap();
    assert_eq!((running.kind, running.bytes, running.is_running), (InterruptedKind::Part, 5, true));
    assert_eq!((&running.path, &running.journal), (&place.path("a.b"), &part));
    assert_eq!(running.remove(&place.s3).await.unwrap_err().kind(), ErrorKind::InUse);
    assert!(part.exists() && !place.path("a.b.wharf-journal").exists());
    drop(writing);
    // A resumable one makes its journal before it knows what is worth recording.
    fs::write(place.path("a.b.wharf-journal"), "").unwrap();
    let [left] = listed().try_into().unwrap();
    assert!(!left.is_running);
    left.remove(&place.s3).await.unwrap();
    assert!(!part.exists() && listed().is_empty());
    assert_eq!(names(place.folder.path()), ["folder.wharf-part"]);
}

#[tokio::test]
async fn what_a_download_has_recorded_since_is_kept() {
    let place = Place::new().await;
    fs::write(place.path("target.wharf-part"), "begun").unwrap();
    let [left] = Interrupted::list(place.folder.path()).unwrap().try_into().unwrap();
    interrupted(&place).await;
    let error = left.remove(&place.s3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse, "{error}");
    assert!(place.path("target.wharf-part").exists());
    let [download] = Interrupted::list(place.folder.path()).unwrap().try_into().unwrap();
    assert_eq!(download.kind, InterruptedKind::Download);
}

#[tokio::test]
async fn what_is_running_is_told_and_not_removed() {
    let place = Place::new().await;
    let path = place.file(&bytes(SIZE));
    place.store.inject(Fault::delay(Duration::from_secs(600)).on(Operation::UploadPart)).unwrap();
    let transfer = place.upload(&path).start().unwrap();
    let mut updates = transfer.updates();
    while place.count(Operation::UploadPart) == 0 {
        futures_util::StreamExt::next(&mut updates).await.unwrap();
    }
    let [running] = Interrupted::list(place.journals()).unwrap().try_into().unwrap();
    assert!(running.is_running);
    let error = running.remove(&place.s3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse);
    transfer.cancel().await.unwrap();
    let [kept] = Interrupted::list(place.journals()).unwrap().try_into().unwrap();
    assert!(!kept.is_running);
}

#[tokio::test]
async fn the_users_state_folder_is_where_they_are_by_default() {
    let place = Place::new().await;
    let states = place.path("states");
    let named = states.display().to_string();
    let builder = Client::builder().transport(place.store.clone());
    let s3 = builder.environment(move |name| (name == "XDG_STATE_HOME").then(|| named.clone())).build().unwrap();
    assert!(s3.interrupted_transfers().unwrap().is_empty());
    let path = place.file(&bytes(SIZE));
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart).nth(2)).unwrap();
    let upload = s3.upload(BUCKET, "a", path.as_path()).part_size(PART as u64).multipart_threshold(0).concurrency(1);
    upload.resumable(true).await.unwrap_err();
    assert_eq!(names(&states.join("wharf").join("uploads")).len(), 1);
    assert_eq!(s3.interrupted_transfers().unwrap().len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(states.join("wharf")).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[tokio::test]
async fn uploads_that_nobody_ended_are_listed_and_aborted() {
    let place = Place::new().await;
    for number in 0..70 {
        place.s3.create_multipart_upload(BUCKET, format!("logs/{number}")).await.unwrap();
    }
    place.s3.create_multipart_upload(BUCKET, "other").await.unwrap();
    let all = || place.s3.incomplete_uploads(BUCKET);
    assert_eq!(all().await.unwrap().len(), 0);
    assert_eq!(all().abort_all().await.unwrap().aborted, 0);
    assert_eq!(all().older_than(Duration::ZERO).await.unwrap().len(), 71);
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::AbortMultipartUpload).key("logs/7")).unwrap();
    let done = all().older_than(Duration::ZERO).prefix("logs/").abort_all().await.unwrap();
    assert_eq!((done.aborted, done.failed.len()), (69, 1));
    let (upload, error) = &done.failed[0];
    assert_eq!((upload.key.as_str(), error.kind()), ("logs/7", ErrorKind::AccessDenied));
    assert_eq!(place.uploads().await.len(), 2);
}

#[tokio::test]
async fn what_could_not_be_aborted_is_told_where_the_listing_ends_early() {
    let place = Place::new().await;
    for number in 0..1001 {
        place.s3.create_multipart_upload(BUCKET, format!("{number:04}")).await.unwrap();
    }
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::AbortMultipartUpload).key("0007")).unwrap();
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::ListMultipartUploads).nth(2)).unwrap();
    let error = place.s3.incomplete_uploads(BUCKET).older_than(Duration::ZERO).abort_all().await.unwrap_err();
    let told = "1 uploads that were found before could not be aborted; the first was ";
    assert!(error.kind() == ErrorKind::AccessDenied && error.to_string().contains(told), "{error}");
    assert!(error.to_string().contains(" of 0007: "), "{error}");
    assert_eq!(place.uploads().await.len(), 2);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_whose_name_is_no_text_is_removed_with_its_journal() {
    use std::os::unix::ffi::OsStrExt;

    let place = Place::new().await;
    place.object(&bytes(SIZE)).await;
    place.store.inject(Fault::close_response_after(5 * MIB as u64).on(Operation::GetObject).nth(1)).unwrap();
    place.store.inject(Fault::respond(403, "AccessDenied").on(Operation::GetObject).nth(2)).unwrap();
    let target = place.folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.bin"));
    place.s3.download(BUCKET, "a", target).resumable(true).concurrency(1).await.unwrap_err();
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 2);
    let [download] = Interrupted::list(place.folder.path()).unwrap().try_into().unwrap();
    download.remove(&place.s3).await.unwrap();
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);
}

/// What no runtime is left to abort is written down, also where it was not to be resumed.
#[test]
fn an_upload_that_outlives_its_runtime_is_listed() {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let place = first.block_on(Place::new());
    let stalls = Fault::delay(Duration::from_secs(600)).on(Operation::UploadPart);
    place.store.inject(stalls).unwrap();
    let upload = place.upload(&place.file(&bytes(SIZE))).resumable(false).request_payer();
    let mut upload = upload.into_future();
    first.block_on(async {
        while place.count(Operation::UploadPart) == 0 {
            assert!((&mut upload).now_or_never().is_none());
            yield_now().await;
        }
    });
    assert!(!place.journals().exists());
    drop(first);
    drop(upload);
    runtime().block_on(async {
        let [left] = Interrupted::list(place.journals()).unwrap().try_into().unwrap();
        assert_eq!((left.kind, left.bucket.as_str(), left.key.as_str()), (InterruptedKind::Upload, BUCKET, "a"));
        assert_eq!((left.path.as_os_str().len(), left.is_running, left.request_payer), (0, false, true));
        assert_eq!(left.upload_id, Some(place.uploads().await.remove(0)));
        left.remove(&place.s3).await.unwrap();
        assert_eq!(place.uploads().await, [""; 0]);
        assert_eq!(names(&place.journals()), [""; 0]);
    });
}

/// It was being begun when it was dropped, and its abort takes too long.
#[tokio::test]
async fn an_upload_that_is_not_aborted_in_time_is_listed() {
    let place = Place::new().await;
    let begins = Fault::delay(Duration::from_millis(100)).on(Operation::CreateMultipartUpload);
    place.store.inject(begins).unwrap();
    place.store.inject(Fault::delay(Duration::from_secs(600)).on(Operation::AbortMultipartUpload)).unwrap();
    let mut upload = place.upload(&place.file(&bytes(SIZE))).resumable(false).into_future();
    while place.count(Operation::CreateMultipartUpload) == 0 {
        assert!((&mut upload).now_or_never().is_none());
        yield_now().await;
    }
    drop(upload);
    soon(async {
        while place.count(Operation::AbortMultipartUpload) == 0 {
            yield_now().await;
        }
        tokio::time::pause();
        // Until it is written.
        while Interrupted::list(place.journals()).unwrap().first().is_none_or(|left| left.is_running) {
            tokio::time::advance(Duration::from_millis(10)).await;
        }
    })
    .await;
    let [left] = Interrupted::list(place.journals()).unwrap().try_into().unwrap();
    assert!(left.upload_id.is_some());
    // It was aborted all the same, which nobody was told.
    place.store.clear_faults();
    left.remove(&place.s3).await.unwrap();
    assert_eq!(names(&place.journals()), [""; 0]);
}

/// A part that was on its way when the upload was aborted may be stored after that, and keeps the upload alive.
#[tokio::test]
async fn what_is_removed_is_aborted_until_no_part_is_left() {
    let place = Place::new().await;
    interrupted(&place).await;
    place.store.inject(Fault::respond(204, "").on(Operation::AbortMultipartUpload).times(2)).unwrap();
    Interrupted::list(place.journals()).unwrap().remove(0).remove(&place.s3).await.unwrap();
    assert_eq!(place.uploads().await, [""; 0]);
}

#[tokio::test]
async fn more_than_the_file_has_is_not_kept() {
    let place = Place::new().await;
    let range = Body::file_range(place.file(&bytes(SIZE)), 1, SIZE as u64);
    let upload = place.s3.upload(BUCKET, "a", range).part_size(PART as u64).multipart_threshold(0);
    let error = upload.resumable(true).journal_dir(place.journals()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert_eq!((place.uploads().await.len(), names(&place.journals()).len()), (0, 0));
}
