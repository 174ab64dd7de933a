package local

import (
	"os"
	"testing"

	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// TestAtAnEndpoint runs the system on the adapters of production, where AWS_ENDPOINT_URL names an emulator.
func TestAtAnEndpoint(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("AWS_ENDPOINT_URL is not set")
	}
	config := awsconfig.Config{Region: "eu-west-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: endpoint}
	log := &transcript{}
	system, err := Open(t.Context(), Options{AWS: &config, Lookup: none, AllowPrivate: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	t.Cleanup(func() { system.Stop() })
	f := &fixture{system, t, log}

	job := f.job(f.started("export_to_erp", pim.Press{Position: "pim.product-grid.action-bar", Items: 300}), jobs.Succeeded)
	if job.Done != 300 {
		t.Errorf("job %+v", job)
	}
	if letters := f.state().DeadLetters; len(letters) != 0 {
		t.Errorf("dead letters %+v", letters)
	}
}
