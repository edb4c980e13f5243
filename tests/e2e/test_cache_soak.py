"""Hits, misses, validations, purges, evictions and failures at once: no body differs from the origin's by a byte, and nobody is given what was made
for another."""

import hashlib
import json
import random
import subprocess
import threading
import unittest

from harness import LIMIT, Backend, Client, Proxy, TestCase

SEED = random.randrange(1 << 32)
CLIENTS, REQUESTS, OBJECTS = 8, 250, 60


def content(path, size):
    block = hashlib.sha256(path.encode()).digest()
    return (block * (size // len(block) + 1))[:size]


def size_of(path):
    return int(hashlib.md5(path.encode()).hexdigest(), 16) % 120_000


def script(peer):
    while True:
        request = peer.next_request()
        path = request.start_line.split(" ")[1]
        kind = path.split("/")[1]
        body = content(path, size_of(path))
        if kind == "mine":
            body = request.get("x-user").encode() + b":" + body
        if kind == "broken" and random.random() < 0.3:
            peer.send(f"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: {len(body) + 1}\r\n\r\n".encode() + body)
            peer.reset()
            return
        if kind == "failing" and random.random() < 0.3:
            peer.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
            continue
        tag = f'"{len(body)}"'
        if kind == "valid" and request.get("if-none-match") == tag:
            peer.send(f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\nCache-Control: max-age=0\r\n\r\n".encode())
            continue
        terms = {"mine": "private", "valid": "max-age=0", "failing": "max-age=1, stale-if-error=60, stale-while-revalidate=1"}.get(kind, "max-age=60")
        head = f"HTTP/1.1 200 OK\r\nETag: {tag}\r\nCache-Control: {terms}\r\nSurrogate-Key: {kind}\r\n"
        if kind == "chunked":
            peer.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            for begin in range(0, len(body), 30_000):
                piece = body[begin : begin + 30_000]
                peer.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            peer.send(b"0\r\n\r\n")
        else:
            peer.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


class Soak(TestCase):
    def client(self, proxy, number, wrong):
        chance = random.Random(SEED + number)
        kinds = ("plain", "plain", "chunked", "valid", "mine", "broken", "failing")
        client = Client(proxy.address)
        try:
            for _ in range(REQUESTS):
                kind = chance.choice(kinds)
                path = f"/{kind}/{int(chance.expovariate(4) * OBJECTS)}"
                expected = content(path, size_of(path))
                headers = [("X-User", f"user{number}")]
                if chance.random() < 0.2 and len(expected) > 10:
                    headers.append(("Range", "bytes=3-9"))
                answer = client.request(path=path, headers=headers)
                if kind == "mine":
                    expected = f"user{number}:".encode() + expected
                if answer.status == 206:
                    expected = expected[3:10]
                if not answer.complete or answer.status >= 500:
                    if kind not in ("broken", "failing") or not expected.startswith(answer.body) and answer.status < 500:
                        wrong.append(f"{path}: {answer}")
                    client.close()
                    client = Client(proxy.address)
                elif answer.body != expected:
                    wrong.append(f"{path} for user{number}: {answer}, {len(answer.body)} bytes, not {len(expected)}")
        except Exception as error:  # noqa: BLE001: whatever it is, the test must hear of it
            wrong.append(f"client {number}: {error!r}")
        finally:
            client.close()

    def purge(self, proxy, ended, wrong):
        chance = random.Random(SEED)
        while not ended.wait(0.02):
            what = chance.choice(({"all": True}, {"tag": "plain"}, {"tag": "chunked", "soft": True}, {"prefix": "http://shop.com/valid/"},
                                  {"url": f"http://shop.com/plain/{chance.randrange(OBJECTS)}"}))
            done = subprocess.run(["curl", "-sS", "-m", str(LIMIT), "--unix-socket", str(proxy.directory / "admin.sock"), "--data-binary",
                                   json.dumps(what), "http://admin/cache/purge"], capture_output=True, text=True)
            if "purged" not in done.stdout:
                wrong.append(f"purge {what}: {done.stdout} {done.stderr}")

    def test_no_byte_is_wrong_and_nothing_private_is_shared(self):
        backends = [self.start(Backend(script)) for _ in range(2)]
        servers = ", ".join(f'"{backend.name}"' for backend in backends)
        proxy = self.start(Proxy(f"""
[server]
workers = 3
[listen]
http = "127.0.0.1:0"
[cache]
memory = "1MiB"
max_object = "100KiB"
private_for = "100ms"
[admin]
socket = "admin.sock"
[upstreams.app]
servers = [{servers}]
ejection = false
retry = false
[[routes]]
match = "*"
upstream = "app"
cache = true
"""))
        wrong = []
        ended = threading.Event()
        threads = [threading.Thread(target=self.client, args=(proxy, number, wrong)) for number in range(CLIENTS)]
        purges = threading.Thread(target=self.purge, args=(proxy, ended, wrong))
        for thread in (*threads, purges):
            thread.start()
        for thread in threads:
            thread.join()
        ended.set()
        purges.join()
        self.assertEqual(wrong[:5], [], f"seed {SEED}")


if __name__ == "__main__":
    unittest.main()
