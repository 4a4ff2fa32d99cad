//! Open uploads of one bucket.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BucketState, UploadState};
use crate::backend::endings::Ending;
use crate::backend::list;
use crate::backend::{ListQuery, Page, Upload};
use crate::error::{Code, Error, Result};

impl BucketState {
    pub(super) fn create_upload(&mut self, mut upload: Upload) -> Result<()> {
        upload.replaces = self.has_object(&upload.key)?;
        let uploads = self.uploads.entry(upload.key.clone()).or_default();
        uploads.insert(upload.id.clone(), UploadState { upload: Arc::new(upload), parts: BTreeMap::new() });
        Ok(())
    }

    pub(super) fn upload(&self, key: &str, id: &str) -> Result<&UploadState> {
        self.uploads.get(key).and_then(|uploads| uploads.get(id)).ok_or_else(|| no_such_upload(id))
    }

    pub(super) fn upload_mut(&mut self, key: &str, id: &str) -> Result<&mut UploadState> {
        self.uploads.get_mut(key).and_then(|uploads| uploads.get_mut(id)).ok_or_else(|| no_such_upload(id))
    }

    pub(super) fn end(&mut self, key: &str, id: &str, ending: Ending) -> Result<()> {
        let uploads = self.uploads.get_mut(key).ok_or_else(|| no_such_upload(id))?;
        uploads.remove(id).ok_or_else(|| no_such_upload(id))?;
        if uploads.is_empty() {
            self.uploads.remove(key);
        }
        self.endings.add(key, id, ending);
        Ok(())
    }

    pub(super) fn list_uploads(&self, query: &ListQuery) -> Page<Arc<Upload>> {
        let started = |uploads: &BTreeMap<String, UploadState>, marker: &str| {
            uploads.keys().take_while(|id| id.as_str() <= marker).count()
        };
        list::page_of_map(&self.uploads, query, started, |uploads| {
            uploads.iter().map(|(id, state)| (Some(id.as_str()), state.upload.clone()))
        })
    }
}

fn no_such_upload(id: &str) -> Error {
    Error::from(Code::NoSuchUpload).detail("UploadId", id)
}
