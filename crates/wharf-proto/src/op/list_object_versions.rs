//! ListObjectVersions.

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::elements::{common_prefix, must_begin, no_next_page, some_text};
use super::list_objects::{read_owner, read_restore_status};
use super::{Owner, RestoreStatus};
use crate::checksum::{ChecksumAlgorithm, ChecksumType};
use crate::headers::Headers;
use crate::operation::{Operation, Paged, Request, SendFuture, Sender, Success};
use crate::paging::{Items, Pages};
use crate::storage::StorageClass;
use crate::xml::{self, Scanner};
use crate::{ETag, Error, time, uri};

/// Lists all versions of a bucket's objects, delete markers included: ListObjectVersions, one request a page.
///
/// Keys come in their order, and the versions of a key from the newest to the oldest. Awaited, it gives one page of at
/// most 1,000 versions. [`pages`](ListObjectVersions::pages) and [`items`](ListObjectVersions::items) are streams over
/// all of them.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct ListObjectVersions<S = ()> {
    sender: S,
    bucket: String,
    prefix: Option<String>,
    delimiter: Option<String>,
    max_keys: Option<u32>,
    key_marker: Option<String>,
    version_id_marker: Option<String>,
    restore_status: bool,
    url_encoding: bool,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

impl<S> ListObjectVersions<S> {
    /// Lists the versions in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            prefix: None,
            delimiter: None,
            max_keys: None,
            key_marker: None,
            version_id_marker: None,
            restore_status: false,
            url_encoding: true,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Lists only keys that begin with this.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Groups keys: all that share the text up to the first `delimiter` after the prefix are one common prefix.
    pub fn delimiter(mut self, delimiter: impl Into<String>) -> Self {
        self.delimiter = Some(delimiter.into());
        self
    }

    /// How many versions and common prefixes a page may hold: 1,000 by default and at most.
    pub fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = Some(max_keys);
        self
    }

    /// Begins after this key, or with [`version_id_marker`](ListObjectVersions::version_id_marker) after that version
    /// of it.
    pub fn key_marker(mut self, key: impl Into<String>) -> Self {
        self.key_marker = Some(key.into());
        self
    }

    /// Begins after this version of the key marker.
    pub fn version_id_marker(mut self, version_id: impl Into<String>) -> Self {
        self.version_id_marker = Some(version_id.into());
        self
    }

    /// Has each archived version say whether it is being restored (`x-amz-optional-object-attributes`).
    pub fn restore_status(mut self) -> Self {
        self.restore_status = true;
        self
    }

    /// Whether keys travel URL-encoded, which every key survives: on by default. They are decoded here, once.
    pub fn url_encoding(mut self, enabled: bool) -> Self {
        self.url_encoding = enabled;
        self
    }

    /// Agrees to pay for the request in a requester-pays bucket.
    pub fn request_payer(mut self) -> Self {
        self.request_payer = true;
        self
    }

    /// Fails with [`AccessDenied`](crate::ErrorKind::AccessDenied) unless this account owns the bucket.
    pub fn expected_bucket_owner(mut self, account_id: impl Into<String>) -> Self {
        self.expected_bucket_owner = Some(account_id.into());
        self
    }
}

impl<S: Sender + Unpin> ListObjectVersions<S> {
    /// All pages, one request each.
    pub fn pages(self) -> Pages<Self, S> {
        Pages::new(self.sender.clone(), self)
    }

    /// All versions of all pages. Common prefixes are left out; [`pages`](ListObjectVersions::pages) have them.
    pub fn items(self) -> Items<Self, S> {
        Items::new(self.sender.clone(), self)
    }
}

/// One page of a listing of versions.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListObjectVersionsOutput {
    /// Versions and delete markers, in the order in which the server sent them.
    pub versions: Vec<ListedVersion>,
    /// The common prefixes, where a delimiter was given.
    pub common_prefixes: Vec<String>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// The key marker that asks for the next page.
    pub next_key_marker: Option<String>,
    /// The version marker that goes with it.
    pub next_version_id_marker: Option<String>,
    /// How many versions, delete markers and common prefixes it could hold at most, as the server took the request.
    pub max_keys: Option<u32>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

/// A version of an object, or a delete marker, as a listing names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListedVersion {
    /// The key, byte for byte.
    pub key: String,
    /// The version; `null` for what was written without versioning.
    pub version_id: String,
    /// Whether this is the key's newest version.
    pub is_latest: bool,
    /// Whether this only says that the object was deleted. A delete marker has no size, tag, class or checksum.
    pub is_delete_marker: bool,
    /// Its size in bytes.
    pub size: u64,
    /// The entity tag; empty where the server sent none.
    pub etag: ETag,
    /// When it was written.
    pub last_modified: Option<SystemTime>,
    /// The storage class.
    pub storage_class: StorageClass,
    /// The algorithm of the stored checksum, where there is one.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
    /// Whether that checksum covers the object or its parts.
    pub checksum_type: Option<ChecksumType>,
    /// Who owns it.
    pub owner: Option<Owner>,
    /// The state of a restore from the archive, where asked for.
    pub restore_status: Option<RestoreStatus>,
}

impl<S: Send + 'static> Operation for ListObjectVersions<S> {
    const NAME: &'static str = "ListObjectVersions";
    type Output = ListObjectVersionsOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::GET, &self.bucket)?;
        request.success = Success::Document;
        request.subresource("versions");
        request.query_opt("prefix", self.prefix.as_deref());
        request.query_opt("delimiter", self.delimiter.as_deref());
        request.query_opt("max-keys", self.max_keys.map(|max| max.to_string()));
        request.query_opt("key-marker", self.key_marker.as_deref());
        request.query_opt("version-id-marker", self.version_id_marker.as_deref());
        request.query_opt("encoding-type", self.url_encoding.then_some("url"));
        request.header_opt("x-amz-optional-object-attributes", self.restore_status.then_some("RestoreStatus"))?;
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<ListObjectVersionsOutput, Error> {
        let mut page = read_page(xml::text(response.body())?)?;
        let keys = page.versions.iter().map(|version| &version.key);
        must_begin(self.prefix.as_deref(), keys.chain(&page.common_prefixes))?;
        page.request_charged = Headers::of(response.headers()).request_charged();
        Ok(page)
    }
}

impl<S: Sender> Paged for ListObjectVersions<S> {
    type Item = ListedVersion;

    fn after(&self, page: &ListObjectVersionsOutput) -> Result<Option<Self>, Error> {
        if !page.is_truncated {
            return Ok(None);
        }
        if page.next_key_marker.is_none() {
            return Err(no_next_page().at(Self::NAME, Some(&self.bucket), None));
        }
        Ok(Some(Self {
            key_marker: page.next_key_marker.clone(),
            version_id_marker: page.next_version_id_marker.clone(),
            ..self.clone()
        }))
    }

    fn into_items(page: ListObjectVersionsOutput) -> Vec<ListedVersion> {
        page.versions
    }
}

impl<S: Sender> IntoFuture for ListObjectVersions<S> {
    type Output = Result<ListObjectVersionsOutput, Error>;
    type IntoFuture = SendFuture<ListObjectVersionsOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_page(document: &str) -> Result<ListObjectVersionsOutput, Error> {
    let mut page = ListObjectVersionsOutput::default();
    let mut url_encoded = false;
    let mut scanner = Scanner::new(document, "ListVersionsResult")?;
    while let Some(name) = scanner.child()? {
        match name {
            "Version" => page.versions.push(read_version(&mut scanner, false)?),
            "DeleteMarker" => page.versions.push(read_version(&mut scanner, true)?),
            "CommonPrefixes" => page.common_prefixes.push(common_prefix(&mut scanner)?),
            "IsTruncated" => page.is_truncated = scanner.parse()?,
            "NextKeyMarker" => page.next_key_marker = some_text(&mut scanner)?,
            "NextVersionIdMarker" => page.next_version_id_marker = some_text(&mut scanner)?,
            "MaxKeys" => page.max_keys = scanner.text()?.parse().ok(),
            "EncodingType" => url_encoded = scanner.text()?.eq_ignore_ascii_case("url"),
            _ => scanner.skip()?,
        }
    }
    if url_encoded {
        page.versions.iter_mut().for_each(|version| uri::decode_in_place(&mut version.key));
        page.common_prefixes.iter_mut().for_each(uri::decode_in_place);
        page.next_key_marker.iter_mut().for_each(uri::decode_in_place);
    }
    Ok(page)
}

fn read_version(scanner: &mut Scanner<'_>, is_delete_marker: bool) -> Result<ListedVersion, Error> {
    let mut version = ListedVersion { is_delete_marker, ..ListedVersion::default() };
    while let Some(name) = scanner.child()? {
        match name {
            "Key" => version.key = scanner.text()?.into_owned(),
            "VersionId" => version.version_id = scanner.text()?.into_owned(),
            "IsLatest" => version.is_latest = scanner.parse()?,
            "Size" => version.size = scanner.parse()?,
            "ETag" => version.etag = ETag::from(scanner.text()?.into_owned()),
            "LastModified" => version.last_modified = time::parse_iso8601(&scanner.text()?),
            "StorageClass" => version.storage_class = scanner.parse()?,
            "ChecksumAlgorithm" => version.checksum_algorithm = scanner.text()?.parse().ok(),
            "ChecksumType" => version.checksum_type = scanner.text()?.parse().ok(),
            "Owner" => version.owner = Some(read_owner(scanner)?),
            "RestoreStatus" => version.restore_status = Some(read_restore_status(scanner)?),
            _ => scanner.skip()?,
        }
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::op::testing::{self, Never};

    const PAGE: &str = "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><KeyMarker>old</KeyMarker>\
        <MaxKeys>10</MaxKeys>\
        <NextKeyMarker>a%252Bb</NextKeyMarker><NextVersionIdMarker>v%2B</NextVersionIdMarker>\
        <Version><Key>a%2520+b</Key><VersionId>v3</VersionId><IsLatest>false</IsLatest>\
        <LastModified>2026-10-21T07:28:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>5</Size>\
        <StorageClass>GLACIER</StorageClass><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>\
        <ChecksumType>FULL_OBJECT</ChecksumType><Owner><ID>o</ID></Owner>\
        <RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus></Version>\
        <DeleteMarker><Key>b</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest></DeleteMarker>\
        <Version><Key>b</Key><VersionId>null</VersionId><IsLatest>false</IsLatest></Version>\
        <CommonPrefixes><Prefix>p%2F</Prefix></CommonPrefixes></ListVersionsResult>";

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = ListObjectVersions::new((), "bucket")
            .prefix("a/")
            .delimiter("/")
            .max_keys(10)
            .key_marker("a/b")
            .version_id_marker("v1")
            .restore_status()
            .request_payer()
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::GET, Some("bucket")));
        assert_eq!(
            testing::query(&request),
            "versions prefix=a/ delimiter=/ max-keys=10 key-marker=a/b version-id-marker=v1 encoding-type=url"
        );
        assert_eq!(request.headers["x-amz-optional-object-attributes"], "RestoreStatus");
        assert_eq!(request.headers["x-amz-request-payer"], "requester");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn versions_and_markers_keep_their_order() {
        let mut answer = testing::answer(PAGE);
        answer.headers_mut().insert("x-amz-request-charged", http::HeaderValue::from_static("requester"));
        let page = ListObjectVersions::new((), "bucket").response(answer).unwrap();
        assert!(page.request_charged);
        assert_eq!(page.max_keys, Some(10));
        let order: Vec<_> =
            page.versions.iter().map(|v| (v.key.as_str(), v.version_id.as_str(), v.is_delete_marker)).collect();
        assert_eq!(order, [("a%20 b", "v3", false), ("b", "v2", true), ("b", "null", false)]);
        assert!(!page.versions[0].is_latest && page.versions[1].is_latest);
        let first = &page.versions[0];
        assert_eq!((first.size, first.etag.as_str()), (5, "\"e\""));
        assert_eq!(first.storage_class, StorageClass::Glacier);
        assert_eq!(first.checksum_algorithm, Some(ChecksumAlgorithm::Crc32));
        assert_eq!(first.checksum_type, Some(ChecksumType::FullObject));
        assert_eq!(first.owner.as_ref().unwrap().id, "o");
        assert!(first.last_modified.is_some() && first.restore_status.as_ref().unwrap().in_progress);
        assert_eq!(page.common_prefixes, ["p/"]);
    }

    #[test]
    fn the_next_page_begins_at_the_decoded_markers() {
        let call = ListObjectVersions::new(Never, "bucket").url_encoding(false).version_id_marker("old");
        let mut page = call.response(testing::answer(PAGE)).unwrap();
        let mut next = call.after(&page).unwrap().unwrap();
        // The key was encoded and is decoded once; a version id is opaque.
        assert_eq!(testing::query(&next.request().unwrap()), "versions key-marker=a%2Bb version-id-marker=v%2B");
        page.next_version_id_marker = None;
        let mut next = call.after(&page).unwrap().unwrap();
        assert_eq!(testing::query(&next.request().unwrap()), "versions key-marker=a%2Bb");
        page.next_key_marker = None;
        let error = call.after(&page).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
        page.is_truncated = false;
        assert!(call.after(&page).unwrap().is_none());
    }
}
