package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"
)

type settings struct {
	brokers, input, output, group, stateDir, unit string
	end                                           []int64 // of each partition; nil: the input has none
	partitions                                    int
	size, lateness, retention                     int64 // seconds
	idle, checkpoint                              time.Duration
	memory                                        int64 // bytes; 0: not limited
}

func readSettings() (settings, error) {
	var missing error
	text := func(name string) string {
		value := os.Getenv(name)
		if value == "" && missing == nil {
			missing = fmt.Errorf("%s is not set", name)
		}
		return value
	}
	number := func(name string, otherwise int64) int64 {
		value := os.Getenv(name)
		if value == "" {
			return otherwise
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil && missing == nil {
			missing = fmt.Errorf("%s=%s is no number", name, value)
		}
		return n
	}
	s := settings{
		brokers: text("KUU_BROKERS"), input: text("KUU_INPUT"), output: text("KUU_OUTPUT"), group: text("KUU_GROUP"),
		stateDir: text("KUU_STATE_DIR"), unit: text("KUU_WINDOW"),
		partitions: int(number("KUU_PARTITIONS", 0)), size: number("KUU_WINDOW_S", 0),
		lateness: number("KUU_LATENESS_S", 5), retention: number("KUU_RETENTION_S", 86400),
		idle:       time.Duration(number("KUU_IDLE_MS", 2000)) * time.Millisecond,
		checkpoint: time.Duration(number("KUU_CHECKPOINT_MS", 1000)) * time.Millisecond,
		memory:     number("KUU_MEMORY_BYTES", 0),
	}
	if missing != nil {
		return s, missing
	}
	if s.partitions < 1 || s.size < 1 {
		return s, fmt.Errorf("KUU_PARTITIONS and KUU_WINDOW_S must be 1 or more")
	}
	switch s.unit {
	case "week", "month", "year":
		return s, fmt.Errorf("KUU_WINDOW=%s: only windows of one length that start at its multiples are counted", s.unit)
	}
	if end := os.Getenv("KUU_INPUT_END"); end != "" {
		if err := json.Unmarshal([]byte(end), &s.end); err != nil || len(s.end) != s.partitions {
			return s, fmt.Errorf("KUU_INPUT_END=%s is no array of %d offsets", end, s.partitions)
		}
	}
	return s, nil
}
