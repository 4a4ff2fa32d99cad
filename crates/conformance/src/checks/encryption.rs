//! Encryption at rest. S3 takes customer keys over https only; that is not checked, for most servers here are not S3.

use wharf::{CustomerKey, Encryption, ErrorKind, KmsKey};

use super::{Check, multipart::PART, pattern};
use crate::context::Context;
use crate::expect::{Outcome, equal, holds, refused, some};

pub(super) const CHECKS: &[Check] = &[
    Check::new("sse-s3", "A key that the server keeps (SSE-S3)", |cx| Box::pin(by_the_server(cx))),
    Check::new("sse-kms", "A key of a key service (SSE-KMS)", |cx| Box::pin(by_kms(cx))),
    Check::new("sse-c", "A key that only the caller has (SSE-C)", |cx| Box::pin(by_customer(cx))),
    Check::new("sse-c-without-key", "Without it, or with another, nothing is read", |cx| Box::pin(without_key(cx))),
    Check::new("sse-c-range", "With it a range is read", |cx| Box::pin(range(cx))),
    Check::new("sse-c-attributes", "With it GetObjectAttributes answers", |cx| Box::pin(attributes(cx))),
    Check::new("sse-c-copy", "CopyObject takes a key for the source and one for the copy", |cx| Box::pin(copy(cx))),
    Check::new("sse-c-multipart", "A multipart upload with a customer's key", |cx| Box::pin(multipart(cx))),
    Check::new("sse-c-part-copy", "UploadPartCopy takes both keys", |cx| Box::pin(part_copy(cx))),
];

fn key(of: u8) -> CustomerKey {
    CustomerKey::new([of; 32])
}

async fn by_the_server(cx: Context) -> Outcome {
    let put = cx.s3.put_object(&cx.bucket, "key", "secret").encryption(Encryption::S3).await?;
    equal("in the answer", some("encryption", put.encryption)?.algorithm, "AES256")?;
    let object = cx.s3.get_object(&cx.bucket, "key").await?;
    equal("by GetObject", some("encryption", object.encryption.clone())?.algorithm, "AES256")?;
    equal("body", object.text().await?, "secret")
}

async fn by_kms(cx: Context) -> Outcome {
    let with = Encryption::Kms(KmsKey::aws_managed().bucket_key(true));
    let put = cx.s3.put_object(&cx.bucket, "key", "secret").encryption(with).await?;
    equal("in the answer", some("encryption", put.encryption)?.algorithm, "aws:kms")?;
    let object = cx.s3.get_object(&cx.bucket, "key").await?;
    let found = some("encryption", object.encryption.clone())?;
    equal("by GetObject", (found.algorithm.as_str(), found.bucket_key), ("aws:kms", true))?;
    equal("body", object.text().await?, "secret")
}

async fn put_secret(cx: &Context) -> Outcome {
    let put = cx.s3.put_object(&cx.bucket, "key", "0123456789").encryption(Encryption::Customer(key(1))).await?;
    let found = some("encryption", put.encryption)?;
    equal("in the answer", found.algorithm, "AES256")?;
    holds("with the key's digest", found.customer_key_md5.is_some())
}

async fn by_customer(cx: Context) -> Outcome {
    put_secret(&cx).await?;
    let object = cx.s3.get_object(&cx.bucket, "key").customer_key(key(1)).await?;
    holds("GetObject tells of it", object.encryption.as_ref().is_some_and(|found| found.customer_key_md5.is_some()))?;
    equal("body", object.text().await?, "0123456789")?;
    let head = cx.s3.head_object(&cx.bucket, "key").customer_key(key(1)).await?;
    equal("length by HeadObject", head.content_length, 10)
}

async fn attributes(cx: Context) -> Outcome {
    put_secret(&cx).await?;
    let found = cx.s3.get_object_attributes(&cx.bucket, "key").customer_key(key(1)).await?;
    equal("size", found.size, Some(10))
}

async fn without_key(cx: Context) -> Outcome {
    put_secret(&cx).await?;
    let none = cx.s3.get_object(&cx.bucket, "key").await;
    refused("GetObject without a key", none, &[ErrorKind::InvalidInput])?;
    let other = cx.s3.get_object(&cx.bucket, "key").customer_key(key(2)).await;
    refused("GetObject with another", other, &[ErrorKind::AccessDenied, ErrorKind::InvalidInput])?;
    let head = cx.s3.head_object(&cx.bucket, "key").await;
    let error = some("the refusal of HeadObject without a key", head.err())?;
    equal("its status", error.status().map(|status| status.as_u16()), Some(400))
}

async fn range(cx: Context) -> Outcome {
    put_secret(&cx).await?;
    let part = cx.s3.get_object(&cx.bucket, "key").customer_key(key(1)).range(3..6).text().await?;
    equal("the range", part, "345")
}

async fn copy(cx: Context) -> Outcome {
    put_secret(&cx).await?;
    let call = || cx.s3.copy_object(&cx.bucket, "key", &cx.bucket, "copy").encryption(Encryption::Customer(key(2)));
    call().source_customer_key(key(1)).await?;
    equal("the copy", cx.s3.get_object(&cx.bucket, "copy").customer_key(key(2)).text().await?, "0123456789")?;
    let without = call().await;
    refused("without the source's key", without, &[ErrorKind::InvalidInput, ErrorKind::AccessDenied]).map(drop)
}

async fn multipart(cx: Context) -> Outcome {
    let call = cx.s3.create_multipart_upload(&cx.bucket, "key").encryption(Encryption::Customer(key(1)));
    let id = call.await?.upload_id;
    let first = cx.s3.upload_part(&cx.bucket, "key", &id, 1, pattern(PART)).customer_key(key(1)).await?;
    let second = cx.s3.upload_part(&cx.bucket, "key", &id, 2, pattern(50)).customer_key(key(1)).await?;
    let call = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(first).part(second);
    call.customer_key(key(1)).await?;
    let body = cx.s3.get_object(&cx.bucket, "key").customer_key(key(1)).bytes().await?;
    holds("the bytes are the same", body == [pattern(PART), pattern(50)].concat())
}

async fn part_copy(cx: Context) -> Outcome {
    put_secret(&cx).await?;
    let call = cx.s3.create_multipart_upload(&cx.bucket, "copy").encryption(Encryption::Customer(key(2)));
    let id = call.await?.upload_id;
    let call = cx.s3.upload_part_copy(&cx.bucket, "key", &cx.bucket, "copy", &id, 1).source_customer_key(key(1));
    let part = call.customer_key(key(2)).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "copy", &id).part(part).customer_key(key(2)).await?;
    equal("the copy", cx.s3.get_object(&cx.bucket, "copy").customer_key(key(2)).text().await?, "0123456789")
}
