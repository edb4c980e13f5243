"""Every raw message of tests/cases/strict, through the real binary, whole and byte by byte."""

import contextlib
import re
import socket
import unittest

from harness import LIMIT, Backend, Client, Proxy, TestCase, config_for, open_socket
from strict_cases import Table
from strict_origin import Answering, Origin, Recording, send

PROBE = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
ASK = b"GET /case HTTP/1.1\r\nHost: a\r\n\r\n"

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
FIELDS = rb"(?:" + TOKEN + rb": (?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?\r\n)*\r\n"
REQUEST_HEAD = re.compile(TOKEN + rb" [!-~]+ HTTP/1\.1\r\n" + FIELDS)
RESPONSE_HEAD = re.compile(rb"HTTP/1\.1 [1-5][0-9]{2} [\t -~\x80-\xff]*\r\n" + FIELDS)
# What begins as HTTP/2 is to be taken for a bad HTTP/1 request here.
LISTEN = """http = "127.0.0.1:0"
protocols = ["http/1.1"]"""
# Besides the origin: answers of our own, which read no content.
CONFIG = """
[server]
workers = 1
[[routes]]
match = "ours/fixed"
respond = { status = 200, body = "fixed" }
[[routes]]
match = "ours/gone"
respond = 410
[[routes]]
match = "ours/none"
respond = 204
[[routes]]
match = "ours/moved/*"
redirect = "https://there{uri}"
"""
# RFC 9110 7.6.1: of one hop only.
HOP_BY_HOP = ("Keep-Alive", "Proxy-Connection", "TE", "Proxy-Authorization", "HTTP2-Settings")


def ways(*more):
    return (("whole", {}), ("byte by byte", {"bytewise": True}), *more)


class Strictness(TestCase):
    def serve(self, origin):
        backend = self.start(Backend(origin))
        self.proxy = self.start(Proxy(config_for(backend, listen=LISTEN, upstream="ejection = false", extra=CONFIG)))
        self.origin = origin

    def connect(self):
        client = Client(None, connection=open_socket(self.proxy.address, 5))
        client.reader = Recording(client.socket)
        return client

    def assert_fields(self, message, wanted):
        for name, value in wanted:
            self.assertEqual(message.all(name), [] if value is None else [value], f"{name} in {message}")

    def assert_head(self, pattern, raw):
        self.assertTrue(pattern.match(raw), raw[:2000])

    # ---- Requests.

    def test_requests(self):
        self.serve(Origin())
        for case in Table("requests.txt").cases:
            for way, options in ways():
                with self.subTest(f"{case.name}, {way}", line=case.line, rfc=case.clause):
                    self.request(case, **options)

    def request(self, case, bytewise=False):
        try:
            with self.connect() as client:
                send(client.socket, case.send + (b"" if case.alone else PROBE), bytewise)
                if case.alone:
                    client.socket.shutdown(socket.SHUT_WR)
                answers = self.answers(case, client)
        finally:
            # After a failure, too: nothing of one case is counted for the next.
            received = self.origin.settled()
        for message in received:
            self.assert_clean(message)
        if case.after == "open":
            self.assertEqual(answers[-1].body, b"next")
            self.assertTrue(received and received.pop().start_line.startswith("GET /next "), received)
        self.assert_received(received, case.origin)

    def answers(self, case, client):
        answers = []
        for index, allowed in enumerate(case.statuses + [{200}] * (case.after == "open")):
            is_head = index == 0 and case.send.lstrip(b"\r\n").startswith(b"HEAD ")
            answer = client.response("HEAD" if is_head else "GET")
            self.assertIsNotNone(answer, f"no answer {index + 1}, only {answers}")
            self.assertIn(answer.status, allowed, answer)
            self.assertTrue(answer.complete, answer)
            self.assert_head(RESPONSE_HEAD, client.reader.take_raw())
            answers.append(answer)
        if answers:
            self.assert_fields(answers[0], case.fields)
        if case.after == "close":
            self.assertTrue(client.is_closed(), f"the connection goes on, with {client.reader.buffer!r}")
            # RFC 9112 9.6: it is said beforehand, unless it was the client who ended it.
            if answers and not case.alone:
                self.assertEqual(answers[-1].get("Connection"), "close")
        return answers

    def assert_clean(self, message):
        """No message that leaves rproxy may be read in two ways."""
        self.assert_head(REQUEST_HEAD, message.raw)
        self.assertEqual(len(message.all("Host")), 1, message)
        self.assertLessEqual(len(message.all("Content-Length")) + len(message.all("Transfer-Encoding")), 1, message)
        for name in HOP_BY_HOP:
            self.assertEqual(message.all(name), [], message)

    def assert_received(self, received, wanted):
        self.assertEqual([message.start_line for message in received], [f"{each.start} HTTP/1.1" for each in wanted])
        for message, each in zip(received, wanted):
            self.assertEqual(message.body, each.body)
            self.assertEqual(message.trailers, each.trailers)
            self.assert_fields(message, each.fields)

    # ---- Responses.

    def test_responses(self):
        self.serve(Answering())
        for case in Table("responses.txt").cases:
            old = () if case.ask else (("to HTTP/1.0", {"ask": ASK.replace(b"1.1", b"1.0")}),)
            for way, options in ways(*old):
                with self.subTest(f"{case.name}, {way}", line=case.line, rfc=case.clause):
                    self.response(case, **options)

    def response(self, case, ask=ASK, bytewise=False):
        self.origin.begin(case, bytewise)
        ask = case.ask or ask
        try:
            with self.connect() as client:
                client.send(ask)
                answer = client.response(ask.partition(b" ")[0].decode())
                self.assert_answer(case, client, answer, is_old=b"HTTP/1.0" in ask)
                # Whatever is behind the answer is there before the next request is.
                self.origin.taken.set()
                self.assertTrue(self.origin.sent.wait(LIMIT))
                send(client.socket, case.rest, bytewise=False)
                self.next_is_clean(client, answer)
        finally:
            received = self.origin.settled()
        if case.connection:
            kept = received[0].connection is received[-1].connection
            self.assertEqual("kept" if kept else "closed", case.connection)

    def assert_answer(self, case, client, answer, is_old):
        if case.after == "cut":
            # A reset may take what came before it, too; an answer of ours may be whole.
            if answer:
                self.assertIn(answer.status, case.statuses[0], answer)
                self.assertEqual(answer.complete, answer.status == 502, answer)
            return
        self.assertIsNotNone(answer, "no answer")
        self.assertTrue(answer.complete, answer)
        self.assertIn(answer.status, case.statuses[0], answer)
        self.assert_head(RESPONSE_HEAD, client.reader.take_raw())
        if answer.status == 502:
            self.assertNotIn(b"127.0.0.1", answer.body)
        if case.body is not None:
            self.assertEqual(answer.body, case.body)
        self.assert_fields(answer, case.fields)
        self.assertEqual(answer.trailers, [] if is_old else case.trailers)
        # RFC 9110 15.2: HTTP/1.0 knows no interim responses.
        self.assertEqual([(one.status, one.fields) for one in answer.interim], [] if is_old else case.interim)

    def next_is_clean(self, client, answer):
        """Nothing of the case turns up as the answer to somebody's next request."""
        ended = answer and ("close" in answer.get("Connection", "") or answer.status == 101)
        goes_on = answer and answer.complete and not ended
        with contextlib.nullcontext(client) if goes_on else self.connect() as client:
            client.send(PROBE)
            after = client.response()
        self.assertIsNotNone(after, "no answer to the next request")
        self.assertEqual((after.status, after.body), (200, b"next"))


if __name__ == "__main__":
    unittest.main()
