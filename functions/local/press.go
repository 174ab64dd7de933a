package local

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// mostItems is how many items a grid lets a user select.
const mostItems = 500

// Press is a button pressed in the PIM that we play.
type Press struct {
	Position string   `json:"position"` // "": the extension's first
	Items    int      `json:"items"`    // of a grid, 1 to 500; 0: 3
	Same     bool     `json:"same"`     // the same items each time; otherwise new ones
	Products []string `json:"products"` // UUIDs: these instead of made-up ones
	Models   []string `json:"models"`   // codes of product models
	Locale   string   `json:"locale"`   // "": en_US
	Channel  string   `json:"channel"`  // "": ecommerce
	User     string   `json:"user"`     // one of users; "": julia
	Mistake  Mistake  `json:"mistake"`
}

// chosen says whether the press names its items.
func (p Press) chosen() bool { return len(p.Products)+len(p.Models) > 0 }

// Mistake is what is wrong with a press, to see it refused.
type Mistake string

// The mistakes that can be made.
const (
	NoMistake   Mistake = ""
	Tampered    Mistake = "tampered" // one byte changed after signing
	OtherSecret Mistake = "secret"
	Old         Mistake = "old" // signed ten minutes ago
	NoSignature Mistake = "unsigned"
)

// Pressed is what came of a press.
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

// Press sends what the PIM would: a fresh body, signed with the extension's secret, through the real port.
func (s *System) Press(ctx context.Context, extension config.Extension, press Press) (Pressed, error) {
	if press.Position == "" && len(extension.Positions) > 0 {
		press.Position = extension.Positions[0]
	}
	at := time.Now()
	if press.Mistake == Old {
		at = at.Add(-10 * time.Minute)
	}
	body, err := press.body(at)
	if err != nil {
		return Pressed{}, fmt.Errorf("make the body of a press: %w", err)
	}
	signing, err := s.signing.Get(ctx)
	if err != nil {
		return Pressed{}, fmt.Errorf("get signing secrets: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/actions/"+extension.Name, nil)
	if err != nil {
		return Pressed{}, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	prove(request.Header, signing.Extensions[extension.Name], press.Mistake, body)
	if press.Mistake == Tampered {
		body = bytes.Replace(body, []byte(`"julia"`), []byte(`"julie"`), 1)
	}
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))

	sent := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return Pressed{}, fmt.Errorf("send the press: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return Pressed{}, fmt.Errorf("read the answer: %w", err)
	}
	return Pressed{
		Extension: extension.Name, Status: answer.StatusCode, Answer: string(text), Bytes: len(body),
		Milliseconds: float64(time.Since(sent).Microseconds()) / 1000,
	}, nil
}

// prove puts on a request what the PIM would: signature and credential, whichever is configured.
func prove(header http.Header, own secrets.Extension, mistake Mistake, body []byte) {
	if mistake == NoSignature {
		return
	}
	switch {
	case mistake == OtherSecret:
		header.Set("signature", signature.SignAction("another secret than the one that is configured", body))
	case len(own.Secrets) > 0:
		header.Set("signature", signature.SignAction(own.Secrets[0], body))
	}
	if credential := own.Credential; credential != nil {
		switch credential.Type {
		case signature.BasicCredential:
			header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credential.Username+":"+credential.Password)))
		case signature.BearerCredential:
			header.Set("Authorization", "Bearer "+credential.Token)
		case signature.HeaderCredential:
			header.Set(credential.Name, credential.Value)
		}
	}
}

// body is a press as the PIM sends it since January 2026 (Akeneo help, "Action extension").
func (p Press) body(at time.Time) ([]byte, error) {
	type pimContext struct {
		Locale  string `json:"locale"`
		Channel string `json:"channel"`
	}
	return json.Marshal(struct {
		Data      any        `json:"data"`
		Context   pimContext `json:"context"`
		User      User       `json:"user"`
		Timestamp int64      `json:"timestamp"`
	}{
		Data:      p.data(),
		Context:   pimContext{cmp.Or(p.Locale, "en_US"), cmp.Or(p.Channel, "ecommerce")},
		User:      user(p.User),
		Timestamp: at.Unix(),
	})
}

// data is what the press is about, which depends on where the button is.
func (p Press) data() any {
	switch {
	case strings.HasPrefix(p.Position, "pim.product-grid."):
		products, models := p.Products, p.Models
		if !p.chosen() {
			products = make([]string, min(cmp.Or(max(p.Items, 0), 3), mostItems))
			for i := range products {
				products[i] = p.item(i)
			}
		}
		return struct {
			Products []string `json:"productUuids"`
			Models   []string `json:"productModelCodes"`
		}{append([]string{}, products...), append([]string{}, models...)}
	case p.Position == "pim.product.index":
		return struct{}{}
	case len(p.Models) > 0:
		return map[string]string{"productModelCode": p.Models[0]}
	case len(p.Products) > 0:
		return map[string]string{"productUuid": p.Products[0]}
	case strings.HasSuffix(p.Position, "product-model.header"): // of a sub product model, too
		return map[string]string{"productModelCode": "model-" + p.item(0)[:8]}
	}
	return map[string]string{"productUuid": p.item(0)}
}

// item is a UUID (RFC 9562, version 4): always the same for an index, or random.
func (p Press) item(i int) string {
	if p.Same {
		return fmt.Sprintf("63139bf3-a7f7-4eaa-ba5e-%012d", i)
	}
	var b [16]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
