"""RFC 9113 6.1, 6.2, 6.3, 6.6 and 6.10: the frames of messages, their padding, and PRIORITY."""

import http2_frames as h2

from .case import (Case, alive, answered, await_response, connection_error, each, expectation, served, settle, still_talks,
                   stream_error)

WRONG = h2.PROTOCOL_ERROR
SIZE = h2.FRAME_SIZE_ERROR


def in_pieces(t, *sizes, flags=h2.END_STREAM):
    """HEADERS of that many octets, then as many CONTINUATION frames."""
    block, out = t.block(), b""
    for number, size in enumerate(sizes):
        make = h2.continuation if number else lambda stream, part, _: h2.headers(stream, part, flags)
        out, block = out + make(1, block[:size], 0), block[size:]
    return out + h2.continuation(1, block)


@expectation("served, or refused for padding that is not zero")
def padding_judged(peer):
    return "" if stream_error(1, WRONG)(peer) == "" else served()(peer)


def cases(t):
    wrong, size = connection_error(WRONG), connection_error(SIZE, WRONG)
    half = h2.headers(1, t.block(), h2.END_STREAM)
    open_half = h2.headers(1, t.block(method=b"POST"), 0)
    end = h2.END_STREAM
    return [
        Case("9113 6.1", "DATA", (t.post(), h2.data(1, b"test", end)), served(), "generic/3.1/1"),
        Case("9113 6.1", "several DATA", (t.post(), h2.data(1, b"test"), h2.data(1, b"test", end)), served(), "generic/3.1/2"),
        Case("9113 6.1", "DATA with padding", (t.post(), h2.data(1, b"test", end, padding=b"\0" * 5)), served(), "generic/3.1/3"),
        Case("9113 6.1", "DATA of padding alone", (t.post(), h2.data(1, b"", padding=b"\0" * 255), h2.data(1, b"x", end)), served()),
        Case("9113 6.1", "DATA with a padding of none", (t.post(), h2.data(1, b"x", end, padding=b"")), served()),
        Case("9113 6.1", "empty DATA that ends the stream", (t.post(), h2.data(1, b"", end)), served()),
        Case("9113 6.1", "DATA on stream 0", (h2.data(0, b"test", end),), wrong, "http2/6.1/1"),
        Case("9113 6.1", "DATA on a stream that is not open", (t.get() + h2.data(1, b"test", end),),
             stream_error(1, h2.STREAM_CLOSED), "http2/6.1/2"),
        Case("9113 6.1", "DATA with more padding than payload", (t.post(), h2.data(1, b"test", end, b"", 6)), wrong, "http2/6.1/3"),
        Case("9113 6.1", "DATA with padding as long as the payload", (t.post(), h2.data(1, b"test", end, b"", 5)), wrong),
        Case("9113 6.1", "DATA with padding and no octet of it", (t.post(), h2.frame(h2.DATA, h2.PADDED | end, 1)), size),
        Case("9113 6.1", "DATA with padding that is not zero", (t.post(), h2.data(1, b"x", end, padding=b"abc")), padding_judged,
             level="MAY"),

        Case("9113 6.2", "HEADERS", (t.get(),), served(), "generic/3.2/1"),
        Case("9113 6.2", "HEADERS with padding", (t.get(padding=b"\0" * 8),), served(), "generic/3.2/2"),
        Case("9113 6.2", "HEADERS with priority", (t.get(priority=h2.dependency(0, 255)),), served(), "generic/3.2/3"),
        Case("9113 6.2", "HEADERS with padding and priority", (t.get(padding=b"\0" * 255, priority=h2.dependency(3, 1, True)),),
             served()),
        Case("9113 6.2", "PRIORITY after HEADERS without END_HEADERS", (half, h2.priority(1), h2.continuation(1)), wrong, "http2/6.2/1"),
        Case("9113 6.2", "HEADERS of another stream after HEADERS without END_HEADERS", (half, t.get(3), h2.continuation(1)), wrong,
             "http2/6.2/2"),
        Case("9113 6.2", "HEADERS on stream 0", (t.get(0),), wrong, "http2/6.2/3"),
        Case("9113 6.2", "HEADERS with more padding than payload", (t.get(pad_length=255, padding=b""),), stream_error(1, WRONG),
             "http2/6.2/4"),
        Case("9113 6.2", "HEADERS with padding and no octet of it", (h2.frame(h2.HEADERS, h2.WHOLE | h2.PADDED, 1),), size),
        Case("9113 6.2", "HEADERS too short for its priority", (h2.frame(h2.HEADERS, h2.WHOLE | h2.HAS_PRIORITY, 1, b"\0" * 4),), size),
        Case("9113 6.2", "HEADERS whose padding leaves no room for its priority",
             (h2.headers(1, b"\0\0\0\0\0" + t.block(), h2.WHOLE | h2.HAS_PRIORITY, padding=b"", pad_length=len(t.block()) + 3),),
             connection_error(WRONG, SIZE, h2.COMPRESSION_ERROR)),
        Case("9113 6.2", "HEADERS without a field", (h2.headers(1),), stream_error(1, WRONG)),

        Case("9113 6.3", "PRIORITY of weight 1", (h2.priority(1, weight=1), t.get()), served(), "generic/3.3/1"),
        Case("9113 6.3", "PRIORITY of weight 256", (h2.priority(1, weight=256), t.get()), served(), "generic/3.3/2"),
        Case("9113 6.3", "PRIORITY that depends on a stream", (h2.priority(3, on=1), t.get()), served(), "generic/3.3/3"),
        Case("9113 6.3", "PRIORITY, exclusive", (h2.priority(1, exclusive=True), t.get()), served(), "generic/3.3/4"),
        Case("9113 6.3", "PRIORITY of an idle stream, then a request on a lower one", (h2.priority(3), t.get()), served(),
             "generic/3.3/5"),
        Case("9113 6.3", "PRIORITY on stream 0", (h2.priority(0),), wrong, "http2/6.3/1"),
        Case("9113 6.3", "PRIORITY of 4 octets", (t.get(), h2.frame(h2.PRIORITY, 0, 1, b"\0" * 4)), stream_error(1, SIZE),
             "http2/6.3/2"),
        Case("9113 6.3", "PRIORITY of 6 octets", (t.get(), h2.frame(h2.PRIORITY, 0, 1, b"\0" * 6)), stream_error(1, SIZE)),
        Case("9113 6.3", "PRIORITY on an even stream", (h2.priority(2), t.get()), served(), level="MAY"),
        # RFC 7540 5.3.1, dropped by RFC 9113: whoever still reads priorities refuses it, others need not.
        Case("7540 5.3.1", "HEADERS that depends on itself", (t.get(priority=h2.dependency(1)),), stream_error(1, WRONG),
             "http2/5.3.1/1"),
        Case("7540 5.3.1", "PRIORITY that depends on itself", (h2.priority(1, on=1),), stream_error(1, WRONG), "http2/5.3.1/2"),

        Case("9113 6.6", "PUSH_PROMISE from a client", (t.get(), h2.push_promise(1, 2, t.block())), wrong, "http2/8.2/1"),
        Case("9113 6.6", "PUSH_PROMISE on stream 0", (h2.push_promise(0, 2, t.block()),), wrong),

        Case("9113 6.10", "CONTINUATION", (in_pieces(t, 5),), served(), "generic/3.10/1"),
        Case("9113 6.10", "several CONTINUATION", (in_pieces(t, 5, 5),), served(), "generic/3.10/2"),
        Case("9113 6.10", "several CONTINUATION after HEADERS", (in_pieces(t, 20, 1, 1),), answered(), "http2/6.10/1"),
        Case("9113 6.10", "another frame after CONTINUATION that goes on", (open_half, h2.continuation(1, flags=0),
                                                                          h2.data(1, b"test", end)), wrong, "http2/6.10/2"),
        Case("9113 6.10", "CONTINUATION on stream 0", (half, h2.continuation(0)), wrong, "http2/6.10/3"),
        Case("9113 6.10", "CONTINUATION after END_HEADERS", (t.get(), h2.continuation(1, t.block())),
             connection_error(WRONG, h2.STREAM_CLOSED), "http2/6.10/4"),
        Case("9113 6.10", "CONTINUATION after CONTINUATION with END_HEADERS", (half, h2.continuation(1), h2.continuation(1)), wrong,
             "http2/6.10/5"),
        Case("9113 6.10", "CONTINUATION after DATA", (t.post(), h2.data(1, b"test", end), h2.continuation(1, flags=0),
                                                    h2.continuation(0)), wrong, "http2/6.10/6"),
        Case("9113 6.10", "CONTINUATION of another stream", (half, h2.continuation(3)), wrong),
        Case("9113 6.10", "CONTINUATION as the first frame", (h2.continuation(1, t.block()),), wrong),
        Case("9113 6.10", "CONTINUATION after PRIORITY", (h2.priority(1), h2.continuation(1, t.block())), wrong),
        Case("9113 6.10", "trailers in CONTINUATION", (t.post(), h2.data(1, b"x"), h2.headers(1, b"", end), h2.continuation(1)),
             served()),
        Case("9113 6.10", "a stream closed within its header block", (t.get(), await_response(1), h2.headers(3, t.block(), end),
                                                                    h2.rst_stream(3)), wrong),
        Case("9113 6.2", "the answer ends with END_STREAM", (t.get(), settle), each(served(), still_talks)),
        Case("9113 6.3", "PRIORITY of an idle stream keeps it idle", (h2.priority(9), t.get(1), t.get(9)), each(served(1), served(9))),
        Case("9113 6.3", "PRIORITY of the highest stream", (h2.priority(h2.MAX_WINDOW), t.get(1)), each(served(1), alive)),
    ]
