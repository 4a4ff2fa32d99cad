//! The commands of others, as a good user would call them.

use std::path::Path;
use std::process::Command;

use job::{ACCESS_KEY, BUCKET, Job, LIST_PREFIX, MIB, REGION, SECRET_KEY, Work};

use crate::programs::Folders;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cli {
    S5cmd,
    Rclone,
    AwsClassic,
    AwsCrt,
}

impl Cli {
    pub fn file(self) -> &'static str {
        match self {
            Self::S5cmd => "s5cmd",
            Self::Rclone => "rclone",
            Self::AwsClassic | Self::AwsCrt => "aws",
        }
    }

    pub fn command(self, file: &Path, job: &Job, folders: &Folders) -> Option<Command> {
        let mut command = Command::new(file);
        let known = match self {
            Self::S5cmd => s5cmd(&mut command, job, folders),
            Self::Rclone => rclone(&mut command, job),
            Self::AwsClassic => aws(&mut command, job, folders, "classic"),
            Self::AwsCrt => aws(&mut command, job, folders, "crt"),
        };
        known.then_some(command)
    }
}

fn object(job: &Job) -> String {
    format!("s3://{BUCKET}/{}", job.key)
}

fn s5cmd(command: &mut Command, job: &Job, folders: &Folders) -> bool {
    // It signs no payload.
    if job.signed && job.work == Work::Put {
        return false;
    }
    let part_size = (job.part_size.unwrap_or(8 * MIB) / MIB).to_string();
    let at_once = job.concurrency.unwrap_or(2).to_string();
    let transfer = ["--log", "error", "cp", "--concurrency", &at_once, "--part-size", &part_size];
    match job.work {
        Work::Nothing => command.arg("version"),
        Work::Put => command.args(transfer).arg(&job.file).arg(object(job)),
        Work::GetFile => command.args(transfer).arg(object(job)).arg(&job.file),
        Work::GetNull => command.args(["--log", "error", "cat", "--concurrency", &at_once]).arg(object(job)),
        // It asks for all that are there.
        Work::SmallGet if job.count == 1 => return false,
        Work::SmallPut => {
            let files = format!("{}/small/*", folders.small_source.display());
            command
                .args(["--log", "error", "--numworkers", "8", "cp"])
                .arg(files)
                .arg(format!("s3://{BUCKET}/put-small/"))
        }
        Work::SmallGet => {
            let folder = format!("{}/", folders.small_target.display());
            command
                .args(["--log", "error", "--numworkers", "8", "cp"])
                .arg(format!("s3://{BUCKET}/small/*"))
                .arg(folder)
        }
        Work::List => command.arg("ls").arg(format!("s3://{BUCKET}/{LIST_PREFIX}*")),
    };
    command.env("S3_ENDPOINT_URL", &job.endpoint);
    true
}

fn rclone(command: &mut Command, job: &Job) -> bool {
    // It cannot sign the payload of a stream, which a part is to it.
    if job.signed && job.work == Work::Put {
        return false;
    }
    let part_size = format!("{}Mi", job.part_size.unwrap_or(8 * MIB) / MIB);
    let at_once = job.concurrency.unwrap_or(2).to_string();
    let object = format!("bench:{BUCKET}/{}", job.key);
    match job.work {
        Work::Nothing => command.arg("version"),
        // No look at what is there before or after.
        Work::Put => command
            .args(["copyto", "--ignore-times", "--no-check-dest", "--s3-no-head", "--s3-use-unsigned-payload=true"])
            .args(["--s3-chunk-size", &part_size, "--s3-upload-concurrency", &at_once])
            .arg(&job.file)
            .arg(object),
        Work::GetFile => command
            .args(["copyto", "--ignore-times", "--multi-thread-streams", &at_once])
            .args(["--multi-thread-chunk-size", &part_size])
            .arg(object)
            .arg(&job.file),
        Work::GetNull => command.arg("cat").arg(object),
        Work::List => command.args(["lsf", "-R", "--fast-list"]).arg(format!("bench:{BUCKET}/{LIST_PREFIX}")),
        // Not in the table.
        Work::SmallPut | Work::SmallGet => return false,
    };
    rclone_server(command, &job.endpoint);
    true
}

/// Which server `bench:` is.
pub fn rclone_server(command: &mut Command, endpoint: &str) {
    command.args(["--config", "/dev/null", "--s3-no-check-bucket", "--s3-list-version=2"]).envs([
        ("RCLONE_CONFIG_BENCH_TYPE", "s3"),
        ("RCLONE_CONFIG_BENCH_PROVIDER", "Other"),
        ("RCLONE_CONFIG_BENCH_ENDPOINT", endpoint),
        ("RCLONE_CONFIG_BENCH_REGION", REGION),
        ("RCLONE_CONFIG_BENCH_ACCESS_KEY_ID", ACCESS_KEY),
        ("RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY", SECRET_KEY),
        ("RCLONE_CONFIG_BENCH_FORCE_PATH_STYLE", "true"),
    ]);
}

fn aws(command: &mut Command, job: &Job, folders: &Folders, client: &str) -> bool {
    let part_size = job.part_size.unwrap_or(8 * MIB) / MIB;
    // The CRT chooses for itself, unless the row says.
    let own = match (client, job.concurrency) {
        ("crt", None) => String::new(),
        (_, at_once) => {
            format!("  multipart_chunksize = {part_size}MB\n  max_concurrent_requests = {}\n", at_once.unwrap_or(2))
        }
    };
    let file = folders.run.join(format!("aws-{client}.config"));
    if aws_config(command, &file, client, job.signed, &own).is_none() {
        return false;
    }
    let copy = ["--endpoint-url", &job.endpoint, "s3", "cp", "--quiet"];
    match job.work {
        Work::Nothing => command.arg("--version"),
        Work::Put => command.args(copy).arg(&job.file).arg(object(job)),
        Work::GetFile => command.args(copy).arg(object(job)).arg(&job.file),
        Work::GetNull => command.args(copy).arg(object(job)).arg("-"),
        Work::List if client == "classic" => command
            .args(["--endpoint-url", &job.endpoint, "s3", "ls", "--recursive"])
            .arg(format!("s3://{BUCKET}/{LIST_PREFIX}")),
        _ => return false,
    };
    true
}

/// Has aws-cli use such a configuration, with more lines of its section `s3`; `None` where it cannot be written.
pub fn aws_config(command: &mut Command, file: &Path, client: &str, signed: bool, more: &str) -> Option<()> {
    let config = format!(
        "[default]\nregion = {REGION}\ns3 =\n  addressing_style = path\n  preferred_transfer_client = {client}\n  \
         payload_signing_enabled = {signed}\n{more}"
    );
    std::fs::write(file, config).ok()?;
    command.env("AWS_CONFIG_FILE", file);
    Some(())
}
