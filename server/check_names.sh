#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_names.sh CONTRACT_DIR FILE...: holds the areas' lists of names (server/app/names.h) against each other and against
# the contract: no two are the same, each has its form, and the kinds of ids are those that the contract's rules and
# comments (Typed id, "crs_") name.
set -eu
contract=$1
shift
named=$(sed -n -e 's/.*id_kind: "\([^"]*\)".*/\1/p' -e 's/.*Typed id, "\([^"]*\)_".*/\1/p' "$contract"/*.proto | sort -u)

awk -v named="$named" '
function fault(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	faults++
}

# Every kind of name has texts of its own: what is an id kind may be a noun of events too.
function unique(text) {
	if ((list, text) in where)
		fault("\"" text "\" is taken: " where[list, text])
	where[list, text] = FILENAME ":" FNR
}

function form(text, wanted, said) {
	if (text !~ "^" wanted "$")
		fault("\"" text "\" is not " said)
}

BEGIN {
	split(named, kinds, "\n")
	for (i in kinds)
		in_contract[kinds[i]] = 1
}

match($0, /^#define [A-Z]+(_TOKEN)?_[A-Z]+\(X\)/) {
	list = $2
	sub(/\(X\)/, "", list)
	token = list ~ /_TOKEN_/
	sub(/.*_/, "", list)
}

match($0, /X\([A-Z_]+, "[^"]*"/) {
	split(substr($0, RSTART + 2), part, /, "|"/)
	constant = part[1]
	text = part[2]
	unique(text)
	if (list == "IDS") {
		form(text, "[a-z][a-z][a-z]", "a kind of ids: write 3 lower-case letters")
		owned[text] = 1
		if (!token && !(text in in_contract))
			fault("the contract names no id \"" text "\": say so where it does, or take it out")
	}
}

END {
	for (kind in in_contract)
		if (!(kind in owned)) {
			print "the contract names ids \"" kind "\", and no area owns it: list it in <area>_names.h"
			faults++
		}
	exit faults > 0
}' "$@"
