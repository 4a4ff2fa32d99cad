//! What a client has done so far.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::transfer::{LEAST, Silence, Waits};

/// What a client and all its clones have done so far: see [`Client::counters`](crate::Client::counters).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests sent, each attempt for itself.
    pub requests: u64,
    /// Those of them that made an earlier one again, for a call or a transfer.
    pub retries: u64,
    /// Answers that asked for fewer requests ([`SlowDown`](crate::ErrorKind::SlowDown)).
    pub throttles: u64,
    /// Bytes of requests' bodies handed to the transport, with their framing and those of failed attempts.
    pub bytes_sent: u64,
    /// Bytes of answers' bodies that were read.
    pub bytes_received: u64,
    /// Connections to S3 that were begun; none where [`ClientBuilder::transport`](crate::ClientBuilder::transport) carries the
    /// bytes.
    pub connections_opened: u64,
    /// Requests that wait for the server now, to take what is sent or to answer. It alone goes down again.
    pub awaited: u64,
}

/// Where it is counted.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    requests: AtomicU64,
    retries: AtomicU64,
    throttles: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    connections_opened: AtomicU64,
    awaited: AtomicU64,
    answered: AtomicBool,
    waits: Waits,
    silence: Silence,
}

impl Tally {
    pub(crate) fn answer(&self) {
        // Once is enough, and all threads share it.
        if !self.was_answered() {
            self.answered.store(true, Ordering::Relaxed);
        }
    }

    /// Whether a server has ever answered.
    pub(crate) fn was_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Whether transfers have tried the server for so long, and it served none; at once where it has never answered.
    pub(crate) fn is_away(&self, patience: Duration) -> bool {
        // Of those that began together, the first gives up a moment before the silence of all has lasted as long.
        let patience = patience.saturating_sub(LEAST).max(LEAST);
        self.silence.lasted().is_some_and(|lasted| lasted >= patience || !self.was_answered())
    }

    /// For how long the server has served nothing.
    pub(crate) fn silence(&self) -> &Silence {
        &self.silence
    }

    /// What its transfers wait for.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn throttle(&self) {
        self.throttles.fetch_add(1, Ordering::Relaxed);
    }

    /// A request waits for the server, or no longer does.
    pub(crate) fn awaits(&self, waits: bool) {
        match waits {
            true => self.awaited.fetch_add(1, Ordering::Relaxed),
            false => self.awaited.fetch_sub(1, Ordering::Relaxed),
        };
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.bytes_sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.bytes_received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many there were before.
    pub(crate) fn connection(&self) -> u64 {
        self.connections_opened.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn read(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            requests: read(&self.requests),
            retries: read(&self.retries),
            throttles: read(&self.throttles),
            bytes_sent: read(&self.bytes_sent),
            bytes_received: read(&self.bytes_received),
            connections_opened: read(&self.connections_opened),
            awaited: read(&self.awaited),
        }
    }
}
