#!/usr/bin/env python3
"""npm run lab: boots the lab and runs scenarios. See --help."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import install  # noqa: E402
import namespace  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--list', action='store_true', help='list the scenarios')
    parser.parse_args()


if __name__ == '__main__':
    main()
