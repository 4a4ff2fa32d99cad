//! One program, run once, and what it has used.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use job::{ACCESS_KEY, REGION, Result, SECRET_KEY, is_unsupported};

/// A program that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pub user: f64,
    pub system: f64,
    pub wall: f64,
    /// The most memory that was resident at once, MiB.
    pub resident: f64,
}

impl Usage {
    pub fn cpu(&self) -> f64 {
        self.user + self.system
    }
}

#[derive(Debug, Clone)]
pub enum Outcome {
    Done(Usage),
    /// The program has no such work.
    Unsupported,
    Failed(String),
}

/// Runs a program in an environment of its own: only what is set here and in `command` itself.
pub fn run(command: &mut Command, ca: &Path, home: &Path) -> Outcome {
    match try_run(command, ca, home) {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn try_run(command: &mut Command, ca: &Path, home: &Path) -> Result<Outcome> {
    let own: Vec<_> = command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    let log = home.join("stderr.txt");
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("SSL_CERT_FILE", ca)
        .env("AWS_CA_BUNDLE", ca)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "localhost,127.0.0.1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(&log)?)
        .process_group(0);
    for (name, value) in own {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let start = Instant::now();
    let child = command.spawn().map_err(|error| format!("it cannot be started: {error}"))?;
    let id = child.id() as libc::pid_t;
    let (done, waits) = mpsc::channel::<()>();
    let guard = thread::spawn(move || {
        let is_late = matches!(waits.recv_timeout(LIMIT), Err(mpsc::RecvTimeoutError::Timeout));
        if is_late {
            kill_group(id);
        }
        is_late
    });
    let (status, usage) = wait(id)?;
    let wall = start.elapsed().as_secs_f64();
    drop(done);
    let is_late = guard.join().unwrap_or(false);
    if is_late {
        return Ok(Outcome::Failed(format!("it took more than {} s", LIMIT.as_secs())));
    }
    let code = libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status));
    if code == Some(0) {
        return Ok(Outcome::Done(Usage { wall, ..usage }));
    }
    if is_unsupported(code) {
        return Ok(Outcome::Unsupported);
    }
    let text = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
    let ended = code.map_or(format!("signal {}", libc::WTERMSIG(status)), |code| format!("exit code {code}"));
    Ok(Outcome::Failed(format!("{ended}: {text}")))
}

#[allow(unsafe_code, reason = "no safe interface tells what one child has used")]
fn wait(id: libc::pid_t) -> io::Result<(libc::c_int, Usage)> {
    let mut status = 0;
    // SAFETY: all zeros is a valid `rusage`.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both point to values that live longer than the call.
        let ended = unsafe { libc::wait4(id, &mut status, 0, &mut usage) };
        if ended == id {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    let (user, system) = (seconds(usage.ru_utime), seconds(usage.ru_stime));
    Ok((status, Usage { user, system, wall: 0.0, resident: usage.ru_maxrss as f64 / 1024.0 }))
}

#[allow(unsafe_code, reason = "std kills no group")]
fn kill_group(id: libc::pid_t) {
    // SAFETY: takes no pointers. The group is that of our own child, which has not been waited for yet.
    unsafe { libc::kill(-id, libc::SIGKILL) };
}

/// Seconds in which any processor was busy since the machine was started.
pub fn machine_busy() -> f64 {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let busy: f64 =
        ticks.iter().take(8).enumerate().filter(|(at, _)| *at != 3 && *at != 4).map(|(_, ticks)| ticks).sum();
    busy / 100.0
}

/// Seconds of CPU that a running process has used.
pub fn process_busy(id: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
