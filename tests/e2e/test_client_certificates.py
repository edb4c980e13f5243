"""Certificates of clients, and the proxy's own as a client."""

import base64
import os
import ssl
import subprocess
import unittest

from harness import (Backend, Proxy, TestCase, answering, client_context, config_for, connect_tls, make_authority,
                     make_certificate, ok, run, server_context, until)


def echo(*names):
    """Answers with what the request says in these fields."""

    def script(peer):
        while True:
            request = peer.next_request()
            peer.send(ok("\n".join(f"{name}={request.get(name)}" for name in names).encode()))

    return script


class CertificateTest(TestCase):
    def setUp(self):
        self.home = self.directory()
        self.authority = make_authority(self.home)
        make_certificate(self.home, "shop", "shop.com")
        for name in ("cart", "billing"):
            make_certificate(self.home, name, f"{name}.internal")

    def context(self, own=None):
        context = client_context(self.authority)
        if own:
            context.load_cert_chain(f"{self.home}/{own}.pem", f"{self.home}/{own}.key")
        return context

    def revoke(self, *files):
        """The CA's list of those that it has revoked."""
        index, configuration = self.home / "index.txt", self.home / "ca.cnf"
        index.touch()
        configuration.write_text(f"[ca]\ndefault_ca=it\n[it]\ndatabase={index}\ndefault_md=sha256\ndefault_crl_days=1\n")
        ca = ["openssl", "ca", "-config", str(configuration), "-cert", "ca.pem", "-keyfile", "ca.key"]
        for file in files:
            run(*ca, "-revoke", f"{file}.pem", cwd=self.home)
        run(*ca, "-gencrl", "-out", "next.crl", cwd=self.home)
        os.replace(self.home / "next.crl", self.home / "revoked.crl")


class Clients(CertificateTest):
    def serve(self, auth, backend=None, route="", extra=""):
        backend = self.start(Backend(backend or answering(*[ok(b"secret")] * 9)))
        config = config_for(backend, listen='https = "127.0.0.1:0"', route=route, extra=f"""
[tls]
cert = "{self.home}/shop.pem"
key = "{self.home}/shop.key"
client_auth = {{ {auth}ca_file = "{self.authority}" }}
{extra}""")
        return self.start(Proxy(config))

    def get(self, proxy, own=None, path="/", headers=()):
        with connect_tls(proxy.address, "shop.com", self.context(own)) as client:
            return client.request("GET", path, headers=headers)

    def refused(self, proxy, own=None):
        # The server's word on a certificate comes after the handshake (RFC 8446 4.4.2.4).
        with self.assertRaises((ssl.SSLError, ConnectionResetError, EOFError)) as caught:
            if not self.get(proxy, own).fields:
                raise EOFError
        return str(caught.exception)

    def test_who_gets_in(self):
        proxy = self.serve('allow = ["dns:cart.*"], ')
        self.assertEqual(self.get(proxy, "cart").body, b"secret")
        self.refused(proxy)
        self.refused(proxy, "billing")
        until(lambda: "certificate not taken: 127.0.0.1" in proxy.log(), "the line in the log")
        self.assertIn("no rule allows it", proxy.log())
        self.assertEqual(proxy.access_lines()[0]["tls_client"], "cart.internal")

    def test_curl_gets_in(self):
        proxy = self.serve("")
        port = proxy.address[1]
        curl = ["curl", "-sS", "--cacert", str(self.authority), "--resolve", f"shop.com:{port}:127.0.0.1", f"https://shop.com:{port}/"]
        self.assertEqual(run(*curl, "--cert", f"{self.home}/cart.pem", "--key", f"{self.home}/cart.key").stdout, "secret")
        done = subprocess.run(curl, capture_output=True, text=True, check=False)
        self.assertIn("certificate required", done.stderr)

    def test_optional_with_routes_that_ask_for_one(self):
        backend = self.start(Backend(answering(*[ok(b"secret")] * 9)))
        config = config_for(backend, listen='https = "127.0.0.1:0"', extra=f"""
[[routes]]
match = "/admin/*"
upstream = "app"
client_cert = ["dns:cart.internal"]
[[routes]]
match = "/any/*"
upstream = "app"
client_cert = true
[tls]
cert = "{self.home}/shop.pem"
key = "{self.home}/shop.key"
client_auth = {{ mode = "optional", ca_file = "{self.authority}" }}
""")
        proxy = self.start(Proxy(config))
        got = {(own, path): self.get(proxy, own, path).status for own in (None, "cart", "billing") for path in ("/", "/any/", "/admin/")}
        self.assertEqual(got, {
            (None, "/"): 200, (None, "/any/"): 403, (None, "/admin/"): 403,
            ("cart", "/"): 200, ("cart", "/any/"): 200, ("cart", "/admin/"): 200,
            ("billing", "/"): 200, ("billing", "/any/"): 200, ("billing", "/admin/"): 403})

    def test_a_list_that_changes_is_read_again(self):
        self.revoke()
        proxy = self.serve(f'crl_file = "{self.home}/revoked.crl", ')
        self.assertEqual(self.get(proxy, "cart").status, 200)
        with connect_tls(proxy.address, "shop.com", self.context("cart")) as kept:
            self.assertEqual(kept.request().status, 200)
            self.revoke("cart")
            until(lambda: "other authorities, or revoked certificates" in proxy.log(), "the line in the log")
            self.assertIn("revoked", self.refused(proxy, "cart"))
            self.assertEqual(self.get(proxy, "billing").status, 200)
            # What is there goes on.
            self.assertEqual(kept.request().status, 200)

    def test_upstreams_are_told(self):
        der = base64.b64encode(ssl.PEM_cert_to_DER_cert((self.home / "cart.pem").read_text())).decode()
        proxy = self.serve('mode = "optional", ', echo("Client-Cert", "Client-Cert-Chain"),
                           extra="[forwarding]\nclient_cert = true\n")
        forged = [("Client-Cert", ":Zm9v:"), ("Client-Cert-Chain", ":Zm9v:"), ("Client_Cert", ":Zm9v:")]
        self.assertEqual(self.get(proxy, "cart", headers=forged).body.decode(), f"Client-Cert=:{der}:\nClient-Cert-Chain=None")
        self.assertEqual(self.get(proxy, None, headers=forged).body, b"Client-Cert=None\nClient-Cert-Chain=None")

    def test_upstreams_are_told_as_envoy_does(self):
        proxy = self.serve("", echo("X-Forwarded-Client-Cert"), extra="""
[forwarding]
client_cert = { header = "X-Forwarded-Client-Cert", format = "xfcc" }""")
        told = self.get(proxy, "cart", headers=[("X-Forwarded-Client-Cert", "Hash=1")]).body.decode()
        self.assertRegex(told, r'^X-Forwarded-Client-Cert=Hash=[0-9a-f]{64};Subject="CN=cart.internal";DNS="cart.internal"$')

    def test_answers_that_depend_on_it_are_kept_apart(self):
        def script(peer):
            while True:
                whose = peer.next_request().get("Client-Cert") or "nobody"
                peer.send(ok(whose[-30:].encode(), "Cache-Control: max-age=60\r\nVary: Client-Cert\r\n"))

        proxy = self.serve('mode = "optional", ', script, route="cache = true", extra="[forwarding]\nclient_cert = true\n")
        bodies = [self.get(proxy, own).body for own in ("cart", "billing", None, "cart", "billing", None)]
        self.assertEqual(bodies[:3], bodies[3:])
        self.assertEqual(len(set(bodies)), 3)


class Backends(CertificateTest):
    def backend(self):
        context = server_context(self.home, "shop")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority)

        def script(peer):
            while peer.next_request():
                peer.send(ok(dict(pair[0] for pair in peer.socket.getpeercert()["subject"])["commonName"].encode(),
                             "Connection: close\r\n"))
                return

        return self.start(Backend(script, tls=context))

    def serve(self, backend, own, extra=""):
        tls = f'tls = {{ ca_file = "{self.authority}", server_name = "shop.com"{own} }}'
        return self.start(Proxy(config_for(backend, upstream=f"{tls}\n{extra}", extra="[server]\nworkers = 1\n")))

    def test_shows_its_own_where_the_server_asks(self):
        backend = self.backend()
        self.assertEqual(self.serve(backend, "").get().status, 502)
        proxy = self.serve(backend, f', cert = "{self.home}/cart.pem", key = "{self.home}/cart.key"')
        self.assertEqual(proxy.get().body, b"cart.internal")

    def test_shows_another_when_the_files_change(self):
        backend = self.backend()
        for kind in ("pem", "key"):
            (self.home / f"own.{kind}").write_bytes((self.home / f"cart.{kind}").read_bytes())
        proxy = self.serve(backend, f', cert = "{self.home}/own.pem", key = "{self.home}/own.key"',
                           'health = { path = "/", interval = "100ms" }')
        self.assertEqual(proxy.get().body, b"cart.internal")
        for kind in ("pem", "key"):
            os.replace(self.home / f"billing.{kind}", self.home / f"own.{kind}")
        until(lambda: proxy.get().body == b"billing.internal", "the other certificate")


if __name__ == "__main__":
    unittest.main()
