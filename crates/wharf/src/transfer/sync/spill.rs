//! Entries on disk: what is too many for memory, and what must be sorted first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::time::{Duration, UNIX_EPOCH};

use wharf_proto::sync_plan::Entry;
use wharf_proto::{ETag, Error, ErrorKind};

use crate::transfer::unnamed::unnamed_file;

/// How many bytes of entries are sorted in memory.
const HELD: usize = 32 << 20;
/// How many runs become one: each is an open file with a buffer, and a hundred million keys are some hundreds of them.
const RUNS: usize = 32;
/// How many entries that wait are held in memory.
const WAITING: usize = 10_000;

/// What an entry takes beside its texts.
const ENTRY: usize = size_of::<Entry>();

/// Entries that come in any order. What is more than memory holds is sorted in runs, each a temporary file without a name.
#[derive(Default)]
pub(super) struct Sorter {
    held: Vec<Entry>,
    bytes: usize,
    most: usize,
    /// In the order they came; those of the first are of entries that were held, those of each next of `RUNS` of the one before.
    levels: Vec<Vec<Run>>,
}

impl Sorter {
    pub(super) fn new() -> Self {
        Self::holding(HELD)
    }

    /// One that holds so many bytes of entries in memory.
    pub(super) fn holding(most: usize) -> Self {
        Self { most, ..Self::default() }
    }

    pub(super) fn push(&mut self, entry: Entry) -> Result<(), Error> {
        self.bytes += ENTRY + entry.key.len() + entry.etag.as_ref().map_or(0, |etag| etag.as_str().len());
        self.held.push(entry);
        if self.bytes < self.most {
            return Ok(());
        }
        self.sort();
        let mut writer = Writer::new()?;
        self.held.drain(..).try_for_each(|entry| writer.write(&entry))?;
        self.bytes = 0;
        self.keep(writer.read()?)
    }

    fn keep(&mut self, mut run: Run) -> Result<(), Error> {
        for level in &mut self.levels {
            level.push(run);
            if level.len() < RUNS {
                return Ok(());
            }
            let mut sorted = Sorted::new(std::mem::take(level), Vec::new())?;
            let mut writer = Writer::new()?;
            while let Some(entry) = sorted.next()? {
                writer.write(&entry)?;
            }
            run = writer.read()?;
        }
        self.levels.push(vec![run]);
        Ok(())
    }

    /// Of entries with the same key the last is kept.
    fn sort(&mut self) {
        self.held.reverse();
        self.held.sort_by(|one, other| one.key.cmp(&other.key));
        self.held.dedup_by(|one, kept| one.key == kept.key);
    }

    /// The entries in the order of their keys.
    pub(super) fn sorted(mut self) -> Result<Sorted, Error> {
        self.sort();
        Sorted::new(self.levels.into_iter().rev().flatten().collect(), self.held)
    }
}

/// Entries in order.
#[derive(Default)]
pub(super) struct Sorted {
    /// The next entry of each run, of which the last is in memory. Of the same key the later run's comes first.
    next: BinaryHeap<Reverse<Next>>,
    runs: Vec<Run>,
    held: std::vec::IntoIter<Entry>,
    last: Option<String>,
}

struct Next {
    entry: Entry,
    run: usize,
}

impl Sorted {
    fn new(runs: Vec<Run>, held: Vec<Entry>) -> Result<Self, Error> {
        let mut sorted = Self { next: BinaryHeap::new(), runs, held: held.into_iter(), last: None };
        for run in 0..=sorted.runs.len() {
            sorted.refill(run)?;
        }
        Ok(sorted)
    }

    fn refill(&mut self, run: usize) -> Result<(), Error> {
        let entry = match self.runs.get_mut(run) {
            Some(file) => file.next()?,
            None => self.held.next(),
        };
        self.next.extend(entry.map(|entry| Reverse(Next { entry, run })));
        Ok(())
    }

    /// Its next entry is one that was written and is not there any more.
    #[cfg(test)]
    pub(super) fn lost() -> Self {
        let mut run = Writer::new().unwrap().read().unwrap();
        run.left = 1;
        Self {
            next: BinaryHeap::from([Reverse(Next { entry: Entry::new("lost", 0), run: 0 })]),
            runs: vec![run],
            ..Self::default()
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Entry>, Error> {
        while let Some(Reverse(Next { entry, run })) = self.next.pop() {
            self.refill(run)?;
            if self.last.as_ref() != Some(&entry.key) {
                self.last.get_or_insert_default().clone_from(&entry.key);
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }
}

impl Ord for Next {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.entry.key.cmp(&other.entry.key).then(other.run.cmp(&self.run))
    }
}

impl PartialOrd for Next {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Next {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Next {}

/// Entries that wait for their turn, in the order they came.
#[derive(Default)]
pub(super) struct Spool {
    held: Vec<Entry>,
    rest: Option<Writer>,
    count: u64,
}

impl Spool {
    pub(super) fn push(&mut self, entry: Entry) -> Result<(), Error> {
        self.count += 1;
        if self.held.len() < WAITING {
            self.held.push(entry);
            return Ok(());
        }
        match &mut self.rest {
            Some(rest) => rest.write(&entry),
            None => self.rest.insert(Writer::new()?).write(&entry),
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// What waited.
    pub(super) fn read(self) -> Result<impl Iterator<Item = Result<Entry, Error>> + Send + 'static, Error> {
        let mut rest = self.rest.map(Writer::read).transpose()?;
        let rest = std::iter::from_fn(move || rest.as_mut()?.next().transpose());
        Ok(self.held.into_iter().map(Ok).chain(rest))
    }
}

/// A temporary file that is written.
struct Writer {
    file: BufWriter<File>,
    count: u64,
}

impl Writer {
    fn new() -> Result<Self, Error> {
        let file = unnamed_file(&std::env::temp_dir()).map_err(failed)?;
        Ok(Self { file: BufWriter::with_capacity(1 << 16, file), count: 0 })
    }

    fn write(&mut self, entry: &Entry) -> Result<(), Error> {
        self.count += 1;
        self.record(entry).map_err(failed)
    }

    fn record(&mut self, entry: &Entry) -> io::Result<()> {
        let since = entry.modified.map(|time| time.duration_since(UNIX_EPOCH).unwrap_or_default());
        self.text(&entry.key)?;
        self.file.write_all(&entry.size.to_le_bytes())?;
        self.file.write_all(&since.map_or(u64::MAX, |since| since.as_secs()).to_le_bytes())?;
        self.file.write_all(&since.map_or(0, |since| since.subsec_nanos()).to_le_bytes())?;
        self.text(entry.etag.as_ref().map_or("", ETag::as_str))
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.file.write_all(&(text.len() as u32).to_le_bytes())?;
        self.file.write_all(text.as_bytes())
    }

    fn read(self) -> Result<Run, Error> {
        let mut file = self.file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.rewind().map_err(failed)?;
        Ok(Run { file: BufReader::with_capacity(1 << 16, file), left: self.count })
    }
}

/// A temporary file that is read.
struct Run {
    file: BufReader<File>,
    left: u64,
}

impl Run {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        self.record().map(Some).map_err(failed)
    }

    fn record(&mut self) -> io::Result<Entry> {
        let mut entry = Entry::new(self.text()?, u64::from_le_bytes(self.bytes()?));
        let seconds = u64::from_le_bytes(self.bytes()?);
        let nanos = u32::from_le_bytes(self.bytes()?);
        if seconds != u64::MAX {
            entry.modified = UNIX_EPOCH.checked_add(Duration::new(seconds, nanos));
        }
        entry.etag = Some(self.text()?).filter(|etag| !etag.is_empty()).map(ETag::from);
        Ok(entry)
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn text(&mut self) -> io::Result<String> {
        let mut text = vec![0; u32::from_le_bytes(self.bytes()?) as usize];
        self.file.read_exact(&mut text)?;
        String::from_utf8(text).map_err(io::Error::other)
    }
}

fn failed(error: io::Error) -> Error {
    let message = format!("a temporary file for the listing failed: {error}");
    Error::new(ErrorKind::Body, message)
        .with_cause(error)
        .with_hint("the folder for temporary files (TMPDIR) needs about 100 bytes for each key")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn entry(key: String, size: u64) -> Entry {
        let mut entry = Entry::new(key, size).modified(SystemTime::UNIX_EPOCH + Duration::from_millis(size * 7));
        entry.etag = Some(ETag::from(format!("\"{size}\"")));
        entry
    }

    #[test]
    fn runs_come_out_as_one_in_order() {
        for most in [1, 2_000, HELD] {
            let mut sorter = Sorter::holding(most);
            for n in 0..1000_u64 {
                sorter.push(entry(format!("{:03}", n * 7919 % 1000), n)).unwrap();
            }
            // One key again, as a listing that changes may have it.
            sorter.push(entry("500".to_owned(), 5000)).unwrap();
            assert!(sorter.levels.iter().map(Vec::len).sum::<usize>() < 2 * RUNS, "few files are open");
            let mut sorted = sorter.sorted().unwrap();
            for n in 0..1000 {
                let found = sorted.next().unwrap().unwrap();
                assert_eq!(found.key, format!("{n:03}"));
                assert_eq!(found, entry(found.key.clone(), found.size), "whole");
                assert_eq!(found.size == 5000, n == 500, "the last of a key is kept");
            }
            assert!(sorted.next().unwrap().is_none());
        }
    }

    #[test]
    fn what_waits_comes_back_as_it_was() {
        let mut spool = Spool::default();
        let count = WAITING as u64 + 100;
        (0..count).for_each(|n| spool.push(entry(n.to_string(), n)).unwrap());
        assert_eq!(spool.count(), count);
        let back: Vec<_> = spool.read().unwrap().map(Result::unwrap).collect();
        assert_eq!(back, (0..count).map(|n| entry(n.to_string(), n)).collect::<Vec<_>>());
        let mut bare = Spool { held: Vec::new(), ..Spool::default() };
        bare.rest = Some(Writer::new().unwrap());
        bare.rest.as_mut().unwrap().write(&Entry::new("", 1)).unwrap();
        assert_eq!(bare.read().unwrap().next().unwrap().unwrap(), Entry::new("", 1));
    }

    /// The most memory that this process ever had, in MiB.
    #[cfg(target_os = "linux")]
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
    }

    /// `cargo test -p wharf --release --lib ten_million -- --ignored --nocapture`
    #[cfg(target_os = "linux")]
    #[test]
    #[ignore = "a minute, and a gigabyte of temporary files"]
    fn ten_million_entries_fit_into_little_memory() {
        use wharf_proto::sync_plan::{Action, Rules, Side, Step, SyncPlan};

        const COUNT: u64 = 10_000_000;
        let key = |n: u64| format!("folder-{:04}/file-{n:08}.bin", n / 10_000);
        let mut sorter = Sorter::new();
        // The source in another order, every tenth of its files missing.
        let shuffled = (0..COUNT).map(|n| n * 7_654_321 % COUNT).filter(|n| n % 10 != 3);
        shuffled.for_each(|n| sorter.push(entry(key(n), n % 100)).unwrap());
        let mut source = sorter.sorted().unwrap();
        let mut target = (0..COUNT).map(|n| entry(key(n), n % 100));
        let mut rules = Rules::default();
        rules.delete = true;
        let mut plan = SyncPlan::new(rules);
        let (mut deletes, mut same) = (Spool::default(), 0);
        loop {
            match plan.next() {
                Step::Need(Side::Source) => plan.offer(Side::Source, source.next().unwrap()).unwrap(),
                Step::Need(Side::Target) => plan.offer(Side::Target, target.next()).unwrap(),
                Step::Act(Action::Delete(entry)) => deletes.push(entry).unwrap(),
                Step::Act(action) => same += u64::from(matches!(action, Action::Skip(_))),
                Step::Done => break,
            }
        }
        assert_eq!((same, deletes.count()), (COUNT / 10 * 9, COUNT / 10));
        assert!(plan.may_delete(false).unwrap());
        assert_eq!(deletes.read().unwrap().map(Result::unwrap).count() as u64, COUNT / 10);
        println!("{COUNT} entries against {COUNT}: {} MiB at most", peak());
        assert!(peak() < 200, "{} MiB", peak());
    }
}
