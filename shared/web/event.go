package web

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// event is the part of an HTTP API event that we need. Source: API Gateway developer guide, "Create AWS Lambda
// proxy integrations for HTTP APIs", payload format version 2.0.
type event struct {
	RawPath        string            `json:"rawPath"`
	RawQueryString string            `json:"rawQueryString"`
	Cookies        []string          `json:"cookies"`
	Headers        map[string]string `json:"headers"`
	PathParameters struct {
		Proxy string `json:"proxy"`
	} `json:"pathParameters"`
	RequestContext eventContext `json:"requestContext"`
	Body           string       `json:"body"`
	Base64         bool         `json:"isBase64Encoded"`
}

type eventContext struct {
	HTTP struct {
		Method string `json:"method"`
	} `json:"http"`
	RequestID string `json:"requestId"`
	Stage     string `json:"stage"`
	TimeEpoch int64  `json:"timeEpoch"` // milliseconds
}

// decodeEvent reads a payload. A field of the wrong type counts as missing: a method or path that is not there is
// refused by whoever needs it.
func decodeEvent(payload []byte) (event, error) {
	var e event
	err := json.Unmarshal(payload, &e)
	if _, wrongType := errors.AsType[*json.UnmarshalTypeError](err); wrongType {
		err = nil
	}
	return e, err
}

// gatewayTimeout is when API Gateway stops waiting (developer guide, "Quotas for configuring and running an HTTP API").
const gatewayTimeout = 30 * time.Second

// request is the event without its body. A time that cannot be this request's (a sample's, or of a clock that is ahead of
// ours) is replaced by now.
func (e *event) request(now time.Time) *Request {
	received := time.UnixMilli(e.RequestContext.TimeEpoch)
	if waited := now.Sub(received); waited < 0 || waited > gatewayTimeout {
		received = now
	}
	return &Request{
		Method:   e.RequestContext.HTTP.Method,
		Path:     e.RawPath,
		Proxy:    e.PathParameters.Proxy,
		Query:    e.RawQueryString,
		Header:   e.header(),
		ID:       e.RequestContext.RequestID,
		Stage:    e.RequestContext.Stage,
		Received: received,
		Log:      &Line{},
	}
}

// header puts names in lower case (a hand-made event may have others) and the cookies back where they came from.
// Names that differ in case alone are one header that was sent twice.
func (e *event) header() map[string]string {
	header := make(map[string]string, len(e.Headers)+1)
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		lower := strings.ToLower(name)
		if before, twice := header[lower]; twice {
			header[lower] = before + "," + e.Headers[name]
		} else {
			header[lower] = e.Headers[name]
		}
	}
	if _, there := header["cookie"]; !there && len(e.Cookies) > 0 {
		header["cookie"] = strings.Join(e.Cookies, "; ")
	}
	return header
}

// body returns the bytes that the sender sent, at most limit.
func (e *event) body(limit int) ([]byte, error) {
	if !e.Base64 {
		if len(e.Body) > limit {
			return nil, &Error{Code: TooLarge, Reason: "body_too_large"}
		}
		return []byte(e.Body), nil
	}
	if len(e.Body) > base64.StdEncoding.EncodedLen(limit) {
		return nil, &Error{Code: TooLarge, Reason: "body_too_large"} // before any work on it
	}
	body, err := base64.StdEncoding.DecodeString(e.Body)
	if err != nil {
		return nil, &Error{Code: Invalid, Reason: "base64_invalid", Err: err}
	}
	if len(body) > limit {
		return nil, &Error{Code: TooLarge, Reason: "body_too_large"} // the encoded length is exact to two bytes only
	}
	return body, nil
}

// reply is what API Gateway takes as an answer.
type reply struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Cookies    []string          `json:"cookies,omitempty"`
	Body       string            `json:"body"`
	Base64     bool              `json:"isBase64Encoded"`
}

func encodeReply(response Response) ([]byte, error) {
	r := reply{StatusCode: response.Status, Headers: response.Header}
	if utf8.Valid(response.Body) {
		r.Body = string(response.Body)
	} else {
		r.Body, r.Base64 = base64.StdEncoding.EncodeToString(response.Body), true
	}
	return json.Marshal(r)
}
