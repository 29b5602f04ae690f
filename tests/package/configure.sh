#!/usr/bin/env bash
# Configuring: what is needed for what, where things are installed, and clear words where the library does not fit.
# shellcheck source-path=SCRIPTDIR source=../check/_common.sh
. "$(dirname "$0")/../check/_common.sh"
generator=(-G "$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build_dir/CMakeCache.txt")")
cc=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build_dir/CMakeCache.txt")

# configure ARGUMENTS...: into $work/build, output in $work/log
configure() {
    rm -rf "$work/build"
    cmake -S "$source_dir" -B "$work/build" "${generator[@]}" -DCMAKE_C_COMPILER="$cc" "$@" >"$work/log" 2>&1
}

# accepts DESCRIPTION ARGUMENTS..., refuses DESCRIPTION WORDS ARGUMENTS...
accepts() {
    local description=$1
    shift
    if configure "$@"; then
        passed "$description"
    else
        problem "$description: cmake $* failed" "$(grep -A6 -m1 'CMake Error' "$work/log" || tail -n 5 "$work/log")"
    fi
}
refuses() {
    local description=$1 words=$2
    shift 2
    if configure "$@"; then
        problem "$description: cmake $* succeeded"
    elif ! tr -s ' \n' ' ' <"$work/log" | grep -F "$words" >/dev/null; then
        problem "$description: cmake $* does not say \"$words\"" "$(grep -A6 -m1 'CMake Error' "$work/log")"
    else
        passed "$description"
    fi
}

# As if nothing but a compiler were installed.
nothing=(-DCMAKE_DISABLE_FIND_PACKAGE_SQLite3=ON -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON
    -DCMAKE_DISABLE_FIND_PACKAGE_cmocka=ON)
accepts "the library alone needs a compiler only" "${nothing[@]}" -DBUILD_TESTING=OFF -DSTEP_LOGGER_EXAMPLES=OFF
accepts "examples without their dependencies are skipped" "${nothing[@]}" -DBUILD_TESTING=OFF
for example in $(grep -l '^#include <sqlite3.h>' "$source_dir"/examples/*.c 2>/dev/null || true); do
    name=$(basename "$example" .c)
    grep -q "Example $name is skipped: .*libsqlite3-dev" "$work/log" ||
        problem "cmake does not say that the example $name is skipped, and for want of which package"
done
refuses "tests without cmocka" "install libcmocka-dev" "${nothing[@]}" -DBUILD_TESTING=ON -DSTEP_LOGGER_EXAMPLES=OFF
refuses "another system" "step_logger needs Linux" -DBUILD_TESTING=OFF -DCMAKE_SYSTEM_NAME=FreeBSD
refuses "an unknown sanitizer" "STEP_LOGGER_SANITIZE" -DBUILD_TESTING=OFF -DSTEP_LOGGER_SANITIZE=sanity
refuses "sanitizers that do not go together" "thread goes with neither" -DBUILD_TESTING=OFF -DSTEP_LOGGER_SANITIZE="address,thread"

# A project around it: no tests, no examples, no build type, nothing installed unless asked for.
mkdir -p "$work/around"
cat >"$work/around/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.20)
project(around LANGUAGES C)
add_subdirectory($source_dir step_logger)
if(CMAKE_BUILD_TYPE OR TARGET examples_common OR TARGET test_public_layout OR DEFINED BUILD_TESTING)
    message(FATAL_ERROR "step_logger changed the project around it")
endif()
END
if cmake -S "$work/around" -B "$work/around/build" "${generator[@]}" "${nothing[@]}" >"$work/log" 2>&1; then
    passed "a project around it is left as it is"
    cmake --install "$work/around/build" --prefix "$work/none" >/dev/null 2>&1 || true
    [ ! -e "$work/none/include" ] || problem "as a subdirectory it installs itself without STEP_LOGGER_INSTALL"
else
    problem "a project around it does not configure" "$(tail -n 5 "$work/log")"
fi

# step_logger.pc by itself, whatever the directories are
pc() { # DESCRIPTION EXPECTED_LIBDIR EXPECTED_INCLUDEDIR ARGUMENTS...: what step_logger.pc says, were it in /p/...
    local description=$1 libdir=$2 includedir=$3 got
    shift 3
    configure "${nothing[@]}" -DBUILD_TESTING=OFF -DSTEP_LOGGER_EXAMPLES=OFF "$@" || true
    mkdir -p "$work/p/lib/pkgconfig"
    cp "$work/build/step_logger.pc" "$work/p/lib/pkgconfig/"
    got=$(PKG_CONFIG_PATH=$work/p/lib/pkgconfig pkg-config --variable=libdir step_logger | xargs -r realpath -m)
    got+=" $(PKG_CONFIG_PATH=$work/p/lib/pkgconfig pkg-config --variable=includedir step_logger | xargs -r realpath -m)"
    if [ "$got" = "$libdir $includedir" ]; then
        passed "$description"
    else
        problem "$description: step_logger.pc says $got, expected $libdir $includedir" "$(cat "$work/build/step_logger.pc")"
    fi
}
if have pkg-config; then
    pc "relative directories" "$work/p/lib" "$work/p/include" -DCMAKE_INSTALL_LIBDIR=lib
    pc "an absolute library directory" /opt/a/lib "/usr/include" \
        -DCMAKE_INSTALL_LIBDIR=/opt/a/lib -DCMAKE_INSTALL_PREFIX=/usr
    pc "an absolute include directory" "$work/p/lib" /opt/a/include \
        -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_INSTALL_INCLUDEDIR=/opt/a/include
else
    skipped "step_logger.pc: pkg-config is not installed"
fi
finish
