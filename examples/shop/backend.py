"""One backend of shop.com: a page, a JSON API and an image. Usage: backend.py NAME PORT"""

import http.server
import json
import signal
import sys

NAME, PORT = sys.argv[1], int(sys.argv[2])

IMAGE = f"""<svg xmlns="http://www.w3.org/2000/svg" width="160" height="60">
<rect width="160" height="60" rx="8" fill="#dde"/><text x="20" y="36">from {NAME}</text></svg>
"""
PAGE = f"""<!doctype html><title>shop.com</title>
<h1>shop.com</h1><p>This page came from {NAME}.</p><img src="/images/logo.svg" alt="logo">
"""


class Shop(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: apart, the second waits 40 ms for the first one's acknowledgement

    def answer(self, status, content_type, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if self.path == "/":
            self.answer(200, "text/html; charset=utf-8", PAGE)
        elif self.path == "/static/logo.svg":
            self.answer(200, "image/svg+xml", IMAGE)
        elif self.path == "/api/products":
            products = [{"name": "teapot", "price": 30}, {"name": "cup", "price": 8}]
            self.answer(200, "application/json", json.dumps({"served_by": NAME, "products": products}) + "\n")
        elif self.path == "/api/headers":
            self.answer(200, "application/json", json.dumps(dict(self.headers.items()), indent=1) + "\n")
        else:
            self.answer(404, "text/plain", "not in this shop\n")

    do_HEAD = do_GET

    def do_POST(self):
        size = int(self.headers.get("Content-Length", 0))
        order = self.rfile.read(size)
        self.answer(201, "application/json", json.dumps({"served_by": NAME, "bytes": len(order)}) + "\n")

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Shop)
server.daemon_threads = True
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
