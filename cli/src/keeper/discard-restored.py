"""Deletes one tree that AWS Backup restored, and nothing else: DIRECTORY/aws-backup-restore_<time>."""

import json
import os
import re
import shutil
import sys

root, name = sys.argv[1:]
path = os.path.join(root, name)
if not re.fullmatch(r"aws-backup-restore_[A-Za-z0-9._:-]+", name) or os.path.islink(path) or not os.path.isdir(path):
    print(json.dumps({"discarded": None, "error": f"{name} is no restored tree"}), flush=True)
    sys.exit(64)
shutil.rmtree(path)
print(json.dumps({"discarded": name}), flush=True)
