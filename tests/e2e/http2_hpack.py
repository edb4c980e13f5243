"""HPACK (RFC 7541): pieces of header blocks, well made or broken at will, and a whole decoder."""

# Appendix A.
STATIC = [(b":authority", b""), (b":method", b"GET"), (b":method", b"POST"), (b":path", b"/"), (b":path", b"/index.html"),
          (b":scheme", b"http"), (b":scheme", b"https"), *((b":status", b"%d" % n) for n in (200, 204, 206, 304, 400, 404, 500)),
          (b"accept-charset", b""), (b"accept-encoding", b"gzip, deflate"), *((name.encode(), b"") for name in """
accept-language accept-ranges accept access-control-allow-origin age allow authorization cache-control content-disposition
content-encoding content-language content-length content-location content-range content-type cookie date etag expect expires from
host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location max-forwards
proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie strict-transport-security
transfer-encoding user-agent vary via www-authenticate""".split())]

# Appendix B, the bits of each symbol's code; the code is canonical, so they say everything.
CODE_BITS = [int(bits) for bits in """
13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28
6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10
13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6
15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28
20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24
22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23
26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27
20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26
30""".split()]
EOS = 256
ENTRY_OVERHEAD = 32  # 4.1
DEFAULT_TABLE = 4096


def canonical_codes():
    codes, code, before = {}, 0, 0
    for bits, symbol in sorted((bits, symbol) for symbol, bits in enumerate(CODE_BITS)):
        code <<= bits - before
        codes[symbol], before, code = f"{code:0{bits}b}", bits, code + 1
    return codes


CODES = canonical_codes()
SYMBOLS = {code: symbol for symbol, code in CODES.items()}


# ---- Making blocks.


def integer(value, prefix, high=0):
    """5.1: `high` are the bits above the prefix."""
    limit = (1 << prefix) - 1
    if value < limit:
        return bytes([high | value])
    out, value = [high | limit], value - limit
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def from_bits(bits, fill="1"):
    """Padded to whole octets as 5.2 says, or wrongly."""
    bits += fill * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def huffman(text):
    return from_bits("".join(CODES[symbol] for symbol in text))


def string(text, coded=False):
    """5.2."""
    if coded:
        text = huffman(text)
    return integer(len(text), 7, 0x80 * coded) + text


def coded_string(raw):
    """A string said to be Huffman-coded, of just these bytes."""
    return integer(len(raw), 7, 0x80) + raw


def indexed(index):
    """6.1."""
    return integer(index, 7, 0x80)


INDEX, PLAIN, NEVER = (6, 0x40), (4, 0x00), (4, 0x10)  # 6.2.1 to 6.2.3: the prefix, and what stands before it


def literal(name, value, way=PLAIN, coded=False):
    """`name`: an index, or the name itself."""
    if isinstance(name, int):
        return integer(name, *way) + string(value, coded)
    return integer(0, *way) + string(name, coded) + string(value, coded)


def size_update(size):
    """6.3."""
    return integer(size, 5, 0x20)


def block(fields, way=PLAIN, coded=False):
    """Each field by the static table where it is there, else literally."""
    out = b""
    for name, value in fields:
        if (name, value) in STATIC:
            out += indexed(STATIC.index((name, value)) + 1)
        else:
            known = next((at for at, (other, _) in enumerate(STATIC, 1) if other == name), name)
            out += literal(known, value, way, coded)
    return out


# ---- Reading them.


class HpackError(Exception):
    pass


def decode_huffman(raw):
    bits, out, code = f"{int.from_bytes(raw, 'big'):0{8 * len(raw)}b}" if raw else "", bytearray(), ""
    for bit in bits:
        code += bit
        symbol = SYMBOLS.get(code)
        if symbol == EOS:
            raise HpackError("EOS in a string")
        if symbol is not None:
            out.append(symbol)
            code = ""
    if len(code) > 7 or "0" in code:
        raise HpackError(f"padding {code}")
    return bytes(out)


class Decoder:
    def __init__(self, limit=DEFAULT_TABLE):
        self.limit = self.size_max = limit  # what we have said, and what the encoder has chosen
        self.table, self.size = [], 0

    def decode(self, raw):
        self.raw, self.at = raw, 0
        fields, seen_field = [], False
        while self.at < len(raw):
            first = raw[self.at]
            if first & 0xe0 == 0x20:
                self.resize(self.integer(5), seen_field)
                continue
            seen_field = True
            if first & 0x80:
                fields.append(self.entry(self.integer(7)))
            else:
                fields.append(self.literal(6 if first & 0x40 else 4, bool(first & 0x40)))
        return fields

    def literal(self, prefix, is_kept):
        index = self.integer(prefix)
        name = self.entry(index)[0] if index else self.string()
        field = (name, self.string())
        if is_kept:
            self.table.insert(0, field)
            self.evict()
        return field

    def resize(self, size, seen_field):
        if seen_field or size > self.limit:
            raise HpackError(f"table size update to {size}" + " after a field" * seen_field)
        self.size_max = size
        self.evict()

    def evict(self):
        def size():
            return sum(len(name) + len(value) + ENTRY_OVERHEAD for name, value in self.table)

        while size() > self.size_max:
            self.table.pop()

    def entry(self, index):
        entries = STATIC + self.table
        if not 1 <= index <= len(entries):
            raise HpackError(f"index {index}")
        return entries[index - 1]

    def octet(self):
        if self.at >= len(self.raw):
            raise HpackError("block ends early")
        self.at += 1
        return self.raw[self.at - 1]

    def integer(self, prefix):
        limit = (1 << prefix) - 1
        value, shift = self.octet() & limit, 0
        if value < limit:
            return value
        while True:
            octet = self.octet()
            value += (octet & 127) << shift
            shift += 7
            if octet < 128:
                return value
            if shift > 35:
                raise HpackError("integer too long")

    def string(self):
        coded = self.at < len(self.raw) and self.raw[self.at] & 0x80
        size = self.integer(7)
        raw, self.at = self.raw[self.at:self.at + size], self.at + size
        if len(raw) < size:
            raise HpackError("string longer than the block")
        return decode_huffman(raw) if coded else raw
