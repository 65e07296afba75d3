#!/usr/bin/env python3
"""Several nodes on one MariaDB: what one accepts another knows, what one leaves another finishes, and
an outcome is written, counted and told once. Errors of the database are one clear line.

Method: a real server with a user, a password and a certificate (mariadb.py); services with data
folders of their own and one folder of keys; a web server that keeps a node waiting for its recording
while the node is killed, or stopped and woken up too late.
"""

import http.server
import os
import signal
import threading
import time
import unittest

from api3 import Api3
from mariadb import PASSWORD, PROGRAM, MariaDb
from own_api import call_own
from realtime_call import code_of, target
from service import Service
from support import PATIENCE, SpeechTest, main, run, word_errors
import websocket_peer
from websocket_peer import Peer


class SlowWeb:
    """Serves one recording; the first to ask waits for release(). Keeps what is posted."""

    def __init__(self, recording):
        with open(recording, 'rb') as file:
            content = file.read()
        self.asked, self.posts = 0, []
        self.changed, self.released = threading.Condition(), threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):

            def do_GET(self):
                with owner.changed:
                    owner.asked += 1
                    first = owner.asked == 1
                    owner.changed.notify_all()
                self._answer(content[:100], len(content))
                if first:
                    owner.released.wait(PATIENCE)
                try:
                    self.wfile.write(content[100:])
                except OSError:
                    pass  # it was killed meanwhile

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'])).decode()
                answer = b'{"code":0,"message":"success"}'
                self._answer(answer, len(answer))
                with owner.changed:
                    owner.posts.append(body)
                    owner.changed.notify_all()

            def _answer(self, content, length):
                self.send_response(200)
                self.send_header('Content-Length', str(length))
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}/'
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def wait_until(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE)

    def stop(self):
        self.released.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class DatabaseTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.exists(PROGRAM):
            if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
                raise AssertionError('mariadbd is missing; see scripts/packages-test.txt')
            raise unittest.SkipTest('mariadbd is missing; see scripts/packages-test.txt')

    def setUp(self):
        super().setUp()
        self.database = MariaDb()
        self.addCleanup(self.database.stop)
        self.web = SlowWeb(self.short)
        self.addCleanup(self.web.stop)

    def node(self, name, *arguments):
        """A node with a data folder of its own; they share their keys."""
        node = Service(*self.database.options, '--node.name', name, '--tasks.lease-seconds', '2',
                       '--store.keys', self.path('keys'), *arguments, data=self.path('data', name))
        self.addCleanup(node.stop)
        return node

    def create(self, api):
        return api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 0,
            'Url': self.web.url + 'recording.wav',
            'CallbackUrl': self.web.url + 'done'})['Data']['TaskId']

    def wait_for_task(self, api, task):
        until = time.monotonic() + PATIENCE
        # A database that has just come back may be missed once: "try again" is the answer then.
        while (state := (answer := api.call('DescribeTaskStatus', {'TaskId': task})).get(
                'Data', {'Status': 0}))['Status'] < 2:
            self.assertLess(time.monotonic(), until, answer)
            time.sleep(0.05)
        self.assertEqual(state['StatusStr'], 'success', state)
        self.assertLessEqual(word_errors(self.spoken[self.short], state['Result'].split(']')[-1]), 2)
        return state

    def assert_counted_once(self, api):
        day = time.strftime('%Y-%m-%d', time.gmtime(time.time() + 8 * 3600))
        usage = api.call('GetUsageByDate',
                         {'BizNameList': ['asr_rec'], 'StartDate': day, 'EndDate': day})
        self.assertEqual([row['Count'] for row in usage['Data']['UsageByDateInfoList']], [1])
        self.assertEqual(len(self.web.posts), 1)

    def test_a_killed_node_is_taken_over(self):
        first = self.node('a')
        keys = (first.keys['SecretId'], first.keys['SecretKey'])
        task = self.create(Api3(first.address, *keys))
        self.web.wait_until(lambda: self.web.asked == 1)
        second = self.node('b')
        self.assertEqual(second.keys, {})
        api = Api3(second.address, *keys)
        self.assertEqual(api.call('DescribeTaskStatus', {'TaskId': task})['Data']['StatusStr'],
                         'doing')
        first.process.kill()
        self.wait_for_task(api, task)
        self.assertEqual(self.web.asked, 2)
        self.web.wait_until(lambda: self.web.posts)
        self.assertEqual(second.stop()[0], 0)
        again = self.node('c', '--store.ledger-wait-seconds', '0')
        self.assert_counted_once(Api3(again.address, *keys))
        everything = self.database.everything_stored()
        for secret in ('SecretKey', 'API key', 'Console password'):
            self.assertNotIn(first.keys[secret].encode(), everything)

    def test_a_node_that_wakes_up_too_late_changes_nothing(self):
        first = self.node('a')
        keys = (first.keys['SecretId'], first.keys['SecretKey'])
        task = self.create(Api3(first.address, *keys))
        self.web.wait_until(lambda: self.web.asked == 1)
        second = self.node('b')
        api = Api3(second.address, *keys)
        first.process.send_signal(signal.SIGSTOP)
        try:
            state = self.wait_for_task(api, task)
            self.web.wait_until(lambda: self.web.posts)
        finally:
            first.process.send_signal(signal.SIGCONT)
        self.web.released.set()
        # It ends when the recording it fetched is transcribed, and refused.
        self.assertEqual(first.stop()[0], 0)
        self.assertEqual(api.call('DescribeTaskStatus', {'TaskId': task})['Data'], state)
        self.assertEqual(second.stop()[0], 0)
        again = self.node('c', '--store.ledger-wait-seconds', '0')
        self.assert_counted_once(Api3(again.address, *keys))

    def test_what_one_node_erases_ends_on_the_other(self):
        websocket_peer.require_wsproto()
        first = self.node('a')
        second = self.node('b')
        address = target(first.keys, voice_id='ended-by-the-other')
        with Peer(first.address, address) as live, Peer(first.address, target(first.keys)) as other:
            self.assertEqual((code_of(live.next()), code_of(other.next())), (0, 0))
            second.keys = first.keys
            status, erased = call_own(second, 'erase', {'voice_id': 'ended-by-the-other'})
            self.assertEqual((status, erased['cancelled']), (200, 0))
            self.assertEqual(code_of(live.next()), 4009)
            # A command beside them does the same.
            erased = run('erase', '--app', first.keys['AppId'], '--data', first.data,
                         '--store.dsn', self.database.dsn, '--store.keys', self.path('keys'),
                         env={'LETHE_STORE_PASSWORD': PASSWORD})
            self.assertEqual(erased.returncode, 0, erased.stderr)
            self.assertEqual(code_of(other.next()), 4009)

    def test_what_one_node_works_on_another_one_cancels_and_tries_again(self):
        first = self.node('a')
        key = first.keys['API key']
        api = Api3(first.address, first.keys['SecretId'], first.keys['SecretKey'])
        task = self.create(api)
        self.web.wait_until(lambda: self.web.asked == 1)
        second = self.node('b')

        def act(action):
            status, answer = call_own(second, 'tasks', {'task_id': task, 'action': action}, key=key)
            self.assertEqual(status, 200, answer)
            return answer['task']

        def calls():
            for node in (first, second):
                call_own(node, 'held?class=operation_log', key=key)  # writes down what has ended
            days = call_own(second, 'usage', key=key)[1]['days']
            return sum(day['calls'] for day in days), sum(day['failed'] for day in days)
        [seen] = call_own(second, 'tasks?state=running', key=key)[1]['tasks']
        self.assertEqual((seen['task_id'], seen['actions']), (task, ['cancel']))
        self.assertEqual(act('cancel')['error']['code'], 'cancelled')
        self.web.wait_until(lambda: len(self.web.posts) == 1)
        self.web.released.set()
        self.wait_for_task(api, act('retry')['task_id'])
        self.web.wait_until(lambda: len(self.web.posts) == 2)
        self.wait_until(lambda: calls() == (1, 1))
        self.assertEqual([task['state'] for task in call_own(second, 'tasks', key=key)[1]['tasks']],
                         ['success', 'failed'])

    def test_the_database_comes_back_and_so_does_the_task(self):
        node = self.node('a')
        api = Api3(node.address, node.keys['SecretId'], node.keys['SecretKey'])
        task = self.create(api)
        self.web.wait_until(lambda: self.web.asked == 1)
        self.database.kill()
        self.web.released.set()
        self.assertEqual(api.code('DescribeTaskStatus', {'TaskId': task}),
                         'InternalError.FailAccessDatabase')
        self.database.start()
        self.wait_for_task(api, task)
        self.assertEqual(self.web.asked, 1)
        code, errors = node.stop()
        self.assertEqual(code, 0)
        self.assertNotIn(PASSWORD, errors)

    def test_commands_work_on_the_database_and_errors_are_one_line(self):
        told = ['--store.dsn', self.database.dsn]
        env = {'LETHE_STORE_PASSWORD': PASSWORD}
        data = ['--data', self.path('data', 'a')]
        self.assert_one_line(run('apps', 'list', *told, *data, env=env), 'no records yet')
        self.assertFalse(os.path.exists(self.path('data', 'a')))
        self.assert_good(run('apps', 'create', 'ward 3', *told, *data, env=env))
        listing = self.assert_good(run('apps', 'list', *data, env={
            **env, 'LETHE_STORE_DSN': self.database.dsn}))
        self.assertIn('ward 3', listing)
        self.assertIn('mysql://lethe@127.0.0.1', listing)
        self.assertFalse(os.path.exists(self.path('data', 'a', 'records.db')))

        wrong = run('apps', 'list', *told, *data, env={'LETHE_STORE_PASSWORD': 'hunter2'})
        self.assert_one_line(wrong, 'user or the password')
        self.assertNotIn('hunter2', wrong.stderr)
        self.assert_one_line(run('apps', 'list', *told, '--data', self.path('data', 'b'), env=env),
                             'keys are not here', '--store.keys')
        self.assert_one_line(
            run('apps', 'list', '--store.dsn', 'mysql://lethe:hunter2@127.0.0.1/lethe', *data),
            'store.password_file')
        for old, new in (('ca.pem', 'stranger.pem'), ('127.0.0.1', '127.0.0.2')):
            self.assert_one_line(run('apps', 'list', '--store.dsn',
                                     self.database.dsn.replace(old, new), *data, env=env), 'TLS')
        self.database.kill()
        self.assert_one_line(run('apps', 'list', *told, *data, env=env), 'does not answer')


if __name__ == '__main__':
    main()
