#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What the finished program needs at run time, and how it is hardened. Loading shared libraries costs
# more than making the namespaces: rt has none of its own, and libc only where it was asked for
# (--disable-static-program).
# rows: PKG-03 PKG-04
set -u
[ -z "${RT_SANITIZED-}" ] || exit 77
rt=${RT_BINARY:-./rt}
dynamic=$(readelf --wide --dynamic --program-headers --syms "$rt") || exit 99
passed=0 failed=0

check () { # WHAT PATTERN: readelf says it
    if printf '%s\n' "$dynamic" | grep -Eq -- "$2"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not true of $rt: $1"
    fi
}

needed=$(printf '%s\n' "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
case ${RT_SHARED_DEPS-} in
'')
    libraries=$(printf '%s\n' "$needed" | grep -Evc '^(|libc\.so\.6|ld-linux.*|ld64.*)$')
    if [ "$libraries" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "libc must be the only shared library of $rt, which needs:" "$needed"
    fi
    ;;
esac
check "a position-independent executable" 'FLAGS_1.*PIE'
check "the relocations are bound at once" 'BIND_NOW|FLAGS.*NOW'
check "and then read-only" 'GNU_RELRO'
if [ -n "${RT_STATIC-}" ]; then
    if [ -z "$needed" ] && ! printf '%s\n' "$dynamic" | grep -q ' INTERP '; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$rt needs to be loaded by another program, but was linked statically"
    fi
fi
check "the stack is not executable" 'GNU_STACK.* RW '
check "a stack protector" '__stack_chk_fail'
check "checked string functions" '_chk(@| |$)'
if printf '%s\n' "$dynamic" | grep -Eq 'RPATH|RUNPATH|TEXTREL'; then
    failed=$((failed + 1))
    echo "$rt has a library path or text relocations"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
