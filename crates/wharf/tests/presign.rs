//! What a presigned request says: exactly what its holder must send, and until when.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::time::{Duration, SystemTime};

use support::{FakeClock, client_of};
use wharf::{Client, Credentials, ErrorKind, Json};

const HOUR: Duration = Duration::from_secs(3600);

/// A client whose clock stands still, and the time that it shows.
fn client(expires_in: Option<Duration>) -> (Client, SystemTime) {
    let clock = FakeClock::default();
    let now = wharf::Clock::now(&clock);
    let keys = Credentials::new("AKIDEXAMPLE", "secret");
    let keys = match expires_in {
        Some(left) => keys.with_expiry(now + left),
        None => keys,
    };
    (client_of("https://s3.example.com").credentials_provider(keys).clock(clock).build().unwrap(), now)
}

#[tokio::test]
async fn it_ends_when_the_request_or_the_credentials_end() {
    for (of_keys, asked_for, left) in [
        (None, HOUR, HOUR),
        (Some(2 * HOUR), HOUR, HOUR),
        (Some(HOUR / 2), HOUR, HOUR / 2),
        (None, Duration::from_millis(1900), Duration::from_secs(1)),
    ] {
        let (s3, now) = client(of_keys);
        let link = s3.get_object("my-bucket", "a").presign(asked_for).await.unwrap();
        assert_eq!(link.expires_at, now + left, "{of_keys:?} {asked_for:?}");
    }
    // A signature has no fractions of a second.
    let clock = FakeClock::default();
    let s3 = client_of("http://127.0.0.1:1").clock(clock.clone()).build().unwrap();
    let link = s3.get_object("my-bucket", "a").presign(HOUR).await.unwrap();
    clock.advance(Duration::from_millis(900));
    assert_eq!(s3.get_object("my-bucket", "a").presign(HOUR).await.unwrap().expires_at, link.expires_at);
}

#[tokio::test]
async fn it_lasts_from_a_second_to_seven_days() {
    let (s3, _) = client(None);
    let week = 7 * 24 * HOUR;
    assert!(s3.get_object("my-bucket", "a").presign(week).await.is_ok());
    for (asked_for, told) in [(week + Duration::from_secs(1), "604801s"), (Duration::from_millis(999), "999ms")] {
        let error = s3.get_object("my-bucket", "a").presign(asked_for).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            format!(
                "GetObject my-bucket/a: cannot presign for {told}: a presigned URI lasts from 1 second to 7 days \
                 (604800 seconds)"
            )
        );
    }
}

/// `curl -T` sends no header of S3's: none may be asked for that the caller did not.
#[tokio::test]
async fn nothing_is_signed_that_was_not_asked_for() {
    let (s3, _) = client(None);
    for (what, link) in [
        ("get", s3.get_object("my-bucket", "a").presign(HOUR).await),
        ("head", s3.head_object("my-bucket", "a").presign(HOUR).await),
        ("delete", s3.delete_object("my-bucket", "a").presign(HOUR).await),
        ("put", s3.put_object("my-bucket", "a", "text").presign(HOUR).await),
        ("put of a value", s3.put_object("my-bucket", "a", Json(&1)).presign(HOUR).await),
        ("part", s3.upload_part("my-bucket", "a", "upload", 1, "text").presign(HOUR).await),
    ] {
        let link = link.unwrap();
        assert!(link.headers.is_empty(), "{what}: {:?}", link.headers);
        assert!(
            link.url.contains("X-Amz-SignedHeaders=host&") && !link.url.contains("hecksum"),
            "{what}: {}",
            link.url
        );
    }
    let asked = s3.put_object("my-bucket", "a", "").content_type("text/plain").if_absent().presign(HOUR).await.unwrap();
    let mut names: Vec<_> = asked.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "if-none-match"]);
    assert!(asked.url.contains("X-Amz-SignedHeaders=content-type%3Bhost%3Bif-none-match&"), "{}", asked.url);
}

#[tokio::test]
async fn a_form_goes_to_the_bucket() {
    for (endpoint, url) in [
        (Some("https://s3.example.com"), "https://s3.example.com/my-bucket"),
        (None, "https://my-bucket.s3.eu-west-1.amazonaws.com/"),
    ] {
        let builder = Client::builder().environment(|_| None).region("eu-west-1").credentials("AKIDEXAMPLE", "secret");
        let builder = endpoint.into_iter().fold(builder, |builder, endpoint| builder.endpoint(endpoint));
        let form = builder.build().unwrap().post_object("my-bucket", "a/b").presign(HOUR).await.unwrap();
        assert_eq!(form.url, url);
        assert_eq!(form.fields[0], ("key".to_owned(), "a/b".to_owned()));
        let credential = &form.fields.iter().find(|(name, _)| name == "x-amz-credential").unwrap().1;
        assert!(credential.ends_with("/eu-west-1/s3/aws4_request"), "{credential}");
    }
    let anonymous = Client::builder().environment(|_| None).endpoint("https://s3.example.com").anonymous();
    let error = anonymous.build().unwrap().post_object("my-bucket", "a").presign(HOUR).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.message(), "an anonymous client has no keys to presign with");
}

/// Whoever begins an upload by a link has no body to compute anything of.
#[tokio::test]
async fn an_upload_can_be_begun_by_a_link() {
    use wharf::proto::operation::Sender;
    let (s3, _) = client(None);
    let link = s3.presign(s3.create_multipart_upload("my-bucket", "a"), HOUR).await.unwrap();
    assert!(link.url.starts_with("https://s3.example.com/my-bucket/a?uploads") && link.headers.is_empty(), "{link:?}");
    let named = s3.create_multipart_upload("my-bucket", "a").checksum_algorithm(wharf::ChecksumAlgorithm::Crc32);
    let link = s3.presign(named, HOUR).await.unwrap();
    assert_eq!(link.headers["x-amz-checksum-algorithm"], "CRC32");
}
