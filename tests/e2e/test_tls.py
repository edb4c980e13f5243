"""TLS on both sides: certificates by name, versions, redirects, verification."""

import socket
import ssl
import unittest

from harness import (Backend, Proxy, TestCase, answering, client_context, config_for, connect_tls, exchange_raw,
                     make_authority, make_certificate, ok, open_socket, run, server_context)


class TlsTest(TestCase):
    def setUp(self):
        self.home = self.directory()
        self.authority = make_authority(self.home)

    def certificates(self, *files):
        each = ", ".join(f'{{ cert = "{self.home}/{file}.pem", key = "{self.home}/{file}.key" }}' for file in files)
        return f"certificates = [{each}]"


class Clients(TlsTest):
    def serve(self, *files, tls="", listen='https = "127.0.0.1:0"', extra=""):
        backend = self.start(Backend(answering(ok(b"secret"))))
        config = config_for(backend, listen=listen, extra=f"[tls]\n{self.certificates(*files)}\n{tls}\n{extra}")
        return self.start(Proxy(config))

    def presented(self, proxy, name):
        context = client_context(self.authority)
        context.check_hostname = False
        with connect_tls(proxy.address, name, context) as client:
            return {value for kind, value in client.socket.getpeercert()["subjectAltName"]}

    def test_serves(self):
        make_certificate(self.home, "shop", "shop.com")
        proxy = self.serve("shop")
        with connect_tls(proxy.address, "shop.com", client_context(self.authority)) as client:
            self.assertEqual(client.socket.version(), "TLSv1.3")
            for _ in range(3):
                self.assertEqual(client.request().body, b"secret")
        line = proxy.access_lines(3)[0]
        self.assertEqual((line["scheme"], line["tls_version"], line["sni"]), ("https", "TLSv1.3", "shop.com"))

    def test_picks_the_certificate_by_name(self):
        for file, *names in (("shop", "shop.com"), ("wild", "*.shop.com"), ("api", "api.shop.com")):
            make_certificate(self.home, file, *names)
        proxy = self.serve("shop", "wild", "api")
        for asked, given in (("shop.com", "shop.com"), ("www.shop.com", "*.shop.com"), ("api.shop.com", "api.shop.com"),
                             ("API.shop.com", "api.shop.com"), ("a.b.shop.com", "shop.com"), ("other.org", "shop.com")):
            self.assertEqual(self.presented(proxy, asked), {given}, asked)
        self.assertEqual(self.presented(proxy, None), {"shop.com"})

    def test_strict_sni_refuses_unknown_names(self):
        make_certificate(self.home, "shop", "shop.com")
        proxy = self.serve("shop", tls="strict_sni = true")
        self.assertEqual(self.presented(proxy, "shop.com"), {"shop.com"})
        with self.assertRaises(ssl.SSLError):
            self.presented(proxy, "other.org")

    def test_rsa_and_ecdsa_side_by_side(self):
        make_certificate(self.home, "ec", "shop.com")
        make_certificate(self.home, "rsa", "shop.com", key=("rsa", "rsa_keygen_bits:2048"))
        proxy = self.serve("ec", "rsa")
        for cipher in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"):
            context = client_context(self.authority)
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(cipher)
            with connect_tls(proxy.address, "shop.com", context) as client:
                self.assertEqual(client.socket.cipher()[0], cipher)

    def test_versions(self):
        make_certificate(self.home, "shop", "shop.com")
        for minimum, allowed in (("1.2", {"TLSv1_2", "TLSv1_3"}), ("1.3", {"TLSv1_3"})):
            proxy = self.serve("shop", tls=f'min_version = "{minimum}"')
            for version in ("TLSv1_1", "TLSv1_2", "TLSv1_3"):
                context = client_context(self.authority)
                context.set_ciphers("ALL:@SECLEVEL=0")
                context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
                try:
                    connect_tls(proxy.address, "shop.com", context).close()
                    done = True
                except ssl.SSLError:
                    done = False
                self.assertEqual(done, version in allowed, (minimum, version))

    def test_alpn(self):
        make_certificate(self.home, "shop", "shop.com")
        context = client_context(self.authority)
        for spoken, offered, agreed in (
            (None, ["http/1.1", "h2"], "h2"),
            (None, ["http/1.1"], "http/1.1"),
            (["http/1.1", "h2"], ["h2", "http/1.1"], "http/1.1"),
            (["http/1.1"], ["h2", "http/1.1"], "http/1.1"),
            (["h2"], ["h2"], "h2"),
        ):
            with self.subTest(spoken=spoken, offered=offered):
                proxy = self.serve(
                    "shop", listen='https = "127.0.0.1:0"' + (f"\nprotocols = {spoken}" if spoken else "")
                )
                context.set_alpn_protocols(offered)
                with connect_tls(proxy.address, "shop.com", context) as client:
                    self.assertEqual(client.socket.selected_alpn_protocol(), agreed)
        # RFC 7301 3.2.
        proxy = self.serve("shop", listen='https = "127.0.0.1:0"\nprotocols = ["h2"]')
        context.set_alpn_protocols(["http/1.1"])
        with self.assertRaisesRegex(ssl.SSLError, "no application protocol"):
            connect_tls(proxy.address, "shop.com", context)

    def test_resumes_sessions_by_ticket_on_every_worker(self):
        make_certificate(self.home, "shop", "shop.com")
        proxy = self.serve("shop", extra="[server]\nworkers = 4\n")
        context = client_context(self.authority)
        with connect_tls(proxy.address, "shop.com", context) as client:
            client.request()
            session = client.socket.session
        for _ in range(10):
            raw = open_socket(proxy.address)
            with context.wrap_socket(raw, server_hostname="shop.com", session=session) as again:
                self.assertTrue(again.session_reused)

    def test_large_content_both_ways(self):
        make_certificate(self.home, "shop", "shop.com")
        backend = self.start(Backend(lambda peer: [peer.send(ok(peer.next_request().body)) for _ in range(2)]))
        config = config_for(backend, listen='https = "127.0.0.1:0"', extra=f"[tls]\n{self.certificates('shop')}\n")
        proxy = self.start(Proxy(config))
        body = bytes(range(256)) * 8192
        with connect_tls(proxy.address, "shop.com", client_context(self.authority)) as client:
            self.assertEqual(client.request("POST", body=body).body, body)

    def test_plain_http_on_the_tls_port_is_told(self):
        make_certificate(self.home, "shop", "shop.com")
        proxy = self.serve("shop")
        received = exchange_raw(proxy.address, b"GET / HTTP/1.1\r\nHost: shop.com\r\n\r\n")
        head, _, body = received.partition(b"\r\n\r\n")
        self.assertIn(b" 400 ", head)
        self.assertIn(b"Content-Length: %d" % len(body), head)

    def test_http_redirects_to_https(self):
        make_certificate(self.home, "shop", "shop.com")
        proxy = self.serve("shop", listen='http = "127.0.0.1:0"\nhttps = "127.0.0.1:0"')
        plain = next(i for i, a in enumerate(proxy.addresses) if f"{a[1]} (http)" in proxy.log())
        response = proxy.get("/a/b?c=d", index=plain)
        self.assertEqual(response.status, 308)
        self.assertRegex(response.get("Location"), r"^https://shop\.com(:\d+)?/a/b\?c=d$")

    def test_silent_client_is_dropped(self):
        make_certificate(self.home, "shop", "shop.com")
        proxy = self.serve("shop", extra='[client]\nhandshake_timeout = "100ms"\n')
        with open_socket(proxy.address) as silent:
            try:
                self.assertEqual(silent.recv(100), b"")
            except ConnectionResetError:
                pass

    def test_garbage_hurts_nobody_else(self):
        make_certificate(self.home, "shop", "shop.com")
        proxy = self.serve("shop")
        for garbage in (b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"\x16", b"\x80\x2e\x01\x00\x02", bytes(range(256))):
            exchange_raw(proxy.address, garbage)
        self.assertEqual(self.presented(proxy, "shop.com"), {"shop.com"})

    def test_openssl_and_curl(self):
        make_certificate(self.home, "shop", "shop.com")
        proxy = self.serve("shop")
        port = proxy.address[1]
        done = run("curl", "-sS", "--cacert", str(self.authority), "--resolve", f"shop.com:{port}:127.0.0.1",
                   f"https://shop.com:{port}/")
        self.assertEqual(done.stdout, "secret")
        done = run("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "shop.com", "-CAfile",
                   str(self.authority), "-verify_return_error", "-tls1_3", input="Q\n")
        self.assertIn("Verify return code: 0 (ok)", done.stdout)


class Backends(TlsTest):
    def serve(self, file, tls):
        backend = self.start(Backend(answering(ok(b"inside")), tls=server_context(self.home, file)))
        return backend, self.start(Proxy(config_for(backend, upstream=f"tls = {tls}", extra="[server]\nworkers = 1\n")))

    def test_verified_and_kept(self):
        make_certificate(self.home, "inner", "inner.test")
        backend, proxy = self.serve("inner", f'{{ ca_file = "{self.authority}", server_name = "inner.test" }}')
        with proxy.connect() as client:
            for _ in range(5):
                self.assertEqual(client.request().body, b"inside")
        self.assertEqual(backend.connections, 1)

    def test_verified_by_address(self):
        make_certificate(self.home, "inner", "127.0.0.1")
        _, proxy = self.serve("inner", f'{{ ca_file = "{self.authority}" }}')
        self.assertEqual(proxy.get().body, b"inside")

    def test_refuses_another_name_and_an_unknown_authority(self):
        make_certificate(self.home, "inner", "inner.test")
        for tls in (f'{{ ca_file = "{self.authority}", server_name = "other.test" }}', '{ server_name = "inner.test" }', "true"):
            backend, proxy = self.serve("inner", tls)
            self.assertEqual(proxy.get().status, 502, tls)
            self.assertEqual(backend.requests, [])

    def test_unverified_where_the_configuration_says_so(self):
        make_certificate(self.home, "inner", "inner.test")
        _, proxy = self.serve("inner", "{ verify = false }")
        self.assertEqual(proxy.get().body, b"inside")
        self.assertIn("RP1302", proxy.log())

    def test_content_cut_without_close_notify_is_cut(self):
        make_certificate(self.home, "inner", "127.0.0.1")

        def script(peer):
            peer.next_request()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\nnot all")
            socket.socket.shutdown(peer.socket, socket.SHUT_RDWR)  # no close_notify

        backend = self.start(Backend(script, tls=server_context(self.home, "inner")))
        proxy = self.start(Proxy(config_for(backend, upstream=f'tls = {{ ca_file = "{self.authority}" }}')))
        self.assertFalse(proxy.get().complete)


if __name__ == "__main__":
    unittest.main()
