"""What the tests of the console share: a service, and a browser that is driven on it.

Method: Debian's Chromium, driven by tests/console/drive.mjs (playwright-core); its microphone plays a
recording of Debian's.
"""

import contextlib
import json
import os
import subprocess
import unittest

from service import Service
from support import PATIENCE, SpeechTest, run

CONSOLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'console')
CHROMIUM = os.environ.get('LETHE_CHROMIUM', '/usr/bin/chromium')
# A name that would do something if it were taken for markup.
MARKUP = '<img src=x onerror=document.title=1>'
ALL_HOLD = ['check-true'] * 3


class ConsoleTest(SpeechTest):
    """A service with two applications, and what a scenario saw on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        missing = None
        if not os.path.exists(CHROMIUM):
            missing = 'no chromium: make clients'
        elif not os.path.isdir(os.path.join(CONSOLE, 'node_modules', 'playwright-core')):
            missing = 'playwright-core is not installed: make clients'
        if missing and os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
            raise AssertionError(missing)
        if missing:
            raise unittest.SkipTest(missing)
        cls.service = Service()
        cls.addClassCleanup(lambda: cls.service.stop())  # whichever is running then
        made = run('apps', 'create', MARKUP, '--data', cls.service.data)
        if made.returncode != 0:
            raise AssertionError(made.stderr)

    @contextlib.contextmanager
    def driver(self, scenario, *files, service=None):
        service = service or self.service
        environment = dict(service.environment, LETHE_RECORDING=self.long,
                           LETHE_CONSOLE_PASSWORD=service.keys['Console password'])
        # Debian's Node 18 warns of its fetch, in what a scenario says to its test.
        with subprocess.Popen(['node', '--no-warnings', os.path.join(CONSOLE, 'drive.mjs'), scenario, *files],
                              env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as driver:
            try:
                yield driver
            finally:
                # A scenario may wait for a test that has failed.
                driver.kill()

    def drive(self, scenario, *files):
        """What a scenario saw."""
        with self.driver(scenario, *files) as driver:
            return self.seen(driver)

    def seen(self, driver):
        output, errors = driver.communicate(timeout=PATIENCE)
        self.assertEqual(driver.returncode, 0, errors)
        seen = json.loads(output)
        self.assertEqual(seen.pop('complaints'), [])
        return seen
