"""PROXY headers, written and read by HAProxy's proxy-protocol.txt, and the configuration their tests share."""

import dataclasses
import ipaddress
import struct

CLIENT, DESTINATION = "203.0.113.7", "198.51.100.1"

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL = SIGNATURE + b"\x20\0\0\0"


def config(*backends, listener='proxy_protocol = "127.0.0.1"', address="127.0.0.1:0", upstream="", route="", extra=""):
    servers = ", ".join(f'"{backend.name}"' for backend in backends)
    return f"""
access_log = {{ path = "stdout", flush = "100ms" }}
[server]
workers = 1
[[listeners]]
address = "{address}"
{listener}
[upstreams.app]
servers = [{servers}]
{upstream}
[[routes]]
match = "*"
upstream = "app"
{route}
{extra}
"""


def v1(source, destination, source_port=50000, destination_port=443):
    family = "TCP6" if ":" in source else "TCP4"
    return f"PROXY {family} {source} {destination} {source_port} {destination_port}\r\n".encode()


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def tls(version=b"TLSv1.3", cipher=b"AES", name=b"", verified=True):
    value = struct.pack("!BI", 3 if name else 1, 0 if verified else 1) + tlv(0x21, version) + tlv(0x23, cipher)
    return tlv(0x20, value + (tlv(0x22, name) if name else b""))


def v2(source, destination, source_port=50000, destination_port=443, fields=b""):
    ips = [ipaddress.ip_address(text).packed for text in (source, destination)]
    block = b"".join(ips) + struct.pack("!HH", source_port, destination_port) + fields
    return SIGNATURE + bytes([0x21, 0x11 if len(ips[0]) == 4 else 0x21]) + struct.pack("!H", len(block)) + block


@dataclasses.dataclass
class Header:
    version: int
    source: tuple = None  # (ip, port); None: LOCAL or UNKNOWN
    destination: tuple = None
    fields: dict = dataclasses.field(default_factory=dict)


def exactly(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def read(connection):
    """The header that begins a connection, without a byte behind it."""
    begin = exactly(connection, 6)
    return read_line(connection, begin) if begin == b"PROXY " else read_binary(connection, begin)


def read_line(connection, line):
    while not line.endswith(b"\r\n"):
        if len(line) >= 107:
            raise ValueError(line)
        line += exactly(connection, 1)
    words = line[:-2].decode("ascii").split(" ")
    if words == ["PROXY", "UNKNOWN"]:
        return Header(1)
    _, family, source, destination, source_port, destination_port = words
    for ip in (source, destination):
        if ipaddress.ip_address(ip).version != {"TCP4": 4, "TCP6": 6}[family]:
            raise ValueError(line)
    return Header(1, (source, int(source_port)), (destination, int(destination_port)))


def read_binary(connection, begin):
    head = begin + exactly(connection, 10)
    if head[:12] != SIGNATURE:
        raise ValueError(head)
    command, family, size = struct.unpack("!BBH", head[12:])
    block = exactly(connection, size)
    if (command, family) == (0x20, 0):
        return Header(2)
    if command != 0x21 or family not in (0x11, 0x21):
        raise ValueError(head)
    width = 4 if family == 0x11 else 16
    ips = [str(ipaddress.ip_address(block[at:at + width])) for at in (0, width)]
    ports = struct.unpack("!HH", block[2 * width:2 * width + 4])
    return Header(2, (ips[0], ports[0]), (ips[1], ports[1]), dict(read_fields(block[2 * width + 4:])))


def read_fields(rest):
    while rest:
        kind, size = struct.unpack("!BH", rest[:3])
        if len(rest) < 3 + size:
            raise ValueError(rest)
        yield kind, rest[3:3 + size]
        rest = rest[3 + size:]
