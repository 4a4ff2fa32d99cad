//! PutObjectTagging.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use super::elements::check_text;
use crate::checksum::ChecksumAlgorithm;
use crate::headers::Headers;
use crate::operation::{ChecksumPolicy, Operation, Request, SendFuture, Sender};
use crate::xml::write_document;
use crate::{Body, Error, Tag};

/// Replaces all of an object's tags: one PutObjectTagging request.
///
/// # Errors
/// [`NoSuchKey`](crate::ErrorKind::NoSuchKey), [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket),
/// [`AccessDenied`](crate::ErrorKind::AccessDenied), [`InvalidInput`](crate::ErrorKind::InvalidInput) for more than 10
/// tags, a key twice, or one that is too long.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct PutObjectTagging<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    tags: Vec<Tag>,
    version_id: Option<String>,
    checksum: ChecksumPolicy,
    content_md5: Option<String>,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

impl<S> PutObjectTagging<S> {
    /// Gives `key` in `bucket` these tags and no others, sent by `sender`. A tag is a [`Tag`] or a pair of key and
    /// value.
    pub fn new<T: Into<Tag>>(
        sender: S,
        bucket: impl Into<String>,
        key: impl Into<String>,
        tags: impl IntoIterator<Item = T>,
    ) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            tags: tags.into_iter().map(Into::into).collect(),
            version_id: None,
            checksum: ChecksumPolicy::Required,
            content_md5: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Tags this version in place of the newest.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
        self
    }

    /// The algorithm of the checksum that S3 insists on: the client's default unless set.
    pub fn checksum(mut self, algorithm: ChecksumAlgorithm) -> Self {
        self.checksum = ChecksumPolicy::Algorithm(algorithm);
        self
    }

    /// Sends this `Content-MD5` (base64) in place of a checksum, for servers that know no other.
    pub fn content_md5(mut self, base64: impl Into<String>) -> Self {
        self.content_md5 = Some(base64.into());
        self.checksum = ChecksumPolicy::Off;
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

/// What S3 says about tags that were just written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PutObjectTaggingOutput {
    /// The version that has them; `None` where the bucket never had versions.
    pub version_id: Option<String>,
}

impl<S: Send + 'static> Operation for PutObjectTagging<S> {
    const NAME: &'static str = "PutObjectTagging";
    type Output = PutObjectTaggingOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::PUT, &self.bucket, &self.key)?;
        let document = document(&self.tags)?;
        request.subresource("tagging");
        request.query_opt("versionId", self.version_id.as_deref());
        request.header_opt("content-md5", self.content_md5.as_deref())?;
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        request.checksum = self.checksum.clone();
        request.body = Body::bytes(document);
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<PutObjectTaggingOutput, Error> {
        Ok(PutObjectTaggingOutput { version_id: Headers::of(response.headers()).text("x-amz-version-id") })
    }
}

/// The document of these tags.
pub(super) fn document(tags: &[Tag]) -> Result<Bytes, Error> {
    for tag in tags {
        check_text("tag key", &tag.key)?;
        check_text("tag value", &tag.value)?;
    }
    Ok(write_document("Tagging", |root| {
        root.child("TagSet", |set| {
            for tag in tags {
                set.child("Tag", |element| {
                    element.text("Key", &tag.key);
                    element.text("Value", &tag.value);
                });
            }
        });
    }))
}

impl<S: Sender> IntoFuture for PutObjectTagging<S> {
    type Output = Result<PutObjectTaggingOutput, Error>;
    type IntoFuture = SendFuture<PutObjectTaggingOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing::{document, headers, query};

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call = PutObjectTagging::new((), "bucket", "k", [("a b", "<1>"), ("empty", "")])
            .version_id("v")
            .content_md5("md5")
            .checksum(ChecksumAlgorithm::Crc32)
            .request_payer()
            .expected_bucket_owner("1");
        let request = call.request().unwrap();
        assert_eq!((&request.method, query(&request).as_str()), (&Method::PUT, "tagging versionId=v"));
        for (name, value) in
            [("content-md5", "md5"), ("x-amz-request-payer", "requester"), ("x-amz-expected-bucket-owner", "1")]
        {
            assert_eq!(request.headers[name], value, "{name}");
        }
        assert_eq!(request.checksum, ChecksumPolicy::Algorithm(ChecksumAlgorithm::Crc32));
        assert_eq!(
            document(request),
            "<Tagging><TagSet><Tag><Key>a b</Key><Value>&lt;1&gt;</Value></Tag>\
             <Tag><Key>empty</Key><Value></Value></Tag></TagSet></Tagging>"
        );
    }

    #[test]
    fn a_checksum_is_required_unless_md5_takes_its_place() {
        let put = || PutObjectTagging::new((), "bucket", "k", [("a", "b")]);
        assert_eq!(put().request().unwrap().checksum, ChecksumPolicy::Required);
        assert_eq!(put().content_md5("md5").request().unwrap().checksum, ChecksumPolicy::Off);
    }

    #[test]
    fn a_tag_that_xml_cannot_hold_is_named() {
        let error = PutObjectTagging::new((), "bucket", "k", [("a", "\u{1}")]).request().unwrap_err();
        assert_eq!(error.to_string(), "tag value \"\\u{1}\": XML cannot hold its control characters");
    }

    #[test]
    fn the_answer_names_the_version() {
        let call = PutObjectTagging::new((), "bucket", "k", [("a", "b")]);
        let output = call.response(headers(&[("x-amz-version-id", "v")])).unwrap();
        assert_eq!(output.version_id.as_deref(), Some("v"));
    }
}
