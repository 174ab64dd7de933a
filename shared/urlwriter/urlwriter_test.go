package urlwriter_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/urlwriter"
)

// write makes an address: pieces between values.
func write(value string, pieces ...string) (address string, whole bool, err error) {
	var w urlwriter.Writer
	for i, piece := range pieces {
		if i > 0 {
			escaped, err := w.Escape(value)
			if err != nil {
				return "", false, err
			}
			_, _ = w.Write([]byte(escaped))
		}
		_, _ = w.Write([]byte(piece))
	}
	return w.String(), w.Whole(), nil
}

func TestAValueIsEscapedByItsPlace(t *testing.T) {
	for _, c := range []struct {
		value  string
		pieces []string
		want   string
	}{
		{"a/b c?d#e%", []string{"https://x.example/p/", "/q"}, "https://x.example/p/a%2Fb%20c%3Fd%23e%25/q"},
		{"a/b c?d#e%&", []string{"https://x.example/p?id=", "&n=1"}, "https://x.example/p?id=a%2Fb+c%3Fd%23e%25%26&n=1"},
	} {
		if got, whole, err := write(c.value, c.pieces...); got != c.want || !whole || err != nil {
			t.Errorf("%s, %t, %v", got, whole, err)
		}
	}
}

func TestAValueCannotStandElsewhere(t *testing.T) {
	for _, pieces := range [][]string{{"", "/p"}, {"https://", "/p"}, {"https://a.", "/p"}, {"https://x.example", ""}, {"https://x.example/p#", ""}} {
		if got, _, err := write("v", pieces...); !errors.Is(err, urlwriter.ErrHost) {
			t.Errorf("%q: %s, %v", pieces, got, err)
		}
	}
}

func TestASegmentThatNamesNothingIsNoticed(t *testing.T) {
	for _, value := range []string{"", ".", ".."} {
		if got, whole, err := write(value, "https://x.example/p/", "/q"); whole || err != nil {
			t.Errorf("%q: %s, %v", value, got, err)
		}
	}
	if _, whole, _ := write("", "https://x.example/p?id=", ""); !whole {
		t.Error("an empty part of a query is none")
	}
}

// FuzzEscape: whatever a value holds, host, path and query keep their shape, and the value is read back as it was.
func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "a", "../..", "a/b", "%2F", "x?y=z#w", "\r\n", "\x00", "ä"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		address, whole, err := write(value, "https://x.example/p/", "/q?id=", "&n=1")
		if err != nil || !whole {
			return
		}
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		segments := strings.Split(u.EscapedPath(), "/")
		if u.Host != "x.example" || u.Fragment != "" || len(segments) != 4 || u.Query().Get("id") != value || len(u.Query()) != 2 {
			t.Errorf("%q made %s", value, address)
		}
		if got, _ := url.PathUnescape(segments[2]); got != value {
			t.Errorf("%q became %q", value, got)
		}
	})
}
