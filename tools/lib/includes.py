#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every #include against the table of allowed arrows. Static libraries refuse no wrong include; this does."""
import pathlib
import re
import sys

# Where C lives: each directory with C in it is a room, and stands in ARROWS.
TREES = ("proto/runtime", "server", "client", "tools")
# The areas, the lowest first. An area knows those below it, by their headers and never their store.
AREAS = ["server/user", "server/course", "server/purchase", "server/progress"]
SHARED = {"proto/runtime", "server/base"}
GENERATED = {"edu/v1", "google/rpc", "google/protobuf", "grpc/health/v1", "grpc/reflection/v1",
             "grpc/reflection/v1alpha", "grpc_c/v1"}
# room: the rooms whose headers it may include besides its own.
ARROWS = {
    "proto/runtime": set(),
    "server/base": {"proto/runtime"},
    "server/db": SHARED,
    "server/auth": SHARED,
    "server/rpc": SHARED,
    "server/app": SHARED | {"server/db", "server/auth", "server/rpc"},
    "server": SHARED | {*AREAS, "server/app", "server/db", "server/auth", "server/rpc"},
    **{area: SHARED | {*AREAS[:i], "server/app", "server/db", "server/auth", "server/rpc"} for i, area in enumerate(AREAS)},
    "client": {"proto/runtime"},
    "client/cli": {"proto/runtime", "client"},
    "tools/protoc-gen-grpc-c": {"proto/runtime"},
    "tools/oulad": {"proto/runtime", "client"},
}
# Of a room, what others may include; other rooms are open.
PUBLIC = {"server/rpc": {"call.h", "server.h"}}
# A header of a library, and the only rooms that may name it.
WALLS = {
    r"grpc/.*\.h$|grpc/grpc.*": {"server/rpc", "client"},
    r"mysql.*\.h$|mariadb.*": {"server/db"},
    r"jwt\.h$": {"server/auth"},
    r"sodium\.h$": {"server/auth"},
    r"utf8proc\.h$": {"proto/runtime", "client/cli"},
    r"bsd/.*\.h$": {"client/cli"},
    r"microhttpd\.h$": {"server/base"},
    r"csv\.h$": {"tools/oulad"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)


def room_of(path):
    """The longest room that holds the path, or None."""
    parents = [str(p) for p in pathlib.PurePosixPath(path).parents]
    return next((p for p in parents if p in ARROWS), None)


def faults(root, path):
    room = room_of(path)
    for _, name in INCLUDE.findall((root / path).read_text()):
        generated = str(pathlib.PurePosixPath(name).parent) in GENERATED
        for wall, rooms in WALLS.items():
            if not generated and re.match(wall, name) and room not in rooms:
                yield f"{path}: <{name}> belongs behind {' and '.join(sorted(rooms))}"
        other = room_of(name) if not generated else None
        if other in (None, room):
            continue
        base = pathlib.PurePosixPath(name).name
        if other not in ARROWS[room]:
            yield f"{path}: {room} may not include {name}"
        elif other in PUBLIC and base not in PUBLIC[other]:
            yield f"{path}: {name} is private to {other}"
        elif room in AREAS and other in AREAS and base.endswith("_store.h"):
            yield f"{path}: {name} holds another area's SQL; ask through its other headers"


def main():
    root = pathlib.Path(sys.argv[1])
    found = []
    files = sorted(path for tree in TREES for path in (root / tree).rglob("*.[ch]"))
    for path in files:
        name = path.relative_to(root)
        if str(name.parent) in ARROWS:
            found += faults(root, name.as_posix())
        else:
            found.append(f"{name}: {name.parent} is no room; what it may include belongs into ARROWS of tools/lib/includes.py")
    print("\n".join(found) if found else f"{len(files)} files follow the arrows.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
