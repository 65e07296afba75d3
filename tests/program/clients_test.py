#!/usr/bin/env python3
"""The examples of docs/clients.md work as they stand there.

Method: each block of bash, js or python is a program of its own, run against one service with a
recording of real speech; the comment behind it, which readers do not see, says what it has to print.
"""

import os
import re
import shutil
import subprocess
import unittest

from service import Service
from support import PATIENCE, SPOKEN, SpeechTest, main

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
MODULES = os.path.join(ROOT, 'tests', 'clients', 'node_modules')
PAGE = os.path.join(ROOT, 'docs', 'clients.md')
BLOCK = re.compile(r'^```(\w+)\n(.*?)^```\n(?:<!-- prints: ([^\n]*) -->\n)?', re.MULTILINE | re.DOTALL)
NOT_RUN = '# Not run by the tests.\n'
COMMANDS = {'bash': ('example.sh', ['bash', '-eu']), 'js': ('example.mjs', ['node']),
            'python': ('example.py', ['/usr/bin/python3', '-B'])}  # Debian's has python3-websockets


def examples():
    """Language, program and what it prints (None: it is not run)."""
    with open(PAGE, encoding='utf-8') as file:
        for language, program, prints in BLOCK.findall(file.read()):
            yield language, program, None if program.startswith(NOT_RUN) else prints


class ClientExamplesTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.isdir(os.path.join(MODULES, 'openai')):
            if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
                raise AssertionError('the clients are not installed: make clients')
            raise unittest.SkipTest('the clients are not installed: make clients')
        found = subprocess.run([*COMMANDS['python'][1], '-c', 'import websockets'], check=False,
                               capture_output=True)
        if found.returncode != 0:
            if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
                raise AssertionError('python3-websockets is not installed')
            raise unittest.SkipTest('python3-websockets is not installed')

    def setUp(self):
        super().setUp()
        self.service = Service(tls=True)
        self.addCleanup(self.service.stop)
        shutil.copy(self.long, self.path('speech.wav'))
        os.symlink(MODULES, self.path('node_modules'))

    def test_every_example_prints_what_the_page_says(self):
        ran = set()
        for language, program, prints in examples():
            if prints is None:
                continue
            self.assertNotEqual(prints, '', 'what should it print? ' + program)
            name, command = COMMANDS[language]
            with open(self.path(name), 'w', encoding='utf-8') as file:
                file.write(program)
            made = subprocess.run([*command, name], cwd=self.folder, env=self.service.environment,
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
            with self.subTest(program):
                self.assertEqual((made.returncode, made.stderr), (0, ''))
                if prints == 'nothing':
                    self.assertEqual(made.stdout, '')
                else:
                    wanted = SPOKEN if prints == 'speech' else re.compile(prints)
                    self.assertRegex(made.stdout, wanted)
            ran.add(language)
        self.assertEqual(ran, set(COMMANDS))
        # And no more than this one goes without.
        self.assertEqual(sum(prints is None for *_, prints in examples()), 1)


if __name__ == '__main__':
    main()
