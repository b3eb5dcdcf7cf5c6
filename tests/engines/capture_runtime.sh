#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The runtime that capture.sh gives to the engines: keeps the command line and the config file or
# process file of each call, then is runc.
set -u

raw=/run/capture/raw
case=$(cat /run/capture/case)
verb='' bundle='' process='' previous=''

for argument; do
    case $previous in
    -b | --bundle) bundle=$argument ;;
    -p | --process) process=$argument ;;
    esac
    case $argument in
    create | run | start | exec | kill | delete | state | list | ps | events | pause | resume | update | features)
        verb=${verb:-$argument}
        ;;
    esac
    previous=$argument
done
{
    printf '%s\0' "$case" "$@"
    printf '\n'
} >>"$raw/commands"
case $verb in
create | run) cp "$bundle/config.json" "$raw/$case.config.json" ;;
exec) cp "$process" "$raw/$case.process.json" ;;
esac
exec "$(cat /run/capture/runc)" "$@"
