//! Values that are kept in a file, as with aws-cli: `--metadata file://meta.json`.

use std::env;
use std::fs;
use std::path::PathBuf;

/// The text itself, or that of the file which it names, without the line break that editors leave at its end.
pub(crate) fn text(value: &str) -> Result<String, String> {
    if value.starts_with("fileb://") {
        return Err("this is a text, and fileb:// is for bytes: say file://PATH".to_owned());
    }
    let Some(path) = value.strip_prefix("file://") else { return Ok(value.to_owned()) };
    let text = fs::read_to_string(at_home(path)).map_err(|error| format!("{path} cannot be read: {error}"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The same for what is read further.
pub(crate) fn or_file<T: 'static>(
    parse: fn(&str) -> Result<T, String>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |value| parse(&text(value)?)
}

/// No shell puts a folder for `~` where it is not the first of a word.
pub(crate) fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("type");
        let url = format!("file://{}", path.display());
        for (content, expected) in [("text/x", "text/x"), ("text/x\n", "text/x"), ("a\nb\r\n", "a\nb"), ("", "")] {
            fs::write(&path, content).unwrap();
            assert_eq!(text(&url).as_deref(), Ok(expected));
        }
        assert_eq!(text("http://a/file://b").as_deref(), Ok("http://a/file://b"));
        fs::write(&path, b"\xff").unwrap();
        assert!(text(&url).is_err() && text(&format!("{url}x")).is_err() && text("fileb://x").is_err());
        let length = or_file(|text| Ok(text.len()));
        assert_eq!(length("four"), Ok(4));
    }
}
