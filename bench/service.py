#!/usr/bin/env python3
"""What the service adds to the engine, and whether it stands a full house.

  bench/service.py build/lethe [--minutes M]

1. Overhead: a sentence of 3.2 s, called again and again over HTTP with a bearer key (OpenAI's
   interface), alternating with the same samples through the engine alone in a process of its own
   (`lethe bench speed`), on an otherwise quiet service.
2. /healthz by wrk: answers a second.
3. Full load: sixteen clients (wrk) that send that sentence as fast as they are answered, for M
   minutes (10); every answer that is not 200 counts, and what the process holds before and after.

A table on standard output. Times of a shared machine: compare within a run.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SENTENCE = ('/usr/share/pocketsphinx/test/data/librivox/'
            'sense_and_sensibility_01_austen_64kb-0930.wav')
BOUNDARY = 'lethe-bench'
ROUNDS, CALLS = 5, 40


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Service:
    """A service on a free port with records of its own."""

    def __init__(self, lethe):
        self.folder = tempfile.mkdtemp(prefix='lethe_bench_')
        data = os.path.join(self.folder, 'data')
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([lethe, 'serve', '--listen', '127.0.0.1:0', '--data', data],
                                        stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if match := re.search(r'API key .* (\S+)$', line):
                self.key = match[1]
            if match := re.match(r'listening on http://(\S+)$', line):
                self.address = match[1]
                break
        try:
            subprocess.run([lethe, 'apps', 'quota', 'default', '--interface', 'openai', '--rate',
                            '1000000', '--concurrency', '1000000', '--data', data], check=True,
                           stdout=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            self.stop()
            raise

    def resident_mb(self):
        with open(f'/proc/{self.process.pid}/status', encoding='utf-8') as file:
            return int(re.search(r'VmRSS:\s+(\d+)', file.read())[1]) / 1024

    def stop(self):
        self.process.terminate()
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            shutil.rmtree(self.folder)


def form():
    with open(SENTENCE, 'rb') as file:
        recording = file.read()
    head = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n')
    return head.encode() + recording + f'\r\n--{BOUNDARY}--\r\n'.encode()


def call_milliseconds(service, body, count):
    connection = http.client.HTTPConnection(service.address)
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        connection.request('POST', '/v1/audio/transcriptions', body, {
            'Authorization': 'Bearer ' + service.key,
            'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'})
        answer = connection.getresponse()
        text = answer.read()
        times.append((time.perf_counter() - begin) * 1000)
        if answer.status != 200:
            sys.exit(f'service: answered {answer.status}: {text[:200]}')
    connection.close()
    return times


def engine_milliseconds(lethe, count):
    result = subprocess.run([lethe, 'bench', 'speed', '--json', '--runs', str(count), SENTENCE],
                            check=True, stdout=subprocess.PIPE)
    measured = json.loads(result.stdout)
    return measured['median_ms'], measured['p95_ms']


def wrk(folder, url, seconds, clients, script=None):
    arguments = ['wrk', '-t', '1', '-c', str(clients), '-d', f'{seconds}s', '--latency',
                 '--timeout', '60s']
    if script:
        path = os.path.join(folder, 'calls.lua')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(script)
        arguments += ['-s', path]
    text = subprocess.run([*arguments, url], check=True, stdout=subprocess.PIPE, text=True).stdout
    bad = re.search(r'Non-2xx or 3xx responses: (\d+)', text)
    sockets = re.search(r'Socket errors: (.*)', text)
    return {'requests': int(re.search(r'(\d+) requests in', text)[1]),
            'per_second': float(re.search(r'Requests/sec:\s+([\d.]+)', text)[1]),
            'p99': re.search(r'99%\s+(\S+)', text)[1],
            'bad': int(bad[1]) if bad else 0,
            'sockets': sockets[1] if sockets else 'none'}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('lethe')
    parser.add_argument('--minutes', type=float, default=10)
    options = parser.parse_args()
    service = Service(options.lethe)
    code = 1
    try:
        code = measure(options, service)
    finally:
        code = service.stop() or code
    sys.exit(code)


def measure(options, service):
    body = form()
    call_milliseconds(service, body, 5)
    engine, calls = [], []
    for _ in range(ROUNDS):
        engine.append(engine_milliseconds(options.lethe, CALLS))
        times = call_milliseconds(service, body, CALLS)
        calls.append((statistics.median(times), quantile(times, .95)))
    print('| ms, a sentence of 3.2 s, medians of rounds | p50 | p95 |\n|---|---|---|')
    middle = [[statistics.median(column) for column in zip(*rounds)] for rounds in (engine, calls)]
    middle.append([call - alone for alone, call in zip(*middle)])
    for name, (half, most) in zip(('samples through the engine', 'call over HTTP', 'difference'),
                                  middle):
        print(f'| {name} | {half:.1f} | {most:.1f} |')
    print(flush=True)

    health = wrk(service.folder, f'http://{service.address}/healthz', 10, 64)
    print(f'/healthz: {health["per_second"]:.0f} answers a second, p99 {health["p99"]}, '
          f'{health["bad"]} bad, socket errors: {health["sockets"]}', flush=True)

    with open(os.path.join(service.folder, 'body'), 'wb') as file:
        file.write(body)
    script = (f'wrk.method = "POST"\nlocal file = io.open("{service.folder}/body", "rb")\n'
              f'wrk.body = file:read("*a")\nwrk.headers["Authorization"] = "Bearer {service.key}"\n'
              f'wrk.headers["Content-Type"] = "multipart/form-data; boundary={BOUNDARY}"\n')
    url = f'http://{service.address}/v1/audio/transcriptions'
    wrk(service.folder, url, 10, 16, script)
    before = service.resident_mb()
    load = wrk(service.folder, url, int(options.minutes * 60), 16, script)
    print(f'full load, {options.minutes:g} minutes: {load["requests"]} calls, '
          f'{load["per_second"]:.1f} a second ({load["per_second"] * 3.2:.0f} s of audio a second), '
          f'p99 {load["p99"]}, {load["bad"]} bad, socket errors: {load["sockets"]}; '
          f'resident {before:.1f} MB, then {service.resident_mb():.1f} MB')
    return 1 if load['bad'] or health['bad'] else 0


if __name__ == '__main__':
    main()
