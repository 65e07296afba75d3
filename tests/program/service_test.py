#!/usr/bin/env python3
"""The service as whoever runs it sees it: starting, being told what is wrong, restarting, bad
clients, stopping.

Method: processes and raw sockets on loopback. A test that needs no speech uses none.
"""

import array
import concurrent.futures
import contextlib
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import time
import urllib.error

from every_interface import openai
from recordings import RATE, read_samples, write_wav
from service import Service
from support import PATIENCE, ProgramTest, ReservedPort, SpeechTest, main, program_path, run


def resident_kilobytes(pid):
    with open(f'/proc/{pid}/status', encoding='utf-8') as file:
        return int(re.search(r'VmRSS:\s+(\d+)', file.read())[1])


class ServeOptionTest(ProgramTest):
    """What can be told without models."""

    def config(self, text):
        path = self.path('lethe.toml')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def test_every_problem_of_the_configuration_is_told_at_once(self):
        result = run('serve', '--check', '--config', self.config(
            'listne = "x"\n[limits]\nstreams = 0\nupload_mb = "much"\n[engines]\n"16k_en" = 5.5\n'),
            env={'LETHE_IO_THREADS': 'many'})
        self.assert_one_line(result)
        problems = result.stderr.partition('put right: ')[2].split('; ')
        mentions = ('lethe.toml:1: listne', 'limits.streams has to be a number from 1',
                    'limits.upload_mb', 'engines', 'LETHE_IO_THREADS')
        self.assertEqual(len(problems), len(mentions))
        for mention in mentions:
            self.assertEqual(sum(mention in problem for problem in problems), 1, mention)
        self.assertNotIn('?', result.stderr)

    def test_flags_go_before_the_environment_and_that_before_the_file(self):
        path = self.config('default_engine = "16k_en"\nio_threads = 5\n[limits]\nstreams = 7\n')
        shown = self.assert_good(run('serve', '--show-config', '--config', path, '--io-threads', '9',
                                     env={'LETHE_IO_THREADS': '8', 'LETHE_DEFAULT_ENGINE': '8k_en'}))
        self.assertIn('io_threads = 9\n', shown)
        self.assertIn('default_engine = "8k_en"\n', shown)
        self.assertIn('limits.streams = 7\n', shown)
        # What is shown is a configuration.
        self.assert_good(run('serve', '--check', '--config', self.config(shown)))

    def test_bad_addresses_and_ranges_end_in_one_line(self):
        for arguments, mention in ((['--listen', 'nonsense'], 'nonsense'),
                                   (['--listen', '127.0.0.1:99999'], '99999'),
                                   (['--listen', 'nosuchhost:80'], 'nosuchhost'),
                                   (['--outbound.ports', '443x'], '443x'),
                                   (['--outbound.ports', 'https'], 'https'),
                                   (['--outbound.ports', '99999999999999'], '99999999999999'),
                                   (['--outbound.ports', '0'], '65535'),
                                   (['--outbound.allow', '10.0.0.0/99'], '10.0.0.0/99')):
            self.assert_one_line(run('serve', '--check', *arguments), mention)
        self.assert_one_line(run('serve', '--check', '--config', self.path('none')), 'none')
        self.assert_one_line(run('serve', '--check', '--config', self.config('[limitz]\n')), 'limitz', 'section')
        self.assert_one_line(run('serve', '--check', '--config', self.config('a = [')), 'lethe.toml:1')


    def test_variables_that_nothing_reads_are_told_with_what_was_meant(self):
        told = run('serve', '--check', env={'LETHE_LIMITS_STREMS': '5', 'LETHE_NOTHING_OF_OURS': 'a-value'})
        self.assertEqual((told.returncode, told.stdout), (0, 'the configuration is in order\n'))
        self.assertIn('LETHE_LIMITS_STREMS (LETHE_LIMITS_STREAMS?), LETHE_NOTHING_OF_OURS', told.stderr)
        self.assertEqual(told.stderr.count('\n'), 1)
        self.assertNotIn('a-value', told.stderr)
        # What is read elsewhere, and what Kubernetes makes for a service of this name.
        self.assert_good(run('serve', '--check', env={
            'LETHE_LIMITS_STREAMS': '5', 'LETHE_DATA': self.path('d'), 'LETHE_MODELS': self.path('m'),
            'LETHE_ISA': 'scalar', 'LETHE_S3_ACCESS_KEY_ID': 'a', 'LETHE_TEST_ANYTHING': '1',
            'LETHE_SERVICE_HOST': '10.0.0.1', 'LETHE_PORT_80_TCP_PORT': '80'}))

    def test_how_to_compute_is_checked_too(self):
        for name, wrong in (('LETHE_ISA', 'avx1024'), ('LETHE_FRAMES', 'some')):
            self.assert_one_line(run('serve', '--check', env={name: wrong}), name, wrong)

    def test_files_that_the_service_could_not_start_with_are_told(self):
        none = self.path('none.pem')
        for arguments, mention in (
                (['--listen', 'tls:127.0.0.1:0'], 'tls.certificate'),
                (['--listen', 'tls:127.0.0.1:0', '--tls.certificate', none, '--tls.key', none], none),
                (['--store.dsn', 'mysql://lethe:secret@db.example/lethe'], 'password'),
                (['--store.password-file', none], none),
                (['--store.objects', 's3://?endpoint=x'], 'bucket'),
                (['--data', '/dev/null/x'], '/dev/null/x'), (['--data', '/dev/null'], '/dev/null'),
                (['--engines', '16k_en=moonshine-tiny-zh'], 'moonshine-tiny-zh'),
                (['--default-engine', '16k_fr'], '16k_fr')):
            result = run('serve', '--check', *arguments)
            self.assert_one_line(result, mention)
            self.assertNotIn('secret', result.stderr)


class ServiceLogTest(SpeechTest):
    """What is said while it runs."""

    def test_machines_get_an_object_a_line(self):
        service = Service('--log.format', 'json', '--first-keys', 'false')
        code, errors = service.stop()
        self.assertEqual((code, service.keys), (0, {}))
        events = [json.loads(line) for line in errors.splitlines()]
        self.assertEqual([event['event'] for event in events], ['no_application', 'stopping'])
        self.assertEqual(events[1]['at_most_ms'], 30_000)
        for event in events:
            self.assertRegex(event['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')
            self.assertIn(event['level'], ('info', 'warning', 'error'))

    def test_an_error_that_ends_it_is_an_object_too(self):
        result = run('serve', '--log.format', 'json', '--data', self.path('x'), '--listen', '127.0.0.1:0',
                     '--default-engine', 'none')
        self.assertEqual(result.returncode, 1)
        self.assertIn('default_engine', json.loads(result.stderr)['message'])
        self.assert_one_line(run('serve', '--check', '--log.format', 'xml'), 'log.format', 'xml')


class ServiceTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What was freed and the address sanitizer still holds, to find who uses it, is no leak.
        cls.service = Service(env={'ASAN_OPTIONS': 'quarantine_size_mb=8'})
        cls.addClassCleanup(cls.service.stop)

    def connect(self):
        host, port = self.service.address.split(':')
        return socket.create_connection((host, int(port)), timeout=PATIENCE)

    def exchange(self, request):
        with self.connect() as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b''
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(65536):
                    answer += piece
        return answer

    def post(self, headers, body):
        head = ''.join(f'{name}: {value}\r\n' for name, value in headers.items())
        return self.exchange(f'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}'
                             f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)

    def test_it_is_alive_ready_and_counts(self):
        self.assertEqual(self.service.get('/healthz'), (200, 'ok\n'))
        self.assertEqual(self.service.get('/readyz'), (200, 'ready\n'))
        self.assertIn('lethe_http_requests_total', self.service.get('/metrics')[1])

    def test_the_api_answers_200_and_plain_json_whatever_is_wrong(self):
        for headers, body in (({}, b'{}'), ({'Authorization': 'TC3-HMAC-SHA256 x'}, b'{}'),
                              ({'Authorization': 'SKIP'}, b'\xff\xfe'), ({}, b'')):
            answer = self.post(headers, body)
            self.assertTrue(answer.startswith(b'HTTP/1.1 200 '), answer[:80])
            self.assertIn(b'\r\nContent-Type: application/json\r\n', answer)
            response = json.loads(answer.partition(b'\r\n\r\n')[2])['Response']
            self.assertTrue(response['Error']['Code'].startswith('AuthFailure.'), response)
            self.assertRegex(response['RequestId'], r'^[0-9a-f-]{36}$')
        answer = self.exchange(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n')
        self.assertIn(b'RequestSizeLimitExceeded', answer)

    def test_broken_clients_get_an_answer_or_a_closed_connection(self):
        for request in (b'\x00' * 100, b'GET', b'GET / HTTP/9.9\r\n\r\n', b'\r\n' * 1000,
                        b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
                        b'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n',
                        b'GET /asr/v2/1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
                        b'GET /' + b'a' * 100_000 + b' HTTP/1.1\r\n\r\n',
                        b'GET / HTTP/1.1\r\n' + b'X: y\r\n' * 20_000 + b'\r\n'):
            self.exchange(request)
        self.assertEqual(self.service.get('/healthz')[0], 200)

    def test_thousands_of_idle_connections_are_in_nobodys_way(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(5000, hard - 100)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
        with contextlib.ExitStack() as idle:
            for _ in range(count):
                idle.enter_context(self.connect())
            self.assertEqual(self.service.get('/healthz')[0], 200)
            self.assertLess(resident_kilobytes(self.service.process.pid), 1_000_000)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_hanging_up_again_and_again_leaves_nothing_behind(self):
        handshake = (b'GET /asr/v2/1?secretid=x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n'
                     b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                     b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
        upload = b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n' + b'x' * 100_000

        def rounds(count):
            for i in range(count):
                with self.connect() as connection:
                    connection.sendall(handshake if i % 2 else upload)
        rounds(100)
        before = resident_kilobytes(self.service.process.pid)
        rounds(500)
        self.assertEqual(self.service.get('/healthz')[0], 200)
        self.assertLess(resident_kilobytes(self.service.process.pid) - before, 30_000)


class RestartTest(SpeechTest):

    def api(self, service, *arguments):
        """Calls the command line's own commands on the service's records."""
        return self.assert_good(run(*arguments, '--data', service.data))

    def test_keys_are_told_once_and_records_outlive_the_process(self):
        data = self.path('data', 'x')
        first = Service(data=data)
        self.assertEqual(sorted(first.keys), ['API key', 'AppId', 'Console password', 'SecretId',
                                              'SecretKey'])
        self.assertEqual(first.stop()[0], 0)
        again = Service(data=data)
        self.assertEqual(again.keys, {})
        self.assertEqual(again.stop()[0], 0)
        for folder, _, files in os.walk(data):
            for name in files:
                self.assertEqual(os.stat(os.path.join(folder, name)).st_mode & 0o077, 0, name)

    def test_a_port_in_use_and_a_model_that_is_missing_are_told_before_anything_starts(self):
        service = Service()
        self.addCleanup(service.stop)
        result = subprocess.run(
            [program_path(), 'serve', '--listen', service.address, '--data', self.path('d', 'x')],
            capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn('cannot listen on ' + service.address, result.stderr)
        self.assertIn('--listen', result.stderr)
        # Keys are shown once: by the start that serves.
        self.assertEqual(result.stdout, '')
        later = Service(data=self.path('d', 'x'))
        self.addCleanup(later.stop)
        self.assertIn('SecretKey', later.keys)
        self.assert_one_line(
            run('serve', '--listen', '127.0.0.1:0', '--data', self.path('e', 'x'), '--engines',
                '16k_en=moonshine-of-nobody'), '16k_en', 'moonshine-of-nobody')

    def test_stopping_finishes_what_runs(self):
        service = Service()
        host, port = service.address.split(':')
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n')
            # Its header was read when another connection, made later, is answered.
            service.get('/healthz')
            with concurrent.futures.ThreadPoolExecutor() as pool:
                stopped = pool.submit(service.stop)
                time.sleep(0.2)
                connection.sendall(b'{}')
                answer = connection.recv(65536)
                self.assertIn(b'AuthFailure', answer)
                self.assertIn(b'Connection: close', answer)
                self.assertEqual(stopped.result(PATIENCE)[0], 0)


    def test_what_does_not_end_in_time_is_cut_off_told_so_and_costs_nothing(self):
        service = Service('--stop.grace-seconds', '0', data=self.path('data'))
        self.addCleanup(service.stop)
        long = array.array('h')
        while len(long) < 600 * RATE:
            long += read_samples(self.long)
        recording = write_wav(self.path('long.wav'), long)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answer = pool.submit(openai, service, recording)
            self.wait_until(lambda: re.search('(?m)^lethe_engine_recordings [1-9]',
                                              service.get('/metrics')[1]))
            self.assertEqual(service.stop()[0], 0)
            self.assertEqual(json.loads(answer.result(PATIENCE))['error']['code'], 'service_unavailable')
        rows = self.api(service, 'usage', '--calls', '--json').splitlines()
        row, = (json.loads(row) for row in rows)
        self.assertEqual((row['result_code'], row['outcome'], row['provisional_fee']),
                         ('503', 'server_fault', '0.000000'))

    def test_a_folder_has_one_service(self):
        service = Service()
        self.addCleanup(service.stop)
        self.assert_one_line(run('serve', '--listen', '127.0.0.1:0', '--data', service.data),
                             'another service', service.data)

    def test_a_log_that_nobody_reads_keeps_it_neither_from_serving_nor_from_stopping(self):
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b'x')
        os.set_blocking(writing, True)
        # pylint: disable=consider-using-with
        process = subprocess.Popen([program_path(), 'serve', '--listen', '127.0.0.1:0', '--data', self.path('d')],
                                   stdout=subprocess.PIPE, stderr=writing, text=True)
        self.addCleanup(process.kill)
        while not process.stdout.readline().startswith('listening'):
            self.assertIsNone(process.poll())
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)
        process.stdout.close()
        for end in (reading, writing):
            os.close(end)

    def test_without_standard_streams_nothing_else_is_taken_for_them(self):
        data = self.path('d')
        self.assert_good(run('apps', 'create', 'one', '--data', data))
        port = ReservedPort()
        self.addCleanup(port.close)
        # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
        process = subprocess.Popen([program_path(), 'serve', '--listen', f'127.0.0.1:{port.number}', '--data',
                                    data], preexec_fn=lambda: os.closerange(0, 3))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.wait_until(lambda: self.answers(port.number))
        for stream in range(3):
            self.assertEqual(os.readlink(f'/proc/{process.pid}/fd/{stream}'), '/dev/null')
        process.terminate()
        self.assertEqual(process.wait(PATIENCE), 0)

    @staticmethod
    def answers(port):
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), PATIENCE):
            return True
        return False

    def test_connections_beyond_the_open_files_are_refused(self):
        limited = self.path('limited')
        with open(limited, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\nulimit -n 400\nexec {program_path()} "$@"\n')
        os.chmod(limited, 0o700)
        service = Service(program=limited)
        self.addCleanup(service.stop)
        host, port = service.address.split(':')
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
                           for _ in range(200)]
            # 400, less what else may be open.
            self.assertEqual(connections[128].recv(1), b'')
        texts = []

        def answered():  # not before it has seen that the others are gone
            with contextlib.suppress(OSError):
                texts.append(service.get('/metrics')[1])
            return texts

        self.wait_until(answered)
        self.assertRegex(texts[0], '(?m)^lethe_connections_refused_total [1-9]')
        self.assertIn('LimitNOFILE', service.stop()[1])

    def test_keys_that_nobody_saw_are_told_to_be_made_again(self):
        with open('/dev/full', 'wb') as full:
            result = run('serve', '--listen', '127.0.0.1:0', '--data', self.path('d'), stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assert_one_line(result, 'lethe keys create --app default', 'lethe keys password')

    def test_records_that_are_moved_away_while_it_runs_are_told(self):
        service = Service()
        self.addCleanup(service.stop)
        self.assertEqual(service.get('/readyz'), (200, 'ready\n'))
        records = os.path.join(service.data, 'records.db')
        os.rename(records, self.path('records.db'))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            service.get('/readyz')
        self.assertEqual((refused.exception.code, refused.exception.read()), (503, b'records: removed or replaced\n'))
        refused.exception.close()
        time.sleep(1.5)  # it looks every second
        os.rename(self.path('records.db'), records)
        self.assertEqual(service.get('/readyz'), (200, 'ready\n'))
        self.assertIn('removed or replaced', service.stop()[1])

    def test_a_certificate_is_read_again_when_asked(self):
        service = Service(tls=True)
        self.addCleanup(service.stop)
        host, port = service.tls_address.split(':')
        before = ssl.get_server_certificate((host, int(port)))
        self.assertRegex(service.get('/metrics')[1],
                         r'(?m)^lethe_tls_certificate_expiry_timestamp_seconds \d{10}$')
        service.renew_certificate()
        service.process.send_signal(signal.SIGHUP)
        self.wait_until(lambda: ssl.get_server_certificate((host, int(port))) != before)
        with open(service.certificate, encoding='utf-8') as file:
            self.assertEqual(ssl.get_server_certificate((host, int(port))).split(), file.read().split())
        self.assertIn('the certificate was read again', service.stop()[1])


if __name__ == '__main__':
    main()
