"""Backends that answer partly, early, or not at all. Those that answer wrongly are in tests/cases/strict/responses.txt."""

import unittest

from harness import Backend, Proxy, TestCase, answering, config_for, ok, once

# (what, bytes): a 200 whose content never ends well.
CUT = [
    ("short of its Content-Length", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
    ("cut in a chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nshort"),
    ("cut between chunks", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"),
    ("cut before the trailers' end", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\nX: 1\r\n"),
    ("bad chunk size", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nzz\r\n"),
    ("bad chunk end", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshortXX0\r\n\r\n"),
    ("chunk size past 64 bits",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\nffffffffffffffffff\r\nx"),
]


class MisbehavingBackends(TestCase):
    def serve(self, script, **parts):
        backend = self.start(Backend(script))
        return backend, self.start(Proxy(config_for(backend, **parts)))

    def test_cut_content_is_never_whole(self):
        for what, data in CUT:
            for then in ("close", "reset"):
                for version in ("1.1", "1.0"):
                    with self.subTest(f"{what}, {then}, {version}"):
                        backend = Backend(once(data, then))
                        with backend, Proxy(config_for(backend)) as proxy, proxy.connect() as client:
                            client.send(f"GET / HTTP/{version}\r\nHost: a\r\n\r\n")
                            response = client.response()
                            if response is not None:
                                self.assertFalse(response.complete and response.status == 200, response)
                            line = proxy.access_lines()[0]
                            self.assertNotEqual(line["termination"], "ok")

    def test_reset_content_until_close_is_cut(self):
        backend, proxy = self.serve(once(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100, "reset"))
        with proxy.connect() as client:
            response = client.request()
            self.assertFalse(response and response.status == 200 and response.complete, response)

    def test_content_nobody_may_have_is_dropped(self):
        for head in (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nextra", b"HTTP/1.1 304 Not Modified\r\n\r\nextra",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more"):
            with self.subTest(head):
                _, proxy = self.serve(once(head))
                with proxy.connect() as client:
                    response = client.request()
                    self.assertIn(response.status, (200, 204, 304))
                    self.assertIn(response.body, (b"", b"ok"))
                    # Nothing of it turns up as the next answer.
                    again = client.request()
                    self.assertEqual(again.body, response.body)

    def test_early_final_response(self):
        def script(peer):
            peer.reader.head()
            peer.send(ok(b"no need", "Connection: close\r\n"))

        _, proxy = self.serve(script)
        with proxy.connect() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 1000)
            response = client.response()
            self.assertEqual((response.status, response.body), (200, b"no need"))
            self.assertEqual(response.get("Connection"), "close")

    def test_early_hints_and_unknown_interim_are_forwarded(self):
        answer = (b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + ok(b"final"))
        _, proxy = self.serve(answering(answer))
        with proxy.connect() as client:
            response = client.request()
            self.assertEqual([one.status for one in response.interim], [103, 102])
            self.assertEqual(response.interim[0].get("Link"), "</a.css>; rel=preload")
            self.assertEqual(response.body, b"final")

    def test_http10_clients_get_no_interim(self):
        _, proxy = self.serve(answering(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok(b"final")))
        with proxy.connect() as client:
            client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
            self.assertTrue(client.reader.line().startswith(b"HTTP/1.1 200"))

    def test_expect_continue(self):
        def script(peer):
            request = peer.reader.head()
            peer.backend.requests.append(request)
            peer.send("HTTP/1.1 100 Continue\r\n\r\n")
            peer.reader.content(request, False)
            peer.send(ok(request.body))

        backend, proxy = self.serve(script)
        with proxy.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            self.assertEqual(client.reader.head().status, 100)
            client.send("hello")
            response = client.response()
            # It was told once to go on.
            self.assertEqual((response.body, response.interim), (b"hello", []))
        self.assertEqual(backend.requests[0].get("Expect"), "100-continue")

    def test_expect_continue_with_a_backend_that_sends_hints_and_waits(self):
        def script(peer):
            request = peer.reader.head()
            peer.send("HTTP/1.1 103 Early Hints\r\n\r\n")
            # Silent past the wait for a 100.
            peer.send(ok(peer.reader.content(request, False).body))

        _, proxy = self.serve(script)
        with proxy.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            self.assertEqual([client.reader.head().status for _ in range(2)], [103, 100])
            client.send("hello")
            self.assertEqual(client.response().body, b"hello")

    def test_expectation_refused(self):
        def script(peer):
            peer.reader.head()
            peer.send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        _, proxy = self.serve(script)
        with proxy.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            response = client.response()
            self.assertEqual((response.status, response.interim), (401, []))

    def test_expect_continue_with_a_backend_that_does_not_know_it(self):
        _, proxy = self.serve(lambda peer: peer.send(ok(peer.next_request().body)))
        with proxy.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            self.assertEqual(client.reader.head().status, 100)
            client.send("hello")
            self.assertEqual(client.response().body, b"hello")

    def test_client_that_cuts_its_content_never_completes_a_request(self):
        for head, part in ((b"Content-Length: 10", b"abc"), (b"Transfer-Encoding: chunked", b"3\r\nabc\r\n")):
            seen = []

            def script(peer, seen=seen):
                seen.append(peer.reader.request())

            with Backend(script) as backend, Proxy(config_for(backend)) as proxy:
                with proxy.connect() as client:
                    client.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n\r\n" + part)
                self.assertIn(proxy.access_lines()[0]["status"], (400, 499))
            self.assertFalse([request for request in seen if request and request.complete])


if __name__ == "__main__":
    unittest.main()
