#!/usr/bin/env python3
"""Speaking to the console and dropping recordings on it: the words, the files they are saved as, and
that nothing of them is lost when the session ends, the service is restarted or the microphone refused.

Method: console_driver.py.
"""

import json

from console_driver import ALL_HOLD, ConsoleTest
from service import Service
from support import main, word_errors


class ConsoleSpeechTest(ConsoleTest):

    def test_what_is_spoken_becomes_text_and_is_forgotten(self):
        seen = self.drive('speak')
        said = seen['json']['text'] and json.loads(seen['json']['text'])
        self.assertLessEqual(word_errors(self.spoken[self.long], said['text']), 3, said['text'])
        self.assertIn(said['text'].split()[0], seen['text'])
        self.assertRegex(seen['delay'], r'^\d+\.\d s$')
        self.assertNotEqual(seen['level'], '')
        self.assertEqual(' '.join(seen['copied'].split()), said['text'])
        self.assertEqual(seen['txt']['name'], 'recording.txt')
        self.assertRegex(seen['srt']['text'], r'^1\n00:00:0\d,\d{3} --> 00:00:\d\d,\d{3}\n\w')
        self.assertRegex(seen['vtt']['text'], r'^WEBVTT\n\n00:00:0\d\.\d{3} --> ')
        words = [word for line in said['segments'] for word in line['words']]
        self.assertTrue(all(0 <= word['confidence'] <= 1 for word in words), words)
        self.assertIn('operation log: 1 erased (requested)', seen['forgotten'])
        self.assertEqual(seen['checks'], ALL_HOLD)

    def test_a_refused_microphone_is_told(self):
        seen = self.drive('refused_microphone')
        self.assertIn('was told not to give the microphone', seen['said'])
        self.assertTrue(seen['button'])

    def test_a_session_that_ends_while_recording_loses_nothing(self):
        seen = self.drive('session_ends')
        self.assertEqual(seen['ended'], 200)
        self.assertIn('What was said is kept', seen['note'])
        self.assertRegex(seen['before'], r'\w+ \w+')
        self.assertTrue(seen['text'].startswith(seen['before']), seen)

    def test_a_service_that_is_restarted_loses_nothing_of_what_was_said(self):
        service = Service(data=self.path('data', 'of', 'service'))
        self.addCleanup(lambda: service.stop())
        with self.driver('restart', service=service) as driver:
            self.assertEqual(driver.stderr.readline(), 'speaking\n')
            service.process.kill()
            self.assertEqual(driver.stderr.readline(), 'lost\n')
            address, data, keys = service.address, service.data, service.keys
            service.stop()
            service = Service('--listen', address, data=data)
            service.keys = keys
            seen = self.seen(driver)
        self.assertIn('was lost', seen['lost'])
        self.assertIn('Your session has ended: the service was restarted', seen['ended'])
        self.assertRegex(seen['before'], r'\w+ \w+')
        self.assertTrue(seen['text'].startswith(seen['before']), seen)
        self.assertEqual(seen['kept'], seen['text'])

    def test_a_dropped_file_gets_subtitles(self):
        seen = self.drive('drop', self.long, self.folder)
        self.assertIn('huge.mp4 (2.0 GB)', seen['refused'])
        self.assertIn('up to 25 MB', seen['refused'])
        self.assertEqual(seen['sent'], 0)
        self.assertEqual(seen['title'], '<b>talk</b>.wav')
        self.assertLessEqual(word_errors(self.spoken[self.long], seen['text']), 2)
        self.assertGreater(seen['position'], 1)
        self.assertEqual(seen['focused'], seen['second'])
        self.assertTrue(seen['drawn'])
        self.assertEqual(seen['invalid'], 'true')
        self.assertRegex(seen['vtt']['text'],
                         r'^WEBVTT\n\n00:00:00\.250 --> 00:00:\d\d\.\d{3}\nTea &amp; &lt;biscuits&gt;\n')
        self.assertIn('\nTea & <biscuits>\n', seen['srt']['text'])
        self.assertEqual(seen['srt']['name'], '_b_talk__b_.srt')


if __name__ == '__main__':
    main()
