package kuu;

/** What the race says in the environment; times in milliseconds. */
record Settings(String brokers, String input, String output, String group, String stateDir, int partitions, String unit,
                long size, long lateness, long retention, long memory, int cpus) {

    static Settings fromEnvironment() {
        String unit = text("KUU_WINDOW");
        if (unit.equals("week") || unit.equals("month") || unit.equals("year")) {
            throw new IllegalArgumentException(
                    "KUU_WINDOW=" + unit + ": only windows of one length that start at its multiples are counted");
        }
        return new Settings(text("KUU_BROKERS"), text("KUU_INPUT"), text("KUU_OUTPUT"), text("KUU_GROUP"),
                text("KUU_STATE_DIR"), (int) number("KUU_PARTITIONS", 1), unit, 1000 * number("KUU_WINDOW_S", 60),
                1000 * number("KUU_LATENESS_S", 5), 1000 * number("KUU_RETENTION_S", 86400),
                number("KUU_MEMORY_BYTES", 2L << 30),
                (int) number("KUU_CPUS", Runtime.getRuntime().availableProcessors()));
    }

    private static String text(String name) {
        String value = System.getenv(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(name + " is not set");
        }
        return value;
    }

    private static long number(String name, long otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : Long.parseLong(value);
    }
}
