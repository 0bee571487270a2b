package kuu.hazelcast;

import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.instance.BuildInfoProvider;
import com.hazelcast.jet.Job;
import com.hazelcast.jet.aggregate.AggregateOperation;
import com.hazelcast.jet.aggregate.AggregateOperation1;
import com.hazelcast.jet.config.JobConfig;
import com.hazelcast.jet.config.ProcessingGuarantee;
import com.hazelcast.jet.core.EventTimePolicy;
import com.hazelcast.jet.datamodel.WindowResult;
import com.hazelcast.jet.kafka.KafkaProcessors;
import com.hazelcast.jet.kafka.KafkaSinks;
import com.hazelcast.jet.pipeline.Pipeline;
import com.hazelcast.jet.pipeline.Sources;
import com.hazelcast.jet.pipeline.StreamSource;
import com.hazelcast.jet.pipeline.WindowDefinition;
import java.util.HashSet;
import java.util.Properties;
import java.util.Set;
import kuu.Frame;
import kuu.FrameReader;
import kuu.Settings;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Counts unique users per window of event time with Hazelcast's Jet. README.md says why it is written so. */
public final class Engine {
    private Engine() {}

    public static void main(String[] arguments) {
        if (arguments.length > 0 && arguments[0].equals("--version")) {
            System.out.println("hazelcast " + BuildInfoProvider.getBuildInfo().getVersion());
            return;
        }
        Settings settings = Settings.fromEnvironment();
        HazelcastInstance member = Hazelcast.newHazelcastInstance(config(settings));
        Job job = member.getJet().newJob(pipeline(settings), new JobConfig()
                .setName("count")
                .setProcessingGuarantee(ProcessingGuarantee.AT_LEAST_ONCE)
                .setSnapshotIntervalMillis(settings.checkpoint() > 0 ? settings.checkpoint() : 1000));
        job.join(); // SIGTERM ends the process before, and the member with it
        System.exit(1);
    }

    private static Config config(Settings settings) {
        Config config = new Config().setClusterName(settings.group())
                .setProperty("hazelcast.phone.home.enabled", "false")
                .setProperty("hazelcast.shutdownhook.policy", "GRACEFUL")
                .setProperty("hazelcast.logging.type", "slf4j");
        config.getJetConfig().setEnabled(true).setCooperativeThreadCount(settings.cpus());
        config.getNetworkConfig().getJoin().getAutoDetectionConfig().setEnabled(false);
        config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface("127.0.0.1");
        return config;
    }

    private static Pipeline pipeline(Settings settings) {
        long seconds = settings.size() / 1000;
        String unit = settings.unit();
        Pipeline pipeline = Pipeline.create();
        pipeline.readFrom(source(settings))
                .withNativeTimestamps(0)
                .window(WindowDefinition.tumbling(settings.size()))
                .aggregate(users())
                .writeTo(KafkaSinks.kafka(producer(settings), settings.output(),
                        (WindowResult<Long> window) -> unit + ":" + window.start() / 1000,
                        window -> row(unit, window.start() / 1000, seconds, window.result())));
        return pipeline;
    }

    /** KafkaSources.kafka, but for the watermark of a partition: that of Jet believes any stamp. */
    private static StreamSource<Frame> source(Settings settings) {
        Properties properties = consumer(settings);
        String topic = settings.input();
        long lateness = settings.lateness();
        long idle = settings.idle();
        return Sources.streamFromProcessorWithWatermarks("frames", true, policy ->
                KafkaProcessors.streamKafkaP(properties, (ConsumerRecord<byte[], Frame> message) -> message.value(),
                        EventTimePolicy.<Frame>eventTimePolicy(frame -> 1000 * frame.ts(), policy.wrapFn(),
                                () -> new Clocks(lateness), policy.watermarkThrottlingFrameSize(),
                                policy.watermarkThrottlingFrameOffset(), idle),
                        topic));
    }

    private static AggregateOperation1<Frame, Set<String>, Long> users() {
        return AggregateOperation
                .withCreate(() -> (Set<String>) new HashSet<String>())
                .<Frame>andAccumulate((users, frame) -> users.add(frame.uid()))
                .andCombine(Set::addAll)
                .andExportFinish(users -> (long) users.size());
    }

    private static String row(String unit, long start, long seconds, long users) {
        return String.format("{\"unit\":\"%s\",\"start\":%d,\"end\":%d,\"users\":%d}", unit, start, start + seconds, users);
    }

    private static Properties consumer(Settings settings) {
        Properties p = new Properties();
        p.put("bootstrap.servers", settings.brokers());
        p.put("key.deserializer", ByteArrayDeserializer.class.getName());
        p.put("value.deserializer", FrameReader.class.getName());
        p.put("isolation.level", "read_committed");
        p.put("auto.offset.reset", "earliest");
        p.put("max.partition.fetch.bytes", 4 << 20);
        p.put("fetch.max.bytes", 16 << 20);
        return p;
    }

    private static Properties producer(Settings settings) {
        Properties p = new Properties();
        p.put("bootstrap.servers", settings.brokers());
        p.put("key.serializer", StringSerializer.class.getName());
        p.put("value.serializer", StringSerializer.class.getName());
        return p;
    }
}
