package kuu;

import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Adds up the parts of each window, which have no user in common, and sends a row for every change. */
final class Sums extends ContextualProcessor<Long, Part, String, String> {
    static final String PARTS = "parts"; // "start/task" -> users
    static final String SUMS = "sums"; // start -> all users, and how many tasks still have the window open

    private final Settings settings;
    private KeyValueStore<String, Long> parts;
    private KeyValueStore<Long, Part> sums;

    Sums(Settings settings) {
        this.settings = settings;
    }

    @Override
    public void init(ProcessorContext<String, String> context) {
        super.init(context);
        parts = context.getStateStore(PARTS);
        sums = context.getStateStore(SUMS);
    }

    @Override
    public void process(Record<Long, Part> record) {
        long start = record.key();
        String key = start + "/" + record.value().task();
        Long before = parts.get(key);
        Part sum = sums.get(start);
        if (record.value().users() == Part.CLOSED) {
            close(start, key, before, sum);
            return;
        }
        if (before != null && before == record.value().users()) {
            return;
        }
        parts.put(key, record.value().users());
        int open = (sum == null ? 0 : sum.task()) + (before == null ? 1 : 0);
        long users = (sum == null ? 0 : sum.users()) + record.value().users() - (before == null ? 0 : before);
        sums.put(start, new Part(open, users));
        long seconds = start / 1000;
        String row = String.format("{\"unit\":\"%s\",\"start\":%d,\"end\":%d,\"users\":%d}",
                settings.unit(), seconds, seconds + settings.size() / 1000, users);
        context().forward(new Record<>(settings.unit() + ":" + seconds, row, record.timestamp()));
    }

    private void close(long start, String key, Long before, Part sum) {
        if (before == null) {
            return;
        }
        parts.delete(key);
        if (sum.task() == 1) {
            sums.delete(start);
        } else {
            sums.put(start, new Part(sum.task() - 1, sum.users()));
        }
    }
}
