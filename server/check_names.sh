#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_names.sh CONTRACT_DIR FILE...: holds the areas' lists of names (server/app/names.h) against each other and against
# the contract. No two of a list are the same, and each has its form; the kinds of ids are those that the contract's rules
# and comments (Typed id, "crs_") name; a noun of events is one area's; an audited action is a method or a command.
set -eu
contract=$1
shift
named=$(sed -n -e 's/.*id_kind: "\([^"]*\)".*/\1/p' -e 's/.*Typed id, "\([^"]*\)_".*/\1/p' "$contract"/*.proto | sort -u |
	tr '\n' ' ')
methods=$(sed -n 's/^ *rpc \([A-Za-z0-9]*\).*/\1/p' "$contract"/*.proto | tr '\n' ' ')

awk -v named="$named" -v methods="$methods" '
function fault(text) {
	print place ": " text
	faults++
}

function form(text, wanted, said) {
	if (text !~ "^" wanted "$")
		fault("\"" text "\" is not " said)
	if (length(text) > 48) # what the tables of events and of the audit hold
		fault("\"" text "\" is longer than 48 characters")
}

# Two areas that give two names one constant would not compile together.
function check_constant(constant, prefix, words) {
	gsub(/[.-]/, "_", words)
	if (constant != prefix toupper(words))
		fault("call the constant " prefix toupper(words) ", not " constant)
}

function check_id(constant, kind, unnamed) {
	form(kind, "[a-z][a-z][a-z]", "a kind of ids: write 3 lower-case letters")
	ids[constant] = owned[kind] = 1
	if (!unnamed && !(kind in in_contract))
		fault("the contract names no id \"" kind "\": take it out, or say there which field it is")
}

function check_event(constant, kind, noun) {
	form(kind, "[a-z]+[.][a-z]+(_[a-z]+)*", "a kind of events: write \"noun.what_became_of_it\"")
	check_constant(constant, "EVENT_", kind)
	noun = substr(kind, 1, index(kind, ".") - 1)
	if ((noun in owner) && owner[noun] != FILENAME)
		fault("events of \"" noun "\" are those of " owner[noun])
	owner[noun] = FILENAME
}

function check_audit(constant, action, words) {
	if (action in is_method)
		gsub(/[A-Z]/, "_&", words)
	else
		form(action, "[a-z]+(-[a-z]+)*", "a method of the contract nor a command, as \"create-admin\"")
	check_constant(constant, "AUDIT" (action in is_method ? "" : "_"), words)
}

BEGIN {
	for (n = split(named, list_of); n > 0; n--)
		in_contract[list_of[n]] = 1
	for (n = split(methods, list_of); n > 0; n--)
		is_method[list_of[n]] = 1
}

{ place = FILENAME ":" FNR }

match($0, /^#define [A-Z_]+\(X\)/) { list = substr($0, 9, RLENGTH - 11) }

/^#define NOUN_/ { nouns[$3] = place; noun_file[$3] = FILENAME; to_come[$3] = /no call appends one yet/ }

/[ \t]X\(/ && !/X\([A-Z_]+, "[^"]*"(, [A-Z_]+)?\)/ {
	fault("this is no row: write X(CONSTANT, \"name\", SUBJECT), on one line")
}

match($0, /X\([A-Z_]+, "[^"]*"[^)]*\)/) {
	n = split(substr($0, RSTART + 2, RLENGTH - 3), part, /, "|", |"/)
	what = list
	sub(/.*_/, "", what)
	if ((what, part[2]) in taken)
		fault("\"" part[2] "\" is taken: " taken[what, part[2]])
	taken[what, part[2]] = place
	if (what == "IDS")
		check_id(part[1], part[2], list ~ /_UNNAMED_IDS$/)
	else if (what == "EVENTS")
		check_event(part[1], part[2])
	else if (what == "AUDITS")
		check_audit(part[1], part[2], part[2])
	else
		fault(list " is no list of names: end it with IDS, EVENTS or AUDITS")
	if (what != "IDS")
		subjects[part[3]] = place
}

END {
	for (subject in subjects)
		if (!(subject in ids)) {
			place = subjects[subject]
			fault("there is no kind of ids " subject)
		}
	for (noun in nouns) {
		place = nouns[noun]
		name = substr(noun, 2, length(noun) - 2)
		if (to_come[noun] && (name in owner))
			fault("events of " noun " are appended: say no longer that no call does")
		else if (!to_come[noun] && owner[name] != noun_file[noun])
			fault("no event of this area is of " noun)
	}
	place = "the contract"
	for (kind in in_contract)
		if (!(kind in owned))
			fault("no area owns its ids \"" kind "\": list them in <area>_names.h")
	exit faults > 0
}' "$@"
