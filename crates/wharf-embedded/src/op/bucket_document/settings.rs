//! The documents of a word or two: acceleration, logging, ownership, public access, and who pays.

use s3s::dto::{
    AccelerateConfiguration, BucketLoggingStatus, OwnershipControls, PublicAccessBlockConfiguration,
    RequestPaymentConfiguration,
};

use super::Kept;
use crate::access::Ownership;
use crate::access::acl::Acl;
use crate::backend::Bucket;
use crate::error::{Code, Error, Result};
use crate::xml;

pub(super) fn accelerate(bytes: &[u8], bucket: &Bucket) -> Result<Kept> {
    let asked: AccelerateConfiguration = xml::parse(bytes)?;
    if bucket.name.contains('.') {
        let message = "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names";
        return Err(Error::new(Code::InvalidRequest, message));
    }
    one_of(asked.status.as_ref().map(|status| status.as_str()), &["Enabled", "Suspended"])
}

pub(super) fn logging(bytes: &[u8]) -> Result<Kept> {
    let asked: BucketLoggingStatus = xml::parse(bytes)?;
    Ok(if asked.logging_enabled.is_some() { Kept::AsPut } else { Kept::Nothing })
}

pub(super) fn ownership(bytes: &[u8], bucket: &Bucket) -> Result<Kept> {
    let asked: OwnershipControls = xml::parse(bytes)?;
    let [rule] = &asked.rules[..] else { return Err(Code::MalformedXml.into()) };
    match Ownership::parse(rule.object_ownership.as_str()) {
        Some(Ownership::BucketOwnerEnforced) if bucket.acl != Acl::private(&bucket.owner) => {
            Err(Code::InvalidBucketAclWithObjectOwnership.into())
        }
        Some(_) => Ok(Kept::AsPut),
        None => Err(Code::MalformedXml.into()),
    }
}

pub(super) fn public_access_block(bytes: &[u8]) -> Result<Kept> {
    xml::parse::<PublicAccessBlockConfiguration>(bytes).map(|_| Kept::AsPut)
}

pub(super) fn request_payment(bytes: &[u8]) -> Result<Kept> {
    let asked: RequestPaymentConfiguration = xml::parse(bytes)?;
    one_of(Some(asked.payer.as_str()), &["BucketOwner", "Requester"])
}

fn one_of(value: Option<&str>, known: &[&str]) -> Result<Kept> {
    if value.is_some_and(|value| known.contains(&value)) { Ok(Kept::AsPut) } else { Err(Code::MalformedXml.into()) }
}
