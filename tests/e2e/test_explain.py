"""What a running proxy says it would do, what route-check says, and what is done: the same."""

import json
import random
import re
import subprocess
import unittest

from harness import BINARY, Backend, Proxy, TestCase, ok

LISTEN = '[listen]\nhttp = "127.0.0.1:0"\n'
EXPLAIN = ("Rproxy-Explain", "1")
JSON = ("Accept", "application/json")


class ExplainHeader(TestCase):
    def serve(self, config):
        backend = self.start(Backend(lambda peer: [peer.send(ok(b"served")) for _ in iter(peer.next_request, None)]))
        text = LISTEN + f'[upstreams.shop]\nservers = ["{backend.name}"]\n[[routes]]\nmatch = "shop.com/*"\nupstream = "shop"\n'
        return backend, self.start(Proxy(text + config))

    def test_an_allowed_peer_is_told_and_no_server_asked(self):
        backend, proxy = self.serve('[explain]\nallow = "127.0.0.0/8"\n')
        told = proxy.get("/a?b", headers=[EXPLAIN, ("X-Hop", "1"), ("Connection", "X-Hop")])
        self.assertEqual(told.status, 200)
        self.assertEqual(told.get("Cache-Control"), "no-store")
        self.assertIn(b"name          shop.com/*", told.body)
        self.assertIn(f"{backend.name}, weight 1, available, 0 under way".encode(), told.body)
        self.assertIn(b"- X-Hop: 1", told.body)
        self.assertNotIn(b"Rproxy-Explain", told.body)
        read = json.loads(proxy.get("/a?b", headers=[EXPLAIN, JSON]).body)
        self.assertEqual((read["upstream"]["path"], read["answer"]), ("/a?b", None))
        self.assertEqual(json.loads(proxy.get("/", host="other.org", headers=[EXPLAIN, JSON]).body)["answer"]["status"], 404)
        self.assertEqual(proxy.get("/", method="HEAD", headers=[EXPLAIN]).body, b"")
        self.assertEqual(backend.requests, [])

    def test_nobody_else_is_told_whatever_they_say(self):
        # What a trusted proxy says of its client makes nobody a peer.
        backend, proxy = self.serve('[explain]\nallow = "10.0.0.0/8"\n[forwarding]\ntrusted_proxies = ["127.0.0.1"]\n')
        self.assertEqual(proxy.get(headers=[EXPLAIN, ("X-Forwarded-For", "10.0.0.1")]).body, b"served")
        self.assertIsNone(backend.requests[0].get("Rproxy-Explain"))

    def test_by_default_it_is_a_header_like_any(self):
        backend, proxy = self.serve("")
        self.assertEqual(proxy.get(headers=[EXPLAIN]).body, b"served")
        self.assertEqual(backend.requests[0].get("Rproxy-Explain"), "1")

    def test_the_header_can_be_another(self):
        _, proxy = self.serve('[explain]\nallow = "127.0.0.1"\nheader = "X-Why"\n')
        self.assertIn(b"on the way", proxy.get(headers=[("x-why", "")]).body)
        self.assertEqual(proxy.get(headers=[EXPLAIN]).body, b"served")


class Agreement(TestCase):
    """Random rules and random requests: each route answers with its own name."""

    def rules(self, pick):
        hosts, paths = ["*", "a.com", "b.a.com", "*.a.com", "*.com"], ["", "/", "/a", "/a/*", "/a*", "/a/b", "/b/*"]
        rules = []
        for _ in range(pick(range(2, 10))):
            parts = [f'host = "{pick(hosts)}"']
            if path := pick(paths):
                parts.append(f'path = "{path}"')
            elif pick((True, False)):
                parts.append(f"path_regex = '{pick(['/a.*', '/(a|b)/[0-9]*', '/b/?'])}'")
            if pick(range(3)) == 0:
                parts.append(f'method = ["{pick(["GET", "POST"])}"]')
            for kind, names in (("header", ["X-A", "X-B"]), ("query", ["q", "r"]), ("cookie", ["c", "d"])):
                if pick(range(4)) == 0:
                    value = pick(["true", "false", '"1"', '{ prefix = "1" }', '{ regex = "[0-9]+" }'])
                    parts.append(f"{kind} = {{ {pick(names)} = {value} }}")
            if pick(range(5)) == 0:
                parts.append('client_ip = "127.0.0.0/8"')
            rules.append(("{ " + ", ".join(parts) + " }", pick([0, 0, 1])))
        return dict(rules)

    def request(self, pick):
        path = pick(["/", "/a", "/a/", "/a/b", "/a/./b", "//a//b", "/b/1", "/%61", "/a%2Fb", "/c"])
        query = pick(["", "", "?q=1", "?r=12", "?q=x&q=1", "?q"])
        headers = [(name, pick(["1", "12", "x"])) for name in ("X-A", "X-B") if pick((True, False))]
        if pick((True, False)):
            headers.append(("Cookie", pick(["c=1", "d=12; c=x", "c=", "d=1"])))
        return pick(["GET", "POST", "PUT"]), pick(["a.com", "b.a.com", "c.b.a.com", "A.com.", "x.org"]), path + query, headers

    def test_header_and_route_check_say_what_is_done(self):
        for seed in range(12):
            pick = random.Random(seed).choice
            text = LISTEN + '[explain]\nallow = "127.0.0.1"\n'
            for number, (match, priority) in enumerate(self.rules(pick).items()):
                text += (f'[[routes]]\nname = "r{number}"\nmatch = {match}\npriority = {priority}\n'
                         f'respond = {{ status = 200, body = "r{number}" }}\n')
            checked = subprocess.run([BINARY, "route-check", "/dev/stdin"], input=text, capture_output=True, text=True, timeout=60)
            if "error[" in checked.stdout:
                continue  # the same rule twice, say
            lines = text.splitlines()
            unreachable = {lines[int(line) - 2].split('"')[1]
                           for line in re.findall(r"RP2001\].*\n +--> /dev/stdin:(\d+)", checked.stdout)}
            with Proxy(text) as proxy:
                tests = ""
                for _ in range(40):
                    method, host, target, headers = self.request(pick)
                    done = proxy.get(target, host, method, headers)
                    went = done.body.decode() if done.status == 200 else ""
                    self.assertNotIn(went or None, unreachable)
                    told = json.loads(proxy.get(target, host, method, [*headers, EXPLAIN, JSON]).body)
                    self.assertEqual(told["route"]["name"] if told["route"] else "", went, (seed, method, host, target, headers))
                    self.assertEqual((told["answer"] or {}).get("status"), done.status)
                    sent = ", ".join(f'"{name}: {value}"' for name, value in headers)
                    tests += (f'[[tests]]\nrequest = "{method} http://{host}{target}"\nheaders = [{sent}]\nfrom = "127.0.0.1"\n'
                              f'expect = {{ route = "{went}", status = {done.status} }}\n')
            checked = subprocess.run([BINARY, "route-check", "/dev/stdin"], input=text + tests, capture_output=True, text=True,
                                     timeout=60)
            self.assertIn("40 of 40 tests passed", checked.stdout)


if __name__ == "__main__":
    unittest.main()
