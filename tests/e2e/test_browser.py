"""A page in Chromium, through the proxy: what the page itself reports, and what the proxy's log says of it."""

import subprocess
import unittest

from peers import LIMIT, Node, PeerTest

# Nothing but the page's own requests leaves it, and those go to this machine.
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
         "--host-resolver-rules=MAP shop.com 127.0.0.1, MAP * ~NOTFOUND", "--ignore-certificate-errors", "--window-size=900,700")


class Browser(PeerTest):
    def look(self, tls):
        """What the page reported, and the proxy."""
        site = self.start(Node("browser_site.js"))
        proxy = self.serve(site, tls=tls)
        profile = self.directory()
        url = f"{'https' if tls else 'http'}://shop.com:{proxy.address[1]}/"
        picture = profile / "page.png"
        run = subprocess.run(["chromium", *QUIET, f"--user-data-dir={profile}", f"--screenshot={picture}", url],
                             capture_output=True, text=True, timeout=3 * LIMIT)
        report = site.wait("report")
        self.assertTrue(picture.exists(), run.stderr)
        self.assertEqual((report["images"], report["events"]), (100, list(range(1, 11))))
        self.assertEqual(report["socket"], {"seen": list(range(10)), "code": 1000})
        return report, proxy

    def protocols(self, proxy):
        """By path, as the proxy's log has them."""
        used = {}
        for line in proxy.access_lines(110):
            used.setdefault(line["path"].partition("?")[0], set()).add(line["protocol"])
        return used

    def test_a_page_over_http2(self):
        report, proxy = self.look(tls=True)
        self.assertEqual(report["protocols"], ["h2"])
        used = self.protocols(proxy)
        # The WebSocket too, by extended CONNECT on the page's own connection.
        for path in ("/", "/image", "/events", "/got", "/socket"):
            self.assertEqual(used[path], {"HTTP/2"}, path)

    def test_a_page_over_http1(self):
        report, _ = self.look(tls=False)
        self.assertEqual(report["protocols"], ["http/1.1"])


if __name__ == "__main__":
    unittest.main()
