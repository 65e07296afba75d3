#!/usr/bin/env python3
"""API 3.0 refuses what the contract refuses, by one more than allowed too, with its codes; nobody sees
what is another's; what was accepted outlives a restart.

Method: calls signed by hand (api3.py), so that each can be wrong in one place.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import time

from api3 import ACTIONS, Api3
from service import Service
from support import PATIENCE, SpeechTest, main, run

LENGTH = 'InvalidParameterValue.InvalidParameterLength'


def encode(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


class Api3Test(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)

    def caller(self, name):
        """An application of its own, so that no test uses up another's quota."""
        def told(*arguments):
            text = self.assert_good(run(*arguments, '--data', self.service.data))
            return dict(line.split(None, 1) for line in text.splitlines() if line.count(' '))
        app = told('apps', 'create', name)['AppId'].strip()
        key = told('keys', 'create', '--app', app)
        return Api3(self.service.address, key['SecretId'].strip(), key['SecretKey'].strip())

    def patiently(self, api, action, arguments):
        """A call that waits when it was one too many for a second."""
        while True:
            response = api.call(action, arguments)
            if response.get('Error', {}).get('Code') != 'RequestLimitExceeded':
                return response
            time.sleep(0.1)

    def test_all_actions_are_known_and_others_are_not(self):
        api = self.caller('actions')
        self.assertEqual(len(ACTIONS), 33)
        for action in ACTIONS:
            response = self.patiently(api, action, {})
            self.assertNotEqual(response.get('Error', {}).get('Code'), 'InvalidAction', action)
        self.assertEqual(api.code('MakeCoffee'), 'InvalidAction')
        self.assertEqual(api.code(''), 'InvalidAction')
        self.assertEqual(api.code('GetAsrVocabList', version='2019-06-15'), 'NoSuchVersion')

    def test_signatures_hold_for_five_minutes_and_for_their_body(self):
        api, now = self.caller('clock'), int(time.time())
        for off in (-290, 290):
            self.assertEqual(api.code('GetAsrVocabList', timestamp=now + off), '')
        for off in (-310, 310, -86400):
            self.assertEqual(api.code('GetAsrVocabList', timestamp=now + off),
                             'AuthFailure.SignatureExpire')
        self.assertEqual(api.code('GetAsrVocabList', date='2020-01-01'),
                         'AuthFailure.SignatureExpire')
        headers = api.headers('GetAsrVocabList', b'{}')
        self.assertEqual(api.send(headers, b'{ }')['Error']['Code'], 'AuthFailure.SignatureFailure')
        # The same bytes again: a client that polls twice in a second sends just that.
        self.assertNotIn('Error', api.send(headers, b'{}'))
        self.assertNotIn('Error', api.send(headers, b'{}'))
        stranger = Api3(self.service.address, 'AKID' + 'x' * 32, 'y' * 32)
        self.assertEqual(stranger.code('GetAsrVocabList'), 'AuthFailure.SecretIdNotFound')

    def test_bodies_that_are_no_arguments_are_refused(self):
        api = self.caller('bodies')
        for body in (b'[', b'[]', b'"x"', b'{"a":' + b'[' * 5000, b'\xff', b'{}{}'):
            self.assertEqual(api.code('GetAsrVocab', body), 'InvalidParameter.ErrorParsequest', body[:9])
        for arguments, code in (({}, 'MissingParameter'), ({'VocabId': None}, 'MissingParameter'),
                                ({'VocabId': 5}, 'InvalidParameter'),
                                ({'VocabId': 'x'}, 'InvalidParameterValue.InvalidVocabId')):
            self.assertEqual(api.code('GetAsrVocab', arguments), code, arguments)
        self.assertEqual(api.code('DescribeTaskStatus', {'TaskId': '5'}), 'InvalidParameter')
        self.assertEqual(api.code('DescribeTaskStatus', {'TaskId': -1}), 'FailedOperation.NoSuchTask')
        self.assertEqual(api.code('DescribeTaskStatus', {'TaskId': 2**64 - 1}), 'InvalidParameter')

    def raw(self, headers, body=b'', length=None):
        """What is answered to a POST of which no more than `body` is ever sent."""
        address, port = self.service.address.rsplit(':', 1)
        lines = [f'{name}: {value}' for name, value in headers.items()]
        with socket.create_connection((address, int(port)), timeout=PATIENCE) as connection:
            connection.sendall('\r\n'.join(
                ['POST / HTTP/1.1', 'Host: x', 'Connection: close',
                 f'Content-Length: {len(body) if length is None else length}', *lines, '', '']).encode() + body)
            text = b''
            while piece := connection.recv(65536):
                text += piece
        return json.loads(text.partition(b'\r\n\r\n')[2])['Response']['Error']['Code']

    def test_what_is_not_signed_is_refused_before_its_body_comes(self):
        api = self.caller('heads')
        large = 9 << 20
        self.assertEqual(self.raw({}, length=large), 'AuthFailure.InvalidAuthorization')
        headers = api.headers('SentenceRecognition', b'', timestamp=int(time.time()) - 310)
        self.assertEqual(self.raw(headers, length=large), 'AuthFailure.SignatureExpire')
        stranger = Api3(self.service.address, 'AKID' + 'x' * 32, 'y' * 32)
        self.assertEqual(self.raw(stranger.headers('SentenceRecognition', b''), length=large),
                         'AuthFailure.SecretIdNotFound')
        # The first version signs within the form, which is a stranger's until it is read.
        form = {'Content-Type': 'application/x-www-form-urlencoded'}
        self.assertEqual(self.raw(form, length=(1 << 20) + 1), 'RequestSizeLimitExceeded')
        self.assertEqual(self.raw(form, b'a&' * 20_001), 'InvalidParameter.ErrorParsequest')
        self.assertEqual(self.raw(form, b'a&' * 20_000), 'AuthFailure.InvalidAuthorization')

    def test_a_body_is_as_large_as_its_action_needs(self):
        api = self.caller('sizes')
        for action, most in (('DescribeTaskStatus', 64 << 10), ('CreateAsrVocab', 2 << 20),
                             ('CreateRecTask', 10 << 20)):
            self.assertEqual(self.raw(api.headers(action, b''), length=most + 1),
                             'RequestSizeLimitExceeded', action)
        # Many values are more memory than bytes.
        self.assertEqual(api.code('CreateRecTask', b'{"x":[' + b'1,' * 20_001 + b'1]}'),
                         'InvalidParameter.ErrorParsequest')
        self.assertEqual(api.code('CreateRecTask', b'{"x":[' + b'1,' * 19_000 + b'1],"y":",,,,"}'),
                         'MissingParameter')

    def test_vocabularies_hold_so_much_and_not_one_more(self):
        api = self.caller('vocabularies')

        def create(words, name='v', **more):
            response = self.patiently(api, 'CreateAsrVocab',
                                      {'Name': name, 'WordWeights': words, **more})
            return response.get('Error', {}).get('Code', '')

        def words(count):
            return [{'Word': f'w{i}', 'Weight': 1} for i in range(count)]
        self.assertEqual(create(words(1000), 'é' * 255, Description='d' * 1000), '')
        self.assertEqual(create(words(1001)), 'LimitExceeded.VocabFull')
        self.assertEqual(create(words(1), 'n' * 256), LENGTH)
        self.assertEqual(create(words(1), ''), LENGTH)
        self.assertEqual(create(words(1), Description='d' * 1001), LENGTH)
        self.assertEqual(create([]), 'MissingParameter')
        self.assertEqual(create([{'Word': 'x' * 31, 'Weight': 1}]), LENGTH)
        self.assertEqual(create([{'Word': '腾' * 11, 'Weight': 1}]), LENGTH)
        for weight in (0, 12, 99, 101, -5, 10**12):
            self.assertEqual(create([{'Word': 'x', 'Weight': weight}]),
                             'InvalidParameterValue.InvalidWordWeight', weight)
        self.assertEqual(create(words(1), WordWeightStr='not base64!'),
                         'InvalidParameterValue.InvalidWordWeightStr')
        # The text goes before the list.
        self.assertEqual(create(words(1001), WordWeightStr=encode('x|1\r\ny|100\n')), '')
        for _ in range(28):
            self.assertEqual(create(words(1)), '')
        self.assertEqual(create(words(1)), 'LimitExceeded.VocabFull')

    def test_keyword_libraries_hold_so_much_and_not_one_more(self):
        api = self.caller('libraries')

        def create(text, name):
            response = self.patiently(api, 'CreateAsrKeyWordLib',
                                      {'Name': name, 'KeyWordFile': encode(text)})
            return response.get('Error', {}).get('Code', '')
        self.assertEqual(create('\n'.join(f'w{i}' for i in range(100)), 'a' * 20), '')
        self.assertEqual(create('\n'.join(f'w{i}' for i in range(101)), 'b'), 'LimitExceeded')
        self.assertEqual(create('word', 'c' * 21), LENGTH)
        self.assertEqual(create('word', 'c d'), LENGTH)
        self.assertEqual(create('x' * 16, 'd'), LENGTH)
        self.assertEqual(create('x' * 15, 'd'), '')
        for text in ('a\n\nb', 'a\n', 'a,b', '<b>'):
            self.assertEqual(create(text, 'e'), LENGTH, text)

    def test_sentences_have_sizes_lengths_and_formats(self):
        api = self.caller('sentences')
        with open(self.long, 'rb') as file:
            wav = file.read()

        def sentence(**changes):
            arguments = {'EngSerViceType': '16k_en', 'SourceType': 1, 'VoiceFormat': 'wav',
                         'Data': encode(wav), **changes}
            return api.call('SentenceRecognition', arguments)

        def code(**changes):
            return sentence(**changes).get('Error', {}).get('Code', '')
        # 16-bit samples after 44 bytes, at 16 kHz.
        def silence(seconds):
            return encode(wav[:4] + (36 + seconds * 32000).to_bytes(4, 'little') + wav[8:40]
                          + (seconds * 32000).to_bytes(4, 'little') + bytes(seconds * 32000))
        self.assertEqual(sentence(Data=silence(60))['Result'], '')
        value = 'InvalidParameterValue'
        self.assertEqual(code(Data=silence(61)), value + '.ErrorVoicedataTooLong')
        self.assertEqual(code(Data='A' * (3 * 2**20 + 4)), value + '.ErrorVoicedataTooLong')
        for data in ('', '=', 'AAA', 'A' * 4, encode('RIFF....WAVE'), encode(wav[:44])):
            self.assertTrue(code(Data=data).startswith(value + '.ErrorInvalidVoicedata'), data)
        self.assertEqual(code(VoiceFormat='silk'), value + '.ErrorInvalidVoiceFormat')
        self.assertEqual(code(VoiceFormat='tape'), value + '.ErrorInvalidVoiceFormat')
        self.assertEqual(code(SourceType=2), value + '.ErrorInvalidSourcetype')
        self.assertEqual(code(SourceType=0, Data=None), 'MissingParameter')
        self.assertEqual(code(SourceType=0, Url='ftp://127.0.0.1/a'), value + '.ErrorInvalidUrl')
        self.assertEqual(code(SourceType=0, Url='http://127.0.0.1:1/x'), value + '.ErrorInvalidUrl')
        self.assertEqual(code(SourceType=0, Url='http://169.254.169.254/x'), value + '.ErrorInvalidUrl')
        self.assertEqual(code(SourceType=0, Url='http://127.0.0.1:64999/x'), 'FailedOperation.ErrorDownFile')
        self.assertEqual(code(HotwordId='0' * 32), value + '.InvalidVocabId')
        self.assertEqual(code(HotwordList='x|12'), value + '.InvalidWordWeightStr')
        self.assertEqual(code(HotwordList=','.join(['x|1'] * 129)), value + '.InvalidWordWeightStr')
        self.assertEqual(code(InputSampleRate=8000), value)
        # Samples without a header, a header where none was promised, and half the rate.
        self.assertIn('Dashwood', sentence(VoiceFormat='pcm', Data=encode(wav[44:]))['Result'])
        self.assertIn('Dashwood', sentence(VoiceFormat='pcm')['Result'])

    def test_a_recording_that_unpacks_to_much_more_costs_one_call(self):
        if not shutil.which('ffmpeg'):
            self.skipTest('no ffmpeg')
        out = self.path('bomb.mp3')
        subprocess.run(['ffmpeg', '-v', 'error', '-f', 'lavfi', '-i', 'anullsrc=r=8000:cl=mono', '-t',
                        '60', '-b:a', '8k', '-write_xing', '0', '-id3v2_version', '0', out], check=True)
        with open(out, 'rb') as file:
            minute = file.read()
        api = self.caller('bomb')
        begun = api.code('SentenceRecognition', {
            'EngSerViceType': '16k_en', 'SourceType': 1, 'VoiceFormat': 'mp3',
            'Data': encode(minute * (2 * 2**20 // len(minute)))})
        self.assertEqual(begun, 'InvalidParameterValue.ErrorVoicedataTooLong')
        self.assertEqual(self.service.get('/healthz')[0], 200)

    def test_more_calls_than_allowed_are_refused_and_others_are_not(self):
        busy, other = self.caller('busy'), self.caller('other')
        codes = [busy.code('GetAsrVocabList') for _ in range(60)]
        self.assertIn('RequestLimitExceeded', codes)
        self.assertEqual(codes[0], '')
        self.assertEqual(other.code('GetAsrVocabList'), '')

    def test_nobody_sees_what_is_anothers(self):
        owner, stranger = self.caller('owner'), self.caller('stranger')
        vocabulary = owner.call('CreateAsrVocab', {
            'Name': 'mine', 'WordWeights': [{'Word': 'secret', 'Weight': 5}]})['VocabId']
        with open(self.short, 'rb') as file:
            task = owner.call('CreateRecTask', {
                'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
                'Data': encode(file.read())})['Data']['TaskId']
        for action in ('GetAsrVocab', 'UpdateAsrVocab', 'DeleteAsrVocab', 'DownloadAsrVocab'):
            self.assertEqual(stranger.code(action, {'VocabId': vocabulary}),
                             'InvalidParameterValue.InvalidVocabId', action)
        self.assertEqual(stranger.code('DescribeTaskStatus', {'TaskId': task}),
                         'FailedOperation.NoSuchTask')
        self.assertEqual(stranger.call('GetAsrVocabList')['TotalCount'], 0)
        self.assertNotIn('Error', owner.call('GetAsrVocab', {'VocabId': vocabulary}))

    def test_tasks_refuse_what_lethe_cannot_do(self):
        api = self.caller('tasks')
        good = {'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 1,
                'Data': encode('no recording')}
        for changes in ({'ChannelNum': 3}, {'ChannelNum': 2}, {'ResTextFormat': 5},
                        {'ResTextFormat': 6}, {'SentenceMaxLength': 5}, {'EmotionRecognition': 1},
                        {'SpeakerDiarization': 3}, {'ConvertNumMode': 2}, {'FilterPunc': -1},
                        {'KeyWordLibIdList': ['0' * 32]}):
            response = self.patiently(api, 'CreateRecTask', {**good, **changes})
            self.assertEqual(response.get('Error', {}).get('Code'), 'InvalidParameterValue', changes)
        self.assertEqual(api.code('CreateRecTask', {**good, 'CallbackUrl': 'http://10.1.1.1/x'}),
                         'InvalidParameterValue.ErrorInvalidUrl')
        self.assertEqual(api.code('CreateRecTask', {**good, 'Data': 'A' * (5 * 2**20 + 4)}),
                         'InvalidParameterValue.ErrorVoicedataTooLong')
        # What is no recording is known only when it is the task's turn.
        task = api.call('CreateRecTask', good)['Data']['TaskId']
        while (state := self.patiently(api, 'DescribeTaskStatus', {'TaskId': task})['Data'])['Status'] < 2:
            time.sleep(0.05)
        self.assertEqual(state['StatusStr'], 'failed')
        self.assertNotEqual(state['ErrorMsg'], '')


class Api3RestartTest(SpeechTest):

    def test_what_was_accepted_outlives_the_process(self):
        data = self.path('data', 'x')
        service = Service(data=data)
        self.addCleanup(service.stop)
        keys = (service.keys['SecretId'], service.keys['SecretKey'])
        api = Api3(service.address, *keys)
        with open(self.short, 'rb') as file:
            task = api.call('CreateRecTask', {
                'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 1, 'SourceType': 1,
                'Data': encode(file.read())})['Data']['TaskId']
        while (state := api.call('DescribeTaskStatus', {'TaskId': task})['Data'])['Status'] < 2:
            time.sleep(0.05)
        vocabulary = api.call('CreateAsrVocab', {
            'Name': 'v', 'WordWeights': [{'Word': 'x', 'Weight': 5}]})['VocabId']
        self.assertEqual(service.stop()[0], 0)
        again = Service(data=data)
        self.addCleanup(again.stop)
        api = Api3(again.address, *keys)
        self.assertEqual(api.call('DescribeTaskStatus', {'TaskId': task})['Data'], state)
        self.assertEqual(api.call('GetAsrVocab', {'VocabId': vocabulary})['Name'], 'v')
        day = time.strftime('%Y-%m-%d', time.gmtime(time.time() + 8 * 3600))
        usage = api.call('GetUsageByDate', {'BizNameList': ['asr_rec'], 'StartDate': day, 'EndDate': day})
        self.assertEqual(usage['Data']['UsageByDateInfoList'][0]['Count'], 1)
        self.assertEqual(json.dumps(usage).count('asr_rec'), 1)
        self.assertTrue(os.path.isdir(data))


if __name__ == '__main__':
    main()
