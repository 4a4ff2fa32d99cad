//! Blobs made of other blobs, whatever keeps those.

use std::ops::Range;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use md5::{Digest, Md5};
use wharf_transport::Body;

use crate::backend::{Blob, Extent};
use crate::checksum::{Algorithm, Checksum, Hasher, Kind};
use crate::error::{Code, Error, Result};

/// Some of a blob: the source of a copied part.
pub(crate) struct Slice {
    pub(crate) blob: Arc<dyn Blob>,
    pub(crate) range: Range<u64>,
}

impl Slice {
    fn within(&self, range: Range<u64>) -> Range<u64> {
        self.range.start + range.start..self.range.start + range.end
    }
}

impl Blob for Slice {
    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn read(&self, range: Range<u64>) -> Body {
        self.blob.read(self.within(range))
    }

    fn extents(&self, range: Range<u64>) -> Vec<Extent> {
        self.blob.extents(self.within(range))
    }
}

/// Blobs behind one another: the parts of an object.
pub(crate) struct Concat {
    blobs: Vec<Arc<dyn Blob>>,
    len: u64,
}

impl Concat {
    pub(crate) fn new(blobs: Vec<Arc<dyn Blob>>) -> Self {
        let len = blobs.iter().map(|blob| blob.len()).sum();
        Self { blobs, len }
    }

    /// The blobs that have bytes in `range`, each with its own part of it.
    fn pieces(&self, range: &Range<u64>) -> Vec<(&Arc<dyn Blob>, Range<u64>)> {
        let mut start = 0;
        let mut pieces = Vec::new();
        for blob in &self.blobs {
            let end = start + blob.len();
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                pieces.push((blob, from - start..to - start));
            }
            start = end;
        }
        pieces
    }
}

impl Blob for Concat {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&self, range: Range<u64>) -> Body {
        let pieces: Vec<Body> = self.pieces(&range).into_iter().map(|(blob, range)| blob.read(range)).collect();
        Body::stream(Some(range.end - range.start), stream::iter(pieces).flatten())
    }

    fn extents(&self, range: Range<u64>) -> Vec<Extent> {
        self.pieces(&range).into_iter().flat_map(|(blob, range)| blob.extents(range)).collect()
    }
}

/// The MD5 and one checksum of a blob.
pub(crate) async fn digest(blob: &dyn Blob, algorithm: Algorithm) -> Result<([u8; 16], Checksum)> {
    let (mut md5, mut hasher) = (Md5::new(), Hasher::new(algorithm));
    let mut body = blob.read(0..blob.len());
    while let Some(bytes) = body.try_next().await.map_err(|_| Error::from(Code::InternalError))? {
        md5.update(&bytes);
        hasher.update(&bytes);
    }
    let kind = Kind { algorithm, composite: false };
    Ok((md5.finalize().into(), Checksum { kind, value: hasher.finish() }))
}
