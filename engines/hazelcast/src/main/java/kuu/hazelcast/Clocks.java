package kuu.hazelcast;

import com.hazelcast.jet.core.WatermarkPolicy;
import kuu.Clock;

/** The watermark of a partition: its clock less the lateness. The source takes the least of its partitions. */
final class Clocks implements WatermarkPolicy {
    private final long lateness;
    private final Clock clock = new Clock();

    Clocks(long lateness) {
        this.lateness = lateness;
    }

    @Override
    public void reportEvent(long time) {
        clock.observe(time);
    }

    @Override
    public long getCurrentWatermark() {
        return clock.time() == Clock.NONE ? Clock.NONE : clock.time() - lateness;
    }
}
