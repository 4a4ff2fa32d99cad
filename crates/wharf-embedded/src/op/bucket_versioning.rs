//! GetBucketVersioning and PutBucketVersioning.

use http::StatusCode;
use s3s::dto::VersioningConfiguration;

use crate::backend::Versioning;
use crate::call::{Call, Reply, document, empty};
use crate::error::{Code, Error, Result};
use crate::xml::{self, Writer};

pub(super) async fn get(call: Call) -> Result<Reply> {
    let mut xml = Writer::new("VersioningConfiguration");
    match call.rules()?.bucket.versioning {
        Versioning::Never => {}
        Versioning::Enabled => xml.text("Status", "Enabled"),
        Versioning::Suspended => xml.text("Status", "Suspended"),
    }
    Ok(document(xml))
}

pub(super) async fn put(call: Call) -> Result<Reply> {
    let bucket = &call.rules()?.bucket;
    let asked: VersioningConfiguration = xml::parse(&call.document)?;
    if asked.mfa_delete.is_some_and(|delete| delete.as_str() == "Enabled") {
        return Err(Code::NotImplemented.into());
    }
    let versioning = match asked.status.as_ref().map(|status| status.as_str()) {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") if bucket.has_object_lock() => {
            let message =
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
            return Err(Error::new(Code::InvalidBucketState, message));
        }
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(Code::MalformedXml.into()),
    };
    call.backend().set_versioning(call.bucket(), versioning).await?;
    Ok(empty(StatusCode::OK))
}
