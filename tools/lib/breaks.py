#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reports what breaks partners who compiled the contract as it last landed (proto/landed.binpb), as buf sees it, and refuses
what CHANGELOG.md does not list under "Breaks of the contract". A break is listed when its field, method, message or enum is
named there; a message that moved, when the file that it moved to is. A method that is new is named in the same release.

A release makes proto/landed.binpb anew:
  protoc -Iproto/published --include_imports -o proto/landed.binpb proto/published/edu/v1/*.proto
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADING = "### Breaks of the contract"


def unreleased():
    """The first section of CHANGELOG.md."""
    return (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1]


def listed():
    """What it says of breaks."""
    return unreleased().partition(HEADING)[2].partition("\n### ")[0]


def methods_of(built):
    """The names of the methods of what buf can build."""
    text = subprocess.run([ROOT / "tools" / "lib" / "buf.sh", "build", built, "-o", "-#format=json"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    return [method["name"] for file in json.loads(text)["file"] if file["package"].startswith("edu.")
            for service in file.get("service", ()) for method in service["method"]]


def untold():
    """Methods that are new and that CHANGELOG.md does not name."""
    text = unreleased()
    new = set(methods_of(".")) - set(methods_of("proto/landed.binpb"))
    return sorted(name for name in new if not re.search(rf"\b{name}\b", text))


def breaks():
    found = subprocess.run([ROOT / "tools" / "lib" / "buf.sh", "breaking", "--error-format", "json", "--against",
                            "proto/landed.binpb"], text=True, stdout=subprocess.PIPE)
    if found.returncode not in (0, 100):  # 100: there are some
        sys.exit(found.stdout or "buf did not run")
    told = [json.loads(line) for line in found.stdout.splitlines()]
    wrong = [f"{broken['path']}:{broken['start_line']}: {broken['message']}" for broken in told if broken["type"] == "COMPILE"]
    if wrong:
        sys.exit("\n".join(wrong))
    return told


def home_of(name):
    """The file, without its extension, that declares a message, an enum or a service; or None."""
    declaration = re.compile(rf"^(?:message|enum|service) {name}\b", re.MULTILINE)
    return next((path.stem for path in ROOT.glob("proto/edu/**/*.proto") if declaration.search(path.read_text())), None)


def names(broken):
    """The names by which a break may be listed."""
    message = broken["message"]
    quoted = [name for name in re.findall(r'"([^"]+)"', message) if re.fullmatch(r"[A-Za-z]\w*", name)]
    if message.endswith("was deleted from file.") and (moved := home_of(quoted[0])):
        return [moved]
    within = re.search(r' on (?:message|service) "(\w+)"', message)  # says too little: much may break in one message
    return [name.removeprefix("ERROR_REASON_") for name in quoted if not within or name != within[1]]


def main():
    text, missing = listed(), 0
    for broken in breaks():
        known = any(re.search(rf"\b{name}\b", text) for name in names(broken))
        missing += not known
        print(f"{broken['path']}:{broken['start_line']}: {broken['message']}{'' if known else ' NOT LISTED'}")
    if missing:
        print(f'{missing} breaks are not listed in CHANGELOG.md under "{HEADING.lstrip("# ")}"')
    for name in (new := untold()):
        print(f"{name} is new, and CHANGELOG.md does not name it")
    return 1 if missing or new else 0


if __name__ == "__main__":
    sys.exit(main())
