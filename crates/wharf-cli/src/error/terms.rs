//! What the library says, in the terms of the command.

use wharf::ErrorKind;

pub(super) const SAY_REGION: &str = "say --region, set AWS_REGION, or put region into the profile";

/// The library's hint in the command's terms, and what the command knows beside it.
pub(super) fn hint(error: &wharf::Error) -> Option<String> {
    match (error.kind(), error.region()) {
        _ if error.code() == Some("IllegalLocationConstraintException") => {
            Some("leave --region out, or say the server's own".to_owned())
        }
        (ErrorKind::WrongRegion, Some(region)) => Some(format!("say --region {region}")),
        (ErrorKind::WrongRegion, None) => Some("say the bucket's region with --region".to_owned()),
        (ErrorKind::InvalidCredentials, _) => {
            error.hint().map(|hint| format!("{}; `wharf whoami` says where the keys are from", by_option(hint)))
        }
        // Its answer has no body that could say why.
        _ if is_wordless(error) => Some(
            "the credentials may have expired, --sse-c be missing or wrong (in a copy --sse-c-copy-source), or no version \
             have that id"
                .to_owned(),
        ),
        _ => error.hint().map(by_option),
    }
}

/// Whether a HEAD was refused without a word.
fn is_wordless(error: &wharf::Error) -> bool {
    let is_bad_request = error.status().is_some_and(|status| status == 400);
    is_bad_request && error.operation() == Some("HeadObject") && error.code().is_none()
}

/// What the library calls by a method, and what the command has for it.
pub(super) const BY_OPTION: [(&str, &str); 28] = [
    (
        "say .credentials(id, secret), set the environment, name a profile, or be .anonymous()",
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with --profile, or read what is public with \
         --no-sign-request; `wharf whoami` shows what is set",
    ),
    ("set AWS_REGION, put region into the profile, or say .region(\"eu-west-1\")", SAY_REGION),
    (
        "a certificate of your own is trusted by AWS_CA_BUNDLE or .root_certificates_pem()",
        "name the file of the certificate with --ca-bundle, or put it into the system's store",
    ),
    ("add some with root_certificates_pem()", "name a file of them with --ca-bundle"),
    ("`trust_etags(true)`", "--trust-etags"),
    ("`trust_etags(false)`", "--trust-etags=false"),
    ("ClientBuilder::unsigned_payload", "--unsigned-payload"),
    (
        "Client::probe finds out what it really does, ClientBuilder::assume_conditions sends conditions all the same",
        "say --provider if it is another",
    ),
    ("use AddressingStyle::Path", "set addressing_style = path under s3 in the profile"),
    ("leave AddressingStyle::Path out", "leave addressing_style = path out of the profile"),
    (" or leave them behind by replace_metadata()", " or leave them behind by --metadata-directive REPLACE"),
    ("with checksum_algorithm()", "with --checksum-algorithm"),
    ("ask for .concurrency(1), not resumable", "say --no-resume, and a --part-size of the whole object"),
    (", or ask for the rest by .range() and .if_match()", ""),
    (
        "list one page after the other, without .parallel()",
        "say --provider seaweedfs: it is listed one page after the other then, as a server without order is",
    ),
    ("make the call again", "run it again"),
    ("the same call goes on", "the same command goes on"),
    ("Client::interrupted_transfers tells what was kept, to remove it", "`wharf rm S3_URL --incomplete` gives it up"),
    (", which Interrupted::list finds", ""),
    ("list what was interrupted again", "run it again"),
    ("list_multipart_uploads shows it", "`wharf rm URL --incomplete --dryrun` shows it"),
    (".journal_dir() names one", "with --no-resume none is needed"),
    (", or let create_directories() do so", ""),
    ("overwrite(true) replaces it", "without --no-overwrite it is replaced"),
    ("open it and give a Writer", "write to standard output: `wharf cp URL - > FILE`"),
    ("a longer patience goes on trying", "a longer --patience goes on trying"),
    ("all the same: Upload::write_id finds out", "all the same: the same command again does no harm"),
    (
        "and what stands there may be what this call wrote: Upload::write_id finds out",
        "and it may be stored: the same command again does no harm",
    ),
];

/// The same text, where it speaks of a method that the command has an option for.
pub(crate) fn by_option(text: &str) -> String {
    // The name is the one that the option takes, in small letters.
    if let Some((claim, provider)) = text.split_once("tell the client: .provider(Provider::") {
        return format!("{claim}say --provider {}", provider.trim_end_matches(')').to_ascii_lowercase());
    }
    BY_OPTION.iter().fold(text.to_owned(), |text, (method, option)| text.replace(method, option))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// All texts in a crate's sources, but for those of its tests.
    fn texts(crate_name: &str) -> Vec<String> {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_name).join("src")];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.file_stem().unwrap() == "tests" {
                    true => {}
                    false if path.is_dir() => folders.push(path),
                    false => found.extend(literals(&fs::read_to_string(path).unwrap())),
                }
            }
        }
        found
    }

    /// The texts between quotes, with the lines of each joined.
    fn literals(source: &str) -> Vec<String> {
        let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let is_comment = |line: &&str| line.trim_start().starts_with("//");
        let code: String = source.split_inclusive('\n').filter(|line| !is_comment(line)).collect();
        let code = code.replace("'\"'", "").replace("b'\"'", "").replace("'\\\"'", "");
        let (mut found, mut rest) = (Vec::new(), code.as_str());
        while let Some((_, inside)) = rest.split_once('"') {
            let (mut text, mut letters) = (String::new(), inside.chars());
            loop {
                match letters.next() {
                    None | Some('"') => break,
                    Some('\\') => match letters.next() {
                        Some('\n') => letters = letters.as_str().trim_start().chars(),
                        letter => text.extend(letter),
                    },
                    Some(letter) => text.push(letter),
                }
            }
            found.push(text);
            rest = letters.as_str();
        }
        found
    }

    /// Whether a text for people speaks of a method or a type.
    fn speaks_of_code(text: &str) -> bool {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let last_word = |at: usize| text[..at].rsplit(|letter| !is_name(letter)).next().unwrap();
        // `Once(3 bytes)` is how a value is written for debugging.
        let is_call = |(at, _): (usize, &str)| last_word(at).starts_with(|letter: char| letter.is_ascii_lowercase());
        let is_path = |(at, _): (usize, &str)| {
            !last_word(at).is_empty() && text[at + 2..].starts_with(|letter: char| letter.is_ascii_alphabetic())
        };
        text.contains(' ') && (text.match_indices('(').any(is_call) || text.match_indices("::").any(is_path))
    }

    /// What no command gives a reason for: what a program's author reads of its code, and what the command never asks for.
    const UNSAID: [&str; 19] = [
        "Interrupted::list of its journal_dir tells what was kept",
        "or use wharf::blocking",
        "in what the client itself runs",
        "the calls of this one are awaited",
        "a body of unknown length may have at most 16 MiB in one request",
        "a file is named by a `Path`",
        "a folder is named by a `Path`",
        "leave .resumable() out",
        "which transport() takes the place of",
        "max_attempts(0) sends nothing",
        "Duration::MAX means no limit",
        "a value of your own goes as",
        "read .bytes() or .stream() and decode it",
        "raise .limit()",
        "read .records()",
        "read .xml()",
        "read .json::<Vec<_>>()",
        "read it with .stream() and a parser that can be told",
        "write what is nested as Json(list)",
    ];

    #[test]
    fn what_to_do_is_said_in_the_commands_terms() {
        let library: Vec<_> = ["wharf", "wharf-proto", "wharf-transport"].into_iter().flat_map(texts).collect();
        for said in BY_OPTION.map(|(method, _)| method).iter().chain(&UNSAID) {
            assert!(library.iter().any(|text| text.contains(said)), "the library does not say {said:?} any more");
        }
        let left: Vec<_> = library
            .iter()
            .filter(|text| !UNSAID.iter().any(|unsaid| text.contains(unsaid)))
            .map(|text| by_option(text))
            .filter(|text| speaks_of_code(text))
            .collect();
        assert!(left.is_empty(), "these want a row in BY_OPTION, or one in UNSAID: {left:#?}");
        assert_eq!(
            by_option("download it again; or its ETags are no MD5s: say `trust_etags(false)`"),
            "download it again; or its ETags are no MD5s: say --trust-etags=false"
        );
        assert_eq!(
            by_option("if this is Ceph, as it says, tell the client: .provider(Provider::Ceph)"),
            "if this is Ceph, as it says, say --provider ceph"
        );
        let hint = r#"    // not "x::y"
            .with_hint("see \"a\" or \
                        .limit(), as in A::b")"#;
        assert_eq!(literals(hint), ["see \"a\" or .limit(), as in A::b"]);
        assert!(speaks_of_code("see .limit()") && speaks_of_code("see A::b") && !speaks_of_code("at [ec2::1] (or: a)"));
    }
}
