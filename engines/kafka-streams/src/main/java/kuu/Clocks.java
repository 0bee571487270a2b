package kuu;

import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;

/** Makes the user the key, and sends the clock of its partition with each frame. */
final class Clocks extends ContextualProcessor<byte[], Frame, String, Seen> {
    static final LongAdder MALFORMED = new LongAdder();

    private final Clock clock = new Clock();

    @Override
    public void process(Record<byte[], Frame> record) {
        if (record.value() == null) {
            MALFORMED.increment();
            return;
        }
        long time = record.timestamp();
        clock.observe(time);
        context().forward(record.withKey(record.value().uid()).withValue(new Seen(time, clock.time())).withHeaders(null));
    }
}
