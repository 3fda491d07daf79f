/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GEN_MODEL_H
#define GEN_MODEL_H

#include <google/protobuf/compiler/plugin.pb-c.h>
#include <google/protobuf/descriptor.pb-c.h>
#include <grpc_c/v1/options.pb-c.h>
#include <stdbool.h>

#include "problems.h"
#include "proto/runtime/arena.h"

/*
 * The files of one run as the emitters want them: every type with its C names and its custom options decoded.
 * Built once, then only read.
 */

typedef Google__Protobuf__FileDescriptorProto FileProto;
typedef Google__Protobuf__DescriptorProto MessageProto;
typedef Google__Protobuf__FieldDescriptorProto FieldProto;
typedef Google__Protobuf__EnumDescriptorProto EnumProto;
typedef Google__Protobuf__EnumValueDescriptorProto EnumValueProto;
typedef Google__Protobuf__ServiceDescriptorProto ServiceProto;
typedef Google__Protobuf__MethodDescriptorProto MethodProto;
typedef GrpcC__V1__FieldRules FieldRules;
typedef GrpcC__V1__MethodPolicy MethodPolicy;
typedef GrpcC__V1__SubjectPolicy SubjectPolicy;

/* Field numbers of descriptor.proto that make up the path of a declaration. */
enum {
	FILE_MESSAGE = 4,
	FILE_ENUM = 5,
	FILE_SERVICE = 6,
	MESSAGE_FIELD = 2,
	MESSAGE_NESTED = 3,
	MESSAGE_ENUM = 4,
	ENUM_VALUE = 2,
	SERVICE_METHOD = 2,
};

struct settings {
	bool require_policy; /* policy=required, the default; policy=none */
	bool long_names;     /* names=long; names=short, the default */
};

struct field {
	const FieldProto *proto;
	struct place place;
	unsigned index;          /* in protobuf-c's descriptor, whose fields are sorted by number */
	struct message *message; /* its type, when that is one */
	struct enumeration *enumeration;
	const FieldRules *rules; /* NULL: none */
};

struct message {
	struct file *file;
	const MessageProto *proto;
	struct place place;
	const char *full_name; /* "edu.v1.Course" */
	const char *c_type, *c_lower, *c_upper;
	const char *short_type;  /* "Course"; the C type itself when there is no short name */
	const char *short_upper; /* "COURSE", or NULL when there is no short name */
	const char *rules_name;  /* "edu_v1_course_rules"; NULL when its file has no tables */
	struct field *fields;    /* by number */
	size_t n_fields;
	bool is_map_entry;
	int visit; /* of the search for recursion */
};

struct reason {
	const EnumValueProto *proto;
	const char *name;     /* "COURSE_NOT_FOUND" */
	const char *variable; /* "REASON_COURSE_NOT_FOUND" */
	int status;
};

struct enumeration {
	struct file *file;
	const EnumProto *proto;
	struct place place;
	const char *full_name, *c_type, *c_upper;
	const char *short_type;
	const char *value_prefix; /* of the short names of its values: "" at the top level, "Outer_" in a
				     message */
	bool has_short;
	bool is_reasons;
	struct reason *reasons; /* all values but the zero value */
	size_t n_reasons;
};

/* How deep in a request the subject's field may lie. */
enum { SUBJECT_DEPTH_MAX = 4 };

struct method {
	const MethodProto *proto;
	struct place place;
	struct service *service;
	const char *lower, *upper; /* "get_course", "GET_COURSE" */
	struct message *request, *response;
	const MethodPolicy *policy; /* NULL: none */
	int request_id_field;
	const struct field *subject[SUBJECT_DEPTH_MAX]; /* the path of the policy's subject field */
	size_t n_subject;                               /* 0: it names none, or one that is not there */
};

struct service {
	struct file *file;
	const ServiceProto *proto;
	struct place place;
	const char *full_name;
	const char *lower, *upper; /* "edu_service", "EDU_SERVICE": what every identifier starts with */
	struct method *methods;
	size_t n_methods;
};

struct file {
	FileProto *proto;
	const char *path, *stem;
	bool generate;            /* asked for in this run */
	bool has_tables;          /* asked for in this run or another one; model.c says which have none */
	bool reached;             /* scratch of model_closure() and model_used() */
	struct message *messages; /* nested ones too */
	struct enumeration *enums;
	struct service *services;
	size_t n_messages, n_enums, n_services;
};

struct symbol {
	const char *name;
	struct message *message;
	struct enumeration *enumeration;
};

struct model {
	struct arena *arena;
	struct settings settings;
	struct problems problems;
	struct file *files; /* dependencies first */
	size_t n_files;
	struct symbol *symbols; /* by name */
	size_t n_symbols;
};

/* Reads the request. What is wrong goes to model->problems. */
void model_build(struct model *m, struct arena *a, const struct settings *settings,
		 const Google__Protobuf__Compiler__CodeGeneratorRequest *request);

bool model_is_repeated(const struct field *f);

/* The field of that name, `len` characters long; NULL: there is none. */
const struct field *model_field(const struct message *message, const char *name, size_t len);

/* The most items that a repeated field may have: what its rules say, or FIELD_ITEMS_MAX. */
uint32_t model_max_items(const struct field *f);

/* Sets `reached` on the files whose types the file's messages and methods speak of, and with a service on
 * those of the reasons, and clears it on the others. */
void model_used(struct model *m, const struct file *file);

/* Sets `reached` on the file and all it imports, and with a service on the files of the reasons, and clears
 * it on the others. */
void model_closure(struct model *m, const struct file *file);

#endif
