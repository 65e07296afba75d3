#!/usr/bin/env python3
"""Where an application processes nobody without consent, every interface refuses a call that names
nobody and one whose person has not consented, takes one whose person has, and refuses again when
the consent has expired or is withdrawn. Withdrawing cancels what is under way and erases what is
held, with receipts that verify; the person's name is nowhere in what the service wrote.

Method: a running service and real speech through each interface, by hand where the official clients
have no place for a header.
"""

import base64
import http.client
import json
import os
import time
import urllib.parse

import websocket_peer
from api3 import Api3
from erasure_test import call_own
from realtime_call import code_of, signature, target
from service import Service
from support import PATIENCE, SPOKEN, SpeechTest, main, run
from websocket_peer import Peer

ANN = 'ann.of-the-consents@example.org'


class ConsentTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        websocket_peer.require_wsproto()

    def setUp(self):
        super().setUp()
        self.service = Service(data=self.path('data', 'of', 'service'))
        self.addCleanup(self.service.stop)
        self.keys = self.service.keys
        with open(self.short, 'rb') as file:
            self.audio = file.read()

    # Each interface: what it answers as a refusal, empty if it did not refuse.

    def api3(self, action, subject, **arguments):
        api = Api3(self.service.address, self.keys['SecretId'], self.keys['SecretKey'])
        if subject:
            api.more['X-Lethe-Subject'] = subject
        return api.call(action, {'SourceType': 1, 'Data': base64.b64encode(self.audio).decode(),
                                 'DataLen': len(self.audio), **arguments})

    def sentence(self, subject):
        answer = self.api3('SentenceRecognition', subject, EngSerViceType='16k_en',
                           VoiceFormat='wav')
        if 'Error' not in answer:
            self.assertTrue(SPOKEN.search(answer['Result']))
        return answer.get('Error', {}).get('Code', '')

    def task(self, subject):
        answer = self.api3('CreateRecTask', subject, EngineModelType='16k_en', ChannelNum=1,
                           ResTextFormat=0)
        if 'Data' in answer:
            self.last_task = answer['Data']['TaskId']
        return answer.get('Error', {}).get('Code', '')

    def post(self, path, body, headers):
        connection = http.client.HTTPConnection(self.service.address, timeout=PATIENCE)
        try:
            connection.request('POST', path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def flash(self, subject):
        """The name is put behind a query that is signed without it, as behind an official client."""
        path = '/asr/flash/v1/' + self.keys['AppId']
        values = {'engine_type': '16k_en', 'secretid': self.keys['SecretId'],
                  'timestamp': str(int(time.time())), 'voice_format': 'wav'}
        query = '&'.join(f'{name}={value}' for name, value in sorted(values.items()))
        sign = signature(path, query, self.keys['SecretKey'], 'POST' + 'asr.cloud.tencent.com')
        name = '&lethe_subject=' + urllib.parse.quote(subject) if subject else ''
        answer = self.post(f'{path}?{query}{name}', self.audio, {'Authorization': sign})[1]
        return answer['code'] or ''

    def openai(self, subject):
        boundary = 'b' * 30
        body = b''.join([
            f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
            .encode(),
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
            .encode(), self.audio, f'\r\n--{boundary}--\r\n'.encode()])
        headers = {'Authorization': 'Bearer ' + self.keys['API key'],
                   'Content-Type': f'multipart/form-data; boundary={boundary}'}
        if subject:
            headers['X-Lethe-Subject'] = subject
        status, answer = self.post('/v1/audio/transcriptions', body, headers)
        return '' if status == 200 else (status, answer['error']['code'])

    def realtime(self, subject):
        """Signed with the name by a caller of our own."""
        with Peer(self.service.address, target(self.keys, lethe_subject=subject)) as peer:
            return code_of(peer.next()) or ''

    def openai_realtime(self, subject):
        headers = [('Authorization', 'Bearer ' + self.keys['API key'])]
        name = '&lethe_subject=' + urllib.parse.quote(subject) if subject else ''
        try:
            with Peer(self.service.address, '/v1/realtime?intent=transcription' + name,
                      headers=headers) as peer:
                self.assertIn('session.created', peer.next()[1])
            return ''
        except websocket_peer.Refused as refused:
            return refused.args[0]

    REFUSALS = {'sentence': 'AuthFailure.UnauthorizedOperation',
                'task': 'AuthFailure.UnauthorizedOperation', 'flash': 4003,
                'openai': (403, 'consent_required'), 'realtime': 4003, 'openai_realtime': 403}

    def assert_refused(self, subject):
        for name, refusal in self.REFUSALS.items():
            self.assertEqual(getattr(self, name)(subject), refusal, (name, subject))

    def assert_taken(self, subject):
        for name in self.REFUSALS:
            self.assertEqual(getattr(self, name)(subject), '', (name, subject))

    def consent(self, **body):
        return call_own(self.service, 'consent', body)

    def given(self, **body):
        status, answer = self.consent(**body)
        self.assertEqual(status, 200, answer)
        return answer

    def verified(self, receipts, name):
        """How many of the receipts the ledger's own verifier finds to be of that."""
        path, export = self.path('receipt.json'), self.path('ledger.bin')
        data = ('--data', self.service.data)
        self.assert_good(run('ledger', 'export', *data, '--out', export))
        key = self.assert_good(run('ledger', 'keys', *data)).split('\n')[0]
        good = 0
        for receipt in receipts:
            with open(path, 'w', encoding='utf-8') as file:
                json.dump(receipt, file)
            good += run('ledger', 'verify', export, '--public-key', key, '--receipt', path, '--id',
                        name).returncode == 0
        return good

    def test_every_interface_asks_for_consent(self):
        self.assert_taken(None)
        self.assertTrue(self.given(require=True)['required'])
        # Whose key it is may ask for it; only the operator ends it.
        self.assertEqual(self.consent(require=False)[0], 403)
        self.assert_refused(None)
        self.assert_refused(ANN)
        status, answer = self.consent(subject=ANN, basis='person', age=15, jurisdiction='DE')
        self.assertEqual((status, answer['error']['code']), (409, 'failed_precondition'))
        self.given(subject=ANN, basis='person', age=16, jurisdiction='DE')
        self.assert_taken(ANN)
        self.assert_refused('bob')
        self.assert_refused(None)
        shown = call_own(self.service, 'consent')[1]
        self.assertEqual([consent['state'] for consent in shown['consents']], ['valid'])
        self.assertNotIn('ann', json.dumps(shown))
        self.given(everyone=True, basis='customer', jurisdiction='US')
        self.assert_taken('bob')
        self.assert_taken(None)
        counted = self.service.get('/metrics')[1]
        self.assertIn('AuthFailure.UnauthorizedOperation', counted)

    def test_what_has_expired_is_refused(self):
        self.given(require=True)
        self.given(subject=ANN, basis='parent', jurisdiction='FR', expires_in=1)
        until = time.monotonic() + PATIENCE
        while self.openai_realtime(ANN) == '':
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)
        self.assert_refused(ANN)
        self.assertEqual(call_own(self.service, 'consent')[1]['consents'][0]['state'], 'expired')

    def test_a_withdrawal_cancels_and_erases_with_receipts(self):
        # Nobody has to have required it.
        self.assertEqual(self.task(None), '')
        other = self.last_task
        self.assertEqual(self.task(ANN), '')
        hers = self.last_task
        self.assertEqual(self.sentence(ANN), '')
        api = Api3(self.service.address, self.keys['SecretId'], self.keys['SecretKey'])
        for task in (hers, other):
            until = time.monotonic() + PATIENCE
            while api.call('DescribeTaskStatus', {'TaskId': task})['Data']['Status'] < 2:
                self.assertLess(time.monotonic(), until)
                time.sleep(0.1)
        with Peer(self.service.address, target(self.keys, lethe_subject=ANN)) as live, \
                Peer(self.service.address, target(self.keys)) as others:
            self.assertEqual((code_of(live.next()), code_of(others.next())), (0, 0))
            withdrawn = self.given(subject=ANN, withdraw=True)
            self.assertEqual(code_of(live.next()), 4009)
            self.assertEqual(withdrawn['cancelled'], 1)
        self.assertEqual(withdrawn['consent']['state'], 'withdrawn')
        self.assertEqual(withdrawn['erased']['results'], 1)
        # Of the task, and of the sentence.
        self.assertEqual(withdrawn['erased']['operations'], 2)
        self.assertEqual(withdrawn['without_receipt'], 0)
        self.assertEqual(api.code('DescribeTaskStatus', {'TaskId': hers}),
                         'FailedOperation.NoSuchTask')
        self.assertEqual(api.code('DescribeTaskStatus', {'TaskId': other}), '')
        self.assertEqual(self.verified(withdrawn['receipts'], f'task:{hers}'), 1)
        self.assertEqual(self.verified(withdrawn['receipts'], f'task:{other}'), 0)
        # A refusal goes with the person, whatever everyone has agreed to.
        self.given(everyone=True, basis='customer', jurisdiction='US')
        self.assert_refused(ANN)
        self.assert_taken('bob')
        self.given(subject=ANN, basis='parent', jurisdiction='US')
        self.assert_taken(ANN)
        for parent, _, names in os.walk(self.service.data):
            for name in names:
                with open(os.path.join(parent, name), 'rb') as file:
                    self.assertNotIn(ANN.encode(), file.read(), name)

    def test_the_command_does_the_same(self):
        data = ('--data', self.service.data)
        self.assert_good(run('consent', 'require', self.keys['AppId'], 'on', *data))
        self.assertEqual(self.openai(ANN), (403, 'consent_required'))
        self.assert_one_line(run('consent', 'give', 'default', '--subject', ANN, '--age', '12',
                                 '--jurisdiction', 'US', *data), 'parent or guardian')
        told = self.assert_good(run('consent', 'give', 'default', '--subject', '-', '--age', '13',
                                    '--jurisdiction', 'US', *data, stdin=ANN.encode() + b'\n'))
        self.assertIn('Children\'s Online Privacy Protection Act', told)
        self.assertEqual(self.openai(ANN), '')
        self.assertEqual(self.task(ANN), '')
        told = self.assert_good(run('consent', 'withdraw', 'default', '--subject', ANN, *data))
        self.assertIn('erased: 1 results', told)
        self.assertEqual(self.openai(ANN), (403, 'consent_required'))
        told = self.assert_good(run('consent', 'list', 'default', *data))
        self.assertIn('withdrawn', told)
        self.assertNotIn('ann', told)
        self.assert_good(run('consent', 'require', 'default', 'off', *data))
        self.assertEqual(self.openai(None), '')
        # A name that a script forgot to set is nobody's, least of all everyone's.
        self.assert_one_line(run('consent', 'withdraw', 'default', '--subject', '', *data),
                             'names nobody')
        self.assert_one_line(run('consent', 'withdraw', 'default', '--subject', '-', *data,
                                 stdin=b'\n'), 'no name')
        self.assertNotIn('everyone', self.assert_good(run('consent', 'list', 'default', *data)))
        ages = self.assert_good(run('consent', 'ages'))
        self.assertIn('DE       16', ages)

    def test_a_body_that_makes_no_sense_is_refused(self):
        for body in ({}, {'subject': ANN}, {'subject': ANN, 'everyone': True, 'withdraw': True},
                     {'subject': ANN, 'basis': 'person', 'jurisdiction': 'DE'},
                     {'subject': ANN, 'basis': 'customer', 'jurisdiction': 'DE'},
                     {'everyone': True, 'basis': 'person', 'age': 18, 'jurisdiction': 'DE'},
                     {'subject': ANN, 'basis': 'parent', 'jurisdiction': 'Germany'},
                     {'subject': ANN, 'basis': 'parent', 'jurisdiction': 'DE', 'expires_in': 0},
                     {'subject': 'x' * 257, 'withdraw': True}, {'require': 'yes'},
                     {'require': True, 'subject': ANN}, {'subject': ANN, 'withdraw': False}, []):
            status, answer = call_own(self.service, 'consent', body)
            self.assertEqual((status, answer['error']['code']), (400, 'invalid_argument'), body)
        self.assertEqual(call_own(self.service, 'consent')[1]['consents'], [])
        self.assertEqual(self.openai('x' * 257), (400, 'invalid_value'))
        self.assertEqual(self.realtime('x' * 257), 4001)
        erased = call_own(self.service, 'erase', {'subject': 'nobody'})[1]
        self.assertEqual(erased['erased']['results'], 0)


if __name__ == '__main__':
    main()
