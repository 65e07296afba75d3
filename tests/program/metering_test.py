#!/usr/bin/env python3
"""Usage, bills and service levels by command: what calls used is there at once, a bill adds up, and a
month with a known outage has the figures that somebody else computed.

Method: a service that real calls are made to, asked while it runs; and records in which a month is
written by hand, with expected figures from integers and fractions here.
"""

import base64
import csv
import datetime
import io
import json
import os
import signal
import socket
import sqlite3
import urllib.error
import urllib.request
import uuid
from fractions import Fraction

from api3 import Api3
from own_api import call_own
from service import Service
from support import PATIENCE, SPOKEN, ProgramTest, SpeechTest, main, run

CHINA = datetime.timezone(datetime.timedelta(hours=8))
HOUSE = '''
name = "house"
currency = "EUR"
[interface.openai]
unit = "hour"
tiers = [{ from = 0, price = "7.000001" }]
[interface.sentence]
unit = "thousand_calls"
tiers = [{ from = 0, price = "0.333333" }]
'''
LIFETIME = 59 * 86_400_000


def micro(text):
    """The millionths of an amount that was shown."""
    whole, part = text.split('.')
    assert len(part) == 6, text
    return int(whole) * 1_000_000 + int(part)


class UsageCommandTest(SpeechTest):
    """What a running service wrote."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Service('--metering.prices', cls.prices(), '--store.region', 'north')
        cls.addClassCleanup(cls.service.stop)

    @classmethod
    def prices(cls):
        path = os.path.join(os.environ.get('TMPDIR', '/tmp'), f'lethe_prices_{uuid.uuid4().hex}.toml')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(HOUSE)
        cls.addClassCleanup(os.remove, path)
        cls.house = path
        return path

    def openai(self, audio):
        boundary = uuid.uuid4().hex
        body = (f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
                ).encode() + audio + f'\r\n--{boundary}--\r\n'.encode()
        request = urllib.request.Request(
            f'http://{self.service.address}/v1/audio/transcriptions', body,
            {'Authorization': 'Bearer ' + self.service.keys['API key'],
             'Content-Type': 'multipart/form-data; boundary=' + boundary})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def good(self, *arguments):
        return self.assert_good(run(*arguments, '--data', self.service.data, '--store.region', 'north'))

    def test_calls_are_counted_priced_and_billed_beside_the_running_service(self):
        with open(self.short, 'rb') as file:
            audio = file.read()
        self.assertEqual([self.openai(audio), self.openai(audio), self.openai(b'noise')], [200, 200, 400])
        api = Api3(self.service.address, self.service.keys['SecretId'], self.service.keys['SecretKey'])
        sentence = {'EngSerViceType': '16k_en', 'SourceType': 1, 'VoiceFormat': 'wav',
                    'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)}
        self.assertNotIn('Error', api.call('SentenceRecognition', sentence))
        self.assertEqual(api.code('SentenceRecognition', {**sentence, 'EngSerViceType': '16k_xx'}),
                         'InvalidParameterValue.ErrorInvalidEngservice')
        self.assertEqual(api.code('CreateRecTask', {}), 'MissingParameter')

        month = datetime.datetime.now(CHINA).strftime('%Y-%m')
        wanted = ['--app', self.service.keys['AppId'], '--month', month, '--prices', self.house]
        # Rows are written behind the calls.
        while True:
            calls = [json.loads(line) for line in self.good('usage', '--calls', '--json').splitlines()]
            if len(calls) == 6:
                break
        seconds = {call['seconds'] for call in calls if call['outcome'] == 'succeeded'}
        self.assertEqual(len(seconds), 1)
        seconds = seconds.pop()
        self.assertEqual(
            sorted((call['interface'], call['result_code'], call['outcome'],
                    micro(call['provisional_fee'])) for call in calls),
            sorted([('openai', '200', 'succeeded', self.rounded(seconds * 7_000_001, 3600)),
                    ('openai', '200', 'succeeded', self.rounded(seconds * 7_000_001, 3600)),
                    ('openai', '400', 'caller_fault', 0),
                    ('sentence', 'success', 'succeeded', 333),
                    ('sentence', 'InvalidParameterValue.ErrorInvalidEngservice', 'caller_fault', 0),
                    ('recording', 'MissingParameter', 'caller_fault', 0)]))
        for call in calls:
            self.assertEqual(call['region'], 'north')
            self.assertGreater(datetime.datetime.fromisoformat(call['end']),
                               datetime.datetime.now(CHINA) - datetime.timedelta(minutes=10))
        self.assertRegex(self.good('usage'), rf'(?m)^{self.service.keys["AppId"]}  \d{{4}}-\d\d-\d\d  '
                                             r'openai +2 +1 +0:\d\d$')

        note = 'lethe: This month is not over: what is to come may change every figure.\n'
        def told(*arguments):
            result = run(*arguments, '--data', self.service.data, '--store.region', 'north')
            self.assertEqual((result.returncode, result.stderr), (0, note))
            return result.stdout
        bill = json.loads(told('bill', *wanted, '--json'))
        total = self.rounded(2 * seconds * 7_000_001, 3600) + 333
        self.assertEqual((bill['total'], bill['currency']), (f'{total // 10**6}.{total % 10**6:06}', 'EUR'))
        shares = list(csv.DictReader(io.StringIO(told('bill', *wanted, '--calls'), newline='')))
        self.assertEqual(sum(micro(share['fee']) for share in shares), total)
        self.assertEqual(len(shares), 6)
        level = json.loads(self.good('sla', *wanted, '--json'))
        self.assertEqual(level['availability']['requests']['percent'], '100.0000000')
        self.assertEqual(level['calls'], {'succeeded': 3, 'server_faults': 0, 'caller_faults': 3})
        # The service says the same.
        self.assertEqual(call_own(self.service, f'sla?month={month}'), (200, level))
        days = json.loads(self.good('usage', '--app', self.service.keys['AppId'], '--json'))
        self.assertEqual(call_own(self.service, 'usage'), (200, days))
        password = self.service.keys['Console password']
        self.assertEqual(call_own(self.service, f'usage?app_id={self.service.keys["AppId"]}',
                                  password=password), (200, days))
        for path in ('usage?from=yesterday', 'usage?from=2026-02-02&to=2026-02-01', 'sla?month=13',
                     'sla?month=2999-01', 'usage?app_id=x'):
            self.assertEqual(call_own(self.service, path)[0], 400, path)
        self.assertEqual(call_own(self.service, 'usage?app_id=1')[0], 404)
        self.assertEqual(call_own(self.service, 'usage', password=password)[0], 400)

    @staticmethod
    def rounded(product, per):
        return (2 * product + per) // (2 * per)


class LeftClientsTest(SpeechTest):
    """Whoever leaves before the answer is told as that, and who waits is answered."""

    def setUp(self):
        super().setUp()
        self.service = Service()
        self.addCleanup(self.service.stop)

    def sent(self, request):
        host, port = self.service.address.split(':')
        client = socket.socket()
        self.addCleanup(client.close)
        client.settimeout(PATIENCE)
        # All of it goes to the kernel, whether or not somebody reads.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(request))
        client.connect((host, int(port)))
        client.sendall(request)
        return client

    def requests(self):
        with open(self.short, 'rb') as file:
            audio = file.read()
        keys = self.service.keys
        body = json.dumps({'EngSerViceType': '16k_en', 'SourceType': 1, 'VoiceFormat': 'wav',
                           'Data': base64.b64encode(audio).decode(), 'DataLen': len(audio)}).encode()
        headers = Api3(self.service.address, keys['SecretId'], keys['SecretKey']).headers(
            'SentenceRecognition', body)
        yield 'sentence', '/', headers, body
        for stream in ('false', 'true'):
            form = ''.join(f'--XX\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
                           for name, value in (('model', 'whisper-1'), ('stream', stream)))
            yield 'openai', '/v1/audio/transcriptions', {
                'Authorization': 'Bearer ' + keys['API key'],
                'Content-Type': 'multipart/form-data; boundary=XX'}, form.encode() + (
                    b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
                    + audio + b'\r\n--XX--\r\n')

    def rows(self, number):
        while True:
            rows = [json.loads(line) for line in self.assert_good(
                run('usage', '--calls', '--json', '--data', self.service.data)).splitlines()]
            if len(rows) >= number:
                return rows

    def test_they_cost_nothing_and_are_nobodys_fault(self):
        # While it stands still everybody sends and goes, in one of two ways.
        os.kill(self.service.process.pid, signal.SIGSTOP)
        waiting = []
        for _, path, headers, body in self.requests():
            request = ''.join([f'POST {path} HTTP/1.1\r\nHost: asr.tencentcloudapi.com\r\nConnection: close\r\n'
                               f'Content-Length: {len(body)}\r\n',
                               *(f'{name}: {value}\r\n' for name, value in headers.items()), '\r\n']
                              ).encode() + body
            self.sent(request).close()
            waiting.append(self.sent(request))
            waiting[-1].shutdown(socket.SHUT_WR)
        os.kill(self.service.process.pid, signal.SIGCONT)
        for client in waiting:
            answer = b''
            while piece := client.recv(65_536):
                answer += piece
            self.assertTrue(answer.startswith(b'HTTP/1.1 200'), answer[:80])
            self.assertTrue(SPOKEN.search(answer.decode()), answer)
        told = sorted((row['interface'], row['result_code'], row['outcome'], row['seconds'] > 0)
                      for row in self.rows(6))
        self.assertEqual(told, sorted([
            ('sentence', 'success', 'succeeded', True), ('sentence', 'FailedOperation', 'caller_fault', False),
            *2 * [('openai', '200', 'succeeded', True), ('openai', '499', 'caller_fault', False)]]))


class BilledMonthTest(ProgramTest):
    """Records that hold last month, written by hand."""

    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.folder, 'data')
        self.assert_good(self.lethe('apps', 'create', 'one'))
        today = datetime.datetime.now(CHINA)
        self.end = datetime.datetime(today.year, today.month, 1, tzinfo=CHINA)
        last = self.end - datetime.timedelta(days=1)
        self.begin = datetime.datetime(last.year, last.month, 1, tzinfo=CHINA)
        self.month, self.days = last.strftime('%Y-%m'), last.day

    def lethe(self, *arguments):
        return run(*arguments, '--data', self.data)

    def write(self, rows, app=1300000001):
        """Rows of (milliseconds before the month's end, interface, code, audio in ms)."""
        end = int(self.end.timestamp()) * 1000
        with sqlite3.connect(os.path.join(self.data, 'records.db')) as records:
            for before, interface, code, audio in rows:
                good, ours = code == '0', code == '5000'
                records.execute(
                    'INSERT INTO finished_calls (app_id, interface, call_id, result_code, succeeded, '
                    'server_fault, region, start_ms, end_ms, expires_ms, audio_ms, counted_seconds, bytes, '
                    'fee) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 7)',
                    (app, interface, '=cmd, "x"', code, good, ours, 'default', end - before - audio,
                     end - before, end - before + LIFETIME, audio, max(1, -(-audio // 1000)) * good))
        records.close()

    def test_an_outage_has_the_figures_that_fractions_give(self):
        # 70 minutes on the month's last day in which every call fails, then 3 intervals with 1 of 3.
        rows = [((100 + minute) * 60_000 + 1, 'realtime', '5000', 0) for minute in range(70)]
        for interval in range(3):
            rows += [((5 * interval + 2) * 60_000, 'realtime', code, 3_600_000)
                     for code in ('5000', '0', '0')]
        rows.append((60_000, 'realtime', '4008', 0))
        self.write(rows)
        level = json.loads(self.assert_good(self.lethe('sla', '--json', '--prices', 'international')))
        minutes, faults = self.days * 1440, 70 + 3
        # Those 70 minutes are 14 whole intervals; one of the three has a caller's fault.
        unavailable = 14 + 2 * Fraction(1, 3) + Fraction(1, 4)
        def percent(share):
            billionths = share * 10**9 // 1
            return f'{billionths // 10**7}.{billionths % 10**7:07}'
        self.assertEqual(level['month'], self.month)
        self.assertEqual(level['unavailable_minutes'], 70)
        available = {name: level['availability'][name]['percent'] for name in level['availability']}
        self.assertEqual(available, {'minute_rule': percent(1 - Fraction(70, minutes)),
                                     'five_minutes': percent(1 - unavailable / (minutes // 5)),
                                     'requests': percent(Fraction(6, 6 + faults))})
        # Six hours at 1.40, less than 300 on a day; half of it is the credit where 95 % is missed.
        self.assertEqual(level['fee'], '8.400000')
        credits = {name: level['availability'][name]['credit'] for name in level['availability']}
        self.assertEqual(credits, {'minute_rule': '0.840000', 'five_minutes': '0.840000',
                                   'requests': '4.200000'})
        text = self.assert_good(self.lethe('sla', '--app', 'one', '--prices', 'international'))
        self.assertIn(f'70 of {minutes} minutes', text)
        self.assertIn('Not seen here: calls that became no row', text)
        begin, end = (self.end - datetime.timedelta(minutes=minute) for minute in (170, 100))
        excluded = f'{begin:%Y-%m-%dT%H:%M}/{end:%Y-%m-%dT%H:%M}'
        level = json.loads(self.assert_good(self.lethe('sla', '--json', '--exclude', excluded)))
        self.assertEqual((level['excluded_calls'], level['unavailable_minutes']), (70, 0))

    def test_a_bill_is_the_same_as_table_csv_json_and_calls(self):
        self.write([(hour * 3_600_000 + 1, 'flash', '0', 1_234_567 + hour) for hour in range(100)])
        self.write([(3_600_000, 'flash', '0', 1000)], app=1300000002)  # whose application is no more
        seconds = sum(-(-(1_234_567 + hour) // 1000) for hour in range(100))
        bills = self.assert_good_bill(self.lethe('bill', '--json'))
        bills = [json.loads(line) for line in bills.splitlines()]
        self.assertEqual([bill['app_id'] for bill in bills], [1300000001, 1300000002])
        lines = bills[0]['lines']
        self.assertEqual(sum(line['seconds'] for line in lines), seconds)
        self.assertEqual(sum(line['free'] for line in lines), 5 * 3600)
        fee = 0
        for line in lines:  # each day by itself, a half rounded up
            fee += (line['charged'] * 3_100_000 * 2 + 3600) // 7200
        self.assertEqual(micro(bills[0]['total']), fee)
        table = csv.DictReader(io.StringIO(
            self.assert_good_bill(self.lethe('bill', '--app', 'one', '--csv')), newline=''))
        self.assertEqual(sum(micro(line['fee']) for line in table), fee)
        calls = list(csv.DictReader(io.StringIO(
            self.assert_good_bill(self.lethe('bill', '--app', 'one', '--calls')), newline='')))
        self.assertEqual(sum(micro(call['fee']) for call in calls), fee)
        self.assertEqual({call['call_id'] for call in calls}, {'\'=cmd, "x"'})
        shown = f'{fee // 10**6}.{fee % 10**6:06}'
        self.assertIn(f'Total {shown} CNY (estimated while the calls ended: 0.000700)',
                      self.assert_good_bill(self.lethe('bill', '--app', 'one')))
        self.assertIn('"app_id":1300000002', self.assert_good_bill(
            self.lethe('bill', '--app', '1300000002', '--json')))

    def test_usage_is_told_by_day_and_by_call(self):
        self.write([(1, 'flash', '0', 1001), (2, 'flash', '4007', 0), (86_400_000, 'sentence', '0', 0)])
        last, before = (f'{self.end - datetime.timedelta(days=day):%Y-%m-%d}' for day in (1, 2))
        found = self.lethe('usage', '--from', before, '--to', last, '--csv')
        self.assertEqual(self.assert_good(found).replace('\r\n', '\n'),
                         'app_id,day,interface,calls,failed,seconds\n'
                         f'1300000001,{last},sentence,1,0,1\n1300000001,{last},flash,1,1,2\n')
        utc = self.assert_good(self.lethe('usage', '--from', last, '--to', last, '--utc-offset', 'UTC',
                                          '--json'))
        self.assertEqual([day['interface'] for day in json.loads(utc)['days']], ['flash'])
        calls = self.assert_good(self.lethe('usage', '--from', before, '--to', last, '--calls'))
        self.assertEqual(calls.count('\r\n'), 4)
        self.assertEqual(self.assert_good(self.lethe('usage', '--app', 'one', '--from', '2020-01-01',
                                                     '--to', '2020-01-02', '--calls', '--json')), '')

    def test_what_makes_no_sense_is_one_clear_line(self):
        prices = self.path('prices.toml')
        with open(prices, 'w', encoding='utf-8') as file:
            file.write('[interface.flash]\ntiers = 3.2\n')
        for arguments, mention in [
                (('usage', '--app', 'nobody'), 'nobody'),
                (('usage', '--app', '42'), '42'),
                (('usage', '--from', '2026-02-30'), '2026-02-30'),
                (('usage', '--from', '2026-02-02', '--to', '2026-02-01'), '--to lies before'),
                (('bill', '--month', 'May'), 'May'),
                (('bill', '--month', '9999-01'), 'has not begun'),
                (('bill', '--prices', self.path('none.toml')), 'none.toml'),
                (('sla', '--utc-offset', '8'), 'not: 8'),
                (('sla', '--exclude', '2026-10-05'), '2026-10-05'),
                (('sla', '--exclude', '2026-10-05T02:00/2026-10-05T01:00'), 'ends before')]:
            with self.subTest(arguments=arguments):
                self.assert_one_line(self.lethe(*arguments), mention)
        wrong = self.lethe('bill', '--prices', prices)
        self.assert_one_line(wrong, 'put right: ' + prices + ':2: tiers is a list')
        check = self.lethe('serve', '--check', '--metering.prices', 'martian')
        self.assert_one_line(check, 'martian')


if __name__ == '__main__':
    main()
