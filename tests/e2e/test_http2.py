"""Every message through the proxy, from each version of HTTP to each, between clients and servers of Node."""

import itertools
import json
import signal
import unittest

from harness import until
from peers import HttpTest, digest, pattern


class Exchanges:
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.peer = cls.enterClassContext(cls.new_client(cls.enterClassContext(cls.new_front())))
        cls.numbers = itertools.count()

    def ask(self, path, peer=None, **order):
        """One request; gives the response's head and its end as one."""
        peer = peer or self.peer
        number = next(self.numbers)
        peer.tell("ask", id=number, path=path, **order)
        return {**peer.wait("head", id=number), **peer.wait("end", id=number)}

    def seen(self, **order):
        """What the server saw of a request."""
        return json.loads(self.ask("/seen", **order)["text"])

    def test_content_of_every_size_arrives(self):
        for size in (0, 1, 16383, 16384, 16385, 65535, 65536, 1 << 20):
            answer = self.ask(f"/bytes?size={size}")
            self.assertEqual((answer["status"], answer["size"], answer["sha256"]), (200, size, digest(pattern(size))))
            self.assertEqual(answer["headers"]["content-length"], str(size))

    def test_large_content_goes_both_ways_at_once(self):
        size = 64 << 20
        answer = self.ask("/echo", method="POST", size=size)
        self.assertEqual((answer["size"], answer["sha256"]), (size, digest(pattern(size))))

    def test_a_declared_length_arrives(self):
        seen = self.seen(method="PUT", size=70_000, headers={"content-length": "70000"})
        self.assertEqual((seen["size"], seen["sha256"], seen["headers"]["content-length"]), (70_000, digest(pattern(70_000)), "70000"))

    def test_the_server_sees_its_own_version(self):
        seen = self.seen()
        self.assertEqual(seen["version"], "2.0" if self.http2_server else "1.1")
        self.assertEqual(seen["headers"]["x-forwarded-proto"], "https" if self.tls else "http")

    def test_trailers_go_both_ways(self):
        answer = self.ask("/trailers", headers={"te": "trailers"})
        self.assertEqual((answer["text"], answer["trailers"].get("x-checksum")), ("with trailers", "cafe"))
        seen = self.seen(method="POST", text="x" * 1000, trailers={"x-sum": "beef"}, headers={"trailer": "x-sum"})
        self.assertEqual((seen["size"], seen["trailers"].get("x-sum")), (1000, "beef"))

    def test_early_hints_come_before_the_answer(self):
        answer = self.ask("/hints")
        hint = self.peer.wait("interim", id=answer["id"])
        self.assertEqual((hint["status"], hint["headers"]["link"]), (103, "</style.css>; rel=preload; as=style"))
        self.assertEqual((answer["status"], answer["text"]), (200, "hinted"))

    def test_head_has_a_length_and_no_content(self):
        answer = self.ask("/bytes?size=4711", method="HEAD")
        self.assertEqual((answer["status"], answer["headers"]["content-length"], answer["size"]), (200, "4711", 0))

    def test_statuses_without_content(self):
        for status in (204, 304):
            answer = self.ask(f"/status?code={status}")
            self.assertEqual((answer["status"], answer["size"], answer["headers"]["etag"]), (status, 0, '"1"'))

    def test_cookies(self):
        crumbs = ["a=1", "b=2", "c=3"]
        self.assertEqual(self.seen(headers={"cookie": crumbs if self.http2 else "; ".join(crumbs)})["headers"]["cookie"], "a=1; b=2; c=3")
        self.assertEqual(self.ask("/cookies")["headers"]["set-cookie"], ["a=1; Path=/", "b=2; HttpOnly"])

    def test_hundred_at_once_twenty_times(self):
        self.peer.tell("burst", rounds=20, parallel=100)
        burst = self.peer.wait("burst")
        self.assertEqual((burst["right"], burst["wrong"]), (2000, []))
        self.assertEqual(self.peer.reported("push"), [])

    def test_a_drain_ends_what_is_under_way_and_then_the_proxy(self):
        peer, proxy = self.door()
        peer.tell("ask", id="last", path="/held/last")
        last = self.server.wait("request", url="/held/last")
        proxy.signal(signal.SIGTERM)
        until(lambda: "draining" in proxy.log(), "draining")
        if self.http2:
            self.assertEqual(peer.wait("goaway")["code"], 0)
        self.server.tell("write", id=last["id"], text="the last ")
        self.server.tell("finish", id=last["id"], text="words")
        self.assertEqual(peer.wait("end", id="last")["text"], "the last words")
        self.assertEqual(proxy.wait(), 0)


class FromHttp2:
    """What only a client of HTTP/2 can see."""

    def test_a_stream_that_nobody_reads_holds_up_no_other(self):
        size = 16 << 20
        self.peer.tell("ask", id="unread", path=f"/bytes?size={size}", paused=True)
        self.peer.wait("head", id="unread")
        for _ in range(50):
            self.assertEqual(self.ask("/bytes?size=100000")["sha256"], digest(pattern(100_000)))
        self.peer.tell("resume", id="unread")
        self.assertEqual(self.peer.wait("end", id="unread")["sha256"], digest(pattern(size)))


class ToHttp2:
    """What only a server of HTTP/2 can do."""

    def test_a_server_that_goes_away_is_followed(self):
        for _ in range(10):
            self.peer.tell("burst", rounds=2, parallel=10)
            self.server.tell("goaway")
            self.assertEqual(self.peer.wait("burst")["wrong"], [])

    def test_a_refused_stream_is_tried_elsewhere(self):
        other = self.start(self.new_server())
        other.tell("refuse", on=True)
        peer, _ = self.door(self.server, other, upstream='balance = "round_robin"\nejection = false\n')
        for size in (0, 1, 60_000) * 4:
            content = {"method": "POST", "size": size, "trailers": {"x-sum": str(size)}} if size else {}
            answer = self.ask("/refuse", peer, **content)
            self.assertEqual(answer["text"], f"taken {digest(pattern(size))} {size or 'undefined'}")
        self.assertTrue(other.reported("refuse"))

    def test_a_reset_in_mid_content_is_seen_by_the_client(self):
        self.peer.tell("ask", id="cut", path="/held/cut", live=True)
        cut = self.server.wait("request", url="/held/cut")
        self.server.tell("write", id=cut["id"], text="half")
        self.assertEqual(self.peer.wait("data", id="cut")["text"], "half")
        self.server.tell("reset", id=cut["id"])
        self.peer.wait("error", id="cut")
        self.assertEqual(self.ask("/name")["status"], 200)


class Http1ToHttp1(Exchanges, HttpTest):
    """What the others are held against."""


class Http2ToHttp1(Exchanges, FromHttp2, HttpTest):
    http2 = True


class Http2ToHttp1OverTls(Exchanges, FromHttp2, HttpTest):
    http2, tls, tls_server = True, True, True


class Http1ToHttp2(Exchanges, ToHttp2, HttpTest):
    http2_server = True


class Http1ToHttp2OverTls(Exchanges, ToHttp2, HttpTest):
    http2_server, tls, tls_server = True, True, True


class Http2ToHttp2(Exchanges, FromHttp2, ToHttp2, HttpTest):
    http2, http2_server = True, True


class Http2ToHttp2OverTls(Exchanges, FromHttp2, ToHttp2, HttpTest):
    http2, http2_server, tls, tls_server = True, True, True, True


class Http2ToHttp2BehindTls(Exchanges, FromHttp2, ToHttp2, HttpTest):
    """Where TLS ends at the proxy."""

    http2, http2_server, tls = True, True, True



if __name__ == "__main__":
    unittest.main()
