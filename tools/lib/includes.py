#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every #include against the table of allowed arrows, and that the toolkit does not know the contract.
Static libraries refuse no wrong include; this does."""
import pathlib
import re
import sys

# Where C lives: each directory with C in it is a room, and stands in ARROWS.
TREES = ("proto/runtime", "server", "client", "tools")
# The areas, the lowest first. An area knows those below it, by their headers and never their store.
AREAS = ["server/access", "server/user", "server/organization", "server/course", "server/lesson", "server/quiz",
         "server/search", "server/money", "server/purchase", "server/progress", "server/review"]
SHARED = {"proto/runtime", "server/base"}
# room: the rooms whose headers it may include besides its own.
ARROWS = {
    "proto/runtime": set(),
    "server/base": {"proto/runtime"},
    "server/db": SHARED,
    "server/auth": SHARED,
    "server/rpc": SHARED,
    "server/app": SHARED | {"server/db", "server/auth", "server/rpc"},
    # Knows what is due and not what areas make of it: the service hands it their functions.
    "server/jobs": SHARED | {"server/db"},
    "server": SHARED | {*AREAS, "server/jobs", "server/app", "server/db", "server/auth", "server/rpc"},
    **{area: SHARED | {*AREAS[:i], "server/app", "server/db", "server/auth", "server/rpc"} for i, area in enumerate(AREAS)},
    "client": {"proto/runtime"},
    "client/session": {"proto/runtime", "client"},
    "client/cli": {"proto/runtime", "client", "client/session"},
    "client/examples/import_oulad": {"proto/runtime", "client", "client/session"},
    "tools/protoc-gen-grpc-c": {"proto/runtime"},
}
# Of a room, what others may include; other rooms are open.
PUBLIC = {
    "server/rpc": {"call.h", "server.h"},
    "server/db": {"audit.h", "combiner.h", "db.h", "due.h", "event.h", "guard.h", "idem.h", "lease.h", "migrate.h", "retention.h", "sequencer.h", "table.h"},
    "client": {"client.h"},
}
# A header of a library or of the contract, and the only rooms that may name it.
WALLS = {
    r"grpc/(?!health/|reflection/)": {"server/rpc", "client"},
    r"mysql.*\.h$|mariadb.*": {"server/db"},
    r"jwt\.h$": {"server/auth"},
    r"sodium\.h$": {"server/auth"},
    r"utf8proc\.h$": {"proto/runtime", "client/cli"},
    r"bsd/.*\.h$": {"client/cli"},
    r"microhttpd\.h$": {"server/base"},
    r"roaring/|libstemmer\.h$": {"server/search"},
    r"csv\.h$": {"client/examples/import_oulad"},
    r"edu/": {"server", "server/app", *AREAS, "client/session", "client/cli", "client/examples/import_oulad"},
}
# What would serve any contract, and the words of ours that it may not know: package, messages, reasons, headers,
# kinds of ids.
TOOLKIT = {"proto/runtime", "server/rpc", "client"}
CONTRACT = re.compile(r"\bedu[./_]v\d|\bEdu__|\bEDU_SERVICE|\bREASON_[A-Z]|\bedu-(?!server\b)|define ID_\w+ \"[a-z]{3}\"")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)


def room_of(path):
    """The longest room that holds the path, or None."""
    parents = [str(p) for p in pathlib.PurePosixPath(path).parents]
    return next((p for p in parents if p in ARROWS), None)


def include_faults(path, room, name):
    for wall, rooms in WALLS.items():
        if re.match(wall, name) and room not in rooms:
            yield f"{path}: <{name}> belongs behind {' and '.join(sorted(rooms))}"
    if name.startswith((".", "tests/")):
        yield f"{path}: {name} is named by no path of a room"
    other, base = room_of(name), pathlib.PurePosixPath(name).name
    if other in (None, room):
        return
    if other not in ARROWS[room]:
        yield f"{path}: {room} may not include {name}"
    elif other in PUBLIC and base not in PUBLIC[other]:
        yield f"{path}: {name} is private to {other}"
    elif room in AREAS and other in AREAS and base.endswith("_store.h"):
        yield f"{path}: {name} holds another area's SQL; ask through its other headers"


def faults(root, path):
    room = str(pathlib.PurePosixPath(path).parent)
    text = (root / path).read_text()
    if room not in ARROWS:
        yield f"{path}: {room} is no room; what it may include belongs into ARROWS of tools/lib/includes.py"
        return
    for _, name in INCLUDE.findall(text):
        yield from include_faults(path, room, name)
    for number, line in enumerate(text.splitlines(), 1):
        if room in TOOLKIT and CONTRACT.search(line):
            yield f"{path}:{number}: {room} serves any contract, and this is of ours: {line.strip()}"


def check(root):
    """How many files there are, and what is wrong with them."""
    files = sorted(path for tree in TREES for path in (root / tree).rglob("*.[ch]"))
    return len(files), [fault for path in files for fault in faults(root, path.relative_to(root).as_posix())]


def main():
    n, found = check(pathlib.Path(sys.argv[1]))
    print("\n".join(found) if found else f"{n} files follow the arrows.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
