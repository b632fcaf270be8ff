"""Packs the keeper and its modules into lib/single-writer/keeper.bundle, the form in which they travel in a task
definition: without comments and docstrings (--help stays), compressed, after a line with the SHA-256 of the sources.

And the same with the movers into lib/stores/mover.bundle, which travels in a one-off task: compressed with LZMA, since a
task definition has 64 KiB for all of it.

Run it after every change of them (npm run bundle:keeper); npm test compares the sums.
"""

import ast
import base64
import hashlib
import json
import lzma
import pathlib
import zlib

ROOM = pathlib.Path(__file__).resolve().parent.parent / 'lib' / 'single-writer'
STORES = ROOM.parent / 'stores'


def without_docstrings(source: str, keep_first: bool) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node, clean=False) is not None:
            if not (keep_first and node is tree):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def main() -> None:
    files = {path.name: path.read_text(encoding='utf-8') for path in sorted(ROOM.glob('*.py'))}
    sources = hashlib.sha256(''.join(files[name] for name in files).encode()).hexdigest()
    packed = {name: without_docstrings(text, name == 'keeper.py') for name, text in files.items()}
    bundle = base64.b64encode(zlib.compress(json.dumps(packed).encode(), 9)).decode()
    (ROOM / 'keeper.bundle').write_text(f'{sources}\n{bundle}\n', encoding='utf-8')
    print(f'lib/single-writer/keeper.bundle: {len(bundle)} bytes')

    movers = {path.name: path.read_text(encoding='utf-8') for path in sorted(STORES.glob('*/*mover.py'))}
    sources = hashlib.sha256(''.join([*files.values(), *movers.values()]).encode()).hexdigest()
    packed = {**packed, **{name: without_docstrings(text, True) for name, text in movers.items()}}
    bundle = base64.b64encode(lzma.compress(json.dumps(packed).encode(), preset=9 | lzma.PRESET_EXTREME)).decode()
    (STORES / 'mover.bundle').write_text(f'{sources}\n{bundle}\n', encoding='utf-8')
    print(f'lib/stores/mover.bundle: {len(bundle)} bytes')


if __name__ == '__main__':
    main()
