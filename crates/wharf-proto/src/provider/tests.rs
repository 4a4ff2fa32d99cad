use http::Method;

use super::*;
use crate::checksum::ChecksumAlgorithm;
use crate::op::{
    CompleteMultipartUpload, CopyObject, CreateMultipartUpload, DeleteObject, DeleteObjectTagging, GetObject,
    HeadObject, ListMultipartUploads, ListObjects, PutObject, SignedRequest, UploadPartCopy,
};
use crate::operation::{Operation, Request};
use crate::{AddressingStyle, ErrorKind};

fn request(mut operation: impl Operation) -> Request {
    operation.request().unwrap()
}

fn provider(url: &str) -> Provider {
    Provider::of(&Endpoint::custom(url).unwrap())
}

#[test]
fn host_names_give_a_provider_away() {
    for (url, expected) in [
        ("https://s3.eu-west-1.amazonaws.com", Provider::Aws),
        ("https://s3.cn-north-1.amazonaws.com.cn", Provider::Aws),
        ("https://account.r2.cloudflarestorage.com", Provider::R2),
        ("https://account.eu.r2.cloudflarestorage.com", Provider::R2),
        ("https://storage.googleapis.com", Provider::Gcs),
        ("https://s3.eu-central-003.backblazeb2.com", Provider::B2),
        ("https://s3.wasabisys.com", Provider::Wasabi),
        ("https://s3.eu-central-1.wasabisys.com", Provider::Wasabi),
        ("https://fra1.digitaloceanspaces.com", Provider::Spaces),
        ("https://namespace.compat.objectstorage.eu-frankfurt-1.oraclecloud.com", Provider::Oci),
        ("https://namespace.compat.objectstorage.eu-frankfurt-1.oci.customer-oci.com", Provider::Oci),
        ("https://s3.fr-par.scw.cloud", Provider::Scaleway),
        ("https://gateway.storjshare.io", Provider::Storj),
        ("https://Gateway.StorjShare.IO:443/prefix", Provider::Storj),
        ("http://localhost:9000", Provider::Other),
        // Names that only look like one.
        ("https://evilwasabisys.com", Provider::Other),
        ("https://s3.wasabisys.com.example.org", Provider::Other),
        ("https://scw.cloud.example.org", Provider::Other),
    ] {
        assert_eq!(provider(url), expected, "{url}");
    }
}

#[test]
fn a_server_header_is_a_hint() {
    assert_eq!(Provider::of_server_header("SeaweedFS 4.48"), Some(Provider::SeaweedFs));
    assert_eq!(Provider::of_server_header("MinIO"), Some(Provider::Minio));
    assert_eq!(Provider::of_server_header("nginx"), None);
    // rclone calls itself so.
    assert_eq!(Provider::of_server_header("AmazonS3"), None);
    // It never chooses: only the endpoint does.
    assert_eq!(provider("http://localhost:9000"), Provider::Other);
}

#[test]
fn the_table_holds_together() {
    let all: Vec<_> = Provider::all().collect();
    for (at, provider) in all.iter().enumerate() {
        assert!(!all[..at].contains(provider), "{provider} has two rows");
        let habits = provider.habits();
        assert!(habits.chunks || !habits.trailers, "{provider}: a trailer is framed");
        assert!(habits.checksum.is_some() || !habits.announces_checksum, "{provider}: nothing to announce");
        let both = habits.keeps.iter().find(|condition| habits.ignores.contains(*condition));
        assert_eq!(both, None, "{provider}: kept and ignored");
        let Parts { min_size, max_size, max_count, .. } = habits.parts;
        assert!(min_size <= max_size && max_count > 0, "{provider}");
        let text = match habits.source {
            Source::Verified(text) | Source::Documentation(text) => text,
        };
        assert!(!text.is_empty(), "{provider}");
        // What is not run here may not be taken for the whole truth.
        assert!(*provider == Provider::Aws || habits.addressing == AddressingStyle::Path, "{provider}");
    }
    assert_eq!(all.len(), 17);
    for (domain, provider) in HOSTS {
        assert!(all.contains(provider), "{domain}");
    }
}

/// What only directory buckets have.
const DIRECTORY: Conditions = Conditions::of(&[Condition::DeleteIfSizeOrDate, Condition::Append]);

#[test]
fn an_unknown_server_is_trusted_with_little() {
    let other = Provider::Other.habits();
    assert_eq!(other.addressing, AddressingStyle::Path);
    assert!(!other.trailers && !other.multipart_etag && !other.etag_is_md5 && !other.sorted);
    assert_eq!(other.content_md5, ContentMd5::WhenAsked);
    assert!(other.list_v2);
    assert_eq!((other.keeps, other.ignores.without(DIRECTORY)), (Conditions::NONE, Conditions::NONE));
}

#[test]
fn names_are_read_as_they_are_shown() {
    for provider in Provider::all() {
        assert_eq!(format!("{provider:?}").parse::<Provider>().unwrap(), provider);
        assert_eq!(format!("{provider:?}").to_lowercase().parse::<Provider>().unwrap(), provider);
    }
    let error = "amazon".parse::<Provider>().unwrap_err();
    assert!(error.to_string().starts_with("there is no provider \"amazon\"; say one of aws, r2, gcs"), "{error}");
}

#[test]
fn limits_that_transfers_need() {
    let parts = |provider: Provider| provider.habits().parts;
    assert_eq!((parts(Provider::Aws).max_count, parts(Provider::Aws).max_size), (10_000, 5 << 30));
    assert_eq!(parts(Provider::Scaleway).max_count, 1_000);
    assert_eq!(parts(Provider::Storj).min_size, 64 << 20);
    let equal: Vec<_> = Provider::all().filter(|provider| parts(*provider).equal).collect();
    assert_eq!(equal, [Provider::R2]);
    let without: Vec<_> = Provider::all().filter(|provider| !parts(*provider).copies).collect();
    assert_eq!(without, [Provider::Gcs, Provider::Storj, Provider::Rclone]);
}

#[test]
fn each_condition_is_seen_in_its_request() {
    use Condition::*;
    let now = std::time::SystemTime::UNIX_EPOCH;
    let put = || PutObject::new((), "bucket", "k", "x");
    let copy = || CopyObject::new((), "bucket", "source", "bucket", "k");
    let complete = || CompleteMultipartUpload::new((), "bucket", "k", "id").part((1, "e"));
    let delete = || DeleteObject::new((), "bucket", "k");
    let get = || GetObject::new((), "bucket", "k");
    for (request, expected) in [
        (request(put()), &[][..]),
        (request(put().if_absent()), &[PutIfAbsent]),
        (request(put().if_match("e")), &[PutIfMatch]),
        (request(put().write_offset_bytes(7)), &[Append]),
        (request(complete()), &[]),
        (request(complete().if_absent()), &[CompleteIfAbsent]),
        (request(complete().if_match("e")), &[CompleteIfMatch]),
        (request(copy()), &[]),
        (request(copy().if_absent()), &[CopyIfAbsent]),
        (request(copy().if_match("e").source_if_match("f")), &[CopyIfMatch, CopySource]),
        (request(copy().source_if_modified_since(now)), &[CopySource]),
        (
            request(UploadPartCopy::new((), "bucket", "source", "bucket", "k", "id", 1).source_if_none_match("e")),
            &[CopySource],
        ),
        (request(delete()), &[]),
        (request(delete().if_match("e")), &[DeleteIfMatch]),
        (request(delete().if_match_size(1)), &[DeleteIfSizeOrDate]),
        (request(get()), &[]),
        (request(get().if_match("e")), &[ReadIfMatch]),
        (request(get().if_none_match("e").if_modified_since(now)), &[ReadIfNoneMatch, ReadDates]),
        (request(HeadObject::new((), "bucket", "k").if_unmodified_since(now)), &[ReadDates]),
        // Somebody's own request is no exception.
        (
            request(
                SignedRequest::new((), Method::PUT).bucket("bucket").key("k").header("If-None-Match", "*").body("x"),
            ),
            &[PutIfAbsent],
        ),
        // Some add the operation's name, which changes nothing.
        (
            request(
                SignedRequest::new((), Method::PUT)
                    .bucket("bucket")
                    .key("k")
                    .query("x-id", "PutObject")
                    .header("If-Match", "e")
                    .body("x"),
            ),
            &[PutIfMatch],
        ),
        // Of operations that have no such condition.
        (request(DeleteObjectTagging::new((), "bucket", "k")), &[]),
        (request(CreateMultipartUpload::new((), "bucket", "k")), &[]),
        (request(ListObjects::new((), "bucket")), &[]),
    ] {
        let seen: Vec<_> = Condition::of(&request).iter().collect();
        assert_eq!(seen, expected, "{request:?}");
    }
}

#[test]
fn a_condition_that_would_be_ignored_is_refused() {
    let mut put = request(PutObject::new((), "bucket", "k", "x").if_absent());
    let error = Provider::Garage.habits().apply(&mut put).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "this provider is known to ignore the condition \"PutObject if absent\": the object would be written in any \
         case; nothing was sent"
    );
    let mut delete = request(DeleteObject::new((), "bucket", "k").if_match_size(1));
    let error = Provider::Other.habits().apply(&mut delete).unwrap_err();
    assert_eq!(
        error.to_string(),
        "only Amazon S3 is known to keep the condition \"DeleteObject if size or date\": the object would be deleted in \
         any case; nothing was sent"
    );
    let mut append = request(PutObject::new((), "bucket", "k", "x").write_offset_bytes(7));
    for provider in Provider::all() {
        let sent = matches!(provider, Provider::Aws | Provider::Embedded);
        assert_eq!(provider.habits().apply(&mut delete).is_ok(), sent, "{provider}");
        assert_eq!(provider.habits().apply(&mut append).is_ok(), sent, "{provider}");
    }
    for provider in [Provider::Aws, Provider::Ceph, Provider::R2, Provider::Other] {
        provider.habits().apply(&mut put).unwrap();
    }
    let mut trusting = Provider::Garage.habits();
    trusting.ignores = Conditions::NONE;
    trusting.apply(&mut put).unwrap();
}

#[test]
fn listings_ask_for_what_there_is() {
    let names = |request: &Request| {
        let pairs =
            request.query.iter().map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or_default()));
        pairs.collect::<Vec<_>>().join(" ")
    };
    let list = || ListObjects::new((), "bucket").prefix("p").start_after("p1").fetch_owner();
    let mut plain = Provider::Spaces.habits();
    let mut first = request(list());
    plain.apply(&mut first).unwrap();
    assert_eq!(names(&first), "list-type=2 prefix=p start-after=p1 fetch-owner=true");
    let mut uploads = request(ListMultipartUploads::new((), "bucket"));
    plain.apply(&mut uploads).unwrap();
    assert_eq!(names(&uploads), "uploads=");

    plain.list_v2 = false;
    let mut first = request(list());
    plain.apply(&mut first).unwrap();
    assert_eq!(names(&first), "prefix=p marker=p1");
    let mut next = request(list().continuation_token("p7"));
    plain.apply(&mut next).unwrap();
    assert_eq!(names(&next), "prefix=p marker=p7");

    let mut as_it_was = request(list());
    Provider::Aws.habits().apply(&mut as_it_was).unwrap();
    assert_eq!(names(&as_it_was), "list-type=2 prefix=p start-after=p1 fetch-owner=true encoding-type=url");
}

#[test]
fn a_stored_checksum_is_only_asked_for_where_that_is_no_error() {
    let asks = |provider: Provider| {
        let mut get = request(GetObject::new((), "bucket", "k").checksum_mode(true));
        provider.habits().apply(&mut get).unwrap();
        get.headers.contains_key("x-amz-checksum-mode")
    };
    assert!(asks(Provider::Aws) && asks(Provider::Other));
    assert!(!asks(Provider::B2) && !asks(Provider::Gcs));
    assert_eq!(Provider::B2.habits().checksum, None);
    assert_eq!(Provider::Oci.habits().checksum, Some(ChecksumAlgorithm::Crc32c));
}

#[test]
fn sets_of_conditions() {
    let two = Conditions::of(&[Condition::CopyIfMatch, Condition::PutIfAbsent]);
    assert_eq!(two.iter().collect::<Vec<_>>(), [Condition::PutIfAbsent, Condition::CopyIfMatch]);
    assert!(two.contains(Condition::PutIfAbsent) && !two.contains(Condition::PutIfMatch));
    assert_eq!(two.without(two), Conditions::NONE);
    assert_eq!(Conditions::ALL.iter().count(), Condition::ALL.len());
    assert_eq!(format!("{two:?}"), "{PutIfAbsent, CopyIfMatch}");
}
