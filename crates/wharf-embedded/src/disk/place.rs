//! Places: where bytes are kept, each under a number. A large one is a file, a small one a row of the database.
//!
//! A place goes when the database no longer names it and nobody holds it. Whoever finds a version holds its places
//! from the look-up on, so that it can be read to its end whatever is written meanwhile.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use wharf_transport::{Body, BoxError};

use super::commit::Job;
use super::directory::Directory;
use super::failure::Result;
use super::metadata::Metadata;
use super::tables;
use super::work;
use crate::backend::blob::Concat;
use crate::backend::endings::Endings;
use crate::backend::{Blob, Extent};
use crate::error::{Code, Error};
use crate::id::Ids;

/// How much of a file is read at once.
const BLOCK: u64 = 256 * 1024;

/// What the backend, its committing thread and its blobs share.
pub(super) struct Shared {
    pub(super) directory: Directory,
    pub(super) metadata: Metadata,
    pub(super) ids: Arc<Ids>,
    pub(super) jobs: Sender<Job>,
    /// How uploads ended, by the numbers of their buckets; a store that is opened again has forgotten.
    endings: Mutex<HashMap<u64, Endings>>,
    held: Mutex<HashMap<u64, Weak<Held>>>,
}

/// A place that somebody may read.
pub(super) struct Held {
    pub(super) place: u64,
    pub(super) small: bool,
    /// The bytes of a small place that is not in the database yet.
    pub(super) bytes: Option<Bytes>,
    /// Whether the place goes with its last holder, unless the database names it.
    doomed: AtomicBool,
    shared: Arc<Shared>,
}

impl Shared {
    pub(super) fn new(directory: Directory, metadata: Metadata, ids: Arc<Ids>, jobs: Sender<Job>) -> Self {
        Self { directory, metadata, ids, jobs, endings: Mutex::default(), held: Mutex::default() }
    }

    pub(super) fn endings(&self) -> MutexGuard<'_, HashMap<u64, Endings>> {
        self.endings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets another have the directory.
    pub(super) fn close(&self) {
        self.metadata.close();
        self.directory.unlock();
    }

    fn held(&self) -> MutexGuard<'_, HashMap<u64, Weak<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new place: a small one with these bytes, or a file. It is gone when dropped, unless it gets into the database.
    pub(super) fn new_place(self: &Arc<Self>, bytes: Option<Bytes>) -> Arc<Held> {
        let place = self.ids.number();
        let small = bytes.is_some();
        let held = Arc::new(Held { place, small, bytes, doomed: AtomicBool::new(true), shared: self.clone() });
        self.held().insert(place, Arc::downgrade(&held));
        held
    }

    /// Holds a place that the database names. To be called with the database's lock held, see [`doom`](Self::doom).
    fn hold(self: &Arc<Self>, extent: &Extent) -> Arc<Held> {
        let mut all = self.held();
        if let Some(held) = all.get(&extent.place).and_then(Weak::upgrade) {
            return held;
        }
        let held = Arc::new(Held {
            place: extent.place,
            small: extent.small,
            bytes: None,
            doomed: AtomicBool::new(false),
            shared: self.clone(),
        });
        all.insert(extent.place, Arc::downgrade(&held));
        held
    }

    pub(super) fn find_held(&self, place: u64) -> Option<Arc<Held>> {
        self.held().get(&place).and_then(Weak::upgrade)
    }

    /// Says of places that the database named them or no longer does; gives back those of the latter that nobody
    /// holds. Nobody reads meanwhile: who has seen a place in an earlier state of the database holds it by now.
    pub(super) fn settle_and_doom(&self, named: &[u64], unnamed: &[u64]) -> Vec<u64> {
        self.metadata.exclusively(|| {
            let mark = |place: &u64, doomed| match self.find_held(*place) {
                Some(held) => {
                    held.doomed.store(doomed, Ordering::Release);
                    true
                }
                None => false,
            };
            for place in named {
                mark(place, false);
            }
            unnamed.iter().copied().filter(|place| !mark(place, true)).collect()
        })
    }

    /// The blob that lies in these places. To be called with the database's lock held.
    pub(super) fn blob(self: &Arc<Self>, extents: &[Extent]) -> Arc<dyn Blob> {
        let stretch = |extent: &Extent| -> Arc<dyn Blob> {
            Arc::new(Stretch { held: self.hold(extent), range: extent.start..extent.start + extent.len })
        };
        match extents {
            [extent] => stretch(extent),
            extents => Arc::new(Concat::new(extents.iter().map(stretch).collect())),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut all = self.shared.held();
        // Another may hold it again already.
        if all.get(&self.place).is_some_and(|held| held.strong_count() == 0) {
            all.remove(&self.place);
        }
        drop(all);
        if self.doomed.load(Ordering::Acquire) {
            // A store that is closed sweeps when it is opened again.
            let _ = self.shared.jobs.send(Job::Free(self.place));
        }
    }
}

/// Some of the bytes of a place.
pub(super) struct Stretch {
    pub(super) held: Arc<Held>,
    pub(super) range: Range<u64>,
}

impl Blob for Stretch {
    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn read(&self, range: Range<u64>) -> Body {
        let range = self.range.start + range.start..self.range.start + range.end;
        let len = range.end - range.start;
        if !self.held.small {
            return Body::stream(Some(len), blocks(self.held.clone(), range));
        }
        match self.held.small_bytes().map(|bytes| cut(&bytes, &range)) {
            Ok(Some(bytes)) => Body::from(bytes),
            _ => Body::stream(Some(len), stream::iter([Err(BoxError::from("the bytes cannot be read"))])),
        }
    }

    fn extents(&self, range: Range<u64>) -> Vec<Extent> {
        let Held { place, small, .. } = *self.held;
        vec![Extent { place, small, start: self.range.start + range.start, len: range.end - range.start }]
    }
}

fn cut(bytes: &Bytes, range: &Range<u64>) -> Option<Bytes> {
    let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
    (start <= end && end <= bytes.len()).then(|| bytes.slice(start..end))
}

impl Held {
    fn small_bytes(&self) -> Result<Bytes> {
        if let Some(bytes) = &self.bytes {
            return Ok(bytes.clone());
        }
        self.shared.metadata.read(|transaction| {
            let table = transaction.open_table(tables::SMALL)?;
            let found = table.get(self.place)?.map(|value| Bytes::copy_from_slice(value.value()));
            found.ok_or_else(|| Error::from(Code::InternalError).into())
        })
    }
}

/// What is being read of a file.
struct Reading {
    held: Arc<Held>,
    /// Opened with the first block.
    file: Option<File>,
    range: Range<u64>,
}

fn blocks(held: Arc<Held>, range: Range<u64>) -> impl stream::Stream<Item = Result<Bytes, BoxError>> {
    stream::try_unfold(Reading { held, file: None, range }, |reading| async {
        if reading.range.is_empty() {
            return Ok(None);
        }
        work::start(move || reading.block()).await.map(Some).map_err(BoxError::from)
    })
}

impl Reading {
    fn block(mut self) -> io::Result<(Bytes, Self)> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut file = self.held.shared.directory.open(self.held.place)?;
                file.seek(SeekFrom::Start(self.range.start))?;
                file
            }
        };
        // Both are within a block's size.
        let len = (self.range.end - self.range.start).min(BLOCK) as usize;
        let mut block = BytesMut::zeroed(len);
        file.read_exact(&mut block)?;
        self.range.start += len as u64;
        self.file = Some(file);
        Ok((block.freeze(), self))
    }
}
