//! A body in chunks (`aws-chunked`), signed or followed by its checksum.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use wharf_proto::BoxError;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm};
use wharf_proto::sigv4::{SignedChunks, UnsignedChunks};

/// A body whose checksum is known once it has ended.
pub(crate) trait Summed {
    fn checksum(&self) -> Option<Checksum>;
}

/// Who makes the lines between the chunks.
pub(crate) enum Frames {
    Signed(Box<SignedChunks>),
    Unsigned(UnsignedChunks),
}

impl Frames {
    fn chunk(&mut self, data: &[u8]) -> Bytes {
        match self {
            Self::Signed(chunks) => chunks.chunk(data),
            Self::Unsigned(chunks) => chunks.chunk(data.len() as u64),
        }
    }

    fn finish(self, trailers: &[(&str, &str)]) -> Bytes {
        match self {
            Self::Signed(chunks) => chunks.finish(trailers),
            Self::Unsigned(chunks) => chunks.finish(trailers),
        }
    }
}

pub(crate) struct Framed<S> {
    stream: S,
    /// `None` after the last chunk.
    frames: Option<Frames>,
    trailer: Option<ChecksumAlgorithm>,
    chunk: usize,
    held: BytesMut,
    ready: VecDeque<Bytes>,
}

impl<S: Summed> Framed<S> {
    pub(crate) fn new(stream: S, frames: Frames, trailer: Option<ChecksumAlgorithm>, chunk: usize) -> Self {
        Self { stream, frames: Some(frames), trailer, chunk, held: BytesMut::new(), ready: VecDeque::new() }
    }

    fn push_chunk(&mut self, data: Bytes) {
        if let Some(frames) = self.frames.as_mut().filter(|_| !data.is_empty()) {
            self.ready.push_back(frames.chunk(&data));
            self.ready.push_back(data);
        }
    }

    /// Cuts chunks off `bytes`; what is too short for one waits for more.
    fn take(&mut self, mut bytes: Bytes) {
        if self.held.is_empty() {
            while bytes.len() >= self.chunk {
                let data = bytes.split_to(self.chunk);
                self.push_chunk(data);
            }
        }
        self.held.extend_from_slice(&bytes);
        while self.held.len() >= self.chunk {
            let data = self.held.split_to(self.chunk).freeze();
            self.push_chunk(data);
        }
    }

    fn finish(&mut self) {
        let rest = self.held.split().freeze();
        self.push_chunk(rest);
        let checksum = self.stream.checksum().map(|checksum| checksum.to_base64());
        let trailer = self.trailer.zip(checksum.as_deref()).map(|(algorithm, value)| (algorithm.header_name(), value));
        if let Some(frames) = self.frames.take() {
            self.ready.push_back(frames.finish(trailer.as_slice()));
        }
    }
}

impl<S> Stream for Framed<S>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Summed + Unpin,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(piece)));
            }
            if self.frames.is_none() {
                return Poll::Ready(None);
            }
            match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Err(error))) => {
                    self.frames = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(Some(Ok(bytes))) => self.take(bytes),
                Poll::Ready(None) => self.finish(),
            }
        }
    }
}
