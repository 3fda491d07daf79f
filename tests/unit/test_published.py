# SPDX-License-Identifier: Apache-2.0
"""proto/published is what tools/publish_proto makes of the contract today, and declares what the contract declares.

test_published.py PROTOC
"""
import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import sys
import unittest

from google.protobuf import descriptor_pb2

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
PUBLISHED = PROTO / "published"


def declared(root):
    """What the files of edu below `root` declare, by name, without options that only grpc_c knows."""
    names = sorted(str(p.relative_to(root)) for p in root.glob("edu/**/*.proto"))
    packed = subprocess.run([PROTOC, f"-I{root}", "--descriptor_set_out=/dev/stdout", *names], check=True,
                            stdout=subprocess.PIPE).stdout
    files = descriptor_pb2.FileDescriptorSet.FromString(packed).file
    for file in files:
        file.dependency[:] = [d for d in file.dependency if not d.startswith("grpc_c/")]
        file.DiscardUnknownFields()
        clear_empty_options(file)
    return {file.name: file for file in files}


def clear_empty_options(message):
    """An options message that held custom options alone, which are unknown here, is there and empty."""
    for field, value in message.ListFields():
        if field.name == "options" and not value.ListFields():
            message.ClearField("options")
        elif field.message_type:
            for below in value if field.label == field.LABEL_REPEATED else [value]:
                clear_empty_options(below)


def publisher():
    """tools/publish_proto as a module."""
    loader = importlib.machinery.SourceFileLoader("publish_proto", str(ROOT / "tools" / "publish_proto"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


SAMPLE = """// licence
import "grpc_c/v1/options.proto";

// A message.
message Box {
  // Typed id, "box_".
  string box_id = 1 [(grpc_c.v1.rules) = {required: true, id_kind: "box"}];
  // 1 to 2,000 characters.
  string title = 2 [
    deprecated = true,
    (grpc_c.v1.rules) = {min_length: 1, max_length: 2000}
  ];
  repeated bytes parts = 3 [(grpc_c.v1.rules) = {max_items: 1200, max_length: 8}, json_name = "bits; [all]"];
  // Out of 100; see {this}.
  int32 share = 4 [(grpc_c.v1.rules) = {range: {min: -5, max: 10}}];
  // When.
  string when = 5 [(grpc_c.v1.rules) = {output_only: true}];
}
// A service.
service Boxes {
  // Opens it.
  // - Once.
  rpc Open(Box) returns (Box) {
    option idempotency_level = IDEMPOTENT;
    option (grpc_c.v1.policy) = {
      access: ACCESS_SIGNED_IN
      roles: ["A", "B", "C"]
      scopes: ["boxes"]
      rate_class: "x"
      max_request_bytes: 4096
      subject: {source: SUBJECT_FIELD, field: "box_id", roles: ["A", "B"], scopes: ["boxes"], delegates: true}
    };
  }
}
// Why not.
enum Reason {
  option (grpc_c.v1.error_reasons) = true;
  // Not said.
  REASON_UNSPECIFIED = 0;
  // NOT_FOUND. Look.
  REASON_GONE = 1 [(grpc_c.v1.status) = 5];
  // Wait.
  REASON_LATER = 2 [(grpc_c.v1.status) = 14];
}
"""
EXPECTED = """// licence
// Written by tools/publish_proto from proto/sample.proto, without the options its server reads.

// A message.
message Box {
  // Required. Typed id, "box_".
  string box_id = 1;
  // 1 to 2,000 characters.
  string title = 2 [deprecated = true];
  // Each: at most 8 bytes. At most 1,200 items.
  repeated bytes parts = 3 [json_name = "bits; [all]"];
  // Out of 100; see {this}. -5 to 10.
  int32 share = 4;
  // Output only. When.
  string when = 5;
}
// A service.
service Boxes {
  // Opens it.
  // - Once.
  // Access: users with the role A, B or C; service accounts with the scope boxes. A request is at most 4,096 bytes.
  // Another's box_id: users with the role A or B; service accounts with the scope boxes; those of whom it is said above.
  rpc Open(Box) returns (Box) {
    option idempotency_level = IDEMPOTENT;
  }
}
// Why not.
enum Reason {
  // Not said.
  REASON_UNSPECIFIED = 0;
  // NOT_FOUND. Look.
  REASON_GONE = 1;
  // UNAVAILABLE. Wait.
  REASON_LATER = 2;
}
"""


class Published(unittest.TestCase):
    def test_is_up_to_date(self):
        checked = subprocess.run([ROOT / "tools" / "publish_proto", "--check"], text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        self.assertEqual(checked.returncode, 0, "\n" + checked.stdout)

    def test_declares_what_the_contract_declares(self):
        published = declared(PUBLISHED)
        self.assertIn("edu/v1/edu_service.proto", published)
        self.assertEqual(published, declared(PROTO))

    def test_takes_options_out_and_says_what_they_say(self):
        self.maxDiff = None
        self.assertEqual(publisher().File("sample.proto", SAMPLE).published(), EXPECTED)

    def test_refuses_what_it_does_not_know(self):
        tool = publisher()
        for unknown in ("[(grpc_c.v1.rules) = {required: true, colour: 1}]", "[(grpc_c.v1.taste) = 1]",
                        "[(grpc_c.v1.rules) = {format: STRING_FORMAT_POEM}]",
                        "[(grpc_c.v1.rules).required = true]"):
            with self.subTest(unknown), self.assertRaises(tool.Unknown):
                tool.File("sample.proto", f"message A {{\n  // It.\n  string b = 1 {unknown};\n}}\n").published()

    def test_refuses_a_limit_that_no_rule_has(self):
        tool = publisher()
        for comment, rules in (("1 to 200 characters.", "max_length: 300"), ("At most 2,000 of them.", "max_items: 200"),
                               ("0 (not said) to 60.", "range: {min: 0, max: 600}"), ("It has 8 bytes.", "required: true"),
                               ("At most 33.", "format: STRING_FORMAT_SLUG")):
            text = f"message A {{\n  // {comment}\n  string b = 1 [(grpc_c.v1.rules) = {{{rules}}}];\n}}\n"
            with self.subTest(comment), self.assertRaisesRegex(tool.Unknown, "string b: .*" + re.escape(comment)):
                tool.File("sample.proto", text).published()

        text = ("message A {\n  // At most 8.\n  string b = 1 [(grpc_c.v1.rules) = {max_length: 8}];\n}\n"
                "message B {\n  // At most\n  // 9.\n  string b = 1;\n}\n")
        with self.assertRaisesRegex(tool.Unknown, "string b: .* At most 9"):
            tool.File("sample.proto", text).published()

    def test_refuses_an_id_that_may_be_left_out_and_says_nothing_of_it(self):
        tool = publisher()
        text = "message {}Request {{\n  // Typed id{}\n  string b_id = 1 [(grpc_c.v1.rules) = {{{}id_kind: \"box\"}}];\n}}\n"
        for message in (("Get", ". Empty: none.", ""), ("Get", ".", "required: true, ")):
            tool.File("sample.proto", text.format(*message)).published()
        with self.assertRaisesRegex(tool.Unknown, "string b_id: require it, or say"):
            tool.File("sample.proto", text.format("Get", ".", "")).published()

    def test_tells_of_every_rule(self):
        """Each rule that the options have, on a field whose comment says nothing of it, is told by more words."""
        rules = (PROTO / "grpc_c/v1/options.proto").read_text().partition("message FieldRules {")[2].partition("\n}")[0]
        values = {"bool": "true", "uint32": "3", "NumberRange": "{min: 1, max: 3}", "StringFormat": "STRING_FORMAT_UUID",
                  "string": '"box"'}
        for kind, name in re.findall(r"^  (\w+) (\w+) = \d+;", rules, re.MULTILINE):
            with self.subTest(name):
                text = f"message A {{\n  // It.\n  string b = 1 [(grpc_c.v1.rules) = {{{name}: {values[kind]}}}];\n}}\n"
                said = re.findall("// (.*It.*)", publisher().File("sample.proto", text).published())
                self.assertNotEqual(said, ["It."])

    def test_names_nothing_of_grpc_c(self):
        for path in PUBLISHED.glob("**/*.proto"):
            self.assertNotIn("grpc_c", path.read_text(), path)


if __name__ == "__main__":
    PROTOC = sys.argv.pop(1)
    unittest.main()
