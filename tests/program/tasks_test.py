#!/usr/bin/env python3
"""Recording tasks as their owners see them: how far they are, why they failed, whether their callers
were told; and cancelling, trying again and calling back, which end truthfully whatever happens.

Method: a service on real speech; a web server that has recordings, one of them long, and takes
callbacks, or refuses them.
"""

import base64
import http.server
import json
import threading
import time
import urllib.parse

from api3 import Api3
from own_api import call_own
from recordings import header, read_samples
from service import Service
from support import PATIENCE, SPOKEN, SpeechTest, main

SECRET = 'sig-0123456789'


class Web:
    """Serves `files`, by path; takes callbacks, or answers them with HTTP 500 while `refusing`."""

    def __init__(self):
        self.files, self.posts, self.refusing = {}, [], False
        self.mutex = threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):

            def do_GET(self):
                content = owner.files.get(self.path.split('?')[0])
                self._answer(404 if content is None else 200, content or b'')

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'])).decode()
                with owner.mutex:
                    owner.posts.append(dict(urllib.parse.parse_qsl(body)))
                self._answer(500 if owner.refusing else 200, b'{"code":0,"message":"success"}')

            def _answer(self, status, content):
                try:
                    self.send_response(status)
                    self.send_header('Content-Length', str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    pass  # nobody wants it any more

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}'
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def serve(self, path, file):
        with open(file, 'rb') as content:
            self.files[path] = content.read()

    def serve_long_recording(self, speech):
        """Two hours of it at /long.wav, of a telephone's quality: nobody is done with them before they
        are cancelled. Returns how many seconds it is."""
        rate = 8000
        samples = bytes((sample >> 8) + 128 for sample in read_samples(speech)[::2])
        content = samples * (2 * 3600 * rate // len(samples))
        self.files['/long.wav'] = header(len(content), rate=rate, bits=8) + content
        return len(content) / rate

    def url_of(self, path):
        return f'{self.url}{path}?{SECRET}'

    def posts_of(self, task):
        with self.mutex:
            return [post for post in self.posts if post['requestId'] == str(task)]

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class TasksTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Service('--metering.overdue-grace-hours', '0')
        cls.addClassCleanup(cls.service.stop)
        cls.api = Api3(cls.service.address, cls.service.keys['SecretId'],
                       cls.service.keys['SecretKey'])
        cls.password = cls.service.keys['Console password']

    def setUp(self):
        super().setUp()
        self.web = Web()
        self.addCleanup(self.web.stop)

    def create(self, path=None, callback=None):
        """A task whose recording is fetched, or else uploaded."""
        with open(self.short, 'rb') as file:
            audio = file.read()
        source = ({'SourceType': 0, 'Url': self.web.url_of(path)} if path else
                  {'SourceType': 1, 'Data': base64.b64encode(audio).decode()})
        more = {'CallbackUrl': self.web.url_of(callback)} if callback else {}
        return self.api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, **source,
            **more})['Data']['TaskId']

    def see(self, task, **who):
        status, answer = call_own(self.service, f'tasks?task_id={task}', **who)
        self.assertEqual(status, 200, answer)
        self.assertIsNone(SPOKEN.search(json.dumps(answer)))
        self.assertNotIn(SECRET, json.dumps(answer))
        return answer['tasks'][0] if answer['tasks'] else None

    def act(self, task, action, expected=200, **who):
        status, answer = call_own(self.service, 'tasks', {'task_id': task, 'action': action}, **who)
        self.assertEqual(status, expected, answer)
        return answer['task'] if status == 200 else answer['error']

    def wait_for(self, task, wanted):
        until = time.monotonic() + PATIENCE
        while not wanted(seen := self.see(task)):
            self.assertLess(time.monotonic(), until, seen)
            time.sleep(0.05)
        return seen

    def wait_for_state(self, task, state):
        return self.wait_for(task, lambda seen: seen['state'] == state)

    def test_a_running_task_is_seen_cancelled_and_tried_again(self):
        length = self.web.serve_long_recording(self.long)
        task = self.create('/long.wav', '/done')
        running = self.wait_for(task, lambda seen: 'progress' in seen)
        self.assertEqual((running['state'], running['source'], running['actions']),
                         ('running', 'url', ['cancel']))
        self.assertAlmostEqual(running['progress']['total_seconds'], length, delta=1)
        self.assertEqual(running['audio_seconds'], running['progress']['total_seconds'])
        self.assertLess(running['progress']['done_seconds'], length)
        self.assertEqual(running['callback'], {'host': '127.0.0.1', 'state': 'waiting',
                                               'attempts': 0})
        further = self.wait_for(task, lambda seen: seen['progress']['done_seconds'] >
                                running['progress']['done_seconds'])
        self.assertEqual(further['state'], 'running')

        cancelled = self.act(task, 'cancel')
        self.assertEqual((cancelled['state'], cancelled['error']['code']), ('failed', 'cancelled'))
        self.assertNotIn('progress', cancelled)
        self.assertEqual(self.act(task, 'cancel')['state'], 'failed')  # once more: it is
        told = self.wait_for(task, lambda seen: seen['callback']['state'] == 'delivered')
        self.assertEqual((told['callback']['attempts'], told['actions']),
                         (1, ['retry', 'call_back']))
        [post] = self.web.posts_of(task)
        self.assertEqual((post['code'], post['message']), ('10005', cancelled['error']['message']))
        shown = self.api.call('DescribeTaskStatus', {'TaskId': task})['Data']
        self.assertEqual((shown['StatusStr'], shown['ErrorMsg']),
                         ('failed', cancelled['error']['message']))

        again = self.act(task, 'retry')
        self.assertNotEqual(again['task_id'], task)
        self.assertIn(again['state'], ('waiting', 'running'))
        self.assertEqual(again['callback'], {'host': '127.0.0.1', 'state': 'waiting', 'attempts': 0})
        self.assertGreaterEqual(again['created'], cancelled['ended'])
        self.wait_for(again['task_id'], lambda seen: 'progress' in seen)
        self.assertIn('running', self.act(again['task_id'], 'retry', 409)['message'])
        self.act(again['task_id'], 'cancel')
        self.assertEqual(self.see(task), told)

    def test_what_can_be_had_again_is_tried_again(self):
        task = self.create('/late.wav')
        failed = self.wait_for_state(task, 'failed')
        self.assertEqual(failed['error']['code'], 'FailedOperation.ErrorDownFile')
        self.assertEqual(failed['actions'], ['retry'])
        self.assertNotIn('callback', failed)
        self.web.serve('/late.wav', self.short)
        again = self.act(task, 'retry')['task_id']
        done = self.wait_for_state(again, 'success')
        self.assertGreater(done['audio_seconds'], 1)
        self.assertEqual(done['actions'], [])
        for action in ('cancel', 'retry', 'call_back'):
            self.assertEqual(self.act(again, action, 409)['code'], 'failed_precondition')
        states = [self.api.call('DescribeTaskStatus', {'TaskId': each})['Data']['StatusStr']
                  for each in (task, again)]
        self.assertEqual(states, ['failed', 'success'])

    def change(self, what, **more):
        status, answer = call_own(self.service, what, {'app_id': int(self.service.keys['AppId']),
                                                       **more}, password=self.password)
        self.assertEqual(status, 200, answer)

    def set_quota(self, calls_per_second):
        self.change('applications', quota={'interface': 'recording',
                                           'calls_per_second': calls_per_second})
        time.sleep(0.2)  # so long that there is room for a call again, if there may be any

    def calls(self):
        """Recording calls so far: those that succeeded, those that failed."""
        call_own(self.service, 'held?class=operation_log')  # writes down what has just ended
        rows = [row for row in call_own(self.service, 'usage')[1]['days']
                if row['interface'] == 'recording']
        return sum(row['calls'] for row in rows), sum(row['failed'] for row in rows)

    def test_a_retry_is_refused_and_counted_as_a_new_task_is(self):
        good, failed = self.calls()
        task = self.create('/late.wav')
        self.wait_for_state(task, 'failed')
        self.web.serve('/late.wav', self.short)
        consent = ('consent', {'require': True}, {'require': False})
        overdue = ('applications', {'overdue': True}, {'overdue': False})
        for (what, refuse, serve), why in ((consent, 'consent'), (overdue, 'arrears')):
            self.change(what, **refuse)
            for who in ({}, {'password': self.password}):
                self.assertIn(why, self.act(task, 'retry', 403, **who)['message'])
            self.change(what, **serve)
        self.set_quota(0)
        for who in ({}, {'password': self.password}):
            self.assertIn('quota', self.act(task, 'retry', 429, **who)['message'])
        self.set_quota(None)
        for who in ({}, {'password': self.password}):
            self.wait_for_state(self.act(task, 'retry', **who)['task_id'], 'success')
        self.wait_until(lambda: self.calls() == (good + 2, failed + 7))

    def test_a_key_asks_for_no_more_than_its_quota_of_tasks(self):
        task = self.create('/missing.wav', '/done')
        self.wait_for(task, lambda seen: seen['callback']['state'] == 'delivered')
        for calls_per_second, status in ((0, 429), (None, 200)):
            self.set_quota(calls_per_second)
            self.act(task, 'call_back', status)
        self.act(task, 'cancel', 409)

    def test_an_upload_is_gone_with_its_end(self):
        task = self.create()
        self.wait_for_state(task, 'success')
        broken = self.api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
            'Data': base64.b64encode(b'no recording').decode()})['Data']['TaskId']
        failed = self.wait_for_state(broken, 'failed')
        self.assertEqual((failed['source'], failed['actions']), ('upload', []))
        self.assertIn('send it again', self.act(broken, 'retry', 409)['message'])

    def test_a_callback_nobody_takes_is_told_and_made_again(self):
        self.web.refusing = True
        task = self.create(callback='/done')
        tried = self.wait_for(task, lambda seen: seen['callback']['attempts'] == 1)['callback']
        self.assertEqual((tried['state'], tried['error']), ('pending', 'receiver answered HTTP 500'))
        self.assertGreaterEqual(tried['next'], tried['last'])
        # It is being made: that is as good as asked for again.
        self.assertEqual(self.act(task, 'call_back')['callback']['state'], 'pending')
        given_up = self.wait_for(task, lambda seen: seen['callback']['state'] == 'given_up')
        self.assertEqual((given_up['callback']['attempts'], given_up['actions']),
                         (2, ['call_back']))
        self.assertNotIn('next', given_up['callback'])
        self.web.refusing = False
        self.act(task, 'call_back')
        told = self.wait_for(task, lambda seen: seen['callback']['state'] == 'delivered')
        self.assertEqual(told['callback']['attempts'], 3)
        self.assertNotIn('error', told['callback'])
        self.assertEqual([post['code'] for post in self.web.posts_of(task)], ['0'] * 3)

    def test_a_list_is_ones_own_and_comes_in_pages(self):
        tasks = [self.create() for _ in range(3)]
        for task in tasks:
            self.wait_for_state(task, 'success')
        page = call_own(self.service, 'tasks?limit=2')[1]
        self.assertEqual([task['task_id'] for task in page['tasks']], tasks[:0:-1])
        rest = call_own(self.service, f'tasks?limit=1&after={page["next"]}')[1]
        self.assertEqual(rest['tasks'][0]['task_id'], tasks[0])
        self.assertEqual(call_own(self.service, f'tasks?state=failed&task_id={tasks[0]}')[1][
            'tasks'], [])
        status, app = call_own(self.service, 'applications', {'name': 'stranger'},
                               password=self.password)
        self.assertEqual(status, 200)
        stranger = app['application']['app_id']
        key = call_own(self.service, 'keys', {'app_id': stranger, 'kind': 'bearer'},
                       password=self.password)[1]['secret']
        self.assertIsNone(self.see(tasks[0], key=key))
        self.assertEqual(call_own(self.service, 'tasks', key=key)[1]['tasks'], [])
        for action in ('cancel', 'retry', 'call_back'):
            self.act(tasks[0], action, 404, key=key)
        self.assertEqual(call_own(self.service, f'tasks?app_id={self.service.keys["AppId"]}',
                                  key=key)[0], 404)
        # The operator's are all, or those of whom they name.
        self.assertEqual(self.see(tasks[0], password=self.password)['task_id'], tasks[0])
        theirs = call_own(self.service, f'tasks?app_id={stranger}', password=self.password)
        self.assertEqual(theirs[1]['tasks'], [])
        self.assertEqual(call_own(self.service, 'tasks?app_id=7', password=self.password)[0], 404)
        for query in ('state=done', 'limit=0', 'limit=201', 'after=-1', 'task_id=x'):
            self.assertEqual(call_own(self.service, 'tasks?' + query)[0], 400, query)
        for body in ({}, {'task_id': tasks[0]}, {'task_id': tasks[0], 'action': 'stop'},
                     {'task_id': 'x', 'action': 'cancel'}, {'action': 'cancel'}, [], 'x',
                     {'task_id': tasks[0], 'action': 'cancel', 'app': 1}):
            self.assertEqual(call_own(self.service, 'tasks', body)[0], 400, body)
        # Who names an application reaches the tasks of that one.
        for who in ({}, {'password': self.password}):
            for app_id, expected in ((stranger, 404), (int(self.service.keys['AppId']), 409)):
                body = {'app_id': app_id, 'task_id': tasks[0], 'action': 'cancel'}
                self.assertEqual(call_own(self.service, 'tasks', body, **who)[0], expected, body)

    def test_what_is_erased_is_in_no_list(self):
        task = self.create()
        self.wait_for_state(task, 'success')
        call_own(self.service, 'erase', {'task_id': task})
        self.assertIsNone(self.see(task))
        for action in ('cancel', 'retry', 'call_back'):
            self.act(task, action, 404)


if __name__ == '__main__':
    main()
