"""What the tests of `rproxy cert` share: the command, servers to ask, and a directory of one's own."""

import contextlib
import os
import pathlib
import re
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest

BINARY = os.environ["RPROXY"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
CHAINS = ROOT / "tests/cases/chains"
NO_TERMINAL = {"stdin": subprocess.DEVNULL, "start_new_session": True}


def cert(*arguments, cwd=None, stdin=subprocess.DEVNULL, **environment):
    return subprocess.run([BINARY, "cert", *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd, stdin=stdin,
                          start_new_session=True, env={**os.environ, **environment})


def run(*arguments, cwd=None):
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd, **NO_TERMINAL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def normal(text):
    """Without what differs from run to run."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text)
    text = re.sub(r"\b(?:[0-9A-F]{2}:){15,}[0-9A-F]{2}\b", "HEX", text)
    text = re.sub(r"\b[0-9A-F]{32}\b", "SERIAL", text)
    return re.sub(r"[A-Za-z0-9+/]{43}=", "PIN", text)


@contextlib.contextmanager
def process(*arguments, cwd, port):
    with open(os.path.join(cwd, "server.log"), "w") as output:
        started = subprocess.Popen([*map(str, arguments)], cwd=cwd, stdin=subprocess.PIPE, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            if time.monotonic() > deadline or started.poll() is not None:
                raise AssertionError(pathlib.Path(cwd, "server.log").read_text())
            time.sleep(0.02)
        yield started
    finally:
        started.stdin.close()
        started.kill()
        started.wait()


@contextlib.contextmanager
def peer(serve):
    """A server that does to each connection what `serve` says."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)

        def to_the_end(connection):
            with connection, contextlib.suppress(OSError):
                serve(connection)

        def accept():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=to_the_end, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


class CertCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.home = pathlib.Path(self.temporary.name)

    def cert(self, *arguments, code=0, **more):
        done = cert(*arguments, cwd=self.home, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def authority(self):
        self.cert("ca", "Test CA", "--not-before", "2026-01-01")

    def openssl(self, *arguments, code=0):
        done = run("openssl", *arguments, cwd=self.home)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout

    def mode(self, name):
        return stat.S_IMODE((self.home / name).stat().st_mode)
