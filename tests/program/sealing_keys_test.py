#!/usr/bin/env python3
"""The keys that what is stored is sealed under can be looked at and given a new master key, and nothing
is lost on the way, however often that is cut short."""

import os
import shutil

from api3 import Api3
import every_interface
from service import Service
from support import SPOKEN, SpeechTest, main, run


class SealingKeysTest(SpeechTest):

    def setUp(self):
        super().setUp()
        self.data = self.path('data', 'of', 'service')
        self.service = Service(data=self.data)
        self.addCleanup(lambda: self.service.stop())  # whichever is running then
        self.keys = self.service.keys
        self.master = os.path.join(self.data, 'keys', 'master.key')
        with open(self.short, 'rb') as file:
            audio = file.read()
        self.task = self.api().call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
            'Data': every_interface.base64.b64encode(audio).decode(),
            'DataLen': len(audio)})['Data']['TaskId']

    def api(self):
        return Api3(self.service.address, self.keys['SecretId'], self.keys['SecretKey'])

    def command(self, *arguments):
        return run('keys', *arguments, '--data', self.data)

    def assert_all_is_there(self):
        """Secrets and texts open."""
        self.service = Service(data=self.data)
        state = self.api().call('DescribeTaskStatus', {'TaskId': self.task})
        while state['Data']['Status'] < 2:
            state = self.api().call('DescribeTaskStatus', {'TaskId': self.task})
        self.assertTrue(SPOKEN.search(state['Data']['Result']), state)
        self.assertEqual(self.service.stop()[0], 0)

    def refused(self):
        return run('serve', '--listen', '127.0.0.1:0', '--data', self.data)

    def test_they_are_shown_and_never_what_they_are(self):
        told = self.assert_good(self.command('sealing'))
        self.assertRegex(told, r'result +default +\d{4}-\d\d-\d\d \d\d:00')
        self.assertIn('a key for each of 1 applications', told)

    def test_a_new_master_key_opens_what_the_old_one_did(self):
        self.assert_one_line(self.command('rotate'), 'the keys are in use', 'stop every service')
        self.assertEqual(self.service.stop()[0], 0)
        self.assert_all_is_there()
        shutil.copytree(self.data, self.path('copy', 'of'))
        with open(self.master, 'rb') as file:
            old = file.read()
        self.assertIn('a new master key', self.assert_good(self.command('rotate')))
        with open(self.master, 'rb') as file:
            self.assertNotEqual(file.read(), old)
        self.assert_all_is_there()
        # The old one opens nothing any more.
        shutil.copy(self.path('copy', 'of', 'keys', 'master.key'), self.master)
        self.assert_one_line(self.refused(), 'another master key')

    def test_what_was_interrupted_is_finished(self):
        self.assertEqual(self.service.stop()[0], 0)
        self.assert_all_is_there()
        # Before anything was sealed anew.
        with open(self.master + '.next', 'wb') as file:
            file.write(os.urandom(32))
        os.chmod(self.master + '.next', 0o600)
        self.assert_one_line(self.refused(), 'lethe keys rotate')
        self.assert_one_line(self.command('list'), 'lethe keys rotate')
        self.assert_good(self.command('rotate'))
        self.assert_all_is_there()
        # When half of the keys were, and nothing in the records.
        epochs = os.path.join(self.data, 'keys', 'epochs')
        halves = self.path('halves', 'epochs')
        shutil.copytree(self.data, self.path('before', 'data'))
        self.assert_good(self.command('rotate'))
        shutil.copytree(epochs, halves)
        shutil.copy(self.master, self.path('halves', 'master.key'))
        shutil.rmtree(self.data)
        shutil.copytree(self.path('before', 'data'), self.data)
        for name in sorted(os.listdir(halves))[::2]:
            shutil.copy(os.path.join(halves, name), os.path.join(epochs, name))
        shutil.copy(self.path('halves', 'master.key'), self.master + '.next')
        self.assert_good(self.command('rotate'))
        self.assert_all_is_there()
        # When the old one was being destroyed.
        os.rename(self.master, self.master + '.next')
        with open(self.master, 'wb') as file:
            file.write(os.urandom(72))
        os.chmod(self.master, 0o600)
        self.assert_good(self.command('rotate'))
        self.assert_all_is_there()
        # When only the last step was missing.
        os.rename(self.master, self.master + '.next')
        with open(self.master, 'wb'):
            pass
        os.chmod(self.master, 0o600)
        self.assert_good(self.command('rotate'))
        self.assert_all_is_there()


if __name__ == '__main__':
    main()
