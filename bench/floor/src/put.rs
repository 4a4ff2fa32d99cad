//! A file in one PUT. Three ways: as a trailer follows, what the checksum needs is read once; where the body is signed
//! its hash stands in front, so the file is read twice; `variant=sendfile` computes nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use job::{BUCKET, Job, Result};
use rustix::fs::sendfile;
use sha2::{Digest, Sha256};
use wire::{Http, Wire};

use crate::connection::{Talk, answer, with};
use crate::sign::{Signer, hex};

/// How much is read at once: little enough to stay in the cache.
const BUFFER: usize = 128 * 1024;

struct Put<'a>(&'a Job);

pub fn file(job: &Job) -> Result {
    with(job, Put(job))
}

impl Talk for Put<'_> {
    fn over<W: Wire>(self, connect: &mut dyn FnMut() -> Result<Http<W>>) -> Result {
        let Self(job) = self;
        let mut http = connect()?;
        let signer = Signer::new(job.authority());
        let path = format!("/{BUCKET}/{}", job.key);
        let length = job.file.metadata()?.len();
        if job.variant == "sendfile" {
            if http.wire.bare().is_none() {
                return job.unsupported();
            }
            let mut head = String::new();
            let lines = format!("content-length: {length}\r\n");
            signer.head(&mut head, ["PUT", &path, ""], "UNSIGNED-PAYLOAD", &[], &lines);
            http.wire.send(&[head.as_bytes()])?;
            send(&http, &job.file, length)?;
        } else if job.signed {
            signed(job, &mut http, &signer, &path, length)?;
        } else {
            trailed(job, &mut http, &signer, &path, length)?;
        }
        answer(&mut http)?;
        Ok(())
    }
}

fn signed<W: Wire>(job: &Job, http: &mut Http<W>, signer: &Signer, path: &str, length: u64) -> Result {
    let (mut crc, mut sha) = (Crc::new(CrcAlgorithm::Crc64Nvme), Sha256::new());
    each_piece(&job.file, |piece| {
        crc.update(piece);
        sha.update(piece);
        Ok(())
    })?;
    let mut content = String::new();
    hex(&mut content, &sha.finalize());
    let checksum = STANDARD.encode(crc.finalize().to_be_bytes());
    let headers = [("x-amz-checksum-crc64nvme", checksum.as_str())];
    let mut head = String::new();
    signer.head(&mut head, ["PUT", path, ""], &content, &headers, &format!("content-length: {length}\r\n"));
    http.wire.send(&[head.as_bytes()])?;
    if http.wire.bare().is_some() {
        send(http, &job.file, length)?;
    } else {
        each_piece(&job.file, |piece| http.wire.send(&[piece]))?;
    }
    Ok(())
}

fn trailed<W: Wire>(job: &Job, http: &mut Http<W>, signer: &Signer, path: &str, length: u64) -> Result {
    let first = format!("{length:x}\r\n");
    // The checksum's eight bytes are twelve digits.
    let last = |checksum: &str| format!("\r\n0\r\nx-amz-checksum-crc64nvme:{checksum}\r\n\r\n");
    let encoded = first.len() as u64 + length + last("000000000000").len() as u64;
    let decoded = length.to_string();
    let headers = [("x-amz-decoded-content-length", decoded.as_str()), ("x-amz-trailer", "x-amz-checksum-crc64nvme")];
    let lines = format!("content-encoding: aws-chunked\r\ncontent-length: {encoded}\r\n");
    let mut head = String::new();
    signer.head(&mut head, ["PUT", path, ""], "STREAMING-UNSIGNED-PAYLOAD-TRAILER", &headers, &lines);
    head.push_str(&first);
    http.wire.send(&[head.as_bytes()])?;
    let mut crc = Crc::new(CrcAlgorithm::Crc64Nvme);
    each_piece(&job.file, |piece| {
        crc.update(piece);
        http.wire.send(&[piece])
    })?;
    let checksum = STANDARD.encode(crc.finalize().to_be_bytes());
    http.wire.send(&[last(&checksum).as_bytes()])?;
    Ok(())
}

fn each_piece(path: &Path, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            count => each(&buffer[..count])?,
        }
    }
}

fn send<W: Wire>(http: &Http<W>, path: &Path, length: u64) -> Result {
    let socket = http.wire.bare().ok_or("no bare socket")?;
    let file = File::open(path)?;
    let mut left = length;
    while left > 0 {
        match sendfile(socket, &file, None, left as usize)? {
            0 => return Err("the file became shorter".into()),
            count => left -= count as u64,
        }
    }
    Ok(())
}
