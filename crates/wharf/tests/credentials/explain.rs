//! `explain()`: every setting, and where it came from.

use wharf::{Client, Credentials};

use crate::common::{Folder, Service, builder, sts_answer, with_config};

fn shown(s3: &Client, name: &str) -> String {
    let told = s3.explain();
    let setting = told.get(name).unwrap_or_else(|| panic!("no {name} in\n{told}"));
    format!("{} ({})", setting.value(), setting.origin())
}

#[tokio::test]
async fn where_each_setting_came_from() {
    let folder = Folder::new("explain");
    let config = "[profile work]\nmax_attempts = 5\nrequest_checksum_calculation = when_required\n\
                  s3 =\n  addressing_style = path\naws_access_key_id = AKIDFILE\naws_secret_access_key = s3cr3t\n\
                  aws_session_token = s3cr3t-token\n[oops]\n";
    let s3 = with_config(
        &folder,
        config,
        &[
            ("AWS_ENDPOINT_URL_S3", "http://localhost:9000"),
            ("AWS_RETRY_MODE", "adaptive"),
            ("HTTPS_PROXY", "http://me:s3cr3t@proxy:3128"),
        ],
    );
    let s3 = s3.deadline(std::time::Duration::from_secs(9)).build().unwrap();
    let path = folder.path().join("config").display().to_string();
    for (name, expected) in [
        ("profile", "work (AWS_PROFILE)"),
        ("region", "eu-west-1 (said in the program)"),
        ("endpoint", "http://localhost:9000 (AWS_ENDPOINT_URL_S3)"),
        ("provider", "Other (default)"),
        ("addressing style", "path (PATH:5)"),
        ("FIPS endpoints", "off (default)"),
        ("request checksums", "when required (PATH:3)"),
        ("attempts", "5 (PATH:2)"),
        ("checksum", "none (PATH:3)"),
        ("deadline", "9s (said in the program)"),
        ("proxy", "https by proxy:3128 (HTTPS_PROXY) (default)"),
        ("retry mode", "adaptive, done as standard (AWS_RETRY_MODE)"),
        ("credentials", "an access key (PATH:6)"),
        ("access key id", "AKIDFILE (PATH:6)"),
        ("secret access key", "(hidden) (PATH:6)"),
        ("session token", "(hidden) (PATH:6)"),
    ] {
        assert_eq!(shown(&s3, name), expected.replace("PATH", &path), "{name}");
    }
    let told = s3.explain();
    assert!(told.notes()[0].starts_with(&format!("{path}:9: skipped: ")), "{:?}", told.notes());
    let table = told.to_string();
    assert!(
        table.lines().any(|line| line.starts_with("region ") && line.ends_with("  said in the program")),
        "{table}"
    );
    assert!(table.lines().last().unwrap().starts_with("note: "), "{table}");
    assert!(!format!("{table}{told:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn what_was_found_is_told_once_it_was_asked_for() {
    let folder = Folder::new("explain-later");
    let service = Service::start(|_, _| sts_answer("ASIAROLE")).await;
    let file = folder.file("token", "s3cr3t");
    let url = service.url();
    let variables = [
        ("AWS_ENDPOINT_URL_STS", &*url),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &*file),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
    ];
    let s3 = builder(&variables).build().unwrap();
    let source = format!("role arn:aws:iam::1:role/r by the token in {file}");
    assert_eq!(shown(&s3, "credentials"), format!("{source} (AWS_WEB_IDENTITY_TOKEN_FILE)"));
    assert_eq!(shown(&s3, "access key id"), format!("not asked for yet ({source})"));
    s3.credentials().await.unwrap();
    assert_eq!(shown(&s3, "access key id"), format!("ASIAROLE ({source})"));
    assert_eq!(shown(&s3, "expires"), format!("2026-01-01T01:00:00Z ({source})"));
    assert!(!s3.explain().to_string().contains("s3cr3t"));
}

#[test]
fn who_else_it_can_be() {
    let anonymous = builder(&[]).anonymous().build().unwrap();
    assert_eq!(shown(&anonymous, "credentials"), "none: requests are not signed (said in the program)");
    let own = builder(&[]).credentials_provider(Credentials::new("AKID", "s3cr3t")).build().unwrap();
    assert_eq!(shown(&own, "credentials"), "a provider of the program's own (said in the program)");
    let fixed = builder(&[]).credentials("AKID", "s3cr3t").build().unwrap();
    assert_eq!(shown(&fixed, "access key id"), "AKID (said in the program)");
    let store = wharf_embedded::Store::in_memory();
    let embedded = Client::builder().environment(|_| None).transport(store).build().unwrap();
    assert_eq!(shown(&embedded, "region").split_once(" (").unwrap().1, "the transport)");
    assert_eq!(shown(&embedded, "credentials"), "an access key (the transport)");
}
