package platformapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Log is an entry of the platform's logs, which are kept for 30 days (Akeneo: "Event Platform", "Logs").
type Log struct {
	Type         string // action, error
	At           time.Time
	Subscription string // ID; may be empty
	Operation    string // subscription_suspended_by_the_user, …
	ErrorType    string // failed_delivery, validation_error
	ErrorReason  string // connection_refused, destination_timeout, …
	ErrorCode    int    // of a delivery by HTTPS: the status that we answered; 500 where no answer came
	ErrorMessage string
}

// UnmarshalJSON takes both spellings of error_type.
func (l *Log) UnmarshalJSON(text []byte) error {
	var read struct {
		Type         string    `json:"log_type"`
		At           time.Time `json:"timestamp"`
		Subscription string    `json:"subscription_id"`
		Operation    string    `json:"operation"`
		ErrorType    string    `json:"error_type"`
		ErrorReason  string    `json:"error_reason"`
		ErrorCode    int       `json:"error_code"`
		ErrorMessage string    `json:"error_message"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	*l = Log(read)
	l.ErrorType = strings.ReplaceAll(l.ErrorType, " ", "_")
	return nil
}

// MaxLogs is how many entries Logs returns at most.
const MaxLogs = 50

// Logs lists the newest entries about a subscription, the newest first, MaxLogs at most.
//
// It does not ask by subscriber: entries of errors may name none.
func (c *Client) Logs(ctx context.Context, subscription string) ([]Log, error) {
	var page struct {
		Items []Log `json:"items"`
	}
	err := c.do(ctx, request{step: stepLogs, method: http.MethodGet, path: []string{"logs"}, query: url.Values{
		"subscription_id": {subscription}, "order": {"desc"}, "page": {"1"}, "limit": {strconv.Itoa(MaxLogs)},
	}}, &page)
	return page.Items, err
}
