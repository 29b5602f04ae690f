#!/usr/bin/env bash
# steplog: each query's answers about the specification's six logs, alone, in a row, among lines of other programs, in every
# format and from every kind of input.
# shellcheck disable=SC2015 # passed() does not fail
# shellcheck source-path=SCRIPTDIR source=_steplog.sh
. "$(dirname "$0")/_steplog.sh"
cat "$golden"/[1-6]_*.jsonl >all.jsonl

# ---- Each query of each of the six logs
for log in 1 2 3 4 5 6; do
    for query in failures slow incomplete "rate result" stats tree; do
        echo "== steplog $query $log.log"
        # shellcheck disable=SC2086  # words of a command
        timeout 60 "$steplog" $query $log.log 2>&1 || echo "exit code $?"
    done
done >answers
same "every query of every log" "$source_dir/tests/check/steplog_answers.txt" answers

# ---- What the specification's pipelines say of all of them
grep -n '❌' all.log | sed -E 's/^([0-9]+):.*FAILED: (.*) \(.*/\1 \2/' >expected
"$steplog" failures all.log | sed -E 's/^all.log:([0-9]+): .*\]( [^:]*): (.*) \(.*/\1 \3/' >out
same "failures are those that grep finds" expected out
grep -o '[ (]duration_ms=[0-9.]*' all.log | cut -d= -f2 | sort -nr >expected
"$steplog" slow --top 1000 all.log | awk '{ print $1 }' >out
same "durations are those that grep and sort find" expected out
for value in HIT MISS; do
    printf '%s %s\n' $value "$(grep "Checking Redis cache" all.log | grep -c "result=$value")"
done >expected
"$steplog" rate result --step "Checking Redis cache" all.log | awk '{ print $1, $2 }' >out
same "the rate is what grep counts" expected out

# ---- One by one
run failures 1.log 2.log 3.log 4.log
cp out none.out
same "failures: none" empty none.out
run failures 5.log 6.log
expect "failures" 0 <<'END'
5.log:5: OpenRouter Model Fetch: [2/4] Fetching models from API: Request timeout after 30s (30001.2 ms)
6.log:3: Database: Fetch All Models: [1/2] Connecting to database: Connection refused (5000.0 ms)
END
run failures --json 5.log
expect "failures --json" 0 <<'END'
{"operation":"OpenRouter Model Fetch","step":2,"total_steps":4,"description":"Fetching models from API","error":"Request timeout after 30s","duration_ms":30001.2,"log":"5.log","log_line":5}
END
run incomplete 1.log 2.log 3.log 4.log 5.log 6.log
expect "incomplete" 0 <<'END'
5.log:1: failed  OpenRouter Model Fetch: [2/4] Fetching models from API: Request timeout after 30s
6.log:1: failed  Database: Fetch All Models: [1/2] Connecting to database: Connection refused
END
head -n 4 1.log >open.log
run incomplete --json open.log
expect "incomplete: an open one" 0 <<'END'
{"operation":"OpenRouter Model Fetch","status":"open","last_step":2,"total_steps":4,"description":"Fetching models from API","log":"open.log","log_line":1}
END
run slow --top 2 --json 1.log 2.log 3.log 4.log
expect "slow" 0 <<'END'
{"operation":"Cache: Fetch Full Catalog","step":3,"total_steps":5,"description":"Fetching from database","duration_ms":3468.5,"status":"ok","log":"3.log","log_line":14}
{"operation":"Database: Fetch All Models","step":2,"total_steps":2,"description":"Fetching models (paginated)","duration_ms":3456.2,"status":"ok","log":"3.log","log_line":12}
END
run slow --operation "Database: Fetch All Models" --min-ms 1000 all.log
expect "slow --operation --min-ms" 0 <<'END'
    5000.0 ms  Database: Fetch All Models: [1/2] Connecting to database FAILED  all.log:55
    3456.2 ms  Database: Fetch All Models: [2/2] Fetching models (paginated)  all.log:33
    2341.8 ms  Database: Fetch All Models: [2/2] Fetching models (paginated)  all.log:20
END
run rate result --step "Checking Redis cache" all.log
expect "rate" 0 <<'END'
HIT   1   50.0%
MISS  1   50.0%
END
run rate filtered_out --json all.log
expect "rate of a number" 0 <<'END'
{"value":"78","count":1,"share":1}
END
run stats --operation Cache all.log
expect "stats" 0 <<'END'
                                               count   failures     p50 ms     p90 ms     p99 ms     max ms   total ms
Cache: Fetch Full Catalog                          2          0        2.5     4040.1     4040.1     4040.1     4042.6
  [1/5] Checking Redis cache                       2          0        2.3        3.2        3.2        3.2        5.5
  [2/5] Checking local memory cache                1          0        0.1        0.1        0.1        0.1        0.1
  [3/5] Fetching from database                     1          0     3468.5     3468.5     3468.5     3468.5     3468.5
  [4/5] Transforming models to API format          1          0      523.1      523.1      523.1      523.1      523.1
  [5/5] Populating caches                          1          0       45.2       45.2       45.2       45.2       45.2
END
run tree 3.log 5.log
expect "tree" 0 <<'END'
Cache: Fetch Full Catalog                      4040.1 ms
├─ [1/5] Checking Redis cache                     3.2 ms    0 %
├─ [2/5] Checking local memory cache              0.1 ms    0 %
├─ [3/5] Fetching from database                3468.5 ms   86 %
│  └─ Database: Fetch All Models               3468.3 ms   86 %
│     ├─ [1/2] Connecting to database            12.1 ms    0 %
│     └─ [2/2] Fetching models (paginated)     3456.2 ms   86 %
├─ [4/5] Transforming models to API format      523.1 ms   13 %
└─ [5/5] Populating caches                       45.2 ms    1 %
OpenRouter Model Fetch  FAILED
├─ [1/4] Validating API key              0.1 ms
└─ [2/4] Fetching models from API    30001.2 ms  FAILED: Request timeout after 30s
END
run tree open.log
expect "tree of what never ended" 0 <<'END'
OpenRouter Model Fetch  NEVER ENDED
├─ [1/4] Validating API key              0.2 ms
└─ [2/4] Fetching models from API  NEVER ENDED
END
run diff 1.log 5.log
expect "diff of single runs: what vanished" 0 <<'END'
vanished     OpenRouter Model Fetch: [3/4] Processing and filtering models
vanished     OpenRouter Model Fetch: [4/4] Caching models
END

# ---- The same answers whatever stands around and however it comes
awk '{ print; print "Jan  1 00:00:0" NR % 10 " host kernel: line " NR " duration_ms=99999.9 failed"; print "" }' all.log >mixed.log
awk 'BEGIN { srand(7) } { print } rand() < 0.5 { printf "\000\001\377garbage (a=b, duration_ms=88888.8)\n" }' all.log >dirty.log
gzip -k -c all.log >all.log.gz
sed 's/$/\r/' all.log >crlf.log
"$steplog" convert --to text --color always all.log >colored.log
"$steplog" convert --to text --ascii all.log >ascii.log
"$steplog" convert --to json all.log >converted.jsonl
"$steplog" convert --to logfmt all.log >converted.logfmt
forms=(text json logfmt)
for log in 1 2 3 4 5 6; do
    "$steplog" convert --to "${forms[log % 3]}" $log.log
    echo '{"level":"info","msg":"of another program","duration_ms":99999.9}'
done >all_forms.log
verify "convert --color always has colours" finds $'\033' colored.log
verify "convert --ascii has no symbols" lacks '🚀' ascii.log
strip='s/"log":"[^"]*","log_line":[0-9]*/"log":"","log_line":0/'
for query in "failures" "slow --top 40" "incomplete" "rate result" "stats" "tree"; do
    # shellcheck disable=SC2086  # words of a command
    "$steplog" $query --json all.log | sed -E "$strip" >answer
    [ -s answer ] || problem "$query has no answer"
    for log in mixed.log dirty.log all.log.gz crlf.log colored.log ascii.log converted.jsonl converted.logfmt all_forms.log -; do
        code=0
        # shellcheck disable=SC2086
        timeout 60 "$steplog" $query --json "$log" <all.log 2>err | sed -E "$strip" >out || code=$?
        if [ "$code" = 0 ] && cmp -s out answer; then
            passed "$query of $log"
        else
            problem "$query of $log is not that of all.log" "$(diff out answer | head -n 8)" "$(cat err)"
        fi
    done
    # shellcheck disable=SC2086
    timeout 60 "$steplog" $query --json all.log.gz all.jsonl /dev/null >/dev/null 2>err || problem "$query of several logs" "$(cat err)"
done

# ---- convert
for log in all.log colored.log ascii.log; do
    options=()
    [ $log != colored.log ] || options=(--color always)
    [ $log != ascii.log ] || options=(--ascii)
    for form in json logfmt; do
        "$steplog" convert --to $form $log | "$steplog" convert --to text "${options[@]}" >back
        same "$log by way of $form" $log back
    done
done
for form in json logfmt; do
    "$steplog" convert --to $form all.jsonl >once
    "$steplog" convert --to json once >back
    same "JSON lines by way of $form" all.jsonl back
done
"$steplog" convert --to text --no-timestamps all.jsonl >back
"$steplog" convert --to text all.jsonl | sed -E 's/[0-9]{4}-[^ ]*Z //' >timed
same "convert --no-timestamps" timed back

cat >ids.jsonl <<'END'
{"ts":"2026-02-04T09:30:03.471762501Z","level":"INFO","event":"operation_start","operation":"A","depth":0,"trace_id":"12345678901234567890123456789012","span_id":"1234567890123456","trace_flags":"03","pid":1,"tid":1,"seq":1}
END
"$steplog" convert --to logfmt ids.jsonl >out
verify "ids in logfmt have no quotes" finds ' trace_id=12345678901234567890123456789012 span_id=1234567890123456 trace_flags=03 ' out
"$steplog" convert --to json out >back
same "ids in logfmt are strings" ids.jsonl back

# ---- Times
run failures --since 2026-02-04T09:30:30Z --until 2026-02-05 all.jsonl
verify "--since and --until" lines out 1
"$steplog" convert --to json --until 2026-02-04T09:30:00.003Z "$golden"/3_cache_cold_start.jsonl >out
verify "--until" lines out 2
"$steplog" convert --to json --since 2026-02-04T09:30:04.040062500Z "$golden"/3_cache_cold_start.jsonl >out
verify "--since" lines out 3
run failures --since 15m all.log
says "lines without a time are left out, and counted" 0 'lines say no time'

# ---- Reading few lines or all of them is the same answer
random_log() { # SEED LINES FAILURES: the last line is a failure, and with FAILURES others are
    awk -v seed="$1" -v lines="$2" -v failures="$3" '
    function take(k) { return int(rand() * k) }
    function ids() { return "trace_id=0af7651916cd43dd8448eb211c80319" take(2) ", span_id=b7ad6b716920333" take(2) }
    BEGIN {
        srand(seed)
        for (i = 0; i < lines; i++) {
            d = take(8) == 0 ? "    " : ""
            n = take(2) + 1; total = take(8) ? 4 : 2; name = substr("abcd", n, 1)
            r = take(18); op = substr("AB", take(2) + 1, 1)
            if (r < 3) print d "[INFO] 🚀 START: " op
            else if (r < 7) print d "[INFO] ▶️  [" n "/" total "] " name
            else if (r < 11) print d "[INFO] ✅ [" n "/" total "] " name " - SUCCESS (duration_ms=" take(90) ".5)"
            else if (r < 12 && failures) print d "[ERROR] ❌ [" n "/" total "] " name " - FAILED: no (duration_ms=" take(100) ".5)"
            else if (r < 14) print d "[INFO] 🏁 COMPLETE: " op " (total_duration_ms=1.0)"
            else if (r < 15) print d "[INFO] a message (failed=true)"
            else if (r < 16) print d "[INFO] 🚀 START: " op " (" ids() ")"
            else if (r < 17) print d "[INFO] ✅ [" n "/" total "] " name " - SUCCESS (" ids() ", duration_ms=" take(90) ".5)"
            else print "a line of another program"
        }
        print "[ERROR] ❌ [" n "/" total "] " name " - FAILED: no (duration_ms=95.5)"
    }'
}
same_either_way() { # LOG
    local query
    for query in failures "failures --operation A" "slow --top 25" "slow --top 2 --operation B --step a" \
        "slow --min-ms 90 --top 1000"; do
        # shellcheck disable=SC2086
        timeout 60 "$steplog" $query --json "$1" 2>/dev/null | sed 's/"log":"[^"]*"//' >out
        # shellcheck disable=SC2086
        timeout 60 "$steplog" $query --json - <"$1" 2>/dev/null | sed 's/"log":"[^"]*"//' >expected
        cat out >>answers
        cmp -s out expected || problem "$query of $1 differs from what its lines in order say" \
            "$(diff out expected | head -n 6)" "$(head -n 20 "$1")"
    done
}
# Lines that say where they belong, among lines that do not.
cat >elsewhere.log <<'END'
[INFO] 🚀 START: A (trace_id=0af7651916cd43dd8448eb211c80319c, span_id=b7ad6b7169203331)
[INFO] ▶️  [1/2] a
[ERROR] ❌ [1/2] a - FAILED: no (duration_ms=95.5)
END
cat >named.jsonl <<'END'
{"level":"INFO","event":"operation_start","operation":"B","depth":0}
{"level":"INFO","event":"operation_start","operation":"A","depth":0}
{"level":"INFO","event":"step_start","operation":"B","step":1,"description":"b","depth":0}
{"level":"ERROR","event":"step_failure","step":1,"description":"b","error":"no","duration_ms":95.5,"depth":0}
END
: >answers
same_either_way elsewhere.log
same_either_way named.jsonl
[ "$(grep -c '"operation":"B"' answers)" = 3 ] || problem "whose step it is" "$(cat answers)"
: >answers
for seed in $(seq "$rounds"); do
    random_log "$seed" $((4 + seed % 9)) 0 >tiny.log
    forms=(text text text json logfmt)
    "$steplog" convert --to "${forms[seed % 5]}" tiny.log >tiny.converted 2>/dev/null
    same_either_way tiny.converted
done
[ "$problems" != 0 ] || passed "$rounds small logs, $(wc -l <answers) answers: read whole or not"
{ for _ in $(seq 300); do cat 5.log 1.log; done; } >orderly.log
{ cat orderly.log; random_log 0 4000 1; for _ in $(seq 50); do cat 3.log 6.log; done; } >both.log
same_either_way orderly.log
same_either_way both.log
"$steplog" convert --to json both.log >both.jsonl 2>/dev/null
same_either_way both.jsonl
same_either_way all.jsonl

# Lines that lie across blocks, wherever they are cut.
for shift in 1 7 50 99; do
    { printf '%*s\n' $shift x; for _ in $(seq 500); do cat all.log; done; } >many.log
    same_either_way many.log
    "$steplog" failures many.log | cut -d: -f2 >out
    grep -n '❌' many.log | cut -d: -f1 >expected
    same "line numbers of failures in a long log" expected out
    verify "all failures of a long log" lines out 1000
    "$steplog" stats --json --operation "OpenRouter" many.log | head -n 1 | cut -d, -f2,3 >out
    verify "counts in a long log" finds '^"count":1000,"failures":500$' out
    "$steplog" convert --to json many.log 2>/dev/null | "$steplog" convert --to text >back
    tail -n +2 many.log >expected
    same "a long log by way of JSON" expected back
    "$steplog" tree many.log | grep -E '^[A-Z]' >out
    verify "trees of a long log" lines out 3000
done

# ---- Interleaved operations
cat >threads.jsonl <<'END'
{"level":"INFO","event":"operation_start","operation":"A","depth":0,"pid":1,"tid":1,"seq":0}
{"level":"INFO","event":"operation_start","operation":"A","depth":0,"pid":1,"tid":2,"seq":0}
{"level":"INFO","event":"step_start","operation":"A","step":1,"description":"one","depth":0,"pid":1,"tid":1,"seq":1}
{"level":"INFO","event":"step_start","operation":"A","step":1,"description":"two","depth":0,"pid":1,"tid":2,"seq":1}
{"level":"INFO","event":"step_success","operation":"A","step":1,"description":"one","duration_ms":1,"depth":0,"pid":1,"tid":1,"seq":2}
{"level":"INFO","event":"operation_complete","operation":"A","total_duration_ms":2,"depth":0,"pid":1,"tid":1,"seq":3}
END
run incomplete --json threads.jsonl
expect "operations of two threads" 0 <<'END'
{"operation":"A","status":"open","last_step":1,"description":"two","log":"threads.jsonl","log_line":2}
END
sed -E 's/"pid":1,"tid":1/"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","pid":1,"tid":9/
        s/"pid":1,"tid":2/"trace_id":"1af7651916cd43dd8448eb211c80319c","span_id":"c7ad6b7169203331","pid":1,"tid":9/' threads.jsonl >traces.jsonl
run incomplete --json traces.jsonl
expect "operations of two traces on one thread" 0 <<'END'
{"operation":"A","status":"open","last_step":1,"description":"two","log":"traces.jsonl","log_line":2}
END
# The six logs at once, a line of each in turn, as six threads write them: all answers are those of one after the other.
for log in 1 2 3 4 5 6; do
    sed -E "s/\"tid\":[0-9]+/\"tid\":70$log/; s/\"(trace_id|span_id|parent_span_id)\":\"./\"\1\":\"$log/g" "$golden"/${log}_*.jsonl >thread$log
done
cat thread? >in_a_row.jsonl
paste -d '\n' thread? | grep . >at_once.jsonl
verify "lines of six threads" lines at_once.jsonl "$(wc -l <in_a_row.jsonl)"
for query in failures slow incomplete "rate result" stats tree; do
    # shellcheck disable=SC2086
    "$steplog" $query --json in_a_row.jsonl | sed -E "$strip" | sort >expected
    # shellcheck disable=SC2086
    "$steplog" $query --json at_once.jsonl | sed -E "$strip" | sort >out
    same "$query of operations at once" expected out
    # shellcheck disable=SC2086
    "$steplog" convert --to logfmt at_once.jsonl | "$steplog" $query --json | sed -E "$strip" | sort >out
    same "$query of operations at once, in logfmt" expected out
done
cat >interleaved.log <<'END'
[INFO] 🚀 START: A
[INFO] ▶️  [1/2] a
[INFO] 🚀 START: B
[INFO] ▶️  [1/2] b
[ERROR] ❌ [1/2] a - FAILED: no (duration_ms=1.0)
[INFO] ✅ [1/2] b - SUCCESS (duration_ms=2.0)
[INFO] 🏁 COMPLETE: B (total_duration_ms=3.0)
END
run failures interleaved.log
expect "text: to whom a step belongs" 0 <<'END'
interleaved.log:5: A: [1/2] a: no (1.0 ms)
END
run incomplete interleaved.log
expect "text: which of two is open" 0 <<'END'
interleaved.log:1: failed  A: [1/2] a: no
END

# ---- Sampled logs: a line counts for as many as it stands for; in text only START and COMPLETE say so
cat >sampled.jsonl <<'END'
{"level":"INFO","event":"operation_start","operation":"A","sample_rate":0.1,"depth":0,"pid":1,"tid":1,"seq":0}
{"level":"INFO","event":"step_success","operation":"A","step":1,"description":"one","duration_ms":1.0,"sample_rate":0.1,"depth":0,"pid":1,"tid":1,"seq":2,"result":"HIT"}
{"level":"INFO","event":"operation_complete","operation":"A","total_duration_ms":2.0,"sample_rate":0.1,"depth":0,"pid":1,"tid":1,"seq":3}
{"level":"INFO","event":"operation_start","operation":"A","depth":0,"pid":1,"tid":1,"seq":4}
{"level":"ERROR","event":"step_failure","operation":"A","step":1,"description":"one","error":"no","duration_ms":3.0,"depth":0,"pid":1,"tid":1,"seq":5,"result":"MISS"}
END
"$steplog" convert --to text sampled.jsonl >sampled.log
for log in sampled.jsonl sampled.log; do
    run stats --json $log
    expect "stats of $log" 0 <<'END'
{"operation":"A","count":11,"failures":1,"p50_ms":2,"p90_ms":2,"p99_ms":2,"max_ms":2,"total_ms":20}
{"operation":"A","step":1,"description":"one","count":11,"failures":1,"p50_ms":1,"p90_ms":1,"p99_ms":3,"max_ms":3,"total_ms":13}
END
done
run rate result sampled.jsonl
expect "rate of a sampled log" 0 <<'END'
HIT   10   90.9%
MISS   1    9.1%
END

# ---- diff
series() { # NAME MEAN FAILURES: forty runs
    awk -v name="$1" -v mean="$2" -v failures="$3" 'BEGIN {
        for (i = 0; i < 40; i++) {
            print "[INFO] 🚀 START: Job"; print "[INFO] ▶️  [1/1] " name
            if (i < failures) print "[ERROR] ❌ [1/1] " name " - FAILED: no (duration_ms=" mean + i % 7 ".0)"
            else print "[INFO] ✅ [1/1] " name " - SUCCESS (duration_ms=" mean + i % 7 ".0)"
            print "[INFO] 🏁 COMPLETE: Job (total_duration_ms=5.0)"
        } }'
}
series work 100 0 >base.log
series work 130 12 >new.log
run diff --json base.log new.log
jq -r '[.change, .operation, .description // "-", .statistic] | @tsv' out >lines 2>/dev/null || true
if ! have jq; then
    skipped "diff --json: jq is not installed"
else
    cp lines out
    expect "diff: failed more, slower" 0 <<END
failed more	Job	work	fisher-exact
slower	Job	work	mann-whitney-u
END
fi
run diff --exit-code base.log base.log
expect "diff of a log and itself" 0 <empty
run diff --exit-code base.log new.log
verify "diff --exit-code" [ "$code" = 1 ]
series work 101 0 >near.log
run diff base.log near.log
expect "diff: what moved less than --min-effect" 0 <empty

# ---- recover
run recover
says "recover without a directory" 2 'wants the DIR of crash rings'
run recover no/such/directory
says "recover from a directory that is not there" 2 'no/such/directory: No such file or directory'
run recover . --since 1h
says "recover with a time" 2 'takes one DIR, and no times'
mkdir rings
run recover rings
says "recover where there is nothing" 0 '0 records of 0 processes'
if [ -x "$(dirname "$steplog")/examples/restart" ]; then
    code=0
    "$(dirname "$steplog")/examples/restart" "$PWD/rings" killed >first.log 2>err || code=$?
    verify "a service is killed" [ "$code" = 137 ]
    run recover rings --keep
    verify "recover: the last thing that it logged" finds '"event":"step_start".*"description":"Storing","recovered":true' out
    verify "recover: how much that is" finds 'recovered: [1-3] records? of 1 process$' err
    cp out kept
    run recover --report rings
    verify "recover --keep has left everything" lines <(grep -Fxf kept out) "$(wc -l <kept)"
    verify "recover --report: who was killed" finds '"message":"process [0-9]+ was killed' out
    verify "recover --report: what it was at" finds '"event":"operation_incomplete","operation":"Import Models"' out
    run recover rings
    says "recover has removed what it wrote" 0 '0 records of 0 processes'
fi
finish
