package eventsapi

import (
	"encoding/json"

	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Parse takes a proven body apart: {"events":[…]}, each event in the PIM's own bytes (Akeneo: "Events API", "Event
// format"). An event may hold anything: the vendor adds actions, and an odd one among ten must not cost the others.
// Its error is a *web.Error that says what is wrong.
func Parse(proven signature.Verified) ([]json.RawMessage, error) {
	var body struct {
		Events []json.RawMessage `json:"events"`
	}
	if json.Unmarshal(proven.Body(), &body) != nil { // its error would quote the body
		return nil, &web.Error{Code: web.Invalid, Reason: "body_malformed", Message: `The body is not {"events":[…]}.`}
	}
	if len(body.Events) == 0 {
		return nil, &web.Error{Code: web.Invalid, Reason: "events_missing", Message: "The body holds no events."}
	}
	return body.Events, nil
}
