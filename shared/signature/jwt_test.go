package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// jwtVector is one token that was made by other software.
type jwtVector struct {
	Name, Secret, Payload, Token string
}

func jwtVectors(tb testing.TB) []jwtVector {
	tb.Helper()
	data, err := os.ReadFile("testdata/jwt-vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []jwtVector
	if err := json.Unmarshal(data, &all); err != nil {
		tb.Fatal(err)
	}
	if len(all) < 2 {
		tb.Fatal("no vectors: every test over them would pass")
	}
	return all
}

// jwtNow is a time at which the vectors are neither old nor ahead.
var jwtNow = time.Unix(1743410100, 0)

func TestJWTVectors(t *testing.T) {
	for _, v := range jwtVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			got, err := signature.VerifyJWT([]string{"another", v.Secret}, v.Token, jwtNow)
			if strings.Contains(v.Name, "refused") {
				if reason(t, err) != signature.TokenAlgorithm {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			want := signature.JWT{
				UserID: "1", UserUUID: "557ed4c9-e155-4f4c-802d-4d90bca37d45", Secret: 1,
				Expires: time.Date(2025, 3, 31, 9, 33, 56, 116162000, time.UTC),
			}
			if err != nil || got != want {
				t.Errorf("got %+v, %v, want %+v", got, err, want)
			}
			if signed := signature.SignJWT(v.Secret, []byte(v.Payload)); signed != v.Token {
				t.Errorf("signed %s, want %s", signed, v.Token)
			}
		})
	}
}

// token makes a token of any header and payload, without anything of ours.
func token(secret, header, payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(header)) + "." + encode([]byte(payload))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

const (
	hs256  = `{"typ":"JWT","alg":"HS256"}`
	claims = `{"iat":1743410036.116152,"exp":1743413636.116162,"userId":"1","userUuid":"557ed4c9-e155-4f4c-802d-4d90bca37d45"}`
)

func TestVerifyJWT(t *testing.T) {
	good := token(secret, hs256, claims)
	with := func(payload string) string { return token(secret, hs256, payload) }
	under := func(header string) string { return token(secret, header, claims) }
	part := strings.Split(good, ".")

	for _, row := range []struct {
		name, token string
		want        string // the reason of the refusal, "" for a proof
	}{
		{"float times", good, ""},
		{"whole times", with(`{"iat":1743410036,"exp":1743413636,"userId":"1"}`), ""},
		{"an exponent", with(`{"exp":1.743413636e9,"userId":"1"}`), ""},
		{"no iat", with(`{"exp":1743413636,"userId":"1"}`), ""},
		{"without the older id", with(`{"exp":1743413636,"userUuid":"557ed4c9"}`), ""},
		{"claims that we do not know", with(`{"exp":1743413636,"userId":"1","userEmail":"julia@example.com","x":{}}`), ""},
		{"exp the last second of the year 9999", with(`{"exp":253402300799,"userId":"1"}`), ""},
		{"header without typ", under(`{"alg":"HS256"}`), ""},
		{"59 s expired, by our clock", with(`{"exp":1743410041,"userId":"1"}`), ""},
		{"issued in 60 s, by our clock", with(`{"iat":1743410160,"exp":1743413636,"userId":"1"}`), ""},

		{"no token", "", "token_missing"},
		{"alg none", under(`{"typ":"JWT","alg":"none"}`), "token_algorithm"},
		{"alg None", under(`{"typ":"JWT","alg":"None"}`), "token_algorithm"},
		{"alg none and no signature", token("", `{"alg":"none"}`, claims)[:len(token("", `{"alg":"none"}`, claims))-43], "token_algorithm"},
		{"alg RS256", under(`{"typ":"JWT","alg":"RS256"}`), "token_algorithm"},
		{"alg HS512", under(`{"typ":"JWT","alg":"HS512"}`), "token_algorithm"},
		{"alg in lower case", under(`{"typ":"JWT","alg":"hs256"}`), "token_algorithm"},
		{"alg missing", under(`{"typ":"JWT"}`), "token_algorithm"},
		{"alg under a name in upper case", under(`{"ALG":"HS256"}`), "token_algorithm"},
		{"alg a list", under(`{"alg":["HS256"]}`), "token_algorithm"},
		{"alg null", under(`{"alg":null}`), "token_algorithm"},
		{"an extension that must be understood", under(`{"alg":"HS256","crit":["b64"],"b64":false}`), "token_algorithm"},
		{"header null", under(`null`), "token_malformed"},
		{"header garbage", under(`junk`), "token_malformed"},

		{"another secret", token("another secret", hs256, claims), "signature_mismatch"},
		{"the empty secret", token("", hs256, claims), "signature_mismatch"},
		{"no signature", part[0] + "." + part[1] + ".", "signature_mismatch"},
		{"signature of another payload", part[0] + "." + strings.Split(with(`{}`), ".")[1] + "." + part[2], "signature_mismatch"},
		{"signature cut", good[:len(good)-1], "signature_mismatch"},
		{"signature padded", good + "=", "signature_mismatch"},
		{"signature with a line end", good + "\n", "signature_mismatch"},
		{"signature in hex", part[0] + "." + part[1] + "." + strings.Repeat("0", 64), "signature_mismatch"},

		{"one segment", part[0], "token_malformed"},
		{"two segments", part[0] + "." + part[1], "token_malformed"},
		{"four segments", good + ".x", "token_malformed"},
		{"dots alone", "..", "token_malformed"},
		{"three dots", "...", "token_malformed"},
		{"8 KB of a", strings.Repeat("a", 8000), "token_malformed"},
		{"1 MB, signed", with(strings.Replace(claims, "{", `{"x":"`+strings.Repeat("a", 1<<20)+`",`, 1)), "token_malformed"},
		{"with its scheme", "Bearer " + good, "token_malformed"},
		{"a signature over garbage", with("\x00\xff junk"), "token_malformed"},
		{"a signature over nothing", with(""), "token_malformed"},
		{"a signature over null", with("null"), "token_malformed"},
		{"a signature over a list", with("[]"), "token_malformed"},

		{"no exp", with(`{"userId":"1"}`), "token_times"},
		{"exp a string", with(`{"exp":"1743413636","userId":"1"}`), "token_times"},
		{"exp null", with(`{"exp":null,"userId":"1"}`), "token_times"},
		{"exp 1e400", with(`{"exp":1e400,"userId":"1"}`), "token_times"},
		{"exp after the year 9999", with(`{"exp":253402300800,"userId":"1"}`), "token_times"},
		{"exp in milliseconds", with(`{"exp":1743413636116,"userId":"1"}`), "token_times"},
		{"exp negative", with(`{"exp":-1,"userId":"1"}`), "token_times"},
		{"exp past", with(`{"exp":1743410000,"userId":"1"}`), "token_expired"},
		{"exp past by exactly the leeway", with(`{"exp":1743410040,"userId":"1"}`), "token_expired"},
		{"exp zero", with(`{"exp":0,"userId":"1"}`), "token_expired"},
		{"iat a string", with(`{"iat":"now","exp":1743413636,"userId":"1"}`), "token_times"},
		{"iat 61 s ahead", with(`{"iat":1743410161,"exp":1743413636,"userId":"1"}`), "token_ahead"},
		{"not before an hour from now", with(`{"nbf":1743413700,"exp":1743413636,"userId":"1"}`), "token_ahead"},

		{"no user", with(`{"exp":1743413636}`), "token_user"},
		{"an empty user", with(`{"exp":1743413636,"userId":"","userUuid":""}`), "token_user"},
		{"a user that is a number", with(`{"exp":1743413636,"userId":1}`), "token_user"},
		{"a uuid that is an object", with(`{"exp":1743413636,"userId":"1","userUuid":{}}`), "token_user"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := signature.VerifyJWT([]string{"", secret}, row.token, jwtNow)
			if reason(t, err) != row.want {
				t.Errorf("got %v, want reason %q", err, row.want)
			}
			if err != nil && got != (signature.JWT{}) {
				t.Errorf("a refusal with %+v", got)
			}
		})
	}
}

func TestTheLongestJWT(t *testing.T) {
	long := func(payload int) string { // of so many bytes
		begin, end := `{"exp":1743413636,"userId":"1","x":"`, `"}`
		return token(secret, `{"typ":"JWT","alg":"HS256"}`, begin+strings.Repeat("a", payload-len(begin)-len(end))+end)
	}
	for payload, want := range map[int]string{12227: "", 12228: "token_malformed"} {
		candidate := long(payload)
		if _, err := signature.VerifyJWT([]string{secret}, candidate, jwtNow); reason(t, err) != want || (len(candidate) > signature.MaxJWT) != (want != "") {
			t.Errorf("%d bytes: %v", len(candidate), err)
		}
	}
}

// The log names the secret that proved: the first of the list, where it holds one twice.
func TestAJWTTellsWhichSecretProves(t *testing.T) {
	good := token(secret, hs256, claims)
	for _, row := range []struct {
		name    string
		secrets []string
		want    int
	}{
		{"the first", []string{secret, "another"}, 0},
		{"the second", []string{"another", secret}, 1},
		{"the first, listed twice", []string{secret, secret}, 0},
		{"the second, listed twice", []string{"another", secret, secret}, 1},
		{"behind an empty one", []string{"", secret}, 1},
	} {
		if got, err := signature.VerifyJWT(row.secrets, good, jwtNow); err != nil || got.Secret != row.want {
			t.Errorf("%s: secret %d, %v", row.name, got.Secret, err)
		}
	}
}

func TestJWTWithoutAUsableSecret(t *testing.T) {
	for name, secrets := range map[string][]string{"none": nil, "empty": {""}, "zero bytes": {"\x00\x00"}} {
		for _, key := range append(secrets, "") {
			if _, err := signature.VerifyJWT(secrets, token(key, hs256, claims), jwtNow); reason(t, err) != signature.NoProofConfigured {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// The law: a token proves if and only if it is, byte for byte, what HMAC-SHA256 of a usable secret makes of its first
// two segments; and what proves names a user and has not expired.
func FuzzVerifyJWT(f *testing.F) {
	for _, v := range jwtVectors(f) { // fails if there are none
		f.Add(v.Secret, v.Token, []byte(v.Payload))
	}
	f.Add(secret, token(secret, hs256, claims)+"\n", []byte(`{"exp":1e400}`))
	f.Add("", token("", hs256, claims), []byte(`{"exp":1743413636,"userId":"1","userId":""}`))
	f.Add("\x00", "..", []byte(`[]`))
	f.Fuzz(func(t *testing.T, key, candidate string, payload []byte) {
		verify := func(candidate string) bool {
			got, err := signature.VerifyJWT([]string{key}, candidate, jwtNow)
			if err == nil && (got.UserID == "" && got.UserUUID == "" || !jwtNow.Before(got.Expires.Add(time.Minute)) || got.Secret != 0) {
				t.Errorf("%q proves %+v", candidate, got)
			}
			return err == nil
		}
		if verify(candidate) {
			part := strings.Split(candidate, ".")
			mac := base64.RawURLEncoding.EncodeToString(hmac256(key, []byte(part[0]+"."+part[1])))
			if len(part) != 3 || part[2] != mac || !usable(key) {
				t.Errorf("%q proves under %q", candidate, key)
			}
		}
		signed := signature.SignJWT(key, payload)
		if proves := verify(signed); proves && !usable(key) {
			t.Errorf("the key %q proves", key)
		} else if proves && verify(signed[:len(signed)-1]) {
			t.Error("a cut signature proves")
		}
	})
}
