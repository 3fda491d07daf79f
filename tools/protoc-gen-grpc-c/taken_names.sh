#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every identifier of what generated code includes, each with the header that has it first, as the table of
# taken_names.h. Usage: taken_names.sh OUTPUT SOURCE_DIR COMPILER [FLAG...]; the compiler preprocesses.
set -eu
output=$1 source=$2
shift 2
printf '#include "%s"\n' client/client.h server/rpc/call.h proto/runtime/service.h |
	"$@" -I"$source" -E -dD -x c - >"$output.i"
awk -v source="$source/" '
	/^# [0-9]+ "/ {
		split($0, mark, "\"")
		file = mark[2]
		sub("^.*" source, "", file)
		sub("^<.*>$", "the compiler", file)
		next
	}
	/^#undef/ { next }
	{
		gsub(/"([^"\\]|\\.)*"/, " ")
		gsub(/[^A-Za-z0-9_]+/, " ")
		n = split($0, token, " ")
		for (i = 1; i <= n; i++)
			if (token[i] ~ /^[A-Za-z_]/ && !(token[i] in seen)) {
				seen[token[i]] = 1
				printf "\t{\"%s\", \"%s\"},\n", token[i], file
			}
	}' "$output.i" | LC_ALL=C sort >"$output.rows"
{
	printf '#include "taken_names.h"\n\nconst struct taken_name taken_names[] = {\n'
	cat "$output.rows"
	printf '};\nconst size_t n_taken_names = sizeof(taken_names) / sizeof(taken_names[0]);\n'
} >"$output.new"
rm "$output.i" "$output.rows"
cmp -s "$output.new" "$output" && rm "$output.new" || mv "$output.new" "$output"
