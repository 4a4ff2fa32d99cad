//! ListMultipartUploads.

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::Owner;
use super::elements::{common_prefix, no_next_page, some_text};
use super::list_objects::read_owner;
use crate::checksum::{ChecksumAlgorithm, ChecksumType};
use crate::headers::Headers;
use crate::operation::{Operation, Paged, Request, SendFuture, Sender, Success};
use crate::paging::{Items, Pages};
use crate::storage::StorageClass;
use crate::xml::{self, Scanner};
use crate::{Error, time, uri};

/// Lists a bucket's multipart uploads that were neither completed nor aborted: ListMultipartUploads, one request a
/// page.
///
/// Awaited, it gives one page of at most 1,000 uploads. [`pages`](ListMultipartUploads::pages) and
/// [`items`](ListMultipartUploads::items) are streams over all of them.
///
/// # Errors
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct ListMultipartUploads<S = ()> {
    sender: S,
    bucket: String,
    prefix: Option<String>,
    delimiter: Option<String>,
    max_uploads: Option<u32>,
    key_marker: Option<String>,
    upload_id_marker: Option<String>,
    url_encoding: bool,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

impl<S> ListMultipartUploads<S> {
    /// Lists the uploads to `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            prefix: None,
            delimiter: None,
            max_uploads: None,
            key_marker: None,
            upload_id_marker: None,
            url_encoding: true,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Lists only uploads to keys that begin with this.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Groups keys: all that share the text up to the first `delimiter` after the prefix are one common prefix.
    pub fn delimiter(mut self, delimiter: impl Into<String>) -> Self {
        self.delimiter = Some(delimiter.into());
        self
    }

    /// How many uploads and common prefixes a page may hold: 1,000 by default and at most.
    pub fn max_uploads(mut self, max_uploads: u32) -> Self {
        self.max_uploads = Some(max_uploads);
        self
    }

    /// Begins after this key, or with [`upload_id_marker`](ListMultipartUploads::upload_id_marker) after that upload
    /// to it.
    pub fn key_marker(mut self, key: impl Into<String>) -> Self {
        self.key_marker = Some(key.into());
        self
    }

    /// Begins after this upload to the key marker.
    pub fn upload_id_marker(mut self, upload_id: impl Into<String>) -> Self {
        self.upload_id_marker = Some(upload_id.into());
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

impl<S: Sender + Unpin> ListMultipartUploads<S> {
    /// All pages, one request each.
    pub fn pages(self) -> Pages<Self, S> {
        Pages::new(self.sender.clone(), self)
    }

    /// All uploads of all pages. Common prefixes are left out; [`pages`](ListMultipartUploads::pages) have them.
    pub fn items(self) -> Items<Self, S> {
        Items::new(self.sender.clone(), self)
    }
}

/// One page of a listing of uploads.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListMultipartUploadsOutput {
    /// The uploads, in the order of their keys.
    pub uploads: Vec<ListedUpload>,
    /// The common prefixes, where a delimiter was given.
    pub common_prefixes: Vec<String>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// The key marker that asks for the next page.
    pub next_key_marker: Option<String>,
    /// The upload marker that goes with it.
    pub next_upload_id_marker: Option<String>,
    /// How many uploads and common prefixes it could hold at most, as the server took the request.
    pub max_uploads: Option<u32>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

/// An unfinished multipart upload as a listing names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListedUpload {
    /// The key that is being written, byte for byte.
    pub key: String,
    /// The id of the upload.
    pub upload_id: String,
    /// When it was begun.
    pub initiated: Option<SystemTime>,
    /// The storage class that the object will have.
    pub storage_class: StorageClass,
    /// Who will own the object.
    pub owner: Option<Owner>,
    /// Who began the upload; the id of a user other than the account itself is an ARN.
    pub initiator: Option<Owner>,
    /// The algorithm of the object's checksum, where there is to be one.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
    /// Whether that checksum will cover the object or its parts.
    pub checksum_type: Option<ChecksumType>,
    /// The version that the object will be, where the server says so.
    pub version_id: Option<String>,
}

impl<S: Send + 'static> Operation for ListMultipartUploads<S> {
    const NAME: &'static str = "ListMultipartUploads";
    type Output = ListMultipartUploadsOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::GET, &self.bucket)?;
        request.success = Success::Document;
        request.subresource("uploads");
        request.query_opt("prefix", self.prefix.as_deref());
        request.query_opt("delimiter", self.delimiter.as_deref());
        request.query_opt("max-uploads", self.max_uploads.map(|max| max.to_string()));
        request.query_opt("key-marker", self.key_marker.as_deref());
        request.query_opt("upload-id-marker", self.upload_id_marker.as_deref());
        request.query_opt("encoding-type", self.url_encoding.then_some("url"));
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<ListMultipartUploadsOutput, Error> {
        let mut page = read_page(xml::text(response.body())?)?;
        page.request_charged = Headers::of(response.headers()).request_charged();
        Ok(page)
    }
}

impl<S: Sender> Paged for ListMultipartUploads<S> {
    type Item = ListedUpload;

    fn after(&self, page: &ListMultipartUploadsOutput) -> Result<Option<Self>, Error> {
        if !page.is_truncated {
            return Ok(None);
        }
        // SeaweedFS lists by upload id and gives that marker alone.
        if page.next_key_marker.is_none() && page.next_upload_id_marker.is_none() {
            return Err(no_next_page().at(Self::NAME, Some(&self.bucket), None));
        }
        Ok(Some(Self {
            key_marker: page.next_key_marker.clone(),
            upload_id_marker: page.next_upload_id_marker.clone(),
            ..self.clone()
        }))
    }

    fn into_items(page: ListMultipartUploadsOutput) -> Vec<ListedUpload> {
        page.uploads
    }
}

impl<S: Sender> IntoFuture for ListMultipartUploads<S> {
    type Output = Result<ListMultipartUploadsOutput, Error>;
    type IntoFuture = SendFuture<ListMultipartUploadsOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_page(document: &str) -> Result<ListMultipartUploadsOutput, Error> {
    let mut page = ListMultipartUploadsOutput::default();
    let mut url_encoded = false;
    let mut scanner = Scanner::new(document, "ListMultipartUploadsResult")?;
    while let Some(name) = scanner.child()? {
        match name {
            "Upload" => page.uploads.push(read_upload(&mut scanner)?),
            "CommonPrefixes" => page.common_prefixes.push(common_prefix(&mut scanner)?),
            "IsTruncated" => page.is_truncated = scanner.parse()?,
            "NextKeyMarker" => page.next_key_marker = some_text(&mut scanner)?,
            "NextUploadIdMarker" => page.next_upload_id_marker = some_text(&mut scanner)?,
            "MaxUploads" => page.max_uploads = scanner.text()?.parse().ok(),
            "EncodingType" => url_encoded = scanner.text()?.eq_ignore_ascii_case("url"),
            _ => scanner.skip()?,
        }
    }
    if url_encoded {
        page.uploads.iter_mut().for_each(|upload| uri::decode_in_place(&mut upload.key));
        page.common_prefixes.iter_mut().for_each(uri::decode_in_place);
        page.next_key_marker.iter_mut().for_each(uri::decode_in_place);
    }
    Ok(page)
}

fn read_upload(scanner: &mut Scanner<'_>) -> Result<ListedUpload, Error> {
    let mut upload = ListedUpload::default();
    while let Some(name) = scanner.child()? {
        match name {
            "Key" => upload.key = scanner.text()?.into_owned(),
            "UploadId" => upload.upload_id = scanner.text()?.into_owned(),
            "Initiated" => upload.initiated = time::parse_iso8601(&scanner.text()?),
            "StorageClass" => upload.storage_class = scanner.parse()?,
            "Owner" => upload.owner = Some(read_owner(scanner)?),
            "Initiator" => upload.initiator = Some(read_owner(scanner)?),
            "ChecksumAlgorithm" => upload.checksum_algorithm = scanner.text()?.parse().ok(),
            "ChecksumType" => upload.checksum_type = scanner.text()?.parse().ok(),
            "VersionId" => upload.version_id = some_text(scanner)?,
            _ => scanner.skip()?,
        }
    }
    Ok(upload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::op::testing::{self, Never};

    const PAGE: &str = "<?xml version=\"1.0\"?>\
        <ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><KeyMarker/><MaxUploads>10</MaxUploads>\
        <NextKeyMarker>a%252Bb</NextKeyMarker><NextUploadIdMarker>u%2B</NextUploadIdMarker>\
        <Upload><Key>a%2520+b</Key><UploadId>u1</UploadId><Initiated>2026-10-21T07:28:00.000Z</Initiated>\
        <StorageClass>STANDARD_IA</StorageClass><Owner><ID>o</ID></Owner>\
        <Initiator><ID>arn:aws:iam::1:user/a</ID><DisplayName>a</DisplayName></Initiator>\
        <ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType>\
        <VersionId>v</VersionId></Upload>\
        <Upload><Key>c</Key><UploadId>u2</UploadId></Upload>\
        <CommonPrefixes><Prefix>p%2F</Prefix></CommonPrefixes></ListMultipartUploadsResult>";

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = ListMultipartUploads::new((), "bucket")
            .prefix("a/")
            .delimiter("/")
            .max_uploads(10)
            .key_marker("a/b")
            .upload_id_marker("u1")
            .request_payer()
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::GET, Some("bucket")));
        assert_eq!(
            testing::query(&request),
            "uploads prefix=a/ delimiter=/ max-uploads=10 key-marker=a/b upload-id-marker=u1 encoding-type=url"
        );
        assert_eq!(request.headers["x-amz-request-payer"], "requester");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn a_page_is_read_and_decoded_once() {
        let mut answer = testing::answer(PAGE);
        answer.headers_mut().insert("x-amz-request-charged", http::HeaderValue::from_static("requester"));
        let page = ListMultipartUploads::new((), "bucket").response(answer).unwrap();
        assert!(page.request_charged);
        assert_eq!(page.max_uploads, Some(10));
        let order: Vec<_> = page.uploads.iter().map(|u| (u.key.as_str(), u.upload_id.as_str())).collect();
        assert_eq!(order, [("a%20 b", "u1"), ("c", "u2")]);
        let first = &page.uploads[0];
        assert!(first.initiated.is_some());
        assert_eq!(first.storage_class, StorageClass::StandardIa);
        assert_eq!(first.owner.as_ref().unwrap().id, "o");
        assert_eq!(first.initiator.as_ref().unwrap().id, "arn:aws:iam::1:user/a");
        assert_eq!(first.checksum_algorithm, Some(ChecksumAlgorithm::Sha256));
        assert_eq!(first.checksum_type, Some(ChecksumType::Composite));
        assert_eq!(first.version_id.as_deref(), Some("v"));
        assert_eq!(page.common_prefixes, ["p/"]);
    }

    #[test]
    fn the_next_page_begins_at_the_decoded_markers() {
        let call = ListMultipartUploads::new(Never, "bucket").url_encoding(false).upload_id_marker("old");
        let mut page = call.response(testing::answer(PAGE)).unwrap();
        let mut next = call.after(&page).unwrap().unwrap();
        // The key was encoded and is decoded once; an upload id is opaque.
        assert_eq!(testing::query(&next.request().unwrap()), "uploads key-marker=a%2Bb upload-id-marker=u%2B");
        page.next_upload_id_marker = None;
        let mut next = call.after(&page).unwrap().unwrap();
        assert_eq!(testing::query(&next.request().unwrap()), "uploads key-marker=a%2Bb");
        page.next_key_marker = None;
        page.next_upload_id_marker = Some("u".to_owned());
        let mut next = call.after(&page).unwrap().unwrap();
        assert_eq!(testing::query(&next.request().unwrap()), "uploads upload-id-marker=u");
        page.next_upload_id_marker = None;
        assert_eq!(call.after(&page).unwrap_err().kind(), ErrorKind::MalformedResponse);
        page.is_truncated = false;
        assert!(call.after(&page).unwrap().is_none());
    }
}
