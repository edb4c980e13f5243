"""What the end-to-end tests stand on: the real binary on free ports, scripted backends on raw sockets, clients on raw sockets.

Nothing here sleeps to be right: whoever waits, waits for something to be so, with a limit after which the test fails."""

import contextlib
import functools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

BINARY = os.environ["RPROXY"]
LIMIT = 20.0  # seconds after which anything awaited counts as never


def until(condition, what, limit=LIMIT):
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit} s in vain for {what}")
        time.sleep(0.005)


# ---- The proxy.


class Proxy:
    """`rproxy serve` with this configuration; `address[i]` is where its i-th listener is."""

    def __init__(self, config, *arguments, directory=None, environment=None, descriptors=None, wait=True):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="rproxy-e2e-"))
        self.owns_directory = directory is None
        path = self.directory / "config.toml"
        path.write_text(config)
        self.errors = self.directory / "stderr"
        self.output = self.directory / "stdout"
        self.addresses = []
        limit = functools.partial(limit_descriptors, descriptors) if descriptors else None
        with open(self.errors, "w") as errors, open(self.output, "w") as output:
            self.process = subprocess.Popen(
                [BINARY, "serve", str(path), *arguments], cwd=self.directory, stderr=errors, stdout=output,
                stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, preexec_fn=limit)
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.close()
                raise

    def wait_ready(self):
        until(lambda: "ready: " in self.log() or self.process.poll() is not None, "the ready line")
        if self.process.poll() is not None:
            raise AssertionError(f"rproxy ended with {self.process.returncode}:\n{self.log()}")
        for address in re.findall(r"serving on (\S+) \(", self.log()):
            self.addresses.append(parse_address(address))

    def log(self):
        return self.errors.read_text()

    def access_lines(self, count=1):
        """The JSON access log, once it has at least `count` lines."""

        def lines():
            # What is not ended yet is not a line yet.
            complete = self.output.read_text().rpartition("\n")[0]
            found = complete.split("\n") if complete else []
            return found if len(found) >= count else None

        return [json.loads(line) for line in until(lines, f"{count} access log lines")]

    @property
    def address(self):
        return self.addresses[0]

    def connect(self, index=0, timeout=LIMIT):
        return Client(self.addresses[index], timeout)

    def admin(self, path, **members):
        """What its admin endpoint answers to curl, by the socket "admin.sock" of its directory; with members, to a POST of them as JSON."""
        given = ["--data-binary", json.dumps(members)] if members else []
        return subprocess.run(["curl", "-sS", "-m", str(LIMIT), "--unix-socket", self.directory / "admin.sock", *given, f"http://admin{path}"],
                              capture_output=True, text=True, check=True).stdout

    def get(self, path="/", host="shop.com", method="GET", headers=(), body=b"", index=0):
        """One request on a connection of its own."""
        with self.connect(index) as client:
            return client.request(method, path, host, headers, body)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, limit=LIMIT):
        return self.process.wait(limit)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def stop(self):
        """An orderly end; a sanitizer's report or a wrong exit code fails the test."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            # Two signals at once would be one: the second, which ends a drain, waits for the first to be seen.
            until(lambda: self.process.poll() is not None or "draining" in self.log(), "the end of rproxy, or draining")
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise AssertionError(f"rproxy does not end:\n{self.log()}") from None
        code, log = self.process.returncode, self.log()
        if code not in (0, -signal.SIGKILL) or "Sanitizer" in log or "runtime error" in log:
            raise AssertionError(f"rproxy ended with {code}:\n{log}")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop()
        finally:
            self.close()


def limit_descriptors(count):
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))


def parse_address(text):
    if text.startswith("unix:"):
        return text[len("unix:"):]
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def open_socket(address, timeout=LIMIT):
    if isinstance(address, str):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        connection.connect(address)
        return connection
    return socket.create_connection(address, timeout)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def config_for(*backends, listen='http = "127.0.0.1:0"', upstream="", route="", extra=""):
    """One listener, one upstream with these backends, one route for everything."""
    servers = ", ".join(f'"{backend.name}"' for backend in backends)
    return f"""
access_log = {{ path = "stdout", flush = "100ms" }}
[listen]
{listen}
[upstreams.app]
servers = [{servers}]
{upstream}
[[routes]]
match = "*"
upstream = "app"
{route}
{extra}
"""


# ---- Messages.


class Message:
    """A parsed HTTP/1 message; `complete` is whether its end was seen."""

    def __init__(self, start_line, fields, body=b"", complete=True, trailers=()):
        self.start_line, self.fields, self.body = start_line, fields, body
        self.complete, self.trailers = complete, list(trailers)

    @property
    def status(self):
        return int(self.start_line.split(" ")[1])

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def get(self, name, default=None):
        return next(iter(self.all(name)), default)

    def __repr__(self):
        return f"<{self.start_line!r} {self.fields} {self.body[:80]!r} complete={self.complete}>"


class Reader:
    """Reads HTTP/1 messages from a socket; knows nothing of rproxy, so it is a judge of it."""

    def __init__(self, connection):
        self.connection, self.buffer, self.ended = connection, b"", False

    def fill(self):
        if self.ended:
            return False
        data = self.connection.recv(65536)
        self.ended = not data
        self.buffer += data
        return not self.ended

    def line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                return None
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def exactly(self, size):
        while len(self.buffer) < size and self.fill():
            pass
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def fields(self):
        fields = []
        while True:
            line = self.line()
            if line is None:
                return None
            if not line:
                return fields
            name, _, value = line.decode("latin-1").partition(":")
            fields.append((name, value.strip()))

    def head(self):
        start_line = self.line()
        if start_line is None:
            return None
        fields = self.fields()
        return None if fields is None else Message(start_line.decode("latin-1"), fields)

    def content(self, message, until_close):
        if "chunked" in (message.get("Transfer-Encoding") or "").lower():
            self.chunked(message)
        elif message.get("Content-Length") is not None:
            size = int(message.get("Content-Length"))
            message.body = self.exactly(size)
            message.complete = len(message.body) == size
        elif until_close:
            try:
                while self.fill():
                    pass
            except ConnectionResetError:
                message.complete = False
            message.body, self.buffer = self.buffer, b""
        return message

    def chunked(self, message):
        message.complete = False
        while True:
            line = self.line()
            if line is None:
                return
            size = int(line.partition(b";")[0], 16)
            if size == 0:
                break
            data = self.exactly(size)
            message.body += data
            if len(data) < size or self.exactly(2) != b"\r\n":
                return
        trailers = self.fields()
        if trailers is not None:
            message.trailers, message.complete = trailers, True

    def request(self):
        message = self.head()
        return message and self.content(message, until_close=False)

    def response(self, method="GET"):
        """The next final response; interim ones are collected in `.interim`."""
        interim = []
        while True:
            try:
                message = self.head()
            except ConnectionResetError:
                message = None
            if message is None:
                return None
            if message.status >= 200 or message.status == 101:
                break
            interim.append(message)
        message.interim = interim
        if method == "HEAD" or message.status in (101, 204, 304):
            return message
        try:
            return self.content(message, until_close=True)
        except ConnectionResetError:
            message.complete = False
            return message


class Client:
    def __init__(self, address, timeout=LIMIT, connection=None):
        self.socket = connection or open_socket(address, timeout)
        self.reader = Reader(self.socket)

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        return self

    def response(self, method="GET"):
        return self.reader.response(method)

    def request(self, method="GET", path="/", host="shop.com", headers=(), body=b""):
        fields = [("Host", host), *headers]
        if body:
            fields.append(("Content-Length", str(len(body))))
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        self.send(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body)
        return self.response(method)

    def is_closed(self):
        """Whether the other side ends the connection, without a byte more."""
        try:
            return self.reader.buffer == b"" and not self.reader.fill()
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def exchange_raw(address, data):
    """Everything the other side answers to these bytes until it ends the connection."""
    with Client(address) as client:
        with contextlib.suppress(ConnectionError):
            client.send(data)
            client.socket.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionError):
            while data := client.socket.recv(65536):
                received += data
        return received


# ---- Backends.


class Backend:
    """A server whose every connection is handed, as a Peer, to `script` in a thread of its own. Port 0: a free one."""

    def __init__(self, script, port=0, tls=None, path=None, host="127.0.0.1"):
        self.script, self.tls, self.errors = script, tls, []
        self.connections, self.requests = 0, []
        self.open = set()
        self.lock = threading.Lock()
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(512)
            self.name = f"unix:{path}"
        else:
            self.listener = socket.create_server((host, port), backlog=512)
            self.port = self.listener.getsockname()[1]
            self.name = f"{host}:{self.port}"
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, raw):
        connection = raw
        try:
            connection.settimeout(LIMIT)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                with self.lock:
                    self.open.add(connection)
            self.script(Peer(self, connection))
        except (OSError, EOFError):
            pass  # the proxy may leave whenever it likes
        except Exception as error:  # noqa: BLE001: shown where the test ends
            self.errors.append(error)
        finally:
            with self.lock:
                self.open -= {raw, connection}
            with contextlib.suppress(OSError):
                connection.close()

    def stop(self):
        """As a killed process would: nothing listens, every connection is gone."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(LIMIT)
        with self.lock:
            connections = list(self.open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind is None and self.errors:
            raise self.errors[0]


class Peer(Client):
    """The proxy, as a backend sees it."""

    def __init__(self, backend, connection):
        super().__init__(None, connection=connection)
        self.backend = backend

    def next_request(self):
        message = self.reader.request()
        if message is None:
            raise EOFError
        self.backend.requests.append(message)
        return message

    def reset(self):
        """Ends the connection with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def wait_closed(self):
        with contextlib.suppress(OSError):
            while self.reader.fill():
                self.reader.buffer = b""


def ok(body=b"ok", fields=""):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body


def answering(*responses):
    """A script that answers every request with these bytes, in turn, the last again and again."""

    def script(peer):
        for index in range(1_000_000):
            peer.next_request()
            peer.send(responses[min(index, len(responses) - 1)])

    return script


def always(peer):
    """A script that answers whatever comes."""
    while True:
        peer.next_request()
        peer.send(ok(b"served"))


def held(release, body=b"late"):
    """A backend's script that answers when `release` is set."""

    def script(peer):
        peer.next_request()
        release.wait(LIMIT)
        peer.send(ok(body))

    return script


def once(data, then="close"):
    """A script that reads one request, sends these bytes, and ends the connection: "close", "reset", or holds it: "hold"."""

    def script(peer):
        peer.next_request()
        peer.send(data)
        if then == "reset":
            peer.reset()
        elif then == "hold":
            peer.wait_closed()

    return script


# ---- TLS.


def text(size, seed=1):
    """Such as servers send: words, some of them often."""
    rng = random.Random(seed)
    words = [bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(500)]
    out = bytearray()
    while len(out) < size:
        out += words[min(int(rng.expovariate(0.02)), 499)] + b" "
    return bytes(out[:size])


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, **options)


def make_authority(directory):
    """A CA in `directory`; gives its certificate's path."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
        "-subj", "/CN=test CA", "-keyout", "ca.key", "-out", "ca.pem", cwd=directory)
    return pathlib.Path(directory) / "ca.pem"


def make_certificate(directory, file, *names, key=("ec", "ec_paramgen_curve:P-256"), days=30):
    """FILE.pem and FILE.key for these names, by the CA in `directory`; with `days` below 0 it has expired."""
    san = ",".join(("IP:" if re.fullmatch(r"[\d.]+", name) else "DNS:") + name for name in names)
    run("openssl", "req", "-newkey", key[0], "-pkeyopt", key[1], "-nodes", "-subj", f"/CN={names[0]}",
        "-keyout", f"{file}.key", "-out", f"{file}.csr", cwd=directory)
    extensions = pathlib.Path(directory) / f"{file}.ext"
    extensions.write_text(f"subjectAltName={san}\n")
    run("openssl", "x509", "-req", "-in", f"{file}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-days", str(days), "-extfile", str(extensions), "-out", f"{file}.pem", cwd=directory)


def server_context(directory, file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/{file}.pem", f"{directory}/{file}.key")
    return context


def client_context(authority):
    return ssl.create_default_context(cafile=str(authority))


def connect_tls(address, name, context, timeout=LIMIT):
    raw = open_socket(address, timeout)
    return Client(None, connection=context.wrap_socket(raw, server_hostname=name))


class TestCase(unittest.TestCase):
    maxDiff = 4000

    def start(self, *contexts):
        """Enters them for the length of the test."""
        entered = [self.enterContext(context) for context in contexts]
        return entered[0] if len(entered) == 1 else entered

    def directory(self):
        return pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix="rproxy-e2e-")))
