#!/usr/bin/env bash
# Limits without exceptions: functions of 60 lines and 6 parameters (public ones 8), files of 450 lines (tables of data
# aside); no calls that a library must not make; spelling; shell scripts without shellcheck's complaints.
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"
cd "$source_dir"

mapfile -t sources < <(find src include -name '*.[ch]' | sort)
if [ ${#sources[@]} -eq 0 ]; then
    problem "no files in src/ and include/"
    finish
fi

long=$(wc -l "${sources[@]}" | awk '$2 != "total" && $2 !~ /_table\.[ch]$/ && $1 > 450 {print $2 ": " $1 " lines"}')
if [ -n "$long" ]; then
    problem "files above 450 lines; split them by concept:" "$long"
else
    passed "${#sources[@]} files of at most 450 lines"
fi

# What would surprise a program that logs: formatted into who knows what, unsafe in threads, changing the process.
banned='sprintf|vsprintf|strcpy|strcat|strncpy|strtok|gets|asctime|ctime|localtime|gmtime|rand|srand|setenv|putenv|exit|abort|system|popen|alloca|sleep|usleep|setlocale|printf|fopen|fprintf|puts|putchar|perror'
found=$(for file in "${sources[@]}"; do
    [ "$file" != src/testing/fail.c ] || continue # a user's test that failed ends there, by abort()
    sed -E 's,/\*.*(\*/|$),,; /^[[:space:]]*\*/s/.*//' "$file" | grep -nE "(^|[^a-zA-Z0-9_.>])($banned)[[:space:]]*\(" |
        sed "s,^,$file:," || true
done)
if [ -n "$found" ]; then
    problem "calls that src/ does without (stdio, unsafe string functions, whatever changes or ends the process):" "$found" \
        "see 'banned' in tests/check/strict.sh"
else
    passed "no banned calls"
fi

if have ctags && ctags --version 2>/dev/null | grep 'Universal Ctags' >/dev/null; then
    ctags -f - --sort=no --fields=+neS --kinds-C=f --language-force=C "${sources[@]}" >"$work/functions"
    awk -F'\t' '
        {
            start = end = 0; signature = ""
            for (i = 4; i <= NF; i++) {
                if ($i ~ /^line:/) start = substr($i, 6)
                if ($i ~ /^end:/) end = substr($i, 5)
                if ($i ~ /^signature:/) signature = substr($i, 11)
            }
            if (end - start + 1 > 60) print $2 ":" start ": " $1 " has " end - start + 1 " lines, at most 60"
            depth = 0; parameters = signature == "" ? 0 : 1
            for (i = 1; i <= length(signature); i++) {
                c = substr(signature, i, 1)
                if (c == "(") depth++
                if (c == ")") depth--
                if (c == "," && depth == 1) parameters++
            }
            limit = $1 ~ /^(step_|stepi_.*_values$)/ ? 8 : 6
            if (parameters > limit) print $2 ":" start ": " $1 " has " parameters " parameters, at most " limit
        }' "$work/functions" >"$work/over"
    if [ -s "$work/over" ]; then
        problem "functions that do too much; split them, or pass a struct:" "$(cat "$work/over")"
    else
        passed "$(wc -l <"$work/functions") functions of at most 60 lines and 6 parameters"
    fi
else
    skipped "lengths of functions: universal-ctags is not installed"
fi

if have codespell; then
    places=()
    for place in src include tests examples docs README.md CMakeLists.txt; do
        [ ! -e "$place" ] || places+=("$place")
    done
    if codespell --quiet-level=3 --ignore-words-list=infinit --skip='*.log,*.json,*.svg,*.png,*/corpus/*' "${places[@]}" >"$work/spelling" 2>&1; then
        passed "spelling"
    else
        problem "spelling (codespell):" "$(head -n 20 "$work/spelling")"
    fi
else
    skipped "spelling: codespell is not installed"
fi

if have shellcheck; then
    mapfile -t scripts < <(grep -rlIE --exclude-dir='build*' --exclude-dir=.git '^#!(/usr)?/bin/(env )?(ba)?sh' \
        tests examples docs .ci 2>/dev/null | sort || true)
    if [ ${#scripts[@]} -eq 0 ] || shellcheck -x "${scripts[@]}" >"$work/shell" 2>&1; then
        passed "${#scripts[@]} shell scripts"
    else
        problem "shell scripts (shellcheck -x):" "$(head -n 40 "$work/shell")"
    fi
else
    skipped "shell scripts: shellcheck is not installed"
fi
finish
