//! Paging through sorted entries, as all of S3's listings do it: pure, wherever the entries come from.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Bound;

use crate::backend::{ListQuery, Page};

/// Where a listing begins or goes on.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    /// At a key, or the first one behind it.
    At(String),
    /// Behind all entries of a key.
    Behind(String),
    /// Behind the entry of a key that has this id, or would have it.
    Amid(String, String),
}

/// One entry: its key, its id where a key can have several, and what is listed of it.
pub(crate) type Entry<S> = (<S as Source>::Text, Option<<S as Source>::Text>, <S as Source>::Listed);

/// Entries in order of their keys.
pub(crate) trait Source {
    type Text: AsRef<str>;
    type Listed;
    type Error;

    fn entries(&self, start: Start) -> Result<impl Iterator<Item = Result<Entry<Self>, Self::Error>>, Self::Error>;
}

/// One page. A common prefix is one look-up, however many keys are behind it.
pub(crate) fn page<S: Source>(source: &S, query: &ListQuery) -> Result<Page<S::Listed>, S::Error> {
    let mut page = Page { entries: Vec::new(), prefixes: Vec::new(), truncated: false, last: None };
    if query.limit == 0 {
        return Ok(page);
    }
    let mut next = Some(start(query));
    while let Some(start) = next.take() {
        for entry in source.entries(start)? {
            let (key, id, listed) = entry?;
            let key = key.as_ref();
            if !key.starts_with(&query.prefix) {
                break;
            }
            let common = common_prefix(key, query);
            if let Some(common) = common
                && query.after.as_ref().is_some_and(|(after, _)| is_behind(after, common, query))
            {
                next = behind(common);
                break;
            }
            if page.entries.len() + page.prefixes.len() == query.limit {
                page.truncated = true;
                break;
            }
            if let Some(common) = common {
                page.prefixes.push(common.to_owned());
                page.last = Some((common.to_owned(), None));
                next = behind(common);
                break;
            }
            page.entries.push(listed);
            page.last = Some((key.to_owned(), id.map(|id| id.as_ref().to_owned())));
        }
    }
    if !page.truncated {
        page.last = None;
    }
    Ok(page)
}

/// One page of a map in memory. `entries` gives a key's entries in order, each with its id where a key can have
/// several; `seen` says how many of a key's are not behind the one of an id, whether or not that one is still there.
pub(crate) fn page_of_map<'m, V, T, I>(
    map: &'m BTreeMap<String, V>,
    query: &ListQuery,
    seen: impl Fn(&V, &str) -> usize,
    entries: impl Fn(&'m V) -> I,
) -> Page<T>
where
    I: IntoIterator<Item = (Option<&'m str>, T)>,
{
    match page(&Map { map, seen, entries }, query) {
        Ok(page) => page,
        Err(never) => match never {},
    }
}

struct Map<'m, V, S, F> {
    map: &'m BTreeMap<String, V>,
    seen: S,
    entries: F,
}

impl<'m, V, T, I, S, F> Source for Map<'m, V, S, F>
where
    S: Fn(&V, &str) -> usize,
    F: Fn(&'m V) -> I,
    I: IntoIterator<Item = (Option<&'m str>, T)>,
{
    type Text = &'m str;
    type Listed = T;
    type Error = Infallible;

    fn entries(&self, start: Start) -> Result<impl Iterator<Item = Result<Entry<Self>, Infallible>>, Infallible> {
        let (from, amid) = match start {
            Start::At(key) => (Bound::Included(key), None),
            Start::Behind(key) => (Bound::Excluded(key), None),
            // Entries of this very key may be left.
            Start::Amid(key, id) => (Bound::Included(key.clone()), Some((key, id))),
        };
        let seen = move |key: &str, value: &'m V| match &amid {
            Some((other, marker)) if other == key => (self.seen)(value, marker),
            _ => 0,
        };
        let keys = self.map.range::<String, _>((from, Bound::Unbounded));
        Ok(keys.flat_map(move |(key, value)| {
            let left = (self.entries)(value).into_iter().skip(seen(key, value));
            left.map(move |(id, listed)| Ok((key.as_str(), id, listed)))
        }))
    }
}

/// The prefix up to and with the first delimiter behind the query's own prefix.
fn common_prefix<'k>(key: &'k str, query: &ListQuery) -> Option<&'k str> {
    let delimiter = query.delimiter.as_deref()?;
    let rest = key.get(query.prefix.len()..)?;
    let end = query.prefix.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}

/// Whether a listing that goes on after `after` has the common prefix behind it: the page before ended with it, or
/// within it.
fn is_behind(after: &str, common: &str, query: &ListQuery) -> bool {
    after == common || query.skips_prefix && after.starts_with(common)
}

fn start(query: &ListQuery) -> Start {
    match &query.after {
        Some((after, Some(id))) if *after >= query.prefix => Start::Amid(after.clone(), id.clone()),
        Some((after, None)) if *after >= query.prefix => Start::Behind(after.clone()),
        _ => Start::At(query.prefix.clone()),
    }
}

/// The first place behind every key that starts with `prefix`, if there can be one.
fn behind(prefix: &str) -> Option<Start> {
    let mut stem = prefix.to_owned();
    while let Some(last) = stem.pop() {
        if let Some(next) = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32) {
            stem.push(next);
            return Some(Start::At(stem));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(query: &ListQuery, keys: &[&str]) -> (Vec<String>, Vec<String>, bool, Option<String>) {
        let map: BTreeMap<String, String> = keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned())).collect();
        let page = page_of_map(&map, query, |_, _| 0, |key| Some((None, key.clone())));
        (page.entries, page.prefixes, page.truncated, page.last.map(|(last, _)| last))
    }

    #[test]
    fn prefixes_count_and_are_skipped_whole() {
        let all = ["a/1", "a/2", "b", "c/d/e", "c/f", "é", "\u{10FFFF}x"];
        let mut query = ListQuery { delimiter: Some("/".to_owned()), limit: 2, ..ListQuery::default() };
        let mut seen = Vec::new();
        loop {
            let (entries, prefixes, truncated, last) = keys(&query, &all);
            seen.push((entries, prefixes));
            assert_eq!(truncated, last.is_some());
            let Some(last) = last else { break };
            query.after = Some((last, None));
        }
        let flat: Vec<String> = seen.into_iter().flat_map(|(entries, prefixes)| [prefixes, entries].concat()).collect();
        assert_eq!(flat, ["a/", "b", "c/", "é", "\u{10FFFF}x"]);
    }

    #[test]
    fn prefix_after_and_limits() {
        let all = ["a", "ab", "ab/c", "b"];
        let query = |prefix: &str, after: Option<&str>, limit| ListQuery {
            prefix: prefix.to_owned(),
            after: after.map(|after| (after.to_owned(), None)),
            limit,
            ..ListQuery::default()
        };
        assert_eq!(keys(&query("a", None, 9), &all).0, ["a", "ab", "ab/c"]);
        assert_eq!(keys(&query("", Some("a"), 9), &all).0, ["ab", "ab/c", "b"]);
        assert_eq!(keys(&query("ab", Some("a"), 9), &all).0, ["ab", "ab/c"]);
        assert_eq!(keys(&query("a", Some("b"), 9), &all).0, Vec::<String>::new());
        assert_eq!(keys(&query("", None, 0), &all), (vec![], vec![], false, None));
        assert!(!keys(&query("", None, 4), &all).2);
        assert!(keys(&query("", None, 3), &all).2);
    }

    #[test]
    fn a_key_may_be_cut_in_two() {
        let map = BTreeMap::from([("a".to_owned(), vec!["3", "1", "2"]), ("b".to_owned(), vec!["9"])]);
        let mut query = ListQuery { limit: 2, ..ListQuery::default() };
        let entries = |ids: &Vec<&'static str>| ids.iter().map(|id| (Some(*id), *id)).collect::<Vec<_>>();
        let seen = |ids: &Vec<&str>, marker: &str| ids.iter().position(|id| *id == marker).map_or(0, |at| at + 1);
        let page = |query: &ListQuery| page_of_map(&map, query, seen, entries);
        let first = page(&query);
        assert_eq!((first.entries, first.truncated), (vec!["3", "1"], true));
        query.after = first.last;
        let second = page(&query);
        assert_eq!((second.entries, second.truncated), (vec!["2", "9"], false));
    }
}
