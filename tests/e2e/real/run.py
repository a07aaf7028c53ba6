#!/usr/bin/env python3
"""Runs the daemon among the real things: systemd, a package manager, a container engine, Prometheus.

  tests/e2e/real/run.py --build build/release [service] [image] [prometheus]

One line per check; the last line is "N passed, N failed, N skipped". Needs root."""
import argparse
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import image
import prometheus
import service
from checks import Checks

PARTS = {"service": service, "image": image, "prometheus": prometheus}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="service, image, prometheus")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error("unknown part: " + ", ".join(sorted(unknown)))
    options.build = options.build.resolve()
    options.daemon = options.build / "daemon/cml-reconciler"
    options.simulator = options.build / "tests/simulator/cml-simulator"
    checks = Checks()
    chosen = options.parts or list(PARTS)
    if os.geteuid() != 0:
        for part in chosen:
            checks.skip_all(PARTS[part].NAMES, "needs root")
    else:
        if "service" in chosen:
            subprocess.run(["cmake", "--build", options.build, "--target", "deb"], check=True,
                           stdout=subprocess.DEVNULL)
            options.deb = max(options.build.glob("*.deb"), key=lambda p: p.stat().st_mtime)
        for part in chosen:
            PARTS[part].all_checks(checks, options)
    print(f"{checks.passed} passed, {len(checks.failed)} failed, {checks.skipped} skipped")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
