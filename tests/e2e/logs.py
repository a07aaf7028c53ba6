"""The log, its levels, and the audit of what was written to CML."""
import json
import os
import signal

from harness import CHAIN, KEY, ONE, get, status_of, wait_for, wait_state

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@test
def every_write_is_in_the_audit_with_its_reason_and_answer(w):
    w.write(CHAIN)
    w.simulate()
    audit = w.folder / "audit.log"
    daemon = w.run_daemon("--audit-file", audit)
    wait_state(daemon, "Converged")
    found = records(audit)
    ledger = w.ledger()
    assert len(found) == ledger["writes"], (found, ledger)
    assert [r["operation"] for r in found].count("CreateJob") == 3
    run = next(r for r in found if r["operation"] == "CreateJobRun")
    assert run["result"] == "done" and run["why"] and run["id"] and run["name"] == "Git Repository Sync"
    assert run["project_id"] == w.project()["id"] and len(run["file"]) == 12, run
    assert daemon.output.count("event=audit ") == len(found)
    # A log rotation, and a file that has changed: the next record says by which it went.
    audit.rename(w.folder / "audit.log.1")
    w.write(CHAIN.replace("cpu: 4", "cpu: 3"))
    daemon.send(signal.SIGHUP)
    wait_for("the new file", lambda: audit.exists() and len(records(audit)) == 3)
    later = records(audit)
    assert {r["operation"] for r in later} == {"UpdateJob"} and later[0]["file"] != run["file"], later
    assert audit.stat().st_mode & 0o027 == 0, oct(audit.stat().st_mode)


@test
def answer_that_was_lost_is_audited_as_one_that_may_have_happened(w):
    w.write(ONE)
    w.simulate()
    audit = w.folder / "audit.log"
    w.simulator_post("/-/faults", operation="CreateJob", fault="lost_after", count=1, delay_seconds=30)
    code, output, _ = w.apply("--audit-file", audit)
    assert code == 0, output
    failed = [r for r in records(audit) if r["result"] != "done"]
    assert [r["result"] for r in failed] == ["uncertain"], records(audit)
    assert failed[0]["operation"] == "CreateJob" and failed[0]["error"], failed


@test
def audit_file_that_cannot_be_written_stops_nothing_and_is_counted(w):
    w.write(ONE)
    w.simulate()
    daemon = w.run_daemon("--audit-file", w.folder / "missing" / "audit.log")
    wait_state(daemon, "Converged")
    assert daemon.output.count("event=audit.not_written") == 1, daemon.output
    assert "event=audit " in daemon.output
    metrics = get(daemon.url + "/metrics")[1]
    value = next(line for line in metrics.splitlines()
                 if line.startswith("cml_reconciler_audit_failures_total"))
    assert float(value.split()[-1]) >= 3, value


@test
def levels_of_the_log_are_by_part_and_changed_by_a_reload(w):
    w.write(ONE)
    w.simulate()
    settings = w.write("log_level: info\n", "settings.yaml")
    daemon = w.run_daemon("--settings", settings)
    wait_state(daemon, "Converged")
    assert "level=debug" not in daemon.output
    settings.write_text("log_level: info,http=debug\n")
    daemon.send(signal.SIGHUP)
    wait_for("the new levels", lambda: "event=config.reloaded" in daemon.output)
    get(daemon.url + "/healthz")
    wait_for("the request", lambda: 'event=http.request' in daemon.output)
    assert "event=api.attempt" not in daemon.output
    settings.write_text("log_level: info,htp=debug\n")
    daemon.send(signal.SIGHUP)
    wait_for("the refusal", lambda: status_of(daemon).get("config_error"))
    assert "notify, daemon" in status_of(daemon)["config_error"], status_of(daemon)


@test
def setting_that_acts_at_the_next_start_is_told_until_it_is_as_before(w):
    w.write(ONE)
    w.simulate()
    settings = w.write("max_in_flight: 4\n", "settings.yaml")
    daemon = w.run_daemon("--settings", settings)
    wait_state(daemon, "Converged")
    assert status_of(daemon)["restart_needed"] == []
    settings.write_text("max_in_flight: 5\n")
    for n in (1, 2):
        daemon.send(signal.SIGHUP)
        wait_for("the hint", lambda: daemon.output.count("event=config.restart_needed") == n)
        assert status_of(daemon)["restart_needed"] == ["max_in_flight"]
    settings.write_text("max_in_flight: 4\n")
    daemon.send(signal.SIGHUP)
    wait_for("the end of it", lambda: status_of(daemon)["restart_needed"] == [])


@test
def log_in_json_is_one_object_per_line_without_a_secret(w):
    w.write(ONE.replace("cpu: 2", "cpu: 2\n    environment: {TOKEN: '${JOB_TOKEN}'}"))
    w.simulate()
    secret = "s3cr3t-of-the-job"
    daemon = w.run_daemon("--log-format", "json", "--log-level", "trace", "--audit-file",
                          w.folder / "audit.log", env={"JOB_TOKEN": secret}, listening='"listen":"')
    wait_state(daemon, "Converged")
    daemon.send(signal.SIGTERM)
    assert daemon.wait(10) == 0
    lines = [json.loads(line) for line in daemon.lines]
    assert all({"ts", "level", "event", "msg"} <= set(line) for line in lines), lines
    everything = daemon.output + (w.folder / "audit.log").read_text()
    assert secret not in everything and KEY not in everything


@test
def reload_while_stopping_is_refused_with_a_line(w):
    w.write(ONE)
    w.simulate()
    daemon = w.run_daemon()
    wait_state(daemon, "Converged")
    # A read that hangs keeps the daemon in its stopping.
    w.simulator_post("/-/faults", operation="reads", fault="hang", count=1000)
    calls = sum(w.ledger()["calls"].values())
    wait_for("a hanging call", lambda: sum(w.ledger()["calls"].values()) > calls)
    daemon.send(signal.SIGTERM)
    wait_for("the stopping", lambda: "event=stopping" in daemon.output)
    daemon.send(signal.SIGHUP)
    wait_for("the refusal", lambda: "event=config.not_read" in daemon.output)
    assert daemon.wait(15) == 0, daemon.output
    assert "event=config.reloaded" not in daemon.output, daemon.output


@test
def file_that_moves_is_reread_once_by_one_signal(w):
    w.write(ONE)
    w.simulate()
    moved = w.write(ONE.replace("cpu: 2", "cpu: 3"), "moved.yaml")
    settings = w.write(f"config: {w.file}\nwatch_config: true\n", "settings.yaml")
    daemon = w.start(w.daemon_path, "run", "--settings", settings, "--listen", "127.0.0.1:0",
                     "--interval", "2s", "--write-settle", "1500ms")
    wait_for("the job", lambda: w.runs("Git Repository Sync"))
    settings.write_text(f"config: {moved}\nwatch_config: true\n")
    daemon.send(signal.SIGHUP)
    wait_for("the moved file", lambda: w.jobs()["Git Repository Sync"]["cpu"] == 3)
    # The watch would have acted after one second of an unchanged content: four of its looks pass.
    passes = w.ledger()["calls"]["ListJobs"]
    wait_for("two more passes", lambda: w.ledger()["calls"]["ListJobs"] >= passes + 2)
    assert daemon.output.count("event=config.reloaded") == 1, daemon.output
