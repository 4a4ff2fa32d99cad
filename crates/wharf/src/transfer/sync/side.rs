//! What there is at one end, in the order of keys.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use wharf_proto::op::ListedObject;
use wharf_proto::sync_plan::{Compare, Entry, Side};
use wharf_proto::{Error, ErrorKind};

use super::place::Kind;
use super::spill::Sorter;
use super::walk::{Hides, Links, Trouble, Walk};
use super::work::Work;
use crate::transfer::list::ListItems;

/// How many files are looked at before the first is asked for, in batches of so many.
const BATCH: usize = 256;

/// An end that is read.
pub(super) struct Reading {
    from: From,
    skips_markers: bool,
}

enum From {
    Walk {
        batches: mpsc::Receiver<Vec<Result<Entry, Trouble>>>,
        batch: std::vec::IntoIter<Result<Entry, Trouble>>,
    },
    /// `is_cut`: the times of the objects are cut to whole seconds.
    /// `first`: one that was read ahead.
    List {
        items: ListItems,
        first: Option<Box<ListedObject>>,
        prefix: usize,
        is_cut: bool,
    },
    Sorted {
        batches: mpsc::Receiver<Result<Vec<Entry>, Error>>,
        batch: std::vec::IntoIter<Entry>,
    },
    Over,
}

/// The next batch that a thread has sent; an empty one is the end. If it stops without, what is missing must not look
/// deleted.
fn following<T>(received: Option<Vec<T>>) -> Result<Option<std::vec::IntoIter<T>>, Error> {
    let batch = received
        .ok_or_else(|| Error::new(ErrorKind::Other, "one end of the sync could not be read to its end: try again"))?;
    Ok(Some(batch).filter(|batch| !batch.is_empty()).map(Vec::into_iter))
}

impl Reading {
    /// Begins to read one end.
    pub(super) fn begin(work: &Work, side: Side) -> Self {
        let (place, other, links) = match side {
            Side::Source => (&work.source, &work.target, work.links),
            Side::Target => (&work.target, &work.source, Links::Target),
        };
        let is_download = side == Side::Source && matches!(other, Kind::Local(_));
        let from = match place {
            Kind::Local(root) => {
                let (batches, batch) = (walk(root.clone(), links), Vec::new().into_iter());
                From::Walk { batches, batch }
            }
            Kind::Bucket { client, bucket, prefix } => {
                let list = work.list(client.as_ref(), bucket, prefix).parallel(work.parallel);
                let list = if let Some(names) = work.page_size { list.max_keys(names) } else { list };
                let is_cut = is_download && matches!(work.rules.compare, Compare::SizeAndTime | Compare::ExactTime);
                From::List { items: list.items(), first: None, prefix: prefix.len(), is_cut }
            }
        };
        Self { from, skips_markers: work.leaves_markers || matches!(other, Kind::Local(_)) }
    }

    /// The next entry that the filter lets through. What cannot be read is told.
    pub(super) async fn next(&mut self, work: &Work) -> Result<Option<Entry>, Error> {
        loop {
            let entry = match &mut self.from {
                From::Sorted { batches, batch } => match batch.next() {
                    Some(entry) => return Ok(Some(entry)),
                    None => {
                        match following(batches.recv().await.transpose()?)? {
                            Some(next) => *batch = next,
                            None => self.from = From::Over,
                        }
                        continue;
                    }
                },
                From::Over => return Ok(None),
                From::Walk { batches, batch } => match batch.next() {
                    Some(entry) => entry,
                    None => {
                        match following(batches.recv().await)? {
                            Some(next) => *batch = next,
                            None => self.from = From::Over,
                        }
                        continue;
                    }
                },
                From::List { items, first, prefix, is_cut } => {
                    let object = match first.take() {
                        Some(object) => *object,
                        None => match items.next().await.transpose()? {
                            Some(object) => object,
                            None => return Ok(None),
                        },
                    };
                    Ok(entry_of(object, *prefix, *is_cut))
                }
            };
            match entry {
                // The marker of a folder is no file.
                Ok(entry)
                    if entry.size == 0 && (entry.key.is_empty() || self.skips_markers && entry.key.ends_with('/')) => {}
                Ok(entry) if (work.filter)(&entry.key) => return Ok(Some(entry)),
                Ok(_) => {}
                Err(trouble) if trouble.hides == Hides::TheRest => return Err(trouble.error),
                // The filter may say no to a folder, and yes to what is in it.
                Err(trouble) if trouble.key.is_empty() || trouble.hides == Hides::Entries && work.rules.delete => {
                    work.tell(trouble).await;
                }
                Err(trouble) if (work.filter)(&trouble.key) => work.tell(trouble).await,
                Err(_) => {}
            }
        }
    }

    /// Waits for the first answer of a server, which may say what it is.
    pub(super) async fn look(&mut self) -> Result<(), Error> {
        if let From::List { items, first, .. } = &mut self.from {
            *first = items.next().await.transpose()?.map(Box::new);
        }
        Ok(())
    }

    /// The same, sorted: all of it is read first.
    pub(super) async fn sort(mut self, work: &Work) -> Result<Self, Error> {
        let (sender, unsorted) = mpsc::channel(4);
        let batches = sorted(unsorted);
        let mut batch = Vec::new();
        while let Some(entry) = self.next(work).await? {
            batch.push(entry);
            // Why nobody takes them any more is what comes out.
            if batch.len() == BATCH && sender.send(std::mem::take(&mut batch)).await.is_err() {
                break;
            }
        }
        let _ = sender.send(batch).await;
        Ok(Self { from: From::Sorted { batches, batch: Vec::new().into_iter() }, ..self })
    }
}

/// Sorts what comes, away from the runtime's threads: it may take long, and waits for the disk.
fn sorted(mut unsorted: mpsc::Receiver<Vec<Entry>>) -> mpsc::Receiver<Result<Vec<Entry>, Error>> {
    let (sender, batches) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut sort = || {
            let mut sorter = Sorter::new();
            while let Some(batch) = unsorted.blocking_recv() {
                batch.into_iter().try_for_each(|entry| sorter.push(entry))?;
            }
            sorter.sorted()
        };
        let mut sorted = match sort() {
            Ok(sorted) => sorted,
            Err(error) => return drop(sender.blocking_send(Err(error))),
        };
        loop {
            let batch: Result<Vec<_>, _> = std::iter::from_fn(|| sorted.next().transpose()).take(BATCH).collect();
            let is_last = batch.as_ref().map_or(true, Vec::is_empty);
            if sender.blocking_send(batch).is_err() || is_last {
                return;
            }
        }
    });
    batches
}

fn entry_of(object: ListedObject, prefix: usize, is_cut: bool) -> Entry {
    let mut entry = Entry::new(object.key.get(prefix..).unwrap_or_default(), object.size);
    entry.modified = object.last_modified.map(|time| if is_cut { whole_seconds(time) } else { time });
    entry.etag = Some(object.etag);
    entry
}

/// The time as a header has it, and so a file that was downloaded by itself.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let fraction = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    time.checked_sub(Duration::from_nanos(fraction.into())).unwrap_or(time)
}

/// Walks in a thread of its own, a little ahead.
fn walk(root: PathBuf, links: Links) -> mpsc::Receiver<Vec<Result<Entry, Trouble>>> {
    let (sender, batches) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        let mut walk = Walk::new(root, links);
        loop {
            let batch: Vec<_> = walk.by_ref().take(BATCH).collect();
            let is_last = batch.is_empty();
            if sender.blocking_send(batch).is_err() || is_last {
                return;
            }
        }
    });
    batches
}

/// Finds out whether there is anything to read. A folder that is to be written to need not exist.
pub(super) fn check(source: &Kind, target: &Kind, may_be_missing: bool) -> Result<bool, Error> {
    let missing = |path: &PathBuf| match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(false),
        Ok(_) => Err(Error::invalid_input(format!("{}: a sync is of folders, and this is none", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => {
            let message = format!("could not look at {}: {error}", path.display());
            Err(Error::new(ErrorKind::Body, message).with_cause(error))
        }
    };
    match (source, target) {
        (Kind::Local(_), Kind::Local(_)) => {
            Err(Error::invalid_input("a sync of two folders of this machine has nothing to do with S3"))
        }
        (Kind::Local(path), _) if missing(path)? && !may_be_missing => {
            let message = format!("the source folder {} does not exist; nothing was done", path.display());
            Err(Error::invalid_input(message))
        }
        (Kind::Local(path), _) => missing(path),
        (_, Kind::Local(path)) => missing(path),
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_batch_is_the_end() {
        assert_eq!(following(Some(vec![1, 2])).unwrap().unwrap().collect::<Vec<_>>(), [1, 2]);
        assert!(following(Some(Vec::<i32>::new())).unwrap().is_none());
        assert_eq!(following::<i32>(None).unwrap_err().kind(), ErrorKind::Other);
    }

    #[tokio::test]
    async fn a_walk_and_a_sort_end_with_an_empty_batch() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "a").unwrap();
        let mut batches = walk(folder.path().to_owned(), Links::Follow);
        assert_eq!(batches.recv().await.unwrap().len(), 1);
        assert!(batches.recv().await.unwrap().is_empty());
        let (sender, unsorted) = mpsc::channel(1);
        sender.send(vec![Entry::new("b".to_owned(), 0), Entry::new("a".to_owned(), 0)]).await.unwrap();
        drop(sender);
        let mut batches = sorted(unsorted);
        let keys: Vec<_> = batches.recv().await.unwrap().unwrap().into_iter().map(|entry| entry.key).collect();
        assert_eq!(keys, ["a", "b"]);
        assert!(batches.recv().await.unwrap().unwrap().is_empty());
    }

    #[test]
    fn times_are_cut_to_the_second() {
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!((whole_seconds(at(10_345)), whole_seconds(at(10_000))), (at(10_000), at(10_000)));
    }
}
