"""RFC 9113 5.2 and 6.9: flow control, both ways."""

import http2_frames as h2

from .case import Case, alive, await_settings_ack, connection_error, each, expectation, served, settle, stream_error

FLOW = h2.FLOW_CONTROL_ERROR
WRONG = h2.PROTOCOL_ERROR
MOST = h2.MAX_WINDOW


def windows(size):
    return ((h2.INITIAL_WINDOW_SIZE, size),)


def data_of(peer, stream):
    return [f for f in peer.frames if f.kind == h2.DATA and f.stream == stream]


def first_data(size):
    @expectation(f"DATA of {size} octets first")
    def check(peer):
        frame = peer.wait_kind(h2.DATA, 1)
        return "" if frame and len(frame.payload) == size else "another"

    return check


@expectation("no DATA but an empty one")
def no_data(peer):
    if not peer.settle():
        return "no answer to PING"
    return "DATA" if any(f.payload for f in peer.frames if f.kind == h2.DATA) else ""


def await_octets(stream, size):
    """Until that much content has come, and no more."""

    def step(peer):
        came = peer.wait(lambda f: sum(len(one.payload) for one in data_of(peer, stream)) >= size)
        peer.settle()
        total = sum(len(one.payload) for one in data_of(peer, stream))
        return "" if came and total == size else f"{total} octets instead of {size}"

    return step


def send(raw):
    def step(peer):
        peer.send(raw)

    return step


def trickle(peer):
    """One octet after the other; each must be waited for, as they may be joined."""
    for count in range(1, 9):
        peer.send(h2.window_update(1, 1))
        if fault := await_octets(1, count)(peer):
            return fault
    peer.send(h2.window_update(1, 1 << 20))
    return ""


def upload(t, size):
    """A request's content, as far as the windows go."""

    def step(peer):
        window = {0: h2.DEFAULT_WINDOW, 1: peer.server_settings().get(h2.INITIAL_WINDOW_SIZE, h2.DEFAULT_WINDOW)}
        peer.send(t.post(1))
        left, seen = size, 0

        def refill(_):
            nonlocal seen
            for frame in peer.frames[seen:]:
                if frame.kind == h2.WINDOW_UPDATE and frame.stream in window:
                    window[frame.stream] += int.from_bytes(frame.payload, "big")
            seen = len(peer.frames)
            return min(window.values()) > 0

        while left:
            refill(None)
            if min(window.values()) <= 0 and not peer.wait(refill, since=seen):
                return f"no WINDOW_UPDATE, {left} octets left"
            room = min(left, *window.values(), h2.DEFAULT_FRAME)
            left -= room
            window = {stream: size - room for stream, size in window.items()}
            peer.send(h2.data(1, b"x" * room, 0 if left else h2.END_STREAM), note=False)
        return ""

    return step


def beyond_window(t):
    """Far more than the stream's window, while the origin takes nothing."""

    def step(peer):
        room = peer.server_settings().get(h2.INITIAL_WINDOW_SIZE, h2.DEFAULT_WINDOW)
        peer.send(t.post(1, path=b"/stall"))
        frames = h2.data(1, b"x" * h2.DEFAULT_FRAME) * (2 * room // h2.DEFAULT_FRAME + 8)
        for _ in range(64_000_000 // len(frames) + 1):
            peer.send(frames, note=False)
            if peer.wait(lambda f: f.kind in (h2.GOAWAY, h2.RST_STREAM), 0.001) or peer.closed:
                break

    return step


def whole(stream, size):
    @expectation(f"a whole response of {size} octets on {stream}")
    def check(peer):
        if fault := served(stream)(peer):
            return fault
        return "" if len(peer.content(stream)) == size else f"{len(peer.content(stream))} octets"

    return check


LARGE = 200_000


def cases(t):
    overflow = h2.window_update(0, MOST) + h2.window_update(0, MOST)
    large = t.get(path=b"/large")
    return [
        Case("9113 6.9", "WINDOW_UPDATE of the connection", (h2.window_update(0, 1),), alive, "generic/3.9/1"),
        Case("9113 6.9", "WINDOW_UPDATE of a stream", (t.get(), h2.window_update(1, 1)), served(), "generic/3.9/2"),
        Case("9113 6.9", "WINDOW_UPDATE of 0", (h2.window_update(0, 0),), connection_error(WRONG), "http2/6.9/1"),
        Case("9113 6.9", "WINDOW_UPDATE of 0 on a stream", (t.post(), h2.window_update(1, 0)), stream_error(1, WRONG), "http2/6.9/2"),
        Case("9113 6.9", "WINDOW_UPDATE of 3 octets", (h2.frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\1"),),
             connection_error(h2.FRAME_SIZE_ERROR), "http2/6.9/3"),
        Case("9113 6.9", "WINDOW_UPDATE of 5 octets on a stream", (t.post(), h2.frame(h2.WINDOW_UPDATE, 0, 1, b"\0\0\0\1\0")),
             connection_error(h2.FRAME_SIZE_ERROR)),
        Case("9113 6.9", "WINDOW_UPDATE of 0 with the reserved bit", (h2.window_update(0, 1 << 31),), connection_error(WRONG)),
        Case("9113 6.9", "the reserved bit of an increment", (t.get(), h2.window_update(1, 1 | 1 << 31)), served()),

        Case("9113 6.9.1", "a window of 1", (await_settings_ack, t.get()), first_data(1), "http2/6.9.1/1", settings=windows(1)),
        Case("9113 6.9.1", "the connection's window above 2^31-1", (overflow,), connection_error(FLOW), "http2/6.9.1/2"),
        Case("9113 6.9.1", "a stream's window above 2^31-1", (t.post(), h2.window_update(1, MOST) * 2), stream_error(1, FLOW),
             "http2/6.9.1/3"),
        Case("9113 6.9.1", "a stream's window of 2^31-1", (t.get(), h2.window_update(1, MOST - h2.DEFAULT_WINDOW)), served()),
        Case("9113 6.9.1", "the connection's window of 2^31-1", (h2.window_update(0, MOST - h2.DEFAULT_WINDOW), t.get()), served()),
        Case("9113 6.9.1", "a window of none", (t.get(), settle), no_data, settings=windows(0)),
        Case("9113 6.9.1", "a window of none and an empty response", (t.get(path=b"/none"),), served(1, 204), settings=windows(0),
             origin=True),
        Case("9113 6.9.1", "a window that opens octet by octet", (t.get(), trickle), served(), settings=windows(0)),
        Case("9113 6.9.1", "the connection's window is full", (large, await_octets(1, h2.DEFAULT_WINDOW), h2.window_update(0, 1 << 20)),
             whole(1, LARGE), settings=windows(1 << 20), origin=True),
        Case("9113 6.9.1", "a stream's window is full", (h2.window_update(0, 1 << 20), large, await_octets(1, 50_000), send(
            h2.window_update(1, 1 << 20))), whole(1, LARGE), settings=windows(50_000), origin=True),
        Case("9113 6.9.1", "a stream without window does not hold up another",
             (t.get(1, path=b"/large"), await_octets(1, 1000),
              t.get(3), h2.window_update(3, 1 << 20)), served(3), settings=windows(1000), origin=True),
        Case("9113 6.9.1", "windows are for content alone: a HEAD", (t.get(method=b"HEAD"),), served(), settings=windows(0)),

        Case("9113 6.9.2", "INITIAL_WINDOW_SIZE is changed after the request",
             (await_settings_ack, t.get(), h2.settings((h2.INITIAL_WINDOW_SIZE, 1))), first_data(1), "http2/6.9.2/1",
             settings=windows(0)),
        Case("9113 6.9.2", "a window that becomes negative",
             (await_settings_ack, t.get(), await_octets(1, 3), h2.settings((h2.INITIAL_WINDOW_SIZE, 2)), settle,
              h2.window_update(1, 2), await_octets(1, 4), h2.window_update(1, 1 << 20)), served(), "http2/6.9.2/2",
             settings=windows(3)),
        Case("9113 6.9.2", "INITIAL_WINDOW_SIZE above 2^31-1", (h2.settings((h2.INITIAL_WINDOW_SIZE, 1 << 31)),),
             connection_error(FLOW), "http2/6.9.2/3"),
        # It ought to be a connection error; to reset the streams concerned keeps the windows right as well.
        Case("9113 6.9.2", "INITIAL_WINDOW_SIZE that lifts a stream's window above 2^31-1",
             (t.post(), h2.window_update(1, MOST - h2.DEFAULT_WINDOW), settle, h2.settings((h2.INITIAL_WINDOW_SIZE, 65536))),
             stream_error(1, FLOW)),
        Case("9113 6.9.2", "INITIAL_WINDOW_SIZE does not change the connection's window",
             (large, await_octets(1, h2.DEFAULT_WINDOW), h2.settings((h2.INITIAL_WINDOW_SIZE, 1 << 21)), await_octets(
                 1, h2.DEFAULT_WINDOW), h2.window_update(0, 1 << 20)), whole(1, LARGE), settings=windows(1 << 20), origin=True),

        Case("9113 5.2.2", "a request's content of 1 MiB", (upload(t, 1 << 20),), served()),
        Case("9113 6.9", "content beyond the stream's window", (beyond_window(t),), stream_error(1, FLOW), origin=True),
        Case("9113 4.2", "no frame larger than we take", (h2.window_update(0, 1 << 20), large), each(whole(1, LARGE), small_frames),
             settings=windows(1 << 20), origin=True),
    ]


@expectation("frames of 2^14 octets at most")
def small_frames(peer):
    return "" if all(len(f.payload) <= h2.DEFAULT_FRAME for f in peer.frames) else "a larger one"
