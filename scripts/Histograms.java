import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;

/**
 * Prints what HdrHistogram reads in an interval log, a line for each interval: its tag, its count, its greatest value, and for
 * each percentile three values: those of the ranks just below and above, and its own. See scripts/histograms.py.
 */
public class Histograms {
    public static void main(String[] arguments) throws Exception {
        try (HistogramLogReader log = new HistogramLogReader(arguments[0])) {
            EncodableHistogram interval;
            while ((interval = log.nextIntervalHistogram()) != null) {
                Histogram of = (Histogram) interval;
                StringBuilder line = new StringBuilder();
                line.append(of.getTag()).append(' ').append(of.getTotalCount()).append(' ').append(of.getMaxValue());
                for (double percentile : new double[] {50, 90, 99, 99.9}) {
                    double rank = 100.0 / Math.max(1, of.getTotalCount());
                    for (double at : new double[] {percentile - rank, percentile, percentile + rank}) {
                        line.append(' ').append(of.getValueAtPercentile(Math.min(100, Math.max(0, at))));
                    }
                }
                System.out.println(line);
            }
        }
    }
}
