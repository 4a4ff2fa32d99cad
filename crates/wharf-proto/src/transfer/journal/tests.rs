use std::time::{Duration, SystemTime};

use super::*;
use crate::ErrorKind;
use crate::checksum::ChecksumAlgorithm::{Crc64Nvme, Sha256};
use crate::checksum::ChecksumType;
use crate::op::ListedPart;

fn at(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

fn upload_start() -> UploadStart {
    UploadStart {
        endpoint: "http://127.0.0.1:9000".to_owned(),
        bucket: "my-bucket".to_owned(),
        key: "a key\nof two = 100% lines/ä".to_owned(),
        path: "/tmp/file".to_owned(),
        offset: 0,
        length: 20 << 20,
        modified: Some(SystemTime::UNIX_EPOCH - Duration::from_nanos(1)),
        inode: Some(u64::MAX),
        touched: Some(at(1_700_000_000_000_000_001)),
        part_size: 8 << 20,
        options: "00ff".to_owned(),
        write_id: None,
        request_payer: true,
        since: at(1_700_000_000_123_456_789),
    }
}

fn download_start() -> DownloadStart {
    DownloadStart {
        endpoint: "https://s3.eu-west-1.amazonaws.com".to_owned(),
        bucket: "my-bucket".to_owned(),
        key: String::new(),
        path: "file".to_owned(),
        etag: ETag::from("W/\"abc-3\""),
        version_id: Some("v 1".to_owned()),
        size: None,
        wanted: 5..500,
        since: at(7),
    }
}

fn part(number: u32) -> StoredPart {
    let checksum = Some(Crc64Nvme.checksum(&number.to_be_bytes()));
    StoredPart { number, length: 8 << 20, etag: ETag::from(format!("\"{number}\"")), checksum, confirmed: true }
}

/// One of each kind that stands behind an upload.
fn upload() -> Vec<Record> {
    let checksum = PartsChecksum { algorithm: Crc64Nvme, checksum_type: ChecksumType::FullObject, announced: true };
    vec![
        Record::Upload(upload_start()),
        Record::Creating(at(8)),
        Record::Created { upload_id: "u+1/=".to_owned(), checksum: Some(checksum) },
        Record::Stored(part(2)),
        Record::Stored(StoredPart { checksum: None, confirmed: false, ..part(1) }),
        Record::Stored(part(1)),
    ]
}

fn download() -> Vec<Record> {
    let arrived = |range: Range<u64>, checksum| Record::Arrived(Arrived { range, checksum });
    vec![
        Record::Download(download_start()),
        arrived(100..200, Some(Sha256.checksum(b"x"))),
        arrived(5..100, None),
        arrived(200..500, Checksum::composite_of([Sha256.checksum(b"x")]).ok()),
    ]
}

fn written(records: &[Record]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    records.iter().flat_map(|record| encoder.encode(record).into_bytes()).collect()
}

#[test]
fn what_was_written_is_read() {
    let bare = UploadStart {
        modified: None,
        inode: None,
        touched: None,
        write_id: Some("id".to_owned()),
        request_payer: false,
        ..upload_start()
    };
    let none = Record::Created { upload_id: "u".to_owned(), checksum: None };
    for records in [upload(), download(), vec![Record::Upload(bare), none], Vec::new()] {
        let bytes = written(&records);
        let decoded = decode(&bytes).unwrap();
        assert_eq!((decoded.records, decoded.length), (records, bytes.len()), "{}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn every_prefix_is_an_earlier_state_or_nothing() {
    for records in [upload(), download()] {
        let bytes = written(&records);
        let ends: Vec<_> = (1..=records.len()).map(|count| written(&records[..count]).len()).collect();
        for length in 0..=bytes.len() {
            let decoded = decode(&bytes[..length]).unwrap();
            let whole = ends.partition_point(|end| *end <= length);
            assert_eq!(decoded.records, records[..whole], "{length}");
            assert_eq!(decoded.length, if whole == 0 { 0 } else { ends[whole - 1] }, "{length}");
            // What is written behind it is believed, with the torn line cut off.
            let (mut encoder, rest) = (decoded.encoder, &records[whole..]);
            let mut mended = bytes[..decoded.length].to_vec();
            mended.extend(rest.iter().flat_map(|record| encoder.encode(record).into_bytes()));
            assert_eq!(mended, bytes);
        }
    }
}

#[test]
fn nothing_behind_a_spoilt_byte_is_believed() {
    for records in [upload(), download()] {
        let bytes = written(&records);
        for at in FORMAT.len()..bytes.len() {
            for wrong in [bytes[at] ^ 1, bytes[at] ^ 0x20, 0, b'\n'] {
                let mut spoilt = bytes.clone();
                spoilt[at] = wrong;
                let decoded = decode(&spoilt).unwrap();
                let before = decode(&bytes[..at]).unwrap().records.len();
                let unharmed = wrong == bytes[at];
                assert_eq!(decoded.records.len(), if unharmed { records.len() } else { before }, "{at} {wrong}");
                assert_eq!(decoded.records, records[..decoded.records.len()]);
            }
        }
    }
}

#[test]
fn lines_that_are_left_out_or_change_places_are_not_believed() {
    let records = upload();
    let text = String::from_utf8(written(&records)).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let without: String = [&lines[..3], &lines[4..]].concat().concat();
    assert_eq!(decode(without.as_bytes()).unwrap().records, records[..2]);
    let swapped: String = [&lines[..4], &[lines[5], lines[4]]].concat().concat();
    assert_eq!(decode(swapped.as_bytes()).unwrap().records, records[..3]);
}

#[test]
fn what_is_no_journal_is_refused_and_what_is_empty_is_none() {
    for nothing in ["", "wharf-jour", FORMAT, "\0\0\0"] {
        assert_eq!(decode(nothing.as_bytes()).unwrap().records, []);
    }
    for (other, expected) in [
        ("wharf-journal 2\n", "it was written by another version of wharf"),
        ("Dear diary,\n", "it is no journal of wharf's"),
    ] {
        let error = decode(other.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidInput, expected));
    }
}

#[test]
fn an_upload_is_what_its_records_say() {
    let state = |count: usize| match State::of(upload()[..count].to_vec()) {
        State::Upload(upload) => upload,
        other => panic!("{other:?}"),
    };
    assert_eq!((state(1).unanswered, state(2).unanswered, state(3).unanswered), (None, Some(at(8)), None));
    // Of two that were sent one was answered.
    let again = [&upload()[..2], &[Record::Creating(at(9))], &upload()[2..3]].concat();
    let State::Upload(again) = State::of(again) else { panic!("no upload") };
    assert_eq!((again.unanswered, again.created.is_some()), (Some(at(8)), true));
    let all = state(6);
    assert_eq!(all.created.as_ref().unwrap().0, "u+1/=");
    assert_eq!((all.parts.len(), all.bytes()), (2, 16 << 20));
    assert_eq!(all.parts[&1], part(1));
    assert!(matches!(State::of(upload()[1..].to_vec()), State::Nothing));
    let forged = [1, 2].map(|number| Record::Stored(StoredPart { length: u64::MAX, ..part(number) }));
    let State::Upload(forged) = State::of([&upload()[..1], &forged].concat()) else { panic!("no upload") };
    assert_eq!(forged.bytes(), u64::MAX);
}

#[test]
fn an_upload_goes_on_only_with_the_same() {
    let State::Upload(state) = State::of(upload()) else { panic!("no upload") };
    let now = |change: fn(&mut UploadStart)| {
        let mut now = upload_start();
        change(&mut now);
        state.differs(&now)
    };
    assert_eq!(now(|it| it.since = at(1)), None);
    assert_eq!(now(|it| it.touched = None), None);
    // Each run has an id of its own; what counts is whether there is one.
    let change = |it: &mut UploadStart| it.write_id = it.write_id.is_none().then(|| "x".to_owned());
    assert_eq!(now(change), Some("other things are said of the object"));
    assert_eq!(now(|it| it.write_id = it.write_id.take().map(|id| id + "x")), None);
    assert_eq!(now(|it| it.key.push('x')), Some("it goes to another object"));
    assert_eq!(now(|it| it.modified = Some(at(1))), Some("the file has changed"));
    assert_eq!(now(|it| it.inode = Some(1)), Some("the file has changed"));
    assert_eq!(now(|it| it.length -= 1), Some("the file has changed"));
    assert_eq!(now(|it| it.options.push('x')), Some("other things are said of the object"));
    assert_eq!(now(|it| it.part_size += 1), Some("its parts have another size"));
}

#[test]
fn the_server_says_which_parts_are_there() {
    let State::Upload(state) = State::of(upload()) else { panic!("no upload") };
    let listed = |number: u32, change: fn(&mut ListedPart)| {
        let StoredPart { length, etag, checksum, .. } = part(number);
        let mut listed = ListedPart { part_number: number, size: length, etag, checksum, ..ListedPart::default() };
        change(&mut listed);
        state.still_stored(&[listed]).len()
    };
    assert_eq!((listed(1, |_| ()), listed(2, |_| ()), listed(3, |_| ())), (1, 1, 0));
    assert_eq!(listed(1, |part| part.checksum = None), 1);
    assert_eq!(listed(1, |part| part.checksum = Some(Crc64Nvme.checksum(b"other"))), 0);
    assert_eq!(listed(1, |part| part.etag = ETag::from("\"other\"")), 0);
    assert_eq!(listed(1, |part| part.size -= 1), 0);
    assert!(state.still_stored(&[]).is_empty());
}

#[test]
fn a_download_is_of_one_object() {
    let State::Download(mut state) = State::of(download()) else { panic!("no download") };
    assert_eq!((state.arrived.bytes(), state.arrived.arrived().len()), (495, 3));
    assert!(!state.is_of(&download_start()), "a weak tag may be that of other bytes");
    let download_start = || DownloadStart { etag: ETag::from("\"abc-3\""), ..download_start() };
    state.start = download_start();
    assert!(state.is_of(&DownloadStart { since: at(9), path: "elsewhere".to_owned(), ..download_start() }));
    assert!(!state.is_of(&DownloadStart { etag: ETag::from("\"other\""), ..download_start() }));
    assert!(!state.is_of(&DownloadStart { wanted: 0..500, ..download_start() }));
    assert!(!state.is_of(&DownloadStart { version_id: None, ..download_start() }));
}
