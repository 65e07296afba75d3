"""What each interface answers to a call that may not be processed: its code, empty when it is taken.
By hand where the official clients have no place for a header."""

import base64
import http.client
import json
import time
import urllib.parse

import websocket_peer
from api3 import Api3
from realtime_call import code_of, signature, target
from support import PATIENCE, SPOKEN
from websocket_peer import Peer


class Callers:
    """Calls a service with one recording; about whom, each call says, or nobody."""

    INTERFACES = ('sentence', 'task', 'flash', 'openai', 'realtime', 'openai_realtime')

    def __init__(self, service, recording):
        self.service, self.keys = service, service.keys
        with open(recording, 'rb') as file:
            self.audio = file.read()
        self.last_task = None

    def refusals(self, subject=None):
        """By interface."""
        return {name: getattr(self, name)(subject) for name in self.INTERFACES}

    def api3(self, action, subject, **arguments):
        api = Api3(self.service.address, self.keys['SecretId'], self.keys['SecretKey'])
        if subject:
            api.more['X-Lethe-Subject'] = subject
        return api.call(action, {'SourceType': 1, 'Data': base64.b64encode(self.audio).decode(),
                                 'DataLen': len(self.audio), **arguments})

    def sentence(self, subject):
        answer = self.api3('SentenceRecognition', subject, EngSerViceType='16k_en',
                           VoiceFormat='wav')
        if 'Error' not in answer:
            assert SPOKEN.search(answer['Result']), 'something else was heard'
        return answer.get('Error', {}).get('Code', '')

    def task(self, subject):
        answer = self.api3('CreateRecTask', subject, EngineModelType='16k_en', ChannelNum=1,
                           ResTextFormat=0)
        if 'Data' in answer:
            self.last_task = answer['Data']['TaskId']
        return answer.get('Error', {}).get('Code', '')

    def post(self, path, body, headers):
        connection = http.client.HTTPConnection(self.service.address, timeout=PATIENCE)
        try:
            connection.request('POST', path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def flash(self, subject):
        """The name is put behind a query that is signed without it, as behind an official client."""
        path = '/asr/flash/v1/' + self.keys['AppId']
        values = {'engine_type': '16k_en', 'secretid': self.keys['SecretId'],
                  'timestamp': str(int(time.time())), 'voice_format': 'wav'}
        query = '&'.join(f'{name}={value}' for name, value in sorted(values.items()))
        sign = signature(path, query, self.keys['SecretKey'], 'POST' + 'asr.cloud.tencent.com')
        name = '&lethe_subject=' + urllib.parse.quote(subject) if subject else ''
        answer = self.post(f'{path}?{query}{name}', self.audio, {'Authorization': sign})[1]
        return answer['code'] or ''

    def openai(self, subject):
        boundary = 'b' * 30
        body = b''.join([
            f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
            .encode(),
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
            .encode(), self.audio, f'\r\n--{boundary}--\r\n'.encode()])
        headers = {'Authorization': 'Bearer ' + self.keys['API key'],
                   'Content-Type': f'multipart/form-data; boundary={boundary}'}
        if subject:
            headers['X-Lethe-Subject'] = subject
        status, answer = self.post('/v1/audio/transcriptions', body, headers)
        return '' if status == 200 else (status, answer['error']['code'])

    def realtime(self, subject):
        """Signed with the name by a caller of our own."""
        with Peer(self.service.address, target(self.keys, lethe_subject=subject)) as peer:
            return code_of(peer.next()) or ''

    def openai_realtime(self, subject):
        headers = [('Authorization', 'Bearer ' + self.keys['API key'])]
        name = '&lethe_subject=' + urllib.parse.quote(subject) if subject else ''
        try:
            with Peer(self.service.address, '/v1/realtime?intent=transcription' + name,
                      headers=headers) as peer:
                assert 'session.created' in peer.next()[1]
            return ''
        except websocket_peer.Refused as refused:
            return refused.args[0]
