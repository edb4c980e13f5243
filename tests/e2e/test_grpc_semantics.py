"""gRPC's ways with heads, over HTTP/1.1 and HTTP/2: failures as statuses, deadlines, and gRPC-Web in both its forms."""

import base64
import re
import struct
import threading

from harness import LIMIT, Backend, Proxy, TestCase, answering, config_for, ok, once, run

NATIVE, WEB, TEXT = "application/grpc", "application/grpc-web+proto", "application/grpc-web-text+proto"


def message(content, flags=0):
    return struct.pack(">BI", flags, len(content)) + content


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def grpc_head(fields=""):
    return f"HTTP/1.1 200 OK\r\nContent-Type: {NATIVE}\r\n{fields}".encode()


def grpc_answer(*messages, trailers="grpc-status: 0\r\ngrpc-message: \r\n"):
    content = b"".join(chunk(each) for each in messages)
    return grpc_head("Transfer-Encoding: chunked\r\n\r\n") + content + b"0\r\n" + trailers.encode() + b"\r\n"


def decode(text):
    """Every padded piece by itself."""
    assert len(text) % 4 == 0, text
    return b"".join(base64.b64decode(text[at:at + 4], validate=True) for at in range(0, len(text), 4))


def frames(content):
    """The frames of a gRPC-Web answer: flags and content of each."""
    found = []
    while content:
        flags, size = struct.unpack(">BI", content[:5])
        found.append((flags, content[5:5 + size]))
        assert len(content) >= 5 + size, content
        content = content[5 + size:]
    return found


class GrpcTest(TestCase):
    def serve(self, *scripts, **parts):
        self.backends = [self.start(Backend(script)) for script in scripts]
        return self.start(Proxy(config_for(*self.backends, **parts)))

    def call(self, proxy, kind=NATIVE, body=message(b"ask"), headers=()):
        return proxy.get("/shop.Cart/Get", method="POST", headers=[("Content-Type", kind), *headers], body=body)

    def assert_status(self, response, status, kind=NATIVE):
        self.assertEqual((response.status, response.get("Content-Type"), response.get("grpc-status"), response.body),
                         (200, kind, str(status), b""))


class Failures(GrpcTest):
    def test_a_backend_that_is_not_there(self):
        backend = Backend(answering(ok()))
        backend.stop()
        proxy = self.start(Proxy(config_for(backend)))
        for kind in (NATIVE, WEB, TEXT):
            response = self.call(proxy, kind)
            self.assert_status(response, 14, kind)
            self.assertRegex(response.get("grpc-message"), "^Bad Gateway, request [0-9a-f]{32}$")
        line = proxy.access_lines(3)[0]
        self.assertEqual((line["status"], line["grpc_status"], line["termination"]), (200, 14, "upstream_refused"))
        self.assertEqual(proxy.get().status, 502)

    def test_no_route(self):
        proxy = self.serve(answering(ok()))
        config = config_for(self.backends[0]).replace('match = "*"', 'match = "shop.com/other"')
        self.assert_status(self.call(self.start(Proxy(config))), 12)
        self.assertEqual(self.call(proxy).body, b"ok")

    def test_content_too_large(self):
        proxy = self.serve(answering(ok()), extra='[client]\nmax_body = "4B"\n')
        self.assert_status(self.call(proxy), 8)

    def test_what_the_operator_answers_stays_so(self):
        proxy = self.serve(answering(ok()), extra='[[routes]]\nmatch = "/shop.Cart/*"\nrespond = 404\n')
        self.assertEqual(self.call(proxy).status, 404)

    def test_a_backends_own_status_is_logged(self):
        proxy = self.serve(answering(grpc_answer(message(b"a"), trailers="grpc-status: 5\r\n"),
                                     grpc_head("grpc-status: 7\r\nContent-Length: 0\r\n\r\n"), ok()))
        with proxy.connect() as client:
            answers = [client.request("POST", headers=[("Content-Type", NATIVE)]) for _ in range(3)]
        self.assertEqual((answers[0].body, answers[0].trailers), (message(b"a"), [("grpc-status", "5")]))
        self.assert_status(answers[1], 7)
        self.assertEqual([line.get("grpc_status") for line in proxy.access_lines(3)], [5, 7, None])

    def test_a_client_that_goes_has_cancelled(self):
        asked = threading.Event()

        def silent(peer):
            peer.next_request()
            asked.set()
            peer.wait_closed()

        proxy = self.serve(silent)
        with proxy.connect() as client:
            client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {NATIVE}\r\nContent-Length: 0\r\n\r\n")
            self.assertTrue(asked.wait(LIMIT))
        line = proxy.access_lines()[0]
        self.assertEqual((line["status"], line["grpc_status"]), (499, 1))


def silent(peer):
    peer.next_request()
    peer.wait_closed()


class Deadlines(GrpcTest):
    def test_the_clients_own_is_kept_and_nobodys_failure(self):
        proxy = self.serve(silent, upstream='ejection = { consecutive_failures = 1, max_percent = 100 }')
        for kind in (NATIVE, WEB) * 2:
            self.assert_status(self.call(proxy, kind, headers=[("grpc-timeout", "100m")]), 4, kind)
        for line in proxy.access_lines(4):
            self.assertEqual((line["grpc_status"], line["termination"]), (4, "client_deadline"))
            self.assertGreaterEqual(line["duration_ms"], 100)
            self.assertLess(line["duration_ms"], LIMIT * 1000 / 2)
        # Not so much as one of them was counted: else it would have been left alone.
        self.assertEqual(len(self.backends[0].requests), 4)
        self.assertNotIn("left alone", proxy.log())

    def test_counts_while_connecting(self):
        proxy = self.serve(lambda peer: peer.wait_closed(),
                           upstream='tls = { verify = false }\nhandshake_timeout = "1h"')
        self.assert_status(self.call(proxy, headers=[("grpc-timeout", "100m")]), 4)
        proxy = self.serve(lambda peer: peer.wait_closed(), route='request_timeout = "100ms"',
                           upstream='tls = { verify = false }\nhandshake_timeout = "1h"')
        self.assert_status(self.call(proxy), 14)
        self.assertEqual(proxy.get().status, 504)

    def test_the_routes_counts_where_it_is_shorter(self):
        proxy = self.serve(silent, route='request_timeout = "100ms"')
        self.assert_status(self.call(proxy, headers=[("grpc-timeout", "1H")]), 14)
        self.assertEqual(proxy.access_lines()[0]["termination"], "upstream_timeout")

    def test_what_is_left_is_told_to_the_backend(self):
        proxy = self.serve(answering(grpc_answer()), route='request_timeout = "5s"')
        for sent, most in (("2S", 2_000_000), ("1H", 5_000_000), ("1M", 5_000_000)):
            self.call(proxy, headers=[("grpc-timeout", sent)])
            told = self.backends[0].requests[-1].all("grpc-timeout")
            self.assertEqual(len(told), 1)
            self.assertRegex(told[0], "^[0-9]{1,8}u$")
            self.assertTrue(most - LIMIT * 1_000_000 < int(told[0][:-1]) <= most, told)
        self.call(proxy)
        self.assertEqual(self.backends[0].requests[-1].get("grpc-timeout"), None)

    def test_cuts_an_answer_short(self):
        proxy = self.serve(once(grpc_head("Transfer-Encoding: chunked\r\n\r\n") + chunk(message(b"a")), "hold"))
        response = self.call(proxy, headers=[("grpc-timeout", "300m")])
        self.assertEqual((response.body, response.complete), (message(b"a"), False))
        self.assertEqual(proxy.access_lines()[0]["termination"], "client_deadline")

    def test_one_that_is_over_or_unreadable_asks_nobody(self):
        proxy = self.serve(answering(grpc_answer()))
        self.assert_status(self.call(proxy, headers=[("grpc-timeout", "0n")]), 4)
        for bad in ("5", "S", "5s", "123456789S", "-1S", "1.5S"):
            response = self.call(proxy, headers=[("grpc-timeout", bad)])
            self.assert_status(response, 13)
            self.assertEqual(response.get("grpc-message"), "malformed grpc-timeout")
        self.assertEqual(self.backends[0].requests, [])
        self.assertEqual(self.call(proxy, "text/plain", headers=[("grpc-timeout", "5s")]).status, 200)


class OverHttp2(GrpcTest):
    def received(self, proxy, *headers):
        """The fields that nghttp got, in order, and whether each of its frames was the last."""
        body = self.directory() / "body"
        body.write_bytes(message(b"ask"))
        host, port = proxy.address
        fields = [part for header in (f"content-type: {NATIVE}", *headers) for part in ("-H", header)]
        said = run("nghttp", "-v", f"--data={body}", *fields, f"http://{host}:{port}/shop.Cart/Get", errors="replace").stdout
        flags = [int(each, 16) for each in re.findall(r"recv (?:HEADERS|DATA) frame <length=\d+, flags=(\w+)", said)]
        return re.findall(r"recv \(stream_id=\d+\) (\S+): (.*)", said), [bool(each & 1) for each in flags]

    def test_the_status_is_in_the_trailers(self):
        proxy = self.serve(answering(grpc_answer(message(b"a"), trailers="Grpc-Status: 5\r\n")))
        fields, ends = self.received(proxy, "te: trailers")
        self.assertEqual(fields[-1], ("grpc-status", "5"))
        self.assertEqual(ends, [False, False, True])
        self.assertEqual(proxy.access_lines()[0]["grpc_status"], 5)

    def test_a_failure_is_a_head_alone(self):
        proxy = self.serve(silent)
        for timeout, status in (("100m", "4"), ("100", "13")):
            fields, ends = self.received(proxy, f"grpc-timeout: {timeout}")
            got = dict(fields)
            self.assertEqual((got[":status"], got["content-type"], got["grpc-status"]), ("200", NATIVE, status))
            self.assertEqual(ends, [True])


class Web(GrpcTest):
    def serve(self, *scripts, **parts):
        return super().serve(*scripts, route="grpc_web = true", **parts)

    def test_binary(self):
        proxy = self.serve(answering(grpc_answer(message(b"one"), message(b"two"),
                                                 trailers="Grpc-Status: 0\r\nX-Cost: 7\r\n")))
        with proxy.connect() as client:
            for _ in range(2):
                response = client.request("POST", "/shop.Cart/Get", body=message(b"ask"),
                                          headers=[("Content-Type", WEB), ("X-Grpc-Web", "1")])
                self.assertEqual((response.status, response.get("Content-Type")), (200, "application/grpc-web"))
                self.assertEqual((response.complete, response.trailers), (True, []))
                self.assertEqual(frames(response.body), [(0, b"one"), (0, b"two"),
                                                         (0x80, b"grpc-status: 0\r\nx-cost: 7\r\n")])
        request = self.backends[0].requests[0]
        self.assertEqual((request.get("Content-Type"), request.body), ("application/grpc+proto", message(b"ask")))
        self.assertEqual(proxy.access_lines()[0]["grpc_status"], 0)

    def test_text(self):
        proxy = self.serve(answering(grpc_answer(message(b"one"), message(b"twos"))))
        # Two pieces, each padded by itself.
        body = base64.b64encode(message(b"ask")) + base64.b64encode(message(b"more"))
        response = self.call(proxy, TEXT, body, [("Accept", TEXT)])
        self.assertEqual(response.get("Content-Type"), "application/grpc-web-text")
        self.assertEqual(frames(decode(response.body)), [(0, b"one"), (0, b"twos"),
                                                         (0x80, b"grpc-status: 0\r\ngrpc-message: \r\n")])
        request = self.backends[0].requests[0]
        self.assertEqual(request.body, message(b"ask") + message(b"more"))
        self.assertEqual((request.get("Transfer-Encoding"), request.get("Content-Length"), request.get("Accept")),
                         ("chunked", None, None))

    def test_text_in_crumbs(self):
        proxy = self.serve(answering(grpc_answer(message(b"x" * 100_000))))
        body = base64.b64encode(message(b"y" * 1000))
        with proxy.connect() as client:
            client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {TEXT}\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(body), 7):
                client.send(chunk(body[at:at + 7]))
            client.send("0\r\n\r\n")
            response = client.response()
        self.assertEqual(frames(decode(response.body))[0], (0, b"x" * 100_000))
        self.assertEqual(self.backends[0].requests[0].body, message(b"y" * 1000))

    def test_messages_come_as_they_are_sent(self):
        go_on = threading.Event()

        def stream(peer):
            peer.next_request()
            peer.send(grpc_head("Transfer-Encoding: chunked\r\n\r\n") + chunk(message(b"first")))
            go_on.wait(LIMIT)
            peer.send(b"0\r\ngrpc-status: 0\r\n\r\n")

        proxy = self.serve(stream)
        first = base64.b64encode(message(b"first"))
        with proxy.connect() as client:
            client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {TEXT}\r\nContent-Length: 0\r\n\r\n")
            head = client.reader.head()
            self.assertEqual(head.status, 200)
            # The whole message, down to its last byte, while the stream goes on.
            self.assertEqual(client.reader.exactly(len(chunk(first))), chunk(first))
            go_on.set()
            rest = client.reader.content(head, until_close=False)
        self.assertEqual(frames(decode(rest.body)), [(0x80, b"grpc-status: 0\r\n")])

    def test_a_status_without_content(self):
        proxy = self.serve(answering(grpc_head("grpc-status: 5\r\ngrpc-message: none\r\nContent-Length: 0\r\n\r\n")))
        for kind, answered in ((WEB, "application/grpc-web"), (TEXT, "application/grpc-web-text")):
            self.assert_status(self.call(proxy, kind, b""), 5, answered)

    def test_failures_are_told_in_the_clients_form(self):
        backend = Backend(answering(ok()))
        backend.stop()
        for route in ("grpc_web = true", "grpc_web = true\nproxy_status = true"):
            proxy = self.start(Proxy(config_for(backend, route=route)))
            for kind in (WEB, TEXT):
                response = self.call(proxy, kind, base64.b64encode(message(b"ask")))
                self.assertEqual((response.status, response.get("grpc-status")), (200, "14"))
                self.assertTrue(kind.startswith(response.get("Content-Type")), response)
        proxy = self.serve(silent)
        self.assertEqual(self.call(proxy, TEXT, b"", [("grpc-timeout", "50m")]).get("grpc-status"), "4")

    def test_what_is_not_base64(self):
        proxy = self.serve(answering(grpc_answer()))
        for body in (b"A", b"AAA", b"AAAA\n", b"AA=A", b"AAAA====", b"\x00\x00\x00\x00"):
            response = self.call(proxy, TEXT, body)
            self.assert_status(response, 13, TEXT)
            self.assertEqual(response.get("grpc-message"), "the request's content is not Base64")
        self.assertEqual({line["termination"] for line in proxy.access_lines(6)}, {"client_bad_request"})

    def test_other_answers_and_other_requests_pass(self):
        proxy = self.serve(answering(ok(b"<html>", "Content-Type: text/html\r\n")))
        for kind in (WEB, TEXT, NATIVE, "text/plain"):
            response = self.call(proxy, kind, b"QUJD")
            self.assertEqual((response.get("Content-Type"), response.body), ("text/html", b"<html>"))

    def test_an_answer_cut_short(self):
        proxy = self.serve(once(grpc_head("Transfer-Encoding: chunked\r\n\r\n") + chunk(message(b"a"))))
        for kind in (WEB, TEXT):
            self.assertFalse(self.call(proxy, kind, b"").complete)

    def test_only_where_the_route_says_so(self):
        proxy = GrpcTest.serve(self, answering(grpc_answer()))
        self.call(proxy, TEXT, b"AAAA")
        request = self.backends[0].requests[0]
        self.assertEqual((request.get("Content-Type"), request.body), (TEXT, b"AAAA"))
