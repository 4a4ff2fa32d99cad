use super::*;
use crate::Provider;
use crate::checksum::ChecksumAlgorithm::{Crc32, Crc64Nvme, Md5, Sha256};
use crate::provider::Parts;
use crate::transfer::PartPlan;

const MIB: u64 = 1 << 20;
const HELLO: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

fn habits(etag_is_md5: bool, multipart_etag: bool) -> Habits {
    Habits { etag_is_md5, multipart_etag, ..Provider::Other.habits() }
}

fn encrypted(algorithm: &str, customer_key: bool) -> EncryptionInfo {
    EncryptionInfo { algorithm: algorithm.to_owned(), customer_key, ..EncryptionInfo::default() }
}

fn of(etag: &str, checksum: Option<Checksum>, encryption: Option<&EncryptionInfo>, habits: &Habits) -> Evidence {
    let etag = ETag::from(etag);
    Evidence::of(Facts { etag: &etag, checksum, checksum_type: None, encryption }, habits, "my-bucket")
}

/// The ETag of bytes in parts, made as S3 makes it.
fn parts_etag(bytes: &[u8], cuts: &[usize]) -> String {
    let (mut rest, mut digests) = (bytes, Vec::new());
    for length in cuts {
        let (part, later) = rest.split_at(*length);
        digests.extend_from_slice(Md5.checksum(part).as_bytes());
        rest = later;
    }
    assert!(rest.is_empty());
    let hex: String = Md5.checksum(&digests).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}-{}", cuts.len())
}

fn compared(proof: Proof, bytes: &[u8], cuts: &[PartPlan]) -> Likeness {
    let mut comparison = Comparison::new(proof, bytes.len() as u64, cuts).unwrap();
    // Pieces that end nowhere in particular.
    bytes.chunks(7_001).for_each(|piece| comparison.update(piece));
    comparison.finish()
}

#[test]
fn an_etag_is_believed_or_not() {
    let (none, whole, both) = (habits(false, false), habits(true, false), habits(true, true));
    let parts_only = habits(false, true);
    let parts = "\"5d41402abc4b2a76b9719d911017c592-2\"";
    let plain = Md5.checksum(b"hello");
    let of_parts = plain.with_parts(NonZeroU32::MIN.saturating_add(1));
    for (etag, habits, expected) in [
        (HELLO, &none, Err(Doubt::NotTrusted)),
        (parts, &none, Err(Doubt::NotTrusted)),
        (HELLO, &whole, Ok(plain)),
        (parts, &whole, Err(Doubt::PartsNotTrusted)),
        (HELLO, &both, Ok(plain)),
        (parts, &both, Ok(of_parts)),
        (HELLO, &parts_only, Err(Doubt::NotTrusted)),
        (parts, &parts_only, Ok(of_parts)),
        // Without quotes, and in capitals, as some servers write them.
        ("5D41402ABC4B2A76B9719D911017C592", &both, Ok(plain)),
        ("", &both, Err(Doubt::NoMd5)),
        ("\"5d41402abc4b2a76b9719d911017c59\"", &both, Err(Doubt::NoMd5)),
        ("\"5d41402abc4b2a76b9719d911017c5921\"", &both, Err(Doubt::NoMd5)),
        ("\"xd41402abc4b2a76b9719d911017c592\"", &both, Err(Doubt::NoMd5)),
        ("\"+d41402abc4b2a76b9719d911017c592\"", &both, Err(Doubt::NoMd5)),
        ("\"éd41402abc4b2a76b9719d911017c59\"", &both, Err(Doubt::NoMd5)),
        ("\"CLm2u8TYhfMCEAE=\"", &both, Err(Doubt::NoMd5)),
        ("\"5d41402abc4b2a76b9719d911017c592-0\"", &both, Err(Doubt::NoMd5)),
        ("\"5d41402abc4b2a76b9719d911017c592-\"", &both, Err(Doubt::NoMd5)),
        ("\"5d41402abc4b2a76b9719d911017c592-+2\"", &both, Err(Doubt::NoMd5)),
        ("\"5d41402abc4b2a76b9719d911017c592-2-2\"", &both, Err(Doubt::NoMd5)),
        ("\"5d41402abc4b2a76b9719d911017c592-99999999999\"", &both, Err(Doubt::NoMd5)),
    ] {
        let expected = expected.map(|checksum| Proof { checksum, is_etag: true });
        assert_eq!(of(etag, None, None, habits).proof(), expected, "{etag} {habits:?}");
    }
}

#[test]
fn an_encrypted_object_has_no_md5() {
    let both = habits(true, true);
    for (encryption, believed) in [
        (encrypted("AES256", false), true),
        (encrypted("aes256", false), true),
        (encrypted("aws:kms", false), false),
        (encrypted("aws:kms:dsse", false), false),
        (encrypted("AES256", true), false),
        (encrypted("another", false), false),
    ] {
        let proof = of(HELLO, None, Some(&encryption), &both).proof();
        assert_eq!(proof.is_ok(), believed, "{encryption:?}");
        assert!(believed || proof == Err(Doubt::Encrypted));
        // What the server keeps is of the bytes in any case.
        let kept = of(HELLO, Some(Crc64Nvme.checksum(b"hello")), Some(&encryption), &both).proof();
        assert!(!kept.unwrap().is_etag);
    }
    let etag = ETag::from(HELLO);
    let facts = Facts { etag: &etag, checksum: None, checksum_type: None, encryption: None };
    let directory = Evidence::of(facts, &Provider::Aws.habits(), "mine--use1-az4--x-s3");
    assert_eq!(directory.proof(), Err(Doubt::DirectoryBucket));
}

#[test]
fn a_checksum_that_is_kept_comes_first() {
    let (both, kept) = (habits(true, true), Crc32.checksum(b"hello"));
    let evidence = of(HELLO, Some(kept), None, &both);
    assert_eq!(evidence.proof(), Ok(Proof { checksum: kept, is_etag: false }));
    // A composite one whose number of parts is missing covers nobody knows what.
    let etag = ETag::from(HELLO);
    let facts = Facts {
        etag: &etag,
        checksum: Some(Sha256.checksum(b"")),
        checksum_type: Some(ChecksumType::Composite),
        encryption: None,
    };
    assert!(Evidence::of(facts, &both, "b").proof().unwrap().is_etag);
    assert_eq!(Evidence::of(facts, &habits(false, false), "b").proof(), Err(Doubt::NotTrusted));
}

#[test]
fn bytes_are_compared_as_they_come() {
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for algorithm in [Crc64Nvme, Sha256, Md5] {
        let proof = Proof { checksum: algorithm.checksum(&bytes), is_etag: false };
        assert_eq!(compared(proof, &bytes, &[]), Likeness::Same(proof));
        let mut other = bytes.clone();
        other[77_777] ^= 1;
        assert_eq!(compared(proof, &other, &[]), Likeness::Differs);
        let mut short = Comparison::new(proof, bytes.len() as u64 + 1, &[]).unwrap();
        short.update(&bytes);
        assert_eq!(short.finish(), Likeness::Differs);
    }
}

#[test]
fn parts_are_found_by_the_cuts_that_clients_make() {
    let both = habits(true, true);
    let limits = Provider::Aws.habits().parts;
    let bytes: Vec<u8> = (0..11 * MIB as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (size, mib) = (bytes.len() as u64, MIB as usize);
    for (cuts, wanted, found) in [
        (vec![8 * mib, 3 * mib], 8, true),
        (vec![5 * mib, 5 * mib, mib], 8, true),
        // The least whole mebibytes.
        (vec![4 * mib, 4 * mib, 3 * mib], 8, true),
        // Of no usual size, unless it is the one that is said here.
        (vec![7 * mib, 4 * mib], 8, false),
        (vec![7 * mib, 4 * mib], 7, true),
        (vec![3 * mib, 8 * mib], 8, false),
    ] {
        let proof = of(&parts_etag(&bytes, &cuts), None, None, &both).proof().unwrap();
        let likely = likely_cuts(size, cuts.len() as u32, wanted * MIB, limits);
        let expected = if found { Likeness::Same(proof) } else { Likeness::Unknown(Doubt::OtherParts) };
        assert_eq!(compared(proof, &bytes, &likely), expected, "{cuts:?}");
    }
    // Other bytes cut in the right way are not told from the right bytes cut in another.
    let proof = of(&parts_etag(&bytes, &[8 * mib, 3 * mib]), None, None, &both).proof().unwrap();
    let likely = likely_cuts(size, 2, 8 * MIB, limits);
    let mut other = bytes.clone();
    other[0] ^= 1;
    assert_eq!(compared(proof, &other, &likely), Likeness::Unknown(Doubt::OtherParts));
    assert_eq!(Comparison::new(proof, size, &[]).err(), Some(Doubt::OtherParts));
    // A checksum that the server has made of its parts' checksums, by the same cuts.
    let composite = Checksum::composite_of(bytes.chunks(8 * mib).map(|part| Crc32.checksum(part))).unwrap();
    let proof = of("\"x\"", Some(composite), None, &habits(false, false)).proof().unwrap();
    assert_eq!(compared(proof, &bytes, &likely), Likeness::Same(proof));
}

#[test]
fn few_cuts_are_tried() {
    let limits = Provider::Aws.habits().parts;
    let sizes = |size, count, wanted| -> Vec<u64> {
        likely_cuts(size, count, wanted, limits).iter().map(|plan| plan.size_of(1) / MIB).collect()
    };
    assert_eq!(sizes(100 * MIB, 2, 8 * MIB), [50, 64]);
    // The other one is a thirteenth of it.
    assert_eq!(sizes(100 * MIB, 13, 8 * MIB), [8, 7]);
    assert_eq!(sizes(100 * MIB, 1, 8 * MIB), [100], "all in one part, whatever its size could have been");
    assert_eq!(sizes(0, 1, 8 * MIB), [8]);
    assert!(sizes(100 * MIB, 10_001, 8 * MIB).is_empty());
    assert!(sizes(10, 11, 8 * MIB).is_empty());
    // As wharf cuts a file that has too many parts of eight, and a stream, whose parts grow.
    let large = 100_000 * MIB;
    assert_eq!(likely_cuts(large, 10_000, 8 * MIB, limits)[0], PartPlan::of_length(large, 8 * MIB, limits).unwrap());
    let grown = 3_000 * MIB;
    let stream = PartPlan::of_unknown_length(8 * MIB, limits);
    assert!(likely_cuts(grown, stream.count(grown) as u32, 8 * MIB, limits).contains(&stream));
    for (size, count) in [(u64::MAX, 1), (u64::MAX, 10_000), (1, 10_000), (u64::MAX, u32::MAX)] {
        let one = Parts { max_count: u32::MAX, ..limits };
        assert!(likely_cuts(size, count, u64::MAX, limits).len() < 20);
        assert!(likely_cuts(1, count, 1, one).len() < 20);
    }
}

#[test]
fn two_objects_are_compared_by_what_they_have_in_common() {
    let (none, both) = (habits(false, false), habits(true, true));
    let (crc, other_crc) = (Crc64Nvme.checksum(b"hello"), Crc64Nvme.checksum(b"other"));
    let md5 = Md5.checksum(b"hello");
    let (other, parts, other_parts) = (
        "\"00000000000000000000000000000000\"",
        "\"5d41402abc4b2a76b9719d911017c592-2\"",
        "\"00000000000000000000000000000000-2\"",
    );
    let composite = Checksum::composite_of([crc, crc]).unwrap();
    let same = |checksum, is_etag| Likeness::Same(Proof { checksum, is_etag });
    let in_parts = md5.with_parts(NonZeroU32::MIN.saturating_add(1));
    let unknown = Likeness::Unknown;
    for (one, two, expected) in [
        ((HELLO, Some(crc), &none), (other, Some(crc), &none), same(crc, false)),
        ((HELLO, Some(crc), &both), (HELLO, Some(other_crc), &both), Likeness::Differs),
        ((HELLO, None, &both), (HELLO, None, &both), same(md5, true)),
        ((HELLO, None, &both), (other, None, &both), Likeness::Differs),
        // Equal tags of a provider that is not trusted are two names, not two digests.
        ((HELLO, None, &none), (HELLO, None, &none), unknown(Doubt::NotTrusted)),
        ((HELLO, None, &both), (HELLO, None, &none), unknown(Doubt::NotTrusted)),
        ((HELLO, Some(crc), &both), (HELLO, None, &both), same(md5, true)),
        ((HELLO, Some(crc), &none), (HELLO, None, &none), unknown(Doubt::NotTrusted)),
        ((HELLO, Some(md5), &none), (HELLO, None, &both), same(md5, true)),
        ((other, Some(crc), &none), (HELLO, Some(Crc32.checksum(b"hello")), &none), unknown(Doubt::NothingInCommon)),
        ((parts, None, &both), (parts, None, &both), same(in_parts, true)),
        ((parts, None, &both), (other_parts, None, &both), unknown(Doubt::NothingInCommon)),
        ((parts, None, &both), (HELLO, None, &both), unknown(Doubt::NothingInCommon)),
        ((other, Some(composite), &none), (HELLO, Some(composite), &none), same(composite, false)),
        ((other, Some(composite), &none), (HELLO, Some(crc), &none), unknown(Doubt::NothingInCommon)),
    ] {
        let [first, second] = [one, two].map(|(etag, checksum, habits)| of(etag, checksum, None, habits));
        assert_eq!(first.compare(&second), expected, "{one:?} {two:?}");
        assert_eq!(second.compare(&first), expected, "{two:?} {one:?}");
    }
}

#[test]
fn a_caller_s_key_is_known_by_its_algorithm_alone() {
    for (header, customer_key) in
        [("x-amz-server-side-encryption", false), ("x-amz-server-side-encryption-customer-algorithm", true)]
    {
        let map = [(http::HeaderName::from_static(header), http::HeaderValue::from_static("AES256"))];
        let head = ObjectHead::read(&map.into_iter().collect());
        assert_eq!(head.encryption.map(|encryption| encryption.customer_key), Some(customer_key), "{header}");
    }
}
