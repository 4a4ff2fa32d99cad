//! Files that have no name, and are gone when they are closed, however the process ends.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// A new file in `directory`, which only this process can read.
pub(super) fn unnamed_file(directory: &Path) -> io::Result<File> {
    loop {
        let path = directory.join(format!(".wharf-{:016x}", fastrand::u64(..)));
        match options().open(&path) {
            Ok(file) => return forget_name(&path).map(|()| file),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options
}

#[cfg(unix)]
fn forget_name(path: &Path) -> io::Result<()> {
    std::fs::remove_file(path)
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x0400_0000;
        options.custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
    }
    options
}

#[cfg(not(unix))]
fn forget_name(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, Write};

    use super::*;

    #[test]
    fn it_is_kept_and_has_no_name() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = unnamed_file(directory.path()).unwrap();
        file.write_all(b"bytes").unwrap();
        file.rewind().unwrap();
        let mut read = String::new();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, "bytes");
        #[cfg(unix)]
        assert_eq!(directory.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(unnamed_file(Path::new("/no/such/folder")).is_err());
    }
}
