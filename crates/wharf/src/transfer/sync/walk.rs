//! The files below a folder, in the order of their keys' bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::vec;

use wharf_proto::sync_plan::Entry;
use wharf_proto::{Error, ErrorKind};

use super::spill::{Sorted, Sorter};
use crate::transfer::download::is_kept_name;

/// How many bytes one folder's names take in memory.
const HELD: usize = 8 << 20;

/// Whether a walk is of a source or of a target, and what is done with symbolic links there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transfer) enum Links {
    /// Of a source: they are what they lead to.
    Follow,
    /// Of a source: they are left out.
    Skip,
    /// Of a target: those that lead to files are files, and no folder is entered through one: nothing there may be changed. What
    /// a download keeps to be resumed is left out too.
    Target,
}

/// Something in a tree that could not be read: see [`LocalTree::files`](crate::transfer::LocalTree::files).
#[derive(Debug)]
pub struct Trouble {
    /// What it is called; a folder's ends with a slash.
    pub key: String,
    /// Why.
    pub error: Error,
    /// What is not known for it.
    pub hides: Hides,
}

/// What is not known where something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hides {
    /// It is no file or has no key, and there is nothing in it.
    Nothing,
    /// It may be a folder, with files in it.
    Entries,
    /// The walk ends with it.
    TheRest,
}

/// A walk through a tree. The names of the folder it is in are held in memory, or on disk where they are many, and so are those
/// of the folders above it.
///
/// Files of a folder come as its name with a `/` is sorted: `a.b` comes before `a/b`.
pub(in crate::transfer) struct Walk {
    root: PathBuf,
    links: Links,
    folders: Vec<Folder>,
    /// How many bytes of a folder's names are held in memory.
    held: usize,
}

/// What is left of a folder.
struct Folder {
    troubles: vec::IntoIter<Trouble>,
    /// Only their keys, which end in a `/` for folders.
    names: Sorted,
}

impl Folder {
    /// The key of the next file or folder, after all that could not be read.
    fn next(&mut self) -> Option<Result<String, Trouble>> {
        match self.troubles.next() {
            Some(trouble) => Some(Err(trouble)),
            None => self.names.next().map_err(unsorted).transpose().map(|name| name.map(|entry| entry.key)),
        }
    }
}

impl Walk {
    /// A walk that begins at `root`, with those whose names it knows to leave out.
    pub(in crate::transfer) fn new(root: PathBuf, links: Links) -> Self {
        Self::holding(root, links, HELD)
    }

    fn holding(root: PathBuf, links: Links, held: usize) -> Self {
        let mut walk = Self { root, links, folders: Vec::new(), held };
        walk.enter("");
        walk
    }

    fn path_of(&self, key: &str) -> PathBuf {
        key.split('/').filter(|part| !part.is_empty()).fold(self.root.clone(), |path, part| path.join(part))
    }

    /// Reads a folder's names. `key` is the folder's, with a `/` at the end unless it is the root.
    fn enter(&mut self, key: &str) {
        let mut troubles = Vec::new();
        let names = self.names(key, &mut troubles).unwrap_or_else(|error| {
            troubles.push(unsorted(error));
            Sorted::default()
        });
        troubles.sort_by(|one, other| one.key.cmp(&other.key));
        self.folders.push(Folder { troubles: troubles.into_iter(), names });
    }

    fn names(&self, folder: &str, troubles: &mut Vec<Trouble>) -> Result<Sorted, Error> {
        let path = self.path_of(folder);
        let unread = |error| trouble(folder, &path, "read the folder", error);
        let mut names = Sorter::holding(self.held);
        let entries = fs::read_dir(&path).map_err(unread).map_err(|trouble| troubles.push(trouble));
        for entry in entries.into_iter().flatten() {
            match entry.map_err(unread).and_then(|entry| self.found(folder, &entry)) {
                Ok(Some(key)) => names.push(Entry::new(key, 0))?,
                Ok(None) => {}
                Err(trouble) => troubles.push(trouble),
            }
        }
        names.sorted()
    }

    /// The key of what is found in a folder, if it belongs to the walk.
    fn found(&self, folder: &str, name: &fs::DirEntry) -> Result<Option<String>, Trouble> {
        let path = name.path();
        let Some(text) = name.file_name().to_str().map(str::to_owned) else {
            let key = format!("{folder}{}", name.file_name().to_string_lossy());
            let message = format!("{}: the name is not UTF-8, as keys must be", path.display());
            return Err(Trouble { key, error: Error::invalid_input(message), hides: Hides::Nothing });
        };
        let key = format!("{folder}{text}");
        let kind = match name.file_type() {
            Ok(kind) => kind,
            Err(error) => return Err(trouble(&key, &path, "look at", error)),
        };
        let is_folder = match (kind.is_symlink(), self.links) {
            (false, _) => kind.is_dir(),
            (true, Links::Skip) => return Ok(None),
            (true, links) => match fs::metadata(&path) {
                Ok(to) if to.is_dir() && links == Links::Target => return Ok(None),
                Ok(to) if to.is_dir() && self.leads_up(folder, &path) => {
                    let message = format!("{}: the link leads to a folder it is in", path.display());
                    return Err(Trouble { key, error: Error::invalid_input(message), hides: Hides::Nothing });
                }
                Ok(to) => to.is_dir(),
                Err(_) if links == Links::Target => return Ok(None),
                Err(error) => return Err(trouble(&key, &path, "follow the link", error)),
            },
        };
        if self.links == Links::Target && !is_folder && is_kept_name(&name.file_name()) {
            return Ok(None);
        }
        Ok(Some(if is_folder { format!("{key}/") } else { key }))
    }

    /// Whether a link in this folder leads to one of those that the folder is in, by their names or by their places.
    fn leads_up(&self, folder: &str, link: &Path) -> bool {
        let Ok(to) = fs::canonicalize(link) else { return false };
        let is_in = |folder: &str| fs::canonicalize(self.path_of(folder)).is_ok_and(|folder| folder.starts_with(&to));
        is_in("") || folder.match_indices('/').any(|(end, _)| is_in(&folder[..end]))
    }

    fn entry(&self, key: String) -> Option<Result<Entry, Trouble>> {
        let path = self.path_of(&key);
        let found = match fs::metadata(&path) {
            Ok(found) => found,
            // Gone since its folder was read.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            // It may be there: what the target has of it is not to be deleted.
            Err(error) => return Some(Err(trouble(&key, &path, "look at", error))),
        };
        if !found.is_file() {
            let message = format!("{}: it is no regular file", path.display());
            return Some(Err(Trouble { key, error: Error::invalid_input(message), hides: Hides::Nothing }));
        }
        let entry = Entry::new(key, found.len());
        Some(Ok(match found.modified() {
            Ok(time) => entry.modified(time),
            Err(_) => entry,
        }))
    }
}

impl Iterator for Walk {
    type Item = Result<Entry, Trouble>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.folders.last_mut()?.next() {
                None => drop(self.folders.pop()),
                Some(Err(trouble)) => {
                    if trouble.hides == Hides::TheRest {
                        self.folders.clear();
                    }
                    return Some(Err(trouble));
                }
                Some(Ok(key)) if key.ends_with('/') => self.enter(&key),
                Some(Ok(key)) => {
                    if let Some(entry) = self.entry(key) {
                        return Some(entry);
                    }
                }
            }
        }
    }
}

/// Names on disk that are not to be had. Its key is the root's, which no filter says no to.
fn unsorted(error: Error) -> Trouble {
    Trouble { key: String::new(), error, hides: Hides::TheRest }
}

fn trouble(key: &str, path: &Path, what: &str, error: std::io::Error) -> Trouble {
    let message = format!("could not {what} {}: {error}", path.display());
    Trouble {
        key: key.to_owned(),
        error: Error::new(ErrorKind::Body, message).with_cause(error),
        hides: Hides::Entries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        directory
    }

    fn keys(directory: &Path, links: Links) -> Vec<String> {
        let name = |item: Result<Entry, Trouble>| match item {
            Ok(entry) => entry.key,
            Err(trouble) => format!("! {}", trouble.key),
        };
        Walk::new(directory.to_owned(), links).map(name).collect()
    }

    #[test]
    fn files_come_in_the_order_of_their_keys_bytes() {
        let mut files = ["a/b", "a.b", "a-b", "a0", "a/b.c", "aa/x/y", "aa/x.y", "é", "z/deep/er/file", "Z"];
        let directory = tree(&files);
        fs::create_dir(directory.path().join("empty")).unwrap();
        files.sort_unstable();
        assert_eq!(keys(directory.path(), Links::Follow), files);
        // Each name in a temporary file of its own.
        let walk = Walk::holding(directory.path().to_owned(), Links::Follow, 1);
        assert_eq!(walk.map(|item| item.unwrap().key).collect::<Vec<_>>(), files);
        let entry = Walk::new(directory.path().to_owned(), Links::Follow).next().unwrap().unwrap();
        assert_eq!((entry.size, entry.modified.is_some()), (1, true));
        assert_eq!(keys(&directory.path().join("nothing"), Links::Follow), ["! "]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_or_not() {
        use std::os::unix::fs::symlink;
        let directory = tree(&["real/x", "file"]);
        let root = directory.path();
        symlink(root.join("real"), root.join("folder")).unwrap();
        symlink("file", root.join("link")).unwrap();
        symlink("nowhere", root.join("broken")).unwrap();
        symlink("..", root.join("real/up")).unwrap();
        // One that leads to where it is would be walked for ever.
        let followed = ["! broken", "file", "! folder/up", "folder/x", "link", "! real/up", "real/x"];
        assert_eq!(keys(root, Links::Follow), followed);
        assert_eq!(keys(root, Links::Skip), ["file", "real/x"]);
        assert_eq!(keys(root, Links::Target), ["file", "link", "real/x"]);
    }

    /// Neither leads up by itself.
    #[cfg(unix)]
    #[test]
    fn links_that_lead_to_each_other_are_walked_once() {
        use std::os::unix::fs::symlink;
        let directory = tree(&["a/f", "b/g", "c/h"]);
        let root = directory.path();
        symlink("../b", root.join("a/x")).unwrap();
        symlink("../a", root.join("b/y")).unwrap();
        symlink("../c", root.join("b/z")).unwrap();
        let expected = ["a/f", "! a/x/y", "a/x/g", "a/x/z/h", "b/g", "! b/y/x", "b/y/f", "b/z/h", "c/h"];
        assert_eq!(keys(root, Links::Follow), expected);
        let hides = |item: Result<Entry, Trouble>| item.is_err_and(|trouble| trouble.hides != Hides::Nothing);
        assert!(!Walk::new(root.to_owned(), Links::Follow).any(hides));
    }

    #[test]
    fn what_a_download_keeps_to_be_resumed_is_nothing_to_delete() {
        let directory = tree(&["a", "b.wharf-part", "b.wharf-journal", "c.wharf-part/x"]);
        assert_eq!(keys(directory.path(), Links::Target), ["a", "c.wharf-part/x"]);
        for source in [Links::Follow, Links::Skip] {
            assert_eq!(keys(directory.path(), source), ["a", "b.wharf-journal", "b.wharf-part", "c.wharf-part/x"]);
        }
    }

    /// As in a folder that may be listed, and in which nothing may be looked at.
    #[test]
    fn what_cannot_be_looked_at_hides_what_is_there() {
        let directory = tree(&["a"]);
        let walk = Walk::new(directory.path().to_owned(), Links::Follow);
        let trouble = walk.entry("a/b".to_owned()).unwrap().unwrap_err();
        assert_eq!((trouble.hides, trouble.key.as_str()), (Hides::Entries, "a/b"));
        assert!(walk.entry("gone".to_owned()).is_none());
    }

    /// Not all of its names are known then: what comes after must not look gone.
    #[test]
    fn a_folder_whose_names_are_lost_is_the_end() {
        let directory = tree(&["a", "z/b"]);
        let mut walk = Walk::new(directory.path().to_owned(), Links::Follow);
        walk.folders.push(Folder { troubles: Vec::new().into_iter(), names: Sorted::lost() });
        let trouble = walk.next().unwrap().unwrap_err();
        assert_eq!((trouble.hides, trouble.key.as_str()), (Hides::TheRest, ""));
        assert!(walk.next().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn what_has_no_key_is_named_and_the_rest_goes_on() {
        use std::os::unix::ffi::OsStrExt;
        let directory = tree(&["a", "z"]);
        fs::write(directory.path().join(std::ffi::OsStr::from_bytes(b"m\xff")), "x").unwrap();
        assert_eq!(keys(directory.path(), Links::Follow), ["! m\u{fffd}", "a", "z"]);
    }
}
