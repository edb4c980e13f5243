"""What stands behind the server whose HTTP/2 is tested: a backend of HTTP/1.1 whose answer depends on the path.

By hand: python3 -B http2_origin.py PORT"""

import os
import select
import socket
import sys

if __name__ == "__main__":
    os.environ.setdefault("RPROXY", "")  # the harness asks for it

from harness import Backend, ok  # noqa: E402

BODY = b"0123456789abcdef" * 32
LARGE = 200_000


def echo(request):
    fields = "".join(f"{name}: {value}\r\n" for name, value in request.fields)
    return f"{request.start_line}\r\n{fields}\r\n".encode("latin-1") + request.body


def answer(path, request):
    head = "HTTP/1.1 200 OK\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n4\r\nabcd\r\n0\r\n"
    return {
        "/large": lambda: ok(b"x" * LARGE),
        "/none": lambda: b"HTTP/1.1 204 No Content\r\n\r\n",
        "/chunked": lambda: f"{chunked}\r\n".encode(),
        "/trailers": lambda: f"{chunked}X-Checksum: abc\r\n\r\n".encode(),
        "/interim": lambda: b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" + ok(BODY),
        "/echo": lambda: ok(echo(request)),
    }.get(path, lambda: ok(BODY))()


def wait_gone(connection):
    """Without reading what has come."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP | select.POLLERR | select.POLLHUP)
    poll.poll(20_000)


def origin(peer):
    for _ in range(1_000_000):
        request = peer.reader.head()
        if request is None:
            return
        peer.backend.requests.append(request)
        method, target, _ = request.start_line.split(" ", 2)
        if "100-continue" in (request.get("Expect") or ""):
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        path = target.partition("?")[0]
        if path == "/stall":
            return wait_gone(peer.socket)
        if path == "/early":
            peer.send(ok(BODY))
            return wait_gone(peer.socket)
        peer.reader.content(request, until_close=False)
        raw = answer(path, request)
        peer.send(raw[:raw.index(b"\r\n\r\n") + 4] if method == "HEAD" else raw)


def start(port=0):
    backend = Backend(origin, port)
    # So that whoever takes nothing does not seem to.
    backend.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    return backend


if __name__ == "__main__":
    with start(int(sys.argv[1])) as running:
        print(f"at {running.name}", flush=True)
        running.thread.join()
