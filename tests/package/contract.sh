#!/usr/bin/env bash
# The library as its users get it: installed into a prefix that is then moved, found by find_package and by pkg-config,
# shared and static, or added as a subdirectory; from C and from C++. The same program every time, with the same output; and a
# user's test, with step_logger::testing.
# shellcheck source-path=SCRIPTDIR source=../check/_common.sh
. "$(dirname "$0")/../check/_common.sh"
here=$source_dir/tests/package
prefix=$work/moved/prefix
generator=(-G "$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build_dir/CMakeCache.txt")")
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build_dir/CMakeCache.txt")
languages=(C)
if have c++ || have g++; then
    languages+=(CXX)
else
    skipped "C++: no g++ or c++ is installed"
fi

# try DESCRIPTION COMMAND...: the command succeeds, else its last lines are shown
try() {
    local description=$1
    shift
    if ! "$@" >"$work/log" 2>&1; then
        problem "$description; the last lines of: $*" "$(tail -n 15 "$work/log")"
        return 1
    fi
}

# runs DESCRIPTION PROGRAM: prints contract.txt
runs() {
    rm -f "$work/file.log"
    if ! timeout 30 "$2" "$work/file.log" >"$work/output" 2>"$work/errors"; then
        problem "$1: the program failed" "$(tail -n 15 "$work/errors")"
    elif ! diff -u "$here/contract.txt" "$work/output" >"$work/diff"; then
        problem "$1: the output differs from tests/package/contract.txt" "$(cat "$work/diff")"
    elif ! grep -q 'ERROR.*timed out' "$work/file.log"; then
        problem "$1: the file sink got no ERROR lines"
    else
        passed "$1"
    fi
}

# runs_test DESCRIPTION PROGRAM: prints testing.txt
runs_test() {
    if ! timeout 30 "$2" >"$work/output" 2>"$work/errors"; then
        problem "$1: the test failed" "$(tail -n 15 "$work/errors")"
    elif ! diff -u "$here/testing.txt" "$work/output" >"$work/diff"; then
        problem "$1: the output differs from tests/package/testing.txt" "$(cat "$work/diff")"
    else
        passed "$1"
    fi
}

# project DIRECTORY FIND: a user's project that gets step_logger by the CMake commands FIND
project() {
    mkdir -p "$1"
    cat >"$1/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.20)
project(user LANGUAGES ${languages[*]})
$2
add_executable(program_c $here/contract.c)
target_link_libraries(program_c PRIVATE step_logger::step_logger)
add_executable(test_c $here/testing.c)
target_link_libraries(test_c PRIVATE step_logger::testing)
if(CMAKE_CXX_COMPILER)
    add_executable(program_cxx $here/contract.cpp)
    target_link_libraries(program_cxx PRIVATE step_logger::step_logger)
    configure_file($here/testing.c testing.cpp COPYONLY)
    add_executable(test_cxx \${CMAKE_CURRENT_BINARY_DIR}/testing.cpp)
    target_link_libraries(test_cxx PRIVATE step_logger::step_logger step_logger::testing)
endif()
END
}

# build_and_run DESCRIPTION DIRECTORY CMAKE_ARGUMENTS...
build_and_run() {
    local description=$1 directory=$2 program
    shift 2
    rm -rf "$directory/build"
    try "$description: cmake" cmake -S "$directory" -B "$directory/build" "${generator[@]}" "$@" || return 0
    try "$description: build" cmake --build "$directory/build" || return 0
    for program in "$directory"/build/program_*; do
        runs "$description, ${program##*program_}" "$program"
    done
    for program in "$directory"/build/test_*; do
        runs_test "$description, a test, ${program##*test_}" "$program"
    done
}

# ---- Install, then move: nothing may remember where it was
if ! try "install" cmake --install "$build_dir" --prefix "$work/first"; then
    finish
fi
mkdir -p "$work/moved"
mv "$work/first" "$prefix"
version=$(sed -n 's/^#define STEP_LOGGER_VERSION "\(.*\)"/\1/p' "$source_dir/include/step_logger.h")
libdir=$(dirname "$(find "$prefix" -name libstep_logger.a)")
(cd "$prefix" && find . -type f -o -type l) | sed "s,^\./,,; s,^${libdir#"$prefix/"}/,LIB/," | sort >"$work/installed"
{
    echo include/step_logger.h
    printf '%s\n' bin/steplog share/man/man1/steplog.1 share/bash-completion/completions/steplog
    (cd "$source_dir/include" && find step_logger -name '*.h' | sed 's,^,include/,')
    printf 'LIB/%s\n' libstep_logger.a libstep_logger_testing.a libstep_logger.so libstep_logger.so.0 "libstep_logger.so.$version" \
        pkgconfig/step_logger{,_testing}.pc cmake/step_logger/step_logger-{config,config-version,targets}.cmake
} | sort >"$work/expected"
if ! diff -u "$work/expected" <(grep -vE 'step_logger-targets-[a-z]+\.cmake$' "$work/installed") >"$work/diff"; then
    problem "other files are installed than should be" "$(cat "$work/diff")"
else
    passed "$(wc -l <"$work/installed") files installed"
fi
if grep -rlF -e "$source_dir" -e "$build_dir" -e "$work/first" "$libdir/cmake" "$libdir/pkgconfig" >"$work/found"; then
    problem "installed files name the machine they were built on:" "$(cat "$work/found")"
fi

# ---- find_package
project "$work/package" "find_package(step_logger 0.1 REQUIRED)"
build_and_run "find_package, static" "$work/package" -DCMAKE_PREFIX_PATH="$prefix"
build_and_run "find_package, shared" "$work/package" -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=ON
for program in program_c test_c; do
    if [ -e "$work/package/build/$program" ] && ! ldd "$work/package/build/$program" | grep libstep_logger.so.0 >/dev/null; then
        problem "with BUILD_SHARED_LIBS=ON step_logger::step_logger is not the shared library: see $program"
    fi
done
for other in 0.0 0.2 1.0; do
    project "$work/version" "find_package(step_logger $other REQUIRED)"
    if cmake -S "$work/version" -B "$work/version/build" "${generator[@]}" -DCMAKE_PREFIX_PATH="$prefix" >/dev/null 2>&1; then
        problem "find_package(step_logger $other) accepts version $version: 0.x promises nothing between minor versions"
    fi
    rm -rf "$work/version"
done

# ---- pkg-config
if have pkg-config; then
    export PKG_CONFIG_PATH=$libdir/pkgconfig
    for language in "${languages[@]}"; do
        if [ "$language" = C ]; then
            compile=("$cc" -std=c11 "$here/contract.c")
            compile_test=("$cc" -std=c11 "$here/testing.c")
        else
            compile=(c++ -std=c++11 "$here/contract.cpp")
            compile_test=(c++ -std=c++11 -x c++ "$here/testing.c" -x none)
        fi
        # shellcheck disable=SC2046  # flags are words
        if try "pkg-config, shared, $language" \
            "${compile[@]}" -o "$work/program" $(pkg-config --cflags --libs step_logger) -Wl,-rpath,"$libdir"; then
            runs "pkg-config, shared, $language" "$work/program"
        fi
        # shellcheck disable=SC2046
        if try "pkg-config --static, $language" \
            "${compile[@]}" -static -o "$work/program" $(pkg-config --static --cflags --libs step_logger); then
            runs "pkg-config --static, $language" "$work/program"
        fi
        # shellcheck disable=SC2046
        if try "pkg-config, shared, a test, $language" "${compile_test[@]}" -o "$work/program" \
            $(pkg-config --cflags --libs step_logger_testing) -Wl,-rpath,"$libdir"; then
            runs_test "pkg-config, shared, a test, $language" "$work/program"
        fi
        # shellcheck disable=SC2046
        if try "pkg-config --static, a test, $language" "${compile_test[@]}" -static -o "$work/program" \
            $(pkg-config --static --cflags --libs step_logger_testing); then
            runs_test "pkg-config --static, a test, $language" "$work/program"
        fi
    done
else
    skipped "pkg-config is not installed"
fi

# ---- A user's shared library that links the static one does not export our names
echo '#include <step_logger.h>
void plugin(void);
void plugin(void) { step_info("from a plugin", step_kv("k", 1)); }' >"$work/plugin.c"
if try "a plugin with the static library inside" "$cc" -shared -fPIC -I"$prefix/include" -o "$work/plugin.so" \
    "$work/plugin.c" "$libdir/libstep_logger.a" -pthread; then
    leaked=$(nm -D --defined-only "$work/plugin.so" | grep -c ' step' || true)
    if [ "$leaked" -gt 0 ]; then
        problem "a shared library that links libstep_logger.a exports $leaked of our names"
    else
        passed "a shared library that links libstep_logger.a exports none of our names"
    fi
fi

# ---- add_subdirectory
project "$work/subdirectory" "add_subdirectory($source_dir step_logger)"
build_and_run "add_subdirectory" "$work/subdirectory"
build_and_run "add_subdirectory, shared" "$work/subdirectory" -DBUILD_SHARED_LIBS=ON
finish
