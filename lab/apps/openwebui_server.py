"""Starts Open WebUI as its image does (start.sh: uvicorn, one worker), with our settings or with its own defaults.

  openwebui_server.py --data DIR --port PORT [--settings ours|rollback|defaults] [--embedding-port PORT] [-- set NAME=VALUE ...]

Run it with the Python of the environment that setup.py made. The process becomes uvicorn: a signal reaches it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import secrets
import sys
import tempfile


def settings(kind: str, data: str) -> dict[str, str]:
    """What the construct passes (sqliteOnEfsEnvironment in lib/workloads/open-webui.ts), or nothing at all."""
    if kind == "defaults":
        return {"DATA_DIR": data}
    ours = {
        "DATA_DIR": data,
        "DATABASE_URL": f"sqlite:///file:{data}/webui.db?vfs=unix-excl&uri=true",
        "DATABASE_ENABLE_SQLITE_WAL": "true",
        "DATABASE_SQLITE_PRAGMA_SYNCHRONOUS": "FULL",
        "DATABASE_SQLITE_PRAGMA_MMAP_SIZE": "0",
        "DATABASE_SQLITE_PRAGMA_BUSY_TIMEOUT": "30000",
        "DATABASE_POOL_SIZE": "4",
        "DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL": "300",
        "UVICORN_WORKERS": "1",
    }
    if kind == "rollback":
        ours["DATABASE_ENABLE_SQLITE_WAL"] = "false"
    return ours


def offline(embedding_port: int | None) -> dict[str, str]:
    """No network, no model on the machine; the same for every kind of settings."""
    values = {
        "ENV": "prod",
        "OFFLINE_MODE": "true",
        "HF_HUB_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "false",
        "ENABLE_OLLAMA_API": "false",
        "ENABLE_OPENAI_API": "false",
        "RAG_EMBEDDING_ENGINE": "openai",
        "RAG_EMBEDDING_MODEL": "lab",
        "RAG_OPENAI_API_BASE_URL": f"http://127.0.0.1:{embedding_port or 9}/v1",
        "RAG_OPENAI_API_KEY": "lab",
    }
    return values


def secret_key(data: str) -> str:
    """As start.sh does with WEBUI_SECRET_KEY_FILE: made once, kept beside the data."""
    path = os.path.join(data, ".webui_secret_key")
    if not os.path.exists(path):
        with open(path, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))
    with open(path, encoding="ascii") as file:
        return file.read()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", required=True)
    parser.add_argument("--settings", choices=["ours", "rollback", "defaults"], default="ours")
    parser.add_argument("--embedding-port", type=int)
    parser.add_argument("--static", help="where the application copies its pictures to (default: a temporary directory)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    data = os.path.abspath(args.data)
    os.makedirs(data, exist_ok=True)
    package = importlib.util.find_spec("open_webui")
    if package is None or package.origin is None:
        raise SystemExit("open_webui is not installed here: run setup.py, then use the Python of its environment")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    environment.update(offline(args.embedding_port), **settings(args.settings, data))
    environment["WEBUI_SECRET_KEY"] = secret_key(data)
    # The wheel keeps the built pages inside the package, the image beside it.
    environment["FRONTEND_BUILD_DIR"] = os.path.join(os.path.dirname(package.origin), "frontend")
    environment["STATIC_DIR"] = args.static or tempfile.mkdtemp(prefix="openwebui-static-")
    environment.update(item.split("=", 1) for item in args.set)
    command = [sys.executable, "-m", "uvicorn", "open_webui.main:app", "--host", args.host, "--port", args.port]
    os.execve(sys.executable, [*command, "--forwarded-allow-ips", "*", "--workers", "1"], environment)


if __name__ == "__main__":
    main()
