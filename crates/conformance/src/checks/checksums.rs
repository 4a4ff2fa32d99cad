//! Checksums, on whole objects and on parts.

use wharf::{Checksum, ChecksumAlgorithm, ChecksumType, CompletedPart, ErrorKind};

use super::{Check, multipart::PART, pattern};
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds, refused, some};

pub(super) const CHECKS: &[Check] = &[
    Check::new("checksum-crc32", "PutObject with CRC32", |cx| Box::pin(put(cx, ChecksumAlgorithm::Crc32))),
    Check::new("checksum-crc32c", "PutObject with CRC32C", |cx| Box::pin(put(cx, ChecksumAlgorithm::Crc32c))),
    Check::new("checksum-crc64nvme", "PutObject with CRC64NVME", |cx| Box::pin(put(cx, ChecksumAlgorithm::Crc64Nvme))),
    Check::new("checksum-sha1", "PutObject with SHA1", |cx| Box::pin(put(cx, ChecksumAlgorithm::Sha1))),
    Check::new("checksum-sha256", "PutObject with SHA256", |cx| Box::pin(put(cx, ChecksumAlgorithm::Sha256))),
    Check::new("checksum-wrong", "A wrong checksum is BadDigest, whatever the algorithm", |cx| Box::pin(wrong(cx))),
    Check::new("checksum-none", "PutObject without a checksum", |cx| Box::pin(none(cx))),
    Check::new("checksum-default", "An object put without a checksum has a CRC64NVME all the same", |cx| {
        Box::pin(by_the_server(cx))
    }),
    Check::new("content-md5", "Content-MD5 is compared", |cx| Box::pin(content_md5(cx))),
    Check::new("checksum-listed", "Listings name the algorithm", |cx| Box::pin(listed(cx))),
    Check::new("checksum-attributes", "GetObjectAttributes tells the checksum", |cx| Box::pin(attributes(cx))),
    Check::new("checksum-copy", "CopyObject keeps the checksum, or makes another", |cx| Box::pin(copy(cx))),
    Check::new("checksum-parts-crc32", "Parts with CRC32: composite", |cx| {
        Box::pin(parts(cx, ChecksumAlgorithm::Crc32, ChecksumType::Composite))
    }),
    Check::new("checksum-parts-crc32c", "Parts with CRC32C: composite", |cx| {
        Box::pin(parts(cx, ChecksumAlgorithm::Crc32c, ChecksumType::Composite))
    }),
    Check::new("checksum-parts-sha1", "Parts with SHA1: composite", |cx| {
        Box::pin(parts(cx, ChecksumAlgorithm::Sha1, ChecksumType::Composite))
    }),
    Check::new("checksum-parts-sha256", "Parts with SHA256: composite", |cx| {
        Box::pin(parts(cx, ChecksumAlgorithm::Sha256, ChecksumType::Composite))
    }),
    Check::new("checksum-parts-full-crc32", "Parts with CRC32: of the full object", |cx| {
        Box::pin(parts(cx, ChecksumAlgorithm::Crc32, ChecksumType::FullObject))
    }),
    Check::new("checksum-parts-full-crc32c", "Parts with CRC32C: of the full object", |cx| {
        Box::pin(parts(cx, ChecksumAlgorithm::Crc32c, ChecksumType::FullObject))
    }),
    Check::new("checksum-parts-full-crc64nvme", "Parts with CRC64NVME: of the full object", |cx| {
        Box::pin(parts(cx, ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject))
    }),
    Check::new("checksum-type", "Reads name the type of the checksum", |cx| Box::pin(names_type(cx))),
    Check::new("checksum-parts-listed", "ListParts tells the parts' checksums", |cx| Box::pin(parts_listed(cx))),
    Check::new("checksum-part-wrong", "A part with a wrong checksum is BadDigest", |cx| Box::pin(part_wrong(cx))),
    Check::new("checksum-complete-wrong", "An object with a wrong checksum is not completed", |cx| {
        Box::pin(complete_wrong(cx))
    }),
];

const TEXT: &str = "The quick brown fox jumps over the lazy dog";

/// What the server has for the object.
async fn stored(cx: &Context, key: &str) -> Result<Option<Checksum>, Failure> {
    Ok(cx.s3.head_object(&cx.bucket, key).checksum_mode(true).await?.checksum)
}

async fn put(cx: Context, algorithm: ChecksumAlgorithm) -> Outcome {
    let wanted = algorithm.checksum(TEXT.as_bytes());
    let put = cx.s3.put_object(&cx.bucket, "key", TEXT).checksum(algorithm).await?;
    equal("in the answer", put.checksum, Some(wanted))?;
    equal("by HeadObject", stored(&cx, "key").await?, Some(wanted))?;
    let object = cx.s3.get_object(&cx.bucket, "key").checksum_mode(true).await?;
    equal("by GetObject", object.checksum, Some(wanted))?;
    equal("body", object.text().await?, TEXT)
}

async fn wrong(cx: Context) -> Outcome {
    use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
    for algorithm in [Crc32, Crc32c, Crc64Nvme, Sha1, Sha256] {
        let of_another = algorithm.checksum(b"something else");
        let put = cx.s3.put_object(&cx.bucket, "key", TEXT).checksum_value(of_another).await;
        refused(algorithm.as_str(), put, &[ErrorKind::BadDigest])?;
    }
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn none(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", TEXT).no_checksum().await?;
    equal("body", cx.bytes("key").await?, TEXT)
}

async fn by_the_server(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", TEXT).no_checksum().await?;
    equal("checksum", stored(&cx, "key").await?, Some(ChecksumAlgorithm::Crc64Nvme.checksum(TEXT.as_bytes())))
}

async fn content_md5(cx: Context) -> Outcome {
    let call = || cx.s3.put_object(&cx.bucket, "key", TEXT).no_checksum();
    let put = call().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").await;
    refused("a wrong one", put, &[ErrorKind::BadDigest])?;
    call().content_md5(wharf::proto::checksum::md5_base64(TEXT.as_bytes())).await?;
    equal("body", cx.bytes("key").await?, TEXT)
}

async fn listed(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", TEXT).checksum(ChecksumAlgorithm::Sha256).await?;
    let page = cx.s3.list_objects(&cx.bucket).await?;
    let object = some("the object", page.objects.first())?;
    equal("algorithm", object.checksum_algorithm, Some(ChecksumAlgorithm::Sha256))
}

async fn attributes(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", TEXT).checksum(ChecksumAlgorithm::Crc32c).await?;
    let found = cx.s3.get_object_attributes(&cx.bucket, "key").await?;
    equal("checksum", found.checksum, Some(ChecksumAlgorithm::Crc32c.checksum(TEXT.as_bytes())))
}

async fn copy(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", TEXT).checksum(ChecksumAlgorithm::Crc32c).await?;
    cx.s3.copy_object(&cx.bucket, "key", &cx.bucket, "same").await?;
    equal("kept", stored(&cx, "same").await?, Some(ChecksumAlgorithm::Crc32c.checksum(TEXT.as_bytes())))?;
    let call = cx.s3.copy_object(&cx.bucket, "key", &cx.bucket, "other");
    let copied = call.checksum_algorithm(ChecksumAlgorithm::Sha256).await?;
    let wanted = Some(ChecksumAlgorithm::Sha256.checksum(TEXT.as_bytes()));
    equal("in the answer", copied.checksum, wanted)?;
    equal("made anew", stored(&cx, "other").await?, wanted)
}

async fn parts(cx: Context, algorithm: ChecksumAlgorithm, kind: ChecksumType) -> Outcome {
    let bodies = [pattern(PART), pattern(1000)];
    let begun =
        cx.s3.create_multipart_upload(&cx.bucket, "key").checksum_algorithm(algorithm).checksum_type(kind).await?;
    let id = begun.upload_id;
    let mut done: Vec<CompletedPart> = Vec::new();
    for (number, body) in (1..).zip(&bodies) {
        let part = cx.s3.upload_part(&cx.bucket, "key", &id, number, body.clone()).checksum(algorithm).await?;
        equal("of a part", part.checksum, Some(algorithm.checksum(body)))?;
        done.push(part.into());
    }
    let of_parts = bodies.each_ref().map(|body| (algorithm.checksum(body), body.len() as u64));
    let wanted = match kind {
        ChecksumType::Composite => Checksum::composite_of(of_parts.map(|(checksum, _)| checksum)),
        _ => Checksum::full_object_of(of_parts),
    };
    let wanted = wanted.map_err(|error| Failure::new(error.to_string()))?;
    let call = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).parts(done).checksum_type(kind);
    let complete = call.checksum_value(wanted).await?;
    equal("in the answer", complete.checksum, Some(wanted))?;
    equal("by HeadObject", stored(&cx, "key").await?, Some(wanted))?;
    let body = cx.s3.get_object(&cx.bucket, "key").checksum_mode(true).bytes().await?;
    holds("the bytes are the parts'", body == bodies.concat())
}

async fn names_type(cx: Context) -> Outcome {
    cx.s3.put_object(&cx.bucket, "key", TEXT).checksum(ChecksumAlgorithm::Crc32).await?;
    let head = cx.s3.head_object(&cx.bucket, "key").checksum_mode(true).await?;
    equal("by HeadObject", head.checksum_type, Some(ChecksumType::FullObject))?;
    let head = cx.s3.get_object(&cx.bucket, "key").checksum_mode(true).await?.head;
    equal("by GetObject", head.checksum_type, Some(ChecksumType::FullObject))
}

async fn parts_listed(cx: Context) -> Outcome {
    let algorithm = ChecksumAlgorithm::Sha256;
    let id = cx.s3.create_multipart_upload(&cx.bucket, "key").checksum_algorithm(algorithm).await?.upload_id;
    cx.s3.upload_part(&cx.bucket, "key", &id, 1, TEXT).checksum(algorithm).await?;
    let listed = cx.s3.list_parts(&cx.bucket, "key", &id).await?;
    equal("algorithm", listed.checksum_algorithm, Some(algorithm))?;
    let part = some("the part", listed.parts.first())?;
    equal("checksum", part.checksum, Some(algorithm.checksum(TEXT.as_bytes())))
}

async fn part_wrong(cx: Context) -> Outcome {
    let algorithm = ChecksumAlgorithm::Crc32c;
    let id = cx.s3.create_multipart_upload(&cx.bucket, "key").checksum_algorithm(algorithm).await?.upload_id;
    let part = cx.s3.upload_part(&cx.bucket, "key", &id, 1, TEXT).checksum_value(algorithm.checksum(b"else")).await;
    refused("UploadPart", part, &[ErrorKind::BadDigest])?;
    equal("parts afterwards", cx.s3.list_parts(&cx.bucket, "key", &id).await?.parts.len(), 0)
}

async fn complete_wrong(cx: Context) -> Outcome {
    let algorithm = ChecksumAlgorithm::Crc64Nvme;
    let id = cx.s3.create_multipart_upload(&cx.bucket, "key").checksum_algorithm(algorithm).await?.upload_id;
    let part = cx.s3.upload_part(&cx.bucket, "key", &id, 1, TEXT).checksum(algorithm).await?;
    let call = cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(part);
    let complete = call.checksum_type(ChecksumType::FullObject).checksum_value(algorithm.checksum(b"else")).await;
    refused("CompleteMultipartUpload", complete, &[ErrorKind::BadDigest])?;
    equal("keys afterwards", cx.keys().await?, [""; 0])
}
