"""Real backends: nginx processes that are killed, stopped and started again on the same port."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from harness import LIMIT, until
from load import FILLING


class Nginx:
    """Answers what load.content() says; 500 to everything as long as there is a file `home/storm`."""

    def __init__(self, host="127.0.0.1", port=0, certificate=None, locations=""):
        """`locations`: further ones, in nginx's words; {home} is where its files are."""
        self.locations = locations
        self.host, self.home = host, pathlib.Path(tempfile.mkdtemp(prefix="rproxy-e2e-"))
        self.home.chmod(0o755)  # its worker may be nobody
        with socket.create_server((host, port)) as free:
            self.port = free.getsockname()[1]
        self.name = f"{host}:{self.port}"
        self.process = None
        self.start(certificate)

    def start(self, certificate=None):
        """`certificate`: the path of FILE.pem and FILE.key, without its end."""
        secret = f"ssl_certificate {certificate}.pem; ssl_certificate_key {certificate}.key;" if certificate else ""
        (self.home / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {self.home}/nginx.pid; error_log {self.home}/error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {self.home}/body;
  server {{
    listen {self.name} {"ssl" if certificate else ""} backlog=511;
    {secret}
    {self.locations.replace("{home}", str(self.home))}
    location / {{
      if (-f {self.home}/storm) {{ return 500 "storm"; }}
      return 200 "$request_uri {FILLING.decode()}";
    }}
  }}
}}
""")
        # In a group of its own, to be killed with its worker.
        self.process = subprocess.Popen(["nginx", "-e", f"{self.home}/error.log", "-c", f"{self.home}/nginx.conf"],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        until(self.answers, f"nginx to listen: {self.name}")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nginx ended with {self.process.returncode}: {self.process.stderr.read().decode()}")
        with socket.socket() as connection:
            return connection.connect_ex((self.host, self.port)) == 0

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def kill(self):
        """With everything that it is at."""
        self.signal(signal.SIGKILL)
        self.ended()

    def quit(self):
        """What it is at is answered; nobody listens there any more."""
        self.process.send_signal(signal.SIGQUIT)
        self.ended()

    def ended(self):
        self.process.wait(LIMIT)
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)
