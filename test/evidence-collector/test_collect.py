"""What the collector does with an export, against moto's S3 and the real aws command."""
import ast
import fcntl
import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import time

import pytest
from conftest import MONTH, PLACE, REAL_AWS, SOURCE, TEXT, events, names, packed

A, B = 'focus-export-00001.csv.gz', 'focus-export-00002.csv.gz'
NO_SLEEP = 'import time\ntime.sleep = lambda seconds: None\n'


def sha(data):
    return hashlib.sha256(data).hexdigest()


def entry(manifest, name):
    return next(e for e in manifest['files'] if e['name'] == name)


# --- the file itself

def test_file_is_small_standard_and_python_3_9():
    assert len(SOURCE.read_bytes()) < 16384
    tree = ast.parse(TEXT, feature_version=(3, 9))
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert imported <= {'fcntl', 'glob', 'hashlib', 'json', 'os', 're', 'secrets', 'shutil', 'signal', 'subprocess',
                        'sys', 'time', 'datetime'}
    assert '__file__' not in TEXT


def test_works_from_a_shell_as_dash_c(box):
    done = subprocess.run(['sh', '-c', f'"$PY" -c "$(cat {SOURCE})" --help'], capture_output=True, text=True,
                          env={**box.env, 'PY': box.command()[0]})
    assert done.returncode == 0 and done.stderr == ''
    for word in ('EVIDENCE_ROOT', 'FOCUS_EXPORT_BUCKET', 'FOCUS_EXPORT_PREFIX', 'FOCUS_BILLING_PERIODS',
                 'LOCK_WAIT_SECONDS', '--verify', 'Exit codes'):
        assert word in done.stdout
    for code in ('0', '1', '64', '66', '69', '70', '74', '75', '143'):
        assert re.search(rf'\b{code} [a-zA-Z]', done.stdout), code


# --- runs and their chain

def test_first_run(box):
    files = {A: packed('a'), B: packed('b')}
    box.deliver(files)
    found = box.collect(AWS_ACCOUNT_ID='123456789012')
    assert names(found) == ['collected']
    [run] = box.runs()
    assert re.fullmatch(r'run=\d{8}T\d{6}Z', run.name)
    assert os.readlink(box.period() / 'current') == run.name
    assert box.current() == files
    raw = (run / 'manifest.json').read_bytes()
    assert raw == (json.dumps(json.loads(raw), sort_keys=True, indent=1) + '\n').encode()
    manifest = json.loads(raw)
    assert manifest['schemaVersion'] == 1 and manifest['tool']['name'] == 'evidence-collector'
    assert manifest['previous'] is None and manifest['run'] == run.name and manifest['billingPeriod'] == MONTH
    assert manifest['startedAt'] <= manifest['finishedAt'] and manifest['deliveryComplete'] is True
    assert manifest['source'] == {'bucket': box.bucket, 'prefix': PLACE, 'region': 'eu-central-1',
                                  'account': '123456789012'}
    assert [e['name'] for e in manifest['files']] == [A, B, 'metadata/focus-export-Manifest.json']
    for name, body in files.items():
        noted = entry(manifest, name)
        assert (noted['sha256'], noted['bytes']) == (sha(body), len(body))
        assert noted['etag'] == f'"{hashlib.md5(body).hexdigest()}"'
        assert noted['key'] == f'{PLACE}/data/BILLING_PERIOD={MONTH}/{name}'
        assert (noted['storedIn'], noted['storedAs'], noted['versionId']) == (run.name, name, None)
    total = sum(e['bytes'] for e in manifest['files'])
    assert manifest['totals'] == {'files': 3, 'bytes': total, 'storedFiles': 3, 'storedBytes': total}
    assert found[0]['manifestSha256'] == sha(raw)
    for path in run.rglob('*'):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o444, path
    assert json.loads((run / 'metadata/focus-export-Manifest.json').read_text()) == [A, B]
    done = box.verify()
    assert done.returncode == 0 and events(done)[0]['runs'] == 1
    assert events(done)[-1] == {**events(done)[-1], 'periods': 1, 'result': 0}


def test_unchanged_export_makes_no_run(box):
    box.deliver({A: packed('a')})
    box.collect()
    before = box.tree()
    assert names(box.collect()) == ['unchanged']
    assert box.tree() == before


def test_rewritten_object_makes_a_run_that_refers_to_the_rest(box):
    box.deliver({A: packed('a'), B: packed('b')})
    box.collect()
    [first] = box.runs()
    before = {k: v for k, v in box.tree().items() if k.startswith(str(first) + '/')}
    box.data(B, packed('b, later'))
    assert names(box.collect()) == ['collected']
    first_again, second = box.runs()
    assert first_again == first
    after = {k: v for k, v in box.tree().items() if k.startswith(str(first) + '/')}
    assert after == before, 'what was collected has changed'
    assert os.readlink(second / A) == f'../{first.name}/{A}'
    assert not (second / B).is_symlink()
    assert os.readlink(second / 'metadata/focus-export-Manifest.json') == \
        f'../../{first.name}/metadata/focus-export-Manifest.json'
    assert box.current() == {A: packed('a'), B: packed('b, later')}
    manifest = box.read_manifest(second)
    assert manifest['previous'] == {'run': first.name, 'manifestSha256': sha((first / 'manifest.json').read_bytes())}
    assert manifest['totals']['storedFiles'] == 1 and manifest['totals']['files'] == 3
    assert entry(manifest, A)['storedIn'] == first.name
    box.data(A, packed('a, later'))
    box.collect()
    third = box.runs()[2]
    assert os.readlink(third / B) == f'../{second.name}/{B}'
    assert box.verify().returncode == 0


def test_same_bytes_under_a_new_time_are_not_stored_twice(stub):
    stub.export.data(A, b'a')
    stub.export.manifest()
    stub.collect()
    stub.export.data(A, b'a', stamp='2026-11-24T02:00:00Z')
    stub.collect()
    first, second = stub.runs()
    assert os.readlink(second / A) == f'../{first.name}/{A}'
    assert stub.read_manifest(second)['totals']['storedFiles'] == 0
    assert entry(stub.read_manifest(second), A)['lastModified'] == '2026-11-24T02:00:00Z'
    assert stub.verify().returncode == 0


def test_run_names_go_forward_when_the_clock_goes_back(box):
    box.deliver({A: packed('a')})
    box.collect()
    box.data(A, packed('b'))
    hour_ago = ('import datetime as d\nclass Back(d.datetime):\n  @classmethod\n  def now(cls, tz=None):\n'
                '    return super().now(tz) - d.timedelta(hours=1)\nd.datetime = Back\n')
    assert box.run(before=hour_ago).returncode == 0
    first, second = (run.name for run in box.runs())
    assert second > first and box.current() == {A: packed('b')}
    assert box.verify().returncode == 0


def test_version_id_of_a_versioned_bucket(box):
    box.s3.put_bucket_versioning(Bucket=box.bucket, VersioningConfiguration={'Status': 'Enabled'})
    box.deliver({A: packed('a')})
    box.collect()
    key = f'{PLACE}/data/BILLING_PERIOD={MONTH}/{A}'
    assert entry(box.read_manifest(), A)['versionId'] == box.s3.head_object(Bucket=box.bucket, Key=key)['VersionId']


def test_months_are_separate_and_can_be_chosen(box):
    box.deliver({A: packed('oct')}, month='2026-10')
    box.deliver({A: packed('nov')})
    box.collect(FOCUS_BILLING_PERIODS='2026-10')
    assert box.current('2026-10') == {A: packed('oct')} and not box.period().exists()
    assert [(e['event'], e['period']) for e in box.collect()] == [('unchanged', '2026-10'), ('collected', MONTH)]


def test_export_without_prefix(box):
    base = 'focus-export/{}/BILLING_PERIOD=2026-11/'
    box.put(base.format('data') + A, b'x')
    box.put(base.format('metadata') + 'focus-export-Manifest.json', b'{}')
    box.collect(FOCUS_EXPORT_PREFIX='focus-export')
    assert box.current() == {A: b'x'}


# --- executions

def test_only_the_execution_of_the_newest_aws_manifest(box):
    box.data('ex-9/part.csv.gz', b'old')
    box.manifest('ex-9/')
    box.collect()
    assert box.current() == {'ex-9%2Fpart.csv.gz': b'old'}
    time.sleep(1.1)
    # The newer one sorts first by name; a third one is not finished, it has no manifest yet.
    box.data('ex-1/part.csv.gz', b'new')
    box.manifest('ex-1/')
    box.data('ex-5/part.csv.gz', b'unfinished')
    box.collect()
    assert box.current() == {'ex-1%2Fpart.csv.gz': b'new'}
    manifest = box.read_manifest()
    assert [e['name'] for e in manifest['files']] == ['ex-1%2Fpart.csv.gz',
                                                      'metadata/ex-1%2Ffocus-export-Manifest.json']
    # The same bytes in yet another execution.
    time.sleep(1.1)
    box.data('ex-2/part.csv.gz', b'new')
    box.manifest('ex-2/')
    box.collect()
    assert box.current() == {'ex-2%2Fpart.csv.gz': b'new'}
    second, third = box.runs()[1:]
    assert os.readlink(third / 'ex-2%2Fpart.csv.gz') == f'../{second.name}/ex-1%2Fpart.csv.gz'
    assert box.verify().returncode == 0


def test_data_newer_than_the_aws_manifest_is_noted_and_replaced(stub):
    stub.export.manifest()
    stub.export.data(A, b'a', stamp='2026-11-24T01:00:01.000Z')
    stub.collect()
    assert stub.read_manifest()['deliveryComplete'] is False
    stub.export.manifest(b'{"done": true}', stamp='2026-11-24T01:00:02.000Z')
    assert names(stub.collect()) == ['collected']
    assert stub.read_manifest()['deliveryComplete'] is True and len(stub.runs()) == 2


# --- the aws command

def test_pages(box):
    files = {f'focus-export-{n:05}.snappy.parquet': f'{n}'.encode() for n in range(5)}
    box.deliver(files)
    box.shim(f'#!/bin/sh\n[ "$2" = list-objects-v2 ] && set -- "$@" --page-size 2\nexec {REAL_AWS} "$@"\n')
    box.collect()
    assert box.current() == files


def test_listing_with_very_many_objects(stub):
    for n in range(1200):
        stub.export.objects[str(n)] = {'Key': f'{PLACE}/data/BILLING_PERIOD=2026-10/x{n}.parquet', 'ETag': '"x"',
                                       'Size': 1, 'LastModified': '2026-11-01T00:00:00Z'}
    stub.export.data(A, b'a')
    stub.export.manifest()
    stub.collect(FOCUS_BILLING_PERIODS=MONTH)
    assert stub.current() == {A: b'a'}


def test_both_spellings_of_time_are_the_same_time(stub):
    stub.export.data(A, b'a', stamp='2026-11-24T01:00:00.000Z')
    stub.export.manifest()
    stub.collect()
    stub.export.data(A, b'a', stamp='2026-11-24T01:00:00+00:00')
    assert names(stub.collect()) == ['unchanged']


REWRITE = '''#!/bin/sh
# Puts another object in place just before {which} download.
case "$*" in *get-object*{name}*)
  if {condition}; then
    date +%N > {folder}/new; touch {folder}/rewritten
    {aws} s3api put-object --bucket {bucket} --key {key} --body {folder}/new > {folder}/put.log
  fi ;;
esac
exec {aws} "$@"
'''


def rewriting(box, condition):
    return REWRITE.format(which='a', name=A, condition=condition, folder=box.folder, aws=REAL_AWS, bucket=box.bucket,
                          key=f'{PLACE}/data/BILLING_PERIOD={MONTH}/{A}')


def test_object_rewritten_during_the_download(box):
    box.deliver({A: packed('a'), B: packed('b')})
    box.shim(rewriting(box, f'[ ! -e {box.folder}/rewritten ]'))
    assert names(box.collect()) == ['rewritten', 'collected']
    assert box.current() == {A: (box.folder / 'new').read_bytes(), B: packed('b')}
    assert len(box.runs()) == 1 and not box.leftovers()


def test_object_rewritten_all_the_time(box):
    box.deliver({A: packed('a')})
    box.shim(rewriting(box, 'true'))
    done = box.run(before=NO_SLEEP)
    assert done.returncode == 69 and MONTH in done.stderr and 'rewritten 3 times' in done.stderr
    assert not box.runs() and not box.leftovers()


def test_s3_out_of_reach(box):
    done = box.run(before=NO_SLEEP, AWS_ENDPOINT_URL='http://127.0.0.1:9')
    assert done.returncode == 69 and 'Could not connect' in done.stderr
    assert 'very-secret-value' not in done.stdout + done.stderr


def test_s3_refuses(stub):
    stub.shim('#!/bin/sh\necho >> $STUB/calls\n'
              'echo "An error occurred (AccessDenied) when calling the X operation: Access Denied" >&2\nexit 254\n')
    done = stub.run()
    assert done.returncode == 69 and 'AccessDenied' in done.stderr
    assert (stub.export.folder / 'calls').read_text() == '\n', 'a refusal is not worth a retry'


def test_passing_failure_is_retried(stub):
    stub.export.data(A, b'a')
    stub.export.manifest()
    text = (stub.shims / 'aws').read_text().replace(
        '#!/bin/bash', '#!/bin/bash\nif mkdir $STUB/once 2>/dev/null; then\n'
        'echo "An error occurred (SlowDown) when calling: slow" >&2; exit 254; fi')
    stub.shim(text)
    assert names(stub.collect()) == ['collected']
    assert (stub.export.folder / 'once').is_dir()


def test_no_aws_command(stub):
    done = stub.run(PATH='/nonexistent')
    assert done.returncode == 69 and 'aws command' in done.stderr


def test_answer_that_makes_no_sense_is_not_taken_for_tampering(stub):
    stub.shim('#!/bin/sh\necho surprise\n')
    done = stub.run()
    assert done.returncode == 70 and 'JSONDecodeError' in done.stderr


# --- no data

def test_empty_bucket(box):
    done = box.run()
    assert done.returncode == 66
    assert f's3://{box.bucket}/{PLACE}/data/BILLING_PERIOD=' in done.stderr and 'near it: []' in done.stderr


def test_wrong_prefix_shows_what_is_near(box):
    box.deliver({A: b'a'})
    done = box.run(FOCUS_EXPORT_PREFIX='finops/focus-exprot')
    assert done.returncode == 66 and f'{PLACE}/data/BILLING_PERIOD={MONTH}/{A}' in done.stderr


def test_missing_bucket(box):
    done = box.run(FOCUS_EXPORT_BUCKET='no-such-bucket-here')
    assert done.returncode == 66 and 'no-such-bucket-here' in done.stderr and 'NoSuchBucket' in done.stderr


def test_empty_answer_of_the_aws_command(stub):
    stub.shim('#!/bin/sh\nexit 0\n')
    assert stub.run().returncode == 66


def test_delivery_without_its_manifest_waits(box):
    box.data(A, b'a')
    done = box.run()
    assert done.returncode == 66 and 'manifest' in done.stderr and not box.runs()
    box.deliver({A: b'oct'}, month='2026-10')
    assert names(box.collect()) == ['collected', 'stopped']
    assert box.current('2026-10') == {A: b'oct'} and not box.runs()


def test_chosen_month_that_is_missing(box):
    box.deliver({A: b'a'})
    done = box.run(FOCUS_BILLING_PERIODS=f'2026-01,{MONTH}')
    assert done.returncode == 66 and '2026-01' in done.stderr
    assert box.current() == {A: b'a'}


# --- configuration

@pytest.mark.parametrize('name, value', [
    ('EVIDENCE_ROOT', None), ('EVIDENCE_ROOT', ''), ('EVIDENCE_ROOT', 'relative/path'),
    ('EVIDENCE_ROOT', '/does/not/exist'), ('EVIDENCE_ROOT', '/etc/passwd'),
    ('FOCUS_EXPORT_BUCKET', None), ('FOCUS_EXPORT_BUCKET', 's3://bucket'), ('FOCUS_EXPORT_BUCKET', 'Bucket_A'),
    ('FOCUS_EXPORT_PREFIX', None), ('FOCUS_EXPORT_PREFIX', '/finops/export'), ('FOCUS_EXPORT_PREFIX', 'finops/'),
    ('FOCUS_EXPORT_PREFIX', 'a//b'), ('FOCUS_EXPORT_PREFIX', 'a\nb'),
    ('FOCUS_BILLING_PERIODS', '2026-13'), ('FOCUS_BILLING_PERIODS', '2026-10;2026-11'),
    ('FOCUS_BILLING_PERIODS', '2026-10,'), ('LOCK_WAIT_SECONDS', '-1'), ('LOCK_WAIT_SECONDS', 'soon')])
def test_bad_configuration(stub, name, value):
    done = stub.run(**{name: value})
    assert done.returncode == 64
    assert name in done.stderr and (ascii(value) if value else 'not set') in done.stderr
    assert 'Set it to' in done.stderr or 'mounted' in done.stderr
    assert not list(stub.root.iterdir())


def test_unknown_argument(stub):
    done = stub.run('--frobnicate')
    assert done.returncode == 64 and '--frobnicate' in done.stderr and '--help' in done.stderr


# --- keys nobody should trust

@pytest.mark.parametrize('name', ['../../../evil.parquet', 'x/../evil.parquet', '/etc/evil.parquet', './evil.parquet',
                                  'a//evil.parquet', 'nul\0.parquet', 'line\nbreak.parquet', 'bell\x07.parquet',
                                  'right\u202eleft.parquet', 'n' * 250 + '.parquet'])
def test_hostile_key(stub, name):
    stub.export.data(A, b'a')
    stub.export.manifest()
    stub.export.put(f'{PLACE}/data/BILLING_PERIOD={MONTH}/{name}', b'evil')
    outside = {p for p in stub.folder.iterdir()}
    done = stub.run()
    assert done.returncode == 69 and ascii(name)[1:-1] in done.stderr
    assert not stub.runs() and {p for p in stub.folder.iterdir()} == outside


def test_hostile_key_in_a_real_bucket_stops_only_its_month(box):
    box.deliver({A: b'a'})
    box.deliver({A: b'oct'}, month='2026-10')
    box.data('../../../../evil.parquet', b'evil')
    done = box.run()
    assert done.returncode == 69 and 'evil.parquet' in done.stderr
    assert box.current('2026-10') == {A: b'oct'} and not box.runs()


def test_names_that_look_like_an_escape_do_not_collide(box):
    box.data('ex/part.csv.gz', b'1')
    box.data('ex/ex%2Fpart.csv.gz', b'2')
    box.manifest('ex/')
    box.collect()
    assert box.current() == {'ex%2Fpart.csv.gz': b'1', 'ex%2Fex%252Fpart.csv.gz': b'2'}


# --- two at once, and the end from outside

def test_two_collectors_at_once_make_one_run(box):
    box.deliver({A: packed('a'), B: packed('b')})
    both = [subprocess.Popen(box.command(), env=box.env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(json.loads(line)['event'] for o in outputs for line in o.splitlines()) == ['collected', 'unchanged']
    assert len(box.runs()) == 1 and box.verify().returncode == 0


def test_lock_that_is_held(stub):
    (stub.root / 'focus').mkdir()
    with open(stub.root / 'focus' / '.lock', 'w') as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        done = stub.run(LOCK_WAIT_SECONDS='0')
    assert done.returncode == 75 and '.lock' in done.stderr
    stub.export.data(A, b'a')
    stub.export.manifest()
    assert names(stub.collect(LOCK_WAIT_SECONDS='0')) == ['collected']


def test_sigterm(stub):
    stub.export.data(A, b'a')
    stub.export.manifest()
    stub.shim((stub.shims / 'aws').read_text().replace('get-object)', 'get-object) echo $$ > $STUB/pid; exec sleep 50;;#'))
    process = subprocess.Popen(stub.command(), env=stub.env, stderr=subprocess.PIPE, text=True)
    pid = stub.export.folder / 'pid'
    for _ in range(100):
        if pid.exists() and pid.read_text().strip():
            break
        time.sleep(0.05)
    assert stub.leftovers()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 143
    assert not stub.leftovers() and not stub.runs()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
