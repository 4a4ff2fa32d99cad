//! What a sync says of each entry, as messages.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{interval, timeout};
use wharf::proto::evidence::Doubt;
use wharf::transfer::{Reason, Sync, SyncAction, SyncEvents, SyncItem, Verification};
use wharf::{Error, ErrorKind};

use crate::error::{Exit, Failure, GOES_ON, by_option};
use crate::message::Warning;
use crate::printer::Printer;
use crate::progress::Bar;
use crate::signals::{self, Orderly};
use crate::transfer::local;
use crate::transfer::mover::Mover;
use crate::transfer::place::Place;
use crate::transfer::route::as_prefix;
use crate::transfer::told::{self, Action, Deed, Done, Left, NotDone};
use crate::url::Shown;

/// How long what is under way may take to be put away after a signal.
const TO_STOP: Duration = Duration::from_millis(800);

const BEAT: Duration = Duration::from_millis(100);

pub(super) struct Events {
    source: Place,
    target: Place,
    mover: Arc<Mover>,
    /// What is to be said beside, and whether something is left out.
    warnings: mpsc::UnboundedReceiver<(Warning, bool)>,
    failed: bool,
    skipped: bool,
    /// How many are copied because nothing shows that they are the same, and why the first.
    unproven: Option<(u64, Doubt)>,
}

impl Events {
    pub(super) fn new(
        source: Place,
        target: Place,
        mover: Arc<Mover>,
        warnings: mpsc::UnboundedReceiver<(Warning, bool)>,
    ) -> Self {
        Self { source, target, mover, warnings, failed: false, skipped: false, unproven: None }
    }

    /// Carries a sync out and tells what becomes of each entry.
    pub(super) async fn tell(mut self, sync: Sync, printer: &mut Printer) -> Result<Exit, Failure> {
        printer.show(Bar::bytes);
        let mut events = sync.events();
        let _orderly = Orderly::begin();
        let mut interrupted = std::pin::pin!(signals::received());
        let mut beat = interval(BEAT);
        let (mut files, mut vigil) = (0, self.mover.ends.vigil());
        let mut is_empty = true;
        loop {
            let item = tokio::select! {
                biased;
                item = events.next() => item,
                signal = &mut interrupted => {
                    self.put_away(events, printer).await;
                    // Whatever has arrived is the same by then.
                    return Err(Failure::interrupted_transfer(signal, GOES_ON));
                }
                Some((warning, is_left_out)) = self.warnings.recv() => {
                    self.warn(&warning, is_left_out, printer);
                    continue;
                }
                _ = beat.tick() => {
                    let progress = events.progress();
                    let known = progress.total.unwrap_or_default();
                    printer.update(|bar| {
                        bar.of(known);
                        // A file that is on its way counts for what was sent of it.
                        bar.at((progress.bytes + progress.in_flight).min(known));
                        bar.files(files, events.known());
                    });
                    vigil.look(printer);
                    let _ = printer.flush();
                    continue;
                }
            };
            let Some(item) = item else { break };
            is_empty = false;
            if let Ok(SyncItem {
                action: SyncAction::Upload(_) | SyncAction::Download(_) | SyncAction::Copy(_), ..
            }) = item
            {
                files += 1;
            }
            let told = match item.map_err(|error| self.of_sync(error)) {
                Ok(item) => self.item(item, printer).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = told {
                self.put_away(events, printer).await;
                return Err(failure);
            }
        }
        while let Ok((warning, is_left_out)) = self.warnings.try_recv() {
            self.warn(&warning, is_left_out, printer);
        }
        printer.hide();
        if let Some((count, doubt)) = self.unproven {
            printer.remark(&Warning::new(format!(
                "{count} of the same size may have had the same bytes: {}",
                by_option(doubt.as_str())
            )));
        }
        if events.withheld() > 0 {
            let is_told = self.failed || self.skipped;
            self.skipped = true;
            let count = events.withheld();
            let warning = Warning::new(format!(
                "not deleted: {count} that the source does not have, for not all could be read and transferred"
            ));
            let hint = "once what is named above is mended, the same command deletes them";
            printer.problem(&if is_told { warning.hint(hint) } else { warning });
        }
        if is_empty && events.source_was_empty() && self.mover.options.filters.is_empty() && !self.mover.is_aws {
            self.remark_on_nothing(printer);
        }
        Ok(match (self.failed, self.skipped) {
            (true, _) => Exit::Failed,
            (false, true) => Exit::Skipped,
            (false, false) => Exit::Done,
        })
    }

    /// Stops what was begun, and gives it a moment to be undone.
    async fn put_away(&self, events: SyncEvents, printer: &mut Printer) {
        let put_away = timeout(TO_STOP, events.cancel()).await;
        printer.hide();
        match (put_away, self.leaves()) {
            (Ok(Ok(())), _) | (Err(_), None) => {}
            (Ok(Err(error)), _) => printer.failure(Failure::left(error)),
            (Err(_), Some(left)) => printer.warn(&Warning::not_put_away(left)),
        }
    }

    /// What finds that which could not be put away, unless the same command goes on with it.
    fn leaves(&self) -> Option<&'static str> {
        let is_local = |place: &Place| matches!(place, Place::Local(_));
        self.mover.leaves(is_local(&self.source), is_local(&self.target))
    }

    /// A prefix may be mistyped: of a folder that is an error.
    fn remark_on_nothing(&self, printer: &mut Printer) {
        let Place::Remote(url) = &self.source else { return };
        let prefix = as_prefix(url.key());
        if !prefix.is_empty() {
            let source = Shown(url.bucket(), &prefix);
            printer.remark(&Warning::new(format!("nothing to do: there is no object to take from {source}")));
        }
    }

    fn warn(&mut self, warning: &Warning, is_left_out: bool, printer: &mut Printer) {
        // aws-cli does not count them.
        self.skipped |= is_left_out && !self.mover.is_aws;
        printer.warn(warning);
    }

    /// What ends a sync as a whole, with our option where the library names its method.
    fn of_sync(&self, error: Error) -> Failure {
        let refused_empty = error.hint().is_some_and(|hint| hint.contains("allow_empty_source"));
        match refused_empty {
            true => Failure::new(Exit::Failed, error.message()).hint("say --force if it is meant to be empty"),
            false if self.mover.cases.has_stopped() => Failure::from(error).exits(Exit::Failed),
            false => error.into(),
        }
    }

    async fn item(&mut self, item: SyncItem, printer: &mut Printer) -> Result<(), Failure> {
        let SyncItem { key, size, action, verification, resumed_bytes: resumed, left_over, lost_create, error, .. } =
            item;
        if let SyncAction::Upload(Reason::Unproven(doubt))
        | SyncAction::Download(Reason::Unproven(doubt))
        | SyncAction::Copy(Reason::Unproven(doubt)) = action
        {
            self.unproven.get_or_insert((0, doubt)).0 += 1;
        }
        let (deed, source, target) = match action {
            SyncAction::Upload(_) => (Deed::Upload, self.shown(&self.source, &key), Some(&self.target)),
            SyncAction::Download(_) => (Deed::Download, self.shown(&self.source, &key), Some(&self.target)),
            SyncAction::Copy(_) => (Deed::Copy, self.shown(&self.source, &key), Some(&self.target)),
            SyncAction::Delete => (Deed::Delete, self.shown(&self.target, &key), None),
            SyncAction::Read => {
                if let Some(error) = error {
                    self.unread(&key, error, printer);
                }
                return Ok(());
            }
            SyncAction::Keep => {
                self.left(&key, printer);
                return Ok(());
            }
            _ => return Ok(()),
        };
        let action = Action { deed, source, target: target.map(|place| self.shown(place, &key)) };
        let Some(error) = error else {
            let size = (deed != Deed::Delete).then_some(size);
            let verified = verification.map(Verification::is_verified);
            let dryrun = self.mover.options.dryrun;
            // The listings were the look.
            if matches!(deed, Deed::Upload | Deed::Copy)
                && !dryrun
                && let Some(warning) = self.mover.unknown_server()
            {
                printer.warn(&warning);
            }
            let done = Done { size, verified, resumed, dryrun, lost_create, left_over, ..Done::new(action) };
            return done.tell(printer, self.mover.is_aws);
        };
        match error.kind() {
            ErrorKind::PreconditionFailed
                if self.mover.options.no_overwrite && self.was_left(deed, &key, &error).await =>
            {
                self.left(&key, printer);
            }
            // Its key is no path below the folder.
            ErrorKind::InvalidInput if deed == Deed::Download => {
                self.skipped = true;
                printer.warn(&Warning::skipping(action.source, error.message()));
            }
            ErrorKind::InvalidObjectState if !self.mover.options.force_glacier_transfer => {
                if !self.mover.options.ignore_glacier_warnings {
                    self.skipped = true;
                    printer.warn(&told::archived(deed, action.source));
                }
            }
            _ if deed == Deed::Upload && error.status().is_none() && self.is_unreadable(&key) => {
                self.unread(&key, error, printer);
            }
            _ => {
                self.failed = true;
                if let Some(problem) = NotDone::new(action, error.into(), self.mover.is_aws) {
                    printer.problem(&problem);
                }
            }
        }
        Ok(())
    }

    fn left(&self, key: &str, printer: &mut Printer) {
        let [source, target] = [&self.source, &self.target].map(|place| self.shown(place, key));
        printer.remark(&Left { source, target, reason: "it is there already" });
    }

    /// A file that cannot be read is left out; where a server refuses to say something, it failed.
    fn unread(&mut self, key: &str, error: Error, printer: &mut Printer) {
        let local = [&self.source, &self.target].into_iter().find_map(|place| match place {
            Place::Local(root) => Some(root),
            _ => None,
        });
        match local {
            Some(root) if error.status().is_none() => {
                self.skipped = true;
                let path = self.mover.locally.absolute(&root.join(key));
                printer.warn(&Warning::skipping(path.display(), local::why(&path, &error)));
            }
            _ => {
                self.failed = true;
                printer.failure(Failure::from(error));
            }
        }
    }

    fn is_unreadable(&self, key: &str) -> bool {
        matches!(&self.source, Place::Local(root) if local::check(&root.join(key)).is_err())
    }

    /// Whether it was the target's condition that failed, not one of a source that was replaced while it was read.
    async fn was_left(&self, deed: Deed, key: &str, error: &Error) -> bool {
        match (deed, &self.target) {
            (Deed::Download, Place::Local(root)) => root.join(key).symlink_metadata().is_ok(),
            (Deed::Copy, Place::Remote(url)) => match error.operation() {
                // This one is held to both ends.
                Some("CopyObject") if self.mover.pins_sources() => {
                    let key = format!("{}{key}", as_prefix(url.key()));
                    self.mover.is_there(url.bucket(), &key).await.is_ok_and(|is_there| is_there)
                }
                Some("CopyObject" | "PutObject" | "CompleteMultipartUpload") => true,
                // What asks for the source.
                _ => false,
            },
            _ => true,
        }
    }

    fn shown(&self, place: &Place, key: &str) -> String {
        match place {
            Place::Standard => key.to_owned(),
            Place::Local(root) => self.mover.locally.shown(&root.join(key)),
            Place::Remote(url) => Shown(url.bucket(), &format!("{}{key}", as_prefix(url.key()))).to_string(),
        }
    }
}
