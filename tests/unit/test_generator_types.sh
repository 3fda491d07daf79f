#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The row macros must refuse a handler of the wrong type, and the link a service with a method that nobody serves.
# Usage: test_generator_types.sh COMPILER SOURCE_DIR GENERATED_DIR
set -eu
cc=$1 source=$2 generated=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() {
	printf '%s\n' '#include "zoo/v1/zoo.server.h"' "$1" >"$work/case.c"
	"$cc" -std=gnu17 -D_GNU_SOURCE -I"$source" -I"$generated" -c -o "$work/case.o" "$work/case.c" 2>"$work/said"
}

refuses() {
	if compile "$2"; then
		echo "accepted: $1" >&2
		exit 1
	fi
	grep -q "$3" "$work/said" || { echo "$1: compiler said:" >&2; cat "$work/said" >&2; exit 1; }
}

feed='static int feed(struct rpc_call *c, const FeedRequest *q, FeedResponse *r, struct error *e) { return 0; }'
wrong='static int feed(struct rpc_call *c, const FeedRequest *q, WatchResponse *r, struct error *e) { return 0; }'

compile "$feed ZOO_FEED(feed, RPC_ON_POLLER);"
compile "$feed ZOO_FEED(&feed, RPC_ON_DB, .hot = true);"
refuses "wrong response type" "$wrong ZOO_FEED(feed, RPC_ON_POLLER);" _Generic
refuses "callbacks of another method" \
	"static const struct zoo_talk_stream s; ZOO_WATCH(&s, RPC_ON_POLLER);" _Generic
refuses "method served twice" "$feed ZOO_FEED(feed, RPC_ON_POLLER); ZOO_FEED(feed, RPC_ON_DB);" redefinition

compile "int main(void) { static const struct rpc_row *const rows[] = ZOO_ROWS; return rows[0] == rows[1]; }"
if "$cc" -o "$work/case" "$work/case.o" 2>"$work/said"; then
	echo "linked: a service nobody serves" >&2
	exit 1
fi
# The linker's word names each method, and the macro that serves it.
for row in ZOO_FEED__must_serve__zoo.v1.Zoo.Feed ZOO_TALK__must_serve__zoo.v1.Zoo.Talk; do
	grep -q "undefined reference to .$row'\$" "$work/said" || { cat "$work/said" >&2; exit 1; }
done
