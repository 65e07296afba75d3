#!/usr/bin/env python3
"""Lines of the contract's checklist (docs/compatibility.md) that want a whole service and a real socket; the
table in docs/compatibility.md says which tests hold the others.

Method: requests made by hand, as literally as the contract has them.
"""

import base64
import http.client
import json
import os
import re
import time
import urllib.parse

import realtime_call
import websocket_peer
from api3 import Api3
from service import Service
from support import PATIENCE, ProgramTest, SpeechTest, main, word_errors
from websocket_peer import Peer, message

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
END = message('{"type": "end"}')[0]


class ChecklistTableTest(ProgramTest):

    def setUp(self):
        super().setUp()
        self.sources = ''
        for folder in ('src', 'tests/program'):
            for path, _, names in os.walk(os.path.join(ROOT, folder)):
                for name in names:
                    if name.endswith(('_test.cc', '_test.py')):
                        with open(os.path.join(path, name), encoding='utf-8') as file:
                            self.sources += file.read()

    def read(self, name):
        with open(os.path.join(ROOT, 'docs', name), encoding='utf-8') as file:
            return file.read()

    def assert_there(self, suite, test):
        if test.startswith('test_'):
            method = rf'^class {suite}\((?:(?!^class ).)*?^    def {test}\(self\)'
            found = re.search(method, self.sources, re.MULTILINE | re.DOTALL)
        else:
            found = re.search(rf'^TEST(_F|_P)?\({suite},\s+{test}\)', self.sources, re.MULTILINE)
        self.assertTrue(found, f'{suite}.{test}')

    def test_every_test_that_the_table_names_is_there(self):
        table = self.read('compatibility.md')
        table = table.partition("## The contract's checklist")[2].partition('\n## ')[0]
        table = table.partition('|---')[2]
        lines = re.findall(r'^\| (\d*) *\|', table, re.MULTILINE)
        self.assertEqual([int(line) for line in lines if line], list(range(1, 17)))
        named = re.findall(r'`(?:\w+/)?(\w+)\.(\w+)`', table)
        self.assertGreater(len(named), 40)
        for suite, test in named:
            if f'{suite}.{test}' not in ('api3.py', 'realtime.max_ahead_seconds'):
                self.assert_there(suite, test)

    def test_every_test_that_the_promise_names_is_there(self):
        named = re.findall(r'`(\w+Test)(?:\.(\w+))?`', self.read('promise.md'))
        self.assertGreater(len(named), 25)
        for suite, test in named:
            if test:
                self.assert_there(suite, test)
            else:
                self.assertRegex(self.sources, rf'(?m)^class {suite}\b|^TEST(_F|_P)?\({suite},')


class ChecklistTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        websocket_peer.require_wsproto()
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)
        cls.keys = cls.service.keys
        cls.api = Api3(cls.service.address, cls.keys['SecretId'], cls.keys['SecretKey'])

    def request(self, method, target, body=None, **headers):
        """The status, the content type and the body of an answer."""
        connection = http.client.HTTPConnection(self.service.address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in {**headers, 'Content-Length': str(len(body or b''))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.getheader('Content-Type'), answer.read().decode()

    def talk(self, target, data=END):
        """The frames of a call; it ends with a close of 1000."""
        with Peer(self.service.address, target) as peer:
            peer.send(data)
            events = peer.rest()
        self.assertEqual(events[-1], ('close', 1000, ''))
        return [json.loads(text) for kind, text in events[:-1] if kind == 'text']

    def flash(self, recording, **changes):
        """A flash call, with the header that the signature is in and no other."""
        path = '/asr/flash/v1/' + self.keys['AppId']
        values = {'secretid': self.keys['SecretId'], 'engine_type': '16k_en', 'voice_format': 'wav',
                  'timestamp': str(int(time.time())), 'customization_id': '', **changes}
        query = '&'.join(f'{name}={values[name]}' for name in sorted(values)
                         if values[name] is not None)
        signature = realtime_call.signature(path, query, self.keys['SecretKey'],
                                            'POST' + realtime_call.SIGNED_HOST)
        with open(recording, 'rb') as file:
            status, kind, text = self.request('POST', path + '?' + query, file.read(),
                                              Authorization=signature)
        self.assertEqual((status, kind), (200, 'application/json'))
        return json.loads(text)

    def sentence(self, **changes):
        with open(self.short, 'rb') as file:
            data = base64.b64encode(file.read()).decode()
        arguments = {'EngSerViceType': '16k_en', 'SourceType': 1, 'VoiceFormat': 'wav',
                     'Data': data, **changes}
        return self.api.call('SentenceRecognition', {
            name: value for name, value in arguments.items() if value is not None})

    def test_01_one_listener_serves_every_path(self):
        app = self.keys['AppId']
        status, _, text = self.request('POST', '/', b'{}')
        self.assertIn('AuthFailure', json.loads(text)['Response']['Error']['Code'])
        self.assertEqual(self.talk(realtime_call.target(self.keys))[-1]['final'], 1)
        self.assertEqual(self.flash(self.short)['code'], 0)
        self.assertRegex(self.request('GET', '/server_time')[2], r'^\d{10}$')
        # Not offered, and said so in the form that their clients read.
        for path in ('/asr/speech_translate/', '/asr/virtual_number/v1/', '/asr/si/'):
            frame, = self.talk(path + app + '?voice_id=v', b'')
            self.assertEqual((frame['code'], frame['voice_id']), (4003, 'v'))
        status, kind, text = self.request('POST', f'/asr/v1/{app}?voice_id=v', b'x' * 6400)
        self.assertEqual((status, kind, json.loads(text)['code']), (200, 'application/json', 4003))
        self.assertEqual(self.request('GET', '/asr/nothing/1')[0], 404)

    def test_06_a_request_line_may_hold_what_clients_put_there(self):
        path, key = '/asr/v2/' + self.keys['AppId'], self.keys['SecretKey']

        def signed(plain, sent, **changes):
            """Parameters as they are signed, and as they travel; both behind the others."""
            known = '&'.join(f'{name}={value}' for name, value in sorted(
                realtime_call.parameters(self.keys, **changes).items()))
            # `zz`, or it would not be sorted.
            signature = realtime_call.signature(path, known + plain, key)
            return f'{path}?{known}{sent}&signature={urllib.parse.quote(signature)}'.encode()

        def accepted(target):
            self.assertEqual(self.talk(target)[-1].get('final'), 1, target)
        accepted(realtime_call.target(self.keys, quote=str,
                                      hotword_list='腾讯云|10,ASR|11').encode())
        accepted(realtime_call.target(self.keys, hotword_list='腾讯云|10,ASR|11'))
        accepted(realtime_call.target(self.keys, quote=str, hotword_id='', customization_id='',
                                      speaker_context_id='').encode())
        for plain, sent in (('&zz=a b', '&zz=a%20b'), ('&zz=a b', '&zz=a+b'),
                            ('&zz=a+b', '&zz=a+b'), ('&zz=a+b', '&zz=a%2Bb'),
                            ('&zz=ü|,', '&zz=ü|,'), ('&zz=ü|,', '&zz=%C3%BC%7C%2C'),
                            ('&zz=1&zz=2', '&zz=1&zz=2'),
                            ('&zz=', '&zz='), ('&zz=%20', '&zz=%20')):
            with self.subTest(plain=plain, sent=sent):
                accepted(signed(plain, sent))
        # The first of a name that is repeated counts.
        accepted(signed('&word_info=0&word_info=9', '&word_info=0&word_info=9'))
        refused = self.talk(signed('&word_info=9&word_info=0', '&word_info=9&word_info=0'))
        self.assertEqual(refused[0]['code'], 4001)
        # Signatures whose own plus sign and slash nobody escaped.
        for sign in '+/':
            while True:
                query = '&'.join(f'{name}={value}' for name, value in sorted(
                    realtime_call.parameters(self.keys).items()))
                signature = realtime_call.signature(path, query, key)
                if sign in signature:
                    break
            accepted(f'{path}?{query}&signature={signature}'.encode())

    def test_07_audio_may_come_before_the_first_frame_in_any_sizes(self):
        audio = realtime_call.samples_of(self.short)
        for sizes in ([len(audio)], [1, 2, 3, 5, 640, 641, 65535, 65536, 1, 1000], [6400]):
            data, at, i = b'', 0, 0
            while at < len(audio):
                size = sizes[i % len(sizes)]
                data += message(audio[at:at + size])[0]
                at, i = at + size, i + 1
            with self.subTest(sizes=sizes[:3]):
                frames = self.talk(realtime_call.target(self.keys), data + END)
                self.assertEqual(set(frames[0]), {'code', 'message', 'voice_id'})
                text = ' '.join(frame['result']['voice_text_str'] for frame in frames[1:-1]
                                if frame['result']['slice_type'] == 2)
                self.assertLessEqual(word_errors(self.spoken[self.short], text), 3)

    def test_09_fifteen_seconds_without_audio_end_a_call(self):
        frames = self.talk(realtime_call.target(self.keys), message(bytes(640))[0])
        self.assertEqual([frame['code'] for frame in frames], [0, 4008])
        for text in ('{"type":"begin"}', 'end', '[1]'):
            frames = self.talk(realtime_call.target(self.keys), message(text)[0])
            self.assertEqual([frame['code'] for frame in frames], [0, 4010])
        context = message('{"context_type":"context","hotword_list":"a|10","prompt":[]}')[0]
        self.assertEqual(self.talk(realtime_call.target(self.keys), context + END)[-1]['final'], 1)

    def test_15_every_interface_has_its_own_name_for_the_same(self):
        self.assertIn('Result', self.sentence())
        for wrong in ('EngServiceType', 'EngineModelType', 'EngineType'):
            answer = self.sentence(EngSerViceType=None, **{wrong: '16k_en'})
            self.assertEqual(answer['Error']['Code'], 'MissingParameter', wrong)
            self.assertIn('EngSerViceType', answer['Error']['Message'])
        wrong = self.flash(self.short, engine_type=None, engine_model_type='16k_en')
        self.assertEqual(wrong['code'], 4001)
        wrong = realtime_call.target(self.keys, engine_model_type=None, engine_type='16k_en')
        self.assertEqual(self.talk(wrong)[0]['code'], 4001)
        with open(self.short, 'rb') as file:
            data = base64.b64encode(file.read()).decode()
        task = {'ChannelNum': 1, 'ResTextFormat': 1, 'SourceType': 1, 'Data': data}
        self.assertEqual(self.api.code('CreateRecTask', {**task, 'EngSerViceType': '16k_en'}),
                         'MissingParameter')
        # The library's id has another last letter where it is found than where it is listed.
        word = self.spoken[self.short].split()[-1]
        library = self.api.call('CreateAsrKeyWordLib', {
            'Name': 'l', 'KeyWordFile': base64.b64encode(word.encode()).decode()})
        library = library['Data']['KeyWordLibId']
        listed = self.api.call('GetAsrKeyWordLibList')['Data']['KeyWordLibList']
        self.assertEqual([one['KeyWordLibId'] for one in listed], [library])
        number = self.api.call('CreateRecTask', {**task, 'EngineModelType': '16k_en',
                                                 'KeyWordLibIdList': [library]})['Data']['TaskId']
        state = {'Status': 0}
        while state['Status'] < 2:
            time.sleep(0.2)
            state = self.api.call('DescribeTaskStatus', {'TaskId': number})['Data']
        detail = state['ResultDetail'][-1]
        self.assertEqual([(one['KeyWordLibID'], one['KeyWords'])
                          for one in detail['KeyWordResults']], [(library, [word])])
        self.assertIs(type(detail['SpeakerId']), int)

    def test_16_what_is_old_or_unknown_is_ignored_and_values_are_not(self):
        text = self.sentence()['Result']
        old = {'ProjectId': 0, 'SubServiceType': 2, 'UsrAudioKey': 'x', 'ReinforceHotword': 1,
               'DataLen': 5, 'CustomizationId': 'x', 'ReplaceTextId': 'x', 'NobodyKnows': {'a': []}}
        for name, value in old.items():
            self.assertEqual(self.sentence(**{name: value}).get('Result'), text, name)
        for name in ('FilterDirty', 'FilterModal', 'FilterPunc', 'WordInfo', 'ConvertNumMode'):
            self.assertEqual(self.sentence(**{name: 9})['Error']['Code'], 'InvalidParameterValue',
                             name)
        self.assertEqual(self.flash(self.short, nobody_knows='1')['code'], 0)
        self.assertEqual(self.flash(self.short, word_info='9')['code'], 4001)


if __name__ == '__main__':
    main()
