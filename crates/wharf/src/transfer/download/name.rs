//! The name that a file gets where nothing may have it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

type Way = fn(&Path, &Path) -> io::Result<()>;

/// In one step, but not on every file system and kernel: the best first.
const IN_ONE_STEP: &[Way] = &[
    #[cfg(target_os = "linux")]
    rename_unless_taken,
    #[cfg(unix)]
    link,
];

/// Renames a file, unless something has the new name. Then it is `AlreadyExists`.
///
/// In one step where the file system knows how; else the new name is taken by an empty file first, which is what a crash
/// leaves that comes between.
pub(super) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    rename_by(IN_ONE_STEP, from, to)
}

fn rename_by(ways: &[Way], from: &Path, to: &Path) -> io::Result<()> {
    for way in ways {
        match way(from, to) {
            Ok(()) => return Ok(()),
            Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {
                return Err(error);
            }
            // File systems say in many words that they cannot do it; what else is wrong, the last way says too.
            Err(_) => {}
        }
    }
    File::create_new(to)?;
    fs::rename(from, to).inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

#[cfg(target_os = "linux")]
fn rename_unless_taken(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from)
}

/// Unlike a rename, a link never replaces anything. What a crash leaves between the two, the next download tells apart.
#[cfg(unix)]
fn link(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to)?;
    let _ = fs::remove_file(from);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cannot(_from: &Path, _to: &Path) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }

    /// As on vfat, which has no links, before a kernel that knows how to rename so; and where it is the kernel that does not.
    #[test]
    fn wherever_it_is_a_new_name_is_given_and_no_other_taken() {
        #[cfg(unix)]
        let only_links: &[Way] = &[cannot, link];
        #[cfg(not(unix))]
        let only_links: &[Way] = &[];
        for ways in [IN_ONE_STEP, only_links, &[cannot, cannot], &[]] {
            let folder = tempfile::tempdir().unwrap();
            let [part, target] = ["a.wharf-part", "a"].map(|name| folder.path().join(name));
            let has = |names: &[(&Path, &str)]| {
                assert_eq!(fs::read_dir(folder.path()).unwrap().count(), names.len());
                names.iter().for_each(|(path, text)| assert_eq!(fs::read_to_string(path).unwrap(), *text));
            };
            assert_eq!(rename_by(ways, &part, &target).unwrap_err().kind(), io::ErrorKind::NotFound);
            has(&[]);
            fs::write(&part, "new").unwrap();
            rename_by(ways, &part, &target).unwrap();
            has(&[(&target, "new")]);
            fs::write(&part, "newer").unwrap();
            assert_eq!(rename_by(ways, &part, &target).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            has(&[(&target, "new"), (&part, "newer")]);
            let nowhere = folder.path().join("no/such");
            assert!(rename_by(ways, &part, &nowhere).is_err());
            has(&[(&target, "new"), (&part, "newer")]);
        }
    }
}
