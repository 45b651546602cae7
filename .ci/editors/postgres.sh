# A private PostgreSQL for a test run. Source it after lib.sh; then
#   postgres_start DIR    starts a server whose data lie in DIR, on a free port
#                         of 127.0.0.1; sets PGHOST, PGPORT, PGUSER, PGPASSWORD
#   postgres_stop         stops it
#   psql ...              its client

# pg_bin: the directory of the newest PostgreSQL's programs.
pg_bin() {
  if have initdb && have postgres; then
    dirname "$(command -v initdb)"
    return
  fi
  local newest
  newest=$(ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -V | tail -1)
  [ -x "$newest/initdb" ] && echo "$newest"
}

# as_owner COMMAND...: runs it as somebody who may own a PostgreSQL server,
# which root may not.
as_owner() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
  else
    "$@"
  fi
}

postgres_start() {
  local dir=$1
  PGBIN=$(pg_bin) || { apt_install postgresql && PGBIN=$(pg_bin); } ||
    { say "PostgreSQL is needed: neither PATH nor the usual places have initdb"; return 1; }
  export PATH=$PATH:$PGBIN
  mkdir -p "$dir"
  if [ "$(id -u)" = 0 ]; then
    chown postgres: "$dir"
  fi
  export PGHOST=127.0.0.1 PGUSER=editor PGPASSWORD
  PGPASSWORD=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
  # In the owner's directory, so that only the owner reads the password.
  printf '%s\n' "$PGPASSWORD" | as_owner sh -c 'umask 077; cat >"$1"' sh "$dir/password"
  (cd "$dir" && as_owner "$PGBIN/initdb" -D "$dir/data" -U editor -A scram-sha-256 --pwfile="$dir/password" --locale=C -E UTF8 --no-sync >"$dir.initdb.log" 2>&1) ||
    { cat "$dir.initdb.log" >&2; return 1; }
  local try
  for try in 1 2 3 4 5; do
    PGPORT=$((20000 + RANDOM % 30000))
    export PGPORT
    # Descriptors are closed, so that nobody waits for the server to end.
    if (cd "$dir" && as_owner "$PGBIN/pg_ctl" -D "$dir/data" -l "$dir/server.log" -s -w -t 30 \
      -o "-p $PGPORT -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c jit=off -c log_statement=all" start) </dev/null >/dev/null 2>&1; then
      postgres_dir=$dir
      return
    fi
  done
  tail -20 "$dir/server.log" >&2
  return 1
}

postgres_stop() {
  [ -n "${postgres_dir:-}" ] || return 0
  (cd / && as_owner "$PGBIN/pg_ctl" -D "$postgres_dir/data" -s -m immediate stop) || true
  postgres_dir=
}
