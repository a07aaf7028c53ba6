#!/usr/bin/env python3
"""Whether the Kubernetes and Compose files fit together, and with the program: every name that one part
uses is defined by another. Exit code 77: skipped."""
import pathlib
import re
import subprocess
import sys
import tempfile

try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed")
    sys.exit(77)

FOLDER = pathlib.Path("deploy/kubernetes")
errors = []


def expect(condition, message):
    if not condition:
        errors.append(message)


def documents():
    return [d for f in sorted(FOLDER.glob("*.yaml")) for d in yaml.safe_load_all(f.read_text()) if d]


def flags_of(program):
    text = subprocess.run([program, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return set(re.findall(r"--[a-z-]+", text)), set(re.findall(r"\[([A-Z_]+)\]", text))


def check_command(words, where, flags):
    for word in words:
        expect(not word.startswith("--") or word in flags, f"{where}: no flag is called {word}")
    settings = [words[i + 1] for i, w in enumerate(words) if w in ("--settings", "--config")]
    return settings


def check_container(where, container, pod, config_maps, flags, variables):
    secured = container.get("securityContext", {})
    expect(secured.get("allowPrivilegeEscalation") is False, f"{where}: privileges may be escalated")
    expect(secured.get("readOnlyRootFilesystem") is True, f"{where}: the root is writable")
    expect(secured.get("capabilities", {}).get("drop") == ["ALL"], f"{where}: capabilities are kept")
    resources = container.get("resources", {})
    expect("memory" in resources.get("limits", {}) and "cpu" in resources.get("requests", {}),
           f"{where}: resources have no bounds")
    if not container["image"].startswith("cml-reconciler:"):
        return
    volumes = {v["name"]: v for v in pod["volumes"]}
    mounted = {}
    for mount in container["volumeMounts"]:
        expect(mount["name"] in volumes, f"{where}: no volume is called {mount['name']}")
        expect("subPath" not in mount, f"{where}: a subPath never changes")
        mounted[mount["mountPath"]] = volumes.get(mount["name"], {})
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    paths = check_command(container["args"], where, flags)
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container.get(kind)
        if not probe:
            continue
        if "httpGet" in probe:
            expect(probe["httpGet"]["port"] in ports, f"{where}: {kind} asks an unknown port")
            expect(probe["httpGet"]["path"] in ("/healthz", "/readyz"), f"{where}: {kind} asks no such path")
            expect(kind != "livenessProbe" or probe["httpGet"]["path"] == "/healthz",
                   f"{where}: CML's being away would kill it")
        else:
            paths += check_command(probe["exec"]["command"], f"{where} {kind}", flags)
    expect("livenessProbe" in container, f"{where}: no liveness probe")
    for env in container.get("env", []):
        expect(env["name"] in variables, f"{where}: no variable is called {env['name']}")
    inside = dict(mounted)
    for path in paths:
        folder, name = path.rsplit("/", 1)
        source = inside.get(folder, {}).get("configMap", {}).get("name")
        expect(source in config_maps, f"{where}: {path} is in no ConfigMap")
        expect(name in config_maps.get(source, {}), f"{where}: the ConfigMap has no key {name}")
    settings = yaml.safe_load(config_maps["cml-reconciler"]["reconciler.yaml"])
    expect(str(ports["http"]) == settings["listen"].rsplit(":", 1)[1], f"{where}: another port is listened on")
    expect(settings["listen"].startswith("0.0.0.0:"), f"{where}: probes cannot reach it")
    folder, name = settings["api_key_file"].rsplit("/", 1)
    secret = mounted.get(folder, {}).get("secret", {})
    expect(name in [i["path"] for i in secret.get("items", [])], f"{where}: the key file is in no Secret")
    expect(mounted.get(settings["state_dir"], {}).get("emptyDir") is not None
           or mounted.get(settings["state_dir"]), f"{where}: no volume for the state")


def check_workload(d, config_maps, flags, variables):
    where = f"{d['kind']}/{d['metadata']['name']}"
    template = d["spec"]["template"]
    selected = d["spec"]["selector"]["matchLabels"]
    expect(selected.items() <= template["metadata"]["labels"].items(), f"{where}: selects other pods")
    expect(d["spec"]["replicas"] == 1 and d["spec"]["strategy"]["type"] == "Recreate",
           f"{where}: two daemons could run at one time")
    pod = template["spec"]
    expect(pod["securityContext"]["runAsNonRoot"] is True, f"{where}: may run as root")
    expect(pod["securityContext"]["runAsUser"] == 65532, f"{where}: another user than the image's")
    expect(pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", f"{where}: no seccomp")
    expect(pod["automountServiceAccountToken"] is False, f"{where}: a token that nobody needs")
    expect(pod["terminationGracePeriodSeconds"] > 10, f"{where}: it stops within 10 s")
    for container in pod["containers"]:
        check_container(f"{where}/{container['name']}", container, pod, config_maps, flags, variables)


def check_config(program, config_maps):
    """The program itself takes what the ConfigMap holds."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in config_maps["cml-reconciler"].items():
            (pathlib.Path(folder) / name).write_text(text)
        done = subprocess.run([program, "validate", "--config", f"{folder}/jobs_config.yaml", "--settings",
                               f"{folder}/reconciler.yaml", "--host", "https://ml.example.site"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        expect(done.returncode == 0, "the ConfigMap is refused: " + done.stdout)


def check_compose(flags, variables):
    file = yaml.safe_load(pathlib.Path("deploy/compose.yaml").read_text())
    service = file["services"]["cml-reconciler"]
    check_command(service["command"], "compose", flags)
    for name in service["environment"]:
        expect(name in variables or name in ("GITHUB_REPOSITORY", "RUNTIME_IDENTIFIER"),
               f"compose: no variable is called {name}")
    for secret in service["secrets"]:
        expect(secret in file["secrets"], f"compose: no secret is called {secret}")
        expect(service["environment"]["CML_API_KEY_FILE"] == f"/run/secrets/{secret}", "compose: the key")
    for volume in service["volumes"]:
        source = volume.split(":")[0]
        expect(source.startswith(".") or source in file["volumes"], f"compose: no volume {source}")
    expect(service["read_only"] is True and service["cap_drop"] == ["ALL"], "compose: not locked down")


def main():
    program = sys.argv[1]
    flags, variables = flags_of(program)
    flags.add("--ready")
    variables |= {"CML_HOST", "CML_API_KEY_FILE"}
    found = documents()
    config_maps = {d["metadata"]["name"]: d["data"] for d in found if d["kind"] == "ConfigMap"}
    workloads = [d for d in found if d["kind"] == "Deployment"]
    expect(len(workloads) == 2, "a Deployment and a sidecar example were expected")
    for d in workloads:
        check_workload(d, config_maps, flags, variables)
    for d in found:
        if d["kind"] != "PodMonitor":
            continue
        wanted = d["spec"]["selector"]["matchLabels"].items()
        matched = [w for w in workloads if wanted <= w["spec"]["template"]["metadata"]["labels"].items()]
        expect(matched, "the PodMonitor selects nothing")
        for endpoint in d["spec"]["podMetricsEndpoints"]:
            expect(endpoint["path"] == "/metrics" and endpoint["honorLabels"] is True, "PodMonitor: endpoint")
            for w in matched:
                names = [p["name"] for c in w["spec"]["template"]["spec"]["containers"]
                         for p in c.get("ports", [])]
                expect(endpoint["port"] in names, "PodMonitor: no port of that name")
    check_config(program, config_maps)
    check_compose(flags, variables)
    for e in errors:
        print("wrong:", e)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
