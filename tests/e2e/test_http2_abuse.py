"""Floods and bombs over HTTP/2: the attacker is sent away, and nobody else notices.

RPROXY_ABUSE_FIGURES=1 prints what each attack cost."""

import dataclasses
import time
import typing
import unittest

import http2_frames as h2
import http2_hpack as hpack
from harness import TestCase, until
from http2_abuse import Scene, ended, flood, outcome, target

CALM = "ENHANCE_YOUR_CALM"
HELD = target.block(path=b"/held")
HELD_POST = target.block(path=b"/held", method=b"POST")
UPPER = hpack.literal(b"UPPER", b"x")


def stream(number):
    return 2 * number + 1


def get(number, flags=h2.WHOLE):
    return h2.headers(stream(number), HELD, flags)


def post(number):
    return h2.headers(stream(number), HELD_POST, h2.END_HEADERS)


@dataclasses.dataclass
class Flood:
    name: str
    each: typing.Callable  # of a number
    first: bytes = b""
    ends: tuple = (CALM,)
    count: int = 30_000
    settings: tuple = ()
    total: int = 500  # requests that reach a backend
    told: bool = True  # in the log
    rude: bool = False  # reads nothing of what is answered
    memory: int = 16 << 20
    paced: bool = False  # so that no more than 50 streams are open at once


FLOODS = (
    # CVE-2023-44487, and what came of it.
    Flood("rapid reset", lambda n: get(n) + h2.rst_stream(stream(n))),
    Flood("rapid reset of uploads", lambda n: post(n) + h2.data(stream(n), b"x") + h2.rst_stream(stream(n))),
    Flood("rapid reset, one request late", lambda n: get(n) + (h2.rst_stream(stream(n - 1)) if n else b"")),
    Flood("rapid reset, many requests late", lambda n: get(n) + (h2.rst_stream(stream(n - 90)) if n >= 90 else b"")),
    # CVE-2025-8671: the server is brought to reset the stream itself.
    Flood("resets by WINDOW_UPDATE of 0", lambda n: post(n) + h2.window_update(stream(n), 0), ends=(CALM, "PROTOCOL_ERROR"),
          paced=True, told=False),
    Flood("resets by a window too large", lambda n: post(n) + h2.window_update(stream(n), h2.MAX_WINDOW) * 2,
          ends=(CALM, "FLOW_CONTROL_ERROR"), paced=True, told=False),
    Flood("resets by DATA after the end", lambda n: get(n) + h2.data(stream(n), b"x"), ends=(CALM, "STREAM_CLOSED"), told=False),
    Flood("resets by HEADERS after the end", lambda n: get(n) + get(n), ends=(CALM, "STREAM_CLOSED", "PROTOCOL_ERROR"), told=False),
    Flood("resets by a content-length that is wrong", lambda n: target.post(stream(n), (b"content-length", b"1"), path=b"/held")
          + h2.data(stream(n), b"test", h2.END_STREAM), paced=True),
    Flood("resets by PRIORITY of wrong length", lambda n: post(n) + h2.frame(h2.PRIORITY, 0, stream(n), b"abcd"),
          ends=(CALM, "FRAME_SIZE_ERROR"), told=False),
    Flood("malformed requests", lambda n: h2.headers(stream(n), HELD + UPPER), total=0, paced=True),
    Flood("requests without a field", lambda n: h2.headers(stream(n)), total=0, paced=True),
    Flood("requests over the limit of streams", post, ends=(CALM, "PROTOCOL_ERROR", "REFUSED_STREAM"), total=110, told=False),
    # CVE-2024-27316.
    Flood("CONTINUATION without end", lambda n: h2.continuation(1, hpack.literal(b"x-%d" % n, b"a" * 100), 0),
          h2.headers(1, HELD, h2.END_STREAM), total=0),
    Flood("empty CONTINUATION without end", lambda n: h2.continuation(1, b"", 0), h2.headers(1, HELD, h2.END_STREAM), total=0),
    Flood("CONTINUATION of a malformed request without end", lambda n: h2.continuation(1, b"\x00\x01a\x01b" * 100, 0),
          h2.headers(1, UPPER, h2.END_STREAM), total=0),
    # CVE-2019-9512 to 9518.
    Flood("PING", lambda n: h2.ping(), total=0),
    Flood("PING whose answers nobody reads", lambda n: h2.ping(), total=0, rude=True),
    Flood("PING that acknowledges", lambda n: h2.ping(flags=h2.ACK), total=0),
    Flood("SETTINGS", lambda n: h2.settings(), total=0),
    Flood("SETTINGS whose acknowledgements nobody reads", lambda n: h2.settings(), total=0, rude=True),
    Flood("SETTINGS that changes the window of open streams", lambda n: h2.settings((h2.INITIAL_WINDOW_SIZE, n % 2)),
          b"".join(get(n) for n in range(90)), total=90),
    Flood("SETTINGS of many entries", lambda n: h2.settings(*[(h2.INITIAL_WINDOW_SIZE, n + at) for at in range(2700)]), count=300, total=0,
          told=False),
    Flood("SETTINGS that changes the table", lambda n: h2.settings((h2.HEADER_TABLE_SIZE, n % 2 * 4096)), total=0),
    Flood("SETTINGS that acknowledges", lambda n: h2.settings(flags=h2.ACK), ends=(CALM, "PROTOCOL_ERROR"), total=0, told=False),
    Flood("PRIORITY", lambda n: h2.priority(stream(n % 5000), on=stream(n % 4999 + 5000), exclusive=True), total=0),
    Flood("PRIORITY_UPDATE", lambda n: h2.priority_update(stream(n)), ends=(CALM, "PROTOCOL_ERROR"), total=0, told=False),
    Flood("PRIORITY_UPDATE of one stream", lambda n: h2.priority_update(1, b"u=%d" % (n % 8)), get(0), total=1),
    Flood("empty DATA", lambda n: h2.data(1), post(0), total=1),
    Flood("DATA of padding alone", lambda n: h2.data(1, b"", padding=b"\0" * 10), target.post(1), total=1),
    Flood("DATA of a closed stream", lambda n: h2.data(1, b""), get(0) + h2.rst_stream(1), ends=(CALM, "STREAM_CLOSED"), total=1, told=False),
    Flood("WINDOW_UPDATE of the connection", lambda n: h2.window_update(0, 1), total=0),
    Flood("WINDOW_UPDATE of a stream", lambda n: h2.window_update(1, 1), get(0), total=1),
    Flood("WINDOW_UPDATE of a closed stream", lambda n: h2.window_update(1, 1), get(0) + h2.rst_stream(1), total=1),
    Flood("RST_STREAM of a closed stream", lambda n: h2.rst_stream(1), get(0) + h2.rst_stream(1), total=1),
    Flood("RST_STREAM of an idle stream", lambda n: h2.rst_stream(1), ends=("PROTOCOL_ERROR",), total=0, told=False),
    Flood("unknown frames", lambda n: h2.frame(0xee, 0xff, n % 99, b"x" * 10), total=0),
    Flood("unknown frames of full size", lambda n: h2.frame(0xee, 0, 0, b"x" * 16384), count=6000, total=0),
    Flood("GOAWAY", lambda n: h2.goaway(), ends=(CALM, "closed"), total=0, told=False),
    Flood("DATA of one octet each", lambda n: h2.data(1, b"x"), target.post(1), ends=(CALM, "still open"), total=1, told=False),
)


class Floods(TestCase):
    def test_are_ended(self):
        for case in FLOODS:
            with self.subTest(case.name):
                self.run_flood(case)

    def run_flood(self, case):
        scene = Scene(self)

        def once(scene):
            with scene.connect(settings=case.settings, rude=case.rude) as peer:
                peer.send(case.first)
                taken = flood(peer, case.each, case.count, 50 if case.paced else 200, case.paced)
                peer.rude = False
                return outcome(peer, 5 if taken < case.count else 0.5), taken

        def act(scene):
            """Again and again, so that the innocent has something to wait for."""
            start, ends = time.monotonic(), []
            while time.monotonic() - start < 0.3 or not ends:
                ends.append(once(scene))
                until(lambda: scene.backend.in_flight <= 1, "the backend to be left alone")  # but by the innocent
            return ends

        ends = scene.attack(act, memory=case.memory, total=lambda ends: case.total * len(ends))
        for end, taken in ends:
            # Who reads nothing may lose the farewell.
            allowed = (*case.ends, "closed") if case.rude else case.ends
            self.assertIn("closed" if end.startswith("closed") else end, allowed, f"after {taken}")
        if case.told:
            until(lambda: "http2: closing 127.0.0.1" in scene.proxy.log(), "a word in the log")

    def test_by_many_connections_at_once(self):
        """Each has a budget of its own; together they must not cost a backend more than that."""
        scene = Scene(self)

        def act(scene):
            ends = []
            for _ in range(30):
                with scene.connect() as peer:
                    flood(peer, FLOODS[0].each, 3000)
                    ends.append(outcome(peer))
            return set(ends)

        self.assertEqual(scene.attack(act, seconds=5.0, total=lambda _: 30 * 500), {CALM})

    def test_a_busy_client_is_no_attacker(self):
        """Thousands of requests, some cancelled, with the PING and WINDOW_UPDATE frames that browsers send."""
        scene = Scene(self)

        def act(scene):
            with scene.connect(settings=((h2.INITIAL_WINDOW_SIZE, 1 << 20),)) as peer:
                peer.send(h2.window_update(0, 1 << 30))
                for number in range(1500):
                    mine = stream(number)
                    peer.send(target.get(mine) + h2.ping() + h2.window_update(mine, 1000), note=False)
                    if number % 5 == 4:
                        peer.send(h2.rst_stream(mine), note=False)
                    elif peer.response(mine) is None:
                        return f"no response on {mine}: {outcome(peer, 0.1)}"
                    peer.frames.clear()
            return ""

        self.assertEqual(scene.attack(act, seconds=30.0), "")
        self.assertNotIn("http2: closing", scene.proxy.log())

    def answer_early(self, streams, tables=""):
        """All are refused at once, while their content is on its way (RFC 9113 5.1)."""
        with Scene(self, tables=tables).connect_settled() as peer:
            peer.send(b"".join(target.post(stream(n), path=b"/innocent") for n in range(streams)))
            for n in range(streams):
                self.assertIsNotNone(peer.response(stream(n)), f"on {stream(n)}: {peer.goaway()}")
            peer.send(b"".join(h2.data(stream(n), b"late", h2.END_STREAM) for n in range(streams)))
            peer.send(target.get(stream(streams)))
            self.assertIsNotNone(peer.response(stream(streams)), f"{peer.goaway()}")

    def test_uploads_answered_early_are_no_attack(self):
        self.answer_early(100)

    def test_uploads_answered_early_are_no_attack_however_many(self):
        self.answer_early(400, "[http2]\nmax_streams = 1000\n")


def bomb(name, entry_value, uses):
    """A block that says one entry of the table again and again (CVE-2016-6581)."""
    return target.block() + hpack.literal(name, entry_value, hpack.INDEX) + hpack.indexed(62) * uses


def in_frames(number, block):
    """HEADERS and CONTINUATION, each of full size."""
    parts = [block[at:at + h2.DEFAULT_FRAME] for at in range(0, len(block), h2.DEFAULT_FRAME)]
    raw = h2.headers(stream(number), parts[0], h2.END_STREAM | (h2.END_HEADERS if len(parts) == 1 else 0))
    for part in parts[1:]:
        raw += h2.continuation(stream(number), part, h2.END_HEADERS if part is parts[-1] else 0)
    return raw


BOMBS = {
    "a large entry used again and again": bomb(b"x-bomb", b"a" * 4000, 16_000),
    "a small entry used again and again": bomb(b"x-b", b"", 16_000),
    "a large cookie's crumb used again and again": bomb(b"cookie", b"a=" + b"b" * 4000, 16_000),
    "a small cookie's crumb used again and again": bomb(b"cookie", b"a", 16_000),
    "an empty crumb used again and again": bomb(b"cookie", b"", 16_000),
    "many fields": target.block() + b"".join(hpack.literal(b"x-%d" % n, b"") for n in range(1500)),
    "a huge field": target.block() + hpack.literal(b"x-huge", b"a" * 100_000),
    "a field without end": target.block() + b"\x00\x01a" + hpack.integer(10_000_000, 7) + b"a" * 100_000,
    "Huffman codes that grow": target.block() + hpack.literal(b"x-zeros", b"0" * 40_000, hpack.PLAIN, True),
    "a long path": target.block(path=b"/" + b"a" * 60_000),
}


class Bombs(TestCase):
    def test_do_not_go_off(self):
        """What is too large is refused, or ends the connection; a hundred of each at once cost little memory, and no backend sees them."""
        for name, block in BOMBS.items():
            with self.subTest(name):
                scene = Scene(self)

                def act(scene, block=block):
                    results = set()
                    for _ in range(4):
                        with scene.connect() as peer:
                            taken = flood(peer, lambda n: in_frames(n, block), 25, batch=5)
                            results |= {f.status for f in peer.frames if f.kind == h2.HEADERS and f.status}
                            results |= {"ended"} if ended(peer) or taken < 25 else set()
                            results |= {"reset"} if any(f.kind == h2.RST_STREAM for f in peer.frames) else set()
                    return results

                results = scene.attack(act, memory=24 << 20, seconds=3.0, total=lambda _: 0)
                self.assertLessEqual(results, {431, 414, 400, "ended", "reset"})
                self.assertTrue(results)

    def test_crumbs_do_not_hide_other_fields(self):
        scene = Scene(self)
        for before in range(95, 105):
            block = target.block((b"cookie", b"a"), *[(b"y", b"")] * before, (b"cookie", b"b"), *[(b"z", b"")] * 400)
            with self.subTest(before), scene.connect() as peer:
                peer.send(h2.headers(1, block))
                self.assertEqual(peer.response(1).status, 431)


if __name__ == "__main__":
    unittest.main()
