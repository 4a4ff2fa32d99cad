//! XML, by `quick-xml`.

use quick_xml::Reader;
use quick_xml::de::Deserializer;
use quick_xml::events::Event;
use quick_xml::se::{SeError, Serializer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::format::{Format, Problem, cannot_write};
use crate::Error;
use crate::body::{Body, IntoBody};

/// A value as an XML document (`application/xml`).
///
/// The root element has the name of the value's type, as serde knows it (`#[serde(rename = "...")]` changes it);
/// [`Record`](super::Record) takes it from the key. Fields become elements, and attributes where they are renamed to
/// `@name`; a field renamed to `$text` is the element's text; a list is its element repeated.
///
/// Serialised when the call is made; a value that is not one XML element, such as a list or a map, or that holds
/// characters that XML cannot, fails the call when it is awaited. An empty list is written as nothing, which reads back where
/// the field has `#[serde(default)]`. `None` is written as an empty element, which reads
/// back as `None` only if the field is text; `#[serde(skip_serializing_if = "Option::is_none")]` and
/// `#[serde(default)]` make it absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Xml<T>(pub T);

impl<T: Serialize> IntoBody for Xml<T> {
    fn into_body(self, _key: &str) -> Body {
        body(&self.0, None)
    }
}

/// The document of `value`, its root element named by `root` or else by the value's type.
pub(super) fn body<T: Serialize + ?Sized>(value: &T, root: Option<&str>) -> Body {
    match document(value, root) {
        Ok(xml) => Body::bytes(xml).of_type("application/xml"),
        Err(error) => Body::failed(error),
    }
}

fn document<T: Serialize + ?Sized>(value: &T, root: Option<&str>) -> Result<String, Error> {
    let refused = |problem| cannot_write(Format::Xml, problem);
    let mut xml = DECLARATION.to_owned();
    Serializer::with_root(&mut xml, root).and_then(|serializer| value.serialize(serializer)).map_err(|error| {
        let unnamed = root.is_none() && matches!(error, SeError::Unsupported(_));
        let error = refused(Problem::new(&error).with_cause(error));
        if unnamed { error.with_hint(ONE_ROOT) } else { error }
    })?;
    if let Some(c) = xml.chars().find(|c| !is_xml_char(*c)) {
        return Err(refused(Problem::new(format_args!("XML cannot hold the character U+{:04X}", u32::from(c)))));
    }
    // A list at the top is written as many root elements.
    check(&xml).map_err(|(_, message)| refused(Problem::new(message)).with_hint(ONE_ROOT))?;
    Ok(xml)
}

/// Reads a document. References to entities other than XML's own five are errors; nothing external is ever read.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    check(text).map_err(|(at, message)| Problem::new(format_args!("line {}: {message}", line_from(text, at))))?;
    let mut deserializer = Deserializer::from_str(text);
    T::deserialize(&mut deserializer).map_err(|error| {
        let at = deserializer.get_ref().get_ref().buffer_position();
        Problem::new(format_args!("line {}: {error}", line_before(text, at))).with_cause(error)
    })
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

const ONE_ROOT: &str = "XML needs one root element: write a struct, or a map as Record(map), named after the key";

/// Deeper documents are refused: reading recurses.
const MAX_DEPTH: usize = 128;

/// Makes sure that `text` is one well-formed element, not too deep. The serde side of `quick-xml` stops reading at the
/// end of the root element, and its errors have no place. An error is a byte offset and what is wrong there.
fn check(text: &str) -> Result<(), (u64, String)> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut roots) = (0, 0);
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|error| (reader.error_position(), error.to_string()))?;
        let wrong = match event {
            Event::Start(_) | Event::Empty(_) if depth == 0 && roots == 1 => "more than one root element",
            Event::Start(_) if depth == MAX_DEPTH => "elements nested more than 128 deep",
            Event::Start(_) => {
                roots += usize::from(depth == 0);
                depth += 1;
                continue;
            }
            Event::Empty(_) => {
                roots += usize::from(depth == 0);
                continue;
            }
            Event::End(_) => {
                depth -= 1;
                continue;
            }
            Event::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => "text outside the root element",
            Event::CData(_) | Event::GeneralRef(_) if depth == 0 => "text outside the root element",
            Event::Eof if roots == 0 => "no root element",
            Event::Eof if depth > 0 => "the document ends before its root element does",
            Event::Eof => return Ok(()),
            _ => continue,
        };
        return Err((at, wrong.to_owned()));
    }
}

/// The line, from 1, of what starts at byte `at` or after the white space there.
fn line_from(text: &str, at: u64) -> usize {
    let rest = &text.as_bytes()[offset(text, at)..];
    line_at(text, text.len() - rest.trim_ascii_start().len())
}

/// The line of what ends at byte `at` or before the white space there: the reader is one event ahead of the error.
fn line_before(text: &str, at: u64) -> usize {
    line_at(text, text.as_bytes()[..offset(text, at)].trim_ascii_end().len())
}

fn line_at(text: &str, at: usize) -> usize {
    1 + memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count()
}

fn offset(text: &str, at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX).min(text.len())
}

/// Char of XML 1.0.
fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
