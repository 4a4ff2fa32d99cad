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

#[test]
fn what_is_missing_is_said_beside_what_is_known() {
    let no_region = "wharf: no region is set: not in AWS_REGION, not in the profile\n\
                     hint: say --region, set AWS_REGION, or put region into the profile\n";
    let no_keys = "wharf: no credentials found: AWS_ACCESS_KEY_ID is not set, there is no default profile, and instance \
                   metadata is switched off\n\
                   hint: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with --profile, or read what is \
                   public with --no-sign-request; `wharf whoami` shows what is set\n";
    let whoami = |keys: bool, more: &[&str]| {
        let mut command = bare(&[&["whoami"], more].concat());
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_MAX_ATTEMPTS", "7");
        if keys {
            command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "s3cr3t");
        }
        run(command)
    };
    let cells = |stdout: &str, name: &str| {
        let line = stdout.lines().find(|line| line.starts_with(&format!("{name}  "))).map(str::to_owned);
        line.map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("|"))
    };
    for (keys, more, region, endpoint, credentials, problem) in [
        (
            true,
            &[][..],
            "region|not set|default",
            "endpoint|AWS, by region|default",
            "an access key",
            no_region.to_owned(),
        ),
        (
            false,
            &["--region", "eu-west-1"],
            "region|eu-west-1|an option",
            "endpoint|https://s3.eu-west-1.amazonaws.com|default",
            "none found",
            no_keys.to_owned(),
        ),
        (
            false,
            &[],
            "region|not set|default",
            "endpoint|AWS, by region|default",
            "none found",
            format!("{no_region}{no_keys}"),
        ),
    ] {
        let (exit, stdout, stderr) = whoami(keys, more);
        let mut said: Vec<_> = stderr.split_inclusive('\n').collect();
        let mut expected: Vec<_> = problem.split_inclusive('\n').collect();
        said.sort_unstable();
        expected.sort_unstable();
        assert_eq!((exit, said), (253, expected), "{more:?}");
        assert_eq!(cells(&stdout, "region").as_deref(), Some(region), "{stdout}");
        assert_eq!(cells(&stdout, "endpoint").as_deref(), Some(endpoint), "{stdout}");
        assert_eq!(cells(&stdout, "attempts").as_deref(), Some("attempts|7|AWS_MAX_ATTEMPTS"), "{stdout}");
        assert!(cells(&stdout, "credentials").unwrap().contains(credentials), "{stdout}");
        assert_eq!(cells(&stdout, "access key id").is_some(), keys, "{stdout}");
    }
}
