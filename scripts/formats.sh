#!/usr/bin/env bash
# Measures the formats of frames, and writes the tables of docs/formats.md from the record.
#
#   scripts/formats.sh [--under-load] [--builds] [options of kuu formats, as --rounds 10 or --brokers HOST:PORT]
#
# Builds kuu with --features formats, makes 20,000 frames as those of the challenge (kuu generate --seed 20), and starts a
# Kafka of its own (KUU_KAFKA_PORT, 9392) unless --brokers or --no-kafka is given. The record goes to results/example, and
# the one of before is removed. --under-load: the page says that other programs ran. --builds measures builds from nothing
# with and without the feature, too, in a directory of their own: about ten minutes on two cores.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
cd -- "$here"
kuu=${CARGO_TARGET_DIR:-$here/target}/release/kuu

case " $* " in
    *' --help '* | *' -h '*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
options=()
page_options=()
builds=''
own_kafka=yes
for option in "$@"; do
    case $option in
        --under-load) page_options+=(--under-load); continue ;;
        --builds) builds=yes; continue ;;
        --brokers | --brokers=* | -b | --no-kafka) own_kafka='' ;;
    esac
    options+=("$option")
done
cargo build --release --locked --features formats

dir=$(mktemp -d)
clean_up() {
    if [[ -n $own_kafka ]]; then scripts/kafka.sh stop --dir "$dir/kafka" >/dev/null || true; fi
    rm -rf -- "$dir"
}
trap clean_up EXIT

build() { # NAME OPTION...: builds from nothing; a line of JSON with its times and its crates
    local name=$1 before after
    shift
    before=$(date +%s.%N)
    TIMEFORMAT='%U %S'
    { time CARGO_TARGET_DIR="$dir/target" cargo build --release --locked --quiet "$@" 2>"$dir/errors"; } 2>"$dir/times" || {
        cat -- "$dir/errors" >&2
        return 1
    }
    after=$(date +%s.%N)
    python3 - "$name" "$before" "$after" "$dir/times" "$dir/target/release/kuu" "$(cargo tree --locked --prefix none -e normal "$@" | cut -d' ' -f1,2 | sort -u | wc -l)" <<'END'
import json, os, sys
name, before, after, times, program, crates = sys.argv[1:]
user, system = map(float, open(times).read().split())
row = {"build": name, "wall_s": round(float(after) - float(before), 1), "cpu_s": round(user + system, 1), "crates": int(crates), "program_bytes": os.path.getsize(program)}
print(json.dumps(row))
END
    rm -rf -- "$dir/target"
}

if [[ -n $builds ]]; then
    build 'without' >"$dir/builds.jsonl"
    build 'with' --features formats >>"$dir/builds.jsonl"
    mv -- "$dir/builds.jsonl" results/example/formats-builds.jsonl
fi
if [[ -n $own_kafka ]]; then
    port=${KUU_KAFKA_PORT:-9392}
    mkdir -- "$dir/kafka"
    scripts/kafka.sh start --port "$port" --dir "$dir/kafka"
    options+=(--brokers "localhost:$port")
fi
"$kuu" generate --frames 20000 --seed 20 -o "$dir/frames.jsonl.gz" --quiet
"$kuu" formats "$dir/frames.jsonl.gz" --results "$dir/results" "${options[@]}"
rm -f -- results/example/formats-2*.json.gz
for record in "$dir"/results/formats-*.json; do
    gzip -9 -n -c -- "$record" >"results/example/$(basename -- "$record").gz"
    scripts/formats.py "${page_options[@]}" "results/example/$(basename -- "$record").gz"
done
