"""Contents coded and decoded on their way: negotiation, what is left alone, streaming, with a cache, against the reference tools."""

import base64
import gzip
import hashlib
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest
import zlib

from harness import LIMIT, Backend, Proxy, TestCase, text, until

TOOLS = {"zstd": ["zstd", "-dcq"], "br": ["brotli", "-dc"], "gzip": ["gzip", "-dc"]}
CODERS = {"zstd": ["zstd", "-cq"], "br": ["brotli", "-c"], "gzip": ["gzip", "-c"]}


def run(command, data):
    """A reference tool's word for it. It reads a file: a pipe's end could be taken for the content's."""
    with tempfile.TemporaryFile() as given:
        given.write(data)
        given.seek(0)
        return subprocess.run(command, stdin=given, stdout=subprocess.PIPE, check=True, timeout=LIMIT).stdout


def decoded(coding, data):
    return zlib.decompress(data) if coding == "deflate" else run(TOOLS[coding], data)


def answer(body, status="200 OK", kind="text/html", extra="", chunked=None):
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{extra}"
    if chunked is None:
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    parts = [body[i : i + chunked] for i in range(0, len(body), chunked)]
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"".join(f"{len(p):x}\r\n".encode() + p + b"\r\n" for p in parts) + b"0\r\n\r\n"


class Origin:
    def __init__(self, made):
        self.made = made
        self.asked = []

    def script(self, peer):
        while True:
            request = peer.next_request()
            self.asked.append(request)
            made = self.made(request, peer) if callable(self.made) else self.made
            if made is not None:
                peer.send(made)


class CompressionTest(TestCase):
    def proxy_for(self, origin, route="", limits="", listen='http = "127.0.0.1:0"'):
        backend = self.start(Backend(origin.script))
        return self.start(Proxy(f"""
[server]
workers = 2
[listen]
{listen}
[admin]
socket = "admin.sock"
[upstreams.app]
servers = ["{backend.name}"]
[compression]
slow_at = "1m"  # a machine that is busy with others changes nothing
stop_at = "1m"
{limits}
[[routes]]
match = "*"
upstream = "app"
{route}
"""))

    def get(self, proxy, accept="", path="/", headers=(), method="GET", body=b""):
        fields = [("Accept-Encoding", accept)] if accept is not None else []
        return proxy.get(path, headers=[*fields, *headers], method=method, body=body)

    def metric(self, proxy, name):
        return sum(float(line.rsplit(" ", 1)[1]) for line in proxy.admin("/metrics").splitlines() if line.startswith(name))

    # ---- Which coding.

    def test_what_is_accepted_is_sent_and_the_tools_decode_it(self):
        body = text(200_000)
        proxy = self.proxy_for(Origin(answer(body, extra='ETag: "1"\r\nAccept-Ranges: bytes\r\n')))
        for coding in ("zstd", "br", "gzip", "deflate"):
            got = self.get(proxy, coding)
            self.assertEqual((got.status, got.get("content-encoding")), (200, coding))
            self.assertTrue(decoded(coding, got.body) == body, coding)
            self.assertLess(len(got.body), len(body) / 2)
            self.assertEqual(got.get("etag"), 'W/"1"')
            self.assertEqual(got.get("vary"), "Accept-Encoding")
            self.assertIsNone(got.get("content-length"))
            self.assertIsNone(got.get("accept-ranges"))
        plain = self.get(proxy, None)
        self.assertEqual((plain.body, plain.get("etag"), plain.get("vary")), (body, '"1"', "Accept-Encoding"))
        self.assertEqual(self.metric(proxy, "rproxy_compressed_responses_total"), 4)
        self.assertEqual(self.metric(proxy, "rproxy_compression_input_bytes_total"), 4 * len(body))

    def test_negotiation(self):
        proxy = self.proxy_for(Origin(answer(text(5000))))
        for accept, coding in (("gzip, deflate, br, zstd", "zstd"), ("gzip, deflate, br", "br"), ("gzip;q=1, br;q=0.5", "gzip"),
                               ("*", "zstd"), ("*;q=0", None), ("zstd;q=0, *", "br"), ("identity", None), ("", None),
                               ("x-gzip", "gzip"), ("GZIP", "gzip"), ("compress", None), ("gzip;q=0", None),
                               ("identity;q=1, gzip;q=0.5", None), ("identity;q=0, gzip", "gzip"), ("gzip;q=0.001", "gzip")):
            self.assertEqual(self.get(proxy, accept).get("content-encoding"), coding, accept)

    def test_a_route_says_which_codings_there_are(self):
        proxy = self.proxy_for(Origin(answer(text(5000))), route='compress = ["gzip", "zstd"]')
        self.assertEqual(self.get(proxy, "zstd, br, gzip").get("content-encoding"), "gzip")
        self.assertEqual(self.get(proxy, "br").get("content-encoding"), None)
        off = self.proxy_for(Origin(answer(text(5000))), route="compress = false")
        got = self.get(off, "gzip")
        self.assertEqual((got.get("content-encoding"), got.get("vary"), got.get("content-length")), (None, None, "5000"))

    # ---- What is left alone.

    def test_what_is_not_to_be_coded_is_not(self):
        body = text(5000)
        for made, varies in ((answer(body, kind="image/png"), False), (answer(body[:1000]), False), (answer(body, extra="Cache-Control: no-transform\r\n"), False),
                             (answer(body, extra="Content-Encoding: x-own\r\n"), False), (answer(body, kind="application/grpc"), False),
                             (answer(body, "206 Partial Content", extra="Content-Range: bytes 0-4999/9000\r\n"), False),
                             (answer(body, kind="font/woff2"), False)):
            got = self.get(self.proxy_for(Origin(made)), "gzip, br")
            self.assertEqual(got.body, made.split(b"\r\n\r\n", 1)[1])
            self.assertEqual(got.get("content-length"), str(len(got.body)))
            self.assertIn(got.get("content-encoding"), (None, "x-own"))

    def test_who_refuses_contents_as_they_are_gets_others_coded_too(self):
        got = self.get(self.proxy_for(Origin(answer(b"x" * 100, kind="image/png"))), "gzip, identity;q=0")
        self.assertEqual((got.get("content-encoding"), gzip.decompress(got.body)), ("gzip", b"x" * 100))

    def test_vary_is_said_once(self):
        for said, wanted in (("Vary: Origin\r\n", ["Origin", "Accept-Encoding"]), ("Vary: accept-encoding, Origin\r\n", ["accept-encoding, Origin"]), ("Vary: *\r\n", ["*"])):
            got = self.get(self.proxy_for(Origin(answer(text(5000), extra=said))), "gzip")
            self.assertEqual([value for name, value in got.fields if name.lower() == "vary"], wanted)

    def test_head_says_what_get_would(self):
        body = text(5000)
        proxy = self.proxy_for(Origin(lambda request, peer: answer(body, extra='ETag: "1"\r\n') if request.start_line.startswith("GET")
                                      else answer(body, extra='ETag: "1"\r\n').split(b"\r\n\r\n")[0] + b"\r\n\r\n"))
        for accept in ("gzip", "identity"):
            fields = [sorted((name.lower(), value) for name, value in self.get(proxy, accept, method=method).fields if name.lower() not in ("date", "transfer-encoding", "x-request-id"))
                      for method in ("GET", "HEAD")]
            self.assertEqual(*fields)

    def test_a_client_that_has_it_coded_is_told_so(self):
        def made(request, peer):
            if '"1"' in (request.get("if-none-match") or ""):
                return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
            return answer(text(5000), extra='ETag: "1"\r\n')

        proxy = self.proxy_for(Origin(made))
        tag = self.get(proxy, "gzip").get("etag")
        again = self.get(proxy, "gzip", headers=[("If-None-Match", tag)])
        self.assertEqual((again.status, again.get("etag"), again.get("vary")), (304, 'W/"1"', "Accept-Encoding"))
        plain = self.get(proxy, None, headers=[("If-None-Match", '"1"')])
        self.assertEqual((plain.status, plain.get("etag")), (304, '"1"'))

    # ---- As it comes.

    def test_what_is_sent_slowly_arrives_at_once(self):
        for coding in ("zstd", "br", "gzip", "deflate"):
            gates = [threading.Event() for _ in range(3)]

            def made(request, peer):
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
                for i, gate in enumerate(gates):
                    peer.send(b"e\r\ndata: event %d\n\r\n" % i)
                    gate.wait(LIMIT)
                peer.send(b"0\r\n\r\n")

            proxy = self.proxy_for(Origin(made))
            command = ["curl", "-sSN", "--max-time", str(LIMIT), "-H", f"Accept-Encoding: {coding}", f"http://127.0.0.1:{proxy.address[1]}/", "-o", "-", "--raw", "--no-buffer", "-i"]
            with tempfile.NamedTemporaryFile() as out:
                with subprocess.Popen(command, stdout=out) as client:
                    sizes = [0]
                    for gate in gates:
                        # Each event brings something, before the next is made.
                        until(lambda: os.path.getsize(out.name) > sizes[-1] + (100 if sizes[-1] == 0 else 0), f"{coding}: an event")
                        sizes.append(os.path.getsize(out.name))
                        gate.set()
                    client.wait(LIMIT)
            whole = self.get(proxy, coding)
            self.assertEqual(decoded(coding, whole.body), b"".join(b"data: event %d\n" % i for i in range(3)))

    def test_any_chunks_come_out_whole(self):
        body = text(100_000, 7)
        for size in (1000, 16_384, 65_536, 100_000):
            proxy = self.proxy_for(Origin(answer(body, chunked=size)))
            for coding in ("zstd", "br", "gzip"):
                self.assertTrue(decoded(coding, self.get(proxy, coding).body) == body, (size, coding))

    def test_a_cut_answer_is_cut(self):
        def made(request, peer):
            peer.send(answer(text(50_000))[:30_000])
            peer.close()

        proxy = self.proxy_for(Origin(made))
        with proxy.connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
            self.assertFalse(client.response().complete)

    def test_many_at_once_take_bounded_memory(self):
        gate = threading.Event()
        body = text(300_000, 3)

        def made(request, peer):
            peer.send(answer(body, chunked=100_000)[: 150_000])
            gate.wait(LIMIT)
            peer.send(answer(body, chunked=100_000)[150_000:])

        proxy = self.proxy_for(Origin(made), limits='memory = "8MiB"')
        clients = [proxy.connect() for _ in range(100)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: zstd\r\n\r\n")
        until(lambda: self.metric(proxy, "rproxy_compressed_responses_total") + self.metric(proxy, "rproxy_compression_limited_total") >= 100, "all of them")
        self.assertGreater(self.metric(proxy, "rproxy_compression_limited_total"), 0)
        gate.set()
        for client in clients:
            got = client.response()
            plain = got.body if got.get("content-encoding") is None else decoded("zstd", got.body)
            self.assertTrue(plain == body)
            client.socket.close()

    # ---- Decoding.

    def test_who_does_not_take_what_came_gets_it_decoded(self):
        body = text(50_000, 5)
        for coding in ("zstd", "br", "gzip"):
            origin = Origin(answer(run(CODERS[coding], body), extra=f'Content-Encoding: {coding}\r\nETag: "1"\r\n'))
            proxy = self.proxy_for(origin)
            same = self.get(proxy, coding)
            self.assertEqual((same.get("content-encoding"), same.get("etag")), (coding, '"1"'))
            got = self.get(proxy, "identity")
            self.assertEqual((got.get("content-encoding"), got.get("etag"), got.get("vary")), (None, 'W/"1"', "Accept-Encoding"))
            self.assertTrue(got.body == body)
            other = self.get(proxy, "deflate")
            self.assertEqual(other.get("content-encoding"), "deflate")
            self.assertTrue(zlib.decompress(other.body) == body)
            off = self.proxy_for(origin, route="compress = { decompress = false }")
            self.assertEqual(self.get(off, "identity").get("content-encoding"), coding)

    def test_a_file_for_who_says_nothing_stays_as_it_is(self):
        packed = gzip.compress(text(5000))
        got = self.get(self.proxy_for(Origin(answer(packed, kind="application/x-tar", extra="Content-Encoding: gzip\r\n"))), None)
        self.assertEqual((got.get("content-encoding"), got.body), ("gzip", packed))

    def test_a_bomb_does_not_go_off(self):
        bomb = gzip.compress(b"\0" * 50_000_000)
        proxy = self.proxy_for(Origin(answer(bomb, extra="Content-Encoding: gzip\r\n")))
        with proxy.connect() as client:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\n\r\n")
            cut = client.response()
            self.assertFalse(cut.complete)
            self.assertLess(len(cut.body), 20_000_000)
        got = self.get(proxy, "gzip")
        self.assertEqual(got.body, bomb)

    def test_requests_are_decoded_where_that_is_asked_for(self):
        seen = []

        def made(request, peer):
            seen.append((request.get("content-encoding"), request.get("content-length"), request.body))
            return answer(b"ok")

        proxy = self.proxy_for(Origin(made), route="compress = { decompress_requests = true }")
        body = text(20_000, 9)
        for coding in ("zstd", "br", "gzip"):
            got = self.get(proxy, None, headers=[("Content-Encoding", coding)], method="POST", body=run(CODERS[coding], body))
            self.assertEqual(got.status, 200)
            self.assertEqual(seen[-1], (None, None, body))
        refused = self.get(proxy, None, headers=[("Content-Encoding", "x-own")], method="POST", body=b"abc")
        self.assertEqual((refused.status, refused.get("accept-encoding")), (415, "zstd, br, gzip, deflate"))
        bad = self.get(proxy, None, headers=[("Content-Encoding", "gzip")], method="POST", body=b"this is not gzip")
        self.assertEqual(bad.status, 400)
        bomb = self.get(proxy, None, headers=[("Content-Encoding", "gzip")], method="POST", body=gzip.compress(b"\0" * 50_000_000))
        self.assertIn(bomb.status, (400, 413))
        passed = self.proxy_for(Origin(made))
        self.get(passed, None, headers=[("Content-Encoding", "gzip")], method="POST", body=gzip.compress(body))
        self.assertEqual(gzip.decompress(seen[-1][2]), body)

    def test_upstreams_may_be_asked_for_contents_as_they_are(self):
        origin = Origin(lambda request, peer: answer(text(5000)))
        proxy = self.proxy_for(origin, route="compress = { offload = true }")
        self.assertEqual(self.get(proxy, "gzip").get("content-encoding"), "gzip")
        self.assertIsNone(origin.asked[0].get("accept-encoding"))
        self.get(self.proxy_for(origin), "gzip")
        self.assertEqual(origin.asked[-1].get("accept-encoding"), "gzip")

    def test_padding_makes_lengths_differ(self):
        body = text(20_000, 37)
        proxy = self.proxy_for(Origin(answer(body, extra="Cache-Control: max-age=60\r\n")), route='cache = true\ncompress = { padding = "256B" }')
        for coding in ("zstd", "br", "gzip"):
            got = [self.get(proxy, coding).body for _ in range(20)]
            self.assertTrue(all(decoded(coding, each) == body for each in got), coding)
            self.assertGreater(len({len(each) for each in got}), 5)

    # ---- With a cache.

    def test_what_is_cached_is_coded_once(self):
        body = text(100_000, 11)
        origin = Origin(answer(body, extra='Cache-Control: max-age=60\r\nETag: "1"\r\n'))
        proxy = self.proxy_for(origin, route="cache = true")
        first = self.get(proxy, "zstd")
        until(lambda: self.metric(proxy, "rproxy_cache_objects") == 1, "stored")
        for _ in range(10):
            for coding in ("zstd", "br", "gzip"):
                got = self.get(proxy, coding)
                self.assertEqual(got.get("content-encoding"), coding)
                self.assertTrue(decoded(coding, got.body) == body)
        known = self.get(proxy, "zstd")
        self.assertEqual(known.get("content-length"), str(len(known.body)))
        self.assertEqual(self.get(proxy, "identity").body, body)
        self.assertEqual(self.get(proxy, "zstd", headers=[("If-None-Match", first.get("etag"))]).status, 304)
        part = self.get(proxy, "zstd", headers=[("Range", "bytes=10-19")])
        self.assertEqual((part.status, part.get("content-encoding"), part.body), (206, None, body[10:20]))
        self.assertEqual(len(origin.asked), 1)

    def test_a_form_that_is_asked_for_often_gets_smaller(self):
        body = text(200_000, 13)
        proxy = self.proxy_for(Origin(answer(body, extra="Cache-Control: max-age=60\r\n")), route="cache = true\ncompress = { level = { zstd = 1 } }")
        before = len(self.get(proxy, "zstd").body)
        for _ in range(20):
            self.get(proxy, "zstd")

        def smaller():
            got = self.get(proxy, "zstd")
            self.assertTrue(decoded("zstd", got.body) == body)
            return len(got.body) < before

        until(smaller, "a smaller form")

    def test_many_who_come_at_once_share_one_coding(self):
        body = text(2_000_000, 17)
        gate = threading.Event()

        def made(request, peer):
            whole = answer(body, extra="Cache-Control: max-age=60\r\n")
            peer.send(whole[:500_000])
            gate.wait(LIMIT)
            return whole[500_000:]

        proxy = self.proxy_for(Origin(made), route="cache = true")
        got = []
        threads = [threading.Thread(target=lambda: got.append(self.get(proxy, "gzip"))) for _ in range(12)]
        for thread in threads:
            thread.start()
        until(lambda: self.metric(proxy, "rproxy_compressed_responses_total") == 12, "all of them")
        gate.set()
        for thread in threads:
            thread.join(LIMIT)
        self.assertEqual(len(got), 12)
        for each in got:
            self.assertTrue(each.body == got[0].body)
        self.assertTrue(gzip.decompress(got[0].body) == body)

    def test_who_leaves_does_not_keep_others_waiting(self):
        body = text(3_000_000, 19)
        proxy = self.proxy_for(Origin(answer(body, extra="Cache-Control: max-age=60\r\n")), route="cache = true")
        self.get(proxy, None)
        for _ in range(5):
            with proxy.connect() as leaver:
                leaver.send(b"GET / HTTP/1.1\r\nHost: shop.com\r\nAccept-Encoding: br\r\n\r\n")
                leaver.reader.fill()
                thread_got = []
                other = threading.Thread(target=lambda: thread_got.append(self.get(proxy, "br")))
                other.start()
            other.join(LIMIT)
            self.assertTrue(decoded("br", thread_got[0].body) == body)

    # ---- Dictionaries (RFC 9842).

    def test_a_newer_version_costs_what_is_new_in_it(self):
        versions = {f"/app-{i}.js": text(60_000, 29) + b"version %d" % i + text(500, 31 + i) for i in range(1, 4)}

        def made(request, peer):
            path = request.start_line.split()[1]
            return answer(versions[path], kind="text/javascript", extra=f'ETag: "{path[5]}"\r\n')

        for cache in ("", "cache = \"1h\"\n"):
            proxy = self.proxy_for(Origin(made), route=cache + 'compress = { dictionary = { match = "/app-*.js", id = "app" } }')
            first = self.get(proxy, "gzip, br, zstd", "/app-1.js")
            self.assertEqual(first.get("use-as-dictionary"), 'match="/app-*.js", id="app"')
            self.assertEqual(first.get("vary"), "Accept-Encoding, Available-Dictionary")
            self.assertEqual(first.get("content-encoding"), "zstd")
            known = hashlib.sha256(versions["/app-1.js"]).digest()
            said = ("Available-Dictionary", ":" + base64.b64encode(known).decode() + ":")
            for _ in range(3):
                second = self.get(proxy, "gzip, br, zstd, dcz", "/app-2.js", headers=[said])
                self.assertEqual((second.get("content-encoding"), second.get("vary")), ("dcz", "Accept-Encoding, Available-Dictionary"))
                self.assertEqual(second.body[:40], bytes.fromhex("5e2a4d1820000000") + known)
                self.assertLess(len(second.body), 1500)
                with tempfile.NamedTemporaryFile() as dictionary:
                    dictionary.write(versions["/app-1.js"])
                    dictionary.flush()
                    self.assertTrue(run(["zstd", "-dcq", "-D", dictionary.name], second.body[40:]) == versions["/app-2.js"])
            for headers, accept in (([said], "gzip, zstd"), ([("Available-Dictionary", ":" + base64.b64encode(b"x" * 32).decode() + ":")], "zstd, dcz"), ([("Available-Dictionary", "x")], "zstd, dcz"),
                                    ([], "zstd, dcz")):
                self.assertEqual(self.get(proxy, accept, "/app-2.js", headers=headers).get("content-encoding"), "zstd")
            # Another origin's clients do not learn what the hash is of.
            got = proxy.get("/app-2.js", host="other.com", headers=[("Accept-Encoding", "zstd, dcz"), said])
            self.assertEqual(got.get("content-encoding"), "zstd")

    def test_what_is_for_one_client_is_no_dictionary(self):
        for extra in ("Cache-Control: private\r\n", "Set-Cookie: a=b\r\n", "Cache-Control: no-store\r\n"):
            proxy = self.proxy_for(Origin(answer(text(5000), extra=extra)), route="compress = { dictionary = true }")
            self.assertIsNone(self.get(proxy, "zstd").get("use-as-dictionary"))

    # ---- Of the proxy's own.

    def test_files_and_fixed_answers_are_coded_too(self):
        body = text(20_000, 41)
        with tempfile.TemporaryDirectory() as root:
            pathlib.Path(root, "a.js").write_bytes(body)
            pathlib.Path(root, "b.js").write_bytes(body)
            pathlib.Path(root, "b.js.gz").write_bytes(gzip.compress(b"what was coded beforehand"))
            proxy = self.start(Proxy(f'''
[listen]
http = "127.0.0.1:0"
[[routes]]
match = "*"
files = {{ root = "{root}", precompressed = ["gzip"] }}
[[routes]]
match = "*/fixed"
respond = {{ body = "{"fixed " * 500}", headers = {{ Content-Type = "text/plain" }} }}
'''))
            got = self.get(proxy, "zstd", "/a.js")
            self.assertEqual((got.get("content-encoding"), got.get("accept-ranges")), ("zstd", None))
            self.assertTrue(decoded("zstd", got.body) == body)
            self.assertTrue(got.get("etag").startswith('W/'))
            again = self.get(proxy, "zstd", "/a.js", headers=[("If-None-Match", got.get("etag"))])
            self.assertEqual((again.status, again.get("etag")), (304, got.get("etag")))
            part = self.get(proxy, "zstd", "/a.js", headers=[("Range", "bytes=5-9")])
            self.assertEqual((part.status, part.body), (206, body[5:10]))
            ready = self.get(proxy, "gzip", "/b.js")
            self.assertEqual(gzip.decompress(ready.body), b"what was coded beforehand")
            self.assertFalse(ready.get("etag").startswith("W/"))
            self.assertEqual([value for name, value in ready.fields if name.lower() == "vary"], ["Accept-Encoding"])
            fixed = self.get(proxy, "br", "/fixed")
            self.assertEqual((fixed.get("content-encoding"), decoded("br", fixed.body)), ("br", b"fixed " * 500))

    # ---- Others' clients.

    def test_curl_and_http2(self):
        body = text(300_000, 23)
        proxy = self.proxy_for(Origin(answer(body)))
        for flags in (["--http1.1"], ["--http2-prior-knowledge"]):
            done = subprocess.run(["curl", "-sS", "--compressed", *flags, "-D", "/dev/stderr", f"http://127.0.0.1:{proxy.address[1]}/"], capture_output=True, check=True, timeout=LIMIT)
            self.assertTrue(done.stdout == body)
            self.assertIn(b"content-encoding: ", done.stderr.lower())


if __name__ == "__main__":
    unittest.main()
