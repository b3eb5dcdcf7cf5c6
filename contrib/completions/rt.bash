# SPDX-License-Identifier: Apache-2.0
#
# Completion of rt for bash. What can be completed is asked of rt itself: its help is printed from the
# tables that its parser reads, so nothing is listed here.

_rt_options () { # [COMMAND]: the long options of its help, one a line
    rt "$@" --help 2>/dev/null | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'
}

_rt_words () { # OPTION [COMMAND]: the words that an option knows ("text|json"), or nothing
    local option=$1
    shift
    rt "$@" --help 2>/dev/null |
        sed -n "s/^  \(-., \|    \)${option}[ =[]*\([a-z]*|[a-z|]*\).*/\2/p" | tr '|' '\n'
}

_rt () {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local command='' global=() words='' i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --root) global=(--root "${COMP_WORDS[i + 1]}") && ((i++)) ;;
        --log | --log-format | --log-level | --cgroup-manager) ((i++)) ;;
        -*) ;;
        *) command=${COMP_WORDS[i]} && break ;;
        esac
    done

    if [[ $previous == --* ]]; then
        words=$(_rt_words "$previous" ${command:+"$command"})
    fi
    if [[ -z $words && $current == -* ]]; then
        words=$(_rt_options ${command:+"$command"})
    elif [[ -z $words && -z $command ]]; then
        words=$(rt --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p')
    elif [[ -z $words && $previous != --bundle && $previous != -b ]]; then
        case $command in
        create | spec | features | list) ;;
        *) words=$(rt "${global[@]}" list --quiet 2>/dev/null) ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o default -F _rt rt
