package signature

import (
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// ContentfulTTL is how old a signed request may be: the default of Contentful's own toolkit.
	ContentfulTTL = 30 * time.Second
	// ContentfulAhead is how far its time may be ahead of ours. The toolkit sets no bound, so that a request signed for
	// next year could be replayed until then.
	ContentfulAhead = 60 * time.Second
)

// Lengths and bounds of the toolkit's own validation.
const (
	contentfulSecret   = 64            // characters
	minSignedHeaders   = 2             // itself and the timestamp
	contentfulEarliest = 1577836800000 // 2020-01-01: a number below is in seconds, or none
)

// Headers of a signed request (Contentful: "Request verification").
const (
	contentfulSignature = "x-contentful-signature"
	contentfulSigned    = "x-contentful-signed-headers"
	contentfulTimestamp = "x-contentful-timestamp"
)

// Reasons of an Error that Contentful's requests alone have.
const (
	SignedHeadersMissing   = "signed_headers_missing"
	SignedHeadersMalformed = "signed_headers_malformed" // too few, twice, absent, or without itself and the timestamp
	MethodMalformed        = "method_malformed"
)

var contentfulMethods = []string{"GET", "PATCH", "HEAD", "POST", "DELETE", "OPTIONS", "PUT"}

// ContentfulRequest is what Contentful signs of a request.
type ContentfulRequest struct {
	Method string
	Paths  []string          // what Contentful may have called: a path from its first slash on, and perhaps ? and a query, as they were sent
	Header map[string]string // names in lower case; values of repeated headers joined by commas
	Body   []byte
}

// ContentfulCall is a request that Contentful has sent. Context that it did not sign is left out.
type ContentfulCall struct {
	Verified
	Canonical   []byte // the signed bytes: the same for one call, other for the next
	Sent        time.Time
	Space       string
	Environment string
	User        string // who called: a user
	App         string // or an app
}

// SignContentful signs a request as Contentful does: HMAC-SHA256 of its canonical form, in 64 lower-case hex digits. What
// is signed of the headers, x-contentful-signed-headers names; x-contentful-timestamp is Unix milliseconds.
func SignContentful(secret, method, path string, header map[string]string, body []byte) string {
	return hex.EncodeToString(mac256(secret, canonicalContentful(method, path, header, signedNames(header), body)))
}

// VerifyContentful checks that Contentful sent a request to one of the paths, lately, with one of the secrets: each has
// exactly 64 characters, as the toolkit wants. Its error is an *Error.
//
// Which path was called depends on what stands in front of a function (a stage, a domain mapping): each that is
// possible is tried, which weakens nothing.
func VerifyContentful(secrets []string, request ContentfulRequest, now time.Time) (ContentfulCall, error) {
	none := ContentfulCall{}
	usable := func(secret string) bool { return len(secret) == contentfulSecret && !emptyKey(secret) }
	if !slices.ContainsFunc(secrets, usable) {
		return none, &Error{NoProofConfigured}
	}
	digits := trim(request.Header[contentfulSignature])
	signature, ok := parse256(digits)
	switch {
	case digits == "":
		return none, &Error{SignatureMissing}
	case !ok || digits != strings.ToLower(digits):
		return none, &Error{SignatureMalformed}
	case !slices.Contains(contentfulMethods, request.Method):
		return none, &Error{MethodMalformed}
	}
	names := signedNames(request.Header)
	if reason := badNames(names, request.Header); reason != "" {
		return none, &Error{reason}
	}
	sent, reason := contentfulTime(request.Header)
	if reason != "" {
		return none, &Error{reason}
	}
	found := none
	for _, path := range request.Paths {
		canonical := canonicalContentful(request.Method, path, request.Header, names, request.Body)
		for i, secret := range secrets { // all of them, so that the time it takes does not tell which one matched
			if usable(secret) && hmac.Equal(mac256(secret, canonical), signature) && found.Canonical == nil {
				found = ContentfulCall{Verified: Verified{body: request.Body, variant: contentfulSignature, secret: i + 1}, Canonical: canonical, Sent: sent}
			}
		}
	}
	switch age := now.Sub(sent); {
	case found.Canonical == nil:
		return none, &Error{SignatureMismatch}
	case age >= ContentfulTTL:
		return none, &Error{TimestampOld}
	case sent.Sub(now) > ContentfulAhead: // not -age, which overflows for a time centuries away
		return none, &Error{TimestampAhead}
	}
	for name, value := range map[string]*string{
		"x-contentful-space-id": &found.Space, "x-contentful-environment-id": &found.Environment,
		"x-contentful-user-id": &found.User, "x-contentful-app-id": &found.App,
	} {
		if slices.Contains(names, name) {
			*value = trim(request.Header[name])
		}
	}
	return found, nil
}

// signedNames are the headers that the list names, in lower case and sorted; twice if it names one twice.
func signedNames(header map[string]string) []string {
	list := trim(header[contentfulSigned])
	if list == "" {
		return nil
	}
	names := strings.Split(list, ",")
	for i, name := range names {
		names[i] = strings.ToLower(trim(name))
	}
	slices.Sort(names)
	return names
}

// badNames is the reason why a list cannot be one of Contentful's, "" if it can.
func badNames(names []string, header map[string]string) string {
	switch {
	case len(names) == 0:
		return SignedHeadersMissing
	case len(names) < minSignedHeaders || len(slices.Compact(slices.Clone(names))) != len(names),
		!slices.Contains(names, contentfulSigned) || !slices.Contains(names, contentfulTimestamp):
		return SignedHeadersMalformed
	}
	for _, name := range names {
		if _, there := header[name]; !there || name == contentfulSignature {
			return SignedHeadersMalformed
		}
	}
	return ""
}

// contentfulTime reads the timestamp: Unix milliseconds.
func contentfulTime(header map[string]string) (sent time.Time, reason string) {
	text := trim(header[contentfulTimestamp])
	if text == "" {
		return time.Time{}, TimestampMissing
	}
	const last = 253402300799999 // the year 9999
	milliseconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || milliseconds <= contentfulEarliest || milliseconds > last || strconv.FormatInt(milliseconds, 10) != text {
		return time.Time{}, TimestampMalformed
	}
	return time.UnixMilli(milliseconds), ""
}

// canonicalContentful is what is signed: method, path, headers and body, a line each (the body may have more).
func canonicalContentful(method, path string, header map[string]string, names []string, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString(method)
	b.WriteByte('\n')
	b.WriteString(contentfulPath(path))
	b.WriteByte('\n')
	kept := slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, there := header[name]; return !there })
	for i, name := range kept {
		if i > 0 {
			b.WriteByte(';')
		}
		value := strings.TrimFunc(header[name], javaScriptSpace)
		if name == contentfulSigned {
			value = strings.Join(kept, ",")
		}
		b.WriteString(name + ":" + value)
	}
	b.WriteByte('\n')
	b.Write(body)
	return b.Bytes()
}

// contentfulPath is the path as it is signed. The query is encoded twice: as a value, and with the rest.
func contentfulPath(path string) string {
	parts := strings.SplitN(path, "?", 3) // what follows a second question mark is not signed
	if len(parts) == 1 || parts[1] == "" {
		return escapeAllBut(parts[0], uriKept)
	}
	return escapeAllBut(parts[0]+"?"+escapeAllBut(parts[1], queryKept), uriKept)
}

// What JavaScript's querystring.escape and encodeURI leave as it is, besides letters and digits.
const (
	queryKept = "-_.!~*'()"
	uriKept   = queryKept + ";,/?:@&=+$#"
)

func escapeAllBut(text, kept string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte(kept, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		const digits = "0123456789ABCDEF"
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// javaScriptSpace is what String.prototype.trim removes (ECMAScript: WhiteSpace and LineTerminator).
func javaScriptSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}
