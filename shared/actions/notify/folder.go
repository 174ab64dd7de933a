package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// FolderConfig is what a Folder needs.
type FolderConfig struct {
	Path    string // made when the first message comes
	Log     *slog.Logger
	Observe func(Mail) // sees each message that was written; may be nil
}

// Folder is a Mailer for the local system: each message is a file that a mail program opens. One that is sent again
// replaces the first.
type Folder struct{ FolderConfig }

var _ Mailer = (*Folder)(nil)

// NewFolder returns a Folder.
func NewFolder(config FolderConfig) *Folder { return &Folder{config} }

// SendMail implements Mailer.
func (f *Folder) SendMail(ctx context.Context, m Mail) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	message, err := m.message()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMailRefused, err)
	}
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return fmt.Errorf("make the folder of messages: %w", err)
	}
	sum := sha256.Sum256([]byte(m.Key))
	name := filepath.Join(f.Path, hex.EncodeToString(sum[:8])+".eml")
	if err := os.WriteFile(name+".part", message, 0o600); err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	if err := os.Rename(name+".part", name); err != nil {
		return fmt.Errorf("write the message: %w", err)
	}
	f.Log.InfoContext(ctx, "e-mail written", "file", name, "recipients", len(m.To))
	if f.Observe != nil {
		f.Observe(m)
	}
	return nil
}
