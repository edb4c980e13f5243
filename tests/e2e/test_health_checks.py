"""What active checks ask and how they judge, on real sockets; and that they follow a configuration, DNS and gRPC servers that change."""

import json
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import unittest

from dns_server import SERVFAIL, DnsServer
from harness import BINARY, LIMIT, Backend, Proxy, TestCase, answering, config_for, ok, until
from peers import Node, PeerTest

FAIL = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"


def probe(*backends, upstream="", extra=""):
    """What `rproxy health` finds, by address."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "c.toml")
        path.write_text(config_for(*backends, upstream=upstream, extra=extra))
        done = subprocess.run([BINARY, "health", "--json", path], capture_output=True, text=True, timeout=60)
    found = json.loads(done.stdout)["upstreams"][0]["endpoints"]
    return {endpoint["address"]: endpoint for endpoint in found}


class Checked(Backend):
    """Answers checks (paths that begin with /check) as `healthy` says, and all else with its text."""

    def __init__(self, text, healthy=True, **where):
        self.text, self.healthy = text, healthy
        self.release = threading.Event()
        self.release.set()
        super().__init__(self.answer, **where)

    def answer(self, peer):
        while True:
            is_check = peer.next_request().start_line.startswith("GET /check")
            if is_check:
                self.release.wait(LIMIT)
            peer.send(FAIL if is_check and not self.healthy else ok(self.text))

    def paths(self):
        return [request.start_line.split(" ")[1] for request in list(self.requests)]

    def checks(self, path="/check"):
        return self.paths().count(path)

    def others(self):
        return sum(not path.startswith("/check") for path in self.paths())


class Asking(TestCase):
    def test_the_request_is_as_the_options_say(self):
        with Backend(answering(ok())) as backend:
            found = probe(backend, upstream='health = { path = "/up?deep=1", method = "OPTIONS", host = "shop.com:81", '
                                            'headers = { X-Check = "yes", User-Agent = "me" } }')
            self.assertTrue(found[backend.name]["ok"], found)
            (request,) = backend.requests
            self.assertEqual(request.start_line, "OPTIONS /up?deep=1 HTTP/1.1")
            for name, value in (("Host", "shop.com:81"), ("X-Check", "yes"), ("User-Agent", "me")):
                self.assertEqual(request.all(name), [value])
            probe(backend, upstream='health = "/"')
            self.assertEqual(backend.requests[1].all("Host"), [backend.name])
            self.assertEqual(backend.requests[1].all("User-Agent"), ["rproxy-health"])

    def test_the_answer_is_judged_by_status_content_and_time(self):
        ready = b"HTTP/1.1 418 Teapot\r\nContent-Length: 15\r\n\r\nstate: ready 42"
        for options, failure, reason in (
                ('expect_status = "200,410-419"', None, "HTTP 418"),
                ('expect_status = "4xx"', None, "HTTP 418"),
                ('expect_status = 418', None, "HTTP 418"),
                ('expect_status = "200-299,304"', "status", "HTTP 418, expected 200-299,304"),
                ('expect_status = 418, expect_body = "ready"', None, "HTTP 418"),
                ('expect_status = 418, expect_body = "Ready"', "body", 'HTTP 418, but the content lacks "Ready"'),
                ('expect_status = 418, expect_regex = "ready [0-9]+$"', None, "HTTP 418"),
                ('expect_status = 418, expect_regex = "^ready"', "body", "HTTP 418, but the content does not match ^ready")):
            with self.subTest(options), Backend(answering(ready)) as backend:
                found = probe(backend, upstream=f"health = {{ {options} }}")[backend.name]
                self.assertEqual((found["failure"], found["reason"], found["status"]), (failure, reason, 418))

    def test_one_that_is_slow_has_failed_though_it_answers(self):
        def slow(peer):
            peer.next_request()
            threading.Event().wait(0.6)
            peer.send(ok(b"late"))

        health = 'health = { path = "/", max_latency = "300ms", timeout = "10s", interval = "100ms", fall = 2 }'
        with Backend(slow) as late, Backend(answering(ok(b"quick"))) as quick:
            found = probe(late, upstream=health)[late.name]
            self.assertEqual((found["failure"], found["status"]), ("latency", 200))
            self.assertRegex(found["reason"], r"^took (\d+ ms|\d+\.\d s), more than max_latency = 300ms$")
            with Proxy(config_for(late, quick, upstream=health)) as proxy:
                line = rf"upstream app: {re.escape(late.name)} is unhealthy: took (\d+ ms|\d+\.\d s), more than max_latency = 300ms"
                until(lambda: re.search(line, proxy.log()), "the check to fail")
                self.assertEqual({proxy.get().body for _ in range(10)}, {b"quick"})


class Reloaded(TestCase):
    def proxy_for(self, config):
        return self.start(Proxy(config + '[admin]\nsocket = "admin.sock"\n'))

    def reload(self, proxy, config):
        (proxy.directory / "config.toml").write_text(config + '[admin]\nsocket = "admin.sock"\n')
        before = proxy.log().count("reloaded in")
        proxy.signal(signal.SIGHUP)
        until(lambda: proxy.log().count("reloaded in") > before, "the reload")

    def health_of(self, proxy, backend, upstream="app"):
        return json.loads(proxy.admin(f"/upstreams/{upstream}/endpoints/{backend.name}"))["health"]

    def test_what_was_found_out_stays_and_no_request_goes_to_one_that_is_unhealthy(self):
        well, sick = self.start(Checked(b"well"), Checked(b"sick", healthy=False))

        # Whoever is forgotten gets nothing until it is checked, and nobody can be: checks are held.
        def config(number):
            return config_for(well, sick, upstream='health = { path = "/check", initial = "unhealthy", interval = "100ms", '
                                                   'timeout = "20s" }\nejection = false\nretry = false',
                              extra=f'[[routes]]\nmatch = "/{number}"\nrespond = 204\n')

        proxy = self.proxy_for(config(0))
        until(lambda: self.health_of(proxy, well) == "healthy" and self.health_of(proxy, sick) == "unhealthy", "the first checks")
        for backend in (well, sick):
            backend.release.clear()
            self.addCleanup(backend.release.set)
        ended, answers = threading.Event(), []

        def load():
            with proxy.connect() as client:
                while not ended.is_set():
                    answer = client.request()
                    answers.append((answer.status, answer.body) if answer else None)

        clients = [threading.Thread(target=load) for _ in range(3)]
        for client in clients:
            client.start()
        try:
            for number in range(1, 11):
                self.reload(proxy, config(number))
                self.assertEqual((self.health_of(proxy, well), self.health_of(proxy, sick)), ("healthy", "unhealthy"))
                start = len(answers)
                until(lambda start=start: len(answers) >= start + 20, "answers after the reload")
        finally:
            ended.set()
            for client in clients:
                client.join()
        self.assertEqual(set(answers), {(200, b"well")})
        self.assertEqual(sick.others(), 0)
        # And the checks go on: one that recovers is used.
        sick.healthy = True
        for backend in (well, sick):
            backend.release.set()
        until(lambda: proxy.get().body == b"sick", "its return")

    def test_checks_are_as_the_new_configuration_says(self):
        backend = self.start(Checked(b"a"))

        def config(path, interval):
            return config_for(backend, upstream=f'health = {{ path = "{path}", interval = "{interval}", jitter = 0 }}')

        proxy = self.proxy_for(config("/check", "100ms"))
        until(lambda: backend.checks() >= 3, "checks")
        self.reload(proxy, config("/check/new", "100ms"))
        until(lambda: backend.checks("/check/new") >= 2, "the first checks of the new path")
        old = backend.checks()
        until(lambda: backend.checks("/check/new") >= 10, "checks of the new path")
        self.assertEqual(backend.checks(), old)
        # Of an hour's interval there is the first one, at once.
        self.reload(proxy, config("/check/rare", "1h"))
        until(lambda: backend.checks("/check/rare") == 1, "a rare check")
        self.reload(proxy, config("/check/often", "100ms"))
        until(lambda: backend.checks("/check/often") >= 5, "checks that are frequent again")
        self.assertEqual(backend.checks("/check/rare"), 1)

    def test_checks_of_what_is_gone_end(self):
        staying, leaving, other = self.start(Checked(b"a"), Checked(b"b"), Checked(b"c"))

        def config(path, *backends, others=""):
            upstream = f'health = {{ path = "{path}", interval = "100ms", jitter = 0 }}\n'
            return config_for(*backends, upstream=upstream, extra=others)

        more = (f'[upstreams.other]\nservers = ["{other.name}"]\nhealth = {{ path = "/check", interval = "100ms" }}\n'
                '[[routes]]\nmatch = "/other"\nupstream = "other"\n')
        proxy = self.proxy_for(config("/check", staying, leaving, others=more))
        until(lambda: all(backend.checks() >= 3 for backend in (staying, leaving, other)), "checks of all")
        self.reload(proxy, config("/check/new", staying))
        until(lambda: staying.checks("/check/new") >= 2, "checks by the new configuration")
        counts = [len(leaving.requests), len(other.requests)]
        until(lambda: staying.checks("/check/new") >= 12, "more of them")
        self.assertEqual([len(leaving.requests), len(other.requests)], counts)

    def test_without_health_nobody_is_checked_and_nobody_is_unhealthy(self):
        well, sick = self.start(Checked(b"well"), Checked(b"sick", healthy=False))
        proxy = self.proxy_for(config_for(well, sick, upstream='health = { path = "/check", interval = "100ms" }'))
        until(lambda: self.health_of(proxy, sick) == "unhealthy", "the check")
        self.assertEqual({proxy.get().body for _ in range(10)}, {b"well"})
        self.reload(proxy, config_for(well, sick))
        until(lambda: self.health_of(proxy, sick) == "unknown", "its being forgotten")
        until(lambda: proxy.get().body == b"sick", "a request at it")


class Named:
    """What stands in `servers`."""

    def __init__(self, name):
        self.name = name


class Discovered(TestCase):
    def setUp(self):
        self.dns = self.start(DnsServer())
        self.extra = f'[resolver]\nservers = ["{self.dns.address}"]\ntimeout = "200ms"\nattempts = 1\nsearch = false\n'

    def two(self):
        first = self.start(Checked(b"127.0.0.1"))
        return first, self.start(Checked(b"127.0.0.2", port=first.port, host="127.0.0.2"))

    UPSTREAM = ('health = { path = "/check", interval = "100ms", jitter = 0, initial = "unhealthy", rise = 1 }\n'
                'discovery = { min_ttl = "100ms", family = "ipv4" }\nejection = false\nretry = false\n')

    def test_what_a_name_leads_to_is_checked_as_long_as_it_does(self):
        first, second = self.two()
        second.healthy = False
        self.dns.set("app.test", "127.0.0.1", "127.0.0.2")
        name = f"app.test:{first.port}"
        proxy = self.start(Proxy(config_for(Named(name), upstream=self.UPSTREAM, extra=self.extra)))
        until(lambda: first.checks() >= 2 and second.checks() >= 2, "checks of both")
        self.assertEqual({request.get("Host") for request in [*first.requests, *second.requests]}, {name})
        self.assertEqual({proxy.get().body for _ in range(10)}, {b"127.0.0.1"})
        self.assertEqual(second.others(), 0)

        self.dns.set("app.test", "127.0.0.1")

        def is_left_alone():
            checks, ours = second.checks(), first.checks()
            until(lambda: first.checks() >= ours + 5, "checks of the one that stays")
            return second.checks() == checks

        until(is_left_alone, "no more checks of the one that has left")
        checks, ours = second.checks(), first.checks()
        until(lambda: first.checks() >= ours + 10, "checks of the one that stays")
        self.assertEqual(second.checks(), checks)

        # Who comes back is checked before it gets anything.
        second.healthy = True
        second.release.clear()
        self.dns.set("app.test", "127.0.0.1", "127.0.0.2")
        until(lambda: second.checks() > checks, "a check of the one that is back")
        self.assertEqual({proxy.get().body for _ in range(10)}, {b"127.0.0.1"})
        second.release.set()
        until(lambda: proxy.get().body == b"127.0.0.2", "its return")

    def test_checks_go_on_while_dns_is_down(self):
        first, second = self.two()
        self.dns.set("app.test", "127.0.0.1", "127.0.0.2")
        proxy = self.start(Proxy(config_for(Named(f"app.test:{first.port}"), upstream=self.UPSTREAM, extra=self.extra)))
        until(lambda: {proxy.get().body for _ in range(10)} == {b"127.0.0.1", b"127.0.0.2"}, "both to serve")
        self.dns.fail("app.test", SERVFAIL)
        until(lambda: "servers it had are kept" in proxy.log(), "the failure of DNS")
        second.healthy = False
        until(lambda: f"127.0.0.2:{first.port} is unhealthy: HTTP 500" in proxy.log(), "the failure of a check")
        self.assertEqual({proxy.get().body for _ in range(10)}, {b"127.0.0.1"})

    def test_the_command_checks_them_too_and_finds_one_by_its_name(self):
        first, second = self.two()
        second.healthy = False
        self.dns.set("app.test", "127.0.0.1", "127.0.0.2")
        found = probe(Named(f"app.test:{first.port}"), upstream=self.UPSTREAM, extra=self.extra)
        self.assertEqual({name: endpoint["ok"] for name, endpoint in found.items()},
                         {f"127.0.0.1:{first.port}": True, f"127.0.0.2:{first.port}": False})
        self.assertGreaterEqual(found[f"127.0.0.1:{first.port}"]["latency_ms"]["dns"], 0)
        directory = self.directory()
        (directory / "c.toml").write_text(config_for(Named(f"app.test:{first.port}"), upstream=self.UPSTREAM, extra=self.extra))
        for wanted, healthy in ((f"app.test:{first.port}", "1 of 2"), (f"127.0.0.1:{first.port}", "1 of 1")):
            done = subprocess.run([BINARY, "health", "--endpoint", wanted, directory / "c.toml"], capture_output=True, text=True)
            self.assertIn(f"app: {healthy} healthy", done.stdout, done.stderr)


class Grpc(PeerTest):
    def upstream(self, service="", tls=False, more=""):
        text = f'protocol = "h2"\nhealth = {{ type = "grpc", grpc_service = "{service}", interval = "100ms", timeout = "5s"{more} }}\n'
        return text + (f'tls = {{ ca_file = "{self.authority}" }}\n' if tls else "")

    def server(self, tls=False):
        return self.start(Node("grpc_health.js", **(self.identity if tls else {})))

    def test_the_health_service_is_asked_and_its_word_decides(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                server = self.server(tls)
                name = server.name
                server.tell("set", service="shop.Cart", status="NOT_SERVING").wait("set")
                for service, failure, reason in (("", None, "SERVING"), ("shop.Cart", "serving", "NOT_SERVING"),
                                                 ("shop.None", "serving", 'the server does not know the service "shop.None"')):
                    found = probe(server, upstream=self.upstream(service, tls))[name]
                    self.assertEqual((found["failure"], found["reason"]), (failure, reason))
                    asked = server.wait("check", service=service)
                    self.assertEqual((asked["metadata"]["user-agent"], asked["deadline"]), ("rproxy-health", True))

    def test_a_server_without_the_service_is_told_from_one_that_is_ill(self):
        server = self.start(Node("grpc_server.js"))
        name = server.name
        found = probe(server, upstream=self.upstream())[name]
        self.assertEqual((found["failure"], found["reason"]), ("serving", "the server has no health service"))
        with Backend(answering(ok())) as backend:
            found = probe(backend, upstream=self.upstream())[backend.name]
            self.assertFalse(found["ok"], found)
            self.assertTrue(found["reason"])

    def test_one_that_stops_serving_is_taken_out_and_comes_back(self):
        first, second = self.server(), self.server()
        name = second.name
        proxy = self.start(Proxy(config_for(first, second, upstream=self.upstream(more=", rise = 2, fall = 2"))))
        # Of one that nobody knows yet the first check would decide.
        second.wait("check")
        second.tell("set", service="", status="NOT_SERVING")
        until(lambda: f"upstream app: {name} is unhealthy: NOT_SERVING (2 in a row)" in proxy.log(), "its leaving")
        second.tell("set", service="", status="SERVING")
        until(lambda: f"upstream app: {name} is healthy again: SERVING" in proxy.log(), "its return")


if __name__ == "__main__":
    unittest.main()
