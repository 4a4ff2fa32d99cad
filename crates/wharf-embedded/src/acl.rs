//! Access control lists: read from the headers of a write, kept, and told to the owner. They open nothing to anybody.

use http::HeaderMap;

use crate::account::canonical_id;
use crate::error::{Code, Error, Result, invalid_argument};
use crate::xml::Writer;

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const XSI: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";

const CANNED: [&str; 7] = [
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

const GRANTS: [(&str, &str); 5] = [
    ("x-amz-grant-full-control", "FULL_CONTROL"),
    ("x-amz-grant-read", "READ"),
    ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write", "WRITE"),
    ("x-amz-grant-write-acp", "WRITE_ACP"),
];

/// Who was granted what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acl(Vec<Grant>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Grant {
    grantee: Grantee,
    permission: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Grantee {
    Owner,
    Id(String),
    Group(String),
    Email(String),
}

impl Acl {
    /// The list that `x-amz-acl` or the `x-amz-grant-*` headers ask for; the owner's alone without any.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self> {
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
            (None, false) => Ok(Self(grants)),
            (canned, true) => Ok(Self::canned(canned.unwrap_or("private"))),
        }
    }

    fn canned(name: &str) -> Self {
        let group = |uri: &str, permission| Grant { grantee: Grantee::Group(uri.to_owned()), permission };
        let mut grants = vec![Grant { grantee: Grantee::Owner, permission: "FULL_CONTROL" }];
        match name {
            "public-read" => grants.push(group(ALL_USERS, "READ")),
            "public-read-write" => grants.extend([group(ALL_USERS, "READ"), group(ALL_USERS, "WRITE")]),
            "authenticated-read" => grants.push(group(AUTHENTICATED_USERS, "READ")),
            // The bucket's owner is the object's owner here, as all writers of a bucket are of one account.
            _ => {}
        }
        Self(grants)
    }

    /// The list as a document, for the owner of that account number and name.
    pub(crate) fn document(&self, number: &str, name: &str) -> Writer {
        let owner = |xml: &mut Writer| {
            xml.text("ID", &canonical_id(number));
            xml.text("DisplayName", name);
        };
        let mut xml = Writer::new("AccessControlPolicy");
        xml.element("Owner", owner);
        xml.element("AccessControlList", |xml| {
            for grant in &self.0 {
                xml.element("Grant", |xml| {
                    let kind = match grant.grantee {
                        Grantee::Owner | Grantee::Id(_) => "CanonicalUser",
                        Grantee::Group(_) => "Group",
                        Grantee::Email(_) => "AmazonCustomerByEmail",
                    };
                    xml.element_with("Grantee", &format!("{XSI} xsi:type=\"{kind}\""), |xml| match &grant.grantee {
                        Grantee::Owner => owner(xml),
                        Grantee::Id(id) => xml.text("ID", id),
                        Grantee::Group(uri) => xml.text("URI", uri),
                        Grantee::Email(email) => xml.text("EmailAddress", email),
                    });
                    xml.text("Permission", grant.permission);
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
                Grantee::Group(uri) => ("uri", uri.as_str()),
                Grantee::Email(email) => ("emailAddress", email.as_str()),
            };
            (kind.to_owned(), grantee.to_owned(), grant.permission.to_owned())
        };
        (String::new(), self.0.iter().map(words).collect())
    }

    /// Reads what [`to_stored`](Self::to_stored) wrote; none if it is anything else.
    pub(crate) fn of_stored((_, grants): StoredAcl) -> Option<Self> {
        let read = |(kind, value, permission): StoredGrant| {
            let grantee = match kind.as_str() {
                "owner" => Grantee::Owner,
                "id" => Grantee::Id(value),
                "uri" => Grantee::Group(value),
                "emailAddress" => Grantee::Email(value),
                _ => return None,
            };
            let (_, permission) = GRANTS.into_iter().find(|(_, name)| *name == permission)?;
            Some(Grant { grantee, permission })
        };
        grants.into_iter().map(read).collect::<Option<_>>().map(Self)
    }
}

/// Reads `id="..."`, `uri="..."` or `emailAddress="..."`.
fn grantee(text: &str, header: &str) -> Result<Grantee> {
    let (kind, value) = text.split_once('=').unwrap_or((text, ""));
    let value = value.trim().trim_matches('"').to_owned();
    match kind.trim() {
        "id" if !value.is_empty() => Ok(Grantee::Id(value)),
        "uri" if !value.is_empty() => Ok(Grantee::Group(value)),
        "emailAddress" if !value.is_empty() => Ok(Grantee::Email(value)),
        _ => Err(invalid_argument("Argument format not recognized", header, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> Result<String> {
        let headers = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), value.parse().unwrap())).collect();
        Acl::of(&headers).map(|acl| acl.document("1", "me").finish())
    }

    #[test]
    fn canned_or_granted() {
        let private = of(&[]).unwrap();
        assert_eq!(private.matches("<Grant>").count(), 1);
        assert!(of(&[("x-amz-acl", "public-read")]).unwrap().contains(ALL_USERS));
        let granted =
            of(&[("x-amz-grant-read", "id=\"a\", uri=\"u\""), ("x-amz-grant-write-acp", "emailAddress=e")]).unwrap();
        assert_eq!(granted.matches("<Grant>").count(), 3);
        assert!(granted.contains("<ID>a</ID>") && granted.contains("xsi:type=\"Group\"><URI>u</URI>"));
        for bad in [
            &[("x-amz-acl", "open")][..],
            &[("x-amz-acl", "private"), ("x-amz-grant-read", "id=a")],
            &[("x-amz-grant-read", "somebody")],
        ] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }
}
