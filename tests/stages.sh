# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The stages of tests/run.sh: one function each, with its builds and its runners. Uses $top, $build,
# $log, $programs, $jobs and $python of run.sh.
: "${top:?}" "${build:?}" "${log:?}" "${jobs:?}" "${python:?}" "${programs:?}"

# shellcheck disable=SC2034 # read by run.sh
{
ALL_STAGES=(packages lint build_gcc build_asan build_clang build_fuzz build_musl build_without cross unit feature
    security faults engines user single_id nested blocked bench unit_asan feature_asan musl without
    docker compose podman containerd checkpoint systemd vm docker_vm lsm dist fuzz cppcheck)
FAST_STAGES=(lint build_gcc unit feature)
PLAIN_STAGES=(packages build_gcc build_asan build_clang build_fuzz build_musl build_without cppcheck cross bench dist)
# By themselves these leave a processor idle: they wait for daemons, configure, or are machines with one
# processor. None of them measures time, and none sees what another makes. Of ENGINES, which are as many
# processes as there are processors, one runs at a time.
BESIDE=(lint build_gcc build_asan build_clang build_fuzz build_musl build_without cross
    docker compose podman containerd checkpoint systemd vm docker_vm lsm dist fuzz cppcheck)
ENGINES=(docker compose podman containerd checkpoint)
# The longest come first.
declare -A PARTS=(
    [systemd]='systemd podman notify' [lsm]='apparmor selinux'
    [vm]='v2-1of6 v2-2of6 v2-3of6 v2-4of6 v2-5of6 v2-6of6 v1 hybrid user unit-v2 unit-v1 unit-hybrid'
    [fuzz]=$(printf '%s\n' tests/fuzz/fuzz_*.c | sed 's/.*fuzz_\(.*\)\.c/\1/')
)
declare -A NEEDS=(
    [unit]=build_gcc [feature]=build_gcc [security]=build_gcc [faults]=build_gcc
    [user]=build_gcc [single_id]=build_gcc [nested]=build_gcc [blocked]=build_gcc [dist]=build_gcc
    [engines]=build_musl [docker]=build_musl [compose]=build_musl [podman]=build_musl [containerd]=build_musl
    [checkpoint]=build_musl [bench]=build_musl [systemd]=build_musl [docker_vm]=build_musl [lsm]=build_musl
    [vm]='build_gcc build_musl'
    [unit_asan]=build_asan [feature_asan]=build_asan [cppcheck]=build_clang [fuzz]=build_fuzz [musl]=build_musl
    [without]=build_without
)
}

PACKAGES=(gcc make autoconf automake libc6-dev linux-libc-dev libyajl-dev libseccomp-dev libcap-dev
    libcmocka-dev clang libclang-rt-dev llvm clang-format cppcheck
    shellcheck python3 python3-pytest python3-pytest-xdist python3-jsonschema user-mode-linux kmod musl-tools
    iproute2 procps strace uidmap busybox-static apparmor secilc xz-utils mmdebstrap e2fsprogs groff-base
    zsh fish gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static docker.io docker-compose
    iptables curl podman buildah conmon catatonit slirp4netns containernetworking-plugins
    containerd python3-grpcio python3-protobuf protobuf-compiler)

stage_packages () {
    local package missing=()
    command -v apt-get >/dev/null || {
        echo "no apt-get here: configure will name what is missing"
        return 0
    }
    for package in "${PACKAGES[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || {
        echo "all ${#PACKAGES[@]} packages are there"
        return 0
    }
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log/apt.log" 2>&1; then
        tail -n 30 "$log/apt.log"
        return 1
    fi
}

# configured NAME ARGS...: an out-of-tree build in $build/NAME, tests included; says only what went wrong.
configured () {
    program "$@" && made "$1" check TESTS=
}

# The same of the program alone.
program () {
    local name=$1
    shift
    exec 9>"$log/autogen.lock" # builds run beside each other
    flock 9
    if [ ! -x configure ] || [ configure.ac -nt configure ]; then
        ./autogen.sh >"$log/autogen.log" 2>&1 || {
            cat "$log/autogen.log"
            return 1
        }
    fi
    exec 9>&-
    mkdir -p "$build/$name"
    if ! (cd "$build/$name" && "$top/configure" -q --enable-werror "$@" >configure.log) \
        >"$log/configure-$name.log" 2>&1; then
        tail -n 40 "$log/configure-$name.log"
        return 1
    fi
    made "$name" rt &&
        echo "built $("$build/$name/rt" --version | head -n 1) in ${build##*/}/$name"
}

made () { # NAME GOALS...
    make -s -C "$build/$1" -j"$jobs" "${@:2}" >"$log/make-$1.log" 2>&1 || {
        grep -vE '^ +(CC|CCLD|AR) |^checking ' "$log/make-$1.log" | tail -n 40
        return 1
    }
}

stage_build_gcc () { configured gcc CC=gcc; }
stage_build_asan () { configured asan CC=gcc --enable-sanitizers 'CFLAGS=-g -O1'; }
stage_build_clang () { configured clang CC=clang; }
# What README.md makes: below engines and in machines it is this one. The unit tests' library is glibc's.
stage_build_musl () { program musl --with-musl; }
stage_build_without () { configured without CC=gcc --without-libseccomp; }
stage_build_fuzz () { configured fuzz CC=clang --enable-sanitizers --enable-fuzzing 'CFLAGS=-g -O1'; }

# With another libc than glibc.
stage_musl () { suite musl feature tests/security; }

# Without libseccomp: all but profiles works, and those are refused.
stage_without () {
    unit_in without &&
        suite without feature -k 'never_ignored or program_instead or test_rootfs'
}

# For another architecture: what the compiler says about it, and that the program starts there.
stage_cross () {
    tests/cross.sh "$build/cross" >"$log/cross-arm64.log" 2>&1 || {
        tail -n 40 "$log/cross-arm64.log"
        return 1
    }
    tail -n 1 "$log/cross-arm64.log"
}

stage_lint () {
    tests/lint/selftest.sh
    local first=$?
    tests/lint/run.sh && [ "$first" -eq 0 ]
}

# Unit tests: automake's verdict, and cmocka's own closing lines from the logs.
unit_in () {
    local code
    (cd "$build/$1" && make -s -j"$jobs" check) >"$log/check-$1.log" 2>&1
    code=$?
    grep -hE '^\[  (PASSED|FAILED |SKIPPED ) *\]? .*test|^[0-9]+ passed, [0-9]+ failed$' \
        "$build/$1"/tests/unit/*.log
    grep -E '^# (TOTAL|PASS|FAIL|ERROR)' "$log/check-$1.log"
    [ "$code" -eq 0 ] || grep -hE '^\[ +(FAILED|ERROR|LINE) |^(FAIL|ERROR):|==ERROR|runtime error|SUMMARY:' \
        "$log/check-$1.log" "$build/$1"/tests/unit/*.log
    return "$code"
}
stage_unit () { unit_in gcc; }
stage_unit_asan () { ASAN_OPTIONS=$ASAN UBSAN_OPTIONS=$UBSAN unit_in asan; }

# reachable BUILD: a copy of its rt where an ordinary user can execute it: the source tree may lie in
# /root. $programs is run.sh's, and goes with it. What stages beside each other run is there all the time.
reachable () {
    local copy=$programs/$1/rt
    [ -e "$copy" ] || { install -D "$build/$1/rt" "$copy.$BASHPID" && mv "$copy.$BASHPID" "$copy"; } &&
        echo "$copy"
}

pytest=("$python" -m pytest -q -p no:cacheprovider -n "$jobs" -rfE --tb=short)

# suite BUILD FOLDER ARGS...: a pytest suite with the rt of that build. What pytest has made of the tests is
# kept (__pycache__): it would take each suite, and each machine of stage vm, seconds to make it anew.
suite () {
    local rt folder=$2
    rt=$(reachable "$1")
    shift 2
    RT=$rt PYTHONDONTWRITEBYTECODE='' "${pytest[@]}" "tests/$folder" "$@"
}
stage_feature () { suite gcc feature; }
stage_security () { suite gcc security; }
stage_faults () { suite gcc faults; }
stage_engines () { suite musl engines/test_captured.py; }
stage_docker () { suite musl engines/test_docker.py tests/engines/test_docker_{verbs,nested}.py; }
stage_docker_vm () { RT=$(reachable musl) tests/vm/run-docker.sh; }

# Podman, Buildah and conmon, each worker with storage and namespaces of its own. With a reason for what
# is skipped: only where one of them is not installed.
stage_podman () {
    suite musl engines/test_conmon.py tests/engines/test_buildah.py \
        tests/engines/test_podman{,_options,_pods,_rootless}.py -n "$jobs" -rs
}

# containerd by ctr, and by the CRI plugin as a kubelet drives it; each worker has a daemon of its own.
stage_containerd () { suite musl engines/test_ctr.py tests/engines/test_cri.py -n "$jobs" -rs; }

# With a CRIU that reads this kernel's vDSO (Debian 12's does not on Linux 6.18): rt alone, and below each
# engine.
stage_checkpoint () {
    local criu code=0
    criu=$(tests/tools/criu.sh "$build/criu" 2>"$log/criu.log") || {
        tail -n 30 "$log/criu.log"
        return 1
    }
    echo "$("$criu" --version | head -n 1) in ${build##*/}/criu"
    export RT_TEST_CRIU=$criu
    suite musl feature/test_checkpoint.py tests/feature/test_restore.py -rs || code=1
    suite musl engines/test_checkpoints.py -rs || code=1
    return "$code"
}

# The scene of contrib/compose: what it says is in its log, its verdicts are shown.
stage_compose () {
    local code
    RT=$(reachable musl) contrib/compose/scene.sh --keep "$build/desk" >"$log/compose-scene.log" 2>&1
    code=$?
    if [ "$code" -eq 0 ]; then
        grep -E '==>|\[ok\]|^[0-9]+ passed, [0-9]+ failed$' "$log/compose-scene.log"
    else
        cat "$log/compose-scene.log"
    fi
    return "$code"
}

# The container suite on one more kind of host: without what is the same on each (who.py: once), and what
# is drawn by lot has fewer rounds.
again () { RT_TEST_AGAIN=1 RT_CONCURRENCY_SECONDS=5 RT_PROXY_ROUNDS=3 "$@"; }

# suite_as PROGRAM OPTIONS...: the container suite inside of what tests/as/PROGRAM makes.
suite_as () {
    RT=$(reachable gcc) RT_PROBE=$("$python" tests/feature/compiled.py) again "tests/as/$1" "${@:2}" -- \
        "${pytest[@]}" tests/feature tests/security
}
stage_user () { suite_as user.py; }
stage_single_id () { suite_as user.py --single-id; }
stage_nested () { suite_as nested.py; }

# The container suite without each of the newer system calls: ENOSYS is what an older kernel says, EPERM
# what an outer profile says that is older than the call. (Not for clone3: libc's own posix_spawn takes
# that for its last word, so profiles give ENOSYS.)
MOUNT_API='open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr'
BLOCKED=('ENOSYS openat2' 'ENOSYS clone3' 'ENOSYS mount_setattr' 'ENOSYS open_tree'
    'ENOSYS close_range' "EPERM $MOUNT_API")
stage_blocked () {
    local words code=0
    for words in "${BLOCKED[@]}"; do
        echo "$words:"
        RT_TEST_BLOCKED=$words again suite gcc feature tests/security || code=1
    done
    return "$code"
}

# Twice what is usual, so that a doubling is seen; and that each section of the benchmark works.
BENCH_LIMITS=(default=2.6 podman=2.9 commands=2.3 exec=2.9 state=1.6)
stage_bench () {
    local rt
    rt=$(reachable musl)
    RT=$rt PYTHONDONTWRITEBYTECODE=1 "$python" tests/bench/bench.py --section speed --rounds 40 \
        --crun '' --runc '' "${BENCH_LIMITS[@]/#/--limit=}" &&
        RT=$rt PYTHONDONTWRITEBYTECODE=1 "$python" tests/bench/bench.py --crun '' --runc '' \
            --section growth --section memory --section filters --section phases --growth-rounds 3 \
            --phase-rounds 3 --mounts 10,100 --containers 1,20 --sizes 10000,100000 --parallel 1,4 \
            --plots "$log/plots" --json "$log/bench.json" >"$log/bench.txt"
}

ASAN=detect_leaks=1:abort_on_error=0:exitcode=99:detect_stack_use_after_return=1
UBSAN=print_stacktrace=1:halt_on_error=1
stage_feature_asan () {
    ASAN_OPTIONS=$ASAN UBSAN_OPTIONS=$UBSAN RT_TEST_TIMEOUT=120 suite asan feature
}

stage_cppcheck () {
    cppcheck --quiet --std=c11 -j"$jobs" --error-exitcode=1 --inline-suppr \
        --enable=warning,performance,portability --suppressions-list=tests/lint/cppcheck.allow \
        -D_GNU_SOURCE -D__x86_64__=1 -Isrc -I. src oci-spec
}

# A quarter of a minute each, from the corpus that is kept in tests/fuzz/corpus.
stage_fuzz () { # NAME
    local fuzzer=$build/fuzz/tests/fuzz/fuzz_$1 corpora=("$build/fuzz/corpus-$1")
    mkdir -p "${corpora[0]}"
    [ ! -d "tests/fuzz/corpus/$1" ] || corpora+=("tests/fuzz/corpus/$1")
    if "$fuzzer" -max_total_time=15 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$log/fuzz-$1-" "${corpora[@]}" >"$log/fuzzer-$1.log" 2>&1; then
        tail -n 1 "$log/fuzzer-$1.log"
        echo "1 passed, 0 failed"
    else
        tail -n 40 "$log/fuzzer-$1.log"
        echo "0 passed, 1 failed"
        return 1
    fi
}

stage_lsm () { RT=$(reachable musl) tests/vm/run-lsm.sh --lsm "$1"; } # LSM

# One image for all of it.
stage_systemd () { # PART
    local script=tests/vm/run-systemd.sh apart=tests/systemd/test_notify_units.py
    RT=$(reachable musl)
    export RT RT_TEST_BUILD=$build
    case $1 in
    systemd) "$script" tests/systemd --ignore="$apart" ;;
    podman) "$script" tests/engines/test_podman_systemd.py ;;
    notify) "$script" "$apart" ;;
    esac
}
# What those machines boot, made while the first stages run.
begin_image () {
    RT_TEST_BUILD=$build tests/vm/image.sh >"$log/image.log" 2>&1 &
    # shellcheck disable=SC2034 # run.sh waits for it
    image=$!
}

# The container suite on v2; on v1 and hybrid what has to do with cgroups, and on v2 as an ordinary user.
stage_vm () { # PART
    local suite=tests/vm/run-suite.sh cgroups files chosen=() i
    cgroups=(tests/feature/test_*cgroup*.py tests/feature/test_{pause,update}.py)
    RT=$(reachable musl)
    export RT
    case $1 in
    v2-*) # each so manieth file
        files=(tests/feature/test_*.py)
        [[ $1 =~ ([0-9]+)of([0-9]+) ]]
        for ((i = BASH_REMATCH[1] - 1; i < ${#files[@]}; i += BASH_REMATCH[2])); do
            chosen+=("${files[i]}")
        done
        again "$suite" "${chosen[@]}"
        ;;
    v1 | hybrid) again "$suite" --cgroups "$1" "${cgroups[@]}" tests/feature/test_verbs.py ;;
    user) again "$suite" --as user "${cgroups[@]}" tests/feature/test_*rootless.py ;;
    unit-*)
        # shellcheck disable=SC2016 # the inner shell's
        tests/vm/uml.sh --cgroups "${1#unit-}" -- \
            sh -c 'code=0; for each; do "$each" || code=1; done; exit "$code"' sh \
            "$build"/gcc/tests/unit/test_cgroup_{real,kill}
        ;;
    esac
}

# What `make dist` packs builds and passes its unit tests, without git; and is installed as README.md says.
stage_dist () {
    local code
    (cd "$build/gcc" && rm -f rt-*.tar.xz && make -s dist && rm -rf "$build/dist" &&
        mkdir "$build/dist" && tar -C "$build/dist" -xf rt-*.tar.xz &&
        cd "$build"/dist/rt-* && mkdir own musl &&
        (cd own && ../configure -q && make -s -j"$jobs" check) &&
        cd musl && ../configure -q --with-musl && make -s -j"$jobs" &&
        make -s install DESTDIR="$build/dist/root" && ls "$build"/dist/root/usr/local/sbin/rt) \
        >"$log/make-dist.log" 2>&1
    code=$?
    [ "$code" -eq 0 ] || tail -n 40 "$log/make-dist.log"
    return "$code"
}
