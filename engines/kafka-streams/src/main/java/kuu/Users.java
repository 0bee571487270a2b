package kuu;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Counts the users of each window that belong to this task: a store has every (window, user) once. Every 100 ms the counts
 * that changed go on, so downstream gets one number a window and task, not one a user.
 */
final class Users extends ContextualProcessor<String, Seen, Long, Part> {
    static final String SEEN = "seen";
    static final String COUNTS = "counts";
    static final Duration EVERY = Duration.ofMillis(100);
    static final LongAdder TOO_LATE = new LongAdder();
    private static final long CLOCK = -1; // the key, among the starts, of the task's clock
    private static final byte[] HERE = {1};

    private final Settings settings;
    private KeyValueStore<Bytes, byte[]> seen;
    private KeyValueStore<Long, Long> counts;
    private final TreeSet<Long> windows = new TreeSet<>();
    private final Set<Long> changed = new HashSet<>();
    private long clock = Clock.NONE;
    private long savedClock = Clock.NONE;

    Users(Settings settings) {
        this.settings = settings;
    }

    @Override
    public void init(ProcessorContext<Long, Part> context) {
        super.init(context);
        seen = context.getStateStore(SEEN);
        counts = context.getStateStore(COUNTS);
        try (KeyValueIterator<Long, Long> all = counts.all()) {
            all.forEachRemaining(entry -> {
                if (entry.key == CLOCK) {
                    clock = savedClock = entry.value;
                } else {
                    windows.add(entry.key);
                    changed.add(entry.key); // it may not have gone on before the restart; twice does no harm
                }
            });
        }
        context.schedule(EVERY, PunctuationType.WALL_CLOCK_TIME, this::flush);
    }

    @Override
    public void process(Record<String, Seen> record) {
        clock = Math.max(clock, record.value().clock());
        long time = record.value().time();
        long start = time - time % settings.size();
        if (closed(start)) {
            TOO_LATE.increment();
            return;
        }
        if (seen.putIfAbsent(key(start, record.key()), HERE) == null) {
            Long before = counts.get(start);
            counts.put(start, before == null ? 1 : before + 1);
            windows.add(start);
            changed.add(start);
        }
    }

    private boolean closed(long start) {
        return clock != Clock.NONE
                && start + settings.size() + settings.retention() <= clock - settings.lateness();
    }

    private void flush(long now) {
        for (Long start : changed) {
            context().forward(new Record<>(start, new Part(context().taskId().partition(), counts.get(start)), now));
        }
        changed.clear();
        if (clock != savedClock) {
            counts.put(CLOCK, clock);
            savedClock = clock;
        }
        if (!windows.isEmpty() && closed(windows.first())) {
            close(windows.pollFirst(), now);
        }
    }

    /** Deletes the users one by one, so that the changelog forgets them too. One window at a time: it takes a while. */
    private void close(long start, long now) {
        List<Bytes> keys = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> all = seen.range(key(start, ""), key(start + 1, ""))) {
            all.forEachRemaining(entry -> keys.add(entry.key));
        }
        keys.forEach(seen::delete);
        counts.delete(start);
        context().forward(new Record<>(start, new Part(context().taskId().partition(), Part.CLOSED), now));
    }

    private static Bytes key(long start, String uid) {
        byte[] user = uid.getBytes(StandardCharsets.UTF_8);
        return Bytes.wrap(ByteBuffer.allocate(8 + user.length).putLong(start).put(user).array());
    }
}
