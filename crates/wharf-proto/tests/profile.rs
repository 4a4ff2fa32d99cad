//! The config and credentials files: what is read, what is refused, what never shows.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]
#![allow(clippy::disallowed_methods, reason = "published cases are read where they are at hand")]

use std::collections::BTreeMap;

use wharf_proto::profile::{FileKind, ProfileError, Profiles, Property, Section};

use FileKind::{Config, Credentials};

fn config(text: &str) -> Profiles {
    Profiles::parse(Config, text).unwrap()
}

fn merged(config_text: &str, credentials: &str) -> Profiles {
    Profiles::merge(config(config_text), Profiles::parse(Credentials, credentials).unwrap())
}

fn get<'a>(profiles: &'a Profiles, profile: &str, name: &str) -> Option<&'a Property> {
    profiles.profile(profile)?.get(name)
}

fn value<'a>(profiles: &'a Profiles, profile: &str, name: &str) -> Option<&'a str> {
    get(profiles, profile, name).map(Property::value)
}

fn names(profiles: &Profiles) -> Vec<&str> {
    profiles.profiles().map(|(name, _)| name).collect()
}

#[test]
fn headers() {
    let text = "[profile some-thing:long/the_one%only.foo@bar+]\n[profile foo!bar]\n[profile \tfoo \t]\n\
                [profile\ttab]\n[   profile spaced    ]\n[profilefoo]\n[foo2]\n[profile]\n[]\n[default]\n[profile in valid]";
    let read = config(text);
    assert_eq!(names(&read), ["default", "foo", "some-thing:long/the_one%only.foo@bar+", "spaced", "tab"]);
    let skipped: Vec<_> = read.warnings().iter().map(|warning| warning.line).collect();
    assert_eq!(skipped, [2, 6, 7, 8, 9, 11]);
    let read =
        Profiles::parse(Credentials, "[   foo    ]\n[profile bar]\n[in valid]\n[sso-sessionfoo]\n[default]").unwrap();
    assert_eq!(names(&read), ["default", "foo", "sso-sessionfoo"]);
    assert_eq!(
        read.warnings()[0].to_string(),
        "AWS credentials file, line 2: skipped: in the credentials file a profile is [NAME], without the word profile"
    );
}

#[test]
fn what_is_skipped_takes_its_lines_along() {
    let read = config(
        "[profile foo]\nname = 1\n[profile in valid]\nx = 1\n  more\n[profile bar]\nin valid = 2\n  more\ny = 3",
    );
    let read: Vec<_> = read.profiles().map(|(name, section)| (name, flat(section))).collect();
    let expected = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    assert_eq!(read, [("bar", expected("y", "3")), ("foo", expected("name", "1"))]);
}

#[test]
fn values_comments_and_white_space() {
    let text = "\u{feff}; Comment\r\n\t # indented comment\r\n[profile foo]# Adjacent\r\nName \t=  \tval=ue # c ; d \t\r\n\
                adjacent = value; not a comment\nempty =\nhash = #x\nemptied = # c\nlast = 1\nlast = 2";
    let read = config(text);
    assert_eq!(value(&read, "foo", "name"), Some("val=ue"));
    assert_eq!(value(&read, "foo", "adjacent"), Some("value; not a comment"));
    assert_eq!(value(&read, "foo", "empty"), Some(""));
    assert_eq!(value(&read, "foo", "hash"), Some(""), "the space before # makes it a comment");
    assert_eq!(value(&read, "foo", "emptied"), Some(""));
    assert_eq!(value(&read, "foo", "last"), Some("2"));
    assert_eq!(get(&read, "foo", "name").unwrap().line(), 4);
    assert_eq!(read.profile("foo").unwrap().line(), 3);
    assert_eq!(read.warnings(), []);
}

#[test]
fn continuations_and_sub_properties() {
    let text = "[profile foo]\nname = value\n \t -continued # kept \t \n\n -more\ns3 =\n\
                \x20 Addressing_Style = path # c\n\
                \t \n  # a comment\n  empty =\nregion = x\n[services local]\ns3 =\n  endpoint_url = http://localhost:9000";
    let read = config(text);
    assert_eq!(value(&read, "foo", "name"), Some("value\n-continued # kept\n-more"));
    let s3 = get(&read, "foo", "s3").unwrap();
    assert_eq!(s3.value(), "\nAddressing_Style = path # c\nempty =");
    let nested: Vec<_> = s3.sub_properties().map(|(name, nested)| (name, nested.value(), nested.line())).collect();
    assert_eq!(nested, [("addressing_style", "path", 7), ("empty", "", 10)]);
    assert_eq!(value(&read, "foo", "region"), Some("x"));
    let endpoint = read.services("local").unwrap().get("s3").unwrap().sub_property("endpoint_url").unwrap();
    assert_eq!((endpoint.value(), endpoint.line()), ("http://localhost:9000", 14));
    assert!(read.profile("local").is_none() && read.services("foo").is_none());
}

#[test]
fn sso_sessions_stand_apart() {
    let read =
        config("[sso-session corp]\nsso_region = eu-west-1\n[sso-sesion typo]\n[profile bar]\nsso_session = corp");
    assert_eq!(names(&read), ["bar"]);
    assert_eq!(read.sso_sessions().map(|(name, _)| name).collect::<Vec<_>>(), ["corp"]);
    assert_eq!(read.sso_session("corp").unwrap().get("sso_region").unwrap().value(), "eu-west-1");
}

#[test]
fn default_with_the_prefix_displaces_the_one_without() {
    let config =
        "[default]\nname2 = 2\n[profile default]\nname = 1\n[default]\nname3 = 3\n[profile default]\nname4 = 4";
    let read = merged(config, "[default]\naws_access_key_id = AKIDEXAMPLE");
    let expected = [("aws_access_key_id", "AKIDEXAMPLE"), ("name", "1"), ("name4", "4")];
    assert_eq!(flat(read.profile("default").unwrap()), BTreeMap::from(expected.map(|(n, v)| (n.into(), v.into()))));
    assert_eq!(read.warnings().iter().map(|warning| warning.line).collect::<Vec<_>>(), [1, 5]);
}

#[test]
fn the_credentials_file_wins_and_says_so() {
    let read = merged("[profile foo]\nname = 1\nother = 2", "\n[foo]\nNAME = 3\n[bar]");
    let name = get(&read, "foo", "name").unwrap();
    assert_eq!((name.value(), name.file(), name.line()), ("3", Credentials, 3));
    let other = get(&read, "foo", "other").unwrap();
    assert_eq!((other.value(), other.file(), other.line()), ("2", Config, 3));
    let (foo, bar) = (read.profile("foo").unwrap(), read.profile("bar").unwrap());
    assert_eq!((foo.file(), foo.line(), bar.file(), bar.line()), (Config, 1, Credentials, 4));
}

#[test]
fn errors_name_the_line_and_the_cure() {
    let rows = [
        ("name = value", 1, "Expected a profile definition; start the file with [default] or [profile work]"),
        ("\n -continued", 2, "Expected a profile definition; start the file with [default] or [profile work]"),
        ("[default]\n\n[profile foo", 3, PROFILE_END),
        ("[profile foo] bar", 1, PROFILE_END),
        (
            "[default]\nkey : value",
            2,
            "Expected an '=' sign defining a property; write it as name = value, on one line",
        ),
        (
            "[default]\nkey # = value",
            2,
            "Expected an '=' sign defining a property; write it as name = value, on one line",
        ),
        ("[default]\n= value", 2, "Property did not have a name; write it as name = value"),
        ("[default]\n -continued", 2, STRAY),
        ("[default]\nname = value\n[profile foo]\n -continued", 4, STRAY),
        (
            "[default]\ns3 =\n invalid",
            3,
            "Expected an '=' sign defining a sub-property; write it indented, as name = value",
        ),
        ("[default]\ns3 =\n = value", 3, "Sub-property did not have a name; write it indented, as name = value"),
    ];
    for (text, line, message) in rows {
        let error = Profiles::parse(Config, text).unwrap_err();
        assert_eq!(error.to_string(), format!("AWS config file, line {line}: {message}"), "{text:?}");
    }
    let error = Profiles::parse(Credentials, "x = 1").unwrap_err();
    assert_eq!((error.file, error.line), (Credentials, 1));
    assert!(error.message.ends_with("start the file with [default] or [work]"));
}

const PROFILE_END: &str = "Profile definition must end with ']'; write it as [profile work] on a line of its own";
const STRAY: &str =
    "Expected a property definition, found continuation; remove the white space at the start of the line";

#[test]
fn secrets_never_show() {
    const SECRET: &str = "wJalrXUtnFEMI";
    let read = merged(
        &format!(
            "[profile a]\nregion = eu-west-1\n  aws_secret_access_key = {SECRET}\ns3 =\n  aws_session_token = {SECRET}\n\
             proxy_password = {SECRET}\ncredential_process = /bin/keys --key {SECRET}"
        ),
        &format!(
            "[a]\naws_access_key_id = AKIDEXAMPLE\nAWS_Secret_Access_Key = {SECRET}\n  {SECRET}\n\
             aws_session_token = {SECRET}"
        ),
    );
    let shown = format!("{read:?} {:#?} {:?}", read, get(&read, "a", "aws_secret_access_key"));
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(shown.contains("AKIDEXAMPLE") && shown.contains("eu-west-1") && shown.contains("<secret>"), "{shown}");
    assert_eq!(value(&read, "a", "aws_secret_access_key"), Some(format!("{SECRET}\n{SECRET}").as_str()));
    assert!(get(&read, "a", "aws_session_token").unwrap().is_secret());
    assert!(!get(&read, "a", "aws_access_key_id").unwrap().is_secret());
    assert!(get(&read, "a", "credential_process").unwrap().is_secret());
    // The secret that was indented by mistake is part of the region: that is worth a warning.
    assert_eq!(read.warnings().iter().map(|warning| warning.line).collect::<Vec<_>>(), [3]);
    for text in [
        "S",
        "[default]\nS",
        "[default]\n S",
        "[S",
        "[a] S",
        "[default]\n=S",
        "[default]\na =\n S",
        "[default]\na =\n =S",
    ] {
        let error: ProfileError = Profiles::parse(Credentials, &text.replace('S', SECRET)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(SECRET), "{text:?}");
    }
    // A pasted secret with base64 padding reads as a property whose name is not valid, or as one without a value.
    let read = Profiles::parse(Credentials, &format!("[a]\n{SECRET}&=\n[!{SECRET}]")).unwrap();
    assert!(!format!("{read:?}").contains(SECRET));
    assert_eq!(read.warnings().len(), 2);
}

#[test]
fn any_text_is_read_or_refused() {
    // Every string of up to 5 pieces over an alphabet of what means something to the parser.
    let pieces = ["[", "]", "=", "\n", " ", "#", "profile ", "a", "\r\n", "é", "\u{3000}"];
    for mut index in 0..pieces.len().pow(5) {
        let mut text = String::from("[default]\n");
        for _ in 0..5 {
            text.push_str(pieces[index % pieces.len()]);
            index /= pieces.len();
        }
        for file in [Config, Credentials] {
            if let Err(error) = Profiles::parse(file, &text) {
                assert!((1..=7).contains(&error.line), "{text:?}: {error}");
            }
        }
    }
}

fn flat(section: &Section) -> BTreeMap<String, String> {
    section.properties().map(|(name, property)| (name.to_owned(), property.value().to_owned())).collect()
}

/// The published cases, all of them, where they are at hand.
#[cfg(feature = "json")]
mod published {
    use super::*;
    use serde_json::Value;

    type Sections = BTreeMap<String, BTreeMap<String, String>>;

    #[test]
    fn parser_cases() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/profile-parser-tests.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: the published parser cases are not here");
            return;
        };
        let cases: Value = serde_json::from_str(&text).unwrap();
        let cases = cases["tests"].as_array().unwrap();
        assert_eq!(cases.len(), 65);
        for case in cases {
            let read = |kind, name: &str| Profiles::parse(kind, case["input"][name].as_str().unwrap_or_default());
            let result = read(Config, "configFile")
                .and_then(|config| Ok(Profiles::merge(config, read(Credentials, "credentialsFile")?)));
            match (result, case["output"]["errorContaining"].as_str()) {
                (Ok(profiles), None) => {
                    let expected = |name: &str| sections(&case["output"]["config"][name]);
                    assert_eq!(flatten(profiles.profiles()), expected("profiles"), "{}", case["name"]);
                    assert_eq!(flatten(profiles.sso_sessions()), expected("sso_sessions"), "{}", case["name"]);
                }
                (Err(error), Some(text)) => assert!(error.to_string().contains(text), "{}: {error}", case["name"]),
                (result, text) => panic!("{}: {result:?}, expected error: {text:?}", case["name"]),
            }
        }
    }

    fn sections(value: &Value) -> Sections {
        if value.is_null() { Sections::new() } else { serde_json::from_value(value.clone()).unwrap() }
    }

    fn flatten<'a>(sections: impl Iterator<Item = (&'a str, &'a Section)>) -> Sections {
        sections.map(|(name, section)| (name.to_owned(), flat(section))).collect()
    }
}
