package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func newClient(s settings, partitions []*partition) (*kgo.Client, error) {
	offsets := map[int32]kgo.Offset{}
	for i, p := range partitions {
		switch {
		case p.done():
		case p.position > 0:
			offsets[int32(i)] = kgo.NewOffset().At(p.position)
		default:
			offsets[int32(i)] = kgo.NewOffset().AtStart()
		}
	}
	return kgo.NewClient(
		kgo.SeedBrokers(strings.Split(s.brokers, ",")...),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.input: offsets}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),                    // transaction markers have offsets, and the input may end with one
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // frames that are gone are an error, not a gap
		kgo.FetchMaxBytes(16<<20),
		kgo.FetchMaxPartitionBytes(4<<20), // a larger message comes all the same, alone
		kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ProducerLinger(0),
	)
}

// lookAtEnds finds the partitions that have nothing to read, which no fetch will say.
func (e *engine) lookAtEnds(ctx context.Context) error {
	ends, err := e.admin.ListCommittedOffsets(ctx, e.settings.input)
	if err != nil {
		return err
	}
	for i, p := range e.counter.partitions {
		end, found := ends.Lookup(e.settings.input, int32(i))
		if !found {
			return fmt.Errorf("%s has no partition %d", e.settings.input, i)
		}
		if end.Err != nil {
			return fmt.Errorf("partition %d of %s: %w", i, e.settings.input, end.Err)
		}
		p.atEnd = p.position >= end.Offset
		p.heard = time.Now()
	}
	return nil
}

// confirmEnds asks whether silent partitions have no more. The broker may be away: their silence says nothing then, and counts
// anew from when it is back.
func (e *engine) confirmEnds(ctx context.Context) {
	now, idle := time.Now(), e.settings.idle
	unsure := func(p *partition) bool { return p.isSilent(idle, now) && !now.Before(p.sureTo) }
	if !e.away && !slices.ContainsFunc(e.counter.partitions, unsure) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	ends, err := e.admin.ListCommittedOffsets(ctx, e.settings.input)
	if err == nil {
		err = ends.Error()
	}
	if e.away || err != nil {
		e.away = err != nil
		for _, p := range e.counter.partitions {
			p.heard = time.Now()
		}
		return
	}
	for i, p := range e.counter.partitions {
		if end, found := ends.Lookup(e.settings.input, int32(i)); found && p.position >= end.Offset {
			p.sureTo = time.Now().Add(idle)
		}
	}
}

// batch is what came of one partition in one fetch, parsed. A frame without a user is none.
type batch struct {
	partition    int32
	frames       []frame
	offsets      []int64
	next, stable int64 // the next offset, and the end of what is committed
}

// readAll fetches, and has one goroutine a partition parse.
func readAll(ctx context.Context, client *kgo.Client, partitions int, out chan<- batch) error {
	raw := make([]chan kgo.FetchPartition, partitions)
	for i := range raw {
		raw[i] = make(chan kgo.FetchPartition, 1)
		go parseAll(ctx, raw[i], out)
	}
	for {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for _, failed := range fetches.Errors() {
			if !kerr.IsRetriable(failed.Err) {
				return fmt.Errorf("partition %d of %s: %w", failed.Partition, failed.Topic, failed.Err)
			}
			fmt.Fprintln(os.Stderr, "engine:", failed.Err)
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if len(p.Records) == 0 {
				return
			}
			select {
			case raw[p.Partition] <- p.FetchPartition:
			case <-ctx.Done():
			}
		})
	}
}

func parseAll(ctx context.Context, in <-chan kgo.FetchPartition, out chan<- batch) {
	for {
		select {
		case fetched := <-in:
			select {
			case out <- parse(fetched):
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func parse(fetched kgo.FetchPartition) batch {
	records := fetched.Records
	b := batch{
		partition: fetched.Partition,
		frames:    make([]frame, 0, len(records)),
		offsets:   make([]int64, 0, len(records)),
		next:      records[len(records)-1].Offset + 1,
		stable:    fetched.LastStableOffset,
	}
	for _, record := range records {
		if record.Attrs.IsControl() {
			continue
		}
		f, ok := readFrame(record.Value)
		if !ok {
			f = frame{}
		}
		b.frames = append(b.frames, f)
		b.offsets = append(b.offsets, record.Offset)
	}
	return b
}
