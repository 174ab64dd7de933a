package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// Data is what a template sees. Everything in it is fixed when the job is recorded: the same run gives the same
// text, however often it is repeated.
type Data struct {
	User    jobs.User
	Label   string
	Action  string
	Job     string
	Count   int // items of this run
	Items   []jobs.Item
	Params  map[string]any
	Context map[string]any
	Event   pimevent.Event // of an event's run: Type, ID, Kind, EntityID, Author, Time

	// After a job (`then`).
	Outcome  string // succeeded, partial, failed
	Done     int
	Total    int
	Failures int // items that failed
}

// ItemData is what a template sees that is made once per item.
type ItemData struct {
	Data
	Item jobs.Item
}

func dataOf(run engine.Run) (Data, error) {
	data := Data{User: run.User, Label: run.Label, Action: run.Action, Job: run.Job, Count: len(run.Items), Items: run.Items}
	var err error
	if data.Params, err = objectOf(run.Params); err != nil {
		return Data{}, err
	}
	if data.Context, err = objectOf(run.Context); err != nil {
		return Data{}, err
	}
	if run.Event != nil {
		data.Event = *run.Event
	}
	if run.Ended != nil {
		data.Outcome, data.Done, data.Total, data.Failures = string(run.Ended.Outcome), run.Ended.Done, run.Ended.Total, run.Ended.Total-run.Ended.Done
	}
	return data, nil
}

func objectOf(raw json.RawMessage) (map[string]any, error) {
	var decoded map[string]any
	decoder := json.NewDecoder(bytes.NewReader(object(raw)))
	decoder.UseNumber()
	if err := decoder.Decode(&decoded); err != nil {
		return nil, engine.Permanent("the request's parameters are not an object", fmt.Errorf("decode params: %w", err))
	}
	native(decoded)
	return decoded, nil
}

// native makes JSON's numbers the language's own, in place: so that they compare, count and are false when they are 0.
func native(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, each := range value {
			value[key] = native(each)
		}
	case []any:
		for i, each := range value {
			value[i] = native(each)
		}
	case json.Number:
		return number(value)
	}
	return value
}

// number is an int64 or a float64 where that prints as the number was written, and any zero is 0. What is left stays a
// json.Number: 12345678901234567890 and 1.50 print as they are, and comparisons read them.
func number(n json.Number) any {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil && strconv.FormatInt(i, 10) == string(n) {
		return i
	}
	f, err := strconv.ParseFloat(string(n), 64)
	switch {
	case err != nil:
		return n
	case f == 0 && zero(string(n)):
		return int64(0)
	case fmt.Sprint(f) == string(n):
		return f
	}
	return n
}

// zero says that no digit before the exponent is another: 0.00 and -0e5, and not 1e-999.
func zero(literal string) bool {
	for _, r := range literal {
		switch {
		case r == 'e' || r == 'E':
			return true
		case r >= '1' && r <= '9':
			return false
		}
	}
	return true
}
