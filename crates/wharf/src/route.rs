//! Where a request goes and what it is signed with, by what is known of its bucket; and what answers teach of that.

use std::sync::Arc;

use http::{HeaderValue, Method, Uri};
use wharf_proto::correct::Correction;
use wharf_proto::endpoint::{Plane, Target};
use wharf_proto::operation::Request;
use wharf_proto::sigv4::{Scope, TokenName};
use wharf_proto::{Credentials, Error};

use crate::buckets::Bucket;
use crate::client::Inner;
use crate::session::Session;

/// What the ways of one request have in common.
pub(crate) struct Route {
    /// What the client knows of the bucket, and learns of it.
    pub(crate) bucket: Arc<Bucket>,
    plane: Plane,
    /// Signed with the keys of a session.
    pub(crate) session: bool,
}

/// Where one attempt goes.
pub(crate) struct Way {
    target: Arc<Target>,
    pub(crate) uri: Uri,
}

impl Way {
    /// What it is signed for.
    pub(crate) fn scope(&self) -> Scope<'_> {
        self.target.scope()
    }

    /// The `Host` header.
    pub(crate) fn host(&self) -> Option<&HeaderValue> {
        self.target.host()
    }
}

impl Route {
    pub(crate) fn of(client: &Inner, request: &Request) -> Result<Self, Error> {
        let bucket = client.buckets.of(request.bucket.as_deref());
        if makes_bucket(request) {
            // Where one of this name was before says nothing of where it shall be.
            bucket.forget_place();
        }
        let plane = Plane::of(request);
        let session = bucket.target(&client.endpoint, request.bucket.as_deref(), plane)?.wants_session(request);
        Ok(Self { bucket, plane, session })
    }

    /// Where `request` goes, by what is known of the bucket now.
    pub(crate) fn way(&self, client: &Inner, request: &Request) -> Result<Way, Error> {
        let target = self.bucket.target(&client.endpoint, request.bucket.as_deref(), self.plane)?;
        let uri = target.uri(request.key.as_deref(), &request.query)?;
        Ok(Way { target, uri })
    }

    /// What to sign with, and for what: the caller's `own` keys, or those of a session with the bucket that
    /// they begin.
    pub(crate) async fn keys<'w>(
        &self,
        client: &Arc<Inner>,
        bucket: Option<&str>,
        way: &'w Way,
        own: Credentials,
    ) -> Result<(Credentials, Scope<'w>), Error> {
        let scope = way.scope();
        match bucket {
            Some(bucket) if self.session => {
                // Boxed, so that requests without a session need no room for it.
                let keys = Box::pin(Session::keys(client, &self.bucket, bucket, own)).await?;
                Ok((keys, Scope { token: TokenName::S3Session, ..scope }))
            }
            _ => Ok((own, scope)),
        }
    }

    /// Learns what an answer said is wrong; whether the request would be another one now.
    pub(crate) async fn correct(
        &self,
        client: &Inner,
        request: &Request,
        way: &Way,
        correction: &Correction,
        signed_with: Option<&Credentials>,
    ) -> bool {
        match correction {
            Correction::Region(region) => {
                // A directory bucket is in its zone, an access point in its ARN's region, whatever an answer says.
                let is_fixed = way.scope().service != "s3";
                let moved = !is_fixed && self.bucket.is_in(&client.endpoint, region);
                let leads_elsewhere = moved && self.way(client, request).is_ok_and(|new| new.target != way.target);
                if moved && !leads_elsewhere {
                    self.bucket.forget_place();
                }
                leads_elsewhere
            }
            Correction::Clock(theirs) => client.server_clock.set(*theirs),
            // Learnt once it has helped.
            Correction::ContentMd5 => true,
            Correction::Credentials => match signed_with {
                Some(keys) if self.session => {
                    Session::has_ended(&self.bucket, keys).await;
                    true
                }
                Some(keys) => client.identity.provider().is_some_and(|provider| provider.refused(keys)),
                None => false,
            },
            _ => false,
        }
    }
}

fn makes_bucket(request: &Request) -> bool {
    request.method == Method::PUT && request.key.is_none() && request.query.is_empty()
}

/// The client has learnt, but the call's body is gone.
pub(crate) fn once_more(error: Error, correction: &Correction) -> Error {
    let again = "make the call again: its body could be sent only once";
    match correction {
        Correction::Region(region) => {
            error.with_hint(format!("the bucket is in {region}, which the client knows now; {again}"))
        }
        Correction::Clock(_) => error.with_hint(format!("the client knows the server's time now; {again}")),
        Correction::Credentials => error.with_hint(format!("the client gets new keys now; {again}")),
        _ => error,
    }
}
