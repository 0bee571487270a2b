package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/goccy/go-json"
	bolt "go.etcd.io/bbolt"
)

type row struct {
	Key, Value []byte
}

// state is all that a restart needs, in one bbolt file, and the rows that may not have been sent yet.
type state struct {
	db *bolt.DB
}

var (
	facts      = []byte("facts")
	partitions = []byte("partitions") // number -> position, clock
	windows    = []byte("windows")    // start -> frames, revision
	users      = []byte("users")      // start, number -> user ids that were new in one checkpoint
	outbox     = []byte("outbox")     // number -> row
)

// openState waits while another copy has the file: a second copy takes over when the first one ends.
func openState(s settings) (*state, error) {
	if err := os.MkdirAll(s.stateDir, 0o755); err != nil {
		return nil, err
	}
	db, err := bolt.Open(filepath.Join(s.stateDir, "state.bolt"), 0o644, &bolt.Options{FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	identity := fmt.Sprintf("%s %s %d", s.input, s.unit, s.size)
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{facts, partitions, windows, users, outbox} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		if had := tx.Bucket(facts).Get([]byte("identity")); had != nil && string(had) != identity {
			return fmt.Errorf("%s has the state of another count (%s): give another directory", s.stateDir, had)
		}
		return tx.Bucket(facts).Put([]byte("identity"), []byte(identity))
	})
	return &state{db}, err
}

func (st *state) load(s settings) (*counter, []row, error) {
	parts := make([]*partition, s.partitions)
	for i := range parts {
		parts[i] = &partition{clock: none, end: -1}
		if s.end != nil {
			parts[i].end = s.end[i]
		}
	}
	open := map[int64]*window{}
	watermark := int64(-1)
	var unsent []row
	err := st.db.View(func(tx *bolt.Tx) error {
		if v := tx.Bucket(facts).Get([]byte("watermark")); v != nil {
			watermark = number(v)
		}
		tx.Bucket(partitions).ForEach(func(k, v []byte) error {
			p := parts[number(k)]
			p.position, p.clock = number(v), number(v[8:])
			return nil
		})
		tx.Bucket(windows).ForEach(func(k, v []byte) error {
			open[number(k)] = &window{users: map[string]struct{}{}, frames: number(v), revision: number(v[8:])}
			return nil
		})
		tx.Bucket(outbox).ForEach(func(_, v []byte) error {
			var r row
			unsent = append(unsent, r)
			return json.Unmarshal(v, &unsent[len(unsent)-1])
		})
		return tx.Bucket(users).ForEach(func(k, v []byte) error {
			for set := open[number(k)].users; len(v) > 0; {
				length, n := binary.Uvarint(v)
				set[string(v[n:n+int(length)])] = struct{}{}
				v = v[n+int(length):]
			}
			return nil
		})
	})
	return newCounter(s, parts, open, watermark), unsent, err
}

// save writes a checkpoint. The rows of the one before are sent by now.
func (st *state) save(c *counter, gone []int64, rows []row) error {
	return st.db.Update(func(tx *bolt.Tx) error {
		if err := replaceOutbox(tx, rows); err != nil {
			return err
		}
		if err := tx.Bucket(facts).Put([]byte("watermark"), numbers(c.watermark)); err != nil {
			return err
		}
		for i, p := range c.partitions {
			if err := tx.Bucket(partitions).Put(numbers(int64(i)), numbers(p.position, p.clock)); err != nil {
				return err
			}
		}
		for _, start := range c.changed {
			w := c.windows[start]
			if w == nil {
				continue // expired
			}
			if err := saveWindow(tx, start, w); err != nil {
				return err
			}
		}
		c.changed = c.changed[:0]
		for _, start := range gone {
			if err := deleteWindow(tx, start); err != nil {
				return err
			}
		}
		return nil
	})
}

func replaceOutbox(tx *bolt.Tx, rows []row) error {
	if err := tx.DeleteBucket(outbox); err != nil {
		return err
	}
	bucket, err := tx.CreateBucket(outbox)
	if err != nil {
		return err
	}
	for i, r := range rows {
		value, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := bucket.Put(numbers(int64(i)), value); err != nil {
			return err
		}
	}
	return nil
}

func saveWindow(tx *bolt.Tx, start int64, w *window) error {
	if err := tx.Bucket(windows).Put(numbers(start), numbers(w.frames, w.revision)); err != nil {
		return err
	}
	w.changed = false
	if len(w.unsaved) == 0 {
		return nil
	}
	var ids []byte
	for _, uid := range w.unsaved {
		ids = append(binary.AppendUvarint(ids, uint64(len(uid))), uid...)
	}
	w.unsaved = nil
	bucket := tx.Bucket(users)
	next, err := bucket.NextSequence()
	if err != nil {
		return err
	}
	return bucket.Put(numbers(start, int64(next)), ids)
}

func deleteWindow(tx *bolt.Tx, start int64) error {
	if err := tx.Bucket(windows).Delete(numbers(start)); err != nil {
		return err
	}
	cursor := tx.Bucket(users).Cursor()
	for k, _ := cursor.Seek(numbers(start)); k != nil && number(k) == start; k, _ = cursor.Seek(numbers(start)) {
		if err := cursor.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// numbers puts numbers down so that, none of them below zero, they sort as bytes.
func numbers(values ...int64) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return b
}

func number(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }
