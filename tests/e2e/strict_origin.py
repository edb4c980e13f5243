"""The origins behind the cases of tests/cases/strict: they record what they get, and say when they have got all of it."""

import contextlib
import fcntl
import select
import socket
import struct
import termios
import threading

from harness import LIMIT, Reader, ok, until

# What is longer goes in pieces of a prime's size rather than byte by byte.
BYTEWISE_MAX, PIECE = 4000, 1021


class Recording(Reader):
    """Keeps what it has read."""

    def __init__(self, connection):
        super().__init__(connection)
        self.raw = b""

    def fill(self):
        before = len(self.buffer)
        filled = super().fill()
        self.raw += self.buffer[before:]
        return filled

    def take_raw(self):
        """The bytes of the messages read since the last time."""
        size = len(self.raw) - len(self.buffer)
        taken, self.raw = self.raw[:size], self.raw[size:]
        return taken


class Watched(Recording):
    """Says whether it waits for more."""

    def __init__(self, connection):
        super().__init__(connection)
        self.waits, self.over = False, False

    def fill(self):
        self.waits = True
        select.select([self.connection], [], [])
        self.waits = False
        return super().fill()

    def is_settled(self):
        """Has taken all there is; asked twice, because a thread reads."""
        return self.over or (self.waits and pending(self.connection) == 0 and self.waits)


def pending(connection):
    try:
        return struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.FIONREAD, b"\0\0\0\0"))[0]
    except (OSError, ValueError):
        return 0


def send(connection, data, bytewise):
    step = max(len(data), 1) if not bytewise else 1 if len(data) <= BYTEWISE_MAX else PIECE
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # The other side may have seen enough.
    with contextlib.suppress(ConnectionError):
        for at in range(0, len(data), step):
            connection.sendall(data[at:at + step])


class Origin:
    """What both kinds of cases have behind rproxy: answers /next, records what it gets."""

    def __init__(self):
        self.readers, self.messages, self.lock = [], [], threading.Lock()

    def __call__(self, peer):
        peer.reader = Watched(peer.socket)
        with self.lock:
            self.readers.append(peer.reader)
        try:
            while self.serve(peer):
                pass
        finally:
            peer.reader.over = True

    def serve(self, peer):
        message = peer.reader.head()
        if message is None:
            return False
        self.read_content(peer, message)
        if not message.complete:
            return False
        message.raw, message.connection = peer.reader.take_raw(), peer.reader
        self.messages.append(message)
        return self.answer(peer, message)

    def read_content(self, peer, message):
        if message.get("Expect"):
            peer.send("HTTP/1.1 100 Continue\r\n\r\n")
        peer.reader.content(message, until_close=False)

    def answer(self, peer, message):
        peer.send(ok(b"next" if " /next " in message.start_line else b"fine", "Date: now\r\n"))
        return True

    def settled(self):
        """What was received since the last time, when nothing is on its way any more."""
        until(lambda: all(reader.is_settled() for reader in list(self.readers)), "the origin to have read all")
        with self.lock:
            self.readers = [reader for reader in self.readers if not reader.over]
        messages, self.messages = self.messages, []
        return messages


class Answering(Origin):
    """Answers /case with the case's bytes."""

    def __init__(self):
        super().__init__()
        self.case, self.bytewise = None, False
        self.taken, self.sent = threading.Event(), threading.Event()

    def begin(self, case, bytewise):
        self.case, self.bytewise = case, bytewise
        self.taken.clear()
        self.sent.clear()

    def read_content(self, peer, message):
        if " /next " in message.start_line or not self.case.early:
            super().read_content(peer, message)

    def answer(self, peer, message):
        if " /next " in message.start_line:
            return super().answer(peer, message)
        send(peer.socket, self.case.send, self.bytewise)
        if self.case.later:
            self.taken.wait(LIMIT)
            send(peer.socket, self.case.later, bytewise=False)
        self.sent.set()
        if self.case.then == "reset":
            peer.reset()
        if self.case.then == "hold" and self.case.early:
            # What else comes is content, which the origin does not look at.
            peer.wait_closed()
            return False
        return self.case.then == "hold"
