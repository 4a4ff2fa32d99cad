//! What is uploaded: how long it is, in how many requests it goes, and its pieces in their order.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use wharf_proto::body::{ByteStream, Source as BodySource};
use wharf_proto::checksum::{Checksum, ChecksumType};
use wharf_proto::op::PutInParts;
use wharf_proto::transfer::{Part, PartPlan};
use wharf_proto::{Body, Error, ErrorKind};

use super::cutter::{Cut, Cutter};
use super::file::Snapshot;
use super::job::Job;
use super::replay::{Held, Replay};
use super::resume::Resume;
use super::verify::Sent;
use super::{BYTES_IN_WORK, HELD_IN_WORK, IN_WORK, Settings, Uploaded, multipart, single};
use crate::transfer::handle::Watch;

/// A file that is no longer is read in one go.
const READ_AT_ONCE: u64 = 256 * 1024;

/// Where the parts come from.
pub(super) enum Source {
    Bytes(Bytes),
    /// A file from `offset` on.
    File {
        file: Snapshot,
        offset: u64,
    },
    Stream(Box<Cutting>),
}

/// A stream while it is cut.
pub(super) struct Cutting {
    cutter: Cutter,
    /// Cut already, to see whether the stream ends soon.
    first: VecDeque<Cut>,
}

/// The parts of a source, one after the other.
pub(super) struct Pieces {
    source: Source,
    plan: PartPlan,
    /// Where it is known before.
    length: Option<u64>,
    next: Part,
    ended: bool,
}

/// A part that is ready to be sent.
pub(super) struct Piece {
    pub(super) part: Part,
    pub(super) content: Replay,
    pub(super) checksum: Option<Checksum>,
}

/// Uploads `body` in one request or in parts.
pub(super) async fn upload(
    object: PutInParts,
    body: Body,
    settings: Settings,
    watch: Arc<Watch>,
) -> Result<Uploaded, Error> {
    let job = Job::new(object, settings, watch);
    let source = body.into_source()?;
    let is_file = matches!(source, BodySource::File(_) | BodySource::FileRange { .. });
    if job.settings.resumable && !is_file {
        return Err(Error::invalid_input("only an upload from a path can be resumed")
            .with_hint("leave .resumable() out, or write the bytes into a file first"));
    }
    match source {
        BodySource::Empty => known(job, Source::Bytes(Bytes::new()), 0, None).await,
        BodySource::Bytes(bytes) => {
            let length = bytes.len() as u64;
            known(job, Source::Bytes(bytes), length, None).await
        }
        BodySource::File(path) => {
            // How long it is, is known no sooner than its bytes. Whoever holds the room may wait for this upload to end: a
            // file that there is none for is read while it is sent.
            let share = job.settings.client.inner().budgets.try_memory(READ_AT_ONCE as usize);
            let most = if share.is_some() { READ_AT_ONCE } else { 0 };
            let (file, bytes) = Snapshot::with_bytes(path, most).await?;
            let length = file.length;
            let from = Some((file.clone(), 0));
            let Some(bytes) = bytes else {
                drop(share);
                return known(job, Source::File { file, offset: 0 }, length, from).await;
            };
            let uploaded = known(job, Source::Bytes(bytes), length, from).await;
            drop(share);
            uploaded
        }
        BodySource::FileRange { path, offset, length } => {
            let file = Snapshot::take(path).await?;
            let from = Some((file.clone(), offset));
            known(job, Source::File { file, offset }, length, from).await
        }
        BodySource::Stream { length: Some(length), stream } => {
            let cutting = Cutting::new(&job, stream)?;
            known(job, Source::Stream(Box::new(cutting)), length, None).await
        }
        BodySource::Stream { length: None, stream } => unknown(job, stream).await,
        other => Err(Error::invalid_input(format!("this version cannot upload {other:?}"))),
    }
}

/// What is `length` bytes long, and read `from` there in a file.
async fn known(mut job: Job, source: Source, length: u64, from: Option<(Snapshot, u64)>) -> Result<Uploaded, Error> {
    let limits = job.habits().parts;
    let plan = PartPlan::of_length(length, job.settings.part_size, limits)?;
    job.watch.expect(length);
    let mut pieces = Pieces::new(source, plan, Some(length));
    let in_parts = job.settings.in_parts(length, &plan);
    let mut cleared = None;
    if let Some((file, offset)) = from.filter(|_| job.settings.resumable) {
        let Some(end) = offset.checked_add(length).filter(|end| *end <= file.length) else {
            let path = file.path.display();
            return Err(Error::invalid_input(format!("{path} has not {length} bytes from {offset} on")));
        };
        let range = offset..end;
        match in_parts {
            true => job.resume = Some(Resume::open(&mut job, file, range, plan.size_of(1)).await?),
            false => cleared = Resume::clear(&job, file, range, plan.size_of(1)).await?,
        }
    }
    if in_parts {
        return multipart::upload(Arc::new(job), pieces).await;
    }
    let content = pieces.whole(length).await?;
    let put = single::put(&job, content, pieces.file(), length).await;
    let Some(mut cleared) = cleared else { return put };
    cleared.over().await;
    match put {
        Ok(uploaded) => Ok(Uploaded { left_over: std::mem::take(&mut cleared.left_over), ..uploaded }),
        Err(error) => Err(cleared.noted(error)),
    }
}

async fn unknown(job: Job, stream: ByteStream) -> Result<Uploaded, Error> {
    let limits = job.habits().parts;
    let wanted = match job.settings.expected_size {
        Some(length) => PartPlan::of_length(length, job.settings.part_size, limits)?.size_of(1),
        None => job.settings.part_size,
    };
    let plan = PartPlan::of_unknown_length(wanted, limits);
    let threshold = job.settings.threshold.min(limits.max_size);
    let mut cutting = Cutting::new(&job, stream)?;
    let mut read = 0;
    let mut number = 1;
    while !cutting.cutter.has_ended().await? {
        let size = plan.size_of(number);
        let cut = match number {
            1 => Some(cutting.cutter.take(size).await?),
            _ if read + size > threshold => None,
            // Whoever holds some and waits for more may wait for another who does the same.
            _ => cutting.cutter.take_at_once(size).await?,
        };
        let Some(cut) = cut else {
            let source = Source::Stream(Box::new(cutting));
            return multipart::upload(Arc::new(job), Pieces::new(source, plan, None)).await;
        };
        read += cut.held.length();
        number += 1;
        cutting.first.push_back(cut);
    }
    let content = Replay::of(cutting.first.into_iter().map(|cut| cut.held).collect());
    single::put(&job, content, None, read).await
}

impl Cutting {
    fn new(job: &Job, stream: ByteStream) -> Result<Self, Error> {
        let client = job.settings.client.inner();
        let conditions = client.payload_conditions();
        let signed = conditions.signed && conditions.sign_payload;
        // A spooled part is a stream, which must be framed to be signed.
        let may_spool = !signed || conditions.habits.chunks;
        let directory = job.settings.spool_dir.clone().unwrap_or_else(std::env::temp_dir);
        let mut cutter = Cutter::new(stream, client.budgets.clone(), may_spool.then_some(directory));
        cutter.sum_pieces(job.object.parts_checksum(job.habits()).map(|checksum| checksum.algorithm));
        cutter.sum_all(own_check(job)?.map(|checksum| checksum.algorithm()));
        Ok(Self { cutter, first: VecDeque::new() })
    }
}

/// How many parts of so many bytes may be held at a time.
fn held_in_work(part_size: u64) -> usize {
    usize::try_from(BYTES_IN_WORK / part_size.max(1)).unwrap_or(usize::MAX).clamp(2, HELD_IN_WORK)
}

/// The checksum that all bytes must have, where the parts' do not show it.
fn own_check(job: &Job) -> Result<Option<Checksum>, Error> {
    let known = job.object.known_checksum()?;
    Ok(known.filter(|checksum| !checksum.algorithm().supports(ChecksumType::FullObject)))
}

impl Pieces {
    fn new(source: Source, plan: PartPlan, length: Option<u64>) -> Self {
        let first = Part { number: 1, offset: 0, length: 0 };
        Self { source, plan, length, next: first, ended: false }
    }

    /// The file that it is.
    pub(super) fn file(&self) -> Option<&Snapshot> {
        self.file_from().map(|(file, _)| file)
    }

    /// The file, and where in it they begin.
    pub(super) fn file_from(&self) -> Option<(&Snapshot, u64)> {
        match &self.source {
            Source::File { file, offset } => Some((file, *offset)),
            _ => None,
        }
    }

    /// All of it at once.
    async fn whole(&mut self, length: u64) -> Result<Replay, Error> {
        let content = match &mut self.source {
            Source::Bytes(bytes) => return Ok(Replay::Bytes(bytes.clone())),
            Source::File { file, offset } => {
                return Ok(Replay::File { path: file.path.clone(), offset: *offset, length });
            }
            Source::Stream(cutting) => Replay::Held(vec![cutting.cutter.take(length).await?.held]),
        };
        self.next.offset = match &content {
            Replay::Held(held) => held.iter().map(Held::length).sum(),
            _ => length,
        };
        self.check_end().await?;
        Ok(content)
    }

    /// The next part, or `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Piece>, Error> {
        if self.ended {
            return Ok(None);
        }
        let left = self.length.map(|length| length - self.next.offset);
        let size = self.plan.size_of(self.next.number);
        let mut part = Part { length: left.map_or(size, |left| left.min(size)), ..self.next };
        if left.is_none() && part.number > self.plan.max_count() {
            return Err(self.plan.too_long(part.offset + 1));
        }
        let (content, checksum) = match &mut self.source {
            Source::Bytes(bytes) => {
                let start = part.offset as usize;
                (Replay::Bytes(bytes.slice(start..start + part.length as usize)), None)
            }
            Source::File { file, offset } => {
                let offset = *offset + part.offset;
                (Replay::File { path: file.path.clone(), offset, length: part.length }, None)
            }
            Source::Stream(cutting) => {
                let cut = match cutting.first.pop_front() {
                    Some(cut) => cut,
                    None => cutting.cutter.take(part.length).await?,
                };
                let came = cut.held.length();
                if left.is_none() {
                    part.length = came;
                    self.ended = cutting.first.is_empty() && cutting.cutter.has_ended().await?;
                } else if came < part.length {
                    return Err(short(self.length, part.offset + came));
                }
                (Replay::Held(vec![cut.held]), cut.checksum)
            }
        };
        self.next.offset = part.offset + part.length;
        self.next.number += 1;
        self.ended |= self.length == Some(self.next.offset);
        Ok(Some(Piece { part, content, checksum }))
    }

    /// How many parts may be in work, those that wait for another attempt included: of a stream, as many as may be held.
    pub(super) fn most_in_work(&self) -> usize {
        match self.source {
            Source::Stream(_) => held_in_work(self.plan.size_of(self.next.number)),
            _ => IN_WORK,
        }
    }

    /// How many bytes were given out.
    pub(super) fn given(&self) -> u64 {
        self.next.offset
    }

    /// What was sent, as far as it can be read once more.
    pub(super) fn sent(&self) -> Sent {
        let length = self.given();
        let content = match &self.source {
            Source::Bytes(bytes) => Some(Replay::Bytes(bytes.clone())),
            Source::File { file, offset } => Some(Replay::File { path: file.path.clone(), offset: *offset, length }),
            Source::Stream(_) => None,
        };
        Sent { content, file: self.file().cloned(), plan: Some(self.plan) }
    }

    /// Fails where the source is not what was sent of it.
    pub(super) async fn check_end(&mut self) -> Result<(), Error> {
        match &mut self.source {
            Source::Bytes(_) => Ok(()),
            Source::File { file, .. } => file.check().await,
            Source::Stream(cutting) => match self.length {
                Some(length) if self.next.offset < length => Err(short(self.length, self.next.offset)),
                Some(length) if !cutting.cutter.has_ended().await? => {
                    Err(Error::invalid_input(format!("the body is longer than the {length} bytes declared")))
                }
                _ => Ok(()),
            },
        }
    }

    /// Compares all bytes with the checksum that the caller has given, where no server can: of a file and of bytes before
    /// anything is sent, of a stream when it has ended.
    pub(super) async fn check_known(&mut self, job: &Job, at_end: bool) -> Result<(), Error> {
        let Some(known) = own_check(job)? else { return Ok(()) };
        let algorithm = known.algorithm();
        let found = match &self.source {
            Source::Stream(cutting) => match cutting.cutter.sum_of_all().filter(|_| at_end) {
                Some(found) => found,
                None => return Ok(()),
            },
            _ if at_end => return Ok(()),
            Source::Bytes(bytes) => Replay::Bytes(bytes.clone()).checksum(algorithm).await?,
            Source::File { file, offset } => {
                let length = self.length.unwrap_or(file.length);
                Replay::File { path: file.path.clone(), offset: *offset, length }.checksum(algorithm).await?
            }
        };
        if found == known { Ok(()) } else { Err(other_bytes(&known, &found)) }
    }
}

/// The error of bytes that have not the checksum that they must have.
pub(super) fn other_bytes(known: &Checksum, found: &Checksum) -> Error {
    let algorithm = known.algorithm();
    let problem = format!("the bytes are not those of the checksum given: their {algorithm} is {found}, not {known}");
    Error::new(ErrorKind::Corrupt, problem).with_note("nothing was stored")
}

fn short(length: Option<u64>, came: u64) -> Error {
    let length = length.unwrap_or_default();
    Error::invalid_input(format!("the body ended after {came} of the {length} bytes declared"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_parts_are_the_fewer_are_held() {
        for (size, parts) in [(1, 32), (8 << 20, 32), (128 << 20, 32), (256 << 20, 16), (2 << 30, 2), (5 << 30, 2)] {
            assert_eq!(held_in_work(size), parts, "{size}");
        }
    }
}
