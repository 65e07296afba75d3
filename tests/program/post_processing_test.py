#!/usr/bin/env python3
"""Drives `lethe transcribe` with the options that rewrite the text.

Goal: the options do to a transcript what their help says, in every format, and nothing when they
are not given. Method: the recordings of Debian's pocketsphinx-testdata, some of which hold numbers,
go through the program with an option and without, and what comes out is compared. What the rules do
to any sentence is tested in src/text/; here it is seen to arrive.
"""

import json
import re

from support import ProgramTest, SpeechTest, main, run

RECORDINGS = '/usr/share/pocketsphinx/test/data'
METERS = RECORDINGS + '/goforward.raw'           # "Go forward ten meters."
NUMBERS = RECORDINGS + '/numbers.raw'            # "Thirty three four six ninety two"
EVERYTHING = ['--profanity', 'mask', '--fillers', 'strict', '--punctuation', 'none', '--numbers',
              'digits']


class RewritingUsageTest(ProgramTest):

    def test_unknown_choices_are_errors_of_usage(self):
        for option, choices in (('--profanity', 'keep,drop,mask'),
                                ('--fillers', 'keep,drop,strict'),
                                ('--punctuation', 'keep,end,none'),
                                ('--numbers', 'words,digits')):
            result = run('transcribe', option, 'perhaps', 'a.wav')
            self.assertEqual((result.returncode, result.stdout), (2, ''), option)
            self.assertIn(option, result.stderr)
            for choice in choices.split(','):
                self.assertIn(choice, result.stderr)
                self.assertIn(choice, run('transcribe', '--help').stdout)


class RewritingTest(SpeechTest):

    def transcribe(self, *arguments):
        return self.assert_good(run('transcribe', *arguments))

    def raw(self, file, *arguments):
        return self.transcribe('--raw', '16000', *arguments, file)

    def test_numbers_become_digits_where_they_are_meant(self):
        self.assertRegex(self.raw(METERS), r'\bten\b')
        self.assertEqual(self.raw(METERS, '--numbers', 'digits'),
                         re.sub(r'\bten\b', '10', self.raw(METERS)))
        # "Six ninety two" may be read in two ways, "six, ninety two" may not; the model hears either.
        said = self.raw(NUMBERS)
        meant = re.sub('Thirty three', '33', re.sub('(?<=, )ninety two', '92', said))
        self.assertNotEqual(meant, said)
        self.assertEqual(self.raw(NUMBERS, '--numbers', 'digits'), meant)

    def test_a_number_of_several_words_has_the_time_of_all_of_them(self):
        how = ['--format', 'json', '--words']
        said = json.loads(self.raw(NUMBERS, *how))['segments'][0]
        segment = json.loads(self.raw(NUMBERS, *how, '--numbers', 'digits'))['segments'][0]
        thirty, three, *others = said['words']
        word = segment['words'][0]
        self.assertEqual((word['text'].rstrip(','), word['start'], word['end']),
                         ('33', thirty['start'], three['end']))
        self.assertEqual(segment['words'][1:3], others[:2])  # four, six
        low, high = sorted((thirty['confidence'], three['confidence']))
        self.assertLessEqual(low, word['confidence'])
        self.assertLessEqual(word['confidence'], high)
        for key in ('start', 'end', 'confidence'):
            self.assertEqual(segment[key], said[key])

    def test_punctuation_goes_at_the_end_or_everywhere(self):
        file = self.files[0]
        text = self.transcribe(file).strip()
        self.assertIn('Mr. ', text)
        self.assertTrue(text.endswith('.'))
        self.assertEqual(self.transcribe('--punctuation', 'end', file).strip(), text[:-1])
        self.assertEqual(self.transcribe('--punctuation', 'none', file).strip(),
                         re.sub(r'[.,]', '', text))

    def test_text_is_the_same_with_and_without_words(self):
        for file in self.files:
            text = self.transcribe(*EVERYTHING, file)
            timed = json.loads(self.transcribe(*EVERYTHING, '--words', '--format', 'json', file))
            self.assertEqual(text.split('\n')[:-1], [s['text'] for s in timed['segments']])
            for segment in timed['segments']:
                self.assertEqual(' '.join(w['text'] for w in segment['words']), segment['text'])

    def test_sentences_without_swearing_fillers_and_numbers_stay(self):
        options = ['--profanity', 'drop', '--fillers', 'strict', '--numbers', 'digits']
        for format in ('text', 'json'):
            self.assertEqual(self.transcribe('--format', format, *options, *self.files),
                             self.transcribe('--format', format, *self.files))

    def test_named_defaults_change_nothing(self):
        defaults = ['--profanity', 'keep', '--fillers', 'keep', '--punctuation', 'keep',
                    '--numbers', 'words']
        self.assertEqual(self.raw(METERS, *defaults), self.raw(METERS))


if __name__ == '__main__':
    main()
