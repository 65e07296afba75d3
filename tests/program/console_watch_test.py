#!/usr/bin/env python3
"""The console's page Watch: figures as charts and as text, a service that stops under it, and a ledger whose
history was rewritten.

Method: console_driver.py; for the rewritten history, the service with an older copy of all of its data, to
which other things happened.
"""

import re
import shutil

from console_driver import ConsoleTest
from every_interface import openai
from own_api import call_own
from service import Service
from support import main

TITLES = ['Calls', 'Error rate', 'Latency', 'Live streams', 'Real-time factor', 'Queue', 'Lateness of erasure', 'Memory']


class ConsoleWatchTest(ConsoleTest):

    def own(self, path):
        return call_own(self.service, path, password=self.service.keys['Console password'])[1]

    def test_the_last_hour_is_drawn_and_told(self):
        for _ in range(3):
            openai(self.service, self.short)
        openai(self.service, __file__)  # which is no recording
        seen = self.drive('watch', '4')
        # What draws is not fetched before it is needed.
        self.assertEqual((seen['early'], seen['late']), (0, 1))
        state = self.own('watch')['state']
        # The machine that runs the tests may be short of room itself.
        self.assertIn('section LetheDiskFilling' if state['disk_free'] < 0.1 * state['disk_size'] else 'Nothing is wrong',
                      seen['health'])
        self.assertRegex(seen['updated'], r'^Updated \d+ s ago\.$')
        self.assertEqual(seen['drawn'], {title: True for title in TITLES})
        words = seen['words']
        self.assertEqual(list(words), TITLES)
        self.assertRegex(words['Calls'], r'; 4 calls in the last .*, 0 of them failed by the service’s fault\.$')
        self.assertRegex(words['Error rate'], r'0 % in the last ')
        samples = self.own('watch')['samples']
        rtf = next(each['rtf'] for each in samples if each['rtf'] is not None)
        self.assertTrue(words['Real-time factor'].startswith(f'{float(f"{rtf:.3g}"):g};'), (words, rtf))
        self.assertRegex(words['Queue'], r'^0 calls wait, .*; 0 calls were turned away')
        self.assertRegex(words['Live streams'], r'^0 live streams and 0 recordings now')
        # The table has every sample, newest first, and what the words say of the last one with calls.
        self.assertEqual(seen['columns'], ['Time', 'p50', 'p95', 'p99'])
        timed = [each['latency'] for each in samples if each['latency']]
        shown = [row[1:] for row in seen['rows'] if row[1] != '–']
        self.assertEqual(len(shown), len(timed))
        self.assertAlmostEqual(self.seconds(shown[-1][0]), timed[0]['p50'], delta=0.01)
        self.assertIn(f'Half took {shown[0][0]} at most', words['Latency'])
        # Usage, fees and service levels of the application.
        month = self.own('usage?app_id=' + self.service.keys['AppId'])['from'][:7]
        bill = self.own(f'bill?app_id={self.service.keys["AppId"]}&month={month}')
        self.assertEqual(seen['total'], f'{bill["total"]} {bill["currency"]}')
        self.assertIn('3 calls succeeded', seen['usage'])
        self.assertIn('This month is not over', seen['usage'])
        self.assertIn('Minute rule 100.0000000 %: the target of 99.9 % is met', seen['level'])
        self.assertIn('3 ÷ (3 + 0).', seen['level'])
        self.assertEqual(len(seen['months']), 3)
        self.assertEqual(seen['months'][0], month + ', so far')

    @staticmethod
    def seconds(text):
        value, unit = text.split()
        return float(value) / {'ms': 1000, 's': 1}[unit]

    def something_is_erased(self, service):
        openai(service, __file__)
        _, answer = call_own(service, 'erase', {'app_id': int(service.keys['AppId'])}, key=service.keys['API key'])
        self.assertTrue(answer['receipts'], answer)

    def test_a_rewritten_history_is_noticed(self):
        data = self.path('data', 'of', 'service')
        service = Service(data=data)
        self.addCleanup(lambda: service.stop())
        keys = service.keys
        self.something_is_erased(service)
        service.stop()
        older = self.path('older', 'data')
        shutil.copytree(data, older)

        def start(folder, *arguments):
            started = Service(*arguments, data=folder)
            started.keys = keys
            return started
        service = start(data)
        address = service.address
        with self.driver('ledger', service=service) as driver:
            self.assertEqual(driver.stderr.readline(), 'verified\n')
            service.process.kill()
            self.assertEqual(driver.stderr.readline(), 'stale\n')
            service.stop()
            service = start(older, '--listen', address)
            # At least as many leaves as before, with the same key: but others.
            for _ in range(3):
                self.something_is_erased(service)
            seen = self.seen(driver)
        self.assertIn('This is the first head that this browser sees', seen['first']['said'])
        self.assertEqual(seen['first']['checks'], ['check-true', 'check-null'])
        for name in ('second', 'again', 'accepted'):
            self.assertIn('Verified: signed, and it goes on from the head of', seen[name]['said'], name)
            self.assertEqual(seen[name]['checks'], ['check-true'] * 5, name)
            self.assertEqual(seen[name]['alert'], '')
        # A head that was changed on its way is not signed.
        for name in ('root', 'time', 'key'):
            self.assertEqual(seen[name]['said'], 'It does not verify.', name)
            self.assertEqual(seen[name]['checks'][0], 'check-false', name)
            self.assertIn('not signed by the ledger’s key', seen[name]['alert'], name)
        self.assertEqual(seen['broken']['checks'], ['check-false'])
        # One that is signed, but does not go on from what was seen.
        self.assertEqual(seen['other']['checks'], ['check-true', 'check-true', 'check-true', 'check-false', 'check-true'])
        self.assertIn('its history was rewritten', seen['other']['alert'])
        self.assertEqual(seen['unproven']['checks'][3], 'check-null')
        self.assertIn('not everything could be looked at', seen['unproven']['said'])
        # The service is stopped under the page.
        self.assertIn('The service does not answer', seen['health'])
        self.assertIn('LetheDown', seen['health'])
        self.assertEqual(seen['stale'], len(TITLES))
        self.assertRegex(seen['words'], r'MB now')
        # And comes back with another history of its own.
        self.assertEqual(seen['rewritten']['checks'][:3], ['check-true'] * 3)
        self.assertIn('check-false', seen['rewritten']['checks'])
        self.assertIn('its history was rewritten', seen['rewritten']['alert'])
        self.assertTrue(seen['kept'], 'what was seen is not replaced by what does not go on from it')
        saw, found = seen['heads']['saw'], seen['heads']['found']
        self.assertEqual(saw['keys'], found['keys'])
        self.assertNotEqual(saw['head'], found['head'])
        for head in (saw['head'], found['head']):
            self.assertTrue(re.match(r'^lethe-ledger/\w+\n\d+\n', head))


if __name__ == '__main__':
    main()
