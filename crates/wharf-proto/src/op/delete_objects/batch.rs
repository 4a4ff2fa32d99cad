//! One DeleteObjects request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use http::Method;

use super::{DeleteError, DeletedObject, Numbered, ObjectIdentifier, Outcome, Settings};
use crate::condition::entity_tag;
use crate::error::one_line;
use crate::headers::Headers;
use crate::op::elements::some_text;
use crate::operation::{Operation, Request, Success};
use crate::xml::{self, Scanner, write_document};
use crate::{Body, Error, ErrorKind, time};

pub(super) const NAME: &str = "DeleteObjects";

/// At most 1,000 objects, none with a key that XML cannot hold.
#[derive(Debug)]
pub(super) struct DeleteBatch {
    settings: Settings,
    objects: Arc<[Numbered<ObjectIdentifier>]>,
}

/// What became of the batch's objects, each with its place.
#[derive(Debug)]
pub(super) struct BatchOutput {
    pub(super) outcomes: Vec<Numbered<Outcome>>,
    pub(super) request_charged: bool,
}

impl DeleteBatch {
    pub(super) fn new(settings: Settings, objects: Arc<[Numbered<ObjectIdentifier>]>) -> Self {
        Self { settings, objects }
    }

    fn document(&self) -> Result<Bytes, Error> {
        // Tags and times are checked first, for an element that is being written cannot fail.
        let conditions = self.objects.iter().map(|(_, object)| {
            let written = object.last_modified.map(time::format_http_date).transpose()?;
            Ok((object, entity_tag(&object.etag)?, written))
        });
        let conditions = conditions.collect::<Result<Vec<_>, Error>>()?;
        Ok(write_document("Delete", |root| {
            for (object, etag, written) in &conditions {
                root.child("Object", |element| {
                    element.text("Key", &object.key);
                    element.text_opt("VersionId", object.version_id.as_deref());
                    element.text_opt("ETag", etag.as_deref());
                    element.text_opt("LastModifiedTime", written.as_deref());
                    element.text_opt("Size", object.size.map(|size| size.to_string()).as_deref());
                });
            }
            if self.settings.quiet {
                root.text("Quiet", "true");
            }
        }))
    }

    /// Reads the answer in whatever order the server wrote it.
    fn outcomes(&self, document: &str) -> Result<Vec<Outcome>, Error> {
        let mut outcomes = Vec::with_capacity(self.objects.len());
        // A server that has nothing to report may leave the document out.
        if self.settings.quiet && document.trim().is_empty() {
            return Ok(outcomes);
        }
        let mut scanner = Scanner::new(document, "DeleteResult")?;
        while let Some(name) = scanner.child()? {
            match name {
                "Deleted" => outcomes.push(Ok(read_deleted(&mut scanner)?)),
                "Error" => outcomes.push(Err(read_error(&mut scanner)?)),
                _ => scanner.skip()?,
            }
        }
        Ok(outcomes)
    }
}

impl DeleteBatch {
    /// The objects that the answer says nothing of: nobody knows whether they are deleted.
    fn unnamed(&self, outcomes: &[Outcome]) -> Vec<Outcome> {
        let asked: BTreeSet<_> = self.objects.iter().map(|(_, object)| object.key_and_version()).collect();
        let mut named = BTreeSet::new();
        // Some servers do not repeat the version: then one outcome of a key stands for one of its versions.
        let mut of_key = BTreeMap::<_, usize>::new();
        for outcome in outcomes.iter().map(subject) {
            if asked.contains(&outcome) {
                named.insert(outcome);
            } else {
                *of_key.entry(outcome.0).or_default() += 1;
            }
        }
        let unnamed = self.objects.iter().filter(|(_, object)| {
            let stands_for_it = |left: &mut usize| left.checked_sub(1).map(|less| *left = less).is_some();
            !named.contains(&object.key_and_version())
                && !of_key.get_mut(object.key.as_str()).is_some_and(stands_for_it)
        });
        unnamed
            .map(|(_, object)| {
                Err(DeleteError {
                    key: object.key.clone(),
                    version_id: object.version_id.clone(),
                    code: format!("{:?}", ErrorKind::MalformedResponse),
                    message: "the server's answer does not say what became of it".to_owned(),
                })
            })
            .collect()
    }
}

/// Of what an outcome tells: key and version.
fn subject(outcome: &Outcome) -> (&str, Option<&str>) {
    outcome.as_ref().map_or_else(DeleteError::key_and_version, DeletedObject::key_and_version)
}

impl Operation for DeleteBatch {
    const NAME: &'static str = NAME;
    type Output = BatchOutput;

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::POST, &self.settings.bucket)?;
        request.success = Success::Document;
        request.subresource("delete");
        if let Some(mfa) = &self.settings.mfa {
            mfa.apply(&mut request)?;
        }
        let bypass = self.settings.bypass_governance.then_some("true");
        request.header_opt("x-amz-bypass-governance-retention", bypass)?;
        request.payer_and_owner(self.settings.request_payer, self.settings.expected_bucket_owner.as_deref())?;
        request.checksum = self.settings.checksum.clone();
        request.body = Body::bytes(self.document()?);
        request.body_conditions = self.objects.iter().flat_map(|(_, object)| object.conditions()).collect();
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<BatchOutput, Error> {
        let places: BTreeMap<_, _> =
            self.objects.iter().map(|(place, object)| (object.key_and_version(), *place)).collect();
        let place_of = |outcome: &Outcome| {
            let (key, version_id) = subject(outcome);
            // Some servers do not repeat the version; the key alone is near enough for the order.
            let of_key = || places.range((key, None)..).next().filter(|((other, _), _)| *other == key);
            let place = places.get(&(key, version_id)).or_else(|| of_key().map(|(_, place)| place));
            place.copied().unwrap_or(usize::MAX)
        };
        let mut outcomes = self.outcomes(xml::text(response.body())?)?;
        if !self.settings.quiet {
            let unnamed = self.unnamed(&outcomes);
            outcomes.extend(unnamed);
        }
        Ok(BatchOutput {
            outcomes: outcomes.into_iter().map(|outcome| (place_of(&outcome), outcome)).collect(),
            request_charged: Headers::of(response.headers()).request_charged(),
        })
    }
}

fn read_deleted(scanner: &mut Scanner<'_>) -> Result<DeletedObject, Error> {
    let mut deleted = DeletedObject::default();
    while let Some(name) = scanner.child()? {
        match name {
            "Key" => deleted.key = scanner.text()?.into_owned(),
            "VersionId" => deleted.version_id = some_text(scanner)?,
            "DeleteMarker" => deleted.delete_marker = scanner.text()?.trim() == "true",
            "DeleteMarkerVersionId" => deleted.delete_marker_version_id = some_text(scanner)?,
            _ => scanner.skip()?,
        }
    }
    Ok(deleted)
}

fn read_error(scanner: &mut Scanner<'_>) -> Result<DeleteError, Error> {
    let mut error = DeleteError::default();
    while let Some(name) = scanner.child()? {
        match name {
            "Key" => error.key = scanner.text()?.into_owned(),
            "VersionId" => error.version_id = some_text(scanner)?,
            "Code" => error.code = one_line(&scanner.text()?),
            "Message" => error.message = one_line(&scanner.text()?),
            _ => scanner.skip()?,
        }
    }
    Ok(error)
}
