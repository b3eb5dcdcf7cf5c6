# SPDX-License-Identifier: Apache-2.0
#
# Completion of rt for fish. What can be completed is asked of rt itself, which answers from the
# tables that its parser reads (src/commands/complete.c).

function __rt_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete -- $words[2..-1] 2>/dev/null
end

# Files where rt has nothing to offer.
complete -c rt -n 'count (__rt_complete) >/dev/null' -f -a '(__rt_complete)'
