package kuu.flink;

import kuu.Settings;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * The users of one bucket of a window. Sends on how many they are (start, bucket, users) when the watermark passes the
 * window, and for each that comes later. A map, and not one set, so that a state on disk reads and writes a user alone.
 */
final class Users extends KeyedProcessFunction<Tuple2<Long, Integer>, Tuple2<String, Long>, Tuple3<Long, Integer, Long>>
        implements CheckpointedFunction {
    private final long size;
    private final long retention;
    private transient MapState<String, Boolean> users;
    private transient ValueState<Long> count;
    private transient ListState<Long> watermarks;
    private transient long watermark;
    private transient Counter tooLate;

    Users(Settings settings) {
        size = settings.size();
        retention = settings.retention();
    }

    @Override
    public void open(OpenContext context) {
        users = getRuntimeContext().getMapState(new MapStateDescriptor<>("users", Types.STRING, Types.BOOLEAN));
        count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
        tooLate = getRuntimeContext().getMetricGroup().counter("tooLate");
    }

    @Override
    public void processElement(Tuple2<String, Long> frame, Context context, Collector<Tuple3<Long, Integer, Long>> out)
            throws Exception {
        long last = lastOf(context.getCurrentKey());
        watermark = Math.max(watermark, context.timerService().currentWatermark());
        if (last + retention <= watermark) {
            tooLate.inc();
            return;
        }
        if (users.contains(frame.f0)) {
            return;
        }
        users.put(frame.f0, true);
        long more = (count.value() == null ? 0 : count.value()) + 1;
        count.update(more);
        if (more == 1) {
            context.timerService().registerEventTimeTimer(last + retention);
        }
        if (last <= watermark) {
            send(context.getCurrentKey(), out);
        } else {
            context.timerService().registerEventTimeTimer(last);
        }
    }

    @Override
    public void onTimer(long time, OnTimerContext context, Collector<Tuple3<Long, Integer, Long>> out) throws Exception {
        long last = lastOf(context.getCurrentKey());
        if (time == last) {
            send(context.getCurrentKey(), out);
        }
        if (time == last + retention) {
            users.clear();
            count.clear();
        }
    }

    private void send(Tuple2<Long, Integer> key, Collector<Tuple3<Long, Integer, Long>> out) throws Exception {
        out.collect(Tuple3.of(key.f0, key.f1, count.value()));
    }

    /** The last millisecond of its window. */
    private long lastOf(Tuple2<Long, Integer> key) {
        return 1000 * key.f0 + size - 1;
    }

    /** Flink forgets the watermark in a restart: a frame after the retention would open its window again. */
    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        watermarks.update(java.util.List.of(watermark));
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        watermarks = context.getOperatorStateStore().getUnionListState(new ListStateDescriptor<>("watermark", Types.LONG));
        watermark = Long.MIN_VALUE;
        if (context.isRestored()) {
            watermark = Long.MAX_VALUE;
            for (long one : watermarks.get()) {
                watermark = Math.min(watermark, one);
            }
        }
    }
}
