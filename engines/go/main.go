// Counts unique users per window of event time: franz-go, goccy/go-json, bbolt. README.md says why it is written so.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/goccy/go-json"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Println(version())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

// version returns that of franz-go, as the build has it.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/twmb/franz-go" {
			return "franz-go " + module.Version
		}
	}
	return "franz-go, version unknown"
}

func run(ctx context.Context) error {
	s, err := readSettings()
	if err != nil {
		return err
	}
	// Most garbage is the copies of frames that the parser makes: collect less often, but stay within the memory.
	debug.SetGCPercent(400)
	if s.memory > 0 {
		debug.SetMemoryLimit(s.memory / 10 * 8)
	}
	st, err := openState(s)
	if err != nil {
		return err
	}
	defer st.db.Close()
	c, unsent, err := st.load(s)
	if err != nil {
		return err
	}
	client, err := newClient(s, c.partitions)
	if err != nil {
		return err
	}
	defer client.Close()
	e := &engine{settings: s, counter: c, state: st, client: client, admin: kadm.NewClient(client)}
	if err := e.send(unsent); err != nil {
		return err
	}
	if err := e.lookAtEnds(ctx); err != nil {
		return err
	}
	return e.count(ctx)
}

type engine struct {
	settings settings
	counter  *counter
	state    *state
	client   *kgo.Client
	admin    *kadm.Client
	away     bool // the broker did not answer the last question
}

// count goes on until the input ends, or a signal comes.
func (e *engine) count(ctx context.Context) error {
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan batch, 2*len(e.counter.partitions))
	failed := make(chan error, 1)
	go func() { failed <- readAll(reading, e.client, len(e.counter.partitions), batches) }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	saved := time.Now()
	for !e.done() {
		select {
		case b := <-batches:
			e.take(b)
		case <-tick.C:
		case err := <-failed:
			if ctx.Err() == nil {
				return err
			}
		case <-ctx.Done():
			return e.checkpoint(false)
		}
		e.confirmEnds(ctx)
		if e.counter.advance() || time.Since(saved) >= e.settings.checkpoint {
			if err := e.checkpoint(false); err != nil {
				return err
			}
			saved = time.Now()
		}
	}
	if err := e.checkpoint(true); err != nil {
		return err
	}
	c := e.counter
	fmt.Fprintf(os.Stderr, "%d frames, %d malformed, %d too late\n", c.frames, c.malformed, c.tooLate)
	return nil
}

func (e *engine) done() bool {
	for _, p := range e.counter.partitions {
		if !p.done() {
			return false
		}
	}
	return true
}

func (e *engine) take(b batch) {
	p := e.counter.partitions[b.partition]
	for i, f := range b.frames {
		if p.end >= 0 && b.offsets[i] >= p.end {
			break
		}
		if f.uid == "" {
			e.counter.malformed++
		} else {
			e.counter.count(p, f)
		}
	}
	p.position = b.next
	if p.end >= 0 {
		p.position = min(b.next, p.end)
	}
	p.atEnd = b.next >= b.stable
	p.heard = time.Now()
}

// checkpoint saves the state and then sends the rows that are due: after a crash the same rows come again.
func (e *engine) checkpoint(everything bool) error {
	var rows []row
	for _, start := range e.counter.results(everything) {
		w := e.counter.windows[start]
		value, err := json.Marshal(struct {
			Unit     string `json:"unit"`
			Start    int64  `json:"start"`
			End      int64  `json:"end"`
			Users    int    `json:"users"`
			Frames   int64  `json:"frames"`
			Revision int64  `json:"revision"`
		}{e.settings.unit, start, start + e.settings.size, len(w.users), w.frames, w.revision})
		if err != nil {
			return err
		}
		rows = append(rows, row{fmt.Appendf(nil, "%s:%d", e.settings.unit, start), value})
	}
	if err := e.state.save(e.counter, e.counter.expired(), rows); err != nil {
		return err
	}
	return e.send(rows)
}

func (e *engine) send(rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	records := make([]*kgo.Record, len(rows))
	for i, r := range rows {
		records[i] = &kgo.Record{Topic: e.settings.output, Key: r.Key, Value: r.Value}
	}
	// Not with the context of the signal: what the state has as sent is sent.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := e.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("results did not reach %s: %w", e.settings.output, err)
	}
	return nil
}
