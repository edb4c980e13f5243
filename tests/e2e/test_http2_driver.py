"""The judge is judged: our HPACK and frames against the examples of RFC 7541 and what this side must refuse."""

import unittest

import http2_frames as h2
import http2_hpack as hpack

# RFC 7541 C.6: responses with Huffman coding and a table of 256 octets, so that entries are evicted.
RESPONSES = ("""
488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3""", """
4883640effc1c0bf""", """
88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f95
87316065c003ed4ee5b1063d5007""")


class Hpack(unittest.TestCase):
    def test_integers(self):
        for value, prefix, raw in ((10, 5, "0a"), (1337, 5, "1f9a0a"), (42, 8, "2a"), (31, 5, "1f00"), (0, 7, "00")):
            self.assertEqual(hpack.integer(value, prefix).hex(), raw)  # RFC 7541 C.1

    def test_huffman(self):
        for text, raw in ((b"www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"), (b"no-cache", "a8eb10649cbf"),
                          (b"custom-value", "25a849e95bb8e8b4bf"), (b"Mon, 21 Oct 2013 20:13:21 GMT",
                                                                   "d07abe941054d444a8200595040b8166e082a62d1bff")):
            self.assertEqual(hpack.huffman(text).hex(), raw)  # RFC 7541 C.4 and C.6
        every = bytes(range(256))
        self.assertEqual(hpack.decode_huffman(hpack.huffman(every)), every)

    def test_decodes_with_a_table_that_forgets(self):
        decoder = hpack.Decoder(256)
        first, second, third = (decoder.decode(bytes.fromhex(text.replace("\n", ""))) for text in RESPONSES)
        self.assertEqual(first[0], (b":status", b"302"))
        self.assertEqual(second, [(b":status", b"307"), *first[1:]])
        self.assertEqual(third[0], (b":status", b"200"))
        self.assertEqual(third[5], (b"set-cookie", b"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"))
        self.assertEqual([name for name, _ in decoder.table], [b"set-cookie", b"content-encoding", b"date"])

    def test_reads_what_it_writes(self):
        fields = [(b":method", b"GET"), (b":path", b"/x"), (b"x-new", b"\xff\x00v"), (b"cookie", b"a=b"), (b"x-new", b"")]
        for way in (hpack.INDEX, hpack.PLAIN, hpack.NEVER):
            for coded in (False, True):
                self.assertEqual(hpack.Decoder().decode(hpack.block(fields, way, coded)), fields)

    def test_refuses_broken_blocks(self):
        for name, raw in {
            "index 0": hpack.indexed(0), "index beyond": hpack.indexed(62), "a padding of zeros": hpack.literal(1, b"")[:-1]
            + hpack.coded_string(hpack.from_bits(hpack.CODES[ord("a")], "0")), "EOS": hpack.literal(b"a", b"")[:-1]
            + hpack.coded_string(b"\xff\xff\xff\xff"), "a size update late": hpack.indexed(2) + hpack.size_update(0),
            "a size too large": hpack.size_update(4097), "an end within": hpack.literal(b"name", b"value")[:-1],
            "an endless integer": b"\xff" + b"\x80" * 10 + b"\x01"}.items():
            with self.subTest(name), self.assertRaises(hpack.HpackError):
                hpack.Decoder().decode(raw)


class Frames(unittest.TestCase):
    def test_are_split_at_every_position(self):
        raw = h2.data(1, b"abc", h2.END_STREAM, padding=b"\0\0") + h2.rst_stream(3, h2.CANCEL) + h2.goaway(5, 11, b"calm")
        for at in range(len(raw)):
            first, rest = h2.split(raw[:at])
            second, rest = h2.split(rest + raw[at:])
            frames = first + second
            self.assertEqual(([f.kind for f in frames], rest), ([h2.DATA, h2.RST_STREAM, h2.GOAWAY], b""))
        self.assertEqual((frames[0].content, frames[1].code, frames[2].code, frames[2].last_stream), (b"abc", 8, 11, 5))


if __name__ == "__main__":
    unittest.main()
