#!/usr/bin/env python3
"""What is of one region stays there: nodes of another do not start on it, and requests and outbound
targets of another are refused where the configuration says so."""

import os

from api3 import Api3
from database_test import SlowWeb
import every_interface
from own_api import call_own
from service import Service
from support import SPOKEN, SpeechTest, main, run


class RegionTest(SpeechTest):

    def setUp(self):
        super().setUp()
        self.web = SlowWeb(self.short)
        self.web.released.set()
        self.addCleanup(self.web.stop)
        self.data = self.path('data', 'north')
        self.service = Service('--store.region', 'north', '--auth.regions', 'north',
                               '--auth.regions', 'ap-north', '--outbound.regions', 'north',
                               '--outbound.hosts', '127.0.0.1=north', data=self.data)
        self.addCleanup(lambda: self.service.stop())  # whichever is running then
        self.api = Api3(self.service.address, self.service.keys['SecretId'],
                        self.service.keys['SecretKey'])

    def refused(self, *options):
        """What a service says that does not start."""
        with self.assertRaises(AssertionError) as refusal:
            Service(*options)
        return str(refusal.exception)

    def test_a_node_of_another_region_does_not_start(self):
        self.assertEqual(self.service.stop()[0], 0)
        other = ['serve', '--listen', '127.0.0.1:0']
        refusal = run(*other, '--data', self.data, '--store.region', 'south')
        self.assert_one_line(refusal, 'the keys are of the region north, this node is in south')
        refusal = run(*other, '--data', self.path('data', 'south'), '--store.region', 'south',
                      '--store.objects', self.data + '/objects')
        self.assert_one_line(refusal, 'the object store has recordings of the region north')
        for region in ('North', 'a' * 17, 'a b'):
            self.assert_one_line(run(*other, '--data', self.path('x', 'x'), '--store.region', region),
                                 'a region is named by 1 to 16')
        # A folder from before regions were written down says it by the names of its keys.
        every = os.path.join(self.data, 'keys')
        os.remove(os.path.join(every, 'region'))
        open(os.path.join(every, 'epochs', 'result.north.480000.key'), 'wb').close()
        self.assert_good(run('apps', 'list', '--data', self.data))
        with open(os.path.join(every, 'region'), encoding='utf-8') as file:
            self.assertEqual(file.read(), 'north\n')
        # Who says nothing is of the region that is there.
        self.assert_good(run('apps', 'list', '--data', self.data))
        self.service = Service(data=self.data)
        self.api.address = self.service.address
        every_interface.sentence(self.api, self.short)
        self.assertEqual(self.service.stop()[0], 0)  # what was done for the call is written down
        told = self.assert_good(run('keys', 'sealing', '--data', self.data))
        self.assertRegex(told, r'operation_log +north ')

    def test_requests_may_name_the_regions_that_are_listed(self):
        for region in ('north', 'ap-north', ''):
            self.api.more = {'X-TC-Region': region}
            self.assertTrue(SPOKEN.search(every_interface.sentence(self.api, self.short)))
        for region in ('south', 'North', 'north,south'):
            self.api.more = {'X-TC-Region': region}
            self.assertEqual(self.api.code('SentenceRecognition', {}), 'UnsupportedRegion')

    def test_only_hosts_of_the_regions_that_are_listed_are_reached(self):
        self.assertTrue(SPOKEN.search(every_interface.sentence(self.api, None, self.web.url)))
        for url in ('http://localhost:8080/', 'http://x.cos.ap-shanghai.myqcloud.com/a.wav',
                    'http://127.0.0.1.example:8080/'):
            answer = self.api.call('CreateRecTask', {
                'EngineModelType': '16k_en', 'ChannelNum': 1, 'ResTextFormat': 0, 'SourceType': 0,
                'Url': url})
            self.assertEqual(answer['Error']['Code'], 'InvalidParameterValue.ErrorInvalidUrl', url)
            self.assertIn('region', answer['Error']['Message'])

    def test_rows_of_usage_name_it(self):
        every_interface.sentence(self.api, self.short)
        call_own(self.service, 'retention')
        self.assertEqual(self.service.stop()[0], 0)
        self.service = Service(data=self.data)
        rows = self.assert_good(run('usage', '--calls', '--data', self.data, '--json'))
        self.assertIn('"north"', rows)


if __name__ == '__main__':
    main()
