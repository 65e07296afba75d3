"""Signed calls of the cloud's API 3.0, with everything in them that a client could get wrong."""

import datetime
import hashlib
import hmac
import http.client
import json
import time

from support import PATIENCE

# Contract, section 3.
ACTIONS = '''CloseAsyncRecognitionTask CreateAsrKeyWordLib CreateAsrVocab CreateAsyncRecognitionTask
CreateCustomization CreateRecTask DeleteAsrKeyWordLib DeleteAsrVocab DeleteCustomization
DescribeAsyncRecognitionTasks DescribeTaskStatus DownloadAsrVocab DownloadCustomization
GetAsrKeyWordLibList GetAsrVocab GetAsrVocabList GetCustomizationList GetModelInfo GetUsageByDate
ModifyCustomization ModifyCustomizationState SentenceRecognition SetVocabState UpdateAsrKeyWordLib
UpdateAsrVocab VoicePrintCompare VoicePrintCount VoicePrintDelete VoicePrintEnroll
VoicePrintGroupList VoicePrintGroupVerify VoicePrintUpdate VoicePrintVerify'''.split()


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Api3:
    """One caller with one key."""

    def __init__(self, address, secret_id, secret_key):
        self.address, self.secret_id, self.secret_key = address, secret_id, secret_key
        self.more = {}  # headers besides

    def headers(self, action, body, *, timestamp=None, date=None, version='2019-06-14'):
        """What a client sends with a body."""
        timestamp = int(time.time()) if timestamp is None else timestamp
        day = date or datetime.datetime.fromtimestamp(timestamp, datetime.timezone.utc).strftime('%Y-%m-%d')
        canonical = ('POST\n/\n\ncontent-type:application/json\nhost:asr.tencentcloudapi.com\n\n'
                     'content-type;host\n' + hashlib.sha256(body).hexdigest())
        scope = f'{day}/asr/tc3_request'
        text = (f'TC3-HMAC-SHA256\n{timestamp}\n{scope}\n'
                + hashlib.sha256(canonical.encode()).hexdigest())
        key = b'TC3' + self.secret_key.encode()
        for step in (day, 'asr', 'tc3_request'):
            key = _hmac(key, step)
        signature = _hmac(key, text).hex()
        return {**self.more, 'Content-Type': 'application/json', 'X-TC-Action': action, 'X-TC-Version': version,
                'X-TC-Timestamp': str(timestamp),
                'Authorization': f'TC3-HMAC-SHA256 Credential={self.secret_id}/{scope}, '
                                 f'SignedHeaders=content-type;host, Signature={signature}'}

    def send(self, headers, body):
        """The answer's Response, once it was found to have the envelope's form."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        try:
            connection.request('POST', '/', body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        assert (answer.status, answer.getheader('Content-Type')) == (200, 'application/json'), text
        response = json.loads(text)['Response']
        assert len(response['RequestId']) == 36
        return response

    def call(self, action, arguments=None, **how):
        """One call with these arguments."""
        body = arguments if isinstance(arguments, bytes) else json.dumps(arguments or {}).encode()
        return self.send(self.headers(action, body, **how), body)

    def code(self, action, arguments=None, **how):
        """The code of a call that is refused; empty if it was not."""
        return self.call(action, arguments, **how).get('Error', {}).get('Code', '')
