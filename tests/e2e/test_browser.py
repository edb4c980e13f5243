"""A page in Chromium, through the proxy: what the page itself reports, and what the proxy's log says of it."""

import hashlib
import json
import subprocess
import threading
import unittest

from harness import Backend, text
from peers import LIMIT, Node, PeerTest

# Nothing but the page's own requests leaves it, and those go to this machine.
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
         "--host-resolver-rules=MAP shop.com 127.0.0.1, MAP localhost 127.0.0.1, MAP * ~NOTFOUND", "--ignore-certificate-errors", "--window-size=900,700")


def browse(url, profile, *flags):
    return subprocess.run(["chromium", *QUIET, *flags, f"--user-data-dir={profile}", url], capture_output=True, text=True, timeout=3 * LIMIT)


class Browser(PeerTest):
    def look(self, tls):
        """What the page reported, and the proxy."""
        site = self.start(Node("browser_site.js"))
        proxy = self.serve(site, tls=tls)
        profile = self.directory()
        url = f"{'https' if tls else 'http'}://shop.com:{proxy.address[1]}/"
        picture = profile / "page.png"
        run = browse(url, profile, f"--screenshot={picture}")
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


# Fetches each once, then the second version again and again until the first has become a dictionary for it; the picture is taken after /last.
CODED_PAGE = """<!doctype html><title>coded</title><p id="seen">%s</p><img src="/last" alt="">
<script>
  const fetched = async (path) => {
    const answer = await fetch(path, { cache: 'reload' });
    const digest = await crypto.subtle.digest('SHA-256', await answer.arrayBuffer());
    const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    return { path, sha256, coding: answer.headers.get('content-encoding') };
  };
  (async () => {
    const seen = [await fetched('/gzip'), await fetched('/br'), await fetched('/zstd')];
    await (await fetch('/app-1.js')).text();
    for (let tries = 0; tries < 200; tries++) {
      const newer = await fetched('/app-2.js');
      if (newer.coding == 'dcz' || tries == 199) { seen.push(newer); break; }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await fetch('/report', { method: 'POST', body: JSON.stringify(seen) });
  })();
</script>
"""


class CodedPage(PeerTest):
    def setUp(self):
        script = text(60_000, 3)
        self.contents = {"/": CODED_PAGE.encode() % text(5_000, 1), "/app-1.js": script, "/app-2.js": script + text(500, 5),
                         **{f"/{coding}": text(100_000, 7) for coding in ("gzip", "br", "zstd")}}
        self.report = None
        self.reported = threading.Event()

    def answer(self, peer):
        while True:
            request = peer.next_request()
            path = request.start_line.split()[1]
            if path == "/report":
                self.report = json.loads(request.body)
                self.reported.set()
            elif path == "/last":
                self.reported.wait(LIMIT)
            content = self.contents.get(path, b"")
            kind, terms = ("text/html", "no-store") if path == "/" else ("text/javascript", "max-age=60")
            peer.send(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nCache-Control: {terms}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content)

    def test_what_is_coded_is_what_the_page_gets(self):
        routes = "".join(f"[[routes]]\nmatch = \"*/{coding}\"\nupstream = \"app\"\ncompress = {{ codings = [\"{coding}\"] }}\n"
                         for coding in ("gzip", "br", "zstd"))
        proxy = self.serve(self.start(Backend(self.answer)), extra=routes + """
[compression]
slow_at = "1m"
stop_at = "1m"
[[routes]]
match = "*/app-*"
upstream = "app"
compress = { dictionary = { match = "/app-*.js" } }
""")
        # Dictionaries are for certificates that the browser knows, and for this name.
        browse(f"http://localhost:{proxy.address[1]}/", self.directory(), "--dump-dom")
        self.assertEqual([(seen["path"], seen["coding"]) for seen in self.report or ()],
                         [("/gzip", "gzip"), ("/br", "br"), ("/zstd", "zstd"), ("/app-2.js", "dcz")])
        for seen in self.report:
            self.assertEqual(seen["sha256"], hashlib.sha256(self.contents[seen["path"]]).hexdigest(), seen["coding"])


if __name__ == "__main__":
    unittest.main()
