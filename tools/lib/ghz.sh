#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds ghz, the load generator, through the Go toolchain into the directory given. Does nothing when it is there.
set -euo pipefail
directory=${1:?usage: ghz.sh DIRECTORY}
version=v0.117.0 # the last that Debian 12's Go 1.19 builds
[ -x "$directory/ghz" ] && [ "$(cat "$directory/.version" 2>/dev/null)" = $version ] && exit 0
command -v go >/dev/null || {
	echo "ghz.sh: the Go toolchain is needed to build ghz (Debian package golang-go)" >&2
	exit 127
}
mkdir -p "$directory"
printf '==> Building ghz %s, once, in some two minutes\n' $version >&2
(cd / && GOBIN=$(realpath "$directory") go install github.com/bojand/ghz/cmd/ghz@$version) 2>"$directory/build.log" || {
	tail -20 "$directory/build.log" >&2
	exit 1
}
printf %s $version >"$directory/.version"
