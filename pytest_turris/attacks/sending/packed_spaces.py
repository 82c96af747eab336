"""Decompression bombs: many spaces in few bytes, made quickly."""

import struct
import zlib
from functools import cache

_BLOCK = 1024 * 1024


@cache
def packed_spaces(size: int) -> dict[str, bytes]:
    """Return spaces in the codings gzip and deflate: one block many times.

    Args:
        size: How many there are; a multiple of 1 MiB.
    """
    one = zlib.compressobj(level=9, wbits=-zlib.MAX_WBITS)
    block = one.compress(b" " * _BLOCK) + one.flush(zlib.Z_FULL_FLUSH)
    whole, end = block * (size // _BLOCK), b"\x03\0"
    spaces = b" " * size
    return {
        # RFC 1952, 2.3: the head of a gzip member, and CRC and length after it.
        "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
        + whole
        + end
        + struct.pack("<II", zlib.crc32(spaces), size),
        # RFC 1950, 2.2: what HTTP calls deflate (RFC 9110, 8.4.1.2).
        "deflate": b"\x78\x01" + whole + end + struct.pack(">I", zlib.adler32(spaces)),
    }
