#!/usr/bin/env bash
# Builds kuu and runs its main job; the regression check of CI. See usage() below, or ./bench.sh --help.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() {
    cat <<'EOT'
Build kuu, and produce, count, verify and measure with it, each step beside its ceiling.

Usage: ./bench.sh [--embedded | --kafka] [--features LIST] [--against REV] [FILE...] [options of `kuu bench`]

  FILE...          frames, as JSON lines, plain or gzipped [default: fixtures/stream.jsonl.gz]
  --embedded       on librdkafka's mock broker, in kuu's own process [default]; never where KUU_BROKERS says
  --kafka          on an Apache Kafka of its own: started by docker compose where an engine answers, else by
                   scripts/kafka.sh, at KUU_KAFKA_PORT (9092), and stopped after; never where KUU_BROKERS says
  --features LIST  cargo features, as in --features tls; without it TLS stays in if the last build had it (--features ''
                   builds without)
  --against REV    also build that revision (in target/against), and run both in turn: exit 3 if this state is slower
  --help           print this; ./bench.sh build, then `target/release/kuu bench --help`, has all other options

All other words go to `kuu bench` as they are: --brokers HOST:PORT measures on a Kafka that runs, --config FILE has its
properties. Builds are in CARGO_TARGET_DIR, else in target.

Exit status: 0 fine, 1 wrong answer, 2 error, 3 slower than results/baseline.json or REV, 4 inconclusive, 5 load generator
too slow.
EOT
}

fail() {
    echo "bench.sh: $*" >&2
    exit 2
}

kafka=false
embedded=false
brokers=
config=
revision=
features=
has_features=false
arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --kafka) kafka=true ;;
        --embedded) embedded=true ;;
        --features) features=${2?--features needs a list}; has_features=true; shift ;;
        --features=*) features=${1#*=}; has_features=true ;;
        --against) revision=${2:?--against needs a revision}; shift ;;
        --against=*) revision=${1#*=} ;;
        -b | --brokers | --bootstrap-server)
            brokers=$1; arguments+=("$1")
            if [ $# -gt 1 ]; then arguments+=("$2"); shift; fi
            ;;
        --brokers=* | --bootstrap-server=* | -b?*) brokers=${1%%=*}; arguments+=("$1") ;;
        --config | --command-config)
            arguments+=("$1")
            if [ $# -gt 1 ]; then config=$2; arguments+=("$2"); shift; fi
            ;;
        --config=* | --command-config=*) config=${1#*=}; arguments+=("$1") ;;
        --) arguments+=("$@"); break ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

# What is asked for is what is measured: two brokers, or another one than the file of --config names, are a mistake.
if $kafka && $embedded; then fail "give --kafka or --embedded, not both"; fi
if [ -n "$brokers" ]; then
    if $kafka; then fail "--kafka starts a Kafka of its own: leave out $brokers, or --kafka"; fi
    if $embedded; then fail "--embedded is a broker in kuu's own process: leave out $brokers, or --embedded"; fi
fi
if $embedded && [ -f "$config" ] && grep -qE '^[[:space:]]*bootstrap\.servers[[:space:]]*[=:]' -- "$config"; then
    fail "$config names bootstrap.servers: leave that out, or --embedded"
fi
if $kafka || $embedded; then unset KUU_BROKERS; fi

# Short names in what is printed, where the project is the working directory.
at=$here/
[ "$PWD" != "$here" ] || at=

command -v cargo >/dev/null || fail "cargo is not installed: see https://rustup.rs"
target=${CARGO_TARGET_DIR:-$here/target}
kuu=$target/release/kuu
if ! $has_features && grep -aqs SSL_CTX_new "$kuu"; then
    echo "kuu is built with TLS, as it was: --features '' builds it without"
    features=tls
fi
build=(build --release --locked --quiet)
if [ -n "$features" ]; then build+=(--features "$features"); fi
cargo "${build[@]}" --manifest-path "$here/Cargo.toml" || exit 2

if [ -n "$revision" ]; then
    commit=$(git -C "$here" rev-parse --quiet --verify "$revision^{commit}") || fail "git knows no revision $revision"
    other=$target/against
    if [ -e "$other/source/.git" ]; then
        git -C "$other/source" checkout --quiet --detach --force "$commit"
    else
        git -C "$here" worktree prune
        git -C "$here" worktree add --quiet --detach --force "$other/source" "$commit"
    fi
    echo "building $revision (${commit:0:7})"
    CARGO_TARGET_DIR=$other/target cargo "${build[@]}" --manifest-path "$other/source/Cargo.toml" || exit 2
    arguments=(--against "$other/target/release/kuu" ${arguments[@]+"${arguments[@]}"})
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
    arguments=(--brokers "localhost:$port" ${arguments[@]+"${arguments[@]}"})
fi

options=(--results "${at}results" --default-file "${at}fixtures/stream.jsonl.gz")
if [ -f "$here/results/baseline.json" ]; then options+=(--baseline "${at}results/baseline.json"); fi
status=0
"$kuu" bench "${options[@]}" ${arguments[@]+"${arguments[@]}"} || status=$?
exit "$status"
