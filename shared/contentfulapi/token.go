package contentfulapi

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	assertionLife = 5 * time.Minute  // of the JWT that is exchanged; Contentful takes at most 10 minutes
	tokenLife     = 10 * time.Minute // of an access token that does not say when it ends (Contentful, "App identities")
	tokenMargin   = time.Minute      // before its end a token is renewed
)

const stepToken = "get access token"

// Tokens remembers access tokens until shortly before their end. It is safe for concurrent use; one is enough for a
// process.
type Tokens struct {
	mu     sync.Mutex // held while a token is fetched: who comes meanwhile waits for the same one
	tokens map[tokenKey]accessToken
}

// NewTokens returns an empty memory.
func NewTokens() *Tokens { return &Tokens{tokens: map[tokenKey]accessToken{}} }

// tokenKey holds all that a token depends on, so that another key or app never gets it.
type tokenKey struct {
	base, app   string
	environment Environment
	key         [sha256.Size]byte
}

type accessToken struct {
	text string
	ends time.Time
}

// drop forgets a token that was refused.
func (t *Tokens) drop(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, token := range t.tokens {
		if token.text == text {
			delete(t.tokens, key)
		}
	}
}

// bearer is the token for a call; renewable says that another can be had.
func (c *Client) bearer(ctx context.Context, r request) (text string, renewable bool, err error) {
	switch {
	case r.bearer != "":
		return r.bearer, false, nil
	case c.Credential.Token != "":
		return c.Credential.Token, false, nil
	case r.environment == nil:
		return "", false, &Error{Step: r.step, unmade: true, permanent: true, reason: `Contentful takes a personal token for this: put one as "token" under "contentful" in the connection secret`}
	}
	text, err = c.accessToken(ctx, *r.environment)
	if failed, ok := errors.AsType[*Error](err); ok {
		failed.unmade = true // of the call that the token is for
	}
	return text, true, err
}

// accessToken is a token of our app for an environment.
func (c *Client) accessToken(ctx context.Context, environment Environment) (string, error) {
	key := tokenKey{base: c.base, app: c.Credential.App, environment: environment, key: sha256.Sum256([]byte(c.Credential.PrivateKey))}
	c.Tokens.mu.Lock()
	defer c.Tokens.mu.Unlock()
	now := c.Outbound.Now()
	if token, ok := c.Tokens.tokens[key]; ok && now.Before(token.ends.Add(-tokenMargin)) {
		return token.text, nil
	}
	assertion, err := c.assertion(now)
	if err != nil {
		return "", &Error{Step: stepToken, permanent: true, reason: `the private_key of "contentful" in the connection secret is not an RSA key in PEM`, cause: err}
	}
	var answer struct {
		Token string `json:"token"`
		Sys   struct {
			ExpiresAt time.Time `json:"expiresAt"`
		} `json:"sys"`
	}
	err = c.do(ctx, request{
		step: stepToken, method: http.MethodPost, path: environment.installation(c.Credential.App, "access_tokens"), bearer: assertion,
	}, &answer)
	if err != nil {
		return "", err
	}
	if answer.Token == "" || !headerValue(answer.Token) {
		return "", &Error{Step: stepToken, reason: "Contentful's answer holds no token"}
	}
	ends := now.Add(tokenLife)
	for _, said := range []time.Time{answer.Sys.ExpiresAt, expiry(answer.Token)} {
		if !said.IsZero() && said.Before(ends) {
			ends = said
		}
	}
	c.Tokens.tokens[key] = accessToken{text: answer.Token, ends: ends}
	return answer.Token, nil
}

// assertion is the JWT (RFC 7519) with which the app says who it is, signed with RS256 (RFC 7518).
func (c *Client) assertion(now time.Time) (string, error) {
	key, err := c.Credential.key()
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(map[string]any{"iss": c.Credential.App, "iat": now.Unix(), "exp": now.Add(assertionLife).Unix()})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// expiry is when an access token that is itself a JWT says that it ends. It is ours: nothing is decided by it but
// when to fetch another.
func expiry(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return time.Time{}
	}
	var said struct {
		Exp int64 `json:"exp"`
	}
	if json.Unmarshal(claims, &said) != nil || said.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(said.Exp, 0)
}
