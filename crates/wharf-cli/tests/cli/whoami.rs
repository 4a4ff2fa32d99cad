//! `wharf whoami`.

use std::fs;

use crate::bench::{bare, run};

#[test]
fn every_setting_and_where_it_came_from() {
    let file = std::env::temp_dir().join(format!("wharf-whoami-{}", std::process::id()));
    fs::write(&file, "[profile work]\nregion = eu-west-1\ncredential_process = /nowhere/keys\n").unwrap();
    let mut command = bare(&["whoami", "--endpoint-url", "http://localhost:9000"]);
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "s3cr3t");
    command.env("AWS_CONFIG_FILE", &file).env("AWS_PROFILE", "work");
    let (exit, stdout, stderr) = run(command);
    assert_eq!((exit, stderr.as_str()), (0, ""));
    let row = |name: &str| {
        let line = stdout.lines().find(|line| line.starts_with(&format!("{name}  "))).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("profile")[1..], ["work", "AWS_PROFILE"]);
    assert_eq!(row("region")[1..], ["eu-west-1", &format!("{}:2", file.display())]);
    assert_eq!(row("endpoint")[1..], ["http://localhost:9000", "an option"]);
    assert_eq!(row("access key id")[1..], ["AKIDEXAMPLE", "AWS_ACCESS_KEY_ID"]);
    assert_eq!(row("secret access key")[1..], ["(hidden)", "AWS_SECRET_ACCESS_KEY"]);
    assert!(!stdout.contains("s3cr3t"));

    // Where the source gives no keys, the settings still show, and why it gives none.
    let asks = |more: &[&str]| {
        let mut command = bare(&[&["whoami", "--profile", "work"], more].concat());
        command.env("AWS_CONFIG_FILE", &file);
        run(command)
    };
    let place = format!("{}:3", file.display());
    let (exit, stdout, stderr) = asks(&[]);
    assert_eq!(exit, 253);
    assert!(stdout.contains(&place), "{stdout}");
    let why = format!("wharf: {place}: credential_process \"/nowhere/keys\" cannot be run: ");
    assert!(stderr.starts_with(&why), "{stderr}");
    let (exit, stdout, stderr) = asks(&["--offline"]);
    assert_eq!((exit, stderr.as_str()), (0, ""));
    assert!(stdout.contains("not asked for yet"), "{stdout}");
    fs::remove_file(&file).unwrap();
}
