//! What an interrupted transfer leaves behind for the next run: a file of lines, to which lines are added.
//!
//! The first line names the format, each that follows is one [`Record`] behind a checksum of it and of all before it. A line
//! that was not written whole, or was spoilt later, ends what is believed: whatever bytes of a journal reached the disk, they
//! say what was true at some time, or nothing.

mod line;
mod state;

use std::ops::Range;
use std::time::SystemTime;

use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::op::PartsChecksum;
use crate::transfer::Arrived;
use crate::{ETag, Error};

pub use state::{DownloadState, State, UploadState};

/// The first line.
const FORMAT: &str = "wharf-journal 1\n";

/// What all formats begin with.
const ANY_FORMAT: &str = "wharf-journal ";

/// What a journal says, one thing a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An upload: what of, and where to. The first of its journal.
    Upload(UploadStart),
    /// CreateMultipartUpload is about to be sent. Without [`Created`](Record::Created) behind it, its answer was lost.
    Creating(SystemTime),
    /// The upload was begun.
    Created {
        /// Its id.
        upload_id: String,
        /// What its parts are checked by.
        checksum: Option<PartsChecksum>,
    },
    /// The server has a part.
    Stored(StoredPart),
    /// A download: what of, and where to. The first of its journal.
    Download(DownloadStart),
    /// A range is in the file, where it survives a power failure.
    Arrived(Arrived),
}

/// An upload that can be resumed. All but [`since`](UploadStart::since), [`touched`](UploadStart::touched) and [`write_id`](UploadStart::write_id) must be the
/// same for another run to go on with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadStart {
    /// The server.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The file.
    pub path: String,
    /// Where in the file the object's bytes begin.
    pub offset: u64,
    /// How many bytes the object has.
    pub length: u64,
    /// When the file was written to last.
    pub modified: Option<SystemTime>,
    /// The file's number in its file system, where files have one.
    pub inode: Option<u64>,
    /// When anything was done to the file last, where that is known. It may differ: then the bytes are looked at.
    pub touched: Option<SystemTime>,
    /// How many bytes a part has.
    pub part_size: u64,
    /// A digest of all that is said of the object: see [`PutInParts::digest`](crate::op::PutInParts::digest).
    pub options: String,
    /// The id in the object's metadata, if it has one.
    pub write_id: Option<String>,
    /// Whether whoever sends it has agreed to pay, which is asked for again where it is aborted.
    pub request_payer: bool,
    /// When it was begun.
    pub since: SystemTime,
}

/// A download that can be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadStart {
    /// The server.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The file.
    pub path: String,
    /// The tag of the object that was found.
    pub etag: ETag,
    /// Its version.
    pub version_id: Option<String>,
    /// How many bytes it has.
    pub size: Option<u64>,
    /// Which of them are wanted.
    pub wanted: Range<u64>,
    /// When it was begun.
    pub since: SystemTime,
}

/// A part that the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// Its number, from 1.
    pub number: u32,
    /// How many bytes it has.
    pub length: u64,
    /// Its tag.
    pub etag: ETag,
    /// The checksum of the bytes that were sent.
    pub checksum: Option<Checksum>,
    /// Whether the server has named it.
    pub confirmed: bool,
}

/// Writes a journal's lines.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// The checksum of the last line; `None` before the first.
    last: Option<String>,
}

/// What a journal says.
#[derive(Debug)]
pub struct Decoded {
    /// The records that can be believed.
    pub records: Vec<Record>,
    /// How many bytes those have: the rest is to be cut off before more is written.
    pub length: usize,
    /// Writes what follows them.
    pub encoder: Encoder,
}

impl Encoder {
    /// Writes a journal from its beginning.
    #[expect(clippy::new_without_default, reason = "it is no value that stands for nothing")]
    pub fn new() -> Self {
        Self { last: None }
    }

    /// The bytes that say it, to be written behind all that were made before.
    pub fn encode(&mut self, record: &Record) -> String {
        let text = line::write(record);
        let before = self.last.as_deref().unwrap_or(FORMAT);
        let sum = sum(before, &text);
        let format = if self.last.is_none() { FORMAT } else { "" };
        let line = format!("{format}{sum} {text}\n");
        self.last = Some(sum);
        line
    }
}

/// Reads a journal, as far as it can be believed.
///
/// # Errors
/// [`InvalidInput`](crate::ErrorKind::InvalidInput) for a file that is no journal, or that another version has written.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Error> {
    let mut decoded = Decoded { records: Vec::new(), length: 0, encoder: Encoder::new() };
    let Some(lines) = bytes.strip_prefix(FORMAT.as_bytes()) else {
        // The beginning of the first line is what a run leaves that was killed at once, zeros what a power failure may.
        let is_torn = FORMAT.as_bytes().starts_with(bytes) || bytes.iter().all(|byte| *byte == 0);
        return match (is_torn, bytes.starts_with(ANY_FORMAT.as_bytes())) {
            (true, _) => Ok(decoded),
            (_, true) => Err(Error::invalid_input("it was written by another version of wharf")),
            _ => Err(Error::invalid_input("it is no journal of wharf's")),
        };
    };
    let mut length = FORMAT.len();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let before = decoded.encoder.last.as_deref().unwrap_or(FORMAT);
        let Some((sum, record)) = read(line, before) else { break };
        length += line.len();
        decoded.records.push(record);
        decoded.encoder.last = Some(sum);
        decoded.length = length;
    }
    Ok(decoded)
}

/// What a line says and its checksum, if it is whole and follows the one with the checksum `before`.
fn read(line: &[u8], before: &str) -> Option<(String, Record)> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (said, text) = line.split_once(' ')?;
    let sum = sum(before, text);
    if sum != said {
        return None;
    }
    Some((sum, line::read(text)?))
}

fn sum(before: &str, text: &str) -> String {
    hex(&ChecksumAlgorithm::Crc32c.checksum(format!("{before} {text}").as_bytes()))
}

/// A checksum's bytes in hexadecimal digits.
pub fn hex(checksum: &Checksum) -> String {
    checksum.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
