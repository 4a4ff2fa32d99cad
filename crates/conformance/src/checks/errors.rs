//! What failures are called.

use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use http::Method;
use wharf::transport::{Body, Defaults, ResponseFuture, Transport, TransportError, TransportErrorKind};
use wharf::{Clock, ErrorKind, Presigned};

use super::Check;
use crate::context::Context;
use crate::expect::{Outcome, equal, holds, refused};

pub(super) const CHECKS: &[Check] = &[
    Check::new("error-no-such-key", "A missing key is NoSuchKey, with status and request id", |cx| {
        Box::pin(no_such_key(cx))
    }),
    Check::new("error-no-such-bucket", "A missing bucket is NoSuchBucket, to reads and writes", |cx| {
        Box::pin(no_such_bucket(cx))
    }),
    Check::new("error-head", "To a HEAD it is 404 without a body: NotFound", |cx| Box::pin(head(cx))),
    Check::new("error-wrong-secret", "A wrong secret is refused", |cx| Box::pin(wrong_secret(cx))),
    Check::new("error-unknown-key-id", "An unknown access key is refused", |cx| Box::pin(unknown_key_id(cx))),
    Check::new("error-anonymous", "Whoever has no keys is refused", |cx| Box::pin(anonymous(cx))),
    Check::new("error-skewed", "A request that is an hour old is RequestTimeTooSkewed", |cx| Box::pin(skewed(cx))),
    Check::new("error-body-tampered", "A body that is not the signed one is refused", |cx| Box::pin(tampered(cx))),
    Check::new("error-malformed-xml", "A document that is no XML is MalformedXML", |cx| Box::pin(malformed(cx))),
    Check::new("error-empty-key", "An empty key fails before any request", |cx| Box::pin(empty_key(cx))),
    Check::new("error-long-key", "A key over 1,024 bytes fails before any request", |cx| Box::pin(long_key(cx))),
];

async fn no_such_key(cx: Context) -> Outcome {
    let got = cx.s3.get_object(&cx.bucket, "missing").text().await;
    let error = refused("GetObject", got, &[ErrorKind::NoSuchKey])?;
    equal("code", error.code(), Some("NoSuchKey"))?;
    equal("status", error.status().map(|status| status.as_u16()), Some(404))?;
    equal("attempts", error.attempts(), 1)?;
    equal("where", (error.operation(), error.key()), (Some("GetObject"), Some("missing")))?;
    holds("there is a request id", error.request_id().is_some_and(|id| !id.is_empty()))
}

async fn no_such_bucket(cx: Context) -> Outcome {
    let bucket = cx.free_name();
    let wanted = [ErrorKind::NoSuchBucket];
    refused("GetObject", cx.s3.get_object(&bucket, "key").await, &wanted)?;
    refused("PutObject", cx.s3.put_object(&bucket, "key", "x").await, &wanted)?;
    refused("CreateMultipartUpload", cx.s3.create_multipart_upload(&bucket, "key").await, &wanted).map(drop)
}

async fn head(cx: Context) -> Outcome {
    let error = refused("HeadObject", cx.s3.head_object(&cx.bucket, "missing").await, &[ErrorKind::NotFound])?;
    equal("status", error.status().map(|status| status.as_u16()), Some(404))
}

async fn wrong_secret(cx: Context) -> Outcome {
    let client = cx.client(|settings| settings.credentials(cx.access_key_id(), "not the secret"))?;
    let put = client.put_object(&cx.bucket, "key", "x").await;
    let error = refused("PutObject", put, &[ErrorKind::InvalidCredentials])?;
    equal("code", error.code(), Some("SignatureDoesNotMatch"))?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn unknown_key_id(cx: Context) -> Outcome {
    let client = cx.client(|settings| settings.credentials("AKIDNOBODY0123456789", "not the secret"))?;
    refused("ListObjects", client.list_objects(&cx.bucket).await, &[ErrorKind::InvalidCredentials]).map(drop)
}

async fn anonymous(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    let client = cx.client(|settings| settings.anonymous())?;
    refused("GetObject", client.get_object(&cx.bucket, "key").await, &[ErrorKind::AccessDenied])?;
    let put = client.put_object(&cx.bucket, "key", "y").await;
    refused("PutObject", put, &[ErrorKind::AccessDenied])?;
    equal("the object", cx.bytes("key").await?, "x")
}

/// A clock that falls behind by an hour each time somebody looks: what is learnt of the server's is wrong at once.
#[derive(Default)]
struct Slowing(AtomicU32);

impl Clock for Slowing {
    fn now(&self) -> SystemTime {
        let looks = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        SystemTime::now() - Duration::from_secs(3600) * looks
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn jitter(&self) -> f64 {
        0.5
    }
}

async fn skewed(cx: Context) -> Outcome {
    let client = cx.client(|settings| settings.clock(Slowing::default()))?;
    refused("ListObjects", client.list_objects(&cx.bucket).await, &[ErrorKind::RequestTimeTooSkewed]).map(drop)
}

/// Sits between client and server and changes what is sent.
struct Tampering(Context);

impl Transport for Tampering {
    fn send(&self, request: http::Request<Body>) -> ResponseFuture {
        let cx = self.0.clone();
        let (head, _) = request.into_parts();
        let (method, url, headers) = (head.method, head.uri.to_string(), head.headers);
        let seen = Presigned { method, url, headers, expires_at: SystemTime::now() };
        Box::pin(async move {
            let answer = cx
                .send(&seen, "tampered")
                .await
                .map_err(|failure| TransportError::new(TransportErrorKind::Closed, failure.to_string()))?;
            let mut response = http::Response::new(Body::from(answer.body));
            (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
            Ok(response)
        })
    }

    fn defaults(&self) -> Option<Defaults> {
        self.0.defaults()
    }
}

async fn tampered(cx: Context) -> Outcome {
    let client = cx.client(|settings| settings.transport(Tampering(cx.clone())))?;
    let put = client.put_object(&cx.bucket, "key", "original").no_checksum().await;
    refused("PutObject", put, &[ErrorKind::BadDigest])?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn malformed(cx: Context) -> Outcome {
    cx.put("key", "x").await?;
    let call = cx.s3.request(Method::PUT).bucket(&cx.bucket).key("key").subresource("tagging");
    let answer = call.body("this is no XML").checksum(wharf::ChecksumAlgorithm::Crc32).await;
    let error = refused("PutObjectTagging", answer, &[ErrorKind::InvalidInput])?;
    equal("code", error.code(), Some("MalformedXML"))
}

async fn empty_key(cx: Context) -> Outcome {
    let error = refused("PutObject", cx.s3.put_object(&cx.bucket, "", "x").await, &[ErrorKind::InvalidInput])?;
    equal("times it was sent", error.attempts(), 0)
}

async fn long_key(cx: Context) -> Outcome {
    let put = cx.s3.put_object(&cx.bucket, "k".repeat(1_025), "x").await;
    let error = refused("PutObject", put, &[ErrorKind::InvalidInput])?;
    equal("times it was sent", error.attempts(), 0)
}
