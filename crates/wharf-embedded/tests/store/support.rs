//! A signer written from AWS's description of Signature Version 4, and a caller that uses it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::TryStreamExt;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request, Response, StatusCode};
use sha2::{Digest, Sha256};
use wharf_embedded::Store;
use wharf_transport::Body;

pub(crate) const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// 2013-05-24T00:00:00Z, the time of all tests.
pub(crate) const NOW: u64 = 1_369_353_600;
pub(crate) const DATE: &str = "20130524T000000Z";
const HOST: &str = "s3.localhost";

/// A time, in seconds since 1970.
pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A store whose clock stands still.
pub(crate) fn store() -> Store {
    let builder = Store::builder().credentials(KEY, SECRET).account("neighbour", "AKIDNEIGHBOUR", "neighbours-secret");
    crate::backing::make(builder, || at(NOW))
}

/// A store with one bucket, called `bucket`.
pub(crate) async fn store_with_bucket() -> Store {
    let store = store();
    put("/bucket").send(&store).await.expect(200);
    store
}

/// A request to be signed.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: String,
    /// Encoded.
    pub(crate) path: String,
    /// Encoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) payload: Option<String>,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) region: String,
    pub(crate) date: String,
    /// Headers that are sent and not signed.
    pub(crate) unsigned: Vec<(String, String)>,
}

pub(crate) fn ask(method: &str, target: &str) -> Ask {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |piece: &str| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (name.to_owned(), value.to_owned())
    };
    Ask {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.split('&').filter(|piece| !piece.is_empty()).map(pair).collect(),
        headers: vec![("host".to_owned(), HOST.to_owned())],
        body: Vec::new(),
        payload: None,
        key: KEY.to_owned(),
        secret: SECRET.to_owned(),
        region: "us-east-1".to_owned(),
        date: DATE.to_owned(),
        unsigned: Vec::new(),
    }
}

pub(crate) fn get(target: &str) -> Ask {
    ask("GET", target)
}

pub(crate) fn head(target: &str) -> Ask {
    ask("HEAD", target)
}

pub(crate) fn put(target: &str) -> Ask {
    ask("PUT", target)
}

pub(crate) fn post(target: &str) -> Ask {
    ask("POST", target)
}

pub(crate) fn delete(target: &str) -> Ask {
    ask("DELETE", target)
}

impl Ask {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn set(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn scope(&self) -> String {
        format!("{}/{}/s3/aws4_request", &self.date[..8], self.region)
    }

    fn canonical_query(query: &[(String, String)]) -> String {
        let mut pairs = query.to_vec();
        pairs.sort();
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    fn canonical_headers(headers: &[(String, String)]) -> (String, String) {
        let mut sorted: Vec<_> = headers.iter().map(|(name, value)| (name.to_lowercase(), value.trim())).collect();
        sorted.sort_by(|a, b| a.0.cmp(&b.0));
        let lines = sorted.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let names = sorted.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        (lines, names)
    }

    pub(crate) fn signing_key(&self) -> Vec<u8> {
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for piece in [&self.date[..8], &self.region, "s3", "aws4_request"] {
            key = hmac(&key, piece.as_bytes());
        }
        key
    }

    fn signature(&self, query: &[(String, String)], headers: &[(String, String)], payload: &str) -> (String, String) {
        let (lines, names) = Self::canonical_headers(headers);
        let query = Self::canonical_query(query);
        let canonical = format!("{}\n{}\n{query}\n{lines}\n{names}\n{payload}", self.method, self.path);
        let hash = sha256(canonical.as_bytes());
        let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{}\n{hash}", self.date, self.scope());
        (hex(&hmac(&self.signing_key(), to_sign.as_bytes())), names)
    }

    /// The request signed in its header, and its signature.
    pub(crate) fn signed(&self) -> (Request<Body>, String) {
        let payload = self.payload.clone().unwrap_or_else(|| sha256(&self.body));
        let mut headers = self.headers.clone();
        headers.push(("x-amz-date".to_owned(), self.date.clone()));
        headers.push(("x-amz-content-sha256".to_owned(), payload.clone()));
        let (signature, names) = self.signature(&self.query, &headers, &payload);
        let (key, scope) = (&self.key, self.scope());
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}");
        headers.push(("authorization".to_owned(), authorization));
        (self.request(&self.query, &headers), signature)
    }

    /// The request signed in its query.
    pub(crate) fn presigned(&self, expires: &str) -> Ask {
        let (_, names) = Self::canonical_headers(&self.headers);
        let mut signed = self.clone();
        for (name, value) in [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256".to_owned()),
            ("X-Amz-Credential", format!("{}/{}", self.key, self.scope()).replace('/', "%2F")),
            ("X-Amz-Date", self.date.clone()),
            ("X-Amz-Expires", expires.to_owned()),
            ("X-Amz-SignedHeaders", names.replace(';', "%3B")),
        ] {
            signed.query.push((name.to_owned(), value));
        }
        let (signature, _) = self.signature(&signed.query, &self.headers, UNSIGNED);
        signed.query.push(("X-Amz-Signature".to_owned(), signature));
        signed
    }

    /// The request as it stands, signed or not.
    pub(crate) fn bare(&self) -> Request<Body> {
        self.request(&self.query, &self.headers)
    }

    fn request(&self, query: &[(String, String)], headers: &[(String, String)]) -> Request<Body> {
        let query: Vec<String> = query
            .iter()
            .map(|(name, value)| if value.is_empty() { name.clone() } else { format!("{name}={value}") })
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let uri = format!("http://{HOST}{}{mark}{}", self.path, query.join("&"));
        let mut request = Request::builder().method(self.method.as_str()).uri(uri);
        for (name, value) in headers.iter().chain(&self.unsigned) {
            request = request.header(name, value);
        }
        request.body(Body::from(Bytes::from(self.body.clone()))).unwrap()
    }

    pub(crate) async fn send(&self, store: &Store) -> Answer {
        Answer::of(store.handle(self.signed().0).await).await
    }

    /// Sends it without a signature.
    pub(crate) async fn send_bare(&self, store: &Store) -> Answer {
        Answer::of(store.handle(self.bare()).await).await
    }

    /// The same, signed by the neighbour.
    pub(crate) fn by_neighbour(self) -> Self {
        self.set(|it| {
            it.key = "AKIDNEIGHBOUR".to_owned();
            it.secret = "neighbours-secret".to_owned();
        })
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let pieces: Vec<Bytes> = body.try_collect().await.unwrap();
        Self { status: head.status, headers: head.headers, body: pieces.concat() }
    }

    /// Checks the status, and gives the answer back.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// Checks the status and the error's code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.element("Code")), (status, Some(code.to_owned())), "{}", self.text());
        self
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of the first such element.
    pub(crate) fn element(&self, name: &str) -> Option<String> {
        self.elements(name).into_iter().next()
    }

    /// The texts of all such elements.
    pub(crate) fn elements(&self, name: &str) -> Vec<String> {
        let text = self.text();
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        text.split(&open).skip(1).filter_map(|rest| Some(rest.split_once(&close)?.0.to_owned())).collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Encodes a key for a path.
pub(crate) fn encode(key: &str) -> String {
    key.bytes().fold(String::new(), |out, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
            out + &char::from(byte).to_string()
        }
        _ => out + &format!("%{byte:02X}"),
    })
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hmac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn crc32(text: &str) -> String {
    let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, text.as_bytes());
    base64(&u32::try_from(sum).unwrap().to_be_bytes())
}
