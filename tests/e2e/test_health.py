"""Active checks with real backends: what `rproxy health` finds, and what `rproxy serve` does about it."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

from harness import (BINARY, LIMIT, Backend, Proxy, answering, config_for, held, make_authority, make_certificate, ok, once, run,
                     server_context, until)

FAIL = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"

SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_): pass
server = Server(("127.0.0.1", int(sys.argv[2])), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


class Server:
    """A backend in a process of its own, to be killed and stopped."""

    def __init__(self, text, port=0):
        self.process = subprocess.Popen([sys.executable, "-c", SERVER, text, str(port)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.name = f"127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def health(*arguments, config=None, limit=60):
    with tempfile.TemporaryDirectory() as directory:
        if config is not None:
            path = pathlib.Path(directory, "c.toml")
            path.write_text(config)
            arguments = (path, *arguments)
        return subprocess.run([BINARY, "health", *map(str, arguments)], capture_output=True, text=True, timeout=limit)


def closed_port():
    with Backend(lambda peer: None) as gone:
        pass
    return gone


def drip(peer):
    peer.next_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        peer.send(b".")
        if threading.Event().wait(0.05):
            return


def endpoints(text):
    found = json.loads(text)
    return {endpoint["address"]: endpoint for upstream in found["upstreams"] for endpoint in upstream["endpoints"]}


class Command(unittest.TestCase):
    def test_says_of_each_backend_what_is_wrong_with_it(self):
        stalled = Server("ready")
        with stalled, Server("ready") as good, Backend(answering(FAIL)) as failing, Backend(drip) as slow, \
                Backend(answering(ok(b"starting"))) as other, Backend(once(b"HTTP/1.1 200", "reset")) as resetting:
            gone = closed_port()
            stalled.process.send_signal(signal.SIGSTOP)
            config = config_for(good, failing, slow, other, resetting, gone, stalled,
                                upstream='health = { path = "/healthz", expect_body = "ready", timeout = "500ms" }')
            done = health("--json", config=config)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            found = endpoints(done.stdout)
            for backend, failure, reason in ((good, None, "HTTP 200"), (failing, "status", "HTTP 500, expected 200-299"),
                                             (slow, "timeout", "answer not whole within 500ms"),
                                             (other, "body", 'HTTP 200, but the content lacks "ready"'),
                                             (resetting, "answer", "connection reset"),
                                             (gone, "connect", "connection refused"),
                                             (stalled, "timeout", "no answer within 500ms")):
                with self.subTest(reason):
                    self.assertEqual((found[backend.name]["failure"], found[backend.name]["reason"]), (failure, reason))
                    self.assertEqual(found[backend.name]["ok"], failure is None)
            latency = found[good.name]["latency_ms"]
            self.assertIsNone(latency["dns"])
            self.assertIsNone(latency["tls"])
            self.assertLess(0, latency["connect"])
            self.assertLessEqual(latency["connect"] + latency["first_byte"], latency["total"])
            self.assertGreaterEqual(found[stalled.name]["latency_ms"]["total"], 500)
            self.assertEqual(failing.requests[0].start_line, "GET /healthz HTTP/1.1")
            table = health(config=config).stdout
            self.assertIn("app: 1 of 7 healthy\n", table)
            self.assertIn("connection refused", table)
            self.assertLessEqual(max(map(len, table.splitlines())), 80, table)

    def test_exit_code_tells_whether_every_upstream_can_serve(self):
        gone = closed_port()
        with Server("x") as good:
            config = (f'[listen]\nhttp = ":80"\n[upstreams.good]\nservers = ["{good.name}", "{gone.name}"]\n'
                      f'[upstreams.bad]\nservers = ["{gone.name}"]\n'
                      '[[routes]]\nmatch = "/a"\nupstream = "good"\n[[routes]]\nmatch = "/b"\nupstream = "bad"\n')
            done = health(config=config)
            self.assertEqual(done.returncode, 1)
            self.assertIn("bad: 0 of 1 healthy, CAN'T SERVE", done.stdout)
            done = health("--upstream", "good", config=config)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertNotIn("bad", done.stdout)
            done = health("--upstream", "good", "--endpoint", gone.name, config=config)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("0 of 1", done.stdout)
            done = health("--endpoint", good.name, config=config)
            self.assertEqual(done.returncode, 0, "an upstream that has not this endpoint is not asked about: " + done.stdout)
            self.assertNotIn("bad", done.stdout)

    def test_an_endpoint_without_a_weight_serves_nobody(self):
        gone = closed_port()
        with Server("x") as good:
            config = config_for(gone).replace(f'"{gone.name}"', f'"{gone.name}", {{ address = "{good.name}", weight = 0 }}')
            done = health(config=config)
            self.assertEqual(done.returncode, 1)
            self.assertIn("app: 1 of 2 healthy, CAN'T SERVE", done.stdout)
            self.assertIn("takes no requests: its weight is 0", done.stdout)
            done = health("--format", "nagios", config=config)
            self.assertEqual(done.returncode, 2)
            self.assertIn("HEALTH CRITICAL - app has 1 of 2 healthy and can't serve; ", done.stdout)

    def test_shows_how_long_certificates_are_valid(self):
        with tempfile.TemporaryDirectory() as directory:
            make_authority(directory)
            for name in ("good", "old"):
                make_certificate(directory, name, "127.0.0.1")
            pathlib.Path(directory, "index.txt").write_text("")
            pathlib.Path(directory, "ca.cnf").write_text(
                "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index.txt\nrand_serial=yes\npolicy=p\n"
                "default_md=sha256\n[p]\ncommonName=supplied\n")
            run("openssl", "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "old.csr", "-out",
                "old.pem", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-extfile", "old.ext", "-notext",
                cwd=directory)
            with Backend(answering(ok()), tls=server_context(directory, "good")) as good, \
                    Backend(answering(ok()), tls=server_context(directory, "old")) as old:
                config = config_for(good, old, upstream=f'tls = {{ ca_file = "{directory}/ca.pem" }}')
                done = health("--json", config=config)
                found = endpoints(done.stdout)
                self.assertTrue(found[good.name]["ok"], done.stdout)
                self.assertGreater(found[good.name]["latency_ms"]["tls"], 0)
                self.assertEqual(found[old.name]["failure"], "tls")
                self.assertIn("certificate has expired", found[old.name]["reason"])
                self.assertEqual(found[old.name]["certificate_expires"], "2020-02-01T00:00:00Z")
                table = health(config=config).stdout
                self.assertRegex(table, rf"ok +{re.escape(good.name)} .* 29d\n")
                self.assertRegex(table, rf"FAIL +{re.escape(old.name)} .* expired\n")

    def test_nagios(self):
        gone = closed_port()
        with Server("x") as first, Server("y") as second:
            def nagios(*backends, arguments=()):
                return health("--format", "nagios", *arguments, config=config_for(*backends))
            for code, word, backends, arguments in ((0, "OK", (first, second), ()),
                                                    (1, "WARNING", (first, second, gone), ()),
                                                    (2, "CRITICAL", (gone,), ()),
                                                    (2, "CRITICAL", (first, second, gone), ("--crit", "3")),
                                                    (0, "OK", (first, second, gone), ("--warn", "2")),
                                                    (1, "WARNING", (first,), ("--warn", "1ms", "--warn", "1", "--timeout", "5s")),
                                                    (3, "UNKNOWN", (first,), ("--upstream", "none"))):
                done = nagios(*backends, arguments=arguments)
                if "1ms" in arguments and done.returncode == 0:
                    continue  # it was that fast
                with self.subTest(arguments):
                    self.assertEqual(done.returncode, code, done.stdout)
                    self.assertRegex(done.stdout, rf"^HEALTH {word} - [^\n]*\n$")
            done = nagios(first, gone, arguments=("--warn", "500ms", "--crit", "2s"))
            self.assertRegex(done.stdout, rf"\| 'app healthy'=1;2:;1:;0;2 'app {first.name}'=0\.\d+s;0\.500;2\.000;0 "
                                          rf"'app {gone.name}'=U;0\.500;2\.000;0\n$")

    def test_prometheus(self):
        gone = closed_port()
        with Server("x") as good, tempfile.TemporaryDirectory() as directory:
            config = config_for(good, gone, upstream='health = "/"')
            file = pathlib.Path(directory, "rproxy.prom")
            done = health("--prometheus", file, config=config)
            self.assertIn("app: 1 of 2", done.stdout)
            self.assertEqual([path.name for path in pathlib.Path(directory).iterdir()], ["rproxy.prom"])
            text = file.read_text()
            for line in ('rproxy_health_can_serve{upstream="app"} 1', f'rproxy_health_up{{upstream="app",endpoint="{good.name}"}} 1',
                         f'rproxy_health_up{{upstream="app",endpoint="{gone.name}"}} 0', "# TYPE rproxy_health_up gauge",
                         f'rproxy_health_http_status{{upstream="app",endpoint="{good.name}"}} 200'):
                self.assertIn(line + "\n", text)
            done = health("--prometheus", "-", config=config)
            self.assertEqual(done.stdout.splitlines()[0].split()[0], "#")
            self.assertEqual(health("--prometheus", "/no/such/directory/x", config=config).returncode, 1)

    def test_rounds_have_statistics(self):
        gone = closed_port()
        with Server("x") as good:
            done = health("--count", 5, "--interval", "10ms", "--json", config=config_for(good, gone))
            found = endpoints(done.stdout)
            statistics = found[good.name]["statistics"]
            self.assertEqual((statistics["sent"], statistics["lost"]), (5, 0))
            self.assertLessEqual(statistics["min_ms"], statistics["avg_ms"])
            self.assertLessEqual(statistics["p95_ms"], statistics["max_ms"])
            self.assertEqual(found[gone.name]["statistics"]["loss_percent"], 100)
            self.assertIsNone(found[gone.name]["statistics"]["min_ms"])
            table = health("--count", 2, "--interval", "10ms", config=config_for(good, gone)).stdout
            self.assertIn("2 sent, 0% lost; min ", table)

    def test_watching_ends_with_the_interrupt(self):
        with Server("x") as good, tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "c.toml")
            path.write_text(config_for(good))
            process = subprocess.Popen([BINARY, "health", "--watch", "--interval", "20ms", path], stdout=subprocess.PIPE, text=True)
            for _ in range(3):
                self.assertRegex(process.stdout.readline(), rf"^\S+Z app {re.escape(good.name)} ok \S+ ms: connected\n$")
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=LIMIT)
            self.assertEqual(process.returncode, 0)

    def test_what_is_interrupted_is_not_called_healthy(self):
        release = threading.Event()
        self.addCleanup(release.set)
        for arguments, code, said in ((("--count", "2"), 1, "interrupted before there was an answer"),
                                      (("--watch",), 1, "FAIL 0.0 ms: interrupted before"),
                                      (("--count", "2", "--json"), 1, '"can_serve": false'),
                                      (("--count", "2", "--format", "nagios"), 3, "HEALTH UNKNOWN - interrupted")):
            with self.subTest(arguments), Backend(held(release)) as silent, tempfile.TemporaryDirectory() as directory:
                path = pathlib.Path(directory, "c.toml")
                path.write_text(config_for(silent, upstream='health = { path = "/", timeout = "20s" }'))
                process = subprocess.Popen([BINARY, "health", *arguments, path], stdout=subprocess.PIPE, text=True)
                until(lambda: silent.requests, "the probe")
                process.send_signal(signal.SIGINT)
                text, _ = process.communicate(timeout=LIMIT)
                self.assertEqual(process.returncode, code, text)
                self.assertIn(said, text)

    def test_watching_ends_after_the_rounds_that_are_wanted(self):
        with Server("x") as good:
            done = health("--watch", "--count", 3, "--interval", "10ms", config=config_for(good))
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, rf"^(\S+Z app {re.escape(good.name)} ok \S+ ms: connected\n){{3}}$")
            done = health("--watch", "--count", 2, "--interval", "10ms", "--json", config=config_for(good))
            decoder, rest, rounds = json.JSONDecoder(), done.stdout, []
            while rest.strip():
                document, end = decoder.raw_decode(rest)
                rounds.append(document["upstreams"][0]["endpoints"][0]["statistics"]["sent"])
                rest = rest[end:].lstrip()
            self.assertEqual(rounds, [1, 2])

    def test_watching_redraws_a_terminal(self):
        import pty
        with Server("x") as good, tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory, "c.toml")
            path.write_text(config_for(good))
            ours, theirs = pty.openpty()
            process = subprocess.Popen([BINARY, "health", "--watch", "--interval", "20ms", path], stdout=theirs)
            os.close(theirs)
            seen = b""
            while seen.count(b"\x1b[2J") < 4:
                seen += os.read(ours, 65536)
            process.send_signal(signal.SIGINT)
            with self.subTest("ends"):
                while True:
                    try:
                        if not os.read(ours, 65536):
                            break
                    except OSError:
                        break
                self.assertEqual(process.wait(LIMIT), 0)
            os.close(ours)
            self.assertIn("█".encode(), seen)

    def test_a_url_needs_no_configuration(self):
        with Backend(answering(ok(), FAIL)) as backend:
            done = health("--url", f"http://localhost:{backend.port}/x?y=1")
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertEqual(backend.requests[0].start_line, "GET /x?y=1 HTTP/1.1")
            self.assertEqual(backend.requests[0].get("host"), f"localhost:{backend.port}")
            self.assertEqual(health("--url", f"tcp://{backend.name}").returncode, 0)
        done = health("--url", f"http://{backend.name}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("connection refused", done.stdout)

    def test_a_name_that_leads_nowhere_is_shown(self):
        done = health("--url", "http://nowhere.invalid/", "--json", limit=60)
        self.assertEqual(done.returncode, 1)
        (found,) = json.loads(done.stdout)["upstreams"][0]["endpoints"]
        self.assertEqual(found["failure"], "resolve")
        self.assertIn("nowhere.invalid", found["reason"])


CHECK = 'interval = "200ms", timeout = "300ms", rise = 2, fall = 2'


class Serving(unittest.TestCase):
    def asked(self, proxy, count=30):
        bodies = set()
        for _ in range(count):
            message = proxy.get()
            self.assertEqual(message.status, 200)
            bodies.add(message.body)
        return bodies

    def test_a_dead_backend_gets_nothing_and_a_living_one_again(self):
        with Server("a") as first:
            second = Server("b")
            config = config_for(first, second, upstream=f'health = {{ path = "/", {CHECK} }}\nejection = false')
            with second, Proxy(config) as proxy:
                until(lambda: self.asked(proxy) == {b"a", b"b"}, "both to serve")
                second.process.kill()
                second.process.wait()
                line = f"upstream app: {second.name} is unhealthy: connection refused (2 in a row)"
                until(lambda: line in proxy.log(), "the check to fail")
                self.assertEqual(self.asked(proxy), {b"a"})
                with Server("b", second.port):
                    until(lambda: f"upstream app: {second.name} is healthy again: HTTP 200" in proxy.log(), "its return")
                    until(lambda: self.asked(proxy) == {b"a", b"b"}, "both to serve again")
                self.assertEqual(proxy.log().count(line), 1, "told once")

    def test_a_stopped_backend_that_accepts_and_never_answers_is_taken_out(self):
        with Server("a") as first, Server("b") as second:
            config = config_for(first, second, upstream=f'health = {{ path = "/", {CHECK} }}\nejection = false')
            with Proxy(config) as proxy:
                until(lambda: self.asked(proxy) == {b"a", b"b"}, "both to serve")
                second.process.send_signal(signal.SIGSTOP)
                until(lambda: f"{second.name} is unhealthy: no answer within 300ms" in proxy.log(), "the check to fail")
                self.assertEqual(self.asked(proxy), {b"a"})
                second.process.send_signal(signal.SIGCONT)
                until(lambda: self.asked(proxy) == {b"a", b"b"}, "both to serve again")

    def test_each_backend_is_checked_once_whatever_the_workers(self):
        with Backend(answering(ok())) as backend:
            config = config_for(backend, upstream='health = { path = "/check", interval = "1s", jitter = 0 }')
            with Proxy(config, "--workers", "4"):
                until(lambda: len(backend.requests) == 3, "three checks")
                times = len(backend.requests)
            self.assertEqual(times, 3)

    def test_nothing_is_sent_before_the_first_check_where_that_is_wanted(self):
        release = threading.Event()

        def script(peer):
            while True:
                if peer.next_request().start_line == "GET /check HTTP/1.1":
                    release.wait(LIMIT)
                peer.send(ok(b"b"))

        with Backend(answering(ok(b"a"))) as first, Backend(script) as second:
            config = config_for(first, second, upstream='health = { path = "/check", initial = "unhealthy", timeout = "20s" }')
            with Proxy(config) as proxy:
                until(lambda: first.requests and second.requests, "the first checks")
                until(lambda: self.asked(proxy, 1) == {b"a"}, "the first one to serve")
                self.assertEqual(self.asked(proxy), {b"a"})
                release.set()
                until(lambda: self.asked(proxy) == {b"a", b"b"}, "both to serve")


class Attached(unittest.TestCase):
    def test_explains_where_the_proxy_sees_it_otherwise(self):
        with tempfile.TemporaryDirectory() as directory, Server("a") as first, Server("b") as second:
            admin = pathlib.Path(directory, "admin.sock")
            proxied = config_for(first, second, upstream='health = { path = "/", fall = 1000 }',
                                 extra=f'[admin]\nsocket = "{admin}"\n')
            with Proxy(proxied), Backend(answering(ok())) as unknown:
                def health_seen():
                    return endpoints(health("--attach", admin, "--json", config=proxied).stdout)[second.name]["proxy"]["health"]

                until(lambda: health_seen() == "healthy", "the proxy's own first check")
                run("curl", "-sf", "--unix-socket", admin, "-X", "POST", f"http://admin/upstreams/app/endpoints/{first.name}/disable")
                second.process.kill()
                second.process.wait()
                config = config_for(first, second, unknown, upstream='health = "/"')
                found = endpoints(health("--attach", admin, "--json", config=config).stdout)
                self.assertEqual(found[first.name]["proxy"]["state"], "disabled")
                self.assertIn("disabled by the operator", found[first.name]["proxy"]["difference"])
                self.assertIn("but the proxy uses it", found[second.name]["proxy"]["difference"])
                self.assertIn("the proxy does not have it", found[unknown.name]["proxy"]["difference"])
                done = health("--attach", admin, config=config_for(unknown))
                self.assertIn(f"differs: the proxy has {first.name} as well", done.stdout)
                self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80, done.stdout)
                done = health("--attach", admin, "--endpoint", first.name, config=config)
                self.assertIn("differs: the probe succeeds", done.stdout)
                self.assertNotIn("as well", done.stdout, "what was not asked for is not missing")
                done = health("--attach", admin, "--watch", "--count", 2, "--interval", "10ms", config=config_for(first))
                self.assertEqual(done.stdout.count("; differs: the probe succeeds, but the proxy sends it no requests"), 2)
                done = health("--attach", pathlib.Path(directory, "none"), config=config)
                self.assertEqual(done.returncode, 1)
                self.assertIn("none: there is no such socket", done.stderr)
            with socket.socket(socket.AF_UNIX) as stale:
                stale.bind(str(pathlib.Path(directory, "stale")))
            done = health("--attach", pathlib.Path(directory, "stale"), config=config)
            self.assertEqual(done.returncode, 1)
            self.assertIn("stale: connection refused", done.stderr)


if __name__ == "__main__":
    unittest.main()
