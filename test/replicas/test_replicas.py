"""Two replicas of the real Open WebUI are one application: in the order in which a user meets them."""

import json
import os
import subprocess
import time
import urllib.request
import uuid

import openwebui_client
import pytest
import serverless
from conftest import ROOT

ADMIN = "admin@lab.example"


def until(ask, seconds=60):
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)
    return found


def session(replica, token=""):
    made = openwebui_client.Session(replica.url)
    made.token = token
    return made


@pytest.fixture(scope="session")
def token(fleet):
    """Signed up on the first."""
    first = session(fleet.replicas[0])
    first.sign_up(ADMIN)
    return first.token


@pytest.fixture
def both(fleet, token):
    return [session(replica, token) for replica in fleet.replicas[:2]]


@pytest.fixture
def sockets(fleet, token):
    opened = [fleet.socket(replica, token) for replica in fleet.replicas[:2]]
    yield opened
    for one in opened:
        one.close()


def say(there, socket_id, text, chat="", parent=None):
    """Asks the model as the browser does. What comes back goes to the sockets."""
    question, answer = str(uuid.uuid4()), str(uuid.uuid4())
    body = {
        "model": "echo",
        "stream": True,
        "messages": [{"role": "user", "content": text}],
        "session_id": socket_id,
        "id": answer,
        "parent_id": parent,
        "user_message": {"id": question, "parentId": parent, "childrenIds": [], "role": "user", "content": text, "timestamp": 1, "models": ["echo"]},
        **({"chat_id": chat} if chat else {"chat_id": ""}),
    }
    started = there.call("say", "POST", "/api/chat/completions", body)
    return started["chat_id"], answer, started["task_ids"]


def done(chat, message):
    def wanted(event, data):
        if event == "events" and data["chat_id"] == chat and data.get("message_id") == message and data["data"].get("data", {}).get("done"):
            return data["data"]["data"]
        return None

    return wanted


def test_the_template_leaves_nothing_to_the_keeper(told, fleet):
    assert not [name for name in told["environment"] if name.startswith("KEEPER")]
    assert "entry.py" in told["entry"][-1] or "DATA_LAYER_PHASE" in told["entry"][-1]
    assert told["command"] == ["bash", "start.sh"]


def test_both_run_and_one_made_the_schema_and_the_key(fleet):
    assert all(replica.healthy() for replica in fleet.replicas[:2])
    assert all('"entry": "allowed"' in replica.text() for replica in fleet.replicas[:2])
    assert [path.name for path in fleet.moved.folder.glob(".webui_secret_key*")] == [".webui_secret_key"]


def test_a_token_of_one_is_good_on_the_other(both, token):
    assert both[1].call("", "GET", "/api/v1/auths/")["email"] == ADMIN
    both[1].sign_in(ADMIN)
    assert both[0].call("", "GET", "/api/v1/auths/")["role"] == "admin"


def test_what_an_administrator_changes_on_one_counts_on_the_other(both):
    changed = both[0].call("", "GET", "/api/v1/auths/admin/config")
    both[0].call("", "POST", "/api/v1/auths/admin/config", {**changed, "JWT_EXPIRES_IN": "7h"})
    assert both[1].call("", "GET", "/api/v1/auths/admin/config")["JWT_EXPIRES_IN"] == "7h"


def test_a_file_uploaded_to_one_is_read_from_the_other(both):
    file = both[0].upload("note.txt", b"written by one", process=False)["id"]
    url = f"http://{both[1].host}:{both[1].port}/api/v1/files/{file}/content"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {both[1].token}"})) as answer:
        assert answer.read() == b"written by one"


def test_an_answer_that_one_makes_reaches_the_browser_on_the_other(both, sockets):
    both[0].call("", "GET", "/api/models")
    chat, message, _ = say(both[0], sockets[0].id, "alpha beta gamma")
    # The one process works; the other sends the words to its own socket.
    ended = sockets[1].seen(done(chat, message))
    assert sockets[0].seen(done(chat, message)) == ended
    words = [data["data"] for event, data in sockets[1].got if event == "events" and data.get("message_id") == message]
    assert len(words) > 3


def test_a_chat_begun_on_one_goes_on_on_the_other(both, sockets):
    for there in both:
        there.call("", "GET", "/api/models")
    chat, first, _ = say(both[0], sockets[0].id, "one two")
    sockets[0].seen(done(chat, first))
    same, second, _ = say(both[1], sockets[1].id, "three four", chat, first)
    sockets[0].seen(done(chat, second))
    assert same == chat
    kept = until(lambda: (found := both[0].call("", "GET", f"/api/v1/chats/{chat}")["chat"]["history"])["messages"].get(second, {}).get("done") and found)
    answers = {key: message["content"].split() for key, message in kept["messages"].items() if message["role"] == "assistant"}
    assert answers == {first: ["one", "two"], second: ["three", "four"]}
    assert kept["messages"][kept["messages"][second]["parentId"]]["parentId"] == first


def test_a_task_on_one_is_listed_and_stopped_from_the_other(both, sockets):
    both[0].call("", "GET", "/api/models")
    text = " ".join(f"word{number}" for number in range(600))
    chat, message, tasks = say(both[0], sockets[0].id, text)
    assert until(lambda: both[1].call("", "GET", f"/api/tasks/chat/{chat}")["task_ids"]) == tasks
    assert tasks[0] in both[1].call("", "GET", "/api/tasks")["tasks"]
    # Not before the first words: until then the application swallows what cancels it, with one process as well.
    sockets[0].seen(lambda event, data: True if event == "events" and data.get("message_id") == message and data["data"]["type"] == "response:completion" else None)
    both[1].call("", "POST", f"/api/tasks/stop/{tasks[0]}")
    sockets[1].seen(lambda event, data: True if event == "events" and data["data"]["type"] == "chat:tasks:cancel" and data.get("message_id") == message else None)
    until(lambda: not both[0].call("", "GET", "/api/tasks")["tasks"])


def test_who_is_there_and_which_model_is_in_use_is_one_list(both, sockets, fleet):
    used = f"model-{uuid.uuid4().hex[:6]}"
    sockets[0].emit("usage", {"model": used})
    until(lambda: used in both[1].call("", "GET", "/api/usage")["model_ids"], 10)
    chat = both[0].call("", "POST", "/api/v1/chats/new", openwebui_client.chat_body("shared", ["hello"]))["id"]
    for one in sockets:
        one.emit("events:chat", {"chat_id": chat, "data": {"type": "join"}})
    # Presence takes a lock of the cluster, reads the pool of both and goes to the room of the chat.
    for one in sockets:
        assert one.seen(lambda event, data: data["data"]["data"]["users"] if event == "events" and data["chat_id"] == chat and data["data"]["type"] == "chat:presence" else None)
    pool = fleet.cluster.everywhere("HKEYS", "open-webui:session_pool")
    assert {one.id for one in sockets} <= set(pool)
    # Typing in one window is seen in the other.
    sockets[0].emit("events:chat", {"chat_id": chat, "data": {"type": "typing", "data": {"typing": True}}})
    assert sockets[1].seen(lambda event, data: data["user"]["id"] if event == "events" and data["chat_id"] == chat and data["data"]["type"] == "typing" else None)


def test_a_channel_of_one_is_seen_on_the_other(both, sockets):
    changed = both[0].call("", "GET", "/api/v1/auths/admin/config")
    both[0].call("", "POST", "/api/v1/auths/admin/config", {**changed, "ENABLE_CHANNELS": True})
    channel = both[0].call("", "POST", "/api/v1/channels/create", {"name": "general"})["id"]
    for one, there in zip(sockets, both):
        one.emit("join-channels", {"auth": {"token": there.token}})
    time.sleep(1)
    both[0].call("", "POST", f"/api/v1/channels/{channel}/messages/post", {"content": "good morning"})
    got = sockets[1].seen(lambda event, data: data if event == "events:channel" and data["channel_id"] == channel else None)
    assert "good morning" in json.dumps(got)


def test_nothing_was_refused_by_the_cluster(fleet):
    for replica in fleet.replicas[:2]:
        said = replica.text()
        for word in ("NOPERM", "MOVED", "CROSSSLOT", "Cannot publish to redis", "Cannot receive from redis", "listener failed", "heartbeat failed", "RedisClusterException"):
            assert word not in said, said[said.index(word) - 2000 :][:4000]


def test_every_command_is_one_that_elasticache_serverless_takes(fleet):
    sent = fleet.cluster.recorded()
    names = {words[0].upper() for words in sent}
    assert {"CLUSTER", "PUBLISH", "SUBSCRIBE", "HSET", "EVAL"} <= names, f"what the application sends was not recorded: {names}"
    refused = {" ".join(words[:2]) for words in sent if not serverless.taken(words)}
    assert not refused


def test_each_replica_counts_attempts_to_sign_in_for_itself(both):
    """The application asks for the counts of several minutes in one MGET; a cluster keeps them in several places, its client
    refuses, and the application falls back to its own memory. docs/runbooks/replicas.md says so."""

    def attempts(there):
        for number in range(1, 30):
            try:
                there.call("", "POST", "/api/v1/auths/signin", {"email": ADMIN, "password": "wrong"})
            except openwebui_client.Refused as refused:
                if refused.status == 429:
                    return number
        return 0

    assert 0 < attempts(both[0]) <= 16
    assert attempts(both[1]) > 1


def test_sqlite_beside_them_is_refused_by_the_keeper(fleet):
    """The real keeper, as an older task definition would start it: the data has moved."""
    keeper = [fleet.python, str(ROOT / "lib" / "single-writer" / "keeper.py"), "run", "--", "touch", str(fleet.home / "started")]
    environment = {**os.environ, "KEEPER_DIR": str(fleet.moved.folder), "KEEPER_STORES": "webui.db,vector_db/", "KEEPER_LOCAL_DIR": str(fleet.home / "keeper"), "KEEPER_LEASE_DEADLINE": "5"}
    done = subprocess.run(keeper, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0 and "migrated" in done.stdout, done.stdout + done.stderr
    assert not (fleet.home / "started").exists() and all(replica.healthy() for replica in fleet.replicas[:2])


def test_one_is_killed_the_other_goes_on_and_a_new_one_joins(both, sockets, fleet):
    chat = both[0].call("", "POST", "/api/v1/chats/new", openwebui_client.chat_body("kept", ["hello"]))["id"]
    fleet.replicas[0].kill()
    sockets[0].seen(lambda event, data: True if event == "disconnected" else None)
    assert fleet.replicas[1].healthy()
    assert both[1].call("", "GET", f"/api/v1/chats/{chat}")["chat"]["title"] == "kept"
    again, message, _ = say(both[1], sockets[1].id, "still here")
    sockets[1].seen(done(again, message))
    # What the dead one had open is still in the pool; two minutes later the other takes it out (SESSION_POOL_TIMEOUT).
    new = fleet.start().wait()
    there = session(new, both[1].token)
    window = fleet.socket(new, both[1].token)
    there.call("", "GET", "/api/models")
    chat, message, _ = say(there, window.id, "from the new one")
    assert sockets[1].seen(done(chat, message))
    window.close()
