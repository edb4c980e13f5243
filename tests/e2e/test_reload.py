"""A changed configuration takes the place of the one that is served, and nobody notices."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

from harness import (LIMIT, Backend, Client, Proxy, TestCase, answering, client_context, config_for, connect_tls, held,
                     make_authority, make_certificate, ok, open_socket, until)

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n"


def respond(text):
    return f'[[routes]]\nmatch = "*/generation"\nrespond = {{ status = 200, body = "{text}" }}\n'


def generation(client):
    return client.request(path="/generation").body.decode()


class Reloading(Proxy):
    """A proxy whose configuration is changed while it serves."""

    def write(self, config):
        (self.directory / "config.toml").write_text(config)

    def said(self, words):
        return len(re.findall(words, self.log()))

    def reload(self, config=None, ok=True):
        """Changes the file, and waits until it is served, or refused. Gives what the log has told since."""
        if config is not None:
            self.write(config)
        before = len(self.log())
        self.signal(signal.SIGHUP)
        word = r"reloaded in \d+ ms: .*\n" if ok else "not reloaded, .*\n"
        until(lambda: re.search(word, self.log()[before:]) or self.process.poll() is not None, f"{word!r}")
        log = self.log()[before:]
        if not re.search(word, log):
            raise AssertionError(f"rproxy ended with {self.process.returncode}:\n{log}")
        return log

    def learn_addresses(self):
        self.addresses = []
        self.wait_ready()


class Load:
    """Clients that ask again and again, on connections that stay or on new ones; counts what goes wrong."""

    def __init__(self, proxy, keep, count):
        self.proxy, self.keep, self.ended = proxy, keep, threading.Event()
        self.done, self.failures = 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(count)]

    def run(self):
        client = None
        while not self.ended.is_set():
            try:
                client = client or self.proxy.connect()
                response = client.request(headers=() if self.keep else [("Connection", "close")])
                right = response is not None and response.status == 200 and response.complete and response.body == b"ok"
                with self.lock:
                    self.done += right
                    if not right:
                        self.failures.append(response)
                if not right or not self.keep or response.get("Connection") == "close":
                    client.close()
                    client = None
            except OSError as error:
                with self.lock:
                    self.failures.append(error)
        if client:
            client.close()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(LIMIT)


class UnderLoad(TestCase):
    def config(self, backends, number):
        # Another upstream comes and goes, routes change, and so does an option of the one that is busy.
        extra = respond(number) + f'[upstreams.other{number % 3}]\nservers = ["{backends[0].name}"]\n'
        extra += f'[[routes]]\nmatch = "*/other"\nupstream = "other{number % 3}"\n'
        return config_for(*backends, upstream=f'response_timeout = "{30 + number % 2}s"', extra=extra)

    def test_a_hundred_reloads_fail_no_request(self):
        backends = self.start(*(Backend(answering(ok())) for _ in range(3)))
        with Reloading(self.config(backends, 0)) as proxy:
            with Load(proxy, True, 4) as kept, Load(proxy, False, 2) as fresh:
                for number in range(1, 101):
                    done = kept.done, fresh.done
                    proxy.reload(self.config(backends, number))
                    until(lambda d=done: kept.done > d[0] and fresh.done > d[1], "requests between the reloads")
            self.assertEqual((kept.failures, fresh.failures), ([], []))
            with proxy.connect() as client:
                self.assertEqual(generation(client), "100")
        # Each worker's connections to the servers were kept.
        self.assertLess(sum(backend.connections for backend in backends), 100)

    def test_http2_requests_live_through_it(self):
        backends = self.start(*(Backend(answering(ok())) for _ in range(3)))
        with Reloading(self.config(backends, 0)) as proxy:
            host, port = proxy.address
            load = subprocess.Popen(["h2load", "-t1", "-c4", "-m8", "-n30000", f"http://{host}:{port}/"],
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            count = 0
            while load.poll() is None and count < 1000:
                count += 1
                proxy.reload(self.config(backends, count))
            told = load.communicate(timeout=120)[0]
            self.assertRegex(told, r"requests: 30000 total, .* 30000 succeeded, 0 failed, 0 errored, 0 timeout")
            self.assertGreater(count, 5)

    def test_memory_stays_flat(self):
        backends = self.start(*(Backend(answering(ok())) for _ in range(3)))
        with Reloading(self.config(backends, 0)) as proxy, Load(proxy, True, 2) as load:
            sizes = []
            for number in range(1, 401):
                proxy.reload(self.config(backends, number))
                if number % 100 == 0:
                    done = load.done
                    until(lambda d=done: load.done > d + 20, "requests")
                    sizes.append(resident(proxy))
            if "address" not in os.environ.get("RPROXY_SANITIZE", ""):
                # The first hundred have still found their buffers to grow.
                self.assertLess(sizes[3] - sizes[1], 1 << 20, sizes)
            descriptors = len(os.listdir(f"/proc/{proxy.process.pid}/fd"))
            self.assertLess(descriptors, 80)


def resident(proxy):
    return int(pathlib.Path(f"/proc/{proxy.process.pid}/statm").read_text().split()[1]) * 4096


class Surviving(TestCase):
    def test_a_request_under_way_ends_as_it_began(self):
        release = threading.Event()
        old, new = self.start(Backend(held(release, b"old")), Backend(answering(ok(b"new"))))
        with Reloading(config_for(old)) as proxy, proxy.connect() as client, proxy.connect() as other:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: old.requests, "the request at the backend")
            # The upstream it waits for is gone.
            proxy.reload(config_for(new).replace("app", "fresh"))
            self.assertEqual(other.request().body, b"new")
            release.set()
            self.assertEqual(client.response().body, b"old")
            self.assertEqual(client.request().body, b"new")
            # Each worker hands over its own lines.
            self.assertEqual(sorted(line["upstream"] for line in proxy.access_lines(3)), ["app", "fresh", "fresh"])

    def test_a_connection_kept_with_a_server_that_is_gone_is_closed(self):
        old, new = self.start(Backend(answering(ok(b"old"))), Backend(answering(ok(b"new"))))
        with Reloading(config_for(old)) as proxy, proxy.connect() as client:
            self.assertEqual(client.request().body, b"old")
            until(lambda: old.open, "the connection that is kept")
            proxy.reload(config_for(new))
            until(lambda: not old.open, "its end")
            self.assertEqual(client.request().body, b"new")

    def test_a_connection_kept_with_a_server_that_stays_is_used_again(self):
        backend, other = self.start(Backend(answering(ok())), Backend(answering(ok())))
        config = config_for(backend, extra="[server]\nworkers = 1\n")
        with Reloading(config) as proxy, proxy.connect() as client:
            for number in range(10):
                self.assertEqual(client.request().status, 200)
                proxy.reload(config + respond(number) + f'[upstreams.other]\nservers = ["{other.name}"]\n')
            self.assertEqual((backend.connections, len(backend.requests)), (1, 10))

    def test_a_tunnel_and_a_slow_download(self):
        go_on = threading.Semaphore(0)

        def script(peer):
            request = peer.next_request()
            if request.get("Upgrade"):
                peer.send(SWITCH)
                while data := peer.socket.recv(100):
                    peer.send(data.upper())
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while go_on.acquire(timeout=LIMIT):
                peer.send(b"5\r\nslice\r\n" if len(peer.backend.requests) < 3 else b"0\r\n\r\n")

        backend, other = self.start(Backend(script), Backend(answering(ok())))
        with Reloading(config_for(backend)) as proxy, proxy.connect() as tunnel, proxy.connect() as download:
            tunnel.send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            self.assertEqual(tunnel.response().status, 101)
            download.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: b"200" in download.reader.buffer or not download.reader.fill(), "the head")
            for number in range(5):
                # Another server, and in the end none: both go on where they are.
                proxy.reload(config_for(other, extra=respond(number)))
                tunnel.send(b"hello %d" % number)
                self.assertEqual(tunnel.socket.recv(100), b"HELLO %d" % number)
                go_on.release()
                until(lambda n=number: download.reader.buffer.count(b"slice") == n + 1 or not download.reader.fill(), "a slice")
            backend.requests.append(None)
            go_on.release()
            self.assertEqual(download.response().body, b"slice" * 5)
            self.assertEqual(download.request().body, b"ok")

    def test_what_was_learnt_of_a_server_is_not_forgotten(self):
        dead = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{dead.getsockname()[1]}"
        dead.close()
        backend = self.start(Backend(answering(ok())))
        config = config_for(backend, upstream='balance = "round_robin"\nejection = { consecutive_failures = 1, base_time = "60s", max_time = "60s" }',
                            extra="[server]\nworkers = 1\n").replace("servers = [", f'servers = ["{address}", ')
        with Reloading(config) as proxy, proxy.connect() as client:
            for _ in range(4):
                self.assertEqual(client.request().status, 200)
            self.assertEqual(proxy.said("is left alone"), 1)
            proxy.reload(config + respond("new"))
            for _ in range(8):
                self.assertEqual(client.request().status, 200)
            self.assertEqual(sum(line["retries"] for line in proxy.access_lines(12)), 1)


class Listeners(TestCase):
    def config(self, backend, *addresses):
        listeners = "".join(f'[[listeners]]\naddress = "{address}"\n' for address in addresses)
        return f'access_log = {{ path = "stdout", flush = "100ms" }}\n{listeners}[upstreams.app]\nservers = ["{backend.name}"]\n' \
               f'[[routes]]\nmatch = "*"\nupstream = "app"\n[[routes]]\nmatch = "*/idle"\nrespond = 204\n'

    def free(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            return f"127.0.0.1:{probe.getsockname()[1]}"

    def test_one_is_added_and_removed(self):
        backend = self.start(Backend(answering(ok())))
        first, second = self.free(), self.free()
        with Reloading(self.config(backend, first)) as proxy:
            log = proxy.reload(self.config(backend, first, second))
            self.assertIn(f"serving on {second} (http)", log)
            self.assertNotIn(f"serving on {first}", log)
            proxy.learn_addresses()
            with proxy.connect(0) as a, proxy.connect(1) as b:
                self.assertEqual((a.request().status, b.request().status), (200, 200))
                log = proxy.reload(self.config(backend, second))
                self.assertIn(f"no longer serving on {first}", log)
                self.assertTrue(a.is_closed())
                until(lambda: refuses(proxy.addresses[0]), "connections to be refused")
                self.assertEqual(b.request().status, 200)
                self.assertEqual(proxy.get(index=1).status, 200)

    def test_requests_that_came_by_one_that_is_gone_finish(self):
        release = threading.Event()
        backend = self.start(Backend(held(release)))
        first, second = self.free(), self.free()
        with Reloading(self.config(backend, first)) as proxy, proxy.connect() as client:
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: backend.requests, "the request at the backend")
            proxy.reload(self.config(backend, second))
            release.set()
            response = client.response()
            self.assertEqual((response.body, response.get("Connection")), (b"late", "close"))

    def test_one_is_moved_to_a_wider_address_of_the_same_port(self):
        backend = self.start(Backend(answering(ok())))
        narrow = self.free()
        port = narrow.split(":")[1]
        with Reloading(self.config(backend, narrow)) as proxy, Load(proxy, True, 1) as load:
            proxy.reload(self.config(backend, f"0.0.0.0:{port}"))
            until(lambda: load.done > 10, "requests")
            with Client(("127.0.0.2", int(port))) as client:
                self.assertEqual(client.request().status, 200)

    def test_a_unix_socket_comes_and_goes(self):
        backend = self.start(Backend(answering(ok())))
        first = self.free()
        with Reloading(self.config(backend, first)) as proxy:
            path = proxy.directory / "sock"
            proxy.reload(self.config(backend, first, f"unix:{path}"))
            with Client(str(path)) as client:
                self.assertEqual(client.request().status, 200)
            proxy.reload(self.config(backend, first))
            self.assertFalse(path.exists())

    def test_an_address_in_use_changes_nothing(self):
        backend, other = self.start(Backend(answering(ok())), Backend(answering(ok(b"other"))))
        first, second = self.free(), self.free()
        taken = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        name = f"127.0.0.1:{taken.getsockname()[1]}"
        with Reloading(self.config(backend, first)) as proxy, proxy.connect() as client:
            path = proxy.directory / "sock"
            log = proxy.reload(self.config(other, second, f"unix:{path}", name), ok=False)
            self.assertRegex(log, f"error .*{name}")
            self.assertEqual(client.request().body, b"ok")
            self.assertEqual(proxy.get().body, b"ok")
            host, port = second.split(":")
            self.assertTrue(refuses((host, int(port))))
            self.assertFalse(path.exists())


def refuses(address):
    try:
        open_socket(address).close()
        return False
    except ConnectionResetError:
        return False
    except ConnectionRefusedError:
        return True


class Mistakes(TestCase):
    def test_a_bad_file_changes_nothing_and_says_where(self):
        backend = self.start(Backend(answering(ok())))
        good = config_for(backend)
        with Reloading(good) as proxy, proxy.connect() as client:
            log = proxy.reload(good + "[client]\nmax_hedd = 5\n[[routes]]\nmatch = 7\n", ok=False)
            line = good.count("\n") + 2
            self.assertRegex(log, rf"error .*config\.toml:{line}:1: error\[RP1002\]: .*did you mean max_head")
            self.assertRegex(log, rf"config\.toml:{line + 2}:9: error")
            self.assertEqual(client.request().status, 200)
            self.assertEqual(proxy.get().status, 200)
            self.assertIn("nothing", proxy.reload(good))

    def test_a_missing_file_changes_nothing(self):
        with Reloading(config_for(extra=respond("old")).replace("servers = []", 'servers = ["127.0.0.1:9"]')) as proxy:
            (proxy.directory / "config.toml").unlink()
            self.assertIn("No such file", proxy.reload(ok=False))
            with proxy.connect() as client:
                self.assertEqual(generation(client), "old")

    def test_what_needs_a_restart_is_named(self):
        backend = self.start(Backend(answering(ok())))
        with Reloading(config_for(backend, extra="[server]\nworkers = 1\n")) as proxy:
            log = proxy.reload(config_for(backend, extra='[server]\nworkers = 2\n[client]\nmax_head = "128KiB"\n' + respond("new")))
            self.assertRegex(log, r"warn .*server\.workers = 2 needs a restart")
            self.assertRegex(log, r"warn .*client\.max_head = 128KiB needs a restart")
            with proxy.connect() as client:
                self.assertEqual(generation(client), "new")
                self.assertEqual(client.request(headers=[("X-Large", "x" * 100_000)]).status, 431)

    def test_many_wishes_at_once_are_few_reloads(self):
        backend = self.start(Backend(answering(ok())))
        with Reloading(config_for(backend)) as proxy:
            for _ in range(200):
                proxy.signal(signal.SIGHUP)
            proxy.write(config_for(backend, extra=respond("last")))
            proxy.signal(signal.SIGHUP)
            with proxy.connect() as client:
                until(lambda: generation(client) == "last", "the last one")


class Effects(TestCase):
    def test_client_options_hold_for_new_connections(self):
        backend = self.start(Backend(answering(ok())))
        with Reloading(config_for(backend, extra='[client]\nmax_head = "32KiB"\n')) as proxy, proxy.connect() as before:
            self.assertEqual(before.request().status, 200)
            proxy.reload(config_for(backend, extra='[client]\nmax_head = "2KiB"\n'))
            large = [("X-Large", "x" * 4000)]
            self.assertEqual(before.request(headers=large).status, 200)
            self.assertEqual(proxy.get(headers=large).status, 431)

    def test_paths_are_read_as_the_new_routes_expect(self):
        config = '[listen]\nhttp = "127.0.0.1:0"\n[client]\nencoded_slash = "{}"\n[[routes]]\nmatch = "*"\nrespond = 200\n' \
                 '[[routes]]\nmatch = "*/a/b"\nrespond = 403\n'
        with Reloading(config.format("decode")) as proxy, proxy.connect() as client:
            self.assertEqual(client.request(path="/a%2Fb").status, 403)
            proxy.reload(config.format("keep"))
            self.assertEqual(client.request(path="/a%2Fb").status, 200)
            proxy.reload(config.format("guard"))
            self.assertEqual(client.request(path="/a%2Fb").status, 400)

    def test_the_access_log_moves(self):
        backend = self.start(Backend(answering(ok())))
        with Reloading(config_for(backend)) as proxy, proxy.connect() as client:
            path = proxy.directory / "access.log"
            client.request(path="/first")
            proxy.access_lines(1)
            moved = config_for(backend).replace('path = "stdout"', f'path = "{path}", format = "{{path}}"')
            proxy.reload(moved)
            client.request(path="/second")
            until(lambda: path.read_text() == "/second\n", "the line in the new file")
            proxy.reload(moved.replace(f'"{path}"', '"off"'))
            client.request(path="/third")
            proxy.reload(moved)
            client.request(path="/fourth")
            until(lambda: path.read_text() == "/second\n/fourth\n", "the line after it was off")
            self.assertEqual(len(proxy.access_lines(1)), 1)

    def test_the_log_level_changes(self):
        backend = self.start(Backend(answering(ok())))
        with Reloading(config_for(backend)) as proxy:
            proxy.write(config_for(backend, extra='[server]\nlog_level = "error"\n'))
            proxy.signal(signal.SIGHUP)
            until(lambda: proxy.said("reloading") == 1, "the reload")
            proxy.write(config_for(backend, extra="nonsense = 1\n"))
            until(lambda: proxy.signal(signal.SIGHUP) or "not reloaded" in proxy.log(), "an error")
            self.assertEqual(proxy.said("reloading"), 1)

    def test_a_summary_names_what_has_changed(self):
        backend, other = self.start(Backend(answering(ok())), Backend(answering(ok())))
        with Reloading(config_for(backend)) as proxy:
            log = proxy.reload(config_for(backend, other, extra=respond("x") + '[client]\nbody_timeout = "5s"\n'))
            self.assertIn(" ms: client, upstreams.app, 1 routes added\n", log)
            self.assertIn(" ms: nothing\n", proxy.reload())

    def test_a_certificate_is_replaced(self):
        home = self.directory()
        authority = make_authority(home)
        make_certificate(home, "a", "shop.com", "a.shop.com")
        make_certificate(home, "b", "shop.com", "b.shop.com")
        for kind in ("pem", "key"):
            shutil.copy(home / f"a.{kind}", home / f"shop.{kind}")
        backend = self.start(Backend(answering(ok())))
        tls = f'[tls]\ncertificates = [{{ cert = "{home}/shop.pem", key = "{home}/shop.key" }}]\n'
        config = config_for(backend, listen='https = "127.0.0.1:0"', extra=tls)

        def names(client):
            return {value for _, value in client.socket.getpeercert()["subjectAltName"]}

        with Reloading(config) as proxy:
            context = client_context(authority)
            with connect_tls(proxy.address, "shop.com", context) as before:
                self.assertEqual(before.request().status, 200)
                self.assertIn("a.shop.com", names(before))
                session = before.socket.session
                self.assertIn(" ms: nothing", proxy.reload())
                # Tickets go on as long as the certificate does.
                raw = open_socket(proxy.address)
                with Client(None, connection=context.wrap_socket(raw, server_hostname="shop.com", session=session)) as again:
                    self.assertEqual(again.request().status, 200)
                    self.assertTrue(again.socket.session_reused)
                # A key that does not belong to it is found before anything changes.
                shutil.copy(home / "b.pem", home / "shop.pem")
                self.assertIn("RP13", proxy.reload(ok=False))
                shutil.copy(home / "b.key", home / "shop.key")
                self.assertIn(" ms: certificates", proxy.reload())
                with connect_tls(proxy.address, "shop.com", client_context(authority)) as after:
                    self.assertIn("b.shop.com", names(after))
                    self.assertEqual((after.request().status, before.request().status), (200, 200))


class Watching(TestCase):
    def watch(self, config, files=()):
        directory = self.directory()
        for name, text in dict(files).items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        return Reloading(config, "--watch", directory=directory)

    def now_is(self, proxy, client, text):
        until(lambda: generation(client) == text, f"generation {text} in\n{proxy.log()}")

    def config(self, text, more=""):
        return f'{more}\n[listen]\nhttp = "127.0.0.1:0"\n[[routes]]\nmatch = "*"\nrespond = 200\n{respond(text)}'

    def test_as_editors_save(self):
        with self.watch(self.config("0")) as proxy, proxy.connect() as client:
            path = proxy.directory / "config.toml"

            def truncate(text):
                path.write_text(text)

            def rename(text):
                with tempfile.NamedTemporaryFile("w", dir=proxy.directory, delete=False) as file:
                    file.write(text)
                os.rename(file.name, path)

            def back_up(text):
                os.rename(path, f"{path}~")
                path.write_text(text)

            def link(text):
                # As Kubernetes does: the file is a link into a directory that is a link which is replaced.
                new = pathlib.Path(tempfile.mkdtemp(dir=proxy.directory))
                (new / "config.toml").write_text(text)
                os.symlink(new, proxy.directory / "next")
                os.rename(proxy.directory / "next", proxy.directory / "data")
                if not path.is_symlink():
                    path.unlink()
                    os.symlink("data/config.toml", path)

            for number, save in enumerate((truncate, rename, back_up, rename, truncate, link, link), 1):
                save(self.config(str(number)))
                self.now_is(proxy, client, str(number))

    def test_a_bad_file_is_refused_once_and_a_better_one_taken(self):
        with self.watch(self.config("0")) as proxy, proxy.connect() as client:
            proxy.write("nonsense")
            until(lambda: proxy.said("not reloaded"), "a word about it")
            proxy.write(self.config("1"))
            self.now_is(proxy, client, "1")
            until(lambda: proxy.said("reloaded in"), "a word about that")
            self.assertEqual((proxy.said("not reloaded"), proxy.said("reloaded in")), (1, 1))

    def test_included_files_count_and_others_do_not(self):
        first = self.config("0", 'include = ["conf.d/*.toml"]').replace(respond("0"), "")
        with self.watch(first, {"conf.d/a.toml": respond("0")}) as proxy, proxy.connect() as client:
            included = proxy.directory / "conf.d"
            self.assertEqual(generation(client), "0")
            (included / "notes.txt").write_text("not ours")
            (included / "a.toml").write_text(respond("1"))
            self.now_is(proxy, client, "1")
            (included / "b.toml").write_text('[[routes]]\nmatch = "*/b"\nrespond = 204\n')
            until(lambda: client.request(path="/b").status == 204, "the new file's route")
            (included / "b.toml").unlink()
            until(lambda: client.request(path="/b").status == 200, "its end")
            until(lambda: proxy.said("reloaded in") == 3, "three words in all")
