//! Patterns of actions, resources and values: `*` stands for anything, `?` for one character.

/// Whether all of `text` is what `pattern` describes.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // The last star, and how much of the text it stands for so far.
    let mut star: Option<(usize, usize)> = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(char) if *char == '?' || *char == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((start, taken)) = star else { return false };
                star = Some((start, taken + 1));
                (at, seen) = (start + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

/// The same, whatever the case.
pub(crate) fn matches_any_case(pattern: &str, text: &str) -> bool {
    matches(&pattern.to_lowercase(), &text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("a*b*c", "aXbXbYc", true),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("*x", "xxyx", true),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(matches_any_case("s3:get*", "s3:GetObject") && !matches("s3:get*", "s3:GetObject"));
    }
}
