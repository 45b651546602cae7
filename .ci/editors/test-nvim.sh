#!/usr/bin/env bash
# test-nvim.sh DDLSP: the session of nvim/spec.lua in the current Neovim and in
# the oldest that the plugin works in, one on a terminal's screen, and the ways
# to install the plugin. Expects PG* to lead to a PostgreSQL server (test.sh
# starts one) and WORK to name a scratch directory.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
ddlsp=$1
work=$WORK/nvim
mkdir -p "$work/bin"
ln -sf "$ddlsp" "$work/bin/ddlsp"
cp -r "$root/editors/nvim" "$work/plugin"
# The server must not find the password in its environment.
export TEST_PASSWORD=$PGPASSWORD DDLSP_PLUGIN="$work/plugin" PATH="$work/bin:$PATH"
url=postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT
unset PGPASSWORD
status=0

# The parsers that the injected SQL is tested with, from the sources that the
# server itself is built with.
parsers=$work/treesitter
sources=$(cd "$root" && go list -m -f '{{.Dir}}' github.com/smacker/go-tree-sitter 2>/dev/null || true)
if [ -n "$sources" ] && have cc; then
  mkdir -p "$parsers/parser"
  for language in elixir sql; do
    cc -O1 -shared -fPIC -I"$sources" -I"$sources/$language" -o "$parsers/parser/$language.so" "$sources/$language"/{parser,scanner}.c 2>/dev/null || rm -rf "$parsers"
  done
fi
export DDLSP_PARSERS="$parsers"

# prepare NAME: a home, a workspace and databases of its own.
prepare() {
  local name=$1 project
  mkdir -p "$work/$name"
  cp -r "$here/fixture" "$work/$name/workspace"
  for project in metrics shop; do
    PGPASSWORD=$TEST_PASSWORD psql -Xq -d postgres -c "CREATE DATABASE ${name}_$project"
  done
  export EDITOR_TEST_METRICS_URL="$url/${name}_metrics" EDITOR_TEST_SHOP_URL="$url/${name}_shop"
  export EDITOR_TEST_ASKING_URL="postgres://$PGUSER@$PGHOST:$PGPORT/${name}_metrics"
  export METRICS_DB=${name}_metrics SHOP_DB=${name}_shop
  export HOME="$work/$name" XDG_CONFIG_HOME="$work/$name/.config" XDG_DATA_HOME="$work/$name/.local/share" XDG_STATE_HOME="$work/$name/.local/state" XDG_CACHE_HOME="$work/$name/.cache"
}

# session NAME NVIM
session() {
  local name=$1 nvim=$2 failed=
  say "-- $name: $("$nvim" --version | sed -n 1p)"
  prepare "$name"
  # The help's tags: a duplicate fails here.
  "$nvim" --clean --headless -c "helptags $work/plugin/doc" -c q
  timeout 120 "$nvim" --clean --headless -u "$here/nvim/init.lua" -l "$here/nvim/spec.lua" "$work/$name/workspace" 2>&1 || failed=1
  if [ -n "$failed" ]; then
    sed -n '1,40p' "$XDG_STATE_HOME/nvim/lsp.log" >&2 2>/dev/null || true
    status=1
  fi
}

nvim=$("$here/fetch-nvim.sh")
session nvim "$nvim"
session nvim010 "$("$here/fetch-nvim.sh" --oldest)"
. "$here/nvim/screen.sh"
. "$here/nvim/install.sh"
exit "$status"
