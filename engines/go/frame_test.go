package main

import (
	"strings"
	"testing"
)

func TestFrames(t *testing.T) {
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	for value, want := range map[string]frame{
		`{"uid":"a","ts":1468244340}`:                    {"a", 1468244340},
		`{"ts":"00012","x":{"uid":"b"},"uid":"a"}`:       {"a", 12},
		`{"u\u0069d":"\u0061b","ts":0}`:                  {"ab", 0},
		`{"uid":"a","uid":"b","ts":1,"ts":2}`:            {"b", 2},
		`{"uid":"\ufffd","ts":1}`:                        {"\uFFFD", 1},
		`{"uid":"a","ts":253402300799,"x":` + deep + `}`: {"a", 253402300799},
	} {
		if got, ok := readFrame([]byte(value)); !ok || got != want {
			t.Errorf("%s: %v %v", value, got, ok)
		}
	}
}

func TestValuesThatAreNoFrames(t *testing.T) {
	for _, value := range []string{
		"", "null", "[]", `{"ts":1}`, `{"uid":"","ts":1}`, `{"uid":null,"ts":1}`, `{"uid":7,"ts":1}`, `{"uid":"a","uid":null,"ts":1}`, `{"uid":"a"}`,
		`{"uid":"a","ts":""}`, `{"uid":"a","ts":null}`, `{"uid":"a","ts":-1}`, `{"uid":"a","ts":1.0}`, `{"uid":"a","ts":1e3}`,
		`{"uid":"a","ts":253402300800}`, `{"uid":"a","ts":99999999999999999999}`, `{"uid":"a","ts":"1x"}`, `{"uid":"a","ts":[1]}`,
		`{"uid":"a","ts":true}`, `{"uid":"\ud800","ts":1}`, "{\"uid\":\"\xff\",\"ts\":1}", "{\"uid\":\"a\",\"ts\":1,\"x\":\"\xc0\x80\"}",
		`{"uid":"a","ts":1`, `{"uid":"a","ts":1}{"uid":"a","ts":1}`, `{"uid":"a","ts":1,"x":tru}`, `{"uid":"a","ts":1,"x":[1,]}`,
		`{"uid":"a","ts":1,"x":"` + "\x01" + `"}`, strings.Repeat("[", 100000),
	} {
		if got, ok := readFrame([]byte(value)); ok {
			t.Errorf("%.60q is no frame, but %v", value, got)
		}
	}
}
