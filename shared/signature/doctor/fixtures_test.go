package doctor_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
)

const secret = "the_secret_need_tobe_32_characthers_long"

// vector is one request whose signature was computed by other software, over the body as it is and over one that was
// parsed and written again.
type vector struct {
	Name              string
	Secret            string
	BodyFile          string `json:"body_file"`
	Header            string
	Value             string
	WrongReserialised string `json:"wrong_value_if_reserialised"`

	body []byte
}

// vectors are those of package signature.
func vectors(tb testing.TB) []vector {
	tb.Helper()
	const folder = "../testdata"
	data, err := os.ReadFile(filepath.Join(folder, "action-vectors.json"))
	if err != nil {
		tb.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil {
		tb.Fatal(err)
	}
	if len(all) == 0 {
		tb.Fatal("no vectors: every test over them would pass")
	}
	for i, v := range all {
		if all[i].body, err = os.ReadFile(filepath.Join(folder, v.BodyFile)); err != nil {
			tb.Fatal(err)
		}
	}
	return all
}

func signedBy(secrets ...string) signature.ActionProof {
	return signature.ActionProof{Secrets: secrets}
}
