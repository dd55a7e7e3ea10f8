#!/usr/bin/python3
"""Formatting of every C++ file (clang-format 14), and lock discipline (clang's -Wthread-safety) of
every file that mentions locks. Only those are parsed: clang takes seconds for each. src/duck is
left out, since DuckDB's headers would take most of the time."""

import concurrent.futures
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..'))
SOURCES = ('src', 'testing', 'tests', 'bench', 'include', 'examples')
LOCKS = re.compile(r'\b(MutexLock|ReaderLock|WriterLock|CondVar'
                   r'|OMEN_(GUARDED_BY|REQUIRES|EXCLUDES))\b')
CLANG = ['clang++-14', '-std=c++20', '-fsyntax-only', '-Wno-everything', '-Wthread-safety',
         '-Werror', '-I.', '-Isrc', '-Iinclude']


def cpp_files():
    for top in SOURCES:
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if name.endswith(('.h', '.cc')):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def mentions_locks(path):
    """True if the file or the header of the same name does."""
    for name in (path, path[:-len('.cc')] + '.h'):
        full = os.path.join(ROOT, name)
        if os.path.exists(full):
            with open(full, encoding='utf-8') as file:
                if LOCKS.search(file.read()):
                    return True
    return False


def run(command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def main():
    files = list(cpp_files())
    batches = [files[i:i + 50] for i in range(0, len(files), 50)]
    commands = [['clang-format-14', '--dry-run', '-Werror', *batch] for batch in batches]
    locked = [f for f in files if f.endswith('.cc') and f.split('/')[0] in ('src', 'testing')
              and not f.startswith('src/duck/') and mentions_locks(f)]
    commands += [[*CLANG, f] for f in locked]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        failed = [output for code, output in pool.map(run, commands) if code != 0]
    print('\n'.join(failed) + '\nlint: see above (make format mends formatting)' if failed else
          f'lint: {len(files)} files formatted, {len(locked)} files hold their locks')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
