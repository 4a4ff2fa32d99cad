//! The real binary, run against a store behind a TCP port and against `wharf serve`; whole outputs are compared.

mod bench;
mod cat;
mod ls;
mod presign;
mod serve;
mod usage;
