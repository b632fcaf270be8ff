"""Draws the curves of bench/sqlite.py:  sqlite_picture.py NUMBERS.json PICTURE.svg"""

import json
import sys

COLORS = ['#b5482f', '#8a8a8a', '#1f6f8b']


def draw(numbers: dict, path: str) -> None:
    import matplotlib

    matplotlib.use('svg')
    matplotlib.rcParams.update({'svg.fonttype': 'none', 'svg.hashsalt': 'bench', 'font.size': 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(10, 7), layout='constrained')
    panels = [('write', 'per_second', 'commits per second', 'writers'), ('read', 'p50_ms', 'read p50, ms', 'readers')]
    for row, way in zip(axes, ('raw', 'relay')):
        for axis, (kind, value, label, count) in zip(row, panels):
            curves = [(name, mode[kind]) for name, mode in numbers[way]['modes'].items() if len(mode[kind]) > 1]
            for color, (name, curve) in zip(COLORS, curves):
                points = [(int(threads), result[value]) for threads, result in curve.items() if value in result]
                hangs = [int(threads) for threads, result in curve.items() if result.get('hangs')]
                axis.plot(*zip(*points), marker='o', ms=3.5, color=color, label=f'{name}{f", hangs at {hangs[0]}" if hangs else ""}')
            axis.set(xscale='log', yscale='log', xlabel=f'concurrent {count}', ylabel=label)
            axis.set_xticks([1, 2, 4, 8, 16, 32, 64] if kind == 'write' else [1, 5, 10, 25, 50])
            axis.xaxis.set_major_formatter(matplotlib.ticker.ScalarFormatter())
            axis.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
            axis.grid(alpha=0.25)
            axis.set_title('server as it is' if way == 'raw' else "with EFS's published latency", fontsize=10)
            axis.legend(fontsize=7)
    figure.savefig(path, metadata={'Date': None})


if __name__ == '__main__':
    with open(sys.argv[1], encoding='utf-8') as file:
        draw(json.load(file), sys.argv[2])
