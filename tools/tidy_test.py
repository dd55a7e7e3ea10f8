#!/usr/bin/python3
"""Proves that each rule of tidy.py fails on bad input, and that good input passes."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tidy  # noqa: E402

CMAKE = 'omendb_library(base)\nomendb_library(env DEPS base)\nomendb_library(wal DEPS env)\n'
HEADER = '// file.h - an example.\n#pragma once\n'
README = {f'src/{f}/README.md': '# Folder\n' for f in ('base', 'env', 'wal', 'duck')}


class TidyTest(unittest.TestCase):

    def findings(self, files, cmake=CMAKE):
        with tempfile.TemporaryDirectory() as root:
            for path, text in {'CMakeLists.txt': cmake, **README, **files}.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, 'w', encoding='utf-8') as file:
                    file.write(text)
            return tidy.run(root)

    def assert_says(self, files, expected, cmake=CMAKE):
        found = self.findings(files, cmake)
        self.assertTrue(any(expected in line for line in found), f'{expected!r} not in {found}')

    def test_good_input_passes(self):
        self.assertEqual([], self.findings({
            'src/base/file.h': HEADER + '// See base/file.cc; "throw" in a comment is fine.\n',
            'src/base/file.cc': '#include "base/file.h"\nconst char* kText = "throw fsync(";\n',
            'src/wal/log.cc': '#include "base/file.h"\n',
        }))

    def test_upward_include(self):
        self.assert_says({'src/base/file.cc': '#include "wal/log.h"\n'}, 'base may not include wal')

    def test_sideways_include(self):
        cmake = CMAKE + 'omendb_library(duck DEPS base)\n'
        self.assert_says({'src/duck/file.cc': '#include "wal/log.h"\n'},
                         'duck may not include wal', cmake)

    def test_layer_list_with_a_cycle(self):
        self.assert_says({}, 'base depends on wal',
                         'omendb_library(base DEPS wal)\nomendb_library(wal DEPS base)\n')

    def test_testing_in_production_code(self):
        self.assert_says({'src/env/file.cc': '#include "testing/temp_dir.h"\n'}, 'only tests may')

    def test_duckdb_outside_its_folder(self):
        for header in ('duckdb.hpp', 'duckdb/main/connection.hpp'):
            self.assert_says({'src/wal/file.cc': f'#include "{header}"\n'}, 'DuckDB headers')

    def test_banned_names(self):
        for code in ('std::mutex mu;', 'std::condition_variable cv;', 'int fd = ::open("x", 0);',
                     'fsync(fd);', 'pwrite(fd, p, n, 0);', 'throw 1;', 'using namespace std;',
                     'using namespace std::literals;', 'std::random_device d;', 'int r = rand();',
                     'auto t = std::chrono::system_clock::now();', 'auto t = time(nullptr);',
                     'std::ofstream f("x");', 'auto s = std::format("x");'):
            self.assert_says({'src/wal/file.cc': code + '\n'}, 'src/wal/file.cc:1:')

    def test_names_are_allowed_where_they_belong(self):
        self.assertEqual([], self.findings({
            'src/env/file.cc': 'int F() { return ::open("x", 0) + fsync(1); }\n',
            'src/wal/log_test.cc': 'using namespace std::chrono_literals;\n',
            'src/wal/log.cc': 'auto f = disk.open(name); int n = Reopen(3);\n',
        }))

    def test_sleep_in_a_test(self):
        self.assert_says({'src/wal/log_test.cc': 'std::this_thread::sleep_for(x);\n'}, 'sleeping')

    def test_marks_of_unfinished_work(self):
        for mark in ('FIX' 'ME', 'TO' 'DO', 'DO NOT ' 'MERGE'):
            self.assert_says({'docs/page.md': f'# Title\n{mark} later\n'}, 'unfinished')

    def test_line_width(self):
        self.assert_says({'src/base/file.cc': '// ' + 'x' * 98 + '\n'}, '101 columns')
        self.assertEqual([], self.findings({'src/base/file.cc': '// ' + 'x' * 97 + '\n'}))

    def test_one_title_in_a_page(self):
        self.assert_says({'docs/page.md': 'no title\n'}, '0 lines begin')
        self.assert_says({'docs/page.md': '# One\n# Two\n'}, '2 lines begin')
        self.assertEqual([], self.findings({'docs/page.md': '# One\n```\n# shell\n```\n'}))

    def test_named_paths_exist(self):
        self.assert_says({'src/base/file.cc': '// See docs/formats/gone.md.\n'}, 'does not exist')
        self.assert_says({'src/base/file.cc': '// See base/gone.h.\n'}, 'base/gone.h does not')
        self.assert_says({'docs/page.md': '# T\nin src/gone/file.cc\n'}, 'does not exist')
        self.assert_says({'docs/page.md': '# T\n[x](gone.md)\n'}, 'leads nowhere')

    def test_paths_of_one_machine(self):
        for text in ('/wor' + 'k/main', 'https://deb.' + 'debian.org', '"resolved' + '": "x"'):
            self.assert_says({'docs/page.md': f'# T\n{text}\n'}, 'one machine')

    def test_dead_files(self):
        self.assert_says({'src/gone/file.cc': '\n'}, 'no omendb_library()')
        self.assert_says({'src/base/a/b/file.cc': '\n'}, 'no omendb_library()')
        self.assert_says({'src/base/file.h': HEADER}, 'no file includes this header')

    def test_headers(self):
        self.assert_says({'src/base/file.h': '// file.h - x.\n'}, '#pragma once')
        self.assert_says({'src/base/file.h': '#pragma once\n'}, 'opens with a comment')

    def test_folder_without_readme(self):
        self.assert_says({'src/other/file.h': HEADER}, 'needs a README.md')


if __name__ == '__main__':
    unittest.main()
