//! Many small objects: one thread asks over several connections, then reads the answers of all.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, checksum};
use job::{BUCKET, Job, Result, SMALL};
use sha2::{Digest, Sha256};
use wire::{Http, Wire, header};

use crate::connection::{Talk, answer, with};
use crate::sign::{Signer, hex};

const AT_ONCE: usize = 8;

pub fn put(job: &Job) -> Result {
    with(job, Put(job))
}

pub fn get(job: &Job) -> Result {
    with(job, Get(job))
}

struct Put<'a>(&'a Job);
struct Get<'a>(&'a Job);

impl Talk for Put<'_> {
    fn over<W: Wire>(self, connect: &mut dyn FnMut() -> Result<Http<W>>) -> Result {
        let Self(job) = self;
        let signer = Signer::new(job.authority());
        let body = &job::block()[..SMALL];
        let lines = format!("content-length: {SMALL}\r\n");
        in_turns(
            job,
            connect,
            &mut |http, head, number| {
                // As for a body that differs each time.
                let sum = STANDARD.encode(checksum(CrcAlgorithm::Crc64Nvme, body).to_be_bytes());
                let mut content = String::with_capacity(64);
                if job.is_https() {
                    content.push_str("UNSIGNED-PAYLOAD");
                } else {
                    hex(&mut content, &Sha256::digest(body));
                }
                let path = format!("/{BUCKET}/put-{}", job::small_key(number));
                signer.head(head, ["PUT", &path, ""], &content, &[("x-amz-checksum-crc64nvme", &sum)], &lines);
                Ok(http.wire.send(&[head.as_bytes(), body])?)
            },
            &mut |http| {
                answer(http)?;
                Ok(())
            },
        )
    }
}

impl Talk for Get<'_> {
    fn over<W: Wire>(self, connect: &mut dyn FnMut() -> Result<Http<W>>) -> Result {
        let Self(job) = self;
        let signer = Signer::new(job.authority());
        in_turns(
            job,
            connect,
            &mut |http, head, number| {
                let path = format!("/{BUCKET}/{}", job::small_key(number));
                let headers = [("x-amz-checksum-mode", "ENABLED")];
                signer.head(head, ["GET", &path, ""], "UNSIGNED-PAYLOAD", &headers, "");
                Ok(http.wire.send(&[head.as_bytes()])?)
            },
            &mut |http| {
                let length = answer(http)?;
                job.expect("bytes", length, SMALL as u64)?;
                let mut bytes = Vec::with_capacity(SMALL);
                http.body(length, &mut |piece| {
                    bytes.extend_from_slice(piece);
                    Ok(())
                })?;
                let found = STANDARD.encode(checksum(CrcAlgorithm::Crc64Nvme, &bytes).to_be_bytes());
                if header(http.last_head(), "x-amz-checksum-crc64nvme") != Some(&found) {
                    return Err("the checksum differs".into());
                }
                std::hint::black_box(bytes);
                Ok(())
            },
        )
    }
}

type Ask<'a, W> = dyn FnMut(&mut Http<W>, &mut String, usize) -> Result + 'a;
type Hear<'a, W> = dyn FnMut(&mut Http<W>) -> Result + 'a;

fn in_turns<W: Wire>(
    job: &Job,
    connect: &mut dyn FnMut() -> Result<Http<W>>,
    ask: &mut Ask<'_, W>,
    hear: &mut Hear<'_, W>,
) -> Result {
    let mut connections = (0..AT_ONCE).map(|_| connect()).collect::<Result<Vec<_>>>()?;
    let mut head = String::with_capacity(1024);
    let mut asked = 0;
    while asked < job.count {
        let now = AT_ONCE.min(job.count - asked);
        for (at, http) in connections[..now].iter_mut().enumerate() {
            ask(http, &mut head, asked + at)?;
        }
        connections[..now].iter_mut().try_for_each(&mut *hear)?;
        asked += now;
    }
    Ok(())
}
