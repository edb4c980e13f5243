#!/usr/bin/env python3
"""Long runs that show what short tests can't. Usage: soak.py BUILD [restarts] [bodies] [idle]

restarts  1,000,000 requests at 64 connections while three backends are killed and restarted in turn: no failed request
bodies    4 GiB down and 4 GiB up: resident memory stays flat
idle      10,000 idle keep-alive connections are held and answered"""

import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
GIB = 1 << 30


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def resident_kib(pid, key="VmRSS"):
    return int(re.search(key + r":\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1))


class Proxy:
    def __init__(self, build, home, backends, extra=""):
        self.port = free_port()
        servers = ", ".join(f'"127.0.0.1:{port}"' for port in backends)
        path = pathlib.Path(home) / "soak.toml"
        path.write_text(f'[listen]\nhttp = "127.0.0.1:{self.port}"\n{extra}\n[upstreams.app]\nservers = [{servers}]\n'
                        '[[routes]]\nmatch = "*"\nupstream = "app"\n')
        self.errors = open(pathlib.Path(home) / "soak.log", "w")  # noqa: SIM115
        self.process = subprocess.Popen([build / "bin/rproxy", "serve", path], stderr=self.errors)
        await_port(self.port)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.errors.close()


def await_port(port):
    for _ in range(2000):
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.005)
    sys.exit(f"nothing answers on port {port}")


def restarts(build, home):
    ports = [free_port() for _ in range(3)]
    start = lambda port: subprocess.Popen([build / "bin/compare_origin", str(port)])  # noqa: E731
    origins = [start(port) for port in ports]
    for port in ports:
        await_port(port)
    done, kills, total, errors = threading.Event(), 0, 0, 0

    def disturb():
        nonlocal kills
        while not done.wait(0.2):
            index = kills % len(ports)
            origins[index].kill()
            origins[index].wait()
            done.wait(0.1)
            origins[index] = start(ports[index])
            await_port(ports[index])
            kills += 1

    with Proxy(build, home, ports) as proxy:
        disturber = threading.Thread(target=disturb)
        disturber.start()
        while total < 1_000_000:
            run = subprocess.run(["wrk", "-t1", "-c64", "-d5s", "-s", HERE / "compare/report.lua", f"http://127.0.0.1:{proxy.port}/small"],
                                 capture_output=True, text=True, check=True)
            words = re.search(r"^report (.*)$", run.stdout, re.M).group(1).split()
            total, errors = total + int(words[0]), errors + int(words[1])
        done.set()
        disturber.join()
    for origin in origins:
        origin.kill()
        origin.wait()
    print(f"restarts: {total} requests, {kills} backends killed and restarted, {errors} failed")
    return errors == 0


def bodies(build, home):
    listener = socket.create_server(("127.0.0.1", 0))
    received = []

    def serve():
        block = memoryview(bytearray(1 << 20))
        for _ in range(2):
            connection, _ = listener.accept()
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            head, _, rest = head.partition(b"\r\n\r\n")
            if head.startswith(b"GET"):
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (4 * GIB))
                for _ in range(4 * GIB // len(block)):
                    connection.sendall(block)
            else:
                length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
                got = len(rest)
                while got < length and (size := connection.recv_into(block)):
                    got += size
                received.append(got)
                connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            connection.close()

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    sparse = pathlib.Path(home) / "4g"
    with open(sparse, "wb") as file:
        file.truncate(4 * GIB)
    with Proxy(build, home, [listener.getsockname()[1]]) as proxy:
        before = resident_kib(proxy.process.pid)
        url = f"http://127.0.0.1:{proxy.port}/"
        down = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{size_download}", url], capture_output=True, text=True, check=True)
        middle = resident_kib(proxy.process.pid)
        subprocess.run(["curl", "-sS", "-H", "Expect:", "-T", sparse, url], check=True)
        peak = resident_kib(proxy.process.pid, "VmHWM")
    print(f"bodies: {down.stdout} bytes down, {received} up; resident {before} KiB before, {middle} between, {peak} at most")
    return int(down.stdout) == 4 * GIB and received == [4 * GIB] and peak - before < 4096


def idle(build, home):
    count = 10_000
    port = free_port()
    origin = subprocess.Popen([build / "bin/compare_origin", str(port)])
    await_port(port)
    with Proxy(build, home, [port], '[server]\nmax_connections = 10100\n[client]\nkeep_alive_timeout = "10m"\n') as proxy:
        held, request = [], b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n"
        before = resident_kib(proxy.process.pid)
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", proxy.port))
            connection.sendall(request)
            while not connection.recv(65536).endswith(b"x"):
                pass
            held.append(connection)
        grown = resident_kib(proxy.process.pid) - before
        answered = 0
        for connection in held:
            connection.sendall(request)
            answered += connection.recv(65536).startswith(b"HTTP/1.1 200")
    origin.kill()
    origin.wait()
    print(f"idle: {count} connections held, {grown / count:.2f} KiB each, {answered} answered again")
    return answered == count


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    chosen = sys.argv[2:] or ["restarts", "bodies", "idle"]
    with tempfile.TemporaryDirectory() as home:
        sys.exit(not all([{"restarts": restarts, "bodies": bodies, "idle": idle}[name](build, home) for name in chosen]))


main()
