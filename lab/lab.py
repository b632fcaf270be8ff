"""The lab: an NFSv4.1 server kernel and client kernels, each a user-mode-linux guest, on one machine.

    namespace.enter(); install.install()          # run.py does both
    lab = Lab()                                   # bridges, a server with an empty volume
    a = lab.boot('a')                             # a client kernel ("Fargate host"), volume mounted at /mnt/efs
    b = lab.boot('b', relay=True)                 # the same through the relay (EFS-like latency)
    p = a.run(['python3', '/path/on/this/machine.py'], env={'DIR': '/mnt/efs/x'})   # any program; same files as here
    p.lines                                       # [(seconds on time.monotonic(), 'text'), ...], grows while it runs
    p.wait_line('ready', 30); p.signal(15); p.wait(60); p.exit
    a.call(['mkdir', '-p', '/mnt/efs/x'])         # run, wait, raise on failure, return the output
    a.kill()                                      # kill -9 of the whole kernel: what a lost Fargate host is
    a.cut(); a.heal()                             # its network to the volume (orders still reach it)
    a.clock(3600)                                 # moves its wall clock
    lab.server.call([...])                        # the volume itself is /mnt/export there
    lab.restart_server(); lab.delay(0.0027); lab.throttle(1 << 20)   # the last two act on mounts through the relay
    a.control_address                             # reachable from the runner: for HTTP to an application in the guest

Guests share this machine's files, read-only: programs, libraries and the repository are simply there. Writable are /mnt/efs and, in memory,
/tmp, /run and /dev/shm. HOME is /tmp. Guests cannot reach the internet. Nothing of a guest is kept when it is killed but the volume.
"""

import base64
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import namespace

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
LEASE = 10
BOOT_LIMIT = 120
EXPORT = '/mnt/export'
MOUNT = '/mnt/efs'
NETWORK = '10.66.0'
CONTROL = '10.77.0'
PYTHON = os.path.realpath(sys.executable)


class LabError(Exception):
    """The lab itself did not do what it should: not a result of a scenario."""


class BootError(LabError):
    """A kernel that did not come up."""


class Program:
    """A program in a guest. Lines carry the time at which they reached the runner."""

    def __init__(self, guest: 'Guest', identity: int, argv: list) -> None:
        self.guest, self.identity, self.argv = guest, identity, argv
        self.lines: list = []
        self.exit: int | None = None
        self.started = time.monotonic()
        self.ended: float | None = None
        self._change = threading.Condition()

    def _receive(self, message: dict) -> None:
        now = time.monotonic()
        with self._change:
            self.lines.extend((now, line) for line in message.get('lines', []))
            if 'exit' in message and self.exit is None:
                self.exit, self.ended = message['exit'], now
            self._change.notify_all()

    def wait(self, timeout: float = 60) -> int:
        """Until it has ended; -9 when its kernel was killed."""
        with self._change:
            if not self._change.wait_for(lambda: self.exit is not None, timeout):
                raise TimeoutError(f'{self.argv} on {self.guest.name} still runs after {timeout} s: {self.text()[-2000:]}')
        return self.exit

    def wait_line(self, part: str, timeout: float = 60, start: int = 0) -> tuple:
        """The first line (from number `start`) that contains `part`, with its time."""
        seen = start

        def found():
            nonlocal seen
            while seen < len(self.lines):
                if part in self.lines[seen][1]:
                    return self.lines[seen]
                seen += 1
            return self.exit is not None

        with self._change:
            line = self._change.wait_for(found, timeout)
        if not isinstance(line, tuple):
            ended = f'ended with {self.exit}' if self.exit is not None else f'has not in {timeout} s'
            raise TimeoutError(f'{self.argv} on {self.guest.name} should print "{part}", {ended}: {self.text()[-2000:]}')
        return line

    def text(self) -> str:
        return '\n'.join(line for _, line in list(self.lines))

    def signal(self, number: int, group: bool = False) -> None:
        self.guest.send({'op': 'signal', 'id': self.identity, 'signal': number, 'group': group})


class Guest:
    """A running guest kernel."""

    def __init__(self, lab: 'Lab', name: str, role: str, memory: str, drives: list) -> None:
        self.lab, self.name, self.role = lab, name, role
        number = next(lab.numbers)
        host = 1 if role == 'server' else 10 + number % 240
        self.address, self.control_address = f'{NETWORK}.{host}', f'{CONTROL}.{host}'
        self.programs: dict[int, Program] = {}
        self.ids = itertools.count(1)
        self.alive = True
        self.tap = f'e{number}'
        self._answers: dict = {}
        self._connected = threading.Event()
        self._connection: socket.socket | None = None
        self._lock = threading.Lock()
        self.log = f'{namespace.WORK}/log/{name}-{number}'
        conf = {
            'name': str(number),
            'hostname': f'{name}-{number}',
            'role': role,
            'address': self.address,
            'control_address': self.control_address,
            'control': [f'{CONTROL}.254', lab.control_port],
            'lease': lab.lease,
        }
        path = f'{namespace.WORK}/conf/{number}.json'
        Path(path).write_text(json.dumps(conf), encoding='ascii')
        lab.guests[str(number)] = self
        lab.tap(self.tap, 'lab0')
        lab.tap(f'm{number}', 'lab1')
        command = ['/usr/bin/linux.uml', f'mem={memory}', f'umid=lab-{number}', f'uml_dir={namespace.WORK}/uml']
        command += ['root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', 'con=null', 'con0=null,fd:1', 'ssl=null']
        command += [f'ubd{index}=/proc/self/fd/{fd}' for index, fd in enumerate(drives)]
        # gro=1: without it the driver drops what is larger than a frame, and every commit waits for a retransmission.
        # mac: kernels that boot at the same moment choose the same "random" address; and a
        # restarted server keeps its own, or its clients send to the old one until the grace period is over.
        for index, tap in enumerate((self.tap, f'm{number}')):
            command.append(f'vec{index}:transport=tap,ifname={tap},gro=1,mac=02:00:00:00:0{index}:{host:02x}')
        command += [f'init={PYTHON}', '--', str(HERE / 'guest.py'), path]
        self.booted = time.monotonic()
        with open(self.log, 'wb') as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=drives, start_new_session=True
            )
        limit = time.monotonic() + BOOT_LIMIT
        while not self._connected.wait(0.2) and self.process.poll() is None and time.monotonic() < limit:
            pass
        if not self._connected.is_set():
            self.kill()
            raise BootError(f'{name} did not boot within {BOOT_LIMIT} s. Its console ends with:\n{self.console()[-600:]}')

    def console(self) -> str:
        """What the guest kernel has logged."""
        return Path(self.log).read_text(encoding='utf-8', errors='replace')

    def adopt(self, connection: socket.socket, stream) -> None:
        self._connection = connection
        self._connected.set()
        try:
            for line in stream:
                message = json.loads(line)
                if message['id'] in self.programs:
                    self.programs[message['id']]._receive(message)  # pylint: disable=protected-access
                elif message['id'] in self._answers:
                    self._answers.pop(message['id']).append(message)
        except (OSError, ValueError):
            pass

    def send(self, order: dict) -> None:
        if not self.alive:
            raise LabError(f'{self.name} is dead')
        with self._lock:
            self._connection.sendall(json.dumps(order).encode() + b'\n')

    def ask(self, op: str, timeout: float = 120, **arguments):
        """An order with an answer: mount, umount, clock, read, glob, sync."""
        identity, box = next(self.ids), []
        self._answers[identity] = box
        self.send({'op': op, 'id': identity, 'arguments': arguments})
        limit = time.monotonic() + timeout
        while not box:
            if time.monotonic() > limit:
                raise TimeoutError(f'{op} on {self.name}: no answer in {timeout} s')
            time.sleep(0.005)
        if 'error' in box[0]:
            raise LabError(f'{op} on {self.name}: {box[0]["error"]}')
        return box[0]['value']

    def run(self, argv: list, env: dict | None = None, cwd: str = '/tmp') -> Program:
        argv = [PYTHON if word == 'python3' and index == 0 else str(word) for index, word in enumerate(argv)]
        program = Program(self, next(self.ids), argv)
        self.programs[program.identity] = program
        self.send({'op': 'run', 'id': program.identity, 'argv': argv, 'env': env or {}, 'cwd': cwd})
        return program

    def call(self, argv: list, env: dict | None = None, timeout: float = 60) -> str:
        program = self.run(argv, env)
        if program.wait(timeout) != 0:
            raise LabError(f'{argv} on {self.name} ended with {program.exit}: {program.text()}')
        return program.text()

    def read(self, path: str) -> bytes:
        return base64.b64decode(self.ask('read', path=path))

    def clock(self, seconds: float) -> None:
        self.ask('clock', seconds=seconds)

    def cut(self) -> None:
        """The bridge drops everything to and from the guest; the guest sees no link go down."""
        self.lab.sh('bridge', 'link', 'set', 'dev', self.tap, 'state', '0')

    def heal(self) -> None:
        self.lab.sh('bridge', 'link', 'set', 'dev', self.tap, 'state', '3')

    def kill(self) -> None:
        """kill -9 of the whole kernel."""
        if not self.alive:
            return
        self.alive = False
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self._gone()

    def shut_down(self, timeout: float = 60) -> None:
        """Unmounts and powers off: an orderly end of the host."""
        if not self.alive:
            return
        self.send({'op': 'poweroff', 'id': 0})
        try:
            self.process.wait(timeout)
            self._gone()
        except subprocess.TimeoutExpired:
            self.kill()

    def _gone(self) -> None:
        self.alive = False
        for program in self.programs.values():
            program._receive({'exit': -9})  # pylint: disable=protected-access
        for tap in (self.tap, self.tap.replace('e', 'm')):
            self.lab.sh('ip', 'link', 'del', tap)


class Lab:
    """The networks, the server and its volume. Needs namespace.enter() before."""

    def __init__(self, volume_mb: int = 1024, on_disk: bool = False, lease: int = LEASE, server_memory: str = '384M') -> None:
        """`on_disk`: the volume is an unlinked file on this machine's disk, and a sync reaches it; else memory."""
        self.lease = lease
        self.server_memory = server_memory
        self.numbers = itertools.count(1)
        self.guests: dict[str, Guest] = {}
        for name in ('log', 'conf', 'uml'):
            os.makedirs(f'{namespace.WORK}/{name}', exist_ok=True)
        for bridge, network in (('lab0', NETWORK), ('lab1', CONTROL)):
            self.sh('ip', 'link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0')
            self.sh('ip', 'address', 'add', f'{network}.254/24', 'dev', bridge)
            self.sh('ip', 'link', 'set', bridge, 'up')
        self._listener = socket.create_server((f'{CONTROL}.254', 0), backlog=64)
        self.control_port = self._listener.getsockname()[1]
        self.closed = threading.Event()
        for work in (self._accept, self._kick):
            threading.Thread(target=work, daemon=True).start()
        # An open file without a name: gone with the last process that holds it
        self.volume = tempfile.TemporaryFile(dir='/var/tmp' if on_disk else namespace.WORK)
        self.volume.truncate(volume_mb << 20)
        drive = f'/proc/self/fd/{self.volume.fileno()}'
        command = ['mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', drive]
        subprocess.run(command, check=True, pass_fds=[self.volume.fileno()])
        self.server = self._boot_server()
        self._relay: subprocess.Popen | None = None

    def __enter__(self) -> 'Lab':
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.closed.set()
        for guest in self.guests.values():
            guest.kill()
        if self._relay:
            self._relay.kill()
            self._relay.wait()
        self._listener.close()
        self.volume.close()
        for bridge in ('lab0', 'lab1'):
            self.sh('ip', 'link', 'del', bridge)
        for name in ('log', 'conf', 'uml'):
            shutil.rmtree(f'{namespace.WORK}/{name}', ignore_errors=True)

    @staticmethod
    def sh(*command: str) -> None:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(f'{" ".join(command)}: {done.stderr.strip()}')

    def tap(self, name: str, bridge: str) -> None:
        self.sh('ip', 'tuntap', 'add', 'dev', name, 'mode', 'tap')
        self.sh('ip', 'link', 'set', name, 'master', bridge, 'up')

    def _kick(self) -> None:
        """A guest's network driver sometimes misses the arrival of a packet until the next one comes: commits would then wait
        200 ms for a retransmission, and a guest may boot deaf. So there is always a next one."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as kicks:
            while not self.closed.wait(0.004):
                for guest in list(self.guests.values()):
                    for address in (guest.address, guest.control_address) if guest.alive else ():
                        try:
                            kicks.sendto(b'.', (address, 9))
                        except OSError:
                            pass  # not up yet, or just gone

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._greet, args=(connection,), daemon=True).start()

    def _greet(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = connection.makefile('rb')
        hello = stream.readline()
        if hello:
            self.guests[json.loads(hello)['hello']].adopt(connection, stream)

    def _boot(self, *description) -> Guest:
        """On a busy machine a boot may take too long; nothing has happened on the volume by then, so try again."""
        for _ in range(2):
            try:
                return Guest(self, *description)
            except BootError as error:
                print(f'({error.args[0].splitlines()[0]}: trying again)', file=sys.stderr)
        return Guest(self, *description)

    def _boot_server(self) -> Guest:
        return self._boot('server', 'server', self.server_memory, [self.volume.fileno()])

    def boot(self, name: str, relay: bool = False, mount: bool = True, memory: str = '320M') -> Guest:
        """A new client kernel: to the server always a new host, whatever its name."""
        guest = self._boot(name, 'client', memory, [])
        if mount:
            self.mount(guest, relay)
        return guest

    def mount(self, guest: Guest, relay: bool = False) -> None:
        if relay:
            self._start_relay()
        guest.ask('mount', address=f'{NETWORK}.254' if relay else self.server.address)

    def restart_server(self, down: float = 1.0) -> None:
        """kill -9 of the server kernel, then a new one on the same volume."""
        self.server.kill()
        time.sleep(down)
        self.server = self._boot_server()

    def _start_relay(self) -> None:
        if self._relay:
            return
        command = [PYTHON, str(HERE / 'relay.py'), f'{NETWORK}.254', f'{NETWORK}.1']
        self._relay = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._relay.stdout.readline()

    def _tell_relay(self, **setting) -> None:
        self._start_relay()
        self._relay.stdin.write(json.dumps(setting).encode() + b'\n')
        self._relay.stdin.flush()
        self._relay.stdout.readline()

    def delay(self, write: float, read: float = 0.0) -> None:
        """Seconds added by the relay to operations that change something, and to all others."""
        self._tell_relay(write=write, read=read)

    def throttle(self, bytes_per_second: float | None) -> None:
        """The relay's throughput in both directions together; None: as fast as it goes."""
        self._tell_relay(rate=bytes_per_second)
