#!/usr/bin/env python3
"""Speaks to the flash interface as the official Python SDK does, with the standard library alone.

What that SDK does (tencentcloud-speech-sdk-python, asr/flash_recognizer.py): it sends all of its
parameters, an empty customization_id among them; it signs "POST", the cloud's host, the path and
the parameters sorted by name, as they are, with HMAC-SHA1; the signature goes into Authorization as
bare base64; Host is the cloud's whoever is spoken to; there is no Content-Type.

usage: LETHE_URL=http://127.0.0.1:8080 LETHE_APP_ID=... LETHE_SECRET_ID=... LETHE_SECRET_KEY=... \\
       flash_client.py RECORDING [NAME=VALUE ...]

NAME=VALUE sets a parameter, NAME= makes it empty. `--clock SECONDS` sets the signer's clock wrong,
`--content-type TYPE` sends one, `--chunked` sends the recording in pieces. Prints the answer as it
came; the exit status is 0 when its code is 0, else 1.
"""

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import os
import sys
import time
import urllib.parse

SIGNED_HOST = 'asr.cloud.tencent.com'


def pieces_of(data, size=65536):
    for start in range(0, len(data), size):
        yield data[start:start + size]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('recording')
    parser.add_argument('parameters', nargs='*')
    parser.add_argument('--clock', type=int, default=0)
    parser.add_argument('--content-type')
    parser.add_argument('--chunked', action='store_true')
    arguments = parser.parse_args()

    parameters = {
        'convert_num_mode': '1',
        'customization_id': '',
        'engine_type': '16k_en',
        'filter_dirty': '0',
        'filter_modal': '0',
        'filter_punc': '0',
        'first_channel_only': '1',
        'reinforce_hotword': '0',
        'secretid': os.environ['LETHE_SECRET_ID'],
        'sentence_max_length': '0',
        'speaker_diarization': '0',
        'timestamp': str(int(time.time()) + arguments.clock),
        'voice_format': 'wav',
        'word_info': '0',
    }
    for parameter in arguments.parameters:
        name, _, value = parameter.partition('=')
        parameters[name] = value

    path = '/asr/flash/v1/' + os.environ['LETHE_APP_ID']
    query = '&'.join(f'{name}={parameters[name]}' for name in sorted(parameters))
    text = f'POST{SIGNED_HOST}{path}?{query}'
    digest = hmac.new(os.environ['LETHE_SECRET_KEY'].encode(), text.encode(), hashlib.sha1).digest()
    headers = {
        'Host': SIGNED_HOST,
        'Authorization': base64.b64encode(digest).decode(),
        'Accept': '*/*',
    }
    if arguments.content_type:
        headers['Content-Type'] = arguments.content_type

    with open(arguments.recording, 'rb') as file:
        recording = file.read()
    # requests escapes what may not stand in a request line; what was signed is the plain text.
    target = path + '?' + urllib.parse.quote(query, safe="=&-._~|,/:+*'()!")
    url = urllib.parse.urlsplit(os.environ['LETHE_URL'])
    connect = http.client.HTTPSConnection if url.scheme == 'https' else http.client.HTTPConnection
    connection = connect(url.hostname, url.port, timeout=600)
    body = pieces_of(recording) if arguments.chunked else recording
    connection.request('POST', target, body=body, headers=headers,
                       encode_chunked=arguments.chunked)
    response = connection.getresponse()
    answer = response.read().decode()
    print(answer)
    if response.status != 200:
        print(f'HTTP status {response.status}', file=sys.stderr)
        return 1
    return 0 if json.loads(answer)['code'] == 0 else 1


if __name__ == '__main__':
    sys.exit(main())
