#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A column must refuse to compile with a member that is not of its type.
# Usage: test_db_table_types.sh COMPILER SOURCE_DIR
set -eu
cc=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# column TYPE DECLARATION: of a member m
column() {
	printf '%s\n' '#include "server/db/table.h"' 'enum kind { SOME };' "struct record { $2; };" \
		"#define COLUMNS(F, C, R) F(R, \"c\", $1, m)" 'DB_ROW(row, struct record, COLUMNS);' \
		'const struct db_row *used = &row;' >"$work/case.c"
	"$cc" -std=gnu17 -D_GNU_SOURCE -Wall -Werror -I"$source" -fsyntax-only "$work/case.c" 2>"$work/said"
}

# takes TYPE DECLARATION...: these and no other of all there are
takes() {
	type=$1
	shift
	for member in 'int64_t m' 'uint64_t m' 'int m' 'uint32_t m' 'enum kind m' 'bool m' 'int16_t m' 'double m' 'char *m' \
		'const char *m' 'char m[8]' 'uint8_t *m' 'uint8_t m[8]' 'struct span m'; do
		right=no
		for fit in "$@"; do
			[ "$fit" != "$member" ] || right=yes
		done
		if column "$type" "$member"; then taken=yes; else taken=no; fi
		[ $taken = $right ] || { echo "$type with $member: taken $taken" >&2; cat "$work/said" >&2; exit 1; }
		[ $taken = yes ] || grep -q DB_COLUMN_ "$work/said" || { cat "$work/said" >&2; exit 1; }
	done
}

takes I64 'int64_t m'
takes I64_OR_NULL 'int64_t m'
takes INT 'int m' 'uint32_t m' 'enum kind m'
takes BOOL 'bool m'
takes U64 'uint64_t m'
takes TEXT 'char *m' 'const char *m'
takes TEXT_OR_NULL 'char *m' 'const char *m'
takes CODE 'char m[8]'
takes BYTES 'struct span m'
takes FIXED 'uint8_t m[8]'
