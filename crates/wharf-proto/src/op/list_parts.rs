//! ListParts.

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::Owner;
use super::elements::{self, no_next_page};
use super::list_objects::read_owner;
use crate::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::headers::Headers;
use crate::operation::{Operation, Paged, Request, SendFuture, Sender, Success};
use crate::paging::{Items, Pages};
use crate::storage::StorageClass;
use crate::xml::{self, Scanner};
use crate::{CustomerKey, ETag, Error, time};

/// Lists the parts that a multipart upload has so far: ListParts, one request a page.
///
/// Awaited, it gives one page of at most 1,000 parts. [`pages`](ListParts::pages) and [`items`](ListParts::items) are
/// streams over all of them. A [`ListedPart`] can be passed on to
/// [`CompleteMultipartUpload`](super::CompleteMultipartUpload).
///
/// # Errors
/// [`NoSuchUpload`](crate::ErrorKind::NoSuchUpload) once it is completed or aborted,
/// [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket), [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct ListParts<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    upload_id: String,
    max_parts: Option<u32>,
    part_number_marker: Option<u32>,
    pub(super) customer_key: Option<CustomerKey>,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> ListParts<S> {
    /// Lists the parts of the upload `upload_id` to `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>, upload_id: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            upload_id: upload_id.into(),
            max_parts: None,
            part_number_marker: None,
            customer_key: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// How many parts a page may hold: 1,000 by default and at most.
    pub fn max_parts(mut self, max_parts: u32) -> Self {
        self.max_parts = Some(max_parts);
        self
    }

    /// Begins after the part of this number.
    pub fn part_number_marker(mut self, part_number: u32) -> Self {
        self.part_number_marker = Some(part_number);
        self
    }

    /// The key that the parts are encrypted with (SSE-C), where the upload has a checksum.
    pub fn customer_key(mut self, key: CustomerKey) -> Self {
        self.customer_key = Some(key);
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

impl<S: Sender + Unpin> ListParts<S> {
    /// All pages, one request each.
    pub fn pages(self) -> Pages<Self, S> {
        Pages::new(self.sender.clone(), self)
    }

    /// All parts of all pages.
    pub fn items(self) -> Items<Self, S> {
        Items::new(self.sender.clone(), self)
    }
}

/// One page of an upload's parts, and what is known of the upload.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListPartsOutput {
    /// The parts, in the order of their numbers.
    pub parts: Vec<ListedPart>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// The part number marker that asks for the next page.
    pub next_part_number_marker: Option<u32>,
    /// How many parts it could hold at most, as the server took the request.
    pub max_parts: Option<u32>,
    /// Who began the upload; the id of a user other than the account itself is an ARN.
    pub initiator: Option<Owner>,
    /// Who will own the object.
    pub owner: Option<Owner>,
    /// The storage class that the object will have.
    pub storage_class: StorageClass,
    /// The algorithm of the object's checksum, where there is to be one.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
    /// Whether that checksum will cover the object or its parts.
    pub checksum_type: Option<ChecksumType>,
    /// When a lifecycle rule will abort the upload.
    pub abort_date: Option<SystemTime>,
    /// The id of that rule.
    pub abort_rule_id: Option<String>,
    /// The version that the object will be, where the server says so.
    pub version_id: Option<String>,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

/// A part as a listing names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListedPart {
    /// Its number, 1 to 10,000.
    pub part_number: u32,
    /// Its size in bytes.
    pub size: u64,
    /// The entity tag; empty where the server sent none.
    pub etag: ETag,
    /// When it was uploaded.
    pub last_modified: Option<SystemTime>,
    /// Its checksum, where the upload has one.
    pub checksum: Option<Checksum>,
}

impl<S: Send + 'static> Operation for ListParts<S> {
    const NAME: &'static str = "ListParts";
    type Output = ListPartsOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::GET, &self.bucket, &self.key)?;
        request.success = Success::Document;
        request.query("uploadId", elements::upload_id(&self.upload_id)?);
        request.query_opt("max-parts", self.max_parts.map(|max| max.to_string()));
        request.query_opt("part-number-marker", self.part_number_marker.map(|marker| marker.to_string()));
        if let Some(key) = &self.customer_key {
            key.apply(&mut request)?;
        }
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<ListPartsOutput, Error> {
        read_page(&Headers::of(response.headers()), xml::text(response.body())?)
    }
}

impl<S: Sender> Paged for ListParts<S> {
    type Item = ListedPart;

    fn after(&self, page: &ListPartsOutput) -> Result<Option<Self>, Error> {
        match (page.is_truncated, page.next_part_number_marker) {
            (false, _) => Ok(None),
            (true, Some(marker)) => Ok(Some(self.clone().part_number_marker(marker))),
            (true, None) => Err(no_next_page().at(Self::NAME, Some(&self.bucket), Some(&self.key))),
        }
    }

    fn into_items(page: ListPartsOutput) -> Vec<ListedPart> {
        page.parts
    }
}

impl<S: Sender> IntoFuture for ListParts<S> {
    type Output = Result<ListPartsOutput, Error>;
    type IntoFuture = SendFuture<ListPartsOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_page(headers: &Headers<'_>, document: &str) -> Result<ListPartsOutput, Error> {
    let mut page = ListPartsOutput {
        abort_date: headers.http_date("x-amz-abort-date"),
        abort_rule_id: headers.text("x-amz-abort-rule-id"),
        version_id: headers.text("x-amz-version-id"),
        request_charged: headers.request_charged(),
        ..ListPartsOutput::default()
    };
    // The second is moto's.
    let mut scanner = Scanner::either(document, "ListPartsResult", "ListPartsResponse")?;
    while let Some(name) = scanner.child()? {
        match name {
            "Part" => page.parts.push(read_part(&mut scanner)?),
            "IsTruncated" => page.is_truncated = scanner.parse()?,
            // Some servers write an empty one, or 0, on the last page.
            "NextPartNumberMarker" => page.next_part_number_marker = scanner.text()?.parse().ok(),
            "MaxParts" => page.max_parts = scanner.text()?.parse().ok(),
            "Initiator" => page.initiator = Some(read_owner(&mut scanner)?),
            "Owner" => page.owner = Some(read_owner(&mut scanner)?),
            "StorageClass" => page.storage_class = scanner.parse()?,
            "ChecksumAlgorithm" => page.checksum_algorithm = scanner.text()?.parse().ok(),
            "ChecksumType" => page.checksum_type = scanner.text()?.parse().ok(),
            _ => scanner.skip()?,
        }
    }
    Ok(page)
}

fn read_part(scanner: &mut Scanner<'_>) -> Result<ListedPart, Error> {
    let mut part = ListedPart::default();
    while let Some(name) = scanner.child()? {
        match name {
            "PartNumber" => part.part_number = scanner.parse()?,
            "Size" => part.size = scanner.parse()?,
            "ETag" => part.etag = ETag::from(scanner.text()?.into_owned()),
            "LastModified" => part.last_modified = time::parse_iso8601(&scanner.text()?),
            other => part.checksum = elements::checksum(other, scanner)?.or(part.checksum),
        }
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::op::testing::{self, Never};

    const PAGE: &str = "<?xml version=\"1.0\"?><ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Bucket>bucket</Bucket><Key>key</Key><UploadId>u1</UploadId><PartNumberMarker>0</PartNumberMarker>\
        <NextPartNumberMarker>3</NextPartNumberMarker><MaxParts>2</MaxParts><IsTruncated>true</IsTruncated>\
        <Part><PartNumber>1</PartNumber><LastModified>2026-10-21T07:28:00.000Z</LastModified>\
        <ETag>&quot;e1&quot;</ETag><Size>5242880</Size><ChecksumCRC32>AAAAAQ==</ChecksumCRC32>\
        <ChecksumXXHASH64>AAAAAQ==</ChecksumXXHASH64></Part>\
        <Part><PartNumber>3</PartNumber><ETag>e3</ETag><Size>1</Size></Part>\
        <Initiator><ID>i</ID></Initiator><Owner><ID>o</ID></Owner><StorageClass>STANDARD_IA</StorageClass>\
        <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType></ListPartsResult>";

    #[test]
    fn every_parameter_reaches_the_request() {
        let request = ListParts::new((), "bucket", "key", "u+1")
            .max_parts(10)
            .part_number_marker(5)
            .customer_key(CustomerKey::new([7; 32]))
            .request_payer()
            .expected_bucket_owner("1")
            .request()
            .unwrap();
        assert_eq!((&request.method, request.key.as_deref()), (&Method::GET, Some("key")));
        assert_eq!(testing::query(&request), "uploadId=u+1 max-parts=10 part-number-marker=5");
        assert_eq!(request.headers["x-amz-server-side-encryption-customer-algorithm"], "AES256");
        assert_eq!(request.headers["x-amz-request-payer"], "requester");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
        let error = ListParts::new((), "bucket", "key", "").request().unwrap_err();
        assert_eq!(error.to_string(), "the upload id is empty");
    }

    #[test]
    fn a_page_is_read() {
        let mut answer = testing::answer(PAGE);
        for (name, value) in [
            ("x-amz-abort-date", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ("x-amz-abort-rule-id", "rule"),
            ("x-amz-version-id", "v"),
            ("x-amz-request-charged", "requester"),
        ] {
            answer.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        let page = ListParts::new((), "bucket", "key", "u1").response(answer).unwrap();
        let numbers: Vec<_> = page.parts.iter().map(|p| (p.part_number, p.size, p.etag.as_str())).collect();
        assert_eq!(numbers, [(1, 5_242_880, "\"e1\""), (3, 1, "e3")]);
        assert_eq!(page.parts[0].checksum.unwrap().to_string(), "AAAAAQ==");
        assert!(page.parts[0].last_modified.is_some() && page.parts[1].checksum.is_none());
        assert_eq!(page.initiator.as_ref().unwrap().id, "i");
        assert_eq!(page.owner.as_ref().unwrap().id, "o");
        assert_eq!(page.storage_class, StorageClass::StandardIa);
        assert_eq!(page.checksum_algorithm, Some(ChecksumAlgorithm::Crc32));
        assert_eq!(page.checksum_type, Some(ChecksumType::FullObject));
        assert!(page.abort_date.is_some() && page.request_charged);
        assert_eq!(page.max_parts, Some(2));
        assert_eq!((page.abort_rule_id.as_deref(), page.version_id.as_deref()), (Some("rule"), Some("v")));
    }

    #[test]
    fn a_document_of_another_name_is_read() {
        let call = ListParts::new((), "bucket", "key", "u");
        let page = testing::answer(
            "<ListPartsResponse><Part><PartNumber>1</PartNumber><ETag>e</ETag><Size>1</Size></Part></ListPartsResponse>",
        );
        assert_eq!(call.response(page).unwrap().parts.len(), 1);
        assert!(call.response(testing::answer("<html></html>")).is_err());
    }

    #[test]
    fn the_next_page_begins_after_the_last_part() {
        let call = ListParts::new(Never, "bucket", "key", "u1");
        let mut page = call.response(testing::answer(PAGE)).unwrap();
        let mut next = call.after(&page).unwrap().unwrap();
        assert_eq!(testing::query(&next.request().unwrap()), "uploadId=u1 part-number-marker=3");
        page.next_part_number_marker = None;
        assert_eq!(call.after(&page).unwrap_err().kind(), ErrorKind::MalformedResponse);
        page.is_truncated = false;
        assert!(call.after(&page).unwrap().is_none());
    }
}
