//! CSV rows out of chunks of bytes, by `csv-core`, whose state machine can stop at any byte.

use bytes::{Buf, Bytes};
use csv_core::{ReadRecordResult, Reader};

use super::format::Problem;

/// One row may have this many bytes, quotes not counted.
pub(super) const MAX_ROW_BYTES: usize = 16 * 1024 * 1024;
/// One row may have this many fields.
const MAX_FIELDS: usize = 1 << 20;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Takes bytes and gives rows. It holds one row.
pub(super) struct Decoder {
    reader: Reader,
    /// How many bytes of a byte order mark have been seen; all of them once it is known whether there is one.
    bom: usize,
    bytes: Vec<u8>,
    filled: usize,
    ends: Vec<usize>,
    fields: usize,
    /// Whether the row in hand is complete, and its last byte was a line feed.
    complete: bool,
    ended_by_line_feed: bool,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            reader: Reader::new(),
            bom: 0,
            bytes: vec![0; 4096],
            filled: 0,
            ends: vec![0; 64],
            fields: 0,
            complete: false,
            ended_by_line_feed: false,
        }
    }

    /// Takes bytes off `input` until a row is complete (`true`) or none are left (`false`).
    pub(super) fn feed(&mut self, input: &mut Bytes) -> Result<bool, Problem> {
        while self.bom < BOM.len() && input.has_remaining() {
            if input[0] == BOM[self.bom] {
                input.advance(1);
                self.bom += 1;
            } else {
                self.no_bom()?;
            }
        }
        let (taken, complete) = self.run(input)?;
        input.advance(taken);
        Ok(complete)
    }

    /// After the last byte: whether there is one more row, whose line had no end.
    pub(super) fn finish(&mut self) -> Result<bool, Problem> {
        if self.bom < BOM.len() {
            self.no_bom()?;
        }
        // An end of line completes a row anywhere but inside quotes, where it becomes part of the field.
        let (_, complete) = self.run(b"\n")?;
        if !complete && self.filled > 0 {
            return Err(Problem::new("a quote is never closed"));
        }
        Ok(complete)
    }

    /// The fields of the row in hand.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends[..self.fields].iter().map(move |&end| {
            let field = &self.bytes[start..end];
            start = end;
            field
        })
    }

    /// The line, from 1, on which the row in hand begins.
    pub(super) fn line(&self) -> u64 {
        let within = memchr::memchr_iter(b'\n', &self.bytes[..self.filled]).count() as u64;
        self.reader.line() - within - u64::from(self.ended_by_line_feed)
    }

    /// What looked like a byte order mark was the beginning of the first field.
    fn no_bom(&mut self) -> Result<(), Problem> {
        let seen = std::mem::replace(&mut self.bom, BOM.len());
        self.run(&BOM[..seen]).map(|_| ())
    }

    /// How many bytes were taken, and whether they completed a row.
    fn run(&mut self, input: &[u8]) -> Result<(usize, bool), Problem> {
        if std::mem::take(&mut self.complete) {
            (self.filled, self.fields, self.ended_by_line_feed) = (0, 0, false);
        }
        let mut taken = 0;
        // No bytes would mean the end to the reader.
        while taken < input.len() {
            let (result, read, written, ended) =
                self.reader.read_record(&input[taken..], &mut self.bytes[self.filled..], &mut self.ends[self.fields..]);
            taken += read;
            self.filled += written;
            self.fields += ended;
            match result {
                ReadRecordResult::OutputFull if self.bytes.len() >= MAX_ROW_BYTES => {
                    return Err(Problem::new("longer than 16 MiB; is a quote never closed?"));
                }
                ReadRecordResult::OutputFull => self.bytes.resize(self.bytes.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_FIELDS => {
                    return Err(Problem::new("more than 1048576 fields"));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.complete = true;
                    self.ended_by_line_feed = input[..taken].ends_with(b"\n");
                    break;
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => break,
            }
        }
        Ok((taken, self.complete))
    }
}
