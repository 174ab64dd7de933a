package contentfulapi

import (
	"context"
	"net/http"
	"regexp"
)

// secretPattern is what Contentful takes as a signing secret ("Request verification").
var secretPattern = regexp.MustCompile(`^[0-9a-zA-Z+/=_-]{64}$`)

// SigningSecret tells the last characters of our app's signing secret: Contentful never shows all of it. "" means
// that the app has none, and calls of its App Actions fail with 409.
func (c *Client) SigningSecret(ctx context.Context) (ending string, err error) {
	const step = "read signing secret"
	path, err := c.definition(step, "signing_secret")
	if err != nil {
		return "", err
	}
	var body struct {
		RedactedValue string `json:"redactedValue"`
	}
	err = c.do(ctx, request{step: step, method: http.MethodGet, path: path}, &body)
	if NotFound(err) {
		return "", nil
	}
	return body.RedactedValue, err
}

// SetSigningSecret replaces our app's signing secret: 64 characters. It holds at once, so a receiver has to know both
// the old and the new one before.
func (c *Client) SetSigningSecret(ctx context.Context, secret string) error {
	const step = "set signing secret"
	if !secretPattern.MatchString(secret) {
		return &Error{Step: step, unmade: true, permanent: true, reason: "a signing secret has exactly 64 characters of A-Z a-z 0-9 + / = _ -"}
	}
	path, err := c.definition(step, "signing_secret")
	if err != nil {
		return err
	}
	return c.do(ctx, request{step: step, method: http.MethodPut, path: path, body: map[string]string{"value": secret}}, nil)
}
