"""An ACME server for tests: Pebble on loopback with a CA of its own for its API, and a DNS that says 127.0.0.1 to everything."""

import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import urllib.request

from harness import LIMIT, free_port, make_authority, make_certificate, until


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


# $1 present or cleanup, $2 the record, $3 its value
DNS_HOOK = """#!/bin/sh
case $1 in
  present) curl -sS -m 5 -d "{\\"host\\": \\"$2\\", \\"value\\": \\"$3\\"}" http://127.0.0.1:PORT/set-txt ;;
  cleanup) curl -sS -m 5 -d "{\\"host\\": \\"$2\\"}" http://127.0.0.1:PORT/clear-txt ;;
esac
"""


class Pebble:
    """Validates by HTTP at `http_port` and by TLS at `tls_port`; `environment` has Pebble's switches, `settings` its configuration's."""

    def __init__(self, http_port=None, tls_port=None, environment=None, **settings):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="rproxy-pebble-"))
        self.http_port, self.tls_port = http_port or free_port(), tls_port or free_port()
        self.port, self.management, self.dns, self.challenges = (free_port() for _ in range(4))
        self.authority = make_authority(self.home)
        make_certificate(self.home, "api", "localhost", "127.0.0.1")
        self.environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", **(environment or {})}
        self.settings = settings
        self.names = subprocess.Popen(
            ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{self.dns}", "-management", f"127.0.0.1:{self.challenges}",
             "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start()
        until(lambda: is_open(self.challenges), "the DNS")

    def start(self):
        """Also again after stop(): it has forgotten everything then."""
        config = {"pebble": {"listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{self.management}",
                             "certificate": str(self.home / "api.pem"), "privateKey": str(self.home / "api.key"),
                             "httpPort": self.http_port, "tlsPort": self.tls_port, "ocspResponderURL": "",
                             "externalAccountBindingRequired": False, **self.settings}}
        (self.home / "pebble.json").write_text(json.dumps(config))
        with open(self.home / "log", "a") as log:
            self.process = subprocess.Popen(
                ["pebble", "-config", "pebble.json", "-dnsserver", f"127.0.0.1:{self.dns}", "-strict"], cwd=self.home,
                env={**os.environ, **self.environment}, stdout=log, stderr=subprocess.STDOUT)
        until(lambda: is_open(self.port) and is_open(self.management), f"Pebble:\n{self.log()}")

    def stop(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        return (self.home / "log").read_text()

    def issued(self):
        """How many certificates it has made."""
        return len(re.findall(r"Issued certificate", self.log()))

    @property
    def directory(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def root(self):
        """Whom its certificates are held against; another one at each start."""
        context = ssl.create_default_context(cafile=str(self.authority))
        with urllib.request.urlopen(f"https://127.0.0.1:{self.management}/roots/0", context=context, timeout=LIMIT) as answer:
            path = self.home / "root.pem"
            path.write_bytes(answer.read())
            return path

    def dns_hook(self, directory):
        """A program in `directory` that sets records in its DNS."""
        hook = directory / "hook"
        hook.write_text(DNS_HOOK.replace("PORT", str(self.challenges)))
        hook.chmod(0o755)
        return hook

    def section(self, storage, **keys):
        """[tls.acme] that leads here."""
        lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
        return f"""
[tls.acme]
email = "ops@shop.com"
directory = "{self.directory}"
ca_file = "{self.authority}"
storage = "{storage}"
retry = "1s"
{lines}"""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.names.kill()
        self.names.wait()
        shutil.rmtree(self.home, ignore_errors=True)
