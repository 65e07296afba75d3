"""The addresses of realtime calls, signed as clients do it, and what comes back in them."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse
import uuid
import wave

SIGNED_HOST = 'asr.cloud.tencent.com'


def signature(path, query, secret_key, host=SIGNED_HOST):
    """Of a query as it is signed: sorted, its values in plain text (contract, section 5.2)."""
    digest = hmac.new(secret_key.encode(), f'{host}{path}?{query}'.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def parameters(keys, **changes):
    """What a call for English samples needs; a value of None leaves a parameter out."""
    now = int(time.time())
    values = {'secretid': keys['SecretId'], 'timestamp': now, 'expired': now + 86400, 'nonce': now,
              'engine_model_type': '16k_en', 'voice_id': str(uuid.uuid4()), 'voice_format': 1,
              'needvad': 1, **changes}
    return {name: str(value) for name, value in values.items() if value is not None}


def target(keys, path=None, quote=lambda value: urllib.parse.quote(value, safe=''), **changes):
    """The path and query of a signed call; `quote` says how a value travels."""
    path = path or '/asr/v2/' + keys['AppId']
    values = sorted(parameters(keys, **changes).items())
    plain = '&'.join(f'{name}={value}' for name, value in values)
    sent = '&'.join(f'{name}={quote(value)}' for name, value in values)
    signed = urllib.parse.quote(signature(path, plain, keys['SecretKey']), safe='')
    return f'{path}?{sent}&signature={signed}'


def samples_of(wav):
    """The bytes of a WAV file's samples."""
    with wave.open(wav, 'rb') as file:
        return file.readframes(file.getnframes())


def code_of(event):
    """The code of a frame that came."""
    kind, text = event
    assert kind == 'text', event
    return json.loads(text)['code']


def text_of(events):
    """The sentences of the frames among events."""
    results = [json.loads(event[1]).get('result') for event in events if event[0] == 'text']
    return ' '.join(result['voice_text_str'] for result in results
                    if result and result['slice_type'] == 2)
