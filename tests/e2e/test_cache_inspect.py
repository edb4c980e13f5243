"""rproxy cache-inspect on a directory: made by an import, or by a proxy that is at work there."""

import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import tempfile
import unittest

from cache_stream import BEGIN, record, stream
from harness import LIMIT, Backend, Proxy, TestCase, until

BINARY = os.environ["RPROXY"]
# Tens of thousands of directories are slow to come and go on a disk.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
IMAGE = b"\x89PNG\0" + bytes(range(256)) * 4000


def samples():
    text = [("Content-Type", "text/plain"), ("Cache-Control", "max-age=3600")]
    language = [("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "max-age=60, must-revalidate"), ("Vary", "Accept-Language")]
    return [
        record(b"hello\n", key="shop https://shop.com/a", fields=text, age=100, tags=["product-1"], groups=["g"], swr=30),
        record(b"hallo\n", key="shop https://shop.com/l", fields=language, age=95, lifetime=60, must_revalidate=True,
               variant=[("accept-language", "de")]),
        record(b"salut\n", key="shop https://shop.com/l", fields=language, age=10, lifetime=60, must_revalidate=True,
               variant=[("accept-language", "fr")]),
        record(IMAGE, key="shop https://img.shop.com/images/big/1.png", fields=[("Content-Type", "image/png")], age=100_000, lifetime=200_000),
        record(b"mobile", key="shop https://shop.com/m", extras=" x-device:mobile"),
        record(b"none", key="blog http://blog.com/none?x=1", status=404),
        record(b"0123456789", key="shop https://shop.com/part", status=206, part=(0, 9, 100)),
    ]


def run(*arguments, data=None):
    return subprocess.run([BINARY, "cache-inspect", *map(str, arguments)], input=data, capture_output=True, timeout=60)


class DirectoryTest(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="rproxy-inspect-", dir=MEMORY))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.directory = self.home / "cache"

    def make(self, *records):
        self.assertIn(b"answers stored", self.inspect("import", data=stream(*(records or samples()))))

    def inspect(self, *arguments, code=0, data=None):
        done = run(*arguments, "--dir", self.directory, data=data)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stdout + done.stderr

    def json(self, *arguments):
        return json.loads(self.inspect(*arguments, "--json"))

    def urls(self, *arguments):
        return [each["url"] for each in self.json("list", "--sort", "url", *arguments)]

    def files(self):
        return sorted(path for path in self.directory.glob("??/??/*"))

    def file_of(self, url):
        return next(path for path in self.files() if path.name == self.json("show", url)["objects"][0]["file"])


class Lists(DirectoryTest):
    def test_statistics_have_all_there_is(self):
        self.make()
        stats = self.json("stats")
        self.assertEqual((stats["objects"], stats["fresh"], stats["stale"], stats["damaged"]), (7, 6, 1, 0))
        self.assertEqual(stats["bytes"], len(IMAGE) + 6 * 3 + 6 + 4 + 10)
        self.assertEqual(stats["by_host"][0]["name"], "img.shop.com")
        self.assertEqual({each["name"]: each["objects"] for each in stats["by_status"]}, {"200": 5, "404": 1, "206": 1})
        self.assertEqual({each["below"]: each["objects"] for each in stats["by_age"] if each["objects"]}, {60: 4, 3600: 2, 604800: 1})
        table = self.inspect("stats").decode()
        self.assertIn("7 objects", table)
        self.assertLessEqual(max(map(len, table.splitlines())), 80)

    def test_filters_and_order(self):
        self.make()
        self.assertEqual(len(self.urls()), 7)
        self.assertEqual(self.urls("--host", "blog.com"), ["http://blog.com/none?x=1"])
        self.assertEqual(self.urls("--path", "/images/*"), ["https://img.shop.com/images/big/1.png"])
        self.assertEqual(self.urls("--status", "206"), ["https://shop.com/part"])
        self.assertEqual(self.urls("--type", "text/*"), ["https://shop.com/a", "https://shop.com/l", "https://shop.com/l"])
        self.assertEqual(self.urls("--tag", "product-1"), ["https://shop.com/a"])
        self.assertEqual(self.urls("--stale"), ["https://shop.com/l"])
        self.assertEqual(self.urls("--min-size", "1KiB"), ["https://img.shop.com/images/big/1.png"])
        self.assertEqual(self.urls("--min-age", "1m", "--fresh"), ["https://img.shop.com/images/big/1.png", "https://shop.com/a"])
        self.assertEqual([each["size"] for each in self.json("list", "--sort", "size", "--limit", "2")], [len(IMAGE), 10])
        self.assertEqual(self.json("list", "--sort", "age", "--limit", "1")[0]["url"], "https://img.shop.com/images/big/1.png")
        table = self.inspect("list", "--limit", "2").decode().splitlines()
        self.assertRegex(table[1], r"^ +404 +4 B +\ds +(1h|59m\d+s)  http://blog.com/none\?x=1$")
        self.assertEqual(table[-1], "2 of 7: --limit shows more")
        self.assertEqual(json.loads(self.inspect("list", "--json", "--host", "nobody")), [])

    def test_many_are_streamed_line_by_line(self):
        count = 20_000
        self.make(*(record(b"x", key=f"s https://h{i % 3}.com/d{i % 7}/{i}") for i in range(count)))
        lines = [json.loads(line) for line in self.inspect("list", "--ndjson").splitlines()]
        self.assertEqual(len({each["url"] for each in lines}), count)
        self.assertEqual(len(self.inspect("list", "--ndjson", "--limit", "5").splitlines()), 5)
        self.assertEqual(self.json("list", "--sort", "url", "--limit", "1")[0]["url"], "https://h0.com/d0/0")
        du = self.json("du", "--by", "path")
        self.assertEqual(len(du["lines"]), 21)
        self.assertEqual(du["objects"], count)
        self.assertEqual(self.json("verify")["files"], count)

    def test_usage_is_by_blocks_of_the_disk(self):
        self.make()
        self.assertEqual({each["name"]: each["objects"] for each in self.json("du")["lines"]},
                         {"img.shop.com": 1, "shop.com": 5, "blog.com": 1})
        self.assertEqual(self.json("du", "--by", "type")["lines"][0]["name"], "image/png")
        self.assertEqual(self.json("du", "--depth", "2")["lines"][0]["name"], "img.shop.com/images/big")
        one = self.json("du", "--limit", "1", "--by", "status")
        self.assertEqual([each["name"] for each in one["lines"]], ["200", None])
        self.assertEqual(one["bytes"] % 4096, 0)
        self.assertRegex(self.inspect("du").decode(), r"in all\n$")


class Answers(DirectoryTest):
    def test_show_spells_freshness_out(self):
        self.make()
        shown = self.inspect("show", "HTTPS://SHOP.com:443/a").decode()
        self.assertRegex(shown, r"lifetime   3600 s, of max-age\n  age        10\d s: 0 when it came, 10\d here since\n"
                                r"  left       3600 - 10\d = 3\d+ s: fresh\n  swr        30 s more, while it is validated")
        self.assertIn("tag        product-1", shown)
        self.assertIn("Cache-Control: max-age=3600", shown)
        name = re.search(r"file +(\S+)", shown).group(1)
        for key in (name, "shop https://shop.com/a"):
            self.assertEqual(self.json("show", key)["objects"][0]["url"], "https://shop.com/a")
        self.assertEqual(self.json("show", "shop https://shop.com/m x-device:mobile")["objects"][0]["size"], 6)
        self.assertEqual(len(self.json("show", "https://shop.com/l")["objects"]), 2)
        self.assertIn(b"nothing is stored of https://shop.com/none", self.inspect("show", "https://shop.com/none", code=1))
        self.inspect("show", "what?", code=2)

    def test_why_names_the_clause(self):
        self.make()
        for arguments, answer, reason in (
                (("https://shop.com/a",), "hit", r"it is fresh .*: for 3[45]\d\d s more"),
                (("https://shop.com/a", "-H", "Cache-Control: no-cache"), "stored, to be validated first", "5.2.1.4"),
                (("https://shop.com/a", "-H", "Cache-Control: max-age=5"), "stored, to be validated first", r"5 s at most, and it is 10\d s old"),
                (("https://shop.com/a", "-H", "Cache-Control: min-fresh=9999"), "stored, to be validated first", "5.2.1.3"),
                (("https://shop.com/l", "-H", "Accept-Language: fr"), "hit", "it is fresh"),
                (("https://shop.com/l", "-H", "Accept-Language: de"), "stored, to be validated first", r"for 3\d s, and must-revalidate .RFC 9111 5.2.2.2"),
                (("https://shop.com/l", "-H", "Accept-Language: it"), "miss", "none of the 2"),
                (("https://shop.com/m", "-H", "X-Device: mobile"), "hit", "fresh"),
                (("https://shop.com/m", "-H", "X-Device: other"), "miss", "stored x-device:mobile, asked x-device:other"),
                (("https://shop.com/part",), "miss", "it is a part, bytes 0-9 of 100, and the whole is asked for"),
                (("https://shop.com/part", "-H", "Range: bytes=2-5"), "hit", "fresh"),
                (("https://shop.com/part", "-H", "Range: bytes=2-50"), "miss", "has not all of the range"),
                (("http://blog.com/none",), "miss", "nothing is stored of http://blog.com/none")):
            with self.subTest(arguments):
                told = self.json("why", *arguments)
                self.assertEqual(told["answer"], answer)
                self.assertRegex(told["reason"], reason)
        self.assertIn("1 answers are stored of this path with other queries", self.json("why", "http://blog.com/none")["notes"])
        text = self.inspect("why", "https://shop.com/l", "-H", "Accept-Language: it").decode()
        self.assertIn('not it: it varies by what this request has otherwise (RFC 9111 4.1): accept-language: stored for "de", asked with "it"',
                      text)

    def test_content_is_given_byte_for_byte(self):
        self.make()
        self.assertEqual(self.inspect("cat", "https://shop.com/a"), b"hello\n")
        self.assertEqual(self.inspect("cat", "https://img.shop.com/images/big/1.png"), IMAGE)
        out = self.home / "out"
        self.inspect("cat", "https://img.shop.com/images/big/1.png", "-o", out)
        self.assertEqual(out.read_bytes(), IMAGE)
        self.assertIn(b"2 answers are stored of it", self.inspect("cat", "https://shop.com/l", code=1))
        self.assertEqual(self.inspect("cat", "https://shop.com/l", "-H", "Accept-Language: de"), b"hallo\n")
        self.inspect("cat", "https://shop.com/none", code=1)

    def test_a_damaged_content_is_not_passed_off(self):
        self.make()
        path = self.file_of("https://img.shop.com/images/big/1.png")
        data = bytearray(path.read_bytes())
        data[-1000] ^= 1
        path.write_bytes(data)
        out = self.home / "out"
        self.assertIn(b"damaged", self.inspect("cat", "https://img.shop.com/images/big/1.png", "-o", out, code=1))
        self.assertFalse(out.exists())


class Upkeep(DirectoryTest):
    def test_verify_finds_and_removes_what_is_damaged(self):
        self.make()
        self.assertEqual(self.inspect("verify"), b"7 files: 0 damaged\n")
        content, head, short = (self.file_of(f"https://shop.com/{name}") for name in ("a", "m", "part"))
        for path, change in ((content, lambda data: data[:-1] + b"!"), (head, lambda data: b"x" + data[1:]), (short, lambda data: data[:-1])):
            path.write_bytes(change(path.read_bytes()))
        found = self.inspect("verify", code=1).decode()
        for path in (content, head, short):
            self.assertRegex(found, re.escape(str(path)) + ": (damaged|cut short)")
        self.assertIn("7 files: 3 damaged; --repair removes them\n", found)
        self.assertEqual(self.json("stats")["damaged"], 2)
        self.assertIn(b"7 files: 3 damaged, 3 of them removed", self.inspect("verify", "--repair"))
        self.assertEqual(self.json("verify"), {"files": 4, "damaged": 0, "removed": 0, "unread": 0, "list": []})

    def test_purges_are_done_when_they_are_told(self):
        for arguments, left in ((("https://shop.com/l",), 5), (("--prefix", "https://shop.com/"), 2), (("--tag", "product-1"), 6),
                                (("--group", "https://shop.com g"), 6), (("--all",), 0), (("https://nobody.com/",), 7)):
            with self.subTest(arguments):
                shutil.rmtree(self.directory, ignore_errors=True)
                self.make()
                self.assertEqual(self.json("purge", *arguments)["purged"], 7 - left)
                self.assertEqual(len(self.files()), left)
        self.make()
        self.assertRegex(self.inspect("purge", "https://shop.com/a", "--soft").decode(), r"^1 answers made stale \(4.0 KiB on disk\)\n$")
        self.assertEqual(len(self.files()), 7)
        self.assertEqual(self.json("why", "https://shop.com/a")["answer"], "hit, validated meanwhile")
        self.assertIn("purged softly", self.inspect("show", "https://shop.com/a").decode())

    def test_what_a_process_has_is_not_purged_beside_it(self):
        self.make()
        with open(self.directory / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for arguments in (("purge", "--all"), ("import",)):
                self.assertRegex(self.inspect(*arguments, code=1, data=stream(*samples())).decode(),
                                 r"another process stores its cache there: ask that one, with --attach SOCKET")
            self.assertEqual(len(self.urls()), 7)
        self.assertEqual(self.json("purge", "--all")["purged"], 7)

    def test_directories_that_are_none_are_told_apart(self):
        (self.home / "other").mkdir()
        (self.home / "file").write_text("x")
        for path, said in ((self.home / "none", "No such file"), (self.home / "other", "no cache is stored there"),
                           (self.home / "file", "Not a directory")):
            for action in (("stats",), ("list",), ("verify",), ("purge", "--all"), ("show", "https://shop.com/a"), ("export",)):
                done = run(*action, "--dir", path)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{path}: {said}".encode(), done.stderr)
        self.assertEqual(list((self.home / "other").iterdir()), [])
        if os.geteuid() != 0:
            (self.home / "other").chmod(0)
            self.assertIn(b"Permission denied", run("stats", "--dir", self.home / "other").stderr)

    def test_usage_errors(self):
        for arguments, said in ((("stats",), "--attach SOCKET or --dir DIR"), (("top", "--dir", "x"), "of a running proxy"),
                                (("verify", "--attach", "x"), "of a directory"), (("list", "--attach", "x", "--dir", "y"), "for stats alone"),
                                (("list", "--dir", "x", "--sort", "hits"), "no hits"), (("verify", "--dir", "x", "--host", "h"), "not for verify"),
                                (("du", "--dir", "x", "--by", "host", "--depth", "2"), "--depth"), (("show", "--dir", "x"), "takes a URL"),
                                (("stats", "u", "--dir", "x"), "takes no URL"), (("purge", "--dir", "x"), "purge takes"),
                                (("why", "https://a/", "-H", "x", "--dir", "x"), "is no header"),
                                (("list", "--dir", "x", "--json", "--ndjson"), "at once")):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(said, done.stderr.decode())


class Streams(DirectoryTest):
    def test_an_export_is_imported_elsewhere(self):
        self.make()
        exported = self.inspect("export")
        other = self.home / "other"
        done = run("import", "--dir", other, data=exported)
        self.assertEqual((done.returncode, done.stdout.decode().split(",")[0]), (0, "7 answers stored"))
        def shown(directory):
            lines = json.loads(run("list", "--json", "--sort", "url", "--dir", directory).stdout)
            return [{name: value for name, value in each.items() if name not in ("age", "ttl")} for each in lines]
        self.assertCountEqual(map(str, shown(other)), map(str, shown(self.directory)))
        for url in ("https://shop.com/a", "https://img.shop.com/images/big/1.png"):
            self.assertEqual(run("cat", url, "--dir", other).stdout, self.inspect("cat", url))
        out = self.home / "stream"
        self.inspect("export", "--host", "blog.com", "-o", out)
        self.assertEqual(run("import", out, "--dir", self.home / "third", "--json").stdout, b'{\n  "stored": 1,\n  "refused": 0,\n  "bytes": 4\n}\n')

    def test_what_came_before_the_damage_is_kept(self):
        records = samples()
        whole = stream(*records)
        cut = len(BEGIN) + len(records[0]) + len(records[1]) + 30
        flipped = bytearray(whole)
        flipped[len(BEGIN) + len(records[0]) + len(records[1]) - 9] ^= 1
        for data, stored, said in ((whole[:cut], 2, "it ends in the middle, after 2 answers"), (bytes(flipped), 1, "the content of answer 2 is damaged"),
                                   (b"GET / HTTP/1.1\r\n\r\n", 0, "it is no export"), (b"", 0, "before it has begun"),
                                   (whole[:8] + struct.pack("<I", 9) + whole[12:], 0, "of version 9"), (whole + b"x", 7, "follows its end")):
            with self.subTest(said):
                shutil.rmtree(self.directory, ignore_errors=True)
                told = self.inspect("import", data=data, code=1).decode()
                self.assertIn(said, told)
                self.assertIn(f"{stored} answers stored", told)
                self.assertEqual(len(self.files()), stored)

    def test_an_answer_of_any_size_is_taken(self):
        large = os.urandom(1 << 20) * 100
        self.make(record(large, key="s https://a.com/large"), record(b"", key="s https://a.com/empty"))
        self.assertEqual(self.inspect("cat", "https://a.com/large"), large)
        self.assertEqual(self.inspect("cat", "https://a.com/empty"), b"")
        self.assertEqual(run("import", "--dir", self.home / "other", data=self.inspect("export")).returncode, 0)
        self.assertEqual(run("cat", "https://a.com/large", "--dir", self.home / "other").stdout, large)

    def test_damaged_answers_are_not_exported(self):
        self.make()
        path = self.file_of("https://shop.com/a")
        path.write_bytes(path.read_bytes()[:-1] + b"!")
        out = self.home / "stream"
        self.assertIn(b"1 damaged answers are left out", self.inspect("export", "-o", out, code=1))
        self.assertIn(b"6 answers stored", run("import", out, "--dir", self.home / "other").stdout)


class Terminals(DirectoryTest):
    def on_terminal(self, *arguments):
        """What a terminal shows, and the exit code."""
        leader, follower = pty.openpty()
        with subprocess.Popen([BINARY, "cache-inspect", *map(str, arguments)], stdin=follower, stdout=follower, stderr=follower) as process:
            os.close(follower)
            shown = b""
            while select.select([leader], [], [], LIMIT)[0]:
                try:
                    piece = os.read(leader, 65536)
                except OSError:
                    break
                shown += piece
            os.close(leader)
            return shown.replace(b"\r\n", b"\n"), process.wait(LIMIT)

    def test_binary_content_stays_off_terminals(self):
        self.make()
        shown, code = self.on_terminal("cat", "https://img.shop.com/images/big/1.png", "--dir", self.directory)
        self.assertEqual(code, 1)
        self.assertIn(b"it is binary, and this is a terminal", shown)
        self.assertNotIn(b"PNG", shown)
        self.assertEqual(self.on_terminal("cat", "https://shop.com/a", "--dir", self.directory), (b"hello\n", 0))
        shown, code = self.on_terminal("export", "--dir", self.directory)
        self.assertEqual((code, b"--output FILE" in shown), (2, True))
        self.assertEqual(self.on_terminal("import", "--dir", self.directory)[1], 2)

    def test_lines_fit(self):
        self.make(record(b"x", key="s https://shop.com/" + "long/" * 50))
        shown, code = self.on_terminal("list", "--dir", self.directory)
        self.assertEqual(code, 0)
        self.assertLessEqual(max(map(len, shown.decode().splitlines())), 80)
        self.assertIn("...", shown.decode())
        shown, _ = self.on_terminal("why", "https://shop.com/" + "long/" * 50, "--dir", self.directory)
        self.assertIn("hit: it is fresh", shown.decode())


class BesideAProxy(TestCase):
    def test_its_directory_is_read_and_not_taken_from_it(self):
        def script(peer):
            while True:
                peer.next_request()
                peer.send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 5\r\n\r\nhello")

        backend = self.start(Backend(script))
        proxy = self.start(Proxy(f"""
[listen]
http = "127.0.0.1:0"
[admin]
socket = "admin.sock"
[cache]
disk = "disk"
[upstreams.app]
servers = ["{backend.name}"]
[[routes]]
match = "*"
upstream = "app"
cache = true
"""))
        directory, socket = proxy.directory / "disk", proxy.directory / "admin.sock"
        for i in range(5):
            proxy.get(f"/{i}")
        files = until(lambda: (found := list(directory.glob("??/??/*"))) if len(list(directory.glob("??/??/*"))) == 5 else None, "five files")
        listed = json.loads(run("list", "--json", "--sort", "url", "--dir", directory).stdout)
        self.assertEqual([each["url"] for each in listed], [f"http://shop.com/{i}" for i in range(5)])
        self.assertEqual(run("cat", "http://shop.com/3", "--dir", directory).stdout, b"hello")
        self.assertEqual(json.loads(run("why", "http://shop.com/3", "--dir", directory, "--json").stdout)["answer"], "hit")
        for action in (("purge", "--all"), ("import",)):
            done = run(*action, "--dir", directory, data=stream())
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"another process stores its cache there", done.stderr)
        files[0].write_bytes(files[0].read_bytes()[:-1])
        self.assertEqual(run("verify", "--dir", directory).returncode, 1)
        self.assertEqual(run("verify", "--repair", "--dir", directory).returncode, 0)
        self.assertEqual(json.loads(run("stats", "--json", "--dir", directory).stdout)["objects"], 4)
        for i in range(5):
            self.assertEqual(proxy.get(f"/{i}").body, b"hello")
        both = run("stats", "--dir", directory, "--attach", socket).stdout.decode()
        self.assertRegex(both, r"(?s)^memory .*\n\ndisk ")
        self.assertEqual(json.loads(run("stats", "--json", "--dir", directory, "--attach", socket).stdout)["directory"]["damaged"], 0)

    def test_the_running_proxy_says_why(self):
        def script(peer):
            while True:
                peer.next_request()
                peer.send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nVary: Accept-Language\r\nContent-Length: 2\r\n\r\nok")

        backend = self.start(Backend(script))
        proxy = self.start(Proxy(f"""
[listen]
http = "127.0.0.1:0"
[admin]
socket = "admin.sock"
[upstreams.app]
servers = ["{backend.name}"]
[[routes]]
match = "/private/*"
upstream = "app"
[[routes]]
match = "*"
upstream = "app"
cache = {{ key = {{ query = {{ except = ["utm"] }}, headers = ["X-Device"] }}, bypass = [{{ cookie = {{ session = true }} }}] }}
"""))
        proxy.get("/a?utm=1", headers=[("Accept-Language", "de"), ("X-Device", "mobile")])
        socket = proxy.directory / "admin.sock"

        def why(url, *headers):
            arguments = [each for header in headers for each in ("-H", header)]
            done = run("why", url, "--attach", socket, "--json", *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            told = json.loads(done.stdout)
            return told["answer"], told["reason"]

        known = ("Accept-Language: de", "X-Device: mobile")
        self.assertEqual(why("http://shop.com/a?utm=2", *known)[0], "hit")
        self.assertIn("5.2.1.4", why("http://shop.com/a", *known, "Cache-Control: no-cache")[1])
        self.assertIn('stored for "de", asked with "fr"', why("http://shop.com/a", "Accept-Language: fr", "X-Device: mobile")[1])
        self.assertIn("stored x-device:mobile, asked x-device", why("http://shop.com/a", "Accept-Language: de")[1])
        self.assertIn("a condition of the route's bypass holds", why("http://shop.com/a", *known, "Cookie: session=1")[1])
        self.assertIn("its route has no cache", why("http://shop.com/private/x")[1])
        self.assertIn("nothing is stored of http://shop.com/b", why("http://shop.com/b")[1])
        self.assertEqual(run("why", "nonsense", "--attach", socket).returncode, 1)
        shown = run("why", "http://shop.com/a", "--attach", socket, "-H", known[0], "-H", known[1]).stdout.decode()
        self.assertRegex(shown, r"^hit: it is fresh \(RFC 9111 4.2\): for \d+ s more\n  until ")
        rounds = run("top", "--attach", socket, "--count", "2", "--interval", "10ms")
        self.assertEqual(rounds.returncode, 0)
        self.assertEqual(rounds.stdout.count(b"HITS/s"), 2)
        lines = run("list", "--ndjson", "--attach", socket).stdout.splitlines()
        self.assertEqual([json.loads(line)["url"] for line in lines], ["http://shop.com/a"])


if __name__ == "__main__":
    unittest.main()
