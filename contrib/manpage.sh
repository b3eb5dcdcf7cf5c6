#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# manpage: rt.1 from the help of the program that is given: contrib/manpage.sh ./rt >rt.1
# The help is printed from the tables that the parser reads, so the page cannot say anything else.
set -euo pipefail
rt=$1

roff () { # text that roff takes literally
    sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"
}

options () { # "  -b, --bundle DIR    words" and the lines that go on with it, as tagged paragraphs
    roff | awk '
        /^  +\\-/ {
            line = substr($0, 3)
            sub(/^ +/, "", line)
            at = match(line, /  +/)
            head = at ? substr(line, 1, at - 1) : line
            print ".TP\n.B " head
            if (at) { text = substr(line, at); sub(/^ +/, "", text); print text }
            next
        }
        /^ / { sub(/^ +/, ""); print }'
}

section () { # NAME of a part of a help: the lines up to the next empty one
    sed -n "/^$1:\$/,/^\$/{/^$1:\$/d;/^\$/d;p}"
}

version=$("$rt" --version | sed -n '1s/.* //p')
help=$("$rt" --help)
printf '.TH RT 1 "" "rt %s" "OCI runtime"\n' "$version"
printf '.SH NAME\nrt \\- run containers as the Open Container Initiative specifies them\n'
printf '.SH SYNOPSIS\n.B %s\n' "$(sed -n '1s/^Usage: //p' <<<"$help" | roff)"
printf '.SH GLOBAL OPTIONS\n'
section 'Global options' <<<"$help" | options
printf '.SH COMMANDS\n'
section Commands <<<"$help" | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' | while read -r command; do
    help=$("$rt" "$command" --help)
    printf '.SS %s\n' "$(sed -n '1s/^Usage: //p' <<<"$help" | roff)"
    sed '1,2d;/^Options:$/,$d;/^$/s//.PP/' <<<"$help" | sed '$d' | sed 's/-/\\-/g'
    section Options <<<"$help" | options
done
cat <<'END'
.SH EXIT STATUS
.B rt run
in the foreground exits with the status of the container's process, or with 128 + N where signal N
ended it. Everything else exits with 0, or with 1 after a message that says what failed.
.SH FILES
.TP
.I /run/rt
what rt remembers of the containers of root; below
.I $XDG_RUNTIME_DIR
for everybody else
.TP
.I /run/rt-program
copies of rt that it runs from inside a container's reach; they may be removed at any time
END
