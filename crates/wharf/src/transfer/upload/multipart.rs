//! An object in parts.

use std::future::{IntoFuture, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument;
use wharf_proto::checksum::{Checksum, ChecksumType};
use wharf_proto::op::{CompleteMultipartUploadOutput, CompletedPart, PartsChecksum};
use wharf_proto::transfer::journal::StoredPart;
use wharf_proto::{Error, ErrorKind};

use super::file::Snapshot;
use super::job::Job;
use super::replay::Replay;
use super::resume::Earlier;
use super::source::{Piece, Pieces, other_bytes};
use super::undo::Begun;
use super::{Uploaded, part, proof, verify};
use crate::transfer::Verification;
use crate::transfer::feed::next_of;
use crate::transfer::patience::was_spoilt;

pub(super) async fn upload(job: Arc<Job>, mut pieces: Pieces) -> Result<Uploaded, Error> {
    job.object.check_parts(job.habits())?;
    pieces.check_known(&job, false).await?;
    let (mut begun, upload_id, sum, stored) = match job.resume.as_ref().and_then(|resume| resume.earlier.clone()) {
        Some(Earlier { upload_id, checksum, parts }) => {
            (Begun::resume(job.clone(), upload_id.clone()), upload_id, checksum, parts)
        }
        None => {
            let (begun, upload_id, sum) = Begun::create(job.clone(), job.object.parts_checksum(job.habits())).await?;
            (begun, upload_id, sum, Vec::new())
        }
    };
    let mut run = Run { job, upload_id: upload_id.into(), sum, stored, resumed_bytes: 0 };
    match run.finish(&mut begun, &mut pieces).await {
        Ok(uploaded) => {
            let mut left_over = uploaded.left_over;
            left_over.extend(run.job.resume.iter().flat_map(|resume| resume.left_over.clone()));
            Ok(Uploaded { resumed_bytes: run.resumed_bytes, left_over, lost_create: begun.orphan, ..uploaded })
        }
        Err(error) => Err(begun.give_up(error).await),
    }
}

/// The way from the first part to the object.
pub(super) struct Run {
    pub(super) job: Arc<Job>,
    pub(super) upload_id: Arc<str>,
    pub(super) sum: Option<PartsChecksum>,
    pub(super) stored: Vec<StoredPart>,
    /// How many bytes an earlier run has sent.
    pub(super) resumed_bytes: u64,
}

impl Run {
    async fn finish(&mut self, begun: &mut Begun, pieces: &mut Pieces) -> Result<Uploaded, Error> {
        if let Err(error) = self.send_parts(begun, pieces).await {
            // What the server refuses time and again may be what was written to the file meanwhile.
            if was_spoilt(&error) && pieces.file().is_some() {
                pieces.check_end().await?;
            }
            return Err(error);
        }
        pieces.check_end().await?;
        pieces.check_known(&self.job, true).await?;
        self.stored.sort_by_key(|part| part.number);
        if let Some(file) = self.rewritten(pieces).await? {
            begun.is_hopeless = true;
            return Err(file.rewritten());
        }
        let ours = self.whole_checksum()?;
        let uploaded = self.complete(begun, ours.as_ref(), pieces.given()).await?;
        verify::finish(&self.job, uploaded, ours.as_ref(), pieces.sent()).await
    }

    /// Sends all parts, as many at a time as the lane lets pass, and one more that is ready.
    async fn send_parts(&mut self, begun: &mut Begun, pieces: &mut Pieces) -> Result<(), Error> {
        let turns = Arc::new(Semaphore::new(1));
        loop {
            while begun.parts.len() >= pieces.most_in_work() {
                self.joined(begun).await?;
            }
            let next = {
                let mut next = pin!(next_piece(&turns, pieces));
                loop {
                    // A part that fails ends the wait for the next one, which a stream may be long in giving.
                    let mut done = pin!(self.joined(begun));
                    let first = poll_fn(|cx| match next.as_mut().poll(cx) {
                        Poll::Ready(next) => Poll::Ready(Some(next)),
                        Poll::Pending => done.as_mut().poll(cx).map(|done| done.err().map(Err)),
                    });
                    if let Some(next) = first.await {
                        break next?;
                    }
                }
            };
            let Some((turn, piece)) = next else { break };
            if let Some(stored) = self.stored.iter().find(|stored| is_stored(stored, &piece)) {
                self.job.watch.resumed(stored.length);
                self.resumed_bytes += stored.length;
                self.job.watch.part_done();
                continue;
            }
            self.stored.retain(|stored| stored.number != piece.part.number);
            let (job, upload_id, sum) = (self.job.clone(), self.upload_id.clone(), self.sum);
            let sent = async move {
                let part = part::send(&job, &upload_id, piece, sum, turn).await?;
                if let Some(resume) = &job.resume {
                    resume.stored(&part);
                }
                Ok(part)
            };
            begun.parts.spawn(sent.in_current_span());
        }
        while !begun.parts.is_empty() {
            self.joined(begun).await?;
        }
        Ok(())
    }

    /// Waits until a part is stored; for ever where none is on its way.
    pub(super) async fn joined(&mut self, begun: &mut Begun) -> Result<(), Error> {
        let Some(part) = next_of(&mut begun.parts).await else { return std::future::pending().await };
        self.stored.push(part?);
        Ok(())
    }

    /// The file, if it has not the bytes any more that were sent of it. Who writes to one may put its time back, but not without a
    /// trace: then it is read once more, and what cannot be compared may be other bytes.
    async fn rewritten<'p>(&self, pieces: &'p Pieces) -> Result<Option<&'p Snapshot>, Error> {
        let Some((file, mut offset)) = pieces.file_from() else { return Ok(None) };
        let at_first = self.job.resume.as_ref().map_or(file, |resume| &resume.file);
        if !at_first.was_touched().await? {
            return Ok(None);
        }
        for part in &self.stored {
            let content = Replay::File { path: file.path.clone(), offset, length: part.length };
            offset += part.length;
            let is_the_same = match part.checksum {
                Some(sent) => content.checksum(sent.algorithm()).await? == sent,
                None => false,
            };
            if !is_the_same {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// The checksum that the object must have, of what was sent.
    pub(super) fn whole_checksum(&self) -> Result<Option<Checksum>, Error> {
        let Some(sum) = self.sum else { return Ok(None) };
        let parts: Option<Vec<_>> = self.stored.iter().map(|part| Some((part.checksum?, part.length))).collect();
        let Some(parts) = parts else { return Ok(None) };
        let whole = match sum.checksum_type {
            ChecksumType::Composite => Checksum::composite_of(parts.into_iter().map(|(checksum, _)| checksum)),
            _ => Checksum::full_object_of(parts),
        };
        let whole = whole.map_err(|error| Error::new(ErrorKind::Other, error.to_string()))?;
        match self.job.object.known_checksum()?.filter(|known| known.algorithm() == whole.algorithm()) {
            Some(known) if !whole.is_composite() && known != whole => Err(other_bytes(&known, &whole)),
            _ => Ok(Some(whole)),
        }
    }

    /// Makes the object of the parts. Once that is done there is nothing to undo, whatever is wrong with it.
    pub(super) async fn complete(
        &self,
        begun: &mut Begun,
        ours: Option<&Checksum>,
        size: u64,
    ) -> Result<Uploaded, Error> {
        let job = &self.job;
        let announced = self.sum.filter(|sum| sum.announced);
        let parts: Vec<_> = self.stored.iter().map(|part| completed(part, announced.is_some())).collect();
        let count = parts.len() as u32;
        if let Some(resume) = &job.resume {
            resume.completing().await;
        }
        let completed = job.write(|| {
            let mut call = job.object.complete_multipart_upload(job.sender.clone(), &self.upload_id).parts(&parts);
            if let Some(sum) = announced {
                call = call.checksum_type(sum.checksum_type).object_size(size);
            }
            if let Some(whole) = ours.filter(|whole| announced.is_some() && !whole.is_composite()) {
                call = call.checksum_value(*whole);
            }
            call.into_future()
        });
        match completed.await {
            Ok(output) => {
                begun.over().await;
                self.of_output(output, ours, size, count)
            }
            Err(write) => {
                let head = match proof::stands(job, &write, &self.stored, ours, size).await {
                    Some(head) => head,
                    None => proof::settle(job, write).await?,
                };
                let mut left_over = Vec::new();
                // What an earlier run has completed stands there, and not this upload's object.
                if job.resume.as_ref().is_some_and(|resume| resume.done.is_some())
                    && let Err(error) = job.abort(&self.upload_id).await
                {
                    let upload_id = &*self.upload_id;
                    tracing::warn!(%error, upload_id, "an upload was not aborted, and its parts cost storage until it is");
                    left_over.push(upload_id.to_owned());
                }
                begun.over().await;
                let uploaded = verify::of_head(head, ours, size, count)?;
                Ok(Uploaded { left_over, ..uploaded })
            }
        }
    }

    fn of_output(
        &self,
        output: CompleteMultipartUploadOutput,
        ours: Option<&Checksum>,
        size: u64,
        parts: u32,
    ) -> Result<Uploaded, Error> {
        let verification = match (ours, &output.checksum) {
            (Some(ours), Some(named)) => verify::compare(ours, named, output.checksum_type)?,
            (None, _) => Verification::NotVerified("no checksum was sent"),
            (Some(_), None) => Verification::NotVerified("the server names no checksum of what it stored"),
        };
        Ok(Uploaded {
            etag: output.etag,
            version_id: output.version_id,
            checksum: output.checksum,
            checksum_type: output.checksum_type,
            encryption: output.encryption,
            size,
            parts,
            expiration: output.expiration,
            request_charged: output.request_charged,
            resumed_bytes: 0,
            left_over: Vec::new(),
            lost_create: false,
            verification,
        })
    }
}

/// The next part, when it may be made ready.
async fn next_piece(
    turns: &Arc<Semaphore>,
    pieces: &mut Pieces,
) -> Result<Option<(OwnedSemaphorePermit, Piece)>, Error> {
    let closed = |closed| Error::new(ErrorKind::Other, "the upload is closed").with_cause(closed);
    let turn = turns.clone().acquire_owned().await.map_err(closed)?;
    Ok(pieces.next().await?.map(|piece| (turn, piece)))
}

fn is_stored(stored: &StoredPart, piece: &Piece) -> bool {
    (stored.number, stored.length) == (piece.part.number, piece.part.length)
        && piece.checksum.is_none_or(|checksum| stored.checksum == Some(checksum))
}

/// The part as the upload is completed with it. Where the server has not named its checksum, it keeps none.
fn completed(part: &StoredPart, announced: bool) -> CompletedPart {
    let completed = CompletedPart::new(part.number, part.etag.clone());
    match part.checksum.filter(|_| announced && part.confirmed) {
        Some(checksum) => completed.with_checksum(checksum),
        None => completed,
    }
}
