//! Bodies on their way in: cut short, too long, other bytes than were stored.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use bytes::Bytes;
use http::Response;
use support::{Conn, Fake, Server, client_of, line};
use tokio::io::AsyncReadExt;
use wharf::blocking::Wait;
use wharf::transport::Body as Bytestream;
use wharf::{Client, ErrorKind};

/// A client whose server answers with these headers and this body, which need not go together.
fn answering(headers: &'static [(&'static str, &'static str)], body: &'static str) -> Client {
    let fake = Fake::new(move |_, _| {
        let mut answer = Response::new(Bytestream::from(Bytes::from_static(body.as_bytes())));
        for (name, value) in headers {
            answer.headers_mut().insert(*name, value.parse().unwrap());
        }
        std::future::ready(Ok(answer))
    });
    client_of("http://127.0.0.1:1").transport(fake).build().unwrap()
}

#[tokio::test]
async fn a_body_that_ends_early() {
    let s3 = answering(&[("content-length", "10")], "Hello!");
    let error = s3.get_object("my-bucket", "a").bytes().await.unwrap_err();
    assert_eq!(line(&error), "GetObject my-bucket/a: the connection was closed 4 bytes before the end of the body");
    assert_eq!(error.kind(), ErrorKind::Transport);
}

#[tokio::test]
async fn a_body_that_is_too_long() {
    let s3 = answering(&[("content-length", "3")], "Hello!");
    let error = s3.get_object("my-bucket", "a").bytes().await.unwrap_err();
    assert_eq!(line(&error), "GetObject my-bucket/a: the server sent more bytes than it announced");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

/// Over a socket the bytes beyond the announced ones are no part of the answer, and the connection is of no more use.
#[tokio::test]
async fn bytes_after_the_answer() {
    let server = Server::start(|mut conn: Conn| async move {
        while conn.request().await.is_some() {
            conn.write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nHello!").await;
        }
    })
    .await;
    let s3 = client_of(server.url()).build().unwrap();
    for _ in 0..3 {
        assert_eq!(s3.get_object("my-bucket", "a").text().await.unwrap(), "Hel");
    }
}

#[tokio::test]
async fn a_body_that_does_not_match_its_checksum() {
    let headers = &[("content-length", "6"), ("x-amz-checksum-crc32", "AAAAAA==")];
    let error = answering(headers, "Hello!").get_object("my-bucket", "a").checksum_mode(true).text().await.unwrap_err();
    assert_eq!(line(&error), "GetObject my-bucket/a: the body does not match its CRC32 checksum");
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

/// Every algorithm that S3 has: sent in its header, and compared with what comes back.
#[tokio::test]
async fn every_algorithm_goes_out_and_is_compared_on_its_way_in() {
    for algorithm in wharf::ChecksumAlgorithm::ALL {
        let fake = Fake::new(move |_, request: http::Request<Bytestream>| {
            let right = algorithm.checksum(b"Hello!").to_base64();
            let mut answer = Response::new(Bytestream::empty());
            match request.method() {
                &http::Method::PUT => assert_eq!(request.headers()[algorithm.header_name()], right, "{algorithm}"),
                _ => *answer.body_mut() = Bytestream::from(Bytes::from_static(b"Hello?")),
            }
            answer.headers_mut().insert(algorithm.header_name(), right.parse().unwrap());
            std::future::ready(Ok(answer))
        });
        let s3 = client_of("http://127.0.0.1:1").transport(fake).build().unwrap();
        let put = s3.put_object("my-bucket", "a", "Hello!").checksum(algorithm).await.unwrap();
        assert_eq!(put.checksum, Some(algorithm.checksum(b"Hello!")), "{algorithm}");
        let error = s3.get_object("my-bucket", "a").checksum_mode(true).bytes().await.unwrap_err();
        let expected = format!("GetObject my-bucket/a: the body does not match its {algorithm} checksum");
        assert_eq!((line(&error), error.kind()), (expected, ErrorKind::Corrupt));
    }
}

/// A checksum of something else than these bytes says nothing about them.
#[tokio::test]
async fn a_checksum_of_something_else() {
    for headers in [
        &[("content-length", "6"), ("x-amz-checksum-crc32", "AAAAAA=="), ("content-range", "bytes 0-5/9")],
        &[("content-length", "6"), ("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-type", "COMPOSITE")],
        &[("content-length", "6"), ("x-amz-checksum-crc32", "AAAAAA==-2"), ("etag", "\"e\"")],
        &[("content-length", "6"), ("x-amz-checksum-crc32", "rubbish"), ("etag", "\"e\"")],
    ] {
        assert_eq!(answering(headers, "Hello!").get_object("my-bucket", "a").text().await.unwrap(), "Hello!");
    }
}

/// Every way of reading finds it out, and gives no more after it.
#[tokio::test]
async fn every_way_of_reading_is_checked() {
    let s3 = answering(&[("content-length", "6"), ("x-amz-checksum-crc32", "AAAAAA==")], "Hello!");
    let object = || async { s3.get_object("my-bucket", "a").await.unwrap() };
    let mut body = object().await.stream();
    assert_eq!(body.next().await.unwrap().unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(body.next().await.is_none());
    let mut text = String::new();
    let error = object().await.stream().read_to_string(&mut text).await.unwrap_err();
    let error = error.into_inner().unwrap().downcast::<wharf::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let error = std::io::Read::read_to_string(&mut object().await.stream().into_read(), &mut text).unwrap_err();
    assert!(error.to_string().contains("does not match its CRC32 checksum"), "{error}");
}

#[tokio::test]
async fn an_object_that_is_larger_than_the_limit() {
    let s3 = answering(&[("content-length", "6")], "Hello!");
    let error = s3.get_object("my-bucket", "a").limit(5).bytes().await.unwrap_err();
    assert_eq!(line(&error), "GetObject my-bucket/a: the object has 6 bytes, more than the limit of 5");
    let s3 = answering(&[], "Hello!");
    let error = s3.get_object("my-bucket", "a").limit(5).bytes().await.unwrap_err();
    assert_eq!(line(&error), "GetObject my-bucket/a: the object has more bytes than the limit of 5");
    assert_eq!(s3.get_object("my-bucket", "a").limit(6).text().await.unwrap(), "Hello!");
}

#[test]
fn a_blocking_read_is_checked_too() {
    let fake = Fake::new(|_, _| {
        let mut answer = Response::new(Bytestream::from(Bytes::from_static(b"Hello!")));
        answer.headers_mut().insert("content-length", "10".parse().unwrap());
        std::future::ready(Ok(answer))
    });
    let s3 = client_of("http://127.0.0.1:1").transport(fake).build_blocking().unwrap();
    let error = s3.get_object("my-bucket", "a").text().wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

/// Who reads as many bytes as were announced never asks for the end.
#[tokio::test]
async fn a_wrong_checksum_is_found_by_who_reads_the_exact_length() {
    let headers = &[("content-length", "6"), ("x-amz-checksum-crc32", "AAAAAA==")];
    let mut object = answering(headers, "Hello!").get_object("my-bucket", "a").checksum_mode(true).await.unwrap();
    let mut bytes = [0; 6];
    let error = tokio::io::AsyncReadExt::read_exact(&mut object.body, &mut bytes).await.unwrap_err();
    let error = error.into_inner().unwrap().downcast::<wharf::Error>().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
