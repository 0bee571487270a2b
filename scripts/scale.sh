#!/usr/bin/env bash
# Counts over several processes, with one killed and one added: see scripts/scale.py, which gets the options.
#
#   scripts/scale.sh [--brokers HOST:PORT] [options of scripts/scale.py]
#
# Builds kuu and the engines. Without --brokers it starts a Kafka of its own (KUU_KAFKA_PORT, 9392) and stops it after.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
kuu=${CARGO_TARGET_DIR:-$here/target}/release/kuu

case " $* " in
    *' --help '* | *' -h '*) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
cargo build --release --locked --quiet --manifest-path "$here/Cargo.toml"
# python has the Kafka client that the script uses, too.
"$kuu" engines build python kafka-streams flink-datastream --engines "$here/engines"
options=("$@")
case " $* " in
    *' --brokers'*) ;;
    *)
        port=${KUU_KAFKA_PORT:-9392}
        dir=$(mktemp -d)
        trap '"$here/scripts/kafka.sh" stop --dir "$dir" >/dev/null; rm -rf -- "$dir"' EXIT
        "$here/scripts/kafka.sh" start --port "$port" --dir "$dir"
        options+=(--brokers "localhost:$port")
        ;;
esac
"$here/engines/python/.venv/bin/python" "$here/scripts/scale.py" "${options[@]}"
