package template

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Data is what a template sees. Everything in it but the products is fixed when the job is recorded: the same run over the
// same products gives the same text, however often it is repeated.
type Data struct {
	User    jobs.User
	Label   string
	Action  string
	Job     string
	Now     time.Time // when the job, or the event, was recorded; UTC
	Count   int       // items of this run
	Items   []Item    // of this run; where the place has a bound, the first of them
	More    int       // items of this run that are not among Items
	Params  map[string]any
	Context map[string]any
	Event   Event // of an event's run; with deliver: latest only where the run is about one item, see Item.Event

	Callback Callback // of a job that waits for what comes there

	// After a job (`then`).
	Outcome  string // succeeded, partial, failed
	Done     int
	Total    int
	Failures int    // items that failed
	Message  string // of its end, for users; "" where it has none
	File     string // link of the file that it made, the first of several; it lives as long as the file
}

// Callback is where, and until when, the destination can tell how it went.
type Callback struct {
	URL   string `json:"url"`
	Until string `json:"until"` // RFC 3339
}

// callbackOf is a run's own; the zero Callback if it has none.
func callbackOf(run engine.Run) Callback {
	if run.Wait == nil || run.Wait.URL == "" {
		return Callback{}
	}
	return Callback{run.Wait.URL, run.Wait.Until.UTC().Format(time.RFC3339)}
}

// Item is what a template sees of an item.
type Item struct {
	Type    string  `json:"type"`
	ID      string  `json:"id"`
	Deleted bool    `json:"deleted,omitempty"` // an event says so
	Product Product `json:"-"`                 // where the action reads products
	Event   Event   `json:"-"`                 // that brought it, with deliver: latest, or to a job
}

// Identifier is the product's main identifier, or the model's code; "" where neither the product nor the event tells it.
func (i Item) Identifier() string { return i.Product.Identifier() }

// ItemData is what a template sees that is made once per item.
type ItemData struct {
	Data
	Item    Item
	Product Product
}

// AnswerData is what a template sees that is made of what a destination answered for one item.
type AnswerData struct {
	ItemData
	Answer any // JSON
}

func answerOf(raw json.RawMessage) (any, error) {
	answer, err := valueOf(raw)
	if err != nil {
		return nil, engine.Permanent("the destination's answer is not JSON: nothing was changed", fmt.Errorf("decode answer: %w", err))
	}
	return answer, nil
}

// valueOf is a value of JSON with the language's own numbers.
func valueOf(raw json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return nil, err
	}
	return native(decoded), nil
}

func (d Data) item(index int) ItemData {
	return ItemData{Data: d, Item: d.Items[index], Product: d.Items[index].Product}
}

// itemOf is an item of a run.
func itemOf(run engine.Run, index int) Item {
	of := run.Items[index]
	item := Item{Type: of.Type, ID: of.ID, Deleted: run.Gone(index), Product: Product{kind: of.Type, id: of.ID}}
	if index < len(run.Products) {
		item.Product.view = run.Products[index]
	}
	event := run.Event
	if index < len(run.Causes) {
		event = run.Causes[index].Event
	}
	if event != nil {
		item.Event = eventOf(*event)
		if event.EntityID == of.ID {
			item.Product.identifier = event.Identifier
		}
	}
	if item.Deleted {
		item.Product.asked = new(bool)
	}
	return item
}

// batch is what a template sees that is made once per batch.
func (s Scope) batch(run engine.Run) (Data, error) {
	shown := len(run.Items)
	if s.Bound > 0 { // products that are not read follow those that are
		for shown = 0; shown < min(s.Bound, len(run.Items)) && (run.Gone(shown) || shown >= len(run.Products) || run.Products[shown].ID() != ""); shown++ {
		}
	}
	data := Data{
		User: run.User, Label: run.Label, Action: run.Action, Job: run.Job, Now: run.Began.UTC(),
		Count: len(run.Items), More: len(run.Items) - shown, Items: make([]Item, shown), Callback: callbackOf(run),
	}
	for i := range shown {
		data.Items[i] = itemOf(run, i)
	}
	var err error
	if data.Params, err = objectOf(run.Params); err != nil {
		return Data{}, err
	}
	if data.Context, err = objectOf(run.Context); err != nil {
		return Data{}, err
	}
	if run.Event != nil {
		data.Event = eventOf(*run.Event)
	} else if len(run.Causes) == 1 && run.Causes[0].Event != nil {
		data.Event = eventOf(*run.Causes[0].Event)
	}
	if run.Ended != nil {
		data.Outcome, data.Done, data.Total, data.Failures = string(run.Ended.Outcome), run.Ended.Done, run.Ended.Total, run.Ended.Total-run.Ended.Done
		data.File, data.Message = run.Ended.File, run.Ended.Message
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
