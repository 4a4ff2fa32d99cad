//! Where something is: a file, an object, or a pipe.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Component, Path, PathBuf};

use wharf::S3Uri;

use crate::error::Failure;
use crate::url::{self, Shown, without_scheme};

/// A place as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// `-`: standard input or output.
    Standard,
    Local(PathBuf),
    Remote(S3Uri),
}

/// What standard input is called as a file.
pub(crate) const INPUT: [&str; 3] = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];

/// What standard output is called as a file.
pub(crate) const OUTPUT: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

impl Place {
    pub(crate) fn parse(text: &OsStr) -> Result<Self, Failure> {
        match text.to_str() {
            Some("-") => Ok(Self::Standard),
            Some(url) if without_scheme(url).is_some() => Ok(Self::Remote(url::bucket(url)?)),
            // No file is called so, and to make one would hide the mistake.
            Some(link) if url::is_link(link) => {
                Err(Failure::usage(format!("{} is no S3 URL", url::without_secrets(link))).hint(url::NOT_OURS))
            }
            None if without_scheme(&text.to_string_lossy()).is_some() => {
                Err(Failure::usage(format!("{} is no S3 URL: a key is UTF-8", text.display())))
            }
            _ if text.is_empty() => Err(Failure::usage("an empty path names nothing").hint("this directory is .")),
            _ => Ok(Self::Local(PathBuf::from(text))),
        }
    }

    /// Refuses a file that would be called like an S3 URL that was mistyped.
    pub(crate) fn must_be_meant(&self) -> Result<(), Failure> {
        let text = match self {
            Self::Local(path) if !path.exists() => path.to_string_lossy(),
            _ => return Ok(()),
        };
        match url::meant(&text) {
            Some(hint) => Err(Failure::usage(format!("{} is no S3 URL", url::without_secrets(&text))).hint(hint)),
            None => Ok(()),
        }
    }

    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }

    /// What was typed of S3.
    pub(crate) fn url(&self) -> Option<&S3Uri> {
        match self {
            Self::Remote(url) => Some(url),
            Self::Standard | Self::Local(_) => None,
        }
    }

    /// Standard input or output where one of its `names` was typed, which is none of a file that could be replaced.
    pub(crate) fn or_standard(self, names: &[&str]) -> Self {
        match self {
            Self::Local(path) if cfg!(unix) && names.iter().any(|name| path == Path::new(name)) => Self::Standard,
            other => other,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("-"),
            Self::Local(path) => path.display().fmt(f),
            Self::Remote(url) => Shown(url.bucket(), url.key()).fmt(f),
        }
    }
}

/// Writes local paths as aws-cli does: seen from the working directory, and never without a directory.
#[derive(Debug, Clone)]
pub(crate) struct Locally {
    here: PathBuf,
}

impl Locally {
    pub(crate) fn new() -> Self {
        Self { here: env::current_dir().unwrap_or_default() }
    }

    /// `./a.txt`, `d/b.txt`, `../c.txt`.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else { return path.display().to_string() };
        let parent = self.relative(&self.absolute(parent));
        parent.join(name).display().to_string()
    }

    /// The whole path, as aws-cli has it in warnings.
    pub(crate) fn absolute(&self, path: &Path) -> PathBuf {
        let mut whole = PathBuf::new();
        for component in self.here.join(path).components() {
            match component {
                Component::CurDir => {}
                Component::ParentDir => drop(whole.pop()),
                other => whole.push(other),
            }
        }
        whole
    }

    fn relative(&self, path: &Path) -> PathBuf {
        let mut here = self.here.components().peekable();
        let mut there = path.components().peekable();
        while here.peek().is_some() && here.peek() == there.peek() {
            here.next();
            there.next();
        }
        let up = here.map(|_| Component::ParentDir);
        let relative: PathBuf = up.chain(there).collect();
        if relative.as_os_str().is_empty() { PathBuf::from(".") } else { relative }
    }
}

/// Whether somebody meant a directory: the text ends with a slash.
pub(crate) fn ends_with_slash(path: &Path) -> bool {
    let text: OsString = path.into();
    text.as_encoded_bytes().last().is_some_and(|last| std::path::is_separator(char::from(*last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_paths_are_seen_from_here() {
        let locally = Locally { here: PathBuf::from("/home/ada/work") };
        for (path, shown) in [
            ("a.txt", "./a.txt"),
            ("./a.txt", "./a.txt"),
            ("d/b.txt", "d/b.txt"),
            ("d/../b.txt", "./b.txt"),
            ("../c.txt", "../c.txt"),
            ("/home/ada/work/d/b.txt", "d/b.txt"),
            ("/home/ada/work/a.txt", "./a.txt"),
            ("/tmp/x", "../../../tmp/x"),
        ] {
            assert_eq!(locally.shown(Path::new(path)), shown, "{path}");
        }
        assert_eq!(locally.absolute(Path::new("d/../b")), Path::new("/home/ada/work/b"));
    }

    #[test]
    fn what_was_typed_is_a_pipe_a_url_or_a_path() {
        let parse = |text: &str| Place::parse(OsStr::new(text));
        assert_eq!(parse("-").unwrap(), Place::Standard);
        assert_eq!(parse("a/b").unwrap(), Place::Local(PathBuf::from("a/b")));
        assert!(parse("s3://my-bucket/a").unwrap().is_remote() && parse("S3://my-bucket/a").unwrap().is_remote());
        assert!(parse("s3://a/b").is_err() && parse("").is_err());
        assert!(ends_with_slash(Path::new("a/")) && !ends_with_slash(Path::new("a")));
    }
}
