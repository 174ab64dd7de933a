// Package sftptest plays an SFTP server on loopback: its folder is one of this machine, and a test sees every call and can
// have it go wrong. It knows one user, and asks no more of files than package sftp does.
package sftptest

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// Login is what the server lets in.
const (
	Username = "feed"
	Password = "password-of-the-feed"
)

// Server is an SFTP server on a port of its own.
type Server struct {
	root     *os.Root
	listener net.Listener
	key      ssh.Signer
	config   *ssh.ServerConfig

	calls     sync.Mutex // one at a time
	intercept func(call string, do func() error) error

	mu    sync.Mutex
	conns map[net.Conn]bool
	done  sync.WaitGroup
}

// ErrHangup, as the answer of Intercept, has the server close the connection.
var ErrHangup = errors.New("hang up")

// Open starts a server whose folder is one of this machine. Seed decides its host key: the same one has the same key.
func Open(folder string, seed byte) (*Server, error) {
	key, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed([]byte(strings.Repeat(string(rune(seed)), ed25519.SeedSize))))
	if err != nil {
		return nil, err
	}
	s := &Server{key: key, conns: map[net.Conn]bool{}}
	if s.root, err = os.OpenRoot(folder); err != nil {
		return nil, err
	}
	refused := errors.New("no such user")
	s.config = &ssh.ServerConfig{
		PasswordCallback: func(conn ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if conn.User() == Username && string(password) == Password {
				return nil, nil
			}
			return nil, refused
		},
	}
	s.config.AddHostKey(key)
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.done.Go(s.accept)
	return s, nil
}

// Intercept has f see each call before it is done, one at a time, by its name: connect, then Put, Write, PosixRename and
// others. f may do the call itself; what it returns is answered, and ErrHangup closes the connection instead. nil: every call
// is done. What f has written before may be read once Intercept returns.
func (s *Server) Intercept(f func(call string, do func() error) error) {
	s.calls.Lock()
	defer s.calls.Unlock()
	s.intercept = f
}

// Entry is what the connection secret has for this server.
func (s *Server) Entry() json.RawMessage {
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	entry, _ := json.Marshal(map[string]string{ // texts can always be written
		"host": host, "port": port, "username": Username, "password": Password, "host_key": s.HostKey(), "folder": "/",
	})
	return entry
}

// HostKey is the server's public key.
func (s *Server) HostKey() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.key.PublicKey())))
}

// Close ends the server and its connections.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.mu.Unlock()
	s.done.Wait()
	_ = s.root.Close()
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[conn] = true
		s.mu.Unlock()
		s.done.Go(func() {
			s.serve(conn)
			_ = conn.Close()
			s.mu.Lock()
			delete(s.conns, conn)
			s.mu.Unlock()
		})
	}
}

func (s *Server) serve(conn net.Conn) {
	h := &handler{s, conn}
	if h.call("connect", func() error { return nil }) != nil {
		return
	}
	_, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		channel, requests, err := offered.Accept()
		if err != nil {
			return
		}
		go func() {
			for request := range requests {
				_ = request.Reply(request.Type == "subsystem", nil)
			}
		}()
		server := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
		_ = server.Serve() // until the client is gone
		_ = server.Close()
	}
}

// handler does the calls of one connection.
type handler struct {
	*Server
	conn net.Conn
}

func (h *handler) call(name string, do func() error) error {
	h.calls.Lock()
	intercept := h.intercept
	if intercept == nil {
		intercept = func(_ string, do func() error) error { return do() }
	}
	err := intercept(name, do)
	h.calls.Unlock()
	if errors.Is(err, ErrHangup) {
		_ = h.conn.Close()
	}
	return err
}

// local is a path of the server in its folder.
func local(remote string) string { return strings.TrimPrefix(path.Clean("/"+remote), "/") }

// Filewrite implements sftp.FileWriter.
func (h *handler) Filewrite(r *sftp.Request) (file io.WriterAt, err error) {
	err = h.call(r.Method, func() error {
		flags, wanted := os.O_WRONLY, r.Pflags()
		if wanted.Creat {
			flags |= os.O_CREATE
		}
		if wanted.Trunc {
			flags |= os.O_TRUNC
		}
		opened, err := h.root.OpenFile(local(r.Filepath), flags, 0o600)
		if err == nil {
			file = &written{h, opened}
		}
		return err
	})
	return file, err
}

// written is a file that is open for writing.
type written struct {
	*handler
	file *os.File
}

func (w *written) WriteAt(block []byte, at int64) (n int, err error) {
	err = w.call("Write", func() error { n, err = w.file.WriteAt(block, at); return err })
	return n, err
}

func (w *written) Close() error { return w.file.Close() }

// Fileread implements sftp.FileReader: nobody reads.
func (h *handler) Fileread(*sftp.Request) (io.ReaderAt, error) { return nil, os.ErrPermission }

// Filecmd implements sftp.FileCmder. A name that is taken is not given again (SFTP version 3).
func (h *handler) Filecmd(r *sftp.Request) error {
	return h.call(r.Method, func() error {
		switch r.Method {
		case "Rename":
			if _, err := h.root.Lstat(local(r.Target)); err == nil {
				return errors.New("the name is taken")
			}
			return h.root.Rename(local(r.Filepath), local(r.Target))
		case "Remove":
			return h.root.Remove(local(r.Filepath))
		case "Setstat":
			if !r.AttrFlags().Size {
				return nil
			}
			file, err := h.root.OpenFile(local(r.Filepath), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			return errors.Join(file.Truncate(int64(r.Attributes().Size)), file.Close())
		}
		return sftp.ErrSSHFxOpUnsupported
	})
}

// PosixRename implements sftp.PosixRenameFileCmder: it replaces what has the name.
func (h *handler) PosixRename(r *sftp.Request) error {
	return h.call(r.Method, func() error { return h.root.Rename(local(r.Filepath), local(r.Target)) })
}

// Filelist implements sftp.FileLister.
func (h *handler) Filelist(r *sftp.Request) (found sftp.ListerAt, err error) {
	err = h.call(r.Method, func() error {
		if r.Method == "List" {
			return sftp.ErrSSHFxOpUnsupported
		}
		info, err := h.root.Lstat(local(r.Filepath))
		found = one{info}
		return err
	})
	return found, err
}

// Lstat implements sftp.LstatFileLister.
func (h *handler) Lstat(r *sftp.Request) (sftp.ListerAt, error) { return h.Filelist(r) }

// one is a list of one file.
type one struct{ os.FileInfo }

func (o one) ListAt(into []os.FileInfo, from int64) (int, error) {
	if from > 0 || len(into) == 0 {
		return 0, io.EOF
	}
	into[0] = o
	return 1, io.EOF
}
