//! The backend in memory: maps behind one lock, bytes shared and never copied.

mod blob;
mod objects;
mod uploads;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use crate::access::acl::Acl;
use crate::backend::endings::{Ending, Endings};
use crate::backend::{
    Amendment, Backend, BlobWriter, Bucket, Deleted, Found, ListQuery, ListedVersion, Object, Page, Part, Removal,
    Upload, Version, Versioning,
};
use crate::condition::Guard;
use crate::error::{Code, Error, Result};
use crate::id::Ids;

/// Everything, gone when dropped.
pub(crate) struct Memory {
    buckets: RwLock<BTreeMap<String, BucketState>>,
    ids: Arc<Ids>,
}

struct BucketState {
    info: Bucket,
    objects: objects::Objects,
    /// A key's open uploads, in order of their ids, which is the order of their start; never empty.
    uploads: BTreeMap<String, BTreeMap<String, UploadState>>,
    endings: Endings,
}

struct UploadState {
    upload: Arc<Upload>,
    parts: BTreeMap<u16, Part>,
}

type Buckets = BTreeMap<String, BucketState>;

impl Memory {
    pub(crate) fn new(ids: Arc<Ids>) -> Self {
        Self { buckets: RwLock::default(), ids }
    }

    fn read(&self) -> RwLockReadGuard<'_, Buckets> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Buckets> {
        self.buckets.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_bucket<'a>(buckets: &'a Buckets, name: &str) -> Result<&'a BucketState> {
    buckets.get(name).ok_or_else(|| no_such_bucket(name))
}

fn in_bucket_mut<'a>(buckets: &'a mut Buckets, name: &str) -> Result<&'a mut BucketState> {
    buckets.get_mut(name).ok_or_else(|| no_such_bucket(name))
}

fn no_such_bucket(name: &str) -> Error {
    Error::from(Code::NoSuchBucket).detail("BucketName", name)
}

#[async_trait]
impl Backend for Memory {
    async fn create_bucket(&self, bucket: Bucket) -> Result<()> {
        let mut buckets = self.write();
        if let Some(there) = buckets.get(&bucket.name) {
            let same = there.info.owner == bucket.owner;
            let code = if same { Code::BucketAlreadyOwnedByYou } else { Code::BucketAlreadyExists };
            return Err(Error::from(code).detail("BucketName", bucket.name));
        }
        let state = BucketState {
            info: bucket,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            endings: Endings::default(),
        };
        buckets.insert(state.info.name.clone(), state);
        Ok(())
    }

    async fn delete_bucket(&self, name: &str) -> Result<()> {
        let mut buckets = self.write();
        if !in_bucket(&buckets, name)?.objects.is_empty() {
            return Err(Error::from(Code::BucketNotEmpty).detail("BucketName", name));
        }
        buckets.remove(name);
        Ok(())
    }

    async fn bucket(&self, name: &str) -> Result<Bucket> {
        Ok(in_bucket(&self.read(), name)?.info.clone())
    }

    async fn buckets(&self) -> Result<Vec<Bucket>> {
        Ok(self.read().values().map(|state| state.info.clone()).collect())
    }

    async fn set_bucket_tags(&self, name: &str, tags: Vec<(String, String)>) -> Result<()> {
        in_bucket_mut(&mut self.write(), name)?.info.tags = tags;
        Ok(())
    }

    async fn set_bucket_acl(&self, name: &str, acl: Acl) -> Result<()> {
        in_bucket_mut(&mut self.write(), name)?.info.acl = acl;
        Ok(())
    }

    async fn set_bucket_document(&self, name: &str, subresource: &str, document: Option<Bytes>) -> Result<()> {
        let mut buckets = self.write();
        let documents = &mut in_bucket_mut(&mut buckets, name)?.info.documents;
        match document {
            Some(document) => documents.insert(subresource.to_owned(), document),
            None => documents.remove(subresource),
        };
        Ok(())
    }

    async fn set_versioning(&self, name: &str, versioning: Versioning) -> Result<()> {
        in_bucket_mut(&mut self.write(), name)?.info.versioning = versioning;
        Ok(())
    }

    fn writer(&self) -> Box<dyn BlobWriter> {
        Box::new(blob::Writer::default())
    }

    async fn put(&self, bucket: &str, key: &str, at: SystemTime, object: Object, guard: &Guard) -> Result<Found> {
        in_bucket_mut(&mut self.write(), bucket)?.put(&self.ids, key, at, object, guard)
    }

    async fn find(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Found> {
        in_bucket(&self.read(), bucket)?.find(key, version)
    }

    async fn delete(&self, bucket: &str, key: &str, version: Option<&str>, how: &Removal) -> Result<Deleted> {
        in_bucket_mut(&mut self.write(), bucket)?.delete(&self.ids, key, version, how)
    }

    async fn amend(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        at: SystemTime,
        change: Amendment,
    ) -> Result<Found> {
        in_bucket_mut(&mut self.write(), bucket)?.amend(key, version, at, change)
    }

    async fn list(&self, bucket: &str, query: &ListQuery) -> Result<Page<Arc<Version>>> {
        Ok(in_bucket(&self.read(), bucket)?.list(query))
    }

    async fn list_versions(&self, bucket: &str, query: &ListQuery) -> Result<Page<ListedVersion>> {
        Ok(in_bucket(&self.read(), bucket)?.list_versions(&self.ids, query))
    }

    async fn create_upload(&self, bucket: &str, upload: Upload) -> Result<()> {
        in_bucket_mut(&mut self.write(), bucket)?.create_upload(upload)
    }

    async fn upload(&self, bucket: &str, key: &str, id: &str) -> Result<Arc<Upload>> {
        Ok(in_bucket(&self.read(), bucket)?.upload(key, id)?.upload.clone())
    }

    async fn put_part(&self, bucket: &str, key: &str, id: &str, part: Part) -> Result<()> {
        in_bucket_mut(&mut self.write(), bucket)?.upload_mut(key, id)?.parts.insert(part.number, part);
        Ok(())
    }

    async fn parts(&self, bucket: &str, key: &str, id: &str) -> Result<Vec<Part>> {
        Ok(in_bucket(&self.read(), bucket)?.upload(key, id)?.parts.values().cloned().collect())
    }

    async fn complete(&self, bucket: &str, upload: &Upload, object: Object, guard: &Guard) -> Result<Found> {
        let mut buckets = self.write();
        let state = in_bucket_mut(&mut buckets, bucket)?;
        state.upload(&upload.key, &upload.id)?;
        let found = state.complete(&self.ids, upload, object, guard)?;
        state.end(&upload.key, &upload.id, Ending::completed(&found))?;
        Ok(found)
    }

    async fn ending(&self, bucket: &str, key: &str, id: &str) -> Result<Option<Ending>> {
        Ok(in_bucket(&self.read(), bucket)?.endings.get(key, id).cloned())
    }

    async fn abort(&self, bucket: &str, key: &str, id: &str) -> Result<()> {
        in_bucket_mut(&mut self.write(), bucket)?.end(key, id, Ending::Aborted)
    }

    async fn list_uploads(&self, bucket: &str, query: &ListQuery) -> Result<Page<Arc<Upload>>> {
        Ok(in_bucket(&self.read(), bucket)?.list_uploads(query))
    }
}
