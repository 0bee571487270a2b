#!/bin/sh
# kuu count with the settings of the race, and with further arguments. The brokers come in KUU_BROKERS.
set -eu
set -- "$KUU_PROGRAM" count --topic "$KUU_INPUT" --output "$KUU_OUTPUT" --group "$KUU_GROUP" --window "$KUU_WINDOW" \
    --lateness "${KUU_LATENESS_S}s" --retention "${KUU_RETENTION_S}s" --commit-interval "${KUU_CHECKPOINT_MS:-1000}ms" \
    --results "$KUU_STATE_DIR/results" "$@"
if [ -z "${KUU_INPUT_END:-}" ]; then
    set -- "$@" --follow --idle "${KUU_IDLE_MS}ms"
fi
exec "$@"
