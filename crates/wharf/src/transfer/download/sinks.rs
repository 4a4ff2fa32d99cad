//! Memory and writers as the targets of downloads.

use bytes::Bytes;
use wharf_proto::operation::SendFuture;
use wharf_proto::{Error, ErrorKind};

use super::Downloaded;
use super::file::FileOptions;
use super::in_order::{Sink, read};
use super::request::Job;
use super::target::{Deliver, Sealed, Target};

/// Memory as the target of a download, which gives [`Bytes`].
#[derive(Debug, Clone, Copy)]
pub struct Memory;

impl Target for Memory {
    type Output = Bytes;
}

impl Sealed<Bytes> for Memory {
    fn deliver(self) -> Box<dyn Deliver<Bytes>> {
        Box::new(self)
    }
}

impl Deliver<Bytes> for Memory {
    fn deliver(self: Box<Self>, job: Job, _: FileOptions) -> SendFuture<Downloaded<Bytes>> {
        Box::pin(async move {
            let mut held = Held::default();
            let done = read(&job, &mut held).await?;
            Ok(Downloaded {
                target: held.into_bytes(),
                head: done.head,
                size: done.size,
                resumed_bytes: 0,
                verification: done.verification,
            })
        })
    }
}

/// Bytes in memory: as they came where one piece is all, else one after another.
#[derive(Default)]
struct Held {
    first: Bytes,
    whole: Vec<u8>,
    expected: usize,
}

impl Held {
    fn into_bytes(self) -> Bytes {
        if self.whole.is_empty() { self.first } else { self.whole.into() }
    }
}

impl Sink for Held {
    fn expect(&mut self, length: u64) -> Result<(), Error> {
        self.expected = usize::try_from(length).map_err(|_| too_large(length))?;
        Ok(())
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        if self.first.is_empty() && self.whole.is_empty() {
            self.first = bytes;
            return Ok(());
        }
        if self.whole.is_empty() {
            let length = self.expected.max(self.first.len() + bytes.len());
            self.whole.try_reserve_exact(length).map_err(|_| too_large(length as u64))?;
            self.whole.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.whole.try_reserve(bytes.len()).map_err(|_| too_large(self.whole.len() as u64))?;
        self.whole.extend_from_slice(&bytes);
        Ok(())
    }

    fn forget(&mut self) -> bool {
        *self = Self::default();
        true
    }
}

fn too_large(length: u64) -> Error {
    Error::new(ErrorKind::Body, format!("{length} bytes do not fit into memory"))
}

#[cfg(feature = "tokio-io")]
mod writer {
    use tokio::io::{AsyncWrite, AsyncWriteExt};

    use super::*;

    /// Any [`AsyncWrite`] as the target of a download, which gives it back.
    ///
    /// The bytes come in order, and the writer is flushed at the end, not shut down. It gets bytes before they can be
    /// verified: what it was given counts only when the download has succeeded.
    #[derive(Debug)]
    pub struct Writer<W>(pub W);

    impl<W: AsyncWrite + Unpin + Send + 'static> Target for Writer<W> {
        type Output = W;
    }

    impl<W: AsyncWrite + Unpin + Send + 'static> Sealed<W> for Writer<W> {
        fn deliver(self) -> Box<dyn Deliver<W>> {
            Box::new(self)
        }
    }

    impl<W: AsyncWrite + Unpin + Send + 'static> Deliver<W> for Writer<W> {
        fn deliver(self: Box<Self>, job: Job, _: FileOptions) -> SendFuture<Downloaded<W>> {
            Box::pin(async move {
                let mut writing = Writing { writer: self.0, begun: false };
                let done = read(&job, &mut writing).await?;
                writing.writer.flush().await.map_err(failed)?;
                Ok(Downloaded {
                    target: writing.writer,
                    head: done.head,
                    size: done.size,
                    resumed_bytes: 0,
                    verification: done.verification,
                })
            })
        }
    }

    struct Writing<W> {
        writer: W,
        begun: bool,
    }

    impl<W: AsyncWrite + Unpin + Send> Sink for Writing<W> {
        fn expect(&mut self, _: u64) -> Result<(), Error> {
            Ok(())
        }

        async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
            self.begun |= !bytes.is_empty();
            self.writer.write_all(&bytes).await.map_err(failed)
        }

        fn forget(&mut self) -> bool {
            !self.begun
        }
    }

    fn failed(error: std::io::Error) -> Error {
        Error::new(ErrorKind::Body, format!("the writer failed: {error}")).with_cause(error)
    }
}

#[cfg(feature = "tokio-io")]
pub use writer::Writer;
