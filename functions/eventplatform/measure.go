package eventplatform

import (
	"errors"
	"slices"

	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// strangers are the reasons for which a request was none of the platform's: the whole internet can call us.
var strangers = []string{"path_unknown", "pim_unknown", "method_not_allowed", signature.SignatureMissing, signature.SignatureMalformed}

// errPanic stands for a request that ended in a panic: it was not taken either.
var errPanic = errors.New("panic")

// measure counts 1 for a request of the platform's that was taken and 0 for one that was not: the average is the success rate.
func (h *Handler) measure(err error) {
	refused, _ := errors.AsType[*web.Error](err)
	switch {
	case err == nil:
		h.config.Metrics.Count("Taken", 1)
	case refused == nil || !slices.Contains(strangers, refused.Reason):
		h.config.Metrics.Count("Taken", 0)
	}
}
