# SPDX-License-Identifier: Apache-2.0
"""tools/demo --keep: what it leaves is there, and every command that it says to try is answered."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from stack import BUILD, ROOT


class Demo(unittest.TestCase):
    def run_shell(self, line):
        done = subprocess.run(["bash", "-c", line], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}{done.stderr}")
        return done.stdout

    def test_what_it_leaves_and_says(self):
        place = pathlib.Path(tempfile.mkdtemp(prefix="edu-demo-"))
        self.addCleanup(shutil.rmtree, place)
        with open(place / "output", "w+") as output:  # no pipe: the server goes on, and holds what it was given
            done = subprocess.run([ROOT / "tools" / "demo", "--keep"], stdin=subprocess.DEVNULL, stdout=output,
                                  stderr=subprocess.STDOUT, timeout=300,
                                  env={**os.environ, "EDU_DEMO_DIR": str(place / "demo"), "EDU_BIN_DIR": str(BUILD)})
            output.seek(0)
            said = output.read()
        self.assertEqual(done.returncode, 0, said)
        stop = re.search(r"^  (kill .*)$", said, re.MULTILINE)[1]
        self.addCleanup(self.run_shell, stop)
        for language, courses in (("en", 7), ("zh", 5)):
            listed = self.run_shell(f"{place}/demo/as anybody --output json list-courses --language {language}")
            self.assertEqual(listed.count('"courseId"'), courses, listed)
        tries = re.findall(r"^  (\S+/as .*)$", said, re.MULTILINE)
        self.assertGreater(len(tries), 5)
        for command in tries:
            with self.subTest(command):
                self.assertTrue(self.run_shell(command))


if __name__ == "__main__":
    unittest.main()
