#!/usr/bin/env python3
"""Bad recordings, full disks, broken pipes, missing models: one clear line each."""

import os
import random
import resource
import shutil
import signal
import struct
import subprocess

from recordings import RATE, header, read, tone, write
from support import SpeechTest, main, model_folder, program_path, run, word_errors


class BadInputTest(SpeechTest):

    def bad_files(self):
        tone_bytes = bytes(tone(0.5, 0.5))
        floats = struct.pack('<f', float('nan')) * RATE
        late = struct.pack('<f', 0.0) * 40000 + struct.pack('<f', float('inf'))
        content = {'empty.wav': b'', 'empty.mp3': b'',
                   'text.wav': b'Dear reader, this is no recording at all.\n' * 40,
                   'random.mp3': random.Random(4).randbytes(5000),
                   'zero_samples.wav': header(0),
                   'one_sample.wav': header(2) + b'\x12\x34',
                   'zero_hertz.wav': header(len(tone_bytes), rate=0) + tone_bytes,
                   'no_channels.wav': header(len(tone_bytes), channels=0) + tone_bytes,
                   'many_channels.wav': header(len(tone_bytes), channels=400) + tone_bytes,
                   'many_hertz.wav': header(len(tone_bytes), rate=100_000_000) + tone_bytes,
                   'nan.wav': header(len(floats), bits=32, encoding=3) + floats,
                   'late_infinity.wav': header(len(late), bits=32, encoding=3) + late,
                   'cut_header.wav': header(0)[:30],
                   'no_data.wav': header(0)[:36]}
        return {write(self.path('bad', name), data) for name, data in content.items()}

    def test_each_bad_recording_ends_in_one_line_that_names_it(self):
        bad = self.bad_files() | {self.path('missing.wav'), self.short + '/inside.wav'}
        for file in bad:
            with self.subTest(os.path.basename(file)):
                self.assert_one_line(run('transcribe', file), file + ': ')

    def test_the_others_are_done_and_nothing_is_left_of_the_bad_ones(self):
        bad, out = sorted(self.bad_files()), self.path('out')
        mixed = bad[:5] + [self.short] + bad[5:] + [self.last]
        result = run('transcribe', '--out', out, *mixed)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        complaints = sorted(line.split(': ')[1] for line in result.stderr.splitlines())
        self.assertEqual(complaints, bad)
        self.assertEqual(self.names(out), [os.path.basename(f)[:-4] + '.txt'
                                           for f in (self.short, self.last)])
        for file in (self.short, self.last):
            text = read(os.path.join(out, os.path.basename(file)[:-4] + '.txt')).decode()
            self.assertLessEqual(word_errors(self.spoken[file], text), 3)

        result = run('transcribe', *mixed)
        self.assertEqual(result.returncode, 1)
        self.assertEqual([line for line in result.stdout.splitlines() if line.endswith('.wav:')],
                         [self.short + ':', self.last + ':'])

    def test_control_characters_in_a_name_do_not_break_the_line(self):
        file = write(self.path('two\nlines\x1b[1m.wav'), b'')
        self.assert_one_line(run('transcribe', file), 'two?lines?[1m.wav')

    def test_folder_without_recordings_is_named(self):
        folder = os.path.dirname(self.path('nothing', 'x'))
        write(self.path('nothing', 'notes.txt'), b'nothing to hear')
        self.assert_one_line(run('transcribe', folder), folder)
        result = run('transcribe', folder, self.short)
        self.assertEqual((result.returncode, result.stderr.count('\n')), (1, 1))
        self.assertLessEqual(word_errors(self.spoken[self.short], result.stdout), 3)

    def test_standard_input_without_sound_is_an_error(self):
        for content in (b'', b'hello\n', header(0), header(0)[:20]):
            self.assert_one_line(run('transcribe', '-', stdin=content), '-: ')
        self.assert_one_line(run('transcribe', '--raw', '16000', '-', stdin=b''), '-: ')

    def test_unreadable_file_is_an_error(self):
        self.assert_one_line(run('transcribe', '/proc/self/mem'), '/proc/self/mem: ')
        self.assert_one_line(run('transcribe', '/proc/self'), '/proc/self')

    def test_file_of_somebody_else_is_an_error(self):
        file, options = self.path('secret.wav'), {}
        shutil.copy(self.short, file)
        os.chmod(file, 0)
        if os.geteuid() == 0:
            # Root reads everything; nobody needs a program and models within reach.
            shutil.copy(program_path(), self.path('lethe'))
            shutil.copytree(model_folder(), self.path('models'))
            os.chmod(self.folder, 0o755)
            options = {'program': self.path('lethe'), 'user': 65534, 'group': 65534,
                       'extra_groups': [], 'env': {'LETHE_MODELS': self.path('models')}}
            try:
                self.assert_good(run('version', **options))
            except (OSError, AssertionError) as error:
                self.skipTest(f'cannot run as somebody else: {error}')
        self.assert_one_line(run('transcribe', file, **options), file, 'Permission denied')

    def test_full_disk_behind_standard_output_is_said(self):
        for output_format in ('text', 'json'):
            with open('/dev/full', 'wb') as full:
                result = run('transcribe', '--format', output_format, self.short, self.last,
                             stdout=full)
            self.assert_one_line(result, 'No space left on device')

    def test_full_disk_leaves_no_partial_output(self):
        disk = self.path('disk', 'x')[:-2]
        mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest('cannot mount a small disk: ' + mounted.stderr.decode().strip())
        self.addCleanup(subprocess.run, ['umount', disk], check=True)
        with self.assertRaises(OSError):
            write(os.path.join(disk, 'filler'), bytes(1 << 20))
        result = run('transcribe', '--out', disk, self.short, self.last)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        lines = result.stderr.splitlines()
        self.assertEqual(len(lines), 2)
        for file in (self.short, self.last):
            name = os.path.basename(file)[:-4] + '.txt'
            self.assertTrue(any(name in l and 'No space left' in l for l in lines), lines)
        self.assertEqual(self.names(disk), ['filler'])

    def test_limit_of_file_sizes_leaves_no_partial_output(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))

        out = self.path('out')
        result = run('transcribe', '--out', out, self.short, preexec_fn=limit)
        self.assert_one_line(result, 'cannot write', out, 'File too large')
        self.assertEqual(self.names(out), [])

    def test_output_folder_that_cannot_be_made_is_named(self):
        file = write(self.path('file'), b'')
        for out in (file, file + '/deeper'):
            self.assert_one_line(run('transcribe', '--out', out, self.short), out)

    def test_closed_pipe_is_said_once(self):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            self.assert_one_line(run('transcribe', *self.files, stdout=writing), 'Broken pipe')
        finally:
            os.close(writing)

    def test_reader_that_stops_early_gets_its_part(self):
        command = '"$0" transcribe "$@" | head -c 5'
        result = run('-c', command, program_path(), *self.files, program='/bin/sh')
        self.assertEqual(len(result.stdout), 5)
        self.assertLessEqual(result.stderr.count('\n'), 1)

    def test_unknown_model_is_answered_with_those_there_are(self):
        self.assert_one_line(run('transcribe', '--model', 'whisper', self.short), 'whisper',
                             'moonshine-tiny-en')
        self.assert_one_line(run('transcribe', '--model', 'silero-vad', self.short), 'silero-vad')

    def test_missing_models_are_answered_with_the_command_that_fetches_them(self):
        empty = self.path('models', 'x')[:-2]
        for folder in (empty, os.path.join(empty, 'missing')):
            self.assert_one_line(run('transcribe', self.short, env={'LETHE_MODELS': folder}),
                                 'lethe models pull')

    def test_corrupted_models_are_noticed_and_named(self):
        def flip(data, at):
            return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1:]

        damages = {'header': lambda d: flip(d, 100), 'length': lambda d: flip(d, 1),
                   'truncated': lambda d: d[:len(d) // 2], 'cut header': lambda d: d[:20],
                   'empty': lambda d: b'', 'longer': lambda d: d + b'more', 'gone': None}
        models = self.path('models')
        shutil.copytree(model_folder(), models)
        env = {'LETHE_MODELS': models}
        for name in ('moonshine-tiny-en', 'silero-vad'):
            weights = os.path.join(models, name, 'model.safetensors')
            whole = read(weights)
            for damage, apply in damages.items():
                with self.subTest(f'{name}, {damage}'):
                    if apply:
                        write(weights, apply(whole))
                    else:
                        os.remove(weights)
                    self.assert_one_line(run('transcribe', self.short, env=env), weights,
                                         'lethe models verify ' + name)
                    self.assert_one_line(run('models', 'verify', name, env=env), name,
                                         'lethe models pull ' + name)
            report = run('doctor', env=env)
            self.assertEqual(report.returncode, 1)
            self.assertRegex(report.stdout, '(?m)^FAIL ' + name)
            write(weights, whole)
        # A bit in the middle of the weights changes words at most; comparing hashes finds it.
        write(weights, flip(whole, len(whole) // 2))
        self.assert_one_line(run('models', 'verify', 'silero-vad', env=env), 'silero-vad')


if __name__ == '__main__':
    main()
