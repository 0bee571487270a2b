package kuu.flink;

import kuu.Clock;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.java.tuple.Tuple2;

/** The watermark of a partition: its clock less the lateness. The source takes the least of its partitions. */
final class Clocks implements WatermarkGenerator<Tuple2<String, Long>> {
    private final long lateness;
    private final Clock clock = new Clock();

    Clocks(long lateness) {
        this.lateness = lateness;
    }

    @Override
    public void onEvent(Tuple2<String, Long> frame, long time, WatermarkOutput output) {
        clock.observe(time);
    }

    @Override
    public void onPeriodicEmit(WatermarkOutput output) {
        if (clock.time() != Clock.NONE) {
            output.emitWatermark(new Watermark(clock.time() - lateness - 1));
        }
    }
}
