"""Builds the virtual environments of the real applications from the pinned lists in requirements/.

  setup.py [open-webui] [chroma] [crewai]      (default: all three, 2.6 GB; four to nine minutes)

They go to $EFS_LAB_VENVS, by default .tmp/venvs in the repository; one that is up to date is left alone. Prints each one's
Python. Open WebUI's own list asks for torch and the like (several GB) for embedding, speech and OCR on the spot; the
server starts without them when embeddings come from a service, and its database code is the same.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ALONE = {"open-webui": "open-webui==0.12.4"}  # installed without its dependencies
NAMES = ("open-webui", "chroma", "crewai")


def home() -> Path:
    return Path(os.environ.get("EFS_LAB_VENVS") or HERE.parents[1] / ".tmp" / "venvs")


def build(name: str) -> Path:
    target, pins = home() / name, HERE / "requirements" / f"{name}.txt"
    python, marker = target / "bin" / "python", target / ".made-from"
    wanted = hashlib.sha256(pins.read_bytes() + ALONE.get(name, "").encode()).hexdigest()
    if python.exists() and marker.exists() and marker.read_text() == wanted:
        return python
    print(f"making {target}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(target)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "-r", str(pins)], check=True)
    if name in ALONE:
        subprocess.run([*install, "--no-deps", ALONE[name]], check=True)
    marker.write_text(wanted)
    return python


def main() -> int:
    names = sys.argv[1:] or list(NAMES)
    if unknown := set(names) - set(NAMES):
        print(__doc__, file=sys.stderr)
        print(f"unknown: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 64
    for name in names:
        print(build(name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
