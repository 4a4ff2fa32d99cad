//! Signed requests to APIs that have no method of their own.

use http::Method;
use wharf::ErrorKind;

use super::Check;
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds};

pub(super) const CHECKS: &[Check] = &[
    Check::new("request-location", "GetBucketLocation as a bare request", |cx| Box::pin(location(cx))),
    Check::new("request-bucket-tags", "PutBucketTagging and GetBucketTagging", |cx| Box::pin(bucket_tags(cx))),
    Check::new("request-object", "PutObject and GetObject as bare requests", |cx| Box::pin(object(cx))),
    Check::new("request-unknown", "An API that a server does not have is an error, and makes nothing", |cx| {
        Box::pin(unknown(cx))
    }),
];

fn text(answer: &http::Response<bytes::Bytes>) -> String {
    String::from_utf8_lossy(answer.body()).into_owned()
}

async fn location(cx: Context) -> Outcome {
    let answer = cx.s3.request(Method::GET).bucket(&cx.bucket).subresource("location").await?;
    equal("status", answer.status().as_u16(), 200)?;
    holds("it is S3's document", text(&answer).contains("LocationConstraint"))
}

async fn bucket_tags(cx: Context) -> Outcome {
    let document = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>team</Key>\
                    <Value>blue</Value></Tag></TagSet></Tagging>";
    let call = cx.s3.request(Method::PUT).bucket(&cx.bucket).subresource("tagging").body(document);
    call.checksum(wharf::ChecksumAlgorithm::Crc32).await?;
    let answer = cx.s3.request(Method::GET).bucket(&cx.bucket).subresource("tagging").await?;
    holds("the tag is there", text(&answer).contains("<Value>blue</Value>"))
}

async fn object(cx: Context) -> Outcome {
    let call = cx.s3.request(Method::PUT).bucket(&cx.bucket).key("a b").header("x-amz-meta-team", "blue");
    call.body("Hello!").await?;
    let answer = cx.s3.request(Method::GET).bucket(&cx.bucket).key("a b").query("response-content-type", "x/y").await?;
    equal("body", text(&answer), "Hello!")?;
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    equal("content type", header("content-type"), Some("x/y"))?;
    equal("metadata", header("x-amz-meta-team"), Some("blue"))
}

async fn unknown(cx: Context) -> Outcome {
    let bucket = cx.free_name();
    let call = cx.s3.request(Method::PUT).bucket(&bucket).subresource("wharf-no-such-api").body("<No/>");
    let answer = call.checksum(wharf::ChecksumAlgorithm::Crc32).await;
    let made = cx.s3.head_bucket(&bucket).await.is_ok();
    match answer {
        Ok(answer) => Err(Failure::new(format!("it succeeded: {}", answer.status()))),
        Err(_) if made => Err(Failure::new("it made a bucket")),
        Err(error) => {
            let kinds = [ErrorKind::NotImplemented, ErrorKind::InvalidInput, ErrorKind::NoSuchBucket];
            holds(&format!("{error} is one of {kinds:?}"), kinds.contains(&error.kind()))
        }
    }
}
