"""Finds the command lines of `lethe` in a text, and asks the program whether they are there: what
keeps `lethe help` and the documents true."""

import functools
import re

from support import run

# What ends a command line: a pipe, another command, a comment, a closing backquote.
END = re.compile(r'\s#|[|;`]|&&|\s>|$')
CALL = re.compile(r"""(?<![\w./'"-])(?:build/|/usr/bin/)?lethe(?:-admin)? (?=[a-z]|--)""")
OPTION = re.compile(r'(?<![\w-])--[a-z][a-z0-9.-]*')


@functools.lru_cache(maxsize=None)
def help_of(command):
    """The help of a command, given as the words behind `lethe`; empty if there is no such command."""
    result = run(*command, '--help')
    return result.stdout if result.returncode == 0 else ''


@functools.lru_cache(maxsize=None)
def subcommands(command):
    listed = help_of(command).partition('Subcommands:\n')[2]
    return set(re.findall(r'^  ([a-z-]+) {2,}', listed, re.MULTILINE))


def options_of(command):
    return set(re.findall(r'(?<![\w-])--[a-z][a-z0-9.-]*', help_of(command)))


def unfold(text):
    """Continued lines as one."""
    return re.sub(r'\\\n\s*', ' ', text)


def wrong_commands(text, topics):
    """Why command lines of the text are none, a line each; and which commands it has."""
    wrong, commands = [], set()
    for line in unfold(text).splitlines():
        for call in CALL.finditer(line):
            rest = line[call.end():]
            rest = rest[:END.search(rest).start()]
            words = rest.split()
            command = ()
            while len(command) < len(words) and words[len(command)] in subcommands(command):
                command += (words[len(command)],)
            commands.add(command)
            if not command and words[0] not in options_of(()):
                wrong.append(f'no such command: lethe {rest}')
            elif subcommands(command) and words[len(command):] and not words[len(command)].startswith('-'):
                if re.fullmatch(r'[a-z-]+', words[len(command)]):
                    wrong.append(f'no such command: lethe {rest}')
            if command == ('help',) and len(words) > 1:
                name = words[1].rstrip('.,:;)')
                if name not in topics and name not in subcommands(()):
                    wrong.append(f'no such topic: lethe {rest}')
            wrong += [f'no such option: lethe {rest}' for option in OPTION.findall(rest)
                      if option not in options_of(command)]
    return wrong, commands
