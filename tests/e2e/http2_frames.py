"""HTTP/2 frames as bytes (RFC 9113 4 and 6), well made or broken at will, and back; knows nothing of rproxy, so it is a judge of it."""

import dataclasses
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# RFC 9113 6, RFC 9218 7.1.
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
PRIORITY_UPDATE = 0x10
TYPES = {0: "DATA", 1: "HEADERS", 2: "PRIORITY", 3: "RST_STREAM", 4: "SETTINGS", 5: "PUSH_PROMISE", 6: "PING", 7: "GOAWAY",
         8: "WINDOW_UPDATE", 9: "CONTINUATION", 16: "PRIORITY_UPDATE"}

ACK = END_STREAM = 0x1
END_HEADERS = 0x4
PADDED = 0x8
HAS_PRIORITY = 0x20
WHOLE = END_STREAM | END_HEADERS

# RFC 9113 6.5.2, RFC 8441 3, RFC 9218 2.1.
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)
ENABLE_CONNECT_PROTOCOL, NO_RFC7540_PRIORITIES = 8, 9

# RFC 9113 7.
(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM,
 CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY, HTTP_1_1_REQUIRED) = range(14)
ERRORS = ("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
          "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
          "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED")

MAX_WINDOW = 2**31 - 1
DEFAULT_WINDOW = 65535
DEFAULT_FRAME = 16384


def error_name(code):
    return ERRORS[code] if code < len(ERRORS) else f"error {code:#x}"


# ---- Making them. Nothing checks what is asked for: broken frames are the point.


def frame(kind, flags=0, stream=0, payload=b"", length=None):
    """`length` lies about the payload's."""
    size = len(payload) if length is None else length
    return struct.pack(">BHBBI", size >> 16, size & 0xffff, kind, flags, stream) + payload


def padded(payload, padding, pad_length=None):
    """`pad_length` lies about the padding's."""
    return bytes([len(padding) if pad_length is None else pad_length]) + payload + padding


def data(stream, content=b"", flags=0, padding=None, pad_length=None):
    if padding is not None:
        content, flags = padded(content, padding, pad_length), flags | PADDED
    return frame(DATA, flags, stream, content)


def dependency(on=0, weight=16, exclusive=False):
    return struct.pack(">IB", on | (exclusive << 31), weight - 1)


def headers(stream, block=b"", flags=WHOLE, padding=None, pad_length=None, priority=None):
    if priority is not None:
        block, flags = priority + block, flags | HAS_PRIORITY
    if padding is not None:
        block, flags = padded(block, padding, pad_length), flags | PADDED
    return frame(HEADERS, flags, stream, block)


def continuation(stream, block=b"", flags=END_HEADERS):
    return frame(CONTINUATION, flags, stream, block)


def priority(stream, on=0, weight=16, exclusive=False):
    return frame(PRIORITY, 0, stream, dependency(on, weight, exclusive))


def rst_stream(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def settings(*pairs, flags=0, stream=0):
    return frame(SETTINGS, flags, stream, b"".join(struct.pack(">HI", key, value) for key, value in pairs))


def push_promise(stream, promised, block=b"", flags=END_HEADERS):
    return frame(PUSH_PROMISE, flags, stream, struct.pack(">I", promised) + block)


def ping(opaque=b"rproxy!?", flags=0, stream=0):
    return frame(PING, flags, stream, opaque)


def goaway(last=0, code=NO_ERROR, debug=b"", stream=0):
    return frame(GOAWAY, 0, stream, struct.pack(">II", last, code) + debug)


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def priority_update(prioritized, value=b"u=1", stream=0):
    return frame(PRIORITY_UPDATE, 0, stream, struct.pack(">I", prioritized) + value)


# ---- Reading them.


@dataclasses.dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes
    fields: list | None = None  # of a HEADERS frame whose block is complete

    def has(self, flag):
        return bool(self.flags & flag)

    @property
    def code(self):
        """Of RST_STREAM and GOAWAY."""
        return int.from_bytes(self.payload[4:8] if self.kind == GOAWAY else self.payload[:4], "big")

    @property
    def last_stream(self):
        return int.from_bytes(self.payload[:4], "big") & MAX_WINDOW

    @property
    def settings(self):
        return [struct.unpack(">HI", self.payload[at:at + 6]) for at in range(0, len(self.payload) - 5, 6)]

    @property
    def content(self):
        """Without the padding."""
        if not self.has(PADDED):
            return self.payload
        return self.payload[1:len(self.payload) - self.payload[0]]

    def get(self, name):
        return next((value for field, value in self.fields or () if field == name), None)

    @property
    def status(self):
        status = self.get(b":status")
        return int(status) if status else 0

    def __str__(self):
        name = TYPES.get(self.kind, f"type {self.kind:#x}")
        detail = f"length {len(self.payload)}"
        if self.kind in (RST_STREAM, GOAWAY):
            detail = error_name(self.code) + (f" {self.payload[8:]!r}" if len(self.payload) > 8 else "")
        elif self.kind == HEADERS and self.fields is not None:
            detail = f":status {self.status}" if self.status else f"{len(self.fields)} fields"
        elif self.kind == SETTINGS:
            detail = "ACK" if self.has(ACK) else str(self.settings)
        end = " END_STREAM" if self.kind in (DATA, HEADERS) and self.has(END_STREAM) else ""
        return f"{name}({self.stream}: {detail}{end})"


def split(buffer):
    """The whole frames at the head of these bytes, and the rest."""
    frames, at = [], 0
    while len(buffer) - at >= 9:
        high, low, kind, flags, stream = struct.unpack_from(">BHBBI", buffer, at)
        size = (high << 16) + low
        if len(buffer) - at - 9 < size:
            break
        frames.append(Frame(kind, flags, stream & MAX_WINDOW, bytes(buffer[at + 9:at + 9 + size])))
        at += 9 + size
    return frames, buffer[at:]


def describe(raw):
    """For a report: the frames in these bytes, or their beginning in hex."""
    body = raw.removeprefix(PREFACE)
    frames, rest = split(body)
    parts = ["preface"] * (len(body) < len(raw)) + [str(one) for one in frames[:8]]
    if len(frames) > 8:
        parts.append(f"... {len(frames) - 8} more")
    if rest:
        parts.append(f"{len(rest)} bytes {rest[:24].hex()}")
    return ", ".join(parts)
