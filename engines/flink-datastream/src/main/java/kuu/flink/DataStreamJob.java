package kuu.flink;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import kuu.Settings;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeHint;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.common.TopicPartition;

/** Counts unique users per window of event time with Flink's DataStream API. README.md says why it is written so. */
public final class DataStreamJob {
    /** Into how many parts the users of a window are split, for several tasks to count them. */
    private static final int BUCKETS = 64;

    private DataStreamJob() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0 && arguments[0].equals("--version")) {
            System.out.println("flink " + EnvironmentInformation.getVersion());
            return;
        }
        Settings settings = Settings.fromEnvironment();
        Local local = new Local(settings);
        StreamExecutionEnvironment flink =
                StreamExecutionEnvironment.getExecutionEnvironment(local.configuration(settings));
        build(flink, settings);
        local.await(flink.executeAsync(settings.group()));
    }

    private static void build(StreamExecutionEnvironment flink, Settings settings) {
        long size = settings.size() / 1000;
        flink.fromSource(source(settings), watermarks(settings), "frames").uid("frames")
                .keyBy(frame -> Tuple2.of(frame.f1 - frame.f1 % size, Math.floorMod(frame.f0.hashCode(), BUCKETS)),
                        TypeInformation.of(new TypeHint<Tuple2<Long, Integer>>() {}))
                .process(new Users(settings)).uid("users").name("users")
                .keyBy(part -> part.f0)
                .process(new Sums(settings)).uid("sums").name("sums")
                // Rows are few: one writer makes one transaction a checkpoint.
                .sinkTo(sink(settings)).setParallelism(1).uid("rows").name("rows");
    }

    private static KafkaSource<Tuple2<String, Long>> source(Settings settings) {
        KafkaSourceBuilder<Tuple2<String, Long>> source = KafkaSource.<Tuple2<String, Long>>builder()
                .setBootstrapServers(settings.brokers())
                .setTopics(settings.input())
                .setGroupId(settings.group())
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setDeserializer(new Frames())
                .setProperty("isolation.level", "read_committed")
                .setProperty("max.partition.fetch.bytes", String.valueOf(4 << 20))
                .setProperty("fetch.max.bytes", String.valueOf(16 << 20));
        if (settings.ends() != null) {
            Map<TopicPartition, Long> ends = new HashMap<>();
            for (int partition = 0; partition < settings.ends().length; partition++) {
                ends.put(new TopicPartition(settings.input(), partition), settings.ends()[partition]);
            }
            source.setBounded(OffsetsInitializer.offsets(ends));
        }
        return source.build();
    }

    private static WatermarkStrategy<Tuple2<String, Long>> watermarks(Settings settings) {
        long lateness = settings.lateness();
        WatermarkStrategy<Tuple2<String, Long>> strategy = WatermarkStrategy
                .<Tuple2<String, Long>>forGenerator(context -> new Clocks(lateness))
                .withTimestampAssigner((frame, kafka) -> 1000 * frame.f1);
        // A partition with an end holds nothing back once it is read; until then it must, however slowly it comes.
        return settings.ends() != null ? strategy : strategy.withIdleness(Duration.ofMillis(settings.idle()));
    }

    private static KafkaSink<Tuple2<Long, Long>> sink(Settings settings) {
        return KafkaSink.<Tuple2<Long, Long>>builder()
                .setBootstrapServers(settings.brokers())
                .setRecordSerializer(Rows.serializer(settings))
                .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
                .setTransactionalIdPrefix(settings.group())
                .setTransactionNamingStrategy(TransactionNamingStrategy.POOLING)
                // The connector's hour is more than a broker allows by default; the longer, the later a crash loses results.
                .setProperty("transaction.timeout.ms", String.valueOf(15 * 60 * 1000))
                .build();
    }
}
