//! One connection: request after request.

use std::io;

use rustix::net::{RecvFlags, recv};
use wire::{Http, Wire, header};

use crate::answer::{self, Answer};
use crate::request::Request;
use crate::state::State;

/// The most of a body that is kept, from its end on: documents, and the trailers of framed bodies.
const KEPT: usize = 4 * 1024 * 1024;

/// Bodies of data are dropped but for so much of their end, in which a trailer stands.
const TAIL: usize = 1024;

pub fn hold<W: Wire>(wire: W, state: &State) -> io::Result<()> {
    let mut http = Http::new(wire);
    let mut head = Vec::new();
    loop {
        match http.head()? {
            Some(bytes) => {
                head.clear();
                head.extend_from_slice(bytes);
            }
            None => return Ok(()),
        }
        let Some(request) = Request::parse(&head) else {
            return http.wire.send(&[b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]);
        };
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            http.wire.send(&[b"HTTP/1.1 100 Continue\r\n\r\n"])?;
        }
        let is_data = request.method == "PUT" && !request.key.is_empty();
        let body = match request.header("transfer-encoding") {
            Some(_) => chunked(&mut http)?,
            None => {
                let length = request.header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
                sized(&mut http, length, if is_data { TAIL } else { KEPT })?
            }
        };
        let Answer { head: answer_head, body: answer_body, range } = answer::to(&request, &body, state);
        match range {
            // A small object leaves together with its head, as it does from S3.
            Some(range) if range.end - range.start <= 16 * 1024 => {
                let mut whole = answer_head.into_bytes();
                state.content.pieces(range).for_each(|piece| whole.extend_from_slice(piece));
                http.wire.send(&[&whole])?;
            }
            Some(range) => {
                let mut pieces = vec![answer_head.as_bytes()];
                pieces.extend(state.content.pieces(range));
                // As many as the system takes at once.
                for some in pieces.chunks(64) {
                    http.wire.send(some)?;
                }
            }
            None if answer_body.is_empty() => http.wire.send(&[answer_head.as_bytes()])?,
            None => http.wire.send(&[answer_head.as_bytes(), answer_body.as_bytes()])?,
        }
        if header(&head, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            return Ok(());
        }
    }
}

/// What a request carried: how many bytes, and the last of them.
pub struct Carried {
    pub length: u64,
    pub tail: Vec<u8>,
}

fn sized<W: Wire>(http: &mut Http<W>, length: u64, kept: usize) -> io::Result<Carried> {
    let kept_length = length.min(kept as u64);
    let mut dropped = length - kept_length;
    if let Some(socket) = http.wire.bare().filter(|_| dropped > 0).map(|socket| socket.try_clone()).transpose()? {
        dropped = http.drop_buffered(dropped);
        // The kernel drops them, without copying them to anyone.
        let mut room = vec![0; 1024 * 1024];
        while dropped > 0 {
            let most = dropped.min(room.len() as u64) as usize;
            let (_, count) = recv(&socket, &mut room[..most], RecvFlags::TRUNC)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            dropped -= count.min(most) as u64;
        }
    } else {
        http.body(dropped, &mut |_| Ok(()))?;
    }
    let mut tail = Vec::with_capacity(kept_length as usize);
    http.body(kept_length, &mut |piece| {
        tail.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(Carried { length, tail })
}

/// HTTP's own chunks.
fn chunked<W: Wire>(http: &mut Http<W>) -> io::Result<Carried> {
    let mut carried = Carried { length: 0, tail: Vec::new() };
    loop {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            http.body(1, &mut |byte| {
                line.extend_from_slice(byte);
                Ok(())
            })?;
        }
        let digits = String::from_utf8_lossy(&line);
        let digits = digits.trim().split(';').next().unwrap_or_default();
        let Ok(length) = u64::from_str_radix(digits, 16) else {
            return Err(io::Error::other(format!("`{digits}` is no length of a chunk")));
        };
        let more = sized(http, length, KEPT)?;
        sized(http, 2, 2)?;
        if length == 0 {
            return Ok(carried);
        }
        carried.length += length;
        carried.tail = more.tail;
    }
}
