package main

import (
	"container/heap"
	"math"
	"slices"
	"time"
)

const (
	maxJump  = 3600 // seconds; a clock believes a longer jump only when so many frames in a row agree:
	agreeing = 8
	none     = math.MinInt64
)

// partition is where a partition is, in offsets and in event time.
type partition struct {
	position int64 // of the next message
	clock    int64 // the greatest time that is believed, or none
	end      int64 // -1: it has none
	atEnd    bool
	heard    time.Time
	sureTo   time.Time // so long the broker's word counts that it has no more
	agreed   int
	runStart int64
	runMost  int64
}

func (p *partition) done() bool { return p.end >= 0 && p.position >= p.end }

// holds reports whether the watermark has to wait for the partition.
func (p *partition) holds(idle time.Duration, now time.Time) bool {
	if p.end >= 0 {
		return !p.done()
	}
	return !p.isSilent(idle, now) || !now.Before(p.sureTo)
}

// isSilent reports whether the partition was read to its end, and nothing has come for so long.
func (p *partition) isSilent(idle time.Duration, now time.Time) bool {
	return p.end < 0 && p.atEnd && now.Sub(p.heard) >= idle
}

func (p *partition) observe(ts int64) {
	if p.clock != none && ts <= p.clock+maxJump {
		p.agreed = 0
		p.clock = max(p.clock, ts)
		return
	}
	if p.agreed > 0 && max(ts-p.runStart, p.runStart-ts) <= maxJump {
		p.agreed++
		p.runMost = max(p.runMost, ts)
	} else {
		p.agreed, p.runStart, p.runMost = 1, ts, ts
	}
	if p.agreed == agreeing {
		p.agreed, p.clock = 0, p.runMost
	}
}

type window struct {
	users    map[string]struct{}
	unsaved  []string // the users that the last checkpoint does not have
	frames   int64
	revision int64 // -1: no result yet
	changed  bool
}

// counter is the windows and the clocks. One goroutine has it.
type counter struct {
	settings   settings
	partitions []*partition
	windows    map[int64]*window
	watermark  int64
	changed    []int64 // starts of the windows that the last checkpoint does not have as they are
	unanswered starts
	kept       starts
	last       *window // of the frame before: mostly the same
	lastStart  int64
	frames     int64
	malformed  int64
	tooLate    int64
}

func newCounter(s settings, partitions []*partition, windows map[int64]*window, watermark int64) *counter {
	c := &counter{settings: s, partitions: partitions, windows: windows, watermark: watermark}
	for start, w := range windows {
		c.kept = append(c.kept, start)
		if w.revision < 0 {
			c.unanswered = append(c.unanswered, start)
		}
	}
	heap.Init(&c.kept)
	heap.Init(&c.unanswered)
	return c
}

func (c *counter) count(p *partition, f frame) {
	p.observe(f.ts)
	start := f.ts - f.ts%c.settings.size
	if c.isTooLate(p, start) {
		c.tooLate++
		return
	}
	w := c.window(start)
	c.frames++
	w.frames++
	if _, known := w.users[f.uid]; !known {
		w.users[f.uid] = struct{}{}
		w.unsaved = append(w.unsaved, f.uid)
	}
	if !w.changed {
		w.changed = true
		c.changed = append(c.changed, start)
	}
}

// isTooLate reports whether the window that starts then accepts no frame any more. The watermark moves with each batch; where
// the frame's own partition says that it may be too late, it is looked at once more.
func (c *counter) isTooLate(p *partition, start int64) bool {
	closes := start + c.settings.size + c.settings.retention
	if closes > c.watermark && closes <= p.clock {
		c.advance()
	}
	return closes <= c.watermark
}

// window returns the window that starts then.
func (c *counter) window(start int64) *window {
	if c.last != nil && c.lastStart == start {
		return c.last
	}
	w := c.windows[start]
	if w == nil {
		w = &window{users: map[string]struct{}{}, revision: -1}
		c.windows[start] = w
		heap.Push(&c.unanswered, start)
		heap.Push(&c.kept, start)
	}
	c.last, c.lastStart = w, start
	return w
}

// advance moves the watermark to the least of the clocks; it reports whether a window waits for its result.
func (c *counter) advance() bool {
	now := time.Now()
	least := int64(math.MaxInt64)
	for _, p := range c.partitions {
		if p.holds(c.settings.idle, now) {
			least = min(least, p.clock)
		}
	}
	if least != math.MaxInt64 && least != none {
		c.watermark = max(c.watermark, least-c.settings.lateness)
	}
	return len(c.unanswered) > 0 && c.unanswered[0]+c.settings.size <= c.watermark
}

// results returns the windows that have a new result, by start: those the watermark passed, and corrections of earlier ones.
func (c *counter) results(everything bool) []int64 {
	var due []int64
	for _, start := range c.changed {
		if c.windows[start].revision >= 0 {
			due = append(due, start)
		}
	}
	for len(c.unanswered) > 0 && (everything || c.unanswered[0]+c.settings.size <= c.watermark) {
		start := heap.Pop(&c.unanswered).(int64)
		due = append(due, start)
		if w := c.windows[start]; !w.changed {
			w.changed = true
			c.changed = append(c.changed, start)
		}
	}
	slices.Sort(due)
	for _, start := range due {
		c.windows[start].revision++
	}
	return due
}

// expired takes out the windows that accept no frame any more, and returns their starts.
func (c *counter) expired() []int64 {
	var gone []int64
	for len(c.kept) > 0 && c.kept[0]+c.settings.size+c.settings.retention <= c.watermark {
		start := heap.Pop(&c.kept).(int64)
		gone = append(gone, start)
		delete(c.windows, start)
		c.last = nil
	}
	return gone
}

// starts is a heap, the earliest first.
type starts []int64

func (s starts) Len() int           { return len(s) }
func (s starts) Less(i, j int) bool { return s[i] < s[j] }
func (s starts) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *starts) Push(x any)        { *s = append(*s, x.(int64)) }
func (s *starts) Pop() any {
	last := len(*s) - 1
	x := (*s)[last]
	*s = (*s)[:last]
	return x
}
