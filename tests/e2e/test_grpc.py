"""gRPC through the proxy, between clients and servers of @grpc/grpc-js."""

import unittest

from peers import Node, PeerTest, digest, pattern

OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED, UNAVAILABLE = 0, 1, 3, 4, 14


class Calls:
    tls, tls_server = False, False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(cls.new_server())

    @classmethod
    def new_server(cls, **options):
        return Node("grpc_server.js", **(cls.identity if cls.tls_server else {}), **options)

    def setUp(self):
        self.client = self.door(self.server)
        self.called = 0

    def door(self, *servers, upstream="", **parts):
        """A client before a proxy of its own."""
        upstream += 'protocol = "h2"\n' + (f'tls = {{ ca_file = "{self.authority}" }}\n' if self.tls_server else "")
        return self.client_of(self.serve(*servers, tls=self.tls, upstream=upstream, **parts).address[1])

    def client_of(self, port):
        return self.start(Node("grpc_client.js", address=f"127.0.0.1:{port}", ca=str(self.authority) if self.tls else None))

    def call(self, method, client=None, **message):
        self.called += 1
        (client or self.client).tell("call", id=self.called, method=method, **message)
        return self.called

    def seen(self, name):
        """What the server saw of the call with this x-call."""
        return self.server.wait("call", name=name)

    def hold(self, method, **options):
        """A call that the server holds until the test speaks: the client's name of it, and the server's."""
        name = f"{self.id()} {self.called}"
        call = self.call(method, text="hold", fields={"x-call": name}, **options)
        held = self.seen(name)
        self.assertEqual(held["deadline"], "deadline_ms" in options)
        return call, held["id"]

    def assert_status(self, call, code, client=None):
        status = (client or self.client).wait("status", id=call)
        self.assertEqual(status["code"], code, status)
        return status

    def message(self, call):
        return self.client.wait("message", id=call)

    def test_one_message_for_one(self):
        call = self.call("say", text="hello", size=1000)
        answer = self.message(call)
        self.assertEqual((answer["text"], answer["sha256"]), ("hello", digest(pattern(1000))))
        self.assert_status(call, OK)

    def test_metadata_goes_both_ways_first_and_last(self):
        fields = {"x-word": "one, two", "x-bytes-bin": "AAECA/8="}
        call, seen = self.call("say", text="hello", fields={"x-call": "metadata", **fields}), self.seen("metadata")["metadata"]
        self.assertEqual({name: seen[name] for name in fields}, fields)
        first = self.client.wait("metadata", id=call)["fields"]
        self.assertEqual((first["x-first"], first["first-bin"]), ("hello", "AAH/"))
        last = self.assert_status(call, OK)["fields"]
        self.assertEqual((last["x-last"], last["last-bin"]), ("bye", "/wEA"))

    def test_many_messages_for_one(self):
        call = self.call("collect")
        for text in ("one", "two", "three"):
            self.client.tell("write", id=call, text=text)
        self.client.tell("end", id=call)
        self.assertEqual(self.message(call)["text"], "one two three")
        self.assert_status(call, OK)

    def test_one_message_for_many(self):
        call = self.call("spell", text="letters")
        self.assertEqual("".join(self.message(call)["text"] for _ in "letters"), "letters")
        self.assertEqual(self.assert_status(call, OK)["fields"]["x-last"], "bye")

    def test_each_message_arrives_before_the_next_is_sent(self):
        call, held = self.hold("spell")
        for number in range(30):
            self.server.tell("write", id=held, text=f"event {number}")
            self.assertEqual(self.message(call)["text"], f"event {number}")
        self.server.tell("finish", id=held)
        self.assert_status(call, OK)

    def test_both_talk_in_turns(self):
        call = self.call("chat")
        for number in range(30):
            self.client.tell("write", id=call, text=f"word {number}")
            self.assertEqual(self.message(call)["text"], f"word {number}?")
        self.client.tell("end", id=call)
        self.assertEqual(self.assert_status(call, OK)["fields"]["x-last"], "bye")

    def test_a_failure_has_its_details(self):
        for method in ("say", "spell"):  # both without a message: the trailers are all there is
            status = self.assert_status(self.call(method, text="fail 3 nonsense"), INVALID_ARGUMENT)
            self.assertEqual(status["details"], "nonsense: 100% wrong")
            self.assertEqual((status["fields"]["grpc-status-details-bin"], status["fields"]["x-why"]), ("CAMSBXdyb25n", "test"))

    def test_a_deadline_ends_the_call_on_both_sides(self):
        for method in ("say", "spell"):
            call, held = self.hold(method, deadline_ms=500)
            self.assert_status(call, DEADLINE_EXCEEDED)
            self.server.wait("cancelled", id=held)

    def test_a_cancelled_call_is_cancelled_at_the_server(self):
        for method in ("say", "spell", "chat"):
            call, held = self.hold(method)
            self.client.tell("cancel", id=call)
            self.assert_status(call, CANCELLED)
            self.server.wait("cancelled", id=held)

    def test_large_messages(self):
        for size in (65535, 4 << 20, 16 << 20):
            call = self.call("say", size=size)
            self.assertEqual(self.message(call)["sha256"], digest(pattern(size)))
            self.assert_status(call, OK)

    def test_two_hundred_at_once(self):
        self.client.tell("crowd", count=200)
        crowd = self.client.wait("crowd")
        self.assertEqual((crowd["right"], crowd["wrong"]), (200, []))

    def test_a_server_that_is_down_is_gone_round(self):
        down, up = self.start(self.new_server(title="down"), self.new_server(title="up"))
        client = self.door(down, up, upstream='balance = "round_robin"\n')
        down.kill()
        for _ in range(6):
            call = self.call("say", client, text="name")
            self.assertEqual(client.wait("message", id=call)["text"], "up")
            self.assert_status(call, OK, client)

    def test_no_server_is_unavailable(self):
        one, two = self.start(self.new_server(), self.new_server())
        client = self.door(one, two)
        one.kill(), two.kill()
        for method in ("say", "spell", "chat"):
            self.assert_status(self.call(method, client, text="name"), UNAVAILABLE, client)

    def test_a_server_that_dies_in_mid_call_is_unavailable(self):
        server = self.start(self.new_server())
        client = self.door(server)
        call = self.call("spell", client, text="hold")
        held = server.wait("call")["id"]
        server.tell("write", id=held, text="last words")
        self.assertEqual(client.wait("message", id=call)["text"], "last words")
        server.kill()
        self.assertIn(client.wait("status", id=call)["code"], (UNAVAILABLE, 13))


class Plain(Calls, PeerTest):
    pass


class OverTls(Calls, PeerTest):
    tls, tls_server = True, True


class BehindTls(Calls, PeerTest):
    """Where TLS ends at the proxy."""

    tls = True


if __name__ == "__main__":
    unittest.main()
