"""One recording said to the service through each of its interfaces, as plainly as that can be done."""

import base64
import http.client
import json
import os
import subprocess
import sys

from realtime_call import samples_of, target, text_of
from support import PATIENCE
from websocket_peer import Peer, message

FLASH_CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'clients',
                            'flash_client.py')


def sentence(api, recording, url=None):
    """SentenceRecognition of a file, or of what a URL leads to."""
    source = {'SourceType': 0, 'Url': url}
    if url is None:
        with open(recording, 'rb') as file:
            audio = file.read()
        source = {'SourceType': 1, 'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)}
    return api.call('SentenceRecognition', {'EngSerViceType': '16k_en', 'VoiceFormat': 'wav',
                                            **source})['Result']


def flash(service, recording):
    """As the official client does."""
    answer = subprocess.run([sys.executable, FLASH_CLIENT, recording], env=service.environment,
                            capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    return ' '.join(part['text'] for part in json.loads(answer)['flash_result'])


def realtime(service, recording):
    """A live call, its audio faster than it was spoken."""
    with Peer(service.address, target(service.keys)) as peer:
        peer.next()
        for frame in message(samples_of(recording)) + message('{"type": "end"}'):
            peer.send(frame)
        return text_of(peer.rest())


def openai(service, recording, **fields):
    """POST /v1/audio/transcriptions; the body that comes."""
    with open(recording, 'rb') as file:
        audio = file.read()
    parts = [f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in {'model': 'whisper-1', **fields}.items()]
    parts.append(b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
                 + audio + b'\r\n--XX--\r\n')
    connection = http.client.HTTPConnection(service.address, timeout=PATIENCE)
    try:
        connection.request('POST', '/v1/audio/transcriptions', b''.join(parts), {
            'Authorization': 'Bearer ' + service.keys['API key'],
            'Content-Type': 'multipart/form-data; boundary=XX'})
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def openai_realtime(service, recording):
    """A transcription session whose client says when a turn is over."""
    headers = [('Authorization', 'Bearer ' + service.keys['API key'])]
    events = [{'type': 'session.update', 'session': {
                  'type': 'transcription', 'audio': {'input': {
                      'format': {'type': 'audio/pcm', 'rate': 16000}, 'turn_detection': None}}}},
              {'type': 'input_audio_buffer.append',
               'audio': base64.b64encode(samples_of(recording)).decode()},
              {'type': 'input_audio_buffer.commit'}]
    with Peer(service.address, '/v1/realtime?intent=transcription', headers=headers) as peer:
        for event in events:
            for frame in message(json.dumps(event)):
                peer.send(frame)
        for kind, text, *_ in peer.events():
            event = json.loads(text) if kind == 'text' else {}
            if event.get('type', '').endswith('transcription.completed'):
                return event['transcript']
            assert event.get('type') != 'error', text
    raise AssertionError('the session ended before its turn was heard')


def say_everywhere(service, api, recording, url):
    """What each interface heard that answers while its caller waits; `url` leads to the recording."""
    return {'sentence by data': sentence(api, recording),
            'sentence by URL': sentence(api, recording, url),
            'flash': flash(service, recording),
            'realtime': realtime(service, recording),
            'openai': openai(service, recording),
            'openai, streamed': openai(service, recording, stream='true'),
            'openai realtime': openai_realtime(service, recording)}
