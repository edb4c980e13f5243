"""HTTP/2 to the proxy from curl, nghttp and h2load."""

import re
import unittest

from harness import run
from peers import HttpTest, digest, pattern


class Tools:
    http2 = True

    def setUp(self):
        port = self.start(self.new_front()).address[1]
        self.url = f"{'https' if self.tls else 'http'}://shop.com:{port}"
        self.resolve = ("--resolve", f"shop.com:{port}:127.0.0.1", "--cacert", str(self.authority))
        self.by_address = self.url.replace("shop.com", "127.0.0.1")

    def curl(self, path, *arguments):
        """(what `%{http_version} %{http_code}` gives, the file with the content)."""
        file = self.home / "answer"
        how = "--http2" if self.tls else "--http2-prior-knowledge"
        written = run("curl", "-sS", how, *self.resolve, "-o", str(file), "-w", "%{http_version} %{http_code}", *arguments, self.url + path)
        return written.stdout, file.read_bytes()

    def test_curl_fetches(self):
        told, content = self.curl("/bytes?size=5000000")
        self.assertEqual((told, digest(content)), ("2 200", digest(pattern(5_000_000))))

    def test_curl_sends(self):
        source = self.home / "source"
        source.write_bytes(pattern(5_000_000))
        for how in (("--data-binary", f"@{source}"), ("-T", str(source))):
            told, content = self.curl("/echo", *how)
            self.assertEqual((told, digest(content)), ("2 200", digest(pattern(5_000_000))), how)

    def test_curl_sees_trailers_and_hints(self):
        self.assertIn("x-checksum: cafe", run("curl", "-sS", "-i", "--http2-prior-knowledge", *self.resolve, "-H", "TE: trailers",
                                              self.url + "/trailers").stdout)
        hinted = run("curl", "-sS", "-i", "--http2-prior-knowledge", *self.resolve, self.url + "/hints").stdout
        self.assertEqual(re.findall(r"^HTTP/2 (\d+)", hinted, re.MULTILINE), ["103", "200"])

    def test_curl_that_speaks_http1_is_served_too(self):
        # Without TLS curl offers an upgrade to h2c, which RFC 9113 has dropped: it gets its answer as it asked.
        for how in ("--http1.1",) if self.tls else ("--http1.1", "--http2"):
            told = run("curl", "-sS", how, *self.resolve, "-w", "%{http_version}", "-o", "/dev/null", self.url + "/bytes?size=1")
            self.assertEqual(told.stdout, "1.1")

    def test_nghttp_fetches_several_over_one_connection(self):
        paths = [f"{self.by_address}/bytes?size={size}" for size in (0, 10, 100_000)]
        seen = run("nghttp", "-nv", "--no-verify-peer", *paths).stdout
        self.assertEqual(len(re.findall(r":status: 200", seen)), 3, seen)
        self.assertNotIn("PUSH_PROMISE", seen)
        self.assertEqual(seen.count("Connected"), 1)

    def test_h2load_counts_no_failure(self):
        source = self.home / "upload"
        source.write_bytes(pattern(20_000))
        for arguments in (("-n3000", "-c4", "-m50", f"{self.by_address}/bytes?size=2000"),
                          ("-n40", "-c2", "-m10", f"{self.by_address}/bytes?size=1000000"),
                          ("-n500", "-c2", "-m20", f"-d{source}", f"{self.by_address}/echo")):
            told = run("h2load", "-t1", *arguments).stdout
            count = arguments[0][2:]
            self.assertRegex(told, f"{count} succeeded, 0 failed, 0 errored, 0 timeout", told)
            self.assertRegex(told, f"status codes: {count} 2xx")


class ToHttp1(Tools, HttpTest):
    pass


class ToHttp1BehindTls(Tools, HttpTest):
    tls = True


class ToHttp2(Tools, HttpTest):
    http2_server = True


class ToHttp2OverTls(Tools, HttpTest):
    http2_server, tls, tls_server = True, True, True



if __name__ == "__main__":
    unittest.main()
