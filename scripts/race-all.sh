#!/usr/bin/env bash
# The published race: every engine on every workload, then those that are right against the clock.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$here"

usage() {
    cat <<'EOT'
Build every engine, race them on every workload and on files of frames, and write the tables of the docs.

Usage: scripts/race-all.sh [--dir DIR] [--rounds N] [--port PORT] [--only STEP] [ENGINE]...

  ENGINE...    those of engines/ that race [default: all]; kuu and kafka-streams are always there, as controls
  --dir DIR    the state of this race: what is there is not run again [default: target/race-all]
  --rounds N   of each race against the clock; may grow [default: 5]
  --port PORT  of the Kafka that it starts, and stops after; PORT + 1 is taken, too [default: 9492]
  --only STEP  one of: scorecard 2kb 200b publish [default: all, in this order]
  --help       print this

A race of all takes hours. Ctrl-C stops it, and the same command goes on where it was. Steps: `scorecard`, every engine on every
workload; `2kb` and `200b`, a million frames of that size; `publish`, the records into results/published, and the scorecard's
tables into docs/engines-more.md.

Exit status: 0 done, whatever engines did; 2 usage or environment error; 130 stopped.
EOT
}

dir=${CARGO_TARGET_DIR:-target}/race-all rounds=5 port=9492 steps=(scorecard 2kb 200b publish) engines=()
while (($#)); do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --dir | --rounds | --port | --only)
        [[ -n ${2-} ]] || { echo "race-all.sh: $1 needs a value" >&2 && exit 2; }
        case $1 in
        --dir) dir=$2 ;;
        --rounds) rounds=$2 ;;
        --port) port=$2 ;;
        --only) steps=("$2") ;;
        esac
        shift
        ;;
    -*) echo "race-all.sh: '$1' is not understood; see scripts/race-all.sh --help" >&2 && exit 2 ;;
    *) engines+=("$1") ;;
    esac
    shift
done
if ! ((${#engines[@]})); then
    for descriptor in engines/*/engine.toml; do engines+=("$(basename -- "$(dirname -- "$descriptor")")"); done
fi
mkdir -p -- "$dir"
dir=$(cd -- "$dir" && pwd)
kafka=$dir/kafka
export KUU_BROKER_VERSION=${KUU_BROKER_VERSION:-4.1.1}

kuu() { "$dir/kuu" "$@"; }

# The first build stays: a race that is taken up again is one of one program.
if [[ ! -x $dir/kuu ]]; then
    cargo build --release --locked
    cp -- "${CARGO_TARGET_DIR:-target}/release/kuu" "$dir/kuu"
fi

trap 'scripts/kafka.sh stop --dir "$kafka" || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
scripts/kafka.sh start --port "$port" --dir "$kafka"

built=()
: >"$dir/not-built.txt"
for engine in "${engines[@]}"; do
    if kuu engines build "$engine" >"$dir/build-$engine.log" 2>&1; then
        built+=("$engine")
    else
        echo "$engine: $(tail -n 1 -- "$dir/build-$engine.log")" | tee -a -- "$dir/not-built.txt"
    fi
done

race() { # NAME ARGUMENTS...: exit status 1 says that an engine is wrong
    local name=$1 status=0
    shift
    kuu race "$@" --brokers "localhost:$port" --into "$dir/$name" --results "$dir" || status=$?
    if ((status > 1)); then exit "$status"; fi
}

frames() { # NAME OPTIONS...: makes the file once
    local name=$1
    shift
    if [[ ! -f $dir/$name ]]; then
        kuu generate --seed 42 "$@" -o "$dir/part-$name"
        mv -- "$dir/part-$name" "$dir/$name"
    fi
}

timed() { # NAME OPTIONS...: two controls, and 20 s for each steady run
    local name=$1
    shift
    race "$name" "${built[@]}" kuu kafka-streams "$dir/$name.jsonl.gz" --rounds "$rounds" --for 20s "$@"
}

for step in "${steps[@]}"; do
    case $step in
    scorecard)
        race scorecard --scorecard "${built[@]}" --restart-broker \
            "scripts/kafka.sh stop --dir '$kafka' && scripts/kafka.sh start --port $port --dir '$kafka'"
        ;;
    2kb)
        frames 2kb.jsonl.gz --frames 1000000 --rate 100 --users 100000
        timed 2kb
        ;;
    200b)
        frames 200b.jsonl.gz --frames 1000000 --rate 100 --users 100000 --frame-bytes 200
        timed 200b
        ;;
    publish)
        mkdir -p -- results/published
        for record in "$dir"/race-*.json; do gzip -9 -n -c -- "$record" >"results/published/$(basename -- "$record").gz"; done
        mapfile -t cards < <(grep -l '"cells"' -- "$dir"/race-*.json)
        scripts/scorecard.py --page docs/engines-more.md "${cards[@]}"
        ;;
    *) echo "race-all.sh: there is no step '$step'; see scripts/race-all.sh --help" >&2 && exit 2 ;;
    esac
done
