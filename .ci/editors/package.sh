#!/usr/bin/env bash
# package.sh OUT [DDLSP]: packages the VS Code extension into OUT: universal,
# which takes the server from PATH; and, given the built server DDLSP, one for
# this machine's platform with the server in it. Lists what they hold, and
# fails when that is not what is meant to be in them.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
mkdir -p "$1"
out=$(cd "$1" && pwd)
ddlsp=${2:-}
have npm || { say "npm is needed"; exit 1; }
source=$root/editors/vscode
key=$(cat "$source"/package-lock.json | cksum)
if ! fresh extension "$key" || [ ! -d "$store/extension/node_modules" ]; then
  say "installing what the extension is built with"
  mkdir -p "$store/extension"
  cp "$source"/{package.json,package-lock.json,.npmrc} "$store/extension/"
  (cd "$store/extension" && npm ci --loglevel=error >&2)
  made extension "$key"
fi
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
# A copy, so that nothing is left in the sources.
tar -C "$source" --exclude=./node_modules --exclude=./dist --exclude=./bin -cf - . | tar -C "$build" -xf -
ln -s "$store/extension/node_modules" "$build/node_modules"
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$source/package.json")

# pack NAME LARGEST [TARGET]: LARGEST in kB.
pack() {
  local file=$out/$1 largest=$2 log
  log=$(cd "$build" && npx --no-install vsce package --no-dependencies ${3:+--target "$3"} -o "$file" 2>&1) || { say "$log"; exit 1; }
  local held expected kb
  held=$(unzip -Z1 "$file" | sort)
  expected="[Content_Types].xml
extension.vsixmanifest
extension/LICENSE.txt
extension/changelog.md
extension/dist/extension.js
extension/images/icon.png
extension/images/migrations.svg
extension/package.json
extension/readme.md
extension/syntaxes/elixir-sql.json
extension/walkthrough/new.md
extension/walkthrough/run.md
extension/walkthrough/sql.md
extension/walkthrough/state.md"
  [ -z "${3:-}" ] || expected="$expected
extension/bin/ddlsp"
  expected=$(sort <<<"$expected")
  [ "$held" = "$expected" ] || { say "$1 does not hold what it should:"; diff <(echo "$expected") <(echo "$held") >&2 || true; exit 1; }
  kb=$(($(stat -c %s "$file") / 1024))
  [ "$kb" -le "$largest" ] || { say "$1 has $kb kB, more than $largest"; exit 1; }
  unzip -Zl "$file" | awk '/extension\// {printf "  %9d %s\n", $4, $NF}'
  echo "$file: $kb kB"
}
have unzip || apt_install unzip
pack "ddlsp-$version.vsix" 300
if [ -n "$ddlsp" ]; then
  case $(uname -sm) in
    "Linux x86_64") target=linux-x64 ;;
    "Linux aarch64") target=linux-arm64 ;;
    "Darwin x86_64") target=darwin-x64 ;;
    "Darwin arm64") target=darwin-arm64 ;;
    *) say "no target for $(uname -sm)"; exit 1 ;;
  esac
  mkdir "$build/bin"
  install -m 755 "$ddlsp" "$build/bin/ddlsp"
  pack "ddlsp-$target-$version.vsix" 25000 "$target"
fi
