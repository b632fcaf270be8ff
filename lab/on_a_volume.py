#!/usr/bin/env python3
"""The lab's central scenarios on a volume of your own, for example an EFS access point mounted in two Fargate tasks.

    on_a_volume.py alone DIRECTORY    one host: latency, a second task started by hand, kill -9, takeover, clean restart
    on_a_volume.py own DIRECTORY      first host: becomes the owner and commits until it is killed; then kill the task
    on_a_volume.py follow DIRECTORY   second host, started while the first one runs: waits, takes over, reckons

`follow` prints how long the volume's lease of a dead host really lasts, which AWS does not publish. To see the zombie, cut the
first host off instead (remove the NFS rule of its security group for some minutes, then put it back).

Everything happens in DIRECTORY/keeper-trial, which must not exist for `alone` and `own` and is left for you to look at.
Python 3.9 or newer, nothing else; take the folders lab/ and lib/single-writer/ along.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
KEEPER = HERE.parent / 'lib' / 'single-writer' / 'keeper.py'
WRITER = HERE / 'workloads' / 'sqlite_writer.py'
CHECK = HERE / 'workloads' / 'check.py'


class Task:
    """A keeper with the lab's writer under it; what was acknowledged goes to a file on the volume, too."""

    def __init__(self, trial: pathlib.Path, tag: str, **environment: str):
        self.trial, self.tag = trial, tag
        env = {
            **os.environ, 'KEEPER_DIR': str(trial / 'data'), 'KEEPER_STORES': 'trial.db', 'KEEPER_LOCAL_DIR': f'/tmp/keeper-{tag}',
            'DB': str(trial / 'data' / 'trial.db'), 'TAG': tag, 'VFS': 'unix-excl', 'SYNC': 'FULL', 'MMAP': '0', 'RATE': '20', **environment,
        }  # fmt: skip
        command = [sys.executable, str(KEEPER), 'run', '--', sys.executable, str(WRITER)]
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.acknowledged = 0

    def lines(self):
        """Events of the keeper as dictionaries, lines of the writer as text; acknowledged numbers are kept on the volume."""
        with open(self.trial / f'acknowledged-{self.tag}', 'a', encoding='utf-8') as record:
            for line in self.process.stdout:
                if line.startswith('ack '):
                    self.acknowledged = int(line.split()[1])
                    record.write(f'{self.acknowledged}\n')
                    record.flush()
                yield json.loads(line) if line.startswith('{') else line.strip()

    def until(self, event: str, rows: int = 0) -> dict:
        """Reads on until the keeper reports the event and the writer has acknowledged so many rows."""
        found = {}
        for line in self.lines():
            if isinstance(line, dict) and line['keeper'] == event:
                found = line
            if found and self.acknowledged >= rows:
                return found
        raise SystemExit(f'The task {self.tag} ended with {self.process.wait()} before it reported "{event}".')

    def end(self, number: int) -> int:
        """Signals the keeper (SIGTERM) or keeper and writer (SIGKILL), and reads what was still acknowledged."""
        if number == signal.SIGKILL:
            subprocess.run(['pkill', '-9', '-g', str(self.process.pid)], check=False)
        self.process.send_signal(number)
        for _ in self.lines():
            pass
        return self.process.wait()


def reckon(trial: pathlib.Path) -> None:
    """Compares every acknowledged number with what is in the database."""
    answer = json.loads(subprocess.run([sys.executable, str(CHECK), str(trial / 'data' / 'trial.db')], capture_output=True, text=True, check=True).stdout)
    lost = total = 0
    for path in sorted(trial.glob('acknowledged-*')):
        numbers = [int(line) for line in path.read_text(encoding='utf-8').splitlines() if line]
        rows = answer['rows'].get(path.name.partition('-')[2], [])
        lost += sum(not any(first <= number <= last for first, last in rows) for number in numbers)
        total += len(numbers)
    print(f'{total} commits acknowledged, {lost} lost, {answer["wrong"]} rows wrong, integrity {answer["integrity"]}')
    if lost or answer['wrong'] or answer['integrity'] != 'ok':
        raise SystemExit('The volume or the keeper broke the promise. Keep the directory, and report it.')


def fresh(directory: str) -> pathlib.Path:
    trial = pathlib.Path(directory) / 'keeper-trial'
    if not pathlib.Path(directory).is_dir() or trial.exists():
        raise SystemExit(f'{directory} must be a directory without keeper-trial in it.')
    (trial / 'data').mkdir(parents=True)
    return trial


def yardstick(trial: pathlib.Path) -> None:
    """The median of one 4 KiB write and fsync."""
    times = []
    with open(trial / 'yardstick', 'wb') as file:
        for _ in range(50):
            start = time.monotonic()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            times.append(time.monotonic() - start)
    print(f'write + fsync of 4 KiB: {sorted(times)[25] * 1000:.2f} ms (median of 50)')


def alone(directory: str) -> None:
    trial = fresh(directory)
    yardstick(trial)
    first = Task(trial, 'first')
    first.until('running', rows=40)
    second = Task(trial, 'second', KEEPER_LEASE_DEADLINE='3')
    print(f'a second task beside it: exit {second.end(0)} (75 is right: the lease is held)')
    first.end(signal.SIGKILL)
    start = time.monotonic()
    third = Task(trial, 'third')
    took = third.until('takeover')
    third.until('running', rows=40)
    print(f'after kill -9: takeover {took["takeover_s"]} s, first commits after {time.monotonic() - start:.1f} s')
    print(f'clean stop: exit {third.end(signal.SIGTERM)}')
    fourth = Task(trial, 'fourth')
    print(f'clean restart: previous owner {fourth.until("leased")["previous"]!r} (released is right)')
    fourth.until('running', rows=10)
    fourth.end(signal.SIGTERM)
    reckon(trial)


def own(directory: str) -> None:
    task = Task(fresh(directory), 'first')
    task.until('running', rows=1)
    print('The owner commits. Start `follow` on the other host, then kill this task, or cut its network.', flush=True)
    for line in task.lines():
        if isinstance(line, dict) or task.acknowledged % 100 == 0:
            print(line, flush=True)
    print(f'The owner ended with {task.process.wait()} after {task.acknowledged} commits.')


def follow(directory: str) -> None:
    trial = pathlib.Path(directory) / 'keeper-trial'
    if not (trial / 'data' / '.owner').exists():
        raise SystemExit(f'There is no owner in {trial}. Start `own` on the other host first.')
    task = Task(trial, 'second', KEEPER_LEASE_DEADLINE='3600')
    leased = task.until('leased')
    print(f'lease after {leased["waited_s"]} s of waiting, previous owner: {leased["previous"]}', flush=True)
    if leased['previous'] == 'held':
        print(f'takeover in {task.until("takeover")["takeover_s"]} s', flush=True)
    task.until('running', rows=40)
    task.end(signal.SIGTERM)
    reckon(trial)


def main() -> None:
    modes = {'alone': alone, 'own': own, 'follow': follow}
    if len(sys.argv) != 3 or sys.argv[1] not in modes:
        print(__doc__)
        raise SystemExit(0 if sys.argv[1:] in (['--help'], ['-h']) else 64)
    modes[sys.argv[1]](sys.argv[2])


if __name__ == '__main__':
    main()
