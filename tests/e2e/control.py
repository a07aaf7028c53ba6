"""What operators ask of a running daemon: over its control socket, with a token, by commands."""
import grp
import http.client
import json
import os
import pwd
import signal
import socket

from harness import CHAIN, ONE, Skipped, get, state_of, status_of, wait_for, wait_state

TESTS = []


def test(function):
    TESTS.append(function)
    return function


class SocketConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


def ask(path, method, target, body=None):
    connection = SocketConnection(path)
    connection.request(method, target, json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    text = answer.read().decode()
    kind = answer.getheader("Content-Type")
    connection.close()
    return answer.status, kind, json.loads(text) if "json" in kind else text


def begin(w, text=CHAIN, *flags, script=None):
    w.write(text)
    more = []
    if script:
        more = ["--script", w.write(json.dumps(script), "script.json")]
    w.simulate(*more)
    w.socket = w.folder / "control.sock"
    return w.run_daemon("--control-socket", w.socket, *flags)


def command(w, *arguments):
    code, output, _ = w.command(*arguments, "--control-socket", w.socket)
    return code, output


def job(daemon, key):
    return next(j for p in status_of(daemon)["projects"] for j in p["jobs"] if j["key"] == key)


@test
def forced_job_runs_with_what_is_below_it_once_more(w):
    daemon = begin(w)
    wait_state(daemon, "Converged")
    code, output = command(w, "force", "setup_environment")
    assert code == 0 and "setup_environment, launch_ray_cluster" in output, output
    wait_for("both to have run again", lambda: len(w.ledger()["runs"]) == 5)
    wait_state(daemon, "Converged")
    counts = {name: len(w.runs(name)) for name in ("Git Repository Sync", "Setup Python Environment",
                                                   "Launch Ray Cluster")}
    assert list(counts.values()) == [1, 2, 2], counts
    events = json.loads(get(daemon.url + "/v1/events")[1])["events"]
    used = [e for e in events if e["event"] == "control.force"]
    assert len(used) == 1 and f"uid {os.getuid()}" in used[0]["message"], used


@test
def force_of_all_with_the_token_runs_all_once_more(w):
    token = w.write("right-token", "token")
    daemon = begin(w, CHAIN, "--token-file", token)
    wait_state(daemon, "Converged")
    url = daemon.url + "/v1/force"
    assert get(url, method="POST", body=b"{}")[0] == 401
    assert get(url, method="POST", body=b"{}", token="wrong")[0] == 401
    wait_for("the refusal to be told", lambda: "event=control.refused" in daemon.output)
    status, text = get(url, method="POST", body=b"{}", token="right-token")
    assert status == 200 and json.loads(text)["outlives_restart"] is False, text
    wait_for("all to have run again", lambda: len(w.ledger()["runs"]) == 6)
    wait_state(daemon, "Converged")
    assert len(w.ledger()["runs"]) == 6


@test
def retry_tries_again_what_has_failed_and_nothing_else(w):
    daemon = begin(w, script={"jobs": {"Setup Python Environment": {"fail_first": 1}}})
    wait_state(daemon, "Degraded")
    assert job(daemon, "setup_environment")["state"] == "Failed"
    code, output = command(w, "retry")
    assert code == 0 and "tried again: setup_environment" in output, output
    wait_state(daemon, "Converged")
    assert len(w.runs("Git Repository Sync")) == 1
    assert [r["status"] for r in w.runs("Setup Python Environment")] == ["ENGINE_FAILED",
                                                                       "ENGINE_SUCCEEDED"]
    code, output = command(w, "retry")
    assert code == 0 and "nothing to try again" in output, output


@test
def suspended_project_is_left_alone_until_its_time(w):
    daemon = begin(w, ONE)
    wait_state(daemon, "Converged")
    code, output = command(w, "suspend", "--for", "5m")  # five seconds here
    assert code == 0 and "until" in output, output
    wait_state(daemon, "Suspended")
    writes = w.ledger()["writes"]
    w.write(CHAIN)
    daemon.send(signal.SIGHUP)
    wait_for("the new file", lambda: "event=config.reloaded" in daemon.output)
    passes = w.ledger()["calls"]["ListJobs"]
    wait_for("another look", lambda: w.ledger()["calls"]["ListJobs"] > passes + 1)
    if state_of(daemon) == "Suspended":
        assert w.ledger()["writes"] == writes
    wait_state(daemon, "Converged")
    assert len(w.jobs()) == 3


@test
def resumed_job_is_looked_after_again(w):
    daemon = begin(w, ONE)
    wait_state(daemon, "Converged")
    assert command(w, "suspend", "git_sync")[0] == 0
    wait_for("the job to be held", lambda: job(daemon, "git_sync")["state"] == "Suspended")
    code, output = command(w, "force", "git_sync")
    assert code == 3 and "is suspended; resume it first" in output, output
    assert command(w, "resume", "git_sync")[0] == 0
    assert command(w, "force", "git_sync")[0] == 0
    wait_for("its second run", lambda: len(w.runs("Git Repository Sync")) == 2)


@test
def demands_outlive_kill_9_with_a_state_directory(w):
    state = w.folder / "state"
    daemon = begin(w, CHAIN, "--state-dir", state)
    wait_state(daemon, "Converged")
    assert command(w, "suspend", "launch_ray_cluster")[0] == 0
    w.simulator_post("/-/faults", random="unavailable=100")
    code, output = command(w, "force", "setup_environment")
    assert code == 0, output
    daemon.send(signal.SIGKILL)
    daemon.wait(10)
    # Not by the simulator's own faults, which answer for everything but /-/.
    w.simulator_post("/-/faults", random="")
    daemon = w.run_daemon("--control-socket", w.socket, "--state-dir", state)
    wait_for("the forced run", lambda: len(w.runs("Setup Python Environment")) == 2)
    wait_for("its success", lambda: job(daemon, "setup_environment")["state"] == "UpToDate")
    assert job(daemon, "launch_ray_cluster")["state"] == "Suspended"
    assert len(w.runs("Git Repository Sync")) == 1


@test
def mistakes_at_the_control_are_problems_that_name_them(w):
    daemon = begin(w, ONE)
    wait_state(daemon, "Converged")
    for target, body, expected, words in [
            ("/v1/force", {"job": "git_snyc"}, 404, "did you mean 'git_sync'?"),
            ("/v1/force", {"project": "other"}, 404, "no project 'other'"),
            ("/v1/suspend", {"fro": "2h"}, 422, "did you mean 'for'?"),
            ("/v1/suspend", {"for": "soon"}, 422, "a time from 1s to 365d"),
            ("/v1/force", {"for": "2h"}, 422, "nothing is called 'for' here"),
            ("/v1/retry", {"job": 7}, 422, "'job' is to be a string"),
            ("/v1/resume", [], 400, "not a JSON object"),
            ("/v1/nothing", {}, 404, "nothing at this path")]:
        status, kind, answer = ask(w.socket, "POST", target, body)
        assert (status, kind) == (expected, "application/problem+json"), (target, body, status, kind)
        assert words in answer["detail"] and answer["status"] == expected, answer
    assert ask(w.socket, "GET", "/v1/force")[0] == 405
    assert len(w.ledger()["runs"]) == 1


def as_user(uid, gid, function):
    """What function() prints as JSON when another user calls it."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(gid)
            os.setuid(uid)
            try:
                answer = function()
            except OSError as e:
                answer = type(e).__name__
            os.write(into, json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as f:
        text = f.read()
    os.waitpid(child, 0)
    return json.loads(text)


@test
def control_socket_is_for_root_the_daemon_and_the_group(w):
    if os.getuid() != 0:
        raise Skipped("only root can become somebody else")
    nobody = pwd.getpwnam("nobody")
    group = grp.getgrgid(nobody.pw_gid)
    os.chmod(w.folder, 0o755)
    daemon = begin(w, ONE)
    wait_state(daemon, "Converged")
    resume = lambda: ask(w.socket, "POST", "/v1/resume", {})[0]
    assert as_user(nobody.pw_uid, nobody.pw_gid, resume) == "PermissionError"
    assert resume() == 200
    daemon.send(signal.SIGTERM)
    assert daemon.wait(10) == 0
    assert not w.socket.exists()
    daemon = w.run_daemon("--control-socket", w.socket, "--control-group", group.gr_name)
    wait_state(daemon, "Converged")
    assert as_user(nobody.pw_uid, nobody.pw_gid, resume) == 200
    assert as_user(nobody.pw_uid, 1, resume) == "PermissionError"
    wait_for("who it was", lambda: f"uid {nobody.pw_uid} (nobody)" in daemon.output)


@test
def control_socket_of_a_dead_daemon_is_taken_and_of_a_living_one_not(w):
    daemon = begin(w, ONE)
    wait_state(daemon, "Converged")
    code, output, _ = w.command("run", "--config", w.file, "--listen", "127.0.0.1:0",
                                "--control-socket", w.socket)
    assert code == 1 and "another process listens there" in output, output
    daemon.send(signal.SIGKILL)
    daemon.wait(10)
    assert w.socket.exists()
    daemon = w.run_daemon("--control-socket", w.socket)
    wait_state(daemon, "Converged")
    assert command(w, "status")[0] == 0


@test
def status_and_explain_say_how_things_stand(w):
    daemon = begin(w)
    wait_state(daemon, "Converged")
    code, output = command(w, "status")
    assert code == 0 and "ray-cluster: Converged" in output, output
    for key in ("git_sync", "setup_environment", "launch_ray_cluster"):
        assert f"\n  {key} " in output, output
    code, output = command(w, "explain", "launch_ray_cluster")
    assert code == 0 and "after: setup_environment, which is UpToDate" in output, output
    assert "last success: " in output, output
    code, output = command(w, "explain", "lanch_ray_cluster")
    assert code == 3 and "did you mean 'launch_ray_cluster'?" in output, output
    code, output = command(w, "status", "--output", "json")
    assert code == 0 and json.loads(output)["projects"][0]["state"] == "Converged", output


@test
def commands_say_where_they_looked_for_a_daemon(w):
    w.write(ONE)
    code, output, _ = w.command("status", "--listen", "127.0.0.1:1")
    assert code == 5 and "no daemon answers at 127.0.0.1:1" in output, output
    assert "cml-reconciler run" in output, output
