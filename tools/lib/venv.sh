#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Python environment at the path given, with what the tests need of other languages' gRPC or with the packages
# named. Does nothing when it is there.
set -euo pipefail
venv=${1:?usage: venv.sh DIRECTORY [PACKAGE==VERSION...]}
shift
# Built for the Pythons of Debian 12 and 13; this protobuf still takes what their protoc 3.21 generates.
wanted=${*:-grpcio==1.71.2 grpcio-reflection==1.71.2 protobuf==5.29.5}
[ -f "$venv/.wanted" ] && [ "$(cat "$venv/.wanted")" = "$wanted" ] && exit 0
rm -rf "$venv"
python3 -m venv "$venv"
# shellcheck disable=SC2086
"$venv/bin/pip" install --quiet --disable-pip-version-check $wanted
printf '%s' "$wanted" >"$venv/.wanted"
