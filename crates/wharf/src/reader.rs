//! Any `AsyncRead` as a body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use tokio::io::{AsyncRead, ReadBuf};
use wharf_proto::{Body, IntoBody};

const BLOCK: usize = 64 * 1024;

/// Makes a body of an [`AsyncRead`].
///
/// ```no_run
/// # async fn example(s3: wharf::Client) -> wharf::Result<()> {
/// let (reader, length) = (tokio::io::empty(), 0);
/// s3.put_object("my-bucket", "key", wharf::Reader::new(reader).length(length)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reader<R> {
    reader: R,
    length: Option<u64>,
}

impl<R: AsyncRead + Send + 'static> Reader<R> {
    /// All bytes of `reader`. Without a [`length`](Reader::length) at most 16 MiB are held and sent.
    pub fn new(reader: R) -> Self {
        Self { reader, length: None }
    }

    /// Says exactly how many bytes there are: they are sent as they are read. A reader that gives fewer or more is an
    /// error, and nothing is stored that looks whole.
    ///
    /// So the reader's end is waited for, however long that takes, before the last bytes are sent. For a socket that
    /// stays open, give [`reader.take(length)`](tokio::io::AsyncReadExt::take), which ends where the body does.
    #[must_use]
    pub fn length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }
}

impl<R: AsyncRead + Send + 'static> IntoBody for Reader<R> {
    fn into_body(self, _key: &str) -> Body {
        let blocks = Blocks { reader: Box::pin(self.reader), buffer: BytesMut::new() };
        match self.length {
            Some(length) => Body::sized_stream(blocks, length),
            None => Body::stream(blocks),
        }
    }
}

struct Blocks<R> {
    reader: Pin<Box<R>>,
    buffer: BytesMut,
}

impl<R: AsyncRead> Stream for Blocks<R> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.buffer.len() < BLOCK {
            this.buffer.resize(BLOCK, 0);
        }
        let mut buffer = ReadBuf::new(&mut this.buffer);
        if let Err(error) = ready!(this.reader.as_mut().poll_read(cx, &mut buffer)) {
            return Poll::Ready(Some(Err(error)));
        }
        let count = buffer.filled().len();
        Poll::Ready((count > 0).then(|| Ok(this.buffer.split_to(count).freeze())))
    }
}
