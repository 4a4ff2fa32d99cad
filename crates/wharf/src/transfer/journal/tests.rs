use std::time::{Duration, SystemTime};

use wharf_proto::transfer::Arrived;
use wharf_proto::transfer::journal::DownloadStart;

use super::*;

fn start() -> Record {
    Record::Download(DownloadStart {
        endpoint: "http://127.0.0.1:1".to_owned(),
        bucket: "my-bucket".to_owned(),
        key: "a".to_owned(),
        path: "a".to_owned(),
        etag: "\"1\"".into(),
        version_id: None,
        size: Some(100),
        wanted: 0..100,
        since: SystemTime::UNIX_EPOCH + Duration::from_secs(1),
    })
}

fn arrived(start: u64, end: u64) -> Record {
    Record::Arrived(Arrived { range: start..end, checksum: None })
}

/// How many bytes a journal says there are.
fn bytes(path: &Path) -> Option<u64> {
    match Journal::open(path.to_owned()).unwrap().1 {
        State::Download(state) => Some(state.arrived.bytes()),
        _ => None,
    }
}

#[test]
fn whatever_of_it_reached_the_disk_another_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let (mut journal, _) = Journal::open(path.clone()).unwrap();
    journal.begin(&[start()]).unwrap();
    journal.add(&[arrived(0, 10), arrived(20, 30)]).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let mut seen = Vec::new();
    for length in 0..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let before = bytes(&path);
        seen.push(before);
        let (mut journal, _) = Journal::open(path.clone()).unwrap();
        if before.is_none() {
            journal.begin(&[start()]).unwrap();
        }
        journal.add(&[arrived(50, 57)]).unwrap();
        drop(journal);
        assert_eq!(bytes(&path), Some(before.unwrap_or(0) + 7), "{length}");
    }
    seen.dedup();
    assert_eq!(seen, [None, Some(0), Some(10), Some(20)]);
}

#[test]
fn one_at_a_time_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let (mut journal, _) = Journal::open(path.clone()).unwrap();
    journal.begin(&[start()]).unwrap();
    assert!(look(&path).unwrap().1);
    let error = Journal::open(path.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InUse);
    drop(journal);
    assert!(!look(&path).unwrap().1);
    let (journal, _) = Journal::open(path.clone()).unwrap();
    journal.remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn what_is_no_journal_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "Dear diary,\n").unwrap();
    let error = Journal::open(path.clone()).unwrap_err();
    assert!(error.to_string().contains("it is no journal of wharf's"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"Dear diary,\n");
}

#[cfg(target_os = "linux")]
#[test]
fn the_state_folder_is_the_users() {
    let find = |variables: &[(&str, &str)]| {
        let found = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        state_folder(found)
    };
    assert_eq!(find(&[("HOME", "/home/ada")]), Some("/home/ada/.local/state/wharf".into()));
    assert_eq!(find(&[("HOME", "/home/ada"), ("XDG_STATE_HOME", "/s")]), Some("/s/wharf".into()));
    // The specification: a path that is not absolute is to be ignored.
    assert_eq!(find(&[("XDG_STATE_HOME", "s")]), None);
    assert_eq!(find(&[]), None);
}

#[test]
fn every_upload_has_a_journal_of_its_own() {
    let path = |place: [&str; 3], file: &str, offset| upload_path(Path::new("/f"), place, Path::new(file), offset);
    let all = [
        path(["e", "b", "k"], "f", 0),
        path(["e", "b", "k"], "f", 1),
        path(["e", "b", "k"], "g", 0),
        path(["e", "bk", ""], "f", 0),
        path(["eb", "", "k"], "f", 0),
    ];
    let names: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(names.len(), all.len());
    assert_eq!(path(["e", "b", "k"], "f", 0), all[0]);
}
