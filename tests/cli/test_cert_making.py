"""What rproxy cert makes, put before openssl: certificates, authorities, requests, and other forms of them."""

import contextlib
import json
import os
import pty
import re
import time
import unittest

from cert_case import BINARY, CertCase, normal


class Making(CertCase):
    def test_a_certificate_is_what_openssl_takes(self):
        self.authority()
        for key_type in ("p256", "p384", "rsa2048", "ed25519"):
            with self.subTest(key_type):
                self.cert("create", "shop.com", "*.shop.com", "127.0.0.1", "::1", "--ca", "ca.pem", "--key-type", key_type, "--force")
                self.assertEqual(self.openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem", "-verify_hostname",
                                              "www.shop.com", "shop.com.pem"), "shop.com.pem: OK\n")
                text = self.openssl("x509", "-in", "shop.com.pem", "-noout", "-text")
                for part in ("X509v3 Key Usage: critical", "CA:FALSE", "TLS Web Server Authentication", "Subject Key Identifier",
                             "Authority Key Identifier", "DNS:shop.com, DNS:*.shop.com, IP Address:127.0.0.1"):
                    self.assertIn(part, text)
                self.assertEqual(self.mode("shop.com.key"), 0o600)
                self.assertEqual(self.mode("shop.com.pem"), 0o644)
        self.cert("create", "alone.com")
        self.assertEqual(self.openssl("verify", "-x509_strict", "-CAfile", "alone.com.pem", "alone.com.pem"), "alone.com.pem: OK\n")

    def test_it_says_what_it_made(self):
        self.authority()
        done = self.cert("create", "*.shop.com", "--ca", "ca.pem", "--days", "30")
        self.assertEqual(done.stdout, "")
        self.assertEqual(normal(done.stderr), "names         DNS:*.shop.com\n"
                                              "subject       CN=*.shop.com\n"
                                              "issuer        CN=Test CA\n"
                                              "ends          TIME, in 30 days\n"
                                              "key           ECDSA P-256\n"
                                              "written       _wildcard.shop.com.pem\n"
                                              "written       _wildcard.shop.com.key\n")

    def test_lifetimes(self):
        self.authority()
        for arguments, days in (((), 397), (("--days", "6"), 6), (("--not-after", "12h"), 0.5),
                                (("--not-before", "2026-01-01", "--not-after", "2036-01-01"), 3652)):
            with self.subTest(arguments):
                self.cert("create", "a.com", *arguments, "--force")
                shown = json.loads(self.cert("show", "--json", "a.com.pem").stdout)["certificates"][0]
                begin, end = (time.mktime(time.strptime(shown[key], "%Y-%m-%dT%H:%M:%SZ")) for key in ("not_before", "not_after"))
                self.assertAlmostEqual((end - begin) / 86400, days, delta=0.1)
        self.cert("ca", "Short", "--days", "10", "--out", "short.pem")
        self.cert("create", "b.com", "--ca", "short.pem")
        self.assertIn("outlive its authority", self.cert("create", "c.com", "--ca", "short.pem", "--days", "20", code=1).stderr)
        self.assertIn("more than 398 days", self.cert("create", "d.com", "--days", "500").stderr)

    def test_chains_of_authorities(self):
        self.cert("ca", "Root", "--path-length", "1", "--key-type", "p384")
        self.cert("ca", "Between", "--ca", "ca.pem", "--out", "between.pem")
        self.cert("create", "shop.com", "--ca", "between.pem")
        text = (self.home / "shop.com.pem").read_text()
        self.assertEqual(text.count("BEGIN CERTIFICATE"), 2, "the chain is behind it, without the root")
        done = self.cert("verify", "shop.com.pem", "--ca", "ca.pem", "--key", "shop.com.key", "--name", "shop.com")
        self.assertEqual(re.sub(r"\d+ days", "N days", done.stdout),
                         "Root (ends in N days)\n└─ Between (ends in N days)\n   └─ shop.com (ends in N days)\n\n"
                         "shop.com.pem: ok, trusted by Root\n")
        self.assertIn("path length is 0", self.cert("ca", "Below", "--ca", "between.pem", "--out", "below.pem", code=1).stderr)

    def test_constraints(self):
        self.cert("ca", "Narrow", "--permit", "shop.internal", "--permit", "10.0.0.0/8")
        self.cert("create", "a.shop.internal", "10.1.2.3", "--ca", "ca.pem")
        self.openssl("verify", "-x509_strict", "-CAfile", "ca.pem", "a.shop.internal.pem")
        for name in ("shop.com", "11.0.0.1", "::1"):
            self.assertIn("name constraints forbid it", self.cert("create", name, "--ca", "ca.pem", code=1).stderr)
        self.assertFalse((self.home / "shop.com.key").exists(), "nothing is left of what was refused")

    def test_people_are_clients(self):
        self.cert("create", "ops@shop.com", "--out", "ops.pem", "--keyout", "no/such/place.key", code=1)
        self.assertEqual(list(self.home.iterdir()), [], "a certificate without its key is none")
        self.cert("create", "ops@shop.com", "--organization", "Shop")
        shown = json.loads(self.cert("show", "ops@shop.com.pem", "--json").stdout)["certificates"][0]
        self.assertEqual((shown["names"], shown["extended_key_usage"]), (["email:ops@shop.com"], ["clientAuth"]))
        self.openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", "ops@shop.com.pem", "ops@shop.com.pem")

    def test_files_are_not_replaced(self):
        self.cert("create", "a.com")
        before = (self.home / "a.com.key").read_bytes()
        (self.home / "a.com.pem").unlink()
        done = self.cert("create", "a.com", code=1)
        self.assertEqual(done.stderr, "rproxy cert create: a.com.key is there already: move it away, or say --force\n")
        self.assertFalse((self.home / "a.com.pem").exists())
        self.assertEqual((self.home / "a.com.key").read_bytes(), before)
        (self.home / "a.com.key").chmod(0o644)
        self.cert("create", "a.com", "--force")
        self.assertNotEqual((self.home / "a.com.key").read_bytes(), before)
        self.assertEqual(self.mode("a.com.key"), 0o600)
        self.assertEqual(sorted(path.name for path in self.home.iterdir()), ["a.com.key", "a.com.pem"])

    def test_keys_are_encrypted(self):
        (self.home / "password").write_text("sesame\nnot this\n")
        self.cert("ca", "CA", "--passout", "file:password")
        self.assertIn("BEGIN ENCRYPTED PRIVATE KEY", (self.home / "ca.key").read_text())
        self.openssl("pkey", "-in", "ca.key", "-passin", "pass:sesame", "-noout")
        self.cert("create", "a.com", "--ca", "ca.pem", "--passin", "env:PW", PW="sesame")
        self.assertIn("not the password", self.cert("create", "b.com", "--ca", "ca.pem", "--passin", "env:PW", code=1, PW="no").stderr)
        self.assertIn("there is no password", self.cert("create", "b.com", "--ca", "ca.pem", code=1).stderr)
        for source in ("pass:sesame", "sesame"):
            done = self.cert("create", "b.com", "--passout", source, code=2)
            self.assertIn("never on the command line", done.stderr)
        self.assertIn("no such variable", self.cert("create", "b.com", "--passout", "env:NO_SUCH", code=1).stderr)
        self.assertIn("is empty", self.cert("create", "b.com", "--passout", "env:PW", code=1, PW="").stderr)

    def test_a_password_is_asked_for_without_an_echo(self):
        (self.home / "password").write_text("sesame")
        self.cert("ca", "CA", "--passout", "file:password")
        process_id, terminal = pty.fork()
        if process_id == 0:
            os.chdir(self.home)
            os.execv(BINARY, [BINARY, "cert", "create", "a.com", "--ca", "ca.pem"])
        output = b""
        while b"password of ca.key: " not in output:
            output += os.read(terminal, 1024)
        os.write(terminal, b"sesame\n")
        with contextlib.suppress(OSError):
            while True:
                piece = os.read(terminal, 1024)
                if not piece:
                    break
                output += piece
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1]), 0, output)
        os.close(terminal)
        self.assertNotIn(b"sesame", output)
        self.assertTrue((self.home / "a.com.pem").exists())

    def test_requests_are_signed_as_far_as_they_may_be(self):
        self.authority()
        self.cert("csr", "shop.com", "10.0.0.1", "--organization", "Shop", "--must-staple")
        self.assertEqual(self.mode("shop.com.key"), 0o600)
        self.openssl("req", "-in", "shop.com.csr", "-verify", "-noout")
        done = self.cert("sign", "shop.com.csr", "--ca", "ca.pem")
        self.assertIn("left out      TLS Feature\n", done.stderr)
        self.openssl("verify", "-x509_strict", "-CAfile", "ca.pem", "shop.com.pem")
        self.cert("verify", "shop.com.pem", "--ca", "ca.pem", "--key", "shop.com.key", "--name", "10.0.0.1")
        self.assertIn("subject=O = Shop, CN = shop.com", self.openssl("x509", "-in", "shop.com.pem", "-noout", "-subject"))
        # One that asks to be an authority.
        (self.home / "evil.cnf").write_text("[req]\ndistinguished_name=dn\nreq_extensions=e\n[dn]\n[e]\nbasicConstraints=critical,CA:TRUE\n"
                                            "keyUsage=keyCertSign\nsubjectAltName=DNS:evil.com\n")
        self.openssl("req", "-new", "-config", "evil.cnf", "-newkey", "rsa:2048", "-nodes", "-keyout", "evil.key", "-subj", "/CN=evil.com",
                     "-outform", "DER", "-out", "evil.csr")
        done = self.cert("sign", "evil.csr", "--ca", "ca.pem")
        self.assertIn("X509v3 Basic Constraints, X509v3 Key Usage", done.stderr)
        self.assertIn("CA:FALSE", self.openssl("x509", "-in", "evil.com.pem", "-noout", "-text"))
        self.cert("sign", "evil.csr", "--ca", "ca.pem", "--name", "good.com", "--usage", "client")
        shown = json.loads(self.cert("show", "good.com.pem", "--json").stdout)["certificates"][0]
        self.assertEqual((shown["names"], shown["extended_key_usage"]), (["DNS:good.com"], ["clientAuth"]))
        (self.home / "bad.csr").write_bytes((self.home / "evil.csr").read_bytes().replace(b"evil.com", b"good.com"))
        self.assertIn("not signed by the key", self.cert("sign", "bad.csr", "--ca", "ca.pem", code=1).stderr)

    def test_an_existing_key_is_used(self):
        self.openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", "old.key")
        self.cert("create", "a.com", "--key", "old.key")
        self.cert("verify", "a.com.pem", "--ca", "a.com.pem", "--key", "old.key")
        self.assertFalse((self.home / "a.com.key").exists())

    def test_standard_output(self):
        done = self.cert("create", "a.com", "--out", "-", "--keyout", "-")
        self.assertEqual(re.findall("BEGIN ([A-Z ]+)", done.stdout), ["CERTIFICATE", "PRIVATE KEY"])
        self.assertEqual(list(self.home.iterdir()), [])
        with open(self.home / "both.pem", "w") as file:
            file.write(done.stdout)
        with open(self.home / "both.pem") as file:
            self.assertIn("belongs to    a.com", self.cert("show", "-", stdin=file).stdout)


class Converting(CertCase):
    def test_there_and_back(self):
        self.authority()
        self.cert("create", "shop.com", "--ca", "ca.pem", "--key-type", "rsa2048")
        with open(self.home / "chain.pem", "w") as chain:
            chain.write((self.home / "shop.com.pem").read_text() + (self.home / "ca.pem").read_text())
        self.cert("convert", "chain.pem", "--key", "shop.com.key", "--to", "p12", "-o", "a.p12", "--passout", "env:PW", PW="sesame")
        self.assertEqual(self.mode("a.p12"), 0o600)
        self.assertIn("friendlyName: shop.com", self.openssl("pkcs12", "-in", "a.p12", "-passin", "pass:sesame", "-noenc"))
        self.cert("convert", "a.p12", "--passin", "env:PW", "--to", "pem", "-o", "b.pem", "--keyout", "b.key", PW="sesame")
        self.assertEqual((self.home / "b.pem").read_text(), (self.home / "chain.pem").read_text())
        self.assertEqual((self.home / "b.key").read_text(), (self.home / "shop.com.key").read_text())
        self.assertEqual((self.mode("b.pem"), self.mode("b.key")), (0o644, 0o600))
        self.cert("convert", "a.p12", "--passin", "env:PW", "--to", "pem", "-o", "all.pem", PW="sesame")
        self.assertEqual(self.mode("all.pem"), 0o600)
        done = self.cert("convert", "chain.pem", "--to", "der", "-o", "a.der")
        self.assertEqual(done.stderr, "note: DER has room for one certificate: 1 others are left out\n")
        self.openssl("x509", "-inform", "DER", "-in", "a.der", "-noout")
        self.cert("convert", "shop.com.key", "--to", "der", "-o", "key.der", "--passout", "env:PW", PW="x")
        self.assertEqual(self.mode("key.der"), 0o600)
        self.openssl("pkey", "-inform", "DER", "-in", "key.der", "-passin", "pass:x", "-noout")
        self.assertIn("not its password", self.cert("show", "a.p12", "--passin", "env:PW", code=1, PW="x").stderr)
        self.assertIn("takes a password", self.cert("convert", "chain.pem", "--key", "shop.com.key", "--to", "p12", "-o", "c.p12", code=2).stderr)
        self.assertIn("takes the private key", self.cert("convert", "chain.pem", "--to", "p12", "-o", "c.p12", "--passout", "env:PW", code=1,
                                                         PW="x").stderr)

    def test_what_openssl_makes_is_read(self):
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem", "-subj", "/CN=a", "-days", "9")
        for options in ((), ("-keypbe", "NONE", "-certpbe", "NONE"), ("-iter", "1")):
            with self.subTest(options):
                self.openssl("pkcs12", "-export", "-in", "c.pem", "-inkey", "k.pem", "-out", "x.p12", "-passout", "pass:x", *options)
                self.assertIn("1 certificate, 1 private key", self.cert("show", "x.p12", "--passin", "env:PW", PW="x").stdout)
        for options in (("-legacy",), ("-nomac",)):
            with self.subTest(options):
                self.openssl("pkcs12", "-export", "-in", "c.pem", "-inkey", "k.pem", "-out", "x.p12", "-passout", "pass:x", *options)
                # What it says to do does it.
                said = self.cert("show", "x.p12", "--passin", "env:PW", code=1, PW="x").stderr
                command = re.search("`openssl (.*) -out NEW`", said).group(1).split()
                self.openssl(*command, "-out", "new.pem", "-passin", "pass:x", "-noenc")
                self.assertIn("1 certificate, 1 private key", self.cert("show", "new.pem").stdout)
        self.openssl("crl2pkcs7", "-nocrl", "-certfile", "c.pem", "-out", "c.p7")
        self.assertIn("1 certificate (PEM)", self.cert("show", "c.p7").stdout)
        self.openssl("rsa", "-in", "k.pem", "-traditional", "-aes128", "-passout", "pass:x", "-out", "old.key")
        self.assertIn("RSA 2048", self.cert("show", "old.key", "--passin", "env:PW", PW="x").stdout)


if __name__ == "__main__":
    unittest.main()
