//! Names of objects as paths below a directory. To be the library's.

use std::path::{Component, Path, PathBuf};

pub(crate) fn path_below(root: &Path, name: &str) -> Result<PathBuf, &'static str> {
    let relative = Path::new(name);
    if name.split('/').any(|part| part == "..") {
        return Err("File references a parent directory.");
    }
    if name.contains('\0') || name.split('/').any(|part| part.is_empty() || part == ".") {
        return Err("Its name is no path: another name would be the same file.");
    }
    if !relative.components().all(|component| matches!(component, Component::Normal(_))) {
        return Err("Its name is an absolute path.");
    }
    let mut path = root.to_owned();
    for component in relative.components() {
        path.push(component);
        if path != root.join(relative) && path.is_symlink() {
            return Err("A symbolic link is in its way.");
        }
    }
    Ok(path)
}
