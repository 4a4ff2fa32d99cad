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

    /// The lines up to the one that begins so.
    fn until(&mut self, beginning: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines.last().is_some_and(|line: &String| line.starts_with(beginning)) {
            lines.push(self.lines.next().unwrap().unwrap());
        }
        lines
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
    let lines = serving.lines(8);
    let endpoint = value(&lines[3], "AWS_ENDPOINT_URL").to_owned();
    let port = endpoint.strip_prefix("http://127.0.0.1:").unwrap();
    assert_eq!(lines[0], format!("# wharf serves S3 at {endpoint}, in memory; Ctrl-C stops it"));
    assert_eq!(lines[1], format!("# buckets are also at http://BUCKET.s3.localhost:{port}"));
    let health = lines[2].strip_prefix("# ").unwrap().strip_suffix(" answers 200 while it runs").unwrap();
    assert_eq!(fetch("GET", health, ""), (200, "ok\n".to_owned()));
    assert_eq!(lines[4], "export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1");
    assert_eq!(lines[5], "unset AWS_SESSION_TOKEN");
    let (id, secret) = (value(&lines[6], "AWS_ACCESS_KEY_ID"), value(&lines[7], "AWS_SECRET_ACCESS_KEY"));
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
    let lines = serving.lines(8);
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

/// The server of a data directory, and a client of it.
fn serve_data(path: &std::path::Path) -> (Serving, Client) {
    let mut serving =
        Serving::start(with_keys(&["serve", "--listen", "127.0.0.1:0", "--data", path.to_str().unwrap()]));
    let lines = serving.until("# keys");
    let named = lines.iter().find(|line| line.starts_with("export AWS_ENDPOINT_URL")).unwrap();
    let endpoint = value(named, "AWS_ENDPOINT_URL").to_owned();
    assert_eq!(lines[0], format!("# wharf serves S3 at {endpoint}, from {}; Ctrl-C stops it", path.display()));
    (serving, Client::builder().endpoint(endpoint).credentials(KEY_ID, SECRET).build().unwrap())
}

#[test]
fn a_data_directory_outlives_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (serving, s3) = serve_data(&data);
    runtime.block_on(async {
        s3.create_bucket("my-bucket").await.unwrap();
        s3.put_object("my-bucket", "stopped", "one").await.unwrap();
    });

    // Nobody else may have it meanwhile.
    let expected = format!(
        "wharf: the data directory {} is in use by process {}; stop it, or name another directory\n",
        data.display(),
        serving.child.id()
    );
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    assert_eq!(run(with_keys(&arguments)), failed(253, expected));
    assert_eq!(serving.stop("-TERM"), (Some(0), vec![], String::new()));

    let (serving, s3) = serve_data(&data);
    runtime.block_on(async { s3.put_object("my-bucket", "killed", "two").await.unwrap() });
    assert_eq!(serving.stop("-KILL").0, None);

    let (serving, s3) = serve_data(&data);
    runtime.block_on(async {
        assert_eq!(s3.get_object("my-bucket", "stopped").text().await.unwrap(), "one");
        assert_eq!(s3.get_object("my-bucket", "killed").text().await.unwrap(), "two");
    });
    assert_eq!(serving.stop("-TERM"), (Some(0), vec![], String::new()));

    std::fs::write(data.join("format"), "wharf data, format 1000\n").unwrap();
    let expected = format!(
        "wharf: the data directory {} has format 1000, and this version knows none above 1; use a later version\n",
        data.display()
    );
    assert_eq!(run(with_keys(&arguments)), failed(253, expected));
}

/// A file that is gone with the test.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wharf-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn faults_of_a_file_happen() {
    let file = Temporary::new(
        "faults.toml",
        "[[fault]]\nrespond = 403\ncode = \"AccessDenied\"\non = \"ListBuckets\"\ntimes = 1\n\n[[fault]]\ndrop_answer = true\non = \"PutObject\"\nnth = 1\n",
    );
    let mut serving = Serving::start(with_keys(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--faults",
        file.path(),
        "--personality",
        "garage",
    ]));
    let lines: Vec<String> = serving.until("# faults in force");
    let endpoint = lines.iter().find(|line| line.contains("ENDPOINT")).unwrap();
    let endpoint = value(endpoint, "AWS_ENDPOINT_URL").to_owned();
    assert_eq!(lines[lines.len() - 2], "# it has the habits of garage");
    assert_eq!(lines[lines.len() - 1], format!("# faults in force: 2, of {}", file.path()));
    let s3 = Client::builder().endpoint(&endpoint).credentials(KEY_ID, SECRET).build().unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        assert_eq!(s3.list_buckets().await.unwrap_err().code(), Some("AccessDenied"));
        s3.create_bucket("my-bucket").await.unwrap();
        // The answer that is lost is of a put that is done, and done again.
        s3.put_object("my-bucket", "a", "hello").await.unwrap();
        s3.put_object("my-bucket", "a", "again").if_absent().await.unwrap();
        let status = s3.list_object_versions("my-bucket").await.unwrap_err().status().unwrap();
        assert_eq!(status.as_u16(), 501);
    });
    assert_eq!(serving.stop("-TERM"), (Some(0), vec![], String::new()));
}

#[test]
fn faults_that_cannot_be_say_why() {
    let serve = |args: &[&str]| run(bare(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()));
    let file = Temporary::new("wrong.toml", "[[fault]]\ndrop_answer = true\non = \"PutObjet\"\n");
    let expected = format!(
        "wharf: {}, line 1: \"PutObjet\" is no operation of the store's; they are named as S3 names them, such as \
         PutObject\nhint: docs/embedded.md says what can be in it; nothing was served\n",
        file.path()
    );
    assert_eq!(serve(&["--faults", file.path()]), failed(253, expected));
    let (exit, _, stderr) = serve(&["--faults", "/nonexistent/faults.toml"]);
    assert_eq!(exit, 253);
    assert!(stderr.starts_with("wharf: cannot read /nonexistent/faults.toml: "), "{stderr}");
    let (exit, _, stderr) = serve(&["--personality", "aws"]);
    assert_eq!(exit, 252);
    assert!(stderr.contains("there is no personality \"aws\"; say one of ceph, garage, rclone, plain"), "{stderr}");
}
