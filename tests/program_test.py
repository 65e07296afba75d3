#!/usr/bin/env python3
"""Drives the program as its users do.

Goal: what the README promises holds for the program as a whole: right words in every format, one
clear line for every bad input, nothing written that nobody asked for. Method: the LibriVox
sentences of Debian's pocketsphinx-testdata and recordings made here go through build/lethe, and
standard output, standard error and the exit code are looked at. Where a machine cannot make a
situation (no ffmpeg, no mount), the test says so and is skipped.

usage: program_test.py PROGRAM [unittest's arguments]

LETHE_TEST_REQUIRE_MODELS=1 makes missing models and recordings a failure.
"""

import array
import csv
import glob
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest
import wave

PROGRAM = ''
SENTENCES = '/usr/share/pocketsphinx/test/data/librivox'
RATE = 16000
# Far more than any run takes, under a sanitizer too.
PATIENCE = 300
COMMANDS = ['transcribe', 'eval', 'models', 'models list', 'models pull', 'models import',
            'models verify', 'models remove', 'bench', 'bench speed', 'doctor', 'version']
# Words of the sentences that no message of ours has a reason to use.
SPOKEN = re.compile('dashwood|leisure|prudently|disposed|young man|selfish|amiable|respectable',
                    re.IGNORECASE)


def run(*arguments, stdin=None, env=None, stdout=subprocess.PIPE, program=None, **options):
    """Runs the program; what it prints comes back as text. Standard error never holds a transcript:
    that is checked here, for every run of every test."""
    environment = dict(os.environ)
    for name, value in (env or {}).items():
        environment[name] = value
    result = subprocess.run([program or PROGRAM, *arguments], input=stdin, env=environment,
                            stdin=subprocess.DEVNULL if stdin is None else None, stdout=stdout,
                            stderr=subprocess.PIPE, timeout=PATIENCE, check=False, **options)
    result.stderr = result.stderr.decode()
    if result.stdout is not None:
        result.stdout = result.stdout.decode()
    if SPOKEN.search(result.stderr):
        raise AssertionError('a transcript on standard error: ' + result.stderr)
    return result


def words(text):
    """The words of a text in lower case, without punctuation."""
    return re.sub(r"[^a-z' ]", ' ', text.lower().replace('mr.', 'mister')).split()


def word_errors(expected, heard):
    """Insertions, deletions and substitutions between two texts."""
    expected, heard = words(expected), words(heard)
    row = list(range(len(heard) + 1))
    for i, word in enumerate(expected, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def write_wav(path, samples, rate=RATE, channels=1):
    """Writes 16-bit samples, an array or bytes."""
    with wave.open(path, 'wb') as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(samples))
    return path


def header(data_bytes, rate=RATE, channels=1, bits=16, encoding=1, claimed=None):
    """A WAV header whose fields may lie."""
    frame = channels * bits // 8
    claimed = data_bytes if claimed is None else claimed
    return (b'RIFF' + struct.pack('<I', min(36 + claimed, 0xFFFFFFFF)) + b'WAVEfmt ' +
            struct.pack('<IHHIIHH', 16, encoding, channels, rate, rate * frame, frame, bits) +
            b'data' + struct.pack('<I', claimed))


def write(path, content):
    with open(path, 'wb') as file:
        file.write(content)
    return path


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def read_samples(path):
    with wave.open(path) as file:
        return array.array('h', file.readframes(file.getnframes()))


def seconds_of(path):
    with wave.open(path) as file:
        return file.getnframes() / file.getframerate()


def clock(text):
    """'01:02:03,004' in seconds."""
    hours, minutes, seconds = re.split(':', text.replace(',', '.'))
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def silence(seconds):
    return array.array('h', bytes(2 * int(seconds * RATE)))


def white_noise(seconds, level, seed):
    """Uniform noise; level is its peak, of 1."""
    raw = array.array('h', random.Random(seed).randbytes(2 * int(seconds * RATE)))
    return array.array('h', [int(level * v) for v in raw])


def pink_noise(seconds, level, seed):
    """White noise through Paul Kellet's filter: 3 dB less with each octave, within 0.05 dB."""
    poles = (0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616)
    gains = (0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980)
    state, late, out = [0.0] * 6, 0.0, array.array('h')
    for white in white_noise(seconds, 1, seed):
        for i in range(6):
            state[i] = poles[i] * state[i] + gains[i] * white
        pink = sum(state) + late + 0.5362 * white
        late = 0.115926 * white
        # The sum peaks near 9 times the input.
        out.append(max(-32768, min(32767, int(level * pink / 9))))
    return out


def tone(seconds, level):
    """440 Hz: 11 periods are 400 samples, drawn with Chebyshev's recurrence."""
    turn = 1.9701954870076795  # 2 cos(2 pi 440 / 16000)
    a, b, period = 0.0, 0.17192910027940955, array.array('h')  # sin of 0 and of one step
    for _ in range(400):
        period.append(int(32767 * level * max(-1.0, min(1.0, a))))
        a, b = b, turn * b - a
    return period * int(seconds * RATE / 400)


class ProgramTest(unittest.TestCase):
    """A folder of its own for each test, and what is said about a run."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix='lethe_program_')
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, *names):
        path = os.path.join(self.folder, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def assert_good(self, result):
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        return result.stdout

    def assert_one_line(self, result, *mentions, code=1):
        """One line on standard error that mentions what it is about; nothing else came out."""
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(result.stderr.count('\n'), 1, result.stderr)
        self.assertTrue(result.stderr.startswith('lethe: '), result.stderr)
        for mention in mentions:
            self.assertIn(mention, result.stderr)
        if result.stdout is not None:
            self.assertEqual(result.stdout, '')

    def names(self, folder):
        return sorted(os.listdir(folder))


class SpeechTest(ProgramTest):
    """Tests that need the models and the sentences."""

    @classmethod
    def setUpClass(cls):
        required = bool(os.environ.get('LETHE_TEST_REQUIRE_MODELS'))
        checked = run('models', 'verify', 'moonshine-tiny-en', 'silero-vad')
        reason = None
        if checked.returncode != 0:
            reason = 'models are not installed: ' + checked.stderr.strip()
        elif not os.path.exists(SENTENCES + '/transcription'):
            reason = 'no recordings in ' + SENTENCES + ': install pocketsphinx-testdata'
        if reason and required:
            raise AssertionError(reason)
        if reason:
            raise unittest.SkipTest(reason)
        cls.files = sorted(glob.glob(SENTENCES + '/*.wav'))
        with open(SENTENCES + '/transcription', encoding='utf-8') as file:
            spoken = re.findall(r'^<s> (.*) </s> \((.*)\)$', file.read(), re.MULTILINE)
        cls.spoken = {os.path.join(SENTENCES, name + '.wav'): text for text, name in spoken}
        if sorted(cls.spoken) != cls.files or len(cls.files) < 5:
            raise AssertionError('the recordings are not those of the transcription')
        cls.long, cls.short, cls.last = cls.files[0], cls.files[1], cls.files[-1]

    def json_of(self, *arguments, **options):
        return json.loads(self.assert_good(run('transcribe', '--format', 'json', *arguments,
                                               **options)))


class TranscribeTest(SpeechTest):

    def test_every_sentence_is_heard_with_few_errors(self):
        total = 0
        for file in self.files:
            errors = word_errors(self.spoken[file], self.assert_good(run('transcribe', file)))
            # The model writes "ill-sposed" and mends the reader's "a more a amiable".
            self.assertLessEqual(errors, 3, file)
            total += errors
        self.assertLessEqual(total, 6)

    def test_all_formats_say_the_same_at_the_same_times(self):
        joined = self.join_sentences()[0]
        truth = self.json_of(joined)
        segments = truth['segments']
        self.assertGreaterEqual(len(segments), 2)

        text = self.assert_good(run('transcribe', joined))
        self.assertEqual(text.splitlines(), [s['text'] for s in segments])

        srt = self.assert_good(run('transcribe', '--format', 'srt', joined))
        time = r'(\d\d:\d\d:\d\d%s\d\d\d)'
        cues = [re.fullmatch(r'(\d+)\n%s --> %s\n(.+)' % (time % ',', time % ','), cue)
                for cue in srt.rstrip('\n').split('\n\n')]
        self.assertEqual([(int(c[1]), clock(c[2]), clock(c[3]), c[4]) for c in cues],
                         [(i + 1, s['start'], s['end'], s['text'])
                          for i, s in enumerate(segments)])

        vtt = self.assert_good(run('transcribe', '--format', 'vtt', joined))
        first, *cues = vtt.rstrip('\n').split('\n\n')
        self.assertEqual(first, 'WEBVTT')
        cues = [re.fullmatch(r'%s --> %s\n(.+)' % (time % r'\.', time % r'\.'), cue)
                for cue in cues]
        self.assertEqual([(clock(c[1]), clock(c[2]), c[3]) for c in cues],
                         [(s['start'], s['end'], s['text']) for s in segments])

        tsv = self.assert_good(run('transcribe', '--format', 'tsv', joined))
        rows = list(csv.DictReader(io.StringIO(tsv), delimiter='\t', quoting=csv.QUOTE_NONE))
        self.assertEqual([(int(r['start']), int(r['end']), r['text']) for r in rows],
                         [(round(s['start'] * 1000), round(s['end'] * 1000), s['text'])
                          for s in segments])

    def test_times_are_in_order_and_within_the_recording(self):
        for file in self.files:
            transcript = self.json_of('--words', file)
            self.assertEqual(transcript['source'], file)
            self.assertEqual((transcript['sample_rate'], transcript['channels']), (RATE, 1))
            self.assertEqual(transcript['language'], 'en')
            self.assertAlmostEqual(transcript['duration'], seconds_of(file), delta=0.002)
            self.assert_times(transcript)

    def assert_times(self, transcript):
        at = 0
        self.assertTrue(transcript['segments'])
        for segment in transcript['segments']:
            self.assertLessEqual(at, segment['start'])
            self.assertLess(segment['start'], segment['end'])
            at = segment['start']
            self.assertEqual(' '.join(w['text'] for w in segment['words']), segment['text'])
            for word in segment['words']:
                self.assertLessEqual(at, word['start'] + 1e-9)
                self.assertLessEqual(word['start'], word['end'])
                self.assertTrue(0 <= word['confidence'] <= 1, word)
                at = word['end']
            self.assertLessEqual(at, segment['end'] + 1e-9)
            at = segment['end']
        self.assertLessEqual(at, transcript['duration'] + 1e-9)
        self.assertEqual(transcript['text'], ' '.join(s['text'] for s in transcript['segments']))

    def join_sentences(self):
        """All sentences with a second of silence between, and where each of them lies."""
        samples, places = silence(1), []
        for file in self.files:
            begin = len(samples) / RATE
            samples += read_samples(file)
            places.append((file, begin, len(samples) / RATE))
            samples += silence(1)
        return write_wav(self.path('joined.wav'), samples), places

    def test_words_stand_at_the_times_at_which_they_are_said(self):
        joined, places = self.join_sentences()
        transcript = self.json_of('--words', joined)
        self.assert_times(transcript)
        said = [w for s in transcript['segments'] for w in s['words']]
        for file, begin, end in places:
            # Half a second to either side lies in the middle of the silence.
            heard = [w['text'] for w in said
                     if begin - 0.5 <= (w['start'] + w['end']) / 2 < end + 0.5]
            self.assertLessEqual(word_errors(self.spoken[file], ' '.join(heard)), 3, file)
        sentences = ' '.join(self.spoken[file] for file in self.files)
        self.assertLessEqual(word_errors(sentences, transcript['text']), 6)

    def test_words_are_in_the_json_only_when_asked_for(self):
        self.assertNotIn('words', self.json_of(self.short)['segments'][0])

    def test_several_files_come_out_in_the_order_of_the_input(self):
        inputs = [self.files[i] for i in (4, 0, 3, 1, 0, 2)]
        output = self.assert_good(run('transcribe', *inputs))
        self.assertEqual([line[:-1] for line in output.splitlines() if line.endswith('.wav:')],
                         inputs)
        for file, text in zip(inputs, re.split(r'.*\.wav:\n', output)[1:]):
            self.assertLessEqual(word_errors(self.spoken[file], text), 3)
        # A JSON object each, one behind the other.
        rest, sources = self.assert_good(run('transcribe', '--format', 'json', *inputs)), []
        while rest.strip():
            one, end = json.JSONDecoder().raw_decode(rest.lstrip())
            rest = rest.lstrip()[end:]
            sources.append(one['source'])
        self.assertEqual(sources, inputs)

    def test_out_gives_each_recording_a_file(self):
        out = self.path('new', 'folder')
        self.assertEqual(self.assert_good(run('transcribe', '--out', out, *self.files)), '')
        self.assertEqual(self.names(out),
                         [os.path.basename(f)[:-4] + '.txt' for f in self.files])
        for file in self.files:
            text = read(os.path.join(out, os.path.basename(file)[:-4] + '.txt')).decode()
            self.assertEqual(text, self.assert_good(run('transcribe', file)))

    def test_recordings_of_one_name_do_not_overwrite_each_other(self):
        first, second = self.path('a', 'x.wav'), self.path('b', 'x.wav')
        shutil.copy(self.short, first)
        shutil.copy(self.last, second)
        out = self.path('out')
        self.assert_good(run('transcribe', '--format', 'json', '--out', out, first, second))
        sources = [json.loads(read(os.path.join(out, name)))['source'] for name in self.names(out)]
        self.assertEqual(sorted(sources), [first, second])

    def test_folder_means_the_recordings_in_it(self):
        folder = self.path('recordings')
        inside = [self.path('recordings', *names) for names in (('b.wav',), ('a', 'c.WAV'))]
        for path in inside:
            shutil.copy(self.short, path)
        for other in (('notes.txt',), ('.hidden.wav',), ('.cache', 'd.wav')):
            write(self.path('recordings', *other), b'not a recording')
        output = self.assert_good(run('transcribe', folder))
        self.assertEqual([line[:-1] for line in output.splitlines()
                          if line.lower().endswith('.wav:')], sorted(inside))

    def test_channels_can_be_transcribed_each_by_itself(self):
        left, right = read_samples(self.short), read_samples(self.last)
        both = array.array('h', bytes(4 * max(len(left), len(right))))
        both[0:2 * len(left):2], both[1:2 * len(right) + 1:2] = left, right
        file = write_wav(self.path('call.wav'), both, channels=2)
        transcript = self.json_of('--channels', 'split', file)
        self.assertEqual(transcript['channels'], 2)
        for channel, spoken in enumerate((self.short, self.last)):
            text = ' '.join(s['text'] for s in transcript['segments'] if s['channel'] == channel)
            self.assertLessEqual(word_errors(self.spoken[spoken], text), 3)

    def test_standard_input_is_heard_as_the_file_is(self):
        content, expected = read(self.last), self.assert_good(run('transcribe', self.last))
        self.assertEqual(self.assert_good(run('transcribe', '-', stdin=content)), expected)
        # A recorder that writes to a pipe does not know how long it will be.
        samples = bytes(read_samples(self.last))
        streamed = header(0, claimed=0xFFFFFFFF) + samples
        self.assertEqual(self.assert_good(run('transcribe', '-', stdin=streamed)), expected)
        self.assertEqual(self.assert_good(run('transcribe', '--raw', '16000', '-', stdin=samples)),
                         expected)
        raw = write(self.path('call.raw'), samples)
        self.assertEqual(self.assert_good(run('transcribe', '--raw', '16000,1', raw)), expected)

    def test_text_is_the_same_on_every_instruction_set_and_number_of_threads(self):
        report = self.assert_good(run('doctor'))
        sets = re.search(r'^ok   kernels +\w+ of (.*)$', report, re.MULTILINE)
        sets = sets[1].split(', ') if sets else ['scalar']
        self.assertIn('scalar', sets)
        expected = self.json_of('--words', self.short)
        for isa in sets:
            for threads, content in (('1', None), ('4', read(self.short))):
                got = self.json_of('--words', '--threads', threads, '-' if content else self.short,
                                   env={'LETHE_ISA': isa}, stdin=content)
                got['source'] = self.short
                self.assertEqual(got, expected, (isa, threads))
        many = self.assert_good(run('transcribe', '--threads', '1', *self.files))
        for isa in sets[1:]:  # plain code would take too long for all of them
            self.assertEqual(self.assert_good(run('transcribe', '--threads', '4', *self.files,
                                                  env={'LETHE_ISA': isa})), many, isa)

    def test_progress_shows_no_words(self):
        result = run('transcribe', '--progress', '--words', '--format', 'json', *self.files)
        self.assertEqual(result.returncode, 0)
        self.assertTrue(SPOKEN.search(result.stdout))
        self.assertFalse(SPOKEN.search(result.stderr))  # and so does run(), every time

    def test_minutes_without_speech_give_no_words(self):
        noises = {'silence': silence(60),
                  'white_loud': white_noise(60, 0.5, 1), 'white_soft': white_noise(60, 0.01, 2),
                  'pink_loud': pink_noise(60, 0.9, 3), 'tone_loud': tone(60, 0.5),
                  'tone_soft': tone(60, 0.01)}
        noises['pink_soft'] = array.array('h', [v // 30 for v in noises['pink_loud']])
        files = [write_wav(self.path(name + '.wav'), samples) for name, samples in noises.items()]
        out = self.path('out')
        self.assert_good(run('transcribe', '--format', 'json', '--out', out, *files))
        for name in noises:
            transcript = json.loads(read(os.path.join(out, name + '.json')))
            self.assertEqual((transcript['text'], transcript['segments']), ('', []), name)
            self.assertAlmostEqual(transcript['duration'], 60, delta=0.05)


class HotWordTest(SpeechTest):

    UNSAID = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'bench', 'hot_words',
                          'unsaid.txt')

    def list_of(self, text):
        return write(self.path('words.txt'), text if isinstance(text, bytes) else text.encode())

    def test_a_word_that_is_misheard_is_heard_and_written_as_given(self):
        self.assertNotIn('ill-disposed', self.assert_good(run('transcribe', self.short)))
        for arguments in (['--hot-word', 'ill-disposed'], ['--hot-word', 'Norland|3', '--hot-word',
                          'Ill-Disposed|11'], ['--hot-words', self.list_of('# x\nill-disposed\n')]):
            text = self.assert_good(run('transcribe', *arguments, self.short))
            self.assertIn('an ill-disposed young man', text.replace('Ill-Disposed', 'ill-disposed'))
        self.assertIn('Ill-Disposed', self.assert_good(
            run('transcribe', '--hot-word', 'Ill-Disposed', self.short)))

    def test_a_hundred_words_that_nobody_says_cost_next_to_nothing(self):
        for weight, most in ((5, 0), (10, 1), (11, 3)):
            with open(self.UNSAID, encoding='utf-8') as file:
                lines = [line.strip() for line in file if not line.startswith('#')]
            self.assertEqual(len(lines), 100)
            words_file = self.list_of(''.join(f'{line}|{weight}\n' for line in lines))
            changed = 0
            for file in self.files:
                plain = self.assert_good(run('transcribe', file))
                changed += word_errors(plain, self.assert_good(
                    run('transcribe', '--hot-words', words_file, file)))
            self.assertLessEqual(changed, most, f'weight {weight}')

    def test_words_and_times_agree_with_the_text(self):
        document = self.json_of('--words', '--hot-word', 'ill-disposed', self.short)
        for segment in document['segments']:
            self.assertEqual(' '.join(w['text'] for w in segment['words']), segment['text'])
            times = [t for w in segment['words'] for t in (w['start'], w['end'])]
            self.assertEqual(times, sorted(times))

    def test_bad_lists_end_in_one_line_that_says_where(self):
        for text, mentions in (
                (b'ok\n|5\n', ['words.txt', 'line 2', 'empty']),
                (b'name|12\n', ['line 1', 'from 1 to 11, or 100', 'name']),
                (b'caf\xe9\n', ['line 1', 'UTF-8']),
                (b'x' * 10000, ['line 1', 'more than 30 characters']),
                (b'\x00\x01\n', ['line 1', 'control characters']),
                (b''.join(b'w%d\n' % i for i in range(10000)), ['line 1001', 'more than 1000']),
                (b'x' * (2 << 20), ['words.txt'])):
            self.assert_one_line(run('transcribe', '--hot-words', self.list_of(text), self.short),
                                 *mentions)
        self.assert_one_line(run('transcribe', '--hot-words', self.path('none'), self.short), 'none')
        self.assert_one_line(run('transcribe', '--hot-word', '', self.short), 'empty')
        # An empty list is no list.
        self.assert_good(run('transcribe', '--hot-words', self.list_of('# nothing\n'), self.short))

    def test_a_full_list_of_nasty_words(self):
        endings = ['', 's', "'s", ' a', '-a', '...', '\u00e9', '\u4e2d']
        words_list = [('a' * (1 + i % 20) + endings[i % 8] + str(i))[:30] for i in range(1000)]
        text = self.assert_good(run('transcribe', '--words', '--hot-words',
                                    self.list_of('\n'.join(words_list)), self.short))
        self.assertLessEqual(word_errors(self.assert_good(run('transcribe', self.short)), text), 1)


class MediaTest(SpeechTest):

    # Ending: encoder, what else ffmpeg is told, word errors allowed. Eight kilohertz and old speech
    # codecs cost words.
    FORMATS = {'mp3': ('libmp3lame', ['-b:a', '64k'], 3),
               'm4a': ('aac', ['-b:a', '64k'], 3),
               'aac': ('aac', ['-b:a', '64k'], 3),
               'mp4': ('aac', ['-b:a', '64k'], 3),
               '3gp': ('aac', ['-b:a', '64k'], 3),
               'flac': ('flac', [], 3),
               'ogg': ('libvorbis', [], 3),
               'opus': ('libopus', ['-b:a', '24k'], 3),
               'webm': ('libopus', ['-b:a', '32k'], 3),
               'mkv': ('flac', [], 3),
               'spx': ('libspeex', [], 5),
               'wma': ('wmav2', [], 3),
               'flv': ('libmp3lame', ['-ar', '22050'], 3),
               'aiff': ('pcm_s16be', [], 3),
               'au': ('pcm_s16be', [], 3),
               'caf': ('pcm_s16le', [], 3),
               'w64': ('pcm_s24le', ['-ar', '48000', '-ac', '2'], 3),
               'amr': ('libopencore_amrnb', ['-ar', '8000'], 6),
               'alaw.wav': ('pcm_alaw', ['-ar', '8000'], 5),
               'mulaw.wav': ('pcm_mulaw', ['-ar', '8000'], 5),
               'float.wav': ('pcm_f32le', ['-ar', '44100', '-ac', '2'], 3),
               'bytes.wav': ('pcm_u8', [], 5)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not shutil.which('ffmpeg'):
            raise unittest.SkipTest('there is no ffmpeg to make recordings with')
        listing = subprocess.run(['ffmpeg', '-hide_banner', '-encoders'], capture_output=True,
                                 text=True, check=True).stdout
        cls.encoders = set(re.findall(r'^ A\S+ (\S+)', listing, re.MULTILINE))

    def encode(self, endings):
        command = ['ffmpeg', '-hide_banner', '-loglevel', 'error', '-nostdin', '-i', self.long]
        files = [self.path('made.' + ending) for ending in endings]
        for ending, file in zip(endings, files):
            encoder, more, _ = self.FORMATS[ending]
            command += ['-c:a', encoder, *more, file]
        subprocess.run(command, check=True, timeout=PATIENCE)
        return files

    def test_every_container_and_codec_gives_nearly_the_same_words(self):
        endings = [e for e, (encoder, _, _) in self.FORMATS.items() if encoder in self.encoders]
        self.assertGreaterEqual(len(endings), 12, 'this ffmpeg knows hardly anything')
        files = self.encode(endings)
        output = self.assert_good(run('transcribe', *files))
        texts = re.split(r'.*made\..*:\n', output)[1:]
        self.assertEqual(len(texts), len(files))
        for ending, text in zip(endings, texts):
            with self.subTest(ending):
                self.assertLessEqual(word_errors(self.spoken[self.long], text),
                                     self.FORMATS[ending][2], text)

    def test_compressed_recordings_are_read_from_a_pipe(self):
        for file in self.encode(['mp3', 'flac', 'opus', 'webm']):
            text = self.assert_good(run('transcribe', '-', stdin=read(file)))
            self.assertLessEqual(word_errors(self.spoken[self.long], text), 3, file)

    def test_truncated_recording_is_heard_up_to_its_end_and_that_is_said(self):
        for file in self.encode(['mp3', 'flac', 'ogg', 'mkv']):
            half = read(file)[:os.path.getsize(file) // 2]
            cut = write(self.path('cut.' + file.rsplit('.')[-1]), half)
            result = run('transcribe', '--format', 'json', cut)
            self.assertLessEqual(result.stderr.count('\n'), 1)
            transcript = json.loads(result.stdout)
            self.assertLess(transcript['duration'], 0.8 * seconds_of(self.long))
            begin = ' '.join(words(self.spoken[self.long])[:5])
            heard = ' '.join(words(transcript['text'])[:5])
            self.assertLessEqual(word_errors(begin, heard), 2, cut)
            # Ogg and Matroska as streams do not say how long they are.
            promised = file.endswith(('mp3', 'flac'))
            self.assertEqual(result.returncode, 1 if promised else 0, cut)
            if promised:
                self.assertRegex(result.stderr, '^lethe: ' + re.escape(cut) + ': ends early: .*whole')

    def test_mp3_cut_within_its_header_is_refused(self):
        start = read(self.encode(['mp3'])[0])[:200]
        for size in (1, 3, 20, 200):
            cut = write(self.path('cut.mp3'), start[:size])
            self.assert_one_line(run('transcribe', cut), cut)


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
            shutil.copy(PROGRAM, self.path('lethe'))
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
        result = run('-c', command, PROGRAM, *self.files, program='/bin/sh')
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
        for what in ('processor', 'kernels', 'moonshine-tiny-en', 'silero-vad'):
            self.assertRegex(report, f'(?m)^(ok  |note) {what} ')

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

    def test_bench_speed_gives_the_text_with_the_time(self):
        result = json.loads(self.assert_good(run('bench', 'speed', '--json', '--runs', '1',
                                                 self.short)))
        self.assertGreater(result['rtf'], 0)
        self.assertLessEqual(word_errors(self.spoken[self.short], result['text']), 3)


class CommandLineTest(ProgramTest):
    """What needs no models."""

    def test_help_of_every_command_has_an_example(self):
        overview = self.assert_good(run('--help'))
        self.assertIn('lethe transcribe talk.mp3', overview)
        for command in COMMANDS:
            with self.subTest(command):
                text = self.assert_good(run(*command.split(), '--help'))
                self.assertRegex(text, '(?m)^Examples?:\n  .*lethe ' + command.split(maxsplit=1)[0])

    def test_every_command_is_known_to_this_test(self):
        for parent in ('', 'models', 'bench'):
            text = self.assert_good(run(*parent.split(), '--help'))
            listed = re.findall(r'^  ([a-z]+) {3,}', text.split('Subcommands:')[1], re.MULTILINE)
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
                          'transcribe --nonsense a.wav', 'models remove', 'eval', 'bench speed'):
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


def model_folder():
    """Where the program finds its models, in its own words."""
    listing = run('models', 'list').stdout
    return re.search(r'^Models are kept in (.*) \(', listing, re.MULTILINE)[1]


if __name__ == '__main__':
    if len(sys.argv) < 2 or sys.argv[1].startswith('-'):
        sys.exit(__doc__)
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
