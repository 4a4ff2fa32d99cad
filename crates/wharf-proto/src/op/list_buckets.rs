//! ListBuckets.

use std::future::IntoFuture;
use std::time::SystemTime;

use bytes::Bytes;
use http::Method;

use super::Owner;
use super::elements::some_text;
use super::list_objects::read_owner;
use crate::operation::{Operation, Paged, Request, SendFuture, Sender, Success};
use crate::paging::{Items, Pages};
use crate::xml::{self, Scanner};
use crate::{Error, time};

/// Lists the buckets of the account: ListBuckets, one request a page.
///
/// Awaited, it gives one page: all buckets unless [`max_buckets`](ListBuckets::max_buckets) is set.
/// [`pages`](ListBuckets::pages) and [`items`](ListBuckets::items) are streams over all of them.
///
/// # Errors
/// [`AccessDenied`](crate::ErrorKind::AccessDenied).
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct ListBuckets<S = ()> {
    sender: S,
    prefix: Option<String>,
    bucket_region: Option<String>,
    max_buckets: Option<u32>,
    continuation_token: Option<String>,
}

impl<S> ListBuckets<S> {
    /// Lists the buckets, sent by `sender`.
    pub fn new(sender: S) -> Self {
        Self { sender, prefix: None, bucket_region: None, max_buckets: None, continuation_token: None }
    }

    /// Lists only buckets whose name begins with this.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Lists only buckets in this region. AWS wants the request sent to that region.
    pub fn bucket_region(mut self, region: impl Into<String>) -> Self {
        self.bucket_region = Some(region.into());
        self
    }

    /// How many buckets a page may hold, 1 to 10,000. Accounts with more than 10,000 buckets must set it.
    pub fn max_buckets(mut self, max_buckets: u32) -> Self {
        self.max_buckets = Some(max_buckets);
        self
    }

    /// Goes on where an earlier page ended: its `continuation_token`.
    pub fn continuation_token(mut self, token: impl Into<String>) -> Self {
        self.continuation_token = Some(token.into());
        self
    }
}

impl<S: Sender + Unpin> ListBuckets<S> {
    /// All pages, one request each.
    pub fn pages(self) -> Pages<Self, S> {
        Pages::new(self.sender.clone(), self)
    }

    /// All buckets of all pages.
    pub fn items(self) -> Items<Self, S> {
        Items::new(self.sender.clone(), self)
    }
}

/// One page of the account's buckets.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ListBucketsOutput {
    /// The buckets, in the order of their names.
    pub buckets: Vec<ListedBucket>,
    /// The account.
    pub owner: Option<Owner>,
    /// The prefix that was asked for.
    pub prefix: Option<String>,
    /// How to ask for the next page; `None` on the last.
    pub continuation_token: Option<String>,
}

/// A bucket as a listing names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ListedBucket {
    /// The name.
    pub name: String,
    /// When it was made, or last changed on some servers.
    pub creation_date: Option<SystemTime>,
    /// The region it is in. AWS says so only where the request was paged or filtered.
    pub region: Option<String>,
    /// Its ARN, where the server has one.
    pub bucket_arn: Option<String>,
}

impl<S: Send + 'static> Operation for ListBuckets<S> {
    const NAME: &'static str = "ListBuckets";
    type Output = ListBucketsOutput;

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::service(Method::GET);
        request.success = Success::Document;
        request.query_opt("prefix", self.prefix.as_deref());
        request.query_opt("bucket-region", self.bucket_region.as_deref());
        request.query_opt("max-buckets", self.max_buckets.map(|max| max.to_string()));
        request.query_opt("continuation-token", self.continuation_token.as_deref());
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<ListBucketsOutput, Error> {
        let mut page = ListBucketsOutput::default();
        let mut scanner = Scanner::new(xml::text(response.body())?, "ListAllMyBucketsResult")?;
        while let Some(name) = scanner.child()? {
            match name {
                "Buckets" => {
                    while let Some(name) = scanner.child()? {
                        match name {
                            "Bucket" => page.buckets.push(read_bucket(&mut scanner)?),
                            _ => scanner.skip()?,
                        }
                    }
                }
                "Owner" => page.owner = Some(read_owner(&mut scanner)?),
                "Prefix" => page.prefix = some_text(&mut scanner)?,
                "ContinuationToken" => page.continuation_token = some_text(&mut scanner)?,
                _ => scanner.skip()?,
            }
        }
        Ok(page)
    }
}

impl<S: Sender> Paged for ListBuckets<S> {
    type Item = ListedBucket;

    fn after(&self, page: &ListBucketsOutput) -> Result<Option<Self>, Error> {
        Ok(page.continuation_token.as_deref().map(|token| self.clone().continuation_token(token)))
    }

    fn into_items(page: ListBucketsOutput) -> Vec<ListedBucket> {
        page.buckets
    }
}

impl<S: Sender> IntoFuture for ListBuckets<S> {
    type Output = Result<ListBucketsOutput, Error>;
    type IntoFuture = SendFuture<ListBucketsOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

fn read_bucket(scanner: &mut Scanner<'_>) -> Result<ListedBucket, Error> {
    let mut bucket = ListedBucket::default();
    while let Some(name) = scanner.child()? {
        match name {
            "Name" => bucket.name = scanner.text()?.into_owned(),
            "CreationDate" => bucket.creation_date = time::parse_iso8601(&scanner.text()?),
            "BucketRegion" => bucket.region = some_text(scanner)?,
            "BucketArn" => bucket.bucket_arn = some_text(scanner)?,
            _ => scanner.skip()?,
        }
    }
    Ok(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing;
    use crate::op::testing::Never;

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call =
            ListBuckets::new(()).prefix("a").bucket_region("eu-west-1").max_buckets(10).continuation_token("t=");
        let request = call.request().unwrap();
        assert_eq!((&request.method, &request.bucket), (&Method::GET, &None));
        assert_eq!(testing::query(&request), "prefix=a bucket-region=eu-west-1 max-buckets=10 continuation-token=t=");
    }

    #[test]
    fn a_page_is_read_and_names_the_next() {
        let call = ListBuckets::new(Never).max_buckets(1);
        let page = call
            .response(testing::answer(
                "<?xml version=\"1.0\"?><ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Owner><ID>o</ID><DisplayName>n</DisplayName></Owner><Buckets><Bucket><Name>bucket</Name>\
                 <CreationDate>2026-10-21T07:28:00.000Z</CreationDate><BucketRegion>eu-west-1</BucketRegion>\
                 <BucketArn>arn:aws:s3:::bucket</BucketArn></Bucket></Buckets><Prefix>b</Prefix>\
                 <ContinuationToken>t=</ContinuationToken></ListAllMyBucketsResult>",
            ))
            .unwrap();
        let bucket = &page.buckets[0];
        assert_eq!((bucket.name.as_str(), bucket.region.as_deref()), ("bucket", Some("eu-west-1")));
        assert_eq!(bucket.bucket_arn.as_deref(), Some("arn:aws:s3:::bucket"));
        assert!(bucket.creation_date.is_some());
        assert_eq!(page.owner.as_ref().unwrap().display_name.as_deref(), Some("n"));
        assert_eq!(page.prefix.as_deref(), Some("b"));
        let mut next = call.after(&page).unwrap().unwrap();
        assert_eq!(testing::query(&next.request().unwrap()), "max-buckets=1 continuation-token=t=");
    }

    #[test]
    fn the_last_page_names_no_other() {
        let call = ListBuckets::new(Never);
        let page = call
            .response(testing::answer(
                "<ListAllMyBucketsResult><Buckets/><Prefix/><ContinuationToken/></ListAllMyBucketsResult>",
            ))
            .unwrap();
        assert!(page.buckets.is_empty() && call.after(&page).unwrap().is_none());
    }
}
