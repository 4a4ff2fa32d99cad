//! Where the config and credentials files are looked for.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![allow(clippy::disallowed_methods, reason = "published cases are read where they are at hand")]

use std::path::{Path, PathBuf};

use wharf_proto::profile::{FileLocations, Platform};

use Platform::{Unix, Windows};

fn find(platform: Platform, environment: &[(&str, &str)]) -> FileLocations {
    FileLocations::find(platform, |name| {
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    })
}

fn files(found: &FileLocations) -> (Option<&str>, Option<&str>) {
    fn text(path: &Option<PathBuf>) -> Option<&str> {
        path.as_deref().and_then(Path::to_str)
    }
    (text(&found.config), text(&found.credentials))
}

#[test]
fn home() {
    let unix = (Some("/home/user/.aws/config"), Some("/home/user/.aws/credentials"));
    let windows = (Some(r"C:\users\user\.aws\config"), Some(r"C:\users\user\.aws\credentials"));
    let other = [("USERPROFILE", "ignored"), ("HOMEDRIVE", "ignored"), ("HOMEPATH", "ignored")];
    let with = |home| [("HOME", home), other[0], other[1], other[2]];
    assert_eq!(files(&find(Unix, &with("/home/user"))), unix);
    assert_eq!(find(Unix, &with("/home/user")).home.as_deref(), Some(Path::new("/home/user")));
    assert_eq!(files(&find(Windows, &with(r"C:\users\user"))), windows);
    assert_eq!(files(&find(Windows, &[("USERPROFILE", r"C:\users\user"), other[1], other[2]])), windows);
    assert_eq!(files(&find(Windows, &[("HOMEDRIVE", "C:"), ("HOMEPATH", r"\users\user")])), windows);
    assert_eq!(files(&find(Windows, &[("HOME", ""), ("USERPROFILE", r"C:\users\user")])), windows);
    assert_eq!(files(&find(Windows, &[("HOMEDRIVE", "C:")])), (None, None));
    assert_eq!(files(&find(Unix, &other)), (None, None), "only Windows looks at these");
    assert_eq!(files(&find(Unix, &[])), (None, None));
}

#[test]
fn variables_go_first() {
    let home = ("HOME", "/home/user");
    let found = find(Unix, &[home, ("AWS_CONFIG_FILE", "/other/config")]);
    assert_eq!(files(&found), (Some("/other/config"), Some("/home/user/.aws/credentials")));
    let found = find(Unix, &[home, ("AWS_SHARED_CREDENTIALS_FILE", "/other/credentials")]);
    assert_eq!(files(&found), (Some("/home/user/.aws/config"), Some("/other/credentials")));
    let found = find(Unix, &[("AWS_CONFIG_FILE", "relative/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/c")]);
    assert_eq!(files(&found), (Some("relative/config"), Some("~/c")), "without a home, paths stay as they are");
    let found = find(Unix, &[home, ("AWS_CONFIG_FILE", "")]);
    assert_eq!(files(&found).0, Some("/home/user/.aws/config"));
}

#[test]
fn tilde_is_the_home_folder() {
    let found = find(
        Unix,
        &[("HOME", "/home/user"), ("AWS_CONFIG_FILE", "~/work/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~other/c")],
    );
    assert_eq!(files(&found), (Some("/home/user/work/config"), Some("~other/c")));
    let found = find(Windows, &[("HOME", r"C:\users\user"), ("AWS_CONFIG_FILE", r"~\config")]);
    assert_eq!(files(&found).0, Some(r"C:\users\user\config"));
}

#[test]
fn profile() {
    assert_eq!(find(Unix, &[("AWS_PROFILE", "other")]).profile.as_deref(), Some("other"));
    assert_eq!(find(Unix, &[("AWS_PROFILE", "")]).profile, None);
    assert_eq!(find(Unix, &[]).profile, None);
}

/// The published cases, all of them, where they are at hand.
#[cfg(feature = "json")]
#[test]
fn published_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/file-location-tests.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: the published location cases are not here");
        return;
    };
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = cases["tests"].as_array().unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let platform = if case["platform"] == "windows" { Windows } else { Unix };
        let found = FileLocations::find(platform, |name| case["environment"][name].as_str().map(Into::into));
        assert_eq!(
            files(&found),
            (case["configLocation"].as_str(), case["credentialsLocation"].as_str()),
            "{}",
            case["name"]
        );
        if let Some(profile) = case["profile"].as_str() {
            assert_eq!(found.profile.as_deref().unwrap_or("default"), profile, "{}", case["name"]);
        }
    }
}
