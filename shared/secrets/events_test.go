package secrets_test

import (
	"slices"
	"testing"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

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
