"""What must hold in a workspace after any number of kills, read from the workspace itself."""
import json

from harness import get, KEY


class Unreadable(Exception):
    pass


def listed(host, path, key):
    """All items of a list, page by page. The workspace's own faults have to be switched off."""
    items, token = [], ""
    while True:
        more = f"&page_token={token}" if token else ""
        status, text = get(f"{host}/api/v2{path}?page_size=50{more}", token=KEY)
        if status != 200:
            raise Unreadable(f"{path}: {status} {text}")
        page = json.loads(text)
        items += page.get(key, [])
        token = page.get("next_page_token", "")
        if not token:
            return items


def read(host):
    """{project name: [(project, {job name: [(job, [run, oldest first])]})]}"""
    found = {}
    for project in listed(host, "/projects", "projects"):
        jobs = {}
        for job in listed(host, f"/projects/{project['id']}/jobs", "jobs"):
            runs = listed(host, f"/projects/{project['id']}/jobs/{job['id']}/runs", "job_runs")
            runs = [r for r in runs if r["status"] != "ENGINE_SKIPPED"]
            runs.sort(key=lambda r: r["created_at"])
            jobs.setdefault(job["name"], []).append((job, runs))
        found.setdefault(project["name"], []).append((project, jobs))
    return found


def problems(workspace, expected, foreign=frozenset()):
    """Sentences; none where all is well. `expected`: {project: {job name: {"parent": name or None,
    "failures": so many runs fail before one succeeds, "successes": so many runs succeed, None: as many
    as have a cause}}}. What others have made, `foreign`, is there once and has never run; there is
    nothing else."""
    out = []
    for project_name, jobs in expected.items():
        projects = workspace.get(project_name, [])
        if len(projects) != 1:
            out.append(f"project {project_name} is there {len(projects)} times")
            continue
        live = projects[0][1]
        for name, wanted in jobs.items():
            out += of_job(f"{project_name}/{name}", live, name, wanted)
        for name in sorted(foreign):
            found = live.get(name, [])
            if len(found) != 1:
                out.append(f"foreign job {project_name}/{name} is there {len(found)} times")
            elif found[0][1]:
                out.append(f"foreign job {project_name}/{name} has been run")
        out += [f"job {project_name}/{name} should not be there"
                for name in sorted(set(live) - set(jobs) - foreign)]
    out += [f"project {name} should not be there" for name in sorted(set(workspace) - set(expected))]
    return out


def definition_of(run):
    """The mark that the run of a `run: on_change` job bears; None: it bears none."""
    environment = run.get("environment") or "{}"
    if isinstance(environment, str):
        environment = json.loads(environment)
    return environment.get("CML_RECONCILER_SPEC")


def of_job(where, live, name, wanted):
    if len(live.get(name, [])) != 1:
        return [f"job {where} is there {len(live.get(name, []))} times"]
    job, runs = live[name][0]
    out = []
    parent_runs = []
    if wanted["parent"]:
        parents = live.get(wanted["parent"], [])
        if len(parents) == 1:
            parent, parent_runs = parents[0]
            if job.get("parent_id") != parent["id"]:
                out.append(f"job {where} has another parent than {wanted['parent']}")
    ends = [r["status"] for r in runs]
    counted = wanted.get("successes", 1)
    due = max(1, len(runs) - wanted["failures"]) if counted is None else counted
    right = ["ENGINE_FAILED"] * wanted["failures"] + ["ENGINE_SUCCEEDED"] * due
    if ends != right:
        out.append(f"the runs of {where} are {ends} and should be {right}")
    successes = [r["finished_at"] for r in parent_runs if r["status"] == "ENGINE_SUCCEEDED"]
    for run in runs:
        if wanted["parent"] and not any(end <= run["created_at"] for end in successes):
            out.append(f"run {run['id']} of {where} began before its parent had succeeded")
    for before, after in zip(runs, runs[1:]):
        if not before.get("finished_at") or after["created_at"] < before["finished_at"]:
            out.append(f"run {after['id']} of {where} began while {before['id']} was active")
        elif before["status"] == "ENGINE_SUCCEEDED":
            newer = [end for end in successes if before["created_at"] < end <= after["created_at"]]
            # A job without a parent that has to run again does so for its definition's sake, and its
            # mark or the number above bounds how often.
            changed = definition_of(before) != definition_of(after)
            if not newer and (wanted["parent"] or (not changed if counted is None else counted == 1)):
                out.append(f"run {after['id']} of {where} has no cause: {before['id']} had succeeded")
    return out


def self_test():
    """That the checks can fail: a workspace that is right, and what makes it wrong."""
    def run(number, status, begin, end, definition="d1"):
        return {"id": f"run{number}", "status": "ENGINE_" + status, "created_at": f"t{begin:02}",
                "environment": json.dumps({"CML_RECONCILER_SPEC": definition}),
                "finished_at": f"t{end:02}" if end else None}

    def workspace(parent_runs, child_runs, copies=1, parent_id="p1"):
        jobs = {"parent": [({"id": "p1", "parent_id": ""}, parent_runs)],
                "child": [({"id": f"c{n}", "parent_id": parent_id}, child_runs)
                          for n in range(copies)]}
        return {"demo": [({"id": "d"}, jobs)]}

    expected = {"demo": {"parent": {"parent": None, "failures": 0},
                         "child": {"parent": "parent", "failures": 0}}}
    any_number = {"demo": {"parent": {"parent": None, "failures": 0, "successes": None}}}
    twice = [run(1, "SUCCEEDED", 1, 5), run(3, "SUCCEEDED", 6, 7, "d2")]
    assert problems({"demo": [({"id": "d"}, {"parent": [({"id": "p1"}, twice)]})]}, any_number) == []
    twice[1] = run(3, "SUCCEEDED", 6, 7)
    assert problems({"demo": [({"id": "d"}, {"parent": [({"id": "p1"}, twice)]})]}, any_number)
    good = run(1, "SUCCEEDED", 1, 5)
    child = run(2, "SUCCEEDED", 6, 8)
    assert problems(workspace([good], [child]), expected) == []
    for wrong, says in [
        (workspace([good], [child], copies=2), "is there 2 times"),
        (workspace([good], [child], parent_id=""), "another parent"),
        (workspace([good], [child, run(3, "SUCCEEDED", 9, 10)]), "has no cause"),
        (workspace([good], [run(3, "SUCCEEDED", 2, 4)]), "before its parent"),
        (workspace([good], [child, run(3, "SUCCEEDED", 7, 9)]), "was active"),
        (workspace([run(1, "FAILED", 1, 5)], [child]), "should be"),
        (workspace([good, run(3, "SUCCEEDED", 6, 7)], [child]), "has no cause"),
        (workspace([good], []), "should be"),
        ({**workspace([good], [child]), "other": []}, "project other should not be there"),
        ({"demo": [({"id": "d"}, {**workspace([good], [child])["demo"][0][1],
                                  "more": [({"id": "m"}, [])]})]}, "demo/more should not be there"),
        ({}, "is there 0 times"),
        ({"demo": workspace([good], [child])["demo"] * 2}, "is there 2 times"),
    ]:
        found = problems(wrong, expected)
        assert any(says in sentence for sentence in found), (says, found)
    found = problems(workspace([good], [child]), expected, {"foreign"})
    assert any("foreign job demo/foreign is there 0 times" in s for s in found), found
