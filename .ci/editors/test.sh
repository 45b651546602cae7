#!/usr/bin/env bash
# test.sh [--nvim|--emacs|--helix|--vscode] DDLSP
# Runs the built server DDLSP in real editors against a real, private
# PostgreSQL. Fetches the editors on the first run. Exits with 1 if a test
# failed; what could not be run here is named at the end.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$here/postgres.sh"

which=all
case ${1:-} in
  --nvim | --emacs | --helix | --vscode) which=${1#--}; shift ;;
esac
[ $# = 1 ] && [ -x "$1" ] || { say "usage: $0 [--nvim|--emacs|--helix|--vscode] DDLSP (an executable)"; exit 2; }
ddlsp=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

WORK=$(mktemp -d /tmp/ddlsp-editors.XXXXXX)
export WORK
chmod 711 "$WORK" # the database's owner passes through
finish() {
  postgres_stop
  if [ -n "${KEEP:-}" ]; then say "kept: $WORK"; else rm -rf "$WORK"; fi
}
trap finish EXIT
postgres_start "$WORK/pg"

skipped=() failed=()
run() { # NAME PREPARE TEST
  local name=$1 began=$SECONDS
  [ "$which" = all ] || [ "$which" = "$name" ] || return 0
  say "== $name"
  if ! "$here/$2" >/dev/null; then
    skipped+=("$name: it could not be set up here (see above)")
    return 0
  fi
  local ready=$SECONDS
  "$here/$3" "$ddlsp" || failed+=("$name")
  say "== $name: set up in $((ready - began)) s, tested in $((SECONDS - ready)) s"
}
run nvim fetch-nvim.sh test-nvim.sh
run emacs fetch-emacs.sh test-emacs.sh
run helix fetch-helix.sh test-helix.sh
run vscode fetch-vscode.sh test-vscode.sh

for s in "${skipped[@]}"; do say "SKIPPED $s"; done
for f in "${failed[@]}"; do say "FAILED $f"; done
[ ${#failed[@]} = 0 ]
