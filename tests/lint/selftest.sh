#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A check that cannot go red is decoration. This makes a small tree that all checks find good, plants
# one violation at a time in it, and expects the right check to name it.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0 failed=0

good_tree () {
    rm -rf "${tree:?}"/*
    mkdir -p "$tree"/{src/{base,kernel,container,lifecycle},oci-spec,tests/{unit,lint},contrib/templates}
    cp "$here/../../.clang-format" "$tree/"
    cp "$here/../../src/base/banned.h" "$tree/src/base/"
    local name
    for name in src/base/one oci-spec/two src/kernel/three src/container/four src/container/five; do
        local guard=${name#src/} prefix=RT_
        [ "$guard" = "$name" ] && prefix=
        guard=$prefix$(tr 'a-z/-' 'A-Z__' <<<"$guard")_H
        printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* why */\n#ifndef %s\n#define %s\n\nint %s (void);\n\n#endif\n' \
            "$guard" "$guard" "${name##*/}" >"$tree/$name.h"
        printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* why */\n#include "%s.h"\n\nint %s (void)\n{\n    return 0;\n}\n' \
            "${name##*/}" "${name##*/}" >"$tree/$name.c"
    done
    local folder
    for folder in src/base src/kernel src/container oci-spec; do
        (cd "$tree" && echo "# SPDX-License-Identifier: Apache-2.0" && ls "$folder"/*.[ch]) \
            >"$tree/$folder/Makemodule.am"
    done
    cp "$tree/src/base/one.c" "$tree/contrib/templates/"
    sed -i 's,"one.h","base/one.h",' "$tree/contrib/templates/one.c"
    printf 'ONE-01\tcore\tdone\ttitle\nONE-02\tfull\topen\ttitle\n' >"$tree/tests/checklist.tsv"
    printf '# SPDX-License-Identifier: Apache-2.0\n@pytest.mark.rows("ONE-01")\ndef test_one ():\n    pass\n' \
        >"$tree/tests/test_one.py"
    # shellcheck disable=SC2016 # Markdown
    printf '| flaw | test |\n|---|---|\n| CVE-2000-1000, -1001 | `test_one.py::test_one` |\n' >"$tree/SECURITY.md"
    printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\necho\n' >"$tree/tests/one.sh"
}

verdict () { # WHAT WANTED GOT OUTPUT
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: exit %s, wanted %s\n%s\n' "$1" "$3" "$2" "$4"
    fi
}

# red CHECK WORDS: the check fails, and says WORDS. The tree is made good again.
red () {
    local output code
    output=$(LINT_TREE=$tree LINT_COMPILERS=gcc "$here/run.sh" "$1" 2>&1)
    code=$?
    [ "$code" -eq 1 ] && ! grep -qF -- "$2" <<<"$output" && code="1 without the words \"$2\""
    verdict "$1: $2" 1 "$code" "$output"
    good_tree
}

# body FILE LINES...: puts lines into the function of a file of the good tree.
body () {
    local file=$tree/$1
    shift
    sed -i '/^    return 0;/d; /^}$/d' "$file"
    printf '    %s\n' "$@" >>"$file"
    printf '    return 0;\n}\n' >>"$file"
}

top () { # FILE LINE: behind the first include
    sed -i "0,/^#include.*/s//&\n$2/" "$tree/$1"
}

good_tree
output=$(LINT_TREE=$tree LINT_COMPILERS=gcc "$here/run.sh" 2>&1)
verdict "a good tree" 0 "$?" "$output"

top src/base/one.c '#include "kernel\/three.h"';        red layers "base may not include kernel"
top src/container/four.c '#include "container\/five.h"'; red layers "sections of container/ do not include each other"
top src/container/four.c '#include <yajl\/yajl_parse.h>'; red layers "only oci-spec/json.c knows yajl"
top src/container/four.c '#include <sys\/syscall.h>';    red layers "system calls by number"
top src/container/four.c '#include "kernel\/gone.h"';    red layers "is not in the tree"
sed -i 's/^int one.*/#include "base\/six.h"\n&/' "$tree/src/base/one.h"
echo '#include "base/one.h"' >"$tree/src/base/six.h";   red layers "a circle of headers"
echo "src/container/four.c src/container/five.h because" >"$tree/tests/lint/layers.allow"
red layers "nothing needs this exception"

seq -f '/* %g */' 600 >>"$tree/src/base/one.c";         red sizes "more than 600"
mapfile -t long < <(seq -f '(void) %g;' 81)
body src/base/one.c "${long[@]}";                       red sizes "one has 82 lines"

sed -i 1d "$tree/src/base/one.c";                       red marks "the first line must say"
sed -i 's/RT_BASE_ONE_H/ONE_H/' "$tree/src/base/one.h"; red marks "guard should be RT_BASE_ONE_H"
cp "$tree/src/base/one.c" "$tree/src/base/seven.c";     red marks "not in src/base/Makemodule.am"
cp "$tree/src/base/one.c" "$tree/tests/utils.c";        red marks "a name that does not say what is in it"
echo 'static int do_it (void);' >>"$tree/src/base/one.c"; red marks "do_it: a name"
echo '<<<<<<< HEAD' >>"$tree/README.md";                  red marks "a merge that was not ended"

body src/container/four.c 'mkdir ("x", 0);';            red calls "rule 1: mkdir"
body src/lifecycle/../container/four.c 'return open (p, O_CLOEXEC);'; red calls "rule 1: open"
body src/base/one.c 'x ("/proc/self/exe");';            red calls "rule 2: /proc/self/exe"
body src/container/four.c 'x ("/dev/null");';           red calls "rule 3: /dev/null"
body src/kernel/three.c 'dlopen (p, 0);';               red calls "rule 4: dlopen"
body src/kernel/three.c 'open (p, O_RDONLY);';          red calls "rule 5: open"
body src/kernel/three.c 'dup (3);';                     red calls "rule 5: dup"
body src/kernel/three.c 'fopen (p, "r");';              red calls "rule 5: fopen"
body src/container/four.c 'log_warning ("x");';         red calls "rule 6: log_warning"
body src/kernel/three.c 'exit (1);';                    red calls "exit: exit"
body src/kernel/three.c 'getenv ("X");';                red calls "env: getenv"
body src/container/four.c 'fork ();';                   red calls "fork: fork"
body src/kernel/three.c 'goto out;';                    red calls "style: goto"
body src/container/four.c 'x (__NR_clone3);';           red calls "kernel: __NR_clone3"
echo "src/base/one.c exit why" >"$tree/tests/lint/calls.allow"
red calls "nothing needs this exception"
echo "src/base/one.c exit" >"$tree/tests/lint/calls.allow"
red calls "an exception needs 2 words and a reason"

rm "$tree/tests/test_one.py";                           red checklist "ONE-01 is marked done and no test"
sed -i s/ONE-01/ONE-09/ "$tree/tests/test_one.py";      red checklist "ONE-09 is not a row"
sed -i s/done/ready/ "$tree/tests/checklist.tsv";       red checklist "not words of this list"
sed -i s/ONE-02/ONE-01/ "$tree/tests/checklist.tsv";    red checklist "stands twice"

sed -i 's/::test_one/::test_two/' "$tree/SECURITY.md";  red security "has no test test_two"
sed -i 's/test_one.py/test_two.py/' "$tree/SECURITY.md"; red security "test_two.py is not a file"
# shellcheck disable=SC2016 # Markdown
sed -i 's/ `.*` / none /' "$tree/SECURITY.md";          red security "a row without a test"
echo '/* CVE-2000-1002 */' >>"$tree/src/base/one.c";    red security "CVE-2000-1002 is not in SECURITY.md"
rm "$tree/SECURITY.md";                                 red security "is not there"

sed -i 's/^int one.*/size_of_it one (void);/' "$tree/src/base/one.h"; red headers "size_of_it"
body contrib/templates/one.c 'int unused;';             red templates "unused"
sed -i 's/^int one/int  one/' "$tree/src/base/one.c";   red format "src/base/one.c:1"
# shellcheck disable=SC2016 # the script under test expands it
echo 'echo $1' >>"$tree/tests/one.sh";                  red shell "SC2086"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
