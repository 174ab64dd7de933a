package register

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	ipaddress "github.com/pim-functions/pim-functions/shared/address"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// States of a Finding.
const (
	Fine    = "ok"
	Odd     = "warning" // works, and may not for long
	Wrong   = "failed"  // a sender would meet it
	Skipped = "skipped" // could not be looked at
)

// Finding is what one check of a deployment found.
type Finding struct {
	Check   string `json:"check"`          // dns, tls, clock, redirect, unknown-path, proof, latency
	Name    string `json:"name,omitempty"` // of the place, or the path
	State   string `json:"state"`
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
	First   int64  `json:"first_ms,omitempty"` // of the first call: cold, if nobody called lately
	Warm    int64  `json:"warm_ms,omitempty"`  // the middle of those that followed
	Limit   int64  `json:"limit_ms,omitempty"` // how long the sender waits
}

// Preflight looks at a deployment as its senders meet it: name, certificate, clock, redirects, paths that nobody owns, and
// for each declared sender whether its proof is accepted, a stranger's refused, and the answer in time. It changes nothing
// and starts nothing there. All but Signing, Links and Resolve are required.
type Preflight struct {
	Prober
	Config  *config.Config
	Signing *secrets.Signing // nil: the document is not known here, and no proof is tried
	Links   *secrets.Links   // nil: likewise
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
	Report  func(Finding) // is told of each, in the order in which they are found
}

const (
	warmCalls     = 5
	clockLeeway   = 30 * time.Second // Contentful's signatures live as long
	renewedBefore = 14 * 24 * time.Hour
)

// limit is how long a sender waits for our answer (Akeneo: "Events API", "Limits"; "Event Platform", "Concepts"; help,
// "Action extension"); where none is documented, as for a button.
func (p Place) limit() time.Duration {
	if p.Kind == OfEventsAPI {
		return 500 * time.Millisecond
	}
	return 5 * time.Second
}

// Run makes all checks and says whether none found something wrong. It ends early where nothing more can be learned.
func (p Preflight) Run(ctx context.Context) bool {
	good := true
	report := p.Report
	p.Report = func(f Finding) {
		good = good && f.State != Wrong
		report(f)
	}
	if !p.resolve(ctx) {
		return good
	}
	ahead, reached := p.reach(ctx)
	if !reached {
		return good
	}
	p.Ahead = ahead
	p.unknownPaths(ctx)
	for _, place := range SecretPlaces(p.Config) {
		p.place(ctx, place)
	}
	return good
}

// resolve finds the host's addresses.
func (p Preflight) resolve(ctx context.Context) bool {
	host := p.Base.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		p.Report(Finding{Check: "dns", State: Skipped, Message: host + " is this machine or a bare address"})
		return true
	}
	look := p.Resolve
	if look == nil {
		look = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	found, err := look(ctx, host)
	if err != nil || len(found) == 0 {
		p.Report(Finding{Check: "dns", State: Wrong, Message: host + " has no address", Remedy: "take the output ApiUrl, or add the record of the domain"})
		return false
	}
	if slices.ContainsFunc(found, func(a netip.Addr) bool { return !ipaddress.Public(a) }) {
		p.Report(Finding{Check: "dns", State: Odd, Message: host + " has an address in a private network", Remedy: "senders call from the internet: they need a public one"})
		return true
	}
	p.Report(Finding{Check: "dns", State: Fine, Message: fmt.Sprintf("%s has %d addresses", host, len(found))})
	return true
}

// reach makes the first call, and says how far this machine's clock is ahead.
func (p Preflight) reach(ctx context.Context) (ahead time.Duration, reached bool) {
	answer, err := p.stranger(ctx, http.MethodPost, "/event-platform/"+unknownName)
	if err != nil {
		p.Report(Finding{Check: "tls", State: Wrong, Message: "no answer: " + err.Error(), Remedy: "check the address, the certificate and what stands in front of it"})
		return 0, false
	}
	switch left := answer.Certificate.Sub(p.Now()); {
	case p.Base.Scheme != "https":
		p.Report(Finding{Check: "tls", State: Skipped, Message: "this machine is called without TLS; senders take https alone"})
	case left < renewedBefore:
		p.Report(Finding{Check: "tls", State: Odd, Message: "the certificate ends " + answer.Certificate.Format(time.DateOnly), Remedy: "renew it: without a valid one no sender calls"})
	default:
		p.Report(Finding{Check: "tls", State: Fine, Message: "the certificate is valid until " + answer.Certificate.Format(time.DateOnly)})
	}
	if answer.Date.IsZero() {
		p.Report(Finding{Check: "clock", State: Skipped, Message: "the deployment does not say its time"})
		return 0, true
	}
	ahead = p.Now().Sub(answer.Date)
	if ahead.Abs() <= clockLeeway {
		p.Report(Finding{Check: "clock", State: Fine, Message: "this machine's clock and the deployment's agree"})
		return 0, true
	}
	word := "ahead of"
	if ahead < 0 {
		word = "behind"
	}
	p.Report(Finding{
		Check: "clock", State: Wrong, Message: fmt.Sprintf("this machine's clock is %s %s the deployment's", ahead.Abs().Round(time.Second), word),
		Remedy: "set the one that is wrong: signed times may differ by seconds only. The checks below use the deployment's",
	})
	return ahead, true
}

// unknownName is what no configuration has: names have no dot.
const unknownName = "nobody.has.this.name"

// stranger calls without a proof.
func (p Preflight) stranger(ctx context.Context, method, path string) (Answer, error) {
	return p.send(ctx, senders.Request{Method: method, Path: path, Header: map[string]string{}})
}

// unknownPaths looks at what is answered where nobody is: a 404 or a redirect there suspends a subscription at once.
func (p Preflight) unknownPaths(ctx context.Context) {
	for _, path := range []string{"/event-platform/" + unknownName, "/events-api/" + unknownName, "/" + unknownName} {
		finding := Finding{Check: "unknown-path", Name: path, State: Fine, Message: "an unknown path is refused, not missing"}
		answer, err := p.stranger(ctx, http.MethodPost, path)
		switch {
		case err != nil:
			finding.State, finding.Message = Wrong, "no answer: "+err.Error()
		case answer.Location != "" || answer.Status >= 300 && answer.Status < 400:
			finding.Check, finding.State, finding.Message = "redirect", Wrong, "the address redirects"
			finding.Remedy = "register the address that it redirects to: a sender that is redirected stops sending"
		case answer.Status == http.StatusNotFound:
			finding.State, finding.Message = Wrong, "an unknown path is answered as missing"
			finding.Remedy = "let the route $default reach the function eventplatform: the Event Platform suspends a subscription at the first such answer"
		case !answer.Refused():
			finding.State, finding.Message = Wrong, fmt.Sprintf("an unknown path is answered %d instead of refused", answer.Status)
			finding.Remedy = "look at what stands in front of the functions, and at their logs"
		}
		p.Report(finding)
	}
}

// place looks at one declared sender.
func (p Preflight) place(ctx context.Context, place Place) {
	finding := Finding{Check: "proof", Name: place.Name, Limit: place.limit().Milliseconds()}
	fail := func(state, message, remedy string) {
		finding.State, finding.Message, finding.Remedy = state, message, remedy
		p.Report(finding)
	}
	keys, known := p.keys(place)
	switch {
	case !known:
		fail(Skipped, "its secrets are not known here", "name the secret documents")
		return
	case keys.Empty() && p.Config.Extensions[place.Target].Unsigned:
		fail(Odd, "open to everybody, as extensions.yaml says (unsigned: true)", "")
		return
	case keys.Empty():
		fail(Wrong, "no secret is in the document: every call is refused", "run make secrets")
		return
	}
	first, err := p.Ask(ctx, place, keys)
	if problem := p.judge(first, err); problem != "" {
		fail(Wrong, problem, "if it was changed lately, wait five minutes; else look at the function's log: the reason stands there")
		return
	}
	for _, former := range each(keys.Former()) {
		if answer, err := p.Ask(ctx, place, former); p.judge(answer, err) != "" {
			fail(Wrong, "an older secret that the document still has is refused", "wait five minutes and look again")
			return
		}
	}
	if answer, err := p.Ask(ctx, place, wrong(keys)); err != nil || !answer.Refused() {
		fail(Wrong, "a wrong signature is not refused", "look at what answers there: it is not this project's function")
		return
	}
	var took []time.Duration
	for range warmCalls {
		answer, err := p.Ask(ctx, place, keys)
		if problem := p.judge(answer, err); problem != "" {
			fail(Wrong, "accepted at first, and then not: "+problem, "look at the function's log")
			return
		}
		took = append(took, answer.Took)
	}
	slices.Sort(took)
	warm, limit := took[len(took)/2], place.limit()
	finding.First, finding.Warm = first.Took.Milliseconds(), warm.Milliseconds()
	timing := fmt.Sprintf("first %d ms, then %d ms; its sender waits %d ms", finding.First, finding.Warm, finding.Limit)
	switch {
	case warm >= limit:
		finding.Check = "latency"
		fail(Wrong, "too slow: "+timing, "look at the function's duration, and from where you call")
	case first.Took >= limit:
		finding.Check = "latency"
		fail(Odd, "the first call was too slow: "+timing, "after a pause the sender may give up once: keep an instance warm")
	default:
		fail(Fine, "its proof is accepted, a wrong one refused; "+timing, "")
	}
}

// keys of a place, and whether they are known.
func (p Preflight) keys(place Place) (Keys, bool) {
	if place.Kind == OfLinks {
		if p.Links == nil {
			return Keys{}, false
		}
		return Keys{Secrets: []string{p.Links.Current}}, true
	}
	if p.Signing == nil {
		return Keys{}, false
	}
	return place.Keys(*p.Signing), true
}

// judge says what is wrong with the answer to a good proof; "": nothing.
func (p Prober) judge(answer Answer, err error) string {
	switch {
	case err != nil:
		return "no answer: " + err.Error()
	case answer.Proven():
		return ""
	case answer.Refused():
		return "the newest secret of the document is refused"
	case answer.Status >= 300 && answer.Status < 400:
		return "the address redirects, which senders take for an error"
	case answer.Status == http.StatusServiceUnavailable:
		return "the function cannot read its secrets"
	}
	return fmt.Sprintf("answered %d instead of accepted", answer.Status)
}

// each are the keys one by one: of two lists the same position.
func each(keys Keys) (all []Keys) {
	for i := range max(len(keys.Secrets), len(keys.Credentials)) {
		one := Keys{}
		if n := len(keys.Secrets); n > 0 {
			one.Secrets = keys.Secrets[min(i, n-1):][:1]
		}
		if n := len(keys.Credentials); n > 0 {
			one.Credentials = keys.Credentials[min(i, n-1):][:1]
		}
		all = append(all, one)
	}
	return all
}

// wrong are keys of the same kinds that nobody has.
func wrong(keys Keys) Keys {
	text := strings.Repeat(rand.Text(), 3)[:secretLength]
	none := Keys{}
	if len(keys.Secrets) > 0 {
		none.Secrets = []string{text}
	}
	for _, credential := range keys.Newest().Credentials {
		none.Credentials = []secrets.Credential{changed(credential, text)}
	}
	return none
}

// changed is a credential with another text in the part that nobody else may know.
func changed(c secrets.Credential, text string) secrets.Credential {
	switch c.Type {
	case "basic":
		c.Password = text
	case "header":
		c.Value = text
	default:
		c.Token = text
	}
	return c
}
