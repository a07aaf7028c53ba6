"""Starts the two programs, asks them things, and waits for conditions with a deadline."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

KEY = "demo-key-demo-key-demo-key"
RUNTIME = "docker.example.com/ml-runtime:2024.10"
# The simulated gateway finishes what its caller gave up within 30 virtual seconds.
FAST = ["--write-settle", "1500ms"]
SANITIZER = re.compile(r"ERROR: (?:Address|Leak|Thread)Sanitizer.*|WARNING: ThreadSanitizer.*|"
                       r"runtime error: .*")

CHAIN = """\
jobs:
  git_sync:
    name: Git Repository Sync
    script: cai_integration/git_sync.py
    cpu: 4
    memory: 16
    timeout: 300
    parent_job_key: null
  setup_environment:
    name: Setup Python Environment
    script: cai_integration/setup_environment.py
    cpu: 4
    memory: 16
    timeout: 1800
    parent_job_key: git_sync
  launch_ray_cluster:
    name: Launch Ray Cluster
    script: cai_integration/launch_ray_cluster.py
    cpu: 4
    memory: 16
    timeout: 600
    parent_job_key: setup_environment
"""
ONE = """\
jobs:
  git_sync:
    name: Git Repository Sync
    script: git_sync.py
    cpu: 2
    memory: 4
"""


class Skipped(Exception):
    """A test that cannot be run here, with the reason."""


def wait_for(what, condition, seconds=60):
    """The first true value of condition(), or an AssertionError that says what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)


def get(url, token=None, method="GET", body=None, timeout=10):
    """(status, text) of a request; (0, reason) where there was no answer."""
    request = urllib.request.Request(url, method=method, data=body)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()
    except OSError as e:
        return 0, str(e)


class Process:
    """A program whose output is collected while it runs."""

    def __init__(self, arguments, env):
        self.child = subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True, errors="replace")
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.lines.append(line)

    @property
    def output(self):
        return "".join(self.lines)

    def send(self, number):
        self.child.send_signal(number)

    def wait(self, seconds=60):
        code = self.child.wait(seconds)
        self.reader.join(5)
        return code

    def running(self):
        return self.child.poll() is None

    def end(self):
        if self.running():
            self.child.kill()
        self.child.wait(10)
        self.reader.join(5)
        self.child.stdout.close()


class World:
    """One simulator, a folder for files, and any number of daemons."""

    def __init__(self, daemon, simulator):
        self.daemon_path = daemon
        self.simulator_path = simulator
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cmlrec-e2e-"))
        self.processes = []
        self.host = None
        self.simulator = None
        self.file = self.folder / "jobs_config.yaml"
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "CML_API_KEY": KEY,
            "GITHUB_REPOSITORY": "example/ray-on-cml",
            "RUNTIME_IDENTIFIER": RUNTIME,
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def close(self):
        for process in reversed(self.processes):
            process.end()

    def check_sanitizers(self):
        """A sanitizer's complaint fails the test, whatever the exit code meant to it."""
        for process in self.processes:
            found = SANITIZER.search(process.output)
            if found:
                raise AssertionError("a sanitizer complains: " + found.group())

    def write(self, text, name=None):
        path = self.folder / name if name else self.file
        path.write_text(text)
        return path

    def start(self, *arguments):
        process = Process([str(a) for a in arguments], self.env)
        self.processes.append(process)
        return process

    def simulate(self, *flags, listen="127.0.0.1:0"):
        self.simulator = self.start(self.simulator_path, "--listen", listen, "--speed", "60", *flags)
        found = wait_for("the simulator's address",
                         lambda: re.search(r"http://127\.0\.0\.1:\d+", self.simulator.output))
        self.host = found.group()
        self.env["CML_HOST"] = self.host
        return self.simulator

    def command(self, *arguments, seconds=120, env=None):
        """Runs a command of the daemon to its end: (exit code, output, seconds)."""
        began = time.monotonic()
        if env:
            saved, self.env = self.env, {**self.env, **env}
        process = self.start(self.daemon_path, *arguments)
        if env:
            self.env = saved
        code = process.wait(seconds)
        return code, process.output, time.monotonic() - began

    def apply(self, *flags, seconds=120, env=None):
        return self.command("apply", "--config", self.file, *FAST, *flags, seconds=seconds, env=env)

    def run_daemon(self, *flags, env=None, listening="listen="):
        if env:
            saved, self.env = self.env, {**self.env, **env}
        defaults = [] if "--interval" in flags else ["--interval", "2s"]
        defaults += [] if "--write-settle" in flags else FAST
        process = self.start(self.daemon_path, "run", "--config", self.file, "--listen",
                             "127.0.0.1:0", *defaults, *flags)
        if env:
            self.env = saved
        found = wait_for("the daemon's address",
                         lambda: re.search(listening + r"(\S*?127\.0\.0\.1:\d+)", process.output)
                         or (not process.running() and re.match("", "")))
        if not found.group():
            raise AssertionError("the daemon has ended: " + process.output)
        process.url = "http://" + found.group(1).strip('"')
        return process

    def ledger(self):
        return json.loads(get(self.host + "/-/ledger")[1])

    def simulator_post(self, path, **body):
        status, text = get(self.host + path, method="POST", body=json.dumps(body).encode())
        if not 200 <= status < 300:
            raise AssertionError(f"{path}: {status} {text}")

    def cml(self, path):
        status, text = get(self.host + "/api/v2" + path, token=KEY)
        if status != 200:
            raise AssertionError(f"{path}: {status} {text}")
        return json.loads(text)

    def project(self, name="ray-cluster"):
        for p in self.cml("/projects?page_size=50")["projects"]:
            if p["name"] == name:
                return p
        return None

    def jobs(self, name="ray-cluster"):
        project = self.project(name)
        if not project:
            return {}
        listed = self.cml(f"/projects/{project['id']}/jobs?page_size=50")["jobs"]
        return {j["name"]: j for j in listed}

    def runs(self, job_name):
        return [r for r in self.ledger()["runs"] if r["job"] == job_name]


def status_of(process):
    code, text = get(process.url + "/v1/status")
    return json.loads(text) if code == 200 else {}


def state_of(process, project="ray-cluster"):
    for p in status_of(process).get("projects", []):
        if p["name"] == project:
            return p["state"]
    return None


def wait_state(process, state, seconds=90, project="ray-cluster"):
    try:
        return wait_for(f"state {state}", lambda: state_of(process, project) == state, seconds)
    except AssertionError as e:
        raise AssertionError(f"{e}; status: {status_of(process)}\n{process.output[-3000:]}") from None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


__all__ = [name for name in dir() if not name.startswith("_")] + ["signal", "socket"]
