//! Published check values, and what must hold when checksums of parts are joined.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use wharf_proto::checksum::{Checksum, ChecksumAlgorithm, ChecksumError, ChecksumHasher, ChecksumType, md5_base64};

use ChecksumAlgorithm::{Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256, Sha512, Xxhash3, Xxhash64, Xxhash128};

fn parse(algorithm: ChecksumAlgorithm, text: &str) -> Checksum {
    Checksum::parse(algorithm, text).unwrap()
}

#[test]
fn published_values() {
    let long = "a".repeat(66_560);
    let rows = [
        ("", "AAAAAA==", "AAAAAA==", "AAAAAAAAAAA="),
        ("123456789", "y/Q5Jg==", "4waSgw==", "rosUhgp5mIg="),
        ("Hello world", "i9aeUg==", "crUfeA==", "OOJZ0D8xKts="),
        ("Hello, world!", "6+bG5g==", "yKEG5Q==", "n3hVaQAaPTQ="),
        (long.as_str(), "sK4Y7A==", "sOO8/Q==", "pRf+emrnL+A="),
    ];
    for (text, crc32, crc32c, crc64) in rows {
        for (algorithm, expected) in [(Crc32, crc32), (Crc32c, crc32c), (Crc64Nvme, crc64)] {
            let one_shot = algorithm.checksum(text.as_bytes());
            assert_eq!(one_shot.to_string(), expected, "{algorithm} of {} bytes", text.len());
            assert_eq!(one_shot, parse(algorithm, expected));
        }
    }
    // FIPS 180 examples: the message "abc".
    assert_eq!(Sha1.checksum(b"abc").to_string(), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    assert_eq!(Sha256.checksum(b"abc").to_string(), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    // FIPS 180 and RFC 1321.
    let sha512 = "3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";
    assert_eq!(Sha512.checksum(b"abc").to_string(), sha512);
    assert_eq!(Md5.checksum(b"abc").to_string(), "kAFQmDzST7DWlj99KOF/cg==");
    // The canonical form of xxHash is big-endian, and so is S3's.
    let counting: Vec<u8> = (0..1000_u32).map(|n| n as u8).collect();
    for (algorithm, of_nothing, of_digits, of_1000) in [
        (Xxhash64, "70bbN1HY6Zk=", "jLhB20DmroM=", "bvQ2sA66QHg="),
        (Xxhash3, "LQaABTjTlMI=", "ctyxi2ehff8=", "0z3YC0b2DlA="),
        (Xxhash128, "maoG0wFHmNhgAcMkRo1Jfw==", "MxGUd+3l3NXpcWQnaB1YYA==", "B29+ArcSDSrTPdgLRvYOUA=="),
    ] {
        assert_eq!(algorithm.checksum(b"").to_string(), of_nothing, "{algorithm}");
        assert_eq!(algorithm.checksum(b"123456789").to_string(), of_digits, "{algorithm}");
        assert_eq!(algorithm.checksum(&counting).to_string(), of_1000, "{algorithm}");
    }
    // 32 zero bytes and the bytes 00 to 1f, as the CRC's reference tests name them.
    assert_eq!(Crc64Nvme.checksum(&[0; 32]).as_bytes(), 0xCF34_7343_4D4E_CF3B_u64.to_be_bytes());
    let counting: Vec<u8> = (0..32).collect();
    assert_eq!(Crc64Nvme.checksum(&counting).as_bytes(), 0xB9D9_D4A8_492C_BD7F_u64.to_be_bytes());
}

#[test]
fn md5_of_rfc_1321() {
    assert_eq!(md5_base64(b""), "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(md5_base64(b"abc"), "kAFQmDzST7DWlj99KOF/cg==");
}

#[test]
fn pieces_make_no_difference() {
    let data: Vec<u8> = (0..5_000_u32).map(|n| (n * 7 + n / 256) as u8).collect();
    for algorithm in ChecksumAlgorithm::ALL {
        let whole = algorithm.checksum(&data);
        for piece in [1, 3, 64, 1_023] {
            let mut hasher = ChecksumHasher::new(algorithm);
            assert_eq!(hasher.algorithm(), algorithm);
            hasher.update(b"");
            data.chunks(piece).for_each(|chunk| hasher.update(chunk));
            assert_eq!(hasher.finish(), whole, "{algorithm} in pieces of {piece}");
        }
    }
}

#[test]
fn crcs_of_parts_join_to_that_of_the_object() {
    let data: Vec<u8> = (0..70_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
    for algorithm in [Crc32, Crc32c, Crc64Nvme] {
        for part in [1_000, 65_536, 70_000] {
            let parts = data.chunks(part).map(|bytes| (algorithm.checksum(bytes), bytes.len() as u64));
            assert_eq!(Checksum::full_object_of(parts), Ok(algorithm.checksum(&data)), "{algorithm}, parts of {part}");
        }
        let with_empty = [(algorithm.checksum(b""), 0), (algorithm.checksum(b"abc"), 3), (algorithm.checksum(b""), 0)];
        assert_eq!(Checksum::full_object_of(with_empty), Ok(algorithm.checksum(b"abc")));
        // Order counts.
        let swapped = [(algorithm.checksum(b"bc"), 2), (algorithm.checksum(b"a"), 1)];
        assert_ne!(Checksum::full_object_of(swapped), Ok(algorithm.checksum(b"abc")));
    }
}

#[test]
fn composite_is_the_checksum_of_the_digests() {
    for algorithm in ChecksumAlgorithm::ALL {
        let parts = [b"one".as_slice(), b"two", b"three"].map(|part| algorithm.checksum(part));
        let digests: Vec<u8> = parts.iter().flat_map(|part| part.as_bytes().to_vec()).collect();
        let composite = Checksum::composite_of(parts).unwrap();
        assert_eq!(composite.to_base64(), algorithm.checksum(&digests).to_base64());
        assert_eq!(composite.part_count(), Some(3));
        assert_eq!(composite.to_string(), format!("{}-3", composite.to_base64()));
        assert_eq!(parse(algorithm, &composite.to_string()), composite);
        assert_ne!(composite, algorithm.checksum(&digests), "a composite checksum is not that of the bytes");
    }
}

#[test]
fn joining_refuses_what_cannot_be_joined() {
    let composite = Checksum::composite_of([Crc32.checksum(b"a")]).unwrap();
    assert_eq!(Checksum::full_object_of([]), Err(ChecksumError::NoParts));
    assert_eq!(Checksum::composite_of([]), Err(ChecksumError::NoParts));
    assert_eq!(Checksum::full_object_of([(Sha1.checksum(b"a"), 1)]), Err(ChecksumError::NotCombinable(Sha1)));
    assert_eq!(Checksum::full_object_of([(composite, 1)]), Err(ChecksumError::CompositePart));
    assert_eq!(Checksum::composite_of([composite]), Err(ChecksumError::CompositePart));
    let mixed = [Crc32.checksum(b"a"), Crc32c.checksum(b"b")];
    assert_eq!(Checksum::composite_of(mixed), Err(ChecksumError::MixedAlgorithms(Crc32, Crc32c)));
    let mixed = mixed.map(|part| (part, 1));
    assert_eq!(Checksum::full_object_of(mixed), Err(ChecksumError::MixedAlgorithms(Crc32, Crc32c)));
}

#[test]
fn text_that_is_no_checksum() {
    for text in ["", "AAAA", "AAAAAA", "AAAAAA=", "AAAAAAAAAAA=", "!!!!!!==", "AAAAAA== ", "AAAAAA==-", "AAAAAA==-0"]
        .into_iter()
        .chain(["AAAAAA==-x", "AAAAAA==-+3", "AAAAAA==--3", "AAAAAA==-3-3", "AAAAAA==-99999999999", "AAAAAB=="])
    {
        assert_eq!(Checksum::parse(Crc32, text), Err(ChecksumError::InvalidText(Crc32)), "{text:?}");
    }
    assert_eq!(Checksum::from_bytes(Sha1, &[0; 32]), Err(ChecksumError::InvalidText(Sha1)));
    assert_eq!(
        ChecksumError::InvalidText(Sha256).to_string(),
        "not a SHA256 checksum; it is the base64 of 32 bytes, with -N after it when made from N parts"
    );
}

#[test]
fn names() {
    let rows = [
        (Crc32, "CRC32", "x-amz-checksum-crc32", 4),
        (Crc32c, "CRC32C", "x-amz-checksum-crc32c", 4),
        (Crc64Nvme, "CRC64NVME", "x-amz-checksum-crc64nvme", 8),
        (Sha1, "SHA1", "x-amz-checksum-sha1", 20),
        (Sha256, "SHA256", "x-amz-checksum-sha256", 32),
        (Sha512, "SHA512", "x-amz-checksum-sha512", 64),
        (Md5, "MD5", "x-amz-checksum-md5", 16),
        (Xxhash64, "XXHASH64", "x-amz-checksum-xxhash64", 8),
        (Xxhash3, "XXHASH3", "x-amz-checksum-xxhash3", 8),
        (Xxhash128, "XXHASH128", "x-amz-checksum-xxhash128", 16),
    ];
    assert_eq!(rows.map(|row| row.0), ChecksumAlgorithm::ALL);
    for (algorithm, name, header, len) in rows {
        assert_eq!(algorithm.to_string(), name);
        assert_eq!(name.to_lowercase().parse(), Ok(algorithm));
        assert_eq!((algorithm.header_name(), algorithm.header().as_str()), (header, header));
        let checksum = algorithm.checksum(b"");
        assert_eq!((algorithm.digest_len(), checksum.as_bytes().len()), (len, len));
        assert_eq!(parse(algorithm, &checksum.to_string()), checksum);
        let too_long = "A".repeat(92);
        assert_eq!(Checksum::parse(algorithm, &too_long), Err(ChecksumError::InvalidText(algorithm)));
    }
    assert_eq!(
        "MD4".parse::<ChecksumAlgorithm>().unwrap_err().to_string(),
        "unknown checksum algorithm \"MD4\"; there are CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, \
         XXHASH3, XXHASH128"
    );
    assert_eq!("FULL_OBJECT".parse(), Ok(ChecksumType::FullObject));
    assert_eq!("composite".parse(), Ok(ChecksumType::Composite));
    assert!("WHOLE".parse::<ChecksumType>().is_err());
    assert_eq!(format!("{:?}", Crc32.checksum(b"Hello world")), "Checksum(CRC32 i9aeUg==)");
}

#[test]
fn which_type_goes_with_which_algorithm() {
    let rows = [(Crc32, true, true), (Crc32c, true, true), (Crc64Nvme, true, false), (Sha1, false, true)];
    for (algorithm, full_object, composite) in rows.into_iter().chain([(Sha256, false, true), (Xxhash3, false, true)]) {
        assert_eq!(algorithm.supports(ChecksumType::FullObject), full_object, "{algorithm}");
        assert_eq!(algorithm.supports(ChecksumType::Composite), composite, "{algorithm}");
    }
}
