#!/usr/bin/env python3
"""OpenAI's official client works against the service, unmodified: every format, streaming, errors in
the shape it knows. And the flash interface, signed as the cloud's Python SDK signs.

Method: tests/clients/openai_client.mjs and flash_client.py on real speech.
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

from service import Service
from support import PATIENCE, SpeechTest, main, word_errors

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'clients')


class OpenAiClientTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.isdir(os.path.join(CLIENTS, 'node_modules', 'openai')):
            if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
                raise AssertionError('the clients are not installed: make clients')
            raise unittest.SkipTest('the clients are not installed: make clients')
        service = Service()
        try:
            made = subprocess.run(['node', os.path.join(CLIENTS, 'openai_client.mjs'), cls.long],
                                  env=service.environment, capture_output=True, text=True,
                                  timeout=PATIENCE, check=False)
            if made.returncode != 0:
                raise AssertionError(made.stderr + made.stdout)
            cls.results = json.loads(made.stdout)
            cls.metrics = service.get('/metrics')[1]
        finally:
            cls.exit_code, cls.errors = service.stop()

    def assert_heard(self, text):
        self.assertLessEqual(word_errors(self.spoken[self.long], text), 2, text)

    def test_every_format_has_the_words(self):
        for name in ('json', 'text', 'verbose', 'words', 'engine'):
            self.assert_heard(self.results[name]['text'])
        self.assertRegex(self.results['srt']['text'], r'^1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\nAnd ')
        self.assertRegex(self.results['vtt']['text'], r'^WEBVTT\n\n00:00:0\d\.\d{3} --> ')
        self.assertEqual(self.results['json']['usage'], {'type': 'duration', 'seconds': 8})

    def test_verbose_answers_have_segments_and_words_with_times(self):
        verbose = self.results['verbose']
        self.assertEqual((verbose['task'], verbose['language'], verbose['duration']),
                         ('transcribe', 'english', 7.1))
        self.assertEqual(''.join(segment['text'] for segment in verbose['segments']).strip(),
                         verbose['text'])
        words = self.results['words']['words']
        self.assertEqual(' '.join(word['word'] for word in words), verbose['text'])
        times = [time for word in words for time in (word['start'], word['end'])]
        self.assertEqual(times, sorted(times))

    def test_streams_tell_deltas_that_add_up(self):
        stream = self.results['stream']
        self.assert_heard(stream['done']['text'])
        self.assertEqual(''.join(stream['deltas']), stream['done']['text'])
        self.assertEqual(self.results['stream_abandoned'], {'events': 1})

    def test_models_are_listed(self):
        self.assertIn('16k_en', json.dumps(self.results['models']))
        self.assertEqual(self.results['model']['id'], 'whisper-1')

    def test_refusals_have_the_shape_the_client_knows(self):
        for name, status, code in (('wrong_key', 401, 'invalid_api_key'),
                                   ('wrong_model', 404, 'model_not_found'),
                                   ('wrong_model_retrieved', 404, 'model_not_found'),
                                   ('wrong_format', 400, None), ('wrong_language', 400, None),
                                   ('wrong_file', 400, None), ('wrong_file_streamed', 400, None),
                                   ('empty_file', 400, None), ('large_file', 413, None),
                                   ('larger_file', 413, None), ('translation', (400, 404), None)):
            refused = self.results[name]
            self.assertIn(refused['status'], status if isinstance(status, tuple) else (status,), name)
            self.assertTrue(refused['type'], (name, refused))
            if code:
                self.assertEqual(refused['code'], code, name)

    def test_the_service_stops_cleanly_and_has_counted(self):
        self.assertRegex(self.metrics, r'lethe_calls_total\{interface="openai",result="\w+"\} \d')
        self.assertEqual(self.exit_code, 0, self.errors)


class FlashClientTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)

    def flash(self, *arguments, file=None, code=0, **env):
        result = subprocess.run(
            [sys.executable, os.path.join(CLIENTS, 'flash_client.py'), file or self.long, *arguments],
            env={**self.service.environment, **env}, capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        answer = json.loads(result.stdout)
        self.assertEqual(answer['code'], code, answer)
        self.assertRegex(answer['request_id'], r'^[0-9a-f-]{36}$')
        return answer

    def test_a_recording_is_recognised_at_once(self):
        for how in ([], ['--chunked'], ['--content-type', 'application/x-www-form-urlencoded']):
            answer = self.flash(*how)
            self.assertEqual(answer['audio_duration'], 7100)
            channel, = answer['flash_result']
            self.assertEqual(channel['channel_id'], 0)
            self.assertLessEqual(word_errors(self.spoken[self.long], channel['text']), 2)

    def test_words_have_times(self):
        channel, = self.flash('word_info=2')['flash_result']
        words = [word for sentence in channel['sentence_list'] for word in sentence['word_list']]
        self.assertEqual(' '.join(word['word'] for word in words), channel['text'])

    def test_speex_is_taken_with_and_without_a_container_and_silk_is_named(self):
        if not shutil.which('ffmpeg'):
            self.skipTest('no ffmpeg')
        for name, how in (('ogg', 'ogg'), ('bare', 'data')):
            file = self.path(name)
            subprocess.run(['ffmpeg', '-v', 'error', '-i', self.long, '-map', '0:a', '-c:a',
                            'libspeex', '-ar', '16000', '-f', how, file], check=True)
            channel, = self.flash('voice_format=speex', file=file)['flash_result']
            self.assertLessEqual(word_errors(self.spoken[self.long], channel['text']), 3)
        silk = self.path('silk')
        with open(silk, 'wb') as file:
            file.write(b'#!SILK_V3' + bytes(range(256)))
        refused = self.flash('voice_format=silk', file=silk, code=4007)
        self.assertIn('SILK', refused['message'])

    def test_refusals_are_numbers_in_a_good_answer(self):
        self.flash(code=4002, LETHE_SECRET_KEY='another')
        self.flash('--clock', '-200', code=4002)
        self.flash('engine_type=16k_zh', code=4001)
        self.flash('voice_format=tape', code=4001)
        self.flash('word_info=9', code=4001)
        empty = self.path('empty.wav')
        with open(empty, 'wb'):
            pass
        self.flash(file=empty, code=4012)
        with open(empty, 'wb') as file:
            file.write(b'no sound at all ' * 100)
        self.flash(file=empty, code=4007)


if __name__ == '__main__':
    main()
