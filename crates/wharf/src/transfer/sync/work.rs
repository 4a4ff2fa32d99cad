//! The course of a sync: read both ends, plan, carry out, delete.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tracing::Instrument;
use wharf_proto::endpoint::is_directory_bucket;
use wharf_proto::sync_plan::{Action, Disorder, Entry, Reason, Rules, Side, Step, SyncPlan};
use wharf_proto::{Error, ErrorKind, Provider};

use super::outcome::FAILURES;
use super::place::Kind;
use super::side::{Reading, check};
use super::spill::Spool;
use super::walk::{Hides, Links, Trouble};
use super::{Choose, CustomerKeys, SyncAction, SyncItem, Tweaks, item};
use crate::Client;
use crate::payload::blocking;
use crate::transfer::delete::Keys;
use crate::transfer::feed::Tasks;
use crate::transfer::handle::Watch;
use crate::transfer::list::List;
use crate::transfer::patience::is_unserved;
use item::{Moved, NotMoved};

/// How many names are noted of what could not be read. Where there are more, nothing is deleted.
const UNREAD: usize = 10_000;

/// What the whole sync shares.
pub(super) struct Work {
    pub(super) client: Client,
    pub(super) source: Kind,
    pub(super) target: Kind,
    pub(super) rules: Rules,
    pub(super) filter: Box<dyn Fn(&str) -> bool + Send + Sync>,
    pub(super) tweaks: Tweaks,
    pub(super) links: Links,
    pub(super) dry_run: bool,
    pub(super) allow_empty_source: bool,
    pub(super) leaves_markers: bool,
    pub(super) report_skipped: bool,
    pub(super) at_once: usize,
    pub(super) parallel: usize,
    pub(super) page_size: Option<u32>,
    pub(super) takes_new: Option<Choose>,
    pub(super) patience: Duration,
    pub(super) request_payer: bool,
    pub(super) customer_keys: CustomerKeys,
    pub(super) resumable: bool,
    pub(super) watch: Arc<Watch>,
    pub(super) out: mpsc::Sender<Told>,
    /// Whether something could not be read that may hide entries.
    pub(super) blind: AtomicBool,
    /// The keys of what could not be read and hides nothing else: what the target has of them is not known to be too much.
    pub(super) unread: Mutex<HashSet<String>>,
    /// Whether something that the target should have may be missing there, for it could not be transferred.
    pub(super) incomplete: AtomicBool,
    pub(super) deletes_after_failures: bool,
    /// Whether both ends are read once more: what is wrong with them was told.
    pub(super) again: AtomicBool,
    /// Whether something has failed in a way that everything would if it lasts.
    pub(super) unserved: AtomicBool,
    /// How many entries turned out to have the same bytes.
    pub(super) same: AtomicU64,
    /// The first of the keys that have failed, which is told once.
    pub(super) failed: Mutex<HashSet<String>>,
}

/// What comes out of it.
pub(super) enum Told {
    Item(SyncItem),
    /// So many entries were the same, or are left alone.
    Skipped(u64),
    /// So many deletes were not carried out, for a part of an end could not be read, or not be transferred.
    Withheld(u64),
    /// The source has nothing that the filter lets through.
    SourceEmpty,
}

/// One way through both ends.
struct Pass {
    plan: SyncPlan,
    source: Reading,
    target: Reading,
    deletes: Spool,
    skipped: u64,
    tasks: Tasks<()>,
    under_way: Arc<Semaphore>,
}

impl Work {
    pub(super) async fn run(self: Arc<Self>) -> Result<(), Error> {
        let (source, target, may_be_missing) = (self.source.clone(), self.target.clone(), self.allow_empty_source);
        self.refuse_overlap().await?;
        let missing = blocking(move || check(&source, &target, may_be_missing)).await?;
        let sort = !self.is_in_order();
        match self.clone().pass(sort, missing).await? {
            None => Ok(()),
            Some(disorder) if self.dry_run => Err(Error::new(ErrorKind::MalformedResponse, disorder.to_string())),
            Some(disorder) => {
                tracing::debug!(%disorder, "both sides are sorted here");
                self.again.store(true, Ordering::Relaxed);
                // What was brought so far is there now.
                let (source, target) = (self.source.clone(), self.target.clone());
                let missing = blocking(move || check(&source, &target, may_be_missing)).await?;
                match self.pass(true, missing).await? {
                    None => Ok(()),
                    Some(disorder) => Err(Error::new(ErrorKind::Other, disorder.to_string())),
                }
            }
        }
    }

    /// A listing of one end.
    pub(super) fn list(&self, client: Option<&Client>, bucket: &str, prefix: &str) -> List {
        let list = client.unwrap_or(&self.client).list(bucket).prefix(prefix).patience(self.patience);
        if self.request_payer { list.request_payer() } else { list }
    }

    /// Refuses a target that the source lies in, or the other way round: what is copied would be copied again.
    ///
    /// Two buckets of one name can be of two tenants of a server, and only clients of their own reach both: then the same prefix
    /// does no harm, for there is nothing to copy where it is one bucket after all.
    async fn refuse_overlap(&self) -> Result<(), Error> {
        let (
            Kind::Bucket { client: from, bucket, prefix },
            Kind::Bucket { client: to, bucket: other_bucket, prefix: other_prefix },
        ) = (&self.source, &self.target)
        else {
            return Ok(());
        };
        let nested = prefix.starts_with(other_prefix.as_str()) || other_prefix.starts_with(prefix.as_str());
        if bucket != other_bucket || !nested {
            return Ok(());
        }
        // Where the source has nothing, nothing is copied.
        let list = |of: &Option<Client>| self.list(of.as_ref(), bucket, prefix);
        let is_one_client = from.is_none() && to.is_none();
        if is_one_client || prefix != other_prefix && list(from).shows_same_bucket(list(to)).await? {
            let message = format!("s3://{bucket}/{prefix} and s3://{bucket}/{other_prefix} lie in each other");
            return Err(Error::invalid_input(message));
        }
        Ok(())
    }

    /// Whether both ends are known to come in order. One that only may not is tried, unless what is told of each entry would be
    /// told twice, or what comes out of order would be taken for missing, and replaced where it is to be kept.
    fn is_in_order(&self) -> bool {
        [&self.source, &self.target].iter().all(|place| match place {
            Kind::Local(_) => true,
            Kind::Bucket { client, bucket, .. } => {
                let sending = &client.as_ref().unwrap_or(&self.client).inner().sending;
                let unknown =
                    sending.provider == Provider::Other && !self.dry_run && !self.report_skipped && !self.rules.keep;
                (sending.habits.sorted || unknown) && !is_directory_bucket(bucket)
            }
        })
    }

    /// Whether an end is of a server that nobody has named, and that claims in its first answer to be one which does not list in
    /// order.
    async fn says_unsorted(&self, ends: [&mut Reading; 2]) -> Result<bool, Error> {
        for end in ends {
            end.look().await?;
        }
        Ok([&self.source, &self.target].iter().any(|place| match place {
            Kind::Local(_) => false,
            Kind::Bucket { client, .. } => client.as_ref().unwrap_or(&self.client).inner().may_be_unsorted(),
        }))
    }

    /// Goes through both ends, sorted first where that is wanted. Gives back where they are not in order.
    async fn pass(self: Arc<Self>, sort: bool, missing: bool) -> Result<Option<Disorder>, Error> {
        let mut source = Reading::begin(&self, Side::Source);
        let mut target = Reading::begin(&self, Side::Target);
        // A folder that is not there yet holds nothing.
        let is_missing = |place: &Kind| missing && matches!(place, Kind::Local(_));
        let sort = sort || self.says_unsorted([&mut source, &mut target]).await?;
        let offered = [(Side::Source, is_missing(&self.source)), (Side::Target, is_missing(&self.target))];
        if sort {
            if !is_missing(&self.source) {
                source = source.sort(&self).await?;
            }
            if !is_missing(&self.target) {
                target = target.sort(&self).await?;
            }
        }
        let mut pass = Pass {
            plan: SyncPlan::new(self.rules),
            source,
            target,
            deletes: Spool::default(),
            skipped: 0,
            tasks: Tasks::new(&self.watch),
            under_way: Arc::new(Semaphore::new(self.at_once.min(Semaphore::MAX_PERMITS))),
        };
        for (side, _) in offered.into_iter().filter(|(_, missing)| *missing) {
            let _ = pass.plan.offer(side, None);
        }
        let disorder = self.go(&mut pass).await;
        // What was begun is ended, whatever happened.
        while let Some(done) = pass.tasks.next().await {
            done?;
        }
        let disorder = disorder?;
        // Those that were the same are compared again, where there is another pass.
        let same = self.same.swap(0, Ordering::Relaxed);
        if disorder.is_none() {
            self.say(Told::Skipped(pass.skipped + same)).await;
            if pass.plan.count(Side::Source) == 0 {
                self.say(Told::SourceEmpty).await;
            }
            self.delete(pass).await?;
        }
        Ok(disorder)
    }

    async fn go(self: &Arc<Self>, pass: &mut Pass) -> Result<Option<Disorder>, Error> {
        while !self.out.is_closed() {
            let action = match pass.plan.next() {
                Step::Done => break,
                Step::Act(action) => action,
                Step::Need(side) => {
                    let reading = if side == Side::Source { &mut pass.source } else { &mut pass.target };
                    let entry = reading.next(self).await?;
                    match pass.plan.offer(side, entry) {
                        Ok(()) => continue,
                        Err(disorder) => return Ok(Some(disorder)),
                    }
                }
            };
            match action {
                Action::Transfer { source, because: Reason::Missing } if !self.takes(&source.key).await? => {
                    pass.skipped += 1;
                }
                Action::Delete(entry) if self.leaves_link(&entry).await? => {}
                Action::Delete(entry) => pass.deletes.push(entry)?,
                Action::Skip(entry) => {
                    pass.skipped += 1;
                    if self.report_skipped {
                        self.item(SyncAction::Skip, entry, None).await;
                    }
                }
                Action::Keep(entry) => {
                    pass.skipped += 1;
                    self.item(SyncAction::Keep, entry, None).await;
                }
                Action::Transfer { source, because } => self.begin(pass, source, Some(because), None).await?,
                Action::Compare { source, target } => self.begin(pass, source, None, Some(target)).await?,
                _ => {}
            }
        }
        Ok(None)
    }

    /// Whether an entry is transferred that the target does not have.
    async fn takes(self: &Arc<Self>, key: &str) -> Result<bool, Error> {
        let Some(takes_new) = self.takes_new.clone() else { return Ok(true) };
        let key = key.to_owned();
        // It may look at the disk.
        blocking(move || takes_new(&key)).await
    }

    /// Whether this is a link of the target, and links are left alone.
    async fn leaves_link(&self, entry: &Entry) -> Result<bool, Error> {
        match &self.target {
            Kind::Local(root) if self.links == Links::Skip => item::is_link(root.clone(), entry.key.clone()).await,
            _ => Ok(false),
        }
    }

    /// Carries one out beside the others, when there is room.
    async fn begin(
        self: &Arc<Self>,
        pass: &mut Pass,
        source: Entry,
        because: Option<Reason>,
        target: Option<Entry>,
    ) -> Result<(), Error> {
        if self.again.load(Ordering::Relaxed) && self.failed().contains(&source.key) {
            return Ok(());
        }
        let Ok(place) = pass.under_way.clone().acquire_owned().await else { return Ok(()) };
        self.stop_if_away()?;
        let work = self.clone();
        let carried_out = async move {
            item::carry_out(&work, source, because, target).await;
            drop(place);
            Ok(())
        };
        pass.tasks.spawn(carried_out.in_current_span());
        pass.tasks.reap()
    }

    /// Fails where something was not served and one of the servers serves nothing any more: each of the other entries would fail as well.
    fn stop_if_away(&self) -> Result<(), Error> {
        if !self.unserved.load(Ordering::Relaxed) {
            return Ok(());
        }
        let clients = [&self.source, &self.target].map(|place| match place {
            Kind::Bucket { client: Some(client), .. } => client,
            _ => &self.client,
        });
        clients.iter().find(|client| client.is_away(self.patience)).map_or(Ok(()), |client| {
            let message = format!("stopped, for {} serves nothing any more", client.server());
            Err(Error::new(ErrorKind::Transport, message).with_hint("the same sync goes on where this one stopped"))
        })
    }

    /// Deletes what waited for both ends to be known.
    async fn delete(&self, pass: Pass) -> Result<(), Error> {
        let count = pass.deletes.count();
        if count == 0 || self.out.is_closed() {
            return Ok(());
        }
        self.stop_if_away()?;
        let is_incomplete = self.incomplete.load(Ordering::Relaxed) && !self.deletes_after_failures;
        if self.blind.load(Ordering::Relaxed) || is_incomplete || !pass.plan.may_delete(self.allow_empty_source)? {
            self.say(Told::Withheld(count)).await;
            return Ok(());
        }
        let (unread, left) = (std::mem::take(&mut *self.unread()), Arc::new(AtomicU64::new(0)));
        let entries = pass.deletes.read()?.filter({
            let left = left.clone();
            move |entry| {
                let leave = entry.as_ref().is_ok_and(|entry| is_within(&unread, &entry.key));
                left.fetch_add(leave.into(), Ordering::Relaxed);
                !leave
            }
        });
        let deleted = self.delete_each(entries).await;
        let left = left.load(Ordering::Relaxed);
        if left > 0 {
            self.say(Told::Withheld(left)).await;
        }
        deleted
    }

    async fn delete_each(
        &self,
        entries: impl Iterator<Item = Result<Entry, Error>> + Send + 'static,
    ) -> Result<(), Error> {
        if self.dry_run {
            for entry in entries {
                self.item(SyncAction::Delete, entry?, None).await;
            }
            return Ok(());
        }
        match &self.target {
            Kind::Local(root) => {
                for entry in entries {
                    let entry = entry?;
                    let error = item::remove(root.clone(), entry.key.clone()).await.err();
                    self.item(SyncAction::Delete, entry, error).await;
                }
                Ok(())
            }
            Kind::Bucket { client, bucket, prefix } => {
                let client = client.as_ref().unwrap_or(&self.client);
                let keys = entries.map({
                    let prefix = prefix.clone();
                    move |entry| entry.map(|entry| format!("{prefix}{}", entry.key))
                });
                let call = client.delete(bucket, Keys::each(keys)).patience(self.patience);
                let call = if self.request_payer { call.request_payer() } else { call };
                let mut outcomes = call.outcomes_within(Watch::part_of(&self.watch));
                while let Some(outcome) = outcomes.next().await {
                    let (key, error) = match outcome? {
                        Ok(deleted) => (deleted.key, None),
                        Err(failed) => {
                            let error = Error::new(ErrorKind::Other, failed.to_string());
                            (failed.key, Some(error))
                        }
                    };
                    let key = key.strip_prefix(prefix.as_str()).unwrap_or(&key).to_owned();
                    let has_failed = error.is_some();
                    self.item(SyncAction::Delete, Entry::new(key, 0), error).await;
                    if has_failed {
                        self.stop_if_away()?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Says of what could not be read that it could not.
    pub(super) async fn tell(&self, trouble: Trouble) {
        let is_noted = trouble.hides == Hides::Nothing && {
            let mut unread = self.unread();
            unread.contains(&trouble.key) || unread.len() < UNREAD && unread.insert(trouble.key.clone())
        };
        self.blind.fetch_or(!is_noted, Ordering::Relaxed);
        if !self.again.load(Ordering::Relaxed) {
            self.item(SyncAction::Read, Entry::new(trouble.key, 0), Some(trouble.error)).await;
        }
    }

    /// An entry whose bytes turned out to be the same.
    pub(super) async fn same(&self, entry: Entry) {
        self.same.fetch_add(1, Ordering::Relaxed);
        if self.report_skipped {
            self.item(SyncAction::Skip, entry, None).await;
        }
    }

    /// Says how something ended that brings nothing to the target.
    pub(super) async fn item(&self, action: SyncAction, entry: Entry, error: Option<Error>) {
        let ended = error.map_or(Ok(Moved::default()), |error| Err(NotMoved { error, may_be_lost: false }));
        self.ended(action, entry, ended).await;
    }

    fn unread(&self) -> MutexGuard<'_, HashSet<String>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self) -> MutexGuard<'_, HashSet<String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how something that was begun ended.
    pub(super) async fn ended(&self, action: SyncAction, entry: Entry, ended: Result<Moved, NotMoved>) {
        let (Moved { verification, resumed_bytes, left_over, lost_create }, error, is_lost) = match ended {
            Ok(moved) => (moved, None, false),
            Err(NotMoved { error, may_be_lost }) => (Moved::default(), Some(error), may_be_lost),
        };
        self.unserved.fetch_or(error.as_ref().is_some_and(is_unserved), Ordering::Relaxed);
        self.incomplete.fetch_or(is_lost, Ordering::Relaxed);
        let Entry { key, size, .. } = entry;
        if error.is_some() && !self.again.load(Ordering::Relaxed) && self.failed().len() < FAILURES {
            self.failed().insert(key.clone());
        }
        let item = SyncItem { key, size, action, verification, resumed_bytes, left_over, lost_create, error };
        self.say(Told::Item(item)).await;
    }

    pub(super) async fn say(&self, told: Told) {
        // Nobody may want it any more: then the work is being dropped.
        let _ = self.out.send(told).await;
    }
}

/// Whether it is one of `places`, or lies below one.
fn is_within(places: &HashSet<String>, key: &str) -> bool {
    places.contains(key) || key.match_indices('/').any(|(end, _)| places.contains(&key[..end]))
}
