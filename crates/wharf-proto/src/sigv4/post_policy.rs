//! POST policies: what lets a browser's form upload straight to a bucket.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::Mac;

use super::{ALGORITHM, AmzDate, Signature, Signer};

/// A signed POST policy: the form fields that prove it, to stand in the form before its `file` field.
///
/// `Debug` shows neither the signature nor the session token.
#[derive(Clone)]
pub struct SignedPolicy {
    policy: String,
    credential: String,
    date: AmzDate,
    session_token: Option<String>,
    signature: Signature,
}

impl SignedPolicy {
    /// The fields' names and values.
    pub fn fields(&self) -> Vec<(&'static str, &str)> {
        let mut fields = vec![
            ("x-amz-algorithm", ALGORITHM),
            ("x-amz-credential", &*self.credential),
            ("x-amz-date", self.date.as_str()),
            ("policy", &*self.policy),
            ("x-amz-signature", self.signature.as_str()),
        ];
        fields.extend(self.session_token.as_deref().map(|token| ("x-amz-security-token", token)));
        fields
    }

    /// The policy, in base64.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The signature over it.
    pub fn signature(&self) -> Signature {
        self.signature
    }
}

impl fmt::Debug for SignedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedPolicy")
            .field("credential", &self.credential)
            .field("date", &self.date)
            .finish_non_exhaustive()
    }
}

impl Signer<'_> {
    /// Signs a POST policy, a JSON document that says until when a form may upload what.
    ///
    /// The policy must itself have conditions for the fields that the form carries, those of [`SignedPolicy::fields`]
    /// too: `x-amz-algorithm`, `x-amz-credential` (see [`credential`](Self::credential)), `x-amz-date` (see
    /// [`date`](Self::date)) and, with temporary keys, `x-amz-security-token`.
    pub fn sign_policy(&self, policy_json: &str) -> SignedPolicy {
        let policy = BASE64_STANDARD.encode(policy_json);
        let signature = Signature::of(self.key.mac().chain_update(&policy));
        SignedPolicy {
            policy,
            credential: self.credential(),
            date: self.date,
            session_token: self.credentials.session_token().map(str::to_owned),
            signature,
        }
    }
}
