"""What is strict about requests beside the cases of tests/cases/strict: paths, the log, the limit of content."""

from harness import Backend, Proxy, TestCase, answering, config_for, exchange_raw, ok

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class StrictRequests(TestCase):
    def setUp(self):
        self.backend = self.start(Backend(answering(ok(b"fine"))))
        self.proxy = self.start(Proxy(config_for(self.backend)))

    def test_forwards_the_path_that_was_matched(self):
        for sent, seen in ((b"/a/./b", "/a/b"), (b"/a/%2e%2e/b", "/b"), (b"//a//b", "/a/b"), (b"/%61", "/a"),
                           (b"/a%2Fb", "/a%2Fb"), (b"/a%2fb", "/a%2Fb"), (b"/a?x=//../%2e", "/a?x=//../%2e"), (b"/a/..", "/")):
            with self.subTest(sent):
                exchange_raw(self.proxy.address, b"GET " + sent + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertEqual(self.backend.requests[-1].start_line, f"GET {seen} HTTP/1.1")

    def test_logs_what_it_rejects(self):
        data = b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
        page = exchange_raw(self.proxy.address, data)
        line = self.proxy.access_lines()[0]
        self.assertEqual((line["status"], line["bytes_received"]), (400, len(data)))
        self.assertIn(line["request_id"].encode(), page)

    def test_limits_content(self):
        proxy = self.start(Proxy(config_for(self.backend, extra="[client]\nmax_body = 10\n")))
        self.assertEqual(proxy.get(method="POST", body=b"0123456789").status, 200)
        response = proxy.get(method="POST", body=b"0123456789a")
        self.assertEqual((response.status, response.get("Connection")), (413, "close"))
        received = exchange_raw(proxy.address, CHUNKED + b"5\r\n01234\r\n6\r\n567890\r\n0\r\n\r\n")
        self.assertTrue(received.startswith(b"HTTP/1.1 413 "), received)
