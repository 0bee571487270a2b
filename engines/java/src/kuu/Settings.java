package kuu;

import java.util.stream.Stream;

/** What the race says in the environment; times in milliseconds. `ends` is where the partitions of the input end, null if they do not; `checkpoint` is 0 where the engine decides. */
public record Settings(String brokers, String input, long[] ends, String output, String group, String stateDir,
                       int partitions, String unit, long size, long lateness, long retention, long idle, long checkpoint,
                       long memory, int cpus) {

    /** Engines do not tell a partition that is silent from one whose broker is away, or that they had no time to read. So at least a minute, as the documentation of Flink and Hazelcast has it. */
    private static final long LEAST_IDLE = 60_000;

    /** As it is; a window of another length than the one before, as months are, ends the program. */
    public static Settings fromEnvironment() {
        String unit = text("KUU_WINDOW");
        if (unit.equals("week") || unit.equals("month") || unit.equals("year")) {
            System.err.println("KUU_WINDOW=" + unit + ": only windows of one length that start at its multiples are counted");
            System.exit(2);
        }
        return new Settings(text("KUU_BROKERS"), text("KUU_INPUT"), offsets("KUU_INPUT_END"), text("KUU_OUTPUT"), text("KUU_GROUP"),
                text("KUU_STATE_DIR"), (int) number("KUU_PARTITIONS", 1), unit, 1000 * number("KUU_WINDOW_S", 60),
                1000 * number("KUU_LATENESS_S", 5), 1000 * number("KUU_RETENTION_S", 86400),
                Math.max(number("KUU_IDLE_MS", 2000), LEAST_IDLE),
                number("KUU_CHECKPOINT_MS", 0), number("KUU_MEMORY_BYTES", 2L << 30),
                (int) number("KUU_CPUS", Runtime.getRuntime().availableProcessors()));
    }

    private static String text(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            System.err.println(name + " is not set");
            System.exit(2);
        }
        return value;
    }

    private static long number(String name, long otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : Long.parseLong(value);
    }

    private static long[] offsets(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            return null;
        }
        return Stream.of(value.replaceAll("[\\[\\] ]", "").split(",")).mapToLong(Long::parseLong).toArray();
    }
}
