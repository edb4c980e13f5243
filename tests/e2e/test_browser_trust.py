"""Certificates of `rproxy cert` before Chromium, which is told to trust their authority as `rproxy cert trust` says."""

import os
import subprocess
import unittest

from harness import BINARY, LIMIT, Proxy, TestCase

QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-quic",
         "--host-resolver-rules=MAP shop.internal 127.0.0.1, MAP *.shop.internal 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


class BrowserTrust(TestCase):
    def test_what_is_made_here_is_taken_once_its_authority_is_trusted(self):
        home = self.directory()
        environment = {**os.environ, "HOME": str(home)}

        def run(*arguments):
            return subprocess.run([*map(str, arguments)], cwd=home, env=environment, capture_output=True, text=True, timeout=3 * LIMIT)

        def cert(*arguments):
            done = run(BINARY, "cert", *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        def page(name, profile):
            return run("chromium", *QUIET, f"--user-data-dir={home / profile}", "--dump-dom", f"https://{name}:{proxy.address[1]}/").stdout

        cert("ca", "Authority of a test", "--permit", "shop.internal", "--permit", "127.0.0.0/8")
        cert("create", "shop.internal", "*.shop.internal", "127.0.0.1", "--ca", "ca.pem")
        proxy = self.start(Proxy(f'[listen]\nhttps = "127.0.0.1:0"\n[tls]\ncert = "{home}/shop.internal.pem"\nkey = "{home}/shop.internal.key"\n'
                                 '[[routes]]\nmatch = "*"\nrespond = { status = 200, body = "a page" }\n'))
        self.assertNotIn("a page", page("shop.internal", "stranger"))
        self.assertEqual(run("sh", "-ec", "mkdir -p ~/.pki/nssdb; certutil -d sql:$HOME/.pki/nssdb -N --empty-password").returncode, 0)
        done = run("sh", "-ec", cert("trust", "ca.pem", "--for", "nss"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("shop.internal", "www.shop.internal", "127.0.0.1"):
            with self.subTest(name):
                self.assertIn("a page", page(name, "friend"))


if __name__ == "__main__":
    unittest.main()
