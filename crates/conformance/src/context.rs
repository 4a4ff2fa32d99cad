//! Where checks run, and what each is given.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use wharf::op::{CreateBucket, PutObjectOutput};
use wharf::transport::{Defaults, Transport};
use wharf::{Client, ClientBuilder, IntoBody, ObjectIdentifier};

use crate::expect::Failure;
use crate::http1::{self, Answer};

type MakeBuilder = dyn Fn() -> ClientBuilder + Send + Sync;

/// A server to run on.
#[derive(Clone)]
pub struct Target {
    access_key_id: String,
    builder: Arc<MakeBuilder>,
    in_process: Option<Arc<dyn Transport>>,
}

impl Target {
    /// A server behind a socket. `builder` gives a client of it, with endpoint, region and keys, of which
    /// `access_key_id` is the one that is no secret.
    pub fn new(access_key_id: impl Into<String>, builder: impl Fn() -> ClientBuilder + Send + Sync + 'static) -> Self {
        Self { access_key_id: access_key_id.into(), builder: Arc::new(builder), in_process: None }
    }

    /// A server in this process: presigned requests reach it by `transport`, too.
    #[must_use]
    pub fn in_process(mut self, transport: impl Transport) -> Self {
        self.in_process = Some(Arc::new(transport));
        self
    }
}

/// What a check is given. A cheap clone.
#[derive(Clone)]
pub struct Context {
    /// A client of the server.
    pub s3: Client,
    /// An empty bucket that no other check uses; it is removed afterwards with all that is in it.
    pub bucket: String,
    target: Target,
    made: Arc<Mutex<Vec<String>>>,
}

impl Context {
    /// Makes the bucket.
    ///
    /// # Errors
    /// The bucket cannot be made, or the client cannot be built.
    pub async fn new(target: &Target) -> Result<Self, Failure> {
        let s3 = (target.builder)().build()?;
        let mut cx = Self { s3, bucket: String::new(), target: target.clone(), made: Arc::default() };
        cx.bucket = cx.make_bucket(|call| call).await?;
        Ok(cx)
    }

    /// Makes one more bucket, which is removed afterwards as well.
    ///
    /// # Errors
    /// As CreateBucket.
    pub async fn make_bucket(
        &self,
        options: impl FnOnce(CreateBucket<Client>) -> CreateBucket<Client>,
    ) -> Result<String, Failure> {
        let name = self.free_name();
        options(self.s3.create_bucket(&name)).await?;
        Ok(name)
    }

    /// A bucket name that nobody has; a bucket made under it is removed afterwards.
    pub fn free_name(&self) -> String {
        let tail: String = std::iter::repeat_with(fastrand::lowercase).take(16).collect();
        let name = format!("wharf-{tail}");
        self.made.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(name.clone());
        name
    }

    /// A client of the same server with other settings.
    ///
    /// # Errors
    /// As `ClientBuilder::build`.
    pub fn client(&self, options: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client, Failure> {
        Ok(options((self.target.builder)()).build()?)
    }

    /// Puts an object into the bucket.
    pub(crate) async fn put(&self, key: &str, body: impl IntoBody) -> Result<PutObjectOutput, Failure> {
        Ok(self.s3.put_object(&self.bucket, key, body).await?)
    }

    /// The bytes of an object of the bucket.
    pub(crate) async fn bytes(&self, key: &str) -> Result<Bytes, Failure> {
        Ok(self.s3.get_object(&self.bucket, key).bytes().await?)
    }

    /// All keys of the bucket, in the server's order.
    pub(crate) async fn keys(&self) -> Result<Vec<String>, Failure> {
        let objects = self.s3.list_objects(&self.bucket).items().collect().await?;
        Ok(objects.into_iter().map(|object| object.key).collect())
    }

    /// Sends what was presigned as any program would: without this project's client.
    pub(crate) async fn send(&self, request: &wharf::Presigned, body: impl Into<Bytes>) -> Result<Answer, Failure> {
        match &self.target.in_process {
            Some(transport) => http1::send_in_process(&**transport, request, body.into()).await,
            None => http1::send(request, body.into()).await,
        }
    }

    /// The access key id that the server knows.
    pub(crate) fn access_key_id(&self) -> &str {
        &self.target.access_key_id
    }

    /// What a client of the server may assume.
    pub(crate) fn defaults(&self) -> Option<Defaults> {
        self.target.in_process.as_ref().and_then(|transport| transport.defaults())
    }

    /// Removes the buckets that were made, with all that is in them.
    ///
    /// # Errors
    /// One line for each bucket that is still there.
    pub async fn remove_buckets(&self) -> Result<(), String> {
        let made = std::mem::take(&mut *self.made.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        let mut left = Vec::new();
        for bucket in made {
            let _ = self.remove_uploads(&bucket).await;
            let _ = self.remove_objects(&bucket).await;
            match self.s3.delete_bucket(&bucket).await {
                Ok(()) => {}
                Err(error) if error.status().is_some_and(|status| status == 404) => {}
                Err(error) => left.push(error.to_string()),
            }
        }
        if left.is_empty() { Ok(()) } else { Err(left.join("; ")) }
    }

    async fn remove_uploads(&self, bucket: &str) -> wharf::Result<()> {
        for upload in self.s3.list_multipart_uploads(bucket).items().collect().await? {
            self.s3.abort_multipart_upload(bucket, upload.key, upload.upload_id).await?;
        }
        Ok(())
    }

    async fn remove_objects(&self, bucket: &str) -> wharf::Result<()> {
        let versions = self.s3.list_object_versions(bucket).items().collect().await.unwrap_or_default();
        let versions: Vec<ObjectIdentifier> =
            versions.into_iter().map(|version| (version.key, version.version_id).into()).collect();
        if !versions.is_empty() {
            let _ = self.s3.delete_objects(bucket, versions).bypass_governance().await;
        }
        // Some servers have no versions, and some do not find all keys by them.
        for object in self.s3.list_objects(bucket).items().collect().await? {
            self.s3.delete_object(bucket, object.key).await?;
        }
        Ok(())
    }
}
