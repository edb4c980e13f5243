"""HTTP/2 frames at random, good and broken, in any order and cut anywhere: the proxy lives, forgets nobody and serves the next.

RPROXY_CHAOS_SEED=N begins with that seed, RPROXY_CHAOS_RUNS=N does as many."""

import os
import random
import unittest

import http2_frames as h2
import http2_hpack as hpack
from harness import TestCase, until
from http2_abuse import Scene, ended, target
from http2_cases import all_cases
from http2_peer import Peer

SEED = int(os.environ.get("RPROXY_CHAOS_SEED", 1))
RUNS = int(os.environ.get("RPROXY_CHAOS_RUNS", 150))
PATHS = (b"/", b"/held", b"/large", b"/echo", b"/trailers", b"/none", b"/interim", b"/innocent", b"/chunked", b"/early", b"/stall")
METHODS = (b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"BREW")
FIELDS = ((b"content-length", b"4"), (b"content-length", b"0"), (b"expect", b"100-continue"), (b"te", b"trailers"), (b"cookie", b"a"),
          (b"x-upper", b"\xff"), (b"connection", b"close"), (b":protocol", b"websocket"), (b"priority", b"u=0, i"), (b"X", b"y"),
          (b"upgrade", b"websocket"), (b"sec-websocket-version", b"13"), (b"range", b"bytes=0-1"))


class Chaos:
    """A client without a plan. What a case sends on purpose it sends out of place."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.next = 1
        self.whole = [step for case in all_cases(target) for step in case.send if isinstance(step, bytes)]

    def stream(self):
        """Mostly one that is there."""
        return self.random.choice((1, max(1, self.next - 2), max(1, self.next - 4), self.next, 0, 2, self.random.randrange(1, 99)))

    def block(self):
        choose = self.random
        fields = target.fields(*choose.sample(FIELDS, choose.choice((0, 0, 0, 1, 2))), method=choose.choice(METHODS),
                               path=choose.choice(PATHS))
        if choose.random() < 0.05:
            choose.shuffle(fields)
        return hpack.block(fields, choose.choice((hpack.INDEX, hpack.PLAIN, hpack.NEVER)), choose.random() < 0.5)

    def request(self):
        number, self.next = self.next, self.next + 2
        block, flags = self.block(), self.random.choice((h2.WHOLE, h2.END_HEADERS, h2.END_HEADERS))
        if self.random.random() < 0.8:
            return h2.headers(number, block, flags)
        cut = self.random.randrange(len(block))
        return h2.headers(number, block[:cut], flags & h2.END_STREAM) + h2.continuation(number, block[cut:])

    def control(self):
        choose, stream = self.random, self.stream()
        return choose.choice((
            h2.rst_stream(stream, choose.randrange(15)), h2.window_update(stream, choose.choice((0, 1, 1000, 1 << 20, h2.MAX_WINDOW))),
            h2.priority(stream, choose.randrange(9)), h2.priority_update(stream, b"u=%d" % choose.randrange(9)), h2.ping(),
            h2.settings((choose.randrange(10), choose.choice((0, 1, 100, 16384, 65535, 1 << 20, h2.MAX_WINDOW)))),
            h2.settings(flags=h2.ACK), h2.goaway(0, choose.randrange(15)), h2.frame(choose.randrange(256), choose.randrange(256), stream,
                                                                                  choose.randbytes(choose.randrange(40)))))

    def content(self):
        choose = self.random
        padding = choose.choice((None, None, b"", b"\0" * 9))
        return h2.data(self.stream(), b"x" * choose.choice((0, 1, 4, 100, 16000)), choose.choice((0, 0, h2.END_STREAM)), padding)

    def trailers(self):
        return h2.headers(self.stream(), hpack.literal(b"x-trailer", b"1"), self.random.choice((h2.WHOLE, h2.END_HEADERS)))

    def piece(self):
        kind = self.random.random()
        make = self.request if kind < 0.4 else self.content if kind < 0.6 else self.control if kind < 0.9 else self.trailers
        raw = make() if kind < 0.95 else self.random.choice(self.whole)
        if self.random.random() < 0.02:
            at = self.random.randrange(len(raw) + 1)
            raw = raw[:at] + self.random.randbytes(1) + raw[at + 1:]
        return raw

    def run(self, scene):
        """Until the server has had enough of it, or it leaves: by a close, or in the middle of something."""
        windows = self.random.choice(((), (), ((h2.INITIAL_WINDOW_SIZE, 0),), ((h2.INITIAL_WINDOW_SIZE, 1),)))
        with Peer(scene.proxy.address, settings=windows, limit=2, rude=self.random.random() < 0.2) as peer:
            for _ in range(self.random.choice((3, 10, 30, 100))):
                peer.send(b"".join(self.piece() for _ in range(self.random.choice((1, 1, 2, 8)))), note=False)
                peer.receive(self.random.choice((0, 0, 0, 0.001, 0.01)))
                if ended(peer):
                    break


class Random(TestCase):
    def test_frames_at_random(self):
        scene = Scene(self)
        for seed in range(SEED, SEED + RUNS):
            with self.subTest(seed):
                try:
                    Chaos(seed).run(scene)
                except hpack.HpackError as error:
                    self.fail(f"a response that can't be decoded: {error}")
                self.assertIsNone(scene.proxy.process.poll(), scene.proxy.log()[-3000:])
        until(lambda: scene.backend.in_flight == 0, "the backend to be left alone")
        with scene.connect() as peer:
            peer.send(target.get())
            self.assertEqual(peer.response(1).status, 200)


if __name__ == "__main__":
    unittest.main()
