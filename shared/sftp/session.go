package sftp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	answerTime = 20 * time.Second // in which the server answers one call, or a block is written
	stepTime   = 15 * time.Second // of a session, after which no further block begins: a stop loses no more
	stepSize   = 64 << 20         // bytes of a step
	blockSize  = 256 << 10        // that are on their way at once: a server that takes 13 KB a second is quick enough
)

// Dial opens a TCP connection, as outbound.Client does.
type Dial func(ctx context.Context, address string) (net.Conn, error)

// Session is a login. It is not safe for concurrent use.
type Session struct {
	Step int64 // bytes that one Write writes at most; 64 MB, unless a test wants less

	server   Server
	ctx      context.Context
	began    time.Time
	conn     net.Conn
	ssh      *ssh.Client
	client   *sftp.Client
	deadline time.Time // of the call at hand
	stop     func() bool
}

var errHostKey = errors.New("another host key")

// Open logs in. The session ends with ctx. Its error, as of all methods, is an *Error, or ctx's own.
func Open(ctx context.Context, server Server, dial Dial) (*Session, error) {
	s := &Session{Step: stepSize, server: server, ctx: ctx, began: time.Now()}
	conn, err := dial(ctx, server.address)
	if err != nil {
		return nil, s.unconnected(err)
	}
	s.conn, s.stop = conn, context.AfterFunc(ctx, func() { _ = conn.Close() })
	s.call()
	link, channels, requests, err := ssh.NewClientConn(conn, server.address, server.config())
	if err != nil {
		err = s.unconnected(err)
		s.Close()
		return nil, err
	}
	s.ssh = ssh.NewClient(link, channels, requests)
	if s.client, err = sftp.NewClient(s.ssh, sftp.UseConcurrentWrites(true)); err != nil {
		err = s.failed("begin", err)
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s Server) config() *ssh.ClientConfig {
	config := &ssh.ClientConfig{User: s.username, ClientVersion: "SSH-2.0-pim-functions"}
	for _, key := range s.hosts {
		if key.Type() == ssh.KeyAlgoRSA { // the key's name is also that of a signature which is no longer safe (RFC 8332)
			config.HostKeyAlgorithms = append(config.HostKeyAlgorithms, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		} else {
			config.HostKeyAlgorithms = append(config.HostKeyAlgorithms, key.Type())
		}
	}
	config.HostKeyCallback = func(_ string, _ net.Addr, shown ssh.PublicKey) error {
		if slices.ContainsFunc(s.hosts, func(known ssh.PublicKey) bool { return bytes.Equal(known.Marshal(), shown.Marshal()) }) {
			return nil
		}
		return errHostKey
	}
	if s.key != nil {
		config.Auth = []ssh.AuthMethod{ssh.PublicKeys(s.key)}
		return config
	}
	answer := func(_, _ string, questions []string, echo []bool) ([]string, error) {
		answers := make([]string, len(questions))
		for i := range questions {
			if !echo[i] {
				answers[i] = s.password
			}
		}
		return answers, nil
	}
	config.Auth = []ssh.AuthMethod{ssh.Password(s.password), ssh.KeyboardInteractive(answer)}
	return config
}

// Close ends the session. What was answered stays.
func (s *Session) Close() {
	s.stop()
	_ = s.conn.Close()
}

// call gives the server time for one call.
func (s *Session) call() {
	s.deadline = time.Now().Add(answerTime)
	_ = s.conn.SetDeadline(s.deadline) // a connection that has none is closed with ctx
}

func (s *Session) late() bool { return !time.Now().Before(s.deadline) }

// Write writes what source has into a temporary file, from a byte on that an earlier step has reached, until the file is
// whole or the step's time or size is over, and returns the byte that it has reached. A file of which all total bytes are
// written is on the server's disk where it can tell (fsync@openssh.com). ErrGone: begin again from 0. After another error the
// file may have holes behind from.
func (s *Session) Write(temporary string, from, total int64, source io.Reader) (reached int64, err error) {
	file, err := s.open(temporary, from)
	if err != nil {
		return from, err
	}
	reached = from
	end := min(total, from+s.Step)
	for block := make([]byte, min(blockSize, end-from)); reached < end; {
		if reached > from && time.Since(s.began) >= stepTime {
			break
		}
		block = block[:min(int64(len(block)), end-reached)]
		if _, err := io.ReadFull(source, block); err != nil {
			return from, errors.Join(fmt.Errorf("read file: %w", err), s.close(file))
		}
		s.call()
		if _, err := file.WriteAt(block, reached); err != nil {
			return from, s.failed("write", err)
		}
		reached += int64(len(block))
	}
	if reached == total {
		err = s.whole(file, total)
	}
	return reached, errors.Join(err, s.close(file))
}

func (s *Session) open(temporary string, from int64) (*sftp.File, error) {
	flags := os.O_WRONLY
	if from == 0 {
		flags |= os.O_CREATE | os.O_TRUNC
	}
	s.call()
	file, err := s.client.OpenFile(s.server.path(temporary), flags)
	if from > 0 && errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil || from == 0 {
		return file, s.failed("open", err)
	}
	info, err := file.Stat()
	if err == nil && info.Size() < from {
		err = ErrGone
	}
	if err != nil {
		return nil, errors.Join(s.failed("look", err), s.close(file))
	}
	return file, nil
}

// whole cuts off what is behind a file's end, and waits until the server has it on its disk.
func (s *Session) whole(file *sftp.File, total int64) error {
	s.call()
	info, err := file.Stat()
	if err == nil && info.Size() != total {
		err = file.Truncate(total)
	}
	if err != nil {
		return s.failed("end", err)
	}
	if _, can := s.client.HasExtension("fsync@openssh.com"); can {
		return s.failed("sync", file.Sync())
	}
	return nil
}

func (s *Session) close(file *sftp.File) error {
	s.call()
	return s.failed("close", file.Close())
}

// Rename gives a temporary file its name, and replaces what has it. A temporary file that is not there has its name already:
// call Rename for a file that is whole, and has been there.
func (s *Session) Rename(temporary, name string) error {
	from, to := s.server.path(temporary), s.server.path(name)
	s.call()
	if _, err := s.client.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return s.failed("look", err)
	}
	s.call()
	if _, can := s.client.HasExtension("posix-rename@openssh.com"); can {
		return s.failed("rename", s.client.PosixRename(from, to))
	}
	// Without the extension a server may refuse a name that is taken: then there is no file of that name for a moment.
	err := s.client.Rename(from, to)
	if err == nil {
		return nil
	}
	if _, taken := s.client.Lstat(to); taken != nil {
		return s.failed("rename", err)
	}
	s.call()
	if err := s.client.Remove(to); err != nil {
		return s.failed("replace", err)
	}
	s.call()
	return s.failed("rename", s.client.Rename(from, to))
}
