"""Streams that share a connection of HTTP/2: whose turn it is (RFC 9218), and what is held for those that nobody reads."""

import contextlib
import socket
import threading
import unittest

import http2_frames as h2
from harness import LIMIT, Backend, Proxy, TestCase, ok, until
from http2_abuse import KEPT, Watch, target
from http2_peer import Peer

CONFIG = """
access_log = "off"
[[listeners]]
address = "127.0.0.1:0"
protocols = ["h2"]
[server]
workers = 1
[upstreams.app]
servers = ["{backend}"]
connect_timeout = "60s"
[[routes]]
match = "*"
upstream = "app"
[[routes]]
match = "*/innocent"
respond = {{ status = 200, body = "fine" }}
"""
LARGE = 1 << 20
STEP = 20_000
STREAM_WINDOW = 128 << 10


class Turns(TestCase):
    def setUp(self):
        self.sent = threading.Semaphore(0)
        self.backend = self.start(Backend(self.answer))
        self.proxy = self.start(Proxy(CONFIG.format(backend=self.backend.name)))
        self.peer = self.start(Peer(self.proxy.address, settings=((h2.INITIAL_WINDOW_SIZE, h2.MAX_WINDOW),)))

    def answer(self, peer):
        """A megabyte; to "/as/x" with the priority x."""
        while (request := peer.reader.request()) is not None:
            path = request.start_line.split(" ")[1]
            peer.send(ok(b"x" * LARGE, f"Priority: {path[4:]}\r\n" if path.startswith("/as/") else ""))
            self.sent.release()

    def shares(self, first, second, update=b"", told=""):
        """How much of each there is when one of two answers, of these priorities, is whole. All of both is at hand before the window, which
        is the connection's, opens bit by bit."""
        peer = self.peer
        path = f"/as/{told}".encode() if told else b"/"
        peer.send(target.get(1, (b"priority", first), path=path) + target.get(3, (b"priority", second)))
        for _ in range(2):
            self.assertTrue(self.sent.acquire(timeout=LIMIT))
        self.assertTrue(peer.wait(lambda _: sum(len(peer.content(n)) for n in (1, 3)) == h2.DEFAULT_WINDOW))
        before = [len(peer.content(n)) for n in (1, 3)]
        peer.send(update)
        while not any(f.has(h2.END_STREAM) for f in peer.frames if f.kind == h2.DATA):
            total, start = sum(len(peer.content(n)) for n in (1, 3)), len(peer.frames)
            peer.send(h2.window_update(0, STEP), note=False)
            whole = min(total + STEP, 2 * LARGE)
            self.assertTrue(peer.wait(lambda f, w=whole: f.has(h2.END_STREAM) or sum(
                len(peer.content(n)) for n in (1, 3)) >= w, since=start))
        return [len(peer.content(n)) - had for n, had in zip((1, 3), before)]

    def test_the_more_urgent_comes_first(self):
        lazy, urgent = self.shares(b"u=7", b"u=0")
        self.assertLess(lazy, LARGE // 10)
        self.assertGreater(urgent, LARGE - h2.DEFAULT_WINDOW - 1)

    def test_incremental_ones_share(self):
        shares = self.shares(b"u=3, i", b"u=3, i")
        self.assertGreater(min(shares), LARGE // 2)

    def test_an_update_is_heard_in_flight(self):
        first, second = self.shares(b"u=1", b"u=5", update=h2.priority_update(3, b"u=0"))
        self.assertLess(first, LARGE // 10)
        self.assertGreater(second, LARGE - h2.DEFAULT_WINDOW - 1)

    def test_the_servers_word_counts(self):
        first, second = self.shares(b"u=0", b"u=3", told="u=7")
        self.assertLess(first, LARGE // 10)
        self.assertGreater(second, LARGE - h2.DEFAULT_WINDOW - 1)


class Uploads(TestCase):
    @contextlib.contextmanager
    def nobody(self):
        """An address that takes connections as little as it refuses them."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as stack:
            for _ in range(4):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(listener.getsockname())
            yield f"127.0.0.1:{listener.getsockname()[1]}"

    def test_what_nobody_reads_is_held_within_the_windows_and_stalls_no_other(self):
        proxy = self.start(Proxy(CONFIG.format(backend=self.start(self.nobody()))))
        peer = self.start(Peer(proxy.address))
        self.assertEqual(peer.server_settings()[h2.INITIAL_WINDOW_SIZE], STREAM_WINDOW)
        streams = range(1, 199, 2)
        with Watch(proxy.process.pid) as watch:
            peer.send(b"".join(target.post(stream) for stream in streams))
            sent = 0
            for stream in streams:
                for _ in range(STREAM_WINDOW // h2.DEFAULT_FRAME):
                    sent += h2.DEFAULT_FRAME
                    self.assertTrue(self.has_window(peer, sent), "the connection's window is used up")
                    peer.send(h2.data(stream, b"x" * h2.DEFAULT_FRAME), note=False)
            peer.send(target.get(199, path=b"/innocent"))
            self.assertEqual(peer.response(199).status, 200)
            self.assertIsNone(peer.goaway())
            grown = watch.memory() - watch.before
        self.assertGreater(grown, 0.8 * sent)
        self.assertLess(grown, 1.3 * sent + (8 << 20) + KEPT)

    @staticmethod
    def has_window(peer, sent):
        def credit():
            return h2.DEFAULT_WINDOW + sum(int.from_bytes(f.payload, "big") for f in peer.frames
                                           if f.kind == h2.WINDOW_UPDATE and f.stream == 0)

        while credit() < sent:
            if not peer.wait_kind(h2.WINDOW_UPDATE, 0, since=len(peer.frames)):
                return False
        return True


if __name__ == "__main__":
    unittest.main()
