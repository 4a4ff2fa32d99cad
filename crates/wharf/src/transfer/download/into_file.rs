//! A download into a file: several requests at a time, each writes its bytes where they belong.

mod unfinished;

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::{Mutex as TurnMutex, Semaphore};
use tokio::time::{Instant, timeout};
use tracing::Instrument;
use wharf_proto::operation::SendFuture;
use wharf_proto::transfer::{Arrived, Cuts, Ledger, Spans};
use wharf_proto::{Error, ErrorKind};

use super::Downloaded;
use super::check::{Check, Tally};
use super::crew::Crew;
use super::file::{FileOptions, PartFile, check_target};
use super::known::known;
use super::pace::{Speed, threads};
use super::parts;
use super::request::{Found, Job, ended_early};
use super::resume::{Resume, at_a_time};
use super::target::Deliver;
use crate::ObjectBody;
use crate::payload::blocking;
use crate::transfer::locked::{failed, sync_directories};
use crate::transfer::verification::Verification;
use unfinished::Unfinished;

/// How many requests there can be at a time where the caller does not say; the lane decides how many there are.
const MOST: usize = 64;

/// How long the first stream may be silent before others help.
const SILENCE: Duration = Duration::from_secs(2);

/// What is done with a file of up to so many bytes takes less time than to have another thread do it.
const SMALL: u64 = 1 << 20;

/// A file as a target.
pub(super) struct ToFile(pub(super) PathBuf);

impl Deliver<PathBuf> for ToFile {
    fn deliver(self: Box<Self>, job: Job, options: FileOptions) -> SendFuture<Downloaded<PathBuf>> {
        Box::pin(async move {
            let target = self.0;
            let replaces = check_target(&target, &options)?;
            let resume = Resume::open(&target, &options).await?.map(Arc::new);
            let done = anew_and_anew(&job, &target, replaces, &options, resume.as_ref()).await;
            // What was dropped may still be recording what has arrived.
            let _ = job.watch().tidied().await;
            let Some(resume) = resume else { return done };
            let done = done.inspect(|_| resume.over()).map_err(|error| resume.kept(error));
            resume.close().await;
            done
        })
    }
}

/// Until it is done, fails, or has begun anew too often.
async fn anew_and_anew(
    job: &Job,
    target: &Path,
    replaces: u64,
    options: &FileOptions,
    resume: Option<&Arc<Resume>>,
) -> Result<Downloaded<PathBuf>, Error> {
    let mut restarts = 0;
    loop {
        let unfinished = OnceLock::new();
        let error = match once(job, target, replaces, options, resume, &unfinished).await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        // What an earlier run has left may be what is wrong.
        let doubtful = error.kind() == ErrorKind::Corrupt && unfinished.get().is_some_and(|run| run.resumed_bytes > 0);
        if error.kind() == ErrorKind::Corrupt {
            unfinished.get().inspect(|run| run.discard());
        }
        if doubtful {
            job.watch().begins_anew();
        } else if !job.begin_anew(&error, restarts) {
            return Err(job.given_up(error, restarts));
        }
        // Else it may still have the file.
        drop(unfinished);
        let _ = job.watch().tidied().await;
        tracing::debug!(%error, "beginning anew");
        restarts += 1;
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
    /// Where it is recorded what has arrived, and in which round.
    resume: Option<(Arc<Resume>, u32)>,
    /// How many bytes an earlier run has read.
    resumed_bytes: u64,
    /// How many requests there may be at a time.
    requests: usize,
    /// How many others help the first.
    helpers: AtomicUsize,
    /// Closed when all help, or the first has ended.
    unsettled: Semaphore,
    /// Closed when no range is left for one more, so that nobody waits for leave to send.
    taken: Semaphore,
    /// The file has its name, or was given up.
    is_over: AtomicBool,
    crew: Arc<Crew>,
}

/// A range on its way.
struct Filler {
    taker: usize,
    tally: Tally,
    /// The answer under way, if there is one.
    body: Option<ObjectBody>,
    /// How fast it comes, while that decides whether others shall help.
    speed: Option<Speed>,
    /// How often an answer was silent for too long.
    silences: u32,
}

/// What an attempt came to.
enum Step {
    Done,
    /// There was nothing to do.
    Idle,
    /// The bytes that are missing cannot be asked for alone.
    Lost(Error),
}

async fn once(
    job: &Job,
    target: &Path,
    replaces: u64,
    options: &FileOptions,
    resume: Option<&Arc<Resume>>,
    unfinished: &OnceLock<Unfinished>,
) -> Result<Downloaded<PathBuf>, Error> {
    let crew = Arc::new(Crew::default());
    let fetched = fetch(job, target, options, resume, &crew, unfinished).await;
    crew.stop().await;
    fetched?;
    let run = unfinished.get().ok_or_else(|| Error::new(ErrorKind::Other, "nothing was begun"))?;
    let verification = known(&run.job, &run.found, &run.check, &run.ledger, &run.file).await?;
    // A sync lasts as long as the disk wants, and what is replaced is removed, which takes the longer the larger it is.
    if !options.durable && run.found.length() <= SMALL && replaces <= SMALL {
        return run.finish(target, options, verification);
    }
    let (run, target, options) = (Arc::clone(run), target.to_owned(), options.clone());
    let in_use = run.file.in_use().await;
    blocking(move || {
        let finished = run.finish(&target, &options, verification);
        drop(in_use);
        finished
    })
    .await
}

/// Has all bytes fetched into a file.
async fn fetch(
    job: &Job,
    target: &Path,
    options: &FileOptions,
    resume: Option<&Arc<Resume>>,
    crew: &Arc<Crew>,
    unfinished: &OnceLock<Unfinished>,
) -> Result<(), Error> {
    let own;
    let kept = match resume {
        Some(resume) => resume.found(job, target).await?,
        None => None,
    };
    if let Some((found, arrived)) = kept {
        let check = parts::check(job, &found, None).await;
        let new = Run::begin(job, (found, check), target, options, resume, arrived, crew).await?;
        let run = unfinished.get_or_init(|| Unfinished { run: Arc::new(new) });
        own = run.take(None);
        run.helped_by_all();
    } else {
        let front = TurnMutex::new(None);
        let place = &front;
        let begin = job.patiently_with(|slot| async move {
            let mut front = place.lock().await;
            if front.is_none() {
                let (found, body) = job.first().await?;
                let check = parts::check(job, &found, Some(&slot)).await;
                let new = Run::begin(job, (found, check), target, options, resume, Vec::new(), crew).await?;
                let run = unfinished.get_or_init(|| Unfinished { run: Arc::new(new) });
                let is_tried = job.options().concurrency.is_none();
                let filler = run.take(is_tried.then(Speed::default));
                *front = filler.map(|filler| Filler { body: Some(body), ..filler });
                if !is_tried {
                    run.helped_by_all();
                } else if run.requests > 1 {
                    crew.spawn(Arc::clone(run).listen().in_current_span());
                }
            }
            match (&mut *front, unfinished.get()) {
                (Some(filler), Some(run)) => run.fill(filler).await.inspect_err(|_| run.helped_by_all()),
                _ => Ok(Step::Idle),
            }
        });
        if let Step::Lost(error) = crew.beside(pin!(begin)).await? {
            return Err(error);
        }
        own = unfinished.get().and_then(|run| run.take_after(front.into_inner()));
    }
    // One stream alone has left nothing.
    if let Some(run) = unfinished.get().filter(|run| own.is_some() || run.requests > 1) {
        crew.beside(pin!(Run::work(Arc::clone(run), own))).await?;
        run.unsettled.close();
    }
    crew.join().await
}

impl Run {
    /// What is to be done about an object that was found, and what it can be compared with, of which `arrived` is in the file already,
    /// and by how many requests at a time.
    async fn begin(
        job: &Job,
        (found, mut check): (Found, Check),
        target: &Path,
        options: &FileOptions,
        resume: Option<&Arc<Resume>>,
        arrived: Vec<Arrived>,
        crew: &Arc<Crew>,
    ) -> Result<Self, Error> {
        let size = job.options().part_size;
        let worth =
            if job.in_one_stream(&found) { 1 } else { usize::try_from(found.length() / size).unwrap_or(usize::MAX) };
        let requests = job.options().concurrency.unwrap_or(MOST).min(worth).max(1);
        if requests > 1 || resume.is_some() {
            check = check.out_of_order();
        }
        let mut file = PartFile::open(target, options, job.watch().clone(), resume.is_some())?;
        let (check, arrived) = check.beside(arrived, &found.wanted);
        let arrived = file.still_holds(arrived, found.wanted.start).await?;
        if arrived.is_empty() {
            let begun = async {
                match resume {
                    Some(resume) => resume.begin(job, &found, target).await?,
                    None => file.give_up_earlier(target)?,
                }
                file.empty().await
            };
            if let Err(error) = begun.await {
                file.discard();
                return Err(error);
            }
        }
        let mut ledger = check.ledger();
        for Arrived { range, checksum } in arrived {
            ledger.add(range, checksum);
        }
        let resumed_bytes = ledger.bytes();
        job.watch().resumed(resumed_bytes);
        let resume = match resume.filter(|resume| resume.is_kept()) {
            Some(resume) => {
                ledger.tell_news(at_a_time(found.length()));
                Some((resume.clone(), resume.go_on(found.length(), resumed_bytes).await?))
            }
            None => None,
        };
        let cuts = if requests > 1 { check.cuts() } else { Cuts::Nowhere };
        let spans = Mutex::new(Spans::new(ledger.gaps(found.wanted.clone()), size, cuts));
        let (job, ledger) = (job.clone(), Mutex::new(ledger));
        Ok(Self {
            job,
            found,
            check,
            spans,
            ledger,
            file,
            resume,
            resumed_bytes,
            requests,
            helpers: AtomicUsize::new(0),
            unsettled: Semaphore::new(0),
            taken: Semaphore::new(0),
            is_over: AtomicBool::new(false),
            crew: crew.clone(),
        })
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A range for one more, whose `speed` is looked at or not.
    fn take(&self, speed: Option<Speed>) -> Option<Filler> {
        let (taker, range) = self.spans().take()?;
        let tally = match self.resume {
            Some(_) => Tally::often(&self.check, range.start, self.found.length()),
            None => Tally::new(&self.check, range.start),
        };
        Some(Filler { taker, tally, body: None, speed, silences: 0 })
    }

    /// The next range of one whose speed is looked at, so that this goes on.
    fn take_after(&self, done: Option<Filler>) -> Option<Filler> {
        self.take(Some(done?.speed?))
    }

    /// Has so many help in all, as far as there may be so many. Where the caller said how many there are, each has its share before
    /// the first is asked for: what is cut off later comes all the same, and is thrown away.
    fn helped_by(self: &Arc<Self>, helpers: usize) {
        let helpers = helpers.min(self.requests - 1);
        if helpers == self.requests - 1 {
            self.unsettled.close();
        }
        for _ in self.helpers.fetch_max(helpers, Ordering::Relaxed)..helpers {
            let share = self.job.options().concurrency.and_then(|_| self.take(None));
            self.crew.spawn(Arc::clone(self).work(share).in_current_span());
        }
    }

    fn helped_by_all(self: &Arc<Self>) {
        self.helped_by(usize::MAX);
    }

    /// Has others help when the first stream falls silent: how fast it is, it tells only as long as it moves.
    async fn listen(self: Arc<Self>) -> Result<(), Error> {
        let begin = Instant::now();
        while !self.unsettled.is_closed() {
            let still = self.job.watch().still_for().0.min(begin.elapsed());
            let left = SILENCE.saturating_sub(still);
            if left.is_zero() {
                tracing::debug!("the first stream is silent");
                self.helped_by_all();
            } else {
                // It never has a permit: this ends early when others help for another reason, or the first stream has ended.
                let _ = timeout(left, self.unsettled.acquire()).await;
            }
        }
        Ok(())
    }

    /// Fetches one range after another while there are any, first what it is given.
    async fn work(self: Arc<Self>, mut first: Option<Filler>) -> Result<(), Error> {
        loop {
            let filler = TurnMutex::new(first.take());
            let attempt = || async {
                let mut filler = filler.lock().await;
                if filler.is_none() {
                    *filler = self.take(None);
                }
                match &mut *filler {
                    Some(filler) => self.fill(filler).await,
                    None => Ok(Step::Idle),
                }
            };
            let step = {
                let (mut trying, mut all_taken) = (pin!(self.job.patiently(attempt)), pin!(self.taken.acquire()));
                poll_fn(|cx| match trying.as_mut().poll(cx) {
                    // Whoever has no range need not wait for leave to send.
                    Poll::Pending if filler.try_lock().is_ok_and(|filler| filler.is_none()) => {
                        all_taken.as_mut().poll(cx).map(|_| Ok(Step::Idle))
                    }
                    step => step,
                })
                .await?
            };
            match step {
                Step::Done => first = self.take_after(filler.into_inner()),
                Step::Idle => return Ok(()),
                Step::Lost(error) => return Err(error),
            }
        }
    }

    /// Fetches what is left of a range.
    async fn fill(self: &Arc<Self>, filler: &mut Filler) -> Result<Step, Error> {
        let Filler { taker, tally, body, speed, silences } = filler;
        let mut coming = match body.take() {
            Some(coming) => coming,
            None => {
                let rest = self.spans().rest(*taker);
                if rest.is_empty() {
                    return Ok(self.filled(tally));
                }
                self.job.range(&self.found, rest, *silences).await?
            }
        };
        loop {
            let asked = speed.is_some().then(Instant::now);
            let came = match coming.next().await {
                Some(came) => came,
                None if self.found.is_known_length() && !self.spans().rest(*taker).is_empty() => Err(ended_early()),
                None => break,
            };
            let bytes = match came {
                Ok(bytes) => bytes,
                Err(error) if self.job.can_go_on(&self.found) => {
                    *silences += u32::from(error.kind() == ErrorKind::Timeout);
                    return Err(error);
                }
                Err(error) => return Ok(Step::Lost(self.job.lost(error))),
            };
            let waited = asked.map(|asked| asked.elapsed()).unwrap_or_default();
            let streams = || self.spans().takers();
            if let Some(pace) = speed.as_mut().and_then(|speed| speed.pace(bytes.len() as u64, waited, streams)) {
                self.helped_by(pace.helpers(self.helpers.load(Ordering::Relaxed), threads()));
            }
            let mine = self.spans().claim(*taker, bytes.len());
            let bytes = bytes.get(..mine).unwrap_or_default();
            self.file.write(bytes, tally.at() - self.found.wanted.start).await?;
            tally.add(&self.check, bytes, &self.ledger);
            self.job.moved(bytes.len());
            if let Some((resume, _)) = self.resume.as_ref().filter(|(resume, _)| resume.is_due(bytes.len())) {
                self.record_beside(resume).await;
            }
            // What follows is somebody else's. A body that has ended is asked once more, so that its connection is used again.
            if coming.left() != Some(0) && self.spans().rest(*taker).is_empty() {
                break;
            }
        }
        Ok(self.filled(tally))
    }

    /// A range has come whole.
    fn filled(&self, tally: &mut Tally) -> Step {
        tally.close(&self.check, &self.ledger);
        if !self.spans().has_more() {
            self.taken.close();
        }
        self.job.watch().part_done();
        Step::Done
    }

    /// Records what has arrived since the last time.
    async fn record(&self) -> Result<(), Error> {
        let Some((resume, round)) = &self.resume else { return Ok(()) };
        let synced = self.file.sync().await?;
        // What is taken from here on is recorded, though nobody may wait for it any more.
        let news = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).news();
        if news.is_empty() { Ok(()) } else { resume.record(*round, news, synced).await }
    }

    /// The same while more arrives. Waits where the disk is not done with what was recorded last.
    async fn record_beside(self: &Arc<Self>, resume: &Resume) {
        let Some(turn) = resume.turn().await else { return };
        let run = Arc::clone(self);
        let recording = async move {
            let _turn = turn;
            run.record().await
        };
        self.crew.spawn(recording.in_current_span());
    }

    /// Gives it up: nobody shall go on with it.
    fn discard(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.file.discard();
        if let Some((resume, _)) = &self.resume {
            resume.over();
        }
    }

    fn finish(
        &self,
        target: &Path,
        options: &FileOptions,
        verification: Verification,
    ) -> Result<Downloaded<PathBuf>, Error> {
        let size = self.ledger.lock().unwrap_or_else(PoisonError::into_inner).bytes();
        self.file.finish(target, size, &self.found.head, options)?;
        self.is_over.store(true, Ordering::Relaxed);
        if options.durable {
            if let Some((resume, _)) = &self.resume {
                resume.over();
            }
            sync_directories(target).map_err(|error| {
                let there = "the file is whole and there, and may not survive a power failure";
                failed("could not be synced", target, error).with_note(there)
            })?;
        }
        let (target, head, resumed_bytes) = (target.to_owned(), (*self.found.head).clone(), self.resumed_bytes);
        Ok(Downloaded { target, head, size, verification, resumed_bytes })
    }
}
