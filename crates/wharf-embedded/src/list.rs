//! Paging through a sorted map, as all of S3's listings do it: a pure function.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::backend::{ListQuery, Page};

/// One page of `map`. `entries` gives a key's entries in order, each with its id where a key can have several.
pub(crate) fn page<'m, V, T, I>(
    map: &'m BTreeMap<String, V>,
    query: &ListQuery,
    entries: impl Fn(&'m V) -> I,
) -> Page<T>
where
    I: IntoIterator<Item = (Option<&'m str>, T)>,
{
    let mut page = Page { entries: Vec::new(), prefixes: Vec::new(), truncated: false, last: None };
    if query.limit == 0 {
        return page;
    }
    let mut from = start(query);
    'ranges: loop {
        for (key, value) in map.range::<String, _>((from.clone(), Bound::Unbounded)) {
            if !key.starts_with(&query.prefix) {
                break 'ranges;
            }
            let common = common_prefix(key, query);
            if let Some(common) = common
                && query.after.as_ref().is_some_and(|(after, _)| after == common)
            {
                // The page before ended with this prefix.
                from = behind(common);
                continue 'ranges;
            }
            for (id, entry) in entries(value) {
                if seen(key, id, value, query, &entries) {
                    continue;
                }
                if page.entries.len() + page.prefixes.len() == query.limit {
                    page.truncated = true;
                    break 'ranges;
                }
                if let Some(common) = common {
                    page.prefixes.push(common.to_owned());
                    page.last = Some((common.to_owned(), None));
                    from = behind(common);
                    continue 'ranges;
                }
                page.entries.push(entry);
                page.last = Some((key.clone(), id.map(str::to_owned)));
            }
        }
        break;
    }
    if !page.truncated {
        page.last = None;
    }
    page
}

/// The prefix up to and with the first delimiter behind the query's own prefix.
fn common_prefix<'k>(key: &'k str, query: &ListQuery) -> Option<&'k str> {
    let delimiter = query.delimiter.as_deref()?;
    let rest = key.get(query.prefix.len()..)?;
    let end = query.prefix.len() + rest.find(delimiter)? + delimiter.len();
    key.get(..end)
}

fn start(query: &ListQuery) -> Bound<String> {
    match &query.after {
        Some((after, id)) if *after >= query.prefix => match id {
            // Entries of this very key may be left.
            Some(_) => Bound::Included(after.clone()),
            None => Bound::Excluded(after.clone()),
        },
        _ => Bound::Included(query.prefix.clone()),
    }
}

/// Whether an entry is the one the page before ended with, or one before it.
fn seen<'m, V, T, I>(
    key: &str,
    id: Option<&str>,
    value: &'m V,
    query: &ListQuery,
    entries: &impl Fn(&'m V) -> I,
) -> bool
where
    I: IntoIterator<Item = (Option<&'m str>, T)>,
{
    let Some((after, Some(marker))) = &query.after else { return false };
    if after != key {
        return false;
    }
    let mut ids = entries(value).into_iter().map(|(id, _)| id);
    let position = ids.position(|id| id == Some(marker));
    let at = entries(value).into_iter().position(|(other, _)| other == id);
    // A marker that is gone hides what sorts up to it, which for upload ids is their order.
    match position {
        Some(position) => at <= Some(position),
        None => id <= Some(marker.as_str()),
    }
}

/// The first place behind every key that starts with `prefix`.
fn behind(prefix: &str) -> Bound<String> {
    let mut stem = prefix.to_owned();
    while let Some(last) = stem.pop() {
        if let Some(next) = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32) {
            stem.push(next);
            return Bound::Included(stem);
        }
    }
    Bound::Excluded(prefix.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(query: &ListQuery, keys: &[&str]) -> (Vec<String>, Vec<String>, bool, Option<String>) {
        let map: BTreeMap<String, String> = keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned())).collect();
        let page = page(&map, query, |key| Some((None, key.clone())));
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
        let first = page(&map, &query, entries);
        assert_eq!((first.entries, first.truncated), (vec!["3", "1"], true));
        query.after = first.last;
        let second = page(&map, &query, entries);
        assert_eq!((second.entries, second.truncated), (vec!["2", "9"], false));
    }
}
