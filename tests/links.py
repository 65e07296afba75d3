#!/usr/bin/env python3
"""Every link in the repository's Markdown leads to a file and a heading that are there, every document
is in the index (docs/README.md), and every document that a source names exists.

usage: links.py ROOT
       links.py --self-test
"""

import os
import re
import subprocess
import sys
import tempfile
import urllib.parse

# Text and target of a link; pictures too.
LINK = re.compile(r'!?\[[^\]]*\]\(([^)\s]+)\)')
FENCE = re.compile(r'^( *)(```|~~~)[^\n]*\n.*?^\1\2 *$', re.MULTILINE | re.DOTALL)
DOCUMENT = re.compile(r'\bdocs/[\w-]+\.md\b')
SKIPPED = {'node_modules', 'build', '.git'}


def markdown(root):
    """The paths of all Markdown, but for what others made."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            if name.endswith('.md'):
                yield os.path.join(folder, name)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def anchors(text):
    """What headings are linked by: in small letters, without punctuation, blanks as hyphens."""
    found = set()
    for heading in re.findall(r'^#{1,6} +(.*?) *#*$', FENCE.sub('', text), re.MULTILINE):
        heading = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', heading).lower()
        anchor = re.sub(r'[^\w\- ]', '', heading).replace(' ', '-')
        number, name = 0, anchor
        while name in found:
            number += 1
            name = f'{anchor}-{number}'
        found.add(name)
    return found


def wrong_links(root):
    """Why links lead nowhere, a line each."""
    wrong = []
    for path in markdown(root):
        name = os.path.relpath(path, root)
        text = read(path)
        prose = re.sub(r'`[^`\n]*`', '', FENCE.sub('', text))
        for target in LINK.findall(prose):
            if re.match(r'[a-z]+:', target):
                continue
            file, _, anchor = urllib.parse.unquote(target).partition('#')
            led = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if not os.path.exists(led):
                wrong.append(f'{name}: no such file: {target}')
            elif anchor and (not led.endswith('.md') or anchor not in anchors(read(led))):
                wrong.append(f'{name}: no such heading: {target}')
    return wrong


def wrong_names(root):
    """Documents that something names and nobody wrote; those that the index leaves out."""
    wrong = []
    listed = subprocess.run(['git', '-C', root, 'ls-files', '-z'], capture_output=True, check=True)
    for name in listed.stdout.decode().split('\0'):
        path = os.path.join(root, name)
        if not name or not os.path.isfile(path) or name.endswith(('.png', '.json')):
            continue
        for document in sorted(set(DOCUMENT.findall(read(path)))):
            if name != 'tests/links.py' and not os.path.exists(os.path.join(root, document)):
                wrong.append(f'{name}: no such document: {document}')
    return wrong


def not_in_index(root):
    docs = os.path.join(root, 'docs')
    index = set(LINK.findall(read(os.path.join(docs, 'README.md'))))
    return [f'docs/README.md does not list {name}' for name in sorted(os.listdir(docs))
            if name.endswith('.md') and name not in index | {'README.md'}]


def self_test():
    """Each kind of mistake is noticed, and what is right is not."""
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, 'docs'))

        def write(name, text):
            with open(os.path.join(root, name), 'w', encoding='utf-8') as file:
                file.write(text)

        write('docs/a.md', '# One: `two`, [three](b.md)\n## Again\n## Again\n```\n# none\n```\n')
        for good in ('a.md', 'a.md#one-two-three', '#here', '../docs/a.md#again-1', 'https://x.example/y',
                     'mailto:x@y.example'):
            write('docs/b.md', f'# Here\n[x]({good}) `[x](code.md)`\n```\n[x](code.md)\n```\n')
            assert [line for line in wrong_links(root) if 'b.md:' in line] == [], good
        for bad in ('c.md', 'a.md#none', '#there', 'a.md#again-2', '/docs/a.md', '../b.md'):
            write('docs/b.md', f'# Here\n![x]({bad})\n')
            assert len(wrong_links(root)) == 1, bad
        write('docs/README.md', '[a](a.md)\n')
        assert not_in_index(root) == ['docs/README.md does not list b.md']
        subprocess.run(['git', 'init', '-q', root], check=True)
        write('x.cc', '// docs/a.md, docs/nothing.md\n')
        subprocess.run(['git', '-C', root, 'add', '.'], check=True)
        assert wrong_names(root) == ['x.cc: no such document: docs/nothing.md']


def main():
    if sys.argv[1:] == ['--self-test']:
        self_test()
        return 0
    root = os.path.abspath(sys.argv[1])
    wrong = wrong_links(root) + not_in_index(root)
    if os.path.exists(os.path.join(root, '.git')):
        wrong += wrong_names(root)
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
