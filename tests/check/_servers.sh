# shellcheck shell=bash
# What the scripts share whose examples need servers: sourced with the script's own arguments. It has the servers stopped at the
# end.
# shellcheck source-path=SCRIPTDIR source=_examples.sh
. "$(dirname "${BASH_SOURCE[0]}")/_examples.sh"
# shellcheck source-path=SCRIPTDIR/../../examples/servers source=servers.sh
. "$source_dir/examples/servers/servers.sh"
trap 'servers_stop; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
export TMPDIR=$work
chmod 711 "$work" # servers that run as somebody else have their directories in it

# use SERVER: starts it, for all that follow; false when it is not installed
use() {
    local variable
    if servers_start "$1" "$programs"; then
        while IFS= read -r variable; do
            export "${variable?}"
        done < <(servers_variables "$1")
        return 0
    fi
    case $servers_problem in
    *'not installed:'*) skipped "what needs $1, $servers_problem" ;;
    *) problem "$1 could not be started: $servers_problem" ;;
    esac
    return 1
}

built() { # NAME
    local reason
    ! reason=$(grep "^$1: " "$programs/left_out.txt") || ! skipped "example $reason"
}

psql_program() {
    local beside
    beside=$(servers_postgresql_programs)/psql
    if [ -x "$beside" ]; then
        echo "$beside"
    else
        command -v psql
    fi
}

sql() { # COMMANDS
    "$(psql_program)" --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 "${@:2}" -c "$1"
}

# Without libpq the other examples of databases are built all the same.
speaks_postgresql() {
    built database_fetch || return 1
    run 1 database_fetch --database postgres://examples@127.0.0.1:1/models || return 1
    ! holds 'no driver for postgres' err || ! skipped "PostgreSQL, the examples were built without libpq" || return 1
    ! servers_postgresql_programs >/dev/null || psql_program >/dev/null || ! skipped "PostgreSQL, psql is not installed"
}
