//! PostObject: an upload from a browser's form, whose fields take the place of headers.

use http::header::{HOST, HeaderName, HeaderValue, ORIGIN, REFERER, USER_AGENT};
use http::{HeaderMap, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::check_names;
use super::put_object::{store, written};
use crate::access::Need;
use crate::backend::Found;
use crate::call::{Call, Reply, document, empty, set};
use crate::error::{Code, Error, Result, invalid_argument};
use crate::form::policy;
use crate::form::{self, Fields};
use crate::front::check_text;
use crate::receive::MOST;
use crate::tags;
use crate::xml::Writer;

/// What a URL's query has encoded.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Fields that are headers of the same name.
const HEADERS: [&str; 6] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];

/// Fields that sign the form and say nothing about the object.
const SIGNING: [&str; 5] =
    ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"];

/// Headers of the request itself that stay.
const STAY: [HeaderName; 4] = [HOST, ORIGIN, REFERER, USER_AGENT];

pub(super) async fn run(mut call: Call) -> Result<Reply> {
    let content_type = call.header("content-type").unwrap_or_default().to_owned();
    let body = call.body.take();
    let form = form::read(&content_type, body).await?;
    let fields = form.fields;
    let key = fields.get("key").filter(|key| !key.is_empty()).ok_or_else(|| lacking("key"))?;
    let key = key.replace("${filename}", &form.file_name);
    let length = match fields.get("policy") {
        Some(policy) => {
            let allowed = policy::parse(policy)?;
            call.account = signer(&call, &fields, policy).await?;
            policy::check(&allowed, &fields, &key, call.bucket(), call.now)?
        }
        None if fields.get("x-amz-signature").is_some() => return Err(lacking("policy")),
        None => 0..=MOST,
    };
    call.target.key = key;
    check_names(&call)?;
    call.headers = headers(&call, &fields)?;
    call.rules()?.admit_key(&call, call.key(), None, &Need::to_write(&call.headers)).await?;
    call.body = form::file(form.file, length);
    let found = store(&mut call).await?;
    answer(&call, &fields, &found)
}

/// Whose signature the form has.
async fn signer(call: &Call, fields: &Fields, policy: &str) -> Result<crate::account::Account> {
    if fields.get("awsaccesskeyid").is_some() {
        let message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(Error::new(Code::InvalidRequest, message));
    }
    let field = |name: &'static str| fields.get(name).ok_or_else(|| lacking(name));
    let signature = crate::front::FormSignature {
        policy,
        algorithm: field("x-amz-algorithm")?,
        credential: field("x-amz-credential")?,
        date: field("x-amz-date")?,
        signature: field("x-amz-signature")?,
        token: fields.get("x-amz-security-token"),
    };
    call.shared.gate(call.now).admit_form(&signature).await
}

/// The headers that say what the fields say.
fn headers(call: &Call, fields: &Fields) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for name in STAY {
        if let Some(value) = call.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in fields.iter() {
        let signs = SIGNING.contains(&name);
        let (name, value) = match name {
            "acl" => ("x-amz-acl", value.to_owned()),
            "tagging" => ("x-amz-tagging", tag_header(value)?),
            name if HEADERS.contains(&name) || (name.starts_with("x-amz-") && !signs) => (name, value.to_owned()),
            _ => continue,
        };
        let bad = || invalid_argument("A field that becomes a header cannot be one", name, &value);
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?;
        headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?, value);
    }
    check_text(&headers)?;
    Ok(headers)
}

/// A document of tags as the header that says the same.
fn tag_header(document: &str) -> Result<String> {
    let tags = tags::of_document(document.as_bytes(), tags::MOST_OF_OBJECT)?;
    let encode = |text: &str| utf8_percent_encode(text, QUERY).to_string();
    let pairs: Vec<String> = tags.iter().map(|(key, value)| format!("{}={}", encode(key), encode(value))).collect();
    Ok(pairs.join("&"))
}

fn answer(call: &Call, fields: &Fields, found: &Found) -> Result<Reply> {
    let etag = found.version.object.as_ref().map(|object| format!("\"{}\"", object.etag)).unwrap_or_default();
    let encode = |text: &str| utf8_percent_encode(text, QUERY).to_string();
    // What is no URL counts as absent.
    let redirect = fields.get("success_action_redirect").or(fields.get("redirect"));
    let redirect = redirect.filter(|url| url.parse::<Uri>().is_ok_and(|uri| uri.scheme().is_some()));
    let location = call.location();
    if let Some(url) = redirect {
        let mark = if url.contains('?') { '&' } else { '?' };
        let (bucket, key, etag) = (encode(call.bucket()), encode(call.key()), encode(&etag));
        let mut reply = empty(StatusCode::SEE_OTHER);
        written(found, reply.headers_mut());
        set(reply.headers_mut(), "location", format_args!("{url}{mark}bucket={bucket}&key={key}&etag={etag}"));
        return Ok(reply);
    }
    let mut reply = match fields.get("success_action_status") {
        Some("200") => empty(StatusCode::OK),
        Some("201") => {
            let mut xml = Writer::bare("PostResponse");
            xml.text("Location", &location);
            xml.text("Bucket", call.bucket());
            xml.text("Key", call.key());
            xml.text("ETag", &etag);
            let mut reply = document(xml);
            *reply.status_mut() = StatusCode::CREATED;
            reply
        }
        // Any other wish is none.
        _ => empty(StatusCode::NO_CONTENT),
    };
    written(found, reply.headers_mut());
    set(reply.headers_mut(), "location", location);
    Ok(reply)
}

fn lacking(field: &str) -> Error {
    let message = format!(
        "Bucket POST must contain a field named '{field}'.  If it is specified, please check the order of the fields."
    );
    invalid_argument(message, field, "")
}
