"""Certificates from an ACME server, kept by `rproxy serve`: Pebble issues and validates, clients judge what is served."""

import base64
import concurrent.futures
import datetime
import json
import os
import signal
import ssl
import stat
import subprocess
import threading
import time
import unittest

from acme_server import AcmeServer
from harness import LIMIT, Backend, Proxy, TestCase, always, client_context, connect_tls, make_authority, make_certificate, ok, open_socket, until
from pebble import Pebble, free_port

class AcmeTest(TestCase):
    def setUp(self):
        self.http, self.https = free_port(), free_port()
        self.storage = self.directory() / "acme"

    def pebble(self, **options):
        return self.start(Pebble(self.http, self.https, **options))

    def config(self, pebble, hosts=("shop.com",), http=None, https=None, **keys):
        routes = "".join(f'[[routes]]\nmatch = "{host}/*"\nupstream = "app"\n' for host in hosts)
        backend = self.start(Backend(always))
        return f"""
[server]
workers = 2
log_level = "debug"
[listen]
http = "127.0.0.1:{http or self.http}"
https = "127.0.0.1:{https or self.https}"
[admin]
socket = "admin.sock"
[upstreams.app]
servers = ["{backend.name}"]
{routes}
{pebble.section(self.storage, **keys)}
"""

    def shown(self, name, port=None, context=None):
        """The certificate that a client is shown, in DER; without a context whatever it is."""
        if context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with open_socket(("127.0.0.1", port or self.https), LIMIT) as raw, context.wrap_socket(raw, server_hostname=name) as secured:
            return secured.getpeercert(binary_form=True)

    def is_good(self, name, context, port=None):
        try:
            return self.shown(name, port, context)
        except ssl.SSLCertVerificationError:
            return None

    def wait_for(self, pebble, proxy, *names, port=None):
        context = client_context(pebble.root())
        try:
            for name in names:
                until(lambda name=name: self.is_good(name, context, port), f"a certificate for {name}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{proxy.log()}\n{pebble.log()[-3000:]}") from None
        return context


class Issuing(AcmeTest):
    def test_by_http_01_for_every_host_of_the_routes(self):
        pebble = self.pebble()
        proxy = self.start(Proxy(self.config(pebble, ("shop.com", "www.shop.com"), challenges='"http-01"')))
        # A placeholder until then, and plain requests led to https; the challenge is answered all the same.
        self.assertTrue(self.shown("shop.com"))
        context = self.wait_for(pebble, proxy, "shop.com", "www.shop.com")
        with connect_tls(("127.0.0.1", self.https), "shop.com", context) as client:
            self.assertEqual(client.request().body, b"served")
        self.assertNotEqual(self.shown("shop.com"), self.shown("www.shop.com"))
        until(lambda: not any(each["under_way"] for each in json.loads(proxy.admin("/certificates"))["certificates"]), "the end of it")
        for path in self.storage.rglob("*"):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600, path)
        self.assertEqual(list((self.storage / "challenges").iterdir()), [])
        told = json.loads(proxy.admin("/certificates"))["certificates"]
        self.assertEqual([(each["names"], each["source"], each["failures"]) for each in told],
                         [(["shop.com"], "acme", 0), (["www.shop.com"], "acme", 0)])
        self.assertTrue(told[0]["not_after"] > told[0]["renew_at"] > told[0]["not_before"])
        self.assertIn('rproxy_certificate_end_time_seconds{name="shop.com",source="acme"}', proxy.admin("/metrics"))
        # What it is told of is no path's business but the challenge's.
        self.assertEqual(proxy.get("/.well-known/acme-challenge/unknown", index=1).status, 308)

    def test_by_tls_alpn_01(self):
        pebble = self.pebble()
        proxy = self.start(Proxy(self.config(pebble, challenges='"tls-alpn-01"')))
        self.wait_for(pebble, proxy, "shop.com")
        self.assertIn("by tls-alpn-01", proxy.log())
        # Who is not validating can't have the protocol.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["acme-tls/1"])
        with self.assertRaises(OSError):
            self.shown("shop.com", context=context)

    def test_by_dns_01_also_for_wildcards(self):
        pebble = self.pebble()
        hook = pebble.dns_hook(self.directory())
        proxy = self.start(Proxy(self.config(pebble, ("shop.com", "*.shop.com"), challenges='"dns-01"', dns_hook=f'["{hook}"]',
                                             dns_propagation='"0s"')))
        self.wait_for(pebble, proxy, "shop.com", "any.shop.com")

    def test_with_refused_nonces_another_kind_of_key_and_an_external_account(self):
        key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
        pebble = self.pebble(environment={"PEBBLE_WFE_NONCEREJECT": "50"}, externalAccountBindingRequired=True,
                             externalAccountMACKeys={"kid-1": key})
        proxy = self.start(Proxy(self.config(pebble, key_type='"rsa2048"', external_account=f'{{ key_id = "kid-1", hmac_key = "{key}" }}')))
        self.wait_for(pebble, proxy, "shop.com")
        self.assertIn("reject 50% of good nonces", pebble.log())
        self.assertNotIn(key, proxy.admin("/config"))

    def test_names_that_files_cover_are_left_alone(self):
        pebble = self.pebble()
        make_certificate(pebble.home, "file", "shop.com")
        config = self.config(pebble, ("shop.com", "www.shop.com"))
        config = config.replace("[tls.acme]", f'[tls]\ncert = "{pebble.home}/file.pem"\nkey = "{pebble.home}/file.key"\n[tls.acme]')
        proxy = self.start(Proxy(config))
        self.wait_for(pebble, proxy, "www.shop.com")
        self.assertEqual(pebble.issued(), 1)
        told = json.loads(proxy.admin("/certificates"))["certificates"]
        self.assertEqual([each["names"] for each in told if each["source"] == "acme"], [["www.shop.com"]])
        self.assertTrue(self.shown("shop.com", context=client_context(pebble.authority)))


class Keeping(AcmeTest):
    def test_a_restart_and_a_reload_go_by_what_is_stored(self):
        pebble = self.pebble()
        config = self.config(pebble)
        with Proxy(config) as proxy:
            context = self.wait_for(pebble, proxy, "shop.com")
            first = self.shown("shop.com")
            proxy.signal(signal.SIGHUP)
            until(lambda: "reloaded in" in proxy.log(), "the reload")
            self.assertEqual(self.shown("shop.com", context=context), first)
        pebble.stop()
        with Proxy(config) as proxy:
            self.assertEqual(self.shown("shop.com", context=context), first)
        self.assertEqual(pebble.issued(), 1)

    def test_renewal_under_load_fails_no_handshake(self):
        pebble = self.pebble(certificateValidityPeriod=30)
        proxy = self.start(Proxy(self.config(pebble, renew_percent=10)))
        context = self.wait_for(pebble, proxy, "shop.com")
        seen, failed, over = set(), [], threading.Event()

        def load():
            while not over.is_set():
                try:
                    seen.add(self.shown("shop.com", context=context))
                except OSError as error:
                    failed.append(error)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(seen) >= 3 or failed, "renewed certificates", 3 * LIMIT)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failed, [])

    def test_one_is_made_anew_when_the_operator_asks_for_it(self):
        pebble = self.pebble()
        proxy = self.start(Proxy(self.config(pebble)))
        context = self.wait_for(pebble, proxy, "shop.com")
        before = self.shown("shop.com")
        self.assertIn("no certificate for other.com", proxy.admin("/certificates/renew", name="other.com"))
        self.assertEqual(json.loads(proxy.admin("/certificates/renew", name="shop.com")), {"renewing": "shop.com"})
        until(lambda: self.shown("shop.com", context=context) != before, "another certificate")

    def test_two_instances_make_one_order(self):
        pebble = self.pebble()
        other = free_port()
        # Whichever is asked for the challenge answers: the directory is theirs together.
        first = self.start(Proxy(self.config(pebble, challenges='"http-01"')))
        second = self.start(Proxy(self.config(pebble, challenges='"http-01"', http=free_port(), https=other)))
        self.wait_for(pebble, first, "shop.com")
        self.wait_for(pebble, second, "shop.com", port=other)
        self.assertEqual(self.shown("shop.com"), self.shown("shop.com", port=other))
        self.assertEqual(pebble.issued(), 1)

    def test_killed_in_the_middle_it_begins_anew(self):
        pebble = self.pebble(environment={"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": "3"})
        config = self.config(pebble)
        proxy = self.start(Proxy(config))
        until(lambda: "proving shop.com" in proxy.log(), "a proof under way")
        proxy.signal(signal.SIGKILL)
        proxy.wait()
        again = self.start(Proxy(config))
        self.wait_for(pebble, again, "shop.com")

    def test_a_server_that_has_forgotten_the_account_is_signed_up_at_again(self):
        pebble = self.pebble(certificateValidityPeriod=20)
        proxy = self.start(Proxy(self.config(pebble, renew_percent=20)))
        self.wait_for(pebble, proxy, "shop.com")
        pebble.stop()
        pebble.start()
        self.wait_for(pebble, proxy, "shop.com")
        self.assertIn("signing up again", proxy.log())

    def test_failures_are_told_and_tried_again(self):
        pebble = self.pebble()
        pebble.stop()
        proxy = self.start(Proxy(self.config(pebble)))
        until(lambda: "acme: shop.com: " in proxy.log() and "; again in" in proxy.log(), "the failure")
        pebble.start()
        self.wait_for(pebble, proxy, "shop.com")
        self.assertEqual(json.loads(proxy.admin("/certificates"))["certificates"][0]["failures"], 0)


class OnDemand(AcmeTest):
    def serve(self, pebble, on_demand, **keys):
        config = self.config(pebble, on_demand=f"{{ {on_demand} }}", **keys)
        return self.start(Proxy(config + '[client]\nhandshake_timeout = "90s"\n'))

    def test_a_handshake_waits_for_the_certificate(self):
        pebble = self.pebble()
        proxy = self.serve(pebble, 'hosts = ["*.customers.test"], wait = "60s"', challenges='"http-01"')
        context = self.wait_for(pebble, proxy, "shop.com")
        # Ten at once: one order.
        with concurrent.futures.ThreadPoolExecutor(10) as clients:
            shown = set(clients.map(lambda _: self.shown("a.customers.test", context=context), range(10)))
        self.assertEqual(len(shown), 1)
        self.assertEqual(proxy.log().count("a.customers.test has a certificate"), 1)
        self.assertEqual(proxy.log().count("a.customers.test is asked for"), 1)
        # Of others nothing is made: they get what there is.
        self.shown("a.other.test")
        self.assertNotIn("a.other.test", proxy.log())
        # It is kept: after a restart it is there at once, and a reload takes nothing away.
        proxy.signal(signal.SIGHUP)
        until(lambda: "reloaded" in proxy.log() or "nothing has changed" in proxy.log(), "the reload")
        self.assertEqual(self.shown("a.customers.test", context=context), next(iter(shown)))
        config = (proxy.directory / "config.toml").read_text()
        proxy.stop()
        again = self.start(Proxy(config))
        self.assertEqual(self.shown("a.customers.test", context=context), next(iter(shown)))
        self.assertNotIn("is asked for", again.log())

    def test_somebody_says_which_names(self):
        pebble = self.pebble()

        def known(peer):
            while True:
                request = peer.next_request()
                is_known = "domain=a.customers.test" in request.start_line
                peer.send(ok() if is_known else b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        says = self.start(Backend(known))
        proxy = self.serve(pebble, f'ask = "http://{says.name}/known?from=rproxy", wait = "60s"', challenges='"tls-alpn-01"')
        context = self.wait_for(pebble, proxy, "shop.com")
        self.assertTrue(self.shown("a.customers.test", context=context))
        for _ in range(3):
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.shown("b.customers.test", context=context)
        # What was refused is not asked about again for a while.
        self.assertEqual([request.start_line.split()[1] for request in says.requests],
                         [f"/known?from=rproxy&domain={name}.customers.test" for name in "ab"])

    def test_a_reload_lets_nobody_wait_at_what_is_no_more(self):
        pebble = self.pebble()
        proxy = self.serve(pebble, 'ask = "http://127.0.0.1:9", hosts = ["a.test"], wait = "80s"', challenges='"http-01"')
        context = self.wait_for(pebble, proxy, "shop.com")
        with self.start(Backend(lambda peer: peer.next_request() and peer.wait_closed())) as silent:
            config = proxy.directory / "config.toml"
            config.write_text(config.read_text().replace("http://127.0.0.1:9", f"http://{silent.name}"))
            proxy.signal(signal.SIGHUP)
            until(lambda: "reloaded in" in proxy.log(), "the reload")
            with concurrent.futures.ThreadPoolExecutor(1) as clients:
                waiting = clients.submit(self.shown, "a.test")
                until(lambda: silent.requests, "the question")
                config.write_text(config.read_text().replace('"80s"', '"70s"'))
                proxy.signal(signal.SIGHUP)
                self.assertTrue(waiting.result(LIMIT))
        self.assertTrue(self.shown("shop.com", context=context))

    def test_what_can_not_be_had_keeps_nobody_waiting(self):
        pebble = self.pebble()
        proxy = self.serve(pebble, 'hosts = ["*.customers.test"], wait = "200ms"', challenges='"http-01"')
        context = self.wait_for(pebble, proxy, "shop.com")
        pebble.stop()
        # The first finds out, the second is told so at once.
        for name, said in (("a", "a.customers.test: "), ("b", "b.customers.test: nothing is tried before")):
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.shown(f"{name}.customers.test", context=context)
            until(lambda said=said: said in proxy.log(), "the line in the log")
        self.assertTrue(self.shown("shop.com", context=context))
        # Let go: what somebody made up is not tried for ever.
        until(lambda: [each["names"] for each in json.loads(proxy.admin("/certificates"))["certificates"]] == [["shop.com"]], "the end of it")


class RenewalInformation(AcmeTest):
    """RFC 9773, which Pebble has not."""

    def serve(self, **options):
        server = self.start(AcmeServer(self.directory(), **options))
        server.directory = server.url + "/dir"
        server.section = lambda storage, **keys: Pebble.section(server, storage, **keys)
        return server, self.start(Proxy(self.config(server)))

    def test_a_certificate_is_renewed_when_the_server_says(self):
        # The first at once, the second when the next century begins.
        server, proxy = self.serve(window=lambda orders: (0, 1) if orders == 1 else (4102444800, 4102444801))
        until(lambda: len(server.orders) == 2 and len(server.asked) >= 2, "the renewal", LIMIT)
        told = json.loads(until(lambda: (told := proxy.admin("/certificates")) and "2100" in told and told, "when it is renewed"))
        self.assertEqual(told["certificates"][0]["renew_at"][:16], "2100-01-01T00:00")
        # It says which one the new one is for: the issuer's key and the serial number, not of its own making.
        self.assertNotIn("replaces", server.orders[0])
        self.assertEqual(server.orders[1]["replaces"], server.asked[0])
        serial = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", server.home / "0.pem"], capture_output=True, text=True, check=True)
        number = base64.urlsafe_b64decode(server.asked[0].split(".")[1] + "==")
        self.assertEqual(number.hex().upper().removeprefix("00"), serial.stdout.strip().partition("=")[2])

    def test_a_window_that_is_always_past_is_no_reason_to_order_without_end(self):
        begin = time.monotonic()
        server, proxy = self.serve(window=lambda _: (0, 1))
        # The second a pause after the first, the third two after that.
        until(lambda: len(server.orders) == 3, "the orders")
        self.assertGreater(time.monotonic() - begin, 2.5)
        self.assertGreater(json.loads(proxy.admin("/certificates"))["certificates"][0]["not_after"], "2026")

    def test_a_rate_limit_is_heeded(self):
        server, proxy = self.serve(window=lambda _: (4102444800, 4102444801), refusals=[(429, "rateLimited", {"Retry-After": "7200"})])
        until(lambda: "rateLimited: not now (again after 7200 s)" in proxy.log(), "the refusal")
        state = json.loads(proxy.admin("/certificates"))["certificates"][0]
        self.assertEqual((state["failures"], state["not_after"]), (1, None))
        self.assertIn("rateLimited", state["last_error"])
        wait = datetime.datetime.fromisoformat(state["retry_at"]) - datetime.datetime.now(datetime.timezone.utc)
        self.assertGreater(wait, datetime.timedelta(seconds=7100))
        # But for the operator.
        proxy.admin("/certificates/renew", name="shop.com")
        until(lambda: server.orders, "the order")


class Files(TestCase):
    def test_certificates_that_change_are_shown_from_then_on(self):
        home = self.directory()
        context = client_context(make_authority(home))
        make_certificate(home, "site", "shop.com")
        backend = self.start(Backend(always))
        proxy = self.start(Proxy(f'''
[listen]
https = "127.0.0.1:0"
[tls]
cert = "{home}/site.pem"
key = "{home}/site.key"
[upstreams.app]
servers = ["{backend.name}"]
[[routes]]
match = "*"
upstream = "app"
'''))

        def serial():
            with connect_tls(proxy.address, "shop.com", context) as client:
                return client.socket.getpeercert()["serialNumber"]

        before = serial()
        with connect_tls(proxy.address, "shop.com", context) as held:
            self.assertEqual(held.request().body, b"served")
            make_certificate(home, "next", "shop.com")
            # The key first: for a while they do not belong together.
            os.rename(home / "next.key", home / "site.key")
            until(lambda: "certificate not taken" in proxy.log(), "the refusal")
            self.assertEqual(serial(), before)
            os.rename(home / "next.pem", home / "site.pem")
            until(lambda: serial() != before, "the next certificate")
            self.assertEqual(held.request().body, b"served")


if __name__ == "__main__":
    unittest.main()
