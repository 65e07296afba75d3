#!/usr/bin/env python3
"""What a sweep of many due results costs calls that the service answers meanwhile.

usage: sweep.py PROGRAM FOLDER [--results N] [--seconds N]

Fills a data folder under FOLDER, on whose disk it depends, starts the service on it, and measures
calls before and while all of the results are swept: short sentences, and recording tasks made and
asked about, one after another each. Debian's libfaketime tells the service the time at which the
results become due. Prints percentiles in milliseconds; loads are bounded and end by themselves.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import threading
import time

from filled_records import fill

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'tests', 'program'))


def percentile(values, share):
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Load:
    """Callers that call until they are told to stop."""

    def __init__(self, make_api, sentence):
        self.times = {'sentence': [], 'task': []}
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._sentences, args=(make_api(), sentence)),
                        threading.Thread(target=self._tasks, args=(make_api(),))]
        for thread in self.threads:
            thread.start()

    def _note(self, what, call):
        began = time.monotonic()
        answer = call()
        self.times[what].append(time.monotonic() - began)
        return answer

    def _sentences(self, api, sentence):
        while not self.stopping.is_set():
            answer = self._note('sentence', lambda: api.call('SentenceRecognition', sentence))
            assert 'Error' not in answer, answer
            time.sleep(0.02)

    def _tasks(self, api):
        # Of a recording that cannot be fetched: what is measured is the records.
        request = {'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 0,
                   'Url': 'http://127.0.0.1:9/none.wav'}
        while not self.stopping.is_set():
            made = self._note('task', lambda: api.call('CreateRecTask', request))
            if 'Data' in made:
                self._note('task', lambda: api.call('DescribeTaskStatus',
                                                    {'TaskId': made['Data']['TaskId']}))
            time.sleep(0.1)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        return self.times


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('program')
    parser.add_argument('folder')
    parser.add_argument('--results', type=int, default=100_000)
    parser.add_argument('--seconds', type=float, default=120, help='of each measurement, at most')
    arguments = parser.parse_args()
    os.environ['LETHE_TEST_PROGRAM'] = os.path.abspath(arguments.program)
    # They read it.
    # pylint: disable=import-outside-toplevel
    import base64
    from forgetting_test import MovedApi, library
    from service import Service
    from support import SENTENCES, run
    folder = tempfile.mkdtemp(prefix='lethe-sweep-', dir=arguments.folder)
    try:
        data, clock = os.path.join(folder, 'data'), os.path.join(folder, 'clock')

        def set_clock(ahead):
            with open(clock + '.new', 'w', encoding='utf-8') as file:
                file.write(f'+{ahead}')
            os.rename(clock + '.new', clock)

        began = time.time()
        fill(arguments.program, arguments.results, data)
        filled = time.time() - began
        # Just before the first result is due; a leap of less than an hour makes all of them so.
        before = int(86_400 - filled - 600)
        ahead = before + int(filled) + 1_200
        assert ahead - before < 3_500, 'filling took too long for one leap'
        set_clock(before)
        keys = run('keys', 'create', '--app', 'bench', '--data', data).stdout.split()
        service = Service(data=data, env={
            'LD_PRELOAD': library(), 'FAKETIME_TIMESTAMP_FILE': clock, 'FAKETIME_NO_CACHE': '1',
            'DONT_FAKE_MONOTONIC': '1', 'FAKETIME_DONT_FAKE_MONOTONIC': '1'})
        try:
            def make_api(moved=before):
                api = MovedApi(service.address, keys[keys.index('SecretId') + 1],
                               keys[keys.index('SecretKey') + 1])
                api.ahead = moved
                return api

            recording = sorted(name for name in os.listdir(SENTENCES) if name.endswith('.wav'))[1]
            with open(os.path.join(SENTENCES, recording), 'rb') as file:
                audio = file.read()
            sentence = {'EngSerViceType': '16k_en', 'SourceType': 1, 'VoiceFormat': 'wav',
                        'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)}
            load = Load(make_api, sentence)
            time.sleep(arguments.seconds)
            quiet = load.stop()

            def removed():
                return int(re.search(r'lethe_retention_removed_total\{of="tasks"\} (\d+)',
                                     service.get('/metrics')[1])[1])

            set_clock(ahead)
            # To a service whose clock leaps it has slept: what is under way then may have been erased
            # meanwhile, and is cancelled.
            time.sleep(3)
            load = Load(lambda: make_api(ahead), sentence)
            began = time.monotonic()
            while time.monotonic() - began < arguments.seconds and removed() < arguments.results:
                time.sleep(1)
            swept, took = removed(), time.monotonic() - began
            busy = load.stop()
        finally:
            service.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f'swept {swept} of {arguments.results} in {took:.0f} s')
    for what in ('sentence', 'task'):
        for name, times in (('before', quiet[what]), ('beside the sweep', busy[what])):
            print(f'{what:9} {name:17} {len(times):6} calls  ' + '  '.join(
                f'p{round(100 * share)} {percentile(times, share):7.1f} ms'
                for share in (0.5, 0.95, 0.99)))
        ratio = percentile(busy[what], 0.95) / percentile(quiet[what], 0.95)
        print(f'{what:9} p95 ratio {ratio:.2f}')


if __name__ == '__main__':
    main()
