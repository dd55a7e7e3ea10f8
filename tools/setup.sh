#!/usr/bin/env bash
# Installs what a build ("setup.sh build"), the tests as well ("setup.sh test") or the benchmarks as
# well ("setup.sh bench") need and lack: Debian packages from third_party/debian-packages.txt, npm
# packages from third_party/npm.
# Asks the registries only when something is missing, so that a second call takes no time.
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-test}
list=third_party/debian-packages.txt
stamp=third_party/npm/node_modules/.installed-lock

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

wanted_packages() {
  awk -v what="$what" '!/^#/ && NF && ($2 == "" || what == "bench" || $2 == what) { print $1 }' \
    "$list"
}

# A machine may have Node.js from elsewhere; Debian's packages would collide with it.
provided_elsewhere() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) false ;;
  esac
}

missing_packages() {
  local installed name
  # shellcheck disable=SC2046
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $(wanted_packages) 2>/dev/null |
    awk '$1 == "ii" { print $2 }') || true
  for name in $(wanted_packages); do
    grep -qxF "$name" <<<"$installed" || provided_elsewhere "$name" || echo "$name"
  done
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "$@" </dev/null
}

missing=$(missing_packages)
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086
  echo "installing:" $missing
  # The lists of a fresh machine may be absent or old: fetch them only if the first try fails.
  # shellcheck disable=SC2086
  install_packages $missing || { as_root apt-get update -q && install_packages $missing; }
fi

lock_sum=$(sha256sum <third_party/npm/package-lock.json)
if [ "$(cat "$stamp" 2>/dev/null)" != "$lock_sum" ]; then
  # Scripts off: DuckDB's would compile it from source, and only its headers are wanted.
  (cd third_party/npm && npm ci --ignore-scripts --no-audit --no-fund)
  echo "$lock_sum" >"$stamp"
fi
