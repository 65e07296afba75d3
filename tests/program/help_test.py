#!/usr/bin/env python3
"""`lethe help` teaches what is true.

Method: the topics are files of the source tree; each is printed, and what it names is asked for: every
command line and option of the program, every option of the configuration, every path of the own
interface, every document.
"""

import glob
import json
import os
import re

from command_lines import OPTION, options_of, subcommands, wrong_commands
from support import ProgramTest, main, run

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
TOPICS = {os.path.basename(path)[:-4]: path
          for path in glob.glob(os.path.join(SOURCE, 'src', 'app', 'topics', '*.txt'))}


def text_of(topic):
    with open(TOPICS[topic], encoding='utf-8') as file:
        return file.read()


class HelpTest(ProgramTest):

    def test_every_topic_is_printed_as_it_stands_in_its_file(self):
        for topic in TOPICS:
            self.assertEqual(self.assert_good(run('help', topic)), text_of(topic))

    def test_the_overview_has_every_topic_and_every_command(self):
        overview = self.assert_good(run('help'))
        for topic in TOPICS:
            self.assertIn(f'\n  {topic} ', overview)
            self.assertIn(f' {text_of(topic).splitlines()[0]}\n', overview)
        for command in subcommands(()):
            self.assertIn(f'\n  {command} ', overview)
        # A name that is both could not be asked for.
        self.assertEqual(subcommands(()) & set(TOPICS), set())

    def test_help_of_a_command_is_its_own(self):
        for command in (['transcribe'], ['apps'], ['apps', 'create'], ['help']):
            self.assertEqual(self.assert_good(run('help', *command)),
                             self.assert_good(run(*command, '--help')))

    def test_a_topic_fits_a_terminal_and_a_mind(self):
        for topic in TOPICS:
            lines = text_of(topic).splitlines()
            with self.subTest(topic):
                self.assertTrue(25 <= len(lines) <= 60, len(lines))
                self.assertEqual([line for line in lines if len(line) > 80 or line != line.rstrip()],
                                 [])
                self.assertTrue(text_of(topic).isascii())

    def test_command_lines_and_options_of_topics_exist(self):
        for topic in TOPICS:
            wrong, commands = wrong_commands(text_of(topic), TOPICS)
            self.assertEqual(wrong, [], topic)
            # One that stands alone is of a command that the topic names, or of these.
            known = set().union(*(options_of(command)
                                  for command in commands | {('serve',), ('transcribe',)}))
            for option in OPTION.findall(text_of(topic)):
                self.assertIn(option, known, topic)

    def test_options_of_the_configuration_exist(self):
        configured = set(re.findall(r'^([a-z][a-z0-9_.]*) = ',
                                    self.assert_good(run('serve', '--show-config')), re.MULTILINE))
        sections = '|'.join(sorted({name.split('.')[0] for name in configured if '.' in name}))
        found = set()
        for topic in TOPICS:
            for name in re.findall(rf'(?<![\w/.-])(?:{sections})\.[a-z_]+(?!\w*[./])', text_of(topic)):
                if name.split('.')[1] in ('db', 'toml', 'json', 'txt'):
                    continue
                found.add(name)
                self.assertIn(name, configured, topic)
        self.assertGreater(len(found), 8)

    def test_paths_of_the_own_interface_and_documents_exist(self):
        with open(os.path.join(SOURCE, 'src', 'server', 'openapi.json'), encoding='utf-8') as file:
            paths = set(json.load(file)['paths'])
        for topic in TOPICS:
            for path in re.findall(r'/lethe/v1/[a-z]+', text_of(topic)):
                self.assertIn(path, paths, topic)
            named = re.findall(r'\b(?:docs/\w[\w-]*|README)\.md', text_of(topic))
            self.assertNotEqual(named, [], topic)
            for name in named:
                self.assertTrue(os.path.exists(os.path.join(SOURCE, name)), f'{topic}: {name}')

    def test_what_is_neither_is_a_wrong_command_line_with_what_is_near(self):
        for arguments, mention in ((['troubel'], 'did you mean trouble?'),
                                   (['backup'], 'topics that speak of it: '),
                                   (['apps', 'craete'], 'did you mean create?'),
                                   (['start', 'xyzzy'], 'xyzzy'), (['xyzzy'], 'xyzzy'), ([''], '')):
            result = run('help', *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ''))
            first, hint = result.stderr.splitlines()
            self.assertIn(mention, first)
            self.assertTrue(first.startswith('lethe: there is no such command or topic: '))
            self.assertRegex(hint, r'^try: lethe (help|apps --help)$')


class DocumentsTest(ProgramTest):

    def test_command_lines_of_the_documents_exist(self):
        pages = glob.glob(os.path.join(SOURCE, '*.md')) + glob.glob(
            os.path.join(SOURCE, 'docs', '*.md'))
        found = set()
        for page in pages:
            with open(page, encoding='utf-8') as file:
                text = file.read()
            code = re.findall(r'^```\w*\n(.*?)^```|((?:^ {4,}\S.*\n)+)|`([^`]*)`', text,
                              re.MULTILINE | re.DOTALL)
            for block in code:
                wrong, commands = wrong_commands(' '.join(''.join(block).split()) if block[2]
                                                 else ''.join(block), TOPICS)
                self.assertEqual(wrong, [], page)
                found |= commands
        self.assertGreater(len(found), 20)


class CommandLinesTest(ProgramTest):
    """That the test above sees what is wrong."""

    def test_what_is_not_there_is_found(self):
        for text in ('  lethe transcrbe a.wav', 'see `lethe apps make`', '  lethe serve --lisen x',
                     '  lethe help nothing', '  sudo lethe-admin keys craete --app x',
                     '  lethe transcribe \\\n     --fromat srt a.wav', 'a | lethe nothing'):
            self.assertEqual(len(wrong_commands(text, TOPICS)[0]), 1, text)

    def test_what_is_there_is_not(self):
        for text in ('  lethe transcribe --format srt a.wav', 'see `lethe apps`: it', 'lethe help start.',
                     '  lethe doctor && lethe transcribe a.mp3   # --nothing', 'build/lethe --help',
                     'Lethe does that', '/var/lib/lethe folder', 'lethe apps quota "ward 3" --rate 5'):
            self.assertEqual(wrong_commands(text, TOPICS)[0], [], text)


if __name__ == '__main__':
    main()
