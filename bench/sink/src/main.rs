//! A server that costs less than any client: it answers as S3 does and keeps nothing but lengths.
//!
//! `sink [size=BYTES] [keys=COUNT] [small=COUNT] [synced=COUNT] [ca=FILE] [port=HTTP] [tls-port=HTTPS]` prints the endpoints, a line each, and serves
//! until its stdin ends.

mod answer;
mod content;
mod conversation;
mod listing;
mod request;
mod state;
mod tls;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use job::Result;
use wire::{Plain, Tls};

use listing::Listing;
use state::State;

struct Settings {
    size: u64,
    keys: usize,
    small: usize,
    synced: usize,
    ca: PathBuf,
    ports: [u16; 2],
}

impl Settings {
    fn from_args(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut settings = Self {
            size: 1024 * job::MIB,
            keys: 1_000_000,
            small: 10_000,
            synced: 100_000,
            ca: "ca.pem".into(),
            ports: [0, 0],
        };
        for word in words {
            match word.split_once('=') {
                Some(("size", value)) => settings.size = value.parse()?,
                Some(("keys", value)) => settings.keys = value.parse()?,
                Some(("small", value)) => settings.small = value.parse()?,
                Some(("synced", value)) => settings.synced = value.parse()?,
                Some(("ca", value)) => settings.ca = value.into(),
                Some(("port", value)) => settings.ports[0] = value.parse()?,
                Some(("tls-port", value)) => settings.ports[1] = value.parse()?,
                _ => {
                    let known = "size=, keys=, small=, synced=, ca=, port=, tls-port=";
                    return Err(format!("`{word}` is none of {known}").into());
                }
            }
        }
        Ok(settings)
    }
}

fn main() -> ExitCode {
    match Settings::from_args(std::env::args().skip(1)).and_then(serve) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sink: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(settings: Settings) -> Result {
    let Settings { size, keys, small, synced, .. } = settings;
    let state = Arc::new(State::new(Listing { size, keys, small, synced }));
    let tls = tls::config(&settings.ca)?;
    let plain = TcpListener::bind(("127.0.0.1", settings.ports[0]))?;
    let encrypted = TcpListener::bind(("127.0.0.1", settings.ports[1]))?;
    let mut out = io::stdout();
    writeln!(out, "http://127.0.0.1:{}", plain.local_addr()?.port())?;
    writeln!(out, "https://localhost:{}", encrypted.local_addr()?.port())?;
    out.flush()?;
    let for_plain = state.clone();
    accept(plain, move |socket| conversation::hold(Plain::new(socket)?, &for_plain));
    accept(encrypted, move |socket| conversation::hold(Tls::accept(socket, tls.clone())?, &state));
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A thread for each connection: they block, which is the cheapest.
fn accept(listener: TcpListener, talk: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) {
    let talk = Arc::new(talk);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let talk = talk.clone();
            thread::spawn(move || match talk(socket) {
                // Clients leave in many ways, none of which matters.
                Err(error) if std::env::var_os("SINK_LOG").is_some() => eprintln!("sink: {error}"),
                _ => (),
            });
        }
    });
}
