"""Uses Open WebUI through its HTTP API as people do, says what it acknowledged, and checks afterwards that it is there.

  openwebui_client.py write  --url URL --acks FILE [--users 5] [--seconds 20] [--knowledge]
  openwebui_client.py verify --url URL --acks FILE

`write` signs up an administrator (the first account), who adds the users; each user then makes chats, appends messages
to them, reads them back, lists them, and now and then uploads a file; with --knowledge the administrator also puts files
into a knowledge base, which embeds them. One JSON line per acknowledged write goes to FILE before the next request is
sent. Prints one JSON object: requests, errors by kind, latency by operation. Standard library only.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import http.client
import json
import random
import sys
import threading
import time
import urllib.parse
import uuid

PASSWORD = "lab-Password-1"
ADMIN = "admin@lab.example"


class Refused(RuntimeError):
    """An answer that is not 2xx; `status` 0: no answer at all."""

    def __init__(self, status: int, text: str):
        super().__init__(f"{status} {text[:200]}")
        self.status, self.text = status, text


class Session:
    """One user's connection."""

    def __init__(self, url: str, stats: Stats | None = None, timeout: float = 90):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.timeout = parts.hostname or "", parts.port or 80, timeout
        self.connection: http.client.HTTPConnection | None = None
        self.token = ""
        self.stats = stats
        self.used = 0.0

    def call(self, name: str, method: str, path: str, body: object = None, raw: tuple[str, bytes] | None = None):
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if raw:
            headers["Content-Type"], data = raw
        elif body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        began = time.monotonic()
        if self.connection and began - self.used > 2:  # the server closes what is idle for 5 s
            self.connection.close()
            self.connection = None
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)
            self.connection.request(method, path, data, headers)
            answer = self.connection.getresponse()
            text = answer.read()
            status = answer.status
            self.used = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            if self.connection:
                self.connection.close()
            self.connection, status, text = None, 0, repr(error).encode()
        if self.stats:
            self.stats.add(name, time.monotonic() - began, status, text)
        if not 200 <= status < 300:
            raise Refused(status, text.decode(errors="replace"))
        return json.loads(text) if text else None

    def sign_in(self, email: str) -> None:
        self.token = self.call("sign in", "POST", "/api/v1/auths/signin", {"email": email, "password": PASSWORD})["token"]

    def sign_up(self, email: str) -> None:
        body = {"name": email.split("@", maxsplit=1)[0], "email": email, "password": PASSWORD}
        self.token = self.call("sign up", "POST", "/api/v1/auths/signup", body)["token"]

    def upload(self, name: str, content: bytes, process: bool) -> dict:
        boundary = uuid.uuid4().hex
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n"
            "Content-Type: text/plain\r\n\r\n"
        )
        data = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        path = f"/api/v1/files/?process={str(process).lower()}&process_in_background=false"
        return self.call("upload", "POST", path, raw=(f"multipart/form-data; boundary={boundary}", data))


class Stats:
    """Latencies and errors of all threads."""

    def __init__(self, failed=lambda what: None) -> None:
        """`failed` is told of every answer that is an error, at once."""
        self.lock, self.failed = threading.Lock(), failed
        self.latency: dict[str, list[float]] = collections.defaultdict(list)
        self.errors: collections.Counter[str] = collections.Counter()

    def add(self, name: str, seconds: float, status: int, text: bytes) -> None:
        with self.lock:
            self.latency[name].append(seconds)
            if status >= 400 or status == 0:
                kind = "no answer" if status == 0 else f"{status // 100}xx"
                self.errors[kind] += 1
                self.failed(f"{name}: {kind}")
                for word in (b"database is locked", b"QueuePool", b"disk I/O error"):
                    if word in text:
                        self.errors[word.decode()] += 1

    def summary(self, seconds: float) -> dict[str, object]:
        def at(values: list[float], part: float) -> float:
            return round(1000 * sorted(values)[min(len(values) - 1, int(part * len(values)))], 1)

        everything = [value for values in self.latency.values() for value in values]
        return {
            "requests": len(everything),
            "per_second": round(len(everything) / seconds, 1),
            "errors": dict(self.errors),
            "latency_ms": {
                name: {"n": len(values), "p50": at(values, 0.5), "p99": at(values, 0.99), "max": at(values, 1)}
                for name, values in sorted(self.latency.items())
            },
        }


def chat_body(title: str, messages: list[str]) -> dict:
    """A chat as the browser sends it: a linked history and the flat list."""
    history: dict[str, dict] = {}
    parent = None
    for number, text in enumerate(messages):
        key = f"m{number}"
        role = "user" if number % 2 == 0 else "assistant"
        history[key] = {"id": key, "parentId": parent, "childrenIds": [], "role": role, "content": text, "timestamp": number}
        if parent:
            history[parent]["childrenIds"].append(key)
        parent = key
    return {"chat": {"title": title, "models": ["none"], "history": {"messages": history, "currentId": parent}, "messages": list(history.values())}}


class Acks:
    """Counts what was acknowledged, and tells each at once."""

    def __init__(self, tell):
        self.tell, self.lock, self.count = tell, threading.Lock(), 0

    @classmethod
    def in_file(cls, path: str) -> Acks:
        file = open(path, "a", encoding="ascii")  # noqa: SIM115: open as long as the run

        def tell(*record: object) -> None:
            file.write(json.dumps(record) + "\n")
            file.flush()

        return cls(tell)

    def add(self, *record: object) -> None:
        with self.lock:
            self.tell(*record)
            self.count += 1


def as_user(session: Session, acks: Acks, email: str, stop: float, seed: int, over: threading.Event) -> None:
    chance = random.Random(seed)
    while time.monotonic() < stop and not over.is_set():
        try:
            title = f"chat {uuid.uuid4().hex}"
            messages = [f"{title} message 0 " + "x" * chance.randint(50, 3000)]
            chat = session.call("new chat", "POST", "/api/v1/chats/new", chat_body(title, messages))["id"]
            acks.add("chat", email, chat, title, 1)
            for number in range(1, chance.randint(2, 6)):
                if time.monotonic() > stop or over.is_set():
                    break
                messages.append(f"{title} message {number} " + "y" * chance.randint(50, 3000))
                session.call("update chat", "POST", f"/api/v1/chats/{chat}", chat_body(title, messages))
                acks.add("chat", email, chat, title, len(messages))
                session.call("read chat", "GET", f"/api/v1/chats/{chat}")
            session.call("list chats", "GET", "/api/v1/chats/?page=1")
            if chance.random() < 0.3:
                content = f"{title} ".encode() * chance.randint(1, 400)
                file = session.upload(f"{title}.txt", content, process=False)["id"]
                acks.add("file", email, file, hashlib.sha256(content).hexdigest(), len(content))
        except Refused as refused:
            if refused.status == 0:
                time.sleep(0.2)


def knowledge(session: Session, acks: Acks, stop: float, over: threading.Event) -> None:
    base = ""
    while time.monotonic() < stop and not over.is_set():
        try:
            if not base:
                body = {"name": f"base {uuid.uuid4().hex[:6]}", "description": "lab"}
                base = session.call("new knowledge", "POST", "/api/v1/knowledge/create", body)["id"]
                acks.add("knowledge", ADMIN, base, "", 0)
            text = f"knowledge {uuid.uuid4().hex}"
            file = session.upload(f"{text}.txt", text.encode(), process=True)["id"]
            session.call("add knowledge", "POST", f"/api/v1/knowledge/{base}/file/add", {"file_id": file})
            acks.add("vector", ADMIN, base, text, 0)
        except Refused as refused:
            if refused.status == 0:
                time.sleep(0.2)


def write(
    url: str,
    acks: Acks | str,
    users: int,
    seconds: float,
    with_knowledge: bool,
    stats: Stats | None = None,
    over: threading.Event | None = None,
) -> dict[str, object]:
    """`acks`: or the path of a file for them. Ends after `seconds`, or when `over` is set."""
    stats, over = stats or Stats(), over or threading.Event()
    acks = Acks.in_file(acks) if isinstance(acks, str) else acks
    admin = Session(url)
    try:
        admin.sign_in(ADMIN)
    except Refused:
        admin.sign_up(ADMIN)
        acks.add("user", ADMIN, "", "", 0)
    emails = [f"user{number}@lab.example" for number in range(users)]
    for email in emails:
        body = {"name": email.split("@", maxsplit=1)[0], "email": email, "password": PASSWORD, "role": "user"}
        try:
            admin.call("add user", "POST", "/api/v1/auths/add", body)
            acks.add("user", email, "", "", 0)
        except Refused as refused:
            if refused.status != 400:  # 400: there already
                raise
    # Signing in is one password hash per user, half a second of CPU: not part of what is measured.
    sessions = [Session(url, stats) for _ in emails]
    try:
        for session, email in zip(sessions, emails):
            session.sign_in(email)
    except Refused as refused:
        return {"users": users, "acknowledged": acks.count, "gave_up": str(refused)}
    began = time.monotonic()
    stop = began + seconds
    work = [
        threading.Thread(target=as_user, args=(session, acks, email, stop, number, over), daemon=True)
        for number, (session, email) in enumerate(zip(sessions, emails))
    ]
    if with_knowledge:
        work.append(threading.Thread(target=knowledge, args=(admin, acks, stop, over), daemon=True))
        admin.stats = stats
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(max(0.0, stop + 120 - time.monotonic()))
    return {"users": users, "seconds": round(time.monotonic() - began, 1), "acknowledged": acks.count, **stats.summary(time.monotonic() - began)}


def wait_for_acks(path: str, more: int = 15, seconds: float = 180) -> None:
    """Until `more` writes have been acknowledged since now: signing in takes long on a busy machine."""

    def lines() -> int:
        try:
            with open(path, "rb") as file:
                return file.read().count(b"\n")
        except FileNotFoundError:
            return 0

    before, stop = lines(), time.monotonic() + seconds
    while lines() < before + more and time.monotonic() < stop:
        time.sleep(0.1)


def verify(url: str, path: str) -> dict[str, object]:
    with open(path, encoding="ascii") as lines:
        return check(url, [json.loads(line) for line in lines if line.endswith("\n")])


def check(url: str, records: list) -> dict[str, object]:
    """Asks for everything that was acknowledged."""
    missing: collections.Counter[str] = collections.Counter()
    sessions: dict[str, Session] = {}

    def session(email: str) -> Session:
        if email not in sessions:
            sessions[email] = Session(url)
            sessions[email].sign_in(email)
        return sessions[email]

    longest: dict[tuple, int] = {}
    for kind, email, key, text, number in records:
        longest[(kind, email, key, text)] = max(number, longest.get((kind, email, key, text), 0))
    for (kind, email, key, text), number in longest.items():
        try:
            own = session(email)
            if kind == "chat":
                chat = own.call("", "GET", f"/api/v1/chats/{key}")["chat"]
                have = len(chat["history"]["messages"])
                # The last update may be stored although its answer never arrived: more is no loss.
                if chat["title"] != text or have < number:
                    missing[kind] += 1
            elif kind == "file":
                own.call("", "GET", f"/api/v1/files/{key}")
                connection = http.client.HTTPConnection(own.host, own.port, timeout=60)
                connection.request("GET", f"/api/v1/files/{key}/content", headers={"Authorization": f"Bearer {own.token}"})
                content = connection.getresponse().read()
                if len(content) != number or hashlib.sha256(content).hexdigest() != text:
                    missing[kind] += 1
            elif kind == "knowledge":
                own.call("", "GET", f"/api/v1/knowledge/{key}")
            elif kind == "vector":
                body = {"collection_names": [key], "query": text, "k": 1}
                found = own.call("", "POST", "/api/v1/retrieval/query/collection", body)
                if text not in str(found.get("documents")):
                    missing[kind] += 1
        except Refused as refused:
            missing[f"{kind}: {refused.status} {refused.text[:60]}"] += 1
    return {"acknowledged": len(records), "checked": len(longest), "missing": dict(missing)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["write", "verify"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--acks", required=True)
    parser.add_argument("--users", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--knowledge", action="store_true")
    args = parser.parse_args()
    if args.command == "write":
        print(json.dumps(write(args.url, args.acks, args.users, args.seconds, args.knowledge)))
        return 0
    result = verify(args.url, args.acks)
    print(json.dumps(result))
    return 1 if result["missing"] else 0


if __name__ == "__main__":
    sys.exit(main())
