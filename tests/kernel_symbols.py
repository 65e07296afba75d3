#!/usr/bin/env python3
"""No object that is compiled for one instruction set has a function that the linker may keep for all:
of weak symbols of one name it takes any one, and an older CPU would stop on that of a newer.

usage: kernel_symbols.py OBJECT...
       kernel_symbols.py --self-test
"""

import os
import re
import subprocess
import sys
import tempfile

# Compiled for what every CPU has.
BASELINE = re.compile(r'/(dispatch)\.cc\.o$')
# What a compiler adds that is no function: where it finds how to unwind.
HARMLESS = re.compile(r'DW\.ref\.')


def shared_functions(path):
    """The weak symbols that an object defines."""
    listing = subprocess.run(['nm', '--defined-only', '--demangle', path], check=True,
                             capture_output=True, text=True).stdout
    for line in listing.splitlines():
        _, kind, name = line.split(' ', 2)
        if kind in 'WV' and not HARMLESS.match(name):
            yield name


def faults(paths):
    looked_at = [path for path in paths if not BASELINE.search(path)]
    if not looked_at:
        yield 'no objects to look at'
    for path in looked_at:
        for name in shared_functions(path):
            yield f'{path}: {name} is shared with other instruction sets; make it static'


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        def compile_one(name, text):
            path = os.path.join(folder, name + '.cc.o')
            subprocess.run(['c++', '-O0', '-x', 'c++', '-c', '-', '-o', path], input=text, check=True,
                           text=True)
            return path
        own = 'static inline int Own(int x) { return x + 1; }\nint Use(int x) { return Own(x); }\n'
        fine, shared = compile_one('fine', own), compile_one('shared', own.replace('static ', ''))
        assert not list(faults([fine])), list(faults([fine]))
        found = list(faults([fine, shared]))
        assert len(found) == 1 and 'Own(int) is shared' in found[0], found
        assert list(faults([os.path.join(folder, 'dispatch.cc.o')])) == ['no objects to look at']
    print('ok')


if __name__ == '__main__':
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == '--self-test':
        self_test()
    else:
        found = list(faults(sys.argv[1:]))
        print('\n'.join(found) or 'ok')
        sys.exit(1 if found else 0)
