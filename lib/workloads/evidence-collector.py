import fcntl, glob, hashlib, json, os, re, secrets, shutil, signal, subprocess, sys, time
from datetime import datetime, timedelta, timezone

HELP = """usage: evidence-collector [--verify | --help]

Copies an AWS Data Exports FOCUS export from S3 onto a volume as evidence, never changed or removed afterwards.
A change in the export makes a new run in EVIDENCE_ROOT/focus/BILLING_PERIOD=YYYY-MM, to which "current" leads:
  run=<UTC>/manifest.json  SHA-256 of the files, and of the manifest before it: a chain
  run=<UTC>/<data files>   the whole month, symlinks where an earlier run has the bytes; "/" in a key is %2F
  run=<UTC>/metadata/      AWS's manifest. Only the execution with the newest one is taken, or a month counts
                           twice. "deliveryComplete" is false if data is newer: AWS was writing.

EVIDENCE_ROOT          existing directory, absolute
FOCUS_EXPORT_BUCKET    bucket name
FOCUS_EXPORT_PREFIX    prefix/export-name or export-name
FOCUS_BILLING_PERIODS  2026-10,2026-11 (default all)
LOCK_WAIT_SECONDS      default 600
AWS_*                  as for the aws command; AWS_ACCOUNT_ID and AWS_REGION are noted

--verify hashes all files and writes nothing. Compare its manifestSha256 with the log: only that shows a lost tail.

Exit codes: 0 done or unchanged; 1 evidence does not match its manifest, nothing written for that period; 64 usage
or configuration; 66 no data there; 69 S3 refused, failed, kept changing, or has a key AWS would not write;
70 a bug; 74 the volume failed, e.g. full; 75 another collector has the lock; 143 SIGTERM
"""
ATTEMPTS = 3
MONTH = '20[0-9]{2}-(?:0[1-9]|1[0-2])'
RUN = 'run=%Y%m%dT%H%M%SZ'


class Stop(Exception):
  """Stop(exit code, text)"""


class Rewritten(Exception):
  """The object is no longer the one listed."""


def now():
  return datetime.now(timezone.utc)


def utc(moment):
  return moment.strftime('%Y-%m-%dT%H:%M:%SZ')


def say(event, **fields):
  print(json.dumps({'at': utc(now()), 'event': event, **fields}), flush=True)


def complain(text):
  print(f'evidence-collector: {text}', file=sys.stderr, flush=True)


def variable(name, pattern, meaning, default=None):
  value = os.environ.get(name) or default
  if value is None or not re.fullmatch(pattern, value):
    raise Stop(64, f'{name} is {"not set" if value is None else ascii(value)}. Set it to {meaning}.')
  return value


class Export:
  def __init__(self):
    self.bucket = variable('FOCUS_EXPORT_BUCKET', '[a-z0-9][a-z0-9.-]+[a-z0-9]', 'a bucket name, no s3://')
    self.place = variable('FOCUS_EXPORT_PREFIX', '[!-.0-~]+(/[!-.0-~]+)*', 'prefix/export-name, no / at the ends')
    self.months = variable('FOCUS_BILLING_PERIODS', f'|{MONTH}(,{MONTH})*', 'months: 2026-10,2026-11', '')
    self.patience = int(variable('LOCK_WAIT_SECONDS', '[0-9]{1,6}', 'whole seconds', '600'))


def flat(key):
  """A file name for a key, so that current/*.parquet is the month. None if it must not become a path."""
  name = key.replace('%', '%25').replace('/', '%2F')
  safe = key.isprintable() and not {'', '.', '..'} & set(key.split('/')) and len(name.encode()) < 256
  return name if safe else None


def aws(operation, bucket, *options):
  if not shutil.which('aws'):
    raise Stop(69, 'no aws command on the PATH')
  command = ['aws', 's3api', operation, '--bucket', bucket, '--output', 'json', *options]
  for attempt in range(1, ATTEMPTS + 1):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    if not done.returncode:
      return json.loads(done.stdout or '{}')  # an empty answer may be printed as nothing
    text = done.stderr.decode(errors='replace').strip()[-500:]
    if re.search(r'Errno (5|28|30|122)\b', text):
      raise OSError(text)  # aws writes to the volume for us
    error = (re.findall(r'An error occurred \((\w+)\)', text) or [f'exit {done.returncode}'])[0]
    if '--if-match' in options and error in ('PreconditionFailed', '412', 'NoSuchKey', '404'):
      raise Rewritten
    if attempt == ATTEMPTS or error in ('AccessDenied', '403', 'NoSuchBucket', 'InvalidAccessKeyId'):
      raise Stop(66 if error == 'NoSuchBucket' else 69, f'{operation} {bucket} {options[:2]}: {text}')
    time.sleep(attempt)


def listing(export, prefix, *more):
  # The aws command follows the pages. Its versions 1 and 2 spell times differently.
  reply = aws('list-objects-v2', export.bucket, '--prefix', prefix, *more)
  return [{
    'key': o['Key'], 'etag': o['ETag'], 'bytes': o['Size'],
    'lastModified': utc(datetime.fromisoformat(o['LastModified'].replace('Z', '+00:00')).astimezone(timezone.utc)),
  } for o in reply.get('Contents') or []]


def identity(item):
  return item['key'], item['etag'], item['bytes'], item['lastModified']


def select(export, month, objects):
  """AWS's newest manifest and the data of its execution."""
  found = []
  for kind, folder in (('data', ''), ('metadata', 'metadata/')):
    base = f'{export.place}/{kind}/BILLING_PERIOD={month}/'
    for item in objects:
      key = item['key'][len(base):]
      if item['key'].startswith(base) and key:
        name = flat(key if item['bytes'] else key.rstrip('/'))
        if not name:
          raise Stop(69, f'{month}: AWS would not write the key {ascii(item["key"])}. Who else writes here?')
        found.append({**item, 'kind': kind, 'name': folder + name, 'execution': key.rpartition('/')[0]})
  manifests = [f for f in found if f['kind'] == 'metadata' and f['key'].endswith('-Manifest.json')]
  newest = max(manifests, key=lambda m: (m['lastModified'], m['key']), default={'execution': None})
  data = [f for f in found if f['kind'] == 'data' and f['execution'] == newest['execution']
          and f['key'].endswith(('.parquet', '.csv.gz', '.zip'))]
  if not data:
    raise Stop(66, f'{month}: no data with an AWS manifest, only {[f["key"] for f in found[:5]]}')
  return [newest, *data]


def sync(path):
  handle = os.open(path, os.O_RDONLY)
  os.fsync(handle)
  os.close(handle)


def sha256_of(path):
  digest = hashlib.sha256()
  with open(path, 'rb') as file:
    while block := file.read(1 << 20):
      digest.update(block)
  return digest.hexdigest()


def text_of(manifest):
  return json.dumps(manifest, sort_keys=True, indent=1) + '\n'


def seal(manifest):
  """No later run has noted the newest manifest."""
  return hashlib.sha256(text_of({k: v for k, v in manifest.items() if k != 'selfSha256'}).encode()).hexdigest()


def lock(focus, patience):
  """A POSIX lock: NFSv4.1 carries it between tasks, and it ends with its holder."""
  handle = os.open(f'{focus}/.lock', os.O_RDWR | os.O_CREAT, 0o644)
  for _ in range(patience * 5 + 1):
    try:
      return fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
      time.sleep(0.2)
  raise Stop(75, f'another collector holds {focus}/.lock, waited {patience} s')


def head(runs):
  return {'run': runs[-1][0], 'manifestSha256': runs[-1][1]} if runs else None


def link_text(entry):
  return '../' * (1 + entry['name'].count('/')) + entry['storedIn'] + '/' + entry['storedAs']


def fault(path, run, entry, stored, full):
  """What is wrong, or None. `stored` collects what the runs hold."""
  place, content = (entry['storedIn'], entry['storedAs']), (entry['sha256'], entry['bytes'])
  if place != (run, entry['name']):
    linked = os.path.islink(path) and os.readlink(path) == link_text(entry)
    return None if linked and stored.get(place) == content else 'does not lead to an earlier run'
  stored[place] = content
  if os.path.islink(path) or os.path.getsize(path) != entry['bytes']:
    return 'has another size'
  return 'has other bytes' if full and sha256_of(path) != entry['sha256'] else None


def check(folder, full=False):
  """Return [(run, SHA-256 of its manifest, manifest)], oldest first, and what is wrong."""
  pointer = f'{folder}/current'
  # Read before the list: a collector at work may add a run.
  current = os.readlink(pointer) if os.path.islink(pointer) else None
  runs, wrong, stored = [], [], {}
  for run in sorted(n for n in os.listdir(folder) if n.startswith('run=')):
    path, file, digest, manifest = f'{folder}/{run}', f'{folder}/{run}/manifest.json', '', {}
    try:
      digest = sha256_of(file)
      manifest = json.load(open(file))
      if [manifest[k] for k in ('run', 'billingPeriod', 'previous')] != [run, folder[-7:], head(runs)]:
        wrong.append(f'{file} does not continue the chain: a run was changed or removed')
      if manifest.get('selfSha256', seal(manifest)) != seal(manifest):
        wrong.append(f'{file} was changed')
      there = {os.path.relpath(f'{top}/{n}', path) for top, _, names in os.walk(path) for n in names}
      for name in sorted(there - {e['name'] for e in manifest['files']} - {'manifest.json'}):
        wrong.append(f'{path}/{name} is in no manifest')
      for entry in manifest['files']:
        name = f'{path}/{entry["name"]}'
        text = fault(name, run, entry, stored, full) if entry['name'] in there else 'is missing'
        wrong += [f'{name} {text}'] if text else []
    except (ValueError, KeyError, TypeError, AttributeError, FileNotFoundError, NotADirectoryError) as error:
      wrong.append(f'{file} is missing or damaged: {error!r}')
    runs.append((run, digest, manifest))
  # A kill between the last two renames leaves `current` one run behind.
  if current not in [None, *(r[0] for r in runs)][-2:] or (not current and os.path.lexists(pointer)):
    wrong.append(f'{pointer} leads to {current}, not to the newest run')
  return runs, wrong


def point(folder, run):
  pointer = f'{folder}/current'
  if not os.path.islink(pointer) or os.readlink(pointer) != run:
    fresh = f'{folder}/.partial-{secrets.token_hex(8)}'
    os.symlink(run, fresh)
    os.rename(fresh, pointer)
    sync(folder)


def stage(export, item, partial, run, known, places):
  """Put one file into the unfinished run. Return its entry in the manifest."""
  path = f'{partial}/{item["name"]}'
  entry = known.get(identity(item))
  if not entry:
    reply = aws('get-object', export.bucket, '--key', item['key'], '--if-match', item['etag'], path)
    sync(path)
    if (reply.get('ETag'), os.path.getsize(path)) != (item['etag'], item['bytes']):
      raise Rewritten
    os.chmod(path, 0o444)
    digest = sha256_of(path)
    where, name = places.get((digest, item['bytes']), (run, item['name']))
    entry = {**item, 'sha256': digest, 'versionId': reply.get('VersionId'), 'storedIn': where, 'storedAs': name}
    if where != run:
      os.unlink(path)
  if entry['storedIn'] != run:
    os.symlink(link_text(entry), path)
  return entry


def write_run(export, folder, wanted, runs):
  start = moment = now()
  if runs:  # names are the order of the chain, also when the clock went back
    last = datetime.strptime(runs[-1][0], RUN).replace(tzinfo=timezone.utc)
    moment = max(moment, last + timedelta(seconds=1))
  run = moment.strftime(RUN)
  places = {(e['sha256'], e['bytes']): (e['storedIn'], e['storedAs']) for r in runs for e in r[2]['files']}
  known = {identity(e): e for e in runs[-1][2]['files']} if runs else {}
  partial = f'{folder}/.partial-{secrets.token_hex(8)}'
  try:
    os.makedirs(f'{partial}/metadata')
    files = [stage(export, item, partial, run, known, places) for item in wanted]
    own = [e['bytes'] for e in files if e['storedIn'] == run]
    totals = {'files': len(files), 'bytes': sum(e['bytes'] for e in files)}
    totals.update(storedFiles=len(own), storedBytes=sum(own))
    manifest = {
      'schemaVersion': 1, 'tool': {'name': 'evidence-collector', 'version': '1.0.0'},
      'billingPeriod': folder[-7:], 'run': run, 'startedAt': utc(start), 'finishedAt': utc(now()),
      'source': {'bucket': export.bucket, 'prefix': export.place, 'region': os.environ.get('AWS_REGION'),
                 'account': os.environ.get('AWS_ACCOUNT_ID')},
      'deliveryComplete': max(i['lastModified'] for i in wanted) == wanted[0]['lastModified'],
      'files': sorted(files, key=lambda e: e['name']), 'totals': totals, 'previous': head(runs)}
    fresh = partial + '/.manifest'
    with open(fresh, 'w') as file:
      file.write(text_of({**manifest, 'selfSha256': seal(manifest)}))
    sync(fresh)
    os.chmod(fresh, 0o444)
    os.rename(fresh, f'{partial}/manifest.json')
    sync(f'{partial}/metadata')
    sync(partial)
    os.rename(partial, f'{folder}/{run}')  # never replaces a run: one is not empty
  except BaseException:
    shutil.rmtree(partial, ignore_errors=True)
    raise
  sync(folder)
  point(folder, run)
  say('collected', period=folder[-7:], run=run, manifestSha256=sha256_of(f'{folder}/{run}/manifest.json'), **totals)


def collect_month(export, folder, objects):
  month = folder[-7:]
  runs, wrong = check(folder) if os.path.isdir(folder) else ([], [])
  if wrong:
    raise Stop(1, f'{month}: evidence does not match its manifest, nothing written: {"; ".join(wrong)}')
  if runs:
    point(folder, runs[-1][0])
  for attempt in range(ATTEMPTS):
    if attempt:
      say('rewritten', period=month, attempt=attempt)
      time.sleep(attempt)
      objects = listing(export, f'{export.place}/')
    wanted = select(export, month, objects)
    if runs and set(map(identity, wanted)) == set(map(identity, runs[-1][2]['files'])):
      return say('unchanged', period=month, **head(runs))
    os.makedirs(folder, exist_ok=True)
    sync(os.path.dirname(folder))
    try:
      return write_run(export, folder, wanted, runs)
    except Rewritten:
      pass
  raise Stop(69, f'{month}: rewritten {ATTEMPTS} times while it was read. Start again later.')


def collect(export, focus):
  os.makedirs(focus, exist_ok=True)
  sync(os.path.dirname(focus))
  lock(focus, export.patience)
  for path in glob.glob(f'{glob.escape(focus)}/BILLING_PERIOD=*/.partial-*'):
    # Of a killed collector, never evidence.
    os.unlink(path) if os.path.islink(path) else shutil.rmtree(path)
  objects = listing(export, f'{export.place}/')
  place = f'^{re.escape(export.place)}/data/BILLING_PERIOD=({MONTH})/'
  found = {month for o in objects for month in re.findall(place, o['key'])}
  codes = set()
  for month in sorted(set(export.months.split(',')) if export.months else found):
    try:
      collect_month(export, f'{focus}/BILLING_PERIOD={month}', objects)
      codes.add(0)
    except Stop as stop:
      complain(stop.args[1])
      say('stopped', period=month, code=stop.args[0])
      codes.add(stop.args[0])
  if not export.months and 0 in codes:
    codes.discard(66)  # AWS is still writing a new month
  codes = codes or {66}
  if 66 in codes:
    up = re.sub('[^/]+$', '', export.place)
    try:
      near = [o['key'] for o in objects or listing(export, up, '--max-items', '9')]
    except Stop:
      near = ['not permitted to list']
    complain(f'no data in s3://{export.bucket}/{export.place}/data/BILLING_PERIOD=YYYY-MM/, near it: {near[:9]}')
  return next(code for code in (1, 69, 66, 0) if code in codes)


def verify(focus):
  result, folders = 0, sorted(glob.glob(f'{glob.escape(focus)}/BILLING_PERIOD=????-??'))
  for folder in folders:
    runs, wrong = check(folder, full=True)
    say('verified', period=folder[-7:], runs=len(runs), newest=head(runs), wrong=wrong)
    for text in wrong:
      complain(text)
      result = 1
  say('verify-finished', periods=len(folders), result=result)
  return result


def main(arguments):
  # An exception: the unfinished run is removed on the way out.
  signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
  if arguments == ['--help']:
    print(HELP, end='')
    return 0
  try:
    if arguments not in ([], ['--verify']):
      raise Stop(64, f'unknown arguments {arguments}, see --help')
    root = variable('EVIDENCE_ROOT', '/.*', 'an absolute path')
    if not os.path.isdir(root):
      raise Stop(64, f'EVIDENCE_ROOT is {root!r}, no directory. Is the volume mounted?')
    focus = f'{root.rstrip("/")}/focus'
    return verify(focus) if arguments else collect(Export(), focus)
  except Stop as stop:
    complain(stop.args[1])
    return stop.args[0]
  except OSError as error:
    complain(f'the volume failed: {error}. Nothing half-done is kept; free or repair it.')
    return 74
  except Exception as error:  # or it would end as 1, which means tampered
    complain(f'a bug: {error!r}')
    return 70


if __name__ == '__main__':
  sys.exit(main(sys.argv[1:]))
