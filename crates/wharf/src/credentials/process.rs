//! `credential_process`: a program that prints credentials.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;
use wharf_proto::Error;

use super::service::{self, Keys};
use super::{CredentialsFuture, ProvideCredentials, none};
use crate::settings::Origin;

/// A program that has not ended by then is ended.
const LIMIT: Duration = Duration::from_secs(60);

/// What is kept of what it prints.
const MAX_OUTPUT: usize = 64 * 1024;

/// The command of a profile, and where it stands.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) program: String,
    pub(crate) origin: Origin,
    arguments: Vec<String>,
}

/// Arguments can hold secrets.
impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("program", &self.program).field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Process {
    /// Splits the command into words.
    pub(crate) fn parse(command: &str, origin: Origin) -> Result<Self, Error> {
        let words = split(command, cfg!(windows))
            .ok_or_else(|| Error::invalid_input(format!("{origin}: credential_process has a quote without its end")))?;
        let mut words = words.into_iter();
        let program = words
            .next()
            .ok_or_else(|| Error::invalid_input(format!("{origin}: credential_process names no program")))?;
        Ok(Self { program, origin, arguments: words.collect() })
    }
}

/// Words as the AWS command line splits them, without a shell: white space separates, quotes hold together, and a
/// backslash takes the next character as it is. On Windows only double quotes hold together, and a backslash means
/// itself but before one of them.
fn split(command: &str, windows: bool) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = command.chars().peekable();
    while let Some(c) = characters.next() {
        let is_quote = c == '"' || c == '\'' && !windows;
        match quote {
            Some(end) if c == end => quote = None,
            Some('\'') => word.get_or_insert_default().push(c),
            None if is_quote => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => {
                let escapes = c == '\\'
                    && match characters.peek() {
                        Some('"') => true,
                        Some('\\') => !windows,
                        // Within double quotes a backslash before anything else means itself.
                        Some(_) => quote.is_none() && !windows,
                        None => false,
                    };
                let c = if escapes { characters.next().unwrap_or(c) } else { c };
                word.get_or_insert_default().push(c);
            }
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

pub(crate) struct ProcessProvider(pub(super) Process);

impl ProvideCredentials for ProcessProvider {
    fn credentials(&self) -> CredentialsFuture<'_> {
        Box::pin(async move {
            let Process { program, origin, arguments } = &self.0;
            let what = format!("{origin}: credential_process {program:?}");
            let mut command = Command::new(program);
            command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
            let run = timeout(LIMIT, run(command)).await;
            let run = run.map_err(|_| none(format!("{what} did not end within {LIMIT:?}")))?;
            let output = run.map_err(|error| none(format!("{what} cannot be run: {error}")).with_cause(error))?;
            if !output.status.success() {
                let said = last_words(&output.stderr);
                return Err(none(format!("{what} failed, {}{said}", output.status)));
            }
            read(&what, &output.stdout)
        })
    }
}

/// What a process printed, and how it ended.
struct Output {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

async fn run(mut command: Command) -> std::io::Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    // Both at once, for a program whose complaint is not read may wait for ever. The task ends with the program.
    let stderr = tokio::spawn(keep(child.stderr.take()));
    let stdout = keep(child.stdout.take()).await?;
    let status = child.wait().await?;
    let stderr = stderr.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))?;
    Ok(Output { status, stdout, stderr })
}

/// Reads to the end, and keeps the beginning.
async fn keep(stream: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return Ok(kept) };
    let mut piece = [0; 4096];
    loop {
        match stream.read(&mut piece).await? {
            0 => return Ok(kept),
            count => {
                let room = MAX_OUTPUT - kept.len();
                kept.extend_from_slice(&piece[..count.min(room)]);
            }
        }
    }
}

fn read(what: &str, stdout: &[u8]) -> Result<wharf_proto::Credentials, Error> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Version {
        version: Option<u32>,
    }
    if stdout.trim_ascii().is_empty() {
        return Err(none(format!(
            "{what} printed nothing; it must print JSON with Version, AccessKeyId and SecretAccessKey"
        )));
    }
    match service::json::<Version>(what, stdout)?.version {
        Some(1) => {}
        Some(version) => return Err(none(format!("{what} printed \"Version\": {version}; only 1 is known"))),
        None => return Err(none(format!("{what} printed JSON without \"Version\": 1"))),
    }
    service::json::<Keys>(what, stdout)?.credentials(what)
}

/// The last line that a program complained with, with what may be a secret taken out.
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let Some(line) = text.lines().rev().map(str::trim).find(|line| !line.is_empty()) else {
        return ", and said nothing".to_owned();
    };
    let mut shown = String::from(": ");
    let mut hide_next = false;
    for word in line.split_inclusive([' ', '\t', '=', ':', ',', '"', '\'']) {
        let bare = word.trim_end_matches([' ', '\t', '=', ':', ',', '"', '\'']);
        if bare.is_empty() {
            shown.push_str(word);
            continue;
        }
        if hide_next || looks_secret(bare) {
            shown.push_str("(hidden)");
            shown.push_str(&word[bare.len()..]);
        } else {
            shown.push_str(word);
        }
        hide_next = names_a_secret(bare, &word[bare.len()..]);
    }
    shown.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

/// Whether what follows a word is the secret that it names: `password: x`, `SecretAccessKey x`.
fn names_a_secret(word: &str, separator: &str) -> bool {
    let word = word.to_ascii_lowercase().replace('_', "");
    let is_name = ["secret", "token", "password"].iter().any(|name| word.ends_with(name));
    ["secretaccesskey", "sessiontoken"].iter().any(|name| word.ends_with(name))
        || is_name && !separator.chars().all(char::is_whitespace)
}

/// Long, and of letters in both cases and digits: what keys and tokens look like, and words do not.
fn looks_secret(word: &str) -> bool {
    let has = |test: fn(&u8) -> bool| word.as_bytes().iter().any(test);
    word.len() >= 32 && has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command() {
        for (command, words) in [
            ("/bin/keys --for me", vec!["/bin/keys", "--for", "me"]),
            ("  a\tb  ", vec!["a", "b"]),
            (r#""/opt/my tools/keys" "two words" plain"#, vec!["/opt/my tools/keys", "two words", "plain"]),
            (r#"a 'b "c" d' e"#, vec!["a", r#"b "c" d"#, "e"]),
            (r#"a "b \"c\" \\ \d" e"#, vec!["a", r#"b "c" \ \d"#, "e"]),
            (r"a b\ c \\ \'", vec!["a", "b c", r"\", "'"]),
            (r#"a "" ''"#, vec!["a", "", ""]),
            (r#"--x="y z""#, vec!["--x=y z"]),
            ("a $HOME ; b | c", vec!["a", "$HOME", ";", "b", "|", "c"]),
        ] {
            assert_eq!(split(command, false).unwrap(), words, "{command}");
        }
        assert_eq!(
            split(r#""C:\my tools\keys.exe" C:\x it's "a\"b""#, true).unwrap(),
            [r"C:\my tools\keys.exe", r"C:\x", "it's", "a\"b"]
        );
        assert!(split("a 'b", false).is_none() && split("a \"b", true).is_none());
    }

    #[test]
    fn what_a_program_complains_with_holds_no_secret() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for (stderr, shown) in [
            (format!("start\nbad key {secret} given\n\n"), ": bad key (hidden) given"),
            (format!("SecretAccessKey={secret}"), ": SecretAccessKey=(hidden)"),
            ("the password: hunter2 is wrong".to_owned(), ": the password: (hidden) is wrong"),
            ("\"SessionToken\": \"short\" x".to_owned(), ": \"SessionToken\": \"(hidden)\" x"),
            ("no such token file".to_owned(), ": no such token file"),
            (
                "the token has expired; sign in at https://sso.example.com/start".to_owned(),
                ": the token has expired; sign in at https://sso.example.com/start",
            ),
            (String::new(), ", and said nothing"),
        ] {
            let words = last_words(stderr.as_bytes());
            assert_eq!(words, shown);
            assert!(!words.contains(secret));
        }
    }
}
