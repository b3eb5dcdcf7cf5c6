# SPDX-License-Identifier: Apache-2.0
#
# Completion of rt for bash. What can be completed is asked of rt itself, which answers from the
# tables that its parser reads (src/commands/complete.c).

_rt () {
    mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" \
        2>/dev/null | cut -f1)
}

complete -o default -F _rt rt
