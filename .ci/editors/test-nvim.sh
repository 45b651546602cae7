#!/usr/bin/env bash
# test-nvim.sh DDLSP: the session of nvim/spec.lua. Expects PG* to lead to a
# PostgreSQL server (test.sh starts one) and WORK to name a scratch directory.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
ddlsp=$1
nvim=$("$here/fetch-nvim.sh")
"$nvim" --version | sed -n 1p >&2

work=$WORK/nvim
mkdir -p "$work"/{home,bin}
ln -sf "$ddlsp" "$work/bin/ddlsp"
cp -r "$root/editors/nvim" "$work/plugin"
cp -r "$here/fixture" "$work/workspace"
for project in metrics shop; do
  psql -Xq -d postgres -c "CREATE DATABASE nvim_$project"
done
url=postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT
export EDITOR_TEST_METRICS_URL="$url/nvim_metrics" EDITOR_TEST_SHOP_URL="$url/nvim_shop"
export EDITOR_TEST_ASKING_URL="postgres://$PGUSER@$PGHOST:$PGPORT/nvim_metrics"
export METRICS_DB=nvim_metrics SHOP_DB=nvim_shop
export HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config" XDG_DATA_HOME="$work/home/.local/share" XDG_STATE_HOME="$work/home/.local/state" XDG_CACHE_HOME="$work/home/.cache"
export PATH="$work/bin:$PATH" DDLSP_PLUGIN="$work/plugin"

# The help's tags: a duplicate fails here.
"$nvim" --clean --headless -c "helptags $work/plugin/doc" -c q

# The server must not find the password in its environment.
export TEST_PASSWORD=$PGPASSWORD
unset PGPASSWORD
status=0
timeout 120 "$nvim" --clean --headless -u "$here/nvim/init.lua" -l "$here/nvim/spec.lua" "$work/workspace" 2>&1 || status=$?
[ "$status" = 0 ] || sed -n '1,40p' "$XDG_STATE_HOME/nvim/lsp.log" >&2 2>/dev/null || true
exit "$status"
