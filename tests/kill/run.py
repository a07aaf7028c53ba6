#!/usr/bin/env python3
"""Both real programs, and one of them killed again and again.

    run.py --daemon PATH --simulator PATH [--kills 200] [--seed S] [--only KIND] [--world N]

Several workspaces live side by side, each with faults of its own. Their daemons are killed with -9 in
the middle of setting up, creating jobs, triggering and waiting; others get SIGHUP storms, or have
their workspace restarted under them. In the end each workspace is read and must be as if nothing had
happened: every object once, every run once for its cause, every project Converged."""
import argparse
import collections
import http.client
import json
import pathlib
import random
import shutil
import sys
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import truth  # noqa: E402
from harness import KEY, RUNTIME, World, get, signal, state_of, wait_for  # noqa: E402

PHASES = ["set-up", "creation", "triggering", "waiting"]
FAULTS = ("writes:late_commit=6,writes:lost_after=6,writes:error_after=4,writes:unavailable=4,"
          "writes:hang_after=1,lost_before=2,reset=1,unavailable=2,server_error=1,bad_gateway=1,"
          "gateway_timeout=1,throttled=2,throttled_bare=1,html=1,garbage=1,truncated=2,hang=0.5")
# How long after the beginning of a phase the kill may come: the phases are of different lengths.
LONGEST = {"set-up": 1.2, "creation": 0.1, "triggering": 0.3, "waiting": 0.6}
# Late operations are done within 30 virtual seconds, half a second here: the wait for them has to be
# longer, with room for a busy machine.
FLAGS = ["--interval", "2s", "--write-settle", "2s", "--call-timeout", "4s", "--log-level", "debug"]
SHAPES = {
    "chain": {"a": (None, 0), "b": ("a", 0), "c": ("b", 0), "d": ("c", 0)},
    "tree": {"root": (None, 0), "left": ("root", 0), "right": ("root", 0), "leaf": ("left", 0)},
    "many": {f"job{n}": (None, 0) for n in range(6)},
    "retries": {"first": (None, 1), "second": ("first", 0), "third": ("second", 0)},
    "changing": {"source": (None, 0), "build": ("source", 0), "check": ("build", 0)},
}
# These run again when their definition changes, and what is below them with them.
ON_CHANGE = {"source"}
# What the second file of a workspace with `prune` has no more.
DROPPED = {"job5"}


def file_of(projects, cpu=2, prune=False, dropped=frozenset()):
    """The YAML of {name: shape}; every job may fail twice before it is given up."""
    out = ["projects:"]
    for name, shape in projects.items():
        out += [f"  {name}:", "    git_url: https://example.com/o/r"]
        if prune:
            out += ["    prune: true"]
        out += ["    jobs:"]
        for job, (parent, _) in SHAPES[shape].items():
            if job in dropped:
                continue
            out += [f"      {job}:", f"        name: {job}", f"        script: {job}.py",
                    f"        cpu: {cpu}", "        retry: {max_attempts: 3, backoff: 2s}"]
            if job in ON_CHANGE:
                out += ["        run: on_change"]
            if parent:
                out += [f"        parent_job_key: {parent}"]
    return "\n".join(out) + "\n"


def expected_of(projects, changes=0, dropped=frozenset(), forced=frozenset()):
    """`changes`: so many times the definitions have changed after everything had run; None: while it ran,
    so that some of them may have had their runs, and others not. `forced`: projects of which every job
    was to run once more."""
    def successes(name, shape):
        if shape == "changing" and changes is None:
            return None
        return 1 + (changes if shape == "changing" else 0) + (1 if name in forced else 0)
    return {name: {job: {"parent": parent, "failures": failures,
                         "successes": successes(name, shape)}
                   for job, (parent, failures) in SHAPES[shape].items() if job not in dropped}
            for name, shape in projects.items()}


class Trial:
    """One workspace and what is done to its daemon."""

    def __init__(self, options, number, seed):
        self.random = random.Random(seed)
        self.seed = seed
        self.number = number
        self.world = World(options.daemon, options.simulator)
        self.projects = {}
        self.counts = collections.Counter()
        self.prune = self.random.random() < 0.3
        self.journal = self.random.random() < 0.6
        self.script = self.world.folder / "script.json"
        self.script.write_text(json.dumps({"jobs": {
            job: {"fail_first": failures} for shape in SHAPES.values()
            for job, (_, failures) in shape.items() if failures}}))

    def simulate(self, *more, listen="127.0.0.1:0"):
        self.world.simulate("--latency", "15", "--clone-time", "40", "--seed", str(self.seed % 100000), "--faults", FAULTS,
                            "--script", self.script, "--busy",
                            self.random.choice(["reject", "reject-and-skip", "skip"]), *more,
                            listen=listen)

    def flags(self):
        return FLAGS + (["--state-dir", self.world.folder / "state"] if self.journal else [])

    def another_project(self):
        name = f"p{len(self.projects)}"
        self.projects[name] = self.random.choice(sorted(SHAPES))
        self.world.write(file_of(self.projects, prune=self.prune))

    # In which part of its work the newest project is, by the simulator's ledger.
    def phase(self):
        ledger = self.world.ledger()
        name = list(self.projects)[-1]
        wanted = SHAPES[self.projects[name]]
        made = [p["id"] for p in ledger["created"]["projects"] if p["name"] == name]
        jobs = [j for j in ledger["created"]["jobs"] if j.get("project") in [name, *made]]
        if not jobs:
            return "set-up"
        if len(jobs) < len(wanted):
            return "creation"
        ids = {j["id"] for j in jobs}
        runs = [r for r in ledger["runs"] if r.get("job_id") in ids or r.get("project") in [name, *made]]
        if any(r["status"] not in ("ENGINE_SUCCEEDED", "ENGINE_FAILED", "ENGINE_SKIPPED")
               for r in runs):
            return "waiting"
        done = {r["job"] for r in runs if r["status"] == "ENGINE_SUCCEEDED"}
        return "done" if len(done) == len(wanted) else "triggering"

    def start(self):
        # One life in five is that of a command.
        if self.random.random() < 0.2:
            return self.world.start(self.world.daemon_path, "apply", "--config", self.world.file,
                                    *self.flags())
        return self.world.start(self.world.daemon_path, "run", "--config", self.world.file,
                                "--listen", "127.0.0.1:0", *self.flags())

    def kill_once(self):
        # Where the fewest kills have fallen so far; what is past that needs a new project.
        wanted = min(PHASES, key=lambda p: (self.counts[("kills", p)], self.random.random()))
        order = [*PHASES, "done"]
        if order.index(self.phase()) > order.index(wanted):
            self.another_project()
        daemon = self.start()
        until = time.monotonic() + 20
        wait_for("the phase", lambda: order.index(self.phase()) >= order.index(wanted)
                 or time.monotonic() > until or not daemon.running(), 30)
        at = time.monotonic() + self.random.random() * LONGEST[wanted]
        wait_for("the moment", lambda: time.monotonic() >= at, 20)
        # A command that has done its work, or has given up, has not been killed.
        if daemon.running():
            phase = self.phase()
            daemon.send(signal.SIGKILL)
            self.counts[("kills", phase)] += 1
        daemon.wait(10)

    def change(self):
        """A second file: other definitions and, with prune, one job less. Faults and kills again."""
        projects = [f"{self.world.host}/api/v2/projects/{p['id']}/jobs"
                    for p in truth.listed(self.world.host, "/projects", "projects")]
        foreign = json.dumps({"name": "foreign", "script": "foreign.py",
                              "runtime_identifier": RUNTIME}).encode()
        for url in projects:
            status, text = get(url, token=KEY, method="POST", body=foreign)
            if status != 200:
                raise AssertionError(f"{url}: {status} {text}")
        dropped = DROPPED if self.prune else frozenset()
        self.world.write(file_of(self.projects, cpu=4, prune=self.prune, dropped=dropped))
        self.world.simulator_post("/-/faults", random=FAULTS)
        for _ in range(3):
            self.kill_soon(self.start(), "changing", 2.5)
        self.settle(changes=1, dropped=dropped, foreign={"foreign"})
        self.force(changes=1, dropped=dropped, foreign={"foreign"})

    def kill_soon(self, daemon, phase, longest):
        at = time.monotonic() + self.random.random() * longest
        wait_for("the moment", lambda: time.monotonic() >= at, 20)
        if daemon.running():
            daemon.send(signal.SIGKILL)
            self.counts[("kills", phase)] += 1
        daemon.wait(10)

    def force(self, **settled):
        """What an operator has asked for is in the journal, if there is one: every job runs once more,
        and only once, however often the daemon is killed meanwhile."""
        if not self.journal:
            return
        name = self.random.choice(sorted(self.projects))
        socket = self.world.folder / "control.sock"
        daemon = self.world.run_daemon(*self.flags(), "--control-socket", socket)
        wait_for("it to know the runs", lambda: all(
            state_of(daemon, project) == "Converged" for project in self.projects), 90)
        self.world.simulator_post("/-/faults", random=FAULTS)
        code, output, _ = self.world.command("force", "--project", name, "--control-socket", socket)
        if code != 0:
            raise AssertionError(f"force of {name}: {code}: {output}")
        self.kill_soon(daemon, "forced", 0.5)
        for _ in range(3):
            self.kill_soon(self.start(), "forced", 1.5)
        self.settle(forced={name}, **settled)

    def settle(self, changes=0, dropped=frozenset(), foreign=frozenset(), forced=frozenset()):
        """No more faults and no more kills: everything must come right."""
        self.stop_faults()
        daemon = self.world.run_daemon(*self.flags())
        for name in self.projects:
            try:
                wait_for(f"{name} to be Converged",
                         lambda: state_of(daemon, name) == "Converged", 90)
            except AssertionError as e:
                raise AssertionError(f"{e}: {get(daemon.url + '/v1/status')[1][:3000]}") from None
        daemon.send(signal.SIGTERM)
        if daemon.wait(15) != 0:
            raise AssertionError("it did not stop as it should: " + daemon.output[-1000:])
        workspace = truth.read(self.world.host)
        wrong = truth.problems(workspace, expected_of(self.projects, changes, dropped, forced),
                               foreign)
        if wrong:
            raise AssertionError("; ".join(wrong))
        ledger = self.world.ledger()
        for what in ("duplicate_names", "children_triggered_early"):
            if ledger[what]:
                raise AssertionError(f"the ledger tells {what}: {ledger[what]}")
        self.counts["runs"] = len(ledger["runs"])

    def count_faults(self):
        for fault, n in self.world.ledger()["faults"].items():
            self.counts[("faults", fault)] += n

    def kills(self, how_many):
        self.another_project()
        if self.random.random() < 0.3:
            self.another_project()
        self.simulate()
        lives = 0
        while self.killed() < how_many:
            lives += 1
            if lives > 3 * how_many:
                raise AssertionError("too few of its lives lasted until they were killed")
            self.kill_once()
        self.settle()
        self.change()

    def killed(self):
        return sum(n for k, n in self.counts.items() if k[0] == "kills")

    def storm(self, reloads=250):
        self.another_project()
        self.another_project()
        self.simulate()
        good = [file_of(self.projects, cpu=cpu, prune=self.prune) for cpu in (2, 4)]
        bad = [good[0].replace("script: ", "scirpt: ", 1), "projects: [", good[1] + "\x00"]
        self.world.write(good[0])
        daemon = self.world.run_daemon(*self.flags())
        for _ in range(reloads):
            self.world.write(self.random.choice(good + bad))
            daemon.send(signal.SIGHUP)
            at = time.monotonic() + self.random.random() * 0.04
            wait_for("the next reload", lambda: time.monotonic() >= at)
            if not daemon.running():
                raise AssertionError("a reload ended the daemon: " + daemon.output[-2000:])
        self.counts["SIGHUPs"] += reloads
        self.world.write(good[1])
        daemon.send(signal.SIGHUP)
        self.stop_faults()  # they would meet those who look, too
        wait_for("the newest file to be in place", lambda: all(
            float(job["cpu"]) == 4 for name in self.projects for job in self.jobs_of(name)) and
            all(self.jobs_of(name) for name in self.projects), 60)
        daemon.send(signal.SIGTERM)
        daemon.wait(15)
        self.settle(changes=None)

    def stop_faults(self):
        self.count_faults()
        get(self.world.host + "/-/faults", method="DELETE")
        self.world.simulator_post("/-/faults", random="")

    def jobs_of(self, project):
        try:
            return [job for p in truth.read(self.world.host).get(project, [])
                    for jobs in p[1].values() for job, _ in jobs]
        except (truth.Unreadable, http.client.HTTPException, ValueError, KeyError):
            return []  # one of the workspace's own faults: asked again

    def restarts(self, how_many=12):
        """The workspace goes away and comes back with what it had."""
        for _ in range(3):
            self.another_project()
        state = self.world.folder / "workspace.json"
        self.simulate("--state", state)
        address = self.world.host.removeprefix("http://")
        daemon = self.world.run_daemon(*self.flags())
        for _ in range(how_many):
            at = time.monotonic() + 0.3 + self.random.random() * 1.2
            wait_for("the moment", lambda: time.monotonic() >= at)
            self.count_faults()
            self.world.simulator.send(signal.SIGTERM)
            self.world.simulator.wait(10)
            self.simulate("--state", state, listen=address)
        self.counts["simulator restarts"] += how_many
        if not daemon.running():
            raise AssertionError("the daemon has ended: " + daemon.output[-2000:])
        daemon.send(signal.SIGTERM)
        daemon.wait(15)
        self.settle()

    def tell(self, how, error):
        print(f"FAILED: {how}, world {self.number}, seed {self.seed}, shapes {self.projects}, "
              f"{'with' if self.journal else 'without'} a state directory: {error}")
        try:
            print("ledger:", json.dumps(self.world.ledger())[:3000])
        except Exception as e:  # the simulator may be what has ended
            print("no ledger:", e)
        for process in self.world.processes[-3:]:
            print("--- output of", process.child.args[0], "\n" + process.output[-2500:])
        self.keep()

    def keep(self):
        """The whole story on disk: every run with its cause, and what each life said."""
        folder = pathlib.Path("build/logs") / f"kill-{self.seed}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            ledger = self.world.ledger()
            runs = sorted(ledger["runs"], key=lambda r: (r["project"], r["job"], r["created_at"]))
            (folder / "ledger.json").write_text(json.dumps(ledger, indent=1))
            for run in runs:
                print("run:", run["project"], run["job"], run["created_at"], run.get("finished_at"),
                      run["status"], run["cause"], run["run_id"])
        except Exception as e:
            print("no ledger:", e)
        for n, process in enumerate(self.world.processes):
            (folder / f"{n:03}-{pathlib.Path(process.child.args[0]).name}.log").write_text(process.output)
        print("all of it:", folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--daemon", required=True)
    parser.add_argument("--simulator", required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--worlds", type=int, default=10, help="workspaces whose daemons are killed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", choices=["kills", "storm", "restarts"])
    parser.add_argument("--world", type=int, help="this one alone")
    options = parser.parse_args()
    truth.self_test()
    print(f"seed {options.seed}")

    plan = [("kills", n) for n in range(options.worlds)]
    plan += [("storm", n) for n in range(100, 103)] + [("restarts", n) for n in range(200, 203)]
    plan = [(how, n) for how, n in plan
            if options.only in (None, how) and options.world in (None, n)]
    each = -(-options.kills // options.worlds)
    lock, results, places = threading.Lock(), [], threading.Semaphore(8)

    def one(how, number):
        with places:
            trial = Trial(options, number, options.seed * 1000 + number)
            try:
                {"kills": lambda: trial.kills(each), "storm": trial.storm,
                 "restarts": trial.restarts}[how]()
                good = True
            except Exception as e:
                good = False
                with lock:
                    trial.tell(how, e)
                    if not isinstance(e, AssertionError):
                        traceback.print_exc()
                    print(f"again: {sys.argv[0]} --daemon {options.daemon} --simulator "
                          f"{options.simulator} --seed {options.seed} --only {how} --world {number}")
            finally:
                trial.world.close()
                shutil.rmtree(trial.world.folder, ignore_errors=True)
            with lock:
                results.append((good, trial.counts))

    threads = [threading.Thread(target=one, args=p) for p in plan]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = collections.Counter()
    for _, c in results:
        counts.update(c)
    of = lambda kind: {k[1]: n for k, n in counts.items() if isinstance(k, tuple) and k[0] == kind}
    kills, faults = of("kills"), of("faults")
    print(f"figure: kills survived: {sum(kills.values())} ("
          + ", ".join(f"{phase} {kills.get(phase, 0)}" for phase in [*PHASES, "done", "changing", "forced"])
          + f"); SIGHUPs: {counts['SIGHUPs']}; simulator restarts: {counts['simulator restarts']}; "
          f"runs: {counts['runs']}")
    print("figure: kills, faults: " + " ".join(f"{k}={n}" for k, n in sorted(faults.items())))
    bad = sum(not good for good, _ in results)
    missing = [phase for phase in PHASES if options.only is None and options.world is None
               and kills.get(phase, 0) < options.kills / 10]
    if missing:
        print("too few kills in: " + ", ".join(missing))
    print(f"{len(results) - bad} workspaces passed, {bad} failed")
    return 1 if bad or missing else 0


sys.exit(main())
