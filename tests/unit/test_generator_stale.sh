#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is generated follows every .proto it was made of: a field inserted in an imported file of another target moves
# the indexes in the tables, and a service that is added is generated without configuring anew.
# Usage: test_generator_stale.sh CMAKE GENERATOR SOURCE_DIR PLUGIN
set -eu
cmake=$1 generator=$2 source=$3 plugin=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(stale LANGUAGES C)
find_package(PkgConfig REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
include($source/cmake/Room.cmake)
foreach(room edu_runtime edu_client)
  add_library(\${room} INTERFACE)
endforeach()
target_include_directories(edu_flags INTERFACE $source)
add_executable(protoc-gen-grpc-c IMPORTED)
set_target_properties(protoc-gen-grpc-c PROPERTIES IMPORTED_LOCATION $plugin)
include($source/cmake/Proto.cmake)
edu_proto_c(TARGET wellknown PROTOS google/protobuf/descriptor.proto)
edu_proto_c(TARGET options PROTOS grpc_c/v1/options.proto IMPORT_DIRS $source/proto DEPS wellknown)
edu_proto_grpc(TARGET one POLICY required PROTOS one.proto IMPORT_DIRS $work $source/proto DEPS options)
edu_proto_grpc(TARGET two POLICY required PROTOS two.proto IMPORT_DIRS $work $source/proto DEPS one_tables)
EOF

# one FIELDS [MORE]
one() {
	cat >"$work/one.proto" <<EOF
syntax = "proto3";
package one;
import "grpc_c/v1/options.proto";
message Request {
  $1
  string request_id = 7 [(grpc_c.v1.rules) = {format: STRING_FORMAT_UUID}];
}
${2-}
EOF
}
cat >"$work/two.proto" <<'EOF'
syntax = "proto3";
package two;
import "grpc_c/v1/options.proto";
import "one.proto";
service Shop {
  rpc Buy(one.Request) returns (one.Request) {
    option (grpc_c.v1.policy) = {access: ACCESS_SIGNED_IN, subject: {source: SUBJECT_NONE}};
  }
}
EOF
run() {
	"$@" >"$work/said" 2>&1 || {
		cat "$work/said" >&2
		exit 1
	}
}
# expect FILE TEXT
expect() {
	grep -q "$2" "$work/build/gen/$1" || {
		echo "$1 does not say: $2" >&2
		exit 1
	}
}

one "string name = 3;"
run "$cmake" -G "$generator" -S "$work" -B "$work/build"
run "$cmake" --build "$work/build" --target two_tables one_server
expect two.tables.c "request_id_field = 1"
run "$cmake" --build "$work/build" --target two_tables

one "string name = 3; int64 amount = 5;"
run "$cmake" --build "$work/build" --target two_tables
expect two.tables.c "request_id_field = 2"

one "string name = 3;" 'service Desk {
  rpc Ask(Request) returns (Request) {
    option (grpc_c.v1.policy) = {access: ACCESS_PUBLIC};
  }
}'
run "$cmake" --build "$work/build" --target one_generated
expect one.server.h "one_desk_row_ask\|desk_row_ask"
