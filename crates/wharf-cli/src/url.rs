//! `s3://` URLs as they are typed.

use std::borrow::Cow;
use std::fmt;

use wharf::proto::escape;
use wharf::{Error, S3Uri};

use crate::pattern::Pattern;

/// What follows `s3://`, which may be written in capitals, as in any URL.
pub(crate) fn without_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(5)?;
    scheme.eq_ignore_ascii_case("s3://").then_some(rest)
}

/// Reads `s3://BUCKET` or `s3://BUCKET/KEY`. As with aws-cli the `s3://` may be left out: every verb that takes such a
/// URL takes nothing else.
pub(crate) fn bucket(text: &str) -> Result<S3Uri, Error> {
    read(&format!("s3://{}", without_scheme(text).unwrap_or(text)))
}

/// The same where nothing may be left out: what is deleted may be called like a folder here.
pub(crate) fn whole(text: &str) -> Result<S3Uri, Error> {
    if without_scheme(text).is_some() { bucket(text) } else { read(text) }
}

fn read(text: &str) -> Result<S3Uri, Error> {
    // What is told of a mistake quotes what was typed.
    text.parse().or_else(|_| without_secrets(text).parse())
}

/// Whether somebody typed where a browser goes.
pub(crate) fn is_link(text: &str) -> bool {
    let text = text.trim_start();
    let starts = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    starts("http://") || starts("https://")
}

/// What may be shown of what was typed. A link's query may sign a request, which is as good as a key, and before its host
/// there may be a password.
pub(crate) fn without_secrets(text: &str) -> Cow<'_, str> {
    let (link, query) = text.split_once('?').map_or((text, None), |(link, query)| (link, Some(query)));
    let is_url = link.contains("://") && without_scheme(link).is_none();
    match query {
        _ if is_url && text.contains('@') => "(hidden)".into(),
        Some(query) if is_url || is_signed(query) => format!("{link}?...").into(),
        _ => text.into(),
    }
}

/// Reads `s3://BUCKET/KEY`.
pub(crate) fn object(text: &str) -> Result<S3Uri, Error> {
    let url = bucket(text)?;
    if url.key().is_empty() {
        return Err(Error::invalid_input(format!("no key: an object is s3://{}/KEY", url.bucket())));
    }
    Ok(url)
}

/// Reads `s3://BUCKET`, and nothing behind it.
pub(crate) fn bucket_alone(text: &str) -> Result<S3Uri, Error> {
    let url = whole(text)?;
    if !url.key().is_empty() {
        return Err(Error::invalid_input(format!("a bucket alone is s3://{}", url.bucket())));
    }
    Ok(url)
}

/// What to say of a link.
pub(crate) const NOT_OURS: &str = "an S3 URL reads like s3://BUCKET/KEY; --endpoint-url names a server";

/// A text that may quote anything, without what signs a link or stands before its host.
pub(crate) fn without_signatures(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let ends = |letter: char| letter.is_whitespace() || matches!(letter, '&' | '\'' | '"' | '@');
    let user = |at: usize| {
        let mut hosts = lower[at..].match_indices("://").map(|(host, mark)| at + host + mark.len());
        hosts.find(|host| {
            lower[*host..]
                .find(|letter| ends(letter) || letter == '/')
                .is_some_and(|end| lower[*host + end..].starts_with('@'))
        })
    };
    let sign = |at: usize| SIGNS.iter().filter_map(|sign| Some(at + lower[at..].find(sign)? + sign.len())).min();
    let next = |at: usize| user(at).into_iter().chain(sign(at)).min();
    let (mut shown, mut at) = (String::new(), 0);
    while let Some(value) = next(at) {
        shown.push_str(&text[at..value]);
        shown.push_str("...");
        at = text[value..].find(ends).map_or(text.len(), |end| value + end);
    }
    shown + &text[at..]
}

/// The parameters of a link that are as good as a key.
const SIGNS: [&str; 3] = ["signature=", "x-amz-security-token=", "x-amz-credential="];

/// Whether there is in it what signs a request.
fn is_signed(query: &str) -> bool {
    let query = query.to_ascii_lowercase();
    ["x-amz-", "signature="].iter().any(|sign| query.contains(sign))
}

/// What to say to somebody who typed what looks like a URL and is none of S3's.
pub(crate) fn meant(text: &str) -> Option<String> {
    if without_scheme(text).is_some() {
        return None;
    }
    let server = || NOT_OURS.to_owned();
    match text.split_at_checked(3) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("s3:") => match rest.trim_start_matches('/') {
            "" => Some(server()),
            path => Some(format!("say s3://{}", without_secrets(path))),
        },
        _ => text.contains("://").then(server),
    }
}

/// Whether keys are patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// `*` and `?` are wild.
    Wild,
    /// Every character is itself.
    Literal,
}

/// The keys that a URL stands for.
#[derive(Debug, Clone)]
pub(crate) struct Wild {
    /// What all of them begin with: the text before the first wild character.
    pub(crate) prefix: String,
    pub(crate) pattern: Pattern,
    /// As it was typed.
    pub(crate) text: String,
}

impl Wild {
    /// The pattern that `key` is, where it has wild characters.
    pub(crate) fn of(key: &str, keys: Keys) -> Option<Self> {
        let at = key.find(['*', '?']).filter(|_| keys == Keys::Wild)?;
        Some(Self { prefix: key[..at].to_owned(), pattern: Pattern::without_sets(key), text: key.to_owned() })
    }

    /// The directory that the pattern is in: where it has matched, names are relative to this.
    pub(crate) fn directory(&self) -> &str {
        &self.prefix[..self.prefix.rfind('/').map_or(0, |slash| slash + 1)]
    }
}

/// `s3://BUCKET/KEY`, for results.
pub(crate) struct Shown<'a>(pub(crate) &'a str, pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bucket, key) = self;
        write!(f, "s3://{bucket}/{key}")
    }
}

impl Shown<'_> {
    /// The same for a line of what goes wrong.
    pub(crate) fn in_error(&self) -> String {
        escape::name(&self.to_string()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_may_be_left_out_and_keys_stay_as_they_are() {
        for text in ["s3://my-bucket/a//b%20c", "my-bucket/a//b%20c", "S3://my-bucket/a//b%20c"] {
            let url = object(text).unwrap();
            assert_eq!((url.bucket(), url.key()), ("my-bucket", "a//b%20c"));
        }
        assert_eq!(bucket("my-bucket").unwrap().key(), "");
        assert_eq!(object("s3://my-bucket/").unwrap_err().to_string(), "no key: an object is s3://my-bucket/KEY");
        assert!(object("s3:///key").is_err() && bucket("http://host/key").is_err());
        assert!(bucket_alone("my-bucket").is_err() && bucket_alone("s3://my-bucket/a").is_err());
        assert_eq!(bucket_alone("S3://my-bucket/").unwrap().bucket(), "my-bucket");
    }

    #[test]
    fn what_signs_a_link_is_shown_nowhere() {
        for (text, shown) in [
            (
                "no https://h/k?X-Amz-Credential=C&a=1&X-Amz-Signature=S here",
                "no https://h/k?X-Amz-Credential=...&a=1&X-Amz-Signature=... here",
            ),
            ("no http://id:secret@h/k, nor s3://b/k@1", "no http://...@h/k, nor s3://b/k@1"),
            ("say \"s3://b/k?a='x'&Signature=S\"\nhint: why?", "say \"s3://b/k?a='x'&Signature=...\"\nhint: why?"),
            ("is x-amz-meta-a there? no", "is x-amz-meta-a there? no"),
        ] {
            assert_eq!(without_signatures(text), shown);
        }
    }

    #[test]
    fn what_looks_like_a_url_is_told_how_it_reads() {
        for (text, hint) in [
            ("s3:/my-bucket/a", Some("say s3://my-bucket/a")),
            ("S3:my-bucket", Some("say s3://my-bucket")),
            ("http://my-bucket", Some("an S3 URL reads like s3://BUCKET/KEY; --endpoint-url names a server")),
            ("s3://ab/key", None),
            ("my-bucket/a", None),
            ("s3", None),
        ] {
            assert_eq!(meant(text).as_deref(), hint, "{text}");
        }
    }

    #[test]
    fn what_signs_is_not_shown() {
        for (text, shown) in [
            ("https://b.test/k?X-Amz-Signature=x", "https://b.test/k?..."),
            ("HTTP://b.test?a=b?c", "HTTP://b.test?..."),
            ("https://id:secret/+@b.test/k?a", "(hidden)"),
            ("https://id:sec?ret@b.test/k", "(hidden)"),
            ("b.test/k?a=b&x-amz-security-token=x", "b.test/k?..."),
            ("s3://b.test?Expires=1&Signature=x", "s3://b.test?..."),
            ("s3://my-bucket/a?b@c", "s3://my-bucket/a?b@c"),
            ("https://b.test/k", "https://b.test/k"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
        for text in ["https://b.test/k?SECRET", "s3://b.test?X-Amz-Signature=SECRET", "b.test?X-Amz-Signature=SECRET"] {
            for error in [bucket(text).unwrap_err(), bucket_alone(text).unwrap_err(), object(text).unwrap_err()] {
                assert!(!error.to_string().contains("SECRET"), "{error}");
            }
        }
    }

    #[test]
    fn only_stars_and_question_marks_are_wild_and_only_where_wanted() {
        let wild = Wild::of("logs/2026-*/a[1]?.gz", Keys::Wild).unwrap();
        assert_eq!((wild.prefix.as_str(), wild.directory()), ("logs/2026-", "logs/"));
        assert!(wild.pattern.matches("logs/2026-01/02/a[1]x.gz") && !wild.pattern.matches("logs/2026-01/a1x.gz"));
        assert!(Wild::of("a[1]{b}", Keys::Wild).is_none() && Wild::of("a*", Keys::Literal).is_none());
        assert_eq!(Wild::of("*", Keys::Wild).unwrap().directory(), "");
    }
}
