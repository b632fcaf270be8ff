#!/usr/bin/env python3
"""Open WebUI, the Chroma server and CrewAI, from PyPI, on the lab's NFS volume, with and without the keeper.

npm run lab:apps                 the short form: each application under the keeper loses its host once
npm run lab:apps -- --long       at least 100 killed hosts' applications, zombies, overlap, restart, 50 users, and the controls
npm run lab:apps -- --list       names the trials
"""

import argparse
import concurrent.futures
import ctypes
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), os.environ.get("EFS_LAB", str(HERE.parent))]

import install  # noqa: E402
import namespace  # noqa: E402
import outcome  # noqa: E402
import page  # noqa: E402
import report  # noqa: E402
import setup  # noqa: E402
import trials  # noqa: E402
import zombies  # noqa: E402
from lab import PYTHON, Lab  # noqa: E402

# trial: (what is played, its arguments); `minutes` scales what is played for a time
SHORT = {
    "chroma": (trials.kills, {"kind": "chroma", "arm": "keeper", "seconds": 1, "writing": 4}),
    "open-webui": (trials.kills, {"kind": "open-webui", "arm": "keeper", "seconds": 1, "writing": 4}),
    "crewai": (trials.kills, {"kind": "crewai", "arm": "keeper", "seconds": 1, "writing": 4}),
}
LONG = {
    "open-webui": (trials.kills, {"kind": "open-webui", "arm": "keeper", "seconds": 480, "together": 3}),
    "chroma": (trials.kills, {"kind": "chroma", "arm": "keeper", "seconds": 600, "together": 8}),
    "crewai": (trials.kills, {"kind": "crewai", "arm": "keeper", "seconds": 480, "together": 3}),
    "zombie-open-webui": (zombies.zombie, {"kind": "open-webui", "arms": ["keeper", "frozen"]}),
    "zombie-open-webui-control": (zombies.zombie, {"kind": "open-webui", "arms": ["plain"]}),
    "zombie-chroma": (zombies.zombie, {"kind": "chroma", "arms": ["keeper", "frozen", "plain"]}),
    "zombie-crewai": (zombies.zombie, {"kind": "crewai", "arms": ["keeper", "frozen"]}),
    "zombie-crewai-controls": (zombies.zombie, {"kind": "crewai", "arms": ["no-shim", "plain"]}),
    "overlap": (trials.overlap, {"kind": "open-webui", "arm": "keeper"}),
    "restart": (trials.restart, {"kind": "open-webui", "arm": "keeper", "times": 2}),
    "plain-overlap": (trials.overlap, {"kind": "open-webui", "arm": "plain"}),
    "plain-chroma": (trials.kills, {"kind": "chroma", "arm": "plain", "seconds": 180, "together": 4}),
    "plain-open-webui": (trials.kills, {"kind": "open-webui", "arm": "plain", "seconds": 180, "together": 2}),
    "plain-crewai": (trials.kills, {"kind": "crewai", "arm": "plain", "seconds": 120, "together": 2}),
    "users": (trials.users, {"number": 50, "seconds": 45}),
}
NAMES = ("open-webui", "chroma", "crewai")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="npm run lab:apps --", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trial", nargs="*", help="only these")
    parser.add_argument("--list", action="store_true", help="list the trials")
    parser.add_argument("--long", action="store_true", help="all trials at full length")
    parser.add_argument("--pace", type=float, default=1.0, help="multiplies the time for which hosts are killed")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--jobs", type=int, default=3, help="trials at a time: each takes 0.6 to 2 GiB of memory")
    parser.add_argument("--out", type=Path, help="write the results there as JSON, and the figures into the page (.md) beside it")
    parser.add_argument("--add", type=Path, metavar="FILE", help="add the results to those in FILE, and write it and its page anew")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)  # one trial, results to --out
    parser.set_defaults(after_heal=55)
    return parser.parse_args()


def environments() -> None:
    """Builds what is missing, or says plainly what cannot be played."""
    for name in NAMES:
        try:
            setup.build(name)
        except (OSError, subprocess.CalledProcessError) as error:
            print(
                f"NOT PLAYED: the environment of {name} cannot be built ({error}).\n"
                f"It needs Python 3.11 or newer (this is {sys.version.split()[0]}), 2.6 GB in {setup.home()} and a package index\n"
                f"that has lab/apps/requirements/{name}.txt. Set EFS_LAB_VENVS to a directory where lab/apps/setup.py has built them.",
                file=sys.stderr,
            )
            sys.exit(outcome.CANNOT_RUN)


def versions() -> str:
    found = []
    for name, package in (("open-webui", "open-webui"), ("chroma", "chromadb"), ("crewai", "crewai")):
        paths = [str(path) for path in (setup.home() / name).glob("lib/*/site-packages")]
        found += [f"{package} {each.version}" for each in importlib.metadata.distributions(name=package, path=paths)]
    return ", ".join(found)


def play_apart(name: str, given: argparse.Namespace) -> list:
    """In a process with namespaces, a server and a volume of its own."""
    started = time.monotonic()
    with tempfile.NamedTemporaryFile("r", suffix=".json") as file:
        command = [PYTHON, __file__, "--alone", name, "--seed", str(given.seed), "--pace", str(given.pace), "--out", file.name]
        command += ["--long"] if given.long else []
        done = subprocess.run(command, check=False, preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0))
        text = file.read()
    print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    if done.returncode == 0 and text:
        return json.loads(text)
    return [outcome.failed(name, f"its process ended with {done.returncode}")]


def play(name: str, given: argparse.Namespace) -> list:
    work, settings = (LONG if given.long else SHORT)[name]
    if work is trials.kills:
        settings = {**settings, "seconds": settings["seconds"] * given.pace}
    try:
        namespace.enter()
        lab = Lab(volume_mb=1024)
    except outcome.CANNOT_BOOT as error:
        return [outcome.no_lab(name, error)]
    try:
        return work(lab, setup.home(), given, **settings)
    except Exception as error:  # noqa: BLE001: one trial that cannot be played does not end the others
        traceback.print_exc()
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return [outcome.failed(name, text, "plain" if "plain" in name else "keeper")]
    # Nothing to take down: all of it ends with this process


def play_twice(name: str, given: argparse.Namespace) -> list:
    return outcome.twice(play_apart(name, given), lambda: play_apart(name, given))


def main() -> None:
    given = arguments()
    plan = LONG if given.long else SHORT
    if given.list:
        for name, (work, settings) in plan.items():
            print(f"{name:18} {work.__name__}: {settings}")
        return
    if unknown := [name for name in given.trial if name not in plan]:
        sys.exit(f"No such trial: {', '.join(unknown)}. See --list (and --long --list).")
    if given.alone:
        with open(given.out, "w", encoding="utf-8") as file:
            json.dump(play(given.trial[0], given), file)
        return
    if given.add and given.out:
        sys.exit("--add and --out both name the file to write: give one.")
    target = given.add or given.out
    before = page.read(given.add) if given.add else []
    install.install()
    environments()
    played = {"at": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()), "seed": given.seed, "versions": f"{versions()}, {report.heading().partition(', ')[2]}"}
    started, names = time.monotonic(), given.trial or list(plan)
    done: dict[str, list] = {}
    results: list = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=given.jobs) as pool:
        futures = {pool.submit(play_twice, name, given): name for name in names}
        for future in concurrent.futures.as_completed(futures):
            done[futures[future]] = [{**result, "played": [played]} for result in future.result()]
            results = [result for name in names for result in done.get(name, [])]
            if target:  # after each: a long run that is ended early has not been for nothing
                page.write(target, page.add([*before, *results]))
    print(f"\n{page.text_of(page.add(results))}\n\n{time.monotonic() - started:.0f} s")
    missing = report.unplayed(results)
    if missing:
        print("NOT PLAYED:", *missing, sep="\n  ")
    sys.exit(outcome.status(results, names))


if __name__ == "__main__":
    main()
