package kuu;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** How many users of a window a task has; {@link #CLOSED} when it accepts no more of them. */
record Part(int task, long users) {
    static final long CLOSED = -1;

    static final Serde<Part> SERDE = Serdes.serdeFrom(
            (topic, part) -> ByteBuffer.allocate(12).putInt(part.task).putLong(part.users).array(),
            (topic, bytes) -> new Part(ByteBuffer.wrap(bytes).getInt(0), ByteBuffer.wrap(bytes).getLong(4)));
}
