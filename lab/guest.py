"""Process 1 of a guest kernel: sets the guest up as NFS server or client, then obeys the runner.

Started by the kernel as `init` with the path of a JSON file (see lab.py). The guest's root is the runner's own file
system, read-only (hostfs); what has to be writable is memory. Orders and answers are JSON lines over one TCP connection
on a network of their own, which stays up when the network to the file server is cut.
"""

import base64
import glob
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time

CHECKOUT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'


def sh(*command: str) -> None:
    subprocess.run(command, check=True)


def write(path: str, text: str) -> None:
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


def base(conf: dict) -> None:
    os.environ.update(PATH=PATH, HOME='/tmp', LANG='C.UTF-8', PYTHONDONTWRITEBYTECODE='1', PYTHONUNBUFFERED='1')
    sh('mount', '-t', 'proc', 'proc', '/proc')
    sh('mount', '-t', 'sysfs', 'sysfs', '/sys')
    # The network driver takes its buffers from free memory without waiting: when the page cache has it all, it goes deaf.
    write('/proc/sys/vm/min_free_kbytes', '32768')
    os.makedirs('/dev/shm', exist_ok=True)
    sh('mount', '-t', 'tmpfs', 'tmpfs', '/run')
    # A checkout below /tmp would be hidden by what comes next.
    os.makedirs('/run/checkout')
    sh('mount', '--bind', CHECKOUT, '/run/checkout')
    for path in ('/dev/shm', '/tmp', '/mnt', '/var/lib/nfs'):
        sh('mount', '-t', 'tmpfs', 'tmpfs', path)
    if not os.path.exists(__file__):
        os.makedirs(CHECKOUT)
        sh('mount', '--bind', '/run/checkout', CHECKOUT)
    # A name of its own per boot: NFSv4.1 servers tell clients apart by it, and drop the state of a client that comes
    # back under the same name at once. A new Fargate task is a new client and has to wait for the lease.
    socket.sethostname(conf['hostname'])
    # The module folder of user-mode-linux is not where modprobe looks, and the root cannot be written.
    release = os.uname().release
    os.makedirs('/run/modules/lib/modules')
    os.symlink(f'/usr/lib/uml/modules/{release}', f'/run/modules/lib/modules/{release}')
    write('/run/modprobe', '#!/bin/sh\nexec /sbin/modprobe -d /run/modules "$@"\n')
    os.chmod('/run/modprobe', 0o755)
    write('/proc/sys/kernel/modprobe', '/run/modprobe')
    sh('ip', 'link', 'set', 'lo', 'up')
    for device, address in (('vec0', conf['address']), ('vec1', conf['control_address'])):
        sh('ip', 'address', 'add', f'{address}/24', 'dev', device)
        sh('ip', 'link', 'set', device, 'up')


def reach(address: tuple, device: str) -> socket.socket:
    """Connects; a device that came up deaf (it happens on a busy machine) is taken down and up again."""
    for _ in range(10):
        try:
            return socket.create_connection(address, timeout=3)
        except OSError:
            print(f'{device} does not reach {address}: down and up again', flush=True)
            sh('ip', 'link', 'set', device, 'down')
            sh('ip', 'link', 'set', device, 'up')
    return socket.create_connection(address, timeout=10)


def kick_disk() -> None:
    """The disk driver sometimes misses the end of a write until the next request ends: the journal, and with it every client, then
    stands still for up to a minute. So there is always a next one. Two readers: either may be the one that waits."""

    def read() -> None:
        fd, block = os.open('/dev/ubda', os.O_RDONLY | os.O_DIRECT), mmap.mmap(-1, 4096)
        while True:
            os.preadv(fd, [block], 0)
            time.sleep(0.02)

    if os.fork() == 0:
        threading.Thread(target=read).start()
        read()


def server(conf: dict) -> None:
    """An NFSv4.1 server: ext4, `sync`, the lease the runner asks for."""
    kick_disk()
    sh('/run/modprobe', '-a', 'nfsd')
    sh('mount', '-t', 'ext4', '-o', 'noatime', '/dev/ubda', '/mnt')
    # What the server remembers of its clients has to outlive its restart, or nobody may reclaim a lock.
    os.makedirs('/mnt/nfs-state', exist_ok=True)
    os.makedirs('/mnt/export', exist_ok=True)
    sh('mount', '--bind', '/mnt/nfs-state', '/var/lib/nfs')
    for path in ('/var/lib/nfs/nfsdcld', '/run/rpc_pipefs'):
        os.makedirs(path, exist_ok=True)
    sh('mount', '-t', 'rpc_pipefs', 'rpc_pipefs', '/run/rpc_pipefs')
    write('/proc/sys/fs/leases-enable', '0')  # no delegations, as on EFS
    sh('mount', '-t', 'nfsd', 'nfsd', '/proc/fs/nfsd')
    options = 'rw,sync,wdelay,hide,nocrossmnt,insecure,no_root_squash,no_subtree_check,fsid=0,sec=sys'
    write('/var/lib/nfs/etab', f'/mnt/export\t*({options})\n')
    write('/var/lib/nfs/rmtab', '')
    # Without this a server of little memory offers smaller transfers than EFS does
    write('/proc/fs/nfsd/max_block_size', '1048576')
    write('/proc/fs/nfsd/nfsv4leasetime', str(conf['lease']))
    # After a restart clients get longer than a lease to find the server again and reclaim their locks
    write('/proc/fs/nfsd/nfsv4gracetime', str(3 * conf['lease']))
    sh('nfsdcld')
    sh('rpc.mountd', '--no-nfs-version', '3', '--no-udp')
    sh('rpc.nfsd', '--no-udp', '--no-nfs-version', '3', '--nfs-version', '4.1', '8')


class DiskWatch:
    """The longest time that a write to the server's disk took: no client can be faster."""

    def __init__(self) -> None:
        self.file = os.open('/mnt/watch', os.O_WRONLY | os.O_CREAT)
        self.longest, self.begun = 0.0, time.monotonic()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self) -> None:
        while True:
            self.begun = time.monotonic()
            os.pwrite(self.file, b'.', 0)  # in place: a full disk does not refuse it
            os.fsync(self.file)
            self.longest = max(self.longest, time.monotonic() - self.begun)
            time.sleep(0.5)

    def seconds(self) -> float:
        longest, self.longest = self.longest, 0.0
        return max(longest, time.monotonic() - self.begun)


def client(_: dict) -> None:
    os.makedirs('/mnt/efs')
    sh('/run/modprobe', 'nfsv4')


def mount(address: str) -> None:
    # The options AWS recommends for EFS, which Fargate uses and does not let anyone change
    options = 'nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport'
    reach((address, 2049), 'vec0').close()
    sh('mount', '-t', 'nfs4', '-o', options, f'{address}:/', '/mnt/efs')


class Agent:
    """Obeys the runner. One thread per running program reads its output."""

    def __init__(self, conf: dict) -> None:
        self.conf = conf
        self.disk = DiskWatch() if conf['role'] == 'server' else None
        self.programs: dict[int, subprocess.Popen] = {}
        self.lock = threading.Lock()
        self.connection = reach(tuple(conf['control']), 'vec1')
        self.connection.settimeout(None)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, message: dict) -> None:
        data = json.dumps(message).encode() + b'\n'
        with self.lock:
            self.connection.sendall(data)

    def serve(self) -> None:
        self.send({'hello': self.conf['name']})
        for line in self.connection.makefile('rb'):
            order = json.loads(line)
            if order['op'] == 'run':
                self.run(order)
            elif order['op'] == 'signal':
                self.signal(order)
            else:
                threading.Thread(target=self.answer, args=(order,), daemon=True).start()

    def answer(self, order: dict) -> None:
        """An order with one answer, in a thread of its own: mount and unmount may hang."""
        try:
            value = getattr(self, 'do_' + order['op'])(**order.get('arguments', {}))
            self.send({'id': order['id'], 'value': value})
        except Exception as error:  # pylint: disable=broad-except
            self.send({'id': order['id'], 'error': f'{type(error).__name__}: {error}'})

    def run(self, order: dict) -> None:
        environment = {**os.environ, **order['env']}
        try:
            program = subprocess.Popen(
                order['argv'],
                env=environment,
                cwd=order['cwd'],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self.send({'id': order['id'], 'lines': [str(error)]})
            self.send({'id': order['id'], 'exit': 127})
            return
        self.programs[order['id']] = program
        threading.Thread(target=self.follow, args=(order['id'], program), daemon=True).start()

    def follow(self, identity: int, program: subprocess.Popen) -> None:
        """Passes on every line that is there in one message, so that a fast writer does not drown in messages."""
        rest = b''
        while chunk := os.read(program.stdout.fileno(), 65536):
            *lines, rest = (rest + chunk).split(b'\n')
            if lines:
                self.send({'id': identity, 'lines': [line.decode(errors='replace') for line in lines]})
        if rest:
            self.send({'id': identity, 'lines': [rest.decode(errors='replace')]})
        self.send({'id': identity, 'exit': program.wait()})

    def signal(self, order: dict) -> None:
        program = self.programs.get(order['id'])
        if program is None or program.returncode is not None:
            return
        try:
            if order.get('group'):
                os.killpg(program.pid, order['signal'])
            else:
                os.kill(program.pid, order['signal'])
        except ProcessLookupError:
            pass

    def do_mount(self, address: str) -> None:
        mount(address)

    def do_umount(self) -> None:
        sh('umount', '/mnt/efs')

    def do_clock(self, seconds: float) -> float:
        """Moves the wall clock; the monotonic clock goes on as it was."""
        time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)
        return time.time()

    def do_read(self, path: str) -> str:
        with open(path, 'rb') as file:
            return base64.b64encode(file.read()).decode()

    def do_glob(self, pattern: str) -> list:
        return sorted(glob.glob(pattern))

    def do_disk_stall(self) -> float:
        """Seconds of the longest write to the server's disk since the last question."""
        return self.disk.seconds()

    def do_sync(self) -> None:
        os.sync()

    def do_poweroff(self) -> None:
        os.sync()
        os.kill(1, signal.SIGUSR1)


def reap(agent: int) -> None:
    """Process 1 collects orphans; without the agent the guest is of no use."""

    def power_off(*_) -> None:
        subprocess.run(['umount', '-a', '-t', 'nfs4,ext4'], check=False)
        with open('/proc/sysrq-trigger', 'w', encoding='ascii') as file:
            file.write('o')

    signal.signal(signal.SIGUSR1, power_off)
    while True:
        pid, _ = os.wait()
        if pid == agent:
            power_off()
            time.sleep(60)


def main() -> None:
    with open(sys.argv[1], encoding='utf-8') as file:
        conf = json.load(file)
    base(conf)
    {'server': server, 'client': client}[conf['role']](conf)
    pid = os.fork()
    if pid == 0:
        Agent(conf).serve()
        os._exit(0)
    reap(pid)


if __name__ == '__main__':
    main()
