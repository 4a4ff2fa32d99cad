//! What all programs of the bench share: how they are told their work, and the bytes that it is done on.
//!
//! A program is called as `PROGRAM WORK NAME=VALUE...`, such as
//! `floor put endpoint=http://127.0.0.1:4000 file=/dev/shm/1g size=1073741824`. It does the work once and ends with 0; with
//! 3 where it cannot do such work at all; else with 1 and a line on stderr. Who started it measures it.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

pub const BUCKET: &str = "bench";
pub const REGION: &str = "us-east-1";
pub const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// The object that is read in one piece: of the size that the sink was started with.
pub const LARGE_KEY: &str = "large";
/// The small objects: [`small_key`].
pub const SMALL: usize = 4096;
/// The prefix of the keys that are listed.
pub const LIST_PREFIX: &str = "reports/";
/// The prefix of the keys that a folder is like: [`synced_name`].
pub const SYNC_PREFIX: &str = "sync/";

pub const MIB: u64 = 1024 * 1024;

/// What an exit code of 3 says.
const UNSUPPORTED: u8 = 3;

pub type Result<T = (), E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing but to start: what a program costs before it does anything.
    Nothing,
    /// A file becomes an object.
    Put,
    /// The large object becomes a file.
    GetFile,
    /// The large object is read and dropped.
    GetNull,
    /// Many small objects out of memory.
    SmallPut,
    /// Many small objects into memory.
    SmallGet,
    /// All keys into owned values.
    List,
}

impl FromStr for Work {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "nothing" => Self::Nothing,
            "put" => Self::Put,
            "get-file" => Self::GetFile,
            "get-null" => Self::GetNull,
            "small-put" => Self::SmallPut,
            "small-get" => Self::SmallGet,
            "list" => Self::List,
            _ => {
                return Err(format!(
                    "`{word}` is no work: nothing, put, get-file, get-null, small-put, small-get, list"
                ));
            }
        })
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Put => "put",
            Self::GetFile => "get-file",
            Self::GetNull => "get-null",
            Self::SmallPut => "small-put",
            Self::SmallGet => "small-get",
            Self::List => "list",
        })
    }
}

/// The arguments of one run.
#[derive(Debug, Clone)]
pub struct Job {
    pub work: Work,
    /// `http://` or `https://`, host and port.
    pub endpoint: String,
    /// The certificate (PEM) to trust.
    pub ca: Option<PathBuf>,
    /// What is sent, or where to write.
    pub file: PathBuf,
    /// Where it comes from, or goes.
    pub key: String,
    /// Bytes of the large object.
    pub size: u64,
    /// How many small objects, or keys.
    pub count: usize,
    /// Over plain http, the signature covers the body.
    pub signed: bool,
    /// Of a program that can be set up in several ways, the one meant.
    pub variant: String,
    /// Bytes of a part, where the program is not to choose.
    pub part_size: Option<u64>,
    /// Requests at once, where the program is not to choose.
    pub concurrency: Option<usize>,
}

impl Job {
    pub fn from_args(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let work = words.next().ok_or("the first argument is the work, such as `put`")?.parse()?;
        let mut job = Self {
            work,
            endpoint: "http://127.0.0.1:4000".to_owned(),
            ca: None,
            file: PathBuf::new(),
            key: String::new(),
            size: 1024 * MIB,
            count: 0,
            signed: false,
            variant: String::new(),
            part_size: None,
            concurrency: None,
        };
        for word in words {
            let (name, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is not NAME=VALUE"))?;
            match name {
                "endpoint" => job.endpoint = value.trim_end_matches('/').to_owned(),
                "ca" => job.ca = Some(value.into()),
                "file" => job.file = value.into(),
                "key" => job.key = value.to_owned(),
                "size" => job.size = value.parse()?,
                "count" => job.count = value.parse()?,
                "signed" => job.signed = value.parse()?,
                "variant" => job.variant = value.to_owned(),
                "part-size" => job.part_size = Some(value.parse()?),
                "concurrency" => job.concurrency = Some(value.parse()?),
                _ => return Err(format!("`{name}` is no setting").into()),
            }
        }
        if job.key.is_empty() {
            job.key = if job.work == Work::Put { "put-large" } else { LARGE_KEY }.to_owned();
        }
        if job.count == 0 {
            job.count = if job.work == Work::List { 1_000_000 } else { 10_000 };
        }
        Ok(job)
    }

    pub fn is_https(&self) -> bool {
        self.endpoint.starts_with("https://")
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.endpoint.split_once("://").map_or(&self.endpoint, |(_, rest)| rest)
    }

    /// Ends the program with what says that it has no such work.
    pub fn unsupported<T>(&self) -> Result<T> {
        Err(Box::new(Unsupported(format!("{} {}", self.variant, self.work))))
    }

    /// Fails where less or more came than there is.
    pub fn expect(&self, what: &str, came: u64, wanted: u64) -> Result {
        if came == wanted { Ok(()) } else { Err(format!("{came} {what} came, {wanted} are there").into()) }
    }
}

#[derive(Debug)]
struct Unsupported(String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot do this: {}", self.0.trim())
    }
}

impl Error for Unsupported {}

/// A program's `main`.
pub fn run(work: impl FnOnce(&Job) -> Result) -> ExitCode {
    match Job::from_args(std::env::args().skip(1)).and_then(|job| work(&job)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let mut cause = error.source();
            while let Some(deeper) = cause {
                eprintln!("  because: {deeper}");
                cause = deeper.source();
            }
            if error.is::<Unsupported>() { ExitCode::from(UNSUPPORTED) } else { ExitCode::FAILURE }
        }
    }
}

/// Whether an exit code says that the program has no such work.
pub fn is_unsupported(code: Option<i32>) -> bool {
    code == Some(i32::from(UNSUPPORTED))
}

/// The key of one of the small objects.
pub fn small_key(number: usize) -> String {
    format!("small/{number:08}")
}

/// Below [`SYNC_PREFIX`], the key of one of the objects that a folder is like: a thousand to a folder.
pub fn synced_name(number: usize) -> String {
    format!("{:05}/{number:08}", number / 1000)
}

/// The length of [`block`].
pub const BLOCK: usize = 1024 * 1024;

/// What all objects are made of, again and again from their first byte on. So the sink knows the checksum of any length.
pub fn block() -> Vec<u8> {
    let mut block = Vec::with_capacity(BLOCK);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    while block.len() < BLOCK {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block.extend_from_slice(&state.to_le_bytes());
    }
    block
}
