#!/usr/bin/env python3
"""rproxy, nginx and HAProxy side by side; see README.md here. Usage: compare.py BUILD [--rounds N] [--seconds N] [SCENARIO...]"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROXY_CORE, LOAD_CORE = {0}, {1}
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


# ---- The proxies, each with its configuration in its own terms.


class Scenario:
    def __init__(self, name, path="/small", connections=64, tls=False, close=False, log=False, routes=0, idle=0):
        self.name, self.path, self.connections, self.tls = name, path, connections, tls
        self.close, self.log, self.routes, self.idle = close, log, routes, idle


SCENARIOS = [
    Scenario("small"), Scenario("logged", log=True), Scenario("large", path="/1m", connections=16),
    Scenario("connections", close=True), Scenario("tls", tls=True), Scenario("handshakes", tls=True, close=True),
    Scenario("routes1000", path="/r999/x", routes=1000), Scenario("routes10000", path="/r9999/x", routes=10000),
    Scenario("idle", idle=5000), Scenario("idle_tls", tls=True, idle=2000),
]


def rproxy(build, home, port, origin, scenario):
    routes = "".join(f'[[routes]]\nmatch = "*/r{i}/*"\nupstream = "app"\n' for i in range(scenario.routes))
    forwarding = "" if scenario.log else "[forwarding]\nx_forwarded = false\nforwarded = false\nvia = false\nrequest_id = false\n"
    log = f'access_log = {{ path = "{home}/access.log", format = "combined" }}\n' if scenario.log else ""
    kind = "https" if scenario.tls else "http"
    tls = (f'[tls]\ncert = "{home}/cert.pem"\nkey = "{home}/cert.key"\nmin_version = "1.3"\n'
           f'session_tickets = {"false" if scenario.close else "true"}\n') if scenario.tls else ""
    (home / "rproxy.toml").write_text(
        f'{log}[server]\nworkers = 1\nlog_level = "error"\n[listen]\n{kind} = "127.0.0.1:{port}"\n{tls}{forwarding}'
        f'[upstreams.app]\nservers = ["127.0.0.1:{origin}"]\n{routes}[[routes]]\nmatch = "*"\nupstream = "app"\n')
    return [str(build / "bin/rproxy"), "serve", str(home / "rproxy.toml")]


def nginx(_, home, port, origin, scenario):
    routes = "".join(f"location /r{i}/ {{ proxy_pass http://app; }}\n" for i in range(scenario.routes))
    forwarding = ("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;"
                  "proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Request-ID $request_id;") if scenario.log else ""
    log = f"{home}/access.log combined buffer=32k flush=1s" if scenario.log else "off"
    tls = (f"ssl_certificate {home}/cert.pem; ssl_certificate_key {home}/cert.key; ssl_protocols TLSv1.3;"
           f"ssl_session_tickets {'off' if scenario.close else 'on'};") if scenario.tls else ""
    (home / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {home}/nginx.pid; error_log {home}/error.log crit;
events {{ worker_connections 9900; }}
http {{
  access_log {log}; keepalive_requests 1000000000; client_body_temp_path {home}/a; proxy_temp_path {home}/b;
  fastcgi_temp_path {home}/c; uwsgi_temp_path {home}/d; scgi_temp_path {home}/e; server_tokens off;
  upstream app {{ server 127.0.0.1:{origin}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} {"ssl" if scenario.tls else ""} backlog=4096; {tls}
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; {forwarding}
    {routes}
    location / {{ proxy_pass http://app; }}
  }}
}}""")
    return ["nginx", "-e", f"{home}/error.log", "-c", f"{home}/nginx.conf"]


def haproxy(_, home, port, origin, scenario):
    backends = "".join(f"use_backend app if {{ path_beg /r{i}/ }}\n" for i in range(min(scenario.routes, 0)))
    (home / "routes.map").write_text("".join(f"/r{i}/ app\n" for i in range(scenario.routes)))
    by_map = f"use_backend %[path,map_beg({home}/routes.map,app)]\n" if scenario.routes else ""
    forwarding = "option forwardfor\nhttp-request set-header X-Forwarded-Proto http\nhttp-request set-header X-Request-ID %[uuid()]\n"
    log = "option httplog\nlog global\n" if scenario.log else ""
    target = f"log {home}/log.sock local0\n" if scenario.log else ""
    tls = f"ssl crt {home}/both.pem ssl-min-ver TLSv1.3 {'no-tls-tickets' if scenario.close else ''}" if scenario.tls else ""
    (home / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 9000
  tune.ssl.default-dh-param 2048
  {"tune.ssl.cachesize 0" if scenario.close else ""}
  {target}
defaults
  mode http
  timeout connect 5s
  timeout client 75s
  timeout server 60s
  {log}
frontend front
  bind 127.0.0.1:{port} {tls}
  {forwarding if scenario.log else ""}
  {backends}{by_map}
  default_backend app
backend app
  http-reuse always
  server one 127.0.0.1:{origin}
""")
    return ["haproxy", "-db", "-f", str(home / "haproxy.cfg")]


PROXIES = {"rproxy": rproxy, "nginx": nginx, "haproxy": haproxy}


def pinned(core):
    return lambda: os.sched_setaffinity(0, core)


class Running:
    def __init__(self, command, core, home):
        self.errors = open(home / "stderr", "ab")  # noqa: SIM115
        self.process = subprocess.Popen(command, preexec_fn=pinned(core), stdout=self.errors, stderr=self.errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.errors.close()

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text()).group(1))


def curl(scenario, port, head=False):
    scheme = "https" if scenario.tls else "http"
    done = subprocess.run(["curl", "-sk", "-w", "\n%{http_code}", f"{scheme}://127.0.0.1:{port}{scenario.path}"],
                          capture_output=True, check=False)
    body, _, status = done.stdout.rpartition(b"\n")
    return status.decode(), len(body)


def await_answer(scenario, port, name):
    want = ("200", 1 << 20 if scenario.path == "/1m" else 128)
    end = time.monotonic() + 60
    while (got := curl(scenario, port)) != want:
        if time.monotonic() > end:
            sys.exit(f"{name} answers {got} instead of {want}")
        time.sleep(0.05)


# ---- One round.


def load(scenario, port, seconds):
    """Completed requests, errors, p50, p99, p99.9 in us, requests per second."""
    scheme = "https" if scenario.tls else "http"
    command = ["wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s", "--latency", "-s", str(HERE / "report.lua")]
    command += ["-H", "Connection: close"] if scenario.close else []
    done = subprocess.run([*command, f"{scheme}://127.0.0.1:{port}{scenario.path}"], capture_output=True, text=True,
                          preexec_fn=pinned(LOAD_CORE), check=True)
    return [float(word) for word in re.search(r"^report (.*)$", done.stdout, re.M).group(1).split()]


def measure(scenario, running, port, seconds):
    before = running.cpu_seconds()
    requests, errors, p50, p99, p999, rate = load(scenario, port, seconds)
    if errors or not requests:
        return None
    return {"cpu": (running.cpu_seconds() - before) / requests * 1e6, "rate": rate, "p50": p50, "p99": p99, "p999": p999,
            "rss": running.resident_kib()}


def idle_memory(scenario, running, port):
    """KiB of resident memory per connection that made one request and stays."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for _ in range(200):  # what is taken once is not a connection's
        curl(scenario, port)
    before = running.resident_kib()
    held = []
    for _ in range(scenario.idle):
        connection = socket.create_connection(("127.0.0.1", port))
        if scenario.tls:
            connection = context.wrap_socket(connection)
        connection.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
        while not connection.recv(65536).endswith(b"x"):
            pass
        held.append(connection)
    grown = running.resident_kib() - before
    for connection in held:
        connection.close()
    return grown / scenario.idle


# ---- Everything.


def compare(scenario, build, rounds, seconds, origin):
    with contextlib.ExitStack() as stack:
        running, ports = {}, {}
        for name, configure in PROXIES.items():
            home = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"compare-{name}-")))
            make_certificate(home)
            if scenario.log and name == "haproxy":
                stack.enter_context(drain_datagrams(home / "log.sock"))
            ports[name] = free_port()
            command = configure(build, home, ports[name], origin, scenario)
            running[name] = stack.enter_context(Running(command, PROXY_CORE, home))
            await_answer(scenario, ports[name], name)
        if scenario.idle:
            return {name: idle_memory(scenario, running[name], ports[name]) for name in PROXIES}
        for name in PROXIES:
            load(scenario, ports[name], 1)
        results = {name: [] for name in PROXIES}
        for turn in range(rounds):
            one = {name: measure(scenario, running[name], ports[name], seconds) for name in PROXIES}
            if None in one.values():
                print(f"{scenario.name}: round {turn + 1} discarded: errors at {[n for n in one if one[n] is None]}")
                continue
            for name in PROXIES:
                results[name].append(one[name])
        return results


@contextlib.contextmanager
def drain_datagrams(path):
    sink = "import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\nwhile 1: s.recv(65536)"
    process = subprocess.Popen([sys.executable, "-c", sink, str(path)], preexec_fn=pinned(LOAD_CORE))
    try:
        yield
    finally:
        process.kill()
        process.wait()


def make_certificate(home):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                    "-subj", "/CN=shop.com", "-keyout", home / "cert.key", "-out", home / "cert.pem"], check=True,
                   capture_output=True)
    (home / "both.pem").write_text((home / "cert.pem").read_text() + (home / "cert.key").read_text())


def show(scenario, results):
    if scenario.idle:
        cells = "".join(f" {name} {kib:.1f}" for name, kib in results.items())
        print(f"{scenario.name:12} KiB per idle connection:{cells}", flush=True)
        return
    if not results["rproxy"]:
        return
    best = [min(r["cpu"] for name, runs in results.items() if name != "rproxy" for r in [runs[i]])
            for i in range(len(results["rproxy"]))]
    for name, runs in results.items():
        cpu = [run["cpu"] for run in runs]
        ratio = [run["cpu"] / peer for run, peer in zip(runs, best)]
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        print(f"{scenario.name:12} {name:8} {statistics.median(cpu):8.1f} us  {min(cpu):7.1f}..{max(cpu):<7.1f}"
              f" ratio {statistics.median(ratio):5.2f}  {middle['rate']:8.0f}/s  p50 {middle['p50']:.0f} p99 {middle['p99']:.0f}"
              f" p99.9 {middle['p999']:.0f} us  {middle['rss'] / 1024:.1f} MiB", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("scenarios", nargs="*")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=2)
    chosen = arguments.parse_intermixed_args()
    for tool in ("nginx", "haproxy", "wrk", "curl", "openssl"):
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin"):
            sys.exit(f"{tool} is missing")
    os.environ["PATH"] += ":/usr/sbin"
    port = free_port()
    with tempfile.TemporaryDirectory() as home, Running([chosen.build / "bin/compare_origin", str(port)], LOAD_CORE, pathlib.Path(home)):
        for scenario in SCENARIOS:
            if not chosen.scenarios or scenario.name in chosen.scenarios:
                show(scenario, compare(scenario, chosen.build.resolve(), chosen.rounds, chosen.seconds, port))


main()
