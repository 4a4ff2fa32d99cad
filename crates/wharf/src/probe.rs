//! Finding out what a server really does.

mod clean;
mod run;

use std::fmt;
use std::future::Future;

use wharf_proto::Error;
use wharf_proto::checksum::ChecksumAlgorithm;
use wharf_proto::provider::{Condition, Conditions, ContentMd5, Habits, Provider};

use crate::Client;
use run::Probe;

/// What [`Client::probe`] found out about a server.
///
/// [`Display`](fmt::Display) prints it as a table, a line each.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProbeReport {
    /// Whose S3 the client takes it for.
    pub provider: Provider,
    /// What the server calls itself, in the header `Server`.
    pub server: Option<String>,
    /// Whether conditions hold.
    pub conditions: Vec<(Condition, Finding)>,
    /// Whether these checksums are compared with the body, kept and told.
    pub checksums: Vec<(ChecksumAlgorithm, Finding)>,
    /// Whether a checksum may follow the body (`aws-chunked` with a trailer, only the head signed).
    pub trailers: Finding,
    /// Whether a body may come in signed chunks (`aws-chunked`).
    pub chunks: Finding,
    /// Whether there is ListObjectsV2, and its tokens lead on.
    pub list_v2: Finding,
    /// Whether a key with a control character can be written, and comes back in a listing (`encoding-type=url`).
    pub list_encoding: Finding,
    /// Whether a listing has the order of the keys' UTF-8 bytes.
    pub sorted: Finding,
    /// Whether a range is read as such.
    pub ranges: Finding,
    /// Whether the ETag of an object that was put at once is its MD5.
    pub etag_is_md5: Finding,
    /// Whether the ETag of a multipart object is the MD5 of its parts' MD5s, a dash, and their number.
    pub multipart_etag: Finding,
    /// Whether DeleteObjects is satisfied with a checksum in place of `Content-MD5`.
    pub delete_checksum: Finding,
    /// Whether DeleteObjects takes `Content-MD5`.
    pub delete_md5: Finding,
    /// What the probe made and could not remove: keys, and why.
    pub remains: Vec<String>,
    hint: Option<String>,
    /// What was known before.
    known: Habits,
}

/// What one attempt showed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The server does as S3 does.
    Yes,
    /// The server says that all went well, but did something else: what.
    No(String),
    /// The server refuses it, which does no harm: its error.
    Refused(String),
    /// It was not found out: why.
    Unknown(String),
}

impl Finding {
    /// Whether the server does as S3 does.
    pub fn is_yes(&self) -> bool {
        *self == Self::Yes
    }

    /// As a habit; what was not found out stays as it was.
    fn or(&self, known: bool) -> bool {
        match self {
            Self::Yes => true,
            Self::No(_) | Self::Refused(_) => false,
            Self::Unknown(_) => known,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => f.write_str("yes"),
            Self::No(instead) => write!(f, "NO: {instead}"),
            Self::Refused(error) => write!(f, "refused: {error}"),
            Self::Unknown(reason) => write!(f, "unknown: {reason}"),
        }
    }
}

impl Client {
    /// Finds out what the server does that `bucket` is on: whether conditions hold, which checksums are kept, how
    /// listings come. It sends less than two hundred small requests, also such as this client would refuse
    /// ([`ClientBuilder::assume_conditions`](crate::ClientBuilder::assume_conditions)).
    ///
    /// All that it writes is below `.wharf-probe-` and a random number, and is removed at the end, also where the probe
    /// fails. What could not be removed is told. A dropped future removes nothing.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// let report = s3.probe("my-bucket").await?;
    /// println!("{report}");
    /// assert!(!report.conditions.iter().any(|(_, finding)| matches!(finding, wharf::Finding::No(_))));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Where the first object cannot be written: no access, no such bucket, no server.
    pub fn probe(
        &self,
        bucket: impl Into<String>,
    ) -> impl Future<Output = Result<ProbeReport, Error>> + Send + 'static {
        let mut probe = Probe::new(self, bucket.into());
        async move {
            let report = probe.run().await;
            let remains = probe.clean().await;
            report.map(|report| ProbeReport { remains, ..report })
        }
    }
}

impl ProbeReport {
    /// The habits that the client had, corrected by what was found: for
    /// [`ClientBuilder::habits`](crate::ClientBuilder::habits).
    pub fn habits(&self) -> Habits {
        let mut habits = self.known;
        for (condition, finding) in &self.conditions {
            let one = Conditions::of(&[*condition]);
            let (keeps, ignores) = (habits.keeps.without(one), habits.ignores.without(one));
            (habits.keeps, habits.ignores) = match finding {
                Finding::Yes => (keeps.with(one), ignores),
                Finding::No(_) => (keeps, ignores.with(one)),
                Finding::Refused(_) => (keeps, ignores),
                Finding::Unknown(_) => (habits.keeps, habits.ignores),
            };
        }
        habits.list_v2 = self.list_v2.or(habits.list_v2);
        habits.list_encoding = self.list_encoding.or(habits.list_encoding);
        habits.sorted = self.sorted.or(habits.sorted);
        habits.chunks = self.chunks.or(habits.chunks);
        habits.trailers = habits.chunks && self.trailers.or(habits.trailers);
        habits.etag_is_md5 = self.etag_is_md5.or(habits.etag_is_md5);
        habits.multipart_etag = self.multipart_etag.or(habits.multipart_etag);
        habits.content_md5 = match (self.delete_checksum.or(true), self.delete_md5.or(true)) {
            (true, true) => habits.content_md5,
            (true, false) => ContentMd5::Never,
            (false, _) => ContentMd5::Always,
        };
        // A checksum that is not kept does no harm; one that is refused does.
        let refused = |algorithm| {
            self.checksums.iter().any(|(known, found)| *known == algorithm && matches!(found, Finding::Refused(_)))
        };
        if habits.checksum.is_some_and(refused) {
            let kept = self.checksums.iter().find(|(_, finding)| finding.is_yes());
            habits.checksum = kept.map(|(algorithm, _)| *algorithm);
            habits.announces_checksum = habits.checksum.is_some() && habits.announces_checksum;
        }
        habits
    }

    /// A name and what was found, line by line.
    fn lines(&self) -> Vec<(String, &Finding)> {
        let conditions = self.conditions.iter().map(|(condition, finding)| (condition.to_string(), finding));
        let checksums = self.checksums.iter().map(|(algorithm, finding)| (format!("checksum {algorithm}"), finding));
        let others = [
            ("checksum as a trailer", &self.trailers),
            ("signed chunks", &self.chunks),
            ("ListObjectsV2", &self.list_v2),
            ("listings url-encoded", &self.list_encoding),
            ("listings in order of bytes", &self.sorted),
            ("ranges", &self.ranges),
            ("ETag is the MD5", &self.etag_is_md5),
            ("ETag of parts", &self.multipart_etag),
            ("DeleteObjects with a checksum", &self.delete_checksum),
            ("DeleteObjects with Content-MD5", &self.delete_md5),
        ];
        conditions.chain(checksums).chain(others.map(|(name, finding)| (name.to_owned(), finding))).collect()
    }
}

impl fmt::Display for ProbeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<34}{}", "taken for", self.provider)?;
        if let Some(server) = &self.server {
            writeln!(f, "{:<34}{server}", "calls itself")?;
        }
        for (name, finding) in self.lines() {
            writeln!(f, "{name:<34}{finding}")?;
        }
        for key in &self.remains {
            writeln!(f, "{:<34}{key}", "could not be removed")?;
        }
        match &self.hint {
            Some(hint) => writeln!(f, "hint: {hint}"),
            None => Ok(()),
        }
    }
}
