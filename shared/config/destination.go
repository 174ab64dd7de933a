package config

import (
	"net/netip"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pim-functions/pim-functions/shared/address"
)

// destinationURL reports a URL of an action that no call could be made to. Where a name leads is known when a call is
// made alone (package outbound); an address that is written out is known now. What else is right for the key is its
// kind's business. Problems do not hold the URL, in which somebody may have put a password.
//
// remedy is for an address in a private network: what opens it, if anything does.
func (t table) destinationURL(key, remedy string) {
	e, ok := t.find(key)
	if !ok || e.value.Kind != yaml.ScalarNode || t.unset[e.value] || strings.HasPrefix(e.value.Value, "secret:") {
		return // its kind reports what is no text; a secret's value is not known here
	}
	scheme, rest, found := strings.Cut(e.value.Value, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, rest := rest[:end], rest[end:]
	switch {
	case !found:
		t.errorf(e.value, "write https://host/path", "%s of %s is not a URL", key, t.what)
		return
	case strings.Contains(host, "{{"):
		t.errorf(e.value, "write the host out, or as ${NAME} of environments", "%s of %s has a template as its host", key, t.what)
		return
	case strings.Contains(rest, "{{"):
		rest = "/" // what a template makes is checked when it is made
	}
	if _, err := url.PathUnescape(rest); err != nil && placeholder.MatchString(rest) {
		t.errorf(e.value, "remove it: the PIM fills in placeholders of links alone", "%s of %s has the placeholder %s", key, t.what, placeholder.FindString(rest))
		return
	}
	u := t.url(scalar{e.value, e.value.Value}, scheme+"://"+host+rest, key)
	if u == nil || t.stage == Local {
		return
	}
	t.reachable(e.value, u, key, remedy)
}

// reachable reports a host that calls would be refused to.
func (t table) reachable(at *yaml.Node, u *url.URL, key, remedy string) {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ip, err := netip.ParseAddr(host)
	private := false
	if e, ok := t.find("private"); ok {
		_ = e.value.Decode(&private) // its kind reports what is no truth value
	}
	switch {
	case host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.Unmap().IsLoopback():
		t.errorf(at, "use a host that the function can reach; this machine is for stage local", "%s of %s leads to the function's own machine", key, t.what)
	case address.Numeric(host):
		t.errorf(at, "write a name, or four decimal numbers", "%s of %s has a number as its host", key, t.what)
	case err == nil && address.Private(ip) && !private:
		t.errorf(at, remedy, "%s of %s is in a private network", key, t.what)
	case err == nil && !address.Private(ip) && !address.Public(ip):
		t.errorf(at, "use a public address", "%s of %s is an address that is not public", key, t.what)
	}
}
