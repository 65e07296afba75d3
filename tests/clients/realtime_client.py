#!/usr/bin/env python3
"""Speaks a recording over the cloud's realtime interface and prints what comes back.

Written by hand against the contract, with Debian's python3-websockets; signs as the official Python
client does: the values in plain text, sorted by name, behind the official host's name.

  LETHE_SECRET_KEY=... realtime_client.py --url ws://127.0.0.1:8080 --app-id 1300000001 \\
      --secret-id AKID... speech.wav

A WAV file is sent as its samples (voice_format 1) unless --format says otherwise; every other file
as it is. Each frame of the server is printed as a line; with --text only the sentences are.

Exit code: 0 after the final frame, 1 after a frame with another code, 2 when the connection ended
without either.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.parse
import uuid
import wave

import websockets

SIGNED_HOST = 'asr.cloud.tencent.com'


def signed_url(url, app_id, secret_id, secret_key, parameters):
    """The address with all parameters percent-encoded; what is signed is not."""
    now = int(time.time())
    query = {'secretid': secret_id, 'timestamp': now, 'expired': now + 86400, 'nonce': now}
    query.update(parameters)
    plain = '&'.join(f'{name}={query[name]}' for name in sorted(query))
    text = f'{SIGNED_HOST}/asr/v2/{app_id}?{plain}'
    digest = hmac.new(secret_key.encode(), text.encode(), hashlib.sha1).digest()
    encoded = '&'.join(f'{name}={urllib.parse.quote(str(query[name]), safe="")}'
                       for name in sorted(query))
    signature = urllib.parse.quote(base64.b64encode(digest).decode(), safe='')
    return f'{url}/asr/v2/{app_id}?{encoded}&signature={signature}'


def read_audio(path, voice_format):
    """The bytes to send, their format, and how many of them are a second (None: not known)."""
    if voice_format is None and path.endswith('.wav'):
        with wave.open(path, 'rb') as file:
            if file.getsampwidth() != 2 or file.getnchannels() != 1:
                sys.exit('only 16-bit mono WAV; give --format 12 to send it as it is')
            return file.readframes(file.getnframes()), 1, file.getframerate() * 2
    with open(path, 'rb') as file:
        return file.read(), voice_format or 8, None


async def send(socket, audio, piece, pause, context):
    if context:
        await socket.send(context)
    for at in range(0, len(audio), piece):
        await socket.send(audio[at:at + piece])
        if pause > 0:
            await asyncio.sleep(pause)
    await socket.send(json.dumps({'type': 'end'}))


async def run(options):
    audio, voice_format, rate = read_audio(options.file, options.format)
    parameters = {
        'engine_model_type': options.engine,
        'voice_id': options.voice_id or str(uuid.uuid4()),
        'voice_format': voice_format,
        'needvad': 1,
    }
    for pair in options.parameter:
        name, _, value = pair.partition('=')
        parameters[name] = value
    url = signed_url(options.url, options.app_id, options.secret_id, options.secret_key,
                     parameters)
    # The handshake is answered before anything is checked; audio may go out at once.
    async with websockets.connect(url, max_size=None) as socket:
        piece = (rate or 32000) * 40 // 1000
        pause = 0.04 / options.speed if options.speed > 0 else 0
        sender = asyncio.create_task(send(socket, audio, piece, pause, options.context))
        code = 2
        try:
            async for message in socket:
                frame = json.loads(message)
                if options.text:
                    result = frame.get('result') or {}
                    if result.get('slice_type') == 2:
                        print(result['voice_text_str'], flush=True)
                    for sentence in (frame.get('sentences') or {}).get('sentence_list', []):
                        if sentence['sentence_type'] == 1:
                            print(sentence['sentence'], flush=True)
                else:
                    print(message, flush=True)
                if frame['code'] != 0:
                    print(f'{frame["code"]}: {frame["message"]}', file=sys.stderr)
                    code = 1
                elif frame.get('final') == 1:
                    code = 0
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        # The loop ends without an error only after a close code of 1000.
        return code


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('file')
    parser.add_argument('--url', default='ws://127.0.0.1:8080', help='scheme, host and port')
    parser.add_argument('--app-id', required=True)
    parser.add_argument('--secret-id', required=True)
    parser.add_argument('--engine', default='16k_en')
    parser.add_argument('--format', type=int, help='voice_format; the file goes out as it is')
    parser.add_argument('--voice-id')
    parser.add_argument('--speed', type=float, default=1, help='0: as fast as it goes')
    parser.add_argument('--text', action='store_true', help='print the sentences only')
    parser.add_argument('--parameter', action='append', default=[], metavar='NAME=VALUE')
    parser.add_argument('--context', metavar='JSON', help='a context frame, sent before the audio')
    options = parser.parse_args()
    options.secret_key = os.environ.get('LETHE_SECRET_KEY')
    if not options.secret_key:
        parser.error('the key is read from LETHE_SECRET_KEY')
    try:
        sys.exit(asyncio.run(run(options)))
    except (OSError, websockets.exceptions.WebSocketException) as error:
        print(f'{type(error).__name__}: {error}', file=sys.stderr)
        sys.exit(2)


if __name__ == '__main__':
    main()
