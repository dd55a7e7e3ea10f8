#!/usr/bin/python3
"""Checks what compilers do not: layers, banned names, comments that point nowhere, and marks of
unfinished work. Prints one line for each finding, with what to do instead; exits 1 if there is any.

The layers are those of CMakeLists.txt: a folder of src/ may include itself and whatever its DEPS
reach. Adding a rule here needs a case in tidy_test.py that shows it failing.
"""

import os
import re
import sys

SKIPPED_FOLDERS = {'.git', 'build', 'data', 'node_modules', '__pycache__'}
CPP = ('.h', '.cc')
WIDTH_CHECKED = CPP + ('.py', '.sh', '.cmake', '.js', '.go', '.java', '.c')
LINE_WIDTH = 100

# (name, pattern, what to do instead, paths that may).
# Patterns see code without comments and strings.
BANNED = [
    ('std mutexes', r'\bstd::(mutex|shared_mutex|recursive_mutex|condition_variable\w*|lock_guard'
     r'|unique_lock|shared_lock|scoped_lock)\b',
     'use Mutex, MutexLock and CondVar of base/mutex.h, which clang can check',
     r'^src/base/mutex\.h$|^bench/|^include/'),
    ('raw file calls',
     r'(?<![\w.>:])(::)?(open|openat|creat|fsync|fdatasync|pwrite|pwritev|pread)\s*\(',
     'go through env::Env, so that tests can replace the disk',
     r'^src/env/|^testing/|_test\.cc$|^bench/|^tests/'),
    ('std::ofstream', r'\bstd::o?fstream\b',
     'go through env::Env, so that tests can replace the disk',
     r'^src/env/|^testing/|_test\.cc$|^bench/|^tests/'),
    ('throw', r'\bthrow\b', 'return a Status (base/status.h)', r'^src/duck/|^bench/'),
    ('using namespace', r'\busing\s+namespace\s+(?!std::(chrono_)?literals|std::literals)',
     'name what you use', r'^$'),
    ('literal namespaces', r'\busing\s+namespace\s+std::', 'only tests may; spell the type out',
     r'_test\.cc$|^bench/|^testing/|^tests/'),
    ('std::random_device', r'\bstd::random_device\b|\bs?rand\s*\(',
     'take a seeded generator, or RAND_bytes for secrets',
     r'^bench/|^src/engine/database_lifecycle\.cc$'),  # the identity of a new data folder
    ('the wall clock', r'\bsystem_clock::now\b'
     r'|(?<![\w.>:])(::)?(gettimeofday|time)\s*\(\s*(NULL|nullptr|0|&)',
     'ask env::Clock, so that tests can set the time', r'^src/env/|^bench/|^tests/|_bench\.cc$'
     r'|^src/duck/functions/session_functions\.cc$'),  # clock_timestamp() is the wall clock
    ('sleeping in a test', r'\bsleep_(for|until)\b|(?<![\w.>:])u?sleep\s*\(',
     'wait for the event itself', r'^src/(?!.*_test\.cc$)|^bench/|^testing/(?!.*_test\.cc$)'),
    ('C++20 parts that clang 14 or g++ 12 lack',
     r'\bstd::(views|format|expected|source_location)\b',
     'fmt::format, Result<T>, plain loops', r'^$'),
]

UNFINISHED = re.compile(r'\b(FIX' r'ME|TO' r'DO|XX' r'X|HA' r'CK)\b|DO NOT ' r'MERGE')
# Pieces are joined here so that this file does not contain what it looks for.
MACHINE = re.compile('|'.join(['/wor' + r'k/\w', '/far' + 'm/', '/ro' + r'ot/\w', '/ho' + r'me/\w',
                               r'registry\.n' + 'pmjs', r'deb\.deb' + 'ian',
                               '"resol' + 'ved"']))
# Paths of PostgreSQL's own tree are cited too, and are not ours.
POSTGRES = r'(?!src/(?:backend|include|common|port|interfaces|bin|test|pl|timezone)\b)'
REPO_PATH = re.compile(r'(?<![\w./*-])' + POSTGRES +
                       r'((?:src|docs|tests|testing|tools|bench|third_party|cmake|include/omendb)'
                       r'/[\w./*<>-]*\w/?)')


def read(root, path):
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def all_files(root):
    found = []
    for folder, names, files in os.walk(root):
        names[:] = [n for n in names if n not in SKIPPED_FOLDERS]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files]
    return sorted(found)


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                   r"|(?<![\w])'(?:\\.|[^'\\\n])+'", re.S)


def split_code(text):
    """Returns (code without comments and strings, comments only), line numbers kept in both."""
    code, comments, at = [], [], 0
    for match in TOKEN.finditer(text):
        between, token = text[at:match.start()], match.group(0)
        blank = re.sub(r'[^\n]', ' ', token)
        is_comment = token.startswith(('//', '/*'))
        code += [between, blank if is_comment else '""' + re.sub(r'[^\n]', '', token)]
        comments += [re.sub(r'[^\n]', ' ', between), token if is_comment else blank]
        at = match.end()
    code.append(text[at:])
    return ''.join(code), ''.join(comments)


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def layers(root, report):
    """{folder: the folders it may include}, from omendb_library(...) in CMakeLists.txt."""
    reach = {}
    for match in re.finditer(r'omendb_library\((\w+)([^)]*)\)', read(root, 'CMakeLists.txt')):
        name, rest = match.groups()
        found = re.search(r'\bDEPS\s+([\w\s]*?)\s*(?:LIBS\b|$)', rest)
        direct = found.group(1).split() if found else []
        reach[name] = {name}
        for dep in direct:
            if dep not in reach:
                report('CMakeLists.txt', 1, f'{name} depends on {dep}, which stands below it: '
                       'declare an interface in the lower folder, implement it above')
            reach[name] |= reach.get(dep, set())
    return reach


def check_includes(root, path, text, reach, included, report):
    parts = path.split('/')
    is_test = re.search(r'_((test|bench|fuzz)\.cc|fixture\.h)$', path) is not None
    for number, line in enumerate(text.split('\n'), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not match:
            continue
        target = match.group(2)
        included.add(target)
        included.add(os.path.join(os.path.dirname(path), target))
        first = target.split('/')[0]
        if re.match(r'duckdb(\.hpp|\.h|/)', target) and parts[:2] != ['src', 'duck'] \
                and parts[0] != 'bench':
            report(path, number, 'DuckDB headers belong in src/duck: give it an interface')
        # base/status.h is installed beside them: one error type inside and outside.
        if parts[0] == 'include' and match.group(1) == '"' and first != 'omendb' \
                and target != 'base/status.h':
            report(path, number, 'public headers include the standard library and each other only')
        if parts[0] != 'src' or len(parts) < 3:
            continue
        if first == 'testing' and not is_test:
            report(path, number, 'only tests may include testing/')
        if first in reach and first not in reach.get(parts[1], set()):
            report(path, number, f'{parts[1]} may not include {first} (DEPS in CMakeLists.txt): '
                   'declare an interface here, implement it there')


def path_exists(root, path):
    if '*' in path or '<' in path:
        return True
    path = path.rstrip('/.')
    return any(os.path.exists(os.path.join(root, base, path)) for base in ('', 'src'))


def check_named_paths(root, path, text, folders, report):
    """Paths named in comments and Markdown exist."""
    inside = '|'.join(sorted(folders)) or 'base'
    source = re.compile(r'(?<![\w./*-])((?:' + inside + r')/[\w/]+\.(?:h|cc|md))\b')
    for pattern in (REPO_PATH, source):
        for match in pattern.finditer(text):
            if not path_exists(root, match.group(1)):
                report(path, line_of(text, match.start()), f'{match.group(1)} does not exist')


def check_markdown(root, path, text, report):
    prose = re.sub(r'^```.*?^```', lambda m: re.sub(r'[^\n]', '', m.group(0)), text,
                   flags=re.S | re.M)
    titles = re.findall(r'^# .*$', prose, re.M)
    if len(titles) != 1:
        report(path, 1, f'{len(titles)} lines begin with "# ": a page has one title')
    for match in re.finditer(r'\]\(([^)#\s]+)(#[^)]*)?\)', prose):
        link = match.group(1)
        target = os.path.join(root, os.path.dirname(path), link)
        if '://' not in link and not os.path.exists(target):
            report(path, line_of(prose, match.start()), f'the link to {link} leads nowhere')


def check_cpp(root, path, text, reach, included, report):
    code, comments = split_code(text)
    check_includes(root, path, text, reach, included, report)
    for name, pattern, instead, allowed in BANNED:
        if re.search(allowed, path):
            continue
        for match in re.finditer(pattern, code):
            report(path, line_of(code, match.start()), f'{name}: {instead}')
    check_named_paths(root, path, comments, reach, report)
    if path.endswith('.h'):
        if '#pragma once' not in text:
            report(path, 1, 'a header needs #pragma once')
        if not text.startswith('// '):
            report(path, 1, 'a header opens with a comment: its purpose, owners, errors')
    if '\t' in code:
        report(path, line_of(code, code.index('\t')), 'a tab: run make format')


def check_lines(path, text, report):
    limit = LINE_WIDTH if path.endswith(WIDTH_CHECKED) else None
    for number, line in enumerate(text.split('\n'), 1):
        if limit and len(line) > limit and '://' not in line:
            report(path, number, f'{len(line)} columns: the limit is {limit}')
        if UNFINISHED.search(line):
            report(path, number, 'a mark of unfinished work: do it, or file an issue')
        if MACHINE.search(line):
            report(path, number, 'a path of one machine or the host of a registry: take it out')


def check_dead_files(cpp, reach, included, report):
    for path in cpp:
        parts = path.split('/')
        if parts[0] == 'src' and path.endswith('.cc') and path != 'src/main.cc' \
                and (parts[1] not in reach or len(parts) > 4):
            report(path, 1, 'no omendb_library() of CMakeLists.txt builds this file')
        if parts[0] == 'src' and path.endswith('.h') and not path.endswith('/pch.h') \
                and path not in included and path[len('src/'):] not in included:
            report(path, 1, 'no file includes this header: remove it')


def check_folder_readmes(files, report):
    folders = {f.split('/')[1] for f in files if f.startswith('src/') and f.count('/') > 1}
    for folder in sorted(folders):
        if f'src/{folder}/README.md' not in files:
            report(f'src/{folder}', 1, 'a folder needs a README.md: what it guarantees, its '
                   'states, its lock order, its files in reading order')


def is_text(path):
    name = os.path.basename(path)
    return path.endswith(CPP + ('.md', '.py', '.sh', '.cmake', '.txt', '.json', '.js', '.go',
                                '.java', '.c', '.test', '.slt')) or '.' not in name[1:]


def run(root):
    findings = []

    def report(path, line, message):
        findings.append(f'{path}:{line}: {message}')

    files = all_files(root)
    reach = layers(root, report)
    included = set()
    cpp = [f for f in files if f.endswith(CPP) and f.split('/')[0] in
           ('src', 'testing', 'tests', 'bench', 'include', 'examples')]
    for path in cpp:
        check_cpp(root, path, read(root, path), reach, included, report)
    for path in filter(is_text, files):
        text = read(root, path)
        check_lines(path, text, report)
        if path.endswith('.md'):
            check_markdown(root, path, text, report)
            check_named_paths(root, path, text, set(), report)
    check_dead_files(cpp, reach, included, report)
    check_folder_readmes(files, report)
    return findings


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else
                           os.path.join(os.path.dirname(__file__), '..'))
    findings = run(root)
    print('\n'.join(findings) if findings else 'tidy: nothing to say')
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
