#!/usr/bin/env python3
"""The commands beside transcribe, with models."""

import json
import os
import socket
import subprocess
import time

from recordings import read, seconds_of, write
from service import Service
from support import PATIENCE, ProgramTest, SpeechTest, main, run


class CommandTest(SpeechTest):

    def test_models_are_listed_and_verified(self):
        listing = self.assert_good(run('models', 'list'))
        for name in ('moonshine-tiny-en', 'silero-vad'):
            self.assertRegex(listing, f'(?m)^{name} +installed .* MIT ')
        self.assertEqual(self.assert_good(run('models', 'verify', 'silero-vad')),
                         'silero-vad: as published\n')
        self.assertIn('moonshine-tiny-en: as published\n',
                      self.assert_good(run('models', 'verify')))

    def test_doctor_finds_nothing_wrong(self):
        report = self.assert_good(run('doctor'))
        for what in ('processor', 'kernels', 'moonshine-tiny-en', 'silero-vad', 'media cage'):
            self.assertRegex(report, f'(?m)^(ok  |note) {what} ')
        self.assertRegex(report, '(?m)^.{5}media cage +seccomp yes, landlock (yes|no)')

    def test_eval_counts_the_errors_of_a_manifest(self):
        rows = [f'{i}\t{file}\ten\t{seconds_of(file)}\tlibrivox\t{self.spoken[file]}'
                for i, file in enumerate(self.files)]
        manifest = write(self.path('manifest.tsv'), '\n'.join(
            ['id\tfile\tlanguage\tseconds\tsource\ttranscript', *rows, '']).encode())
        scores = json.loads(self.assert_good(run('eval', '--json', '--manifest', manifest)))
        self.assertEqual(scores['total']['clips'], 5)
        self.assertEqual(scores['total']['words'],
                         sum(len(text.split()) for text in self.spoken.values()))
        errors = sum(scores['total'][kind]
                     for kind in ('insertions', 'deletions', 'substitutions'))
        self.assertLessEqual(errors, 6)
        # The best of some alternatives is no worse than the answer, which stays.
        best = json.loads(self.assert_good(
            run('eval', '--json', '--alternatives', '4', '--manifest', manifest)))
        oracle = best['total'].pop('oracle_wer')
        self.assertEqual(best['total']['wer'], scores['total']['wer'])
        self.assertLessEqual(oracle, scores['total']['wer'])
        self.assertIn('oracle %', self.assert_good(
            run('eval', '--live', '8', '--alternatives', '2', '--manifest', manifest)))
        # Spoken into live streams, fast: the same words, and the damaged recording is named.
        damaged = write(self.path('damaged.wav'), b'no recording')
        with open(manifest, 'a', encoding='utf-8') as file:
            file.write(f'bad\t{damaged}\ten\t1\tlibrivox\thello there\n')
        result = run('eval', '--json', '--live', '8', '--manifest', manifest)
        live = json.loads(result.stdout)['total']
        self.assertIn('bad', result.stderr)
        self.assertEqual((live['clips'], live['words']), (6, scores['total']['words'] + 2))
        # Two words of the damaged one, and what a promise may cost.
        errors_live = sum(live[kind] for kind in ('insertions', 'deletions', 'substitutions'))
        self.assertGreaterEqual(errors_live, 2)
        self.assertLessEqual(errors_live, errors + 2 + 2)


class ServiceDoctorTest(ProgramTest):
    """What doctor says of a service's folders, ports and database; beside a service that runs, too."""

    def setUp(self):
        super().setUp()
        self.data = self.path('data')
        self.assert_good(run('apps', 'create', 'one', '--data', self.data))

    def report(self, *options, code=None):
        config = write(self.path('lethe.toml'), '\n'.join(options).encode())
        result = run('doctor', '--config', config, '--data', self.data)
        self.assertEqual(result.stderr, '')
        if code is not None:
            self.assertEqual(result.returncode, code)
        return result.stdout

    def test_beside_a_running_service_nothing_fails_and_the_service_keeps_its_folder(self):
        service = Service(data=self.data)
        try:
            report = self.report(f'listen = ["{service.address}"]')
            self.assertNotRegex(report, '(?m)^FAIL (?!moonshine|silero)')
            self.assertRegex(report, '(?m)^ok   records .* can be opened')
            self.assertRegex(report, '(?m)^(ok  |note) ledger ')
            self.assertRegex(report, f'(?m)^note listen +{service.address} is in use')
            second = run('serve', '--listen', '127.0.0.1:0', '--data', self.data)
            self.assertEqual(second.returncode, 1)
            self.assertIn('another service runs on this data folder', second.stderr)
        finally:
            service.stop()

    def test_folders_and_keys_are_good_or_what_is_wrong_is_named(self):
        report = self.report('listen = ["127.0.0.1:0"]')
        for what in ('listen', 'open files', 'disk', 'keys', 'key files', 'records'):
            self.assertRegex(report, f'(?m)^(ok  |note) {what} ')
        self.assertRegex(report, '(?m)^(ok  |note) clock ')
        self.assertNotRegex(report, '(?m)^FAIL (?!moonshine|silero)')
        keys = self.data + '/keys'
        for path, mode, what in ((keys, 0o750, 'keys'), (keys + '/master.key', 0o640, 'key files')):
            before = os.stat(path).st_mode
            os.chmod(path, mode)
            self.assertRegex(self.report(code=1), f'(?m)^FAIL {what} +.*{path}')
            os.chmod(path, before)

    def test_a_clock_that_is_behind_or_leapt_is_told(self):
        now = int(time.time() * 1000)
        for saved, what in ((f'{now}\n{now}\n', 'ok   latest time'),
                            (f'{now + 86_400_000}\n{now}\n', 'note latest time +.* 86[34]'),
                            (f'{now - 86_400_000}\n{now}\n', 'FAIL latest time +.* leapt ahead'),
                            ('', 'FAIL latest time +.*remove it')):
            write(self.data + '/clock', saved.encode())
            self.assertRegex(self.report('listen = ["127.0.0.1:0"]'), '(?m)^' + what)

    def test_keys_that_do_not_open_are_told(self):
        good = self.report('listen = ["127.0.0.1:0"]')
        self.assertRegex(good, '(?m)^ok   records ')
        hour = int(time.time()) // 3600
        for name, advice in ((f'epochs/result.default.{hour}.key', 'hour'), ('tenants/1300000001.key', 'backup')):
            path = os.path.join(self.data, 'keys', name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write(path, os.urandom(72))
            os.chmod(path, 0o600)
            self.assertRegex(self.report('listen = ["127.0.0.1:0"]', code=1), f'(?m)^FAIL keys +{path}.*{advice}')
            os.remove(path)

    def test_records_whose_keys_or_ledger_are_elsewhere_are_told(self):
        elsewhere = self.path('other', 'keys')
        self.assertRegex(self.report('[store]', f'keys = "{elsewhere}"', code=1),
                         f'(?m)^FAIL keys +{elsewhere} is not there')
        elsewhere = self.path('other', 'ledger')
        self.assertRegex(self.report('[store]', f'ledger = "{elsewhere}"'),
                         f'(?m)^note ledger +{elsewhere} is not there')

    def test_ports_are_tried(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertRegex(self.report(f'listen = ["127.0.0.1:{port}"]'),
                             f'(?m)^note listen +127.0.0.1:{port} is in use')
        self.assertRegex(self.report('listen = ["192.0.2.1:8089"]', code=1),
                         '(?m)^FAIL listen +192.0.2.1:8089 cannot')

    def test_certificates_are_read(self):
        def certificate(days):
            subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', days, '-subj', '/CN=x',
                            '-out', self.path('c.pem'), '-keyout', self.path('k.pem')], check=True,
                           stderr=subprocess.DEVNULL, timeout=PATIENCE)
            return '[tls]', f'certificate = "{self.path("c.pem")}"', f'key = "{self.path("k.pem")}"'
        self.assertRegex(self.report(*certificate('30')), '(?m)^ok   certificate .* holds until 20')
        self.assertRegex(self.report(*certificate('5')), '(?m)^note certificate .*reload')
        self.assertRegex(self.report('[tls]', 'key = "/none.pem"', code=1), '(?m)^FAIL certificate +wants both')
        self.assertRegex(self.report('[tls]', 'key = "/none.pem"', 'certificate = "/none.pem"', code=1),
                         '(?m)^FAIL certificate .*/none.pem')

    def test_records_and_keys_that_do_not_open_are_told(self):
        self.assertRegex(self.report(), '(?m)^ok   records .* can be opened')
        for name in ('keys/master.key', 'keys/region'):
            path = os.path.join(self.data, name)
            before = read(path)
            with open(path, 'wb'):
                pass
            report = self.report(code=1)
            self.assertRegex(report, '(?m)^FAIL records ', name)
            write(path, before)
        self.assertRegex(self.report(), '(?m)^ok   records .* can be opened')

    def test_a_database_that_does_not_answer_is_told(self):
        report = self.report('[store]', 'dsn = "mysql://lethe@127.0.0.1:1/lethe"', code=1)
        self.assertRegex(report, '(?m)^FAIL database +')

    def test_a_data_folder_that_is_not_there_is_no_failure_and_is_not_made(self):
        self.data = self.path('other')
        self.assertRegex(self.report(), '(?m)^note data folder .*not there yet')
        self.assertFalse(os.path.exists(self.data))


if __name__ == '__main__':
    main()
