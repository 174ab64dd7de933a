package contentfulapi

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	assertionLife = 5 * time.Minute  // of the JWT that is exchanged; Contentful takes at most 10 minutes
	tokenLife     = 10 * time.Minute // of an access token that does not say when it ends (Contentful, "App identities")
	tokenMargin   = time.Minute      // before its end a token is renewed
)

const stepToken = "get access token"

// Tokens keeps access tokens in memory until shortly before their end. It is safe for concurrent use; one is enough for
// a process. Who needs a token that is being fetched waits for it; other tokens are served meanwhile.
type Tokens struct {
	flights singleflight.Group // by token key

	mu     sync.Mutex
	tokens map[string]accessToken // by token key
}

// NewTokens returns Tokens that hold none yet.
func NewTokens() *Tokens { return &Tokens{tokens: map[string]accessToken{}} }

// tokenKey names all that an app's token depends on, so that another key, app or environment never gets it.
func (c *Client) tokenKey(environment Environment) string {
	key := sha256.Sum256([]byte(c.Credential.PrivateKey))
	return strings.Join([]string{c.base, c.Credential.App, environment.String(), hex.EncodeToString(key[:])}, " ")
}

type accessToken struct {
	text string
	ends time.Time
}

// get returns a token that has not ended.
func (t *Tokens) get(key string, now time.Time) (text string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := t.tokens[key]
	return token.text, ok && now.Before(token.ends.Add(-tokenMargin))
}

func (t *Tokens) put(key string, token accessToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens[key] = token
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
	return text, true, err
}

// accessToken is a token of our app for an environment. An *Error of it says that the call which needs the token was not
// made.
func (c *Client) accessToken(ctx context.Context, environment Environment) (string, error) {
	key := c.tokenKey(environment)
	if text, ok := c.Tokens.get(key, c.Outbound.Now()); ok {
		return text, nil
	}
	// Others may wait for the same token, so that its fetch outlives the caller who began it; callTimeout ends it.
	flight := c.Tokens.flights.DoChan(key, func() (any, error) {
		if text, ok := c.Tokens.get(key, c.Outbound.Now()); ok {
			return text, nil // fetched since we looked
		}
		token, err := c.fetchToken(context.WithoutCancel(ctx), environment)
		if failed, ok := errors.AsType[*Error](err); ok {
			failed.unmade = true
		}
		if err != nil {
			return "", err
		}
		c.Tokens.put(key, token)
		return token.text, nil
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case landed := <-flight:
		return landed.Val.(string), landed.Err
	}
}

// fetchToken exchanges the app's assertion for an access token.
func (c *Client) fetchToken(ctx context.Context, environment Environment) (accessToken, error) {
	now := c.Outbound.Now()
	assertion, err := c.assertion(now)
	if err != nil {
		return accessToken{}, &Error{Step: stepToken, permanent: true, reason: `the private_key of "contentful" in the connection secret is not an RSA key in PEM`, cause: err}
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
		return accessToken{}, err
	}
	if answer.Token == "" || !headerValue(answer.Token) {
		return accessToken{}, &Error{Step: stepToken, reason: "Contentful's answer holds no token"}
	}
	ends := now.Add(tokenLife)
	for _, stated := range []time.Time{answer.Sys.ExpiresAt, expiry(answer.Token)} {
		if !stated.IsZero() && stated.Before(ends) {
			ends = stated
		}
	}
	return accessToken{text: answer.Token, ends: ends}, nil
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
	var stated struct {
		Exp int64 `json:"exp"`
	}
	if json.Unmarshal(claims, &stated) != nil || stated.Exp <= 0 {
		return time.Time{}
	}
	return time.Unix(stated.Exp, 0)
}
