"""rproxy cert as a user meets it: what it makes is put before openssl and curl, what it says is compared whole.

UPDATE_CASES=1 rewrites tests/cases/chains/*.expected."""

import contextlib
import json
import os
import pathlib
import pty
import re
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import time
import unittest

BINARY = os.environ["RPROXY"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
CHAINS = ROOT / "tests/cases/chains"
NO_TERMINAL = {"stdin": subprocess.DEVNULL, "start_new_session": True}


def cert(*arguments, cwd=None, stdin=subprocess.DEVNULL, **environment):
    return subprocess.run([BINARY, "cert", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd, stdin=stdin,
                          start_new_session=True, env={**os.environ, **environment})


def run(*arguments, cwd=None):
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd, **NO_TERMINAL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def normal(text):
    """Without what differs from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text)
    text = re.sub(r"\b(?:[0-9A-F]{2}:){15,}[0-9A-F]{2}\b", "HEX", text)
    text = re.sub(r"\b[0-9A-F]{32}\b", "SERIAL", text)
    return re.sub(r"[A-Za-z0-9+/]{43}=", "PIN", text)


@contextlib.contextmanager
def process(*arguments, cwd, port):
    with open(os.path.join(cwd, "server.log"), "w") as output:
        started = subprocess.Popen([*map(str, arguments)], cwd=cwd, stdin=subprocess.PIPE, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if time.monotonic() > deadline or started.poll() is not None:
                raise AssertionError(pathlib.Path(cwd, "server.log").read_text())
            time.sleep(0.02)
        yield started
    finally:
        started.stdin.close()
        started.kill()
        started.wait()


@contextlib.contextmanager
def peer(serve):
    """A server that does to each connection what `serve` says."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)

        def to_the_end(connection):
            with connection, contextlib.suppress(OSError):
                serve(connection)

        def accept():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=to_the_end, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


class CertCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.home = pathlib.Path(self.temporary.name)

    def cert(self, *arguments, code=0, **more):
        done = cert(*arguments, cwd=self.home, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def authority(self):
        self.cert("ca", "Test CA", "--not-before", "2026-01-01")

    def openssl(self, *arguments, code=0):
        done = run("openssl", *arguments, cwd=self.home)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def mode(self, name):
        return stat.S_IMODE((self.home / name).stat().st_mode)


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
