#!/usr/bin/env python3
"""Commands beside a service work on its records, with its keys and by its prices when LETHE_CONFIG names
its configuration file; flags go before the environment, that before the file; and a file that is wrong
ends them before they touch anything.
"""

import json
import os

from service import Service
from support import SpeechTest, main, run

PRICES = 'name = "house"\ncurrency = "EUR"\n'


class ConfigurationTest(SpeechTest):

    def write(self, name, text):
        path = self.path(name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def setUp(self):
        super().setUp()
        self.data = self.path('data', 'of', 'service')
        self.elsewhere = self.path('keys', 'elsewhere')
        self.ledger = self.path('ledger', 'elsewhere')
        prices = self.write('prices.toml', PRICES)
        self.file = self.write('lethe.toml', f'''
listen = ["127.0.0.1:0"]
[store]
keys = "{self.elsewhere}"
ledger = "{self.ledger}"
[metering]
prices = "{prices}"
''')

    def command(self, *arguments, **environment):
        return run(*arguments, '--data', self.data,
                   env={'LETHE_CONFIG': self.file, **environment})

    def test_they_find_what_the_service_has_elsewhere(self):
        service = Service('--config', self.file, data=self.data)
        self.addCleanup(service.stop)
        self.assertIn('default', self.assert_good(self.command('apps', 'list')))
        self.assert_good(self.command('keys', 'create', '--app', 'default'))
        service.stop()  # signs a head
        self.assertIn('+', self.assert_good(self.command('ledger', 'keys')))
        self.assertIn('lethe-ledger', self.assert_good(self.command('ledger', 'head')))
        bill = self.assert_good_bill(self.command('bill', '--app', 'default', '--json'))
        self.assertEqual(json.loads(bill.splitlines()[0])['currency'], 'EUR')
        # Whoever says otherwise is heard, by the environment and before it by a flag.
        bill = self.assert_good_bill(self.command('bill', '--app', 'default', '--json',
                                                  LETHE_METERING_PRICES='international'))
        self.assertEqual(json.loads(bill.splitlines()[0])['currency'], 'USD')
        bill = self.assert_good_bill(self.command('bill', '--app', 'default', '--json', '--prices', 'mainland',
                                                  LETHE_METERING_PRICES='international'))
        self.assertEqual(json.loads(bill.splitlines()[0])['currency'], 'CNY')
        # Without the file these would be other keys, and another ledger.
        self.assert_one_line(self.command('keys', 'create', '--app', 'default', LETHE_CONFIG=''),
                             'master key')
        self.assert_one_line(self.command('ledger', 'head', LETHE_CONFIG=''), 'no ledger')
        self.assertFalse(os.path.exists(os.path.join(self.data, 'keys')))

    def test_a_file_that_is_wrong_ends_them(self):
        wrong = self.write('wrong.toml', '[store]\nregoin = "eu"\n')
        for command in (('apps', 'create', 'ward'), ('bill',), ('ledger', 'head')):
            told = self.command(*command, LETHE_CONFIG=wrong)
            self.assert_one_line(told, 'wrong.toml:2: store.regoin', 'LETHE_CONFIG')
        self.assertFalse(os.path.exists(self.data))
        self.assert_one_line(self.command('apps', 'list', LETHE_CONFIG=self.path('none.toml')), 'none.toml')
        # Help comes all the same.
        self.assertIn('--store.keys', self.assert_good(self.command('apps', 'list', '--help',
                                                                    LETHE_CONFIG=wrong)))


if __name__ == '__main__':
    main()
