#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A data scientist's desk under rt, to watch: docker-compose brings up two notebook servers and two
# databases, they find each other by name and are reached on mapped ports, a notebook is executed, a
# shell opened inside, all of it taken down and brought up again. The Docker daemon is one of its own
# (contrib/engines/docker/try.sh) and ends with the scene.
#
#   contrib/compose/scene.sh [--keep DIR] [--shell]
#
# --keep DIR: where the two Debian trees are kept (build/desk below the top of the source tree; 1 GB,
# made once by mmdebstrap). --shell: a shell beside the running desk at the end. RT=PATH for an rt that
# is not /usr/local/sbin/rt. Needs root, the network for packages, and Debian's docker.io
# docker-compose iptables mmdebstrap curl.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
keep=$top/build/desk shell=''
while [ $# -gt 0 ]; do
    case $1 in
    --keep) keep=$(realpath -m -- "${2:?--keep needs a folder}"); shift 2 ;;
    --shell) shell=yes; shift ;;
    *) sed -n 's/^#   contrib/usage: contrib/p' "$0" >&2; exit 2 ;;
    esac
done

step () { printf '\n\033[1m==> %s\033[0m\n' "$*"; }
passed=0 failed=0
told () { # VERDICT WHAT
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
    printf '    [%s] %s\n' "$1" "$2"
}

# shown WHAT PATTERN COMMAND...: shows the command and what it says, in which the pattern must be.
shown () {
    local what=$1 pattern=$2 out
    shift 2
    printf '    $ %s\n' "$*"
    out=$("$@" 2>&1 </dev/null) || true
    printf '%s\n' "$out" | sed 's/^/    | /'
    if grep -qE -- "$pattern" <<<"$out"; then told ok "$what"; else told FAILED "$what: no $pattern"; fi
}

# healthy CONTAINER...: until docker's own health checks say so.
healthy () {
    local container tries=300 state=''
    for container in "$@"; do
        until state=$(docker inspect --format '{{.State.Health.Status}}' "$container" 2>&1) &&
            [ "$state" = healthy ]; do
            [ $((tries -= 1)) -gt 0 ] || break
            sleep 0.2
        done
        if [ "$state" = healthy ]; then told ok "$container is healthy"; else
            told FAILED "$container: $state"
            docker logs --tail 10 "$container" || true
        fi
    done
}

# --- the trees, on the machine itself ----------------------------------------------------------

# tree NAME PACKAGE...: made once for each list of packages; sets tars[NAME].
declare -A tars
tree () {
    local name=$1 tar
    tar=$keep/$name-$(echo "$sources" "$@" | sha256sum | cut -c1-12).tar
    tars[$name]=$tar
    echo "    $name: ${*:2}"
    [ ! -e "$tar" ] || return 0
    (debian_tree "$keep/$name.new.tar" "$keep/apt.conf" "$sources" "${@:2}" >"$tar.log" 2>&1 &&
        mv "$keep/$name.new.tar" "$tar") &
}

make_trees () {
    local tar code=0
    # shellcheck source=contrib/debian_tree.sh
    . "$top/contrib/debian_tree.sh"
    mkdir -p "$keep"
    sources=$(debian_sources)
    [ -n "$sources" ] || {
        apt-get update -qq
        sources=$(debian_sources)
    }
    debian_settings >"$keep/apt.conf"
    tree db postgresql-15
    tree notebook jupyter-notebook jupyter-server jupyter-nbconvert python3-psycopg2 curl procps
    wait
    for tar in "${tars[@]}"; do
        [ -e "$tar" ] || { cat "$tar.log"; code=1; }
    done
    return "$code"
}

if [ -z "${RT_SCENE-}" ]; then
    for program in docker-compose mmdebstrap curl script; do
        command -v "$program" >/dev/null || {
            echo "scene.sh: $program is missing: apt install docker.io docker-compose iptables mmdebstrap curl" >&2
            exit 1
        }
    done
    step "Two Debian trees (kept in $keep)"
    make_trees
    # The folder that the notebook's user writes to is a copy: nothing of the source tree changes.
    RT_SCENE=$(mktemp -d /var/tmp/rt-desk.XXXXXX)
    trap 'rm -rf "$RT_SCENE"' EXIT
    cp -r "$here/." "$RT_SCENE/desk"
    chmod 711 "$RT_SCENE"
    chown -R 1000:1000 "$RT_SCENE/desk/notebooks"
    export RT_SCENE RT_SCENE_DB=${tars[db]} RT_SCENE_NOTEBOOK=${tars[notebook]}
    "$top/contrib/engines/docker/try.sh" "$0" --keep "$keep" ${shell:+--shell}
    exit
fi

# --- the scene, beside a daemon whose runtime is rt --------------------------------------------

cd "$RT_SCENE/desk"
export COMPOSE_PROJECT_NAME=desk DOCKER_BUILDKIT=0
compose () { docker-compose --ansi never "$@"; }
# A person's terminal; the container's shell reads what is typed.
typed () { printf '%s\n' "$2" exit | script -qefc "docker exec --env TERM=dumb -it $1 bash --norc" /dev/null; }

step "Images: the trees imported, then built upon by docker build"
shown "the database's" "^sha256:" docker import "$RT_SCENE_DB" desk-base-db
shown "the notebook's" "^sha256:" docker import "$RT_SCENE_NOTEBOOK" desk-base-notebook
shown "both are built" "tagged desk-notebook" compose build

step "One docker-compose up"
shown "the desk is up" "notebook-next" compose up --detach
healthy desk_db_1 desk_db-next_1 notebook desk_notebook-next_1
shown "four services" "desk_db-next_1 .*Up" compose ps

step "It is rt that runs them"
shown "docker says so" "^rt$" docker inspect --format '{{.HostConfig.Runtime}}' notebook
shown "and rt knows them" "running" "$RT" --root /run/docker/runtime-runc/moby list

step "Reached on mapped ports"
shown "the notebook server" '"version"' curl --silent http://127.0.0.1:8888/api
shown "and the next one" '"version"' curl --silent http://127.0.0.1:8889/api
shown "with a token only" "403" curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:8888/api/contents
shown "its folder" "measured.ipynb" curl --silent "http://127.0.0.1:8888/api/contents?token=desk"
sql () { # PORT QUERY: from the host, through the port
    docker run --rm --network host --entrypoint psql desk-db --tuples-only --no-align \
        --command "$2" "postgresql://postgres:desk@127.0.0.1:$1/"
}
shown "the database" "PostgreSQL" sql 5432 "SELECT version()"

step "Two of the same, side by side"
shown "one with its own settings" "^100$" sql 5432 "SHOW max_connections"
shown "the other with others" "^20$" sql 5433 "SHOW max_connections"
shown "data that is" "CREATE TABLE" sql 5433 "CREATE TABLE only_next (n int)"
shown "in one of them" 'relation "only_next" does not exist' sql 5432 "SELECT * FROM only_next"

step "docker exec -it notebook bash"
shown "pwd, whoami" "^/home/scientist" typed notebook 'pwd; whoami'
shown "ps shows the server as the first process" " 1 .*jupyter-notebook" typed notebook 'ps -ef | cat'
shown "curl of a neighbour, by its name" '"version"' typed notebook 'curl --silent http://notebook-next:8888/api; echo'
shown "no more rights than a user has" "CapEff:[[:space:]]*0000000000000000" typed notebook 'grep CapEff /proc/self/status'

step "A notebook that works on the database"
shown "it is executed" "Writing" docker exec notebook jupyter nbconvert --execute --to notebook --inplace notebooks/measured.ipynb
shown "its result lies in the folder outside" "measured: 1000, plausible: True" grep measured: notebooks/measured.ipynb
docker exec notebook touch /home/scientist/scratch

step "Down, and up again"
shown "down" "Removing notebook" compose down
shown "nothing is left in rt" "^0$" sh -c "'$RT' --root /run/docker/runtime-runc/moby list --quiet | wc -l"
shown "up" "notebook-next" compose up --detach
healthy desk_db_1 desk_db-next_1 notebook
shown "what lay in the volume is there" "^1000$" sql 5432 "SELECT count(*) FROM measured"
shown "of each its own" "^0$" sql 5433 "SELECT count(*) FROM only_next"
shown "what lay in the container is gone" "scratch.*No such file" docker exec notebook ls /home/scientist/scratch
shown "what lay in the folder is there" "plausible: True" docker exec notebook grep measured: notebooks/measured.ipynb

[ -z "$shell" ] || {
    step "A shell beside the desk: docker, docker-compose, curl http://127.0.0.1:8888 (exit ends it all)"
    "${SHELL:-/bin/bash}" || true
}

step "Down with all it had"
shown "volumes too" "Removing volume desk_db-next" compose down --volumes
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
