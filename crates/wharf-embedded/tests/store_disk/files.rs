//! What is in a data directory.

use std::path::Path;

/// The names of all files below a directory.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let Ok(entries) = std::fs::read_dir(directory) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => directories.push(entry.path()),
                false => found.push(entry.file_name().into_string().unwrap()),
            }
        }
    }
    found
}

/// How many files hold bytes of objects, or are about to.
pub(crate) fn count(data: &Path) -> (usize, usize) {
    (files(&data.join("files")).len(), files(&data.join("incoming")).len())
}
