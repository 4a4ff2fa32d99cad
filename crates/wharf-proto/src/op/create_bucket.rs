//! CreateBucket.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::str::FromStr;

use bytes::Bytes;
use http::Method;

use super::elements::check_text;
use crate::headers::Headers;
use crate::operation::{Operation, Request, SendFuture, Sender};
use crate::xml::write_document;
use crate::{Body, CannedAcl, Error, Grantee, Tag};

/// Makes a bucket: one CreateBucket request.
///
/// # Errors
/// [`BucketAlreadyExists`](crate::ErrorKind::BucketAlreadyExists) where somebody else has the name,
/// [`BucketAlreadyOwnedByYou`](crate::ErrorKind::BucketAlreadyOwnedByYou) (us-east-1 answers with success instead and
/// resets the ACL), [`InvalidInput`](crate::ErrorKind::InvalidInput) for a name that no bucket can have.
#[must_use = "a call does nothing until it is awaited"]
#[derive(Debug, Clone)]
pub struct CreateBucket<S = ()> {
    sender: S,
    bucket: String,
    region: Option<String>,
    directory: Option<(LocationType, String)>,
    tags: Vec<Tag>,
    acl: Option<CannedAcl>,
    grants: BTreeMap<&'static str, Vec<String>>,
    object_lock: bool,
    object_ownership: Option<ObjectOwnership>,
    namespace: Option<BucketNamespace>,
}

impl<S> CreateBucket<S> {
    /// Makes `bucket`, sent by `sender`, in us-east-1 unless [`region`](CreateBucket::region) says otherwise.
    pub fn new(sender: S, bucket: impl Into<String>) -> Self {
        Self {
            sender,
            bucket: bucket.into(),
            region: None,
            directory: None,
            tags: Vec::new(),
            acl: None,
            grants: BTreeMap::new(),
            object_lock: false,
            object_ownership: None,
            namespace: None,
        }
    }

    /// The region that the bucket is to be in: the location constraint, which S3 wants left out for us-east-1, and so
    /// it is. AWS takes only the region that the request is sent to.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Makes a directory bucket in this one zone, such as `usw2-az1`. It has no location constraint.
    pub fn directory(mut self, location_type: LocationType, location_name: impl Into<String>) -> Self {
        self.directory = Some((location_type, location_name.into()));
        self
    }

    /// Adds a tag to the bucket.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag { key: key.into(), value: value.into() });
        self
    }

    /// A canned ACL. S3 takes one only together with an object ownership that has ACLs.
    pub fn acl(mut self, acl: CannedAcl) -> Self {
        self.acl = Some(acl);
        self
    }

    /// Grants all of the rights below. Call it again to add a grantee; not together with a canned ACL.
    pub fn grant_full_control(self, grantee: Grantee) -> Self {
        self.grant("x-amz-grant-full-control", grantee)
    }

    /// Grants the right to list the bucket's objects.
    pub fn grant_read(self, grantee: Grantee) -> Self {
        self.grant("x-amz-grant-read", grantee)
    }

    /// Grants the right to read the bucket's ACL.
    pub fn grant_read_acp(self, grantee: Grantee) -> Self {
        self.grant("x-amz-grant-read-acp", grantee)
    }

    /// Grants the right to write objects.
    pub fn grant_write(self, grantee: Grantee) -> Self {
        self.grant("x-amz-grant-write", grantee)
    }

    /// Grants the right to write the bucket's ACL.
    pub fn grant_write_acp(self, grantee: Grantee) -> Self {
        self.grant("x-amz-grant-write-acp", grantee)
    }

    /// Lets the bucket's objects be locked, which turns versioning on. It cannot be undone.
    pub fn object_lock(mut self) -> Self {
        self.object_lock = true;
        self
    }

    /// Who owns the objects that others upload: the bucket's owner by default, without ACLs.
    pub fn object_ownership(mut self, ownership: ObjectOwnership) -> Self {
        self.object_ownership = Some(ownership);
        self
    }

    /// The namespace that the name is unique in: all of AWS by default.
    pub fn namespace(mut self, namespace: BucketNamespace) -> Self {
        self.namespace = Some(namespace);
        self
    }

    fn grant(mut self, header: &'static str, grantee: Grantee) -> Self {
        self.grants.entry(header).or_default().push(grantee.to_string());
        self
    }

    /// The request's document; nothing where the bucket is to be as S3 makes it of itself.
    fn configuration(&self) -> Result<Body, Error> {
        let elsewhere = |region: &&str| !region.is_empty() && *region != "us-east-1";
        let region = self.region.as_deref().filter(elsewhere).filter(|_| self.directory.is_none());
        if region.is_none() && self.directory.is_none() && self.tags.is_empty() {
            return Ok(Body::empty());
        }
        check_text("the region", region.unwrap_or_default())?;
        for tag in &self.tags {
            check_text("the tag", &tag.key)?;
            check_text("the tag", &tag.value)?;
        }
        if let Some((_, name)) = &self.directory {
            check_text("the location", name)?;
        }
        Ok(Body::bytes(write_document("CreateBucketConfiguration", |root| {
            root.text_opt("LocationConstraint", region);
            if let Some((location_type, name)) = &self.directory {
                root.child("Location", |location| {
                    location.text("Type", location_type.as_str());
                    location.text("Name", name);
                });
                root.child("Bucket", |bucket| {
                    bucket.text("DataRedundancy", location_type.data_redundancy());
                    bucket.text("Type", "Directory");
                });
            }
            if !self.tags.is_empty() {
                root.child("Tags", |tags| {
                    for tag in &self.tags {
                        tags.child("Tag", |element| {
                            element.text("Key", &tag.key);
                            element.text("Value", &tag.value);
                        });
                    }
                });
            }
        })))
    }
}

/// Who owns the objects that other accounts upload to a bucket (`x-amz-object-ownership`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectOwnership {
    /// The bucket's owner; there are no ACLs. The default.
    BucketOwnerEnforced,
    /// The bucket's owner, where the uploader says `bucket-owner-full-control`.
    BucketOwnerPreferred,
    /// Whoever uploads.
    ObjectWriter,
}

impl ObjectOwnership {
    /// S3's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::ObjectWriter => "ObjectWriter",
        }
    }
}

/// Where a bucket's name must be unique (`x-amz-bucket-namespace`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BucketNamespace {
    /// In all of AWS. The default.
    Global,
    /// In the account and region, which the name must end in: `PREFIX-111122223333-us-west-2-an`.
    AccountRegional,
}

impl BucketNamespace {
    /// S3's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::AccountRegional => "account-regional",
        }
    }
}

/// What kind of place a directory bucket is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LocationType {
    /// An Availability Zone.
    AvailabilityZone,
    /// A Local Zone.
    LocalZone,
}

impl LocationType {
    /// S3's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AvailabilityZone => "AvailabilityZone",
            Self::LocalZone => "LocalZone",
        }
    }

    fn data_redundancy(self) -> &'static str {
        match self {
            Self::AvailabilityZone => "SingleAvailabilityZone",
            Self::LocalZone => "SingleLocalZone",
        }
    }
}

impl FromStr for LocationType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        [Self::AvailabilityZone, Self::LocalZone]
            .into_iter()
            .find(|location_type| location_type.as_str() == name)
            .ok_or_else(|| Error::invalid_input(format!("{name:?} is not a location type")))
    }
}

/// The bucket that was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CreateBucketOutput {
    /// Where it is, as sent: a path such as `/my-bucket`, or a URL. Some servers send none.
    pub location: Option<String>,
    /// Its ARN, where the server has one.
    pub bucket_arn: Option<String>,
}

impl<S: Send + 'static> Operation for CreateBucket<S> {
    const NAME: &'static str = "CreateBucket";
    type Output = CreateBucketOutput;

    fn place(&self) -> (Option<&str>, Option<&str>) {
        (Some(&self.bucket), None)
    }

    fn request(&mut self) -> Result<Request, Error> {
        let mut request = Request::bucket(Method::PUT, &self.bucket)?;
        request.header_opt("x-amz-acl", self.acl.map(CannedAcl::as_str))?;
        for (header, grantees) in &self.grants {
            request.header(header, &grantees.join(", "))?;
        }
        request.header_opt("x-amz-bucket-object-lock-enabled", self.object_lock.then_some("true"))?;
        request.header_opt("x-amz-object-ownership", self.object_ownership.map(ObjectOwnership::as_str))?;
        request.header_opt("x-amz-bucket-namespace", self.namespace.map(BucketNamespace::as_str))?;
        request.body = self.configuration()?;
        Ok(request)
    }

    fn response(&self, response: http::Response<Bytes>) -> Result<CreateBucketOutput, Error> {
        Ok(CreateBucketOutput {
            location: Headers::of(response.headers()).text("location"),
            bucket_arn: Headers::of(response.headers()).text("x-amz-bucket-arn"),
        })
    }
}

impl<S: Sender> IntoFuture for CreateBucket<S> {
    type Output = Result<CreateBucketOutput, Error>;
    type IntoFuture = SendFuture<CreateBucketOutput>;

    fn into_future(self) -> Self::IntoFuture {
        self.sender.clone().send(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::testing;

    #[test]
    fn every_parameter_reaches_the_request() {
        let mut call = CreateBucket::new((), "bucket")
            .region("eu-west-1")
            .tag("team", "a & b")
            .acl(CannedAcl::LogDeliveryWrite)
            .grant_full_control(Grantee::Id("1".to_owned()))
            .grant_read(Grantee::Id("2".to_owned()))
            .grant_read(Grantee::Uri("http://group".to_owned()))
            .grant_read_acp(Grantee::Id("3".to_owned()))
            .grant_write(Grantee::Id("4".to_owned()))
            .grant_write_acp(Grantee::Id("5".to_owned()))
            .object_lock()
            .object_ownership(ObjectOwnership::ObjectWriter)
            .namespace(BucketNamespace::AccountRegional);
        let request = call.request().unwrap();
        assert_eq!((&request.method, request.bucket.as_deref()), (&Method::PUT, Some("bucket")));
        for (name, value) in [
            ("x-amz-acl", "log-delivery-write"),
            ("x-amz-grant-full-control", "id=\"1\""),
            ("x-amz-grant-read", "id=\"2\", uri=\"http://group\""),
            ("x-amz-grant-read-acp", "id=\"3\""),
            ("x-amz-grant-write", "id=\"4\""),
            ("x-amz-grant-write-acp", "id=\"5\""),
            ("x-amz-bucket-object-lock-enabled", "true"),
            ("x-amz-object-ownership", "ObjectWriter"),
            ("x-amz-bucket-namespace", "account-regional"),
        ] {
            assert_eq!(request.headers[name], value, "{name}");
        }
        assert_eq!(
            testing::document(request),
            "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>\
             <Tags><Tag><Key>team</Key><Value>a &amp; b</Value></Tag></Tags></CreateBucketConfiguration>"
        );
    }

    #[test]
    fn the_first_region_is_never_named() {
        let document = |call: CreateBucket| testing::document(call.clone().request().unwrap());
        assert_eq!(document(CreateBucket::new((), "bucket")), "");
        assert_eq!(document(CreateBucket::new((), "bucket").region("us-east-1")), "");
        let tagged = document(CreateBucket::new((), "bucket").region("us-east-1").tag("a", "b"));
        assert!(!tagged.contains("LocationConstraint") && tagged.contains("<Key>a</Key>"), "{tagged}");
    }

    #[test]
    fn a_directory_bucket_has_a_zone_and_no_location_constraint() {
        let call = CreateBucket::new((), "b--usw2-az1--x-s3").region("us-west-2");
        let request = call.directory(LocationType::AvailabilityZone, "usw2-az1").request().unwrap();
        assert_eq!(
            testing::document(request),
            "<CreateBucketConfiguration>\
             <Location><Type>AvailabilityZone</Type><Name>usw2-az1</Name></Location>\
             <Bucket><DataRedundancy>SingleAvailabilityZone</DataRedundancy><Type>Directory</Type></Bucket>\
             </CreateBucketConfiguration>"
        );
    }

    #[test]
    fn every_choice_has_s3_s_name() {
        let header = |call: CreateBucket, name: &str| call.clone().request().unwrap().headers[name].clone();
        for (ownership, name) in [
            (ObjectOwnership::BucketOwnerEnforced, "BucketOwnerEnforced"),
            (ObjectOwnership::BucketOwnerPreferred, "BucketOwnerPreferred"),
        ] {
            let call = CreateBucket::new((), "bucket").object_ownership(ownership);
            assert_eq!(header(call, "x-amz-object-ownership"), name);
        }
        let call = CreateBucket::new((), "bucket").namespace(BucketNamespace::Global);
        assert_eq!(header(call, "x-amz-bucket-namespace"), "global");
        let request = CreateBucket::new((), "bucket").directory(LocationType::LocalZone, "z").request().unwrap();
        let document = testing::document(request);
        assert!(document.contains("<Type>LocalZone</Type>"), "{document}");
        assert!(document.contains("<DataRedundancy>SingleLocalZone</DataRedundancy>"), "{document}");
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        let error = CreateBucket::new((), "My/Bucket").request().unwrap_err();
        assert!(error.to_string().contains("it contains '/'"), "{error}");
        let error = CreateBucket::new((), "bucket").tag("a", "\u{1}").request().unwrap_err();
        assert_eq!(error.to_string(), "the tag \"\\u{1}\": XML cannot hold its control characters");
    }

    #[test]
    fn the_answer_is_read() {
        let answer = testing::headers(&[("location", "/bucket"), ("x-amz-bucket-arn", "arn:aws:s3:::bucket")]);
        let output = CreateBucket::new((), "bucket").response(answer).unwrap();
        assert_eq!(output.location.as_deref(), Some("/bucket"));
        assert_eq!(output.bucket_arn.as_deref(), Some("arn:aws:s3:::bucket"));
    }
}
