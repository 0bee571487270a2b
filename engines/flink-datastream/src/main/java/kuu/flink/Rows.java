package kuu.flink;

import java.nio.charset.StandardCharsets;
import kuu.Settings;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;

/** Writes a window (start, users) as a row. */
final class Rows implements SerializationSchema<Tuple2<Long, Long>> {
    private final String unit;
    private final long size;

    private Rows(Settings settings) {
        unit = settings.unit();
        size = settings.size() / 1000;
    }

    static KafkaRecordSerializationSchema<Tuple2<Long, Long>> serializer(Settings settings) {
        return KafkaRecordSerializationSchema.<Tuple2<Long, Long>>builder()
                .setTopic(settings.output())
                .setKeySerializationSchema(new Keys(settings.unit()))
                .setValueSerializationSchema(new Rows(settings))
                .build();
    }

    @Override
    public byte[] serialize(Tuple2<Long, Long> window) {
        return bytes(String.format("{\"unit\":\"%s\",\"start\":%d,\"end\":%d,\"users\":%d}",
                unit, window.f0, window.f0 + size, window.f1));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private record Keys(String unit) implements SerializationSchema<Tuple2<Long, Long>> {
        @Override
        public byte[] serialize(Tuple2<Long, Long> window) {
            return bytes(unit + ":" + window.f0);
        }
    }
}
