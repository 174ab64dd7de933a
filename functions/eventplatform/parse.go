package eventplatform

import (
	"encoding/json"

	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// Parse takes a proven delivery apart: one CloudEvent in structured mode, or an array of them, each in the sender's own
// bytes. It never fails and never returns nothing: what it does not understand (an empty array and one of more than
// 100 included) it returns as it is, in one piece, because a refusal would cost more than a message that matches no
// subscription.
func Parse(proven signature.Verified) (events []json.RawMessage, understood bool) {
	events, ok := pimevent.Split(proven.Body())
	if !ok || len(events) == 0 || len(events) > maxEvents {
		return []json.RawMessage{proven.Body()}, false
	}
	return events, true
}
