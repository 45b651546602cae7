#!/usr/bin/env bash
# test-helix.sh DDLSP: a user's session in a real Helix on a terminal's screen,
# read through tmux. Expects PG* to lead to a PostgreSQL server (test.sh starts
# one) and WORK to name a scratch directory.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
ddlsp=$1
hx=$("$here/fetch-helix.sh")
"$hx" --version >&2

work=$WORK/helix
mkdir -p "$work"/{home/.config/helix,bin}
ln -sf "$ddlsp" "$work/bin/ddlsp"
cp -r "$here/fixture/metrics" "$work/metrics"
rm "$work/metrics/migrations/00003_create_readings.sql" # empty, for other tests
psql -Xq -d postgres -c "CREATE DATABASE helix_metrics"
url=postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT
export EDITOR_TEST_METRICS_URL="$url/helix_metrics" EDITOR_TEST_ASKING_URL="$url/helix_metrics"
export HOME="$work/home" XDG_CONFIG_HOME="$work/home/.config" XDG_CACHE_HOME="$work/home/.cache" PATH="$work/bin:$PATH"
export TERM=screen-256color LC_ALL=C.UTF-8

# The configuration is the one that the documentation shows.
sed -n '/^## Helix/,/^## /p' "$root/docs/editors.md" | sed -n '/^```toml/,/^```/p' | sed '/^```/d' >"$HOME/.config/helix/languages.toml"
[ -s "$HOME/.config/helix/languages.toml" ] || { say "docs/editors.md shows no configuration of Helix"; exit 1; }

tm() { tmux -L "ddlsp-$$" -f /dev/null "$@"; }
finish() { tm kill-server 2>/dev/null || true; }
trap finish EXIT

screen() { tm capture-pane -p -t s; }
# One key after the other: Escape and what follows at once would be Alt.
keys() {
  local k
  for k; do
    tm send-keys -t s "$k"
    sleep 0.1
  done
}
await() { # WHAT TEXT: waits until the screen shows it
  local n
  for ((n = 0; n < 100; n++)); do
    if screen | grep -qF -- "$2"; then
      say "ok   $1"
      return
    fi
    sleep 0.1
  done
  say "FAIL $1: the screen never shows \"$2\":"
  screen >&2
  exit 1
}
open() { # FILE: in a new Helix
  tm kill-session -t s 2>/dev/null || true
  tm new-session -d -s s -x 170 -y 40 -c "$work/metrics" "$hx $1"
}

"$hx" --health sql | grep -q 'ddlsp' || { say "FAIL hx --health sql does not know ddlsp"; "$hx" --health sql >&2; exit 1; }
say "ok   hx --health sql knows ddlsp"

open migrations/00002_index_device_names.sql
await "a finding is shown" 'blocks every write to "devices"'
keys j Space a
await "code actions are offered" "Build the index concurrently"
keys Enter
await "the fix is applied" "CREATE INDEX CONCURRENTLY devices_name_idx"
keys Escape ":w" Enter
await "the fixed file is saved" "written"
grep -q CONCURRENTLY "$work/metrics/migrations/00002_index_device_names.sql"

printf -- '-- +goose Up\n\n-- +goose Down\n' >"$work/metrics/migrations/00009_add_note_to_devices.sql"
open migrations/00009_add_note_to_devices.sql
await "the file is shown" "+goose Up"
sleep 1 # the server starts
keys j i "add_col"
await "a template is offered" "add_column"
keys C-n Enter Escape
await "the template is expanded, its down too" "ALTER TABLE devices DROP COLUMN note;"
keys Escape ":w" Enter
sleep 0.5
diff <(printf -- '-- +goose Up\nALTER TABLE devices ADD COLUMN note text;\n\n-- +goose Down\nALTER TABLE devices DROP COLUMN note;\n') \
  "$work/metrics/migrations/00009_add_note_to_devices.sql" >&2 || { say "FAIL what was completed"; exit 1; }

keys ":lsp-workspace-command ddlsp.status" Enter
await "a command says its result" "0 of 3 applied"
keys Escape ":lsp-workspace-command ddlsp.migrate" Enter
await "what changes a database is asked for first" "Apply 3 migrations to helix_metrics"
there() { [ "$(psql -XAtq -d helix_metrics -c "SELECT to_regclass('public.devices') IS NOT NULL")" = t ]; }
keys Escape
await "no answer is a no" "Not confirmed"
! there || { say "FAIL it migrated unasked"; exit 1; }
keys Escape ":lsp-workspace-command ddlsp.migrate" Enter
await "it asks again" "Apply 3 migrations to helix_metrics"
keys Enter
await "a yes migrates" "3 applied"
there || { say "FAIL it did not migrate"; exit 1; }
