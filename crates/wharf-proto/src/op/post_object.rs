//! POST Object: what lets a browser's form upload straight to a bucket.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use http::{HeaderName, Method, Uri};

use super::put_object_tagging;
use crate::encryption::{Encryption, json};
use crate::operation::{Request, SendFuture, Sender};
use crate::sigv4::{MAX_EXPIRY, Signer};
use crate::storage::{CannedAcl, StorageClass};
use crate::{Error, Tag, name, time};

/// What a form puts in the place of the name of the file that was chosen.
const FILENAME: &str = "${filename}";

/// A form that uploads an object without keys, signed by [`presign`](PostObject::presign): S3's POST Object.
///
/// Every field that the form may carry is named here: by its value, or by what its value must begin with. The browser
/// then sends the form to S3 itself. A form that says anything else is refused with 403 AccessDenied, a file of
/// another size with EntityTooLarge or EntityTooSmall.
///
/// A page that sends the form by script is told what became of it only where the bucket's CORS rules name the page's
/// origin; a plain form needs none.
///
/// ```
/// # use std::time::Duration;
/// # async fn example(s3: impl wharf_proto::operation::Sender) -> Result<(), wharf_proto::Error> {
/// use wharf_proto::op::PostObject;
///
/// let form = PostObject::new(s3, "my-bucket", "uploads/${filename}")
///     .content_length_range(1..=10 * 1024 * 1024)
///     .starts_with("Content-Type", "image/")
///     .success_action_status(201)
///     .presign(Duration::from_secs(600))
///     .await?;
/// println!("<form action=\"{}\" method=\"post\" enctype=\"multipart/form-data\">", form.url);
/// for (name, value) in &form.fields {
///     let value = value.replace('&', "&amp;").replace('"', "&quot;");
///     println!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
/// }
/// println!("<input name=\"Content-Type\" value=\"image/png\"> <input type=\"file\" name=\"file\"> <button>Go</button>");
/// # Ok(()) }
/// ```
#[must_use = "a form is nothing until it is signed"]
#[derive(Debug, Clone)]
pub struct PostObject<S = ()> {
    sender: S,
    form: PostForm,
}

/// A form that is not signed yet: what [`Sender::presign_post`] signs.
#[derive(Debug, Clone)]
pub struct PostForm {
    /// The bucket that it uploads to.
    pub bucket: String,
    /// The key; `${filename}` in it stands for the name of the file that the browser's user chose.
    pub key: String,
    fields: Vec<(String, String)>,
    prefixes: Vec<(String, String)>,
    tags: Vec<Tag>,
    encryption: Option<Encryption>,
    size: Option<RangeInclusive<u64>>,
}

impl<S> PostObject<S> {
    /// A form that uploads to `key` in `bucket`, signed by `sender`. `${filename}` at the end of the key stands for the
    /// name of the file that is chosen; the form may then name any key that begins like this one.
    pub fn new(sender: S, bucket: impl Into<String>, key: impl Into<String>) -> Self {
        let (bucket, key, fields, prefixes, tags) = (bucket.into(), key.into(), Vec::new(), Vec::new(), Vec::new());
        Self { sender, form: PostForm { bucket, key, fields, prefixes, tags, encryption: None, size: None } }
    }

    /// How many bytes the file may have, both ends included. Without it anything up to 5 GiB may come.
    pub fn content_length_range(mut self, bytes: RangeInclusive<u64>) -> Self {
        self.form.size = Some(bytes);
        self
    }

    /// The media type that is stored. For one that the browser knows better, see [`starts_with`](Self::starts_with).
    pub fn content_type(self, value: impl Into<String>) -> Self {
        self.field("Content-Type", value)
    }

    /// A metadata entry that is stored, such as who was allowed to upload.
    pub fn metadata(self, name: impl fmt::Display, value: impl Into<String>) -> Self {
        self.field(format!("x-amz-meta-{name}"), value)
    }

    /// A tag of the object.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.form.tags.push(Tag { key: key.into(), value: value.into() });
        self
    }

    /// How the object is encrypted at rest, in place of the bucket's own setting. Whoever has the form can read a
    /// customer's key in it.
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.form.encryption = Some(encryption);
        self
    }

    /// A canned ACL.
    pub fn acl(self, acl: CannedAcl) -> Self {
        self.field("acl", acl.as_str())
    }

    /// The storage class, in place of `STANDARD`.
    pub fn storage_class(self, class: StorageClass) -> Self {
        self.field("x-amz-storage-class", class.as_str())
    }

    /// What S3 answers once it is done: 204 without a body by default, 200 without one, or 201 with a document that
    /// names bucket, key and tag.
    pub fn success_action_status(self, status: u16) -> Self {
        self.field("success_action_status", status.to_string())
    }

    /// Where the browser is sent once it is done, with bucket, key and tag in the query.
    pub fn success_action_redirect(self, url: impl Into<String>) -> Self {
        self.field("success_action_redirect", url)
    }

    /// Any other field that S3 knows, such as `Cache-Control` or `Content-Disposition`, with its value.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.form.fields.push((name.into(), value.into()));
        self
    }

    /// A field that the page fills in itself, such as `Content-Type` or `x-amz-meta-comment`, and what its value must
    /// begin with: anything where that is empty. Such a field must be there, before the file.
    pub fn starts_with(mut self, name: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.form.prefixes.push((name.into(), prefix.into()));
        self
    }
}

impl<S: Sender> PostObject<S> {
    /// Signs the form: it can be sent for `expires_in`, at most 7 days, or until the keys expire that signed it. Nothing
    /// is sent.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) over 7 days or under a second, for a name that no bucket or key
    /// can have, for a field that is named twice, is not the caller's to set or has a line break, and for an anonymous
    /// client.
    pub fn presign(self, expires_in: Duration) -> SendFuture<PresignedPost> {
        self.sender.presign_post(self.form, expires_in)
    }
}

impl PostForm {
    /// Signs the form for the bucket's URL.
    ///
    /// # Errors
    /// As [`PostObject::presign`].
    pub fn sign(
        self,
        signer: &Signer<'_>,
        now: SystemTime,
        expires_in: Duration,
        url: &Uri,
    ) -> Result<PresignedPost, Error> {
        let (bucket, key) = (self.bucket.clone(), self.key.clone());
        self.signed(signer, now, expires_in, url).map_err(|error| error.at("PostObject", Some(&bucket), Some(&key)))
    }

    fn signed(
        mut self,
        signer: &Signer<'_>,
        now: SystemTime,
        expires_in: Duration,
        url: &Uri,
    ) -> Result<PresignedPost, Error> {
        if expires_in < Duration::from_secs(1) || expires_in > MAX_EXPIRY {
            return Err(Error::invalid_input(format!("a form lasts from a second to 7 days, not {expires_in:?}")));
        }
        name::check_bucket(&self.bucket)?;
        name::check_key(&self.key)?;
        self.spell_out()?;
        self.check_fields()?;
        let asked_for = now + Duration::from_secs(expires_in.as_secs());
        let expires_at = signer.expires_at().map_or(asked_for, |end| end.min(asked_for));
        let mut fields = vec![("key".to_owned(), self.key.clone())];
        fields.extend(self.fields.iter().cloned());
        let proof = signer.policy_fields();
        let policy = self.policy(expires_at, &proof)?;
        let signed = signer.sign_policy(&policy);
        fields.extend(signed.fields().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(PresignedPost { url: url.to_string(), fields, expires_at })
    }

    /// Turns tags and encryption into the fields that say so.
    fn spell_out(&mut self) -> Result<(), Error> {
        if !self.tags.is_empty() {
            let document = put_object_tagging::document(&self.tags)?;
            let text = String::from_utf8_lossy(&document);
            // Without the declaration, which ends in a line break.
            let element = text.split_once('\n').map_or(&*text, |(_, element)| element);
            self.fields.push(("tagging".to_owned(), element.to_owned()));
        }
        if let Some(encryption) = &self.encryption {
            let mut request = Request::object(Method::POST, &self.bucket, &self.key)?;
            encryption.apply(&mut request)?;
            let fields = request.headers.iter().map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            });
            self.fields.extend(fields);
        }
        Ok(())
    }

    fn check_fields(&self) -> Result<(), Error> {
        let key = ("key".to_owned(), self.key.clone());
        if let Some((name, _)) = self.fields.iter().chain([&key]).find(|(_, value)| value.contains(['\r', '\n'])) {
            return Err(Error::invalid_input(format!(
                "the form's field {name:?} has a line break, which browsers send as another one than was signed"
            )));
        }
        if let Some((before, after)) = self.key.split_once(FILENAME)
            && !after.is_empty()
        {
            return Err(Error::invalid_input(format!(
                "{FILENAME} ends a form's key: a policy can only say what the key begins with ({before:?})"
            )));
        }
        let mut seen = Vec::new();
        for (name, _) in self.fields.iter().chain(&self.prefixes) {
            let lower = name.to_ascii_lowercase();
            if HeaderName::try_from(&*lower).is_err() {
                return Err(Error::invalid_input(format!("{name:?} cannot be the name of a form's field")));
            }
            if matches!(lower.as_str(), "key" | "bucket" | "file" | "policy") || PROOF.contains(&lower.as_str()) {
                return Err(Error::invalid_input(format!("the form's field {name:?} is not for the caller to set")));
            }
            if seen.contains(&lower) {
                return Err(Error::invalid_input(format!("the form's field {name:?} is set twice")));
            }
            seen.push(lower);
        }
        match &self.size {
            Some(size) if size.is_empty() => {
                Err(Error::invalid_input(format!("no file has from {} to {} bytes", size.start(), size.end())))
            }
            _ => Ok(()),
        }
    }

    /// The policy document.
    fn policy(&self, expires_at: SystemTime, proof: &[(&str, String)]) -> Result<String, Error> {
        let mut conditions = vec![equals("bucket", &self.bucket)];
        conditions.push(match self.key.split_once(FILENAME) {
            Some((before, _)) => begins("key", before),
            None => equals("key", &self.key),
        });
        if let Some(size) = &self.size {
            conditions.push(format!("[\"content-length-range\",{},{}]", size.start(), size.end()));
        }
        conditions.extend(self.fields.iter().map(|(name, value)| equals(name, value)));
        conditions.extend(self.prefixes.iter().map(|(name, prefix)| begins(name, prefix)));
        conditions.extend(proof.iter().map(|(name, value)| equals(name, value)));
        let expiration = time::format_iso8601(expires_at)?;
        Ok(format!("{{\"expiration\":\"{expiration}\",\"conditions\":[{}]}}", conditions.join(",")))
    }
}

/// The fields that prove the form.
const PROOF: [&str; 5] =
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"];

fn equals(name: &str, value: &str) -> String {
    format!("{{{}:{}}}", json(name), json(value))
}

fn begins(name: &str, prefix: &str) -> String {
    format!("[\"starts-with\",{},{}]", json(&format!("${name}")), json(prefix))
}

/// A signed form: put all fields into it, in this order, the file last.
///
/// [`Debug`](fmt::Debug) leaves the values out, for the signature is a secret.
#[derive(Clone)]
#[non_exhaustive]
pub struct PresignedPost {
    /// Where the form is sent: its `action`. Its `method` is `post`, its `enctype` is `multipart/form-data`.
    pub url: String,
    /// Names and values, to stand before the field called `file`. What comes after that is ignored.
    pub fields: Vec<(String, String)>,
    /// When it stops working: the asked-for time, or when the credentials expire, whichever comes first.
    pub expires_at: SystemTime,
}

impl fmt::Debug for PresignedPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("PresignedPost")
            .field("url", &self.url)
            .field("fields", &names)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;

    use super::*;
    use crate::Credentials;
    use crate::sigv4::{Scope, SigningKeyCache};

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_451_347_200)
    }

    fn sign(form: PostObject, keys: &Credentials, seconds: u64) -> Result<(PresignedPost, String), Error> {
        let signer = Signer::new(keys, Scope::s3("us-east-1"), now(), &SigningKeyCache::new());
        let url = "http://sigv4examplebucket.s3.amazonaws.com/".parse().unwrap();
        let post = form.form.sign(&signer, now(), Duration::from_secs(seconds), &url)?;
        let policy = post.fields.iter().find(|(name, _)| name == "policy").unwrap();
        let document = String::from_utf8(BASE64_STANDARD.decode(&policy.1).unwrap()).unwrap();
        Ok((post, document))
    }

    fn keys() -> Credentials {
        Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    }

    #[test]
    fn every_field_has_its_condition() {
        let form = PostObject::new((), "sigv4examplebucket", "user/${filename}")
            .content_length_range(1..=1024)
            .acl(CannedAcl::PublicRead)
            .metadata("owner", "a \"b\" \\ \t")
            .starts_with("Content-Type", "image/")
            .success_action_status(201);
        let (post, policy) = sign(form, &keys(), 3600).unwrap();
        assert_eq!(
            policy,
            "{\"expiration\":\"2015-12-29T01:00:00Z\",\"conditions\":[{\"bucket\":\"sigv4examplebucket\"},\
             [\"starts-with\",\"$key\",\"user/\"],[\"content-length-range\",1,1024],{\"acl\":\"public-read\"},\
             {\"x-amz-meta-owner\":\"a \\\"b\\\" \\\\ \\u0009\"},{\"success_action_status\":\"201\"},\
             [\"starts-with\",\"$Content-Type\",\"image/\"],{\"x-amz-algorithm\":\"AWS4-HMAC-SHA256\"},\
             {\"x-amz-credential\":\"AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request\"},\
             {\"x-amz-date\":\"20151229T000000Z\"}]}"
        );
        let names: Vec<_> = post.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "key",
                "acl",
                "x-amz-meta-owner",
                "success_action_status",
                "x-amz-algorithm",
                "x-amz-credential",
                "x-amz-date",
                "policy",
                "x-amz-signature"
            ]
        );
        assert_eq!(post.expires_at, now() + Duration::from_secs(3600));
        let (name, signature) = post.fields.last().unwrap();
        assert!(name == "x-amz-signature" && !format!("{post:?}").contains(signature));
    }

    #[test]
    fn temporary_keys_sign_with_their_token_and_until_they_end() {
        let end = now() + Duration::from_secs(60);
        let keys = keys().with_session_token("token").with_expiry(end);
        let (post, policy) = sign(PostObject::new((), "my-bucket", "a"), &keys, 3600).unwrap();
        assert_eq!(post.expires_at, end);
        assert!(policy.contains("{\"key\":\"a\"}") && policy.contains("{\"x-amz-security-token\":\"token\"}"));
        assert!(post.fields.contains(&("x-amz-security-token".to_owned(), "token".to_owned())));
    }

    #[test]
    fn tags_and_encryption_are_fields() {
        use crate::{CustomerKey, KmsKey};
        let form = || PostObject::new((), "my-bucket", "a");
        let (post, policy) = sign(form().tag("a", "1 & 2").tag("b", ""), &keys(), 60).unwrap();
        let tags = "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet><Tag><Key>a</Key>\
                    <Value>1 &amp; 2</Value></Tag><Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>";
        assert!(post.fields.contains(&("tagging".to_owned(), tags.to_owned())), "{:?}", post.fields);
        assert!(policy.contains(&equals("tagging", tags)));

        let kms = Encryption::Kms(KmsKey::id("my-key"));
        let (post, policy) = sign(form().encryption(kms), &keys(), 60).unwrap();
        for (name, value) in
            [("x-amz-server-side-encryption", "aws:kms"), ("x-amz-server-side-encryption-aws-kms-key-id", "my-key")]
        {
            assert!(post.fields.contains(&(name.to_owned(), value.to_owned())), "{:?}", post.fields);
            assert!(policy.contains(&equals(name, value)));
        }
        let secret = form().encryption(Encryption::Customer(CustomerKey::new([b'k'; 32])));
        let key = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s";
        assert!(!format!("{secret:?}").contains(key));
        let (post, policy) = sign(secret, &keys(), 60).unwrap();
        assert!(policy.contains(key) && !format!("{post:?}").contains(key));
    }

    #[test]
    fn what_no_form_can_be() {
        let form = || PostObject::new((), "my-bucket", "a");
        #[expect(clippy::reversed_empty_ranges, reason = "that is the mistake")]
        let empty = form().content_length_range(2..=1);
        for (form, seconds, said) in [
            (form(), 0, "a form lasts from a second to 7 days, not 0ns"),
            (form(), 8 * 86_400, "a form lasts from a second to 7 days, not 691200s"),
            (form().field("Policy", "x"), 60, "the form's field \"Policy\" is not for the caller to set"),
            (form().acl(CannedAcl::Private).starts_with("ACL", ""), 60, "the form's field \"ACL\" is set twice"),
            (
                form().metadata("note", "a\nb"),
                60,
                "the form's field \"x-amz-meta-note\" has a line break, which browsers send as another one than was signed",
            ),
            (form().metadata("a\"b", "x"), 60, "\"x-amz-meta-a\\\"b\" cannot be the name of a form's field"),
            (PostObject::new((), "my-bucket", "a/${filename}.png"), 60, "${filename} ends a form's key"),
            (PostObject::new((), "my-bucket", "a\rb"), 60, "the form's field \"key\" has a line break"),
            (form().tag("a", "b").field("tagging", "x"), 60, "the form's field \"tagging\" is set twice"),
            (empty, 60, "no file has from 2 to 1 bytes"),
            (PostObject::new((), "my-bucket", ""), 60, "the key is empty"),
        ] {
            let error = sign(form, &keys(), seconds).unwrap_err().to_string();
            assert!(error.starts_with("PostObject my-bucket") && error.contains(said), "{error}");
        }
    }
}
