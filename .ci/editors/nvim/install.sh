# The ways to install the plugin that its README gives, each taken as it stands
# there: only the repository's address is exchanged for a clone of this one.
# Sourced by test-nvim.sh. The plugin managers are taken from PLUGIN_MANAGERS
# (git directories DIR/lazy.nvim and DIR/vim-plug), else cloned from GitHub.
say "-- ways to install"
prepare install
origin=$work/install/origin/ddlsp
mkdir -p "$origin"
# What is committed, and what is not yet.
(cd "$root" && git ls-files -co --exclude-standard editors/nvim README.md | tar -cf - -T - | tar -C "$origin" -xf -)
(cd "$origin" && git init -q -b main && git add -A && git -c user.name=t -c user.email=t@example.org commit -qm x)

# code FILE LANGUAGE N: the Nth block of that language in the README.
code() { awk -v want="$2" -v n="$3" '$0 == "```" want {i++; on = 1; next} /^```/ {on = 0} on && i == n' "$1"; }
readme=$root/editors/nvim/README.md

# manager NAME: the clone of a plugin manager, or nothing.
manager() {
  local from=${PLUGIN_MANAGERS:+$PLUGIN_MANAGERS/$1}
  local dest=$store/$1
  [ -d "$dest/.git" ] && { echo "$dest"; return; }
  case $1 in
    lazy.nvim) : "${from:=https://github.com/folke/lazy.nvim}" ;;
    vim-plug) : "${from:=https://github.com/junegunn/vim-plug}" ;;
  esac
  GIT_TERMINAL_PROMPT=0 timeout 60 git clone -q --depth 1 "$from" "$dest" 2>/dev/null && echo "$dest"
}

# try NAME NVIM [ARG...]: the server starts for a migration, without an error.
try() {
  local name=$1 with=$2
  shift 2
  if ! timeout 60 "$with" --headless "$@" -l "$here/nvim/installed.lua" "$work/install/workspace" >"$work/install/$name.log" 2>&1; then
    cat "$work/install/$name.log"
    echo "FAIL install by $name"
    status=1
  else
    echo "ok   install by $name"
  fi
}
config=$XDG_CONFIG_HOME/nvim
fresh_home() { rm -rf "$XDG_CONFIG_HOME" "$XDG_DATA_HOME" "$XDG_STATE_HOME" "$XDG_CACHE_HOME" && mkdir -p "$config"; }

fresh_home
code "$readme" lua 3 | sed "s#/path/to/ddlsp#$origin#" >"$config/init.lua"
grep -q "$origin" "$config/init.lua"
try manual "$nvim" -u "$config/init.lua"
try manual-010 "$(EDITORS_DIR=$store "$here/fetch-nvim.sh" --oldest)" -u "$config/init.lua"

if "$nvim" --clean --headless -c 'lua os.exit(vim.pack and 0 or 1)' 2>/dev/null; then
  fresh_home
  code "$readme" lua 2 | sed "s#https://github.com/ddlsp/ddlsp#file://$origin#" >"$config/init.lua"
  grep -q "$origin" "$config/init.lua"
  sed -i '1i vim.fn.confirm = function() return 1 end' "$config/init.lua" # it asks before it installs
  try vim.pack "$nvim" -u "$config/init.lua"
else
  echo "SKIPPED install by vim.pack: this Neovim has none"
fi

if lazy=$(manager lazy.nvim); then
  fresh_home
  {
    echo "vim.opt.rtp:prepend('$lazy')"
    echo "require('lazy').setup({ spec = {"
    code "$readme" lua 1 | sed "s#'ddlsp/ddlsp'#url = 'file://$origin'#"
    echo "}, install = { missing = true }, checker = { enabled = false }, rocks = { enabled = false }, pkg = { enabled = false } })"
  } >"$config/init.lua"
  grep -q "$origin" "$config/init.lua"
  try lazy.nvim "$nvim" -u "$config/init.lua"
else
  echo "SKIPPED install by lazy.nvim: it cannot be cloned from here"
fi

if plug=$(manager vim-plug); then
  fresh_home
  mkdir -p "$XDG_DATA_HOME/nvim/site/autoload"
  cp "$plug/plug.vim" "$XDG_DATA_HOME/nvim/site/autoload/"
  {
    echo "call plug#begin('$work/install/plugged')"
    code "$readme" vim 1 | sed "s#'ddlsp/ddlsp'#'file://$origin'#"
    echo "call plug#end()"
  } >"$config/init.vim"
  grep -q "$origin" "$config/init.vim"
  timeout 60 "$nvim" --headless -u "$config/init.vim" -c 'PlugInstall --sync' -c qa >"$work/install/plug.log" 2>&1 || true
  try vim-plug "$nvim" -u "$config/init.vim"
else
  echo "SKIPPED install by vim-plug: it cannot be cloned from here"
fi
