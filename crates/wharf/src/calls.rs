//! The client's calls, one for each S3 operation.

use http::Method;
use wharf_proto::op::*;
use wharf_proto::{IntoBody, Tag};

use crate::Client;

impl Client {
    /// Makes a bucket in this client's region: see [`CreateBucket`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// s3.create_bucket("my-bucket").await?;
    /// # Ok(()) }
    /// ```
    pub fn create_bucket(&self, bucket: impl Into<String>) -> CreateBucket<Self> {
        CreateBucket::new(self.clone(), bucket).region(self.region())
    }

    /// Deletes an empty bucket: see [`DeleteBucket`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// s3.delete_bucket("my-bucket").await?;
    /// # Ok(()) }
    /// ```
    pub fn delete_bucket(&self, bucket: impl Into<String>) -> DeleteBucket<Self> {
        DeleteBucket::new(self.clone(), bucket)
    }

    /// Whether a bucket exists and may be used, and where it is: see [`HeadBucket`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// let bucket = s3.head_bucket("my-bucket").await?;
    /// println!("it is in {:?}", bucket.region);
    /// # Ok(()) }
    /// ```
    pub fn head_bucket(&self, bucket: impl Into<String>) -> HeadBucket<Self> {
        HeadBucket::new(self.clone(), bucket)
    }

    /// Lists the account's buckets: see [`ListBuckets`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// for bucket in s3.list_buckets().items().collect().await? {
    ///     println!("{}", bucket.name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list_buckets(&self) -> ListBuckets<Self> {
        ListBuckets::new(self.clone())
    }

    /// Which region a bucket is in: see [`GetBucketLocation`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// assert_eq!(s3.get_bucket_location("my-bucket").await?, "us-east-1");
    /// # Ok(()) }
    /// ```
    pub fn get_bucket_location(&self, bucket: impl Into<String>) -> GetBucketLocation<Self> {
        GetBucketLocation::new(self.clone(), bucket)
    }

    /// Whether a bucket keeps versions: see [`GetBucketVersioning`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// assert_eq!(s3.get_bucket_versioning("my-bucket").await?.status, None);   // never turned on
    /// # Ok(()) }
    /// ```
    pub fn get_bucket_versioning(&self, bucket: impl Into<String>) -> GetBucketVersioning<Self> {
        GetBucketVersioning::new(self.clone(), bucket)
    }

    /// Has a bucket keep versions, or stop: see [`PutBucketVersioning`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// s3.put_bucket_versioning("my-bucket", wharf::VersioningStatus::Enabled).await?;
    /// # Ok(()) }
    /// ```
    pub fn put_bucket_versioning(
        &self,
        bucket: impl Into<String>,
        status: VersioningStatus,
    ) -> PutBucketVersioning<Self> {
        PutBucketVersioning::new(self.clone(), bucket, status)
    }

    /// Has a bucket served as a website: see [`PutBucketWebsite`].
    ///
    /// ```no_run
    /// # async fn example(s3: wharf::Client) -> wharf::Result<()> {
    /// s3.put_bucket_website("my-bucket").index_document("index.html").await?;
    /// # Ok(()) }
    /// ```
    pub fn put_bucket_website(&self, bucket: impl Into<String>) -> PutBucketWebsite<Self> {
        PutBucketWebsite::new(self.clone(), bucket)
    }

    /// Begins a session with a directory bucket, for those who sign elsewhere: see [`CreateSession`].
    ///
    /// ```no_run
    /// # async fn example(s3: wharf::Client) -> wharf::Result<()> {
    /// let keys = s3.create_session("my-bucket--use1-az4--x-s3").await?.credentials;
    /// println!("{} until {:?}", keys.access_key_id(), keys.expires_at());
    /// # Ok(()) }
    /// ```
    pub fn create_session(&self, bucket: impl Into<String>) -> CreateSession<Self> {
        CreateSession::new(self.clone(), bucket)
    }

    /// Writes an object: exactly one PutObject: see [`PutObject`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// let put = s3.put_object("my-bucket", "docs/a.txt", "Hello!").metadata("team", "blue").if_absent().await?;
    /// println!("{}", put.etag);
    /// # Ok(()) }
    /// ```
    pub fn put_object(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        body: impl IntoBody,
    ) -> PutObject<Self> {
        PutObject::new(self.clone(), bucket, key, body)
    }

    /// A form by which a browser uploads an object without keys: see [`PostObject`].
    pub fn post_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> PostObject<Self> {
        PostObject::new(self.clone(), bucket, key)
    }

    /// Reads an object: see [`GetObject`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// let object = s3.get_object("my-bucket", "docs/a.txt").range(0..4).await?;
    /// println!("{:?}", object.last_modified);
    /// assert_eq!(object.text().await?, "Hell");
    /// # Ok(()) }
    /// ```
    pub fn get_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObject<Self> {
        GetObject::new(self.clone(), bucket, key)
    }

    /// Everything about an object but its bytes: see [`HeadObject`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// assert_eq!(s3.head_object("my-bucket", "docs/a.txt").await?.content_length, 6);
    /// # Ok(()) }
    /// ```
    pub fn head_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> HeadObject<Self> {
        HeadObject::new(self.clone(), bucket, key)
    }

    /// Whether the bucket has this key: see [`ObjectExists`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// assert!(!s3.object_exists("my-bucket", "docs/a.txt").await?);
    /// # Ok(()) }
    /// ```
    pub fn object_exists(&self, bucket: impl Into<String>, key: impl Into<String>) -> ObjectExists<Self> {
        ObjectExists::new(self.clone(), bucket, key)
    }

    /// An object's size, checksum and parts, without reading it: see [`GetObjectAttributes`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// assert_eq!(s3.get_object_attributes("my-bucket", "docs/a.txt").await?.size, Some(6));
    /// # Ok(()) }
    /// ```
    pub fn get_object_attributes(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> GetObjectAttributes<Self> {
        GetObjectAttributes::new(self.clone(), bucket, key)
    }

    /// Deletes an object, or one version of it: see [`DeleteObject`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// s3.delete_object("my-bucket", "docs/a.txt").await?;
    /// # Ok(()) }
    /// ```
    pub fn delete_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> DeleteObject<Self> {
        DeleteObject::new(self.clone(), bucket, key)
    }

    /// Deletes any number of objects, up to 1,000 a request: see [`DeleteObjects`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// let done = s3.delete_objects("my-bucket", ["docs/a.txt", "docs/b.txt"]).await?;
    /// for failed in &done.errors {
    ///     println!("{failed}");
    /// }
    /// # Ok(()) }
    /// ```
    pub fn delete_objects<O: Into<ObjectIdentifier>>(
        &self,
        bucket: impl Into<String>,
        objects: impl IntoIterator<Item = O>,
    ) -> DeleteObjects<Self> {
        DeleteObjects::new(self.clone(), bucket, objects)
    }

    /// Copies an object on the server: see [`CopyObject`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// s3.copy_object("my-bucket", "docs/a.txt", "my-bucket", "archive/a.txt").await?;
    /// # Ok(()) }
    /// ```
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// let mut objects = s3.list_objects("my-bucket").prefix("docs/").items();
    /// while let Some(object) = objects.next().await {
    ///     println!("{}", object?.key);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list_objects(&self, bucket: impl Into<String>) -> ListObjects<Self> {
        ListObjects::new(self.clone(), bucket)
    }

    /// Lists a bucket's versions and delete markers: see [`ListObjectVersions`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// for version in s3.list_object_versions("my-bucket").items().collect().await? {
    ///     println!("{} {}", version.key, version.version_id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list_object_versions(&self, bucket: impl Into<String>) -> ListObjectVersions<Self> {
        ListObjectVersions::new(self.clone(), bucket)
    }

    /// An object's tags: see [`GetObjectTagging`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// for tag in s3.get_object_tagging("my-bucket", "docs/a.txt").await?.tags {
    ///     println!("{} = {}", tag.key, tag.value);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn get_object_tagging(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObjectTagging<Self> {
        GetObjectTagging::new(self.clone(), bucket, key)
    }

    /// Replaces an object's tags: see [`PutObjectTagging`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// s3.put_object_tagging("my-bucket", "docs/a.txt", [("team", "blue")]).await?;
    /// # Ok(()) }
    /// ```
    pub fn put_object_tagging<T: Into<Tag>>(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        tags: impl IntoIterator<Item = T>,
    ) -> PutObjectTagging<Self> {
        PutObjectTagging::new(self.clone(), bucket, key, tags)
    }

    /// Removes an object's tags: see [`DeleteObjectTagging`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?;
    /// s3.delete_object_tagging("my-bucket", "docs/a.txt").await?;
    /// # Ok(()) }
    /// ```
    pub fn delete_object_tagging(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> DeleteObjectTagging<Self> {
        DeleteObjectTagging::new(self.clone(), bucket, key)
    }

    /// Begins a multipart upload: see [`CreateMultipartUpload`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// let upload = s3.create_multipart_upload("my-bucket", "big").await?;
    /// let part = s3.upload_part("my-bucket", "big", &upload.upload_id, 1, "Hello!").await?;
    /// s3.complete_multipart_upload("my-bucket", "big", &upload.upload_id).part(part).await?;
    /// # Ok(()) }
    /// ```
    pub fn create_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> CreateMultipartUpload<Self> {
        CreateMultipartUpload::new(self.clone(), bucket, key)
    }

    /// Uploads one part, 1 to 10,000: see [`UploadPart`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; let upload = s3.create_multipart_upload("my-bucket", "big").await?;
    /// let part = s3.upload_part("my-bucket", "big", &upload.upload_id, 1, "Hello!").await?;
    /// println!("{}", part.etag);
    /// # Ok(()) }
    /// ```
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; s3.put_object("my-bucket", "docs/a.txt", "Hello!").await?; let upload = s3.create_multipart_upload("my-bucket", "big").await?;
    /// let id = &upload.upload_id;
    /// s3.upload_part_copy("my-bucket", "docs/a.txt", "my-bucket", "big", id, 1).await?;
    /// # Ok(()) }
    /// ```
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; let upload = s3.create_multipart_upload("my-bucket", "big").await?; let part = s3.upload_part("my-bucket", "big", &upload.upload_id, 1, "Hello!").await?;
    /// s3.complete_multipart_upload("my-bucket", "big", &upload.upload_id).parts([part]).await?;
    /// # Ok(()) }
    /// ```
    pub fn complete_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> CompleteMultipartUpload<Self> {
        CompleteMultipartUpload::new(self.clone(), bucket, key, upload_id)
    }

    /// Gives an upload up and removes its parts: see [`AbortMultipartUpload`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; let upload = s3.create_multipart_upload("my-bucket", "big").await?;
    /// s3.abort_multipart_upload("my-bucket", "big", &upload.upload_id).await?;
    /// # Ok(()) }
    /// ```
    pub fn abort_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> AbortMultipartUpload<Self> {
        AbortMultipartUpload::new(self.clone(), bucket, key, upload_id)
    }

    /// Lists an upload's parts: see [`ListParts`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; let upload = s3.create_multipart_upload("my-bucket", "big").await?; let part = s3.upload_part("my-bucket", "big", &upload.upload_id, 1, "Hello!").await?;
    /// for part in s3.list_parts("my-bucket", "big", &upload.upload_id).items().collect().await? {
    ///     println!("{}: {} bytes", part.part_number, part.size);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list_parts(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> ListParts<Self> {
        ListParts::new(self.clone(), bucket, key, upload_id)
    }

    /// Lists uploads that are neither completed nor aborted: see [`ListMultipartUploads`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?; let upload = s3.create_multipart_upload("my-bucket", "big").await?;
    /// for upload in s3.list_multipart_uploads("my-bucket").items().collect().await? {
    ///     println!("{} {}", upload.key, upload.upload_id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list_multipart_uploads(&self, bucket: impl Into<String>) -> ListMultipartUploads<Self> {
        ListMultipartUploads::new(self.clone(), bucket)
    }

    /// A signed request to any S3 operation that has no method here: see [`SignedRequest`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> wharf::Result<()> {
    /// use wharf::http::Method;
    ///
    /// # let s3 = wharf::Client::builder().transport(wharf_embedded::Store::in_memory()).build()?;
    /// # s3.create_bucket("my-bucket").await?;
    /// let rules = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>\
    ///              </CORSRule></CORSConfiguration>";
    /// s3.request(Method::PUT).bucket("my-bucket").subresource("cors").body(rules).await?;
    /// let answer = s3.request(Method::GET).bucket("my-bucket").subresource("cors").await?;
    /// assert!(String::from_utf8_lossy(answer.body()).contains("<AllowedMethod>GET</AllowedMethod>"));
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: Method) -> SignedRequest<Self> {
        SignedRequest::new(self.clone(), method)
    }
}
