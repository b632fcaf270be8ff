"""What the keeper does with a Chroma directory, as one command for the lab.

  chroma_heal.py heal DIR     after an unclean end: put indexes aside, copy vectors back, set the switch
  chroma_heal.py keep DIR     while the server runs: waits for its tables, then sets the switch
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib", "single-writer"))

import chroma  # noqa: E402


def main() -> None:
    command, directory = sys.argv[1:3]
    if command == "keep":
        while not (chroma.is_chroma(directory) and chroma.keep_every_vector(directory)):
            time.sleep(0.1)
        print(json.dumps({"keeps": True}))
        return
    began = time.monotonic()
    if not chroma.is_chroma(directory):
        print(json.dumps({"new": True}))
        return
    problems = chroma.check_chroma(directory, unclean=True)
    whole = [str(problem) for problem in chroma.check_chroma(directory)]
    aside = os.path.join(directory, "..", "set-aside", str(time.time_ns()))
    rebuilt = chroma.rebuild_chroma(directory, problems, aside)
    copied = chroma.protect_chroma(directory)
    seconds = round(time.monotonic() - began, 2)
    print(json.dumps({"put_aside": len(rebuilt), "copied": copied, "seconds": seconds, "torn": whole}))


if __name__ == "__main__":
    main()
