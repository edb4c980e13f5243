"""Upstreams that are full: who waits, who goes first, who is refused, and that limits hold over all workers."""

import json
import signal
import socket
import threading
import unittest

from harness import LIMIT, Backend, Client, Proxy, TestCase, answering, config_for, ok, once, until

WORKERS = "[server]\nworkers = 2\n"
ADMIN = '[admin]\nsocket = "admin.sock"\n'
BUSY = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops"


class Gate:
    """A backend whose requests are under way until they are let go; counts how many are at once, and how many connections."""

    def __init__(self):
        self.lock = threading.Condition()
        self.waiting, self.answered, self.most, self.open, self.most_open = [], 0, 0, 0, 0
        self.everybody = False

    def script(self, peer):
        with self.lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            while True:
                path = peer.next_request().start_line.split(" ")[1]
                with self.lock:
                    self.waiting.append(path)
                    self.most = max(self.most, len(self.waiting))
                    self.lock.notify_all()
                    self.lock.wait_for(lambda: path not in self.waiting or self.everybody, LIMIT)
                    if path in self.waiting:
                        self.waiting.remove(path)
                    self.answered += 1
                peer.send(ok(path.encode()))
        finally:
            with self.lock:
                self.open -= 1

    def let_go(self, path=None):
        """That request, which comes to be under way; None: the one there is."""
        with self.lock:
            there = self.lock.wait_for(lambda: path in self.waiting if path else self.waiting, LIMIT)
            if not there:
                raise AssertionError(f"{path} never came; under way: {self.waiting}")
            gone = path or self.waiting[0]
            self.waiting.remove(gone)
            self.lock.notify_all()
        return gone

    def open_up(self):
        with self.lock:
            self.everybody = True
            self.lock.notify_all()


class QueueTest(TestCase):
    def gate(self):
        gate = Gate()
        return gate, self.start(Backend(gate.script))

    def proxy_for(self, *servers, upstream="", routes="", extra=WORKERS):
        listed = ", ".join(servers)
        proxy = self.start(Proxy(f"""
access_log = {{ path = "stdout", flush = "100ms" }}
[listen]
http = "127.0.0.1:0"
[upstreams.app]
servers = [{listed}]
{upstream}
{routes}
[[routes]]
match = "*"
upstream = "app"
{extra}
{ADMIN}
"""))
        return proxy

    def ask(self, proxy, path, *fields):
        """One request under way, on a connection of its own."""
        client = proxy.connect()
        self.addCleanup(client.close)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return client.send(f"GET {path} HTTP/1.1\r\nHost: shop.com\r\n{lines}\r\n")

    def view(self, proxy):
        with Client(str(proxy.directory / "admin.sock")) as client:
            return json.loads(client.request(path="/upstreams/app").body)

    def until_waiting(self, proxy, count):
        until(lambda: self.view(proxy)["queue"]["waiting"] == count, f"{count} in the queue")


class MaxConnections(QueueTest):
    LIMITED = '{{ address = "{}", max_connections = {} }}'

    def limited(self, backend, most):
        return self.LIMITED.format(backend.name, most)

    def test_of_a_server_are_never_more_however_many_ask_and_nobody_fails(self):
        gates = [self.gate() for _ in range(2)]
        for gate, _ in gates:
            gate.open_up()
        proxy = self.proxy_for(*(self.limited(backend, 2) for _, backend in gates), upstream='queue = { timeout = "60s" }')
        statuses, lock = [], threading.Lock()

        def ask():
            with proxy.connect() as client:
                for i in range(50):
                    status = client.request(path=f"/{threading.get_ident()}/{i}").status
                    with lock:
                        statuses.append(status)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(statuses), set(statuses)), (1000, {200}))
        for gate, _ in gates:
            self.assertLessEqual(gate.most, 2)
            self.assertGreater(gate.answered, 0)
        queue = self.view(proxy)["queue"]
        self.assertGreater(queue["queued"], 0)
        self.assertEqual((queue["waiting"], queue["refused"], queue["late"]), (0, 0, 0))

    def test_requests_go_on_in_the_order_they_came_but_the_more_important_first(self):
        gate, backend = self.gate()
        routes = "".join(f'[[routes]]\nmatch = "/{name}/*"\nupstream = "app"\nqueue_priority = "{name}"\n' for name in ("low", "high"))
        proxy = self.proxy_for(self.limited(backend, 1), routes=routes)
        paths = ["/first", "/low/1", "/normal/1", "/high/1", "/normal/2", "/high/2"]
        clients = {}
        for count, path in enumerate(paths):
            clients[path] = self.ask(proxy, path)
            if count == 0:
                until(lambda: gate.waiting, "the first request")
            else:
                self.until_waiting(proxy, count)
        order = []
        for _ in paths:
            order.append(gate.let_go())
            self.assertEqual(clients[order[-1]].response().body, order[-1].encode())
        self.assertEqual(order, ["/first", "/high/1", "/high/2", "/normal/1", "/normal/2", "/low/1"])
        self.assertEqual(gate.most, 1)

    def test_who_finds_the_queue_full_is_told_when_to_come_again(self):
        gate, backend = self.gate()
        proxy = self.proxy_for(self.limited(backend, 1), upstream='queue = { size = 1, timeout = "7s" }')
        first, second = self.ask(proxy, "/first"), None
        until(lambda: gate.waiting, "the first request")
        second = self.ask(proxy, "/second")
        self.until_waiting(proxy, 1)
        refused = proxy.get("/third")
        self.assertEqual((refused.status, refused.get("Retry-After")), (503, "7"))
        gate.let_go("/first")
        gate.let_go("/second")
        self.assertEqual((first.response().status, second.response().status), (200, 200))
        self.assertEqual(sorted(line["termination"] for line in proxy.access_lines(3)), ["ok", "ok", "upstream_overloaded"])
        self.assertEqual(self.view(proxy)["queue"]["refused"], 1)

    def test_who_waits_too_long_is_told_when_to_come_again(self):
        gate, backend = self.gate()
        proxy = self.proxy_for(self.limited(backend, 1), upstream='queue = { timeout = "50ms" }')
        first = self.ask(proxy, "/first")
        until(lambda: gate.waiting, "the first request")
        late = proxy.get("/second")
        self.assertEqual((late.status, late.get("Retry-After")), (503, "1"))
        until(lambda: "no room within 50ms" in proxy.log(), "the line of the log")
        gate.let_go("/first")
        self.assertEqual(first.response().status, 200)
        self.assertEqual(self.view(proxy)["queue"]["late"], 1)
        gate.open_up()
        self.assertEqual(proxy.get("/third").status, 200)

    def test_without_a_queue_who_finds_no_room_is_refused_at_once(self):
        gate, backend = self.gate()
        proxy = self.proxy_for(self.limited(backend, 1), upstream="queue = false")
        first = self.ask(proxy, "/first")
        until(lambda: gate.waiting, "the first request")
        self.assertEqual(proxy.get("/second").status, 503)
        gate.let_go("/first")
        self.assertEqual(first.response().status, 200)

    def test_a_client_that_leaves_the_queue_leaves_its_turn(self):
        gate, backend = self.gate()
        proxy = self.proxy_for(self.limited(backend, 1))
        first = self.ask(proxy, "/first")
        until(lambda: gate.waiting, "the first request")
        leaver = self.ask(proxy, "/leaver")
        self.until_waiting(proxy, 1)
        patient = self.ask(proxy, "/patient")
        self.until_waiting(proxy, 2)
        leaver.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        leaver.close()
        self.until_waiting(proxy, 1)
        gate.let_go("/first")
        gate.let_go("/patient")
        self.assertEqual((first.response().status, patient.response().status), (200, 200))

    def test_who_waits_goes_to_a_server_that_is_added_meanwhile(self):
        gate, backend = self.gate()
        other = self.start(Backend(answering(ok(b"other"))))
        proxy = self.proxy_for(self.limited(backend, 1))
        first = self.ask(proxy, "/first")
        until(lambda: gate.waiting, "the first request")
        waiting = self.ask(proxy, "/second")
        self.until_waiting(proxy, 1)
        with Client(str(proxy.directory / "admin.sock")) as client:
            body = json.dumps({"address": other.name}).encode()
            answer = client.request("POST", "/upstreams/app/endpoints", headers=[("Content-Type", "application/json")], body=body)
            self.assertIn(answer.status, (200, 201))
        self.assertEqual(waiting.response().body, b"other")
        gate.let_go("/first")
        self.assertEqual(first.response().status, 200)

    def test_who_waits_outlives_a_reload(self):
        gate, backend = self.gate()
        proxy = self.proxy_for(self.limited(backend, 1))
        first = self.ask(proxy, "/first")
        until(lambda: gate.waiting, "the first request")
        second = self.ask(proxy, "/second")
        self.until_waiting(proxy, 1)
        config = proxy.directory / "config.toml"
        config.write_text(config.read_text().replace("max_connections = 1", "max_connections = 2") + "\n# changed\n")
        proxy.signal(signal.SIGHUP)
        until(lambda: "reloaded in" in proxy.log(), "the reload")
        # With more room than before nobody has to leave first.
        self.assertEqual(sorted([gate.let_go("/first"), gate.let_go("/second")]), ["/first", "/second"])
        self.assertEqual((first.response().status, second.response().status), (200, 200))


class Limits(QueueTest):
    def test_max_requests_holds_over_all_servers_and_workers(self):
        gates = [self.gate() for _ in range(3)]
        proxy = self.proxy_for(*(f'"{backend.name}"' for _, backend in gates), upstream="limits = { max_requests = 4 }")
        clients = [self.ask(proxy, f"/{i}") for i in range(12)]
        under_way = lambda: sum(len(gate.waiting) for gate, _ in gates)  # noqa: E731
        until(lambda: under_way() == 4 and self.view(proxy)["queue"]["waiting"] == 8, "4 under way and 8 that wait")
        self.assertEqual(self.view(proxy)["breaker"]["requests"], {"now": 4, "max": 4})
        for gate, _ in gates:
            gate.open_up()
        self.assertEqual([client.response().status for client in clients], [200] * 12)

    def test_max_connections_holds_over_all_servers_and_workers(self):
        gates = [self.gate() for _ in range(3)]
        for gate, _ in gates:
            gate.open_up()
        proxy = self.proxy_for(*(f'"{backend.name}"' for _, backend in gates),
                               upstream='balance = "round_robin"\nqueue = { timeout = "60s" }\nlimits = { max_connections = 2 }')
        lock, most, statuses = threading.Lock(), [0], []

        def ask():
            with proxy.connect() as client:
                for i in range(30):
                    status = client.request(path=f"/{threading.get_ident()}/{i}").status
                    with lock:
                        statuses.append(status)
                        most[0] = max(most[0], self.view(proxy)["breaker"]["connections"]["now"])

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(statuses), set(statuses)), (240, {200}))
        self.assertLessEqual(most[0], 2)
        self.assertEqual([gate.answered > 0 for gate, _ in gates], [True] * 3)

    def test_limits_that_hold_together_keep_nobody_waiting_beside_free_room(self):
        gates = [self.gate() for _ in range(2)]
        proxy = self.proxy_for(*(f'"{backend.name}"' for _, backend in gates), extra="[server]\nworkers = 1\n",
                               upstream='queue = { timeout = "60s" }\nlimits = { max_connections = 100, max_requests = 2 }')
        clients = [self.ask(proxy, f"/{i}") for i in range(8)]
        self.until_waiting(proxy, 6)
        for gate, _ in gates:
            gate.open_up()
        self.assertEqual([client.response().status for client in clients], [200] * 8)

    def test_connections_are_kept_as_long_as_there_may_be_more(self):
        gate, backend = self.gate()
        gate.open_up()
        proxy = self.proxy_for(f'{{ address = "{backend.name}", max_connections = 4 }}',
                               upstream='queue = { timeout = "60s" }\nlimits = { max_connections = 1000 }')
        statuses = []

        def ask():
            with proxy.connect() as client:
                statuses.extend(client.request(path=f"/{threading.get_ident()}/{i}").status for i in range(20))

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(statuses), set(statuses)), (240, {200}))
        # No more than each worker can have in use at once.
        self.assertLessEqual(backend.connections, 8)

    def test_a_client_stays_with_its_server_where_connections_are_few(self):
        gates = [self.gate() for _ in range(2)]
        for gate, _ in gates:
            gate.open_up()
        proxy = self.proxy_for(*(f'"{backend.name}"' for _, backend in gates), extra="[server]\nworkers = 1\n",
                               upstream='balance = "round_robin"\nsticky = true\nlimits = { max_connections = 2 }')
        cookie = ("Cookie", proxy.get("/first").get("Set-Cookie").partition(";")[0])
        home = next(gate for gate, _ in gates if gate.answered)
        proxy.get("/second")
        self.assertEqual([gate.answered for gate, _ in gates], [1, 1])
        # Of the two connections there may be, the home's is in use, and the other server's is idle.
        home.everybody = False
        clients = []
        for path in ("/busy", "/again"):
            clients.append(self.ask(proxy, path, cookie))
            until(lambda: path in home.waiting, f"{path} at its home")
        home.open_up()
        for client in clients:
            answer = client.response()
            self.assertEqual((answer.status, answer.get("Set-Cookie")), (200, None))

    def test_max_pending_refuses_who_would_wait(self):
        gate, backend = self.gate()
        proxy = self.proxy_for(f'"{backend.name}"', upstream="limits = { max_requests = 1, max_pending = 1 }")
        first = self.ask(proxy, "/first")
        until(lambda: gate.waiting, "the first request")
        second = self.ask(proxy, "/second")
        self.until_waiting(proxy, 1)
        self.assertEqual(proxy.get("/third").status, 503)
        gate.open_up()
        self.assertEqual((first.response().status, second.response().status), (200, 200))

    def test_max_retries_bounds_how_many_try_again_at_once(self):
        """One request tries again, at a server that keeps it; the next that fails is not let try again."""
        gate, good = self.gate()
        bad = self.start(Backend(answering(BUSY)))
        proxy = self.proxy_for(
            f'"{bad.name}"', f'{{ address = "{good.name}", backup = true }}',
            upstream='ejection = false\nretry = { on = ["5xx"], budget_min = 100 }\nlimits = { max_retries = 1 }')
        first = self.ask(proxy, "/first")
        until(lambda: gate.waiting, "the first one's second try")
        self.assertEqual(proxy.get("/second").status, 500)
        gate.let_go("/first")
        self.assertEqual(first.response().status, 200)
        third = self.ask(proxy, "/third")
        gate.let_go("/third")
        self.assertEqual(third.response().status, 200)


class Breaker(QueueTest):
    def test_opens_when_too_many_fail_and_closes_when_probes_do_well(self):
        answers = {"now": BUSY}

        def script(peer):
            while True:
                peer.next_request()
                peer.send(answers["now"])

        backend = self.start(Backend(script))
        proxy = self.proxy_for(f'"{backend.name}"', upstream=(
            'ejection = false\nlimits = { error_percent = 50, error_requests = 10, open_time = "100ms", probes = 2 }'))
        self.assertEqual([proxy.get().status for _ in range(10)], [500] * 10)
        # Open: nothing is sent there; every 100 ms a probe goes, which fails, and it stays open.
        refused = until(lambda: (lambda got: got if got.status == 503 else None)(proxy.get()), "a refusal")
        self.assertEqual(refused.get("Retry-After"), "1")
        self.assertIn(self.view(proxy)["breaker"]["state"], ("open", "half-open"))
        until(lambda: proxy.get().status == 500, "a probe")
        answers["now"] = ok(b"well")
        until(lambda: proxy.get().status == 200, "a probe that does well")
        until(lambda: proxy.get().status == 200 and self.view(proxy)["breaker"]["state"] == "closed", "its closing")
        self.assertEqual({proxy.get().status for _ in range(20)}, {200})
        self.assertIn("upstream_breaker_open", {line["termination"] for line in proxy.access_lines(30)})

    def test_sends_nothing_while_it_is_open(self):
        backend = self.start(Backend(once(b"", "reset")))
        proxy = self.proxy_for(f'"{backend.name}"', upstream=(
            'ejection = false\nretry = false\nlimits = { error_percent = 50, error_requests = 5, open_time = "60s" }'))
        self.assertEqual([proxy.get().status for _ in range(5)], [502] * 5)
        got = [proxy.get() for _ in range(20)]
        self.assertEqual({answer.status for answer in got}, {503})
        self.assertTrue(all(50 <= int(answer.get("Retry-After")) <= 60 for answer in got))
        self.assertEqual(len(backend.requests), 5)


if __name__ == "__main__":
    unittest.main()
