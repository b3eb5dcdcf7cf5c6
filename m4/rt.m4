# SPDX-License-Identifier: Apache-2.0
#
# rt: configure macros. A flag is used where the compiler at hand takes it without a warning; a
# missing library is remembered, and all of them are told together at the end.

# RT_ADD(VARIABLE, WORDS): appends to a list of words.
AC_DEFUN([RT_ADD], [AS_VAR_APPEND([$1], [" $2"])])

# RT_CFLAG(VARIABLE, FLAG): appends FLAG where compiling and linking with it works.
AC_DEFUN([RT_CFLAG], [
    AS_VAR_PUSHDEF([cache], [rt_cv_cflag_$2])
    AC_CACHE_CHECK([whether $CC takes $2], [cache], [
        rt_cflags=$CFLAGS
        CFLAGS="$CFLAGS -Werror $2"
        AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
            [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
        CFLAGS=$rt_cflags
    ])
    AS_VAR_IF([cache], [yes], [RT_ADD([$1], [$2])])
    AS_VAR_POPDEF([cache])
])

# RT_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([RT_LDFLAG], [
    AS_VAR_PUSHDEF([cache], [rt_cv_ldflag_$2])
    AC_CACHE_CHECK([whether the linker takes $2], [cache], [
        rt_ldflags=$LDFLAGS
        LDFLAGS="$LDFLAGS -Werror $2"
        AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
            [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
        LDFLAGS=$rt_ldflags
    ])
    AS_VAR_IF([cache], [yes], [RT_ADD([$1], [$2])])
    AS_VAR_POPDEF([cache])
])

AC_DEFUN([RT_COMPILER_FLAGS], [
    WARN_CFLAGS= HARDEN_CFLAGS= HARDEN_CPPFLAGS= HARDEN_LDFLAGS= PIE_LDFLAGS=
    m4_foreach_w([flag], [-Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes
        -Wmissing-prototypes], [RT_CFLAG([WARN_CFLAGS], flag)])
    m4_foreach_w([flag], [-fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection],
        [RT_CFLAG([HARDEN_CFLAGS], flag)])
    RT_LDFLAG([PIE_LDFLAGS], [-pie])
    RT_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,relro])
    RT_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,now])
    RT_LDFLAG([HARDEN_LDFLAGS], [-Wl,-z,noexecstack])
    RT_LDFLAG([HARDEN_LDFLAGS], [-Wl,--as-needed])
    # For the key of the copy that rt keeps of itself (kernel/selfcopy_mount).
    RT_LDFLAG([HARDEN_LDFLAGS], [-Wl,--build-id])
    # _FORTIFY_SOURCE does nothing but warn without optimisation, and hides errors from ASan.
    AC_MSG_CHECKING([whether the compiler optimizes])
    AC_COMPILE_IFELSE([AC_LANG_SOURCE([
        #ifndef __OPTIMIZE__
        #error no
        #endif
    ])], [AC_MSG_RESULT([yes])
        AS_IF([test "x$enable_sanitizers" != xyes],
            [HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
    ], [AC_MSG_RESULT([no])])
    AC_SUBST([WARN_CFLAGS])
    AC_SUBST([HARDEN_CFLAGS])
    AC_SUBST([HARDEN_CPPFLAGS])
    AC_SUBST([HARDEN_LDFLAGS])
    AC_SUBST([PIE_LDFLAGS])
])

AC_DEFUN([RT_SANITIZER_FLAGS], [
    SANITIZER_CFLAGS=
    AS_IF([test "x$enable_sanitizers" = xyes], [
        RT_CFLAG([SANITIZER_CFLAGS], [-fsanitize=address,undefined])
        AS_IF([test -z "$SANITIZER_CFLAGS"], [RT_MISSING([the sanitizer runtime],
            [apt install libgcc-12-dev (gcc) or libclang-rt-14-dev (clang) / dnf install libasan libubsan])])
        RT_ADD([SANITIZER_CFLAGS], [-fno-sanitize-recover=undefined -fno-omit-frame-pointer])
    ])
    AC_SUBST([SANITIZER_CFLAGS])
])

# The fuzzers bring their own main; the libraries only need coverage.
AC_DEFUN([RT_FUZZING_FLAGS], [
    FUZZ_CFLAGS=
    AS_IF([test "x$enable_fuzzing" = xyes], [
        RT_CFLAG([FUZZ_CFLAGS], [-fsanitize=fuzzer-no-link])
        AS_IF([test -z "$FUZZ_CFLAGS"], [RT_MISSING([libFuzzer],
            [./configure CC=clang, and apt install clang libclang-rt-14-dev / dnf install clang compiler-rt])])
    ])
    AC_SUBST([FUZZ_CFLAGS])
    AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])

# RT_MISSING(WHAT, WHERE): remembers; RT_STOP_IF_MISSING tells.
AC_DEFUN([RT_MISSING], [AS_VAR_APPEND([rt_missing], ["
    $1: $2"])])

AC_DEFUN([RT_STOP_IF_MISSING], [
    AS_IF([test -n "$rt_missing"], [AC_MSG_ERROR([not found:$rt_missing
])])
])

AC_DEFUN([RT_NEED_HEADER], [
    AC_CHECK_HEADER([$2], [], [RT_MISSING([$1], [$3])])
])

# RT_NEED_LIBRARY(NAME, HEADER, FUNCTION, LINK-WORD, PACKAGES): header and library, or remembered.
AC_DEFUN([RT_NEED_LIBRARY], [
    rt_found=yes
    AC_CHECK_HEADER([$2], [], [rt_found=no])
    AC_MSG_CHECKING([for $3 in $4])
    rt_saved_libs=$LIBS
    LIBS="$4 $LIBS"
    AC_LINK_IFELSE([AC_LANG_CALL([], [$3])], [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no]); rt_found=no])
    LIBS=$rt_saved_libs
    AS_IF([test "$rt_found" = yes], [RT_ADD([RT_LIBS], [$4])], [RT_MISSING([$1], [$5])])
    AC_SUBST([RT_LIBS])
])

AC_DEFUN([RT_HAVE_CMOCKA], [
    have_cmocka=no
    AC_CHECK_HEADER([cmocka.h], [AC_CHECK_LIB([cmocka], [_cmocka_run_group_tests],
        [have_cmocka=yes], [])], [], [#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>])
    AM_CONDITIONAL([HAVE_CMOCKA], [test "$have_cmocka" = yes])
])

# RT_STATIC_PROGRAM: rt itself without shared libraries. The sanitizers need a dynamic program, and
# --enable-shared-deps says that one is wanted. The entry before libc is for the processors that
# src/kernel/rawcall.h knows.
AC_DEFUN([RT_STATIC_PROGRAM], [
    PROGRAM_LDFLAGS=$PIE_LDFLAGS STATIC_CPPFLAGS= rt_libc=shared
    AS_IF([test "x$enable_shared_deps" != xyes && test "x$enable_sanitizers" != xyes &&
           test "x$enable_static_program" != xno], [
        rt_ldflags=$LDFLAGS
        LDFLAGS="$LDFLAGS $rt_static_pie"
        AC_MSG_CHECKING([for a static libc])
        AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts ("");]])],
            [AC_MSG_RESULT([yes])
             PROGRAM_LDFLAGS=$rt_static_pie rt_libc="static$rt_libc_name"],
            [AC_MSG_RESULT([no])
             RT_MISSING([static libc], [apt install libc6-dev / dnf install glibc-static, or --disable-static-program])])
        LDFLAGS=$rt_ldflags
        AC_COMPILE_IFELSE([AC_LANG_SOURCE([
            #if !defined __x86_64__ && !defined __aarch64__
            #error no
            #endif
        ])], [RT_ADD([PROGRAM_LDFLAGS], [-Wl,-e,selfcopy_entry])
              STATIC_CPPFLAGS=-DRT_EARLY_COPY])
    ])
    AC_SUBST([PROGRAM_LDFLAGS])
    AC_SUBST([STATIC_CPPFLAGS])
])

# RT_MUSL_COMPILER: before AC_PROG_CC. RT_MUSL: --with-musl, for a host whose libraries are glibc's. The
# wrapper musl-gcc sees musl's headers and its archive alone; the kernel's headers and the three libraries
# are shown to it one by one, in ./musl, so that nothing else of glibc's is ever taken.
AC_DEFUN([RT_MUSL_COMPILER], [
    AC_ARG_WITH([musl], [AS_HELP_STRING([--with-musl],
        [link musl instead of glibc: starts in a third of the time where CPUID is dear, as in most virtual machines])])
    rt_musl_is_missing=no
    AS_IF([test "x$with_musl" = xyes && test -z "$CC"],
        # Without it all else is looked for with the ordinary compiler, so that all is told at once.
        [AS_IF([command -v musl-gcc >/dev/null 2>&1], [CC=musl-gcc], [rt_musl_is_missing=yes with_musl=no])])
])

AC_DEFUN([RT_MUSL], [
    rt_libc_name= rt_static_pie=-static-pie
    AS_IF([test "$rt_musl_is_missing" = yes],
        [RT_MISSING([musl], [apt install musl-tools / dnf install musl-gcc musl-libc-static])])
    AS_IF([test "x$with_musl" = xyes], [
        rt_libc_name=" musl"
        # The wrapper knows no -static-pie: the same by hand.
        rt_crt=`$CC -### -x c /dev/null 2>&1 | tr ' "' '\n\n' | sed -n 's/Scrt1\.o$//p'`
        rt_static_pie="-nostartfiles ${rt_crt}rcrt1.o ${rt_crt}crti.o ${rt_crt}crtn.o -static -Wl,-pie"
        RT_ADD([rt_static_pie], [-Wl,--no-dynamic-linker -Wl,-z,text])
        AS_IF([test "x$enable_shared_deps" = xyes || test "x$enable_sanitizers" = xyes ||
               test "x$enable_static_program" = xno],
            [AC_MSG_ERROR([--with-musl makes a static program: not with shared libraries or sanitizers])])
        rt_machine=`gcc -print-multiarch 2>/dev/null`
        rm -rf musl && mkdir -p musl/include/sys musl/lib
        for rt_word in linux asm asm-generic yajl seccomp.h seccomp-syscalls.h sys/capability.h; do
            for rt_dir in /usr/include "/usr/include/$rt_machine"; do
                AS_IF([test -e "$rt_dir/$rt_word"], [ln -sfn "$rt_dir/$rt_word" "musl/include/$rt_word"])
            done
        done
        for rt_word in libyajl_s.a libseccomp.a libcap.a; do
            for rt_dir in /usr/lib /usr/lib64 "/usr/lib/$rt_machine"; do
                AS_IF([test -e "$rt_dir/$rt_word"], [ln -sf "$rt_dir/$rt_word" "musl/lib/$rt_word"])
            done
        done
        RT_ADD([CPPFLAGS], [-isystem `pwd`/musl/include])
        RT_ADD([LDFLAGS], [-L`pwd`/musl/lib])
        AC_MSG_CHECKING([for what rt and glibc's archives need of musl])
        for rt_word in fortified allocator; do
            AS_IF([$CC $CFLAGS -D_GNU_SOURCE -fPIE -fno-builtin -c "$srcdir/contrib/musl/$rt_word.c" -o musl/$rt_word.o], [],
                [rt_word=missing; break])
            LIBS="$LIBS `pwd`/musl/$rt_word.o"
        done
        AS_IF([test "$rt_word" != missing], [AC_MSG_RESULT([yes])],
            [AC_MSG_ERROR([$CC cannot compile contrib/musl, see config.log])])
    ])
])
