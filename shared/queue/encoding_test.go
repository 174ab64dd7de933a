package queue_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"maps"
	"runtime"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/queue"
)

// bomb is a body of so many zero bytes, compressed.
func bomb(size int) string {
	var buffer bytes.Buffer
	writer, _ := gzip.NewWriterLevel(&buffer, gzip.BestSpeed)
	writer.Write(make([]byte, size))
	writer.Close()
	return base64.StdEncoding.EncodeToString(buffer.Bytes())
}

// A message of less than 1 MiB can stand for hundreds: what Decode takes of the memory has a bound.
func TestDecodeBoundsWhatGzipExpandsTo(t *testing.T) {
	const expanded = 160 << 20
	body, attributes := bomb(expanded), map[string]string{"encoding": "gzip+base64"}
	if len(body) > queue.MaxPayload {
		t.Fatalf("%d bytes are no message", len(body))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := queue.Decode(body, attributes)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, queue.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > expanded {
		t.Errorf("%d MiB were allocated for a body of which 16 MiB are read at most", took>>20)
	}
}

func TestDecode(t *testing.T) {
	for name, test := range map[string]struct {
		body, encoding string
		want           string
		err            error
	}{
		"text of others":                 {body: "by hand", want: "by hand"},
		"base64":                         {body: "AGE=", encoding: "base64", want: "\x00a"},
		"not base64":                     {body: "*", encoding: "base64", err: queue.ErrEncoding},
		"base64 with bits left over":     {body: "AGF=", encoding: "base64", err: queue.ErrEncoding},
		"base64 that is not gzip":        {body: "AGE=", encoding: "gzip+base64", err: queue.ErrEncoding},
		"gzip that ends early":           {body: bomb(1000)[:20], encoding: "gzip+base64", err: queue.ErrEncoding},
		"16 MiB decompressed":            {body: bomb(16 << 20), encoding: "gzip+base64", want: string(make([]byte, 16<<20))},
		"more than 16 MiB decompressed":  {body: bomb(16<<20 + 1), encoding: "gzip+base64", err: queue.ErrTooLarge},
		"an encoding that is not ours":   {body: "a", encoding: "rot13", err: queue.ErrEncoding},
		"an encoding that is empty text": {body: "a", encoding: "", want: "a"},
	} {
		attributes := map[string]string{"pim": "main"}
		if test.encoding != "" {
			attributes["encoding"] = test.encoding
		}
		before := maps.Clone(attributes)
		body, rest, err := queue.Decode(test.body, attributes)
		if !errors.Is(err, test.err) || string(body) != test.want {
			t.Errorf("%s: %d bytes, %v", name, len(body), err)
		}
		if err == nil && !maps.Equal(rest, map[string]string{"pim": "main"}) {
			t.Errorf("%s: attributes %v", name, rest)
		}
		if !maps.Equal(attributes, before) {
			t.Errorf("%s: the caller's map was changed", name)
		}
	}
}

// The law: what Send takes, Receive gives.
func FuzzRoundTrip(f *testing.F) {
	seeds := [][]byte{
		nil, []byte("text"), []byte("\r\n\t"), {0}, {0xff}, []byte("\uFFFE"), []byte("\uFFFD"), []byte("\U0010FFFF"),
		[]byte("AGE="),
	}
	for _, seed := range seeds {
		f.Add(seed, "value")
	}
	f.Fuzz(func(t *testing.T, body []byte, value string) {
		q := queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})
		err := q.Send(t.Context(), queue.Message{Body: body, Attributes: map[string]string{"a": value}})
		if err != nil {
			if len(q.Messages()) != 0 {
				t.Fatal("a refused message is in the queue")
			}
			return
		}
		got := q.Messages()[0]
		if !bytes.Equal(got.Body, body) || !maps.Equal(got.Attributes, map[string]string{"a": value}) {
			t.Fatalf("sent %q %q, received %q %v", body, value, got.Body, got.Attributes)
		}
	})
}

// Nothing that arrives may make Decode panic or fill the memory.
func FuzzDecode(f *testing.F) {
	for _, seed := range [][2]string{{"", "base64"}, {"AGE=", "base64"}, {"H4sIAAAAAAAA/wEAAP//AAAAAAAAAAA=", "gzip+base64"}, {"a", "other"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, body, encoding string) {
		plain, _, err := queue.Decode(body, map[string]string{"encoding": encoding})
		if err == nil && len(plain) > 16<<20 {
			t.Fatalf("%d bytes", len(plain))
		}
	})
}

func TestSizeIsWhatDecodeReturnsWithoutDecoding(t *testing.T) {
	for size := range 40 { // compressed, they end in each of base64's three ways
		body, attributes := bomb(size), map[string]string{"encoding": "gzip+base64"}
		plain, _, err := queue.Decode(body, attributes)
		if err != nil || len(plain) != size {
			t.Fatalf("%d bytes, %v", len(plain), err)
		}
		if got := queue.Size(body, attributes); got != size {
			t.Errorf("size %d, want %d", got, size)
		}
	}
	for name, c := range map[string]struct {
		body, encoding string
		want           int
	}{
		"text of others":               {"by hand", "", 7},
		"base64":                       {"AGE=", "base64", 4},
		"more than Decode returns":     {bomb(20 << 20), "gzip+base64", 16 << 20},
		"exactly what Decode returns":  {bomb(16 << 20), "gzip+base64", 16 << 20},
		"not base64":                   {"********", "gzip+base64", 8},
		"too short to say it":          {"AGE=", "gzip+base64", 4},
		"nothing":                      {"", "gzip+base64", 0},
		"its end alone is not base64":  {bomb(10) + "*", "gzip+base64", len(bomb(10)) + 1},
		"text with an ending of bytes": {"AAAA/////w==", "", 12},
	} {
		attributes := map[string]string{}
		if c.encoding != "" {
			attributes["encoding"] = c.encoding
		}
		if got := queue.Size(c.body, attributes); got != c.want {
			t.Errorf("%s: size %d, want %d", name, got, c.want)
		}
	}
}
