#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: tools/lib/breaks.py [--land]

Reports what breaks partners who compiled the contract as it last landed, and refuses what CHANGELOG.md does not list under
"Breaks of the contract": what buf sees (proto/landed.binpb), and rules that take less than they did (proto/landed_rules.json).
A break is listed when its field, method, message or enum is named there; a message that moved, when the file that it moved to
is. A method that is new is named in the same release.

  --land   writes both files anew, for a release
"""
import json
import math
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LANDED, LANDED_RULES = "proto/landed.binpb", ROOT / "proto" / "landed_rules.json"
HEADING = "### Breaks of the contract"


def unreleased():
    """The first section of CHANGELOG.md."""
    return (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1]


def listed():
    """What it says of breaks."""
    return unreleased().partition(HEADING)[2].partition("\n### ")[0]


def files_of(built):
    """The files of edu among what buf can build, as their descriptors in JSON."""
    text = subprocess.run([ROOT / "tools" / "lib" / "buf.sh", "build", built, "-o", "-#format=json"], text=True, check=True,
                          stdout=subprocess.PIPE).stdout
    return [file for file in json.loads(text)["file"] if file["package"].startswith("edu.")]


def methods_of(built):
    return [method["name"] for file in files_of(built) for service in file.get("service", ()) for method in service["method"]]


def rules_now():
    """By field, as User.bio, its rules."""
    return {f"{message['name']}.{field['name']}": field.get("options", {}).get("[grpc_c.v1.rules]", {})
            for file in files_of(".") for message in file.get("messageType", ()) for field in message.get("field", ())}


def tighter(old, new):
    """The rules by which a field takes less than it did."""
    ends = [[float(rules["range"].get(end, 0)) for end in ("min", "max")] if "range" in rules else [-math.inf, math.inf]
            for rules in (old, new)]
    yield from ["range"] * (ends[1][0] > ends[0][0] or ends[1][1] < ends[0][1])
    yield from (least for least in ("minLength", "minItems") if new.get(least, 0) > old.get(least, 0))
    yield from (most for most, unset in (("maxLength", math.inf), ("maxItems", 1000))
                if new.get(most, unset) < old.get(most, unset))
    others = new.keys() - {"range", "minLength", "minItems", "maxLength", "maxItems"}
    yield from (rule for rule in sorted(others) if new[rule] != old.get(rule))


def tightened():
    """Fields whose rules take less than when they landed, and that CHANGELOG.md does not list: what is said of each."""
    landed, text = json.loads(LANDED_RULES.read_text()), listed()
    for field, rules in rules_now().items():
        for rule in tighter(landed.get(field, rules), rules):
            if not re.search(rf"\b{field.rpartition('.')[2]}\b", text):
                yield f"{field} takes less by its {rule} than when it landed, {json.dumps(landed[field])}"


def untold():
    """Methods that are new and that CHANGELOG.md does not name."""
    text = unreleased()
    new = set(methods_of(".")) - set(methods_of(LANDED))
    return sorted(name for name in new if not re.search(rf"\b{name}\b", text))


def breaks():
    found = subprocess.run([ROOT / "tools" / "lib" / "buf.sh", "breaking", "--error-format", "json", "--against",
                            LANDED], text=True, stdout=subprocess.PIPE)
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
    lower = list(tightened())
    print("".join(f"{said} NOT LISTED\n" for said in lower), end="")
    missing += len(lower)
    if missing:
        print(f'{missing} breaks are not listed in CHANGELOG.md under "{HEADING.lstrip("# ")}"')
    for name in (new := untold()):
        print(f"{name} is new, and CHANGELOG.md does not name it")
    return 1 if missing or new else 0


def land():
    published = ROOT / "proto" / "published"
    subprocess.run(["protoc", f"-I{published}", "--include_imports", "-o", ROOT / LANDED, *published.glob("edu/v1/*.proto")],
                   check=True)
    fields = ",\n".join(f"{json.dumps(field)}: {json.dumps(rules)}" for field, rules in sorted(rules_now().items()))
    LANDED_RULES.write_text(f"{{\n{fields}\n}}\n")


if __name__ == "__main__":
    sys.exit(land() if sys.argv[1:] == ["--land"] else main())
