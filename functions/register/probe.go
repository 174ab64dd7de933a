package register

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// probeTime is how long a probe waits: longer than any sender, so that what is slow is measured.
const probeTime = 15 * time.Second

// Origin is the address of a deployment: https://HOST, perhaps with a path, or http of this machine.
func Origin(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(raw, "/"))
	local := err == nil && u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost")
	if err != nil || u.Scheme != "https" && !local || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("public URL %q: want https://HOST, perhaps with a path", raw)
	}
	return u, nil
}

// Prober asks a deployment, as its senders do, whether it accepts a secret. What it sends starts nothing and leaves nothing
// behind: a signed empty body, a token without a task, a link to no file; and it is marked, so that it counts as nobody's use.
type Prober struct {
	Base   *url.URL
	Client *http.Client // ProbeClient's
	Now    func() time.Time
	Ahead  time.Duration // how far this machine's clock is ahead of the deployment's
}

// ProbeClient makes the client of a Prober: it follows no redirect, because the senders take one for an error.
func ProbeClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport, Timeout: probeTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Answer is what came of a probe.
type Answer struct {
	Status      int
	Location    string // of a redirect
	Took        time.Duration
	Date        time.Time // the deployment's clock; zero: it did not say
	Certificate time.Time // when the deployment's certificate ends; zero: there is none
	Fresh       bool      // the connection was made for this probe
}

// Proven says that the deployment accepted the proof. What it says to a proven probe differs from sender to sender: that
// it was reached, that the body is empty, that the file is gone.
func (a Answer) Proven() bool {
	return slices.Contains([]int{http.StatusOK, http.StatusBadRequest, http.StatusGone, http.StatusUnprocessableEntity}, a.Status)
}

// Refused says that the deployment took the probe for a stranger's.
func (a Answer) Refused() bool {
	return a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden
}

// Ask probes a place with the newest of some keys. An error means that no answer came.
func (p Prober) Ask(ctx context.Context, place Place, keys Keys) (Answer, error) {
	answer, err := p.send(ctx, p.request(place, keys.Newest()))
	if place.Kind == OfLinks && err == nil && answer.Proven() { // two functions prove links
		return p.send(ctx, p.link(signature.LinkCallback, http.MethodPost, "/callbacks/probe/probe", keys.Newest()))
	}
	return answer, err
}

// link is a call of a link to nothing.
func (p Prober) link(kind, method, path string, keys Keys) senders.Request {
	secret := ""
	if len(keys.Secrets) > 0 {
		secret = keys.Secrets[0]
	}
	link := signature.Link{Kind: kind, Job: "probe", Name: "probe", Until: p.now().Add(time.Minute)}
	query, _ := url.ParseQuery(signature.SignLink(secret, link)) // it is one
	return senders.Request{Method: method, Path: path, Query: query, Header: map[string]string{}}
}

// now is the deployment's time, for what is signed with one.
func (p Prober) now() time.Time { return p.Now().Add(-p.Ahead) }

// request is what the sender of a place would send, with nothing in it.
func (p Prober) request(place Place, keys Keys) senders.Request {
	secret := ""
	if len(keys.Secrets) > 0 {
		secret = keys.Secrets[0]
	}
	var credential *signature.Credential
	if len(keys.Credentials) > 0 {
		own := signature.Credential(keys.Credentials[0])
		credential = &own
	}
	switch place.Kind {
	case OfIframe:
		return senders.Iframe{Extension: place.Target, Secret: secret, User: "00000000-0000-0000-0000-000000000000", At: p.now(), Life: time.Minute}.Request(http.MethodPost, "/verify", nil)
	case OfData:
		return senders.Data{Extension: place.Target, Credential: credential}.Request("")
	case OfEvents:
		return senders.EventPlatform{PIM: place.Target, Primary: secret}.Event(nil)
	case OfNotifications:
		return senders.EventPlatform{PIM: place.Target, Primary: secret}.Notification(nil)
	case OfEventsAPI:
		return senders.EventsAPI{PIM: place.Target, Secret: secret, At: p.now()}.Request(nil)
	case OfContentful:
		space, environment, _ := strings.Cut(place.Space, "/")
		return senders.Contentful{
			Action: place.Target, Secret: secret, Prefix: p.Base.EscapedPath(), At: p.now(), Space: space, Environment: environment,
		}.Request(nil)
	case OfLinks:
		return p.link(signature.LinkFiles, http.MethodGet, "/files/probe/probe", keys)
	}
	return senders.Action{Extension: place.Target, Secret: secret, Credential: credential}.Request(nil)
}

// send makes the call, and measures it without the time that finding and reaching the host takes.
func (p Prober) send(ctx context.Context, request senders.Request) (Answer, error) {
	request.Header[gate.ProbeHeader] = "1"
	var answer Answer
	var connected time.Time
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { connected, answer.Fresh = p.Now(), !info.Reused }})
	call, err := request.HTTP(ctx, p.Base)
	if err != nil {
		return Answer{}, err
	}
	connected = p.Now()
	response, err := p.Client.Do(call)
	if err != nil {
		return Answer{}, unreached(err)
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return Answer{}, unreached(err)
	}
	answer.Status, answer.Location, answer.Took = response.StatusCode, response.Header.Get("Location"), p.Now().Sub(connected)
	answer.Date, _ = http.ParseTime(response.Header.Get("Date"))
	if state := response.TLS; state != nil && len(state.PeerCertificates) > 0 {
		answer.Certificate = state.PeerCertificates[0].NotAfter
	}
	return answer, nil
}

// unreached is an error of a probe without the address that it asked, whose query may hold a proof.
func unreached(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("the certificate is not valid: %w", err)
	}
	return err
}
