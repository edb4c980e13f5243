"""Servers that come and go by DNS and by file while requests are under way; and stay where these fail."""

import os
import signal
import threading
import unittest

from dns_server import REFUSED, SERVFAIL, DnsServer
from harness import Backend, Proxy, TestCase, answering, config_for, ok, until

QUICK = 'retry = false\nejection = false\ndiscovery = { min_ttl = "100ms", family = "ipv4" }\nbalance = "round_robin"\n'


class Named:
    """What stands in `servers`."""

    def __init__(self, name):
        self.name = name


def resolver(server):
    return f'[resolver]\nservers = ["{server.address}"]\ntimeout = "200ms"\nattempts = 1\nsearch = false\n'


def backends_on(port, *hosts):
    """One at each address, all on one port; what they answer is where they are."""
    return [Backend(answering(ok(host.encode())), port=port, host=host) for host in hosts]


class Load:
    """Clients that ask without a pause, some on kept connections, some on new ones."""

    def __init__(self, proxy, clients=4):
        self.proxy, self.ended = proxy, threading.Event()
        self.failures, self.answers = [], []
        self.threads = [threading.Thread(target=self.run, args=(i % 2 == 0,), daemon=True) for i in range(clients)]

    def run(self, keep):
        client = None
        try:
            while not self.ended.is_set():
                client = client or self.proxy.connect()
                answer = client.request()
                if answer is None or answer.status != 200 or not answer.complete:
                    self.failures.append(repr(answer))
                    return
                self.answers.append(answer.body.decode())
                if not keep:
                    client.close()
                    client = None
        except OSError as error:
            self.failures.append(repr(error))
        finally:
            if client:
                client.close()

    def seen(self, wanted, among=200):
        """Waits until the last answers come from exactly these."""
        def latest():
            start = len(self.answers)
            until(lambda: len(self.answers) >= start + among or self.failures, "answers")
            return set(self.answers[start:start + among])

        until(lambda: self.failures or latest() == set(wanted), f"answers of {wanted} alone")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join(20)


class Names(TestCase):
    def setUp(self):
        self.dns = self.start(DnsServer())

    def proxy_for(self, name, upstream=QUICK, extra=""):
        return self.start(Proxy(config_for(Named(name), upstream=upstream, extra=resolver(self.dns) + extra)))

    def three(self):
        first = self.start(Backend(answering(ok(b"127.0.0.1"))))
        others = [self.start(backend) for backend in backends_on(first.port, "127.0.0.2", "127.0.0.3")]
        return [first, *others]

    def test_answers_change_under_load_and_no_request_fails(self):
        port = self.three()[0].port
        self.dns.set("app.test", "127.0.0.1")
        proxy = self.proxy_for(f"app.test:{port}")
        with Load(proxy) as load:
            for addresses in (["127.0.0.1"], ["127.0.0.2", "127.0.0.3"], ["127.0.0.3"], ["127.0.0.1", "127.0.0.2", "127.0.0.3"],
                              ["127.0.0.2"]):
                self.dns.set("app.test", *addresses)
                load.seen(addresses)
        self.assertEqual(load.failures, [])

    def test_a_dead_dns_changes_nothing(self):
        port = self.three()[0].port
        addresses = ["127.0.0.1", "127.0.0.2"]
        self.dns.set("app.test", *addresses)
        proxy = self.proxy_for(f"app.test:{port}")
        with Load(proxy, clients=2) as load:
            load.seen(addresses)
            for manner in (SERVFAIL, REFUSED, "silent"):
                before = self.dns.count("app.test")
                self.dns.fail("app.test", manner)
                until(lambda before=before: self.dns.count("app.test") > before, "another question")
                load.seen(addresses)
            self.dns.set("app.test")  # the name is there, without an address
            before = self.dns.count("app.test")
            until(lambda: self.dns.count("app.test") > before, "another question")
            load.seen(addresses)
            self.dns.set("app.test", "127.0.0.3")
            load.seen(["127.0.0.3"])
        self.assertEqual(load.failures, [])
        self.assertEqual(proxy.log().count("the 2 servers it had are kept"), 1, proxy.log())
        self.assertEqual(proxy.log().count("app.test:%d is found again" % port), 1, proxy.log())

    def test_a_name_that_comes_later_is_no_obstacle(self):
        backend = self.start(Backend(answering(ok(b"late"))))
        proxy = self.proxy_for(f"late.test:{backend.port}")
        self.assertIn("upstream app: late.test: there is no such name (NXDOMAIN); no server of it is known yet", proxy.log())
        self.assertEqual(proxy.get().status, 503)
        self.dns.set("late.test", "127.0.0.1")
        until(lambda: proxy.get().status == 200, "an answer")

    def test_a_reload_keeps_what_was_found(self):
        port = self.three()[0].port
        self.dns.set("app.test", "127.0.0.1", "127.0.0.2")
        proxy = self.proxy_for(f"app.test:{port}", upstream=QUICK.replace("discovery = {", "discovery = { required = true,"))
        with Load(proxy) as load:
            load.seen(["127.0.0.1", "127.0.0.2"])
            self.dns.fail("app.test", SERVFAIL)
            until(lambda: "servers it had are kept" in proxy.log(), "a warning")
            for i in range(3):
                proxy.signal(signal.SIGHUP)
                until(lambda i=i: proxy.log().count("reloaded in") > i, "the reload")
                load.seen(["127.0.0.1", "127.0.0.2"])
            self.dns.set("app.test", "127.0.0.3")
            load.seen(["127.0.0.3"])
        self.assertEqual(load.failures, [])

    def test_what_is_required_must_be_there(self):
        config = config_for(Named("gone.test:80"), upstream="discovery = { required = true }", extra=resolver(self.dns))
        refused = Proxy(config, wait=False)
        self.addCleanup(refused.close)
        self.assertNotEqual(refused.wait(), 0)
        self.assertIn("upstream app: gone.test: there is no such name (NXDOMAIN)", refused.log())
        self.dns.set("gone.test", "127.0.0.1")
        self.start(Proxy(config))

    def test_services_have_their_ports_and_what_udp_can_not_hold_comes_by_tcp(self):
        backends = [self.start(Backend(answering(ok(name)))) for name in (b"a", b"b")]
        self.dns.set("a.test", "127.0.0.1")
        self.dns.set("_http._tcp.shop.test", srv=[(1, 1, backend.port, "a.test") for backend in backends])
        self.dns.fail("_http._tcp.shop.test", "truncate")
        proxy = self.proxy_for("srv:_http._tcp.shop.test")
        with Load(proxy, clients=2) as load:
            load.seen(["a", "b"])
            self.dns.set("_http._tcp.shop.test", srv=[(1, 1, backends[1].port, "a.test")])
            load.seen(["b"])
        self.assertEqual(load.failures, [])


class Files(TestCase):
    def test_servers_of_a_file_come_and_go_under_load(self):
        backends = {name: self.start(Backend(answering(ok(name.encode())))) for name in "abc"}
        directory = self.directory()
        path = directory / "app.list"

        def write(*names):
            (directory / "new").write_text("".join(f"{backends[name].name} weight=3\n" for name in names))
            os.replace(directory / "new", path)

        write("a")
        proxy = self.start(Proxy(config_for(Named(f"file:{path}"), upstream=QUICK)))
        with Load(proxy) as load:
            load.seen(["a"])
            for names in ("ab", "bc", "c"):
                write(*names)
                load.seen(names)
            # Half a line, nonsense, nothing, no file: all the same.
            for bad in (f"{backends['a'].name}\n{backends['b'].name[:-1]}", "a b c\n", ""):
                lines = proxy.log().count("is kept")
                path.write_text(bad)
                until(lambda lines=lines: proxy.log().count("is kept") > lines, "a warning")
                load.seen("c")
            path.unlink()
            until(lambda: "No such file" in proxy.log(), "a warning")
            load.seen("c")
            write("a", "b", "c")
            load.seen("abc")
        self.assertEqual(load.failures, [])
        self.assertIn(f"{path}:2: the last line has no end", proxy.log())

    def test_a_list_in_toml_by_a_link_that_leads_elsewhere(self):
        backends = [self.start(Backend(answering(ok(name)))) for name in (b"a", b"b")]
        directory = self.directory()
        for i, backend in enumerate(backends):
            (directory / f"v{i}").mkdir()
            (directory / f"v{i}" / "app.toml").write_text(f'servers = [{{ address = "{backend.name}", weight = 2 }}]\n')
        # As volumes of configuration are swapped: by a directory that is a link.
        (directory / "now").symlink_to("v0")
        (directory / "app.toml").symlink_to("now/app.toml")
        proxy = self.start(Proxy(config_for(Named(f"file:{directory}/app.toml"), upstream=QUICK)))
        self.assertEqual(proxy.get().body, b"a")
        (directory / "next").symlink_to("v1")
        os.replace(directory / "next", directory / "now")
        until(lambda: proxy.get().body == b"b", "the other server")


if __name__ == "__main__":
    unittest.main()
