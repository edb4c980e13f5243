"""Peers that nobody here wrote: Node scripts (node/*.js), told what to do and telling what they see in JSON lines."""

import contextlib
import hashlib
import json
import pathlib
import subprocess
import tempfile
import threading
import time

from harness import LIMIT, Proxy, TestCase, config_for, make_authority, make_certificate

SCRIPTS = pathlib.Path(__file__).with_name("node")


def pattern(size):
    """Bytes in which no shift or gap goes unseen; node/lines.js makes the same."""
    period = bytes(range(251))
    return (period * (size // len(period) + 1))[:size]


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Node:
    """A running script; `wait` for what it reports, `tell` it what to do."""

    def __init__(self, script, **options):
        if not (SCRIPTS / "node_modules/.installed").exists():
            raise AssertionError("the Node packages are missing: run .ci/node")
        self.script, self.events, self.ended = script, [], False
        self.changed = threading.Condition()
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            ["node", SCRIPTS / script, json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.events.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def tell(self, do, **command):
        self.process.stdin.write(json.dumps({"do": do, **command}).encode() + b"\n")
        self.process.stdin.flush()
        return self

    def wait(self, event, limit=LIMIT, **fields):
        """Takes the first event of this name and with these fields out of what was reported, or waits for it."""
        wanted = {"event": event, **fields}
        end = time.monotonic() + limit
        with self.changed:
            while True:
                for index, seen in enumerate(self.events):
                    if all(seen.get(name) == value for name, value in wanted.items()):
                        return self.events.pop(index)
                if self.ended or not self.changed.wait(max(0, end - time.monotonic())):
                    state = "ended" if self.ended else "runs"
                    raise AssertionError(f"{self.script} ({state}) did not report {wanted} but {self.events}\n{self.log()}")

    def reported(self, event, **fields):
        with self.changed:
            wanted = {"event": event, **fields}
            return [seen for seen in self.events if all(seen.get(name) == value for name, value in wanted.items())]

    def log(self):
        self.errors.seek(0)
        return self.errors.read()[-4000:]

    @property
    def name(self):
        """Where a server listens, as a configuration says it."""
        if not hasattr(self, "port"):
            self.port = self.wait("listening")["port"]
        return f"127.0.0.1:{self.port}"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """A script ends when its input does; one that failed fails the test."""
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            code = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            code = "a kill"
        self.reader.join(LIMIT)
        log = self.log()
        self.errors.close()
        self.process.stdout.close()
        if kind is None and code not in (0, -9):
            raise AssertionError(f"{self.script} ended with {code}:\n{log}")


class PeerTest(TestCase):
    """One directory with a CA and a certificate of shop.com and 127.0.0.1 for the whole class."""

    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="rproxy-e2e-")))
        cls.authority = make_authority(cls.home)
        make_certificate(cls.home, "shop", "shop.com", "127.0.0.1")
        cls.identity = {"key": str(cls.home / "shop.key"), "cert": str(cls.home / "shop.pem")}

    @classmethod
    def new_proxy(cls, *backends, tls=False, extra="", **parts):
        """rproxy before these backends; `tls`: with the certificate of shop.com."""
        if tls:
            parts["listen"] = 'https = "127.0.0.1:0"'
            extra += '[tls]\ncert = "{cert}"\nkey = "{key}"\n'.format(**cls.identity)
        return Proxy(config_for(*backends, extra=extra, **parts))

    def serve(self, *backends, **parts):
        return self.start(self.new_proxy(*backends, **parts))


class HttpTest(PeerTest):
    """A server of Node for the class, and clients of Node before proxies of their own; which versions they speak is the class's."""

    tls, tls_server, http2, http2_server = False, False, False, False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(cls.new_server())

    @classmethod
    def new_server(cls, **options):
        secret = cls.identity if cls.tls_server else {}
        return Node("http_server.js", http2=cls.http2_server, **secret, **options)

    @classmethod
    def new_front(cls, *servers, upstream="", **parts):
        """A proxy before the class's server or these."""
        upstream += f'tls = {{ ca_file = "{cls.authority}" }}\n' if cls.tls_server else ""
        upstream += 'protocol = "h2"\n' if cls.http2_server else ""
        return cls.new_proxy(*(servers or (cls.server,)), tls=cls.tls, upstream=upstream, **parts)

    @classmethod
    def new_client(cls, proxy):
        url = f"{'https' if cls.tls else 'http'}://127.0.0.1:{proxy.address[1]}"
        return Node("http_client.js", url=url, ca=str(cls.authority), http2=cls.http2)

    def door(self, *servers, **parts):
        """(client, proxy)."""
        proxy = self.start(self.new_front(*servers, **parts))
        return self.start(self.new_client(proxy)), proxy
