//! The CRC of two pieces from the CRC of each.
//!
//! The crate that computes CRCs can do this too, by matrices: that takes as long as the CRC of a mebibyte, and downloads
//! that can be resumed join hundreds.

use crc_fast::CrcAlgorithm;

/// The polynomials over two elements, modulo that of a CRC. Bits stand in the order of the bytes: the highest is the
/// coefficient of x^0.
#[derive(Clone, Copy)]
struct Field {
    one: u64,
    polynomial: u64,
}

impl Field {
    fn of(crc: CrcAlgorithm) -> Option<Self> {
        let (one, polynomial) = match crc {
            CrcAlgorithm::Crc32IsoHdlc => (1 << 31, 0xEDB8_8320),
            CrcAlgorithm::Crc32Iscsi => (1 << 31, 0x82F6_3B78),
            CrcAlgorithm::Crc64Nvme => (1 << 63, 0x9A6C_9329_AC4B_C9B5),
            _ => return None,
        };
        Some(Self { one, polynomial })
    }

    fn times_x(self, a: u64) -> u64 {
        a >> 1 ^ if a & 1 == 1 { self.polynomial } else { 0 }
    }

    fn product(self, a: u64, mut b: u64) -> u64 {
        let (mut product, mut bit) = (0, self.one);
        while bit != 0 {
            if a & bit != 0 {
                product ^= b;
            }
            b = self.times_x(b);
            bit >>= 1;
        }
        product
    }

    /// What so many bytes that follow multiply a CRC by: x^(8 * bytes).
    fn shift(self, mut bytes: u64) -> u64 {
        let mut shift = self.one;
        let mut square = self.one >> 8;
        while bytes != 0 {
            if bytes & 1 == 1 {
                shift = self.product(shift, square);
            }
            square = self.product(square, square);
            bytes >>= 1;
        }
        shift
    }
}

/// The CRC of bytes with the CRC `left`, followed by `length` bytes with the CRC `right`. What each begins with and is
/// inverted by cancels out, as it is the same in all three.
pub(super) fn join(crc: CrcAlgorithm, left: u64, right: u64, length: u64) -> u64 {
    match Field::of(crc) {
        Some(field) => field.product(field.shift(length), left) ^ right,
        None => crc_fast::checksum_combine(crc, left, right, length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_as_the_matrices_say() {
        let lengths = [0, 1, 2, 7, 255, 256, 4096, 1 << 20, 5 << 30, (1 << 40) + 12_345, u64::MAX >> 3];
        for crc in [CrcAlgorithm::Crc32IsoHdlc, CrcAlgorithm::Crc32Iscsi, CrcAlgorithm::Crc64Nvme] {
            let (left, right) = (crc_fast::checksum(crc, b"left"), crc_fast::checksum(crc, b"right"));
            assert_eq!(join(crc, left, right, 5), crc_fast::checksum(crc, b"leftright"));
            for length in lengths {
                let expected = crc_fast::checksum_combine(crc, left, right, length);
                assert_eq!(join(crc, left, right, length), expected, "{crc:?} {length}");
            }
        }
    }
}
