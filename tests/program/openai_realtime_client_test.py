#!/usr/bin/env python3
"""OpenAI's official realtime clients work against the service, unmodified: turns that voice activity
finds and turns that are committed, both dialects, the browser's way of bringing a key, errors. And
what no client of theirs does, by hand.

Method: tests/clients/openai_realtime_client.mjs on real speech, over TLS, because the clients speak
nothing else; raw sockets.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from service import Service
from support import PATIENCE, SpeechTest, main, word_errors

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'clients')


class OpenAiRealtimeClientTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        reason = None
        if not os.path.isdir(os.path.join(CLIENTS, 'node_modules', 'ws')):
            reason = 'the clients are not installed: make clients'
        elif not shutil.which('ffmpeg') or not shutil.which('openssl'):
            reason = 'no ffmpeg or no openssl'
        if reason and os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
            raise AssertionError(reason)
        if reason:
            raise unittest.SkipTest(reason)
        folder = tempfile.mkdtemp(prefix='lethe_realtime_')
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        samples = []
        for file, how in ((cls.long, ['-f', 's16le', '-ar', '24000']),
                          (cls.short, ['-f', 's16le', '-ar', '24000']),
                          (cls.long, ['-f', 'mulaw', '-ar', '8000'])):
            samples.append(os.path.join(folder, str(len(samples))))
            subprocess.run(['ffmpeg', '-v', 'error', '-i', file, '-ac', '1', *how, samples[-1]],
                           check=True)
        service = Service(tls=True)
        try:
            made = subprocess.run(
                ['node', os.path.join(CLIENTS, 'openai_realtime_client.mjs'), *samples],
                env=dict(service.environment, LETHE_PROMPT='Ill-Sposed, Dashwood'),
                capture_output=True, text=True, timeout=PATIENCE, check=False)
            if made.returncode != 0:
                raise AssertionError(made.stderr + made.stdout)
            cls.results = json.loads(made.stdout)
            cls.broken = cls.speak_broken(service)
            cls.metrics = service.get('/metrics')[1]
        finally:
            cls.exit_code, cls.errors = service.stop()

    @staticmethod
    def speak_broken(service):
        """What raw handshakes are answered with: a status line each."""
        answers = []
        host, port = service.address.split(':')
        upgrade = ('Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
                   'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n')
        key = 'Authorization: Bearer ' + service.keys['API key'] + '\r\n'
        for request in (f'GET /v1/realtime HTTP/1.1\r\n{upgrade}\r\n',
                        f'GET /v1/realtime?intent=x HTTP/1.1\r\n{upgrade}{key}\r\n',
                        f'GET /v1/realtime HTTP/1.1\r\nHost: x\r\n{key}\r\n',
                        f'GET /v1/realtime HTTP/1.1\r\n{upgrade}{key}\r\n'):
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
                connection.sendall(request.encode())
                answers.append(connection.recv(65536).decode(errors='replace'))
        return answers

    def assert_heard(self, file, item, most=2):
        self.assertLessEqual(word_errors(self.spoken[file], item['transcript']), most,
                             item['transcript'])
        self.assertEqual(''.join(item['deltas']), item['transcript'])

    def test_turns_that_voice_activity_finds(self):
        for name in ('turns', 'browser'):
            turns = self.results[name]
            self.assertEqual(len(turns['items']), 2, turns['types'])
            self.assert_heard(self.long, turns['items'][0])
            self.assert_heard(self.short, turns['items'][1], 4)
            times = [time for started, stopped in zip(turns['started'], turns['stopped'])
                     for time in (started['audio_start_ms'], stopped['audio_end_ms'])]
            self.assertEqual(times, sorted(times))
            input_ = turns['session']['audio']['input']
            self.assertEqual(input_['turn_detection']['silence_duration_ms'], 1500)
            self.assertEqual(input_['transcription']['model'], 'gpt-4o-transcribe')

    def test_turns_that_are_committed(self):
        manual = self.results['manual']
        self.assert_heard(self.long, manual['items'][0])
        self.assert_heard(self.short, manual['items'][1], 4)
        first, second = manual['committed']
        self.assertIsNone(first['previous_item_id'])
        self.assertEqual(second['previous_item_id'], first['item_id'])
        for item in manual['items']:
            self.assertEqual(''.join(one['token'] for one in item['logprobs']), item['transcript'])
        self.assertEqual(manual['items'][0]['usage'], {'type': 'duration', 'seconds': 7.1})

    def test_the_beta_and_telephone_audio(self):
        beta = self.results['beta']
        self.assert_heard(self.long, beta['items'][0], 5)
        self.assertIn('conversation.item.created', beta['types'])
        self.assertEqual(beta['session']['input_audio_format'], 'g711_ulaw')
        self.assertEqual(beta['session']['turn_detection'],
                         {'type': 'semantic_vad', 'eagerness': 'low'})

    def test_names_in_prompts_are_expected(self):
        # As it is heard without the prompt, but for the capitals: whether a misheard name is found
        # depends on roundings, and is counted by bench/hot_words.
        self.assertNotIn('Ill-Sposed', self.results['manual']['items'][1]['transcript'])
        self.assertIn('Ill-Sposed', self.results['prompt']['items'][0]['transcript'])

    def test_what_is_cleared_is_not_heard(self):
        self.assertEqual(len(self.results['clear']['items']), 1)
        self.assert_heard(self.short, self.results['clear']['items'][0], 4)

    def test_errors_name_the_event(self):
        errors = self.results['refused']['errors']
        self.assertEqual([(error['event_id'], error['code']) for error in errors],
                         [('e-1', 'invalid_event'), ('e-2', 'input_audio_buffer_commit_empty'),
                          ('e-3', 'invalid_value')])
        self.assertIn('401', self.results['wrong_key']['message'])

    def test_handshakes_are_answered_before_the_upgrade(self):
        statuses = [answer.split(' ')[1] for answer in self.broken]
        self.assertEqual(statuses, ['401', '400', '426', '101'])
        for answer in self.broken[:3]:
            error = json.loads(answer.partition('\r\n\r\n')[2])['error']
            self.assertEqual(set(error), {'message', 'type', 'param', 'code'})

    def test_the_service_stops_cleanly_and_has_counted(self):
        self.assertRegex(self.metrics,
                         r'lethe_calls_total\{interface="openai_realtime",result="200"\} \d')
        self.assertEqual(self.exit_code, 0, self.errors)


if __name__ == '__main__':
    main()
