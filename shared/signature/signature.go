// Package signature proves who calls us. It is pure: bytes, secrets and the time go in, a Verified or an *Error
// comes out. One file holds one scheme, with sign beside verify, so that tests, samples and the local system share
// the truth that production checks against.
//
// It reads no secret store, parses no payload and knows no route. Its callers give it the bytes exactly as they
// were received: a body that was decoded and encoded again is another body.
//
// A proof that is configured but cannot hold (an empty secret, a credential without a value) proves nothing, and
// nothing takes its place.
package signature

// Verified is a request whose sender was proven. Functions that parse a request take a Verified, so that nobody
// parses what was not proven. The zero value carries an empty body and no variant.
type Verified struct {
	body    []byte
	variant string
	secret  int // index + 1, so that the zero value matched no secret

	credential int // the same of the credential
}

// Body is what was proven: the bytes given to the verification, not a copy. Do not change them.
func (v Verified) Body() []byte { return v.body }

// Variant says what proved, for the log: the lower-case name of the signature header, or VariantCredential, or
// VariantUnsigned.
func (v Verified) Variant() string { return v.variant }

// Secret is the index of the secret that matched, -1 if none did (a credential alone, or unsigned).
func (v Verified) Secret() int { return v.secret - 1 }

// Credential is the index of the credential that matched, -1 if none did.
func (v Verified) Credential() int { return v.credential - 1 }

// Variants of a proof that no signature header made.
const (
	VariantCredential = "credential"
	VariantUnsigned   = "unsigned"
)

// Error says why a request is not proven. Reason is a stable code for logs and metrics. It must not reach the
// caller, who learns from it what to try next.
type Error struct{ Reason string }

func (e *Error) Error() string { return "unproven: " + e.Reason }

// Reasons of an Error.
const (
	NoProofConfigured  = "no_proof_configured" // nothing that could prove is configured, or it is unusable
	SignatureMissing   = "signature_missing"   // no signature header, or only empty ones
	SignatureMalformed = "signature_malformed" // not the hex digits of one digest
	SignaturesDisagree = "signatures_disagree" // several values, not all the same
	SignatureMismatch  = "signature_mismatch"  // of other bytes, or made with another secret
	CredentialMissing  = "credential_missing"
	CredentialMismatch = "credential_mismatch"
	TimestampOld       = "timestamp_old"
	TimestampAhead     = "timestamp_ahead"
)
