"""One S3 (moto) for the session, one bucket and one volume per test, and the collector as a subprocess."""
import contextlib
import gzip
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2] / 'lib' / 'workloads' / 'evidence-collector.py'
TEXT = SOURCE.read_text()
# The image of the aws command has 3.9; EVIDENCE_COLLECTOR_PYTHON runs the suite with another one.
PYTHON = os.environ.get('EVIDENCE_COLLECTOR_PYTHON', sys.executable)
BIN = os.path.dirname(sys.executable)
REAL_AWS = shutil.which('aws', path=BIN) or shutil.which('aws')
MONTH = '2026-11'
PLACE = 'finops/focus-export'
BUCKETS = itertools.count(1)

# Answers from a folder instead of S3, in milliseconds: list.json, and objects named like their keys with % for /.
STUB = '''#!/bin/bash
key=; for ((i = 1; i <= $#; i++)); do [ "${!i}" = --key ] && j=$((i + 1)) && key=${!j}; done
case $2 in
  list-objects-v2) cat "$STUB/list.json" ;;
  get-object) cp "$STUB/${key//\\//%}" "${@: -1}" && cat "$STUB/${key//\\//%}.reply" ;;
esac
'''


@pytest.fixture(scope='session')
def endpoint(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    log = open(tmp_path_factory.mktemp('moto') / 'log', 'w')
    server = subprocess.Popen([sys.executable, '-m', 'moto.server', '-H', '127.0.0.1', '-p', str(port)],
                              stdout=log, stderr=log)
    url = f'http://127.0.0.1:{port}'
    for _ in range(300):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url + '/moto-api/', timeout=1).close()
            break
        assert server.poll() is None, 'the moto server ended'
        time.sleep(0.1)
    else:
        pytest.fail('the moto server does not answer')
    yield url
    server.terminate()
    server.wait()
    log.close()


class Box:
    """A bucket, a volume and a collector between them."""

    def __init__(self, folder, endpoint):
        self.folder = folder
        self.root = folder / 'volume'
        self.root.mkdir()
        self.shims = folder / 'bin'
        self.shims.mkdir()
        self.bucket = f'focus-bucket-{os.getpid()}-{next(BUCKETS)}'
        self.env = {
            'PATH': f'{self.shims}:{os.path.dirname(REAL_AWS)}:/usr/bin:/bin', 'HOME': str(folder), 'LANG': 'C.UTF-8',
            'AWS_ACCESS_KEY_ID': 'AKIDEXAMPLE', 'AWS_SECRET_ACCESS_KEY': 'very-secret-value',
            'AWS_DEFAULT_REGION': 'eu-central-1', 'AWS_REGION': 'eu-central-1', 'AWS_MAX_ATTEMPTS': '1',
            'AWS_EC2_METADATA_DISABLED': 'true', 'EVIDENCE_ROOT': str(self.root),
            'FOCUS_EXPORT_BUCKET': self.bucket, 'FOCUS_EXPORT_PREFIX': PLACE}
        if endpoint:
            self.env['AWS_ENDPOINT_URL'] = endpoint
            self.s3 = boto3.client('s3', endpoint_url=endpoint, region_name='eu-central-1',
                                   aws_access_key_id='x', aws_secret_access_key='y')
            self.s3.create_bucket(Bucket=self.bucket,
                                  CreateBucketConfiguration={'LocationConstraint': 'eu-central-1'})

    # --- the export
    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def data(self, name, body, month=MONTH):
        self.put(f'{PLACE}/data/BILLING_PERIOD={month}/{name}', body)

    def manifest(self, execution='', month=MONTH, text='{}'):
        self.put(f'{PLACE}/metadata/BILLING_PERIOD={month}/{execution}focus-export-Manifest.json', text.encode())

    def deliver(self, files, month=MONTH):
        for name, body in files.items():
            self.data(name, body, month)
        self.manifest(month=month, text=json.dumps(sorted(files)))

    # --- the collector
    def shim(self, text):
        path = self.shims / 'aws'
        path.write_text(text)
        path.chmod(0o755)

    def command(self, *arguments, before=''):
        return [PYTHON, '-c', before + TEXT, *arguments]

    def run(self, *arguments, before='', **env):
        variables = {k: v for k, v in {**self.env, **env}.items() if v is not None}
        return subprocess.run(self.command(*arguments, before=before), env=variables, capture_output=True, text=True,
                              timeout=60)

    def collect(self, **env):
        """The events of a run that must succeed."""
        done = self.run(**env)
        assert done.returncode == 0, done.stderr
        return events(done)

    def verify(self):
        return self.run('--verify', PATH='/nonexistent')

    # --- the volume
    def period(self, month=MONTH):
        return self.root / 'focus' / f'BILLING_PERIOD={month}'

    def runs(self, month=MONTH):
        return sorted(self.period(month).glob('run=*'))

    def read_manifest(self, run=None):
        return json.loads(((run or self.period() / 'current') / 'manifest.json').read_bytes())

    def current(self, month=MONTH):
        """The month as a reader sees it."""
        return {p.name: p.read_bytes() for p in (self.period(month) / 'current').iterdir()
                if p.is_file() and p.name != 'manifest.json'}

    def leftovers(self):
        return list(self.root.rglob('.partial-*'))

    def tree(self):
        return snapshot(self.root)


def events(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def names(found):
    return [event['event'] for event in found]


def snapshot(root):
    """Everything below a folder: links as text, files as bytes with mode and time."""
    found = {}
    for path in sorted(pathlib.Path(root).rglob('*')):
        state = path.lstat()
        if path.is_symlink():
            found[str(path)] = os.readlink(path)
        elif path.is_file():
            found[str(path)] = (path.read_bytes(), state.st_mode, state.st_mtime_ns)
        else:
            found[str(path)] = 'folder'
    return found


def packed(text):
    return gzip.compress(text.encode(), mtime=0)


class StubExport:
    """An export in a folder, for the stub of the aws command."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir()
        self.objects = {}

    def put(self, key, body, stamp='2026-11-24T01:00:00.000Z'):
        etag = '"%s"' % __import__('hashlib').md5(body).hexdigest()
        self.objects[key] = {'Key': key, 'ETag': etag, 'Size': len(body), 'LastModified': stamp}
        (self.folder / 'list.json').write_text(json.dumps({'Contents': list(self.objects.values())}))
        name = key.replace('/', '%')
        if len(name) < 200 and name.isprintable():
            (self.folder / name).write_bytes(body)
            (self.folder / (name + '.reply')).write_text(json.dumps({'ETag': etag}))

    def data(self, name, body, **more):
        self.put(f'{PLACE}/data/BILLING_PERIOD={MONTH}/{name}', body, **more)

    def manifest(self, body=b'{}', **more):
        self.put(f'{PLACE}/metadata/BILLING_PERIOD={MONTH}/focus-export-Manifest.json', body, **more)


@pytest.fixture
def box(tmp_path, endpoint):
    return Box(tmp_path, endpoint)


@pytest.fixture
def stub(tmp_path):
    """A box whose aws command is the stub; box.export is what it serves."""
    made = Box(tmp_path, None)
    made.export = StubExport(tmp_path / 'stub')
    made.env['STUB'] = str(made.export.folder)
    made.shim(STUB)
    return made
