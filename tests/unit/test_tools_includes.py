# SPDX-License-Identifier: Apache-2.0
"""tools/lib/includes.py on made-up trees: what follows the arrows passes, and each way around them is refused."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "lib"))
import includes

GOOD = {
    "proto/runtime/arena.c": '#include "proto/runtime/arena.h"\n',
    "server/rpc/unary.c": '#include <grpc/grpc.h>\n#include "server/rpc/call_impl.h"\n#include "server/base/log.h"\n'
                          '#include "grpc/health/v1/health.server.h"\n/* RPC_REASON_OVERLOADED, edu-server */\n',
    "server/course/course_rpc.c": '#include "edu/v1/course.server.h"\n#include "server/rpc/call.h"\n'
                                  '#include "server/user/user.h"\n#include "server/course/course_store.h"\n',
    "client/cli/main.c": '#include "client/client.h"\n#include "client/session/session.h"\n#include "edu/v1/x.tables.h"\n',
}


def run(files):
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return includes.check(root)


class Includes(unittest.TestCase):
    def refused(self, name, text, why):
        _, found = run({**GOOD, name: text + "\n"})
        self.assertEqual(len(found), 1, found)
        self.assertIn(name, found[0])
        self.assertIn(why, found[0])

    def test_a_tree_that_follows_the_arrows_passes(self):
        self.assertEqual(run(GOOD), (len(GOOD), []))

    def test_a_directory_that_is_no_room(self):
        for name in ("server/zzz/zzz.c", "server/user/deeper/x.h", "client/x/x.c", "tools/x/x.c", "proto/runtime/x/x.c"):
            self.refused(name, "int x;", "is no room")

    def test_an_arrow_that_is_not_in_the_table(self):
        self.refused("server/base/x.c", '#include "server/db/db.h"', "server/base may not include server/db/db.h")
        self.refused("server/rpc/x.c", '#include "server/auth/tokens.h"', "server/rpc may not include")
        self.refused("client/x.c", '#include "client/session/session.h"', "client may not include")
        self.refused("client/cli/x.c", '#include "server/base/log.h"', "client/cli may not include")
        self.refused("proto/runtime/x.h", '#  include "server/base/log.h"', "proto/runtime may not include")

    def test_a_header_that_is_private(self):
        self.refused("server/user/x.c", '#include "server/rpc/call_impl.h"', "is private to server/rpc")
        self.refused("client/cli/x.c", '#include "client/internal.h"', "is private to client")
        self.refused("server/user/x.c", '#include "server/db/stmt.h"', "is private to server/db")

    def test_an_area_above_and_another_areas_store(self):
        self.refused("server/user/x.c", '#include "server/course/course.h"', "server/user may not include")
        self.refused("server/purchase/x.c", '#include "server/progress/coverage.h"', "server/purchase may not include")
        self.refused("server/course/x.c", '#include "server/user/user_store.h"', "another area's SQL")

    def test_a_library_behind_its_wall(self):
        self.refused("server/course/x.c", "#include <mysql/mysql.h>", "belongs behind server/db")
        self.refused("server/user/x.c", "#include <grpc/grpc.h>", "belongs behind client and server/rpc")
        self.refused("client/cli/x.c", "#include <sodium.h>", "belongs behind server/auth")

    def test_a_path_around_the_rooms(self):
        self.refused("server/user/x.c", '#include "../rpc/call_impl.h"', "no path of a room")
        self.refused("server/user/x.c", '#include "tests/lib/testdb.h"', "no path of a room")

    def test_the_contract_in_the_toolkit(self):
        for room in ("proto/runtime", "server/rpc", "client"):
            for words in ("const char *domain = \"edu.v1\";", "Edu__V1__User user;", "const char *h = \"edu-replayed\";",
                          "raise(&REASON_COURSE_NOT_FOUND);", "EDU_SERVICE_GET_COURSE(get_course);", '#define ID_USER "usr"'):
                self.refused(f"{room}/x.c", words, f"{room} serves any contract")

    def test_the_contracts_headers_below_the_areas(self):
        for room in ("server/db", "server/auth", "server/base", "tools/protoc-gen-grpc-c"):
            self.refused(f"{room}/x.c", '#include "edu/v1/user.tables.h"', "belongs behind")


if __name__ == "__main__":
    unittest.main()
