#!/usr/bin/env python3
"""rproxy and its peers side by side; see README.md here. Usage: compare.py BUILD [--rounds N] [--seconds N] [SCENARIO...]"""

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

import idle_http2
import peers

HERE = pathlib.Path(__file__).resolve().parent
PROXY_CORE, LOAD_CORE = {0}, {1}
SIZES = {"1m": 1 << 20, "64k": 1 << 16, "1k": 1 << 10, "json": 51200, "html": 51200, "js": 51200}
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Scenario:
    def __init__(self, name, path="/small", connections=64, tls=False, close=False, log=False, routes=0, idle=0,
                 streams=0, upstream_http2=False, disk=False, accept="", resumes=False):
        self.name, self.path, self.connections, self.tls = name, path, connections, tls
        self.close, self.log, self.routes, self.idle = close, log, routes, idle
        self.streams = streams  # of each connection, by HTTP/2; 0: HTTP/1.1
        self.upstream_http2 = upstream_http2
        self.cached = path.startswith("/hit/")  # answered from a cache
        self.accept = accept  # Accept-Encoding
        self.resumes = resumes  # each request on a connection of its own, which resumes the first one's session
        self.disk = disk  # from one on the disk, where there is a choice
        self.files = path.startswith("/file/")  # from a directory, and not from the origin
        self.peers = peers.FILES if self.files else peers.HTTP2_BOTH_WAYS if upstream_http2 else peers.HTTP2 if streams else peers.CACHES if self.cached else peers.HTTP1
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:%d{path}"


SCENARIOS = [
    Scenario("small"), Scenario("logged", log=True), Scenario("large", path="/1m", connections=16),
    Scenario("connections", close=True), Scenario("tls", tls=True), Scenario("handshakes", tls=True, close=True),
    Scenario("resumptions", tls=True, resumes=True),
    Scenario("routes1000", path="/r999/x", routes=1000), Scenario("routes10000", path="/r9999/x", routes=10000),
    Scenario("idle", idle=5000), Scenario("idle_tls", tls=True, idle=2000),
    Scenario("h2", connections=16, tls=True, streams=10), Scenario("h2large", path="/1m", connections=4, tls=True, streams=4),
    Scenario("h2up", connections=16, tls=True, streams=10, upstream_http2=True),
    Scenario("hit1k", path="/hit/1k"), Scenario("hit64k", path="/hit/64k", connections=32),
    Scenario("hit1m", path="/hit/1m", connections=16), Scenario("disk1m", path="/hit/1m", connections=16, disk=True),
    *(Scenario(f"{name}_{kind}", path=f"/text/{kind}", connections=16, accept=accept)
      for kind in ("json", "html", "js") for name, accept in (("gzip", "gzip"), ("web", "gzip, deflate, br, zstd"))),
    Scenario("file1k", path="/file/1k"), Scenario("file64k", path="/file/64k", connections=32),
    Scenario("file1m", path="/file/1m", connections=16),
    Scenario("idle_h2", idle=5000, streams=1), Scenario("idle_h2_tls", tls=True, idle=2000, streams=1),
]


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
        """Of the process and of those that do its work."""
        total, left = 0, [str(self.process.pid)]
        while left:
            process = pathlib.Path("/proc") / left.pop()
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
            for task in (process / "task").iterdir():
                left += (task / "children").read_text().split()
        return total / TICK

    def resident_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.process.pid}/status").read_text()).group(1))


def curl(scenario, port):
    protocol = ["--http2-prior-knowledge"] if scenario.streams else ["--http1.1"]
    done = subprocess.run(["curl", "-sk", *protocol, "-w", "\n%{http_code}", scenario.url % port], capture_output=True,
                          check=False)
    body, _, status = done.stdout.rpartition(b"\n")
    return status.decode(), len(body)


def bytes_sent(scenario, port):
    done = subprocess.run(["curl", "-sk", "--http1.1", "-o", "/dev/null", "-w", "%{size_download}", "-H", f"Accept-Encoding: {scenario.accept}", scenario.url % port],
                          capture_output=True, check=True)
    return int(done.stdout)


def await_answer(scenario, port, name):
    want = ("200", SIZES.get(scenario.path.rpartition("/")[2], 128))
    end = time.monotonic() + 60
    while (got := curl(scenario, port)) != want:
        if time.monotonic() > end:
            sys.exit(f"{name} answers {got} instead of {want}")
        time.sleep(0.05)


# ---- One round.


def load(scenario, port, seconds):
    """Completed requests, errors, requests per second, p50, p99, p99.9 in us."""
    if scenario.resumes:
        return load_resuming(port, scenario.path, seconds)
    return (load_http2 if scenario.streams else load_http1)(scenario, port, seconds)


def load_resuming(port, path, seconds):
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-tls1_3", "-reuse", "-www", path, "-time", str(seconds)]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=pinned(LOAD_CORE), check=True)
    marks = re.search(r"starting\n(.*?)\n", done.stdout, re.S).group(1)
    resumed, others = marks.count("r"), len(marks) - marks.count("r")
    return resumed, others, resumed / seconds, 0, 0, 0


def load_http1(scenario, port, seconds):
    command = ["wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s", "--latency", "-s", str(HERE / "report.lua")]
    command += ["-H", "Connection: close"] if scenario.close else []
    command += ["-H", f"Accept-Encoding: {scenario.accept}"] if scenario.accept else []
    done = subprocess.run([*command, scenario.url % port], capture_output=True, text=True, preexec_fn=pinned(LOAD_CORE),
                          check=True)
    return [float(word) for word in re.search(r"^report (.*)$", done.stdout, re.M).group(1).split()]


def load_http2(scenario, port, seconds):
    command = ["h2load", "-t1", f"-c{scenario.connections}", f"-m{scenario.streams}", f"-D{seconds}", scenario.url % port]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=pinned(LOAD_CORE), check=True)
    count, rate = r"(\d+) ", r"([\d.]+) req/s"
    completed, succeeded = map(int, re.search(rf"^requests: .* {count}done, {count}succeeded", done.stdout, re.M).groups())
    return completed, completed - succeeded, float(re.search(rate, done.stdout).group(1)), 0, 0, 0


def measure(scenario, running, port, seconds):
    before = running.cpu_seconds()
    requests, errors, rate, p50, p99, p999 = load(scenario, port, seconds)
    if errors or not requests:
        return None
    return {"cpu": (running.cpu_seconds() - before) / requests * 1e6, "rate": rate, "p50": p50, "p99": p99, "p999": p999,
            "rss": running.resident_kib(), "sent": bytes_sent(scenario, port) if scenario.accept else 0}


def ask_http1(connection):
    connection.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
    while not connection.recv(65536).endswith(b"x"):
        pass


def idle_memory(scenario, running, port):
    """KiB of resident memory per connection that made one request and stays."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if scenario.streams:
        context.set_alpn_protocols(["h2"])
    for _ in range(200):  # what is taken once is not a connection's
        curl(scenario, port)
    before = running.resident_kib()
    held = []
    for _ in range(scenario.idle):
        connection = socket.create_connection(("127.0.0.1", port))
        if scenario.tls:
            connection = context.wrap_socket(connection)
        (idle_http2.ask if scenario.streams else ask_http1)(connection)
        held.append(connection)
    grown = running.resident_kib() - before
    for connection in held:
        connection.close()
    return grown / scenario.idle


# ---- Everything.


def compare(scenario, build, rounds, seconds, origin):
    with contextlib.ExitStack() as stack:
        running, ports = {}, {}
        for name, configure in scenario.peers.items():
            home = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"compare-{name}-")))
            make_certificate(home)
            if scenario.files:
                make_files(home)
            if scenario.log and name == "haproxy":
                stack.enter_context(drain_datagrams(home / "log.sock"))
            ports[name] = free_port()
            command = configure(build, home, ports[name], origin, scenario)
            running[name] = stack.enter_context(Running(command, PROXY_CORE, home))
            await_answer(scenario, ports[name], name)
        if scenario.idle:
            return {name: idle_memory(scenario, running[name], ports[name]) for name in scenario.peers}
        for name in scenario.peers:
            load(scenario, ports[name], 1)
        results = {name: [] for name in scenario.peers}
        for turn in range(rounds):
            one = {name: measure(scenario, running[name], ports[name], seconds) for name in scenario.peers}
            if None in one.values():
                print(f"{scenario.name}: round {turn + 1} discarded: errors at {[n for n in one if one[n] is None]}")
                continue
            for name in scenario.peers:
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


def make_files(home):
    (home / "www/file").mkdir(parents=True)
    for name, size in SIZES.items():
        (home / "www/file" / name).write_bytes(b"x" * size)


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
        latency = f"  p50 {middle['p50']:.0f} p99 {middle['p99']:.0f} p99.9 {middle['p999']:.0f} us" if middle["p50"] else ""
        saved = f"  {middle['sent']:.0f} bytes, {statistics.median(cpu) / (51200 - middle['sent']) * 1000:.2f} us per KB saved" if scenario.accept else ""
        print(f"{scenario.name:12} {name:8} {statistics.median(cpu):8.1f} us  {min(cpu):7.1f}..{max(cpu):<7.1f}"
              f" ratio {statistics.median(ratio):5.2f}  {middle['rate']:8.0f}/s{latency}  {middle['rss'] / 1024:.1f} MiB{saved}",
              flush=True)


@contextlib.contextmanager
def http2_origin():
    with tempfile.TemporaryDirectory() as home:
        (pathlib.Path(home) / "small").write_text("x" * 128)
        port = free_port()
        command = ["nghttpd", "--no-tls", "--address=127.0.0.1", f"--htdocs={home}", str(port)]
        with Running(command, LOAD_CORE, pathlib.Path(home)):
            yield port


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("scenarios", nargs="*")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=2)
    chosen = arguments.parse_intermixed_args()
    names = chosen.scenarios or [scenario.name for scenario in SCENARIOS]
    tools = ["nginx", "haproxy", "curl", "openssl", "wrk"]
    if any(scenario.streams for scenario in SCENARIOS if scenario.name in names):
        tools += ["h2o", "nghttpx", "nghttpd", "h2load"]
    if any(scenario.cached for scenario in SCENARIOS if scenario.name in names):
        tools.append("varnishd")
    for tool in tools:
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin"):
            sys.exit(f"{tool} is missing")
    os.environ["PATH"] += ":/usr/sbin"
    port = free_port()
    with tempfile.TemporaryDirectory() as home, Running([chosen.build / "bin/compare_origin", str(port)], LOAD_CORE, pathlib.Path(home)):
        for scenario in SCENARIOS:
            if scenario.name not in names:
                continue
            with http2_origin() if scenario.upstream_http2 else contextlib.nullcontext(port) as origin:
                show(scenario, compare(scenario, chosen.build.resolve(), chosen.rounds, chosen.seconds, origin))


main()
