"""Counts unique users per window of event time with Spark Structured Streaming. README.md says why it is written so."""

import glob
import os
import signal
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

env = os.environ
LARGEST_TS = 253402300799  # the last second of the year 9999


def session(tuned):
    memory = int(env.get("KUU_MEMORY_BYTES", 2 << 30)) // (1 << 20)
    here = os.path.dirname(os.path.abspath(__file__))
    builder = (
        SparkSession.builder.master(f"local[{env.get('KUU_CPUS', '*')}]")
        .appName(env["KUU_GROUP"])
        .config("spark.jars", ",".join(glob.glob(f"{here}/target/lib/*.jar")))
        .config("spark.driver.memory", f"{memory // 2}m")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.local.dir", f"{env['KUU_STATE_DIR']}/tmp")
        .config("spark.sql.warehouse.dir", f"{env['KUU_STATE_DIR']}/warehouse")
        .config("spark.sql.session.timeZone", "UTC")
    )
    if not tuned:
        return builder.getOrCreate()
    return (
        # 200 by default: one task a core, as each costs the same few milliseconds however little it has to do.
        builder.config("spark.sql.shuffle.partitions", env.get("KUU_CPUS", "2"))
        .config("spark.sql.streaming.stateStore.providerClass",
                "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider")
        .config("spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled", "true")
        .config("spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage", "true")
        .config("spark.sql.streaming.stateStore.rocksdb.maxMemoryUsageMB", str(memory // 8))
        .getOrCreate()
    )


def frames(spark, keep, tuned):
    """The users and windows of the frames. `keep` is how long, in seconds, a window lives after its end."""
    sizes = {"kafka.max.partition.fetch.bytes": str(4 << 20), "maxOffsetsPerTrigger": "200000"} if tuned else {}
    raw = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", env["KUU_BROKERS"])
        .option("kafka.isolation.level", "read_committed")
        .option("subscribe", env["KUU_INPUT"])
        .option("startingOffsets", "earliest")
        .options(**sizes)
        .load()
    )
    text = f.col("value").cast("string")
    whole = f.when(f.expr("is_valid_utf8(cast(value as string))"), text)
    # As variants, so that a number is no text; the types are looked at below.
    frame = f.from_json(whole, "uid VARIANT, ts VARIANT")
    ts = f.expr("cast(frame.ts as string)")
    # A generator in between: Spark copies an expression into each filter on it, and would parse a frame nine times.
    once = f.inline(f.array(f.struct(frame.alias("frame"))))
    return (
        raw.select(once)
        .where("schema_of_variant(frame.uid) = 'STRING' and schema_of_variant(frame.ts) in ('BIGINT', 'STRING')")
        .select(f.expr("cast(frame.uid as string)").alias("uid"), ts.alias("digits"))
        .where("uid <> '' and digits rlike '^[0-9]+$'")
        .select("uid", f.expr("try_cast(digits as bigint)").alias("ts"))
        .where(f.col("ts").between(0, LARGEST_TS))
        .select("uid", f.timestamp_seconds("ts").alias("at"))
        .withWatermark("at", f"{keep} seconds")
        .select("uid", f.window("at", f"{env['KUU_WINDOW_S']} seconds").alias("window"))
    )


def counted(spark, how, tuned):
    lateness, retention = int(env.get("KUU_LATENESS_S", "5")), int(env.get("KUU_RETENTION_S", "86400"))
    if how == "append":
        return frames(spark, lateness, tuned).dropDuplicates(["window", "uid"]).groupBy("window").agg(f.count("*").alias("users"))
    users = {"approximate": f.approx_count_distinct("uid"), "exact": f.size(f.collect_set("uid"))}[how]
    return frames(spark, lateness + retention, tuned).groupBy("window").agg(users.alias("users"))


def main(how, tuned):
    if env["KUU_WINDOW"] in ("week", "month", "year"):
        print(f"KUU_WINDOW={env['KUU_WINDOW']}: only windows of one length that start at its multiples are counted", file=sys.stderr)
        sys.exit(2)
    spark = session(tuned)
    spark.sparkContext.setLogLevel("ERROR")
    rows = counted(spark, how, tuned).select(
        f.to_json(f.struct(f.unix_timestamp("window.start").alias("start"), "users")).alias("value")
    )
    writer = (
        rows.writeStream.format("kafka")
        .option("kafka.bootstrap.servers", env["KUU_BROKERS"])
        .option("topic", env["KUU_OUTPUT"])
        .option("checkpointLocation", f"{env['KUU_STATE_DIR']}/checkpoint")
        .outputMode("append" if how == "append" else "update")
    )
    if how != "append" and env.get("KUU_INPUT_END"):
        writer = writer.trigger(availableNow=True)
    elif tuned:
        writer = writer.trigger(processingTime=f"{env.get('KUU_CHECKPOINT_MS', '1000')} milliseconds")
    query = writer.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    query.awaitTermination()
    spark.stop()


main(sys.argv[1], tuned="default" not in sys.argv)
