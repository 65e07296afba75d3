#!/usr/bin/env python3
"""What has to be done on a full disk is done: an erasure that was asked for.

Method: a small disk in memory holds the data folder, and a file fills it to its last page.
"""

import base64
import os
import stat
import subprocess
import time

from api3 import Api3
from own_api import call_own
from service import Service
from support import PATIENCE, SpeechTest, main

RESERVE = 4 << 20


class FullDiskTest(SpeechTest):

    def setUp(self):
        super().setUp()
        self.disk = self.path('disk')
        os.mkdir(self.disk)
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=32m', 'tmpfs', self.disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest('only root may mount a disk of its own')
        self.addCleanup(subprocess.run, ['umount', '--lazy', self.disk], check=False)
        self.filler = os.path.join(self.disk, 'filler')
        self.service = Service(data=os.path.join(self.disk, 'data'))
        self.addCleanup(self.service.stop)
        self.reserve = os.path.join(self.service.data, 'reserve')
        self.api = Api3(self.service.address, self.service.keys['SecretId'],
                        self.service.keys['SecretKey'])

    def finished_task(self):
        with open(self.short, 'rb') as file:
            audio = file.read()
        task = self.api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
            'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)})['Data']['TaskId']
        until = time.monotonic() + PATIENCE
        while self.api.call('DescribeTaskStatus', {'TaskId': task})['Data']['Status'] < 2:
            self.assertLess(time.monotonic(), until)
            time.sleep(0.1)
        return task

    def fill(self):
        with open(self.filler, 'wb', buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def wait_for_the_reserve(self):
        self.wait_until(lambda: os.path.exists(self.reserve) and os.stat(self.reserve).st_size == RESERVE)

    def erase(self, task):
        status, answer = call_own(self.service, 'erase', {'task_id': task})
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer['erased']['results'], 1)
        self.assertTrue(answer['receipts'])
        self.assertEqual(self.api.call('DescribeTaskStatus', {'TaskId': task})['Error']['Code'],
                         'FailedOperation.NoSuchTask')

    def test_an_erasure_needs_no_room_on_a_full_disk(self):
        first, second, third = (self.finished_task() for _ in range(3))
        # Empties the database's log, which has to grow for the next ones then.
        self.erase(first)
        self.wait_for_the_reserve()
        about = os.stat(self.reserve)
        self.assertEqual(stat.S_IMODE(about.st_mode), 0o600)
        self.assertGreaterEqual(about.st_blocks * 512, RESERVE)
        self.fill()
        self.erase(second)
        self.erase(third)
        os.remove(self.filler)
        self.wait_for_the_reserve()


if __name__ == '__main__':
    main()
