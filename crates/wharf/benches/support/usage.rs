//! What a process has used, as Linux tells it.

use std::fs;

use super::Result;

/// Linux counts a process's time in hundredths of a second, whatever its kernel's clock.
const TICK_MICROS: f64 = 10_000.0;

/// Processor time of all threads, in microseconds.
#[derive(Clone, Copy, Default)]
pub struct Cpu {
    pub user: f64,
    pub system: f64,
}

impl Cpu {
    /// Of this process.
    pub fn now() -> Result<Self> {
        Self::of("self")
    }

    /// Of the process with this id.
    pub fn of(process: &str) -> Result<Self> {
        let stat =
            fs::read_to_string(format!("/proc/{process}/stat")).map_err(|_| "these figures need Linux's /proc")?;
        // The second field, the program's name, may hold blanks; it ends with the last parenthesis.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| -> Result<f64> { Ok(fields.get(at).ok_or("/proc/PID/stat is short")?.parse()?) };
        Ok(Self { user: ticks(11)? * TICK_MICROS, system: ticks(12)? * TICK_MICROS })
    }

    pub fn since(start: Self) -> Result<Self> {
        Ok(Self::now()?.minus(start))
    }

    pub fn minus(self, start: Self) -> Self {
        Self { user: self.user - start.user, system: self.system - start.system }
    }

    pub fn total(self) -> f64 {
        self.user + self.system
    }
}

/// The most memory of this process that was resident at once, in MiB.
pub fn peak_resident() -> Result<f64> {
    peak_resident_of("self")
}

/// The same, of the process with this id.
pub fn peak_resident_of(process: &str) -> Result<f64> {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).map_err(|_| "these figures need Linux's /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/PID/status")?;
    let kib: f64 = line.trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
