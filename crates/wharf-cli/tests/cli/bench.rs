//! What the tests share: a store to talk to, and the binary with an environment of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::runtime::Runtime;
use wharf::{Client, IntoBody};
use wharf_embedded::{Server, Store};

pub(crate) const KEY_ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "the-secret-of-the-tests";

/// A store behind a TCP port, with a bucket `my-bucket`. All its objects bear one time.
pub(crate) struct Bench {
    pub(crate) runtime: Runtime,
    pub(crate) store: Store,
    pub(crate) s3: Client,
    pub(crate) endpoint: String,
    time: SystemTime,
    _server: Server,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        // A clock that stands still, near enough to the client's for its signatures.
        let time = SystemTime::now();
        let store = Store::builder().credentials(KEY_ID, SECRET).clock(move || time).build();
        let server = runtime.block_on(store.serve("127.0.0.1:0")).unwrap();
        let s3 = Client::builder().transport(store.clone()).build().unwrap();
        runtime.block_on(s3.create_bucket("my-bucket").into_future()).unwrap();
        Self { runtime, s3, endpoint: server.endpoint(), store, time, _server: server }
    }

    pub(crate) fn with(objects: &[(&str, &str)]) -> Self {
        let bench = Self::new();
        for (key, body) in objects {
            bench.put(key, *body);
        }
        bench
    }

    pub(crate) fn put(&self, key: &str, body: impl IntoBody) {
        self.runtime.block_on(self.s3.put_object("my-bucket", key, body).into_future()).unwrap();
    }

    /// The time of buckets and objects as a listing writes it, this long east of UTC.
    pub(crate) fn time(&self, east: Duration) -> String {
        Timestamp::try_from(self.time + east).unwrap().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// The binary, with the store's keys and address in its environment, in UTC.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = bare(args);
        command.env("AWS_ENDPOINT_URL", &self.endpoint);
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        run(self.command(args))
    }
}

/// The binary with nothing in its environment but the time zone UTC.
pub(crate) fn bare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
    command.args(args).env_clear().env("HOME", "/nonexistent").env("TZ", "UTC0").stdin(Stdio::null());
    // Or root would get one below that home.
    command.env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// How a run ended: exit code, standard output, standard error.
pub(crate) type Ran = (i32, String, String);

pub(crate) fn run(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// What a successful run prints.
pub(crate) fn done(stdout: impl Into<String>) -> Ran {
    (0, stdout.into(), String::new())
}

/// What a failed run prints.
pub(crate) fn failed(exit: i32, stderr: impl Into<String>) -> Ran {
    (exit, String::new(), stderr.into())
}

/// `text` with what is different every time taken out: `(request ID)` becomes `(request ...)`.
pub(crate) fn without_request_id((exit, stdout, stderr): Ran) -> Ran {
    let Some((head, tail)) = stderr.split_once("request ") else { return (exit, stdout, stderr) };
    let rest = &tail[tail.find([')', ',']).unwrap()..];
    (exit, stdout, format!("{head}request ...{rest}"))
}

/// Sends `METHOD url` with nothing but a host, over a plain socket: status and body.
pub(crate) fn fetch(method: &str, url: &str, body: &str) -> (u16, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}
