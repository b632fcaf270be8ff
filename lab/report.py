"""Turns results into a table and a verdict."""

import datetime
import os
import platform
import sqlite3
import subprocess

COLUMNS = ['scenario', 'arm', 'acknowledged', 'lost', 'integrity', 'zombie acks', 'takeover s', 'errors', 'notes']


def heading() -> str:
    package = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', 'user-mode-linux'], capture_output=True, text=True, check=False).stdout
    now = datetime.datetime.now(datetime.timezone.utc)
    versions = f'user-mode-linux {package}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}'
    return f'{now:%Y-%m-%d}, {versions}, {os.cpu_count()} processors'


def page(results: list) -> str:
    """A document of its own."""
    command = 'Written by `npm run lab:long`; what the arms and columns are: [lab/README.md](../lab/README.md).'
    return f'# Lab results\n\n{command}\n\n{heading()}\n\n{table(results)}\n\n{verdict(results)}\n'


def row(result: dict) -> list:
    if 'failed' in result:
        return [result['scenario'], result['arm'], '', '', 'NOT PLAYED', '', '', '', result['failed'].replace('\n', ' ')]
    times = sorted(result['takeover_s'])
    takeover = '-' if not times else f'{times[0]}' if len(times) == 1 else f'{times[len(times) // 2]} (max {times[-1]})'
    errors = sorted(result['errors'].items(), key=lambda item: -item[1])
    shown = '; '.join(f'{count} x {message}' for message, count in errors[:2])
    lost = f'{result["lost"]}{" (by the fault)" if result.get("by_the_fault") and result["lost"] else ""}'
    integrity = result['integrity'].replace('\n', ' ')
    if result.get('directories', 1) > 1:
        integrity = f'{result["directories"] - result["integrity_failures"]} of {result["directories"]} ok'
    if result['wrong']:
        integrity += f', {result["wrong"]} rows wrong'
    name = result['scenario'] + (f' ({result["label"]})' if result['label'] else '')
    if result.get('faults', 1) > 1:
        name += f', {result["faults"]} faults'
    notes = [note for note in dict.fromkeys(result['notes']) if not note.startswith('{')]
    zombies = result.get('zombie_acks', '-')
    return [name, result['arm'], result['acknowledged'], lost, integrity[:60], zombies, takeover, shown[:110], '; '.join(notes)[:120]]


def table(results: list) -> str:
    """Markdown that also reads well on a terminal."""
    rows = [COLUMNS, *([str(cell).replace('|', '/') for cell in row(result)] for result in results)]
    widths = [max(len(line[index]) for line in rows) for index in range(len(COLUMNS))]
    lines = ['| ' + ' | '.join(cell.ljust(width) for cell, width in zip(line, widths)) + ' |' for line in rows]
    lines.insert(1, '| ' + ' | '.join('-' * width for width in widths) + ' |')
    return '\n'.join(lines)


def unplayed(results: list) -> list:
    """Scenarios that came to no end: they say nothing, good or bad."""
    return [f'{result["scenario"]}: {result["failed"]}' for result in results if 'failed' in result]


def failures(results: list) -> list:
    """What the keeper must never let happen."""
    bad = []
    for result in results:
        if 'failed' not in result and result['arm'] == 'keeper':
            name = f'{result["scenario"]} {result["label"]}'.strip()
            if result['lost'] and not result.get('by_the_fault'):
                bad.append(f'{name}: {result["lost"]} acknowledged commits lost')
            if result['integrity'] != 'ok' or result['wrong']:
                bad.append(f'{name}: integrity: {result["integrity"]}, {result["wrong"]} rows wrong')
            if result.get('zombie_acks'):
                bad.append(f'{name}: {result["zombie_acks"]} commits acknowledged by the wrong owner')
            if any('no commit of the new owner' in note for note in result['notes']):
                bad.append(f'{name}: no takeover')
            if not result['acknowledged']:
                bad.append(f'{name}: nothing was acknowledged, so nothing was tested')
    return bad


def verdict(results: list) -> str:
    played = [result for result in results if 'failed' not in result]
    lines = []
    for arm in ('keeper', 'locks', 'plain'):
        mine = [result for result in played if result['arm'] == arm]
        if not mine:
            continue
        faults = sum(result.get('faults', 1) * result.get('directories', 1) if result['scenario'] != 'many-kills' else result['faults'] for result in mine)
        lost = sum(result['lost'] for result in mine if not result.get('by_the_fault'))
        broken = sum(result.get('integrity_failures', result['integrity'] != 'ok') for result in mine)
        zombies = sum(result.get('zombie_acks', 0) for result in mine)
        total = sum(result['acknowledged'] for result in mine)
        lines.append(f'{arm}: {faults} faults, {total} commits acknowledged, {lost} lost, {broken} integrity failures, {zombies} acknowledged by the wrong owner')
    bad, missing = failures(results), unplayed(results)
    if missing:
        lines.append('NOT PLAYED:\n' + '\n'.join(f'  {line}' for line in missing))
    lines.append('PASS: the keeper kept every promise' if not bad else 'FAIL:\n' + '\n'.join(f'  {line}' for line in bad))
    return '\n'.join(lines)
