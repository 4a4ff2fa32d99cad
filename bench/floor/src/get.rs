//! The large object, its checksum compared with what the server says.

use std::fs::File;
use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use job::{BUCKET, Job, Result};
use wire::{Each, Http, Wire, header};

use crate::connection::{Talk, answer, with};
use crate::sign::Signer;

/// TLS gives records of 16 KiB; they are gathered to so much before they are written.
const GATHERED: usize = 256 * 1024;

pub fn discarded(job: &Job) -> Result {
    with(job, Get { job, each: &mut |_| Ok(()) })
}

pub fn to_file(job: &Job) -> Result {
    let mut file = File::create(&job.file)?;
    if !job.is_https() {
        return with(job, Get { job, each: &mut |piece| file.write_all(piece) });
    }
    let mut gathered = Vec::with_capacity(GATHERED);
    let mut each = |piece: &[u8]| -> io::Result<()> {
        if gathered.len() + piece.len() > GATHERED {
            file.write_all(&gathered)?;
            gathered.clear();
        }
        gathered.extend_from_slice(piece);
        Ok(())
    };
    with(job, Get { job, each: &mut each })?;
    file.write_all(&gathered)?;
    Ok(())
}

struct Get<'a> {
    job: &'a Job,
    each: &'a mut Each<'a>,
}

impl Talk for Get<'_> {
    fn over<W: Wire>(self, connect: &mut dyn FnMut() -> Result<Http<W>>) -> Result {
        let Self { job, each } = self;
        let mut http = connect()?;
        let mut head = String::new();
        let path = format!("/{BUCKET}/{}", job.key);
        let headers = [("x-amz-checksum-mode", "ENABLED")];
        Signer::new(job.authority()).head(&mut head, ["GET", &path, ""], "UNSIGNED-PAYLOAD", &headers, "");
        http.wire.send(&[head.as_bytes()])?;
        let length = answer(&mut http)?;
        job.expect("bytes", length, job.size)?;
        let wanted = header(http.last_head(), "x-amz-checksum-crc64nvme").ok_or("no checksum came")?.to_owned();
        let mut crc = Crc::new(CrcAlgorithm::Crc64Nvme);
        http.body(length, &mut |piece| {
            crc.update(piece);
            each(piece)
        })?;
        let found = STANDARD.encode(crc.finalize().to_be_bytes());
        if found == wanted { Ok(()) } else { Err(format!("the checksum is {found}, not {wanted}").into()) }
    }
}
