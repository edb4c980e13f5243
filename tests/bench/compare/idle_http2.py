"""One request by HTTP/2 on a connection that then stays."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
ACK = END_STREAM = 1
END_HEADERS = 4
# HPACK: GET and http of the static table; :path and :authority as they are (RFC 7541 6.2.2).
REQUEST = b"\x82\x86\x04\x06/small\x01\x01a"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def ask(connection):
    connection.sendall(PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, END_STREAM | END_HEADERS, 1, REQUEST))
    content = received = b""
    while True:
        while len(received) >= 9 and len(received) >= (end := 9 + int.from_bytes(received[:3], "big")):
            kind, flags, payload = received[3], received[4], received[9:end]
            received = received[end:]
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0))
            if kind == DATA:
                content += payload
            if kind in (DATA, HEADERS) and flags & END_STREAM:
                assert content == b"x" * 128, content
                return
        received += connection.recv(65536)
