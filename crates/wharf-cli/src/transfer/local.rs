//! Files of a tree, in the order of the keys that they become.

use std::cmp::Ordering;
use std::fs::{self, File, Metadata};
use std::path::{Path, PathBuf};

use super::place::Locally;
use super::route::name_of;
use crate::message::Warning;

/// A file that was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Where it is below the root, with slashes.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
}

/// Goes through a tree: no more than the names of the directories on the way is held.
///
/// Directories are sorted by name as if a slash followed, so that files come in the order of their keys' bytes.
pub(crate) struct Walk {
    /// The directories that are open, each with the names that are left, last first.
    open: Vec<Vec<PathBuf>>,
    root: PathBuf,
    follow_symlinks: bool,
    locally: Locally,
}

/// What is found on the way.
pub(crate) enum Step {
    File(Found),
    Skipped(Warning),
}

impl Walk {
    pub(crate) fn new(root: &Path, follow_symlinks: bool) -> Self {
        let open = vec![vec![root.to_owned()]];
        Self { open, root: root.to_owned(), follow_symlinks, locally: Locally::new() }
    }

    fn visit(&mut self, path: PathBuf) -> Option<Step> {
        let is_root = path == self.root;
        if !self.follow_symlinks && !is_root && path.is_symlink() {
            return None;
        }
        let metadata = match check(&path) {
            Ok(metadata) => metadata,
            Err(why) => return Some(self.skipped(&path, why)),
        };
        if metadata.is_dir() {
            if self.is_within_itself(&path) {
                return Some(self.skipped(&path, "The symbolic link leads to a directory that it is in."));
            }
            return match names(&path) {
                Ok(names) => {
                    self.open.push(names);
                    None
                }
                Err(_) => Some(self.skipped(&path, "File/Directory is not readable.")),
            };
        }
        let Some(name) = path.strip_prefix(&self.root).ok().and_then(name_of) else {
            return Some(self.skipped(&path, "Its name is not UTF-8, which every key must be."));
        };
        Some(Step::File(Found { name, size: metadata.len(), path }))
    }

    /// Whether a link leads back to where it is: there would be no end.
    fn is_within_itself(&self, path: &Path) -> bool {
        path.is_symlink()
            && path.canonicalize().is_ok_and(|real| {
                path.parent()
                    .and_then(|parent| parent.canonicalize().ok())
                    .is_some_and(|parent| parent.starts_with(real))
            })
    }

    fn skipped(&self, path: &Path, why: &str) -> Step {
        Step::Skipped(Warning::skipping(self.locally.absolute(path).display(), why))
    }
}

impl Iterator for Walk {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        while let Some(names) = self.open.last_mut() {
            match names.pop() {
                None => drop(self.open.pop()),
                Some(path) => {
                    if let Some(step) = self.visit(path) {
                        return Some(step);
                    }
                }
            }
        }
        None
    }
}

/// What a file is, or why it is none that can be uploaded, in aws-cli's words.
pub(crate) fn check(path: &Path) -> Result<Metadata, &'static str> {
    let metadata = fs::metadata(path).map_err(|_| "File does not exist.")?;
    if !metadata.is_dir() && !metadata.is_file() {
        return Err("File is character special device, block special device, FIFO, or socket.");
    }
    if metadata.is_file() && !is_readable(path, &metadata) {
        return Err("File/Directory is not readable.");
    }
    Ok(metadata)
}

/// Whether a file can be opened. Where anybody may read it, it is not opened to find out.
#[cfg(unix)]
fn is_readable(path: &Path, metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o444 == 0o444 || File::open(path).is_ok()
}

#[cfg(not(unix))]
fn is_readable(path: &Path, _: &Metadata) -> bool {
    File::open(path).is_ok()
}

/// The paths in a directory, in the reverse order of their keys.
fn names(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        // Only a link needs another look.
        let is_directory = match entry.file_type()? {
            kind if kind.is_symlink() => path.is_dir(),
            kind => kind.is_dir(),
        };
        names.push((path, is_directory));
    }
    names.sort_by(|one, other| by_key(other, one));
    Ok(names.into_iter().map(|(path, _)| path).collect())
}

/// The order in which keys come: a directory's name has a slash behind it.
fn by_key((one, one_is_directory): &(PathBuf, bool), (other, other_is_directory): &(PathBuf, bool)) -> Ordering {
    let bytes = |path: &PathBuf, is_directory: bool| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes().to_vec();
        name.into_iter().chain(is_directory.then_some(b'/'))
    };
    bytes(one, *one_is_directory).cmp(bytes(other, *other_is_directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(root: &Path, follow: bool) -> Vec<String> {
        Walk::new(root, follow)
            .map(|step| match step {
                Step::File(found) => found.name,
                Step::Skipped(warning) => warning.to_string().replace(&root.display().to_string(), "ROOT"),
            })
            .collect()
    }

    #[test]
    fn files_come_in_the_order_of_their_keys() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a/b", "a/c/d", "a.txt", "a0", "é", "z"] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let names = walk(root.path(), true);
        assert_eq!(names, ["a.txt", "a/b", "a/c/d", "a0", "z", "é"]);
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_unless_they_lead_nowhere_or_back() {
        use std::os::unix::fs::symlink;
        let root = tempfile::tempdir().unwrap();
        let (path, other) = (root.path(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("x"), "x").unwrap();
        fs::write(path.join("f"), "f").unwrap();
        symlink(other.path(), path.join("d")).unwrap();
        symlink(path, path.join("loop")).unwrap();
        symlink("nowhere", path.join("dangling")).unwrap();
        let expected = [
            "d/x",
            "warning: Skipping file ROOT/dangling. File does not exist.",
            "f",
            "warning: Skipping file ROOT/loop. The symbolic link leads to a directory that it is in.",
        ];
        assert_eq!(walk(path, true), expected);
        assert_eq!(walk(path, false), ["f"]);
    }
}
