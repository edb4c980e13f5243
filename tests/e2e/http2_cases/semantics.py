"""RFC 9113 8.2 and 8.3, RFC 8441: which field lines and pseudo-headers make a request malformed.

Whatever would be more than one request, or another field, if it were passed on as HTTP/1.1, says "smuggled": no backend may see that."""

import http2_frames as h2
import http2_hpack as hpack

from .case import Case, expectation, malformed, refused, served, stream_error

BAD_NAMES = {"with one letter in upper case": b"x-uPper", "with a space": b"x smuggled", "with a colon": b"x:smuggled",
             "with a control": b"x\x01y",
             "with NUL": b"x\0y", "with CR LF": b"x: y\r\nsmuggled", "with DEL": b"x\x7f", "beyond ASCII": b"x\xc3\xa9", "empty": b"",
             "with a tab": b"x\ty"}
BAD_VALUES = {"with NUL": b"a\0b", "with CR": b"a\rsmuggled: 1", "with LF": b"a\nsmuggled: 1", "with CR LF": b"a\r\nsmuggled: 1",
              "beginning with a space": b" a", "ending with a space": b"a ", "beginning with a tab": b"\ta", "ending with a tab": b"a\t"}
CONNECTION_FIELDS = ((b"connection", b"keep-alive"), (b"connection", b"close"), (b"keep-alive", b"timeout=5"),
                     (b"proxy-connection", b"keep-alive"), (b"transfer-encoding", b"chunked"), (b"upgrade", b"foo/2"))
BAD_PATHS = {"without a slash": b"smuggled", "with a space": b"/ HTTP/1.1\r\nsmuggled: 1", "with a fragment": b"/#smuggled",
             "with NUL": b"/a\0smuggled", "with LF": b"/a\nsmuggled", "in absolute form": b"http://smuggled.com/",
             "with a control": b"/a\x01smuggled", "of an asterisk": b"*", "with a space alone": b"/a smuggled"}
BAD_AUTHORITIES = {"with userinfo": b"user@shop.com", "with a space": b"shop.com smuggled", "with a path": b"shop.com/smuggled",
                   "with CR LF": b"shop.com\r\nsmuggled: 1", "with a port that is none": b"shop.com:smuggled", "with NUL": b"shop.com\0"}
BAD_METHODS = {"with a space": b"GET /smuggled", "with CR LF": b"GET / HTTP/1.1\r\nsmuggled: 1\r\n\r\nGET", "with NUL": b"GE\0T",
               "with a colon": b"GE:T", "in brackets": b"(GET)"}
BAD_LENGTHS = {"with a sign": b"+4", "negative": b"-4", "in hex": b"0x4", "with a comma": b"4, 4", "of nothing": b"",
               "with a point": b"4.0",
               "beyond 64 bits": b"99999999999999999999999"}


def echoed(*lines, absent=()):
    """The origin has received these lines of HTTP/1.1 (names in lower case)."""

    @expectation(f"served; at the origin {[*lines]}" + f", without {[*absent]}" * bool(absent))
    def check(peer):
        if fault := served()(peer):
            return fault
        seen = [line.strip().lower() for line in peer.content(1).splitlines()]
        missing = [line for line in lines if line not in seen]
        return f"missing {missing} in {seen}" if missing else "".join(
            f"{line} in {seen}" for line in seen if any(line.startswith(name) for name in absent))

    return check


def echo(t, *extra, **pseudo):
    return t.get(1, *extra, path=b"/echo", **pseudo)


def fields_cases(t):
    def bad(name, value):
        return t.get(1, (name, value))

    yield Case("9113 8.2.1", "a name in upper case", (bad(b"X-TEST", b"ok"),), malformed(), "http2/8.1.2/1")
    for text, name in BAD_NAMES.items():
        yield Case("9113 8.2.1", f"a name {text}", (bad(name, b"ok"),), malformed() if name else stream_error(
            1, h2.PROTOCOL_ERROR, h2.COMPRESSION_ERROR, strict=True))
    for text, value in BAD_VALUES.items():
        yield Case("9113 8.2.1", f"a value {text}", (bad(b"x-test", value),), malformed())
    yield Case("9110 5.5", "a value with another control", (bad(b"x-test", b"a\x01b"),), refused(), level="SHOULD")
    yield Case("9113 8.2.1", "a value of nothing", (echo(t, (b"x-test", b"")),), echoed(b"x-test:"), origin=True)
    yield Case("9113 8.2.1", "a value with a space, a tab and octets beyond ASCII", (bad(b"x-test", b"a b\tc\xc3\xa9\xff"),), served())
    yield Case("9113 8.2.2", "a field of the connection", (bad(b"connection", b"keep-alive"),), malformed(), "http2/8.1.2.2/1")
    yield Case("9113 8.2.2", "TE of more than trailers", (bad(b"te", b"trailers, deflate"),), malformed(), "http2/8.1.2.2/2")
    for name, value in CONNECTION_FIELDS:
        yield Case("9113 8.2.2", f"{name.decode()}: {value.decode()}", (bad(name, value),), malformed())
    yield Case("9113 8.2.2", "TE of trailers", (bad(b"te", b"trailers"),), served())
    yield Case("9113 8.2.2", "TE of gzip", (bad(b"te", b"gzip"),), malformed())
    yield Case("9113 8.2.3", "crumbs of a cookie are joined", (echo(t, (b"cookie", b"a=b"), (b"cookie", b"c=d"), (b"x-a", b"1"),
                                                                   (b"cookie", b"e=f")),),
               echoed(b"cookie: a=b; c=d; e=f", b"x-a: 1"), origin=True)
    yield Case("9113 8.2.1", "a bad name in trailers", (t.post(), h2.data(1, b"x"), h2.headers(1, hpack.literal(b"X-UP", b"1"))),
               malformed())
    yield Case("9113 8.2.1", "a bad value in trailers", (t.post(), h2.data(1, b"x"), h2.headers(1, hpack.literal(b"x-t", b"a\nb"))),
               malformed())
    yield Case("9113 8.2.2", "a field of the connection in trailers",
               (t.post(), h2.data(1, b"x"), h2.headers(1, hpack.literal(b"connection", b"close"))), malformed())


def pseudo_cases(t):
    def extra(*fields):
        return h2.headers(1, hpack.block(t.fields() + list(fields)))

    post = t.post()
    yield Case("9113 8.3", "an unknown pseudo-header", (extra((b":test", b"ok")),), malformed(), "http2/8.1.2.1/1")
    yield Case("9113 8.3", "a pseudo-header of responses", (extra((b":status", b"200")),), malformed(), "http2/8.1.2.1/2")
    yield Case("9113 8.3", "a pseudo-header in trailers", (post, h2.data(1, b"test"), h2.headers(1, hpack.block(
        [(b":method", b"200")]), h2.END_HEADERS)), malformed(), "http2/8.1.2.1/3")
    yield Case("9113 8.3", "a pseudo-header in trailers that end the stream", (post, h2.data(1, b"test"), h2.headers(1, hpack.block(
        [(b":path", b"/smuggled")]))), malformed())
    yield Case("9113 8.3", "a pseudo-header after a field", (h2.headers(1, hpack.block(
        [*t.fields(path=None), (b"x-test", b"ok"), (b":path", t.path)])),), malformed(), "http2/8.1.2.1/4")
    yield Case("9113 8.3.1", "an empty path", (t.get(path=b""),), malformed(), "http2/8.1.2.3/1")
    for number, name in enumerate(("method", "scheme", "path"), 2):
        yield Case("9113 8.3.1", f"no {name}", (t.get(**{name: None}),), malformed(), f"http2/8.1.2.3/{number}")
    for number, name in enumerate(("method", "scheme", "path"), 5):
        value = dict(t.fields())[b":" + name.encode()]
        yield Case("9113 8.3.1", f"two of {name}", (extra((b":" + name.encode(), value)),), malformed(), f"http2/8.1.2.3/{number}")
    yield Case("9113 8.3", "two authorities", (extra((b":authority", t.authority)),), malformed())
    yield Case("9113 8.3", "a pseudo-header in upper case", (extra((b":Path", b"/")),), malformed())
    yield Case("9113 8.3", "a pseudo-header without a name", (extra((b":", b"x")),), malformed())
    yield Case("9113 8.3.1", "pseudo-headers in another order", (h2.headers(1, hpack.block(t.fields()[::-1])),), served())
    yield Case("9113 8.3.1", "an empty method", (t.get(method=b""),), refused())
    yield Case("9113 8.3.1", "an empty scheme", (t.get(scheme=b""),), refused(), level="SHOULD")
    for text, value in BAD_METHODS.items():
        yield Case("9113 8.3.1", f"a method {text}", (t.get(method=value),), refused())
    for text, value in BAD_PATHS.items():
        yield Case("9113 8.3.1", f"a path {text}", (t.get(path=value),), refused())
    for text, value in BAD_AUTHORITIES.items():
        yield Case("9113 8.3.1", f"an authority {text}", (t.get(authority=value),), refused())
    yield Case("9113 8.3.1", "a method of one's own", (echo(t, method=b"BREW"),), echoed(b"brew /echo http/1.1"), origin=True)
    yield Case("9113 8.3.1", "OPTIONS of an asterisk", (t.get(method=b"OPTIONS", path=b"*"),), served(), origin=True, level="SHOULD")
    yield Case("9113 8.3.1", "a query", (t.get(path=b"/echo?a=b&c=/../d"),), echoed(b"get /echo?a=b&c=/../d http/1.1"), origin=True)
    yield Case("9113 8.3.1", "no authority, but Host", (echo(t, (b"host", t.authority), authority=None),),
               echoed(b"host: " + t.authority), origin=True)
    yield Case("9113 8.3.1", "an authority and the same Host", (echo(t, (b"host", t.authority)),),
               echoed(b"host: " + t.authority), origin=True)
    yield Case("9113 8.3.1", "an authority and another Host", (t.get(1, (b"host", b"smuggled.com")),), refused())
    yield Case("9113 8.3.1", "two of Host", (t.get(1, (b"host", b"smuggled.com"), (b"host", t.authority)),), refused())
    yield Case("9113 8.3.1", "neither authority nor Host", (t.get(authority=None),), refused())
    yield Case("9113 8.3.1", "an empty authority", (t.get(authority=b""),), refused())
    yield Case("9113 8.3.1", "an empty Host alone", (t.get(1, (b"host", b""), authority=None),), refused())


def connect_cases(t):
    socket = (b":protocol", b"websocket")

    def extended(*fields, **pseudo):
        return h2.headers(1, hpack.block([*t.fields(method=b"CONNECT", **pseudo), *fields]), h2.END_HEADERS)

    yield Case("9113 8.5", "CONNECT is not for everyone", (h2.headers(1, hpack.block(
        [(b":method", b"CONNECT"), (b":authority", b"smuggled.com:443")]), h2.END_HEADERS),), refused())
    yield Case("9113 8.5", "CONNECT with a scheme and a path", (extended(),), malformed())
    yield Case("9113 8.5", "CONNECT with a path", (extended(scheme=None),), malformed())
    yield Case("9113 8.5", "CONNECT without authority", (h2.headers(1, hpack.block([(b":method", b"CONNECT")]), h2.END_HEADERS),),
               malformed())
    yield Case("8441 4", ":protocol of a GET", (h2.headers(1, hpack.block([*t.fields(), socket])),), malformed())
    yield Case("8441 4", "an extended CONNECT without scheme", (extended(socket, scheme=None),), malformed())
    yield Case("8441 4", "an extended CONNECT without path", (extended(socket, path=None),), malformed())
    yield Case("8441 4", "an extended CONNECT without authority", (extended(socket, authority=None),), refused())
    yield Case("8441 4", "an extended CONNECT of two protocols", (extended(socket, socket),), malformed())
    yield Case("8441 4", "an extended CONNECT of an unknown protocol", (extended((b":protocol", b"smuggled")),), refused())
    yield Case("8441 4", "an extended CONNECT of no protocol", (extended((b":protocol", b"")),), refused())
    yield Case("8441 4", "an extended CONNECT with a field of the connection", (extended(socket, (b"upgrade", b"websocket")),), malformed())


def length_cases(t):
    def post(*lengths):
        return t.post(1, *((b"content-length", length) for length in lengths)) + h2.data(1, b"test", h2.END_STREAM)

    for text, value in BAD_LENGTHS.items():
        yield Case("9113 8.1.1", f"a content-length {text}", (post(value),), refused())
    yield Case("9113 8.1.1", "two content-lengths", (post(b"4", b"4"),), refused(), level="SHOULD")
    yield Case("9113 8.1.1", "two content-lengths that differ", (post(b"4", b"5"),), refused())
    yield Case("9113 8.1.1", "a content-length with zeros before it", (post(b"0004"),), served(), level="MAY")


def cases(t):
    return [*fields_cases(t), *pseudo_cases(t), *connect_cases(t), *length_cases(t)]
