"""Webhooks that are told of news, with a real HTTP server on the other side."""
import http.server
import json
import signal
import threading
import time

from harness import CHAIN, ONE, get, state_of, status_of, wait_for, wait_state

TESTS = []
TOKEN = "t0ken-of-the-webhook"
FAST = ["--notify-after", "0s", "--notify-unreachable-after", "0s"]


def test(function):
    TESTS.append(function)
    return function


class Hook:
    """A webhook: answers by `script`, 200 after its end; "hang" does not answer."""

    def __init__(self, script=()):
        self.script = list(script)
        self.bodies = []
        self.accepted = []
        self.types = []
        self.released = threading.Event()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.types.append(self.headers["Content-Type"])
                answer = hook.script.pop(0) if hook.script else 200
                hook.bodies.append(json.loads(body))
                if answer == "hang":
                    hook.released.wait(60)
                    return
                if answer == 200 and self.path == "/hook/" + TOKEN:
                    hook.accepted.append(json.loads(body))
                self.send_response(answer)
                if answer == 302:
                    self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/{TOKEN}"

    def events(self):
        return [body["event"] for body in self.accepted]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def metric(daemon, name):
    for line in get(daemon.url + "/metrics")[1].splitlines():
        if line.startswith(name):
            return float(line.split()[-1])
    return None


def url_file(w, hook):
    return w.write(hook.url + "\n", "hook_url")


def no_token_in(w, *daemons):
    everything = "".join(d.output for d in daemons)
    for daemon in daemons:
        if daemon.running():
            for path in ("/v1/status", "/v1/events", "/metrics"):
                everything += get(daemon.url + path)[1]
    assert TOKEN not in everything


@test
def trouble_is_told_once_and_its_end_once(w):
    w.write(CHAIN)
    script = w.write('{"jobs": {"Setup Python Environment": {"fail_first": 1}}}', "script.json")
    w.simulate("--script", script)
    with Hook() as hook:
        daemon = w.run_daemon("--notify-url-file", url_file(w, hook), *FAST, "--control-socket",
                              w.folder / "control.sock", "--log-level", "debug")
        wait_state(daemon, "Degraded")
        wait_for("the message", lambda: hook.accepted)
        body = hook.accepted[0]
        assert body["event"] == "degraded" and body["project"] == "ray-cluster", body
        assert any("setup_environment" in reason for reason in body["reasons"]), body
        assert body["workspace"] == w.host, body
        code, output, _ = w.command("retry", "--control-socket", w.folder / "control.sock")
        assert code == 0, output
        wait_state(daemon, "Converged")
        wait_for("the recovery", lambda: "recovered" in hook.events())
        calls = w.ledger()["calls"]["ListJobs"]
        wait_for("three more passes", lambda: w.ledger()["calls"]["ListJobs"] >= calls + 3)
        assert hook.events() == ["degraded", "recovered"], hook.events()
        assert set(hook.types) == {"application/json"}
        no_token_in(w, daemon)


@test
def message_that_is_refused_twice_is_accepted_exactly_once(w):
    w.write(ONE)
    w.simulate()
    with Hook([500, 500]) as hook:
        daemon = w.run_daemon("--notify-url-file", url_file(w, hook), *FAST)
        wait_state(daemon, "Converged")
        wait_for("the message", lambda: hook.accepted)
        wait_for("the count", lambda: metric(
            daemon, 'cml_reconciler_notifications_total{result="delivered"}') == 1)
        assert len(hook.bodies) == 3 and len(hook.accepted) == 1, hook.bodies
        assert hook.bodies[0] == hook.bodies[2]
        assert metric(daemon, "cml_reconciler_notify_queue_length") == 0
        no_token_in(w, daemon)


@test
def redirect_is_not_followed(w):
    w.write(ONE)
    w.simulate()
    with Hook([302]) as hook:
        daemon = w.run_daemon("--notify-url-file", url_file(w, hook), *FAST)
        wait_for("the end of it", lambda: "event=notify.failed" in daemon.output)
        assert "redirects are not followed" in daemon.output
        assert len(hook.bodies) == 1
        no_token_in(w, daemon)


@test
def webhook_that_hangs_holds_up_neither_the_loop_nor_the_stop(w):
    w.write(ONE)
    w.simulate()
    with Hook(["hang"] * 100) as hook:
        daemon = w.run_daemon("--notify-url-file", url_file(w, hook), *FAST)
        wait_state(daemon, "Converged")
        wait_for("the request", lambda: hook.bodies)
        calls = w.ledger()["calls"]["ListJobs"]
        took = []
        for _ in range(200):
            began = time.monotonic()
            assert get(daemon.url + "/healthz")[0] == 200
            took.append(time.monotonic() - began)
        took.sort()
        if "release" in w.daemon_path:
            assert took[len(took) // 2] < 0.010, took[-5:]
        wait_for("a pass", lambda: w.ledger()["calls"]["ListJobs"] > calls)
        daemon.send(signal.SIGTERM)
        assert daemon.wait(5) == 0, daemon.output


@test
def slack_gets_what_slack_takes(w):
    w.write(ONE)
    w.simulate()
    with Hook() as hook:
        settings = w.write("notify:\n"
                           f"  - url_file: {url_file(w, hook)}\n"
                           "    format: slack\n"
                           "    events: [converged]\n"
                           "    template: '*{project}* is <{state}>'\n"
                           f"  - url: {hook.url}\n"
                           "    format: slack\n", "settings.yaml")
        daemon = w.run_daemon("--settings", settings, *FAST)
        wait_for("both messages", lambda: len(hook.accepted) == 2)
        texts = sorted(body["text"] for body in hook.accepted)
        assert texts == ["*ray-cluster* is <Converged>", "ray-cluster has converged"], texts
        assert all(set(body) == {"text"} for body in hook.accepted)
        no_token_in(w, daemon)


@test
def refused_file_is_told_and_a_webhook_of_a_reload_is_taken(w):
    w.write(ONE)
    w.simulate()
    with Hook() as hook:
        settings = w.write("interval: 2s\n", "settings.yaml")
        daemon = w.run_daemon("--settings", settings, *FAST)
        wait_state(daemon, "Converged")
        settings.write_text(f"notify:\n  - url: {hook.url}\n    events: [reload_refused]\n")
        daemon.send(signal.SIGHUP)
        wait_for("the new settings", lambda: "event=config.reloaded" in daemon.output)
        w.write("jobs: [no]\n")
        daemon.send(signal.SIGHUP)
        wait_for("the message", lambda: hook.accepted)
        assert hook.events() == ["reload_refused"] and hook.accepted[0]["project"] is None
        assert "jobs_config.yaml:1:" in hook.accepted[0]["reasons"][0], hook.accepted
        # A wrong URL is refused without being shown.
        settings.write_text(f"notify:\n  - url: ftp://example.com/{TOKEN}\n")
        daemon.send(signal.SIGHUP)
        wait_for("the refusal", lambda: "settings.yaml:2:" in status_of(daemon)["config_error"])
        no_token_in(w, daemon)


@test
def restart_with_a_state_directory_tells_nothing_again(w):
    w.write(CHAIN)
    w.simulate("--fail", "Setup Python Environment")
    state = w.folder / "state"
    with Hook() as hook:
        flags = ["--notify-url-file", url_file(w, hook), *FAST, "--state-dir", state]
        daemon = w.run_daemon(*flags)
        wait_state(daemon, "Degraded")
        wait_for("the message", lambda: hook.accepted)
        wait_for("its mark", lambda: (state / "notified.json").exists())
        daemon.send(signal.SIGKILL)
        daemon.wait(5)
        again = w.run_daemon(*flags)
        wait_state(again, "Degraded")
        calls = w.ledger()["calls"]["ListJobs"]
        wait_for("two more passes", lambda: w.ledger()["calls"]["ListJobs"] >= calls + 2)
        assert hook.events() == ["degraded"], hook.events()
        assert state_of(again) == "Degraded"
        assert TOKEN not in (state / "notified.json").read_text()
        no_token_in(w, daemon, again)
