package kuu;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Counts unique users per window of event time with Kafka Streams. README.md says why it is written so. */
public final class Engine {
    private static final int MOST_FAILURES = 10;

    private Engine() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments.length > 0 && arguments[0].equals("--version")) {
            System.out.println("kafka-streams " + version());
            return;
        }
        Settings settings = Settings.fromEnvironment();
        boolean byWindow = arguments.length > 0 && arguments[0].equals("--by-window");
        KafkaStreams streams = new KafkaStreams(topology(settings, byWindow), properties(settings));
        AtomicInteger failures = new AtomicInteger();
        streams.setUncaughtExceptionHandler(e -> {
            e.printStackTrace();
            return failures.incrementAndGet() < MOST_FAILURES
                    ? StreamThreadExceptionResponse.REPLACE_THREAD
                    : StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        CountDownLatch failed = new CountDownLatch(1);
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.ERROR) {
                failed.countDown();
            }
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            streams.close(Duration.ofSeconds(10));
            System.err.printf("%d malformed, %d too late%n", Clocks.MALFORMED.sum(), Users.TOO_LATE.sum());
        }));
        streams.start();
        failed.await(); // SIGTERM ends the process before
        System.exit(1);
    }

    private static String version() throws IOException {
        Properties its = new Properties();
        its.load(KafkaStreams.class.getResourceAsStream("/kafka/kafka-streams-version.properties"));
        return its.getProperty("version");
    }

    /** The users of all windows in every task, and their parts summed; or all users of a window in one task. */
    static Topology topology(Settings settings, boolean byWindow) {
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(persistent(Users.SEEN, Serdes.Bytes(), Serdes.ByteArray()));
        builder.addStateStore(persistent(Users.COUNTS, Serdes.Long(), Serdes.Long()).withCachingEnabled());
        builder.addStateStore(persistent(Sums.PARTS, Serdes.String(), Serdes.Long()).withCachingEnabled());
        builder.addStateStore(persistent(Sums.SUMS, Serdes.Long(), Part.SERDE).withCachingEnabled());

        Serde<Frame> frames = Serdes.serdeFrom((topic, frame) -> null, new FrameReader());
        Repartitioned<String, Seen> users = Repartitioned.with(Serdes.String(), Seen.SERDE)
                .withName("users").withNumberOfPartitions(settings.partitions());
        if (byWindow) {
            users = users.withStreamPartitioner((topic, user, seen, partitions) ->
                    Optional.of(Set.of((int) (seen.time() / settings.size() % partitions))));
        }
        KStream<Long, Part> parts = builder.stream(settings.input(), Consumed.with(Serdes.ByteArray(), frames)
                        .withTimestampExtractor((record, partitionTime) ->
                                record.value() instanceof Frame frame ? 1000 * frame.ts() : Math.max(partitionTime, 0)))
                .process(Clocks::new)
                .repartition(users)
                .process(() -> new Users(settings), Users.SEEN, Users.COUNTS);
        if (!byWindow) {
            parts = parts.repartition(Repartitioned.with(Serdes.Long(), Part.SERDE)
                    .withName("windows").withNumberOfPartitions(1));
        }
        parts.process(() -> new Sums(settings), Sums.PARTS, Sums.SUMS)
                .to(settings.output(), Produced.with(Serdes.String(), Serdes.String()));
        return builder.build();
    }

    private static <K, V> StoreBuilder<KeyValueStore<K, V>> persistent(String name, Serde<K> key, Serde<V> value) {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), key, value);
    }

    private static Properties properties(Settings settings) throws IOException {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.group());
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, settings.brokers());
        p.put(StreamsConfig.STATE_DIR_CONFIG, ownDirectory(Path.of(settings.stateDir())).toString());
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, settings.checkpoint() > 0 ? settings.checkpoint() : 100);
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.cpus());
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, settings.memory() / 32);
        p.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedMemory.class);
        // Frames carry any time, which a broker may refuse or delete by: internal topics have the broker's time.
        p.put(StreamsConfig.topicPrefix(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG), "LogAppendTime");
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 10_000);
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
        p.put(StreamsConfig.consumerPrefix(ConsumerConfig.FETCH_MAX_BYTES_CONFIG), 16 << 20);
        p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        return p;
    }

    /** A directory that no other copy has: each needs its own, and one that starts again finds what it left. */
    private static Path ownDirectory(Path parent) throws IOException {
        Files.createDirectories(parent);
        for (int i = 0; ; i++) {
            FileChannel lock = FileChannel.open(parent.resolve("instance-" + i + ".lock"),
                    StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (lock.tryLock() != null) { // until the process ends
                return parent.resolve("instance-" + i);
            }
            lock.close();
        }
    }
}
