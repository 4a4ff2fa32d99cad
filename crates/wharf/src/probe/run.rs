//! The attempts.

use std::fmt::Write;
use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm};
use wharf_proto::op::{CompleteMultipartUpload, ObjectIdentifier};
use wharf_proto::provider::{Condition, Conditions, Habits};
use wharf_proto::{Body, Error, ErrorKind};

use super::{Finding, ProbeReport};
use crate::Client;
use crate::transport;

const BYTES: &[u8] = b"written by a probe of wharf, which removes it again";
const NO_ETAG: &str = "00000000000000000000000000000000";
const CHECKSUMS: [ChecksumAlgorithm; 5] = [
    ChecksumAlgorithm::Crc64Nvme,
    ChecksumAlgorithm::Crc32,
    ChecksumAlgorithm::Crc32c,
    ChecksumAlgorithm::Sha1,
    ChecksumAlgorithm::Sha256,
];

/// A probe at work.
pub(super) struct Probe {
    /// Sends everything as asked.
    s3: Client,
    known: Habits,
    bucket: String,
    prefix: String,
    /// Key and id of all uploads that were begun.
    uploads: Vec<(String, String)>,
}

impl Probe {
    pub(super) fn new(client: &Client, bucket: String) -> Self {
        let known = client.inner().sending.habits;
        let s3 = client.sending(|sending| {
            let habits = &mut sending.habits;
            habits.ignores = Conditions::NONE;
            (habits.list_v2, habits.list_encoding, habits.checksum_mode) = (true, true, true);
            habits.announces_checksum = false;
        });
        let prefix = format!(".wharf-probe-{:016x}/", fastrand::u64(..));
        Self { s3, known, bucket, prefix, uploads: Vec::new() }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A client that also differs in this.
    fn with(&self, change: impl FnOnce(&mut Habits)) -> Client {
        self.s3.sending(|sending| change(&mut sending.habits))
    }

    pub(super) async fn run(&mut self) -> Result<ProbeReport, Error> {
        let etag = self.s3.put_object(&self.bucket, self.key("a"), BYTES).await?.etag;
        let md5 = ChecksumAlgorithm::Md5.checksum(BYTES);
        let etag_is_md5 = same(etag.unquoted(), &hex(md5.as_bytes()));
        Ok(ProbeReport {
            provider: self.s3.provider(),
            server: self.s3.inner().server.get().cloned(),
            conditions: self.conditions(etag.as_str()).await,
            checksums: self.checksums().await,
            trailers: self.trailers().await,
            chunks: self.chunks().await,
            list_v2: self.list_v2().await,
            list_encoding: self.list_encoding().await,
            sorted: self.sorted().await,
            ranges: self.ranges().await,
            etag_is_md5,
            multipart_etag: self.multipart_etag().await,
            delete_checksum: self.delete_many(false).await,
            delete_md5: self.delete_many(true).await,
            remains: Vec::new(),
            hint: self.s3.inner().server_hint(),
            known: self.known,
        })
    }

    /// All conditions, on the object `a` with this ETag.
    async fn conditions(&mut self, etag: &str) -> Vec<(Condition, Finding)> {
        use Condition::*;
        let (s3, bucket, a, new) = (self.s3.clone(), self.bucket.clone(), self.key("a"), |n| self.key(n));
        let (b, c, d) = (new("b"), new("c"), new("d"));
        let put = |key: &String| s3.put_object(&bucket, key, BYTES);
        let copy = |key: &String| s3.copy_object(&bucket, &a, &bucket, key);
        let get = || s3.get_object(&bucket, &a);
        let past = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
        let mut found = vec![
            (PutIfAbsent, both(put(&a).if_absent(), put(&b).if_absent()).await),
            (PutIfMatch, both(put(&a).if_match(NO_ETAG), put(&a).if_match(etag)).await),
            (CopyIfAbsent, both(copy(&b).if_absent(), copy(&c).if_absent()).await),
            (CopyIfMatch, both(copy(&b).if_match(NO_ETAG), copy(&b).if_match(etag)).await),
            (CopySource, both(copy(&b).source_if_match(NO_ETAG), copy(&b).source_if_match(etag)).await),
            (ReadIfMatch, both(get().if_match(NO_ETAG), get().if_match(etag)).await),
            (ReadIfNoneMatch, both(get().if_none_match(etag), get().if_none_match(NO_ETAG)).await),
            (ReadDates, both(get().if_unmodified_since(past), get().if_modified_since(past)).await),
        ];

        let finding = match (self.upload(&a).await, self.upload(&d).await) {
            (Ok(wrong), Ok(right)) => both(wrong.if_absent(), right.if_absent()).await,
            (Err(error), _) | (_, Err(error)) => unknown(&error),
        };
        found.push((CompleteIfAbsent, finding));
        // An attempt that went well has given `d` the ETag of an upload.
        let now = s3.put_object(&bucket, &d, BYTES).await;
        let finding = match (self.upload(&d).await, self.upload(&d).await, now) {
            (Ok(wrong), Ok(right), Ok(now)) => both(wrong.if_match(NO_ETAG), right.if_match(now.etag)).await,
            (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => unknown(&error),
        };
        found.push((CompleteIfMatch, finding));

        // Anew each time, for what is to stay may have gone.
        let finding = match put(&b).await {
            Ok(put) => {
                let delete = || s3.delete_object(&bucket, &b);
                both(delete().if_match(NO_ETAG), delete().if_match(put.etag)).await
            }
            Err(error) => unknown(&error),
        };
        found.push((DeleteIfMatch, finding));
        let finding = match put(&b).await {
            Ok(put) => {
                both(self.delete_one(&s3, &b, Some(NO_ETAG)), self.delete_one(&s3, &b, Some(put.etag.as_str()))).await
            }
            Err(error) => unknown(&error),
        };
        found.push((DeleteObjectsIfMatch, finding));
        found.sort_by_key(|(condition, _)| Condition::ALL.iter().position(|known| known == condition));
        found
    }

    /// An upload of one part, ready to be completed.
    async fn upload(&mut self, key: &str) -> Result<CompleteMultipartUpload<Client>, Error> {
        let upload_id = self.s3.create_multipart_upload(&self.bucket, key).no_checksum().await?.upload_id;
        self.uploads.push((key.to_owned(), upload_id.clone()));
        let part = self.s3.upload_part(&self.bucket, key, &upload_id, 1, BYTES).no_checksum().await?;
        Ok(self.s3.complete_multipart_upload(&self.bucket, key, upload_id).part((1, part.etag)))
    }

    async fn checksums(&self) -> Vec<(ChecksumAlgorithm, Finding)> {
        let mut found = Vec::new();
        for algorithm in CHECKSUMS {
            found.push((algorithm, self.checksum(algorithm).await.unwrap_or_else(|error| refused(&error))));
        }
        found
    }

    async fn checksum(&self, algorithm: ChecksumAlgorithm) -> Result<Finding, Error> {
        let key = self.key("checksum");
        let put = || self.s3.put_object(&self.bucket, &key, BYTES);
        put().checksum(algorithm).await?;
        let kept = self.s3.head_object(&self.bucket, &key).checksum_mode(true).await?.checksum;
        if kept.is_none_or(|kept| kept.algorithm() != algorithm) {
            return Ok(Finding::No("it is not kept".to_owned()));
        }
        let wrong: Checksum = algorithm.checksum(b"something else");
        Ok(match put().checksum_value(wrong).await {
            Ok(_) => Finding::No("it is not compared with the body".to_owned()),
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                Finding::No("it is not compared with the body, but told right".to_owned())
            }
            Err(_) => Finding::Yes,
        })
    }

    async fn trailers(&self) -> Finding {
        let s3 = self.s3.sending(|sending| {
            sending.sign_payload = false;
            (sending.habits.chunks, sending.habits.trailers) = (true, true);
        });
        self.framed(&s3, "trailer").await
    }

    async fn chunks(&self) -> Finding {
        let s3 = self.s3.sending(|sending| {
            sending.sign_payload = true;
            (sending.habits.chunks, sending.habits.trailers) = (true, false);
        });
        self.framed(&s3, "chunks").await
    }

    /// Whether what comes back is what was sent, without the framing.
    async fn framed(&self, s3: &Client, name: &str) -> Finding {
        if s3.inner().payload_conditions().signed {
            let key = self.key(name);
            let stream = transport::Body::from(Bytes::from_static(BYTES));
            let body = Body::sized_stream(stream, BYTES.len() as u64);
            let put = s3.put_object(&self.bucket, &key, body).checksum(ChecksumAlgorithm::Crc32);
            match put.await {
                Ok(_) => self.holds(&key).await,
                Err(error) => refused(&error),
            }
        } else {
            Finding::Unknown("nothing is signed".to_owned())
        }
    }

    async fn holds(&self, key: &str) -> Finding {
        match self.s3.get_object(&self.bucket, key).bytes().await {
            Ok(bytes) if bytes == BYTES => Finding::Yes,
            Ok(bytes) => {
                let sent = BYTES.len();
                Finding::No(format!("{} bytes are stored of {sent} sent: the framing is among them", bytes.len()))
            }
            Err(error) => unknown(&error),
        }
    }

    async fn list_v2(&self) -> Finding {
        for name in ["v2/1", "v2/2"] {
            if let Err(error) = self.s3.put_object(&self.bucket, self.key(name), BYTES).await {
                return unknown(&error);
            }
        }
        let list = || self.s3.list_objects(&self.bucket).prefix(self.key("v2/")).max_keys(1);
        let first = match list().await {
            Ok(page) => page,
            Err(error) => return refused(&error),
        };
        let Some(token) = first.next_continuation_token else {
            return Finding::No("there is no token for the next page".to_owned());
        };
        match list().continuation_token(token).await {
            Ok(second) if second.objects.iter().all(|object| !first.objects.contains(object)) => Finding::Yes,
            Ok(_) => Finding::No("the token leads back to the first page".to_owned()),
            Err(error) => refused(&error),
        }
    }

    async fn list_encoding(&self) -> Finding {
        let key = self.key("encoded/a b+c%41&\u{1}");
        if let Err(error) = self.s3.put_object(&self.bucket, &key, BYTES).await {
            return unknown(&error);
        }
        self.listed("encoded/", std::slice::from_ref(&key), "the key comes back changed").await
    }

    async fn sorted(&self) -> Finding {
        // Folders before names; then letters by UTF-16, where the crab comes before the wide tilde.
        let keys = ["a!", "a/b", "b", "\u{ff5e}", "\u{1f980}"].map(|name| self.key(&format!("order/{name}")));
        for key in &keys {
            if let Err(error) = self.s3.put_object(&self.bucket, key, BYTES).await {
                return unknown(&error);
            }
        }
        self.listed("order/", &keys, "another order").await
    }

    async fn listed(&self, prefix: &str, keys: &[String], otherwise: &str) -> Finding {
        match self.s3.list_objects(&self.bucket).prefix(self.key(prefix)).await {
            Ok(page) if page.objects.iter().map(|object| &object.key).eq(keys) => Finding::Yes,
            Ok(_) => Finding::No(otherwise.to_owned()),
            Err(error) => refused(&error),
        }
    }

    async fn ranges(&self) -> Finding {
        match self.s3.get_object(&self.bucket, self.key("a")).range(2..7).bytes().await {
            Ok(bytes) if bytes == BYTES[2..7] => Finding::Yes,
            Ok(bytes) => Finding::No(format!("{} bytes for 5", bytes.len())),
            // That is found out by whoever reads a range.
            Err(error) if error.kind() == ErrorKind::MalformedResponse => Finding::No(error.message().to_owned()),
            Err(error) => refused(&error),
        }
    }

    async fn multipart_etag(&mut self) -> Finding {
        let key = self.key("parts");
        let completed = match self.upload(&key).await {
            Ok(upload) => upload.await,
            Err(error) => Err(error),
        };
        if let Err(error) = completed {
            return refused(&error);
        }
        let of_part = ChecksumAlgorithm::Md5.checksum(BYTES);
        let of_parts = ChecksumAlgorithm::Md5.checksum(of_part.as_bytes());
        match self.s3.head_object(&self.bucket, &key).await {
            Ok(head) => same(head.etag.unquoted(), &format!("{}-1", hex(of_parts.as_bytes()))),
            Err(error) => unknown(&error),
        }
    }

    /// Whether DeleteObjects takes this digest.
    async fn delete_many(&self, content_md5: bool) -> Finding {
        let key = self.key("many");
        if let Err(error) = self.s3.put_object(&self.bucket, &key, BYTES).await {
            return unknown(&error);
        }
        let s3 = self.with(|habits| habits.content_md5 = content_md5);
        match self.delete_one(&s3, &key, None).await {
            Ok(()) => Finding::Yes,
            Err(error) => refused(&error),
        }
    }

    /// DeleteObjects of one key, under a condition if need be.
    async fn delete_one(&self, s3: &Client, key: &str, etag: Option<&str>) -> Result<(), Error> {
        let object = ObjectIdentifier { etag: etag.map(Into::into), ..ObjectIdentifier::from(key) };
        let output = s3.delete_objects(&self.bucket, [object]).await?;
        match output.errors.into_iter().next() {
            None => Ok(()),
            Some(error) if error.code == "PreconditionFailed" => {
                Err(Error::new(ErrorKind::PreconditionFailed, error.to_string()))
            }
            Some(error) => Err(Error::new(ErrorKind::Other, error.to_string())),
        }
    }

    /// Removes all that was made; what could not be removed, and why.
    pub(super) async fn clean(&self) -> Vec<String> {
        for (key, upload_id) in &self.uploads {
            // Most are completed by now, which is an error here.
            let _ = self.s3.abort_multipart_upload(&self.bucket, key, upload_id).await;
        }
        // Versions first; where there are none, not all servers know the question.
        let versions = self.s3.list_object_versions(&self.bucket).prefix(&self.prefix).items().collect().await;
        for version in versions.unwrap_or_default() {
            let delete = self.s3.delete_object(&self.bucket, &version.key);
            let _ = delete.version_id(version.version_id).await;
        }
        let list = || self.s3.list_objects(&self.bucket).prefix(&self.prefix).items().collect();
        let objects = match list().await {
            Ok(objects) => objects,
            Err(error) => return vec![format!("{} (what is there cannot be listed: {error})", self.prefix)],
        };
        let mut remains = Vec::new();
        for object in objects {
            if let Err(error) = self.s3.delete_object(&self.bucket, &object.key).await {
                remains.push(format!("{} ({error})", object.key.escape_debug()));
            }
        }
        remains
    }
}

/// Sends a request whose condition does not hold, and where that is refused, one whose condition holds.
async fn both<A, B>(
    wrong: impl IntoFuture<Output = Result<A, Error>>,
    right: impl IntoFuture<Output = Result<B, Error>>,
) -> Finding {
    match wrong.await {
        Ok(_) => return Finding::No("the condition is ignored".to_owned()),
        Err(error) => match error.kind() {
            ErrorKind::PreconditionFailed | ErrorKind::NotModified | ErrorKind::Conflict => {}
            _ => return refused(&error),
        },
    }
    match right.await {
        Ok(_) => Finding::Yes,
        Err(error) => Finding::Refused(format!("also where the condition holds: {}", short(&error))),
    }
}

fn same(found: &str, expected: &str) -> Finding {
    match found == expected {
        true => Finding::Yes,
        false => Finding::No(format!("it is {found:?}")),
    }
}

/// A final answer tells something of the server; a failure does not.
fn refused(error: &Error) -> Finding {
    match error.status() {
        Some(status) if !status.is_success() && status.as_u16() != 503 => Finding::Refused(short(error)),
        None if error.kind() == ErrorKind::Other => Finding::Refused(short(error)),
        _ => unknown(error),
    }
}

fn unknown(error: &Error) -> Finding {
    Finding::Unknown(short(error))
}

fn short(error: &Error) -> String {
    match (error.status(), error.code()) {
        (Some(status), Some(code)) => format!("{} {code}", status.as_u16()),
        (Some(status), None) => format!("{} {}", status.as_u16(), error.message()),
        (None, _) => error.message().to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
