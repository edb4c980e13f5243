"""RFC 9113 6.4, 6.5, 6.7, 6.8 and RFC 9218 7: the frames that steer a connection."""

import http2_frames as h2

from .case import (Case, alive, alive_or_ended, await_response, await_settings_ack, connection_error, each, either, expectation, served,
                   settle, still_talks, stream_error)

WRONG = h2.PROTOCOL_ERROR
SIZE = h2.FRAME_SIZE_ERROR
BIG = 2**32 - 1


@expectation("SETTINGS is acknowledged")
def acknowledged(peer):
    return await_settings_ack(peer)


def acknowledgements(count):
    @expectation(f"{count} acknowledgements of SETTINGS")
    def check(peer):
        def enough(_):
            return sum(f.kind == h2.SETTINGS and f.has(h2.ACK) for f in peer.frames) >= count

        return "" if peer.wait(enough) else "too few"

    return check


@expectation("a PING acknowledged with the same octets")
def echoed(peer):
    return "" if peer.wait(lambda f: f.kind == h2.PING and f.has(h2.ACK) and f.payload == b"\0\1\2\3\4\5\6\7") else "no such PING"


@expectation("no answer to an acknowledgement")
def not_echoed(peer):
    peer.settle()
    return "an answer" if any(f.kind == h2.PING and f.payload == b"rproxy!?" for f in peer.frames) else still_talks(peer)


def forget_table(peer):
    """From now on the responses' encoder must not use a dynamic table (RFC 7541 4.2)."""
    if not peer.settle():
        return "no answer to PING"
    peer.decoder.limit = 0
    return ""


@expectation("responses whose header blocks use no dynamic table, and say so")
def no_table(peer):
    if fault := each(served(1), served(3))(peer):
        return fault
    return "the table was not made smaller" if peer.decoder.size_max else ""


def upload_after_goaway(peer):
    peer.settle()
    peer.send(h2.data(1, b"test", h2.END_STREAM))


def cases(t):
    wrong, size = connection_error(WRONG), connection_error(SIZE)
    opened = (t.post(),)
    end = h2.END_STREAM

    def setting(key, *values):
        return h2.settings(*((key, value) for value in values))

    return [
        Case("9113 6.4", "RST_STREAM", (*opened, h2.rst_stream(1)), alive_or_ended, "generic/3.4/1"),
        Case("9113 6.4", "RST_STREAM on stream 0", (h2.rst_stream(0),), wrong, "http2/6.4/1"),
        Case("9113 6.4", "RST_STREAM on an idle stream", (h2.rst_stream(1),), wrong, "http2/6.4/2"),
        Case("9113 6.4", "RST_STREAM of 3 octets", (*opened, h2.frame(h2.RST_STREAM, 0, 1, b"\0" * 3)), stream_error(1, SIZE),
             "http2/6.4/3"),
        Case("9113 6.4", "RST_STREAM of 5 octets", (*opened, h2.frame(h2.RST_STREAM, 0, 1, b"\0" * 5)), size),
        Case("9113 6.4", "RST_STREAM with NO_ERROR", (*opened, h2.rst_stream(1, h2.NO_ERROR), t.get(3)), served(3)),
        Case("9113 7", "RST_STREAM with an unknown code", (*opened, h2.rst_stream(1, 0xff)), alive_or_ended, "http2/7/2"),

        Case("9113 6.5", "SETTINGS", (h2.settings((1, 4096), (2, 0), (3, 100), (4, 65535), (5, 16384), (6, 1 << 20)),), acknowledged,
             "generic/3.5/1"),
        Case("9113 6.5", "SETTINGS that acknowledges and has a payload", (h2.settings((1, 4096), flags=h2.ACK),), size, "http2/6.5/1"),
        Case("9113 6.5", "SETTINGS on a stream", (h2.settings((1, 4096), stream=1),), wrong, "http2/6.5/2"),
        Case("9113 6.5", "SETTINGS of 3 octets", (h2.frame(h2.SETTINGS, 0, 0, b"\0" * 3),), connection_error(SIZE), "http2/6.5/3"),
        Case("9113 6.5", "SETTINGS of 7 octets", (h2.frame(h2.SETTINGS, 0, 0, b"\0" * 7),), size),
        Case("9113 6.5", "SETTINGS that acknowledges nothing", (settle, h2.settings(flags=h2.ACK)), either(
            still_talks, wrong), level="MAY"),
        Case("9113 6.5.2", "ENABLE_PUSH of 2", (setting(h2.ENABLE_PUSH, 2),), wrong, "http2/6.5.2/1"),
        Case("9113 6.5.2", "INITIAL_WINDOW_SIZE above 2^31-1", (setting(h2.INITIAL_WINDOW_SIZE, 1 << 31),),
             connection_error(h2.FLOW_CONTROL_ERROR), "http2/6.5.2/2"),
        Case("9113 6.5.2", "MAX_FRAME_SIZE below 2^14", (setting(h2.MAX_FRAME_SIZE, 16383),), wrong, "http2/6.5.2/3"),
        Case("9113 6.5.2", "MAX_FRAME_SIZE above 2^24-1", (setting(h2.MAX_FRAME_SIZE, 1 << 24),), wrong, "http2/6.5.2/4"),
        Case("9113 6.5.2", "MAX_FRAME_SIZE of 2^24-1", (setting(h2.MAX_FRAME_SIZE, (1 << 24) - 1), t.get()), served()),
        Case("9113 6.5.2", "an unknown setting", (h2.settings((0xff, 1), (0, 0), (0x8a8a, BIG)),), alive, "http2/6.5.2/5"),
        Case("9113 6.5.2", "every setting at its highest",
             (h2.settings((1, BIG), (2, 1), (3, BIG), (4, h2.MAX_WINDOW), (5, (1 << 24) - 1), (6, BIG)), t.get()), served()),
        Case("9113 6.5.2", "no stream of the server's", (setting(h2.MAX_CONCURRENT_STREAMS, 0), t.get()), served()),
        Case("9113 6.5.3", "INITIAL_WINDOW_SIZE twice: the last counts",
             (setting(h2.INITIAL_WINDOW_SIZE, 100, 1), await_settings_ack, t.get()), one_octet, "http2/6.5.3/1"),
        Case("9113 6.5.3", "SETTINGS is acknowledged", (), acknowledged, "http2/6.5.3/2"),
        Case("9113 6.5.3", "each SETTINGS is acknowledged", (h2.settings() * 4,), acknowledgements(5)),
        Case("9113 6.5.3", "a setting counts from its acknowledgement on",
             (setting(h2.HEADER_TABLE_SIZE, 0), forget_table, t.get(), t.get(3)), no_table),
        Case("8441 3", "ENABLE_CONNECT_PROTOCOL from a client means nothing", (setting(8, 1), t.get()), served()),
        Case("9218 2.1", "NO_RFC7540_PRIORITIES of 1", (setting(9, 1), t.get()), served(), settings=((9, 1),)),
        Case("9218 2.1", "NO_RFC7540_PRIORITIES of 2", (), wrong, settings=((9, 2),)),

        Case("9113 6.7", "PING", (h2.ping(),), alive, "generic/3.7/1"),
        Case("9113 6.7", "PING is answered with its octets", (h2.ping(b"\0\1\2\3\4\5\6\7"),), echoed, "http2/6.7/1"),
        Case("9113 6.7", "PING that acknowledges", (h2.ping(flags=h2.ACK),), not_echoed, "http2/6.7/2"),
        Case("9113 6.7", "PING on a stream", (h2.ping(stream=1),), wrong, "http2/6.7/3"),
        Case("9113 6.7", "PING of 6 octets", (h2.ping(b"\0" * 6),), size, "http2/6.7/4"),
        Case("9113 6.7", "PING of 9 octets", (h2.ping(b"\0" * 9),), size),
        Case("9113 6.7", "PING of none", (h2.ping(b""),), size),
        Case("9113 6.7", "PING that acknowledges, of 7 octets", (h2.ping(b"\0" * 7, flags=h2.ACK),), size),
        Case("9113 6.7", "PING while a response waits for a window", (t.get(), h2.ping(b"\0\1\2\3\4\5\6\7")), echoed,
             settings=((h2.INITIAL_WINDOW_SIZE, 0),)),

        Case("9113 6.8", "GOAWAY", (h2.goaway(0, h2.NO_ERROR, b"bye"),), alive_or_ended, "generic/3.8/1"),
        Case("9113 6.8", "GOAWAY on a stream", (h2.goaway(stream=1),), wrong, "http2/6.8/1"),
        Case("9113 7", "GOAWAY with an unknown code", (h2.goaway(code=0xff),), alive_or_ended, "http2/7/1"),
        Case("9113 6.8", "GOAWAY of 7 octets", (h2.frame(h2.GOAWAY, 0, 0, b"\0" * 7),), size),
        Case("9113 6.8", "a request asked for before GOAWAY is served", (t.get(), h2.goaway()), served()),
        Case("9113 6.8", "a request begun before GOAWAY is ended and served", (*opened, h2.goaway(), upload_after_goaway), served()),
        Case("9113 6.8", "GOAWAY twice", (t.get(), h2.goaway(4), h2.goaway(0)), served()),

        Case("9218 7.1", "PRIORITY_UPDATE of an idle stream", (h2.priority_update(1), t.get()), served()),
        Case("9218 7.1", "PRIORITY_UPDATE of an open stream", (*opened, h2.priority_update(1, b"u=7, i"), h2.data(1, b"x", end)), served()),
        Case("9218 7.1", "PRIORITY_UPDATE of a closed stream", (t.get(), await_response(1), h2.priority_update(1)), alive),
        Case("9218 7.1", "PRIORITY_UPDATE that can't be read", (h2.priority_update(1, b"\xff;;=u"), t.get()), served()),
        Case("9218 7.1", "PRIORITY_UPDATE that says nothing", (h2.priority_update(1, b""), t.get()), served()),
        Case("9218 7.1", "PRIORITY_UPDATE on a stream", (t.get(), h2.priority_update(1, stream=1)), wrong, level="SHOULD"),
        Case("9218 7.1", "PRIORITY_UPDATE of stream 0", (h2.priority_update(0),), wrong, level="SHOULD"),
        Case("9218 7.1", "PRIORITY_UPDATE of 3 octets", (h2.frame(h2.PRIORITY_UPDATE, 0, 0, b"\0" * 3),), size, level="SHOULD"),
        Case("9218 7.1", "PRIORITY_UPDATE of a push that is not", (h2.priority_update(2),), wrong, level="SHOULD"),
        Case("9218 5", "a priority field that can't be read", (t.get(1, (b"priority", b"u=9;;x")),), served()),
    ]


@expectation("DATA of one octet")
def one_octet(peer):
    frame = peer.wait_kind(h2.DATA, 1)
    return "" if frame and len(frame.payload) == 1 else "another"
