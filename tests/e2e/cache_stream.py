"""An exported cache, written by somebody who knows the format from its description alone."""

import ctypes
import struct
import time

XXHASH = ctypes.CDLL("libxxhash.so.0")
XXHASH.XXH3_64bits.restype = ctypes.c_uint64
XXHASH.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]

BEGIN = b"\x89rpxexp\n" + struct.pack("<I", 1)
SOURCES = ["none", "policy", "s-maxage", "max-age", "expires", "default", "heuristic"]


def checksum(data):
    return struct.pack("<Q", XXHASH.XXH3_64bits(data, len(data)))


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(data)) + data


def texts(values):
    return struct.pack("<I", len(values)) + b"".join(map(text, values))


def meta(key, fields=(), status=200, lifetime=3600, age=0, extras="", variant=(), tags=(), groups=(), must_revalidate=False,
         no_cache=False, swr=0, sie=0, part=None, initial_age=0):
    """`age`: how long ago it came; `variant`: names and values; `part`: first, last and size."""
    received = int(time.time() * 1000) - age * 1000
    out = b"\x01" + text(key) + text(extras)
    out += struct.pack("<I", len(variant)) + b"".join(text(name) + text(value) + text(value) for name, value in variant)
    out += struct.pack("<H", status)
    out += struct.pack("<I", len(fields)) + b"".join(text(name) + text(value) for name, value in fields)
    out += bytes([must_revalidate | no_cache << 1 | (part is not None) << 2 | (part is not None) << 3])
    if part is not None:
        out += struct.pack("<QQQ", *part)
    out += struct.pack("<qqqBqqq", received, received, initial_age, SOURCES.index("max-age"), lifetime, swr, sie)
    return out + texts([]) + texts(tags) + texts(groups)


def record(content=b"", **terms):
    encoded = meta(**terms)
    head = b"R" + struct.pack("<IQ", len(encoded), len(content)) + encoded
    return head + checksum(head) + content + checksum(content)


def stream(*records):
    end = b"E" + struct.pack("<Q", len(records))
    return BEGIN + b"".join(records) + end + checksum(end)
