"""RFC 9113 3.4: the connection preface."""

import http2_frames as h2

from .case import Case, alive, await_server_settings, connection_error, expectation, served


@expectation("SETTINGS is the server's first frame")
def settings_first(peer):
    peer.wait(lambda frame: True)
    return "" if peer.frames and peer.frames[0].kind == h2.SETTINGS and not peer.frames[0].has(h2.ACK) else "another"


@expectation("an end of the connection, whatever is said before")
def ended(peer):
    return "" if peer.wait_closed() else "the connection stays open"


def byte_by_byte(raw):
    def step(peer):
        for at in range(len(raw)):
            peer.send(raw[at:at + 1])

    return step


def sane_settings(peer):
    """What a server may say in its SETTINGS (RFC 9113 6.5.2)."""
    said = peer.server_settings()
    if said.get(h2.ENABLE_PUSH, 0) != 0:
        return "a server enables push"
    if said.get(h2.INITIAL_WINDOW_SIZE, 0) > h2.MAX_WINDOW:
        return "a window too large"
    if not h2.DEFAULT_FRAME <= said.get(h2.MAX_FRAME_SIZE, h2.DEFAULT_FRAME) < 1 << 24:
        return "a frame size out of range"
    return "no promise of 100 streams" if said.get(h2.MAX_CONCURRENT_STREAMS, 100) < 100 else ""


sane_settings.text = "SETTINGS with values a server may send, and at least 100 streams"


def cases(t):
    start = h2.PREFACE + h2.settings()
    wrong = connection_error(h2.PROTOCOL_ERROR)
    return [
        Case("9113 3.4", "the preface is accepted", (), settings_first, "generic/1/1"),
        Case("9113 3.4", "the server's SETTINGS comes first", (t.get(),), settings_first, "http2/3.5/1"),
        Case("9113 3.4", "another preface", (b"INVALID CONNECTION PREFACE\r\n\r\n",), ended, "http2/3.5/2", settings=None),
        Case("9113 6.5.2", "the server's SETTINGS are sane", (), sane_settings),
        Case("9113 3.4", "the preface byte by byte", (byte_by_byte(start), t.get()), served(), settings=None),
        Case("9113 3.4", "preface, SETTINGS and request at once", (start + t.get(),), served(), settings=None),
        Case("9113 3.4", "a request after the server's SETTINGS", (await_server_settings, t.get()), served()),
        Case("9113 3.4", "the last octet of the preface is wrong", (h2.PREFACE[:-1] + b"\r" + h2.settings(),), ended, settings=None),
        Case("9113 3.4", "a request of HTTP/1.1", (b"GET / HTTP/1.1\r\nHost: shop.com\r\n\r\n",), ended, settings=None),
        Case("9113 3.4", "the preface twice", (start + h2.PREFACE,), connection_error(h2.PROTOCOL_ERROR, h2.FRAME_SIZE_ERROR),
             settings=None),
        Case("9113 3.4", "PING instead of SETTINGS", (h2.PREFACE + h2.ping(),), wrong, settings=None),
        Case("9113 3.4", "HEADERS instead of SETTINGS", (h2.PREFACE + t.get(),), wrong, settings=None),
        Case("9113 3.4", "an unknown frame instead of SETTINGS", (h2.PREFACE + h2.frame(0xbb),), wrong, settings=None),
        Case("9113 3.4", "an acknowledgement instead of SETTINGS", (h2.PREFACE + h2.settings(flags=h2.ACK),), wrong, settings=None),
        Case("9113 3.4", "SETTINGS on a stream", (h2.PREFACE + h2.settings(stream=1),), wrong, settings=None),
        Case("9113 3.4", "SETTINGS without a setting", (start,), alive, settings=None),
    ]
