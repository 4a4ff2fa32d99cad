//! How the last uploads ended: whoever did not hear of it asks again, and is told the same.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use md5::{Digest, Md5};

use crate::backend::blob::Concat;
use crate::backend::{Found, Object, Version};

/// How many of a bucket's are remembered.
const MOST: usize = 1000;

/// How an upload ended.
#[derive(Clone)]
pub(crate) enum Ending {
    Aborted,
    Completed {
        /// [`fingerprint`] of the parts that were asked for.
        parts: [u8; 16],
        /// What came of it, without its bytes.
        found: Found,
    },
}

impl Ending {
    pub(crate) fn completed(found: &Found) -> Self {
        let Version { key, id, modified, object } = &*found.version;
        let parts = object.iter().flat_map(|object| &object.parts);
        let parts = fingerprint(parts.map(|part| (part.number.into(), part.etag.as_str())));
        // To remember it must not be to keep what was deleted since.
        let bare =
            |object: &Object| Object { blob: Arc::new(Concat::new(Vec::new())), parts: Vec::new(), ..object.clone() };
        let object = object.as_ref().map(bare);
        let version = Arc::new(Version { key: key.clone(), id: id.clone(), modified: *modified, object });
        Self::Completed { parts, found: Found { version, versioned: found.versioned } }
    }
}

/// What stands for a list of parts, by their numbers and entity tags.
pub(crate) fn fingerprint<'a>(parts: impl Iterator<Item = (i32, &'a str)>) -> [u8; 16] {
    let mut md5 = Md5::new();
    for (number, etag) in parts {
        md5.update(format!("{number} {etag}\n"));
    }
    md5.finalize().into()
}

/// The endings of one bucket.
#[derive(Default)]
pub(crate) struct Endings {
    /// By upload id, with the key.
    by_id: HashMap<String, (String, Ending)>,
    /// The oldest first.
    ids: VecDeque<String>,
}

impl Endings {
    pub(crate) fn add(&mut self, key: &str, id: &str, ending: Ending) {
        if self.by_id.insert(id.to_owned(), (key.to_owned(), ending)).is_none() {
            self.ids.push_back(id.to_owned());
        }
        if self.ids.len() > MOST
            && let Some(oldest) = self.ids.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    pub(crate) fn get(&self, key: &str, id: &str) -> Option<&Ending> {
        self.by_id.get(id).filter(|(other, _)| other == key).map(|(_, ending)| ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut endings = Endings::default();
        for number in 0..=MOST {
            endings.add("k", &number.to_string(), Ending::Aborted);
            endings.add("k", &number.to_string(), Ending::Aborted);
        }
        assert!(endings.get("k", "0").is_none() && endings.get("other", "1").is_none());
        assert!((1..=MOST).all(|number| endings.get("k", &number.to_string()).is_some()));
        assert_eq!((endings.by_id.len(), endings.ids.len()), (MOST, MOST));
    }
}
