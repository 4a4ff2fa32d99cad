//! Writing the documents that requests carry.

use bytes::Bytes;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// An element that is being written.
pub(crate) struct Element<'a> {
    document: &'a mut String,
}

/// A document whose root is `root`, filled in by `content`.
pub(crate) fn write_document(root: &str, content: impl FnOnce(&mut Element<'_>)) -> Bytes {
    let mut document = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    document.push_str(&format!("<{root} xmlns=\"{NAMESPACE}\">"));
    content(&mut Element { document: &mut document });
    document.push_str(&format!("</{root}>"));
    Bytes::from(document)
}

impl Element<'_> {
    /// A child with text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.document.push_str(&format!("<{name}>"));
        escape(text, self.document);
        self.document.push_str(&format!("</{name}>"));
    }

    /// A child with text, where there is any.
    pub(crate) fn text_opt(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// A child with children.
    pub(crate) fn child(&mut self, name: &str, content: impl FnOnce(&mut Element<'_>)) {
        self.document.push_str(&format!("<{name}>"));
        content(&mut Element { document: self.document });
        self.document.push_str(&format!("</{name}>"));
    }
}

/// Whether XML 1.0 can hold the text at all: most control characters have no form in it.
pub(crate) fn holds(text: &str) -> bool {
    text.chars().all(|c| matches!(c, '\t' | '\n' | '\r') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}')))
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A reader would turn these into line feeds or spaces.
            '\r' => out.push_str("&#13;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let text = "a<b>&c\r\n\t \"d\"";
        let document = write_document("R", |root| {
            root.text("A", text);
            root.child("B", |b| b.text_opt("C", None));
        });
        let document = std::str::from_utf8(&document).unwrap();
        let mut scanner = crate::xml::Scanner::new(document, "R").unwrap();
        assert_eq!(scanner.child().unwrap(), Some("A"));
        assert_eq!(scanner.text().unwrap(), text);
    }

    #[test]
    fn control_characters_have_no_form() {
        assert!(holds("tab\tand\r\nline"));
        assert!(!holds("\u{1}") && !holds("\0") && !holds("\u{ffff}"));
    }
}
