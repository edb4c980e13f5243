"""Starting, signals, draining, limits of the machine, and the access log."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import socketserver
import threading
import time
import unittest

from harness import LIMIT, Backend, Proxy, TestCase, answering, config_for, exchange_raw, held, ok, open_socket, run, until


class Ending(TestCase):
    def test_requests_under_way_finish(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            release = threading.Event()
            backend = self.start(Backend(held(release)))
            config = config_for(backend, extra='[[routes]]\nmatch = "*/idle"\nrespond = 204\n')
            with Proxy(config) as proxy, proxy.connect() as client, proxy.connect() as idle:
                # Without a byte from it the kernel would not hand it over: an answered request, then nothing.
                self.assertEqual(idle.request(path="/idle").status, 204)
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                until(lambda b=backend: b.requests, "the request at the backend")
                proxy.signal(number)
                self.assertTrue(idle.is_closed())
                until(lambda p=proxy: refuses(p.address), "new connections to be refused")
                release.set()
                response = client.response()
                self.assertEqual((response.body, response.get("Connection")), (b"late", "close"))
                self.assertEqual(proxy.wait(), 0)
                self.assertEqual(len(proxy.access_lines(2)), 2)

    def test_a_second_signal_ends_at_once(self):
        release = threading.Event()
        backend = self.start(Backend(held(release)))
        with Proxy(config_for(backend)) as proxy, proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: backend.requests, "the request at the backend")
            proxy.signal(signal.SIGTERM)
            until(lambda: "draining" in proxy.log(), "draining")
            proxy.signal(signal.SIGTERM)
            self.assertEqual(proxy.wait(), 0)
        release.set()

    def test_drain_timeout(self):
        release = threading.Event()
        backend = self.start(Backend(held(release)))
        with Proxy(config_for(backend, extra='[server]\ndrain_timeout = "200ms"\n')) as proxy, proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: backend.requests, "the request at the backend")
            proxy.signal(signal.SIGTERM)
            self.assertEqual(proxy.wait(), 0)
            self.assertIn("drain timeout", proxy.log())
        release.set()


def refuses(address):
    try:
        open_socket(address).close()
        return False
    except ConnectionResetError:
        return False  # the kernel had taken it when the listener closed
    except ConnectionRefusedError:
        return True


class Limits(TestCase):
    @unittest.skipIf("undefined" in os.environ.get("RPROXY_SANITIZE", ""), "UBSan itself needs descriptors to look at objects")
    def test_running_out_of_descriptors_pauses_and_recovers(self):
        backend = self.start(Backend(answering(ok())))
        config = config_for(backend, extra="[server]\nworkers = 1\nmax_connections = 1000\n")
        proxy = self.start(Proxy(config, descriptors=64))
        clients = [open_socket(proxy.address) for _ in range(100)]
        for client in clients:
            client.sendall(b"G")  # the kernel hands over who has sent something
        until(lambda: "accepting paused" in proxy.log(), "a word about it")
        before = sum(os_times(proxy))
        # Not spinning: an interval of its own clock goes by with next to no processor time.
        threading.Event().wait(1.0)
        self.assertLess(sum(os_times(proxy)) - before, 0.5)
        for client in clients:
            client.close()
        self.assertEqual(until(lambda: answered(proxy), "an answer").status, 200)
        until(lambda: "accepting again" in proxy.log(), "the log to say so")

    @unittest.skipIf("undefined" in os.environ.get("RPROXY_SANITIZE", ""), "UBSan itself needs descriptors to look at objects")
    def test_few_descriptors_are_shared_with_the_upstream(self):
        release = threading.Event()
        backend = self.start(Backend(held(release)))
        proxy = self.start(Proxy(config_for(backend, extra="[server]\nworkers = 1\n"), descriptors=64))
        clients = [self.start(proxy.connect()) for _ in range(40)]
        for client in clients:
            client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        until(lambda: "accepting paused" in proxy.log() and backend.connections >= 16, "as many as fit at the backend")
        release.set()
        self.assertEqual([client.response().status for client in clients], [200] * 40)

    def test_connection_limit(self):
        backend = self.start(Backend(answering(ok())))
        proxy = self.start(Proxy(config_for(backend, extra="[server]\nworkers = 1\nmax_connections = 4\n")))
        clients = [proxy.connect() for _ in range(4)]
        for client in clients:
            self.assertEqual(client.request().status, 200)
        late = self.start(proxy.connect())
        late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        late.socket.settimeout(0.3)
        self.assertRaises(TimeoutError, late.response)
        late.socket.settimeout(20)
        for client in clients:
            client.close()
        self.assertEqual(late.response().status, 200)


def answered(proxy):
    response = proxy.get()
    return response if response and response.status == 200 else None


def os_times(proxy):
    fields = pathlib.Path(f"/proc/{proxy.process.pid}/stat").read_text().rpartition(")")[2].split()
    return [int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in fields[11:13]]


class AccessLog(TestCase):
    def serve(self, log, **parts):
        backend = self.start(Backend(answering(ok(b"12345"))))
        config = "\n".join(config_for(backend, **parts).splitlines()[2:])
        return self.start(Proxy(f"{config}\n[access_log]\n{log}\n"))

    def test_reopened_on_sigusr1(self):
        path = self.directory() / "access.log"
        proxy = self.serve(f'path = "{path}"')
        proxy.get("/first")
        until(lambda: path.exists() and "/first" in path.read_text(), "the first line")
        path.rename(f"{path}.1")
        proxy.signal(signal.SIGUSR1)
        until(path.exists, "the new file")
        proxy.get("/second")
        until(lambda: "/second" in path.read_text(), "the second line")
        self.assertNotIn("/second", pathlib.Path(f"{path}.1").read_text())

    def test_json(self):
        proxy = self.serve('path = "stdout"')
        proxy.get('/a%22b?q=%5C', headers=[("User-Agent", 'evil"\\agent'), ("Referer", "http://x/")])
        line = proxy.access_lines()[0]
        self.assertEqual((line["status"], line["method"], line["path"], line["body_bytes_sent"], line["retries"]),
                         (200, "GET", '/a%22b', 5, 0))
        self.assertEqual((line["user_agent"], line["upstream"], line["termination"]), ('evil"\\agent', "app", "ok"))
        for name in ("duration_ms", "first_byte_ms", "connect_ms", "upstream_first_byte_ms"):
            self.assertGreaterEqual(line[name], 0, name)

    def test_the_first_byte_is_the_heads_where_the_content_is_late(self):
        has_head = threading.Event()

        def script(peer):
            peer.next_request()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            has_head.wait(LIMIT)
            time.sleep(0.2)  # what the line must not count
            peer.send("12345")

        proxy = self.start(Proxy(config_for(self.start(Backend(script)))))
        with proxy.connect() as client:
            head = client.send("GET / HTTP/1.1\r\nHost: shop.com\r\n\r\n").reader.head()
            has_head.set()
            self.assertEqual(client.reader.content(head, until_close=False).body, b"12345")
        line = proxy.access_lines()[0]
        self.assertGreaterEqual(line["duration_ms"] - line["first_byte_ms"], 190)

    def test_combined_and_template(self):
        proxy = self.serve('path = "stdout"\nformat = "combined"')
        proxy.get("/x", headers=[("User-Agent", 'a"b\xff')])
        text = until(lambda: proxy.output.read_text(), "a line")
        self.assertRegex(text, r'^127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /x HTTP/1.1" 200 5 "-" "a\\x22b\\xff"\n$')
        proxy = self.serve('path = "stdout"\nformat = "{status} {method} {uri} {upstream}"')
        proxy.get("/x?y")
        self.assertEqual(until(lambda: proxy.output.read_text(), "a line"), "200 GET /x?y app\n")

    def test_syslog(self):
        path = str(self.directory() / "log")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
            receiver.bind(path)
            receiver.settimeout(20)
            proxy = self.serve(f'path = "syslog:{path}"')
            proxy.get("/to-syslog")
            message = receiver.recv(65536).decode()
        self.assertTrue(message.startswith("<190>1 "), message)
        self.assertEqual(json.loads(message[message.index("{"):])["path"], "/to-syslog")

    def test_syslog_comes_back(self):
        path = str(self.directory() / "log")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as first:
            first.bind(path)
            proxy = self.serve(f'path = "syslog:{path}"\nflush = "50ms"')
        os.unlink(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as second:
            second.bind(path)
            second.settimeout(20)
            proxy.get("/again")
            self.assertIn("/again", second.recv(65536).decode())

    def test_full_disk_blocks_nobody(self):
        proxy = self.serve('path = "/dev/full"\nbuffer = "4KiB"')
        for _ in range(200):
            self.assertEqual(proxy.get().status, 200)
        until(lambda: "access log" in proxy.log(), "a word about lost lines")

    def pipe(self):
        """A log's target, and the end of it that nobody reads by himself."""
        path = self.directory() / "pipe"
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        return path, reader

    def test_slow_pipe_blocks_nobody(self):
        path, _ = self.pipe()
        proxy = self.serve(f'path = "{path}"\nbuffer = "4KiB"')
        with proxy.connect() as client:
            for _ in range(1000):
                self.assertEqual(client.request().status, 200)

    def test_slow_pipe_does_not_hold_up_the_end(self):
        path, reader = self.pipe()
        # More than the pipe takes, waiting for a reader that takes a little now and then.
        proxy = self.serve(f'path = "{path}"\nbuffer = "1MiB"')
        with proxy.connect() as client:
            for _ in range(100):
                self.assertEqual(client.request(path="/" + "x" * 7000).status, 200)
        proxy.signal(signal.SIGTERM)
        end = time.monotonic() + 5
        while proxy.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                os.read(reader, 4096)
            threading.Event().wait(0.08)
        self.assertEqual(proxy.process.poll(), 0)


class Starting(TestCase):
    def exit_code(self, config, *arguments):
        with Proxy(config, *arguments, wait=False) as proxy:
            code = proxy.wait()
            log = proxy.log()
            proxy.process.returncode = 0
        return code, log

    def test_exit_codes(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            listen = f'http = "127.0.0.1:{taken.getsockname()[1]}"'
            backend = self.start(Backend(answering(ok())))
            code, log = self.exit_code(config_for(backend, listen=listen))
            self.assertEqual(code, 4, log)
            self.assertIn("in use", log)
        with Proxy(config_for(backend)) as first:
            listen = f'http = "{first.address[0]}:{first.address[1]}"'
            code, log = self.exit_code(config_for(backend, listen=listen))
            self.assertEqual(code, 4, log)
        code, log = self.exit_code(config_for(backend, listen=f'http = "unix:{self.directory()}/none/front.sock"'))
        self.assertEqual(code, 4, log)
        self.assertEqual(self.exit_code("nonsense")[0], 3)
        self.assertEqual(self.exit_code(config_for(backend), "--no-such-flag")[0], 2)

    def test_stale_unix_socket_is_replaced(self):
        directory = self.directory()
        path = directory / "front.sock"
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(path))
        backend = self.start(Backend(answering(ok(b"fresh"))))
        proxy = self.start(Proxy(config_for(backend, listen=f'http = "unix:{path}"')))
        self.assertEqual(proxy.get().body, b"fresh")


if __name__ == "__main__":
    unittest.main()
