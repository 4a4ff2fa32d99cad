//! A download into a file: several requests at a time, each writes its bytes where they belong.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Mutex as TurnMutex;
use wharf_proto::operation::SendFuture;
use wharf_proto::transfer::{Cuts, Ledger, Spans};
use wharf_proto::{Error, ErrorKind};

use super::Downloaded;
use super::attributes;
use super::check::{Check, Tally};
use super::crew::Crew;
use super::file::{FileOptions, PartFile, Unfinished, check_target};
use super::request::{Found, Job};
use super::target::Deliver;
use crate::ObjectBody;

/// How many requests there can be at a time where the caller does not say; the lane decides how many there are.
const MOST: usize = 16;

/// A file as a target.
pub(super) struct ToFile(pub(super) PathBuf);

impl Deliver<PathBuf> for ToFile {
    fn deliver(self: Box<Self>, job: Job, options: FileOptions) -> SendFuture<Downloaded<PathBuf>> {
        Box::pin(async move {
            let target = self.0;
            check_target(&target, &options)?;
            let mut restarts = 0;
            loop {
                match once(&job, &target, &options).await {
                    Ok(done) => return Ok(done),
                    Err(error) if job.begin_anew(restarts) => tracing::debug!(%error, "beginning anew"),
                    Err(error) => return Err(error),
                }
                restarts += 1;
            }
        })
    }
}

/// One object on its way into one file.
struct Run {
    job: Job,
    found: Found,
    check: Check,
    spans: Mutex<Spans>,
    ledger: Mutex<Ledger>,
    file: PartFile,
}

/// A range on its way.
struct Filler {
    taker: usize,
    tally: Tally,
    /// The answer under way, if there is one.
    body: Option<ObjectBody>,
}

/// What an attempt came to.
enum Step {
    Done,
    /// There was nothing to do.
    Idle,
    /// The bytes that are missing cannot be asked for alone.
    Lost(Error),
}

async fn once(job: &Job, target: &Path, options: &FileOptions) -> Result<Downloaded<PathBuf>, Error> {
    let crew = Crew::default();
    let run: OnceLock<(Arc<Run>, Unfinished)> = OnceLock::new();
    let front = TurnMutex::new(None);
    let begun = crew.beside(async {
        job.patiently(|| async {
            let mut front = front.lock().await;
            if front.is_none() {
                let (found, body) = job.first().await?;
                let (new, requests) = Run::begin(job, found, target, options).await?;
                let unfinished = Unfinished(new.file.path().to_owned());
                *front = new.take().map(|filler| Filler { body: Some(body), ..filler });
                let (run, _) = run.get_or_init(|| (Arc::new(new), unfinished));
                for _ in 1..requests {
                    crew.spawn(run.clone().work());
                }
            }
            match (&mut *front, run.get()) {
                (Some(filler), Some((run, _))) => run.fill(filler).await,
                _ => Ok(Step::Idle),
            }
        })
        .await
    });
    if let Step::Lost(error) = begun.await? {
        return Err(error);
    }
    if let Some((run, _)) = run.get() {
        crew.beside(run.clone().work()).await?;
    }
    crew.join().await?;
    let (run, unfinished) = run.into_inner().ok_or_else(|| Error::new(ErrorKind::Other, "nothing was begun"))?;
    run.finish(target, options, unfinished)
}

impl Run {
    /// What is to be done about an object that was found, and by how many requests at a time.
    async fn begin(job: &Job, found: Found, target: &Path, options: &FileOptions) -> Result<(Self, usize), Error> {
        let size = job.options().part_size;
        let worth =
            if job.in_one_stream(&found) { 1 } else { usize::try_from(found.length() / size).unwrap_or(usize::MAX) };
        let requests = job.options().concurrency.unwrap_or(MOST).min(worth).max(1);
        let mut check = job.check(&found).await;
        if requests > 1 {
            check = check.out_of_order();
        }
        let ledger = check.ledger();
        let cuts = if requests > 1 { check.cuts() } else { Cuts::Nowhere };
        let spans = Mutex::new(Spans::new(ledger.gaps(found.wanted.clone()), size, cuts));
        let file = PartFile::create(target, options)?;
        let run = Self { job: job.clone(), found, check, spans, ledger: Mutex::new(ledger), file };
        Ok((run, requests))
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<Filler> {
        let (taker, range) = self.spans().take()?;
        Some(Filler { taker, tally: Tally::new(&self.check, range.start), body: None })
    }

    /// Fetches one range after another while there are any.
    async fn work(self: Arc<Self>) -> Result<(), Error> {
        loop {
            let filler = TurnMutex::new(None);
            let attempt = || async {
                let mut filler = filler.lock().await;
                if filler.is_none() {
                    *filler = self.take();
                }
                match &mut *filler {
                    Some(filler) => self.fill(filler).await,
                    None => Ok(Step::Idle),
                }
            };
            match self.job.patiently(attempt).await? {
                Step::Done => {}
                Step::Idle => return Ok(()),
                Step::Lost(error) => return Err(error),
            }
        }
    }

    /// Fetches what is left of a range.
    async fn fill(&self, filler: &mut Filler) -> Result<Step, Error> {
        let Filler { taker, tally, body } = filler;
        let mut coming = match body.take() {
            Some(coming) => coming,
            None => {
                let rest = self.spans().rest(*taker);
                if rest.is_empty() {
                    return Ok(Step::Done);
                }
                self.job.range(&self.found, rest).await?
            }
        };
        while let Some(bytes) = coming.next().await {
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(error) if self.job.can_go_on(&self.found) => return Err(error),
                Err(error) => return Ok(Step::Lost(self.job.lost(error))),
            };
            let mine = self.spans().claim(*taker, bytes.len());
            let bytes = bytes.get(..mine).unwrap_or_default();
            self.file.write(bytes, tally.at() - self.found.wanted.start).await?;
            tally.add(&self.check, bytes, &self.ledger);
            self.job.moved(bytes.len());
            // What follows is somebody else's. A body that has ended is asked once more, so that its connection is used again.
            if coming.left() != Some(0) && self.spans().rest(*taker).is_empty() {
                break;
            }
        }
        tally.close(&self.check, &self.ledger);
        self.job.watch().part_done();
        Ok(Step::Done)
    }

    fn finish(
        &self,
        target: &Path,
        options: &FileOptions,
        unfinished: Unfinished,
    ) -> Result<Downloaded<PathBuf>, Error> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let size = ledger.bytes();
        if self.found.is_known_length() && size != self.found.length() {
            let problem = format!("{size} bytes came in place of {}", self.found.length());
            return Err(Error::new(ErrorKind::Corrupt, problem));
        }
        let verification = self.check.conclude(&ledger)?;
        let (modified, mode) = match options.preserve {
            true => (attributes::modified(&self.found.head), attributes::mode(&self.found.head)),
            false => (None, None),
        };
        self.file.finish(target, size, modified, options.mode.or(mode), options)?;
        std::mem::forget(unfinished);
        Ok(Downloaded { target: target.to_owned(), head: self.found.head.clone(), size, verification })
    }
}
