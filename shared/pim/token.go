// Package pim speaks to a PIM's REST API, politely: one call at a time, lists of a hundred, tokens that are renewed before
// they end, pauses that are kept. It reads products, models and the catalogue's structure, and says what of a product a
// locale and channel show.
//
// It knows no job, no event and no configuration; whoever calls it decides what a refusal means.
package pim

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

const (
	tokenPath   = "/api/oauth/v1/token"
	tokenLife   = time.Hour      // of a token that does not say when it ends (Akeneo: "Authentication")
	longestLife = 24 * time.Hour // that is believed; on-premise PIMs set their own
	tokenMargin = time.Minute    // before its end a token is renewed
)

// Credential is what a PIM shows of a connection (Connect > Connection settings), or a custom app's token, which does not
// end (Akeneo: "Custom apps").
type Credential struct {
	ClientID, ClientSecret, Username, Password string
	Token                                      string // of a custom app; the others are not needed then
}

// Complete says whether nothing of it is missing.
func (c Credential) Complete() bool {
	return c.Token != "" || (c.ClientID != "" && c.ClientSecret != "" && c.Username != "" && c.Password != "")
}

// TokensConfig is what Tokens need.
type TokensConfig struct {
	Outbound   *outbound.Client // its clock is that of the tokens
	URL        string           // the PIM's origin, without a final slash
	Credential Credential
}

// Tokens gives access tokens of one connection, by OAuth 2's password grant and then its refresh grant (RFC 6749, 4.3 and
// 6). A token is kept in memory until a minute before its end. It is safe for concurrent use: whoever needs a new one while it is being fetched waits
// for the same one.
type Tokens struct {
	TokensConfig

	flights singleflight.Group // of one key: there is one token

	mu      sync.Mutex
	token   string
	ends    time.Time // when it is no longer given out
	refresh string    // renews the token; "": the password does
}

// NewTokens returns Tokens that hold none yet.
func NewTokens(config TokensConfig) *Tokens { return &Tokens{TokensConfig: config} }

// Token is a token to call the PIM with. refused is the one that a call has just been answered 401 for, which is never
// given out again; "" if there is none. Its error is a *TokenError, or the context's own when ctx has ended.
func (t *Tokens) Token(ctx context.Context, refused string) (string, error) {
	if token := t.Credential.Token; token != "" {
		if token == refused {
			return "", &TokenError{Status: http.StatusUnauthorized, permanent: true, reason: "the PIM no longer accepts the custom app's token: put a new one under pims in the connection secret"}
		}
		return token, nil
	}
	if token, ok := t.inHand(refused); ok {
		return token, nil
	}
	// Others may wait for the same token, so that its fetch outlives the caller who began it; outbound's timeout ends it.
	flight := t.flights.DoChan("", func() (any, error) {
		if token, ok := t.inHand(refused); ok {
			return token, nil // fetched since we looked
		}
		granted, err := t.renew(context.WithoutCancel(ctx))
		if err != nil {
			return "", err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.token, t.refresh, t.ends = granted.token, granted.refresh, t.Outbound.Now().Add(granted.life-min(tokenMargin, granted.life/2))
		return t.token, nil
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case landed := <-flight:
		return landed.Val.(string), landed.Err
	}
}

// inHand is the token that was fetched before, if it has not ended and is not the refused one.
func (t *Tokens) inHand(refused string) (token string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.token, t.token != "" && t.token != refused && t.Outbound.Now().Before(t.ends)
}

// grant is what the PIM answers a request for a token with.
type grant struct {
	token, refresh string
	life           time.Duration
}

// renew asks by the refresh token, and by the password where there is none or it is no longer good.
func (t *Tokens) renew(ctx context.Context) (grant, error) {
	c := t.Credential
	if !c.Complete() {
		return grant{}, &TokenError{permanent: true, reason: "the connection's client_id, client_secret, username and password are not all there: put them under pims in the connection secret"}
	}
	t.mu.Lock()
	refresh := t.refresh
	t.refresh = "" // it is good for one use
	t.mu.Unlock()
	if refresh != "" {
		granted, err := t.fetch(ctx, map[string]string{"grant_type": "refresh_token", "refresh_token": refresh})
		if failed, ok := errors.AsType[*TokenError](err); err == nil || !ok || !failed.permanent {
			return granted, err
		}
	}
	return t.fetch(ctx, map[string]string{"grant_type": "password", "username": c.Username, "password": c.Password})
}

func (t *Tokens) fetch(ctx context.Context, ask map[string]string) (grant, error) {
	c := t.Credential
	body, err := json.Marshal(ask)
	if err != nil {
		return grant{}, &TokenError{permanent: true, reason: "the request for a token could not be written", cause: err}
	}
	answer, err := t.Outbound.Do(ctx, outbound.Request{
		Method: http.MethodPost, URL: t.URL + tokenPath, Body: body, KeepErrorBody: true,
		Header: http.Header{
			"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(c.ClientID+":"+c.ClientSecret))},
			"Content-Type":  {"application/json"}, "Accept": {"application/json"},
		},
	})
	if err != nil {
		return grant{}, refusal(err)
	}
	var granted struct {
		Token   string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Seconds int64  `json:"expires_in"`
	}
	if json.Unmarshal(answer.Body, &granted) != nil || granted.Token == "" || strings.ContainsFunc(granted.Token, unprintable) {
		return grant{}, &TokenError{Status: answer.Status, permanent: true, reason: "the answer holds no token: is the url of the PIM in extensions.yaml that of a PIM?"}
	}
	life := tokenLife
	if granted.Seconds > 0 {
		life = time.Duration(min(granted.Seconds, int64(longestLife/time.Second))) * time.Second
	}
	return grant{token: granted.Token, refresh: granted.Refresh, life: life}, nil
}

// unprintable is what may not stand in a header.
func unprintable(r rune) bool { return r <= ' ' || r > '~' }

// TokenError is a token that could not be had. It says nothing of what was sent.
type TokenError struct {
	Status int // of the PIM's answer; 0: none

	permanent bool
	retryAt   time.Time
	reason    string
	cause     error
}

func (e *TokenError) Error() string {
	text := "get PIM token: " + e.reason
	if e.cause != nil {
		text = fmt.Sprintf("%s: %v", text, e.cause)
	}
	return text
}

func (e *TokenError) Unwrap() error { return e.cause }

// Permanent says that asking again would end the same way.
func (e *TokenError) Permanent() bool { return e.permanent }

// Unauthorized says that the PIM does not accept the credentials: others can help.
func (e *TokenError) Unauthorized() bool {
	return e.Status == http.StatusBadRequest || e.Status == http.StatusUnauthorized || e.Status == http.StatusUnprocessableEntity
}

// RetryAt is when the PIM wants to be asked again; zero if it did not say.
func (e *TokenError) RetryAt() time.Time { return e.retryAt }

// Summary is the error in words for those who run this: what is wrong, and what to do.
func (e *TokenError) Summary() string { return e.reason }

// Reason is the error in words for a user. It names no host and no status.
func (e *TokenError) Reason() string {
	switch {
	case !e.retryAt.IsZero():
		return "the PIM is busy"
	case !e.permanent:
		return "the PIM does not answer"
	}
	return "the PIM does not accept the connection"
}

// refusal makes a TokenError of what outbound says. Of the PIM's own words only the kind of mistake is taken over, from
// both forms that they have: its own {"code","message"} and OAuth's {"error","error_description"}.
func refusal(err error) error {
	call, ok := errors.AsType[*outbound.Error](err)
	if !ok {
		return err
	}
	failed := &TokenError{Status: call.Status, permanent: call.Permanent(), retryAt: call.RetryAt(), reason: call.Summary(), cause: call.Unwrap()}
	var stated struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(call.Body, &stated) // a gateway answers in HTML; the status says enough
	const where = "correct %s of the connection in the connection secret (the PIM shows them under Connect > Connection settings)"
	switch call.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusUnprocessableEntity:
		what := "client_id, client_secret, username and password"
		switch {
		case strings.Contains(stated.Message, "client_id") || stated.Error == "invalid_client":
			what = "client_id and client_secret"
		case strings.Contains(stated.Message, "username") || stated.Error == "invalid_grant":
			what = "username and password"
		}
		failed.reason = fmt.Sprintf("the PIM refused the connection (%d): "+where, call.Status, what)
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
		failed.reason = fmt.Sprintf("the PIM has no tokens at its address (%d): is the url of the PIM in extensions.yaml that of a PIM?", call.Status)
	}
	return failed
}
