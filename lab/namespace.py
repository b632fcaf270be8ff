"""Puts the calling program into namespaces of its own, so that nothing it does outlives it.

Network devices, mounts and processes of the lab all belong to three fresh namespaces (network, mount, process). When
the first process in them dies — at its end, on Ctrl-C, on SIGKILL — the kernel itself kills every other process and drops every device, mount and
memory file. No clean-up code has to run for that.
"""

import ctypes
import os
import signal
import subprocess
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

# Every Debian has this directory, and nothing the lab needs is below it. Only the lab's own mount namespace sees
# the memory file system that is mounted over it.
WORK = '/media'


def enter() -> None:
    """Returns in a new process inside new namespaces. The caller's own process only waits for it and ends with its status."""
    if os.geteuid() != 0:
        sys.exit('The lab needs root: it makes network devices and mounts (in namespaces of its own).')
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), 'the lab cannot make its namespaces')
    first = os.fork()
    if first:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, lambda *_: _end(first))
        os._exit(_status(first))
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _arrange()
    runner = os.fork()
    if runner:
        # Process 1: collects orphans; everything else ends with it
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while True:
            pid, status = os.wait()
            if pid == runner:
                os._exit(_code(status))


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _status(pid: int) -> int:
    return _code(os.waitpid(pid, 0)[1])


def _arrange() -> None:
    def sh(*command: str) -> None:
        subprocess.run(command, check=True)

    sh('mount', '--make-rprivate', '/')
    sh('mount', '-t', 'proc', 'proc', '/proc')
    sh('mount', '-t', 'tmpfs', '-o', 'size=95%', 'lab', WORK)
    # user-mode-linux backs each guest's memory with an unlinked file: keep those in memory too
    os.environ['TMPDIR'] = f'{WORK}/tmp'
    os.mkdir(os.environ['TMPDIR'])
    sh('ip', 'link', 'set', 'lo', 'up')
