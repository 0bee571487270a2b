package kuu.flink;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import kuu.Settings;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import sun.misc.Signal;

/** A job in a cluster of one process: its settings, where it goes on after a crash, and its end. */
final class Local {
    private final Path checkpoints;

    Local(Settings settings) throws IOException {
        checkpoints = Files.createDirectories(Path.of(settings.stateDir(), "checkpoints"));
    }

    /** What config.yaml of the engine says, and what only the environment knows. */
    Configuration configuration(Settings settings) throws IOException {
        Configuration all = GlobalConfiguration.loadConfiguration(".");
        all.set(CoreOptions.DEFAULT_PARALLELISM, settings.cpus());
        all.set(CoreOptions.TMP_DIRS, Files.createDirectories(Path.of(settings.stateDir(), "tmp")).toString());
        all.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, checkpoints.toUri().toString());
        if (settings.checkpoint() > 0) {
            all.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(settings.checkpoint()));
        }
        latest().ifPresent(path -> all.set(StateRecoveryOptions.SAVEPOINT_PATH, path.toUri().toString()));
        return all;
    }

    /** The last checkpoint that is complete: its metadata come last, and under their name only when they are whole. */
    private Optional<Path> latest() throws IOException {
        try (Stream<Path> all = Files.walk(checkpoints, 3)) {
            return all.filter(path -> path.endsWith("_metadata"))
                    .max(Comparator.comparingLong(path -> path.toFile().lastModified()))
                    .map(Path::getParent);
        }
    }

    /** Waits until the job ends. SIGTERM is `flink stop`: a savepoint, with which the results that are due are committed. */
    void await(JobClient job) throws Exception {
        Signal.handle(new Signal("TERM"), signal -> job
                .stopWithSavepoint(false, checkpoints.toUri().toString(), SavepointFormatType.NATIVE)
                .exceptionally(e -> {
                    e.printStackTrace();
                    Runtime.getRuntime().halt(1);
                    return null;
                }));
        job.getJobExecutionResult().get();
        System.exit(0);
    }
}
