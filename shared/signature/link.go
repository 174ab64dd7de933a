package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strconv"
	"time"
)

// Kinds of link.
const (
	LinkFiles    = "files"    // reads one file of a job
	LinkCallback = "callback" // answers one wait of a job
)

// LinkExpired is the reason of a link that we made and whose time is over. Its holder may learn that.
const LinkExpired = "link_expired"

// Link is what an address of ours gives access to, until a time, to whoever holds it: a capability.
type Link struct {
	Kind  string // LinkFiles or LinkCallback
	Job   string // the job's ID
	Name  string // of the file, or of the wait
	Until time.Time
}

// SignLink is the query of a link's address, "until=<Unix seconds>&proof=<43 characters of base64url>".
func SignLink(secret string, link Link) string {
	until := strconv.FormatInt(link.Until.Unix(), 10)
	return "until=" + until + "&proof=" + base64.RawURLEncoding.EncodeToString(linkMAC(secret, link, until))
}

// linkMAC is HMAC-SHA256 over kind, job, name and until, each preceded by its length as four bytes, big-endian, so that no
// two links have the same input.
func linkMAC(secret string, link Link, until string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, field := range []string{link.Kind, link.Job, link.Name, until} {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
		mac.Write([]byte(field))
	}
	return mac.Sum(nil)
}

// VerifyLink checks the query of an address that names a link's kind, job and name, and returns the link with its time.
// Any secret of the list proves; none is an error. Its error is an *Error: LinkExpired only for a link that is proven,
// and then the link comes with it.
func VerifyLink(secrets []string, link Link, rawQuery string, now time.Time) (Link, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil || len(query["until"]) > 1 || len(query["proof"]) > 1 {
		return Link{}, &Error{SignatureMalformed}
	}
	until, text := query.Get("until"), query.Get("proof")
	if text == "" {
		return Link{}, &Error{SignatureMissing}
	}
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != until {
		return Link{}, &Error{SignatureMalformed}
	}
	proof, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(proof) != sha256.Size {
		return Link{}, &Error{SignatureMalformed}
	}
	proven, usable := false, false
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		usable = true
		if hmac.Equal(proof, linkMAC(secret, link, until)) {
			proven = true
		}
	}
	switch {
	case !usable:
		return Link{}, &Error{NoProofConfigured}
	case !proven:
		return Link{}, &Error{SignatureMismatch}
	}
	link.Until = time.Unix(seconds, 0).UTC()
	if !now.Before(link.Until) {
		return link, &Error{LinkExpired}
	}
	return link, nil
}
