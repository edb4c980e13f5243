"""A DNS server on a free port of 127.0.0.1, by UDP and TCP, that answers as a test tells it: right, wrongly or not at all."""

import socket
import struct
import threading

A, AAAA, SRV = 1, 28, 33
NO_ERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5


def encode_name(name):
    labels = [label.encode() for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode_name(data, at):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += data[at] + 1
    return ".".join(labels), at + 1


class DnsServer:
    """`set()` and `fail()` may be called while it runs. `asked` has (name, type) of every question."""

    def __init__(self):
        self.lock = threading.Lock()
        self.records, self.manners, self.asked = {}, {}, []
        for _ in range(20):
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            self.port = self.udp.getsockname()[1]
            try:
                self.tcp = socket.create_server(("127.0.0.1", self.port))
                break
            except OSError:
                self.udp.close()
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.serve_udp, self.serve_tcp)]
        for thread in self.threads:
            thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def set(self, name, *addresses, srv=(), ttl=0):
        """Addresses, and services as (priority, weight, port, target)."""
        records = [(AAAA if ":" in text else A, socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text))
                   for text in addresses]
        records += [(SRV, struct.pack(">HHH", *numbers) + encode_name(target)) for *numbers, target in srv]
        with self.lock:
            self.records[name] = (ttl, records)
            self.manners.pop(name, None)

    def fail(self, name, manner):
        """A response code, "silent", or "truncate" for who asks by UDP."""
        with self.lock:
            self.manners[name] = manner

    def count(self, name):
        with self.lock:
            return sum(asked == name for asked, _ in self.asked)

    def answer(self, question, by_udp):
        name, end = decode_name(question, 12)
        kind = struct.unpack(">H", question[end:end + 2])[0]
        with self.lock:
            self.asked.append((name, kind))
            manner = self.manners.get(name)
            ttl, records = self.records.get(name, (0, None))
        if manner == "silent":
            return b""
        code = manner if isinstance(manner, int) else NXDOMAIN if records is None else NO_ERROR
        truncated = manner == "truncate" and by_udp
        found = [] if code or truncated else [data for of_kind, data in records if of_kind == kind]
        flags = 0x8180 | code | (0x200 if truncated else 0)
        head = question[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0) + question[12:end + 4]
        return head + b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data for data in found)

    def serve_udp(self):
        while True:
            try:
                question, peer = self.udp.recvfrom(4096)
                if not question:
                    return
                answer = self.answer(question, True)
                if answer:
                    self.udp.sendto(answer, peer)
            except OSError:
                return

    def serve_tcp(self):
        while True:
            try:
                connection, _ = self.tcp.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    size = struct.unpack(">H", connection.recv(2, socket.MSG_WAITALL))[0]
                    answer = self.answer(connection.recv(size, socket.MSG_WAITALL), False)
                    connection.sendall(struct.pack(">H", len(answer)) + answer)
                except (OSError, struct.error):
                    pass

    def stop(self):
        """Nothing answers there any more."""
        # An empty question ends the thread, which a closed socket would not wake.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))
        self.tcp.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        self.udp.close()
        self.tcp.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.udp.fileno() >= 0:
            self.stop()
