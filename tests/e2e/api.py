"""What the running daemon answers, against its own OpenAPI document."""
import json
import pathlib
import urllib.error
import urllib.request

from harness import CHAIN, get, wait_for, wait_state

TESTS = []
DOCUMENT = json.loads((pathlib.Path(__file__).resolve().parents[2] / "docs/openapi.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict, "null": type(None)}


def test(function):
    TESTS.append(function)
    return function


def is_of(value, name):
    return isinstance(value, TYPES[name]) and (name != "integer" or not isinstance(value, bool))


def faults(value, schema, where="$"):
    """Sentences; none where the value is as the schema says."""
    if "$ref" in schema:
        return faults(value, SCHEMAS[schema["$ref"].rsplit("/", 1)[1]], where)
    if "anyOf" in schema:
        return [] if any(not faults(value, s, where) for s in schema["anyOf"]) else [f"{where}: none of anyOf"]
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(is_of(value, t) for t in types):
        return [f"{where}: {value!r} is not {types}"]
    out = []
    if "enum" in schema and value not in schema["enum"]:
        out.append(f"{where}: {value!r} is none of {schema['enum']}")
    if isinstance(value, dict):
        out += [f"{where}: {name} is missing" for name in schema["required"] if name not in value]
        for name, item in value.items():
            if name not in schema["properties"]:
                out.append(f"{where}: {name} is not in the document")
            else:
                out += faults(item, schema["properties"][name], f"{where}.{name}")
    if isinstance(value, list):
        for n, item in enumerate(value):
            out += faults(item, schema["items"], f"{where}[{n}]")
    return out


def check(daemon, method, path, token=None, body=None):
    """Asks, and holds the answer against the document. The status."""
    request = urllib.request.Request(daemon.url + path, method=method,
                                     data=json.dumps(body).encode() if body is not None else None)
    if token:
        request.add_header("Authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, kind, text = answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as e:
        status, kind, text = e.code, e.headers["Content-Type"], e.read().decode()
    described = DOCUMENT["paths"][path.split("?")[0]][method.lower()]["responses"]
    assert str(status) in described, f"{method} {path} answers {status}, which the document does not know"
    (wanted, shape), = described[str(status)]["content"].items()
    assert kind.startswith(wanted), (path, kind, wanted)
    if "json" in wanted:
        wrong = faults(json.loads(text), shape["schema"])
        assert not wrong, f"{method} {path}: " + "; ".join(wrong)
    return status


@test
def answers_are_as_the_openapi_document_says(w):
    w.write(CHAIN)
    w.simulate("--script", w.write(json.dumps({"jobs": {"Setup Python Environment": {"fail_first": 1}}}),
                                   "script.json"))
    daemon = w.run_daemon("--token-file", w.write("right", "token"))
    assert check(daemon, "GET", "/readyz") in (200, 503)
    wait_state(daemon, "Degraded")
    assert faults({"events": [{"at": 7}]}, SCHEMAS["Events"]), "the check cannot fail"
    for path in ("/healthz", "/readyz?verbose", "/metrics", "/v1/status", "/v1/events"):
        assert check(daemon, "GET", path) == 200, path
    for path, operations in DOCUMENT["paths"].items():
        if "post" not in operations:
            continue
        assert check(daemon, "POST", path, body={}) == 401, path
    for expected, path, body in [(200, "/v1/retry", {}), (200, "/v1/force", {"job": "git_sync"}),
                                 (200, "/v1/suspend", {"job": "git_sync", "for": "1h"}),
                                 (409, "/v1/force", {"job": "git_sync"}), (200, "/v1/resume", {}),
                                 (404, "/v1/force", {"job": "nothing"}), (422, "/v1/retry", {"x": "y"}),
                                 (400, "/v1/retry", []), (202, "/-/reconcile", {}), (200, "/-/reload", {})]:
        if expected == 409:
            wait_for("the job to be held", lambda: "Suspended" in get(daemon.url + "/v1/status")[1])
        assert check(daemon, "POST", path, "right", body) == expected, (path, body)
    w.write("jobs: [")
    assert check(daemon, "POST", "/-/reload", "right", {}) == 422
    assert check(daemon, "GET", "/v1/status") == 200


@test
def every_route_of_the_document_is_served_with_its_methods_alone(w):
    w.write(CHAIN)
    w.simulate()
    daemon = w.run_daemon()
    for path, operations in DOCUMENT["paths"].items():
        # A stream has an end for HEAD alone.
        for method in ("HEAD", "POST"):
            status = get(daemon.url + path, method=method, body=b"" if method == "POST" else None)[0]
            known = method.replace("HEAD", "GET").lower() in operations
            assert (status != 405) == known and status != 404, (method, path, status)
