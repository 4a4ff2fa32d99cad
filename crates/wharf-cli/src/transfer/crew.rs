//! Many things at a time: who does them, what is told of them, and how all of it ends.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout_at};
use wharf::ErrorKind;
use wharf::transfer::Transfer;

use super::mover::Mover;
use super::told::{Action, Done, Left, NotDone};
use crate::error::{Exit, Failure};
use crate::message::Warning;
use crate::printer::Printer;
use crate::progress::Bar;
use crate::signals::{self, Orderly, Signal};
use crate::vigil::Vigil;

/// How many things are under way at a time. Their requests are limited by the library, all together.
const MOST: usize = 64;

/// How long what is under way may take to be put away after a signal.
const TO_STOP: Duration = Duration::from_millis(900);

/// How often the bar is told how far a thing is.
const BEAT: Duration = Duration::from_millis(100);

/// What became of a thing.
pub(crate) enum Outcome {
    Done(Done),
    NotDone(Action, Failure),
    Skipped(Warning),
    /// As was asked for.
    Left(Left),
    /// There is nothing to be told.
    Quiet,
}

type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Does many things at a time.
pub(crate) struct Crew<'a> {
    printer: &'a mut Printer,
    vigil: Vigil,
    under_way: FuturesUnordered<Work>,
    meter: Arc<Meter>,
    stop: watch::Sender<bool>,
    /// What those under way have to say.
    remarks: (mpsc::UnboundedSender<Warning>, mpsc::UnboundedReceiver<Warning>),
    interrupted: Pin<Box<dyn Future<Output = Signal> + Send>>,
    _orderly: Orderly,
    beat: Interval,
    /// What the same command does, once interrupted.
    again: &'static str,
    /// What finds that which could not be put away, where it is not kept for the same command.
    leaves: Option<&'static str>,
    is_aws: bool,
    patience: Option<Duration>,
    failed: bool,
    skipped: bool,
    /// Something was done.
    done: bool,
    /// Something failed for want of keys or the like.
    unusable: bool,
    /// Something failed in a way that everything would if it lasts.
    unserved: bool,
    /// Things that are done, and all that are known of.
    files: (u64, u64),
}

/// How far everything is.
#[derive(Debug, Default)]
struct Meter {
    bytes: AtomicU64,
    total: AtomicU64,
}

/// What a thing under way is followed with.
#[derive(Clone)]
pub(crate) struct Follower {
    meter: Arc<Meter>,
    stop: watch::Receiver<bool>,
    remarks: mpsc::UnboundedSender<Warning>,
    /// Whether somebody looks at the meter.
    is_shown: bool,
    /// Whether the transfer alone knows how much there is.
    is_unsized: bool,
}

impl<'a> Crew<'a> {
    /// Whether a bar is shown is the printer's to know. `again` and `leaves` are of what is interrupted.
    pub(crate) fn new(
        printer: &'a mut Printer,
        bar: impl FnOnce() -> Bar,
        mover: &Mover,
        again: &'static str,
        leaves: Option<&'static str>,
    ) -> Self {
        printer.show(bar);
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            printer,
            vigil: mover.ends.vigil(),
            under_way: FuturesUnordered::new(),
            meter: Arc::default(),
            stop: watch::Sender::new(false),
            remarks: mpsc::unbounded_channel(),
            interrupted: Box::pin(signals::received()),
            _orderly: Orderly::begin(),
            beat,
            again,
            leaves,
            is_aws: mover.is_aws,
            patience: mover.tuning.patience,
            failed: false,
            skipped: false,
            done: false,
            unusable: false,
            unserved: false,
            files: (0, 0),
        }
    }

    pub(crate) fn printer(&mut self) -> &mut Printer {
        self.printer
    }

    pub(crate) fn warn(&mut self, warning: &Warning) {
        self.printer.warn(warning);
    }

    pub(crate) fn follower(&self) -> Follower {
        let is_shown = self.printer.bar().is_some();
        let remarks = self.remarks.0.clone();
        Follower { meter: self.meter.clone(), stop: self.stop.subscribe(), remarks, is_shown, is_unsized: false }
    }

    /// Takes on a thing of so many bytes, when there is room for it.
    pub(crate) async fn begin(
        &mut self,
        bytes: u64,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Result<(), Failure> {
        while self.under_way.len() >= MOST {
            self.meanwhile(std::future::pending::<()>()).await?;
        }
        self.stop_if_away()?;
        self.files.1 += 1;
        self.meter.total.fetch_add(bytes, Ordering::Relaxed);
        self.under_way.push(Box::pin(work));
        Ok(())
    }

    /// Fails where something was not served and the server serves nothing any more: everything else would fail as well.
    fn stop_if_away(&self) -> Result<(), Failure> {
        let away = if self.unserved { self.vigil.away(self.patience) } else { None };
        away.map_or(Ok(()), |server| Err(Failure::away(&server)))
    }

    /// Tells what became of something that nobody had to wait for.
    pub(crate) fn tell(&mut self, outcome: Outcome) -> Result<(), Failure> {
        match outcome {
            Outcome::Done(done) => {
                self.done = true;
                done.tell(self.printer, self.is_aws)
            }
            Outcome::Left(left) => {
                self.printer.remark(&left);
                Ok(())
            }
            Outcome::Skipped(warning) => {
                self.skipped = true;
                self.printer.problem(&warning);
                Ok(())
            }
            Outcome::NotDone(action, failure) => {
                self.count(&failure);
                if let Some(message) = NotDone::new(action, failure, self.is_aws) {
                    self.printer.problem(&message);
                }
                Ok(())
            }
            Outcome::Quiet => Ok(()),
        }
    }

    /// Tells what went wrong before it was known what would be done.
    pub(crate) fn tell_failure(&mut self, failure: Failure) {
        self.count(&failure);
        self.printer.failure(failure);
    }

    fn count(&mut self, failure: &Failure) {
        self.failed = true;
        self.unusable |= failure.exit() == Exit::Configuration;
        self.unserved |= failure.is_unheard() || failure.is(ErrorKind::SlowDown);
    }

    /// Waits for something while the rest goes on. Ends early, and with `None`, when another thing has been done.
    ///
    /// # Errors
    /// A signal came.
    async fn meanwhile<T>(&mut self, wanted: impl Future<Output = T>) -> Result<Option<T>, Failure> {
        tokio::pin!(wanted);
        loop {
            tokio::select! {
                biased;
                got = &mut wanted => return Ok(Some(got)),
                Some(warning) = self.remarks.1.recv() => self.printer.warn(&warning),
                Some(outcome) = self.under_way.next() => {
                    self.files.0 += 1;
                    self.tell(outcome)?;
                    return Ok(None);
                }
                signal = &mut self.interrupted => return Err(self.stop(signal).await),
                _ = self.beat.tick() => self.beat(),
            }
        }
    }

    /// Waits for `wanted` while the rest goes on.
    pub(crate) async fn until<T>(&mut self, wanted: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::pin!(wanted);
        loop {
            if let Some(got) = self.meanwhile(&mut wanted).await? {
                return Ok(got);
            }
        }
    }

    /// Waits until everything is done: how the command exits.
    pub(crate) async fn finish(mut self) -> Result<Exit, Failure> {
        while !self.under_way.is_empty() {
            if let Err(failure) = self.meanwhile(std::future::pending::<()>()).await {
                return Err(self.give_up(failure).await);
            }
        }
        self.printer.hide();
        Ok(match (self.failed, self.skipped) {
            (true, _) if self.unusable && !self.done => Exit::Configuration,
            (true, _) => Exit::Failed,
            (false, true) => Exit::Skipped,
            (false, false) => Exit::Done,
        })
    }

    /// Waits until what was begun is done, where something else has failed.
    pub(crate) async fn fail(self, failure: Failure) -> Failure {
        if failure.is_interrupted() { failure } else { self.finish().await.err().unwrap_or(failure) }
    }

    /// Puts away what was begun, where something else has failed. After a signal that is done.
    pub(crate) async fn give_up(mut self, failure: Failure) -> Failure {
        if !failure.is_interrupted() {
            self.put_away().await;
            self.printer.hide();
        }
        failure
    }

    /// Shows how far it is, and hands over the lines that nobody has seen yet.
    fn beat(&mut self) {
        let (done, all) = self.files;
        self.printer.update(|bar| {
            bar.of(self.meter.total.load(Ordering::Relaxed));
            bar.at(self.meter.bytes.load(Ordering::Relaxed));
            bar.files(done, all);
        });
        self.vigil.look(self.printer);
        // What cannot be written is met at the next line.
        let _ = self.printer.flush();
    }

    async fn stop(&mut self, signal: Signal) -> Failure {
        self.put_away().await;
        self.printer.hide();
        Failure::interrupted_transfer(signal, self.again)
    }

    /// Stops everything, and gives it a moment to be put away.
    async fn put_away(&mut self) {
        self.stop.send_replace(true);
        let end = Instant::now() + TO_STOP;
        loop {
            match timeout_at(end, self.under_way.next()).await {
                Ok(None) => return,
                // What ended in this moment, or could not be undone. Whether it can be written matters no more.
                Ok(Some(outcome)) => drop(self.tell(outcome)),
                Err(_) => {
                    if let Some(left) = self.leaves {
                        self.printer.warn(&Warning::not_put_away(left));
                    }
                    return;
                }
            }
        }
    }
}

impl Follower {
    /// For a thing that was taken on without knowing how many bytes it has.
    pub(crate) fn of_unknown_size(mut self) -> Self {
        self.is_unsized = true;
        self
    }

    /// Says what somebody should know.
    pub(crate) fn warn(&self, warning: Warning) {
        let _ = self.remarks.send(warning);
    }

    /// Waits for a transfer, and says how far it is.
    pub(crate) async fn follow<T: Send + 'static>(
        &mut self,
        started: Result<Transfer<T>, wharf::Error>,
    ) -> Result<T, Failure> {
        let mut transfer = started?;
        let Self { meter, stop, is_shown, is_unsized, .. } = self;
        let mut counted = Counted { bytes: 0, total: is_unsized.then_some(0) };
        loop {
            tokio::select! {
                done = &mut transfer => {
                    meter.count(&transfer, &mut counted);
                    return done.map_err(Failure::from);
                }
                () = stopped(stop) => {
                    return Err(match transfer.cancel().await {
                        Ok(()) => Failure::new(Exit::Interrupted, "cancelled"),
                        Err(error) => Failure::left(error),
                    });
                }
                () = tokio::time::sleep(BEAT), if *is_shown => meter.count(&transfer, &mut counted),
            }
        }
    }
}

/// Waits until everything is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What the meter has of one transfer.
struct Counted {
    bytes: u64,
    /// `None` where it was told before the transfer began.
    total: Option<u64>,
}

impl Meter {
    fn count<T>(&self, transfer: &Transfer<T>, counted: &mut Counted) {
        let now = transfer.progress();
        // A part that is on its way counts for what was sent of it.
        let bytes = now.bytes + now.in_flight;
        let bytes = now.total.map_or(bytes, |total| bytes.min(total));
        // Bytes that have to be moved again are taken back.
        self.bytes.fetch_add(bytes.wrapping_sub(counted.bytes), Ordering::Relaxed);
        counted.bytes = bytes;
        if let (Some(told), Some(total)) = (&mut counted.total, now.total) {
            self.total.fetch_add(total.wrapping_sub(*told), Ordering::Relaxed);
            *told = total;
        }
    }
}
