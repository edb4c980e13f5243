"""What a case is made of: what is sent, and what must come of it.

A section's module has `cases(t)`, where `t` makes requests that suit the server under test. What is sent is a row of bytes and of
things to do with the peer; what is expected is a function that gives "" or what was got instead."""

import dataclasses
import typing

import http2_frames as h2
import http2_hpack as hpack


@dataclasses.dataclass
class Case:
    clause: str  # "9113 6.1"
    name: str
    send: tuple
    expect: typing.Callable
    suite: str = ""  # its counterpart in h2spec: "http2/6.1/1"
    level: str = "MUST"
    origin: bool = False  # needs http2_origin behind the server
    settings: tuple | None = ()  # ours; None: the case sends its own preface

    def __post_init__(self):
        if not isinstance(self.send, (tuple, list)):
            self.send = (self.send,)

    def run(self, peer):
        """"" where it holds, else what was got."""
        for step in self.send:
            if isinstance(step, bytes):
                peer.send(step)
            elif (fault := step(peer)) and isinstance(fault, str):
                return f"{fault}; {seen(peer)}"
        fault = self.expect(peer)
        return f"{fault}; {seen(peer)}" if fault else ""


def seen(peer):
    frames = [str(f) for f in peer.frames]
    if len(frames) > 12:
        frames = [*frames[:6], f"... {len(frames) - 12} more ...", *frames[-6:]]
    return "got " + ", ".join([*frames, peer.closed or "still open"])


class NotApplicable(Exception):
    """Of this server, as it has been set up."""


class Target:
    """What suits the server under test."""

    def __init__(self, tls, authority="shop.com", path="/"):
        self.scheme = b"https" if tls else b"http"
        self.authority, self.path = authority.encode(), path.encode()

    def fields(self, *extra, method=b"GET", **pseudo):
        """`pseudo`: another value, or None for none at all."""
        given = {"method": method, "scheme": self.scheme, "path": self.path, "authority": self.authority, **pseudo}
        return [(b":" + name.encode(), value) for name, value in given.items() if value is not None] + list(extra)

    def block(self, *extra, **pseudo):
        return hpack.block(self.fields(*extra, **pseudo))

    def get(self, stream=1, *extra, flags=h2.WHOLE, padding=None, pad_length=None, priority=None, **pseudo):
        return h2.headers(stream, self.block(*extra, **pseudo), flags, padding, pad_length, priority)

    def post(self, stream=1, *extra, flags=h2.END_HEADERS, **pseudo):
        """A request whose content is still to come."""
        return self.get(stream, *extra, flags=flags, method=b"POST", **pseudo)


# ---- Things to do between what is sent.


def settle(peer):
    return "" if peer.settle() else "no answer to PING"


def await_response(stream=1):
    def step(peer):
        return "" if peer.response(stream) else f"no whole response on {stream}"

    return step


def await_settings_ack(peer):
    return "" if peer.wait(lambda f: f.kind == h2.SETTINGS and f.has(h2.ACK)) else "SETTINGS not acknowledged"


def await_server_settings(peer):
    return "" if peer.server_settings() else "no SETTINGS"


# ---- What is expected.


def expectation(text):
    """Names a check, so that a report can say what was expected."""

    def mark(check):
        check.text = text
        return check

    return mark


def codes_text(codes):
    return " or ".join(h2.error_name(code) for code in codes)


def connection_error(*codes):
    """GOAWAY with one of these codes (RFC 9113 5.4.1: SHOULD), and an end of the connection (MUST)."""

    @expectation(f"GOAWAY({codes_text(codes)}) or a closed connection")
    def check(peer):
        goaway = peer.wait(lambda f: f.kind == h2.GOAWAY and f.code != h2.NO_ERROR)
        if goaway:
            peer.wait_closed()
            if goaway.code not in codes:
                return "another code"
        return "" if peer.closed else "the connection stays open"

    return check


def stream_error(stream, *codes, strict=False):
    """RST_STREAM, or what a connection error does (5.4.2). `strict`: and nothing was served before."""

    @expectation(f"RST_STREAM({stream}: {codes_text(codes)}), GOAWAY with that, or a closed connection")
    def check(peer):
        found = peer.wait(lambda f: f.kind == h2.GOAWAY and f.code != h2.NO_ERROR
                          or f.kind == h2.RST_STREAM and f.stream == stream and f.code != h2.NO_ERROR)
        if not found and not peer.closed:
            return "no stream error"
        if found and found.code not in codes:
            peer.wait_closed(peer.limit / 4)
            return "another code"
        if strict and any(f.kind == h2.HEADERS and f.stream == stream and f.status < 400 for f in peer.frames):
            return "served all the same"
        return ""

    return check


def malformed(stream=1):
    """8.1.1: a stream error of PROTOCOL_ERROR."""
    return stream_error(stream, h2.PROTOCOL_ERROR, strict=True)


def refused(stream=1, *statuses):
    """8.1.1 again, where an answer of 4xx or 501 will do as well."""
    allowed = statuses or (*range(400, 500), 501)

    @expectation(f"{statuses or '4xx'}, RST_STREAM({stream}), GOAWAY or a closed connection")
    def check(peer):
        head = peer.wait(lambda f: f.kind == h2.GOAWAY or f.stream == stream and f.kind in (h2.HEADERS, h2.RST_STREAM))
        if head is None:
            return "" if peer.closed else "no answer"
        return f"status {head.status}" if head.kind == h2.HEADERS and head.status not in allowed else ""

    return check


def served(stream=1, status=200, then=None):
    """`then(peer)` judges the rest."""

    @expectation(f"a whole response with {status} on {stream}")
    def check(peer):
        head = peer.response(stream)
        if head is None:
            return "no whole response"
        return f"status {head.status}" if head.status != status else (then(peer) or "") if then else ""

    return check


def answered(stream=1):
    """What h2spec calls so: a HEADERS frame comes."""

    @expectation(f"HEADERS({stream})")
    def check(peer):
        return "" if peer.wait_kind(h2.HEADERS, stream) else "no HEADERS"

    return check


@expectation("PING is acknowledged, nothing is reset")
def alive(peer):
    if not peer.settle():
        return "no answer to PING"
    return "an error" if any(f.kind in (h2.GOAWAY, h2.RST_STREAM) for f in peer.frames) else ""


@expectation("PING is acknowledged")
def still_talks(peer):
    return "" if peer.settle() else "no answer to PING"


@expectation("PING is acknowledged, or the connection ends without an error")
def alive_or_ended(peer):
    if not peer.settle() and not peer.closed:
        return "no answer to PING"
    return "an error" if any(f.kind == h2.GOAWAY and f.code != h2.NO_ERROR for f in peer.frames) else ""


def either(*checks):
    """Where the RFCs leave it open; the last may wait in vain, the others should not."""

    @expectation("; or ".join(check.text for check in checks))
    def check(peer):
        faults = []
        for one in checks:
            fault = one(peer)
            if not fault:
                return ""
            faults.append(fault)
        return ", and ".join(faults)

    return check


def each(*checks):
    @expectation("; ".join(check.text for check in checks))
    def check(peer):
        return next((fault for one in checks if (fault := one(peer))), "")

    return check
