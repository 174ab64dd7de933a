package gate

import (
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

// ProbeHeader marks a call with which an operator asks whether a secret is accepted (`pimctl rotate`, `pimctl preflight`):
// it tells nothing of what the senders use. Only whoever has a secret is counted at all, so nobody else gains by it.
const ProbeHeader = "x-pim-functions-probe"

// Names of the metric of uses and of its dimensions.
const (
	UsesMetric           = "SecretUsed"
	SecretDimension      = "Secret"      // which list of the signing document
	FingerprintDimension = "Fingerprint" // which secret of the list
)

// Use is which secret of a list proved a request. The zero value is none.
type Use struct {
	List        string // as `pimctl rotate` names it: an extension, event-platform.PIM, contentful
	Among       int    // how many the list has
	Fingerprint string // of the one that proved; "": none
}

// CredentialList names the list of an extension's credentials, beside the one of its secrets.
func CredentialList(extension string) string { return extension + " credential" }

// UseOf is the use of the secret at an index of a list; below 0: of none.
func UseOf(list string, among []string, index int) Use {
	if index < 0 || index >= len(among) {
		return Use{}
	}
	return Use{list, len(among), secrets.Fingerprint(among[index])}
}

// UseOfCredential is UseOf for the credentials of an extension.
func UseOfCredential(extension string, among []secrets.Credential, index int) Use {
	if index < 0 || index >= len(among) {
		return Use{}
	}
	return Use{CredentialList(extension), len(among), among[index].Fingerprint()}
}

// Used counts uses of lists that have several secrets: that is, during a rotation, to tell when the old one is no longer
// used. What has one secret costs no metric.
func (g *Gate) Used(req *web.Request, uses ...Use) {
	if req.Header[ProbeHeader] != "" {
		return
	}
	for _, use := range uses {
		if use.Among > 1 && use.Fingerprint != "" {
			g.Metrics.CountShared(UsesMetric, 1, metric.Dimension{Name: SecretDimension, Value: use.List}, metric.Dimension{Name: FingerprintDimension, Value: use.Fingerprint})
		}
	}
}
