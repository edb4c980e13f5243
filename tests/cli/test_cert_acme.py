"""`rproxy cert acme` as far as it goes without a server: flags, what is refused before anybody is asked, and what is kept."""

import json
import os
import stat
import unittest

from cert_case import CertCase

DIRECTORY = "https://127.0.0.1:1/dir"
SERVER = "127.0.0.1_1_dir"
CONFIG = """
[listen]
http = ":8080"
https = ":8443"
[tls.acme]
directory = "https://127.0.0.1:1/dir"
storage = "{storage}"
challenges = {challenges}
[[routes]]
match = "shop.com/*"
respond = {{ status = 204 }}
[[routes]]
match = "www.shop.com/*"
respond = {{ status = 204 }}
"""


class AcmeCase(CertCase):
    def acme(self, *arguments, code=0):
        return self.cert("acme", *arguments, "--storage", "acme", code=code)

    def keep(self, name, *names, days=90, progress=None):
        """As if it had been had from the server."""
        home = self.home / "acme"
        for kind in ("accounts", "certificates", "locks"):
            (home / kind / SERVER).mkdir(parents=True, exist_ok=True)
        if not (self.home / "ca.pem").exists():
            self.authority()
        self.cert("create", *(names or (name,)), "--ca", "ca.pem", "--days", days, "--force", "-o", "made.pem", "--keyout", "made.key")
        path = home / "certificates" / SERVER / f"{name.replace('*', '_wildcard')}.pem"
        path.write_text((self.home / "made.key").read_text() + (self.home / "made.pem").read_text())
        if progress is not None:
            path.with_suffix(".json").write_text(json.dumps(progress))
        return path

    def config(self, challenges='["http-01"]'):
        (self.home / "rproxy.toml").write_text(CONFIG.format(storage=self.home / "acme", challenges=challenges))
        return "rproxy.toml"


class Refused(AcmeCase):
    def test_what_can_t_come_to_anything_is_said_at_once(self):
        hook = ("--dns-hook", "true")
        for arguments, told in (
                (("issue",), "a name is missing"),
                (("issue", "shop com"), "shop com is no name for a certificate"),
                (("issue", "ops@shop.com"), "is no name for a certificate"),
                (("issue", "*.shop.com"), "*.shop.com can't be proven but by dns-01"),
                (("issue", "192.0.2.1", *hook), "192.0.2.1 can't be proven by dns-01"),
                (("issue", "shop.com", "--challenge", "dns-01"), "--dns-hook"),
                (("issue", "shop.com", "--challenge", "dns-02"), "--challenge"),
                (("issue", "shop.com", "--challenge", "tls-alpn-01", "--via-serve"), "--via-serve answers http-01"),
                (("issue", "shop.com", "--directory", "http://acme.test"), "neither an https URL nor one of letsencrypt, letsencrypt-staging, zerossl"),
                (("issue", "shop.com", "--directory", "lets\x1bencrypt"), "lets\\u001bencrypt is neither"),
                (("issue", "shop.com", "--key-type", "ed25519"), "--key-type"),
                (("issue", "shop.com", "--address", "localhost"), "localhost is no IP address"),
                (("issue", "shop.com", "--http-port", "70000"), "--http-port"),
                (("issue", "shop.com", "--dns-wait", "soon", *hook), "--dns-wait: soon is no time"),
                (("issue", "shop.com", "--lock-wait", "soon"), "--lock-wait: soon is no time"),
                (("issue", "shop.com", "--eab-kid", "k"), "--eab-kid and --eab-key-file go together"),
                (("issue", "shop.com", "--cert", "a.pem"), "--cert and --key go together"),
                (("issue", "a.com", "b.com", "--each", "--cert", "a.pem", "--key", "a.key"), "are for one certificate"),
                (("issue", "shop.com", "--deploy-hook", " "), "--deploy-hook is empty"),
                (("revoke",), "what?"),
                (("revoke", "shop.com", "--reason", "bored"), "--reason"),
                (("account", "dance"), "dance"),
                (("account", "deactivate"), "--yes"),
                (("account", "update"), "update takes --email"),
                (("list", "shop.com"), "one argument too many: shop.com"),
                (("dance",), "there is no command dance")):
            with self.subTest(arguments):
                done = self.acme(*arguments, "--directory", DIRECTORY, code=2) if "--directory" not in arguments and arguments[0] != "dance" else \
                    self.cert("acme", *arguments, code=2)
                self.assertIn(told, done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertFalse((self.home / "acme").exists())

    def test_the_key_of_an_external_account_is_read_and_never_shown(self):
        (self.home / "eab").write_text("not base64url!")
        done = self.acme("issue", "shop.com", "--directory", DIRECTORY, "--eab-kid", "k", "--eab-key-file", "eab", code=1)
        self.assertIn("eab: the key is no Base64url", done.stderr)
        self.assertNotIn("not base64url", done.stderr)
        self.assertIn("none", self.acme("issue", "shop.com", "--directory", DIRECTORY, "--eab-kid", "k", "--eab-key-file", "none", code=1).stderr)

    def test_a_configuration_that_can_t_be_used(self):
        (self.home / "bad.toml").write_text("x = 1\n")
        self.assertIn("bad.toml is no valid configuration", self.cert("acme", "issue", "--config", "bad.toml", code=3).stderr)
        (self.home / "plain.toml").write_text('[listen]\nhttp = ":8080"\n[[routes]]\nmatch = "*"\nrespond = { status = 204 }\n')
        self.assertIn("plain.toml has no [tls.acme]", self.cert("acme", "renew", "--config", "plain.toml", code=3).stderr)
        self.assertIn("--via-serve", self.cert("acme", "issue", "--config", self.config('["tls-alpn-01"]'), "--via-serve", code=2).stderr)

    def test_nobody_to_ask(self):
        done = self.acme("issue", "shop.com", "--directory", DIRECTORY, code=1)
        self.assertIn("shop.com: failed: connect refused: 127.0.0.1:1", done.stderr)
        self.assertIn("is the --directory right", done.stderr)
        error = json.loads(self.acme("issue", "shop.com", "--directory", DIRECTORY, "--json", code=1).stdout)["certificates"][0]["error"]
        self.assertEqual((error["problem"], error["retry_at"]), (None, None))
        for folder, _, files in os.walk(self.home / "acme"):
            self.assertEqual([stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) for name in files], [0o600] * len(files))
        # A dry run leaves nothing, not even that.
        self.cert("acme", "issue", "shop.com", "--directory", DIRECTORY, "--storage", "other", "--dry-run", code=1)
        self.assertFalse((self.home / "other").exists())

    def test_names_of_a_configuration_are_tried_until_nobody_answers(self):
        done = self.cert("acme", "issue", "--config", self.config(), code=1)
        self.assertIn("shop.com: failed: ", done.stderr)
        self.assertIn("www.shop.com: not tried", done.stdout)


class Kept(AcmeCase):
    def test_nothing(self):
        self.assertIn("there are no certificates in acme", self.acme("list").stderr)
        self.assertEqual(json.loads(self.acme("list", "--json").stdout)["certificates"], [])
        self.assertIn("there are no certificates", self.acme("renew", code=5).stderr)
        self.assertIn("there is no account at https://acme-v02.api.letsencrypt.org/directory", self.acme("account", code=1).stderr)
        self.assertFalse((self.home / "acme").exists())

    def test_is_listed_within_80_columns(self):
        self.keep("shop.com", "shop.com", "www.shop.com")
        self.keep("*.shop.com", days=1, progress={"failures": 3, "last_error": "rateLimited: " + "too many certificates " * 6,
                                                  "retry_at": "2099-01-01T00:00:00Z"})
        long = "a-rather-long-name-of-a-host.below.another.shop.com"
        self.keep(long, progress={"renew_at": "2026-01-01T00:00:00Z"})
        (self.home / "acme/certificates" / SERVER / "broken.com.pem").write_text("no certificate")
        text = self.acme("list").stdout
        self.assertLessEqual(max(map(len, text.splitlines())), 80, text)
        lines = text.splitlines()
        self.assertEqual(lines[0], SERVER)
        self.assertRegex(lines[1], r"^  NAME +ENDS +LEFT +RENEWAL +ISSUER$")
        self.assertRegex(text, r"\n  shop\.com \+1 +\d{4}-\d\d-\d\d 90 d +in 59 d +Test CA\n")
        self.assertRegex(text, r"\n  \*\.shop\.com +\d{4}-\d\d-\d\d 24 h +in \d+ \w+ +Test CA\n    failures +3 in a row, the last: rateLimited")
        self.assertRegex(text, long + r"\n +\d{4}-\d\d-\d\d 90 d +due +Test CA\n")
        self.assertRegex(text, r"broken\.com +can't be read\n")
        told = {each["name"]: each for each in json.loads(self.acme("list", "--json").stdout)["certificates"]}
        self.assertEqual(told["shop.com"]["names"], ["shop.com", "www.shop.com"])
        self.assertEqual((told["*.shop.com"]["failures"], told["*.shop.com"]["retry_at"]), (3, "2099-01-01T00:00:00Z"))
        self.assertEqual((told[long]["is_due"], told["shop.com"]["is_due"]), (True, False))
        self.assertIn("broken.com.pem", told["broken.com"]["problem"])
        self.assertEqual((told["shop.com"]["issuer"], told["shop.com"]["key"]), ("CN=Test CA", "ECDSA P-256"))
        # Of others alone.
        self.assertEqual(json.loads(self.acme("list", "--json", "--directory", "zerossl").stdout)["certificates"], [])
        self.assertIn("say its --directory", self.acme("renew", "--directory", "zerossl", code=5).stderr)

    def test_is_not_asked_for_again_before_it_is_due(self):
        self.keep("shop.com", "shop.com", "www.shop.com")
        done = self.acme("issue", "shop.com", "www.shop.com", "--directory", DIRECTORY, code=5)
        self.assertIn("shop.com, www.shop.com: not due, ends", done.stdout)
        done = self.acme("renew", "--directory", DIRECTORY, "--quiet", code=5)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.acme("renew", "--directory", DIRECTORY, "--force", code=1)
        # It has failed since, and is not tried at once by the next run.
        done = self.acme("renew", "--directory", DIRECTORY, code=1)
        self.assertRegex(done.stderr, r"shop\.com: failed: limit reached: not tried again yet, after 1 in a row that failed, the last: .*\n  try again from .* on, or at once by --force\n")

    def test_is_written_to_files_where_these_are_missing(self):
        self.keep("shop.com")
        files = ("--cert", "a.pem", "--key", "a.key")
        self.assertIn("written to a.key", self.acme("renew", "--directory", DIRECTORY, *files).stdout)
        self.assertEqual((self.mode("a.pem"), self.mode("a.key")), (0o644, 0o600))
        self.assertEqual((self.home / "a.pem").read_text().count("BEGIN"), 1)
        self.assertEqual(self.openssl("pkey", "-in", "a.key", "-pubout"), self.openssl("x509", "-in", "a.pem", "-noout", "-pubkey"))
        self.acme("renew", "--directory", DIRECTORY, *files, code=5)

    @unittest.skipIf(os.geteuid() != 0, "takes root")
    def test_whose_it_is_is_told_to_who_keeps_more_there(self):
        self.keep("shop.com")
        os.chown(self.home / "acme", 65534, 65534)
        self.assertRegex(self.acme("renew", "--directory", DIRECTORY, code=5).stderr, r"note: acme belongs to nobody, .*: run this as nobody\n")
        self.assertEqual(self.acme("renew", "--directory", DIRECTORY, "-q", code=5).stderr, "")

    def test_what_is_not_there_can_t_be_renewed_or_revoked(self):
        self.keep("shop.com")
        self.assertIn("there is no certificate none.com", self.acme("renew", "none.com", "--directory", DIRECTORY, code=1).stderr)
        self.assertIn("none.com is neither a file nor a certificate", self.acme("revoke", "none.com", "--directory", DIRECTORY, code=1).stderr)
        self.assertIn("there is no account", self.acme("revoke", "shop.com", "--directory", DIRECTORY, code=1).stderr)


if __name__ == "__main__":
    unittest.main()
