#!/usr/bin/env python3
"""Runs a WebSocket suite that is not ours against our server: the cases that the authors of Jetty wrote
after Autobahn's, with raw frames, in the source package jetty9 of Debian.

usage: run.py WEBSOCKET_ECHO FOLDER

WEBSOCKET_ECHO is the program build/tests/websocket_echo, an echo behind the server's own sockets.
FOLDER is for what is fetched and compiled; a package that is there is not fetched again. apt checks
what it fetches against the archive's signatures. Nothing of the suite is kept in this repository;
under java/ is what stands in the place of its own server.

The exit status is 0 when every case passes but those of left_open.txt, each of which has to fail.
"""

import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = 'websocket-server/src/test/java'
HELPERS = 'websocket-common/src/test/java'
JARS = ('jetty9-*', 'junit-jupiter*', 'junit-platform*', 'hamcrest*', 'opentest4j', 'apiguardian-api',
        'servlet-api*', 'univocity*')
FEWEST = 300  # of cases: fewer were not run for some reason


def fetch(folder):
    """The unpacked source package, by name, from where this machine has its packages."""
    unpacked = glob.glob(os.path.join(folder, 'jetty9-*', 'jetty-websocket'))
    if unpacked:
        return unpacked[0]
    for name in ('sources', 'lists/partial', 'cache/archives/partial'):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    sources = glob.glob('/etc/apt/sources.list.d/*.sources')
    lines = [path for path in ['/etc/apt/sources.list', *glob.glob('/etc/apt/sources.list.d/*.list')]
             if os.path.exists(path)]
    for path in sources + lines:
        with open(path, encoding='utf-8') as file:
            text = file.read()
        text = re.sub(r'^Types:.*$', 'Types: deb-src', text, flags=re.MULTILINE)
        text = re.sub(r'^deb(-src)? ', 'deb-src ', text, flags=re.MULTILINE)
        name = os.path.basename(path)
        with open(os.path.join(folder, 'sources', name), 'w', encoding='utf-8') as file:
            file.write(text)
    apt = ['apt-get', '-q', '-o', 'Dir::Etc::SourceList=/dev/null',
           '-o', 'Dir::Etc::SourceParts=' + os.path.join(folder, 'sources'),
           '-o', 'Dir::State::lists=' + os.path.join(folder, 'lists'),
           '-o', 'Dir::Cache=' + os.path.join(folder, 'cache')]
    # Where the lists cannot be brought up to date the source may be had nevertheless.
    subprocess.run([*apt, 'update'], stdout=subprocess.DEVNULL, check=False)
    subprocess.run([*apt, 'source', 'jetty9'], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return glob.glob(os.path.join(folder, 'jetty9-*', 'jetty-websocket'))[0]


def compile_cases(source, folder):
    """Returns the class path of the suite."""
    classes = os.path.join(folder, 'classes')
    os.makedirs(classes, exist_ok=True)
    jars = [jar for name in JARS for jar in sorted(glob.glob(f'/usr/share/java/{name}.jar'))]
    ours = os.path.join(HERE, 'java')
    roots = ':'.join([ours, os.path.join(source, CASES), os.path.join(source, HELPERS)])
    cases = glob.glob(os.path.join(source, CASES, '**', 'ab', 'TestABCase*.java'), recursive=True)
    subprocess.run(['javac', '-nowarn', '-Xlint:none', '-encoding', 'UTF-8', '-d', classes,
                    '-cp', ':'.join(jars), '-sourcepath', roots, *sorted(cases)],
                   stderr=subprocess.DEVNULL, check=True)
    return classes, ':'.join([classes, *jars])


def run(echo, classes, path, folder):
    """Runs every case; returns what passed and what did not, as ('TestABCase7', 'testCase731')."""
    reports = os.path.join(folder, 'reports')
    with subprocess.Popen([echo], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        port = int(server.stdout.readline())
        with open(os.path.join(folder, 'output'), 'w', encoding='utf-8') as output:
            subprocess.run(
                ['java', '-cp', path, f'-Dlethe.address=ws://127.0.0.1:{port}/mirror',
                 'org.junit.platform.console.ConsoleLauncher', '--scan-classpath', classes,
                 '--include-classname', '.*TestABCase.*', '--reports-dir', reports,
                 '--disable-banner'], stdout=output, stderr=output, check=False)
        server.stdin.close()
    passed, failed = set(), set()
    with open(os.path.join(reports, 'TEST-junit-jupiter.xml'), encoding='utf-8') as file:
        report = file.read()
    for case in re.findall(r'<testcase .*?</testcase>', report, re.DOTALL):
        owner = re.search(r'classname="[^"]*\.([^".]+)"', case)[1]
        name = re.search(r'<testcase name="([A-Za-z0-9_]+)', case)[1]
        shown = re.search(r'display-name: (.*)', case)[1].strip()
        if shown.startswith('['):
            name += ' ' + re.sub(r'^\[\d+\] ', '', shown)
        (failed if '<failure' in case or '<error' in case else passed).add((owner, name))
    return passed, failed


def left_open():
    """What the list says is left open by the RFC."""
    with open(os.path.join(HERE, 'left_open.txt'), encoding='utf-8') as file:
        lines = [line for line in file if line.strip() and not line.startswith('#')]
    return {tuple(line[:72].strip().split(' ', 1)) for line in lines}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    echo, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    os.makedirs(folder, exist_ok=True)
    classes, path = compile_cases(fetch(folder), folder)
    passed, failed = run(echo, classes, path, folder)
    expected = left_open()
    for owner, name in sorted(passed | failed):
        verdict = 'passed' if (owner, name) not in failed else (
            'left open by RFC 6455' if (owner, name) in expected else 'FAILED')
        print(f'{owner:28} {name:60} {verdict}')
    wrong = sorted(failed - expected)
    stale = sorted(expected - failed)
    print(f'{len(passed)} cases passed, {len(failed - set(wrong))} are left open by the RFC, '
          f'{len(wrong)} failed')
    if stale:
        print('in left_open.txt, and not failing:', stale)
    if len(passed) + len(failed) < FEWEST:
        print('too few cases were run; see', os.path.join(folder, 'output'))
    sys.exit(bool(wrong or stale or len(passed) + len(failed) < FEWEST))


if __name__ == '__main__':
    main()
