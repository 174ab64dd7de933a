package contentfultest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// accessToken exchanges an app's assertion for a token of its environment.
func (a *API) accessToken(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.PathValue("app") != a.App {
		refuse(w, http.StatusNotFound, "NotFound", nil)
		return
	}
	if !a.asserted(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
		refuse(w, http.StatusUnauthorized, "AccessTokenInvalid", nil)
		return
	}
	life := a.TokenLife
	if life == 0 {
		life = 10 * time.Minute
	}
	a.issued++
	token, ends := fmt.Sprintf("access-token-%d", a.issued), a.Now().Add(life)
	a.tokens[environmentOf(r)+" "+token] = ends
	answer(w, http.StatusCreated, map[string]any{"sys": map[string]any{"type": "AppAccessToken", "expiresAt": ends.UTC().Format(time.RFC3339Nano)}, "token": token})
}

// asserted checks a JWT as Contentful does: RS256, the app as issuer, at most 10 minutes.
func (a *API) asserted(assertion string) bool {
	parts := strings.Split(assertion, ".")
	if a.Key == nil || len(parts) != 3 {
		return false
	}
	var header struct{ Alg string }
	var claims struct {
		Iss string
		Exp int64
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !decode(parts[0], &header) || !decode(parts[1], &claims) || header.Alg != "RS256" || claims.Iss != a.App {
		return false
	}
	ends := time.Unix(claims.Exp, 0)
	if !a.Now().Before(ends) || ends.Sub(a.Now()) > 10*time.Minute {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return rsa.VerifyPKCS1v15(a.Key, crypto.SHA256, digest[:], signature) == nil
}

func decode(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(text, into) == nil
}
