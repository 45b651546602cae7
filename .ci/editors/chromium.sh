#!/usr/bin/env bash
# Prints the path of a Chromium or Chrome (CHROMIUM names another), and
# installs Debian's when there is none.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

find_browser() {
  local name
  for name in ${CHROMIUM:-} chromium chromium-browser google-chrome google-chrome-stable; do
    if have "$name"; then
      command -v "$name"
      return
    fi
  done
  return 1
}

find_browser && exit
say "installing Chromium"
apt_install chromium fonts-dejavu-core
find_browser
