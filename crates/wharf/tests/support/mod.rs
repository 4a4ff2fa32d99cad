//! What the failure tests share: a scripted server, a fake clock, a fake transport.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]
#![allow(unreachable_pub, reason = "a module of several test crates")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "for tests")]

mod clock;
mod hostile;
mod server;
mod tls;
mod transport;
pub mod upload;

pub use clock::FakeClock;
pub use hostile::{Attack, Harm, Hostile, Point};
pub use server::{Conn, Head, Server, soon};
pub use tls::tls;
pub use transport::{Fake, answer, client_of_one_that_says, drain};

use wharf::{Client, ClientBuilder, Error};

pub const ACCESS_KEY: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/SECRETSECRET";

/// A client of `url` that sees nothing of this machine's environment and never really waits before a retry.
pub fn client_of(url: impl Into<String>) -> ClientBuilder {
    Client::builder().environment(|_| None).endpoint(url).credentials(ACCESS_KEY, SECRET).clock(FakeClock::default())
}

/// The error's line, with what differs from run to run masked: request ids and the port of a loopback server.
pub fn line(error: &Error) -> String {
    let line = error.to_string();
    assert!(!line.contains('\n'), "more than a line: {line:?}");
    let line = mask(&line, ", request ", "ID", |c| c.is_ascii_alphanumeric());
    mask(&line, "127.0.0.1:", "PORT", |c| c.is_ascii_digit())
}

fn mask(text: &str, before: &str, with: &str, masked: impl Fn(char) -> bool) -> String {
    let mut parts = text.split(before);
    let mut masked_text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(&masked);
        let shown = if rest.len() < part.len() { with } else { "" };
        masked_text.extend([before, shown, rest]);
    }
    masked_text
}

/// S3's error document.
pub fn error_document(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>4442587FB7D0A2F9</RequestId></Error>"
    )
}
