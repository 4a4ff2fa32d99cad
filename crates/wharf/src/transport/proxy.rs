//! Which proxy a connection goes through, and how it does.

use std::fmt;
use std::io;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wharf_proto::Error;

use super::connect::Socket;
use super::dial::{Unreachable, is_loopback};
use super::pool::Destination;
use super::{TransportError, TransportErrorKind};
use crate::explain::Setting;
use crate::settings::{Found, Origin};

/// What a proxy may answer before the tunnel is open.
const MAX_HEAD: usize = 16 * 1024;

/// The services of the machine that the program runs on, which no proxy reaches: instance metadata, container and pod
/// credentials.
const LINK_LOCAL: [&str; 5] = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];

/// The proxies in use, by scheme, and who is reached without one. None by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    except: Vec<Exception>,
    /// The list of exceptions as it was found.
    exceptions: Option<Found<String>>,
}

impl Proxies {
    /// One proxy for everything but this machine's own services.
    pub(crate) fn all(url: &str) -> Result<Self, Error> {
        let proxy =
            Proxy::parse(url, Origin::Code).map_err(|problem| Error::invalid_input(format!("the proxy: {problem}")))?;
        Ok(Self { http: Some(proxy.clone()), https: Some(proxy), ..Self::default() })
    }

    /// The proxies that `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name, in lower case or upper.
    pub(crate) fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let either = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| Some(Found::new(variable(name)?, Origin::Variable(name))))
        };
        let named = |names: [&'static str; 2]| {
            let Some(url) = either(names).or_else(|| either(["all_proxy", "ALL_PROXY"])) else { return Ok(None) };
            Proxy::parse(&url.value, url.origin.clone())
                .map(Some)
                .map_err(|problem| Error::invalid_input(format!("{}: {problem}", url.origin)))
        };
        // A web server sets HTTP_PROXY for its scripts from a header that anybody may send.
        let is_script = variable("REQUEST_METHOD").is_some();
        let http = if is_script { None } else { named(["http_proxy", "HTTP_PROXY"])? };
        let https = named(["https_proxy", "HTTPS_PROXY"])?;
        let exceptions = either(["no_proxy", "NO_PROXY"]);
        let except = exceptions.as_ref().map(|list| parse_exceptions(&list.value)).unwrap_or_default();
        Ok(Self { http, https, except, exceptions })
    }

    /// What they are, for people. `none_by` is who says so where there is none.
    pub(crate) fn tell(&self, none_by: &Origin) -> Vec<Setting> {
        let row = |name, proxy: &Option<Proxy>| match proxy {
            Some(proxy) => Setting::new(name, proxy.name(), proxy.origin.clone()),
            None => Setting::new(name, "none".to_owned(), none_by.clone()),
        };
        let mut rows = vec![row("proxy for http", &self.http), row("proxy for https", &self.https)];
        let exceptions = self.exceptions.as_ref().filter(|_| self.http.is_some() || self.https.is_some());
        rows.extend(exceptions.map(|list| Setting::new("without a proxy", list.value.clone(), list.origin.clone())));
        rows
    }

    /// Whether what goes by plain http does so by way of TLS.
    pub(crate) fn speak_tls_for_http(&self) -> bool {
        self.http.as_ref().is_some_and(Proxy::is_https)
    }

    pub(crate) fn of(&self, to: &Destination) -> Option<&Proxy> {
        let proxy = if to.https { self.https.as_ref() } else { self.http.as_ref() }?;
        let host = to.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let is_direct = is_loopback(&host)
            || LINK_LOCAL.contains(&host.as_str())
            || self.except.iter().any(|exception| exception.covers(&host, to.port()));
        (!is_direct).then_some(proxy)
    }
}

/// An HTTP proxy.
#[derive(Clone)]
pub(crate) struct Proxy {
    /// It is spoken to by TLS, whatever goes through it.
    is_https: bool,
    host: String,
    port: u16,
    origin: Origin,
    /// `Proxy-Authorization`, where its URL has a user.
    pub(crate) authorization: Option<HeaderValue>,
}

impl Proxy {
    fn parse(url: &str, origin: Origin) -> Result<Self, String> {
        // A URL may hold a password: it is not repeated.
        let example = "it reads like http://proxy.example:3128";
        let uri: Uri = match url.contains("://") {
            true => url.parse(),
            false => format!("http://{url}").parse(),
        }
        .map_err(|_| format!("that is no URL of a proxy; {example}"))?;
        let (is_https, port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            other => {
                let scheme = other.unwrap_or_default();
                return Err(format!("proxies of the kind {scheme}:// are not supported; {example}"));
            }
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| format!("it names no host; {example}"))?;
        let user = uri.authority().and_then(|authority| authority.as_str().rsplit_once('@')).map(|(user, _)| user);
        let authorization = user.and_then(|user| {
            let mut user: Vec<u8> = percent_decode_str(user).collect();
            if !user.contains(&b':') {
                // An empty password is one: without the colon this would be no user either.
                user.push(b':');
            }
            let mut value = HeaderValue::try_from(format!("Basic {}", BASE64.encode(user))).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Ok(Self { is_https, host: host.to_owned(), port: uri.port_u16().unwrap_or(port), origin, authorization })
    }

    /// As it is shown: `proxy.example:3128`, or `https://proxy.example:3128`.
    fn name(&self) -> String {
        let scheme = if self.is_https { "https://" } else { "" };
        format!("{scheme}{}:{}", self.host, self.port)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Has the proxy lead `socket`, a connection to it, on to `host`. It sees none of what passes then.
    pub(crate) async fn tunnel(&self, socket: &mut impl Socket, host: &str, port: u16) -> Result<(), TransportError> {
        self.open(socket, host, port).await.map_err(|error| self.led_nowhere(host, port, &error))
    }

    /// The proxy answers a request for `host` itself: it takes none without a user that it knows.
    pub(crate) fn wants_user(&self, host: &str, port: u16) -> TransportError {
        self.led_nowhere(host, port, &self.unknown_user())
    }

    fn led_nowhere(&self, host: &str, port: u16, error: &io::Error) -> TransportError {
        let error = io::Error::new(error.kind(), format!("the proxy did not connect to {host}:{port}: {error}"));
        let error = Unreachable { host: self.host.clone(), port: self.port, error };
        TransportError::new(TransportErrorKind::Connect, error)
    }

    fn unknown_user(&self) -> io::Error {
        io::Error::other(match self.authorization {
            Some(_) => "it does not take this user and password",
            None => "it wants a user and a password, as in http://user:password@proxy",
        })
    }

    async fn open(&self, socket: &mut impl Socket, host: &str, port: u16) -> io::Result<()> {
        let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        socket.write_all(&request).await?;
        socket.flush().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() == MAX_HEAD {
                return Err(io::Error::other("its answer has no end"));
            }
            // Byte by byte: what follows the head is the other side's, and not to be lost.
            head.push(socket.read_u8().await.map_err(|_| io::Error::other("it closed the connection"))?);
        }
        let line = String::from_utf8_lossy(&head);
        let line = line.lines().next().unwrap_or_default().trim();
        match line.split(' ').nth(1) {
            Some(status) if line.starts_with("HTTP/1.") && status.len() == 3 && status.starts_with('2') => Ok(()),
            Some("407") => Err(self.unknown_user()),
            _ => Err(io::Error::other(format!("it answered {line:?}"))),
        }
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.origin)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// An entry of `NO_PROXY`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    host: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// A domain and all names under it.
    Domain(String),
    /// Addresses that share this many bits.
    Network(IpAddr, u8),
}

fn parse_exceptions(list: &str) -> Vec<Exception> {
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).map(Exception::parse).collect()
}

impl Exception {
    fn parse(entry: &str) -> Self {
        if entry == "*" {
            return Self { host: Hosts::All, port: None };
        }
        if let Some((address, bits)) = entry.split_once('/')
            && let (Ok(address), Ok(bits)) = (address.parse(), bits.parse())
        {
            return Self { host: Hosts::Network(address, bits), port: None };
        }
        let whole = entry.trim_matches(['[', ']']);
        if let Ok(address) = whole.parse::<IpAddr>() {
            return Self { host: Hosts::Network(address, 128), port: None };
        }
        let (host, port) = match entry.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => (host, Some(port)),
            _ => (entry, None),
        };
        let host = host.trim_matches(['[', ']']);
        let host = match host.parse::<IpAddr>() {
            Ok(address) => Hosts::Network(address, 128),
            Err(_) => Hosts::Domain(host.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase()),
        };
        Self { host, port }
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        let covered = match &self.host {
            Hosts::All => true,
            Hosts::Domain(domain) => {
                host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Hosts::Network(network, bits) => {
                host.parse().is_ok_and(|address: IpAddr| share_bits(*network, address, *bits))
            }
        };
        covered && self.port.is_none_or(|only| only == port)
    }
}

fn share_bits(network: IpAddr, address: IpAddr, bits: u8) -> bool {
    let differing = match (network, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => u128::from(a.to_bits() ^ b.to_bits()) << 96,
        (IpAddr::V6(a), IpAddr::V6(b)) => a.to_bits() ^ b.to_bits(),
        _ => return false,
    };
    differing.leading_zeros() >= u32::from(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(url: &str) -> Destination {
        Destination::of(&url.parse().unwrap()).unwrap()
    }

    fn found(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
        let proxies = Proxies::from_environment(variable).unwrap();
        proxies.of(&to(url)).map(|proxy| format!("{}:{}", proxy.host, proxy.port))
    }

    #[test]
    fn by_the_environment() {
        let both =
            [("HTTP_PROXY", "http://plain:3128"), ("https_proxy", "secure:8080"), ("HTTPS_PROXY", "http://no:1")];
        assert_eq!(found(&both, "http://s3.example/"), Some("plain:3128".to_owned()));
        assert_eq!(found(&both, "https://s3.example/"), Some("secure:8080".to_owned()));
        assert_eq!(found(&[("ALL_PROXY", "http://all")], "https://s3.example/"), Some("all:80".to_owned()));
        assert_eq!(found(&[], "https://s3.example/"), None);
        let script = [("HTTP_PROXY", "http://evil"), ("REQUEST_METHOD", "GET")];
        assert_eq!(found(&script, "http://s3.example/"), None);
    }

    #[test]
    fn this_machine_and_its_services_are_reached_straight() {
        let all = [("ALL_PROXY", "http://all")];
        for url in [
            "http://127.0.0.1:9000/",
            "http://localhost/",
            "https://bucket.s3.localhost/",
            "http://[::1]:80/",
            "http://169.254.169.254/latest",
            "http://169.254.170.23/v1",
            "http://[fd00:ec2::254]/latest",
        ] {
            assert_eq!(found(&all, url), None, "{url}");
        }
        assert!(found(&all, "http://169.254.169.253/").is_some());
    }

    #[test]
    fn exceptions_by_name_network_and_port() {
        for (list, url, excepted) in [
            ("*", "https://s3.example/", true),
            ("example", "https://s3.example/", true),
            (".example", "https://s3.example/", true),
            ("*.example", "https://S3.EXAMPLE/", true),
            ("ample", "https://s3.example/", false),
            ("a, s3.example ,b", "https://s3.example/", true),
            ("s3.example:443", "https://s3.example/", true),
            ("s3.example:80", "https://s3.example/", false),
            ("10.0.0.0/8", "https://10.9.8.7/", true),
            ("10.0.0.0/8", "https://11.9.8.7/", false),
            ("10.0.0.1", "https://10.0.0.1/", true),
            ("10.0.0.1:80", "https://10.0.0.1/", false),
            ("fd00::/16", "https://[fd00::7]/", true),
            ("[fd00::7]:443", "https://[fd00::7]/", true),
            ("10.0.0.0/8", "https://s3.example/", false),
            ("0.0.0.0/0", "https://10.0.0.1/", true),
            ("", "https://s3.example/", false),
        ] {
            let direct = found(&[("ALL_PROXY", "http://all"), ("NO_PROXY", list)], url).is_none();
            assert_eq!(direct, excepted, "{list:?} {url}");
        }
    }

    #[test]
    fn users_are_sent_and_never_shown() {
        let proxy = Proxy::parse("http://us%40er:pa%3Ass@proxy:3128", Origin::Variable("HTTP_PROXY")).unwrap();
        assert_eq!(proxy.authorization.clone().unwrap(), "Basic dXNAZXI6cGE6c3M=");
        assert_eq!(format!("{proxy:?}"), "Proxy { host: \"proxy\", port: 3128, .. }");
        assert_eq!(proxy.to_string(), "proxy:3128 (HTTP_PROXY)");
        assert_eq!(Proxy::parse("http://me@proxy", Origin::Code).unwrap().authorization.unwrap(), "Basic bWU6");
    }

    #[test]
    fn what_is_no_proxy() {
        for (url, said) in [
            ("socks5://proxy:1080", "proxies of the kind socks5:// are not supported"),
            ("http://user:secret@ proxy", "that is no URL of a proxy"),
        ] {
            let error = Proxies::all(url).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("secret"), "{error}");
        }
        let error = Proxies::from_environment(|name| (name == "https_proxy").then(|| "ftp://x".to_owned()));
        assert!(error.unwrap_err().to_string().contains("https_proxy: proxies of the kind ftp://"));
    }
}
