"""The status page in a real browser."""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from harness import Skipped, get, status_of, wait_for, wait_state

TESTS = []
CACHE = pathlib.Path.home() / ".cache/cml-reconciler-tests/playwright"
PICTURES = pathlib.Path("build/screenshots")
ODD_NAME = "<img src=x onerror=alert(1)>"
FILE = f"""\
projects:
  ray-cluster:
    git_url: https://example.com/o/r
    jobs:
      git_sync: {{name: Git Repository Sync, script: git_sync.py, timeout: 300}}
      setup: {{name: Setup Python Environment, script: setup.py, parent_job_key: git_sync}}
      launch: {{name: "{ODD_NAME}", script: launch.py, parent_job_key: setup}}
      docs: {{name: Docs, script: docs.py, parent_job_key: git_sync}}
      nightly: {{name: Nightly Report, script: nightly.py, schedule: "0 3 * * *"}}
"""
STATE = "document.querySelector('.project > header .state')?.textContent === '{}'"
WORDS = "[...document.querySelectorAll('.job')].map(j => [j.dataset.key, j.querySelector('.state').textContent])"


def test(function):
    TESTS.append(function)
    return function


def tools():
    chromium = shutil.which("chromium")
    if not chromium:
        raise Skipped("chromium is not installed")
    if not shutil.which("node") or not shutil.which("npm"):
        raise Skipped("node and npm are not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    # Tests run at the same time: one of them installs, the others wait for it.
    with open(CACHE / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (CACHE / "installed").exists():
            done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "playwright-core"],
                                  cwd=CACHE, capture_output=True, text=True)
            if done.returncode != 0:
                raise Skipped("npm could not install playwright-core: " + done.stderr[-300:])
            (CACHE / "installed").touch()
    return chromium


class Visit:
    """A browser that goes through `steps`; with a step {"tell": WORD}, between() is called."""

    def __init__(self, url, steps, between=lambda word: None, clean=True, **more):
        chromium = tools()
        PICTURES.mkdir(parents=True, exist_ok=True)
        script = json.dumps({"url": url + "/", "steps": steps, **more})
        child = subprocess.Popen(["node", pathlib.Path(__file__).with_name("page.mjs"), chromium, script],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                 env={**os.environ, "PLAYWRIGHT_FOLDER": str(CACHE)})
        seen = None
        for line in child.stdout:
            if line.startswith("{"):
                seen = json.loads(line)
                continue
            between(line.strip())
            child.stdin.write("go on\n")
            child.stdin.flush()
        child.wait(60)
        assert seen is not None, "the browser said nothing"
        self.values = seen["values"]
        self.complaints = seen["complaints"]
        assert not clean or not seen["complaints"], seen["complaints"]
        assert not seen["elsewhere"], seen["elsewhere"]


def begin(w, *flags, text=FILE, script=None):
    tools()
    w.write(text)
    w.simulate(*(["--script", w.write(json.dumps(script), "script.json")] if script else []))
    w.socket = w.folder / "control.sock"
    return w.run_daemon("--control-socket", w.socket, *flags)


def command(w, *arguments):
    code, output, _ = w.command(*arguments, "--control-socket", w.socket)
    assert code == 0, output


@test
def page_draws_every_job_and_arrow_with_its_state_in_words(w):
    daemon = begin(w)
    wait_state(daemon, "Converged")
    visit = Visit(daemon.url, [
        {"wait": STATE.format("Converged")}, {"value": WORDS},
        {"value": "document.querySelectorAll('path.arrow').length"},
        {"value": "[...document.querySelectorAll('.job')].map(j => j.title)"},
        {"value": "document.querySelectorAll('.timeline .track i').length"},
        {"picture": str(PICTURES / "converged.png")}])
    words, arrows, titles, runs = visit.values
    jobs = status_of(daemon)["projects"][0]["jobs"]
    assert dict(words) == {j["key"]: j["state"] for j in jobs}, words
    assert arrows == sum(j["parent"] is not None for j in jobs) == 3, arrows
    assert any(ODD_NAME in t for t in titles), titles
    assert runs == 4, runs


@test
def page_follows_without_being_loaded_again(w):
    daemon = begin(w, "--call-timeout", "2s", script={"jobs": {"Docs": {"fail_first": 1}}})
    wait_state(daemon, "Degraded")

    def between(word):
        if word == "degraded":
            command(w, "retry")
        elif word == "converged":
            command(w, "suspend")
        elif word == "suspended":
            command(w, "resume")
            w.simulator.end()

    visit = Visit(daemon.url, [
        {"value": "window.mark = 'the same page'"},
        {"wait": STATE.format("Degraded")}, {"value": "document.querySelector('.reasons').textContent"},
        {"picture": str(PICTURES / "degraded.png")}, {"tell": "degraded"},
        {"wait": STATE.format("Converged")}, {"tell": "converged"},
        {"wait": STATE.format("Suspended")}, {"picture": str(PICTURES / "suspended.png")}, {"tell": "suspended"},
        {"wait": STATE.format("Unreachable")}, {"picture": str(PICTURES / "unreachable.png")},
        {"value": "window.mark"},
        {"value": "[...document.querySelectorAll('#event-list li')].map(l => l.textContent).join('|')"}], between)
    assert "docs: " in visit.values[1], visit.values[1]
    assert visit.values[2] == "the same page"
    for name in ("control.retry", "control.suspend", "control.resume"):
        assert name in visit.values[3], visit.values[3]


@test
def page_is_used_by_keyboard(w):
    daemon = begin(w)
    wait_state(daemon, "Converged")
    at = "document.activeElement.dataset.key ?? document.activeElement.id"
    visit = Visit(daemon.url, [
        {"wait": STATE.format("Converged")}, {"keys": ["Tab"]},
        {"value": "document.activeElement.className"}, {"keys": ["Enter", "Tab"]}, {"value": at},
        {"keys": ["ArrowRight"]}, {"value": at}, {"keys": ["ArrowRight"]}, {"value": at},
        {"keys": ["Enter"]}, {"wait": "document.getElementById('details').open"},
        {"value": "document.getElementById('details').textContent"}, {"picture": str(PICTURES / "details.png")},
        {"keys": ["Escape"]}, {"wait": "!document.getElementById('details').open"}, {"value": at},
        {"keys": ["Home"]}, {"value": at}])
    skip, first, second, third, details, back, home = visit.values
    assert skip == "skip", skip
    assert (first, second, third) == ("git_sync", "setup", "launch"), visit.values
    assert ODD_NAME in details and "Last success" in details, details
    assert back == "launch" and home == "git_sync", visit.values


@test
def page_fits_a_phone_and_both_schemes(w):
    daemon = begin(w)
    wait_state(daemon, "Converged")
    paper = {}
    for scheme in ("light", "dark"):
        for width in (360, 1280):
            visit = Visit(daemon.url, [
                {"wait": STATE.format("Converged")},
                {"value": "document.documentElement.scrollWidth - window.innerWidth"},
                {"value": "getComputedStyle(document.documentElement).backgroundColor"},
                {"picture": str(PICTURES / f"{scheme}-{width}.png")}], width=width, scheme=scheme)
            assert visit.values[0] <= 0, (width, visit.values)
            paper[scheme] = visit.values[1]
    assert paper["light"] != paper["dark"], paper


@test
def page_draws_500_jobs_quickly(w):
    lines = ["projects:", "  many:", "    git_url: https://example.com/o/r", "    jobs:"]
    for n in range(500):
        lines += [f"      job{n}: {{name: Job {n}, script: j.py, run: never"
                  + (f", parent_job_key: job{n - 1}" if n % 5 else "") + "}"]
    daemon = begin(w, "--max-in-flight", "32", "--requests-per-second", "0", text="\n".join(lines) + "\n")
    wait_for("the jobs", lambda: len(w.ledger()["created"]["jobs"]) == 500, 120)
    wait_state(daemon, "Converged", 120, "many")
    visit = Visit(daemon.url, [
        {"wait": "document.querySelectorAll('.job').length === 500", "timeout": 10000},
        {"value": "performance.now()"}, {"value": "document.querySelectorAll('path.arrow').length"},
        {"picture": str(PICTURES / "many.png")}])
    assert visit.values[0] < 5000, f"drawn after {visit.values[0]} ms"
    assert visit.values[1] == 400, visit.values
    print(f"figure: page: 500 jobs drawn {visit.values[0]:.0f} ms after the request")


@test
def page_is_kept_by_its_tag_and_sent_compressed(w):
    import urllib.error
    import urllib.request
    w.write(FILE)
    w.simulate()
    daemon = w.run_daemon()
    for path in ("/", "/assets/page.js", "/assets/page.css"):
        request = urllib.request.Request(daemon.url + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request) as answer:
            packed, tag = answer.read(), answer.headers["ETag"]
            assert answer.headers["Content-Encoding"] == "gzip" and packed[:2] == b"\x1f\x8b"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert len(packed) < len(get(daemon.url + path)[1])
        request.add_header("If-None-Match", tag)
        try:
            urllib.request.urlopen(request)
            raise AssertionError("sent again")
        except urllib.error.HTTPError as e:
            assert e.code == 304, e.code


class Stream:
    """GET /v1/stream, message by message."""

    def __init__(self, url, last_id=None):
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)), 10)
        more = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.socket.sendall(f"GET /v1/stream HTTP/1.1\r\nHost: h\r\n{more}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass

    def message(self):
        """(kind, data, id); nothing at the end."""
        kind = data = number = None
        while line := self.file.readline():
            text = line.decode().rstrip("\n")
            if not text and data is not None:
                return kind, json.loads(data), number
            name, _, value = text.partition(": ")
            if name == "event":
                kind = value
            elif name == "data":
                data = value
            elif name == "id":
                number = value
        return None

    def until(self, kind, condition):
        while (found := self.message()) is not None:
            if found[0] == kind and condition(found[1]):
                return found
        raise AssertionError("the stream has ended")

    def close(self):
        self.file.close()
        self.socket.close()


@test
def stream_tells_how_things_stand_and_then_what_changes(w):
    w.write(FILE)
    w.simulate()
    daemon = w.run_daemon("--state-dir", w.folder / "state", "--control-socket", w.folder / "control.sock")
    w.socket = w.folder / "control.sock"
    wait_state(daemon, "Converged")
    stream = Stream(daemon.url)
    kind, hello, _ = stream.message()
    assert kind == "hello" and hello["projects"] == ["ray-cluster"], hello
    kind, project, _ = stream.message()
    assert kind == "status" and project == status_of(daemon)["projects"][0], project
    command(w, "force", "docs")
    _, _, number = stream.until("event", lambda e: e["event"] == "control.force")
    docs = lambda p: next(j for j in p["jobs"] if j["key"] == "docs")
    stream.until("status", lambda p: p["state"] == "Converged" and len(docs(p)["recent_runs"]) == 2)
    stream.close()
    again = Stream(daemon.url, number)
    names = []
    while len(names) < 2:
        kind, data, _ = again.message()
        names += [data["event"]] if kind == "event" else []
    assert "control.force" not in names, names
    daemon.send(signal.SIGTERM)
    began = time.monotonic()
    assert daemon.wait(10) == 0
    assert time.monotonic() - began < 5, "it waited for the one who looks"
    while again.message():
        pass
    again.close()


@test
def streams_past_the_most_are_turned_away(w):
    w.write(FILE)
    w.simulate()
    daemon = w.run_daemon()
    streams = [Stream(daemon.url) for _ in range(32)]
    assert all(s.status == 200 for s in streams)
    assert Stream(daemon.url).status == 503
    for s in streams:
        s.close()
    wait_for("room", lambda: Stream(daemon.url).status == 200, 60)
