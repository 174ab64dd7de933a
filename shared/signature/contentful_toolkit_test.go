package signature_test

import (
	"bufio"
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// Requests that Contentful's own toolkit signed: odd methods, paths, queries, headers and bodies.
// testdata/contentful-generate.mjs made them.
func TestContentfulSignsAndProvesWhatItsToolkitDoes(t *testing.T) {
	file, err := os.Open("testdata/contentful-requests.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	checked := 0
	for lines.Scan() {
		var v struct {
			Secret, Method, Path, Body string
			Headers                    map[string]string
		}
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		checked++
		want := v.Headers["x-contentful-signature"]
		milliseconds, err := strconv.ParseInt(v.Headers["x-contentful-timestamp"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := signature.SignContentful(v.Secret, v.Method, v.Path, v.Headers, []byte(v.Body)); got != want {
			t.Errorf("line %d: signed %s, want %s: %s %q %v", checked, got, want, v.Method, v.Path, v.Headers)
		}
		request := signature.ContentfulRequest{Method: v.Method, Paths: []string{v.Path}, Header: v.Headers, Body: []byte(v.Body)}
		if _, err := signature.VerifyContentful([]string{v.Secret}, request, time.UnixMilli(milliseconds)); err != nil {
			t.Errorf("line %d: %v: %s %q %v", checked, err, v.Method, v.Path, v.Headers)
		}
	}
	if err := lines.Err(); err != nil || checked < 500 {
		t.Fatalf("%d requests, %v", checked, err)
	}
}
