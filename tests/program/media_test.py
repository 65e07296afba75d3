#!/usr/bin/env python3
"""Containers and codecs, as ffmpeg makes them."""

import json
import os
import re
import shutil
import subprocess
import unittest

from recordings import read, seconds_of, write
from support import PATIENCE, SpeechTest, main, run, word_errors, words


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

    def test_speex_without_a_container_is_known_in_every_band_and_quality(self):
        if 'libspeex' not in self.encoders:
            self.skipTest('this ffmpeg cannot make Speex')
        made = {}
        for rate in (8000, 16000, 32000):
            for quality in range(11):
                made[rate, quality] = self.path(f'made_{rate}_{quality}')
        for (rate, quality), file in made.items():
            subprocess.run(['ffmpeg', '-v', 'error', '-nostdin', '-i', self.long, '-map', '0:a',
                            '-ar', str(rate), '-c:a', 'libspeex', '-cbr_quality', str(quality),
                            '-f', 'data', file], check=True, timeout=PATIENCE)
        for how in (['-vad', '1', '-dtx', '1'], ['-q:a', '5', '-vad', '1', '-dtx', '1']):
            made[16000, ' '.join(how)] = file = self.path('made' + ''.join(how))
            subprocess.run(['ffmpeg', '-v', 'error', '-nostdin', '-i', self.long, '-map', '0:a',
                            '-ar', '16000', '-c:a', 'libspeex', *how, '-f', 'data', file],
                           check=True, timeout=PATIENCE)
        texts = self.path('texts', 'x').removesuffix('/x')
        self.assert_good(run('transcribe', '--format', 'json', '--out', texts, *made.values()))
        for (rate, quality), file in made.items():
            with self.subTest(rate=rate, quality=quality):
                transcript = json.loads(read(os.path.join(texts, os.path.basename(file) + '.json')))
                self.assertAlmostEqual(transcript['duration'], 7.1, places=2)
                if quality in (8, 9, 10) and rate > 8000:
                    self.assertLessEqual(
                        word_errors(self.spoken[self.long], transcript['text']), 3)

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


if __name__ == '__main__':
    main()
