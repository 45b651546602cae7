# A session on the screen of a terminal, typed by tmux. Sourced by test-nvim.sh.
# SCREENSHOTS names a directory for what the screen held.
say "-- on a terminal's screen"

tmux_() { tmux -L "ddlsp-$$" "$@"; }
screen() { tmux_ capture-pane -p -t ddlsp; }
keys() { # KEY...: typed one after the other, as fast as a hand
  local key
  for key; do
    tmux_ send-keys -t ddlsp "$key"
    sleep 0.15
  done
}
# seen WORDS: waits until the screen shows them.
seen() {
  local i
  for i in $(seq 100); do
    if screen | grep -qF -- "$1"; then
      echo "ok   the screen shows: $1"
      return
    fi
    sleep 0.1
  done
  echo "FAIL the screen does not show: $1"
  screen
  status=1
}
# picture NAME: keeps the screen with its colours.
picture() {
  [ -n "${SCREENSHOTS:-}" ] || return 0
  mkdir -p "$SCREENSHOTS"
  tmux_ capture-pane -e -p -t ddlsp >"$SCREENSHOTS/$1.ansi"
}

have tmux || apt_install tmux
if have tmux; then
  prepare screen
  migrations=$work/screen/workspace/metrics/migrations
  tmux_ -f /dev/null new-session -d -s ddlsp -x 118 -y 28 "TERM=tmux-256color COLORTERM=truecolor '$nvim' --clean -u '$here/nvim/screen.lua' '$migrations/00002_index_device_names.sql'"
  seen "-- +goose Up"
  # The problem stands in the text, the fix is in the menu of actions.
  seen "building this index blocks"
  picture nvim-problem
  keys j g r a
  seen "Build the index concurrently"
  picture nvim-actions
  keys 1 Enter
  seen "CREATE INDEX CONCURRENTLY devices_name_idx"
  keys ":w" Enter
  # A template, from the menu of completions.
  keys ":e $migrations/00003_create_readings.sql" Enter
  sleep 0.5
  keys i c r e a t e _ t a b C-x C-o
  seen "create_table"
  sleep 0.5
  picture nvim-completion
  keys C-y
  seen "CREATE TABLE readings"
  keys Escape Escape ":w" Enter
  # Migrate: the question, the answer, the state.
  keys ":Ddlsp migrate" Enter
  seen "Apply 3 migrations to screen_metrics on 127.0.0.1"
  seen "index_device_names (1 statement)"
  picture nvim-question
  keys 1 Enter
  seen "applied 3 migrations in screen_metrics"
  keys Enter ":e $migrations/00002_index_device_names.sql" Enter
  sleep 0.3
  keys ":Ddlsp status" Enter
  seen "goose_db_version"
  seen "applied       2 index_device_names"
  picture nvim-status
  keys ":qa!" Enter
  tmux_ kill-server 2>/dev/null || true
else
  echo "SKIPPED a terminal's screen: there is no tmux"
fi
