//! The same copy as requests about its source, and as a write in parts.

use super::{CopyObject, CopySource};
use crate::checksum::ChecksumType;
use crate::new_object::NewObject;
use crate::op::{GetObject, GetObjectTagging, HeadObject, PutInParts, UploadPartCopy};
use crate::operation::ChecksumPolicy;
use crate::provider::{Condition, Habits};
use crate::transfer::Part;
use crate::{ETag, Error, ErrorKind, ObjectHead, Tag, version_name};

impl<S> CopyObject<S> {
    /// The bucket and the key of the copy.
    pub fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    /// The bucket of the source.
    pub fn source_bucket(&self) -> &str {
        &self.source.bucket
    }

    /// The request that asks about the source, on its conditions.
    pub fn head_of_source<T>(&self, sender: T) -> HeadObject<T> {
        let CopySource { bucket, key, version_id, conditions, customer_key, expected_bucket_owner } = &self.source;
        let mut call = HeadObject::new(sender, bucket, key).checksum_mode(true);
        call.version_id.clone_from(version_id);
        call.conditions.clone_from(conditions);
        call.customer_key.clone_from(customer_key);
        call.request_payer = self.request_payer;
        call.expected_bucket_owner.clone_from(expected_bucket_owner);
        call
    }

    /// The request that asks about the copy.
    pub fn head_of_copy<T>(&self, sender: T) -> HeadObject<T> {
        let mut call = HeadObject::new(sender, &self.bucket, &self.key).checksum_mode(true);
        call.customer_key = self.object.customer_key();
        call.request_payer = self.request_payer;
        call.expected_bucket_owner.clone_from(&self.expected_bucket_owner);
        call
    }

    /// The request that asks for the source's tags; `None` where the copy has its own.
    pub fn tags_of_source<T>(&self, sender: T, source: &ObjectHead) -> Option<GetObjectTagging<T>> {
        if self.replace_tags || !self.object.tags.is_empty() || source.tag_count == Some(0) {
            return None;
        }
        let mut call = GetObjectTagging::new(sender, &self.source.bucket, &self.source.key);
        call.version_id = self.version_of(source);
        call.request_payer = self.request_payer;
        call.expected_bucket_owner.clone_from(&self.source.expected_bucket_owner);
        Some(call)
    }

    /// The request that reads the source, as `source` was seen. Where the provider ignores conditions of reads, only the answer's
    /// tag tells whether it is.
    pub fn read_source<T>(&self, sender: T, source: &ObjectHead, habits: &Habits) -> GetObject<T> {
        let mut call = GetObject::new(sender, &self.source.bucket, &self.source.key);
        call.version_id = self.version_of(source);
        call.conditions.if_match = pin(source, habits, Condition::ReadIfMatch);
        call.customer_key.clone_from(&self.source.customer_key);
        call.request_payer = self.request_payer;
        call.expected_bucket_owner.clone_from(&self.source.expected_bucket_owner);
        call
    }

    /// The request that copies a part of the source, as `source` was seen: see [`pins`](Self::pins).
    pub fn copy_part<T>(
        &self,
        sender: T,
        source: &ObjectHead,
        habits: &Habits,
        upload_id: &str,
        part: Part,
    ) -> UploadPartCopy<T> {
        let CopySource { bucket, key, .. } = &self.source;
        let mut call = UploadPartCopy::new(sender, bucket, key, &self.bucket, &self.key, upload_id, part.number);
        call.source_version_id = self.version_of(source);
        call.source_range = Some(part.offset..part.offset + part.length);
        call.source_conditions.if_match = pin(source, habits, Condition::CopySource);
        call.source_customer_key.clone_from(&self.source.customer_key);
        call.source_expected_bucket_owner.clone_from(&self.source.expected_bucket_owner);
        call.customer_key = self.object.customer_key();
        call.request_payer = self.request_payer;
        call.expected_bucket_owner.clone_from(&self.expected_bucket_owner);
        call
    }

    /// The copy as a write of the source's bytes: all that CopyObject would have kept of `source` and its `tags`, and what the
    /// call itself says. Where the checksum of all bytes is known, the copy must have it.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for metadata that only CopyObject can take along.
    pub fn written(&self, source: &ObjectHead, tags: Vec<Tag>) -> Result<PutInParts, Error> {
        let mut object = self.object.clone();
        if !self.replace_metadata && !self.object.has_metadata() {
            take_metadata(&mut object, source)?;
        }
        if !self.replace_tags && object.tags.is_empty() {
            object.tags = tags;
        }
        let of_all_bytes = source.checksum.filter(|checksum| {
            !checksum.is_composite()
                && source.checksum_type != Some(ChecksumType::Composite)
                && checksum.algorithm().supports(ChecksumType::FullObject)
        });
        let checksum = match (self.checksum_algorithm, source.checksum) {
            (Some(algorithm), _) if of_all_bytes.is_none_or(|known| known.algorithm() != algorithm) => {
                ChecksumPolicy::Algorithm(algorithm)
            }
            (_, Some(kept)) => of_all_bytes.map_or(ChecksumPolicy::Algorithm(kept.algorithm()), ChecksumPolicy::Value),
            (_, None) => ChecksumPolicy::Default,
        };
        let (bucket, key) = (self.bucket.clone(), self.key.clone());
        let owner = self.expected_bucket_owner.clone();
        Ok(PutInParts::new(bucket, key, object, self.condition.clone(), checksum, self.request_payer, owner))
    }

    /// Whether the same copy may be made again after a 409 ConditionalRequestConflict: not where it is about a tag, which is to be
    /// read anew first.
    pub fn outlives_conflicts(&self) -> bool {
        self.condition.outlives_conflicts()
    }

    /// Whether it sets some of the metadata and stored headers, so that CopyObject leaves all of the source's behind.
    pub fn changes_metadata(&self) -> bool {
        !self.replace_metadata && self.object.has_metadata()
    }

    /// The same copy with the metadata and stored headers of `source` where the call sets none.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) for metadata that headers cannot hold.
    pub fn with_metadata_of(mut self, source: &ObjectHead) -> Result<Self, Error> {
        take_metadata(&mut self.object, source)?;
        Ok(self)
    }

    /// The same copy of what was seen as `source`, and of nothing else: see [`pins`](Self::pins).
    pub fn pinned_to(mut self, source: &ObjectHead, habits: &Habits) -> Self {
        if let Some(etag) = pin(source, habits, Condition::CopySource) {
            self.source.conditions.if_match = Some(etag);
        }
        self
    }

    /// Whether the provider can be told to copy only what was seen as `source`. To one that is known to ignore that nothing is said:
    /// what the caller does not ask for must not be what is refused.
    pub fn pins(source: &ObjectHead, habits: &Habits) -> bool {
        pin(source, habits, Condition::CopySource).is_some()
    }

    /// The version that was asked for, else the one that was seen.
    fn version_of(&self, source: &ObjectHead) -> Option<String> {
        let seen = || version_name(source.version_id.as_deref()).map(str::to_owned);
        self.source.version_id.clone().or_else(seen)
    }
}

/// The tag that a request about `source` is held to, unless the provider would ignore that.
fn pin(source: &ObjectHead, habits: &Habits, condition: Condition) -> Option<ETag> {
    let can_be = !source.etag.is_empty() && !habits.ignores.contains(condition);
    can_be.then(|| source.etag.clone())
}

const LEAVE_BEHIND: &str = "set the copy's metadata, or leave them behind by replace_metadata()";

/// What CopyObject copies with the bytes, as far as the object has none of its own.
fn take_metadata(object: &mut NewObject, source: &ObjectHead) -> Result<(), Error> {
    for (name, own, theirs) in [
        ("cache-control", &mut object.cache_control, &source.cache_control),
        ("content-disposition", &mut object.content_disposition, &source.content_disposition),
        ("content-encoding", &mut object.content_encoding, &source.content_encoding),
        ("content-language", &mut object.content_language, &source.content_language),
        ("content-type", &mut object.content_type, &source.content_type),
        ("expires", &mut object.stored_expires, &source.expires),
    ] {
        if own.is_none() {
            // Some servers hand out the bytes as they were stored; a header that is sent has ASCII.
            if theirs.as_deref().is_some_and(|text| !text.is_ascii()) {
                let message = format!("the source's {name} is not ASCII, so that only a copy by one request keeps it");
                return Err(Error::new(ErrorKind::Unsupported, message).with_hint(LEAVE_BEHIND));
            }
            own.clone_from(theirs);
        }
    }
    if !object.metadata.is_empty() {
        return Ok(());
    }
    if source.missing_metadata > 0 {
        let message = format!(
            "{} metadata entries of the source cannot be read as headers, so that only a copy by one request keeps them",
            source.missing_metadata
        );
        return Err(Error::new(ErrorKind::Unsupported, message).with_hint(LEAVE_BEHIND));
    }
    object.metadata.clone_from(&source.metadata);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumAlgorithm;
    use crate::new_object::tests::time;
    use crate::op::testing;
    use crate::operation::Operation;
    use crate::{CustomerKey, Encryption, Provider, StorageClass};

    fn source() -> ObjectHead {
        let mut headers = http::HeaderMap::new();
        for (name, value) in [
            ("content-length", "100"),
            ("etag", "\"e\""),
            ("x-amz-version-id", "v7"),
            ("content-type", "text/csv"),
            ("content-encoding", "gzip"),
            ("content-disposition", "attachment"),
            ("content-language", "de"),
            ("cache-control", "no-store"),
            ("expires", "0"),
            ("x-amz-meta-team", "blue"),
            ("x-amz-checksum-crc64nvme", "rosUhgp5mIg="),
            ("x-amz-checksum-type", "FULL_OBJECT"),
        ] {
            headers.insert(name, http::HeaderValue::from_static(value));
        }
        ObjectHead::read(&headers)
    }

    fn copy() -> CopyObject {
        CopyObject::new((), "source", "a", "bucket", "b")
    }

    fn create(call: &CopyObject, source: &ObjectHead, tags: Vec<Tag>) -> http::HeaderMap {
        let written = call.written(source, tags).unwrap();
        let sum = written.parts_checksum(&Provider::Aws.habits());
        written.create_multipart_upload((), sum).request().unwrap().headers
    }

    #[test]
    fn all_that_is_kept_comes_along() {
        let tags = vec![Tag { key: "k".to_owned(), value: "v".to_owned() }];
        let headers = create(&copy(), &source(), tags);
        for (name, value) in [
            ("content-type", "text/csv"),
            ("content-encoding", "gzip"),
            ("content-disposition", "attachment"),
            ("content-language", "de"),
            ("cache-control", "no-store"),
            ("expires", "0"),
            ("x-amz-meta-team", "blue"),
            ("x-amz-tagging", "k=v"),
            ("x-amz-checksum-algorithm", "CRC64NVME"),
            ("x-amz-checksum-type", "FULL_OBJECT"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        assert!(!headers.contains_key("x-amz-storage-class"));
    }

    #[test]
    fn what_the_call_says_comes_first() {
        let tags = vec![Tag { key: "k".to_owned(), value: "v".to_owned() }];
        let call =
            copy().content_type("text/plain").tag("t", "u").storage_class(StorageClass::GlacierIr).expires(time());
        let headers = create(&call, &source(), tags.clone());
        assert_eq!(headers["content-type"], "text/plain");
        assert_eq!(headers["x-amz-tagging"], "t=u");
        assert_eq!(headers["x-amz-storage-class"], "GLACIER_IR");
        assert_eq!(headers["expires"], "Wed, 21 Oct 2026 07:28:00 GMT");
        assert!(!headers.contains_key("cache-control") && !headers.contains_key("x-amz-meta-team"));
        let headers = create(&copy().replace_metadata().replace_tags(), &source(), tags);
        assert!(!headers.contains_key("content-type") && !headers.contains_key("x-amz-tagging"));
        let headers = create(&copy().checksum_algorithm(ChecksumAlgorithm::Sha256), &source(), Vec::new());
        assert_eq!(headers["x-amz-checksum-algorithm"], "SHA256");
        let written = copy().written(&source(), Vec::new()).unwrap();
        assert_eq!(written.known_checksum().unwrap(), source().checksum);
    }

    #[test]
    fn requests_about_the_source_are_of_what_was_seen() {
        let customer = || CustomerKey::new([7; 32]);
        let call = copy()
            .source_if_none_match("x")
            .source_customer_key(customer())
            .source_expected_bucket_owner("2")
            .encryption(Encryption::Customer(CustomerKey::new([1; 32])))
            .request_payer()
            .expected_bucket_owner("1");
        let part = Part { number: 2, offset: 10, length: 5 };
        let aws = Provider::Aws.habits();
        let request = call.copy_part((), &source(), &aws, "u", part).request().unwrap();
        assert_eq!(request.headers["x-amz-copy-source"], "source/a?versionId=v7");
        assert_eq!(request.headers["x-amz-copy-source-range"], "bytes=10-14");
        assert_eq!(request.headers["x-amz-copy-source-if-match"], "\"e\"");
        assert_eq!(request.headers["x-amz-source-expected-bucket-owner"], "2");
        assert_eq!(request.headers["x-amz-expected-bucket-owner"], "1");
        for name in
            ["x-amz-copy-source-server-side-encryption-customer-key", "x-amz-server-side-encryption-customer-key"]
        {
            assert!(request.headers.contains_key(name), "{name}");
        }
        let head = call.head_of_source(()).request().unwrap();
        assert_eq!(head.headers["if-none-match"], "\"x\"");
        assert_eq!(head.bucket.as_deref(), Some("source"));
        assert_eq!(head.headers["x-amz-checksum-mode"], "ENABLED");
        let read = call.read_source((), &source(), &aws).request().unwrap();
        assert_eq!(testing::query(&read), "versionId=v7");
        assert_eq!(read.headers["if-match"], "\"e\"");
        let tags = call.tags_of_source((), &source()).unwrap().request().unwrap();
        assert_eq!(tags.headers["x-amz-expected-bucket-owner"], "2");
        assert_eq!(tags.key.as_deref(), Some("a"));
        for request in [&head, &read] {
            assert!(request.headers.contains_key("x-amz-server-side-encryption-customer-key"));
            assert_eq!(request.headers["x-amz-request-payer"], "requester");
        }
        assert!(copy().tag("t", "u").tags_of_source((), &source()).is_none());
        assert!(copy().tags_of_source((), &ObjectHead { tag_count: Some(0), ..source() }).is_none());
    }

    #[test]
    fn what_the_call_does_not_say_can_be_the_sources() {
        let call = copy().content_type("text/plain");
        assert!(
            call.changes_metadata()
                && !copy().changes_metadata()
                && !call.clone().replace_metadata().changes_metadata()
        );
        let headers = call.with_metadata_of(&source()).unwrap().request().unwrap().headers;
        assert!(!headers.contains_key("x-amz-copy-source-if-match"));
        for (name, value) in [
            ("content-type", "text/plain"),
            ("cache-control", "no-store"),
            ("expires", "0"),
            ("x-amz-meta-team", "blue"),
            ("x-amz-metadata-directive", "REPLACE"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
        let headers = copy().metadata("city", "Ulm").with_metadata_of(&source()).unwrap().request().unwrap().headers;
        assert_eq!(
            (&headers["content-type"], &headers["x-amz-meta-city"]),
            (&"text/csv".parse().unwrap(), &"Ulm".parse().unwrap())
        );
        assert!(!headers.contains_key("x-amz-meta-team"));
    }

    /// What the provider would ignore is left out of what the caller did not ask for, and of nothing else.
    #[test]
    fn it_is_held_to_what_was_seen_where_that_helps() {
        let part = Part { number: 1, offset: 0, length: 5 };
        for (provider, copies, reads) in
            [(Provider::Aws, true, true), (Provider::Ceph, false, true), (Provider::Rclone, false, false)]
        {
            let habits = provider.habits();
            let has = |request: crate::operation::Request, name: &str| {
                habits.check(&request).unwrap();
                request.headers.get(name).is_some_and(|value| value == "\"e\"")
            };
            let in_parts = copy().copy_part((), &source(), &habits, "u", part).request().unwrap();
            let in_one = copy().pinned_to(&source(), &habits).request().unwrap();
            for request in [in_parts, in_one] {
                assert_eq!(has(request, "x-amz-copy-source-if-match"), copies, "{provider:?}");
            }
            assert_eq!(CopyObject::<()>::pins(&source(), &habits), copies, "{provider:?}");
            let read = copy().read_source((), &source(), &habits).request().unwrap();
            assert_eq!(has(read, "if-match"), reads, "{provider:?}");
        }
        let ceph = Provider::Ceph.habits();
        let asked = copy().source_if_match("x").pinned_to(&source(), &ceph).request().unwrap();
        assert!(ceph.check(&asked).is_err());
    }

    #[test]
    fn metadata_that_would_be_lost_is_an_error() {
        let named = ObjectHead { content_disposition: Some("attachment; filename=\"b\u{fc}cher\"".into()), ..source() };
        let error = copy().with_metadata_of(&named).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("the source's content-disposition is not ASCII"), "{error}");
        assert!(copy().content_disposition("inline").with_metadata_of(&named).is_ok());
        let source = ObjectHead { missing_metadata: 2, ..source() };
        let error = copy().written(&source, Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        copy().replace_metadata().written(&source, Vec::new()).unwrap();
    }
}
