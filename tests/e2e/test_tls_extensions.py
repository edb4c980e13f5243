"""What TLS has beside the handshake: early data, stapled OCSP answers, HSTS, the key log."""

import os
import re
import stat
import subprocess
import unittest

from harness import (Backend, Proxy, TestCase, answering, client_context, config_for, connect_tls, free_port, make_authority,
                     make_certificate, ok, open_socket, run, until)


class TlsTest(TestCase):
    def setUp(self):
        self.home = self.directory()
        self.authority = make_authority(self.home)
        make_certificate(self.home, "shop", "shop.com")

    def serve(self, script, tls="", route="", arguments=(), listen='https = "127.0.0.1:0"'):
        backend = self.start(Backend(script))
        config = config_for(backend, listen=listen, route=route, extra=f"""
[tls]
cert = "{self.home}/shop.pem"
key = "{self.home}/shop.key"
{tls}""")
        return self.start(Proxy(config, *arguments))

    def s_client(self, proxy, *arguments, text=""):
        return subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.address[1]}", "-servername", "shop.com", "-CAfile",
             str(self.authority), *arguments], input=text, capture_output=True, text=True, timeout=20, check=False).stdout


class EarlyData(TlsTest):
    def script(self, peer):
        while True:
            request = peer.next_request()
            peer.send(ok(f"early={request.get('Early-Data')}".encode()))

    def ask(self, proxy, request):
        """What comes of a request that is sent before the handshake is complete."""
        session, early = self.home / "session", self.home / "early"
        self.s_client(proxy, "-tls1_3", "-sess_out", str(session), "-ign_eof",
                      text="GET / HTTP/1.1\r\nHost: shop.com\r\nConnection: close\r\n\r\n")
        early.write_text(request)
        return self.s_client(proxy, "-tls1_3", "-sess_in", str(session), "-early_data", str(early), "-ign_eof",
                             text="GET /later HTTP/1.1\r\nHost: shop.com\r\nConnection: close\r\n\r\n")

    def test_is_taken_and_told(self):
        proxy = self.serve(self.script, "early_data = true")
        said = self.ask(proxy, "GET / HTTP/1.1\r\nHost: shop.com\r\n\r\n")
        self.assertIn("Early data was accepted", said)
        # The second request comes after the handshake.
        self.assertEqual(re.findall(r"early=(?:1|None)", said), ["early=1", "early=None"])

    def test_is_too_early_for_what_changes_things(self):
        proxy = self.serve(self.script, "early_data = true")
        said = self.ask(proxy, "POST / HTTP/1.1\r\nHost: shop.com\r\nContent-Length: 0\r\n\r\n")
        self.assertIn("Early data was accepted", said)
        self.assertIn("HTTP/1.1 425 Too Early", said)
        self.assertEqual(sorted(line["status"] for line in proxy.access_lines(3)), [200, 200, 425])

    def test_is_not_taken_unless_configured(self):
        proxy = self.serve(self.script)
        said = self.ask(proxy, "GET / HTTP/1.1\r\nHost: shop.com\r\n\r\n")
        self.assertNotIn("Early data was accepted", said)

    def test_what_the_server_finds_too_early_goes_to_the_client(self):
        proxy = self.serve(answering(ok(b"first"), b"HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n", ok(b"third")),
                           "early_data = true")
        self.assertIn("HTTP/1.1 425 Too Early", self.ask(proxy, "GET / HTTP/1.1\r\nHost: shop.com\r\n\r\n"))

    def test_does_not_hinder_who_sends_none(self):
        proxy = self.serve(self.script, "early_data = true")
        with connect_tls(proxy.address, "shop.com", client_context(self.authority)) as client:
            for _ in range(3):
                self.assertEqual(client.request().body, b"early=None")
            session = client.socket.session
        context = client_context(self.authority)
        with connect_tls(proxy.address, "shop.com", context) as client:
            client.request()
            session = client.socket.session
        with context.wrap_socket(open_socket(proxy.address), server_hostname="shop.com", session=session) as again:
            self.assertTrue(again.session_reused)


class Stapling(TlsTest):
    """With openssl's own responder."""

    def responder(self):
        (self.home / "index.txt").touch()
        (self.home / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=it\n[it]\ndatabase={self.home}/index.txt\nserial={self.home}/serial\nnew_certs_dir={self.home}\n"
            "default_md=sha256\npolicy=any\ncopy_extensions=copy\n[any]\ncommonName=supplied\n")
        (self.home / "serial").write_text("1000\n")
        port = free_port()
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=shop.com", "-keyout",
            "shop.key", "-out", "shop.csr", "-addext", "subjectAltName=DNS:shop.com", "-addext",
            f"authorityInfoAccess=OCSP;URI:http://127.0.0.1:{port}/", cwd=self.home)
        run("openssl", "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-days", "9", "-in", "shop.csr",
            "-out", "leaf.pem", "-notext", cwd=self.home)
        (self.home / "shop.pem").write_text((self.home / "leaf.pem").read_text() + (self.home / "ca.pem").read_text())
        return port

    def start_responder(self, port):
        process = subprocess.Popen(
            ["openssl", "ocsp", "-port", str(port), "-index", "index.txt", "-CA", "ca.pem", "-rkey", "ca.key", "-rsigner", "ca.pem",
             "-nmin", "5"], cwd=self.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def stapled(self, proxy):
        return "OCSP Response Status: successful" in self.s_client(proxy, "-status", text="Q\n")

    def test_shows_what_the_responder_says(self):
        self.start_responder(self.responder())
        proxy = self.serve(answering(ok(b"secret")))
        until(lambda: "OCSP answer of" in proxy.log() or "nothing to staple" in proxy.log() or None, "word of the responder")
        self.assertTrue(self.stapled(proxy), proxy.log())
        for version in ("-tls1_2", "-tls1_3"):
            said = self.s_client(proxy, "-status", version, text="Q\n")
            self.assertIn("Cert Status: good", said)
            self.assertIn("Verify return code: 0 (ok)", said)

    def test_serves_without_it(self):
        self.responder()  # nobody listens
        proxy = self.serve(answering(ok(b"secret")))
        until(lambda: "nothing to staple from" in proxy.log(), "the line in the log")
        self.assertFalse(self.stapled(proxy))

    def test_asks_nobody_where_it_is_off(self):
        self.start_responder(self.responder())
        proxy = self.serve(answering(ok(b"secret")), "ocsp_stapling = false")
        self.assertFalse(self.stapled(proxy))
        self.assertNotIn("OCSP", proxy.log())


class Hsts(TlsTest):
    def test_is_told_over_tls_whatever_the_answer(self):
        def script(peer):
            while True:
                request = peer.next_request()
                if "/cut" in request.start_line:
                    return
                peer.send(ok(b"ok", "Strict-Transport-Security: max-age=1\r\n"))

        proxy = self.serve(script, route='hsts = { max_age = "365d", include_subdomains = true }')
        with connect_tls(proxy.address, "shop.com", client_context(self.authority)) as client:
            for path, status in (("/", 200), ("/cut", 502)):
                answer = client.request("GET", path)
                self.assertEqual(answer.status, status)
                self.assertEqual(answer.all("Strict-Transport-Security"), ["max-age=31536000; includeSubDomains"])

    def test_is_not_told_in_the_clear(self):
        proxy = self.serve(answering(ok()), route="hsts = true", listen='http = "127.0.0.1:0"')
        self.assertIsNone(proxy.get().get("Strict-Transport-Security"))


class KeyLog(TlsTest):
    def test_is_written_only_where_it_is_asked_for(self):
        log = self.home / "keys"
        proxy = self.serve(answering(ok(b"secret")), arguments=["--tls-key-log", str(log)])
        with connect_tls(proxy.address, "shop.com", client_context(self.authority)) as client:
            self.assertEqual(client.request().body, b"secret")
        self.assertRegex(log.read_text(), r"(?m)^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$")
        self.assertEqual(stat.S_IMODE(os.stat(log).st_mode), 0o600)
        self.assertIn("whoever reads it reads them", proxy.log())


if __name__ == "__main__":
    unittest.main()
