package credential

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// Client makes calls that carry credentials. It keeps the tokens that it is given, in memory, for as long as it lives: make
// one for the process. It is safe for concurrent use.
type Client struct {
	outbound *outbound.Client
	tokens   tokens
}

// New returns a Client that calls by another.
func New(client *outbound.Client) *Client {
	return &Client{outbound: client, tokens: tokens{held: map[key]*token{}}}
}

// Do makes a call with a credential, whose headers come before those of the request. Its error is that of
// outbound.Client.Do, or a *TokenError where no token could be had, in which case the destination was not called.
//
// A call that is answered 401 is made once more with a fresh OAuth2 token: the destination has refused the first. It is
// not if the token was a fresh one already.
//
// A signature (Standard Webhooks) is over the request's Idempotency-Key, which repeats share, the time of this call, and
// the body.
func (c *Client) Do(ctx context.Context, credential Credential, r outbound.Request) (*outbound.Response, error) {
	header := r.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	for name, values := range credential.header {
		header[name] = values
	}
	r.Header = header
	switch {
	case credential.oauth2 != nil:
		return c.withToken(ctx, *credential.oauth2, r)
	case credential.secret != "":
		if err := c.sign(credential.secret, r); err != nil {
			return nil, err
		}
	}
	return c.outbound.Do(ctx, r)
}

func (c *Client) withToken(ctx context.Context, credential OAuth2, r outbound.Request) (*outbound.Response, error) {
	var refused *token
	for {
		held, err := c.token(ctx, credential, r, refused)
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", held.authorization)
		response, err := c.outbound.Do(ctx, r)
		failed, isAnswer := errors.AsType[*outbound.Error](err)
		if !isAnswer || !failed.Unauthorized() {
			if err == nil || isAnswer && failed.Status != 0 {
				c.tokens.accept(held)
			}
			return response, err
		}
		if refused != nil || !c.tokens.mayRenew(held, c.outbound.Now()) {
			return nil, err
		}
		refused = held
	}
}

func (c *Client) sign(secret string, r outbound.Request) error {
	id, now := r.Header.Get("Idempotency-Key"), c.outbound.Now()
	if strings.Contains(id, ".") { // it separates what is signed
		sum := sha256.Sum256([]byte(id))
		id = hex.EncodeToString(sum[:])
	}
	signed, err := signature.SignStandardWebhooks(secret, id, now, r.Body)
	if err != nil {
		return err
	}
	r.Header.Set(signature.StandardWebhooksID, id)
	r.Header.Set(signature.StandardWebhooksTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(signature.StandardWebhooksSignature, signed)
	return nil
}
