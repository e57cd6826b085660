#!/bin/sh
# Installs what Wirebed needs from Debian's own packages; does nothing where all is there.
#   sh setup.sh            to build and run it
#   sh setup.sh --tests    to run its tests as well
#   sh setup.sh --checks   to run everything: make check, make fuzz, interoperation
# SPDX-License-Identifier: MIT
set -eu

build='gcc libc6-dev make pkgconf libpcap-dev liblua5.4-dev libyaml-dev libjansson-dev libxxhash-dev'
tests='libcunit1-dev'
checks='clang clang-format libclang-rt-14-dev cppcheck tshark jq git iproute2 valgrind'

case "${1-}" in
'') packages=$build ;;
--tests) packages="$build $tests" ;;
--checks) packages="$build $tests $checks" ;;
*)
    echo "setup.sh: unknown option '$1'; known are --tests and --checks" >&2
    exit 2
    ;;
esac

missing=
for package in $packages; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
    installed) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup.sh: run as root once:  apt-get install$missing" >&2
        exit 3
    }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root apt-get install -y -qq --no-install-recommends $missing
