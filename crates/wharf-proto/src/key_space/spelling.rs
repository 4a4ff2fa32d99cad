//! How keys are spelled, learnt from some of them, and what that says of keys that were not seen.
//!
//! Keys are read as numbers: at each place the characters seen there are the digits, with those that belong to them (all ten
//! digits where there is one). At the first place that counts there is one more beyond the greatest, so that other keys can be
//! found. So a number between two keys is a text that is spelled as keys are, and the distance between two keys, with that over
//! which some pages went, says how many pages there are between them. It is a guess, and nothing but speed depends on it.

use crate::MAX_KEY_BYTES;
use crate::xml;

/// How many characters of a place are remembered.
const MOST_LETTERS: usize = 128;
/// Below this, a place adds nothing to a number.
const SMALLEST: f64 = 1e-16;

#[derive(Debug, Clone, Default)]
pub(super) struct Spelling {
    places: Vec<Place>,
}

/// What stands at a place of keys.
#[derive(Debug, Clone, Default)]
struct Place {
    seen: Vec<char>,
    /// The digits: those seen, and those that belong to them.
    letters: Vec<char>,
}

/// Two keys and the number of pages that were found from one to the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) pages: f64,
}

/// A guess.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Guess {
    /// How many pages there are. Where there are more than was asked for, it may be many more.
    pub(super) pages: f64,
    /// How many characters all keys have in common that this is about.
    base: usize,
    /// Where it begins, from 0 to 1 of all keys that begin so.
    at: f64,
    /// How much a page is of that.
    page: f64,
}

impl Spelling {
    pub(super) fn learn(&mut self, key: &str) {
        for (place, letter) in key.chars().enumerate() {
            if place == self.places.len() {
                self.places.push(Place::default());
            }
            self.places[place].learn(letter);
        }
    }

    /// How many pages there are after `after` and up to `until`, if it is there as it is at the sample. `enough` is as many as
    /// one cares to know of; all that counts here begins with `prefix`.
    pub(super) fn guess(&self, sample: &Sample, prefix: &str, after: &str, until: Option<&str>, enough: f64) -> Guess {
        let [first, last, after] = [&sample.first, &sample.last, after].map(|key| key.chars().collect::<Vec<_>>());
        let until: Option<Vec<char>> = until.map(|key| key.chars().collect());
        let mut base = common(&first, &last).min(common(&first, &after));
        let lowest = until.as_ref().map_or_else(|| prefix.chars().count(), |until| common(&after, until)).min(base);
        loop {
            let page = (self.number(&last, base) - self.number(&first, base)) / sample.pages;
            let at = self.number(&after, base);
            // What does not begin like `after` lies beyond all that does.
            let end = until.as_ref().filter(|_| base == lowest).map_or(1.0, |until| self.number(until, base));
            let pages = if page > SMALLEST { ((end - at) / page).max(0.0) } else { 0.0 };
            if pages >= enough || base == lowest {
                return Guess { pages, base, at, page };
            }
            base -= 1;
        }
    }

    /// A text that stands so many pages after `after`, as guessed.
    pub(super) fn text(&self, after: &str, guess: &Guess, pages: f64) -> Option<String> {
        let mut number = guess.at + pages * guess.page;
        let mut text: String = after.chars().take(guess.base).collect();
        let mut weight = 1.0;
        for (depth, place) in self.places.get(guess.base..)?.iter().enumerate() {
            let radix = place.radix(depth);
            number *= radix;
            weight /= radix;
            let digit = number.floor().clamp(0.0, radix - 1.0);
            number -= digit;
            match place.letters.get(digit as usize) {
                Some(letter) => text.push(*letter),
                None => {
                    text.extend(place.letters.last().copied().and_then(beyond));
                    break;
                }
            }
            if weight < guess.page / 4.0 {
                break;
            }
        }
        (text.len() <= MAX_KEY_BYTES && text.as_str() > after).then_some(text)
    }

    /// A key without its first characters, as a number from 0 to 1. One that ends is as great as if it went on with what is
    /// smallest.
    fn number(&self, key: &[char], base: usize) -> f64 {
        let (mut number, mut weight) = (0.0, 1.0);
        let places = self.places.iter().zip(key).skip(base);
        for (depth, (place, letter)) in places.enumerate() {
            weight /= place.radix(depth);
            let digit = place.letters.binary_search(letter);
            number += digit.unwrap_or_else(|digit| digit) as f64 * weight;
            if digit.is_err() || weight < SMALLEST {
                break;
            }
        }
        number
    }
}

impl Place {
    /// How many digits there are. At the first place that counts there is one more.
    fn radix(&self, depth: usize) -> f64 {
        (self.letters.len() + usize::from(depth == 0)).max(1) as f64
    }

    fn learn(&mut self, letter: char) {
        let Err(at) = self.seen.binary_search(&letter) else { return };
        if self.seen.len() < MOST_LETTERS && can_be_asked_for(letter) {
            self.seen.insert(at, letter);
            self.letters = with_kin(&self.seen);
        }
    }
}

/// The characters of a place with those that probably stand there too.
fn with_kin(seen: &[char]) -> Vec<char> {
    let mut letters = seen.to_vec();
    let digits = seen.iter().any(char::is_ascii_digit);
    if digits {
        letters.extend('0'..='9');
    }
    for (is_one, sixteen, all) in [
        (char::is_ascii_lowercase as fn(&char) -> bool, 'a'..='f', 'a'..='z'),
        (char::is_ascii_uppercase, 'A'..='F', 'A'..='Z'),
    ] {
        let ones: Vec<_> = seen.iter().copied().filter(is_one).collect();
        let is_hex = ones.iter().all(|letter| sixteen.contains(letter));
        match (ones.len(), digits && is_hex) {
            (0, _) | (1, false) => {}
            (_, true) => letters.extend(sixteen),
            (_, false) => letters.extend(all),
        }
    }
    letters.extend(seen.iter().filter(|letter| !letter.is_ascii()).flat_map(|letter| neighbours(*letter)));
    letters.sort_unstable();
    letters.dedup();
    letters
}

/// Some of a script, evenly spread, whichever of it was seen.
fn neighbours(letter: char) -> impl Iterator<Item = char> {
    let letter = letter as u32;
    let (first, count) = match letter {
        0x4e00..0xa000 => (0x4e00, 0x5200),
        0xac00..0xd800 => (0xac00, 0x2c00),
        _ => (letter & !0x7f, 0x80),
    };
    (first..first + count)
        .step_by(count as usize / 32)
        .filter_map(char::from_u32)
        .filter(|letter| can_be_asked_for(*letter))
}

/// A server may repeat in its answer what it was asked for, and XML cannot hold all characters.
fn can_be_asked_for(letter: char) -> bool {
    xml::holds(letter.encode_utf8(&mut [0; 4])) && !letter.is_control()
}

fn beyond(letter: char) -> Option<char> {
    (letter..=char::MAX).skip(1).find(|next| can_be_asked_for(*next))
}

/// A text in the middle between two keys, whatever keys look like; `None` where they are too close.
pub(super) fn between(after: &str, until: &str) -> Option<String> {
    let same = after.chars().zip(until.chars()).take_while(|(one, other)| one == other).count();
    let (one, other) = (after.chars().nth(same).map_or(0, u32::from), u32::from(until.chars().nth(same)?));
    let middle =
        (one.midpoint(other)..other).find_map(|letter| char::from_u32(letter).filter(|it| can_be_asked_for(*it)))?;
    let text: String = after.chars().take(same).chain([middle]).collect();
    (text.as_str() > after && text.as_str() < until).then_some(text)
}

/// How many characters two keys begin with in common.
fn common(left: &[char], right: &[char]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(keys: impl IntoIterator<Item = String>) -> Spelling {
        let mut spelling = Spelling::default();
        keys.into_iter().for_each(|key| spelling.learn(&key));
        spelling
    }

    fn sample(first: &str, last: &str) -> Sample {
        Sample { first: first.to_owned(), last: last.to_owned(), pages: 1.0 }
    }

    #[test]
    fn numbered_keys_are_guessed_from_one_page() {
        let spelling = spelling((0..1000).step_by(50).map(|n| format!("obj-{n:07}")));
        let sample = sample("obj-0000000", "obj-0000999");
        let guess = spelling.guess(&sample, "", "obj-0000999", Some("obj-0100000"), 16.0);
        assert!((50.0..200.0).contains(&guess.pages), "{guess:?}");
        let text = spelling.text("obj-0000999", &guess, 8.0).unwrap();
        assert!(("obj-0005".."obj-0012").contains(&text.as_str()), "{text}");
        // The keys' end is not known; there is much room.
        let guess = spelling.guess(&sample, "", "obj-0000999", None, 16.0);
        assert!(guess.pages >= 16.0, "{guess:?}");
        // Behind the last of its kind there is room for others.
        let guess = spelling.guess(&sample, "", "obj-9999999", None, 16.0);
        let text = spelling.text("obj-9999999", &guess, 8.0).unwrap();
        assert!(text.as_str() > "obj-9999999", "{text}");
    }

    #[test]
    fn a_text_lies_where_it_was_asked_for_whatever_the_keys_are() {
        for keys in [
            vec!["a", "a/b", "a/b/c", "b", "c"],
            vec!["日本/1", "日本/2", "日本語", "é", "\u{10ffff}"],
            vec!["\u{1}", "\u{1f}", "\u{7f}", "\u{fffd}"],
            vec!["a\u{d7ff}", "a\u{e000}", "a\u{ffff}"],
        ] {
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            let spelling = spelling(sorted.iter().map(|key| (*key).to_owned()));
            for (at, after) in sorted.iter().enumerate() {
                for until in sorted[at + 1..].iter().map(|key| Some(*key)).chain([None]) {
                    let guess = spelling.guess(&sample(sorted[0], sorted[sorted.len() - 1]), "", after, until, 1e9);
                    for share in [0.1, 0.5, 0.9] {
                        if let Some(text) = spelling.text(after, &guess, guess.pages * share) {
                            assert!(text.as_str() > *after, "{after:?} {until:?} {text:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn the_middle_lies_between() {
        let between = |after: &str, until: &str| super::between(after, until);
        assert_eq!(between("a/b", "a/x").as_deref(), Some("a/m"));
        assert_eq!(between("a", "a/x").as_deref(), Some("a "));
        assert_eq!(between("a\u{d000}", "a\u{e100}").as_deref(), Some("a\u{e000}"));
        assert_eq!((between("a", "b"), between("a", "a"), between("", "\t")), (None, None, None));
    }

    #[test]
    fn what_lies_beyond_can_be_written() {
        assert_eq!(
            (beyond('a'), beyond('\u{d7ff}'), beyond('\u{fffd}')),
            (Some('b'), Some('\u{e000}'), Some('\u{10000}'))
        );
        assert_eq!((beyond('\u{1}'), beyond('~'), beyond(char::MAX)), (Some(' '), Some('\u{a0}'), None));
    }
}
