//! CreateBucket.

use std::collections::BTreeMap;

use http::StatusCode;
use s3s::dto::CreateBucketConfiguration;

use crate::access::acl::Acl;
use crate::access::{Ownership, Rules};
use crate::backend::{Bucket, Versioning};
use crate::call::{Call, Reply, empty, set};
use crate::document::Document;
use crate::error::{Code, Error, Result, invalid_argument};
use crate::{tags, xml};

pub(super) async fn run(call: Call) -> Result<Reply> {
    let region = &call.shared.region;
    let constraint = match call.document.is_empty() {
        true => None,
        false => {
            let asked = xml::parse::<CreateBucketConfiguration>(&call.document)?;
            if asked.bucket.is_some() || asked.location.is_some() {
                return Err(Error::new(Code::NotImplemented, "This store has no directory buckets."));
            }
            asked.location_constraint
        }
    };
    let asked = match constraint.as_ref().map(|constraint| constraint.as_str()) {
        None | Some("") => "us-east-1",
        Some("EU") => "eu-west-1",
        // The one region that must not be named.
        Some("us-east-1") => {
            return Err(Error::new(Code::InvalidLocationConstraint, "The specified location-constraint is not valid"));
        }
        Some(other) => other,
    };
    if asked != region {
        let what = if constraint.is_some() { asked } else { "unspecified" };
        let message = format!(
            "The {what} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        return Err(Error::new(Code::IllegalLocationConstraintException, message));
    }
    let ownership = ownership(&call)?;
    let object_lock = call.flag("x-amz-bucket-object-lock-enabled");
    let acl = Acl::of(&call.headers, &call.account.number, None)?;
    let mut documents = BTreeMap::new();
    if let Some(ownership) = ownership {
        if ownership == Ownership::BucketOwnerEnforced && acl != Acl::private(&call.account.number) {
            return Err(Code::InvalidBucketAclWithObjectOwnership.into());
        }
        documents.insert(Document::OwnershipControls.subresource().to_owned(), ownership.document());
    }
    let bucket = Bucket {
        name: call.bucket().to_owned(),
        owner: call.account.number.clone(),
        region: region.clone(),
        created: call.now,
        versioning: if object_lock { Versioning::Enabled } else { Versioning::Never },
        object_lock,
        acl,
        tags: tags::of_new_bucket(&call.document)?,
        documents,
    };
    let acl = bucket.acl.clone();
    match call.backend().create_bucket(bucket).await {
        // The oldest region takes it as done, and resets the access control list.
        Err(error) if error.code() == Code::BucketAlreadyOwnedByYou && region == "us-east-1" => {
            let there = Rules::of(&call, call.bucket(), "x-amz-expected-bucket-owner").await?;
            there.check_acl(&acl)?;
            if there.without_acls() && acl != Acl::private(&call.account.number) {
                return Err(Code::InvalidBucketAclWithObjectOwnership.into());
            }
            call.backend().set_bucket_acl(call.bucket(), acl).await?;
        }
        other => other?,
    }
    let mut reply = empty(StatusCode::OK);
    set(reply.headers_mut(), "location", format_args!("/{}", call.bucket()));
    Ok(reply)
}

/// Who shall own what others write.
fn ownership(call: &Call) -> Result<Option<Ownership>> {
    let name = "x-amz-object-ownership";
    let Some(asked) = call.header(name) else { return Ok(None) };
    let known = Ownership::parse(asked);
    known.map(Some).ok_or_else(|| invalid_argument("Invalid x-amz-object-ownership header", name, asked))
}
