"""A browser's socket: connects to Open WebUI's, prints what it is sent, emits what it is told. Runs in Open WebUI's own
Python, which has the client.

  socket_client.py URL TOKEN      stdin: one JSON [event, data] a line; stdout: one JSON [event, data] a line
"""

import asyncio
import json
import sys

import socketio


async def main(url: str, token: str) -> None:
    client = socketio.AsyncClient(reconnection=False)

    def say(*what: object) -> None:
        print(json.dumps(what), flush=True)

    client.on("*", lambda event, *data: say(event, *data))
    client.on("disconnect", lambda *_: say("disconnected"))
    await client.connect(url, socketio_path="/ws/socket.io", transports=["websocket"], auth={"token": token})
    joined = await client.call("user-join", {"auth": {"token": token}}, timeout=60)
    say("joined", {**(joined or {}), "sid": client.get_sid()})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        event, data = json.loads(line)
        if event == "?":
            say("answer", await client.call(data[0], data[1], timeout=60))
        else:
            await client.emit(event, data)
    await client.disconnect()


asyncio.run(main(*sys.argv[1:]))
