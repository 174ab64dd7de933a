package sftp_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	library "github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/sftp"
	"github.com/pim-functions/pim-functions/shared/sftp/sftptest"
)

// fixture is a server with a folder.
type fixture struct {
	*testing.T
	*sftptest.Server
	folder string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	folder := t.TempDir()
	server, err := sftptest.Open(folder, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return &fixture{t, server, folder}
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	return outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now}).Dial(ctx, address, false)
}

// with is the server's entry with other fields.
func with(t *testing.T, entry json.RawMessage, fields map[string]any) sftp.Server {
	t.Helper()
	all := map[string]any{}
	if err := json.Unmarshal(entry, &all); err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	server, err := sftp.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// content is what a file of the folder holds; "" if there is none.
func (f *fixture) content(name string) string {
	f.Helper()
	text, err := os.ReadFile(filepath.Join(f.folder, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		f.Fatal(err)
	}
	return string(text)
}

// names are the folder's files.
func (f *fixture) names() (names []string) {
	f.Helper()
	all, err := os.ReadDir(f.folder)
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range all {
		names = append(names, file.Name())
	}
	return names
}

// put does what a run does: a session for each step, which goes on from what the one before reported.
func put(ctx context.Context, server sftp.Server, temporary, name, content string, step int64, reached *int64, whole *bool) error {
	for {
		session, err := sftp.Open(ctx, server, dial)
		if err != nil {
			return err
		}
		if session.Step = step; *whole {
			err = session.Rename(temporary, name)
			session.Close()
			return err
		}
		var now int64
		now, err = session.Write(temporary, *reached, int64(len(content)), strings.NewReader(content[*reached:]))
		session.Close()
		if errors.Is(err, sftp.ErrGone) {
			*reached = 0
			continue
		}
		if err != nil {
			return err
		}
		*reached, *whole = now, now == int64(len(content))
	}
}

const temporary, name = ".catalogue.csv.job.part", "catalogue.csv"

func TestAFileIsWrittenAsideAndThenNamed(t *testing.T) {
	f := newFixture(t)
	content := strings.Repeat("sku;name\n", 400_000) // fourteen blocks
	var calls []string
	f.Intercept(func(call string, do func() error) error {
		calls = append(calls, call)
		if call != "PosixRename" && slices.Contains(f.names(), name) {
			t.Errorf("%s: the name is there before the file is whole", call)
		}
		return do()
	})
	var reached int64
	var whole bool
	if err := put(t.Context(), with(t, f.Entry(), nil), temporary, name, content, 2<<20, &reached, &whole); err != nil {
		t.Fatal(err)
	}
	f.Intercept(nil)
	if f.content(name) != content || len(f.names()) != 1 {
		t.Errorf("%d bytes, files %q", len(f.content(name)), f.names())
	}
	if sessions := strings.Count(strings.Join(calls, " "), "connect"); sessions != 3 {
		t.Errorf("%d sessions: %q", sessions, calls)
	}
}

// The connection ends at each call, before and after it is done: what goes on makes one whole file.
func TestAServerThatClosesInTheMiddle(t *testing.T) {
	content := strings.Repeat("x", 100_000) // four packets
	run := func(t *testing.T, at int, after bool) (calls int) {
		f := newFixture(t)
		if err := os.WriteFile(filepath.Join(f.folder, name), []byte("of yesterday"), 0o600); err != nil {
			t.Fatal(err)
		}
		f.Intercept(func(_ string, do func() error) error {
			if calls++; calls != at {
				return do()
			}
			if after {
				_ = do()
			}
			return sftptest.ErrHangup
		})
		var reached int64
		var whole bool
		for range 3 {
			err := put(t.Context(), with(t, f.Entry(), nil), temporary, name, content, 60_000, &reached, &whole)
			if failed, ok := errors.AsType[*sftp.Error](err); err != nil && (!ok || failed.Permanent()) {
				t.Fatalf("call %d: %v", at, err)
			}
			if got := f.content(name); got != content && got != "of yesterday" {
				t.Fatalf("call %d: a torn file of %d bytes", at, len(got))
			}
			if err == nil {
				break
			}
		}
		f.Intercept(nil)
		if f.content(name) != content || len(f.names()) != 1 {
			t.Errorf("call %d, done %v: %d bytes, files %q", at, after, len(f.content(name)), f.names())
		}
		return calls
	}
	all := run(t, 0, false)
	if all < 12 {
		t.Fatalf("%d calls", all)
	}
	for at := 1; at <= all; at++ {
		run(t, at, false)
		run(t, at, true)
	}
}

func TestATemporaryFileThatIsGoneIsWrittenAgain(t *testing.T) {
	for what, change := range map[string]func(path string) error{
		"deleted": os.Remove,
		"cut":     func(path string) error { return os.Truncate(path, 10) },
	} {
		f := newFixture(t)
		content, server := strings.Repeat("x", 100_000), with(t, f.Entry(), nil)
		session, err := sftp.Open(t.Context(), server, dial)
		if err != nil {
			t.Fatal(err)
		}
		session.Step = 60_000
		reached, err := session.Write(temporary, 0, 100_000, strings.NewReader(content))
		if err != nil || reached != 60_000 {
			t.Fatalf("%d, %v", reached, err)
		}
		if err := change(filepath.Join(f.folder, temporary)); err != nil {
			t.Fatal(err)
		}
		if _, err := session.Write(temporary, reached, 100_000, strings.NewReader(content[reached:])); !errors.Is(err, sftp.ErrGone) {
			t.Errorf("%s: %v", what, err)
		}
		session.Close()
		var whole bool
		if err := put(t.Context(), server, temporary, name, content, 60_000, &reached, &whole); err != nil || f.content(name) != content {
			t.Errorf("%s: %v, %d bytes", what, err, len(f.content(name)))
		}
	}
}

// A longer file that was there under the temporary name does not show behind the end.
func TestNothingIsBehindTheEnd(t *testing.T) {
	f := newFixture(t)
	if err := os.WriteFile(filepath.Join(f.folder, temporary), bytes.Repeat([]byte("y"), 200_000), 0o600); err != nil {
		t.Fatal(err)
	}
	reached, whole := int64(50_000), false
	if err := put(t.Context(), with(t, f.Entry(), nil), temporary, name, strings.Repeat("y", 100_000), 1<<20, &reached, &whole); err != nil || len(f.content(name)) != 100_000 {
		t.Errorf("%v, %d bytes", err, len(f.content(name)))
	}
}

func TestAnEmptyFile(t *testing.T) {
	f := newFixture(t)
	var reached int64
	var whole bool
	if err := put(t.Context(), with(t, f.Entry(), nil), temporary, name, "", 1<<20, &reached, &whole); err != nil || !slices.Equal(f.names(), []string{name}) {
		t.Errorf("%v, files %q", err, f.names())
	}
}

// A server that only knows version 3 refuses a name that is taken.
func TestAServerWithoutPosixRename(t *testing.T) {
	if err := library.SetSFTPExtensions(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := library.SetSFTPExtensions("hardlink@openssh.com", "posix-rename@openssh.com", "statvfs@openssh.com"); err != nil {
			t.Error(err)
		}
	}()
	for _, before := range []string{"", "of yesterday"} {
		for at := range 8 { // 0: nothing goes wrong
			f := newFixture(t)
			if before != "" {
				if err := os.WriteFile(filepath.Join(f.folder, name), []byte(before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			calls := 0
			reached, whole := int64(3), true
			if err := os.WriteFile(filepath.Join(f.folder, temporary), []byte("new"), 0o600); err != nil {
				t.Fatal(err)
			}
			f.Intercept(func(call string, do func() error) error {
				if call == "PosixRename" {
					t.Error("PosixRename is called")
				}
				if calls++; calls == at {
					return sftptest.ErrHangup
				}
				return do()
			})
			err := put(t.Context(), with(t, f.Entry(), nil), temporary, name, "new", 1<<20, &reached, &whole)
			if err != nil {
				err = put(t.Context(), with(t, f.Entry(), nil), temporary, name, "new", 1<<20, &reached, &whole)
			}
			if err != nil || f.content(name) != "new" || len(f.names()) != 1 {
				t.Errorf("before %q, call %d: %v, %q, files %q", before, at, err, f.content(name), f.names())
			}
		}
	}
}

// What an error says to the engine and to users.
func TestErrors(t *testing.T) {
	f := newFixture(t)
	other, err := sftptest.Open(t.TempDir(), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ssh.NewPublicKey(own.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		fields       map[string]any
		answer       error // of Put
		permanent    bool
		unauthorized bool
		want         string
	}{
		{"another host key", map[string]any{"host_key": other.HostKey()}, nil, true, true, "is not the expected one"},
		{"a host key of another type", map[string]any{"host_key": string(ssh.MarshalAuthorizedKey(public))}, nil, true, true, "is not the expected one"},
		{"a wrong password", map[string]any{"password": "x"}, nil, true, true, "did not accept our credentials"},
		{"another user", map[string]any{"username": "x"}, nil, true, true, "did not accept our credentials"},
		{"no such folder", map[string]any{"folder": "/nowhere"}, nil, true, false, "does not have the folder"},
		{"not ours to write", nil, library.ErrSSHFxPermissionDenied, true, false, "does not let us write"},
		{"a full disk", nil, library.ErrSSHFxFailure, false, false, "could not store the file"},
		{"nobody there", map[string]any{"port": "1"}, nil, false, false, "could not be reached"},
		{"it hangs up", nil, sftptest.ErrHangup, false, false, "closed the connection"},
	} {
		f.Intercept(func(call string, do func() error) error {
			if call == "Put" && c.answer != nil {
				return c.answer
			}
			return do()
		})
		var reached int64
		var whole bool
		err := put(t.Context(), with(t, f.Entry(), c.fields), temporary, name, "text", 1<<20, &reached, &whole)
		failed, ok := errors.AsType[*sftp.Error](err)
		if !ok || failed.Permanent() != c.permanent || failed.Unauthorized() != c.unauthorized || failed.Silent() || !strings.Contains(failed.Reason(), c.want) {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if text := failed.Error(); strings.Contains(text, sftptest.Password) || strings.Contains(text, "nowhere") || strings.Contains(text, name) {
			t.Errorf("%s: the log's text is %q", c.name, text)
		}
		if len(f.names()) > 0 {
			t.Errorf("%s: files %q", c.name, f.names())
		}
	}
}

// A private address is called only where the caller says so: the rule is outbound's.
func TestAnAddressThatIsNotPublic(t *testing.T) {
	f := newFixture(t)
	guarded := outbound.New(outbound.Config{Now: time.Now})
	_, err := sftp.Open(t.Context(), with(t, f.Entry(), nil), func(ctx context.Context, address string) (net.Conn, error) { return guarded.Dial(ctx, address, true) })
	if failed, ok := errors.AsType[*sftp.Error](err); !ok || !failed.Permanent() || !strings.Contains(failed.Reason(), "not a public one") {
		t.Errorf("%v", err)
	}
}

// A server that hangs takes no longer than the run has.
func TestDeadlines(t *testing.T) {
	for _, hangs := range []string{"connect", "Put", "Write", "PosixRename"} {
		f := newFixture(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		f.Intercept(func(call string, do func() error) error {
			if call == hangs {
				cancel(context.DeadlineExceeded) // the run's time ends while the server does nothing
				<-ctx.Done()
				return sftptest.ErrHangup
			}
			return do()
		})
		var reached int64
		var whole bool
		if err := put(ctx, with(t, f.Entry(), nil), temporary, name, "text", 1<<20, &reached, &whole); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", hangs, err)
		}
		if slices.Contains(f.names(), name) {
			t.Errorf("%s: files %q", hangs, f.names())
		}
	}
}

// hurried is a connection whose time is over at once.
type hurried struct{ net.Conn }

func (h hurried) SetDeadline(time.Time) error { return h.Conn.SetDeadline(time.Now()) }

func TestAServerThatDoesNotAnswerInTime(t *testing.T) {
	f := newFixture(t)
	_, err := sftp.Open(t.Context(), with(t, f.Entry(), nil), func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dial(ctx, address)
		return hurried{conn}, err
	})
	if failed, ok := errors.AsType[*sftp.Error](err); !ok || failed.Permanent() || !failed.Silent() || failed.Reason() != "the SFTP server did not answer in time" {
		t.Errorf("%v", err)
	}
}

func TestAServerDoesNotPrintWhatItHolds(t *testing.T) {
	server := with(t, newFixture(t).Entry(), nil)
	if text := fmt.Sprintf("%v %+v %#v %s", server, server, server, server); strings.Contains(text, sftptest.Password) || strings.Contains(text, "127.0.0.1") {
		t.Error(text)
	}
}

func TestParse(t *testing.T) {
	const hostKey = `"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"`
	for entry, want := range map[string]error{
		`{"host":"h","username":"u","password":"p","host_key":` + hostKey + `}`:                                                                      nil,
		`{"host":"h","port":2222,"username":"u","password":"p","host_key":` + hostKey + `,"folder":"in/csv"}`:                                        nil,
		`{"host":"h","port":"2222","username":"u","password":"p","host_key":[` + hostKey + `,` + hostKey + `]}`:                                      nil,
		`{"host":"h","username":"u","password":"p","host_key":"h ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"}`: nil,
		`{"username":"u","password":"p","host_key":` + hostKey + `}`:                                                                                 sftp.ErrHost,
		`{"host":"sftp://h","username":"u","password":"p","host_key":` + hostKey + `}`:                                                               sftp.ErrHost,
		`{"host":"h","port":0,"username":"u","password":"p","host_key":` + hostKey + `}`:                                                             sftp.ErrPort,
		`{"host":"h","port":70000,"username":"u","password":"p","host_key":` + hostKey + `}`:                                                         sftp.ErrPort,
		`{"host":"h","password":"p","host_key":` + hostKey + `}`:                                                                                     sftp.ErrLogin,
		`{"host":"h","username":"u","host_key":` + hostKey + `}`:                                                                                     sftp.ErrLogin,
		`{"host":"h","username":"u","password":"p","private_key":"k","host_key":` + hostKey + `}`:                                                    sftp.ErrLogin,
		`{"host":"h","username":"u","private_key":"k","host_key":` + hostKey + `}`:                                                                   sftp.ErrPrivateKey,
		`{"host":"h","username":"u","password":"p"}`:                                                                                                 sftp.ErrNoHostKey,
		`{"host":"h","username":"u","password":"p","host_key":""}`:                                                                                   sftp.ErrNoHostKey,
		`{"host":"h","username":"u","password":"p","host_key":[]}`:                                                                                   sftp.ErrNoHostKey,
		`{"host":"h","username":"u","password":"p","host_key":"SHA256:abc"}`:                                                                         sftp.ErrHostKey,
		`{"host":"h","username":"u","password":"p","host_key":` + hostKey + `,"insecure":true}`:                                                      sftp.ErrForm,
		`"sftp://u:p@h"`: sftp.ErrForm,
		`null`:           sftp.ErrHost,
	} {
		if _, err := sftp.Parse(json.RawMessage(entry)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", entry, err, want)
		}
	}
}
