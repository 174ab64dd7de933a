package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/sftp"
)

// sending is how far the job's whole files are on their way to an SFTP server. It is in the job's record before each next
// step: a file is known to be there under its temporary name before it is renamed, so that a temporary file which is gone
// then means that it has been.
type sending struct {
	File  int   `json:"file"`  // of all the job's files: the one in work
	Bytes int64 `json:"bytes"` // of it, that the server has
	Whole bool  `json:"whole"` // the server has all of it, under its temporary name
}

// serverOf finds the server that `to` names. Its errors never hold a value.
func serverOf(section config.Section, name string, secrets engine.Secrets) (sftp.Server, error) {
	raw := secrets.SFTP[name]
	if len(raw) == 0 {
		return sftp.Server{}, section.Errorf("to", `add it under "sftp": `+sftp.Forms, "sftp %q is not in the connection secret", name)
	}
	server, err := sftp.Parse(raw)
	if err != nil {
		return server, section.Errorf("to", sftp.Forms, "sftp %q in the connection secret %s", name, err.Error())
	}
	return server, nil
}

// send does one step: writes a part of a file, or gives it its name. done says that all files have theirs.
func (a *action) send(ctx context.Context, run engine.Run, o outline, now state) (next state, done bool, err error) {
	at := *now.Sending
	session, err := sftp.Open(ctx, a.server, func(ctx context.Context, address string) (net.Conn, error) {
		return a.client.Dial(ctx, address, a.Private)
	})
	if err != nil {
		return now, false, err
	}
	defer session.Close()
	if a.step > 0 {
		session.Step = a.step
	}
	name := o.names()[at.File]
	temporary := "." + name + "." + run.Job + ".part"
	if at.Whole {
		if err := session.Rename(temporary, name); err != nil {
			return now, false, err
		}
		at = sending{File: at.File + 1}
		now.Sending = &at
		return now, at.File == o.files(), nil
	}
	total := now.Bytes[at.File]
	source := io.NopCloser(strings.NewReader(""))
	if at.Bytes < total {
		source, err = run.Files.OpenAt(ctx, files.ExportKey(a.Keep, run.Job, name), at.Bytes)
		if errors.Is(err, files.ErrNotFound) {
			return now, false, engine.Permanent("the file was deleted before it was sent: start it again", err)
		}
		if err != nil {
			return now, false, fmt.Errorf("open file: %w", err)
		}
	}
	at.Bytes, err = session.Write(temporary, at.Bytes, total, source)
	if errors.Is(err, sftp.ErrGone) {
		at.Bytes, err = 0, nil
	} else {
		at.Whole = at.Bytes == total
	}
	if err := errors.Join(err, source.Close()); err != nil {
		return now, false, err
	}
	now.Sending = &at
	return now, false, nil
}

// sendingReason says how far it is, for the user.
func sendingReason(o outline, s state) string {
	if number := o.files(); number > 1 {
		return fmt.Sprintf("sending the files: %d of %d are sent", s.Sending.File, number)
	}
	return fmt.Sprintf("sending the file: %d of %d MB", s.Sending.Bytes>>20, s.Bytes[0]>>20)
}

// sentMessage says where the files are, for the user.
func sentMessage(o outline) string {
	if names := o.names(); len(names) == 1 {
		return ", put on the SFTP server as " + names[0]
	}
	return ", put on the SFTP server"
}
