//! Signing a call into a URL, or into a form.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method};
use wharf_proto::op::{PostForm, PresignedPost};
use wharf_proto::operation::{ChecksumPolicy, Request};
use wharf_proto::sigv4::{Payload, Signer};
use wharf_proto::{Error, ErrorKind, Presigned};

use crate::client::Inner;
use crate::credentials::ProvideCredentials;
use crate::dispatch::unsignable;
use crate::payload;
use crate::route::Route;

pub(crate) async fn presign(
    client: &Arc<Inner>,
    request: &mut Request,
    expires_in: Duration,
) -> Result<Presigned, Error> {
    let provider = provider(client)?;
    let route = Route::of(client, request)?;
    payload::must_be_empty(std::mem::take(&mut request.body))?;
    let mut headers: HeaderMap = std::mem::take(&mut request.headers);
    match request.checksum {
        // The client's default is for bodies that it sends itself.
        ChecksumPolicy::None | ChecksumPolicy::Default | ChecksumPolicy::Off | ChecksumPolicy::Announce => {}
        ChecksumPolicy::Value(checksum) => payload::set_checksum(&mut headers, &checksum),
        _ => {
            return Err(Error::invalid_input(
                "a presigned request cannot have its checksum computed: its body is not known yet; give its value",
            ));
        }
    }
    let way = route.way(client, request)?;
    let own = provider.credentials().await?;
    let (credentials, scope) = route.keys(client, request.bucket.as_deref(), &way, own).await?;
    let now = whole_seconds(client.now());
    let uri = &way.uri;
    let signer = Signer::new(&credentials, scope, now, &client.signing_keys);
    let url =
        signer.presign(&request.method, uri, &headers, expires_in, Payload::Unsigned).map_err(unsignable)?.to_string();
    let asked_for = now + Duration::from_secs(expires_in.as_secs());
    let expires_at = credentials.expires_at().map_or(asked_for, |end| end.min(asked_for));
    Ok(Presigned { method: request.method.clone(), url, headers, expires_at })
}

pub(crate) async fn presign_post(client: &Inner, form: PostForm, expires_in: Duration) -> Result<PresignedPost, Error> {
    let provider = provider(client)?;
    let request = Request::bucket(Method::POST, &form.bucket)?;
    let route = Route::of(client, &request)?;
    let way = route.way(client, &request)?;
    if route.session {
        return Err(Error::new(ErrorKind::Unsupported, "a directory bucket takes no forms; presign a PUT for it"));
    }
    let credentials = provider.credentials().await?;
    let now = whole_seconds(client.now());
    let signer = Signer::new(&credentials, way.scope(), now, &client.signing_keys);
    form.sign(&signer, now, expires_in, &way.uri)
}

fn provider(client: &Inner) -> Result<&dyn ProvideCredentials, Error> {
    let none = || Error::invalid_input("an anonymous client has no keys to presign with");
    client.identity.provider().ok_or_else(none)
}

/// Signatures count whole seconds, from one.
fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
