//! Signature Version 4 of requests whose shape is known: the key of the day is kept, nothing is sorted.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Any moment will do: the sink does not look.
const DATE: &str = "20261125";
const TIME: &str = "20261125T120000Z";

pub struct Signer {
    key: Hmac<Sha256>,
    host: String,
}

impl Signer {
    pub fn new(host: &str) -> Self {
        let mut key = mac(format!("AWS4{}", job::SECRET_KEY).as_bytes(), DATE.as_bytes());
        for word in [job::REGION, "s3", "aws4_request"] {
            key = mac(&key, word.as_bytes());
        }
        Self { key: keyed(&key), host: host.to_owned() }
    }

    /// Puts the head of a request into `head`. `content` is the hash of the body, or what stands for it; `headers` are
    /// the others that S3 wants signed, in order, each with its line's end.
    pub fn head(
        &self,
        head: &mut String,
        [method, path, query]: [&str; 3],
        content: &str,
        headers: &[(&str, &str)],
        unsigned: &str,
    ) {
        head.clear();
        let mut canonical = String::with_capacity(512);
        let mut names = String::with_capacity(128);
        let _ = write!(canonical, "{method}\n{path}\n{query}\nhost:{}\n", self.host);
        names.push_str("host");
        let fixed = [("x-amz-content-sha256", content), ("x-amz-date", TIME)];
        let (before, after): (Vec<_>, Vec<_>) = headers.iter().partition(|(name, _)| *name < fixed[0].0);
        let (between, after): (Vec<_>, Vec<_>) = after.into_iter().partition(|(name, _)| *name < fixed[1].0);
        let all = before.into_iter().chain([fixed[0]]).chain(between).chain([fixed[1]]).chain(after);
        let _ = write!(
            head,
            "{method} {path}{}{query} HTTP/1.1\r\nhost: {}\r\n",
            if query.is_empty() { "" } else { "?" },
            self.host
        );
        for (name, value) in all {
            canonical.push_str(name);
            canonical.push(':');
            canonical.push_str(value);
            canonical.push('\n');
            names.push(';');
            names.push_str(name);
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        let _ = write!(canonical, "\n{names}\n{content}");
        let mut to_sign = String::with_capacity(160);
        let _ = write!(to_sign, "AWS4-HMAC-SHA256\n{TIME}\n{DATE}/{}/s3/aws4_request\n", job::REGION);
        hex(&mut to_sign, &Sha256::digest(canonical.as_bytes()));
        let _ = write!(
            head,
            "authorization: AWS4-HMAC-SHA256 Credential={}/{DATE}/{}/s3/aws4_request,SignedHeaders={names},Signature=",
            job::ACCESS_KEY,
            job::REGION
        );
        let mut signature = self.key.clone();
        signature.update(to_sign.as_bytes());
        hex(head, &signature.finalize().into_bytes());
        head.push_str("\r\n");
        head.push_str(unsigned);
        head.push_str("\r\n");
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length.
    Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!())
}

fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Appends these bytes as hexadecimal digits.
pub fn hex(to: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        to.push(char::from(DIGITS[usize::from(byte >> 4)]));
        to.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
