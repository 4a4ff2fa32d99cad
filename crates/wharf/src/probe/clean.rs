//! Removing what the attempts made.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use wharf_proto::{Error, ErrorKind, escape};

use super::run::Probe;

impl Probe {
    /// Removes all that was made; what could not be removed, and why.
    ///
    /// A server may list what nobody asked for. So nothing is deleted for being listed only, but what has the probe's
    /// prefix.
    pub(super) async fn clean(&self) -> Vec<String> {
        let mut remains = BTreeMap::new();
        for (key, upload_id) in &self.uploads {
            // Most are completed by now, which is an error here.
            let aborted = self.s3.abort_multipart_upload(&self.bucket, key, upload_id).await;
            note(&mut remains, format!("{}, upload {upload_id}", escape::name(key)), aborted.map(drop));
        }
        let written = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for key in &written {
            let deleted = self.s3.delete_object(&self.bucket, key).await;
            note(&mut remains, escape::name(key).into_owned(), deleted.map(drop));
        }
        let mut versions = self.s3.list_object_versions(&self.bucket).prefix(&self.prefix).items();
        // Where there are no versions, not all servers know the question.
        while let Some(Ok(version)) = versions.next().await {
            if version.key.starts_with(&self.prefix) {
                let key = escape::name(&version.key).into_owned();
                let what = match version.version_id.as_str() {
                    "null" => key.clone(),
                    id => format!("{key}, version {id}"),
                };
                let deleted = self.s3.delete_object(&self.bucket, &version.key).version_id(version.version_id).await;
                if deleted.is_ok() {
                    remains.remove(&key);
                }
                note(&mut remains, what, deleted.map(drop));
            }
        }
        let mut objects = self.s3.list_objects(&self.bucket).prefix(&self.prefix).items();
        while let Some(object) = objects.next().await {
            match object {
                Ok(object) if object.key.starts_with(&self.prefix) => {
                    let deleted = self.s3.delete_object(&self.bucket, &object.key).await;
                    note(&mut remains, escape::name(&object.key).into_owned(), deleted.map(drop));
                }
                Ok(_) => {}
                Err(error) => {
                    note(&mut remains, format!("{}: what is there cannot be listed", self.prefix), Err(error))
                }
            }
        }
        remains.into_iter().map(|(what, why)| what + &why).collect()
    }
}

fn note(remains: &mut BTreeMap<String, String>, what: String, result: Result<(), Error>) {
    match result {
        Err(error) if !is_gone(&error) => remains.insert(what, format!(" ({error})")),
        _ => remains.remove(&what),
    };
}

fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NoSuchKey | ErrorKind::NoSuchUpload | ErrorKind::NoSuchVersion)
}
