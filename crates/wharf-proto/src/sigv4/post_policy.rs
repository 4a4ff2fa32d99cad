//! POST policies: what lets a browser's form upload straight to a bucket.

use std::fmt;
use std::time::SystemTime;

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
    /// The fields of a form that say who signs it and when, for which its policy must have conditions.
    pub(crate) fn policy_fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("x-amz-algorithm", ALGORITHM.to_owned()),
            ("x-amz-credential", self.credential()),
            ("x-amz-date", self.date.as_str().to_owned()),
        ];
        fields.extend(self.credentials.session_token().map(|token| ("x-amz-security-token", token.to_owned())));
        fields
    }

    /// When the keys stop working.
    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        self.credentials.expires_at()
    }

    /// Signs a POST policy, a JSON document that says until when a form may upload what.
    ///
    /// The policy must itself have conditions for the fields that the form carries, those of [`SignedPolicy::fields`]
    /// too but `policy` and `x-amz-signature`. [`PostObject`](crate::op::PostObject) writes such a policy.
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
