//! The same write as requests of a multipart upload.

use http::Method;

use super::PutObject;
use crate::body::Body;
use crate::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::condition::WriteCondition;
use crate::new_object::NewObject;
use crate::op::{
    AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, HeadObject, ListMultipartUploads, ListParts,
    UploadPart,
};
use crate::operation::{ChecksumPolicy, Operation, Request};
use crate::provider::Habits;
use crate::transfer::journal::hex;
use crate::{CustomerKey, Error, ObjectHead};

/// All that a [`PutObject`] says but its bytes. It makes the requests that write the same object, at once or in parts.
#[derive(Debug, Clone)]
pub struct PutInParts {
    bucket: String,
    key: String,
    object: NewObject,
    condition: WriteCondition,
    checksum: ChecksumPolicy,
    content_md5: Option<String>,
    write_offset_bytes: Option<u64>,
    request_payer: bool,
    expected_bucket_owner: Option<String>,
}

/// Which checksum an object that is written in parts gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartsChecksum {
    /// What the parts are checked by.
    pub algorithm: ChecksumAlgorithm,
    /// Whether the object's checksum covers its bytes or the parts' checksums.
    pub checksum_type: ChecksumType,
    /// Whether the upload begins with it. Where not, the server keeps none of the parts, and none may be named when the
    /// upload is completed.
    pub announced: bool,
}

impl<S> PutObject<S> {
    /// Takes it apart: what it says, and the body. The content type that follows from the body is among the former.
    pub fn take_apart(self) -> (PutInParts, Body) {
        let Self { mut object, body, .. } = self;
        object.content_type = object.content_type.or_else(|| body.content_type().map(str::to_owned));
        let said = PutInParts {
            bucket: self.bucket,
            key: self.key,
            object,
            condition: self.condition,
            checksum: self.checksum,
            content_md5: self.content_md5,
            write_offset_bytes: self.write_offset_bytes,
            request_payer: self.request_payer,
            expected_bucket_owner: self.expected_bucket_owner,
        };
        (said, body)
    }
}

impl PutInParts {
    /// What another operation says.
    pub(crate) fn new(
        bucket: String,
        key: String,
        object: NewObject,
        condition: WriteCondition,
        checksum: ChecksumPolicy,
        request_payer: bool,
        expected_bucket_owner: Option<String>,
    ) -> Self {
        let (content_md5, write_offset_bytes) = (None, None);
        Self {
            bucket,
            key,
            object,
            condition,
            checksum,
            content_md5,
            write_offset_bytes,
            request_payer,
            expected_bucket_owner,
        }
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether whoever sends it has agreed to pay.
    pub fn is_paid_by_requester(&self) -> bool {
        self.request_payer
    }

    /// A digest of all that is said of the object and its write, but for the metadata entry `passing`, for a later run to
    /// compare. A customer's key is in it only by its MD5.
    ///
    /// # Errors
    /// What cannot be said in a request.
    pub fn digest(&self, passing: &str) -> Result<String, Error> {
        let left_out = ["x-amz-server-side-encryption-customer-key", &format!("x-amz-meta-{passing}")];
        let headers = self.put_object((), Body::empty()).request()?.headers;
        let mut lines: Vec<_> = headers
            .iter()
            .filter(|(name, _)| !left_out.contains(&name.as_str()))
            .map(|(name, value)| format!("{name}: {}", value.as_bytes().escape_ascii()))
            .collect();
        lines.sort();
        lines.push(format!("{:?}", self.checksum));
        Ok(hex(&ChecksumAlgorithm::Sha256.checksum(lines.join("\n").as_bytes())))
    }

    /// Adds a metadata entry, as [`PutObject::metadata`] does.
    pub fn add_metadata(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.object.add_metadata(name, value);
    }

    /// Whether it is only to be written where something holds: what stands there is this, or nothing does.
    pub fn is_conditional(&self) -> bool {
        !matches!(self.condition, WriteCondition::Always) || self.is_append()
    }

    /// Whether the same write may be sent again after a 409 ConditionalRequestConflict: not where it is about a tag, which is to be
    /// read anew first.
    pub fn outlives_conflicts(&self) -> bool {
        self.condition.outlives_conflicts()
    }

    /// Whether its bytes are added to those of an object.
    pub fn is_append(&self) -> bool {
        self.write_offset_bytes.is_some()
    }

    /// Whether HeadObject shows an object that is all that this says of it, its bytes aside, and nothing that this does not
    /// say. Of what HeadObject does not show (tags, an ACL, grants) it is not known, which is no.
    pub fn is_shown_by(&self, head: &ObjectHead) -> bool {
        self.object.is_shown_by(head)
    }

    /// The checksum that all bytes must have, where the caller knows it.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for an MD5 that is none.
    pub fn known_checksum(&self) -> Result<Option<Checksum>, Error> {
        match (&self.checksum, &self.content_md5) {
            (ChecksumPolicy::Value(checksum), _) => Ok(Some(*checksum)),
            (_, Some(md5)) => Checksum::parse(ChecksumAlgorithm::Md5, md5)
                .map(Some)
                .map_err(|error| Error::invalid_input(format!("content_md5: {error}"))),
            _ => Ok(None),
        }
    }

    /// The algorithm that a body in one request is checked by.
    pub fn algorithm(&self, habits: &Habits) -> Option<ChecksumAlgorithm> {
        match &self.checksum {
            ChecksumPolicy::Default => habits.checksum,
            ChecksumPolicy::Algorithm(algorithm) => Some(*algorithm),
            ChecksumPolicy::Value(checksum) => Some(checksum.algorithm()),
            _ => None,
        }
    }

    /// The checksum that the parts and the object get: of all bytes where the algorithm has that.
    ///
    /// An MD5 of all bytes cannot go with a part, so the default takes its place.
    pub fn parts_checksum(&self, habits: &Habits) -> Option<PartsChecksum> {
        let by_default = habits.checksum.filter(|_| self.content_md5.is_some());
        let algorithm = self.algorithm(habits).or(by_default)?;
        let checksum_type = match algorithm.supports(ChecksumType::FullObject) {
            true => ChecksumType::FullObject,
            false => ChecksumType::Composite,
        };
        let named = matches!(self.checksum, ChecksumPolicy::Algorithm(_) | ChecksumPolicy::Value(_));
        Some(PartsChecksum { algorithm, checksum_type, announced: named || habits.announces_checksum })
    }

    /// Finds out before anything is sent what an upload in parts could not keep.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) for a condition that the provider ignores when an upload is
    /// completed, [`InvalidInput`](crate::ErrorKind::InvalidInput) for an append.
    pub fn check_parts(&self, habits: &Habits) -> Result<(), Error> {
        if self.is_append() {
            let problem = "bytes are appended to an object by one request, and these are too many for one";
            return Err(Error::invalid_input(problem).with_hint("append less at a time, by put_object"));
        }
        let mut request = Request::object(Method::POST, &self.bucket, &self.key)?;
        request.query("uploadId", "");
        self.condition.apply(&mut request)?;
        habits.check(&request)
    }

    /// The write in one request.
    pub fn put_object<S>(&self, sender: S, body: Body) -> PutObject<S> {
        PutObject {
            sender,
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            body,
            object: self.object.clone(),
            condition: self.condition.clone(),
            checksum: self.checksum.clone(),
            content_md5: self.content_md5.clone(),
            write_offset_bytes: self.write_offset_bytes,
            request_payer: self.request_payer,
            expected_bucket_owner: self.expected_bucket_owner.clone(),
        }
    }

    /// The request that begins the upload.
    pub fn create_multipart_upload<S>(&self, sender: S, checksum: Option<PartsChecksum>) -> CreateMultipartUpload<S> {
        let mut call = CreateMultipartUpload::new(sender, &self.bucket, &self.key);
        call.object = self.object.clone();
        call.request_payer = self.request_payer;
        call.expected_bucket_owner = self.expected_bucket_owner.clone();
        match checksum.filter(|checksum| checksum.announced) {
            Some(checksum) => call.checksum_algorithm(checksum.algorithm).checksum_type(checksum.checksum_type),
            None => call.no_checksum(),
        }
    }

    /// The request that stores a part. Which checksum goes with it is left to be said.
    pub fn upload_part<S>(&self, sender: S, upload_id: &str, part_number: u32, body: Body) -> UploadPart<S> {
        let mut call = UploadPart::new(sender, &self.bucket, &self.key, upload_id, part_number, body);
        call.customer_key = self.customer_key();
        call.request_payer = self.request_payer;
        call.expected_bucket_owner = self.expected_bucket_owner.clone();
        call
    }

    /// The request that makes the object of its parts. The parts and their checksum are left to be said.
    pub fn complete_multipart_upload<S>(&self, sender: S, upload_id: &str) -> CompleteMultipartUpload<S> {
        let mut call = CompleteMultipartUpload::new(sender, &self.bucket, &self.key, upload_id);
        call.condition = self.condition.clone();
        call.customer_key = self.customer_key();
        call.request_payer = self.request_payer;
        call.expected_bucket_owner = self.expected_bucket_owner.clone();
        call
    }

    /// The request that gives the upload up.
    pub fn abort_multipart_upload<S>(&self, sender: S, upload_id: &str) -> AbortMultipartUpload<S> {
        let mut call = AbortMultipartUpload::new(sender, &self.bucket, &self.key, upload_id);
        call.request_payer = self.request_payer;
        call.expected_bucket_owner = self.expected_bucket_owner.clone();
        call
    }

    /// The request that lists the parts that are stored.
    pub fn list_parts<S>(&self, sender: S, upload_id: &str) -> ListParts<S> {
        let mut call = ListParts::new(sender, &self.bucket, &self.key, upload_id);
        call.customer_key = self.customer_key();
        call.request_payer = self.request_payer;
        call.expected_bucket_owner = self.expected_bucket_owner.clone();
        call
    }

    /// The request that lists the uploads to this key, and to those that begin with it.
    pub fn list_multipart_uploads<S>(&self, sender: S) -> ListMultipartUploads<S> {
        let call = ListMultipartUploads::new(sender, &self.bucket).prefix(&self.key);
        let call = if self.request_payer { call.request_payer() } else { call };
        match &self.expected_bucket_owner {
            Some(owner) => call.expected_bucket_owner(owner),
            None => call,
        }
    }

    /// The request that asks what stands there.
    pub fn head_object<S>(&self, sender: S) -> HeadObject<S> {
        let mut call = HeadObject::new(sender, &self.bucket, &self.key);
        call.customer_key = self.customer_key();
        call.request_payer = self.request_payer;
        call.expected_bucket_owner = self.expected_bucket_owner.clone();
        call
    }

    fn customer_key(&self) -> Option<CustomerKey> {
        self.object.customer_key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::new_object::tests::assert_everything;
    use crate::op::put_object::tests::everything;
    use crate::{Encryption, ErrorKind, Provider};

    const ID: &str = "u+1";

    fn payer_and_owner(request: &Request) {
        assert_eq!(request.headers["x-amz-request-payer"], "requester");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "111122223333");
    }

    /// A PutObject whose every setter was called, but for the append, which has no parts.
    fn said() -> PutInParts {
        let (mut said, _) = everything().take_apart();
        said.write_offset_bytes = None;
        said
    }

    #[test]
    fn one_request_says_what_it_said() {
        let (said, body) = everything().take_apart();
        let again = said.put_object((), body).request().unwrap();
        let first = everything().request().unwrap();
        assert_eq!((again.headers, again.checksum), (first.headers, first.checksum));
        let (said, body) = PutObject::new((), "bucket", "key", "text").take_apart();
        assert_eq!(
            said.put_object((), Body::empty()).request().unwrap().headers["content-type"],
            body.content_type().unwrap()
        );
    }

    #[test]
    fn parts_say_all_of_it_together() {
        let said = said();
        let checksum = said.parts_checksum(&Provider::Aws.habits());
        let create = said.create_multipart_upload((), checksum).request().unwrap();
        assert_everything(&create.headers);
        payer_and_owner(&create);
        assert_eq!(create.headers["x-amz-checksum-algorithm"], "SHA256");
        assert_eq!(create.headers["x-amz-checksum-type"], "COMPOSITE");
        let part = said.upload_part((), ID, 3, Body::bytes("text")).request().unwrap();
        payer_and_owner(&part);
        let complete = said.complete_multipart_upload((), ID).part((1, "e")).request().unwrap();
        payer_and_owner(&complete);
        assert_eq!(complete.headers["if-match"], "\"e\"");
        for request in [
            said.abort_multipart_upload((), ID).request().unwrap(),
            said.list_parts((), ID).request().unwrap(),
            said.head_object(()).request().unwrap(),
        ] {
            payer_and_owner(&request);
            assert_eq!((request.bucket.as_deref(), request.key.as_deref()), (Some("bucket"), Some("a//b")));
        }
        // Every header of the one request is one of these, but for what is about all its bytes.
        let (one, _) = everything().take_apart();
        for (name, value) in &one.put_object((), Body::empty()).request().unwrap().headers {
            let found = create.headers.get(name).or_else(|| complete.headers.get(name));
            let is_of_all_bytes = ["content-md5", "x-amz-write-offset-bytes"].contains(&name.as_str());
            assert!(found == Some(value) || is_of_all_bytes, "{name}");
        }
    }

    #[test]
    fn the_body_names_the_type_of_the_object_and_not_of_a_part() {
        let (said, body) = PutObject::new((), "bucket", "key", "text").if_absent().take_apart();
        let create = said.create_multipart_upload((), None).request().unwrap();
        assert_eq!(create.headers["content-type"], "text/plain; charset=utf-8");
        assert!(!said.upload_part((), ID, 1, body).request().unwrap().headers.contains_key("content-type"));
        let complete = said.complete_multipart_upload((), ID).part((1, "e")).request().unwrap();
        assert_eq!(complete.headers["if-none-match"], "*");
    }

    #[test]
    fn a_customers_key_goes_with_all() {
        let encryption = Encryption::Customer(CustomerKey::new([7; 32]));
        let (said, body) = PutObject::new((), "bucket", "key", "").encryption(encryption).take_apart();
        for request in [
            said.create_multipart_upload((), None).request().unwrap(),
            said.upload_part((), ID, 1, body).request().unwrap(),
            said.complete_multipart_upload((), ID).part((1, "e")).request().unwrap(),
            said.list_parts((), ID).request().unwrap(),
            said.head_object(()).request().unwrap(),
        ] {
            assert_eq!(request.headers["x-amz-server-side-encryption-customer-algorithm"], "AES256", "{request:?}");
        }
    }

    #[test]
    fn the_digest_is_of_all_that_is_said() {
        let digest = |call: PutObject| call.take_apart().0.digest("id").unwrap();
        let put = || PutObject::new((), "bucket", "key", "").metadata("a", "1").metadata("b", "2");
        let with_key = |key| put().encryption(Encryption::Customer(CustomerKey::new([key; 32])));
        assert_eq!(
            digest(put()),
            digest(PutObject::new((), "bucket", "key", "").metadata("b", "2").metadata("a", "1"))
        );
        let all = [
            put(),
            put().content_type("text/html"),
            put().metadata("c", "3"),
            put().if_absent(),
            put().checksum(ChecksumAlgorithm::Crc32),
            put().no_checksum(),
            with_key(7),
            with_key(8),
        ];
        let digests: std::collections::BTreeSet<_> = all.into_iter().map(digest).collect();
        assert_eq!(digests.len(), 8);
        assert_eq!(digest(put()), digest(put().metadata("id", "7")));
    }

    #[test]
    fn the_checksum_is_the_callers_or_the_providers() {
        let put = || PutObject::new((), "bucket", "key", "");
        let of = |call: PutObject, provider: Provider| {
            let checksum = call.take_apart().0.parts_checksum(&provider.habits());
            checksum.map(|it| (it.algorithm, it.checksum_type, it.announced))
        };
        use ChecksumAlgorithm::*;
        use ChecksumType::*;
        assert_eq!(of(put(), Provider::Aws), Some((Crc64Nvme, FullObject, true)));
        assert_eq!(of(put().checksum(Crc32), Provider::Aws), Some((Crc32, FullObject, true)));
        assert_eq!(of(put().checksum(Sha256), Provider::Aws), Some((Sha256, Composite, true)));
        assert_eq!(of(put().checksum_value(Crc32c.checksum(b"x")), Provider::B2), Some((Crc32c, FullObject, true)));
        assert_eq!(of(put().no_checksum(), Provider::Aws), None);
        assert_eq!(of(put(), Provider::B2), None);
        assert_eq!(of(put(), Provider::Oci), Some((Crc32c, FullObject, false)));
        // No part has the MD5 of them all.
        assert_eq!(
            of(put().content_md5("CY9rzUYh03PK3k6DJie09g=="), Provider::Aws),
            Some((Crc64Nvme, FullObject, true))
        );
    }

    #[test]
    fn a_checksum_of_all_bytes_is_told() {
        let put = || PutObject::new((), "bucket", "key", "");
        let known = |call: PutObject| call.take_apart().0.known_checksum();
        let sha256 = ChecksumAlgorithm::Sha256.checksum(b"x");
        assert_eq!(known(put()).unwrap(), None);
        assert_eq!(known(put().checksum_value(sha256)).unwrap(), Some(sha256));
        let md5 = ChecksumAlgorithm::Md5.checksum(b"x");
        assert_eq!(known(put().content_md5(md5.to_base64())).unwrap(), Some(md5));
        assert_eq!(known(put().content_md5("x")).unwrap_err().kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn what_parts_could_not_keep_is_found_before() {
        let check = |call: PutObject, provider: Provider| call.take_apart().0.check_parts(&provider.habits());
        let put = || PutObject::new((), "bucket", "key", "");
        check(put().if_absent(), Provider::Aws).unwrap();
        check(put(), Provider::Ceph).unwrap();
        let error = check(put().if_absent(), Provider::Ceph).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let error = check(put().write_offset_bytes(7), Provider::Aws).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
