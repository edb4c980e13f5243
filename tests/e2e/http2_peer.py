"""A client of HTTP/2 that sends what it is told to and keeps what comes."""

import select
import socket
import ssl
import time

import http2_frames as h2
import http2_hpack as hpack


def tls_context():
    """Whose certificate does not matter: what is tested comes after."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


TLS = tls_context()


class Peer:
    """One connection. `settings` None: not even the preface is sent. It answers SETTINGS and PING, unless it is `rude`."""

    def __init__(self, address, tls=False, settings=(), limit=10.0, rude=False, receive_buffer=None):
        self.limit, self.rude = limit, rude
        self.frames, self.buffer, self.sent = [], b"", b""
        self.closed = ""  # how the other side has ended the connection
        self.unfinished = None  # HEADERS whose block goes on
        self.is_sending, self.answers, self.settled = False, b"", 0
        self.decoder = hpack.Decoder()
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(limit)
        try:
            self.socket.connect(address)
            if tls:
                self.socket = TLS.wrap_socket(self.socket, server_hostname="shop.com")
                if self.socket.selected_alpn_protocol() != "h2":
                    raise ConnectionError("the server does not choose h2")
            if family != socket.AF_UNIX:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            self.socket.close()
            raise
        self.socket.setblocking(False)
        if settings is not None:
            self.send(h2.PREFACE + h2.settings(*settings))

    # ---- Sending.

    def send(self, raw, limit=None, note=True):
        """Reads meanwhile, so that neither side waits for the other. False: the other side does not take it."""
        if note:
            self.sent += raw[:4096]
        self.is_sending = True
        done = self.push(raw, time.monotonic() + (limit or self.limit))
        self.is_sending = False
        if done and self.answers:
            raw, self.answers = self.answers, b""
            return self.send(raw, limit, note=False)
        return done

    def push(self, raw, end):
        view = memoryview(raw)
        while view and not self.closed:
            try:
                view = view[self.socket.send(view[:65536]):]
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                if time.monotonic() > end:
                    return False
                readable, _, _ = select.select([self.socket], [self.socket], [], 0.05)
                if readable and not self.rude:
                    self.receive()
            except OSError as error:
                self.drain_after(error)
        return not view

    def drain_after(self, error):
        """What came before the other side ended the connection is still ours to read."""
        while not self.closed and self.receive():
            pass
        self.closed = self.closed or f"closed ({error.__class__.__name__})"

    # ---- Receiving.

    def receive(self, timeout=0.0):
        """What is there, or comes in that time. False: nothing."""
        if self.closed:
            return False
        try:
            if timeout and not self.pending():
                select.select([self.socket], [], [], timeout)
            raw = self.socket.recv(262144)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            self.closed = f"closed ({error.__class__.__name__})"
            return False
        if not raw:
            self.closed = "closed"
            return False
        frames, self.buffer = h2.split(self.buffer + raw)
        for frame in frames:
            self.take(frame)
        # Never into the middle of what is being sent: TLS wants the same bytes again after it could not take them.
        if self.answers and not self.is_sending:
            raw, self.answers = self.answers, b""
            self.send(raw, note=False)
        return True

    def pending(self):
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0

    def take(self, frame):
        self.frames.append(frame)
        if frame.kind == h2.HEADERS:
            self.unfinished = (frame, self.block_of(frame))
        elif frame.kind == h2.CONTINUATION and self.unfinished:
            self.unfinished = (self.unfinished[0], self.unfinished[1] + frame.payload)
        if frame.kind in (h2.HEADERS, h2.CONTINUATION) and frame.has(h2.END_HEADERS) and self.unfinished:
            self.unfinished[0].fields, self.unfinished = self.decoder.decode(self.unfinished[1]), None
        if self.rude or frame.has(h2.ACK):
            return
        if frame.kind == h2.SETTINGS:
            self.answers += h2.settings(flags=h2.ACK)
        elif frame.kind == h2.PING:
            self.answers += h2.ping(frame.payload, h2.ACK)

    @staticmethod
    def block_of(frame):
        return frame.content[5:] if frame.has(h2.HAS_PRIORITY) else frame.content

    def wait(self, predicate, limit=None, since=0):
        """The first frame, from number `since` on, of which that is true; None: it never comes."""
        end = time.monotonic() + (limit or self.limit)
        while True:
            while since < len(self.frames):
                since += 1
                if predicate(self.frames[since - 1]):
                    return self.frames[since - 1]
            left = end - time.monotonic()
            if self.closed or left <= 0:
                return None
            self.receive(min(left, 0.5))

    def wait_closed(self, limit=None):
        """How, or "" where it stays open."""
        self.wait(lambda frame: False, limit)
        return self.closed

    # ---- What is often waited for.

    def wait_kind(self, kind, stream=None, limit=None, since=0):
        return self.wait(lambda f: f.kind == kind and stream in (None, f.stream), limit, since)

    def settle(self):
        """Until the other side has read all that was sent. False: it does not answer any more."""
        for _ in range(2):
            self.settled += 1
            word = b"%08d" % self.settled
            self.send(h2.ping(word), note=False)
            if not self.wait(lambda f, w=word: f.kind == h2.PING and f.has(h2.ACK) and f.payload == w):
                return False
        return True

    def server_settings(self):
        frame = self.wait(lambda f: f.kind == h2.SETTINGS and not f.has(h2.ACK))
        return dict(frame.settings) if frame else {}

    def response(self, stream, limit=None):
        """The final head of that stream, once the stream is complete; None: it never is."""
        head = self.wait(lambda f: f.stream == stream and f.kind == h2.HEADERS and (f.fields is None or f.status >= 200), limit)
        over = head and self.wait(lambda f: f.stream == stream and (
            f.kind == h2.RST_STREAM or f.kind in (h2.DATA, h2.HEADERS) and f.has(h2.END_STREAM)), limit)
        return head if over and over.kind != h2.RST_STREAM else None

    def content(self, stream):
        return b"".join(f.content for f in self.frames if f.kind == h2.DATA and f.stream == stream)

    def goaway(self):
        return next((f for f in self.frames if f.kind == h2.GOAWAY), None)

    def reset(self, stream):
        return next((f for f in self.frames if f.kind == h2.RST_STREAM and f.stream == stream), None)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
