"""rproxy cert as a user meets it: what it shows, what it thinks of chains, and how it takes mistakes; compared whole.

UPDATE_CASES=1 rewrites tests/cases/chains/*.expected."""

import json
import os
import pty
import re
import subprocess
import time
import unittest

from cert_case import BINARY, CHAINS, ROOT, CertCase, cert, normal, run


class Chains(unittest.TestCase):
    maxDiff = None

    def test_each_has_its_diagnosis(self):
        words = set()
        for case in sorted(CHAINS.glob("*.pem")):
            if case.name == "root.pem":
                continue
            with self.subTest(case.name):
                given = case.with_suffix(".args").read_text().split()
                done = cert("verify", case.name, "--ca", "root.pem", *given, cwd=CHAINS)
                self.assertEqual(done.stderr, "")
                expected = case.with_suffix(".expected")
                said = f"{done.stdout}exit {done.returncode}\n"
                if os.environ.get("UPDATE_CASES"):
                    expected.write_text(said)
                self.assertEqual(said, expected.read_text())
                self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
                self.assertNotRegex(done.stdout, "[\x1b\u202e]")
                self.assertEqual(cert("verify", case.name, "--ca", "root.pem", *given, "--strict", cwd=CHAINS).returncode,
                                 1 if "warning " in done.stdout or done.returncode else 0)
                as_json = json.loads(cert("verify", case.name, "--ca", "root.pem", *given, "--json", cwd=CHAINS).stdout)
                self.assertEqual(as_json["ok"], done.returncode == 0)
                found = [each["word"] for each in as_json["findings"]]
                self.assertEqual(found, re.findall(r"\[([a-z-]+)\]", done.stdout.replace("\n              ", " ")))
                words.update(found)
        page = (ROOT / "man/rproxy-cert.1").read_text().split(".SH VERIFY")[1].split(".SH CHECK")[0].replace("\\-", "-")
        listed = set(re.findall(r"^\.BR? ([a-z-]+)(?: [,.])?$", page.split("The words of errors:")[1], re.M))
        self.assertEqual(words, listed, "what can be said is documented, and shown by a case")

    def test_openssl_agrees(self):
        # On whether, not on why: it does not look at the order, at keys, or at what has to be in the file.
        others = {"wrong_order", "key_mismatch", "no_names", "name_mismatch", "weak_signature", "weak_key", "authority_as_leaf",
                  "hostile_names"}
        for case in sorted(CHAINS.glob("*.pem")):
            if case.stem in {"root", *others}:
                continue
            with self.subTest(case.name):
                given = case.with_suffix(".args").read_text().split()
                at = time.strptime(given[given.index("--at") + 1] + " UTC", "%Y-%m-%d %Z")
                purpose = "sslclient" if "client" in given else "sslserver"
                judged = run("openssl", "verify", "-no-CAstore", "-no-CApath", "-CAfile", "root.pem", "-untrusted", case.name, "-purpose",
                             purpose, "-attime", str(int(time.mktime(at) - time.timezone)), case.name, cwd=CHAINS)
                expected = case.with_suffix(".expected").read_text()
                self.assertEqual("exit 0" in expected, judged.returncode == 0, judged.stdout + judged.stderr)


class Showing(CertCase):
    def test_all_of_it(self):
        self.authority()
        self.cert("create", "shop.com", "10.0.0.1", "--ca", "ca.pem", "--days", "90")
        with open(self.home / "chain.pem", "w") as chain:
            chain.write("".join((self.home / name).read_text() for name in ("shop.com.pem", "ca.pem", "shop.com.key")))
        done = self.cert("show", "chain.pem")
        self.assertEqual(normal(done.stdout), """chain.pem: 2 certificates, 1 private key (PEM)

Test CA (ends in 3650 days)
└─ shop.com (ends in 90 days)

shop.com
  names         DNS:shop.com, IP:10.0.0.1
  subject       CN=shop.com
  issuer        CN=Test CA
  valid from    TIME
  valid until   TIME, in 90 days
  key           ECDSA P-256
  signature     ECDSA with SHA-256
  serial        SERIAL
  usage         digitalSignature
  purposes      serverAuth
  SHA-256       HEX
                HEX
  SHA-1         HEX
  key pin       PIN
  key id        HEX
  issuer's key  HEX

Test CA
  subject       CN=Test CA
  issuer        CN=Test CA (itself)
  valid from    TIME
  valid until   TIME, in 3650 days
  key           ECDSA P-256
  signature     ECDSA with SHA-256
  serial        SERIAL
  authority     yes, path length 0
  usage         keyCertSign, cRLSign
  SHA-256       HEX
                HEX
  SHA-1         HEX
  key pin       PIN
  key id        HEX
  issuer's key  HEX

  private key   ECDSA P-256
  key pin       PIN
  belongs to    shop.com
""")
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        print_of_openssl = self.openssl("x509", "-in", "shop.com.pem", "-noout", "-fingerprint", "-sha256").split("=")[1].strip()
        shown = json.loads(self.cert("show", "chain.pem", "--json").stdout)
        self.assertEqual(shown["certificates"][0]["sha256"], print_of_openssl)
        page = (ROOT / "man/rproxy-cert.1").read_text().split(".SH JSON")[1].split(".SH ")[0].replace("\\-", "-")
        for key in shown["certificates"][0]:
            self.assertRegex(page, rf"\b{key}\b")

    def test_what_others_wrote_is_escaped(self):
        done = cert("show", "hostile_names.pem", cwd=CHAINS)
        self.assertNotRegex(done.stdout, "[\x00-\x09\x0b-\x1f\u202e\u202c]")
        self.assertIn("CN=\\u202emoc.pohs\\u202c \\u001b[2J", done.stdout)
        self.assertIn("DNS:a\\u001b[31m.com", done.stdout)
        self.assertIn("O=A\\, CN=shop.com", done.stdout)
        as_json = cert("show", "hostile_names.pem", "--json", cwd=CHAINS).stdout
        self.assertNotRegex(as_json, "[\x00-\x09\x0b-\x1f\x7f-\U0010ffff]")
        self.assertIn("\u202e", json.loads(as_json)["certificates"][0]["subject"])

    def test_many(self):
        self.authority()
        self.cert("create", "a.com", "--ca", "ca.pem")
        leaf, authority = ((self.home / name).read_text() for name in ("a.com.pem", "ca.pem"))
        (self.home / "many.pem").write_text(leaf * 4000 + authority)
        begun = time.monotonic()
        tree = self.cert("show", "many.pem").stdout.split("\n\n")[1].splitlines()
        self.assertLess(time.monotonic() - begun, 20)
        self.assertEqual((len(tree), tree[0][:7], tree[1][:8], tree[-1][:8]), (4001, "Test CA", "├─ a.com", "└─ a.com"))
        (self.home / "many.pem").write_text(leaf * 5000)
        self.assertIn("more than 4096 items", self.cert("show", "many.pem", code=1).stderr)

    def test_requests_and_lists(self):
        self.cert("csr", "shop.com", "--must-staple")
        self.assertEqual(normal(self.cert("show", "shop.com.csr").stdout),
                         "shop.com.csr: 1 request (PEM)\n\nrequest\n"
                         "  names         DNS:shop.com\n  subject       CN=shop.com\n  key           ECDSA P-256\n"
                         "  signature     ECDSA with SHA-256\n  asks for      TLS Feature\n  key pin       PIN\n")
        self.authority()
        (self.home / "ca.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\n"
                                          "default_crl_days=30\n")
        (self.home / "index.txt").write_text("R\t300101000000Z\t261127000000Z\tAB12\tunknown\t/CN=x\n")
        (self.home / "number").write_text("07\n")
        self.openssl("ca", "-config", "ca.cnf", "-gencrl", "-cert", "ca.pem", "-keyfile", "ca.key", "-out", "a.crl", "-crl_reason", "superseded")
        self.assertEqual(normal(self.cert("show", "a.crl").stdout),
                         "a.crl: 1 revocation list (PEM)\n\nrevocation list\n  issuer        CN=Test CA\n  updated       TIME\n"
                         "  next update   TIME, in 30 days\n  number        07\n  signature     ECDSA with SHA-256\n  revoked       1\n"
                         "                AB12 at TIME\n")

    def test_what_can_not_be_shown(self):
        (self.home / "text").write_text("hello\n")
        (self.home / "large").write_bytes(b"x" * 9 * 1024 * 1024)
        for name, said in (("text", "text: no certificate, key, request or revocation list"),
                           ("large", "large: larger than any such file should be"),
                           ("none", "none: there is no such file, and a server is written as HOST:PORT"),
                           (".", ".: not a regular file"), ("127.0.0.1:1", "127.0.0.1:1: connect refused: Connection refused")):
            with self.subTest(name):
                done = self.cert("show", name, code=1)
                self.assertEqual((done.stdout, done.stderr), ("", f"rproxy cert show: {said}\n"))

    def test_trust_changes_nothing_and_quotes(self):
        self.cert("ca", "It's a \"CA\"", "--out", "my ca.pem")
        done = self.cert("trust", "my ca.pem", "--for", "debian", "--for", "curl")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "# authority   CN=It's a \\\"CA\\\"")
        path = f"'{os.path.realpath(self.home)}/my ca.pem'"
        self.assertIn(f"curl --cacert {path} https://HOST/", lines)
        self.assertIn("  /usr/local/share/ca-certificates/It-s-a-CA-.crt", lines)
        everything = self.cert("trust", "my ca.pem").stdout
        for word in ("keytool", "update-ca-trust", "NODE_EXTRA_CA_CERTS", "certutil -d sql:", "policies.json", "add-trusted-cert"):
            self.assertIn(word, everything)
        run("sh", "-n", "-c", everything)
        self.cert("create", "a.com")
        self.assertIn("is no authority's certificate", self.cert("trust", "a.com.pem", code=1).stderr)


class Usage(CertCase):
    def test_mistakes_are_named(self):
        for arguments, said in (((), "rproxy cert: a command is missing"), (("creat", "x"), "there is no command creat; did you mean create?"),
                                (("create",), "a name is missing"), (("create", "a.com", "--dayz", "3"), "there is no option --dayz; did you mean --days?"),
                                (("create", "a_b c"), "a_b c: that is no host name"), (("create", "bücher.de"), "write it as xn--..."),
                                (("create", "a.com", "--not-after", "soon"), "--not-after: soon is no time"),
                                (("create", "a.com", "--days", "3", "--not-after", "3d"), "say the same"),
                                (("create", "a.com", "--not-after", "2027-02-31"), "2027-02-31 is no time"),
                                (("create", "a.com:443"), "leave out port and path"), (("ca", "--permit", "a b"), "neither a domain"),
                                (("sign", "x"), "who signs it? --ca FILE"), (("convert", "x"), "into what?"), (("scan",), "whom? HOST:PORT"),
                                (("scan", "x"), "x is no HOST:PORT"), (("verify",), "what? A FILE"), (("show", "a", "b"), "one argument too many: b")):
            with self.subTest(arguments):
                done = self.cert(*arguments, code=2)
                self.assertEqual(done.stdout, "")
                self.assertIn(said, done.stderr)
                self.assertRegex(done.stderr, r"\nRun `rproxy cert[ a-z]* --help` for what it takes\.\n$")

    def test_colors_are_for_terminals(self):
        self.cert("create", "a.com")
        for more, is_colored in (({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)):
            controlling, terminal = pty.openpty()
            done = subprocess.run([BINARY, "cert", "verify", "a.com.pem"], stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.PIPE,
                                  timeout=60, cwd=self.home, env={**os.environ, **more})
            os.close(terminal)
            output = os.read(controlling, 65536)
            os.close(controlling)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(b"\x1b[31merror         \x1b[0m" in output, is_colored, output)
        self.assertNotIn("\x1b", self.cert("verify", "a.com.pem", code=1).stdout)

    def test_output_that_can_not_be_written_is_an_error(self):
        self.cert("create", "a.com")
        for arguments in (("show", "a.com.pem"), ("verify", "a.com.pem", "--ca", "a.com.pem"), ("trust", "--help")):
            with open("/dev/full", "w") as full:
                done = subprocess.run([BINARY, "cert", *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, cwd=self.home)
            self.assertEqual(done.returncode, 1)
            self.assertIn("can't write the output: No space left on device", done.stderr)
        done = self.cert("create", "b.com", "--out", "no/such/directory.pem", code=1)
        self.assertEqual(done.stderr, "rproxy cert create: no/such/directory.pem: No such file or directory\n")


if __name__ == "__main__":
    unittest.main()
