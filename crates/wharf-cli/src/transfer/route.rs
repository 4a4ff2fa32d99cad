//! From where to where: which names come out of a source, and where each of them goes. Pure but for two questions: what
//! is a directory, and where a link leads.

use std::path::PathBuf;

use wharf::S3Uri;

use super::place::{Place, ends_with_slash};
use crate::error::Failure;
use crate::url::{Keys, Wild};

/// What there is to be moved.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// One file.
    File(PathBuf),
    /// All files under a directory.
    Tree(PathBuf),
    /// One object.
    Object { bucket: String, key: String },
    /// All objects under a prefix that is empty or ends with a slash, or those of them that fit. Their names begin after
    /// `root` bytes of their keys.
    Objects { bucket: String, prefix: String, root: usize, wild: Option<Wild> },
}

/// Where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// To this file.
    File(PathBuf),
    /// Into this directory, each under its own name.
    Directory(PathBuf),
    /// To this key.
    Key { bucket: String, key: String },
    /// Under this prefix, each under its own name.
    Prefix { bucket: String, prefix: String },
}

impl Source {
    /// Reads what was typed. `recursive` takes all that is under it.
    pub(crate) fn of(place: &Place, recursive: bool, keys: Keys) -> Result<Self, Failure> {
        match place {
            Place::Standard => {
                Err(Failure::usage("standard input and output work with cp alone, and without --recursive"))
            }
            Place::Local(path) if recursive => Ok(Self::Tree(path.clone())),
            Place::Local(path) => Ok(Self::File(path.clone())),
            Place::Remote(url) => Self::remote(url, recursive, keys),
        }
    }

    fn remote(url: &S3Uri, recursive: bool, keys: Keys) -> Result<Self, Failure> {
        let bucket = url.bucket().to_owned();
        if let Some(wild) = Wild::of(url.key(), keys) {
            let (prefix, root) = (wild.prefix.clone(), wild.directory().len());
            return Ok(Self::Objects { bucket, prefix, root, wild: Some(wild) });
        }
        if recursive {
            let prefix = as_prefix(url.key());
            return Ok(Self::Objects { bucket, root: prefix.len(), prefix, wild: None });
        }
        match url.key() {
            "" => Err(Failure::usage(format!("s3://{bucket} is a whole bucket")).hint("say --recursive for all of it")),
            key => Ok(Self::Object { bucket, key: key.to_owned() }),
        }
    }

    /// Whether more than one thing may come out of it.
    pub(crate) fn is_many(&self) -> bool {
        matches!(self, Self::Tree(_) | Self::Objects { .. })
    }

    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::Object { .. } | Self::Objects { .. })
    }

    /// The name of the one thing that comes out of it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            Self::Object { key, .. } => last_name(key).to_owned(),
            Self::Tree(_) | Self::Objects { .. } => String::new(),
        }
    }
}

impl Target {
    /// Reads what was typed. Where `many` things come, they go into it.
    pub(crate) fn of(place: &Place, many: bool) -> Result<Self, Failure> {
        match place {
            Place::Standard => {
                Err(Failure::usage("standard input and output work with cp alone, and without --recursive"))
            }
            Place::Local(path) if many || ends_with_slash(path) || path.is_dir() => Ok(Self::Directory(path.clone())),
            Place::Local(path) => Ok(Self::File(path.clone())),
            Place::Remote(url) => {
                let bucket = url.bucket().to_owned();
                match url.key() {
                    key if many => Ok(Self::Prefix { bucket, prefix: as_prefix(key) }),
                    key if key.is_empty() || key.ends_with('/') => Ok(Self::Prefix { bucket, prefix: key.to_owned() }),
                    key => Ok(Self::Key { bucket, key: key.to_owned() }),
                }
            }
        }
    }

    /// The file that a symbolic link stands for, where one was named: that is replaced, and the link stays.
    pub(crate) fn behind_link(self) -> Result<Self, Failure> {
        let Self::File(path) = self else { return Ok(self) };
        // Windows knows a file by another path then.
        if cfg!(windows) || !path.is_symlink() {
            return Ok(Self::File(path));
        }
        let refused = |why: &str, hint: &str| Err(Failure::usage(format!("{} {why}", path.display())).hint(hint));
        // What is open under such a name is not what is replaced.
        if ["/dev", "/proc"].iter().any(|system| path.starts_with(system)) {
            return refused("is no file that can be replaced", "- is standard output: `wharf cp URL - > FILE`");
        }
        match path.canonicalize() {
            Ok(file) => Ok(Self::File(file)),
            Err(_) => refused("is a symbolic link that leads to no file", "remove it, or name the file to be written"),
        }
    }

    pub(crate) fn is_local(&self) -> bool {
        matches!(self, Self::File(_) | Self::Directory(_))
    }

    /// The key under which what is called `name` arrives.
    pub(crate) fn key(&self, name: &str) -> Option<(&str, String)> {
        match self {
            Self::Key { bucket, key } => Some((bucket, key.clone())),
            Self::Prefix { bucket, prefix } => Some((bucket, format!("{prefix}{name}"))),
            Self::File(_) | Self::Directory(_) => None,
        }
    }
}

/// A prefix under which only whole names are.
pub(crate) fn as_prefix(key: &str) -> String {
    if key.is_empty() || key.ends_with('/') { key.to_owned() } else { format!("{key}/") }
}

/// What follows the last slash.
fn last_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn place(text: &str) -> Place {
        Place::parse(OsStr::new(text)).unwrap()
    }

    fn key(target: &str, many: bool, name: &str) -> String {
        Target::of(&place(target), many).unwrap().key(name).unwrap().1
    }

    #[test]
    fn names_arrive_where_aws_puts_them() {
        for (target, many, name, arrives) in [
            ("s3://my-bucket", false, "a.txt", "a.txt"),
            ("s3://my-bucket/", false, "a.txt", "a.txt"),
            ("s3://my-bucket/x", false, "a.txt", "x"),
            ("s3://my-bucket/x/", false, "a.txt", "x/a.txt"),
            ("s3://my-bucket/x//", false, "a.txt", "x//a.txt"),
            ("s3://my-bucket", true, "d/a.txt", "d/a.txt"),
            ("s3://my-bucket/x", true, "d/a.txt", "x/d/a.txt"),
            ("s3://my-bucket/x/", true, "d/a.txt", "x/d/a.txt"),
        ] {
            assert_eq!(key(target, many, name), arrives, "{target} {many}");
        }
    }

    #[test]
    fn a_source_is_one_thing_or_all_that_is_under_it() {
        let of = |text: &str, recursive| Source::of(&place(text), recursive, Keys::Wild);
        let Source::Objects { prefix, root, wild: None, .. } = of("s3://my-bucket/x", true).unwrap() else { panic!() };
        assert_eq!((prefix.as_str(), root), ("x/", 2));
        let Source::Objects { prefix, root, wild: Some(_), .. } = of("s3://my-bucket/x/2*", false).unwrap() else {
            panic!()
        };
        assert_eq!((prefix.as_str(), root), ("x/2", 2));
        assert_eq!(of("s3://my-bucket/x/y", false).unwrap().name(), "y");
        assert_eq!(of("d/a.txt", false).unwrap().name(), "a.txt");
        assert!(of("s3://my-bucket", false).is_err() && of("-", false).is_err());
    }
}
