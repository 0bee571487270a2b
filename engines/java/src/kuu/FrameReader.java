package kuu;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.google.common.base.Utf8;
import java.io.IOException;
import org.apache.kafka.common.serialization.Deserializer;

/** Reads a frame once, for the time and for the user; null for a value that is none. */
public final class FrameReader implements Deserializer<Frame> {
    private static final long LARGEST_TS = 253402300799L; // the last second of the year 9999
    private static final int LONGEST_UID = 65536; // in UTF-16 units: more would not fit a message downstream

    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(1024)
                    .maxNumberLength(4_000_000)
                    .maxNameLength(4_000_000)
                    .build())
            .build();

    @Override
    public Frame deserialize(String topic, byte[] value) {
        // Jackson would guess UTF-16 and UTF-32 from the first bytes, and lets some through that are no UTF-8.
        if (value == null || value.length < 2 || value[0] <= 0 || value[1] == 0 || !Utf8.isWellFormed(value)) {
            return null;
        }
        try (JsonParser parser = JSON.createParser(value)) {
            return read(parser);
        } catch (IOException e) {
            return null;
        }
    }

    private static Frame read(JsonParser parser) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            return null;
        }
        String uid = null;
        long ts = -1;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            if (name.equals("uid")) {
                uid = token == JsonToken.VALUE_STRING ? parser.getText() : null;
            } else if (name.equals("ts")) {
                ts = token == JsonToken.VALUE_NUMBER_INT || token == JsonToken.VALUE_STRING
                        ? digits(parser.getText()) : -1;
            }
            parser.skipChildren();
        }
        boolean one = parser.currentToken() == JsonToken.END_OBJECT && parser.nextToken() == null;
        return one && ts >= 0 && isUser(uid) ? new Frame(uid, ts) : null;
    }

    private static long digits(String text) {
        long ts = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < '0' || c > '9') {
                return -1;
            }
            ts = ts * 10 + (c - '0');
            if (ts > LARGEST_TS) {
                return -1;
            }
        }
        return text.isEmpty() ? -1 : ts;
    }

    /** Half a surrogate pair, written as an escape, is no text. */
    private static boolean isUser(String uid) {
        if (uid == null || uid.isEmpty() || uid.length() > LONGEST_UID) {
            return false;
        }
        for (int i = 0; i < uid.length(); i++) {
            if (Character.isSurrogate(uid.charAt(i))) {
                if (i + 1 == uid.length() || !Character.isSurrogatePair(uid.charAt(i), uid.charAt(i + 1))) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }
}
