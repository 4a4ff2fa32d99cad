//! The name of a record's root element.

use super::format::file_name;

/// The root element's name for a record under `key`: its file name without extension, made a legal XML name.
///
/// What no name may hold becomes `_`; a name that starts as none may, or with the reserved `xml`, gets a `_` in front;
/// a key without a file name gives `record`.
pub(super) fn root_name(key: &str) -> String {
    let file = file_name(key);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let mut name: String = stem.chars().map(|c| if is_start(c) || is_inner(c) { c } else { '_' }).collect();
    let reserved = name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("xml"));
    match name.chars().next() {
        None => name.push_str("record"),
        Some(first) if reserved || !is_start(first) => name.insert(0, '_'),
        Some(_) => {}
    }
    name
}

/// NameStartChar of XML 1.0, fifth edition, without the colon, which belongs to namespaces.
fn is_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// What a NameChar may be besides.
fn is_inner(c: char) -> bool {
    matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_becomes_a_legal_name() {
        for (key, name) in [
            ("users/ada.xml", "ada"),
            ("users/1.xml", "_1"),
            ("user", "user"),
            ("a/report.2026.xml", "report.2026"),
            ("my file (1).xml", "my_file__1_"),
            ("a:b&c<d>.xml", "a_b_c_d_"),
            ("größe.xml", "größe"),
            ("日本.XML", "日本"),
            ("x²😀.xml", "x_😀"),
            ("\u{b7}x.xml", "_\u{b7}x"),
            ("\u{301}x.xml", "_\u{301}x"),
            ("-x.xml", "_-x"),
            ("..x.xml", "_..x"),
            ("xml.xml", "_xml"),
            ("XmlFile.xml", "_XmlFile"),
            ("xm.xml", "xm"),
            ("a\u{0}b.xml", "a_b"),
            ("dir/.xml", "record"),
            ("dir/", "record"),
            ("", "record"),
        ] {
            assert_eq!(root_name(key), name, "{key:?}");
        }
    }

    #[cfg(feature = "xml")]
    #[test]
    fn every_name_is_one_that_a_parser_takes() {
        for c in (0..=0x2_ffff).filter_map(char::from_u32) {
            let name = root_name(&format!("{c}"));
            let document = quick_xml::se::to_string_with_root(&name, &1);
            assert!(document.is_ok(), "{c:?} gave {name:?}");
        }
    }
}
