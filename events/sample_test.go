package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/signature"
)

var pressed = time.Unix(1795410000, 0)

// actions are the samples that can be signed.
func actions(t *testing.T) []sample {
	t.Helper()
	var all []sample
	for _, name := range samples() {
		if s := mustFind(t, name); strings.HasPrefix(s.name, "action-") {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		t.Fatal("no action samples: every test over them would pass")
	}
	return all
}

func mustFind(t *testing.T, name string) sample {
	t.Helper()
	s, err := find(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryFileIsListed(t *testing.T) {
	var found []string
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.ReplaceAll(strings.TrimSuffix(path, ".json"), "/", "-")
		found = append(found, name)
		if s := mustFind(t, name); !json.Valid(s.text) || s.about() == "" {
			t.Errorf("%s is not JSON, or says nothing of itself", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	if listed := samples(); !slices.Equal(found, listed) {
		t.Errorf("files %q\nlisted %q", found, listed)
	}
}

func TestBodyIsTheSample(t *testing.T) {
	for _, s := range actions(t) {
		t.Run(s.name, func(t *testing.T) {
			body, err := s.pressed(pressed, false)
			if err != nil {
				t.Fatal(err)
			}
			// Put the time back: what is left is the sample, byte for byte but for white space.
			var want bytes.Buffer
			if err := json.Compact(&want, s.text); err != nil {
				t.Fatal(err)
			}
			got := strings.Replace(string(body), `"timestamp":1795410000`, `"timestamp":1739948408`, 1)
			if got != want.String() {
				t.Errorf("got  %s\nwant %s", got, want.String())
			}

			header := map[string]string{"signature": signature.SignAction("s", body)}
			proof := signature.ActionProof{Secrets: []string{"s"}}
			if _, err := signature.VerifyAction(proof, header, body); err != nil {
				t.Error(err)
			}
			tampered := tamper(body)
			if !json.Valid(tampered) || len(tampered) != len(body) {
				t.Errorf("tampering broke more than a byte: %s", tampered)
			}
			if _, err := signature.VerifyAction(proof, header, tampered); err == nil {
				t.Error("a tampered body verifies")
			}
		})
	}
}

func TestFreshItems(t *testing.T) {
	uuid := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	for _, test := range []struct {
		name string
		want string // shape of data, U for a new UUID, X for a new end
	}{
		{"action-product-grid", `{"productUuids":["U","U","U"],"productModelCodes":["armor-X","apollon-X"]}`},
		{"action-product-header", `{"productUuid":"U"}`},
		{"action-product-header-legacy-snake-case", `{"product_uuid":"U"}`},
		{"action-product-model-header", `{"productModelCode":"apollon-X"}`},
		{"action-product-index", `{}`},
		{"action-product-index-empty-array-tolerance", `[]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := mustFind(t, test.name)
			body, err := s.pressed(pressed, true)
			if err != nil {
				t.Fatal(err)
			}
			var got, old struct{ Data, User json.RawMessage }
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatal(err)
			}
			shape := uuid.ReplaceAllString(string(got.Data), "U")
			shape = regexp.MustCompile(`-[0-9a-f]{8}"`).ReplaceAllString(shape, `-X"`)
			if shape != test.want {
				t.Errorf("data %s, want the shape %s", got.Data, test.want)
			}
			plain, err := s.pressed(pressed, false)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(plain, &old); err != nil {
				t.Fatal(err)
			}
			if string(got.User) != string(old.User) {
				t.Errorf("the user changed: %s", got.User)
			}
			again, err := s.pressed(pressed, true)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Data) > 2 && bytes.Equal(body, again) {
				t.Error("the second call has the items of the first")
			}
		})
	}
}

func TestNearest(t *testing.T) {
	for typed, want := range map[string]string{
		"product-gird":        "action-product-grid",
		"acton-product-grid":  "action-product-grid",
		"product-index":       "action-product-index",
		"sub":                 "action-sub-product-model-header",
		"job":                 "worker-jobs",
		"forwarded-events":    "forwarded-event",
		"action-product-head": "action-product-header",
		"snake":               "action-product-header-legacy-snake-case",
	} {
		if got := nearest(typed, 3); got[0] != want || len(got) != 3 {
			t.Errorf("nearest to %q: %q, want %q first", typed, got, want)
		}
	}
	if _, err := find("product-gird"); err == nil || !strings.Contains(err.Error(), "action-product-grid") {
		t.Errorf("the error names no neighbour: %v", err)
	}
	if s := mustFind(t, "action-product-grid.json"); s.name != "action-product-grid" {
		t.Errorf("a file's name finds %q", s.name)
	}
}

// The worker reads these fields of a record; SQS gives the digest of the body with it.
func TestWorkerSamples(t *testing.T) {
	for name, queue := range map[string]string{"worker-jobs": "jobs", "worker-events": "events"} {
		var event struct {
			Records []struct {
				MessageID, Body, MD5OfBody, EventSource, EventSourceARN string
				Attributes                                              map[string]string
				MessageAttributes                                       map[string]struct{ StringValue string }
			}
		}
		if err := json.Unmarshal(mustFind(t, name).text, &event); err != nil {
			t.Fatal(err)
		}
		if len(event.Records) != 1 {
			t.Fatalf("%s: %d records, want one", name, len(event.Records))
		}
		record := event.Records[0]
		if sum := md5.Sum([]byte(record.Body)); record.MD5OfBody != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: md5OfBody %s, want %x", name, record.MD5OfBody, sum)
		}
		if !strings.HasSuffix(record.EventSourceARN, ":pim-functions-"+queue) || record.EventSource != "aws:sqs" || record.MessageID == "" {
			t.Errorf("%s: record %+v", name, record)
		}
		for _, attribute := range []string{"ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"} {
			if record.Attributes[attribute] == "" {
				t.Errorf("%s: no attribute %s", name, attribute)
			}
		}
		switch queue {
		case "jobs":
			if record.Body != `{"job":"export_to_erp-AAAAAAAAAAAAAAAAAAAAAA"}` {
				t.Errorf("body %s", record.Body)
			}
		case "events":
			got := map[string]string{}
			for attribute, value := range record.MessageAttributes {
				got[attribute] = value.StringValue
			}
			delivery := pimevent.Delivery{
				API: pimevent.EventPlatform, PIM: "main", Received: time.Date(2026, 1, 5, 11, 45, 0, 0, time.UTC), Correlation: got[pimevent.AttributeCorrelation],
			}
			if want := delivery.Attributes(0); !maps.Equal(got, want) {
				t.Errorf("attributes %v, want %v", got, want)
			}
			if decoded := pimevent.Decode(got[pimevent.AttributeAPI], "main", []byte(record.Body)); decoded.Kind != "product" || decoded.Time.IsZero() {
				t.Errorf("event %+v", decoded)
			}
		}
	}
}
