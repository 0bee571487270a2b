package kuu.flink;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import kuu.Settings;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;
import org.apache.flink.table.api.config.ExecutionConfigOptions;

/** Runs a file of SQL, as `sql-client.sh -f` would, and waits for the job of its last statement, an INSERT. */
public final class SqlJob {
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)}");

    private SqlJob() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0 && arguments[0].equals("--version")) {
            System.out.println("flink " + EnvironmentInformation.getVersion());
            return;
        }
        Settings settings = Settings.fromEnvironment();
        Local local = new Local(settings);
        Configuration configuration = local.configuration(settings);
        if (settings.ends() == null) { // a partition with an end holds nothing back once it is read
            configuration.set(ExecutionConfigOptions.TABLE_EXEC_SOURCE_IDLE_TIMEOUT, Duration.ofMillis(settings.idle()));
        }
        TableEnvironment flink = TableEnvironment.create(
                EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(configuration).build());
        TableResult last = null;
        for (String statement : filled(Files.readString(Path.of(arguments[0])), settings).split(";\\s*\n")) {
            last = flink.executeSql(statement);
        }
        local.await(last.getJobClient().orElseThrow());
    }

    /** Puts in the environment's variables, the two intervals, and for ${ENDS} the options that say where the input ends, if it does. */
    private static String filled(String sql, Settings settings) {
        Map<String, String> values = new HashMap<>(System.getenv());
        values.put("ENDS", ends(settings.ends()));
        values.put("LATENESS", interval(settings.lateness() / 1000));
        values.put("SIZE", interval(settings.size() / 1000));
        return VARIABLE.matcher(sql).replaceAll(name -> Matcher.quoteReplacement(values.get(name.group(1))));
    }

    /** Days, as an interval of seconds alone may have two digits only. */
    private static String interval(long seconds) {
        Duration of = Duration.ofSeconds(seconds);
        return String.format("INTERVAL '%d %02d:%02d:%02d' DAY TO SECOND",
                of.toDays(), of.toHoursPart(), of.toMinutesPart(), of.toSecondsPart());
    }

    private static String ends(long[] ends) {
        if (ends == null) {
            return "";
        }
        String offsets = IntStream.range(0, ends.length)
                .mapToObj(partition -> "partition:" + partition + ",offset:" + ends[partition])
                .collect(Collectors.joining(";"));
        return "'scan.bounded.mode' = 'specific-offsets', 'scan.bounded.specific-offsets' = '" + offsets + "',";
    }
}
