"""The admin endpoint, by curl: who may come, what it says, and what it changes while requests are under way."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
import unittest

import prometheus
from harness import Backend, Client, Proxy, TestCase, answering, config_for, ok, until

TOKEN = "0123456789abcdef"
PROMTOOL = os.environ.get("PROMTOOL") or shutil.which("promtool")
ADMIN = f"""
[admin]
socket = "admin.sock"
listen = "127.0.0.1:0"
token = "${{ADMIN_TOKEN}}"
"""


class Admin:
    """Calls of the admin endpoint."""

    def __init__(self, proxy):
        self.path = str(proxy.directory / "admin.sock")
        self.tcp = until(lambda: re.search(r"admin endpoint on (\d\S+)", proxy.log()), "the admin address").group(1)

    def curl(self, method, path, *arguments, content=None):
        data = ("--data-binary", content if isinstance(content, str) else json.dumps(content)) if content is not None else ()
        done = subprocess.run(["curl", "-sS", "-m", "30", "-X", method, "-w", "\n%{http_code}", *data, *arguments, path],
                              capture_output=True, text=True, check=True)
        text, _, status = done.stdout.rpartition("\n")
        return int(status), text

    def ask(self, method, path, content=None):
        status, text = self.curl(method, f"http://admin{path}", "--unix-socket", self.path, content=content)
        return status, json.loads(text) if text else None

    def remote(self, path, *arguments):
        return self.curl("GET", f"http://{self.tcp}{path}", *arguments)

    def metrics(self):
        text = self.curl("GET", "http://admin/metrics", "--unix-socket", self.path)[1]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}

    def endpoint(self, backend, verb="", upstream="app"):
        return f"/upstreams/{upstream}/endpoints/{backend.name}{verb}"


class AdminTest(TestCase):
    def proxy_for(self, *backends, upstream="", extra="", environment=None):
        proxy = self.start(Proxy(config_for(*backends, upstream=upstream, extra=ADMIN + extra),
                                 environment={"ADMIN_TOKEN": TOKEN, **(environment or {})}))
        return proxy, Admin(proxy)

    def backend(self, text=b"hello"):
        return self.start(Backend(answering(ok(text))))


class Access(AdminTest):
    def test_the_socket_is_its_owners_alone_and_gone_at_the_end(self):
        proxy, admin = self.proxy_for(self.backend())
        mode = os.stat(admin.path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertFalse(os.path.exists(admin.path + ".new"))
        proxy.signal(signal.SIGTERM)
        self.assertEqual(proxy.wait(), 0)
        self.assertFalse(os.path.exists(admin.path))

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can become somebody else")
    def test_nobody_else_may_use_the_socket(self):
        proxy, admin = self.proxy_for(self.backend())
        os.chmod(proxy.directory, 0o755)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "curl", "-sS", "--unix-socket",
                               admin.path, "http://admin/status"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 7, done.stdout)

    def test_tcp_needs_the_token(self):
        proxy, admin = self.proxy_for(self.backend())
        self.assertEqual(admin.remote("/status", "-H", f"Authorization: Bearer {TOKEN}")[0], 200)
        for arguments in ((), ("-H", "Authorization: Bearer 0123456789abcdeg"), ("-u", f"admin:{TOKEN}")):
            status, text = admin.remote("/status", *arguments)
            self.assertEqual(status, 401)
            self.assertEqual(json.loads(text)["status"], 401)
        self.assertEqual(admin.curl("POST", f"http://{admin.tcp}/reload")[0], 401)
        self.assertNotIn(TOKEN, proxy.log())

    def test_clients_of_the_proxy_do_not_reach_it(self):
        backend = self.backend(b"the backend")
        proxy, admin = self.proxy_for(backend)
        for path in ("/status", "/metrics", "/config", "/upstreams"):
            for host in ("admin", admin.tcp):
                self.assertEqual(proxy.get(path, host=host).body, b"the backend")

    def test_a_successor_takes_the_socket_over_from_one_that_drains(self):
        hold = threading.Event()
        self.addCleanup(hold.set)

        def script(peer):
            peer.next_request()
            hold.wait(20)
            peer.send(ok(b"late"))

        backend = self.start(Backend(script))
        first, admin = self.proxy_for(backend)
        config = config_for(backend, extra=f'[admin]\nsocket = "{admin.path}"\n')
        with first.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: backend.requests, "the request at the backend")
            first.signal(signal.SIGTERM)
            until(lambda: "draining" in first.log(), "the drain")
            second = self.start(Proxy(config))
            until(lambda: admin.ask("GET", "/status")[1]["pid"] == second.process.pid, "the successor at the socket")
            hold.set()
            self.assertEqual(client.response().body, b"late")
        self.assertEqual(first.wait(), 0, first.log())
        self.assertEqual(admin.ask("GET", "/status")[1]["pid"], second.process.pid)

    def test_nobody_takes_the_socket_from_one_that_serves(self):
        first, admin = self.proxy_for(self.backend())
        other = self.directory()
        extra = f'[admin]\nsocket = "{admin.path}"\n'
        second = Proxy(config_for(self.backend(), extra=extra), directory=other, wait=False)
        self.addCleanup(second.close)
        self.assertEqual(second.wait(), 4, second.log())
        self.assertIn(f"unix:{admin.path} is the admin socket of process {first.process.pid}, which serves: ", second.log())
        self.assertEqual(admin.ask("GET", "/status")[1]["pid"], first.process.pid)
        self.assertFalse(os.path.exists(admin.path + ".new"))
        # The same where it answers nothing just now, and so may serve again.
        first.signal(signal.SIGSTOP)
        try:
            second = Proxy(config_for(self.backend(), extra=extra), directory=other, wait=False)
            self.addCleanup(second.close)
            self.assertEqual(second.wait(), 4, second.log())
        finally:
            first.signal(signal.SIGCONT)
        # What a process leaves that is killed is replaced.
        first.signal(signal.SIGKILL)
        first.wait()
        self.assertTrue(os.path.exists(admin.path))
        third = self.start(Proxy(config_for(self.backend(), extra=extra), directory=other))
        self.assertEqual(admin.ask("GET", "/status")[1]["pid"], third.process.pid)

    def test_who_brings_no_token_does_not_keep_the_owner_out(self):
        proxy, admin = self.proxy_for(self.backend())
        host, _, port = admin.tcp.rpartition(":")
        with contextlib.ExitStack() as stack:
            for _ in range(80):
                client = stack.enter_context(Client((host, int(port))))
                client.send("GET /status HTTP/1.1\r\n")
            until(lambda: "accepting paused" in proxy.log(), "the limit of connections")
            with Client(admin.path, timeout=5) as owner:
                self.assertEqual(owner.request("GET", "/healthz", host="admin").status, 200)

    def test_what_is_no_http_ends_the_connection_and_nothing_else(self):
        proxy, admin = self.proxy_for(self.backend())
        for data in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0" * 70000):
            with Client(admin.path) as client:
                client.send(data)
                client.socket.shutdown(socket.SHUT_WR)
                answer = client.response()
                if answer is not None:
                    self.assertGreaterEqual(answer.status, 400)
        self.assertEqual(admin.ask("GET", "/healthz")[0], 200)


class Telling(AdminTest):
    def test_the_configuration_is_shown_without_its_secrets(self):
        _, admin = self.proxy_for(self.backend())
        text = admin.curl("GET", "http://admin/config", "--unix-socket", admin.path)[1]
        self.assertIn("[upstreams.app]", text)
        self.assertIn('token = "${ADMIN_TOKEN}"', text)
        self.assertNotIn(TOKEN, text)

    def test_status_and_readiness(self):
        backend = self.backend()
        proxy, admin = self.proxy_for(backend)
        status, view = admin.ask("GET", "/status")
        self.assertEqual((status, view["pid"], view["ready"]), (200, proxy.process.pid, True))
        self.assertEqual(view["configuration"]["upstreams"], 1)
        self.assertEqual(admin.ask("GET", "/readyz")[0], 200)
        admin.ask("POST", admin.endpoint(backend, "/disable"))
        self.assertEqual(admin.ask("GET", "/readyz")[0], 503)
        self.assertEqual(admin.ask("GET", "/healthz")[0], 200)

    def test_it_is_not_ready_while_it_drains(self):
        hold = threading.Event()
        self.addCleanup(hold.set)

        def script(peer):
            peer.next_request()
            hold.wait(20)

        backend = self.start(Backend(script))
        proxy, admin = self.proxy_for(backend)
        with proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: backend.requests, "the request at the backend")
            proxy.signal(signal.SIGTERM)
            until(lambda: "draining" in proxy.log(), "the drain")
            status, view = admin.ask("GET", "/readyz")
            self.assertEqual((status, view["detail"]), (503, "draining"))
            until(lambda: not can_connect(admin.tcp), "the end of the TCP listener")
            hold.set()

    def test_an_endpoint_that_fails_says_so(self):
        gone = Backend(answering(ok()))
        gone.stop()
        alive = self.backend()
        proxy, admin = self.proxy_for(gone, alive, upstream='balance = "round_robin"')
        until(lambda: proxy.get().status == 200 and admin.ask("GET", admin.endpoint(gone))[1]["state"] == "ejected",
              "the ejection")
        view = admin.ask("GET", admin.endpoint(gone))[1]
        self.assertEqual(view["ejected"]["cause"], "failures in a row")
        self.assertGreaterEqual(view["counts"]["failures"]["connect"], 3)
        self.assertEqual(view["counts"]["ejections"], 1)
        self.assertEqual(admin.ask("GET", "/upstreams")[1]["upstreams"][0]["available"], 1)


class Metrics(AdminTest):
    def test_counts_are_those_of_the_requests_made(self):
        backend = self.backend(b"x" * 1000)
        proxy, admin = self.proxy_for(backend)
        for _ in range(5):
            self.assertEqual(proxy.get().status, 200)
        with proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(client.response().status, 400)
        until(lambda: proxy.access_lines(6), "six lines")
        seen = admin.metrics()
        route = next(name for name in seen if name.startswith("rproxy_requests_total") and "_none" not in name)
        route = re.search(r'route="([^"]*)"', route).group(1)
        labels = f'upstream="app",endpoint="{backend.name}"'
        for name, value in ((f'rproxy_requests_total{{route="{route}",code="2xx"}}', 5),
                            ('rproxy_requests_total{route="_none",code="4xx"}', 1),
                            (f'rproxy_request_duration_seconds_count{{route="{route}"}}', 5),
                            (f"rproxy_endpoint_requests_total{{{labels}}}", 5),
                            (f'rproxy_endpoint_responses_total{{{labels},code="2xx"}}', 5),
                            (f"rproxy_endpoint_first_byte_seconds_count{{{labels}}}", 5),
                            ('rproxy_requests_failed_total{termination="client_bad_request"}', 1),
                            (f'rproxy_endpoint_state{{{labels},state="available"}}', 1)):
            self.assertEqual(seen.get(name), value, name)
        self.assertGreater(seen[f'rproxy_response_bytes_total{{route="{route}"}}'], 5000)
        self.assertEqual(sum(value for name, value in seen.items() if name.startswith("rproxy_connections_accepted_total")), 6)

    def text(self, admin):
        return admin.curl("GET", "http://admin/metrics", "--unix-socket", admin.path)[1]

    def test_every_line_is_as_the_format_says_while_requests_are_under_way(self):
        backend = self.backend()
        name = 'back\\slash "quote"'
        proxy, admin = self.proxy_for(backend, extra=f"[[routes]]\nname = {json.dumps(name)}\nmatch = \"/odd\"\nrespond = 200\n"
                                      "[[routes]]\nmatch = \"/kept\"\nupstream = \"app\"\ncache = true\n[cache]\ndisk = \"store\"\n")
        ended = threading.Event()

        def load():
            with proxy.connect() as client:
                while not ended.is_set():
                    client.request()
                    client.request(path="/odd")
                    client.request(path="/kept")

        clients = [threading.Thread(target=load) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            until(lambda: len(backend.requests) > 20, "requests")
            for _ in range(20):
                families = prometheus.parse(self.text(admin))
        finally:
            ended.set()
            for client in clients:
                client.join()
        odd = families["rproxy_requests_total"].samples["rproxy_requests_total", (("route", name), ("code", "2xx"))]
        self.assertGreater(odd, 0)
        self.assertEqual({family.name for family in families.values() if family.type == "histogram"},
                         {"rproxy_request_duration_seconds", "rproxy_endpoint_connect_seconds", "rproxy_endpoint_first_byte_seconds"})
        page = (pathlib.Path(__file__).parents[2] / "man/rproxy-admin.7").read_text().split(".SH METRICS")[1].split(".SH ")[0]
        self.assertEqual(set(families), set(re.findall(r"\brproxy_[a-z0-9_]+", page)))

    def test_clients_make_no_series(self):
        proxy, admin = self.proxy_for(self.backend(), extra='[[routes]]\nmatch = "*.shop.com/x/*"\nrespond = 200\n')

        def series():
            return {sample for family in prometheus.parse(self.text(admin)).values() for sample in family.samples}

        def ask(number):
            proxy.get(f"/x/{number}?q={number}", host=f"h{number}.shop.com", method=f"M{number}", headers=[(f"X-{number}", "1")])

        ask(0)
        # One that fails: how requests ended is counted by words of the proxy's own.
        with proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\n\r\n").response()
        before = until(lambda: (found := series()) and any("client_bad_request" in str(sample) for sample in found) and found, "both")
        for number in range(1, 60):
            ask(number)
        self.assertEqual(series(), before)

    def test_what_is_over_the_number_of_series_is_summed(self):
        backends = [self.backend() for _ in range(4)]
        routes = "".join(f'[[routes]]\nname = "r{i}"\nmatch = "/{i}"\nrespond = 200\n' for i in range(20))
        proxy, admin = self.proxy_for(*backends, upstream='balance = "round_robin"', extra="max_series = 3\n" + routes)
        for i in range(20):
            proxy.get(f"/{i}")
            proxy.get("/to/a/backend")

        def total(family, label):
            found = prometheus.parse(self.text(admin))[family].samples
            return sum(found.values()), {dict(labels)[label] for _, labels in found}

        until(lambda: total("rproxy_requests_total", "route")[0] == 40, "40 requests")
        names = total("rproxy_requests_total", "route")[1]
        self.assertLessEqual(len(names), 5, names)
        self.assertTrue({"_other", "_none"} <= names, names)
        self.assertEqual(total("rproxy_endpoint_requests_total", "endpoint")[0], 20)
        self.assertLessEqual(len(total("rproxy_endpoint_requests_total", "endpoint")[1]), 4)

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_prometheus_reads_it_without_a_complaint(self):
        proxy, admin = self.proxy_for(self.backend())
        self.assertEqual(proxy.get().status, 200)
        text = admin.curl("GET", "http://admin/metrics", "--unix-socket", admin.path)[1]
        done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_counters_only_grow_while_requests_run(self):
        proxy, admin = self.proxy_for(self.backend())
        done = threading.Event()

        def load():
            with proxy.connect() as client:
                while not done.is_set():
                    client.request()

        thread = threading.Thread(target=load)
        thread.start()
        before = {}
        for _ in range(20):
            after = admin.metrics()
            for name, value in before.items():
                if re.search(r"_(total|count|sum|bucket)\b", name.partition("{")[0]):
                    self.assertGreaterEqual(after[name], value, name)
            before = after
        done.set()
        thread.join()


class Changing(AdminTest):
    def load(self, proxy, done, failures, threads=4):
        def run():
            try:
                with proxy.connect() as client:
                    while not done.is_set():
                        answer = client.request()
                        if answer is None or answer.status != 200:
                            failures.append(answer)
            except Exception as error:  # noqa: BLE001: shown where the test ends
                failures.append(error)

        started = [threading.Thread(target=run) for _ in range(threads)]
        for thread in started:
            thread.start()
        return started

    def test_endpoints_are_drained_removed_and_added_under_load_without_a_failure(self):
        first, second, third = self.backend(), self.backend(), self.backend()
        proxy, admin = self.proxy_for(first, second, upstream='balance = "round_robin"', extra="[server]\nworkers = 2\n")
        done, failures = threading.Event(), []
        threads = self.load(proxy, done, failures)

        def grows(backend, by=50):
            start = len(backend.requests)
            return lambda: len(backend.requests) >= start + by

        try:
            until(grows(first), "requests at the first")
            status, view = admin.ask("POST", admin.endpoint(first, "/drain"))
            self.assertEqual((status, view["state"]), (200, "draining"))
            until(lambda: admin.ask("GET", admin.endpoint(first))[1]["in_flight"] == 0, "the end of what was under way")
            count = len(first.requests)
            until(grows(second, 200), "requests at the second")
            self.assertLessEqual(len(first.requests), count + 4)
            self.assertEqual(admin.ask("POST", "/upstreams/app/endpoints", {"address": third.name})[0], 201)
            until(grows(third), "requests at the added one")
            self.assertEqual(admin.ask("DELETE", admin.endpoint(second))[0], 204)
            until(grows(third, 200), "requests at the added one")
            first_count = len(first.requests)
            self.assertEqual(admin.ask("POST", admin.endpoint(first, "/enable"))[0], 200)
            until(lambda: len(first.requests) > first_count, "requests at the enabled one")
            self.assertEqual(admin.ask("PUT", admin.endpoint(first, "/weight"), {"weight": 0})[0], 200)
            until(grows(third, 200), "requests at the one that is left")
        finally:
            done.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])

    def test_weights_share_requests_out(self):
        first, second = self.backend(), self.backend()
        proxy, admin = self.proxy_for(first, second, upstream='balance = "round_robin"', extra="[server]\nworkers = 1\n")
        self.assertEqual(admin.ask("PUT", admin.endpoint(first, "/weight"), {"weight": 3})[1]["weight"], 3)
        with proxy.connect() as client:
            for _ in range(40):
                self.assertEqual(client.request().status, 200)
        self.assertAlmostEqual(len(first.requests), 30, delta=2)

    def test_each_path_answers_to_its_methods_alone(self):
        first, second = self.backend(), self.backend()
        _, admin = self.proxy_for(first, second)
        change = {"address": "127.0.0.1:1"}
        paths = {"/healthz": {"GET", "HEAD"}, "/readyz": {"GET", "HEAD"}, "/metrics": {"GET", "HEAD"}, "/status": {"GET", "HEAD"},
                 "/config": {"GET", "HEAD"}, "/reload": {"POST"}, "/upstreams": {"GET", "HEAD"}, "/upstreams/app": {"GET", "HEAD"},
                 "/upstreams/app/endpoints": {"POST"}, admin.endpoint(first): {"GET", "HEAD", "DELETE"},
                 admin.endpoint(second, "/drain"): {"POST"}, admin.endpoint(second, "/disable"): {"POST"},
                 admin.endpoint(second, "/enable"): {"POST"}, admin.endpoint(second, "/weight"): {"PUT"}}
        with Client(admin.path) as client:
            for path, methods in paths.items():
                for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
                    with self.subTest(method=method, path=path):
                        body = json.dumps({"weight": 2} if path.endswith("weight") else change) if method in ("POST", "PUT") else ""
                        body = body if path.endswith(("/weight", "/endpoints")) else ""
                        answer = client.request(method, path, host="admin", body=body.encode())
                        if method in methods:
                            self.assertIn(answer.status, (200, 201, 204), answer)
                            continue
                        self.assertEqual(answer.status, 405, answer)
                        self.assertEqual(set(answer.get("Allow").split(", ")), methods)
                        self.assertEqual(answer.get("Content-Type"), "application/problem+json")
            head, whole = (client.request(method, "/config", host="admin") for method in ("HEAD", "GET"))
            self.assertEqual((head.body, head.get("Content-Length")), (b"", whole.get("Content-Length")))
            self.assertEqual(client.request("GET", "/status/", host="admin").status, 404)

    def test_content_that_is_too_long_is_refused_without_its_end(self):
        first, second = self.backend(), self.backend()
        _, admin = self.proxy_for(first, second)
        for fields in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
            with self.subTest(fields), Client(admin.path) as client:
                client.send(f"PUT {admin.endpoint(first, '/weight')} HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n")
                client.send("20000\r\n" * ("chunked" in fields) + "x" * 0x11000)
                self.assertEqual(client.response().status, 413)
        with Client(admin.path) as client:  # none of it is read where nothing can be asked
            client.send(f"POST /status HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
            self.assertEqual(client.response().status, 405)

    def test_wrong_calls_change_nothing(self):
        first, second = self.backend(), self.backend()
        _, admin = self.proxy_for(first, second)
        for method, path, content, status in (
                ("POST", "/upstreams/none/endpoints", {"address": "127.0.0.1:1"}, 404),
                ("POST", "/upstreams/app/endpoints", {"address": first.name}, 409),
                ("POST", "/upstreams/app/endpoints", {"adress": "127.0.0.1:1"}, 400),
                ("PUT", admin.endpoint(first, "/weight"), "weight=3", 400),
                ("PUT", admin.endpoint(first, "/weight"), "x" * 100_000, 413),
                ("PUT", admin.endpoint(first, "/weight"), '{"weight": 3, "weight": 4}', 400),
                ("POST", "/upstreams/app/endpoints", '{"address": "127.0.0.1:1", "weight": 1, "address": "127.0.0.1:2"}', 400),
                ("GET", admin.endpoint(first, "/weight"), None, 405),
                ("GET", "/status?pretty", None, 400)):
            with self.subTest(method=method, path=path):
                code, text = admin.ask(method, path, content)
                self.assertEqual((code, text["status"]), (status, status))
        self.assertEqual([view["weight"] for view in admin.ask("GET", "/upstreams/app")[1]["endpoints"]], [1, 1])


class Reloading(AdminTest):
    def change(self, proxy, old, new):
        path = proxy.directory / "config.toml"
        path.write_text(path.read_text().replace(old, new))

    def test_a_reload_says_what_has_changed_and_a_bad_file_why_nothing_has(self):
        backend = self.backend()
        proxy, admin = self.proxy_for(backend)
        self.change(proxy, "[admin]", '[[routes]]\nmatch = "/new"\nrespond = 418\n[admin]')
        status, view = admin.ask("POST", "/reload")
        self.assertEqual((status, view["status"]), (200, "reloaded"), view)
        self.assertIn("route", view["changed"])
        self.assertEqual(proxy.get("/new").status, 418)
        self.assertEqual(admin.ask("GET", "/status")[1]["configuration"]["revision"], 2)
        self.change(proxy, "respond = 418", "respnd = 418")
        status, view = admin.ask("POST", "/reload")
        self.assertEqual(status, 422)
        self.assertIn("did you mean respond?", view["detail"])
        self.assertIn("config.toml:", view["detail"])
        self.assertEqual(proxy.get("/new").status, 418)
        self.assertEqual(admin.ask("GET", "/status")[1]["configuration"]["revision"], 2)

    def test_counts_and_the_operators_states_survive_a_reload_and_the_list_is_the_files(self):
        first, second, third = self.backend(), self.backend(), self.backend()
        proxy, admin = self.proxy_for(first, second, upstream='balance = "round_robin"')
        for _ in range(10):
            self.assertEqual(proxy.get().status, 200)
        until(lambda: proxy.access_lines(10), "ten lines")
        admin.ask("POST", admin.endpoint(first, "/drain"))
        admin.ask("POST", "/upstreams/app/endpoints", {"address": third.name})
        before = admin.metrics()
        self.change(proxy, "[admin]", '[[routes]]\nmatch = "/new"\nrespond = 418\n[admin]')
        self.assertEqual(admin.ask("POST", "/reload")[0], 200)
        self.assertEqual(admin.ask("GET", admin.endpoint(first))[1]["state"], "draining")
        self.assertEqual(admin.ask("GET", admin.endpoint(third))[0], 404)
        after = admin.metrics()
        for name, value in before.items():
            if name.startswith(("rproxy_requests_total", "rproxy_endpoint_requests_total")) and third.name not in name:
                self.assertGreaterEqual(after[name], value, name)

    def test_a_reload_changes_the_token(self):
        proxy, admin = self.proxy_for(self.backend())
        self.change(proxy, "${ADMIN_TOKEN}", "another-token-of-some-length")
        self.assertEqual(admin.ask("POST", "/reload")[0], 200)
        self.assertEqual(admin.remote("/status", "-H", f"Authorization: Bearer {TOKEN}")[0], 401)
        self.assertEqual(admin.remote("/status", "-H", "Authorization: Bearer another-token-of-some-length")[0], 200)


def can_connect(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 5).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    unittest.main()
