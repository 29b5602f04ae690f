#!/usr/bin/env bash
# Names and places: what a header declares carries our prefix, include guards follow the path, nothing unplanned lies at
# the top of the repository or waits for "later".
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"
cd "$source_dir"

# Public headers: step_, STEP_, or stepi_, STEPI_ for the macros' own; and the short names that a user asks for.
# Headers of src/: stepi_, STEPI_, or what the public header declared.
if have ctags && ctags --version 2>/dev/null | grep 'Universal Ctags' >/dev/null; then
    strangers() { # DIRECTORY PATTERN
        find "$1" -name '*.h' -print0 | sort -z | xargs -0r ctags -f - --sort=no --fields=+nKZ --language-force=C \
            --kinds-C=defgpstuvx | awk -F'\t' -v allowed="$2" '$1 !~ allowed && $1 !~ /^_/ && $0 !~ /\tlocal/ {
                line = ""
                for (i = 4; i <= NF; i++) if ($i ~ /^line:/) line = substr($i, 6)
                print $2 ":" line ": " $1 }'
    }
    found=$(strangers include '^(stepi?_|STEPI?_|kv$|log_operation_step$|log_step_(success|failure)$)')
    found+=$(strangers src '^(stepi_|STEPI_|step_)')
    if [ -n "$found" ]; then
        problem "names in headers without our prefix; rename them (stepi_, STEPI_), or make them local to a .c file:" "$found"
    else
        passed "what headers declare carries our prefix"
    fi
else
    skipped "names in headers: universal-ctags is not installed"
fi

bad=
while IFS= read -r header; do
    case $header in
    src/*) path=${header#src/} prefix=STEPI_ ;;
    include/step_logger.h) path=step_logger.h prefix='' ;;
    *) path=${header#include/} prefix='' ;;
    esac
    guard=$prefix$(tr 'a-z/.-' 'A-Z___' <<<"$path")
    if ! grep -q "^#ifndef $guard\$" "$header" || ! grep -q "^#define $guard\$" "$header"; then
        bad+="$header: expected $guard"$'\n'
    fi
done < <(find src include -name '*.h' | sort)
if [ -n "$bad" ]; then
    problem "include guards that do not follow the path:" "${bad%$'\n'}"
else
    passed "include guards"
fi

later=$(grep -rnE '\b(TODO|FIXME|XXX|HACK)\b' src include --include='*.[ch]' | grep -vE '\b(TODO|FIXME)\([^)]+\)' || true)
if [ -n "$later" ]; then
    problem "notes for later without a condition; write TODO(when ...), or do it now:" "$later"
else
    passed "no notes for later"
fi

if have git && git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    extra=$(git ls-files | cut -d/ -f1 | sort -u |
        grep -vxE 'CMakeLists\.txt|include|src|tests|examples|docs|README\.md|LICENSE|\..*' || true)
    if [ -n "$extra" ]; then
        problem "files at the top of the repository that belong into a folder: ${extra//$'\n'/ }"
    else
        passed "the top of the repository"
    fi
    homes=$(git grep -nIE '(^|[^a-zA-Z0-9_.$}])/(home|root|Users|mnt)/[a-zA-Z]' -- . ':!tests/check/names.sh' || true)
    if [ -n "$homes" ]; then
        problem "paths of somebody's machine in tracked files:" "$homes"
    else
        passed "no paths of somebody's machine"
    fi
else
    skipped "the top of the repository: no git checkout"
fi
finish
