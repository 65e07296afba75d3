#!/usr/bin/env python3
"""What the operator's page Watch is made of: the last hour agrees with /metrics, a bill over HTTP is the
command's, and whoever kept a head of the ledger is shown that it only grew since.

Method: a running service that is called; quantiles, and the proofs of RFC 9162, computed here from their
definitions.
"""

import base64
import datetime
import json
import re

from every_interface import openai
from ledger_test import Export, leaf_hash, split_point, tree_root
from own_api import call_own
from realtime_call import target
from service import Service
from support import SpeechTest, main, run
from websocket_peer import Peer

BUCKET = re.compile(r'(?m)^lethe_call_duration_seconds_bucket\{interface="(sentence|flash|openai)",le="(.*)"\} (\d+)$')


def consistency(m, hashes, whole=True):
    """SUBPROOF of RFC 9162, section 2.1.4.1."""
    n = len(hashes)
    if m == n:
        return [] if whole else [tree_root(hashes)]
    k = split_point(n)
    if m <= k:
        return consistency(m, hashes[:k], whole) + [tree_root(hashes[k:])]
    return consistency(m - k, hashes[k:], False) + [tree_root(hashes[:k])]


def quantile(share, buckets):
    """Of cumulative counts by bound, as Prometheus' histogram_quantile() has it."""
    rank, before, start = share * buckets[-1][1], 0, 0.0
    for bound, count in buckets:
        if count >= rank:
            return start if bound == float('inf') else start + (bound - start) * (rank - before) / (count - before)
        before, start = count, bound
    raise AssertionError(buckets)


class WatchTest(SpeechTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)

    def ask(self, path, status=200):
        found, answer = call_own(self.service, path, password=self.service.keys['Console password'])
        self.assertEqual(found, status, answer)
        return answer

    def metrics(self):
        return self.service.get('/metrics')[1]

    def metric(self, name):
        return float(re.search(rf'(?m)^{re.escape(name)} (\S+)$', self.metrics())[1])

    def buckets(self):
        """What those who waited for it waited: cumulative counts by bound."""
        counts = {}
        for _, bound, count in BUCKET.findall(self.metrics()):
            counts[float(bound)] = counts.get(float(bound), 0) + int(count)
        return sorted(counts.items())

    def next_sample(self, number):
        self.wait_until(lambda: self.ask('watch')['samples'][-1:] and
                        self.ask('watch')['samples'][-1]['number'] > number)
        return self.ask(f'watch?after={number}')['samples']

    def calls_in_one_sample(self):
        """The sample that has all of some calls, the buckets before and after them, and the audio that was heard."""
        while True:
            number = self.next_sample((self.ask('watch')['samples'] or [{'number': 0}])[-1]['number'])[-1]['number']
            before, heard = self.buckets(), self.metric('lethe_engine_heard_seconds_total')
            for _ in range(3):
                openai(self.service, self.short)
            openai(self.service, __file__)  # which is no recording
            self.wait_until(lambda: self.buckets()[-1][1] == before[-1][1] + 4)
            after, heard = self.buckets(), self.metric('lethe_engine_heard_seconds_total') - heard
            sample = self.next_sample(number)[0]
            if sample['calls'].get('openai', {}).get('ended') == 4:
                return sample, before, after, heard

    def test_the_last_hour_is_made_of_what_metrics_say(self):
        sample, before, after, heard = self.calls_in_one_sample()
        self.assertEqual(sample['calls'], {'openai': {'ended': 4, 'faults': 0}})
        grown = [(bound, count - less) for (bound, count), (_, less) in zip(after, before)]
        for name, share in (('p50', 0.5), ('p95', 0.95), ('p99', 0.99)):
            self.assertAlmostEqual(sample['latency'][name], quantile(share, grown), delta=0.001)
        self.assertAlmostEqual(sample['heard'], heard, delta=0.002)
        self.assertGreater(sample['rtf'], 0)
        self.assertAlmostEqual(sample['lasted'], 10, delta=5)
        self.assertGreater(sample['resident_bytes'], 1 << 20)
        # No call is left out: all samples together are what was counted since the start.
        whole = self.ask('watch')
        self.assertEqual(sum(each['calls'].get('openai', {'ended': 0})['ended'] for each in whole['samples']),
                         self.metric('lethe_call_duration_seconds_count{interface="openai"}'))
        self.assertEqual([each['number'] for each in whole['samples']], list(range(1, len(whole['samples']) + 1)))
        self.assertEqual(whole['state']['memory_limit'], self.metric('lethe_memory_limit_bytes'))
        self.assertAlmostEqual(whole['process']['started'], self.metric('process_start_time_seconds'), delta=0.001)
        self.assertEqual((whole['interval'], whole['keeps']), (10, 3600))
        # Nothing about who called.
        text = json.dumps(whole)
        for name in ('AppId', 'SecretId', 'API key'):
            self.assertNotIn(self.service.keys[name], text)

    def test_what_is_going_on_now_is_told_at_once(self):
        with Peer(self.service.address, target(self.service.keys)) as peer:
            peer.next()
            self.wait_until(lambda: self.ask('watch')['state']['live_streams'] == 1)
            self.assertEqual(self.metric('lethe_engine_live_streams'), 1)
        self.wait_until(lambda: self.ask('watch')['state']['live_streams'] == 0)

    def test_only_the_operator_watches(self):
        self.assertEqual(call_own(self.service, 'watch')[0], 403)
        self.assertEqual(call_own(self.service, 'watch', key='lethe-sk-x')[0], 401)
        self.ask('watch?after=x', 400)
        # A number of another process.
        self.assertEqual(len(self.ask('watch?after=1000000')['samples']), len(self.ask('watch')['samples']))

    def test_a_bill_is_the_one_that_the_command_prints(self):
        openai(self.service, self.short)
        month = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).strftime('%Y-%m')
        app_id = self.service.keys['AppId']
        # Rows are written behind the calls' backs, and calls of the other tests may end meanwhile.
        def same():
            printed = run('bill', '--data', self.service.data, '--app', app_id, '--month', month, '--json').stdout
            return self.ask(f'bill?app_id={app_id}&month={month}') == json.loads(printed) and json.loads(printed)
        self.wait_until(same)
        bill = same()
        self.assertEqual([line['interface'] for line in bill['lines']], ['openai'])
        self.assertRegex(bill['total'], r'^0\.\d{6}$')
        self.assertNotEqual(bill['total'], '0.000000')
        self.assertFalse(bill['over'])
        # An application sees its own, and no other's.
        self.assertEqual(call_own(self.service, f'bill?month={month}')[1]['total'], bill['total'])
        self.assertEqual(call_own(self.service, f'bill?month={month}&app_id=1')[0], 404)
        self.ask(f'bill?app_id={app_id}&month=2999-01', 400)
        self.ask(f'bill?month={month}', 400)

    def test_a_ledger_goes_on_from_every_earlier_head(self):
        for _ in range(4):
            openai(self.service, __file__)
            call_own(self.service, 'erase', {'app_id': int(self.service.keys['AppId'])})
        hashes = []

        def exported():
            """What the last head has; it may be signed a moment after the erasure."""
            path = self.path(f'ledger{len(self.names(self.folder))}.bin')
            self.assert_good(run('ledger', 'export', '--data', self.service.data, '--out', path))
            with open(path, 'rb') as file:
                hashes[:] = [leaf_hash(leaf) for leaf in Export(file.read()).leaves]
            return self.ask('ledger')['head'].split('\n')[1] == str(len(hashes))
        self.wait_until(exported)
        size = 1
        while size <= len(hashes):
            answer = self.ask(f'ledger?from={size}')
            _, total, root, *_ = answer['head'].split('\n')
            # What is written behind a call may have made it grow since it was exported.
            if int(total) != len(hashes):
                self.wait_until(exported)
                continue
            self.assertEqual(base64.b64decode(root), tree_root(hashes))
            self.assertEqual(answer['consistency'], {'from': size, 'proof': [
                base64.b64encode(each).decode() for each in consistency(size, hashes)]})
            size += 1
        self.assertGreater(len(hashes), 5)
        self.assertEqual(self.ask('ledger?from=0')['consistency']['proof'], [])
        self.assertNotIn('consistency', self.ask('ledger'))
        self.assertIn('fewer leaves', self.ask(f'ledger?from={len(hashes) + 1}', 409)['error']['message'])
        self.ask('ledger?from=-1', 400)


if __name__ == '__main__':
    main()
