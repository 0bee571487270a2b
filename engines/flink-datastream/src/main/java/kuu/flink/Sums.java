package kuu.flink;

import kuu.Settings;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Adds up the buckets of a window, which have no user in common, and sends (start, users) when it is over, and for each change after that. */
final class Sums extends KeyedProcessFunction<Long, Tuple3<Long, Integer, Long>, Tuple2<Long, Long>> {
    private final long size;
    private final long retention;
    private transient MapState<Integer, Long> parts;
    private transient ValueState<Long> sum;
    private transient ValueState<Long> sent;

    Sums(Settings settings) {
        size = settings.size();
        retention = settings.retention();
    }

    @Override
    public void open(OpenContext context) {
        parts = getRuntimeContext().getMapState(new MapStateDescriptor<>("parts", Types.INT, Types.LONG));
        sum = getRuntimeContext().getState(new ValueStateDescriptor<>("sum", Types.LONG));
        sent = getRuntimeContext().getState(new ValueStateDescriptor<>("sent", Types.LONG));
    }

    @Override
    public void processElement(Tuple3<Long, Integer, Long> part, Context context, Collector<Tuple2<Long, Long>> out)
            throws Exception {
        long last = lastOf(part.f0);
        Long before = parts.get(part.f1);
        Long all = sum.value();
        parts.put(part.f1, part.f2);
        sum.update((all == null ? 0 : all) + part.f2 - (before == null ? 0 : before));
        if (all == null) {
            context.timerService().registerEventTimeTimer(last + retention);
        }
        if (last <= context.timerService().currentWatermark()) {
            send(part.f0, out);
        } else {
            context.timerService().registerEventTimeTimer(last);
        }
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<Tuple2<Long, Long>> out) throws Exception {
        long last = lastOf(context.getCurrentKey());
        if (time == last) {
            send(context.getCurrentKey(), out);
        }
        if (time == last + retention) {
            parts.clear();
            sum.clear();
            sent.clear();
        }
    }

    /** A part that was sent again, in a restart, is no news. */
    private void send(long start, Collector<Tuple2<Long, Long>> out) throws Exception {
        if (!sum.value().equals(sent.value())) {
            sent.update(sum.value());
            out.collect(Tuple2.of(start, sum.value()));
        }
    }

    /** The last millisecond of its window. */
    private long lastOf(long start) {
        return 1000 * start + size - 1;
    }
}
