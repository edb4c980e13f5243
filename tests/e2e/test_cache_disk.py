"""What a cache keeps on the disk: over restarts, beyond memory, damaged, purged, full."""

import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from harness import LIMIT, Backend, Client, Proxy, TestCase, until

MEGABYTE = 1 << 20


def content(path, size):
    """The same for a path again and again, and of no block like another."""
    blocks, out = 0, bytearray()
    while len(out) < size:
        out += hashlib.sha512(f"{path} {blocks}".encode()).digest() * 64
        blocks += 1
    return bytes(out[:size])


class Origin:
    """/NAME/SIZE: so many bytes. Counts what it was asked."""

    def __init__(self, fields="Cache-Control: max-age=600\r\n"):
        self.fields = fields
        self.asked = []
        self.gate = threading.Event()
        self.gate.set()

    def script(self, peer):
        while True:
            request = peer.next_request()
            path = request.start_line.split(" ")[1]
            self.asked.append(request)
            body = content(path, int(path.split("/")[2].split("?")[0]))
            tag = f'"{len(body)}"'
            if request.get("if-none-match") == tag:
                peer.send(f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n{self.fields}X-Validated: yes\r\n\r\n".encode())
                continue
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: {tag}\r\nSurrogate-Key: {path.split('/')[1]}\r\n{self.fields}"
            if path.startswith("/chunked"):
                peer.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
                for begin in range(0, len(body), 100_000):
                    piece = body[begin : begin + 100_000]
                    peer.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                peer.send(b"0\r\n\r\n")
                continue
            peer.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
            self.gate.wait(LIMIT)
            peer.send(body[len(body) // 2 :])


class DiskTest(TestCase):
    def setUp(self):
        super().setUp()
        self.directory = tempfile.mkdtemp(prefix="rproxy-disk-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.store = pathlib.Path(self.directory) / "store"

    def proxy_for(self, origin, cache="", disk="", route="true", listen='http = "127.0.0.1:0"', extra=""):
        if not hasattr(self, "backend"):
            self.backend = self.start(Backend(origin.script))
        return self.start(Proxy(self.config(cache, disk, route, listen, extra), directory=self.directory))

    def config(self, cache="", disk="", route="true", listen='http = "127.0.0.1:0"', extra=""):
        return f"""
[server]
workers = 2
[listen]
{listen}
[admin]
socket = "admin.sock"
[upstreams.app]
servers = ["{self.backend.name}"]
retry = false
ejection = false
[[routes]]
match = "*"
upstream = "app"
cache = {route}
[cache]
{cache}
[cache.disk]
path = "store"
{disk}
{extra}
"""

    def ask(self, proxy, path, **members):
        return json.loads(proxy.admin(path, **members))

    def disk(self, proxy):
        return self.ask(proxy, "/cache")["disk"]

    def written(self, proxy, count):
        until(lambda: self.disk(proxy)["writes"] >= count, f"{count} writes")

    def files(self):
        return [path for path in self.store.glob("*/*/*") if path.parent.parent.name != "tmp"]

    def expect(self, proxy, path, hit, headers=()):
        answer = proxy.get(path, headers=headers)
        self.assertEqual(answer.status, 200, path)
        self.assertTrue(answer.body == content(path, int(path.split("/")[2])), f"{path}: {len(answer.body)} bytes that are not its own")
        if hit is not None:
            self.assertEqual("; hit" in answer.get("cache-status"), hit, f"{path}: {answer.get('cache-status')}")
        return answer

    # ---- What it is for.

    def test_what_was_stored_is_there_after_a_restart(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/1000", False)
        self.expect(proxy, "/b/300000", False)
        self.expect(proxy, "/chunked/400000", False)
        self.written(proxy, 3)
        proxy.stop()
        proxy = self.proxy_for(origin)
        for path in ("/a/1000", "/b/300000", "/chunked/400000"):
            answer = self.expect(proxy, path, True)
            self.assertGreaterEqual(int(answer.get("age")), 0)
            self.assertEqual(proxy.get(path, method="HEAD").get("content-length"), path.split("/")[2])
        self.assertEqual(proxy.get("/a/1000", headers=[("If-None-Match", '"1000"')]).status, 304)
        self.assertEqual(len(origin.asked), 3)

    def test_head_and_only_if_cached_look_on_the_disk(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/1000", False)
        self.written(proxy, 1)
        proxy.stop()
        proxy = self.proxy_for(origin)
        self.assertEqual(proxy.get("/b/1000", headers=[("Cache-Control", "only-if-cached")]).status, 504)
        self.assertEqual(proxy.get("/a/1000", headers=[("Cache-Control", "only-if-cached")]).status, 200)
        proxy.stop()
        proxy = self.proxy_for(origin)
        self.assertIn("; hit", proxy.get("/a/1000", method="HEAD").get("cache-status"))
        self.assertEqual(len(origin.asked), 1)

    def test_why_looks_where_a_request_would(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/1000", False)
        self.written(proxy, 1)
        for restarted in (False, True):
            if restarted:
                proxy.stop()
                proxy = self.proxy_for(origin)
            told = self.ask(proxy, "/cache/why", url="http://shop.com/a/1000")
            self.assertEqual((told["answer"], [each["tier"] for each in told["stored"]]), ("hit", ["disk" if restarted else "memory"]))
            told = self.ask(proxy, "/cache/why", url="http://shop.com/a/1000", fields=["Cache-Control: no-cache"])
            self.assertEqual(told["answer"], "stored, to be validated first")
            self.assertIn("5.2.1.4", told["reason"])
            self.assertEqual(self.ask(proxy, "/cache/why", url="http://shop.com/b/1000")["stored"], [])
        self.expect(proxy, "/a/1000", True)

    def test_killed_in_the_midst_it_loses_what_was_not_whole_and_no_more(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/1000", False)
        self.written(proxy, 1)
        origin.gate.clear()
        with proxy.connect() as client:
            client.send(b"GET /b/5000000 HTTP/1.1\r\nHost: shop.com\r\n\r\n")
            until(lambda: list((self.store / "tmp").iterdir()), "a draft")
            proxy.process.kill()
            proxy.wait()
        origin.gate.set()
        proxy = self.proxy_for(origin)
        self.assertEqual(list((self.store / "tmp").iterdir()), [])
        self.expect(proxy, "/a/1000", True)
        self.expect(proxy, "/b/5000000", False)

    def test_a_restart_with_many_answers_serves_at_once(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        with proxy.connect() as client:
            for i in range(300):
                client.request(path=f"/many/{i + 10}")
        self.written(proxy, 300)
        proxy.stop()
        proxy = self.proxy_for(origin)
        for i in range(0, 300, 7):
            self.expect(proxy, f"/many/{i + 10}", True)
        until(lambda: self.disk(proxy)["scanned"], "the scan")
        self.assertEqual(self.disk(proxy)["objects"], 300)

    # ---- Beyond memory.

    def test_large_answers_are_on_the_disk_alone(self):
        origin = Origin()
        proxy = self.proxy_for(origin, cache='memory = "8MiB"\nmax_object = "64KiB"')
        large = 5 * MEGABYTE + 123
        self.expect(proxy, f"/large/{large}", False)
        self.expect(proxy, f"/chunked/{large}", False)
        self.written(proxy, 2)
        for path in (f"/large/{large}", f"/chunked/{large}"):
            self.expect(proxy, path, True)
        # What was read for the last of them goes a moment after its end.
        until(lambda: self.ask(proxy, "/cache")["memory"]["bytes"] < MEGABYTE, "memory that holds none of it")
        proxy.stop()
        proxy = self.proxy_for(origin, cache='memory = "8MiB"\nmax_object = "64KiB"')
        for path in (f"/large/{large}", f"/chunked/{large}", f"/large/{large}"):
            self.expect(proxy, path, True)
        self.assertEqual(len(origin.asked), 2)

    def test_ranges_of_large_answers(self):
        origin = Origin()
        proxy = self.proxy_for(origin, cache='max_object = "64KiB"')
        size = 3 * MEGABYTE
        path = f"/large/{size}"
        whole = content(path, size)
        self.expect(proxy, path, False)
        self.written(proxy, 1)
        for restarted in (False, True):
            if restarted:
                proxy.stop()
                proxy = self.proxy_for(origin, cache='max_object = "64KiB"')
            for first, last in ((0, 0), (10, 300_000), (262_143, 262_144), (size - 5, size - 1), (1_000_000, 2_500_000)):
                answer = proxy.get(path, headers=[("Range", f"bytes={first}-{last}")])
                self.assertEqual((answer.status, answer.get("content-range")), (206, f"bytes {first}-{last}/{size}"))
                self.assertTrue(answer.body == whole[first : last + 1], f"{first}-{last}")
            answer = proxy.get(path, headers=[("Range", "bytes=0-9,2000000-2000009,-3")])
            self.assertIn("multipart/byteranges", answer.get("content-type"))
            for part in (whole[:10], whole[2_000_000:2_000_010], whole[-3:]):
                self.assertIn(part, answer.body)
        self.assertEqual(len(origin.asked), 1)

    def test_all_who_come_while_a_large_answer_comes_share_it(self):
        origin = Origin()
        proxy = self.proxy_for(origin, cache='max_object = "64KiB"')
        path = f"/large/{24 * MEGABYTE}"
        expected = content(path, 24 * MEGABYTE)
        origin.gate.clear()
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(proxy.get(path))) for _ in range(6)]
        for thread in threads[:3]:
            thread.start()
        until(lambda: len(origin.asked) == 1 and self.ask(proxy, "/cache")["memory"]["objects"] == 1, "the first half")
        for thread in threads[3:]:
            thread.start()
        origin.gate.set()
        for thread in threads:
            thread.join(LIMIT)
        self.assertEqual(len(answers), 6)
        self.assertTrue(all(answer.body == expected for answer in answers))
        self.assertEqual(len(origin.asked), 1)

    def test_a_slow_reader_costs_no_memory_and_hinders_nobody(self):
        origin = Origin()
        proxy = self.proxy_for(origin, cache='max_object = "64KiB"')
        path = f"/large/{40 * MEGABYTE}"
        with proxy.connect() as slow:
            slow.send(f"GET {path} HTTP/1.1\r\nHost: shop.com\r\n\r\n".encode())
            slow.reader.fill()
            self.expect(proxy, path, None)
            self.written(proxy, 1)
            self.assertLess(self.ask(proxy, "/cache")["memory"]["bytes"], 2 * MEGABYTE)
            self.assertTrue(slow.response().body == content(path, 40 * MEGABYTE))
        self.assertEqual(len(origin.asked), 1)

    def test_over_tls_and_http2(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=shop.com", "-days", "2",
                        "-keyout", f"{self.directory}/key.pem", "-out", f"{self.directory}/cert.pem"], check=True, capture_output=True)
        origin = Origin()
        proxy = self.proxy_for(origin, cache='max_object = "64KiB"', listen='https = "127.0.0.1:0"',
                               extra='[tls]\ncert = "cert.pem"\nkey = "key.pem"')
        path = f"/large/{3 * MEGABYTE + 7}"
        expected = content(path, 3 * MEGABYTE + 7)
        for version in ("--http1.1", "--http2", "--http1.1", "--http2"):
            done = subprocess.run(["curl", "-sSk", version, "-m", str(LIMIT), "--resolve", f"shop.com:{proxy.address[1]}:127.0.0.1",
                                   f"https://shop.com:{proxy.address[1]}{path}"], capture_output=True, check=True)
            self.assertTrue(done.stdout == expected, version)
            if version == "--http1.1":
                self.written(proxy, 1)
        self.assertEqual(len(origin.asked), 1)

    def test_evicted_from_memory_it_comes_from_the_disk(self):
        origin = Origin()
        proxy = self.proxy_for(origin, cache='memory = "1MiB"')
        with proxy.connect() as client:
            for i in range(60):
                client.request(path=f"/e{i}/50000")
        self.written(proxy, 60)
        for i in range(60):
            self.expect(proxy, f"/e{i}/50000", True)
        self.assertEqual(len(origin.asked), 60)
        self.assertGreater(self.disk(proxy)["hits"], 30)

    # ---- Staying right.

    def test_validated_it_is_so_on_the_disk(self):
        origin = Origin("Cache-Control: max-age=0\r\n")
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/1000", False)
        self.written(proxy, 1)
        origin.fields = "Cache-Control: max-age=600\r\n"
        self.assertEqual(self.expect(proxy, "/a/1000", False).get("x-validated"), "yes")
        self.written(proxy, 2)
        proxy.stop()
        proxy = self.proxy_for(origin)
        self.assertEqual(self.expect(proxy, "/a/1000", True).get("x-validated"), "yes")
        self.assertEqual(len(origin.asked), 2)

    def test_stale_on_the_disk_is_validated(self):
        origin = Origin("Cache-Control: max-age=0\r\n")
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/400000", False)
        self.written(proxy, 1)
        proxy.stop()
        proxy = self.proxy_for(origin)
        self.assertIn("fwd=stale; fwd-status=304", self.expect(proxy, "/a/400000", False).get("cache-status"))
        self.assertEqual(origin.asked[-1].get("if-none-match"), '"400000"')

    def test_purges_reach_the_disk_and_outlive_a_kill(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        paths = ["/url/1000", "/prefix/1000", "/tag/1000", "/soft/1000", "/kept/1000"]
        for path in paths:
            self.expect(proxy, path, False)
        self.written(proxy, 5)
        proxy.stop()
        proxy = self.proxy_for(origin)  # nothing in memory
        self.assertEqual(self.ask(proxy, "/cache/purge", url="http://shop.com/url/1000")["purged"], 0)
        self.ask(proxy, "/cache/purge", prefix="http://shop.com/prefix/")
        self.ask(proxy, "/cache/purge", tag="tag")
        self.ask(proxy, "/cache/purge", tag="soft", soft=True)
        proxy.process.kill()
        proxy.wait()
        proxy = self.proxy_for(origin)
        for path in paths:
            answer = self.expect(proxy, path, path.startswith("/kept"))
            self.assertEqual("fwd=stale" in answer.get("cache-status"), path.startswith("/soft"), path)

    def test_what_is_purged_while_it_comes_is_not_stored(self):
        origin = Origin()
        proxy = self.proxy_for(origin, cache='max_object = "64KiB"')
        origin.gate.clear()
        path = f"/large/{2 * MEGABYTE}"
        answers = []
        thread = threading.Thread(target=lambda: answers.append(proxy.get(path)))
        thread.start()
        until(lambda: self.ask(proxy, "/cache")["memory"]["objects"] == 1, "the first half")
        self.ask(proxy, "/cache/purge", all=True)
        origin.gate.set()
        thread.join(LIMIT)
        self.assertTrue(answers[0].body == content(path, 2 * MEGABYTE))
        self.expect(proxy, path, False)

    def test_unsafe_methods_invalidate_on_the_disk(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/1000", False)
        self.written(proxy, 1)
        proxy.stop()
        proxy = self.proxy_for(origin)
        self.assertEqual(proxy.get("/a/1000", method="POST", body=b"x").status, 200)
        self.expect(proxy, "/a/1000", False)

    # ---- What goes wrong.

    def damaged(self, size, damage):
        origin = Origin()
        proxy = self.proxy_for(origin, cache='max_object = "64KiB"')
        path = f"/a/{size}"
        self.expect(proxy, path, False)
        self.written(proxy, 1)
        proxy.stop()
        (file,) = self.files()
        damage(file)
        proxy = self.proxy_for(origin, cache='max_object = "64KiB"')
        return origin, proxy, path

    def test_a_cut_file_is_never_served(self):
        for size in (1000, 2 * MEGABYTE):
            with self.subTest(size=size):
                origin, proxy, path = self.damaged(size, lambda file: os.truncate(file, file.stat().st_size - 1))
                self.expect(proxy, path, False)
                self.assertEqual(len(origin.asked), 2)
                self.assertEqual(self.disk(proxy)["damaged"], 1)
                proxy.stop()
                shutil.rmtree(self.store)
                del self.backend

    def test_a_small_file_that_rots_is_never_served(self):
        origin, proxy, path = self.damaged(1000, lambda file: self.flip(file, file.stat().st_size - 500))
        self.expect(proxy, path, False)
        self.assertEqual(len(origin.asked), 2)
        self.assertEqual(self.disk(proxy)["damaged"], 1)

    def flip(self, file, at):
        with open(file, "r+b") as stream:
            stream.seek(at)
            byte = stream.read(1)[0]
            stream.seek(at)
            stream.write(bytes([byte ^ 1]))

    def test_a_large_file_that_rots_is_cut_short_before_the_damage(self):
        origin, proxy, path = self.damaged(2 * MEGABYTE, lambda file: self.flip(file, file.stat().st_size - MEGABYTE // 2))
        with proxy.connect() as client:
            answer = client.request(path=path)
        self.assertFalse(answer.complete)
        self.assertTrue(content(path, 2 * MEGABYTE).startswith(answer.body))
        self.expect(proxy, path, False)
        self.assertEqual(len(origin.asked), 2)

    def test_zeros_where_content_was_are_never_served(self):
        def zero(file):
            size = file.stat().st_size
            with open(file, "r+b") as stream:
                stream.seek(4096)
                stream.write(b"\0" * (size - 4096))

        origin, proxy, path = self.damaged(2 * MEGABYTE, zero)
        for _ in range(2):
            with proxy.connect() as client:
                answer = client.request(path=path, headers=[("Range", "bytes=1000000-1000099")])
            if answer.complete:
                self.assertEqual(answer.body, content(path, 2 * MEGABYTE)[1_000_000:1_000_100])
        self.expect(proxy, path, None)

    @unittest.skipIf(os.environ.get("RPROXY_SANITIZE"), "the limit holds for reports, too")
    def test_a_full_disk_costs_no_answer(self):
        origin = Origin()
        self.backend = self.start(Backend(origin.script))
        (pathlib.Path(self.directory) / "config.toml").write_text(self.config('max_object = "64KiB"'))
        # Files may be no larger than that: a write fails as on a full disk.
        import resource

        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, before[1]))
        try:
            proxy = self.proxy_for(origin, cache='max_object = "64KiB"')
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.expect(proxy, "/small/1000", False)
        for size in (5 * MEGABYTE, 5 * MEGABYTE + 1, 5 * MEGABYTE + 2, 5 * MEGABYTE + 3):
            self.expect(proxy, f"/large/{size}", None)
            self.expect(proxy, f"/chunked/{size}", None)
        self.expect(proxy, "/small/1000", True)
        self.assertGreater(self.disk(proxy)["write_failures"], 0)
        self.assertIn("cache", proxy.log())

    def test_two_processes_do_not_share_a_directory(self):
        origin = Origin()
        first = self.proxy_for(origin)
        second = tempfile.mkdtemp(prefix="rproxy-disk-")
        self.addCleanup(shutil.rmtree, second, ignore_errors=True)
        config = self.config().replace('path = "store"', f'path = "{self.store}"')
        other = self.start(Proxy(config, directory=second, wait=False))
        self.assertNotEqual(other.wait(), 0)
        self.assertRegex(other.log(), r"store: another process stores its cache there")
        self.expect(first, "/a/1000", False)
        other.process.returncode = 0

    def test_limits_hold(self):
        origin = Origin()
        proxy = self.proxy_for(origin, disk='size = "1MiB"\nmax_files = 20')
        with proxy.connect() as client:
            for i in range(60):
                client.request(path=f"/l{i}/30000")
        self.written(proxy, 60)
        until(lambda: self.disk(proxy)["objects"] <= 20, "evictions")
        self.assertLessEqual(self.disk(proxy)["bytes"], MEGABYTE)
        until(lambda: len(self.files()) <= 20, "files to go")

    def test_evicted_files_are_not_held_open(self):
        origin = Origin()
        proxy = self.proxy_for(origin, cache='max_object = "64KiB"', disk="max_files = 2")
        for i in range(8):
            self.expect(proxy, f"/l{i}/300000", False)
        self.written(proxy, 8)

        def deleted():
            links = [os.readlink(link) for link in pathlib.Path(f"/proc/{proxy.process.pid}/fd").iterdir() if link.is_symlink()]
            return [link for link in links if "deleted" in link and "store" in link]

        until(lambda: not deleted(), "files to be closed")

    # ---- Reload.

    def test_a_reload_keeps_the_disk(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/1000", False)
        self.written(proxy, 1)
        for cache, disk in (('memory = "32MiB"', ""), ('memory = "32MiB"', 'size = "2GiB"')):
            reloads = proxy.log().count("reloaded")
            (pathlib.Path(self.directory) / "config.toml").write_text(self.config(cache, disk))
            proxy.signal(signal.SIGHUP)
            until(lambda: proxy.log().count("reloaded") > reloads, "the reload")
            self.expect(proxy, "/a/1000", True)
        self.assertEqual(self.disk(proxy)["bytes_max"], 2 << 30)
        self.assertEqual(len(origin.asked), 1)

    def test_metrics_and_stats_tell_of_it(self):
        origin = Origin()
        proxy = self.proxy_for(origin)
        self.expect(proxy, "/a/1000", False)
        self.written(proxy, 1)
        page = proxy.admin("/metrics")
        self.assertRegex(page, r"(?m)^rproxy_cache_disk_objects 1$")
        self.assertRegex(page, r"(?m)^rproxy_cache_disk_bytes 4096$")
        shown = subprocess.run([os.environ["RPROXY"], "cache-inspect", "stats", "--attach", str(proxy.directory / "admin.sock")],
                               capture_output=True, text=True, check=True).stdout
        self.assertRegex(shown, r"(?m)^disk     1 of 1000000 objects, 4.0 KiB of 10.0 GiB \(0%\)")


if __name__ == "__main__":
    unittest.main()
