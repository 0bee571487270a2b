package kuu;

/**
 * The time of a partition. One flipped bit in a stamp must not make the stream years older, so a clock starts, and jumps by
 * more than an hour, when eight frames in a row agree.
 */
public final class Clock {
    public static final long NONE = Long.MIN_VALUE;
    private static final long MAX_JUMP = 3_600_000;
    private static final int AGREEING = 8;

    private long time = NONE;
    private int agreed;
    private long runStart;
    private long runMost;

    /** The greatest time that is believed, in milliseconds; {@link #NONE} before there is one. */
    public long time() {
        return time;
    }

    /** Looks at the time of the next frame. */
    public void observe(long frame) {
        if (time != NONE && frame <= time + MAX_JUMP) {
            agreed = 0;
            time = Math.max(time, frame);
            return;
        }
        if (agreed > 0 && Math.abs(frame - runStart) <= MAX_JUMP) {
            agreed++;
            runMost = Math.max(runMost, frame);
        } else {
            agreed = 1;
            runStart = frame;
            runMost = frame;
        }
        if (agreed == AGREEING) {
            agreed = 0;
            time = runMost;
        }
    }
}
