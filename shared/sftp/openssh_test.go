//go:build openssh

package sftp_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/pim-functions/pim-functions/shared/sftp"
)

// openSSH is the distribution's sshd, one process for each connection, without privileges and with a configuration of its
// own (sshd(8), "-i"). It lets in the user that it runs as.
type openSSH struct {
	*testing.T
	folder string
	entry  map[string]any
	mu     sync.Mutex
	all    []*exec.Cmd
}

// sshdPath is where distributions put it: often outside PATH.
func sshdPath(t *testing.T) string {
	for _, path := range []string{"sshd", "/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if found, err := exec.LookPath(path); err == nil {
			if found, err = filepath.Abs(found); err == nil {
				return found
			}
		}
	}
	t.Fatal("no sshd is here: install OpenSSH's server (make test-sftp does, as root on Debian)")
	return ""
}

func newKey(t *testing.T) (private string, public ssh.PublicKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), signer.PublicKey()
}

func newOpenSSH(t *testing.T) *openSSH {
	t.Helper()
	own, other := t.TempDir(), t.TempDir()
	who, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	as := &syscall.SysProcAttr{Setpgid: true} // a connection has processes of its own
	owner := -1
	if os.Getuid() == 0 { // sshd as root would change users, and need the system's own
		if who, err = user.Lookup("nobody"); err != nil {
			t.Fatal(err)
		}
		if owner, err = strconv.Atoi(who.Uid); err != nil {
			t.Fatal(err)
		}
		as.Credential = &syscall.Credential{Uid: uint32(owner), Gid: uint32(owner)}
	}
	hostKey, host := newKey(t)
	userKey, user := newKey(t)
	files := map[string]string{
		"host_key": hostKey, "authorized": string(ssh.MarshalAuthorizedKey(user)),
		"config": "HostKey " + own + "/host_key\nAuthorizedKeysFile " + own + "/authorized\nSubsystem sftp internal-sftp\nStrictModes no\nUsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(own, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{filepath.Dir(own), own, other, own + "/host_key", own + "/authorized", own + "/config"} {
		if err := os.Chown(path, owner, -1); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &openSSH{T: t, folder: other}
	path := sshdPath(t)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			socket, err := conn.(*net.TCPConn).File()
			if err != nil {
				t.Error(err)
				return
			}
			command := exec.Command(path, "-i", "-e", "-f", own+"/config")
			command.Stdin, command.Stdout, command.SysProcAttr = socket, socket, as
			if err := command.Start(); err != nil {
				t.Error(err)
			}
			_ = errors.Join(socket.Close(), conn.Close()) // the process has it
			s.mu.Lock()
			s.all = append(s.all, command)
			s.mu.Unlock()
			go command.Wait()
		}
	}()
	t.Cleanup(s.kill)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s.entry = map[string]any{
		"host": "127.0.0.1", "port": port, "username": who.Username, "private_key": userKey,
		"host_key": strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host))), "folder": other,
	}
	return s
}

// kill ends all processes at once.
func (s *openSSH) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, command := range s.all {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	}
	s.all = nil
}

func (s *openSSH) server(fields map[string]any) sftp.Server {
	s.Helper()
	entry, err := json.Marshal(s.entry)
	if err != nil {
		s.Fatal(err)
	}
	return with(s.T, entry, fields)
}

func (s *openSSH) holds(content string) bool {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	all, errAll := os.ReadDir(s.folder)
	if err := errors.Join(err, errAll); err != nil {
		s.Fatal(err)
	}
	return string(text) == content && len(all) == 1
}

func TestOpenSSHTakesAWholeFile(t *testing.T) {
	s := newOpenSSH(t)
	for _, content := range []string{strings.Repeat("sku;name\n", 600_000), "shorter", ""} { // each replaces the one before
		var reached int64
		var whole bool
		if err := put(t.Context(), s.server(nil), temporary, name, content, 2<<20, &reached, &whole); err != nil {
			t.Fatal(err)
		}
		if !s.holds(content) {
			t.Errorf("%d bytes are not there", len(content))
		}
		if err := put(t.Context(), s.server(nil), temporary, name, content, 2<<20, &reached, &whole); err != nil || !s.holds(content) {
			t.Errorf("renamed again: %v", err)
		}
	}
}

// dying kills the server once some bytes are read.
type dying struct {
	io.Reader
	left int
	kill func()
}

func (d *dying) Read(into []byte) (int, error) {
	n, err := d.Reader.Read(into)
	if d.left -= n; d.left <= 0 && d.kill != nil {
		d.kill()
		d.kill = nil
	}
	return n, err
}

func TestOpenSSHDiesInTheMiddle(t *testing.T) {
	s := newOpenSSH(t)
	content := strings.Repeat("sku;name\n", 600_000)
	session, err := sftp.Open(t.Context(), s.server(nil), dial)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	reached, err := session.Write(temporary, 0, int64(len(content)), &dying{strings.NewReader(content), 2 << 20, s.kill})
	if failed, ok := errors.AsType[*sftp.Error](err); !ok || failed.Permanent() || reached != 0 {
		t.Fatalf("%d, %v", reached, err)
	}
	if _, err := os.Stat(filepath.Join(s.folder, name)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file is there: %v", err)
	}
	var whole bool
	if err := put(t.Context(), s.server(nil), temporary, name, content, 64<<20, &reached, &whole); err != nil || !s.holds(content) {
		t.Error(err)
	}
}

func TestOpenSSHRefuses(t *testing.T) {
	s := newOpenSSH(t)
	another, public := newKey(t)
	locked := filepath.Join(s.folder, "locked")
	if err := os.Mkdir(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		fields map[string]any
		want   string
	}{
		{"another host key", map[string]any{"host_key": string(ssh.MarshalAuthorizedKey(public))}, "is not the expected one"},
		{"another key of ours", map[string]any{"private_key": another}, "did not accept our credentials"},
		{"no such folder", map[string]any{"folder": s.folder + "/none"}, "does not have the folder"},
		{"a folder that is locked", map[string]any{"folder": locked}, "does not let us write"},
	} {
		var reached int64
		var whole bool
		err := put(t.Context(), s.server(c.fields), temporary, name, "text", 1<<20, &reached, &whole)
		if failed, ok := errors.AsType[*sftp.Error](err); !ok || !failed.Permanent() || !strings.Contains(failed.Reason(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
