//! The two documents that change what ACLs and policies can do.

use bytes::Bytes;
use s3s::dto::{OwnershipControls, PublicAccessBlockConfiguration};

use crate::error::Result;
use crate::xml::{self, Writer};

/// Who owns what others write into a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Whoever writes it; so it is where nothing was chosen.
    ObjectWriter,
    /// The bucket's owner, where the writer says so.
    BucketOwnerPreferred,
    /// The bucket's owner; there are no ACLs.
    BucketOwnerEnforced,
}

impl Ownership {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::ObjectWriter, Self::BucketOwnerPreferred, Self::BucketOwnerEnforced]
            .into_iter()
            .find(|ownership| ownership.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::ObjectWriter => "ObjectWriter",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
        }
    }

    /// The document that says so.
    pub(crate) fn document(self) -> Bytes {
        let mut xml = Writer::new("OwnershipControls");
        xml.element("Rule", |xml| xml.text("ObjectOwnership", self.name()));
        xml.finish().into()
    }

    pub(super) fn of(document: Option<&[u8]>) -> Result<Self> {
        let Some(bytes) = document else { return Ok(Self::ObjectWriter) };
        let controls: OwnershipControls = xml::parse(bytes)?;
        let chosen = controls.rules.first().and_then(|rule| Self::parse(rule.object_ownership.as_str()));
        Ok(chosen.unwrap_or(Self::ObjectWriter))
    }
}

/// What a PublicAccessBlock takes from the public; nothing without one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PublicAccess {
    pub(super) block_acls: bool,
    pub(super) ignore_acls: bool,
    pub(super) block_policy: bool,
    pub(super) restrict: bool,
}

impl PublicAccess {
    pub(super) fn of(document: Option<&[u8]>) -> Result<Self> {
        let Some(bytes) = document else { return Ok(Self::default()) };
        let block: PublicAccessBlockConfiguration = xml::parse(bytes)?;
        Ok(Self {
            block_acls: block.block_public_acls.unwrap_or_default(),
            ignore_acls: block.ignore_public_acls.unwrap_or_default(),
            block_policy: block.block_public_policy.unwrap_or_default(),
            restrict: block.restrict_public_buckets.unwrap_or_default(),
        })
    }
}
