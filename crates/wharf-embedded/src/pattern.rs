//! Patterns of buckets, keys, headers and origins. Those of policies know `?` too, and are read there.

/// A text in which `*` stands for any other, an empty one too.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return text == self.0 };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(text) = text.strip_prefix(first).and_then(|text| text.strip_suffix(last)) else { return false };
        // The first place where a piece fits leaves the most for those behind it.
        let mut left = text;
        middle.split('*').all(|piece| match left.split_once(piece) {
            Some((_, behind)) => {
                left = behind;
                true
            }
            None => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, hits, misses) in [
            ("a/b", &["a/b"][..], &["a/bc", "xa/b", ""][..]),
            ("*", &["", "a/b"], &[]),
            ("reports/*", &["reports/", "reports/2026/a"], &["report", "x/reports/"]),
            ("*.csv", &[".csv", "a/b.csv"], &["a.csv.gz"]),
            ("a*a", &["aa", "aba"], &["a"]),
            ("a*b*c*d", &["abcd", "axbxcxd", "abbccd"], &["acbd", "abd"]),
            ("**", &["", "x"], &[]),
        ] {
            let pattern = Pattern::new(pattern);
            assert!(hits.iter().all(|text| pattern.matches(text)), "{pattern:?}");
            assert!(!misses.iter().any(|text| pattern.matches(text)), "{pattern:?}");
        }
    }
}
