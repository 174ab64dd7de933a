package credential

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"golang.org/x/sync/singleflight"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

const (
	tokenTimeout = 10 * time.Second // of one request for a token
	tokenMargin  = time.Minute      // before its end a token is renewed, or half its life before
	tokenPause   = 10 * time.Second // between fetches of tokens that the destination refuses at once
	maxTokens    = 100              // kept; one more and another is forgotten
)

// key tells credentials apart, without keeping them: one that was rotated has another.
type key [sha256.Size]byte

// tokens are those in hand.
type tokens struct {
	flights singleflight.Group

	mu   sync.Mutex
	held map[key]*token
}

// token is one that a token server gave.
type token struct {
	authorization string
	fetched       time.Time
	ends          time.Time // when it is no longer used; zero: it does not end
	accepted      bool      // a call with it was not answered 401
	style         oauth2.AuthStyle
}

func (t *token) good(now time.Time) bool { return t.ends.IsZero() || now.Before(t.ends) }

// accept notes that the destination takes a token.
func (t *tokens) accept(held *token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	held.accepted = true
}

// mayRenew says whether a token that was just refused is worth another: one that was never accepted is not, for a while. So
// a destination that refuses every token costs its token server a request each ten seconds.
func (t *tokens) mayRenew(held *token, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return held.accepted || now.Sub(held.fetched) >= tokenPause
}

// inHand is the token that was fetched before; nil if there is none, or only one that has ended or was refused.
func (t *tokens) inHand(k key, refused *token, now time.Time) *token {
	t.mu.Lock()
	defer t.mu.Unlock()
	if held := t.held[k]; held != nil && held != refused && held.good(now) {
		return held
	}
	return nil
}

func (t *tokens) keep(k key, fresh *token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, there := t.held[k]; !there && len(t.held) >= maxTokens {
		for other := range t.held {
			delete(t.held, other)
			break
		}
	}
	t.held[k] = fresh
}

func (t *tokens) style(k key) oauth2.AuthStyle {
	t.mu.Lock()
	defer t.mu.Unlock()
	if held := t.held[k]; held != nil {
		return held.style
	}
	return oauth2.AuthStyleAutoDetect
}

// token is the one in hand, or a new one. Callers at the same time share one request. Its error is a *TokenError, or the
// context's own when ctx has ended.
func (c *Client) token(ctx context.Context, credential OAuth2, r outbound.Request, refused *token) (*token, error) {
	k := key(sha256.Sum256(fmt.Appendf(nil, "%q %t", credential, r.Private)))
	if held := c.tokens.inHand(k, refused, c.outbound.Now()); held != nil {
		return held, nil
	}
	// Others may wait for the same token, so that its fetch outlives the caller who began it; the timeout ends it.
	flight := c.tokens.flights.DoChan(string(k[:]), func() (any, error) {
		if held := c.tokens.inHand(k, refused, c.outbound.Now()); held != nil {
			return held, nil // fetched since we looked
		}
		fresh, err := c.fetch(context.WithoutCancel(ctx), credential, r, c.tokens.style(k))
		if err != nil {
			return nil, err
		}
		c.tokens.keep(k, fresh)
		return fresh, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case landed := <-flight:
		if landed.Err != nil {
			return nil, landed.Err
		}
		return landed.Val.(*token), nil
	}
}

// fetch asks the token server. Where the client's credentials go is not known before: first into the header, which every
// server must know (RFC 6749, 2.3.1), and if the server refuses them, into the body, which some want.
func (c *Client) fetch(ctx context.Context, credential OAuth2, r outbound.Request, style oauth2.AuthStyle) (*token, error) {
	if style != oauth2.AuthStyleAutoDetect {
		return c.fetchIn(ctx, credential, r, style)
	}
	fresh, err := c.fetchIn(ctx, credential, r, oauth2.AuthStyleInHeader)
	if failed, ok := errors.AsType[*TokenError](err); ok && failed.refusesClient {
		return c.fetchIn(ctx, credential, r, oauth2.AuthStyleInParams)
	}
	return fresh, err
}

func (c *Client) fetchIn(ctx context.Context, credential OAuth2, r outbound.Request, style oauth2.AuthStyle) (*token, error) {
	config := clientcredentials.Config{ClientID: credential.ClientID, ClientSecret: credential.ClientSecret, TokenURL: credential.TokenURL, Scopes: strings.Fields(credential.Scope), AuthStyle: style}
	now := c.outbound.Now()
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: transport{c.outbound, r}})
	granted, err := config.Token(ctx)
	if err != nil {
		return nil, tokenError(err)
	}
	fresh := &token{authorization: granted.Type() + " " + granted.AccessToken, fetched: now, style: style}
	if !outbound.ValidHeader("Authorization", fresh.authorization) {
		return nil, &TokenError{reason: theServer + " answered with something that is no token"}
	}
	if !granted.Expiry.IsZero() {
		life := max(time.Until(granted.Expiry).Round(time.Second), 0) // the library counts by the machine's clock
		fresh.ends = now.Add(life - min(tokenMargin, life/2))
	}
	return fresh, nil
}

// transport lets the library call through our client: no redirects, HTTPS, addresses by the rule of the destination's own
// call, a bounded answer.
type transport struct {
	client *outbound.Client
	of     outbound.Request // which needs the token
}

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	defer request.Body.Close() // the library always sends one
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	header := request.Header.Clone()
	header.Set("Accept", "application/json")
	answer, err := t.client.Do(request.Context(), outbound.Request{
		Method: request.Method, URL: request.URL.String(), Header: header, Body: body, Timeout: tokenTimeout, Private: t.of.Private,
		KeepErrorBody: true, Action: t.of.Action,
	})
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(answer.Body), []byte("{")) { // whatever its type says: as text/plain the library takes it for a form
		answer.Header.Set("Content-Type", "application/json")
	}
	return &http.Response{
		StatusCode: answer.Status, Status: http.StatusText(answer.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: answer.Header, Body: io.NopCloser(bytes.NewReader(answer.Body)), ContentLength: int64(len(answer.Body)), Request: request,
	}, nil
}
