"""Adds the results of several runs up, and writes them: JSON beside a page whose text around the figures stays as it is."""

from __future__ import annotations

import collections
import json
from pathlib import Path

import report

BEGIN, END = "<!-- written by lab/apps/run.py: begin -->", "<!-- end -->"
SUMS = ("faults", "acknowledged", "lost", "wrong", "integrity_checks", "integrity_failures", "failed_starts", "stalled", "zombie_acks", "zombie_acks_since_answer", "zombie_acks_lost")
COUNTS = ("errors", "said", "zombie_kinds", "complaints", "old_task_errors")
LISTS = ("takeover_s", "keeper_s", "notes", "loads", "played")
APPLICATIONS = ("open-webui", "chroma", "crewai")


def key(row: dict) -> tuple:
    return row["scenario"], row["arm"], row["label"], row.get("failed", "")


def add(rows: list[dict]) -> list[dict]:
    """One row per scenario, arm and application: counts added, measurements side by side."""
    sums: dict[tuple, dict] = {}
    for row in rows:
        if key(row) not in sums:
            sums[key(row)] = json.loads(json.dumps(row))
            continue
        total = sums[key(row)]
        for name in SUMS:
            if isinstance(row.get(name), int):
                total[name] = (total.get(name) or 0) + row[name]
        for name in COUNTS:
            if name in row:
                total[name] = dict(collections.Counter(total.get(name, {})) + collections.Counter(row[name]))
        for name in LISTS:
            if name in row:
                total[name] = total.get(name, []) + row[name]
        if row.get("integrity", "ok") != "ok":
            total["integrity"] = row["integrity"]
    return list(sums.values())


def read(path: Path) -> list[dict]:
    """What write() has written; nothing yet when there is no such file."""
    if not path.exists():
        return []
    rows = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(rows, list) or not all("played" in row for row in rows):
        raise SystemExit(f"{path} does not hold results of npm run lab:apps: name another file.")
    return rows


def middle(values: list[float]) -> str:
    ordered = sorted(values)
    if not ordered:
        return "-"
    return f"{ordered[len(ordered) // 2]}" + (f" (max {ordered[-1]})" if len(ordered) > 1 else "")


def most(counts: dict[str, int], number: int = 4) -> str:
    """The most frequent first; failed starts always."""
    ordered = sorted(counts.items(), key=lambda item: (not item[0].startswith("start:"), -item[1]))
    shown = [f"{count} x {' '.join(what.split())[:70]}" for what, count in ordered[:number]]
    return "; ".join(shown + ([f"and {len(ordered) - number} more kinds"] if len(ordered) > number else []))


def line(row: dict) -> list[str]:
    if "failed" in row:
        return [row["scenario"], row["arm"], "", "", "", "NOT PLAYED", "", "", "", "", row["failed"]]
    broken, wrong = row["integrity_failures"], row["wrong"]
    integrity = f"{row['integrity_checks'] - broken} of {row['integrity_checks']} ok" + (f": {row['integrity']}" if broken else "")
    notes = list(dict.fromkeys(row["notes"]))
    if row["stalled"]:
        notes.append(f"{row['stalled']} killed with fewer than 3 acknowledgements in 240 s (checked, not counted as faults)")
    if row["said"]:
        notes.append(f"checks said: {most(row['said'])}")
    zombies = row.get("zombie_acks", "-")
    if row.get("zombie_kinds"):
        zombies = f"{zombies} ({', '.join(f'{count} {kind}' for kind, count in row['zombie_kinds'].items())})"
    cells = [f"{row['scenario']} ({row['label']})", row["arm"], row["faults"], row["acknowledged"], f"{row['lost']}" + (f", {wrong} wrong" if wrong else "")]
    return [str(cell) for cell in (*cells, integrity, zombies, middle(row["keeper_s"]), middle(row["takeover_s"]), most(row["errors"]) or "-", "; ".join(notes[:6]) or "-")]


HEAD = ["scenario", "arm", "faults", "acknowledged", "lost", "SQLite", "zombie acks", "lease and takeover s", "until it answers s", "errors clients saw", "notes"]


def markdown(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, *([" ".join(cell.split()).replace("|", "/") for cell in each] for each in lines)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(head))]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return "\n".join([text[0], "| " + " | ".join("-" * width for width in widths) + " |", *text[1:]])


def users(rows: list[dict]) -> str:
    """What many people at once met."""
    head = ["users, arm", "requests/s", "5xx", "4xx", "no answer", "locked", "pool timeout", "new chat p50 / p99 ms", "update p50 / p99", "read p50 / p99"]
    lines = []
    for row in rows:
        for load in row.get("loads", []):
            if "latency_ms" not in load:
                lines.append([f"{load['users']}, {row['arm']}", f"gave up: {load.get('gave_up')}", *[""] * 8])
                continue
            errors, log = load["errors"], row.get("complaints", {})
            times = [load["latency_ms"].get(name, {}) for name in ("new chat", "update chat", "read chat")]
            lines.append(
                [f"{load['users']}, {row['arm']}", str(load["per_second"]), *(str(errors.get(kind, 0)) for kind in ("5xx", "4xx", "no answer"))]
                + [str(log.get(word, 0)) for word in ("database is locked", "QueuePool limit")]
                + [f"{each.get('p50', '-')} / {each.get('p99', '-')}" for each in times]
            )
    return markdown(head, lines) + "\n\n`locked` and `pool timeout`: how often the application's log says so." if lines else ""


def verdict(rows: list[dict]) -> str:
    kept = [row for row in rows if row["arm"] == "keeper" and "failed" not in row]
    parts = []
    for name in APPLICATIONS:
        mine = [row for row in kept if row["label"].startswith(name)]
        unit = "records" if name == "chroma" else "operations"
        parts.append(f"{name} {sum(row['faults'] for row in mine)} faults, {sum(row['acknowledged'] for row in mine):,} {unit} acknowledged")
    lost, wrong, zombies, broken = (sum(row.get(name) or 0 for row in kept) for name in ("lost", "wrong", "zombie_acks", "integrity_failures"))
    starts = sum(row["failed_starts"] for row in kept)
    text = f"Under the keeper: {sum(row['faults'] for row in kept)} faults ({'; '.join(parts)}): {lost} lost, {wrong} wrong, {broken} failed checks of SQLite, {zombies} acknowledged by the wrong owner, {starts} starts that failed and were tried again."
    stopped = [row for row in rows if row["arm"] == "fence alone" and "failed" not in row]
    if stopped:
        faults, wrongly, gone = (sum(row.get(name) or 0 for row in stopped) for name in ("faults", "zombie_acks", "lost"))
        text += f"\n\nWith the keeper stopped beside a living application (the fence alone): {faults} zombies, {wrongly} operations acknowledged by the wrong owner, {gone} of everything acknowledged lost."
    bad = [*report.failures(rows), *report.unplayed(rows)]
    return text + ("\n\nThe keeper kept every promise." if not bad else "\n\n**Not kept:**\n\n" + "\n".join(f"- {each}" for each in bad))


def text_of(rows: list[dict]) -> str:
    played = [each for row in rows for each in row.get("played", [])]
    days = sorted({each["at"][:10] for each in played})
    versions = sorted({each["versions"] for each in played})
    seeds = sorted({each["seed"] for each in played})
    heading = f"Played on {', '.join(days)} with seeds {', '.join(map(str, seeds))}: {'; and '.join(versions)}."
    parts = [heading, markdown(HEAD, [line(row) for row in rows]), users(rows), verdict(rows)]
    return "\n\n".join(part for part in parts if part)


def write(path: Path, rows: list[dict]) -> None:
    """The JSON at `path`, the figures into the page beside it: between the marks, when it has them."""
    page, figures = path.with_suffix(".md"), f"{BEGIN}\n\n{text_of(rows)}\n\n{END}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    before, after = "", "\n"
    if page.exists() and BEGIN in (old := page.read_text(encoding="utf-8")):
        before, _, rest = old.partition(BEGIN)
        after = rest.partition(END)[2]
    page.write_text(before + figures + after, encoding="utf-8")
