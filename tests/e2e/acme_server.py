"""An ACME server that believes everything, with what Pebble has not: renewal information (RFC 9773) and a tongue to refuse with."""

import base64
import datetime
import http.server
import json
import pathlib
import ssl
import threading

from harness import make_authority, make_certificate, run


def unpack(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class AcmeServer:
    """`window(serial)` gives the two times that a certificate is to be renewed between; `refusals` are answered to orders first, as (status, word, fields)."""

    def __init__(self, directory, window, refusals=()):
        self.home = pathlib.Path(directory)
        self.authority = make_authority(self.home)
        make_certificate(self.home, "api", "127.0.0.1")
        self.window, self.refusals = window, list(refusals)
        self.orders, self.asked, self.certificates, self.nonces = [], [], {}, 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.answer(*server.read(self.path))

            do_HEAD = do_GET

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(*server.act(self.path, body))

            def answer(self, status, content, fields={}):
                server.nonces += 1
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Replay-Nonce": f"nonce{server.nonces}", "Content-Length": len(data), **fields}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a client that ends is none of its business
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.home / "api.pem", self.home / "api.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def read(self, path):
        if path == "/dir":
            names = {"newNonce": "nonce", "newAccount": "account", "newOrder": "order", "renewalInfo": "renewal"}
            return 200, {name: f"{self.url}/{end}" for name, end in names.items()}
        if path.startswith("/renewal/"):
            self.asked.append(path.removeprefix("/renewal/"))
            start, end = (datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
                          for at in self.window(len(self.orders)))
            return 200, {"suggestedWindow": {"start": start, "end": end}}
        return 200, b""

    def act(self, path, body):
        payload = json.loads(unpack(body["payload"]) or b"null")
        if path == "/account":
            return 201, {"status": "valid"}, {"Location": f"{self.url}/account/1"}
        if path == "/order":
            return self.order(payload)
        number = int(path.rpartition("/")[2])
        if path.startswith("/finalize/"):
            self.certificates[number] = self.sign(unpack(payload["csr"]), number)
        if path.startswith("/certificate/"):
            return 200, self.certificates[number]
        return 200, self.state(number)

    def order(self, payload):
        if self.refusals:
            status, word, fields = self.refusals.pop(0)
            return status, {"type": f"urn:ietf:params:acme:error:{word}", "detail": "not now"}, fields
        self.orders.append(payload)
        number = len(self.orders) - 1
        return 201, self.state(number), {"Location": f"{self.url}/order/{number}"}

    def state(self, number):
        done = number in self.certificates
        return {"status": "valid" if done else "ready", "authorizations": [], "finalize": f"{self.url}/finalize/{number}",
                **({"certificate": f"{self.url}/certificate/{number}"} if done else {})}

    def sign(self, request, number):
        (self.home / f"{number}.csr").write_bytes(request)
        (self.home / "leaf.ext").write_text("subjectAltName=DNS:shop.com\nauthorityKeyIdentifier=keyid\n")
        run("openssl", "x509", "-req", "-inform", "DER", "-in", f"{number}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "30", "-extfile", "leaf.ext", "-out", f"{number}.pem", cwd=self.home)
        return (self.home / f"{number}.pem").read_bytes()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
