//! Shell patterns, as Python's `fnmatch` has them, since aws-cli's filters are those.
//!
//! `*` is any text, slashes too; `?` is one character; `[abc]`, `[a-z]` and `[!a-z]` are one of a set, or one that is not
//! in it. A `[` that nothing closes is itself.

/// A pattern that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Star,
    Any,
    One(char),
    Set { negated: bool, ranges: Vec<(char, char)> },
}

impl Pattern {
    /// Reads a pattern with all that there is.
    pub(crate) fn new(text: &str) -> Self {
        let text: Vec<char> = text.chars().collect();
        let mut tokens = Vec::with_capacity(text.len());
        let mut at = 0;
        while let Some(&c) = text.get(at) {
            at += 1;
            match c {
                '[' => match set(&text[at..]) {
                    Some((token, length)) => {
                        tokens.push(token);
                        at += length;
                    }
                    None => tokens.push(Token::One(c)),
                },
                _ => tokens.push(wild(c)),
            }
        }
        Self(tokens)
    }

    /// Reads a pattern in which only `*` and `?` are wild.
    pub(crate) fn without_sets(text: &str) -> Self {
        Self(text.chars().map(wild).collect())
    }

    /// Whether all of `text` fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let tokens = &self.0;
        let (mut at, mut rest) = (0, text);
        // The last star, and what follows it where it has taken one character more than before.
        let mut retry: Option<(usize, &str)> = None;
        loop {
            let next = rest.chars().next();
            match (tokens.get(at), next) {
                (Some(Token::Star), _) => {
                    at += 1;
                    retry = Some((at, rest));
                }
                (None, None) => return true,
                (Some(token), Some(c)) if token.takes(c) => {
                    at += 1;
                    rest = &rest[c.len_utf8()..];
                }
                _ => {
                    let Some((star, from)) = retry else { return false };
                    let Some(c) = from.chars().next() else { return false };
                    rest = &from[c.len_utf8()..];
                    at = star;
                    retry = Some((star, rest));
                }
            }
        }
    }
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::One(one) => *one == c,
            Self::Set { negated, ranges } => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated,
        }
    }
}

fn wild(c: char) -> Token {
    match c {
        '*' => Token::Star,
        '?' => Token::Any,
        _ => Token::One(c),
    }
}

/// Reads what follows a `[`: the set, and how many characters it has with its `]`.
fn set(text: &[char]) -> Option<(Token, usize)> {
    let negated = text.first() == Some(&'!');
    let begin = usize::from(negated);
    // A `]` in the first place is a member.
    let end = begin + 1 + text.get(begin + 1..)?.iter().position(|c| *c == ']')?;
    let mut ranges = Vec::new();
    let mut members = &text[begin..end];
    while let Some((&low, rest)) = members.split_first() {
        members = match rest {
            ['-', high, rest @ ..] => {
                ranges.push((low, *high));
                rest
            }
            _ => {
                ranges.push((low, low));
                rest
            }
        };
    }
    Some((Token::Set { negated, ranges }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python 3.11's `fnmatch.fnmatchcase` answers.
    #[test]
    fn patterns_are_those_of_fnmatch() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("*", "a/b/c", true),
            ("", "", true),
            ("", "a", false),
            ("*.txt", "a/b.txt", true),
            ("*.txt", "b.txt.gz", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXcYb", false),
            ("a**c", "abc", true),
            ("?", "é", true),
            ("?", "/", true),
            ("a?c", "ac", false),
            ("[abc]x", "bx", true),
            ("[!abc]x", "bx", false),
            ("[!abc]x", "dx", true),
            ("[a-c]", "b", true),
            ("[a-c]", "-", false),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[]a]", "]", true),
            ("[!]a]", "]", false),
            ("[!]a]", "b", true),
            ("[z-a]", "m", false),
            ("[!z-a]", "m", true),
            ("[^a]", "^", true),
            ("[^a]", "b", false),
            ("[", "[", true),
            ("[a", "[a", true),
            ("[]", "[]", true),
            ("[!]", "[!]", true),
            ("[*]", "*", true),
            ("[*]", "a", false),
            ("\\*", "\\a", true),
            ("{a,b}", "a", false),
            ("{a,b}", "{a,b}", true),
            ("A", "a", false),
            ("*a*b*c*d*e*f*g", "abcdefgabcdefgabcdef", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn without_sets_brackets_are_themselves() {
        assert!(Pattern::without_sets("a[1]*").matches("a[1].txt"));
        assert!(!Pattern::without_sets("[a]").matches("a"));
    }
}
