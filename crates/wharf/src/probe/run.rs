//! The attempts.

use std::collections::BTreeSet;
use std::future::IntoFuture;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use wharf_proto::checksum::{Checksum, ChecksumAlgorithm};
use wharf_proto::op::{CompleteMultipartUpload, ObjectIdentifier};
use wharf_proto::provider::{Condition, Conditions, ContentMd5, Habits};
use wharf_proto::transfer::journal::hex;
use wharf_proto::{Body, ETag, Error, ErrorKind};

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
    pub(super) s3: Client,
    known: Habits,
    pub(super) bucket: String,
    pub(super) prefix: String,
    /// All keys that may have been written.
    pub(super) keys: Mutex<BTreeSet<String>>,
    /// Key and id of all uploads that were begun.
    pub(super) uploads: Vec<(String, String)>,
}

impl Probe {
    pub(super) fn new(client: &Client, bucket: String) -> Self {
        let known = client.inner().sending.habits;
        let s3 = client.sending(|sending| {
            let habits = &mut sending.habits;
            habits.ignores = Conditions::NONE;
            (habits.list_v2, habits.list_encoding, habits.checksum_mode) = (true, true, true);
            habits.announces_checksum = false;
            // A server that refuses one is to be asked everything else; what is about checksums names its own.
            (habits.checksum, habits.content_md5) = (None, ContentMd5::Always);
        });
        let prefix = format!(".wharf-probe-{:016x}/", fastrand::u64(..));
        Self { s3, known, bucket, prefix, keys: Mutex::default(), uploads: Vec::new() }
    }

    /// A key of the probe's own, which is removed at the end.
    fn key(&self, name: &str) -> String {
        let key = format!("{}{name}", self.prefix);
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        key
    }

    /// A client that also differs in this.
    fn with(&self, change: impl FnOnce(&mut Habits)) -> Client {
        self.s3.sending(|sending| change(&mut sending.habits))
    }

    /// Writes the object anew, whatever became of it, and tells the ETag that it has now.
    async fn put(&self, key: &str) -> Result<ETag, Error> {
        Ok(self.s3.put_object(&self.bucket, key, BYTES).await?.etag)
    }

    pub(super) async fn run(&mut self) -> Result<ProbeReport, Error> {
        let etag = self.put(&self.key("a")).await?;
        let md5 = ChecksumAlgorithm::Md5.checksum(BYTES);
        let etag_is_md5 = same(etag.unquoted(), &hex(&md5));
        let list_v2 = self.list_v2().await;
        if let Finding::No(_) | Finding::Refused(_) = list_v2 {
            self.s3 = self.with(|habits| habits.list_v2 = false);
        }
        let list_encoding = self.list_encoding().await;
        if let Finding::No(_) | Finding::Refused(_) = list_encoding {
            self.s3 = self.with(|habits| habits.list_encoding = false);
        }
        Ok(ProbeReport {
            provider: self.s3.provider(),
            server: self.s3.inner().server.get().cloned(),
            conditions: self.conditions().await,
            checksums: self.checksums().await,
            trailers: self.trailers().await,
            chunks: self.chunks().await,
            list_v2,
            list_encoding,
            sorted: self.sorted().await,
            ranges: self.ranges().await,
            etag_is_md5,
            multipart_etag: self.multipart_etag().await,
            delete_checksum: self.delete_many(ContentMd5::Never).await,
            delete_md5: self.delete_many(ContentMd5::Always).await,
            remains: Vec::new(),
            hint: self.s3.inner().server_hint(),
            known: self.known,
        })
    }

    async fn conditions(&mut self) -> Vec<(Condition, Finding)> {
        let mut found = Vec::new();
        for condition in Condition::ALL {
            found.push((condition, self.condition(condition).await.unwrap_or_else(|error| unknown(&error))));
        }
        found
    }

    /// Whether it is kept. Each begins with objects written anew: the one before may have changed or removed them.
    async fn condition(&mut self, condition: Condition) -> Result<Finding, Error> {
        use Condition::*;
        let (a, b, new) = (self.key("a"), self.key("b"), self.key(&format!("new/{condition:?}")));
        let (etag_of_a, etag_of_b) = (self.put(&a).await?, self.put(&b).await?);
        let (s3, bucket) = (self.s3.clone(), self.bucket.clone());
        let put = |key: &String| s3.put_object(&bucket, key, BYTES);
        let copy = |key: &String| s3.copy_object(&bucket, &a, &bucket, key);
        let get = || s3.get_object(&bucket, &a);
        let delete = || s3.delete_object(&bucket, &b);
        Ok(match condition {
            PutIfAbsent => both(put(&a).if_absent(), put(&new).if_absent()).await,
            PutIfMatch => both(put(&a).if_match(NO_ETAG), put(&a).if_match(etag_of_a)).await,
            CompleteIfAbsent => {
                let (wrong, right) = (self.upload(&a).await?, self.upload(&new).await?);
                both(wrong.if_absent(), right.if_absent()).await
            }
            CompleteIfMatch => {
                let (wrong, right) = (self.upload(&a).await?, self.upload(&a).await?);
                both(wrong.if_match(NO_ETAG), right.if_match(etag_of_a)).await
            }
            CopyIfAbsent => both(copy(&b).if_absent(), copy(&new).if_absent()).await,
            CopyIfMatch => both(copy(&b).if_match(NO_ETAG), copy(&b).if_match(etag_of_b)).await,
            CopySource => {
                let same = both(copy(&b).source_if_match(NO_ETAG), copy(&b).source_if_match(etag_of_a.clone())).await;
                if !same.is_yes() {
                    return Ok(same);
                }
                both(copy(&b).source_if_none_match(etag_of_a), copy(&b).source_if_none_match(NO_ETAG)).await
            }
            DeleteIfMatch => both(delete().if_match(NO_ETAG), delete().if_match(etag_of_b)).await,
            DeleteObjectsIfMatch => {
                let s3 = self.with(|habits| habits.checksum = self.known.checksum);
                let wrong = self.delete_one(&s3, &b, Some(NO_ETAG));
                both(wrong, self.delete_one(&s3, &b, Some(etag_of_b.as_str()))).await
            }
            DeleteIfSizeOrDate => {
                let size = BYTES.len() as u64;
                both(delete().if_match_size(size + 1), delete().if_match_size(size)).await
            }
            Append => match put(&a).write_offset_bytes(1).await {
                Ok(_) => Finding::No("the condition is ignored".to_owned()),
                Err(error) if error.code() == Some("InvalidWriteOffset") => {
                    match put(&a).write_offset_bytes(BYTES.len() as u64).await {
                        Ok(_) => Finding::Yes,
                        Err(error) => refused(&error),
                    }
                }
                Err(error) => refused(&error),
            },
            ReadIfMatch => both(get().if_match(NO_ETAG), get().if_match(etag_of_a)).await,
            ReadIfNoneMatch => both(get().if_none_match(etag_of_a), get().if_none_match(NO_ETAG)).await,
            ReadDates => {
                let past = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
                let unmodified = both(get().if_unmodified_since(past), get().if_modified_since(past)).await;
                let now = s3.head_object(&bucket, &a).await?.last_modified;
                match now {
                    Some(now) if unmodified.is_yes() => {
                        both(get().if_modified_since(now), get().if_unmodified_since(now)).await
                    }
                    None if unmodified.is_yes() => Finding::Unknown("the object has no date".to_owned()),
                    _ => unmodified,
                }
            }
            _ => Finding::Unknown("it is not asked for".to_owned()),
        })
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
            Err(error) if error.status().is_some_and(|status| status.as_u16() == 400) => Finding::Yes,
            Err(error) => unknown(&error),
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
        let keys = ["v2/1", "v2/2"].map(|name| self.key(name));
        for key in &keys {
            if let Err(error) = self.put(key).await {
                return unknown(&error);
            }
        }
        let list = || self.s3.list_objects(&self.bucket).prefix(format!("{}v2/", self.prefix)).max_keys(1);
        let first = match list().await {
            Ok(page) => page,
            Err(error) => return refused(&error),
        };
        let Some(token) = first.next_continuation_token else {
            return Finding::No("there is no token for the next page".to_owned());
        };
        match list().continuation_token(token).await {
            Ok(second) => {
                let mut listed: Vec<_> =
                    first.objects.iter().chain(&second.objects).map(|object| &object.key).collect();
                // The order is found out by itself.
                listed.sort();
                match listed.into_iter().eq(&keys) {
                    true => Finding::Yes,
                    false => Finding::No("two pages do not have the two keys".to_owned()),
                }
            }
            Err(error) => refused(&error),
        }
    }

    async fn list_encoding(&self) -> Finding {
        let key = self.key("encoded/a b+c%41&\u{1}");
        if let Err(error) = self.put(&key).await {
            return unknown(&error);
        }
        self.listed("encoded/", std::slice::from_ref(&key), "the key comes back changed").await
    }

    async fn sorted(&self) -> Finding {
        // Folders before names; then letters by UTF-16, where the crab comes before the wide tilde.
        let keys = ["a!", "a/b", "b", "\u{ff5e}", "\u{1f980}"].map(|name| self.key(&format!("order/{name}")));
        for key in &keys {
            if let Err(error) = self.put(key).await {
                return unknown(&error);
            }
        }
        self.listed("order/", &keys, "another order").await
    }

    async fn listed(&self, prefix: &str, keys: &[String], otherwise: &str) -> Finding {
        match self.s3.list_objects(&self.bucket).prefix(format!("{}{prefix}", self.prefix)).await {
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
            Ok(head) => same(head.etag.unquoted(), &format!("{}-1", hex(&of_parts))),
            Err(error) => unknown(&error),
        }
    }

    /// Whether DeleteObjects takes this digest.
    async fn delete_many(&self, content_md5: ContentMd5) -> Finding {
        let key = self.key("many");
        if let Err(error) = self.put(&key).await {
            return unknown(&error);
        }
        let s3 = self.with(|habits| (habits.content_md5, habits.checksum) = (content_md5, self.known.checksum));
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
}

/// Sends a request whose condition does not hold, and where that is refused, one whose condition holds.
async fn both<A, B>(
    wrong: impl IntoFuture<Output = Result<A, Error>>,
    right: impl IntoFuture<Output = Result<B, Error>>,
) -> Finding {
    match wrong.await {
        Ok(_) => return Finding::No("the condition is ignored".to_owned()),
        Err(error) => match error.kind() {
            ErrorKind::PreconditionFailed | ErrorKind::NotModified => {}
            kind if kind.is_conflict() => {}
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
