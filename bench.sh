#!/usr/bin/env bash
# Builds kuu and runs its main job; the regression check of CI.
#
#   ./bench.sh [--kafka] [--against REV] [FILE...] [options of `kuu bench`]
#
# Without arguments: the fixture, on the embedded broker, whatever KUU_BROKERS says. --kafka starts a real Apache Kafka, by
# docker compose where an engine answers, else by scripts/kafka.sh, and stops it after; --brokers HOST:PORT uses one that runs.
# --against REV builds that revision, too (in target/against), and runs both in turn: exit 3 if this state is slower.
# Exit status: 0 fine, 1 wrong answer, 2 error, 3 slower than results/baseline.json, 4 inconclusive, 5 load generator too slow.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

kafka=false
revision=
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --kafka) kafka=true ;;
        --against) revision=${2:?--against needs a revision}; shift ;;
        --against=*) revision=${1#*=} ;;
        *) arguments+=("$1") ;;
    esac
    shift
done
# Short names in what is printed, where the project is the working directory.
at=$here/
[ "$PWD" != "$here" ] || at=

command -v cargo >/dev/null || { echo "bench.sh: cargo is not installed: see https://rustup.rs" >&2; exit 2; }
cargo build --release --locked --quiet --manifest-path "$here/Cargo.toml" || exit 2
kuu=${CARGO_TARGET_DIR:-$here/target}/release/kuu

if [ -n "$revision" ]; then
    commit=$(git -C "$here" rev-parse --quiet --verify "$revision^{commit}") ||
        { echo "bench.sh: git knows no revision $revision" >&2; exit 2; }
    other=${CARGO_TARGET_DIR:-$here/target}/against
    if [ -e "$other/source/.git" ]; then
        git -C "$other/source" checkout --quiet --detach --force "$commit"
    else
        git -C "$here" worktree prune
        git -C "$here" worktree add --quiet --detach --force "$other/source" "$commit"
    fi
    echo "building $revision (${commit:0:7})"
    CARGO_TARGET_DIR=$other/target cargo build --release --locked --quiet --manifest-path "$other/source/Cargo.toml" || exit 2
    arguments+=(--against "$other/target/release/kuu")
fi

if $kafka; then
    port=${KUU_KAFKA_PORT:-9092}
    if docker info >/dev/null 2>&1; then
        trap 'docker compose -f "$here/docker-compose.yml" down >/dev/null' EXIT
        docker compose -f "$here/docker-compose.yml" up --wait || exit 2
        port=9092
    else
        # Only a broker that this run started is stopped.
        if ! "$here/scripts/kafka.sh" status --port "$port" >/dev/null 2>&1; then
            trap '"$here/scripts/kafka.sh" stop --port "$port" >/dev/null' EXIT
        fi
        "$here/scripts/kafka.sh" start --port "$port" || exit 2
    fi
    export KUU_BROKER_VERSION=4.1.1
    arguments+=(--brokers "localhost:$port")
fi

options=(--results "${at}results" --default-file "${at}fixtures/stream.jsonl.gz")
if [ -f "$here/results/baseline.json" ]; then options+=(--baseline "${at}results/baseline.json"); fi
status=0
"$kuu" bench "${options[@]}" ${arguments[@]+"${arguments[@]}"} || status=$?
exit "$status"
