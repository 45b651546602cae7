#!/usr/bin/env bash
# test-emacs.sh DDLSP: the session of emacs/spec.el. Expects PG* to lead to a
# PostgreSQL server (test.sh starts one) and WORK to name a scratch directory.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
ddlsp=$1
emacs=$("$here/fetch-emacs.sh")
"$emacs" --version | sed -n 1p >&2

work=$WORK/emacs
mkdir -p "$work"/{home,bin}
ln -sf "$ddlsp" "$work/bin/ddlsp"
cp -r "$here/fixture" "$work/workspace"
psql -Xq -d postgres -c "CREATE DATABASE emacs_metrics"
url=postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT
export EDITOR_TEST_METRICS_URL="$url/emacs_metrics" EDITOR_TEST_ASKING_URL="$url/emacs_metrics" EDITOR_TEST_SHOP_URL="$url/emacs_metrics"
export HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config" XDG_CACHE_HOME="$work/home/.cache" PATH="$work/bin:$PATH"
export WORKSPACE="$work/workspace" METRICS_DB=emacs_metrics TEST_PASSWORD=$PGPASSWORD

# The configuration is the one that the documentation shows.
sed -n '/^## Emacs/,/^## /p' "$root/docs/editors.md" | sed -n '/^```elisp/,/^```/p' | sed '/^```/d' >"$work/init.el"
[ -s "$work/init.el" ] || { say "docs/editors.md shows no configuration of Emacs"; exit 1; }

# The server must not find the password in its environment.
unset PGPASSWORD
timeout 90 "$emacs" -Q --batch \
  --eval "(setq native-comp-enable-subr-trampolines nil native-comp-jit-compilation nil)" \
  -l "$work/init.el" -l "$here/emacs/spec.el" 2>&1
