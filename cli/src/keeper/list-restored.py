"""Prints what AWS Backup has restored below a directory: one JSON object for each aws-backup-restore_*."""

import json
import os
import sys

root = sys.argv[1]
try:
    names = sorted(name for name in os.listdir(root) if name.startswith("aws-backup-restore_"))
except OSError as error:
    print(json.dumps({"restored": None, "error": str(error)}), flush=True)
    sys.exit(74)
for name in names:
    try:
        found = {"directories": sorted(e.name for e in os.scandir(os.path.join(root, name)) if e.is_dir())}
    except OSError as error:
        found = {"directories": [], "error": str(error)}
    print(json.dumps({"restored": name, **found}), flush=True)
