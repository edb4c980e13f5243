"""RFC 9113 4 and 5.5: the form of frames, their size, header blocks in pieces, and what is unknown."""

import http2_frames as h2
import http2_hpack as hpack

from .case import (Case, NotApplicable, alive, await_server_settings, connection_error, each, malformed, served, settle, stream_error)


def oversized(make):
    """One octet more than the server takes, where a frame can be that long."""

    def step(peer):
        size = peer.server_settings().get(h2.MAX_FRAME_SIZE, h2.DEFAULT_FRAME)
        if size + 1 >= 1 << 24:
            raise NotApplicable
        peer.send(make(size + 1))

    return step


def cut(t, *positions):
    """A request's header block in a HEADERS and CONTINUATION frames."""
    block = t.block((b"x-filler", b"abcdefgh" * 4))
    edges = [0, *positions, len(block)]
    parts = [block[start:end] for start, end in zip(edges, edges[1:])]
    more = b"".join(h2.continuation(1, part, 0) for part in parts[1:-1])
    return h2.headers(1, parts[0], h2.END_STREAM) + more + h2.continuation(1, parts[-1])


def huge_request(t):
    return lambda size: h2.headers(1, t.block() + hpack.literal(b"x-huge", b"a" * (size - len(t.block()) - 11)))


def cases(t):
    size_error = connection_error(h2.FRAME_SIZE_ERROR)
    wrong = connection_error(h2.PROTOCOL_ERROR)
    half = h2.headers(1, t.block(), h2.END_STREAM)
    kept = hpack.literal(b"x-kept", b"yes", hpack.INDEX)
    return [
        Case("9113 4.1", "a frame of unknown type", (h2.frame(0x17, 0x0f, 0, b"ignored"),), alive, "http2/4.1/1"),
        Case("9113 4.1", "a frame of unknown type on a stream that is not", (h2.frame(0xfa, 0xff, 7, b"ignored"), t.get()), served(),
             level="SHOULD"),
        Case("9113 4.1", "a frame of unknown type on an open stream",
             (t.post(), h2.frame(0xfa, 0xff, 1, b"ignored"), h2.data(1, b"x", h2.END_STREAM)), served()),
        Case("9113 4.1", "a frame of unknown type of 2^14 octets", (h2.frame(0xfa, 0, 0, b"\0" * h2.DEFAULT_FRAME),), alive),
        Case("9113 4.2", "a frame of unknown type that is too large", (oversized(lambda n: h2.frame(0xfa, 0, 0, b"\0" * n)),),
             size_error, level="SHOULD"),
        Case("9113 4.1", "flags that are not defined", (h2.ping(flags=0x16),), alive, "http2/4.1/2"),
        Case("9113 4.1", "flags that are not defined, on HEADERS and DATA",
             (h2.headers(1, t.block(method=b"POST"), 0xd2 & ~0x29 | h2.END_HEADERS), h2.data(1, b"x", 0xf6 & ~0x8 | 1)), served()),
        Case("9113 4.1", "the reserved bit", (h2.ping(stream=1 << 31),), alive, "http2/4.1/3"),
        Case("9113 4.1", "the reserved bit of a request", (h2.headers(1 | 1 << 31, t.block()),), served()),
        Case("9113 4.2", "DATA of 2^14 octets", (t.post(), h2.data(1, b"x" * h2.DEFAULT_FRAME, h2.END_STREAM)), served(),
             "http2/4.2/1"),
        Case("9113 4.2", "DATA larger than taken", (t.post(), oversized(lambda n: h2.data(1, b"x" * n, h2.END_STREAM))),
             stream_error(1, h2.FRAME_SIZE_ERROR, strict=True), "http2/4.2/2"),
        Case("9113 4.2", "HEADERS larger than taken", (oversized(huge_request(t)),), size_error, "http2/4.2/3"),
        Case("9113 4.2", "SETTINGS larger than taken",
             (oversized(lambda n: h2.settings(*[(h2.HEADER_TABLE_SIZE, 4096)] * (n // 6 + 1))),),
             connection_error(h2.FRAME_SIZE_ERROR, h2.ENHANCE_YOUR_CALM)),
        Case("9113 4.2", "CONTINUATION larger than taken", (oversized(
            lambda n: half + h2.continuation(1, hpack.literal(b"x-huge", b"a" * (n - 11)))),), size_error),
        Case("9113 4.2", "GOAWAY larger than taken", (oversized(lambda n: h2.goaway(debug=b"x" * n)),), size_error),
        Case("9113 4.2", "HEADERS of 2^14 octets", (await_server_settings, h2.headers(
            1, t.block() + hpack.literal(b"x-long", b"a" * (h2.DEFAULT_FRAME - len(t.block()) - 11)))), served(), level="MAY"),
        Case("9113 4.3", "a header block that can't be decoded", (h2.headers(1, b"\x40\x01\x40"),),
             connection_error(h2.COMPRESSION_ERROR), "http2/4.3/1"),
        Case("9113 4.3", "PRIORITY within a header block", (half, h2.priority(1), h2.continuation(1)), wrong, "http2/4.3/2"),
        Case("9113 4.3", "HEADERS of another stream within a header block", (half, t.get(3), h2.continuation(1)), wrong,
             "http2/4.3/3"),
        *(Case("9113 4.3", f"{name} within a header block", (half, raw, h2.continuation(1)), wrong) for name, raw in (
            ("PING", h2.ping()), ("SETTINGS", h2.settings()), ("WINDOW_UPDATE", h2.window_update(0, 1)),
            ("RST_STREAM", h2.rst_stream(1)), ("DATA", h2.data(1, b"x")), ("GOAWAY", h2.goaway()),
            ("HEADERS of the same stream", t.get()), ("CONTINUATION of another stream", h2.continuation(3)))),
        *(Case("9113 4.3", f"a header block cut at {at}", (cut(t, at),), served()) for at in (0, 1, 2, 5, 20, 40)),
        Case("9113 4.3", "a header block in five pieces, one of them empty", (cut(t, 1, 3, 3, 30),), served()),
        Case("9113 4.3", "the whole block in CONTINUATION", (h2.headers(1, b"", h2.END_STREAM), h2.continuation(1, t.block())), served()),
        Case("9113 4.3", "a refused request has part in the compression's state",
             (h2.headers(1, t.block() + kept + hpack.literal(b"UPPER", b"x")), settle, h2.headers(3, t.block() + hpack.indexed(62))),
             each(malformed(1), served(3))),
        Case("9113 4.3", "a header block on a stream that was reset has part in the compression's state",
             (t.post(), h2.rst_stream(1), h2.headers(3, t.block() + kept), h2.headers(5, t.block() + hpack.indexed(62))),
             each(served(3), served(5))),
        Case("9113 5.5", "an extension's frame", (h2.frame(0xff, 0, 0, b"unknown"),), alive, "http2/5.5/1"),
        Case("9113 5.5", "an extension's frame within a header block", (half, h2.frame(0xff, 0, 0, b"unknown"), h2.continuation(1)),
             wrong, "http2/5.5/2"),
    ]
