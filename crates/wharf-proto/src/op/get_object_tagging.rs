//! GetObjectTagging.

use std::future::IntoFuture;

use bytes::Bytes;
use http::Method;

use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender, Success};
use crate::xml::{self, Scanner};
use crate::{Error, Tag};

/// Reads an object's tags: one GetObjectTagging request.
///
/// # Errors
/// [`NoSuchKey`](crate::ErrorKind::NoSuchKey), [`NoSuchBucket`](crate::ErrorKind::NoSuchBucket),
/// [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetObjectTagging<S = ()> {
    sender: S,
    bucket: String,
    key: String,
    pub(super) version_id: Option<String>,
    pub(super) request_payer: bool,
    pub(super) expected_bucket_owner: Option<String>,
}

impl<S> GetObjectTagging<S> {
    /// Reads the tags of `key` in `bucket`, sent by `sender`.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            key: key.into(),
            version_id: None,
            request_payer: false,
            expected_bucket_owner: None,
        }
    }

    /// Reads this version's tags in place of the newest's.
    pub fn version_id(mut self, version_id: impl Into<String>) -> Self {
        self.version_id = Some(version_id.into());
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

/// An object's tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetObjectTaggingOutput {
    /// The tags, in the server's order; none is no error.
    pub tags: Vec<Tag>,
    /// The version they belong to; `None` where the bucket never had versions.
    pub version_id: Option<String>,
}

impl<S: Send + 'static> Operation for GetObjectTagging<S> {
    const NAME: &'static str = "GetObjectTagging";
    type Output = GetObjectTaggingOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), Some(&self.key))
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::object(Method::GET, &self.bucket, &self.key)?;
        request.success = Success::Document;
        request.subresource("tagging");
        request.query_opt("versionId", self.version_id.as_deref());
        request.payer_and_owner(self.request_payer, self.expected_bucket_owner.as_deref())?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<GetObjectTaggingOutput, Error> {
        let tags = read_tags(xml::text(response.body())?)?;
        Ok(GetObjectTaggingOutput { tags, version_id: Headers::of(response.headers()).text("x-amz-version-id") })
    }
}

impl<S: Sender> IntoFuture for GetObjectTagging<S> {
    type Output = Result<GetObjectTaggingOutput, Error>;
    type IntoFuture = SendFuture<GetObjectTaggingOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_tags(document: &str) -> Result<Vec<Tag>, Error> {
    let mut tags = Vec::new();
    let mut scanner = Scanner::new(document, "Tagging")?;
    while let Some(name) = scanner.child()? {
        if name != "TagSet" {
            scanner.skip()?;
            continue;
        }
        while scanner.child()?.is_some() {
            tags.push(read_tag(&mut scanner)?);
        }
    }
    Ok(tags)
}

fn read_tag(scanner: &mut Scanner<'_>) -> Result<Tag, Error> {
    let (mut key, mut value) = (String::new(), String::new());
    while let Some(name) = scanner.child()? {
        match name {
            "Key" => key = scanner.text()?.into_owned(),
            "Value" => value = scanner.text()?.into_owned(),
            _ => scanner.skip()?,
        }
    }
    Ok(Tag { key, value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::op::testing::{answer, query};

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call =
            GetObjectTagging::new((), "bucket", "k").version_id("v").request_payer().expected_bucket_owner("1");
        let request = call.request().unwrap();
        assert_eq!((&request.method, query(&request).as_str()), (&Method::GET, "tagging versionId=v"));
        assert_eq!(request.headers["x-amz-request-payer"], "requester");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
    }

    #[test]
    fn the_answer_is_read() {
        let call = GetObjectTagging::new((), "bucket", "k");
        let mut response = answer(
            "<Tagging><TagSet><Tag><Key>a b</Key><Value>&lt;1&gt;</Value></Tag><Tag><Key>empty</Key><Value/></Tag>\
             </TagSet></Tagging>",
        );
        response.headers_mut().insert("x-amz-version-id", http::HeaderValue::from_static("v"));
        let output = call.response(response).unwrap();
        assert_eq!(output.tags, [Tag::from(("a b", "<1>")), Tag::from(("empty", ""))]);
        assert_eq!(output.version_id.as_deref(), Some("v"));
        assert!(call.response(answer("<Tagging><TagSet/></Tagging>")).unwrap().tags.is_empty());
        assert_eq!(call.response(answer("<html/>")).unwrap_err().kind(), ErrorKind::MalformedResponse);
    }
}
