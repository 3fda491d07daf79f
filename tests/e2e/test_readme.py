# SPDX-License-Identifier: Apache-2.0
"""README's "Run it", word by word: its SQL, its commands, and that who serves can do no more than that asks for; and that the
commands of tools say how they are used."""
import re
import shlex
import subprocess
import tempfile
import unittest

from stack import EDU, PASSWORD, ROOT, SERVER, Replica, Stack, accounts_sql


def commands(section, program="edu-server"):
    """The command lines of a section of README that begin with the program."""
    text = (ROOT / "README.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return [shlex.split(line) for line in re.findall(rf"^    ({program} .*)$", text.replace("\\\n", " "), re.MULTILINE)]


class RunIt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack().__enter__()  # by README's SQL

    @classmethod
    def tearDownClass(cls):
        cls.stack.__exit__(None, None, None)

    def here(self, command, database):
        """A command of README with this machine's socket, names and files in the place of README's."""
        places = {"/run/mysqld/mysqld.sock": self.stack.socket, "edu_owner": database + "_owner", "edu-server": SERVER,
                  "/etc/edu/owner.password": self.stack.dir / "db.password", "/var/lib/edu/keys": self.stack.dir / "keys",
                  "/etc/edu/db.password": self.stack.dir / "db.password"}
        words = [places.get(word, word) for word in command]
        serving = [] if "--db-user" in words else ["--db-user", database + "_edu"]
        return [*words, "--db-name", database, *serving]

    def test_commands(self):
        name = self.stack.database + "_new"
        migrate, create_admin, serve = (self.here(command, name) for command in commands("Run it"))
        self.assertEqual((migrate[1], create_admin[1], serve[1]), ("migrate", "create-admin", "serve"))
        self.stack.sql(accounts_sql(name, name + "_owner", name + "_edu"), database="")
        self.addCleanup(self.stack.sql, f"DROP DATABASE {name}; DROP USER {name}_owner, {name}_edu", database="")
        subprocess.run(migrate, check=True, capture_output=True, timeout=60)
        subprocess.run(create_admin, input=PASSWORD + "\n", text=True, check=True, capture_output=True, timeout=60)
        flags, self.stack.db_flags = self.stack.db_flags, serve[2:]
        replica = Replica(self.stack)
        self.stack.db_flags = flags
        self.assertTrue(self.stack.edu("login", "--login", "admin", "--password", PASSWORD, target=replica.target,
                                       user="admin"))
        self.assertEqual(replica.stop(), 0)

    def fails(self, *command):
        done = subprocess.run(command, input=PASSWORD + "\n", capture_output=True, text=True, timeout=60)
        self.assertNotEqual(done.returncode, 0, command)
        return done.stderr

    def test_slips(self):
        name = self.stack.database + "_slip"
        migrate, create_admin, _ = (self.here(command, name) for command in commands("Run it"))
        self.stack.sql(accounts_sql(name, name + "_owner", name + "_edu"), database="")
        self.addCleanup(self.stack.sql, f"DROP DATABASE {name}; DROP USER {name}_owner, {name}_edu", database="")
        self.assertIn("migrate it first", self.fails(*create_admin))
        serving = [name + "_edu" if word == name + "_owner" else word for word in migrate]
        self.assertIn("name its owner with --db-user", self.fails(*serving))
        self.assertIn("--db-nome is no flag", self.fails(*migrate, "--db-nome", "x"))
        self.assertIn("--db-name needs a value", self.fails(*migrate, "--db-name"))

    def serving(self, statement):
        return subprocess.run(["mariadb", "--no-defaults", "--socket", self.stack.socket, "--user",
                               self.stack.database + "_edu", f"--password={PASSWORD}", "--execute", statement,
                               self.stack.database], capture_output=True, text=True)

    def test_who_serves_changes_no_table(self):
        self.assertEqual(self.serving("SELECT 1").returncode, 0)
        for statement in ("DROP TABLE user", "ALTER TABLE user ADD x INT", "CREATE TABLE x (x INT)", "TRUNCATE user",
                          "CREATE USER x", "SELECT * FROM mysql.global_priv"):
            self.assertIn("denied", self.serving(statement).stderr, statement)

    def test_the_default_user_is_not_root(self):
        done = subprocess.run([SERVER, "serve", "--db-socket", self.stack.socket, "--db-name", self.stack.database],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("Access denied for user 'edu'", done.stderr)


class Commands(unittest.TestCase):
    def test_each_is_one_that_edu_knows(self):
        """It is called, which it is not when a word of it is wrong, but nobody listens."""
        lines = commands("Call it", "edu") + commands("Run it", "edu")
        self.assertGreater(len(lines), 12)
        for _, *words in lines:
            password = ["--password-file", "-"] if words[0] in ("login", "register-user") else []
            with self.subTest(" ".join(words)), tempfile.TemporaryDirectory() as home:
                done = subprocess.run([EDU, *words, *password], input=PASSWORD + "\n", capture_output=True, text=True,
                                      timeout=60, env={"HOME": home, "EDU_TARGET": "127.0.0.1:1"})
                self.assertEqual(done.returncode, 7, done.stderr)
                self.assertIn("NOT_CONNECTED", done.stderr)


class Tools(unittest.TestCase):
    def test_each_says_how_it_is_used(self):
        tools = [path for path in (ROOT / "tools").iterdir() if path.is_file() and "\nusage() {" in path.read_text()]
        self.assertGreater(len(tools), 5)
        for tool in tools:
            done = subprocess.run([tool, "--help"], capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), tool)
            self.assertRegex(done.stdout, f"^[Uu]sage: tools/{tool.name} ")


if __name__ == "__main__":
    unittest.main()
