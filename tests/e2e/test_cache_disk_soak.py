"""Hits, misses, ranges, purges and evictions while the proxy is killed every few seconds: no body differs from the origin's by a byte, and what is on
the disk afterwards is whole."""

import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from harness import LIMIT, Backend, Client, Proxy, TestCase

SEED = random.randrange(1 << 32)
CLIENTS, OBJECTS, KILLS = 6, 80, 8


def content(path):
    size = int(hashlib.md5(path.encode()).hexdigest(), 16) % (1_500_000 if path.startswith("/large") else 90_000)
    blocks = size // 65536 + 1
    return b"".join(hashlib.sha256(f"{path}{i}".encode()).digest() * 2048 for i in range(blocks))[:size]


def script(peer):
    while True:
        path = peer.next_request().start_line.split(" ")[1]
        body = content(path)
        terms = "max-age=1" if path.startswith("/short") else "max-age=600"
        head = f"HTTP/1.1 200 OK\r\nETag: \"{len(body)}\"\r\nCache-Control: {terms}\r\nSurrogate-Key: {path.split('/')[1]}\r\n"
        if random.random() < 0.3:
            peer.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            for begin in range(0, len(body), 50_000):
                piece = body[begin : begin + 50_000]
                peer.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            peer.send(b"0\r\n\r\n")
        else:
            peer.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


class DiskSoak(TestCase):
    def client(self, number):
        """Asks until the end; what a kill has cut short must still be the beginning of what was asked for."""
        chance = random.Random(SEED + number)
        client = None
        while not self.ended.is_set():
            path = f"/{chance.choice(('small', 'large', 'short'))}/{int(chance.expovariate(4) * OBJECTS)}"
            expected = content(path)
            headers = []
            if chance.random() < 0.3 and len(expected) > 1000:
                first = chance.randrange(len(expected) - 100)
                headers = [("Range", f"bytes={first}-{first + 99}")]
            address = self.proxy.address
            try:
                if client is None or client.to != address:
                    if client is not None:
                        client.close()
                    client = Client(address)
                    client.to = address
                answer = client.request(path=path, headers=headers)
            except (OSError, EOFError, ValueError):
                client = None
                continue
            if answer is None or answer.status is None:
                client = None
                continue
            if answer.status == 206:
                expected = expected[first : first + 100]
            if answer.status not in (200, 206):
                self.wrong.append(f"{path}: {answer}")
            elif not (answer.body == expected if answer.complete else expected.startswith(answer.body)):
                self.wrong.append(f"{path}: {answer.status}, {len(answer.body)} bytes, not {len(expected)}: {answer}")
            elif answer.complete:
                self.good += 1
            if not answer.complete:
                client.close()
                client = None
        if client is not None:
            client.close()

    def purge(self):
        chance = random.Random(SEED)
        while not self.ended.wait(0.05):
            what = chance.choice(({"tag": "small"}, {"tag": "large", "soft": True}, {"prefix": "http://shop.com/short/"},
                                  {"url": f"http://shop.com/large/{chance.randrange(OBJECTS)}"}, {"all": True}))
            subprocess.run(["curl", "-sS", "-m", "5", "--unix-socket", f"{self.directory}/admin.sock", "--data-binary", json.dumps(what),
                            "http://admin/cache/purge"], capture_output=True)

    def begin(self, backend):
        return self.start(Proxy(f"""
[server]
workers = 2
[listen]
http = "127.0.0.1:0"
[cache]
memory = "2MiB"
max_object = "100KiB"
[cache.disk]
path = "store"
size = "40MiB"
max_files = 120
[admin]
socket = "admin.sock"
[upstreams.app]
servers = ["{backend.name}"]
ejection = false
[[routes]]
match = "*"
upstream = "app"
cache = true
""", directory=self.directory))

    def test_no_byte_is_wrong_however_often_it_is_killed(self):
        self.directory = tempfile.mkdtemp(prefix="rproxy-soak-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.wrong, self.good = [], 0
        self.ended = threading.Event()
        backend = self.start(Backend(script))
        self.proxy = self.begin(backend)
        threads = [threading.Thread(target=self.client, args=(number,)) for number in range(CLIENTS)]
        threads.append(threading.Thread(target=self.purge))
        for thread in threads:
            thread.start()
        try:
            for _ in range(KILLS):
                done = self.good
                end = time.monotonic() + LIMIT
                # So much is to have happened before the next.
                while self.good < done + 150 and not self.wrong and time.monotonic() < end:
                    time.sleep(0.02)
                self.assertGreater(self.good, done, "nothing is answered")
                self.proxy.process.kill()
                self.proxy.wait()
                self.proxy = self.begin(backend)
        finally:
            self.ended.set()
            for thread in threads:
                thread.join(LIMIT)
        self.assertEqual(self.wrong[:5], [], f"seed {SEED}")
        verify = [os.environ["RPROXY"], "cache-inspect", "verify", "--dir", f"{self.directory}/store"]
        beside = subprocess.run(verify, capture_output=True, text=True)
        self.assertEqual(beside.returncode, 0, beside.stdout + beside.stderr)
        self.proxy.stop()
        afterwards = subprocess.run(verify, capture_output=True, text=True)
        self.assertEqual(afterwards.returncode, 0, afterwards.stdout + afterwards.stderr)


if __name__ == "__main__":
    unittest.main()
