"""Evidence that is damaged, kills at every step, and a volume that fails."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import MONTH, PLACE, REAL_AWS, Box, StubExport, STUB, events, names, snapshot

A, B = 'focus-export-00001.csv.gz', 'focus-export-00002.csv.gz'


# --- tampering

@pytest.fixture
def chained(stub):
    """Three runs: A is stored in the first, B in all."""
    stub.export.manifest()
    stub.export.data(A, b'a')
    for body in (b'b1', b'b2', b'b3'):
        stub.export.data(B, body)
        stub.collect()
    assert len(stub.runs()) == 3 and stub.verify().returncode == 0
    stub.export.data(B, b'b4')
    return stub


def overwrite(path, data):
    path.chmod(0o644)
    path.write_bytes(data)


def longer_file(runs):
    overwrite(runs[0] / A, b'aa')
    return runs[0] / A


def removed_file(runs):
    (runs[1] / B).unlink()
    return runs[1] / B


def link_elsewhere(runs):
    (runs[2] / A).unlink()
    (runs[2] / A).symlink_to(f'../{runs[1].name}/{B}')
    return runs[2] / A


def link_replaced_by_a_file(runs):
    (runs[2] / A).unlink()
    (runs[2] / A).write_bytes(b'a')
    return runs[2] / A


def file_replaced_by_a_link(runs):
    (runs[2] / B).unlink()
    (runs[2] / B).symlink_to(f'../{runs[1].name}/{B}')
    return runs[2] / B


def added_file(runs):
    (runs[1] / 'extra.csv.gz').write_bytes(b'x')
    return runs[1] / 'extra.csv.gz'


def edited_first_manifest(runs):
    path = runs[0] / 'manifest.json'
    overwrite(path, path.read_bytes().replace(b'"prefix"', b'"Prefix"'))
    return runs[1] / 'manifest.json'


def edited_last_manifest(runs):
    path = runs[2] / 'manifest.json'
    text = json.loads(path.read_bytes())
    text['files'][0]['storedAs'] = '../../../../../../etc/passwd'
    overwrite(path, json.dumps(text).encode())
    return runs[2] / A


def name_out_of_the_run(runs):
    path = runs[2] / 'manifest.json'
    text = json.loads(path.read_bytes())
    text['files'][1]['name'] = f'../{runs[1].name}/{B}'
    overwrite(path, json.dumps(text).encode())
    return f'../{runs[1].name}/{B}'


def edited_last_manifest_elsewhere(runs):
    path = runs[2] / 'manifest.json'
    overwrite(path, path.read_bytes().replace(b'"prefix": "', b'"prefix": "x'))
    return path


def manifest_without_files(runs):
    overwrite(runs[2] / 'manifest.json', b'{}')
    return runs[2] / 'manifest.json'


def manifest_that_is_no_json(runs):
    overwrite(runs[1] / 'manifest.json', b'\xff not json')
    return runs[1] / 'manifest.json'


def removed_first_run(runs):
    shutil.rmtree(runs[0])
    return runs[1] / 'manifest.json'


def removed_last_run(runs):
    shutil.rmtree(runs[2])
    return 'current'


def current_two_runs_back(runs):
    pointer = runs[0].parent / 'current'
    pointer.unlink()
    pointer.symlink_to(runs[0].name)
    return pointer


def current_gone(runs):
    (runs[0].parent / 'current').unlink()
    return runs[0].parent / 'current'


TAMPERING = pytest.mark.parametrize('tamper', [
    longer_file, removed_file, link_elsewhere, link_replaced_by_a_file, file_replaced_by_a_link, added_file,
    edited_first_manifest, edited_last_manifest, edited_last_manifest_elsewhere, name_out_of_the_run,
    manifest_without_files, manifest_that_is_no_json, removed_first_run, removed_last_run, current_two_runs_back,
    current_gone], ids=lambda f: f.__name__)


@TAMPERING
def test_tampering_is_named_and_nothing_is_written(chained, tamper):
    where = str(tamper(chained.runs()))
    before = chained.tree()
    for done in (chained.run(), chained.verify()):
        assert done.returncode == 1
        assert where in done.stderr
    assert chained.tree() == before


def command(*arguments):
    """`efs-data-layer evidence verify`, which knows the same layout."""
    program = pathlib.Path(__file__).resolve().parents[2] / 'cli' / 'bin' / 'efs-data-layer.js'
    return subprocess.run(['node', program, 'evidence', 'verify', *arguments], capture_output=True, text=True, timeout=60)


@TAMPERING
def test_the_command_line_names_it_too(chained, tamper):
    assert command(chained.root).returncode == 0
    where = str(tamper(chained.runs()))
    done = command(chained.root)
    assert done.returncode == 1
    assert pathlib.Path(where).name in done.stdout


def test_the_command_line_takes_the_log_to_show_a_lost_tail(chained):
    log = chained.root.parent / 'log'
    log.write_text(chained.run('--verify').stdout)
    assert command(chained.root, '--against', log).returncode == 0
    newest = chained.runs()[2]
    shutil.rmtree(newest)
    pointer = newest.parent / 'current'
    pointer.unlink()
    pointer.symlink_to(chained.runs()[1].name)
    assert command(chained.root).returncode == 0
    done = command(chained.root, '--against', log)
    assert done.returncode == 1 and f'{newest.name}/manifest.json was noted elsewhere' in done.stdout


def test_same_size_is_found_by_verify(chained):
    overwrite(chained.runs()[0] / A, b'x')
    before = chained.tree()
    done = chained.verify()
    assert done.returncode == 1 and str(chained.runs()[0] / A) in done.stderr
    [period, last] = events(done)
    assert len(period['wrong']) == 1 and last['result'] == 1
    assert chained.tree() == before


def test_other_months_go_on(chained):
    overwrite(chained.runs()[0] / A, b'longer')
    for kind, name in (('data', A), ('metadata', 'focus-export-Manifest.json')):
        chained.export.put(f'{PLACE}/{kind}/BILLING_PERIOD=2026-12/{name}', b'december')
    done = chained.run()
    assert done.returncode == 1
    assert [(e['event'], e['period']) for e in events(done)] == [('stopped', MONTH), ('collected', '2026-12')]
    assert chained.current('2026-12') == {A: b'december'} and len(chained.runs()) == 3


def test_verify_of_an_empty_volume_says_so(stub):
    done = stub.verify()
    assert done.returncode == 0 and events(done)[-1]['periods'] == 0
    assert not list(stub.root.iterdir())


# --- kills and errors at every step

# Counts the calls that reach the volume or start a command, and strikes at the one numbered STRIKE.
INJECT = '''
import errno, os, signal, subprocess
_left = [int(os.environ['STRIKE'])]
def _wrap(module, name):
    real = getattr(module, name)
    def call(*a, **k):
        _left[0] -= 1
        if _left[0] == 0:
            open(os.environ['STRUCK'], 'w').close()
            if os.environ['HOW'] == 'kill':
                os.kill(os.getpid(), signal.SIGKILL)
            raise OSError(errno.ENOSPC, 'No space left on device')
        return real(*a, **k)
    setattr(module, name, call)
for _name in ('fsync', 'rename', 'symlink', 'mkdir', 'chmod', 'unlink', 'rmdir'):
    _wrap(os, _name)
_wrap(subprocess, 'run')
'''
OLD = {A: b'a', B: b'b'}
NEW = {A: b'a', B: b'b, rewritten', 'focus-export-00003.csv.gz': b'a'}


def scenario(folder, second):
    """A volume before the run that is struck: empty, or with one run and a changed export."""
    made = Box(folder, None)
    made.export = StubExport(folder / 'stub')
    made.env['STUB'] = str(made.export.folder)
    made.shim(STUB)
    made.export.manifest()
    for name, body in OLD.items():
        made.export.data(name, body)
    if second:
        made.collect()
        for name, body in NEW.items():
            made.export.data(name, body)
        made.export.manifest(b'{"again": 1}')
    return made


def at_volume(made, root):
    twin = Box.__new__(Box)
    twin.__dict__.update(made.__dict__, root=root, env={**made.env, 'EVIDENCE_ROOT': str(root)})
    return twin


def strike(made, number, how, second):
    """Strike once, then see that old or new is there, that verify agrees and that the next run completes."""
    root = made.folder / f'{how}-{number}'
    shutil.copytree(made.root, root, symlinks=True)
    twin = at_volume(made, root)
    first = {k.replace(str(made.root), str(root)): v for k, v in snapshot(made.root).items() if 'run=' in k
             and '/current' not in k}
    struck = made.folder / f'struck-{how}-{number}'
    done = twin.run(before=INJECT, STRIKE=str(number), HOW=how, STRUCK=str(struck))
    if not struck.exists():
        assert done.returncode == 0, (number, done)
    elif how == 'kill':
        assert done.returncode == -9, (number, done)
    else:
        # Making a directory that is there already may fail without harm.
        assert done.returncode == 74 or (done.returncode == 0 and number <= 4), (number, done)
    verified = twin.verify()
    assert verified.returncode == 0, (number, verified.stderr)
    pointer = twin.period() / 'current'
    seen = twin.current() if pointer.is_symlink() else None
    assert seen in ((OLD, NEW) if second else (None, OLD)), number
    if how == 'raise':
        assert not [p for p in twin.leftovers() if p.is_dir() and not p.is_symlink()], number
    after = twin.run()
    assert after.returncode == 0, (number, after.stderr)
    assert twin.current() == (NEW if second else OLD), number
    assert len(twin.runs()) == 1 + second and not twin.leftovers(), number
    assert os.readlink(pointer) == twin.runs()[-1].name
    now = snapshot(root)
    assert {k: now.get(k) for k in first} == first, number
    shutil.rmtree(root)
    return struck.exists()


@pytest.mark.parametrize('how, second', [('kill', False), ('kill', True), ('raise', True)])
def test_strike_at_every_step(tmp_path, how, second):
    made = scenario(tmp_path, second)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        hits = []
        for start in range(1, 100, 6):
            hits += pool.map(lambda n: strike(made, n, how, second), range(start, start + 6))
            if not all(hits):
                break
    steps = hits.index(False)
    assert steps >= 20, 'too few steps were struck'
    assert not any(hits[steps:])


def test_kill_in_the_middle_of_a_download(box):
    box.deliver(NEW)
    count = box.folder / 'count'
    box.shim(f'#!/bin/sh\ncase "$*" in *get-object*)\n'
             f'  {REAL_AWS} "$@" > /dev/null; for last; do :; done; truncate -s 1 "$last"\n'
             f'  echo x >> {count}; [ $(wc -l < {count}) = $(cat {count}.at) ] && kill -9 $PPID; exit 1 ;;\n'
             f'esac\nexec {REAL_AWS} "$@"\n')
    pathlib.Path(f'{count}.at').write_text('1')
    assert box.run().returncode == -9
    assert box.leftovers() and box.verify().returncode == 0 and not box.runs()
    (box.shims / 'aws').unlink()
    assert names(box.collect()) == ['collected']
    assert box.current() == NEW and not box.leftovers() and box.verify().returncode == 0


# --- a full volume

def test_full_volume(box):
    small = box.folder / 'small'
    small.mkdir()
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'none', str(small)], capture_output=True,
                             text=True)
    if mounted.returncode:
        pytest.skip(f'cannot mount a small tmpfs here (needs root): {mounted.stderr.strip()}')
    try:
        full = at_volume(box, small)
        full.deliver({A: b'fits'})
        full.collect()
        before = full.tree()
        full.deliver({A: b'fits', B: os.urandom(1 << 20)})
        done = full.run()
        assert done.returncode == 74 and 'No space left on device' in done.stderr
        assert full.tree() == before and full.verify().returncode == 0
        full.deliver({A: b'fits', B: b'smaller'})
        full.collect()
        assert full.current() == {A: b'fits', B: b'smaller'}
    finally:
        subprocess.run(['umount', str(small)], check=True)
