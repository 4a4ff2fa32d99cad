//! The client's calls, one for each S3 operation.

use http::Method;
use wharf_proto::op::*;
use wharf_proto::{IntoBody, Tag};

use crate::Client;

impl Client {
    /// Makes a bucket in this client's region: see [`CreateBucket`].
    pub fn create_bucket(&self, bucket: impl Into<String>) -> CreateBucket<Self> {
        CreateBucket::new(self.clone(), bucket).region(self.region())
    }

    /// Deletes an empty bucket: see [`DeleteBucket`].
    pub fn delete_bucket(&self, bucket: impl Into<String>) -> DeleteBucket<Self> {
        DeleteBucket::new(self.clone(), bucket)
    }

    /// Whether a bucket exists and may be used, and where it is: see [`HeadBucket`].
    pub fn head_bucket(&self, bucket: impl Into<String>) -> HeadBucket<Self> {
        HeadBucket::new(self.clone(), bucket)
    }

    /// Lists the account's buckets: see [`ListBuckets`].
    pub fn list_buckets(&self) -> ListBuckets<Self> {
        ListBuckets::new(self.clone())
    }

    /// Which region a bucket is in: see [`GetBucketLocation`].
    pub fn get_bucket_location(&self, bucket: impl Into<String>) -> GetBucketLocation<Self> {
        GetBucketLocation::new(self.clone(), bucket)
    }

    /// Whether a bucket keeps versions: see [`GetBucketVersioning`].
    pub fn get_bucket_versioning(&self, bucket: impl Into<String>) -> GetBucketVersioning<Self> {
        GetBucketVersioning::new(self.clone(), bucket)
    }

    /// Has a bucket keep versions, or stop: see [`PutBucketVersioning`].
    pub fn put_bucket_versioning(
        &self,
        bucket: impl Into<String>,
        status: VersioningStatus,
    ) -> PutBucketVersioning<Self> {
        PutBucketVersioning::new(self.clone(), bucket, status)
    }

    /// Begins a session with a directory bucket, for those who sign elsewhere: see [`CreateSession`].
    pub fn create_session(&self, bucket: impl Into<String>) -> CreateSession<Self> {
        CreateSession::new(self.clone(), bucket)
    }

    /// Writes an object: exactly one PutObject: see [`PutObject`].
    pub fn put_object(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        body: impl IntoBody,
    ) -> PutObject<Self> {
        PutObject::new(self.clone(), bucket, key, body)
    }

    /// Reads an object: see [`GetObject`].
    pub fn get_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObject<Self> {
        GetObject::new(self.clone(), bucket, key)
    }

    /// Everything about an object but its bytes: see [`HeadObject`].
    pub fn head_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> HeadObject<Self> {
        HeadObject::new(self.clone(), bucket, key)
    }

    /// An object's size, checksum and parts, without reading it: see [`GetObjectAttributes`].
    pub fn get_object_attributes(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> GetObjectAttributes<Self> {
        GetObjectAttributes::new(self.clone(), bucket, key)
    }

    /// Deletes an object, or one version of it: see [`DeleteObject`].
    pub fn delete_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> DeleteObject<Self> {
        DeleteObject::new(self.clone(), bucket, key)
    }

    /// Deletes any number of objects, up to 1,000 a request: see [`DeleteObjects`].
    pub fn delete_objects<O: Into<ObjectIdentifier>>(
        &self,
        bucket: impl Into<String>,
        objects: impl IntoIterator<Item = O>,
    ) -> DeleteObjects<Self> {
        DeleteObjects::new(self.clone(), bucket, objects)
    }

    /// Copies an object on the server: see [`CopyObject`].
    pub fn copy_object(
        &self,
        source_bucket: impl Into<String>,
        source_key: impl Into<String>,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> CopyObject<Self> {
        CopyObject::new(self.clone(), source_bucket, source_key, bucket, key)
    }

    /// Lists a bucket's objects (ListObjectsV2): see [`ListObjects`].
    pub fn list_objects(&self, bucket: impl Into<String>) -> ListObjects<Self> {
        ListObjects::new(self.clone(), bucket)
    }

    /// Lists a bucket's versions and delete markers: see [`ListObjectVersions`].
    pub fn list_object_versions(&self, bucket: impl Into<String>) -> ListObjectVersions<Self> {
        ListObjectVersions::new(self.clone(), bucket)
    }

    /// An object's tags: see [`GetObjectTagging`].
    pub fn get_object_tagging(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObjectTagging<Self> {
        GetObjectTagging::new(self.clone(), bucket, key)
    }

    /// Replaces an object's tags: see [`PutObjectTagging`].
    pub fn put_object_tagging<T: Into<Tag>>(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        tags: impl IntoIterator<Item = T>,
    ) -> PutObjectTagging<Self> {
        PutObjectTagging::new(self.clone(), bucket, key, tags)
    }

    /// Removes an object's tags: see [`DeleteObjectTagging`].
    pub fn delete_object_tagging(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> DeleteObjectTagging<Self> {
        DeleteObjectTagging::new(self.clone(), bucket, key)
    }

    /// Begins a multipart upload: see [`CreateMultipartUpload`].
    pub fn create_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> CreateMultipartUpload<Self> {
        CreateMultipartUpload::new(self.clone(), bucket, key)
    }

    /// Uploads one part, 1 to 10,000: see [`UploadPart`].
    pub fn upload_part(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
        part_number: u32,
        body: impl IntoBody,
    ) -> UploadPart<Self> {
        UploadPart::new(self.clone(), bucket, key, upload_id, part_number, body)
    }

    /// Makes one part of an object that is stored already: see [`UploadPartCopy`].
    pub fn upload_part_copy(
        &self,
        source_bucket: impl Into<String>,
        source_key: impl Into<String>,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
        part_number: u32,
    ) -> UploadPartCopy<Self> {
        UploadPartCopy::new(self.clone(), source_bucket, source_key, bucket, key, upload_id, part_number)
    }

    /// Makes an object of the uploaded parts: see [`CompleteMultipartUpload`].
    pub fn complete_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> CompleteMultipartUpload<Self> {
        CompleteMultipartUpload::new(self.clone(), bucket, key, upload_id)
    }

    /// Gives an upload up and removes its parts: see [`AbortMultipartUpload`].
    pub fn abort_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> AbortMultipartUpload<Self> {
        AbortMultipartUpload::new(self.clone(), bucket, key, upload_id)
    }

    /// Lists an upload's parts: see [`ListParts`].
    pub fn list_parts(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> ListParts<Self> {
        ListParts::new(self.clone(), bucket, key, upload_id)
    }

    /// Lists uploads that are neither completed nor aborted: see [`ListMultipartUploads`].
    pub fn list_multipart_uploads(&self, bucket: impl Into<String>) -> ListMultipartUploads<Self> {
        ListMultipartUploads::new(self.clone(), bucket)
    }

    /// A signed request to any S3 operation that has no method here: see [`SignedRequest`].
    pub fn request(&self, method: Method) -> SignedRequest<Self> {
        SignedRequest::new(self.clone(), method)
    }
}
