//! Into files: how many requests, and what is there afterwards.

use std::fs;
use std::future::IntoFuture;
use std::path::Path;
use std::time::{Duration, SystemTime};

use wharf::blocking::Wait;
use wharf::transfer::{Budgets, Limits, Verification};
use wharf::{ByteRange, ChecksumAlgorithm, Client, CustomerKey, ErrorKind};
use wharf_embedded::{Fault, Operation, Store};

use crate::common::{Folder, MIB, bytes, client, in_parts, slowly, with_object};
use crate::support::line;
use crate::support::upload::hooked;

#[tokio::test]
async fn a_small_object_is_one_request() {
    let (s3, store) = client().await;
    let folder = Folder::new();
    for length in [0, 1, 100_000, 16 * MIB] {
        let data = bytes(length);
        s3.put_object("my-bucket", "a", data.clone()).content_type("text/plain").await.unwrap();
        store.clear_requests();
        let path = folder.join("a");
        let done = s3.download("my-bucket", "a", &path).await.unwrap();
        assert_eq!(store.requests().len(), 1, "{}", store.requests());
        assert_eq!((done.size, done.target.as_path()), (length as u64, path.as_path()));
        assert_eq!(done.head.content_type.as_deref(), Some("text/plain"));
        assert_eq!(done.verification, Verification::Verified(ChecksumAlgorithm::Crc64Nvme));
        assert!(fs::read(&path).unwrap() == data, "{length} bytes");
        assert_eq!(folder.names(), ["a"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_object_is_fetched_by_several_requests() {
    let (s3, store) = client().await;
    let folder = Folder::new();
    let data = bytes(40 * MIB + 7);
    s3.put_object("my-bucket", "a", data.clone()).await.unwrap();
    store.clear_requests();
    let path = folder.join("a");
    let done = s3.download("my-bucket", "a", path.as_path()).concurrency(2).await.unwrap();
    let asked = store.requests();
    assert!(asked.len() >= 2 && asked.len() <= 5 && asked.count(Operation::GetObject) == asked.len(), "{asked}");
    assert_eq!(done.verification, Verification::Verified(ChecksumAlgorithm::Crc64Nvme));
    assert!(fs::read(&path).unwrap() == data);
    let done = s3.download("my-bucket", "a", path.as_path()).part_size(MIB as u64).concurrency(8).await.unwrap();
    assert!(done.verification.is_verified() && fs::read(&path).unwrap() == data);
}

/// What is asked for and then left to others is sent all the same.
#[tokio::test(start_paused = true)]
async fn each_of_several_requests_asks_for_its_share_alone() {
    let data = bytes(16 * MIB);
    let (s3, store) = with_object(&data).await;
    slowly(&store);
    let folder = Folder::new();
    let path = folder.join("a");
    let done = s3.download("my-bucket", "a", path.as_path()).part_size(MIB as u64).concurrency(4).await.unwrap();
    assert!(done.verification.is_verified() && fs::read(&path).unwrap() == data);
    let asked = store.requests();
    let ranges = asked.iter().skip(1).filter_map(|request| Some(request.headers.get("range")?.to_str().unwrap()));
    let mut ranges: Vec<_> = ranges.take(3).collect();
    ranges.sort_unstable();
    assert_eq!(ranges, ["bytes=12582912-16777215", "bytes=4194304-8388607", "bytes=8388608-12582911"], "{asked}");
}

/// Where it is not said how many requests there shall be, one that is slow gets help.
#[tokio::test(start_paused = true)]
async fn a_fast_stream_is_read_alone() {
    let data = bytes(40 * MIB);
    let (s3, store) = with_object(&data).await;
    let folder = Folder::new();
    let path = folder.join("a");
    let call = || s3.download("my-bucket", "a", path.as_path()).part_size(MIB as u64);
    call().await.unwrap();
    assert_eq!(store.requests().len(), 1, "{}", store.requests());
    let slow = Fault::delay_body(3 * MIB as u64, Duration::from_secs(1)).on(Operation::GetObject);
    store.inject(slow).unwrap();
    store.clear_requests();
    call().await.unwrap();
    assert!(store.requests().len() > 1, "{}", store.requests());
    assert!(fs::read(&path).unwrap() == data);
}

/// A fast stream keeps one thread busy. Another has one of its own: what is left is halved long before the stream falls silent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_thread_reads_a_stream() {
    let data = bytes(40 * MIB);
    let (s3, store) = with_object(&data).await;
    let silent = Fault::delay_body(30 * MIB as u64, Duration::from_secs(60)).on(Operation::GetObject);
    store.inject(silent).unwrap();
    let folder = Folder::new();
    let path = folder.join("a");
    let done = s3.download("my-bucket", "a", &path).await.unwrap();
    assert!(done.verification.is_verified() && fs::read(&path).unwrap() == data);
    let asked = store.requests();
    let from = |range: &str| range.strip_prefix("bytes=")?.split('-').next()?.parse::<usize>().ok();
    let ranges = asked.iter().filter_map(|request| from(request.headers.get("range")?.to_str().ok()?));
    assert!(ranges.min().is_some_and(|from| from < 30 * MIB), "{asked}");
}

/// Who would help and waits for leave to send is not waited for.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_whole_waits_for_no_request() {
    let data = bytes(40 * MIB);
    // Those who would help are let go with the last byte, or have been waiting behind another request since the stream was silent.
    for silence in [1, 5] {
        let (_, store) = with_object(&data).await;
        let for_ever = |what: String| async move {
            if what.starts_with("PUT") {
                std::future::pending::<()>().await;
            }
        };
        let mut limits = Limits::default();
        limits.requests = 1;
        let s3 = hooked(&store, for_ever).budgets(Budgets::new(limits)).build().unwrap();
        let late = Fault::delay_body(2 * MIB as u64, Duration::from_secs(silence)).on(Operation::GetObject);
        store.inject(late).unwrap();
        let folder = Folder::new();
        let path = folder.join("a");
        let download = s3.download("my-bucket", "a", &path).part_size(MIB as u64).start().unwrap();
        while download.progress().bytes == 0 {
            tokio::task::yield_now().await;
        }
        // From the last byte on it has the one request there is, until it is given up for its silence.
        let _upload = s3.upload("my-bucket", "b", "Hello!").start().unwrap();
        let done = tokio::time::timeout(Duration::from_secs(20), download).await.expect("it waits for a request");
        assert!(done.unwrap().verification.is_verified() && fs::read(&path).unwrap() == data);
        assert_eq!((folder.names(), store.requests().count(Operation::GetObject)), (vec!["a".to_owned()], 1));
    }
}

#[tokio::test]
async fn what_is_not_there_leaves_nothing() {
    let (s3, _store) = client().await;
    let folder = Folder::new();
    let error = s3.download("my-bucket", "a", folder.join("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchKey, "{}", line(&error));
    assert_eq!(
        line(&error),
        "GetObject my-bucket/a: The specified key does not exist. (NoSuchKey, HTTP 404, request ID)"
    );
    let error = s3.download("my-bucket", "a", Path::new("/")).await.unwrap_err();
    assert_eq!(line(&error), "download my-bucket/a: / is a directory: name the file in it");
    assert!(folder.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_range_goes_into_a_file() {
    let data = bytes(3 * MIB);
    let (s3, store) = with_object(&data).await;
    let folder = Folder::new();
    let path = folder.join("a");
    for (range, expected) in [
        (ByteRange::from(5..10), &data[5..10]),
        (ByteRange::last(100), &data[3 * MIB - 100..]),
        (ByteRange::from(MIB as u64 - 1..), &data[MIB - 1..]),
        (ByteRange::from(0..), &data[..]),
    ] {
        store.clear_requests();
        let done = s3.download("my-bucket", "a", &path).range(range).await.unwrap();
        assert_eq!((done.size as usize, store.requests().len()), (expected.len(), 1));
        assert!(fs::read(&path).unwrap() == expected);
        // By several requests.
        slowly(&store);
        let call = s3.download("my-bucket", "a", &path).range(range).part_size(100_000).concurrency(4);
        let done = call.await.unwrap();
        assert!(fs::read(&path).unwrap() == expected);
        assert!(!done.verification.is_verified());
    }
    let error = s3.download("my-bucket", "a", &path).range(3 * MIB as u64..).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRange);
    assert_eq!(folder.names(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_begun_leaves_all_as_it_was() {
    let (s3, store) = with_object(&bytes(100)).await;
    let folder = Folder::new();
    // No file can be called so, which is found out before anything is asked.
    store.clear_requests();
    let error = s3.download("my-bucket", "a", folder.join(&"n".repeat(300))).await.unwrap_err();
    assert_eq!((error.kind(), store.requests().len()), (ErrorKind::Body, 0), "{}", line(&error));
    // What an earlier download has left: its journal would go, and this is none.
    fs::create_dir(folder.join("a.wharf-journal")).unwrap();
    fs::write(folder.join("a.wharf-part"), "left over").unwrap();
    s3.download("my-bucket", "a", folder.join("a")).await.unwrap_err();
    assert_eq!(folder.names(), ["a.wharf-journal", "a.wharf-part"]);
    assert_eq!(fs::read(folder.join("a.wharf-part")).unwrap(), b"left over");
    // Without its file it says nothing, and is not looked for.
    fs::remove_file(folder.join("a.wharf-part")).unwrap();
    s3.download("my-bucket", "a", folder.join("a")).await.unwrap();
    assert_eq!(folder.names(), ["a", "a.wharf-journal"]);
}

#[tokio::test(start_paused = true)]
async fn a_checksum_of_parts_is_compared_where_the_parts_are_known() {
    let (s3, store) = client().await;
    let folder = Folder::new();
    let path = folder.join("a");
    let data = bytes(17 * MIB + 5);
    let parts = [&data[..6 * MIB], &data[6 * MIB..11 * MIB + 77], &data[11 * MIB + 77..]];
    for algorithm in [ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Sha256] {
        in_parts(&s3, algorithm, true, &parts).await;
        // A large one: where its parts end is asked for.
        store.clear_requests();
        let done = s3.download("my-bucket", "a", &path).concurrency(3).await.unwrap();
        assert_eq!(done.verification, Verification::Verified(algorithm));
        assert_eq!(store.requests().count(Operation::GetObjectAttributes), 1, "{}", store.requests());
        assert!(fs::read(&path).unwrap() == data);
        store.clear_requests();
        slowly(&store);
        let done = s3.download("my-bucket", "a", &path).part_size(1000).concurrency(8).await.unwrap();
        assert_eq!(done.verification, Verification::Verified(algorithm));
        assert!(store.requests().count(Operation::GetObject) > 1, "{}", store.requests());
        // One that counts as small takes no other request, unless it is wanted.
        let small = || s3.download("my-bucket", "a", &path).part_size(9 * MIB as u64);
        store.clear_requests();
        let done = small().await.unwrap();
        assert_eq!(done.verification.to_string(), "not verified: the object's checksum is one of its parts' checksums");
        assert_eq!(store.requests().len(), 1);
        store.clear_requests();
        assert!(small().verify(true).await.unwrap().verification.is_verified());
        assert_eq!(store.requests().len(), 2);
    }
    // What was spoilt is found.
    store.inject(Fault::corrupt_response(9).on(Operation::GetObject)).unwrap();
    let error = s3.download("my-bucket", "a", &path).await.unwrap_err();
    assert_eq!(line(&error), "download my-bucket/a: the bytes do not match the object's SHA256 checksum (2 attempts)");
    // Parts whose checksum is that of the object.
    store.clear_faults();
    in_parts(&s3, ChecksumAlgorithm::Crc32, false, &parts).await;
    store.clear_requests();
    let done = s3.download("my-bucket", "a", &path).await.unwrap();
    assert_eq!(done.verification, Verification::Verified(ChecksumAlgorithm::Crc32));
    assert_eq!(store.requests().count(Operation::GetObjectAttributes), 0);
}

#[tokio::test(start_paused = true)]
async fn a_digest_is_compared_by_who_reads_in_order() {
    let (s3, _) = client().await;
    let folder = Folder::new();
    let path = folder.join("a");
    let data = bytes(3 * MIB);
    s3.put_object("my-bucket", "a", data.clone()).checksum(ChecksumAlgorithm::Sha256).await.unwrap();
    let call = || s3.download("my-bucket", "a", &path).part_size(MIB as u64);
    let done = call().await.unwrap();
    assert!(done.verification.to_string().contains("only a CRC"), "{}", done.verification);
    let done = call().concurrency(1).await.unwrap();
    assert_eq!(done.verification, Verification::Verified(ChecksumAlgorithm::Sha256));
    let done = call().concurrency(1).verify(false).await.unwrap();
    assert_eq!(done.verification.to_string(), "not verified: it was not asked for");
    assert!(fs::read(&path).unwrap() == data);
}

#[tokio::test(start_paused = true)]
async fn every_option_is_in_every_request() {
    let (s3, store) = client().await;
    let folder = Folder::new();
    let path = folder.join("a");
    s3.put_bucket_versioning("my-bucket", wharf::VersioningStatus::Enabled).await.unwrap();
    let key = || CustomerKey::new([7; 32]);
    let data = bytes(MIB);
    let put = s3.put_object("my-bucket", "a", data.clone()).encryption(wharf::Encryption::Customer(key()));
    let version = put.await.unwrap().version_id.unwrap();
    s3.put_object("my-bucket", "a", "another").await.unwrap();
    store.clear_requests();
    slowly(&store);
    let long_ago = SystemTime::UNIX_EPOCH;
    let done = s3
        .download("my-bucket", "a", &path)
        .version_id(&version)
        .customer_key(key())
        .request_payer()
        .expected_bucket_owner(store.account_id())
        .if_none_match("another")
        .if_modified_since(long_ago)
        .part_size(100_000)
        .concurrency(4)
        .await
        .unwrap();
    assert_eq!(done.head.version_id.as_deref(), Some(version.as_str()));
    assert!(fs::read(&path).unwrap() == data);
    let asked = store.requests();
    assert!(asked.len() > 3, "{asked}");
    for (number, request) in asked.iter().enumerate() {
        assert_eq!(request.query.replace("%", ""), format!("versionId={version}").replace("%", ""));
        for name in ["x-amz-request-payer", "x-amz-expected-bucket-owner"] {
            assert!(request.headers.contains_key(name), "{name} {asked}");
        }
        let first = number == 0;
        assert_eq!(request.headers.contains_key("if-none-match"), first);
        assert_eq!(request.headers.contains_key("if-match"), !first);
    }
    let call = || s3.download("my-bucket", "a", &path);
    let now = SystemTime::now();
    for (call, kind) in [
        (call().if_match("another"), ErrorKind::PreconditionFailed),
        (call().if_unmodified_since(long_ago), ErrorKind::PreconditionFailed),
        (call().if_none_match(s3.head_object("my-bucket", "a").await.unwrap().etag), ErrorKind::NotModified),
        (call().if_modified_since(now), ErrorKind::NotModified),
        (call().expected_bucket_owner("111122223333"), ErrorKind::AccessDenied),
        (call().version_id(&version), ErrorKind::InvalidInput),
    ] {
        store.clear_requests();
        let error = call.await.unwrap_err();
        assert_eq!((error.kind(), store.requests().len()), (kind, 1), "{}", line(&error));
    }
}

#[tokio::test]
async fn what_cannot_be_a_file_is_known_before_anything_is_asked() {
    let (s3, store) = with_object(b"Hello!").await;
    let folder = Folder::new();
    let existing = folder.join("existing");
    fs::write(&existing, "mine").unwrap();
    let error = s3.download("my-bucket", "a", &existing).overwrite(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(line(&error).ends_with("existing exists already"), "{}", line(&error));
    let error = s3.download("my-bucket", "a", folder.path()).await.unwrap_err();
    assert!(line(&error).ends_with("is a directory: name the file in it"), "{}", line(&error));
    #[cfg(unix)]
    {
        let error = s3.download("my-bucket", "a", Path::new("/dev/null")).await.unwrap_err();
        assert_eq!(line(&error), "download my-bucket/a: /dev/null is no regular file");
        assert_eq!(error.hint(), Some("open it and give a Writer"));
    }
    // These are the names of files that are not whole.
    for name in ["b.wharf-part", "b.wharf-journal", "B.WHARF-PART"] {
        let error = s3.download("my-bucket", "a", folder.join(name)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let expected = format!("{name} has a name that is kept for downloads that are not whole: give it another");
        assert!(line(&error).ends_with(&expected), "{}", line(&error));
    }
    assert!(store.requests().is_empty());
    let error = s3.download("my-bucket", "a", folder.join("no/such/a")).await.unwrap_err();
    let missing = format!("the folder {} is not there", folder.join("no/such").display());
    assert_eq!((error.kind(), error.message()), (ErrorKind::Body, missing.as_str()));
    assert_eq!(error.hint(), Some("make the folders above it first, or let create_directories() do so"));
    let done = s3.download("my-bucket", "a", folder.join("no/such/a")).create_directories(true).await.unwrap();
    assert_eq!(fs::read(done.target).unwrap(), b"Hello!");
    assert_eq!(
        (folder.names(), fs::read(&existing).unwrap()),
        (vec!["existing".into(), "no".into()], b"mine".to_vec())
    );
}

/// Whoever has the old file open goes on reading the old one; the name has either the old or the new bytes.
#[tokio::test]
async fn a_file_is_replaced_as_a_whole() {
    let (s3, _) = with_object(b"new").await;
    let folder = Folder::new();
    let path = folder.join("a");
    fs::write(&path, "the old one").unwrap();
    let mut old = fs::File::open(&path).unwrap();
    s3.download("my-bucket", "a", &path).durable(true).await.unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut old, &mut text).unwrap();
    assert_eq!((text.as_str(), fs::read(&path).unwrap().as_slice()), ("the old one", &b"new"[..]));
    // A file that is left over from a download that died is nothing.
    fs::write(folder.join("a.wharf-part"), "rubbish that is longer").unwrap();
    s3.download("my-bucket", "a", &path).await.unwrap();
    assert_eq!((folder.names(), fs::read(&path).unwrap()), (vec!["a".to_owned()], b"new".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_appears_meanwhile_stays() {
    let (s3, store) = with_object(b"Hello!").await;
    let folder = Folder::new();
    let path = folder.join("a");
    let late = Fault::delay_body(2, Duration::from_secs(5)).on(Operation::GetObject);
    store.inject(late).unwrap();
    let transfer = s3.download("my-bucket", "a", &path).overwrite(false).start().unwrap();
    while transfer.progress().bytes < 2 {
        tokio::task::yield_now().await;
    }
    fs::write(&path, "mine").unwrap();
    let error = transfer.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed, "{}", line(&error));
    assert_eq!((folder.names(), fs::read(&path).unwrap()), (vec!["a".to_owned()], b"mine".to_vec()));
}

/// As a crash leaves them behind that comes between a link and the removal of the other name.
#[cfg(unix)]
#[tokio::test]
async fn a_finished_file_that_is_still_called_a_part_is_not_written_to() {
    let (s3, store) = with_object(b"new").await;
    let folder = Folder::new();
    let (path, part) = (folder.join("a"), folder.join("a.wharf-part"));
    for resumable in [false, true] {
        fs::write(&path, "the old one").unwrap();
        fs::hard_link(&path, &part).unwrap();
        let call = || s3.download("my-bucket", "a", &path).resumable(resumable);
        store.inject(Fault::corrupt_response(1).on(Operation::GetObject).times(2)).unwrap();
        assert_eq!(call().await.unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!((folder.names(), fs::read(&path).unwrap()), (vec!["a".to_owned()], b"the old one".to_vec()));
        fs::hard_link(&path, &part).unwrap();
        call().await.unwrap();
        assert_eq!((folder.names(), fs::read(&path).unwrap()), (vec!["a".to_owned()], b"new".to_vec()));
    }
}

#[tokio::test(start_paused = true)]
async fn two_downloads_do_not_mix() {
    let (s3, store) = with_object(b"Hello!").await;
    let folder = Folder::new();
    let path = folder.join("a");
    store.inject(Fault::delay_body(2, Duration::from_secs(5)).on(Operation::GetObject).times(1)).unwrap();
    let first = s3.download("my-bucket", "a", &path).start().unwrap();
    while first.progress().bytes < 2 {
        tokio::task::yield_now().await;
    }
    let error = s3.download("my-bucket", "a", &path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse);
    assert!(line(&error).contains("another download is writing"), "{}", line(&error));
    assert_eq!(first.await.unwrap().size, 6);
    assert_eq!((folder.names(), fs::read(&path).unwrap()), (vec!["a".to_owned()], b"Hello!".to_vec()));
}

#[tokio::test]
async fn any_name_that_a_file_can_have() {
    let (s3, _) = with_object(b"Hello!").await;
    let folder = Folder::new();
    let long = "\u{e4}".repeat(127);
    for name in ["na\u{ef}ve \u{1f4e6}", " ", "a\nb", "-rf", ".hidden", "\u{65e5}\u{672c}\u{8a9e}.txt", &long] {
        s3.download("my-bucket", "a", folder.join(name)).await.unwrap();
        assert_eq!(fs::read(folder.join(name)).unwrap(), b"Hello!");
    }
    assert_eq!(folder.names().len(), 7);
}

#[cfg(unix)]
#[tokio::test]
async fn time_and_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let (s3, _) = with_object(b"Hello!").await;
    let folder = Folder::new();
    let path = folder.join("a");
    let look = || {
        let found = fs::metadata(&path).unwrap();
        (found.modified().unwrap(), found.permissions().mode() & 0o7777)
    };
    let done = s3.download("my-bucket", "a", &path).preserve_modified(true).mode(0o600).await.unwrap();
    assert_eq!(look(), (done.head.last_modified.unwrap(), 0o600));
    let put = s3.put_object("my-bucket", "a", "Hello!").metadata("mtime", "1234567890.5").metadata("mode", "100640");
    put.await.unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567_890_500);
    s3.download("my-bucket", "a", &path).preserve_modified(true).await.unwrap();
    assert_eq!(look(), (then, 0o640));
    s3.download("my-bucket", "a", &path).await.unwrap();
    assert_ne!(look().0, then);
}

/// Calls may be made in one task and awaited in another.
#[test]
fn calls_can_be_sent() {
    fn sent<T: Send + 'static>(_: impl FnOnce(Client) -> T) {}
    sent(|s3| s3.download("b", "k", Path::new("f")).durable(true));
    sent(|s3| s3.download("b", "k", wharf::transfer::Memory).into_future());
    sent(|s3| s3.download("b", "k", wharf::transfer::Writer(Vec::new())).start());
    sent(|s3| s3.object_reader("b", "k"));
}

#[test]
fn without_async() {
    let store = Store::in_memory();
    let s3 = Client::builder().transport(store).build_blocking().unwrap();
    s3.create_bucket("my-bucket").wait().unwrap();
    let data = bytes(2 * MIB);
    s3.put_object("my-bucket", "a", data.clone()).wait().unwrap();
    let folder = Folder::new();
    let done = s3.download("my-bucket", "a", folder.join("a")).part_size(300_000).concurrency(3).wait().unwrap();
    assert!(done.verification.is_verified() && fs::read(done.target).unwrap() == data);
}
