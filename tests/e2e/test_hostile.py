"""Orders of events that only a careless or hostile peer brings about: nothing hangs, nothing is told twice, nothing leaks."""

import signal
import socket
import threading
import unittest

from harness import Backend, Proxy, TestCase, answering, config_for, held, ok, open_socket, until

ONE_WORKER = "[server]\nworkers = 1\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
UPGRADE = b"POST /attach HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"


class Switching(TestCase):
    def test_a_requests_content_is_not_the_tunnels(self):
        received = []

        def script(peer):
            received.append(peer.next_request().body)
            peer.send(SWITCH)
            while data := peer.socket.recv(65536):
                received.append(data)
                peer.send(data)

        backend = self.start(Backend(script))
        proxy = self.start(Proxy(config_for(backend)))
        for content in (b"Content-Length: 5\r\n\r\nhello", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"):
            received.clear()
            with proxy.connect() as client:
                client.send(UPGRADE + content)
                self.assertEqual(client.response().status, 101)
                client.send(b"first")
                self.assertEqual(client.reader.exactly(5), b"first")
            self.assertEqual(received, [b"hello", b"first"])

    def test_a_switch_before_the_request_has_ended_is_refused(self):
        def script(peer):
            peer.reader.head()
            peer.send(SWITCH)
            peer.wait_closed()

        backend = self.start(Backend(script))
        proxy = self.start(Proxy(config_for(backend)))
        with proxy.connect() as client:
            client.send(UPGRADE + b"Content-Length: 10\r\n\r\nhello")
            self.assertEqual(client.response().status, 502)


class Stalls(TestCase):
    def test_a_backend_that_takes_no_more_content(self):
        """It neither reads nor answers: that ends by the timeout, whether the client still waits or has gone."""
        for stays in (True, False):
            with self.subTest(stays=stays):
                def script(peer):
                    peer.reader.head()
                    self.release.wait(20)

                self.release = threading.Event()
                backend = self.start(Backend(script))
                proxy = self.start(Proxy(config_for(
                    backend, upstream='send_timeout = "300ms"\nresponse_timeout = "300ms"', extra=ONE_WORKER)))
                client = self.start(proxy.connect())
                client.socket.settimeout(5)
                size = 100_000_000
                client.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n")
                sender = threading.Thread(target=self.send_quietly, args=(client, size), daemon=True)
                sender.start()
                if stays:
                    self.assertEqual(client.response().status, 504)
                else:
                    until(lambda b=backend: b.connections, "the request at the backend")
                    client.socket.shutdown(socket.SHUT_RDWR)
                line = proxy.access_lines()[0]
                self.assertIn(line["status"], (504, 499))
                self.release.set()

    @staticmethod
    def send_quietly(client, size):
        try:
            for _ in range(size // 65536 + 1):
                client.socket.sendall(b"x" * 65536)
        except OSError:
            pass

    def test_a_backend_silent_after_100_continue(self):
        def script(peer):
            request = peer.reader.head()
            peer.send("HTTP/1.1 100 Continue\r\n\r\n")
            peer.reader.content(request, False)
            peer.wait_closed()

        backend = self.start(Backend(script))
        proxy = self.start(Proxy(config_for(backend, upstream='response_timeout = "300ms"')))
        with proxy.connect(timeout=5) as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            self.assertEqual(client.reader.head().status, 100)
            client.send("hello")
            self.assertEqual(client.response().status, 504)

    def test_a_backend_silent_in_the_content_of_an_early_answer(self):
        """The end of the request's content must not take the answer's own limit away."""
        def script(peer):
            request = peer.reader.head()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.")
            peer.reader.content(request, False)
            peer.wait_closed()

        backend = self.start(Backend(script))
        proxy = self.start(Proxy(config_for(backend, upstream='body_timeout = "500ms"')))
        with proxy.connect(timeout=5) as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst")
            self.assertEqual(client.reader.head().status, 200)
            self.assertEqual(client.reader.exactly(5), b"half.")
            client.send("other")
            self.assertTrue(client.is_closed())

    def test_a_client_that_left_behind_more_than_is_read_ahead(self):
        left = threading.Event()

        def script(peer):
            peer.next_request()
            go.set()
            if peer.is_closed():
                left.set()

        go = threading.Event()
        backend = self.start(Backend(script))
        proxy = self.start(Proxy(config_for(backend)))
        with proxy.connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 5000)
            self.assertTrue(go.wait(20))
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.assertTrue(left.wait(10))

    def test_a_client_that_left_in_the_midst_of_a_silent_answer(self):
        left = threading.Event()

        def script(peer):
            peer.next_request()
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            if peer.is_closed():
                left.set()

        backend = self.start(Backend(script))
        proxy = self.start(Proxy(config_for(backend)))
        with proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.reader.head().status, 200)
            self.assertEqual(client.reader.exactly(10), b"5\r\nhello\r\n")
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.assertTrue(left.wait(10))
        self.assertEqual(proxy.access_lines()[0]["termination"], "client_closed")


class Interim(TestCase):
    def test_hints_tell_nothing_of_the_backend(self):
        fields = "Server: secret\r\nX-Powered-By: secret\r\nConnection: X-Hop\r\nX-Hop: secret\r\nKeep-Alive: secret\r\n"
        hints = f"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n{fields}\r\n".encode()
        backend = self.start(Backend(answering(hints + ok(b"final"))))
        proxy = self.start(Proxy(config_for(backend)))
        response = proxy.get()
        self.assertEqual(response.body, b"final")
        self.assertEqual(response.interim[0].fields, [("Link", "</a.css>")])

    def test_hints_do_not_push_a_waiting_continue_aside(self):
        """The client takes nothing of an earlier answer, so that the proxy's own 100 has to wait when the hints come."""
        def script(peer):
            request = peer.reader.head()
            # Longer than the proxy waits for a 100.
            threading.Event().wait(1.5)
            peer.send("HTTP/1.1 103 Early Hints\r\n\r\n")
            hinted.set()
            peer.send(ok(peer.reader.content(request, False).body))

        hinted = threading.Event()
        path = self.directory() / "front.sock"
        backend = self.start(Backend(script))
        # As much as fills what the kernel holds for a Unix socket, and yet all of it at once.
        fixed = f'[[routes]]\nmatch = "*/fixed"\nrespond = {{ status = 200, body = "{"x" * 212000}" }}\n'
        proxy = self.start(Proxy(config_for(backend, listen=f'http = "unix:{path}"', extra=ONE_WORKER + fixed)))
        with proxy.connect() as client:
            client.send("GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n"
                        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            self.assertTrue(hinted.wait(20))
            self.assertEqual(len(client.response().body), 212000)
            self.assertEqual(client.reader.head().status, 100)
            client.send("hello")
            self.assertEqual(client.response().body, b"hello")


class Clients(TestCase):
    def test_a_long_head_behind_another_request_leaves_room_for_content(self):
        backend = self.start(Backend(answering(ok(b"fine"))))
        proxy = self.start(Proxy(config_for(backend)))
        first = b"GET / HTTP/1.1\r\nHost: a\r\nX-Pad: "
        first += b"a" * (4096 - len(first) - 4) + b"\r\n\r\n"
        second = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
        for index in range(4):
            second += b"X-%d: " % index + b"a" * 8000 + b"\r\n"
        second += b"X: " + b"a" * (32768 - len(second) - 7) + b"\r\n\r\n"
        self.assertEqual((len(first), len(second)), (4096, 32768))
        with proxy.connect() as client:
            client.send(first + second[:100])
            self.assertEqual(client.response().status, 200)
            client.send(second[100:])
            until(lambda: len(backend.requests) == 1, "the first request")
            client.send("hello")
            self.assertEqual(client.response().status, 200)
        self.assertEqual(backend.requests[-1].body, b"hello")

    def test_a_connection_that_has_pipelined_stays(self):
        """Bytes that came while an answer was sent are not waited for a second time."""
        go = threading.Event()

        def script(peer):
            peer.next_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.")
            go.wait(20)
            peer.send(b"other")
            peer.wait_closed()

        backend = self.start(Backend(script))
        config = config_for(backend, extra='[client]\nhead_timeout = "200ms"\n[[routes]]\nmatch = "*/fixed"\nrespond = 204\n')
        proxy = self.start(Proxy(config))
        with proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.reader.head().status, 200)
            client.send("GET /fixed HTTP/1.1\r\nHost: a\r\n\r\n")
            # The proxy has read that by the time another connection was served.
            self.assertEqual(proxy.get(path="/fixed").status, 204)
            go.set()
            client.reader.exactly(10)
            self.assertEqual(client.response().status, 204)
            client.socket.settimeout(1)
            with self.assertRaises(TimeoutError):
                client.reader.fill()

    def test_small_chunks_go_on_together(self):
        """Each with a write of its own, bytes would cost a hundred times what they cost their sender."""
        def script(peer):
            peer.reader.head()
            while not peer.reader.buffer.endswith(b"\r\n0\r\n\r\n"):
                self.assertTrue(peer.reader.fill())
            chunks.append(peer.reader.buffer)
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\ny\r\n" * 3000 + b"0\r\n\r\n")

        chunks = []
        backend = self.start(Backend(script))
        proxy = self.start(Proxy(config_for(backend)))
        with proxy.connect() as client:
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 3000 + b"0\r\n\r\n")
            self.assertEqual(client.reader.head().status, 200)
            while not client.reader.buffer.endswith(b"\r\n0\r\n\r\n"):
                self.assertTrue(client.reader.fill())
            chunks.append(client.reader.buffer)
        for text, letter in zip(chunks, (b"x", b"y")):
            self.assertEqual(text.count(letter), 3000)
            self.assertLess(text.count(b"\r\n"), 600)

    def test_a_trusted_proxys_client_can_not_hide_behind_a_quote(self):
        backend = self.start(Backend(answering(ok())))
        extra = ('[forwarding]\ntrusted_proxies = ["127.0.0.0/8"]\n'
                 '[[routes]]\nmatch = { path = "/*", client_ip = "127.0.0.0/8" }\nrespond = { status = 200, body = "internal" }\n')
        proxy = self.start(Proxy(config_for(backend, extra=extra)))
        for name, theirs, ours in (("X-Forwarded-For", '"', "203.0.113.9"), ("X-Forwarded-For", "\"x\\", "203.0.113.9"),
                                   ("Forwarded", 'for="', "for=203.0.113.9"), ("Forwarded", 'for="', 'for="[2001:db8::9]:80"'),
                                   ("Forwarded", '"\\"', 'for="[2001:db8::9]"')):
            with self.subTest(f"{name}: {theirs}"):
                response = proxy.get(headers=[(name, f"{theirs}, {ours}")])
                self.assertEqual(response.body, b"ok")


class Ending(TestCase):
    def test_a_connection_in_the_backlog_is_served_before_the_end(self):
        release = threading.Event()
        backend = self.start(Backend(held(release)))
        config = config_for(backend, extra="[server]\nworkers = 1\nmax_connections = 1\n")
        with Proxy(config) as proxy, proxy.connect() as client, proxy.connect() as waiting:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: backend.requests, "the first request at the backend")
            waiting.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: "accepting paused" in proxy.log(), "the limit to be met")
            proxy.signal(signal.SIGTERM)
            until(lambda: "draining" in proxy.log(), "the end to begin")
            release.set()
            self.assertEqual(client.response().body, b"late")
            response = waiting.response()
            self.assertEqual(response and (response.body, response.get("Connection")), (b"late", "close"))
            self.assertEqual(proxy.wait(), 0)

    def test_a_successors_unix_socket_stays(self):
        release = threading.Event()
        path = self.directory() / "front.sock"
        backend = self.start(Backend(held(release)))
        config = config_for(backend, listen=f'http = "unix:{path}"', extra='[[routes]]\nmatch = "*/fixed"\nrespond = 204\n')
        with Proxy(config) as old, old.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: backend.requests, "the request at the backend")
            old.signal(signal.SIGTERM)
            until(lambda: self.refuses(path), "the old listener to close")
            with Proxy(config) as new:
                release.set()
                self.assertEqual(client.response().body, b"late")
                self.assertEqual(old.wait(), 0)
                self.assertEqual(new.get(path="/fixed").status, 204)

    @staticmethod
    def refuses(path):
        try:
            open_socket(str(path)).close()
        except OSError:
            return True
        return False


if __name__ == "__main__":
    unittest.main()
