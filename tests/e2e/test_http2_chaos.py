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
METHODS = (b"GET", b"POST", b"HEAD", b"PUT", b"BREW")
FIELDS = ((b"expect", b"100-continue"), (b"te", b"trailers"), (b"cookie", b"a"), (b"cookie", b"b"), (b"priority", b"u=0, i"),
          (b"range", b"bytes=0-1"), (b"x-large", b"a" * 300), (b"content-type", b"application/grpc"))
ODD_METHODS = (*METHODS, b"CONNECT", b"OPTIONS", b"", b"A B")
ODD_FIELDS = (*FIELDS, (b"content-length", b"4"), (b"content-length", b"0"), (b"x-upper", b"\xff"), (b"connection", b"close"),
              (b":protocol", b"websocket"), (b"X", b"y"), (b"upgrade", b"websocket"), (b"sec-websocket-version", b"13"), (b"host", b"b"))


class Chaos:
    """A client without a plan, though most of what it does is allowed; else every connection would end at once."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.next, self.open, self.ended = 1, [], []
        self.owed = set()  # streams whose answer must come
        self.malice = self.random.choice((0.0, 0.0, 0.01, 0.1))
        self.whole = [step for case in all_cases(target) for step in case.send if isinstance(step, bytes)]

    def block(self, path):
        choose = self.random
        odd = choose.random() < self.malice * 3
        fields = target.fields(*choose.sample(ODD_FIELDS if odd else FIELDS, choose.choice((0, 0, 1, 2))),
                               method=choose.choice(ODD_METHODS if odd else METHODS), path=path)
        if odd:
            choose.shuffle(fields)
        return hpack.block(fields, choose.choice((hpack.INDEX, hpack.PLAIN, hpack.NEVER)), choose.random() < 0.5)

    def request(self):
        number, self.next = self.next, self.next + self.random.choice((2, 2, 2, 4))
        path, flags = self.random.choice(PATHS), self.random.choice((h2.WHOLE, h2.END_HEADERS))
        block = self.block(path)
        if path not in (b"/held", b"/stall"):
            self.owed.add(number)
        (self.ended if flags == h2.WHOLE else self.open).append(number)
        if self.random.random() < 0.8:
            return h2.headers(number, block, flags, padding=self.random.choice((None, b"\0" * 3)))
        cut = self.random.randrange(len(block))
        return h2.headers(number, block[:cut], flags & h2.END_STREAM) + h2.continuation(number, block[cut:])

    def end(self, stream):
        self.open.remove(stream)
        self.ended.append(stream)

    def content(self):
        """Within no window but the first, mostly."""
        choose, stream = self.random, self.random.choice(self.open)
        raw = h2.data(stream, b"x" * choose.choice((0, 1, 4, 100, 2000)), choose.choice((0, 0, h2.END_STREAM)),
                      choose.choice((None, None, b"", b"\0" * 9)))
        if raw[4] & h2.END_STREAM:
            self.end(stream)
        return raw

    def trailers(self):
        stream = self.random.choice(self.open)
        self.end(stream)
        return h2.headers(stream, hpack.literal(b"x-trailer", b"1"))

    def cancel(self):
        stream = self.random.choice(self.open + self.ended)
        self.owed.discard(stream)
        if stream in self.open:
            self.end(stream)
        return h2.rst_stream(stream, self.random.randrange(15))

    def control(self):
        choose, stream = self.random, self.random.choice((0, *self.open, *self.ended))
        key, value = choose.choice(((h2.INITIAL_WINDOW_SIZE, choose.choice((0, 1, 100, 65535, 1 << 20))), (h2.HEADER_TABLE_SIZE, 0),
                                    (h2.HEADER_TABLE_SIZE, 4096), (h2.MAX_FRAME_SIZE, choose.choice((16384, 1 << 20)))))
        return choose.choice((h2.window_update(stream, choose.choice((1, 10, 1000, 100_000))), h2.ping(), h2.settings((key, value)),
                              h2.priority(stream or 1), h2.priority_update(stream or 1, b"u=%d" % choose.randrange(9)),
                              h2.frame(0xee, choose.randrange(256), stream, choose.randbytes(choose.randrange(40)))))

    def mischief(self):
        """What a case sends on purpose, out of place; and what is no frame any more."""
        choose = self.random
        raw = choose.choice((*self.whole, h2.frame(choose.randrange(20), choose.randrange(256), choose.randrange(99), choose.randbytes(
            choose.randrange(40))), h2.goaway(0, choose.randrange(15))))
        at = choose.randrange(len(raw) + 1)
        return raw if choose.random() < 0.5 else raw[:at] + choose.randbytes(1) + raw[at + 1:]

    def piece(self):
        if self.random.random() < self.malice:
            return self.mischief()
        some = [self.request, self.control]
        some += [self.content, self.content, self.trailers] if self.open else []
        some += [self.cancel] if self.open or self.ended else []
        return self.random.choice(some)()

    def run(self, scene):
        """Until the server has had enough of it, or it leaves: by a close, or in the middle of something."""
        windows = self.random.choice(((), (), ((h2.INITIAL_WINDOW_SIZE, 0),), ((h2.INITIAL_WINDOW_SIZE, 1),)))
        with Peer(scene.proxy.address, settings=windows, limit=10, rude=self.random.random() < 0.2) as peer:
            for _ in range(self.random.choice((3, 10, 30, 100))):
                peer.send(b"".join(self.piece() for _ in range(self.random.choice((1, 1, 2, 8)))), note=False)
                peer.receive(self.random.choice((0, 0, 0, 0.001, 0.01)))
                if ended(peer):
                    break
            return "" if self.malice or peer.rude else self.settle(peer)

    def settle(self, peer):
        """Who has done nothing wrong gets all that it has asked for, or is told that it does not."""
        peer.send(h2.settings((h2.INITIAL_WINDOW_SIZE, 1 << 20)) + h2.window_update(0, 1 << 30))
        for stream in sorted(self.owed & set(self.ended)):
            if not peer.wait(lambda f, s=stream: f.stream == s and (
                    f.kind == h2.RST_STREAM or f.kind in (h2.HEADERS, h2.DATA) and f.has(h2.END_STREAM))):
                return f"no response on {stream}; {[str(f) for f in peer.frames if f.stream in (0, stream)][-20:]}, {peer.closed or 'open'}"
        return "" if not ended(peer) else f"{peer.goaway()}"


class Random(TestCase):
    def test_frames_at_random(self):
        scene = Scene(self)
        for seed in range(SEED, SEED + RUNS):
            with self.subTest(seed):
                try:
                    fault = Chaos(seed).run(scene)
                except hpack.HpackError as error:
                    fault = f"a response that can't be decoded: {error}"
                self.assertEqual(fault, "")
                self.assertIsNone(scene.proxy.process.poll(), scene.proxy.log()[-3000:])
        until(lambda: scene.backend.in_flight == 0, "the backend to be left alone")
        with scene.connect() as peer:
            peer.send(target.get())
            self.assertEqual(peer.response(1).status, 200)


if __name__ == "__main__":
    unittest.main()
