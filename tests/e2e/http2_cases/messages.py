"""RFC 9113 8.1 and 8.8: how requests and responses are framed."""

import http2_frames as h2
import http2_hpack as hpack

from .case import Case, await_response, each, expectation, malformed, served, stream_error

FORBIDDEN = (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")


@expectation("a head with lower-case names, :status first, and nothing of the connection")
def proper_head(peer):
    names = [name for name, _ in peer.response(1).fields]
    if names[0] != b":status" or any(name.startswith(b":") for name in names[1:]):
        return "pseudo-headers out of order"
    return "another head" if any(name != name.lower() or name in FORBIDDEN for name in names) else ""


def no_content(stream=1):
    @expectation(f"no content on {stream}")
    def check(peer):
        return "content" if peer.content(stream) else ""

    return check


@expectation("content as long as content-length says")
def right_length(peer):
    said = peer.response(1).get(b"content-length")
    return "" if said is None or int(said) == len(peer.content(1)) else f"{len(peer.content(1))} octets"


@expectation("trailers that end the stream")
def has_trailers(peer):
    heads = [f for f in peer.frames if f.kind == h2.HEADERS and f.stream == 1]
    return "" if len(heads) == 2 and heads[1].has(h2.END_STREAM) and heads[1].get(b"x-checksum") == b"abc" else "none"


def interim(status, field=None):
    @expectation(f"an interim response of {status}")
    def check(peer):
        found = [f for f in peer.frames if f.kind == h2.HEADERS and f.status == status]
        return "" if len(found) == 1 and not found[0].has(h2.END_STREAM) and (field is None or found[0].get(field)) else "none, or more"

    return check


def continue_then(raw):
    """The content once it is asked for."""

    def step(peer):
        if not peer.wait(lambda f: f.kind == h2.HEADERS and f.status == 100):
            return "no 100"
        peer.send(raw)
        return ""

    return step


@expectation("a whole response, and no reset but RST_STREAM(1: NO_ERROR)")
def early_answer(peer):
    if fault := served()(peer):
        return fault
    if not peer.settle():
        return "no answer to PING"
    reset = peer.reset(1)
    return "another reset" if reset and reset.code != h2.NO_ERROR else ""


@expectation("no response whatever")
def no_response(peer):
    return "a response" if any(f.kind == h2.HEADERS for f in peer.frames) else ""


def lengths(t):
    """Of content-length and of the DATA that comes."""
    def post(length, *parts):
        body = b"".join(h2.data(1, part, 0) for part in parts[:-1]) + h2.data(1, parts[-1], h2.END_STREAM)
        return (t.post(1, (b"content-length", length)) + body,)

    yield Case("9113 8.1.1", "content-length is not what one DATA has", post(b"1", b"test"), malformed(), "http2/8.1.2.6/1")
    yield Case("9113 8.1.1", "content-length is not what several DATA have", post(b"1", b"test", b"test"), malformed(),
               "http2/8.1.2.6/2")
    yield Case("9113 8.1.1", "content-length says more than comes", post(b"9", b"test", b"test"), malformed())
    yield Case("9113 8.1.1", "content-length says none and some comes", post(b"0", b"test"), malformed())
    yield Case("9113 8.1.1", "content-length with a head that ends the stream", (t.get(1, (b"content-length", b"4"), method=b"POST"),),
               malformed())
    yield Case("9113 8.1.1", "content-length says more, and trailers end the stream",
               (t.post(1, (b"content-length", b"9")), h2.data(1, b"test"), h2.headers(1, hpack.literal(b"x-t", b"1"))), malformed())
    yield Case("9113 8.1.1", "content-length of DATA with padding", (t.post(1, (b"content-length", b"4")), h2.data(
        1, b"test", h2.END_STREAM, padding=b"\0" * 20)), served())
    yield Case("9113 8.1.1", "content-length of none", (t.get(1, (b"content-length", b"0"), method=b"POST"),), served())
    yield Case("9113 8.1.1", "content-length is what comes", post(b"8", b"test", b"test"), served())


def cases(t):
    trailers = hpack.literal(b"x-trailer", b"1")
    content = h2.data(1, b"test")
    return [
        Case("9113 8.1", "GET", (t.get(),), each(served(), proper_head, right_length), "generic/4/1"),
        Case("9113 8.1", "HEAD", (t.get(method=b"HEAD"),), each(served(), no_content()), "generic/4/2"),
        Case("9113 8.1", "POST", (t.post(), h2.data(1, b"test", h2.END_STREAM)), served(), "generic/4/3"),
        Case("9113 8.1", "POST with trailers", (t.post(), content, h2.headers(1, trailers)), served(), "generic/4/4"),
        Case("9113 8.1", "POST without content", (t.get(method=b"POST"),), served()),
        Case("9113 8.1", "trailers without content before them", (t.post(), h2.headers(1, trailers)), served()),
        Case("9113 8.1", "a second HEADERS without END_STREAM", (t.post(), content, h2.headers(1, trailers, h2.END_HEADERS)),
             malformed(), "http2/8.1/1"),
        Case("9113 8.1", "a second head", (t.post(), content, t.get()), malformed()),
        Case("9113 8.1", "DATA after trailers", (t.post(), content, h2.headers(1, trailers), h2.data(1, b"x", h2.END_STREAM)),
             stream_error(1, h2.STREAM_CLOSED)),
        Case("9113 8.1", "trailers twice", (t.post(), content, h2.headers(1, trailers), h2.headers(1, trailers)),
             stream_error(1, h2.STREAM_CLOSED, h2.PROTOCOL_ERROR)),
        Case("9113 8.1", "trailers without a field", (t.post(), content, h2.headers(1, b"")), served()),
        Case("9113 8.1", "a GET with content", (t.get(flags=h2.END_HEADERS), h2.data(1, b"test", h2.END_STREAM)), served()),
        Case("9110 15.3.5", "a response without content", (t.get(path=b"/none"),), each(served(1, 204), no_content()), origin=True),
        Case("9113 8.1", "a response with trailers", (t.get(1, (b"te", b"trailers"), path=b"/trailers"),), each(served(), has_trailers),
             origin=True),
        Case("9113 8.1", "a response without a length", (t.get(path=b"/chunked"),), each(served(), proper_head), origin=True),
        Case("9113 8.1", "an interim response", (t.get(path=b"/interim"),), each(served(), interim(103, b"link")), origin=True),
        Case("9110 10.1.1", "Expect: 100-continue", (t.post(1, (b"expect", b"100-continue")), continue_then(
            h2.data(1, b"test", h2.END_STREAM))), each(served(), interim(100)), origin=True),
        Case("9113 8.1", "a response before the content has ended", (t.post(1, path=b"/early"), h2.data(1, b"x" * 100)), early_answer,
             origin=True),
        Case("9113 8.1", "a response before the content has ended, and then it ends", (t.post(1, path=b"/early"), h2.data(
            1, b"x"), await_response(1), h2.data(1, b"x", h2.END_STREAM), t.get(3)), each(early_answer, served(3)), origin=True),
        Case("9113 8.1", "nothing is answered before the head is whole", (h2.headers(1, t.block(), h2.END_STREAM), settled_half),
             no_response),
        *lengths(t),
    ]


def settled_half(peer):
    """PING would be an error within a header block, so what is waited for is the answer to SETTINGS."""
    peer.wait(lambda f: f.kind == h2.SETTINGS and f.has(h2.ACK))
    peer.receive(0.05)
