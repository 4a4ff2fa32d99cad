//! Profiles that lead nowhere, each with one line that says where and what to do.

use wharf::ErrorKind;

use crate::common::{Folder, failure, key_id, with_config};

#[tokio::test]
async fn profiles_that_lead_nowhere() {
    let folder = Folder::new("nowhere");
    let path = folder.path().join("config").display().to_string();
    let role = "role_arn = arn:aws:iam::1:role/r\n";
    for (config, line, kind) in [
        (
            format!("{role}mfa_serial = arn:aws:iam::1:mfa/me\nsource_profile = base\n"),
            "PATH:3: profile \"work\" assumes its role with an MFA code (mfa_serial), which is not asked for here; \
             run: eval \"$(aws configure export-credentials --profile work --format env)\"",
            ErrorKind::NoCredentials,
        ),
        (
            role.to_owned(),
            "PATH:2: profile \"work\" has role_arn and nothing to assume it with; add source_profile, \
             credential_source or web_identity_token_file",
            ErrorKind::NoCredentials,
        ),
        (
            format!("{role}source_profile = base\ncredential_source = Environment\n"),
            "PATH:4: profile \"work\" has source_profile and credential_source; keep one",
            ErrorKind::InvalidInput,
        ),
        (
            format!("{role}source_profile = bas\n"),
            "PATH:3: source_profile: profile \"bas\" is not in FILES; there are base, empty, work",
            ErrorKind::InvalidInput,
        ),
        (
            format!("{role}source_profile = empty\n"),
            "PATH:3: source_profile \"empty\" has no credentials",
            ErrorKind::NoCredentials,
        ),
        (
            format!("{role}source_profile = other\n[profile other]\nrole_arn = x\nsource_profile = work\n"),
            "PATH:6: source_profile goes in a circle: work -> other -> work",
            ErrorKind::NoCredentials,
        ),
        (
            format!("{role}source_profile = base\nduration_seconds = 1h\n"),
            "PATH:4: duration_seconds is \"1h\"; it must be a number from 900 (15 minutes) to 43200 (12 hours)",
            ErrorKind::InvalidInput,
        ),
        (
            "aws_access_key_id = A\n".to_owned(),
            "PATH:2: profile \"work\" has aws_access_key_id and no aws_secret_access_key",
            ErrorKind::NoCredentials,
        ),
        (
            "login_session = arn:aws:iam::1:user/me\n".to_owned(),
            "PATH:2: profile \"work\" is one of `aws login` (login_session), which is not read here",
            ErrorKind::NoCredentials,
        ),
        (
            format!("{role}source_profile = other\n[profile other]\nlogin_session = arn:aws:iam::1:user/me\n"),
            "PATH:5: profile \"other\" is one of `aws login` (login_session), which is not read here",
            ErrorKind::NoCredentials,
        ),
        (
            "credential_process = \"/bin/keys\n".to_owned(),
            "PATH:2: credential_process has a quote without its end",
            ErrorKind::InvalidInput,
        ),
        (
            "sso_session = corp\n".to_owned(),
            "PATH:2: there is no [sso-session corp]; add it, or run: aws configure sso",
            ErrorKind::InvalidInput,
        ),
        (
            "sso_session = corp\n[sso-session corp]\nsso_start_url = https://x\n".to_owned(),
            "PATH:3: SSO of profile \"work\" needs sso_region",
            ErrorKind::NoCredentials,
        ),
        (
            "sso_session = corp\n[sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\n".to_owned(),
            "PATH:2: SSO of profile \"work\" needs sso_account_id",
            ErrorKind::NoCredentials,
        ),
        (
            "sso_start_url = https://x\nsso_region = eu-west-1\nsso_account_id = 1\n".to_owned(),
            "PATH:2: SSO of profile \"work\" needs sso_role_name",
            ErrorKind::NoCredentials,
        ),
        (
            "sso_session = corp\nsso_region = us-east-1\n\
             [sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\n"
                .to_owned(),
            "PATH:3: sso_region is another than that of [sso-session corp]; keep one",
            ErrorKind::InvalidInput,
        ),
    ] {
        let config = format!(
            "[profile work]\n{config}[profile base]\naws_access_key_id = A\naws_secret_access_key = s3cr3t\n\
             [profile empty]\nregion = x\n"
        );
        let files = format!("{path} or {}/.aws/credentials", folder.path().display());
        let line = line.replace("PATH", &path).replace("FILES", &files);
        assert_eq!(failure(with_config(&folder, &config, &[])).await, (line, kind));
    }
}

/// Earlier sources make the profile needless, and so what is wrong with it.
#[tokio::test]
async fn a_profile_that_is_not_needed_may_lead_nowhere() {
    let folder = Folder::new("needless");
    let config = "[profile work]\nrole_arn = x\nmfa_serial = y\nsource_profile = z\n";
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "s3cr3t")];
    assert_eq!(key_id(with_config(&folder, config, &keys)).await, "AKIDENV");
}

#[tokio::test]
async fn what_was_skipped_is_told_where_a_profile_is_missed() {
    let folder = Folder::new("skipped");
    let path = folder.path().join("config").display().to_string();
    let error = with_config(&folder, "[work]\nregion = eu-west-1\n", &[]).build().unwrap_err();
    assert!(error.to_string().starts_with("AWS_PROFILE: profile \"work\" is not in "), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.starts_with(&format!("{path}:1: skipped: a section of the config file is [default]")), "{hint}");
}
