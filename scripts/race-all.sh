#!/usr/bin/env bash
# The published race: every engine on every workload, then those that are right against the clock.
set -euo pipefail
shopt -s nullglob
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd -- "$here"

usage() {
    cat <<'EOT'
Build every engine, race them on every workload and on files of frames, and write the tables of the docs.

Usage: scripts/race-all.sh [--dir DIR] [--rounds N] [--steady N] [--port PORT] [--cards N] [--only STEP] [ENGINE]...

  ENGINE...    those of engines/ that race [default: all]; kuu and kafka-streams always run against the clock, as controls
  --dir DIR    the state of this race: what is there is not run again [default: target/race-all]
  --rounds N   of each race against the clock; may grow [default: 10]
  --steady N   of these rounds with runs on an input without an end, 15 minutes each with all engines [default: 0]
  --port PORT  of the Kafka that it starts, and stops after; of others every second port from there on [default: 9492]
  --cards N    scorecards at once, with some of the engines each, on a Kafka each [default: 1]
  --only STEP  one of: scorecard checkpoint again confirm 2kb 200b memory publish [default: all, in this order]
  --help       print this

A race of all takes hours. Ctrl-C stops it, and the same command goes on where it was. Steps:

  scorecard    every engine on every workload
  checkpoint   those that by default do not commit once a second: where something breaks, as often as their documentation has it, or
               else once a second
  again        the cells that were not right, alone on the machine: engines that are short of a processor may be wrong where they
               are right alone. What this says counts; the page of the docs has both. With the --cards of the scorecard
  confirm      every wrong cell counted again without kuu (scripts/confirm.py)
  2kb, 200b    a million frames of that size against the clock, alone on the machine
  memory       a stream with more users than engines have memory for
  publish      adds the records to results/published, and writes the tables of the scorecard into docs/engines-more.md and
               docs/engines-default.md, and that of the race in memory into docs/speed-more.md

Exit status: 0 done, whatever engines did; 2 usage or environment error; 130 stopped.
EOT
}

dir=${CARGO_TARGET_DIR:-target}/race-all rounds=10 steady=0 port=9492 cards=1 engines=()
steps=(scorecard checkpoint again confirm 2kb 200b memory publish)
while (($#)); do
    case $1 in
    -h | --help) usage && exit 0 ;;
    --dir | --rounds | --steady | --port | --cards | --only)
        [[ -n ${2-} ]] || { echo "race-all.sh: $1 needs a value" >&2 && exit 2; }
        case $1 in
        --dir) dir=$2 ;;
        --rounds) rounds=$2 ;;
        --steady) steady=$2 ;;
        --port) port=$2 ;;
        --cards) cards=$2 ;;
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
export KUU_BROKER_VERSION=${KUU_BROKER_VERSION:-4.1.1}

kuu() { "$dir/kuu" "$@"; }

# A signal is heard while a child of the background runs, and only after one of the foreground. A subshell must not end before its child.
heard() {
    if ((BASHPID == $$)); then
        "$@" &
        wait $!
    else
        "$@"
    fi
}

# The first build stays: a race that is taken up again is one of one program.
if [[ ! -x $dir/kuu ]]; then
    cargo build --release --locked
    cp -- "${CARGO_TARGET_DIR:-target}/release/kuu" "$dir/kuu"
fi

# Scorecards run in process groups of their own.
set -m
stop_all() {
    local job kafka
    trap '' INT TERM HUP
    for job in $(jobs -p); do kill -INT -- "-$job" 2>/dev/null || true; done
    wait
    for kafka in "$dir"/kafka-*; do scripts/kafka.sh stop --dir "$kafka" || true; done
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

kafka_of() { echo "$dir/kafka-$1"; } # CARD
port_of() { echo $((port + 2 * $1)); }

started=()
start_kafka() { # CARD: does nothing if it runs
    if [[ -z ${started[$1]-} ]]; then
        scripts/kafka.sh start --port "$(port_of "$1")" --dir "$(kafka_of "$1")"
        started[$1]=1
    fi
}

stop_kafka() { # CARD
    scripts/kafka.sh stop --dir "$(kafka_of "$1")"
    started[$1]=''
}

built=()
: >"$dir/not-built.txt"
# The controls race even if they are not among the engines.
kuu engines build kuu kafka-streams >"$dir/build-controls.log" 2>&1 || { cat -- "$dir/build-controls.log" >&2 && exit 2; }
for engine in "${engines[@]}"; do
    if kuu engines build "$engine" >"$dir/build-$engine.log" 2>&1; then
        built+=("$engine")
    else
        echo "$engine: $(tail -n 1 -- "$dir/build-$engine.log")" | tee -a -- "$dir/not-built.txt"
    fi
done

race() { # CARD NAME ARGUMENTS...: exit status 1 says that an engine is wrong
    local card=$1 name=$2 status=0
    shift 2
    heard "$dir/kuu" race "$@" --brokers "localhost:$(port_of "$card")" --into "$dir/$name" --results "$dir/records" || status=$?
    if ((status > 1)); then return "$status"; fi
}

restart_of() { # CARD
    echo "scripts/kafka.sh stop --dir '$(kafka_of "$1")' && scripts/kafka.sh start --port $(port_of "$1") --dir '$(kafka_of "$1")'"
}

scorecard() { # CARD: every so many engines
    local card=$1 own=() at
    for at in "${!built[@]}"; do if ((at % cards == card)); then own+=("${built[at]}"); fi; done
    if ! ((${#own[@]})); then return; fi
    race "$card" "scorecard-$card" --scorecard "${own[@]}" --restart-broker "$(restart_of "$card")"
}

# Flink has no default: without an interval it takes no checkpoints. Spark's are its batches, Pathway's its commits.
declare -A other_interval=([bytewax]=10s [hazelcast]=10s [quixstreams]=5s [kafka-streams]=1s [kafka-streams-scaled]=1s)

checkpoint() { # ten checkpoints of 10 s are longer than the usual deadline
    local engine workload faults=()
    for workload in workloads/*.toml; do
        if grep -q '^tier = "fault"' -- "$workload"; then faults+=(--workload "$(basename -- "$workload" .toml)"); fi
    done
    for engine in "${built[@]}"; do
        if [[ -n ${other_interval[$engine]-} ]]; then
            race 0 "checkpoint-$engine" --scorecard "$engine" --checkpoint "${other_interval[$engine]}" --deadline 4m "${faults[@]}" \
                --restart-broker "$(restart_of 0)"
        fi
    done
}

again() { # a cell each time, by its own command
    local cell commands=$dir/again.txt
    scripts/scorecard.py --again "$dir"/{scorecard-?,checkpoint-*}/*/*/cell.json >"$commands"
    mkdir -p -- "$dir/again"
    while IFS=$'\t' read -r cell command; do
        [[ ! -d $dir/again/$cell ]] || continue
        PATH=$dir:$PATH heard bash -c "$command --into '$dir/again/part-$cell' --results '$dir/records'" </dev/null || (($? == 1))
        mv -- "$dir/again/part-$cell" "$dir/again/$cell"
    done <"$commands"
}

frames() { # NAME OPTIONS...: makes the file once
    local name=$1
    shift
    if [[ ! -f $dir/$name ]]; then
        kuu generate --seed 42 "$@" -o "$dir/part-$name"
        mv -- "$dir/part-$name" "$dir/$name"
    fi
}

timed() { # NAME: two controls, each twice, and 20 s for each steady run
    local name=$1 engine others=()
    for engine in "${built[@]}"; do if [[ $engine != kuu && $engine != kafka-streams ]]; then others+=("$engine"); fi; done
    start_kafka 0
    race 0 "$name" kuu kafka-streams "${others[@]}" kuu kafka-streams "$dir/$name.jsonl.gz" --rounds "$rounds" \
        --steady-rounds "$steady" --for 20s
}

for step in "${steps[@]}"; do
    case $step in
    scorecard)
        of_cards=()
        for ((card = 0; card < cards; card++)); do
            start_kafka "$card"
            scorecard "$card" >"$dir/scorecard-$card.log" 2>&1 &
            of_cards+=($!)
        done
        for job in "${of_cards[@]}"; do wait "$job"; done
        # Those after the first would only be in the way of what follows.
        for ((card = 1; card < cards; card++)); do stop_kafka "$card"; done
        ;;
    checkpoint)
        start_kafka 0
        checkpoint
        ;;
    again)
        for ((card = 0; card < cards; card++)); do start_kafka "$card"; done
        again
        for ((card = 1; card < cards; card++)); do stop_kafka "$card"; done
        ;;
    confirm)
        kuu engines build python >"$dir/build-python.log" 2>&1
        start_kafka 0
        races=("$dir"/scorecard-? "$dir"/checkpoint-* "$dir"/again/*)
        engines/python/.venv/bin/python scripts/confirm.py --kuu "$dir/kuu" --brokers "localhost:$port" --into "$dir/confirmed" \
            "${races[@]}" | tee -- "$dir/confirmed.txt" || echo "race-all.sh: not every wrong cell is confirmed: see $dir/confirmed.txt"
        ;;
    2kb)
        frames 2kb.jsonl.gz --frames 1000000 --rate 100 --users 100000
        timed 2kb
        ;;
    200b)
        frames 200b.jsonl.gz --frames 1000000 --rate 100 --users 100000 --frame-bytes 200
        timed 200b
        ;;
    memory)
        start_kafka 0
        race 0 memory --scorecard "${built[@]}" --workload scripts/memory.toml --memory 1500M --enforce-memory --deadline 20m
        ;;
    publish)
        mkdir -p -- results/published
        scorecards=() races=() memory=()
        for record in "$dir"/records/race-*.json; do
            if grep -q '"cells"' -- "$record" && ! grep -q 'scripts/memory.toml' -- "$record"; then
                scorecards+=("$record")
            else
                races+=("$record")
            fi
        done
        for record in "${races[@]}"; do gzip -9 -n -c -- "$record" >"results/published/$(basename -- "$record").gz"; done
        # The table has the engines of earlier races, too.
        for record in results/published/race-*.json.gz; do
            if zgrep -q 'scripts/memory.toml' -- "$record"; then memory+=("$record"); fi
        done
        if [[ -d $dir/confirmed ]]; then
            confirmed=results/published/confirmed-$(date -u -r "$dir/confirmed.txt" +%Y%m%dT%H%M%SZ)
            cp -- "$dir/confirmed.txt" "$confirmed.txt"
            gzip -9 -n -c -- "$dir"/confirmed/*.txt >"$confirmed-frames.txt.gz"
        fi
        if ((${#scorecards[@]})); then
            scripts/scorecard.py --pack results/published/scorecard.jsonl.gz "${scorecards[@]}"
            scripts/scorecard.py --but '*-default' --page docs/engines-more.md results/published/scorecard.jsonl.gz
            scripts/scorecard.py --only '*-default' --page docs/engines-default.md results/published/scorecard.jsonl.gz
        fi
        if ((${#memory[@]})); then scripts/scorecard.py --costs --page docs/speed-more.md "${memory[@]}"; fi
        ;;
    *) echo "race-all.sh: there is no step '$step'; see scripts/race-all.sh --help" >&2 && exit 2 ;;
    esac
done
