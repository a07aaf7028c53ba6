"""One line per check, waiting with a deadline, and the trees that are worth keeping."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[3]
CACHE = pathlib.Path.home() / ".cache" / "cml-reconciler-tests"
KEY = "demo-key-demo-key-demo-key"

RUNTIME_PACKAGES = ["libboost-json1.81.0", "libboost-url1.81.0", "libprometheus-cpp-core1.0",
                    "libspdlog1.10", "libssl3", "libsystemd0", "libyaml-cpp0.7"]
TREE_PACKAGES = ["systemd", "systemd-sysv", "dbus", "procps", "curl", "iproute2", "ca-certificates",
                 "bash-completion", "man-db", "init-system-helpers", *RUNTIME_PACKAGES]

GOOD = """\
project: {name: ray-cluster, git_url: example/ray-on-cml, runtime_identifier: docker.example.com/r:1}
jobs:
  git_sync:
    name: Git Repository Sync
    script: git_sync.py
    cpu: 2
    memory: 4
"""
BAD = GOOD.replace("cpu: 2", "cpu: many")


class Skip(Exception):
    """The reason for which nothing of this part can be tried here."""


class Checks:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], 0

    def run(self, name, function, *arguments):
        began = time.monotonic()
        try:
            function(*arguments)
        except Skip as e:
            self.skipped += 1
            print(f"skipped  {name}: {e}", flush=True)
        except Exception as e:  # a check must not end the others
            self.failed.append(name)
            print(f"FAILED   {name}: {type(e).__name__}: {e}", flush=True)
        else:
            self.passed += 1
            print(f"passed   {name} ({time.monotonic() - began:.1f} s)", flush=True)

    def skip_all(self, names, reason):
        for name in names:
            self.skipped += 1
            print(f"skipped  {name}: {reason}", flush=True)


def wait_for(what, condition, seconds=30):
    """The first true value of condition(); an AssertionError that says what did not come."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.05)


def run(*arguments, check=True, seconds=300, **more):
    """Runs a program to its end; its output is both streams."""
    done = subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=seconds, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))} gave {done.returncode}:\n"
                             f"{done.stdout[-3000:]}")
    return done


def get(url, timeout=5):
    """(status, text); (0, reason) where there was no answer."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()
    except OSError as e:
        return 0, str(e)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Background:
    """A program that is ended, with all that it has started, by its own id."""

    def __init__(self, log, *arguments, env=None):
        self.log = pathlib.Path(log)
        self.file = self.log.open("wb")
        self.child = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL,
                                      stdout=self.file, stderr=subprocess.STDOUT, env=env,
                                      start_new_session=True)

    @property
    def output(self):
        return self.log.read_text(errors="replace")

    def end(self, number=signal.SIGTERM, seconds=20):
        if self.child.poll() is None:
            self.child.send_signal(number)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.child.pid, signal.SIGKILL)
                self.child.wait(10)
        self.file.close()


def simulator(program, folder, *flags):
    """(process, its address)"""
    process = Background(folder / "simulator.log", program, "--listen", "127.0.0.1:0", "--speed", "60",
                         *flags)
    found = wait_for("the simulator", lambda: re.search(r"http://127\.0\.0\.1:\d+", process.output))
    return process, found.group()


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise Skip(f"{program} cannot be had here")


def make_tree(tar, packages):
    """A Debian 12 with these packages, as a tar file."""
    CACHE.mkdir(parents=True, exist_ok=True)
    part = CACHE / f"{tar.stem}.{os.getpid()}.part.tar"
    sources = sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*.sources"))
    sources += [p for p in [pathlib.Path("/etc/apt/sources.list")] if p.exists()]
    if not sources:
        raise Skip("no list of package sources is known")
    include = ["--include=" + ",".join(packages)] if packages else []
    made = run("mmdebstrap", "--variant=minbase", "--mode=root", *include, "bookworm", part, sources[0],
               check=False, seconds=900)
    if made.returncode != 0:
        part.unlink(missing_ok=True)
        raise Skip("the tree cannot be made: " + made.stdout.strip().splitlines()[-1])
    part.rename(tar)


def base_tree():
    """Debian with systemd and what the daemon needs to run; made once."""
    need("mmdebstrap")
    tar = CACHE / "tree.tar"
    if not tar.exists():
        make_tree(tar, TREE_PACKAGES)
    return tar


def fail_unless(condition, message):
    if not condition:
        raise AssertionError(message)


__all__ = [name for name in dir() if not name.startswith("_")]

