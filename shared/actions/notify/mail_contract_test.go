package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mime/quotedprintable"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/pim-functions/pim-functions/shared/actions/notify"
)

// fakeSES answers SendEmail (POST /v2/email/outbound-emails) as AWS does.
type fakeSES struct {
	mu       sync.Mutex
	fail     string // the exception's name
	status   int
	calls    int
	messages [][]byte
	to       []string
	from     string
}

func (f *fakeSES) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	var input struct {
		Content          struct{ Raw struct{ Data []byte } }
		Destination      struct{ ToAddresses []string }
		FromEmailAddress string
	}
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	if f.fail != "" || r.Method != http.MethodPost || r.URL.Path != "/v2/email/outbound-emails" || json.Unmarshal(body, &input) != nil {
		w.Header().Set("X-Amzn-Errortype", f.fail)
		w.WriteHeader(max(f.status, 400))
		_, _ = io.WriteString(w, `{"message":"Email address is not verified: julia@example.com"}`)
		return
	}
	f.messages, f.to, f.from = append(f.messages, input.Content.Raw.Data), input.Destination.ToAddresses, input.FromEmailAddress
	_, _ = io.WriteString(w, `{"MessageId":"1"}`)
}

func newSES(t *testing.T) (*fakeSES, *notify.SES) {
	fake := &fakeSES{}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	client := sesv2.New(sesv2.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	})
	return fake, notify.NewSES(notify.SESConfig{Client: client})
}

// mailers are the adapters of the port, each with the messages that it holds.
func mailers(t *testing.T) map[string]struct {
	notify.Mailer
	sent func() [][]byte
} {
	fake, ses := newSES(t)
	folder := filepath.Join(t.TempDir(), "mail")
	type adapter = struct {
		notify.Mailer
		sent func() [][]byte
	}
	return map[string]adapter{
		"SES": {ses, func() [][]byte { return fake.messages }},
		"Folder": {notify.NewFolder(notify.FolderConfig{Path: folder, Log: slog.New(slog.DiscardHandler)}), func() (found [][]byte) {
			names, _ := filepath.Glob(filepath.Join(folder, "*.eml"))
			for _, name := range names {
				text, _ := os.ReadFile(name)
				found = append(found, text)
			}
			return found
		}},
	}
}

func letter() notify.Mail {
	return notify.Mail{
		Key: "job-1/0-0", From: mail.Address{Name: "Katalog Ä", Address: "pim@example.com"}, To: []mail.Address{{Address: "a@example.com"}, {Name: `Quoted "B", Inc.`, Address: "b@example.com"}},
		Subject: "Exporté: 3 of 5", Text: "Grüße,\n.\nFrom the PIM = 100 %\n", Sent: time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC),
	}
}

// opened is a message as a mail program reads it.
func opened(t *testing.T, message []byte) (header mail.Header, text string) {
	t.Helper()
	read, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		t.Fatalf("%v in %s", err, message)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(read.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(message), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d bytes: %.100q", len(line), line)
		}
	}
	return read.Header, string(body)
}

func TestAMailArrivesAsItIs(t *testing.T) {
	for name, m := range mailers(t) {
		t.Run(name, func(t *testing.T) {
			if err := m.SendMail(t.Context(), letter()); err != nil {
				t.Fatal(err)
			}
			sent := m.sent()
			if len(sent) != 1 {
				t.Fatalf("%d messages", len(sent))
			}
			header, text := opened(t, sent[0])
			subject, _ := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
			to, err := header.AddressList("To")
			from, fromErr := mail.ParseAddress(header.Get("From"))
			if err != nil || fromErr != nil || len(to) != 2 || to[1].Name != `Quoted "B", Inc.` || from.Name != "Katalog Ä" || from.Address != "pim@example.com" {
				t.Errorf("to %v, from %v, %v, %v", to, from, err, fromErr)
			}
			if subject != letter().Subject || text != strings.ReplaceAll(letter().Text, "\n", "\r\n") || header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%q: %q, %v", subject, text, header)
			}
			if date, err := header.Date(); err != nil || !date.Equal(letter().Sent) {
				t.Errorf("date %v, %v", date, err)
			}
		})
	}
}

func TestNoTextBeginsAHeader(t *testing.T) {
	for _, inside := range []string{"\r\nBcc: evil@example.com", "\nBcc: evil@example.com", "\rBcc: evil@example.com", "\r\n\r\nBcc: evil", "\x00Bcc:", "\u2028Bcc: evil", "ü\r\nBcc: evil@example.com", strings.Repeat("ä", 2000) + "\r\nBcc: x", strings.Repeat("x", 5000)} {
		for name, m := range mailers(t) {
			l := letter()
			l.Subject, l.From.Name, l.To[1].Name = "Hello"+inside, "Name"+inside, "Name"+inside
			if err := m.SendMail(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			header, text := opened(t, m.sent()[0])
			if len(header) != 8 || header.Get("Bcc") != "" || !strings.HasPrefix(text, "Grüße") {
				t.Errorf("%s with %q: %v", name, inside, header)
			}
		}
	}
}

func TestATextTooLongForMailIsCut(t *testing.T) {
	for name, m := range mailers(t) {
		l := letter()
		l.Text = strings.Repeat("ä", 1<<20)
		if err := m.SendMail(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if _, text := opened(t, m.sent()[0]); len(text) > 256<<10 || !strings.HasSuffix(text, "ä…") {
			t.Errorf("%s: %d bytes", name, len(text))
		}
	}
}

func TestSESIsGivenTheAddressesAlone(t *testing.T) {
	fake, ses := newSES(t)
	if err := ses.SendMail(t.Context(), letter()); err != nil || fake.from != "pim@example.com" || !slices.Equal(fake.to, []string{"a@example.com", "b@example.com"}) {
		t.Errorf("%v: from %s to %q", err, fake.from, fake.to)
	}
}

func TestWhatSESRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		refused bool
	}{
		{"MessageRejected", 400, true}, {"BadRequestException", 400, true}, {"MailFromDomainNotVerifiedException", 400, true}, {"NotFoundException", 404, true}, {"AccountSuspendedException", 400, true},
		{"TooManyRequestsException", 429, false}, {"LimitExceededException", 400, false}, {"SendingPausedException", 400, false}, {"AccessDeniedException", 403, false}, {"InternalFailure", 500, false},
	} {
		fake, ses := newSES(t)
		fake.fail, fake.status = c.name, c.status
		err := ses.SendMail(t.Context(), letter())
		if err == nil || errors.Is(err, notify.ErrMailRefused) != c.refused || !strings.Contains(err.Error(), c.name) || strings.Contains(err.Error(), "julia") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAMailSentAgainReplacesTheFileOfTheFirst(t *testing.T) {
	m := mailers(t)["Folder"]
	for range 2 {
		if err := m.SendMail(t.Context(), letter()); err != nil {
			t.Fatal(err)
		}
	}
	other := letter()
	other.Key = "job-2/0-0"
	if err := m.SendMail(t.Context(), other); err != nil || len(m.sent()) != 2 {
		t.Errorf("%d messages, %v", len(m.sent()), err)
	}
}
