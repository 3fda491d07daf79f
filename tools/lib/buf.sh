#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs buf at the pinned version from the repository root; installs it under build/tools when it is missing.
#   tools/lib/buf.sh lint
set -eu

version=1.75.0

cd "$(dirname "$0")/../.."
root=build/tools/buf-$version
if [ ! -x "$root/node_modules/.bin/buf" ]; then
	command -v npm >/dev/null || { echo "buf.sh: npm is needed to install buf $version" >&2; exit 127; }
	mkdir -p "$root"
	npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$root" "@bufbuild/buf@$version" >&2
fi
exec "$root/node_modules/.bin/buf" "$@"
