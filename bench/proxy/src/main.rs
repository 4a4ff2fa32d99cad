//! A TCP proxy that delays whatever passes, in both directions, up to 16 MiB of a connection at a time:
//! `delay-proxy to=127.0.0.1:4000 [delay-ms=25] [port=0]` prints its address and serves until its stdin ends.
//!
//! The handshake of TCP itself is not delayed: the system answers it. What goes over a connection is.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How much is read at once, and how many such reads of a connection may be under way: 16 MiB, as the window of a TCP
/// connection would allow, and more than passes in a delay. Without a limit what a client asks for and then leaves to others
/// would all be sent.
const PIECE: usize = 256 * 1024;
const PIECES: usize = 64;

struct Settings {
    to: String,
    delay: Duration,
    port: u16,
}

fn main() -> ExitCode {
    match settings().and_then(|settings| serve(settings).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("delay-proxy: {error}");
            ExitCode::FAILURE
        }
    }
}

fn settings() -> Result<Settings, String> {
    let mut settings = Settings { to: String::new(), delay: Duration::from_millis(25), port: 0 };
    for word in std::env::args().skip(1) {
        let number = |text: &str| text.parse().map_err(|_| format!("`{word}` has no number"));
        match word.split_once('=') {
            Some(("to", value)) => settings.to = value.to_owned(),
            Some(("delay-ms", value)) => settings.delay = Duration::from_millis(u64::from(number(value)?)),
            Some(("port", value)) => settings.port = number(value)?,
            _ => return Err(format!("`{word}` is none of to=, delay-ms=, port=")),
        }
    }
    if settings.to.is_empty() { Err("to=HOST:PORT is missing".to_owned()) } else { Ok(settings) }
}

fn serve(settings: Settings) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", settings.port))?;
    let mut out = io::stdout();
    writeln!(out, "127.0.0.1:{}", listener.local_addr()?.port())?;
    out.flush()?;
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // A server that is gone closes the connection.
            let _ = join(client, &settings);
        }
    });
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn join(client: TcpStream, settings: &Settings) -> io::Result<()> {
    let server = TcpStream::connect(&settings.to)?;
    for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
        from.set_nodelay(true)?;
        to.set_nodelay(true)?;
        let (sender, receiver) = sync_channel(PIECES);
        let delay = settings.delay;
        thread::spawn(move || take(from, &sender, delay));
        thread::spawn(move || give(to, &receiver));
    }
    Ok(())
}

type Piece = (Instant, Vec<u8>);

fn take(mut from: TcpStream, sender: &SyncSender<Piece>, delay: Duration) {
    let mut buffer = vec![0; PIECE];
    // An error is an end.
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if sender.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
            break;
        }
    }
    let _ = sender.send((Instant::now() + delay, Vec::new()));
}

fn give(mut to: TcpStream, receiver: &Receiver<Piece>) {
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if bytes.is_empty() || to.write_all(&bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
