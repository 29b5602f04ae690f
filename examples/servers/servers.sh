# shellcheck shell=bash
# Servers for the examples: sourced by examples/run and by tests.
#
#   servers_start NAME BUILD   starts models_server, redis or postgresql; BUILD is where the examples were built. False when that
#                              cannot be: servers_problem says why
#   servers_variables NAME     how clients find it: PROVIDER_URL=..., REDIS_URL=..., DATABASE_URL=... and the like, one a line.
#                              When it could not be started, nobody is there: port 1
#   servers_is_running NAME    false also when somebody else has ended it
#   servers_crash NAME         ends it without a farewell
#   servers_stop               stops what was started and removes its files: call it on EXIT
#   servers_install PACKAGE... with apt-get, as root; the services in them are not started
#
# They listen on the loopback alone, on ports that were free, and keep their files in a temporary directory. As root, Redis and
# PostgreSQL run as somebody unprivileged. They also end when the script is killed before it can stop them.
# shellcheck disable=SC2034  # servers_problem is for who sources this
declare -A servers_pid=() servers_port=()
servers_directory=
servers_password=
servers_problem=
servers_policy=

# Debian starts what it installs, unless a policy forbids it. Who has one keeps it.
servers_install() {
    local policy=/usr/sbin/policy-rc.d status=0
    if [ ! -e "$policy" ]; then
        servers_policy=$policy
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" || status=$?
    servers_drop_policy
    return "$status"
}

servers_drop_policy() {
    [ -z "$servers_policy" ] || rm -f "$servers_policy"
    servers_policy=
}

# ---- Starting

# servers_run USER COMMAND...: becomes the command, as USER when this is root, in a directory that is then USER's
servers_run() {
    local user=$1 become=()
    shift
    if [ "$user" != "$(id -un)" ] && [ "$(id -u)" = 0 ]; then
        id "$user" >/dev/null 2>&1 || user=nobody
        chown -R "$user" .
        become=(--reuid "$user" --regid "$(id -g "$user")" --clear-groups)
    fi
    if command -v setpriv >/dev/null; then
        exec setpriv "${become[@]}" --pdeathsig TERM -- "$@"
    fi
    exec "$@"
}

# servers_await NAME FILE PATTERN: until the server has written it
servers_await() {
    local tries=0
    until grep -E "$3" "$2" >/dev/null 2>&1; do
        if ! servers_is_running "$1" || [ $((tries += 1)) -gt 600 ]; then
            servers_problem="it did not start: $(tail -n 1 "$2")"
            return 1
        fi
        sleep 0.05
    done
}

# A port on which nobody listens at the moment
servers_free_port() {
    local port
    while true; do
        port=$((10000 + RANDOM % 20000)) # below those that the kernel gives to clients
        (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

servers_models_server() { # DIRECTORY PORT BUILD: it finds a port by itself
    (cd "$1" && PROVIDER_API_KEY=$servers_password LOG_LEVEL=info STEP_LOGGER_OUTPUT=stderr \
        servers_run "$(id -un)" "$3/models_server") </dev/null >"$1/url" 2>"$1/log" 9>&- &
    servers_pid[models_server]=$!
    servers_await models_server "$1/url" '^http:' || return 1
    servers_port[models_server]=$(sed 's/.*://' "$1/url")
}

servers_redis() { # DIRECTORY PORT
    (cd "$1" && servers_run redis redis-server --bind 127.0.0.1 --port "$2" --save '' --appendonly no --dir .) \
        </dev/null >"$1/log" 2>&1 9>&- &
    servers_pid[redis]=$!
    servers_await redis "$1/log" 'Ready to accept connections'
}

# Where PostgreSQL's programs are; Debian does not have them in PATH.
servers_postgresql_programs() {
    local directory
    for directory in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr) $(dirname "$(command -v postgres || true)"); do
        if [ -x "$directory/initdb" ] && [ -x "$directory/postgres" ]; then
            echo "$directory"
            return
        fi
    done
    return 1
}

servers_postgresql() { # DIRECTORY PORT
    local programs
    programs=$(servers_postgresql_programs)
    (umask 077 && echo "$servers_password" >"$1/password")
    (cd "$1" && servers_run postgres "$programs/initdb" --pgdata data --no-sync --no-locale --encoding UTF8 \
        --username examples --auth scram-sha-256 --pwfile password) </dev/null >"$1/log" 2>&1 9>&- &
    servers_pid[postgresql]=$!
    if ! wait "${servers_pid[postgresql]}"; then # a signal to the script does not wait for it
        servers_problem="initdb failed: $(tail -n 1 "$1/log")"
        return 1
    fi
    (cd "$1" && servers_run postgres "$programs/postgres" -D data -c port="$2" -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c dynamic_shared_memory_type=mmap -c fsync=off) </dev/null >"$1/log" 2>&1 9>&- &
    servers_pid[postgresql]=$!
    servers_await postgresql "$1/log" 'database system is ready to accept connections'
}

# Whether it is installed
servers_is_there() {
    case $1 in
    models_server)
        ! servers_problem=$(grep '^models_server: ' "$2/left_out.txt") || return 1
        ;;
    redis)
        servers_problem='not installed: redis-server'
        command -v redis-server >/dev/null
        ;;
    postgresql)
        servers_problem='not installed: postgresql'
        servers_postgresql_programs >/dev/null
        ;;
    esac
}

servers_start() {
    local name=$1 directory
    servers_is_there "$@" || return 1
    if [ -z "$servers_directory" ]; then
        servers_directory=$(mktemp -d "${TMPDIR:-/tmp}/step_logger-examples.XXXXXX")
        chmod 711 "$servers_directory"
        servers_password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    fi
    for _ in 1 2 3 4 5; do # somebody may take the port before the server does
        directory=$(mktemp -d "$servers_directory/$name.XXXXXX")
        chmod 711 "$directory"
        servers_port[$name]=$(servers_free_port)
        if "servers_$name" "$directory" "${servers_port[$name]}" "$2"; then
            return 0
        fi
        servers_end "$name"
        grep -i 'address already in use' "$directory/log" >/dev/null 2>&1 || break
    done
    unset "servers_port[$name]"
    return 1
}

servers_variables() {
    local port=${servers_port[$1]:-1}
    local address=127.0.0.1:$port
    case $1 in
    models_server)
        printf '%s\n' "PROVIDER_URL=http://$address" "PROVIDER_API_KEY=$servers_password"
        ;;
    redis)
        echo "REDIS_URL=redis://$address"
        ;;
    postgresql) # in two forms: the others make `postgres://` a location. The password is in neither, so that they can be shown
        printf '%s\n' "DATABASE_URL=postgres://examples@$address/postgres" "PGPASSWORD=$servers_password" \
            PGHOST=127.0.0.1 "PGPORT=$port" PGUSER=examples PGDATABASE=postgres
        ;;
    esac
}

# ---- Ending

# By the shell's list of its children, so that it is no other process that was given the number later. The list alone does not
# do: a child that ends just when `wait` is interrupted may stay in it.
servers_is_running() {
    local pid=${servers_pid[$1]:-}
    [ -n "$pid" ] && jobs -rp | grep -x "$pid" >/dev/null && kill -0 "$pid" 2>/dev/null
}

# servers_end NAME: in a hurry, for nothing of it is kept
servers_end() {
    local signal=TERM tries
    [ "$1" != postgresql ] || signal=QUIT
    for ((tries = 0; tries < 200; tries++)); do
        servers_is_running "$1" || break
        [ "$tries" -lt 100 ] || signal=KILL
        # More than once: what has not become the server yet may ignore it.
        [ $((tries % 10)) != 0 ] || kill -s "$signal" "${servers_pid[$1]}" 2>/dev/null || true
        sleep 0.05
    done
    [ -z "${servers_pid[$1]:-}" ] || wait "${servers_pid[$1]}" 2>/dev/null || true
    unset "servers_pid[$1]"
}

# PostgreSQL's own kind of crash is SIGQUIT; it leaves no shared memory behind.
servers_crash() {
    local pid signal=KILL
    servers_is_running "$1" || return 0
    [ "$1" != postgresql ] || signal=QUIT
    pid=${servers_pid[$1]}
    unset "servers_pid[$1]"
    disown "$pid" # or the shell would report it
    kill -s "$signal" "$pid"
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.01
    done
}

servers_stop() {
    local name
    servers_drop_policy
    for name in "${!servers_pid[@]}"; do
        servers_end "$name"
    done
    [ -z "$servers_directory" ] || rm -rf "$servers_directory"
    servers_directory=
}
