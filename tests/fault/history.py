# SPDX-License-Identifier: Apache-2.0
"""What clients asked and what they were told: operations and their attempts, in memory and line by line in a file."""
import json
import threading
import time

# Reasons of the server's that do not say "not executed". Codes without a reason are not the server's: nobody knows.
OPEN_REASONS = ("OUTCOME_UNKNOWN", "INTERNAL", "CALL_CANCELLED")

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"


class Operation:
    """One thing a client wants once, however often it asks for it."""

    def __init__(self, client, kind, request_id, intent):
        self.client, self.kind, self.request_id, self.intent = client, kind, request_id, intent
        self.attempts = []  # [began, ended, code, reason]; the last two empty while it is under way
        self.answer = None

    @property
    def fate(self):
        """What the client may rely on. Refused: the server said of every attempt that it was not executed."""
        if any(a[2] == "OK" for a in self.attempts):
            return OK
        return REFUSED if all(a[3] and a[3] not in OPEN_REASONS for a in self.attempts) else UNKNOWN

    def __str__(self):
        tried = ", ".join(f"{a[2] or 'no answer'} {a[3]}".strip() for a in self.attempts)
        return f"{self.kind} of {self.client} {self.intent} ({self.fate}: {tried})"


class History:
    """All operations of a run. Any thread may add to it."""

    def __init__(self, path):
        self.operations, self.lock, self.start = [], threading.Lock(), time.monotonic()
        self.followed = {}  # by audience, the (position, event_id) that were read by cursor
        self.file = open(path, "w", encoding="utf-8")

    def close(self):
        self.file.close()

    def now(self):
        return round(time.monotonic() - self.start, 4)

    def note(self, what, **fields):
        """A line of the file; also how faults leave their times there."""
        line = json.dumps({"time": self.now(), "what": what, **fields}, default=str)
        with self.lock:
            self.file.write(line + "\n")
            self.file.flush()

    def operation(self, client, kind, request_id="", **intent):
        operation = Operation(client, kind, request_id, intent)
        with self.lock:
            self.operations.append(operation)
        return operation

    def begin(self, operation):
        """Before each attempt: what is asked is on record before it is sent."""
        attempt = [self.now(), None, "", ""]
        operation.attempts.append(attempt)
        self.note("ask", client=operation.client, kind=operation.kind, request_id=operation.request_id,
                  **operation.intent)
        return attempt

    def end(self, operation, attempt, code, reason="", answer=None):
        attempt[1:] = [self.now(), code, reason]
        if code == "OK":
            operation.answer = answer
        self.note("told", client=operation.client, kind=operation.kind, request_id=operation.request_id, code=code,
                  reason=reason)

    def of(self, *kinds):
        return [o for o in self.operations if o.kind in kinds]

    def outcomes(self):
        """How many attempts ended how."""
        count = {}
        for _, _, code, reason in (a for o in self.operations for a in o.attempts):
            count[reason or code or "no answer"] = count.get(reason or code or "no answer", 0) + 1
        return count
