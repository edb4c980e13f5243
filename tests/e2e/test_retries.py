"""What is tried again, how often, and what the backends get to see of it."""

import threading
import time
import unittest

from harness import LIMIT, Backend, Proxy, TestCase, answering, config_for, ok, once
from test_admin import ADMIN, TOKEN, Admin

ONE_WORKER = "[server]\nworkers = 1\n"
ROUND_ROBIN = 'balance = "round_robin"\nejection = false\n'
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"


def silent(peer):
    peer.next_request()
    peer.wait_closed()


class Outage(TestCase):
    """Nothing but failures: the backends may not be asked more than 1.2 times as often as the clients ask."""

    CLIENTS, REQUESTS = 8, 100

    def ask_all(self, proxy):
        got, failures = [], []

        def ask():
            try:
                with proxy.connect() as client:
                    for _ in range(self.REQUESTS):
                        got.append(client.request().status)
            except Exception as error:  # noqa: BLE001: told by the assertion
                failures.append(error)

        clients = [threading.Thread(target=ask) for _ in range(self.CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertEqual(failures, [])
        self.assertEqual(len(got), self.CLIENTS * self.REQUESTS)
        return got

    def check(self, script, upstream, status):
        backends = self.start(*(Backend(script) for _ in range(3)))
        proxy = self.start(Proxy(config_for(*backends, upstream=upstream)))
        self.assertEqual(set(self.ask_all(proxy)), {status})
        received = sum(len(backend.requests) for backend in backends)
        asked = self.CLIENTS * self.REQUESTS
        self.assertGreater(received, asked, "nothing was tried again")
        self.assertLessEqual(received, 1.2 * asked)

    def test_of_two_of_three(self):
        """What one of them answers well is no reason to ask the others more often. Refused connections bring nobody a request."""
        for name, script in (("refusing", None), ("resetting", once(b"", "reset")), ("busy", answering(BUSY))):
            for ejection in ("ejection = false", ""):
                with self.subTest(name, ejection=ejection):
                    alive, *bad = self.start(*(Backend(each) for each in (answering(ok()), script, script)))
                    if script is None:
                        bad[0].stop()
                        bad[1].stop()
                    retry = f'{ejection}\nretry = {{ on = ["connect_failure", "reset", "5xx"], attempts = 10 }}'
                    got = self.ask_all(self.start(Proxy(config_for(alive, *bad, upstream=retry))))
                    received = sum(len(backend.requests) for backend in (alive, *bad))
                    self.assertLessEqual(received, 1.2 * len(got))
                    self.assertGreaterEqual(received, len(got))
                    if script is None:
                        self.assertEqual((set(got), received), ({200}, len(got)))

    def test_of_closed_ports(self):
        """Each is tried once for a request, and nobody is burdened by it."""
        gone = [Backend(answering(ok())) for _ in range(3)]
        for backend in gone:
            backend.stop()
        proxy = self.start(Proxy(config_for(*gone, upstream="ejection = false\nretry = { attempts = 10 }", extra=ADMIN),
                                 environment={"ADMIN_TOKEN": TOKEN}))
        self.assertEqual(set(self.ask_all(proxy)), {502})
        tried = [value for name, value in Admin(proxy).metrics().items() if name.startswith("rproxy_endpoint_requests_total")]
        self.assertEqual(tried, [self.CLIENTS * self.REQUESTS] * 3)

    def test_of_kept_connections_that_end_with_their_second_request(self):
        """Each looks as if it had been idle for too long: while new ones are answered, no client may notice, and one more try is all it takes."""

        def script(peer):
            peer.next_request()
            peer.send(ok())
            peer.next_request()
            peer.reset()

        for ejection in ("ejection = false", ""):
            with self.subTest(ejection):
                backends = self.start(*(Backend(script) for _ in range(3)))
                got = self.ask_all(self.start(Proxy(config_for(*backends, upstream=ejection))))
                received = sum(len(backend.requests) for backend in backends)
                self.assertEqual(set(got), {200})
                self.assertLessEqual(received, 2 * len(got))

    def test_of_resets(self):
        self.check(once(b"", "reset"), "ejection = false", 502)

    def test_of_resets_with_ejection(self):
        self.check(once(b"", "reset"), "", 502)

    def test_of_bad_answers(self):
        self.check(answering(BUSY), 'retry = { on = ["5xx"], attempts = 10 }', 503)

    def test_of_halves_of_answers_heads(self):
        self.check(once(b"HTTP/1.1 200 OK\r\nContent-"), 'retry = { attempts = 10 }', 502)


class Statuses(TestCase):
    def test_are_tried_elsewhere(self):
        bad, good = self.start(Backend(answering(BUSY)), Backend(answering(ok(b"good"))))
        proxy = self.start(Proxy(config_for(bad, good, upstream=ROUND_ROBIN + 'retry = { on = ["503"] }', extra=ONE_WORKER)))
        for _ in range(10):
            self.assertEqual(proxy.get().body, b"good")
        self.assertGreater(len(bad.requests), 0)
        self.assertLess(bad.connections, len(bad.requests), "a small answer that is dropped costs no connection")

    def test_are_not_tried_again_by_default_nor_for_a_post(self):
        for retry in ("", 'retry = { on = ["503"] }'):
            bad, good = self.start(Backend(answering(BUSY)), Backend(answering(ok(b"good"))))
            proxy = self.start(Proxy(config_for(bad, good, upstream=ROUND_ROBIN + retry, extra=ONE_WORKER)))
            got = sorted(proxy.get(method="POST", body=b"x").status for _ in range(10))
            self.assertEqual(got, [200] * 5 + [503] * 5)

    def test_of_all_backends_are_passed_on_whole(self):
        backends = self.start(*(Backend(answering(BUSY)) for _ in range(2)))
        proxy = self.start(Proxy(config_for(*backends, upstream='retry = { on = "5xx" }', extra=ONE_WORKER)))
        with proxy.connect() as client:
            for _ in range(5):
                response = client.request()
                self.assertEqual((response.status, response.body), (503, b"busy"))


class Content(TestCase):
    def test_is_sent_again_where_it_was_kept(self):
        bad = self.start(Backend(once(b"", "reset")))
        good = self.start(Backend(answering(ok(b"good"))))
        config = config_for(bad, good, extra=ONE_WORKER, upstream=ROUND_ROBIN + 'retry = { max_body = "100KiB", '
                            "budget_min = 100 }")
        proxy = self.start(Proxy(config))
        for size in (1, 100, 60_000, 100 * 1024):
            content = bytes(i % 251 for i in range(size))
            for _ in range(2):
                self.assertEqual(proxy.get(method="PUT", body=content).body, b"good")
            self.assertEqual({message.body for message in good.requests}, {content})
            good.requests.clear()
        self.assertGreater(len(bad.requests), 0)

    def test_is_not_sent_again_where_it_is_too_long(self):
        bad = self.start(Backend(once(b"", "reset")))
        good = self.start(Backend(answering(ok(b"good"))))
        proxy = self.start(Proxy(config_for(bad, good, extra=ONE_WORKER,
                                            upstream=ROUND_ROBIN + 'retry = { max_body = "1KiB" }')))
        got = sorted(proxy.get(method="PUT", body=b"x" * 1025).status for _ in range(6))
        self.assertEqual(got, [200] * 3 + [502] * 3)

    def test_of_a_post_is_sent_again_only_where_the_method_is_named(self):
        for methods, expected in (("", [200, 200, 502, 502]), (', methods = ["POST"]', [200] * 4)):
            bad = self.start(Backend(once(b"", "reset")))
            good = self.start(Backend(answering(ok(b"good"))))
            proxy = self.start(Proxy(config_for(bad, good, extra=ONE_WORKER,
                                                upstream=ROUND_ROBIN + f"retry = {{ budget_min = 9{methods} }}")))
            self.assertEqual(sorted(proxy.get(method="POST", body=b"x").status for _ in range(4)), expected)


class Silence(TestCase):
    def test_of_one_backend_takes_no_longer_than_its_try(self):
        mute = self.start(Backend(silent))
        good = self.start(Backend(answering(ok(b"good"))))
        proxy = self.start(Proxy(config_for(mute, good, extra=ONE_WORKER,
                                            upstream=ROUND_ROBIN + 'retry = { per_try_timeout = "200ms" }')))
        for _ in range(4):
            self.assertEqual(proxy.get().body, b"good")
        # Once each, of those that asked it first.
        self.assertEqual(len(mute.requests), sum(line["retries"] for line in proxy.access_lines(4)))
        self.assertIn(len(mute.requests), range(1, 5))

    def test_of_all_backends_ends_with_their_tries(self):
        backends = self.start(*(Backend(silent) for _ in range(2)))
        retry = 'retry = { per_try_timeout = "100ms", attempts = 3 }'
        proxy = self.start(Proxy(config_for(*backends, upstream=retry, extra=ONE_WORKER)))
        self.assertEqual(proxy.get().status, 504)
        self.assertEqual(sum(len(backend.requests) for backend in backends), 3)

    def test_is_answered_to_a_post_and_not_asked_again(self):
        backends = self.start(*(Backend(silent) for _ in range(2)))
        proxy = self.start(Proxy(config_for(*backends, upstream='retry = { per_try_timeout = "100ms" }')))
        self.assertEqual(proxy.get(method="POST", body=b"x").status, 504)
        self.assertEqual(sum(len(backend.requests) for backend in backends), 1)


class Hedging(TestCase):
    def test_counts_among_the_attempts(self):
        def slowly_busy(peer):
            peer.next_request()
            threading.Event().wait(0.3)
            peer.send(BUSY)

        backends = self.start(*(Backend(slowly_busy) for _ in range(5)))
        retry = 'retry = { attempts = 3, on = ["503"], hedge = { after = "100ms" } }'
        proxy = self.start(Proxy(config_for(*backends, upstream=ROUND_ROBIN + retry, extra=ONE_WORKER)))
        self.assertEqual(proxy.get().status, 503)
        self.assertEqual(sum(len(backend.requests) for backend in backends), 3)

    def test_is_answered_by_the_faster_one_and_leaves_the_slower(self):
        left = threading.Event()

        def slow(peer):
            peer.next_request()
            if peer.is_closed():
                left.set()

        mute, good = self.start(Backend(slow), Backend(answering(ok(b"good"))))
        proxy = self.start(Proxy(config_for(mute, good, extra=ONE_WORKER,
                                            upstream=ROUND_ROBIN + 'retry = { hedge = "100ms" }')))
        for _ in range(6):
            self.assertEqual(proxy.get().body, b"good")
        self.assertTrue(left.wait(LIMIT), "the slow backend still works for nobody")
        self.assertEqual(sum(line["retries"] for line in proxy.access_lines(6)), len(mute.requests))
        self.assertIn(len(mute.requests), range(1, 7))

    def test_waits_for_what_answers_usually_take(self):
        """After a hundred quick answers one that hangs is asked for elsewhere."""
        hangs = threading.Event()

        def script(peer):
            while True:
                peer.next_request()
                if hangs.is_set() and peer.backend is first:
                    peer.wait_closed()
                    return
                peer.send(ok())

        first, second = self.start(Backend(script), Backend(script))
        proxy = self.start(Proxy(config_for(first, second, extra=ONE_WORKER, upstream=ROUND_ROBIN +
                                            'response_timeout = "10s"\nretry = { hedge = true }')))
        with proxy.connect() as client:
            for _ in range(150):
                self.assertEqual(client.request().status, 200)
            hangs.set()
            begun = time.monotonic()
            for _ in range(10):
                self.assertEqual(client.request().status, 200)
        self.assertLess(time.monotonic() - begun, 8)


if __name__ == "__main__":
    unittest.main()
