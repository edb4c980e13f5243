"""Upgraded connections: bytes both ways, half-close, idle end."""

import socket
import unittest

from harness import Backend, Proxy, TestCase, answering, config_for, ok, once

UPGRADE = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n\r\n"
SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"


def echo(peer):
    request = peer.next_request()
    peer.send(SWITCH)
    assert request.get("Upgrade") == "websocket" and "upgrade" in request.get("Connection").lower()
    while data := peer.reader.buffer or peer.socket.recv(65536):
        peer.reader.buffer = b""
        peer.send(b"<" + data + b">")
    peer.send(b"end seen")


class Tunnels(TestCase):
    def serve(self, script, **parts):
        backend = self.start(Backend(script))
        return backend, self.start(Proxy(config_for(backend, **parts)))

    def open(self, proxy, early=b""):
        client = self.start(proxy.connect())
        client.send(UPGRADE.encode() + early)
        response = client.response()
        self.assertEqual((response.status, response.get("Upgrade")), (101, "websocket"))
        self.assertEqual(response.get("Sec-WebSocket-Accept"), "x")
        return client

    def test_bytes_go_both_ways(self):
        _, proxy = self.serve(echo)
        client = self.open(proxy)
        for text in (b"one", b"\0\xff\r\n", b"three"):
            client.send(text)
            self.assertEqual(client.reader.exactly(len(text) + 2), b"<" + text + b">")

    def test_bytes_right_behind_the_request_and_the_answer(self):
        def script(peer):
            peer.next_request()
            peer.send(SWITCH.encode() + b"greeting")
            self.assertEqual(peer.reader.exactly(5), b"early")
            peer.send(b"seen")

        _, proxy = self.serve(script)
        client = self.open(proxy, b"early")
        self.assertEqual(client.reader.exactly(12), b"greetingseen")
        self.assertTrue(client.is_closed())

    def test_half_close(self):
        _, proxy = self.serve(echo)
        client = self.open(proxy)
        client.send("last")
        client.socket.shutdown(socket.SHUT_WR)
        received = b""
        while client.reader.fill():
            pass
        received = client.reader.buffer
        self.assertEqual(received, b"<last>end seen")

    def test_backend_that_ends_first(self):
        def script(peer):
            peer.next_request()
            peer.send(SWITCH)
            peer.socket.shutdown(socket.SHUT_WR)
            peer.backend.requests.append(peer.reader.exactly(5))

        backend, proxy = self.serve(script)
        client = self.open(proxy)
        self.assertFalse(client.reader.fill())
        client.send("still")
        client.socket.shutdown(socket.SHUT_WR)
        line = proxy.access_lines()[0]
        self.assertEqual((line["status"], backend.requests[-1]), (101, b"still"))

    def test_idle_tunnel_ends(self):
        _, proxy = self.serve(echo, extra='[client]\ntunnel_timeout = "200ms"\n')
        client = self.open(proxy)
        client.send("x")
        self.assertEqual(client.reader.exactly(3), b"<x>")
        self.assertFalse(client.reader.fill() and client.reader.buffer.replace(b"end seen", b""))

    def test_its_log_line_is_of_its_own_request(self):
        def script(peer):
            while request := peer.next_request():
                if request.get("Upgrade"):
                    return peer.send(SWITCH) and peer.wait_closed()
                peer.send(ok())

        _, proxy = self.serve(script, extra="[server]\nworkers = 1\n")
        client = self.open(proxy)
        for _ in range(4):
            # Whatever memory the tunnel's request has left, others' come to lie there.
            proxy.get("/" + "other/" * 50, host="other.com")
        client.close()
        line = next(line for line in proxy.access_lines(5) if line["status"] == 101)
        self.assertEqual((line["host"], line["path"]), ("a", "/chat"))

    def test_much_data_slow_reader(self):
        size = 20_000_000

        def script(peer):
            peer.next_request()
            peer.send(SWITCH)
            peer.send(b"x" * size)

        _, proxy = self.serve(script)
        client = self.open(proxy)
        self.assertEqual(len(client.reader.exactly(size)), size)

    def test_refused_upgrade_is_an_answer(self):
        backend, proxy = self.serve(answering(ok(b"no")))
        with proxy.connect() as client:
            client.send(UPGRADE)
            self.assertEqual(client.response().body, b"no")
            self.assertEqual(client.request().body, b"no")

    def test_no_tunnel_for_http10(self):
        backend, proxy = self.serve(answering(ok(b"no")))
        with proxy.connect() as client:
            client.send(UPGRADE.replace("1.1\r\nHost", "1.0\r\nHost"))
            self.assertEqual(client.response().body, b"no")
        self.assertIsNone(backend.requests[0].get("Upgrade"))

    def test_client_that_vanishes_ends_the_backends_side(self):
        ended = []

        def script(peer):
            peer.next_request()
            peer.send(SWITCH)
            peer.wait_closed()
            ended.append(True)

        backend, proxy = self.serve(script)
        client = self.open(proxy)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        proxy.access_lines()
        backend.stop()
        self.assertEqual(ended, [True])


if __name__ == "__main__":
    unittest.main()
