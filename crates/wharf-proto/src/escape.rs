//! Somebody else's text as a part of a line for people.
//!
//! A key may have any character in it. A line feed would make two messages of one, and what orders text written from right
//! to left could show another name than the object's. Errors are written by this already; use it for lines of your own.

use std::borrow::Cow;

/// What looks like something escaped: a doubled backslash, or what [`line`] writes.
const ESCAPES: [&str; 6] = ["\\\\", "\\0", "\\n", "\\r", "\\t", "\\u"];

/// The text without a character that could break its line or change the order of what stands there: control characters, the
/// separators of lines and paragraphs, and what controls the direction of text are written as in Rust (`\n`, `\u{202e}`).
///
/// All else stays, backslashes too: what was escaped already is not escaped again. So two texts may look alike; two
/// [names](name) do not.
///
/// ```
/// use wharf_proto::escape;
///
/// assert_eq!(escape::line("a\nb\\c"), "a\\nb\\c");
/// ```
pub fn line(text: &str) -> Cow<'_, str> {
    match text.contains(is_harmful) {
        true => Cow::Owned(text.chars().map(shown).collect()),
        false => Cow::Borrowed(text),
    }
}

/// A key or a path on its [`line()`]. No two of them look alike: where something has to be escaped, or a backslash would look as
/// if something was, every backslash is doubled.
///
/// ```
/// use wharf_proto::escape;
///
/// assert_eq!(escape::name("dir\\file"), "dir\\file");
/// assert_eq!(escape::name("a\nb"), "a\\nb");
/// assert_eq!(escape::name("a\\nb"), "a\\\\nb");
/// ```
pub fn name(name: &str) -> Cow<'_, str> {
    let looks_escaped = |seen: &&str| name.contains(*seen);
    match name.contains('\\') && (name.contains(is_harmful) || ESCAPES.iter().any(looks_escaped)) {
        true => Cow::Owned(line(&name.replace('\\', "\\\\")).into_owned()),
        false => line(name),
    }
}

/// Whether a character could do something to its line.
pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        // Unicode's property Bidi_Control.
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn shown(c: char) -> String {
    if is_harmful(c) { c.escape_debug().to_string() } else { c.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_a_line_or_turns_it_around() {
        for (text, shown) in [
            ("plain 'text' \"é\" 🦀 שלום cafe\u{301}", "plain 'text' \"é\" 🦀 שלום cafe\u{301}"),
            ("a\0\t\r\n\u{1b}\u{7f}\u{85}b", "a\\0\\t\\r\\n\\u{1b}\\u{7f}\\u{85}b"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("invoice\u{202e}fdp.exe\u{2069}\u{200f}\u{61c}", "invoice\\u{202e}fdp.exe\\u{2069}\\u{200f}\\u{61c}"),
            ("a\\\\b", "a\\\\b"),
        ] {
            assert_eq!(line(text), shown);
            assert_eq!(line(&line(text)), shown, "again");
        }
    }

    /// What `name` was given.
    fn read(shown: &str) -> String {
        let whole = ESCAPES.iter().any(|seen| shown.contains(seen));
        let (mut name, mut rest) = (String::new(), shown);
        while let Some(c) = rest.chars().next() {
            let (c, length) = match rest.get(..2).filter(|_| whole) {
                Some("\\\\") => ('\\', 2),
                Some("\\0") => ('\0', 2),
                Some("\\n") => ('\n', 2),
                Some("\\r") => ('\r', 2),
                Some("\\t") => ('\t', 2),
                Some("\\u") => {
                    let end = rest.find('}').unwrap();
                    (char::from_u32(u32::from_str_radix(&rest[3..end], 16).unwrap()).unwrap(), end + 1)
                }
                _ => (c, c.len_utf8()),
            };
            name.push(c);
            rest = &rest[length..];
        }
        name
    }

    #[test]
    fn no_two_names_look_alike() {
        assert_eq!(name("C:\\data\\file"), "C:\\data\\file");
        assert_eq!(name("C:\\data\\new"), "C:\\\\data\\\\new");
        let pieces = ["", "\\", "\n", "n", "u{a}", "u", "0", "x", "\u{202e}", "é"];
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let given = [first, second, third, "\\", first].concat();
                    for given in [&given[..given.len() - first.len() - 1], &given] {
                        assert_eq!(read(&name(given)), given, "{}", name(given));
                    }
                }
            }
        }
    }
}
