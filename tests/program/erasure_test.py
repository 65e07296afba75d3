#!/usr/bin/env python3
"""What is erased or over is not readable, is on no disk, and the ledger says so.

Method: recordings of real speech go through the service, each interface in turn; every file that
the service writes is then searched, byte by byte, for their words and for pieces of their samples,
in every encoding a careless program would leave them in. A web server keeps a task waiting where
something has to be erased while it is worked on.
"""

import base64
import contextlib
import json
import os
import random
import re
import signal
import sqlite3
import time

from api3 import Api3
import mariadb
import s3_server
import websocket_peer
from database_test import SlowWeb
from forensics import Forensics, samples
from own_api import call_own
from realtime_call import code_of, target
from service import Service
from support import PATIENCE, SPOKEN, SpeechTest, main, run
from websocket_peer import Peer


class ErasureTest(SpeechTest):

    def setUp(self):
        super().setUp()
        self.options = self.servers()
        self.start(self.path('data', 'of', 'service'))
        self.addCleanup(lambda: self.service.stop())  # whichever is running then
        self.api = Api3(self.service.address, self.service.keys['SecretId'],
                        self.service.keys['SecretKey'])

    def servers(self):
        """Starts what the records are kept in; returns what the service has to be told of it. Here:
        nothing but its folder."""
        return []

    def start(self, data):
        self.service = Service(*self.options, data=data)
        if hasattr(self, 'api'):
            self.api.address = self.service.address

    def held(self):
        """The folders of all that anybody writes."""
        return [self.service.data]

    def command(self, *arguments):
        """A command beside the service."""
        return run(*arguments, '--data', self.service.data, *self.command_options())

    def command_options(self):
        return []

    def object_options(self):
        return []

    def upload(self, recording=None, **more):
        with open(recording or self.short, 'rb') as file:
            audio = file.read()
        answer = self.api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
            'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio), **more})
        return answer['Data']['TaskId']

    def block_workers(self):
        """Two tasks of one application run at once: two that wait for their web servers, so that
        the next ones wait for them."""
        webs, tasks = [], []
        for _ in range(2):
            web = SlowWeb(self.short)
            self.addCleanup(web.stop)
            tasks.append(self.api.call('CreateRecTask', {
                'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 0,
                'Url': web.url})['Data']['TaskId'])
            web.wait_until(lambda: web.asked == 1)
            webs.append(web)
        return webs, tasks

    def task(self, task):
        while True:
            answer = self.api.call('DescribeTaskStatus', {'TaskId': task})
            if answer.get('Error', {}).get('Code') != 'RequestLimitExceeded':
                return answer
            time.sleep(0.1)

    def wait_for(self, task):
        until = time.monotonic() + PATIENCE
        while (state := self.task(task))['Data']['Status'] < 2:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        self.assertEqual(state['Data']['StatusStr'], 'success')
        self.assertTrue(SPOKEN.search(state['Data']['Result']))

    def objects(self):
        return [name for _, _, names in os.walk(os.path.join(self.service.data, 'objects', 'audio'))
                for name in names]

    def assert_gone(self, task):
        self.assertEqual(self.task(task)['Error']['Code'], 'FailedOperation.NoSuchTask')

    def verified(self, *arguments):
        """The ledger's own verifier, on an export, has nothing to say."""
        export = self.path('ledger.bin')
        self.assert_good(run('ledger', 'export', '--data', self.service.data, '--out', export))
        key = self.assert_good(run('ledger', 'keys', '--data', self.service.data)).split('\n')[0]
        return json.loads(self.assert_good(
            run('ledger', 'verify', export, '--public-key', key, '--json', *arguments)))

    def test_a_task_is_erased_with_receipts_that_verify(self):
        task, other = self.upload(), self.upload()
        self.wait_for(task)
        self.wait_for(other)
        self.wait_until(lambda: not self.objects())  # a recording that was heard has served
        status, answer = call_own(self.service, 'erase', {'task_id': task})
        self.assertEqual((status, answer['erased'], answer['without_receipt']),
                         (200, {'results': 1, 'recordings': 0, 'operations': 1}, 0))
        self.assert_gone(task)
        self.wait_for(other)
        receipt = self.path('receipt.json')
        with open(receipt, 'w', encoding='utf-8') as file:
            json.dump(answer['receipts'][0], file)
        self.verified('--receipt', receipt, '--id', f'task:{task}')
        wrong = run('ledger', 'verify', self.path('ledger.bin'), '--receipt', receipt, '--id',
                    f'task:{other}')
        self.assertNotEqual(wrong.returncode, 0)
        again = call_own(self.service, 'erase', {'task_id': task})[1]
        self.assertEqual((again['erased']['results'], again['receipts']), (0, []))

    def test_who_reads_the_records_keeps_what_is_erased_in_their_log(self):
        records = os.path.join(self.service.data, 'records.db')
        if not os.path.exists(records):
            self.skipTest('a database server has them')
        task = self.upload()
        self.wait_for(task)

        def held():
            text = self.service.get('/metrics')[1]
            return float(re.search(r'(?m)^lethe_records_log_held_seconds (\S+)$', text)[1])

        with contextlib.closing(sqlite3.connect(records, isolation_level=None)) as reader:
            reader.execute('BEGIN')
            reader.execute('SELECT count(*) FROM tasks').fetchone()
            status, answer = call_own(self.service, 'erase', {'task_id': task})
            self.assertEqual((status, answer['erased']['results'], answer['in_log']), (200, 1, True))
            self.assertGreater(held(), 0)
            self.assertGreater(os.path.getsize(records + '-wal'), 0)
        self.wait_until(lambda: held() == 0)
        self.assertEqual(os.path.getsize(records + '-wal'), 0)
        self.assertFalse(call_own(self.service, 'erase', {'task_id': task})[1]['in_log'])

    def test_nothing_of_it_is_on_a_disk_before_and_after(self):
        web = SlowWeb(self.short)
        self.addCleanup(web.stop)
        forensics = Forensics(self.short, [*self.held(), self.path('x')])
        # What a finding looks like.
        careless = self.path('x', 'careless')
        for content in (samples(self.short)[4000:], b'..mister dashwood..',
                        base64.b64encode(b'?' + samples(self.short)[4000:])):
            with open(careless, 'wb') as file:
                file.write(content)
            self.assertNotEqual(forensics.found(), [])
        os.remove(careless)
        waiting = self.api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 0,
            'Url': web.url})['Data']['TaskId']
        web.wait_until(lambda: web.asked == 1)
        # Two of one application run at once: the others wait, and their recordings with them.
        second = SlowWeb(self.short)
        self.addCleanup(second.stop)
        blocked = self.api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 0,
            'Url': second.url})['Data']['TaskId']
        second.wait_until(lambda: second.asked == 1)
        queued = [self.upload() for _ in range(3)]
        self.assertEqual(len(self.objects()), 3)
        self.assertEqual(forensics.found(), [])
        erased = call_own(self.service, 'erase', {'task_id': queued[0]})[1]
        self.assertEqual(erased['erased'], {'results': 1, 'recordings': 1, 'operations': 0})
        self.assertEqual(len(self.objects()), 2)
        web.stop()
        second.stop()
        for task in (waiting, blocked, *queued[1:]):
            self.wait_for(task)
        with open(self.short, 'rb') as file:
            audio = file.read()
        said = self.api.call('SentenceRecognition', {
            'EngSerViceType': '16k_en', 'SourceType': 1, 'VoiceFormat': 'wav',
            'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)})
        self.assertTrue(SPOKEN.search(said['Result']))
        self.assertEqual(forensics.found(), [])
        erased = call_own(self.service, 'erase', {'app_id': int(self.service.keys['AppId'])})[1]
        self.assertEqual((erased['erased']['results'], erased['without_receipt']), (4, 0))
        for task in (waiting, blocked, *queued):
            self.assert_gone(task)
        self.assertEqual((self.objects(), forensics.found()), ([], []))

        def live():
            account = self.verified()
            self.assertEqual(account['findings'], [])
            return [account['classes'][name]['live'] for name in ('audio', 'result', 'operation_log')]

        # What ended before the erasure is told to the ledger in its turn.
        self.wait_until(lambda: live() == [0, 0, 0])

    def test_a_call_is_explained_until_it_is_erased(self):
        with open(self.short, 'rb') as file:
            audio = file.read()
        call = self.api.call('SentenceRecognition', {
            'EngSerViceType': '16k_en', 'SourceType': 1, 'VoiceFormat': 'wav',
            'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)})['RequestId']

        def show():
            return self.command('calls', 'show', call, '--json')

        self.wait_until(lambda: show().returncode == 0)  # it is written behind the call's back
        told = self.assert_good(show())
        facts = json.loads(told)[0]['facts']
        self.assertEqual((facts['interface'], facts['result'], facts['source']),
                         ('sentence', 'success', 'data'))
        self.assertGreater(facts['audio_ms'], 1000)
        self.assertIsNone(SPOKEN.search(told))
        erased = call_own(self.service, 'erase', {'call_id': call})[1]
        self.assertEqual((erased['erased']['operations'], erased['without_receipt']), (1, 0))
        self.assert_one_line(show(), 'nothing is known of this call')

    def test_a_live_call_is_cut_off_by_an_erasure(self):
        websocket_peer.require_wsproto()
        address = target(self.service.keys, voice_id='ended-by-erasure')
        with Peer(self.service.address, address) as peer:
            self.assertEqual(code_of(peer.next()), 0)
            other = call_own(self.service, 'erase', {'voice_id': 'another'})[1]
            self.assertEqual(other['cancelled'], 0)
            erased = call_own(self.service, 'erase', {'voice_id': 'ended-by-erasure'})[1]
            self.assertEqual(erased['cancelled'], 1)
            self.assertEqual(code_of(peer.next()), 4009)

    def test_erasing_what_is_worked_on_cancels_it(self):
        web = SlowWeb(self.short)
        self.addCleanup(web.stop)
        task = self.api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 0,
            'Url': web.url, 'CallbackUrl': web.url + 'done'})['Data']['TaskId']
        web.wait_until(lambda: web.asked == 1)
        erased = call_own(self.service, 'erase', {'task_id': task})[1]
        self.assertEqual((erased['erased']['results'], erased['cancelled']), (1, 1))
        self.assert_gone(task)
        web.released.set()
        done = self.upload(CallbackUrl=web.url + 'other')
        self.wait_for(done)
        web.wait_until(lambda: web.posts)
        self.assertEqual(len(web.posts), 1)  # nobody is told of the erased one
        self.assertIn(str(done), web.posts[0])
        self.assert_gone(task)

    def test_nobody_erases_what_is_anothers(self):
        task = self.upload()
        self.wait_for(task)
        app = self.assert_good(self.command('apps', 'create', 'other')).split()[1]
        key = self.assert_good(self.command('keys', 'create', '--app', app, '--bearer')).split()
        other = key[key.index('Bearer') + 1]
        mine = int(self.service.keys['AppId'])
        uin = self.assert_good(self.command('apps', 'list'))
        uin = next(line.split()[1] for line in uin.splitlines() if line.startswith(str(mine)))
        for what in ({'task_id': task}, {'app_id': mine}, {'uin': int(uin)}):
            status, answer = call_own(self.service, 'erase', what, key=other)
            self.assertEqual((status, answer['erased']['results']), (200, 0), what)
        self.wait_for(task)
        for body in ({}, {'task_id': 'x'}, {'task_id': 1, 'uin': 2}, {'tusk_id': 1}, [], 'x',
                     {'call_id': ''}):
            self.assertEqual(call_own(self.service, 'erase', body)[0], 400, body)
        self.assertEqual(call_own(self.service, 'erase', {'task_id': task}, key='sk-no')[0], 401)
        self.assertEqual(call_own(self.service, 'erase', {'task_id': task}, password='no')[0], 401)
        password = self.service.keys['Console password']
        status, answer = call_own(self.service, 'erase', {'uin': uin}, password=password)
        self.assertEqual((status, answer['erased']['results']), (200, 1))
        self.assert_gone(task)

    def test_the_command_erases_beside_the_service_and_without_it(self):
        first, second = self.upload(), self.upload()
        for task in (first, second):
            self.wait_for(task)
            # What is still about to be written when it is erased goes too, but nobody has a receipt.
            until = time.monotonic() + PATIENCE
            while len(call_own(self.service, f'held?class=operation_log&task_id={task}')[1]['items']) != 1:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.05)
        # What would lose its proof, or is no task, is not begun.
        nowhere = self.command('erase', '--task', str(first), '--receipts', '/nowhere/receipts',
                               *self.object_options())
        self.assertEqual((nowhere.returncode, nowhere.stdout), (1, ''))
        for number in ('-1', '99999999999999999999999'):
            self.assertEqual(self.command('erase', '--task', number).returncode, 2)
        receipts = self.path('receipts')
        told = self.assert_good(self.command('erase', '--task', str(first), '--receipts', receipts,
                                             *self.object_options()))
        self.assertIn('erased: 1 results', told)
        self.assertIn('receipts: 2\n', told)  # of the text, and of what was logged for its call
        self.assert_gone(first)
        self.verified('--receipt', receipts, '--id', f'task:{first}')
        # An id with a mistake in it ends like this, too.
        again = self.command('erase', '--task', str(first), *self.object_options())
        self.assertEqual(again.returncode, 0)
        self.assertRegex(again.stderr, '^lethe: nothing was found')
        self.wait_for(second)
        keys = self.service.keys
        self.assertEqual(self.service.stop()[0], 0)
        told = self.assert_good(self.command('erase', '--app', keys['AppId'], *self.object_options()))
        self.assertIn('erased: 1 results', told)
        self.assertRegex(told, 'receipts: [2-9]\n')  # of the operation log, too
        account = self.verified()
        self.assertEqual((account['findings'], [account['classes'][name]['live']
                                                for name in ('audio', 'result')]), ([], [0, 0]))
        self.start(self.service.data)
        self.assert_gone(second)

    def test_a_shorter_period_holds_at_once_and_no_longer_one_is_taken(self):
        task = self.upload()
        self.wait_for(task)
        # A text goes with its task, though its class may be held longer.
        self.assertEqual(call_own(self.service, 'retention')[1]['periods']['result'],
                         {'seconds': 86_400, 'longest': 7 * 86_400})
        self.assertRegex(self.assert_good(self.command('apps', 'retention', 'default')),
                         r'(?m)^result +86400 s \(24 h\)$')
        status, answer = call_own(self.service, 'retention', {'class': 'result', 'seconds': 60})
        self.assertEqual((status, answer['periods']['result']['seconds']), (200, 60))
        self.assertEqual(call_own(self.service, 'retention', {'class': 'result', 'seconds': 61})[0],
                         409)
        for body in ({'class': 'result', 'seconds': 59}, {'class': 'monitoring', 'seconds': 5},
                     {'class': 'audio', 'seconds': -1}, {'class': 'audio'}, {'seconds': 3},
                     {'class': 'audio', 'seconds': 1e3}, {'class': 'audio', 'seconds': 10**30}):
            self.assertEqual(call_own(self.service, 'retention', body)[0], 400, body)
        status, answer = call_own(self.service, 'retention')
        self.assertEqual(answer['periods']['audio'], {'seconds': 86400, 'longest': 86400})
        # Without storing any: an upload waits in memory.
        self.assertEqual(call_own(self.service, 'retention', {'class': 'audio', 'seconds': 0})[0],
                         200)
        other = self.upload()
        self.assertEqual(self.objects(), [])
        self.wait_for(other)
        self.assert_refusal_is_proven(other)

    def test_one_recording_is_stored_nowhere_because_its_caller_says_so(self):
        webs, blocked = self.block_workers()
        self.api.more = {'X-Lethe-Zero-Retention': '1'}
        task = self.upload()
        self.assertEqual(self.objects(), [])
        self.api.more = {}
        self.upload()
        self.assertEqual(len(self.objects()), 1)
        for web in webs:
            web.released.set()
        for one in (*blocked, task):
            self.wait_for(one)
        self.assert_refusal_is_proven(task)

    def assert_refusal_is_proven(self, task):
        """A receipt says that the audio of a task was not stored, and it verifies."""
        status, answer = call_own(self.service, f'receipts?task_id={task}')
        self.assertEqual(status, 200, answer)
        kinds = {receipt['says']['kind']: receipt for receipt in answer['receipts']}
        self.assertEqual(sorted(kinds), ['created', 'refused'])
        self.assertEqual(kinds['refused']['says']['class'], 'audio')
        receipt = self.path('receipt.json')
        with open(receipt, 'w', encoding='utf-8') as file:
            json.dump(kinds['refused'], file)
        self.assertEqual(self.service.stop()[0], 0)  # signs what is left
        self.verified('--receipt', receipt, '--id', f'task:{task}')

    def test_records_of_yesterday_forget_again_what_was_erased_since(self):
        kept, erased = self.upload(), self.upload()
        self.wait_for(kept)
        self.wait_for(erased)
        self.assertEqual(self.service.stop()[0], 0)
        with open(os.path.join(self.service.data, 'records.db'), 'rb') as file:
            backup = file.read()
        self.restart()
        status, _ = call_own(self.service, 'erase', {'task_id': erased}, key=self.key)
        self.assertEqual(status, 200)
        later = self.upload()
        self.wait_for(later)
        self.assertEqual(self.service.stop()[0], 0)
        with open(os.path.join(self.service.data, 'records.db'), 'wb') as file:
            file.write(backup)
        self.restart()
        self.assert_gone(erased)
        self.assert_gone(later)
        self.wait_for(kept)
        _, errors = self.service.stop()
        # The text, and what was logged for its call.
        self.assertIn('(erased_again 2, missing', errors)
        self.assertEqual(self.verified()['findings'], [])

    def test_a_killed_service_loses_no_task_and_no_leaf(self):
        self.key = self.service.keys['API key']
        tasks = []
        moments = random.Random(5)
        for _ in range(int(os.environ.get('LETHE_TEST_KILLS', '4'))):
            tasks += [self.upload() for _ in range(3)]
            time.sleep(moments.uniform(0, 0.4))
            self.service.process.send_signal(signal.SIGKILL)
            self.service.process.wait(PATIENCE)
            self.service.stop()
            self.start(self.service.data)
        for task in tasks:
            self.wait_for(task)
        self.wait_until(lambda: not self.objects())
        self.assertEqual(self.service.stop()[0], 0)
        account = self.verified()
        self.assertEqual(account['findings'], [])
        self.assertEqual([account['classes'][name]['live'] for name in ('audio', 'result')],
                         [0, len(tasks)])

    def restart(self):
        self.key = self.service.keys.get('API key') or self.key
        self.start(self.service.data)

    def test_a_command_that_was_told_another_object_store_removes_nothing(self):
        webs, _ = self.block_workers()
        task = self.upload()
        held = self.objects()
        self.assertEqual(len(held), 1)
        wrong = self.command('erase', '--task', str(task), '--store.objects', self.path('x', 'other'))
        self.assert_one_line(wrong, 'in another object store')
        self.assertEqual(self.objects(), held)
        app = self.service.keys['AppId']
        told = self.assert_good(self.command('erase', '--task', str(task), *self.object_options()))
        self.assertIn('erased: 1 results, 1 recordings', told)
        self.assertEqual(self.objects(), [])
        for web in webs:
            web.released.set()
        other = self.assert_good(self.command('apps', 'create', 'other')).split()[1]
        kept = self.upload()
        self.wait_for(kept)
        self.assertIn('removed', self.assert_good(self.command('apps', 'remove', other, '--yes',
                                                               *self.object_options())))
        self.assertIn(app, self.assert_good(self.command('apps', 'list')))


class ErasureOnServersTest(ErasureTest):
    """The same on a database server and an object store, of which nothing is ours."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        s3_server.require_servers()

    def servers(self):
        self.database, self.bucket = mariadb.MariaDb(), s3_server.S3Server()
        self.addCleanup(self.database.stop)
        self.addCleanup(self.bucket.stop)
        return [*self.database.options, *self.bucket.options, '--tasks.lease-seconds', '2']

    def command_options(self):
        return self.database.options

    def object_options(self):
        return self.bucket.options

    def objects(self):
        return self.bucket.objects()

    def held(self):
        return [self.service.data, self.database.folder, self.bucket.folder]

    def test_records_of_yesterday_forget_again_what_was_erased_since(self):
        self.skipTest('the backup of a file; HeldContractTest says the same to MariaDB')

    def test_a_node_that_dies_leaves_its_recordings_to_another(self):
        shared = ['--store.keys', os.path.join(self.service.data, 'keys'), '--node.name', 'b']
        tasks = [self.upload() for _ in range(4)]
        other = Service(*self.options, *shared, data=self.path('data', 'b'))
        self.addCleanup(other.stop)
        self.service.process.kill()
        self.api.address = other.address
        for task in tasks:
            self.wait_for(task)
        self.wait_until(lambda: not self.objects())


if __name__ == '__main__':
    main()
