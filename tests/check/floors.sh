#!/usr/bin/env bash
# Which folder of src/ may include which: only folders to its right, and itself.
#
#     config -> export -> core -> {format, sink, crash} -> record -> platform -> base
#     steplog -> {reader, format, record, base}, never core; reader -> {format, record, base}
#     testing -> nothing but the public headers: it is linked to whichever library a user's tests link
#
# Includes name a file by its path below src/ ("record/ring.h"). base knows nothing but the C standard library
# (and the compiler's own header of vector instructions).
# shellcheck source-path=SCRIPTDIR source=_common.sh
. "$(dirname "$0")/_common.sh"

declare -A below=(
    [config]="export core format sink crash record platform base"
    [export]="core format sink crash record platform base"
    [core]="format sink crash record platform base"
    [crash]="record platform base"
    [format]="record platform base"
    [sink]="record platform base"
    [record]="platform base"
    [platform]="base"
    [base]=""
    [testing]=""
    [steplog]="reader format record base"
    [reader]="format record base"
)
standard=" emmintrin assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic \
stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype "

# breaches TREE: one line for each include under TREE/src that is not allowed
breaches() {
    local file line number name floor target
    while IFS=: read -r file number line; do
        floor=${file#"$1/src/"}
        floor=${floor%%/*}
        if [[ -z ${below[$floor]+known} ]]; then
            echo "$file: the folder $floor is no floor: add it to tests/check/floors.sh, or move the file"
            continue
        fi
        if [[ $line =~ \#[[:space:]]*include[[:space:]]*\"([^\"]+)\" ]]; then
            name=${BASH_REMATCH[1]}
            target=${name%%/*}
            if [[ $name != */* || ! -f $1/src/$name ]]; then
                echo "$file:$number: \"$name\" is no path of a file below src/; write \"folder/file.h\""
            elif [[ $target != "$floor" && " ${below[$floor]} " != *" $target "* ]]; then
                echo "$file:$number: $floor may not include $target (\"$name\"); it may include: ${below[$floor]:-nothing}"
            fi
        elif [[ $floor == base && $line =~ \<([^\>]+)\> ]]; then
            name=${BASH_REMATCH[1]}
            if [[ $name != step_logger.h && $standard != *" ${name%.h} "* ]]; then
                echo "$file:$number: base may include only C standard headers, not <$name>; move the code to platform"
            fi
        fi
    done < <(grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' "$1/src" || true)
}

found=$(breaches "$source_dir")
if [ -n "$found" ]; then
    problem "includes against the order of the floors (see the top of tests/check/floors.sh):" "${found//"$source_dir/"/}"
else
    passed "the floors of src/"
fi

# A check that cannot fail is none: plant one breach of each kind, and one include that is fine.
mkdir -p "$work"/src/{base,record,format,sink,core,steplog,testing,attic}
touch "$work"/src/{base/a.h,record/ring.h,format/text.h,sink/file.h,core/log.h}
planted=0
plant() { # FILE INCLUDE
    echo "#include $2" >"$work/src/$1"
    if [ -z "$(breaches "$work")" ]; then
        problem "floors.sh does not notice $2 in src/$1: mend breaches()"
    fi
    rm "$work/src/$1"
    planted=$((planted + 1))
}
plant record/a.c '"core/log.h"'
plant format/a.c '"sink/file.h"'
plant sink/a.c '"format/text.h"'
plant steplog/a.c '"core/log.h"'
plant testing/a.c '"core/log.h"'
plant testing/b.c '"base/utf8.h"'
plant core/a.c '"log.h"'
plant core/b.c '"../record/ring.h"'
plant base/a.c '<unistd.h>'
plant attic/a.c '<stdio.h>'
printf '#include "record/ring.h"\n#include <unistd.h>\n' >"$work/src/core/fine.c"
printf '#include <string.h>\n' >"$work/src/base/fine.c"
if [ -n "$(breaches "$work")" ]; then
    problem "floors.sh complains about includes that are allowed: mend breaches()" "$(breaches "$work")"
else
    passed "$planted planted breaches are noticed"
fi
finish
