"""`rproxy cert acme`: certificates from Pebble by the command line, alone and beside a running `serve`."""

import datetime
import fcntl
import http.server
import json
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time
import unittest
import urllib.request

from acme_server import AcmeServer
from harness import BINARY, LIMIT, Backend, Proxy, TestCase, always, free_port, ok, open_socket, until
from pebble import Pebble

ISSUED, FAILED, USAGE, CANNOT_BIND, NOTHING_DUE = 0, 1, 2, 4, 5


class AcmeCase(TestCase):
    def setUp(self):
        self.home = self.directory()
        self.storage = self.home / "acme"
        self.http, self.tls = free_port(), free_port()

    def pebble(self, **options):
        self.server = self.start(Pebble(self.http, self.tls, **options))
        return self.server

    def command(self, name, *arguments):
        where = ("--directory", self.server.directory, "--storage", self.storage)
        asks = () if name == "list" else ("--ca-file", self.server.authority)
        proves = ("--address", "127.0.0.1", "--http-port", self.http, "--tls-port", self.tls) if name in ("issue", "renew") else ()
        given = [*proves, *arguments]
        # What a test says goes over it.
        if arguments.count("--http-port"):
            given = [*proves[:2], *proves[4:], *arguments]
        return [BINARY, "cert", "acme", name, *map(str, (*where, *asks, *given))]

    def acme(self, name, *arguments, code=ISSUED):
        done = subprocess.run(self.command(name, *arguments), capture_output=True, text=True, timeout=120, cwd=self.home, stdin=subprocess.DEVNULL)
        log = self.server.log()[-2000:] if hasattr(self.server, "log") else ""
        self.assertEqual(done.returncode, code, f"{done.stdout}{done.stderr}\n{log}")
        for text in (done.stdout, done.stderr):
            self.assertNotIn("PRIVATE", text)
        return done

    def json(self, name, *arguments, code=ISSUED):
        return json.loads(self.acme(name, *arguments, "--json", code=code).stdout)

    def kept(self, name):
        return next(iter(self.storage.glob(f"certificates/*/{name}.pem")))

    def openssl(self, *arguments):
        return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT, check=True, cwd=self.home).stdout

    def serial(self, path):
        return self.openssl("x509", "-noout", "-serial", "-in", path)

    def file(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def dns_hook(self):
        return self.server.dns_hook(self.home)

    def assert_nothing_left(self):
        self.assertEqual(list(self.storage.glob("challenges/*")), [])
        for port in (self.http, self.tls):
            with socket.socket() as probe:
                self.assertNotEqual(probe.connect_ex(("127.0.0.1", port)), 0)


class Issue(AcmeCase):
    def test_by_http_01_standalone(self):
        self.pebble()
        done = self.acme("issue", "shop.com", "www.shop.com", "--email", "ops@shop.com")
        self.assertIn("signed up at https://127.0.0.1", done.stderr)
        self.assertIn(f"answering http-01 at 127.0.0.1:{self.http}", done.stderr)
        self.assertIn("proving shop.com by http-01", done.stderr)
        self.assertRegex(done.stdout, r"^shop\.com, www\.shop\.com: issued, ends .* \(in \d+ days\)\n$")
        self.openssl("verify", "-CAfile", self.server.root(), "-untrusted", self.kept("shop.com"), self.kept("shop.com"))
        self.assertIn("DNS:shop.com, DNS:www.shop.com", self.openssl("x509", "-noout", "-ext", "subjectAltName", "-in", self.kept("shop.com")))
        for path in self.storage.rglob("*"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)
        self.assert_nothing_left()
        # There it is, and nobody is asked again; for other names it is made anew.
        self.server.stop()
        self.assertIn("not due, ends", self.acme("issue", "shop.com", "www.shop.com", code=NOTHING_DUE).stdout)
        self.server.start()
        self.assertEqual(self.json("issue", "shop.com")["certificates"][0]["names"], ["shop.com"])

    def test_by_tls_alpn_01_standalone_also_for_addresses(self):
        self.pebble()
        made = self.json("issue", "shop.com", "127.0.0.1", "--challenge", "tls-alpn-01", "--key-type", "p384")["certificates"][0]
        self.assertEqual((made["names"], made["result"], made["error"]), (["shop.com", "127.0.0.1"], "issued", None))
        self.assertIn("secp384r1", self.openssl("pkey", "-noout", "-text", "-in", self.kept("shop.com")))
        # Of that kind it stays.
        self.acme("renew", "--force", "--challenge", "tls-alpn-01")
        self.assertIn("secp384r1", self.openssl("pkey", "-noout", "-text", "-in", self.kept("shop.com")))
        self.acme("renew", "--force", "--challenge", "tls-alpn-01", "--key-type", "p256")
        self.assertNotIn("secp384r1", self.openssl("pkey", "-noout", "-text", "-in", self.kept("shop.com")))
        self.assert_nothing_left()

    def test_by_a_dns_hook_also_for_wildcards(self):
        self.pebble()
        self.acme("issue", "*.shop.com", "shop.com", "--dns-hook", f"'{self.dns_hook()}'", "--dns-wait", "0s")
        self.assertIn("DNS:*.shop.com", self.openssl("x509", "-noout", "-ext", "subjectAltName", "-in", self.kept("_wildcard.shop.com")))
        done = self.acme("issue", "*.other.com", "--dns-hook", "sh -c 'echo no such zone >&2; exit 7' hook", "--dns-wait", "0s", code=FAILED)
        self.assertIn("*.other.com: failed: proving other.com: sh failed with 7: no such zone", done.stderr)

    def test_one_for_each_name(self):
        self.pebble()
        self.acme("issue", "a.com", "b.com", "--each")
        self.assertEqual([each["names"] for each in self.json("list")["certificates"]], [["a.com"], ["b.com"]])

    def test_with_refused_nonces_and_an_external_account(self):
        key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
        self.pebble(environment={"PEBBLE_WFE_NONCEREJECT": "40"}, externalAccountBindingRequired=True, externalAccountMACKeys={"kid-1": key})
        done = self.acme("issue", "shop.com", code=FAILED)
        self.assertIn("wants an external account", done.stderr)
        secret = self.file("eab", key + "==\n")
        tried = self.json("issue", "shop.com", "--dry-run", "--eab-kid", "kid-1", "--eab-key-file", secret)
        self.assertEqual(tried["certificates"][0]["result"], "skipped")
        done = self.acme("issue", "shop.com", "--eab-kid", "kid-1", "--eab-key-file", secret)
        self.assertNotIn(key, done.stdout + done.stderr)

    def test_into_files_and_a_deploy_hook_is_told(self):
        self.pebble()
        hook = self.file("deploy", "#!/bin/sh\nenv | grep ^RPROXY_ | sort > told\necho said $1 >> told\n")
        files = ("--cert", "shop.pem", "--key", "shop.key")
        done = self.acme("issue", "shop.com", "www.shop.com", *files, "--deploy-hook", f"{hook} 'one word'")
        self.assertIn("written to shop.key", done.stdout)
        self.assertEqual([stat.S_IMODE((self.home / name).stat().st_mode) for name in ("shop.pem", "shop.key")], [0o644, 0o600])
        self.openssl("verify", "-CAfile", self.server.root(), "-untrusted", "shop.pem", "shop.pem")
        self.assertEqual(self.openssl("pkey", "-pubout", "-in", "shop.key"), self.openssl("x509", "-pubkey", "-noout", "-in", "shop.pem"))
        told = (self.home / "told").read_text()
        for line in ("RPROXY_ACME_ACTION=issued", "RPROXY_ACME_NAMES=shop.com www.shop.com", "RPROXY_ACME_KEY=shop.key", "said one word",
                     f"RPROXY_ACME_DIRECTORY={self.server.directory}"):
            self.assertIn(line + "\n", told)
        # A key of its own is replaced; where only the files are missing they are written; another key is left.
        before = (self.home / "shop.key").read_text()
        self.acme("renew", "shop.com", "--force", *files)
        self.assertNotEqual((self.home / "shop.key").read_text(), before)
        (self.home / "shop.pem").unlink()
        self.acme("renew", "shop.com", *files)
        self.assertTrue((self.home / "shop.pem").exists())
        self.acme("renew", "shop.com", *files, code=NOTHING_DUE)
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "shop.key")
        foreign, count = (self.home / "shop.key").read_text(), self.server.issued()
        done = self.acme("issue", "shop.com", *files, code=FAILED)
        self.assertIn("shop.key is there, and is of something else: move it away, or say --force", done.stderr)
        self.assertEqual(((self.home / "shop.key").read_text(), self.server.issued()), (foreign, count))
        # A hook that fails is a failure, though the certificate is there.
        done = self.acme("issue", "other.com", "--deploy-hook", "sh -c 'echo not today >&2; exit 3'", code=FAILED)
        self.assertIn("the certificate is there, but the deploy hook failed: sh failed with 3: not today", done.stderr)
        self.assertTrue(self.kept("other.com").exists())

    def test_what_can_t_be_proven_is_told_with_its_name(self):
        self.pebble()

        class Wrong(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(404)
                self.end_headers()

            def log_message(self, *_):
                pass

        other = http.server.ThreadingHTTPServer(("127.0.0.1", self.http), Wrong)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        self.addCleanup(other.server_close)
        self.addCleanup(other.shutdown)
        # In use: said before anybody is asked to validate, with what to do.
        done = self.acme("issue", "shop.com", code=CANNOT_BIND)
        self.assertIn(f"127.0.0.1:{self.http}: Address already in use", done.stderr)
        self.assertIn("--via-serve", done.stderr)
        # Another port, which nothing leads to.
        failed = self.json("issue", "shop.com", "--http-port", free_port(), code=FAILED)["certificates"][0]
        self.assertEqual(failed["result"], "failed")
        self.assertIn("shop.com was not validated: ", failed["error"]["text"])
        self.assertIn("urn:ietf:params:acme:error:", failed["error"]["problem"])

    def test_a_server_that_is_not_there_fails_once(self):
        self.pebble()
        self.server.stop()
        done = self.acme("issue", "a.com", "b.com", "--each", code=FAILED)
        self.assertIn("a.com: failed: ", done.stderr)
        self.assertIn("is the --directory right", done.stderr)
        self.assertIn("b.com: not tried", done.stdout)

    def test_interrupted_it_takes_back_what_it_has_begun(self):
        self.pebble()
        # Who validates waits there for an answer.
        silent = self.start(socket.create_server(("127.0.0.1", self.http)))
        self.assertTrue(silent)
        (self.storage / "challenges").mkdir(parents=True)
        process = subprocess.Popen(self.command("issue", "shop.com", "--via-serve"), stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        until(lambda: list(self.storage.glob("challenges/*")), "the challenge")
        process.send_signal(signal.SIGINT)
        self.assertIn("interrupted", process.communicate(timeout=LIMIT)[1])
        self.assertEqual((process.returncode, list(self.storage.glob("challenges/*"))), (FAILED, []))


    def test_interrupted_while_the_dns_is_waited_for_it_has_the_record_removed(self):
        self.pebble()
        hook, actions = self.file("hook", '#!/bin/sh\necho "$1 $RPROXY_ACME_DOMAIN" >> actions\n'), self.home / "actions"
        process = subprocess.Popen(self.command("issue", "shop.com", "--dns-hook", hook, "--dns-wait", "60s"), cwd=self.home,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        until(lambda: actions.exists() and actions.read_text(), "the hook")
        process.send_signal(signal.SIGTERM)
        self.assertIn("interrupted", process.communicate(timeout=LIMIT)[1])
        self.assertEqual(actions.read_text(), "present shop.com\ncleanup shop.com\n")


class DryRun(AcmeCase):
    def test_names_are_proven_and_nothing_is_kept(self):
        self.pebble()
        done = self.acme("issue", "shop.com", "--dry-run")
        self.assertIn("with an account for the trial alone", done.stderr)
        self.assertEqual(done.stdout, "shop.com: proven, and would be issued\n")
        self.assertEqual((self.server.issued(), self.storage.exists()), (0, False))
        self.acme("issue", "shop.com", "www.shop.com")
        before = self.serial(self.kept("shop.com"))
        # What is due does not matter, and the account is the one there is.
        tried = self.json("renew", "--dry-run")
        self.assertEqual([(each["names"], each["result"]) for each in tried["certificates"]], [(["shop.com", "www.shop.com"], "proven")])
        self.assertEqual((self.server.issued(), self.serial(self.kept("shop.com")), tried["dry_run"]), (1, before, True))
        done = self.acme("issue", "new.com", "--http-port", free_port(), "--dry-run", code=FAILED)
        self.assertIn("new.com: failed: new.com was not validated", done.stderr)
        self.server.stop()
        self.assertIn("is the --directory right", self.acme("issue", "new.com", "--dry-run", code=FAILED).stderr)


class Renew(AcmeCase):
    def test_what_is_due_and_nothing_else(self):
        self.pebble()
        self.acme("renew", code=NOTHING_DUE)
        self.acme("issue", "shop.com", "www.shop.com")
        first = self.serial(self.kept("shop.com"))
        hook = ("--deploy-hook", "touch told")
        done = self.acme("renew", *hook, code=NOTHING_DUE)
        self.assertRegex(done.stdout, r"shop\.com, www\.shop\.com: not due, ends .*\n  to be renewed in \d+ days, at once by --force\n")
        self.assertEqual(self.acme("renew", "-q", *hook, code=NOTHING_DUE).stdout, "")
        self.assertFalse((self.home / "told").exists())
        done = self.acme("renew", "shop.com", "--force", *hook)
        self.assertIn("shop.com, www.shop.com: renewed, ends", done.stdout)
        self.assertNotEqual(self.serial(self.kept("shop.com")), first)
        self.assertTrue((self.home / "told").exists())
        self.assertIn("there is no certificate other.com", self.acme("renew", "other.com", code=FAILED).stderr)

    def test_of_short_lives_and_what_fails_waits(self):
        self.pebble(environment={"PEBBLE_AUTHZREUSE": "0"}, certificateValidityPeriod=6)
        self.acme("issue", "shop.com", "--quiet")
        first = self.serial(self.kept("shop.com"))
        # It was made just now, and is not made anew at once; then the clock of its hold is taken away.
        progress = self.kept("shop.com").with_suffix(".json")
        progress.write_text("{}")
        time.sleep(4)
        listed = self.json("list")["certificates"][0]
        self.assertTrue(listed["is_due"])
        self.assertEqual(self.json("renew")["certificates"][0]["result"], "renewed")
        self.assertNotEqual(self.serial(self.kept("shop.com")), first)
        progress.write_text("{}")
        time.sleep(4)
        failed = self.acme("renew", "--http-port", free_port(), code=FAILED)
        self.assertIn("shop.com was not validated", failed.stderr)
        listed = self.json("list")["certificates"][0]
        self.assertEqual(listed["failures"], 1)
        self.assertIn("failures", self.acme("list").stdout)
        self.assertIn("not tried again yet", self.acme("renew", code=FAILED).stderr)
        self.acme("renew", "--force")
        self.assertEqual(self.json("list")["certificates"][0]["failures"], 0)

    def test_the_lock_is_heeded(self):
        self.pebble()
        self.acme("issue", "shop.com")
        lock = next(iter(self.storage.glob("locks/*/shop.com")))
        with open(lock, "r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            done = self.acme("renew", "--force", "--lock-wait", "1s", code=FAILED)
            self.assertIn("another instance has been at it for 1s", done.stderr)
            waiting = subprocess.Popen(self.command("renew", "--force"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            self.addCleanup(waiting.kill)
            self.assertIn("waiting", waiting.stderr.readline())
        waiting.communicate(timeout=LIMIT)
        self.assertEqual(waiting.returncode, ISSUED)
        self.assertEqual(self.server.issued(), 2)

    def test_two_at_once_order_once(self):
        self.pebble(environment={"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "1"})
        both = [subprocess.Popen(self.command("issue", "shop.com", "--http-port", port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for port in (self.http, self.http)]
        codes = sorted(each.wait(60) for each in both)
        self.assertEqual((codes, self.server.issued()), ([ISSUED, NOTHING_DUE], 1))


class RenewalInformation(AcmeCase):
    """RFC 9773, which Pebble has not."""

    def serve(self, window, refusals=()):
        self.server = self.start(AcmeServer(self.directory(), window=window, refusals=refusals))
        self.server.directory = self.server.url + "/dir"

    def test_renewed_when_the_server_says(self):
        far = (4102444800, 4102444801)
        windows = {1: far}
        self.serve(lambda orders: windows.get(orders, far))
        self.acme("issue", "shop.com")
        self.acme("renew", code=NOTHING_DUE)
        # Asked again when it has said to, which is taken away here, as is the hold of one that was just made.
        windows[1] = (0, 1)
        self.kept("shop.com").with_suffix(".json").write_text("{}")
        self.acme("renew")
        self.assertEqual(len(self.server.orders), 2)
        self.assertEqual(self.server.orders[1]["replaces"], self.server.asked[0])

    def test_a_rate_limit_says_until_when(self):
        self.serve(lambda _: (4102444800, 4102444801), refusals=[(429, "rateLimited", {"Retry-After": "7200"})])
        error = self.json("issue", "shop.com", code=FAILED)["certificates"][0]["error"]
        self.assertEqual(error["problem"], "urn:ietf:params:acme:error:rateLimited")
        self.assertIn("rateLimited: not now", error["text"])
        left = datetime.datetime.fromisoformat(error["retry_at"]) - datetime.datetime.now(datetime.timezone.utc)
        self.assertTrue(datetime.timedelta(minutes=115) < left < datetime.timedelta(minutes=121), left)
        self.assertIn("try again from ", error["advice"])

    def test_a_profile_stays_what_it_was(self):
        self.serve(lambda _: (4102444800, 4102444801))
        self.acme("issue", "shop.com", "--profile", "shortlived")
        self.acme("renew", "--force")
        self.acme("renew", "--force", "--profile", "classic")
        self.assertEqual([order["profile"] for order in self.server.orders], ["shortlived", "shortlived", "classic"])

    def test_one_that_was_replaced_already_is_ordered_as_a_new_one(self):
        self.serve(lambda _: (4102444800, 4102444801))
        self.acme("issue", "shop.com")
        self.server.refusals.append((409, "alreadyReplaced", {}))
        self.acme("renew", "--force")
        self.assertNotIn("replaces", self.server.orders[-1])


class Revoke(AcmeCase):
    def status(self, path):
        serial = self.serial(path).strip().partition("=")[2]
        context = ssl.create_default_context(cafile=str(self.server.authority))
        url = f"https://127.0.0.1:{self.server.management}/cert-status-by-serial/{serial.lower()}"
        with urllib.request.urlopen(url, context=context, timeout=LIMIT) as answer:
            return json.loads(answer.read())

    def test_by_name_in_the_name_of_the_account(self):
        self.pebble()
        self.acme("issue", "shop.com")
        copy = self.home / "copy.pem"
        copy.write_bytes(self.kept("shop.com").read_bytes())
        self.assertEqual(self.acme("revoke", "shop.com", "--reason", "superseded").stdout, "shop.com: revoked, and removed from the storage\n")
        state = self.status(copy)
        self.assertEqual((state["Status"], state.get("Reason")), ("Revoked", 4))
        self.assertEqual(self.json("list")["certificates"], [])
        self.assertEqual(self.json("revoke", copy)["result"], "was_revoked")
        self.assertIn("is neither a file nor a certificate", self.acme("revoke", "shop.com", code=FAILED).stderr)

    def test_by_the_certificates_key_without_an_account(self):
        self.pebble()
        self.acme("issue", "shop.com", "--cert", "shop.pem", "--key", "shop.key")
        self.storage = self.home / "elsewhere"
        self.assertIn("there is no account", self.acme("revoke", "shop.pem", code=FAILED).stderr)
        self.acme("revoke", "shop.pem", "--key", "shop.key", "--reason", "key-compromise")
        self.assertEqual(self.status(self.home / "shop.pem")["Status"], "Revoked")

    def test_kept_where_that_is_wished(self):
        self.pebble()
        self.acme("issue", "shop.com")
        self.assertFalse(self.json("revoke", "shop.com", "--keep")["removed"])
        self.assertTrue(self.kept("shop.com").exists())


class Account(AcmeCase):
    def test_its_life(self):
        self.pebble()
        self.assertIn("there is no account", self.acme("account", code=FAILED).stderr)
        self.assertFalse(self.storage.exists())
        made = self.json("account", "register", "--email", "ops@shop.com")
        self.assertEqual((made["status"], made["contacts"], made["key"]), ("valid", ["mailto:ops@shop.com"], "ECDSA P-256"))
        self.assertEqual(self.json("account", "register")["url"], made["url"])
        shown = self.acme("account").stdout
        for text in (made["url"], made["thumbprint"], "mailto:ops@shop.com"):
            self.assertIn(text, shown)
        self.assertEqual(self.json("account", "update", "--email", "a@shop.com", "--email", "b@shop.com")["contacts"],
                         ["mailto:a@shop.com", "mailto:b@shop.com"])
        self.assertEqual(self.json("account", "update", "--email", "")["contacts"], [])
        # What is said when certificates are had is told as well.
        self.acme("issue", "shop.com", "--email", "c@shop.com")
        self.assertEqual(self.json("account")["contacts"], ["mailto:c@shop.com"])
        rolled = self.json("account", "rollover", "--key-type", "p384")
        self.assertEqual((rolled["url"], rolled["key"]), (made["url"], "ECDSA P-384"))
        self.assertNotEqual(rolled["thumbprint"], made["thumbprint"])
        self.acme("issue", "other.com")
        self.assertIn("--yes", self.acme("account", "deactivate", code=USAGE).stderr)
        self.acme("account", "deactivate", "--yes")
        self.assertIn("there is no account", self.acme("account", code=FAILED).stderr)
        self.assertNotEqual(self.json("account", "register")["url"], made["url"])

    def test_a_rollover_that_was_cut_short_is_brought_to_its_end(self):
        self.pebble()
        made = self.json("account", "register")
        folder = next(iter(self.storage.glob("accounts/*")))
        old = (folder / "account.key").read_bytes()
        rolled = self.json("account", "rollover")
        new = (folder / "account.key").read_bytes()
        # As if it had ended between the server's answer and the disk; then before the server was asked.
        (folder / "account.key").write_bytes(old)
        (folder / "account.key.next").write_bytes(new)
        self.acme("account", code=FAILED)
        self.assertEqual(self.json("account", "rollover")["thumbprint"], rolled["thumbprint"])
        self.assertEqual((folder / "account.key").read_bytes(), new)
        self.assertFalse((folder / "account.key.next").exists())
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", folder / "account.key.next")
        again = self.json("account", "rollover")
        self.assertEqual(again["url"], made["url"])
        self.assertFalse((folder / "account.key.next").exists())

    def test_one_that_the_server_has_forgotten_is_made_again(self):
        self.pebble()
        self.acme("issue", "shop.com")
        self.server.stop()
        self.server.start()
        self.assertIn("accountDoesNotExist", self.acme("account", code=FAILED).stderr)
        self.assertIn("signing up again", self.acme("renew", "--force").stderr)


class BesideServe(AcmeCase):
    def config(self, **keys):
        backend = self.start(Backend(always))
        routes = "".join(f'[[routes]]\nmatch = "{host}/*"\nupstream = "app"\n' for host in ("shop.com", "www.shop.com"))
        return f"""
[server]
log_level = "debug"
[listen]
http = "127.0.0.1:{self.http}"
https = "127.0.0.1:{self.tls}"
[upstreams.app]
servers = ["{backend.name}"]
{routes}
{self.server.section(self.storage, **keys)}"""

    def written(self, config):
        path = self.home / "rproxy.toml"
        path.write_text(config)
        return path

    def run_with(self, config, name, *arguments, code=ISSUED):
        done = subprocess.run([BINARY, "cert", "acme", name, "--config", str(config), *map(str, arguments)], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def shown(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with open_socket(("127.0.0.1", self.tls), LIMIT) as raw, context.wrap_socket(raw, server_hostname=name) as secured:
            return ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True))

    def test_a_running_serve_answers_and_shows_what_was_had(self):
        self.pebble()
        config = self.config(challenges='"http-01"')
        self.start(Proxy(config))
        # A name that it does not know, and one that it has.
        self.acme("issue", "elsewhere.com", "--via-serve")
        path = self.written(config)
        until(lambda: len(self.json("list")["certificates"]) == 3, "the certificates of serve")
        self.assertIn("not due", self.run_with(path, "renew", code=NOTHING_DUE).stdout)
        before = self.shown("shop.com")
        self.run_with(path, "renew", "shop.com", "--via-serve", "--force")
        after = until(lambda: (shown := self.shown("shop.com")) != before and shown, "the new one")
        self.assertIn(after.strip(), self.kept("shop.com").read_text())

    def test_names_of_the_routes_before_it_serves(self):
        self.pebble()
        path = self.written(self.config(challenges='"http-01"'))
        done = self.run_with(path, "issue", "--http-port", self.http)
        self.assertIn("shop.com: issued", done.stdout)
        self.assertIn("www.shop.com: issued", done.stdout)
        self.run_with(path, "issue", code=NOTHING_DUE)
        # Of what is not there yet, renew has it made.
        self.kept("www.shop.com").unlink()
        self.assertIn("www.shop.com: issued", self.run_with(path, "renew", "--http-port", self.http).stdout)
        self.assertEqual(json.loads(self.run_with(path, "account", "--json").stdout)["contacts"], ["mailto:ops@shop.com"])
        count = self.server.issued()
        with Proxy(path.read_text()):
            self.assertIn(self.shown("shop.com").strip(), self.kept("shop.com").read_text())
        self.assertEqual(self.server.issued(), count)

    def test_a_changed_address_is_told_at_the_start(self):
        self.pebble()
        self.acme("account", "register", "--email", "old@shop.com")
        self.start(Proxy(self.config(challenges='"http-01"')))
        until(lambda: self.json("account")["contacts"] == ["mailto:ops@shop.com"], "the new address")


if __name__ == "__main__":
    unittest.main()
