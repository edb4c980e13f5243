"""Files served from a directory: what is there, what is not, in parts, compressed beforehand, to whom ever asks; and nothing besides."""

import email
import gzip
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import threading
import time
import unittest

from harness import LIMIT, Client, Proxy, TestCase, client_context, connect_tls, make_authority, make_certificate, until
from nginx import Nginx

MEGABYTE = 1 << 20


def content(name, size):
    out = bytearray()
    while len(out) < size:
        out += hashlib.sha512(f"{name} {len(out)}".encode()).digest() * 64
    return bytes(out[:size])


class FilesTest(TestCase):
    def setUp(self):
        super().setUp()
        self.home = pathlib.Path(self.directory())
        self.root = self.home / "www"
        self.root.mkdir()
        self.put("index.html", b"<h1>home</h1>")
        self.put("a.txt", b"0123456789")
        self.put("images/a.png", b"image")

    def put(self, name, body, age=10.0):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        then = time.time() - age
        os.utime(path, (then, then))
        return path

    def proxy_for(self, files="", route="", match="*", extra="", listen='http = "127.0.0.1:0"'):
        return self.start(Proxy(f"""
access_log = {{ path = "stdout", flush = "100ms" }}
[listen]
{listen}
[defaults]
compress = false
[[routes]]
match = "{match}"
files = {{ root = "{self.root}"{files and ", "}{files} }}
{route}
{extra}
"""))

    def statuses(self, proxy, expected, **given):
        with proxy.connect() as client:
            for path, status in expected.items():
                answer = client.request(path=path, **given)
                self.assertEqual(answer.status, status, path)
                self.assertNotIn(str(self.home).encode(), answer.body, path)


class Answers(FilesTest):
    def test_a_file_with_all_its_fields(self):
        proxy = self.proxy_for('cache_control = "public, max-age=60"')
        answer = proxy.get("/a.txt")
        state = os.stat(self.root / "a.txt")
        self.assertEqual((answer.status, answer.body), (200, b"0123456789"))
        self.assertEqual(answer.get("content-type"), "text/plain; charset=utf-8")
        self.assertEqual(answer.get("content-length"), "10")
        self.assertEqual(answer.get("accept-ranges"), "bytes")
        self.assertEqual(answer.get("cache-control"), "public, max-age=60")
        self.assertEqual(answer.get("etag"), f'"{state.st_mtime_ns:x}-{10:x}"')
        self.assertEqual(answer.get("last-modified"), time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(state.st_mtime)))
        self.assertIsNone(answer.get("vary"))
        self.assertIsNone(answer.get("content-encoding"))
        line = proxy.access_lines()[0]
        self.assertEqual((line["status"], line["route"]), (200, "*"))

    def test_the_short_form_is_the_root(self):
        proxy = self.start(Proxy(f'[listen]\nhttp = "127.0.0.1:0"\n[[routes]]\nmatch = "*"\nfiles = "www"\n', directory=self.home))
        self.assertEqual(proxy.get("/images/a.png").body, b"image")

    def test_head_says_what_get_does(self):
        self.put("big.bin", content("big", 3 * MEGABYTE))
        proxy = self.proxy_for()
        for path in ("/a.txt", "/big.bin", "/", "/missing", "/images"):
            with proxy.connect() as client:
                got, told = client.request(path=path), client.request("HEAD", path)
                same = [field for field in got.fields if field[0].lower() not in ("date", "x-request-id")]
                self.assertEqual([f for f in told.fields if f[0].lower() not in ("date", "x-request-id")], same, path)
                self.assertEqual((told.status, told.body), (got.status, b""))
                # Nothing was sent behind it.
                self.assertEqual(client.request(path="/a.txt").body, b"0123456789")

    def test_other_methods_are_told_which_there_are(self):
        proxy = self.proxy_for()
        with proxy.connect() as client:
            for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND"):
                answer = client.request(method, "/a.txt", body=b"x" if method != "DELETE" else b"")
                self.assertEqual((answer.status, answer.get("allow")), (405, "GET, HEAD, OPTIONS"), method)
            answer = client.request("OPTIONS", "/a.txt")
            self.assertEqual((answer.status, answer.get("allow"), answer.body), (204, "GET, HEAD, OPTIONS", b""))
        self.assertEqual(proxy.get("*", method="OPTIONS").status, 204)

    def test_types(self):
        proxy = self.proxy_for('types = { ".x" = "application/x-shop", "txt" = "text/x-own" }')
        for name, kind in (("a.html", "text/html; charset=utf-8"), ("A.PNG", "image/png"), ("a.js", "text/javascript; charset=utf-8"),
                           ("a.tar.gz", "application/gzip"), ("a", "application/octet-stream"), ("b.unknown", "application/octet-stream"),
                           ("a.x", "application/x-shop"), ("a.X", "application/x-shop"), ("a.txt", "text/x-own"), ("d.png/a", "application/octet-stream"),
                           ("a.svg", "image/svg+xml"), ("a.woff2", "font/woff2"), ("a.webp", "image/webp")):
            self.put(name, b"x")
            self.assertEqual(proxy.get("/" + name).get("content-type"), kind, name)

    def test_names_of_all_kinds(self):
        proxy = self.proxy_for()
        for name, path in (("a b.txt", "/a%20b.txt"), ("ä.txt", "/%C3%A4.txt"), ("100%.txt", "/100%25.txt"), ("a+b&c=d;e,f.txt", "/a+b&c=d;e,f.txt"),
                           ("[x].txt", "/%5Bx%5D.txt"), ("q?.txt", "/q%3F.txt"), ("#.txt", "/%23.txt"), ("x..y", "/x..y"), ("~a", "/~a"), ("a:b", "/a:b"), ("a'\"b", "/a'%22b")):
            self.put(name, name.encode())
            self.assertEqual(proxy.get(path).body, name.encode(), path)
        # Bytes that are no UTF-8.
        odd = os.fsencode(self.root) + b"/\xff\xfe.txt"
        with open(odd, "wb") as out:
            out.write(b"odd")
        self.assertEqual(proxy.get("/%FF%FE.txt").body, b"odd")

    def test_empty_files(self):
        self.put("empty", b"")
        answer = self.proxy_for().get("/empty")
        self.assertEqual((answer.status, answer.get("content-length"), answer.body), (200, "0", b""))

    def test_the_query_is_no_part_of_the_name(self):
        self.assertEqual(self.proxy_for().get("/a.txt?v=/../x").body, b"0123456789")

    def test_a_rewrite_goes_first(self):
        proxy = self.proxy_for(match="/static/*", route='rewrite = { strip_prefix = "/static" }')
        self.assertEqual(proxy.get("/static/a.txt").body, b"0123456789")
        answer = proxy.get("/static/images?x=1")
        # As the client knows it.
        self.assertEqual((answer.status, answer.get("location")), (308, "/static/images/?x=1"))

    def test_builds_with_no_time_have_no_validators(self):
        path = self.put("built.js", b"x")
        os.utime(path, (1, 1))
        answer = self.proxy_for().get("/built.js")
        self.assertEqual((answer.status, answer.get("etag"), answer.get("last-modified")), (200, None, None))

    def test_times_to_come_are_not_told(self):
        path = self.put("future.js", b"x", age=-86400)
        answer = self.proxy_for().get("/future.js")
        self.assertIsNone(answer.get("last-modified"))
        self.assertIsNotNone(answer.get("etag"))

    def test_pages_say_nothing_of_the_directory(self):
        proxy = self.proxy_for()
        for path in ("/missing", "/images/", "/a.txt/"):
            answer = proxy.get(path, headers=[("Accept", "text/html")])
            self.assertIn(b"<h1>4", answer.body)
            self.assertNotIn(str(self.root).encode(), answer.body)

    def test_counts(self):
        proxy = self.proxy_for(extra='[admin]\nsocket = "admin.sock"')
        proxy.get("/a.txt"), proxy.get("/missing")
        self.assertRegex(proxy.admin("/metrics"), r'requests_total\{[^}]*route="\*"[^}]*\} \d')


class Directories(FilesTest):
    def test_index_and_slashes(self):
        self.put("docs/index.html", b"docs")
        proxy = self.proxy_for()
        self.assertEqual(proxy.get("/").body, b"<h1>home</h1>")
        self.assertEqual(proxy.get("/docs/").body, b"docs")
        answer = proxy.get("/docs?a=1&b=%2F")
        self.assertEqual((answer.status, answer.get("location")), (308, "/docs/?a=1&b=%2F"))
        self.statuses(proxy, {"/images/": 403, "/images": 308, "/missing/": 404, "/a.txt/": 404, "/a.txt/b": 404, "/docs/index.html/": 404})

    def test_the_first_index_there_is(self):
        self.put("docs/b.html", b"b")
        (self.root / "docs" / "a.html").mkdir()
        proxy = self.proxy_for('index = ["a.html", "b.html", "index.html"]')
        self.assertEqual(proxy.get("/docs/").body, b"b")
        self.assertEqual(proxy.get("/").body, b"<h1>home</h1>")
        self.assertEqual(self.proxy_for("index = []").get("/").status, 403)

    def test_a_location_is_never_another_host(self):
        (self.root / "evil.com").mkdir()
        proxy = self.proxy_for(extra='[client]\nduplicate_slashes = "keep"')
        self.statuses(proxy, {"//evil.com": 404, "//a.txt": 404, "/images//a.png": 404})
        self.assertEqual(self.proxy_for().get("//evil.com").get("location"), "/evil.com/")

    def test_a_rewrite_makes_no_circle(self):
        self.put("docs/index.html", b"docs")
        proxy = self.proxy_for(route='rewrite = { replace_path = "/docs" }')
        self.assertEqual(proxy.get("/x").get("location"), "/x/")
        self.assertEqual(proxy.get("/x/").body, b"docs")

    def test_fallback(self):
        proxy = self.proxy_for('fallback = "/index.html"')
        for path in ("/cart", "/cart/1/", "/images/", "/a.txt/x", "/" + "x" * 255):
            answer = proxy.get(path)
            self.assertEqual((answer.status, answer.body, answer.get("content-type")), (200, b"<h1>home</h1>", "text/html; charset=utf-8"), path)
        self.assertEqual(proxy.get("/a.txt").body, b"0123456789")
        self.assertEqual(proxy.get("/cart", method="HEAD").get("content-length"), "13")
        self.assertEqual(proxy.get("/cart", method="POST").status, 405)
        # It is not in place of what is there and kept back.
        self.put(".env", b"secret")
        self.statuses(proxy, {"/.env": 404, "/.git/config": 404})
        (self.root / "index.html").unlink()
        self.assertEqual(until(lambda: proxy.get("/cart").status == 404, "the fallback to be missed"), True)

    def test_lists(self):
        self.put("list/b <i>&'\".txt", b"12345")
        self.put("list/sub/x", b"")
        self.put("list/.hidden", b"x")
        self.put("list/javascript:alert(1)", b"x")
        self.put("list/back\\slash", b"x")
        os.symlink("/etc/passwd", self.root / "list" / "out")
        os.mkfifo(self.root / "list" / "fifo")
        proxy = self.proxy_for("autoindex = true")
        page = proxy.get("/list/", headers=[("Accept", "text/html")])
        text = page.body.decode()
        self.assertEqual((page.status, page.get("content-type"), page.get("vary")), (200, "text/html; charset=utf-8", "Accept"))
        self.assertIn("default-src 'none'", page.get("content-security-policy"))
        self.assertIn('<a href="./b%20%3Ci%3E%26%27%22.txt">b &lt;i&gt;&amp;&#39;&quot;.txt</a><td>5<td>', text)
        self.assertIn('href="./javascript%3Aalert%281%29"', text)
        self.assertLess(text.index("sub/"), text.index("b &lt;"))
        for absent in ("hidden", "out", "fifo", "back", "<script", "<i>"):
            self.assertNotIn(absent, text.replace("out-", ""), absent)
        for accept in ("application/json", "application/json, text/html;q=0.5"):
            answer = proxy.get("/list/", headers=[("Accept", accept)])
            self.assertEqual(answer.get("content-type"), "application/json")
            rows = {row["name"]: row for row in json.loads(answer.body)}
            self.assertEqual(list(rows), ["sub", "b <i>&'\".txt", "javascript:alert(1)"])
            self.assertEqual((rows["sub"]["type"], rows["b <i>&'\".txt"]["size"]), ("directory", 5))
        self.assertEqual(proxy.get("/list/", headers=[("Accept", "*/*")]).get("content-type"), "text/html; charset=utf-8")
        self.statuses(proxy, {"/list": 308, "/nowhere/": 404, "/": 200, "/a.txt/": 404})
        self.assertEqual(proxy.get("/").body, b"<h1>home</h1>")

    def test_long_lists_end(self):
        (self.root / "many").mkdir()
        for i in range(10_050):
            (self.root / "many" / f"{i:06}").touch()
        answer = self.proxy_for("autoindex = true").get("/many/")
        self.assertEqual((answer.status, answer.body.count(b'<a href="./')), (200, 10_000))
        self.assertIn(b"more than 10000", answer.body)


class Conditions(FilesTest):
    def setUp(self):
        super().setUp()
        self.proxy = self.proxy_for('cache_control = "max-age=60"')
        first = self.proxy.get("/a.txt")
        self.etag, self.modified = first.get("etag"), first.get("last-modified")

    def ask(self, *headers, path="/a.txt", method="GET"):
        return self.proxy.get(path, headers=headers, method=method)

    def test_not_modified(self):
        for method in ("GET", "HEAD"):
            for headers in ([("If-None-Match", self.etag)], [("If-None-Match", "W/" + self.etag)], [("If-None-Match", f'"x", {self.etag}')], [("If-None-Match", "*")],
                            [("If-Modified-Since", self.modified)], [("If-None-Match", self.etag), ("Range", "bytes=0-1")]):
                answer = self.ask(*headers, method=method)
                self.assertEqual((answer.status, answer.body, answer.get("etag"), answer.get("cache-control")), (304, b"", self.etag, "max-age=60"), headers)
                self.assertIsNone(answer.get("content-type"))
                self.assertIsNone(answer.get("accept-ranges"))

    def test_modified(self):
        old = "Sun, 06 Nov 1994 08:49:37 GMT"
        for headers in ([("If-None-Match", '"x"')], [("If-Modified-Since", old)], [("If-Modified-Since", "rubbish")], [("If-None-Match", '"x"'), ("If-Modified-Since", self.modified)],
                        [("If-Match", self.etag)], [("If-Match", "*")], [("If-Unmodified-Since", self.modified)]):
            self.assertEqual(self.ask(*headers).status, 200, headers)

    def test_failed(self):
        old = "Sun, 06 Nov 1994 08:49:37 GMT"
        for headers in ([("If-Match", '"x"')], [("If-Match", "W/" + self.etag)], [("If-Unmodified-Since", old)]):
            self.assertEqual(self.ask(*headers).status, 412, headers)

    def test_a_change_shows_at_once(self):
        self.put("a.txt", b"9876543210", age=5)
        answer = self.ask(("If-None-Match", self.etag))
        self.assertEqual((answer.status, answer.body), (200, b"9876543210"))

    def test_a_new_file_by_the_name_shows_soon(self):
        self.put("new", b"renamed", age=5).rename(self.root / "a.txt")
        until(lambda: self.ask(("If-None-Match", self.etag)).body == b"renamed", "the new one", limit=3)
        (self.root / "a.txt").unlink()
        until(lambda: self.ask().status == 404, "its end", limit=3)

    def test_one_range(self):
        for asked, got, told in (("bytes=0-0", b"0", "bytes 0-0/10"), ("bytes=2-4", b"234", "bytes 2-4/10"), ("bytes=7-", b"789", "bytes 7-9/10"), ("bytes=-3", b"789", "bytes 7-9/10"),
                                 ("bytes=0-99", b"0123456789", "bytes 0-9/10"), ("bytes=-99", b"0123456789", "bytes 0-9/10"), ("BYTES = 2-4", b"234", "bytes 2-4/10")):
            answer = self.ask(("Range", asked))
            self.assertEqual((answer.status, answer.body, answer.get("content-range"), answer.get("content-length")), (206, got, told, str(len(got))), asked)
            self.assertEqual((answer.get("etag"), answer.get("content-type")), (self.etag, "text/plain; charset=utf-8"))

    def test_ranges_that_count_for_nothing(self):
        for asked in ("bytes=4-2", "bytes=a-b", "lines=0-1", "bytes=", "0-1", "bytes=0-5,0-5,0-5", "bytes=" + ",".join(["0-0"] * 17)):
            answer = self.ask(("Range", asked))
            self.assertEqual((answer.status, answer.body), (200, b"0123456789"), asked)
        self.assertEqual(self.ask(("Range", "bytes=0-1"), method="HEAD").status, 200)

    def test_ranges_behind_the_end(self):
        for asked in ("bytes=10-", "bytes=99-100", "bytes=-0", "bytes=18446744073709551616-"):
            answer = self.ask(("Range", asked))
            self.assertEqual((answer.status, answer.get("content-range")), (416, "bytes */10"), asked)
        self.put("empty", b"")
        self.assertEqual(self.ask(("Range", "bytes=0-0"), path="/empty").status, 416)

    def test_several_ranges(self):
        answer = self.ask(("Range", "bytes=0-1,4-4, -2"))
        kind = answer.get("content-type")
        self.assertEqual(answer.status, 206)
        self.assertTrue(kind.startswith("multipart/byteranges; boundary="), kind)
        self.assertEqual(int(answer.get("content-length")), len(answer.body))
        parts = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + answer.body).get_payload()
        self.assertEqual([(part["Content-Range"], part.get_payload(decode=True), part["Content-Type"]) for part in parts],
                         [("bytes 0-1/10", b"01", "text/plain; charset=utf-8"), ("bytes 4-4/10", b"4", "text/plain; charset=utf-8"), ("bytes 8-9/10", b"89", "text/plain; charset=utf-8")])

    def test_if_range(self):
        for validator, status in ((self.etag, 206), (self.modified, 206), ('"x"', 200), ("W/" + self.etag, 200), ("Sun, 06 Nov 1994 08:49:37 GMT", 200)):
            self.assertEqual(self.ask(("Range", "bytes=0-1"), ("If-Range", validator)).status, status, validator)


class Escapes(FilesTest):
    """What an attacker tries."""

    def setUp(self):
        super().setUp()
        (self.home / "secret.txt").write_bytes(b"SECRET")
        (self.home / "www-old").mkdir()
        (self.home / "www-old" / "a.txt").write_bytes(b"SECRET")

    def raw(self, proxy, target):
        with proxy.connect() as client:
            client.send(b"GET " + target + b" HTTP/1.1\r\nHost: shop.com\r\nConnection: close\r\n\r\n")
            answer = client.response()
            return answer

    def test_no_way_out_by_the_path(self):
        for policy in ("guard", "keep", "decode"):
            for slashes in ("merge", "keep"):
                proxy = self.proxy_for(extra=f'[client]\nencoded_slash = "{policy}"\nduplicate_slashes = "{slashes}"')
                for target in (b"/../secret.txt", b"/images/../../secret.txt", b"/%2e%2e/secret.txt", b"/.%2e/secret.txt", b"/%2E%2E%2Fsecret.txt", b"/..%2fsecret.txt",
                               b"/images/..%2f..%2fsecret.txt", b"/..%5csecret.txt", b"/images/%2e%2e%5c%2e%2e%5csecret.txt", b"/%252e%252e/secret.txt", b"/..%252fsecret.txt",
                               b"/%c0%ae%c0%ae/secret.txt", b"/%c0%ae%c0%ae%c0%afsecret.txt", b"/..;/secret.txt", b"/images/..;/..;/secret.txt", b"/a.txt%00.png", b"/%00", b"/images%00/../a.txt",
                               b"//../secret.txt", b"/images//..//../secret.txt", b"/./../secret.txt", b"/.../secret.txt", b"/../www-old/a.txt", b"/%2e%2e/www-old/a.txt", b"/../www/../secret.txt",
                               b"/%2e%2e%2e%2e/secret.txt", b"/images/%2e%2e/%2e%2e/secret.txt", b"/\\..\\secret.txt", b"/~/secret.txt", b"/proc/self/environ", b"/dev/stdin",
                               b"/%2fetc/passwd", b"/%2f%2fetc%2fpasswd", b"//etc/passwd", b"http://shop.com/../secret.txt", b"/a.txt/../../secret.txt", b"/a\x80/../../secret.txt",
                               str(self.home).encode() + b"/secret.txt", b"/" + b"../" * 30 + b"etc/passwd", b"/" + b"%2e%2e/" * 30 + b"etc/passwd"):
                    answer = self.raw(proxy, target)
                    self.assertIn(answer.status, (400, 404), f"{policy} {slashes} {target}: {answer}")
                    self.assertNotIn(b"SECRET", answer.body)
                    self.assertNotIn(b"root:", answer.body)
                    self.assertNotIn(str(self.home).encode(), answer.body)

    def test_dot_segments_within_are_the_path_they_mean(self):
        proxy = self.proxy_for()
        for target in (b"/images/../a.txt", b"/./a.txt", b"/%2e/a.txt", b"/images/%2e%2e/a.txt", b"//a.txt", b"/%61.txt"):
            self.assertEqual(self.raw(proxy, target).body, b"0123456789", target)

    def test_links(self):
        links = {"out": "../secret.txt", "absolute": str(self.home / "secret.txt"), "within": "a.txt", "images/up": "../a.txt", "up": "..", "loop": "loop", "images/far": "../../secret.txt",
                 "own": str(self.root / "a.txt"), "self": "/proc/self/root", "broken": "nowhere", "dir": "images"}
        for name, target in links.items():
            os.symlink(target, self.root / name)
        proxy = self.proxy_for()
        self.statuses(proxy, {"/out": 403, "/absolute": 403, "/within": 200, "/images/up": 200, "/up/secret.txt": 403, "/up/www/a.txt": 403, "/loop": 403, "/images/far": 403, "/own": 403,
                              "/self/etc/passwd": 403, "/broken": 404, "/dir/a.png": 200, "/dir": 308, "/up": 403, "/self": 403})
        self.assertIn("leads by a link", proxy.log())
        proxy = self.proxy_for('symlinks = "refuse"')
        self.statuses(proxy, {"/within": 403, "/dir/a.png": 403, "/out": 403, "/a.txt": 200, "/images/a.png": 200})
        proxy = self.proxy_for('symlinks = "follow"')
        self.statuses(proxy, {"/within": 200, "/out": 200, "/own": 200, "/up/secret.txt": 200, "/loop": 403})
        # Still nothing by the path alone.
        self.assertIn(self.raw(proxy, b"/../secret.txt").status, (400, 404))

    def test_hidden_files(self):
        for name in (".env", ".git/config", "images/.htaccess", ".well-known/acme", ".well-known/.secret", "..a", "docs/.git/x"):
            self.put(name, b"x")
        proxy = self.proxy_for()
        self.statuses(proxy, {"/.env": 404, "/%2eenv": 404, "/.git/config": 404, "/.git": 404, "/.git/": 404, "/images/.htaccess": 404, "/.well-known/acme": 200, "/.well-known/.secret": 404,
                              "/..a": 404, "/docs/.git/x": 404, "/.missing": 404})
        self.statuses(self.proxy_for("hidden = true"), {"/.env": 200, "/.git/config": 200, "/.git": 308, "/..a": 200, "/.missing": 404})

    def test_what_is_no_file(self):
        os.mkfifo(self.root / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.root / "socket"))
            self.statuses(self.proxy_for(), {"/fifo": 404, "/socket": 404, "/a.txt": 200})

    def test_devices(self):
        try:
            os.mknod(self.root / "null", 0o666 | 0o020000, os.makedev(1, 3))
        except PermissionError:
            self.skipTest("only root makes devices")
        self.statuses(self.proxy_for(), {"/null": 404})

    def test_names_that_are_too_long(self):
        proxy = self.proxy_for()
        self.statuses(proxy, {"/" + "x" * 255: 404, "/" + "x" * 256: 404, "/" + "x/" * 2000: 404, "/" + "%C3%A4" * 300: 404})

    def test_what_may_not_be_read(self):
        self.put("closed.txt", b"x").chmod(0)
        self.put("closed/a.txt", b"x")
        (self.root / "closed").chmod(0)
        self.addCleanup((self.root / "closed").chmod, 0o755)
        if os.access(self.root / "closed.txt", os.R_OK):
            self.skipTest("root reads everything")
        self.statuses(self.proxy_for(), {"/closed.txt": 403, "/closed/a.txt": 403})

    def test_many_names_that_are_not_there(self):
        proxy = self.proxy_for()
        with proxy.connect() as client:
            for i in range(3000):
                self.assertEqual(client.request(path=f"/nothing{i}").status, 404)
            self.assertEqual(client.request(path="/a.txt").status, 200)
        held = len(os.listdir(f"/proc/{proxy.process.pid}/fd"))
        self.assertLess(held, 100)


class Compressed(FilesTest):
    def setUp(self):
        super().setUp()
        self.text = b"body { color: black }\n" * 200
        self.put("a.css", self.text)
        for suffix in ("gz", "br", "zst"):
            self.put(f"a.css.{suffix}", suffix.encode() * 10)

    def ask(self, proxy, accept, path="/a.css", **given):
        headers = [("Accept-Encoding", accept)] if accept is not None else []
        return proxy.get(path, headers=[*headers, *given.pop("headers", [])], **given)

    def test_is_chosen(self):
        proxy = self.proxy_for('precompressed = ["zstd", "br", "gzip"]')
        for accept, coding in ((None, None), ("gzip", "gzip"), ("gzip, br", "br"), ("gzip, deflate, br, zstd", "zstd"), ("br;q=0.5, gzip;q=1", "gzip"), ("gzip;q=0, br;q=0", None), ("identity", None),
                               ("*", "zstd"), ("*;q=0.1, zstd;q=0", "br"), ("GZIP", "gzip"), ("x-unknown", None), ("", None)):
            answer = self.ask(proxy, accept)
            suffix = {"gzip": b"gz", "br": b"br", "zstd": b"zst"}.get(coding)
            self.assertEqual((answer.status, answer.get("content-encoding"), answer.get("vary")), (200, coding, "Accept-Encoding"), accept)
            self.assertEqual(answer.body, suffix * 10 if suffix else self.text)
            self.assertEqual(answer.get("content-type"), "text/css; charset=utf-8")

    def test_each_form_has_its_tag(self):
        proxy = self.proxy_for("precompressed = true")
        tags = {coding: self.ask(proxy, coding).get("etag") for coding in (None, "gzip", "br", "zstd")}
        self.assertEqual(len(set(tags.values())), 4)
        for coding, tag in tags.items():
            self.assertEqual(self.ask(proxy, coding, headers=[("If-None-Match", tag)]).status, 304)
            self.assertEqual(self.ask(proxy, coding, headers=[("If-None-Match", tag)]).get("vary"), "Accept-Encoding")
        self.assertEqual(self.ask(proxy, "gzip", headers=[("If-None-Match", tags[None])]).status, 200)
        answer = self.ask(proxy, "gzip", headers=[("Range", "bytes=0-1")])
        self.assertEqual((answer.status, answer.body, answer.get("content-encoding"), answer.get("content-range")), (206, b"gz", "gzip", "bytes 0-1/20"))

    def test_is_left_out(self):
        self.put("a.css.br", b"old", age=1000)
        (self.root / "a.css.zst").unlink()
        os.symlink(self.home / "config.toml", self.root / "a.css.zst")
        proxy = self.proxy_for("precompressed = true")
        self.assertEqual(self.ask(proxy, "br").get("content-encoding"), None)
        self.assertEqual(self.ask(proxy, "zstd").get("content-encoding"), None)
        self.assertEqual(self.ask(proxy, "br, gzip").get("content-encoding"), "gzip")
        self.assertEqual(self.ask(self.proxy_for(), "gzip").get("content-encoding"), None)
        self.assertIsNone(self.ask(self.proxy_for(), "gzip").get("vary"))
        # Without the original there is nothing.
        self.put("only.css.gz", b"x")
        self.assertEqual(self.ask(proxy, "gzip", path="/only.css").status, 404)
        self.assertEqual(self.ask(proxy, "gzip", path="/only.css.gz").get("content-type"), "application/gzip")

    def test_of_an_index_and_a_fallback(self):
        self.put("index.html.gz", b"packed")
        proxy = self.proxy_for('precompressed = ["gzip"], fallback = "/index.html"')
        for path in ("/", "/cart"):
            answer = self.ask(proxy, "gzip", path=path)
            self.assertEqual((answer.body, answer.get("content-encoding"), answer.get("content-type")), (b"packed", "gzip", "text/html; charset=utf-8"))

    def test_is_what_gzip_makes(self):
        self.put("b.css", self.text)
        subprocess.run(["gzip", "-k", str(self.root / "b.css")], check=True)
        answer = self.ask(self.proxy_for("precompressed = true"), "gzip", path="/b.css")
        self.assertEqual(gzip.decompress(answer.body), self.text)


class Transport(FilesTest):
    def curl(self, *arguments):
        return subprocess.run(["curl", "-sSk", "-m", str(LIMIT), *arguments], capture_output=True, check=True).stdout

    def forget(self, path):
        """Whoever reads it next waits for the disk."""
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def test_large_files_are_exact(self):
        sizes = (1, 16 * 1024, 16 * 1024 + 1, 64 * 1024, 256 * 1024, 256 * 1024 + 1, MEGABYTE, 20 * MEGABYTE + 7)
        for size in sizes:
            self.put(f"{size}.bin", content(size, size))
        proxy = self.proxy_for()
        with proxy.connect() as client:
            for cold in (True, False):
                for size in sizes:
                    if cold:
                        self.forget(self.root / f"{size}.bin")
                    answer = client.request(path=f"/{size}.bin")
                    self.assertTrue(answer.body == content(size, size), f"{size} {cold}: {len(answer.body)}")
            large = sizes[-1]
            for first, last in ((0, large - 1), (5, 5), (large - 3 * MEGABYTE, large - 2), (255 * 1024, 257 * 1024)):
                answer = client.request(path=f"/{large}.bin", headers=[("Range", f"bytes={first}-{last}")])
                self.assertTrue(answer.body == content(large, large)[first : last + 1], f"{first}-{last}")

    def test_over_tls_and_http2(self):
        authority = make_authority(self.home)
        make_certificate(self.home, "shop", "shop.com")
        self.put("large.bin", content("large", 5 * MEGABYTE + 3))
        proxy = self.proxy_for(listen='https = "127.0.0.1:0"',
                               extra=f'[tls]\ncert = "{self.home}/shop.pem"\nkey = "{self.home}/shop.key"')
        base = f"https://shop.com:{proxy.address[1]}"
        resolve = ("--resolve", f"shop.com:{proxy.address[1]}:127.0.0.1")
        for version in ("--http1.1", "--http2"):
            for cold in (True, False):
                if cold:
                    self.forget(self.root / "large.bin")
                self.assertTrue(self.curl(*resolve, version, f"{base}/large.bin") == content("large", 5 * MEGABYTE + 3), version)
            self.assertEqual(self.curl(*resolve, version, "-r", "2-4", f"{base}/a.txt"), b"234")
            self.assertEqual(self.curl(*resolve, version, "-I", "-o", "/dev/null", "-w", "%{http_code} %{http_version} %{content_type}", f"{base}/a.txt").split()[0], b"200")
            self.assertEqual(self.curl(*resolve, version, "-w", "%{http_code}", "-o", "/dev/null", f"{base}/missing"), b"404")
            tag = re.search(rb'etag: (\S+)', self.curl(*resolve, version, "-I", f"{base}/a.txt"), re.I)[1].decode()
            self.assertEqual(self.curl(*resolve, version, "-w", "%{http_code}", "-H", f"If-None-Match: {tag}", f"{base}/a.txt"), b"304")
            self.assertEqual(self.curl(*resolve, version, "--path-as-is", "-w", "%{http_code}", "-o", "/dev/null", f"{base}/../config.toml"), b"400")
            ranges = self.curl(*resolve, version, "-r", "0-1,4-5", f"{base}/a.txt")
            self.assertIn(b"Content-Range: bytes 4-5/10\r\n\r\n45\r\n", ranges)
        with connect_tls(proxy.address, "shop.com", client_context(authority)) as client:
            self.assertEqual(client.request(path="/a.txt").body, b"0123456789")

    def test_plain_http2(self):
        self.put("large.bin", content("large", 3 * MEGABYTE))
        proxy = self.proxy_for()
        base = f"http://127.0.0.1:{proxy.address[1]}"
        self.assertTrue(self.curl("--http2-prior-knowledge", f"{base}/large.bin") == content("large", 3 * MEGABYTE))
        self.assertEqual(self.curl("--http2-prior-knowledge", "-w", "%{http_code}", "-o", "/dev/null", f"{base}/x"), b"404")

    def test_a_thousand_files(self):
        for i in range(1000):
            self.put(f"{i % 10}/{i}.txt", str(i).encode())
        proxy = self.proxy_for()
        with proxy.connect() as client:
            for _ in range(2):
                for i in range(1000):
                    self.assertEqual(client.request(path=f"/{i % 10}/{i}.txt").body, str(i).encode())

    def test_few_descriptors_are_enough(self):
        for i in range(200):
            self.put(f"{i}.txt", str(i).encode())
        proxy = self.start(Proxy(f'[server]\nworkers = 1\n[listen]\nhttp = "127.0.0.1:0"\n[[routes]]\nmatch = "*"\nfiles = "{self.root}"\n', descriptors=128))
        with proxy.connect() as client:
            for i in range(200):
                self.assertEqual(client.request(path=f"/{i}.txt").body, str(i).encode())

    def test_what_nobody_asks_for_is_let_go(self):
        proxy = self.proxy_for()
        proxy.get("/a.txt")
        links = lambda: [os.readlink(link) for link in pathlib.Path(f"/proc/{proxy.process.pid}/fd").iterdir() if link.is_symlink()]
        self.assertTrue(any(link.endswith("/a.txt") for link in links()))
        until(lambda: not any(link.endswith("/a.txt") for link in links()), "it to be closed")

    def test_a_file_that_shrinks_is_cut_short(self):
        size = 30 * MEGABYTE
        path = self.put("film.mp4", content("film", size))
        proxy = self.proxy_for()
        with proxy.connect() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.send("GET /film.mp4 HTTP/1.1\r\nHost: shop.com\r\n\r\n")
            head = client.reader.head()
            self.assertEqual(head.get("content-length"), str(size))
            os.truncate(path, 20 * MEGABYTE)
            answer = client.reader.content(head, until_close=False)
            self.assertFalse(answer.complete)
            self.assertTrue(answer.body == content("film", size)[: len(answer.body)])
            self.assertTrue(client.is_closed())
        self.assertEqual(proxy.get("/film.mp4", method="HEAD").get("content-length"), str(20 * MEGABYTE))

    def test_a_file_that_is_replaced_is_finished(self):
        size = 30 * MEGABYTE
        self.put("film.mp4", content("film", size))
        proxy = self.proxy_for()
        with proxy.connect() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.send("GET /film.mp4 HTTP/1.1\r\nHost: shop.com\r\n\r\n")
            head = client.reader.head()
            self.put("new", b"new").rename(self.root / "film.mp4")
            until(lambda: proxy.get("/film.mp4").body == b"new", "the new one", limit=3)
            self.assertTrue(client.reader.content(head, until_close=False).body == content("film", size))

    def test_clients_that_leave(self):
        self.put("film.mp4", content("film", 30 * MEGABYTE))
        proxy = self.proxy_for()
        for _ in range(20):
            with proxy.connect() as client:
                self.forget(self.root / "film.mp4")
                client.send("GET /film.mp4 HTTP/1.1\r\nHost: shop.com\r\n\r\n")
                client.socket.recv(1000)
        self.assertEqual(proxy.get("/a.txt").status, 200)
        until(lambda: sum(1 for link in pathlib.Path(f"/proc/{proxy.process.pid}/fd").iterdir() if link.is_symlink() and "film" in os.readlink(link)) <= 2, "files to be closed")

    def test_many_at_once(self):
        size = 2 * MEGABYTE
        for i in range(8):
            self.put(f"{i}.bin", content(i, size))
        proxy, wrong = self.proxy_for(), []

        def fetch(i):
            for j in range(10):
                name = (i + j) % 8
                if proxy.get(f"/{name}.bin").body != content(name, size):
                    wrong.append((i, j))

        threads = [threading.Thread(target=fetch, args=(i,)) for i in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT * 3)
        self.assertEqual(wrong, [])


class Roots(FilesTest):
    def test_a_root_that_goes_and_comes(self):
        proxy = self.proxy_for()
        self.assertEqual(proxy.get("/a.txt").status, 200)
        self.root.rename(self.home / "away")
        until(lambda: proxy.get("/a.txt").status == 404, "it to be missed")
        until(lambda: f"{self.root} has gone" in proxy.log(), "the log")
        (self.home / "away").rename(self.root)
        until(lambda: proxy.get("/a.txt").status == 200, "it to be found")

    def test_a_deployment_by_link(self):
        for name in ("one", "two"):
            (self.home / name).mkdir()
            (self.home / name / "a.txt").write_bytes(name.encode())
        shutil.rmtree(self.root)
        os.symlink("one", self.root)
        proxy = self.proxy_for()
        self.assertEqual(proxy.get("/a.txt").body, b"one")
        os.symlink("two", self.home / "next")
        (self.home / "next").rename(self.root)
        until(lambda: proxy.get("/a.txt").body == b"two", "the other release", limit=4)
        self.assertIn("leads to another directory", proxy.log())

    def test_none_is_an_error_when_it_is_loaded(self):
        (self.home / "file").write_bytes(b"")
        for root, told in (("nowhere", "can't be opened: No such file or directory"), ("file", "is no directory")):
            path = self.home / "bad.toml"
            path.write_text(f'[listen]\nhttp = "127.0.0.1:0"\n[[routes]]\nmatch = "*"\nfiles = "{root}"\n')
            done = subprocess.run([os.environ["RPROXY"], "serve", str(path)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertIn(f"error[RP1212]: {self.home}/{root} {told}", done.stderr)
            self.assertIn('files = "', done.stderr)

    def test_a_reload_takes_another(self):
        proxy = self.proxy_for()
        other = self.home / "other"
        other.mkdir()
        (other / "a.txt").write_bytes(b"other")
        self.assertEqual(proxy.get("/a.txt").body, b"0123456789")
        path = proxy.directory / "config.toml"
        path.write_text(path.read_text().replace(f'"{self.root}"', f'"{other}"'))
        proxy.signal(1)
        until(lambda: "reloaded in" in proxy.log(), "the reload")
        self.assertEqual(proxy.get("/a.txt").body, b"other")
        path.write_text(path.read_text().replace(f'"{other}"', '"/nowhere"'))
        proxy.signal(1)
        until(lambda: "not reloaded" in proxy.log(), "the refusal")
        self.assertEqual(proxy.get("/a.txt").body, b"other")


class AsNginx(FilesTest):
    """What nginx says to the same requests for the same files."""

    def test_same(self):
        nginx = self.start(Nginx(locations="root {home}/files; types { text/plain txt; image/png png; text/html html; text/css css; } "
                                           "location = / { index index.html; } location ~ ^/[^?] { gzip_static on; gzip_vary on; index index.html; }"))
        shutil.rmtree(self.root)
        self.root = nginx.home / "files"
        self.put("index.html", b"<h1>home</h1>")
        self.put("a.txt", b"0123456789")
        self.put("images/a.png", b"image")
        self.put("docs/index.html", b"docs")
        self.put("a.css", b"x" * 100)
        self.put("a.css.gz", gzip.compress(b"x" * 100))
        subprocess.run(["chmod", "-R", "a+rX", str(nginx.home)], check=True)
        proxy = self.proxy_for('precompressed = ["gzip"]')
        then = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(os.stat(self.root / "a.txt").st_mtime))
        with proxy.connect() as ours:
            for path, headers in (("/", ()), ("/a.txt", ()), ("/images/", ()), ("/docs/", ()), ("/missing", ()), ("/a.txt/", ()), ("/a.txt/x", ()), ("/missing/", ()), ("/images/a.png?x", ()),
                                  ("/a.txt", [("Range", "bytes=0-3")]), ("/a.txt", [("Range", "bytes=-3")]), ("/a.txt", [("Range", "bytes=99-")]),
                                  ("/a.txt", [("Range", "lines=0-1")]), ("/a.txt", [("If-Modified-Since", then)]), ("/a.txt", [("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")]),
                                  ("/a.txt", [("Range", "bytes=0-1"), ("If-Range", then)]), ("/a.txt", [("Range", "bytes=0-1"), ("If-Range", '"x"')]), ("/a.txt", [("If-None-Match", '"x"')]),
                                  ("/a.txt", [("If-Match", '"x"')]), ("/a.css", [("Accept-Encoding", "gzip")]), ("/a.css", [("Accept-Encoding", "gzip;q=0")]), ("/a.css", ())):
                with Client((nginx.host, nginx.port)) as theirs:
                    here, there = ours.request(path=path, headers=headers), theirs.request(path=path, headers=headers)
                names = ["content-length", "content-range", "content-encoding", "last-modified", "vary"] if here.status < 300 else ["content-range"]
                self.assertEqual((here.status, *(here.get(name) for name in names)), (there.status, *(there.get(name) for name in names)), (path, headers))
                if here.status < 300:
                    self.assertEqual(here.body, there.body)
                    self.assertEqual(here.get("content-type").split(";")[0], there.get("content-type").split(";")[0])


if __name__ == "__main__":
    unittest.main()
