#!/usr/bin/env bash
# README.md and docs/*.md say what is: their code compiles and prints what they show, their links lead somewhere, and
# every public name, option and environment variable is in the guide or the configuration page.
#
# A ```c block is compiled as C11, a ```cpp block as C++17, with warnings as errors. One without main() is wrapped: its #
# lines first, then docs_prelude.h, then what ends with the last `}` in column 0 at file scope, the rest in main(). With a ```log
# block behind it, it is run, and what it prints must be that block; durations, times, numbers and ids of processes, threads,
# records and spans aside. ```sh and ```python blocks with a ```log block are run, too. Comments before a block say what else it needs:
#
#     <!-- check: compiled only, REASON -->   it has no output that could be shown
#     <!-- check: refused -->                 each of its lines alone does not compile
#     <!-- check: env NAME=VALUE ... -->      in its environment
#     <!-- check: file NAME -->               this ```log block is a file for the ```sh blocks behind it
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"
check_dir=$source_dir/tests/check
build_dir=$(realpath "$build_dir")
library=$build_dir/libstep_logger.a
testing=$build_dir/libstep_logger_testing.a
unset LOG_LEVEL NO_COLOR CLICOLOR_FORCE FORCE_COLOR "${!STEP_LOGGER_@}"

cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build_dir/CMakeCache.txt" 2>/dev/null || true)
cc=${cc:-cc}
cxx=
for name in g++ clang++ c++; do
    if [ -z "$cxx" ] && have "$name"; then
        cxx=$name
    fi
done
warnings=(-Wall -Wextra -Werror -Wno-unused -Wno-unused-parameter)

# compile LANGUAGE SOURCE ARGUMENTS...
compile() {
    local language=$1 source=$2
    shift 2
    if [ "$language" = c ]; then
        "$cc" -std=c11 "${warnings[@]}" -I "$source_dir/include" -I "$check_dir" "$source" "$@"
    else
        "$cxx" -std=c++17 "${warnings[@]}" -I "$source_dir/include" -I "$check_dir" "$source" "$@"
    fi
}

# ---- Blocks

# extract DOCUMENT DIRECTORY: N.lang N.line N.code N.marks for each fenced block, N.log for what it should print
extract() {
    awk -v dir="$2" '
        function close_block() {
            if (lang == "log") {
                if (program != "" && follows)
                    printf "%s", code >(dir "/" program ".log")
            } else if (lang ~ /^(c|cpp|sh|python)$/) {
                program = sprintf("%03d", n)
            }
            base = dir "/" sprintf("%03d", n)
            print lang >(base ".lang"); print at >(base ".line")
            printf "%s", code >(base ".code"); printf "%s", marks >(base ".marks")
            close(base ".lang"); close(base ".line"); close(base ".code"); close(base ".marks")
            follows = lang == "log" ? follows : program == sprintf("%03d", n)
            marks = ""
        }
        !inside && /^<!-- check: .* -->$/ { sub(/^<!-- check: /, ""); sub(/ -->$/, ""); marks = marks $0 "\n"; next }
        !inside && /^```[a-z]+$/ { inside = 1; lang = substr($0, 4); at = NR + 1; code = ""; n++; next }
        inside && /^```$/ { inside = 0; close_block(); next }
        inside { code = code $0 "\n"; next }
        /^[[:space:]]*$/ { next }
        { follows = 0; marks = "" }' "$1"
}

# mark BLOCK NAME: the rest of that mark; fails when the block has none
mark() {
    sed -n "s/^$2 \{0,1\},\{0,1\} \{0,1\}//p" "$1.marks" | grep '' || grep -qx "$2" "$1.marks"
}

# wrap DOCUMENT BLOCK: the program on stdout
wrap() {
    local uses_op=0 statements line last
    line=$(cat "$2.line")
    if grep -qE '^int main\(' "$2.code"; then
        printf '#line %d "%s"\n' "$line" "$1"
        cat "$2.code"
        return
    fi
    last=$(grep -nE '^\}' "$2.code" | tail -n 1 | cut -d: -f1 || true)
    last=${last:-0}
    statements=$(tail -n +$((last + 1)) "$2.code" | grep -v '^#' || true)
    if grep -qE '\<op\>' <<<"$statements" && ! grep -qE '\*(const )?op\>|operation op\>' <<<"$statements"; then
        uses_op=1
    fi
    printf '#ifndef _GNU_SOURCE\n#define _GNU_SOURCE 1\n#endif\n'
    awk -v line="$line" -v name="$1" '/^#/ { printf "#line %d \"%s\"\n%s\n", line + NR - 1, name, $0 }' "$2.code"
    printf '#include "docs_prelude.h"\n#line %d "%s"\n' "$line" "$1"
    head -n "$last" "$2.code" | sed 's/^#.*//'
    printf 'int main(void)\n{\n'
    [ "$uses_op" = 0 ] || printf 'docs_begin();\n'
    printf '#line %d "%s"\n' $((line + last)) "$1"
    tail -n +$((last + 1)) "$2.code" | sed 's/^#.*//'
    [ "$uses_op" = 0 ] || printf 'docs_end();\n'
    printf 'return 0;\n}\n'
}

# placeholders: stdin without what differs from run to run
placeholders() {
    sed -E 's/((duration|running)_ms=)[0-9.]+/\1<ms>/g; s/("(total_)?duration_ms":)[0-9.]+/\1<ms>/g
            s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]+Z/<time>/g
            s/("(pid|tid|seq)":| (pid|tid|seq)=)[0-9]+/\1<n>/g
            s/("(trace|span|parent_span)_id":"| (trace|span|parent_span)_id=)[0-9a-f]+/\1<id>/g'
}

# compare DOCUMENT BLOCK OUTPUT: complains about what differs
compare() {
    placeholders <"$2.log" >"$2.expected"
    placeholders <"$3" >"$2.actual"
    if ! diff -u --label shown --label printed "$2.expected" "$2.actual" >"$2.diff"; then
        complain "$1" "$2" "prints something else:" "$(cat "$2.diff")" \
            "what it printed, as it was:" "$(cat "$3")"
        return
    fi
    runs=$((runs + 1))
}

complain() { # DOCUMENT BLOCK TEXT...
    printf '%s:%s: %s\n' "$1" "$(cat "$2.line")" "$3" >>"$complaints"
    [ $# -lt 4 ] || printf '  %s\n' "${@:4}" >>"$complaints"
}

# in_files BLOCK FILES COMMAND...: runs it where its files are, output in BLOCK.out
in_files() {
    local block=$1 files=$2
    local -a settings=()
    shift 2
    read -ra settings <<<"$(mark "$block" env || true)"
    (cd "$files" && timeout 30 env "${settings[@]}" "$@") >>"$block.out" 2>&1
}

# try_program DOCUMENT BLOCK LANGUAGE FILES
try_program() {
    local document=$1 block=$2 language=$3 files=$4 line
    if [ "$language" = cpp ] && [ -z "$cxx" ]; then
        return
    fi
    if mark "$block" refused >/dev/null; then
        while IFS= read -r line; do
            [ -n "$line" ] || continue
            printf '#define _GNU_SOURCE 1\n#include "docs_prelude.h"\nstruct point { int x, y; } point;\nint main(void)\n{\n%s\n}\n' \
                "$line" >"$block.$language"
            if compile "$language" "$block.$language" -fsyntax-only >/dev/null 2>&1; then
                complain "$document" "$block" "this compiles, and should not: $line"
            fi
        done <"$block.code"
        return
    fi
    wrap "$document" "$block" >"$block.$language"
    if [ ! -e "$block.log" ]; then
        if ! mark "$block" "compiled only" >/dev/null; then
            complain "$document" "$block" "no \`\`\`log block follows, nor does a comment say why (see tests/check/docs.sh)"
        fi
        compile "$language" "$block.$language" -fsyntax-only >"$block.errors" 2>&1 ||
            complain "$document" "$block" "does not compile:" "$(head -n 12 "$block.errors")"
        return
    fi
    if ! compile "$language" "$block.$language" "$testing" "$library" -pthread -lm -o "$block.program" >"$block.errors" 2>&1; then
        complain "$document" "$block" "does not compile:" "$(head -n 12 "$block.errors")"
        return
    fi
    in_files "$block" "$files" "$block.program" || printf '(exit code %d)\n' $? >>"$block.out"
    compare "$document" "$block" "$block.out"
}

# try_script DOCUMENT BLOCK FILES INTERPRETER: only what shows its output
try_script() {
    [ -e "$2.log" ] || return 0
    if ! have "$4" || { grep -qw jq "$2.code" && ! have jq; }; then
        skipped "$1:$(cat "$2.line"): $4 or jq is not installed"
        return 0
    fi
    in_files "$2" "$3" env LD_LIBRARY_PATH="$build_dir" PATH="$build_dir:$PATH" "$4" "$2.code" || printf '(exit code %d)\n' $? >>"$2.out"
    compare "$1" "$2" "$2.out"
}

# examine DOCUMENT DIRECTORY: all its blocks
examine() {
    local block name files=$2/files
    mkdir -p "$files"
    extract "$1" "$2"
    for block in "$2"/*.lang; do
        [ -e "$block" ] || continue
        block=${block%.lang}
        case $(cat "$block.lang") in
        c) try_program "$1" "$block" c "$files" ;;
        cpp) try_program "$1" "$block" cpp "$files" ;;
        sh) try_script "$1" "$block" "$files" bash ;;
        python) try_script "$1" "$block" "$files" python3 ;;
        log)
            name=$(mark "$block" file || true)
            [ -z "$name" ] || cp "$block.code" "$files/$name"
            ;;
        esac
    done
}

# ---- Links

# slugs DOCUMENT: the anchors of its headings, as GitHub makes them
slugs() {
    awk '/^```/ { inside = !inside } !inside && /^#+ / { sub(/^#+ /, ""); print tolower($0) }' "$1" |
        sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# dead_links DOCUMENT: relative links that lead nowhere
dead_links() {
    local link file anchor
    awk '/^```/ { inside = !inside } !inside' "$1" | grep -oE '\]\([^)]+\)' | sed -E 's/^\]\(//; s/\)$//' | sort -u |
        while IFS= read -r link; do
            [[ $link != *://* && $link != mailto:* ]] || continue
            file=${link%%#*}
            anchor=${link#"$file"}
            file=${file:+$(dirname "$1")/$file}
            file=${file:-$1}
            if [ ! -e "$file" ]; then
                echo "$link"
            elif [ -n "$anchor" ] && [[ $file == *.md ]] && ! grep -qxF -- "${anchor#\#}" <(slugs "$file"); then
                echo "$link (no such heading)"
            fi
        done || true
}

# ---- Names

# public_names: functions and macros that the headers declare, options' members, environment variables, options of the build
public_names() {
    local header=$source_dir/include
    {
        # shellcheck disable=SC2046  # paths of ours have no spaces
        sed -E 's,/\*.*\*/,,; /^ *\/\*/d; /^ \*/d' "$header/step_logger.h" "$header"/step_logger/*.h >"$work/headers"
        grep -oE '^(STEP_API|STEP_TESTING_API|static inline) [^(;]*\(' "$work/headers" | grep -oE '[a-z0-9_]+\($' | tr -d '('
        grep -oE '^ *# *define [A-Za-z0-9_]+' "$work/headers" | awk '{print $NF}'
        grep -oE '\bSTEP_(LEVEL|MODE|FULL|FIELD|ANY|NO|NORMALIZE|E)[A-Z0-9_]+' "$work/headers"
        sed -nE '/^typedef struct step_[a-z_]+ \{/,/^\}/{s/.*\(\*([a-z_]+)\)\(.*/\1/p;t;s/.*[ *]([a-z0-9_]+);.*/\1/p}' "$work/headers"
        sed -nE 's/^(option|set)\((STEP_LOGGER_[A-Z_]+) .*/\2/p' "$source_dir/CMakeLists.txt"
        grep -hoE '(variable|read_switch)\("[A-Z_]+"' "$source_dir"/src/config/*.c | grep -oE '[A-Z_]{4,}'
    } | grep -vE '^(stepi_|STEPI_)|^STEP_(API|TESTING_API|ERRORS)$|_H$' | sort -u
}

missing_names() { # DOCUMENTS...
    public_names | while IFS= read -r name; do
        grep -qwF -- "$name" "$@" || echo "$name"
    done
}

# ---- All of it
cd "$source_dir"
if [ ! -e "$library" ] || [ ! -e "$testing" ]; then
    problem "there is no $library, or no $testing: build first"
    finish
fi
[ -n "$cxx" ] || skipped "C++ blocks: no C++ compiler is installed"

for document in README.md docs/*.md; do
    complaints=$work/${document//\//_}.complaints
    : >"$complaints"
    runs=0
    mkdir "$work/${document//\//_}"
    examine "$document" "$work/${document//\//_}"
    if [ -s "$complaints" ]; then
        problem "code of $document:" "$(cat "$complaints")"
    else
        passed "code of $document ($runs blocks were run)"
    fi
    dead=$(dead_links "$document")
    if [ -n "$dead" ]; then
        problem "links of $document that lead nowhere:" "$dead"
    else
        passed "links of $document"
    fi
done

missing=$(missing_names docs/guide.md docs/configuration.md)
if [ -n "$missing" ]; then
    problem "public names that neither docs/guide.md nor docs/configuration.md mentions:" "${missing//$'\n'/ }"
else
    passed "$(public_names | wc -l) public names are in the guide or in the configuration"
fi

# A check that cannot fail is none: one breach of each kind.
planted=$work/planted.md
cat >"$planted" <<'END'
# Planted

```c
step_info("not said why it has no output");
```

```c
step_info("does not compile", step_kv("k"));
```

```log
[INFO] does not compile
```

```c
step_info("one");
```

```log
[INFO] another
```

<!-- check: refused -->
```c
step_info("is fine", step_kv("k", 1));
```

```c
step_logger_success(op, step_kv("is", "fine"));
```

```log
[WARNING] success() without step() in operation "Database: Fetch All Models" (is=fine)
```

[nowhere](nowhere.md) [no heading](#none) [here](#planted)
END
complaints=$work/planted.complaints
: >"$complaints"
runs=0
mkdir "$work/planted"
examine "$planted" "$work/planted"
found=$(grep -cE '^[^ ].*: (no ```log|does not compile|prints something|this compiles)' "$complaints" || true)
dead=$(dead_links "$planted" | wc -l)
if [ "$found" = 4 ] && [ "$runs" = 1 ] && [ "$dead" = 2 ] && [ -n "$(missing_names "$planted")" ]; then
    passed "planted breaches are found"
else
    problem "planted: found $found of 4 bad blocks, $runs of 1 good one, $dead of 2 dead links" "$(cat "$complaints")"
fi
finish
