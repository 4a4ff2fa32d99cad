//! Whether a second thread helps `cp` and `mv` on two cores (docs/performance.md).

use std::env;
use std::ffi::OsString;
use std::fs;

use crate::globals::Connection;
use crate::url;

/// From how many bytes on a file is worth a second thread.
const LARGE: u64 = 64 << 20;

/// All `paths` but the last are sources, which are not taken recursively.
pub(super) fn helps(paths: &[OsString], connection: &Connection) -> bool {
    let Some((target, sources)) = paths.split_last() else { return false };
    let goes_up = || sources.iter().any(is_large_file);
    // How large it is, the server says too late.
    let comes_down = || {
        sources.iter().any(is_url)
            && !is_url(target)
            && target != "-"
            && is_sealed(connection, |name| env::var(name).ok())
    };
    goes_up() || comes_down()
}

/// Each of its parts is read, hashed and sealed by itself.
fn is_large_file(path: &OsString) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() >= LARGE)
}

fn is_url(path: &OsString) -> bool {
    path.to_str().and_then(url::without_scheme).is_some()
}

/// Whether what comes has to be opened first, which is work enough for two. A profile that names a server over plain http is
/// not looked for: a thread costs little.
fn is_sealed(connection: &Connection, environment: impl Fn(&str) -> Option<String>) -> bool {
    let from_environment = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].into_iter().filter_map(environment);
    let endpoint = connection.endpoint_url.clone().into_iter().chain(from_environment).find(|url| !url.is_empty());
    connection.embedded.is_none() && !endpoint.is_some_and(|url| url.to_ascii_lowercase().starts_with("http://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(endpoint: &str) -> Connection {
        Connection { endpoint_url: Some(endpoint.to_owned()), ..Connection::default() }
    }

    #[test]
    fn up_for_a_large_file() {
        let folder = tempfile::tempdir().unwrap();
        let [large, small] = [("large", LARGE), ("small", LARGE - 1)].map(|(name, length)| {
            let path = folder.path().join(name);
            fs::File::create(&path).unwrap().set_len(length).unwrap();
            path.into_os_string()
        });
        let url = OsString::from("s3://my-bucket/a");
        let helps =
            |paths: &[&OsString]| helps(&paths.iter().map(|path| (*path).clone()).collect::<Vec<_>>(), &at("http://h"));
        assert!(helps(&[&small, &large, &url]));
        assert!(!helps(&[&small, &folder.path().into(), &url]));
        assert!(!helps(&[&url, &large]) && !helps(&[]));
    }

    #[test]
    fn down_for_an_object_over_tls() {
        let [url, file] = ["s3://my-bucket/a", "a"].map(OsString::from);
        let down = [url.clone(), file];
        assert!(helps(&down, &at("https://h")) && !helps(&down, &at("http://h")));
        assert!(!helps(&[url.clone(), url], &at("https://h")), "from bucket to bucket nothing comes");
        let plain = |set: &'static str| move |name: &str| (name == set).then(|| "http://h".to_owned());
        assert!(!helps(&[down[0].clone(), "-".into()], &at("https://h")), "one stream, in order");
        for (environment, expected) in [("AWS_ENDPOINT_URL_S3", false), ("AWS_ENDPOINT_URL", false), ("HOME", true)] {
            assert_eq!(is_sealed(&Connection::default(), plain(environment)), expected, "{environment}");
        }
        let in_process = Connection { embedded: Some("store".into()), ..Connection::default() };
        assert!(!is_sealed(&in_process, |_| None));
    }
}
