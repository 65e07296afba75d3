#!/usr/bin/env python3
"""A realtime client against the service: partials and finals of real speech, in every format, with
the contract's frames and codes.

Method: tests/clients/realtime_client.py, which signs and sends as the official Python client does.
"""

import json
import os
import shutil
import subprocess
import unittest

from service import Service
from support import PATIENCE, SpeechTest, main, word_errors

CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'clients',
                      'realtime_client.py')
# Debian's, whose packages hold python3-websockets.
PYTHON = '/usr/bin/python3'
BARE_SPEEX = ['-map', '0:a', '-c:a', 'libspeex', '-f', 'data']


class RealtimeClientTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if subprocess.run([PYTHON, '-c', 'import websockets'], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
                raise AssertionError('python3-websockets is not installed')
            raise unittest.SkipTest('python3-websockets is not installed')
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)

    def speak(self, file, *arguments, key=None, code=0):
        """The frames that come back for a recording, sent as fast as it goes."""
        keys = self.service.keys
        result = subprocess.run(
            [PYTHON, CLIENT, '--url', 'ws://' + self.service.address, '--app-id', keys['AppId'],
             '--secret-id', keys['SecretId'], '--speed', '0', *arguments, file],
            env=dict(os.environ, LETHE_SECRET_KEY=key or keys['SecretKey']), capture_output=True,
            text=True, timeout=PATIENCE, check=False)
        self.assertEqual(result.returncode, code, result.stderr)
        return [json.loads(line) for line in result.stdout.splitlines()]

    @staticmethod
    def heard(frames):
        return ' '.join(frame['result']['voice_text_str'] for frame in frames
                        if frame.get('result', {}).get('slice_type') == 2)

    def encoded(self, name, *how):
        if not shutil.which('ffmpeg'):
            self.skipTest('no ffmpeg')
        out = self.path(name)
        subprocess.run(['ffmpeg', '-v', 'error', '-i', self.long, *how, out], check=True)
        return out

    def test_partials_become_a_final_and_the_service_closes(self):
        # As it is spoken: partials become fewer where the machine does not keep up.
        frames = self.speak(self.long, '--speed', '1', '--parameter', 'word_info=2',
                            '--parameter', 'needvad=1')
        self.assertEqual(set(frames[0]), {'code', 'message', 'voice_id'})
        voice = frames[0]['voice_id']
        self.assertTrue(all(frame['code'] == 0 and frame['voice_id'] == voice for frame in frames))
        results = [frame['result'] for frame in frames[1:-1]]
        self.assertEqual([results[0]['slice_type'], results[-1]['slice_type']], [0, 2])
        self.assertIn(1, [result['slice_type'] for result in results])
        ids = [frame['message_id'] for frame in frames[1:]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(frames[-1]['final'], 1)
        self.assertNotIn('result', frames[-1])
        self.assertLessEqual(word_errors(self.spoken[self.long], self.heard(frames)), 2)
        words = results[-1]['word_list']
        self.assertEqual(results[-1]['word_size'], len(words))
        self.assertEqual(' '.join(word['word'] for word in words), results[-1]['voice_text_str'])
        self.assertTrue(all(word['stable_flag'] == 1 for word in words))
        times = [time for word in words for time in (word['start_time'], word['end_time'])]
        self.assertEqual(times, sorted(times))

    def test_sentences_follow_each_other_by_their_index(self):
        frames = self.speak(self.files[2], '--parameter', 'filter_empty_result=0')
        frames = [frame for frame in frames if 'result' in frame]
        indexes = [frame['result']['index'] for frame in frames
                   if frame['result']['slice_type'] == 2]
        self.assertEqual(indexes, list(range(len(indexes))))

    def test_every_format_gives_the_words(self):
        for number, name, how in (('12', 'a.wav', ['-ar', '16000']), ('8', 'a.mp3', []),
                                  ('16', 'a.aac', []), ('14', 'a.m4a', []),
                                  ('4', 'a.spx', ['-ar', '16000', '-c:a', 'libspeex']),
                                  # Frames without a container, in two bands.
                                  ('4', 'wide', [*BARE_SPEEX, '-ar', '16000']),
                                  ('4', 'narrow', [*BARE_SPEEX, '-ar', '8000'])):
            with self.subTest(name):
                frames = self.speak(self.encoded(name, *how), '--format', number)
                self.assertLessEqual(word_errors(self.spoken[self.long], self.heard(frames)),
                                     5 if name == 'narrow' else 3)

    def test_silk_is_said_to_be_silk(self):
        silk = self.path('a.silk')
        with open(silk, 'wb') as file:
            file.write(b'\x02#!SILK_V3' + bytes(range(256)) * 20)
        by_name, = self.speak(silk, '--format', '6', code=1)
        by_bytes = self.speak(silk, '--format', '4', code=1)[-1]
        self.assertEqual((by_name['code'], by_bytes['code']), (4001, 4007))
        self.assertIn('silk', by_name['message'])
        self.assertIn('SILK', by_bytes['message'])

    def test_hot_words_and_filters_change_the_text(self):
        plain = self.heard(self.speak(self.short))
        self.assertNotIn('ill-disposed', plain)
        hot = self.heard(self.speak(self.short, '--parameter', 'hotword_list=ill-disposed|10'))
        self.assertIn('ill-disposed', hot)
        context = {'context_type': 'context', 'hotword_list': 'ill-disposed|10'}
        self.assertIn('ill-disposed', self.heard(self.speak(self.short, '--context',
                                                            json.dumps(context))))
        # It goes before the words the call began with.
        context['hotword_list'] = 'Kubernetes|10'
        self.assertEqual(plain, self.heard(self.speak(
            self.short, '--context', json.dumps(context), '--parameter',
            'hotword_list=ill-disposed|10')))
        bare = self.heard(self.speak(self.short, '--parameter', 'filter_punc=2'))
        self.assertNotRegex(bare, r'[.,]')

    def test_sentence_mode_sends_lists(self):
        frames = self.speak(self.short, '--parameter', 'result_mod=1')
        finals = [sentence for frame in frames if frame.get('sentences')
                  for sentence in frame['sentences']['sentence_list']
                  if sentence['sentence_type'] == 1]
        self.assertGreater(len(finals), 0)
        self.assertLessEqual(word_errors(self.spoken[self.short],
                                         ' '.join(one['sentence'] for one in finals)), 3)

    def test_telephone_audio_is_taken_at_its_own_rate(self):
        narrow = self.encoded('a.wav', '-ar', '8000')
        frames = self.speak(narrow, '--engine', '8k_en')
        self.assertLessEqual(word_errors(self.spoken[self.long], self.heard(frames)), 5)

    def test_refusals_come_as_a_frame_and_a_close(self):
        for code, arguments, key in (
                (4002, [], 'another'),
                (4001, ['--engine', '16k_zh'], None),
                (4001, ['--engine', 'none'], None),
                (4001, ['--parameter', 'vad_silence_time=99999'], None),
                (4001, ['--format', '6'], None),
                (4001, ['--parameter', 'hotword_list=a|99'], None)):
            with self.subTest(code=code, arguments=arguments):
                frames = self.speak(self.short, *arguments, key=key, code=1)
                self.assertEqual([frame['code'] for frame in frames], [code])
        garbage = self.path('garbage.mp3')
        with open(garbage, 'wb') as file:
            file.write(b'this is no sound at all ' * 1000)
        self.assertEqual(self.speak(garbage, '--format', '8', code=1)[-1]['code'], 4007)

    def test_calls_are_counted(self):
        self.speak(self.short)
        metrics = self.service.get('/metrics')[1]
        self.assertRegex(metrics, r'lethe_calls_total\{interface="realtime",result="0"\} \d')

    def test_the_clock_can_be_asked_for(self):
        status, text = self.service.get('/server_time')
        self.assertEqual(status, 200)
        self.assertRegex(text, r'^\d{10}$')


if __name__ == '__main__':
    main()
