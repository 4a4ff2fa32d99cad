//! Which source it is, and that no other is asked.

use crate::common::{Folder, IN_AN_HOUR, Service, builder, failure, key_id, keys_answer, sts_answer};
use crate::support::Head;

/// STS, container and instance in one.
fn everything(head: &Head, _: &str) -> (u16, String) {
    match (&*head.method, &*head.target) {
        ("POST", "/") => sts_answer("ASIASTS"),
        ("GET", "/container") => keys_answer("ASIACONTAINER", IN_AN_HOUR),
        ("PUT", "/latest/api/token") => (200, "token".to_owned()),
        ("GET", "/latest/meta-data/iam/security-credentials/") => (200, "role".to_owned()),
        ("GET", "/latest/meta-data/iam/security-credentials/role") => keys_answer("ASIAINSTANCE", IN_AN_HOUR),
        _ => (500, String::new()),
    }
}

#[tokio::test]
async fn an_earlier_source_makes_the_later_needless() {
    let folder = Folder::new("order");
    let service = Service::start(everything).await;
    let (url, container) = (service.url(), format!("{}/container", service.url()));
    let token = folder.file("token", "jwt\n");
    let config = folder.file(
        "config",
        "[default]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s3cr3t\n[profile empty]\nregion = x-1\n",
    );
    let all = [
        ("AWS_ACCESS_KEY_ID", "AKIDENV"),
        ("AWS_SECRET_ACCESS_KEY", "s3cr3t"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &*token),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_CONFIG_FILE", &*config),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*container),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url),
        ("AWS_ENDPOINT_URL_STS", &*url),
    ];
    let mut asked = 0;
    for (from, id, requests) in
        [(0, "AKIDENV", 0), (2, "ASIASTS", 1), (4, "AKIDPROFILE", 0), (5, "ASIACONTAINER", 1), (6, "ASIAINSTANCE", 3)]
    {
        assert_eq!(key_id(builder(&all[from..])).await, id);
        assert_eq!(service.asked().len() - asked, requests, "for {id}: {:?}", service.asked());
        asked = service.asked().len();
    }
    // What the program says goes before all, and a profile that it names is the only one asked.
    assert_eq!(key_id(builder(&all).credentials("AKIDGIVEN", "s")).await, "AKIDGIVEN");
    assert_eq!(key_id(builder(&all).profile("default")).await, "AKIDPROFILE");
    let (line, _) = failure(builder(&all).profile("empty")).await;
    assert_eq!(line, "no credentials found: profile \"empty\" has no access key");
    // One that the environment names is a place like others.
    let named = [&[("AWS_PROFILE", "empty")], &all[4..]].concat();
    assert_eq!(key_id(builder(&named)).await, "ASIACONTAINER");
    // A client that is only built, or asked to explain itself, asks nobody.
    let asked = service.asked().len();
    let s3 = builder(&all[6..]).build().unwrap();
    assert!(s3.explain().to_string().contains("not asked for yet"));
    assert_eq!(service.asked().len(), asked);
}

#[tokio::test]
async fn a_source_that_is_configured_and_fails_is_the_end() {
    let service = Service::start(everything).await;
    let (url, gone) = (service.url(), "/nowhere/token");
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", gone),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url),
    ];
    let (line, _) = failure(builder(&variables)).await;
    assert!(line.starts_with("the web identity token file /nowhere/token cannot be read: "), "{line}");
    let (line, _) = failure(builder(&[variables[0]])).await;
    assert_eq!(line, "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both or neither");
    assert_eq!(service.asked(), [""; 0]);
}
