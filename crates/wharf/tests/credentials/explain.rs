//! `explain()`: every setting, and where it came from.

use std::collections::HashMap;

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
        ("proxy for http", "none (default)"),
        ("proxy for https", "proxy:3128 (HTTPS_PROXY)"),
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

/// Whatever is set shows, with who set it.
#[test]
fn every_variable_is_told() {
    let folder = Folder::new("explain-variables");
    let pem = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let bundle = folder.file("bundle.pem", &pem);
    let (config, credentials) = (folder.file("config", "[default]\n"), folder.file("credentials", ""));
    let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "s3cr3t"), ("AWS_SESSION_TOKEN", "s3cr3t")];
    let role = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")];
    let agent = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:1/x")];
    let proxy = [("ALL_PROXY", "http://all:1")];
    for (variable, value, beside, name, shown_as) in [
        ("AWS_PROFILE", "default", &[keys[0], keys[1], ("AWS_CONFIG_FILE", &*config)][..], "profile", "default"),
        ("AWS_CONFIG_FILE", &*config, &keys, "config file", &*config),
        ("AWS_SHARED_CREDENTIALS_FILE", &*credentials, &keys, "credentials file", &*credentials),
        ("AWS_REGION", "eu-south-1", &keys, "region", "eu-south-1"),
        ("AWS_DEFAULT_REGION", "eu-south-1", &keys, "region", "eu-south-1"),
        ("AWS_ENDPOINT_URL", "http://localhost:1", &keys, "endpoint", "http://localhost:1"),
        ("AWS_ENDPOINT_URL_S3", "http://localhost:1", &keys, "endpoint", "http://localhost:1"),
        ("AWS_ENDPOINT_URL", "http://localhost:1", &role, "STS endpoint", "http://localhost:1"),
        ("AWS_ENDPOINT_URL_STS", "http://localhost:1", &role, "STS endpoint", "http://localhost:1"),
        ("AWS_STS_REGIONAL_ENDPOINTS", "legacy", &role, "STS endpoint", "https://sts.amazonaws.com"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", &keys, "configured endpoints", "ignored"),
        ("AWS_USE_FIPS_ENDPOINT", "true", &keys, "FIPS endpoints", "on"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true", &keys, "dualstack endpoints", "on"),
        ("AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "legacy", &keys, "us-east-1 is regional", "off"),
        ("AWS_S3_USE_ARN_REGION", "false", &keys, "region of ARNs", "off"),
        ("AWS_S3_DISABLE_EXPRESS_SESSION_AUTH", "true", &keys, "no S3 Express sessions", "on"),
        ("AWS_CA_BUNDLE", &*bundle, &keys, "roots beside the system's", &*bundle),
        ("AWS_MAX_ATTEMPTS", "7", &keys, "attempts", "7"),
        ("AWS_RETRY_MODE", "legacy", &keys, "retry mode", "legacy, done as standard"),
        ("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required", &keys, "request checksums", "when required"),
        ("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_supported", &keys, "response checksums", "when supported"),
        ("https_proxy", "http://own:1", &keys, "proxy for https", "own:1"),
        ("HTTP_PROXY", "http://own:1", &keys, "proxy for http", "own:1"),
        ("ALL_PROXY", "http://own:1", &keys, "proxy for https", "own:1"),
        ("NO_PROXY", "a, b", &[keys[0], keys[1], proxy[0]], "without a proxy", "a, b"),
        ("AWS_ACCESS_KEY_ID", "AKID2", &keys[1..], "access key id", "AKID2"),
        ("AWS_SECRET_ACCESS_KEY", "s3cr3t2", &keys[..1], "secret access key", "(hidden)"),
        ("AWS_SESSION_TOKEN", "s3cr3t2", &keys[..2], "session token", "(hidden)"),
        (
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "/token",
            &role[1..],
            "credentials",
            "role arn:aws:iam::1:role/r by the token in /token",
        ),
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "/s3cr3t",
            &[],
            "credentials",
            "the container's service at http://169.254.170.2",
        ),
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "http://localhost:2/x",
            &[],
            "credentials",
            "the container's service at http://localhost:2",
        ),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "s3cr3t", &agent, "authorization token", "(hidden)"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token", &agent, "authorization token", "in /token"),
        (
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "http://localhost:3",
            &[],
            "credentials",
            "instance metadata at localhost",
        ),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6", &[], "credentials", "instance metadata at [fd00:ec2::254]"),
        ("AWS_METADATA_SERVICE_TIMEOUT", "3", &[], "instance metadata timeout", "3s"),
        ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "4", &[], "instance metadata attempts", "4"),
        ("AWS_EC2_INSTANCE_PROFILE_NAME", "mine", &[], "instance metadata role", "mine"),
    ] {
        let region = if variable == "AWS_DEFAULT_REGION" { &[] } else { &[("AWS_REGION", "eu-west-1")][..] };
        let variables: HashMap<_, _> = [region, beside, &[(variable, value)]]
            .concat()
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        let s3 = Client::builder().environment(move |name| variables.get(name).cloned()).build().unwrap();
        assert_eq!(shown(&s3, name), format!("{shown_as} ({variable})"));
        assert!(!s3.explain().to_string().contains("s3cr3t"), "{variable}");
    }
}

/// The same in the profile, with the line.
#[test]
fn every_property_is_told() {
    let folder = Folder::new("explain-properties");
    let pem = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let bundle = format!("ca_bundle = {}", folder.file("bundle.pem", &pem));
    let keys = "aws_access_key_id = A\naws_secret_access_key = s3cr3t";
    let role = "role_arn = arn:aws:iam::1:role/r\nsource_profile = base";
    let sso = "sso_start_url = https://x/start\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = r";
    for (property, beside, name, value) in [
        ("region = eu-south-1", keys, "region", "eu-south-1"),
        ("endpoint_url = http://localhost:1", keys, "endpoint", "http://localhost:1"),
        ("ignore_configured_endpoint_urls = true", keys, "configured endpoints", "ignored"),
        ("use_fips_endpoint = true", keys, "FIPS endpoints", "on"),
        ("use_dualstack_endpoint = true", keys, "dualstack endpoints", "on"),
        ("s3_us_east_1_regional_endpoint = legacy", keys, "us-east-1 is regional", "off"),
        ("s3_use_arn_region = false", keys, "region of ARNs", "off"),
        ("s3_disable_express_session_auth = true", keys, "no S3 Express sessions", "on"),
        (&*bundle, keys, "roots beside the system's", bundle.trim_start_matches("ca_bundle = ")),
        ("max_attempts = 7", keys, "attempts", "7"),
        ("retry_mode = adaptive", keys, "retry mode", "adaptive, done as standard"),
        ("request_checksum_calculation = when_required", keys, "request checksums", "when required"),
        ("response_checksum_validation = when_supported", keys, "response checksums", "when supported"),
        ("aws_access_key_id = AKID", "aws_secret_access_key = s3cr3t", "access key id", "AKID"),
        (
            "role_arn = arn:aws:iam::1:role/x",
            "source_profile = base",
            "credentials",
            "role arn:aws:iam::1:role/x by an access key (PATH:9)",
        ),
        ("endpoint_url = http://localhost:1", role, "STS endpoint", "http://localhost:1"),
        ("sts_regional_endpoints = legacy", role, "STS endpoint", "https://sts.amazonaws.com"),
        ("sso_start_url = https://x/start", &sso[32..], "credentials", "SSO: role r in account 1"),
        ("credential_process = /bin/keys", "", "credentials", "the program /bin/keys"),
        ("ec2_metadata_service_endpoint = http://localhost:3", "", "credentials", "instance metadata at localhost"),
        ("ec2_metadata_service_endpoint_mode = IPv6", "", "credentials", "instance metadata at [fd00:ec2::254]"),
        ("metadata_service_timeout = 3", "", "instance metadata timeout", "3s"),
        ("metadata_service_num_attempts = 4", "", "instance metadata attempts", "4"),
        ("ec2_instance_profile_name = mine", "", "instance metadata role", "mine"),
    ] {
        let mut lines = vec!["[default]", property];
        lines.extend(beside.lines());
        lines.resize(7, "");
        lines.extend(["[profile base]", "aws_access_key_id = B", "aws_secret_access_key = s3cr3t"]);
        let config = folder.file("config", &lines.join("\n"));
        let (path, name_of_property) = (config.clone(), property.split(' ').next().unwrap().to_owned());
        let lookup = move |name: &str| match name {
            "AWS_CONFIG_FILE" => Some(path.clone()),
            "AWS_REGION" if name_of_property != "region" => Some("eu-west-1".to_owned()),
            _ => None,
        };
        let s3 = Client::builder().environment(lookup).build().unwrap();
        let value = value.replace("PATH", &config);
        assert_eq!(shown(&s3, name), format!("{value} ({config}:2)"));
        assert!(!s3.explain().to_string().contains("s3cr3t"), "{property}");
    }
}

/// What the program says shows as well.
#[test]
fn every_method_is_told() {
    let pem = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let s3 = builder(&[("AWS_CA_BUNDLE", "/not/read")])
        .endpoint("https://localhost:1")
        .credentials("AKID", "s3cr3t")
        .provider(wharf::Provider::Ceph)
        .habits(wharf::Provider::Ceph.habits())
        .unsigned_payload()
        .root_certificates_pem(pem)
        .danger_accept_invalid_certificates()
        .proxy("http://me:s3cr3t@own:1")
        .connect_timeout(std::time::Duration::from_secs(2))
        .build()
        .unwrap();
    let aws = builder(&[]).credentials("AKID", "s3cr3t").build().unwrap();
    assert_eq!(shown(&aws, "endpoint"), "https://s3.eu-west-1.amazonaws.com (default)");
    for (name, value) in [
        ("provider", "Ceph"),
        ("habits", "own"),
        ("payload signing over http", "off"),
        ("server certificates", "NOT CHECKED"),
        ("roots beside the system's", "the program's own"),
        ("proxy for http", "own:1"),
        ("proxy for https", "own:1"),
        ("connect timeout", "2s"),
    ] {
        assert_eq!(shown(&s3, name), format!("{value} (said in the program)"));
    }
    let direct = builder(&[("HTTPS_PROXY", "http://own:1")]).credentials("AKID", "s3cr3t").no_proxy().build().unwrap();
    assert_eq!(shown(&direct, "proxy for https"), "none (said in the program)");
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
