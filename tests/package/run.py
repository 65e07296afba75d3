#!/usr/bin/env python3
"""The Debian package on a bare Debian 12: installed, started, used, upgraded, removed, purged.

    run.py PROGRAM PACKAGE NEWER_PACKAGE

Goal: what docs/operations.md says about the package holds on a machine that has nothing. Method:
debootstrap makes such a machine in a folder; everything in it is done by Debian's own tools. It has no
systemd that runs, so unit_run.py starts the service with the unit's restrictions. Needs root, and the
models (LETHE_MODELS). LETHE_BARE=FOLDER keeps the bare Debian for the next time.
"""

import atexit
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'program'))
from support import PATIENCE, SENTENCES, word_errors  # pylint: disable=wrong-import-position

BEGUN = time.monotonic()
RECORDING = 'sense_and_sensibility_01_austen_64kb-0870'


def say(text):
    print(f'{time.monotonic() - BEGUN:6.1f} s  {text}', flush=True)


def check(good, what, found=''):
    if not good:
        sys.exit(f'deb-test: {what}: {found}')
    say('ok  ' + what)


def call(*command, **options):
    result = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f'deb-test: {" ".join(command)}\n{result.stdout}{result.stderr}')
    return result.stdout + result.stderr


def make_bare(folder):
    """A Debian 12 without anything in it, from where this machine gets its packages."""
    sources = ['/etc/apt/sources.list', *sorted(glob.glob('/etc/apt/sources.list.d/*'))]
    text = ''
    for path in sources:
        if os.path.exists(path):
            with open(path, encoding='utf-8') as file:
                text += file.read()
    mirror = re.search(r'(?m)^(?:deb (?:\[.*\] )?|URIs: *)(\S+)', text)[1]
    call('debootstrap', '--variant=minbase', 'bookworm', folder, mirror)
    for path in (*sources, *glob.glob('/etc/apt/apt.conf.d/*proxy*'), '/etc/resolv.conf', '/etc/hosts'):
        if os.path.exists(path):
            shutil.copy(path, folder + path)


class Bare:
    """A Debian in a folder."""

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix='lethe_bare_')
        os.chmod(self.root, 0o755)  # the service's user has to get through it
        atexit.register(shutil.rmtree, self.root, ignore_errors=True)
        kept = os.environ.get('LETHE_BARE')
        if kept and os.path.isdir(kept):
            call('cp', '-a', kept + '/.', self.root)
        else:
            make_bare(self.root)
            if kept:
                call('cp', '-a', self.root, kept)
        self('apt-get', 'update')

    def __call__(self, *command):
        # Mounts that go with the command.
        inside = ('mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"')
        return call('unshare', '--mount', 'sh', '-c', inside, self.root, *command,
                    env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C',
                         'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root'})

    def install(self, package):
        shutil.copy(package, self.root + '/root/')
        said = self('apt-get', 'install', '-y', '--no-install-recommends',
                    '/root/' + os.path.basename(package))
        os.remove(self.root + '/root/' + os.path.basename(package))
        return said

    def exists(self, path):
        return os.path.lexists(self.root + path)

    def files(self):
        """All but what dpkg, apt and a running machine write about their own doings."""
        found = set()
        for folder, folders, names in os.walk(self.root):
            inside = folder[len(self.root):]
            folders[:] = [name for name in folders if f'{inside}/{name}' not in
                          ('/proc', '/dev', '/sys', '/run', '/var/lib/dpkg', '/var/lib/apt', '/var/cache', '/var/log')]
            found |= {f'{inside}/{name}' for name in (*folders, *names)}
        return found


class Running:
    """The unit's service."""

    def __init__(self, bare):
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ['unshare', '--mount', '/usr/bin/python3', os.path.join(HERE, 'unit_run.py'), bare.root,
             bare.root + '/lib/systemd/system/lethe.service'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = ''
        for line in self.process.stdout:
            self.said += line
            if listening := re.match(r'listening on (\S+)$', line):
                self.url = listening[1]
                return
        sys.exit('deb-test: the service did not start: ' + self.said)

    def status(self, field):
        with open(f'/proc/{self.process.pid}/status', encoding='utf-8') as file:
            return re.search(rf'(?m)^{field}:\s*(.*)$', file.read())[1]

    def transcribe(self, key, path):
        """As a client of OpenAI's audio API."""
        boundary = 'lethe-deb-test'
        with open(path, 'rb') as file:
            audio = file.read()
        body = (f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
                f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'
                ).encode() + audio + f'\r\n--{boundary}--\r\n'.encode()
        request = urllib.request.Request(
            self.url + '/v1/audio/transcriptions', data=body,
            headers={'Authorization': 'Bearer ' + key,
                     'Content-Type': 'multipart/form-data; boundary=' + boundary})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)['text']
        except urllib.error.HTTPError as error:
            sys.exit(f'deb-test: {error.code}: {error.read().decode()}')

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.said += self.process.stdout.read()
        return self.process.wait(PATIENCE)


def check_unit(bare, program):
    """As systemd reads it. Its other units are this machine's: the bare one has none."""
    with tempfile.TemporaryDirectory() as folder:
        unit = folder + '/lethe.service'
        with open(bare.root + '/lib/systemd/system/lethe.service', encoding='utf-8') as file:
            text = file.read().replace('=/usr/bin/lethe ', f'={program} ')
        with open(unit, 'w', encoding='utf-8') as file:
            file.write(text)
        verified = call('systemd-analyze', 'verify', '--man=no', unit)
        check('lethe' not in verified, 'systemd-analyze finds nothing wrong with the unit', verified)
        # From 0, nothing is open, to 100.
        exposure = call('systemd-analyze', 'security', '--offline=yes', '--threshold=20', '--no-pager', unit)
        say(exposure.strip().splitlines()[-1].strip())


def main():
    program, package, newer = map(os.path.abspath, sys.argv[1:])
    models = os.environ.get('LETHE_MODELS', os.path.expanduser('~/.local/share/lethe/models'))
    say(call('lintian', '--fail-on', 'error', '--allow-root', package).strip() or 'lintian has nothing to say')

    bare = Bare()
    say('a bare Debian is there')
    depends = call('dpkg-deb', '-f', package, 'Depends')
    bare('apt-get', 'install', '-y', '--no-install-recommends',
         *(re.match(r'\S+', part.strip())[0] for part in depends.split(',')))
    before = bare.files()

    said = bare.install(package)
    check('lethe-admin models pull' in said, 'installed; it says how models get there', said)
    size = call('dpkg-deb', '-f', package, 'Installed-Size').strip()
    say(f'package {os.path.getsize(package) / 1e6:.1f} MB, installed {int(size) / 1024:.1f} MB')
    check_unit(bare, program)

    call('cp', '-r', *glob.glob(models + '/*'), bare.root + '/var/lib/lethe/models/')
    bare('chown', '-R', 'lethe:lethe', '/var/lib/lethe/models')
    bare('lethe-admin', 'apps', 'create', 'ward')
    key = re.search(r'(?m)^Bearer +(\S+)$', bare('lethe-admin', 'keys', 'create', '--app', 'ward',
                                                '--bearer'))[1]
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    with open(bare.root + '/etc/lethe/lethe.toml', 'r+', encoding='utf-8') as file:
        text = re.sub(r'(?m)^#listen = .*$', f'listen = ["127.0.0.1:{port}"]', file.read(), count=1)
        file.seek(0)
        file.write(text)
    recording = bare.root + '/root/recording.mp3'
    call('ffmpeg', '-v', 'error', '-i', f'{SENTENCES}/{RECORDING}.wav', recording)
    with open(SENTENCES + '/transcription', encoding='utf-8') as file:
        spoken = re.search(rf'(?m)^<s> (.*) </s> \({RECORDING}\)$', file.read())[1]

    service = Running(bare)
    check(service.status('CapEff') == '0' * 16 and service.status('Seccomp') == '2' and
          service.status('NoNewPrivs') == '1', 'it runs without rights',
          service.status('CapEff') + service.status('Seccomp'))
    check('lethe-sk' not in service.said, 'no key where a log would be', service.said)
    heard = service.transcribe(key, recording)
    check(word_errors(spoken, heard) <= 2, 'an mp3 was transcribed, by a caged decoder', heard)
    check(service.stop() == 0, 'it stops when told', service.said)
    doctor = subprocess.run(
        ['unshare', '--mount', 'sh', '-c', 'mount -t proc proc "$0/proc" && exec chroot "$0" lethe-admin doctor',
         bare.root], check=False, capture_output=True, text=True)
    check(doctor.returncode == 0, 'lethe-admin doctor is content', doctor.stdout + doctor.stderr)

    bare.install(newer)
    installed = bare('dpkg-query', '-W', '-f', '${Version}', 'lethe')
    check(installed == call('dpkg-deb', '-f', newer, 'Version').strip(), 'upgraded to ' + installed)
    service = Running(bare)
    check(service.url.endswith(f':{port}'), 'the configuration that was edited is still there', service.url)
    heard = service.transcribe(key, recording)
    check(word_errors(spoken, heard) <= 2, 'the key from before the upgrade opens', heard)
    check(service.stop() == 0, 'it stops when told', service.said)
    usage = bare('lethe-admin', 'usage')
    check(re.search(r'openai +2 ', usage), 'both calls are in the records', usage)
    bare('lethe-admin', 'ledger', 'export', '--out', '/var/lib/lethe/ledger.bin')
    os.remove(bare.root + '/var/lib/lethe/ledger.bin')

    said = bare('apt-get', 'remove', '-y', 'lethe')
    check(bare.exists('/var/lib/lethe/records.db') and not bare.exists('/usr/bin/lethe') and
          'nothing in it is forgotten' in said, 'removed: the data stays, and that is said', said)
    said = bare('dpkg', '--purge', 'lethe')
    os.remove(recording)
    left = bare.files() - before
    ledgers = [path for path in left if re.fullmatch(r'/var/lib/lethe/ledger-until-\d{8}T\d{6}Z', path)]
    check(len(ledgers) == 1, 'purged: the ledger is kept', sorted(left))
    other = {path for path in left if not path.startswith(ledgers[0]) and path != '/var/lib/lethe'}
    # Copies that adduser makes of the lists of users.
    other -= {f'/etc/{name}-' for name in ('passwd', 'group', 'shadow', 'gshadow', 'subuid', 'subgid')}
    check(not other, 'purged: nothing else is left', sorted(other))
    say('kept: ' + ', '.join(sorted(path[len('/var/lib/lethe/'):] for path in left if path.startswith(ledgers[0]))))

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(bare.root + ledgers[0], folder + '/ledger')
        call(program, 'ledger', 'export', '--data', folder, '--out', folder + '/ledger.bin')
        verified = call(program, 'ledger', 'verify', folder + '/ledger.bin')
        check(re.search(r'(?m)^monitoring +[1-9]\d* .* yes$', verified), 'the kept ledger is exported and verified without the service', verified)

    bare.install(package)
    bare('lethe-admin', 'apps', 'create', 'ward')
    check(bare.exists('/var/lib/lethe/records.db'), 'installed again: it begins anew')
    say('deb-test: passed')


main()
