CREATE TABLE frames (
    uid STRING,
    ts BIGINT
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
    `start` BIGINT,
    users BIGINT,
    PRIMARY KEY (`start`) NOT ENFORCED
) WITH (
    'connector' = 'upsert-kafka',
    'topic' = '${KUU_OUTPUT}',
    'properties.bootstrap.servers' = '${KUU_BROKERS}',
    'properties.transaction.timeout.ms' = '900000',
    'sink.delivery-guarantee' = 'exactly-once',
    'sink.transactional-id-prefix' = '${KUU_GROUP}',
    'sink.transaction-naming-strategy' = 'POOLING',
    'sink.parallelism' = '1',
    'key.format' = 'json',
    'value.format' = 'json'
);

INSERT INTO results
SELECT ts - ts % ${KUU_WINDOW_S}, COUNT(DISTINCT uid)
FROM frames
WHERE ts BETWEEN 0 AND 253402300799 AND uid <> ''
GROUP BY ts - ts % ${KUU_WINDOW_S};
