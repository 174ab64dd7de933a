package export_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/sftp/sftptest"
)

// sender is a fixture whose files go to an SFTP server.
type sender struct {
	*fixture
	*sftptest.Server
	folder string
}

func newSender(t *testing.T, catalogue *pimtest.Catalogue, keys string) *sender {
	t.Helper()
	f := newFixture(t, catalogue, keys+`, to: {sftp: erp}`)
	folder := t.TempDir()
	server, err := sftptest.Open(folder, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	f.config.Kinds = map[string]engine.Kind{"export": export.Kind{Client: outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now})}.WithStep(70)}
	f.config.Secrets = func(context.Context) (engine.Secrets, error) {
		return engine.Secrets{SFTP: map[string]json.RawMessage{"erp": server.Entry()}}, nil
	}
	return &sender{f, server, folder}
}

// sent is what the server's folder holds, by name.
func (s *sender) sent() map[string]string {
	s.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		s.Fatal(err)
	}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(s.folder, entry.Name()))
		if err != nil {
			s.Fatal(err)
		}
		all[entry.Name()] = string(text)
	}
	return all
}

func TestToAnSFTPServer(t *testing.T) {
	s := newSender(t, small(t, bags()...), `attributes: [name], locales: [fr_FR], lines_per_file: 2, name: bags.csv`)
	job := s.work(s.start(items(1, 2, 3)...))
	if job.State != jobs.Succeeded || job.Message != "3 rows in 2 files, put on the SFTP server" || len(job.Files) != 2 {
		t.Fatalf("%s, %q, files %v", job.State, job.Message, job.Files)
	}
	want := map[string]string{}
	for _, file := range job.Files {
		want[file.Name] = s.content(file)
	}
	if sent := s.sent(); !maps.Equal(sent, want) || !strings.Contains(want["bags_2.csv"], "\n;;1;;") {
		t.Errorf("sent %q, want %q", sent, want)
	}
	s = newSender(t, small(t), `attributes: [name], locales: [fr_FR], name: bags.csv`)
	if job := s.work(s.start()); job.Message != "nothing was found: the file has no rows, put on the SFTP server as bags.csv" || s.sent()["bags.csv"] != "sku;categories;enabled;family;groups;name-fr_FR\n" {
		t.Errorf("%q, sent %q", job.Message, s.sent())
	}
	s = newSender(t, small(t), `format: ndjson, name: none.ndjson`)
	if _, there := s.sent()["none.ndjson"]; there || s.work(s.start()).State != jobs.Succeeded {
		t.Error("an empty file is not sent")
	}
}

// mortal is a process that dies at one of its effects: calls of the SFTP server, of the file store and of the job store.
type mortal struct {
	mu    sync.Mutex
	at    int  // the effect; 0: none
	after bool // it is done
	count int
	dead  bool
}

func (m *mortal) op(do func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return errDead
	}
	if m.count++; m.count != m.at {
		return do()
	}
	m.dead = true
	if m.after {
		_ = do()
	}
	return errDead
}

func (m *mortal) restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = false
}

type mortalJobs struct {
	jobs.Store
	*mortal
}

func (m mortalJobs) Save(ctx context.Context, job jobs.Job, failures ...jobs.Failure) (saved jobs.Job, err error) {
	err = m.op(func() error { saved, err = m.Store.Save(ctx, job, failures...); return err })
	return saved, err
}

type mortalFiles struct {
	files.Store
	*mortal
}

func (m mortalFiles) OpenAt(ctx context.Context, key string, from int64) (file io.ReadCloser, err error) {
	err = m.op(func() error { file, err = m.Store.OpenAt(ctx, key, from); return err })
	return file, err
}

func (m mortalFiles) Complete(ctx context.Context, upload files.Upload) error {
	return m.op(func() error { return m.Store.Complete(ctx, upload) })
}

// TestKilledAnywhereOneWholeFileIsSent kills the process at each effect, before and after it is done. An ERP that takes
// whatever it sees under the name gets the whole file, once.
func TestKilledAnywhereOneWholeFileIsSent(t *testing.T) {
	run := func(t *testing.T, at int, after bool) int {
		s := newSender(t, small(t, bags()...), `attributes: [name], locales: [fr_FR], name: bags.csv`)
		m := &mortal{at: at, after: after}
		s.config.Store, s.config.Files = mortalJobs{s.store, m}, mortalFiles{s.config.Files, m}
		var taken []string
		take := func() {
			if text, there := s.sent()["bags.csv"]; there {
				taken = append(taken, text)
				if err := os.Remove(filepath.Join(s.folder, "bags.csv")); err != nil {
					t.Error(err)
				}
			}
		}
		s.Intercept(func(call string, do func() error) error {
			take()
			if call == "connect" { // a new process can
				return do()
			}
			if err := m.op(do); errors.Is(err, errDead) {
				return sftptest.ErrHangup
			} else {
				return err
			}
		})
		id := s.start(items(1, 2, 3)...)
		for range 4 {
			job, err := s.store.Get(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if job.State.Ended() {
				break
			}
			_ = engine.New(s.config).Begin(t.Context()).Job(t.Context(), engine.Delivery{Job: id, Turn: job.Turn})
			m.restart()
			s.clock.Lock()
			s.now = s.now.Add(10 * time.Minute)
			s.clock.Unlock()
		}
		s.Intercept(nil)
		job, err := s.store.Get(t.Context(), id)
		if err != nil || job.State != jobs.Succeeded || len(job.Files) != 1 {
			t.Fatalf("killed at %d (done: %v): %v, %s, %q", at, after, err, job.State, job.Message)
		}
		take()
		if whole := s.content(job.Files[0]); !slices.Equal(taken, []string{whole}) || len(s.sent()) > 0 {
			t.Errorf("killed at %d (done: %v): the ERP takes %q, and the folder has %q", at, after, taken, s.sent())
		}
		return m.count
	}
	all := run(t, 0, false)
	if all < 20 {
		t.Fatalf("%d effects", all)
	}
	for _, after := range []bool{false, true} {
		for at := 1; at <= all; at++ {
			t.Run(fmt.Sprintf("%d %v", at, after), func(t *testing.T) {
				t.Parallel()
				run(t, at, after)
			})
		}
	}
}

// What the server does not do now is done later; what it will never do fails the job, in words for a user.
func TestWhatTheSFTPServerRefuses(t *testing.T) {
	other, err := sftptest.Open(t.TempDir(), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	for _, c := range []struct{ name, field, value, want string }{
		{"another host key", "host_key", other.HostKey(), "is not the expected one: its host key is another, and nothing was sent"},
		{"a wrong password", "password", "x", "did not accept our credentials"},
		{"no such folder", "folder", "/none", "does not have the folder"},
	} {
		s := newSender(t, small(t, bags()...), `name: bags.csv`)
		refreshed := 0
		s.config.Refresh = func(context.Context, time.Time) (bool, bool, error) { refreshed++; return false, true, nil }
		right := s.config.Secrets
		s.config.Secrets = func(ctx context.Context) (engine.Secrets, error) {
			secrets, err := right(ctx)
			var entry map[string]string
			_ = json.Unmarshal(secrets.SFTP["erp"], &entry)
			entry[c.field] = c.value
			secrets.SFTP["erp"], _ = json.Marshal(entry)
			return secrets, err
		}
		job := s.work(s.start(items(1)...))
		if job.State != jobs.Failed || !strings.Contains(job.Message, c.want) || job.Reason != jobs.ReasonPermanent {
			t.Errorf("%s: %s, %s, %q", c.name, job.State, job.Reason, job.Message)
		}
		if mends := c.field != "folder"; mends != (refreshed == 1) {
			t.Errorf("%s: the secret is looked up %d times", c.name, refreshed)
		}
		if len(s.sent()) > 0 {
			t.Errorf("%s: sent %q", c.name, s.sent())
		}
	}

	s := newSender(t, small(t, bags()...), `name: bags.csv`)
	down := 0
	s.Intercept(func(call string, do func() error) error {
		if down++; down <= 3 {
			return sftptest.ErrHangup
		}
		return do()
	})
	id := s.start(items(1)...)
	_ = engine.New(s.config).Begin(t.Context()).Job(t.Context(), engine.Delivery{Job: id, Turn: 1})
	if job, err := s.store.Get(t.Context(), id); err != nil || job.Cause != jobs.CauseDestinationDown || !strings.Contains(job.Message, "SFTP server closed the connection") {
		t.Errorf("while it is down: %v, %q, %q", err, job.Cause, job.Message)
	}
	if job := s.work(id); job.State != jobs.Succeeded || len(s.sent()) != 1 {
		t.Errorf("once it is up: %s, %q, sent %q", job.State, job.Message, s.sent())
	}
}

// Of the file that is on its way the copy here is gone.
func TestTheFileIsDeletedBeforeItIsSent(t *testing.T) {
	s := newSender(t, small(t, bags()...), `name: bags.csv`)
	s.Intercept(func(_ string, do func() error) error {
		_ = s.files.Store.Delete(context.Background(), files.ExportKey("30d", "job", "bags.csv"))
		return do()
	})
	if job := s.work(s.start(items(1)...)); job.State != jobs.Failed || !strings.Contains(job.Message, "deleted before it was sent") {
		t.Errorf("%s, %q", job.State, job.Message)
	}
}

// Two exports with one name: each is whole, and the later one stays.
func TestTwoExportsWithOneName(t *testing.T) {
	s := newSender(t, small(t, bags()...), `attributes: [name], locales: [fr_FR], name: bags.csv`)
	first := s.work(s.start(items(1)...))
	second, err := s.store.Create(t.Context(), jobs.Job{
		ID: "job2", Action: "make", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Items: items(2), Total: 1, State: jobs.Queued, Turn: 1,
		Context: json.RawMessage(`{}`), Params: json.RawMessage(`{}`), CreatedAt: s.now,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second = s.work(second.ID)
	if one, two := s.content(first.Files[0]), s.content(second.Files[0]); one == two || !maps.Equal(s.sent(), map[string]string{"bags.csv": two}) {
		t.Errorf("files %q and %q, sent %q", one, two, s.sent())
	}
}

func TestWhatTheSecretLacks(t *testing.T) {
	section, err := config.ParseSection(`{to: {sftp: erp}, formulas: text}`)
	if err != nil {
		t.Fatal(err)
	}
	if err := (export.Kind{}).Check(section); err != nil {
		t.Error(err)
	}
	for entry, want := range map[string]string{
		``: `sftp "erp" is not in the connection secret; add it under "sftp": use {"host"`,
		`{"host":"h","username":"u","password":"very secret"}`:                        `sftp "erp" in the connection secret has no host_key`,
		`{"host":"h","username":"u","password":"very secret","host_key":"SHA256:ab"}`: `sftp "erp" in the connection secret has a host_key that is none`,
	} {
		secrets := engine.Secrets{SFTP: map[string]json.RawMessage{}}
		if entry != "" {
			secrets.SFTP["erp"] = json.RawMessage(entry)
		}
		if _, err := (export.Kind{}).Open(section, secrets); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "very secret") {
			t.Errorf("%s: %v, want %q", entry, err, want)
		}
	}
}
