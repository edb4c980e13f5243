"""The PROXY protocol with HAProxy, nginx and curl at the other end, and with ourselves."""

import dataclasses
import socket
import subprocess
import unittest

import proxy_header as ph
from harness import (LIMIT, Backend, Client, Proxy, TestCase, answering, client_context, make_authority, make_certificate,
                     ok, open_socket, run, until)
from proxy_header import CLIENT, DESTINATION, config


@dataclasses.dataclass
class Named:
    """A server that is no Backend."""
    name: str


class RealPeers(TestCase):
    def start_haproxy(self, section):
        """With `section`, whose {front} is a socket that listens already; gives its address."""
        home = self.directory()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        (home / "haproxy.cfg").write_text(f"""
global
  maxconn 100
  stats socket {home}/stats.sock
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
{section.replace("{front}", f"fd@{listener.fileno()}")}
""")
        self.start_peer(home, ["haproxy", "-db", "-f", str(home / "haproxy.cfg")], pass_fds=[listener.fileno()])
        return listener.getsockname()

    def start_peer(self, home, command, **options):
        log = open(home / "log", "w")
        self.addCleanup(log.close)
        process = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **options)

        def stop():
            process.terminate()
            process.wait(LIMIT)

        self.addCleanup(stop)
        return process

    def test_haproxy_in_front(self):
        for option in ("send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"):
            backend = self.start(Backend(answering(ok())))
            proxy = self.start(Proxy(config(backend)))
            address = self.start_haproxy(f"""
frontend front
  bind {{front}}
  unique-id-format id-%cp
  default_backend app
backend app
  server one 127.0.0.1:{proxy.address[1]} {option}
""")
            source = ("127.0.0.5", 0)
            with Client(None, connection=socket.create_connection(address, LIMIT, source)) as client:
                for _ in range(2):
                    self.assertEqual(client.request().status, 200, option)
                port = client.socket.getsockname()[1]
            line = proxy.access_lines(2)[0]
            self.assertEqual((line["client_ip"], line["local_port"]), ("127.0.0.5", address[1]), option)
            if "unique-id" in option:
                self.assertEqual(line["proxy_unique_id"], f"id-{port}")
            self.assertEqual(backend.requests[0].get("X-Forwarded-For"), "127.0.0.5")

    def test_haproxy_that_ends_tls_in_front(self):
        home = self.directory()
        authority = make_authority(home)
        make_certificate(home, "shop", "shop.com")
        (home / "both.pem").write_text((home / "shop.pem").read_text() + (home / "shop.key").read_text())
        backend = self.start(Backend(answering(ok())))
        proxy = self.start(Proxy(config(backend)))
        address = self.start_haproxy(f"""
frontend front
  bind {{front}} ssl crt {home}/both.pem
  default_backend app
backend app
  server one 127.0.0.1:{proxy.address[1]} send-proxy-v2-ssl proxy-v2-options authority,ssl-cipher
""")
        raw = client_context(authority).wrap_socket(open_socket(address), server_hostname="shop.com")
        with Client(None, connection=raw) as client:
            self.assertEqual(client.request().status, 200)
            cipher = client.socket.cipher()[0]
        line = proxy.access_lines()[0]
        self.assertEqual((line["scheme"], line["tls_version"], line["tls_cipher"], line["sni"]),
                         ("https", "TLSv1.3", cipher, "shop.com"))
        self.assertEqual(backend.requests[0].get("X-Forwarded-Proto"), "https")
        self.assertIn("proto=https", backend.requests[0].get("Forwarded"))

    def test_haproxy_that_speaks_http2_to_us(self):
        home = self.directory()
        make_authority(home)
        make_certificate(home, "shop", "shop.com")
        files = f'cert = "{home}/shop.pem", key = "{home}/shop.key"'
        for listener, option in (("", "proto h2"), (f"\ntls = {{ {files} }}", "ssl verify none alpn h2")):
            backend = self.start(Backend(answering(ok())))
            proxy = self.start(Proxy(config(backend, listener='proxy_protocol = "127.0.0.1"' + listener)))
            address = self.start_haproxy(f"""
frontend front
  bind {{front}}
  default_backend app
backend app
  server one 127.0.0.1:{proxy.address[1]} send-proxy-v2 {option}
""")
            for ip in ("127.0.0.5", "127.0.0.6"):
                with Client(None, connection=socket.create_connection(address, LIMIT, (ip, 0))) as client:
                    self.assertEqual(client.request().status, 200)
                self.assertEqual(backend.requests[-1].get("X-Forwarded-For"), ip)
            self.assertEqual({line["protocol"] for line in proxy.access_lines(2)}, {"HTTP/2"})

    def test_haproxys_checks(self):
        for option in ("send-proxy", "send-proxy-v2"):
            backend = self.start(Backend(answering(ok())))
            proxy = self.start(Proxy(config(backend)))
            self.start_haproxy(f"""
frontend front
  bind {{front}}
  default_backend app
backend app
  option httpchk
  http-check send meth GET uri /health ver HTTP/1.1 hdr Host shop.com
  server one 127.0.0.1:{proxy.address[1]} check inter 50 {option}
""")
            line = proxy.access_lines(3)[0]
            self.assertEqual((line["path"], line["status"], line["client_ip"]), ("/health", 200, "127.0.0.1"), option)
            self.assertNotIn("closed: ", proxy.log())

    def test_haproxy_behind(self):
        address = self.start_haproxy("""
frontend front
  bind {front} accept-proxy
  http-request return status 200 hdr x-saw "%[src] %[src_port] %[dst] %[dst_port]"
""")
        self.check_behind(f"127.0.0.1:{address[1]}")

    def test_nginx_behind(self):
        home = self.directory()
        (home / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {home}/nginx.pid; error_log {home}/error.log;
events {{ }}
http {{
  access_log off;
  server {{
    listen unix:{home}/nginx.sock proxy_protocol;
    location / {{
      add_header x-saw "$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port";
      return 200;
    }}
  }}
}}
""")
        self.start_peer(home, ["nginx", "-e", f"{home}/error.log", "-c", f"{home}/nginx.conf"])
        until((home / "nginx.sock").exists, "nginx")
        self.check_behind(f"unix:{home}/nginx.sock")

    def check_behind(self, name):
        for version in ("v1", "v2"):
            proxy = self.start(Proxy(config(Named(name), listener="", upstream=f'proxy_protocol = "{version}"')))
            clients = [self.enterContext(proxy.connect()) for _ in range(2)]
            for client in clients * 2:
                ip, port = client.socket.getsockname()
                self.assertEqual(client.request().get("x-saw"), f"{ip} {port} {proxy.address[0]} {proxy.address[1]}")

    def test_curl(self):
        backend = self.start(Backend(answering(ok())))
        proxy = self.start(Proxy(config(backend)))
        url = f"http://127.0.0.1:{proxy.address[1]}/"
        self.assertEqual(run("curl", "-sS", "--haproxy-protocol", url).stdout, "ok")
        self.assertEqual(proxy.access_lines()[0]["client_ip"], "127.0.0.1")
        run("curl", "-sSf", "--haproxy-protocol", "--http2-prior-knowledge", url)
        line = proxy.access_lines(2)[1]
        self.assertEqual((line["protocol"], line["client_ip"]), ("HTTP/2", "127.0.0.1"))
        self.assertNotEqual(subprocess.run(["curl", "-sS", url], capture_output=True).returncode, 0)

    def test_rproxy_behind_rproxy(self):
        for version in ("v1", "v2"):
            backend = self.start(Backend(answering(ok())))
            inner = self.start(Proxy(config(backend)))
            outer = self.start(Proxy(config(Named(f"127.0.0.1:{inner.address[1]}"), listener='proxy_protocol = "127.0.0.1"',
                                            upstream=f'proxy_protocol = "{version}"')))
            for address in (CLIENT, "203.0.113.8"):
                with outer.connect() as client:
                    client.send(ph.v2(address, DESTINATION, fields=ph.tls()))
                    self.assertEqual(client.request().status, 200)
                line = inner.access_lines(1 if address == CLIENT else 2)[-1]
                self.assertEqual((line["client_ip"], line["local_ip"]), (address, DESTINATION))
                self.assertEqual(line["scheme"], "https" if version == "v2" else "http")


if __name__ == "__main__":
    unittest.main()
