//! Access control lists: read from the headers or the document of a request, kept, told, and asked who may do what.

use http::HeaderMap;
use s3s::dto::AccessControlPolicy;

use crate::account::{Account, canonical_id};
use crate::error::{Code, Error, Result, invalid_argument};
use crate::xml::{self, Writer};

const XSI: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

/// The most grants of a list.
const MOST: usize = 100;

const CANNED: [&str; 8] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
];

const GRANTS: [(&str, Permission); 5] = [
    ("x-amz-grant-full-control", Permission::FullControl),
    ("x-amz-grant-read", Permission::Read),
    ("x-amz-grant-read-acp", Permission::ReadAcp),
    ("x-amz-grant-write", Permission::Write),
    ("x-amz-grant-write-acp", Permission::WriteAcp),
];

/// Whose something is, and who was granted what about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acl {
    /// The owner's account number; "" where an anonymous request wrote it.
    pub(crate) owner: String,
    pub(crate) grants: Vec<Grant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) grantee: Grantee,
    pub(crate) permission: Permission,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grantee {
    Owner,
    /// A canonical user id.
    Id(String),
    Group(Group),
    /// Kept and told; the store knows nobody's address, so that it opens nothing.
    Email(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    AllUsers,
    AuthenticatedUsers,
    LogDelivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    FullControl,
    Read,
    ReadAcp,
    Write,
    WriteAcp,
}

impl Group {
    const ALL: [Self; 3] = [Self::AllUsers, Self::AuthenticatedUsers, Self::LogDelivery];

    pub(crate) fn uri(self) -> &'static str {
        match self {
            Self::AllUsers => "http://acs.amazonaws.com/groups/global/AllUsers",
            Self::AuthenticatedUsers => "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
            Self::LogDelivery => "http://acs.amazonaws.com/groups/s3/LogDelivery",
        }
    }

    pub(crate) fn parse(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.uri() == uri)
    }
}

impl Permission {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullControl => "FULL_CONTROL",
            Self::Read => "READ",
            Self::ReadAcp => "READ_ACP",
            Self::Write => "WRITE",
            Self::WriteAcp => "WRITE_ACP",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        GRANTS.into_iter().map(|(_, permission)| permission).find(|permission| permission.name() == name)
    }
}

impl Acl {
    /// The list that opens nothing to anybody but the owner.
    pub(crate) fn private(owner: &str) -> Self {
        let grant = Grant { grantee: Grantee::Owner, permission: Permission::FullControl };
        Self { owner: owner.to_owned(), grants: vec![grant] }
    }

    /// The list of something new of `owner`'s, as the headers ask for it: his alone without any. An object is in a
    /// bucket of `bucket_owner`'s.
    pub(crate) fn of(headers: &HeaderMap, owner: &str, bucket_owner: Option<&str>) -> Result<Self> {
        let canned = match asked(headers)? {
            Asked::Grants(grants) => return Ok(Self { owner: owner.to_owned(), grants }),
            Asked::Canned(canned) => canned,
            Asked::Nothing => "private",
        };
        let Self { owner: _, mut grants } = Self::private(owner);
        let mut group = |group, permission| grants.push(Grant { grantee: Grantee::Group(group), permission });
        match canned {
            "public-read" => group(Group::AllUsers, Permission::Read),
            "public-read-write" => {
                group(Group::AllUsers, Permission::Read);
                group(Group::AllUsers, Permission::Write);
            }
            "authenticated-read" => group(Group::AuthenticatedUsers, Permission::Read),
            "log-delivery-write" if bucket_owner.is_none() => {
                group(Group::LogDelivery, Permission::Write);
                group(Group::LogDelivery, Permission::ReadAcp);
            }
            _ => {}
        }
        if let Some(bucket_owner) = bucket_owner.filter(|bucket_owner| *bucket_owner != owner) {
            let permission = match canned {
                "bucket-owner-read" => Some(Permission::Read),
                "bucket-owner-full-control" => Some(Permission::FullControl),
                _ => None,
            };
            let grantee = || Grantee::Id(canonical_id(bucket_owner));
            grants.extend(permission.map(|permission| Grant { grantee: grantee(), permission }));
        }
        Ok(Self { owner: owner.to_owned(), grants })
    }

    /// The list of a document, for something of `owner`'s.
    pub(crate) fn of_document(bytes: &[u8], owner: &str) -> Result<Self> {
        let malformed = || Error::from(Code::MalformedAcl);
        let policy: AccessControlPolicy = xml::parse(bytes).map_err(|_| malformed())?;
        let own_id = canonical_id(owner);
        let named = policy.owner.and_then(|owner| owner.id).ok_or_else(malformed)?;
        // A list cannot give its object away.
        if named != own_id {
            return Err(Code::AccessDenied.into());
        }
        let mut grants = Vec::new();
        for grant in policy.grants.unwrap_or_default() {
            let grantee = grant.grantee.ok_or_else(malformed)?;
            let permission = grant.permission.as_ref().and_then(|name| Permission::parse(name.as_str()));
            let grantee = match (grantee.id, grantee.uri, grantee.email_address) {
                (Some(id), None, None) if id == own_id => Grantee::Owner,
                (Some(id), None, None) => Grantee::Id(id),
                (None, Some(uri), None) => Grantee::Group(Group::parse(&uri).ok_or_else(|| unknown_group(&uri))?),
                (None, None, Some(email)) => Grantee::Email(email),
                _ => return Err(malformed()),
            };
            grants.push(Grant { grantee, permission: permission.ok_or_else(malformed)? });
        }
        if grants.len() > MOST {
            return Err(malformed());
        }
        Ok(Self { owner: owner.to_owned(), grants })
    }

    /// Whether `caller` is granted `permission`. Grants to everybody count unless they are to be ignored.
    pub(crate) fn grants(&self, caller: &Account, permission: Permission, ignore_public: bool) -> bool {
        self.grants.iter().any(|grant| {
            let covers = grant.permission == permission || grant.permission == Permission::FullControl;
            covers
                && match &grant.grantee {
                    Grantee::Owner => caller.number == self.owner,
                    // The id of the anonymous would be the public by another name.
                    Grantee::Id(id) => !caller.is_anonymous() && *id == canonical_id(&caller.number),
                    Grantee::Group(Group::AllUsers) => !ignore_public,
                    Grantee::Group(Group::AuthenticatedUsers) => !ignore_public && !caller.is_anonymous(),
                    Grantee::Group(Group::LogDelivery) | Grantee::Email(_) => false,
                }
        })
    }

    /// Whether it opens anything to everybody.
    pub(crate) fn is_public(&self) -> bool {
        let public = [Grantee::Group(Group::AllUsers), Grantee::Group(Group::AuthenticatedUsers)];
        self.grants.iter().any(|grant| public.contains(&grant.grantee))
    }

    /// The list as a document; `accounts` have the names of those in it.
    pub(crate) fn document(&self, accounts: &[Account]) -> Writer {
        let owner = |xml: &mut Writer| user(xml, &canonical_id(&self.owner), accounts);
        let mut xml = Writer::new("AccessControlPolicy");
        xml.element("Owner", owner);
        xml.element("AccessControlList", |xml| {
            for grant in &self.grants {
                xml.element("Grant", |xml| {
                    let kind = match grant.grantee {
                        Grantee::Owner | Grantee::Id(_) => "CanonicalUser",
                        Grantee::Group(_) => "Group",
                        Grantee::Email(_) => "AmazonCustomerByEmail",
                    };
                    xml.element_with("Grantee", &format!("{XSI} xsi:type=\"{kind}\""), |xml| match &grant.grantee {
                        Grantee::Owner => owner(xml),
                        Grantee::Id(id) => user(xml, id, accounts),
                        Grantee::Group(group) => xml.text("URI", group.uri()),
                        Grantee::Email(email) => xml.text("EmailAddress", email),
                    });
                    xml.text("Permission", grant.permission.name());
                });
            }
        });
        xml
    }
}

/// A grant in words that can be stored: kind of grantee, grantee, permission.
type StoredGrant = (String, String, String);

/// A list in words that can be stored: the owner's account, where the list knows it, and the grants.
pub(crate) type StoredAcl = (String, Vec<StoredGrant>);

impl Acl {
    pub(crate) fn to_stored(&self) -> StoredAcl {
        let words = |grant: &Grant| {
            let (kind, grantee) = match &grant.grantee {
                Grantee::Owner => ("owner", ""),
                Grantee::Id(id) => ("id", id.as_str()),
                Grantee::Group(uri) => ("uri", uri.uri()),
                Grantee::Email(email) => ("emailAddress", email.as_str()),
            };
            (kind.to_owned(), grantee.to_owned(), grant.permission.name().to_owned())
        };
        (self.owner.clone(), self.grants.iter().map(words).collect())
    }

    /// Reads what [`to_stored`](Self::to_stored) wrote; none if it is anything else.
    pub(crate) fn of_stored((owner, grants): StoredAcl) -> Option<Self> {
        let read = |(kind, value, permission): StoredGrant| {
            let grantee = match kind.as_str() {
                "owner" => Grantee::Owner,
                "id" => Grantee::Id(value),
                "uri" => Grantee::Group(Group::parse(&value)?),
                "emailAddress" => Grantee::Email(value),
                _ => return None,
            };
            let permission = Permission::parse(&permission)?;
            Some(Grant { grantee, permission })
        };
        grants.into_iter().map(read).collect::<Option<_>>().map(|grants| Self { owner, grants })
    }
}

/// A user's canonical id, and his name where the store knows him.
pub(crate) fn user(xml: &mut Writer, id: &str, accounts: &[Account]) {
    xml.text("ID", id);
    let known = accounts.iter().find(|account| canonical_id(&account.number) == id);
    xml.optional("DisplayName", known.map(|account| account.name.as_str()));
}

/// What the headers of a request ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    Nothing,
    Canned(&'a str),
    Grants(Vec<Grant>),
}

/// Reads `x-amz-acl` and the `x-amz-grant-*` headers.
pub(crate) fn asked(headers: &HeaderMap) -> Result<Asked<'_>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let mut grants = Vec::new();
    for (name, permission) in GRANTS {
        for piece in text(name).unwrap_or_default().split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
            grants.push(Grant { grantee: grantee(piece, name)?, permission });
        }
    }
    let canned = text("x-amz-acl");
    if let Some(canned) = canned.filter(|canned| !CANNED.contains(canned)) {
        return Err(invalid_argument("The canned ACL is not known", "x-amz-acl", canned));
    }
    match (canned, grants.is_empty()) {
        (Some(_), false) => {
            Err(Error::new(Code::InvalidRequest, "Specifying both Canned ACLs and Header Grants is not allowed"))
        }
        (None, false) => Ok(Asked::Grants(grants)),
        (Some(canned), true) => Ok(Asked::Canned(canned)),
        (None, true) => Ok(Asked::Nothing),
    }
}

/// Reads `id="..."`, `uri="..."` or `emailAddress="..."`.
fn grantee(text: &str, header: &str) -> Result<Grantee> {
    let (kind, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim().trim_matches('"');
    match kind.trim() {
        "id" if !value.is_empty() => Ok(Grantee::Id(value.to_owned())),
        "uri" if !value.is_empty() => Group::parse(value).map(Grantee::Group).ok_or_else(|| unknown_group(value)),
        "emailAddress" if !value.is_empty() => Ok(Grantee::Email(value.to_owned())),
        _ => Err(invalid_argument("Argument format not recognized", header, text)),
    }
}

fn unknown_group(uri: &str) -> Error {
    invalid_argument("Invalid group uri", "uri", uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> Result<Acl> {
        let headers = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect();
        Acl::of(&headers, "1", Some("2"))
    }

    fn caller(number: &str) -> Account {
        Account { number: number.to_owned(), ..Account::anonymous() }
    }

    #[test]
    fn canned_or_granted() {
        let document = |pairs: &[(&'static str, &str)]| of(pairs).unwrap().document(&[]).finish();
        assert_eq!(document(&[]).matches("<Grant>").count(), 1);
        assert!(document(&[("x-amz-acl", "public-read")]).contains(Group::AllUsers.uri()));
        let uri = format!("id=\"a\", uri=\"{}\"", Group::LogDelivery.uri());
        let granted = document(&[("x-amz-grant-read", &uri), ("x-amz-grant-write-acp", "emailAddress=e")]);
        assert_eq!(granted.matches("<Grant>").count(), 3);
        assert!(granted.contains("<ID>a</ID>") && granted.contains("xsi:type=\"Group\"><URI>http://acs"));
        for bad in [
            &[("x-amz-acl", "open")][..],
            &[("x-amz-acl", "private"), ("x-amz-grant-read", "id=a")],
            &[("x-amz-grant-read", "somebody")],
            &[("x-amz-grant-read", "uri=\"http://acs.amazonaws.com/groups/global/Friends\"")],
        ] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn who_may() {
        let canned = |name| of(&[("x-amz-acl", name)]).unwrap();
        let (owner, bucket_owner, other, nobody) = (caller("1"), caller("2"), caller("3"), Account::anonymous());
        for (name, reader, writer, expected) in [
            ("private", &other, &owner, (false, true)),
            ("public-read", &nobody, &nobody, (true, false)),
            ("public-read-write", &nobody, &nobody, (true, true)),
            ("authenticated-read", &nobody, &other, (false, false)),
            ("authenticated-read", &other, &owner, (true, true)),
            ("bucket-owner-read", &bucket_owner, &bucket_owner, (true, false)),
            ("bucket-owner-full-control", &bucket_owner, &bucket_owner, (true, true)),
        ] {
            let acl = canned(name);
            let may = (acl.grants(reader, Permission::Read, false), acl.grants(writer, Permission::Write, false));
            assert_eq!(may, expected, "{name}");
        }
        let public = canned("public-read");
        assert!(public.is_public() && !public.grants(&nobody, Permission::Read, true));
        assert!(!canned("bucket-owner-read").is_public());
        let named = of(&[("x-amz-grant-read", &format!("id={}", canonical_id("")))]).unwrap();
        assert!(!named.grants(&nobody, Permission::Read, false));
    }

    #[test]
    fn documents_are_read_back() {
        let acl = of(&[("x-amz-acl", "public-read-write")]).unwrap();
        let text = acl.document(&[]).finish();
        assert_eq!(Acl::of_document(text.as_bytes(), "1").unwrap(), acl);
        assert_eq!(Acl::of_document(text.as_bytes(), "2").unwrap_err().code(), Code::AccessDenied);
        let odd = text.replace("WRITE", "TAKE");
        assert_eq!(Acl::of_document(odd.as_bytes(), "1").unwrap_err().code(), Code::MalformedAcl);
    }
}
