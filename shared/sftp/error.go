package sftp

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

type kind int

const (
	broken  kind = iota // the connection ended
	away                // no connection
	unable              // the server could not do it this time: its disk is full, it is busy
	late                // no answer in time
	blocked             // not a public address
	wrong               // the host key is another
	refused             // the server does not accept the credentials
	missing             // there is no such folder
	denied              // the server does not let us write there
)

// Error is a step that the server did not do. Its texts hold no path, no credential, and nothing of what the server says.
type Error struct {
	step  string // for logs
	kind  kind
	cause error
}

// Error is for logs.
func (e *Error) Error() string {
	text := "sftp: " + e.step + ": " + e.Reason()
	if status, ok := errors.AsType[*sftp.StatusError](e.cause); ok {
		return text + ": " + status.FxCode().Error()
	}
	if unreached, ok := errors.AsType[*outbound.Error](e.cause); ok {
		return text + ": " + unreached.Error()
	}
	return text
}

// Unwrap gives the cause, whose text may hold a path or a host: it is not for logs.
func (e *Error) Unwrap() error { return e.cause }

// Reason is the error in words for a user.
func (e *Error) Reason() string {
	switch e.kind {
	case away:
		return "the SFTP server could not be reached"
	case unable:
		return "the SFTP server could not store the file"
	case late:
		return "the SFTP server did not answer in time"
	case blocked:
		return "the SFTP server's address is not a public one"
	case wrong:
		return "the SFTP server is not the expected one: its host key is another, and nothing was sent; whoever runs it must say whether the key has changed"
	case refused:
		return "the SFTP server did not accept our credentials"
	case missing:
		return "the SFTP server does not have the folder that the file belongs into"
	case denied:
		return "the SFTP server does not let us write into its folder"
	}
	return "the SFTP server closed the connection"
}

// Permanent says that the same step would end the same way.
func (e *Error) Permanent() bool { return e.kind > late }

// Silent says that the server gave no answer in time.
func (e *Error) Silent() bool { return e.kind == late }

// Unauthorized says that what the connection secret has does not fit the server: a fresh one may.
func (e *Error) Unauthorized() bool { return e.kind == refused || e.kind == wrong }

// ErrGone: the temporary file is not there, or shorter than it was. It has to be written from its beginning.
var ErrGone = errors.New("sftp: the temporary file is gone")

// failed is what an error of a step means.
func (s *Session) failed(step string, err error) error {
	if err == nil || errors.Is(err, ErrGone) {
		return err
	}
	failed := &Error{step: step, cause: err}
	var timeout net.Error
	switch {
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	case errors.Is(err, fs.ErrNotExist):
		failed.kind = missing
	case errors.Is(err, fs.ErrPermission):
		failed.kind = denied
	case errors.As(err, &timeout) && timeout.Timeout(), s.late():
		failed.kind = late
	default:
		if status, ok := errors.AsType[*sftp.StatusError](err); ok && status.FxCode() != sftp.ErrSSHFxConnectionLost && status.FxCode() != sftp.ErrSSHFxNoConnection {
			failed.kind = unable
		}
	}
	return failed
}

// unconnected is what an error before the session means.
func (s *Session) unconnected(err error) error {
	var unreached *outbound.Error
	algorithm, _ := errors.AsType[*ssh.AlgorithmNegotiationError](err)
	failed := &Error{step: "connect", cause: err}
	switch {
	case s.ctx.Err() != nil:
		return context.Cause(s.ctx)
	case errors.As(err, &unreached):
		switch {
		case unreached.Permanent():
			failed.kind = blocked
		case unreached.Silent():
			failed.kind = late
		default:
			failed.kind = away
		}
	case errors.Is(err, errHostKey), algorithm != nil && algorithm.What == "host key":
		failed.kind = wrong
	case strings.Contains(err.Error(), "unable to authenticate"): // package ssh has no type for it
		failed.kind = refused
	default:
		return s.failed("connect", err)
	}
	return failed
}
