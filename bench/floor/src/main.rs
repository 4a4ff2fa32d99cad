//! What the work costs at least: a thread, sockets that block, nothing general. Whatever checksum a row is about is
//! computed here too, and compared where bytes come in.

mod connection;
mod get;
mod list;
mod put;
mod sign;
mod small;

use std::process::ExitCode;

use job::Work;

fn main() -> ExitCode {
    job::run(|job| match job.work {
        Work::Nothing => Ok(()),
        Work::Put => put::file(job),
        Work::GetFile => get::to_file(job),
        Work::GetNull => get::discarded(job),
        Work::SmallPut => small::put(job),
        Work::SmallGet => small::get(job),
        Work::List => list::all(job),
    })
}
