//! Whether what is interrupted is kept for another run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

/// From how many bytes on a download is kept: what has arrived must be synced to the disk for it.
pub(crate) const DOWNLOADS_FROM: u64 = 64 << 20;

/// Whether there is a place to write down which uploads were begun. In a container a user may have none.
pub(crate) fn can_keep_uploads() -> bool {
    // Of the many commands of a list, the first finds out.
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| {
        let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        folder(variable).is_some_and(|folder| {
            let folder = folder.join("wharf");
            // Processes of several containers may have one number.
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let name = format!(".room-{}-{}", std::process::id(), now.as_nanos());
            fs::create_dir_all(&folder).is_ok() && has_room(&folder.join(name))
        })
    })
}

/// Whether a file there could have something in it: uploads are what makes room on a disk that is full.
fn has_room(path: &Path) -> bool {
    let has_room = fs::write(path, [0; 4096]).is_ok();
    let is_gone = fs::remove_file(path).map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |()| true);
    has_room && is_gone
}

/// Where the library keeps its journals, as far as that has to be there.
fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if cfg!(windows) {
        return variable("LOCALAPPDATA").map(PathBuf::from);
    }
    let home = || variable("HOME").map(PathBuf::from);
    if cfg!(target_os = "macos") {
        return home();
    }
    let states = variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    states.or_else(|| Some(home()?.join(".local/state")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn journals_are_kept_where_the_user_keeps_state() {
        let home = |name: &str| (name == "HOME").then(|| OsString::from("/home/ada"));
        assert_eq!(folder(home), Some(PathBuf::from("/home/ada/.local/state")));
        assert_eq!(folder(|_| Some(OsString::from("/state"))), Some(PathBuf::from("/state")));
        let relative = |name: &str| (name == "XDG_STATE_HOME").then(|| OsString::from("state"));
        assert_eq!((folder(relative), folder(|_| None)), (None, None));
    }

    #[test]
    fn nothing_is_kept_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("room");
        assert!(has_room(&path) && !path.exists());
        // Every write to it meets a full disk.
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        assert!(!has_room(&path) && !path.is_symlink());
    }
}
