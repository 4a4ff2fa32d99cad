//! An object that is read where one likes.

use std::io::SeekFrom;

use tokio::io::{AsyncReadExt, AsyncSeekExt};
use wharf::{CustomerKey, ErrorKind};
use wharf_embedded::{Fault, Operation};

use crate::common::{MIB, bytes, client, with_object};

/// The error that is inside.
fn inner(error: std::io::Error) -> wharf::Error {
    *error.into_inner().unwrap().downcast().unwrap()
}

/// Jumps and reads of any length, beside the same ones in memory.
#[tokio::test(start_paused = true)]
async fn it_reads_what_is_there() {
    let data = bytes(5 * MIB + 321);
    let (s3, store) = with_object(&data).await;
    store.inject(Fault::close_response_after(70_000).on(Operation::GetObject).share(0.3, 1)).unwrap();
    let mut seed = 5_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for most in [8 * MIB as u64, 100_000, 1] {
        let mut reader = s3.object_reader("my-bucket", "a").read_ahead(most).await.unwrap();
        assert_eq!(reader.len(), data.len() as u64);
        let mut oracle = std::io::Cursor::new(&data);
        for _ in 0..if most == 1 { 5 } else { 300 } {
            let (size, at) = (data.len() as u64, oracle.position());
            let to = match random(8) {
                0 => SeekFrom::Start(random(size + 10)),
                1 => SeekFrom::End(-(random(size) as i64)),
                2 => SeekFrom::Current(-(random(at.min(100_000) + 1) as i64)),
                3 => SeekFrom::Current(random(2_000_000) as i64),
                _ => SeekFrom::Current(0),
            };
            assert_eq!(reader.seek(to).await.unwrap(), std::io::Seek::seek(&mut oracle, to).unwrap());
            let most = if most == 1 { 20 } else { 300_000 };
            let length = random(most) as usize;
            let (mut read, mut expected) = (Vec::new(), Vec::new());
            (&mut reader).take(length as u64).read_to_end(&mut read).await.unwrap();
            std::io::Read::read_to_end(&mut std::io::Read::take(&mut oracle, length as u64), &mut expected).unwrap();
            assert!(read == expected, "{length} bytes after {to:?}");
            assert_eq!(reader.position(), oracle.position());
        }
    }
}

#[tokio::test]
async fn what_it_costs() {
    let data = bytes(20 * MIB);
    let (s3, store) = with_object(&data).await;
    let mut reader = s3.object_reader("my-bucket", "a").await.unwrap();
    assert_eq!(store.requests().len(), 1);
    let mut all = Vec::new();
    reader.read_to_end(&mut all).await.unwrap();
    // 256 KiB, 512 KiB, 1, 2, 4 MiB, and 8 MiB each from there.
    assert!(all == data && store.requests().len() == 7, "{}", store.requests());
    // Going back a little costs nothing, going back far does.
    store.clear_requests();
    let mut byte = [0];
    for back in [1, 1000, MIB as i64 - 10] {
        reader.seek(SeekFrom::End(-back)).await.unwrap();
        reader.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte[0], data[data.len() - back as usize]);
    }
    assert!(store.requests().is_empty(), "{}", store.requests());
    reader.seek(SeekFrom::Start(100)).await.unwrap();
    reader.read_exact(&mut byte).await.unwrap();
    assert_eq!((byte[0], store.requests().len()), (data[100], 1));
    // Beyond the end there is nothing, and before the beginning no place.
    reader.seek(SeekFrom::Start(1 << 40)).await.unwrap();
    assert_eq!(reader.read(&mut byte).await.unwrap(), 0);
    assert_eq!(reader.seek(SeekFrom::End(-(1 << 40))).await.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn small_and_empty_objects() {
    for text in ["", "Hello!"] {
        let (s3, store) = with_object(text.as_bytes()).await;
        let mut reader = s3.object_reader("my-bucket", "a").await.unwrap();
        let mut read = String::new();
        reader.read_to_string(&mut read).await.unwrap();
        assert_eq!((read.as_str(), reader.len()), (text, text.len() as u64));
        // An empty one has no range.
        assert_eq!(store.requests().len(), if text.is_empty() { 2 } else { 1 });
    }
    let (s3, _) = client().await;
    assert_eq!(s3.object_reader("my-bucket", "a").await.unwrap_err().kind(), ErrorKind::NoSuchKey);
}

#[tokio::test]
async fn it_is_one_object_that_is_read() {
    let (s3, store) = with_object(&bytes(3 * MIB)).await;
    let mut reader = s3.object_reader("my-bucket", "a").await.unwrap();
    let mut all = Vec::new();
    store.inject(Fault::replace_object(vec![0; 3 * MIB]).nth(2)).unwrap();
    let error = inner(reader.read_to_end(&mut all).await.unwrap_err());
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(all[..] == bytes(3 * MIB)[..all.len()]);
    assert_eq!(inner(reader.read(&mut [0]).await.unwrap_err()).kind(), ErrorKind::PreconditionFailed);
}

#[tokio::test]
async fn its_options() {
    let (s3, store) = client().await;
    let key = || CustomerKey::new([7; 32]);
    let put = s3.put_object("my-bucket", "a", bytes(MIB)).encryption(wharf::Encryption::Customer(key()));
    let etag = put.await.unwrap().etag;
    store.clear_requests();
    let open = || s3.object_reader("my-bucket", "a").customer_key(key()).request_payer();
    let mut reader = open().if_match(&etag).expected_bucket_owner(store.account_id()).await.unwrap();
    reader.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(store.requests().len() > 1);
    for request in store.requests().iter() {
        for name in ["x-amz-request-payer", "x-amz-expected-bucket-owner", "if-match"] {
            assert!(request.headers.contains_key(name), "{name}");
        }
    }
    assert_eq!(open().if_match("another").await.unwrap_err().kind(), ErrorKind::PreconditionFailed);
    assert_eq!(open().version_id("none").await.unwrap_err().kind(), ErrorKind::NoSuchVersion);
}
