"""RFC 9113 5.4 and 7: how errors are told, and what they leave alone."""

import http2_frames as h2
import http2_hpack as hpack

from .case import Case, connection_error, await_response, each, expectation, malformed, served, settle, still_talks


@expectation("an end of the connection")
def ended(peer):
    return "" if peer.wait_closed() else "the connection stays open"


@expectation("GOAWAY(FRAME_SIZE_ERROR), then an end of the connection")
def told_and_ended(peer):
    goaway = peer.wait_kind(h2.GOAWAY)
    if not goaway or goaway.code != h2.FRAME_SIZE_ERROR:
        return "no such GOAWAY"
    return ended(peer)


def goaway_after(last):
    @expectation(f"GOAWAY that names stream {last} as the last")
    def check(peer):
        goaway = peer.wait(lambda f: f.kind == h2.GOAWAY and f.code != h2.NO_ERROR)
        return "" if goaway and goaway.last_stream == last else "another"

    return check


@expectation("no answer to what comes after a connection error")
def nothing_after(peer):
    ended(peer)
    goaway = next((at for at, f in enumerate(peer.frames) if f.kind == h2.GOAWAY), len(peer.frames))
    return "an answer" if any(f.kind == h2.HEADERS for f in peer.frames[goaway:]) else ""


def leftovers(peer):
    """What was on its way while the server reset the stream (RFC 9113 5.1)."""
    if not peer.wait(lambda f: f.kind in (h2.GOAWAY, h2.RST_STREAM)):
        return "no error"
    peer.send(h2.window_update(1, 10) + h2.priority(1) + h2.rst_stream(1))
    return ""


def cases(t):
    broken_ping = h2.ping(b"\0" * 6)
    bad = h2.headers(1, t.block(method=b"POST") + hpack.literal(b"UPPER", b"x"), h2.END_HEADERS)
    return [
        Case("9113 5.4.1", "a connection error ends the connection", (broken_ping,), ended, "http2/5.4.1/1"),
        Case("9113 5.4.1", "a connection error is told by GOAWAY", (broken_ping,), told_and_ended, "http2/5.4.1/2", level="SHOULD"),
        Case("9113 6.8", "GOAWAY names the last stream that was looked at", (t.get(1), t.get(3), await_response(1), await_response(3),
                                                                         broken_ping), goaway_after(3), level="SHOULD"),
        Case("9113 6.8", "GOAWAY names no stream where there was none", (broken_ping,), goaway_after(0), level="SHOULD"),
        Case("9113 5.4.1", "nothing is done after a connection error", (broken_ping + t.get(),), nothing_after, level="SHOULD"),
        Case("9113 5.4.2", "a stream error leaves the connection alone", (bad, settle, t.get(3)), each(malformed(1), served(3)),
             level="SHOULD"),
        Case("9113 5.4.2", "a stream error leaves streams alone that are under way",
             (t.post(1), h2.headers(3, t.block() + hpack.literal(b"UPPER", b"x")), settle, h2.data(1, b"x", h2.END_STREAM)),
             each(malformed(3), served(1)), level="SHOULD"),
        Case("9113 5.1", "what was on its way to a stream the server has reset", (bad, leftovers, t.get(3)), served(3),
             level="SHOULD"),
        Case("9113 5.1", "DATA on its way to a stream the server has reset", (bad + h2.data(1, b"x" * 1000, h2.END_STREAM), t.get(3)),
             served(3), level="SHOULD"),
        Case("9113 5.4.1", "an error in the middle of other requests", (b"".join(t.get(n) for n in (1, 3, 5)) + h2.data(0, b"x"),),
             connection_error(h2.PROTOCOL_ERROR)),
        Case("9113 7", "an unknown error code changes nothing", (t.post(1), h2.rst_stream(1, 0xfffffff0), t.get(3)),
             each(served(3), still_talks)),
    ]
