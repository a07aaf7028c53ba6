"""The image of the Dockerfile, built by buildah and run by podman: read-only, without a capability."""
import pathlib
import shutil
import tempfile
from checks import *

BASE = "localhost/cmlrec-base:1"
IMAGE = "localhost/cml-reconciler:test"
MOST_MEGABYTES = 120


class Engine:
    """buildah and podman with a storage of their own."""

    def __init__(self, folder):
        need("buildah", "podman", "crun", "unshare")
        self.folder = folder
        conf = folder / "storage.conf"
        conf.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\n'
                        f'runroot = "{folder}/run"\n')
        self.env = {**os.environ, "CONTAINERS_STORAGE_CONF": str(conf), "BUILDAH_ISOLATION": "chroot",
                    "TMPDIR": str(folder)}

    def buildah(self, *arguments, seconds=900):
        return run("buildah", *arguments, env=self.env, seconds=seconds)

    def podman(self, *arguments):
        """The words of a command that runs podman where no bridge and no unified cgroup is to be had."""
        script = ("if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi; "
                  'exec podman --runtime crun --cgroup-manager cgroupfs --events-backend file "$@"')
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "podman", *arguments]

    def container(self, *arguments, options=()):
        return self.podman("run", "--rm", "--no-healthcheck", "--ulimit", "nofile=1024:1024", "--ulimit",
                           "nproc=1024:1024", "--network", "host", "--read-only", "--cap-drop=all",
                           "--security-opt", "no-new-privileges", *options, IMAGE, *arguments)

    def megabytes(self, image):
        container = self.buildah("from", "--pull-never", image).stdout.strip()
        root = self.buildah("mount", container).stdout.strip()
        kilobytes = int(run("du", "-skx", root).stdout.split()[0])
        self.buildah("rm", container)
        return kilobytes / 1024


def slim_tree():
    """What the image is built upon; made once."""
    need("mmdebstrap")
    tar = CACHE / "slim.tar"
    if not tar.exists():
        make_tree(tar, [])
    return tar


class Image:
    """The checks, in their order."""

    def __init__(self, engine, options, folder):
        self.e, self.options, self.folder = engine, options, folder
        self.built = False
        self.process = None
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "config"
        self.key = folder / "api_key"
        self.key.write_text(KEY + "\n")
        self.key.chmod(0o644)
        # As the kubelet lays out a ConfigMap: the names are links through ..data, which is exchanged.
        for version, text in (("..v1", GOOD), ("..v2", BAD), ("..v3", GOOD.replace("cpu: 2", "cpu: 3"))):
            (self.config / version).mkdir(parents=True)
            (self.config / version / "jobs_config.yaml").write_text(text)
        self.folder.chmod(0o755)
        (self.config / "..data").symlink_to("..v1")
        (self.config / "jobs_config.yaml").symlink_to("..data/jobs_config.yaml")

    def swap(self, version):
        (self.config / "..tmp").symlink_to(version)
        (self.config / "..tmp").rename(self.config / "..data")

    def health(self, *arguments):
        return run(*self.e.container("health", *arguments, options=[
            "-e", f"CML_RECONCILER_LISTEN=0.0.0.0:{self.port}"]), check=False, env=self.e.env)

    def is_built_from_the_dockerfile(self):
        containerfile = self.folder / "Base"
        containerfile.write_text("FROM scratch\nADD slim.tar /\n")
        context = self.folder / "base"
        context.mkdir()
        shutil.copy(slim_tree(), context / "slim.tar")
        self.e.buildah("bud", "-q", "--format", "docker", "-f", containerfile, "-t", BASE, context)
        shutil.rmtree(context)
        # Packages and objects are kept from one build to the next.
        archives = CACHE / "archives"
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        # The compiler is the same, so objects of the builds outside serve here as well.
        objects = pathlib.Path(os.environ.get("CCACHE_DIR", pathlib.Path.home() / ".cache/ccache"))
        objects.mkdir(parents=True, exist_ok=True)
        self.e.buildah("bud", "-q", "--format", "docker", "--pull-never", "--build-arg", f"BASE={BASE}",
                       "-v", f"{archives}:/var/cache/apt/archives", "-v", f"{objects}:/root/.cache/ccache",
                       "-t", IMAGE, SOURCE, seconds=1800)
        self.built = True

    def _need_image(self):
        if not self.built:
            raise Skip("the image was not built")

    def adds_no_more_than_it_may(self):
        self._need_image()
        more = self.e.megabytes(IMAGE) - self.e.megabytes(BASE)
        print(f"         {more:.1f} MB over its base")
        fail_unless(more <= MOST_MEGABYTES, f"{more:.0f} MB")

    def says_what_it_is_and_how_it_is_checked(self):
        self._need_image()
        config = json.loads(self.e.buildah("inspect", "--type", "image", IMAGE).stdout)["Docker"]["config"]
        fail_unless(config["User"] == "65532:65532", config["User"])
        fail_unless(config["Entrypoint"] == ["/usr/bin/cml-reconciler"], config["Entrypoint"])
        fail_unless(config["Healthcheck"]["Test"] == ["CMD", "/usr/bin/cml-reconciler", "health"],
                    config["Healthcheck"])
        for name in ("title", "version", "licenses", "revision", "description"):
            fail_unless(config["Labels"].get("org.opencontainers.image." + name), name)

    def converges_read_only_and_without_capabilities(self):
        self._need_image()
        self.cml, host = simulator(self.options.simulator, self.folder)
        options = ["-v", f"{self.config}:/etc/cml-reconciler:ro", "-v", f"{self.key}:/run/secrets/api_key:ro"]
        for name, value in (("CML_HOST", host), ("CML_API_KEY_FILE", "/run/secrets/api_key"),
                            ("CML_RECONCILER_LISTEN", f"0.0.0.0:{self.port}"),
                            ("CML_RECONCILER_WATCH_CONFIG", "true"), ("CML_RECONCILER_INTERVAL", "1s"),
                            ("CML_RECONCILER_WRITE_SETTLE", "1s"),
                            ("CML_RECONCILER_STATE_DIR", "/var/lib/cml-reconciler")):
            options += ["-e", f"{name}={value}"]
        self.process = Background(self.folder / "container.log", *self.e.container("run", options=options),
                                  env=self.e.env)
        try:
            wait_for("Converged", lambda: '"Converged"' in get(self.url + "/v1/status")[1]
                     or self.process.child.poll() is not None, 90)
            fail_unless(self.process.child.poll() is None, "it has ended")
        except AssertionError as e:
            raise AssertionError(f"{e}; {self.process.output[-1500:]}") from None

    def _need_process(self):
        if self.process is None or self.process.child.poll() is not None:
            raise Skip("the container does not run")

    def is_found_healthy_by_its_own_binary(self):
        self._need_process()
        for arguments in ((), ("--ready",)):
            said = self.health(*arguments)
            fail_unless(said.returncode == 0 and "healthy: " in said.stdout, said.stdout)

    def takes_an_exchanged_configmap_without_a_signal(self):
        self._need_process()
        self.swap("..v3")
        wait_for("the reload", lambda: "because its content has changed" in get(self.url + "/v1/events")[1])

    def refuses_a_bad_configmap_once_and_goes_on(self):
        self._need_process()
        self.swap("..v2")
        refused = 'cml_reconciler_config_reloads_total{result="failure"} '
        wait_for("the refusal", lambda: refused + "1" in get(self.url + "/metrics")[1])
        since = time.monotonic()
        wait_for("three seconds more", lambda: time.monotonic() - since > 3)
        fail_unless(refused + "1\n" in get(self.url + "/metrics")[1], "it is tried again and again")
        fail_unless(get(self.url + "/readyz")[0] == 200, "not ready")

    def stops_on_sigterm_as_process_1(self):
        self._need_process()
        began = time.monotonic()
        self.process.child.terminate()
        code = self.process.child.wait(20)
        took = time.monotonic() - began
        fail_unless(code == 0 and took < 10, f"exit {code} after {took:.1f} s")
        fail_unless("event=stopped" in self.process.output, self.process.output[-500:])

    def is_found_unhealthy_when_it_is_gone(self):
        self._need_image()
        said = self.health()
        fail_unless(said.returncode == 1 and "unhealthy: " in said.stdout, said.stdout)

    def shows_the_key_nowhere(self):
        if self.process is None:
            raise Skip("the container did not run")
        fail_unless(KEY not in self.process.output, "it is in the log")


ORDER = [name for name in vars(Image) if not name.startswith("_") and name not in ("swap", "health")]
NAMES = ["image: " + n.replace("_", " ") for n in ORDER]


def all_checks(checks, options):
    # Not in /tmp, which may be small: vfs copies whole trees.
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="image-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    try:
        engine = Engine(folder)
    except Skip as e:
        checks.skip_all(NAMES, e)
        shutil.rmtree(folder, ignore_errors=True)
        return
    image = Image(engine, options, folder)
    try:
        for name, method in zip(NAMES, ORDER):
            checks.run(name, getattr(image, method))
    finally:
        for process in (image.process, getattr(image, "cml", None)):
            if process:
                process.end()
        run("sh", "-c", f"umount -R {folder}/graph/* {folder}/graph {folder}/run 2>/dev/null", check=False)
        shutil.rmtree(folder, ignore_errors=True)
