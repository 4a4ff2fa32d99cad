//! The table: what is measured, and what was measured when it was set up.

use job::Work;

/// Where bytes of a file come from or go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: they are dropped, or are in memory.
    None,
    Tmpfs,
    Disk,
}

/// What counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Cpu,
    /// The time it takes, at a latency.
    Time,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What it is called on the command line.
    pub name: &'static str,
    pub title: &'static str,
    pub work: Work,
    pub is_https: bool,
    /// Over http, the signature covers the payload.
    pub signed: bool,
    pub place: Place,
    /// How many small objects, where not as many as the settings say.
    pub count: Option<usize>,
    pub counts: Counts,
    pub in_quick: bool,
    /// The first measurement, in seconds of CPU: it says what a floor and the best peer are to each other.
    pub first: Option<First>,
}

/// The figures of the first measurement; the middle where it gave a range.
#[derive(Debug, Clone, Copy)]
pub struct First {
    pub floor: f64,
    pub best_peer: f64,
    /// What wharf is to reach.
    pub aim: f64,
}

const fn first(floor: f64, best_peer: f64, aim: f64) -> Option<First> {
    Some(First { floor, best_peer, aim })
}

impl Row {
    /// Whether wharf is to be ahead here. The others say what is in the figures of all: starting.
    pub fn is_judged(&self) -> bool {
        self.first.is_some() || self.counts == Counts::Time
    }
}

const BASE: Row = Row {
    name: "",
    title: "",
    work: Work::Nothing,
    is_https: false,
    signed: false,
    place: Place::None,
    count: None,
    counts: Counts::Cpu,
    in_quick: false,
    first: None,
};

pub const ROWS: &[Row] = &[
    Row { name: "nothing", title: "start and end", ..BASE },
    Row { name: "one-http", title: "start, one GET of 4 KiB, http", work: Work::SmallGet, count: Some(1), ..BASE },
    Row {
        name: "one-https",
        title: "start, one GET of 4 KiB, https",
        work: Work::SmallGet,
        is_https: true,
        count: Some(1),
        ..BASE
    },
    Row {
        name: "put-https",
        title: "PUT 1 GiB, https",
        work: Work::Put,
        is_https: true,
        place: Place::Tmpfs,
        in_quick: true,
        first: first(0.45, 0.85, 0.60),
        ..BASE
    },
    Row {
        name: "put-http",
        title: "PUT 1 GiB, http, payload unsigned",
        work: Work::Put,
        place: Place::Tmpfs,
        in_quick: true,
        first: first(0.27, 0.55, 0.38),
        ..BASE
    },
    Row {
        name: "put-http-signed",
        title: "PUT 1 GiB, http, payload signed",
        work: Work::Put,
        signed: true,
        place: Place::Tmpfs,
        first: first(1.08, 1.5, 1.20),
        ..BASE
    },
    Row {
        name: "get-file-http",
        title: "GET 1 GiB to a file (tmpfs), http",
        work: Work::GetFile,
        place: Place::Tmpfs,
        in_quick: true,
        first: first(0.52, 0.795, 0.52 * 1.2),
        ..BASE
    },
    Row {
        name: "get-file-http-disk",
        title: "GET 1 GiB to a file (disk), http",
        work: Work::GetFile,
        place: Place::Disk,
        first: first(0.34, 0.73, 0.34 * 1.2),
        ..BASE
    },
    Row {
        name: "get-file-https",
        title: "GET 1 GiB to a file (tmpfs), https",
        work: Work::GetFile,
        is_https: true,
        place: Place::Tmpfs,
        first: first(0.64, 0.99, 0.78),
        ..BASE
    },
    Row {
        name: "get-null-http",
        title: "GET 1 GiB discarded, http",
        work: Work::GetNull,
        first: first(0.195, 0.33, 0.25),
        ..BASE
    },
    Row {
        name: "get-null-https",
        title: "GET 1 GiB discarded, https",
        work: Work::GetNull,
        is_https: true,
        in_quick: true,
        first: first(0.45, 0.68, 0.48),
        ..BASE
    },
    Row {
        name: "small-put-http",
        title: "10,000 PUTs of 4 KiB, http, signed",
        work: Work::SmallPut,
        signed: true,
        in_quick: true,
        first: first(0.10, 0.52, 0.20),
        ..BASE
    },
    Row {
        name: "small-put-https",
        title: "10,000 PUTs of 4 KiB, https",
        work: Work::SmallPut,
        is_https: true,
        first: first(0.115, 0.45, 0.23),
        ..BASE
    },
    Row {
        name: "small-get-http",
        title: "10,000 GETs of 4 KiB, http",
        work: Work::SmallGet,
        in_quick: true,
        first: first(0.08, 0.44, 0.18),
        ..BASE
    },
    Row {
        name: "small-get-https",
        title: "10,000 GETs of 4 KiB, https",
        work: Work::SmallGet,
        is_https: true,
        first: first(0.117, 0.53, 0.22),
        ..BASE
    },
    Row {
        name: "list",
        title: "list 1,000,000 keys, http",
        work: Work::List,
        in_quick: true,
        first: first(0.335, 2.6, 0.45),
        ..BASE
    },
    Row {
        name: "latency-put-http",
        title: "PUT 1 GiB at 50 ms, 16 parts at once, http",
        work: Work::Put,
        place: Place::Tmpfs,
        counts: Counts::Time,
        ..BASE
    },
    Row {
        name: "latency-put-https",
        title: "PUT 1 GiB at 50 ms, 16 parts at once, https",
        work: Work::Put,
        is_https: true,
        place: Place::Tmpfs,
        counts: Counts::Time,
        ..BASE
    },
    Row {
        name: "latency-get-http",
        title: "GET 1 GiB to a file (tmpfs) at 50 ms, 16 parts at once, http",
        work: Work::GetFile,
        place: Place::Tmpfs,
        counts: Counts::Time,
        ..BASE
    },
    Row {
        name: "latency-get-https",
        title: "GET 1 GiB to a file (tmpfs) at 50 ms, 16 parts at once, https",
        work: Work::GetFile,
        is_https: true,
        place: Place::Tmpfs,
        counts: Counts::Time,
        ..BASE
    },
];
