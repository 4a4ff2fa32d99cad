//! Where below a folder an object belongs, and nowhere else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wharf_proto::sync_plan::Entry;
use wharf_proto::{Error, ErrorKind};

use super::download::{KEPT_NAME, is_kept_name};
use super::sync::walk::{Links, Trouble, Walk};

/// A folder that objects are written into by their keys: `a/b.txt` becomes the file `b.txt` in the folder `a`.
///
/// Nothing is written outside it: keys with `..`, keys that begin with `/`, and others that no path below a folder stands for
/// are refused, and so is a way that leads through a symbolic link.
///
/// That is looked at before something is written. Another program that may write into the folder could put a link in the way in
/// between: a folder that an adversary may write into is no place to write to.
///
/// ```
/// use wharf::transfer::LocalTree;
///
/// let tree = LocalTree::new("photos");
/// assert_eq!(tree.path_of("2026/a.jpg")?, std::path::Path::new("photos/2026/a.jpg"));
/// assert!(tree.path_of("../a.jpg").is_err());
/// # Ok::<_, wharf::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LocalTree {
    root: PathBuf,
}

impl LocalTree {
    /// The tree below `root`, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a file of this name or key is what a download writes and has not ended, or its journal: `NAME.wharf-part`,
    /// `NAME.wharf-journal`, in any case of letters. An object of such a name is written into no tree.
    ///
    /// ```
    /// use wharf::transfer::LocalTree;
    ///
    /// assert!(LocalTree::is_unfinished("2026/a.jpg.wharf-part") && !LocalTree::is_unfinished("2026/a.jpg"));
    /// ```
    pub fn is_unfinished(name: &str) -> bool {
        is_kept_name(name.as_ref())
    }

    /// All files in it, in the order of the bytes of their keys. Of each folder on the way 8 MiB of names are held, and more are
    /// sorted on disk (`TMPDIR`): where that fails, it [hides the rest](crate::transfer::Hides::TheRest). Symbolic links are what they
    /// lead to, or left out. What is not there, or has no name that a key can be, comes as a [`Trouble`].
    ///
    /// ```
    /// # let folder = std::env::temp_dir().join(format!("wharf-doc-tree-{}", std::process::id()));
    /// # std::fs::create_dir_all(folder.join("a")).unwrap();
    /// # std::fs::write(folder.join("a/b.txt"), "Hello!").unwrap();
    /// let tree = wharf::transfer::LocalTree::new(&folder);
    /// let keys: Vec<_> = tree.files(true).filter_map(|file| Some(file.ok()?.key)).collect();
    /// assert_eq!(keys, ["a/b.txt"]);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// ```
    pub fn files(&self, follow_symlinks: bool) -> impl Iterator<Item = Result<Entry, Trouble>> + Send + use<> {
        let links = if follow_symlinks { Links::Follow } else { Links::Skip };
        Walk::new(self.root.clone(), links)
    }

    /// Where the object of this key belongs. Nothing is looked at.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) for a key that stands for no file below a folder, and for one that ends in
    /// `.wharf-part` or `.wharf-journal`: that is what [downloads](crate::transfer::Download) call what is not whole yet.
    pub fn path_of(&self, key: &str) -> Result<PathBuf, Error> {
        let path = self.source_of(key)?;
        if path.file_name().is_some_and(is_kept_name) {
            let message = format!("{key:?} {KEPT_NAME}; it was not written");
            return Err(Error::invalid_input(message).with_hint("leave it out, or download it under another name"));
        }
        Ok(path)
    }

    /// Where the file of this key is to be read.
    pub(crate) fn source_of(&self, key: &str) -> Result<PathBuf, Error> {
        match problem(key, cfg!(windows)) {
            None => Ok(key.split('/').fold(self.root.clone(), |path, part| path.join(part))),
            Some(problem) => {
                let message = format!("{key:?} is no path below a folder: {problem}; it was not written");
                Err(Error::invalid_input(message))
            }
        }
    }

    /// The same, once the folders on the way are made and nothing else stands there.
    ///
    /// # Errors
    /// As [`path_of`](LocalTree::path_of); [`InvalidInput`](ErrorKind::InvalidInput) too where a file, or a symbolic link, stands
    /// where a folder must be, or a folder where the file must be; [`Body`](ErrorKind::Body) for a folder that cannot be made.
    pub fn prepare(&self, key: &str) -> Result<PathBuf, Error> {
        self.path_of(key)?;
        if !self.root.is_dir() {
            fs::create_dir_all(&self.root).map_err(|error| failed("make the folder", &self.root, error))?;
        }
        let mut folder = self.root.clone();
        let (folders, _) = key.rsplit_once('/').unwrap_or_default();
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            folder.push(part);
            make_folder(&folder)?;
        }
        self.find(key)
    }

    /// Where the file of this key is, if there is one: nothing is made, and nothing that is no folder is on the way.
    pub(crate) fn find(&self, key: &str) -> Result<PathBuf, Error> {
        let path = self.path_of(key)?;
        let mut folder = self.root.clone();
        let (folders, _) = key.rsplit_once('/').unwrap_or_default();
        for part in folders.split('/').filter(|part| !part.is_empty()) {
            folder.push(part);
            if !is_folder(&folder)? {
                return Ok(path);
            }
        }
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => Err(folder_in_the_way(&path)),
            Ok(_) => Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
            Err(error) => Err(failed("look at", &path, error)),
        }
    }
}

/// Makes one folder where there is none. Its parent is one.
fn make_folder(path: &Path) -> Result<(), Error> {
    if is_folder(path)? {
        return Ok(());
    }
    match fs::create_dir(path) {
        Ok(()) => Ok(()),
        // Another one made it, or something else of that name.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => is_folder(path).map(drop),
        Err(error) => Err(failed("make the folder", path, error)),
    }
}

/// Whether there is a folder, which nothing else may stand in place of.
fn is_folder(path: &Path) -> Result<bool, Error> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(found) if found.is_symlink() => {
            Err(in_the_way(path, "a symbolic link stands where a folder must be, and may lead elsewhere"))
        }
        Ok(_) => Err(in_the_way(path, "a file stands where a folder must be")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("look at", path, error)),
    }
}

/// What is wrong with a key as a path below a folder.
fn problem(key: &str, windows: bool) -> Option<&'static str> {
    if key.contains('\0') {
        return Some("it holds a NUL");
    }
    if key.starts_with('/') {
        return Some("it begins with '/'");
    }
    if key.ends_with('/') {
        return Some("it ends with '/', as a folder does");
    }
    key.split('/').find_map(|part| match part {
        "" => Some("it has an empty part"),
        "." | ".." => Some("it has a part '.' or '..'"),
        _ if windows => windows_problem(part),
        _ => None,
    })
}

fn windows_problem(part: &str) -> Option<&'static str> {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let name = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |kind| name.strip_prefix(kind).is_some_and(|rest| rest.chars().count() == 1);
    if part.contains(['\\', ':']) {
        return Some("it holds '\\' or ':', which lead elsewhere on Windows");
    }
    if part.contains(['<', '>', '"', '|', '?', '*']) || part.chars().any(char::is_control) {
        return Some("it holds a character that Windows has no names with");
    }
    if part.ends_with(['.', ' ']) {
        return Some("a part ends with a dot or a space, which Windows leaves out");
    }
    (DEVICES.contains(&name.as_str()) || numbered("COM") || numbered("LPT"))
        .then_some("a part names a device on Windows")
}

/// Why no file is written where a folder is.
pub(super) fn folder_in_the_way(path: &Path) -> Error {
    in_the_way(path, "a folder stands where the file must be")
}

fn in_the_way(path: &Path, problem: &str) -> Error {
    Error::invalid_input(format!("{}: {problem}; nothing was changed", path.display()))
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Body, format!("could not {what} {}: {error}", path.display())).with_cause(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_lead_elsewhere_are_refused() {
        let everywhere = ["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../../b", "a/./b", "a\0b"];
        for key in everywhere {
            for windows in [false, true] {
                assert!(problem(key, windows).is_some(), "{key:?}");
            }
        }
        let on_windows = [
            "C:/a", "C:a", "a\\b", "..\\a", "a:b", "NUL", "a/con", "aux.txt", "com1", "LPT9.log", "a.", "a ", "a?",
            "a/*", "a\n",
        ];
        for key in on_windows {
            assert_eq!((problem(key, false), problem(key, true).is_some()), (None, true), "{key:?}");
        }
        for key in ["a", "a/b.c", "...", "..a", "a..", "-", "com", "console", "日本/é"] {
            assert_eq!(problem(key, false), None, "{key:?}");
        }
        assert_eq!((problem("..a/com", true), problem("console.log", true)), (None, None));
    }

    #[test]
    fn what_downloads_call_what_is_not_whole_is_nothing_to_write_to() {
        let tree = LocalTree::new("root");
        for key in ["a.wharf-part", "a/b.wharf-journal", ".wharf-part", "a.WHARF-Part"] {
            let error = tree.path_of(key).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let expected =
                format!("{key:?} has a name that is kept for downloads that are not whole; it was not written");
            assert_eq!(error.message(), expected);
            assert_eq!(tree.source_of(key).unwrap(), Path::new("root").join(key));
        }
        for key in ["a.wharf-part/b", "wharf-part", "a.wharf-parts"] {
            assert_eq!(tree.path_of(key).unwrap(), Path::new("root").join(key));
        }
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let tree = LocalTree::new(directory.path().join("root"));
        let path = tree.prepare("a/b/c").unwrap();
        assert_eq!(path, directory.path().join("root/a/b/c"));
        fs::write(&path, "x").unwrap();
        assert_eq!(tree.prepare("a/b/c").unwrap(), path);
        for (key, problem) in [("a/b/c/d", "a file stands where a folder must be"), ("a/b", "a folder stands")] {
            let error = tree.prepare(key).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(problem), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn nothing_goes_through_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (root, outside) = (directory.path().join("root"), directory.path().join("outside"));
        fs::create_dir_all(root.join("a")).unwrap();
        fs::create_dir_all(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("a/link")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
        let tree = LocalTree::new(&root);
        for key in ["a/link/x", "a/link/x/y", "dangling/x"] {
            for error in [tree.prepare(key).unwrap_err(), tree.find(key).unwrap_err()] {
                assert!(error.to_string().contains("symbolic link"), "{error}");
            }
        }
        assert_eq!(tree.find("b/c/d").unwrap(), root.join("b/c/d"));
        assert!(!root.join("b").exists());
        assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
    }
}
