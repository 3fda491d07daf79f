#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# As shared libraries, rooms link with what they declare and not with what that declares in turn; programs have it all.
# Usage: test_room_arrows.sh CMAKE GENERATOR SOURCE_DIR
set -eu
cmake=$1 generator=$2 source=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/rooms.h" <<'EOF'
int low(void);
int middle(void);
int high(void);
EOF
for room in low:2 'middle:low()' 'high:low() + middle()'; do
	printf '#include "rooms.h"\nint %s(void)\n{\n\treturn %s;\n}\n' "${room%%:*}" "${room#*:}" >"$work/${room%%:*}.c"
done
cat >"$work/program.c" <<'EOF'
#include "rooms.h"
int main(void)
{
	return high() - 2 * low();
}
EOF
# project DEPS: what high declares
project() {
	cat >"$work/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.25)
project(arrows LANGUAGES C)
include($source/cmake/Room.cmake)
edu_room(low SOURCES low.c)
edu_room(middle SOURCES middle.c DEPS low)
edu_room(high SOURCES high.c DEPS $1)
edu_program(program SOURCES program.c DEPS high)
EOF
}
# build SHARED
build() {
	"$cmake" -G "$generator" -S "$work" -B "$work/build" -DEDU_ROOMS_SHARED="$1" &&
		"$cmake" --build "$work/build" && "$work/build/program"
}
# wrong WHAT
wrong() {
	cat "$work/said" >&2
	echo "$1" >&2
	exit 1
}

project middle
build ON >"$work/said" 2>&1 && wrong "an arrow that high does not declare linked"
grep -Eq "undefined reference to .low'|symbol 'low'|DSO missing" "$work/said" || wrong "the linker does not name low"
project "middle low"
build ON >"$work/said" 2>&1 || wrong "declared arrows did not link"
build OFF >"$work/said" 2>&1 || wrong "static rooms did not link"
