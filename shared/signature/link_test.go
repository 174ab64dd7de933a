package signature_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

const linkSecret = "a-secret-of-links-0123456789abcdef"

var (
	linkNow = time.Unix(1764072000, 0)
	link    = signature.Link{Kind: signature.LinkFiles, Job: "export_all-AAAAAAAAAAAAAAAAAAAAAA", Name: "catalogue 2026.csv", Until: linkNow.Add(7 * 24 * time.Hour)}
)

// linkReason is why a link is refused; "" if it is not.
func linkReason(t *testing.T, secrets []string, l signature.Link, query string, now time.Time) string {
	t.Helper()
	got, err := signature.VerifyLink(secrets, signature.Link{Kind: l.Kind, Job: l.Job, Name: l.Name}, query, now)
	if err == nil {
		if !got.Until.Equal(link.Until) {
			t.Errorf("until %s, want %s", got.Until, link.Until)
		}
		return ""
	}
	failed, ok := errors.AsType[*signature.Error](err)
	if !ok {
		t.Fatalf("error %v (%T)", err, err)
	}
	return failed.Reason
}

// The proof was computed by another implementation of HMAC-SHA256 over the documented form.
func TestALinkHasTheDocumentedForm(t *testing.T) {
	if got, want := signature.SignLink(linkSecret, link), "until=1764676800&proof=kMLa5bqYBGCsNX-F2v1BjQqYgB51kNNc56H_K0r_an0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestVerifyLink(t *testing.T) {
	good := signature.SignLink(linkSecret, link)
	proof := strings.TrimPrefix(good, "until=1764676800&proof=")
	other := func(change func(*signature.Link)) signature.Link {
		changed := link
		change(&changed)
		return changed
	}
	for _, c := range []struct {
		name    string
		secrets []string
		link    signature.Link
		query   string
		now     time.Time
		want    string
	}{
		{"as it was made", []string{linkSecret}, link, good, linkNow, ""},
		{"the last second", []string{linkSecret}, link, good, link.Until.Add(-time.Second), ""},
		{"the order of the query", []string{linkSecret}, link, "proof=" + proof + "&until=1764676800", linkNow, ""},
		{"with another parameter", []string{linkSecret}, link, good + "&utm=x", linkNow, ""},
		{"the secret before", []string{"the-new-secret", linkSecret}, link, good, linkNow, ""},
		{"its time is over", []string{linkSecret}, link, good, link.Until, signature.LinkExpired},
		{"another secret", []string{"another"}, link, good, linkNow, signature.SignatureMismatch},
		{"no secret", nil, link, good, linkNow, signature.NoProofConfigured},
		{"an empty secret", []string{""}, link, signature.SignLink("", link), linkNow, signature.NoProofConfigured},
		{"an empty secret beside", []string{"", "x"}, link, signature.SignLink("", link), linkNow, signature.SignatureMismatch},
		{"another kind", []string{linkSecret}, other(func(l *signature.Link) { l.Kind = signature.LinkCallback }), good, linkNow, signature.SignatureMismatch},
		{"another job", []string{linkSecret}, other(func(l *signature.Link) { l.Job += "x" }), good, linkNow, signature.SignatureMismatch},
		{"another name", []string{linkSecret}, other(func(l *signature.Link) { l.Name = "x" }), good, linkNow, signature.SignatureMismatch},
		{"fields moved", []string{linkSecret}, other(func(l *signature.Link) { l.Job, l.Name = l.Job+l.Name[:1], l.Name[1:] }), good, linkNow, signature.SignatureMismatch},
		{"a later time", []string{linkSecret}, link, "until=1764676801&proof=" + proof, linkNow, signature.SignatureMismatch},
		{"a time that is proven over by the wrong secret", []string{"x"}, link, good, link.Until, signature.SignatureMismatch},
		{"a zero before the time", []string{linkSecret}, link, "until=01764676800&proof=" + proof, linkNow, signature.SignatureMalformed},
		{"a sign before the time", []string{linkSecret}, link, "until=%2B1764676800&proof=" + proof, linkNow, signature.SignatureMalformed},
		{"no time", []string{linkSecret}, link, "proof=" + proof, linkNow, signature.SignatureMalformed},
		{"no proof", []string{linkSecret}, link, "until=1764676800", linkNow, signature.SignatureMissing},
		{"an empty proof", []string{linkSecret}, link, "until=1764676800&proof=", linkNow, signature.SignatureMissing},
		{"half the proof", []string{linkSecret}, link, "until=1764676800&proof=" + proof[:20], linkNow, signature.SignatureMalformed},
		{"padded", []string{linkSecret}, link, "until=1764676800&proof=" + proof + "%3D", linkNow, signature.SignatureMalformed},
		{"another spelling of the last character", []string{linkSecret}, link, "until=1764676800&proof=" + proof[:42] + "1", linkNow, signature.SignatureMalformed},
		{"two proofs", []string{linkSecret}, link, good + "&proof=" + proof, linkNow, signature.SignatureMalformed},
		{"a query that is none", []string{linkSecret}, link, "%zz", linkNow, signature.SignatureMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := linkReason(t, c.secrets, c.link, c.query, c.now); got != c.want {
				t.Errorf("reason %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzLink(f *testing.F) {
	f.Add("files", "job-1", "a.csv", "until=1&proof=x")
	f.Add("callback", "", "0-99", signature.SignLink(linkSecret, link))
	f.Fuzz(func(t *testing.T, kind, job, name, query string) {
		l := signature.Link{Kind: kind, Job: job, Name: name, Until: link.Until}
		made := signature.SignLink(linkSecret, l)
		if reason := linkReason(t, []string{linkSecret}, l, made, linkNow); reason != "" {
			t.Errorf("%+v: refused for %s", l, reason)
		}
		if _, err := signature.VerifyLink([]string{linkSecret}, signature.Link{Kind: kind, Job: job, Name: name}, query, linkNow); err == nil {
			values, _ := url.ParseQuery(query)
			if want, _ := url.ParseQuery(made); values.Get("until") == want.Get("until") && values.Get("proof") != want.Get("proof") {
				t.Errorf("%q proves %+v", query, l)
			}
		}
	})
}
