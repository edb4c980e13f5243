"""WebSocket through the proxy between clients and servers of npm's `ws`."""

import os
import pathlib
import signal
import unittest

from harness import until
from peers import Node, PeerTest, digest, pattern

SIZES = (0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20)


def text_pattern(size):
    return bytes(33 + byte % 89 for byte in pattern(251)) * (size // 251) + bytes(33 + byte % 89 for byte in pattern(size % 251))


class WebSockets:
    """What holds whichever way the client comes in."""

    tls, http2, http2_server, bytes_per_tunnel = False, False, False, 32_000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(cls.new_server())
        cls.client = cls.enterClassContext(Node("websocket_client.js", ca=str(cls.authority), http2=cls.http2))

    @classmethod
    def new_server(cls):
        return Node("websocket_server.js", deflate={"threshold": 0}, http2=cls.http2_server, **(cls.identity if cls.tls else {}))

    def setUp(self):
        self.proxy = self.door(self.server)
        self.opened = 0

    def door(self, server, **parts):
        """A proxy that speaks TLS to both sides, or to neither."""
        upstream = f'tls = {{ ca_file = "{self.authority}" }}\n' if self.tls else ""
        upstream += 'protocol = "h2"\n' if self.http2_server else ""
        return self.serve(server, tls=self.tls, upstream=upstream, **parts)

    def url(self, path, proxy=None):
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{(proxy or self.proxy).address[1]}{path}"

    def open(self, path="/echo", client=None, proxy=None, **options):
        """A client's socket, and what it was told at its opening."""
        self.opened += 1
        name = f"{self.id()} {self.opened}"
        client = client or self.client
        client.tell("open", id=name, url=self.url(path, proxy), **options)
        return name, client.wait("open", id=name)

    def chat(self, **options):
        """Both ends of one socket: the client's name of it, the server's, and what each was told."""
        name, seen = self.open("/chat", **options)
        accepted = self.server.wait("open")
        return name, accepted["id"], seen, accepted

    def test_messages_of_every_size_are_echoed(self):
        name, _ = self.open()
        for size in SIZES:
            for binary, data in ((True, pattern(size)), (False, text_pattern(size))):
                self.client.tell("send", id=name, size=size, binary=binary)
                echo = self.client.wait("message", id=name)
                self.assertEqual((echo["size"], echo["binary"], echo["sha256"]), (size, binary, digest(data)))

    def test_fragments_are_one_message(self):
        name, _ = self.open()
        for size, fragments in ((10, 3), (300_000, 7)):
            self.client.tell("send", id=name, size=size, fragments=fragments)
            self.assertEqual(self.client.wait("message", id=name)["sha256"], digest(pattern(size)))

    def test_ping_and_pong_go_both_ways(self):
        name, accepted, _, _ = self.chat()
        for speaker, listener, mine, other in ((self.client, self.server, name, accepted), (self.server, self.client, accepted, name)):
            speaker.tell("ping", id=mine, text="are you there")
            self.assertEqual(listener.wait("ping", id=other)["text"], "are you there")
            self.assertEqual(speaker.wait("pong", id=mine)["text"], "are you there")

    def test_who_closes_tells_why(self):
        for end in ("client", "server"):
            name, accepted, _, _ = self.chat()
            speaker, mine = (self.client, name) if end == "client" else (self.server, accepted)
            speaker.tell("close", id=mine, code=4321, reason="enough of this")
            for peer, its, over_http2 in ((self.client, name, self.http2), (self.server, accepted, self.http2_server)):
                seen = peer.wait("close", id=its)
                # Over a stream of Node's, ws may miss the answer to its own word, with nobody in between.
                if peer is not speaker or not over_http2:
                    self.assertEqual((seen["code"], seen["reason"]), (4321, "enough of this"), f"{end} closes, {peer.script} sees")
            if not self.http2_server:
                self.assertEqual(self.client.reported("error", id=name), [], f"{end} closes")

    def test_the_subprotocol_is_the_servers_choice(self):
        _, _, seen, accepted = self.chat(protocols=["chat.v1", "chat.v2"])
        self.assertEqual(seen["protocol"], "chat.v2")
        self.assertEqual(accepted["headers"]["sec-websocket-protocol"].replace(" ", ""), "chat.v1,chat.v2")

    def test_a_refused_handshake_is_an_answer(self):
        for status in (401, 403, 404):
            self.client.tell("open", id=f"refused {status}", url=self.url(f"/refuse/{status}"))
            seen = self.client.wait("refused", id=f"refused {status}")
            self.assertEqual((seen["status"], seen["body"], seen["headers"]["x-why"]), (status, f"no entry: {status}", "test"))

    def test_a_backend_that_dies_ends_the_tunnel(self):
        server = self.start(self.new_server())
        proxy = self.door(server)
        name, _ = self.open("/chat", proxy=proxy)
        server.wait("open")
        server.kill()
        self.assertEqual(self.client.wait("close", id=name)["code"], 1006)

    def test_a_client_that_vanishes_ends_the_tunnel(self):
        client = self.start(Node("websocket_client.js", ca=str(self.authority), http2=self.http2))
        _, accepted, _, _ = self.chat(client=client)
        client.kill()
        self.assertEqual(self.server.wait("close", id=accepted)["code"], 1006)

    def test_a_message_right_before_a_half_close_is_answered(self):
        name, _ = self.open()
        self.client.tell("send", id=name, size=100_000)
        self.client.tell("half_close", id=name)
        self.assertEqual(self.client.wait("message", id=name)["sha256"], digest(pattern(100_000)))
        self.client.wait("close", id=name)

    def test_a_silent_tunnel_ends_and_one_with_traffic_stays(self):
        proxy = self.door(self.server, extra='[client]\ntunnel_timeout = "1s"\n')
        chatty, _ = self.open(proxy=proxy)
        self.client.tell("chatter", id=chatty, every=50)
        silent, _ = self.open(proxy=proxy)
        self.client.wait("close", id=silent)
        self.client.tell("send", id=chatty, text="still here")
        self.assertEqual(self.client.wait("message", id=chatty)["text"], "still here")

    def test_a_tunnel_outlives_the_drain_while_it_is_used(self):
        name, accepted, _, _ = self.chat()
        self.proxy.signal(signal.SIGTERM)
        until(lambda: "draining" in self.proxy.log(), "draining")
        self.client.tell("send", id=name, text="under way")
        self.assertEqual(self.server.wait("message", id=accepted)["text"], "under way")
        self.client.tell("close", id=name, code=1000, reason="")
        self.server.wait("close", id=accepted, code=1000)
        self.assertEqual(self.proxy.wait(), 0)

    def test_a_thousand_at_once(self):
        before = resident(self.proxy)
        crowd = self.start(Node("websocket_crowd.js", count=1000, url=self.url("/echo"), ca=str(self.authority), http2=self.http2))
        crowd.wait("all_open")
        for number in range(3):
            crowd.tell("round", number=number)
            crowd.wait("all_echoed")
        self.assertEqual(crowd.reported("error"), [])
        if not os.environ.get("RPROXY_SANITIZE"):
            self.assertLess((resident(self.proxy) - before) / 1000, self.bytes_per_tunnel)


class OverHttp1(WebSockets, PeerTest):
    def test_compression_is_negotiated_end_to_end(self):
        name, accepted, seen, told = self.chat(deflate=True)
        self.assertIn("permessage-deflate", seen["extensions"])
        self.assertEqual(seen["extensions"], told["extensions"])
        self.client.tell("send", id=name, size=1 << 20)
        self.assertEqual(self.server.wait("message", id=accepted)["sha256"], digest(pattern(1 << 20)))
        # What the server read from the wire, then: compressed by the client, and by nobody in between restored.
        self.server.tell("wire", id=accepted)
        self.assertLess(self.server.wait("wire", id=accepted)["read"], 100_000)


class OverTls(WebSockets, PeerTest):
    tls, bytes_per_tunnel = True, 100_000


class OverHttp2(WebSockets, PeerTest):
    """By extended CONNECT (RFC 8441), to a server that speaks HTTP/1.1."""

    http2 = True


class OverHttp2AndTls(WebSockets, PeerTest):
    http2, tls, bytes_per_tunnel = True, True, 100_000


class Http1ToHttp2(WebSockets, PeerTest):
    http2_server = True


class Http2ToHttp2OverTls(WebSockets, PeerTest):
    http2, http2_server, tls, bytes_per_tunnel = True, True, True, 100_000


def resident(proxy):
    """Bytes of memory."""
    return int(pathlib.Path(f"/proc/{proxy.process.pid}/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    unittest.main()
