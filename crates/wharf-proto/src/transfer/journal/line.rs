//! One record as a line of text: its name, and fields `name=value` behind it.

use std::borrow::Cow;
use std::fmt::{Display, Write};
use std::time::{Duration, SystemTime};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{DownloadStart, Record, StoredPart, UploadStart};
use crate::ETag;
use crate::checksum::{Checksum, ChecksumAlgorithm};
use crate::op::PartsChecksum;
use crate::transfer::Arrived;

/// What would end a value or a line.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// The text of a record, without what ends the line.
pub(super) fn write(record: &Record) -> String {
    match record {
        Record::Upload(start) => Text::new("upload")
            .field("endpoint", &start.endpoint)
            .field("bucket", &start.bucket)
            .field("key", &start.key)
            .field("path", &start.path)
            .field("offset", start.offset)
            .field("length", start.length)
            .option("modified", start.modified.map(nanoseconds))
            .option("inode", start.inode)
            .option("touched", start.touched.map(nanoseconds))
            .field("part-size", start.part_size)
            .field("options", &start.options)
            .option("write-id", start.write_id.as_ref())
            .field("request-payer", start.request_payer)
            .field("since", nanoseconds(start.since)),
        Record::Creating(time) => Text::new("creating").field("time", nanoseconds(*time)),
        Record::Created { upload_id, checksum } => {
            let text = Text::new("created").field("upload-id", upload_id);
            match checksum {
                Some(sum) => text
                    .field("algorithm", sum.algorithm)
                    .field("checksum-type", sum.checksum_type)
                    .field("announced", sum.announced),
                None => text,
            }
        }
        Record::Stored(part) => Text::new("stored")
            .field("number", part.number)
            .field("length", part.length)
            .field("etag", part.etag.as_str())
            .checksum(part.checksum)
            .field("confirmed", part.confirmed),
        Record::Download(start) => Text::new("download")
            .field("endpoint", &start.endpoint)
            .field("bucket", &start.bucket)
            .field("key", &start.key)
            .field("path", &start.path)
            .field("etag", start.etag.as_str())
            .option("version-id", start.version_id.as_ref())
            .option("size", start.size)
            .field("start", start.wanted.start)
            .field("end", start.wanted.end)
            .field("since", nanoseconds(start.since)),
        Record::Arrived(arrived) => Text::new("arrived")
            .field("start", arrived.range.start)
            .field("end", arrived.range.end)
            .checksum(arrived.checksum),
    }
    .0
}

/// The record of a text.
pub(super) fn read(text: &str) -> Option<Record> {
    let (name, fields) = text.split_once(' ')?;
    let fields = Fields(fields);
    Some(match name {
        "upload" => Record::Upload(UploadStart {
            endpoint: fields.text("endpoint")?,
            bucket: fields.text("bucket")?,
            key: fields.text("key")?,
            path: fields.text("path")?,
            offset: fields.parse("offset")?,
            length: fields.parse("length")?,
            modified: fields.option("modified", time)?,
            inode: fields.option("inode", |text| text.parse().ok())?,
            touched: fields.option("touched", time)?,
            part_size: fields.parse("part-size")?,
            options: fields.text("options")?,
            write_id: fields.option("write-id", |text| Some(text.to_owned()))?,
            request_payer: fields.option("request-payer", |text| text.parse().ok())?.unwrap_or_default(),
            since: time(&fields.text("since")?)?,
        }),
        "creating" => Record::Creating(time(&fields.text("time")?)?),
        "created" => {
            let checksum = match fields.option("algorithm", |text| text.parse().ok())? {
                Some(algorithm) => Some(PartsChecksum {
                    algorithm,
                    checksum_type: fields.parse("checksum-type")?,
                    announced: fields.parse("announced")?,
                }),
                None => None,
            };
            Record::Created { upload_id: fields.text("upload-id")?, checksum }
        }
        "stored" => Record::Stored(StoredPart {
            number: fields.parse("number")?,
            length: fields.parse("length")?,
            etag: ETag::from(fields.text("etag")?),
            checksum: fields.checksum()?,
            confirmed: fields.parse("confirmed")?,
        }),
        "download" => Record::Download(DownloadStart {
            endpoint: fields.text("endpoint")?,
            bucket: fields.text("bucket")?,
            key: fields.text("key")?,
            path: fields.text("path")?,
            etag: ETag::from(fields.text("etag")?),
            version_id: fields.option("version-id", |text| Some(text.to_owned()))?,
            size: fields.option("size", |text| text.parse().ok())?,
            wanted: fields.parse("start")?..fields.parse("end")?,
            since: time(&fields.text("since")?)?,
        }),
        "arrived" => Record::Arrived(Arrived {
            range: fields.parse("start")?..fields.parse("end")?,
            checksum: fields.checksum()?,
        }),
        _ => return None,
    })
}

/// A text that is written.
struct Text(String);

impl Text {
    fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    fn field(mut self, name: &str, value: impl Display) -> Self {
        let value = value.to_string();
        // Writing into a text never fails.
        let _ = write!(self.0, " {name}={}", utf8_percent_encode(&value, ESCAPED));
        self
    }

    fn option(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.field(name, value),
            None => self,
        }
    }

    fn checksum(self, checksum: Option<Checksum>) -> Self {
        match checksum {
            Some(checksum) => self.field("algorithm", checksum.algorithm()).field("checksum", checksum),
            None => self,
        }
    }
}

/// The fields of a text.
struct Fields<'a>(&'a str);

impl Fields<'_> {
    fn find(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.split(' ').filter_map(|field| field.split_once('='));
        fields.find_map(|(found, value)| (found == name).then_some(value))
    }

    fn text(&self, name: &str) -> Option<String> {
        percent_decode_str(self.find(name)?).decode_utf8().ok().map(Cow::into_owned)
    }

    fn parse<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// A field that may be left out: `Some(None)`.
    fn option<T>(&self, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
        match self.find(name) {
            None => Some(None),
            Some(_) => Some(Some(read(&self.text(name)?)?)),
        }
    }

    fn checksum(&self) -> Option<Option<Checksum>> {
        let Some(algorithm) = self.option::<ChecksumAlgorithm>("algorithm", |text| text.parse().ok())? else {
            return Some(None);
        };
        Some(Some(Checksum::parse(algorithm, &self.text("checksum")?).ok()?))
    }
}

/// Since 1970, or before.
fn nanoseconds(time: SystemTime) -> i128 {
    let count = |by: Duration| i128::try_from(by.as_nanos()).unwrap_or(i128::MAX);
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => count(after),
        Err(before) => -count(before.duration()),
    }
}

fn time(text: &str) -> Option<SystemTime> {
    const SECOND: u128 = 1_000_000_000;
    let nanoseconds: i128 = text.parse().ok()?;
    let by = nanoseconds.unsigned_abs();
    let by = Duration::new(u64::try_from(by / SECOND).ok()?, (by % SECOND) as u32);
    match nanoseconds < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(by),
        false => SystemTime::UNIX_EPOCH.checked_add(by),
    }
}
