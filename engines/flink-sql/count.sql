CREATE TABLE frames (
    uid STRING,
    ts BIGINT,
    seen AS TO_TIMESTAMP_LTZ(ts, 0),
    WATERMARK FOR seen AS seen - ${LATENESS}
) WITH (
    'connector' = 'kafka',
    'topic' = '${KUU_INPUT}',
    'properties.bootstrap.servers' = '${KUU_BROKERS}',
    'properties.group.id' = '${KUU_GROUP}',
    'properties.isolation.level' = 'read_committed',
    'properties.max.partition.fetch.bytes' = '4194304',
    'scan.startup.mode' = 'earliest-offset',
    ${ENDS}
    'format' = 'json',
    'json.ignore-parse-errors' = 'true'
);

CREATE TABLE results (
    `start` TIMESTAMP_LTZ(0),
    users BIGINT
) WITH (
    'connector' = 'kafka',
    'topic' = '${KUU_OUTPUT}',
    'properties.bootstrap.servers' = '${KUU_BROKERS}',
    'properties.transaction.timeout.ms' = '900000',
    'sink.delivery-guarantee' = 'exactly-once',
    'sink.transactional-id-prefix' = '${KUU_GROUP}',
    'sink.transaction-naming-strategy' = 'POOLING',
    'sink.parallelism' = '1',
    'format' = 'json',
    'json.timestamp-format.standard' = 'ISO-8601'
);

-- A damaged `ts` is NULL, and a NULL as the time of a row would end the job.
INSERT INTO results
SELECT CAST(window_start AS TIMESTAMP_LTZ(0)), COUNT(DISTINCT uid)
FROM TUMBLE(
    DATA => (SELECT uid, seen FROM frames WHERE seen IS NOT NULL AND uid <> ''),
    TIMECOL => DESCRIPTOR(seen),
    SIZE => ${SIZE})
GROUP BY window_start, window_end;
