"""What the commands print for programs: JSON, and a live project as a file."""
import json
import subprocess

from harness import CHAIN, FAST, ONE

TESTS = []


def test(function):
    TESTS.append(function)
    return function


def command(w, *arguments):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([str(w.daemon_path), *map(str, arguments)], env=w.env, capture_output=True,
                          text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


@test
def validate_as_json_has_the_places(w):
    w.write(CHAIN.replace("cpu: 4", "cpu: many", 1))
    code, output, _ = command(w, "validate", "--config", w.file, "--output", "json")
    said = json.loads(output)
    assert code == 3 and said["valid"] is False, output
    assert said["errors"][0]["line"] == 5 and "cpu" in said["errors"][0]["message"], output


@test
def plan_as_json_says_the_same_as_the_text(w):
    w.write(CHAIN)
    w.simulate()
    code, output, _ = command(w, "plan", "--config", w.file, "--output", "json")
    said = json.loads(output)
    assert code == 2 and said["changes"] is True, output
    assert (said["create"], said["change"], said["run"], said["delete"]) == (4, 0, 3, 0), output
    steps = [(s["step"], s["job"]) for s in said["projects"][0]["steps"]]
    assert steps[0] == ("create_project", None) and ("create_job", "git_sync") in steps, steps
    assert w.ledger()["writes"] == 0


@test
def apply_as_json_ends_with_the_projects_as_status_has_them(w):
    w.write(ONE)
    w.simulate()
    code, output, _ = command(w, "apply", "--config", w.file, *FAST, "--output", "json")
    said = json.loads(output)
    assert code == 0 and said["result"] == "converged", output
    assert said["projects"][0]["jobs"][0]["state"] == "UpToDate", output


@test
def imported_file_differs_in_nothing_and_starts_nothing(w):
    w.write(CHAIN)
    w.simulate()
    assert w.apply()[0] == 0
    w.simulator_post("/-/edit", project="ray-cluster", job="Git Repository Sync",
                     fields={"cpu": 3, "environment": "{\"MODE\":\"a $b\",\"DB_PASSWORD\":\"hunter2\"}"})
    code, text, notes = command(w, "import", "ray-cluster")
    assert code == 0, notes
    assert "hunter2" not in text + notes and "DB_PASSWORD" in notes, text + notes
    w.write(text)
    before = w.ledger()["writes"]
    w.env["DB_PASSWORD"] = "hunter2"
    del w.env["RUNTIME_IDENTIFIER"]
    code, output, complaints = command(w, "plan", "--config", w.file)
    assert code == 0 and "nothing to do" in output, output + complaints + text
    assert w.apply()[0] == 0
    assert w.ledger()["writes"] == before


@test
def imported_jobs_are_not_started_by_an_apply(w):
    w.simulate()
    w.write(ONE.replace("memory: 4", "memory: 4\n    run: never"))
    assert w.apply()[0] == 0
    code, text, _ = command(w, "import", "ray-cluster")
    assert code == 0 and "run: never" in text, text
    w.write(text)
    assert w.apply()[0] == 0
    assert w.ledger()["runs"] == []


@test
def import_of_what_is_not_there_names_what_is(w):
    w.write(ONE)
    w.simulate()
    assert w.apply()[0] == 0
    code, output, said = command(w, "import", "ray")
    assert code == 1 and output == "" and "there are 'ray-cluster'" in said, said
    identifier = w.project()["id"]
    code, output, said = command(w, "import", identifier)
    assert code == 0 and "name: ray-cluster" in output, output + said


@test
def import_with_a_wrong_key_is_refused(w):
    w.simulate()
    w.env["CML_API_KEY"] = "wrong-wrong-wrong"
    code, output, said = command(w, "import", "x")
    assert code == 4 and output == "" and said.startswith("error: "), (code, said)
