"""Clients that ask without a pause and judge every byte of the answers; as a script, in a process of their own, so that they are quick.

`Load` starts them and tells how far they are. What a server has to answer is `content(target)`."""

import json
import re
import select
import socket
import subprocess
import sys
import threading
import time

from peers import pattern

HARDLY_A_PAUSE = 0.02  # between two reports
PATIENCE = 20.0  # seconds in which nobody at all is answered
CONNECTIONS = 16
REQUESTS_PER_CONNECTION = 500
FAILURES_MAX = 100
HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
FILLING = pattern(500).hex().encode()
# All idempotent; one has content, which has to be sent again, too.
METHODS = (b"GET", b"GET", b"PUT", b"GET", b"DELETE", b"OPTIONS")


def content(target):
    return target + b" " + FILLING


class Asker:
    """One connection after another, on each one request after another."""

    def __init__(self, load):
        self.load, self.socket, self.served, self.received = load, None, 0, b""

    def ask(self):
        if self.socket is None:
            self.socket, self.served = socket.create_connection(self.load.address), 0
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.load.watch(self)
        self.target, self.received = b"/%d" % self.load.next_number(), b""
        method = METHODS[self.load.asked % len(METHODS)]
        sent = b"Content-Length: 9\r\n\r\nsome text" if method == b"PUT" else b"\r\n"
        try:
            self.socket.sendall(method + b" " + self.target + b" HTTP/1.1\r\nHost: shop.com\r\n" + sent)
        except OSError as error:
            self.end(f"request not taken: {error}")

    def read(self):
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            return self.end(self.end_of_what_came(repr(error)))
        if not data:
            return self.end(self.end_of_what_came("closed"))
        self.received += data
        head, is_whole, body = self.received.partition(HEAD_END)
        if not is_whole:
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            return self.end(f"answered {head!r}")
        length = LENGTH.search(head + b"\r\n")
        if not length:
            return self.end(f"answered without a length: {head!r}")
        if len(body) < int(length.group(1)):
            return None
        if body != content(self.target):
            return self.end(f"another content than that of {self.target}: {body[:80]!r} of {len(body)}")
        self.served += 1
        self.load.count()
        if self.served == REQUESTS_PER_CONNECTION or b"\r\nConnection: close" in head:
            self.leave()
        return None if self.load.is_ending else self.ask()

    def end_of_what_came(self, how):
        head, is_whole, body = self.received.partition(HEAD_END)
        # The one thing that can't be taken back: what the client has already seen of an answer.
        if is_whole and head.startswith(b"HTTP/1.1 200 ") and content(self.target).startswith(body):
            return "cut"
        return f"{how} after {self.received!r}"

    def end(self, failure):
        self.load.fail(failure)
        self.leave()
        if not self.load.is_ending and len(self.load.failures) < FAILURES_MAX:
            self.ask()

    def leave(self):
        self.load.forget(self)
        self.socket.close()
        self.socket = None


class Clients:
    def __init__(self, host, port):
        self.address, self.is_ending, self.asked = (host, int(port)), False, 0
        self.epoll, self.open = select.epoll(), {}
        self.done, self.cut, self.failures, self.reported = 0, 0, [], 0.0

    def next_number(self):
        self.asked += 1
        return self.asked

    def watch(self, asker):
        self.open[asker.socket.fileno()] = asker
        self.epoll.register(asker.socket, select.EPOLLIN)

    def forget(self, asker):
        self.epoll.unregister(asker.socket)
        del self.open[asker.socket.fileno()]

    def count(self):
        self.done += 1

    def fail(self, failure):
        if failure == "cut":
            self.cut += 1
        else:
            self.failures.append(failure)

    def answered(self):
        return self.done + self.cut + len(self.failures)

    def report(self):
        self.reported = time.monotonic()
        print(json.dumps({"done": self.done, "cut": self.cut, "failures": self.failures[:20]}), flush=True)

    def run(self):
        askers = [Asker(self) for _ in range(CONNECTIONS)]
        self.epoll.register(sys.stdin, select.EPOLLIN)
        for asker in askers:
            asker.ask()
        while self.answered() < self.asked:
            ready = self.epoll.poll(PATIENCE)
            if not ready:
                self.failures.append(f"{self.asked - self.answered()} requests are not answered")
                break
            for descriptor, _ in ready:
                if descriptor == sys.stdin.fileno():
                    self.epoll.unregister(sys.stdin)
                    self.is_ending = True
                else:
                    self.open[descriptor].read()
            if time.monotonic() - self.reported > HARDLY_A_PAUSE:
                self.report()
        self.report()


class Load:
    """Asks the proxy from here to the end of the block."""

    def __init__(self, proxy):
        host, port = proxy.address
        self.done, self.cut, self.failures = 0, 0, []
        self.changed = threading.Condition()
        self.process = subprocess.Popen([sys.executable, "-B", __file__, host, str(port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.__dict__.update(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            if self.process.wait() != 0:
                self.failures = [*self.failures, "the clients have crashed"]
            self.changed.notify_all()

    def go_on(self, count):
        """Until so many more are answered."""
        with self.changed:
            wanted = self.done + count
            if not self.changed.wait_for(lambda: self.done >= wanted or self.failures, 60):
                raise AssertionError(f"{self.done} answers, not {wanted}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.reader.join(2 * PATIENCE)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    Clients(*sys.argv[1:]).run()
