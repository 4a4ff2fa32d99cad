//! Bytes on their way to the disk.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::failure::Failure;
use super::place::{Held, Shared, Stretch};
use super::work::{self, Working};
use crate::backend::blob::Concat;
use crate::backend::{Blob, BlobWriter};
use crate::error::{Code, Result};

/// The most bytes that are kept within the database: below it, a file of its own would cost more than its bytes.
pub(super) const SMALL: usize = 16 * 1024;

/// How much is written at once. One block fills while the one before is written.
const BLOCK: usize = 512 * 1024;

/// Collects a block at a time. Up to [`SMALL`] bytes never become a file.
pub(super) struct Writer {
    shared: Arc<Shared>,
    block: BytesMut,
    len: u64,
    file: Option<Arriving>,
}

/// A file that is being written, and the block that comes back when it can take the next.
struct Arriving {
    held: Arc<Held>,
    working: Working<(File, BytesMut)>,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, block: BytesMut::new(), len: 0, file: None }
    }

    /// Starts to write the block, once the one before is written.
    async fn flush(&mut self) -> Result<()> {
        let (held, file, spare) = match self.file.take() {
            Some(Arriving { held, working }) => {
                let (file, spare) = working.await.map_err(Failure::from)?;
                (held, file, spare)
            }
            None => {
                let held = self.shared.new_place(None);
                // Held until it is made: whoever leaves meanwhile must not have it removed before it is there.
                let (shared, making) = (self.shared.clone(), held.clone());
                let create = move || shared.directory.create(making.place);
                let file = work::start(create).await.map_err(Failure::from)?;
                (held, file, BytesMut::new())
            }
        };
        let block = std::mem::replace(&mut self.block, spare);
        self.file = Some(Arriving { held, working: work::start(move || write(file, block)) });
        Ok(())
    }
}

fn write(mut file: File, mut block: BytesMut) -> std::io::Result<(File, BytesMut)> {
    file.write_all(&block)?;
    block.clear();
    Ok((file, block))
}

#[async_trait]
impl BlobWriter for Writer {
    async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        self.len += bytes.len() as u64;
        while !bytes.is_empty() {
            if self.block.len() == BLOCK {
                self.flush().await?;
            }
            let some = bytes.split_to(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(&some);
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Arc<dyn Blob>> {
        if self.len == 0 {
            return Ok(Arc::new(Concat::new(Vec::new())));
        }
        let range = 0..self.len;
        if self.file.is_none() && self.block.len() <= SMALL {
            let held = self.shared.new_place(Some(self.block.freeze()));
            return Ok(Arc::new(Stretch { held, range }));
        }
        self.flush().await?;
        let Some(Arriving { held, working }) = self.file.take() else { return Err(Code::InternalError.into()) };
        let (file, _) = working.await.map_err(Failure::from)?;
        work::start(move || file.sync_all()).await.map_err(Failure::from)?;
        Ok(Arc::new(Stretch { held, range }))
    }
}
