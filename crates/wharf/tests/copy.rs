//! Copying objects of any size.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use wharf::blocking::Wait;
use wharf::transfer::{Budgets, Copied, Limits};
use wharf::{ChecksumAlgorithm, ChecksumType, Client, ErrorKind, Provider, StorageClass};
use wharf_embedded::{Fault, Operation, Personality, Store};

const MIB: usize = 1 << 20;
const PART: u64 = 5 << 20;

async fn embedded() -> (Client, Store) {
    let store = Store::in_memory();
    let s3 = Client::builder().environment(|_| None).transport(store.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3.create_bucket("your-bucket").await.unwrap();
    (s3, store)
}

/// A store that ignores conditions as that server does, and a client that knows so.
async fn ignoring(personality: Personality, provider: Provider) -> (Client, Store) {
    let store = Store::builder().personality(personality).build();
    let s3 = Client::builder().environment(|_| None).transport(store.clone()).provider(provider).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    s3.create_bucket("your-bucket").await.unwrap();
    (s3, store)
}

fn bytes(length: usize) -> Bytes {
    let mut random = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

/// Writes the source: an object with all that can be kept of one.
async fn source(s3: &Client, length: usize) -> Bytes {
    let bytes = bytes(length);
    s3.put_object("my-bucket", "a", bytes.clone())
        .content_type("text/x-odd")
        .content_encoding("gzip")
        .content_disposition("attachment")
        .content_language("de")
        .cache_control("no-store")
        .expires(SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000))
        .metadata("city", "Zürich")
        .tag("k", "v + w")
        .storage_class(StorageClass::OnezoneIa)
        .await
        .unwrap();
    bytes
}

/// What the store says of an object.
async fn shown(s3: &Client, bucket: &str) -> String {
    let head = s3.head_object(bucket, "a").checksum_mode(true).await.unwrap();
    let tags = s3.get_object_tagging(bucket, "a").await.unwrap().tags;
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        head.content_length,
        head.content_type,
        head.content_encoding,
        head.content_disposition,
        head.content_language,
        head.cache_control,
        head.expires,
        head.metadata,
        head.storage_class,
        head.checksum,
        tags
    )
}

async fn assert_copied(s3: &Client, bytes: &Bytes) {
    let (one, other) = (shown(s3, "my-bucket").await, shown(s3, "your-bucket").await);
    // The class never comes along.
    assert_eq!(one.replace("OnezoneIa", "Standard"), other);
    assert_eq!(s3.get_object("your-bucket", "a").bytes().await.unwrap(), bytes);
}

async fn uploads_left(s3: &Client) -> usize {
    s3.list_multipart_uploads("your-bucket").await.unwrap().uploads.len()
}

#[tokio::test]
async fn what_is_set_can_leave_the_rest_as_it_was() {
    let (s3, _) = embedded().await;
    for length in [7, 6 * MIB] {
        source(&s3, length).await;
        let copy = s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(PART).part_size(PART);
        copy.content_type("text/plain").keep_metadata().await.unwrap();
        let (one, other) = (shown(&s3, "my-bucket").await, shown(&s3, "your-bucket").await);
        assert_eq!(one.replace("OnezoneIa", "Standard").replace("text/x-odd", "text/plain"), other);
    }
}

#[tokio::test]
async fn a_small_copy_is_one_request() {
    let (s3, store) = embedded().await;
    let bytes = source(&s3, MIB).await;
    store.clear_requests();
    let copied = s3.copy("my-bucket", "a", "your-bucket", "a").await.unwrap();
    assert_eq!((copied.parts, copied.size, store.requests().len()), (1, None, 1));
    assert!(!copied.verification.is_verified());
    assert_copied(&s3, &bytes).await;
    store.clear_requests();
    let copied = s3.copy("my-bucket", "a", "your-bucket", "a").verify(true).await.unwrap();
    assert_eq!((copied.size, store.requests().len()), (Some(MIB as u64), 3));
    assert!(copied.verification.is_verified(), "{}", copied.verification);
}

#[tokio::test]
async fn a_large_copy_has_all_that_a_small_one_has() {
    let (s3, store) = embedded().await;
    let bytes = source(&s3, 12 * MIB).await;
    store.clear_requests();
    let copied = s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(PART).part_size(PART).await.unwrap();
    assert_eq!((copied.parts, copied.size), (3, Some(12 << 20)));
    assert!(copied.verification.is_verified(), "{}", copied.verification);
    let requests = store.requests();
    assert_eq!(requests.count(Operation::UploadPartCopy), 3);
    // The source's head and tags, beginning and end.
    assert_eq!(requests.len(), 3 + 4, "{requests}");
    assert_copied(&s3, &bytes).await;
    // From the source's size on is not beyond it.
    let copied = s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(12 << 20).await.unwrap();
    assert_eq!((copied.parts, copied.size), (1, Some(12 << 20)));
    assert!(copied.verification.is_verified(), "{}", copied.verification);
    assert_copied(&s3, &bytes).await;
}

#[tokio::test]
async fn options_hold_at_every_size() {
    let (s3, _store) = embedded().await;
    source(&s3, 12 * MIB).await;
    for threshold in [PART, 1 << 30] {
        let copy = || s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(threshold).part_size(PART);
        copy().content_type("text/plain").metadata("n", "1").tag("t", "u").await.unwrap();
        let head = s3.head_object("your-bucket", "a").await.unwrap();
        assert_eq!((head.content_type.as_deref(), head.metadata.len()), (Some("text/plain"), 1));
        assert_eq!((head.content_encoding, head.tag_count), (None, Some(1)));
        copy().replace_metadata().replace_tags().storage_class(StorageClass::StandardIa).await.unwrap();
        let head = s3.head_object("your-bucket", "a").await.unwrap();
        assert!(head.metadata.is_empty() && head.tag_count.is_none_or(|count| count == 0));
        assert_eq!(head.storage_class, StorageClass::StandardIa);
        let error = copy().if_absent().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
        let etag = s3.head_object("my-bucket", "a").await.unwrap().etag;
        let error = copy().source_if_none_match(etag).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
        copy().checksum_algorithm(ChecksumAlgorithm::Sha256).await.unwrap();
        let head = s3.head_object("your-bucket", "a").checksum_mode(true).await.unwrap();
        assert_eq!(head.checksum.unwrap().algorithm(), ChecksumAlgorithm::Sha256);
        let error =
            s3.copy("my-bucket", "nothing", "your-bucket", "a").multipart_threshold(threshold).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::NoSuchKey | ErrorKind::NotFound), "{error}");
        assert_eq!(uploads_left(&s3).await, 0);
    }
    // The call has the target's name.
    let error = s3.copy_object("my-bucket", "a b", "your-bucket", "a").await.unwrap_err();
    assert_eq!(error.hint(), Some("it is the source that is not there: my-bucket/a b"));
}

#[tokio::test]
async fn versions_and_parts_of_parts() {
    let (s3, _store) = embedded().await;
    s3.put_bucket_versioning("my-bucket", wharf::VersioningStatus::Enabled).await.unwrap();
    let uploaded =
        s3.upload("my-bucket", "a", bytes(12 * MIB)).multipart_threshold(PART).part_size(PART).await.unwrap();
    s3.put_object("my-bucket", "a", "newer").await.unwrap();
    let version = uploaded.version_id.unwrap();
    let copy = s3.copy("my-bucket", "a", "your-bucket", "a").source_version_id(&version).multipart_threshold(PART);
    let copied: Copied = copy.part_size(6 << 20).await.unwrap();
    assert_eq!((copied.parts, copied.source_version_id), (2, Some(version)));
    assert_eq!(copied.checksum_type, Some(ChecksumType::FullObject));
    assert!(copied.verification.is_verified());
    assert_eq!(s3.get_object("your-bucket", "a").bytes().await.unwrap(), bytes(12 * MIB));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changes_is_not_mixed() {
    let (s3, store) = embedded().await;
    is_replaced_amid(&s3, &store).await;
}

/// Copies what is replaced after it was seen.
async fn is_replaced_amid(s3: &Client, store: &Store) {
    source(s3, 12 * MIB).await;
    store.inject(Fault::delay(Duration::from_secs(20)).on(Operation::UploadPartCopy)).unwrap();
    let copy = s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(PART).part_size(PART).concurrency(1);
    let task = tokio::spawn(copy.into_future());
    while store.requests().count(Operation::UploadPartCopy) == 0 && !task.is_finished() {
        tokio::task::yield_now().await;
    }
    s3.put_object("my-bucket", "a", bytes(13 * MIB)).await.unwrap();
    let error = task.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
    assert!(!s3.object_exists("your-bucket", "a").await.unwrap());
    assert_eq!(uploads_left(s3).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_waited_for_and_what_lasts_is_undone() {
    let (s3, store) = embedded().await;
    let bytes = source(&s3, 12 * MIB).await;
    let copy = || s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(PART).part_size(PART);
    store.inject(Fault::respond(503, "SlowDown").on(Operation::UploadPartCopy).times(5)).unwrap();
    store.inject(Fault::ok_with_error("InternalError").on(Operation::UploadPartCopy).times(2)).unwrap();
    store.inject(Fault::ok_with_error("InternalError").on(Operation::CompleteMultipartUpload).times(2)).unwrap();
    copy().await.unwrap();
    assert_copied(&s3, &bytes).await;
    store.inject(Fault::respond(503, "SlowDown").on(Operation::CopyObject).times(5)).unwrap();
    s3.copy("my-bucket", "a", "your-bucket", "a").await.unwrap();

    store.inject(Fault::respond(403, "AccessDenied").on(Operation::UploadPartCopy).nth(3)).unwrap();
    let error = copy().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert_eq!(uploads_left(&s3).await, 0);
    store.clear_faults();
    // Cancelled with parts under way.
    store.inject(Fault::delay(Duration::from_secs(3600)).on(Operation::UploadPartCopy)).unwrap();
    store.clear_requests();
    let transfer = copy().start().unwrap();
    while store.requests().count(Operation::UploadPartCopy) == 0 {
        tokio::task::yield_now().await;
    }
    transfer.cancel().await.unwrap();
    assert_eq!(uploads_left(&s3).await, 0);
}

#[tokio::test]
async fn to_another_endpoint() {
    let (s3, store) = embedded().await;
    let (there, store_there) = embedded().await;
    for length in [0, MIB, 20 * MIB] {
        let bytes = source(&s3, length).await;
        store.clear_requests();
        store_there.clear_requests();
        let copied = s3.copy("my-bucket", "a", "your-bucket", "a").to(&there).part_size(PART).await.unwrap();
        assert!(copied.verification.is_verified(), "{length}: {}", copied.verification);
        assert_eq!(shown(&s3, "my-bucket").await.replace("OnezoneIa", "Standard"), shown(&there, "your-bucket").await);
        assert_eq!(there.get_object("your-bucket", "a").bytes().await.unwrap(), bytes);
        assert_eq!(store.requests().count(Operation::GetObject), 1);
        assert!(!s3.object_exists("your-bucket", "a").await.unwrap());
    }
    let error = s3.copy("my-bucket", "a", "your-bucket", "a").to(&there).if_absent().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
}

#[tokio::test]
async fn a_server_that_copies_no_parts_has_them_sent() {
    let (s3, store) = embedded().await;
    let bytes = source(&s3, 20 * MIB).await;
    let s3 = Client::builder().environment(|_| None).transport(store.clone()).provider(Provider::Gcs).build().unwrap();
    store.clear_requests();
    s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(PART).part_size(PART).await.unwrap();
    assert_eq!(store.requests().count(Operation::UploadPartCopy), 0);
    assert_eq!(store.requests().count(Operation::UploadPart), 4);
    assert_eq!(s3.get_object("your-bucket", "a").bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn without_async() {
    let (s3, store) = embedded().await;
    source(&s3, 12 * MIB).await;
    let builder = wharf::blocking::Client::builder().environment(|_| None).transport(store);
    let parts = std::thread::spawn(move || {
        let s3 = builder.build_blocking().unwrap();
        s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(PART).part_size(PART).wait().unwrap().parts
    });
    assert_eq!(parts.join().unwrap(), 3);
}

/// S3 says to make a CopyObject again that meets another write, and not at once.
#[tokio::test(start_paused = true)]
async fn a_conflict_is_waited_out() {
    let (s3, store) = embedded().await;
    source(&s3, 100).await;
    store.inject(Fault::respond(409, "OperationAborted").on(Operation::CopyObject).times(2)).unwrap();
    let start = tokio::time::Instant::now();
    s3.copy("my-bucket", "a", "your-bucket", "a").await.unwrap();
    assert_eq!(store.requests().count(Operation::CopyObject), 3);
    assert_eq!(start.elapsed(), Duration::from_millis(300));
    // What has a tag is another object then.
    let there = s3.head_object("your-bucket", "a").await.unwrap().etag;
    store.clear_requests();
    store.inject(Fault::respond(409, "ConditionalRequestConflict").on(Operation::CopyObject).times(1)).unwrap();
    let error = s3.copy("my-bucket", "a", "your-bucket", "a").if_match(there).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConditionalRequestConflict);
    assert_eq!(store.requests().count(Operation::CopyObject), 1);
}

/// The source is read as patiently as the copy is written, and one request in all does for both.
#[tokio::test(start_paused = true)]
async fn a_source_elsewhere_that_fails_for_a_while() {
    let mut limits = Limits::default();
    (limits.requests, limits.memory) = (1, 16 << 20);
    let budgets = Budgets::new(limits);
    let store = Store::in_memory();
    let s3 = Client::builder().environment(|_| None).transport(store.clone()).budgets(budgets.clone()).build().unwrap();
    s3.create_bucket("my-bucket").await.unwrap();
    let there = Store::in_memory();
    let there = Client::builder().environment(|_| None).transport(there).budgets(budgets).build().unwrap();
    there.create_bucket("your-bucket").await.unwrap();
    let bytes = source(&s3, 20 * MIB).await;
    store.inject(Fault::close_response_after(7 * MIB as u64).on(Operation::GetObject).nth(1)).unwrap();
    store.inject(Fault::respond(503, "SlowDown").on(Operation::GetObject).if_header("range", "*").times(12)).unwrap();
    let copy = s3.copy("my-bucket", "a", "your-bucket", "a").to(&there).part_size(PART);
    let copied = tokio::time::timeout(Duration::from_secs(3600), copy.into_future()).await.unwrap().unwrap();
    assert!(copied.verification.is_verified(), "{}", copied.verification);
    assert_eq!(there.get_object("your-bucket", "a").bytes().await.unwrap(), bytes);
    assert_eq!(store.requests().count(Operation::GetObject), 14);
}

/// What is asked of the source beside its bytes is asked as patiently.
#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_looked_at_for_a_while() {
    let (s3, store) = embedded().await;
    source(&s3, 12 * MIB).await;
    let busy = Fault::respond(503, "SlowDown").on(Operation::HeadObject).on(Operation::GetObjectTagging).times(9);
    let busy = store.inject(busy).unwrap();
    let copy = s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(PART).part_size(PART);
    assert_eq!(copy.await.unwrap().parts, 3);
    assert_eq!(busy.fired(), 9);
}

/// So is what is asked of both ends afterwards, and no longer than it is told.
#[tokio::test(start_paused = true)]
async fn a_copy_that_cannot_be_looked_at_for_a_while() {
    let (s3, store) = embedded().await;
    source(&s3, 100).await;
    let copy = || s3.copy("my-bucket", "a", "your-bucket", "a").verify(true);
    let busy = store.inject(Fault::respond(503, "SlowDown").on(Operation::HeadObject).times(12)).unwrap();
    assert!(copy().await.unwrap().verification.is_verified());
    assert_eq!(busy.fired(), 12);
    store.inject(Fault::respond(503, "SlowDown").on(Operation::HeadObject)).unwrap();
    let start = tokio::time::Instant::now();
    let error = copy().patience(Duration::from_secs(10)).await.unwrap_err();
    assert!(error.to_string().contains("the copy was made, and could not be verified"), "{error}");
    assert_eq!(start.elapsed().as_secs(), 10);
}

/// What a copy asks of the source beside what its caller does, it leaves out where that would be ignored.
#[tokio::test]
async fn a_provider_that_ignores_conditions_on_the_source_copies_all_the_same() {
    let (s3, store) = ignoring(Personality::Ceph, Provider::Ceph).await;
    for length in [MIB, 12 * MIB] {
        let bytes = source(&s3, length).await;
        let copy = || s3.copy("my-bucket", "a", "your-bucket", "a").multipart_threshold(PART).part_size(PART);
        let copied = copy().await.unwrap();
        assert_eq!((copied.parts, copied.size), (if length > MIB { 3 } else { 1 }, Some(length as u64)));
        assert_copied(&s3, &bytes).await;
        copy().content_type("text/plain").keep_metadata().await.unwrap();
        let head = s3.head_object("your-bucket", "a").await.unwrap();
        assert_eq!((head.content_type.as_deref(), head.metadata.len()), (Some("text/plain"), 1));
        // What the caller asks is refused in one request, and looked at before one in parts.
        store.clear_requests();
        let error = copy().source_if_match("another").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{error}");
        let error = s3.copy("my-bucket", "a", "your-bucket", "a").source_if_match("another").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert_eq!(store.requests().count(Operation::CopyObject), 0);
    }
    let (s3, _store) = ignoring(Personality::Rclone, Provider::Rclone).await;
    let (there, _store) = embedded().await;
    let bytes = source(&s3, 20 * MIB).await;
    s3.copy("my-bucket", "a", "your-bucket", "a").to(&there).part_size(PART).await.unwrap();
    assert_eq!(there.get_object("your-bucket", "a").bytes().await.unwrap(), bytes);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changes_is_not_mixed_where_conditions_are_ignored() {
    let (s3, store) = ignoring(Personality::Ceph, Provider::Ceph).await;
    is_replaced_amid(&s3, &store).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_whose_answers_are_lost_may_be_there() {
    let (s3, store) = embedded().await;
    source(&s3, 100).await;
    let copy = || s3.copy("my-bucket", "a", "your-bucket", "b").patience(Duration::from_secs(10));
    let lost = store.inject(Fault::drop_answer().on(Operation::CopyObject)).unwrap();
    let error = copy().await.unwrap_err();
    assert_eq!((error.kind(), error.maybe_ours()), (ErrorKind::Transport, true), "{error}");
    assert!(error.hint().unwrap().contains("patience"), "{error:?}");
    lost.remove();
    for (status, code, maybe) in
        [(403, "AccessDenied", false), (507, "StorageFull", false), (500, "InternalError", true)]
    {
        let failing = store.inject(Fault::respond(status, code).on(Operation::CopyObject)).unwrap();
        let error = copy().await.unwrap_err();
        assert_eq!((error.code(), error.maybe_ours()), (Some(code), maybe), "{error}");
        failing.remove();
    }
}

/// The bytes that pass through here are those of the object that was looked at, whatever the server makes of a condition.
#[tokio::test]
async fn a_source_that_is_replaced_before_it_is_read() {
    let (there, _store) = embedded().await;
    for length in [MIB, MIB + 1] {
        let (s3, store) = embedded().await;
        source(&s3, MIB).await;
        store.inject(Fault::ignore_conditions().on(Operation::GetObject)).unwrap();
        store.inject(Fault::replace_object(vec![1; length]).on(Operation::GetObject)).unwrap();
        let error = s3.copy("my-bucket", "a", "your-bucket", "a").to(&there).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{length}: {error}");
        assert!(!there.object_exists("your-bucket", "a").await.unwrap());
    }
}

#[tokio::test]
async fn the_source_is_looked_at_once() {
    let (s3, store) = embedded().await;
    let (there, _store) = embedded().await;
    for length in [MIB, 12 * MIB] {
        source(&s3, length).await;
        let copy = || s3.copy("my-bucket", "a", "your-bucket", "a").content_type("text/plain").keep_metadata();
        for copy in [copy(), copy().multipart_threshold(PART), copy().to(&there)] {
            store.clear_requests();
            copy.await.unwrap();
            assert_eq!(store.requests().count(Operation::HeadObject), 1);
        }
    }
}
