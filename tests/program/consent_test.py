#!/usr/bin/env python3
"""Where an application processes nobody without consent, every interface refuses a call that names
nobody and one whose person has not consented, takes one whose person has, and refuses again when
the consent has expired or is withdrawn. Withdrawing cancels what is under way and erases what is
held, with receipts that verify; the person's name is nowhere in what the service wrote.

Method: a running service and real speech through each interface, by hand where the official clients
have no place for a header.
"""

import json
import os
import time

import websocket_peer
from api3 import Api3
from callers import Callers
from erasure_test import call_own
from realtime_call import code_of, target
from service import Service
from support import PATIENCE, SpeechTest, main, run
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
        self.callers = Callers(self.service, self.short)

    REFUSALS = {'sentence': 'AuthFailure.UnauthorizedOperation',
                'task': 'AuthFailure.UnauthorizedOperation', 'flash': 4003,
                'openai': (403, 'consent_required'), 'realtime': 4003, 'openai_realtime': 403}

    def assert_refused(self, subject):
        self.assertEqual(self.callers.refusals(subject), self.REFUSALS, subject)

    def assert_taken(self, subject):
        self.assertEqual(self.callers.refusals(subject), dict.fromkeys(self.REFUSALS, ''), subject)

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
        while self.callers.openai_realtime(ANN) == '':
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)
        self.assert_refused(ANN)
        self.assertEqual(call_own(self.service, 'consent')[1]['consents'][0]['state'], 'expired')

    def test_a_withdrawal_cancels_and_erases_with_receipts(self):
        # Nobody has to have required it.
        self.assertEqual(self.callers.task(None), '')
        other = self.callers.last_task
        self.assertEqual(self.callers.task(ANN), '')
        hers = self.callers.last_task
        self.assertEqual(self.callers.sentence(ANN), '')
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
        self.assertEqual(self.callers.openai(ANN), (403, 'consent_required'))
        self.assert_one_line(run('consent', 'give', 'default', '--subject', ANN, '--age', '12',
                                 '--jurisdiction', 'US', *data), 'parent or guardian')
        told = self.assert_good(run('consent', 'give', 'default', '--subject', '-', '--age', '13',
                                    '--jurisdiction', 'US', *data, stdin=ANN.encode() + b'\n'))
        self.assertIn('Children\'s Online Privacy Protection Act', told)
        self.assertEqual(self.callers.openai(ANN), '')
        self.assertEqual(self.callers.task(ANN), '')
        told = self.assert_good(run('consent', 'withdraw', 'default', '--subject', ANN, *data))
        self.assertIn('erased: 1 results', told)
        self.assertEqual(self.callers.openai(ANN), (403, 'consent_required'))
        told = self.assert_good(run('consent', 'list', 'default', *data))
        self.assertIn('withdrawn', told)
        self.assertNotIn('ann', told)
        self.assert_good(run('consent', 'require', 'default', 'off', *data))
        self.assertEqual(self.callers.openai(None), '')
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
        self.assertEqual(self.callers.openai('x' * 257), (400, 'invalid_value'))
        self.assertEqual(self.callers.realtime('x' * 257), 4001)
        erased = call_own(self.service, 'erase', {'subject': 'nobody'})[1]
        self.assertEqual(erased['erased']['results'], 0)


if __name__ == '__main__':
    main()
