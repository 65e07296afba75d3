#!/usr/bin/env python3
"""The cloud's own SDK works against the service, unmodified, with every signature it can make.

Method: tests/clients/tencent_client.mjs makes calls of every kind on real speech; what it was
answered is looked at here, and so are the callbacks, which a small server in this process takes.
"""

import functools
import http.server
import json
import os
import re
import subprocess
import threading
import unittest
import urllib.parse

from service import Service
from support import PATIENCE, SpeechTest, main, word_errors

CLIENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'clients')


class CallbackServer:
    """Serves a folder, and keeps what is posted to it."""

    def __init__(self, folder):
        self.posts, self.arrived = [], threading.Condition()
        owner = self

        class Handler(http.server.SimpleHTTPRequestHandler):

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length'])).decode()
                answer = b'{"code":0,"message":"success"}'
                self.send_response(200)
                self.send_header('Content-Length', str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                with owner.arrived:
                    owner.posts.append((self.headers['Content-Type'], body))
                    owner.arrived.notify_all()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ('127.0.0.1', 0), functools.partial(Handler, directory=folder))
        self.url = f'http://127.0.0.1:{self.server.server_port}/'
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def wait_for(self, count):
        with self.arrived:
            self.arrived.wait_for(lambda: len(self.posts) >= count, PATIENCE)

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class TencentClientTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.isdir(os.path.join(CLIENTS, 'node_modules', 'tencentcloud-sdk-nodejs-asr')):
            if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
                raise AssertionError('the clients are not installed: make clients')
            raise unittest.SkipTest('the clients are not installed: make clients')
        cls.sentence = next(file for file in cls.files if 'dashwood' in cls.spoken[file])
        callbacks = CallbackServer(os.path.dirname(cls.sentence))
        service = Service()
        try:
            made = subprocess.run(
                ['node', os.path.join(CLIENTS, 'tencent_client.mjs'), cls.sentence, cls.short, 'ill-disposed',
                 callbacks.url + 'callback', callbacks.url + os.path.basename(cls.sentence)],
                env=service.environment, capture_output=True, text=True, timeout=PATIENCE,
                check=False)
            if made.returncode != 0:
                raise AssertionError(made.stderr)
            cls.results = json.loads(made.stdout)
            callbacks.wait_for(2)
            cls.posts = list(callbacks.posts)
            cls.metrics = service.get('/metrics')[1]
        finally:
            cls.exit_code, cls.errors = service.stop()
            callbacks.stop()

    def assert_heard(self, text):
        self.assertLessEqual(word_errors(self.spoken[self.sentence], text), 2, text)

    def assert_refused(self, name, code, *mentions):
        self.assertEqual(self.results[name].get('error'), code, self.results[name])
        for mention in mentions:
            self.assertIn(mention, self.results[name]['message'])

    def test_a_sentence_is_recognised(self):
        for name in ('sentence', 'fetched'):
            self.assert_heard(self.results[name]['Result'])
        sentence = self.results['sentence']
        self.assertEqual((sentence['AudioDuration'], sentence['WordSize']), (7100, 0))
        self.assertIsNone(sentence['WordList'])
        self.assertRegex(sentence['RequestId'], r'^[0-9a-f-]{36}$')

    def test_words_have_times_and_punctuation_when_asked_for(self):
        words = self.results['words']['WordList']
        self.assertEqual(self.results['words']['WordSize'], len(words))
        self.assertEqual(' '.join(word['Word'] for word in words), self.results['words']['Result'])
        for before, word in zip(words, words[1:]):
            self.assertLessEqual(before['StartTime'], word['StartTime'])
            self.assertLessEqual(word['StartTime'], word['EndTime'])
        self.assertLessEqual(words[-1]['EndTime'], 7100)
        bare = self.results['bareWords']
        self.assertNotRegex(bare['Result'], r'[.,]')
        self.assertNotRegex(''.join(word['Word'] for word in bare['WordList']), r'[.,]')

    def test_get_and_the_old_signatures_are_accepted(self):
        for name in ('get', 'v1', 'v1sha1'):
            self.assertEqual(self.results[name].get('TotalCount'), 0, self.results[name])

    def test_a_vocabulary_changes_the_text(self):
        self.assertNotIn('ill-disposed', self.results['misheard']['Result'])
        for name in ('withVocab', 'inlineList', 'withDefault'):
            self.assertIn('ill-disposed', self.results[name]['Result'], name)

    def test_a_vocabulary_lives_as_the_contract_says(self):
        vocabulary = self.results['createVocab']['VocabId']
        self.assertRegex(vocabulary, r'^[0-9a-f]{32}$')
        shown = self.results['getVocab']
        self.assertEqual((shown['Name'], shown['Description'], shown['State']),
                         ('names', 'of people', 0))
        self.assertEqual(shown['WordWeights'], [{'Word': 'ill-disposed', 'Weight': 11}])
        self.assertRegex(shown['CreateTime'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$')
        listed = self.results['listVocabs']
        self.assertEqual((listed['TotalCount'], listed['VocabList'][0]['Name'],
                          listed['VocabList'][0]['State']), (1, 'fewer', 1))
        self.assertEqual(self.results['downloadVocab']['WordWeightStr'], 'TGV0aGV8NQpTdHl4fDEwMAo=')
        self.assertIn('RequestId', self.results['deleteVocab'])
        self.assert_refused('goneVocab', 'InvalidParameterValue.InvalidVocabId')

    def test_a_task_is_worked_off_and_told(self):
        self.assertLess(self.results['task']['Data']['TaskId'], 2**53)
        done = self.results['taskDone']['Data']
        self.assertEqual((done['Status'], done['StatusStr'], done['ErrorMsg']), (2, 'success', ''))
        self.assertEqual(done['AudioDuration'], 7.1)
        self.assertIsNone(done['ResultDetail'])
        line = re.match(r'^\[0:\d\.\d{3},0:7\.\d{3}\]  (.*)\n$', done['Result'])
        self.assert_heard(line[1])
        forms = [dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
                 for kind, body in self.posts if kind == 'application/x-www-form-urlencoded']
        form = next(form for form in forms if int(form['requestId']) == done['TaskId'])
        self.assertEqual((form['code'], form['message'], form['projectid'], form['text']),
                         ('0', '', '0', done['Result']))
        self.assertAlmostEqual(float(form['audioTime']), 7.1)
        self.assertNotIn('audioUrl', form)

    def test_a_task_with_detail_has_words_and_keywords(self):
        done = self.results['detailDone']['Data']
        self.assertEqual(done['StatusStr'], 'success', done)
        sentence = done['ResultDetail'][0]
        self.assert_heard(sentence['FinalSentence'])
        self.assertEqual(sentence['WordsNum'], len(sentence['Words']))
        # A sentence begins with what is silent before its first word.
        first, last = sentence['Words'][0], sentence['Words'][-1]
        self.assertIn(first['OffsetStartMs'], range(0, 800))
        self.assertLessEqual(sentence['StartMs'] + last['OffsetEndMs'], sentence['EndMs'])
        self.assertEqual(sentence['KeyWordResults'][0]['KeyWords'], ['prudently'])
        form = next(form for form in (dict(urllib.parse.parse_qsl(body)) for _, body in self.posts)
                    if int(form['requestId']) == done['TaskId'])
        self.assertEqual(json.loads(form['resultDetail']), done['ResultDetail'])
        self.assertTrue(form['audioUrl'].endswith('.wav'))

    def test_a_task_whose_audio_is_not_there_fails_and_says_so(self):
        failed = self.results['nothingDone']['Data']
        self.assertEqual((failed['Status'], failed['StatusStr']), (3, 'failed'))
        self.assertIn('Failed to download audio file!', failed['ErrorMsg'])

    def test_libraries_are_kept_apart_by_name(self):
        self.assert_refused('sameLibrary', 'InvalidParameter.KeyWordLibNameExist')
        listed = self.results['listLibraries']['Data']
        self.assertEqual(listed['TotalCount'], 1)
        self.assertEqual(listed['KeyWordLibList'][0]['KeyWordList'], ['prudently', 'nobody'])

    def test_usage_is_counted_in_whole_seconds(self):
        usage = {row['BizName']: row for row in self.results['usage']['Data']['UsageByDateInfoList']}
        self.assertEqual((usage['asr_rec']['Count'], usage['asr_rec']['Duration']), (2, 16))
        self.assertEqual(usage['asr_rt']['Count'], 0)

    def test_refusals_have_the_codes_of_the_contract(self):
        self.assert_refused('wrongKey', 'AuthFailure.SignatureFailure')
        engine = 'InvalidParameterValue.ErrorInvalidEngservice'
        self.assert_refused('noModel', engine, '16k_zh', 'lethe models')
        self.assert_refused('noEngine', engine)
        self.assert_refused('noBase64', 'InvalidParameterValue.ErrorInvalidVoicedata', 'base64')
        self.assert_refused('noSound', 'InvalidParameterValue.ErrorInvalidVoicedata')
        self.assert_refused('tooLarge', 'InvalidParameterValue.ErrorVoicedataTooLong')
        self.assert_refused('badFilter', 'InvalidParameterValue', 'FilterDirty')
        self.assert_refused('noTask', 'FailedOperation.NoSuchTask')
        self.assert_refused('voicePrint', 'UnsupportedOperation', 'voiceprints')
        self.assert_refused('customization', 'UnsupportedOperation', 'vocabulary')
        self.assert_refused('privateUrl', 'InvalidParameterValue.ErrorInvalidUrl')
        self.assert_refused('badDays', 'InvalidParameterValue', 'StartDate')

    def test_calls_are_in_the_metrics_and_the_service_stops_cleanly(self):
        self.assertRegex(self.metrics, r'lethe_calls_total\{interface="sentence",result="success"\} \d')
        self.assertIn('result="InvalidParameterValue.ErrorInvalidVoicedata"', self.metrics)
        self.assertEqual(self.exit_code, 0, self.errors)


if __name__ == '__main__':
    main()
