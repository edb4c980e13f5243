"""Clients that stay where they are, routes that share their requests out, and copies that nobody sees."""

import threading
import unittest

from harness import LIMIT, Backend, Proxy, TestCase, answering, config_for, ok, once, until

ONE_WORKER = "[server]\nworkers = 1\n"


def named(backend_name):
    return answering(ok(backend_name))


def cookie_of(response, name):
    """The cookie to send back, and all that was said of it."""
    for value in response.all("Set-Cookie"):
        if value.startswith(name + "="):
            return value.partition(";")[0], value
    return None, None


class Sticky(TestCase):
    def start_three(self, upstream="sticky = true", **more):
        backends = [self.start(Backend(named(b"%d" % i))) for i in range(3)]
        config = config_for(*backends, upstream='balance = "round_robin"\n' + upstream, **more)
        return backends, self.start(Proxy(config))

    def test_clients_stay_at_their_backend_in_all_workers(self):
        backends, proxy = self.start_three(extra="[server]\nworkers = 3\n")
        for _ in range(5):
            first = proxy.get()
            cookie, said = cookie_of(first, "rproxy_backend")
            self.assertRegex(said, "^rproxy_backend=[0-9a-f]{48}; Path=/; HttpOnly; SameSite=Lax$")
            for backend in backends:
                self.assertNotIn(str(backend.port), said)
            for _ in range(6):
                again = proxy.get(headers=[("Cookie", f"x=1; {cookie}; y=2")])
                self.assertEqual(again.body, first.body)
                self.assertEqual(again.all("Set-Cookie"), [])
        seen = {value for backend in backends for message in backend.requests for value in message.all("Cookie")}
        self.assertEqual(seen, {"x=1; y=2"})

    def test_the_backend_dies_and_the_client_moves_once(self):
        backends, proxy = self.start_three()
        first = proxy.get()
        cookie, _ = cookie_of(first, "rproxy_backend")
        backends[int(first.body)].stop()
        moved = proxy.get(headers=[("Cookie", cookie)])
        self.assertEqual(moved.status, 200)
        self.assertNotEqual(moved.body, first.body)
        cookie, _ = cookie_of(moved, "rproxy_backend")
        for _ in range(4):
            again = proxy.get(headers=[("Cookie", cookie)])
            self.assertEqual((again.body, again.all("Set-Cookie")), (moved.body, []))

    def test_a_shared_secret_outlives_a_restart_and_a_random_one_does_not(self):
        for upstream, survives in (('sticky = { secret = "${SECRET}", cookie = "at", lifetime = "1h" }', True),
                                   ('sticky = { cookie = "at", lifetime = "1h" }', False)):
            backends = [self.start(Backend(named(b"%d" % i))) for i in range(2)]
            config = config_for(*backends, upstream='balance = "round_robin"\n' + upstream, extra=ONE_WORKER)
            environment = {"SECRET": "0123456789abcdef0123456789abcdef"}
            with Proxy(config, environment=environment) as proxy:
                first = proxy.get()
            cookie, said = cookie_of(first, "at")
            self.assertIn("; Max-Age=3600; ", said)
            with Proxy(config, environment=environment) as proxy:
                for _ in range(4):
                    again = proxy.get(headers=[("Cookie", cookie)])
                    self.assertEqual(again.all("Set-Cookie") == [], survives)
                    if survives:
                        self.assertEqual(again.body, first.body)


def split_config(backends, route, extra=ONE_WORKER):
    """An upstream for each backend: a, b, c."""
    upstreams = "".join(f'[upstreams.{name}]\nservers = ["{backend.name}"]\n' for name, backend in zip("abc", backends))
    return f"""
access_log = {{ path = "stdout", flush = "100ms" }}
[listen]
http = "127.0.0.1:0"
{upstreams}
[[routes]]
match = "*"
{route}
{extra}
"""


class Split(TestCase):
    def test_shares_are_kept_and_logged(self):
        backends = [self.start(Backend(named(name))) for name in (b"a", b"b")]
        route = 'split = [{ upstream = "a", weight = 80 }, { upstream = "b", weight = 20 }]\nsticky = false'
        proxy = self.start(Proxy(split_config(backends, route)))
        with proxy.connect() as client:
            got = [client.request().body for _ in range(1000)]
        # Six standard deviations.
        self.assertAlmostEqual(got.count(b"b"), 200, delta=76)
        logged = [line["upstream"] for line in proxy.access_lines(1000)]
        self.assertEqual(logged, [name.decode() for name in got])

    def test_a_client_keeps_its_part(self):
        backends = [self.start(Backend(named(name))) for name in (b"a", b"b")]
        parts = 'split = [{ upstream = "a", weight = 50 }, { upstream = "b", weight = 50 }]\n'
        proxy = self.start(Proxy(split_config(backends, parts)))
        self.assertEqual(len({proxy.get().body for _ in range(20)}), 1)
        proxy = self.start(Proxy(split_config(backends, parts + 'sticky = "cookie"')))
        parts_seen = set()
        for _ in range(20):
            first = proxy.get()
            cookie, _ = cookie_of(first, "rproxy_split")
            parts_seen.add(first.body)
            for _ in range(2):
                again = proxy.get(headers=[("Cookie", cookie)])
                self.assertEqual((again.body, again.all("Set-Cookie")), (first.body, []))
        self.assertEqual(parts_seen, {b"a", b"b"})


class Mirrored(TestCase):
    def mirror(self, real, shadow, mirror='"b"', extra=ONE_WORKER):
        return self.start(Proxy(split_config((real, shadow), f'upstream = "a"\nmirror = {mirror}', extra)))

    def test_copies_go_with_their_content_and_answers_are_dropped(self):
        real, shadow = self.start(Backend(named(b"real")), Backend(named(b"shadow")))
        proxy = self.mirror(real, shadow)
        content = bytes(i % 251 for i in range(50_000))
        for method, body in (("GET", b""), ("POST", b"x"), ("PUT", content)):
            self.assertEqual(proxy.get("/p?q=1", method=method, headers=[("X-Test", "1")], body=body).body, b"real")
        until(lambda: len(shadow.requests) == 3, "the copies")
        for original, copy in zip(real.requests, sorted(shadow.requests, key=lambda each: len(each.body))):
            self.assertEqual((copy.start_line, copy.body), (original.start_line, original.body))
            self.assertEqual(sorted(copy.fields), sorted(original.fields))

    def test_a_shadow_that_hangs_or_fails_is_not_noticed(self):
        hangs = threading.Event()

        def mute(peer):
            peer.next_request()
            hangs.wait(LIMIT)

        for script in (mute, once(b"", "reset"), once(b"nonsense"), once(ok(b"x" * 10)[:-5])):
            real, shadow = self.start(Backend(named(b"real")), Backend(script))
            proxy = self.mirror(real, shadow, '{ upstream = "b", max = 4, timeout = "300ms" }')
            with proxy.connect() as client:
                for _ in range(30):
                    self.assertEqual(client.request(body=b"x", method="POST").body, b"real")
            until(lambda: "mirror to upstream b: " in proxy.log(), "the count in the log")
        hangs.set()

    def test_a_shadow_that_is_not_there_is_not_noticed(self):
        real, shadow = self.start(Backend(named(b"real"))), Backend(named(b"shadow"))
        shadow.stop()
        proxy = self.mirror(real, shadow)
        for _ in range(10):
            self.assertEqual(proxy.get().body, b"real")

    def test_too_much_content_is_left_out(self):
        real, shadow = self.start(Backend(named(b"real")), Backend(named(b"shadow")))
        proxy = self.mirror(real, shadow, '{ upstream = "b", max_body = "1KiB" }')
        for size in (1024, 1025, 100_000, 5):
            self.assertEqual(proxy.get(method="POST", body=b"x" * size).body, b"real")
        until(lambda: len(shadow.requests) == 2, "the copies")
        self.assertEqual({len(message.body) for message in shadow.requests}, {1024, 5})

    def test_a_share_is_copied(self):
        real, shadow = self.start(Backend(named(b"real")), Backend(named(b"shadow")))
        proxy = self.mirror(real, shadow, '{ upstream = "b", percent = 30, max = 1000 }')
        with proxy.connect() as client:
            for _ in range(500):
                client.request()
        # Six standard deviations around 150.
        until(lambda: len(shadow.requests) >= 89, "copies")
        self.assertLessEqual(len(shadow.requests), 211)


if __name__ == "__main__":
    unittest.main()
