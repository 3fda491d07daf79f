# SPDX-License-Identifier: Apache-2.0
"""The names that the areas list, and ids as the service shows them."""
import re

from stack import ROOT

_FILES = [path.read_text() for path in ROOT.glob("server/*/*_names.h")]
_ROW = r'X\((\w+), "([^"]+)"(?:, (\w+))?\)'
_LISTED = [row for text in _FILES for row in re.findall(_ROW, text)]
_IDS = {constant: kind for constant, kind, subject in _LISTED if constant.startswith("ID_")}
# The kind of the subject's id by the kind of the event, and by the action of the audit.
EVENTS = {kind: _IDS[subject] for constant, kind, subject in _LISTED if constant.startswith("EVENT_")}
# The kinds that the platform's own organization reads.
PLATFORM = {kind for text in _FILES for rows in re.findall(r"_PLATFORM_EVENTS\(X\)((?:.*\\\n)*.*)", text)
            for constant, kind, subject in re.findall(_ROW, rows)}
AUDITS = {action: _IDS[subject] for constant, action, subject in _LISTED if constant.startswith("AUDIT_")}


def id_number(text):
    value = 0
    for digit in text[4:]:
        value = value * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    return value


def id_text(kind, number):
    """None for 0, which is none."""
    digits = "".join("0123456789abcdefghjkmnpqrstvwxyz"[int(number) >> 5 * i & 31] for i in reversed(range(13)))
    return f"{kind}_{digits}" if int(number) else None
