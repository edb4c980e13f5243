"""HTTP/2 as RFC 9113, RFC 7541, RFC 8441 and RFC 9218 want it, over TLS and in plain text: the cases of http2_cases."""

import collections
import unittest

import http2_origin
from harness import Proxy, TestCase, make_authority, make_certificate
from http2_cases import all_cases
from http2_cases.case import Target
from http2_conformance import run_all, suite_names

CONFIG = """
[[listeners]]
address = "127.0.0.1:0"
protocols = ["h2"]
tls = {tls}
{certificate}
# So that no case passes because time does.
[client]
head_timeout = "60s"
[upstreams.app]
servers = ["{backend}"]
[[routes]]
match = "*"
upstream = "app"
"""


class Conformance(TestCase):
    def run_over(self, certificate):
        backend = self.start(http2_origin.start())
        tls = "true" if certificate else "false"
        proxy = self.start(Proxy(CONFIG.format(backend=backend.name, tls=tls, certificate=certificate)))
        for outcome in run_all(proxy.address, bool(certificate)):
            with self.subTest(outcome.case.name, clause=outcome.case.clause):
                self.assertFalse(outcome.fault, f"\n{outcome.report()}")
        leaked = [request for request in backend.requests if "smuggled" in str(request).lower()]
        self.assertEqual(leaked, [])

    def test_over_tls(self):
        home = self.directory()
        make_authority(home)
        make_certificate(home, "shop", "shop.com")
        self.run_over(f'[tls]\ncert = "{home}/shop.pem"\nkey = "{home}/shop.key"')

    def test_in_plain_text(self):
        self.run_over("")


class Cases(unittest.TestCase):
    def setUp(self):
        self.cases = all_cases(Target(tls=True))

    def test_have_names_of_their_own(self):
        names = collections.Counter((case.clause, case.name) for case in self.cases)
        self.assertEqual([name for name, count in names.items() if count > 1], [])

    def test_cover_the_public_suite(self):
        """Each case of h2spec has its counterpart here, by its number there."""
        covered = collections.Counter(case.suite for case in self.cases if case.suite)
        self.assertEqual(len(suite_names()), 147)
        self.assertEqual((set(covered), set(covered.values())), (suite_names(), {1}))


if __name__ == "__main__":
    unittest.main()
