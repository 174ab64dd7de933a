// Package sftp puts files into a folder of an SFTP server that others watch (SSH File Transfer Protocol, version 3). A file
// is written under a temporary name, in steps that go on from where the last one ended, and then renamed: whoever watches
// the folder sees a whole file or none.
//
// It trusts one host key alone, the one that it is given, and reads nothing back but sizes. Where the server is comes from
// a secret document; the connection itself is package outbound's.
package sftp

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"path"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Forms says what an entry of "sftp" in the connection secret looks like.
const Forms = `use {"host":"…","port":22,"username":"…","password":"…" or "private_key":"…","host_key":"ssh-ed25519 AAAA…","folder":"…"}`

// Errors of Parse. They hold no value.
var (
	ErrForm       = errors.New("has another form")
	ErrHost       = errors.New("has no host")
	ErrPort       = errors.New("has a port that is none")
	ErrLogin      = errors.New("has no username, or neither password nor private_key, or both")
	ErrPrivateKey = errors.New("has a private_key that is none, or one with a passphrase")
	ErrNoHostKey  = errors.New("has no host_key: the server could not be told from another that takes its place")
	ErrHostKey    = errors.New("has a host_key that is none: it is the server's public key, not its fingerprint")
)

// Server is an SFTP server, and how we log in there. It does not print what it holds.
type Server struct {
	address  string // host and port
	username string
	password string
	key      ssh.Signer
	hosts    []ssh.PublicKey // one of them is the server's
	folder   string          // "": where a login begins
}

// Parse reads an entry of the connection secret: see Forms. host_key is the server's public key as OpenSSH writes it, a line
// of ssh-keyscan too, or a list of several while the server changes it. Its error is one of those above.
func Parse(raw json.RawMessage) (Server, error) {
	var entry struct {
		Host       string          `json:"host"`
		Port       json.RawMessage `json:"port"`
		Username   string          `json:"username"`
		Password   string          `json:"password"`
		PrivateKey string          `json:"private_key"`
		HostKey    json.RawMessage `json:"host_key"`
		Folder     string          `json:"folder"`
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&entry) != nil || decoder.More() {
		return Server{}, ErrForm
	}
	s := Server{username: entry.Username, password: entry.Password, folder: entry.Folder}
	port, err := parsePort(entry.Port)
	switch {
	case err != nil:
		return Server{}, err
	case entry.Host == "" || strings.ContainsAny(entry.Host, "/@ "):
		return Server{}, ErrHost
	case entry.Username == "" || (entry.Password == "") == (entry.PrivateKey == ""):
		return Server{}, ErrLogin
	}
	s.address = net.JoinHostPort(strings.Trim(entry.Host, "[]"), port)
	if entry.PrivateKey != "" {
		if s.key, err = ssh.ParsePrivateKey([]byte(entry.PrivateKey)); err != nil {
			return Server{}, ErrPrivateKey
		}
	}
	s.hosts, err = parseHostKeys(entry.HostKey)
	return s, err
}

// parsePort takes 22 and "22". None is 22.
func parsePort(raw json.RawMessage) (string, error) {
	text := strings.Trim(string(raw), `"`)
	if text == "" || text == "null" {
		return "22", nil
	}
	if port, err := strconv.ParseUint(text, 10, 16); err != nil || port == 0 {
		return "", ErrPort
	}
	return text, nil
}

func parseHostKeys(raw json.RawMessage) ([]ssh.PublicKey, error) {
	if raw == nil {
		return nil, ErrNoHostKey
	}
	var lines []string
	if json.Unmarshal(raw, &lines) != nil {
		lines = make([]string, 1)
		if json.Unmarshal(raw, &lines[0]) != nil {
			return nil, ErrHostKey
		}
	}
	var keys []ssh.PublicKey
	for _, line := range lines {
		for rest := []byte(line); len(bytes.TrimSpace(rest)) > 0; {
			key, _, _, next, err := ssh.ParseAuthorizedKey(rest) // a line of ssh-keyscan begins with what is an option here
			if err != nil {
				return nil, ErrHostKey
			}
			keys, rest = append(keys, key), next
		}
	}
	if len(keys) == 0 {
		return nil, ErrNoHostKey
	}
	return keys, nil
}

// String keeps what the server holds out of logs.
func (Server) String() string { return "SFTP server" }

// GoString does so too.
func (Server) GoString() string { return "SFTP server" }

// path is where a file of the folder is.
func (s Server) path(name string) string { return path.Join(s.folder, name) }
