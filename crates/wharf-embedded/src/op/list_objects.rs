//! ListObjects, in both of its forms.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::access::acl::{Acl, user};
use crate::account::canonical_id;
use crate::backend::{ListQuery, Page, Version};
use crate::call::{Call, Reply, document};
use crate::error::{Result, invalid_argument};
use crate::time::object_date;
use crate::token;
use crate::xml::Writer;

pub(super) const MOST: usize = 1000;

/// What `encoding-type=url` leaves as it is, and a space, which becomes `+`.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b' ').remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/');

/// How names are written in a listing.
#[derive(Clone, Copy)]
pub(super) struct Naming {
    url: bool,
}

impl Naming {
    pub(super) fn of(call: &Call) -> Result<Self> {
        match call.query.filled("encoding-type") {
            None => Ok(Self { url: false }),
            Some("url") => Ok(Self { url: true }),
            Some(other) => {
                Err(invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", other))
            }
        }
    }

    pub(super) fn write(self, name: &str) -> Cow<'_, str> {
        if !self.url {
            return name.into();
        }
        let encoded: Cow<'_, str> = utf8_percent_encode(name, PLAIN).into();
        if encoded.contains(' ') { encoded.replace(' ', "+").into() } else { encoded }
    }

    /// Tells the reader that names are encoded.
    pub(super) fn declare(self, xml: &mut Writer) {
        if self.url {
            xml.text("EncodingType", "url");
        }
    }

    pub(super) fn prefixes(self, xml: &mut Writer, prefixes: &[String]) {
        for prefix in prefixes {
            xml.element("CommonPrefixes", |xml| xml.text("Prefix", &self.write(prefix)));
        }
    }
}

/// The prefix, delimiter and limit that all listings have.
pub(super) fn query_of(call: &Call, limit: usize, after: Option<(String, Option<String>)>) -> ListQuery {
    ListQuery {
        prefix: call.query.get("prefix").unwrap_or_default().to_owned(),
        delimiter: call.query.filled("delimiter").map(str::to_owned),
        after,
        skips_prefix: true,
        limit,
    }
}

pub(super) async fn v1(call: Call) -> Result<Reply> {
    let naming = Naming::of(&call)?;
    let limit = call.query.count("max-keys", MOST)?;
    let marker = call.query.get("marker").unwrap_or_default();
    let query = query_of(&call, limit, call.query.filled("marker").map(|marker| (marker.to_owned(), None)));
    let page = call.backend().list(call.bucket(), &query).await?;
    let mut xml = Writer::new("ListBucketResult");
    xml.text("Name", call.bucket());
    xml.text("Prefix", &naming.write(&query.prefix));
    xml.text("Marker", &naming.write(marker));
    xml.show("MaxKeys", limit);
    xml.optional("Delimiter", query.delimiter.as_deref().map(|delimiter| naming.write(delimiter)).as_deref());
    naming.declare(&mut xml);
    xml.show("IsTruncated", page.truncated);
    // Without a delimiter the last key says where to go on.
    if let Some((last, _)) = page.last.as_ref().filter(|_| query.delimiter.is_some()) {
        xml.text("NextMarker", &naming.write(last));
    }
    contents(&call, &mut xml, naming, &page, true);
    Ok(document(xml))
}

pub(super) async fn v2(call: Call) -> Result<Reply> {
    let naming = Naming::of(&call)?;
    let limit = call.query.count("max-keys", MOST)?;
    let token = call.query.get("continuation-token");
    let start = call.query.filled("start-after");
    let after = match token {
        Some(token) => Some(token::read(token)?),
        None => start.map(str::to_owned),
    };
    let mut query = query_of(&call, limit, after.map(|after| (after, None)));
    // A key to start after is none that a page ended with.
    query.skips_prefix = token.is_some();
    let page = call.backend().list(call.bucket(), &query).await?;
    let mut xml = Writer::new("ListBucketResult");
    xml.text("Name", call.bucket());
    xml.text("Prefix", &naming.write(&query.prefix));
    // It is no longer what the listing goes by.
    let start = start.filter(|_| token.is_none());
    xml.optional("StartAfter", start.map(|start| naming.write(start)).as_deref());
    xml.optional("ContinuationToken", token);
    xml.optional("NextContinuationToken", page.last.as_ref().map(|(last, _)| token::write(last)).as_deref());
    xml.show("KeyCount", page.entries.len() + page.prefixes.len());
    xml.show("MaxKeys", limit);
    xml.optional("Delimiter", query.delimiter.as_deref().map(|delimiter| naming.write(delimiter)).as_deref());
    naming.declare(&mut xml);
    xml.show("IsTruncated", page.truncated);
    let owners = call.query.get("fetch-owner").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    contents(&call, &mut xml, naming, &page, owners);
    Ok(document(xml))
}

fn contents(call: &Call, xml: &mut Writer, naming: Naming, page: &Page<Arc<Version>>, owners: bool) {
    for version in &page.entries {
        xml.element("Contents", |xml| {
            xml.text("Key", &naming.write(&version.key));
            described(xml, version);
            if owners {
                owner(call, xml, "Owner", version.object.as_ref().map(|object| &object.acl));
            }
        });
    }
    naming.prefixes(xml, &page.prefixes);
}

/// What every listing says of an object beside its key.
pub(super) fn described(xml: &mut Writer, version: &Version) {
    xml.text("LastModified", &object_date(version.modified));
    let Some(object) = &version.object else { return };
    xml.text("ETag", &format!("\"{}\"", object.etag));
    if let Some(checksum) = &object.checksum {
        xml.text("ChecksumAlgorithm", checksum.kind.algorithm.name());
        xml.text("ChecksumType", checksum.kind.type_name());
    }
    xml.show("Size", object.size());
    xml.text("StorageClass", object.storage_class());
}

/// The owner of something in the bucket that has this ACL; of delete markers, which have none, the bucket's.
pub(super) fn owner(call: &Call, xml: &mut Writer, name: &str, acl: Option<&Acl>) {
    let Ok(rules) = call.rules() else { return };
    let number = acl.map_or(rules.bucket.owner.as_str(), |acl| rules.owner(acl));
    xml.element(name, |xml| user(xml, &canonical_id(number), &call.shared.accounts));
}
