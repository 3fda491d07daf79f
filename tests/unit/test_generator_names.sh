#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The short name of an enum's value is a macro, and would replace any other of its name without a word. So the generator
# must know every name that could be one: this gives each macro and constant of generated headers, and of those that they
# include, to a value of somebody's enum, and each must be refused by name.
# Usage: test_generator_names.sh COMPILER PROTOC PLUGIN SOURCE_DIR GENERATED_DIR WELLKNOWN_DIR
set -eu
cc=$1 protoc=$2 plugin=$3 source=$4 generated=$5 wellknown=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for part in pb-c tables server client; do
	echo "#include \"zoo/v1/zoo.$part.h\""
done >"$work/all.c"
"$cc" -std=gnu17 -D_GNU_SOURCE -I"$source" -I"$generated" -E -dD "$work/all.c" |
	awk '/^# [0-9]+ "/ { skip = /all\.c/; next } /^#undef/ { next } !skip { gsub(/"([^"\\]|\\.)*"/, " "); print }' |
	tr -cs 'A-Za-z0-9_' '\n' | grep '^[A-Z][A-Za-z0-9]*_' | sort -u >"$work/names"

{
	echo 'syntax = "proto3"; package clash; import "zoo/v1/zoo.proto";'
	echo 'message Uses { zoo.v1.Animal animal = 1; }'
	echo 'enum Values {'
	awk '{ printf "  %s = %d;\n", $1, NR - 1 }' "$work/names"
	echo '}'
} >"$work/clash.proto"
if "$protoc" -I"$work" -I"$source/tests/lib/proto" -I"$wellknown" --plugin=protoc-gen-grpc-c="$plugin" \
	--grpc-c_out=policy=none:"$work" clash.proto 2>"$work/said"; then
	echo "accepted" >&2
	exit 1
fi
missed=
while read -r name; do
	grep -q "\(called\|have a\) $name in C" "$work/said" || missed="$missed $name"
done <"$work/names"
[ -z "$missed" ] || {
	echo "taken without a word:$missed" >&2
	exit 1
}
echo "$(wc -l <"$work/names") names refused"
