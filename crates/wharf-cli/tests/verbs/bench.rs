//! What the tests share: a bucket on some server, a folder, and the binary that runs in it.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;
use tokio::runtime::Runtime;
use wharf::{Client, IntoBody, ObjectHead};
use wharf_embedded::{Builder, Personality, Server, Store};

/// A bucket, called `my-bucket` in what is typed and in what is compared, and a folder.
///
/// The server is an embedded store of its own, or the one that the environment names, as for the conformance checks:
/// `WHARF_TEST_ENDPOINT`, `WHARF_TEST_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`. There the bucket has
/// another name each time.
pub(crate) struct Bench {
    runtime: Runtime,
    pub(crate) s3: Client,
    pub(crate) bucket: String,
    folder: TempDir,
    /// Where the user's state is kept, out of the way.
    state: TempDir,
    environment: Vec<(&'static str, String)>,
    /// What runs here, and can be asked what it was asked.
    embedded: Option<(Store, Server)>,
}

/// How a run ended: exit code, standard output, standard error.
pub(crate) type Ran = (i32, String, String);

/// What a successful run prints.
pub(crate) fn done(stdout: impl Into<String>) -> Ran {
    (0, stdout.into(), String::new())
}

/// What a failed run prints.
pub(crate) fn failed(exit: i32, stderr: impl Into<String>) -> Ran {
    (exit, String::new(), stderr.into())
}

impl Bench {
    pub(crate) fn new() -> Self {
        match env::var("WHARF_TEST_ENDPOINT") {
            Ok(endpoint) => Self::on(endpoint),
            Err(_) => Self::embedded(),
        }
    }

    /// On a store of its own in any case, for what only that can show.
    pub(crate) fn embedded() -> Self {
        Self::of(Store::builder())
    }

    /// On a store with the habits of another server.
    pub(crate) fn like(personality: Personality) -> Self {
        Self::of(Store::builder().personality(personality))
    }

    fn of(store: Builder) -> Self {
        let runtime = Runtime::new().unwrap();
        let store = store.credentials("AKIDEXAMPLE", "the-secret-of-the-tests").build();
        let server = runtime.block_on(store.serve("127.0.0.1:0")).unwrap();
        let environment = vec![
            ("AWS_ENDPOINT_URL", server.endpoint()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "the-secret-of-the-tests".to_owned()),
        ];
        Self::with(runtime, environment, "my-bucket".to_owned(), Some((store, server)))
    }

    fn on(endpoint: String) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let bucket = format!("wharf-cli-{}-{number}", std::process::id());
        let variable = |name: &'static str| (name, env::var(name).unwrap_or_default());
        let environment = vec![
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_REGION", env::var("WHARF_TEST_REGION").unwrap_or_else(|_| "us-east-1".to_owned())),
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
        ];
        Self::with(Runtime::new().unwrap(), environment, bucket, None)
    }

    fn with(
        runtime: Runtime,
        environment: Vec<(&'static str, String)>,
        bucket: String,
        embedded: Option<(Store, Server)>,
    ) -> Self {
        let settings = environment.clone();
        let s3 = Client::builder()
            .environment(move |name| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone()))
            .build()
            .unwrap();
        runtime.block_on(s3.create_bucket(&bucket).into_future()).unwrap();
        Self {
            runtime,
            s3,
            bucket,
            folder: tempfile::tempdir().unwrap(),
            state: tempfile::tempdir().unwrap(),
            environment,
            embedded,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.embedded.as_ref().unwrap().0
    }

    pub(crate) fn endpoint(&self) -> String {
        self.environment.iter().find(|(name, _)| *name == "AWS_ENDPOINT_URL").unwrap().1.clone()
    }

    /// Waits for a call.
    pub(crate) fn wait<C: IntoFuture<Output = Result<T, wharf::Error>>, T>(&self, call: C) -> T {
        self.runtime.block_on(call.into_future()).unwrap()
    }

    pub(crate) fn put(&self, key: &str, body: impl IntoBody) {
        self.wait(self.s3.put_object(&self.bucket, key, body));
    }

    pub(crate) fn put_all<'a>(&self, objects: impl IntoIterator<Item = (&'a str, &'a str)>) {
        for (key, body) in objects {
            self.put(key, body);
        }
    }

    /// What is in an object.
    pub(crate) fn object(&self, key: &str) -> String {
        let text = self.runtime.block_on(self.s3.get_object(&self.bucket, key).text());
        text.unwrap()
    }

    pub(crate) fn head(&self, key: &str) -> ObjectHead {
        self.wait(self.s3.head_object(&self.bucket, key))
    }

    /// All keys, in order.
    pub(crate) fn keys(&self) -> Vec<String> {
        let items = self.runtime.block_on(self.s3.list_objects(&self.bucket).items().collect());
        items.unwrap().into_iter().map(|object| object.key).collect()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the user's state is kept.
    #[cfg(target_os = "linux")]
    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    /// Writes a file into the folder.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn files(&self, names: &[&str]) {
        for name in names {
            self.file(name, name);
        }
    }

    /// What is in a file.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// All files below a directory of the folder, in order.
    pub(crate) fn tree(&self, name: &str) -> Vec<String> {
        fn visit(root: &Path, directory: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    visit(root, &path, found);
                } else {
                    found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let root = self.path(name);
        let mut found = Vec::new();
        if root.exists() {
            visit(&root, &root, &mut found);
        }
        found.sort();
        found
    }

    /// The binary in the folder, with the server in its environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
        command.args(args.iter().map(|arg| arg.replace("my-bucket", &self.bucket)));
        command.current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
            .env("XDG_STATE_HOME", self.state.path())
            .env("HOME", "/nonexistent")
            .env("TZ", "UTC0")
            .envs(self.environment.iter().cloned());
        command
    }

    /// A line of a shell, in the folder and with the server in its environment.
    #[cfg(unix)]
    pub(crate) fn shell(&self, line: &str) -> Command {
        let binary = self.command(&[]);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &line.replace("my-bucket", &self.bucket)]).current_dir(self.folder.path()).env_clear();
        command.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.ran(self.command(args).output().unwrap())
    }

    /// The same with something on standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Ran {
        let mut child =
            self.command(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        self.ran(output)
    }

    /// A run of which nothing but its results are of interest.
    pub(crate) fn must(&self, args: &[&str]) -> String {
        let (exit, stdout, stderr) = self.run(args);
        assert_eq!((exit, stderr.as_str()), (0, ""), "{args:?} {stdout}");
        stdout
    }

    /// Output with what is different each time taken out: the bucket's name, the folder, times and request ids.
    pub(crate) fn ran(&self, output: Output) -> Ran {
        let folder = self.folder.path().canonicalize().unwrap().display().to_string();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap().replace(&self.bucket, "my-bucket").replace(&folder, "FOLDER");
            text.split_inclusive('\n').map(|line| without_request_id(&without_time(line))).collect::<String>()
        };
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

/// `2026-11-25 20:15:18 ...` as `TIME ...`.
fn without_time(line: &str) -> String {
    let is_time = line.len() > 19
        && line.bytes().zip(*b"0000-00-00 00:00:00").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == form,
        });
    if is_time { format!("TIME{}", &line[19..]) } else { line.to_owned() }
}

/// `(NoSuchKey, HTTP 404, request ID)` as `(NoSuchKey, HTTP 404)`.
fn without_request_id(line: &str) -> String {
    let Some((head, tail)) = line.split_once(", request ") else { return line.to_owned() };
    let end = tail.find([')', ',']).unwrap_or(tail.len());
    format!("{head}{}", &tail[end..])
}

/// Whether a text is as expected, where `...` stands for whatever a server says.
pub(crate) fn is_like(text: &str, expected: &str) -> bool {
    let mut rest = text;
    let mut pieces = expected.split("...");
    let Some(tail) = pieces.next().and_then(|first| rest.strip_prefix(first)) else { return false };
    rest = tail;
    let pieces: Vec<_> = pieces.collect();
    for (index, piece) in pieces.iter().enumerate() {
        let found = if index + 1 == pieces.len() { rest.rfind(piece) } else { rest.find(piece) };
        let Some(at) = found else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty()
}

/// Compares whole outputs, with `...` in what is expected of standard error.
pub(crate) fn assert_like(ran: Ran, exit: i32, stdout: &str, stderr: &str) {
    assert!(
        ran.0 == exit && ran.1 == stdout && is_like(&ran.2, stderr),
        "\n  is: {ran:?}\n not: {:?}",
        (exit, stdout, stderr)
    );
}
