"""Backends that refuse, die, come back or stall: what the client sees, and what is tried again."""

import contextlib
import select
import threading
import time
import unittest

from harness import Backend, Proxy, TestCase, answering, config_for, held, ok, once, until

ONE_WORKER = "[server]\nworkers = 1\n"


class Retries(TestCase):
    def test_refused_connections_go_elsewhere(self):
        gone = Backend(answering(ok()))
        gone.stop()
        alive = self.start(Backend(answering(ok(b"alive"))))
        proxy = self.start(Proxy(config_for(gone, alive, upstream='balance = "round_robin"')))
        for method in ("GET", "POST"):
            for _ in range(10):
                # Nothing was sent: even a POST is safe to try again.
                self.assertEqual(proxy.get(method=method, body=b"x" if method == "POST" else b"").body, b"alive")

    def test_reset_before_the_answer_is_retried_for_idempotent_requests(self):
        bad = self.start(Backend(once(b"", "reset")))
        good = self.start(Backend(answering(ok(b"good"))))
        proxy = self.start(Proxy(config_for(bad, good, upstream='balance = "round_robin"\nejection = false\n'
                                            "retry = { attempts = 2, budget_percent = 100, budget_min = 100 }")))
        for _ in range(10):
            self.assertEqual(proxy.get().body, b"good")
        self.assertGreater(bad.connections, 0)

    def test_a_client_that_left_is_not_worked_for(self):
        left = threading.Event()

        def script(peer):
            peer.next_request()
            if peer.is_closed():
                left.set()

        backend = self.start(Backend(script))
        proxy = self.start(Proxy(config_for(backend)))
        for body in (b"", b"content"):
            left.clear()
            with proxy.connect() as client:
                client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                until(lambda: backend.requests, "the request at the backend")
                backend.requests.clear()
            self.assertTrue(left.wait(20))
        self.assertEqual([line["status"] for line in proxy.access_lines(2)], [499, 499])

    def test_a_post_is_not_sent_twice(self):
        bad = self.start(Backend(once(b"", "reset")))
        proxy = self.start(Proxy(config_for(bad, upstream="ejection = false", extra=ONE_WORKER)))
        self.assertEqual(proxy.get(method="POST", body=b"x").status, 502)
        self.assertEqual(bad.connections, 1)

    def test_closed_kept_connections_are_no_error(self):
        """The backend closes each connection after an answer without saying so: the next request meets a dead one."""
        backend = self.start(Backend(once(ok(b"once"))))
        nothing = "retry = { budget_percent = 0, budget_min = 0 }"
        proxy = self.start(Proxy(config_for(backend, extra=ONE_WORKER, upstream=nothing)))
        with proxy.connect() as client:
            for _ in range(50):
                self.assertEqual(client.request().body, b"once")

    def test_attempts_and_budget_bound_retries(self):
        bad = self.start(Backend(once(b"", "reset")))
        other = self.start(Backend(once(b"", "reset")))
        proxy = self.start(Proxy(config_for(bad, other, extra=ONE_WORKER, upstream="ejection = false\n"
                                            "retry = { attempts = 2, budget_percent = 0, budget_min = 3 }")))
        for _ in range(20):
            self.assertEqual(proxy.get().status, 502)
        self.assertLessEqual(bad.connections + other.connections, 20 + 3)

    def test_failing_server_is_ejected_and_comes_back(self):
        gone = Backend(answering(ok()))
        gone.stop()
        alive = self.start(Backend(answering(ok(b"alive"))))
        config = config_for(gone, alive, extra=ONE_WORKER, upstream='balance = "round_robin"\n'
                            'ejection = { consecutive_failures = 2, base_time = "200ms", max_time = "200ms" }')
        proxy = self.start(Proxy(config))
        for _ in range(20):
            proxy.get()
        retried = [line["retries"] for line in proxy.access_lines(20)]
        self.assertEqual(sum(retried), 2)
        back = self.start(Backend(answering(ok(b"back")), port=gone.port))
        until(lambda: proxy.get().body == b"back", "the ejected server to be used again")
        self.assertGreater(back.connections, 0)
        self.assertIn(f"upstream app: {gone.name} is left alone for 200ms", proxy.log())
        until(lambda: f"upstream app: {gone.name} answers again" in proxy.log(), "the log to say so")

    def test_no_server_at_all(self):
        gone = Backend(answering(ok()))
        gone.stop()
        proxy = self.start(Proxy(config_for(gone)))
        for _ in range(10):
            self.assertIn(proxy.get().status, (502, 503))

    def test_nobody_notices_backends_that_are_killed_and_restarted(self):
        backends = [Backend(answering(ok())) for _ in range(3)]
        ports = [backend.port for backend in backends]
        proxy = self.start(Proxy(config_for(*backends)))
        failures, done = [], threading.Event()

        def ask():
            with proxy.connect() as client:
                while not done.is_set():
                    response = client.request()
                    if response is None or response.status != 200:
                        failures.append(response)
                        return

        clients = [threading.Thread(target=ask) for _ in range(8)]
        for client in clients:
            client.start()
        for turn in range(15):
            index = turn % 3
            served = len(backends[index].requests)
            until(lambda i=index, n=served: len(backends[i].requests) > n or failures, "a request to it")
            backends[index].stop()
            time.sleep(0.02)  # no matter how long: requests go on meanwhile
            backends[index] = Backend(answering(ok()), port=ports[index])
        done.set()
        for client in clients:
            client.join()
        for backend in backends:
            backend.stop()
        self.assertEqual(failures, [], proxy.log())


class Balancing(TestCase):
    def test_round_robin_follows_weights(self):
        first, second = self.start(Backend(answering(ok(b"1"))), Backend(answering(ok(b"2"))))
        config = config_for(first, second, upstream='balance = "round_robin"', extra=ONE_WORKER)
        config = config.replace(f'"{first.name}"', f'{{ address = "{first.name}", weight = 3 }}')
        proxy = self.start(Proxy(config))
        got = b"".join(proxy.get().body for _ in range(40))
        self.assertEqual(got.count(b"1"), 30)

    def test_least_conn_avoids_the_busy_one(self):
        release = threading.Event()
        busy, free = self.start(Backend(held(release, b"slow")), Backend(answering(ok(b"free"))))
        proxy = self.start(Proxy(config_for(busy, free, upstream='balance = "least_conn"', extra=ONE_WORKER)))
        with contextlib.ExitStack() as waiting:
            while not busy.requests:
                client = waiting.enter_context(proxy.connect())
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                until(lambda c=client: busy.requests or select.select([c.socket], [], [], 0)[0], "one to be picked")
            self.assertEqual([proxy.get().body for _ in range(10)], [b"free"] * 10)
            release.set()


class Timeouts(TestCase):
    def serve(self, script, **parts):
        return self.start(Proxy(config_for(self.start(Backend(script)), **parts)))

    def test_silent_backend(self):
        proxy = self.serve(lambda peer: (peer.next_request(), peer.wait_closed()), upstream='response_timeout = "100ms"')
        self.assertEqual(proxy.get().status, 504)
        self.assertEqual(proxy.access_lines()[0]["termination"], "upstream_timeout")

    def test_backend_that_stalls_in_content(self):
        proxy = self.serve(once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "hold"), upstream='body_timeout = "100ms"')
        response = proxy.get()
        self.assertEqual((response.body, response.complete), (b"abc", False))

    def test_whole_request(self):
        def drip(peer):
            peer.next_request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while True:
                peer.send("x")
                time.sleep(0.02)

        proxy = self.serve(drip, route='request_timeout = "300ms"')
        self.assertFalse(proxy.get().complete)
        self.assertEqual(proxy.access_lines()[0]["termination"], "upstream_timeout")
        proxy = self.serve(lambda peer: (peer.next_request(), peer.wait_closed()), route='request_timeout = "100ms"')
        self.assertEqual(proxy.get().status, 504)

    def test_client_that_sends_half_a_head(self):
        proxy = self.serve(answering(ok()), extra='[client]\nhead_timeout = "100ms"\n')
        with proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost:")
            response = client.response()
            self.assertEqual((response.status, response.get("Connection")), (408, "close"))

    def test_client_that_drips_its_head(self):
        proxy = self.serve(answering(ok()), extra='[client]\nhead_timeout = "300ms"\n')
        with proxy.connect() as client:
            client.socket.settimeout(0.01)
            client.send("GET / HTTP/1.1\r\n")

            def dripped():
                try:
                    client.send("X-A: 1\r\n")
                    return client.socket.recv(1000)
                except TimeoutError:
                    return None

            self.assertIn(b" 408 ", until(dripped, "408"))

    def test_client_that_says_nothing(self):
        proxy = self.serve(answering(ok()), extra='[client]\nhead_timeout = "100ms"\nkeep_alive_timeout = "100ms"\n')
        with proxy.connect() as client:
            self.assertTrue(client.is_closed())
        with proxy.connect() as client:
            client.request()
            self.assertTrue(client.is_closed())

    def test_client_that_stalls_in_content(self):
        proxy = self.serve(answering(ok()), extra='[client]\nbody_timeout = "100ms"\n')
        with proxy.connect() as client:
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
            self.assertEqual(client.response().status, 408)

    def test_client_that_does_not_read(self):
        def flood(peer):
            peer.next_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
            for _ in range(100):
                peer.send(b"x" * 1000000)

        proxy = self.serve(flood, extra='[client]\nsend_timeout = "200ms"\n')
        with proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertNotEqual(proxy.access_lines()[0]["termination"], "ok")

    def test_requests_per_connection(self):
        proxy = self.serve(answering(ok()), extra="[client]\nrequests_per_connection = 2\n")
        with proxy.connect() as client:
            self.assertIsNone(client.request().get("Connection"))
            self.assertEqual(client.request().get("Connection"), "close")
            self.assertTrue(client.is_closed())


if __name__ == "__main__":
    unittest.main()
