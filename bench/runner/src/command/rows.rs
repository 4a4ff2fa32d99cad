//! What the command is to do, and what it may cost.

use crate::rows::Place;

/// What is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// The line of one key.
    ListOne,
    /// A folder of small files becomes objects.
    FilesUp,
    /// Small objects become files.
    FilesDown,
    /// A large file becomes an object.
    Up,
    /// A large object becomes a file.
    Down,
    /// A folder is compared with as many objects, none of which differs.
    Sync,
    /// Lines of all keys.
    ListAll,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What it is called on the command line.
    pub name: &'static str,
    pub title: &'static str,
    pub verb: Verb,
    /// Where a file comes down.
    pub place: Place,
    pub is_https: bool,
    pub in_quick: bool,
}

/// The processor time, seconds, that the line of one key may cost, and the memory, MiB.
pub const ONE_LINE: (f64, f64) = (0.005, 12.0);

impl Row {
    /// How many times less processor time and time than s5cmd `wharf` must take.
    pub fn must(&self) -> Option<f64> {
        match self.verb {
            Verb::ListOne => None,
            Verb::Down => Some(1.5),
            Verb::FilesUp | Verb::FilesDown | Verb::Up | Verb::Sync | Verb::ListAll => Some(4.0),
        }
    }
}

const fn http(name: &'static str, title: &'static str, verb: Verb) -> Row {
    Row { name, title, verb, place: Place::Tmpfs, is_https: false, in_quick: true }
}

const fn https(name: &'static str, title: &'static str, verb: Verb) -> Row {
    Row { name, title, verb, place: Place::Tmpfs, is_https: true, in_quick: false }
}

const fn to_disk(row: Row) -> Row {
    Row { place: Place::Disk, in_quick: false, ..row }
}

pub const ROWS: &[Row] = &[
    http("command-ls-one-http", "ls of one key, http", Verb::ListOne),
    https("command-ls-one-https", "ls of one key, https", Verb::ListOne),
    http("command-files-up-http", "10,000 files of 4 KiB up, http", Verb::FilesUp),
    https("command-files-up-https", "10,000 files of 4 KiB up, https", Verb::FilesUp),
    http("command-files-down-http", "10,000 files of 4 KiB down, http", Verb::FilesDown),
    https("command-files-down-https", "10,000 files of 4 KiB down, https", Verb::FilesDown),
    http("command-up-http", "1 GiB up, http", Verb::Up),
    https("command-up-https", "1 GiB up, https", Verb::Up),
    http("command-down-http", "1 GiB down (tmpfs), http", Verb::Down),
    https("command-down-https", "1 GiB down (tmpfs), https", Verb::Down),
    to_disk(http("command-down-disk-http", "1 GiB down (disk), http", Verb::Down)),
    to_disk(https("command-down-disk-https", "1 GiB down (disk), https", Verb::Down)),
    http("command-sync-http", "sync of 100,000 unchanged files, http", Verb::Sync),
    https("command-sync-https", "sync of 100,000 unchanged files, https", Verb::Sync),
    http("command-ls-all-http", "ls of 1,000,000 keys, http", Verb::ListAll),
    https("command-ls-all-https", "ls of 1,000,000 keys, https", Verb::ListAll),
];
