//! Open uploads and their parts, as rows.

use std::ops::Bound;
use std::sync::Arc;

use redb::{ReadOnlyTable, ReadableTable};

use super::failure::{Failure, Result};
use super::record::{self, PartRecord, UploadRecord};
use super::tables::Tx;
use crate::backend::endings::Ending;
use crate::backend::list::{Entry, Source, Start};
use crate::backend::{Part, Upload};
use crate::error::{Code, Error};

type UploadKey = (u64, &'static str, &'static str);

/// Behind every id, which is made of letters and digits.
const LAST: &str = "\u{10FFFF}";

pub(super) fn upload(
    table: &impl ReadableTable<UploadKey, &'static [u8]>,
    bucket: u64,
    key: &str,
    id: &str,
) -> Result<Upload> {
    let Some(value) = table.get((bucket, key, id))? else { return Err(no_such_upload(id)) };
    let record: UploadRecord = record::decode(value.value())?;
    Ok(record.upload(key, id)?)
}

fn no_such_upload(id: &str) -> Failure {
    Error::from(Code::NoSuchUpload).detail("UploadId", id).into()
}

impl Tx<'_> {
    pub(super) fn put_upload(&mut self, bucket: u64, upload: &Upload) -> Result<()> {
        let bytes = record::encode(&UploadRecord::of(upload))?;
        self.uploads.insert((bucket, upload.key.as_str(), upload.id.as_str()), bytes.as_slice())?;
        Ok(())
    }

    pub(super) fn check_upload(&self, bucket: u64, key: &str, id: &str) -> Result<()> {
        match self.uploads.get((bucket, key, id))? {
            Some(_) => Ok(()),
            None => Err(no_such_upload(id)),
        }
    }

    /// Puts a part of an upload that is there, in the place of the one that had its number.
    pub(super) fn put_part(&mut self, id: &str, part: &Part) -> Result<()> {
        let record = PartRecord::of(part)?;
        let bytes = record::encode(&record)?;
        let before = self.parts.get((id, part.number))?;
        let before: Option<PartRecord> = before.map(|before| record::decode(before.value())).transpose()?;
        self.take(&record.extents)?;
        self.parts.insert((id, part.number), bytes.as_slice())?;
        before.map_or(Ok(()), |before| self.release(&before.extents))
    }

    /// Ends an upload that is there, and remembers how.
    pub(super) fn end_upload(&mut self, bucket: u64, key: &str, id: &str, ending: Ending) -> Result<()> {
        self.remove_upload(bucket, key, id)?;
        // Should the disk fail, the upload goes on, and is looked for first.
        self.shared.endings().entry(bucket).or_default().add(key, id, ending);
        Ok(())
    }

    /// Removes an upload that is there, and its parts.
    fn remove_upload(&mut self, bucket: u64, key: &str, id: &str) -> Result<()> {
        let mut extents = Vec::new();
        let all = (id, 0)..=(id, u16::MAX);
        for row in self.parts.range(all.clone())? {
            let record: PartRecord = record::decode(row?.1.value())?;
            extents.extend(record.extents);
        }
        self.parts.retain_in(all, |_, _| false)?;
        self.release(&extents)?;
        self.uploads.remove((bucket, key, id))?;
        Ok(())
    }

    /// Removes all uploads of a bucket.
    pub(super) fn remove_uploads(&mut self, bucket: u64) -> Result<()> {
        let mut open = Vec::new();
        for row in self.uploads.range((bucket, "", "")..(bucket + 1, "", ""))? {
            let (place, _) = row?;
            let (_, key, id) = place.value();
            open.push((key.to_owned(), id.to_owned()));
        }
        open.iter().try_for_each(|(key, id)| self.remove_upload(bucket, key, id))
    }
}

/// The open uploads of a bucket, for a listing.
pub(super) struct Uploads {
    pub(super) table: ReadOnlyTable<UploadKey, &'static [u8]>,
    pub(super) bucket: u64,
}

impl Source for Uploads {
    type Text = String;
    type Listed = Arc<Upload>;
    type Error = Failure;

    fn entries(&self, start: Start) -> Result<impl Iterator<Item = Result<Entry<Self>>>> {
        let from = match &start {
            Start::At(key) => Bound::Included((self.bucket, key.as_str(), "")),
            Start::Behind(key) => Bound::Excluded((self.bucket, key.as_str(), LAST)),
            Start::Amid(key, id) => Bound::Excluded((self.bucket, key.as_str(), id.as_str())),
        };
        let rows = self.table.range::<(u64, &str, &str)>((from, Bound::Unbounded))?;
        Ok(rows.map_while(|row| {
            let (place, value) = match row {
                Ok(row) => row,
                Err(error) => return Some(Err(error.into())),
            };
            let (bucket, key, id) = place.value();
            (bucket == self.bucket).then(|| {
                let record: UploadRecord = record::decode(value.value())?;
                let upload = record.upload(key, id)?;
                Ok((key.to_owned(), Some(id.to_owned()), Arc::new(upload)))
            })
        }))
    }
}
