#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses library functions that cannot be called safely, counts of arrays that compile for a pointer, functions that can
fail and do not insist on being asked, and answers whose text varies.

A function that fails as this project does, with `struct error *err` last, says warn_unused_result in its header, unless
its result is only what it raised, which is then in the table below.

What the server raises has one text for one cause: load tools count errors by their text. Ids, amounts and numbers are
details. The runtime, which both ends use, may name what the contract names (%s).
"""
import pathlib
import re
import sys

ROOMS = ("proto", "server", "client", "tools")
# function: what to use instead
BANNED = {
    **dict.fromkeys(("strcpy", "stpcpy", "strcat", "strncat", "strncpy", "sprintf", "vsprintf"), "snprintf or an arena"),
    **dict.fromkeys(("atoi", "atol", "atoll", "atof"), "strtoll or strtod, and look at the end and errno"),
    **dict.fromkeys(("localtime", "gmtime", "ctime", "asctime"), "the _r form"),
    **dict.fromkeys(("rand", "srand", "random", "drand48"), "getrandom"),
    **dict.fromkeys(("tmpnam", "mktemp"), "mkstemp"),
    "gets": "fgets",
    "strtok": "strtok_r or strsep",
    "alloca": "an arena",
    "system": "posix_spawn",
}
# Functions that raise, or tell, what the caller goes on to return: nothing can be missed by ignoring them.
RAISING = {
    "error_raise", "error_internal", "error_set_message", "error_tell_violations", "error_add_metadata",
    "error_add_violation", "error_set_retry", "error_set_resource", "error_field", "course_not_found", "lesson_not_found",
    "user_not_found", "conn_fail", "idem_reused", "standing_drained", "csv_row_error", "connection_keep_error",
}
TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
COUNT = re.compile(r"\bsizeof\(([\w.>-]+)\)\s*/\s*sizeof\((?:\*\1|\1\[0\])\)")
DECLARATION = re.compile(r"^(?!static)(?:int|bool)\s+(\w+)\(([^;{}]*?(?<!const )struct error \*\w+)\)([^;{}]*);", re.MULTILINE)
RAISE = re.compile(r"\berror_raise\(([^;]*?)\);", re.DOTALL)
VARIES = {"server": re.compile(r'"[^"]*%(?!%)'), "proto": re.compile(r'"[^"]*%(?![%s])')}
# What is no text that varies: error_public_message() puts a constant in its place; a table of constants has it.
CONSTANT = ("RPC_REASON_DATABASE_UNAVAILABLE", "resource->text")


def varying(path, text):
    rule = VARIES.get(path.parts[0])
    for call in RAISE.finditer(text) if rule else ():
        if rule.search(call[1]) and not any(constant in call[1] for constant in CONSTANT):
            yield f"{path}:{line_of(text, call.start())}: the text of an error varies: put what varies into its details"


def blank(match):
    """Comments and strings hold no calls; their lines still count."""
    return re.sub(r"[^\n]", " ", match.group())


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def faults(path, text):
    yield from varying(path, text)
    text = TEXT.sub(blank, text)
    for call in CALL.finditer(text):
        yield f"{path}:{line_of(text, call.start())}: {call[1]}() is banned: use {BANNED[call[1]]}"
    for count in COUNT.finditer(text):
        yield f"{path}:{line_of(text, count.start())}: a pointer has no such size: use ARRAY_SIZE({count[1]})"
    for name in DECLARATION.finditer(text) if path.suffix == ".h" else ():
        if name[1] not in RAISING and "warn_unused_result" not in name[3]:
            yield f"{path}:{line_of(text, name.start())}: {name[1]}() can fail and must be warn_unused_result"


def main():
    root = pathlib.Path(sys.argv[1])
    found = []
    n = 0
    for room in ROOMS:
        for file in sorted((root / room).rglob("*.[ch]")):
            n += 1
            found += faults(file.relative_to(root), file.read_text())
    print("\n".join(found) if found else f"{n} files call nothing banned, ignore no failure and vary no text.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
