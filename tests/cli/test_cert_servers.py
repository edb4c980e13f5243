"""rproxy cert before servers: which certificates end soon, and what a server offers."""

import json
import re
import socket
import ssl
import time
import unittest

from cert_case import BINARY, CertCase, cert, free_port, peer, process, run


class Checking(CertCase):
    def test_one_line_for_nagios(self):
        self.cert("create", "a.com", "--not-before", "-80d", "--not-after", "10d")
        done = self.cert("check", "a.com.pem", code=1)
        self.assertRegex(done.stdout, r"^CERT WARNING - a\.com\.pem a\.com ends in 10 days \| 'a\.com\.pem a\.com'=86\d{4}s;1944000:;777600:\n"
                                      r"WARNING  a\.com\.pem a\.com: ends in 10 days\n$")
        for code, *limits in ((2, "--crit", "20d"), (0, "--warn", "5d", "--crit", "2d"), (1, "--warn", "12%", "--crit", "1%"),
                              (0, "--warn", "11%", "--crit", "1%")):
            self.cert("check", "a.com.pem", *limits, code=code)
        self.cert("create", "six.com", "--days", "6")
        self.assertRegex(self.cert("check", "six.com.pem").stdout, r"^CERT OK - 1 certificate, the first ends in 6 days \(six\.com\.pem six\.com\) \| ")
        self.cert("create", "old.com", "--not-before", "-20d", "--not-after", "-10d")
        done = self.cert("check", "six.com.pem", "old.com.pem", "127.0.0.1:1", code=2)
        self.assertIn("old.com.pem old.com expired 10 days ago; 127.0.0.1:1 connect refused", done.stdout)
        as_json = json.loads(self.cert("check", "six.com.pem", "old.com.pem", "--json", code=2).stdout)
        self.assertEqual([each["status"] for each in as_json["certificates"]], ["critical", "ok"])

    def test_what_can_not_be_found_out_is_unknown(self):
        (self.home / "bad.toml").write_text("x = 1\n")
        for arguments, said in (((), "what? A CONFIG"), (("a.pem", "--warn", "soon"), "--warn: soon is neither"), (("none",), "no such file"),
                                (("bad.toml",), "bad.toml is no valid configuration"), (("a.pem", "--no-such"), "there is no option --no-such")):
            with self.subTest(arguments):
                done = self.cert("check", *arguments, code=3)
                self.assertRegex(done.stdout, r"^CERT UNKNOWN - [^\n]*\n$")
                self.assertIn(said, done.stdout)

    def test_a_configuration_with_its_upstreams(self):
        self.authority()
        self.cert("create", "shop.com", "--ca", "ca.pem")
        self.cert("create", "backend.internal", "--ca", "ca.pem", "--not-before", "2026-01-01T00:00:00Z", "--not-after", "3d")
        port = free_port()
        (self.home / "c.toml").write_text(
            f'[listen]\nhttps = "127.0.0.1:{free_port()}"\n[tls]\ncert = "shop.com.pem"\nkey = "shop.com.key"\n'
            f'[upstreams.a]\nservers = ["localhost:{port}"]\n[upstreams.a.tls]\nca_file = "ca.pem"\nserver_name = "backend.internal"\n'
            '[upstreams.plain]\nservers = ["127.0.0.1:1"]\n[[routes]]\nmatch = "a.com/*"\nupstream = "a"\n'
            '[[routes]]\nmatch = "*"\nupstream = "plain"\n')
        with process("openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "backend.internal.pem", "-key", "backend.internal.key", "-www",
                     cwd=self.home, port=port):
            done = self.cert("check", "c.toml", "--timeout", "2s", code=2)
        self.assertRegex(done.stdout, rf"^CERT CRITICAL - a 127\.0\.0\.1:{port} backend\.internal ends in 3 days \|")
        self.assertIn("OK       shop.com.pem shop.com: ends in", done.stdout)
        self.assertNotIn("plain", done.stdout)
        done = self.cert("check", "c.toml", "--timeout", "2s", code=2)
        self.assertRegex(done.stdout, rf"^CERT CRITICAL - a 127\.0\.0\.1:{port} connect refused")


    def test_an_upstream_that_wants_to_know_its_clients(self):
        self.cert("create", "a.internal")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.home / "a.internal.pem", self.home / "a.internal.key")
        headers = []

        def answer(connection):
            headers.append(connection.recv(16, socket.MSG_WAITALL))
            context.wrap_socket(connection, server_side=True).close()

        with peer(answer) as port:
            (self.home / "c.toml").write_text(
                f'[listen]\nhttp = "127.0.0.1:{free_port()}"\n[upstreams.a]\nservers = ["127.0.0.1:{port}"]\nproxy_protocol = "v2"\n'
                'tls = { verify = false }\n[[routes]]\nmatch = "*"\nupstream = "a"\n')
            self.assertIn("a.internal: ends in", self.cert("check", "c.toml").stdout)
        self.assertEqual(headers, [b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"])


class Scanning(CertCase):
    def setUp(self):
        super().setUp()
        self.authority()
        self.cert("create", "localhost", "127.0.0.1", "--ca", "ca.pem")
        self.port = free_port()

    def s_server(self, *options):
        return process("openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", "localhost.pem", "-key", "localhost.key", *options,
                       cwd=self.home, port=self.port)

    def scan(self, *options, code=0):
        return self.cert("scan", f"localhost:{self.port}", "--ca", "ca.pem", *options, code=code)

    def test_rproxy_itself(self):
        (self.home / "c.toml").write_text(f'[listen]\nhttps = "127.0.0.1:{self.port}"\n[tls]\ncert = "localhost.pem"\nkey = "localhost.key"\n'
                                          '[upstreams.a]\nservers = ["127.0.0.1:1"]\n[[routes]]\nmatch = "*"\nupstream = "a"\n')
        with process(BINARY, "serve", "c.toml", cwd=self.home, port=self.port):
            done = self.scan("--require", "A")
            self.assertEqual(re.sub(r"in \d+ days", "in N days", done.stdout).replace(str(self.port), "PORT"),
                             """localhost:PORT: grade A

  address       127.0.0.1:PORT
  TLS 1.3       TLS_AES_128_GCM_SHA256
                TLS_AES_256_GCM_SHA384
                TLS_CHACHA20_POLY1305_SHA256
                in the order that the client likes
  TLS 1.2       ECDHE-ECDSA-AES128-GCM-SHA256
                ECDHE-ECDSA-AES256-GCM-SHA384
                ECDHE-ECDSA-CHACHA20-POLY1305
                in the order that the client likes
  groups        X25519, P-256, P-384
  ALPN          h2, http/1.1
  resumption    TLS 1.3: yes, TLS 1.2 tickets: yes, TLS 1.2 ids: no
  early data    no
  compression   no
  renegotiation secure: yes
  fallback      refused: yes
  OCSP          not stapled
  HSTS          none

localhost (ends in N days, issued by CN=Test CA)

at best A     there is no Strict-Transport-Security [no-hsts]
              add it: max-age=31536000
""")
            self.scan("--require", "A+", code=1)
            curl = run("curl", "-s", "-o", "/dev/null", "-w", "%{ssl_verify_result}", "--cacert", "ca.pem", f"https://localhost:{self.port}/",
                       cwd=self.home)
            self.assertEqual((curl.returncode, curl.stdout), (0, "0"))
            self.cert("verify", f"https://localhost:{self.port}/x", "--ca", "ca.pem")
            self.assertIn(f"localhost:{self.port}: TLS 1.3, TLS_AES_128_GCM_SHA256, h2\n", self.cert("show", f"localhost:{self.port}").stdout)

    def test_what_is_old_and_weak_is_found(self):
        with self.s_server("-www", "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0", "-tls1_2", "-serverpref", "-dhparam",
                           self.home / "dh.pem") if self.make_dh() else self.s_server():
            found = json.loads(self.scan("--json").stdout)
        self.assertEqual([each["version"] for each in found["protocols"]], ["TLS 1.2"])
        words = {each["word"]: each["grade"] for each in found["reasons"]}
        self.assertEqual(found["grade"], "F")
        self.assertEqual(words["no-encryption"], "F")
        self.assertEqual(words["weak-dh"], "B")
        self.assertEqual(words["no-tls13"], "A")
        self.assertEqual(found["dh_bits"], 1024)
        self.assertTrue(found["protocols"][0]["server_order"])
        self.assertEqual(found["resumption"], {"tls13": None, "tls12_ticket": True, "tls12_id": True})

    def make_dh(self):
        self.openssl("dhparam", "-dsaparam", "-out", "dh.pem", "1024")
        return True

    def test_old_versions(self):
        with self.s_server("-www", "-cipher", "ALL:@SECLEVEL=0"):
            found = json.loads(self.scan("--json").stdout)
        self.assertEqual([each["version"] for each in found["protocols"]], ["TLS 1.3", "TLS 1.2", "TLS 1.1", "TLS 1.0"])
        self.assertIn("old-tls", [each["word"] for each in found["reasons"]])
        self.assertEqual(found["fallback_scsv"], True)

    def test_groups(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version), self.s_server("-www", version, "-groups", "P-384:P-256:X25519"):
                self.assertEqual(set(json.loads(self.scan("--json").stdout)["groups"]), {"P-384", "P-256", "X25519"})

    def test_a_certificate_that_clients_refuse_is_the_worst(self):
        with self.s_server("-www"):
            done = self.cert("scan", f"127.0.0.1:{self.port}", "--server-name", "other.com", "--ca", "ca.pem", "--require", "C", code=1)
        self.assertIn("grade F", done.stdout)
        self.assertIn("[name-mismatch]", done.stdout)

    def test_what_is_stapled_is_shown(self):
        (self.home / "ca.cnf").write_text("[ca]\n")
        serial = self.openssl("x509", "-in", "localhost.pem", "-noout", "-serial").split("=")[1].strip()
        for line, status, letter in ((f"V\t301231000000Z\t\t{serial}\tunknown\t/CN=localhost\n", "good", "A"),
                                     (f"R\t301231000000Z\t261127000000Z\t{serial}\tunknown\t/CN=localhost\n", "revoked", "F")):
            with self.subTest(status):
                (self.home / "index.txt").write_text(line)
                self.openssl("ocsp", "-index", "index.txt", "-rsigner", "ca.pem", "-rkey", "ca.key", "-CA", "ca.pem", "-issuer", "ca.pem",
                             "-cert", "localhost.pem", "-ndays", "7", "-respout", "ocsp.der", "-noverify")
                with self.s_server("-www", "-status_file", "ocsp.der"):
                    done = self.scan()
                    self.assertIn(f"stapled: {status}\n", self.cert("show", f"localhost:{self.port}").stdout)
                self.assertIn(f"grade {letter}\n", done.stdout)
                self.assertIn(f"OCSP          stapled: {status}\n", done.stdout)

    def test_early_data_is_found(self):
        with self.s_server("-early_data", "-max_early_data", "16384"):
            found = json.loads(self.scan("--json", "--timeout", "700ms").stdout)
        self.assertEqual(found["early_data_max"], 16384)
        self.assertIn("early-data", [each["word"] for each in found["reasons"]])
        self.assertFalse(found["http"])

    def test_the_best(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.home / "localhost.pem", self.home / "localhost.key")

        def answer(connection):
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65536)
                secured.sendall(b"HTTP/1.1 200 OK\r\nstrict-transport-security: max-age=31536000\r\nContent-Length: 0\r\n\r\n")
                secured.recv(65536)

        with peer(answer) as port:
            done = self.cert("scan", f"localhost:{port}", "--ca", "ca.pem", "--require", "A+", "--timeout", "1s")
        self.assertIn("HSTS          max-age=31536000\n", done.stdout)

    def test_servers_that_want_a_key_share_at_once(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.home / "localhost.pem", self.home / "localhost.key")
        context.minimum_version = ssl.TLSVersion.TLSv1_3

        def answer(connection):
            # key_share with nothing in it.
            if b"\x00\x33\x00\x02\x00\x00" in connection.recv(65536, socket.MSG_PEEK):
                return
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65536)

        with peer(answer) as port:
            found = json.loads(self.cert("scan", f"localhost:{port}", "--ca", "ca.pem", "--json", "--timeout", "1s").stdout)
        self.assertEqual([(each["version"], len(each["ciphers"])) for each in found["protocols"]], [("TLS 1.3", 1)])
        self.assertEqual((found["trusted"], found["grade"]), (True, "A+"))

    def test_servers_that_want_certificates_of_their_clients(self):
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version), self.s_server("-www", version, "-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem"):
                self.assertIn("DNS:localhost", self.cert("show", f"localhost:{self.port}").stdout)
                self.cert("check", f"localhost:{self.port}")
                self.assertIn("localhost (ends in", self.scan().stdout)

    def test_whatever_answers_it_ends(self):
        def silent(connection):
            connection.recv(65536)
            connection.recv(65536)

        def plain(connection):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        def dripping(connection):
            connection.recv(65536)
            connection.sendall(b"\x16\x03\x03\x40\x00")
            while True:
                connection.sendall(b"\x00")
                time.sleep(0.05)

        def endless(connection):
            connection.recv(65536)
            while True:
                connection.sendall(b"\x16\x03\x03\x00\x04\x0b\x00\x00\x00" * 1000)

        for serve, said in ((silent, "read timeout"), (plain, "no version of TLS is spoken there"), (dripping, "read timeout"),
                            (endless, "no version of TLS")):
            with self.subTest(serve.__name__), peer(serve) as port:
                begun = time.monotonic()
                done = cert("scan", f"127.0.0.1:{port}", "--timeout", "300ms", "--max-time", "5s")
                self.assertLess(time.monotonic() - begun, 5)
                self.assertIn(said, (done.stdout + done.stderr).replace("_", " "))

    def test_all_of_it_is_bounded(self):
        begun = time.monotonic()

        def slow(connection):
            connection.recv(65536)
            connection.recv(65536)

        with peer(slow) as port:
            done = cert("scan", f"127.0.0.1:{port}", "--timeout", "20s", "--max-time", "500ms")
        self.assertLess(time.monotonic() - begun, 3)
        self.assertEqual(done.returncode, 1)
        self.assertIn("it took longer than 500ms", done.stderr)


if __name__ == "__main__":
    unittest.main()
