/* The simplest reader: librdkafka's own loop, which discards the messages. scripts/outside.py compares it with what kuu
 * calls the ceiling of reading.
 *
 *     cc -O2 scripts/plain_reader.c -o plain_reader -lrdkafka
 *     plain_reader poll|batch BROKERS TOPIC [name=value ...]
 *
 * poll takes message by message, batch a thousand at a time. Reads all partitions from their low to their high
 * watermarks; prints messages, and seconds from the first message to the last. Properties are librdkafka's.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 1000, TIMEOUT_MS = 10000 };

static void fail(const char *what, const char *why) {
    fprintf(stderr, "plain_reader: %s: %s\n", what, why);
    exit(2);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        fail(name, why);
}

/* Assigns every partition at its low watermark; gives the number of messages up to the high ones. */
static long assign(rd_kafka_t *client, const char *topic) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    rd_kafka_resp_err_t error = rd_kafka_metadata(client, 0, handle, &metadata, TIMEOUT_MS);
    if (error)
        fail(topic, rd_kafka_err2str(error));
    int partitions = metadata->topics[0].partition_cnt;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    long total = 0;
    for (int partition = 0; partition < partitions; partition++) {
        int64_t low, high;
        error = rd_kafka_query_watermark_offsets(client, topic, partition, &low, &high, TIMEOUT_MS);
        if (error)
            fail(topic, rd_kafka_err2str(error));
        rd_kafka_topic_partition_list_add(list, topic, partition)->offset = low;
        total += (long)(high - low);
    }
    error = rd_kafka_assign(client, list);
    if (error)
        fail("assign", rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return total;
}

int main(int count, char **arguments) {
    if (count < 4 || (strcmp(arguments[1], "poll") && strcmp(arguments[1], "batch")))
        fail("usage", "plain_reader poll|batch BROKERS TOPIC [name=value ...]");
    int batched = strcmp(arguments[1], "batch") == 0;
    const char *topic = arguments[3];

    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", arguments[2]);
    set(conf, "group.id", "plain-reader");
    set(conf, "enable.auto.commit", "false");
    for (int i = 4; i < count; i++) {
        char *value = strchr(arguments[i], '=');
        if (!value)
            fail(arguments[i], "must be name=value");
        *value = 0;
        set(conf, arguments[i], value + 1);
    }
    char why[512];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!client)
        fail("client", why);
    rd_kafka_poll_set_consumer(client);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);

    long total = assign(client, topic), read = 0;
    long long bytes = 0;
    double first = 0, last_heard = now();
    static rd_kafka_message_t *messages[BATCH];
    while (read < total) {
        ssize_t got;
        if (batched) {
            got = rd_kafka_consume_batch_queue(queue, 100, messages, BATCH);
        } else {
            messages[0] = rd_kafka_consumer_poll(client, 100);
            got = messages[0] ? 1 : 0;
        }
        if (got > 0 && first == 0)
            first = now();
        for (ssize_t i = 0; i < got; i++) {
            if (!messages[i]->err) {
                read++;
                bytes += (long long)messages[i]->len;
            }
            rd_kafka_message_destroy(messages[i]);
        }
        if (got > 0)
            last_heard = 0;
        else if (last_heard == 0)
            last_heard = now();
        else if (now() - last_heard > TIMEOUT_MS / 1000.0)
            fail(topic, "nothing came for 10 s");
    }
    double seconds = now() - first;
    printf("%ld %lld %.6f\n", read, bytes, seconds);
    fflush(stdout);
    /* Closing takes up to 100 ms, and is no part of reading. */
    _Exit(0);
}
