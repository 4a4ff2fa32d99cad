//! Answers that are lost: whose object stands there.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::upload::{MIB, bytes, client, content, embedded, hooked, no_uploads, operations};
use wharf::transfer::Upload;
use wharf::{Client, Encryption, Error, ErrorKind, KmsKey, StorageClass};
use wharf_embedded::{Fault, Operation, Store};

const SMALL: usize = MIB;
const LARGE: usize = 17 * MIB;

/// The answer to the write is lost once. A completion asked for again is of an upload that is gone, as with most servers;
/// S3 and the store answer it as they did.
fn lose(store: &Store) {
    let lost = Fault::drop_answer().on(Operation::PutObject).on(Operation::CompleteMultipartUpload).times(1);
    store.inject(lost).unwrap();
    forget_upload(store, 2);
}

fn forget_upload(store: &Store, completion: u64) {
    store.inject(Fault::respond(404, "NoSuchUpload").on(Operation::CompleteMultipartUpload).nth(completion)).unwrap();
}

#[tokio::test]
async fn a_completion_is_answered_again() {
    let (s3, store) = embedded().await;
    store.inject(Fault::drop_answer().on(Operation::CompleteMultipartUpload).nth(1)).unwrap();
    let uploaded = s3.upload("my-bucket", "a", bytes(LARGE)).if_absent().await.unwrap();
    assert_eq!(uploaded.etag, s3.head_object("my-bucket", "a").await.unwrap().etag);
    assert_eq!(store.requests().count(Operation::CompleteMultipartUpload), 2);
    no_uploads(&s3).await;
}

#[tokio::test]
async fn a_write_id_proves_whose_object_it_is() {
    for size in [SMALL, LARGE] {
        let (s3, store) = embedded().await;
        lose(&store);
        let upload = s3.upload("my-bucket", "a", bytes(size)).if_absent().write_id(true).verify(true);
        let uploaded = upload.await.unwrap();
        let head = s3.head_object("my-bucket", "a").await.unwrap();
        assert_eq!((uploaded.etag, uploaded.size), (head.etag, size as u64));
        assert!(uploaded.verification.is_verified(), "{}", uploaded.verification);
        assert_eq!(head.metadata["wharf-write-id"].len(), 32);
        assert!(content(&s3, "a").await == bytes(size));
        no_uploads(&s3).await;
        assert!(operations(&store).contains(&"HeadObject"));
    }
}

/// Finding out is as patient as the write was.
#[tokio::test(start_paused = true)]
async fn a_write_id_is_looked_for_through_a_storm() {
    let (s3, store) = embedded().await;
    lose(&store);
    store.inject(Fault::respond(503, "SlowDown").on(Operation::HeadObject).times(8)).unwrap();
    let uploaded = s3.upload("my-bucket", "a", bytes(SMALL)).if_absent().write_id(true).await.unwrap();
    assert_eq!(uploaded.etag, s3.head_object("my-bucket", "a").await.unwrap().etag);
}

#[tokio::test]
async fn without_a_write_id_it_may_be_ours() {
    for size in [SMALL, LARGE] {
        let (s3, store) = embedded().await;
        lose(&store);
        let error = s3.upload("my-bucket", "a", bytes(size)).if_absent().await.unwrap_err();
        assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::PreconditionFailed, true), "{error}");
        let hint = "an answer was lost, and what stands there may be what this call wrote: Upload::write_id finds out";
        assert_eq!(error.hint(), Some(hint));
        // It may be the object by now.
        assert!(!error.to_string().contains("the upload was aborted"), "{error}");
        // Of an upload that is gone it is asked whether anything stands there. What it is proves nothing.
        assert_eq!(operations(&store).contains(&"HeadObject"), size == LARGE);
    }
}

/// A completion that failed, and whose upload somebody else has removed meanwhile, has stored nothing, and nothing stood in its way.
#[tokio::test]
async fn what_does_not_stand_there_is_in_nobodys_way() {
    for id in [false, true] {
        let (s3, store) = embedded().await;
        store.inject(Fault::respond(500, "InternalError").on(Operation::CompleteMultipartUpload).times(1)).unwrap();
        forget_upload(&store, 1);
        let error = s3.upload("my-bucket", "a", bytes(LARGE)).if_absent().write_id(id).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchUpload, "{error}");
    }
}

#[tokio::test]
async fn without_a_condition_a_small_one_is_written_again() {
    let (s3, store) = embedded().await;
    lose(&store);
    s3.upload("my-bucket", "a", bytes(SMALL)).await.unwrap();
    assert_eq!(operations(&store), ["PutObject", "PutObject"]);
    store.clear_faults();
    lose(&store);
    assert_eq!(s3.upload("my-bucket", "a", bytes(LARGE)).write_id(true).await.unwrap().parts, 3);
}

/// A large one cannot be, for its upload is gone. What was to stand there does: by its checksum, or by its parts' tags.
#[tokio::test]
async fn without_a_condition_a_large_one_that_stands_there_is_what_was_wanted() {
    for forget in [false, true] {
        let (s3, store) = embedded().await;
        if forget {
            store.inject(Fault::forget_checksums()).unwrap();
        }
        lose(&store);
        let upload = || {
            s3.upload("my-bucket", "a", bytes(LARGE))
                .content_type("video/mp4")
                .metadata("team", "blue")
                .storage_class(StorageClass::StandardIa)
                .cache_control("no-store")
        };
        let uploaded = upload().await.unwrap();
        let head = s3.head_object("my-bucket", "a").await.unwrap();
        assert_eq!((uploaded.etag, uploaded.size, uploaded.parts), (head.etag, LARGE as u64, 3));
        assert_eq!(uploaded.verification.is_verified(), !forget, "{}", uploaded.verification);
        assert!(content(&s3, "a").await == bytes(LARGE));
        no_uploads(&s3).await;
    }
}

/// What stands there instead of what was to be written: what was there before, or what another has written over it since.
async fn with_another_object(
    ours: fn(Upload) -> Upload,
    other: impl Fn(Client) -> Upload + Send + Sync + 'static,
) -> Error {
    let store = Store::in_memory();
    let plain = client(&store).await;
    let seen = Arc::new(AtomicBool::new(false));
    let other = Arc::new(other);
    let hook = move |what: String| {
        let (plain, seen, other) = (plain.clone(), seen.clone(), other.clone());
        async move {
            // Before the completion is asked for again.
            let completes = what.starts_with("POST ") && what.contains("uploadId=");
            if completes && seen.swap(true, Ordering::SeqCst) {
                other(plain).await.unwrap();
            }
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    store.inject(Fault::drop_answer().on(Operation::CompleteMultipartUpload).nth(1)).unwrap();
    // The second one is the other's.
    forget_upload(&store, 3);
    ours(s3.upload("my-bucket", "a", bytes(LARGE)).metadata("team", "blue")).await.unwrap_err()
}

#[tokio::test]
async fn what_stands_there_and_is_another_proves_nothing() {
    let others: [fn(Client) -> Upload; 3] = [
        |s3| s3.upload("my-bucket", "a", bytes(LARGE - 1)).metadata("team", "blue"),
        |s3| s3.upload("my-bucket", "a", bytes(LARGE)).metadata("team", "red"),
        |s3| s3.upload("my-bucket", "a", [&[1], &bytes(LARGE)[1..]].concat()).metadata("team", "blue"),
    ];
    for other in others {
        let error = with_another_object(|upload| upload, other).await;
        assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::NoSuchUpload, true), "{error}");
    }
}

/// The same bytes may be written again to change what else there is to an object.
#[tokio::test]
async fn the_same_bytes_stored_otherwise_prove_nothing() {
    let plain: fn(Upload) -> Upload = |upload| upload;
    let settings: [fn(Upload) -> Upload; 4] = [
        |upload| upload.storage_class(StorageClass::StandardIa),
        |upload| upload.cache_control("no-store"),
        |upload| upload.encryption(Encryption::Kms(KmsKey::id("key"))),
        |upload| upload.tag("team", "blue"),
    ];
    let pairs = settings.iter().flat_map(|set| [(*set, plain), (plain, *set)]);
    for (at, (ours, theirs)) in pairs.enumerate() {
        let other = move |s3: Client| theirs(s3.upload("my-bucket", "a", bytes(LARGE)).metadata("team", "blue"));
        let error = with_another_object(ours, other).await;
        assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::NoSuchUpload, true), "{at}: {error}");
    }
}

/// HeadObject says how many tags there are, and not which.
#[tokio::test]
async fn what_a_head_does_not_show_is_not_taken_for_written() {
    let (s3, store) = embedded().await;
    lose(&store);
    let error = s3.upload("my-bucket", "a", bytes(LARGE)).tag("team", "blue").await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::NoSuchUpload, true), "{error}");
}

/// Somebody else writes the same bytes while the answer is being lost.
async fn with_another_writer(size: usize, write_id: bool) -> (Error, Client) {
    let store = Store::in_memory();
    let plain = client(&store).await;
    let done = Arc::new(AtomicBool::new(false));
    let hook = {
        let plain = plain.clone();
        move |what: String| {
            let (plain, done) = (plain.clone(), done.clone());
            async move {
                let writes = !what.contains("partNumber") && !what.contains("?uploads") && !what.starts_with("HEAD");
                if writes && !done.swap(true, Ordering::SeqCst) {
                    plain.put_object("my-bucket", "a", bytes(size)).await.unwrap();
                }
            }
        }
    };
    let s3 = hooked(&store, hook).build().unwrap();
    let error = match size {
        // Their write came first, and ours was refused; that this was said is lost.
        SMALL => {
            store.inject(Fault::drop_answer().on(Operation::PutObject).nth(2)).unwrap();
            s3.upload("my-bucket", "a", bytes(size)).if_absent().write_id(write_id).await
        }
        _ => {
            store.inject(Fault::drop_answer().on(Operation::CompleteMultipartUpload).times(1)).unwrap();
            s3.upload("my-bucket", "a", bytes(size)).if_absent().write_id(write_id).await
        }
    };
    (error.unwrap_err(), plain)
}

#[tokio::test]
async fn equal_bytes_prove_nothing() {
    for size in [SMALL, LARGE] {
        let (error, _) = with_another_writer(size, false).await;
        assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::PreconditionFailed, true), "{error}");
        let (error, s3) = with_another_writer(size, true).await;
        assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::PreconditionFailed, false), "{error}");
        assert!(error.to_string().contains("what stands there is not this call's"), "{error}");
        no_uploads(&s3).await;
    }
}

#[tokio::test]
async fn what_cannot_be_looked_at_may_be_ours() {
    let (s3, store) = embedded().await;
    lose(&store);
    store.inject(Fault::respond(403, "").on(Operation::HeadObject)).unwrap();
    let error = s3.upload("my-bucket", "a", bytes(SMALL)).if_absent().write_id(true).await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::PreconditionFailed, true));
    assert!(error.to_string().contains("could not be found out: HeadObject my-bucket/a: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_gone_may_have_it() {
    let (s3, store) = embedded().await;
    store.inject(Fault::drop_answer().on(Operation::PutObject)).unwrap();
    let upload = s3.upload("my-bucket", "a", bytes(SMALL)).patience(std::time::Duration::from_secs(10));
    let error = upload.start().unwrap().await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::Transport, true));
    // A plain failure has written nothing.
    store.clear_faults();
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::PutObject)).unwrap();
    let error = s3.upload("my-bucket", "a", bytes(SMALL)).await.unwrap_err();
    assert!(!error.maybe_ours());
}

/// The one upload that nobody can abort.
#[tokio::test]
async fn a_lost_create_is_told() {
    let (s3, store) = embedded().await;
    store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload).nth(1)).unwrap();
    store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPart)).unwrap();
    let error = s3.upload("my-bucket", "a", bytes(LARGE)).await.unwrap_err();
    assert!(error.to_string().contains("an answer to CreateMultipartUpload was lost"), "{error}");
    assert!(error.to_string().contains("the upload was aborted"), "{error}");
    let left = s3.list_multipart_uploads("my-bucket").await.unwrap().uploads;
    assert_eq!(left.len(), 1);
    assert!(s3.list_parts("my-bucket", "a", &left[0].upload_id).await.unwrap().parts.is_empty());
    // Where the upload is stopped, its end is not all that is told.
    store.clear_faults();
    store.clear_requests();
    store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload).nth(1)).unwrap();
    store.inject(Fault::delay(std::time::Duration::from_secs(600)).on(Operation::UploadPart)).unwrap();
    let mut upload = s3.upload("my-bucket", "a", bytes(LARGE)).start().unwrap();
    while store.requests().count(Operation::UploadPart) == 0 {
        tokio::select! {
            biased;
            ended = &mut upload => panic!("{ended:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    let error = upload.cancel().await.unwrap_err();
    assert!(error.to_string().contains("an answer to CreateMultipartUpload was lost"), "{error}");
    assert_eq!(s3.list_multipart_uploads("my-bucket").await.unwrap().uploads.len(), 2);
    // Beside a success too.
    store.clear_faults();
    for lost in [true, false] {
        if lost {
            store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload).times(1)).unwrap();
        }
        assert_eq!(s3.upload("my-bucket", "a", bytes(LARGE)).await.unwrap().lost_create, lost);
    }
    store.inject(Fault::drop_answer().on(Operation::CreateMultipartUpload).times(1)).unwrap();
    let copy = s3.copy("my-bucket", "a", "my-bucket", "b").multipart_threshold(1).part_size(5 << 20);
    assert!(copy.await.unwrap().lost_create);
}

/// S3 says to make a PutObject again that meets another write, and to begin anew with an upload in parts.
#[tokio::test(start_paused = true)]
async fn a_conflict_is_tried_again_where_that_helps() {
    let (s3, store) = embedded().await;
    let conflict = || {
        let fault = Fault::respond(409, "ConditionalRequestConflict").on(Operation::PutObject);
        fault.on(Operation::CompleteMultipartUpload)
    };
    store.inject(conflict().times(3)).unwrap();
    s3.upload("my-bucket", "a", bytes(SMALL)).if_absent().start().unwrap().await.unwrap();
    assert_eq!(operations(&store), ["PutObject"; 4]);
    // What is refused for good is not.
    store.clear_requests();
    s3.upload("my-bucket", "a", bytes(SMALL)).if_absent().await.unwrap_err();
    assert_eq!(operations(&store), ["PutObject"]);
    store.inject(conflict()).unwrap();
    for (size, attempts) in [(SMALL, 4), (LARGE, 1)] {
        let error = s3.upload("my-bucket", "b", bytes(size)).if_absent().start().unwrap().await.unwrap_err();
        assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::ConditionalRequestConflict, false));
        assert_eq!(error.attempts(), attempts);
    }
    assert_eq!(store.requests().count(Operation::CompleteMultipartUpload), 1);
    no_uploads(&s3).await;
}
