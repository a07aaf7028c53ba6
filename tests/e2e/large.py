"""A workspace of ten thousand jobs: the door answers while the daemon works on them."""
import http.client
import time

from harness import get, wait_for

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class Visitor:
    """Asks for a path again and again, as curl does: each time by a connection of its own."""

    def __init__(self, daemon):
        self.address = daemon.url.removeprefix("http://")
        self.took = []

    def ask(self, path="/healthz"):
        began = time.monotonic()
        connection = http.client.HTTPConnection(self.address, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status == 200, (answer.status, text)
        finally:
            connection.close()
        self.took.append(time.monotonic() - began)

    def ask_until(self, condition, seconds):
        """About fifty times a second; the condition is looked at once in a while."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "not within the time"
            for _ in range(100):
                at = time.monotonic() + 0.001
                self.ask()
                wait_for("the next moment", lambda: time.monotonic() >= at)

    def percentile(self, share):
        return sorted(self.took)[int(share * (len(self.took) - 1))] * 1000

    def words(self):
        return (f"{len(self.took)} answers, p50 {self.percentile(0.5):.1f} ms, "
                f"p99 {self.percentile(0.99):.1f} ms, longest {max(self.took) * 1000:.0f} ms")


def file_of(projects, jobs):
    lines = ["projects:"]
    for p in range(projects):
        lines += [f"  project{p}:", "    git_url: https://example.com/o/r", "    jobs:"]
        for n in range(jobs // projects):
            # Watched: ten thousand runs would be the simulator's work, and not the daemon's.
            lines += [f"      job{n}:", f"        name: Job number {n}", f"        script: scripts/job{n}.py",
                      "        cpu: 2", "        memory: 4", "        run: never"]
    return "\n".join(lines) + "\n"


def passes(daemon):
    text = get(daemon.url + "/metrics")[1]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("cml_reconciler_passes_total{"))


def answers_in_time(w, projects):
    release = "release" in w.daemon_path
    jobs = 10000 if release else 300
    w.write(file_of(projects, jobs))
    w.simulate("--script-delay", "0")
    daemon = w.run_daemon("--interval", "1s", "--max-in-flight", "32", "--requests-per-second", "0",
                          "--state-dir", w.folder / "state")
    first = Visitor(daemon)
    first.ask_until(lambda: get(daemon.url + "/readyz")[0] == 200 and
                    len(w.ledger()["created"]["jobs"]) >= jobs, 150)
    # Whatever else the machine does can only add to it: the best of three counts.
    for _ in range(3):
        steady = Visitor(daemon)
        done = passes(daemon)
        until = time.monotonic() + 10
        # The first of them may have begun before.
        steady.ask_until(lambda: time.monotonic() > until and passes(daemon) >= done + 2 * projects, 100)
        if steady.percentile(0.99) < 10:
            break
    print(f"figure: /healthz with {jobs} jobs in {projects} projects: while they are made {first.words()}; "
          f"passes over all of them {steady.words()}")
    if release:
        assert steady.percentile(0.99) < 10, steady.words()
        # Below 10 ms where nothing else runs; measured but once.
        assert first.percentile(0.99) < 25, first.words()


@test
def healthz_is_quick_in_passes_over_ten_thousand_jobs_of_one_project(w):
    answers_in_time(w, 1)


@test
def healthz_is_quick_in_passes_over_ten_thousand_jobs_of_many_projects(w):
    answers_in_time(w, 100)
