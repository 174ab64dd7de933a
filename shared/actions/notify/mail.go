package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Limits of a message. Amazon SES takes 50 recipients (AWS: "Service quotas in Amazon SES"); the others are ours.
const (
	maxRecipients = 50
	maxSubject    = 200       // bytes; a longer one is cut, and ends with …
	maxName       = 100       // the same
	maxMailText   = 256 << 10 // bytes; the same
)

// Mail is one message of plain text.
type Mail struct {
	Key     string // the run's: the same when a message is sent again
	From    mail.Address
	To      []mail.Address
	Subject string
	Text    string
	Sent    time.Time
}

// ErrMailRefused marks a message that is not taken however often it is sent.
var ErrMailRefused = errors.New("message refused")

// Mailer sends messages. Safe for concurrent use.
type Mailer interface {
	// SendMail hands a message over for all its recipients; nil: it is kept durably there. An error that is
	// ErrMailRefused cannot be helped by sending again. After any other nobody knows whether it was sent: sending again
	// may bring a second one.
	SendMail(context.Context, Mail) error
}

// message is a mail as it travels (RFC 5322, RFC 2045). No text of it can begin a header: an address and a subject are
// encoded, and line breaks in the latter are spaces.
func (m Mail) message() ([]byte, error) {
	var b bytes.Buffer
	to := make([]string, len(m.To))
	for i, address := range m.To {
		to[i] = written(address)
	}
	for _, header := range [][2]string{
		{"From", written(m.From)},
		{"To", strings.Join(to, ",\r\n ")},
		{"Subject", mime.QEncoding.Encode("utf-8", subject(m.Subject))},
		{"Date", m.Sent.UTC().Format(time.RFC1123Z)},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: nobody's absence answers it
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", header[0], header[1])
	}
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	_, err := body.Write([]byte(lines(shortened(strings.ToValidUTF8(m.Text, "\uFFFD"), maxMailText))))
	err = errors.Join(err, body.Close()) // which writes the last line
	return b.Bytes(), err
}

// written is an address as a header has it, with a short name on one line.
func written(address mail.Address) string {
	address.Name = shortened(outbound.Clean(address.Name, len(address.Name)), maxName)
	return address.String()
}

// subject is one line.
func subject(text string) string {
	return shortened(outbound.Clean(text, len(text)), maxSubject)
}

// lines are the text's with the line ends of mail.
func lines(text string) string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	return strings.ReplaceAll(text, "\n", "\r\n")
}

// shortened is a text of at most limit bytes.
func shortened(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len("…")], "") + "…"
}

// parseAddress reads an address as a configuration has it: name@example.com, or Name <name@example.com>.
func parseAddress(text string) (mail.Address, error) {
	address, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return mail.Address{}, errors.New("not an address")
	}
	local, domain, _ := strings.Cut(address.Address, "@")
	// Quoted local parts and literal domains are legal, and a typing error in all cases that matter.
	if strings.ContainsAny(local, "\" \t") || strings.Contains(domain, "@") || !strings.Contains(domain, ".") || strings.HasPrefix(domain, "[") || len(address.Address) > 254 {
		return mail.Address{}, errors.New("not an address")
	}
	return *address, nil
}
