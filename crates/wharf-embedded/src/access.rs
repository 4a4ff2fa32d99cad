//! Who may do what in a bucket: its policy, its ACLs, and what its configuration makes of both.

pub(crate) mod acl;
mod facts;
mod need;
pub(crate) mod policy;
mod settings;

use bytes::Bytes;
use http::StatusCode;

use crate::backend::{Bucket, Found, Object};
use crate::call::Call;
use crate::document::Document;
use crate::error::{Code, Error, Result};
use crate::route::Operation;

use acl::{Acl, Asked};
pub(crate) use need::{Need, Opens};
use policy::{Decision, Policy};
pub(crate) use settings::Ownership;
use settings::PublicAccess;

/// What a bucket's ACL lets others do who may write: all else about keys is for policies to open.
const WRITING: [&str; 3] = ["s3:PutObject", "s3:PutObjectAcl", "s3:DeleteObject"];

/// A bucket, and what its configuration says about access to it.
pub(crate) struct Rules {
    pub(crate) bucket: Bucket,
    policy: Option<Policy>,
    public: PublicAccess,
    ownership: Ownership,
}

/// What is asked of a policy and of ACLs: one key, or the bucket, and what is there.
#[derive(Default, Clone, Copy)]
struct Subject<'a> {
    key: Option<&'a str>,
    version: Option<&'a str>,
    object: Option<&'a Object>,
    /// The ACL of what is there, an object's or an upload's.
    acl: Option<&'a Acl>,
}

impl Rules {
    /// The rules of a bucket, which must be of the owner that the header `expected` names.
    pub(crate) async fn of(call: &Call, bucket: &str, expected: &str) -> Result<Self> {
        let bucket = call.backend().bucket(bucket).await?;
        if call.header(expected).is_some_and(|owner| owner != bucket.owner) {
            return Err(Code::AccessDenied.into());
        }
        let document = |document: Document| bucket.documents.get(document.subresource()).map(Bytes::as_ref);
        let policy = document(Document::Policy).map(|bytes| Policy::parse(bytes, &bucket.name)).transpose()?;
        let public = PublicAccess::of(document(Document::PublicAccessBlock))?;
        let ownership = Ownership::of(document(Document::OwnershipControls))?;
        Ok(Self { policy, public, ownership, bucket })
    }

    /// Whether the bucket's owner owns all that is in it and ACLs mean nothing.
    pub(crate) fn without_acls(&self) -> bool {
        self.ownership == Ownership::BucketOwnerEnforced
    }

    /// The account number of the owner of what has this ACL.
    pub(crate) fn owner<'a>(&'a self, acl: &'a Acl) -> &'a str {
        if self.without_acls() { &self.bucket.owner } else { &acl.owner }
    }

    /// An ACL as it is told.
    pub(crate) fn told(&self, acl: &Acl) -> Acl {
        if self.without_acls() { Acl::private(&self.bucket.owner) } else { acl.clone() }
    }

    /// The ACL of an object that the call writes.
    pub(crate) fn object_acl(&self, call: &Call) -> Result<Acl> {
        let asked = acl::asked(&call.headers)?;
        let to_owner = asked == Asked::Canned("bucket-owner-full-control");
        let owner = match self.ownership {
            Ownership::BucketOwnerEnforced => {
                if !to_owner && !matches!(asked, Asked::Nothing | Asked::Canned("private")) {
                    return Err(Code::AccessControlListNotSupported.into());
                }
                return Ok(Acl::private(&self.bucket.owner));
            }
            Ownership::BucketOwnerPreferred if to_owner => &self.bucket.owner,
            Ownership::BucketOwnerPreferred | Ownership::ObjectWriter => &call.account.number,
        };
        let acl = Acl::of(&call.headers, owner, Some(&self.bucket.owner))?;
        self.check_acl(&acl)?;
        Ok(acl)
    }

    /// Whether the bucket's configuration takes this ACL.
    pub(crate) fn check_acl(&self, acl: &Acl) -> Result<()> {
        if self.public.block_acls && acl.is_public() { Err(Code::AccessDenied.into()) } else { Ok(()) }
    }

    /// Whether the bucket's configuration takes this policy.
    pub(crate) fn check_policy(&self, policy: &Policy) -> Result<()> {
        if self.public.block_policy && policy.is_public() { Err(Code::AccessDenied.into()) } else { Ok(()) }
    }

    /// Finds an object for whoever may read it in the way that `need` says. Who may not list the bucket does not learn
    /// that an object is missing.
    pub(crate) async fn find(&self, call: &Call, key: &str, version: Option<&str>, need: &Need) -> Result<Found> {
        let missing = Subject { key: Some(key), version, ..Subject::default() };
        let found = match call.backend().find(&self.bucket.name, key, version).await {
            Ok(found) => found,
            Err(error) if is_missing(&error) && self.hides(call, need, missing) => {
                return Err(Code::AccessDenied.into());
            }
            Err(error) => return Err(error),
        };
        match &found.version.object {
            Some(object) => {
                let there = Subject { object: Some(object), acl: Some(&object.acl), ..missing };
                self.demand(call, need, there)?;
            }
            None if self.hides(call, need, missing) => return Err(Code::AccessDenied.into()),
            None => {}
        }
        Ok(found)
    }

    /// Judges reading the tags of an object that was found.
    pub(crate) fn admit_tags(&self, call: &Call, key: &str, version: Option<&str>, object: &Object) -> Result<()> {
        let there = Subject { key: Some(key), version, object: Some(object), acl: Some(&object.acl) };
        self.demand(call, &Need::to_read_tags(version.is_some()), there)
    }

    /// Judges writing or deleting `key`.
    pub(crate) async fn admit_key(&self, call: &Call, key: &str, version: Option<&str>, need: &Need) -> Result<()> {
        let subject = Subject { key: Some(key), version, ..Subject::default() };
        // Only the owner needs not look at what is there, and only where no policy might ask for it.
        if call.account.number == self.bucket.owner && self.policy.is_none() {
            return Ok(());
        }
        let found = there(call.backend().find(&self.bucket.name, key, version).await)?;
        let object = found.as_ref().and_then(|found| found.version.object.as_ref());
        self.demand(call, need, Subject { object, acl: object.map(|object| &object.acl), ..subject })
    }

    /// Whether the caller must not learn that an object is missing.
    fn hides(&self, call: &Call, need: &Need, subject: Subject<'_>) -> bool {
        let denied = need.actions.iter().any(|action| self.decide(call, action, need.opens, subject) == Decision::Deny);
        let list = Need::new("s3:ListBucket", Opens::Bucket(acl::Permission::Read));
        denied || self.demand(call, &list, Subject::default()).is_err()
    }

    fn demand(&self, call: &Call, need: &Need, subject: Subject<'_>) -> Result<()> {
        if need.actions.iter().all(|action| self.permits(call, action, need.opens, subject)) {
            return Ok(());
        }
        Err(Code::AccessDenied.into())
    }

    fn permits(&self, call: &Call, action: &str, opens: Opens, subject: Subject<'_>) -> bool {
        let owner = call.account.number == self.bucket.owner;
        let holds = subject.acl.map(|acl| self.owner(acl) == call.account.number);
        match self.decide(call, action, opens, subject) {
            Decision::Deny => return false,
            Decision::Allow => return true,
            Decision::Neither => {}
        }
        let granted = |acl: &Acl, permission| {
            !self.without_acls() && acl.grants(&call.account, permission, self.public.ignore_acls)
        };
        let on_bucket = |permission| granted(&self.bucket.acl, permission);
        match opens {
            Opens::Owner => owner,
            Opens::Bucket(permission) => owner || on_bucket(permission),
            Opens::Object(permission) => {
                holds.unwrap_or(owner) || subject.acl.is_some_and(|acl| granted(acl, permission))
            }
            Opens::Owners | Opens::Upload => owner || holds == Some(true),
            Opens::Key => {
                let writes = WRITING.contains(&action) && on_bucket(acl::Permission::Write);
                owner || (writes && holds != Some(false))
            }
        }
    }

    /// What the policy says, as far as it has a say: it cannot give away what is not the bucket owner's, nor to the
    /// public where that is restricted.
    fn decide(&self, call: &Call, action: &str, opens: Opens, subject: Subject<'_>) -> Decision {
        let Some(policy) = &self.policy else { return Decision::Neither };
        let name = &self.bucket.name;
        let resource = subject.key.map_or_else(|| name.clone(), |key| format!("{name}/{key}"));
        let facts = facts::of(call, &self.bucket, subject.version, subject.object);
        let request = policy::Request { caller: &call.account, action, resource: &resource, facts: &facts };
        let decision = policy::decide(policy, request);
        let of_object = matches!(opens, Opens::Object(_) | Opens::Owners);
        let foreign = of_object && subject.acl.is_some_and(|acl| self.owner(acl) != self.bucket.owner);
        let restricted = self.public.restrict && policy.is_public() && call.account.number != self.bucket.owner;
        match decision {
            Decision::Allow if restricted || foreign => Decision::Neither,
            decision => decision,
        }
    }
}

/// What was found, if it was; that it could not be looked for is an error.
fn there<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &Error) -> bool {
    error.status() == StatusCode::NOT_FOUND
}

/// Judges a request before its operation runs, and gives it the bucket's rules and the object it is about.
pub(crate) async fn admit(call: &mut Call, operation: Operation) -> Result<()> {
    let by_version = call.query.filled("versionId").is_some();
    let Some(need) = Need::of(operation, &call.headers, by_version) else { return admit_to_service(call, operation) };
    if call.account.is_anonymous()
        && let Some(what) = need::of_accounts(operation)
    {
        let message = format!("Anonymous users cannot {what}. Please authenticate.");
        return Err(Error::new(Code::AccessDenied, message));
    }
    let rules = call.rules()?;
    if need::is_of_policy(operation) {
        return admit_to_policy(call, rules, &need);
    }
    match need.opens {
        Opens::Owner | Opens::Bucket(_) => rules.demand(call, &need, Subject::default()),
        Opens::Key => rules.admit_key(call, call.key(), call.version()?, &need).await,
        Opens::Object(_) | Opens::Owners => {
            let found = rules.find(call, call.key(), call.version()?, &need).await?;
            call.found = Some(found);
            Ok(())
        }
        Opens::Upload => {
            let id = call.query.filled("uploadId").unwrap_or_default();
            let upload = there(call.backend().upload(call.bucket(), call.key(), id).await)?;
            let acl = upload.as_ref().map(|upload| &upload.acl);
            rules.demand(call, &need, Subject { key: Some(call.key()), acl, ..Subject::default() })
        }
    }
}

/// Operations that are no bucket's business ask for an account; forms and deletions are judged key by key.
fn admit_to_service(call: &Call, operation: Operation) -> Result<()> {
    let open = matches!(operation, Operation::OptionsObject | Operation::PostObject | Operation::DeleteObjects);
    if open || !call.account.is_anonymous() { Ok(()) } else { Err(Code::AccessDenied.into()) }
}

/// The owner's account always reaches the policy; other accounts never do, whatever the policy says.
fn admit_to_policy(call: &Call, rules: &Rules, need: &Need) -> Result<()> {
    if call.account.number == rules.bucket.owner {
        return Ok(());
    }
    rules.demand(call, need, Subject::default())?;
    Err(Code::MethodNotAllowed.into())
}
