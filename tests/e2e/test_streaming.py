"""What comes bit by bit: server-sent events, long polls, uploads; and whoever leaves is missed on the other side."""

import unittest

from harness import until
from peers import HttpTest

STREAM = {"content-type": "text/event-stream", "cache-control": "no-store"}


class Streaming:
    """The test is the lock-step between both ends: nothing is sent before the last has arrived."""

    def test_every_event_arrives_before_the_next_is_sent(self):
        client, _ = self.door()
        client.tell("ask", id=1, path="/held/events", headers={"accept": "text/event-stream"}, live=True)
        request = self.server.wait("request", url="/held/events")
        self.server.tell("head", id=request["id"], fields=STREAM)
        head = client.wait("head", id=1)
        self.assertEqual((head["status"], head["headers"]["content-type"]), (200, "text/event-stream"))
        for number in range(50):
            event = f"id: {number}\ndata: {'x' * number}\n\n"
            self.server.tell("write", id=request["id"], text=event)
            self.assertEqual(client.wait("data", id=1)["text"], event)
        self.server.tell("finish", id=request["id"])
        client.wait("end", id=1)

    def test_streams_side_by_side_do_not_wait_for_each_other(self):
        client, _ = self.door()
        count, streams = 20, []
        for number in range(count):
            client.tell("ask", id=number, path=f"/held/{number}", live=True)
            streams.append(self.server.wait("request", url=f"/held/{number}")["id"])
        for number in (*range(count), *reversed(range(count))):
            self.server.tell("write", id=streams[number], text=f"for {number}")
            self.assertEqual(client.wait("data", id=number)["text"], f"for {number}")
        for number in range(count):
            self.server.tell("finish", id=streams[number])
            client.wait("end", id=number)

    def test_both_sides_talk_in_turns(self):
        client, _ = self.door()
        client.tell("ask", id=1, method="POST", path="/echo", live=True, hold=True, text="first")
        self.assertEqual(client.wait("data", id=1)["text"], "first")
        for number in range(20):
            client.tell("write", id=1, text=f"part {number}")
            self.assertEqual(client.wait("data", id=1)["text"], f"part {number}")
        client.tell("end", id=1, text="last")
        self.assertEqual(client.wait("data", id=1)["text"], "last")
        client.wait("end", id=1)

    def test_a_long_poll_is_answered_after_every_idle_time_but_its_own(self):
        # Idle times of connections, of heads and of content do not count while a server thinks.
        brief = 'head_timeout = "300ms"\nkeep_alive_timeout = "300ms"\nbody_timeout = "300ms"\nsend_timeout = "300ms"\n'
        client, _ = self.door(extra=f"[client]\n{brief}", upstream='body_timeout = "300ms"\nsend_timeout = "300ms"\n')
        client.tell("ask", id="poll", path="/held/poll")
        poll = self.server.wait("request", url="/held/poll")
        # Twice those idle times, by the proxy's own clock: each of these is kept waiting until another one ends it.
        other, _ = self.door(upstream='response_timeout = "300ms"\nretry = false\n')
        for number in range(2):
            other.tell("ask", id=number, path="/held/never")
            self.assertEqual(other.wait("head", id=number)["status"], 504)
        self.server.tell("finish", id=poll["id"], text="news")
        self.assertEqual(client.wait("end", id="poll")["text"], "news")

    def test_the_server_learns_that_a_client_cancelled(self):
        for told in (False, True):
            client, _ = self.door()
            client.tell("ask", id=1, path="/held/gone", live=True)
            request = self.server.wait("request", url="/held/gone")
            if told:
                self.server.tell("write", id=request["id"], text="event")
                client.wait("data", id=1)
            client.tell("cancel", id=1)
            if told:  # it has more to say, and need not wait for a client that may have closed its sending side only
                until(lambda r=request: self.server.tell("write", id=r["id"], text="more").reported("closed", id=r["id"]), "the end")
            self.server.wait("closed", id=request["id"])  # though nothing ended it here

    def test_the_server_learns_that_a_client_vanished(self):
        client, _ = self.door()
        client.tell("ask", id=1, path="/held/vanished")
        request = self.server.wait("request", url="/held/vanished")
        client.kill()
        self.server.wait("closed", id=request["id"])  # though nothing ended it here


class Http1(Streaming, HttpTest):
    pass


class Http1OverTls(Streaming, HttpTest):
    tls, tls_server = True, True


class Http2ToHttp1(Streaming, HttpTest):
    http2 = True


class Http2ToHttp1OverTls(Streaming, HttpTest):
    http2, tls, tls_server = True, True, True


class Http1ToHttp2(Streaming, HttpTest):
    http2_server = True


class Http2(Streaming, HttpTest):
    http2, http2_server = True, True


class Http2OverTls(Streaming, HttpTest):
    http2, http2_server, tls, tls_server = True, True, True, True



if __name__ == "__main__":
    unittest.main()
