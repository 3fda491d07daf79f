#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds versitygw, a server of S3's protocol that verifies signatures, through the Go toolchain into the directory given. Does
# nothing when it is there.
set -euo pipefail
directory=${1:?usage: versitygw.sh DIRECTORY}
version=v1.8.0
toolchain=1.25.0 # what it needs at least; an older Go fetches this one as a module
[ -x "$directory/versitygw" ] && [ "$(cat "$directory/.version" 2>/dev/null)" = $version ] && exit 0
command -v go >/dev/null || {
	echo "versitygw.sh: the Go toolchain is needed to build versitygw (Debian package golang-go)" >&2
	exit 127
}
mkdir -p "$directory"
directory=$(realpath "$directory")
cd /
go=go
printf '==> Building versitygw %s, once, in some three minutes\n' $version >&2
if printf '%s\n' "go version go$toolchain" "$(go version | cut -d ' ' -f 1-3)" | sort -V -C; then
	:
else
	module=golang.org/toolchain@v0.0.1-go$toolchain.$(go env GOOS)-$(go env GOARCH)
	root=$(go mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
	chmod +x "$root"/bin/* "$root"/pkg/tool/*/* # which a module's files are not
	go=$root/bin/go
fi
GOTOOLCHAIN=local GOBIN=$directory "$go" install github.com/versity/versitygw/cmd/versitygw@$version 2>"$directory/build.log" || {
	tail -20 "$directory/build.log" >&2
	exit 1
}
printf %s $version >"$directory/.version"
