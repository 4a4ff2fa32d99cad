//! What several answers and requests have in common.

use crate::checksum::Checksum;
use crate::operation::ChecksumPolicy;
use crate::xml::{self, Scanner};
use crate::{ByteRange, Error, ErrorKind};

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

/// Refuses a listing of what was not asked for: who deletes what is listed must not delete that.
pub(super) fn must_begin<'a>(prefix: Option<&str>, names: impl IntoIterator<Item = &'a String>) -> Result<(), Error> {
    let Some(prefix) = prefix else { return Ok(()) };
    match names.into_iter().find(|name| !name.starts_with(prefix)) {
        Some(name) => {
            let message = format!("the server lists {name:?}, but {prefix:?} was asked for");
            Err(Error::new(ErrorKind::MalformedResponse, message))
        }
        None => Ok(()),
    }
}

/// Refuses text that a document cannot carry.
pub(super) fn check_text(what: &str, text: &str) -> Result<(), Error> {
    if xml::holds(text) {
        return Ok(());
    }
    Err(Error::invalid_input(format!("{what} {text:?}: XML cannot hold its control characters")))
}

/// Refuses an empty upload id: a server may take the request for one on the object itself, and delete or replace it.
pub(super) fn upload_id(upload_id: &str) -> Result<&str, Error> {
    if upload_id.is_empty() {
        return Err(Error::invalid_input("the upload id is empty"));
    }
    Ok(upload_id)
}

/// Refuses a part number that no part can have.
pub(super) fn part_number(part_number: u32) -> Result<u32, Error> {
    if !(1..=10_000).contains(&part_number) {
        return Err(Error::invalid_input(format!("part number {part_number} is not between 1 and 10,000")));
    }
    Ok(part_number)
}

/// The number of a part that is to be read alone, which no range goes with.
pub(super) fn part_to_read(number: Option<u32>, range: Option<ByteRange>) -> Result<Option<String>, Error> {
    match number.map(part_number).transpose()? {
        Some(_) if range.is_some() => Err(Error::invalid_input("a range and a part number: give one of them")),
        number => Ok(number.map(|number| number.to_string())),
    }
}

/// Which checksum goes with a presigned upload: only one whose value is known already, for there is no body yet.
pub(super) fn presigned_checksum(policy: ChecksumPolicy) -> Result<ChecksumPolicy, Error> {
    match policy {
        ChecksumPolicy::Value(_) => Ok(policy),
        ChecksumPolicy::Algorithm(algorithm) | ChecksumPolicy::WhileSending(algorithm) => Err(Error::invalid_input(
            format!("a presigned upload has no body to compute its {algorithm} from; give the checksum_value, or none"),
        )),
        _ => Ok(ChecksumPolicy::Off),
    }
}
