//! Bytes in memory, in the pieces they arrived in.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use wharf_transport::Body;

use crate::backend::{Blob, BlobWriter};
use crate::error::Result;

/// Pieces smaller than this are put together: one kept by itself could hold on to a whole read buffer.
const SMALL: usize = 16 * 1024;
const JOINED: usize = 256 * 1024;

/// Pieces, each with the offset of its end.
struct Pieces(Vec<(u64, Bytes)>);

impl Blob for Pieces {
    fn len(&self) -> u64 {
        self.0.last().map_or(0, |(end, _)| *end)
    }

    fn read(&self, range: Range<u64>) -> Body {
        if range.is_empty() {
            return Body::empty();
        }
        let first = self.0.partition_point(|(end, _)| *end <= range.start);
        let mut found: Vec<Bytes> = Vec::new();
        for (end, piece) in &self.0[first..] {
            let start = end - piece.len() as u64;
            if start >= range.end {
                break;
            }
            // Both differences are within the piece, whose length is a usize.
            let from = range.start.saturating_sub(start) as usize;
            let to = (range.end.min(*end) - start) as usize;
            found.push(piece.slice(from..to));
        }
        if found.len() == 1 {
            return Body::from(found.remove(0));
        }
        Body::stream(Some(range.end - range.start), stream::iter(found.into_iter().map(Ok)))
    }
}

/// Collects pieces.
#[derive(Default)]
pub(super) struct Writer {
    pieces: Vec<(u64, Bytes)>,
    small: BytesMut,
    end: u64,
}

impl Writer {
    fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.end += bytes.len() as u64;
            self.pieces.push((self.end, bytes));
        }
    }

    fn flush(&mut self) {
        let small = self.small.split().freeze();
        self.push(small);
    }
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.len() < SMALL {
            self.small.extend_from_slice(&bytes);
            if self.small.len() >= JOINED {
                self.flush();
            }
        } else {
            self.flush();
            self.push(bytes);
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Arc<dyn Blob>> {
        self.flush();
        Ok(Arc::new(Pieces(self.pieces)))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn reads_any_range_of_any_pieces() {
        let whole: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
        let mut writer = Box::<Writer>::default();
        let mut rest = Bytes::from(whole.clone());
        for size in [1, 20_000, 5, 0, 30_000, 40_000, 9_994] {
            writer.write(rest.split_to(size)).await.unwrap();
        }
        let blob = writer.finish().await.unwrap();
        assert_eq!(blob.len(), 100_000);
        for range in [0..0, 0..1, 0..100_000, 19_999..20_007, 50_000..90_007, 99_999..100_000] {
            let pieces: Vec<Bytes> = blob.read(range.clone()).try_collect().await.unwrap();
            assert_eq!(pieces.concat(), whole[range.start as usize..range.end as usize], "{range:?}");
        }
    }
}
