#!/usr/bin/env python3
"""Compares the layers as drawn, as declared and as included.

Goal: the picture in ARCHITECTURE.md stays true. Method: the rows of the picture and the
lethe_module() declarations are read, and every #include "..." under src/, tests/ and fuzz/ is held
against them:

  * a module includes only modules that it declares, and all of those stand in a lower row: none
    above, none beside it, none across the line between the columns;
  * of another module it sees the face, the headers declared FACE, and nothing else;
  * an internal/ folder is seen by the files of the folder it lies in;
  * tests beside the sources may see tests/, and modules that lethe_test(... LIBS ...) names;
  * what is compiled for one instruction set (src/kernels/<isa>/) sees kernels/, <cstdint>,
    <cstddef> and intrinsics, headers that it reaches included: an inline std:: function compiled
    there could be the copy that the linker keeps for every CPU;
  * locks are those of base/mutex.h, whose use clang checks (-Wthread-safety).

usage: layering.py [ROOT]     check a source tree
       layering.py --self-test  check the checker: every rule is broken once and has to be noticed
"""

import os
import re
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
LIBRARY_LOCK = re.compile(
    r'std::(?:\w*mutex|condition_variable\w*|(?:unique|shared|scoped)_lock|lock_guard)\b')
LOCKS = 'src/base/mutex.h'
INSTRUCTION_SET_MAY_INCLUDE = {'cstdint', 'cstddef', 'immintrin.h', 'arm_neon.h'}
BOTH, LEFT, RIGHT = 'both', 'left', 'right'


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


class Module:
    def __init__(self, name, face, deps):
        self.name, self.face, self.deps = name, face, deps
        self.test_deps = set()


def arguments(text):
    """Splits a CMake call into its first argument and its FACE, DEPS and LIBS."""
    words = re.sub(r'#[^\n]*', '', text).split()
    lists, current = {'FACE': [], 'DEPS': [], 'LIBS': []}, None
    for word in words[1:]:
        if word in lists:
            current = lists[word]
        elif current is not None:
            current.append(word)
    return words[0], lists


def read_modules(root):
    modules = {}
    for folder in sorted(os.listdir(os.path.join(root, 'src'))):
        path = os.path.join(root, 'src', folder, 'CMakeLists.txt')
        if not os.path.exists(path):
            continue
        text = read(path)
        for call in re.findall(r'^lethe_module\(([^)]*)\)', text, re.MULTILINE):
            name, lists = arguments(call)
            modules[name] = Module(name, set(lists['FACE']), set(lists['DEPS']))
        for call in re.findall(r'^lethe_test\(([^)]*)\)', text, re.MULTILINE):
            name, lists = arguments(call)
            libs = {lib[len('lethe_'):] for lib in lists['LIBS'] if lib.startswith('lethe_')}
            if name in modules:
                modules[name].test_deps |= libs
    return modules


def read_picture(root):
    """Returns {module: (row, column)}, row 0 on top. Words in parentheses are prose."""
    places, row = {}, 0
    for block in re.findall(r'^```\n(.*?)^```', read(os.path.join(root, 'ARCHITECTURE.md')),
                            re.MULTILINE | re.DOTALL):
        if not re.match(r'\s*\+-', block):
            continue
        for line in block.splitlines():
            line = line.strip()
            if not line.startswith('|'):
                continue
            cells = [re.sub(r'\([^)]*\)', '', cell) for cell in line.strip('|').split('|')]
            columns = [BOTH] if len(cells) == 1 else [LEFT, RIGHT]
            for cell, column in zip(cells, columns):
                for name in cell.split():
                    places[name] = (row, column)
            row += 1
        break
    return places


def below(places, upper, lower):
    """Says whether module `upper` may use module `lower`, going by the picture."""
    (upper_row, upper_column), (lower_row, lower_column) = places[upper], places[lower]
    if lower_row <= upper_row:
        return False
    return BOTH in (upper_column, lower_column) or upper_column == lower_column


def source_files(root):
    for top in ('src', 'tests', 'fuzz'):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith(('.h', '.cc')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check_declarations(root, modules, places):
    for name in sorted(set(modules) | set(places)):
        if name not in places:
            yield f'ARCHITECTURE.md: the picture has no module {name}'
        elif name not in modules:
            yield f'ARCHITECTURE.md: the picture shows {name}, which no lethe_module() declares'
    for module in modules.values():
        where = f'src/{module.name}/CMakeLists.txt'
        for header in sorted(module.face):
            if not os.path.exists(os.path.join(root, 'src', module.name, header)):
                yield f'{where}: the face names {header}, which is not there'
        for dep in sorted(module.deps):
            if dep not in modules:
                yield f'{where}: depends on {dep}, which is no module'
            elif module.name in places and dep in places and not below(places, module.name, dep):
                yield f'{where}: depends on {dep}, which does not stand below {module.name}'


def check_include(path, header, modules):
    """One quoted include of one file; path and header with forward slashes, header from src/."""
    parts = path.split('/')
    target, _, inner = header.partition('/')
    own = parts[1] if parts[0] == 'src' else None
    is_test = path.endswith(('_test.cc', '_fuzz.cc'))
    if target not in modules:
        if own and not (is_test and target == 'tests'):
            yield f'{path}: "{header}" is not named from src/ on'
        return
    if target == own:
        if '/internal/' in '/' + header:
            holder = 'src/' + header[:('/' + header).index('/internal/')]
            if not path.startswith(holder.rstrip('/') + '/'):
                yield f'{path}: "{header}" is the inside of {holder}'
        return
    if own in modules:
        allowed = set(modules[own].deps)
        if is_test:
            allowed |= modules[own].test_deps
        if target not in allowed:
            yield f'{path}: "{header}": {own} does not declare {target}'
    if inner not in modules[target].face:
        yield f'{path}: "{header}" does not belong to the face of {target}'


def reached(root, path):
    """The files under src/ that `path` includes, itself included, as far as they can be opened."""
    seen, todo = set(), [path]
    while todo:
        current = todo.pop()
        if current in seen or not os.path.exists(os.path.join(root, current)):
            continue
        seen.add(current)
        for quoted, _ in INCLUDE.findall(read(os.path.join(root, current))):
            if quoted:
                todo.append('src/' + quoted)
    return seen


def check_instruction_set(root, path):
    for file in sorted(reached(root, path)):
        for quoted, system in INCLUDE.findall(read(os.path.join(root, file))):
            name = quoted or system
            if not (quoted.startswith('kernels/') or system in INSTRUCTION_SET_MAY_INCLUDE):
                yield f'{path}: reaches {name} (in {file}), and is compiled for one instruction set'


def check_locks(root, path):
    for lock in sorted(set(LIBRARY_LOCK.findall(read(os.path.join(root, path))))):
        yield f'{path}: {lock} is used where nothing checks how; base/mutex.h has what clang checks'


def check(root):
    """Returns what is wrong with the tree, a line each."""
    modules, places = read_modules(root), read_picture(root)
    found = list(check_declarations(root, modules, places))
    for path in source_files(root):
        path = path.replace(os.sep, '/')
        for quoted, _ in INCLUDE.findall(read(os.path.join(root, path))):
            if quoted:
                found += check_include(path, quoted, modules)
        if path != LOCKS:
            found += check_locks(root, path)
        if re.match(r'src/kernels/(?!internal/)[^/]+/', path):
            found += check_instruction_set(root, path)
    return found


# A tree in which all is well, and one change each that has to be noticed.
GOOD = {
    'ARCHITECTURE.md': '''# Picture
```
+---------+---------+
| app (and prose)   |
+---------+---------+
| engine  | store   |
| model audio |     |
| kernels |         |
+---------+---------+
| base              |
+-------------------+
```
''',
    'src/base/CMakeLists.txt': 'lethe_module(base FACE status.h mutex.h)\n',
    'src/base/status.h': '#include <string>\n',
    'src/base/mutex.h': '#include <mutex>\ninline std::mutex mutex;\n',
    'src/kernels/CMakeLists.txt': 'lethe_module(kernels FACE kernels.h DEPS base)\n',
    'src/kernels/kernels.h': '#include <cstdint>\n',
    'src/kernels/internal/steps.h': '#include "kernels/kernels.h"\n',
    'src/kernels/avx2/gemm.cc': '#include <immintrin.h>\n#include "kernels/internal/steps.h"\n',
    'src/model/CMakeLists.txt': 'lethe_module(model FACE model.h  # why\n  DEPS base kernels)\n',
    'src/model/model.h': '#include "kernels/kernels.h"\n',
    'src/model/other.h': '',
    'src/model/moonshine/internal/state.h': '',
    'src/model/moonshine/state.cc': '#include "model/moonshine/internal/state.h"\n',
    'src/audio/CMakeLists.txt': 'lethe_module(audio FACE wav.h DEPS base)\n',
    'src/audio/wav.h': '',
    'src/engine/CMakeLists.txt': 'lethe_module(engine FACE engine.h DEPS base model)\n'
                                 'lethe_test(engine LIBS lethe_audio)\n',
    'src/engine/engine.h': '#include "model/model.h"\n',
    'src/engine/engine_test.cc': '#include "audio/wav.h"\n#include "tests/golden/signal.h"\n',
    'src/store/CMakeLists.txt': 'lethe_module(store FACE store.h DEPS base)\n',
    'src/store/store.h': '#include "base/status.h"\n',
    'src/app/CMakeLists.txt': 'lethe_module(app DEPS engine store)\n',
    'src/app/main.cc': '#include "engine/engine.h"\n#include "store/store.h"\n',
    'tests/golden_test.cc': '#include "model/model.h"\n#include "golden/signal.h"\n',
}
BAD = [
    ('an undeclared module', 'does not declare kernels',
     {'src/engine/engine.cc': '#include "kernels/kernels.h"\n'}),
    ('a module above', 'does not declare engine',
     {'src/model/up.cc': '#include "engine/engine.h"\n'}),
    ('a declaration that points up', 'does not stand below model',
     {'src/model/CMakeLists.txt': 'lethe_module(model FACE model.h DEPS base kernels engine)\n'}),
    ('a declaration within a row', 'does not stand below model',
     {'src/model/CMakeLists.txt': 'lethe_module(model FACE model.h DEPS base kernels audio)\n'}),
    ('a declaration across the columns', 'does not stand below engine',
     {'src/engine/CMakeLists.txt': 'lethe_module(engine FACE engine.h DEPS base model store)\n'}),
    ('a header that is no face', 'does not belong to the face of model',
     {'src/engine/engine.cc': '#include "model/other.h"\n'}),
    ('an inside', 'does not belong to the face of model',
     {'tests/inside_test.cc': '#include "model/moonshine/internal/state.h"\n'}),
    ('an inside from a sibling folder', 'is the inside of src/model/moonshine',
     {'src/model/tokenizer.cc': '#include "model/moonshine/internal/state.h"\n'}),
    ('a library header in a kernel', 'reaches vector',
     {'src/kernels/avx2/gemm.cc': '#include <vector>\n'}),
    ('a library header behind a kernel', 'reaches algorithm',
     {'src/kernels/internal/steps.h': '#include <algorithm>\n'}),
    ('another module in a kernel', 'reaches base/status.h',
     {'src/kernels/avx2/gemm.cc': '#include "base/status.h"\n'}),
    ('a path that does not start at src/', 'is not named from src/ on',
     {'src/engine/engine.cc': '#include "engine.h"\n'}),
    ('a face that is not there', 'which is not there',
     {'src/audio/CMakeLists.txt': 'lethe_module(audio FACE wav.h mp3.h DEPS base)\n'}),
    ('a module that is not drawn', 'the picture has no module text',
     {'src/text/CMakeLists.txt': 'lethe_module(text DEPS base)\n'}),
    ('a drawn module that is not there', 'which no lethe_module() declares',
     {'ARCHITECTURE.md': GOOD['ARCHITECTURE.md'].replace('model audio', 'model audio text')}),
    ('a lock of the library', 'std::mutex is used where nothing checks how',
     {'src/store/store.cc': 'static std::mutex mutex;\n'}),
    ('no picture', 'the picture has no module', {'ARCHITECTURE.md': '# Nothing\n'}),
]


def check_written(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                file.write(text)
        return check(root)


def self_test():
    failures = [f'a good tree is refused: {line}' for line in check_written(GOOD)]
    for what, expected, changes in BAD:
        found = check_written({**GOOD, **changes})
        if not any(expected in line for line in found):
            failures.append(f'{what} went unnoticed; found: {found}')
    return failures


def main():
    if sys.argv[1:] == ['--self-test']:
        problems, summary = self_test(), f'{len(BAD)} broken rules, each noticed'
    else:
        root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), '..')
        problems, summary = check(root), 'picture, declarations and includes agree'
    print('\n'.join(problems) if problems else f'layering: {summary}')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
