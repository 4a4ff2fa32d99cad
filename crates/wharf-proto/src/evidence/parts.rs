//! Whether an object is made of known parts.

use super::from_hex;
use crate::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::transfer::journal::hex;
use crate::{ETag, ObjectHead};

/// Whether an object is made of the parts that have these tags, in their order: by the checksum that the server keeps of it,
/// where it is of the kind of `ours`, which they must give; else by its tag.
pub fn is_made_of<'a>(head: &ObjectHead, tags: impl IntoIterator<Item = &'a ETag>, ours: Option<&Checksum>) -> bool {
    let is_composite =
        |checksum: &Checksum| checksum.is_composite() || head.checksum_type == Some(ChecksumType::Composite);
    match (&head.checksum, ours) {
        (Some(theirs), Some(ours)) if theirs.algorithm() == ours.algorithm() => {
            is_composite(theirs) == ours.is_composite() && theirs.as_bytes() == ours.as_bytes()
        }
        _ => tag_of(tags).is_some_and(|tag| head.etag.unquoted() == tag),
    }
}

/// The tag of an object of these parts, where tags are MD5s: the MD5 of theirs, and how many there are.
fn tag_of<'a>(tags: impl IntoIterator<Item = &'a ETag>) -> Option<String> {
    let digests: Option<Vec<_>> = tags.into_iter().map(|tag| from_hex(tag.unquoted())).collect();
    let digests = digests?;
    Some(format!("{}-{}", hex(&ChecksumAlgorithm::Md5.checksum(&digests.concat())), digests.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // printf 'a' | md5sum, printf 'b' | md5sum, and md5sum of both digests' bytes.
    const A: &str = "\"0cc175b9c0f1b6a831c399e269772661\"";
    const B: &str = "92eb5ffee6ae2fec3ad71c777531578f";
    const BOTH: &str = "96e024ba2074fe77e8e965ba43a704be-2";

    #[test]
    fn the_tag_of_parts() {
        let tag = |tags: &[&str]| tag_of(&tags.iter().map(|tag| ETag::from(*tag)).collect::<Vec<_>>());
        assert_eq!(tag(&[A, B]).unwrap(), BOTH);
        for other in ["not-an-md5", "\"0cc175b9c0f1b6a831c399e26977266\u{e4}\"", "+cc175b9c0f1b6a831c399e269772661"] {
            assert_eq!(tag(&[A, other]), None, "{other}");
        }
    }

    #[test]
    fn a_checksum_comes_before_the_tag() {
        let crc32 = |bytes: &[u8]| ChecksumAlgorithm::Crc32.checksum(bytes);
        let (ours, sha1) = (crc32(b"ab"), ChecksumAlgorithm::Sha1.checksum(b"ab"));
        let composite = Some(ChecksumType::Composite);
        for (theirs, checksum_type, etag, expected) in [
            (Some(ours), None, "other", true),
            (Some(crc32(b"ba")), None, BOTH, false),
            (Some(ours), composite, BOTH, false),
            (Some(sha1), None, BOTH, true),
            (Some(sha1), None, "other", false),
            (None, None, BOTH, true),
            (None, None, "96e024ba2074fe77e8e965ba43a704be-3", false),
        ] {
            let head = ObjectHead { etag: etag.into(), checksum: theirs, checksum_type, ..ObjectHead::default() };
            assert_eq!(is_made_of(&head, &[A.into(), B.into()], Some(&ours)), expected, "{head:?}");
        }
        let head = ObjectHead { etag: BOTH.into(), checksum: Some(ours), ..ObjectHead::default() };
        assert!(is_made_of(&head, &[A.into(), B.into()], None));
    }
}
