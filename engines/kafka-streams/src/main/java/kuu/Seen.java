package kuu;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** A frame of the user that is the key: its time, and the clock of the partition that it comes from, in milliseconds. */
record Seen(long time, long clock) {
    static final Serde<Seen> SERDE = Serdes.serdeFrom(
            (topic, seen) -> ByteBuffer.allocate(16).putLong(seen.time).putLong(seen.clock).array(),
            (topic, bytes) -> new Seen(ByteBuffer.wrap(bytes).getLong(0), ByteBuffer.wrap(bytes).getLong(8)));
}
