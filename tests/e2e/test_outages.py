"""Nobody notices backends that fail: under a load that judges every answer, two of three fail in turns and at once, one lives."""

import itertools
import pathlib
import signal
import threading
import unittest

from dns_server import DnsServer
from harness import Backend, Proxy, TestCase, config_for, make_authority, make_certificate, until
from load import CONNECTIONS, Load, content
from nginx import Nginx
from test_admin import ADMIN, TOKEN, Admin
from test_discovery import Named, resolver

REQUESTS = 12_500  # in each scenario, at least: of the eight that nobody notices, 100,000
TURN = 400  # requests while a backend fails, and while none does
# What an operator writes who wants the servers back as soon as they are well.
SOON = 'ejection = { base_time = "200ms", max_time = "1s" }\n'
# ...and not to wait for those that say nothing.
IMPATIENT = SOON + ('retry = { per_try_timeout = "250ms" }\n'
                    'health = { interval = "100ms", unhealthy_interval = "100ms", timeout = "250ms", fall = 2, rise = 1 }\n')


class Fickle(Backend):
    """Answers well, or as `manner` says."""

    def __init__(self):
        self.manner = self.well
        super().__init__(self.script)

    def script(self, peer):
        while True:
            request = peer.next_request()
            body = content(request.start_line.split(" ")[1].encode())
            self.manner(peer, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)

    @staticmethod
    def well(peer, head, body):
        peer.send(head + body)

    @staticmethod
    def drip(peer, head, body):
        """A byte at a time, for ever as far as anybody waits."""
        for byte in head + body:
            peer.send(bytes([byte]))
            threading.Event().wait(0.02)

    @staticmethod
    def trickle(peer, head, body):
        """Slow, but not so slow that it would be wrong."""
        peer.send(head)
        for start in range(0, len(body), 100):
            peer.send(body[start:start + 100])
            threading.Event().wait(0.002)

    @staticmethod
    def reset_in_head(peer, head, _):
        peer.send(head[:25])
        peer.reset()

    @staticmethod
    def reset_in_body(peer, head, body):
        peer.send(head + body[:300])
        peer.reset()


class OutageTest(TestCase):
    def proxy_for(self, *backends, upstream=SOON, extra=""):
        proxy = self.start(Proxy(config_for(*backends, upstream=upstream, extra=ADMIN + extra),
                                 environment={"ADMIN_TOKEN": TOKEN}))
        self.admin = Admin(proxy)
        return proxy

    def counted(self, backend, metric, end="_total", **labels):
        """The sum of what rproxy has counted of a backend."""
        wanted = [f'endpoint="{backend.name}"', *(f'{name}="{value}"' for name, value in labels.items())]
        return sum(value for name, value in self.admin.metrics().items()
                   if name.startswith(f"rproxy_endpoint_{metric}{end}{{") and all(label in name for label in wanted))

    def failures(self, *kinds):
        return lambda backend: sum(self.counted(backend, "failures", kind=kind) for kind in kinds)

    def answers(self, backend):
        return self.counted(backend, "responses", code="2xx")

    def wait_more(self, load, count, backend, before, what):
        until(lambda: load.failures or count(backend) > before, f"{what} of {backend.name}")

    def turn(self, load, victims, begin, end, met):
        """They fail, which requests meet; and are used again when they have come back."""
        before = {victim: met(victim) for victim in victims}
        for victim in victims:
            begin(victim)
        for victim in victims:
            self.wait_more(load, met, victim, before[victim], "failures")
        load.go_on(TURN)
        before = {victim: self.answers(victim) for victim in victims}
        for victim in victims:
            end(victim)
        for victim in victims:
            self.wait_more(load, self.answers, victim, before[victim], "answers")
        load.go_on(TURN)

    def check(self, proxy, victims, *outages):
        """`outages`: (begin, end, met), one in each turn; each of the victims has its own turns, and both have some together."""
        turns = itertools.product(outages, ([victims[0]], [victims[1]], victims))
        with Load(proxy) as load:
            load.go_on(TURN)
            for number, ((begin, end, met), failing) in enumerate(itertools.cycle(turns)):
                if load.failures or (number >= 3 * len(outages) and load.done >= REQUESTS):
                    break
                self.turn(load, failing, begin, end, met)
        self.judge(proxy, load)

    def judge(self, proxy, load, cuts_max=0):
        self.assertEqual(load.failures, [], proxy.log()[-3000:])
        self.assertLessEqual(load.cut, cuts_max, proxy.log()[-3000:])
        self.assertGreaterEqual(load.done, REQUESTS)


class Outages(OutageTest):
    def test_a_killed_process(self):
        alive, *victims = self.start(*(Nginx() for _ in range(3)))
        proxy = self.proxy_for(alive, *victims)
        self.check(proxy, victims, (Nginx.kill, Nginx.start, self.failures("connect", "reset")))

    def test_a_closed_port(self):
        alive, *victims = self.start(*(Nginx() for _ in range(3)))
        proxy = self.proxy_for(alive, *victims)
        self.check(proxy, victims, (Nginx.quit, Nginx.start, self.failures("connect")))

    def test_a_stopped_process_that_accepts_and_never_answers(self):
        alive, *victims = self.start(*(Nginx() for _ in range(3)))
        proxy = self.proxy_for(alive, *victims, upstream=IMPATIENT)
        self.check(proxy, victims, (lambda victim: victim.signal(signal.SIGSTOP), lambda victim: victim.signal(signal.SIGCONT),
                                    self.failures("timeout")))

    def test_a_storm_of_500(self):
        alive, *victims = self.start(*(Nginx() for _ in range(3)))
        upstream = ('ejection = { consecutive_5xx = 3, base_time = "200ms", max_time = "1s" }\n'
                    'retry = { on = ["connect_failure", "reset", "5xx"] }\n')
        proxy = self.proxy_for(alive, *victims, upstream=upstream)
        self.check(proxy, victims, (lambda victim: (victim.home / "storm").touch(),
                                    lambda victim: (victim.home / "storm").unlink(),
                                    lambda victim: self.counted(victim, "responses", code="5xx")))

    def outage(self, manner, met):
        def change(victim, to):
            victim.manner = to
        return lambda victim: change(victim, manner), lambda victim: change(victim, victim.well), met

    def test_a_slow_drip(self):
        alive, *victims = self.start(Nginx(), Fickle(), Fickle())
        proxy = self.proxy_for(alive, *victims, upstream=IMPATIENT)
        self.check(proxy, victims, self.outage(Fickle.drip, self.failures("timeout")),
                   self.outage(Fickle.trickle, self.answers))

    def test_a_reset_in_the_middle_of_a_head(self):
        alive, *victims = self.start(Nginx(), Fickle(), Fickle())
        proxy = self.proxy_for(alive, *victims)
        self.check(proxy, victims, self.outage(Fickle.reset_in_head, self.failures("reset")))

    def test_an_expired_certificate(self):
        home = self.directory()
        authority = make_authority(home)
        make_certificate(home, "good", "127.0.0.1")
        make_certificate(home, "old", "127.0.0.1", days=-1)
        alive, *victims = self.start(*(Nginx(certificate=home / "good") for _ in range(3)))
        proxy = self.proxy_for(alive, *victims, upstream=SOON + f'tls = {{ ca_file = "{authority}" }}\n')

        def restart_with(file):
            return lambda victim: (victim.kill(), victim.start(home / file))

        self.check(proxy, victims, (restart_with("old"), restart_with("good"), self.failures("tls")))


    def test_a_reset_in_the_middle_of_content_is_never_taken_for_an_end(self):
        """What the client has seen of an answer nobody can take back: it sees that it is cut, and only those are that were on their way."""
        alive, *victims = self.start(Nginx(), Fickle(), Fickle())
        proxy = self.proxy_for(alive, *victims, upstream='ejection = { consecutive_failures = 3, base_time = "60s" }\n')
        with Load(proxy) as load:
            load.go_on(TURN)
            for victim in victims:
                victim.manner = victim.reset_in_body
                until(lambda v=victim: load.failures or self.is_left_alone(v), f"{victim.name} to be left alone")
                load.go_on(TURN)
            asked = [len(victim.requests) for victim in victims]
            load.go_on(REQUESTS)
            self.assertEqual([len(victim.requests) for victim in victims], asked)
        # Between two there may be whole ones that were on their way, one for each client; and with the third each may be at another.
        self.judge(proxy, load, cuts_max=len(victims) * 3 * (CONNECTIONS + 1))
        self.assertGreaterEqual(load.cut, len(victims) * 3)

    def is_left_alone(self, backend):
        return self.counted(backend, "ejections") == 1 and self.counted(backend, "in_flight", end="") == 0


class Names(OutageTest):
    def test_servers_that_end_before_or_after_their_names_do(self):
        dns = self.start(DnsServer())
        alive = self.start(Nginx())
        victims = self.start(*(Nginx(host, alive.port) for host in ("127.0.0.2", "127.0.0.3")))
        refused = self.failures("connect", "reset")
        self.set_names(dns, alive, *victims)
        proxy = self.proxy_for(Named(f"app.test:{alive.port}"), extra=resolver(dns),
                               upstream=SOON + 'discovery = { min_ttl = "100ms", family = "ipv4" }\n')
        with Load(proxy) as load:
            load.go_on(TURN)
            for number in itertools.count():
                if load.failures or (number >= 4 and load.done >= REQUESTS):
                    break
                victim, other = victims[number % 2], victims[1 - number % 2]
                abruptly = number // 2 % 2 == 1
                if abruptly:
                    before = refused(victim)
                    victim.kill()
                    self.wait_more(load, refused, victim, before, "failures")
                    load.go_on(TURN)
                self.set_names(dns, alive, other)
                until(lambda v=victim: load.failures or not self.is_known(v), f"{victim.name} to be left alone")
                load.go_on(TURN)
                if not abruptly:
                    victim.kill()
                victim.start()
                self.set_names(dns, alive, *victims)
                self.wait_more(load, self.answers, victim, 0, "answers")
        self.judge(proxy, load)

    @staticmethod
    def set_names(dns, *backends):
        dns.set("app.test", *(backend.host for backend in backends))

    def is_known(self, backend):
        return any(f'endpoint="{backend.name}"' in name for name in self.admin.metrics())


if __name__ == "__main__":
    unittest.main()
