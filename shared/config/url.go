package config

import (
	"net"
	"net/url"
	"regexp"
	"strings"
)

// origin returns the origin of a URL, as browsers write it: lower case, without the default port and without a
// slash at the end.
func (t table) origin(key string) string {
	s := t.scalar(key)
	u := t.url(s, s.text, key)
	if u == nil {
		return ""
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		t.errorf(s.at, "write https://host alone", "%s of %s has more than scheme and host", key, t.what)
	}
	host := strings.ToLower(u.Host)
	if !hostPattern.MatchString(host) {
		t.errorf(s.at, "write the host in ASCII (xn--…)", "%s of %s has a host that cannot be", key, t.what)
	}
	if (u.Scheme == "https" && u.Port() == "443") || (u.Scheme == "http" && u.Port() == "80") {
		host = host[:strings.LastIndexByte(host, ':')]
	}
	return u.Scheme + "://" + strings.TrimSuffix(host, ":")
}

// hostPattern is what can stand in a policy of a page (frame-ancestors) without being read as something else.
var hostPattern = regexp.MustCompile(`^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]*)?$`)

// placeholder is where the PIM fills in an attribute's value (Akeneo help, "URL placeholders").
var placeholder = regexp.MustCompile(`%[A-Za-z0-9_]+%`)

// link returns a URL that may have placeholders in any part. One that begins with a placeholder is known to the PIM
// alone: it is not checked.
func (t table) link(key string) string {
	s := t.scalar(key)
	if at := placeholder.FindStringIndex(s.text); at == nil || at[0] > 0 {
		t.url(s, placeholder.ReplaceAllString(s.text, "x"), key)
	}
	return s.text
}

// url parses an absolute URL, https unless it stays on this machine. It reports what is wrong without the URL, in
// which somebody may have put a password.
func (t table) url(s scalar, text, key string) *url.URL {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		t.errorf(s.at, "write https://host/path", "%s of %s is not a URL", key, t.what)
	case u.User != nil:
		t.errorf(s.at, "remove what stands before the @", "%s of %s holds credentials", key, t.what)
	case u.Scheme != "https" && u.Scheme != "http":
		t.errorf(s.at, "use https", "%s of %s has the scheme %q", key, t.what, u.Scheme)
	case u.Scheme == "http" && t.stage != Local && !loopback(u.Hostname()):
		t.errorf(s.at, "use https; http is for this machine alone", "%s of %s is not encrypted", key, t.what)
	default:
		return u
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
