use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server};

use super::super::tls::provider;
use super::*;

fn config(versions: &[&'static SupportedProtocolVersion]) -> (Arc<ClientConfig>, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider().unwrap()).with_protocol_versions(versions).unwrap();
    let server = ServerConfig::builder_with_provider(provider().unwrap()).with_protocol_versions(versions).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let server = server.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (Arc::new(client.with_root_certificates(roots).with_no_client_auth()), TlsAcceptor::from(Arc::new(server)))
}

fn localhost() -> ServerName<'static> {
    "localhost".try_into().unwrap()
}

/// Both ends of a connection through which at most so many bytes go at once.
async fn connected(room: usize) -> (TlsStream, server::TlsStream<DuplexStream>) {
    let (client, acceptor) = config(rustls::ALL_VERSIONS);
    let (near, far) = duplex(room);
    let (stream, accepted) =
        tokio::join!(TlsStream::connect(Box::new(near), client, localhost()), acceptor.accept(far));
    (stream.unwrap(), accepted.unwrap())
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 31 % 251) as u8).collect()
}

#[tokio::test]
async fn bytes_go_both_ways_however_they_are_cut() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (room, length) in [(1, 40_000), (7, 40_000), (5000, 600_000), (1 << 20, 600_000)] {
            let (client, acceptor) = config(&[version]);
            let (near, far) = duplex(room);
            let server = tokio::spawn(async move {
                let mut accepted = acceptor.accept(far).await.unwrap();
                let mut came = vec![0; length + 5];
                accepted.read_exact(&mut came).await.unwrap();
                accepted.write_all(&came).await.unwrap();
                accepted.shutdown().await.unwrap();
                came
            });
            let stream = TlsStream::connect(Box::new(near), client, localhost()).await.unwrap();
            let (head, body) = (b"head\n", bytes(length));
            let (mut reading, mut writing) = tokio::io::split(stream);
            let write = async {
                let sent = writing.write_vectored(&[IoSlice::new(head), IoSlice::new(&body)]).await.unwrap();
                assert!(sent > head.len() && sent <= AT_ONCE);
                let (now, later) = body[sent - head.len()..].split_at(5.min(body.len() + head.len() - sent));
                writing.write_all(now).await.unwrap();
                writing.write_all(later).await.unwrap();
                writing.flush().await.unwrap();
            };
            let read = async {
                let (mut came, mut piece) = (Vec::new(), [0; 20_000]);
                // Now there is room for a piece of a record, now for more than one.
                for size in [1, 100, 20_000].into_iter().cycle() {
                    match reading.read(&mut piece[..size]).await.unwrap() {
                        0 => break,
                        count => came.extend_from_slice(&piece[..count]),
                    }
                }
                assert_eq!(reading.read(&mut piece).await.unwrap(), 0, "an end stays one");
                came
            };
            let both = async { tokio::join!(write, read).1 };
            let came = timeout(Duration::from_secs(60), both).await.expect("it hangs");
            assert!(came.len() == head.len() + body.len() && came[5..] == body, "{room} at once");
            assert_eq!(reading.unsplit(writing).sealed.capacity(), 0, "memory is kept");
            assert!(server.await.unwrap() == came);
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_off_did_not_end() {
    let (mut stream, mut server) = connected(1 << 16).await;
    server.write_all(b"half").await.unwrap();
    drop(server);
    let mut came = [0; 100];
    assert_eq!(stream.read(&mut came).await.unwrap(), 4);
    assert_eq!(stream.read(&mut came).await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn what_came_before_a_forged_record_is_given_and_nothing_after_it() {
    let (mut stream, mut server) = connected(1 << 16).await;
    server.write_all(b"true").await.unwrap();
    server.get_mut().0.write_all(b"\x17\x03\x03\x00\x20this was never sealed by anybody").await.unwrap();
    server.write_all(b"later").await.unwrap();
    let mut came = [0; 100];
    assert_eq!(stream.read(&mut came).await.unwrap(), 4);
    let error = stream.read(&mut came).await.unwrap_err();
    assert_eq!(error.into_inner().unwrap().downcast_ref(), Some(&rustls::Error::DecryptError));
    // And the server hears why.
    drop(stream);
    let heard = server.read(&mut came).await.unwrap_err().into_inner().unwrap();
    let alert = rustls::Error::AlertReceived(rustls::AlertDescription::BadRecordMac);
    assert_eq!(heard.downcast_ref(), Some(&alert));
}

#[tokio::test]
async fn why_it_fails_is_said_behind_what_was_still_to_be_said() {
    let (mut stream, mut server) = connected(1 << 16).await;
    server.get_mut().1.refresh_traffic_keys().unwrap();
    server.write_all(b"true").await.unwrap();
    server.get_mut().0.write_all(b"\x17\x03\x03\x00\x20this was never sealed by anybody").await.unwrap();
    let mut came = [0; 4];
    stream.read_exact(&mut came).await.unwrap();
    // It is found by who writes, and told to who reads.
    assert_eq!(stream.write_all(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    let error = stream.read(&mut came).await.unwrap_err().into_inner().unwrap();
    assert_eq!(error.downcast_ref(), Some(&rustls::Error::DecryptError));
    drop(stream);
    let heard = server.read(&mut came).await.unwrap_err().into_inner().unwrap();
    assert!(matches!(heard.downcast_ref(), Some(rustls::Error::AlertReceived(_))), "{heard}");
}

#[tokio::test]
async fn a_server_may_end_as_soon_as_it_has_begun() {
    let (client, acceptor) = config(&[&rustls::version::TLS12]);
    let (near, far) = duplex(1 << 16);
    let serve = async {
        let mut accepted = acceptor.accept(far).await.unwrap();
        accepted.write_all(b"bye").await.unwrap();
        accepted.shutdown().await.unwrap();
    };
    let (stream, ()) = tokio::join!(TlsStream::connect(Box::new(near), client, localhost()), serve);
    let mut came = Vec::new();
    stream.unwrap().read_to_end(&mut came).await.unwrap();
    assert_eq!(came, b"bye");
}

#[tokio::test]
async fn a_read_gives_all_that_came() {
    let (mut stream, mut server) = connected(1 << 16).await;
    for _ in 0..3 {
        server.write_all(&bytes(10_000)).await.unwrap();
    }
    let mut came = vec![0; 40_000];
    assert_eq!(stream.read(&mut came[..5000]).await.unwrap(), 5000);
    assert_eq!(stream.read(&mut came[5000..]).await.unwrap(), 25_000);
    assert!(came[..10_000] == bytes(10_000) && came[20_000..30_000] == bytes(10_000));
}

#[tokio::test]
async fn a_server_that_is_not_believed_hears_why() {
    let (client, _) = config(rustls::ALL_VERSIONS);
    let (_, acceptor) = config(rustls::ALL_VERSIONS);
    let (near, far) = duplex(1 << 16);
    let (stream, accepted) =
        tokio::join!(TlsStream::connect(Box::new(near), client, localhost()), acceptor.accept(far));
    let said = stream.err().unwrap().into_inner().unwrap();
    assert!(matches!(said.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))), "{said}");
    let heard = accepted.unwrap_err().into_inner().unwrap();
    assert!(matches!(heard.downcast_ref(), Some(rustls::Error::AlertReceived(_))), "{heard}");
}

#[tokio::test]
async fn keys_are_changed_amid_what_is_sent() {
    let (mut stream, mut server) = connected(1 << 16).await;
    let mut came = [0; 5];
    for _ in 0..3 {
        server.get_mut().1.refresh_traffic_keys().unwrap();
        server.write_all(b"hello").await.unwrap();
        server.flush().await.unwrap();
        stream.read_exact(&mut came).await.unwrap();
        stream.write_all(&came).await.unwrap();
        stream.flush().await.unwrap();
        server.read_exact(&mut came).await.unwrap();
        assert_eq!(&came, b"hello");
    }
}
