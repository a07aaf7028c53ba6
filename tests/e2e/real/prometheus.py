"""A real Prometheus that scrapes a real daemon: the rules, every query of the dashboard, and for one
alert the whole way through Alertmanager into a webhook."""
import http.server
import pathlib
import shutil
import tempfile
import threading
import urllib.parse
from checks import *

RULES = SOURCE / "deploy/prometheus/cml-reconciler.rules.yaml"
DASHBOARD = SOURCE / "deploy/grafana/cml-reconciler.json"
# A run that fails, one that is overdue, an edit by hand, refused calls: so that every panel has a cause.
JOBS = """\
project: {name: ray-cluster, git_url: example/ray-on-cml, runtime_identifier: docker.example.com/r:1}
jobs:
  git_sync: {name: Git Repository Sync, script: git_sync.py, cpu: 2, memory: 4}
  child: {name: Child, script: child.py, cpu: 1, memory: 2, parent_job_key: git_sync}
"""


class Receiver:
    """A webhook that keeps what it is sent."""

    def __init__(self):
        self.bodies = []
        bodies = self.bodies

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def alerts(self, name):
        return [a for b in self.bodies for a in b["alerts"] if a["labels"]["alertname"] == name]

    def end(self):
        self.server.shutdown()
        self.server.server_close()


class Prometheus:
    """The checks, in their order."""

    def __init__(self, options, folder):
        need("prometheus", "promtool", "prometheus-alertmanager")
        self.folder, self.started = folder, []
        self.receiver = Receiver()
        self.cml, self.host = simulator(options.simulator, folder)
        self.started.append(self.cml)
        self.file = folder / "jobs.yaml"
        self.file.write_text(JOBS)
        self.daemon_port, self.port, self.alert_port = free_port(), free_port(), free_port()
        self.daemon = self._start("daemon", options.daemon, "run", "--config", self.file, "--listen",
                                  f"127.0.0.1:{self.daemon_port}", "--interval", "500ms", "--write-settle",
                                  "1s", "--requests-per-second", "5", "--runs-refresh", "1s",
                                  env={**os.environ, "CML_HOST": self.host, "CML_API_KEY": KEY})
        self._configure()
        self._start("alertmanager", "prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
                    f"--storage.path={folder}/am", "--cluster.listen-address=",
                    f"--web.listen-address=127.0.0.1:{self.alert_port}")
        self._start("prometheus", "prometheus", f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address=127.0.0.1:{self.port}")
        self.url = f"http://127.0.0.1:{self.port}"
        wait_for("Prometheus", lambda: get(self.url + "/-/ready")[0] == 200, 60)

    def _start(self, name, *arguments, env=None):
        process = Background(self.folder / f"{name}.log", *arguments, env=env)
        self.started.append(process)
        return process

    def _configure(self):
        # The rules as they are, but with a "for" that does not make a test of minutes.
        rules = re.sub(r"(?m)^(\s+for: )\S+$", r"\g<1>1s", RULES.read_text())
        (self.folder / "rules.yaml").write_text(rules)
        sample = (SOURCE / "deploy/prometheus/prometheus.yaml").read_text()
        sample = sample.replace("cml-reconciler.rules.yaml", str(self.folder / "rules.yaml"))
        sample = sample.replace("127.0.0.1:9464", f"127.0.0.1:{self.daemon_port}")
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n" + sample +
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{self.alert_port}']}}]}}]}}\n")
        (self.folder / "alertmanager.yml").write_text(
            "route: {receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s}\n"
            f"receivers: [{{name: hook, webhook_configs: [{{url: '{self.receiver.url}'}}]}}]\n")

    def close(self):
        for process in reversed(self.started):
            process.end()
        self.receiver.end()

    def _query(self, expression):
        status, text = get(self.url + "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        fail_unless(status == 200, f"{expression}: {status} {text}")
        return json.loads(text)["data"]["result"]

    def rules_pass_their_own_tests(self):
        run("promtool", "check", "rules", RULES)
        run("promtool", "test", "rules", RULES.with_name("cml-reconciler.rules.test.yaml"))

    def rules_are_loaded_and_well(self):
        wait_for("a first evaluation", lambda: self._query('ALERTS{alertname="CmlReconcilerWatchdog"}'))
        groups = json.loads(get(self.url + "/api/v1/rules")[1])["data"]["groups"]
        bad = [r for g in groups for r in g["rules"] if r["health"] != "ok"]
        fail_unless(groups and not bad, bad)

    def labels_arrive_as_the_rules_expect_them(self):
        wait_for("a job", lambda: self._query('cml_reconciler_job_state{job="git_sync"}'))
        fail_unless(not self._query('{exported_job!=""}'), "a label was renamed")
        fail_unless(self._query('process_open_fds{job="cml-reconciler"}'), "process metrics")

    def every_panel_of_the_dashboard_has_data(self):
        wait_for("Converged", lambda: self._query(
            'cml_reconciler_project_state{state="Converged"} == 1'), 60)
        # Something of everything: a run that ends, an edit by hand, calls that fail and are repeated.
        body = {"project": "ray-cluster", "job": "Git Repository Sync", "fields": {"cpu": 7}}
        self._post("/-/edit", body)
        self._post("/-/faults", {"operation": "reads", "fault": "unavailable", "count": 3})
        self._post("/-/run", {"project": "ray-cluster", "job": "Git Repository Sync"})
        panels = [(p["title"], t["expr"]) for p in json.loads(DASHBOARD.read_text())["panels"]
                  for t in p["targets"]]
        variables = {"$instance": ".*", "$project": ".*", "$__rate_interval": "2m"}

        def empty():
            out = []
            for title, expression in panels:
                for name, value in variables.items():
                    expression = expression.replace(name, value)
                values = [float(r["value"][1]) for r in self._query(expression)]
                # An operation that has been idle has a quantile that is not a number.
                if all(v != v for v in values):
                    out.append(title)
            return out
        try:
            wait_for("data in every panel", lambda: not empty(), 60)
        except AssertionError as e:
            raise AssertionError(f"{e}; empty: {empty()}") from None

    def _post(self, path, body):
        request = urllib.request.Request(self.host + path, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=5) as answer:
            fail_unless(answer.status < 300, f"{path}: {answer.status}")

    def page_of_metrics_names_all_that_is_served(self):
        page = (SOURCE / "docs/metrics.md").read_text()
        served = re.findall(r"(?m)^# TYPE (\S+) ", get(f"http://127.0.0.1:{self.daemon_port}/metrics")[1])
        missing = [name for name in served if f"`{name}`" not in page]
        fail_unless(served and not missing, missing)

    def refused_reload_reaches_the_webhook_with_its_runbook(self):
        self.file.write_text(JOBS.replace("cpu: 2", "cpu: many"))
        self.daemon.child.send_signal(signal.SIGHUP)
        alerts = wait_for("the alert", lambda: self.receiver.alerts("CmlReconcilerReloadFailed"), 60)
        fail_unless(alerts[0]["status"] == "firing", alerts[0])
        page, anchor = alerts[0]["annotations"]["runbook_url"].split("#")
        headings = re.findall(r"(?m)^## (.*)$", (SOURCE / page).read_text())
        fail_unless(anchor in [h.lower() for h in headings], anchor)

    def resolved_alert_reaches_the_webhook(self):
        self.file.write_text(JOBS)
        self.daemon.child.send_signal(signal.SIGHUP)
        wait_for("the end of the alert", lambda: any(
            a["status"] == "resolved" for a in self.receiver.alerts("CmlReconcilerReloadFailed")), 60)

    def daemon_that_has_gone_is_down(self):
        self.daemon.end()
        wait_for("the alert", lambda: self.receiver.alerts("CmlReconcilerDown"), 60)


ORDER = [name for name in vars(Prometheus) if not name.startswith("_") and name != "close"]
NAMES = ["prometheus: " + n.replace("_", " ") for n in ORDER]


def all_checks(checks, options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cmlrec-prometheus-"))
    try:
        world = Prometheus(options, folder)
    except Skip as e:
        checks.skip_all(NAMES, e)
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        for name, method in zip(NAMES, ORDER):
            checks.run(name, getattr(world, method))
    finally:
        world.close()
        shutil.rmtree(folder, ignore_errors=True)
