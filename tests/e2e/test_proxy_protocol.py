"""The PROXY protocol on both sides, by scripts."""

import contextlib
import socket
import ssl
import time
import unittest

import proxy_header as ph
from harness import (LIMIT, Backend, Client, Peer, Proxy, TestCase, answering, client_context, exchange_raw,
                     make_authority, make_certificate, ok, open_socket, server_context, until)
from proxy_header import CLIENT, DESTINATION, config

REQUEST = b"GET / HTTP/1.1\r\nHost: shop.com\r\n\r\n"


class In(TestCase):
    def serve(self, **options):
        self.backend = self.start(Backend(answering(ok())))
        return self.start(Proxy(config(self.backend, **options)))

    def ask(self, proxy, header, request=REQUEST):
        with proxy.connect() as client:
            return client.send(header + request).response()

    def assert_agrees(self, proxy, ip, port=None, count=1):
        """Log and forwarding fields name this client."""
        line = proxy.access_lines(count)[-1]
        self.assertEqual(line["client_ip"], ip)
        request = self.backend.requests[-1]
        self.assertEqual(request.get("X-Forwarded-For"), ip)
        node = f'"[{ip}]"' if ":" in ip else ip
        self.assertEqual(request.get("Forwarded"), f"for={node};host=shop.com;proto={line['scheme']}")
        self.assertEqual(request.get("X-Forwarded-Proto"), line["scheme"])
        return line

    def test_both_versions_and_families(self):
        proxy = self.serve()
        count = 0
        for write in (ph.v1, ph.v2):
            for source, destination in ((CLIENT, DESTINATION), ("2001:db8::7", "2001:db8::1")):
                count += 1
                self.assertEqual(self.ask(proxy, write(source, destination)).status, 200)
                line = self.assert_agrees(proxy, source, count=count)
                self.assertEqual((line["local_ip"], line["local_port"], line["scheme"]), (destination, 443, "http"))

    def test_the_port_is_the_headers(self):
        self.backend = self.start(Backend(answering(ok())))
        text = config(self.backend).replace('path = "stdout"', 'path = "stdout", format = "{client_ip} {client_port}"')
        proxy = self.start(Proxy(text))
        self.assertEqual(self.ask(proxy, ph.v2(CLIENT, DESTINATION)).status, 200)
        until(lambda: proxy.output.read_text() == f"{CLIENT} 50000\n", "the line")

    def test_byte_by_byte_and_split(self):
        proxy = self.serve()
        for header in (ph.v1(CLIENT, DESTINATION), ph.v2(CLIENT, DESTINATION, fields=ph.tlv(2, b"shop.com"))):
            for size in (1, len(header) - 1, len(header) + 1, len(header) + 5):
                data = header + REQUEST
                with proxy.connect() as client:
                    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for at in range(0, len(data), size):
                        client.send(data[at:at + size])
                    self.assertEqual(client.response().status, 200)
                self.assertEqual(self.backend.requests[-1].get("X-Forwarded-For"), CLIENT)

    def test_each_piece_arrives_by_itself(self):
        proxy = self.serve(listener='proxy_protocol = "127.0.0.1"\ndefer_accept = false')
        header = ph.v2(CLIENT, DESTINATION)
        with proxy.connect() as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in (b"", header[:5], header[5:14], header[14:20], header[20:], REQUEST[:10], REQUEST[10:]):
                client.send(piece)
                # Another's exchange in between: what was sent before it has been read by then.
                self.ask(proxy, ph.v1("203.0.113.9", DESTINATION))
            self.assertEqual(client.response().status, 200)
        self.assertEqual([r.get("X-Forwarded-For") for r in self.backend.requests].count(CLIENT), 1)

    def test_only_the_connections_beginning_is_a_header(self):
        proxy = self.serve()
        with proxy.connect() as client:
            client.send(ph.v1(CLIENT, DESTINATION))
            for _ in range(3):
                self.assertEqual(client.request().status, 200)
            client.send(ph.v1("192.0.2.66", DESTINATION) + REQUEST)
            self.assertEqual(client.response().status, 400)
        self.assertEqual([r.get("X-Forwarded-For") for r in self.backend.requests], [CLIENT] * 3)

    def test_pipelined_requests_behind_it(self):
        proxy = self.serve()
        with proxy.connect() as client:
            client.send(ph.v2(CLIENT, DESTINATION) + REQUEST * 5)
            self.assertEqual([client.response().status for _ in range(5)], [200] * 5)

    def test_malformed_ones_are_refused(self):
        proxy = self.serve()
        good = ph.v2(CLIENT, DESTINATION)
        checksum = ph.v2(CLIENT, DESTINATION, fields=ph.tlv(3, b"\1\2\3\4"))
        for data in (b"", b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", b"PROXY TCP4 1.2.3.4 ::1 1 2\r\n",
                     b"PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", b"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
                     b"PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n", b"PROXY " + b"x" * 200, b"PROXY UNKNOWN\n",
                     good[:12] + b"\x31" + good[13:], good[:12] + b"\x22" + good[13:], good[:13] + b"\x51" + good[14:],
                     good[:14] + b"\0\x0b" + good[16:], good[:14] + b"\xff\xff" + good[16:], checksum,
                     ph.v2(CLIENT, DESTINATION, fields=b"\4\0\5x")):
            self.assertEqual(exchange_raw(proxy.address, data + REQUEST), b"", data)
        self.assertEqual(self.backend.requests, [])
        self.assertIn("warn  closed: no PROXY header: 127.0.0.1: bad_request: ", proxy.log())

    def test_the_log_is_not_flooded(self):
        proxy = self.serve()
        for _ in range(50):
            self.assertEqual(exchange_raw(proxy.address, REQUEST), b"")
        self.assertIn("no PROXY header", proxy.log())
        self.assertLess(proxy.log().count("closed: "), 25)

    def test_a_cut_header(self):
        proxy = self.serve()
        self.assertEqual(exchange_raw(proxy.address, ph.v2(CLIENT, DESTINATION)[:20]), b"")
        until(lambda: "closed: within a PROXY header" in proxy.log(), "the complaint")

    def test_checks_of_the_port_are_no_news(self):
        proxy = self.serve(listener='proxy_protocol = "127.0.0.1"\ndefer_accept = false')
        for _ in range(3):
            self.assertEqual(exchange_raw(proxy.address, b""), b"")
        self.assertEqual(self.ask(proxy, ph.v1(CLIENT, DESTINATION)).status, 200)
        self.assertNotIn("closed: ", proxy.log())

    def test_a_late_header(self):
        proxy = self.serve(listener='proxy_protocol = "127.0.0.1"\ndefer_accept = false',
                           extra='[client]\nhandshake_timeout = "300ms"')
        for begun in (b"", b"PROXY TCP4 ", ph.v2(CLIENT, DESTINATION)[:17]):
            before = time.monotonic()
            with proxy.connect() as client:
                client.send(begun)
                self.assertTrue(client.is_closed())
            self.assertGreater(time.monotonic() - before, 0.2)
        until(lambda: "read_timeout" in proxy.log(), "the complaint")
        # The limit is the header's alone.
        with proxy.connect() as client:
            client.send(ph.v1(CLIENT, DESTINATION))
            with self.assertRaises(TimeoutError):
                client.socket.settimeout(0.6)
                client.socket.recv(1)
            client.socket.settimeout(LIMIT)
            self.assertEqual(client.request().status, 200)

    def test_local_and_unknown_keep_the_connections_address(self):
        proxy = self.serve()
        unspecified = ph.SIGNATURE + b"\x21\0\0\3abc"
        with_block = ph.SIGNATURE + b"\x20" + ph.v2(CLIENT, DESTINATION)[13:]
        for count, header in enumerate((ph.LOCAL, with_block, b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN any thing\r\n",
                                        unspecified), 1):
            self.assertEqual(self.ask(proxy, header).status, 200)
            line = self.assert_agrees(proxy, "127.0.0.1", count=count)
            self.assertNotIn("local_ip", line)

    def test_a_unix_domain_client_has_no_address(self):
        proxy = self.serve()
        header = ph.SIGNATURE + b"\x21\x31\0\xd8" + b"/run/x".ljust(108, b"\0") * 2
        self.assertEqual(self.ask(proxy, header).status, 200)
        self.assertEqual(proxy.access_lines()[0]["client_ip"], "unix:")
        self.assertIsNone(self.backend.requests[0].get("X-Forwarded-For"))
        self.assertTrue(self.backend.requests[0].get("Forwarded").startswith("for=unknown;"))

    def test_strangers_are_ordinary_clients(self):
        proxy = self.serve(listener='proxy_protocol = ["127.0.0.2", "10.0.0.0/8"]')
        self.assertEqual(self.ask(proxy, b"").status, 200)
        self.assert_agrees(proxy, "127.0.0.1")
        for header in (ph.v1(CLIENT, DESTINATION), ph.v2(CLIENT, DESTINATION), ph.LOCAL, b"PROXY UNKNOWN\r\n"):
            self.assertIn(b" 400 ", exchange_raw(proxy.address, header + REQUEST))
        self.assertEqual(len(self.backend.requests), 1)
        with Client(None, connection=socket.create_connection(proxy.address, LIMIT, ("127.0.0.2", 0))) as client:
            self.assertEqual(client.send(ph.v1(CLIENT, DESTINATION) + REQUEST).response().status, 200)
        self.assertEqual(self.backend.requests[-1].get("X-Forwarded-For"), CLIENT)
        with Client(None, connection=socket.create_connection(proxy.address, LIMIT, ("127.0.0.2", 0))) as client:
            client.send(REQUEST)
            self.assertTrue(client.is_closed())

    def test_peers_of_a_unix_socket(self):
        path = self.directory() / "in.sock"
        proxy = self.serve(address=f"unix:{path}", listener='proxy_protocol = "unix:"')
        self.assertEqual(self.ask(proxy, ph.v2(CLIENT, DESTINATION)).status, 200)
        self.assert_agrees(proxy, CLIENT)
        self.assertEqual(exchange_raw(proxy.address, REQUEST), b"")

    def test_rules_follow_the_client(self):
        proxy = self.serve(extra='[[routes]]\nmatch = { host = "*", client_ip = "203.0.113.0/24" }\nrespond = 403')
        self.assertEqual(self.ask(proxy, ph.v1(CLIENT, DESTINATION)).status, 403)
        self.assertEqual(self.ask(proxy, ph.v1("192.0.2.1", DESTINATION)).status, 200)
        self.assertEqual(self.ask(proxy, ph.LOCAL).status, 200)

    def test_trusted_proxies_are_those_the_header_names(self):
        proxy = self.serve(extra='[forwarding]\ntrusted_proxies = ["203.0.113.0/24"]')
        request = REQUEST.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        self.assertEqual(self.ask(proxy, ph.v1(CLIENT, DESTINATION), request).status, 200)
        self.assertEqual(self.backend.requests[-1].get("X-Forwarded-For"), f"192.0.2.1, {CLIENT}")
        self.assertEqual(proxy.access_lines()[-1]["client_ip"], "192.0.2.1")
        # The one who sends the header is a client of no more trust than others.
        self.assertEqual(self.ask(proxy, ph.LOCAL, request).status, 200)
        self.assertEqual(self.backend.requests[-1].get("X-Forwarded-For"), "127.0.0.1")

    def test_fields_reach_the_log(self):
        proxy = self.serve()
        fields = (ph.tlv(1, b"h2") + ph.tlv(2, b"shop.com") + ph.tlv(5, b"id-7") + ph.tlv(4, b"padding") +
                  ph.tls(name=b"Ann") + ph.tlv(0x30, b"blue"))
        self.assertEqual(self.ask(proxy, ph.v2(CLIENT, DESTINATION, fields=fields), REQUEST * 2).status, 200)
        line = self.assert_agrees(proxy, CLIENT, count=2)
        wanted = {"scheme": "https", "tls_version": "TLSv1.3", "tls_cipher": "AES", "sni": "shop.com", "tls_client": "Ann",
                  "proxy_authority": "shop.com", "proxy_alpn": "h2", "proxy_unique_id": "id-7"}
        self.assertEqual({name: line.get(name) for name in wanted}, wanted)
        forged = ph.tls(name=b"Ann", verified=False)
        self.assertEqual(self.ask(proxy, ph.v2(CLIENT, DESTINATION, fields=forged)).status, 200)
        self.assertNotIn("tls_client", proxy.access_lines(3)[-1])

    def test_no_redirect_of_those_who_came_over_tls(self):
        proxy = self.serve(listener='proxy_protocol = "127.0.0.1"\nredirect_https = true')
        self.assertEqual(self.ask(proxy, ph.v2(CLIENT, DESTINATION)).status, 308)
        self.assertEqual(self.ask(proxy, ph.v2(CLIENT, DESTINATION, fields=ph.tls())).status, 200)

    def test_a_long_header_has_a_limit(self):
        proxy = self.serve(extra='[client]\nmax_proxy_header = "60KiB"')
        for size, status in ((60 * 1024 - 28 - 3, 200), (60 * 1024 - 28 - 2, None)):
            header = ph.v2(CLIENT, DESTINATION, fields=ph.tlv(4, b"x" * size))
            with proxy.connect() as client:
                with contextlib.suppress(ConnectionError):
                    client.send(header + REQUEST)
                response = client.response()
                self.assertEqual(response and response.status, status)


class InTls(TestCase):
    def setUp(self):
        self.home = self.directory()
        self.authority = make_authority(self.home)
        make_certificate(self.home, "shop", "shop.com")

    def serve(self, peers="127.0.0.1"):
        self.backend = self.start(Backend(answering(ok())))
        files = f'cert = "{self.home}/shop.pem", key = "{self.home}/shop.key"'
        return self.start(Proxy(config(self.backend, listener=f'proxy_protocol = "{peers}"\ntls = {{ {files} }}')))

    def connect(self, proxy, header, size=1 << 20):
        """The header, then TLS; in pieces of `size`."""
        raw = open_socket(proxy.address)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(header), size):
            raw.sendall(header[at:at + size])
        return Client(None, connection=client_context(self.authority).wrap_socket(raw, server_hostname="shop.com"))

    def test_tls_behind_it(self):
        proxy = self.serve()
        for count, (write, size) in enumerate(((ph.v1, 1 << 20), (ph.v2, 1 << 20), (ph.v1, 1), (ph.v2, 1)), 1):
            with self.connect(proxy, write(CLIENT, DESTINATION), size) as client:
                self.assertEqual(client.request().status, 200)
            line = proxy.access_lines(count)[-1]
            self.assertEqual((line["client_ip"], line["scheme"], line["tls_version"], line["sni"]),
                             (CLIENT, "https", "TLSv1.3", "shop.com"))
            self.assertEqual(self.backend.requests[-1].get("X-Forwarded-For"), CLIENT)
            self.assertEqual(self.backend.requests[-1].get("X-Forwarded-Proto"), "https")

    def test_header_and_client_hello_in_one_piece(self):
        proxy = self.serve()
        for header in (ph.v1(CLIENT, DESTINATION), ph.v2(CLIENT, DESTINATION)):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = client_context(self.authority).wrap_bio(incoming, outgoing, server_hostname="shop.com")
            with open_socket(proxy.address) as raw:
                data = header
                while True:
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        raw.sendall(data + outgoing.read())
                        data = b""
                        incoming.write(raw.recv(65536))
                tls.write(REQUEST)
                raw.sendall(outgoing.read())
                until(lambda: self.backend.requests, "the request")

    def test_what_the_header_tells_of_the_clients_tls_goes_over_the_connections(self):
        proxy = self.serve()
        header = ph.v2(CLIENT, DESTINATION, fields=ph.tls(b"TLSv1.2", b"OLD") + ph.tlv(2, b"www.shop.com"))
        with self.connect(proxy, header) as client:
            self.assertEqual(client.request().status, 200)
        line = proxy.access_lines()[0]
        self.assertEqual((line["tls_version"], line["tls_cipher"], line["sni"]), ("TLSv1.2", "OLD", "www.shop.com"))

    def test_tls_without_it_is_refused(self):
        proxy = self.serve()
        with self.assertRaises((OSError, EOFError)):
            self.connect(proxy, b"")

    def test_strangers_speak_tls_at_once(self):
        proxy = self.serve("10.0.0.0/8")
        with self.connect(proxy, b"") as client:
            self.assertEqual(client.request().status, 200)

    def test_plain_http_behind_it_is_told_so(self):
        proxy = self.serve()
        self.assertIn(b"use https://", exchange_raw(proxy.address, ph.v1(CLIENT, DESTINATION) + REQUEST))


def behind_header(headers, tls=None):
    """A script that reads the header first, then TLS where there is a context, then requests."""

    def script(peer):
        headers.append(ph.read(peer.socket))
        inner = Peer(peer.backend, tls.wrap_socket(peer.socket, server_side=True)) if tls else peer
        with inner:
            answering(ok())(inner)

    return script


class Out(TestCase):
    def serve(self, version, *backends, listener="", upstream="", **options):
        return self.start(Proxy(config(*backends, listener=listener,
                                       upstream=f'proxy_protocol = "{version}"\n{upstream}', **options)))

    def test_tells_the_clients_addresses(self):
        for version in ("v1", "v2"):
            headers = []
            proxy = self.serve(version, self.start(Backend(behind_header(headers))))
            with proxy.connect() as client:
                self.assertEqual(client.request().status, 200)
                self.assertEqual(headers, [ph.Header(int(version[1]), client.socket.getsockname(), proxy.address)])

    def test_ipv6(self):
        for version in ("v1", "v2"):
            headers = []
            proxy = self.serve(version, self.start(Backend(behind_header(headers))), address="[::1]:0")
            with proxy.connect() as client:
                self.assertEqual(client.request().status, 200)
                self.assertEqual(headers[0].source, client.socket.getsockname()[:2])
                self.assertEqual(headers[0].destination, proxy.address)

    def test_ipv4_on_a_dual_stack_listener(self):
        headers = []
        proxy = self.serve("v1", self.start(Backend(behind_header(headers))), address=":0")
        with Client(("127.0.0.1", proxy.address[1])) as client:
            self.assertEqual(client.request().status, 200)
            self.assertEqual(headers[0].source, client.socket.getsockname())
            self.assertEqual(headers[0].destination, client.socket.getpeername())

    def test_passes_on_what_a_header_told(self):
        fields = ph.tlv(2, b"shop.com") + ph.tlv(5, b"id-7") + ph.tls(name=b"Ann")
        for version in ("v1", "v2"):
            headers = []
            proxy = self.serve(version, self.start(Backend(behind_header(headers))),
                               listener='proxy_protocol = "127.0.0.1"')
            with proxy.connect() as client:
                client.send(ph.v2(CLIENT, DESTINATION, fields=fields))
                self.assertEqual(client.request().status, 200)
            self.assertEqual((headers[0].source, headers[0].destination), ((CLIENT, 50000), (DESTINATION, 443)))
        self.assertEqual(headers[0].fields, dict(ph.read_fields(fields)))

    def test_tells_of_tls(self):
        home = self.directory()
        authority = make_authority(home)
        make_certificate(home, "shop", "shop.com")
        headers = []
        proxy = self.serve("v2", self.start(Backend(behind_header(headers))),
                           listener=f'tls = {{ cert = "{home}/shop.pem", key = "{home}/shop.key" }}')
        raw = client_context(authority).wrap_socket(open_socket(proxy.address), server_hostname="shop.com")
        with Client(None, connection=raw) as client:
            self.assertEqual(client.request().status, 200)
            cipher = client.socket.cipher()[0].encode()
        fields = headers[0].fields
        self.assertEqual(fields[2], b"shop.com")
        self.assertEqual(fields[0x20][0], 1)
        self.assertEqual(dict(ph.read_fields(fields[0x20][5:])), {0x21: b"TLSv1.3", 0x23: cipher})

    def test_a_connection_serves_its_client_only(self):
        for version in ("v1", "v2"):
            headers = []
            backend = self.start(Backend(behind_header(headers)))
            proxy = self.serve(version, backend)
            clients = [self.enterContext(proxy.connect()) for _ in range(3)]
            for _ in range(4):
                for client in clients:
                    self.assertEqual(client.request().status, 200)
            self.assertEqual(backend.connections, 3)
            self.assertEqual([header.source for header in headers], [c.socket.getsockname() for c in clients])

    def test_whoever_has_gone_makes_room(self):
        headers = []
        backend = self.start(Backend(behind_header(headers)))
        proxy = self.serve("v2", backend, upstream="pool = { max_idle = 2 }")
        for _ in range(4):
            with proxy.connect() as client:
                self.assertEqual(client.request().status, 200)
        with proxy.connect() as client:
            for _ in range(3):
                self.assertEqual(client.request().status, 200)
        self.assertEqual(backend.connections, 5)
        until(lambda: len(backend.open) == 2, "the oldest to be closed")

    def test_clients_without_an_address(self):
        for version in ("v1", "v2"):
            headers = []
            path = self.directory() / "in.sock"
            proxy = self.serve(version, self.start(Backend(behind_header(headers))), address=f"unix:{path}")
            self.assertEqual(proxy.get().status, 200)
            self.assertEqual(headers, [ph.Header(int(version[1]))])

    def test_tries_another_endpoint(self):
        for version in ("v1", "v2"):
            headers = []
            good = self.start(Backend(behind_header(headers)))
            refusing = Backend(answering(ok()))
            refusing.stop()
            resetting_headers = []

            def resetting(peer, seen=resetting_headers):
                seen.append(ph.read(peer.socket))
                peer.reset()

            bad = self.start(Backend(resetting))
            proxy = self.serve(version, refusing, bad, good, upstream='balance = "round_robin"\nejection = false')
            with proxy.connect() as client:
                for _ in range(6):
                    self.assertEqual(client.request().status, 200)
                # A connection serves one client: this one's.
                for header in headers + resetting_headers:
                    self.assertEqual(header, ph.Header(int(version[1]), client.socket.getsockname(), proxy.address))
            self.assertTrue(resetting_headers)

    def test_a_stale_connection_is_replaced(self):
        headers = []

        def once(peer):
            headers.append(ph.read(peer.socket))
            peer.next_request()
            peer.send(ok())

        proxy = self.serve("v2", self.start(Backend(once)))
        with proxy.connect() as client:
            for _ in range(3):
                self.assertEqual(client.request().status, 200)
            self.assertEqual([header.source for header in headers], [client.socket.getsockname()] * 3)

    def test_before_tls(self):
        home = self.directory()
        authority = make_authority(home)
        make_certificate(home, "app", "app.internal")
        for version in ("v1", "v2"):
            headers = []
            backend = self.start(Backend(behind_header(headers, server_context(home, "app"))))
            proxy = self.serve(version, backend,
                               upstream=f'tls = {{ ca_file = "{authority}", server_name = "app.internal" }}')
            with proxy.connect() as client:
                for _ in range(2):
                    self.assertEqual(client.request().status, 200)
                self.assertEqual(headers, [ph.Header(int(version[1]), client.socket.getsockname(), proxy.address)])

    def test_off_sends_none(self):
        proxy = self.serve("off", self.start(Backend(answering(ok()))))
        self.assertEqual(proxy.get().status, 200)


if __name__ == "__main__":
    unittest.main()
