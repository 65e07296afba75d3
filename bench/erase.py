#!/usr/bin/env python3
"""How long an erasure takes with many results stored, from the request to the receipts in the answer.

usage: erase.py PROGRAM FOLDER [--results N] [--erasures N] [--data DATA]

Fills a data folder under FOLDER, on whose disk it depends, or takes DATA, which `lethe bench records
--keep` filled; starts the service on it and erases tasks one by one over HTTP, evenly over all that is
stored. Prints percentiles in milliseconds.
"""

import argparse
import os
import shutil
import sqlite3
import sys
import tempfile
import time

from filled_records import fill

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'program'))


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('program')
    parser.add_argument('folder')
    parser.add_argument('--results', type=int, default=1_000_000)
    parser.add_argument('--erasures', type=int, default=1_000)
    parser.add_argument('--data')
    arguments = parser.parse_args()
    os.environ['LETHE_TEST_PROGRAM'] = os.path.abspath(arguments.program)
    # They read it.
    # pylint: disable=import-outside-toplevel
    from own_api import call_own
    from service import Service
    from support import run
    folder = tempfile.mkdtemp(prefix='lethe-erase-', dir=arguments.folder)
    data = arguments.data or os.path.join(folder, 'data')
    try:
        if not arguments.data:
            fill(arguments.program, arguments.results, data)
        told = run('keys', 'create', '--app', 'bench', '--bearer', '--data', data).stdout.split()
        key = told[told.index('Bearer') + 1]
        with sqlite3.connect(f'file:{data}/records.db?mode=ro', uri=True) as records:
            tasks = [row[0] for row in records.execute('SELECT task_id FROM tasks ORDER BY seq')]
        service = Service(data=data)
        times = []
        try:
            for task in tasks[::max(1, len(tasks) // arguments.erasures)]:
                began = time.monotonic()
                status, answer = call_own(service, 'erase', {'task_id': task}, key=key)
                times.append(1000 * (time.monotonic() - began))
                assert (status, answer['erased']['results'], len(answer['receipts'])) == (200, 1, 1)
        finally:
            service.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    times.sort()
    print(f'{len(tasks)} results stored, {len(times)} erased one by one: ' + '  '.join(
        f'p{round(100 * share)} {times[min(len(times) - 1, int(share * len(times)))]:.1f} ms'
        for share in (0.5, 0.95, 0.99)))


if __name__ == '__main__':
    main()
