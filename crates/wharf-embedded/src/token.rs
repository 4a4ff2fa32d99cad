//! Continuation tokens: where a listing goes on, opaque to whoever passes them back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Result, invalid_argument};

/// In front of the place, so that a token made up elsewhere is told from ours.
const MARK: &str = "wharf:";

pub(crate) fn write(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{MARK}{place}"))
}

pub(crate) fn read(token: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let place = text.as_deref().and_then(|text| text.strip_prefix(MARK)).map(str::to_owned);
    place.ok_or_else(|| invalid_argument("The continuation token provided is incorrect", "continuation-token", token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own() {
        assert_eq!(read(&write("a\0/é")).unwrap(), "a\0/é");
        for bad in ["", "abc", "!", &URL_SAFE_NO_PAD.encode("a")] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
