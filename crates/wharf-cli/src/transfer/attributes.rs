//! What an object is given beside its bytes: the options of `cp`, `mv` and `sync`, and `pipe`.

use std::collections::BTreeMap;
use std::time::SystemTime;

use jiff::civil::{Date, DateTime};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use wharf::transfer::{Copy, Upload};
use wharf::{CannedAcl, ChecksumAlgorithm, CustomerKey, Encryption, Grantee, KmsKey, StorageClass};

use crate::customer_key::{CustomerKeyArgs, customer_key};
use crate::error::Failure;
use crate::paramfile::{self, or_file};

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "What the new objects get")]
pub(crate) struct AttributeArgs {
    /// The type of the content; guessed from the name where it is not said
    #[arg(long, value_name = "TYPE", value_parser = paramfile::text)]
    content_type: Option<String>,
    /// Guess no type of content
    #[arg(long)]
    no_guess_mime_type: bool,
    /// How the content is encoded, such as gzip
    #[arg(long, value_name = "VALUE", value_parser = paramfile::text)]
    content_encoding: Option<String>,
    /// How a browser presents it
    #[arg(long, value_name = "VALUE", value_parser = paramfile::text)]
    content_disposition: Option<String>,
    /// The language it is in
    #[arg(long, value_name = "VALUE", value_parser = paramfile::text)]
    content_language: Option<String>,
    /// How it may be cached
    #[arg(long, value_name = "VALUE", value_parser = paramfile::text)]
    cache_control: Option<String>,
    /// When it is stale: 2026-12-24, 2026-12-24T18:00:00Z, or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = or_file(time))]
    expires: Option<SystemTime>,
    /// Metadata: name=value,name=value or a JSON object
    #[arg(long, value_name = "MAP", value_parser = or_file(metadata))]
    metadata: Option<Pairs>,
    /// A tag; may be given several times
    #[arg(long, num_args = 2, value_names = ["KEY", "VALUE"], action = clap::ArgAction::Append)]
    tags: Vec<String>,
    /// STANDARD_IA, GLACIER_IR or another storage class
    #[arg(long, value_name = "CLASS", value_parser = paramfile::text)]
    storage_class: Option<String>,
    /// A canned ACL, such as bucket-owner-full-control
    #[arg(long, value_name = "ACL", value_parser = or_file(acl))]
    acl: Option<CannedAcl>,
    /// Grants: read=uri=URL full=id=ID and so on
    #[arg(long, value_name = "GRANT", num_args = 1.., value_parser = or_file(grants))]
    grants: Vec<Grants>,
    /// Encryption by the server: AES256, aws:kms or aws:kms:dsse
    #[arg(long, value_name = "ALGORITHM", num_args = 0..=1, default_missing_value = "AES256", value_parser = ["AES256", "aws:kms", "aws:kms:dsse"])]
    sse: Option<String>,
    /// The key of aws:kms
    #[arg(long, value_name = "ID", value_parser = paramfile::text)]
    sse_kms_key_id: Option<String>,
    #[command(flatten)]
    customer_key: CustomerKeyArgs,
    /// The source of a copy is encrypted with your own key
    #[arg(long = "sse-c-copy-source", id = "sse_c_copy_source", value_name = "ALGORITHM", num_args = 0..=1, default_missing_value = "AES256", value_parser = ["AES256"], requires = "sse_c_copy_source_key")]
    _sse_c_copy_source: Option<String>,
    /// The key of the source of a copy
    #[arg(long, value_name = "KEY", value_parser = customer_key, allow_hyphen_values = true, requires = "sse_c_copy_source")]
    sse_c_copy_source_key: Option<CustomerKey>,
    /// Where a website sends those who ask for the object
    #[arg(long, value_name = "URL", value_parser = paramfile::text)]
    website_redirect: Option<String>,
    /// The checksum that goes with uploads and copies
    #[arg(long, value_name = "ALGORITHM", value_parser = checksum_algorithm)]
    checksum_algorithm: Option<ChecksumAlgorithm>,
}

/// Names and values.
#[derive(Debug, Clone)]
struct Pairs(Vec<(String, String)>);

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Read,
    ReadAcl,
    WriteAcl,
    Full,
}

/// One permission for some.
#[derive(Debug, Clone)]
struct Grants(Permission, Vec<Grantee>);

/// One thing that an object is given.
#[derive(Debug, Clone)]
pub(crate) enum Attribute {
    ContentType(String),
    ContentEncoding(String),
    ContentDisposition(String),
    ContentLanguage(String),
    CacheControl(String),
    Expires(SystemTime),
    Metadata(String, String),
    Tag(String, String),
    StorageClass(StorageClass),
    Encryption(Encryption),
    Acl(CannedAcl),
    Grant(Permission, Grantee),
    WebsiteRedirect(String),
    Checksum(ChecksumAlgorithm),
}

impl Attribute {
    /// Whether it is one of those that a copy takes from its source unless it replaces all of them.
    pub(crate) fn is_metadata(&self) -> bool {
        matches!(
            self,
            Self::ContentType(_)
                | Self::ContentEncoding(_)
                | Self::ContentDisposition(_)
                | Self::ContentLanguage(_)
                | Self::CacheControl(_)
                | Self::Expires(_)
                | Self::Metadata(..)
        )
    }

    pub(crate) fn on_upload(upload: Upload, attribute: Self) -> Upload {
        match attribute {
            Self::ContentType(value) => upload.content_type(value),
            Self::ContentEncoding(value) => upload.content_encoding(value),
            Self::ContentDisposition(value) => upload.content_disposition(value),
            Self::ContentLanguage(value) => upload.content_language(value),
            Self::CacheControl(value) => upload.cache_control(value),
            Self::Expires(time) => upload.expires(time),
            Self::Metadata(name, value) => upload.metadata(name, value),
            Self::Tag(key, value) => upload.tag(key, value),
            Self::StorageClass(class) => upload.storage_class(class),
            Self::Encryption(encryption) => upload.encryption(encryption),
            Self::Acl(acl) => upload.acl(acl),
            Self::Grant(Permission::Read, grantee) => upload.grant_read(grantee),
            Self::Grant(Permission::ReadAcl, grantee) => upload.grant_read_acp(grantee),
            Self::Grant(Permission::WriteAcl, grantee) => upload.grant_write_acp(grantee),
            Self::Grant(Permission::Full, grantee) => upload.grant_full_control(grantee),
            Self::WebsiteRedirect(location) => upload.website_redirect_location(location),
            Self::Checksum(algorithm) => upload.checksum(algorithm),
        }
    }

    pub(crate) fn on_copy(copy: Copy, attribute: Self) -> Copy {
        match attribute {
            Self::ContentType(value) => copy.content_type(value),
            Self::ContentEncoding(value) => copy.content_encoding(value),
            Self::ContentDisposition(value) => copy.content_disposition(value),
            Self::ContentLanguage(value) => copy.content_language(value),
            Self::CacheControl(value) => copy.cache_control(value),
            Self::Expires(time) => copy.expires(time),
            Self::Metadata(name, value) => copy.metadata(name, value),
            Self::Tag(key, value) => copy.tag(key, value),
            Self::StorageClass(class) => copy.storage_class(class),
            Self::Encryption(encryption) => copy.encryption(encryption),
            Self::Acl(acl) => copy.acl(acl),
            Self::Grant(Permission::Read, grantee) => copy.grant_read(grantee),
            Self::Grant(Permission::ReadAcl, grantee) => copy.grant_read_acp(grantee),
            Self::Grant(Permission::WriteAcl, grantee) => copy.grant_write_acp(grantee),
            Self::Grant(Permission::Full, grantee) => copy.grant_full_control(grantee),
            Self::WebsiteRedirect(location) => copy.website_redirect_location(location),
            Self::Checksum(algorithm) => copy.checksum_algorithm(algorithm),
        }
    }
}

impl AttributeArgs {
    /// All that was said.
    pub(crate) fn attributes(&self) -> Result<Vec<Attribute>, Failure> {
        let text = |value: &Option<String>, attribute: fn(String) -> Attribute| value.clone().map(attribute);
        let untyped = self.no_guess_mime_type && self.content_type.is_none();
        // What S3 says of an object for which nothing was said.
        let untyped = untyped.then(|| Attribute::ContentType("binary/octet-stream".to_owned()));
        let mut all: Vec<_> = [
            text(&self.content_type, Attribute::ContentType),
            untyped,
            text(&self.content_encoding, Attribute::ContentEncoding),
            text(&self.content_disposition, Attribute::ContentDisposition),
            text(&self.content_language, Attribute::ContentLanguage),
            text(&self.cache_control, Attribute::CacheControl),
            self.expires.map(Attribute::Expires),
            self.storage_class.as_deref().and_then(|class| class.parse().ok()).map(Attribute::StorageClass),
            self.encryption()?.map(Attribute::Encryption),
            self.acl.map(Attribute::Acl),
            text(&self.website_redirect, Attribute::WebsiteRedirect),
            self.checksum_algorithm.map(Attribute::Checksum),
        ]
        .into_iter()
        .flatten()
        .collect();
        let metadata = self.metadata.iter().flat_map(|Pairs(pairs)| pairs.clone());
        all.extend(metadata.map(|(name, value)| Attribute::Metadata(name, value)));
        all.extend(self.tags.chunks_exact(2).map(|tag| Attribute::Tag(tag[0].clone(), tag[1].clone())));
        for Grants(permission, grantees) in &self.grants {
            all.extend(grantees.iter().map(|grantee| Attribute::Grant(*permission, grantee.clone())));
        }
        Ok(all)
    }

    fn encryption(&self) -> Result<Option<Encryption>, Failure> {
        let key = || self.sse_kms_key_id.as_ref().map_or_else(KmsKey::aws_managed, KmsKey::id);
        match (self.sse.as_deref(), self.customer_key.key()) {
            (Some(_), Some(_)) => Err(Failure::usage("--sse and --sse-c are two kinds of encryption: say one of them")),
            (None, Some(key)) => Ok(Some(Encryption::Customer(key.clone()))),
            (Some("aws:kms"), None) => Ok(Some(Encryption::Kms(key()))),
            (Some("aws:kms:dsse"), None) => Ok(Some(Encryption::KmsDualLayer(key()))),
            (_, None) if self.sse_kms_key_id.is_some() => Err(Failure::usage("--sse-kms-key-id needs --sse aws:kms")),
            (Some(_), None) => Ok(Some(Encryption::S3)),
            (None, None) => Ok(None),
        }
    }

    /// The key that the objects of a source are encrypted with, where it is the user's own. A download has but one key, so
    /// there it is that of `--sse-c-key`.
    pub(crate) fn source_key(&self, is_copy: bool) -> Option<CustomerKey> {
        if is_copy { self.sse_c_copy_source_key.clone() } else { self.customer_key.key().cloned() }
    }

    pub(crate) fn has_tags(&self) -> bool {
        !self.tags.is_empty()
    }
}

fn acl(text: &str) -> Result<CannedAcl, String> {
    use CannedAcl::*;
    let all = [
        Private,
        PublicRead,
        PublicReadWrite,
        AuthenticatedRead,
        AwsExecRead,
        BucketOwnerRead,
        BucketOwnerFullControl,
        LogDeliveryWrite,
    ];
    all.into_iter()
        .find(|acl| acl.as_str() == text)
        .ok_or_else(|| format!("a canned ACL is one of {}", all.map(CannedAcl::as_str).join(", ")))
}

fn checksum_algorithm(text: &str) -> Result<ChecksumAlgorithm, String> {
    text.parse().map_err(|error: wharf::proto::checksum::ChecksumError| error.to_string())
}

/// `read=uri=URL`, `full=id=ID,id=ID`.
fn grants(text: &str) -> Result<Grants, String> {
    let problem =
        || "a grant reads like read=uri=URL or full=id=ID; permissions are read, readacl, writeacl, full".to_owned();
    let (permission, grantees) = text.split_once('=').ok_or_else(problem)?;
    let permission = match permission {
        "read" => Permission::Read,
        "readacl" => Permission::ReadAcl,
        "writeacl" => Permission::WriteAcl,
        "full" => Permission::Full,
        _ => return Err(problem()),
    };
    let grantee = |text: &str| match text.split_once('=') {
        Some(("uri", uri)) => Ok(Grantee::Uri(uri.to_owned())),
        Some(("id", id)) => Ok(Grantee::Id(id.to_owned())),
        Some(("emailaddress" | "emailAddress", address)) => Ok(Grantee::EmailAddress(address.to_owned())),
        _ => Err(problem()),
    };
    Ok(Grants(permission, grantees.split(',').map(grantee).collect::<Result<_, _>>()?))
}

/// `a=1,b=2`, or `{"a":"1","b":"2"}`. A value with a comma in it is quoted.
fn metadata(text: &str) -> Result<Pairs, String> {
    if text.trim_start().starts_with('{') {
        let pairs: BTreeMap<String, String> =
            serde_json::from_str(text).map_err(|error| format!("this is no JSON object of texts: {error}"))?;
        return Ok(Pairs(pairs.into_iter().collect()));
    }
    let mut pairs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, value) =
            rest.split_once('=').ok_or_else(|| "metadata reads like name=value,name=value".to_owned())?;
        let (value, behind) = match value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            Some(quote) => {
                let (value, behind) = value[1..].split_once(quote).ok_or_else(|| format!("no {quote} ends {value}"))?;
                (value, behind.strip_prefix(',').unwrap_or(behind))
            }
            None => value.split_once(',').unwrap_or((value, "")),
        };
        pairs.push((name.to_owned(), value.to_owned()));
        rest = behind;
    }
    Ok(Pairs(pairs))
}

/// A time in one of the forms that people write.
fn time(text: &str) -> Result<SystemTime, String> {
    let seconds = || text.parse::<i64>().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let whole = || text.parse::<Timestamp>().ok();
    let mail = || rfc2822::parse(text).ok().map(|zoned| zoned.timestamp());
    let utc = |at: DateTime| at.to_zoned(TimeZone::UTC).ok().as_ref().map(Zoned::timestamp);
    let local = || text.parse::<DateTime>().ok().or_else(|| Some(text.parse::<Date>().ok()?.into())).and_then(utc);
    seconds()
        .or_else(whole)
        .or_else(mail)
        .or_else(local)
        .map(SystemTime::from)
        .ok_or_else(|| "a time reads like 2026-12-24, 2026-12-24T18:00:00Z, or seconds since 1970".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        metadata(text).unwrap().0
    }

    #[test]
    fn metadata_is_a_list_or_json() {
        let one = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("a=1,b=x=y"), [one("a", "1"), one("b", "x=y")]);
        assert_eq!(pairs("a=\"1,2\",b='3'"), [one("a", "1,2"), one("b", "3")]);
        assert_eq!(pairs("{\"a\": \"1,2\"}"), [one("a", "1,2")]);
        assert_eq!(pairs("a="), [one("a", "")]);
        assert!(metadata("a").is_err() && metadata("{\"a\":1}").is_err() && metadata("a=\"1").is_err());
    }

    #[test]
    fn times_are_read_in_every_usual_form() {
        let noon = UNIX_EPOCH + Duration::from_secs(1_798_113_600);
        for text in [
            "1798113600",
            "2026-12-24T12:00:00Z",
            "2026-12-24T13:00:00+01:00",
            "2026-12-24T12:00:00",
            "2026-12-24 12:00",
            "Thu, 24 Dec 2026 12:00:00 GMT",
        ] {
            assert_eq!(time(text), Ok(noon), "{text}");
        }
        assert_eq!(time("2026-12-24"), Ok(noon - Duration::from_secs(12 * 3600)));
        assert!(time("tomorrow").is_err());
    }

    #[test]
    fn grants_name_permissions_and_grantees() {
        let Grants(permission, grantees) = grants("read=uri=http://a/b,id=1").unwrap();
        assert_eq!(permission, Permission::Read);
        assert_eq!(grantees, [Grantee::Uri("http://a/b".to_owned()), Grantee::Id("1".to_owned())]);
        for text in ["read", "write=id=1", "read=1", "full=name=x"] {
            assert!(grants(text).is_err(), "{text}");
        }
    }
}
