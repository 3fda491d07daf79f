# SPDX-License-Identifier: Apache-2.0
"""Our JSON and that of Python's protobuf say the same of random messages, both ways.

json_agreement.py JSON_CONVERT PROTOC [SEED [COUNT]]
"""
import importlib
import json
import math
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIGNED32 = (F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32)
SIGNED64 = (F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64)
UNSIGNED32 = (F.TYPE_UINT32, F.TYPE_FIXED32)
UNSIGNED64 = (F.TYPE_UINT64, F.TYPE_FIXED64)


def load_sample(protoc, directory):
    subprocess.run([protoc, f"-I{ROOT}", f"--python_out={directory}", "tests/lib/json_sample.proto"], check=True)
    sys.path.insert(0, directory)
    return importlib.import_module("tests.lib.json_sample_pb2").Sample


class Maker:
    """Random messages of any type. Zero is never negative: protobuf-c does not send a negative zero standing alone."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def whole(self, low, high):
        edges = [low, high, 0, 1, low + 1, high - 1]
        if self.r.random() < 0.4:
            return self.r.choice([e for e in edges if low <= e <= high])
        return min(high, max(low, self.r.getrandbits(self.r.randrange(1, 65)) * self.r.choice([1, -1])))

    def real(self):
        edges = [0.0, 1.0, -1.5, 0.1, 1e-7, 3.0e38, -2.5e-30, math.nan, math.inf, -math.inf, 123456789.125]
        return self.r.choice(edges) if self.r.random() < 0.5 else self.r.uniform(-1e6, 1e6)

    def single(self):
        value = self.real()
        if math.isfinite(value):
            value = struct.unpack("f", struct.pack("f", value))[0]
        return value if value != 0 else 0.0

    def text(self):
        return "".join(self.r.choice('aZ0 "\\/\n\t\x01\x7fé学😀\uffff\u2028<>&\'') for _ in range(self.r.randrange(8)))

    def nanos(self):
        unit = self.r.choice([0, 1, 1000, 1000000])
        return self.r.randrange(1000000000 // unit) * unit if unit else 0

    def value(self, field):
        kind = field.type
        if kind in SIGNED32:
            return self.whole(-(2**31), 2**31 - 1)
        if kind in SIGNED64:
            return self.whole(-(2**63), 2**63 - 1)
        if kind in UNSIGNED32:
            return self.whole(0, 2**32 - 1)
        if kind in UNSIGNED64:
            return self.whole(0, 2**64 - 1)
        if kind == F.TYPE_FLOAT:
            return self.single()
        if kind == F.TYPE_DOUBLE:
            return self.real()
        if kind == F.TYPE_BOOL:
            return self.r.random() < 0.5
        if kind == F.TYPE_ENUM:
            known = [v.number for v in field.enum_type.values]
            return self.r.choice(known) if self.r.random() < 0.9 else self.r.randrange(-1000, 1000)
        if kind == F.TYPE_STRING:
            return self.text()
        assert kind == F.TYPE_BYTES, kind
        return self.r.randbytes(self.r.randrange(9))

    def fill_map(self, message, field, depth):
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        entries = getattr(message, field.name)
        for _ in range(self.r.randrange(1, 5)):
            if value.type == F.TYPE_MESSAGE:
                self.fill(entries[self.value(key)], depth - 1)
            else:
                entries[self.value(key)] = self.value(value)

    def fill_field(self, message, field, depth):
        if field.message_type and field.message_type.GetOptions().map_entry:
            self.fill_map(message, field, depth)
        elif field.label == F.LABEL_REPEATED:
            items = getattr(message, field.name)
            for _ in range(self.r.randrange(1, 4)):
                if field.type == F.TYPE_MESSAGE:
                    self.fill(items.add(), depth - 1)
                else:
                    items.append(self.value(field))
        elif field.type == F.TYPE_MESSAGE:
            getattr(message, field.name).SetInParent()
            self.fill(getattr(message, field.name), depth - 1)
        else:
            setattr(message, field.name, self.value(field))

    def fill(self, message, depth):
        name = message.DESCRIPTOR.full_name
        if name == "google.protobuf.Timestamp":
            message.seconds, message.nanos = self.r.randrange(-62135596800, 253402300800), self.nanos()
        elif name == "google.protobuf.Duration":
            sign = self.r.choice([1, -1])
            message.seconds, message.nanos = sign * self.r.choice([0, 1, 315576000000]), sign * self.nanos()
        elif name == "google.protobuf.FieldMask":
            message.paths.extend(self.r.choices(["name", "display_name", "a.b_c.d", "x"], k=self.r.randrange(4)))
        else:
            for field in message.DESCRIPTOR.fields:
                if self.r.random() < 0.5 and (depth > 0 or field.type != F.TYPE_MESSAGE):
                    self.fill_field(message, field, depth)
        return message


def convert(program, arguments, lines):
    done = subprocess.run([program, *arguments], input="".join(line + "\n" for line in lines), text=True,
                          stdout=subprocess.PIPE, check=False)
    out = done.stdout.split("\n")[:-1]
    if done.returncode != 0 or len(out) != len(lines):
        refused = [line for line in out if line.startswith("error: ")]
        sys.exit(f"{program} {arguments}: {len(out)} of {len(lines)} lines, exit {done.returncode}: {refused[:3]}")
    return out


def bytes_of(message):
    return message.SerializeToString(deterministic=True)


def same(ours, theirs):
    """Equal JSON, numbers by value and NaN never among them."""
    return json.dumps(ours, sort_keys=True) == json.dumps(theirs, sort_keys=True) or ours == theirs


def check_writing(program, messages, defaults):
    arguments = ["to-json"] + (["--defaults"] if defaults else [])
    lines = convert(program, arguments, [m.SerializeToString().hex() for m in messages])
    for message, line in zip(messages, lines):
        theirs = json_format.MessageToDict(message, always_print_fields_with_no_presence=defaults)
        if not same(json.loads(line), theirs):
            sys.exit(f"written JSON differs (defaults={defaults}):\nours   {line}\ntheirs {json.dumps(theirs)}")
        if bytes_of(json_format.Parse(line, type(message)())) != bytes_of(message):
            sys.exit(f"Python reads another message from our JSON: {line}")


def check_reading(program, messages, **options):
    lines = [json_format.MessageToJson(m, indent=None, **options) for m in messages]
    for message, line, wire in zip(messages, lines, convert(program, ["from-json"], lines)):
        if bytes_of(type(message).FromString(bytes.fromhex(wire))) != bytes_of(message):
            sys.exit(f"our reading of Python's JSON gives another message ({options}): {line}")


def main():
    program, protoc = sys.argv[1:3]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20240101
    count = int(sys.argv[4]) if len(sys.argv) > 4 else 1000
    print(f"seed {seed}, {count} messages")
    with tempfile.TemporaryDirectory() as directory:
        sample = load_sample(protoc, directory)
        maker = Maker(seed)
        messages = [sample()] + [maker.fill(sample(), 4) for _ in range(count - 1)]
        check_writing(program, messages, False)
        check_writing(program, messages, True)
        check_reading(program, messages)
        check_reading(program, messages, preserving_proto_field_name=True)
        check_reading(program, messages, always_print_fields_with_no_presence=True)
        check_reading(program, messages, use_integers_for_enums=True)
    print(f"agreed on {count} messages, written twice and read four times")


if __name__ == "__main__":
    main()
