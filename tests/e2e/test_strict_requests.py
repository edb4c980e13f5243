"""Malformed and ambiguous requests: the right status, the connection ended, and nothing of them at the backend."""

import re

from harness import Backend, Proxy, TestCase, answering, config_for, exchange_raw, ok

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# (what, bytes, status)
REJECTED = [
    ("Content-Length and Transfer-Encoding", POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("the same, other order", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    ("differing Content-Length", POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400),
    ("equal Content-Length twice", POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 400),
    ("differing Content-Length in a list", POST + b"Content-Length: 4, 5\r\n\r\nabcde", 400),
    ("signed Content-Length", POST + b"Content-Length: +4\r\n\r\nabcd", 400),
    ("negative Content-Length", POST + b"Content-Length: -4\r\n\r\nabcd", 400),
    ("hexadecimal Content-Length", POST + b"Content-Length: 0x4\r\n\r\nabcd", 400),
    ("empty Content-Length", POST + b"Content-Length: \r\n\r\n", 400),
    ("Content-Length with a space inside", POST + b"Content-Length: 1 0\r\n\r\n", 400),
    ("Content-Length past 64 bits", POST + b"Content-Length: 18446744073709551616\r\n\r\n", 400),
    ("unknown transfer coding", POST + b"Transfer-Encoding: rot13, chunked\r\n\r\n0\r\n\r\n", 501),
    ("gzip alone", POST + b"Transfer-Encoding: gzip\r\n\r\n", (400, 501)),
    ("chunked not last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", (400, 501)),
    ("chunked twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    ("chunked twice in two lines", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 501)),
    ("identity", POST + b"Transfer-Encoding: identity\r\n\r\n", (400, 501)),
    ("xchunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    ("chunked with a vertical tab", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", (400, 501)),
    ("empty Transfer-Encoding", POST + b"Transfer-Encoding:\r\n\r\n", (400, 501)),
    ("Transfer-Encoding in HTTP/1.0", b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("space before the colon", GET + b"X-A : 1\r\n\r\n", 400),
    ("tab before the colon", GET + b"X-A\t: 1\r\n\r\n", 400),
    ("obs-fold", GET + b"X-A: 1\r\n 2\r\n\r\n", 400),
    ("space before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    ("field without colon", GET + b"X-A\r\n\r\n", 400),
    ("empty field name", GET + b": 1\r\n\r\n", 400),
    ("NUL in a value", GET + b"X-A: a\0b\r\n\r\n", 400),
    ("NUL in a name", GET + b"X\0A: b\r\n\r\n", 400),
    ("CR in a value", GET + b"X-A: a\rb\r\n\r\n", 400),
    ("bare LF in a value", GET + b"X-A: a\nX-B: b\r\n\r\n", 400),
    ("bare LF after the request line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    ("bare LF as the end", GET + b"\n", 400),
    ("delimiter in a name", GET + b"X(A): b\r\n\r\n", 400),
    ("non-ASCII name", GET + b"X-\xc3\xa4: b\r\n\r\n", 400),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", GET + b"Host: b\r\n\r\n", 400),
    ("two equal Hosts", GET + b"Host: a\r\n\r\n", 400),
    ("Host with a path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    ("Host with user information", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    ("Host with a space", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("Host with a list", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    ("Host with a bad port", b"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
    ("Host with a port past 65535", b"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400),
    ("bad method", b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("no method", b" / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("HTTP/0.9", b"GET /\r\n\r\n", 400),
    ("HTTP/2.0", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
    ("HTTP/3.7", b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505),
    ("http/1.1", b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
    ("HTTP/1.1 with a digit more", b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
    ("HTTP/01.1", b"GET / HTTP/01.1\r\nHost: a\r\n\r\n", 400),
    ("two spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("tab as separator", b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("space after the version", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
    ("space in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("fragment in the target", b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("control character in the target", b"GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("raw UTF-8 in the target", b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("broken percent-encoding", b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("encoded NUL", b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("relative target", b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("star with GET", b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("path above the root", b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("absolute-form with a bad authority", b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("absolute-form of another scheme", b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ("CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", (400, 405, 501)),
    ("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40 + b"\r\n\r\n", 400),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    ("long target", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ("long field", GET + b"X-A: " + b"a" * 40000 + b"\r\n\r\n", 431),
    ("many fields", GET + b"X-A: 1\r\n" * 200 + b"\r\n", 431),
    ("two unequal Expect", POST + b"Content-Length: 1\r\nExpect: 200-maybe\r\n\r\na", 417),
    ("chunk size not hexadecimal", CHUNKED + b"xyz\r\nabc\r\n0\r\n\r\n", 400),
    ("chunk size with 0x", CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", 400),
    ("chunk size with a sign", CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n", 400),
    ("chunk size negative", CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n", 400),
    ("chunk size past 64 bits", CHUNKED + b"10000000000000003\r\nabc\r\n0\r\n\r\n", (400, 413)),
    ("chunk size empty", CHUNKED + b"\r\nabc\r\n0\r\n\r\n", 400),
    ("chunk size with a space before", CHUNKED + b" 3\r\nabc\r\n0\r\n\r\n", 400),
    ("chunk longer than its size", CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", 400),
    ("chunk line ended by LF", CHUNKED + b"3\nabc\r\n0\r\n\r\n", 400),
    ("chunk data ended by LF", CHUNKED + b"3\r\nabc\n0\r\n\r\n", 400),
    ("chunk extension with a bare LF", CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n", 400),
    ("chunk extension with a NUL", CHUNKED + b"3;\0\r\nabc\r\n0\r\n\r\n", 400),
    ("chunk extensions without end", CHUNKED + b"3;" + b"a" * 70000 + b"\r\nabc\r\n0\r\n\r\n", (400, 413, 431)),
    ("trailer without colon", CHUNKED + b"3\r\nabc\r\n0\r\nX\r\n\r\n", 400),
    ("trailer with obs-fold", CHUNKED + b"3\r\nabc\r\n0\r\nX: 1\r\n 2\r\n\r\n", 400),
    ("trailers too large", CHUNKED + b"3\r\nabc\r\n0\r\nX: " + b"a" * 20000 + b"\r\n\r\n", (400, 431)),
]

# (what, bytes): odd, but clear.
ACCEPTED = [
    ("an empty line first", b"\r\n" + GET + b"\r\n"),
    ("upper-case chunked", POST + b"Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    ("leading zeroes in a chunk size", CHUNKED + b"0003\r\nabc\r\n000\r\n\r\n"),
    ("upper-case hexadecimal", CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n"),
    ("no space after the colon", b"GET / HTTP/1.1\r\nHost:a\r\nX-A:b\r\n\r\n"),
    ("spaces around a value", b"GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n"),
    ("empty value", GET + b"X-A:\r\n\r\n"),
    ("obs-text in a value", GET + b"X-A: \xff\xfe\r\n\r\n"),
    ("unusual method", b"BREW-COFFEE / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("IPv6 Host", b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
    ("dot segments", b"GET /a/b/../c HTTP/1.1\r\nHost: a\r\n\r\n"),
]


class StrictRequests(TestCase):
    def setUp(self):
        self.backend = self.start(Backend(answering(ok(b"fine"))))
        self.proxy = self.start(Proxy(config_for(self.backend)))

    def test_rejects(self):
        for what, data, status in REJECTED:
            with self.subTest(what):
                # What would be smuggled if the two sides disagreed about the end.
                received = exchange_raw(self.proxy.address, data + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
                statuses = [int(code) for code in re.findall(rb"^HTTP/1\.1 (\d{3})", received, re.M)]
                self.assertEqual(len(statuses), 1, received)
                self.assertIn(statuses[0], status if isinstance(status, tuple) else (status,))
                self.assertIn(b"Connection: close", received)
                whole = [request for request in self.backend.requests if request.complete]
                self.assertEqual(whole, [])
                self.backend.requests.clear()

    def test_accepts(self):
        for what, data in ACCEPTED:
            with self.subTest(what):
                received = exchange_raw(self.proxy.address, data + b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                self.assertEqual(received.count(b"HTTP/1.1 200 "), 2, received)
                self.assertIn("/next", self.backend.requests[-1].start_line)

    def test_forwards_the_path_that_was_matched(self):
        for sent, seen in ((b"/a/./b", "/a/b"), (b"/a/%2e%2e/b", "/b"), (b"//a//b", "/a/b"), (b"/%61", "/a"),
                           (b"/a%2Fb", "/a%2Fb"), (b"/a%2fb", "/a%2Fb"), (b"/a?x=//../%2e", "/a?x=//../%2e"), (b"/a/..", "/")):
            with self.subTest(sent):
                exchange_raw(self.proxy.address, b"GET " + sent + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(self.backend.requests[-1].start_line, f"GET {seen} HTTP/1.1")

    def test_logs_what_it_rejects(self):
        data = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
        page = exchange_raw(self.proxy.address, data)
        line = self.proxy.access_lines()[0]
        self.assertEqual((line["status"], line["bytes_received"]), (400, len(data)))
        self.assertIn(line["request_id"].encode(), page)

    def test_limits_content(self):
        proxy = self.start(Proxy(config_for(self.backend, extra="[client]\nmax_body = 10\n")))
        self.assertEqual(proxy.get(method="POST", body=b"0123456789").status, 200)
        response = proxy.get(method="POST", body=b"0123456789a")
        self.assertEqual((response.status, response.get("Connection")), (413, "close"))
        received = exchange_raw(proxy.address, CHUNKED + b"5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n")
        self.assertTrue(received.startswith(b"HTTP/1.1 413 "), received)
