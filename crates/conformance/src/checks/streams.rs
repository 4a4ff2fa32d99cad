//! Bodies of every kind, and bodies read as they arrive.

use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt, stream};
use tokio::io::AsyncReadExt;
use wharf::{Body, Client, ErrorKind, Reader};

use super::{Check, multipart, pattern};
use crate::context::Context;
use crate::expect::{Failure, Outcome, equal, holds, refused};

pub(super) const CHECKS: &[Check] = &[
    Check::new("body-file", "A file, read anew for every attempt", |cx| Box::pin(file(cx))),
    Check::new("body-sized-stream", "A stream of known length (over http: each chunk signed)", |cx| {
        Box::pin(sized_stream(cx))
    }),
    Check::new("body-sized-stream-unsigned", "The same with the body left out of the signature", |cx| {
        Box::pin(sized_stream_unsigned(cx))
    }),
    Check::new("body-trailer", "A checksum that follows the stream (chunks signed where over http)", |cx| {
        Box::pin(trailer(cx))
    }),
    Check::new("body-trailer-unsigned", "A checksum that follows the stream, nothing but the head signed", |cx| {
        Box::pin(trailer_unsigned(cx))
    }),
    Check::new("body-encoding-with-chunks", "Content-Encoding is kept beside aws-chunked", |cx| {
        Box::pin(encoding_with_chunks(cx))
    }),
    Check::new("body-stream", "A stream of unknown length, up to 16 MiB", |cx| Box::pin(unknown_length(cx))),
    Check::new("body-stream-too-long", "A longer one is an error that names upload", |cx| Box::pin(too_much(cx))),
    Check::new("body-stream-short", "A stream shorter than declared stores nothing", |cx| Box::pin(shorter(cx))),
    Check::new("body-stream-long", "A stream longer than declared stores nothing", |cx| Box::pin(longer(cx))),
    Check::new("body-stream-broken", "A stream that breaks off stores nothing", |cx| Box::pin(broken(cx))),
    Check::new("body-reader", "Any AsyncRead, with its length and without", |cx| Box::pin(reader(cx))),
    Check::new("body-parts", "UploadPart takes the same bodies", |cx| Box::pin(parts(cx))),
    Check::new("read-stream", "An object is read as a stream", |cx| Box::pin(read_stream(cx))),
    Check::new("read-async-read", "An object is an AsyncRead", |cx| Box::pin(async_read(cx))),
    Check::new("read-dropped", "A read given up half way harms nothing", |cx| Box::pin(dropped(cx))),
];

const LENGTH: usize = 300_000;

/// The bytes in pieces of a size that no chunk boundary falls in with.
fn pieces(bytes: Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let pieces: Vec<_> = bytes.chunks(7_919).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

fn sized(length: usize) -> Body {
    Body::sized_stream(pieces(pattern(length)), length as u64)
}

async fn arrives(cx: &Context, client: &Client, body: Body) -> Outcome {
    client.put_object(&cx.bucket, "key", body).await?;
    let object = cx.s3.get_object(&cx.bucket, "key").await?;
    equal("length", object.content_length, LENGTH as u64)?;
    equal("content encoding", object.content_encoding.as_deref(), None)?;
    holds("the bytes are the same", object.bytes().await? == pattern(LENGTH))
}

async fn file(cx: Context) -> Outcome {
    let path = TemporaryFile::new(&pattern(LENGTH))?;
    cx.put("data.csv", path.0.as_path()).await?;
    let object = cx.s3.get_object(&cx.bucket, "data.csv").await?;
    equal("content type", object.content_type.as_deref(), Some("text/csv"))?;
    holds("the bytes are the file's", object.bytes().await? == pattern(LENGTH))
}

struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(bytes: &[u8]) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("wharf-{:016x}.csv", fastrand::u64(..)));
        std::fs::write(&path, bytes)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn sized_stream(cx: Context) -> Outcome {
    arrives(&cx, &cx.client(|settings| settings.checksum_trailers(false))?, sized(LENGTH)).await
}

async fn sized_stream_unsigned(cx: Context) -> Outcome {
    let client = cx.client(|settings| settings.checksum_trailers(false).unsigned_payload())?;
    arrives(&cx, &client, sized(LENGTH)).await
}

async fn trailer(cx: Context) -> Outcome {
    arrives(&cx, &cx.client(|settings| settings.checksum_trailers(true))?, sized(LENGTH)).await
}

async fn trailer_unsigned(cx: Context) -> Outcome {
    let client = cx.client(|settings| settings.checksum_trailers(true).unsigned_payload())?;
    arrives(&cx, &client, sized(LENGTH)).await
}

async fn encoding_with_chunks(cx: Context) -> Outcome {
    let client = cx.client(|settings| settings.checksum_trailers(false))?;
    client.put_object(&cx.bucket, "key", sized(LENGTH)).content_encoding("identity").await?;
    let object = cx.s3.get_object(&cx.bucket, "key").await?;
    equal("content encoding", object.content_encoding.as_deref(), Some("identity"))?;
    equal("length", object.content_length, LENGTH as u64)
}

async fn unknown_length(cx: Context) -> Outcome {
    arrives(&cx, &cx.s3, Body::stream(pieces(pattern(LENGTH)))).await
}

async fn too_much(cx: Context) -> Outcome {
    let megabyte = pattern(1 << 20);
    let stream = stream::iter((0..17).map(move |_| Ok::<_, io::Error>(megabyte.clone())));
    let put = cx.s3.put_object(&cx.bucket, "key", Body::stream(stream)).await;
    let error = refused("the put", put, &[ErrorKind::InvalidInput])?;
    holds("the error names `upload`", error.to_string().contains("upload"))?;
    nothing_stored(&cx).await
}

async fn nothing_stored(cx: &Context) -> Outcome {
    equal("keys afterwards", cx.keys().await?, [""; 0])
}

async fn shorter(cx: Context) -> Outcome {
    let body = Body::sized_stream(pieces(pattern(LENGTH - 1)), LENGTH as u64);
    refused("the put", cx.s3.put_object(&cx.bucket, "key", body).await, &[ErrorKind::InvalidInput])?;
    nothing_stored(&cx).await
}

async fn longer(cx: Context) -> Outcome {
    let body = Body::sized_stream(pieces(pattern(LENGTH + 1)), LENGTH as u64);
    refused("the put", cx.s3.put_object(&cx.bucket, "key", body).await, &[ErrorKind::InvalidInput])?;
    nothing_stored(&cx).await
}

async fn broken(cx: Context) -> Outcome {
    let stream = stream::iter([Ok(pattern(100_000)), Err(io::Error::other("the disk is on fire"))]);
    let body = Body::sized_stream(stream, LENGTH as u64);
    let error = refused("the put", cx.s3.put_object(&cx.bucket, "key", body).await, &[ErrorKind::Body])?;
    holds("the error tells the cause", error.to_string().contains("the disk is on fire"))?;
    nothing_stored(&cx).await
}

async fn reader(cx: Context) -> Outcome {
    let read = || io::Cursor::new(pattern(LENGTH));
    cx.put("with", Reader::new(read()).length(LENGTH as u64)).await?;
    cx.put("without", Reader::new(read())).await?;
    holds("with its length", cx.bytes("with").await? == pattern(LENGTH))?;
    holds("without", cx.bytes("without").await? == pattern(LENGTH))
}

async fn parts(cx: Context) -> Outcome {
    let id = multipart::begin(&cx, "key").await?;
    let first = cx.s3.upload_part(&cx.bucket, "key", &id, 1, sized(multipart::PART)).await?;
    let second = cx.s3.upload_part(&cx.bucket, "key", &id, 2, Body::stream(pieces(pattern(99)))).await?;
    cx.s3.complete_multipart_upload(&cx.bucket, "key", &id).part(first).part(second).await?;
    holds("the bytes are the same", cx.bytes("key").await? == [pattern(multipart::PART), pattern(99)].concat())
}

async fn read_stream(cx: Context) -> Outcome {
    cx.put("key", pattern(LENGTH)).await?;
    let chunks: Vec<Bytes> = cx.s3.get_object(&cx.bucket, "key").stream().await?.try_collect().await?;
    holds("the bytes are the same", chunks.concat() == pattern(LENGTH))
}

async fn async_read(cx: Context) -> Outcome {
    cx.put("key", pattern(LENGTH)).await?;
    let mut body = cx.s3.get_object(&cx.bucket, "key").await?.body;
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes).await?;
    holds("the bytes are the same", bytes == pattern(LENGTH))
}

async fn dropped(cx: Context) -> Outcome {
    cx.put("large", pattern(4 << 20)).await?;
    let mut body = cx.s3.get_object(&cx.bucket, "large").await?.body;
    let first = body.try_next().await?.ok_or_else(|| Failure::new("no bytes at all"))?;
    drop(body);
    holds("the first bytes are right", pattern(4 << 20).starts_with(&first))?;
    holds("the next read is whole", cx.bytes("large").await? == pattern(4 << 20))
}
