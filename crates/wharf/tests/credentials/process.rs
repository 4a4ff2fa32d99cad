//! `credential_process`, with the shell for the program.

use std::time::Duration;

use wharf::ErrorKind;

use crate::common::{Folder, failure, keys, with_config};
use crate::support::FakeClock;

/// A profile whose program is this script.
fn config(script: &str) -> String {
    format!("[profile work]\ncredential_process = /bin/sh -c '{script}'\n")
}

const KEYS: &str = r#""Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "s3cr3t""#;

#[tokio::test]
async fn keys_that_a_program_prints() {
    let folder = Folder::new("process");
    let config = config(&format!("echo \"{{$0}}\"' '{KEYS}, \"SessionToken\": \"t0k3n\""));
    let keys = keys(with_config(&folder, &config, &[])).await.unwrap();
    assert_eq!((keys.access_key_id(), keys.session_token()), ("ASIAPROCESS", Some("t0k3n")));
    assert_eq!(keys.expires_at(), None);
}

/// How often the program ran, by what it leaves.
#[tokio::test]
async fn run_again_where_the_keys_end_and_only_there() {
    let folder = Folder::new("process-again");
    for (name, more, runs) in [("once", "", 1), ("twice", ", \"Expiration\": \"2026-01-01T01:00:00Z\"", 2)] {
        let log = folder.file(name, "");
        let config = config(&format!("echo >> {log}; echo \"{{$0}}\"' '{KEYS}{more}"));
        let clock = FakeClock::default();
        let s3 = with_config(&folder, &config, &[]).clock(clock.clone()).build().unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "it is not run before it is needed");
        s3.credentials().await.unwrap();
        s3.credentials().await.unwrap();
        clock.advance(Duration::from_secs(56 * 60));
        s3.credentials().await.unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap().len(), runs, "{name}");
    }
}

#[tokio::test]
async fn programs_that_fail_or_print_garbage() {
    let folder = Folder::new("process-garbage");
    let path = folder.path().join("config").display().to_string();
    for (script, problem) in [
        ("echo hm; echo no such user >&2; exit 3", "\"/bin/sh\" failed, exit status: 3: no such user"),
        ("echo AKIDEXAMPLE/s3cr3t/wJalrXUtnFEMI/K7MDENG >&2; exit 1", "\"/bin/sh\" failed, exit status: 1: (hidden)"),
        ("exit 1", "\"/bin/sh\" failed, exit status: 1, and said nothing"),
        ("echo s3cr3t", "\"/bin/sh\" answered what cannot be used: it is not JSON (line 1, column 1)"),
        ("true", "\"/bin/sh\" printed nothing; it must print JSON with Version, AccessKeyId and SecretAccessKey"),
        ("echo \"{\\\"Version\\\": 2}\"", "\"/bin/sh\" printed \"Version\": 2; only 1 is known"),
        ("echo {}", "\"/bin/sh\" printed JSON without \"Version\": 1"),
        (
            "echo \"{\\\"Version\\\": 1, \\\"AccessKeyId\\\": \\\"s3cr3t\\\"}\"",
            "\"/bin/sh\" answered what cannot be used: its fields are not those of credentials (line 1, column 39)",
        ),
    ] {
        let found = failure(with_config(&folder, &config(script), &[])).await;
        assert_eq!(found, (format!("{path}:2: credential_process {problem}"), ErrorKind::NoCredentials), "{script}");
    }
    let missing = "[profile work]\ncredential_process = /nowhere/keys --secret s3cr3t\n";
    let (line, _) = failure(with_config(&folder, missing, &[])).await;
    assert!(line.starts_with(&format!("{path}:2: credential_process \"/nowhere/keys\" cannot be run: ")), "{line}");
}

/// Time is paused: it moves on where everybody waits.
#[tokio::test(start_paused = true)]
async fn a_program_that_does_not_end_is_ended() {
    let folder = Folder::new("process-endless");
    let path = folder.path().join("config").display().to_string();
    let (line, _) = failure(with_config(&folder, &config("exec sleep 100000"), &[])).await;
    assert_eq!(line, format!("{path}:2: credential_process \"/bin/sh\" did not end within 60s"));
}
