#!/usr/bin/env bash
# Makes a Python environment with what the tests need of other languages' gRPC, at the path given. Does nothing when it
# is there.
set -euo pipefail
venv=${1:?usage: venv.sh DIRECTORY}
# grpcio-reflection speaks v1alpha and v1; protobuf agrees with Debian 12's protoc 3.21.
wanted="grpcio==1.62.3 grpcio-reflection==1.62.3 protobuf==4.25.8"
[ -f "$venv/.wanted" ] && [ "$(cat "$venv/.wanted")" = "$wanted" ] && exit 0
rm -rf "$venv"
python3 -m venv "$venv"
# shellcheck disable=SC2086
"$venv/bin/pip" install --quiet --disable-pip-version-check $wanted
printf '%s' "$wanted" >"$venv/.wanted"
