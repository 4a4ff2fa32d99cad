//! PutBucketAcl and PutObjectAcl.

use http::StatusCode;

use crate::access::acl::{self, Acl, Asked};
use crate::backend::Amendment;
use crate::call::{Call, Reply, empty, set};
use crate::error::{Code, Error, Result};

pub(super) async fn of_bucket(call: Call) -> Result<Reply> {
    let acl = asked(&call, &call.rules()?.bucket.acl, false)?;
    call.backend().set_bucket_acl(call.bucket(), acl).await?;
    Ok(empty(StatusCode::OK))
}

pub(super) async fn of_object(call: Call) -> Result<Reply> {
    let found = call.found()?;
    let object = super::read_object::readable(&call, found)?;
    let acl = asked(&call, &object.acl, true)?;
    let changed =
        call.backend().amend(call.bucket(), call.key(), call.version()?, call.now, Amendment::Acl(acl)).await?;
    let mut reply = empty(StatusCode::OK);
    if changed.versioned {
        set(reply.headers_mut(), "x-amz-version-id", &changed.version.id);
    }
    Ok(reply)
}

/// The list asked for by headers or by a document, never by both. The owner stays who it was.
fn asked(call: &Call, before: &Acl, of_object: bool) -> Result<Acl> {
    let rules = call.rules()?;
    let asked = acl::asked(&call.headers)?;
    if rules.without_acls() {
        if of_object && asked == Asked::Canned("bucket-owner-full-control") {
            return Ok(before.clone());
        }
        return Err(Code::AccessControlListNotSupported.into());
    }
    let acl = match (asked, call.document.is_empty()) {
        (Asked::Nothing, true) => {
            return Err(Error::from(Code::MissingSecurityHeader).detail("MissingHeaderName", "x-amz-acl"));
        }
        (Asked::Nothing, false) => Acl::of_document(&call.document, &before.owner)?,
        (_, false) => return Err(Code::UnexpectedContent.into()),
        (_, true) => {
            let bucket_owner = of_object.then_some(rules.bucket.owner.as_str());
            Acl::of(&call.headers, &before.owner, bucket_owner)?
        }
    };
    rules.check_acl(&acl)?;
    Ok(acl)
}
