package signature

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxJWT is the longest token in bytes. The PIM's has about 300.
	MaxJWT = 16 << 10
	// JWTLeeway is how far our clock may be from the PIM's.
	JWTLeeway = 60 * time.Second
)

// Reasons of an Error that tokens alone have. A token signed with another secret is a SignatureMismatch.
const (
	TokenMissing   = "token_missing"
	TokenMalformed = "token_malformed" // not three segments of JSON, JSON and a signature, or longer than MaxJWT
	TokenAlgorithm = "token_algorithm" // its header names another algorithm than HS256, or none, or an extension we do not know
	TokenTimes     = "token_times"     // no exp, or a time that is none
	TokenExpired   = "token_expired"
	TokenAhead     = "token_ahead" // from the future
	TokenUser      = "token_user"  // it names no user
)

// jwtHeader is what the PIM's tokens begin with.
const jwtHeader = `{"typ":"JWT","alg":"HS256"}`

// lastSecond is the end of the year 9999: what claims to be later is no time.
const lastSecond = 253402300799

// segment encodes and decodes a part of a token: base64url without padding (RFC 7515, section 2).
var segment = base64.RawURLEncoding.Strict()

// JWT is what a token of the PIM proves: that its holder is this user of that PIM. It says nothing of what the user looks
// at or may do.
type JWT struct {
	UserID   string    // the older id, a number; may be "" if UserUUID is not
	UserUUID string    // "" from PIMs before June 2025
	Expires  time.Time // without the leeway
	Secret   int       // index of the secret that matched, for the log
}

// SignJWT makes a token of a payload as the PIM does for a page in an iframe (Akeneo help, "Iframe extension"): HS256,
// keyed with the bytes of the extension's secret.
func SignJWT(secret string, payload []byte) string {
	signed := segment.EncodeToString([]byte(jwtHeader)) + "." + segment.EncodeToString(payload)
	return signed + "." + jwtSignature(secret, signed)
}

func jwtSignature(secret, signed string) string {
	return segment.EncodeToString(mac256(secret, []byte(signed)))
}

// VerifyJWT checks a token that a page in an iframe got from the PIM: signed with one of the extension's secrets, not
// expired, not from the future, and of a user. Times are seconds since 1970, whole or not; the PIM writes microseconds.
// Its error is an *Error.
//
// The algorithm is HS256, whatever the token says; one that says otherwise is refused (RFC 8725, sections 3.1 and 3.2).
// Nothing in a token names the PIM or the extension: only a secret that no other extension has tells them apart.
func VerifyJWT(secrets []string, token string, now time.Time) (JWT, error) {
	if !usable(secrets) {
		return JWT{}, &Error{NoProofConfigured}
	}
	if token == "" {
		return JWT{}, &Error{TokenMissing}
	}
	if len(token) > MaxJWT || strings.Count(token, ".") != 2 {
		return JWT{}, &Error{TokenMalformed}
	}
	end := strings.LastIndexByte(token, '.')
	signed, header, payload := token[:end], token[:strings.IndexByte(token, '.')], token[strings.IndexByte(token, '.')+1:end]
	if err := checkHeader(header); err != nil {
		return JWT{}, err
	}
	// Encoding what we expect, instead of decoding what came, leaves one spelling.
	match, signature := -1, []byte(token[end+1:])
	for i, secret := range secrets { // all of them, so that the time it takes does not tell which one matched
		if !emptyKey(secret) && hmac.Equal([]byte(jwtSignature(secret, signed)), signature) && match < 0 {
			match = i
		}
	}
	if match < 0 {
		return JWT{}, &Error{SignatureMismatch}
	}
	return readClaims(payload, match, now)
}

// checkHeader says whether a token is one that we verify at all.
func checkHeader(encoded string) error {
	header, ok := jsonSegment(encoded)
	if !ok {
		return &Error{TokenMalformed}
	}
	_, critical := header["crit"] // extensions that a verifier must understand (RFC 7515, section 4.1.11)
	if algorithm, _ := header.text("alg"); algorithm != "HS256" || critical {
		return &Error{TokenAlgorithm}
	}
	return nil
}

// readClaims reads a proven payload.
func readClaims(encoded string, secret int, now time.Time) (JWT, error) {
	claims, ok := jsonSegment(encoded)
	if !ok {
		return JWT{}, &Error{TokenMalformed}
	}
	expires, there, valid := claims.time("exp")
	if !there || !valid {
		return JWT{}, &Error{TokenTimes}
	}
	if !now.Before(expires.Add(JWTLeeway)) {
		return JWT{}, &Error{TokenExpired}
	}
	for _, name := range []string{"iat", "nbf"} {
		from, there, valid := claims.time(name)
		switch {
		case !valid:
			return JWT{}, &Error{TokenTimes}
		case there && from.After(now.Add(JWTLeeway)):
			return JWT{}, &Error{TokenAhead}
		}
	}
	id, validID := claims.text("userId")
	uuid, validUUID := claims.text("userUuid")
	if !validID || !validUUID || id == "" && uuid == "" {
		return JWT{}, &Error{TokenUser}
	}
	return JWT{UserID: id, UserUUID: uuid, Expires: expires, Secret: secret}, nil
}

// fields are those of a JSON object, by their exact names: a struct would take "ALG" for "alg".
type fields map[string]json.RawMessage

func jsonSegment(encoded string) (fields, bool) {
	text, err := segment.DecodeString(encoded)
	if err != nil {
		return nil, false
	}
	var f fields
	err = json.Unmarshal(text, &f)
	return f, err == nil && f != nil
}

// text is a string, "" if there is none.
func (f fields) text(name string) (text string, valid bool) {
	raw, there := f[name]
	if !there {
		return "", true
	}
	valid = raw[0] == '"' && json.Unmarshal(raw, &text) == nil
	return text, valid
}

// time is a number of seconds since 1970.
func (f fields) time(name string) (at time.Time, there, valid bool) {
	raw, there := f[name]
	if !there {
		return time.Time{}, false, true
	}
	// A string, a word or an object is no number; 1e400 is none that fits.
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !(seconds >= 0 && seconds <= lastSecond) {
		return time.Time{}, true, false
	}
	return time.UnixMicro(int64(math.Round(seconds * 1e6))).UTC(), true, true
}
