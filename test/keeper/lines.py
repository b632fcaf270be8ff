"""Prints the lines of the keeper that no test ran.

usage: KEEPER_LINES=/tmp/lines python -m pytest test/keeper; python test/keeper/lines.py /tmp/lines
"""

import dis
import pathlib
import sys

KEEPER = pathlib.Path(__file__).parents[2] / "lib" / "single-writer" / "keeper.py"


def executable(code):
    """The lines of every function; those of the module itself run on import."""
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            if constant.co_flags & 0x1:  # A function, not the body of a class.
                yield from (line for _, line in dis.findlinestarts(constant) if line and line > constant.co_firstlineno)
            yield from executable(constant)


lines = set(executable(compile(KEEPER.read_text(), str(KEEPER), "exec")))
ran = {int(line) for line in pathlib.Path(sys.argv[1]).read_text().split()}
source = KEEPER.read_text().splitlines()
missed = sorted(lines - ran)
print(f"{len(lines) - len(missed)} of {len(lines)} lines ran; never:")
for number in missed:
    print(f"{number:5} {source[number - 1]}")
