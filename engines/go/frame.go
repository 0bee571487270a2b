package main

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-json"
)

const largestTS = 253402300799 // the last second of the year 9999

type frame struct {
	uid string
	ts  int64
}

// readFrame returns the user and the time of a frame; false if the value is none.
func readFrame(value []byte) (frame, bool) {
	var members struct {
		UID *string         `json:"uid"` // a pointer, as a null after another uid would leave a string as it is
		TS  json.RawMessage `json:"ts"`
	}
	// go-json lets bytes through that are not UTF-8.
	if !utf8.Valid(value) || json.Unmarshal(value, &members) != nil || members.UID == nil || *members.UID == "" {
		return frame{}, false
	}
	ts, ok := readTS(members.TS)
	if !ok || strings.ContainsRune(*members.UID, utf8.RuneError) && !isText(value, *members.UID) {
		return frame{}, false
	}
	// Unmarshal's string keeps a copy of the whole value in memory; the clone does not.
	return frame{strings.Clone(*members.UID), ts}, true
}

// readTS takes digits, or a string of digits.
func readTS(raw []byte) (int64, bool) {
	if len(raw) >= 2 && raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	}
	if len(raw) == 0 {
		return 0, false
	}
	var ts int64
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		if ts = ts*10 + int64(c-'0'); ts > largestTS {
			return 0, false
		}
	}
	return ts, true
}

// isText reports whether the replacement characters of a user id were written so. Those that were not stand for half a
// surrogate pair, which is no text.
func isText(value []byte, uid string) bool {
	var members struct {
		UID json.RawMessage `json:"uid"`
	}
	if json.Unmarshal(value, &members) != nil {
		return false
	}
	written := bytes.Count(members.UID, []byte("\uFFFD")) + bytes.Count(bytes.ToLower(members.UID), []byte(`\ufffd`))
	return written == strings.Count(uid, "\uFFFD")
}
