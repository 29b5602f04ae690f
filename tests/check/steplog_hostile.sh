#!/usr/bin/env bash
# steplog: what hostile files do, and what can be wrong with a call, with what is read, and with where the answer goes.
# shellcheck disable=SC2015 # passed() does not fail
# shellcheck source-path=SCRIPTDIR source=_steplog.sh
. "$(dirname "$0")/_steplog.sh"
gzip -k -c all.log >all.log.gz

# ---- Hostile
printf '[ERROR] ❌ [1/1] x\033[2J\302\233y - FAILED: a\\nb\\u202e\033]0;t\007 (duration_ms=1.0)\n[INFO] \377\376\n' >hostile.log
run failures hostile.log
if [ "$code" = 0 ] && [ -s out ] && ! LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' out; then
    passed "what a hostile log says is clean"
else
    problem "what a hostile log says is not clean" "$(cat -v out)"
fi
head -c 3000000 /dev/urandom >garbage
{ head -c 30000000 /dev/zero | tr '\0' x; echo; cat all.log; } >long.log
{ cat all.log; head -c 5000000 /dev/zero; echo; cat all.log; } >holes.log
{ printf '{"level":"INFO","event":"message","x":'; for c in '[' ']'; do head -c 100000 /dev/zero | tr '\0' "$c"; done; echo '}'; cat all.log; } >deep.log
head -c $(($(stat -c %s all.log.gz) / 2)) all.log.gz >cut.log.gz
head -c 100 all.log | head -c 12 >cut.log
for query in failures "slow" incomplete "rate result" stats tree "convert --to json" "convert --to logfmt" "convert --to text"; do
    for log in garbage long.log holes.log deep.log cut.log empty; do
        # shellcheck disable=SC2086
        run $query $log
        [ "$code" = 0 ] || problem "$query of $log: exit code $code" "$(cat err)"
    done
    # shellcheck disable=SC2086
    run $query cut.log.gz
    verify "$query of a cut gzip file: exit code" [ "$code" = 2 ]
    verify "$query of a cut gzip file says so" finds 'ends too early' err
done
run failures long.log
verify "a line of 30 MB is skipped" lines out 2
verify "a line of 30 MB is counted" finds '1 line of more than 16 MiB was' err
run failures garbage
says "nothing in a log is ours" 0 '[0-9]+ lines are not step_logger'

# ---- More logs than may be open at once
mkdir many
for i in $(seq 60); do
    cp 5.log "many/$i.log"
    gzip -c 6.log >"many/$i.log.gz"
done
(
    ulimit -n 40
    exec "$steplog" failures many/*
) >out 2>err || problem "120 logs, of which 40 may be open: exit code" "$(tail -n 3 err)"
verify "120 logs, of which 40 may be open" lines out 120

# ---- The command line
run failures nowhere
says "a log that is not there" 2 '^steplog: nowhere: No such file'
run failures .
says "a directory" 2 'is a directory'
cp 5.log forbidden
chmod 0 forbidden
other=()
[ "$(id -u)" != 0 ] || other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
if [ ${#other[@]} = 0 ] || have setpriv; then
    cp "$steplog" ./steplog_copy # the build may lie where others may not look
    chmod 755 . ./steplog_copy
    code=0
    timeout 60 "${other[@]}" ./steplog_copy failures forbidden 5.log >out 2>err || code=$?
    verify "a log that may not be read: exit code" [ "$code" = 2 ]
    verify "a log that may not be read is named" finds '^steplog: forbidden: Permission denied$' err
    verify "a log that may not be read: the others are" finds '^5.log:5: ' out
else
    skipped "a log that may not be read: setpriv is not installed"
fi
if [ -e /proc/self/mem ]; then
    run failures /proc/self/mem
    says "a log that cannot be read" 2 '^steplog: /proc/self/mem: Input/output error$'
fi
run failures /dev/null
expect "a device that is empty" 0 <empty
run failures <&-
says "standard input that is closed" 2 '^steplog: -: Bad file descriptor$'
code=0
timeout 60 "$steplog" failures 5.log >&- 2>err || code=$?
verify "standard output that is closed" [ "$code" = 2 ]
verify "standard output that is closed is told" finds 'standard output: could not be written' err
for command in failures "slow --top 1000" tree stats "convert --to json"; do
    for _ in $(seq 200); do cat all.log; done >many.log
    # shellcheck disable=SC2086
    timeout 60 "$steplog" $command many.log 2>err | head -n 1 >out || true
    verify "$command | head" lines out 1
    same "$command | head: no complaint" empty err
done
{ cat 5.log; head -n 5 5.log | head -c 340; } | timeout 60 "$steplog" failures >out 2>err
verify "a pipe that ends within a line" lines out 1
mkfifo pipe
timeout 20 cat 5.log >pipe &
run failures pipe
wait $!
verify "a named pipe" finds '^pipe:5: ' out

# ---- A line that costs more than its length would: each is some megabytes, and read by every command
pieces() { # PIECE: 3 MB of it
    PIECE=$1 awk 'BEGIN { piece = ENVIRON["PIECE"]; for (n = 3000000 / length(piece); n > 0; n--) printf "%s", piece }'
}
{
    # shellcheck disable=SC1003  # a backslash
    for piece in ' (a="' '\"' ' (' ' - FAILED: ' ', a=b' '\\' '…[5 bytes]'; do
        printf '[INFO] m'
        pieces "$piece"
        echo ')'
    done
    for piece in '"a":1,' '"a_1":1,' '"a_1_1_1_1_1_1_1":"\\",'; do
        printf '{"level":"INFO","event":"message","message":"x",'
        pieces "$piece"
        echo '"z":1}'
    done
    cat 5.log
} >nasty.log
for query in failures "slow" incomplete "rate result" stats tree "convert --to json" "convert --to logfmt" "convert --to text"; do
    # shellcheck disable=SC2086
    run $query nasty.log
    verify "$query of costly lines" [ "$code" = 0 ]
done
run failures --exit-code all.log
verify "--exit-code: 1" [ "$code" = 1 ]
run failures --exit-code 1.log
verify "--exit-code: 0" [ "$code" = 0 ]
run
says "no command" 2 '--help'
run failurs all.log
says "a command that is misspelt" 2 'did you mean failures\?'
run hlep
says "help that is misspelt" 2 'did you mean help\?'
run failures --bottom all.log
says "an option that no command has" 2 'is no option of failures \(see steplog failures --help\)$'
run rate nothing all.log
says "a field that no step has" 0 '^steplog: nothing: is no field of the steps'
run slow --top 1e300 all.log
says "a number that is too large" 2 "a whole number from 1 to 1000000, not '1e300'"
run slow --tpo 3 all.log
says "an option that is misspelt" 2 'did you mean --top\?'
run failures --top 3 all.log
says "an option of another command" 2 'is no option'
run slow --top none all.log
says "a value that is none" 2 "wants a whole number from 1 to 1000000, not 'none'"
run diff 1.log
says "diff of one log" 2 'BASE and NEW'
run convert all.log
says "convert to nothing" 2 '--to'
for command in failures slow incomplete rate stats tree diff convert recover; do
    run $command --help
    verify "$command --help" finds "^usage: steplog $command" out
done
run --help
grep -E '^  [a-z]+  ' out >commands
verify "--help of the program names its commands" lines commands 9
awk 'length($0) > 120' out >wide
same "--help has no long lines" empty wide
CLICOLOR_FORCE=1 "$steplog" failures 5.log >out
verify "CLICOLOR_FORCE" finds $'\033\\[31m' out
CLICOLOR_FORCE=1 NO_COLOR=1 "$steplog" failures 5.log >out
verify "NO_COLOR" lacks $'\033' out
if [ -w /dev/full ]; then
    code=0
    "$steplog" tree all.log >/dev/full 2>err || code=$?
    verify "a full disk: exit code" [ "$code" = 2 ]
    verify "a full disk" finds 'could not be written' err
    code=0
    "$steplog" --help >/dev/full 2>err || code=$?
    verify "a full disk: help" [ "$code" = 2 ]
fi

# ---- A terminal
if have script; then
    terminal() { # COLUMNS ARGUMENTS...: in a terminal of so many columns
        TERM=xterm timeout 60 script -qec "stty cols $1; '$steplog' ${*:2}" /dev/null </dev/null | tr -d '\r' >out
    }
    terminal 200 failures 5.log
    verify "colours on a terminal" finds $'\033\\[31mRequest timeout after 30s\033\\[0m' out
    NO_COLOR=1 terminal 200 failures 5.log
    verify "NO_COLOR on a terminal" lacks $'\033' out
    for columns in 55 70 140; do
        NO_COLOR=1 terminal $columns tree 3.log
        verify "tree in $columns columns" lines out 9
        verify "tree in $columns columns has no long lines" [ "$(wc -L <out)" -le $columns ]
    done
    verify "tree in many columns cuts no name" lacks '…' out
    NO_COLOR=1 terminal 110 stats 3.log
    verify "stats in 110 columns" finds '^  \[4/5\] Transforming models to A… +1 ' out
    verify "stats in 110 columns has no long lines" [ "$(wc -L <out)" -le 110 ]
    for command in failures incomplete slow stats tree "rate cache_layer"; do
        terminal 20 "$command" 3.log 5.log
        verify "$command in 20 columns" [ -s out ]
    done
else
    skipped "terminals: script is not installed"
fi
finish
