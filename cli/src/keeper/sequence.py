"""Runs the Python file PROGRAM once for each group of arguments, in order, until one fails. Groups are separated by ";"."""

import signal
import subprocess
import sys

group, groups = [], []
for word in sys.argv[2:] + [";"]:
    if word == ";":
        groups.append(group)
        group = []
    else:
        group.append(word)

child = None
stopped = 0


def stop(number, _frame):
    global stopped
    stopped = number
    if child is not None:
        child.send_signal(number)


signal.signal(signal.SIGTERM, stop)
status = 0
for group in groups:
    if stopped:
        status = 128 + stopped
        break
    child = subprocess.Popen([sys.executable, PROGRAM, *group])  # noqa: F821  set by whoever embeds this
    status = child.wait()
    if status:
        break
sys.exit(status if status >= 0 else 128 - status)
