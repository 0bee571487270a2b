package kuu;

import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;

/**
 * Makes the user the key, and sends the clock of its partition with each frame. One flipped bit in a stamp must not make
 * the stream years older, so a clock starts, and jumps by more than an hour, when eight frames in a row agree.
 */
final class Clocks extends ContextualProcessor<byte[], Frame, String, Seen> {
    static final LongAdder MALFORMED = new LongAdder();
    private static final long MAX_JUMP = 3_600_000;
    private static final int AGREEING = 8;

    private long clock = Seen.NO_CLOCK;
    private int agreed;
    private long runStart;
    private long runMost;

    @Override
    public void process(Record<byte[], Frame> record) {
        if (record.value() == null) {
            MALFORMED.increment();
            return;
        }
        long time = record.timestamp();
        observe(time);
        context().forward(record.withKey(record.value().uid()).withValue(new Seen(time, clock)).withHeaders(null));
    }

    private void observe(long time) {
        if (clock != Seen.NO_CLOCK && time <= clock + MAX_JUMP) {
            agreed = 0;
            clock = Math.max(clock, time);
            return;
        }
        if (agreed > 0 && Math.abs(time - runStart) <= MAX_JUMP) {
            agreed++;
            runMost = Math.max(runMost, time);
        } else {
            agreed = 1;
            runStart = time;
            runMost = time;
        }
        if (agreed == AGREEING) {
            agreed = 0;
            clock = runMost;
        }
    }
}
