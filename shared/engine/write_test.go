package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// writer is a script whose results hold updates.
type writer struct {
	*script
	writes engine.Writes
}

func (w writer) Writes() *engine.Writes                                     { return &w.writes }
func (w writer) Open(config.Section, engine.Secrets) (engine.Action, error) { return w, nil }

func writing(batch int, writes engine.Writes, run func(context.Context, engine.Run) (engine.Result, error)) backing {
	b := memory
	b.kinds = map[string]engine.Kind{"script": writer{&script{batch: batch, run: run}, writes}}
	return b
}

// updating makes an update of each item.
func updating(update func(jobs.Item) pim.Update) func(context.Context, engine.Run) (engine.Result, error) {
	return func(_ context.Context, run engine.Run) (result engine.Result, err error) {
		for n, item := range run.Items {
			result.Updates = append(result.Updates, engine.Update{Index: n, Update: update(item)})
		}
		return result, nil
	}
}

func values(code, locale, scope, data string) map[string][]pim.Entry {
	return map[string][]pim.Entry{code: {{Locale: locale, Scope: scope, Data: json.RawMessage(data)}}}
}

// faultyFiles are files in a folder.
type faultyFiles struct {
	files.Store
	*faults
}

func (f faultyFiles) Put(ctx context.Context, key string, content []byte, kind string) error {
	return f.op("put "+key, func() error { return f.Store.Put(ctx, key, content, kind) })
}

func (f faultyFiles) Open(ctx context.Context, key string) (found io.ReadCloser, err error) {
	err = f.op("open "+key, func() error { found, err = f.Store.Open(ctx, key); return err })
	return found, err
}

// written is a PIM in memory, with the undo files of the jobs that write to it. Before each PATCH it checks that they are
// complete.
type written struct {
	*fixture
	*pimtest.PIM
	folder    string                // of its undo files
	before    func(r *http.Request) // what happens in the PIM just before a call
	unchecked bool                  // a person writes
	mu        sync.Mutex
	sent      []string // lines of all PATCHes
	told      int      // events of the PIM's jobs
}

// playWriting connects a fixture with a PIM whose calls can fail.
func (w *fixture) playWriting(catalogue *pimtest.Catalogue) *written {
	root := w.TempDir()
	folder, err := files.NewFolder(root)
	if err != nil {
		w.Fatal(err)
	}
	v := &written{fixture: w, folder: root, PIM: pimtest.New(pimtest.Config{Catalogue: catalogue, Now: w.clock.Now, Limits: pimtest.Limits{PerSecond: 1 << 30, TokenLife: 1 << 50}})}
	w.engine.Files = faultyFiles{folder, w.faults}
	server := httptest.NewServer(v)
	w.Cleanup(server.Close)
	c := pimtest.Connect
	client := outbound.New(outbound.Config{AllowPrivate: true, Now: w.clock.Now})
	tokens := pim.NewTokens(pim.TokensConfig{Outbound: client, URL: server.URL, Credential: pim.Credential{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, Username: c.Username, Password: c.Password,
	}})
	w.engine.PIM = func(context.Context, string) (*pim.Client, error) {
		return pim.New(pim.Config{Outbound: client, URL: server.URL, Tokens: tokens, Sleep: func(_ context.Context, d time.Duration) error { w.clock.advance(d); return nil }}), nil
	}
	return v
}

// ServeHTTP is the PIM's.
func (v *written) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if strings.HasPrefix(r.URL.Path, "/api/oauth") {
		v.PIM.ServeHTTP(rw, r)
		return
	}
	recorder := httptest.NewRecorder()
	err := v.faults.op(r.Method+" "+r.URL.Path, func() error {
		if v.before != nil {
			v.before(r)
		}
		if r.Method == http.MethodPatch && !v.unchecked {
			v.complete(string(body))
		}
		v.PIM.ServeHTTP(recorder, r)
		return nil
	})
	if err != nil { // hang up
		panic(http.ErrAbortHandler)
	}
	maps.Copy(rw.Header(), recorder.Header())
	rw.WriteHeader(recorder.Code)
	_, _ = rw.Write(recorder.Body.Bytes())
}

// complete checks that an undo file names each value of a PATCH before it is sent.
func (v *written) complete(body string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sent = append(v.sent, strings.Split(body, "\n")...)
	var kept strings.Builder
	err := filepath.WalkDir(v.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".ndjson") {
			return err
		}
		text, err := os.ReadFile(path)
		kept.Write(text)
		return err
	})
	if err != nil {
		v.Error(err)
	}
	for text := range strings.Lines(body) {
		var sent struct {
			UUID, Code string
			Values     map[string]json.RawMessage
		}
		if err := json.Unmarshal([]byte(text), &sent); err != nil {
			v.Error(err)
		}
		for code := range sent.Values {
			found := false
			for line := range strings.Lines(kept.String()) {
				found = found || strings.Contains(line, fmt.Sprintf("%q", sent.UUID+sent.Code)) && strings.Contains(line, fmt.Sprintf(`"attribute":%q`, code))
			}
			if !found {
				v.Errorf("%s of %s is written before its undo file", code, sent.UUID+sent.Code)
			}
		}
	}
}

// shown is what the PIM's pages show: what is compared.
func (v *written) shown() (found map[string]string) {
	found = map[string]string{}
	shown := v.Shown()
	sorted := func(values map[string][]pimtest.ShownValue) map[string][]pimtest.ShownValue {
		for _, entries := range values {
			slices.SortFunc(entries, func(a, b pimtest.ShownValue) int {
				return strings.Compare(a.Locale+"/"+a.Channel, b.Locale+"/"+b.Channel)
			})
		}
		return values
	}
	for _, p := range shown.Products {
		found[p.UUID] = fmt.Sprint(sorted(p.Values), p.Categories, p.Groups, p.Enabled)
	}
	for _, m := range shown.Models {
		found[m.Code] = fmt.Sprint(sorted(m.Values), m.Categories)
	}
	return found
}

// undo takes back what a job has changed, to its end.
func (v *written) undo(id string) (jobs.Job, []jobs.Failure) {
	v.Helper()
	undone, err := v.submitter.Undo(v.Context(), id, jobs.User{UUID: "u"})
	if err != nil {
		v.Fatal(err)
	}
	v.drain()
	return v.ended(undone.ID)
}

func (v *written) ended(id string) (jobs.Job, []jobs.Failure) {
	v.Helper()
	job := v.job(id)
	failures, err := v.store.Failures(v.Context(), id, 0)
	if err != nil {
		v.Fatal(err)
	}
	return job, failures
}

func (v *written) did(items ...jobs.Item) (jobs.Job, []jobs.Failure) {
	v.Helper()
	id := v.work(`{}`, items...)
	v.drain()
	return v.ended(id)
}

func one(n int) jobs.Item { return jobs.Item{Type: jobs.Product, ID: uuid(n)} }

func goods() *pimtest.Catalogue { return pimtest.Goods(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) }

// fewGoods are goods with these products alone: a sweep makes and shows them hundreds of times.
func fewGoods(products ...int) *pimtest.Catalogue {
	few := goods()
	few.Products = slices.DeleteFunc(few.Products, func(p *pimtest.Entity) bool {
		return !slices.ContainsFunc(products, func(n int) bool { return p.UUID == uuid(n) })
	})
	return few
}

func TestAnUpdateChangesThePIMOnceAndGoesBack(t *testing.T) {
	all := engine.Writes{Attributes: []string{"name", "rating", "price", "materials", "weight"}, Categories: true, Groups: true, Enabled: true}
	off := false
	for _, c := range []struct {
		name   string
		update pim.Update
	}{
		{"a value", pim.Update{Values: values("name", "fr_FR", "", `"Nouveau"`)}},
		{"a value that was not there", pim.Update{Values: values("rating", "", "", `"7.25"`)}},
		{"a value that is erased", pim.Update{Values: values("name", "fr_FR", "", `null`)}},
		{"prices", pim.Update{Values: values("price", "", "", `[{"amount":19.9,"currency":"EUR"}]`)}},
		{"a measurement", pim.Update{Values: values("weight", "", "", `{"amount":1.5,"unit":"KILOGRAM"}`)}},
		{"several options", pim.Update{Values: values("materials", "", "", `["wool","cotton"]`)}},
		{"categories", pim.Update{AddCategories: []string{"reviewed"}}},
		{"exactly these categories", pim.Update{Categories: &[]string{"new_in"}}},
		{"groups", pim.Update{AddGroups: []string{"to_review"}}},
		{"the switch", pim.Update{Enabled: &off}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newFixture(t, writing(100, all, updating(func(jobs.Item) pim.Update { return c.update })), fault{}).playWriting(goods())
			before := v.shown()
			job, failures := v.did(one(60), one(61))
			if job.State != jobs.Succeeded || job.Changed != 2 || len(v.sent) != 2 {
				t.Fatalf("%s, %d changed, %d lines, %v", job.State, job.Changed, len(v.sent), failures)
			}
			again, _ := v.did(one(60), one(61))
			if again.State != jobs.Succeeded || again.Changed != 0 || len(v.sent) != 2 || len(again.Undo) != 0 {
				t.Errorf("again: %s, %d changed, %d lines", again.State, again.Changed, len(v.sent))
			}
			undone, failures := v.undo(job.ID)
			if undone.State != jobs.Succeeded || !reflect.DeepEqual(before, v.shown()) {
				t.Errorf("undo: %s, %v, %s", undone.State, failures, v.shown()[uuid(60)])
			}
			if _, err := v.submitter.Undo(t.Context(), again.ID, jobs.User{}); !errors.Is(err, jobs.ErrNothingToUndo) {
				t.Errorf("undo of a job that changed nothing: %v", err)
			}
		})
	}
}

func TestWhatThePIMDoesNotMakeFailsItsItem(t *testing.T) {
	long := fmt.Sprintf("%q", strings.Repeat("x", 300))
	for _, c := range []struct {
		name   string
		writes engine.Writes
		item   jobs.Item
		update pim.Update
		play   func(*written)
		want   string // in the reason; "": it changes
	}{
		{"outside of write", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("color", "", "", `"red"`)}, nil, "write does not name it"},
		{"another locale", engine.Writes{Attributes: []string{"name"}, Locales: []string{"fr_FR"}}, one(60), pim.Update{Values: values("name", "de_DE", "", `"x"`)}, nil, "de_DE"},
		{"categories", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{AddCategories: []string{"reviewed"}}, nil, "categories"},
		{"groups", engine.Writes{}, one(60), pim.Update{AddGroups: []string{"gifts"}}, nil, "groups"},
		{"the switch", engine.Writes{}, one(60), pim.Update{Enabled: new(bool)}, nil, "enable"},
		{"a refused line", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", long)}, nil, "255 characters"},
		{"of the wrong type", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", `7`)}, nil, "the PIM refuses: "},
		{"without its locale", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "", "", `"x"`)}, nil, "the PIM refuses: "},
		{"an attribute that is not there", engine.Writes{Attributes: []string{"nothing"}}, one(60), pim.Update{Values: values("nothing", "", "", `"x"`)}, nil, `no attribute "nothing"`},
		{"an attribute of the model", engine.Writes{Attributes: []string{"name"}}, one(0), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, nil, `belongs to the product model "model-shirt"`},
		{"an attribute of the sub-model", engine.Writes{Attributes: []string{"materials"}}, one(0), pim.Update{Values: values("materials", "", "", `["wool"]`)}, nil, `product model "model-shirt-blue"`},
		{"an attribute of the variants", engine.Writes{Attributes: []string{"price"}}, jobs.Item{Type: jobs.ProductModel, ID: "model-shirt"}, pim.Update{Values: values("price", "", "", `[]`)}, nil, "belongs to the variants"},
		{"a variant's own", engine.Writes{Attributes: []string{"price"}}, one(0), pim.Update{Values: values("price", "", "", `[{"amount":1,"currency":"EUR"}]`)}, nil, ""},
		{"a model by itself", engine.Writes{Attributes: []string{"name"}}, jobs.Item{Type: jobs.ProductModel, ID: "model-shirt"}, pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, nil, ""},
		{"its model, where the action may", engine.Writes{Attributes: []string{"name"}, Models: engine.ModelsWrite}, one(0), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, nil, ""},
		{"gone", engine.Writes{Attributes: []string{"name"}}, one(999), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, nil, "not in the PIM"},
		{"a category", engine.Writes{Attributes: []string{"name"}}, jobs.Item{Type: jobs.Category, ID: "master"}, pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, nil, "only products"},
		{"edit only", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, func(v *written) { v.Grant(pimtest.Edit, uuid(60)) }, "waiting for approval"},
		{"view only", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, func(v *written) { v.Grant(pimtest.View, uuid(60)) }, "view right"},
		{"a locale to view", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, func(v *written) { v.ViewLocale("fr_FR") }, "fr_FR"},
		{"hidden", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, func(v *written) { v.Hide(true, uuid(60)) }, "not in the PIM"},
		{"a category that is not there", engine.Writes{Categories: true}, one(60), pim.Update{AddCategories: []string{"secret"}}, nil, "valid category"},
		{"search lags", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, func(v *written) { v.Lag(uuid(60), 5) }, ""},
		{"an attribute removed between read and write", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, func(v *written) {
			v.before = func(r *http.Request) {
				if r.Method == http.MethodPatch {
					v.RemoveAttribute("name")
				}
			}
		}, "name attribute does not exist"},
		{"deleted between read and write", engine.Writes{Attributes: []string{"name"}}, one(60), pim.Update{Values: values("name", "fr_FR", "", `"x"`)}, func(v *written) {
			v.before = func(r *http.Request) {
				if r.Method == http.MethodPatch {
					v.Delete(uuid(60))
				}
			}
		}, "made it anew"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newFixture(t, writing(100, c.writes, updating(func(jobs.Item) pim.Update { return c.update })), fault{}).playWriting(goods())
			if c.play != nil {
				c.play(v)
			}
			before := v.shown()
			job, failures := v.did(c.item)
			if c.want == "" {
				if job.State != jobs.Succeeded || job.Changed != 1 {
					t.Fatalf("%s, %v", job.State, failures)
				}
			} else if job.State != jobs.Failed || job.Changed != 0 || len(failures) != 1 || !strings.Contains(failures[0].Reason, c.want) {
				t.Fatalf("%s, %v", job.State, failures)
			}
			if len(job.Undo) > 0 && !strings.Contains(c.name, "between") {
				if undone, failures := v.undo(job.ID); undone.State != jobs.Succeeded || !reflect.DeepEqual(before, v.shown()) {
					t.Errorf("undo: %s, %v", undone.State, failures)
				}
			}
		})
	}
}

func TestFiveHundredOfWhichSevenAreRefused(t *testing.T) {
	bad := map[string]bool{}
	for n := range 7 {
		bad[uuid(n*71)] = true
	}
	v := newFixture(t, writing(500, engine.Writes{Attributes: []string{"ean"}}, updating(func(item jobs.Item) pim.Update {
		if bad[item.ID] {
			return pim.Update{Values: values("ean", "", "", fmt.Sprintf("%q", strings.Repeat("9", 300)))}
		}
		return pim.Update{Values: values("ean", "", "", `"1"`)}
	})), fault{}).playWriting(large(500, 0))
	before := v.shown()
	job, failures := v.did(products(0, 500)...)
	if job.State != jobs.Partial || job.Changed != 493 || len(failures) != 7 {
		t.Fatalf("%s, %d changed, %d failed, %v", job.State, job.Changed, len(failures), failures[:min(len(failures), 2)])
	}
	for _, failure := range failures {
		if !bad[failure.Item.ID] || !strings.Contains(failure.Reason, "ean attribute must not contain more than 13 characters") {
			t.Errorf("%v", failure)
		}
	}
	if got := len(v.Calls("/api/rest/v1/products-uuid")); got != 5+5+5 {
		t.Errorf("%d calls for products: want 5 to read, 5 to write, 5 to read back", got)
	}
	edited := one(70)
	v.person(edited.ID, `{"ean":[{"locale":null,"scope":null,"data":"2"}]}`)
	undone, failures := v.undo(job.ID)
	if undone.State != jobs.Partial || undone.Changed != 492 || len(failures) != 1 || failures[0].Item != edited || !strings.Contains(failures[0].Reason, "ean was changed since") {
		t.Fatalf("undo: %s, %d changed, %v", undone.State, undone.Changed, failures)
	}
	now := v.shown()
	if now[edited.ID] == before[edited.ID] {
		t.Error("somebody's change was undone")
	}
	now[edited.ID] = before[edited.ID]
	if !reflect.DeepEqual(before, now) {
		t.Error("the others are not as they were")
	}
}

// person edits a product as a user of the PIM does.
func (v *written) person(id, values string) {
	v.Helper()
	client, err := v.engine.PIM(v.Context(), "main")
	if err != nil {
		v.Fatal(err)
	}
	keeps := v.before
	v.before = nil
	defer func() { v.before = keeps }()
	v.unchecked = true
	answers, err := client.Patch(v.Context(), pim.TypeProduct, []pim.Change{{ID: id, Body: map[string]json.RawMessage{"values": json.RawMessage(values)}}})
	v.unchecked = false
	if err != nil || !answers[0].Taken {
		v.Fatalf("%v, %v", answers, err)
	}
}

func TestSomebodyEditsBetweenTheActionAndTheWrite(t *testing.T) {
	var v *written
	v = newFixture(t, writing(100, engine.Writes{Attributes: []string{"name"}}, func(ctx context.Context, run engine.Run) (engine.Result, error) {
		v.person(run.Items[0].ID, `{"name":[{"locale":"fr_FR","scope":null,"data":"by a person"}]}`) // while the destination answers
		return updating(func(jobs.Item) pim.Update { return pim.Update{Values: values("name", "fr_FR", "", `"ours"`)} })(ctx, run)
	}), fault{}).playWriting(goods())
	job, _ := v.did(one(60))
	if undone, failures := v.undo(job.ID); undone.State != jobs.Succeeded || !strings.Contains(v.shown()[uuid(60)], "by a person") {
		t.Errorf("%s, %v, %s: want what was there when it was written", undone.State, failures, v.shown()[uuid(60)])
	}
}

func TestTwoJobsOnOneProductKeepEachOthersCategories(t *testing.T) {
	category := "reviewed"
	v := newFixture(t, writing(100, engine.Writes{Categories: true}, updating(func(jobs.Item) pim.Update { return pim.Update{AddCategories: []string{category}} })), fault{}).playWriting(goods())
	first, _ := v.did(one(60))
	category = "new_in"
	second, _ := v.did(one(60))
	v.undo(first.ID)
	if shown := v.shown()[uuid(60)]; strings.Contains(shown, "reviewed") || !strings.Contains(shown, "new_in") {
		t.Errorf("%s", shown)
	}
	v.undo(second.ID)
	if shown := v.shown()[uuid(60)]; strings.Contains(shown, "new_in") {
		t.Errorf("%s", shown)
	}
}

func TestVariantsOfOneModel(t *testing.T) {
	for _, c := range []struct {
		name   string
		data   func(jobs.Item) string
		state  jobs.State
		reason string
	}{
		{"that agree", func(jobs.Item) string { return `"ours"` }, jobs.Succeeded, ""},
		{"that do not", func(item jobs.Item) string { return fmt.Sprintf("%q", item.ID) }, jobs.Partial, "another item asks for another value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newFixture(t, writing(100, engine.Writes{Attributes: []string{"name"}, Models: engine.ModelsWrite}, updating(func(item jobs.Item) pim.Update {
				return pim.Update{Values: values("name", "fr_FR", "", c.data(item))}
			})), fault{}).playWriting(goods())
			before := v.shown()
			job, failures := v.did(one(0), one(1))
			if job.State != c.state || len(v.sent) != 1 || c.reason != "" && !strings.Contains(failures[0].Reason, c.reason) {
				t.Errorf("%s, %d lines, %v", job.State, len(v.sent), failures)
			}
			if undone, failures := v.undo(job.ID); undone.State != jobs.Succeeded || !reflect.DeepEqual(before, v.shown()) {
				t.Errorf("undo: %s, %v", undone.State, failures)
			}
		})
	}
}

func TestAnUndoIsOneAtATimeAndCanBeUndone(t *testing.T) {
	v := newFixture(t, writing(100, engine.Writes{Attributes: []string{"name"}}, updating(func(jobs.Item) pim.Update {
		return pim.Update{Values: values("name", "fr_FR", "", `"ours"`)}
	})), fault{}).playWriting(goods())
	before := v.shown()
	id := v.work(`{}`, one(60))
	if _, err := v.submitter.Undo(t.Context(), id, jobs.User{}); !errors.Is(err, jobs.ErrNotEnded) {
		t.Errorf("while it runs: %v", err)
	}
	v.drain()
	after := v.shown()
	first, err := v.submitter.Undo(t.Context(), id, jobs.User{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.submitter.Undo(t.Context(), id, jobs.User{}); !errors.Is(err, jobs.ErrUndoing) {
		t.Errorf("while an undo is under way: %v", err)
	}
	v.drain()
	v.clock.advance(29 * 24 * time.Hour)
	if job, failures := v.undo(id); job.State != jobs.Succeeded || job.Changed != 0 || !reflect.DeepEqual(before, v.shown()) {
		t.Errorf("twice, a month later: %s, %d changed, %v", job.State, job.Changed, failures)
	}
	if _, _ = v.undo(first.ID); !reflect.DeepEqual(after, v.shown()) {
		t.Error("an undo cannot be undone")
	}
	if _, err := v.submitter.Undo(t.Context(), "nobody", jobs.User{}); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("of no job: %v", err)
	}
}

func TestADryRunTellsAndChangesNothing(t *testing.T) {
	v := newFixture(t, writing(1000, engine.Writes{Attributes: []string{"name"}, Models: engine.ModelsWrite, DryRun: true}, updating(func(jobs.Item) pim.Update {
		return pim.Update{Values: values("name", "fr_FR", "", `"Chaussures de marche Bleu"`)}
	})), fault{}).playWriting(goods())
	before := v.shown()
	job, failures := v.did(one(60), one(61), one(0), one(999))
	if job.State != jobs.Partial || job.Changed != 0 || len(job.Undo) != 0 || len(v.sent) != 0 || len(failures) != 1 || !reflect.DeepEqual(before, v.shown()) {
		t.Errorf("%s, %d changed, %d lines, %v", job.State, job.Changed, len(v.sent), failures)
	}
	var told struct {
		WouldChange int
		Changes     []struct{ ID, What string }
	}
	if err := json.Unmarshal(job.Result, &told); err != nil || told.WouldChange != 2 || len(told.Changes) != 2 || !strings.Contains(job.Message, "2 of 4 would change") || !strings.Contains(job.Message, "product models") {
		t.Errorf("%q, %s, %v", job.Message, job.Result, err)
	}
}
