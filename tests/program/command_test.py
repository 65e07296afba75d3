#!/usr/bin/env python3
"""The commands beside transcribe, with models."""

import json

from recordings import seconds_of, write
from support import SpeechTest, main, run


class CommandTest(SpeechTest):

    def test_models_are_listed_and_verified(self):
        listing = self.assert_good(run('models', 'list'))
        for name in ('moonshine-tiny-en', 'silero-vad'):
            self.assertRegex(listing, f'(?m)^{name} +installed .* MIT ')
        self.assertEqual(self.assert_good(run('models', 'verify', 'silero-vad')),
                         'silero-vad: as published\n')
        self.assertIn('moonshine-tiny-en: as published\n',
                      self.assert_good(run('models', 'verify')))

    def test_doctor_finds_nothing_wrong(self):
        report = self.assert_good(run('doctor'))
        for what in ('processor', 'kernels', 'moonshine-tiny-en', 'silero-vad', 'media cage'):
            self.assertRegex(report, f'(?m)^(ok  |note) {what} ')
        self.assertRegex(report, '(?m)^.{5}media cage +seccomp yes, landlock (yes|no)')

    def test_eval_counts_the_errors_of_a_manifest(self):
        rows = [f'{i}\t{file}\ten\t{seconds_of(file)}\tlibrivox\t{self.spoken[file]}'
                for i, file in enumerate(self.files)]
        manifest = write(self.path('manifest.tsv'), '\n'.join(
            ['id\tfile\tlanguage\tseconds\tsource\ttranscript', *rows, '']).encode())
        scores = json.loads(self.assert_good(run('eval', '--json', '--manifest', manifest)))
        self.assertEqual(scores['total']['clips'], 5)
        self.assertEqual(scores['total']['words'],
                         sum(len(text.split()) for text in self.spoken.values()))
        errors = sum(scores['total'][kind]
                     for kind in ('insertions', 'deletions', 'substitutions'))
        self.assertLessEqual(errors, 6)
        # Spoken into live streams, fast: the same words, and the damaged recording is named.
        damaged = write(self.path('damaged.wav'), b'no recording')
        with open(manifest, 'a', encoding='utf-8') as file:
            file.write(f'bad\t{damaged}\ten\t1\tlibrivox\thello there\n')
        result = run('eval', '--json', '--live', '8', '--manifest', manifest)
        live = json.loads(result.stdout)['total']
        self.assertIn('bad', result.stderr)
        self.assertEqual((live['clips'], live['words']), (6, scores['total']['words'] + 2))
        # Two words of the damaged one, and what a promise may cost.
        errors_live = sum(live[kind] for kind in ('insertions', 'deletions', 'substitutions'))
        self.assertGreaterEqual(errors_live, 2)
        self.assertLessEqual(errors_live, errors + 2 + 2)


if __name__ == '__main__':
    main()
