"""A cache in front of a real nginx: its files, validators, ranges, gzip and expiry."""

import gzip
import os
import time
import unittest

from harness import Proxy, TestCase, until
from nginx import Nginx

LOCATIONS = """
    root {home}/files;
    gzip on; gzip_vary on; gzip_min_length 100; gzip_http_version 1.0; gzip_proxied any; gzip_types text/css;
    types { text/css css; image/png png; video/mp4 mp4; }
    location /images/ { expires 1h; }
    location /soon/ { add_header Cache-Control "max-age=0"; }
    location /heuristic/ { }
    location /films/ { expires 1h; }
"""
CSS = b"body { color: black; }\n" * 100
FILM = bytes(range(256)) * 8192


class NginxOrigin(TestCase):
    def setUp(self):
        super().setUp()
        self.nginx = self.start(Nginx(locations=LOCATIONS))
        self.put("images/a.png", b"image")
        self.put("images/a.css", CSS)
        self.put("soon/a.png", b"first")
        self.put("heuristic/a.png", b"old", age=86_400)
        self.put("films/a.mp4", FILM)

    def put(self, name, content, age=0):
        path = self.nginx.home / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        for each in (path.parent.parent, path.parent):
            each.chmod(0o755)
        path.chmod(0o644)
        then = time.time() - age
        os.utime(path, (then, then))

    def proxy_for(self, cache="true", disk=""):
        return self.start(Proxy(f"""
[listen]
http = "127.0.0.1:0"
[upstreams.app]
servers = ["{self.nginx.name}"]
{disk}
[[routes]]
match = "*"
upstream = "app"
cache = {cache}
"""))

    def test_files_are_given_without_it(self):
        proxy = self.proxy_for()
        first = proxy.get("/images/a.png")
        self.assertIn("stored", first.get("cache-status"))
        self.nginx.kill()
        again = proxy.get("/images/a.png")
        self.assertEqual((again.status, again.body), (200, b"image"))
        self.assertIn("; hit; ttl=", again.get("cache-status"))
        self.assertEqual(again.get("etag"), first.get("etag"))
        self.assertEqual(proxy.get("/images/a.png", headers=[("If-None-Match", first.get("etag"))]).status, 304)
        self.assertEqual(proxy.get("/images/a.png", headers=[("If-Modified-Since", first.get("last-modified"))]).status, 304)

    def test_what_has_not_changed_is_validated_what_has_is_fetched(self):
        proxy = self.proxy_for()
        self.assertEqual(proxy.get("/soon/a.png").body, b"first")
        validated = proxy.get("/soon/a.png")
        self.assertEqual(validated.body, b"first")
        self.assertIn("fwd=stale; fwd-status=304", validated.get("cache-status"))
        self.put("soon/a.png", b"second")
        self.assertEqual(proxy.get("/soon/a.png").body, b"second")

    def test_by_last_modified_alone_it_is_fresh_for_a_tenth(self):
        proxy = self.proxy_for()
        proxy.get("/heuristic/a.png")
        answer = proxy.get("/heuristic/a.png")
        ttl = int(answer.get("cache-status").rpartition("ttl=")[2])
        self.assertTrue(8000 < ttl <= 8640, ttl)

    def test_gzip_and_plain_are_beside_each_other(self):
        proxy = self.proxy_for()
        for _ in range(2):
            packed = proxy.get("/images/a.css", headers=[("Accept-Encoding", "gzip")])
            self.assertEqual(gzip.decompress(packed.body), CSS)
            self.assertEqual(proxy.get("/images/a.css").body, CSS)
        self.nginx.kill()
        self.assertEqual(gzip.decompress(proxy.get("/images/a.css", headers=[("Accept-Encoding", "gzip")]).body), CSS)
        self.assertEqual(proxy.get("/images/a.css").body, CSS)

    def ranges(self, proxy):
        for first, last in ((0, 99), (70_000, 1_500_000), (len(FILM) - 10, len(FILM) - 1)):
            answer = proxy.get("/films/a.mp4", headers=[("Range", f"bytes={first}-{last}")])
            self.assertEqual(answer.status, 206)
            self.assertEqual(answer.get("content-range"), f"bytes {first}-{last}/{len(FILM)}")
            self.assertTrue(answer.body == FILM[first : last + 1])

    def test_ranges_of_what_is_stored(self):
        proxy = self.proxy_for()
        self.assertTrue(proxy.get("/films/a.mp4").body == FILM)
        self.nginx.kill()
        self.ranges(proxy)

    def test_slices(self):
        proxy = self.proxy_for('{ slice = "256KiB" }')
        self.ranges(proxy)
        self.assertTrue(proxy.get("/films/a.mp4").body == FILM)
        self.nginx.kill()
        self.ranges(proxy)
        self.assertTrue(proxy.get("/films/a.mp4").body == FILM)

    def test_slices_on_the_disk(self):
        proxy = self.proxy_for('{ slice = "256KiB" }', '[cache]\nmax_object = "64KiB"\n[cache.disk]\npath = "store"')
        self.assertTrue(proxy.get("/films/a.mp4").body == FILM)
        self.nginx.kill()
        self.ranges(proxy)
        self.assertTrue(proxy.get("/films/a.mp4").body == FILM)

    def test_where_it_is_gone_stale_answers_do(self):
        proxy = self.proxy_for('{ stale_if_error = "1h" }')
        proxy.get("/soon/a.png")
        self.nginx.kill()
        answer = proxy.get("/soon/a.png")
        self.assertEqual((answer.status, answer.body), (200, b"first"))
        self.assertIn("detail=stale-if-error", answer.get("cache-status"))

    def test_what_is_not_there(self):
        proxy = self.proxy_for('{ negative_ttl = "1h" }')
        self.assertEqual(proxy.get("/films/none").status, 404)
        self.put("films/none", b"now it is")
        self.assertEqual(proxy.get("/films/none").status, 404)
        until(lambda: proxy.get("/films/none").get("age") is not None, "an answer of the cache")


if __name__ == "__main__":
    unittest.main()
