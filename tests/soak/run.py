#!/usr/bin/env python3
"""The real daemon at work for a while: what it holds must not grow.

    run.py --daemon PATH --simulator PATH [--minutes 10] [--jobs 1000]

A thousand jobs in several projects, with faults, with people who edit and start things, and with
everybody who asks a daemon something. Memory and descriptors are sampled all along; the first third of
the time is for warming up."""
import argparse
import http.client
import pathlib
import random
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from harness import World, get, signal, wait_for  # noqa: E402

PROJECTS = 5
FAULTS = "lost_before=1,unavailable=1,throttled=1,truncated=1,writes:late_commit=2"
# The median of the last third over that of the second: memory that is kept for good shows in it,
# what is taken and given back does not.
MOST_GROWTH = 1.03


def file_of(jobs):
    out = ["projects:"]
    for p in range(PROJECTS):
        out += [f"  project{p}:", "    git_url: https://example.com/o/r", "    jobs:"]
        for n in range(jobs // PROJECTS):
            out += [f"      job{n}:", f"        name: job{n}", f"        script: job{n}.py",
                    "        cpu: 2", "        retry: {max_attempts: 3, backoff: 5s}"]
            if n % 4:
                out += [f"        parent_job_key: job{n - 1}"]
    return "\n".join(out) + "\n"


def resident(pid):
    """KiB"""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Asker:
    """Latencies of /healthz over a connection that stays open."""

    def __init__(self, url):
        self.address = url.removeprefix("http://")
        self.connection = http.client.HTTPConnection(self.address, timeout=10)
        self.seconds = []

    def ask(self):
        began = time.monotonic()
        self.connection.request("GET", "/healthz")
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        self.seconds.append(time.monotonic() - began)

    def percentile(self, share):
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def disturb(world, choose):
    """Somebody edits or starts a job; a refusal, because it is busy, is nothing."""
    project, job = f"project{choose.randrange(PROJECTS)}", f"job{choose.randrange(20)}"
    try:
        if choose.random() < 0.5:
            world.simulator_post("/-/edit", project=project, job=job, fields={"cpu": 3})
        else:
            world.simulator_post("/-/run", project=project, job=job)
    except AssertionError:
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--daemon", required=True)
    parser.add_argument("--simulator", required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=1000)
    options = parser.parse_args()
    choose = random.Random(1)
    world = World(options.daemon, options.simulator)
    try:
        world.write(file_of(options.jobs))
        world.simulate("--faults", FAULTS, "--script-delay", "0")
        daemon = world.run_daemon("--interval", "5s", "--runs-refresh", "1m", "--write-settle", "2s",
                                  "--state-dir", world.folder / "state", "--log-level", "info",
                                  "--max-in-flight", "8", "--requests-per-second", "200")
        pid = daemon.child.pid
        began = time.monotonic()
        end = began + 60 * options.minutes
        asker = Asker(daemon.url)
        memory, open_files = [], []
        while time.monotonic() < end:
            for _ in range(20):
                asker.ask()
            get(daemon.url + "/metrics")
            get(daemon.url + "/v1/status")
            disturb(world, choose)
            memory.append(resident(pid))
            open_files.append(descriptors(pid))
            at = time.monotonic() + 0.5
            wait_for("the next sample", lambda: time.monotonic() >= at, 5)
            if not daemon.running():
                raise AssertionError("the daemon has ended: " + daemon.output[-3000:])
        third = len(memory) // 3
        second = statistics.median(memory[third:2 * third])
        last = statistics.median(memory[2 * third:])
        files = [max(open_files[third:2 * third]), max(open_files[2 * third:])]
        calls = sum(world.ledger()["calls"].values())
        print(f"figure: soak: {options.minutes:g} min, {options.jobs} jobs, {calls} calls to CML, "
              f"{len(world.ledger()['runs'])} runs; RSS {min(memory) / 1024:.1f} to "
              f"{max(memory) / 1024:.1f} MiB, medians {second / 1024:.1f} and {last / 1024:.1f}; "
              f"descriptors at most {files[0]} and {files[1]}; CPU {processor_seconds(pid):.0f} s; "
              f"/healthz p50 {asker.percentile(0.5):.1f} ms, p99 {asker.percentile(0.99):.1f} ms")
        wrong = []
        if last > second * MOST_GROWTH:
            wrong.append("memory grows")
        # Connections come and go with the load: one for each request in flight, and those that ask.
        if files[1] > files[0] + 4:
            wrong.append("descriptors grow")
        daemon.send(signal.SIGTERM)
        if daemon.wait(15) != 0:
            wrong.append("it did not stop as it should")
        for sentence in wrong:
            print("FAILED: " + sentence)
        return 1 if wrong else 0
    finally:
        world.close()


sys.exit(main())
