//! A pull scanner for S3's documents.

use std::borrow::Cow;
use std::str::FromStr;

use memchr::{memchr, memchr2};

use crate::{Error, ErrorKind};

/// Walks a document from element to element. Names lose their prefix; attributes, comments and processing
/// instructions are passed over.
///
/// After [`child`](Scanner::child) has named an element, read it with [`text`](Scanner::text), pass over it with
/// [`skip`](Scanner::skip), or ask for its own children.
pub(crate) struct Scanner<'a> {
    document: &'a str,
    at: usize,
    open: Vec<&'a str>,
    /// The innermost element was written `<name/>`: it ends without a tag of its own.
    empty: bool,
}

/// S3's documents have five levels.
const MAX_DEPTH: usize = 128;

enum Tag<'a> {
    Open(&'a str),
    Close(&'a str),
}

impl<'a> Scanner<'a> {
    /// Stands inside the root element, whose local name must be `root`.
    pub(crate) fn new(document: &'a str, root: &str) -> Result<Self, Error> {
        Self::either(document, root, root)
    }

    /// Stands inside the root element, whose local name must be `root`, S3's, or `other`, some server's.
    pub(crate) fn either(document: &'a str, root: &str, other: &str) -> Result<Self, Error> {
        let mut scanner = Self::any_root(document)?;
        match scanner.open.pop() {
            Some(name) if name == root || name == other => {
                scanner.open.push(name);
                Ok(scanner)
            }
            found => Err(malformed(format!(
                "expected <{root}>, found {}",
                found.map_or("no element".to_owned(), |name| format!("<{name}>"))
            ))),
        }
    }

    /// Stands inside the root element, whatever it is.
    pub(crate) fn any_root(document: &'a str) -> Result<Self, Error> {
        let mut scanner = Self { document, at: 0, open: Vec::with_capacity(4), empty: false };
        match scanner.tag()? {
            Tag::Open(_) => Ok(scanner),
            Tag::Close(name) => Err(malformed(format!("</{name}> closes nothing"))),
        }
    }

    /// The root element's local name.
    pub(crate) fn root(&self) -> &'a str {
        self.open.first().copied().unwrap_or_default()
    }

    /// The next child of the innermost element, which becomes the innermost; `None` where the element ends.
    pub(crate) fn child(&mut self) -> Result<Option<&'a str>, Error> {
        if self.end_of_empty() {
            return Ok(None);
        }
        match self.tag()? {
            Tag::Open(name) => Ok(Some(name)),
            Tag::Close(_) => Ok(None),
        }
    }

    /// The text of the innermost element, which ends.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Error> {
        if self.end_of_empty() {
            return Ok(Cow::Borrowed(""));
        }
        let rest = &self.document[self.at..];
        // Most texts have no entity, so one search finds the end and tells so.
        let plain = memchr2(b'<', b'&', rest.as_bytes()).ok_or_else(ends_early)?;
        if rest[plain..].starts_with("</") {
            self.at += plain;
            self.closing_tag(&rest[plain..])?;
            return Ok(Cow::Borrowed(&rest[..plain]));
        }
        let end = plain + memchr(b'<', &rest.as_bytes()[plain..]).ok_or_else(ends_early)?;
        if rest[end..].starts_with("</") {
            self.at += end;
            self.closing_tag(&rest[end..])?;
            return unescape(&rest[..end]);
        }
        self.mixed_text()
    }

    /// The text of the innermost element, read as `T`.
    pub(crate) fn parse<T: FromStr>(&mut self) -> Result<T, Error> {
        let name = self.open.last().copied().unwrap_or_default();
        let text = self.text()?;
        text.trim().parse().map_err(|_| malformed(format!("<{name}> cannot be {:?}", excerpt(&text))))
    }

    /// Passes over the innermost element, which ends.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let depth = self.open.len();
        while self.open.len() >= depth {
            self.child()?;
        }
        Ok(())
    }

    /// Text with comments, CDATA or elements in between; the elements' text is left out.
    fn mixed_text(&mut self) -> Result<Cow<'a, str>, Error> {
        let mut text = String::new();
        loop {
            let rest = &self.document[self.at..];
            let end = memchr(b'<', rest.as_bytes()).ok_or_else(ends_early)?;
            text.push_str(&unescape(&rest[..end])?);
            self.at += end;
            let rest = &rest[end..];
            if let Some(cdata) = rest.strip_prefix("<![CDATA[") {
                let end = cdata.find("]]>").ok_or_else(ends_early)?;
                text.push_str(&cdata[..end]);
                self.at += "<![CDATA[".len() + end + "]]>".len();
            } else if rest.starts_with("<!") || rest.starts_with("<?") {
                self.pass_over(rest)?;
            } else if rest.starts_with("</") {
                self.tag()?;
                return Ok(Cow::Owned(text));
            } else {
                self.tag()?;
                self.skip()?;
            }
        }
    }

    fn end_of_empty(&mut self) -> bool {
        if self.empty {
            self.open.pop();
        }
        std::mem::take(&mut self.empty)
    }

    /// The next opening or closing tag; `open` follows.
    fn tag(&mut self) -> Result<Tag<'a>, Error> {
        loop {
            let rest = &self.document[self.at..];
            // Where one tag follows another there is nothing to search for.
            let start = if rest.starts_with('<') { 0 } else { memchr(b'<', rest.as_bytes()).ok_or_else(ends_early)? };
            self.at += start;
            let rest = &rest[start..];
            match rest.as_bytes().get(1) {
                Some(b'!' | b'?') => self.pass_over(rest)?,
                Some(b'/') => return self.closing_tag(rest),
                _ => return self.opening_tag(rest),
            }
        }
    }

    fn opening_tag(&mut self, rest: &'a str) -> Result<Tag<'a>, Error> {
        let (name, length) = local_name(&rest[1..]).ok_or_else(ends_early)?;
        let mut end = 1 + length;
        self.empty = false;
        if !rest[end..].starts_with('>') {
            end = tag_end(rest).ok_or_else(ends_early)?;
            self.empty = rest[..end].ends_with('/');
        }
        if name.is_empty() {
            return Err(malformed("a tag has no name".to_owned()));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(malformed(format!("its elements are nested more than {MAX_DEPTH} deep")));
        }
        self.at += end + 1;
        self.open.push(name);
        Ok(Tag::Open(name))
    }

    fn closing_tag(&mut self, rest: &'a str) -> Result<Tag<'a>, Error> {
        // Nearly always it is the bare name of what is open.
        if let Some(open) = self.open.last().copied()
            && rest[2..].strip_prefix(open).is_some_and(|rest| rest.starts_with('>'))
        {
            self.at += 2 + open.len() + 1;
            self.open.pop();
            return Ok(Tag::Close(open));
        }
        let (name, _) = local_name(&rest[2..]).ok_or_else(ends_early)?;
        self.at += tag_end(rest).ok_or_else(ends_early)? + 1;
        match self.open.pop() {
            Some(open) if open == name => Ok(Tag::Close(name)),
            Some(open) => Err(malformed(format!("<{open}> is closed by </{name}>"))),
            None => Err(malformed(format!("</{name}> closes nothing"))),
        }
    }

    fn pass_over(&mut self, rest: &str) -> Result<(), Error> {
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<![CDATA[") {
            "]]>"
        } else if rest.starts_with("<?") {
            "?>"
        } else {
            ">"
        };
        self.at += rest.find(end).ok_or_else(ends_early)? + end.len();
        Ok(())
    }
}

/// Where the tag ends, not counting a `>` inside quotes.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    tag.bytes().position(|byte| match (quote, byte) {
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (Some(open), _) => {
            if byte == open {
                quote = None;
            }
            false
        }
        (None, _) => byte == b'>',
    })
}

/// The name at the start of a tag without its prefix, and how long it is with it. Names are short: a plain loop is
/// faster than any search.
fn local_name(tag: &str) -> Option<(&str, usize)> {
    let mut start = 0;
    for (at, byte) in tag.bytes().enumerate() {
        match byte {
            b'>' | b'/' | b' ' | b'\t' | b'\r' | b'\n' => return Some((&tag[start..at], at)),
            b':' => start = at + 1,
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> Result<Cow<'_, str>, Error> {
    let Some(mut start) = memchr(b'&', text.as_bytes()) else { return Ok(Cow::Borrowed(text)) };
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        plain.push_str(&rest[..start]);
        let entity = &rest[start + 1..];
        // An entity is short: a plain loop is faster than a search.
        let end = entity.bytes().position(|byte| byte == b';');
        let end = end.ok_or_else(|| malformed("'&' begins no entity".to_owned()))?;
        plain.push(character(&entity[..end])?);
        rest = &entity[end + 1..];
        match memchr(b'&', rest.as_bytes()) {
            Some(next) => start = next,
            None => break,
        }
    }
    plain.push_str(rest);
    Ok(Cow::Owned(plain))
}

fn character(entity: &str) -> Result<char, Error> {
    let code = match entity {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => match entity.strip_prefix("#x").or_else(|| entity.strip_prefix("#X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => entity.strip_prefix('#').and_then(|decimal| decimal.parse().ok()),
        },
    };
    // Servers send keys with control characters as references that XML 1.0 does not allow; they are taken as meant.
    code.and_then(char::from_u32).ok_or_else(|| malformed(format!("&{};  is no known entity", excerpt(entity))))
}

fn excerpt(text: &str) -> String {
    text.chars().take(40).collect()
}

fn malformed(problem: String) -> Error {
    Error::new(ErrorKind::MalformedResponse, format!("the answer is not well-formed XML: {problem}"))
}

fn ends_early() -> Error {
    malformed("it ends early".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(document: &str) -> Result<Vec<(String, String)>, Error> {
        let mut scanner = Scanner::new(document, "R")?;
        let mut found = Vec::new();
        while let Some(name) = scanner.child()? {
            found.push((name.to_owned(), scanner.text()?.into_owned()));
        }
        Ok(found)
    }

    #[test]
    fn elements_entities_and_empty_elements() {
        let found = walk(
            "\n<?xml version=\"1.0\"?><!-- a > b --><x:R xmlns:x=\"a>b\"><A> a&amp;&#65;&#x42; </A><B/><C a='>' /><D></D>\
             <E><![CDATA[<&]]>x</E><x:F >&lt;1<!-- 2 --></x:F\n></x:R>",
        )
        .unwrap();
        let expected = [("A", " a&AB "), ("B", ""), ("C", ""), ("D", ""), ("E", "<&x"), ("F", "<1")];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn skip_leaves_the_scanner_behind_the_element() {
        let mut scanner = Scanner::new("<R><A><B>1</B><C/></A><D>2</D></R>", "R").unwrap();
        assert_eq!(scanner.child().unwrap(), Some("A"));
        scanner.skip().unwrap();
        assert_eq!(scanner.child().unwrap(), Some("D"));
        assert_eq!(scanner.parse::<u32>().unwrap(), 2);
        assert_eq!(scanner.child().unwrap(), None);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("<R>{}{}</R>", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(walk(&nested(100)).is_ok());
        assert!(walk(&nested(100_000)).unwrap_err().to_string().contains("nested more than 128 deep"));
    }

    #[test]
    fn what_is_not_well_formed_is_an_error() {
        for document in
            ["", "hello", "<R>", "<R><A>", "<R><A>x", "<R><A></B></R>", "<R><A>&nope;</A></R>", "<Q/>", "<R><A"]
        {
            let error = walk(document).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::MalformedResponse, "{document}");
        }
    }
}
