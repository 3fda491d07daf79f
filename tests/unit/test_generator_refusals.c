/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What protoc-gen-grpc-c refuses: it must fail, and name the file, the line and the way out. Each case is the
 * text of a .proto after the lines of `head`; the line with "<--" in it is the one to be blamed.
 */
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "grpc_c/v1/options.pb-c.h"
#include "proto/runtime/array.h"

enum { HEAD_LINES = 5 };

static const char head[] = "syntax = \"proto3\";\n"
			   "package p.v1;\n"
			   "import \"grpc_c/v1/options.proto\";\n"
			   "import \"google/protobuf/struct.proto\";\n"
			   "\n";

#define SIGNED_IN "option (grpc_c.v1.policy) = {access: ACCESS_SIGNED_IN, subject: {source: SUBJECT_NONE}};"

/* One method, blamed, for PAYMENTS and `pay`, whose requests name a user, a course and many users. */
#define SUBJECT(subject)                                                                                     \
	"message I {\n  string user_id = 1 [(grpc_c.v1.rules) = {id_kind: \"usr\"}];\n}\n"                   \
	"message Q {\n  string user_id = 1 [(grpc_c.v1.rules) = {id_kind: \"usr\"}];\n  string name = 2;\n"  \
	"  repeated I in = 3;\n  I one = 4;\n}\n"                                                            \
	"service S {\n  rpc Get(Q) returns (Q) { // <--\n    option (grpc_c.v1.policy) = {access: "          \
	"ACCESS_SIGNED_IN, roles: \"PAYMENTS\", scopes: \"pay\"" subject "};\n  }\n}\n"

/* One field `f`, blamed. */
#define FIELD(declaration) "message Q {\n  " declaration " // <--\n}\n"
#define RULES(rules) "[(grpc_c.v1.rules) = {" rules "}];"

struct refusal {
	const char *name, *parameters, *body;
	const char *wrong, *fix; /* both must be in the message */
};

static const struct refusal refusals[] = {
	{"method without policy", "policy=required",
	 "message Q {}\nservice S {\n  rpc Get(Q) returns (Q); // <--\n}\n", "method Get has no policy",
	 "option (grpc_c.v1.policy)"},
	{"required is the default", "", "message Q {}\nservice S {\n  rpc Get(Q) returns (Q); // <--\n}\n",
	 "method Get has no policy", "policy=none"},
	{"policy without access", "policy=required",
	 "message Q {}\nservice S {\n  rpc Get(Q) returns (Q) { // <--\n    option (grpc_c.v1.policy) = "
	 "{retryable: true};\n"
	 "  }\n}\n",
	 "without access", "ACCESS_SIGNED_IN"},
	{"roles on a public method", "policy=none",
	 "message Q {}\nservice S {\n  rpc Get(Q) returns (Q) { // <--\n"
	 "    option (grpc_c.v1.policy) = {access: ACCESS_PUBLIC, roles: \"ADMIN\"};\n  }\n}\n",
	 "ACCESS_PUBLIC and names roles", "ACCESS_SIGNED_IN"},
	{"empty role", "policy=none",
	 "message Q {}\nservice S {\n  rpc Get(Q) returns (Q) { // <--\n"
	 "    option (grpc_c.v1.policy) = {access: ACCESS_SIGNED_IN, roles: \"\"};\n  }\n}\n",
	 "roles is empty", "take it out"},
	{"nothing said of the subject", "policy=required", SUBJECT(""),
	 "method Get does not say whom its requests are about", "SUBJECT_NONE"},
	{"nor without policies", "policy=none", SUBJECT(""),
	 "method Get does not say whom its requests are about", "SUBJECT_HANDLER"},
	{"subject of a public method", "policy=required",
	 "message Q {}\nservice S {\n  rpc Get(Q) returns (Q) { // <--\n    option (grpc_c.v1.policy) = "
	 "{access: ACCESS_PUBLIC, subject: {source: SUBJECT_NONE}};\n  }\n}\n",
	 "nobody needs to be signed in", "take it out"},
	{"subject without source", "policy=required", SUBJECT(", subject: {roles: \"PAYMENTS\"}"),
	 "a subject without a source", "SUBJECT_FIELD"},
	{"subject, and nothing said of reading", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_HANDLER}"),
	 "method Get is about somebody and does not say whether it only reads",
	 "idempotency_level = NO_SIDE_EFFECTS"},
	{"subject without field", "policy=required", SUBJECT(", subject: {source: SUBJECT_FIELD}"),
	 "SUBJECT_FIELD needs the `field`", "has the subject's id"},
	{"subject's field is not there", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_FIELD, field: \"one.usr_id\"}"),
	 "field \"one.usr_id\" must be a singular string", "name another"},
	{"subject's field is half a name", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_FIELD, field: \"user\"}"),
	 "field \"user\" must be a singular string", "name another"},
	{"subject's field is no id", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_FIELD, field: \"name\"}"),
	 "field \"name\" must be a singular string of the request that says its id_kind", "id_kind: ..."},
	{"subject's field is a message", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_FIELD, field: \"one\"}"),
	 "field \"one\" must be a singular string", "name another"},
	{"many subjects", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_FIELD, field: \"in.user_id\"}"),
	 "field \"in.user_id\" must be a singular string", "name another"},
	{"subject of another kind", "policy=required",
	 "message Q {\n  string user_id = 1 [(grpc_c.v1.rules) = {id_kind: \"usr\"}];\n"
	 "  string course_id = 2 [(grpc_c.v1.rules) = {id_kind: \"crs\"}];\n}\nservice S {\n"
	 "  rpc Get(Q) returns (Q) {\n    option (grpc_c.v1.policy) = {access: ACCESS_SIGNED_IN, "
	 "subject: {source: SUBJECT_FIELD, field: \"user_id\"}};\n  }\n"
	 "  rpc Put(Q) returns (Q) { // <--\n    option (grpc_c.v1.policy) = {access: ACCESS_SIGNED_IN, "
	 "subject: {source: SUBJECT_FIELD, field: \"course_id\"}};\n  }\n}\n",
	 "has another id_kind than the \"usr\" of a method before", "of one kind"},
	{"field of a handler's subject", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_HANDLER, field: \"user_id\"}"), "are for SUBJECT_FIELD",
	 "take them out"},
	{"delegates of nobody", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_NONE, delegates: true}"), "are for SUBJECT_FIELD",
	 "take them out"},
	{"roles over nobody", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_NONE, roles: \"PAYMENTS\"}"), "which nobody would ask for",
	 "take them out"},
	{"subject's role that may not call", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_HANDLER, roles: \"ADMIN\"}"),
	 "subject's roles have ADMIN, which the policy's do not let in", "take it out here"},
	{"subject's scope that may not call", "policy=required",
	 SUBJECT(", subject: {source: SUBJECT_HANDLER, scopes: \"read\"}"),
	 "subject's scopes have read, which the policy's do not let in", "add it there"},
	{"empty role over others", "policy=none",
	 SUBJECT(", subject: {source: SUBJECT_HANDLER, roles: [\"PAYMENTS\", \"\"]}"),
	 "policy's subject's roles is empty", "take it out"},
	{"message in itself", "policy=required",
	 "message Q {\n  string a = 1;\n  repeated Q q = 2; // <--\n}\n", "p.v1.Q.q -> p.v1.Q",
	 "policy=none"},
	{"message in itself, by another", "policy=required",
	 "message A {\n  B b = 1;\n}\nmessage B {\n  map<string, A> a = 1; // <--\n}\n",
	 "recursive: p.v1.A.b -> p.v1.B.a", "break the cycle"},
	{"recursion in an import", "policy=required", FIELD("google.protobuf.Struct f = 1;"),
	 "google.protobuf.Value", "in place of field f"},
	{"format on a number", "policy=required", FIELD("int32 f = 1 " RULES("format: STRING_FORMAT_UUID")),
	 "rule `format` is for a string, and this is a number", "take the rule out"},
	{"id_kind on bytes", "policy=none", FIELD("bytes f = 1 " RULES("id_kind: \"crs\"")),
	 "rule `id_kind` is for a string, and this is bytes", "take the rule out"},
	{"length of a number", "policy=required", FIELD("int64 f = 1 " RULES("max_length: 3")),
	 "rule `max_length` is for a string or bytes", "take the rule out"},
	{"length of a message", "policy=required",
	 FIELD("grpc_c.v1.NumberRange f = 1 " RULES("min_length: 3")), "rule `min_length`",
	 "take the rule out"},
	{"range of a string", "policy=required", FIELD("string f = 1 " RULES("range: {min: 1, max: 2}")),
	 "rule `range` is for a number", "take the rule out"},
	{"items of one", "policy=required", FIELD("string f = 1 " RULES("max_items: 2")),
	 "rule `max_items` is for a repeated field", "take the rule out"},
	{"required bool", "policy=required", FIELD("bool f = 1 " RULES("required: true")), "rule `required`",
	 "change the field's type"},
	{"lengths crossed", "policy=required", FIELD("string f = 1 " RULES("min_length: 9, max_length: 8")),
	 "min_length 9 is above max_length 8", "swap them"},
	{"items crossed", "policy=required",
	 FIELD("repeated string f = 1 " RULES("min_items: 9, max_items: 8")),
	 "min_items 9 is above max_items 8", "swap them"},
	{"items above what is the limit", "policy=required",
	 FIELD("repeated string f = 1 " RULES("min_items: 1001")), "min_items 1001 is above max_items 1000",
	 "say how many there may be"},
	{"range crossed", "policy=required", FIELD("int32 f = 1 " RULES("range: {min: 5}")),
	 "range min 5 is above max 0", "set both"},
	{"range empty", "policy=required", FIELD("int32 f = 1 " RULES("range: {}")), "range is empty",
	 "set both"},
	{"negative unsigned", "policy=required", FIELD("uint32 f = 1 " RULES("range: {min: -1, max: 2}")),
	 "is unsigned", "use 0"},
	{"id kind that is none", "policy=required", FIELD("string f = 1 " RULES("id_kind: \"Course\"")),
	 "id_kind \"Course\" is not a kind", "3 lower-case letters"},
	{"two forms", "policy=required",
	 FIELD("string f = 1 " RULES("id_kind: \"crs\", format: STRING_FORMAT_UUID")),
	 "both id_kind and format", "keep one"},
	{"required output", "policy=required",
	 FIELD("string f = 1 " RULES("required: true, output_only: true")),
	 "required of the client and output_only", "keep one"},
	{"no rule", "policy=required", FIELD("string f = 1 " RULES("")), "sets no rule", "take it out"},
	{"request_id without form", "policy=required",
	 "message Q {\n  string request_id = 1; // <--\n}\nservice S {\n  rpc Get(Q) returns (Q) {\n   "
	 " " SIGNED_IN "\n  }\n}\n",
	 "request_id of p.v1.Q must say it is a UUID", "STRING_FORMAT_UUID"},
	{"request_id that is a number", "policy=required",
	 "message Q {\n  int64 request_id = 1; // <--\n}\nservice S {\n  rpc Get(Q) returns (Q) {\n   "
	 " " SIGNED_IN "\n  }\n}\n",
	 "must be a singular string", "change its type"},
	{"reason without status", "policy=required",
	 "enum R {\n  option (grpc_c.v1.error_reasons) = true;\n  R_NONE = 0;\n  R_LOST = 1; // <--\n}\n",
	 "R_LOST has no gRPC status", "(grpc_c.v1.status) = N"},
	{"status that is none", "policy=required",
	 "enum R {\n  option (grpc_c.v1.error_reasons) = true;\n  R_NONE = 0;\n  R_LOST = 1 "
	 "[(grpc_c.v1.status) = 17]; // "
	 "<--\n}\n",
	 "R_LOST has no gRPC status", "from 1 to 16"},
	{"two of one name", "policy=none", "message Tiger {}\nmessage tiger {} // <--\n",
	 "message p.v1.tiger and message p.v1.Tiger (case.proto:6) would both be called Tiger", "names=long"},
	{"value and value", "policy=none",
	 "message A {\n  enum E { X = 0; }\n}\nenum F {\n  A_X = 0; // <--\n}\n", "would both be called A_X",
	 "rename one"},
	/* What a handler returns would be another number. */
	{"value and the runtime's", "policy=none",
	 "enum Status {\n  STATUS_FINE = 0;\n  STATUS_NOT_FOUND = 2; // <--\n}\n",
	 "a value of p.v1.Status and proto/runtime/error.h would both have a STATUS_NOT_FOUND", "names=long"},
	{"value and the server's", "policy=none", "enum Rpc {\n  RPC_ON_DB = 0; // <--\n}\n",
	 "a value of p.v1.Rpc and server/rpc/call.h would both have a RPC_ON_DB", "rename it"},
	{"value and the principal's", "policy=none", "enum Scope {\n  SCOPE_PAYMENTS = 0; // <--\n}\n",
	 "and server/base/principal.h would both have a SCOPE_PAYMENTS", "rename it"},
	{"value and protobuf-c's", "policy=none", "enum T {\n  PROTOBUF_C_TYPE_BOOL = 0; // <--\n}\n",
	 "protobuf-c.h would both have a PROTOBUF_C_TYPE_BOOL", "rename it"},
	{"value and C's", "policy=none", "enum N {\n  INT64_MAX = 0; // <--\n}\n",
	 "stdint.h would both have a INT64_MAX", "rename it"},
	{"value and guard", "policy=none", "enum G {\n  GEN_CASE_TABLES_H = 0; // <--\n}\n",
	 "a value of p.v1.G and file case.proto", "would both be called GEN_CASE_TABLES_H"},
	{"value and initializer", "policy=none", "message Foo {}\nenum E {\n  FOO_INIT = 0; // <--\n}\n",
	 "and message p.v1.Foo", "would both be called FOO_INIT"},
	{"value and handler's macro", "policy=none",
	 "message Q {}\nservice S {\n  rpc Get(Q) returns (Q); // <--\n}\nenum E {\n  S_GET = 0;\n}\n",
	 "method Get and a value of p.v1.E", "would both be called S_GET"},
	{"value and number of methods", "policy=none",
	 "message Q {}\nservice S { // <--\n  rpc Get(Q) returns (Q);\n}\nenum E {\n  S_N_METHODS = 0;\n}\n",
	 "service p.v1.S and a value of p.v1.E", "would both be called S_N_METHODS"},
	{"row and function", "policy=none,names=long",
	 "message Q {}\nservice S {\n  rpc Row(Q) returns (Q);\n  rpc Fn(Q) returns (Q); // <--\n}\n",
	 "method Fn and method Row (case.proto:8) would both be called p_v1_s_row_fn in C; rename one", ""},
	{"protobuf-c's of two messages", "policy=none,names=long",
	 "message Tiger {}\nmessage tiger {} // <--\n",
	 "message p.v1.tiger and message p.v1.Tiger (case.proto:6) would both be called P__V1__Tiger in C; "
	 "rename one",
	 ""},
	{"protobuf-c's of a oneof", "policy=none",
	 "message M {\n  oneof kind {\n    int32 a = 1;\n  }\n  message KindCase {} // <--\n}\n",
	 "message p.v1.M.KindCase and message p.v1.M", "would both be called P__V1__M__KindCase"},
	{"protobuf-c's of a service", "policy=none",
	 "message Q {}\nservice S {\n  rpc Init(Q) returns (Q); // <--\n}\n",
	 "method Init and service p.v1.S (case.proto:7) would both be called p__v1__s__init in C; rename one",
	 ""},
};

/* --- protoc --- */

struct workplace {
	char dir[PATH_MAX], proto[PATH_MAX + 16];
};

static void prepare(struct workplace *w)
{
	snprintf(w->dir, sizeof(w->dir), WORK_DIR "/refusals.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->proto, sizeof(w->proto), "%s/case.proto", w->dir);
}

static void remove_all(const struct workplace *w)
{
	DIR *dir = opendir(w->dir);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
	assert_int_equal(rmdir(w->dir), 0);
}

static void write_proto(const struct workplace *w, const char *body)
{
	FILE *f = fopen(w->proto, "w");

	assert_non_null(f);
	fprintf(f, "%s%s", head, body);
	assert_int_equal(fclose(f), 0);
}

/* Runs protoc with our plugin on the case. Returns its exit status; what it said is in `said`. */
static int generate(const struct workplace *w, const char *parameters, const char *import_dir, char *said,
		    size_t size)
{
	char command[8 * PATH_MAX];
	size_t len;
	FILE *p;
	int status;

	snprintf(command, sizeof(command),
		 "'%s' -I'%s' -I'%s' -I'%s' --plugin=protoc-gen-grpc-c='%s' --grpc-c_out='%s:%s' case.proto "
		 "2>&1",
		 PROTOC, w->dir, import_dir, WELLKNOWN_DIR, PLUGIN, parameters, w->dir);
	p = popen(command, "r");
	assert_non_null(p);
	len = fread(said, 1, size - 1, p);
	said[len] = '\0';
	status = pclose(p);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int blamed_line(const char *body)
{
	const char *mark = strstr(body, "<--");
	int line = HEAD_LINES + 1;

	assert_non_null(mark);
	for (const char *c = body; c < mark; c++)
		line += *c == '\n';
	return line;
}

static void assert_says(const struct refusal *r, const char *said, const char *text)
{
	if (!strstr(said, text))
		fail_msg("%s: \"%s\" is not in: %s", r->name, text, said);
}

static void check_refusal(const struct refusal *r)
{
	struct workplace w;
	char said[4096], place[64];

	prepare(&w);
	write_proto(&w, r->body);
	if (generate(&w, r->parameters, PROTO_DIR, said, sizeof(said)) == 0)
		fail_msg("%s: was accepted", r->name);
	snprintf(place, sizeof(place), "case.proto:%d: ", blamed_line(r->body));
	assert_says(r, said, place);
	assert_says(r, said, r->wrong);
	assert_says(r, said, r->fix);
	remove_all(&w);
}

static void test_refusals(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		check_refusal(&refusals[i]);
}

/* One run shows all that is wrong. */
static void test_all_at_once(void **state)
{
	struct workplace w;
	char said[4096];

	prepare(&w);
	write_proto(&w, "message Q {\n  int32 a = 1 " RULES("max_length: 1") "\n  int32 b = 2 " RULES(
				"max_items: 1") "\n  Q q = 3;\n}\n");
	assert_int_not_equal(generate(&w, "policy=required", PROTO_DIR, said, sizeof(said)), 0);
	assert_non_null(strstr(said, "case.proto:7: field a"));
	assert_non_null(strstr(said, "case.proto:8: field b"));
	assert_non_null(strstr(said, "case.proto:9: message is recursive"));
	remove_all(&w);
}

/* Options of a newer release must not be dropped in silence: the rule would not be enforced. */
static void test_unknown_rule(void **state)
{
	static const char newer[] = "syntax = \"proto3\";\n"
				    "package grpc_c.v1;\n"
				    "import \"google/protobuf/descriptor.proto\";\n"
				    "extend google.protobuf.FieldOptions { FieldRules rules = 51401; }\n"
				    "message FieldRules { bool required = 1; bool prime = 77; }\n";
	struct workplace w;
	char said[4096], newer_dir[PATH_MAX + 16], path[2 * PATH_MAX];
	FILE *f;

	prepare(&w);
	snprintf(newer_dir, sizeof(newer_dir), "%s/.newer", w.dir);
	snprintf(path, sizeof(path), "mkdir -p %s/grpc_c/v1", newer_dir);
	assert_int_equal(system(path), 0);
	snprintf(path, sizeof(path), "%s/grpc_c/v1/options.proto", newer_dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(newer, f);
	assert_int_equal(fclose(f), 0);

	write_proto(&w, FIELD("int32 f = 1 " RULES("required: true, prime: true")));
	assert_int_not_equal(generate(&w, "policy=none", newer_dir, said, sizeof(said)), 0);
	assert_non_null(strstr(said, "case.proto:7: option (grpc_c.v1.rules) sets field 77"));
	assert_non_null(strstr(said, "take it out"));

	snprintf(path, sizeof(path), "rm -r %s", newer_dir);
	assert_int_equal(system(path), 0);
	remove_all(&w);
}

static void test_unknown_parameter(void **state)
{
	struct workplace w;
	char said[4096];

	prepare(&w);
	write_proto(&w, "");
	assert_int_not_equal(generate(&w, "policy=maybe", PROTO_DIR, said, sizeof(said)), 0);
	assert_non_null(strstr(said, "policy=maybe"));
	assert_non_null(strstr(said, "policy=required|none"));
	remove_all(&w);
}

/* A value of a rule, as a .proto writes it. */
static const char *value_of(const ProtobufCFieldDescriptor *rule)
{
	switch (rule->type) {
	case PROTOBUF_C_TYPE_BOOL:
		return "true";
	case PROTOBUF_C_TYPE_STRING:
		return "\"crs\"";
	case PROTOBUF_C_TYPE_ENUM:
		return ((const ProtobufCEnumDescriptor *)rule->descriptor)->values[1].name;
	case PROTOBUF_C_TYPE_MESSAGE:
		return "{min: 1, max: 2}";
	default:
		return "1";
	}
}

/* A rule that the options have and that is refused of no field, whatever its type, is named. */
static void test_each_rule_refuses_a_type(void **state)
{
	const ProtobufCMessageDescriptor *rules = &grpc_c__v1__field_rules__descriptor;
	struct workplace w;

	prepare(&w);
	for (unsigned i = 0; i < rules->n_fields; i++) {
		char body[512], said[4096], wrong[64];
		const char *name = rules->fields[i].name, *value = value_of(&rules->fields[i]);

		if (strcmp(name, "output_only") == 0) /* any field may be the server's */
			continue;
		snprintf(body, sizeof(body),
			 "message M {}\nmessage Q {\n  bool a = 1 " RULES("%s: %s") "\n  string b = 2 " RULES(
				 "%s: %s") "\n  M c = 3 " RULES("%s: %s") "\n}\n",
			 name, value, name, value, name, value);
		snprintf(wrong, sizeof(wrong), "rule `%s` is for ", name);
		write_proto(&w, body);
		assert_int_not_equal(generate(&w, "policy=required", PROTO_DIR, said, sizeof(said)), 0);
		if (!strstr(said, wrong))
			fail_msg("no type of field is refused the rule `%s`: %s", name, said);
	}
	remove_all(&w);
}

/* What a strict run refuses, a lenient one takes; and what is right, both take. */
static void test_accepted(void **state)
{
	struct workplace w;
	char said[4096];

	prepare(&w);
	write_proto(&w,
		    "message Q {\n  Q q = 1;\n  google.protobuf.Struct s = 2;\n  string request_id = 3;\n}\n"
		    "service S {\n  rpc Get(Q) returns (Q);\n}\n");
	assert_int_equal(generate(&w, "policy=none", PROTO_DIR, said, sizeof(said)), 0);
	write_proto(
		&w,
		"message Q {\n  string request_id = 3 " RULES(
			"format: STRING_FORMAT_UUID, required: true") "\n"
								      "  repeated int32 n = 4 " RULES(
									      "range: {min: "
									      "-9223372036854775808, max: "
									      "3}, max_items: 2") "\n"
												  "  oneof o "
												  "{\n    "
												  "bool b = "
												  "5 " RULES(
													  "re"
													  "qu"
													  "ir"
													  "ed"
													  ": "
													  "tr"
													  "u"
													  "e") "\n    string c = 6;\n  }\n}\n"
													       "service S {\n  rpc Get(Q) returns (Q) {\n    " SIGNED_IN
													       "\n  }\n"
													       "  rpc Put(stream Q) returns (Q) {\n    option (grpc_c.v1.policy).access = ACCESS_SIGNED_IN;\n"
													       "    option (grpc_c.v1.policy).subject.source = SUBJECT_NONE;\n"
													       "    option (grpc_c.v1.policy).rate_class = \"x\";\n  }\n}\n");
	assert_int_equal(generate(&w, "policy=required,names=long", PROTO_DIR, said, sizeof(said)), 0);
	/* Names that options.proto has too, and values whose plain names no macro may take. */
	write_proto(&w, "message Access {}\nenum StringFormat {\n  X = 0;\n  name = 1;\n}\n"
			"message NumberRange {\n  Access access = 1;\n  grpc_c.v1.Access theirs = 2;\n}\n");
	assert_int_equal(generate(&w, "policy=required", PROTO_DIR, said, sizeof(said)), 0);
	remove_all(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),     cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_unknown_rule), cmocka_unit_test(test_unknown_parameter),
		cmocka_unit_test(test_accepted),     cmocka_unit_test(test_each_rule_refuses_a_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
