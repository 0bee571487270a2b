# Plots the legs of one bench: gnuplot -e "run='results/bench-20261123T221504Z'" docs/latency.gp
set terminal svg size 860,420 font "sans-serif,13" background "white"
set output "docs/latency.svg"
set title "Latency of each leg, 5,000 frames/s on the embedded broker"
set xlabel "percentile"
set ylabel "milliseconds"
set logscale xy
set format y "%g"
set yrange [0.01:200]
set xrange [1:60000]
set xtics ("0 %%" 1, "90 %%" 10, "99 %%" 100, "99.9 %%" 1000, "99.99 %%" 10000)
set grid xtics ytics lc rgb "#dddddd"
set key right bottom
legs = "schedule ack transit transaction result end_to_end"
plot for [leg in legs] run.".".leg.".hgrm" using 4:1 with steps lw 2 title leg noenhanced
