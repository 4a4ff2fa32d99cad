//! A store that fails on purpose, in the middle of transfers. Time is Tokio's, and passes when nothing else can happen.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use tokio::time::{Instant, sleep};
use wharf::transfer::OnChange;
use wharf::{Body, Client, Error, ErrorKind};
use wharf_embedded::{Fault, Operation, Store};

use crate::common::{BUCKET, Folder, MIB, is_clear};
use crate::support::upload::{bytes, pieces};

const PART: u64 = 5 * MIB as u64;

/// A store and two clients: one for the transfers, and one that looks.
struct Weather {
    store: Store,
    s3: Client,
    looks: Client,
    folder: Folder,
}

impl Weather {
    async fn new() -> Self {
        let store = Store::in_memory();
        let client = || Client::builder().transport(store.clone()).build().unwrap();
        let (s3, looks) = (client(), client());
        looks.create_bucket(BUCKET).await.unwrap();
        Self { s3, looks, folder: Folder::new(), store }
    }

    fn inject(&self, fault: Fault) {
        self.store.inject(fault).unwrap();
    }

    /// Uploads a file in parts; what came of it, after a look at what is left.
    async fn upload(&self, data: &[u8], patience: Duration) -> Result<(), Error> {
        let file = self.folder.file("source", data);
        let upload = self.s3.upload(BUCKET, "b", file.as_path()).part_size(PART).multipart_threshold(PART);
        let result = upload.patience(patience).await;
        std::fs::remove_file(file).unwrap();
        self.settled(data, &result).await;
        result.map(drop)
    }

    /// Downloads `a` in ranges; gives back what is there then, and sees to it that nothing unfinished is.
    async fn downloaded(&self, on_change: OnChange) -> Result<Vec<u8>, Error> {
        let target = self.folder.path().join("target");
        // Else the first request would have read everything before another is begun.
        self.inject(Fault::delay_body(1000, Duration::from_millis(10)).on(Operation::GetObject));
        let download = self.s3.download(BUCKET, "a", target.as_path()).part_size(200_000).concurrency(3);
        let result = download.patience(PATIENCE).on_change(on_change).await;
        match result {
            Ok(_) => {
                assert_eq!(self.folder.names(), ["target"]);
                let read = std::fs::read(&target).unwrap();
                std::fs::remove_file(&target).unwrap();
                Ok(read)
            }
            Err(error) => {
                is_clear(&error, &self.store);
                assert_eq!(self.folder.names(), [""; 0], "{error}");
                Err(error)
            }
        }
    }

    /// The same, and that it is `data`.
    async fn download(&self, data: &[u8]) -> Result<(), Error> {
        self.downloaded(OnChange::Fail).await.map(|read| assert!(read == data, "other bytes"))
    }

    /// The object `b` is whole, or there is none; and no upload is left.
    async fn settled<T>(&self, data: &[u8], result: &Result<T, Error>) {
        self.store.clear_faults();
        let is_there = self.looks.object_exists(BUCKET, "b").await.unwrap();
        assert_eq!(is_there, result.is_ok());
        if is_there {
            let stored = self.looks.get_object(BUCKET, "b").bytes().await.unwrap();
            assert!(stored == data, "{} bytes that are others", stored.len());
        }
        if let Err(error) = result {
            is_clear(error, &self.store);
        }
        let uploads = self.looks.list_multipart_uploads(BUCKET).await.unwrap().uploads;
        assert!(uploads.is_empty(), "{uploads:?}");
    }
}

const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(start_paused = true)]
async fn a_storm_of_503_is_sat_out() {
    let weather = Weather::new().await;
    weather.looks.put_object(BUCKET, "a", bytes(2 * MIB)).await.unwrap();
    for seed in 0..5 {
        let storm = || Fault::respond(503, "SlowDown").share(0.5, seed);
        weather.inject(storm());
        weather.upload(&bytes(22 * MIB), PATIENCE).await.unwrap();
        weather.inject(storm());
        weather.download(&bytes(2 * MIB)).await.unwrap();
        weather.store.clear_faults();
    }
    let counted = weather.s3.counters();
    assert!(counted.throttles > 20, "{counted:?}");
    // One that does not end is told of when patience does.
    weather.looks.delete_object(BUCKET, "b").await.unwrap();
    weather.inject(Fault::respond(503, "SlowDown").on(Operation::UploadPart));
    let start = Instant::now();
    let error = weather.upload(&bytes(11 * MIB), PATIENCE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SlowDown);
    assert!(error.to_string().contains("nothing moved within a patience of "), "{error}");
    assert!((270..=330).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn answers_of_which_every_third_breaks_off() {
    let weather = Weather::new().await;
    weather.looks.put_object(BUCKET, "a", bytes(2 * MIB)).await.unwrap();
    for seed in 0..10 {
        weather.inject(Fault::close_response_after(70_000).on(Operation::GetObject).share(0.35, seed));
        weather.inject(Fault::delay_body(30_000, Duration::from_secs(90)).on(Operation::GetObject).share(0.2, seed));
        weather.download(&bytes(2 * MIB)).await.unwrap();
        weather.store.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn requests_of_which_every_third_breaks_off() {
    let weather = Weather::new().await;
    for seed in 0..5 {
        weather.inject(Fault::close_request_after(3 * MIB as u64).on(Operation::UploadPart).share(0.35, seed));
        weather.inject(Fault::drop_answer().on(Operation::UploadPart).share(0.2, seed));
        weather.upload(&bytes(22 * MIB), PATIENCE).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_spoilt_byte_is_never_delivered() {
    let weather = Weather::new().await;
    weather.looks.put_object(BUCKET, "a", bytes(2 * MIB)).await.unwrap();
    for nth in 1..4 {
        weather.inject(Fault::corrupt_response(10).on(Operation::GetObject).nth(nth));
        weather.download(&bytes(2 * MIB)).await.unwrap();
        weather.store.clear_faults();
    }
    weather.inject(Fault::corrupt_response(10).on(Operation::GetObject));
    let error = weather.download(&bytes(2 * MIB)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    weather.store.clear_faults();
    for nth in 1..4 {
        weather.looks.delete_object(BUCKET, "b").await.unwrap();
        weather.inject(Fault::corrupt_request(99_999).on(Operation::UploadPart).nth(nth));
        // Tried again or not: a success means that the bytes are right.
        if let Err(error) = weather.upload(&bytes(11 * MIB), PATIENCE).await {
            let code = error.code().unwrap_or_default();
            let codes = ["BadDigest", "SignatureDoesNotMatch", "XAmzContentSHA256Mismatch"];
            assert!(error.kind() == ErrorKind::BadDigest || codes.contains(&code), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_knows_no_checksums_is_found_out_where_it_can_be() {
    let weather = Weather::new().await;
    weather.inject(Fault::forget_checksums());
    weather.inject(Fault::close_response_after(70_000).on(Operation::GetObject).share(0.3, 1));
    weather.looks.put_object(BUCKET, "a", bytes(MIB)).await.unwrap();
    weather.download(&bytes(MIB)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_replaced_meanwhile() {
    let weather = Weather::new().await;
    let others: Vec<u8> = bytes(3 * MIB).into_iter().map(|byte| !byte).collect();
    for nth in 1..3 {
        for on_change in [OnChange::Restart, OnChange::Fail] {
            weather.looks.put_object(BUCKET, "a", bytes(2 * MIB)).await.unwrap();
            let fault = Fault::replace_object(others.clone()).on(Operation::GetObject).if_header("range", "*");
            let replaced = weather.store.inject(fault.nth(nth)).unwrap();
            let result = weather.downloaded(on_change).await;
            assert_eq!(replaced.fired(), 1, "there were fewer ranges");
            match on_change {
                OnChange::Restart => assert!(result.unwrap() == others, "other bytes"),
                _ => assert_eq!(result.unwrap_err().kind(), ErrorKind::PreconditionFailed),
            }
            weather.store.clear_faults();
        }
    }
}

/// What happens to the source while its first part is on its way.
async fn changing(change: impl FnOnce(&std::path::Path)) -> Error {
    let weather = Weather::new().await;
    weather.inject(Fault::delay(Duration::from_secs(20)).on(Operation::UploadPart).nth(1));
    let file = weather.folder.file("source", &bytes(22 * MIB));
    let upload = weather.s3.upload(BUCKET, "b", file.as_path()).part_size(PART).multipart_threshold(PART);
    let transfer = upload.concurrency(1).start().unwrap();
    sleep(Duration::from_secs(10)).await;
    change(&file);
    let result = transfer.await;
    weather.settled(&[], &result).await;
    result.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_file_that_grows_meanwhile() {
    let error = changing(|path| {
        std::fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap();
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Body, "{error}");
    assert!(error.to_string().contains("source"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_shrinks_meanwhile() {
    let error = changing(|path| {
        std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(7 * MIB as u64).unwrap();
    })
    .await;
    assert_eq!(error.kind(), ErrorKind::Body, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_written_anew_meanwhile() {
    let error = changing(|path| std::fs::write(path, vec![1; 22 * MIB]).unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::Body, "{error}");
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_not_as_they_said() {
    for said in [21 * MIB, 23 * MIB] {
        let weather = Weather::new().await;
        let body = Body::sized_stream(pieces(bytes(22 * MIB), 99_999), said as u64);
        let result = weather.s3.upload(BUCKET, "b", body).part_size(PART).multipart_threshold(PART).await;
        weather.settled(&[], &result).await;
        result.unwrap_err();
    }
    let weather = Weather::new().await;
    let broken = (0..200)
        .map(|n| if n < 150 { Ok(Bytes::from(vec![1; 100_000])) } else { Err(std::io::Error::other("broken")) });
    let result = weather.s3.upload(BUCKET, "b", Body::stream(stream::iter(broken))).part_size(PART).await;
    weather.settled(&[], &result).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Body, "{error}");
}

/// Two requests at a time would take fifteen seconds.
#[tokio::test(start_paused = true)]
async fn more_requests_are_made_where_each_is_slow() {
    let weather = Weather::new().await;
    weather.inject(Fault::delay(Duration::from_secs(1)).on(Operation::UploadPart));
    let file = weather.folder.path().join("source");
    std::fs::File::create(&file).unwrap().set_len(30 * PART).unwrap();
    let start = Instant::now();
    let upload = weather.s3.upload(BUCKET, "b", file.as_path()).part_size(PART);
    assert_eq!(upload.await.unwrap().parts, 30);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // As many as it was told, and no more.
    std::fs::File::create(&file).unwrap().set_len(8 * PART).unwrap();
    let start = Instant::now();
    weather.s3.upload(BUCKET, "b", file.as_path()).part_size(PART).concurrency(2).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
}
