package doctor

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// hints says what would make a signature header's value match: a line for each way of signing that gives it. The
// digest that the scheme wants has so many bytes.
func hints(secrets []string, value string, size int, bodies []candidateBody) []string {
	var found []string
	for _, reading := range readings(value, size) {
		for i, secret := range secrets {
			for _, key := range keys(secret) {
				for _, signed := range bodies {
					mac := hmac.New(reading.hash, []byte(key.value))
					mac.Write(signed.body)
					if hmac.Equal(mac.Sum(nil), reading.mac) {
						found = append(found, fmt.Sprintf("matches secret %d%s over %s%s", i, key.how, signed.how, reading.how))
					}
				}
			}
		}
	}
	return found
}

type reading struct {
	how  string
	hash func() hash.Hash
	mac  []byte
}

// readings are what a value may be: a SHA-512 or SHA-256 digest, in hex or base64, after any prefix.
func readings(value string, size int) []reading {
	values := []string{value}
	if _, rest, ok := strings.Cut(value, "="); ok {
		values = append(values, rest, cutActionPrefix(rest))
	}
	var found []reading
	add := func(how string, mac []byte, err error) {
		if err != nil || slices.ContainsFunc(found, func(r reading) bool { return bytes.Equal(r.mac, mac) }) {
			return
		}
		switch len(mac) {
		case size:
		case sha512.Size:
			how = ", with SHA-512 instead of SHA-256" + how
		case sha256.Size:
			how = ", with SHA-256 instead of SHA-512" + how
		}
		switch len(mac) {
		case sha512.Size:
			found = append(found, reading{how, sha512.New, mac})
		case sha256.Size:
			found = append(found, reading{how, sha256.New, mac})
		}
	}
	for _, v := range values {
		mac, err := hex.DecodeString(v)
		add("", mac, err)
		mac, err = base64.StdEncoding.DecodeString(v)
		add(", in base64 instead of hex", mac, err)
	}
	return found
}

type candidateKey struct{ how, value string }

// keys are what a sender may have taken for the secret.
func keys(secret string) []candidateKey {
	tried := []candidateKey{{"", secret}}
	if empty(secret) {
		return nil
	}
	add := func(how, value string) {
		if !empty(value) && value != secret {
			tried = append(tried, candidateKey{how, value})
		}
	}
	add(" without the white space around it", strings.TrimSpace(secret))
	add(" with a newline after it", secret+"\n")
	add(" without the quotes around it", strings.Trim(secret, `"'`))
	if raw, err := hex.DecodeString(secret); err == nil {
		add(" decoded from hex", string(raw))
	}
	if raw, err := base64.StdEncoding.DecodeString(secret); err == nil {
		add(" decoded from base64", string(raw))
	}
	return tried
}

type candidateBody struct {
	how  string
	body []byte
}

// bodiesSent are what a sender may have had in hand when body is what arrived.
func bodiesSent(body []byte) []candidateBody {
	tried := []candidateBody{{"the body as received", body}}
	add := func(how string, other []byte, err error) {
		for _, t := range tried {
			if err != nil || bytes.Equal(t.body, other) {
				return
			}
		}
		tried = append(tried, candidateBody{how, other})
	}
	add("the body without its final newline", bytes.TrimRight(body, "\r\n"), nil)
	add("the body with a newline after it", append(bytes.Clone(body), '\n'), nil)
	for _, r := range rewriters {
		other, err := r.rewrite(body)
		add("the body "+r.how, other, err)
	}
	decoded, err := base64.StdEncoding.DecodeString(string(body))
	add("the body decoded from base64", decoded, err)
	add("the body in base64", []byte(base64.StdEncoding.EncodeToString(body)), nil)
	add("an empty body", nil, nil)
	return tried
}
