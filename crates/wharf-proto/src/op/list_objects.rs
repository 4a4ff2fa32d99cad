//! ListObjectsV2.

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::elements::{common_prefix, must_begin, no_next_page, some_text};
use crate::checksum::{ChecksumAlgorithm, ChecksumType};
use crate::headers::Headers;
use crate::operation::{Operation, Paged, Request, SendFuture, Sender, Success};
use crate::paging::{Items, Pages};
use crate::storage::StorageClass;
use crate::xml::{self, Scanner};
use crate::{ETag, Error, time, uri};

/// Lists a bucket's objects in the order of their keys: ListObjectsV2, one request a page.
///
/// Awaited, it gives one page of at most 1,000 keys. [`pages`](ListObjects::pages) and
/// [`items`](ListObjects::items) are streams over all of them.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct ListObjects<S = ()> {
    sender: S,
    bucket: String,
    prefix: Option<String>,
    delimiter: Option<String>,
    max_keys: Option<u32>,
    start_after: Option<String>,
    continuation_token: Option<String>,
    fetch_owner: bool,
    restore_status: bool,
    url_encoding: bool,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

impl<S> ListObjects<S> {
    /// Lists `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            prefix: None,
            delimiter: None,
            max_keys: None,
            start_after: None,
            continuation_token: None,
            fetch_owner: false,
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

    /// How many keys and common prefixes a page may hold: 1,000 by default and at most.
    pub fn max_keys(mut self, max_keys: u32) -> Self {
        self.max_keys = Some(max_keys);
        self
    }

    /// Begins after this key.
    pub fn start_after(mut self, key: impl Into<String>) -> Self {
        self.start_after = Some(key.into());
        self
    }

    /// Goes on where an earlier page ended: its `next_continuation_token`.
    pub fn continuation_token(mut self, token: impl Into<String>) -> Self {
        self.continuation_token = Some(token.into());
        self
    }

    /// Has each object say who owns it.
    pub fn fetch_owner(mut self) -> Self {
        self.fetch_owner = true;
        self
    }

    /// Has each archived object say whether it is being restored (`x-amz-optional-object-attributes`).
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

impl<S: Sender + Unpin> ListObjects<S> {
    /// All pages, one request each.
    pub fn pages(self) -> Pages<Self, S> {
        Pages::new(self.sender.clone(), self)
    }

    /// All objects of all pages. Common prefixes are left out; [`pages`](ListObjects::pages) have them.
    pub fn items(self) -> Items<Self, S> {
        Items::new(self.sender.clone(), self)
    }
}

/// One page of a listing.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListObjectsOutput {
    /// The objects, in the order of their keys.
    pub objects: Vec<ListedObject>,
    /// The common prefixes, where a delimiter was given.
    pub common_prefixes: Vec<String>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// How to ask for the next page.
    pub next_continuation_token: Option<String>,
    /// How many keys and common prefixes this page holds, as the server counts.
    pub key_count: Option<u32>,
    /// How many it could hold at most, as the server took the request.
    pub max_keys: Option<u32>,
    /// After which key the listing began, where the request said so.
    pub start_after: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

/// An object as a listing names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListedObject {
    /// The key, byte for byte.
    pub key: String,
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
    /// Who owns it, where asked for.
    pub owner: Option<Owner>,
    /// The state of a restore from the archive, where asked for.
    pub restore_status: Option<RestoreStatus>,
}

/// An account, as listings name it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Owner {
    /// The canonical user id.
    pub id: String,
    /// The name, where the server has one.
    pub display_name: Option<String>,
}

/// How far the restore of an archived object is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RestoreStatus {
    /// Whether it is under way.
    pub in_progress: bool,
    /// Until when the restored copy is kept.
    pub expires_at: Option<SystemTime>,
}

impl<S: Send + 'static> Operation for ListObjects<S> {
    const NAME: &'static str = "ListObjectsV2";
    type Output = ListObjectsOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::GET, &self.bucket)?;
        request.success = Success::Document;
        request.query("list-type", "2");
        request.query_opt("prefix", self.prefix.as_deref());
        request.query_opt("delimiter", self.delimiter.as_deref());
        request.query_opt("max-keys", self.max_keys.map(|max| max.to_string()));
        request.query_opt("start-after", self.start_after.as_deref());
        request.query_opt("continuation-token", self.continuation_token.as_deref());
        request.query_opt("fetch-owner", self.fetch_owner.then_some("true"));
        request.query_opt("encoding-type", self.url_encoding.then_some("url"));
        request.header_opt("x-amz-optional-object-attributes", self.restore_status.then_some("RestoreStatus"))?;
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<ListObjectsOutput, Error> {
        let mut page = read_page(xml::text(response.body())?)?;
        let keys = page.objects.iter().map(|object| &object.key);
        must_begin(self.prefix.as_deref(), keys.chain(&page.common_prefixes))?;
        page.request_charged = Headers::of(response.headers()).request_charged();
        Ok(page)
    }
}

impl<S: Sender> Paged for ListObjects<S> {
    type Item = ListedObject;

    fn after(&self, page: &ListObjectsOutput) -> Result<Option<Self>, Error> {
        match (page.is_truncated, &page.next_continuation_token) {
            (false, _) => Ok(None),
            (true, Some(token)) => Ok(Some(self.clone().continuation_token(token))),
            (true, None) => Err(no_next_page().at(Self::NAME, Some(&self.bucket), None)),
        }
    }

    fn into_items(page: ListObjectsOutput) -> Vec<ListedObject> {
        page.objects
    }
}

impl<S: Sender> IntoFuture for ListObjects<S> {
    type Output = Result<ListObjectsOutput, Error>;
    type IntoFuture = SendFuture<ListObjectsOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_page(document: &str) -> Result<ListObjectsOutput, Error> {
    let mut page = ListObjectsOutput::default();
    let mut url_encoded = false;
    let mut is_version_1 = false;
    let mut next_marker = None;
    let mut scanner = Scanner::new(document, "ListBucketResult")?;
    while let Some(name) = scanner.child()? {
        match name {
            "Contents" => {
                // Read where it stays: an object is large to be moved about.
                page.objects.push(ListedObject::default());
                if let Some(object) = page.objects.last_mut() {
                    read_object(&mut scanner, object)?;
                }
            }
            "CommonPrefixes" => page.common_prefixes.push(common_prefix(&mut scanner)?),
            "IsTruncated" => page.is_truncated = scanner.parse()?,
            "NextContinuationToken" => page.next_continuation_token = some_text(&mut scanner)?,
            "KeyCount" => {
                let count = scanner.parse()?;
                page.key_count = Some(count);
                // S3 says it first. It counts prefixes too, and a server's word is no reason to reserve more than a page.
                page.objects.reserve(1_000.min(count as usize));
            }
            "MaxKeys" => page.max_keys = scanner.text()?.parse().ok(),
            "StartAfter" => page.start_after = some_text(&mut scanner)?,
            // Version 2 has tokens in place of markers.
            "Marker" => {
                is_version_1 = true;
                scanner.skip()?;
            }
            "NextMarker" => next_marker = some_text(&mut scanner)?,
            "EncodingType" => url_encoded = scanner.text()?.eq_ignore_ascii_case("url"),
            _ => scanner.skip()?,
        }
    }
    if url_encoded {
        page.objects.iter_mut().for_each(|object| uri::decode_in_place(&mut object.key));
        page.common_prefixes.iter_mut().for_each(uri::decode_in_place);
        page.start_after.iter_mut().for_each(uri::decode_in_place);
        next_marker.iter_mut().for_each(uri::decode_in_place);
    }
    if is_version_1 && page.is_truncated && page.next_continuation_token.is_none() {
        // Without a delimiter, S3 names no next marker: it is the last key.
        page.next_continuation_token = next_marker.or_else(|| page.last().map(str::to_owned));
    }
    Ok(page)
}

fn read_object(scanner: &mut Scanner<'_>, object: &mut ListedObject) -> Result<(), Error> {
    while let Some(name) = scanner.child()? {
        match name {
            "Key" => object.key = scanner.text()?.into_owned(),
            "Size" => object.size = scanner.parse()?,
            "ETag" => object.etag = ETag::from(scanner.text()?.into_owned()),
            "LastModified" => object.last_modified = time::parse_iso8601(&scanner.text()?),
            "StorageClass" => object.storage_class = scanner.parse()?,
            "ChecksumAlgorithm" => object.checksum_algorithm = scanner.text()?.parse().ok(),
            "ChecksumType" => object.checksum_type = scanner.text()?.parse().ok(),
            "Owner" => object.owner = Some(read_owner(scanner)?),
            "RestoreStatus" => object.restore_status = Some(read_restore_status(scanner)?),
            _ => scanner.skip()?,
        }
    }
    Ok(())
}

pub(super) fn read_owner(scanner: &mut Scanner<'_>) -> Result<Owner, Error> {
    let mut owner = Owner::default();
    while let Some(name) = scanner.child()? {
        match name {
            "ID" => owner.id = scanner.text()?.into_owned(),
            "DisplayName" => owner.display_name = Some(scanner.text()?.into_owned()),
            _ => scanner.skip()?,
        }
    }
    Ok(owner)
}

pub(super) fn read_restore_status(scanner: &mut Scanner<'_>) -> Result<RestoreStatus, Error> {
    let mut status = RestoreStatus::default();
    while let Some(name) = scanner.child()? {
        match name {
            "IsRestoreInProgress" => status.in_progress = scanner.parse()?,
            "RestoreExpiryDate" => status.expires_at = time::parse_iso8601(&scanner.text()?),
            _ => scanner.skip()?,
        }
    }
    Ok(status)
}

impl ListObjectsOutput {
    /// Whether the page holds nothing at all.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.common_prefixes.is_empty()
    }

    /// The greatest key or common prefix.
    fn last(&self) -> Option<&str> {
        let key = self.objects.last().map(|object| object.key.as_str());
        key.max(self.common_prefixes.last().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn page(document: &'static str) -> Result<ListObjectsOutput, Error> {
        ListObjects::new((), "bucket").response(http::Response::new(Bytes::from_static(document.as_bytes())))
    }

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call = ListObjects::new((), "bucket")
            .prefix("a/")
            .delimiter("/")
            .max_keys(10)
            .start_after("a/b")
            .continuation_token("t=")
            .fetch_owner()
            .restore_status()
            .request_payer()
            .expected_bucket_owner("1");
        let request = call.request().unwrap();
        let query: Vec<_> = request.query.iter().map(|(n, v)| format!("{n}={}", v.as_deref().unwrap())).collect();
        let expected = "list-type=2 prefix=a/ delimiter=/ max-keys=10 start-after=a/b continuation-token=t= \
                        fetch-owner=true encoding-type=url";
        assert_eq!(query.join(" "), expected);
        assert_eq!(request.headers["x-amz-optional-object-attributes"], "RestoreStatus");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn a_page_is_read_and_decoded_once() {
        let page = page(
            "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><KeyCount>2</KeyCount>\
             <MaxKeys>10</MaxKeys><StartAfter>a%2520</StartAfter>\
             <NextContinuationToken>a%2B+b</NextContinuationToken>\
             <Contents><Key>a%2520+b%01</Key><LastModified>2026-10-21T07:28:00.000Z</LastModified>\
             <ETag>&quot;e&quot;</ETag><Size>5</Size><StorageClass>GLACIER</StorageClass>\
             <Owner><ID>o</ID></Owner><ChecksumAlgorithm>CRC32</ChecksumAlgorithm></Contents>\
             <CommonPrefixes><Prefix>p%2F</Prefix></CommonPrefixes></ListBucketResult>",
        )
        .unwrap();
        let object = &page.objects[0];
        assert_eq!((object.key.as_str(), object.size, object.etag.as_str()), ("a%20 b\u{1}", 5, "\"e\""));
        assert_eq!(object.storage_class, StorageClass::Glacier);
        assert_eq!(object.checksum_algorithm, Some(ChecksumAlgorithm::Crc32));
        assert_eq!(object.owner.as_ref().unwrap().id, "o");
        assert!(object.last_modified.is_some());
        assert_eq!(page.common_prefixes, ["p/"]);
        // A token is opaque: it goes back as it came.
        assert_eq!(page.next_continuation_token.as_deref(), Some("a%2B+b"));
        assert!(page.is_truncated);
        assert_eq!((page.max_keys, page.start_after.as_deref()), (Some(10), Some("a%20")));
        assert!(!page.request_charged);
        let mut answer = http::Response::new(Bytes::from_static(b"<ListBucketResult></ListBucketResult>"));
        answer.headers_mut().insert("x-amz-request-charged", http::HeaderValue::from_static("requester"));
        assert!(ListObjects::new((), "bucket").response(answer).unwrap().request_charged);
    }

    #[test]
    fn a_page_of_version_1_is_read_as_one_of_version_2() {
        let read = |rest: &str| {
            let document = format!(
                "<ListBucketResult><Marker></Marker><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>{rest}\
                 <Contents><Key>a%2Bb</Key></Contents><CommonPrefixes><Prefix>a%2F</Prefix></CommonPrefixes>\
                 </ListBucketResult>"
            );
            read_page(&document).unwrap().next_continuation_token
        };
        assert_eq!(read("<NextMarker>c%2Bd</NextMarker>").as_deref(), Some("c+d"));
        assert_eq!(read("").as_deref(), Some("a/"));
        // Written empty is not written: an empty marker would begin anew.
        assert_eq!(read("<NextMarker/>").as_deref(), Some("a/"));
        assert_eq!(read("<NextContinuationToken></NextContinuationToken>").as_deref(), Some("a/"));
        // An answer of version 2 that forgets the token is not mended.
        let page = page(
            "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>",
        );
        assert_eq!(page.unwrap().next_continuation_token, None);
    }

    #[test]
    fn an_answer_that_is_no_listing_is_an_error() {
        let error = page("<html><body>Welcome</body></html>").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MalformedResponse);
        assert_eq!(error.to_string(), "the answer is not well-formed XML: expected <ListBucketResult>, found <html>");
    }
}
