#!/usr/bin/env python3
"""The benchmarks run, and what they print can be right. They judge no time, and neither do we."""

import json
import os

from recordings import seconds_of, write
from support import ProgramTest, SpeechTest, main, run, word_errors


class BenchTest(SpeechTest):

    def test_speed_gives_the_text_with_the_time(self):
        result = json.loads(self.assert_good(run('bench', 'speed', '--json', '--runs', '1',
                                                 self.short)))
        self.assertGreater(result['rtf'], 0)
        self.assertLessEqual(word_errors(self.spoken[self.short], result['text']), 3)
        text = self.assert_good(run('bench', 'speed', '--runs', '1', self.short))
        self.assertRegex(text, r'median \d+\.\d ms')

    def throughput(self, *arguments, **expected):
        result = run('bench', 'throughput', '--json', *arguments)
        numbers = json.loads(result.stdout)
        self.assertEqual({name: numbers[name] for name in expected}, expected)
        self.assertGreater(numbers['peak_resident_bytes'], 1e6)
        for way in ('files_to_text', 'samples_to_text'):
            for field in ('wall_seconds', 'cpu_seconds', 'audio_seconds_per_second', 'segments'):
                self.assertGreater(numbers[way][field], 0, (way, field))
        self.assertEqual(numbers['files_to_text']['segments'],
                         numbers['samples_to_text']['segments'])
        return result, numbers

    def test_throughput_counts_a_folder(self):
        result, numbers = self.throughput(os.path.dirname(self.short), recordings=len(self.files),
                                          skipped=0, repeat=1)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        self.assertAlmostEqual(numbers['audio_seconds'], sum(map(seconds_of, self.files)),
                               delta=0.01)

    def test_throughput_counts_repetitions_and_threads(self):
        _, once = self.throughput('--threads', '1', self.short, repeat=1, threads=1)
        _, thrice = self.throughput('--threads', '3', '--repeat', '3', self.short, repeat=3,
                                    threads=3)
        self.assertEqual(thrice['audio_seconds'], once['audio_seconds'])
        self.assertEqual(thrice['files_to_text']['segments'],
                         3 * once['files_to_text']['segments'])

    def test_throughput_leaves_out_what_cannot_be_read_and_names_it_once(self):
        bad, missing = write(self.path('bad.wav'), b'no recording'), self.path('missing.wav')
        result, _ = self.throughput('--repeat', '2', bad, self.short, missing, recordings=1,
                                    skipped=2)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(sorted(line.split(': ')[1] for line in result.stderr.splitlines()),
                         sorted([bad, missing]))

    def test_throughput_prints_a_table_for_people(self):
        text = self.assert_good(run('bench', 'throughput', self.short))
        self.assertRegex(text, r'(?m)^files to text +\d+\.\d\d ')
        self.assertRegex(text, r'(?m)^samples to text +\d+\.\d\d ')
        self.assertRegex(text, r'peak resident memory.*: \d+\.\d MB')

    def test_streams_reports_how_late_words_are(self):
        result = json.loads(self.assert_good(run('bench', 'streams', '--json', '--streams', '3',
                                                 '--seconds', '6', '--hang-up', '4',
                                                 *self.files)))
        counted, = result['runs']
        self.assertEqual(counted['streams'], 3)
        self.assertGreater(counted['final_ms']['count'], 0)
        # Partials become fewer where the machine is slow, down to none.
        for what in ('final_ms', 'partial_lag_ms'):
            self.assertLessEqual(counted[what]['p50'], counted[what]['p99'])
        self.assertEqual(counted['turned_away_samples'], 0)

    def test_beside_compares_a_call_alone_and_beside_a_recording(self):
        result = json.loads(self.assert_good(run('bench', 'beside', '--json', '--calls', '3',
                                                 self.short, self.long)))
        self.assertGreater(result['recording_seconds_per_second'], 0)
        for where in ('alone', 'beside'):
            self.assertLessEqual(result[where]['p50_ms'], result[where]['p99_ms'])

    def test_nothing_to_measure_is_one_line(self):
        missing = self.path('missing.wav')
        folder = os.path.dirname(self.path('nothing', 'x'))
        for command in ('speed', 'throughput'):
            self.assert_one_line(run('bench', command, missing), missing)
        self.assert_one_line(run('bench', 'throughput', folder), folder, 'without recordings')
        self.assert_one_line(run('bench', 'beside', missing, self.short), missing)
        result = run('bench', 'streams', missing)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertIn(missing, result.stderr)


class KernelBenchTest(ProgramTest):
    """What needs no models."""

    KERNELS = {'gemm_u8s8', 'gemm_u8u1', 'gemm_s16', 'quantize_shorts', 'quantize_rows', 'softmax_quantize', 'layer_norm', 'tanh',
               'gelu', 'silu_multiply', 'attend', 'attend_frames', 'to_half', 'pack_outputs', 'pack_inputs',
               'argmax_logsumexp', 'lstm_cell', 'spectrum'}

    def test_every_kernel_is_compared_with_what_is_attainable(self):
        result = json.loads(self.assert_good(run('bench', 'kernels', '--json',
                                                 '--milliseconds', '5')))
        self.assertGreater(result['integers']['gop_per_second'], 0)
        self.assertGreater(result['shorts']['gop_per_second'], 0)
        self.assertGreater(result['floats']['gop_per_second'], 0)
        self.assertEqual({kernel['kernel'] for kernel in result['kernels']}, self.KERNELS)
        for kernel in result['kernels']:
            self.assertIn(kernel['bound_by'], ('arithmetic', 'memory'))
            self.assertGreater(kernel['microseconds'], 0, kernel)
            self.assertGreater(kernel['share'], 0, kernel)

    def test_a_table_is_printed_for_people(self):
        text = self.assert_good(run('bench', 'kernels', '--milliseconds', '1'))
        self.assertRegex(text, r'one core; at most \S+ \d+ GOP/s')
        for kernel in self.KERNELS:
            self.assertRegex(text, rf'(?m)^{kernel} .* (arithmetic|memory) +[\d.]+ +[\d.]+$')

    def test_unknown_instruction_set_is_one_line(self):
        self.assert_one_line(run('bench', 'kernels', '--isa', 'mmx'), '--isa', 'mmx', 'scalar')


if __name__ == '__main__':
    main()
