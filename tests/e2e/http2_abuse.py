"""What attacks on HTTP/2 are measured with: an innocent client beside them, the proxy's memory and time, the requests a backend holds."""

import os
import pathlib
import select
import threading
import time

import http2_frames as h2
import http2_origin
from harness import Backend, Proxy
from http2_cases.case import Target
from http2_peer import Peer

# A sanitizer is slow, and keeps what was freed for a while: a quarter of a gigabyte of it.
IS_SANITIZED = bool(os.environ.get("RPROXY_SANITIZE"))
SLOWNESS = 6 if IS_SANITIZED else 1
KEPT = 512 << 20 if IS_SANITIZED else 0
MEMORY = 48 << 20
LATENCY = 2.0 * SLOWNESS
# Timeouts short enough to be waited for.
CONFIG = """
access_log = "off"
[[listeners]]
address = "127.0.0.1:0"
protocols = ["h2"]
[server]
workers = 1
[client]
head_timeout = "1s"
keep_alive_timeout = "2s"
body_timeout = "1s"
send_timeout = "1s"
{client}
{tables}
[upstreams.app]
servers = ["{backend}"]
[[routes]]
match = "*"
upstream = "app"
[[routes]]
match = "*/innocent"
respond = {{ status = 200, body = "fine" }}
"""

target = Target(tls=False)


class CountingBackend:
    """"/held" is held until its client leaves, or for long; the rest is the origin's."""

    def __init__(self):
        self.in_flight = self.most = self.total = 0
        self.lock = threading.Lock()
        self.backend = Backend(self.serve)
        self.name = self.backend.name

    def serve(self, peer):
        while (request := peer.reader.head()) is not None:
            with self.lock:
                self.total += 1
                self.in_flight += 1
                self.most = max(self.most, self.in_flight)
            try:
                if "/held" in request.start_line:
                    return http2_origin.wait_gone(peer.socket)
                peer.reader.content(request, until_close=False)
                peer.send(http2_origin.answer(request.start_line.split(" ")[1], request))
            finally:
                with self.lock:
                    self.in_flight -= 1

    def __enter__(self):
        self.backend.__enter__()
        return self

    def __exit__(self, *reason):
        self.backend.__exit__(*reason)


class Innocent(threading.Thread):
    """Asks again and again, ten times on each connection, and notes how long it takes; the backend, which is slow in its own ways, is
    asked once of the ten."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.address, self.slowest, self.count, self.forwarded, self.fault = address, 0.0, 0, 0, ""
        self.over = threading.Event()

    def run(self):
        try:
            while not self.over.is_set() and not self.fault:
                with Peer(self.address) as peer:
                    for stream in range(1, 21, 2):
                        self.ask(peer, stream)
                        self.over.wait(0.01)
        except OSError as error:
            self.fault = repr(error)

    def ask(self, peer, stream):
        start, is_forwarded = time.monotonic(), stream == 1
        peer.send(target.get(stream, path=b"/" if is_forwarded else b"/innocent"))
        head = peer.response(stream, None if is_forwarded else 2 * LATENCY)
        if not is_forwarded:
            self.slowest = max(self.slowest, time.monotonic() - start)
        self.count += 1
        self.forwarded += is_forwarded
        if head is None or head.status != 200:
            self.fault = f"stream {stream}: {head}, {peer.closed or 'open'}"

    def stop(self):
        self.over.set()
        self.join()


class Watch:
    """The proxy's memory and time while something goes on."""

    def __init__(self, pid):
        self.process = pathlib.Path(f"/proc/{pid}")
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def memory(self):
        line = next(line for line in (self.process / "status").read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def time(self):
        fields = (self.process / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.memory())

    def __enter__(self):
        self.before = self.most = self.memory()
        self.started = self.time()
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.most = max(self.most, self.memory())
        self.grown, self.spent = self.most - self.before, self.time() - self.started


class Scene:
    """A proxy, a backend and an innocent client, for one attack."""

    def __init__(self, test, client="", tables=""):
        self.test = test
        self.backend = test.start(CountingBackend())
        self.proxy = test.start(Proxy(CONFIG.format(backend=self.backend.name, client=client, tables=tables)))
        with self.connect() as peer:  # what is only done once is not the attack's
            peer.send(target.get())
            test.assertEqual(peer.response(1).status, 200)

    def connect(self, **options):
        return Peer(self.proxy.address, **options)

    def connect_settled(self, **options):
        """With nothing left to be acknowledged, which must not come into an open header block."""
        peer = self.connect(**options)
        self.test.assertTrue(peer.settle())
        return peer

    def attack(self, act, memory=MEMORY, seconds=2.0, in_flight=110, total=None):
        """Nobody else may notice. `total`: how many requests may reach a backend, by the result."""
        innocent = Innocent(self.proxy.address)
        self.backend.most = self.backend.total = 0
        with Watch(self.proxy.process.pid) as watch:
            innocent.start()
            try:
                result = act(self)
            finally:
                innocent.stop()
        test = self.test
        test.assertEqual(innocent.fault, "")
        test.assertGreater(innocent.count, 0)
        test.assertLess(innocent.slowest, LATENCY, "an innocent client waits")
        test.assertLess(watch.grown, memory + KEPT, "memory")
        test.assertLess(watch.spent, seconds * SLOWNESS + innocent.count * 0.01 * SLOWNESS, "processor time")
        test.assertLessEqual(self.backend.most, in_flight, "requests at once at the backend")
        if total is not None:
            test.assertLessEqual(self.backend.total - innocent.forwarded, total(result), "requests at the backend")
        if os.environ.get("RPROXY_ABUSE_FIGURES"):
            print(f"{test.id().rpartition('.')[2]} memory {watch.grown >> 10} KiB, {watch.spent:.2f} s, innocent {innocent.count} in "
                  f"{innocent.slowest * 1000:.0f} ms at most, backend {self.backend.most} at once, "
                  f"{self.backend.total - innocent.forwarded} in all: {result}", flush=True)
        return result


# ---- Ways of attacking.


def ended(peer):
    return bool(peer.closed or any(f.kind == h2.GOAWAY and f.code != h2.NO_ERROR for f in peer.frames))


def flood(peer, make, count, batch=200, paced=False):
    """make(0), make(1), ... until the server has had enough; gives how many it took. `paced`: it has read a batch before the next."""
    for start in range(0, count, batch):
        peer.send(b"".join(make(number) for number in range(start, min(count, start + batch))), limit=5, note=False)
        while peer.receive():
            pass
        if paced:
            peer.settle()
        if ended(peer):
            return start + batch
    peer.settle()
    return count


def drip(peer, make, interval=0.05, seconds=15.0):
    """make(0), make(1), ... one after the other; gives how long the server bore it."""
    start, number = time.monotonic(), 0
    while time.monotonic() - start < seconds * SLOWNESS and not ended(peer):
        peer.send(make(number), note=False)
        number += 1
        peer.receive(interval)
        select.select([], [], [], interval / 5)  # what comes in answer must not make it a flood
    return time.monotonic() - start


def outcome(peer, limit=5.0):
    """What the server says in the end: the code of its GOAWAY, or how it ended the connection."""
    peer.wait(lambda f: f.kind == h2.GOAWAY and f.code != h2.NO_ERROR, limit * SLOWNESS)
    goaway = next((f for f in peer.frames if f.kind == h2.GOAWAY and f.code != h2.NO_ERROR), peer.goaway())
    return h2.error_name(goaway.code) if goaway else peer.closed or "still open"
