"""RFC 7541: how header blocks are compressed, and what can't be decoded."""

import http2_frames as h2
import http2_hpack as hpack
from http2_hpack import INDEX, NEVER, PLAIN, coded_string, indexed, literal, size_update

from .case import Case, connection_error, each, expectation, served
from .semantics import echoed

EOS = hpack.CODES[hpack.EOS]
ALL_PRINTABLE = bytes(range(0x21, 0x7f))


def test_field(way, name, coded):
    return literal(58 if name == "indexed" else b"x-test", b"rproxy", way, coded)


def representations(t):
    number = 2
    for way, text in ((INDEX, "with indexing"), (PLAIN, "without indexing"), (NEVER, "never indexed")):
        for name in ("indexed", "new"):
            for coded in (False, True):
                yield Case("7541 6.2", f"a literal {text}, {name} name{', Huffman-coded' * coded}",
                           (h2.headers(1, t.block() + test_field(way, name, coded)),), served(), f"generic/5/{number}")
                number += 1


def broken(t):
    def add(raw):
        return (h2.headers(1, t.block() + raw),)

    error = connection_error(h2.COMPRESSION_ERROR)
    bits = hpack.from_bits
    a, name = hpack.CODES[ord("a")], b"\x00\x06x-test"
    listed = (
        ("2.3.3", "an index that is not there", indexed(70), "hpack/2.3.3/1"),
        ("2.3.3", "a literal's index that is not there", literal(70, b"empty", INDEX), "hpack/2.3.3/2"),
        ("4.2", "a size update after a field", size_update(1), "hpack/4.2/1"),
        ("5.2", "padding of more than 7 bits", name + coded_string(hpack.huffman(b"test") + b"\xff"), "hpack/5.2/1"),
        ("5.2", "padding of zeros", name + coded_string(bits(a, "0")), "hpack/5.2/2"),
        ("5.2", "EOS within a string", name + coded_string(bits(a + EOS + a)), "hpack/5.2/3"),
        ("6.1", "index 0", indexed(0), "hpack/6.1/1"),
        ("2.3.3", "the first index of an empty table", indexed(62), ""),
        ("2.3.3", "a name's index without indexing", literal(62, b"x", PLAIN), ""),
        ("2.3.3", "a name's index, never indexed", literal(62, b"x", NEVER), ""),
        ("2.3.3", "an index of 32 bits", indexed(2**32 - 1), ""),
        ("5.1", "an integer of 64 bits", b"\xff" + b"\xff" * 9 + b"\x01", ""),
        ("5.1", "an integer that wraps round to a good one", hpack.integer(2**32 + 2, 7, 0x80), ""),
        ("5.1", "an integer of 64 bits that wraps round", hpack.integer(2**64 + 2, 7, 0x80), ""),
        ("5.1", "an integer without end", b"\xff" + b"\x80" * 40, ""),
        ("5.1", "an integer that ends with the block", b"\xff\x80", ""),
        ("5.2", "a name longer than the block", b"\x00\x20x-test", ""),
        ("5.2", "a value longer than the block", name + b"\x20abc", ""),
        ("5.2", "a string of 2^31 octets", name + hpack.integer(2**31, 7) + b"abc", ""),
        ("5.2", "a literal without a value", name, ""),
        ("5.2", "a literal without anything", b"\x40", ""),
        ("5.2", "a string of EOS alone", name + coded_string(bits(EOS)), ""),
        ("5.2", "a name with EOS", b"\x00" + coded_string(bits(a + EOS)) + b"\x01x", ""),
        ("5.2", "a code that breaks off", name + coded_string(bits(hpack.CODES[92][:16])), ""),
        ("5.2", "padding of a whole octet alone", name + coded_string(b"\xff"), ""),
        ("6.3", "a size update between fields", size_update(100) + indexed(2), ""),
    )
    for clause, text, raw, suite in listed:
        yield Case(f"7541 {clause}", text, add(raw), error, suite)
    yield Case("7541 6.3", "a size update above SETTINGS_HEADER_TABLE_SIZE", (too_large_update(t),), error, "hpack/6.3/1")
    yield Case("7541 6.3", "a size update of 2^32", (h2.headers(1, size_update(2**32) + t.block()),), error)
    yield Case("7541 4.4", "an entry larger than the table empties it",
               (h2.headers(1, t.block() + literal(b"x-a", b"1", INDEX) + literal(b"x-b", b"b" * 5000, INDEX) + indexed(62)),), error)
    yield Case("7541 4.3", "a size update of 0 forgets all",
               (h2.headers(1, t.block() + literal(b"x-a", b"1", INDEX)), h2.headers(3, size_update(0) + t.block() + indexed(62))), error)
    yield Case("9113 4.3", "a block that can't be decoded, of trailers",
               (t.post(), h2.data(1, b"x"), h2.headers(1, indexed(0))), error)
    yield Case("9113 4.3", "a block that can't be decoded, in CONTINUATION",
               (h2.headers(1, t.block(), h2.END_STREAM), h2.continuation(1, indexed(0))), error)


def too_large_update(t):
    def step(peer):
        limit = peer.server_settings().get(h2.HEADER_TABLE_SIZE, hpack.DEFAULT_TABLE)
        peer.send(h2.headers(1, size_update(limit + 1) + t.block()))

    return step


def evicting(t, count):
    """The oldest go first: of these the table of 4096 octets keeps 40 or so."""
    raw = b"".join(literal(b"x-%03d" % n, b"v" * 60, INDEX) for n in range(count))
    return h2.headers(1, t.block(path=b"/echo") + raw)


def tables(t):
    def echo(raw, before=b""):
        return h2.headers(1, before + t.block(path=b"/echo") + raw)

    yield Case("7541 6.1", "an indexed field", (t.get(),), served(), "generic/5/1")
    yield Case("7541 6.3", "a size update", (h2.headers(1, size_update(128) + t.block()),), served(), "generic/5/14")
    yield Case("7541 6.3", "two size updates", (h2.headers(1, size_update(128) + size_update(4096) + t.block()),), served(),
               "generic/5/15")
    yield Case("7541 6.3", "a size update of 0, then of all", (h2.headers(1, size_update(0) + size_update(4096) + t.block()),), served())
    yield Case("7541 2.3.2", "an entry is used again", (echo(literal(b"x-kept", b"yes", INDEX) + indexed(62)),),
               echoed(b"x-kept: yes"), origin=True)
    yield Case("7541 2.3.2", "an entry is used by another request",
               (h2.headers(1, t.block(path=b"/echo") + literal(b"x-kept", b"yes", INDEX)), h2.headers(3, t.block() + indexed(62))),
               each(served(1), served(3)))
    yield Case("7541 2.3.2", "an entry's name is used", (echo(literal(b"x-kept", b"yes", INDEX) + literal(62, b"no", PLAIN)),),
               echoed(b"x-kept: no"), origin=True)
    yield Case("7541 2.3.2", "the last of the entries is the first",
               (echo(literal(b"x-a", b"1", INDEX) + literal(b"x-b", b"2", INDEX) + literal(62, b"3", PLAIN) + literal(
                   63, b"4", PLAIN)),), echoed(b"x-b: 3", b"x-a: 4"), origin=True)
    yield Case("7541 4.4", "entries are evicted", (evicting(t, 60),), echoed(b"x-059: " + b"v" * 60), origin=True)
    yield Case("7541 4.4", "the oldest entry that is left", (evicting(t, 60), h2.headers(
        3, t.block() + indexed(61 + 4096 // (5 + 60 + 32)))), served(3))
    yield Case("7541 4.4", "the entry before the oldest", (evicting(t, 60), h2.headers(
        3, t.block() + indexed(62 + 4096 // (5 + 60 + 32)))), connection_error(h2.COMPRESSION_ERROR))
    yield Case("7541 4.4", "an entry whose name is evicted by it",
               (echo(literal(b"x-kept", b"v" * 2000, INDEX) + literal(62, b"w" * 2040, INDEX)),),
               echoed(b"x-kept: " + b"w" * 2040), origin=True)
    yield Case("7541 5.1", "an integer with zeros behind it", (h2.headers(1, t.block() + b"\x0f\x80\x00" + b"\x01a"),), served(),
               level="MAY")
    yield Case("7541 5.2", "every printable character, Huffman-coded", (echo(literal(b"x-all", ALL_PRINTABLE, PLAIN, True)),),
               echoed(b"x-all: " + ALL_PRINTABLE.lower()), origin=True)
    yield Case("7541 5.2", "a Huffman-coded string of nothing", (echo(literal(b"x-none", b"", PLAIN, True)),), echoed(b"x-none:"),
               origin=True)
    yield Case("7541 6.2.3", "a never indexed field is passed on", (echo(literal(b"authorization", b"Basic eA==", NEVER)),),
               echoed(b"authorization: basic ea=="), origin=True)
    yield Case("9113 4.3", "responses can be decoded, with a table between them", (b"".join(t.get(n) for n in range(1, 20, 2)),),
               each(*(served(n) for n in range(1, 20, 2)), decoded))


@expectation("responses that all say the same")
def decoded(peer):
    heads = [dict(f.fields) for f in peer.frames if f.kind == h2.HEADERS]
    return "" if len(heads) == 10 and len({head.get(b"content-length") for head in heads}) == 1 else "another"


def cases(t):
    return [*tables(t), *representations(t), *broken(t)]
