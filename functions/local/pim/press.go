package pim

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/signature"
)

const (
	maxItems     = 500 // of a grid's selection (Akeneo help, "Action extension")
	defaultItems = 3
)

// Press is what a page asks for: a button, pressed.
type Press struct {
	Position string   `json:"position"` // "": the extension's first
	Items    int      `json:"items"`    // made-up items of a grid, 1 to 500; 0: 3
	Same     bool     `json:"same"`     // the same made-up items each time; otherwise new ones
	Products []string `json:"products"` // UUIDs: these instead of made-up ones
	Models   []string `json:"models"`   // codes of product models: likewise
	Locale   string   `json:"locale"`   // "": en_US
	Channel  string   `json:"channel"`  // "": ecommerce
	User     string   `json:"user"`     // name of one of Users; "": the first
	Mistake  Mistake  `json:"mistake"`
}

// Mistake is what is wrong with a request, to see it refused.
type Mistake string

// The mistakes that can be made.
const (
	NoMistake   Mistake = ""
	Tampered    Mistake = "tampered" // one byte changed after signing
	OtherSecret Mistake = "secret"
	Old         Mistake = "old" // signed ten minutes ago
	NoSignature Mistake = "unsigned"
)

// Pressed is the answer to a press.
type Pressed struct {
	Extension    string  `json:"extension"`
	Status       int     `json:"status"`
	Answer       string  `json:"answer"`
	Bytes        int     `json:"bytes"` // of the signed body
	Milliseconds float64 `json:"milliseconds"`
}

// Message is the sentence that the PIM shows.
func (p Pressed) Message() string {
	var answer struct{ Message string }
	if json.Unmarshal([]byte(p.Answer), &answer) != nil {
		return p.Answer
	}
	return answer.Message
}

// Press calls an extension as the PIM's server does: a new body, signed with the extension's secret.
func (p *PIM) Press(ctx context.Context, extension config.Extension, press Press) (Pressed, error) {
	signing, err := p.config.Signing.Get(ctx)
	if err != nil {
		return Pressed{}, fmt.Errorf("get signing secrets: %w", err)
	}
	if press.Position == "" && len(extension.Positions) > 0 {
		press.Position = extension.Positions[0]
	}
	request := press.request(extension.Name, p.own(signing, extension), time.Now())
	sent := time.Now()
	status, answer, err := p.send(ctx, request)
	if err != nil {
		return Pressed{}, fmt.Errorf("send the press: %w", err)
	}
	return Pressed{
		Extension: extension.Name, Status: status, Answer: string(answer), Bytes: len(request.Body),
		Milliseconds: float64(time.Since(sent).Microseconds()) / 1000,
	}, nil
}

// request is a press with its mistake.
func (p Press) request(extension string, own secrets.Extension, at time.Time) senders.Request {
	sender := senders.Action{Extension: extension, Credential: credential(own)}
	if len(own.Secrets) > 0 {
		sender.Secret = own.Secrets[0]
	}
	switch p.Mistake {
	case OtherSecret:
		sender.Secret = "another secret than the one that is configured"
	case NoSignature:
		sender = senders.Action{Extension: extension}
	case Old:
		at = at.Add(-10 * time.Minute)
	}
	request := sender.Request(p.made(at).Body())
	if p.Mistake == Tampered {
		return request.Tampered()
	}
	return request
}

// made is the press as the PIM tells it, with made-up items where none are named.
func (p Press) made(at time.Time) senders.Press {
	made := senders.Press{
		Position: p.Position, Products: p.Products, Models: p.Models, Locale: p.Locale, Channel: p.Channel, User: user(p.User), At: at,
	}
	switch {
	case len(p.Products)+len(p.Models) > 0:
	case strings.HasPrefix(p.Position, "pim.product-grid."):
		for i := range min(cmp.Or(max(p.Items, 0), defaultItems), maxItems) {
			made.Products = append(made.Products, p.item(i))
		}
	case strings.HasSuffix(p.Position, "product-model.header"): // of a sub product model, too
		made.Models = []string{"model-" + p.item(0)[:8]}
	default:
		made.Products = []string{p.item(0)}
	}
	return made
}

// item is a UUID: always the same for an index, or a random one.
func (p Press) item(i int) string {
	if p.Same {
		return fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i)
	}
	return senders.NewUUID()
}

// credential is the one that an extension is called with, or nil.
func credential(own secrets.Extension) *signature.Credential {
	if len(own.Credentials) == 0 {
		return nil
	}
	credential := signature.Credential(own.Credentials[len(own.Credentials)-1])
	return &credential
}
