#!/usr/bin/env python3
"""How long `rproxy route-check`, lints and the proof of every route included, and `nginx -t` take for the same routes.

Usage: route_check.py BUILD_DIRECTORY [--rounds N] [ROUTES...]"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

PER_HOST = 100


def rproxy_text(count):
    yield '[listen]\nhttp = "127.0.0.1:18080"\n[upstreams.a]\nservers = ["127.0.0.1:9001"]\n'
    for i in range(count):
        method = ', method = ["GET"]' if i % 10 == 0 else ""
        yield f'[[routes]]\nmatch = {{ host = "shop{i // PER_HOST}.com", path = "/api/{i}/*"{method} }}\nupstream = "a"\n'


def nginx_text(count, home):
    yield (f"events {{}}\npid {home}/pid;\nerror_log {home}/errors;\nhttp {{\nserver_names_hash_max_size 65536;\n"
           "server_names_hash_bucket_size 128;\nupstream a { server 127.0.0.1:9001; }\n")
    for first in range(0, count, PER_HOST):
        yield f"server {{ listen 127.0.0.1:18080; server_name shop{first // PER_HOST}.com;\n"
        for i in range(first, min(first + PER_HOST, count)):
            yield f"location /api/{i}/ {{ proxy_pass http://a; }}\n"
        yield "}\n"
    yield "}\n"


def measure(command):
    """Seconds by the clock and of CPU, and the most memory in MiB."""
    start = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("routes", type=int, nargs="*", default=[1000, 10_000, 100_000])
    options = parser.parse_args()
    print(f"{'routes':>7}  {'':9}{'s':>7}{'cpu s':>8}{'MiB':>8}{'ratio':>8}")
    for count in options.routes:
        with tempfile.TemporaryDirectory() as directory:
            home = pathlib.Path(directory)
            (home / "r.toml").write_text("".join(rproxy_text(count)))
            (home / "n.conf").write_text("".join(nginx_text(count, home)))
            commands = {"rproxy": [options.build / "bin/rproxy", "route-check", home / "r.toml"],
                        "nginx -t": ["nginx", "-t", "-q", "-c", home / "n.conf"]}
            rounds = {name: [] for name in commands}
            for _ in range(options.rounds):
                for name, command in commands.items():
                    rounds[name].append(measure(command))
        medians = {name: [statistics.median(column) for column in zip(*each)] for name, each in rounds.items()}
        for name, (seconds, cpu, memory) in medians.items():
            ratio = seconds / medians["nginx -t"][0]
            print(f"{count:>7}  {name:9}{seconds:7.3f}{cpu:8.3f}{memory:8.0f}{ratio:8.2f}")


main()
