package export_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/export"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/queue"
)

// fixture is an engine with this kind alone, a PIM in memory and a folder of files.
type fixture struct {
	testing.TB
	pim    *pimtest.PIM
	files  *faulty
	store  *jobs.Memory
	config engine.Config
	now    time.Time
	clock  sync.Mutex // a call of the PIM that nobody waits for any more looks at now too
}

var began = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// newFixture exports by an action that has these keys.
func newFixture(t testing.TB, catalogue *pimtest.Catalogue, keys string) *fixture {
	t.Helper()
	f := &fixture{TB: t, now: began}
	clock := func() time.Time {
		f.clock.Lock()
		defer f.clock.Unlock()
		return f.now
	}
	f.pim = pimtest.New(pimtest.Config{Catalogue: catalogue, Now: clock, Limits: pimtest.Limits{PerSecond: 1 << 30}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.files.op(func() error { f.pim.ServeHTTP(w, r); return nil }) != nil {
			panic(http.ErrAbortHandler) // hangs up
		}
	}))
	t.Cleanup(server.Close)
	f.open(server.URL, clock, keys)
	return f
}

// open makes what exports from the PIM at an address.
func (f *fixture) open(address string, clock func() time.Time, keys string) {
	f.Helper()
	loaded, err := config.Load(config.Source{
		File: "extensions.yaml", Stage: "local", Lookup: func(string) (string, bool) { return "", false },
		Kinds: map[string]func(config.Section) error{"export": export.Kind{}.Check},
		Text: fmt.Appendf(nil, `
environments: {local: {}}
pims: {main: {url: "https://pim.example.com", channel: ecommerce, zone: Europe/Paris}}
actions: {make: {kind: export, %s}}
selections: {all: {of: products}, models: {of: product_models}}
extensions: {button: {pim: main, type: action, positions: [pim.product.header], label: {default: Button}, action: make}}
`, keys),
	})
	if err != nil {
		f.Fatal(err)
	}
	folder, err := files.NewFolder(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.files = &faulty{Store: folder}
	f.store = jobs.NewMemory(jobs.MemoryConfig{Now: clock})
	client := outbound.New(outbound.Config{AllowPrivate: true, Now: clock})
	c := pimtest.Connect
	f.config = engine.Config{
		Config: loaded, Kinds: map[string]engine.Kind{"export": export.Kind{}}, Store: faultyJobs{f.store, f.files}, Files: f.files, Now: clock, Log: slog.New(slog.DiscardHandler),
		Queue:   queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute, Now: clock}),
		Secrets: func(context.Context) (engine.Secrets, error) { return engine.Secrets{}, nil },
	}
	made := pim.New(pim.Config{
		Outbound: client, URL: address, Sleep: func(context.Context, time.Duration) error { return nil },
		Tokens: pim.NewTokens(pim.TokensConfig{Outbound: client, URL: address, Credential: pim.Credential{
			ClientID: c.ClientID, ClientSecret: c.ClientSecret, Username: c.Username, Password: c.Password,
		}}),
	})
	f.config.PIM = func(context.Context, string) (*pim.Client, error) { return made, nil }
}

// start records a job over items.
func (f *fixture) start(items ...jobs.Item) string {
	f.Helper()
	return f.create(jobs.Job{Items: items, Total: len(items)})
}

// startAll records a job over all products.
func (f *fixture) startAll() string {
	f.Helper()
	return f.create(jobs.Job{Select: &jobs.Select{Name: "all"}})
}

func (f *fixture) create(job jobs.Job) string {
	f.Helper()
	job.ID, job.Action, job.Trigger, job.Extension, job.PIM, job.State, job.Turn = "job", "make", jobs.TriggerAction, "button", "main", jobs.Queued, 1
	job.Context, job.Params, job.CreatedAt = json.RawMessage(`{}`), json.RawMessage(`{}`), f.config.Now()
	job, err := f.store.Create(context.Background(), job, nil)
	if err != nil {
		f.Fatal(err)
	}
	return job.ID
}

// work plays invocations until the job has ended. A new process comes after each that dies.
func (f *fixture) work(id string) jobs.Job {
	f.Helper()
	for range 40 {
		job, err := f.store.Get(context.Background(), id)
		if err != nil {
			f.Fatal(err)
		}
		if job.State.Ended() {
			return job
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		_ = engine.New(f.config).Begin(ctx).Job(ctx, engine.Delivery{Job: id, Turn: job.Turn})
		cancel()
		f.files.restart()
		f.clock.Lock()
		f.now = f.now.Add(5 * time.Minute)
		f.clock.Unlock()
	}
	f.Fatal("the job does not end")
	return jobs.Job{}
}

// content is a file of the job.
func (f *fixture) content(file jobs.File) string {
	f.Helper()
	open, err := f.files.Store.Open(context.Background(), file.Key)
	if err != nil {
		f.Fatal(err)
	}
	text, err := io.ReadAll(open)
	if err := errors.Join(err, open.Close()); err != nil {
		f.Fatal(err)
	}
	if int64(len(text)) != file.Bytes {
		f.Errorf("%s has %d bytes, and %d in the record", file.Name, len(text), file.Bytes)
	}
	return string(text)
}

// parts are what is left of the job's parts.
func (f *fixture) parts(id string) (keys []string) {
	for file, err := range f.files.Store.List(context.Background(), files.PartsFolder(id)) {
		if err != nil {
			f.Fatal(err)
		}
		keys = append(keys, file.Key)
	}
	return keys
}

// faultyJobs are records whose calls count with those of the files, and of the PIM.
type faultyJobs struct {
	*jobs.Memory
	faults *faulty
}

func (s faultyJobs) Load(ctx context.Context, id string) (job jobs.Job, err error) {
	err = s.faults.op(func() error { job, err = s.Memory.Load(ctx, id); return err })
	return job, err
}

func (s faultyJobs) Save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) (saved jobs.Job, err error) {
	err = s.faults.op(func() error { saved, err = s.Memory.Save(ctx, job, failures...); return err })
	return saved, err
}

// faulty is a store of files of which one call goes wrong, and kills the process.
type faulty struct {
	files.Store
	mu    sync.Mutex
	at    int  // the call that goes wrong; 0: none
	after bool // it is carried out
	calls int
	dead  bool
}

var errDead = errors.New("process is dead")

func (s *faulty) op(do func() error) error {
	s.mu.Lock()
	if s.dead {
		s.mu.Unlock()
		return errDead
	}
	s.calls++
	hit := s.calls == s.at
	s.dead = hit
	s.mu.Unlock()
	if hit {
		if s.after {
			_ = do()
		}
		return errDead
	}
	return do()
}

func (s *faulty) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = false
}

func (s *faulty) Put(ctx context.Context, key string, content []byte, kind string) error {
	return s.op(func() error { return s.Store.Put(ctx, key, content, kind) })
}

func (s *faulty) Open(ctx context.Context, key string) (file io.ReadCloser, err error) {
	err = s.op(func() error { file, err = s.Store.Open(ctx, key); return err })
	return file, err
}

func (s *faulty) List(ctx context.Context, folder string) iter.Seq2[files.File, error] {
	if err := s.op(func() error { return nil }); err != nil {
		return func(yield func(files.File, error) bool) { yield(files.File{}, err) }
	}
	return s.Store.List(ctx, folder)
}

func (s *faulty) Begin(ctx context.Context, key, kind string) (upload files.Upload, err error) {
	err = s.op(func() error { upload, err = s.Store.Begin(ctx, key, kind); return err })
	return upload, err
}

func (s *faulty) Append(ctx context.Context, upload files.Upload, piece []byte) (next files.Upload, err error) {
	next = upload
	err = s.op(func() error { next, err = s.Store.Append(ctx, upload, piece); return err })
	return next, err
}

func (s *faulty) Complete(ctx context.Context, upload files.Upload) error {
	return s.op(func() error { return s.Store.Complete(ctx, upload) })
}

// product is a product of the catalogue, with values that hold for all.
func product(n int, family string, values map[string]string) *pimtest.Entity {
	e := &pimtest.Entity{UUID: uuid(n), Values: map[string][]pimtest.Value{}}
	if family != "" {
		e.Family = &family
	}
	for code, data := range values {
		e.Values[code] = []pimtest.Value{{Data: json.RawMessage(data)}}
	}
	return e
}

func uuid(n int) string { return fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", n) }

func items(ids ...int) (found []jobs.Item) {
	for _, n := range ids {
		found = append(found, jobs.Item{Type: jobs.Product, ID: uuid(n)})
	}
	return found
}

// small is a catalogue of three families' attributes and what a test adds.
func small(t testing.TB, products ...*pimtest.Entity) *pimtest.Catalogue {
	t.Helper()
	c, err := pimtest.Read(strings.NewReader(`{
		"channels": [
			{"code": "ecommerce", "labels": {"en_US": "Web"}, "locales": ["en_US", "fr_FR"], "currencies": ["EUR", "USD"], "conversion_units": {"width": "METER"}},
			{"code": "print", "labels": {}, "locales": ["en_US"], "currencies": ["CHF"], "conversion_units": []}],
		"attributes": [
			{"code": "sku", "type": "pim_catalog_identifier", "is_main_identifier": true, "labels": {"en_US": "SKU"}},
			{"code": "name", "type": "pim_catalog_text", "localizable": true, "labels": {"en_US": "Name", "fr_FR": "Nom"}},
			{"code": "stock", "type": "pim_catalog_number", "scopable": true, "decimals_allowed": false, "labels": {}},
			{"code": "ratio", "type": "pim_catalog_number", "decimals_allowed": true, "labels": {}},
			{"code": "price", "type": "pim_catalog_price_collection", "decimals_allowed": true, "labels": {"en_US": "Price"}},
			{"code": "width", "type": "pim_catalog_metric", "decimals_allowed": true, "metric_family": "Length", "labels": {"en_US": "Width"}},
			{"code": "ready", "type": "pim_catalog_boolean", "labels": {"en_US": "Ready"}},
			{"code": "released", "type": "pim_catalog_date", "labels": {}},
			{"code": "color", "type": "pim_catalog_simpleselect", "labels": {"en_US": "Color"}},
			{"code": "image", "type": "pim_catalog_image", "labels": {}},
			{"code": "notes", "type": "pim_catalog_textarea", "labels": {}}],
		"attribute_options": [{"code": "red", "attribute": "color", "labels": {"en_US": "Red"}}, {"code": "blue", "attribute": "color", "labels": {}}],
		"families": [{"code": "bag", "labels": {"en_US": "Bag"}, "attribute_as_label": "name", "attributes": ["sku", "name", "price", "width", "color"],
			"attribute_requirements": {"ecommerce": ["sku", "name"], "print": ["sku"]}}],
		"association_types": [{"code": "PACK", "labels": {"en_US": "Pack"}}, {"code": "X_SELL", "labels": {}}],
		"categories": [{"code": "master", "labels": {"en_US": "Master"}}],
		"measurement_families": [{"code": "Length", "standard_unit_code": "METER", "units": {
			"METER": {"code": "METER", "labels": {"en_US": "Meter"}, "convert_from_standard": [{"operator": "mul", "value": "1"}]},
			"CENTIMETER": {"code": "CENTIMETER", "labels": {}, "convert_from_standard": [{"operator": "mul", "value": "0.01"}]}}}],
		"media_files": {"1/2/3/4/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_front_view.png": "front view.png"}}`))
	if err != nil {
		t.Fatal(err)
	}
	c.Products = products
	return c
}

// shirts is a catalogue of a model with two sub-models, each of which has so many variants, and of one without sub-models.
func shirts(t testing.TB, variants int) *pimtest.Catalogue {
	t.Helper()
	c := small(t)
	c.FamilyVariants = []pimtest.FamilyVariant{
		{Code: "two", Family: "bag", Sets: []pimtest.VariantSet{{Level: 1, Axes: []string{"color"}, Attributes: []string{"color"}}, {Level: 2, Axes: []string{"ready"}, Attributes: []string{"ready", "sku"}}}},
		{Code: "one", Family: "bag", Sets: []pimtest.VariantSet{{Level: 1, Axes: []string{"color"}, Attributes: []string{"color", "sku"}}}},
	}
	family, one, two, root, flat := "bag", "one", "two", "root", "flat"
	c.ProductModels = []*pimtest.Entity{
		{Code: root, Family: &family, FamilyVariant: two}, {Code: "red", Family: &family, FamilyVariant: two, Parent: &root},
		{Code: "blue", Family: &family, FamilyVariant: two, Parent: &root}, {Code: flat, Family: &family, FamilyVariant: one},
	}
	add := func(parent string) {
		e := product(len(c.Products), "bag", map[string]string{"sku": fmt.Sprintf(`"%s-%03d"`, parent, len(c.Products))})
		e.Parent = &parent
		c.Products = append(c.Products, e)
	}
	for range variants {
		add("red")
		add("blue")
	}
	add(flat)
	return c
}

func models(codes ...string) (found []jobs.Item) {
	for _, code := range codes {
		found = append(found, jobs.Item{Type: jobs.ProductModel, ID: code})
	}
	return found
}
