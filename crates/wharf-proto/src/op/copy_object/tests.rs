use super::*;
use crate::ErrorKind;
use crate::new_object::tests::{assert_everything, time};
use crate::op::testing::answer;

fn copy() -> CopyObject {
    CopyObject::new((), "from", "a", "into", "b")
}

#[test]
fn a_source_may_be_an_arn() {
    let source = |bucket: &str| copy_source(bucket, "a/b", None);
    assert_eq!(source("arn:aws:s3:::bucket").unwrap(), "bucket/a/b");
    let point = source("arn:aws:s3:us-west-2:123456789012:accesspoint/name").unwrap();
    assert_eq!(point, "arn%3Aaws%3As3%3Aus-west-2%3A123456789012%3Aaccesspoint/name/object/a/b");
    let error = source("arn:aws:s3::123456789012:accesspoint:alias.mrap").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("the copy's source: invalid bucket name"), "{error}");
}

#[test]
fn every_parameter_reaches_the_request() {
    let mut call = CopyObject::new((), "from", "a//ü?b+c d", "into", "k")
        .source_version_id("v=1")
        .source_if_match("e")
        .source_if_none_match("\"f\"")
        .source_if_modified_since(time())
        .source_if_unmodified_since(time())
        .source_customer_key(CustomerKey::new([7; 32]))
        .source_expected_bucket_owner("1")
        .if_match("g")
        .exclude_annotations()
        .content_type("text/csv")
        .content_encoding("gzip")
        .content_disposition("attachment")
        .content_language("de")
        .cache_control("no-store")
        .expires(time())
        .metadata("team", "blue")
        .tag("k 1", "a/b")
        .tag("k2", "")
        .storage_class(StorageClass::GlacierIr)
        .encryption(Encryption::Kms(crate::KmsKey::id("key")))
        .acl(CannedAcl::PublicRead)
        .grant_full_control(Grantee::Id("1".to_owned()))
        .grant_read(Grantee::Id("1".to_owned()))
        .grant_read(Grantee::Uri("u".to_owned()))
        .grant_read_acp(Grantee::Id("2".to_owned()))
        .grant_write_acp(Grantee::EmailAddress("a@b.c".to_owned()))
        .object_lock(ObjectLockMode::Governance, time())
        .legal_hold(true)
        .event_hold(false)
        .event_hold_duration(EventHoldDuration::Days(30))
        .website_redirect_location("/other")
        .checksum_algorithm(ChecksumAlgorithm::Sha1)
        .request_payer()
        .expected_bucket_owner("2");
    let request = call.request().unwrap();
    assert_eq!(
        (&request.method, request.bucket.as_deref(), request.key.as_deref()),
        (&Method::PUT, Some("into"), Some("k"))
    );
    assert!(request.query.is_empty() && request.success == Success::DocumentBegunEarly && !request.retry_conflict);
    assert_everything(&request.headers);
    let date = "Wed, 21 Oct 2026 07:28:00 GMT";
    for (name, value) in [
        ("x-amz-copy-source", "from/a//%C3%BC%3Fb%2Bc%20d?versionId=v%3D1"),
        ("x-amz-copy-source-if-match", "\"e\""),
        ("x-amz-copy-source-if-none-match", "\"f\""),
        ("x-amz-copy-source-if-modified-since", date),
        ("x-amz-copy-source-if-unmodified-since", date),
        ("x-amz-copy-source-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-source-expected-bucket-owner", "1"),
        ("if-match", "\"g\""),
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-tagging-directive", "REPLACE"),
        ("x-amz-object-annotation-directive", "EXCLUDE"),
        ("x-amz-checksum-algorithm", "SHA1"),
        ("x-amz-request-payer", "requester"),
        ("x-amz-expected-bucket-owner", "2"),
    ] {
        assert_eq!(request.headers[name], value, "{name}");
    }
}

#[test]
fn nothing_set_copies_everything() {
    let request = copy().request().unwrap();
    assert_eq!(request.headers.len(), 1);
    assert_eq!(request.headers["x-amz-copy-source"], "from/a");
    let request = copy().storage_class(StorageClass::Glacier).if_absent().request().unwrap();
    assert!(!request.headers.contains_key("x-amz-metadata-directive"));
    assert_eq!(request.headers["if-none-match"], "*");
}

#[test]
fn each_directive_is_implied_or_asked_for() {
    for (mut call, metadata, tags) in [
        (copy().metadata("a", "b"), true, false),
        (copy().cache_control("no-store"), true, false),
        (copy().tag("a", "b"), false, true),
        (copy().replace_metadata(), true, false),
        (copy().replace_tags(), false, true),
    ] {
        let request = call.request().unwrap();
        assert_eq!(request.headers.contains_key("x-amz-metadata-directive"), metadata, "{call:?}");
        assert_eq!(request.headers.contains_key("x-amz-tagging-directive"), tags, "{call:?}");
    }
}

#[test]
fn a_source_that_cannot_be_is_named() {
    let error = CopyObject::new((), "from", "", "into", "b").request().unwrap_err();
    assert_eq!(error.to_string(), "the copy's source: the key is empty");
    let arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/ap";
    let expected = "arn%3Aaws%3As3%3Aeu-west-1%3A111122223333%3Aaccesspoint/ap/object/a/b";
    assert_eq!(copy_source(arn, "a/b", None).unwrap(), expected);
}

#[test]
fn the_answer_is_read() {
    let mut response = answer(
        "<CopyObjectResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><ETag>&quot;e&quot;</ETag>\
         <LastModified>2026-10-21T07:28:00.000Z</LastModified><ChecksumType>FULL_OBJECT</ChecksumType>\
         <ChecksumCRC32>y/Q5Jg==</ChecksumCRC32><ChecksumNEW>?</ChecksumNEW></CopyObjectResult>",
    );
    for (name, value) in [
        ("x-amz-version-id", "v2"),
        ("x-amz-copy-source-version-id", "v1"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-expiration", "rule"),
        ("x-amz-request-charged", "requester"),
    ] {
        response.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    let output = copy().response(response).unwrap();
    assert_eq!((output.etag.as_str(), output.last_modified), ("\"e\"", Some(time())));
    assert_eq!((output.version_id.as_deref(), output.copy_source_version_id.as_deref()), (Some("v2"), Some("v1")));
    assert_eq!(output.checksum, Some(ChecksumAlgorithm::Crc32.checksum(b"123456789")));
    assert_eq!(output.checksum_type, Some(ChecksumType::FullObject));
    assert_eq!(output.encryption.unwrap().algorithm, "AES256");
    assert!(output.expiration.is_some() && output.request_charged);
}

#[test]
fn an_answer_that_is_no_result_is_an_error() {
    let error = copy().response(answer("<html/>")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MalformedResponse);
}
