#!/usr/bin/env bash
# The fault harness: kills, zombies, outages and the like against real Kafka, several times with different seeds.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<'EOT'
Run the fault tests of tests/it/crash/ and tests/it/outage/stall.rs on an Apache Kafka of their own.

Usage: scripts/faults.sh [--runs N] [--seed SEED] [--quick]

  --runs N     so many times in a row [default: 5]
  --seed SEED  of the random moments of the first run; the next one has SEED + 1, and so on [default: the time]
  --quick      leave out the tests that kill and stop a broker (a third of the time)
  --help       print this

Exit status: 0 all passed; 1 a test failed (its seed is printed: give it again to repeat it); 2 usage or environment error.
EOT
}

runs=5 seed=$(date +%s) filters=(crash:: stall::)
while (($#)); do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --runs | --seed)
        [[ ${2-} =~ ^[0-9]+$ ]] || { echo "faults.sh: $1 needs a number" >&2 && exit 2; }
        if [[ $1 == --runs ]]; then runs=$2; else seed=$2; fi
        shift
        ;;
    --quick) filters=(crash::) ;;
    *) echo "faults.sh: '$1' is not understood; see scripts/faults.sh --help" >&2 && exit 2 ;;
    esac
    shift
done

free_port() { # two in a row, below those that the system hands out
    local port
    for _ in {1..50}; do
        port=$((12000 + RANDOM % 8000))
        if ! (: <"/dev/tcp/127.0.0.1/$port") &>/dev/null && ! (: <"/dev/tcp/127.0.0.1/$((port + 1))") &>/dev/null; then
            echo "$port"
            return
        fi
    done
    return 1
}

work=$(mktemp -d)
child=''
clean_up() { # whatever ends this script, nothing that it started goes on
    trap '' INT TERM HUP
    if [[ -n $child ]]; then
        kill -TERM "$child" 2>/dev/null || true
        wait "$child" 2>/dev/null || true
    fi
    scripts/kafka.sh stop --dir "$work/kafka" || true
    rm -rf -- "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cargo test --locked --test it --no-run || exit 2
port=$(free_port)
scripts/kafka.sh start --port "$port" --dir "$work/kafka" || exit 2
export KUU_TEST_BROKERS=localhost:$port

for ((run = 1; run <= runs; run++)); do
    export KUU_TEST_SEED=$((seed + run - 1))
    echo "=== run $run of $runs, seed $KUU_TEST_SEED"
    cargo test --locked --test it -- --ignored --test-threads 3 --nocapture "${filters[@]}" 2>"$work/log" >"$work/out" &
    child=$!
    if ! wait "$child"; then
        cat -- "$work/out" "$work/log"
        echo "=== run $run of $runs failed: repeat it with --runs 1 --seed $KUU_TEST_SEED"
        exit 1
    fi
    child=''
    grep -hE '^test |kills |resident' "$work/out" "$work/log"
done
echo "=== $runs of $runs runs passed"
