//! What the records of a journal come to.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{DownloadStart, Record, StoredPart, UploadStart};
use crate::op::{ListedPart, PartsChecksum};
use crate::transfer::Ledger;

/// How a transfer stood when it was interrupted.
#[derive(Debug, Clone)]
pub enum State {
    /// Nothing was begun.
    Nothing,
    /// An upload.
    Upload(UploadState),
    /// A download.
    Download(DownloadState),
}

/// How an upload stood.
#[derive(Debug, Clone)]
pub struct UploadState {
    /// What was uploaded, and where to.
    pub start: UploadStart,
    /// When the first CreateMultipartUpload was sent whose answer is not known.
    pub unanswered: Option<SystemTime>,
    /// Whether another was sent after that, so that what is known to be created says nothing of the first.
    asked_again: bool,
    /// The upload's id and what its parts are checked by.
    pub created: Option<(String, Option<PartsChecksum>)>,
    /// The parts that the server was known to have, by their numbers.
    pub parts: BTreeMap<u32, StoredPart>,
}

/// How a download stood.
#[derive(Debug, Clone)]
pub struct DownloadState {
    /// What was downloaded, and where to.
    pub start: DownloadStart,
    /// What is in the file.
    pub arrived: Ledger,
}

impl State {
    /// What they say. A record that stands where it cannot is passed over.
    pub fn of(records: Vec<Record>) -> Self {
        records.into_iter().fold(Self::Nothing, Self::after)
    }

    fn after(self, record: Record) -> Self {
        match (self, record) {
            (Self::Nothing, Record::Upload(start)) => Self::Upload(UploadState {
                start,
                unanswered: None,
                asked_again: false,
                created: None,
                parts: BTreeMap::new(),
            }),
            (Self::Nothing, Record::Download(start)) => {
                Self::Download(DownloadState { start, arrived: Ledger::new(true) })
            }
            (Self::Upload(mut upload), record) => {
                match record {
                    Record::Creating(time) => {
                        upload.asked_again = upload.unanswered.is_some();
                        upload.unanswered.get_or_insert(time);
                    }
                    Record::Created { upload_id, checksum } => {
                        upload.unanswered = upload.unanswered.filter(|_| upload.asked_again);
                        upload.created = Some((upload_id, checksum));
                    }
                    Record::Stored(part) => drop(upload.parts.insert(part.number, part)),
                    _ => {}
                }
                Self::Upload(upload)
            }
            (Self::Download(mut download), Record::Arrived(arrived)) => {
                download.arrived.add(arrived.range, arrived.checksum);
                Self::Download(download)
            }
            (state, _) => state,
        }
    }
}

impl UploadState {
    /// How many bytes the server was known to have.
    pub fn bytes(&self) -> u64 {
        self.parts.values().map(|part| part.length).fold(0, u64::saturating_add)
    }

    /// Why a run that would begin with `now` cannot go on with this one; `None` where it can.
    pub fn differs(&self, now: &UploadStart) -> Option<&'static str> {
        let then = &self.start;
        let same_place = then.endpoint == now.endpoint && then.bucket == now.bucket && then.key == now.key;
        let same_source = (&then.path, then.offset, then.length) == (&now.path, now.offset, now.length)
            && (then.modified, then.inode) == (now.modified, now.inode);
        // What is stored has it, or has it not.
        let same_options = then.options == now.options && then.write_id.is_some() == now.write_id.is_some();
        match (same_place, same_source, same_options, then.part_size == now.part_size) {
            (false, ..) => Some("it goes to another object"),
            (_, false, ..) => Some("the file has changed"),
            (_, _, false, _) => Some("other things are said of the object"),
            (_, _, _, false) => Some("its parts have another size"),
            _ => None,
        }
    }

    /// Those of its parts that the server lists and that are the same there.
    pub fn still_stored(&self, listed: &[ListedPart]) -> Vec<StoredPart> {
        let same = |listed: &&ListedPart| {
            self.parts.get(&listed.part_number).filter(|part| {
                let checksums = part.checksum.zip(listed.checksum);
                let agree = checksums.is_none_or(|(ours, theirs)| {
                    ours.algorithm() != theirs.algorithm() || ours.as_bytes() == theirs.as_bytes()
                });
                part.length == listed.size && part.etag == listed.etag && agree
            })
        };
        listed.iter().filter_map(|listed| same(&listed)).cloned().collect()
    }
}

impl DownloadState {
    /// Whether it is of the same bytes, which a weak tag does not tell. The file is beside the journal, wherever the two are now.
    pub fn is_of(&self, now: &DownloadStart) -> bool {
        !now.etag.is_weak() && *now == DownloadStart { since: now.since, path: now.path.clone(), ..self.start.clone() }
    }
}
