#!/usr/bin/env python3
"""Whatever way something was said to the service: it is on no disk, neither right after use nor after
an erasure nor when its time is over, and no backup brings it back.

Method: real speech through every interface, and files searched byte by byte (forensics.py). Time is
moved by Debian's libfaketime, which tells the service another time of day than the machine has: for
the service, and for whoever signs calls to it, days pass at once.
"""

import json
import os
import shutil
import time
import unittest

from api3 import Api3
import every_interface
import mariadb
import s3_server
import websocket_peer
from database_test import SlowWeb
from forensics import Forensics
from own_api import call_own
from service import Service
from support import PATIENCE, SPOKEN, SpeechTest, main, run

DAY = 86_400


def library():
    """The library that moves the time, wherever this machine's kind has it."""
    for parent, _, names in os.walk('/usr/lib'):
        if 'libfaketimeMT.so.1' in names:
            return os.path.join(parent, 'libfaketimeMT.so.1')
    return None


class MovedApi(Api3):
    """A caller to whom the same time is told as to the service."""

    ahead = 0

    def headers(self, action, body, *, timestamp=None, **how):
        return super().headers(action, body, timestamp=timestamp or int(time.time()) + self.ahead,
                               **how)


class ForgettingTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        websocket_peer.require_wsproto()
        cls.library = library()
        if cls.library is None:
            if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
                raise AssertionError('libfaketime is not installed')
            raise unittest.SkipTest('libfaketime is not installed')

    def setUp(self):
        super().setUp()
        self.clock = self.path('clock')
        self.set_clock(0)
        self.options = self.servers()
        self.keys, self.said = None, ''
        self.start(self.path('data', 'of', 'service'))
        self.addCleanup(lambda: self.service.stop())  # whichever is running then
        self.web = SlowWeb(self.short)
        self.web.released.set()
        self.addCleanup(self.web.stop)
        self.forensics = Forensics(self.short, self.held())

    def servers(self):
        """What the service has to be told of where its records are; here nothing."""
        return []

    def held(self):
        """The folders of all that anybody writes."""
        return [self.path('data')]

    def set_clock(self, ahead):
        """So many seconds later than it is."""
        self.ahead = ahead
        with open(self.clock + '.new', 'w', encoding='utf-8') as file:
            file.write(f'+{ahead}')
        os.rename(self.clock + '.new', self.clock)
        if hasattr(self, 'api'):
            self.api.ahead = ahead

    def moved(self):
        """The environment of a program to whom the moved time is told."""
        return {'LD_PRELOAD': self.library, 'FAKETIME_TIMESTAMP_FILE': self.clock,
                'FAKETIME_NO_CACHE': '1', 'DONT_FAKE_MONOTONIC': '1',
                'FAKETIME_DONT_FAKE_MONOTONIC': '1',
                # The address sanitizer's library wants to be the first.
                'ASAN_OPTIONS': 'verify_asan_link_order=0'}

    def start(self, data):
        self.service = Service(*self.options, data=data, env=self.moved())
        self.keys = self.keys or self.service.keys
        self.service.keys = self.keys
        self.api = MovedApi(self.service.address, self.keys['SecretId'], self.keys['SecretKey'])
        self.api.ahead = self.ahead

    def stop(self):
        code, errors = self.service.stop()
        self.assertEqual(code, 0)
        self.said += errors

    def task(self, **source):
        request = {'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, **source}
        return self.api.call('CreateRecTask', request)['Data']['TaskId']

    def task_of_upload(self):
        with open(self.short, 'rb') as file:
            audio = file.read()
        data = every_interface.base64.b64encode(audio).decode()
        return self.task(SourceType=1, Data=data, DataLen=len(audio))

    def block_workers(self):
        """Two tasks of one application run at once: two that wait for their web servers."""
        tasks = []
        for _ in range(2):
            web = SlowWeb(self.short)
            self.addCleanup(web.stop)
            tasks.append(self.task(SourceType=0, Url=web.url))
            web.wait_until(lambda: web.asked == 1)
        return tasks

    def answer_of(self, task):
        while True:
            answer = self.api.call('DescribeTaskStatus', {'TaskId': task})
            # A leap of the clock cuts off whatever is under way, the question too.
            if answer.get('Error', {}).get('Code') not in ('RequestLimitExceeded',
                                                           'FailedOperation'):
                return answer
            time.sleep(0.1)

    def wait_for(self, task):
        until = time.monotonic() + PATIENCE
        while (state := self.answer_of(task))['Data']['Status'] < 2:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        self.assertTrue(SPOKEN.search(state['Data']['Result']), state)

    def assert_gone(self, task):
        self.assertEqual(self.answer_of(task).get('Error', {}).get('Code'),
                         'FailedOperation.NoSuchTask')

    def say_everything(self):
        """Every interface once; the tasks of it, finished."""
        heard = every_interface.say_everywhere(self.service, self.api, self.short, self.web.url)
        for name, text in heard.items():
            self.assertTrue(SPOKEN.search(text), (name, text))
        tasks = [self.task_of_upload(), self.task(SourceType=0, Url=self.web.url)]
        for task in tasks:
            self.wait_for(task)
        return tasks

    def wait_until_written(self, calls):
        """Calls are written down behind their ends."""
        until = time.monotonic() + PATIENCE
        while sum(day['calls'] for day in call_own(self.service, 'usage')[1]['days']) < calls:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def show_call(self, call):
        return run('calls', 'show', call, '--data', self.service.data, *self.command_options(),
                   env=self.moved())

    def wait_until_known(self, call):
        """A call's row has the time at which it is written, which must be today's."""
        until = time.monotonic() + PATIENCE
        while self.show_call(call).returncode != 0:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

    def assert_nothing_is_found(self):
        self.assertEqual(self.forensics.found(), [])
        metrics = self.service.get('/metrics')[1]
        self.assertEqual(list(self.forensics.found_in((metrics + self.said).encode())), [])

    def account(self, *arguments):
        """What the ledger's verifier says of an export, the service being stopped."""
        export = self.path('ledger.bin')
        ledger = ['--data', self.service.data]
        self.assert_good(run('ledger', 'export', *ledger, '--out', export))
        key = self.assert_good(run('ledger', 'keys', *ledger)).split('\n')[0]
        account = json.loads(self.assert_good(run('ledger', 'verify', export, '--public-key', key,
                                                  '--json', *arguments)))
        self.assertEqual(account['findings'], [])
        return account['classes']

    def test_erased(self):
        tasks = self.say_everything()
        self.assert_nothing_is_found()
        self.wait_until_written(9)
        answer = call_own(self.service, 'erase', {'app_id': int(self.keys['AppId'])})[1]
        self.assertEqual((answer['erased']['results'], answer['without_receipt']), (2, 0))
        # Seven calls and two tasks.
        self.assertEqual(answer['erased']['operations'], 9)
        for task in tasks:
            self.assert_gone(task)
        self.assert_nothing_is_found()
        self.stop()
        self.assertEqual([self.account()[name]['live']
                          for name in ('audio', 'result', 'operation_log')], [0, 0, 0])

    def advance(self, seconds):
        """Moves the clock in steps that the service believes, each of them seen."""
        for ahead in range(self.ahead, self.ahead + seconds, 3_500):
            self.set_clock(ahead)
            self.service.get('/metrics')
        self.set_clock(self.ahead + seconds % 3_500)

    def metric(self, name):
        text = self.service.get('/metrics')[1]
        return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(name + ' ')))

    def test_over_while_it_runs(self):
        tasks = self.say_everything()
        call = self.api.call('SentenceRecognition', {})['RequestId']
        self.wait_until_known(call)
        running = self.block_workers()
        waiting = self.task_of_upload()
        self.advance(DAY + 60)
        for task in (*tasks, *running, waiting):
            self.assert_gone(task)
        self.assertEqual(self.service.get('/readyz')[0], 200)
        self.assert_nothing_is_found()
        self.advance(7 * DAY)
        self.assertIn('nothing is known of this call', self.show_call(call).stderr)
        until = time.monotonic() + PATIENCE
        while self.objects() or self.metric('lethe_retention_removed_total{of="tasks"}') < 5:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)

    def test_a_leap_that_is_taken_back(self):
        tasks = self.say_everything()
        self.set_clock(31 * DAY)
        self.assertEqual(self.metric('lethe_retention_held'), 1)
        for task in tasks:
            self.wait_for(task)
        # Such a call is dated a month ahead, and held no longer for it.
        self.wait_until_known(self.api.call('SentenceRecognition', {})['RequestId'])
        # A restart believes it no sooner, once it was written down.
        swept = self.saved()
        while self.saved() == swept:
            time.sleep(0.1)
        self.stop()
        self.start(self.service.data)
        self.assertEqual(self.metric('lethe_retention_held'), 1)
        self.set_clock(0)
        self.assertEqual(self.metric('lethe_retention_held'), 0)
        for task in tasks:
            self.wait_for(task)

    def saved(self):
        with open(os.path.join(self.service.data, 'clock'), encoding='ascii') as file:
            return file.read()

    def test_over_and_swept(self):
        tasks = self.say_everything()
        self.stop()
        self.set_clock(8 * DAY)
        self.start(self.service.data)
        for task in tasks:
            self.assert_gone(task)
        self.assertEqual(self.objects(), [])
        self.assert_nothing_is_found()
        self.assertEqual([name for name in os.listdir(os.path.join(self.service.data, 'keys', 'epochs'))
                          if not name.startswith('monitoring')], [])
        self.stop()
        # It was not running when it should have swept, and the ledger says so.
        with self.assertRaises(AssertionError):
            self.account()
        account = self.account('--allow-lateness', str(8 * DAY))
        for name in ('audio', 'result', 'operation_log'):
            self.assertEqual(account[name]['live'], 0, name)
        self.assertGreater(account['monitoring']['live'], 0)

    def objects(self):
        return [name for _, _, names in os.walk(os.path.join(self.service.data, 'objects', 'audio'))
                for name in names]

    def command_options(self):
        return []

    def test_a_backup_is_noise_when_its_time_is_over(self):
        tasks = self.say_everything()
        waiting = self.block_workers()
        waiting += [self.task_of_upload() for _ in range(3)]
        self.assertEqual(len(self.objects()), 3)
        self.service.process.kill()
        self.service.process.wait(PATIENCE)
        self.service.stop()
        data, backup = self.service.data, self.path('backup', 'data')
        shutil.copytree(data, backup, ignore=shutil.ignore_patterns('keys'))
        # What it would be worth today: all of it opens.
        self.start(data)
        for task in tasks:
            self.wait_for(task)
        self.stop()
        self.set_clock(8 * DAY)
        self.start(data)
        self.stop()
        # Back to the day of the backup, with the keys that are left.
        keys = os.path.join(data, 'keys')
        shutil.copytree(keys, os.path.join(backup, 'keys'))
        shutil.rmtree(data)
        os.rename(backup, data)
        self.set_clock(0)
        self.start(data)
        for task in (*tasks, *waiting):
            self.assert_gone(task)
        self.assert_nothing_is_found()


class ForgettingOnServersTest(ForgettingTest):
    """The same on a database server and an object store, of which nothing is ours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s3_server.require_servers()

    def test_a_backup_is_noise_when_its_time_is_over(self):
        self.skipTest('the backup of files; the keys, which it is about, are the same')

    def servers(self):
        self.database, self.bucket = mariadb.MariaDb(), s3_server.S3Server(self.moved())
        self.addCleanup(self.database.stop)
        self.addCleanup(self.bucket.stop)
        return [*self.database.options, *self.bucket.options]

    def held(self):
        return [self.path('data'), self.database.folder, self.bucket.folder]

    def objects(self):
        return self.bucket.objects()

    def command_options(self):
        return self.database.options


if __name__ == '__main__':
    main()
