"""Which route takes a request, and what it does with it, as a client sees it."""

import unittest

from harness import Backend, Proxy, TestCase, exchange_raw, ok, until


class Routing(TestCase):
    def serve(self, routes, extra=""):
        backend = self.start(Backend(lambda peer: [peer.send(ok(peer.next_request().start_line.encode())) for _ in range(99)]))
        text = f'[listen]\nhttp = "127.0.0.1:0"\n{extra}\n[upstreams.app]\nservers = ["{backend.name}"]\n'
        return backend, self.start(Proxy(text + routes))

    def respond(self, *rules):
        return "".join(f'[[routes]]\nname = "{i}"\nmatch = {rule}\nrespond = {{ status = 200, body = "{i}" }}\n'
                       for i, rule in enumerate(rules))

    def test_most_specific_wins_whatever_the_order(self):
        rules = ['"*"', '"shop.com/*"', '"*.shop.com/*"', '"shop.com/api/*"', '"shop.com/api/v1"', '"*/api/*"',
                 '{ host = "shop.com", path = "/api/*", method = "POST" }', '{ host = "shop.com", path_regex = "/[a-z]{3}/x" }',
                 '{ path = "/q", query = { debug = "1" } }', '{ path = "/h", header = { X-Beta = true } }',
                 '{ path = "/c", cookie = { seen = { prefix = "y" } } }']
        asked = [("GET", "other.org", "/", (), 0), ("GET", "shop.com", "/", (), 1), ("GET", "SHOP.com:80", "/", (), 1),
                 ("GET", "www.shop.com", "/", (), 2), ("GET", "a.b.shop.com", "/", (), 2), ("GET", "shop.com", "/api/x", (), 3),
                 ("GET", "shop.com", "/api/v1", (), 4), ("GET", "shop.com", "/api/v1/x", (), 3), ("GET", "x", "/api/", (), 5),
                 ("POST", "shop.com", "/api/x", (), 6), ("GET", "shop.com", "/abc/x", (), 7), ("GET", "x", "/q?debug=1", (), 8),
                 ("GET", "x", "/q?debug=2", (), 0), ("GET", "x", "/h", [("x-beta", "")], 9), ("GET", "x", "/h", (), 0),
                 ("GET", "x", "/c", [("Cookie", "a=1; seen=yes")], 10), ("GET", "shop.com", "/x/../api/v1", (), 4),
                 ("GET", "shop.com", "/%61pi/v1", (), 4), ("GET", "shop.com", "//api//v1", (), 4)]
        import random
        for seed in range(3):
            order = list(range(len(rules)))
            random.Random(seed).shuffle(order)
            routes = "".join(self.respond(*rules).split("[[routes]]")[1:][i].join(("[[routes]]", "")) for i in order)
            _, proxy = self.serve(routes + '[[routes]]\nmatch = "unused.org"\nupstream = "app"\n')
            for method, host, path, headers, want in asked:
                body = proxy.get(path, host=host, method=method, headers=headers).body
                self.assertEqual(body, str(want).encode(), (method, host, path))

    def test_no_route_is_404(self):
        _, proxy = self.serve('[[routes]]\nmatch = "shop.com/*"\nupstream = "app"\n')
        self.assertEqual(proxy.get(host="other.org").status, 404)

    def test_rewrites(self):
        for rewrite, asked, seen in (
                ('{ strip_prefix = "/api" }', "/api/v1?x=1", "/v1?x=1"), ('{ strip_prefix = "/api" }', "/api", "/"),
                ('{ add_prefix = "/base" }', "/a", "/base/a"), ('{ replace_path = "/one" }', "/any?q", "/one?q"),
                ('{ regex = "^/u/([0-9]+)$", replacement = "/user/\\\\1/home" }', "/u/42", "/user/42/home")):
            _, proxy = self.serve(f'[[routes]]\nmatch = "*"\nupstream = "app"\nrewrite = {rewrite}\n')
            self.assertEqual(proxy.get(asked).body, f"GET {seen} HTTP/1.1".encode(), rewrite)

    def test_an_encoded_slash_does_not_get_round_a_rule(self):
        # Many servers read "%2F" as a slash, so "/admin%2Fx" would be "/admin/x" to them.
        routes = ('[[routes]]\nmatch = "*"\nupstream = "app"\n[[routes]]\nmatch = "*/admin/*"\nrespond = 403\n'
                  '[[routes]]\nmatch = "*/shop/*"\nupstream = "app"\nrewrite = { strip_prefix = "/shop", add_prefix = "/files" }\n')
        backend, proxy = self.serve(routes)
        for path in ("/admin%2Fx", "/admin%2fx", "/a/..%2Fadmin/x", "/a%2F..%2Fadmin/x", "/%2Fadmin/x", "/admin%5Cx",
                     "/a/%2e%2e%2f%61dmin/x", "/shop/..%2F..%2Fsecret", "/shop/..%2fsecret", "/..%2Fsecret"):
            self.assertEqual(proxy.get(path).status, 400, path)
        self.assertEqual(backend.requests, [])
        for path, seen in (("/a%2fb", "/a%2Fb"), ("/@scope%2Fname", "/@scope%2Fname"), ("/shop/a%2Fb", "/files/a%2Fb")):
            self.assertEqual(proxy.get(path).body, f"GET {seen} HTTP/1.1".encode())
        _, proxy = self.serve(routes, '[client]\nencoded_slash = "keep"')
        self.assertEqual(proxy.get("/admin%2Fx").body, b"GET /admin%2Fx HTTP/1.1")

    def test_a_rewrite_that_makes_no_path_is_ours_to_answer_for(self):
        backend, proxy = self.serve('[[routes]]\nmatch = "*"\nupstream = "app"\n'
                                    'rewrite = { regex = "^/x/(.*)$", replacement = "/a/../\\\\1" }\n')
        self.assertEqual(proxy.get("/x/y").status, 500)
        self.assertEqual(backend.requests, [])
        until(lambda: "rewritten to /a/../y, which is no path" in proxy.log(), "the reason in the log")

    def test_a_redirect_takes_from_the_request(self):
        _, proxy = self.serve('[[routes]]\nmatch = "*"\nredirect = "https://{host}:8443{path}?{query}"\n')
        self.assertEqual(proxy.get("/a?b=1").get("Location"), "https://shop.com:8443/a?b=1")
        self.assertEqual(proxy.get("/a").get("Location"), "https://shop.com:8443/a")
        self.assertEqual(exchange_raw(proxy.address, b"GET /a HTTP/1.0\r\n\r\n")[:12], b"HTTP/1.1 400")

    def test_redirect_and_respond(self):
        _, proxy = self.serve('[[routes]]\nmatch = "old.com/*"\nredirect = "https://new.com/"\n'
                              '[[routes]]\nmatch = "moved.com/*"\nredirect = { status = 301, location = "https://there/" }\n'
                              '[[routes]]\nmatch = "down.com/*"\n'
                              'respond = { status = 503, body = "closed\\n", headers = { Retry-After = "60" } }\n'
                              '[[routes]]\nmatch = "gone.com/*"\nrespond = 410\n[[routes]]\nmatch = "x"\nupstream = "app"\n')
        response = proxy.get("/x", host="old.com")
        self.assertEqual((response.status, response.get("Location")), (308, "https://new.com/"))
        self.assertEqual(proxy.get(host="moved.com").status, 301)
        response = proxy.get(host="down.com")
        self.assertEqual((response.status, response.body, response.get("Retry-After")), (503, b"closed\n", "60"))
        self.assertEqual(proxy.get(host="gone.com").status, 410)
        head = proxy.get(host="down.com", method="HEAD")
        self.assertEqual((head.get("Content-Length"), head.body), ("7", b""))

    def test_client_network_and_host_sent_upstream(self):
        backend, proxy = self.serve('[[routes]]\nmatch = { client_ip = "10.0.0.0/8" }\nrespond = 403\n'
                                    '[[routes]]\nmatch = "*"\nupstream = "app"\nhost = "inner.test"\n',
                                    extra='[forwarding]\ntrusted_proxies = ["127.0.0.1"]\n')
        self.assertEqual(proxy.get().status, 200)
        self.assertEqual(backend.requests[0].get("Host"), "inner.test")
        self.assertEqual(proxy.get(headers=[("X-Forwarded-For", "10.1.2.3")]).status, 403)


if __name__ == "__main__":
    unittest.main()
