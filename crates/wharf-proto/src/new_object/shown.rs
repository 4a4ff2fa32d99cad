//! Whether HeadObject shows an object to be as it was to be written.

use std::time::SystemTime;

use super::NewObject;
use crate::object::without_framing;
use crate::storage::StorageClass;
use crate::{Encryption, EncryptionInfo, ObjectHead, time};

impl NewObject {
    /// Whether all that is said of the object is seen to hold of what stands there, and nothing holds that is not said. What
    /// is not seen does not hold: of tags HeadObject tells only the number, and of access nothing. What a bucket adds by its
    /// defaults (a key of KMS, a retention) is not told from what an older object has.
    pub(crate) fn is_shown_by(&self, head: &ObjectHead) -> bool {
        // Each by its name, so that a new field is not forgotten here.
        let Self {
            acl,
            grant_full_control,
            grant_read,
            grant_read_acp,
            grant_write_acp,
            cache_control,
            content_disposition,
            content_encoding,
            content_language,
            content_type,
            expires,
            stored_expires,
            metadata,
            storage_class,
            tags,
            encryption,
            object_lock,
            legal_hold,
            event_hold,
            event_hold_duration,
            website_redirect_location,
        } = self;
        let grants = [grant_full_control, grant_read, grant_read_acp, grant_write_acp];
        let is_seen = acl.is_none() && grants.iter().all(|grantees| grantees.is_empty()) && tags.is_empty();
        let expires = match expires {
            Some(date) => time::format_http_date(*date).ok(),
            None => stored_expires.clone(),
        };
        let (lock_mode, lock_until) = object_lock.unzip();
        is_seen
            && head.tag_count.unwrap_or_default() == 0
            && *cache_control == head.cache_control
            && *content_disposition == head.content_disposition
            && content_encoding.as_deref().and_then(without_framing) == head.content_encoding
            && *content_language == head.content_language
            && is_type(content_type.as_deref(), head.content_type.as_deref())
            && expires == head.expires
            && *metadata == head.metadata
            && head.missing_metadata == 0
            && is_class(storage_class.as_ref(), &head.storage_class)
            && is_encrypted(encryption.as_ref(), head.encryption.as_ref())
            && lock_mode == head.object_lock_mode
            && lock_until.and_then(millis) == head.object_lock_retain_until.and_then(millis)
            && is_held(*legal_hold, head.legal_hold)
            && is_held(*event_hold, head.event_hold)
            && *event_hold_duration == head.event_hold_duration
            && *website_redirect_location == head.website_redirect_location
    }
}

/// S3 calls an object of no type `binary/octet-stream`, other servers `application/octet-stream`.
fn is_type(said: Option<&str>, shown: Option<&str>) -> bool {
    match said {
        Some(_) => said == shown,
        None => matches!(shown, None | Some("binary/octet-stream" | "application/octet-stream")),
    }
}

fn is_class(said: Option<&StorageClass>, shown: &StorageClass) -> bool {
    match said {
        Some(class) => class == shown,
        // A directory bucket has no other class than the latter.
        None => matches!(shown, StorageClass::Standard | StorageClass::ExpressOnezone),
    }
}

fn is_encrypted(said: Option<&Encryption>, shown: Option<&EncryptionInfo>) -> bool {
    let is_s3s = |shown: &EncryptionInfo| shown.algorithm == "AES256" && shown.customer_key_md5.is_none();
    match (said, shown) {
        (None, None) => true,
        // S3 encrypts what nobody asked it to.
        (None | Some(Encryption::S3), Some(shown)) => is_s3s(shown),
        (Some(Encryption::Kms(key)), Some(shown)) => shown.algorithm == "aws:kms" && key.is_shown_by(shown),
        (Some(Encryption::KmsDualLayer(key)), Some(shown)) => {
            shown.algorithm == "aws:kms:dsse" && key.is_shown_by(shown)
        }
        (Some(Encryption::Fsx), Some(shown)) => shown.algorithm == "aws:fsx",
        (Some(Encryption::Backup), Some(shown)) => shown.algorithm == "aws:backup",
        (Some(Encryption::Customer(key)), Some(shown)) => shown.customer_key_md5 == Some(key.md5_base64()),
        (Some(_), None) => false,
    }
}

/// What was never held need not say so. That a hold was asked to be off is known only where it is shown.
fn is_held(said: Option<bool>, shown: Option<bool>) -> bool {
    if said.is_none() { shown != Some(true) } else { said == shown }
}

/// To the millisecond, as a lock's date is sent.
fn millis(time: SystemTime) -> Option<String> {
    time::format_iso8601(time).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::new_object::EventHoldDuration;
    use crate::new_object::tests::time;
    use crate::storage::{CannedAcl, Grantee, ObjectLockMode};
    use crate::{CustomerKey, KmsKey};

    fn text() -> Option<String> {
        Some("x".to_owned())
    }

    fn encrypted(algorithm: &str, key: Option<&str>) -> Option<EncryptionInfo> {
        let kms_key_id = key.map(str::to_owned);
        Some(EncryptionInfo { algorithm: algorithm.to_owned(), kms_key_id, ..EncryptionInfo::default() })
    }

    /// What the call sets, and what a head shows of it.
    type Case = (&'static str, fn(&mut NewObject), fn(&mut ObjectHead));

    /// Each holds only where both have it.
    const SHOWN: [Case; 16] = [
        ("cache-control", |new| new.cache_control = text(), |head| head.cache_control = text()),
        ("content-disposition", |new| new.content_disposition = text(), |head| head.content_disposition = text()),
        ("content-encoding", |new| new.content_encoding = text(), |head| head.content_encoding = text()),
        ("content-language", |new| new.content_language = text(), |head| head.content_language = text()),
        ("content-type", |new| new.content_type = text(), |head| head.content_type = text()),
        (
            "expires",
            |new| new.expires = Some(time()),
            |head| head.expires = Some("Wed, 21 Oct 2026 07:28:00 GMT".to_owned()),
        ),
        ("an older expires", |new| new.stored_expires = text(), |head| head.expires = text()),
        (
            "metadata",
            |new| new.add_metadata("Team", "blue"),
            |head| head.metadata = [("team".to_owned(), "blue".to_owned())].into(),
        ),
        (
            "storage class",
            |new| new.storage_class = Some(StorageClass::Glacier),
            |head| head.storage_class = StorageClass::Glacier,
        ),
        (
            "a key of KMS",
            |new| new.encryption = Some(Encryption::Kms(KmsKey::id("7"))),
            |head| head.encryption = encrypted("aws:kms", Some("arn:aws:kms:eu-west-1:111122223333:key/7")),
        ),
        (
            "two layers",
            |new| new.encryption = Some(Encryption::KmsDualLayer(KmsKey::id("arn:key/7"))),
            |head| head.encryption = encrypted("aws:kms:dsse", Some("arn:key/7")),
        ),
        (
            "a customer's key",
            |new| new.encryption = Some(Encryption::Customer(CustomerKey::new([7; 32]))),
            |head| {
                let customer_key_md5 = Some(CustomerKey::new([7; 32]).md5_base64());
                let algorithm = "AES256".to_owned();
                head.encryption = Some(EncryptionInfo { algorithm, customer_key_md5, ..EncryptionInfo::default() });
            },
        ),
        (
            "lock",
            |new| new.object_lock = Some((ObjectLockMode::Governance, time() + Duration::from_nanos(1))),
            |head| {
                head.object_lock_mode = Some(ObjectLockMode::Governance);
                head.object_lock_retain_until = Some(time());
            },
        ),
        ("legal hold", |new| new.legal_hold = Some(true), |head| head.legal_hold = Some(true)),
        (
            "event hold",
            |new| {
                new.event_hold = Some(true);
                new.event_hold_duration = Some(EventHoldDuration::Days(3));
            },
            |head| {
                head.event_hold = Some(true);
                head.event_hold_duration = Some(EventHoldDuration::Days(3));
            },
        ),
        (
            "website redirect",
            |new| new.website_redirect_location = text(),
            |head| head.website_redirect_location = text(),
        ),
    ];

    fn new(set: fn(&mut NewObject)) -> NewObject {
        let mut object = NewObject::default();
        set(&mut object);
        object
    }

    fn head(show: fn(&mut ObjectHead)) -> ObjectHead {
        let mut head = ObjectHead::default();
        show(&mut head);
        head
    }

    #[test]
    fn what_is_said_must_be_shown_and_nothing_else() {
        for (at, (name, set, _)) in SHOWN.iter().enumerate() {
            for (other_at, (other, _, show)) in SHOWN.iter().enumerate() {
                assert_eq!(new(*set).is_shown_by(&head(*show)), at == other_at, "{name} is said, {other} is shown");
            }
            assert!(!new(*set).is_shown_by(&ObjectHead::default()), "{name} is said");
            assert!(!NewObject::default().is_shown_by(&head(SHOWN[at].2)), "{name} is shown");
        }
    }

    #[test]
    fn what_is_never_shown_is_not_known() {
        let grantee = || vec![Grantee::Id("1".to_owned())];
        let kms = |key| NewObject { encryption: Some(Encryption::Kms(key)), ..NewObject::default() };
        let hidden = [
            NewObject { acl: Some(CannedAcl::Private), ..NewObject::default() },
            NewObject { grant_full_control: grantee(), ..NewObject::default() },
            NewObject { grant_read: grantee(), ..NewObject::default() },
            NewObject { grant_read_acp: grantee(), ..NewObject::default() },
            NewObject { grant_write_acp: grantee(), ..NewObject::default() },
            NewObject { tags: vec![("a", "b").into()], ..NewObject::default() },
            NewObject { legal_hold: Some(false), ..NewObject::default() },
        ];
        for object in hidden {
            assert!(!object.is_shown_by(&ObjectHead { tag_count: None, ..ObjectHead::default() }), "{object:?}");
            assert!(!object.is_shown_by(&ObjectHead { tag_count: Some(1), ..ObjectHead::default() }), "{object:?}");
        }
        let shown = ObjectHead { encryption: encrypted("aws:kms", Some("arn:key/7")), ..ObjectHead::default() };
        assert!(kms(KmsKey::id("7")).is_shown_by(&shown));
        for key in [KmsKey::id("alias/7"), KmsKey::id(""), KmsKey::aws_managed(), KmsKey::id("7").context("a", "b")] {
            assert!(!kms(key.clone()).is_shown_by(&shown), "{key:?}");
        }
        assert!(!kms(KmsKey::id("7").bucket_key(true)).is_shown_by(&shown));
    }

    #[test]
    fn what_servers_add_is_no_difference() {
        let defaults: [fn(&mut ObjectHead); 7] = [
            |_| (),
            |head| head.content_type = Some("binary/octet-stream".to_owned()),
            |head| head.encryption = encrypted("AES256", None),
            |head| head.storage_class = StorageClass::ExpressOnezone,
            |head| head.tag_count = Some(0),
            |head| head.legal_hold = Some(false),
            |head| head.event_hold = Some(false),
        ];
        for show in defaults {
            assert!(NewObject::default().is_shown_by(&head(show)), "{:?}", head(show));
        }
        let standard = new(|new| new.storage_class = Some(StorageClass::Standard));
        assert!(standard.is_shown_by(&ObjectHead::default()));
        let by_s3 = new(|new| new.encryption = Some(Encryption::S3));
        assert!(by_s3.is_shown_by(&head(|head| head.encryption = encrypted("AES256", None))));
        assert!(!by_s3.is_shown_by(&ObjectHead::default()));
        let coded = new(|new| new.content_encoding = Some("aws-chunked,gzip".to_owned()));
        assert!(coded.is_shown_by(&head(|head| head.content_encoding = Some("gzip".to_owned()))));
        // Tags of what stood there before, and metadata that could not be sent.
        assert!(!NewObject::default().is_shown_by(&head(|head| head.tag_count = Some(1))));
        assert!(!NewObject::default().is_shown_by(&head(|head| head.missing_metadata = 1)));
    }
}
