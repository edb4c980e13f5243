"""RFC 9113 5.1: the states of a stream, their identifiers, how many at once."""

import http2_frames as h2

from .case import (Case, NotApplicable, alive, alive_or_ended, await_response, connection_error, each, either, expectation, served,
                   settle, still_talks, stream_error)

CLOSED = h2.STREAM_CLOSED
WRONG = h2.PROTOCOL_ERROR


def too_many_streams(t):
    """One request more at once than the server has promised to take."""

    def step(peer):
        limit = peer.server_settings().get(h2.MAX_CONCURRENT_STREAMS)
        if limit is None or limit > 2000:
            raise NotApplicable
        peer.settle()
        peer.over = 2 * limit + 1
        peer.send(b"".join(t.post(stream) for stream in range(1, peer.over + 1, 2)))
        return None

    return step


@expectation("the stream too much is reset: REFUSED_STREAM or PROTOCOL_ERROR")
def one_refused(peer):
    return stream_error(peer.over, h2.REFUSED_STREAM, WRONG)(peer)


def one_after_the_other(t, count):
    def step(peer):
        for stream in range(1, 2 * count, 2):
            peer.send(t.get(stream))
            if not peer.response(stream):
                return f"no response on {stream}"
        return None

    return step


@expectation("a frame of DATA")
def some_data(peer):
    return "" if peer.wait_kind(h2.DATA, 1) else "no DATA"


def cases(t):
    done = (t.get(), await_response(1))
    dropped = (t.post(), h2.rst_stream(1))
    narrow = ((h2.INITIAL_WINDOW_SIZE, 0),)
    wrong = connection_error(WRONG)
    # What comes of frames on a closed stream depends on how long the server remembers it (RFC 9113 5.1).
    return [
        Case("9113 5.1", "idle: DATA", (h2.data(1, b"test", h2.END_STREAM),), stream_error(1, WRONG, CLOSED), "http2/5.1/1"),
        Case("9113 5.1", "idle: RST_STREAM", (h2.rst_stream(1),), wrong, "http2/5.1/2"),
        Case("9113 5.1", "idle: WINDOW_UPDATE", (h2.window_update(1, 100),), wrong, "http2/5.1/3"),
        Case("9113 5.1", "idle: CONTINUATION", (h2.continuation(1, t.block()),), wrong, "http2/5.1/4"),
        Case("9113 5.1", "half-closed (remote): DATA", (t.get() + h2.data(1, b"test", h2.END_STREAM),), stream_error(1, CLOSED),
             "http2/5.1/5"),
        Case("9113 5.1", "half-closed (remote): HEADERS", (t.get() + t.get(),), stream_error(1, CLOSED), "http2/5.1/6"),
        Case("9113 5.1", "half-closed (remote): CONTINUATION", (t.get() + h2.continuation(1, t.block()),),
             stream_error(1, CLOSED, WRONG), "http2/5.1/7"),
        Case("9113 5.1", "closed by RST_STREAM: DATA", (*dropped, h2.data(1, b"test", h2.END_STREAM)), stream_error(1, CLOSED),
             "http2/5.1/8"),
        Case("9113 5.1", "closed by RST_STREAM: HEADERS", (*dropped, t.get()), stream_error(1, CLOSED), "http2/5.1/9"),
        Case("9113 5.1", "closed by RST_STREAM: CONTINUATION", (*dropped, h2.continuation(1, t.block())),
             stream_error(1, CLOSED, WRONG), "http2/5.1/10"),
        Case("9113 5.1", "closed: DATA", (*done, h2.data(1, b"test", h2.END_STREAM)), stream_error(1, CLOSED), "http2/5.1/11"),
        Case("9113 5.1", "closed: HEADERS", (*done, t.get()), connection_error(CLOSED), "http2/5.1/12"),
        Case("9113 5.1", "closed: CONTINUATION", (*done, h2.continuation(1, t.block())), connection_error(CLOSED, WRONG),
             "http2/5.1/13"),
        Case("9113 5.1", "half-closed (remote): trailers", (t.post(), h2.data(1, b"x", h2.END_STREAM), t.get(1)),
             stream_error(1, CLOSED, WRONG)),

        Case("9113 5.1", "idle: PRIORITY", (h2.priority(1, weight=256),), alive, "generic/2/1"),
        Case("9113 5.1", "half-closed (remote): WINDOW_UPDATE", (t.get(), h2.window_update(1, 1)), some_data, "generic/2/2",
             settings=narrow),
        Case("9113 5.1", "half-closed (remote): PRIORITY", (t.get(), h2.priority(1), h2.window_update(1, 1)), some_data,
             "generic/2/3", settings=narrow),
        Case("9113 5.1", "half-closed (remote): RST_STREAM", (t.get(), h2.rst_stream(1)), alive_or_ended, "generic/2/4"),
        Case("9113 5.1", "closed: PRIORITY", (*done, h2.priority(1)), alive, "generic/2/5"),
        Case("9113 5.1", "closed: WINDOW_UPDATE", (*done, h2.window_update(1, 1)), alive),
        Case("9113 5.1", "closed: RST_STREAM", (*done, h2.rst_stream(1)), alive_or_ended),
        Case("9113 5.1", "closed by RST_STREAM: WINDOW_UPDATE", (*dropped, h2.window_update(1, 1)), alive),
        Case("9113 5.1", "closed by RST_STREAM: RST_STREAM", (*dropped, h2.rst_stream(1), t.get(3)), served(3), level="SHOULD"),
        Case("9113 5.1", "closed by RST_STREAM: PRIORITY", (*dropped, h2.priority(1)), alive),
        Case("9113 5.1", "closed by RST_STREAM: others are served", (*dropped, t.get(3)), served(3)),
        Case("9113 5.4.2", "RST_STREAM is not answered by RST_STREAM", (*dropped,), alive),
        Case("9113 5.1", "closed: another request is served", (*done, t.get(3)), served(3)),

        Case("9113 5.1.1", "an even identifier", (t.get(2),), wrong, "http2/5.1.1/1"),
        Case("9113 5.1.1", "an identifier lower than the last", (t.get(5), t.get(3)), wrong, "http2/5.1.1/2"),
        Case("9113 5.1.1", "identifiers that skip some", (t.get(3), t.get(9)), each(served(3), served(9))),
        Case("9113 5.1.1", "the highest identifier", (t.get(h2.MAX_WINDOW),), served(h2.MAX_WINDOW)),
        Case("9113 5.1.1", "an identifier after the highest", (t.get(h2.MAX_WINDOW), await_response(h2.MAX_WINDOW), t.get(1)),
             connection_error(WRONG, CLOSED)),
        Case("9113 5.1", "idle: DATA on a server's stream", (h2.data(2, b"x"),), connection_error(WRONG, CLOSED)),
        Case("9113 5.1", "idle: WINDOW_UPDATE on a server's stream", (h2.window_update(2, 1),), wrong),
        Case("9113 5.1", "idle: RST_STREAM on a server's stream", (h2.rst_stream(2),), wrong),
        Case("9113 5.1", "idle: RST_STREAM above the last", (t.get(1), h2.rst_stream(3)), wrong),
        Case("9113 5.1.1", "DATA on a stream passed over", (t.get(5), settle, h2.data(3, b"x")),
             either(still_talks, connection_error(WRONG, CLOSED)),
             level="MAY"),

        Case("9113 5.1.2", "one stream more than the limit", (too_many_streams(t),), one_refused, "http2/5.1.2/1"),
        Case("9113 5.1.2", "streams that ended do not count", (h2.window_update(0, 1 << 20), one_after_the_other(t, 130)), still_talks),
        Case("9113 5.1.2", "forty requests at once", (b"".join(t.get(n) for n in range(1, 80, 2)),),
             each(*(served(n) for n in range(1, 80, 2)))),
    ]
