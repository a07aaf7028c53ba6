"""The package and its service, in a booted systemd of their own."""
import pathlib
import shutil
import tempfile
from checks import *

UNIT = "cml-reconciler.service"
ETC = "etc/cml-reconciler"


class Machine:
    """A tree, booted by systemd-nspawn. It shares the loopback of this machine."""

    def __init__(self, folder):
        need("systemd-nspawn", "nsenter")
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        run("tar", "-C", self.root, "-xf", base_tree())
        self.process = Background(folder / "nspawn.log", "systemd-nspawn", "-D", self.root, "-b",
                                  f"--machine=cmlrec{os.getpid()}", "--register=no", "--keep-unit",
                                  "--console=read-only")
        try:
            self.leader = wait_for("process 1 of the machine", self._leader)
            wait_for("the system bus", lambda: self("systemctl", "is-system-running", check=False)
                     .stdout.strip() in ("running", "degraded"), 60)
        except Exception:
            self.process.end()
            raise

    def _leader(self):
        if self.process.child.poll() is not None:
            raise Skip("systemd-nspawn does not work here: " + self.process.output.strip()[-300:])
        found = run("pgrep", "-P", self.process.child.pid, check=False).stdout.split()
        return found[0] if found else None

    def __call__(self, *arguments, check=True, seconds=120):
        return run("nsenter", "-t", self.leader, "-m", "-u", "-i", "-p", "-C", "-n", "-r", "-w",
                   *arguments, check=check, seconds=seconds, env={
                       "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_PAGER": "", "HOME": "/root"})

    def show(self, name):
        return self("systemctl", "show", "-P", name, UNIT).stdout.strip()

    def status(self):
        return self("systemctl", "status", "-n0", UNIT, check=False).stdout

    def pid(self):
        return int(self.show("MainPID") or 0)

    def write(self, name, text, mode=0o644):
        path = self.root / ETC / name
        path.write_text(text)
        path.chmod(mode)

    def install(self, deb):
        target = self.root / "root" / pathlib.Path(deb).name
        shutil.copy(deb, target)
        return self("dpkg", "-i", "/root/" + target.name)

    def close(self):
        self.process.end()
        shutil.rmtree(self.root, ignore_errors=True)


def newer(deb, folder):
    """The same package under a higher version, to upgrade to."""
    tree = folder / "newer"
    run("dpkg-deb", "-R", deb, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+1", control.read_text()))
    run("dpkg-deb", "--root-owner-group", "-b", tree, folder / "newer.deb")
    return folder / "newer.deb"


def lint(deb):
    need("lintian")
    said = run("lintian", "--allow-root", "--fail-on", "error", deb, check=False)
    fail_unless(said.returncode == 0, said.stdout)
    fail_unless("E:" not in said.stdout, said.stdout)


class Service:
    """The checks, in the order of a life."""

    def __init__(self, machine, deb, host, port, folder):
        self.m, self.deb, self.host, self.port, self.folder = machine, deb, host, port, folder
        self.url = f"http://127.0.0.1:{port}"

    def installs_without_starting_or_enabling(self):
        self.m.install(self.deb)
        fail_unless(self.m("systemctl", "is-enabled", UNIT, check=False).stdout.strip() == "disabled",
                    "it is enabled")
        fail_unless(self.m.show("ActiveState") == "inactive", "it was started")
        fail_unless("cml-reconciler" in self.m("getent", "passwd", "cml-reconciler").stdout, "no user")

    def brings_manual_page_and_completion(self):
        page = self.m("man", "-P", "cat", "cml-reconciler").stdout
        fail_unless("--watch-config" in page and "SIGHUP" in page, page[:400])
        words = self.m("bash", "-c", "source /usr/share/bash-completion/completions/cml-reconciler; "
                       "COMP_WORDS=(cml-reconciler run --log-le); COMP_CWORD=2; _cml_reconciler; "
                       "echo ${COMPREPLY[@]}; COMP_WORDS=(cml-reconciler va); COMP_CWORD=1; "
                       "_cml_reconciler; echo ${COMPREPLY[@]}").stdout.split()
        fail_unless(words == ["--log-level", "validate"], words)

    def is_hardened(self):
        said = self.m("systemd-analyze", "security", UNIT, check=False).stdout
        level = float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1))
        fail_unless(level <= 1.5, f"exposure {level}")
        fail_unless(not self.m("systemd-analyze", "verify", UNIT).stdout.strip(), "verify complains")

    def says_that_the_key_is_missing(self):
        said = self.m("systemctl", "start", UNIT, check=False)
        fail_unless(said.returncode != 0, "it claims to have started")
        fail_unless(self.m.show("NRestarts") == "0", "it is tried again and again")

    def does_not_try_a_bad_file_again(self):
        self.m.write("api_key", KEY + "\n", 0o600)
        self.m.write("environment", f"CML_HOST={self.host}\n", 0o600)
        said = self.m("systemctl", "start", UNIT, check=False)
        fail_unless(said.returncode != 0, "an empty file was taken")
        fail_unless(self.m.show("ActiveState") == "failed", self.m.status())
        fail_unless(self.m.show("ExecMainStatus") == "3", self.m.status())

    def starts_and_converges_with_its_state_in_status(self):
        self.m.write("jobs_config.yaml", GOOD)
        self.m.write("reconciler.yaml", f"listen: 127.0.0.1:{self.port}\nwrite_settle: 1s\n"
                     "interval: 1s\n")
        self.m("systemctl", "enable", "--now", UNIT)
        wait_for("Status: ray-cluster: Converged",
                 lambda: "ray-cluster: Converged" in self.m.show("StatusText"), 90)
        fail_unless(self.m.show("ActiveState") == "active", self.m.status())
        fail_unless(get(self.url + "/readyz")[0] == 200, "not ready")

    def runs_as_its_own_user_without_any_right(self):
        status = self.m("cat", f"/proc/{self.m.pid()}/status").stdout
        user = self.m("id", "-u", "cml-reconciler").stdout.strip()
        fail_unless(re.search(rf"(?m)^Uid:\s+{user}\s", status), status)
        fail_unless(re.search(r"(?m)^CapBnd:\s+0+$", status), status)
        fail_unless(re.search(r"(?m)^NoNewPrivs:\s+1$", status), status)
        environment = self.m("cat", f"/proc/{self.m.pid()}/environ").stdout
        fail_unless(KEY not in environment, "the key is in the environment")

    def keeps_the_key_out_of_the_journal(self):
        fail_unless(KEY not in self.m("journalctl", "-u", UNIT, "--no-pager").stdout, "it is there")

    def reload_takes_a_good_file(self):
        before = self.m.pid()
        self.m.write("jobs_config.yaml", GOOD + "    timeout: 600\n")
        self.m("systemctl", "reload", UNIT)
        wait_for("the reload", lambda: "config.reloaded" in get(self.url + "/v1/events")[1])
        fail_unless(self.m.pid() == before, "it was restarted")
        wait_for("active", lambda: self.m.show("ActiveState") == "active")

    def reload_of_a_bad_file_fails_and_is_told(self):
        before = self.m.pid()
        self.m.write("jobs_config.yaml", BAD)
        said = self.m("systemctl", "reload", UNIT, check=False)
        fail_unless(said.returncode != 0, "`systemctl reload` says that all is well")
        text = wait_for("the refusal in the status", lambda: (
            lambda t: t if "reload refused: " in t else "")(self.m.status()))
        fail_unless("still on the file of 20" in text and "cpu" in text, text)
        fail_unless(self.m.pid() == before and self.m.show("ActiveState") == "active", text)
        metrics = get(self.url + "/metrics")[1]
        fail_unless("cml_reconciler_config_last_reload_successful 0" in metrics, "metric")
        self.m.write("jobs_config.yaml", GOOD)
        self.m("systemctl", "reload", UNIT)
        wait_for("the refusal to go", lambda: "refused" not in self.m.show("StatusText"))

    def comes_back_after_kill_9_with_a_growing_delay(self):
        waited = []
        for _ in range(2):
            before = self.m.pid()
            began = time.monotonic()
            self.m("kill", "-9", str(before))
            wait_for("the next life", lambda: self.m.pid() not in (0, before)
                     and self.m.show("ActiveState") == "active", 60)
            waited.append(time.monotonic() - began)
        fail_unless(waited[0] >= 2.5 and waited[1] >= waited[0] + 1, f"delays {waited}")
        wait_for("Converged", lambda: "Converged" in self.m.show("StatusText"), 60)
        ledger = json.loads(get(self.host + "/-/ledger")[1])
        fail_unless(ledger["duplicate_names"] in (0, []), f"duplicates {ledger['duplicate_names']}")
        fail_unless(sum(ledger["runs_by_cause"].values()) == 1, ledger["runs_by_cause"])

    def clean_restart_forgets_the_delay(self):
        self.m("systemctl", "stop", UNIT)
        began = time.monotonic()
        self.m("systemctl", "start", UNIT)
        fail_unless(time.monotonic() - began < 5, "it waited")

    def is_ended_by_the_watchdog_when_it_hangs(self):
        # The unit's own half minute would make a long test.
        drop = self.m.root / "run/systemd/system" / (UNIT + ".d")
        self.m("mkdir", "-p", f"/run/systemd/system/{UNIT}.d")
        self.m("sh", "-c", f"printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/{UNIT}.d/w.conf")
        self.m("systemctl", "daemon-reload")
        self.m("systemctl", "restart", UNIT)
        before = self.m.pid()
        # It is pinged for longer than the interval as long as it is well.
        since = time.monotonic()
        wait_for("five quiet seconds", lambda: time.monotonic() - since > 5)
        fail_unless(self.m.pid() == before, "a healthy daemon was ended")
        self.m("kill", "-STOP", str(before))
        wait_for("the next life", lambda: self.m.pid() not in (0, before)
                 and self.m.show("ActiveState") == "active", 60)
        journal = self.m("journalctl", "-u", UNIT, "--no-pager").stdout
        fail_unless("Watchdog timeout" in journal, journal[-600:])
        self.m("rm", "-r", f"/run/systemd/system/{UNIT}.d")
        self.m("systemctl", "daemon-reload")
        fail_unless(not drop.exists(), "the drop-in is still there")

    def upgrade_keeps_configuration_and_restarts(self):
        before = self.m.pid()
        self.m.install(newer(self.deb, self.folder))
        wait_for("the new life", lambda: self.m.pid() not in (0, before)
                 and self.m.show("ActiveState") == "active", 60)
        kept = (self.m.root / ETC / "jobs_config.yaml").read_text()
        fail_unless(kept == GOOD, "the file was replaced")
        fail_unless(self.m("systemctl", "is-enabled", UNIT).stdout.strip() == "enabled", "not enabled")

    def stops_in_time_and_cleanly(self):
        began = time.monotonic()
        self.m("systemctl", "stop", UNIT)
        took = time.monotonic() - began
        fail_unless(took < 12, f"{took:.1f} s")
        fail_unless(self.m.show("Result") == "success", self.m.status())
        fail_unless(get(self.url + "/healthz")[0] == 0, "something still answers")

    def remove_keeps_configuration_and_state(self):
        self.m("systemctl", "start", UNIT)
        self.m("dpkg", "-r", "cml-reconciler")
        fail_unless(get(self.url + "/healthz")[0] == 0, "it still runs")
        fail_unless((self.m.root / ETC / "jobs_config.yaml").exists(), "conffile gone")
        fail_unless(self.m("ls", "/var/lib/private/cml-reconciler").returncode == 0, "state gone")

    def purge_leaves_nothing(self):
        self.m("dpkg", "-P", "cml-reconciler")
        left = self.m("sh", "-c", "ls -d /etc/cml-reconciler /var/lib/cml-reconciler "
                      "/var/lib/private/cml-reconciler /etc/systemd/system/*/cml-reconciler* "
                      "/etc/systemd/system/cml-reconciler* /var/lib/systemd/deb-systemd-helper*/*cml* "
                      "2>/dev/null", check=False).stdout.split()
        fail_unless(left == [], left)


ORDER = [name for name in vars(Service) if not name.startswith("_")]
NAMES = ["package: passes lintian without an error"] + ["service: " + n.replace("_", " ") for n in ORDER]


def all_checks(checks, options):
    checks.run(NAMES[0], lint, options.deb)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cmlrec-service-"))
    try:
        machine = Machine(folder)
    except Skip as e:
        checks.skip_all(NAMES[1:], e)
        return
    try:
        cml, host = simulator(options.simulator, folder)
        try:
            service = Service(machine, options.deb, host, free_port(), folder)
            for name, method in zip(NAMES[1:], ORDER):
                checks.run(name, getattr(service, method))
        finally:
            cml.end()
    finally:
        machine.close()
        shutil.rmtree(folder, ignore_errors=True)


