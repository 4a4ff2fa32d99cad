//! The one path that is no S3's: whether the server runs.

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request, Response};
use wharf_transport::Body;

use crate::target::virtual_bucket;

/// No bucket's name has an underscore in it.
pub(crate) const PATH: &str = "/_health";

/// Whether it is asked for. Signed, or under a bucket's own host name, the same path is S3's.
pub(crate) fn is_asked<B>(request: &Request<B>, domains: &[String]) -> bool {
    let (headers, uri) = (request.headers(), request.uri());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    uri.path() == PATH
        && uri.query().is_none()
        && matches!(*request.method(), Method::GET | Method::HEAD)
        && !headers.contains_key(AUTHORIZATION)
        && virtual_bucket(host, domains).is_none()
}

pub(crate) fn answer() -> Response<Body> {
    let mut answer = Response::new(Body::from(bytes::Bytes::from_static(b"ok\n")));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_s3s_is_taken_for_it() {
        let asked = |method: &str, uri: &str, host: &str, header: &str| {
            let request = Request::builder().method(method).uri(uri).header("host", host).header(header, "x");
            is_asked(&request.body(()).unwrap(), &["s3.localhost".to_owned()])
        };
        assert!(asked("GET", "/_health", "127.0.0.1:9000", "accept"));
        assert!(asked("HEAD", "/_health", "s3.localhost", "accept"));
        assert!(!asked("GET", "/_health", "bucket.s3.localhost", "accept"), "an object");
        assert!(!asked("GET", "/_health", "s3.localhost", "authorization"), "a bucket that cannot be");
        assert!(!asked("GET", "/_health?list-type=2", "s3.localhost", "accept"));
        assert!(!asked("PUT", "/_health", "s3.localhost", "accept"));
        assert!(!asked("GET", "/_health/", "s3.localhost", "accept"));
    }
}
