//! `wharf serve`.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use wharf::{Body, Client};

use crate::bench::{KEY_ID, SECRET, bare, done, failed, fetch, run};

/// A server that runs, and what it printed up to the last line that is asked for.
pub(crate) struct Serving {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Serving {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    pub(crate) fn lines(&mut self, count: usize) -> Vec<String> {
        self.lines.by_ref().take(count).map(|line| line.unwrap()).collect()
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Stops it by a signal, and waits for its end.
    pub(crate) fn stop(self, signal: &str) -> (Option<i32>, Vec<String>, String) {
        self.signal(signal);
        self.end()
    }

    /// Waits for its end: its exit code, what else it printed, and its standard error.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let rest = self.lines.by_ref().map(|line| line.unwrap()).collect();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), rest, stderr)
    }
}

/// A server outlives no test, not even one that fails.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with_keys(args: &[&str]) -> Command {
    let mut command = bare(args);
    command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
    command
}

fn value<'a>(line: &'a str, variable: &str) -> &'a str {
    line.strip_prefix(&format!("export {variable}=")).unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn what_it_prints_is_all_that_another_shell_needs() {
    let mut serving = Serving::start(bare(&["serve", "--listen", "127.0.0.1:0"]));
    let lines = serving.lines(7);
    let endpoint = value(&lines[3], "AWS_ENDPOINT_URL").to_owned();
    let port = endpoint.strip_prefix("http://127.0.0.1:").unwrap();
    assert_eq!(lines[0], format!("# wharf serves S3 at {endpoint}, in memory; Ctrl-C stops it"));
    assert_eq!(lines[1], format!("# buckets are also at http://BUCKET.s3.localhost:{port}"));
    let health = lines[2].strip_prefix("# ").unwrap().strip_suffix(" answers 200 while it runs").unwrap();
    assert_eq!(fetch("GET", health, ""), (200, "ok\n".to_owned()));
    assert_eq!(lines[4], "export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1");
    let (id, secret) = (value(&lines[5], "AWS_ACCESS_KEY_ID"), value(&lines[6], "AWS_SECRET_ACCESS_KEY"));
    assert_eq!((id.len(), secret.len()), (20, 40));

    let mut command = bare(&["ls"]);
    command.env("AWS_ENDPOINT_URL", &endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
    assert_eq!(run(command), done(""));
    assert_eq!(serving.stop("-TERM"), (Some(0), vec![], String::new()));
}

#[test]
fn given_keys_are_used_and_not_printed() {
    let mut serving = Serving::start(with_keys(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--region",
        "eu-west-1",
        "--domain",
        "s3.test",
    ]));
    let lines = serving.lines(6);
    let endpoint = value(&lines[3], "AWS_ENDPOINT_URL").to_owned();
    assert!(lines[1].starts_with("# buckets are also at http://BUCKET.s3.test:"), "{}", lines[1]);
    assert_eq!(lines[4], "export AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1");
    assert_eq!(lines[5], "# keys: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as they are set here");

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let s3 = Client::builder().endpoint(&endpoint).region("eu-west-1").credentials(KEY_ID, SECRET).build().unwrap();
        s3.create_bucket("my-bucket").await.unwrap();
        s3.put_object("my-bucket", "a", "hello").await.unwrap();
    });
    let mut command = with_keys(&["presign", "s3://my-bucket/a", "--region", "eu-west-1"]);
    command.env("AWS_ENDPOINT_URL", &endpoint);
    let (_, link, _) = run(command);
    assert_eq!(fetch("GET", link.trim_end(), ""), (200, "hello".to_owned()));
    assert_eq!(serving.stop("-INT"), (Some(0), vec![], String::new()));
}

/// A server, and a connection on which it has asked for the ten bytes of an upload: so the request is under way.
fn with_an_upload_under_way(grace: &str) -> (Serving, TcpStream) {
    let mut serving = Serving::start(with_keys(&["serve", "--listen", "127.0.0.1:0", "--grace", grace]));
    let lines = serving.lines(6);
    let endpoint = value(&lines[3], "AWS_ENDPOINT_URL").to_owned();
    let s3 = Client::builder().endpoint(&endpoint).credentials(KEY_ID, SECRET).build().unwrap();
    let link = tokio::runtime::Runtime::new().unwrap().block_on(async {
        s3.create_bucket("my-bucket").await.unwrap();
        s3.put_object("my-bucket", "a", Body::empty()).presign(Duration::from_secs(60)).await.unwrap()
    });
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let path = link.url.strip_prefix(&endpoint).unwrap();
    write!(stream, "PUT {path} HTTP/1.1\r\nHost: {address}\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        .unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    (serving, stream)
}

#[test]
fn a_request_under_way_is_finished_before_it_stops() {
    let (serving, mut stream) = with_an_upload_under_way("600");
    let address = stream.peer_addr().unwrap();
    serving.signal("-TERM");
    // It has heard the signal once it takes no more connections.
    while TcpStream::connect(address).is_ok() {}
    stream.write_all(b"0123456789").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("781e5e245d69b566979b86e28d23f2c7"), "the MD5 of what was sent: {answer}");
    assert_eq!(serving.end(), (Some(0), vec![], String::new()));
}

const CUT_OFF: &str = "wharf: warning: requests under way were cut off\n";

#[test]
fn it_stops_in_spite_of_an_upload_that_never_ends() {
    let (serving, _stream) = with_an_upload_under_way("0");
    assert_eq!(serving.stop("-TERM"), (Some(0), vec![], CUT_OFF.to_owned()));
}

#[test]
fn a_second_signal_does_not_wait() {
    let (serving, stream) = with_an_upload_under_way("600");
    serving.signal("-TERM");
    while TcpStream::connect(stream.peer_addr().unwrap()).is_ok() {}
    assert_eq!(serving.stop("-INT"), (Some(0), vec![], CUT_OFF.to_owned()));
}

#[test]
fn the_region_is_the_environments_unless_given() {
    for (args, region) in [(&[][..], "eu-north-1"), (&["--region", "eu-west-1"], "eu-west-1")] {
        let mut command = bare(&[&["serve", "--listen", "127.0.0.1:0"], args].concat());
        command.env("AWS_REGION", "eu-north-1");
        let line = Serving::start(command).lines(5).remove(4);
        assert_eq!(line, format!("export AWS_REGION={region} AWS_DEFAULT_REGION={region}"));
    }
    let expected = "wharf: \"Ireland\" is not a region; regions read like us-east-1 (lower case, digits, '-')\n";
    assert_eq!(run(bare(&["serve", "--region", "Ireland"])), failed(253, expected));
}

#[test]
fn an_address_that_others_can_reach_is_warned_of() {
    let mut serving = Serving::start(bare(&["serve", "--listen", "0.0.0.0:0"]));
    let lines = serving.lines(7);
    let endpoint = value(&lines[3], "AWS_ENDPOINT_URL").to_owned();
    let port = endpoint.strip_prefix("http://127.0.0.1:").unwrap();
    let warning = format!("wharf: warning: 0.0.0.0:{port} can be reached from other machines, over plain HTTP\n");
    assert_eq!(serving.stop("-TERM"), (Some(0), vec![], warning));
}

#[test]
fn one_key_without_the_other_is_a_configuration_error() {
    for (set, unset) in [("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")]
    {
        let mut command = bare(&["serve", "--listen", "127.0.0.1:0"]);
        command.env(set, SECRET).env(unset, "");
        let expected = format!(
            "wharf: {set} is set and {unset} is not\nhint: set both, or neither: then a pair is made and printed\n"
        );
        assert_eq!(run(command), failed(253, expected));
    }
}

#[test]
fn an_address_in_use_says_so() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (exit, stdout, stderr) = run(bare(&["serve", "--listen", &address]));
    assert_eq!((exit, stdout.as_str()), (255, ""));
    let lines: Vec<_> = stderr.lines().collect();
    assert!(lines[0].starts_with(&format!("wharf: cannot listen on {address}: ")), "{stderr}");
    assert_eq!(lines[1..], ["hint: name another address with --listen; with port 0 the system chooses one"]);
}
