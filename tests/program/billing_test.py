#!/usr/bin/env python3
"""Who may not spend more, or does not pay, is refused by every interface with the contract's code; the
rest of the interfaces goes on, and nothing is refused for money unless an operator said so.

Method: a running service whose prices have no free quota, rules made by command beside it, real
speech through each interface.
"""

import os
import re

from api3 import Api3
from callers import Callers
from service import Service
from support import SpeechTest, main, run
import websocket_peer

PRICES = '''
name = "house"
currency = "EUR"
[interface.openai]
unit = "thousand_calls"
tiers = [{ from = 0, price = "2000" }]
'''
NOTHING = dict.fromkeys(Callers.INTERFACES, '')
SPENT = {'sentence': 'FailedOperation.UserHasNoFreeAmount',
         'task': 'FailedOperation.UserHasNoFreeAmount', 'flash': 4004,
         'openai': (429, 'insufficient_quota'), 'realtime': 4004, 'openai_realtime': 429}
OVERDUE = {'sentence': 'FailedOperation.ServiceIsolate', 'task': 'FailedOperation.ServiceIsolate',
           'flash': 4005, 'openai': (429, 'billing_not_active'), 'realtime': 4005,
           'openai_realtime': 429}


class BillingTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        websocket_peer.require_wsproto()

    def start(self, *arguments):
        prices = self.path('prices.toml')
        if not os.path.exists(prices):
            with open(prices, 'w', encoding='utf-8') as file:
                file.write(PRICES)
        self.service = Service('--metering.prices', prices, *arguments, data=self.path('data'))
        self.addCleanup(self.service.stop)
        self.callers = Callers(self.service, self.short)

    def billing(self, *arguments):
        return self.assert_good(run('apps', 'billing', 'default', *arguments, '--data',
                                    self.service.data))

    def test_what_is_spent_ends_calls_until_the_limit_is_raised(self):
        self.start()
        self.assertEqual(self.callers.refusals(), NOTHING)
        self.assertIn('none', self.billing())
        self.assertRegex(self.billing('--monthly-limit', '4'), 'Monthly limit *4.000000')
        # Two euros a call: one was made, and this one reaches the limit.
        self.assertEqual(self.callers.openai(None), '')
        # A call's row is written behind its back.
        self.wait_until(lambda: re.search(r'Spent in \d{4}-\d\d *4.000000', self.billing()))
        self.assertEqual(self.callers.refusals(), SPENT)
        api = Api3(self.service.address, self.service.keys['SecretId'],
                   self.service.keys['SecretKey'])
        # What is done already can be asked for.
        self.assertEqual(api.code('DescribeTaskStatus', {'TaskId': self.callers.last_task}), '')
        self.billing('--monthly-limit', '100')
        self.assertEqual(self.callers.refusals(), NOTHING)
        self.billing('--monthly-limit', '0')
        self.assertEqual(self.callers.openai(None), (429, 'insufficient_quota'))
        self.assertIn('none', self.billing('--no-limit'))
        self.assertEqual(self.callers.refusals(), NOTHING)
        # Refusals are the caller's own, and cost nothing.
        def refused():
            shown = self.assert_good(run('usage', '--calls', '--data', self.service.data))
            return [row for row in shown.splitlines() if ',4004,' in row]
        self.wait_until(lambda: len(refused()) >= 2)
        self.assertEqual(len(refused()), 2)
        for row in refused():
            self.assertIn('caller_fault', row)

    def test_an_account_in_arrears_is_served_for_a_day_and_then_no_more(self):
        self.start()
        self.assertIn('in arrears since', self.billing('--overdue'))
        self.assertEqual(self.callers.refusals(), NOTHING)
        self.service.stop()
        keys = self.service.keys
        self.start('--metering.overdue-grace-hours', '0')
        self.callers.keys = self.service.keys = keys
        self.assertEqual(self.callers.refusals(), OVERDUE)
        self.assertIn('not in arrears', self.billing('--settled'))
        self.assertEqual(self.callers.refusals(), NOTHING)

    def test_what_is_no_amount_is_told(self):
        self.start()
        for amount in ('', '-1', '1e3', '0.0000001', '1000000000000', 'x'):
            self.assert_one_line(run('apps', 'billing', 'default', '--data', self.service.data,
                                     '--monthly-limit', amount), 'an amount is 0 to')
        self.assertIn('none', self.billing())


if __name__ == '__main__':
    main()
