#!/usr/bin/env python3
"""The command line itself: help, usage errors, what needs no models."""

import os
import re
import shutil

from recordings import silence, write_wav
from support import ProgramTest, main, run

COMMANDS = ['transcribe', 'serve', 'eval', 'models', 'models list', 'models pull', 'models import',
            'models verify', 'models remove', 'bench', 'bench speed', 'bench throughput',
            'bench streams', 'bench beside', 'bench kernels', 'bench records', 'apps', 'apps list',
            'apps create', 'apps rename', 'apps quota', 'apps retention', 'apps billing', 'apps disable',
            'apps enable', 'apps remove', 'keys',
            'keys list', 'keys create', 'keys disable', 'keys enable', 'keys remove',
            'keys password', 'keys rotate', 'keys sealing', 'ledger', 'ledger head', 'ledger keys', 'ledger rotate-key',
            'ledger export', 'ledger receipt', 'ledger verify', 'consent', 'consent ages', 'consent give',
            'consent withdraw', 'consent list', 'consent require', 'erase', 'calls', 'calls show', 'usage',
            'bill', 'sla', 'doctor', 'help', 'version']


class CommandLineTest(ProgramTest):
    """What needs no models."""

    def test_help_of_every_command_has_an_example(self):
        overview = self.assert_good(run('--help'))
        self.assertIn('lethe transcribe talk.mp3', overview)
        for command in COMMANDS:
            with self.subTest(command):
                text = self.assert_good(run(*command.split(), '--help'))
                self.assertRegex(text, '(?m)^Examples?:\n  .*lethe ' + command.split(maxsplit=1)[0])

    def test_help_fits_a_terminal_but_for_examples_and_choices(self):
        for command in ('', *COMMANDS):
            with self.subTest(command):
                text = self.assert_good(run(*command.split(), '--help'))
                wide = [line for line in text.splitlines() if len(line) > 80]
                self.assertEqual([line for line in wide if not re.match('  lethe | {6}|  [^ ]*[^{]*{[^ ]*}', line)],
                                 [])

    def test_what_is_wrong_with_a_command_line_is_said_in_plain_words(self):
        for arguments, mention in (('transcribe --prot 1 a.wav', 'there is no such option: --prot'),
                                   ('models list now', 'there is an argument too many: now'),
                                   ('transcribe --format srt --format vtt a.wav', '--format can be given once only'),
                                   ('erase --task abc', 'takes a number of digits only, not: abc')):
            result = run(*arguments.split())
            self.assertEqual(result.returncode, 2)
            self.assertIn(mention, result.stderr.splitlines()[0])

    def test_what_text_has_no_place_for_and_input_named_twice_are_refused(self):
        self.assert_one_line(run('transcribe', '--words', 'a.wav'), '--format json')
        self.assert_one_line(run('transcribe', '--words', '--format', 'tsv', 'a.wav'), '--format json')
        self.assert_one_line(run('transcribe', '-', '-', stdin=b'RIFF'), 'standard input', 'once')

    def test_a_model_that_is_not_there_leaves_no_folder(self):
        out = self.path('out', 'x')[:-2]
        shutil.rmtree(out)
        self.assert_one_line(run('transcribe', '--out', out, '--model', 'nosuch', 'a.wav'), 'nosuch')
        self.assertFalse(os.path.exists(out))

    def test_every_command_is_known_to_this_test(self):
        for parent in ('', 'models', 'bench', 'apps', 'keys', 'calls', 'ledger', 'consent'):
            text = self.assert_good(run(*parent.split(), '--help'))
            listed = re.findall(r'^  ([a-z-]+) {3,}', text.split('Subcommands:')[1], re.MULTILINE)
            self.assertEqual({f'{parent} {name}'.strip() for name in listed},
                             {c for c in COMMANDS if c.rpartition(' ')[0] == parent})

    def test_subtitles_of_several_recordings_do_not_run_into_each_other(self):
        for ending in ('srt', 'vtt', 'tsv'):
            result = run('transcribe', '--format', ending, 'a.wav', 'b.wav')
            self.assertEqual(result.returncode, 1)
            self.assertEqual(result.stdout, '')
            self.assertRegex(result.stderr, f'^lethe: several recordings in one {ending} .*--out')

    def test_wrong_command_lines_are_errors_of_usage(self):
        for arguments in ('', 'nonsense', 'models', 'models nonsense', 'transcribe',
                          'transcribe --format docx a.wav', 'transcribe --channels both a.wav',
                          'transcribe --threads -1 a.wav', 'transcribe --threads x a.wav',
                          'transcribe --raw loud a.wav', 'transcribe --raw 16000,0 a.wav',
                          'transcribe --nonsense a.wav', 'models remove', 'eval', 'bench speed',
                          'bench throughput', 'bench throughput --repeat 0 a.wav',
                          'bench throughput --threads -1 a.wav', 'bench kernels --milliseconds 0',
                          'bench kernels a.wav', 'bench streams', 'bench beside a.wav',
                          'bench streams --streams 0 a.wav', 'eval --live 0 --manifest m.tsv',
                          'transcribe --alternatives 0 a.wav', 'transcribe --alternatives 5 a.wav'):
            with self.subTest(arguments):
                result = run(*arguments.split())
                self.assertEqual((result.returncode, result.stdout), (2, ''))
                first, hint = result.stderr.splitlines()
                self.assertTrue(first.startswith('lethe: '))
                self.assertRegex(hint, r'^try: lethe [a-z ]*--help$')
        self.assertIn('nonsense', run('nonsense').stderr)

    def test_nonsense_as_instruction_set_is_one_error(self):
        file = write_wav(self.path('a.wav'), silence(1))
        result = run('transcribe', file, env={'LETHE_ISA': 'nonsense'})
        self.assert_one_line(result, 'LETHE_ISA', 'nonsense', 'scalar')
        result = run('transcribe', file, env={'LETHE_FRAMES': 'some'})
        self.assert_one_line(result, 'LETHE_FRAMES', 'some', 'merged', 'all')

    def test_unknown_models_can_not_be_pulled_verified_or_removed(self):
        env = {'LETHE_MODELS': self.path('models')}
        for command in ('pull', 'verify', 'remove'):
            self.assert_one_line(run('models', command, 'whisper', env=env), 'whisper',
                                 'moonshine-tiny-en')

    def test_import_of_no_model_leaves_nothing(self):
        models = self.path('models')
        folder = os.path.dirname(self.path('nothing', 'x'))
        self.assert_one_line(run('models', 'import', folder, 'mine', env={'LETHE_MODELS': models}),
                             folder)
        self.assertFalse(os.path.exists(models))

    def test_version_is_printed(self):
        self.assertRegex(self.assert_good(run('version')), r'^lethe \d+\.\d+\.\d+\n$')


if __name__ == '__main__':
    main()
