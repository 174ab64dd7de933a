package worker_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheKindInTheREADMEWorks compiles the README's example of a kind as if it were a folder under shared/actions,
// and runs it against a server that refuses one item.
func TestTheKindInTheREADMEWorks(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), "functions/worker/readme_test.go -->\n```go\n")
	example, _, closed := strings.Cut(after, "\n```")
	if !found || !closed {
		t.Fatal("the README has no example of a kind")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	folder, overlay := t.TempDir(), []string{}
	for name, text := range map[string]string{"purge.go": example, "purge_test.go": exampleTest} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay = append(overlay, `"`+filepath.ToSlash(filepath.Join(root, "shared/actions/purge", name))+`":"`+filepath.ToSlash(file)+`"`)
	}
	file := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(file, []byte(`{"Replace":{`+strings.Join(overlay, ",")+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "purge.test")
	compile := exec.Command("go", "test", "-vet=off", "-overlay", file, "-c", "-o", program, "./shared/actions/purge")
	compile.Dir = root
	for _, command := range []*exec.Cmd{compile, exec.Command(program)} {
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

const exampleTest = `package purge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/purge"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

func Test(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/unknown":
			w.WriteHeader(404)
		case "/down":
			w.WriteHeader(503)
		}
	}))
	defer server.Close()
	var kind engine.Kind = purge.Kind{Client: outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now})}
	section, _ := config.ParseSection("url: " + server.URL)
	if err := kind.Check(section); err != nil {
		t.Fatal(err)
	}
	if empty, _ := config.ParseSection("{}"); kind.Check(empty) == nil {
		t.Error("no url was accepted")
	}
	action, err := kind.Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	item := func(id string) jobs.Item { return jobs.Item{Type: jobs.Product, ID: id} }
	result, err := action.Run(t.Context(), engine.Run{Items: []jobs.Item{item("a"), item("unknown"), item("b")}})
	if err != nil || len(result.Failures) != 1 || result.Failures[0].Index != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	if _, err := action.Run(t.Context(), engine.Run{Items: []jobs.Item{item("down")}}); err == nil {
		t.Error("a server that is down is not an error")
	}
}
`
