//! What the process was begun with: its standard streams, and how many files it may open.

/// Whether a stream that is to be read was closed when the process began: Rust has opened the null device in its place, for reading and
/// writing. So do some that begin programs without any input, who mean no empty object either.
#[cfg(unix)]
pub(crate) fn is_closed(stream: impl std::os::fd::AsFd) -> bool {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{OFlags, fcntl_getfl, fstat};

    let is_null = || {
        let null = std::fs::metadata("/dev/null").ok()?;
        let found = fstat(&stream).ok()?;
        Some((found.st_dev, found.st_ino) == (null.dev() as _, null.ino() as _))
    };
    let flags = fcntl_getfl(&stream);
    flags.is_ok_and(|flags| flags & OFlags::RWMODE == OFlags::RDWR) && is_null() == Some(true)
}

#[cfg(not(unix))]
pub(crate) fn is_closed<S>(_: S) -> bool {
    false
}

/// How many files may be open is often less than what may be asked for, so that old programs are not surprised.
#[cfg(unix)]
pub(crate) fn allow_more_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    /// As many as any setting needs, and what macOS takes for no limit at all.
    const ENOUGH: u64 = 65_536;
    const MACOS: u64 = 10_240;

    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current.unwrap_or(u64::MAX);
    for wanted in [ENOUGH, MACOS].map(|wanted| limit.maximum.unwrap_or(u64::MAX).min(wanted)) {
        limit.current = Some(wanted);
        // Where that is refused, what there was has to do.
        if before >= wanted || setrlimit(Resource::Nofile, limit).is_ok() {
            return;
        }
    }
}

#[cfg(not(unix))]
pub(crate) fn allow_more_files() {}
