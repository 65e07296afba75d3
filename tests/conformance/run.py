#!/usr/bin/env python3
"""Runs a WebSocket suite that is not ours against our server: the cases that the authors of Jetty wrote
after Autobahn's, with raw frames, in the source package jetty9 of Debian.

usage: run.py WEBSOCKET_ECHO FOLDER

WEBSOCKET_ECHO is the program build/tests/websocket_echo, an echo behind the server's own sockets.
FOLDER is for what is fetched and compiled; a package that is there is not fetched again. apt checks
what it fetches against the archive's signatures; its lists and cache are in FOLDER, so that the machine's
own are left alone and root is not needed. Nothing of the suite is kept in this repository; under java/ is
what stands in the place of its own server.

The exit status is 0 when every case passes but those of left_open.txt, each of which has to fail, and in
the way that is said there.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = 'websocket-server/src/test/java'
HELPERS = 'websocket-common/src/test/java'
JARS = ('jetty9-*', 'junit-jupiter*', 'junit-platform*', 'hamcrest*', 'opentest4j', 'apiguardian-api',
        'servlet-api*', 'univocity*')
FEWEST = 300  # of cases: fewer were not run for some reason
KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'


def fetch(folder):
    """The unpacked source package, by name, from where this machine has its packages."""
    unpacked = glob.glob(os.path.join(folder, 'jetty9-*', 'jetty-websocket'))
    if unpacked:
        return unpacked[0]
    for name in ('lists/partial', 'cache/archives/partial'):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    # Debian's mirrors as this machine's apt knows them, in whichever format they are written down.
    mirrors = subprocess.run(
        ['apt-get', 'indextargets', 'Created-By: Packages', 'Origin: Debian', '--format',
         f'deb-src [signed-by={KEYRING}] $(REPO_URI) $(RELEASE) $(COMPONENT)'],
        stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    if not mirrors:
        sys.exit('apt knows no mirror of Debian; run apt-get update')
    sources = os.path.join(folder, 'sources.list')
    with open(sources, 'w', encoding='utf-8') as file:
        file.writelines(line + '\n' for line in sorted(set(mirrors)))
    apt = ['apt-get', '-q', '-o', 'Dir::Etc::SourceList=' + sources,
           '-o', 'Dir::Etc::SourceParts=/dev/null',
           '-o', 'Dir::State::lists=' + os.path.join(folder, 'lists'),
           '-o', 'Dir::Cache=' + os.path.join(folder, 'cache')]
    # Where the lists cannot be brought up to date the source may be had nevertheless.
    subprocess.run([*apt, 'update'], stdout=subprocess.DEVNULL, check=False)
    subprocess.run([*apt, 'source', 'jetty9'], cwd=folder, stdout=subprocess.DEVNULL, check=True)
    return glob.glob(os.path.join(folder, 'jetty9-*', 'jetty-websocket'))[0]


def compile_cases(source, folder):
    """Returns the class path of the suite."""
    classes = os.path.join(folder, 'classes')
    shutil.rmtree(classes, ignore_errors=True)
    os.makedirs(classes)
    jars = [jar for name in JARS for jar in sorted(glob.glob(f'/usr/share/java/{name}.jar'))]
    ours = os.path.join(HERE, 'java')
    roots = ':'.join([ours, os.path.join(source, CASES), os.path.join(source, HELPERS)])
    cases = glob.glob(os.path.join(source, CASES, '**', 'ab', 'TestABCase*.java'), recursive=True)
    subprocess.run(['javac', '-nowarn', '-Xlint:none', '-encoding', 'UTF-8', '-d', classes,
                    '-cp', ':'.join(jars), '-sourcepath', roots, *sorted(cases)],
                   stderr=subprocess.DEVNULL, check=True)
    return classes, ':'.join([classes, *jars])


def run(echo, classes, path, folder):
    """Runs every case; returns how each ended: ('TestABCase7', 'testCase731') to why it failed, on a
    line, or to nothing."""
    reports = os.path.join(folder, 'reports')
    # What an earlier run wrote is not this one's.
    shutil.rmtree(reports, ignore_errors=True)
    with subprocess.Popen([echo], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        port = int(server.stdout.readline())
        with open(os.path.join(folder, 'output'), 'w', encoding='utf-8') as output:
            subprocess.run(
                ['java', '-cp', path, f'-Dlethe.address=ws://127.0.0.1:{port}/mirror',
                 'org.junit.platform.console.ConsoleLauncher', '--scan-classpath', classes,
                 '--include-classname', '.*TestABCase.*', '--reports-dir', reports,
                 '--disable-banner'], stdout=output, stderr=output, check=False)
        server.stdin.close()
        if server.wait() != 0:
            sys.exit(f'the server did not survive the suite: {server.returncode}')
    report = os.path.join(reports, 'TEST-junit-jupiter.xml')
    if not os.path.exists(report):
        sys.exit('no case was run; see ' + os.path.join(folder, 'output'))
    ended = {}
    for case in xml.etree.ElementTree.parse(report).iter('testcase'):
        owner = case.get('classname').rpartition('.')[2]
        name = re.match('[A-Za-z0-9_]+', case.get('name'))[0]
        texts = ' '.join(out.text or '' for out in case.iter('system-out'))
        shown = re.search(r'display-name: (.*)', texts)[1].strip()
        if shown.startswith('['):
            name += ' ' + re.sub(r'^\[\d+\] ', '', shown)
        bad = [e for e in case if e.tag in ('failure', 'error', 'skipped')]
        ended[owner, name] = ' '.join((bad[0].get('message') or bad[0].text or bad[0].tag).split()) \
            if bad else ''
    return ended


def left_open():
    """What the list says is left open by the RFC: the case to what its failure must say."""
    with open(os.path.join(HERE, 'left_open.txt'), encoding='utf-8') as file:
        lines = [line for line in file if line.strip() and not line.startswith('#')]
    return {tuple(line[:72].strip().split(' ', 1)): line[72:].strip() for line in lines}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    echo, folder = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    os.makedirs(folder, exist_ok=True)
    source = fetch(folder)
    print('cases of', os.path.basename(glob.glob(os.path.join(folder, 'jetty9_*.dsc'))[0])[:-4])
    ended = run(echo, *compile_cases(source, folder), folder)
    expected = left_open()
    count = dict.fromkeys(('passed', 'left open', 'FAILED'), 0)
    for (owner, name), failure in sorted(ended.items()):
        listed = expected.pop((owner, name), None)
        if listed is None:
            verdict = 'FAILED' if failure else 'passed'
        else:
            verdict = 'left open' if listed in failure else 'FAILED'
            failure = failure or 'is in left_open.txt, and passes'
        count[verdict] += 1
        print(f'{owner:28} {name:60} {verdict:9} {failure}'.rstrip())
    for owner, name in expected:
        print(f'in left_open.txt, and no case: {owner} {name}')
    print(f"{count['passed']} cases passed, {count['left open']} are left open by the RFC, "
          f"{count['FAILED']} failed")
    if len(ended) < FEWEST:
        print('too few cases were run; see', os.path.join(folder, 'output'))
    sys.exit(bool(count['FAILED'] or expected or len(ended) < FEWEST))


if __name__ == '__main__':
    main()
