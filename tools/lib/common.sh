# SPDX-License-Identifier: Apache-2.0
# Sourced by the commands in tools/: where things are, how they speak, and what they install.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${EDU_BUILD_DIR:-$ROOT/build}

say() { printf '%s\n' "$*"; }
step() { printf '\n==> %s\n' "$*"; }
die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

# What the build needs. mariadb-server-core is the server without a system service of its own.
PACKAGES_BUILD="cmake ninja-build gcc pkg-config protobuf-compiler protobuf-c-compiler libgrpc-dev libprotobuf-c-dev
	libprotobuf-dev libprotoc-dev libmariadb-dev mariadb-server-core mariadb-client libjwt-dev libssl-dev libsodium-dev
	libjansson-dev libbsd-dev libutf8proc-dev libcsv-dev libroaring-dev libstemmer-dev uthash-dev libmicrohttpd-dev libcmocka-dev ccache tzdata"
# What the tests need besides.
PACKAGES_TEST="python3 python3-venv curl haproxy openssl libfaketime"
# What tools/check needs besides.
PACKAGES_CHECK="clang clang-tidy clang-format libclang-rt-dev"

# need PACKAGE...: installs those that are missing; asks for root only when something is.
need() {
	local missing=() package
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -q '^installed$' || missing+=("$package")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	command -v apt-get >/dev/null || die "these Debian packages are missing: ${missing[*]}"
	local sudo=()
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || die "run as root, or install these packages first: ${missing[*]}"
		sudo=(sudo)
	fi
	step "Installing ${#missing[@]} Debian packages"
	"${sudo[@]}" apt-get update -qq
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		"${missing[@]}" >"${TMPDIR:-/tmp}/eduservice-apt.$$.log" 2>&1 || {
		tail -20 "${TMPDIR:-/tmp}/eduservice-apt.$$.log" >&2
		die "apt-get install failed; the lines above say why"
	}
	rm -f "${TMPDIR:-/tmp}/eduservice-apt.$$.log"
}

# need_go: the Go toolchain, which builds ghz and versitygw; any will do, 1.19 or later.
need_go() { command -v go >/dev/null || need golang-go ca-certificates; }

# build PRESET [TARGET...]: configures and builds build/PRESET, saying how it goes. $EDU_CMAKE_FLAGS go to cmake.
build() {
	local preset=$1
	shift
	step "Building ($preset)"
	(cd "$ROOT" && cmake --preset "$preset" -B "$BUILD/$preset" ${EDU_CMAKE_FLAGS:-} >"$BUILD/$preset.configure.log" 2>&1) || {
		tail -30 "$BUILD/$preset.configure.log" >&2
		die "configuring failed; the whole log is $BUILD/$preset.configure.log"
	}
	cmake --build "$BUILD/$preset" -- "$@"
}

mkdir -p "$BUILD"
