package senders

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/events"
	"github.com/pim-functions/pim-functions/shared/signature"
)

var pressed = time.Unix(1795410000, 0)

// find returns a sample that is there.
func find(t *testing.T, name string) Sample {
	t.Helper()
	s, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryFileIsListed(t *testing.T) {
	var found []string
	err := fs.WalkDir(events.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.TrimSuffix(path, ".json")
		if ready, ok := strings.CutPrefix(name, "lambda/"); ok {
			find(t, ready) // it is the Lambda event of a sample
			return nil
		}
		name = strings.ReplaceAll(name, "/", "-")
		found = append(found, name)
		if s := find(t, name); !json.Valid(s.Text) || s.About() == "" {
			t.Errorf("%s is not JSON, or says nothing of itself", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	if listed := Samples(); !slices.Equal(found, listed) {
		t.Errorf("files %q\nlisted %q", found, listed)
	}
}

func TestBodyIsTheSample(t *testing.T) {
	checked := 0
	for _, name := range Samples() {
		if !strings.HasPrefix(name, "action-") {
			continue
		}
		checked++
		t.Run(name, func(t *testing.T) {
			s := find(t, name)
			body, err := s.press(pressed, false)
			if err != nil {
				t.Fatal(err)
			}
			// Put the time back: what is left is the sample, byte for byte but for white space.
			var want bytes.Buffer
			if err := json.Compact(&want, s.Text); err != nil {
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
			tampered := Request{Body: body}.Tampered().Body
			if !json.Valid(tampered) || len(tampered) != len(body) {
				t.Errorf("tampering broke more than a byte: %s", tampered)
			}
			if _, err := signature.VerifyAction(proof, header, tampered); err == nil {
				t.Error("a tampered body verifies")
			}
		})
	}
	if checked == 0 {
		t.Fatal("no action samples")
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
			s := find(t, test.name)
			body, err := s.press(pressed, true)
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
			plain, err := s.press(pressed, false)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(plain, &old); err != nil {
				t.Fatal(err)
			}
			if string(got.User) != string(old.User) {
				t.Errorf("the user changed: %s", got.User)
			}
			again, err := s.press(pressed, true)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Data) > 2 && bytes.Equal(body, again) {
				t.Error("the second call has the items of the first")
			}
		})
	}
}

func TestAlike(t *testing.T) {
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
		if got := alike(typed, 3); got[0] != want || len(got) != 3 {
			t.Errorf("alike to %q: %q, want %q first", typed, got, want)
		}
	}
	if _, err := Find("product-gird"); err == nil || !strings.Contains(err.Error(), "action-product-grid") {
		t.Errorf("the error names no neighbour: %v", err)
	}
	if s := find(t, "action-product-grid.json"); s.Name != "action-product-grid" {
		t.Errorf("a file's name finds %q", s.Name)
	}
}
