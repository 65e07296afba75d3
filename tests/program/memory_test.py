#!/usr/bin/env python3
"""What was said is not in the service's memory any more when nobody needs it.

Method: recordings of real speech go through every interface; then all that the process may write is
read through /proc and searched for their words and for pieces of their samples, as they came and as
the engine has them.
"""

import array
import base64
import os
import time

from api3 import Api3
import every_interface
from forensics import samples
from database_test import SlowWeb
from own_api import call_own
from realtime_call import code_of, samples_of, target
from service import Service
from support import SPOKEN, SpeechTest, main, run
from websocket_peer import Peer, message


class MemoryForensics:
    """Searches all that a process may write for a recording and for words of its transcript."""

    def __init__(self, recording, process):
        self.process = process
        audio = array.array('h', samples(recording))
        # From where somebody speaks: silence is everywhere. As they came, and as the engine has them.
        places = range(len(audio) // 4, len(audio) - 32, 40_000)
        self.pieces = [audio[at:at + 32].tobytes() for at in places]
        self.pieces += [array.array('f', (v / 32768 for v in audio[at:at + 16])).tobytes()
                        for at in places]
        self.words = [b'Dashwood had then', b'prudently', b'then leisure']

    def found(self):
        """What is left of it, and where."""
        guilty = set()
        with open(f'/proc/{self.process}/maps', encoding='utf-8') as maps:
            regions = [line.split(maxsplit=5) for line in maps]
        with open(f'/proc/{self.process}/mem', 'rb', buffering=0) as memory:
            for addresses, rights, *rest in regions:
                begin, end = (int(address, 16) for address in addresses.split('-'))
                if not rights.startswith('rw') or begin >= 1 << 47:
                    continue
                try:
                    memory.seek(begin)
                    content = memory.read(end - begin)
                except OSError:
                    continue  # it was given back meanwhile
                name = rest[3].strip() if len(rest) > 3 else 'no name'
                guilty |= {('samples', name) for piece in self.pieces if piece in content}
                guilty |= {('words', name) for word in self.words if word in content}
        return guilty


class MemoryTest(SpeechTest):

    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest('only root may read the memory of a process that forbids it')
        if 'not zeroed when freed' in run('doctor').stdout:
            self.skipTest('a sanitizer is built in, which keeps what is freed')
        self.service = Service()
        self.addCleanup(self.service.stop)
        self.api = Api3(self.service.address, self.service.keys['SecretId'],
                        self.service.keys['SecretKey'])
        self.forensics = MemoryForensics(self.long, self.service.process.pid)

    def assert_nothing_is_left(self):
        # What a call used goes a moment after its answer.
        for _ in range(20):
            if not (left := self.forensics.found()):
                break
            time.sleep(0.1)
        self.assertEqual(left, set())

    def test_a_live_call_is_in_memory_while_it_lasts_and_not_behind_it(self):
        with Peer(self.service.address, target(self.service.keys)) as peer:
            self.assertEqual(code_of(peer.next()), 0)
            for frame in message(samples_of(self.long)):
                peer.send(frame)
            self.wait_until(lambda: 'samples' in {what for what, _ in self.forensics.found()})
            for frame in message('{"type": "end"}'):
                peer.send(frame)
            peer.rest()
        self.assert_nothing_is_left()

    def test_no_interface_leaves_what_was_said(self):
        web = SlowWeb(self.long)
        self.addCleanup(web.stop)
        web.released.set()
        for name, text in every_interface.say_everywhere(self.service, self.api, self.long,
                                                         web.url).items():
            with self.subTest(interface=name):
                self.assertTrue(SPOKEN.search(text))
        self.assert_nothing_is_left()

    def test_a_task_leaves_nothing_once_it_was_erased(self):
        with open(self.long, 'rb') as file:
            audio = file.read()
        task = self.api.call('CreateRecTask', {
            'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 2, 'SourceType': 1,
            'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)})['Data']['TaskId']
        self.wait_until(lambda: self.api.call('DescribeTaskStatus', {'TaskId': task})
                        ['Data']['StatusStr'] == 'success')
        call_own(self.service, 'erase', {'task_id': task})
        self.assert_nothing_is_left()


if __name__ == '__main__':
    main()
