"""The five checksums, computed by libraries that are not the store's: hashlib and the C library of AWS."""

import base64
import hashlib

from awscrt import checksums

SUMS = {
    "CRC32": lambda body: checksums.crc32(body).to_bytes(4, "big"),
    "CRC32C": lambda body: checksums.crc32c(body).to_bytes(4, "big"),
    "CRC64NVME": lambda body: checksums.crc64nvme(body).to_bytes(8, "big"),
    "SHA1": lambda body: hashlib.sha1(body).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}
ALGORITHMS = list(SUMS)


def checksum(algorithm, body):
    return base64.b64encode(SUMS[algorithm](body)).decode()


def composite(algorithm, bodies):
    return checksum(algorithm, b"".join(SUMS[algorithm](body) for body in bodies)) + f"-{len(bodies)}"


def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()
