//! Who may ask: the accounts of a store and their keys.

use std::fmt;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};
use crate::hex::hex;

/// The AWS account number of a store's own account, for `x-amz-expected-bucket-owner`.
pub(crate) const OWN_NUMBER: &str = "123456789012";

/// The canonical user id that S3 gives to whoever does not sign.
const ANONYMOUS: &str = "65a011a29cdf8ec533ec3d1ccaae921c";

/// One account: a name, one pair of keys, and the identities S3 derives from an account. An account that has several
/// pairs is there several times.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// Twelve digits, as AWS numbers accounts; "" for whoever does not sign.
    pub(crate) number: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    /// What goes with temporary keys.
    pub(crate) session: Option<Session>,
}

/// The token of temporary keys, and when they end.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) token: String,
    pub(crate) expires: Option<SystemTime>,
}

impl Account {
    pub(crate) fn own(access_key_id: String, secret_access_key: String) -> Self {
        let (name, number) = ("wharf".to_owned(), OWN_NUMBER.to_owned());
        Self { name, number, access_key_id, secret_access_key, session: None }
    }

    /// Whoever does not sign.
    pub(crate) fn anonymous() -> Self {
        let (name, number) = ("anonymous".to_owned(), String::new());
        Self { name, number, access_key_id: String::new(), secret_access_key: String::new(), session: None }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.number.is_empty()
    }

    /// Whether `token` may come with these keys at `now`.
    pub(crate) fn check_token(&self, token: Option<&str>, now: SystemTime) -> Result<()> {
        match (&self.session, token) {
            (None, None) => Ok(()),
            (Some(session), Some(token)) if session.token == token => match session.expires {
                Some(expires) if expires <= now => Err(Code::ExpiredToken.into()),
                _ => Ok(()),
            },
            // Without their token S3 does not know temporary keys at all.
            (Some(_), None) => Err(unknown(&self.access_key_id)),
            (_, Some(_)) => Err(Code::InvalidToken.into()),
        }
    }

    pub(crate) fn other(name: String, access_key_id: String, secret_access_key: String) -> Self {
        let digest = Sha256::digest(name.as_bytes());
        let number = digest.iter().take(12).map(|byte| char::from(b'0' + byte % 10)).collect();
        Self { name, number, access_key_id, secret_access_key, session: None }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("number", &self.number).finish_non_exhaustive()
    }
}

/// The canonical user id that goes with an account number: 64 hexadecimal digits, or the one of the anonymous.
pub(crate) fn canonical_id(number: &str) -> String {
    if number.is_empty() {
        return ANONYMOUS.to_owned();
    }
    hex(&Sha256::digest(number.as_bytes()))
}

/// The account that `access_key_id` belongs to.
pub(crate) fn find<'a>(accounts: &'a [Account], access_key_id: &str) -> Result<&'a Account> {
    accounts.iter().find(|account| account.access_key_id == access_key_id).ok_or_else(|| unknown(access_key_id))
}

fn unknown(access_key_id: &str) -> Error {
    Error::from(Code::InvalidAccessKeyId).detail("AWSAccessKeyId", access_key_id)
}

/// A fresh pair of keys, in the shape of AWS's.
pub(crate) fn random_pair() -> (String, String) {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0u8; 56];
    if getrandom::fill(&mut bytes).is_err() {
        // Weak keys, but none that everybody knows.
        bytes.fill_with(|| fastrand::u8(..));
    }
    let text: String = bytes.iter().map(|byte| char::from(DIGITS[usize::from(byte % 32)])).collect();
    (format!("AKIA{}", &text[..16]), text[16..].to_owned())
}
