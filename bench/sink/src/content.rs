//! The bytes that objects are made of, and the checksums of them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest};

pub struct Content {
    block: Vec<u8>,
    /// CRC64NVME by length, base64.
    checksums: Mutex<HashMap<u64, String>>,
}

impl Content {
    pub fn new() -> Self {
        Self { block: job::block(), checksums: Mutex::default() }
    }

    /// The CRC64NVME of an object, or a part, of this length that begins where a block does.
    pub fn checksum(&self, length: u64) -> String {
        let mut known = self.checksums.lock().unwrap_or_else(|broken| broken.into_inner());
        known.entry(length).or_insert_with(|| self.compute(length)).clone()
    }

    fn compute(&self, length: u64) -> String {
        let mut digest = Digest::new(CrcAlgorithm::Crc64Nvme);
        for piece in self.pieces(0..length) {
            digest.update(piece);
        }
        STANDARD.encode(digest.finalize().to_be_bytes())
    }

    /// The bytes of this range of an object.
    pub fn pieces(&self, range: Range<u64>) -> impl Iterator<Item = &[u8]> {
        let mut at = range.start;
        std::iter::from_fn(move || {
            let start = (at % self.block.len() as u64) as usize;
            let count = (range.end.saturating_sub(at)).min((self.block.len() - start) as u64);
            at += count;
            (count > 0).then(|| &self.block[start..start + count as usize])
        })
    }
}
