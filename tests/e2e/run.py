#!/usr/bin/env python3
"""End-to-end tests of the two programs. `run.py --list` names them; `run.py NAME --daemon PATH
--simulator PATH` runs one. Exit 77: skipped, with the reason."""
import argparse
import pathlib
import shutil
import sys
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from harness import *  # noqa: E402,F403
import api  # noqa: E402
import control  # noqa: E402
import page  # noqa: E402
import door  # noqa: E402
import large  # noqa: E402
import logs  # noqa: E402
import notify  # noqa: E402
import output  # noqa: E402
import tls  # noqa: E402

TESTS = {}


def test(function):
    TESTS[function.__name__] = function
    return function


for module in (api, control, door, large, logs, notify, output, page, tls):
    for each in module.TESTS:
        test(each)


def causes(world):
    return world.ledger()["runs_by_cause"]


def converge(world, *flags, text=CHAIN):
    world.write(text)
    world.simulate()
    daemon = world.run_daemon(*flags)
    wait_state(daemon, "Converged")
    return daemon


@test
def apply_converges_and_cml_starts_the_children(w):
    w.write(CHAIN)
    w.simulate()
    code, output, _ = w.apply()
    assert code == 0, output
    ledger = w.ledger()
    assert ledger["runs_by_cause"].get("api", 0) == 1, ledger
    assert ledger["runs_by_cause"].get("dependency", 0) == 2, ledger
    assert ledger["duplicate_names"] == 0, ledger
    assert ledger["violations"] == [], ledger
    assert all(r["status"] == "ENGINE_SUCCEEDED" for r in ledger["runs"]), ledger


@test
def second_apply_writes_nothing_and_is_fast(w):
    w.write(CHAIN)
    w.simulate()
    code, output, _ = w.apply()
    assert code == 0, output
    before = w.ledger()
    took = []
    for _ in range(3):
        code, output, seconds = w.apply()
        assert code == 0, output
        took.append(seconds)
    after = w.ledger()
    assert after["writes"] == before["writes"], after
    assert len(after["runs"]) == len(before["runs"]), after
    # The figure of the release build; other builds are slower by design.
    if "release" in w.daemon_path:
        assert min(took) < 0.2, took


@test
def forced_apply_runs_the_chain_exactly_once_more(w):
    w.write(CHAIN)
    w.simulate()
    assert w.apply()[0] == 0
    code, output, _ = w.apply(env={"FORCE_REBUILD": "true"})
    assert code == 0, output
    for name in w.jobs():
        assert len(w.runs(name)) == 2, (name, w.ledger())
    assert causes(w).get("api", 0) == 2, w.ledger()


@test
def job_added_by_reload_is_created_and_run(w):
    daemon = converge(w)
    w.write(CHAIN + "  extra:\n    name: Extra\n    script: extra.py\n")
    daemon.send(signal.SIGHUP)
    wait_for("a run of the new job", lambda: len(w.runs("Extra")) == 1)
    wait_state(daemon, "Converged")
    assert causes(w).get("api", 0) == 2, w.ledger()
    assert daemon.running()


@test
def parameter_edited_by_hand_is_corrected_and_others_are_left_alone(w):
    daemon = converge(w, text=ONE)
    w.simulator_post("/-/edit", project="ray-cluster", job="Git Repository Sync",
                     fields={"cpu": 7, "arguments": "--by-hand"})
    wait_for("the correction", lambda: w.jobs()["Git Repository Sync"]["cpu"] == 2)
    assert w.jobs()["Git Repository Sync"]["arguments"] == "--by-hand"
    assert daemon.running()


@test
def children_that_cml_does_not_start_are_started_once_each(w):
    w.write(CHAIN)
    w.simulate("--no-auto-start")
    code, output, _ = w.apply()
    assert code == 0, output
    ledger = w.ledger()
    assert ledger["runs_by_cause"].get("api", 0) == 3, ledger
    assert ledger["children_triggered_early"] == 0, ledger


@test
def metrics_are_accepted_by_promtool(w):
    if not shutil.which("promtool"):
        raise Skipped("promtool is not installed")
    daemon = converge(w)
    status, text = get(daemon.url + "/metrics")
    assert status == 200
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                             capture_output=True)
    assert checked.returncode == 0 and not checked.stderr.strip(), checked.stderr
    assert 'project="ray-cluster"' in text


@test
def file_with_five_mistakes_gets_five_messages_and_nothing_is_sent(w):
    w.simulate()
    w.write("jobs:\n  a:\n    script: a.py\n    memmory: 4\n    cpu: -1\n    parent_job_key: b\n"
            "    timeout: soon\n    schedule: '61 * * * *'\n")
    code, output, _ = w.apply()
    assert code == 3, (code, output)
    errors = [line for line in output.splitlines() if line.startswith("error:")]
    assert len(errors) == 5, output
    assert all(re.search(r"jobs_config\.yaml:\d+:\d+: ", line) for line in errors), output
    assert "memory" in output
    assert sum(w.ledger()["calls"].values()) == 0, w.ledger()


@test
def reload_of_a_bad_file_is_refused_whole(w):
    daemon = converge(w)
    w.write("jobs: [this is not a map]\n")
    daemon.send(signal.SIGHUP)
    wait_for("the error in the status", lambda: status_of(daemon).get("config_error"))
    assert "jobs_config.yaml:1:" in status_of(daemon)["config_error"]
    assert state_of(daemon) == "Converged"
    assert re.search(r"config_last_reload_successful(\{\})? 0", get(daemon.url + "/metrics")[1])
    assert "config.refused" in daemon.output
    w.write(CHAIN)
    daemon.send(signal.SIGHUP)
    wait_for("the error to go", lambda: not status_of(daemon).get("config_error"))


@test
def wrong_key_is_one_clear_message_within_five_seconds(w):
    w.write(CHAIN)
    w.simulate()
    for key in ("demo-key-demo-key-demo-kex", "short"):
        code, output, seconds = w.apply(env={"CML_API_KEY": key})
        assert code == 4, (code, output)
        assert seconds < 5, seconds
        assert "CML_API_KEY" in output and "transient" not in output, output
        assert key not in output
    assert w.ledger()["writes"] == 0, w.ledger()


@test
def missing_key_is_told_before_anything_is_sent(w):
    w.write(CHAIN)
    w.simulate()
    w.env.pop("CML_API_KEY")
    code, output, _ = w.apply()
    assert code == 4, (code, output)
    assert "CML_API_KEY" in output, output
    assert sum(w.ledger()["calls"].values()) == 0, w.ledger()


@test
def run_with_a_wrong_key_is_unreachable_and_writes_nothing(w):
    w.write(CHAIN)
    w.simulate()
    daemon = w.run_daemon(env={"CML_API_KEY": "demo-key-demo-key-demo-kex"})
    wait_state(daemon, "Unreachable", 5)
    assert get(daemon.url + "/readyz")[0] == 503
    assert get(daemon.url + "/healthz")[0] == 200
    assert w.ledger()["writes"] == 0, w.ledger()


@test
def run_waits_for_a_key_that_is_missing(w):
    w.write(ONE)
    w.simulate()
    w.env.pop("CML_API_KEY")
    key_file = w.folder / "key"
    daemon = w.run_daemon("--api-key-file", str(key_file))
    wait_state(daemon, "Unreachable", 5)
    assert str(key_file) in daemon.output, daemon.output
    assert w.ledger()["writes"] == 0, w.ledger()
    key_file.write_text(KEY + "\n")
    daemon.send(signal.SIGUSR1)
    wait_state(daemon, "Converged")


@test
def workspace_that_goes_away_and_comes_back_is_recovered_from(w):
    w.write(CHAIN)
    port = free_port()
    state = w.folder / "simulator.json"
    w.simulate("--state", state, listen=f"127.0.0.1:{port}")
    daemon = w.run_daemon()
    wait_state(daemon, "Converged")
    w.simulator.send(signal.SIGTERM)
    w.simulator.wait(10)
    wait_state(daemon, "Unreachable")
    w.simulate("--state", state, listen=f"127.0.0.1:{port}")
    wait_state(daemon, "Converged")
    assert w.ledger()["writes"] == 0 or len(w.jobs()) == 3
    assert len(w.jobs()) == 3


@test
def workspace_that_answers_html_or_5xx_leads_to_no_write(w):
    w.write(CHAIN)
    w.simulate("--faults", "reads:html=50,reads:unavailable=40")
    daemon = w.run_daemon()
    wait_state(daemon, "Unreachable", 60)
    assert w.ledger()["duplicate_names"] == 0


def lost_post(w, operation, kind):
    w.write(CHAIN)
    w.simulate()
    w.simulator_post("/-/faults", operation=operation, fault=kind, count=1, delay_seconds=30)
    code, output, _ = w.apply()
    assert code == 0, output
    ledger = w.ledger()
    assert ledger["duplicate_names"] == 0, ledger
    for name in w.jobs():
        assert len(w.runs(name)) == 1, ledger
    assert len([p for p in w.cml("/projects?page_size=50")["projects"]]) == 1


for _operation in ("CreateProject", "CreateJob", "CreateJobRun"):
    for _kind in ("lost_after", "lost_before", "late_commit"):
        def _case(w, operation=_operation, kind=_kind):
            lost_post(w, operation, kind)
        _case.__name__ = f"post_of_{_operation}_{_kind}_leaves_exactly_one"
        test(_case)


@test
def clone_that_fails_is_degraded_with_the_reason(w):
    w.write(CHAIN)
    script = w.write('{"projects": {"ray-cluster": {"clone": "failure"}}}', "script.json")
    w.simulate("--script", script)
    code, output, _ = w.apply()
    assert code == 1, (code, output)
    assert "clone of the repository has failed" in output, output


@test
def clone_that_never_ends_is_degraded_within_its_deadline(w):
    w.write("project:\n  clone_timeout: 2m\n" + CHAIN)
    w.simulate("--clone-time", "1000000")
    code, output, _ = w.apply()
    assert code == 1, (code, output)
    assert "has not ended within 2 min" in output, output


@test
def two_jobs_of_one_name_are_ambiguous_and_untouched(w):
    daemon = converge(w, text=ONE)
    project = w.project()["id"]
    body = json.dumps({"project_id": project, "name": "Git Repository Sync", "script": "x.py",
                       "runtime_identifier": RUNTIME}).encode()
    status, text = get(f"{w.host}/api/v2/projects/{project}/jobs", token=KEY, method="POST",
                       body=body)
    assert status == 200, text
    writes = w.ledger()["writes"]
    wait_state(daemon, "Degraded")
    found = status_of(daemon)["projects"][0]
    assert len(found["ambiguous_ids"]) == 2, found
    assert "Ambiguous" in " ".join(found["reasons"]), found
    assert w.ledger()["writes"] == writes


@test
def two_projects_of_one_name_are_ambiguous(w):
    w.write(ONE)
    w.simulate()
    for _ in range(2):
        body = json.dumps({"name": "ray-cluster", "template": "local"}).encode()
        assert get(w.host + "/api/v2/projects", token=KEY, method="POST", body=body)[0] == 200
    code, output, _ = w.apply()
    assert code == 1, output
    assert "Ambiguous: 2 projects" in output, output


def one_line_and_nonzero(w, *arguments, expected):
    code, output, _ = w.command(*arguments)
    assert code != 0, output
    lines = [line for line in output.splitlines() if line.strip()]
    assert len(lines) == 1, output
    assert expected in lines[0], output


@test
def port_in_use_is_one_line_with_the_remedy(w):
    w.write(ONE)
    w.simulate()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        one_line_and_nonzero(w, "run", "--config", w.file, "--listen",
                             f"127.0.0.1:{s.getsockname()[1]}", expected="--listen")


@test
def state_directory_that_cannot_be_written_is_one_line_with_the_remedy(w):
    w.write(ONE)
    w.simulate()
    blocker = w.write("", "a-file")
    one_line_and_nonzero(w, "apply", "--config", w.file, "--state-dir", blocker / "below",
                         expected="--state-dir")


@test
def unknown_flag_is_one_line_with_the_remedy(w):
    one_line_and_nonzero(w, "apply", "--no-such-flag", expected="--help")


@test
def missing_file_is_one_line(w):
    w.simulate()
    one_line_and_nonzero(w, "validate", "--config", w.folder / "absent.yaml", expected="absent.yaml")


@test
def forced_run_without_a_state_directory_is_refused(w):
    w.write(ONE)
    w.simulate()
    w.env["FORCE_REBUILD"] = "true"
    one_line_and_nonzero(w, "run", "--config", w.file, expected="--state-dir")


@test
def sigterm_stops_within_ten_seconds_with_exit_0(w):
    daemon = converge(w)
    daemon.send(signal.SIGTERM)
    assert daemon.wait(10) == 0, daemon.output


@test
def sigterm_stops_while_cml_hangs(w):
    w.write(CHAIN)
    w.simulate()
    daemon = w.run_daemon()
    w.simulator_post("/-/faults", operation="reads", fault="hang", count=1000)
    wait_for("a hanging call", lambda: w.ledger()["calls"])
    daemon.send(signal.SIGTERM)
    assert daemon.wait(11) == 0, daemon.output


@test
def sigusr1_reconciles_now(w):
    w.write(ONE)
    w.simulate()
    daemon = w.run_daemon("--interval", "1h")
    wait_state(daemon, "Converged")
    calls = w.ledger()["calls"]["ListJobs"]
    daemon.send(signal.SIGUSR1)
    wait_for("a pass", lambda: w.ledger()["calls"]["ListJobs"] > calls, 10)


@test
def control_wants_the_token(w):
    token_file = w.write("a-token-of-this-test\n", "token")
    daemon = converge(w, "--token-file", token_file)
    reload_url = daemon.url + "/-/reload"
    assert get(reload_url, method="POST", body=b"")[0] == 401
    assert get(reload_url, method="POST", body=b"", token="another")[0] == 401
    assert get(reload_url, method="POST", body=b"", token="a-token-of-this-test")[0] == 200
    assert get(daemon.url + "/-/reconcile", method="POST", body=b"",
               token="a-token-of-this-test")[0] == 202
    assert "a-token-of-this-test" not in daemon.output


@test
def control_without_a_token_file_says_how_to_enable_it(w):
    daemon = converge(w)
    status, text = get(daemon.url + "/-/reload", method="POST", body=b"")
    assert status == 403 and "--token-file" in text, text


@test
def readiness_follows_the_first_pass(w):
    daemon = converge(w)
    status, text = get(daemon.url + "/readyz?verbose")
    assert status == 200 and "[+] cml-reachable ok" in text, text


@test
def systemd_is_told_ready_reloading_stopping_and_gets_its_pings(w):
    w.write(ONE)
    w.simulate()
    path = str(w.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(0.05)
        heard = []

        def hear(part):
            try:
                while True:
                    heard.append(s.recv(4096).decode())
            except TimeoutError:
                pass
            return any(part in message for message in heard)
        daemon = w.run_daemon(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000000"})
        wait_for("READY", lambda: hear("READY=1"), 10)
        wait_for("a ping", lambda: hear("WATCHDOG=1"), 10)
        wait_for("STATUS", lambda: hear("STATUS=ray-cluster: Converged"), 60)
        daemon.send(signal.SIGHUP)
        wait_for("RELOADING", lambda: hear("RELOADING=1\nMONOTONIC_USEC="), 10)
        daemon.send(signal.SIGTERM)
        wait_for("STOPPING", lambda: hear("STOPPING=1"), 10)
        assert daemon.wait(10) == 0


@test
def killed_at_any_moment_nothing_is_done_twice(w):
    w.write(CHAIN)
    w.simulate("--latency", "20", "--faults", "writes:late_commit=10,writes:lost_after=10")
    state = w.folder / "state"
    for n in range(12):
        daemon = w.run_daemon("--state-dir", state)
        seen = len(w.ledger()["calls"])
        try:
            wait_for("some progress", lambda: len(w.ledger()["calls"]) > seen, 0.1 + 0.2 * n)
        except AssertionError:
            pass
        daemon.send(signal.SIGKILL)
        daemon.wait(5)
    daemon = w.run_daemon("--state-dir", state)
    wait_state(daemon, "Converged", 120)
    ledger = w.ledger()
    assert ledger["duplicate_names"] == 0, ledger
    assert ledger["children_triggered_early"] == 0, ledger
    for name in w.jobs():
        assert len(w.runs(name)) == 1, ledger


@test
def secrets_appear_in_no_output(w):
    w.write("jobs:\n  a:\n    name: A\n    script: a.py\n    environment:\n"
            "      TOKEN: ${JOB_TOKEN}\n    arguments: --key ${JOB_TOKEN}\n")
    w.simulate()
    secrets = {"JOB_TOKEN": "s3cr3t-of-the-job", "GH_PAT": "ghp_s3cr3t-of-git"}
    code, plan, _ = w.command("plan", "--config", w.file, env=secrets)
    assert code == 2, plan
    daemon = w.run_daemon("--log-level", "debug", env=secrets)
    wait_state(daemon, "Converged")
    w.simulator_post("/-/edit", project="ray-cluster", job="A",
                     fields={"arguments": "other", "environment": {"TOKEN": "s3cr3t-by-hand"}})
    wait_for("the correction", lambda: w.jobs()["A"]["arguments"] != "other")
    everything = plan + daemon.output
    for path in ("/v1/status", "/v1/events", "/metrics"):
        everything += get(daemon.url + path)[1]
    for secret in list(secrets.values()) + ["s3cr3t-by-hand", KEY]:
        assert secret not in everything, secret
    assert json.loads(w.jobs()["A"]["environment"])["TOKEN"] == secrets["JOB_TOKEN"]


@test
def plan_says_what_would_change_and_changes_nothing(w):
    w.write(CHAIN)
    w.simulate()
    code, output, _ = w.command("plan", "--config", w.file)
    assert code == 2, output
    assert "create project ray-cluster" in output and "create job launch_ray_cluster" in output
    assert w.ledger()["writes"] == 0
    assert w.apply()[0] == 0
    code, output, _ = w.command("plan", "--config", w.file)
    assert code == 0, output
    assert "nothing to do" in output, output


@test
def validate_needs_no_workspace(w):
    w.write(CHAIN)
    code, output, _ = w.command("validate", "--config", w.file)
    assert code == 0 and "3 job(s)" in output, output


@test
def status_lines_come_while_a_run_is_in_progress(w):
    w.write(ONE.replace("memory: 4", "memory: 4\n    timeout: 3600"))
    w.simulate("--run-time", "Git Repository Sync=900")
    code, output, _ = w.apply()
    assert code == 0, output
    assert re.search(r"git_sync: running for .* \(timeout 1 h\)", output), output


@test
def failed_job_makes_apply_fail_with_the_reason(w):
    w.write(CHAIN)
    w.simulate("--fail", "Setup Python Environment")
    code, output, _ = w.apply()
    assert code == 1, output
    assert re.search(r"setup_environment.*failed", output), output
    assert re.search(r"launch_ray_cluster\s+Blocked", output), output
    assert not w.runs("Launch Ray Cluster")


@test
def more_than_one_page_of_jobs_is_read(w):
    text = "jobs:\n" + "".join(f"  j{i}:\n    script: j{i}.py\n" for i in range(120))
    w.write(text)
    w.simulate()
    code, output, _ = w.apply("--max-runs-per-hour", "6", "--requests-per-second", "0")
    assert code == 0, output[-2000:]
    ledger = w.ledger()
    assert ledger["duplicate_names"] == 0 and len(ledger["created"]["jobs"]) == 120
    assert ledger["most_in_flight"] <= 8, ledger["most_in_flight"]
    before = ledger["writes"]
    assert w.apply()[0] == 0
    assert w.ledger()["writes"] == before


@test
def contract_holds_on_both_sides(w):
    contract = pathlib.Path(__file__).resolve().parents[3] / "shared" / "cml-api" / "contract.json"
    if not contract.exists():
        raise Skipped("the API's contract is not beside this checkout")
    prism = prism_command()
    w.write(CHAIN + "  tuned:\n    name: Tuned\n    script: t.py\n    cpu: 1\n    timeout: 60\n"
            "    environment: {A: 1}\n    run: on_change\n")
    w.simulate()
    port = free_port()
    proxy = w.start(*prism, "proxy", "--errors", "-h", "127.0.0.1", "-p", str(port), contract, w.host)
    wait_for("the proxy", lambda: get(f"http://127.0.0.1:{port}/api/v2/runtimes", token=KEY)[0] == 200,
             60)
    w.env["CML_HOST"] = f"http://127.0.0.1:{port}"
    code, output, _ = w.apply()
    assert code == 0, output + proxy.output[-3000:]
    w.simulator_post("/-/edit", project="ray-cluster", job="Tuned",
                     fields={"cpu": 3, "timeout": 70, "environment": {"A": "2"}})
    code, output, _ = w.apply()
    assert code == 0, output + proxy.output[-3000:]
    assert w.jobs()["Tuned"]["cpu"] == 1
    bad = [line for line in proxy.output.splitlines()
           if "violation" in line.lower() or "UNPROCESSABLE" in line or "[ERROR]" in line]
    assert not bad, "\n".join(bad[:20])
    assert w.ledger()["violations"] == [], w.ledger()["violations"]


def prism_command():
    """The validating proxy, from the npm registry; skipped where that cannot be had."""
    found = shutil.which("prism")
    if found:
        return [found]
    if not shutil.which("npm"):
        raise Skipped("npm is not installed, so the contract proxy cannot be had")
    place = pathlib.Path.home() / ".cache" / "cml-reconciler-tests" / "prism"
    binary = place / "node_modules" / ".bin" / "prism"
    if not binary.exists():
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--prefix", str(place), "--no-audit", "--no-fund",
                               "@stoplight/prism-cli"], capture_output=True, text=True)
        if done.returncode != 0 or not binary.exists():
            raise Skipped("npm could not install the contract proxy: " + done.stderr[-300:])
    return [str(binary)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", nargs="?")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--daemon")
    parser.add_argument("--simulator")
    options = parser.parse_args()
    if options.list:
        print("\n".join(TESTS))
        return 0
    world = World(options.daemon, options.simulator)
    try:
        TESTS[options.name](world)
        world.close()
        world.check_sanitizers()
        return 0
    except Skipped as reason:
        print(f"skipped: {reason}")
        return 77
    except Exception:
        traceback.print_exc()
        for process in world.processes[-3:]:
            print("--- output of", process.child.args[:2], "\n" + process.output[-4000:])
        return 1
    finally:
        world.close()
        shutil.rmtree(world.folder, ignore_errors=True)


sys.exit(main())
