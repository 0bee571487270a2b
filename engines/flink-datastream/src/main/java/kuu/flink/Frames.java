package kuu.flink;

import kuu.Frame;
import kuu.FrameReader;
import org.apache.flink.api.common.serialization.DeserializationSchema.InitializationContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Reads a message: the user and the time, in seconds; nothing from one that is no frame. */
final class Frames implements KafkaRecordDeserializationSchema<Tuple2<String, Long>> {
    private transient FrameReader reader;
    private transient Counter malformed;

    @Override
    public void open(InitializationContext context) {
        reader = new FrameReader();
        malformed = context.getMetricGroup().counter("malformed");
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> message, Collector<Tuple2<String, Long>> out) {
        Frame frame = reader.deserialize(message.topic(), message.value());
        if (frame == null) {
            malformed.inc();
        } else {
            out.collect(Tuple2.of(frame.uid(), frame.ts()));
        }
    }

    @Override
    public TypeInformation<Tuple2<String, Long>> getProducedType() {
        return Types.TUPLE(Types.STRING, Types.LONG);
    }
}
