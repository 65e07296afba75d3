"""What the tests of the program share: running it, comparing words, the base classes.

The tests drive build/lethe as its users do. Their goal: what the README promises holds for the
program as a whole: right words in every format, one clear line for every bad input, nothing written
that nobody asked for. Their method: the LibriVox sentences of Debian's pocketsphinx-testdata and
recordings made here go through the program, and standard output, standard error and the exit code
are looked at. Where a machine cannot make a situation (no ffmpeg, no mount), the test says so and
is skipped.

LETHE_TEST_REQUIRE_MODELS=1 makes missing models and recordings a failure.
"""

import datetime
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SENTENCES = '/usr/share/pocketsphinx/test/data/librivox'
# Far more than any run takes, under a sanitizer too.
PATIENCE = 300
# Words of the sentences that no message of ours has a reason to use.
SPOKEN = re.compile('dashwood|leisure|prudently|disposed|young man|selfish|amiable|respectable',
                    re.IGNORECASE)


def main():
    """The main program of a file of tests: FILE PROGRAM [unittest's arguments]."""
    if len(sys.argv) < 2 or sys.argv[1].startswith('-'):
        sys.exit(f"usage: {sys.argv[0]} PROGRAM [unittest's arguments]")
    os.environ['LETHE_TEST_PROGRAM'] = os.path.abspath(sys.argv.pop(1))
    unittest.main()


def program_path():
    """The program under test."""
    return os.environ['LETHE_TEST_PROGRAM']


def command_path(command):
    """Of a command that a test needs; what `make clients` fetched is asked first. Without it the test
    is skipped, or fails."""
    fetched = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'prometheus', 'usr', 'bin')
    path = shutil.which(command, path=fetched + os.pathsep + os.environ.get('PATH', os.defpath))
    if path:
        return path
    if os.environ.get('LETHE_TEST_REQUIRE_MODELS'):
        raise AssertionError(command + ' is not there; `make clients` fetches or installs it')
    raise unittest.SkipTest(command + ' is not there')


def run(*arguments, stdin=None, env=None, stdout=subprocess.PIPE, program=None, **options):
    """Runs the program; what it prints comes back as text. Standard error never holds a transcript:
    that is checked here, for every run of every test."""
    environment = dict(os.environ)
    for name, value in (env or {}).items():
        environment[name] = value
    result = subprocess.run([program or program_path(), *arguments], input=stdin, env=environment,
                            stdin=subprocess.DEVNULL if stdin is None else None, stdout=stdout,
                            stderr=subprocess.PIPE, timeout=PATIENCE, check=False, **options)
    result.stderr = result.stderr.decode()
    if result.stdout is not None:
        result.stdout = result.stdout.decode()
    if SPOKEN.search(result.stderr):
        raise AssertionError('a transcript on standard error: ' + result.stderr)
    return result


class ReservedPort:
    """A free port of loopback for a server that cannot be told to choose one itself. Nobody else is
    given it until close(), also while the server is down; the server may listen on it, since servers set
    SO_REUSEADDR, as this does."""

    def __init__(self):
        # pylint: disable=consider-using-with
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(('127.0.0.1', 0))
        self.number = self._socket.getsockname()[1]

    def close(self):
        self._socket.close()


def model_folder():
    """Where the program finds its models, in its own words."""
    listing = run('models', 'list').stdout
    return re.search(r'^Models are kept in (.*) \(', listing, re.MULTILINE)[1]


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

    def assert_good_bill(self, result):
        """Of the month before: four weeks behind its end its first calls are forgotten, and it says so."""
        day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).day
        notes = [note for note in result.stderr.splitlines() if day < 29 or 'INCOMPLETE: ' not in note]
        self.assertEqual((result.returncode, notes), (0, []))
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

    def wait_until(self, condition):
        until = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)

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
