//! A process that is killed in mid-transfer, at any byte, and another that goes on.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;
use wharf::Client;
use wharf_embedded::{Operation, Requests, Server, Store};

use crate::common::{BUCKET, MIB, PART, bytes, names};
use crate::tap::Tap;

/// What the child is to do: `upload` or `download`, and of which place.
const WORK: &str = "WHARF_RESUME_WORK";
const ENDPOINT: &str = "WHARF_RESUME_ENDPOINT";
const FOLDER: &str = "WHARF_RESUME_FOLDER";

/// Five parts and a bit.
const SIZE: usize = 5 * PART + 12_345;

/// The process that transfers. Without its variables it is no test at all.
#[test]
fn child() {
    let (Ok(work), Ok(endpoint), Ok(folder)) =
        (std::env::var(WORK), std::env::var(ENDPOINT), std::env::var(FOLDER).map(PathBuf::from))
    else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let resumed = runtime.block_on(async {
        let s3 = client(&endpoint);
        match work.as_str() {
            "upload" => {
                let upload = s3.upload(BUCKET, "a", folder.join("source")).part_size(PART as u64).write_id(true);
                let done = upload.resumable(true).journal_dir(folder.join("journals")).await.unwrap();
                assert!(done.verification.is_verified(), "{}", done.verification);
                (done.resumed_bytes, done.left_over.join(","))
            }
            _ => {
                let done = s3.download(BUCKET, "a", folder.join("target")).part_size(MIB as u64).resumable(true);
                let done = done.await.unwrap();
                assert!(done.verification.is_verified(), "{}", done.verification);
                (done.resumed_bytes, String::new())
            }
        }
    });
    // Past the test harness.
    let line = format!("\nresumed {} left over {}\n", resumed.0, resumed.1);
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

fn client(endpoint: &str) -> Client {
    Client::builder().environment(|_| None).endpoint(endpoint).credentials("key", "secret").build().unwrap()
}

/// A store that outlives those who are killed, and their folder.
struct Place {
    store: Store,
    direct: Client,
    tap: Tap,
    _server: Server,
    folder: tempfile::TempDir,
    content: Vec<u8>,
}

/// How a child ended.
enum End {
    Killed,
    /// How many bytes it did not move, and which uploads it says may be left over.
    Done(u64, Vec<String>),
}

impl Place {
    async fn new() -> Self {
        let store = Store::builder().credentials("key", "secret").build();
        let server = store.serve("127.0.0.1:0").await.unwrap();
        let direct = Client::builder().transport(store.clone()).build().unwrap();
        direct.create_bucket(BUCKET).await.unwrap();
        let tap = Tap::before(&server.endpoint()).await;
        let place =
            Self { store, direct, tap, _server: server, folder: tempfile::tempdir().unwrap(), content: bytes(SIZE) };
        std::fs::write(place.path("source"), &place.content).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A child that is killed once so many bytes have passed, both ways together.
    async fn run(&self, work: &str, bytes: i64) -> End {
        self.tap.open(bytes);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["kill::child", "--exact", "--nocapture"])
            .env(WORK, work)
            .env(ENDPOINT, self.tap.url())
            .env(FOLDER, self.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        tokio::select! {
            () = self.tap.dry() => {
                child.kill().await.unwrap();
                self.tap.cut().await;
                return End::Killed;
            }
            _ = child.wait() => {}
        }
        let output = child.wait_with_output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let line = text.lines().find_map(|line| line.strip_prefix("resumed ")).unwrap();
        let (resumed, left_over) = line.split_once(" left over ").unwrap();
        let left_over = left_over.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        End::Done(resumed.parse().unwrap(), left_over)
    }

    /// Kills up to three children at random bytes, and lets the last one end. How many were killed, and how many bytes
    /// the last one found done.
    async fn kill_and_go_on(&self, work: &str, random: &mut fastrand::Rng) -> (usize, u64) {
        self.store.clear_requests();
        let kills = random.usize(1..=3);
        for killed in 0..=kills {
            let most = if killed == kills { i64::MAX } else { random.i64(1..SIZE as i64 + 20_000) };
            self.store.clear_requests();
            if let End::Done(resumed, left_over) = self.run(work, most).await {
                self.check(work, resumed, &left_over).await;
                return (killed, resumed);
            }
        }
        panic!("killed without being told to");
    }

    /// The bytes are right, what was done was not done again, and nothing is left over that nobody was told of.
    async fn check(&self, work: &str, resumed: u64, left_over: &[String]) {
        let requests = self.store.requests();
        if work == "upload" {
            let stored = self.direct.get_object(BUCKET, "a").bytes().await.unwrap();
            assert!(stored == self.content);
            let left = SIZE as u64 - resumed;
            assert_eq!(requests.count(Operation::UploadPart) as u64, left.div_ceil(PART as u64), "{resumed} bytes");
            let uploads = self.direct.list_multipart_uploads(BUCKET).await.unwrap().uploads;
            let uploads: Vec<_> = uploads.into_iter().map(|upload| upload.upload_id).collect();
            assert!(uploads.iter().all(|id| left_over.contains(id)), "{uploads:?} {left_over:?}");
            assert_eq!(names(&self.path("journals")), [""; 0]);
            for id in uploads {
                self.direct.abort_multipart_upload(BUCKET, "a", id).await.unwrap();
            }
        } else {
            assert!(std::fs::read(self.path("target")).unwrap() == self.content);
            if resumed > 0 {
                assert_eq!(asked_for(&requests), SIZE - resumed as usize);
            }
            let left: Vec<_> =
                names(self.folder.path()).into_iter().filter(|name| name.starts_with("target")).collect();
            assert_eq!(left, ["target"]);
            std::fs::remove_file(self.path("target")).unwrap();
        }
    }
}

/// How many bytes were asked for by some request or several.
fn asked_for(requests: &Requests) -> usize {
    let mut asked = vec![false; SIZE];
    for request in requests.of(Operation::GetObject).iter() {
        let range = request.headers["range"].to_str().unwrap().strip_prefix("bytes=").unwrap();
        let (first, last) = range.split_once('-').unwrap();
        asked[first.parse().unwrap()..=last.parse().unwrap()].fill(true);
    }
    asked.into_iter().filter(|asked| *asked).count()
}

/// How many were killed in all, and how many went on with something.
async fn rounds(work: &str, count: usize, seed: u64) -> (usize, usize) {
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new().await;
    if work == "download" {
        place.direct.put_object(BUCKET, "a", place.content.clone()).await.unwrap();
    }
    let (mut killed, mut resumed) = (0, 0);
    for _ in 0..count {
        let (kills, bytes) = place.kill_and_go_on(work, &mut random).await;
        killed += kills;
        resumed += usize::from(bytes > 0);
    }
    (killed, resumed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_goes_on_after_it_was_killed() {
    let (killed, _) = rounds("upload", 2, fastrand::u64(..)).await;
    assert!(killed > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_goes_on_after_it_was_killed() {
    let (killed, _) = rounds("download", 2, fastrand::u64(..)).await;
    assert!(killed > 0);
}

/// Most of what has passed by then may still be on its way within the kernel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_is_not_done_again() {
    let place = Place::new().await;
    assert!(matches!(place.run("upload", 4 * PART as i64 + PART as i64 / 2).await, End::Killed));
    place.store.clear_requests();
    let End::Done(resumed, left_over) = place.run("upload", i64::MAX).await else { panic!("killed") };
    assert!(resumed > 0, "nothing was resumed");
    place.check("upload", resumed, &left_over).await;
    assert!(matches!(place.run("download", 20 * MIB as i64).await, End::Killed));
    place.store.clear_requests();
    let End::Done(resumed, left_over) = place.run("download", i64::MAX).await else { panic!("killed") };
    assert!(resumed > 0, "nothing was resumed");
    place.check("download", resumed, &left_over).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn transfers_go_on_after_fifty_kills() {
    for work in ["upload", "download"] {
        let (seed, mut killed, mut resumed) = (fastrand::u64(..), 0, 0);
        for more in 0.. {
            let (kills, went_on) = rounds(work, 5, seed.wrapping_add(more)).await;
            (killed, resumed) = (killed + kills, resumed + went_on);
            if killed >= 50 {
                break;
            }
        }
        let note =
            format!("\nnote: {work}: {killed} kills, {resumed} runs that went on, no byte wrong (seed {seed})\n");
        std::io::stdout().write_all(note.as_bytes()).unwrap();
    }
}
