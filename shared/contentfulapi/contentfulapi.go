// Package contentfulapi speaks to Contentful's management API as far as App Actions need it: calling them, and keeping
// their definitions and the app's signing secret.
//
// It repeats nothing by itself, but for one renewal of a token that has ended: whether a call may be made again is
// for the caller to say, and an Error tells what is known (Refused, Permanent, RetryAt).
package contentfulapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

// DefaultHost is the API of customers without data residency; those in the EU use https://api.eu.contentful.com.
const DefaultHost = "https://api.contentful.com"

const (
	mediaType = "application/vnd.contentful.management.v1+json"
	maxAnswer = 1 << 20 // bytes of an answer: a page of 100 definitions with their schemas
)

// Config is what a Client needs.
type Config struct {
	Outbound   *outbound.Client // its clock is the client's too
	Host       string           // "": DefaultHost; https:// may be left out
	Credential Credential
	Tokens     *Tokens // where access tokens are remembered; outlives the client
	Label      string  // of the calls, for who observes them; may be empty
}

// Client speaks to the management API with one credential. It is cheap to make and safe for concurrent use.
type Client struct {
	Config
	base string
}

// New returns a Client. It fails where no call could be made: a host that is none, a credential that is incomplete.
func New(config Config) (*Client, error) {
	base, err := baseURL(config.Host)
	if err != nil {
		return nil, err
	}
	if err := config.Credential.check(); err != nil {
		return nil, err
	}
	return &Client{Config: config, base: base}, nil
}

// CheckHost says whether a host can be used as Config.Host.
func CheckHost(host string) error {
	_, err := baseURL(host)
	return err
}

func baseURL(host string) (string, error) {
	switch {
	case host == "":
		return DefaultHost, nil
	case !strings.Contains(host, "://"):
		host = "https://" + host
	}
	parsed, err := url.Parse(host)
	if err != nil || parsed.Host == "" || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" ||
		(parsed.Scheme != "https" && parsed.Scheme != "http") {
		return "", fmt.Errorf("host %q is not that of an API", host)
	}
	return strings.TrimSuffix(parsed.String(), "/"), nil
}

// Environment is a space and one of its environments, or an alias of one.
type Environment struct{ Space, ID string }

// idPattern is what Contentful takes as the ID of a resource ("Resource IDs").
var idPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ValidID says whether a text can be the ID of a resource. Only such texts become part of a URL.
func ValidID(id string) bool { return idPattern.MatchString(id) && strings.Trim(id, ".") != "" }

// ParseEnvironment reads SPACE/ENVIRONMENT.
func ParseEnvironment(text string) (Environment, error) {
	space, id, _ := strings.Cut(text, "/")
	if !ValidID(space) || !ValidID(id) {
		return Environment{}, fmt.Errorf("%q is not a space and an environment", text)
	}
	return Environment{Space: space, ID: id}, nil
}

func (e Environment) String() string { return e.Space + "/" + e.ID }

func (e Environment) path() []string { return []string{"spaces", e.Space, "environments", e.ID} }

// installation is the path of an app in the environment. Contentful's pages call its last part the ID of the
// installation; what its own client puts there, and what works, is the ID of the app's definition.
func (e Environment) installation(app string, more ...string) []string {
	return append(append(e.path(), "app_installations", app), more...)
}

// request is one call of the API.
type request struct {
	step        string // for errors: what it is for
	method      string
	path        []string
	query       string
	body        any          // nil: none
	environment *Environment // where the app's own token is needed; nil: an organization's route, a personal token
	bearer      string       // instead of the credential's
}

// do makes a call and reads its answer into out (nil: nothing is read). A token of ours that has ended is renewed once.
func (c *Client) do(ctx context.Context, r request, out any) error {
	for _, part := range r.path {
		if !ValidID(part) {
			return &Error{Step: r.step, unmade: true, permanent: true, reason: fmt.Sprintf("%q is not an ID of Contentful", part)}
		}
	}
	for renewed := false; ; renewed = true {
		bearer, renewable, err := c.bearer(ctx, r)
		if err != nil {
			return err
		}
		err = c.once(ctx, r, bearer, out)
		if failed, ok := errors.AsType[*Error](err); ok && failed.Status == http.StatusUnauthorized && renewable && !renewed {
			c.Tokens.drop(bearer)
			continue
		}
		return err
	}
}

func (c *Client) once(ctx context.Context, r request, bearer string, out any) error {
	call := outbound.Request{
		Method: r.method, URL: c.base + "/" + strings.Join(r.path, "/") + r.query,
		Header: http.Header{"Authorization": {"Bearer " + bearer}, "Accept": {mediaType}}, Timeout: callTimeout,
		MaxBody: maxAnswer, KeepErrorBody: true, Action: c.Label,
	}
	if r.body != nil {
		body, err := encode(r.body)
		if err != nil {
			return &Error{Step: r.step, unmade: true, permanent: true, reason: "the request to Contentful could not be written", cause: err}
		}
		call.Body = body
		call.Header.Set("Content-Type", mediaType)
	}
	answer, err := c.Outbound.Do(ctx, call)
	if err != nil {
		return c.failure(r.step, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		// Contentful has done what was asked; only what came of it is not known.
		return &Error{Step: r.step, Status: answer.Status, reason: "Contentful's answer could not be read"}
	}
	return nil
}

// callTimeout of one call. Contentful answers a call of an App Action before the action has run.
const callTimeout = 15 * time.Second

// encode writes JSON as it was meant: no escapes for HTML.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// link is how Contentful names another resource.
type link struct {
	Sys struct {
		ID string `json:"id"`
	} `json:"sys"`
}
