//! Documents: a writer for those the store answers with; those it is sent are read by `s3s`.

use s3s::xml::{DeError, DeResult, Deserialize, DeserializeContent, Deserializer};

use crate::error::{Code, Error, Result};

/// The namespace of S3's documents.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// Writes one document, element by element.
pub(crate) struct Writer {
    out: String,
    root: &'static str,
}

impl Writer {
    /// A document whose root is in S3's namespace.
    pub(crate) fn new(root: &'static str) -> Self {
        let out = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"{NAMESPACE}\">");
        Self { out, root }
    }

    /// A document without a namespace, as errors are.
    pub(crate) fn bare(root: &'static str) -> Self {
        Self { out: format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>"), root }
    }

    /// A document whose root holds text alone.
    pub(crate) fn whole(root: &'static str, text: &str) -> Self {
        let mut document = Self::new(root);
        escape(text, &mut document.out);
        document
    }

    /// Adds `<name>value</name>`.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.open(name);
        escape(value, &mut self.out);
        self.close(name);
    }

    /// Adds `<name>value</name>` where there is a value.
    pub(crate) fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// Adds a number or a truth value.
    pub(crate) fn show(&mut self, name: &str, value: impl std::fmt::Display) {
        self.text(name, &value.to_string());
    }

    /// Adds `<name>`, what `inside` adds, and `</name>`.
    pub(crate) fn element(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name);
        inside(self);
        self.close(name);
    }

    /// The same, with attributes that need no escaping.
    pub(crate) fn element_with(&mut self, name: &str, attributes: &str, inside: impl FnOnce(&mut Self)) {
        self.open(&format!("{name} {attributes}"));
        inside(self);
        self.close(name);
    }

    /// Adds what is XML already.
    pub(crate) fn raw(&mut self, xml: &str) {
        self.out.push_str(xml);
    }

    /// The finished document.
    pub(crate) fn finish(mut self) -> String {
        self.close(self.root);
        self.out
    }

    fn open(&mut self, name: &str) {
        self.out.extend(["<", name, ">"]);
    }

    fn close(&mut self, name: &str) {
        self.out.extend(["</", name, ">"]);
    }
}

/// Control characters go out as references, as S3 sends them, although XML 1.0 has no right to most of them: a raw
/// carriage return would reach the reader as a line feed.
fn escape(text: &str, out: &mut String) {
    // All that is escaped is ASCII, so what lies between is text; listings are long, so it is copied in one piece.
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let reference = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\0'..=b'\x1f' | b'\x7f' => &format!("&#x{byte:x};"),
            _ => continue,
        };
        out.extend([&text[plain..at], reference]);
        plain = at + 1;
    }
    out.push_str(&text[plain..]);
}

const CDATA: &[u8] = b"<![CDATA[";

/// Reads a request's document, which must end where its root does.
pub(crate) fn parse<T>(bytes: &[u8]) -> Result<T>
where
    T: for<'xml> Deserialize<'xml>,
{
    let malformed = |_| Error::from(Code::MalformedXml);
    // The reader passes over text around the root.
    let bare = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii();
    if !bare.starts_with(b"<") || !bare.ends_with(b">") {
        return Err(Code::MalformedXml.into());
    }
    // It passes over these sections too, and would take a key in one for an empty key.
    if bytes.windows(CDATA.len()).any(|window| window == CDATA) {
        return Err(Error::new(Code::NotImplemented, "This store reads no CDATA sections; escape the text instead."));
    }
    let mut reader = Deserializer::new(bytes);
    let value = T::deserialize(&mut reader).map_err(malformed)?;
    reader.expect_eof().map_err(malformed)?;
    Ok(value)
}

/// Deeper than any of S3's documents; a stack has its end.
const MOST_DEPTH: usize = 32;

/// Reads on to the end of an element.
fn skip(reader: &mut Deserializer<'_>, depth: usize) -> DeResult {
    let depth = depth.checked_sub(1).ok_or(DeError::InvalidContent)?;
    reader.for_each_element(|reader, _| skip(reader, depth))
}

/// The elements of a list in a document's root, for what s3s leaves out.
pub(crate) fn list<T>(bytes: &[u8], list: &str, item: &str) -> Result<Vec<T>>
where
    T: for<'xml> DeserializeContent<'xml>,
{
    let mut items = Vec::new();
    let mut reader = Deserializer::new(bytes);
    let all = reader.element(|reader, _| {
        reader.for_each_element(|reader, name| match name == list.as_bytes() {
            true => reader.list_content(item).map(|found| items.extend(found)),
            false => skip(reader, MOST_DEPTH),
        })
    });
    all.map_err(|_| Error::from(Code::MalformedXml)).map(|()| items)
}

/// Refuses a document whose root has other elements than `known`.
pub(crate) fn check_elements(bytes: &[u8], known: &[&str]) -> Result<()> {
    let mut reader = Deserializer::new(bytes);
    let all = reader.element(|reader, _| {
        reader.for_each_element(|reader, name| match known.iter().any(|known| known.as_bytes() == name) {
            true => skip(reader, MOST_DEPTH),
            false => Err(DeError::UnexpectedTagName),
        })
    });
    all.map_err(|_| Code::MalformedXml.into())
}

#[cfg(test)]
mod tests {
    use s3s::dto::Tagging;

    use super::*;

    #[test]
    fn escapes_what_xml_would_change() {
        let mut xml = Writer::bare("R");
        xml.text("K", "a\r\n\t<&>\"\u{1}é");
        assert!(xml.finish().ends_with("<R><K>a&#xd;&#xa;&#x9;&lt;&amp;&gt;&quot;&#x1;é</K></R>"));
    }

    #[test]
    fn refuses_strange_elements() {
        for (document, good) in [
            ("<R><a>1</a><a/></R>", true),
            ("<R/>", true),
            ("<R><a><b/></a></R>", true),
            ("<R><b/></R>", false),
            (&format!("<R>{}</R>", "<a>".repeat(100_000)), false),
        ] {
            assert_eq!(check_elements(document.as_bytes(), &["a"]).is_ok(), good);
        }
    }

    #[test]
    fn refuses_text_after_the_root() {
        let good = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
        assert_eq!(parse::<Tagging>(good.as_bytes()).unwrap().tag_set.len(), 1);
        for bad in
            [format!("{good}<x/>"), format!("{good}x"), format!("x{good}"), "<Tagging>".to_owned(), String::new()]
        {
            assert_eq!(parse::<Tagging>(bad.as_bytes()).unwrap_err().code(), Code::MalformedXml, "{bad}");
        }
    }
}
