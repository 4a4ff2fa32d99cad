//! Moving things: what `cp`, `mv`, `sync` and `pipe` have in common.
//!
//! [`place`] and [`route`] say from where to where, [`local`] goes through trees; a [`mover`] moves one thing and a
//! [`crew`] many at a time, and [`told`] is what is told of them.

pub(crate) mod attributes;
pub(crate) mod carry;
pub(crate) mod case;
pub(crate) mod crew;
mod fingerprint;
pub(crate) mod local;
pub(crate) mod mover;
pub(crate) mod options;
pub(crate) mod pipe;
pub(crate) mod place;
pub(crate) mod resume;
pub(crate) mod route;
pub(crate) mod told;
pub(crate) mod unfinished;
