"""One directory on the volume, one way to protect it, and the writers that use it: what a scenario is played with.

Arms:
    keeper   the keeper in front, vfs=unix-excl, WAL, FULL
    plain    nothing in front, as Open WebUI opens its database by default: default VFS, WAL, NORMAL
    locks    vfs=unix-excl, WAL, FULL, but no keeper: what SQLite's own locks give
"""

import collections
import itertools
import json
import re
import signal
import time

from lab import EXPORT, HERE, MOUNT, PYTHON, REPOSITORY, Guest, Lab, LabError, Program

KEEPER = REPOSITORY / 'lib' / 'single-writer' / 'keeper.py'
WORKLOADS = HERE / 'workloads'
EXCLUSIVE = {'VFS': 'unix-excl', 'SYNC': 'FULL', 'MMAP': '0', 'BUSY': '30000'}
ARMS = {'keeper': EXCLUSIVE, 'locks': EXCLUSIVE, 'plain': {}}
STORE = 'webui.db'
# Seconds. A write to the server's disk takes milliseconds, on a busy machine tenths of a second.
STALL = 10

_serial = itertools.count(1)


class Case:
    """A directory, and everything that was acknowledged about it."""

    def __init__(self, lab: Lab, arm: str, label: str = '', keeper: dict | None = None, **settings) -> None:
        self.lab, self.arm, self.label = lab, arm, label
        self.name = f'{arm}-{next(_serial)}'
        self.keeper_settings = keeper or {}
        self.settings = {key: str(value) for key, value in settings.items()}
        self.programs: list[Program] = []
        self.tags: dict[int, str] = {}
        self.takeovers: list[float] = []
        self.expected: collections.Counter = collections.Counter()
        self.notes: list[str] = []
        self.new_owner_at: float | None = None
        lab.server.call(['mkdir', '-p', self.at_server()])

    def at_server(self, name: str = '') -> str:
        return f'{EXPORT}/{self.name}/{name}'.rstrip('/')

    def at_client(self, name: str = '') -> str:
        return f'{MOUNT}/{self.name}/{name}'.rstrip('/')

    def start(self, guest: Guest, **extra) -> Program:
        """A task: the writer, with the keeper in front of it when the arm has one."""
        tag = f'{guest.name}{len(self.programs)}'
        writer = [PYTHON, '-S', str(WORKLOADS / 'sqlite_writer.py')]
        environment = {**ARMS[self.arm], **self.settings, 'DB': self.at_client(STORE), 'TAG': tag}
        if self.arm == 'keeper':
            # every task has a local directory of its own, as containers have
            environment['KEEPER_LOCAL_DIR'] = f'/tmp/keeper-{self.name}-{len(self.programs)}'
            environment['KEEPER_SNAPSHOT_AT'] = ''
            environment.update(self.keeper_environment(), **{key: str(value) for key, value in extra.items()})
            program = guest.run(['python3', '-S', str(KEEPER), 'run', '--', *writer], environment)
        else:
            program = guest.run(writer, environment)
        self.tags[id(program)] = tag
        self.programs.append(program)
        return program

    def keeper_environment(self) -> dict:
        return {'KEEPER_DIR': self.at_client(), 'KEEPER_STORES': STORE, **self.keeper_settings}

    def keeper(self, guest: Guest, *words: str, timeout: float = 120) -> Program:
        """A keeper command (status, snapshots …) in a one-off task."""
        program = guest.run(['python3', '-S', str(KEEPER), *words], self.keeper_environment())
        program.wait(timeout)
        return program

    # --- what happened ---

    def acks(self, program: Program) -> list:
        """[(when, number)] of one program."""
        return [(when, int(line[4:])) for when, line in list(program.lines) if re.fullmatch(r'ack \d+', line)]

    def events(self, program: Program) -> list:
        result = []
        for _, line in list(program.lines):
            if line.startswith('{"keeper"'):
                result.append(json.loads(line))
        return result

    def wait_acks(self, program: Program, count: int = 1, timeout: float = 60) -> None:
        """Until the program has acknowledged that many more rows."""
        seen, limit = len(program.lines), time.monotonic() + timeout
        while True:
            program.wait_line('ack ', max(0.1, limit - time.monotonic()), seen)
            while seen < len(program.lines) and count:
                count -= 'ack ' in program.lines[seen][1]
                seen += 1
            if not count:
                return

    def taken_over(self, program: Program, since: float, timeout: float = 60) -> float | None:
        """Seconds from the fault to the first commit of the new owner; None when it never came. A task that ends is started
        anew, as ECS does, at most three times."""
        limit = time.monotonic() + timeout
        for _ in range(4):
            try:
                when, _line = program.wait_line('ack ', max(0.1, limit - time.monotonic()))
                self.takeovers.append(max(0.0, when - since))  # before it: the fault did not stop it
                self.new_owner_at = when
                return when - since
            except TimeoutError:
                if program.exit is None or time.monotonic() > limit:
                    break
                said = [event.get('message', '') for event in self.events(program)][-1:]
                self.notes.append(f'a start ended with {program.exit}: {"".join(said)}')
                program = self.start(program.guest)
        # Then nothing was tested but the lab's own disk.
        if self.arm == 'keeper' and (stall := self.lab.server.ask('disk_stall')) > STALL:
            raise LabError(f"the server's disk stood still for {stall:.0f} s")
        said = [event['keeper'] for event in self.events(program)][-1:]
        self.notes.append(f'no commit of the new owner {time.monotonic() - since:.0f} s after the fault{", its keeper: " + said[0] if said else ""}')
        return None

    def zombie_acks(self, old: Program) -> int:
        """Commits which the old owner acknowledged after the new owner's first."""
        return sum(1 for when, _ in self.acks(old) if self.new_owner_at and when > self.new_owner_at)

    def stop(self, timeout: float = 40) -> None:
        """SIGTERM to what still runs, as ECS does."""
        running = [program for program in self.programs if program.exit is None]
        for program in running:
            program.signal(signal.SIGTERM)
        for program in running:
            try:
                program.wait(timeout)
            except TimeoutError:
                self.notes.append(f'{program.guest.name} did not stop in {timeout:.0f} s')
                program.signal(signal.SIGKILL, group=True)
                try:
                    program.wait(20)
                except TimeoutError:
                    self.notes.append('nor on SIGKILL')

    def errors(self) -> collections.Counter:
        """What the application saw, by message."""
        counter: collections.Counter = collections.Counter()
        for program in self.programs:
            for _, line in list(program.lines):
                match = re.fullmatch(r'(?:error \d+|open) (.*)', line)
                if match:
                    counter[match[1]] += 1
                elif 'Traceback' in line or line.startswith('sqlite3.'):
                    counter[line] += 1
        return counter

    def check(self, store: str = STORE) -> dict:
        """Compares what was acknowledged with what is in the database, on the server itself."""
        text = self.lab.server.call(['python3', '-S', str(WORKLOADS / 'check.py'), self.at_server(store)], timeout=300)
        found = json.loads(text.splitlines()[-1])
        acknowledged = present = lost = 0
        for program in self.programs:
            tag = self.tags[id(program)]
            numbers = {number for first, last in found['rows'].get(tag, []) for number in range(first, last + 1)}
            acked = {number for _, number in self.acks(program)}
            acknowledged += len(acked)
            present += len(numbers)
            lost += len(acked - numbers)
        return {
            'arm': self.arm,
            'label': self.label,
            'acknowledged': acknowledged,
            'present': present,
            'lost': lost,
            'wrong': found['wrong'],
            'integrity': found['integrity'],
            'bytes': found['bytes'],
            'takeover_s': [round(seconds, 1) for seconds in self.takeovers],
            'errors': dict(self.errors()),
            'exits': [program.exit for program in self.programs],
            'notes': self.notes,
        }

