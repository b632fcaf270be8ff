"""Starts the emulator on a loopback port: python -m emulator --port 5555"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    parser = argparse.ArgumentParser(prog="emulator", description="A local AWS API that fails closed, on loopback only.")
    parser.add_argument("--port", type=int, default=5555)
    parser.add_argument(
        "--end-with-stdin", action="store_true", help="stop when standard input closes, that is, when the caller ends"
    )
    arguments = parser.parse_args()
    port = arguments.port
    if arguments.end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import run_simple

    from .plugin import install, recorded_app

    url = f"http://127.0.0.1:{port}"
    install(url)
    app = DomainDispatcherApplication(create_backend_app)
    print(f"ready on {url}", flush=True)
    run_simple("127.0.0.1", port, recorded_app(app), threaded=True)


if __name__ == "__main__":
    main()
