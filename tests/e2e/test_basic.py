"""What every exchange is made of: heads and bodies in both directions, kept connections, what is added and hidden."""

import socket
import unittest

from harness import Backend, Proxy, TestCase, answering, config_for, exchange_raw, ok, once, open_socket


class Basics(TestCase):
    def serve(self, script, **parts):
        backend = self.start(Backend(script))
        return backend, self.start(Proxy(config_for(backend, **parts)))

    def test_forwards_and_returns(self):
        backend, proxy = self.serve(answering(ok(b"hello", "X-Own: 1\r\n")))
        response = proxy.get("/a?b=c")
        self.assertEqual((response.status, response.body, response.get("X-Own")), (200, b"hello", "1"))
        self.assertEqual(backend.requests[0].start_line, "GET /a?b=c HTTP/1.1")
        self.assertEqual(backend.requests[0].get("Host"), "shop.com")
        self.assertIsNotNone(response.get("Date"))

    def test_keeps_both_connections(self):
        backend, proxy = self.serve(answering(ok()), extra="[server]\nworkers = 1\n")
        with proxy.connect() as client:
            for _ in range(20):
                self.assertEqual(client.request().status, 200)
        self.assertEqual(backend.connections, 1)

    def test_answers_pipelined_requests_in_order(self):
        def script(peer):
            while True:
                peer.send(ok(peer.next_request().start_line.split(" ")[1].encode()))

        _, proxy = self.serve(script)
        with proxy.connect() as client:
            client.send("".join(f"GET /{i} HTTP/1.1\r\nHost: a\r\n\r\n" for i in range(50)))
            self.assertEqual([client.response().body for _ in range(50)], [b"/%d" % i for i in range(50)])

    def test_pipelined_after_content(self):
        def script(peer):
            while True:
                peer.send(ok(b"<" + peer.next_request().body + b">"))

        _, proxy = self.serve(script)
        with proxy.connect() as client:
            one = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            two = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            client.send((one + two) * 3)
            self.assertEqual([client.response().body for _ in range(6)], [b"<hello>", b"<abc>"] * 3)

    def test_closes_when_asked(self):
        _, proxy = self.serve(answering(ok()))
        with proxy.connect() as client:
            response = client.request(headers=[("Connection", "close")])
            self.assertEqual(response.get("Connection"), "close")
            self.assertTrue(client.is_closed())

    def test_http10(self):
        backend, proxy = self.serve(answering(ok(b"old")))
        with proxy.connect() as client:
            client.send("GET / HTTP/1.0\r\n\r\n")
            response = client.response()
            self.assertEqual((response.status, response.body), (200, b"old"))
            self.assertTrue(client.is_closed())
        # HTTP/1.1 to the backend needs a Host.
        self.assertEqual(len(backend.requests[0].all("Host")), 1)
        self.assertTrue(backend.requests[0].start_line.endswith("HTTP/1.1"))

    def test_http10_keep_alive(self):
        _, proxy = self.serve(answering(ok(b"old")))
        with proxy.connect() as client:
            for _ in range(3):
                client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
                self.assertEqual(client.response().get("Connection"), "keep-alive")

    def test_http10_gets_no_chunks(self):
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        _, proxy = self.serve(answering(chunked))
        with proxy.connect() as client:
            client.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            response = client.response()
            self.assertIsNone(response.get("Transfer-Encoding"))
            self.assertEqual(response.body, b"abc")
            self.assertTrue(client.is_closed())

    def test_head_has_the_length_and_no_content(self):
        _, proxy = self.serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"))
        with proxy.connect() as client:
            for _ in range(3):
                response = client.request("HEAD")
                self.assertEqual((response.status, response.get("Content-Length")), (200, "1000"))

    def test_204_and_304_have_no_content(self):
        for head in (b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
                     b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"):
            _, proxy = self.serve(answering(head))
            with proxy.connect() as client:
                for _ in range(2):
                    response = client.request()
                    self.assertEqual(response.status, int(head.split()[1]))
                    self.assertIsNone(response.get("Transfer-Encoding"))
                    if response.status == 204:
                        self.assertIsNone(response.get("Content-Length"))

    def test_content_both_ways(self):
        def script(peer):
            while True:
                request = peer.next_request()
                peer.send(ok(request.body))

        backend, proxy = self.serve(script)
        body = bytes(range(256)) * 5000
        response = proxy.get(method="POST", body=body)
        self.assertEqual(response.body, body)
        self.assertEqual(backend.requests[0].get("Content-Length"), str(len(body)))

    def test_chunked_both_ways_with_trailers(self):
        answer = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                  b"5;name=value\r\nhello\r\n1;q=\"a;b\"\r\n!\r\n0\r\nX-Sum: 6\r\n\r\n")
        backend, proxy = self.serve(answering(answer))
        with proxy.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3;ext\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Check: yes\r\n\r\n")
            response = client.response()
        self.assertEqual((response.body, response.complete, response.trailers), (b"hello!", True, [("X-Sum", "6")]))
        self.assertEqual(backend.requests[0].body, b"abc0123456789")
        self.assertEqual(backend.requests[0].trailers, [("X-Check", "yes")])

    def test_until_close_becomes_chunked(self):
        _, proxy = self.serve(once(b"HTTP/1.1 200 OK\r\n\r\nall of it"))
        with proxy.connect() as client:
            response = client.request()
            self.assertEqual((response.body, response.complete), (b"all of it", True))
            self.assertEqual(response.get("Transfer-Encoding"), "chunked")
            self.assertFalse(response.get("Connection"))

    def test_answers_options_star_and_absolute_form(self):
        backend, proxy = self.serve(answering(ok()))
        self.assertEqual(proxy.get("*", method="OPTIONS").status, 200)
        self.assertEqual(proxy.get("http://other.com/x?y", host="ignored.com").status, 200)
        self.assertEqual(backend.requests[0].start_line, "OPTIONS * HTTP/1.1")
        self.assertEqual(backend.requests[1].start_line, "GET /x?y HTTP/1.1")
        self.assertEqual(backend.requests[1].all("Host"), ["other.com"])

    def test_result_is_the_same_however_the_bytes_arrive(self):
        request = (b"POST /a/../b HTTP/1.1\r\nHost: a.com\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"4\r\nwiki\r\n5\r\npedia\r\n0\r\nT: 1\r\n\r\n")

        def script(peer):
            while True:
                message = peer.next_request()
                peer.send(ok(message.start_line.encode() + b"|" + message.body))

        _, proxy = self.serve(script)
        want = b"POST /b HTTP/1.1|wikipedia"
        with proxy.connect() as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for split in range(1, len(request)):
                client.send(request[:split])
                client.send(request[split:])
                self.assertEqual(client.response().body, want, split)
            for byte in request:
                client.send(bytes([byte]))
            self.assertEqual(client.response().body, want)

    def test_same_response_however_the_bytes_arrive(self):
        answer = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\n\r\n"
                  b"4\r\nwiki\r\n5\r\npedia\r\n0\r\nT: 1\r\n\r\n")

        def script(peer):
            peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for split in range(1, len(answer)):
                peer.next_request()
                peer.send(answer[:split])
                peer.send(answer[split:])
            while True:
                peer.next_request()
                for byte in answer:
                    peer.send(bytes([byte]))

        _, proxy = self.serve(script, extra="[server]\nworkers = 1\n")
        with proxy.connect() as client:
            for _ in range(len(answer) + 1):
                response = client.request()
                self.assertEqual((response.body, response.trailers, response.get("X-A")), (b"wikipedia", [("T", "1")], "b"))


class Fields(TestCase):
    def seen(self, request, **parts):
        backend = self.start(Backend(answering(ok())))
        proxy = self.start(Proxy(config_for(backend, **parts)))
        received = exchange_raw(proxy.address, request)
        self.assertIn(b" 200 ", received)
        return backend.requests[0]

    def test_sets_forwarding_fields_and_drops_the_clients(self):
        seen = self.seen(b"GET / HTTP/1.1\r\nHost: shop.com\r\nX-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n"
                         b"X-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\nX-Real-IP: 6.6.6.6\r\nX-Request-Id: evil\r\n"
                         b"X_Forwarded_For: 6.6.6.6\r\n\r\n")
        self.assertEqual(seen.all("X-Forwarded-For"), ["127.0.0.1"])
        self.assertEqual(seen.all("X-Forwarded-Proto"), ["http"])
        self.assertEqual(seen.all("X-Forwarded-Host"), ["shop.com"])
        self.assertEqual(len(seen.all("Forwarded")), 1)
        self.assertNotIn("6.6.6.6", repr(seen.fields))
        self.assertNotIn("evil", repr(seen.fields))
        self.assertIn("rproxy", seen.get("Via"))
        self.assertRegex(seen.get("X-Request-ID"), "^[0-9a-f]{32}$")

    def test_believes_a_trusted_proxy(self):
        seen = self.seen(b"GET / HTTP/1.1\r\nHost: shop.com\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
                         b"X-Request-Id: theirs\r\n\r\n",
                         extra='[forwarding]\ntrusted_proxies = ["127.0.0.0/8"]\n')
        self.assertEqual(seen.all("X-Forwarded-For"), ["6.6.6.6, 127.0.0.1"])
        self.assertEqual(seen.all("X-Forwarded-Proto"), ["https"])
        self.assertEqual(seen.get("X-Request-Id"), "theirs")

    def test_removes_hop_by_hop_fields_and_those_connection_names(self):
        seen = self.seen(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n"
                         b"Proxy-Connection: x\r\nTE: trailers, deflate\r\nProxy-Authorization: secret\r\nUpgrade: h2c\r\n"
                         b"X-Stays: 1\r\n\r\n")
        for name in ("X-Mine", "Keep-Alive", "Proxy-Connection", "Upgrade", "Proxy-Authorization"):
            self.assertEqual(seen.all(name), [], name)
        self.assertEqual(seen.get("X-Stays"), "1")
        self.assertNotIn("deflate", seen.get("TE", ""))

    def test_repeated_fields_stay_in_order(self):
        seen = self.seen(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nX-L: 1\r\nX-L: 2\r\nConnection: close\r\n\r\n")
        self.assertEqual(seen.all("X-L"), ["1", "2"])
        self.assertEqual(seen.get("Cookie"), "a=1")


class Hiding(TestCase):
    def test_hides_the_backend(self):
        backend = self.start(Backend(lambda peer: [
            peer.next_request(),
            peer.send(ok(b"", "Server: Own/1.2\r\nX-Powered-By: PHP\r\nX-AspNet-Version: 4\r\nVia: 1.1 inner\r\n"
                         f"Location: http://{peer.backend.name}/next?a=b\r\n"
                         f"Content-Location: http://{peer.backend.name}/c\r\n"
                         f"Refresh: 5; url=http://{peer.backend.name}/r\r\n"
                         "Set-Cookie: id=1; Domain=127.0.0.1; Path=/\r\n"))]))
        proxy = self.start(Proxy(config_for(backend)))
        response = proxy.get(host="shop.com")
        for name in ("Server", "X-Powered-By", "X-AspNet-Version", "Via"):
            self.assertEqual(response.all(name), [], name)
        self.assertEqual(response.get("Location"), "http://shop.com/next?a=b")
        self.assertNotIn("127.0.0.1", repr(response.fields))

    def test_hides_the_address_behind_the_configured_name(self):
        backend = self.start(Backend(lambda peer: [
            peer.next_request(), peer.send(ok(b"", f"Location: http://{peer.backend.name}/next\r\n"))]))
        named = config_for(backend).replace("127.0.0.1:" + str(backend.port), f"localhost:{backend.port}")
        proxy = self.start(Proxy(named))
        self.assertEqual(proxy.get(host="shop.com").get("Location"), "http://shop.com/next")

    def test_shows_it_where_the_route_says_so(self):
        backend = self.start(Backend(answering(ok(b"", "Server: Own/1.2\r\n"))))
        proxy = self.start(Proxy(config_for(backend, route="hide_backend = false")))
        self.assertEqual(proxy.get().get("Server"), "Own/1.2")

    def test_error_pages_by_accept(self):
        gone = Backend(answering(ok()))
        gone.stop()
        proxy = self.start(Proxy(config_for(gone, route="proxy_status = true")))
        for accept, kind in (("application/json", "application/json"), ("text/html,*/*;q=0.1", "text/html"),
                             ("*/*", "text/plain"), ("image/png", "text/plain")):
            response = proxy.get(headers=[("Accept", accept)])
            self.assertEqual(response.status, 502)
            self.assertTrue(response.get("Content-Type").startswith(kind), (accept, response))
            self.assertNotIn(b"127.0.0.1", response.body)
            self.assertNotIn(str(gone.port).encode(), response.body)
            self.assertRegex(response.body, rb"[0-9a-f]{32}")
            self.assertIn("connection_refused", response.get("Proxy-Status"))
        # What the client is told changes nothing in the log.
        for line in proxy.access_lines(4):
            self.assertEqual(line["termination"], "upstream_refused")

    def test_names_of_machines_behind_us_are_hidden(self):
        names = ("X-Backend", "X-Backend-Server", "X-Served-By", "X-Server-Name", "X-Varnish")
        backend = self.start(Backend(answering(ok(b"", "".join(f"{name}: web-17.internal\r\n" for name in names)))))
        proxy = self.start(Proxy(config_for(backend)))
        self.assertNotIn("web-17", repr(proxy.get()))


class Addresses(TestCase):
    def test_a_client_without_an_address_still_has_a_scheme_and_a_host(self):
        backend = self.start(Backend(answering(ok())))
        proxy = self.start(Proxy(config_for(backend, listen=f'http = "unix:{self.directory()}/front.sock"')))
        proxy.get(headers=[("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https")])
        request = backend.requests[0]
        self.assertEqual(request.all("X-Forwarded-Proto"), ["http"])
        self.assertEqual(request.all("X-Forwarded-Host"), ["shop.com"])
        self.assertEqual(request.all("X-Forwarded-For"), [])

    def test_a_request_without_a_host_has_no_forwarded_host(self):
        backend = self.start(Backend(answering(ok())))
        proxy = self.start(Proxy(config_for(backend)))
        with proxy.connect() as client:
            self.assertEqual(client.send("GET / HTTP/1.0\r\n\r\n").response().status, 200)
        self.assertEqual(backend.requests[0].all("X-Forwarded-Host"), [])
        self.assertEqual(backend.requests[0].all("X-Forwarded-Proto"), ["http"])

    def test_unix_sockets_on_both_sides(self):
        directory = self.directory()
        backend = self.start(Backend(answering(ok(b"through sockets")), path=directory / "backend.sock"))
        proxy = self.start(Proxy(config_for(backend, listen=f'http = "unix:{directory}/front.sock"')))
        self.assertEqual(proxy.get().body, b"through sockets")

    def test_ipv6_and_dual_stack(self):
        backend = self.start(Backend(answering(ok())))
        proxy = self.start(Proxy(config_for(backend, listen='http = ["[::1]:0", ":0"]')))
        self.assertEqual(proxy.get(index=0).status, 200)
        port = proxy.addresses[1][1]
        for address in (("127.0.0.1", port), ("::1", port)):
            with open_socket(address):
                pass

    def test_every_worker_accepts(self):
        backend = self.start(Backend(answering(ok())))
        proxy = self.start(Proxy(config_for(backend), "--workers", "4"))
        for _ in range(40):
            self.assertEqual(proxy.get().status, 200)
        # Each worker has connections of its own to the backend.
        self.assertGreater(backend.connections, 1)


if __name__ == "__main__":
    unittest.main()
