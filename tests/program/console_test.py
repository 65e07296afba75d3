#!/usr/bin/env python3
"""The console in a browser, as people use it: signing in, speaking, dropping files, forgetting; and
when the session ends, the service is restarted or the microphone is refused.

Method: Debian's Chromium, driven by tests/console/drive.mjs (playwright-core), on a real service; its
microphone plays a recording of Debian's. Accessibility is judged by axe-core.
"""

import base64
import http.client
import http.server
import json
import os
import shutil
import subprocess
import threading
import unittest

from api3 import Api3
from own_api import call_own
from service import Service
from support import PATIENCE, SpeechTest, main, run, word_errors

CONSOLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'console')
CHROMIUM = os.environ.get('LETHE_CHROMIUM', '/usr/bin/chromium')
# A name that would do something if it were taken for markup.
MARKUP = '<img src=x onerror=document.title=1>'
ALL_HOLD = ['check-true'] * 3


class ConsoleTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        missing = None
        if not os.path.exists(CHROMIUM):
            missing = 'no chromium: make setup'
        elif not os.path.isdir(os.path.join(CONSOLE, 'node_modules', 'playwright-core')):
            missing = 'playwright-core is not installed: make clients'
        if missing and os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
            raise AssertionError(missing)
        if missing:
            raise unittest.SkipTest(missing)
        cls.service = Service()
        cls.addClassCleanup(lambda: cls.service.stop())  # whichever is running then
        made = run('apps', 'create', MARKUP, '--data', cls.service.data)
        if made.returncode != 0:
            raise AssertionError(made.stderr)

    def driver(self, scenario, *files, service=None):
        service = service or self.service
        environment = dict(service.environment, LETHE_RECORDING=self.long,
                           LETHE_CONSOLE_PASSWORD=service.keys['Console password'])
        return subprocess.Popen(['node', os.path.join(CONSOLE, 'drive.mjs'), scenario, *files],
                                env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def drive(self, scenario, *files):
        """What a scenario saw."""
        with self.driver(scenario, *files) as driver:
            return self.seen(driver)

    def seen(self, driver):
        output, errors = driver.communicate(timeout=PATIENCE)
        self.assertEqual(driver.returncode, 0, errors)
        seen = json.loads(output)
        self.assertEqual(seen.pop('complaints', []), [])
        return seen

    def task(self):
        """A finished task; its number, as text."""
        keys = self.service.keys
        api = Api3(self.service.address, keys['SecretId'], keys['SecretKey'])
        with open(self.short, 'rb') as file:
            audio = file.read()
        made = api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
            'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)})
        number = made['Data']['TaskId']
        self.wait_until(lambda: api.call('DescribeTaskStatus', {'TaskId': number})['Data'][
            'StatusStr'] == 'success')
        return str(number)

    def test_signing_in_and_out_and_what_the_page_may_do(self):
        seen = self.drive('sign_in')
        self.assertEqual(seen['address'], f'http://{self.service.address}/console/')
        # The first paint, headers and all.
        self.assertLess(seen['bytes'], 100_000)
        policy = seen['headers']['content-security-policy']
        self.assertNotIn('unsafe', policy)
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'",
                     "frame-ancestors 'none'", "connect-src 'self'"):
            self.assertIn(part, policy)
        self.assertEqual(seen['headers']['x-content-type-options'], 'nosniff')
        self.assertEqual(seen['headers']['referrer-policy'], 'no-referrer')
        self.assertEqual(seen['wrong'], 'That is not the console’s password.')
        self.assertEqual(seen['menu'], ['Speak', 'Drop', 'Held', 'Set up'])
        self.assertEqual(seen['cookie'], {'httpOnly': True, 'sameSite': 'Strict', 'path': '/',
                                          'secure': False})
        # A name is text, whatever is in it.
        self.assertIn(MARKUP, seen['application'])
        self.assertEqual((seen['images'], seen['title']), (0, 'Lethe'))
        self.assertEqual(seen['cookies_left'], 0)

    def request(self, method, path, headers=None, body=None):
        connection = http.client.HTTPConnection(self.service.address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read()

    def test_files_are_compressed_and_kept_by_browsers(self):
        plain = self.request('GET', '/console/')
        self.assertEqual(plain[0].headers['Content-Type'], 'text/html; charset=utf-8')
        etag = plain[0].headers['ETag']
        again = self.request('GET', '/console/', {'If-None-Match': etag})
        self.assertEqual((again[0].status, again[1]), (304, b''))
        for accepted, coding in (('gzip, deflate, br', 'br'), ('gzip', 'gzip'), ('br;q=0', None),
                                 ('br;q=0.5', 'br'), ('', None)):
            answer, body = self.request('GET', '/console/', {'Accept-Encoding': accepted})
            self.assertEqual(answer.headers['Content-Encoding'], coding)
            if coding is None:
                self.assertEqual(body, plain[1])
        script = plain[1].decode().split('src="')[1].split('"')[0]
        answer, body = self.request('GET', '/console/' + script)
        self.assertIn('immutable', answer.headers['Cache-Control'])
        self.assertIn(b'Speak', body)
        self.assertEqual(self.request('GET', '/console/../etc/passwd')[0].status, 404)
        self.assertEqual(self.request('GET', '/console')[0].headers['Location'], '/console/')
        # Whoever signs nothing and wants no page is told what is missing, as before.
        self.assertEqual(self.request('GET', '/')[0].status, 200)

    def test_a_session_needs_the_page_and_its_origin(self):
        origin = 'http://' + self.service.address
        ours = {'X-Lethe-Console': '1', 'Origin': origin}
        body = json.dumps({'password': self.service.keys['Console password']})
        for headers in ({}, {'X-Lethe-Console': '1'}, {'Origin': origin},
                        {**ours, 'Origin': 'http://127.0.0.1:1'}, {**ours, 'Origin': 'null'}):
            self.assertEqual(self.request('POST', '/console/session', headers, body)[0].status, 403)
        answer, _ = self.request('POST', '/console/session', ours, body)
        cookie = answer.headers['Set-Cookie'].split(';')[0]
        self.assertNotIn('Secure', answer.headers['Set-Cookie'])
        over_tls, _ = self.request('POST', '/console/session',
                                   {**ours, 'Origin': 'https://' + self.service.address}, body)
        self.assertIn('; Secure', over_tls.headers['Set-Cookie'])

        def status(method, path, headers, body=None):
            return self.request(method, path, {'Cookie': cookie, **headers}, body)[0].status
        self.assertEqual(status('GET', '/lethe/v1/applications', {'X-Lethe-Console': '1'}), 200)
        self.assertEqual(status('GET', '/lethe/v1/applications', {}), 401)
        self.assertEqual(status('GET', '/lethe/v1/applications',
                                {'X-Lethe-Console': '1', 'Origin': 'http://evil.example'}), 401)
        erase = json.dumps({'call_id': 'none'})
        self.assertEqual(status('POST', '/lethe/v1/erase', {'X-Lethe-Console': '1'}, erase), 401)
        self.assertEqual(status('POST', '/lethe/v1/erase', ours, erase), 200)
        # For an application that is there and that is named.
        for app_id, expected in ((self.service.keys['AppId'], 400), ('1', 401), ('', 401)):
            self.assertEqual(status('POST', '/v1/audio/transcriptions',
                                    {**ours, 'X-Lethe-Application': app_id}, b''), expected)
        self.assertEqual(status('POST', '/v1/audio/transcriptions',
                                {'X-Lethe-Application': self.service.keys['AppId']}, b''), 401)
        self.assertEqual(status('DELETE', '/console/session', ours), 200)
        self.assertEqual(status('GET', '/lethe/v1/applications', {'X-Lethe-Console': '1'}), 401)

    def test_pages_of_other_origins_reach_nothing(self):
        handler = type('Empty', (http.server.BaseHTTPRequestHandler,), {
            'do_GET': lambda self: (self.send_response(200), self.end_headers()),
            'log_message': lambda *_: None})
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
        threading.Thread(target=server.serve_forever).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        # Another port of the same host: the same site to the browser, so the cookie is sent.
        seen = self.drive('other_origin', f'http://127.0.0.1:{server.server_port}/')
        self.assertEqual((seen['read'], seen['with_header']), ('refused', 'refused'))
        self.assertEqual(seen['socket'], 4002)
        calls = call_own(self.service, 'held?class=operation_log&call_id=v')[1]
        self.assertEqual(calls['items'], [])

    def test_what_is_spoken_becomes_text_and_is_forgotten(self):
        seen = self.drive('speak')
        said = seen['json']['text'] and json.loads(seen['json']['text'])
        self.assertLessEqual(word_errors(self.spoken[self.long], said['text']), 3, said['text'])
        self.assertIn(said['text'].split()[0], seen['text'])
        self.assertRegex(seen['delay'], r'^\d+\.\d s$')
        self.assertNotEqual(seen['level'], '')
        self.assertEqual(' '.join(seen['copied'].split()), said['text'])
        self.assertEqual(seen['txt']['name'], 'recording.txt')
        self.assertRegex(seen['srt']['text'], r'^1\n00:00:0\d,\d{3} --> 00:00:\d\d,\d{3}\n\w')
        self.assertRegex(seen['vtt']['text'], r'^WEBVTT\n\n00:00:0\d\.\d{3} --> ')
        words = [word for line in said['segments'] for word in line['words']]
        self.assertTrue(all(0 <= word['confidence'] <= 1 for word in words), words)
        self.assertIn('operation log: 1 erased (requested)', seen['forgotten'])
        self.assertEqual(seen['checks'], ALL_HOLD)

    def test_a_refused_microphone_is_told(self):
        seen = self.drive('refused_microphone')
        self.assertIn('was told not to give the microphone', seen['said'])
        self.assertTrue(seen['button'])

    def test_a_session_that_ends_while_recording_loses_nothing(self):
        seen = self.drive('session_ends')
        self.assertEqual(seen['ended'], 200)
        self.assertIn('What was said is kept', seen['note'])
        self.assertRegex(seen['text'], r'\w+ \w+')

    def test_a_service_that_is_restarted_loses_nothing_of_what_was_said(self):
        service = Service(data=self.path('data', 'of', 'service'))
        self.addCleanup(lambda: service.stop())
        with self.driver('restart', service=service) as driver:
            self.assertEqual(driver.stderr.readline(), 'speaking\n')
            service.process.kill()
            self.assertEqual(driver.stderr.readline(), 'lost\n')
            address, data, keys = service.address, service.data, service.keys
            service.stop()
            service = Service('--listen', address, data=data)
            service.keys = keys
            seen = self.seen(driver)
        self.assertIn('was lost', seen['lost'])
        self.assertIn('Your session has ended: the service was restarted', seen['ended'])
        self.assertRegex(seen['text'], r'\w+ \w+')
        self.assertEqual(seen['kept'], seen['text'])

    def test_a_dropped_file_gets_subtitles(self):
        seen = self.drive('drop', self.long, self.folder)
        self.assertIn('huge.mp4 (2.0 GB)', seen['refused'])
        self.assertIn('up to 25 MB', seen['refused'])
        self.assertEqual(seen['sent'], 0)
        self.assertEqual(seen['title'], '<b>talk</b>.wav')
        self.assertLessEqual(word_errors(self.spoken[self.long], seen['text']), 2)
        self.assertGreater(seen['position'], 1)
        self.assertEqual(seen['focused'], seen['second'])
        self.assertTrue(seen['drawn'])
        self.assertEqual(seen['invalid'], 'true')
        self.assertRegex(seen['vtt']['text'],
                         r'^WEBVTT\n\n00:00:00\.250 --> 00:00:\d\d\.\d{3}\nTea &amp; &lt;biscuits&gt;\n')
        self.assertIn('\nTea & <biscuits>\n', seen['srt']['text'])
        self.assertEqual(seen['srt']['name'], '_b_talk__b_.srt')

    def test_what_is_held_is_forgotten_with_a_receipt(self):
        seen = self.drive('held', self.task())
        self.assertRegex(seen['countdown'], r'^(23 h \d\d min|1 d 0 h)$')
        self.assertEqual(seen['found'], '2 held.')
        self.assertIn('Forgotten: 1 text, 0 recordings, 1 row of the operation log.',
                      seen['forgotten'])
        self.assertEqual(seen['checks'], ALL_HOLD * 2)
        self.assertEqual(seen['receipt']['says']['cause'], 'requested')
        self.assertIn('longer', seen['longer'])

    def test_applications_and_keys_are_made_and_removed(self):
        seen = self.drive('set_up')
        self.assertRegex(seen['key'], r'^lethe-sk-\w{40}$')
        self.assertEqual([len(text) for text in seen['pair']], [36, 32])
        self.assertEqual(seen['left'], 0)
        # The removed key opens nothing; the pair is still there.
        self.assertEqual(call_own(self.service, 'applications', key=seen['key'])[0], 401)
        self.assertIn('no such key', seen['gone'])
        self.assertEqual(seen['rows'], 1)
        self.assertIn(f'http://{self.service.address}/v1/audio/transcriptions', seen['curl'])
        self.assertIn('<b>Ward</b> 4', json.dumps(call_own(
            self.service, 'applications', password=self.service.keys['Console password'])))

    def test_a_receipt_that_was_changed_does_not_verify(self):
        self.assertEqual(self.drive('spoilt_receipt', self.task())['checks'],
                         ['check-true', 'check-false', 'check-true'])

    def test_nothing_serious_stands_in_anybodys_way(self):
        findings = self.drive('accessibility', self.short)['findings']
        self.assertEqual({name: found for name, found in findings.items() if found}, {})
        self.assertEqual(len(findings), 18)


if __name__ == '__main__':
    main()
