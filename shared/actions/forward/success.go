package forward

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/outcome"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// success says what of an answer is success, where a 2xx alone does not.
type success struct {
	Status []int  `yaml:"status"` // none: any 2xx
	Not    string `yaml:"not"`    // a top-level key of the JSON answer that is null, false, 0 or empty in a success
}

func (s success) check(section config.Section) error {
	for _, status := range s.Status {
		if status < 200 || status > 499 || status >= 300 && status < 400 {
			return section.Errorf("success", "use 200 to 299 and 400 to 499", "success with status %d", status)
		}
	}
	if strings.Contains(s.Not, "{{") {
		return section.Errorf("success", "write the key itself", "success takes no template")
	}
	return nil
}

// success decides about what came of a call: by its status, and by what a 2xx says.
func (a *action) success(response *outbound.Response, err error) (*outbound.Response, error) {
	if failed, ok := errors.AsType[*outbound.Error](err); ok && failed.Status != 0 && slices.Contains(a.Success.Status, failed.Status) {
		response, err = &outbound.Response{Status: failed.Status, Header: failed.Header, Body: failed.Body, Truncated: len(failed.Body) == maxAnswer}, nil
	}
	switch {
	case err != nil:
		return nil, err
	case len(a.Success.Status) > 0 && !slices.Contains(a.Success.Status, response.Status):
		return nil, &outcome.Refusal{For: with("the destination did not take it as it should", outbound.Detail(response.Body, nil))}
	case outbound.Page(response.Body):
		return nil, &outcome.Refusal{For: "the destination answered with a web page where data was expected, such as a page to sign in: it did not take this"}
	case a.Success.Not == "":
		return response, nil
	}
	var answer map[string]json.RawMessage
	if response.Truncated || json.Unmarshal(response.Body, &answer) != nil {
		return nil, &outcome.Refusal{For: "the destination's answer cannot be read, so nobody knows whether it took this"}
	}
	if found := answer[a.Success.Not]; !outcome.Empty(found) {
		reason := outbound.Detail(found, nil)
		if reason == "" {
			reason = outbound.Detail(response.Body, nil)
		}
		return nil, &outcome.Refusal{For: with("the destination refused it", reason)}
	}
	return response, nil
}

func with(sentence, detail string) string {
	if detail == "" {
		return sentence
	}
	return sentence + ": " + detail
}
