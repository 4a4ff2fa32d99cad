//! GetObjectAttributes.

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::elements::checksum;
use crate::checksum::{Checksum, ChecksumType};
use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender, Success};
use crate::xml::{self, Scanner};
use crate::{CustomerKey, ETag, Error, ErrorKind, StorageClass};

/// Reads chosen facts about an object, its parts among them: one GetObjectAttributes request.
///
/// All attributes are asked for unless [`attributes`](GetObjectAttributes::attributes) names some.
///
/// # Errors
/// [`NoSuchKey`](crate::ErrorKind::NoSuchKey), [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket),
/// [`AccessDenied`](crate::ErrorKind::AccessDenied), [`NotImplemented`](crate::ErrorKind::NotImplemented) on some
/// compatible servers.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetObjectAttributes<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    attributes: Vec<ObjectAttribute>,
    version_id: Option<String>,
    max_parts: Option<u32>,
    part_number_marker: Option<u32>,
    customer_key: Option<CustomerKey>,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

/// A fact that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectAttribute {
    /// The entity tag.
    ETag,
    /// The checksum of the object.
    Checksum,
    /// How many parts it was uploaded in and, where parts have checksums, each of them.
    ObjectParts,
    /// The storage class.
    StorageClass,
    /// The size.
    ObjectSize,
}

impl ObjectAttribute {
    /// Every attribute.
    pub const ALL: [Self; 5] = [Self::ETag, Self::Checksum, Self::ObjectParts, Self::StorageClass, Self::ObjectSize];

    /// S3's name of the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ETag => "ETag",
            Self::Checksum => "Checksum",
            Self::ObjectParts => "ObjectParts",
            Self::StorageClass => "StorageClass",
            Self::ObjectSize => "ObjectSize",
        }
    }
}

impl<S> GetObjectAttributes<S> {
    /// Asks about `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            attributes: ObjectAttribute::ALL.to_vec(),
            version_id: None,
            max_parts: None,
            part_number_marker: None,
            customer_key: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Asks for these only.
    pub fn attributes(mut self, attributes: impl IntoIterator<Item = ObjectAttribute>) -> Self {
        self.attributes = attributes.into_iter().collect();
        self
    }

    /// Asks about this version in place of the newest.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
        self
    }

    /// How many parts the answer may list: 1,000 by default and at most.
    pub fn max_parts(mut self, max_parts: u32) -> Self {
        self.max_parts = Some(max_parts);
        self
    }

    /// Lists the parts after this number: the last answer's
    /// [`next_part_number_marker`](ObjectParts::next_part_number_marker).
    pub fn part_number_marker(mut self, part_number: u32) -> Self {
        self.part_number_marker = Some(part_number);
        self
    }

    /// The key that the object was encrypted with (SSE-C).
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

/// What was asked for, as far as the object has it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct GetObjectAttributesOutput {
    /// The entity tag.
    pub etag: Option<ETag>,
    /// The checksum. That of a composite object says only in `checksum_type` that it is one.
    pub checksum: Option<Checksum>,
    /// Whether the checksum covers the object's bytes or its parts' checksums.
    pub checksum_type: Option<ChecksumType>,
    /// The parts; `None` for an object that was uploaded in one piece.
    pub parts: Option<ObjectParts>,
    /// The storage class.
    pub storage_class: Option<StorageClass>,
    /// The size in bytes.
    pub size: Option<u64>,
    /// When the object was written, to the second.
    pub last_modified: Option<SystemTime>,
    /// The version; `None` where the bucket never had versions.
    pub version_id: Option<String>,
    /// Whether this version is a delete marker.
    pub delete_marker: bool,
    /// Whether the requester was charged.
    pub request_charged: bool,
}

/// The parts that an object was uploaded in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectParts {
    /// How many there are in all.
    pub total_parts: Option<u32>,
    /// Some of them, in their order; none where the parts have no checksums.
    pub parts: Vec<ObjectPart>,
    /// Whether there are more.
    pub is_truncated: bool,
    /// How to ask for those.
    pub next_part_number_marker: Option<u32>,
    /// How many the answer could hold at most, as the server took the request.
    pub max_parts: Option<u32>,
}

/// A part of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectPart {
    /// The number, 1 to 10,000.
    pub part_number: u32,
    /// The size in bytes.
    pub size: u64,
    /// The checksum of the part's bytes.
    pub checksum: Option<Checksum>,
}

impl<S: Send + 'static> Operation for GetObjectAttributes<S> {
    const NAME: &'static str = "GetObjectAttributes";
    type Output = GetObjectAttributesOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::GET, &self.bucket, &self.key)?;
        request.success = Success::Document;
        if self.attributes.is_empty() {
            return Err(Error::invalid_input("no attributes are asked for; name at least one"));
        }
        request.subresource("attributes");
        request.query_opt("versionId", self.version_id.as_deref());
        let names: Vec<_> = self.attributes.iter().map(|attribute| attribute.as_str()).collect();
        request.header("x-amz-object-attributes", &names.join(","))?;
        request.header_opt("x-amz-max-parts", self.max_parts.map(|max| max.to_string()))?;
        request.header_opt("x-amz-part-number-marker", self.part_number_marker.map(|marker| marker.to_string()))?;
        if let Some(key) = &self.customer_key {
            key.apply(&mut request)?;
        }
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<GetObjectAttributesOutput, Error> {
        let headers = Headers::of(response.headers());
        let mut output = GetObjectAttributesOutput {
            last_modified: headers.http_date("last-modified"),
            version_id: headers.text("x-amz-version-id"),
            delete_marker: headers.flag("x-amz-delete-marker"),
            request_charged: headers.request_charged(),
            ..GetObjectAttributesOutput::default()
        };
        read_attributes(xml::text(response.body())?, &mut output)?;
        Ok(output)
    }
}

impl<S: Sender> IntoFuture for GetObjectAttributes<S> {
    type Output = Result<GetObjectAttributesOutput, Error>;
    type IntoFuture = SendFuture<GetObjectAttributesOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_attributes(document: &str, output: &mut GetObjectAttributesOutput) -> Result<(), Error> {
    let mut scanner = Scanner::any_root(document)?;
    // S3 says Response where its reference once said Output, and servers follow either.
    if !scanner.root().starts_with("GetObjectAttributes") {
        let message = format!("expected <GetObjectAttributesResponse>, found <{}>", scanner.root());
        return Err(Error::new(ErrorKind::MalformedResponse, message));
    }
    while let Some(name) = scanner.child()? {
        match name {
            "ETag" => output.etag = Some(ETag::from(scanner.text()?.into_owned())),
            "StorageClass" => output.storage_class = Some(scanner.parse()?),
            "ObjectSize" => output.size = Some(scanner.parse()?),
            "ObjectParts" => output.parts = Some(read_parts(&mut scanner)?),
            "Checksum" => {
                while let Some(name) = scanner.child()? {
                    match name {
                        "ChecksumType" => output.checksum_type = scanner.text()?.parse().ok(),
                        other => output.checksum = checksum(other, &mut scanner)?.or(output.checksum),
                    }
                }
            }
            _ => scanner.skip()?,
        }
    }
    Ok(())
}

fn read_parts(scanner: &mut Scanner<'_>) -> Result<ObjectParts, Error> {
    let mut parts = ObjectParts::default();
    while let Some(name) = scanner.child()? {
        match name {
            "PartsCount" | "TotalPartsCount" => parts.total_parts = Some(scanner.parse()?),
            "IsTruncated" => parts.is_truncated = scanner.parse()?,
            "NextPartNumberMarker" => parts.next_part_number_marker = scanner.text()?.trim().parse().ok(),
            "MaxParts" => parts.max_parts = scanner.text()?.parse().ok(),
            "Part" => parts.parts.push(read_part(scanner)?),
            _ => scanner.skip()?,
        }
    }
    Ok(parts)
}

fn read_part(scanner: &mut Scanner<'_>) -> Result<ObjectPart, Error> {
    let mut part = ObjectPart::default();
    while let Some(name) = scanner.child()? {
        match name {
            "PartNumber" => part.part_number = scanner.parse()?,
            "Size" => part.size = scanner.parse()?,
            other => part.checksum = checksum(other, scanner)?.or(part.checksum),
        }
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumAlgorithm;
    use crate::new_object::tests::time;
    use crate::op::testing::{answer, query};

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call = GetObjectAttributes::new((), "bucket", "k")
            .attributes([ObjectAttribute::ETag, ObjectAttribute::ObjectParts])
            .version_id("v")
            .max_parts(10)
            .part_number_marker(7)
            .customer_key(CustomerKey::new([7; 32]))
            .request_payer()
            .expected_bucket_owner("111122223333");
        let request = call.request().unwrap();
        assert_eq!((&request.method, query(&request).as_str()), (&Method::GET, "attributes versionId=v"));
        for (name, value) in [
            ("x-amz-object-attributes", "ETag,ObjectParts"),
            ("x-amz-max-parts", "10"),
            ("x-amz-part-number-marker", "7"),
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-request-payer", "requester"),
            ("x-amz-expected-bucket-owner", "111122223333"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
    }

    #[test]
    fn all_attributes_unless_some_are_named() {
        let request = GetObjectAttributes::new((), "bucket", "k").request().unwrap();
        let all = "ETag,Checksum,ObjectParts,StorageClass,ObjectSize";
        assert_eq!(request.headers["x-amz-object-attributes"], all);
        let error = GetObjectAttributes::new((), "bucket", "k").attributes([]).request().unwrap_err();
        assert_eq!(error.to_string(), "no attributes are asked for; name at least one");
    }

    #[test]
    fn the_answer_is_read() {
        let mut response = answer(
            "<GetObjectAttributesResponse><ETag>e-2</ETag>\
             <Checksum><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32><ChecksumNEW>?</ChecksumNEW>\
             <ChecksumType>COMPOSITE</ChecksumType></Checksum>\
             <ObjectParts><PartsCount>3</PartsCount><PartNumberMarker>0</PartNumberMarker>\
             <NextPartNumberMarker>1</NextPartNumberMarker><MaxParts>1</MaxParts><IsTruncated>true</IsTruncated>\
             <Part><PartNumber>1</PartNumber><Size>9</Size><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part></ObjectParts>\
             <StorageClass>GLACIER</StorageClass><ObjectSize>27</ObjectSize></GetObjectAttributesResponse>",
        );
        for (name, value) in [
            ("last-modified", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ("x-amz-version-id", "v"),
            ("x-amz-delete-marker", "true"),
            ("x-amz-request-charged", "requester"),
        ] {
            response.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        let output = GetObjectAttributes::new((), "bucket", "k").response(response).unwrap();
        let crc32 = Some(ChecksumAlgorithm::Crc32.checksum(b"123456789"));
        assert_eq!(output.etag, Some(ETag::from("\"e-2\"")));
        assert_eq!((output.checksum, output.checksum_type), (crc32, Some(ChecksumType::Composite)));
        assert_eq!((output.storage_class, output.size), (Some(StorageClass::Glacier), Some(27)));
        assert_eq!((output.last_modified, output.version_id.as_deref()), (Some(time()), Some("v")));
        assert!(output.delete_marker && output.request_charged);
        let parts = output.parts.unwrap();
        assert_eq!((parts.total_parts, parts.is_truncated, parts.next_part_number_marker), (Some(3), true, Some(1)));
        assert_eq!(parts.max_parts, Some(1));
        assert_eq!(parts.parts, [ObjectPart { part_number: 1, size: 9, checksum: crc32 }]);
    }

    #[test]
    fn what_was_not_asked_for_is_not_there() {
        let call = GetObjectAttributes::new((), "bucket", "k");
        let output =
            call.response(answer("<GetObjectAttributesOutput><ObjectSize>0</ObjectSize></GetObjectAttributesOutput>"));
        let output = output.unwrap();
        assert_eq!((output.size, output.etag, output.parts), (Some(0), None, None));
        let error = call.response(answer("<html/>")).unwrap_err();
        assert_eq!(error.to_string(), "expected <GetObjectAttributesResponse>, found <html>");
    }
}
