//! The parts that an upload is completed with.

use bytes::Bytes;

use super::elements::{self, check_text, checksum_name};
use super::{ListedPart, UploadPartCopyOutput, UploadPartOutput};
use crate::checksum::Checksum;
use crate::xml::write_document;
use crate::{ETag, Error};

/// A part of an upload that is to be completed. Made from what stored or listed it, or from a number and a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompletedPart {
    /// Its number, 1 to 10,000.
    pub part_number: u32,
    /// The tag that it was stored with.
    pub etag: ETag,
    /// The checksum that it was stored with. S3 wants it where the object's checksum is made from the parts'.
    pub checksum: Option<Checksum>,
}

impl CompletedPart {
    /// The part of this number that was stored with this tag.
    pub fn new(part_number: u32, etag: impl Into<ETag>) -> Self {
        Self { part_number, etag: etag.into(), checksum: None }
    }

    /// Adds the checksum that it was stored with.
    #[must_use]
    pub fn with_checksum(mut self, checksum: Checksum) -> Self {
        self.checksum = Some(checksum);
        self
    }
}

impl<E: Into<ETag>> From<(u32, E)> for CompletedPart {
    fn from((part_number, etag): (u32, E)) -> Self {
        Self::new(part_number, etag)
    }
}

impl From<&CompletedPart> for CompletedPart {
    fn from(part: &CompletedPart) -> Self {
        part.clone()
    }
}

impl From<&UploadPartOutput> for CompletedPart {
    fn from(part: &UploadPartOutput) -> Self {
        Self { part_number: part.part_number, etag: part.etag.clone(), checksum: part.checksum }
    }
}

impl From<UploadPartOutput> for CompletedPart {
    fn from(part: UploadPartOutput) -> Self {
        Self::from(&part)
    }
}

impl From<&UploadPartCopyOutput> for CompletedPart {
    fn from(copy: &UploadPartCopyOutput) -> Self {
        Self::from(&copy.part)
    }
}

impl From<UploadPartCopyOutput> for CompletedPart {
    fn from(copy: UploadPartCopyOutput) -> Self {
        Self::from(&copy)
    }
}

impl From<&ListedPart> for CompletedPart {
    fn from(part: &ListedPart) -> Self {
        Self { part_number: part.part_number, etag: part.etag.clone(), checksum: part.checksum }
    }
}

impl From<ListedPart> for CompletedPart {
    fn from(part: ListedPart) -> Self {
        Self::from(&part)
    }
}

/// Refuses what cannot be an upload's parts.
fn check_parts(parts: &[CompletedPart]) -> Result<(), Error> {
    if parts.is_empty() {
        return Err(Error::invalid_input("an upload cannot be completed without parts; abort it instead"));
    }
    for part in parts {
        let number = elements::part_number(part.part_number)?;
        if part.etag.is_empty() {
            return Err(Error::invalid_input(format!("part {number} has no ETag")));
        }
        check_text("the ETag", part.etag.as_str())?;
    }
    match parts.windows(2).find(|pair| pair[0].part_number == pair[1].part_number) {
        Some(pair) => Err(Error::invalid_input(format!("there are two parts of number {}", pair[0].part_number))),
        None => Ok(()),
    }
}

/// The document that CompleteMultipartUpload carries: `parts`, sorted by number.
pub(super) fn write_parts(parts: &[CompletedPart]) -> Result<Bytes, Error> {
    check_parts(parts)?;
    Ok(write_document("CompleteMultipartUpload", |root| {
        for part in parts {
            root.child("Part", |element| {
                element.text("PartNumber", &part.part_number.to_string());
                element.text("ETag", part.etag.as_str());
                if let Some(checksum) = &part.checksum {
                    element.text(&checksum_name(checksum), &checksum.to_base64());
                }
            });
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumAlgorithm;

    #[test]
    fn whatever_stored_or_listed_a_part_can_complete_it() {
        let checksum = ChecksumAlgorithm::Crc32.checksum(b"123456789");
        let expected = CompletedPart::new(3, "\"e\"").with_checksum(checksum);
        let stored = UploadPartOutput {
            part_number: 3,
            etag: "\"e\"".into(),
            checksum: Some(checksum),
            ..UploadPartOutput::default()
        };
        let copied = UploadPartCopyOutput { part: stored.clone(), ..UploadPartCopyOutput::default() };
        let listed =
            ListedPart { part_number: 3, etag: "\"e\"".into(), checksum: Some(checksum), ..ListedPart::default() };
        for part in [
            CompletedPart::from(&expected),
            CompletedPart::from(&stored),
            CompletedPart::from(stored),
            CompletedPart::from(&copied),
            CompletedPart::from(copied),
            CompletedPart::from(&listed),
            CompletedPart::from(listed),
            CompletedPart::from((3, String::from("\"e\""))).with_checksum(checksum),
        ] {
            assert_eq!(part, expected);
        }
        let document = write_parts(&[expected]).unwrap();
        let document = std::str::from_utf8(&document).unwrap();
        assert!(document.ends_with(
            "<Part><PartNumber>3</PartNumber><ETag>\"e\"</ETag><ChecksumCRC32>y/Q5Jg==</ChecksumCRC32></Part>\
             </CompleteMultipartUpload>"
        ));
    }
}
