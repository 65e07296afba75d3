#!/usr/bin/env python3
"""What the Debian package says about the program is true; the package itself is tried by `make deb-test`."""

import os
import re

from support import ProgramTest, main, run

DEBIAN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'debian')


def read(name):
    with open(os.path.join(DEBIAN, name), encoding='utf-8') as file:
        return file.read()


class PackageTest(ProgramTest):

    def test_the_changelog_is_of_this_version(self):
        version = self.assert_good(run('version')).split()[1]
        self.assertEqual(re.match(r'lethe \((.*)\) ', read('changelog'))[1], version)

    def test_the_manual_page_names_every_command(self):
        listed = re.findall(r'^  ([a-z-]+) {3,}', self.assert_good(run('--help')).split('Subcommands:')[1],
                            re.MULTILINE)
        section = read('lethe.1').split('.SH COMMANDS')[1].split('.SH')[0]
        self.assertEqual(re.findall(r'\.B (\w+)\n', section), listed)

    def test_the_unit_waits_for_the_grace_of_the_configuration(self):
        shown = self.assert_good(run('serve', '--show-config', '--first-keys', 'false'))
        self.assertIn('\nfirst_keys = false\n', shown)
        grace = int(re.search(r'(?m)^stop.grace_seconds = (\d+)$', shown)[1])
        # And 20 s more, in which the service ends itself.
        self.assertGreater(int(re.search(r'(?m)^TimeoutStopSec=(\d+)$', read('lethe.service'))[1]), grace + 20)


if __name__ == '__main__':
    main()
