//! What several answers and requests have in common.

use crate::checksum::Checksum;
use crate::xml::{self, Scanner};
use crate::{Error, ErrorKind};

/// The checksum that the element `name` (`ChecksumCRC32`, `ChecksumSHA256`, ...) holds. `None` for any other element
/// and for an algorithm that is not known here, which is passed over.
pub(super) fn checksum(name: &str, scanner: &mut Scanner<'_>) -> Result<Option<Checksum>, Error> {
    match name.strip_prefix("Checksum").and_then(|algorithm| algorithm.parse().ok()) {
        Some(algorithm) => Ok(Checksum::parse(algorithm, &scanner.text()?).ok()),
        None => scanner.skip().map(|()| None),
    }
}

/// The name of the element that holds `checksum`.
pub(super) fn checksum_name(checksum: &Checksum) -> String {
    format!("Checksum{}", checksum.algorithm())
}

/// The prefix inside a `<CommonPrefixes>`.
pub(super) fn common_prefix(scanner: &mut Scanner<'_>) -> Result<String, Error> {
    let mut prefix = String::new();
    while let Some(name) = scanner.child()? {
        match name {
            "Prefix" => prefix = scanner.text()?.into_owned(),
            _ => scanner.skip()?,
        }
    }
    Ok(prefix)
}

/// The element's text; `None` where it is empty, as servers write what does not apply.
pub(super) fn some_text(scanner: &mut Scanner<'_>) -> Result<Option<String>, Error> {
    Ok(Some(scanner.text()?.into_owned()).filter(|text| !text.is_empty()))
}

/// A page that claims to have a successor and does not name it.
pub(super) fn no_next_page() -> Error {
    let message = "the listing is truncated, but the answer does not say where to go on";
    Error::new(ErrorKind::MalformedResponse, message)
}

/// Refuses text that a document cannot carry.
pub(super) fn check_text(what: &str, text: &str) -> Result<(), Error> {
    if xml::holds(text) {
        return Ok(());
    }
    Err(Error::invalid_input(format!("{what} {text:?}: XML cannot hold its control characters")))
}
