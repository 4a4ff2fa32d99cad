//! All keys, a page after another, into values that own what they hold. The page is scanned for the tags that matter in
//! the order in which S3 sends them.

use job::{BUCKET, Job, LIST_PREFIX, Result};
use memchr::{memchr, memmem};
use wire::{Http, Wire};

use crate::connection::{Talk, answer, with};
use crate::sign::Signer;

/// What a program would keep of an object.
pub struct Listed {
    pub key: String,
    pub last_modified: i64,
    pub etag: String,
    pub size: u64,
    pub is_standard: bool,
}

pub fn all(job: &Job) -> Result {
    with(job, List(job))
}

struct List<'a>(&'a Job);

impl Talk for List<'_> {
    fn over<W: Wire>(self, connect: &mut dyn FnMut() -> Result<Http<W>>) -> Result {
        let Self(job) = self;
        let signer = Signer::new(job.authority());
        let mut http = connect()?;
        let path = format!("/{BUCKET}");
        let prefix = LIST_PREFIX.replace('/', "%2F");
        let (mut head, mut page) = (String::new(), Vec::new());
        let mut token = String::new();
        let mut count = 0;
        loop {
            let query = match token.as_str() {
                "" => format!("list-type=2&prefix={prefix}"),
                token => format!("continuation-token={token}&list-type=2&prefix={prefix}"),
            };
            signer.head(&mut head, ["GET", &path, &query], "UNSIGNED-PAYLOAD", &[], "");
            http.wire.send(&[head.as_bytes()])?;
            let length = answer(&mut http)?;
            page.clear();
            page.reserve(length as usize);
            http.body(length, &mut |piece| {
                page.extend_from_slice(piece);
                Ok(())
            })?;
            let text = std::str::from_utf8(&page)?;
            let objects = scan(text)?;
            count += objects.len() as u64;
            let first = &text[..text.find("<Contents>").unwrap_or(text.len())];
            std::hint::black_box(objects);
            match between(first, "<NextContinuationToken>") {
                Some((next, _)) => token = next.to_owned(),
                None => return job.expect("keys", count, job.count as u64),
            }
        }
    }
}

fn scan(page: &str) -> Result<Vec<Listed>> {
    let mut objects = Vec::with_capacity(1000);
    let contents = memmem::Finder::new("<Contents>");
    let mut rest = page;
    while let Some(at) = contents.find(rest.as_bytes()) {
        rest = &rest[at..];
        let mut listed =
            Listed { key: String::new(), last_modified: 0, etag: String::new(), size: 0, is_standard: false };
        rest = &rest["<Contents>".len()..];
        // One tag after another: `<Name>text</Name>`.
        while !rest.starts_with("</Contents>") {
            let name_end = memchr(b'>', rest.as_bytes()).ok_or("a tag does not end")?;
            let name = &rest[1..name_end];
            rest = &rest[name_end + 1..];
            let end = memchr(b'<', rest.as_bytes()).ok_or("a value does not end")?;
            let text = &rest[..end];
            match name {
                "Key" => listed.key = unescape(text),
                "LastModified" => listed.last_modified = seconds(text)?,
                "ETag" => listed.etag = unescape(text),
                "Size" => listed.size = text.parse()?,
                "StorageClass" => listed.is_standard = text == "STANDARD",
                _ => (),
            }
            rest = &rest[end + name.len() + 3..];
        }
        objects.push(listed);
    }
    Ok(objects)
}

fn between<'a>(text: &'a str, tag: &str) -> Option<(&'a str, &'a str)> {
    text[text.find(tag)? + tag.len()..].split_once("</")
}

fn unescape(text: &str) -> String {
    if memchr(b'&', text.as_bytes()).is_none() {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        plain.push_str(&rest[..at]);
        let (entity, after) = rest[at..].split_once(';').unwrap_or((&rest[at..], ""));
        plain.push_str(match entity {
            "&quot" => "\"",
            "&amp" => "&",
            "&lt" => "<",
            "&gt" => ">",
            _ => "'",
        });
        rest = after;
    }
    plain.push_str(rest);
    plain
}

/// Seconds since 1970 of `2026-11-25T17:50:30.000Z`.
fn seconds(text: &str) -> Result<i64> {
    let digits = |from: usize, to: usize| -> Result<i64> {
        let digits = text.as_bytes().get(from..to).ok_or("a time is short")?;
        Ok(digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit.wrapping_sub(b'0'))))
    };
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    // Years begin in March, so that the day that some have comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Ok(days * 86_400 + digits(11, 13)? * 3600 + digits(14, 16)? * 60 + digits(17, 19)?)
}
