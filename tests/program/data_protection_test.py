#!/usr/bin/env python3
"""What docs/data-protection.md shows is what the program prints.

Method: the page's commands are run in their order beside a service that has a finished task of a person;
what they print is compared with the page, but for numbers, times, keys and the width of columns.
"""

import base64
import os
import re
import subprocess

from api3 import Api3
from service import Service
from support import PATIENCE, SpeechTest, main, program_path

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'docs',
                    'data-protection.md')
BLOCK = re.compile(r'^```console\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def commands_of(block):
    """Each command of a block, and the lines behind it."""
    parts = re.split(r'^\$ (.*)\n', block, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))


def alike(text):
    """What stays the same from one run to the next: not the order of what random names begin with, nor
    how many hours have keys, nor how often the ledger signed meanwhile."""
    text = re.sub(r'lethe-ledger/[0-9a-f]+(\+[0-9a-f]+\+[A-Za-z0-9+/=]+)?', 'KEY', text)
    text = re.sub(r'\b[0-9a-f]{64}\b|\b[0-9a-f-]{36}\b', 'ID', text)
    text = re.sub(r'\d+', '#', text).replace('# signed heads', '# signed head')
    return sorted({' '.join(line.split()) for line in text.splitlines()})


class DataProtectionTest(SpeechTest):

    def setUp(self):
        super().setUp()
        self.service = Service()
        self.addCleanup(self.service.stop)
        keys = self.service.keys
        api = Api3(self.service.address, keys['SecretId'], keys['SecretKey'])
        api.more['X-Lethe-Subject'] = 'user-17'
        with open(self.short, 'rb') as file:
            audio = file.read()
        made = api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
            'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)})
        task = made['Data']['TaskId']
        self.wait_until(lambda: api.call('DescribeTaskStatus', {'TaskId': task})['Data'][
            'StatusStr'] == 'success')
        self.environment = dict(
            self.service.environment, LETHE_DATA=self.service.data, TASK=str(task),
            CALL=made['RequestId'],
            PATH=os.path.dirname(program_path()) + os.pathsep + os.environ['PATH'])
        self.wait_until(lambda: 'recording' in self.said('lethe calls show $CALL'))

    def said(self, command):
        """What a command prints, both ways, in their order."""
        return subprocess.run(['bash', '-c', command], cwd=self.folder, env=self.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=PATIENCE, check=False).stdout

    def test_the_page_shows_what_its_commands_print(self):
        with open(PAGE, encoding='utf-8') as file:
            blocks = BLOCK.findall(file.read())
        commands = [pair for block in blocks for pair in commands_of(block)]
        self.assertGreater(len(commands), 12)
        for command, shown in commands:
            said = self.said(command)
            with self.subTest(command):
                self.assertEqual(alike(said), alike(shown))


if __name__ == '__main__':
    main()
