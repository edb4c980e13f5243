"""A route's cache over real sockets: what is stored and given, who is asked, and what one client's doing means for others."""

import json
import os
import re
import socket
import subprocess
import threading
import unittest

from harness import LIMIT, Backend, Client, Proxy, TestCase, until

BINARY = os.environ["RPROXY"]
WORKERS = "[server]\nworkers = 2\n"


def answer(body=b"ok", status="200 OK", **fields):
    """Underscores in names are hyphens; a list is several lines."""
    lines = []
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            lines.append(f"{name.replace('_', '-')}: {each}\r\n")
    return f"HTTP/1.1 {status}\r\n{''.join(lines)}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Origin:
    """Answers by path; counts what it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []
        self.lock = threading.Lock()

    def script(self, peer):
        while True:
            request = peer.next_request()
            path = request.start_line.split(" ")[1]
            with self.lock:
                self.asked.append(request)
                count = sum(1 for each in self.asked if each.start_line.split(" ")[1] == path)
            made = self.answers[path.split("?")[0].strip("/").split("/")[0]]
            made = made(request, count, peer) if callable(made) else made
            if made is not None:
                peer.send(made)

    def count(self, path=None):
        with self.lock:
            return sum(1 for each in self.asked if path is None or each.start_line.split(" ")[1] == path)


class CacheTest(TestCase):
    def proxy_for(self, origin, cache="true", routes="", extra=""):
        backend = self.start(Backend(origin.script))
        return self.start(Proxy(f"""
access_log = {{ path = "stdout", flush = "100ms" }}
[listen]
http = "127.0.0.1:0"
[upstreams.app]
servers = ["{backend.name}"]
{routes}
[[routes]]
match = "*"
upstream = "app"
cache = {cache}
{WORKERS}
{extra}
"""))

    def get(self, proxy, path, headers=(), method="GET", body=b""):
        return proxy.get(path, headers=[each.split(": ", 1) for each in headers], method=method, body=body)

    def test_what_is_fresh_is_given_without_the_origin(self):
        origin = Origin(a=lambda request, count, peer: answer(f"{count}".encode(), Cache_Control="max-age=60", ETag='"1"'))
        proxy = self.proxy_for(origin)
        first, second = self.get(proxy, "/a"), self.get(proxy, "/a")
        self.assertEqual((first.body, second.body), (b"1", b"1"))
        self.assertEqual(origin.count(), 1)
        self.assertRegex(first.get("cache-status"), r"^rproxy; fwd=uri-miss; stored; ttl=60$")
        self.assertRegex(second.get("cache-status"), r"^rproxy; hit; ttl=(60|59)$")
        self.assertIn(second.get("age"), ("0", "1"))
        self.assertEqual(self.get(proxy, "/a", method="HEAD").get("content-length"), "1")
        self.assertEqual(self.get(proxy, "/a", headers=['If-None-Match: "1"']).status, 304)
        self.assertEqual(origin.count(), 1)
        until(lambda: len(proxy.access_lines(4)) >= 4, "the log")

    def test_hosts_schemes_and_queries_are_told_apart(self):
        origin = Origin(a=lambda request, count, peer: answer(request.get("host").encode(), Cache_Control="max-age=60"))
        proxy = self.proxy_for(origin)
        self.assertEqual(proxy.get("/a", host="shop.com").body, b"shop.com")
        self.assertEqual(proxy.get("/a", host="evil.com").body, b"evil.com")
        self.assertEqual(proxy.get("/a", host="SHOP.com:80").body, b"shop.com")
        proxy.get("/a?x=1")
        proxy.get("/a?x=2")
        self.assertEqual(origin.count(), 4)

    def test_what_is_private_is_never_shared(self):
        private = dict(
            priv=answer(Cache_Control="private, max-age=60"),
            nostore=answer(Cache_Control="no-store"),
            cookie=answer(Cache_Control="max-age=60", Set_Cookie="id=1"),
            vary=answer(Cache_Control="max-age=60", Vary="*"),
            auth=answer(Cache_Control="max-age=60"),
        )
        origin = Origin(**private)
        proxy = self.proxy_for(origin)
        for name in private:
            headers = ["Authorization: Basic YTpi"] if name == "auth" else []
            for _ in range(3):
                self.assertEqual(self.get(proxy, f"/{name}", headers=headers).status, 200)
            self.assertEqual(origin.count(f"/{name}"), 3, name)

    def test_a_ttl_does_not_make_private_answers_public(self):
        origin = Origin(a=answer(Cache_Control="private"), b=answer())
        proxy = self.proxy_for(origin, cache='"1h"')
        for path in ("/a", "/a", "/b", "/b"):
            self.get(proxy, path)
        self.assertEqual((origin.count("/a"), origin.count("/b")), (2, 1))

    def test_vary_keeps_variants_beside_each_other(self):
        origin = Origin(a=lambda request, count, peer: answer(request.get("accept-language", "-").encode(), Cache_Control="max-age=60",
                                                               Vary="Accept-Language"))
        proxy = self.proxy_for(origin)
        for language, expected in (("de, en", b"de, en"), ("fr", b"fr"), ("EN,de", b"de, en"), ("fr", b"fr")):
            self.assertEqual(self.get(proxy, "/a", headers=[f"Accept-Language: {language}"]).body, expected)
        self.assertEqual(origin.count(), 2)

    def test_a_herd_on_a_cold_key_is_one_fetch(self):
        release = threading.Event()

        def slow(request, count, peer):
            release.wait(LIMIT)
            return answer(b"x" * 100_000, Cache_Control="max-age=60")

        origin = Origin(a=slow)
        proxy = self.proxy_for(origin)
        clients = [self.start(Client(proxy.address)) for _ in range(1000)]
        for client in clients:
            client.send(b"GET /a HTTP/1.1\r\nHost: shop.com\r\n\r\n")
        until(lambda: origin.count() == 1, "the fetch")
        release.set()
        answers = [client.response() for client in clients]
        self.assertTrue(all(each.status == 200 and each.body == b"x" * 100_000 for each in answers))
        self.assertEqual(origin.count(), 1)

    def test_waiters_get_the_content_as_it_comes(self):
        release = threading.Event()

        def parts(request, count, peer):
            peer.send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            release.wait(LIMIT)
            return b"6\r\nsecond\r\n0\r\n\r\n"

        origin = Origin(a=parts)
        proxy = self.proxy_for(origin)
        with Client(proxy.address) as one, Client(proxy.address) as other:
            for client in (one, other):
                client.send(b"GET /a HTTP/1.1\r\nHost: shop.com\r\n\r\n")
                seen = b""
                while b"first" not in seen:
                    seen += client.socket.recv(4096)
            release.set()
            for client in (one, other):
                rest = b""
                while not rest.endswith(b"0\r\n\r\n"):
                    rest += client.socket.recv(4096)
                self.assertIn(b"second", rest)
        self.assertEqual(origin.count(), 1)
        self.assertEqual(self.get(proxy, "/a").body, b"firstsecond")

    def test_who_asked_first_may_leave(self):
        release = threading.Event()

        def slow(request, count, peer):
            release.wait(LIMIT)
            return answer(b"late", Cache_Control="max-age=60")

        origin = Origin(a=slow)
        proxy = self.proxy_for(origin)
        first = Client(proxy.address)
        first.send(b"GET /a HTTP/1.1\r\nHost: shop.com\r\n\r\n")
        until(lambda: origin.count() == 1, "the fetch")
        with Client(proxy.address) as second:
            second.send(b"GET /a HTTP/1.1\r\nHost: shop.com\r\n\r\n")
            first.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            first.close()
            release.set()
            self.assertEqual(second.response().body, b"late")
        self.assertEqual(origin.count(), 1)

    def test_a_failed_fetch_is_handed_over_once(self):
        release = threading.Event()

        def fails_first(request, count, peer):
            if count > 1:
                return answer(b"good", Cache_Control="max-age=60")
            release.wait(LIMIT)
            return b"nonsense\r\n\r\n"

        origin = Origin(a=fails_first)
        proxy = self.proxy_for(origin)
        clients = [self.start(Client(proxy.address)) for _ in range(10)]
        for client in clients:
            client.send(b"GET /a HTTP/1.1\r\nHost: shop.com\r\n\r\n")
        until(lambda: origin.count() == 1, "the fetch")
        release.set()
        statuses = sorted(client.response().status for client in clients)
        self.assertEqual(statuses, [200] * 9 + [502])
        self.assertEqual(origin.count(), 2)

    def test_content_that_is_cut_is_seen_as_cut_and_not_stored(self):
        is_seen = threading.Event()

        def cut(request, count, peer):
            if count > 1:
                return answer(b"whole", Cache_Control="max-age=60")
            peer.send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 100\r\n\r\npart")
            is_seen.wait(LIMIT)
            peer.close()

        origin = Origin(a=cut)
        proxy = self.proxy_for(origin)
        with Client(proxy.address) as client:
            client.send(b"GET /a HTTP/1.1\r\nHost: shop.com\r\n\r\n")
            seen = b""
            while not seen.endswith(b"part"):
                seen += client.socket.recv(4096)
            is_seen.set()
            self.assertEqual(client.socket.recv(4096), b"")
        self.assertEqual(self.get(proxy, "/a").body, b"whole")

    def test_stale_answers_are_validated_and_kept(self):
        def origin_answer(request, count, peer):
            if request.get("if-none-match") == '"v"':
                return b'HTTP/1.1 304 Not Modified\r\nETag: "v"\r\nCache-Control: max-age=60\r\nX-New: yes\r\n\r\n'
            return answer(b"body", Cache_Control="max-age=60", ETag='"v"', Age="100")

        origin = Origin(a=origin_answer)
        proxy = self.proxy_for(origin)
        self.assertEqual(self.get(proxy, "/a").body, b"body")
        second = self.get(proxy, "/a")
        self.assertEqual((second.body, second.get("x-new"), second.status), (b"body", "yes", 200))
        self.assertRegex(second.get("cache-status"), "fwd=stale; fwd-status=304; stored")
        self.get(proxy, "/a")
        self.assertEqual(origin.count(), 2)

    def test_stale_answers_are_given_while_they_are_validated_and_where_the_origin_fails(self):
        def origin_answer(request, count, peer):
            if count > 1:
                return answer(b"oops", status="503 Service Unavailable")
            return answer(b"good", Cache_Control="max-age=1, stale-if-error=60", Age="30", ETag='"1"')

        origin = Origin(a=origin_answer, b=lambda request, count, peer: answer(f"{count}".encode(), Age="30", Cache_Control="max-age=1, stale-while-revalidate=600"))
        proxy = self.proxy_for(origin)
        self.assertEqual([self.get(proxy, "/a").body for _ in range(2)], [b"good", b"good"])
        self.assertEqual(self.get(proxy, "/b").body, b"1")
        self.assertEqual(self.get(proxy, "/b").body, b"1")
        until(lambda: origin.count("/b") == 2, "the validation")
        until(lambda: self.get(proxy, "/b").body != b"1", "the new answer")

    def test_ranges_are_cut_out_of_what_is_stored(self):
        content = bytes(range(256)) * 40
        origin = Origin(a=answer(content, Cache_Control="max-age=60", ETag='"1"', Content_Type="image/png"))
        proxy = self.proxy_for(origin)
        self.get(proxy, "/a")
        one = self.get(proxy, "/a", headers=["Range: bytes=100-199"])
        self.assertEqual((one.status, one.body, one.get("content-range")), (206, content[100:200], f"bytes 100-199/{len(content)}"))
        tail = self.get(proxy, "/a", headers=["Range: bytes=-5"])
        self.assertEqual(tail.body, content[-5:])
        none = self.get(proxy, "/a", headers=["Range: bytes=99999-"])
        self.assertEqual((none.status, none.get("content-range")), (416, f"bytes */{len(content)}"))
        stale = self.get(proxy, "/a", headers=["Range: bytes=0-1", 'If-Range: "2"'])
        self.assertEqual((stale.status, stale.body), (200, content))
        many = self.get(proxy, "/a", headers=["Range: bytes=0-1, 10-19"])
        boundary = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", many.get("content-type")).group(1).encode()
        parts = many.body.split(b"--" + boundary)
        self.assertEqual(many.status, 206)
        self.assertEqual(parts[1].split(b"\r\n\r\n", 1)[1], content[0:2] + b"\r\n")
        self.assertEqual(parts[2].split(b"\r\n\r\n", 1)[1], content[10:20] + b"\r\n")
        self.assertEqual(parts[3], b"--\r\n")
        self.assertEqual(origin.count(), 1)

    def test_large_objects_are_asked_for_and_stored_by_slices(self):
        content = bytes(index * 7 % 251 for index in range(1_000_000))

        def ranged(request, count, peer):
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.get("range", ""))
            if not wanted:
                return answer(content, Cache_Control="max-age=60", ETag='"1"')
            first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
            if first >= len(content):
                return answer(b"", status="416 Range Not Satisfiable", Content_Range=f"bytes */{len(content)}")
            return answer(content[first : last + 1], status="206 Partial Content", Cache_Control="max-age=60", ETag='"1"',
                          Content_Range=f"bytes {first}-{last}/{len(content)}")

        origin = Origin(a=ranged, none=answer(b"plain", Cache_Control="max-age=60"))
        proxy = self.proxy_for(origin, cache='{ slice = "128KiB" }')
        middle = self.get(proxy, "/a", headers=["Range: bytes=300000-300009"])
        self.assertEqual((middle.status, middle.body, middle.get("content-range")), (206, content[300000:300010], "bytes 300000-300009/1000000"))
        self.assertEqual([each.get("range") for each in origin.asked], ["bytes=262144-393215"])
        whole = self.get(proxy, "/a")
        self.assertEqual((whole.status, whole.body == content, whole.get("content-range"), whole.get("content-length")),
                         (200, True, None, "1000000"))
        self.assertEqual(origin.count(), 8)
        for wanted, expected in (("-100", content[-100:]), ("131000-400000", content[131000:400001]), ("999999-", content[-1:])):
            got = self.get(proxy, "/a", headers=[f"Range: bytes={wanted}"])
            self.assertEqual((got.status, got.body == expected), (206, True), wanted)
        self.assertEqual(self.get(proxy, "/a", headers=['If-None-Match: "1"']).status, 304)
        self.assertEqual(origin.count(), 8)
        self.assertEqual(self.get(proxy, "/a", headers=["Range: bytes=2000000-"]).status, 416)
        self.assertEqual(self.get(proxy, "/none").body, b"plain")
        self.assertEqual(self.get(proxy, "/none", headers=["Range: bytes=1-2"]).body, b"la")
        self.assertEqual(self.get(proxy, "/a", method="HEAD").status, 200)

    def test_an_object_that_changes_between_slices_is_not_mixed(self):
        def changing(request, count, peer):
            first = int(re.match(r"bytes=(\d+)", request.get("range"))[1])
            return answer(bytes([count]) * 65536, status="206 Partial Content", ETag=f'"{count}"',
                          Content_Range=f"bytes {first}-{first + 65535}/131072")

        proxy = self.proxy_for(Origin(a=changing), cache='{ slice = "64KiB", default_ttl = "1h" }')
        got = self.get(proxy, "/a")
        self.assertFalse(got.complete)
        self.assertLessEqual(len(got.body), 65536)

    def test_parts_are_stored_as_parts(self):
        origin = Origin(a=lambda request, count, peer: answer(b"56789", status="206 Partial Content", Cache_Control="max-age=60",
                                                               Content_Range="bytes 5-9/10", ETag='"1"'))
        proxy = self.proxy_for(origin)
        for wanted, expected in (("5-9", b"56789"), ("6-7", b"67"), ("-2", b"89"), ("8-", b"89")):
            got = self.get(proxy, "/a", headers=[f"Range: bytes={wanted}"])
            self.assertEqual((got.status, got.body), (206, expected))
        self.assertEqual(origin.count(), 1)

    def test_unsafe_requests_make_what_is_stored_go(self):
        origin = Origin(a=lambda request, count, peer: answer(f"{count}".encode(), Cache_Control="max-age=60", Content_Location="/b"),
                        b=lambda request, count, peer: answer(f"{count}".encode(), Cache_Control="max-age=60"))
        proxy = self.proxy_for(origin)
        for path in ("/a", "/a", "/b", "/b"):
            self.get(proxy, path)
        self.assertEqual(origin.count(), 2)
        self.get(proxy, "/a", method="POST", body=b"x")
        for path in ("/a", "/b"):
            self.get(proxy, path)
        self.assertEqual((origin.count("/a"), origin.count("/b")), (3, 2))

    def test_groups_are_invalidated_together(self):
        def member(request, count, peer):
            if request.start_line.startswith("POST"):
                return answer(Cache_Group_Invalidation='"carts"')
            return answer(Cache_Control="max-age=60", Cache_Groups='"carts", "other"')

        origin = Origin(a=member, b=member)
        proxy = self.proxy_for(origin)
        for _ in range(2):
            self.get(proxy, "/b")
        self.get(proxy, "/a", method="POST", body=b"x")
        self.get(proxy, "/b")
        self.assertEqual(origin.count("/b"), 2)

    def test_the_key_has_what_the_policy_says(self):
        origin = Origin(a=lambda request, count, peer: answer(f"{count}".encode(), Cache_Control="max-age=60"))
        proxy = self.proxy_for(origin, cache='{ key = { query = ["id"], headers = ["X-Device"], cookies = ["lang"] } }')
        self.get(proxy, "/a?id=1&utm=x")
        self.get(proxy, "/a?utm=y&id=1")
        self.assertEqual(origin.count(), 1)
        self.get(proxy, "/a?id=2")
        self.get(proxy, "/a?id=2", headers=["X-Device: mobile"])
        self.get(proxy, "/a?id=2", headers=["Cookie: lang=de; session=1"])
        self.get(proxy, "/a?id=2", headers=["Cookie: session=2; lang=de"])
        self.assertEqual(origin.count(), 4)

    def test_queries_that_an_answer_does_not_depend_on_share_it(self):
        def answer_once(request, count, peer):
            return answer(f"{len(origin.asked)}".encode(), Cache_Control="max-age=60", No_Vary_Search='key-order, params=("utm_source")')

        origin = Origin(a=answer_once)
        proxy = self.proxy_for(origin, extra='[admin]\nsocket = "admin.sock"\n')
        for query, expected in (("b=2&a=1", b"1"), ("a=1&b=2&utm_source=x", b"1"), ("a=2&b=2", b"2"), ("utm_source=y&b=2&a=1", b"1")):
            self.assertEqual(self.get(proxy, f"/a?{query}").body, expected, query)
        subprocess.run([BINARY, "cache-inspect", "purge", "http://shop.com/a?utm_source=z&b=2&a=1", "--attach",
                        str(proxy.directory / "admin.sock")], check=True, capture_output=True, timeout=LIMIT)
        self.assertEqual(self.get(proxy, "/a?a=1&b=2").body, b"3")

    def test_requests_may_bypass_and_answers_stay_out(self):
        origin = Origin(a=lambda request, count, peer: answer(f"{count}".encode(), Cache_Control="max-age=60"))
        proxy = self.proxy_for(origin, cache='{ bypass = [{ cookie = { session = true } }], no_store = [{ query = { preview = "1" } }] }')
        self.get(proxy, "/a")
        passed = self.get(proxy, "/a", headers=["Cookie: session=1"])
        self.assertEqual((passed.body, passed.get("cache-status")), (b"2", "rproxy; fwd=bypass"))
        self.assertEqual(self.get(proxy, "/a").body, b"1")
        for _ in range(2):
            self.get(proxy, "/a?preview=1")
        self.assertEqual(origin.count("/a?preview=1"), 2)

    def test_min_uses_and_sizes_keep_answers_out(self):
        origin = Origin(a=answer(Cache_Control="max-age=60"), b=answer(b"x" * 5000, Cache_Control="max-age=60"),
                        c=lambda request, count, peer: b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + b"1388\r\n" + b"y" * 5000 + b"\r\n0\r\n\r\n")
        proxy = self.proxy_for(origin, cache='{ min_uses = 2, max_object = "2KiB" }')
        for _ in range(4):
            self.get(proxy, "/a")
            self.assertEqual(self.get(proxy, "/b").body, b"x" * 5000)
            self.assertEqual(self.get(proxy, "/c").body, b"y" * 5000)
        self.assertEqual((origin.count("/a"), origin.count("/b"), origin.count("/c")), (2, 4, 4))

    def test_the_client_may_ask_for_more_or_be_ignored(self):
        origin = Origin(a=lambda request, count, peer: answer(f"{count}".encode(), Cache_Control="max-age=60"))
        proxy = self.proxy_for(origin)
        self.assertEqual(self.get(proxy, "/a", headers=["Cache-Control: only-if-cached"]).status, 504)
        self.get(proxy, "/a")
        self.assertEqual(self.get(proxy, "/a", headers=["Cache-Control: no-cache"]).body, b"2")
        self.assertEqual(self.get(proxy, "/a", headers=["Cache-Control: max-age=0"]).status, 200)
        deaf = self.proxy_for(origin, cache="{ client_control = false }")
        self.get(deaf, "/a")
        before = origin.count()
        self.get(deaf, "/a", headers=["Cache-Control: no-cache"])
        self.assertEqual(origin.count(), before)

    def test_a_cookie_of_ours_does_not_keep_answers_out(self):
        origin = Origin(a=answer(Cache_Control="max-age=60"))
        backend = self.start(Backend(origin.script))
        proxy = self.start(Proxy(f"""
[listen]
http = "127.0.0.1:0"
[upstreams.app]
servers = ["{backend.name}"]
sticky = {{ cookie = "home" }}
[[routes]]
match = "*"
upstream = "app"
cache = true
"""))
        answers = [proxy.get("/a") for _ in range(3)]
        self.assertEqual(origin.count(), 1)
        self.assertTrue(all(each.get("set-cookie") is None for each in answers))

    def test_what_is_stored_outlives_a_reload(self):
        origin = Origin(a=answer(Cache_Control="max-age=60"))
        proxy = self.proxy_for(origin)
        self.get(proxy, "/a")
        proxy.signal(1)
        until(lambda: "reloaded" in proxy.log() or "no change" in proxy.log(), "the reload")
        self.get(proxy, "/a")
        self.assertEqual(origin.count(), 1)

    def test_interim_answers_reach_who_asked_first(self):
        def hints(request, count, peer):
            peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
            return answer(Cache_Control="max-age=60")

        proxy = self.proxy_for(Origin(a=hints))
        with Client(proxy.address) as client:
            client.send(b"GET /a HTTP/1.1\r\nHost: shop.com\r\n\r\n")
            seen = b""
            while not seen.endswith(b"ok"):
                seen += client.socket.recv(4096)
        self.assertTrue(seen.startswith(b"HTTP/1.1 103 "), seen)
        self.assertEqual(seen.count(b"HTTP/1.1 200"), 1)

    def test_operators_look_into_it_and_purge(self):
        def tagged(request, count, peer):
            return answer(f"{count}".encode(), Cache_Control="max-age=60", Surrogate_Key="product-1 shop", Content_Type="text/html; charset=utf-8")

        origin = Origin(a=tagged, images=answer(b"x" * 3000, Cache_Control="max-age=60", Content_Type="image/png", Vary="Accept"))
        proxy = self.proxy_for(origin, extra='[admin]\nsocket = "admin.sock"\n')
        for path in ("/a", "/images/1.png", "/images/2.png", "/images/2.png"):
            self.get(proxy, path)

        def inspect(*arguments, code=0):
            done = subprocess.run([BINARY, "cache-inspect", *arguments, "--attach", str(proxy.directory / "admin.sock")],
                                  capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stdout + done.stderr

        self.assertIn("3 objects", inspect("stats"))
        self.assertEqual(json.loads(inspect("stats", "--json"))["memory"]["objects"], 3)
        listed = json.loads(inspect("list", "--json", "--type", "image/*", "--host", "shop.com"))
        self.assertEqual([each["url"] for each in listed["objects"]], ["http://shop.com/images/1.png", "http://shop.com/images/2.png"])
        self.assertRegex(inspect("top", "--limit", "1"), r"200 +2.9 KiB .* 1  http://shop.com/images/2.png\n1 of 3")
        self.assertEqual(json.loads(inspect("list", "--json", "--min-size", "1KiB", "--path", "*/2.png"))["matched"], 1)
        self.assertEqual(json.loads(inspect("list", "--json", "--stale"))["matched"], 0)
        shown = inspect("show", "HTTP://SHOP.com:80/a")
        self.assertRegex(shown, r"lifetime   60 s, of max-age\n  age +\d s: .*\n  left +60 - \d = \d+ s: fresh")
        self.assertIn("tag        product-1", shown)
        self.assertIn("nothing is stored", inspect("show", "http://shop.com/none", code=1))
        self.assertIn("not for stats", inspect("stats", "--host", "x", code=2))
        self.assertEqual(inspect("purge", "http://shop.com/images/1.png", "--soft"), "1 answers made stale\n")
        self.get(proxy, "/images/1.png")
        self.assertEqual(origin.count("/images/1.png"), 2)
        self.assertEqual(inspect("purge", "--tag", "product-1"), "1 answers removed\n")
        self.assertEqual(self.get(proxy, "/a").body, b"2")
        self.assertEqual(inspect("purge", "--prefix", "http://shop.com/images/"), "2 answers removed\n")
        self.assertEqual(inspect("purge", "--all"), "1 answers removed\n")
        self.assertIn("0 objects", inspect("stats"))
        page = proxy.admin("/metrics")
        self.assertIn('rproxy_cache_requests_total{route="*",result="hit"} 1\n', page)
        self.assertIn("rproxy_cache_objects 0\n", page)

    def test_what_was_under_way_when_its_url_was_purged_is_not_stored(self):
        release = threading.Event()

        def slow(request, count, peer):
            if count == 1:
                release.wait(LIMIT)
            return answer(f"{count}".encode(), Cache_Control="max-age=60")

        origin = Origin(a=slow)
        proxy = self.proxy_for(origin, extra='[admin]\nsocket = "admin.sock"\n')
        for kind in ("url", "all"):
            with Client(proxy.address) as client:
                origin.asked.clear()
                release.clear()
                client.send(b"GET /a HTTP/1.1\r\nHost: shop.com\r\n\r\n")
                until(lambda: origin.count() == 1, "the fetch")
                what = ["http://shop.com/a"] if kind == "url" else ["--all"]
                subprocess.run([BINARY, "cache-inspect", "purge", *what, "--attach", str(proxy.directory / "admin.sock")], check=True,
                               capture_output=True, timeout=LIMIT)
                self.assertEqual(self.get(proxy, "/a").body, b"2")
                release.set()
                self.assertEqual(client.response().body, b"1")
            self.assertEqual(self.get(proxy, "/a").body, b"2")
            subprocess.run([BINARY, "cache-inspect", "purge", "--all", "--attach", str(proxy.directory / "admin.sock")], check=True,
                           capture_output=True, timeout=LIMIT)


if __name__ == "__main__":
    unittest.main()
