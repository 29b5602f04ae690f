#!/usr/bin/env bash
# The examples that need Redis and PostgreSQL, with servers of their own: filled and empty, absent, and killed in the middle. What
# is not installed is skipped.
# shellcheck source-path=SCRIPTDIR source=_servers.sh
. "$(dirname "$0")/_servers.sh"

# begin NAME ARGS...: an example in the background, its log goes to `err`
begin() {
    : >err
    timeout 60 "$programs/$1" "${@:2}" >out 2>err 6>&- &
    example=$!
}

# until_it_says TEXT: waits for the line, or says that it did not come
until_it_says() {
    await "$1" err || problem "no line with '$1' within 30 s" "$(cat err)"
}

end() { # STATUS: of what was begun
    local status=0
    wait "$example" || status=$?
    [ "$status" = "$1" ] || problem "exit $status, not $1, after:" "$(cat err)"
}

# alike TEXT...: changes err: each of these errors into the first, for which of them it is, is a race
alike() {
    local text
    for text in "${@:2}"; do
        sed -i "s/FAILED: $text (/FAILED: $1 (/" err
    done
}

# The third page takes longer than anybody waits. Read in another order than by id, the first would.
hang_on_third_page() {
    sql "ALTER ROLE examples SET enable_seqscan = off; ALTER ROLE examples SET enable_sort = off;
        ALTER TABLE models RENAME TO stored_models;
        CREATE VIEW models AS SELECT * FROM stored_models WHERE id <= 2500 OR pg_sleep(600)::text = ''"
}

redis_says() { # COMMAND...: the first line of the answer
    local reply=
    exec 7<>"/dev/tcp/127.0.0.1/${servers_port[redis]}"
    printf '%s\r\n' "$*" >&7
    IFS= read -r -t 10 reply <&7 || true
    exec 7>&-
    echo "${reply%$'\r'}"
}

key=examples:cache_catalog:full_catalog

# ---- Nobody is there
has_libpq=0
if speaks_postgresql; then
    has_libpq=1
    expect "database_fetch, PostgreSQL refuses" err "$golden/6_database_connection_refused.log"
fi
if built cache_catalog; then
    run 0 cache_catalog --redis redis://127.0.0.1:1 || true # makes catalog.db
    check "$expected/cache_catalog_no_redis.txt" 0 cache_catalog --redis redis://127.0.0.1:1 --requests 2
    check "$expected/cache_catalog_nothing.txt" 1 cache_catalog --redis redis://127.0.0.1:1 --database no/such/catalog.db
    check "$expected/cache_catalog_bad_url.txt" 0 cache_catalog --redis http://127.0.0.1:1
fi

# ---- PostgreSQL
if [ "$has_libpq" = 1 ] && use postgresql; then
    { echo "[INFO] Created the table of models (models=4432)" && cat "$golden/2_database_fetch.log"; } >first.log
    run 0 database_fetch || true
    expect "database_fetch, PostgreSQL, first run" err first.log
    check "$golden/2_database_fetch.log" 0 database_fetch
    check "$golden/2_database_fetch.log" 0 database_fetch --database postgres://
    run 0 database_fetch --page-size 500 --include-inactive || true
    holds 'SUCCESS (total_models=4555, batches=10, page_size=500,' err ||
        problem "database_fetch: --page-size 500 --include-inactive does not read 4555 models in 10 batches" "$(cat err)"
    run 1 database_fetch --database postgres:///nowhere || true
    holds '[1/2] Connecting to database - FAILED: database "nowhere" does not exist (table=models,' err ||
        problem "database_fetch: a database that does not exist is not said in one line" "$(cat err)"

    hang_on_third_page
    begin database_fetch
    until_it_says 'Fetched batch 2'
    sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE '%OFFSET%' AND pid <> pg_backend_pid()" >killed
    end 1
    [ "$(cat killed)" = 1 ] || problem "one session should have been there to be ended, not $(cat killed)"
    expect "database_fetch, its session is ended on the third page" err "$expected/database_fetch_ended.txt"

    begin database_fetch
    until_it_says 'Fetched batch 2'
    servers_crash postgresql
    end 1
    sed -i '/^\[WARNING\] terminating connection/d' err # in words that depend on the version
    expect "database_fetch, PostgreSQL crashes on the third page" err "$expected/database_fetch_crash.txt"
    run 1 database_fetch || true
    expect "database_fetch, after the crash" err "$golden/6_database_connection_refused.log"
    unset DATABASE_URL
fi

# ---- Redis
if built cache_catalog && use redis; then
    check "$golden/3_cache_cold_start.log" 0 cache_catalog
    check "$golden/4_cache_hit.log" 0 cache_catalog
    ttl=$(redis_says TTL "$key")
    if [[ $ttl =~ ^:[0-9]+$ ]] && [ "${ttl#:}" -gt 600 ] && [ "${ttl#:}" -le 900 ]; then
        passed "the catalog in Redis has a time to live"
    else
        problem "the catalog in Redis has not 900 s to live, or a little less: $ttl"
    fi
    redis_says SET "$key" nonsense EX 900 >/dev/null
    check "$golden/3_cache_cold_start.log" 0 cache_catalog
    { cat "$golden/4_cache_hit.log" "$golden/4_cache_hit.log"; } >twice.log
    check twice.log 0 cache_catalog --requests 2

    # Its answer does not come.
    kill -STOP "${servers_pid[redis]}"
    check "$expected/cache_catalog_redis_hangs.txt" 0 cache_catalog
    kill -CONT "${servers_pid[redis]}"
fi

# ---- Both
if [ "$has_libpq" = 1 ] && built cache_catalog && use postgresql; then
    run 0 cache_catalog --redis redis://127.0.0.1:1 || true
    if [ -n "${servers_pid[redis]:-}" ]; then
        redis_says DEL "$key" >/dev/null
        check "$golden/3_cache_cold_start.log" 0 cache_catalog
        check "$golden/4_cache_hit.log" 0 cache_catalog
        redis_says DEL "$key" >/dev/null

        # Redis crashes while the database has not answered yet.
        mkfifo session
        sql '' -f session >said 2>&1 6>&- &
        exec 6>session
        printf '%s\n' 'BEGIN;' 'LOCK TABLE models;' '\echo locked' >&6
        await locked said || problem "no lock within 30 s" "$(cat said)"
        begin cache_catalog --requests 2
        until_it_says '[2/2] Fetching models'
        servers_crash redis
        printf '%s\n' 'COMMIT;' >&6
        exec 6>&-
        end 0
        alike 'Server closed the connection' 'Connection reset by peer' 'Broken pipe'
        expect "cache_catalog, Redis crashes in the middle" err "$expected/cache_catalog_redis_crash.txt"
    fi

    hang_on_third_page
    begin cache_catalog --redis redis://127.0.0.1:1
    until_it_says '[2/2] Fetching models'
    servers_crash postgresql
    end 1
    sed -i '/^ *\[WARNING\] terminating connection/d' err
    expect "cache_catalog, PostgreSQL crashes in the middle" err "$expected/cache_catalog_database_crash.txt"
fi
finish
