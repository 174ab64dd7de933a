package secrets_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

// versions is a Holder of one value and the next.
type versions struct {
	now, next string
	fresh     bool
	err       error // of Get
	failed    error // of Refresh
	refreshes int
}

func (v *versions) Get(context.Context) (string, error) { return v.now, v.err }

func (v *versions) Refresh(context.Context) (string, bool, error) {
	v.refreshes++
	return v.next, v.fresh, v.failed
}

func TestProve(t *testing.T) {
	mismatch, throttled := errors.New("mismatch"), errors.New("throttled")
	for _, row := range []struct {
		name      string
		holder    versions
		want      []error // all that the error is; none: proven
		tried     []string
		refreshes int
	}{
		{"known", versions{now: "right"}, nil, []string{"right"}, 0},
		{"rotated", versions{now: "old", next: "right", fresh: true}, nil, []string{"old", "right"}, 1},
		{"junk", versions{now: "old", next: "new", fresh: true}, []error{mismatch}, []string{"old", "new"}, 1},
		{"fetched a moment ago", versions{now: "old", next: "old"}, []error{mismatch}, []string{"old"}, 1},
		{"not to be fetched", versions{now: "old", failed: throttled}, []error{mismatch}, []string{"old"}, 1},
		{"none to be had", versions{err: throttled}, []error{secrets.ErrUnavailable, throttled}, nil, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			var tried []string
			err := secrets.Prove(t.Context(), &row.holder, func(value string) error {
				tried = append(tried, value)
				if value == "right" {
					return nil
				}
				return mismatch
			})
			if (err == nil) != (row.want == nil) {
				t.Errorf("error %v", err)
			}
			for _, want := range row.want {
				if !errors.Is(err, want) {
					t.Errorf("error %v, want %v", err, want)
				}
			}
			if !slices.Equal(tried, row.tried) || row.holder.refreshes != row.refreshes {
				t.Errorf("tried %q with %d fetches", tried, row.holder.refreshes)
			}
			if row.holder.failed != nil && !strings.Contains(err.Error(), "throttled") {
				t.Errorf("error %v does not say that nothing was fetched", err)
			}
		})
	}
}

func TestACacheIsAHolder(t *testing.T) {
	var _ secrets.Holder[secrets.Signing] = (*secrets.Cache[secrets.Signing])(nil)
}

func TestEventSecrets(t *testing.T) {
	const good, sample, short = "averysecretprimarysecret", "sample-secret-of-ours", "15-characters.."
	for _, row := range []struct {
		name    string
		list    []string
		samples bool
		want    []string
	}{
		{"none", nil, false, nil},
		{"good ones stay in their order", []string{good, "sixteen-letters."}, false, []string{good, "sixteen-letters."}},
		{"short and empty ones prove nothing", []string{"", short, good}, false, []string{"", "", good}},
		{"samples prove nothing", []string{sample, good}, false, []string{"", good}},
		{"samples prove locally", []string{sample, ""}, true, []string{sample, ""}},
		{"nothing is left", []string{short, sample}, false, []string{"", ""}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := slices.Clone(row.list)
			if got := secrets.EventSecrets(row.list, row.samples); !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if !slices.Equal(row.list, before) {
				t.Error("the list was changed, which others share")
			}
		})
	}
}
