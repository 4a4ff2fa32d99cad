//! A download in order, for those that take bytes one after another. While the first are on their way, the next ones are
//! fetched ahead into memory, as far as the budget goes.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;

use bytes::Bytes;
use tokio::sync::Mutex as TurnMutex;
use tokio::time::Instant;
use tracing::Instrument;
use wharf_proto::transfer::Ledger;
use wharf_proto::{Error, ErrorKind, ObjectHead};

use super::ahead::{Ahead, ahead};
use super::check::{Check, Tally};
use super::crew::Crew;
use super::pace::{Pace, Speed};
use super::parts;
use super::request::{Found, Job, ended_early};
use crate::ObjectBody;
use crate::transfer::lane::Slot;
use crate::transfer::verification::Verification;

/// How many ranges are under way or held where the caller does not say, and one stream is slow.
const AHEAD: usize = 4;

/// What takes bytes in order.
pub(super) trait Sink: Send {
    /// There will be so many.
    fn expect(&mut self, length: u64) -> Result<(), Error>;
    /// The next ones.
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), Error>> + Send;
    /// Forgets what it was given; `false` where that cannot be.
    fn forget(&mut self) -> bool;
}

/// What was read.
pub(super) struct Read {
    pub(super) head: ObjectHead,
    pub(super) size: u64,
    pub(super) verification: Verification,
}

pub(super) async fn read(job: &Job, sink: &mut impl Sink) -> Result<Read, Error> {
    let mut restarts = 0;
    loop {
        match once(job, sink).await {
            Ok(done) => return Ok(done),
            Err(error) if sink.forget() && job.begin_anew(&error, restarts) => {
                tracing::debug!(%error, "beginning anew");
            }
            Err(error) => return Err(job.given_up(error, restarts)),
        }
        restarts += 1;
    }
}

/// The object as far as it is read.
struct Reading<'a, S> {
    sink: &'a mut S,
    object: Option<Object>,
    /// The answer under way, if there is one.
    body: Option<ObjectBody>,
    ahead: VecDeque<Ahead>,
    /// Where the range begins that is fetched ahead next.
    next: u64,
    /// How often an answer was silent for too long.
    silences: u32,
}

/// What was found.
struct Object {
    found: Arc<Found>,
    check: Check,
    tally: Tally,
    ledger: Mutex<Ledger>,
    /// How many ranges may be under way or held.
    width: usize,
    /// How fast one stream is, while that decides whether there shall be more.
    speed: Option<Speed>,
}

/// What an attempt came to.
enum Step {
    Done,
    /// The bytes that are missing cannot be asked for alone.
    Lost(Error),
}

async fn once(job: &Job, sink: &mut impl Sink) -> Result<Read, Error> {
    let crew = Crew::default();
    let reading =
        TurnMutex::new(Reading { sink, object: None, body: None, ahead: VecDeque::new(), next: 0, silences: 0 });
    let whole = pin!(async {
        loop {
            let step = {
                let reading = &reading;
                let crew = &crew;
                job.patiently_with(|slot| async move { reading.lock().await.advance(job, crew, &slot).await }).await?
            };
            if let Step::Lost(error) = step {
                return Err(error);
            }
            if reading.lock().await.take_ahead(job, &crew).await? {
                break;
            }
        }
        reading.lock().await.conclude()
    });
    crew.beside(whole).await
}

impl<S: Sink> Reading<'_, S> {
    /// Reads on by an answer of its own, until what is fetched ahead begins, or nothing is left.
    async fn advance(&mut self, job: &Job, crew: &Crew, slot: &Slot) -> Result<Step, Error> {
        if self.object.is_none() {
            self.begin(job, crew, slot).await?;
        }
        let (mut coming, mut until) = match (self.body.take(), &self.object) {
            (Some(coming), Some(object)) => (coming, self.until(object.found.wanted.end)),
            (None, Some(object)) => {
                let (at, end) = (object.tally.at(), object.found.wanted.end);
                let part = if object.width > 1 { at.saturating_add(job.options().part_size).min(end) } else { end };
                let until = self.until(part);
                if at >= until {
                    return Ok(Step::Done);
                }
                (job.range(&object.found, at..until, self.silences).await?, until)
            }
            (_, None) => return Ok(Step::Done),
        };
        while let Some(object) = &mut self.object {
            let asked = Instant::now();
            let came = match coming.next().await {
                Some(came) => came,
                None if object.found.is_known_length() && object.tally.at() < until => Err(ended_early()),
                None => break,
            };
            let mut bytes = match came {
                Ok(bytes) => bytes,
                Err(error) if job.can_go_on(&object.found) => {
                    self.silences += u32::from(error.kind() == ErrorKind::Timeout);
                    return Err(error);
                }
                Err(error) => return Ok(Step::Lost(job.lost(error))),
            };
            let waited = asked.elapsed();
            bytes.truncate(usize::try_from(until - object.tally.at()).unwrap_or(usize::MAX));
            let count = bytes.len();
            job.moved(count);
            // What takes them may be waiting for a request of its own.
            slot.aside(object.give(bytes, self.sink)).await?;
            if coming.left() != Some(0) && object.tally.at() >= until {
                break;
            }
            if object.speed.as_mut().and_then(|speed| speed.pace(count as u64, waited, || 1)) == Some(Pace::Slow) {
                (object.speed, object.width) = (None, AHEAD);
                self.next = object.tally.at().saturating_add(job.options().part_size);
                self.fetch_ahead(job, crew, AHEAD - 1);
                until = self.until(until);
            }
        }
        job.watch().part_done();
        Ok(Step::Done)
    }

    /// Where what is fetched ahead begins; `end` where nothing is.
    fn until(&self, end: u64) -> u64 {
        self.ahead.front().map_or(end, |ahead| ahead.range.start.min(end))
    }

    async fn begin(&mut self, job: &Job, crew: &Crew, slot: &Slot) -> Result<(), Error> {
        let (found, body) = job.first().await?;
        let check = parts::check(job, &found, Some(slot)).await;
        if found.is_known_length() {
            self.sink.expect(found.length())?;
        }
        let (width, speed) = match job.options().concurrency {
            _ if job.in_one_stream(&found) => (1, None),
            Some(width) => (width, None),
            None => (1, Some(Speed::default())),
        };
        self.next = found.wanted.start.saturating_add(job.options().part_size);
        let (tally, ledger) = (Tally::new(&check, found.wanted.start), Mutex::new(check.ledger()));
        self.object = Some(Object { found: Arc::new(found), check, tally, ledger, width, speed });
        self.body = Some(body);
        // The answer under way is one of them.
        self.fetch_ahead(job, crew, width - 1);
        Ok(())
    }

    /// Has the next ranges fetched, `width` at a time, as far as there is memory for them now. Nobody waits for memory:
    /// without any, the object is read all the same.
    fn fetch_ahead(&mut self, job: &Job, crew: &Crew, width: usize) {
        let Some(object) = &self.object else { return };
        while self.ahead.len() < width && self.next < object.found.wanted.end {
            let range = self.next..self.next.saturating_add(job.options().part_size).min(object.found.wanted.end);
            let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            let Some(memory) = job.try_memory(length) else { return };
            self.next = range.end;
            let (ahead, fetching) = ahead(job.clone(), object.found.clone(), range, Some(memory));
            crew.spawn(fetching.in_current_span());
            self.ahead.push_back(ahead);
        }
    }

    /// Gives out what was fetched ahead, as far as it follows. Whether that was all.
    async fn take_ahead(&mut self, job: &Job, crew: &Crew) -> Result<bool, Error> {
        loop {
            let Some(object) = &self.object else { return Ok(true) };
            let at = object.tally.at();
            if at >= object.found.wanted.end || !object.found.is_known_length() {
                return Ok(true);
            }
            let width = object.width;
            if width > 1 {
                self.next = self.next.max(at);
                self.fetch_ahead(job, crew, width);
            }
            let follows = self.ahead.pop_front_if(|ahead| ahead.range.start == at);
            let (Some(mut ahead), Some(object)) = (follows, &mut self.object) else { return Ok(false) };
            while let Some(bytes) = ahead.next().await {
                object.give(bytes?, self.sink).await?;
            }
            if object.tally.at() != ahead.range.end {
                return Err(Error::new(ErrorKind::Other, "a range that was fetched ahead is not whole"));
            }
        }
    }

    fn conclude(&mut self) -> Result<Read, Error> {
        let Some(mut object) = self.object.take() else {
            return Err(Error::new(ErrorKind::Other, "nothing was begun"));
        };
        object.tally.close(&object.check, &object.ledger);
        let ledger = object.ledger.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let verification = object.check.conclude(&ledger)?;
        Ok(Read { head: (*object.found.head).clone(), size: ledger.bytes(), verification })
    }
}

impl Object {
    async fn give(&mut self, bytes: Bytes, sink: &mut impl Sink) -> Result<(), Error> {
        self.tally.add(&self.check, &bytes, &self.ledger);
        sink.write(bytes).await
    }
}
