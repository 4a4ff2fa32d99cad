//! Keys that differ only in case, which are one name to some file systems.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use wharf::proto::escape;

use super::fingerprint::Fingerprints;
use super::options::CaseConflict;
use crate::message::Warning;

/// What to do with a key.
pub(crate) enum Verdict {
    Take,
    TakeAndSay(Warning),
    Leave(Warning),
    /// Leave it, for it would replace what is no older copy of it, and be gone from where it was.
    Keep(Warning),
    /// End everything.
    Stop(String),
}

/// The names that one command gives to files.
pub(crate) struct Cases {
    wanted: CaseConflict,
    /// Whether to say it as aws-cli does.
    is_aws: bool,
    /// Whether what comes goes where it was: then one of two that are one name would be nowhere.
    is_move: bool,
    names: Mutex<Names>,
    stopped: AtomicBool,
}

/// What aws-cli adds to its warning.
const OF_AWS: &str = "This behavior is not defined on case-insensitive filesystems and may result in overwriting existing \
                      files or race conditions between concurrent downloads. For more information, see \
                      https://docs.aws.amazon.com/cli/latest/topic/s3-case-insensitivity.html.";

#[derive(Default)]
struct Names {
    /// Those given so far that could have another case, by their lower case.
    given: HashMap<(u64, u64), (u64, u64)>,
    fingerprints: Fingerprints,
    /// What was in the directories that lead to the last file, where anything had its name.
    /// `None` for one that cannot be listed.
    there: HashMap<PathBuf, Option<HashSet<OsString>>>,
}

impl Cases {
    pub(crate) fn new(wanted: CaseConflict, is_aws: bool, is_move: bool) -> Self {
        Self { wanted, is_aws, is_move, names: Mutex::default(), stopped: AtomicBool::new(false) }
    }

    /// Whether an object may become this file. `name` is the file's below the target, and `is_there` whether it was found. Blocks
    /// the thread.
    pub(crate) fn verdict(&self, source: &str, name: &str, path: &Path, is_there: bool) -> Verdict {
        let pair = format!("{} -> {}", escape::name(source), escape::name(&path.display().to_string()));
        let about = |text: String| Warning::about(source, text);
        if self.is_move && self.is_another(name, path) && is_there {
            return Verdict::Keep(about(format!(
                "Skipping {pair} because on this disk another file has that name, which came meanwhile or is spelled otherwise."
            )));
        }
        if self.wanted == CaseConflict::Ignore || self.is_alone(name, path) {
            return Verdict::Take;
        }
        match self.wanted {
            CaseConflict::Skip => Verdict::Leave(about(format!(
                "Skipping {pair} because a file whose name differs only by case either exists or is being downloaded."
            ))),
            CaseConflict::Error => {
                self.stopped.store(true, Ordering::Relaxed);
                Verdict::Stop(format!(
                    "Failed to download {pair} because a file whose name differs only by case either exists or is being \
                     downloaded."
                ))
            }
            CaseConflict::Warn | CaseConflict::Ignore => Verdict::TakeAndSay(about(format!(
                "Downloading {pair} despite a file whose name differs only by case either existing or being downloaded. {}",
                if self.is_aws { OF_AWS } else { "On a file system that takes both for one name, one is lost." }
            ))),
        }
    }

    /// Whether it was this that ended everything.
    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether there is anything to look for.
    pub(crate) fn look(&self) -> bool {
        self.is_move || self.wanted != CaseConflict::Ignore
    }

    /// Whether a file that is there has not been there by that very name since before anything came into its folder. To be asked of
    /// each name, so that the folder is read in time.
    fn is_another(&self, name: &str, path: &Path) -> bool {
        !self.names.lock().unwrap_or_else(PoisonError::into_inner).are_there(name, path)
    }

    /// Whether no other file has the name but for its case. Looks at the disk.
    fn is_alone(&self, name: &str, path: &Path) -> bool {
        if name.to_lowercase() == name && name.to_uppercase() == name {
            return true;
        }
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        match names.given(name) {
            // A sync that has to sort what it lists asks for all of it once more.
            Some(is_same) => is_same,
            None if path.exists() => names.are_there(name, path),
            None => {
                names.give(name);
                true
            }
        }
    }
}

impl Names {
    /// Whether a file that is there, and the folders that lead to it, are called exactly so: where case is nothing, they are found
    /// by another name as well. Names come in order, so that a directory that one has left is hardly met again.
    fn are_there(&mut self, name: &str, path: &Path) -> bool {
        let directory = path.parent().unwrap_or(path);
        self.there.retain(|known, _| directory.starts_with(known));
        path.ancestors().zip(name.split('/')).all(|(path, _)| match (path.parent(), path.file_name()) {
            (Some(parent), Some(file)) => {
                let there = self.there.entry(parent.to_owned()).or_insert_with(|| entries(parent));
                there.as_ref().is_none_or(|there| there.contains(file))
            }
            _ => true,
        })
    }

    /// Whether it was this name that was given before, not one that differs by its case alone. `None` where neither was.
    fn given(&self, name: &str) -> Option<bool> {
        let given = self.given.get(&self.fingerprints.of(&name.to_lowercase()));
        given.map(|given| *given == self.fingerprints.of(name))
    }

    fn give(&mut self, name: &str) {
        let of = |name| self.fingerprints.of(name);
        self.given.insert(of(&name.to_lowercase()), of(name));
    }
}

fn entries(directory: &Path) -> Option<HashSet<OsString>> {
    fs::read_dir(directory).ok()?.map(|entry| Some(entry.ok()?.file_name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_two_names_that_differ_by_case_is_taken() {
        let cases = Cases::new(CaseConflict::Error, false, false);
        let is_alone = |name: &str| cases.is_alone(name, &Path::new("/nowhere").join(name));
        for name in ["A/b", "a/B2", "x/1", "2026/01"] {
            assert!(is_alone(name) && is_alone(name), "{name}");
        }
        assert!(!is_alone("a/b") && !is_alone("A/b2") && !is_alone("X/1"));
        assert!(is_alone("Straße") && !is_alone("STRAßE"));
        // What has no case is not kept.
        assert_eq!(cases.names.lock().unwrap().given.len(), 4);
    }

    /// Of two objects that are one file, the second would be all there is of both.
    #[test]
    fn a_move_replaces_nothing_that_came_by_another_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("older"), "").unwrap();
        let cases = Cases::new(CaseConflict::Ignore, false, true);
        let verdict = |name: &str| {
            let path = folder.path().join(name);
            cases.verdict("s3://b/k", name, &path, path.exists())
        };
        assert!(matches!(verdict("A"), Verdict::Take) && matches!(verdict("older"), Verdict::Take));
        // What such a file system says once `A` is written, or `sub` by the name `Sub`.
        fs::write(folder.path().join("a"), "").unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        fs::write(folder.path().join("sub/x"), "").unwrap();
        for name in ["a", "sub/x"] {
            assert!(matches!(verdict(name), Verdict::Keep(_)), "{name}");
        }
        assert!(matches!(verdict("sub/y"), Verdict::Take));
        let copies = Cases::new(CaseConflict::Ignore, false, false);
        assert!(matches!(copies.verdict("s3://b/k", "a", &folder.path().join("a"), true), Verdict::Take));
    }

    #[test]
    fn a_folder_that_differs_by_case_hides_no_file_of_this_run() {
        let folder = tempfile::tempdir().unwrap();
        let cases = Cases::new(CaseConflict::Error, false, false);
        let is_alone = |name: &str| cases.is_alone(name, &folder.path().join(name));
        assert!(is_alone("Foo/x"));
        // What such a file system says once it is written.
        fs::create_dir(folder.path().join("foo")).unwrap();
        fs::write(folder.path().join("foo/x"), "").unwrap();
        assert!(!is_alone("foo/x"));
        // What was there before, and what comes once more, is no other file.
        fs::write(folder.path().join("foo/y"), "").unwrap();
        fs::create_dir_all(folder.path().join("Foo")).unwrap();
        fs::write(folder.path().join("Foo/x"), "").unwrap();
        assert!(
            is_alone("Foo/x")
                && Cases::new(CaseConflict::Error, false, false).is_alone("foo/y", &folder.path().join("foo/y"))
        );
    }

    #[test]
    fn a_folder_that_differs_by_case_hides_no_file_of_an_earlier_run() {
        let folder = tempfile::tempdir().unwrap();
        let cases = Cases::new(CaseConflict::Error, false, false);
        let is_alone = |name: &str| cases.is_alone(name, &folder.path().join(name));
        // A file system where case is nothing finds both, and lists one.
        for directory in ["Foo", "foo"] {
            fs::create_dir(folder.path().join(directory)).unwrap();
            fs::write(folder.path().join(directory).join("x"), "").unwrap();
        }
        let listed = HashSet::from([OsString::from("foo")]);
        cases.names.lock().unwrap().there.insert(folder.path().to_owned(), Some(listed));
        assert!(is_alone("foo/x") && !is_alone("Foo/x") && !is_alone("Foo/x") && is_alone("foo/x"));
    }

    #[test]
    fn no_directory_is_kept_that_was_left() {
        let folder = tempfile::tempdir().unwrap();
        let mut names = Names::default();
        for number in 0..9 {
            let name = format!("{number}/in/a");
            let path = folder.path().join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            // What came since the folder was read is not seen.
            assert_eq!(names.are_there(&name, &path), number == 0);
            names.there.remove(folder.path());
            assert!(names.are_there(&name, &path));
            assert!(names.there.len() <= 3, "{:?}", names.there.keys());
        }
    }
}
