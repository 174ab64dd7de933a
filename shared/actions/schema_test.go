package actions_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
)

var update = flag.Bool("update", false, "write the schema of extensions.yaml")

// The schema that editors read is the one that the types make.
func TestSchema(t *testing.T) {
	const file = "../config/extensions.schema.json"
	schema, err := config.Schema(actions.Options())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, schema, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, schema) {
		t.Errorf("%s is not what the types make: go generate ./shared/config", file)
	}
}
