"""A TCP relay in front of the NFS server that adds latency and limits throughput.

    relay.py LISTEN_ADDRESS SERVER_ADDRESS          settings as JSON lines on stdin: {"write": 0.0027, "read": 0.00025, "rate": null}

It understands just enough of NFSv4.1 to tell operations that change something from those that do not. Each request is held
on its own, so that waiting requests overlap as they do on a real volume. Locks count as reads: what they cost on EFS is not
published, and a mode with many locks shall not look worse than it is.
"""

import asyncio
import json
import os
import socket
import struct
import sys

PORT = 2049
SEQUENCE, PUTFH, PUTROOTFH, SAVEFH, GETATTR, OPEN = 53, 22, 24, 32, 9, 18
# COMMIT, CREATE, LINK, REMOVE, RENAME, SETATTR, WRITE
CHANGES = {5, 6, 11, 28, 29, 34, 38}

setting = {'write': 0.0, 'read': 0.0, 'rate': None}
free_at = 0.0


def changes(record: bytes) -> bool:
    """Whether an RPC call record holds an operation that changes something."""

    def word(at: int) -> int:
        return struct.unpack_from('>I', record, at)[0]

    def after_opaque(at: int) -> int:
        return at + 4 + (word(at) + 3 & ~3)

    try:
        if word(4) != 0 or word(12) != 100003:
            return False
        at = after_opaque(28)  # credentials
        at = after_opaque(at + 4)  # verifier
        at = after_opaque(at)  # tag
        count, at = word(at + 4), at + 8
        for _ in range(count):
            operation, at = word(at), at + 4
            if operation in CHANGES:
                return True
            if operation == SEQUENCE:
                at += 32
            elif operation == PUTFH:
                at = after_opaque(at)
            elif operation == GETATTR:
                at += 4 + 4 * word(at)
            elif operation == OPEN:
                return word(after_opaque(at + 20)) == 1  # owner comes after seqid, access, deny and client; 1 = create
            elif operation not in (PUTROOTFH, SAVEFH):
                return False
    except struct.error:
        pass
    return False


def due(size: float) -> float:
    """The moment at which `size` more bytes have passed under the limit. EFS meters reads at a third."""
    global free_at
    now = asyncio.get_running_loop().time()
    if not setting['rate']:
        return now
    free_at = max(now, free_at) + size / setting['rate']
    return free_at


async def requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    loop = asyncio.get_running_loop()
    while True:
        record = b''
        raw = b''
        last = False
        while not last:
            mark = await reader.readexactly(4)
            size = struct.unpack('>I', mark)[0]
            last, size = bool(size & 0x80000000), size & 0x7FFFFFFF
            body = await reader.readexactly(size)
            raw += mark + body
            record += body
        hold = setting['write'] if changes(record) else setting['read']
        when = max(due(len(raw)), loop.time()) + hold
        if when - loop.time() > 0.0001:
            loop.call_at(when, writer.write, raw)
        else:
            writer.write(raw)
            await writer.drain()


async def replies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536 if setting['rate'] else 1 << 20):
        wait = due(len(chunk) / 3) - asyncio.get_running_loop().time()
        if wait > 0.001:
            await asyncio.sleep(wait)
        writer.write(chunk)
        await writer.drain()


async def serve(server: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there = None
    try:
        back, there = await asyncio.wait_for(asyncio.open_connection(server, PORT, limit=1 << 22), 10)
        for stream in (writer, there):
            stream.get_extra_info('socket').setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tasks = [asyncio.create_task(requests(reader, there)), asyncio.create_task(replies(back, writer))]
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    except (OSError, asyncio.TimeoutError):
        pass
    finally:
        for stream in (writer, there):
            if stream:
                stream.close()


async def main(address: str, server: str) -> None:
    listener = await asyncio.start_server(lambda r, w: serve(server, r, w), address, PORT, limit=1 << 22)
    print('ready', flush=True)
    loop = asyncio.get_running_loop()
    async with listener:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            setting.update(json.loads(line))
            print('set', flush=True)
    os._exit(0)  # the runner is gone: nothing to close in good order


if __name__ == '__main__':
    asyncio.run(main(sys.argv[1], sys.argv[2]))
